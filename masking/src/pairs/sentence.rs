//! Names and values in sentences: `the password is hunter2`, `Passwort für bob lautet …`,
//! `password "…"`, `PASSWORD '…'` in SQL, `パスワードは「…」`.

use before::find_before;
use gap::read_gap;
use value::{read_bracketed, read_plain_word, read_quoted, read_word};
use words::{ADJECTIVES, CLOSERS, EXACT_VERBS, PREPOSITIONS, VERBS};

use super::assigned::closes_prompt;
use super::context::{ahead, is_quote, read_sign, skip_spaces};
use super::{Values, quoted};
use crate::names::{Certainty, Name};
use crate::text::Text;

mod before;
mod gap;
mod value;
mod words;

/// How many bytes before the alias of a column its statement can begin.
const LONGEST_STATEMENT: usize = 96;

/// Adds the value that a sentence gives for a name.
pub(super) fn find(text: Text<'_>, name: Name, values: &mut Values) {
    if name.certainty < Certainty::Likely
        || text.byte_before(name.start) == b':' && text.byte_before(name.start - 1) == b':'
        // `[Managing secrets](https://…)`: a link of Markdown.
        || text.rest(name.end).starts_with(b"](")
    {
        return;
    }
    let at = skip_marks(text, name.end);
    // `<b>Password</b> …` and similar are read as markup.
    let start = skip_spaces(text, at);
    let is_typographic = !text.byte(start).is_ascii();
    read_after(
        text,
        start,
        start > name.end || is_typographic,
        name,
        values,
    );
    // `reason=bad_password user=418`: the name is itself a value.
    if text.byte_before(name.start) != b'=' {
        read_gap(text, start, name, values);
    }
    find_before(text, name, values);
}

/// Whether a value can follow a name that ends at a position: a sign, a verb, a preposition or a
/// quote does.
pub(super) fn connects(text: Text<'_>, end: usize) -> bool {
    let at = skip_spaces(text, skip_marks(text, end));
    let is_separate = at > end;
    let rest = text.text.get(at..).unwrap_or_default();
    let is_preposition = || {
        PREPOSITIONS
            .that_begin(rest)
            .any(|word| rest.starts_with(word) && rest[word.len()..].starts_with(' '))
    };
    read_sign(text, at).is_some()
        || is_separate
            && (adjective_length(text, at).is_some()
                || quoted::quote_length(text, at) > 0
                || skip_verb(text, at).is_some()
                || is_preposition())
}

/// Skips marks of emphasis and the closing quote of a name.
fn skip_marks(text: Text<'_>, at: usize) -> usize {
    let mut at = at;
    for _ in 0..3 {
        if matches!(text.byte(at), b'*' | b'_' | b'`' | b')' | b']') {
            at += 1;
            continue;
        }
        if text.byte(at).is_ascii() {
            break;
        }
        match CLOSERS
            .iter()
            .find(|close| text.rest(at).starts_with(close.as_bytes()))
        {
            Some(close) => at += close.len(),
            None => break,
        }
    }
    at
}

/// Reads a value directly after a name, or after a verb.
fn read_after(text: Text<'_>, at: usize, is_separate: bool, name: Name, values: &mut Values) {
    if is_separate && closes_text(text, at, name) {
        return;
    }
    // SQL: `SECRET 'two words'`.
    let is_keyword = text.byte(at) == b'\''
        && name
            .written(text)
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    if is_separate && read_quoted(text, at, is_keyword, name, values) {
        return;
    }
    if matches!(text.byte(at), b'(' | b'[' | b'<') && is_separate
        || text.rest(at).starts_with("（".as_bytes())
    {
        return read_bracketed(text, at, false, name, values);
    }
    let Some(next) = skip_verb(text, at).filter(|_| !is_alias(text, at, name)) else {
        return read_rejected(text, at, name, values);
    };
    let next = skip_sign(text, skip_spaces(text, next));
    if read_quoted(text, next, true, name, values) {
        return;
    }
    if matches!(text.byte(next), b'[' | b'(') {
        return read_bracketed(text, next, true, name, values);
    }
    read_stated_word(text, at, next, name, values);
}

