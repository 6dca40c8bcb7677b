//! Calls whose function names a secret: `setPassword("x")`, `.password('x')`.

use super::words::{READERS, REFERENCES};
use crate::names::{self, Name};
use crate::pairs::context::{skip_blanks, slice};
use crate::pairs::judgement::{is_message, is_password, is_placeholder, is_secret};
use crate::pairs::quoted::Quoted;
use crate::pairs::{Values, quoted};
use crate::text::Text;

/// Adds the argument of a call whose function names a secret.
pub(super) fn find_call(text: Text<'_>, name: Name, values: &mut Values) {
    let start = skip_blanks(text, name.end + 1);
    let start = start + quoted::prefix_length(text, start, b"bur@L");
    let written_name = name.written(text);
    let last = written_name.rsplit(['.', '>', ' ']).next();
    let lower = last.unwrap_or(written_name).to_ascii_lowercase();
    // `token.encode("utf-8")`: a method of an object whose name is that of a secret.
    let is_method = last.is_some_and(|last| last != written_name && !names::has_stem(last));
    if is_method
        || READERS.iter().any(|verb| lower.starts_with(verb))
        || REFERENCES.contains(&lower.as_str()) && !last_is_type(written_name)
    {
        return;
    }
    if quoted::quote_length(text, start) == 0 {
        if !lower.starts_with("set") && !lower.starts_with("with") {
            read_plain(text, start, name, values);
        }
        return;
    }
    if let Some(value) = quoted::read(text, start) {
        read_argument(text, value, name, values);
    }
}

/// Whether the last part of a name is that of a type, as in Rust's dump `Secret("x")`.
fn last_is_type(name: &str) -> bool {
    let last = name.rsplit([':', '.']).next().unwrap_or(name);
    last.starts_with(|first: char| first.is_ascii_uppercase())
}

/// Adds a value without quotes, as in dumps: `Password(hunter2)`.
fn read_plain(text: Text<'_>, start: usize, name: Name, values: &mut Values) {
    let end = text.run_near(start, |byte| {
        byte > b' ' && !matches!(byte, b')' | b'(' | b',' | b'"' | b'\'')
    });
    let written = slice(text, start, end);
    if text.byte(end) == b')'
        && is_password(written)
        && written.bytes().any(|byte| byte.is_ascii_digit())
        && !is_placeholder(written)
        && !written.contains(['.', '('])
        && is_secret(written, name.certainty)
    {
        values.push(start, end);
    }
}

/// Adds an argument in quotes, and the one after it: `setPassword("user", "x")`.
fn read_argument(text: Text<'_>, value: Quoted, name: Name, values: &mut Values) {
    let written = value.written(text);
    let is_label = written.ends_with(':') || written.ends_with(": ");
    let close = skip_blanks(text, value.next);
    let is_only = matches!(text.byte(close), b')' | b',' | b'.' | 0);
    if is_label
        || !is_only
        || is_message(written, name.written(text))
        || !is_secret(written, name.certainty)
    {
        return;
    }
    let whole = quoted::join(text, value);
    values.push(whole.start, whole.end);
    if text.byte(close) == b','
        && let Some(next) = quoted::read(text, skip_blanks(text, close + 1))
        && !is_message(next.written(text), name.written(text))
    {
        values.push(next.start, next.end);
    }
}
