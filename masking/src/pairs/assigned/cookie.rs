//! The values of cookies.

use super::words::ATTRIBUTES;
use crate::pairs::bare::Scene;
use crate::pairs::context::{begins_field, is_quote};
use crate::pairs::judgement::is_placeholder;
use crate::text::Text;

/// Whether the first value of a cookie is empty or a placeholder: `id=; Path=/`.
pub(super) fn has_no_value(cookie: &str) -> bool {
    let first = cookie.split(';').next().unwrap_or_default();
    let value = first.split_once('=').map(|(_, value)| value);
    value.is_some_and(|value| value.is_empty() || is_placeholder(value))
        && cookie.to_ascii_lowercase().split(';').skip(1).all(|part| {
            ATTRIBUTES
                .iter()
                .any(|attribute| part.trim().starts_with(attribute))
        })
}

/// Where the value of a cookie ends: at the end of its line, at the quote or the bracket that encloses
/// it, or at the next field. At most `most` bytes are read.
pub(super) fn cookie_end(text: Text<'_>, at: usize, most: usize, scene: Scene<'_>) -> usize {
    let is_closing = |byte: u8| is_quote(byte) || byte == b'\n' || byte == b'\r';
    let limit = text.text.len().min(at.saturating_add(most));
    let mut end = at;
    while end < limit {
        let byte = text.byte(end);
        if is_closing(byte) && (!is_quote(byte) || !text.byte(end + 1).is_ascii_alphanumeric()) {
            break;
        }
        if matches!(byte, b'}' | b']' | b')') && scene.bracket != 0 {
            break;
        }
        if byte == b',' && scene.bracket != 0 && begins_field(text, end + 1) {
            break;
        }
        if byte == b'\\' && matches!(text.byte(end + 1), b'n' | b'r' | b'"') {
            break;
        }
        end += 1;
    }
    text.text.floor_char_boundary(end)
}
