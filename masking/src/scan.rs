//! One walk over a text that asks each detector where it can begin.

use crate::REDACTED_KEY;
use crate::credentials::{assignment, header, jwt, private_key, special, url};
use crate::personal::{address, card, email, iban, national, number, phone};
use crate::rules::{
    AWS_SECRET, AZURE_SAS, CARD, EMAIL, IBAN, IP_ADDRESS, JWT, NATIONAL_ID, PHONE, PRIVATE_KEY,
    SECRET, URL_PASSWORD,
};
use crate::text::Text;
use crate::tokens;

/// Something to mask, and the rule that found it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found<'n> {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) rule: &'n str,
}

/// What a team's settings change about the built-in rules.
pub(crate) trait Choice {
    /// Whether a rule is on.
    fn is_on(&self, rule: &str) -> bool;
    /// Whether a field of this name holds a secret.
    fn is_secret(&self, key: &str) -> bool;
}

/// What can begin at a byte.
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

/// A credential that is all letters is no shorter.
const SHORTEST_OF_LETTERS: usize = 16;

/// Whether a text can hold anything that the built-in rules find: each needs a
/// digit, one of a few signs, a long run of letters, or the name of a scheme.
pub(crate) fn can_hold(text: &str) -> bool {
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

/// The first thing that the rules find from a place on, and no farther than to
/// `until`, other than an address of e-mail, which is looked for from its `@`.
pub(crate) fn next(
    text: Text<'_>,
    from: usize,
    until: usize,
    choice: &dyn Choice,
) -> Option<Found<'static>> {
    let mut text = text;
    text.floor = from;
    let bytes = text.text.as_bytes();
    let mut at = from;
    while at < bytes.len() && at <= until {
        let byte = bytes[at];
        if byte == b'['
            && let Some(end) = text.mark_end(at)
        {
            text.floor = end;
            text.follows_secret = &text.text[at..end] == REDACTED_KEY;
            at = end;
            continue;
        }
        let kind = KINDS[usize::from(byte)];
        let found = match kind {
            Kind::Nothing => None,
            Kind::Sign => at_sign(text, at, byte, choice),
            Kind::Letter | Kind::Digit if !text.starts_word(at) => None,
            Kind::Letter => at_letter(text, at, choice),
            Kind::Digit => at_digit(text, at, choice),
        };
        if found.is_some() {
            return found;
        }
        at = match kind {
            Kind::Nothing | Kind::Sign => at + 1,
            Kind::Letter | Kind::Digit => word_end(text, at),
        };
    }
    None
}

/// Where the next word can begin: behind this one, or behind the escape that
/// this one may be the end of.
fn word_end(text: Text<'_>, at: usize) -> usize {
    if matches!(text.byte_before(at), b'\\' | b'%') {
        return at + 1;
    }
    let uuid = at + uuid_length(text, at);
    text.run(uuid, |byte| byte.is_ascii_alphanumeric())
        .max(at + 1)
}

/// A UUID is skipped as a whole: its runs of digits mean nothing.
fn uuid_length(text: Text<'_>, at: usize) -> usize {
    let rest = text.rest(at);
    let is_dashed = rest.len() >= 36 && [8, 13, 18, 23].iter().all(|&dash| rest[dash] == b'-');
    let is_uuid = is_dashed
        && text.starts_word(at)
        && (0..36).all(|place| rest[place].is_ascii_hexdigit() || rest[place] == b'-')
        && !rest.get(36).is_some_and(u8::is_ascii_alphanumeric);
    if is_uuid { 36 } else { 0 }
}

