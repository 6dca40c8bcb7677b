//! The cells under the headings of a table.

use super::line::{
    BARS, Delimiter, LONGEST_HEADING, cells_of, delimiter_of, is_rule, line_below, row_end,
    split_spaces,
};
use crate::finding::Choice;
use crate::names::{Certainty, Name};
use crate::pairs::Values;
use crate::pairs::judgement::{
    is_label, is_object_name, is_password, is_placeholder, is_sentence, names_password,
};
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
    if let Some((cells, delimiter)) = split_markup(heading) {
        let headings: Vec<Heading> = cells.iter().map(|cell| heading_of(cell, choice)).collect();
        return read_rows(text, end, delimiter, &headings, values);
    }
    let below = line_below(text, end);
    let has_rule = !below.trim().is_empty() && is_rule(below);
    if has_rule && is_aligned_rule(below) && !below.contains('+') {
        return read_aligned(text, end, &split_at_rule(heading, below), choice, values);
    }
    let delimiter = delimiter_of(heading, name.start - start)?;
    let has_rule = has_rule || is_only_table(text, line, below, delimiter);
    if !begins_table(heading, delimiter, has_rule)
        || !has_rule && continues_table(text, start, heading, delimiter)
    {
        return None;
    }
    match delimiter {
        Delimiter::Character(delimiter) => {
            let headings: Vec<Heading> = cells_of(heading, delimiter)
                .iter()
                .map(|(_, cell)| heading_of(cell, choice))
                .collect();
            let headings = without_results(heading, headings);
            read_rows(text, end, delimiter, &headings, values)
        }
        Delimiter::Spaces => read_aligned(text, end, &split_spaces(heading), choice, values),
    }
}

/// Splits the heading line of a table in the markup of Confluence (`||a||b||`), DokuWiki (`^ a ^ b ^`)
/// or LaTeX (`a & b \\\\`). Returns its cells, and what separates the cells of the rows.
fn split_markup(heading: &str) -> Option<(Vec<&str>, char)> {
    let heading = heading.trim_end();
    let is_confluence = heading.starts_with("||") && heading.ends_with("||");
    let is_wiki = heading.starts_with("^ ") && heading.ends_with(" ^");
    // A row of these begins and ends with a bar.
    if is_confluence && heading.len() > 4 {
        let cells = heading[2..heading.len() - 2].split("||");
        return Some(([""].into_iter().chain(cells).chain([""]).collect(), '|'));
    }
    if is_wiki && heading.len() > 4 {
        return Some((heading.split('^').collect(), '|'));
    }
    let row = heading.trim_end_matches("\\hline").trim_end();
    let cells = row
        .strip_suffix("\\\\")
        .or(row.strip_suffix("\\tabularnewline"))
        .filter(|row| row.contains('&'))?;
    Some((cells.split('&').collect(), '&'))
}

/// Whether a line of cells in bars, which no other line precedes, is followed by a row with as many
/// cells: the table of a test's scenario has no rule.
fn is_only_table(text: Text<'_>, line: (usize, usize), below: &str, delimiter: Delimiter) -> bool {
    let Delimiter::Character(bar) = delimiter else {
        return false;
    };
    let (start, end) = line;
    let heading = &text.text[start..end];
    let previous = text.before(start.saturating_sub(1), LONGEST_HEADING);
    let previous = previous.rsplit('\n').next().unwrap_or_default();
    heading.trim_start().starts_with(bar)
        && below.len() <= LONGEST_HEADING
        && !previous.contains(bar)
        && cells_of(below, bar).len() == cells_of(heading, bar).len()
}

/// The headings above the dashes of a rule, with their positions: one space can separate them.
fn split_at_rule<'t>(heading: &'t str, rule: &str) -> Vec<(usize, &'t str)> {
    let starts = rule
        .match_indices(['-', '=', '─'])
        .map(|(at, _)| at)
        .filter(|&at| at == 0 || rule.as_bytes()[at - 1] == b' ');
    let starts: Vec<usize> = starts.take(64).collect();
    let ends = starts.iter().skip(1).copied().chain([heading.len()]);
    starts
        .iter()
        .zip(ends)
        .filter_map(|(&start, end)| {
            Some((
                start,
                heading.get(start..end.min(heading.len()))?.trim_end(),
            ))
        })
        .collect()
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
    let before = text.before(start.saturating_sub(1), LONGEST_HEADING);
    let previous = before.rsplit('\n').next().unwrap_or_default();
    start > 0 && cells_of(previous, delimiter).len() == cells_of(line, delimiter).len()
}

