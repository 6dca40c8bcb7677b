//! Values without quotes.

use code::is_code;
use prose::is_prose;

use super::context::{Line, Sign, begins_field};
use super::judgement::{is_label, is_placeholder, is_sentence, is_variable};
use crate::text::Text;

mod code;
mod end;
mod prose;
mod words;

pub(super) use end::find_end;

/// How many bytes of a value are read to judge it. Only confirmed values are read to their end.
const PREVIEW: usize = 512;

/// The surroundings of a value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scene<'t> {
    pub(super) name: &'t str,
    pub(super) sign: Sign,
    /// Whether spaces follow the sign.
    pub(super) is_spaced: bool,
    /// Whether the name is in quotes.
    pub(super) is_quoted: bool,
    pub(super) line: Line,
    /// The bracket that encloses the name, or zero.
    pub(super) bracket: u8,
    /// Whether the name is a parameter of a URL or of a form.
    pub(super) is_parameter: bool,
    /// The quote that encloses name and value, or zero.
    pub(super) quote: u8,
    /// The sign that separates the fields of a line: `;` or `,`. Zero if the name is the first one.
    pub(super) delimiter: u8,
    /// Whether spaces stand on both sides of an equals sign, as in columns of settings.
    pub(super) is_column: bool,
    /// Whether this is a prompt or an instruction such as `New password: x`.
    pub(super) is_prompt: bool,
}

impl Scene<'_> {
    /// Whether the value can have several words.
    fn is_phrase(self) -> bool {
        !self.is_parameter
            && (self.line.is_start
                || self.bracket != 0
                || self.quote != 0
                || self.delimiter == b';'
                || self.is_column
                || self.is_prompt)
    }
}

/// Reads the value that begins at a position. Returns its end, or `None` if it is not a value.
pub(super) fn read(text: Text<'_>, start: usize, scene: Scene<'_>) -> Option<usize> {
    if matches!(text.byte(start), b'}' | b']' | b')' | b',' | b';') {
        return None;
    }
    // The next field follows, because the value is empty: `{Password: Roles:[]}`.
    if scene.bracket != 0
        && scene.sign == Sign::Colon
        && scene.is_spaced
        && begins_field(text, start)
        && !scene.is_quoted
    {
        return None;
    }
    let preview = find_end(text, start, PREVIEW, scene);
    let value = text.text.get(start..preview)?;
    if value.is_empty()
        || is_placeholder(value)
        || is_code(text, preview, value, scene)
        || is_prose(text, preview, value, scene)
        || scene.line.is_start && value.starts_with(char::is_uppercase) && is_label(value)
        || begins_with_code(text, start, value, scene)
    {
        return None;
    }
    Some(if preview - start < PREVIEW - 4 {
        preview
    } else {
        find_end(text, start, usize::MAX, scene)
    })
}

/// Whether the first of several words is a variable, a part of code, or a placeholder that a
/// sentence explains.
fn begins_with_code(text: Text<'_>, start: usize, value: &str, scene: Scene<'_>) -> bool {
    let word = value.split_whitespace().next().unwrap_or_default();
    word.len() < value.len()
        && (is_variable(word)
            || is_code(text, start + word.len(), word, scene)
            || is_placeholder(word) && scene.sign == Sign::Colon && is_sentence(value))
}
