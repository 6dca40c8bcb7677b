//! How much a value looks like a password or a random token.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use crate::names::Certainty;

/// Shorter values after a name such as `pass` are not passwords.
const SHORTEST_PASSWORD: usize = 6;

/// Shorter values after a name such as `key` are not random.
pub(in crate::pairs) const SHORTEST_RANDOM: usize = 16;

/// Whether a value after a name counts.
pub(in crate::pairs) fn is_secret(value: &str, certainty: Certainty) -> bool {
    match certainty {
        Certainty::Certain => true,
        Certainty::Likely => is_password(value),
        Certainty::Weak => is_random(value),
        Certainty::Long => {
            is_random(value) || is_long_hex(value) || is_uuid(value) || is_grouped_key(value)
        }
    }
}

/// Whether a value looks like a password: it is long enough and mixes kinds of characters.
pub(in crate::pairs) fn is_password(value: &str) -> bool {
    let has = |class: fn(char) -> bool| value.chars().any(class);
    let has_letter = has(char::is_alphabetic);
    let has_digit = has(|character| character.is_ascii_digit());
    let has_symbol = has(|character| {
        matches!(
            character,
            '!' | '@' | '#' | '$' | '%' | '^' | '&' | '*' | '+' | '=' | '~' | '?' | '|'
        )
    });
    let has_capital_inside =
        value.chars().skip(1).any(char::is_uppercase) && has(char::is_lowercase);
    let is_number =
        !has_letter && value.len() >= 4 && value.bytes().all(|byte| byte.is_ascii_digit());
    let length = value.chars().count();
    let is_capitals = length >= 16
        && value
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    is_number
        || is_capitals
        || length >= SHORTEST_PASSWORD
            && (has_letter && has_digit
                || has_symbol && (has_letter || has_digit)
                || has_capital_inside)
        || length >= 4 && has_letter && has_digit && has_symbol
}

/// Whether a text is a duration, as after the name of a test: `1204ms`, `0.08s`.
pub(in crate::pairs) fn is_duration(written: &str) -> bool {
    let number = written.trim_end_matches("ms").trim_end_matches([' ', 's']);
    number.len() < written.len()
        && !number.is_empty()
        && number
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
}

/// Whether a value is long and random: it mixes letters of both cases with digits.
pub(in crate::pairs) fn is_random(value: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=-_.~$!*%".contains(&byte);
    let is_word =
        |part: &str| part.len() >= 4 && part.bytes().all(|byte| byte.is_ascii_lowercase());
    if value.split(['-', '_', '.', '/']).any(is_word) || decodes_to_text(value) {
        return false;
    }
    let has = |class: fn(&u8) -> bool| value.bytes().any(|byte| class(&byte));
    let is_mixed =
        has(u8::is_ascii_digit) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase);
    let changes = count_changes(value);
    // Long values with all kinds of characters, such as WordPress' keys.
    let is_noise = value.len() >= 40
        && is_mixed
        && has(u8::is_ascii_punctuation)
        && changes >= value.len() / 2
        && !value.contains("://");
    is_noise
        || value.len() >= SHORTEST_RANDOM
            && value.bytes().all(is_part)
            && is_mixed
            && changes >= value.len() / 4
}

/// How often the kind of a byte changes in a value: digits, small letters, capitals and signs.
fn count_changes(value: &str) -> usize {
    let kind = |byte: u8| match byte {
        b'0'..=b'9' => 0,
        b'a'..=b'z' => 1,
        b'A'..=b'Z' => 2,
        _ => 3,
    };
    let pairs = value.as_bytes().windows(2);
    pairs.filter(|pair| kind(pair[0]) != kind(pair[1])).count()
}

/// Whether base64 decodes to readable text, as the keys of etcd do.
fn decodes_to_text(value: &str) -> bool {
    let decoded = STANDARD_NO_PAD.decode(value.trim_end_matches('='));
    decoded.is_ok_and(|bytes| {
        bytes
            .iter()
            .all(|byte| byte.is_ascii_graphic() || *byte == b' ')
    })
}

/// The longest user and password in base64 that are decoded.
const LONGEST_PAIR: usize = 512;

/// Whether base64 decodes to a user and a password, as in the file of Docker's credentials.
pub(in crate::pairs) fn is_encoded_pair(value: &str) -> bool {
    if !(8..=LONGEST_PAIR).contains(&value.len()) || value.contains([':', ' ', '.', '-']) {
        return false;
    }
    let decoded = STANDARD_NO_PAD.decode(value.trim_end_matches('='));
    let pair = decoded.ok().and_then(|bytes| String::from_utf8(bytes).ok());
    pair.is_some_and(|pair| {
        pair.contains(':') && !pair.starts_with(':') && !pair.chars().any(char::is_control)
    })
}

/// Whether a value is a long hex number.
fn is_long_hex(value: &str) -> bool {
    value.len() >= 32
        && value.bytes().all(|byte| byte.is_ascii_hexdigit())
        && value.bytes().any(|byte| byte.is_ascii_digit())
}

/// Whether a value is a UUID.
pub(in crate::pairs) fn is_uuid(value: &str) -> bool {
    let lengths = [8, 4, 4, 4, 12];
    let mut parts = value.split('-');
    lengths.iter().all(|&length| {
        parts.next().is_some_and(|part| {
            part.len() == length && part.bytes().all(|byte| byte.is_ascii_hexdigit())
        })
    }) && parts.next().is_none()
}

/// Whether a value is a product key or a recovery key: at least three groups of the same length of
/// capitals and digits, or four groups of digits.
pub(in crate::pairs) fn is_grouped_key(value: &str) -> bool {
    let mut groups = value.split('-');
    let first = groups.clone().next().unwrap_or_default().len();
    let count = groups.clone().count();
    let has_letter = value.bytes().any(|byte| byte.is_ascii_uppercase());
    (4..=8).contains(&first)
        && count >= if has_letter { 3 } else { 4 }
        && groups.all(|group| {
            group.len() == first
                && group
                    .bytes()
                    .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        })
}

/// Whether a value can only be a random key or token: nobody writes such a word in a sentence.
pub(in crate::pairs) fn is_unmistakable(value: &str) -> bool {
    value.len() >= 20 && is_random(value)
        || is_long_hex(value)
        || is_uuid(value)
        || is_grouped_key(value)
}
