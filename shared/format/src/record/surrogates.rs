//! Replaces lone surrogates in JSON texts.
//!
//! JavaScript and Python leave one half of a surrogate pair behind when they cut a text inside an
//! emoji. JSON can escape it (`"\ud83d"`), and some encoders write it as bytes that are not UTF-8.
//! Strict parsers refuse a whole response with one, so it becomes U+FFFD, as `JSON.parse` followed
//! by a UTF-8 encoder would make it.

use std::borrow::Cow;

/// The length of an escape: `\ud83d`.
const ESCAPE: usize = 6;

/// Replaces each escape of a lone surrogate with the escape of U+FFFD. All other bytes stay
/// unchanged.
pub fn replace_lone_surrogates(json: &str) -> Cow<'_, str> {
    if find_lone_surrogates(json.as_bytes()).is_empty() {
        return Cow::Borrowed(json);
    }
    let mut bytes = json.as_bytes().to_vec();
    replace_lone_surrogates_in(&mut bytes);
    Cow::Owned(String::from_utf8(bytes).expect("escapes are ASCII"))
}

/// Replaces each lone surrogate with U+FFFD, in names and texts, whether it is escaped or written
/// as bytes. A replacement has the length of the original.
pub(crate) fn replace_lone_surrogates_in(json: &mut [u8]) {
    for position in find_lone_surrogates(json) {
        let replacement = match json[position] {
            b'\\' => br"\ufffd".as_slice(),
            _ => "\u{FFFD}".as_bytes(),
        };
        json[position..][..replacement.len()].copy_from_slice(replacement);
    }
}

fn find_lone_surrogates(json: &[u8]) -> Vec<usize> {
    let mut lone = Vec::new();
    let mut rest = 0;
    while let Some(found) = json
        .get(rest..)
        .and_then(|rest| rest.iter().position(|byte| matches!(byte, b'\\' | 0xED)))
    {
        let position = rest + found;
        if json[position] == 0xED {
            if matches!(
                json.get(position + 1..),
                Some([0xA0..=0xBF, 0x80..=0xBF, ..])
            ) {
                lone.push(position);
            }
            rest = position + 1;
            continue;
        }
        rest = match escaped_unit(json, position) {
            Some(0xD800..=0xDBFF)
                if matches!(escaped_unit(json, position + ESCAPE), Some(0xDC00..=0xDFFF)) =>
            {
                position + 2 * ESCAPE
            }
            Some(0xD800..=0xDFFF) => {
                lone.push(position);
                position + ESCAPE
            }
            Some(_) => position + ESCAPE,
            // Another escape, such as a backslash.
            None => position + 2,
        };
    }
    lone
}

/// The UTF-16 code unit of the escape at a position, if there is one.
fn escaped_unit(json: &[u8], position: usize) -> Option<u16> {
    let digits = json
        .get(position..position + ESCAPE)?
        .strip_prefix(b"\\u")?;
    let digits = str::from_utf8(digits).ok()?;
    let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_hex.then(|| u16::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lone_surrogates_are_replaced() {
        for (json, expected) in [
            (r#""\ud83d""#, r#""\ufffd""#),
            (
                r#""\uD83D\uDE00 \ud83d\ude00""#,
                r#""\uD83D\uDE00 \ud83d\ude00""#,
            ),
            (r#""\ude00\ud83d""#, r#""\ufffd\ufffd""#),
            (r#""\ud83d\ud83d\ude00""#, r#""\ufffd\ud83d\ude00""#),
            (r#"{"\udc00":["\ud83d\n"]}"#, r#"{"\ufffd":["\ufffd\n"]}"#),
            // A backslash, followed by four ordinary characters.
            (r#""\\ud83d""#, r#""\\ud83d""#),
            (r#""\\\ud83d""#, r#""\\\ufffd""#),
            (r#""\u00e4 ä 😀 \"""#, r#""\u00e4 ä 😀 \"""#),
            (r#""\ud83d\u0041""#, r#""\ufffd\u0041""#),
            (r#""\ud83dx\ude00""#, r#""\ufffdx\ufffd""#),
            (r#""\ud83"#, r#""\ud83"#),
            (r#""\ud83d\"#, r#""\ufffd\"#),
            (r#""\ud83d\ude"#, r#""\ufffd\ude"#),
            ("\"\\", "\"\\"),
        ] {
            assert_eq!(replace_lone_surrogates(json), expected);
        }
    }

    #[test]
    fn lone_surrogates_written_as_bytes_are_replaced() {
        // U+D83D alone, and U+D7FF, which is not a surrogate.
        let mut bytes = b"\"\xED\xA0\xBD\xED\x9F\xBF\\ud83d\"".to_vec();
        replace_lone_surrogates_in(&mut bytes);
        assert_eq!(bytes, "\"\u{FFFD}\u{D7FF}\\ufffd\"".as_bytes());
        let mut cut = [0xED, 0xA0];
        replace_lone_surrogates_in(&mut cut);
        assert_eq!(cut, [0xED, 0xA0]);
    }
}
