//! Values after a name and a few words: `password for bob is …`, `password for user 'bob': …`.

use super::value::{read_quoted, read_word};
use super::words::PREPOSITIONS;
use super::{read_stated_word, skip_sign, skip_verb};
use crate::names::{Certainty, Name};
use crate::pairs::context::{
    ahead, line_before, line_end, line_of, read_sign, skip_blanks, skip_spaces, slice,
};
use crate::pairs::judgement::{is_password, is_placeholder, is_report, names_password};
use crate::pairs::{Values, quoted};
use crate::text::Text;

/// How many bytes after a name its sentence can continue before the value.
const REACH: usize = 120;

/// The most words between a name and the word that connects the value.
const MOST_WORDS: usize = 8;

/// Reads a value after `for bob is …`, `for user 'bob': …`.
pub(super) fn read_gap(text: Text<'_>, at: usize, name: Name, values: &mut Values) {
    let Some(rest) = ahead(text, at, REACH) else {
        return;
    };
    let limit = at + rest.len();
    let Some(mut place) = skip_preposition(text, at, rest) else {
        return;
    };
    for _ in 0..MOST_WORDS {
        let start = skip_spaces(text, place);
        if start >= limit || start == place || text.mark_end(start).is_some() {
            return;
        }
        let Some(end) = word_end(text, start, limit) else {
            return;
        };
        // `hashed with Argon2id (m=65536, t=3)`: the parameters of a function.
        if text.byte(start) == b'(' && text.byte(end) == b'=' {
            return;
        }
        if end == start || matches!(text.byte(end), b',' | b';' | b'\n') {
            return;
        }
        place = end;
        if read_connected(text, place, name, values) {
            return;
        }
    }
}

/// Skips the longest preposition at a position, which begins a text.
fn skip_preposition(text: Text<'_>, at: usize, rest: &str) -> Option<usize> {
    if rest.is_ascii() && PREPOSITIONS.that_begin(rest).next().is_none() {
        return None;
    }
    let lower = rest.to_lowercase();
    let is_first =
        |word: &str| lower.starts_with(word) && lower[word.len()..].starts_with([' ', '\u{a0}']);
    let longest = PREPOSITIONS
        .that_begin(&lower)
        .filter(|word| is_first(word))
        .map(str::len)
        .max()?;
    text.text
        .is_char_boundary(at + longest)
        .then_some(at + longest)
}

/// The end of a word, or of a name in quotes such as `'user'@'%'`.
fn word_end(text: Text<'_>, start: usize, limit: usize) -> Option<usize> {
    if quoted::quote_length(text, start) == 0 {
        let rest = &text.text[start..limit];
        let is_end = |character: char| {
            character.is_whitespace() || matches!(character, ':' | '=' | ',' | ';' | '"')
        };
        return Some(start + rest.find(is_end).unwrap_or(rest.len()));
    }
    let after = quoted::read(text, start)?.next;
    let host = if text.byte(after) == b'@' {
        quoted::read(text, after + 1)
    } else {
        None
    };
    Some(host.map_or(after, |host| host.next))
}

/// Reads the value that a sign or a verb connects at a position. Returns whether the sentence is
/// read to its end.
fn read_connected(text: Text<'_>, at: usize, name: Name, values: &mut Values) -> bool {
    let gap = skip_spaces(text, at);
    if let Some((_, end)) = read_sign(text, gap) {
        let value = skip_spaces(text, end);
        if matches!(text.byte(value), b'\n' | b'\r') {
            read_paragraph(text, skip_blanks(text, value), name, values);
            return true;
        }
        if !read_quoted(text, value, true, name, values) {
            read_word(text, value, name, values);
            if is_prompt(text, name, text.byte(gap)) {
                read_rest(text, value, name, values);
            }
        }
        return true;
    }
    if let Some(next) = skip_verb(text, gap).filter(|_| gap > at) {
        let value = skip_sign(text, skip_spaces(text, next));
        if read_quoted(text, value, true, name, values) {
            return true;
        }
        read_stated_word(text, gap, value, name, values);
        return !values.is_empty();
    }
    false
}

/// Reads a word that is a line of its own below a sentence: `Use this password to proceed:`.
fn read_paragraph(text: Text<'_>, at: usize, name: Name, values: &mut Values) {
    let word = slice(text, at, line_end(text, at)).trim_end();
    if name.certainty == Certainty::Certain
        && !word.contains(' ')
        && is_password(word)
        && !is_placeholder(word)
        && !word.contains(['/', '='])
    {
        values.push(at, at + word.len());
    }
}

/// Words of prompts before a name.
#[rustfmt::skip]
const PROMPTS: &[&str] = &[
    "enter", "enter the", "enter your", "enter new", "re-enter", "new", "old", "current", "type", "retype", "confirm", "verify",
];

/// Whether a name begins its line, or the words before it are those of a prompt.
fn is_prompt(text: Text<'_>, name: Name, sign: u8) -> bool {
    let before = line_before(text, name.start, 32).trim().to_lowercase();
    // `Das neue Kennwort für kasse1: zwei Worte`
    let is_heading = sign == b':'
        && before.split(' ').count() <= 2
        && before
            .chars()
            .all(|character| character.is_alphabetic() || character == ' ');
    line_of(text, name.start).is_start
        || text.before(name.start, 4).ends_with("] ")
        || is_heading
        || PROMPTS.contains(&before.as_str())
}

/// Reads words that are the rest of their line: `Password for bob: two words`.
pub(super) fn read_rest(text: Text<'_>, at: usize, name: Name, values: &mut Values) {
    if name.certainty != Certainty::Certain || !names_password(name.written(text)) {
        return;
    }
    let written = slice(text, at, line_end(text, at)).trim_end();
    if !written.is_empty()
        && !is_placeholder(written)
        && !is_report(written)
        && written.split(' ').count() <= 5
    {
        values.push(at, at + written.len());
    }
}
