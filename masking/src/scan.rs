//! A single walk over a text, which calls each detector where its values can begin.

use crate::REDACTED_KEY;
use crate::credentials::{assignment, header, jwt, private_key, special, url};
use crate::personal::{address, card, email, iban, national, number, phone};
use crate::rules::{
    AWS_SECRET, AZURE_SAS, CARD, EMAIL, IBAN, IP_ADDRESS, JWT, NATIONAL_ID, PHONE, PRIVATE_KEY,
    SECRET, URL_PASSWORD,
};
use crate::text::Text;
use crate::tokens;

/// A value to mask, and the rule that found it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Finding<'n> {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) rule: &'n str,
}

/// The changes of a team's settings to the built-in rules.
pub(crate) trait Choice {
    /// Whether a rule is switched on.
    fn is_on(&self, rule: &str) -> bool;
    /// Whether a field with this name holds a secret.
    fn is_secret(&self, key: &str) -> bool;
}

/// The kind of value that can begin at a byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Nothing,
    Letter,
    Digit,
    Sign,
}

static KINDS: [Kind; 256] = kinds();

const fn kinds() -> [Kind; 256] {
    let mut kinds = [Kind::Nothing; 256];
    let mut byte = 0;
    while byte < kinds.len() {
        let character = byte as u8;
        kinds[byte] = match character {
            b'0'..=b'9' => Kind::Digit,
            b'a'..=b'z' | b'A'..=b'Z' => Kind::Letter,
            b':' | b'=' | b'>' | b'-' | b'+' | b'/' | b'(' | b'[' | b'%' => Kind::Sign,
            _ => Kind::Nothing,
        };
        byte += 1;
    }
    kinds
}

/// The shortest credential that consists of letters only.
const SHORTEST_OF_LETTERS: usize = 16;

/// Whether the built-in rules can find anything in a text. They need a digit, one of a few
/// signs, a long run of letters, or the name of a scheme.
pub(crate) fn can_match(text: &str) -> bool {
    let mut letters = 0;
    for byte in text.bytes() {
        letters = match KINDS[usize::from(byte)] {
            Kind::Letter => letters + 1,
            Kind::Nothing if !matches!(byte, b'@' | b'.' | b'_') => 0,
            Kind::Nothing | Kind::Digit | Kind::Sign => return true,
        };
        if letters >= SHORTEST_OF_LETTERS {
            return true;
        }
    }
    text.len() > SHORTEST_OF_LETTERS && text.split(' ').any(is_scheme)
}

fn is_scheme(word: &str) -> bool {
    word.eq_ignore_ascii_case("bearer") || word.eq_ignore_ascii_case("basic")
}

/// The positions of the next matches of the other searches.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Others {
    /// The match of a team's own pattern, which takes precedence over matches of the rules at
    /// the same position.
    pub(crate) own: Option<usize>,
    /// An e-mail address, over which matches of the rules take precedence.
    pub(crate) email: Option<usize>,
}

/// Finds the next match of the rules from a position on, if it begins before the matches of the
/// other searches. E-mail addresses are not included: they are searched by their `@`.
///
/// Each byte is visited once, independent of what the other searches find between two calls.
/// After their first match, only the bounded number of bytes that a detector needs is read.
pub(crate) fn find_next(
    text: Text<'_>,
    from: usize,
    others: Others,
    choice: &dyn Choice,
) -> Option<Finding<'static>> {
    let mut text = text;
    text.floor = from;
    let bytes = text.text.as_bytes();
    let own = others.own.unwrap_or(usize::MAX);
    let until = own.min(others.email.unwrap_or(usize::MAX));
    text.limit = until.min(own.wrapping_sub(1));
    let mut at = from;
    while at < bytes.len() && at <= until {
        let byte = bytes[at];
        if at == own {
            return find_before_own(text, at, byte, choice);
        }
        if byte == b'['
            && let Some(end) = text.mark_end(at)
        {
            text.floor = end;
            text.follows_secret = &text.text[at..end] == REDACTED_KEY;
            at = end;
            continue;
        }
        let found = find_at(text, at, byte, choice);
        if found.is_some() {
            return found;
        }
        at = match KINDS[usize::from(byte)] {
            Kind::Nothing | Kind::Sign => at + 1,
            Kind::Letter | Kind::Digit => word_end(text, at, until),
        };
    }
    None
}

