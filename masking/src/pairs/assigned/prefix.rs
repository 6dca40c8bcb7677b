//! What languages write between a sign and the quote or the bracket of a value.

use super::words::{COLLECTIONS, LENGTHS, PREFIXES, READERS, STORES};
use crate::pairs::context::{is_quote, is_space, skip_spaces, slice};
use crate::text::Text;

/// The longest prefix before a quote, as in `Some("…")` and `string(8) "…"`.
const LONGEST_PREFIX: usize = 48;

/// Skips the prefix that some languages write before a quote: `b'…'`, `Some("…")`,
/// `string(8) "…"`, and YAML's tags and anchors. Returns the position itself if there is none.
pub(super) fn skip_prefix(text: Text<'_>, at: usize) -> usize {
    let at = skip_tags(text, at);
    if let Some(open) = skip_collection(text, at) {
        return open;
    }
    let rest = text.rest(at).iter().take(LONGEST_PREFIX);
    let length = rest.take_while(|&&byte| is_part(byte)).count();
    let quote = at + length;
    if length > 0 && is_quote(text.byte(quote)) && is_wrapper(slice(text, at, quote)) {
        quote
    } else {
        at
    }
}

/// Skips YAML's tags and anchors: `!!str x`, `&anchor x`. A tag that refers to a secret store is
/// skipped to the end of the text, because no value follows.
fn skip_tags(text: Text<'_>, at: usize) -> usize {
    let mut at = at;
    while matches!(text.byte(at), b'!' | b'&')
        && text.byte(at + 1) > b' '
        && !is_quote(text.byte(at + 1))
    {
        let end = text.run_near(at, |byte| byte > b' ');
        let is_mark = text.byte(at) == b'!';
        let tag = slice(text, at, end).to_ascii_lowercase();
        if is_mark && STORES.iter().any(|store| tag.contains(store)) {
            return text.text.len();
        }
        let next = text.byte(at + 1);
        let is_known = if is_mark {
            next == b'!' || next.is_ascii_lowercase()
        } else {
            next.is_ascii_alphabetic()
        };
        if !is_known || end >= at + LONGEST_PREFIX || !is_space(text.byte(end)) {
            break;
        }
        at = skip_spaces(text, end);
    }
    at
}

/// Skips the type of a collection before its bracket. Go: `[]string{"x"}`; JavaScript:
/// `Set(2) { 'x' }`.
fn skip_collection(text: Text<'_>, at: usize) -> Option<usize> {
    if text.rest(at).starts_with(b"[]") {
        let end = text.run_near(at + 2, |byte| byte.is_ascii_alphanumeric() || byte == b'.');
        if matches!(text.byte(end), b'{' | b'(') {
            return Some(end);
        }
    }
    // Rust: `Bytes([1, 2, 3])`.
    let name = text.run_within(at, LONGEST_PREFIX, |byte| {
        byte.is_ascii_alphanumeric() || byte == b':'
    });
    if text.byte(at).is_ascii_uppercase()
        && text.rest(name).starts_with(b"([")
        && text.byte(name + 2).is_ascii_digit()
    {
        return Some(name + 1);
    }
    // A struct of Go: `*config.Attribute{Old:"x", New:"y"}`.
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'*' | b'&');
    let end = text.run_within(at, LONGEST_PREFIX, is_part);
    if text.byte(end) == b'{' && matches!(text.byte(at), b'*' | b'&') && end > at + 2 {
        return Some(end);
    }
    let collection = COLLECTIONS
        .iter()
        .find(|collection| text.rest(at).starts_with(collection.as_bytes()))?;
    let size = at + collection.len();
    let end = text.run_near(size, |byte| {
        byte.is_ascii_digit() || matches!(byte, b')' | b' ')
    });
    // `Buffer(3) [Uint8Array] [ 1, 2, 3 ]`
    let inner = b"[Uint8Array] ";
    let end = if text.rest(end).starts_with(inner) {
        end + inner.len()
    } else {
        end
    };
    (text.byte(size).is_ascii_digit() && matches!(text.byte(end), b'{' | b'[')).then_some(end)
}

/// Whether a byte can belong to the prefix of a text.
fn is_part(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_()<&@$:.*!~#=[{ \n\t\r".contains(&byte)
}

/// Whether a text before a quote is the name of a type, or calls a constructor.
fn is_wrapper(prefix: &str) -> bool {
    let trimmed = prefix.trim();
    if PREFIXES.contains(&trimmed) {
        return true;
    }
    // `string(8) "x"`, `(string) (len=7) "x"`, `s:8:"x"`.
    let is_length = LENGTHS.iter().any(|start| trimmed.starts_with(start));
    let is_serialized =
        trimmed.len() > 2 && trimmed.as_bytes()[1] == b':' && trimmed.ends_with(':');
    // A call: `Some(`, `Secret.from(`, `new Secret(`, `decodeURIComponent(`.
    let is_call = trimmed.ends_with('(')
        && !trimmed.contains('\n')
        && !trimmed.contains('=')
        && !is_reading_call(trimmed);
    let is_reference = trimmed.trim_start_matches(['&', '*']).is_empty();
    is_length || is_serialized || is_call || is_reference
}

/// Whether a call reads the value from elsewhere, so that its argument is a name or a prompt.
fn is_reading_call(prefix: &str) -> bool {
    let lower = prefix.to_ascii_lowercase();
    // Translations: `t('…')`, `_('…')`.
    if matches!(lower.as_str(), "t(" | "_(" | "i18n.t(") {
        return true;
    }
    READERS.iter().any(|word| lower.contains(word))
}
