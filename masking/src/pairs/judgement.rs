//! The judgement whether a text beside the name of a secret is a value, or a placeholder, a part
//! of code, or a sentence.

mod message;
mod placeholder;
mod strength;
mod words;

use words::PASSWORD_STEMS;

pub(super) use message::{
    is_cjk_report, is_label, is_message, is_report, is_sentence, names_itself,
};
pub(super) use placeholder::{is_placeholder, is_variable};
pub(super) use strength::{SHORTEST_RANDOM, is_password, is_random, is_secret};

/// Whether a name names a password in one of the languages, and not a token or a key.
pub(super) fn names_password(name: &str) -> bool {
    let lower = name.to_lowercase();
    PASSWORD_STEMS.iter().any(|stem| lower.contains(stem))
}

/// Whether a value is the name of an object: `db-credentials`, `kube-system/registry`.
pub(super) fn is_object_name(value: &str) -> bool {
    // A part of a UUID has digits before letters.
    let is_part = |part: &str| {
        let letters = part.trim_end_matches(|character: char| character.is_ascii_digit());
        !part.is_empty()
            && part.len() <= 24
            && letters.bytes().all(|byte| byte.is_ascii_lowercase())
            && part.len() - letters.len() <= 2
    };
    // Kubernetes ends generated names with five random characters.
    let (name, suffix) = value.rsplit_once('-').unwrap_or((value, ""));
    let is_suffix = suffix.len() == 5
        && suffix
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let parts = if is_suffix { name } else { value };
    value.starts_with(|first: char| first.is_ascii_lowercase())
        && value.contains(['-', '/'])
        && parts.split(['-', '/', '.']).all(is_part)
}
