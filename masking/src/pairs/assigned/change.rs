//! A second value after the first one: a new value, or a default.

use super::words::ALTERNATIVES;
use crate::pairs::context::{skip_spaces, slice};
use crate::pairs::judgement::is_placeholder;
use crate::pairs::{Values, quoted};
use crate::text::Text;

/// Adds the values that follow a value which ends at a position.
pub(super) fn read_others(text: Text<'_>, at: usize, values: &mut Values) {
    read_change(text, at, values);
    read_alternatives(text, at, values);
}

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
