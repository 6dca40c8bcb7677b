//! Placeholders instead of a value: a mark, a variable, stars, `null`.

use crate::text::MARK;

/// Words that occur instead of a value.
#[rustfmt::skip]
const WORDS: &[&str] = &[
    "<nil>", "accepted", "active", "any", "approved", "array", "bool", "boolean", "bytes",
    "changed", "completed", "configured", "created", "deleted", "denied", "disabled", "done",
    "empty", "enabled", "end", "eof", "expected", "expired", "failed", "false", "found",
    "granted", "hidden", "identifier", "inactive", "include", "int", "integer", "invalid", "it",
    "masked", "mismatch", "missing", "must", "newline", "nil", "no", "none", "not", "null", "number", "object", "ok", "omit", "optional", "passed",
    "pending", "provided", "read", "redacted", "refused", "rejected", "required", "reset",
    "revoked", "same-origin", "set", "skipped", "started", "str", "string", "succeeded",
    "success", "true", "undefined", "unexpected", "unknown", "unset", "updated", "valid",
    "verified", "write", "yes",
];

/// Whether a text is a placeholder instead of a value: a mark, a variable, stars, `null`.
pub(super) fn is_placeholder(value: &str) -> bool {
    let bare = value.trim_matches([',', '.', ';', '!', '?', '(', ')']);
    let is_masked = value.starts_with(MARK);
    let is_filler = |character: char| {
        matches!(
            character,
            '*' | '•' | '.' | '-' | '_' | 'x' | 'X' | '…' | '?' | '#'
        )
    };
    let is_variable = ["${", "{{", "$(", "%(", "#{"]
        .iter()
        .any(|start| value.starts_with(start))
        || value.strip_prefix('$').is_some_and(is_variable_name)
        || (value.starts_with('<') && value.ends_with('>'))
        || is_bracketed(value)
        || (value.starts_with('%') && value.len() == 2);
    let has_character = value.chars().any(char::is_alphanumeric) || value.chars().count() >= 4;
    let is_word = WORDS
        .binary_search(&bare.to_ascii_lowercase().as_str())
        .is_ok();
    is_masked || value.chars().all(is_filler) || is_variable || !has_character || is_word
}

/// Whether a text is a word in brackets: `{token}`, `[hidden]`.
fn is_bracketed(value: &str) -> bool {
    let inner = value
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let braced = || {
        value
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'))
    };
    let is_part =
        |byte: u8| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'-' | b'.' | b' ');
    inner
        .or_else(braced)
        .is_some_and(|inner| inner.bytes().all(is_part))
}

fn is_variable_name(name: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_uppercase() || matches!(byte, b'_' | b'0'..=b'9');
    !name.is_empty() && name.bytes().all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_sorted() {
        assert!(WORDS.is_sorted());
    }
}
