//! The values of sentences: in quotes, in brackets, and words.

use super::ends_clause;
use super::words::{ENDINGS, SECOND};
use crate::names::{self, Certainty, Name};
use crate::pairs::context::{is_quote, read_sign, skip_spaces, slice};
use crate::pairs::judgement::{
    is_cjk_report, is_compound, is_duration, is_message, is_password, is_placeholder, is_random,
    is_report, is_secret, is_sentence, is_state, is_status, is_unmistakable, names_itself,
    names_password,
};
use crate::pairs::{Values, quoted};
use crate::text::Text;

/// Reads a value in quotes. Returns whether there was one.
pub(super) fn read_quoted(
    text: Text<'_>,
    at: usize,
    has_verb: bool,
    name: Name,
    values: &mut Values,
) -> bool {
    let at = at + quoted::prefix_length(text, at, b"ENXxbu");
    let Some(value) = quoted::read(text, at).filter(|value| value.is_closed) else {
        return false;
    };
    // `COMMENT ON COLUMN customer.pin IS '…'`.
    let before = text.before(name.start, 64).to_ascii_lowercase();
    if before.contains("comment on") {
        return false;
    }
    let written = value.written(text);
    let written_name = name.written(text);
    // Mongoose writes the value in brackets: "Path `password` (`x`) is shorter".
    let is_code = text.byte(at) == b'`'
        && (written.contains([' ', '"']) && text.byte_before(at) != b'('
            || (!has_verb || !names_password(written_name) || written.contains('('))
                && is_code_word(written));
    let after = skip_spaces(text, value.next);
    let is_label = is_code
        || is_other_thing(written, written_name, has_verb)
        || is_message(written, written_name)
        || !has_verb && is_status(written)
        || read_sign(text, after).is_some() && !has_verb;
    let is_words = name.certainty == Certainty::Likely && written.contains(' ');
    let lower = written_name.to_lowercase();
    // `la clave «4711x»`
    let is_short_code = (lower.ends_with("clave") || lower.ends_with("pin"))
        && written.chars().count() >= 4
        && !written.contains(' ')
        && written.bytes().any(|byte| byte.is_ascii_digit());
    let is_secret = is_secret(written, name.certainty)
        || is_short_code
        || names_password(written_name) && written.chars().count() >= 6 && !is_words;
    // `unknown field password "string"`, `the token "x" is a name`: words without a verb need a
    // value that looks like a password, or a name that is an identifier.
    let looks = !is_words && is_password(written)
        || has_verb
        || (names_password(written_name) || is_identifier(written_name)) && !is_report(written);
    if is_label || !looks || !is_secret {
        return false;
    }
    values.push(value.start, value.end);
    read_second(text, value.next, values);
    true
}

