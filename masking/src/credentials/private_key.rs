//! Private keys in armour.

use crate::text::Text;

const BEGIN: &str = "-----BEGIN ";

/// `-----BEGIN RSA PRIVATE KEY-----` and its longer kin.
const LONGEST_LABEL: usize = 60;

/// How long a chunk behind a space has to be to count as the key's: shorter ones
/// are words of the sentence behind a key that was cut off.
const SHORTEST_CHUNK: usize = 16;

/// Where the key ends that begins at a place.
///
/// The end is looked for piece by piece and not as a whole, so that a text full
/// of beginnings is read once and not once for each.
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
        let gap = gap_end(text, end);
        if let Some(end) = end_line(text, gap) {
            return Some(end);
        }
        let next = chunk_end(text, end, gap);
        if next == gap {
            // A beginning that no key follows is no secret.
            return (end > body).then_some(end);
        }
        end = next;
    }
}

/// Spaces, line ends, and line ends that are written as `\n`.
fn gap_end(text: Text<'_>, at: usize) -> usize {
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

/// Quotes and pluses between the lines of a key in code.
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

fn chunk_end(text: Text<'_>, before: usize, at: usize) -> usize {
    let end = text.run(at, is_base64);
    if text.byte(end) == b':' {
        // A header, such as `Proc-Type: 4,ENCRYPTED`.
        return line_end(text, end);
    }
    if text.byte(end) == b'-' && text.byte(end + 1) != b'-' {
        let name = text.run(end, |byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if text.byte(name) == b':' {
            return line_end(text, name);
        }
    }
    if end_line(text, gap_end(text, end)).is_some() {
        return end;
    }
    let gap = &text.rest(before)[..at - before];
    let is_line = gap.is_empty() || gap.iter().any(|byte| matches!(byte, b'\n' | b'n'));
    if end - at >= SHORTEST_CHUNK {
        // Of a word that is no key's chunk, such as a JWT, nothing may stay readable.
        text.run(end, is_inside_word)
    } else if is_line && ends_line(text, end) {
        end
    } else {
        // What begins here may be another secret, which its own rule hides as a whole.
        at
    }
}

/// Whether a line ends at a place, or the literal or the text that it stands in.
fn ends_line(text: Text<'_>, at: usize) -> bool {
    match text.rest(at) {
        [] => true,
        [byte, ..] => matches!(byte, b'\r' | b'\n' | b'\\' | b'"' | b'\'' | b'<'),
    }
}

/// What stands between the parts of tokens, URLs and addresses, and the parts.
fn is_inside_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/=_-.$@:%~!*?&#".contains(&byte)
}

fn line_end(text: Text<'_>, at: usize) -> usize {
    text.run(at, |byte| !matches!(byte, b'\n' | b'\\' | b'"'))
}

/// Where the line `-----END … KEY-----` ends that begins at a place.
fn end_line(text: Text<'_>, at: usize) -> Option<usize> {
    let rest = text.rest(at);
    if !rest.starts_with(b"-----END") {
        return None;
    }
    let most = &rest[8..rest.len().min(LONGEST_LABEL)];
    let dashes = most.windows(5).position(|window| window == b"-----");
    Some(dashes.map_or(at + 8, |place| at + 8 + place + 5))
}
