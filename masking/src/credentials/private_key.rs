//! Private keys in PEM or PGP armour, and in the files of PuTTY and OpenVPN.

use std::sync::LazyLock;

use crate::text::Text;

/// How the first and the last line of a key begin, and the dashes at their ends: RFC 7468, and
/// RFC 4716 for the keys of SSH2.
const ARMOURS: [(&[u8], &[u8], &[u8]); 2] = [
    (b"-----BEGIN ", b"-----END", b"-----"),
    (b"---- BEGIN ", b"---- END", b"----"),
];

/// The longest label, as in `-----BEGIN RSA PRIVATE KEY-----`.
const LONGEST_LABEL: usize = 60;

/// The shortest chunk after a space that belongs to the key. Shorter chunks are words of a
/// sentence after a truncated key.
const SHORTEST_CHUNK: usize = 16;

static FINDER: LazyLock<memchr::memmem::Finder<'static>> =
    LazyLock::new(|| memchr::memmem::Finder::new("-----BEGIN "));

/// Whether a text can contain a key.
pub(crate) fn can_contain(text: &str) -> bool {
    FINDER.find(text.as_bytes()).is_some()
}

/// The places at which a key can begin.
pub(crate) fn places(text: &str) -> impl Iterator<Item = usize> {
    FINDER.find_iter(text.as_bytes())
}

/// Finds a key that begins at a position. Returns its end.
///
/// The key is read chunk by chunk instead of searching for its end line, so that a text with
/// many `BEGIN` lines is read only once.
pub(crate) fn find(text: Text<'_>, at: usize) -> Option<usize> {
    let rest = text.rest(at);
    let (begin, _, dashes) = ARMOURS.iter().find(|(begin, ..)| rest.starts_with(begin))?;
    let label = &rest[begin.len()..rest.len().min(LONGEST_LABEL)];
    let length = find_bytes(label, dashes)?;
    let is_private = |name: &&[u8]| find_bytes(&label[..length], name).is_some();
    if !PRIVATE.iter().any(is_private) {
        return None;
    }
    let body = at + begin.len() + length + dashes.len();
    let end = read_body(text, body, line_prefix(text, at));
    // A `BEGIN` line without a key is not a secret.
    (end > body).then_some(end)
}

/// The parts of labels that name a private key.
const PRIVATE: [&[u8]; 3] = [b"PRIVATE KEY", b"OpenVPN Static key", b"NKEY SEED"];

fn find_bytes(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

/// The line before the private part of a PuTTY key.
const PUTTY: &[u8] = b"Private-Lines: ";

/// Finds the private part of a PuTTY key, whose first line begins at a position. Returns its
/// start and end.
pub(crate) fn find_putty(text: Text<'_>, at: usize) -> Option<(usize, usize)> {
    if !text.rest(at).starts_with(PUTTY) {
        return None;
    }
    let start = text.run(at + PUTTY.len(), |byte| byte.is_ascii_digit());
    let end = read_body(text, start, line_prefix(text, at));
    (end > start).then_some((start, end))
}

/// Reads the lines of a key up to its end line, or as far as they look like a key. Returns the
/// end of what was read.
fn read_body(text: Text<'_>, body: usize, prefix: &[u8]) -> usize {
    let mut end = body;
    loop {
        let gap = skip_prefix(text, skip_gap(text, end), prefix);
        if let Some(end) = find_end_line(text, gap) {
            return end;
        }
        let next = skip_chunk(text, end, gap);
        if next == gap {
            return end;
        }
        end = next;
    }
}

/// The longest text before each line of a key, such as the time in a log.
const LONGEST_PREFIX: usize = 96;

/// What stands before a position in its line, which a log may repeat before each line.
fn line_prefix(text: Text<'_>, at: usize) -> &[u8] {
    let before = text.before(at, LONGEST_PREFIX).as_bytes();
    let line = before.iter().rposition(|&byte| byte == b'\n');
    line.map_or(before, |place| &before[place + 1..])
        .trim_ascii_start()
}

/// Skips the text before a line of a key, if it is the same as before the first line. Digits may
/// differ, because they are those of a time.
fn skip_prefix(text: Text<'_>, at: usize, prefix: &[u8]) -> usize {
    let same =
        |(&one, &other): (&u8, &u8)| one == other || one.is_ascii_digit() && other.is_ascii_digit();
    let line = text.rest(at);
    let begins_line = matches!(text.byte_before(at), b'\n' | b' ' | b'\t');
    let is_repeated = prefix.len() > 1
        && begins_line
        && line.len() >= prefix.len()
        && line.iter().zip(prefix).all(same);
    if is_repeated {
        skip_gap(text, at + prefix.len())
    } else {
        at
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
    let (_, end, dashes) = ARMOURS.iter().find(|(_, end, _)| rest.starts_with(end))?;
    let label = &rest[end.len()..rest.len().min(LONGEST_LABEL)];
    let length = find_bytes(label, dashes).map_or(0, |length| length + dashes.len());
    Some(at + end.len() + length)
}
