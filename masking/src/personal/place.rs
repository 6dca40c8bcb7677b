//! Finds the personal data that begins at a place of a text.
//!
//! The forms of values are checked first, because this is cheap; the words before a value are only
//! read if its form allows that it is personal data.

use std::cell::OnceCell;

use memchr::memmem;

use super::context::{Context, Label};
use super::number::{self, Groups, Start, find_start};
use super::script::Rewritten;
use super::value::is_date;
use super::{account, address, birth, card, device, iban, national, phone, value, wallet};
use crate::finding::{Choice, Finding};
use crate::rules::{
    ACCOUNT, BIRTH, CARD, DEVICE_ID, IBAN, IP_ADDRESS, MAC_ADDRESS, NATIONAL_ID, PHONE, WALLET,
};
use crate::text::{Facts, Text, Word};

/// The longest run of letters and digits that can be personal data.
const LONGEST_RUN: usize = wallet::LONGEST;

/// The longest heading of a table.
const LONGEST_HEADING: usize = 600;

/// The shortest number that can be personal data, but for the series of a passport.
const SHORTEST_NUMBER: usize = 6;

/// How far the start of a line is searched.
const LONGEST_ROW: usize = 512;

/// Signs of the protocols of telephony. In a text with one of them, numbers with a country's code
/// are phone numbers.
const TELEPHONY: [&str; 8] = [
    "PJSIP/",
    "SIP/",
    "dialplan",
    "SMSC:",
    "submit_sm",
    "deliver_sm",
    "from-trunk",
    "DAHDI/",
];

/// Facts about the whole text.
#[derive(Debug, Default)]
pub(crate) struct Sheet {
    heading: OnceCell<Option<Heading>>,
    is_telephony: OnceCell<bool>,
}

/// The first line of a table: its delimiter, and what the names of the columns say.
#[derive(Debug)]
struct Heading {
    delimiter: u8,
    columns: Vec<Context>,
    end: usize,
}

impl Sheet {
    /// What the heading of the column says about the value at a position.
    fn column(&self, text: Text<'_>, at: usize) -> Option<Context> {
        let heading = self
            .heading
            .get_or_init(|| Heading::read(text.text))
            .as_ref()?;
        if at <= heading.end {
            return None;
        }
        let from = at.saturating_sub(LONGEST_ROW);
        let bytes = &text.text.as_bytes()[from..at];
        let start = memchr::memrchr(b'\n', bytes)? + 1;
        let column = memchr::memchr_iter(heading.delimiter, &bytes[start..]).count();
        heading
            .columns
            .get(column)
            .copied()
            .filter(Context::is_known)
    }

    fn is_telephony(&self, text: Text<'_>) -> bool {
        let find = || {
            TELEPHONY
                .iter()
                .any(|sign| memmem::find(text.text.as_bytes(), sign.as_bytes()).is_some())
        };
        *self.is_telephony.get_or_init(find)
    }
}

impl Heading {
    fn read(text: &str) -> Option<Self> {
        let end = memchr::memchr(b'\n', &text.as_bytes()[..text.len().min(LONGEST_HEADING)])?;
        let line = text.get(..end)?;
        if line.contains(['=', '{', '<', ':']) {
            return None;
        }
        let count = |delimiter: &u8| memchr::memchr_iter(*delimiter, line.as_bytes()).count();
        let delimiter = [b',', b';', b'\t', b'|'].into_iter().max_by_key(count)?;
        let columns: Vec<Context> = line
            .split(char::from(delimiter))
            .map(Context::read)
            .collect();
        let is_heading = columns.len() > 1 && columns.iter().any(Context::is_known);
        is_heading.then_some(Self {
            delimiter,
            columns,
            end,
        })
    }
}

/// A place of a text at which a value can begin.
#[derive(Clone, Copy)]
pub(crate) struct Place<'t> {
    pub(crate) text: Text<'t>,
    pub(crate) at: usize,
    /// The run of letters and digits that begins there.
    pub(crate) word: Word,
    /// Whether the prefix of a token can begin there.
    pub(crate) begins_token: bool,
    pub(crate) sheet: &'t Sheet,
    /// The rule that found the last value before the place.
    pub(crate) previous: Option<&'t str>,
    pub(crate) choice: &'t dyn Choice,
    /// What the words before the place say, once they have been read.
    pub(crate) words: &'t OnceCell<Context>,
}

