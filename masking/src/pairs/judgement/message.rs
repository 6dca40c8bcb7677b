//! Texts beside a name that are labels, messages or sentences, and not values.

use super::placeholder::{is_format, is_placeholder};
use super::words::{
    AUXILIARIES, FIRST_WORDS, LABELS, MESSAGE_PARTS, MESSAGE_WORDS, SENTENCE_WORDS, STATUS_ADVERBS,
    STATUS_WORDS, UNITS,
};
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
    let is_word = |character: char| {
        character.is_alphabetic()
            || matches!(
                character,
                ' ' | '-' | '\'' | '’' | ':' | '?' | '\u{900}'..='\u{dff}' | '\u{1780}'..='\u{17ff}' | '\u{200b}'..='\u{200d}'
            )
    };
    if !is_short || !value.chars().all(is_word) {
        return false;
    }
    let name = value.trim_end_matches(':');
    let is_name = names::judge_known(name) == Some(Certainty::Certain)
        && !name.to_ascii_lowercase().ends_with("pass");
    // `Sekret klienta`: a few words, one of which names a secret.
    let is_heading = || {
        name.starts_with(char::is_uppercase)
            && name.contains(' ')
            && name.split(' ').count() <= 3
            && name
                .split(' ')
                .any(|word| names::judge_known(word) == Some(Certainty::Certain))
    };
    is_name || is_heading() || is_translation_of_name(value)
}

/// Whether a text has one of the words for a password, a token or a key in languages whose words are
/// no names of fields.
fn is_translation_of_name(value: &str) -> bool {
    let lower = value.to_lowercase();
    LABELS.iter().any(|label| lower.contains(label))
}

/// A word in lower case without the signs around it.
fn bare_word(word: &str) -> String {
    word.trim_matches(|character: char| !character.is_alphanumeric())
        .to_lowercase()
}

/// Whether a word occurs in sentences.
fn is_sentence_word(word: &str) -> bool {
    SENTENCE_WORDS.contains(&bare_word(word))
}

/// Whether a report or an instruction can begin with a word.
fn is_first_word(word: &str) -> bool {
    FIRST_WORDS.contains(&bare_word(word))
}

/// Whether the first of several words is one with which a report or an instruction can begin.
pub(in crate::pairs) fn begins_with_report(value: &str) -> bool {
    value.contains(' ') && value.split_whitespace().next().is_some_and(is_first_word)
        || is_status(value)
        || begins_with_auxiliary(value)
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
    if value.split_whitespace().next().is_some_and(is_first_word)
        || is_count(value)
        || is_progress(value)
        || is_status(value)
        || is_participle(value)
        || has_sentences(value)
        // `Download · Print · Copy`: the buttons of a form.
        || value.contains(" · ")
    {
        return true;
    }
    let (mut messages, mut words) = (0, 0);
    for word in value.split_whitespace() {
        let bare = bare_word(word);
        let is_message = MESSAGE_WORDS.contains(&bare) || names_secret(word);
        messages += usize::from(is_message);
        words += usize::from(is_message || SENTENCE_WORDS.contains(&bare));
        let is_verb = is_format(word.trim_end_matches([',', '.', ';', ')', '"']));
        if is_verb || messages >= 1 && words >= 2 {
            return true;
        }
    }
    false
}

/// Whether a text has at least five words, two of which are words of sentences.
pub(in crate::pairs) fn is_text(value: &str) -> bool {
    let words = value.split_whitespace();
    words.clone().count() >= 5 && words.filter(|word| is_sentence_word(word)).count() >= 2
}

/// Whether a text without digits has several sentences: `Show / hide. Forgot it? Log in`.
fn has_sentences(value: &str) -> bool {
    let ends = |sign: &str| {
        value
            .split(sign)
            .skip(1)
            .any(|next| next.starts_with(char::is_uppercase))
    };
    value.split_whitespace().count() >= 5
        && !value.bytes().any(|byte| byte.is_ascii_digit())
        && (ends(". ") || ends("? "))
}

