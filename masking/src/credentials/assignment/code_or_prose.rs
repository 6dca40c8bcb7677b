//! Unquoted values that are part of code or of a sentence.

use super::characters::LONGEST_NAME;
use super::value::Scene;
use crate::text::Text;

/// Keywords after which code continues.
const KEYWORDS: &[&str] = &[
    "async", "await", "fn", "func", "function", "lambda", "new", "typeof", "yield",
];

/// Whether an unquoted value is part of code or of a sentence.
pub(super) fn reads_as_text(text: Text<'_>, end: usize, value: &str, scene: Scene) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphabetic();
    let is_path = |byte: u8| {
        is_letter(byte) || matches!(byte, b'_' | b'.' | b':' | b'?' | b'&' | b'!' | b'$')
    };
    let path_length = value.bytes().take_while(|&byte| is_path(byte)).count();
    let rest = &value[path_length..];
    let is_call = path_length > 1 && matches!(rest.as_bytes().first(), Some(b'(' | b'[' | b'<'));
    let is_call = is_call || (rest.is_empty() && text.byte(end) == b'<');
    let is_member = rest.is_empty() && value.trim_matches('.').contains(['.', ':']);
    let is_identifier = rest.is_empty() && scene.is_spaced && value.contains('_');
    let name = &text.text[scene.name.start..scene.name.end];
    let names_itself = name
        .to_ascii_lowercase()
        .ends_with(&value.to_ascii_lowercase());
    let is_keyword = scene.is_spaced && KEYWORDS.contains(&value) && text.byte(end) == b' ';
    let is_location = value.starts_with('/') && name.eq_ignore_ascii_case("pwd");
    let is_reference = value.starts_with("process.env") || value.starts_with("os.environ");
    is_call
        || is_member
        || is_identifier
        || names_itself
        || is_keyword
        || is_location
        || is_reference
        || reads_as_prose(text, end, value, scene)
}

/// Whether a value consists of words that only follow a name and a colon: `Invalid token:
/// expired`, `Password: at least eight characters`, `token: AuthToken`.
fn reads_as_prose(text: Text<'_>, end: usize, value: &str, scene: Scene) -> bool {
    let is_word = |byte: u8| {
        byte.is_ascii_alphabetic() || matches!(byte, b'\'' | b'-' | b'!' | b'?' | b')' | b'(')
    };
    if !scene.is_prose || !value.bytes().all(is_word) {
        return false;
    }
    let continues =
        matches!(text.byte(end), b' ' | b',') && text.byte(end + 1).is_ascii_alphabetic();
    let is_type = value.starts_with(|first: char| first.is_ascii_uppercase())
        && value.bytes().skip(1).any(|byte| byte.is_ascii_lowercase());
    continues || is_type || !is_field(text, scene.name.start)
}

/// Whether a name is where a field begins: at the start of a line, or after an opening
/// bracket or a comma.
fn is_field(text: Text<'_>, start: usize) -> bool {
    let before = text.run_back(start, LONGEST_NAME, |byte| {
        matches!(byte, b' ' | b'\t' | b'-' | b'*')
    });
    matches!(
        text.byte_before(before),
        0 | b'\n' | b'{' | b'[' | b'(' | b',' | b';' | b'|' | b'&' | b'?'
    )
}
