//! A single walk over a text, which calls each detector where its values can begin.

use std::cell::OnceCell;

use crate::credentials::{header, jwt, private_key, special, url};
use crate::finding::{Choice, Finding};
use crate::personal::{self, Place, Sheet, address, email};
use crate::rules::{
    AWS_SECRET, AZURE_SAS, EMAIL, IP_ADDRESS, JWT, PRIVATE_KEY, URL_PASSWORD, WALLET_KEY,
};
use crate::text::{MARK, Text, Word};
use crate::time;
use crate::tokens;

/// The kind of value that can begin at a byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Nothing,
    Letter,
    Digit,
    Sign,
    /// The first byte of a digit of another script.
    Script,
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
            b':' | b'=' | b'>' | b'-' | b'+' | b'/' | b'(' | b'[' | b'%' | b'$' | b'{' | b'*' => {
                Kind::Sign
            }
            0xD9 | 0xDB | 0xE0 | 0xEF => Kind::Script,
            _ => Kind::Nothing,
        };
        byte += 1;
    }
    kinds
}

/// Adds what the rules find in a text, except values beside names and e-mail addresses.
pub(crate) fn find(text: Text<'_>, choice: &dyn Choice, findings: &mut Vec<Finding<'static>>) {
    let sheet = Sheet::default();
    let bytes = text.text.as_bytes();
    let mut walk = Walk {
        whole: text,
        text,
        choice,
        findings,
        sheet: &sheet,
        previous: None,
        part: 0,
    };
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        at = match KINDS[usize::from(byte)] {
            Kind::Nothing => walk.skip(at, byte),
            kind => walk.read(at, byte, kind),
        };
    }
    walk.end_part(bytes.len());
}

/// A walk over a text.
struct Walk<'t, 'f> {
    whole: Text<'t>,
    /// The text, whose floor is the end of the last finding.
    text: Text<'t>,
    choice: &'t dyn Choice,
    findings: &'f mut Vec<Finding<'static>>,
    sheet: &'t Sheet,
    /// The rule that found the last value.
    previous: Option<&'t str>,
    /// Where the part without blanks begins that is being read.
    part: usize,
}

impl Walk<'_, '_> {
    /// Skips a byte with which nothing can begin. Returns where the walk continues.
    #[inline]
    fn skip(&mut self, at: usize, byte: u8) -> usize {
        if matches!(byte, b' ' | b'\n' | b'"') {
            self.end_part(at);
        }
        at + 1
    }

    /// Reads the part that ends at a position.
    #[inline]
    fn end_part(&mut self, at: usize) {
        tokens::find_inside(self.whole, self.part, at, self.choice, self.findings);
        self.part = at + 1;
    }

    /// Reads what can begin with a byte. Returns where the walk continues. Each word of a text comes here,
    /// so the call must cost nothing.
    #[inline(always)]
    fn read(&mut self, at: usize, byte: u8, kind: Kind) -> usize {
        let text = self.text;
        if byte == b'['
            && let Some(end) = text.mark_end(at)
        {
            self.previous = text.text.get(at + MARK.len()..end - 1);
            self.text.floor = end;
            return end;
        }
        let is_word = matches!(kind, Kind::Letter | Kind::Digit);
        let word = if is_word {
            Word::read(text, at)
        } else {
            Word::default()
        };
        if is_word && !text.starts_word(at) {
            return word_end(text, at, word);
        }
        let begins_token = is_word && tokens::can_begin(text, at);
        if is_word && !begins_token && is_plain(text, at, word) {
            return at + word.length;
        }
        if kind == Kind::Digit
            && let Some(end) = time::find(text, at, word)
        {
            return end;
        }
        let words = OnceCell::new();
        let place = Place {
            text,
            at,
            word,
            begins_token,
            sheet: self.sheet,
            previous: self.previous,
            choice: self.choice,
            words: &words,
        };
        let (found, next) = match kind {
            Kind::Script if text.starts_word(at) => personal::find_script(place),
            Kind::Script | Kind::Nothing => (None, at + 1),
            Kind::Sign => (find_at_sign(place, byte), at + 1),
            Kind::Letter => find_at_letter(place),
            Kind::Digit => find_at_digit(place),
        };
        found.map_or(next, |found| self.add(at, found))
    }

