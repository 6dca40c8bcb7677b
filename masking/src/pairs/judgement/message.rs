//! Texts beside a name that are labels, messages or sentences, and not values.

use super::placeholder::is_placeholder;
use super::words::{FIRST_WORDS, MESSAGE_PARTS, MESSAGE_WORDS, SENTENCE_WORDS, UNITS};
use crate::names::{self, Certainty};

/// Whether a text in quotes is a label or a message, and not a value: `"password": "Your password"`.
pub(in crate::pairs) fn is_message(value: &str, name: &str) -> bool {
    is_placeholder(value)
        || names_itself(value, name)
        || is_label(value)
        || is_report(value)
        || is_cjk_report(value)
}

/// Whether a text is itself the name of a secret, as in translations: `"password": "Mot de passe"`.
pub(in crate::pairs) fn is_label(value: &str) -> bool {
    let is_translation = value.contains(' ')
        || !value.is_ascii()
        || value.starts_with(|first: char| first.is_ascii_uppercase());
    let is_short =
        is_translation && value.len() <= 80 && !value.bytes().any(|byte| byte.is_ascii_digit());
    let is_words = value.chars().all(|character| {
        character.is_alphabetic()
            || matches!(
                character,
                ' ' | '-' | '\'' | '’' | ':' | '\u{900}'..='\u{dff}'
            )
    });
    let name = value.trim_end_matches(':');
    let is_name = names::judge_known(name) == Some(Certainty::Certain)
        && !name.to_ascii_lowercase().ends_with("pass");
    // `Sekret klienta`: a few words, one of which names a secret.
    let is_heading = name.starts_with(char::is_uppercase)
        && name.contains(' ')
        && name.split(' ').count() <= 3
        && name
            .split(' ')
            .any(|word| names::judge_known(word) == Some(Certainty::Certain));
    is_short && is_words && (is_name || is_heading)
}

/// A word in lower case without the signs around it.
fn bare_word(word: &str) -> String {
    word.trim_matches(|character: char| !character.is_alphanumeric())
        .to_lowercase()
}

/// Whether a word occurs in instructions and reports about secrets.
fn is_message_word(word: &str) -> bool {
    MESSAGE_WORDS.contains(&bare_word(word))
}

/// Whether a word occurs in sentences.
fn is_sentence_word(word: &str) -> bool {
    SENTENCE_WORDS.contains(&bare_word(word))
}

/// Whether a report or an instruction can begin with a word.
fn is_first_word(word: &str) -> bool {
    FIRST_WORDS.contains(&bare_word(word).as_str())
}

/// Whether several words report or instruct, and are not a passphrase: two of them are words of
/// messages or of sentences.
pub(in crate::pairs) fn is_report(value: &str) -> bool {
    if !value.contains(' ') {
        return false;
    }
    let names_secret = |word: &str| {
        word.chars().all(char::is_alphabetic) && names::judge(word) == Some(Certainty::Certain)
    };
    let is_message = |word: &&str| is_message_word(word) || names_secret(word);
    let messages = value.split_whitespace().filter(is_message).count();
    let words = value
        .split_whitespace()
        .filter(|word| is_sentence_word(word) || is_message(word))
        .count();
    let is_first = value.split_whitespace().next().is_some_and(is_first_word);
    messages >= 1 && words >= 2 || is_first || is_count(value)
}

/// Whether a text is a number and what it counts: `24 bytes`, `8 Zeichen`.
fn is_count(value: &str) -> bool {
    let mut words = value.split_whitespace();
    let is_number = words
        .next()
        .is_some_and(|word| word.len() <= 4 && word.bytes().all(|byte| byte.is_ascii_digit()));
    let is_unit = words.next().is_some_and(|word| {
        let word = word
            .trim_matches(|character: char| !character.is_alphabetic())
            .to_lowercase();
        UNITS.contains(&word.as_str())
    });
    is_number && is_unit && value.split_whitespace().count() <= 4
}

/// Whether a text in a script without spaces reports or instructs.
pub(in crate::pairs) fn is_cjk_report(value: &str) -> bool {
    !value.is_ascii() && MESSAGE_PARTS.iter().any(|part| value.contains(part))
}

/// Whether several words without digits are a sentence, and not a passphrase.
pub(in crate::pairs) fn is_sentence(value: &str) -> bool {
    let is_words = value.chars().all(|character| {
        character.is_alphabetic()
            || character.is_whitespace()
            || character.is_ascii_punctuation()
            || matches!(character, '’' | '…' | '–' | '—')
    });
    is_words && value.contains(' ') && value.split_whitespace().any(is_sentence_word)
}

/// Whether a value repeats its name: `"password": "Password"`, `password = password`.
pub(in crate::pairs) fn names_itself(value: &str, name: &str) -> bool {
    if value
        .strip_prefix('$')
        .is_some_and(|variable| variable.eq_ignore_ascii_case(name))
    {
        return true;
    }
    let (value, name) = (letters(value), letters(name));
    !value.is_empty()
        && (name.ends_with(&value)
            || value.len() < name.len() + 6
                && value.len() > 5
                && value.ends_with(&name)
                && value.chars().all(char::is_alphabetic))
}

/// The characters of a text in lower case, without separators and brackets.
fn letters(text: &str) -> String {
    text.chars()
        .filter(|&character| !"-_. \"'<>{}[]():?".contains(character))
        .flat_map(char::to_lowercase)
        .collect()
}
