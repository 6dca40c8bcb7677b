//! The name of a value: directly before the sign, or in a surrounding pair.

use super::characters::{LONGEST_NAME, MOST_MARKS, MOST_SPACES, is_name, is_quote};
use crate::text::Text;

/// The most words of a name in prose, as in `secret access key: …`.
const MOST_WORDS: usize = 4;

/// The position of a value's name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Name {
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Finds the name directly before a sign or a verb at a position.
pub(super) fn find_name(text: Text<'_>, at: usize) -> Option<Name> {
    let mut end = text.run_back(at, MOST_SPACES, |byte| matches!(byte, b' ' | b'\t'));
    let mut is_quoted = false;
    if is_quote(text.byte_before(end)) {
        is_quoted = true;
        end = text.run_back(end - 1, MOST_MARKS, |byte| byte == b'\\');
    } else if text.byte_before(end) == b']' {
        end -= 1;
        if is_quote(text.byte_before(end)) {
            end -= 1;
        }
    } else if text.byte_before(end) == b')' || text.byte_before(end) == b'>' {
        return None;
    }
    let mut start = text.run_back(end, LONGEST_NAME, is_name);
    while !text.text.is_char_boundary(start) {
        start += 1;
    }
    // `arn:aws:secretsmanager:…:secret:prod/db` contains no name.
    let is_path =
        !is_quoted && text.byte(at) == b':' && matches!(text.byte_before(start), b':' | b'/');
    if start == end || is_path {
        return None;
    }
    let is_one_word = is_quoted || text.byte(at) == b'=';
    for _ in 1..MOST_WORDS {
        let is_word =
            text.byte_before(start) == b' ' && text.byte_before(start - 1).is_ascii_alphanumeric();
        if is_one_word || !is_word {
            break;
        }
        start = text.run_back(start - 1, LONGEST_NAME, |byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
        });
    }
    Some(Name { start, end })
}

/// Finds the name `password` in `"password": {"value": "…"}`, whose name `value` begins at
/// a position. Empty if there is none.
pub(super) fn find_outer_name(text: Text<'_>, at: usize) -> &str {
    let is_between = |byte: u8| is_quote(byte) || byte == b'\\' || byte.is_ascii_whitespace();
    let back = |at: usize| text.run_back(at, MOST_SPACES, is_between);
    let brace = back(at);
    if text.byte_before(brace) != b'{' {
        return "";
    }
    let colon = back(brace - 1);
    if text.byte_before(colon) != b':' {
        return "";
    }
    let end = back(colon - 1);
    let start = text.run_back(end, LONGEST_NAME, is_name);
    text.text.get(start..end).unwrap_or_default()
}

/// Finds the name `DB_PASSWORD` in `{"name": "DB_PASSWORD", "value": "…"}`, whose name `value`
/// begins at a position. Empty if there is none. The pairs are separated by a comma, in YAML
/// by the end of the line, and in XML attributes by a blank.
pub(super) fn find_sibling_name(text: Text<'_>, at: usize) -> &str {
    let is_between =
        |byte: u8| is_quote(byte) || matches!(byte, b' ' | b'\\' | b'\n' | b'\r' | b'\t');
    let back = |at: usize| text.run_back(at, MOST_SPACES, is_between);
    let gap = back(at);
    let end = if text.byte_before(gap) == b',' {
        back(gap - 1)
    } else {
        gap
    };
    let start = text.run_back(end, LONGEST_NAME, is_name);
    let sign = back(start);
    let key_end = back(sign.saturating_sub(1));
    let key = text.before(key_end, 4).to_ascii_lowercase();
    let between = text.text.as_bytes().get(gap..at).unwrap_or_default();
    let is_pair = match text.byte_before(sign) {
        b':' => end < gap || between.contains(&b'\n'),
        b'=' => between.iter().any(|&byte| is_quote(byte)),
        _ => false,
    };
    let is_key = key.ends_with("name") || key.ends_with("key");
    let name = text.text.get(start..end).unwrap_or_default();
    if is_pair && is_key { name } else { "" }
}
