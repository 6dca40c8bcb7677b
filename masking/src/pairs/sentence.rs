//! Names and values in sentences: `the password is hunter2`, `Passwort für bob lautet …`,
//! `password "…"`, `PASSWORD '…'` in SQL, `パスワードは「…」`.

use before::find_before;
use gap::read_gap;
use value::{
    read_bracketed, read_joined_word, read_last_word, read_next_word, read_plain_word, read_quoted,
    read_unmistakable, read_word,
};
use words::{ADJECTIVES, CLOSERS, CONJUNCTIONS, COPULAS, EXACT_VERBS, PREPOSITIONS, VERBS};

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

/// How many bytes after a name a random value can stand: `the key that you asked for: …`.
const LONGEST_CLAUSE: usize = 72;

/// Words before a random value in a sentence that does not repeat its name.
#[rustfmt::skip]
const POINTERS: &[&str] = &[": ", " it is ", " it's ", " one is ", " one was ", " is ", " was ", " to "];

/// Words after the name of a secret for what identifies it and may be known.
#[rustfmt::skip]
const IDENTIFIERS: &[&str] = &[
    "fingerprint", "finger print", "digest", "checksum", "hash", " id", "id ", "sha", "thumbprint", "version", "request", "trace", "commit", "job", "order", "user", "account",
];

/// Adds a random value after a name, with a verb, or directly after the name of a secret: no sentence
/// has such a word.
pub(super) fn find_random(text: Text<'_>, name: Name, values: &mut Values) {
    let at = skip_spaces(text, skip_marks(text, name.end));
    if at == name.end || text.byte_before(name.start) == b'=' {
        return;
    }
    let verb = skip_verb(text, at);
    let start = verb.map_or(at, |verb| skip_sign(text, skip_spaces(text, verb)));
    if verb.is_some() || name.certainty >= Certainty::Long {
        read_unmistakable(text, start, values);
    }
    if name.certainty < Certainty::Certain || !values.is_empty() {
        return;
    }
    let clause = ahead(text, at, LONGEST_CLAUSE).unwrap_or_default();
    let clause = clause
        .split(['\n', ';', '{', '}', '"'])
        .next()
        .unwrap_or_default();
    for pointer in POINTERS {
        if let Some(place) = clause.find(pointer)
            && !IDENTIFIERS
                .iter()
                .any(|word| clause[..place].contains(word))
        {
            read_unmistakable(text, at + place + pointer.len(), values);
        }
    }
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
    // SQL: `SECRET 'two words'`.
    let is_keyword = text.byte(at) == b'\''
        && name
            .written(text)
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    let is_statement = is_keyword && text.byte(at + 1).is_ascii_alphanumeric();
    if is_separate && !is_statement && closes_text(text, at, name) {
        return;
    }
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
    if values.is_empty() && text.text[verb..at].trim() == "to" && follows_set(text, name) {
        read_joined_word(text, at, name, values);
    }
    if values.is_empty() && is_copula(text.text[verb..at].trim(), name.written(text)) {
        read_last_word(text, at, name, values);
    }
    if let Some(&(_, end, _)) = values.found.last() {
        read_next_word(text, end, values);
    }
}

/// Whether a verb is a form of `be`. Polish writes `to`, which is a preposition in English.
fn is_copula(verb: &str, name: &str) -> bool {
    COPULAS.contains(&verb) && (verb != "to" || !name.is_ascii())
}

/// Verbs before a name that `to` and a value follow.
#[rustfmt::skip]
const SETTERS: &[&str] = &["set", "sets", "setting", "reset", "resets", "change", "changed", "changes", "update", "updated"];

/// Whether a verb such as `set` stands a few words before a name: `set the root password to …`.
fn follows_set(text: Text<'_>, name: Name) -> bool {
    let before = text.before(name.start, 48).to_ascii_lowercase();
    before
        .rsplit([' ', '\n'])
        .take(5)
        .any(|word| SETTERS.contains(&word))
}

/// Whether a clause ends at a position: with a sign, the line, or a conjunction.
pub(super) fn ends_clause(text: Text<'_>, at: usize) -> bool {
    let rest = text.rest(at);
    let is_end = |byte: Option<&u8>| byte.is_none_or(|byte| byte.is_ascii_whitespace());
    match rest.first() {
        None | Some(b'\n' | b'\r' | b')' | b']' | b'<' | b'"' | b'\'' | b'*' | b'`') => true,
        Some(b'.' | b',' | b';' | b':' | b'!' | b'?') => {
            is_end(rest.get(1)) || matches!(rest[1], b'"' | b'\'' | b')' | b'<')
        }
        Some(b' ') => {
            let after = ahead(text, at + 1, 16).unwrap_or_default();
            after.is_empty()
                || after.starts_with(['?', '!']) && after.len() <= 2
                || CONJUNCTIONS
                    .that_begin(after)
                    .any(|word| after.starts_with(word))
        }
        _ => {
            !rest.first().is_some_and(u8::is_ascii)
                && (rest.starts_with("。".as_bytes())
                    || rest.starts_with("，".as_bytes())
                    || rest.starts_with("、".as_bytes()))
        }
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
