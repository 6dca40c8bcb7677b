//! Sentences where a value could stand.

use super::Scene;
use crate::pairs::context::{Sign, begins_field};
use crate::pairs::judgement::{
    begins_with_auxiliary, is_cjk_report, is_label, is_report, is_sentence, is_state, is_status,
    is_text, names_password,
};
use crate::text::Text;

/// Whether a value, which ends at a position, consists of words of a sentence: `Invalid token:
/// expired`, `Password: at least eight characters`.
pub(super) fn is_prose(text: Text<'_>, end: usize, value: &str, scene: Scene<'_>) -> bool {
    match scene.sign {
        _ if scene.is_quoted => false,
        // Beside an account, only reports are no values.
        _ if scene.is_beside && scene.sign != Sign::Arrow => {
            is_report(value)
                || is_cjk_report(value)
                || is_status(value)
                || begins_with_auxiliary(value)
                || is_label(value) && value.contains(' ')
        }
        Sign::Colon => is_prose_after_colon(text, end, value, scene),
        Sign::Equals if scene.is_spaced => {
            is_label(value) && value.starts_with(char::is_uppercase)
                || is_report(value) && is_sentence(value) && !scene.line.is_start
        }
        // The messages of a file of properties: `password.missing=No password was provided`.
        Sign::Equals => {
            scene.line.is_start
                && scene.bracket == 0
                && value.split_whitespace().count() >= 4
                && value.starts_with(char::is_uppercase)
                && is_report(value)
        }
        _ => false,
    }
}

/// Whether the text after a colon is a message, or words that go on with a sentence.
fn is_prose_after_colon(text: Text<'_>, end: usize, value: &str, scene: Scene<'_>) -> bool {
    let is_message = is_report(value)
        || is_cjk_report(value)
        || is_label(value)
        // `Lösenord: saknas`. The keys of settings begin with small letters.
        || (!scene.name.starts_with(|first: char| first.is_ascii_lowercase())
            || !scene.line.is_start)
            && (is_status(value) || begins_with_auxiliary(value))
        || scene.quote != 0 && is_token_note(value, scene.name)
        || is_plural(scene.name) && begins_words(value)
        || is_text(value) && !names_password(scene.name) && !names_phrase(scene.name);
    if scene.is_prompt && !is_message && value.split(' ').count() <= 4 {
        return false;
    }
    if is_message || is_sentence(value) && !scene.line.is_start && scene.bracket == 0 {
        return true;
    }
    let is_word = |character: char| character.is_alphabetic() || "'-!?)(’".contains(character);
    if !value.chars().all(is_word) || !scene.is_spaced {
        return false;
    }
    let continues = matches!(text.byte(end), b' ' | b',')
        && (text.byte(end + 1).is_ascii_alphabetic() || text.byte(end + 1) == b'`')
        && !begins_field(text, end);
    let is_note =
        text.byte(end) == b' ' && text.byte(end + 1) == b'(' && names_password(scene.name);
    !scene.line.is_start && (continues || is_type(value, scene.name))
        || !(scene.line.is_start
            || scene.bracket != 0
            || is_identifier(scene.name)
            || scene.delimiter != 0
            || is_note)
}

/// Whether several words without digits and signs follow the name of a token, which has no spaces.
fn is_token_note(value: &str, name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    lower.trim_end_matches('s').ends_with("token")
        && value.contains(' ')
        && value
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b' ')
}

/// Whether a name is one of a few words in the plural, which begin lists and the titles of changes.
fn is_plural(name: &str) -> bool {
    matches!(name, "secrets" | "tokens" | "cookies" | "credentials")
}

/// Whether a value has at least three words, the first of which has small letters only.
fn begins_words(value: &str) -> bool {
    let first = value.split(' ').next().unwrap_or_default();
    value.split(' ').count() >= 3 && first.bytes().all(|byte| byte.is_ascii_lowercase())
}

/// Whether a name is that of a secret of several words.
fn names_phrase(name: &str) -> bool {
    let lower = name.to_lowercase();
    [
        "phrase", "frase", "fraz", "фраз", "word", "wort", "mnemonic", "seed", "satz",
    ]
    .iter()
    .any(|stem| lower.contains(stem))
}

/// How the names of types end that can be those of a password.
#[rustfmt::skip]
const TYPE_WORDS: &[&str] = &[
    "Array", "Bytes", "Config", "Credential", "Data", "Dto", "Encoder", "Field", "Hash", "Input", "Key", "Model", "Name", "Option", "Options", "Password", "Property", "Schema", "Secret", "Str", "String", "Text", "Token", "Type", "Value", "Validator",
];

/// Whether a capital begins a value but not its name, as in `password: Hidden`.
fn is_type(value: &str, name: &str) -> bool {
    let begins_with_capital =
        |text: &str| text.starts_with(|first: char| first.is_ascii_uppercase());
    // A type of a password ends like one, and no password of several words is written as a type.
    let ends_as_type = || is_state(value) || TYPE_WORDS.iter().any(|word| value.ends_with(word));
    begins_with_capital(value)
        && !begins_with_capital(name)
        && (!names_password(name) || ends_as_type())
        && value
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'?')
        && value
            .chars()
            .skip(1)
            .any(|character| character.is_ascii_lowercase())
}

/// Whether a name is an identifier, and not a word of a sentence.
fn is_identifier(name: &str) -> bool {
    name.contains(['_', '.', '-']) || name.chars().skip(1).any(char::is_uppercase)
}
