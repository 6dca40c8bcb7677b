//! The cells under the headings of a table.

use super::line::{
    BARS, Delimiter, LONGEST_HEADING, cells_of, delimiter_of, is_rule, line_below, row_end,
    split_spaces,
};
use crate::finding::Choice;
use crate::names::{Certainty, Name};
use crate::pairs::Values;
use crate::pairs::judgement::{is_label, is_object_name, is_password, is_placeholder, is_sentence};
use crate::text::Text;

/// Adds the values of the columns under a heading line. Returns the end of the table.
pub(super) fn find_table(
    text: Text<'_>,
    name: Name,
    line: (usize, usize),
    choice: &dyn Choice,
    values: &mut Values,
) -> Option<usize> {
    let (start, end) = line;
    let heading = text.text.get(start..end)?;
    let delimiter = delimiter_of(heading, name.start - start)?;
    let below = line_below(text, end);
    let has_rule = !below.trim().is_empty() && is_rule(below);
    if !begins_table(heading, delimiter, has_rule)
        || !has_rule && continues_table(text, start, heading, delimiter)
    {
        return None;
    }
    match delimiter {
        Delimiter::Character(delimiter) => {
            let secret: Vec<bool> = cells_of(heading, delimiter)
                .iter()
                .map(|(_, cell)| is_secret_heading(cell, choice))
                .collect();
            read_rows(text, end, delimiter, &secret, values)
        }
        Delimiter::Spaces => read_aligned(text, end, &split_spaces(heading), choice, values),
    }
}

/// Whether a line with headings begins a table.
fn begins_table(heading: &str, delimiter: Delimiter, has_rule: bool) -> bool {
    let is_capital = |cell: &str| !cell.chars().any(char::is_lowercase);
    match delimiter {
        // A table of bars has a rule under its heading, or a frame around its rows.
        Delimiter::Character(bar) if BARS.contains(&bar) => has_rule || is_capital(heading),
        Delimiter::Character(_) => true,
        Delimiter::Spaces => {
            has_rule
                || split_spaces(heading)
                    .iter()
                    .all(|(_, cell)| is_capital(cell))
        }
    }
}

/// Whether a line continues a table, because the line before it has as many cells.
fn continues_table(text: Text<'_>, start: usize, line: &str, delimiter: Delimiter) -> bool {
    let Delimiter::Character(delimiter) = delimiter else {
        return false;
    };
    let previous = text.text[..start.saturating_sub(1)]
        .rsplit('\n')
        .next()
        .unwrap_or_default();
    let from = previous.floor_char_boundary(previous.len().saturating_sub(LONGEST_HEADING));
    start > 0 && cells_of(&previous[from..], delimiter).len() == cells_of(line, delimiter).len()
}

/// Whether the values of a column are secrets.
fn is_secret_heading(cell: &str, choice: &dyn Choice) -> bool {
    let cell = cell.trim().trim_matches(['"', '\'', '`', '*', '#']).trim();
    choice.judge(cell) >= Some(Certainty::Likely)
}

/// Reads the rows of a table whose cells a character separates. Returns the end of the table.
fn read_rows(
    text: Text<'_>,
    heading_end: usize,
    delimiter: char,
    secret: &[bool],
    values: &mut Values,
) -> Option<usize> {
    let mut at = heading_end + 1;
    let mut end = None;
    while at < text.text.len() {
        let line_end = row_end(text, at);
        let row = &text.text[at..line_end];
        if is_rule(row) {
            if row.trim().is_empty() {
                break;
            }
            at = line_end + 1;
            continue;
        }
        let line_end = if delimiter != '|' && row.matches('"').count() % 2 == 1 {
            quoted_row_end(text, line_end)
        } else {
            line_end
        };
        let cells = cells_of(&text.text[at..line_end], delimiter);
        if cells.len() != secret.len() {
            break;
        }
        for ((place, cell), is_secret) in cells.iter().zip(secret) {
            if *is_secret {
                push_cell(at + place, cell, values);
            }
        }
        end = Some(line_end);
        at = line_end + 1;
    }
    end
}

/// The end of a row with a quoted cell that goes on after the line.
fn quoted_row_end(text: Text<'_>, line_end: usize) -> usize {
    let limit = (line_end + 8 * LONGEST_HEADING).min(text.text.len());
    let more = &text.text.as_bytes()[line_end..limit];
    match memchr::memchr(b'"', more) {
        Some(close) => row_end(text, line_end + close),
        None => line_end,
    }
}

/// Adds a cell without its quotes and marks, unless it is a placeholder, a label or the name of an
/// object.
fn push_cell(start: usize, cell: &str, values: &mut Values) {
    let trimmed = cell.trim();
    let inner = trimmed.trim_matches(['"', '`', '*', '\'']);
    let inner = if inner.is_empty() { trimmed } else { inner };
    if inner.is_empty() || is_placeholder(inner) || is_label(inner) || is_object_name(inner) {
        return;
    }
    let offset = inner.as_ptr() as usize - cell.as_ptr() as usize;
    values.push(start + offset, start + offset + inner.len());
}

/// Reads rows whose cells stand under their headings. Returns the end of the table.
fn read_aligned(
    text: Text<'_>,
    heading_end: usize,
    headings: &[(usize, &str)],
    choice: &dyn Choice,
    values: &mut Values,
) -> Option<usize> {
    let secret: Vec<usize> = (0..headings.len())
        .filter(|&index| is_secret_heading(headings[index].1, choice))
        .collect();
    let mut at = heading_end + 1;
    let mut end = None;
    while at < text.text.len() {
        let line_end = row_end(text, at);
        let row = &text.text[at..line_end];
        if is_aligned_rule(row) {
            at = line_end + 1;
            continue;
        }
        let cells = split_spaces(row);
        let is_row = cells.len() == headings.len() || end.is_some();
        if !is_row || cells.len() < 2 {
            break;
        }
        for &index in &secret {
            let is_last = index + 1 == headings.len();
            if let Some((start, cell)) = find_cell(&cells, headings, index)
                && (is_password(cell) || is_last || cell.len() >= 4)
                && !is_prose(cell)
            {
                push_cell(at + start, cell, values);
            }
        }
        end = Some(line_end);
        at = line_end + 1;
    }
    end
}

/// Whether a line of an aligned table is a rule.
fn is_aligned_rule(row: &str) -> bool {
    !row.trim().is_empty()
        && row
            .chars()
            .all(|character| matches!(character, '-' | '=' | ' ' | '+' | '─' | '\r'))
}

/// The cell under a heading: the one with its index in a complete row, or the one at its place.
fn find_cell<'t>(
    cells: &[(usize, &'t str)],
    headings: &[(usize, &str)],
    index: usize,
) -> Option<(usize, &'t str)> {
    if cells.len() == headings.len() {
        return cells.get(index).copied();
    }
    let place = headings[index].0;
    let is_under =
        |start: usize, cell: &str| start == place || start < place && start + cell.len() > place;
    cells
        .iter()
        .copied()
        .find(|(start, cell)| is_under(*start, cell))
}

/// Whether a cell of an aligned table is prose that only looks like a table.
fn is_prose(cell: &str) -> bool {
    cell.contains(' ') && is_sentence(cell)
}
