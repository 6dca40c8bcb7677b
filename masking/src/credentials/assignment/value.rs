//! The value at a position, checked by its name and its surroundings.

use super::Value;
use super::characters::MOST_SPACES;
use super::code_or_prose::reads_as_text;
use super::extent::{Extent, PREVIEW, opening_quote};
use super::name::Name;
use super::password::{is_listed_password, is_pass, is_password};
use super::placeholder::is_placeholder;
use super::scheme::find_credential;
use crate::rules::SECRET;
use crate::text::Text;

/// The longest type name before a value, as in `Some("…")`.
const LONGEST_PREFIX: usize = 32;

/// The surroundings of a value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scene {
    pub(super) name: Name,
    /// Whether this may be a sentence: `Invalid token: expired`.
    pub(super) is_prose: bool,
    /// Whether a space precedes the value, as in code.
    pub(super) is_spaced: bool,
    /// Whether the value is the first element of a list.
    pub(super) is_listed: bool,
}

/// Finds the value that begins at a position.
pub(super) fn find_value(text: Text<'_>, at: usize, scene: Scene) -> Option<Value> {
    let is_list = text.byte(at) == b'[' && text.mark_end(at).is_none();
    if is_list && !scene.is_listed {
        let scene = Scene {
            is_listed: true,
            ..scene
        };
        let rest = text.rest(at + 1).iter().take(MOST_SPACES);
        let blanks = rest.take_while(|&&byte| byte.is_ascii_whitespace()).count();
        return find_value(text, at + 1 + blanks, scene);
    }
    let at = skip_prefix(text, at);
    let name = text.text[scene.name.start..scene.name.end].to_ascii_lowercase();
    let extent = match opening_quote(text, at) {
        Some((quote, slashes)) => Extent::Quoted { quote, slashes },
        None if name.ends_with("cookie") => Extent::Line,
        None => Extent::Bare,
    };
    let start = match extent {
        Extent::Quoted { slashes, .. } => at + slashes + 1,
        Extent::Line | Extent::Parameters | Extent::Bare => at,
    };
    let is_header = name.ends_with("authorization") || name.ends_with("auth");
    if is_header && let Some(credential) = find_credential(text, start, extent) {
        return credential.check(text);
    }
    let preview_end = extent.find_end_within(text, start, PREVIEW);
    let value = text.text.get(start..preview_end)?;
    let is_bare = matches!(extent, Extent::Bare);
    let is_text = is_bare && reads_as_text(text, preview_end, value, scene)
        || is_bare && scene.is_listed && !is_listed_password(value);
    let is_short = is_bare && (value.len() < 2 || value.starts_with(['{', '[']));
    let is_short = is_short || is_pass(&name) && !is_password(value, is_bare);
    let is_value = !value.is_empty() && !is_short && !is_text && !is_placeholder(value);
    is_value.then(|| (start, extent.find_end(text, start), SECRET))
}

/// Skips the prefix that some languages write before a quote: `b'…'`, `Some("…")`,
/// `string(8) "…"`. Returns the position itself if there is none.
fn skip_prefix(text: Text<'_>, at: usize) -> usize {
    let rest = text.rest(at);
    let length = |class: fn(&u8) -> bool| {
        let run = rest.iter().take(LONGEST_PREFIX);
        run.take_while(|&byte| class(byte)).count()
    };
    let name = length(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    let end = match &rest[..name] {
        [b'b' | b'r' | b'u' | b'f'] | [b'r', b'b'] | [b'b', b'r'] => at + name,
        b"string" => at + length(|byte| *byte != b' ' && *byte != b'\n') + 1,
        word if is_wrapper(word) && rest.get(name) == Some(&b'(') => at + name + 1,
        _ => at,
    };
    if opening_quote(text, end).is_some() {
        end
    } else {
        at
    }
}

/// Whether a type with this name only wraps a text in debug output.
fn is_wrapper(name: &[u8]) -> bool {
    name.starts_with(b"Secret") || [&b"Some"[..], b"Ok", b"Just", b"Sensitive"].contains(&name)
}
