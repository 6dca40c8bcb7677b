//! Parts of code where a value could stand.

use super::Scene;
use super::words::{CMDLETS, KEYWORDS, REFERENCES, TYPE_ENDINGS, TYPES};
use crate::pairs::context::Sign;
use crate::pairs::judgement::names_itself;
use crate::text::Text;

/// Whether a value, which ends at a position, is part of code: a call, a member, a type.
pub(super) fn is_code(text: Text<'_>, end: usize, value: &str, scene: Scene<'_>) -> bool {
    let path_length = value.bytes().take_while(|&byte| is_path(byte)).count();
    let (path, rest) = value.split_at(path_length);
    let is_setting_line = scene.line.is_start && scene.sign == Sign::Colon;
    let is_identifier = rest.is_empty()
        && scene.is_spaced
        && !is_setting_line
        && value.contains('_')
        && !value.contains('-');
    is_call(value, path, rest, scene)
        || rest.is_empty() && (text.byte(end) == b'<' || is_member(value, scene))
        || REFERENCES.iter().any(|start| value.starts_with(start))
        || is_identifier
        || scene.is_spaced && KEYWORDS.contains(&value)
        || is_directory(value, scene)
        || is_type(value)
        || names_itself(value, scene.name)
}

/// Whether a byte can belong to the path of a member: `user?.profile->password`.
fn is_path(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || b"_.:?&!$@>-".contains(&byte)
}

/// Whether a bracket follows a path, as in a call or an index. The value of a setting such as
/// `PASSWORD=x(y` can contain brackets.
fn is_call(value: &str, path: &str, rest: &str, scene: Scene<'_>) -> bool {
    let is_setting = scene.sign == Sign::Equals
        && !scene.is_spaced
        && !scene.name.bytes().any(|byte| byte.is_ascii_lowercase());
    let is_opened = ["(", "[\"", "['", "<"]
        .iter()
        .any(|open| rest.starts_with(open));
    !is_setting
        && path.len() > 1
        && value.bytes().any(|byte| byte.is_ascii_alphabetic())
        && is_opened
}

/// Whether a value is a member of an object: `form.password`.
fn is_member(value: &str, scene: Scene<'_>) -> bool {
    value.trim_matches(['.', '-', '!', '?']).contains('.')
        && (scene.is_spaced || scene.sign == Sign::Equals)
        && !scene.line.is_start
        && value
            .bytes()
            .all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'.' | b'_' | b':'))
}

/// Whether a value after `PWD` is a directory.
fn is_directory(value: &str, scene: Scene<'_>) -> bool {
    let is_path =
        value.starts_with('/') || value.starts_with("~/") || value.as_bytes().get(1) == Some(&b':');
    is_path && scene.name.to_ascii_lowercase().ends_with("pwd")
}

/// Whether a value is the name of a type: `password: Option<String>`, `VARCHAR(255)`.
fn is_type(value: &str) -> bool {
    let name = value
        .split(['(', '<', '[', '?', ';', '|', '{', '=', ',', ' ', '!'])
        .next()
        .unwrap_or_default();
    let is_named = name.starts_with(|first: char| first.is_ascii_uppercase())
        && name.bytes().all(|byte| byte.is_ascii_alphabetic())
        && TYPE_ENDINGS.iter().any(|ending| name.ends_with(ending));
    let is_cmdlet = CMDLETS.iter().any(|start| name.starts_with(start));
    is_named || is_cmdlet || TYPES.contains(&name.trim().to_ascii_lowercase().as_str())
}
