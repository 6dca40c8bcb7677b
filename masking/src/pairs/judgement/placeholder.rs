//! Texts that stand where a value could stand: placeholders, variables and references.

use super::words::{INVITATIONS, PLACEHOLDERS, SQL_TYPES, STORES, VARIABLES};
use crate::names::{self, Certainty};
use crate::text::MARK;

/// Whether a text is a placeholder instead of a value: a mark, a variable, stars, `null`.
pub(in crate::pairs) fn is_placeholder(value: &str) -> bool {
    let value = value.trim();
    let bare = value.trim_matches([
        ',', '.', ';', '!', '?', '(', ')', '<', '>', '[', ']', '*', '"', '\'', '`', ':', '{', '}',
    ]);
    let has_character = value.chars().any(char::is_alphanumeric) || value.chars().count() >= 4;
    let lower = bare.to_lowercase();
    value.starts_with(MARK)
        || value.chars().all(is_filler)
        || !has_character
        || PLACEHOLDERS.contains(&lower)
        || is_variable(value)
        || is_invitation(&lower)
        || is_version(value)
        || is_colour(value)
        || is_sql_type(&lower)
        || is_constant(value)
        || is_reference(&lower)
}

/// Whether a character stands for the hidden characters of a value.
fn is_filler(character: char) -> bool {
    "*•.-_xX…?#●·=~ █■".contains(character)
}

/// Whether a value in lower case refers to a secret store.
fn is_reference(lower: &str) -> bool {
    STORES.iter().any(|start| lower.starts_with(start))
}

/// Whether a value is the name of a constant, as in `VALUE_SPECIFIED_IN_NO_LOG_PARAMETER`.
fn is_constant(value: &str) -> bool {
    let is_capital = value
        .bytes()
        .all(|byte| byte.is_ascii_uppercase() || byte == b'_' || byte.is_ascii_digit());
    let names_secret = || names::judge(value) >= Some(Certainty::Likely);
    is_capital
        && (value.matches('_').count() >= 2 && !value.bytes().any(|byte| byte.is_ascii_digit())
            || value.contains('_') && names_secret())
}

/// Whether a value is a version or a range of versions: `^2.1.0`.
fn is_version(value: &str) -> bool {
    let digits = value.trim_start_matches(['^', '~', 'v', '>', '<', '=', ' ']);
    let mut parts = digits.split('.');
    let is_number = |part: Option<&str>| {
        part.is_some_and(|part| {
            !part.is_empty() && part.len() <= 4 && part.bytes().all(|byte| byte.is_ascii_digit())
        })
    };
    is_number(parts.next())
        && is_number(parts.next())
        && parts.clone().count() <= 2
        && parts.all(|part| is_number(Some(part)) || part == "*" || part == "x")
}

/// Whether a value is a colour of a style sheet.
fn is_colour(value: &str) -> bool {
    let digits = value.strip_prefix('#').unwrap_or("");
    matches!(digits.len(), 3 | 6 | 8) && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether a value in lower case is a type with its length: `VARCHAR(255)`,
/// `character varying(128)`.
fn is_sql_type(lower: &str) -> bool {
    let Some((name, length)) = lower.split_once('(') else {
        return false;
    };
    let has_length = length.starts_with(|first: char| first.is_ascii_digit());
    has_length && SQL_TYPES.contains(&name.trim()) || matches!(name, "varchar" | "nvarchar")
}

/// Whether a text is the name of a variable or a reference, which something replaces by the value.
pub(in crate::pairs) fn is_variable(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    VARIABLES.iter().any(|start| lower.starts_with(start))
        || is_marked_variable(value)
        || is_enclosed_variable(value)
}

/// Whether a sign before a name makes it a variable: `$NAME`, `:name`, `@name`, `%s`.
fn is_marked_variable(value: &str) -> bool {
    let is_shell = value
        .strip_prefix("$$")
        .or(value.strip_prefix('$'))
        .is_some_and(is_variable_name);
    let is_bound = value.strip_prefix(':').is_some_and(|name| {
        name.len() > 1
            && name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    });
    let is_parameter = value.strip_prefix('@').is_some_and(|name| {
        let is_word = (1..=24).contains(&name.len())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphabetic() || byte == b'_');
        let is_numbered = name
            .strip_prefix('p')
            .is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
        is_word || is_numbered
    });
    let is_format = value.starts_with('%') && value.len() == 2;
    is_shell || is_bound || is_parameter || is_format
}

/// Whether signs around a name make it a variable: `<name>`, `%NAME%`, `__NAME__`, `{0}`.
fn is_enclosed_variable(value: &str) -> bool {
    let is_bracketed = [('<', '>'), ('[', ']'), ('{', '}'), ('(', ')')]
        .into_iter()
        .any(|(open, close)| inside(value, open, close).is_some_and(is_template_name));
    let is_windows = inside(value, '%', '%').is_some_and(|name| {
        is_template_name(name)
            && name.bytes().all(|byte| {
                byte.is_ascii_uppercase() || matches!(byte, b'_' | b'-') || byte.is_ascii_digit()
            })
    });
    let is_doubled = ["__", "@@"]
        .iter()
        .any(|sign| value.starts_with(sign) && value.ends_with(sign));
    let is_short = value.starts_with('{') && value.ends_with('}') && value.len() <= 4;
    is_bracketed || is_windows || is_doubled || is_short
}

/// The text inside two signs.
fn inside(value: &str, open: char, close: char) -> Option<&str> {
    value.strip_prefix(open)?.strip_suffix(close)
}

/// Whether a text inside brackets is a name: words, or capitals and digits.
fn is_template_name(name: &str) -> bool {
    let is_word = |character: char| character.is_alphabetic() || "_-. :/'\"".contains(character);
    let is_capital = |character: char| {
        character.is_ascii_uppercase() || character == '_' || character.is_ascii_digit()
    };
    name.chars().all(is_word) || name.chars().all(is_capital)
}

/// Whether a text after `$` is the name of a variable: capitals, words joined by `_`, or one
/// character.
fn is_variable_name(name: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_uppercase() || matches!(byte, b'_' | b'0'..=b'9');
    let is_word = name
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        && name.contains('_');
    !name.is_empty() && (name.bytes().all(is_part) || is_word || name.len() == 1)
}

/// Whether a text in lower case tells the reader to write a value: `your-api-key`, `REPLACE_ME`.
fn is_invitation(lower: &str) -> bool {
    INVITATIONS.iter().any(|start| lower.starts_with(start))
        || lower.ends_with("-here")
        || lower.ends_with("_here")
}