/// Reads the value after an adjective: `contraseña incorrecta: x1`, `token inválido "x"`.
fn read_rejected(text: Text<'_>, at: usize, name: Name, values: &mut Values) {
    let Some(length) = adjective_length(text, at) else {
        return;
    };
    let gap = skip_spaces(text, at + length);
    let next = skip_sign(text, gap);
    if read_quoted(text, next, true, name, values) {
        return;
    }
    if matches!(text.byte(next), b'(' | b'[') {
        read_bracketed(text, next, true, name, values);
    } else if next > gap {
        read_word(text, next, name, values);
    }
}

/// The length of the adjective at a position that says that a value was rejected.
fn adjective_length(text: Text<'_>, at: usize) -> Option<usize> {
    let rest = ahead(text, at, 40)?;
    ADJECTIVES.that_begin(rest).next()?;
    let lower = rest.to_lowercase();
    let ends = |word: &&str| {
        lower
            .strip_prefix(word)
            .is_some_and(|rest| rest.starts_with([' ', ':', '：']))
    };
    ADJECTIVES
        .that_begin(&lower)
        .filter(ends)
        .map(str::len)
        .max()
        .filter(|&length| rest.is_char_boundary(length))
}

/// Whether a quote after a name closes a text in code: `"Bearer " + read("API_TOKEN")`.
fn closes_text(text: Text<'_>, at: usize, name: Name) -> bool {
    is_quote(text.byte(at))
        && matches!(
            text.rest(at + 1),
            [b'+' | b',' | b')' | b';', ..]
                | [b' ', b'+' | b'.', b' ', ..]
                | [b' ', b'+', b'+', b' ', ..]
        )
        && closes_prompt(text, name, text.byte(at))
}

/// Whether the alias of a column follows: `SELECT data_key AS "name"`.
fn is_alias(text: Text<'_>, at: usize, name: Name) -> bool {
    let keyword = text.text.get(at..at + 3).unwrap_or_default();
    let is_statement = || {
        let before = text.before(name.start, LONGEST_STATEMENT);
        before.to_ascii_lowercase().contains("select ")
    };
    // `IDENTIFIED WITH mysql_native_password AS 'x'`
    let is_plugin = || {
        text.before(name.end, LONGEST_STATEMENT)
            .contains("IDENTIFIED WITH")
    };
    keyword.eq_ignore_ascii_case("as ") && (keyword == "AS " || is_statement()) && !is_plugin()
}

/// Skips a sign after a verb, as in `is: x`, and the spaces after it.
fn skip_sign(text: Text<'_>, at: usize) -> usize {
    read_sign(text, at).map_or(at, |(_, end)| skip_spaces(text, end))
}

/// Reads the word after a verb, which begins at `verb`.
fn read_stated_word(text: Text<'_>, verb: usize, at: usize, name: Name, values: &mut Values) {
    read_word(text, at, name, values);
    if text.text[verb..at].trim_end().ends_with(':') {
        gap::read_rest(text, at, name, values);
    }
    if values.is_empty() && is_exact(&text.text[verb..at]) {
        read_plain_word(text, at, name, values);
    }
}

/// Whether a verb is followed by a value, and not by an adjective: `lautet`, `is:`.
fn is_exact(verb: &str) -> bool {
    let verb = verb.trim();
    verb.ends_with([':', '：']) || EXACT_VERBS.contains(&verb)
}

/// Skips a word that connects a name and its value. Returns where the value begins.
fn skip_verb(text: Text<'_>, at: usize) -> Option<usize> {
    let rest = ahead(text, at, 40)?;
    VERBS.that_begin(rest).find_map(|verb| {
        let start = rest.get(..verb.len())?;
        if start != verb && !start.eq_ignore_ascii_case(verb) {
            return None;
        }
        let is_word = verb.chars().all(|character| {
            character.is_alphabetic()
                && !('\u{3000}'..='\u{9fff}').contains(&character)
                && !('\u{ac00}'..='\u{d7a3}').contains(&character)
                || character == ' '
        });
        let next = rest[verb.len().min(rest.len())..].chars().next();
        let ends = !is_word || next.is_none_or(|next| !next.is_alphanumeric());
        ends.then_some(at + verb.len())
    })
}
