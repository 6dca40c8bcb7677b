//! National identification and tax numbers.
//!
//! The table of identities has the forms and words of each number. If other numbers have the same
//! form, a number counts only after a word that names it, because one in ten numbers passes a
//! single check digit by chance. After a word that means nothing else, such as `passport`, a
//! number of any plausible form counts.

use std::sync::LazyLock;

use super::context::{Context, Label};
use super::identities::{IDENTITIES, Identity};
use super::number::{Start, ends};
use super::value;
use crate::text::Text;

/// A form, and the row of its number.
#[derive(Clone, Copy)]
struct Form {
    form: &'static [u8],
    row: usize,
    identity: &'static Identity,
    is_alone: bool,
}

/// The length of the longest form.
const LONGEST: usize = 24;

/// The longest form of bare digits that other numbers have too, although their check digits are
/// valid. One in ten order numbers of this length would fit.
const LONGEST_COMMON: usize = 13;

/// The forms by the class and the length of their first run of characters, so that only a few
/// must be tried at each position of a text.
struct Forms {
    digits: [Vec<Form>; LONGEST],
    letters: [Vec<Form>; LONGEST],
}

static FORMS: LazyLock<Forms> = LazyLock::new(|| {
    let mut forms = Forms {
        digits: Default::default(),
        letters: Default::default(),
    };
    for (row, identity) in IDENTITIES.iter().enumerate() {
        let alone = identity.alone.iter().map(|form| (form, true));
        let named = identity.named.iter().map(|form| (form, false));
        for (form, is_alone) in alone.chain(named) {
            let form = Form {
                form: form.as_bytes(),
                row,
                identity,
                is_alone,
            };
            let (list, length) = if form.form[0].is_ascii_digit() {
                (
                    &mut forms.digits,
                    first_run(form.form, |byte| byte.is_ascii_digit()),
                )
            } else {
                (
                    &mut forms.letters,
                    first_run(form.form, |byte| byte.is_ascii_alphabetic()),
                )
            };
            list[length].push(form);
        }
    }
    forms
});

fn first_run(bytes: &[u8], class: impl Fn(u8) -> bool) -> usize {
    let bytes = bytes.iter().take(LONGEST);
    bytes.take_while(|&&byte| class(byte)).count()
}

/// Finds a number of the table that begins at a position. Returns its end.
pub(crate) fn find(text: Text<'_>, at: usize, start: Start, context: &Context) -> Option<usize> {
    let found = |form: &Form| {
        // This is cheaper than to compare the form.
        if !form.is_alone && !context.names(form.row) {
            return None;
        }
        let end = match_checked(text, at, form)?;
        let separator = if form.form.contains(&b' ') { b' ' } else { 0 };
        let continues = separator == text.byte(end) && text.byte(end + 1).is_ascii_digit();
        let mut marks = form.form.iter().filter(|byte| !byte.is_ascii_digit());
        let is_plain = marks.next().is_none_or(|&mark| mark == b'-') && marks.next().is_none();
        let is_common = is_plain && form.form.len() <= LONGEST_COMMON;
        let is_other = is_common && context.is(Label::Other) && context.distance == 0;
        let is_alone = form.is_alone && start.stands_alone(separator) && !continues && !is_other;
        (is_alone || context.names(form.row)).then_some(end)
    };
    forms_at(text, at).iter().find_map(found)
}

