//! The cell after a name in its row: `| Password | hunter2 |`, `Password    hunter2`.

use super::line::{BARS, is_rule, line_below, split_spaces};
use crate::names::{Certainty, Name};
use crate::pairs::context::{is_space, read_sign, skip_spaces};
use crate::pairs::judgement::{
    is_duration, is_go_type, is_label, is_password, is_placeholder, is_report, is_sentence,
    is_text, names_itself, names_password,
};
use crate::pairs::{Values, quoted};
use crate::text::Text;

/// How cells begin that describe the type of a value.
#[rustfmt::skip]
const TYPES: &[&str] = &[
    "string", "strings", "varchar", "nvarchar", "text", "bool", "boolean", "int", "integer", "bigint", "datetime", "timestamp", "varchar2", "none", "not", "null", "char", "secret", "yes", "no", "optional", "required", "n/a", "-", "character", "chaîne", "cadena", "texto", "zeichen", "文字", "字符", "문자", "строка", "tekst", "stringa", "текст", "uuid", "json", "enum", "array", "object", "number", "date", "○", "×", "✓", "true", "false",
];

/// Adds the cell after a name in its row, which is the line between two positions.
pub(super) fn read_row(text: Text<'_>, name: Name, line: (usize, usize), values: &mut Values) {
    let before = text.text[line.0..name.start].trim();
    let name_end = text.run_near(name.end, |byte| {
        matches!(byte, b'*' | b'`' | b'"' | b'\'' | b']')
    });
    let gap = skip_spaces(text, name_end);
    let is_first = before.chars().all(|character| !character.is_alphanumeric());
    let is_framed = before
        .trim_end_matches(['*', '`', '"', '\'', ' '])
        .ends_with(BARS);
    let bar = text.text[gap..]
        .chars()
        .next()
        .filter(|bar| BARS.contains(bar))
        .filter(|bar| gap > name_end || is_space(text.byte(gap + bar.len_utf8())));
    if let Some(bar) = bar.filter(|_| is_first || is_framed) {
        return read_framed_cell(text, name, line, (gap, bar), is_framed, values);
    }
    // Columns of spaces: name, two or more spaces or a tab, and one word to the end of the line.
    let is_wide = gap >= name_end + 2 || text.byte(name_end) == b'\t';
    if is_wide && gap < line.1 && before.is_empty() {
        read_spaced_cell(text, name, line, gap, values);
    }
}

/// Adds the cell after a bar, whose position and character are given.
fn read_framed_cell(
    text: Text<'_>,
    name: Name,
    line: (usize, usize),
    (place, bar): (usize, char),
    is_framed: bool,
    values: &mut Values,
) {
    let (line_start, line_end) = line;
    let start = skip_spaces(text, place + bar.len_utf8());
    let rest = &text.text[start..line_end.max(start)];
    let cell_end = rest.find(bar).map_or(line_end, |length| start + length);
    let cell = text.text[start..cell_end.max(start)].trim();
    // The next heading is not a value. Under the last row, the rule closes the frame.
    let below = line_below(text, line_end);
    let after = line_below(text, line_end + 1 + below.len());
    let is_heading_row = !below.trim().is_empty()
        && is_rule(below)
        && !is_last_rule(below)
        && !after.trim().is_empty();
    let is_number = cell.len() < 6 && cell.bytes().all(|byte| byte.is_ascii_digit());
    // "`Bearer <token>`"
    let has_template = cell.contains('<') && cell.trim_end_matches('`').ends_with('>');
    if is_heading_row || is_number || has_template || cell.is_empty() || is_placeholder(cell) {
        return;
    }
    // Rows of two cells: `psql`'s expanded display, tables of keys and values.
    let row = text.text[line_start..line_end.max(line_start)].trim();
    let is_framed = is_framed || row.matches(bar).count() == 1;
    // Tables of three and more columns compare things with words.
    let is_prose = row.matches(bar).count() >= 4 && has_only_words(cell);
    let has_heading =
        || has_framed_heading(text, line_start, row_bars(text, line_start, place), bar);
    // In a table of names and values, a few words are a value too.
    let can_be_words = cell.split(' ').count() <= 3
        && names_password(name.written(text))
        && (row.matches(bar).count() <= 3 || has_heading());
    let is_row = is_framed
        && !is_prose
        && !is_report(cell)
        && (can_be_words || !is_sentence(cell))
        && !is_type(cell);
    let looks = is_password(cell) && !is_text(cell) && !is_report(cell)
        || is_row && name.certainty == Certainty::Certain;
    if looks && !names_itself(cell, name.written(text)) {
        let inner = cell.trim_matches(['`', '*', '"']);
        let offset = inner.as_ptr() as usize - text.text.as_ptr() as usize;
        values.push(offset, offset + inner.len());
    }
}

