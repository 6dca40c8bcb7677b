//! What the words before a value say about it: the nearest word that means something decides.

mod lexicon;
mod words;

use self::words::Words;
use crate::text::Text;

/// How many bytes before a value are read.
const REACH: usize = 72;

/// How many words that mean nothing may stand between a value and the word that describes it.
const MOST_UNKNOWN: usize = 5;

/// What a word says about the value after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Label {
    /// A number that is not personal data.
    Other,
    Phone,
    /// The sender or the receiver of something.
    Party,
    Card,
    Account,
    Birth,
    Hardware,
    Device,
    Wallet,
    /// An official number of a person.
    Identity,
    /// The version or the section of something.
    Version,
    /// Nothing: the word is skipped.
    Neutral,
}

impl Label {
    const fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// What a word means: its labels, and the rows of the table of identities that it names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Meaning {
    labels: u16,
    rows: u128,
}

/// What the words before a value say about it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Context {
    meaning: Meaning,
    /// How many unknown words stand between the value and the word that describes it.
    pub(crate) distance: usize,
    /// Whether a word for a sender or a receiver stands directly before the value.
    pub(crate) is_party: bool,
    /// Whether only words that mean nothing, such as `number`, stand before the value, and
    /// nothing else precedes them.
    pub(crate) is_bare: bool,
}

impl Context {
    /// Whether the nearest word that means something has this label.
    pub(crate) fn is(&self, label: Label) -> bool {
        self.meaning.labels & label.bit() != 0
    }

    /// Whether a word names the row of the table of identities.
    pub(crate) fn names(&self, row: usize) -> bool {
        self.meaning.rows >> row & 1 == 1
    }

    /// Whether a word means something.
    pub(crate) fn is_known(&self) -> bool {
        self.meaning != Meaning::default()
    }

    /// The same context after a word for a sender or a receiver.
    pub(crate) fn with_party(self, is_party: bool) -> Self {
        Self { is_party, ..self }
    }

    /// The context of a value that continues the list of the values before it.
    pub(crate) fn of(label: Label) -> Self {
        let meaning = Meaning {
            labels: label.bit(),
            rows: 0,
        };
        Self {
            meaning,
            ..Self::default()
        }
    }

    /// Reads the words before a position on its line.
    pub(crate) fn before(text: Text<'_>, at: usize) -> Self {
        let before = text.before(at, REACH);
        let start = memchr::memrchr(b'\n', before.as_bytes()).map_or(0, |end| end + 1);
        let line = &before[start..];
        // Most lines of a log begin with a time.
        let is_empty = line
            .bytes()
            .all(|byte| byte.is_ascii_punctuation() || byte == b' ');
        let context = if is_empty {
            Self {
                is_bare: true,
                ..Self::default()
            }
        } else {
            Self::read(line)
        };
        let is_start = line.len() < before.len() && context.is_bare && line.trim().len() <= 2;
        if is_start {
            Self::above(&before[..before.len() - line.len() - 1])
        } else {
            context
        }
    }

    /// Reads the line above a value that stands at the start of its line: a heading, or the
    /// command whose answer the value is.
    fn above(before: &str) -> Self {
        let line = before.rsplit('\n').next().unwrap_or_default().trim();
        if line.ends_with([':', '：', '>']) || line.starts_with("AT+") {
            Self::read(line)
        } else {
            Self {
                is_bare: true,
                ..Self::default()
            }
        }
    }

    /// Reads the words of a text, the last word first.
    pub(crate) fn read(text: &str) -> Self {
        let mut words = Words::new(text);
        let mut context = Self {
            is_bare: true,
            ..Self::default()
        };
        let mut place = 0;
        while words.read(place + 1) {
            let Some((meaning, count)) = words.meaning(place) else {
                if !words.is_number(place) {
                    context.is_bare = false;
                    context.distance += 1;
                    if context.distance > MOST_UNKNOWN {
                        break;
                    }
                }
                place += 1;
                continue;
            };
            place += count;
            if meaning.labels & Label::Party.bit() != 0 && context.distance == 0 {
                context.is_party = true;
            }
            let skipped = Label::Party.bit() | Label::Neutral.bit();
            if meaning.labels & !skipped != 0 || meaning.rows != 0 {
                context.is_bare = false;
                context.meaning = Meaning {
                    labels: meaning.labels & !skipped,
                    ..meaning
                };
                break;
            }
        }
        context
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Facts;

    fn is(before: &str, label: Label) -> bool {
        let facts = Facts::default();
        Context::before(Text::new(before, &facts), before.len()).is(label)
    }

    #[test]
    fn the_nearest_word_decides() {
        assert!(is("phone number: ", Label::Phone));
        assert!(is("\"mobilePhone\":\"", Label::Phone));
        assert!(is("他的电话是", Label::Phone));
        assert!(is("Geburts-Datum: x, Mobilnummer ", Label::Phone));
        assert!(is("D.O.B. ", Label::Birth));
        assert!(is("phone order ", Label::Other));
        assert!(is("phone,注文番号：", Label::Other));
        assert!(!is("phone\n", Label::Phone));
        assert!(!is(
            "phone of somebody who yesterday evening rang us ",
            Label::Phone
        ));
    }

    #[test]
    fn all_rows_have_a_bit() {
        assert!(super::super::identities::IDENTITIES.len() <= 128);
    }
}
