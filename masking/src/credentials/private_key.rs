//! Private keys in PEM or PGP armour.

use crate::text::Text;

const BEGIN: &str = "-----BEGIN ";

/// The longest label, as in `-----BEGIN RSA PRIVATE KEY-----`.
const LONGEST_LABEL: usize = 60;

/// The shortest chunk after a space that belongs to the key. Shorter chunks are words of a
/// sentence after a truncated key.
const SHORTEST_CHUNK: usize = 16;

/// Finds a key that begins at a position. Returns its end.
///
/// The key is read chunk by chunk instead of searching for its end line, so that a text with
/// many `BEGIN` lines is read only once.
pub(crate) fn find(text: Text<'_>, at: usize) -> Option<usize> {
    let rest = &text.rest(at);
    if !rest.starts_with(BEGIN.as_bytes()) {
        return None;
    }
    let label = &rest[BEGIN.len()..rest.len().min(LONGEST_LABEL)];
    let length = label.windows(5).position(|window| window == b"-----")?;
    let is_private = label[..length]
        .windows(11)
        .any(|window| window == b"PRIVATE KEY");
    if !is_private {
        return None;
    }
    let mut end = at + BEGIN.len() + length + 5;
    let body = end;
    loop {
        let gap = skip_gap(text, end);
        if let Some(end) = find_end_line(text, gap) {
            return Some(end);
        }
        let next = skip_chunk(text, end, gap);
        if next == gap {
            // A `BEGIN` line without a key is not a secret.
            return (end > body).then_some(end);
        }
        end = next;
    }
}

/// Skips spaces, line ends, and line ends that are written as `\n`.
fn skip_gap(text: Text<'_>, at: usize) -> usize {
    let mut at = at;
    loop {
        let next = match text.rest(at) {
            [b' ' | b'\t' | b'\r' | b'\n' | b'>', ..] => at + 1,
            [b'\\', ..] => {
                let slashes = text.run(at, |byte| byte == b'\\');
                match text.byte(slashes) {
                    b'n' | b'r' | b't' => slashes + 1,
                    _ => return at,
                }
            }
            [b'"' | b'+' | b',' | b'\'', ..] if is_joined(text, at) => at + 1,
            _ => return at,
        };
        at = next;
    }
}

/// Whether a position is between the lines of a key that code joins with quotes and pluses.
fn is_joined(text: Text<'_>, at: usize) -> bool {
    let next = text.run(at + 1, |byte| {
        matches!(byte, b'"' | b'+' | b',' | b'\'' | b' ')
    });
    let next = text.run(next, |byte| matches!(byte, b'\n' | b'\r' | b' '));
    let quote = text.byte(next);
    let start = next + usize::from(matches!(quote, b'"' | b'\''));
    next > at + 1 && next < at + 40 && is_chunk(text, start)
}

fn is_chunk(text: Text<'_>, at: usize) -> bool {
    let most = text.rest(at).iter().take(SHORTEST_CHUNK);
    most.take_while(|&&byte| is_base64(byte)).count() == SHORTEST_CHUNK
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

fn skip_chunk(text: Text<'_>, before: usize, at: usize) -> usize {
    let end = text.run(at, is_base64);
    if text.byte(end) == b':' {
        // This is a header, such as `Proc-Type: 4,ENCRYPTED`.
        return skip_line(text, end);
    }
    if text.byte(end) == b'-' && text.byte(end + 1) != b'-' {
        let name = text.run(end, |byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if text.byte(name) == b':' {
            return skip_line(text, name);
        }
    }
    if find_end_line(text, skip_gap(text, end)).is_some() {
        return end;
    }
    let gap = &text.rest(before)[..at - before];
    let is_line = gap.is_empty() || gap.iter().any(|byte| matches!(byte, b'\n' | b'n'));
    if end - at >= SHORTEST_CHUNK {
        // The chunk may be a part of another secret, such as a JWT. No part of it may stay readable.
        text.run(end, is_inside_word)
    } else if is_line && ends_line(text, end) {
        end
    } else {
        // Another secret may begin here, which its own rule masks completely.
        at
    }
}

/// Whether a line, its string literal or the text ends at a position.
fn ends_line(text: Text<'_>, at: usize) -> bool {
    match text.rest(at) {
        [] => true,
        [byte, ..] => matches!(byte, b'\r' | b'\n' | b'\\' | b'"' | b'\'' | b'<'),
    }
}

/// Whether a byte can be part of a token, a URL or an address.
fn is_inside_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/=_-.$@:%~!*?&#".contains(&byte)
}

fn skip_line(text: Text<'_>, at: usize) -> usize {
    text.run(at, |byte| !matches!(byte, b'\n' | b'\\' | b'"'))
}

/// Finds a line `-----END … KEY-----` that begins at a position. Returns its end.
fn find_end_line(text: Text<'_>, at: usize) -> Option<usize> {
    let rest = text.rest(at);
    if !rest.starts_with(b"-----END") {
        return None;
    }
    let most = &rest[8..rest.len().min(LONGEST_LABEL)];
    let dashes = most.windows(5).position(|window| window == b"-----");
    Some(dashes.map_or(at + 8, |place| at + 8 + place + 5))
}
