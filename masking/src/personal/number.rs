//! Numbers that people write in groups: where one begins, where it ends, and
//! what its groups are.

use crate::text::Text;

/// More groups than any number has that is looked for.
const MOST_GROUPS: usize = 8;

/// More digits than any number has that is looked for.
const MOST_DIGITS: usize = 20;

/// How a number begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// It stands on its own.
    Free,
    /// It continues other numbers behind a space, as in `7 037 241 189`: in groups
    /// of its own it counts only where a word speaks for it.
    Continued,
    /// It continues a name, as in `INV-4539578763621486` or `#12345678901`:
    /// most often such a number is an order's, so a word has to speak for it.
    Labelled,
}

impl Start {
    /// Whether a number that begins so, and whose groups one separator divides,
    /// needs no word that speaks for it.
    pub(crate) fn stands_alone(self, separator: u8) -> bool {
        match self {
            Self::Free => true,
            Self::Continued => separator != b' ',
            Self::Labelled => false,
        }
    }
}

/// Whether a number can begin at a place, and how.
pub(crate) fn start(text: Text<'_>, at: usize) -> Option<Start> {
    if !text.starts_word(at) {
        return None;
    }
    let before = text.byte_before(at);
    let farther = text.byte_before(at.saturating_sub(1));
    match before {
        b'_' | b'@' => None,
        b'.' | b'-' | b'/' | b',' if farther.is_ascii_digit() && before != b',' => None,
        b'-' if farther.is_ascii_alphabetic() => Some(Start::Labelled),
        b'#' => Some(Start::Labelled),
        b' ' if farther.is_ascii_digit() => Some(Start::Continued),
        _ => Some(Start::Free),
    }
}

/// Whether a number that ends here ends whole.
pub(crate) fn ends(text: Text<'_>, end: usize) -> bool {
    let next = text.byte(end);
    let farther = text.byte(end + 1);
    match next {
        b'_' | b'@' => false,
        b'.' | b'-' | b'/' => !farther.is_ascii_digit(),
        _ => !next.is_ascii_alphanumeric(),
    }
}

/// A run of digits, and what stands before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Group {
    /// What separates it from the group before; zero for the first.
    pub(crate) separator: u8,
    /// How many digits it has.
    pub(crate) length: usize,
    /// Where it ends in the text.
    pub(crate) end: usize,
}

/// Groups of digits with one separator between each two.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Groups {
    groups: [Group; MOST_GROUPS],
    count: usize,
    digits: [u8; MOST_DIGITS],
    digit_count: usize,
    /// Whether more digits follow than were read.
    pub(crate) goes_on: bool,
}

impl Groups {
    /// Reads groups from a place on, as many as a number can have.
    pub(crate) fn read(text: Text<'_>, at: usize) -> Self {
        let mut groups = Self::default();
        let mut separator = 0;
        let mut start = at;
        loop {
            let bytes = text.rest(start).iter().take(MOST_DIGITS + 1);
            let length = bytes.take_while(|byte| byte.is_ascii_digit()).count();
            let is_full = groups.count == MOST_GROUPS;
            if length == 0 || is_full || groups.digit_count + length > MOST_DIGITS {
                groups.goes_on = length > 0;
                return groups;
            }
            groups.push(&text.rest(start)[..length], separator, start + length);
            let Some((next, width)) = separator_at(text, start + length) else {
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

    /// The digits of the first groups.
    pub(crate) fn digits(&self, count: usize) -> &[u8] {
        let groups = self.all().iter().take(count);
        &self.digits[..groups.map(|group| group.length).sum()]
    }

    /// How long the first groups are.
    pub(crate) fn lengths(&self, count: usize) -> impl Iterator<Item = usize> {
        self.all().iter().take(count).map(|group| group.length)
    }

    /// The separator that stands between all of the first groups; zero for one
    /// group, none where they differ.
    pub(crate) fn separator(&self, count: usize) -> Option<u8> {
        let mut separators = self.all().iter().take(count).skip(1);
        let Some(first) = separators.next() else {
            return Some(0);
        };
        let same = separators.all(|group| group.separator == first.separator);
        same.then_some(first.separator)
    }

    /// Whether the number can end behind so many groups: what follows is not
    /// one more group of the same kind.
    pub(crate) fn can_end(&self, text: Text<'_>, count: usize) -> bool {
        let Some(last) = self.all().get(count.wrapping_sub(1)) else {
            return false;
        };
        if !ends(text, last.end) {
            return false;
        }
        let next = self.all().get(count);
        let goes_on = next.is_some_and(|next| count > 1 && next.separator == last.separator);
        !(goes_on || self.goes_on && next.is_none())
    }
}

/// One separator: a space, a dash, a dot, a slash, or the no-break space and
/// no-break hyphen with which printed text keeps a number together.
fn separator_at(text: Text<'_>, at: usize) -> Option<(u8, usize)> {
    match text.rest(at) {
        [b' ', byte @ (b'/' | b'-'), b' ', ..] => Some((*byte, 3)),
        [byte @ (b' ' | b'-' | b'.' | b'/'), ..] => Some((*byte, 1)),
        [0xC2, 0xA0, ..] => Some((b' ', 2)),
        [0xE2, 0x80, 0xAF, ..] => Some((b' ', 3)),
        [0xE2, 0x80, 0x91, ..] => Some((b'-', 3)),
        _ => None,
    }
}
