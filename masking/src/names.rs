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

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use crate::text::Text;
use crate::words::Words;

mod vocabulary;

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

type Set = LazyLock<HashSet<&'static str>>;

static SECRET_WORDS: Set = LazyLock::new(|| SECRETS.iter().copied().collect());
static SECRET_PHRASES: Set = LazyLock::new(|| PHRASES.iter().copied().collect());
static LIKELY_WORDS: Set = LazyLock::new(|| LIKELY.iter().copied().collect());
static WEAK_WORDS: Set = LazyLock::new(|| WEAK.iter().copied().collect());
static HARMLESS_TOKEN_WORDS: Set = LazyLock::new(|| HARMLESS_TOKENS.iter().copied().collect());
static HARMLESS_KEY_WORDS: Set = LazyLock::new(|| HARMLESS_KEYS.iter().copied().collect());
static QUESTION_WORDS: Set = LazyLock::new(|| QUESTIONS.iter().copied().collect());
static HARMLESS_ENDING_WORDS: Set = LazyLock::new(|| HARMLESS_ENDINGS.iter().copied().collect());
static HEAD_WORDS: LazyLock<HashMap<&str, &[&str]>> =
    LazyLock::new(|| HEADS.iter().copied().collect());

/// Searches the stems of all names, and all words that need no boundary.
struct Search {
    automaton: AhoCorasick,
    /// How many of the patterns are stems. The others are words that need no boundary.
    stems: usize,
}

static SEARCH: LazyLock<Search> = LazyLock::new(|| {
    let mut patterns: Vec<String> = STEMS.iter().flat_map(|stem| spellings(stem)).collect();
    let stems = patterns.len();
    patterns.extend(ANYWHERE.iter().map(|&word| word.to_owned()));
    let automaton = AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .kind(Some(AhoCorasickKind::DFA))
        .build(patterns)
        .expect("the vocabulary fits into an automaton");
    Search { automaton, stems }
});

/// The spellings of a word. The automaton ignores the case of ASCII letters only.
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
    SEARCH.automaton.is_match(text)
}