fn forms_at(text: Text<'_>, at: usize) -> &'static [Form] {
    let forms: &'static Forms = &FORMS;
    let rest = text.rest(at);
    let list = if text.byte(at).is_ascii_digit() {
        forms
            .digits
            .get(first_run(rest, |byte| byte.is_ascii_digit()))
    } else {
        forms
            .letters
            .get(first_run(rest, |byte| byte.is_ascii_alphabetic()))
    };
    list.map_or(&[], Vec::as_slice)
}

/// Finds the end of a number with this form and valid check digits.
fn match_checked(text: Text<'_>, at: usize, form: &Form) -> Option<usize> {
    let end = at + form.form.len();
    let mut characters = [0; LONGEST];
    let count = match_form(text.rest(at), form.form, &mut characters)?;
    (ends(text, end) && (form.identity.checks)(&characters[..count])).then_some(end)
}

/// Finds a number of any plausible form after a word for an official number. Returns its end.
pub(crate) fn find_named(text: Text<'_>, at: usize, context: &Context) -> Option<usize> {
    if !context.is(Label::Identity) || context.distance > 2 {
        return None;
    }
    let value = value::read(text, at)?;
    // `nid=0x4a03` is a number of a thread, and `#0a3069` a colour.
    let is_hex =
        text.rest(at).starts_with(b"0x") || value.letters > 0 && text.byte_before(at) == b'#';
    let is_other = is_escape(text, at) || is_time(text, at, value.end) || is_address(text, at);
    if is_hex || is_other {
        return None;
    }
    // The series of a passport can stand before its number: `45 08`.
    let is_series = value.groups == 2 && value.digits == 4 && value.letters == 0;
    let is_near = context.distance == 0;
    let is_plausible = match value.letters {
        0 => {
            value.digits
                >= if is_series {
                    4
                } else if is_near {
                    5
                } else {
                    6
                }
        }
        letters => value.digits >= if is_near { 2 } else { 4 } && value.digits + letters >= 6,
    };
    let is_plausible = is_plausible
        && value.digits + value.letters <= 24
        && value.letters <= 8
        && !value.is_date(text, at)
        && !value.is_amount(text);
    is_plausible.then_some(value.end)
}

/// Whether a position is inside an escape of JSON, as in `K\u00f8benhavn`.
fn is_escape(text: Text<'_>, at: usize) -> bool {
    let digits = text.rest(at).iter().skip(1).take(4);
    text.byte_before(at) == b'\\'
        && text.byte(at) == b'u'
        && digits.filter(|byte| byte.is_ascii_hexdigit()).count() == 4
}

/// Whether a value is a part of a time: `04:07.980-07:00`, `12-31T23:59:59`.
fn is_time(text: Text<'_>, at: usize, end: usize) -> bool {
    let follows = text.byte_before(at) == b':' && text.byte_before(at - 1).is_ascii_digit();
    follows || text.byte(end) == b':' && text.byte(end + 1).is_ascii_digit()
}

/// Whether an address of version 4 of the Internet Protocol is at a position.
fn is_address(text: Text<'_>, at: usize) -> bool {
    let rest = text.rest(at).iter().take("255.255.255.255".len());
    let is_part = |byte: &&u8| byte.is_ascii_digit() || **byte == b'.';
    let length = rest.take_while(is_part).count();
    let written = &text.text[at..at + length];
    written
        .trim_end_matches('.')
        .parse::<std::net::Ipv4Addr>()
        .is_ok()
}

/// Fills in the letters and digits of a text that has a form. Returns how many there are.
fn match_form(rest: &[u8], form: &[u8], characters: &mut [u8; LONGEST]) -> Option<usize> {
    let mut count = 0;
    for (place, &wanted) in form.iter().enumerate() {
        let byte = rest.get(place)?.to_ascii_uppercase();
        let (fits, counts) = match wanted {
            b'9' => (byte.is_ascii_digit(), true),
            b'A' => (byte.is_ascii_uppercase(), true),
            b'*' => (byte.is_ascii_alphanumeric(), true),
            b'0'..=b'9' => (byte == wanted, true),
            _ => (byte == wanted, false),
        };
        if !fits {
            return None;
        }
        if counts {
            characters[count] = byte;
            count += 1;
        }
    }
    Some(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Facts;

    #[test]
    fn published_examples_are_found() {
        for number in [
            "078-05-1120",
            "AB123456C",
            "QQ 12 34 56 C",
            "255081416802538",
            "2 55 08 14 168 025 38",
            "86095742719",
            "65 929 970 489",
            "12345678Z",
            "X1234567L",
            "RSSMRA85T10A562S",
            "BSN 111222333",
            "PESEL: 44051401458",
            "529.982.247-25",
            "811218-9876",
            "756.9217.0769.85",
            "2341 2341 2346",
            "11010519491231002X",
            "85.07.30-033.28",
            "131052-308T",
            "A123456789",
            "S1234567D",
            "TCKN 10000000146",
            "nif: 123456789",
            "1234567FA",
            "GHA-718293645-1",
            "A123456(3)",
        ] {
            let start = number.rfind(": ").map_or(0, |at| at + 2);
            let start = start.max(number.find("BSN ").map_or(0, |_| 4));
            let start = start.max(number.find("TCKN ").map_or(0, |_| 5));
            let facts = Facts::default();
            let text = Text::new(number, &facts);
            let context = Context::before(text, start);
            let is_found = find(text, start, Start::Free, &context) == Some(number.len());
            assert_eq!(is_found, number != "QQ 12 34 56 C", "{number}");
        }
    }
}
