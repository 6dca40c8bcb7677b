//! Numbers in the digits of other scripts: Arabic, Persian, Indian, Thai and full-width digits.

use crate::text::Text;

/// The most characters of such a number.
const MOST_CHARACTERS: usize = 32;

/// How many bytes before a number are read for its words.
const REACH: usize = 72;

/// A number that is rewritten in ASCII digits, after the text before it.
#[derive(Debug)]
pub(crate) struct Rewritten {
    pub(crate) text: String,
    /// Where the number begins in the rewritten text.
    pub(crate) start: usize,
    /// The ends in the source of the characters of the number.
    ends: Vec<usize>,
}

impl Rewritten {
    /// Rewrites the number that begins at a position of a text, or returns `None`.
    pub(crate) fn read(text: Text<'_>, at: usize) -> Option<Self> {
        let rest = text.text.get(at..)?;
        let mut characters = rest.chars();
        let first = characters.next()?;
        if first.is_ascii() || !(digit(first).is_some() || first == '＋') {
            return None;
        }
        let mut text = text.before(at, REACH).to_owned();
        let start = text.len();
        let mut ends = Vec::new();
        let mut end = at;
        for character in rest.chars().take(MOST_CHARACTERS) {
            let Some(ascii) = digit(character).or_else(|| mark(character)) else {
                break;
            };
            text.push(ascii);
            end += character.len_utf8();
            ends.push(end);
        }
        Some(Self { text, start, ends })
    }

    /// Where a position of the rewritten text stands in the source.
    pub(crate) fn locate(&self, end: usize) -> Option<usize> {
        self.ends.get(end.checked_sub(self.start + 1)?).copied()
    }

    /// Where the number ends in the source.
    pub(crate) fn end(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }
}

/// The ASCII digit of a digit.
fn digit(character: char) -> Option<char> {
    const ZEROS: [char; 9] = [
        '0', '\u{660}', '\u{6F0}', '\u{966}', '\u{9E6}', '\u{BE6}', '\u{C66}', '\u{E50}',
        '\u{FF10}',
    ];
    let code = u32::from(character);
    let distance = |zero: &char| {
        code.checked_sub(u32::from(*zero))
            .filter(|&distance| distance < 10)
    };
    char::from_digit(ZEROS.iter().find_map(distance)?, 10)
}

/// The ASCII form of a sign inside a number.
fn mark(character: char) -> Option<char> {
    match character {
        '-' | '\u{FF0D}' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{30FC}' => Some('-'),
        ' ' | '\u{3000}' | '\u{A0}' => Some(' '),
        '.' | '/' | '(' | ')' => Some(character),
        '\u{FF0B}' => Some('+'),
        '\u{FF08}' => Some('('),
        '\u{FF09}' => Some(')'),
        '\u{FF0F}' | '年' | '月' => Some('/'),
        _ => None,
    }
}
