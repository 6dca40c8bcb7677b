//! Tables: a name is the heading of a column, in CSV, Markdown, SQL and aligned text; or the first
//! cell of a row.

use columns::find_table;
use insert::find_columns;
use line::line_around;
use row::read_row;

use super::Values;
use crate::finding::Choice;
use crate::names::Name;
use crate::text::Text;

mod columns;
mod insert;
mod line;
mod row;

/// What was read of the tables of a text, so that no line is read twice as a heading.
#[derive(Debug, Default)]
pub(super) struct Tables {
    /// The line that was read last: its start, and where it is read again.
    line: Option<(usize, usize)>,
    read_until: usize,
}

impl Tables {
    /// Adds the values of the column, or of the row, that a name begins.
    pub(super) fn find(
        &mut self,
        text: Text<'_>,
        name: Name,
        choice: &dyn Choice,
        values: &mut Values,
    ) {
        find_columns(text, name, values);
        let line = match self.line.filter(|line| name.start < line.1) {
            Some(line) => Some(line),
            None => line_around(text, name.start),
        };
        let Some((start, end)) = line else {
            return;
        };
        read_row(text, name, (start, end), values);
        let is_new = self.line != Some((start, end));
        self.line = Some((start, end));
        if is_new && name.start >= self.read_until {
            self.read_until = find_table(text, name, (start, end), choice, values).unwrap_or(end);
        }
    }
}
