//! A second value after the first one: a new value, or a default.

use super::words::ALTERNATIVES;
use crate::pairs::context::{ahead, skip_spaces, slice};
use crate::pairs::judgement::is_placeholder;
use crate::pairs::{Values, quoted};
use crate::text::Text;

/// Adds the values that follow a value which ends at a position.
pub(super) fn read_others(text: Text<'_>, at: usize, values: &mut Values) {
    read_change(text, at, values);
    read_alternatives(text, at, values);
}

/// Adds the old and the new value in the difference of words that Git prints: `[-x-]{+y+}`. Returns
/// whether there is one.
pub(super) fn read_marked_change(text: Text<'_>, at: usize, values: &mut Values) -> bool {
    let mut at = at;
    let mut found = false;
    for (open, close) in [("[-", "-]"), ("{+", "+}")] {
        if !text.rest(at).starts_with(open.as_bytes()) {
            continue;
        }
        let rest = ahead(text, at + open.len(), LONGEST_CHANGE).unwrap_or_default();
        let line = rest.lines().next().unwrap_or_default();
        let Some(length) = line.find(close) else {
            break;
        };
        values.push(at + open.len(), at + open.len() + length);
        at += open.len() + length + close.len();
        found = true;
    }
    found
}

/// The longest value in a difference of words.
const LONGEST_CHANGE: usize = 512;

/// Adds the new value in `password = "…" -> "…"`.
pub(super) fn read_change(text: Text<'_>, at: usize, values: &mut Values) {
    let arrow = skip_spaces(text, at);
    let width = match text.rest(arrow) {
        _ if text.byte_before(at) == b'/' => return,
        [b'-' | b'=', b'>', ..] => 2,
        rest if rest.starts_with("→".as_bytes()) => 3,
        _ => return,
    };
    let start = skip_spaces(text, arrow + width);
    if let Some(value) = quoted::read(text, start) {
        if !is_placeholder(value.written(text)) {
            values.push(value.start, value.end);
        }
        return;
    }
    let end = text.run_near(start, |byte| {
        byte > b' ' && !matches!(byte, b',' | b')' | b']' | b'}')
    });
    if !values.is_empty() && !is_placeholder(slice(text, start, end)) {
        values.push(start, end);
    }
}

/// Adds the other value in `password = input or "…"`, `password: a || '…'`.
fn read_alternatives(text: Text<'_>, at: usize, values: &mut Values) {
    let start = skip_spaces(text, at + usize::from(text.byte(at) == b','));
    for word in ALTERNATIVES {
        if text.rest(start).starts_with(word.as_bytes())
            && let Some(value) = quoted::read_real(text, start + word.len())
        {
            values.push(value.start, value.end);
        }
    }
}