/// Whether a text of at most four words says only in which state a secret is: `saknas`, `ej
/// angivet`, `trop court`.
pub(in crate::pairs) fn is_status(value: &str) -> bool {
    let mut words = value.split(' ');
    words.clone().count() <= 4
        && words
            .clone()
            .any(|word| !STATUS_ADVERBS.contains(&bare_word(word)))
        && words.all(|word| {
            let word = bare_word(word);
            STATUS_WORDS.contains(&word) || STATUS_ADVERBS.contains(&word)
        })
}

/// Whether several words say what became of a secret: `har ändrats`, `wurde geändert`.
pub(in crate::pairs) fn begins_with_auxiliary(value: &str) -> bool {
    let mut words = value.split(' ');
    words
        .next()
        .is_some_and(|word| AUXILIARIES.contains(&bare_word(word)))
        && words.next().is_some()
}

/// Whether a text says what was done with a secret, and where, by whom or when: `managed by IAM`,
/// `stored in the vault`, `rotated yesterday`.
fn is_participle(value: &str) -> bool {
    let mut words = value.split(' ');
    let first = words.next().unwrap_or_default();
    let second = words.next().unwrap_or_default();
    let is_done =
        first.len() > 4 && first.ends_with("ed") || matches!(first, "set" | "kept" | "last");
    let is_word = first.bytes().all(|byte| byte.is_ascii_lowercase());
    is_done
        && is_word
        && matches!(
            second,
            "by" | "in"
                | "at"
                | "on"
                | "from"
                | "via"
                | "to"
                | "for"
                | "with"
                | "yesterday"
                | "today"
                | "ago"
                | "used"
        )
}

/// Whether a text reports progress, as Terraform does: `Refreshing state... [id=x]`, `Creation
/// complete after 2s`.
fn is_progress(value: &str) -> bool {
    let mut words = value.split_whitespace();
    let first = words.next().unwrap_or_default();
    let second = words.next().unwrap_or_default();
    let is_capital = first.starts_with(|letter: char| letter.is_ascii_uppercase());
    is_capital && (second == "complete" || second.ends_with("...")) || first == "Still"
}

/// Whether a text is a number and what it counts: `24 bytes`, `8 Zeichen`, `12 to 128 characters`.
fn is_count(value: &str) -> bool {
    let mut words = value.split_whitespace().peekable();
    let is_small = |word: &str| word.len() <= 4 && word.bytes().all(|byte| byte.is_ascii_digit());
    let is_number = words.next().is_some_and(is_small);
    let is_range = words
        .next_if(|word| matches!(*word, "to" | "bis" | "à" | "a" | "tot" | "do" | "-" | "–"))
        .is_some();
    if is_range && !words.next().is_some_and(is_small) {
        return false;
    }
    let is_unit = words.next().is_some_and(|word| {
        let word = word
            .trim_matches(|character: char| !character.is_alphabetic())
            .to_lowercase();
        UNITS.contains(&word)
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
    let name = letters(name, usize::MAX);
    let value = letters(value, name.len() + MOST_MORE);
    !value.is_empty()
        && (name.ends_with(&value)
            || value.len() < name.len() + MOST_MORE
                && value.len() >= MOST_MORE
                && value.ends_with(&name)
                && value.chars().all(char::is_alphabetic))
}

/// A value with so many letters more than its name does not repeat it.
const MOST_MORE: usize = 6;

/// The characters of a text in lower case, without separators and brackets. Only the first ones,
/// up to `most` bytes.
fn letters(text: &str, most: usize) -> String {
    let mut letters = String::with_capacity(text.len().min(most));
    for character in text.chars() {
        if letters.len() >= most {
            break;
        }
        match character {
            '-' | '_' | '.' | '/' | ' ' | '"' | '\'' | '<' | '>' | '{' | '}' | '[' | ']' | '('
            | ')' | ':' | '?' => {}
            _ if character.is_ascii() => letters.push(character.to_ascii_lowercase()),
            _ => letters.extend(character.to_lowercase()),
        }
    }
    letters
}
