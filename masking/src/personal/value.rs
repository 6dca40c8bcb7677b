//! Values that a word before them describes: letters and digits in groups of any form.

use super::number::ends;
use crate::text::Text;

/// The most bytes of a value.
const LONGEST: usize = 40;

/// The most groups of a value.
const MOST_GROUPS: usize = 9;

/// A value in groups.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Value {
    pub(crate) digits: usize,
    pub(crate) letters: usize,
    pub(crate) groups: usize,
    /// Whether the value is two groups of digits with a dot, such as `0.975`.
    pub(crate) is_decimal: bool,
    /// The end of the value in the text.
    pub(crate) end: usize,
}

/// Reads the groups of letters and digits from a position. Each group after the first has a
/// digit, or is a short group of capitals between digits or at the end, as in `AB 12 34 56 C`.
pub(crate) fn read(text: Text<'_>, at: usize) -> Option<Value> {
    let mut value = Value::default();
    let mut start = at;
    let mut separators = (0, 0);
    while value.groups < MOST_GROUPS && start < at + LONGEST {
        let group = Group::read(text, start);
        if !group.belongs(value.groups, text, start) {
            break;
        }
        value.digits += group.digits;
        value.letters += group.letters;
        value.groups += 1;
        value.end = start + group.length;
        let Some((separator, width)) = read_separator(text, value.end) else {
            break;
        };
        // A blank after dashes ends a value: `078-05-1120 12 items`. A second separator may
        // follow the first one: `545-434-597 05`.
        if separators.0 != 0 && separators.0 != separator {
            if separators.1 != 0 && separators.1 != separator {
                break;
            }
            separators.1 = separator;
        }
        if separators.0 == 0 {
            separators.0 = separator;
        }
        start = value.end + width;
    }
    value.is_decimal = value.groups == 2 && value.letters == 0 && separators == (b'.', 0);
    (value.digits > 0 && ends(text, value.end)).then_some(value)
}

/// A group of letters and digits.
struct Group {
    length: usize,
    digits: usize,
    letters: usize,
    /// Whether all letters are capitals, or all are small.
    is_even: bool,
    is_upper: bool,
}

impl Group {
    fn read(text: Text<'_>, at: usize) -> Self {
        let rest = text.rest(at).iter().take(LONGEST);
        let run = rest.take_while(|byte| byte.is_ascii_alphanumeric()).count();
        let bytes = &text.rest(at)[..run];
        let count = |class: fn(&u8) -> bool| bytes.iter().filter(|byte| class(byte)).count();
        let upper = count(u8::is_ascii_uppercase);
        let lower = count(u8::is_ascii_lowercase);
        Self {
            length: run,
            digits: count(u8::is_ascii_digit),
            letters: upper + lower,
            is_even: upper == 0 || lower == 0,
            is_upper: lower == 0,
        }
    }

    /// Whether a group belongs to a value after `before` groups.
    fn belongs(&self, before: usize, text: Text<'_>, at: usize) -> bool {
        if self.length == 0 || !self.is_even {
            return false;
        }
        if before == 0 {
            return self.digits > 0 || self.letters <= 4;
        }
        let next = text.byte(at + self.length);
        let continues = matches!(next, b' ' | b'-' | b'.' | b'/')
            && text.byte(at + self.length + 1).is_ascii_digit();
        match (self.digits, self.letters) {
            (0, _) => self.is_upper && (self.letters == 1 || self.letters <= 3 && continues),
            (_, 0) => true,
            _ => self.is_upper && self.letters <= 4,
        }
    }
}

/// Reads a separator, and the bracket around a check digit. Returns it and its length.
fn read_separator(text: Text<'_>, at: usize) -> Option<(u8, usize)> {
    match text.rest(at) {
        [byte @ (b' ' | b'-' | b'.' | b'/'), next, ..] if next.is_ascii_alphanumeric() => {
            Some((*byte, 1))
        }
        [0xC2, 0xA0, ..] => Some((b' ', 2)),
        [0xE2, 0x80, 0xAF, ..] => Some((b' ', 3)),
        [0xE2, 0x80, 0x90..=0x93, ..] => Some((b'-', 3)),
        _ => None,
    }
}

impl Value {
    /// Whether the value is a date such as `2024-05-17` or `17.05.2024`, or begins with one.
    pub(crate) fn is_date(&self, text: Text<'_>, at: usize) -> bool {
        is_date(&text.rest(at)[..self.end - at])
    }

    /// Whether a sign of a currency or of a unit follows.
    pub(crate) fn is_amount(&self, text: Text<'_>) -> bool {
        matches!(text.rest(self.end), [b',', next, ..] if next.is_ascii_digit()) && self.digits <= 6
            || self.is_decimal
            || matches!(
                text.rest(self.end),
                [b'%', ..] | [b' ', b'%', ..] | [0xE2, 0x82, ..]
            )
    }
}

/// Whether a text begins with a date in digits with separators.
pub(crate) fn is_date(bytes: &[u8]) -> bool {
    let at = |place: usize| bytes.get(place).copied().unwrap_or(0);
    let digits = |from: usize, to: usize| (from..to).all(|place| at(place).is_ascii_digit());
    let is_mark = |byte: u8| matches!(byte, b'-' | b'.' | b'/');
    let is_year = |place: usize| matches!((at(place), at(place + 1)), (b'1', b'9') | (b'2', b'0'));
    let year_first = digits(0, 4)
        && is_year(0)
        && is_mark(at(4))
        && digits(5, 7)
        && at(7) == at(4)
        && digits(8, 10)
        && !at(10).is_ascii_digit();
    let month = |place: usize| {
        matches!(
            (at(place), at(place + 1)),
            (b'0', b'1'..=b'9') | (b'1', b'0'..=b'2')
        )
    };
    let day = |place: usize| {
        matches!(
            (at(place), at(place + 1)),
            (b'0', b'1'..=b'9') | (b'1' | b'2', _) | (b'3', b'0' | b'1')
        )
    };
    let year_last = digits(0, 2)
        && is_mark(at(2))
        && digits(3, 5)
        && at(5) == at(2)
        && digits(6, 10)
        && is_year(6)
        && (day(0) && month(3) || month(0) && day(3))
        && !at(10).is_ascii_digit();
    year_first || year_last
}
