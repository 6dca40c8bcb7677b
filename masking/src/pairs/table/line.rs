//! The lines of tables, and the cells of a line.

use crate::pairs::context::is_space;
use crate::text::Text;

/// The longest heading line.
pub(super) const LONGEST_HEADING: usize = 1_024;

/// The most columns.
const MOST_COLUMNS: usize = 64;

/// The bars that frame the cells of a table.
pub(super) const BARS: [char; 4] = ['|', '│', '┃', '║'];

/// The line around a position, if it is short.
pub(super) fn line_around(text: Text<'_>, at: usize) -> Option<(usize, usize)> {
    let start = text.line_start(at, LONGEST_HEADING);
    if start > 0 && text.byte(start - 1) != b'\n' {
        return None;
    }
    let rest = text.rest(at);
    let rest = &rest[..rest.len().min(LONGEST_HEADING)];
    let end = at + memchr::memchr(b'\n', rest).unwrap_or(rest.len());
    Some((start, end))
}

/// The line after the one that ends at a position.
pub(super) fn line_below(text: Text<'_>, line_end: usize) -> &str {
    let rest = text.text.get(line_end + 1..).unwrap_or_default();
    rest.lines().next().unwrap_or_default()
}

/// The end of the line that begins at a position.
pub(super) fn row_end(text: Text<'_>, at: usize) -> usize {
    let rest = &text.text.as_bytes()[at..];
    at + memchr::memchr(b'\n', rest).unwrap_or(rest.len())
}

/// How the cells of a heading line are separated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delimiter {
    Character(char),
    /// Two or more spaces.
    Spaces,
}

/// The delimiter of a heading line, in which a name begins at `place`.
pub(super) fn delimiter_of(line: &str, place: usize) -> Option<Delimiter> {
    // Signs that no heading has, so that most lines are not split into cells.
    let is_other = |byte: u8| {
        matches!(
            byte,
            b'=' | b':' | b'{' | b'}' | b'[' | b']' | b'<' | b'>' | b'&' | b'@' | b'$' | b'\\'
        )
    };
    if line.bytes().any(is_other) {
        return None;
    }
    for delimiter in ['|', '│', '┃', '║', '\t', ';', ','] {
        if !line.contains(delimiter) {
            continue;
        }
        let cells: Vec<&str> = line.split(delimiter).collect();
        let cells = trim_outer(&cells, BARS.contains(&delimiter));
        if (2..=MOST_COLUMNS).contains(&cells.len()) && cells.iter().all(|cell| is_heading(cell)) {
            return Some(Delimiter::Character(delimiter));
        }
    }
    let cells = split_spaces(line);
    let is_aligned = cells.len() >= 2
        && cells.iter().all(|(_, cell)| is_heading(cell))
        && cells.iter().any(|(at, _)| *at == place);
    is_aligned.then_some(Delimiter::Spaces)
}

/// Removes the empty cells outside the first and the last delimiter.
fn trim_outer<'c, 't>(cells: &'c [&'t str], is_framed: bool) -> &'c [&'t str] {
    let mut cells = cells;
    if is_framed {
        while cells.first().is_some_and(|cell| cell.trim().is_empty()) {
            cells = &cells[1..];
        }
        while cells.last().is_some_and(|cell| cell.trim().is_empty()) {
            cells = &cells[..cells.len() - 1];
        }
    }
    cells
}

/// Whether a cell can be a heading: a few words without values.
fn is_heading(cell: &str) -> bool {
    let cell = cell.trim().trim_matches(['"', '\'', '`', '*', '_', '#']);
    let has_letter = cell.chars().any(char::is_alphabetic);
    let is_part = |character: char| {
        character.is_alphanumeric()
            || matches!(character, '_' | '-' | ' ' | '.' | '(' | ')' | '/' | '#' | '%' | '\u{300}'..='\u{36f}' | '\u{900}'..='\u{dff}')
    };
    has_letter
        && cell.chars().count() <= 40
        && cell.chars().all(is_part)
        && cell.split(' ').count() <= 4
}

/// The cells of a line that two or more spaces separate, with their positions.
pub(super) fn split_spaces(line: &str) -> Vec<(usize, &str)> {
    let mut cells = Vec::new();
    let bytes = line.as_bytes();
    let mut at = 0;
    while at < bytes.len() && cells.len() < MOST_COLUMNS {
        while at < bytes.len() && is_space(bytes[at]) {
            at += 1;
        }
        let start = at;
        while at < bytes.len()
            && !(is_space(bytes[at])
                && (at + 1 == bytes.len() || is_space(bytes[at + 1]) || bytes[at] == b'\t'))
        {
            at += 1;
        }
        if at > start {
            cells.push((start, &line[start..at]));
        }
    }
    cells
}

/// The cells of a row, with their positions. Quoted cells can contain the delimiter.
pub(super) fn cells_of(row: &str, delimiter: char) -> Vec<(usize, &str)> {
    let mut cells = Vec::new();
    let mut start = 0;
    let mut quote = None;
    let mut doubled = false;
    for (at, character) in row.char_indices() {
        match quote {
            Some(_) if doubled => doubled = false,
            Some(open) if character == open && row[at + 1..].starts_with(open) => doubled = true,
            Some(open) if character == open => quote = None,
            Some(_) => {}
            None if matches!(character, '"') && row[start..at].trim().is_empty() => {
                quote = Some(character)
            }
            // Markdown escapes a bar that belongs to the cell.
            None if character == delimiter && !(delimiter == '|' && row[..at].ends_with('\\')) => {
                cells.push((start, &row[start..at]));
                start = at + character.len_utf8();
                if cells.len() > 2 * MOST_COLUMNS {
                    break;
                }
            }
            None => {}
        }
    }
    cells.push((start, &row[start..]));
    cells
}

/// Whether a line is the rule of a table.
pub(super) fn is_rule(row: &str) -> bool {
    row.chars().all(|character| {
        matches!(
            character,
            '|' | '-' | ':' | ' ' | '+' | '=' | '\t' | '\r' | '\u{2500}'..='\u{257f}'
        )
    })
}