/// Finds the value that begins at a byte.
fn find_at(text: Text<'_>, at: usize, byte: u8, choice: &dyn Choice) -> Option<Finding<'static>> {
    match KINDS[usize::from(byte)] {
        Kind::Nothing => None,
        Kind::Sign => find_at_sign(text, at, byte, choice),
        Kind::Letter | Kind::Digit if !text.starts_word(at) => None,
        Kind::Letter => find_at_letter(text, at, choice),
        Kind::Digit => find_at_digit(text, at, choice),
    }
}

/// Finds a value that begins before the sign at which a team's own pattern matches: a password
/// before `@tcp(`.
fn find_before_own(
    text: Text<'_>,
    at: usize,
    byte: u8,
    choice: &dyn Choice,
) -> Option<Finding<'static>> {
    let (start, end) = url::find_driver(text, at).filter(|_| byte == b'(')?;
    match_if_on(choice, start, end, URL_PASSWORD)
}

/// Where the next word can begin: after this word, or after an escape that may end at the
/// position. The walk ends after `until`, so the rest of a word is not read there.
fn word_end(text: Text<'_>, at: usize, until: usize) -> usize {
    if matches!(text.byte_before(at), b'\\' | b'%') {
        return at + 1;
    }
    let uuid = at + uuid_length(text, at);
    let rest = text.rest(uuid).iter();
    let rest = rest.take(until.saturating_add(1).saturating_sub(uuid));
    let length = rest.take_while(|byte| byte.is_ascii_alphanumeric()).count();
    (uuid + length).max(at + 1)
}

/// The length of a UUID at a position, or 0. UUIDs are skipped as a whole, because their runs
/// of digits have no meaning.
fn uuid_length(text: Text<'_>, at: usize) -> usize {
    let rest = text.rest(at);
    let is_dashed = rest.len() >= 36 && [8, 13, 18, 23].iter().all(|&dash| rest[dash] == b'-');
    let is_uuid = is_dashed
        && text.starts_word(at)
        && (0..36).all(|place| rest[place].is_ascii_hexdigit() || rest[place] == b'-')
        && !rest.get(36).is_some_and(u8::is_ascii_alphanumeric);
    if is_uuid { 36 } else { 0 }
}

fn find_at_sign(
    text: Text<'_>,
    at: usize,
    byte: u8,
    choice: &dyn Choice,
) -> Option<Finding<'static>> {
    let is_secret = |key: &str| choice.is_secret(key);
    let on = |(start, end, rule)| match_if_on(choice, start, end, rule);
    let to = |end, rule| match_if_on(choice, at, end, rule);
    match byte {
        b':' => url::find(text, at)
            .and_then(|(start, end)| on((start, end, URL_PASSWORD)))
            .or_else(|| find_assigned(text, at, choice))
            .or_else(|| address::find_v6(text, at).and_then(|end| to(end, IP_ADDRESS))),
        b'=' => find_assigned(text, at, choice).or_else(|| {
            if !choice.is_on(AZURE_SAS) {
                return None;
            }
            let (start, end) = assignment::find_signature(text, at)?;
            on((start, end, AZURE_SAS))
        }),
        b'>' => assignment::find_element(text, at, &is_secret).and_then(on),
        b'-' => find_private_key(text, at, choice)
            .or_else(|| assignment::find_change(text, at).and_then(on))
            .or_else(|| find_option(text, at, choice)),
        b'+' => phone::find_international(text, at)
            .and_then(|end| to(end, PHONE))
            .or_else(|| special::aws_secret(text, at).and_then(|end| to(end, AWS_SECRET))),
        b'/' => special::aws_secret(text, at).and_then(|end| to(end, AWS_SECRET)),
        b'%' if text.rest(at).starts_with(b"%2B") => {
            phone::find_international(text, at).and_then(|end| to(end, PHONE))
        }
        b'(' => phone::find_parenthesised(text, at)
            .and_then(|end| to(end, PHONE))
            .or_else(|| {
                let (start, end) = url::find_driver(text, at)?;
                on((start, end, URL_PASSWORD))
            }),
        _ => None,
    }
}

