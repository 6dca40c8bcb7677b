//! Dates of birth after a word for birth.

use super::context::{Context, Label};
use crate::checks::parse_digits;
use crate::text::{Text, Word};

/// How many words that mean nothing may stand before a date: `born in Leeds on`.
const MOST_UNKNOWN: usize = 3;

/// The most bytes of the name of a month, with the small words around it.
const LONGEST_MONTH: usize = 36;

/// The beginnings of the names of months that stand before the day: `June 21, 1944`.
const MONTHS: [&[u8; 3]; 12] = [
    b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec",
];

/// Whether a date is a date of birth. Bare digits must follow the word directly.
pub(crate) fn is_named(context: &Context, is_bare: bool) -> bool {
    let most = if is_bare { 0 } else { MOST_UNKNOWN };
    context.is(Label::Birth) && context.distance <= most
}

/// Whether a word can be the first part of a date. Most numbers of a log are no dates.
pub(crate) fn can_begin(word: Word) -> bool {
    let is_marked =
        || matches!(word.next, b'-' | b'.' | b'/' | b' ' | b',' | b'\\') || !word.next.is_ascii();
    match word.length {
        1 | 2 => word.is_number() && is_marked(),
        // `21st`, `1er`
        3 | 4 if !word.is_number() => true,
        4 => is_marked(),
        6 | 8 => word.is_number(),
        _ => false,
    }
}

/// Finds a date that begins with a digit. Returns its end.
pub(crate) fn find(text: Text<'_>, at: usize) -> Option<usize> {
    let (first, end) = number(text, at)?;
    match end - at {
        4 if is_year(first) => year_first(text, end),
        1 | 2 if first <= 31 || text.rest(end).starts_with("年".as_bytes()) => {
            year_last(text, end)
        }
        6 | 8 if !text.byte(end).is_ascii_alphanumeric() => Some(end),
        _ => None,
    }
}

/// Whether a word is the name of a month before a day.
pub(crate) fn is_month(text: Text<'_>, at: usize, length: usize) -> bool {
    let Some(start) = text.rest(at).first_chunk::<3>() else {
        return false;
    };
    let is_month = MONTHS
        .iter()
        .any(|month| start.eq_ignore_ascii_case(*month));
    let next = at + length + usize::from(text.byte(at + length) == b'.');
    is_month
        && (3..=9).contains(&length)
        && matches!(text.byte(next), b' ' | b'-')
        && text.byte(next + 1).is_ascii_digit()
}

/// Finds a date that begins with the name of a month. Returns its end.
pub(crate) fn find_month_first(text: Text<'_>, at: usize, length: usize) -> Option<usize> {
    let day = text.run(at + length, |byte| matches!(byte, b' ' | b'-' | b'.'));
    let (first, end) = number(text, day)?;
    let end = skip_ordinal(text, end);
    let gap = text
        .run(end, |byte| matches!(byte, b' ' | b',' | b'-'))
        .min(end + 2);
    let (year, stop) = number(text, gap)?;
    (first <= 31 && is_year(year)).then_some(stop)
}

/// Finds the end of a date after its year: `1987-04-23`, `1984年3月9日`.
fn year_first(text: Text<'_>, at: usize) -> Option<usize> {
    let month = mark(text, at)?;
    let Some((second, end)) = number(text, month) else {
        // `1987-Apr-23`
        let day = name(text, month)?;
        return number(text, day).map(|(_, end)| end);
    };
    let day = mark(text, end)?;
    let (third, end) = number(text, day)?;
    let end = if text.rest(end).starts_with("日".as_bytes()) {
        end + 3
    } else {
        end
    };
    (second <= 31 && third <= 31).then_some(end)
}

/// Finds the end of a date after its day or its month: `23.4.1987`, `4/23/87`, `7 Sept 1985`.
fn year_last(text: Text<'_>, at: usize) -> Option<usize> {
    let after = skip_ordinal(text, at);
    if let Some(next) = mark(text, after)
        && let Some((second, end)) = number(text, next)
    {
        let year = mark(text, end)?;
        let (third, stop) = number(text, year)?;
        let stop = if text.rest(stop).starts_with("日".as_bytes()) {
            stop + 3
        } else {
            stop
        };
        let is_short = stop - year == 2 || text.rest(end).starts_with("月".as_bytes());
        return (second <= 31 && (is_year(third) || is_short)).then_some(stop);
    }
    let stop = name(text, after)?;
    let (year, end) = number(text, stop)?;
    (is_year(year) || end - stop == 2).then_some(end)
}

/// Skips the ending of an ordinal number: `21st`, `1er`, `9º`.
fn skip_ordinal(text: Text<'_>, at: usize) -> usize {
    let endings: [&[u8]; 7] = [
        b"st",
        b"nd",
        b"rd",
        b"th",
        b"er",
        "º".as_bytes(),
        "-го".as_bytes(),
    ];
    let ending = endings
        .iter()
        .find(|ending| text.rest(at).starts_with(ending));
    at + ending.map_or(0, |ending| ending.len())
}

/// Skips the name of a month and the signs and small words around it. Returns where the year
/// begins.
fn name(text: Text<'_>, at: usize) -> Option<usize> {
    let rest = text.rest(at).iter().take(LONGEST_MONTH);
    let is_part = |byte: &&u8| {
        byte.is_ascii_alphabetic()
            || !byte.is_ascii()
            || matches!(byte, b' ' | b'-' | b'.' | b'/' | b',')
    };
    let length = rest.take_while(is_part).count();
    let letters = text.rest(at)[..length]
        .iter()
        .filter(|byte| byte.is_ascii_alphabetic() || !byte.is_ascii());
    (letters.count() >= 3 && text.byte(at + length).is_ascii_digit()).then_some(at + length)
}

/// Skips the mark between two numbers of a date. Returns its end.
fn mark(text: Text<'_>, at: usize) -> Option<usize> {
    match text.rest(at) {
        [b'.' | b',', b' ', ..] | [b' ', b'/' | b'.' | b'-'] => Some(at + 2),
        [b' ', b'/' | b'-', b' ', ..] => Some(at + 3),
        [b'-' | b'.' | b'/' | b' ', ..] => Some(at + 1),
        [b'\\', b'/', ..] => Some(at + 2),
        rest => {
            let signs = ["年", "月", "년 ", "월 ", "년", "월"];
            let sign = signs
                .iter()
                .find(|sign| rest.starts_with(sign.as_bytes()))?;
            Some(at + sign.len() + usize::from(rest.get(sign.len()) == Some(&b' ')))
        }
    }
}

/// Reads a number of at most eight digits. Returns it and its end.
fn number(text: Text<'_>, at: usize) -> Option<(u32, usize)> {
    let digits = text.rest(at).iter().take(9);
    let length = digits.take_while(|byte| byte.is_ascii_digit()).count();
    let value = parse_digits(&text.rest(at)[..length]) as u32;
    (1..=8).contains(&length).then_some((value, at + length))
}

/// Whether a number is a year of the Gregorian, the Thai, the Persian or the Islamic calendar.
fn is_year(year: u32) -> bool {
    matches!(year, 1850..=2100 | 2400..=2643 | 1250..=1479)
}
