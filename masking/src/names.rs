//! The names of values that are secrets.
//!
//! A name is split into words. It names a secret if it contains a word or a phrase for a secret
//! (`dbPassword`, `mot_de_passe`), and no word after it makes it something else
//! (`passwordResetUrl`, `tokenCount`). Words before the phrase only say whose secret it is, with
//! these exceptions:
//! - A first word that asks a question or names an action: `hasPassword`, `resetPassword`.
//! - Words that make a token or a key harmless: `nextToken`, `primaryKey`.
//! - `key`, `code` and a few other nouns are secrets only after some words: `apiKey`,
//!   `accessCode`.

use std::sync::LazyLock;

use crate::needles::Needles;
use crate::text::Text;
use crate::words::Words;

mod identifier;
mod sets;
mod vocabulary;

use identifier::{identifier_around, is_file};
use sets::*;
use vocabulary::*;

/// The most words of a phrase, without connecting words.
const MOST_WORDS: usize = 4;

/// How many bytes of a name are read before and after the stem by which it was found.
const LONGEST_NAME: usize = 64;

/// The most words that are read before a name in prose.
const MOST_WORDS_BEFORE: usize = 3;

/// The most words that are read after the first word of a name.
const MOST_WORDS_AFTER: usize = 5;

/// How certain it is that a value with some name is a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Certainty {
    /// The value is a secret if it is long and random: `key`.
    Weak,
    /// The value is a secret if it is long and random, or a long hex number: `salt`.
    Long,
    /// The value is a secret if it looks like a password: `pass`.
    Likely,
    /// The value is a secret if it is a value at all: `password`.
    Certain,
}

/// The position of a name in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Name {
    /// The start of its first word.
    pub(crate) start: usize,
    /// The start of its last part without spaces, such as `key` in `API key`.
    pub(crate) word: usize,
    pub(crate) end: usize,
    pub(crate) certainty: Certainty,
}

impl Name {
    /// The name as it is written in the text.
    pub(crate) fn written<'t>(&self, text: Text<'t>) -> &'t str {
        &text.text[self.start..self.end]
    }
}

/// Searches the stems of all names, and all words that need no boundary.
struct Search {
    needles: Needles,
    /// How many of the needles are stems. The others are words that need no boundary.
    stems: usize,
}

static SEARCH: LazyLock<Search> = LazyLock::new(|| {
    let mut needles: Vec<String> = STEMS.iter().flat_map(|stem| spellings(stem)).collect();
    let stems = needles.len();
    needles.extend(ANYWHERE.iter().map(|&word| word.to_owned()));
    let needles = Needles::new(needles, true);
    Search { needles, stems }
});

/// The spellings of a word. The search ignores the case of ASCII letters only.
fn spellings(word: &str) -> Vec<String> {
    if word.is_ascii() {
        return vec![word.to_owned()];
    }
    let mut characters = word.chars();
    let first: String = characters
        .next()
        .into_iter()
        .flat_map(char::to_uppercase)
        .collect();
    let mut all = vec![
        word.to_owned(),
        first + characters.as_str(),
        word.to_uppercase(),
    ];
    all.dedup();
    all
}

/// Whether a text can contain a name of a secret.
pub(crate) fn can_contain(text: &str) -> bool {
    SEARCH.needles.are_in(text)
}

/// Whether a word contains a part of a name.
pub(crate) fn has_stem(word: &str) -> bool {
    SEARCH.needles.are_in(word)
}

