//! Credentials that have no form of their own, but stand near the name of their provider, as in
//! `DD_API_KEY=…`, `"algoliaAdminKey": "…"` or `cohere.Client("…")`.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::{Body, Format, Run, formats, is_random};
use crate::filter::Filter;
use crate::text::{Kinds, Text, Word};

/// How many bytes before a value are searched for the name of a provider.
const REACH: usize = 64;

/// How many bytes after a value are searched, as in `curl -u <key>:x https://acme.freshdesk.com`.
const REACH_AFTER: usize = 56;

/// Shorter values are not searched for.
pub(super) const SHORTEST: usize = 15;

/// The only short run before a dot, in a bootstrap token of Kubernetes.
const BEFORE_DOT: usize = 6;

/// The words of the providers.
#[derive(Debug)]
struct Providers {
    /// The hashes of the names and of their first letters, so that most words need no other look.
    names: Filter<FILTER_WORDS>,
    starts: Filter<FILTER_WORDS>,
    /// The words that say that a value is not a credential, but for the last words of names.
    others: Vec<&'static str>,
    runs: HashMap<&'static str, Vec<(&'static str, Run)>>,
}

const FILTER_WORDS: usize = 1 << 8;

static PROVIDERS: LazyLock<Providers> = LazyLock::new(|| {
    let mut providers = Providers {
        names: Filter::new(),
        starts: Filter::new(),
        others: OTHER_WORDS.to_vec(),
        runs: HashMap::new(),
    };
    for (rule, format) in formats() {
        if let &Format::Near { words, run } = format {
            for word in words {
                let hash = |word: &str| word.bytes().fold(0, step);
                providers.names.add(hash(word));
                providers.starts.add(hash(&word[..word.len().min(START)]));
                providers.others.retain(|other| !word.ends_with(other));
                providers.runs.entry(word).or_default().push((rule, run));
            }
        }
    }
    providers
});

/// Adds a letter to the hash of a word.
fn step(hash: u64, byte: u8) -> u64 {
    (hash ^ u64::from(byte | 0x20)).wrapping_mul(0x100_0000_01B3)
}

/// Finds a value that begins with a word.
pub(super) fn find(
    text: Text<'_>,
    at: usize,
    word: Word,
    is_on: impl Fn(&str) -> bool,
) -> Option<(usize, usize, &'static str)> {
    let is_long = word.length >= SHORTEST || matches!(word.next, b'-' | b'_' | b'+' | b'/');
    if !is_long && (word.next != b'.' || word.length != BEFORE_DOT) {
        return None;
    }
    let start = find_start(text, at)?;
    let value = read_value(text, start)?;
    let line = text.before(start, REACH).as_bytes();
    let line = &line[line
        .iter()
        .rposition(|&byte| byte == b'\n')
        .map_or(0, |place| place + 1)..];
    let context = Context {
        text,
        start,
        value,
        is_on: &is_on,
    };
    let before = || context.find_in(line, |gap| is_named(gap, value));
    let found = if ends_with_other_word(line) {
        None
    } else {
        before()
    };
    found
        .or_else(|| context.find_after())
        .map(|(end, rule)| (start, end, rule))
}

/// Where the value begins whose first letter or digit is at a position. It can begin with one of
/// the signs of base64url.
fn find_start(text: Text<'_>, at: usize) -> Option<usize> {
    match text.byte_before(at) {
        b'-' | b'_' => {
            let before = text.byte_before(at - 1);
            matches!(before, b'=' | b'"' | b'\'' | b':').then_some(at - 1)
        }
        b'+' | b'/' | b'.' | b'@' => matches!(text.byte_before(at - 1), b'/' | b':').then_some(at),
        _ => Some(at),
    }
}

/// The longest value that is read to judge it.
const LONGEST: usize = 400;

/// Reads the run that begins at a position, if it looks random.
fn read_value(text: Text<'_>, start: usize) -> Option<&[u8]> {
    let rest = text.rest(start);
    let run = rest.iter().take(LONGEST);
    let length = run
        .take_while(|&&byte| Body::DottedToken.contains(byte))
        .count();
    let value = &rest[..length];
    let is_value = length >= SHORTEST
        && is_random(value, Body::DottedToken)
        && (Kinds::of(value).digit || !value.contains(&b'.') && !is_name(value));
    is_value.then_some(value)
}