/// What the heading of a column says about its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heading {
    Other,
    /// The values are secrets, or the names of objects that hold them.
    Secret,
    /// The values are passwords or tokens.
    Password,
}

/// Leaves out the column `Pass` of a table that also counts what failed.
fn without_results(line: &str, headings: Vec<Heading>) -> Vec<Heading> {
    let lower = line.to_ascii_lowercase();
    let counts = lower.contains("fail") && lower.contains("pass") && !lower.contains("password");
    if counts {
        return vec![Heading::Other; headings.len()];
    }
    headings
}

/// Judges the heading of a column.
fn heading_of(cell: &str, choice: &dyn Choice) -> Heading {
    let cell = cell.trim().trim_matches(['"', '\'', '`', '*', '#']).trim();
    // `example.com/shop/auth/token` is a path in a report, and not a heading.
    if cell.contains('/') || choice.judge(cell) < Some(Certainty::Likely) {
        Heading::Other
    } else if names_objects(cell) && !names_password(cell) {
        Heading::Secret
    } else {
        Heading::Password
    }
}

/// Whether a heading can stand above the names of objects that hold secrets.
fn names_objects(cell: &str) -> bool {
    let lower = cell.to_ascii_lowercase();
    lower.contains("secret") || lower.contains("credential")
}

/// Reads the rows of a table whose cells a character separates. Returns the end of the table.
fn read_rows(
    text: Text<'_>,
    heading_end: usize,
    delimiter: char,
    headings: &[Heading],
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
        let row = &text.text[at..line_end];
        // Rich frames the heading with thick bars and the rows with thin ones.
        let delimiter = if delimiter == '┃' && !row.contains('┃') {
            '│'
        } else {
            delimiter
        };
        let cells = cells_of(row, delimiter);
        if cells.len() != headings.len() {
            break;
        }
        for ((place, cell), heading) in cells.iter().zip(headings) {
            push_cell(at + place, cell, *heading, values);
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
fn push_cell(start: usize, cell: &str, heading: Heading, values: &mut Values) {
    // LaTeX ends its rows with two backslashes.
    let trimmed = cell.trim().trim_end_matches("\\hline").trim_end();
    let trimmed = trimmed
        .strip_suffix("\\\\")
        .or(trimmed.strip_suffix("\\tabularnewline"))
        .unwrap_or(trimmed)
        .trim_end();
    let inner = trimmed.trim_matches(['"', '`', '*', '\'']);
    let inner = if inner.is_empty() { trimmed } else { inner };
    if heading == Heading::Other
        || inner.is_empty()
        || is_placeholder(inner)
        || is_label(inner) && (inner.split(' ').count() < 3 || inner.starts_with(char::is_uppercase))
        // A count: no secret has one or two digits.
        || inner.len() < 3 && inner.bytes().all(|byte| byte.is_ascii_digit())
        || heading == Heading::Secret && is_object_name(inner)
    {
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
    let secret = secret_columns(headings, choice);
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
        for &(index, heading) in &secret {
            let is_last = index + 1 == headings.len();
            if let Some((start, cell)) = find_cell(&cells, headings, index)
                && (is_password(cell) || is_last || cell.len() >= 4)
                && !is_prose(cell)
            {
                push_cell(at + start, cell, heading, values);
            }
        }
        end = Some(line_end);
        at = line_end + 1;
    }
    end
}

/// The indices of the columns with secrets. Kubernetes' tables name the secrets of other objects in a
/// column, which has no secrets.
fn secret_columns(headings: &[(usize, &str)], choice: &dyn Choice) -> Vec<(usize, Heading)> {
    let is_kubernetes = headings
        .iter()
        .any(|(_, cell)| matches!(*cell, "AGE" | "NAMESPACE"));
    let names_objects = |cell: &str| is_kubernetes && matches!(cell, "SECRET" | "SECRETS");
    headings
        .iter()
        .enumerate()
        .filter(|(_, (_, cell))| !names_objects(cell))
        .map(|(index, (_, cell))| (index, heading_of(cell, choice)))
        .filter(|(_, heading)| *heading != Heading::Other)
        .collect()
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