/// Finds a private key. If the rule is off, nothing is searched, because a key that is not
/// masked would be read again at each `BEGIN` in it.
fn find_private_key(text: Text<'_>, at: usize, choice: &dyn Choice) -> Option<Finding<'static>> {
    if text.byte(at + 1) != b'-' || !choice.is_on(PRIVATE_KEY) {
        return None;
    }
    let end = private_key::find(text, at)?;
    match_if_on(choice, at, end, PRIVATE_KEY)
}

/// Finds the value of an option. The rule is determined before the end of the value, which is
/// read only if the rule is on, for the same reason.
fn find_option(text: Text<'_>, at: usize, choice: &dyn Choice) -> Option<Finding<'static>> {
    if text.byte(at + 1) != b'-' {
        return None;
    }
    let is_secret = |key: &str| choice.is_secret(key);
    let mut unread = text;
    unread.limit = 0;
    let (_, _, rule) = assignment::find_option(unread, at, &is_secret)?;
    if !choice.is_on(rule) {
        return None;
    }
    let (start, end, rule) = assignment::find_option(text, at, &is_secret)?;
    match_if_on(choice, start, end, rule)
}

/// Finds the value of a secret key. If the rule is off, nothing is searched, because a value
/// that is not masked would be read again at each sign in it.
fn find_assigned(text: Text<'_>, at: usize, choice: &dyn Choice) -> Option<Finding<'static>> {
    if !choice.is_on(SECRET) {
        return None;
    }
    let (start, end, rule) = assignment::find(text, at, &|key| choice.is_secret(key))?;
    match_if_on(choice, start, end, rule)
}

/// Finds a credential with its own format at the start of a word.
fn find_credential(text: Text<'_>, at: usize, choice: &dyn Choice) -> Option<Finding<'static>> {
    let on = |(end, rule)| match_if_on(choice, at, end, rule);
    tokens::find(text, at, |rule| choice.is_on(rule))
        .and_then(on)
        .or_else(|| jwt::find(text, at).and_then(|end| on((end, JWT))))
        .or_else(|| special::find(text, at).and_then(on))
}

/// The match of a rule, or `None` if the rule is off.
fn match_if_on(
    choice: &dyn Choice,
    start: usize,
    end: usize,
    rule: &'static str,
) -> Option<Finding<'static>> {
    choice.is_on(rule).then_some(Finding { start, end, rule })
}

fn find_at_letter(text: Text<'_>, at: usize, choice: &dyn Choice) -> Option<Finding<'static>> {
    let to = |end, rule| match_if_on(choice, at, end, rule);
    if let Some(found) = find_credential(text, at, choice) {
        return Some(found);
    }
    if let Some((start, end, rule)) = header::find(text, at)
        && choice.is_on(rule)
    {
        return Some(Finding { start, end, rule });
    }
    if matches!(text.byte(at), b'i' | b'w') && choice.is_on(SECRET) {
        let found = assignment::find_sentence(text, at, &|key| choice.is_secret(key));
        if let Some((start, end, rule)) = found {
            return Some(Finding { start, end, rule });
        }
    }
    if let Some(found) = find_after_word(text, at, choice) {
        return Some(found);
    }
    let start = number::find_start(text, at)?;
    iban::find(text, at)
        .and_then(|end| to(end, IBAN))
        .or_else(|| national::find(text, at, start).and_then(|end| to(end, NATIONAL_ID)))
        .or_else(|| address::find_v6(text, at).and_then(|end| to(end, IP_ADDRESS)))
}

/// Finds the secret after a word without a sign, as in lists of headers and in SQL.
fn find_after_word(text: Text<'_>, at: usize, choice: &dyn Choice) -> Option<Finding<'static>> {
    if !choice.is_on(SECRET) {
        return None;
    }
    let (start, end, rule) = match text.byte(at).to_ascii_lowercase() {
        b'a' | b'c' | b's' | b'x' => assignment::find_listed(text, at)?,
        b'b' => assignment::find_clause(text, at)?,
        b'p' => assignment::find_listed(text, at).or_else(|| assignment::find_clause(text, at))?,
        _ => return None,
    };
    match_if_on(choice, start, end, rule)
}

fn find_at_digit(text: Text<'_>, at: usize, choice: &dyn Choice) -> Option<Finding<'static>> {
    let to = |end, rule| match_if_on(choice, at, end, rule);
    if let Some(found) = find_credential(text, at, choice) {
        return Some(found);
    }
    if uuid_length(text, at) > 0 {
        return None;
    }
    if let Some(found) = address::find_v6(text, at).and_then(|end| to(end, IP_ADDRESS)) {
        return Some(found);
    }
    if let Some(found) = address::find_v4(text, at).and_then(|end| to(end, IP_ADDRESS)) {
        return Some(found);
    }
    let start = number::find_start(text, at)?;
    let groups = number::Groups::read(text, at);
    if groups.digits(usize::MAX).len() < 7 {
        return None;
    }
    card::find(text, at, start, &groups)
        .and_then(|end| to(end, CARD))
        .or_else(|| national::find(text, at, start).and_then(|end| to(end, NATIONAL_ID)))
        .or_else(|| phone::find_national(text, at, start, &groups).and_then(|end| to(end, PHONE)))
}

/// Finds the next e-mail address from a position on.
pub(crate) fn find_next_email(text: Text<'_>, from: usize) -> Option<Finding<'static>> {
    let mut text = text;
    text.floor = from;
    let (start, end) = email::find(text, from)?;
    Some(Finding {
        start,
        end,
        rule: EMAIL,
    })
}