/// How many bars stand before a position in its line.
fn row_bars(text: Text<'_>, line_start: usize, place: usize) -> usize {
    let before = &text.text[line_start..place];
    before.matches(BARS).count() + 1
}

/// Headings of columns with values.
#[rustfmt::skip]
const VALUE_HEADINGS: &[&str] = &[
    "value", "values", "wert", "valeur", "valor", "valore", "waarde", "wartość", "hodnota", "värde", "значение", "значення", "值", "値", "값", "default", "setting", "content",
];

/// Whether the heading above a cell in bars is one such as `Value`. The cell is the one after so many
/// bars.
fn has_framed_heading(text: Text<'_>, line_start: usize, bars: usize, bar: char) -> bool {
    let before = text.before(line_start, 1_024);
    before.rsplit('\n').skip(1).take(12).any(|line| {
        let heading = line.split(bar).nth(bars).unwrap_or_default();
        VALUE_HEADINGS.contains(&heading.trim().to_lowercase().as_str())
    })
}

/// Whether a cell has several words, and no digits and signs.
fn has_only_words(cell: &str) -> bool {
    let is_part = |character: char| character.is_alphabetic() || character == ' ';
    cell.contains(' ') && cell.chars().all(is_part)
}

/// Adds the cell that spaces separate from its name, and that ends its line.
fn read_spaced_cell(
    text: Text<'_>,
    name: Name,
    line: (usize, usize),
    start: usize,
    values: &mut Values,
) {
    // The registry of Windows gives the type before the value.
    let type_end = text.run_within(start, 16, |byte| byte.is_ascii_uppercase() || byte == b'_');
    let is_registry = text.rest(start).starts_with(b"REG_") && is_space(text.byte(type_end));
    let start = if is_registry {
        skip_spaces(text, type_end)
    } else {
        start
    };
    let cell = text.text[start..line.1.max(start)].trim_end();
    let is_word = !is_type(cell)
        && !cell.contains("  ")
        && !cell.contains('\t')
        && (!cell.contains(' ') || !is_report(cell) && cell.split(' ').count() <= 4);
    let looks = is_password(cell)
        || is_registry && name.certainty == Certainty::Certain
        || name.certainty == Certainty::Certain && has_value_heading(text, line.0, start - line.0);
    let has_sign = read_sign(text, start).is_some();
    if is_word
        && looks
        && !has_sign
        && !is_label(cell)
        && !is_placeholder(cell)
        && !is_duration(cell)
        && quoted::quote_length(text, start) == 0
    {
        values.push(start, start + cell.len());
    }
}

/// Whether a heading such as `Value` stands above a cell.
fn has_value_heading(text: Text<'_>, line_start: usize, column: usize) -> bool {
    let before = text.before(line_start, 1_024);
    before.rsplit('\n').skip(1).take(12).any(|line| {
        let cells = split_spaces(line);
        cells.len() == 2 && cells[1].0 == column && cells[1].1.eq_ignore_ascii_case("value")
    })
}

/// Whether a rule closes the frame of a table.
fn is_last_rule(rule: &str) -> bool {
    rule.trim_start().starts_with(['└', '╰', '┗', '╘'])
}

/// Whether a cell describes the type of a value.
fn is_type(cell: &str) -> bool {
    let lower = cell.to_ascii_lowercase();
    is_go_type(cell)
        || TYPES.iter().any(|word| {
            lower
                .strip_prefix(word)
                .is_some_and(|rest| !word.is_ascii() || !rest.starts_with(char::is_alphanumeric))
        })
}
