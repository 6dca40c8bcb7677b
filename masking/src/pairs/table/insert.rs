//! Rows of values in SQL: `INSERT INTO users (name, password) VALUES ('bob', 'x'), …`.

use crate::names::Name;
use crate::pairs::context::{ahead, is_quote, next_line, skip_blanks, slice};
use crate::pairs::judgement::is_placeholder;
use crate::pairs::{Values, binds, quoted};
use crate::text::Text;

/// The longest list of columns before or after a name.
const LONGEST_COLUMNS: usize = 1_024;

/// The most columns.
const MOST_COLUMNS: usize = 100;

/// The most rows of a statement that are read.
const MOST_ROWS: usize = 10_000;

/// How many bytes of a row outside of quotes are read.
const LONGEST_UNQUOTED: usize = 2 * 1024;

/// The longest row that is read.
const LONGEST_ROW: usize = 64 * 1024;

/// Adds the values of the column that a name names.
pub(super) fn find_columns(text: Text<'_>, name: Name, values: &mut Values) {
    let Some((open, close)) = columns_around(text, name) else {
        return;
    };
    let Some(first) = find_values(text, close + 1) else {
        return read_copied(text, open, close + 1, name, values);
    };
    let index = text.text[open..name.start].matches(',').count();
    let columns = text.text[open..close].matches(',').count() + 1;
    if columns > MOST_COLUMNS {
        return;
    }
    let mut at = skip_blanks(text, first);
    for _ in 0..MOST_ROWS {
        if text.byte(at) != b'(' {
            return;
        }
        let Some((cells, end)) = read_tuple(text, at, columns) else {
            return;
        };
        if let Some(&cell) = cells.get(index) {
            read_cell(text, cell, end, index, values);
        }
        at = skip_blanks(text, end);
        if text.byte(at) != b',' {
            return;
        }
        at = skip_blanks(text, at + 1);
    }
}

/// Adds the column that a name names in the rows of PostgreSQL's `COPY users (name, password) FROM
/// stdin;`, whose cells are separated by tabs.
fn read_copied(text: Text<'_>, open: usize, at: usize, name: Name, values: &mut Values) {
    let is_copy = ahead(text, at, 16).is_some_and(|rest| {
        rest.trim_start()
            .to_ascii_lowercase()
            .starts_with("from stdin")
    });
    if !is_copy {
        return;
    }
    let index = text.text[open..name.start].matches(',').count();
    let mut line = next_line(text, at);
    for _ in 0..MOST_ROWS {
        let end = next_line(text, line);
        let row = text.text[line..end].trim_end_matches(['\n', '\r']);
        if row.is_empty() || row == "\\." {
            return;
        }
        if let Some(cell) = row
            .split('\t')
            .nth(index)
            .filter(|cell| !is_placeholder(cell))
        {
            let start = cell.as_ptr() as usize - text.text.as_ptr() as usize;
            values.push(start, start + cell.len());
        }
        line = end;
    }
}

/// The list of columns in brackets around a name: the start of its text, and its closing bracket.
fn columns_around(text: Text<'_>, name: Name) -> Option<(usize, usize)> {
    let after = text.run_near(name.end, |byte| {
        matches!(byte, b'"' | b'`' | b']' | b' ' | b'\'')
    });
    if !matches!(text.byte(after), b',' | b')') {
        return None;
    }
    let is_column = |byte: u8| byte.is_ascii_alphanumeric() || b"_, \"`[]\n.\t\r'".contains(&byte);
    let from = text.floor.max(name.start.saturating_sub(LONGEST_COLUMNS));
    let before = text.text.as_bytes().get(from..name.start)?;
    let open = memchr::memrchr(b'(', before)? + 1;
    if !before[open..].iter().all(|&byte| is_column(byte)) {
        return None;
    }
    let open = from + open;
    let rest = text.rest(name.end).iter().take(LONGEST_COLUMNS + 1);
    let close = name.end + rest.take_while(|&&byte| is_column(byte)).count();
    let is_closed = text.byte(close) == b')' && close <= name.end + LONGEST_COLUMNS;
    is_closed.then_some((open, close))
}

