//! Values that something without quotes encloses, or whose length is written before them.

use crate::pairs::context::is_quote;
use crate::text::Text;

/// The longest value in the braces of a connection string.
const LONGEST_BRACED: usize = 512;

/// Types whose text stands in brackets without quotes, and what closes them.
const WRAPPERS: &[(&str, u8)] = &[
    ("Optional[", b']'),
    ("Optional(", b')'),
    ("Some(", b')'),
    ("Secret(", b')'),
    ("Just(", b')'),
    ("Buffer(", b')'),
    ("<Buffer ", b'>'),
    ("Password(", b')'),
];

/// The value inside a type without quotes: `Optional[x y]`, `Secret(x)`, `<Buffer 67 65>`.
pub(super) fn unwrapped(text: Text<'_>, at: usize) -> Option<(usize, usize)> {
    if let Some(found) = quoted_as_perl(text, at) {
        return Some(found);
    }
    let (open, close) = WRAPPERS
        .iter()
        .find(|(open, _)| text.rest(at).starts_with(open.as_bytes()))?;
    let start = at + open.len();
    if is_quote(text.byte(start)) {
        return None;
    }
    let end = text
        .run_near(start, |byte| byte != *close && byte != b'\n')
        .min(start + 1_024);
    (text.byte(end) == *close && end > start).then_some((start, text.text.floor_char_boundary(end)))
}

/// The value of Perl's `q(…)`, `qq{…}` and `q|…|`. Brackets in the value are in pairs.
fn quoted_as_perl(text: Text<'_>, at: usize) -> Option<(usize, usize)> {
    let letters = text.run_within(at, 2, |byte| byte == b'q');
    let open = text.byte(letters);
    let close = match open {
        b'(' => b')',
        b'{' => b'}',
        b'[' => b']',
        b'|' | b'!' | b'~' => open,
        _ => return None,
    };
    let start = letters + 1;
    let rest = text.rest(start).iter().take(LONGEST_BRACED).enumerate();
    let mut depth = 0;
    for (place, &byte) in rest {
        if byte == b'\n' {
            return None;
        } else if byte == close && depth == 0 {
            let end = start + place;
            return (letters > at && place > 0).then_some((start, end));
        } else if byte == close {
            depth -= 1;
        } else if byte == open {
            depth += 1;
        }
    }
    None
}

/// The value of PHP's `s:7:"…"`, whose length is written before it.
pub(super) fn serialized(text: Text<'_>, at: usize) -> Option<(usize, usize)> {
    let digits_end = text.run_near(at + 2, |byte| byte.is_ascii_digit());
    if text.byte(at + 1) != b':' || !text.rest(digits_end).starts_with(b":\"") {
        return None;
    }
    let length: usize = text.text.get(at + 2..digits_end)?.parse().ok()?;
    let start = digits_end + 2;
    let end = start.checked_add(length)?;
    if text.byte(end) == b'"' && text.text.is_char_boundary(end) {
        return Some((start, end));
    }
    // The length is wrong, because the value was changed or encoded.
    let rest = text.rest(start);
    let length = memchr::memmem::find(&rest[..rest.len().min(4_096)], b"\";")?;
    Some((start, start + length))
}

/// The end of a value in the braces of a connection string: `PWD={a;b}}c};`. A closing brace in the
/// value is doubled.
pub(super) fn braced(text: Text<'_>, at: usize) -> Option<usize> {
    let end = closing_brace(text, at + 1)?;
    let inside = text.text.get(at + 1..end)?;
    let is_variable = inside.len() <= 2 && inside.bytes().all(|byte| byte.is_ascii_digit())
        || inside
            .chars()
            .all(|character| character.is_ascii_uppercase() || character == '_')
        || inside.starts_with('{');
    let is_end = matches!(text.byte(end + 1), b';' | 0 | b'\n' | b'"' | b'\'');
    (text.byte(end) == b'}' && !inside.is_empty() && !is_variable && is_end).then_some(end)
}

/// Where the brace that is not doubled is, or how far it was searched. `None` if the line or the
/// text in quotes ends before it.
fn closing_brace(text: Text<'_>, start: usize) -> Option<usize> {
    let mut length = 0;
    let mut bytes = text.rest(start).iter().take(LONGEST_BRACED).peekable();
    while let Some(&byte) = bytes.next() {
        match byte {
            b'\n' | b'"' => return None,
            b'}' if bytes.peek() == Some(&&b'}') => {
                bytes.next();
                length += 1;
            }
            b'}' => break,
            _ => {}
        }
        length += 1;
    }
    Some(start + length)
}
