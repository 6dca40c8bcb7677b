//! The judgement whether a text beside the name of a secret is a value, or a placeholder, a part
//! of code, or a sentence.

use std::sync::LazyLock;

use crate::needles::Needles;

mod message;
mod placeholder;
mod state;
mod strength;
mod words;

use words::PASSWORD_STEMS;

pub(super) use message::{
    begins_with_auxiliary, begins_with_report, is_cjk_report, is_label, is_message, is_report,
    is_sentence, is_status, is_text, names_itself,
};
pub(super) use placeholder::{is_go_type, is_placeholder, is_variable};
pub(super) use state::{is_compound, is_state};
pub(super) use strength::{
    SHORTEST_RANDOM, is_duration, is_encoded_pair, is_password, is_random, is_secret,
    is_unmistakable,
};

/// Searches the parts of the words for a password.
static PASSWORDS: LazyLock<Needles> = LazyLock::new(|| {
    let stems = PASSWORD_STEMS.iter().map(|&stem| stem.to_owned());
    Needles::new(stems.collect(), true)
});

/// Whether a name names a password in one of the languages, and not a token or a key.
pub(super) fn names_password(name: &str) -> bool {
    if name.is_ascii() {
        return PASSWORDS.are_in(name);
    }
    PASSWORDS.are_in(&name.to_lowercase())
}

/// Whether a name is that of a licence, whose value is a secret if it is random, a UUID or a product
/// key. Ids of sessions are often written as UUIDs, and are no secrets there.
pub(super) fn names_licence(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    ["license", "licence", "lizenz", "activation", "serial"]
        .iter()
        .any(|word| lower.contains(word))
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
