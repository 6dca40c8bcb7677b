//! The classes of characters in an assignment, and how many of them are read.

use crate::text::Text;

/// How many bytes of a name are read: more than are needed to judge it.
pub(super) const LONGEST_NAME: usize = 64;

/// The most spaces between name, sign and value, which may be aligned in columns.
pub(super) const MOST_SPACES: usize = 64;

/// The most punctuation marks after a value, and the most backslashes before a quote.
pub(super) const MOST_MARKS: usize = 8;

pub(super) fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.') || !byte.is_ascii()
}

pub(super) fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'`')
}

pub(super) fn skip_spaces(text: Text<'_>, at: usize) -> usize {
    let spaces = text.rest(at).iter().take(MOST_SPACES);
    at + spaces
        .take_while(|&&byte| matches!(byte, b' ' | b'\t'))
        .count()
}