/// Calls `found` for each place in a text at which a name of a secret can stand: its start, its
/// end, and whether it is a word of a script without spaces. `found` returns from where on names
/// count. With `all`, each word counts, because a team's own names can be any words.
pub(crate) fn visit(text: &str, all: bool, found: &mut dyn FnMut(usize, usize, bool) -> usize) {
    if all {
        visit_all(text, found);
        return;
    }
    let mut from = 0;
    let mut last_end = 0;
    let mut read_until = 0;
    while let Some(at) = SEARCH.needles.next(text, from) {
        from = at + 1;
        for (index, hit_end) in SEARCH.needles.at(text, at) {
            let is_new = hit_end > last_end && text.is_char_boundary(at);
            let next = if index >= SEARCH.stems {
                found(at, hit_end, true)
            } else if is_new {
                let (start, end) = identifier_around(text, at, hit_end);
                last_end = end;
                let counts = start >= read_until && start < end;
                if counts { found(start, end, false) } else { 0 }
            } else {
                0
            };
            read_until = next.max(read_until);
            if read_until > at {
                break;
            }
        }
        from = from.max(read_until);
    }
}

fn visit_all(text: &str, found: &mut dyn FnMut(usize, usize, bool) -> usize) {
    let mut from = 0;
    let mut at = 0;
    while let Some(length) = text[at..].find(char::is_alphanumeric) {
        let start = at + length;
        let (first, end) = identifier_around(text, start, start);
        if first >= from && first < end {
            from = found(first, end, false).max(from);
        }
        at = end.max(text.ceil_char_boundary(start + 1));
    }
    let mut from = 0;
    while let Some(at) = SEARCH.needles.next(text, from) {
        for (index, end) in SEARCH.needles.at(text, at) {
            if index >= SEARCH.stems {
                found(at, end, true);
            }
        }
        from = at + 1;
    }
}

/// Where a name can begin before its last word, the nearest first: `API key`, `clave de acceso`.
pub(crate) fn words_before(text: Text<'_>, at: usize) -> impl Iterator<Item = usize> {
    let mut start = at;
    std::iter::from_fn(move || {
        let gap = text.byte_before(start);
        if !matches!(gap, b' ' | b'\'' | b'-') {
            return None;
        }
        let before = text.before(start - 1, LONGEST_NAME);
        let word = before.len()
            - before
                .trim_end_matches(|character: char| character.is_alphanumeric() || character == '_')
                .len();
        if word == 0 {
            return None;
        }
        start = start - 1 - word;
        Some(start)
    })
    .take(MOST_WORDS_BEFORE)
}

/// Where a name can end after its first word, the nearest first.
pub(crate) fn words_after(text: Text<'_>, at: usize) -> impl Iterator<Item = usize> {
    let mut end = at;
    std::iter::from_fn(move || {
        let gap = match text.rest(end) {
            [b' ' | b'\'' | b'-', ..] => 1,
            [0xE2, 0x80, 0x99, ..] => 3,
            _ => return None,
        };
        let rest = text.text.get(end + gap..)?;
        let rest = &rest[..rest.floor_char_boundary(rest.len().min(LONGEST_NAME))];
        let is_part = |character: char| character.is_alphanumeric() || character == '_';
        let length = rest.len() - rest.trim_start_matches(is_part).len();
        if length == 0 {
            return None;
        }
        end += gap + length;
        Some(end)
    })
    .take(MOST_WORDS_AFTER)
}

/// Whether the word before `token` or `key` makes it harmless, as in `next token`.
fn is_harmless_kind(before: &str, last: &str) -> bool {
    match last {
        "token" | "tokens" => HARMLESS_TOKEN_WORDS.contains(before),
        "key" | "keys" => HARMLESS_KEY_WORDS.contains(before),
        _ => false,
    }
}

/// Whether a word before a name can make it harmless: its first word can be `token` or `key`.
pub(crate) fn can_be_harmless(name: &str) -> bool {
    name.starts_with(|first: char| !first.is_ascii() || matches!(first, 't' | 'T' | 'k' | 'K'))
}

/// Whether a word before a name makes it harmless.
pub(crate) fn is_harmless_before(before: &str, name: &str) -> bool {
    let before = Words::split(before);
    let name = Words::split(name);
    before
        .last()
        .zip(name.get(0))
        .is_some_and(|(before, last)| is_harmless_kind(before, last))
}