    /// Adds what was found at a position. Returns where the walk continues.
    fn add(&mut self, at: usize, found: Finding<'static>) -> usize {
        self.text.floor = found.end;
        self.previous = Some(found.rule);
        self.findings.push(found);
        // A value can begin before the byte at which it is recognised.
        found.end.max(at + 1)
    }
}

/// Whether nothing can begin with a word, because it is short and has letters or digits only. This
/// decides on most words of a log, so it is checked before anything else.
fn is_plain(text: Text<'_>, at: usize, word: Word) -> bool {
    let end = at + word.length;
    if word.length >= SHORTEST_OF_LETTERS {
        return false;
    }
    if !word.has_digit() {
        return match word.next {
            b'-' | b'_' | b'+' | b'/' | b'.' | b':' | b'<' | b'$' | b'|' | b'!' => false,
            // `AB 12 34 56 C`, `May 21`, `abcd efgh ijkl mnop`, `Bearer …`
            b' ' => {
                let is_code = word.length == 4 && text.byte(end + 5) == b' ';
                let is_scheme = matches!(text.byte(at), b'b' | b'B');
                !(is_code || is_scheme || text.byte(end + 1).is_ascii_digit())
            }
            b'%' => !matches!(text.byte(at), b'b' | b'B'),
            _ => true,
        };
    }
    if !word.is_number() || word.length > 3 {
        return false;
    }
    match word.next {
        b')' | b']' | b'}' | b'"' | b'\'' | b'=' | b';' | b'\n' | b'\r' | b'&' | b'%' => true,
        b',' => word.length == 3,
        b' ' => word.length == 3 && !matches!(text.byte(end + 1), b'0'..=b'9' | b'/' | b'-'),
        _ => false,
    }
}

/// Where the next word can begin: after this word, or after an escape that may end at the
/// position.
fn word_end(text: Text<'_>, at: usize, word: Word) -> usize {
    if matches!(text.byte_before(at), b'\\' | b'%') {
        return at + 1;
    }
    at + word.length.max(1)
}

/// The shortest credential that consists of letters only.
const SHORTEST_OF_LETTERS: usize = 16;