impl Place<'_> {
    /// The finding of a rule that ends at a position, if the rule is on.
    fn to(&self, end: Option<usize>, rule: &'static str) -> Option<Finding<'static>> {
        let end = end?;
        self.choice.is_on(rule).then_some(Finding {
            start: self.at,
            end,
            rule,
        })
    }

    /// What the words before the place, the value before it, or its column say about it.
    fn context(&self) -> Context {
        *self.words.get_or_init(|| self.read_context())
    }

    fn read_context(&self) -> Context {
        let context = Context::before(self.text, self.at);
        if context.is_known() {
            return context;
        }
        let inherited = if context.is_bare {
            self.inherit()
        } else {
            None
        };
        let found = inherited.or_else(|| self.sheet.column(self.text, self.at));
        found.map_or(context, |found| found.with_party(context.is_party))
    }

    /// The meaning of the value before this one, if both are a list or two parts of one thing:
    /// `030 901820 / 030 901821`, `series … number …`.
    fn inherit(&self) -> Option<Context> {
        let label = match self.previous? {
            PHONE => Label::Phone,
            CARD => Label::Card,
            ACCOUNT => Label::Account,
            NATIONAL_ID => Label::Identity,
            DEVICE_ID => Label::Device,
            _ => return None,
        };
        let between = self.text.text.get(self.text.floor..self.at)?;
        if between.len() > 24 || between.contains(['"', '\n', ',', '{', '=', '<']) {
            return None;
        }
        let is_list = matches!(between.trim(), "/" | "->" | ">->" | "&");
        let is_part = between.contains(char::is_alphabetic)
            && matches!(label, Label::Account | Label::Identity | Label::Device);
        (is_list || is_part).then(|| Context::of(label))
    }
}

