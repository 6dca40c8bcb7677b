//! Numbers that are written in groups: their start, their end and their groups.

use crate::text::Text;

/// The most groups that are read: a card whose digits are all separate has nineteen.
const MOST_GROUPS: usize = 19;

/// The most digits that are read: more than any number has.
const MOST_DIGITS: usize = 20;

/// How a number begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// It is separate.
    Free,
    /// It follows another number and a space, as in `7 037 241 189`. If it is written in
    /// groups with spaces, it needs a word that names it.
    Continued,
    /// It continues a name, as in `INV-4539578763621486` or `#12345678901`. Most of these
    /// numbers are order numbers, so it needs a word that names it.
    Labelled,
}

impl Start {
    /// Whether a number with this start and this separator between its groups counts without
    /// a word that names it.
    pub(crate) fn stands_alone(self, separator: u8) -> bool {
        match self {
            Self::Free => true,
            Self::Continued => separator != b' ',
            Self::Labelled => false,
        }
    }
}

/// Returns how a number can begin at a position, or `None` if it cannot.
pub(crate) fn find_start(text: Text<'_>, at: usize) -> Option<Start> {
    if !text.starts_word(at) {
        return None;
    }
    let before = text.byte_before(at);
    let farther = text.byte_before(at.saturating_sub(1));
    match before {
        b'_' | b'@' => None,
        b'.' | b'-' | b'/' | b'+' if farther.is_ascii_digit() => None,
        // A decimal without a digit before its point: `-.093`.
        b'.' if matches!(farther, b'-' | b' ' | b',') => None,
        b'-' if farther.is_ascii_alphabetic() || farther == b'_' => Some(Start::Labelled),
        b'#' => Some(Start::Labelled),
        b' ' if farther.is_ascii_digit() => Some(Start::Continued),
        _ => Some(Start::Free),
    }
}

/// Whether a number can end at a position, and does not continue.
pub(crate) fn ends(text: Text<'_>, end: usize) -> bool {
    let next = text.byte(end);
    let farther = text.byte(end + 1);
    match next {
        b'_' | b'@' => false,
        b'.' | b'-' | b'/' => !farther.is_ascii_digit(),
        _ => !next.is_ascii_alphanumeric(),
    }
}

/// A run of digits, and the separator before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Group {
    /// The separator before the group; zero for the first group.
    pub(crate) separator: u8,
    /// The number of digits.
    pub(crate) length: usize,
    /// The end of the group in the text.
    pub(crate) end: usize,
}

/// Groups of digits, with one separator between two groups.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Groups {
    groups: [Group; MOST_GROUPS],
    count: usize,
    digits: [u8; MOST_DIGITS],
    digit_count: usize,
    /// Whether more digits follow that were not read.
    pub(crate) continues: bool,
}

impl Groups {
    /// Reads groups from a position, at most as many as a number can have.
    pub(crate) fn read(text: Text<'_>, at: usize) -> Self {
        let mut groups = Self::default();
        let mut separator = 0;
        let mut start = at;
        loop {
            let bytes = text.rest(start).iter().take(MOST_DIGITS + 1);
            let length = bytes.take_while(|byte| byte.is_ascii_digit()).count();
            let is_full = groups.count == MOST_GROUPS;
            if length == 0 || is_full || groups.digit_count + length > MOST_DIGITS {
                groups.continues = length > 0;
                return groups;
            }
            groups.push(&text.rest(start)[..length], separator, start + length);
            let Some((next, width)) = read_separator(text, start + length) else {
                return groups;
            };
            separator = next;
            start += length + width;
        }
    }

    fn push(&mut self, digits: &[u8], separator: u8, end: usize) {
        self.digits[self.digit_count..][..digits.len()].copy_from_slice(digits);
        self.digit_count += digits.len();
        self.groups[self.count] = Group {
            separator,
            length: digits.len(),
            end,
        };
        self.count += 1;
    }

    /// The groups.
    pub(crate) fn all(&self) -> &[Group] {
        &self.groups[..self.count]
    }

    /// The digits of the first `count` groups.
    pub(crate) fn digits(&self, count: usize) -> &[u8] {
        let groups = self.all().iter().take(count);
        &self.digits[..groups.map(|group| group.length).sum()]
    }

    /// The lengths of the first `count` groups.
    pub(crate) fn lengths(&self, count: usize) -> impl Iterator<Item = usize> {
        self.all().iter().take(count).map(|group| group.length)
    }

    /// The separator between the first `count` groups: zero for one group, `None` if the
    /// separators differ.
    pub(crate) fn separator(&self, count: usize) -> Option<u8> {
        let mut separators = self.all().iter().take(count).skip(1);
        let Some(first) = separators.next() else {
            return Some(0);
        };
        let same = separators.all(|group| group.separator == first.separator);
        same.then_some(first.separator)
    }

    /// Whether the number can end after `count` groups, because no other group with the same
    /// separator follows.
    pub(crate) fn can_end(&self, text: Text<'_>, count: usize) -> bool {
        let Some(last) = self.all().get(count.wrapping_sub(1)) else {
            return false;
        };
        if !ends(text, last.end) {
            return false;
        }
        let next = self.all().get(count);
        let continues = next.is_some_and(|next| count > 1 && next.separator == last.separator);
        !(continues || self.continues && next.is_none())
    }
}

/// Whether a group of digits follows the group that ends at a position.
pub(crate) fn continues(text: Text<'_>, end: usize) -> bool {
    read_separator(text, end).is_some_and(|(_, width)| text.byte(end + width).is_ascii_digit())
}

/// Reads a separator: a space, a dash, a dot, a slash, or the no-break space and no-break
/// hyphen and the dashes of printed texts, and the plus of an encoded form. Returns its ASCII form and its length in bytes.
fn read_separator(text: Text<'_>, at: usize) -> Option<(u8, usize)> {
    match text.rest(at) {
        [b'+', next, ..] if next.is_ascii_digit() => Some((b'+', 1)),
        [b' ', byte @ (b'/' | b'-'), b' ', ..] => Some((*byte, 3)),
        [byte @ (b' ' | b'-' | b'.' | b'/'), ..] => Some((*byte, 1)),
        [0xC2, 0xA0, ..] => Some((b' ', 2)),
        [0xE2, 0x80, 0xAF, ..] => Some((b' ', 3)),
        [0xE2, 0x80, 0x90..=0x93, ..] => Some((b'-', 3)),
        _ => None,
    }
}