/// Whether the rules of this module can find anything in a text. They need a digit, one of a few
/// signs, a long run of letters, or the name of a scheme.
pub(crate) fn can_match(text: &str) -> bool {
    let mut letters = 0;
    for byte in text.bytes() {
        letters = match KINDS[usize::from(byte)] {
            Kind::Letter => letters + 1,
            Kind::Nothing if !matches!(byte, b'@' | b'.' | b'_') && byte.is_ascii() => 0,
            Kind::Nothing | Kind::Script | Kind::Digit | Kind::Sign => return true,
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

/// Adds the private keys in a text.
pub(crate) fn find_private_keys(
    text: Text<'_>,
    choice: &dyn Choice,
    findings: &mut Vec<Finding<'static>>,
) {
    let mut from = 0;
    for start in private_key::places(text.text) {
        if start >= from
            && let Some(end) = private_key::find(text, start)
            && let Some(found) = match_if_on(choice, start, end, PRIVATE_KEY)
        {
            from = end;
            findings.push(found);
        }
    }
}

/// The length of a UUID.
const UUID: usize = 36;

/// Whether a UUID begins with a word. UUIDs are read as a whole, because their runs of digits
/// have no meaning.
fn is_uuid(place: Place<'_>) -> bool {
    if place.word.length != 8 || place.word.next != b'-' || !place.word.is_hex() {
        return false;
    }
    let Some(uuid) = place.text.rest(place.at).get(..UUID) else {
        return false;
    };
    let is_part = |(at, byte): (usize, &u8)| match at {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    uuid.iter().enumerate().all(is_part)
        && !place.text.byte(place.at + UUID).is_ascii_alphanumeric()
}

/// Finds what a UUID is. Returns it, and where the walk continues.
fn find_uuid(place: Place<'_>) -> (Option<Finding<'static>>, usize) {
    let end = place.at + UUID;
    (personal::find_uuid(place), end)
}

fn find_at_sign(place: Place<'_>, byte: u8) -> Option<Finding<'static>> {
    let Place {
        text, at, choice, ..
    } = place;
    let on = |(start, end, rule)| match_if_on(choice, start, end, rule);
    let to = |end, rule| match_if_on(choice, at, end, rule);
    match byte {
        b':' => url::find(text, at)
            .and_then(|(start, end)| on((start, end, URL_PASSWORD)))
            .or_else(|| {
                let (start, end) = special::find_jwk(text, at)?;
                on((start, end, PRIVATE_KEY))
            })
            .or_else(|| address::find_v6(text, at).and_then(|end| to(end, IP_ADDRESS))),
        b'[' => special::find_byte_list(text, at).and_then(|end| to(end, WALLET_KEY)),
        b'=' => {
            // A signature that is not masked would be read again at each sign in it.
            let is_on = choice.is_on(AZURE_SAS);
            let (start, end) = is_on.then(|| special::find_signature(text, at)).flatten()?;
            on((start, end, AZURE_SAS))
        }
        b'-' => find_private_key(text, at, choice),
        b'$' | b'{' | b'*' => tokens::find_at_sign(text, at, |rule| choice.is_on(rule))
            .map(|(start, end, rule)| Finding { start, end, rule }),
        b'+' => personal::find_plus(place)
            .or_else(|| special::aws_secret(text, at).and_then(|end| to(end, AWS_SECRET))),
        b'/' => special::aws_secret(text, at).and_then(|end| to(end, AWS_SECRET)),
        b'%' if text.rest(at).starts_with(b"%2B") => personal::find_plus(place),
        b'(' => personal::find_parenthesis(place).or_else(|| {
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

/// Finds a credential with its own format at the start of a word.
fn find_credential(place: Place<'_>) -> Option<Finding<'static>> {
    let Place {
        text,
        at,
        word,
        begins_token,
        choice,
        ..
    } = place;
    let on = |(end, rule)| match_if_on(choice, at, end, rule);
    let is_on = |rule: &str| choice.is_on(rule);
    if let Some((start, end, rule)) = tokens::find(text, at, word, begins_token, is_on) {
        return Some(Finding { start, end, rule });
    }
    let own = match text.byte(at) {
        b'e' => jwt::find(text, at).and_then(|end| on((end, JWT))),
        b'P' => find_putty(text, at, choice),
        b'b' | b'B' => header::find(text, at)
            .and_then(|(start, end, rule)| match_if_on(choice, start, end, rule)),
        _ => None,
    };
    own.or_else(|| special::find(text, at, word).and_then(on))
}

/// Finds a key of PuTTY. If the rule is off, nothing is searched, because a key that is not masked
/// would be read again at each such line in it.
fn find_putty(text: Text<'_>, at: usize, choice: &dyn Choice) -> Option<Finding<'static>> {
    let is_on = choice.is_on(PRIVATE_KEY);
    let (start, end) = is_on.then(|| private_key::find_putty(text, at)).flatten()?;
    match_if_on(choice, start, end, PRIVATE_KEY)
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

/// Finds what begins with a letter. Returns it, and where the walk continues.
fn find_at_letter(place: Place<'_>) -> (Option<Finding<'static>>, usize) {
    let end = word_end(place.text, place.at, place.word);
    if let Some(found) = find_credential(place) {
        return (Some(found), end);
    }
    if is_uuid(place) {
        return find_uuid(place);
    }
    (personal::find_word(place), end)
}

/// Finds what begins with a digit. Returns it, and where the walk continues.
fn find_at_digit(place: Place<'_>) -> (Option<Finding<'static>>, usize) {
    let end = word_end(place.text, place.at, place.word);
    if let Some(found) = find_credential(place) {
        return (Some(found), end);
    }
    if is_uuid(place) {
        return find_uuid(place);
    }
    (personal::find_digits(place), end)
}

/// Adds the e-mail addresses in a text.
pub(crate) fn find_emails(
    text: Text<'_>,
    choice: &dyn Choice,
    findings: &mut Vec<Finding<'static>>,
) {
    if !choice.is_on(EMAIL) {
        return;
    }
    let mut text = text;
    while let Some((start, end)) = email::find(text, text.floor) {
        findings.push(Finding {
            start,
            end,
            rule: EMAIL,
        });
        text.floor = end;
    }
}