/// Whether a run of letters is a name such as `IllegalStateException`: in a random run, capitals
/// and small letters change places more often.
fn is_name(run: &[u8]) -> bool {
    let is_change = |pair: &&[u8]| pair[0].is_ascii_uppercase() != pair[1].is_ascii_uppercase();
    4 * run.windows(2).filter(is_change).count() < run.len()
}

/// A value and its surroundings.
struct Context<'t, F> {
    text: Text<'t>,
    start: usize,
    value: &'t [u8],
    is_on: &'t F,
}

impl<F: Fn(&str) -> bool> Context<'_, F> {
    /// Finds the provider in the line before the value that is nearest to it and whose keys have
    /// the form of the value.
    fn find_in(
        &self,
        line: &[u8],
        accepts: impl Fn(&[u8]) -> bool,
    ) -> Option<(usize, &'static str)> {
        let mut found = None;
        for_each_word(line, |start, end| {
            let word = std::str::from_utf8(&line[start..end])
                .unwrap_or_default()
                .to_ascii_lowercase();
            let word: String = word.chars().filter(char::is_ascii_alphanumeric).collect();
            if let Some(fit) = self.fit(&word)
                && accepts(&line[end..])
            {
                found = Some(fit);
            }
        });
        found
    }

    /// Finds a provider in the line after the value, if the value itself looks very random.
    fn find_after(&self) -> Option<(usize, &'static str)> {
        if !is_strong(self.value) {
            return None;
        }
        let end = self.start + self.value.len();
        let rest = self.text.rest(end);
        let rest = &rest[..rest.len().min(REACH_AFTER)];
        let line = rest.split(|byte| matches!(byte, b'\n' | b'\r')).next()?;
        self.find_in(line, |_| true)
    }

    /// The end of the value and the rule, if the keys of a provider have the form of the value.
    fn fit(&self, word: &str) -> Option<(usize, &'static str)> {
        let runs = PROVIDERS.runs.get(word)?;
        runs.iter()
            .filter(|(rule, _)| (self.is_on)(rule))
            .find_map(|(rule, run)| {
                let end = run.find_end(self.text, self.start)?;
                let next = self.text.byte(end);
                let is_whole = !Body::Token.contains(next) || next == b'=';
                is_whole.then_some((end, *rule))
            })
    }
}

/// Calls a function with each part of a line that can be the name of a provider: a word, or two
/// words with one sign between them.
fn for_each_word(line: &[u8], mut call: impl FnMut(usize, usize)) {
    let providers = &*PROVIDERS;
    for start in (0..line.len()).filter(|&at| begins_word(line, at)) {
        let (mut hash, mut letters, mut signs) = (0, 0, 0);
        let end = line.len().min(start + LONGEST_NAME);
        for (at, &byte) in (start..end).zip(&line[start..end]) {
            if !byte.is_ascii_alphanumeric() {
                signs += 1;
                if signs > 1 || !matches!(byte, b'_' | b'-' | b' ' | b'.') {
                    break;
                }
                continue;
            }
            hash = step(hash, byte);
            letters += 1;
            if letters == START && !providers.starts.contains(hash) {
                break;
            }
            if providers.names.contains(hash) && ends_name(line, start, at + 1) {
                call(start, at + 1);
            }
        }
    }
}

/// The longest name of a provider, with the sign in it.
const LONGEST_NAME: usize = 24;

/// After how many letters most words turn out not to be the name of a provider.
const START: usize = 3;

/// Whether a word begins at a position: after a sign, or with a capital after a small letter.
fn begins_word(line: &[u8], at: usize) -> bool {
    if !line[at].is_ascii_alphanumeric() {
        return false;
    }
    let Some(&before) = at.checked_sub(1).and_then(|before| line.get(before)) else {
        return true;
    };
    !before.is_ascii_alphanumeric()
        || line[at].is_ascii_uppercase() && !before.is_ascii_uppercase()
        || before.is_ascii_uppercase()
            && line[at].is_ascii_uppercase()
            && line.get(at + 1).is_some_and(u8::is_ascii_lowercase)
}

/// The words that follow the name of a provider without a sign between them.
const GLUED: [&[u8]; 8] = [
    b"api", b"key", b"token", b"secret", b"auth", b"access", b"pass", b"client",
];