/// Finds the address in a network of which a word is the beginning.
fn find_network(place: Place<'_>) -> Option<Finding<'static>> {
    let Place { text, at, word, .. } = place;
    let is_group = word.length <= 4 && word.is_hex();
    match word.next {
        b':' if is_group => place
            .to(address::find_v6(text, at), IP_ADDRESS)
            .or_else(|| place.to(device::find_hardware(text, at), MAC_ADDRESS)),
        b'-' if word.length == 2 && word.is_hex() => place
            .to(device::find_hardware(text, at), MAC_ADDRESS)
            .or_else(|| place.to(address::find_v4(text, at), IP_ADDRESS)),
        b'_' if word.length == 2 => place.to(device::find_hardware(text, at), MAC_ADDRESS),
        b'-' if word.length <= 3 => place.to(address::find_v4(text, at), IP_ADDRESS),
        b'.' if is_group => place
            .to(device::find_hardware(text, at), MAC_ADDRESS)
            .or_else(|| place.to(address::find_v4(text, at), IP_ADDRESS))
            .or_else(|| place.to(address::find_reverse(text, at), IP_ADDRESS)),
        _ => None,
    }
}

/// Finds personal data that begins with a digit.
pub(crate) fn find_digits(place: Place<'_>) -> Option<Finding<'static>> {
    let Place { text, at, word, .. } = place;
    if let Some(found) = find_network(place) {
        return Some(found);
    }
    if word.length > LONGEST_RUN || word.next == b'_' {
        return None;
    }
    if let Some(found) = find_birth(place) {
        return Some(found);
    }
    let start = find_start(text, at)?;
    let digits = if word.is_number() {
        word.length
    } else {
        text.run(at, |byte| byte.is_ascii_digit()) - at
    };
    if start == Start::Continued && digits <= 2 {
        // A number that a word names would have been found from its first group on.
        return None;
    }
    if digits < word.length && digits < 12 {
        return find_mixed(place, start);
    }
    if digits < SHORTEST_NUMBER && !number::continues(text, at + digits) {
        return None;
    }
    let groups = Groups::read(text, at);
    let count = groups.digits(usize::MAX).len().max(digits);
    let is_series = count == 4 && groups.all().len() == 2;
    if count < SHORTEST_NUMBER && !is_series {
        return None;
    }
    find_number(place, start, &groups).or_else(|| find_mixed(place, start))
}

/// Finds a date of birth that begins with a digit.
fn find_birth(place: Place<'_>) -> Option<Finding<'static>> {
    if !birth::can_begin(place.word) {
        return None;
    }
    let end = birth::find(place.text, place.at)?;
    let is_bare = place.text.rest(place.at)[..end - place.at]
        .iter()
        .all(u8::is_ascii_digit);
    let is_birth = birth::is_named(&place.context(), is_bare);
    if is_birth {
        place.to(Some(end), BIRTH)
    } else {
        None
    }
}

/// Finds a number of digits in groups.
fn find_number(place: Place<'_>, start: Start, groups: &Groups) -> Option<Finding<'static>> {
    let (text, at) = (place.text, place.at);
    let context = place.context();
    let is_other =
        (context.is(Label::Other) || context.is(Label::Version)) && context.distance <= 1;
    place
        .to(card::find(text, start, groups, &context), CARD)
        .or_else(|| place.to(device::find_named(text, at, &context), DEVICE_ID))
        .or_else(|| place.to(device::find_udid(text, at), DEVICE_ID))
        .or_else(|| place.to(national::find(text, at, start, &context), NATIONAL_ID))
        .or_else(|| place.to(account::find(text, at, &context), ACCOUNT))
        .or_else(|| place.to(phone::find_named(text, at, groups, &context), PHONE))
        .or_else(|| place.to(national::find_named(text, at, &context), NATIONAL_ID))
        .or_else(|| {
            let is_party = context.is_party
                || !context.is_known()
                    && groups.digits(1).len() >= 10
                    && place.sheet.is_telephony(text);
            if is_party {
                place.to(phone::find_party(text, groups), PHONE)
            } else {
                None
            }
        })
        .or_else(|| {
            let is_date = is_date(text.rest(at));
            if is_other || is_date {
                None
            } else {
                place.to(phone::find_grouped(text, at, start, groups), PHONE)
            }
        })
}

/// Finds a value of letters and digits that begins with a run of both.
fn find_mixed(place: Place<'_>, start: Start) -> Option<Finding<'static>> {
    let Place { text, at, word, .. } = place;
    let length = word.length;
    let run = &text.rest(at)[..length];
    if length >= wallet::SHORTEST && wallet::is_alone(text, at, run) {
        let found = place.to(Some(at + length), WALLET)?;
        return Some(Finding {
            start: wallet::find_start(text, at),
            ..found
        });
    }
    if let Some(found) = place.to(device::find_udid(text, at), DEVICE_ID) {
        return Some(found);
    }
    let is_hex = length >= 8 && word.is_hex();
    let is_id = length <= 20
        && !(word.has_lower() && word.has_upper())
        && (!word.has_lower() || length >= 6);
    if !(is_id || is_hex || length >= wallet::SHORTEST) {
        return None;
    }
    let context = place.context();
    if wallet::is_named(run, &context) {
        return place.to(Some(at + length), WALLET);
    }
    let hardware = context.is(Label::Hardware);
    place
        .to(
            device::find_named(text, at, &context),
            if hardware { MAC_ADDRESS } else { DEVICE_ID },
        )
        .or_else(|| place.to(national::find(text, at, start, &context), NATIONAL_ID))
        .or_else(|| place.to(national::find_named(text, at, &context), NATIONAL_ID))
        .or_else(|| place.to(account::find(text, at, &context), ACCOUNT))
}

/// Finds a UUID that is the id of a device or of its advertising, because a word says so.
pub(crate) fn find_uuid(place: Place<'_>) -> Option<Finding<'static>> {
    let context = place.context();
    place.to(
        device::find_named(place.text, place.at, &context),
        DEVICE_ID,
    )
}

/// Finds personal data that begins with a letter.
pub(crate) fn find_word(place: Place<'_>) -> Option<Finding<'static>> {
    let Place { text, at, word, .. } = place;
    if let Some(found) = find_network(place) {
        return Some(found);
    }
    if word.next == b'<'
        && let Some(found) = place.to(find_machine_readable(text, at), NATIONAL_ID)
    {
        return Some(found);
    }
    if word.length > LONGEST_RUN {
        return None;
    }
    if !word.has_digit() {
        return find_prefix(place);
    }
    if text.byte_before(at) == b'%' {
        return place.to(card::find_track(text, at), CARD);
    }
    let start = find_start(text, at)?;
    place
        .to(iban::find(text, at), IBAN)
        .or_else(|| find_mixed(place, start))
}

/// Finds a value that begins with letters only: `AB 12 34 56 C`, `June 21, 1944`, `V-14.872.391`.
fn find_prefix(place: Place<'_>) -> Option<Finding<'static>> {
    let Place { text, at, word, .. } = place;
    let run = word.length;
    let next = text.byte(at + run + 1);
    let is_followed = matches!(word.next, b' ' | b'-' | b'.')
        && (next.is_ascii_digit() || matches!(next, b' ' | b'-'));
    if !is_followed {
        return None;
    }
    if birth::is_month(text, at, run) {
        let end = birth::find_month_first(text, at, run)?;
        let is_birth = birth::is_named(&place.context(), false);
        return if is_birth {
            place.to(Some(end), BIRTH)
        } else {
            None
        };
    }
    if run > 6 || word.has_lower() || !next.is_ascii_digit() {
        return None;
    }
    let start = find_start(text, at)?;
    // `AB-1200` is too short for the number of a person.
    if value::read(text, at).is_none_or(|value| value.digits < 5) {
        return place.to(iban::find(text, at), IBAN);
    }
    let context = place.context();
    place
        .to(national::find(text, at, start, &context), NATIONAL_ID)
        .or_else(|| place.to(iban::find(text, at), IBAN))
        .or_else(|| place.to(national::find_named(text, at, &context), NATIONAL_ID))
}

/// Finds the machine-readable zone of a passport or an identity card: ICAO 9303, part 3.
fn find_machine_readable(text: Text<'_>, at: usize) -> Option<usize> {
    let is_part = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'<';
    let rest = text.rest(at).iter().take(46);
    let end = at + rest.take_while(|&&byte| is_part(byte)).count();
    let fillers = memchr::memchr_iter(b'<', &text.rest(at)[..end - at]).count();
    (end - at >= 28 && fillers >= 3 && !text.byte(end).is_ascii_alphanumeric()).then_some(end)
}

/// Finds a phone number that begins with a plus.
pub(crate) fn find_plus(place: Place<'_>) -> Option<Finding<'static>> {
    place.to(phone::find_international(place.text, place.at), PHONE)
}

/// Finds a phone number that begins with a parenthesis.
pub(crate) fn find_parenthesis(place: Place<'_>) -> Option<Finding<'static>> {
    if !place.text.byte(place.at + 1).is_ascii_digit() {
        return None;
    }
    let context = place.context();
    if context.is(Label::Other) && context.distance == 0 {
        return None;
    }
    let end = phone::find_parenthesised(place.text, place.at, context.is(Label::Phone));
    place.to(end, PHONE)
}

/// Finds personal data in digits of another script. Returns it, and where the walk continues.
pub(crate) fn find_script(place: Place<'_>) -> (Option<Finding<'static>>, usize) {
    let Some(rewritten) = Rewritten::read(place.text, place.at) else {
        return (None, place.at + 1);
    };
    let (facts, sheet, words) = (Facts::default(), Sheet::default(), OnceCell::new());
    let text = Text::new(&rewritten.text, &facts);
    let inner = Place {
        begins_token: false,
        text,
        at: rewritten.start,
        word: Word::read(text, rewritten.start),
        sheet: &sheet,
        previous: None,
        choice: place.choice,
        words: &words,
    };
    let found = match text.byte(rewritten.start) {
        b'+' => find_plus(inner),
        b'(' => find_parenthesis(inner),
        _ => find_digits(inner),
    };
    let located = found.and_then(|found| {
        let end = rewritten.locate(found.end)?;
        Some(Finding {
            start: place.at,
            end,
            rule: found.rule,
        })
    });
    (located, rewritten.end())
}
