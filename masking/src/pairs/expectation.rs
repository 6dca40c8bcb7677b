//! Values in the messages of assertions that failed: `password expected:<x> but was:<y>`, `expected [x]
//! but found [y] for password`, `expect(user.password).toBe('x')`.

use super::context::{ahead, is_quote, slice};
use super::judgement::{is_message, names_password};
use super::{Values, quoted};
use crate::names::{Certainty, Name};
use crate::text::Text;

/// How many bytes before and after a name belong to its message.
const BEFORE: usize = 200;
const AFTER: usize = 400;

/// Words before a value of a message, in lower case.
#[rustfmt::skip]
const SIDES: &[&str] = &[
    "expected", "expected string", "but was", "was", "but found", "found", "but got", "got", "actual", "received", "to be", "to equal", "to eq", "containing", "is", "but had",
];

/// Calls that compare the value before them with their argument.
#[rustfmt::skip]
const MATCHERS: &[&str] = &[
    ").isEqualTo(", ").toBe(", ").toEqual(", ").toStrictEqual(", ").isSameAs(", ").to.equal(", ").to.eql(", ").to.be(", ").to eq(", ").to eq ", ").isIn(", "()).isEqualTo(", ").should.equal(", ").Should().Be(", ".Should().Be(", ".equals(", ".contentEquals(",
];

/// Types and other words that messages give instead of a value.
#[rustfmt::skip]
const KINDS: &[&str] = &[
    "string", "number", "object", "array", "boolean", "undefined", "null", "none", "nil", "empty", "true", "false", "eof", "any", "function", "str", "int", "bytes",
];

/// Adds the values of an assertion about a name.
pub(super) fn find(text: Text<'_>, name: Name, values: &mut Values) {
    read_matcher(text, name, values);
    if name.certainty < Certainty::Certain {
        return;
    }
    let after = ahead(text, name.end, AFTER).unwrap_or_default();
    let after = after.lines().next().unwrap_or_default();
    let before = text.before(name.start, BEFORE);
    let before = before.rsplit('\n').next().unwrap_or_default();
    let is_message = |line: &str| memchr::memmem::find(line.as_bytes(), b"xpected").is_some();
    if is_message(before) || is_message(after) {
        let start = name.start - before.len();
        read_message(text, (start, name.end + after.len()), name, values);
    }
}

/// Adds the argument of a call that compares a name with it.
fn read_matcher(text: Text<'_>, name: Name, values: &mut Values) {
    let rest = text.rest(name.end);
    let matcher = MATCHERS
        .iter()
        .find(|matcher| rest.starts_with(matcher.as_bytes()));
    if let Some(matcher) = matcher
        && let Some(value) = quoted::read_real(text, name.end + matcher.len())
        && is_value(value.written(text), name.written(text))
    {
        values.push(value.start, value.end);
    }
}

/// Adds the values in brackets or quotes after the words of a message, which is the line between two
/// positions.
fn read_message(text: Text<'_>, (start, end): (usize, usize), name: Name, values: &mut Values) {
    let mut at = start;
    while at < end {
        let byte = text.byte(at);
        let opens = matches!(byte, b'<' | b'[') && text.mark_end(at).is_none() || is_quote(byte);
        if !opens || !follows_side(text, start, at, name) {
            at += 1;
            continue;
        }
        let Some((from, until)) = value_at(text, at, end) else {
            at += 1;
            continue;
        };
        let encloses_name = from <= name.start && name.end <= until;
        if !encloses_name && is_value(slice(text, from, until), name.written(text)) {
            values.push(from, until);
        }
        at = until.max(at) + 1;
    }
}

/// Whether one of the words before a value, or the name, ends directly before a position.
fn follows_side(text: Text<'_>, start: usize, at: usize, name: Name) -> bool {
    let before = slice(text, start, at).trim_end_matches([' ', ':', '=', '(']);
    let is_name = start + before.len() == name.end
        && text.byte(at) == b'<'
        && names_password(name.written(text));
    let lower =
        before[before.floor_char_boundary(before.len().saturating_sub(24))..].to_lowercase();
    is_name
        || SIDES.iter().any(|side| {
            lower
                .strip_suffix(side)
                .is_some_and(|rest| !rest.ends_with(char::is_alphanumeric))
        })
}

/// The value in the brackets or quotes that open at a position, before `end`.
fn value_at(text: Text<'_>, at: usize, end: usize) -> Option<(usize, usize)> {
    let close = match text.byte(at) {
        b'<' => '>',
        b'[' => ']',
        quote => char::from(quote),
    };
    let inside = text.text.get(at + 1..end)?;
    // JUnit marks the difference inside the value: `expected:<ab[c]> but was:<ab[d]>`.
    let length = match close {
        '>' => inside.find("> but").or_else(|| inside.find('>'))?,
        _ => inside.find(close)?,
    };
    let value = &inside[..length];
    let inner = value
        .strip_prefix('[')
        .and_then(|value| value.strip_suffix(']'));
    let open = usize::from(inner.is_some());
    Some((at + 1 + open, at + 1 + length - open))
}

/// Whether a text in brackets is a value, and not a type, a sign of a parser or a status.
fn is_value(written: &str, name: &str) -> bool {
    let is_status = written.len() < 4 && written.bytes().all(|byte| byte.is_ascii_digit());
    let is_constant = written
        .bytes()
        .all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    written
        .chars()
        .filter(|character| character.is_alphanumeric())
        .count()
        >= 2
        && !is_status
        && !is_constant
        && !written.starts_with("class ")
        && !written.starts_with("#<")
        && !KINDS.contains(&written.to_ascii_lowercase().as_str())
        && !is_message(written, name)
}
