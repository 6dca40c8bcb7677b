//! Credentials after the name of their scheme: `Bearer …`, `Basic …`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use crate::rules::{BASIC, BEARER};
use crate::text::{MARK, Text};

/// Shorter values after `Bearer` alone are not tokens.
const SHORTEST: usize = 8;

/// Longer runs of letters are not words.
const LONGEST_WORD: usize = 24;

/// How many characters of basic credentials are decoded to check them.
const DECODED: usize = 400;

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=' | b':')
}

/// Finds the credential after a scheme that begins at the start of a word: its start, its
/// end and its rule.
pub(crate) fn find(text: Text<'_>, at: usize) -> Option<(usize, usize, &'static str)> {
    let (start, rule) = find_start(text, at)?;
    let mut end = text.run(start, is_token);
    while end > start && matches!(text.byte(end - 1), b'.' | b':') {
        end -= 1;
    }
    let credential = &text.text[start..end];
    let is_credential = match rule {
        BASIC => is_basic(credential),
        _ => is_bearer(credential),
    };
    is_credential.then_some((start, end, rule))
}

/// Finds where the credential after `Bearer ` or `Basic ` begins.
fn find_start(text: Text<'_>, at: usize) -> Option<(usize, &'static str)> {
    if !matches!(text.byte(at), b'b' | b'B') {
        return None;
    }
    let rest = text.rest(at);
    let schemes: [(&[u8], &'static str); 2] = [(b"bearer", BEARER), (b"basic", BASIC)];
    for (name, rule) in schemes {
        let begins = rest.len() > name.len() && rest[..name.len()].eq_ignore_ascii_case(name);
        if !begins {
            continue;
        }
        let start = match &rest[name.len()..] {
            [b'%', b'2', b'0', ..] => at + name.len() + 3,
            [b' ', ..] => at + name.len() + 1,
            _ => continue,
        };
        let start = text.run(start, |byte| byte == b' ').min(start + 3);
        return (!text.rest(start).starts_with(MARK.as_bytes())).then_some((start, rule));
    }
    None
}

/// Whether a text looks like a token. `Bearer of good news` has no digit and no inner capital.
fn is_bearer(credential: &str) -> bool {
    let bytes = credential.as_bytes();
    // `tokenType=Bearer keySize=2048`: the next field follows. Only padding follows an equals sign.
    if credential.trim_end_matches('=').contains('=') {
        return false;
    }
    // `Bearer YOUR_TOKEN` in documents.
    if bytes
        .iter()
        .all(|byte| byte.is_ascii_uppercase() || *byte == b'_')
    {
        return false;
    }
    let has_digit = bytes.iter().any(u8::is_ascii_digit);
    let has_inner_capital = bytes.iter().skip(1).any(u8::is_ascii_uppercase);
    bytes.len() >= SHORTEST && (has_digit || has_inner_capital || bytes.len() > LONGEST_WORD)
}

/// Whether a text decodes to a user, a colon and a password.
fn is_basic(credential: &str) -> bool {
    let credential = credential.trim_end_matches('=');
    let whole = credential.len().min(DECODED) / 4 * 4;
    let cut = if whole < DECODED {
        credential.len()
    } else {
        whole
    };
    let Ok(decoded) = STANDARD_NO_PAD.decode(&credential[..cut]) else {
        return false;
    };
    let is_text = std::str::from_utf8(&decoded).is_ok_and(|text| !text.contains(char::is_control));
    is_text && decoded.contains(&b':')
}
