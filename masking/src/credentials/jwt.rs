//! JSON Web Tokens: signed (three parts) and encrypted (five parts).

use crate::text::Text;

/// The start of every header: `{"` in base64url.
const START: &[u8] = b"eyJ";

/// Shorter parts are not a header or a payload.
const SHORTEST_PART: usize = 8;

/// The number of parts of an encrypted token.
const MOST_PARTS: usize = 5;

/// Finds a token that begins at the start of a word. Returns its end.
pub(crate) fn find(text: Text<'_>, at: usize) -> Option<usize> {
    let before = text.byte_before(at);
    if !text.rest(at).starts_with(START) || matches!(before, b'-' | b'_' | b'.') {
        return None;
    }
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let mut end = text.run(at, is_part);
    if end - at < SHORTEST_PART {
        return None;
    }
    let mut parts = 1;
    while parts < MOST_PARTS && text.byte(end) == b'.' {
        let next = text.run(end + 1, is_part);
        let is_payload = parts == 1;
        if next == end + 1 || (is_payload && next - end <= SHORTEST_PART) {
            break;
        }
        parts += 1;
        end = next;
    }
    (parts > 1).then_some(end)
}