/// How certain it is that a field with a name holds a secret. `None` if it does not.
pub(crate) fn judge(name: &str) -> Option<Certainty> {
    // Annotations of Vault's agent name the path of a secret.
    if is_file(name) || name.contains("agent-inject-") {
        return None;
    }
    let certainty = judge_words(&Words::split(name)).map(|(certainty, _)| certainty);
    // `from key` are two words, not a kind of key.
    let is_prose = certainty == Some(Certainty::Long) && name.contains(' ');
    if is_prose {
        Some(Certainty::Weak)
    } else {
        certainty
    }
}

/// The same for a name of which each word is known: it is a part of the phrase, or only says which
/// of several secrets it is.
pub(crate) fn judge_known(name: &str) -> Option<Certainty> {
    // The marks of some scripts are not letters, so that their words are not split.
    if !name.is_ascii() && ANYWHERE.iter().any(|word| name.ends_with(word)) {
        return Some(Certainty::Certain);
    }
    let (certainty, is_known) = judge_words(&Words::split(name))?;
    is_known.then_some(certainty)
}

/// Whether the first word of a name asks a question or names an action.
fn asks(words: &Words) -> bool {
    let Some(first) = words.get(0).filter(|_| words.count() > 1) else {
        return false;
    };
    let is_purpose =
        PURPOSES.contains(&first) && matches!(words.last(), Some("token" | "code" | "secret"));
    // Network devices have a password for the mode `enable`.
    let is_mode = first == "enable"
        && words.count() == 2
        && matches!(words.last(), Some("secret" | "password"));
    // The salt of a hash: nobody hashes a salt.
    let is_salt = first == "hash" && words.last() == Some("salt");
    QUESTION_WORDS.contains(first) && !is_purpose && !is_mode && !is_salt
}

fn judge_words(words: &Words) -> Option<(Certainty, bool)> {
    let is_public = (0..words.count()).any(|index| words.get(index) == Some("public"));
    if asks(words) || is_public {
        return None;
    }
    let count = words.count();
    for end in (0..count).rev() {
        let word = words.get(end)?;
        if let Some(certainty) = judge_phrase(words, end) {
            let endings = || (end + 1..count).filter_map(|index| words.get(index));
            if endings().any(|ending| {
                HARMLESS_ENDING_WORDS.contains(ending) && !NEUTRAL_WORDS.contains(ending)
            }) {
                return None;
            }
            let is_known = endings().all(is_neutral);
            let certainty = if is_known {
                certainty
            } else {
                certainty.min(Certainty::Likely)
            };
            return Some((certainty, is_known));
        }
        if HARMLESS_ENDING_WORDS.contains(word) && !NEUTRAL_WORDS.contains(word) {
            return None;
        }
    }
    // The words of languages that change the endings of words.
    if let Some(last) = words.last()
        && SECRET_PREFIXES
            .that_begin(last)
            .any(|prefix| last.starts_with(prefix) && last.len() <= prefix.len() + 12)
    {
        return Some((Certainty::Certain, true));
    }
    // A script without spaces, or a name in one.
    let joined = words.joined();
    let is_anywhere = !joined.is_ascii() && ANYWHERE.iter().any(|word| joined.ends_with(word));
    is_anywhere.then_some((Certainty::Certain, true))
}

fn is_neutral(word: &str) -> bool {
    NEUTRAL_WORDS.contains(word)
        || word.bytes().all(|byte| byte.is_ascii_digit())
        || ENVIRONMENT_WORDS.contains(word)
        || word.chars().count() == 1
}

