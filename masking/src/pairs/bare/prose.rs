//! Sentences where a value could stand.

use super::Scene;
use crate::pairs::context::{Sign, begins_field};
use crate::pairs::judgement::{is_cjk_report, is_label, is_report, is_sentence, names_password};
use crate::text::Text;

/// Whether a value, which ends at a position, consists of words of a sentence: `Invalid token:
/// expired`, `Password: at least eight characters`.
pub(super) fn is_prose(text: Text<'_>, end: usize, value: &str, scene: Scene<'_>) -> bool {
    match scene.sign {
        _ if scene.is_quoted => false,
        Sign::Colon => is_prose_after_colon(text, end, value, scene),
        Sign::Equals if scene.is_spaced => {
            is_label(value) && value.starts_with(char::is_uppercase)
                || is_report(value) && is_sentence(value) && !scene.line.is_start
        }
        _ => false,
    }
}

/// Whether the text after a colon is a message, or words that go on with a sentence.
fn is_prose_after_colon(text: Text<'_>, end: usize, value: &str, scene: Scene<'_>) -> bool {
    let is_message = is_report(value) || is_cjk_report(value) || is_label(value);
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
        && text.byte(end + 1).is_ascii_alphabetic()
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

/// Whether a capital begins a value but not its name, as in `password: Hidden`.
fn is_type(value: &str, name: &str) -> bool {
    let begins_with_capital =
        |text: &str| text.starts_with(|first: char| first.is_ascii_uppercase());
    begins_with_capital(value)
        && !begins_with_capital(name)
        && value
            .chars()
            .skip(1)
            .any(|character| character.is_ascii_lowercase())
}

/// Whether a name is an identifier, and not a word of a sentence.
fn is_identifier(name: &str) -> bool {
    name.contains(['_', '.', '-']) || name.chars().skip(1).any(char::is_uppercase)
}