/// Whether a text in quotes is the name of something else, words, or the path of a package:
/// `hardcoded password assigned to: "token_url"`, `authorization is "a pattern with a point"`,
/// `credentials "example.com/go/iam"`.
fn is_other_thing(written: &str, name: &str, has_verb: bool) -> bool {
    let mut later = written.bytes().skip(1);
    let is_joined = written.contains('_') || later.any(|byte| byte.is_ascii_uppercase());
    let is_name = written
        .bytes()
        .all(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    let is_other_name =
        is_joined && is_name && names::has_stem(written) && names::judge(written).is_none();
    let is_words = !names_password(name) && written.split(' ').count() >= 4 && is_sentence(written);
    let is_import = !has_verb
        && written
            .split_once('/')
            .is_some_and(|(domain, _)| domain.contains('.') && !domain.contains(' '));
    is_other_name || is_words || is_import
}

/// Whether a text in backticks is the name of a field, a file or a call: `rsa_private_key`, `.env`,
/// `SameSite=Lax`, `md5($password)`.
fn is_code_word(written: &str) -> bool {
    written.contains(['_', '.', '=', '(', '$'])
        && written.chars().all(|character| {
            character.is_alphabetic()
                || matches!(character, '_' | '.' | '=' | '(' | ')' | '$' | '-')
        })
}

/// Reads the second value in `changed from 'a' to 'b'` and `'a' REPLACE 'b'`.
fn read_second(text: Text<'_>, at: usize, values: &mut Values) {
    let start = skip_spaces(text, at);
    if is_quote(text.byte(start))
        && let Some(value) = quoted::read(text, start).filter(|value| value.is_closed)
    {
        let written = value.written(text);
        if is_password(written) || written.contains('-') {
            values.push(value.start, value.end);
        }
        return;
    }
    for word in SECOND {
        if text.rest(start).starts_with(word.as_bytes())
            && let Some(value) = quoted::read_real(text, start + word.len())
            && value.is_closed
        {
            values.push(value.start, value.end);
        }
    }
}

/// Whether a name is an identifier such as `storePassword`, and not a word of a sentence.
fn is_identifier(name: &str) -> bool {
    let mut pairs = name.as_bytes().windows(2);
    name.contains(['_', '.'])
        || name.starts_with("X-")
        || pairs.any(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase())
}

/// Reads a value in brackets: `password (hunter2) was rejected`.
pub(super) fn read_bracketed(
    text: Text<'_>,
    at: usize,
    has_verb: bool,
    name: Name,
    values: &mut Values,
) {
    let width = text.text[at..].chars().next().map_or(1, char::len_utf8);
    let start = at + width;
    let end = text.run_near(start, |byte| {
        byte > b' ' && !matches!(byte, b')' | b']' | b'>' | b'"' | b'(' | b'<')
    });
    let mut written = slice(text, start, text.text.floor_char_boundary(end));
    if let Some(close) = written.find('）') {
        written = &written[..close];
    }
    let end = start + written.len();
    let is_closed = matches!(text.byte(end), b')' | b']' | b'>') || width > 1;
    let written_name = name.written(text);
    let is_place = written.contains('=')
        || written.contains(':') && written.ends_with(|last: char| last.is_ascii_digit());
    // `인증번호 [482913]`
    let is_code = !written_name.is_ascii()
        && (4..=8).contains(&written.len())
        && written.bytes().all(|byte| byte.is_ascii_digit());
    if is_closed
        && (is_code || is_password(written))
        && !is_place
        && !is_duration(written)
        && !written.contains('\\')
        && !is_placeholder(written)
        && (names_password(written_name) || has_verb || is_code)
        && is_secret(written, name.certainty)
    {
        values.push(start, end);
    } else if quoted::quote_length(text, start) > 0 {
        read_quoted(text, start, has_verb, name, values);
    }
}

/// Reads a word that looks like a password.
pub(super) fn read_word(text: Text<'_>, at: usize, name: Name, values: &mut Values) {
    let written = trim_word(word_near(text, at));
    let end = at + written.len();
    let is_number = !written.is_empty() && written.bytes().all(|byte| byte.is_ascii_digit());
    let continues = text.byte(end) == b' ' && text.byte(end + 1).is_ascii_alphabetic();
    let has_digit = written.bytes().any(|byte| byte.is_ascii_digit());
    let has_sign = written.contains(['!', '@', '#', '$', '%', '^', '&', '*']);
    let looks = is_password(written) && (has_digit || has_sign || written.len() >= 8)
        || has_digit && written.chars().count() >= 4;
    // `The token is 2048 bytes long` contains no value.
    let counts = is_number && (continues || written.len() < 4);
    // `the token manager jobTokenSecretManager`: an identifier of several words.
    let is_identifier = written.starts_with(|first: char| first.is_ascii_lowercase())
        && written.bytes().all(|byte| byte.is_ascii_alphabetic())
        && written.bytes().filter(u8::is_ascii_uppercase).count() >= 3;
    let is_value = looks
        && !is_identifier
        && !counts
        && !written.starts_with(['{', '[', '(', '<', '/'])
        && !is_placeholder(written)
        && !written.contains("://")
        && !written.contains("::")
        && !is_cjk_report(written)
        && !names_itself(written, name.written(text));
    let end = if is_number && names_code(name.written(text)) {
        end + second_group(&text.rest(end)[..text.rest(end).len().min(5)])
    } else if end < at + LONGEST_WORD {
        end
    } else {
        at + trim_word(&text.text[at..]).len()
    };
    let is_grouped = is_number && end > at + written.len();
    if is_grouped && written.len() >= 3 || is_value && is_secret(written, name.certainty) {
        values.push(at, end);
    }
}

/// How many bytes of a word are read to judge it. Only confirmed values are read to their end.
const LONGEST_WORD: usize = 512;

/// The text in which a word is read that begins at a position.
fn word_near(text: Text<'_>, at: usize) -> &str {
    let rest = &text.text[at..];
    &rest[..rest.ceil_char_boundary(rest.len().min(2 * LONGEST_WORD))]
}

/// Whether a name is that of a code.
fn names_code(name: &str) -> bool {
    let lower = name.to_lowercase();
    ["code", "código", "codice", "kod", "код"]
        .iter()
        .any(|word| lower.contains(word))
}

/// The length of a space or a hyphen and three more digits of a code: `884 213`.
fn second_group(rest: &[u8]) -> usize {
    match rest {
        [b' ' | b'-', a, b, c, after @ ..]
            if [a, b, c].iter().all(|digit| digit.is_ascii_digit())
                && !after.first().is_some_and(u8::is_ascii_alphanumeric) =>
        {
            4
        }
        _ => 0,
    }
}

/// The word at the start of a text, without the signs and the endings after it.
fn trim_word(rest: &str) -> &str {
    let is_end =
        |character: char| character.is_whitespace() || "\"'`。，、」）；“”«»".contains(character);
    let word = &rest[..rest.find(is_end).unwrap_or(rest.len())];
    let word = word.trim_end_matches('>');
    let word = word.split("</").next().unwrap_or_default();
    let word = word.strip_suffix("**").unwrap_or(word);
    let word = word.trim_end_matches([',', ';', ':', ')', ']', '}', '?']);
    let word = word.strip_suffix('.').unwrap_or(word);
    ENDINGS.iter().fold(word, |word, ending| {
        word.strip_suffix(ending).unwrap_or(word)
    })
}

/// Reads a word that is a key or a token.
pub(super) fn read_unmistakable(text: Text<'_>, at: usize, values: &mut Values) {
    let open = usize::from(matches!(
        text.byte(at),
        b'(' | b'[' | b'`' | b'*' | b'"' | b'\'' | b'<'
    ));
    let start = at + open;
    if !text.text.is_char_boundary(start) {
        return;
    }
    let word = trim_word(word_near(text, start)).trim_matches(['*', '`']);
    // `Database/Secret (DatabaseSecret3B817195)`: the name of an object.
    let is_object = text.byte(at) == b'(' && is_random(word);
    if is_unmistakable(word) && !is_object {
        values.push(start, start + word.len());
    }
}

/// Words between a value and the one that replaces it.
#[rustfmt::skip]
const REPLACEMENTS: &[&str] = &[
    " to ", " in ", " auf ", " zu ", " en ", " a ", " para ", " naar ", " na ", " till ", " на ", " → ", " -> ",
];

/// Reads the second value of `changed from a1 to b2`.
pub(super) fn read_next_word(text: Text<'_>, at: usize, values: &mut Values) {
    let rest = text.rest(at);
    let Some(words) = REPLACEMENTS
        .iter()
        .find(|words| rest.starts_with(words.as_bytes()))
    else {
        return;
    };
    let start = at + words.len();
    let word = trim_word(word_near(text, start));
    if is_password(word) && !is_placeholder(word) && !word.contains("://") {
        values.push(start, start + word.len());
    }
}

/// Reads words that are joined by signs: `set the password to kite_string and …`.
pub(super) fn read_joined_word(text: Text<'_>, at: usize, name: Name, values: &mut Values) {
    let word = trim_word(word_near(text, at));
    if name.certainty == Certainty::Certain
        && names_password(name.written(text))
        && is_compound(word)
        && !is_placeholder(word)
    {
        values.push(at, at + word.len());
    }
}

/// Reads a word of letters, or several joined by signs, with which a clause about a password ends:
/// `the password is swordfish.`
pub(super) fn read_last_word(text: Text<'_>, at: usize, name: Name, values: &mut Values) {
    if name.certainty != Certainty::Certain || !names_password(name.written(text)) {
        return;
    }
    let rest = word_near(text, at);
    let is_letter = |character: char| character.is_alphanumeric() && character < '\u{3000}';
    let is_part = |character: char| is_letter(character) || "-_.+&!$%@#".contains(character);
    let word = &rest[..rest
        .find(|character| !is_part(character))
        .unwrap_or(rest.len())];
    let word = word.trim_end_matches(['.', '!']);
    let is_value = word.chars().count() >= 4
        && word.starts_with(char::is_alphanumeric)
        && word.chars().any(char::is_alphabetic)
        && !is_cjk_report(word)
        && !names_itself(word, name.written(text))
        && word.split(['-', '_', '.']).all(|part| !is_state(part));
    if is_value && ends_clause(text, at + word.len()) {
        values.push(at, at + word.len());
    }
}

/// Reads a word of letters only, after the name of a password.
pub(super) fn read_plain_word(text: Text<'_>, at: usize, name: Name, values: &mut Values) {
    if name.certainty != Certainty::Certain || !names_password(name.written(text)) {
        return;
    }
    let rest = word_near(text, at);
    let is_end = |character: char| {
        character.is_whitespace() || matches!(character, '"' | '<' | '>' | '。' | '，' | ',' | ';')
    };
    let word = &rest[..rest.find(is_end).unwrap_or(rest.len())];
    let word = word.trim_end_matches(['.', '!', ')', ':', '?']);
    let is_word = word.chars().count() >= 4
        && word
            .chars()
            .all(|character| character.is_alphanumeric() || "-/_+.!$%&@#".contains(character));
    if is_word && !is_placeholder(word) && !is_cjk_report(word) && !is_state(word) {
        values.push(at, at + word.len());
    }
}