/// Where the first row of values begins after a list of columns: after `VALUES`, or after `=` as in
/// `SET (login, password) = ('bob', 'x')`.
fn find_values(text: Text<'_>, at: usize) -> Option<usize> {
    let at = skip_blanks(text, at);
    let at = if text.byte(at) == b'=' {
        skip_blanks(text, at + 1)
    } else {
        at
    };
    let keyword = slice(text, at, at + 6);
    let has_equals = || text.byte_before(at) != b')' && text.before(at, 4).contains('=');
    if text.byte(at) == b'(' && has_equals() {
        Some(at)
    } else if keyword.eq_ignore_ascii_case("values") {
        Some(at + 6)
    } else if keyword
        .get(..5)
        .is_some_and(|word| word.eq_ignore_ascii_case("value"))
    {
        Some(at + 5)
    } else {
        find_values_keyword(text, at)
    }
}

/// Finds `VALUES` after `OVERRIDING SYSTEM VALUE` or `OUTPUT inserted.id`.
fn find_values_keyword(text: Text<'_>, at: usize) -> Option<usize> {
    let rest = ahead(text, at, 80)?.to_ascii_lowercase();
    let found = rest.find("values")?;
    rest[..found]
        .chars()
        .all(|character| character.is_alphanumeric() || matches!(character, ' ' | '.' | '_' | '\n'))
        .then_some(at + found + 6)
}

/// Adds a cell of a row that ends at a position: its text, the text in a call, or the value of its
/// parameter.
fn read_cell(
    text: Text<'_>,
    (start, end): (usize, usize),
    row_end: usize,
    index: usize,
    values: &mut Values,
) {
    let written = slice(text, start, end);
    if written.contains('(') && !is_quote(text.byte_before(start)) {
        push_inner_quotes(text, start, end, values);
    } else if is_parameter(written) {
        binds::find(text, row_end, index, values);
    } else if !is_placeholder(written) {
        values.push(start, end);
    }
}

/// Whether a value is a parameter, whose value is logged after the statement.
fn is_parameter(value: &str) -> bool {
    value == "?"
        || value.starts_with(['$', ':', '@']) && value.len() <= 4
        || value.starts_with("%s")
        || value.starts_with("%(")
}

/// Adds the first text in quotes in a call: `crypt('x', gen_salt('bf'))`.
fn push_inner_quotes(text: Text<'_>, start: usize, end: usize, values: &mut Values) {
    let mut inside = text.rest(start).iter().take(end - start);
    if let Some(place) = inside.position(|&byte| is_quote(byte))
        && let Some(value) = quoted::read(text, start + place)
        && value.end <= end
        && !is_placeholder(value.written(text))
    {
        values.push(value.start, value.end);
    }
}

/// Reads the values of a row in brackets, which has at most as many as there are columns. Returns
/// them without quotes, and the end of the row.
fn read_tuple(text: Text<'_>, open: usize, most: usize) -> Option<(Vec<(usize, usize)>, usize)> {
    let mut cells = Vec::new();
    let mut at = skip_blanks(text, open + 1);
    let mut start = at;
    let mut depth = 0;
    let mut quoted_cell = None;
    let limit = (open + LONGEST_ROW).min(text.text.len());
    let mut unquoted = 0;
    while at < limit && unquoted < LONGEST_UNQUOTED {
        unquoted += 1;
        match text.byte(at) {
            b'\'' | b'"' => {
                let value = quoted::read(text, at)?;
                if depth == 0 {
                    quoted_cell = Some((value.start, value.end));
                }
                at = value.next.max(at + 1);
                continue;
            }
            b'(' => depth += 1,
            b')' if depth > 0 => depth -= 1,
            byte @ (b',' | b')') if depth == 0 => {
                let bare = (start, text.text.get(start..at)?.trim_end().len() + start);
                cells.push(quoted_cell.take().unwrap_or(bare));
                if byte == b')' {
                    return Some((cells, at + 1));
                }
                if cells.len() == most {
                    return None;
                }
                at = skip_blanks(text, at + 1);
                start = at;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    None
}
