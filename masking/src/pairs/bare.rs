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
const PREVIEW: usize = 256;

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
    /// Whether name and value are an option or one of several settings in a line, and not code:
    /// `--password=a.b`, `level=info secret=a.b`, `username=bob,password=a(b`.
    pub(super) is_data: bool,
    /// Whether the name names a password, and its account precedes it: `user bob, password: x`.
    pub(super) is_beside: bool,
    /// Whether they are a property of a printed object, as in `Login { User = bob, Pass = x }`.
    pub(super) is_record: bool,
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
                || self.is_prompt
                || self.is_beside && self.sign == Sign::Colon && self.is_spaced)
    }
}

/// Reads the value that begins at a position, of which at most [`PREVIEW`] bytes are read. Returns
/// its end, or `None` if it is not a value.
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
    let is_braced = scene.is_record && value.starts_with('{') && value.len() > 4;
    // `secret=(x)` is no template, whose brackets are others.
    let inner = value
        .strip_prefix('(')
        .and_then(|value| value.strip_suffix(')'));
    let is_bracketed = scene.sign == Sign::Equals
        && !scene.is_spaced
        && inner.is_some_and(|inner| {
            inner.len() > 3 && !is_placeholder(inner) && !inner.contains(['.', '(', ' '])
        });
    if value.is_empty()
        || is_placeholder(value) && !is_braced && !is_bracketed
        || is_code(text, preview, value, scene)
        || is_prose(text, preview, value, scene)
        || scene.line.is_start
            && (value.starts_with(char::is_uppercase) || !value.is_ascii())
            && is_label(value)
        || begins_with_code(text, start, value, scene)
        || is_cut(text, preview, value)
    {
        return None;
    }
    Some(preview)
}

/// The end of a value that counts, of which only the part up to `preview` was read.
pub(super) fn whole_end(text: Text<'_>, start: usize, preview: usize, scene: Scene<'_>) -> usize {
    if preview - start < PREVIEW - 4 {
        preview
    } else {
        find_end(text, start, usize::MAX, scene)
    }
}

/// Whether a value ends with a part of a placeholder: `eyJ...` is cut, `<from vault>` is enclosed.
fn is_cut(text: Text<'_>, end: usize, value: &str) -> bool {
    let is_shortened = value.len() <= LONGEST_HINT
        && (text.rest(end).starts_with(b"...") || text.rest(end).starts_with("…".as_bytes()));
    let is_enclosed = value.starts_with('<')
        && text.byte(end) == b'>'
        && text
            .text
            .get(end - value.len()..=end)
            .is_some_and(is_placeholder);
    is_shortened || is_enclosed
}

/// The longest beginning of a secret that documents show: `eyJ...`.
const LONGEST_HINT: usize = 8;

/// Whether the first of several words is a variable, a part of code, or a placeholder that a
/// sentence explains.
fn begins_with_code(text: Text<'_>, start: usize, value: &str, scene: Scene<'_>) -> bool {
    let mut words = value.split_whitespace();
    let word = words.next().unwrap_or_default();
    // Ruby: `token = nil if respond_to?(:token)`; SQL: `token = NULL WHERE id = 1`.
    let next = words.next();
    // `otp: enabled (totp)`, `secret=true means that it is masked`.
    let is_note = next.is_some_and(|next| next.starts_with('(')) && is_placeholder(word);
    // `passwordField.text ?? ""`
    let is_operand = scene.is_spaced
        && next.is_some_and(|next| matches!(next, "??" | "||" | "&&" | "?" | "??="))
        && word
            .bytes()
            .all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'.' | b'_' | b'$' | b'?'));
    let is_literal = matches!(word, "true" | "false" | "null" | "nil");
    let is_conditional = scene.is_column
        && matches!(
            next,
            Some("if" | "unless" | "WHERE" | "where" | "AND" | "and" | "OR" | "or")
        )
        && is_placeholder(word);
    word.len() < value.len()
        && (is_variable(word.trim_end_matches([',', ';']))
            || is_conditional
            || is_note
            || is_operand
            || is_literal
            || is_code(text, start + word.len(), word, scene)
            // `•••••••• (show)`
            || is_placeholder(word) && !word.contains(char::is_alphanumeric)
            || is_placeholder(word)
                && scene.sign == Sign::Colon
                && (is_sentence(value) || word.ends_with('.')))
}