/// Judges the phrase whose last word has an index.
fn judge_phrase(words: &Words, end: usize) -> Option<Certainty> {
    let last = words.get(end)?;
    let before = end.checked_sub(1).and_then(|index| words.get(index));
    if end > 0 && LONG_WORDS.contains(words.between(end - 1, end)) {
        return Some(Certainty::Long);
    }
    let is_harmless =
        before.is_some_and(|before| is_harmless_kind(before, last)) && !is_phrase(words, end);
    let is_harmless_pass =
        last == "pass" && before.is_some_and(|before| HARMLESS_PASSES.contains(&before));
    if is_harmless || is_harmless_pass {
        return None;
    }
    if is_certain(words, end, last) {
        return Some(Certainty::Certain);
    }
    let is_message =
        CODES.contains(&last) && before.is_some_and(|word| POSSESSIVES.contains(&word));
    if LIKELY_WORDS.contains(last) || is_message {
        return Some(Certainty::Likely);
    }
    let is_kind = |word: &str| word.len() > 2 && word.bytes().all(|byte| byte.is_ascii_lowercase());
    if LONG_WORDS.contains(last) || last == "key" && before.is_some_and(is_kind) {
        return Some(Certainty::Long);
    }
    let is_session = last == "id" && matches!(before, Some("session" | "sess"));
    (is_session || WEAK_WORDS.contains(last)).then_some(Certainty::Weak)
}

/// Whether a phrase, whose last word has an index, certainly names a secret.
fn is_certain(words: &Words, end: usize, last: &str) -> bool {
    if SECRET_WORDS.contains(last) || has_secret_ending(last) || is_phrase(words, end) {
        return true;
    }
    // `pass_ftp`: the word after it says whose it is.
    let is_owned = |after: &str| NEUTRAL_WORDS.contains(after) && after.len() > 1;
    if last == "pass" && words.get(end + 1).is_some_and(is_owned) {
        return true;
    }
    // Headers such as `X-Example-Key`.
    if last == "key" && words.count() > 2 && words.get(0) == Some("x") {
        return true;
    }
    HEAD_WORDS
        .get(last)
        .zip(before_connecting(words, end))
        .is_some_and(|(kinds, before)| kinds.contains(&before) || kinds.contains(&"*"))
}

/// Whether a word is a joined name, as in `dbpassword` and `rootpw`.
fn has_secret_ending(word: &str) -> bool {
    if word.starts_with("lib") {
        return false;
    }
    if SECRET_ENDINGS
        .that_end(word)
        .any(|ending| word.len() > ending.len() && word.ends_with(ending))
    {
        return true;
    }
    let Some((before, ending)) = SHORT_ENDINGS
        .iter()
        .find_map(|ending| Some((word.strip_suffix(ending)?, *ending)))
        .filter(|(before, _)| !before.is_empty())
    else {
        return false;
    };
    match ending {
        "pass" | "pw" => PASS_KINDS.iter().any(|kind| before.ends_with(kind)),
        "token" => {
            before.len() > 1 && before != "jsonweb" && !HARMLESS_TOKEN_WORDS.contains(before)
        }
        ending => HEAD_WORDS
            .get(ending)
            .is_some_and(|kinds| kinds.contains(&before)),
    }
}

fn before_connecting(words: &Words, end: usize) -> Option<&str> {
    let mut before = (0..end).rev().filter_map(|index| words.get(index));
    before.find(|word| !CONNECTING_WORDS.contains(word))
}

/// Whether the last words up to an index are a phrase.
fn is_phrase(words: &Words, end: usize) -> bool {
    // The words without connecting words, if there are any between them.
    let mut phrase: Option<String> = None;
    let mut count = 0;
    for index in (0..=end).rev() {
        let Some(word) = words.get(index) else {
            return false;
        };
        if count > 0 && CONNECTING_WORDS.contains(word) {
            phrase.get_or_insert_with(|| words.between(index + 1, end).to_owned());
            continue;
        }
        let is_known = match &mut phrase {
            Some(phrase) => {
                phrase.insert_str(0, word);
                SECRET_PHRASES.contains(phrase)
            }
            None => SECRET_PHRASES.contains(words.between(index, end)),
        };
        if is_known {
            return true;
        }
        count += 1;
        if count == MOST_WORDS {
            return false;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_contains_a_stem() {
        let heads = HEADS.iter().map(|(head, _)| head);
        let all = SECRETS
            .iter()
            .chain(PHRASES)
            .chain(LIKELY)
            .chain(WEAK)
            .chain(heads);
        let missing: Vec<&&str> = all
            .filter(|name| !STEMS.iter().any(|stem| name.contains(stem)))
            .collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}
