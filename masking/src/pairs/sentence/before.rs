//! Values before their names: `'hunter2' is the password`.

use super::words::BEFORE;
use crate::names::{Certainty, Name};
use crate::pairs::Values;
use crate::pairs::context::{is_quote, is_space, slice};
use crate::pairs::judgement::{is_password, is_placeholder};
use crate::text::Text;

/// The longest value before a name.
const LONGEST_VALUE: usize = 128;

/// Reads a value before its name.
pub(super) fn find_before(text: Text<'_>, name: Name, values: &mut Values) {
    if name.certainty != Certainty::Certain {
        return;
    }
    // `one-time code` is one name.
    let first = text.run_back(name.start, 16, |byte| {
        byte == b'-' || byte.is_ascii_alphanumeric()
    });
    let Some(end) = skip_words_back(text, first).or_else(|| skip_verb_back(text, name)) else {
        return;
    };
    let quote = text.byte_before(end);
    if is_quote(quote) {
        let end = end - 1;
        let start = text.run_back(end, LONGEST_VALUE, |byte| byte != quote && byte != b'\n');
        let written = slice(text, start, end);
        let is_code = quote == b'`' && !written.bytes().any(|byte| byte.is_ascii_digit());
        if text.byte_before(start) == quote
            && !is_code
            && is_password(written)
            && !is_placeholder(written)
        {
            values.push(start, end);
        }
        return;
    }
    let start = text.run_back(end, LONGEST_VALUE, |byte| byte > b' ' && !is_quote(byte));
    let written = slice(text, start, end);
    if is_code(written) && is_code_name(name.written(text)) {
        return values.push(start, end);
    }
    if written.bytes().any(|byte| byte.is_ascii_digit())
        && written.bytes().any(|byte| byte.is_ascii_alphabetic())
        && is_password(written)
        && !is_placeholder(written)
        && !written.contains(['=', '/'])
    {
        values.push(start, end);
    }
}

/// A text without the word at its end, if a capital begins it.
fn without_service(before: &str) -> &str {
    match before.rsplit_once(' ') {
        Some((rest, word)) if word.starts_with(char::is_uppercase) && word.len() <= 20 => rest,
        _ => before,
    }
}

/// Whether a word is the code of a message: `739102 is your verification code`, `G-739102`.
fn is_code(word: &str) -> bool {
    let digits = word.strip_prefix("G-").unwrap_or(word);
    (4..=8).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a name is that of a code which a message gives.
fn is_code_name(name: &str) -> bool {
    let lower = name.to_lowercase();
    ["code", "otp", "pin", "código", "codigo", "codice", "код"]
        .iter()
        .any(|word| lower.contains(word))
}

/// Verbs between a code and a name that begins with `your`.
const VERBS: &[&str] = &[
    " is",
    " ist",
    " est",
    " es",
    " é",
    " è",
    " to",
    " —",
    " – это",
    " — это",
    " это",
];

/// The end of a code before a verb and the name of a code: `482913 est votre code`.
fn skip_verb_back(text: Text<'_>, name: Name) -> Option<usize> {
    let before = text.before(name.start, 24).trim_end();
    let word = VERBS.iter().find(|word| before.ends_with(*word))?;
    let code = before[..before.len() - word.len()].trim_end();
    let last = code.rsplit([' ', '\n']).next().unwrap_or_default();
    let is_known = is_code(last) && is_code_name(name.written(text));
    is_known.then(|| code.as_ptr() as usize + code.len() - text.text.as_ptr() as usize)
}

/// The end of the text before the words that connect it with a name.
fn skip_words_back(text: Text<'_>, name_start: usize) -> Option<usize> {
    let before = text.before(name_start, 48);
    let trimmed = before.trim_end();
    if trimmed.len() == before.len() {
        return None;
    }
    // The name of a service can stand between: `is your Acme verification code`.
    let trimmed = without_service(trimmed);
    let connecting = |before: &str| {
        let lower = before.to_lowercase();
        BEFORE
            .that_end(&lower)
            .filter(|word| lower.ends_with(word))
            .max_by_key(|word| word.len())
    };
    let (trimmed, word) = match connecting(before.trim_end()) {
        Some(word) => (before.trim_end(), word),
        None => (trimmed, connecting(trimmed)?),
    };
    let end = name_start - (before.len() - trimmed.len()) - word.len();
    is_space(text.byte_before(end)).then(|| text.run_back(end, 4, is_space))
}