fn at_sign(text: Text<'_>, at: usize, byte: u8, choice: &dyn Choice) -> Option<Found<'static>> {
    let is_secret = |key: &str| choice.is_secret(key);
    let on = |(start, end, rule)| found(choice, start, end, rule);
    let to = |end, rule| found(choice, at, end, rule);
    match byte {
        b':' => url::find(text, at)
            .and_then(|(start, end)| on((start, end, URL_PASSWORD)))
            .or_else(|| assigned(text, at, choice))
            .or_else(|| address::find_v6(text, at).and_then(|end| to(end, IP_ADDRESS))),
        b'=' => assigned(text, at, choice).or_else(|| {
            let (start, end) = assignment::find_signature(text, at)?;
            on((start, end, AZURE_SAS))
        }),
        b'>' => assignment::find_element(text, at, &is_secret).and_then(on),
        b'-' => private_key::find(text, at)
            .and_then(|end| to(end, PRIVATE_KEY))
            .or_else(|| assignment::find_change(text, at).and_then(on))
            .or_else(|| assignment::find_option(text, at, &is_secret).and_then(on)),
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

/// The value of a secret key. Where the rule is off it is not even looked for,
/// so that a value that stays is not read once for each sign in it.
fn assigned(text: Text<'_>, at: usize, choice: &dyn Choice) -> Option<Found<'static>> {
    if !choice.is_on(SECRET) {
        return None;
    }
    let (start, end, rule) = assignment::find(text, at, &|key| choice.is_secret(key))?;
    found(choice, start, end, rule)
}

fn credential(text: Text<'_>, at: usize, choice: &dyn Choice) -> Option<Found<'static>> {
    let on = |(end, rule)| found(choice, at, end, rule);
    tokens::find(text, at, |rule| choice.is_on(rule))
        .and_then(on)
        .or_else(|| jwt::find(text, at).and_then(|end| on((end, JWT))))
        .or_else(|| special::find(text, at).and_then(on))
}

/// What a rule has found, unless it is switched off.
fn found(
    choice: &dyn Choice,
    start: usize,
    end: usize,
    rule: &'static str,
) -> Option<Found<'static>> {
    choice.is_on(rule).then_some(Found { start, end, rule })
}

fn at_letter(text: Text<'_>, at: usize, choice: &dyn Choice) -> Option<Found<'static>> {
    let to = |end, rule| found(choice, at, end, rule);
    if let Some(found) = credential(text, at, choice) {
        return Some(found);
    }
    if let Some((start, end, rule)) = header::find(text, at)
        && choice.is_on(rule)
    {
        return Some(Found { start, end, rule });
    }
    if matches!(text.byte(at), b'i' | b'w') && choice.is_on(SECRET) {
        let found = assignment::find_sentence(text, at, &|key| choice.is_secret(key));
        if let Some((start, end, rule)) = found {
            return Some(Found { start, end, rule });
        }
    }
    if let Some(found) = behind_word(text, at, choice) {
        return Some(found);
    }
    let start = number::start(text, at)?;
    iban::find(text, at)
        .and_then(|end| to(end, IBAN))
        .or_else(|| national::find(text, at, start).and_then(|end| to(end, NATIONAL_ID)))
        .or_else(|| address::find_v6(text, at).and_then(|end| to(end, IP_ADDRESS)))
}

/// The secret behind a word and no sign, as headers are listed and SQL is written.
fn behind_word(text: Text<'_>, at: usize, choice: &dyn Choice) -> Option<Found<'static>> {
    let (start, end, rule) = match text.byte(at).to_ascii_lowercase() {
        b'a' | b'c' | b's' | b'x' => assignment::find_listed(text, at)?,
        b'b' => assignment::find_clause(text, at)?,
        b'p' => assignment::find_listed(text, at).or_else(|| assignment::find_clause(text, at))?,
        _ => return None,
    };
    let is_on = choice.is_on(SECRET) && choice.is_on(rule);
    is_on.then_some(Found { start, end, rule })
}

fn at_digit(text: Text<'_>, at: usize, choice: &dyn Choice) -> Option<Found<'static>> {
    let to = |end, rule| found(choice, at, end, rule);
    if let Some(found) = credential(text, at, choice) {
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
    let start = number::start(text, at)?;
    let groups = number::Groups::read(text, at);
    if groups.digits(usize::MAX).len() < 7 {
        return None;
    }
    card::find(text, at, start, &groups)
        .and_then(|end| to(end, CARD))
        .or_else(|| national::find(text, at, start).and_then(|end| to(end, NATIONAL_ID)))
        .or_else(|| phone::find_national(text, at, start, &groups).and_then(|end| to(end, PHONE)))
}

/// The first address of e-mail from a place on that stands in no mark.
pub(crate) fn next_email(text: Text<'_>, from: usize) -> Option<Found<'static>> {
    let mut text = text;
    text.floor = from;
    let (start, end) = email::find(text, from)?;
    Some(Found {
        start,
        end,
        rule: EMAIL,
    })
}
