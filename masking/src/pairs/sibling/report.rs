//! Values that a report gives with the name of their field.

use super::words::{FIELDS, REPORTED};
use crate::names::Name;
use crate::pairs::context::{is_quote, slice};
use crate::pairs::judgement::{is_placeholder, names_itself};
use crate::pairs::{Values, quoted};
use crate::text::Text;

/// How far from a name a report gives the value.
const REPORT_REACH: usize = 240;

/// Looks for a value that a report gives with the name of its field: `on field 'password': rejected
/// value [x]`, `found: 'x' in option 'password'`.
pub(super) fn find_reported(text: Text<'_>, name: Name, values: &mut Values) {
    if text.byte(name.end) == b'\n' {
        return find_below(text, name, values);
    }
    let before = text.before(name.start, 32);
    let word = before.trim_end_matches(['"', '\'', '`', ' ', '-', '[', '/', ':']);
    let is_field = FIELDS.ends(word) || before.ends_with('/') && word.ends_with("Path\"");
    let is_quoted = is_quote(text.byte(name.end)) || text.byte(name.end) == b':';
    if !is_field || !is_quoted && text.byte_before(name.start) != b'-' {
        return;
    }
    let end = line_limit(text, name.end, REPORT_REACH);
    if !report_value(text, name.end, end, name, values) {
        let start = text.run_back(name.start, REPORT_REACH, |byte| byte != b'\n');
        let start = text.text.ceil_char_boundary(start);
        report_value(text, start, name.start, name, values);
    }
}

/// Adds the value that Pydantic writes in the line below a name.
fn find_below(text: Text<'_>, name: Name, values: &mut Values) {
    let end = line_limit(text, name.end + 1, 400 - 1);
    if slice(text, name.end, end).contains("input_value=") {
        report_value(text, name.end, end, name, values);
    }
}

/// The end of a line, of which at most `most` bytes are read.
fn line_limit(text: Text<'_>, at: usize, most: usize) -> usize {
    let rest = text.rest(at).iter().take(most);
    let end = at + rest.take_while(|&&byte| byte != b'\n').count();
    text.text.floor_char_boundary(end)
}

/// Adds the value after one of the words of reports between two positions. Returns whether there is
/// one.
fn report_value(
    text: Text<'_>,
    from: usize,
    until: usize,
    name: Name,
    values: &mut Values,
) -> bool {
    let between = &text.text[from..until];
    for word in REPORTED {
        let Some(place) = between.find(word) else {
            continue;
        };
        let after = from + place + word.len();
        let value = value_after(text, after).or_else(|| input_after(text, after));
        let Some((start, end)) = value else {
            continue;
        };
        let written = slice(text, start, end);
        if end <= until + REPORT_REACH
            && !is_placeholder(written)
            && !names_itself(written, name.written(text))
        {
            values.push(start, end);
            return true;
        }
    }
    false
}

/// The value without quotes in Pydantic's `input_value=4711, input_type=int`.
fn input_after(text: Text<'_>, after: usize) -> Option<(usize, usize)> {
    let start = after + 1;
    let end = text.run_within(start, REPORT_REACH, |byte| {
        !matches!(byte, b',' | b']' | b'\n')
    });
    let is_input = text.byte(after) == b'=' && text.rest(end).starts_with(b", input_type=");
    let is_plain = !matches!(text.byte(start), b'{' | b'[' | b'(' | b'<');
    (is_input && is_plain && end > start).then_some((start, end))
}

/// The value in brackets or quotes after a word and a sign or a space.
fn value_after(text: Text<'_>, after: usize) -> Option<(usize, usize)> {
    let at = text
        .run_near(after, |byte| matches!(byte, b':' | b'=' | b' '))
        .min(after + 4);
    if at == after {
        return None;
    }
    if text.byte(at) == b'[' && text.mark_end(at).is_none() {
        let end = text.run_near(at + 1, |byte| byte != b']' && byte != b'\n');
        return Some((at + 1, end));
    }
    let at = at + quoted::prefix_length(text, at, b"bu");
    quoted::read(text, at).map(|value| (value.start, value.end))
}