/// Whether a word contains a part of a name.
pub(crate) fn has_stem(word: &str) -> bool {
    SEARCH.automaton.is_match(word)
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
    let hits = SEARCH.automaton.try_find_overlapping_iter(text);
    for hit in hits.into_iter().flatten() {
        if hit.start() < from {
            continue;
        }
        if hit.pattern().as_usize() >= SEARCH.stems {
            from = found(hit.start(), hit.end(), true).max(from);
        } else if hit.end() > last_end && text.is_char_boundary(hit.start()) {
            let (start, end) = identifier_around(text, hit.start(), hit.end());
            last_end = end;
            if start >= from && start < end {
                from = found(start, end, false).max(from);
            }
        }
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
    let hits = SEARCH.automaton.try_find_overlapping_iter(text);
    for hit in hits.into_iter().flatten() {
        if hit.pattern().as_usize() >= SEARCH.stems {
            found(hit.start(), hit.end(), true);
        }
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

/// Whether a word before a name makes it harmless.
pub(crate) fn is_harmless_before(before: &str, name: &str) -> bool {
    let before = Words::split(before);
    let name = Words::split(name);
    before
        .last()
        .zip(name.get(0))
        .is_some_and(|(before, last)| is_harmless_kind(before, last))
}

/// The identifier around a part of it.
fn identifier_around(text: &str, start: usize, end: usize) -> (usize, usize) {
    let before = &text[text.ceil_char_boundary(start.saturating_sub(LONGEST_NAME))..start];
    let after = &text[end..text.floor_char_boundary(text.len().min(end + LONGEST_NAME))];
    let start = start - (before.len() - before.trim_end_matches(is_name).len());
    let length = after.len() - after.trim_start_matches(is_name).len();
    let after = after[..length].trim_end_matches(['.', '-']);
    let end = end + after.len();
    // `\nPASSWORD` in JSON: the letter belongs to the escape.
    let is_escape = start > 0
        && text.as_bytes()[start - 1] == b'\\'
        && matches!(text.as_bytes()[start], b'n' | b't' | b'r')
        && end > start + 1;
    let start = start + usize::from(is_escape);
    let dashes = text[start..end].len() - text[start..end].trim_start_matches(['-', '.']).len();
    (start + dashes, end)
}

fn is_name(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '-' | '.' | '$')
}

/// How certain it is that a field with a name holds a secret. `None` if it does not.
pub(crate) fn judge(name: &str) -> Option<Certainty> {
    if is_file(name) {
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

/// Whether a name is the name of a file: `token_test.go`.
fn is_file(name: &str) -> bool {
    const ENDINGS: &[&str] = &[
        "c", "cc", "conf", "cpp", "crt", "cs", "css", "go", "h", "html", "ini", "java", "js",
        "json", "jsx", "kt", "log", "md", "mjs", "pem", "php", "pl", "proto", "py", "rb", "rs",
        "scala", "sh", "sql", "swift", "tf", "toml", "ts", "tsx", "txt", "vue", "xml", "yaml",
        "yml",
    ];
    const KEY_FILES: &[&str] = &[
        "server.key",
        "client.key",
        "tls.key",
        "ca.key",
        "ssl.key",
        "host.key",
        "cert.key",
        "domain.key",
    ];
    KEY_FILES.contains(&name)
        || name
            .rsplit_once('.')
            .is_some_and(|(_, ending)| ENDINGS.contains(&ending))
}

/// Verbs that can also say what a token or a code is for: `resetPasswordToken`.
const PURPOSES: &[&str] = &[
    "reset", "verify", "change", "update", "forgot", "lost", "validate", "check", "revoke",
    "invalid", "wrong", "expired",
];

/// Whether the first word of a name asks a question or names an action.
fn asks(words: &Words) -> bool {
    let Some(first) = words.get(0).filter(|_| words.count() > 1) else {
        return false;
    };
    let is_purpose =
        PURPOSES.contains(&first) && matches!(words.last(), Some("token" | "code" | "secret"));
    QUESTION_WORDS.contains(first) && !is_purpose
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
            if endings()
                .any(|ending| HARMLESS_ENDING_WORDS.contains(ending) && !NEUTRAL.contains(&ending))
            {
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
        if HARMLESS_ENDING_WORDS.contains(word) && !NEUTRAL.contains(&word) {
            return None;
        }
    }
    // The words of languages that change the endings of words.
    if let Some(last) = words.last()
        && PREFIXES
            .iter()
            .any(|prefix| last.starts_with(prefix) && last.len() <= prefix.len() + 12)
    {
        return Some((Certainty::Certain, true));
    }
    // A script without spaces, or a name in one.
    let joined = words.joined();
    let is_anywhere = !joined.is_ascii() && ANYWHERE.iter().any(|word| joined.ends_with(word));
    is_anywhere.then_some((Certainty::Certain, true))
}

/// Words that say where a secret is used.
#[rustfmt::skip]
const ENVIRONMENTS: &[&str] = &[
    "prod", "production", "dev", "development", "test", "testing", "staging", "stage", "live", "sandbox", "qa", "uat", "local", "primary", "secondary", "main", "backup", "master", "replica", "eu", "us", "de", "fr", "int", "preprod", "default", "internal", "external", "public", "global", "admin", "root", "app", "api", "db", "database", "server", "client", "user", "service", "env", "var", "a", "b", "ro", "rw", "read", "write", "east", "west", "one", "two",
];

fn is_neutral(word: &str) -> bool {
    NEUTRAL.contains(&word)
        || word.bytes().all(|byte| byte.is_ascii_digit())
        || ENVIRONMENTS.contains(&word)
        || word.chars().count() == 1
}

/// Judges the phrase whose last word has an index.
fn judge_phrase(words: &Words, end: usize) -> Option<Certainty> {
    let last = words.get(end)?;
    let before = end.checked_sub(1).and_then(|index| words.get(index));
    let joined = before
        .map(|before| [before, last].concat())
        .unwrap_or_default();
    if LONG.contains(&joined.as_str()) {
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
    if LONG.contains(&last) || last == "key" && before.is_some_and(is_kind) {
        return Some(Certainty::Long);
    }
    let is_session = last == "id" && matches!(before, Some("session" | "sess"));
    (is_session || WEAK_WORDS.contains(last)).then_some(Certainty::Weak)
}

/// The words for a code in messages to users: `your code`.
const CODES: &[&str] = &["code", "код", "código", "codigo", "codice", "kod", "kode"];

/// Whether a phrase, whose last word has an index, certainly names a secret.
fn is_certain(words: &Words, end: usize, last: &str) -> bool {
    if SECRET_WORDS.contains(last) || has_secret_ending(last) || is_phrase(words, end) {
        return true;
    }
    // `pass_ftp`: the word after it says whose it is.
    let is_owned = |after: &str| NEUTRAL.contains(&after) && after.len() > 1;
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
    if ENDINGS
        .iter()
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
    before.find(|word| !CONNECTING.contains(word))
}

/// Whether the last words up to an index are a phrase.
fn is_phrase(words: &Words, end: usize) -> bool {
    let mut phrase = String::new();
    let mut count = 0;
    for index in (0..=end).rev() {
        let Some(word) = words.get(index) else {
            return false;
        };
        if CONNECTING.contains(&word) && count > 0 {
            continue;
        }
        phrase.insert_str(0, word);
        if SECRET_PHRASES.contains(phrase.as_str()) {
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