/// Whether the name of a provider can end at a position: where a word ends, or before a word such
/// as `key`.
fn ends_name(line: &[u8], start: usize, end: usize) -> bool {
    let rest = &line[end..];
    let ends_word = match rest {
        [] => true,
        [next, ..] => !next.is_ascii_alphabetic() || begins_word(line, end),
    };
    let is_glued = || {
        GLUED
            .iter()
            .any(|word| rest.len() >= word.len() && rest[..word.len()].eq_ignore_ascii_case(word))
    };
    ends_word || end - start >= 4 && is_glued()
}

/// The words that say that a credential follows.
#[rustfmt::skip]
const CREDENTIAL_WORDS: [&str; 19] = [
    "key", "apikey", "token", "secret", "password", "passwd", "pass", "pwd", "auth", "authorization", "bearer",
    "credential", "credentials", "api", "pat", "signing", "private", "basic", "authtoken",
];

/// The words that say that the value is not a credential.
#[rustfmt::skip]
const OTHER_WORDS: [&str; 47] = [
    "id", "ids", "uuid", "guid", "hash", "sha", "sha1", "sha256", "sha512", "md5", "digest",
    "commit", "revision", "rev", "trace", "traceid", "span", "spanid", "request", "requestid",
    "checksum", "etag", "version", "build", "image", "object", "index", "org", "organization",
    "account", "project", "user", "team", "workspace", "region", "job", "run", "event", "public",
    "fingerprint", "message", "deployment", "slug", "cache", "sum", "ray", "app",
];

/// Whether the last word of a line says that the value after it is not a credential.
fn ends_with_other_word(line: &[u8]) -> bool {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric();
    let end = line.iter().rposition(is_part).map_or(0, |last| last + 1);
    let length = line[..end]
        .iter()
        .rev()
        .take_while(|byte| is_part(byte))
        .count();
    let word = &line[end - length..end];
    let mut others = PROVIDERS.others.iter();
    others.any(|other| word.eq_ignore_ascii_case(other.as_bytes()))
}

/// Whether the text between the name of a provider and a value says that the value is a
/// credential.
fn is_named(gap: &[u8], value: &[u8]) -> bool {
    let gap = String::from_utf8_lossy(gap).to_lowercase();
    let mut words = gap
        .split(|sign: char| !sign.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    let last = words.clone().next_back();
    if last.is_some_and(|word| OTHER_WORDS.contains(&word) || word.ends_with("id")) {
        return false;
    }
    let is_credential = |word: &str| {
        CREDENTIAL_WORDS.contains(&word)
            || word.ends_with("key")
            || word.ends_with("token")
            || word.ends_with("secret")
    };
    let is_other = words.clone().any(|word| OTHER_WORDS.contains(&word));
    if words.clone().any(is_credential) {
        return true;
    }
    !is_other && (words.next().is_none() || is_strong(value))
}

/// Whether a value is so random that it can hardly be anything but a key: it has digits, capitals
/// and small letters.
fn is_strong(value: &[u8]) -> bool {
    let count = |class: fn(&u8) -> bool| value.iter().filter(|byte| class(byte)).count();
    value.len() >= 18
        && count(u8::is_ascii_digit) >= 2
        && count(u8::is_ascii_uppercase) >= 3
        && count(u8::is_ascii_lowercase) >= 3
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Facts;

    fn rule(text: &str, value: &str) -> Option<&'static str> {
        let facts = Facts::default();
        let at = text.find(value).expect(text);
        let read = Text::new(text, &facts);
        let (start, end, rule) = find(read, at, Word::read(read, at), |_| true)?;
        assert_eq!(&text[start..end], value);
        Some(rule)
    }

    #[test]
    fn a_value_counts_near_the_name_of_its_provider() {
        let hex = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
        for (text, name) in [
            ("DD_API_KEY={}", "datadog-key"),
            ("datadog_api_key: {}", "datadog-key"),
            ("{\"algoliaAdminKey\":\"{}\"}", "algolia-key"),
            ("ALGOLIAAPIKEY={}", "algolia-key"),
            ("X-Mailgun-Token: {}", "mailgun-key"),
        ] {
            assert_eq!(rule(&text.replace("{}", hex), hex), Some(name), "{text}");
        }
    }

    #[test]
    fn an_id_near_the_name_of_a_provider_stays() {
        let hex = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
        for text in [
            "dd.trace_id={}",
            "datadog commit {}",
            "algolia objectID: {}",
            "key {}",
            "twilio sent {}",
        ] {
            assert_eq!(rule(&text.replace("{}", hex), hex), None, "{text}");
        }
    }
}
