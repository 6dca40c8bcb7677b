//! The searched text, and the operations that all detectors use.

use std::cell::{Cell, OnceCell};

/// The start of a mask.
pub(crate) const MARK: &str = "[REDACTED:";

/// How far a value or a line is read from a name.
const LONGEST_NEAR: usize = 4 * 1024;

/// The longest name of a rule, so that marks are recognised at a constant cost.
pub(crate) const MAX_NAME_LENGTH: usize = 40;

/// A text, and the position after the last masked value, the `floor`. Detectors do not read
/// anything before it. So they read a text that was masked before in the same way as the
/// first time, and masking is idempotent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Text<'t> {
    pub(crate) text: &'t str,
    pub(crate) floor: usize,
    facts: &'t Facts,
}

/// Facts about a whole text. They are determined once, when they are first needed.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    names_aws: OnceCell<bool>,
    has_tags: OnceCell<bool>,
    /// The part of a line whose end was found last.
    line: Cell<(usize, usize)>,
}

impl<'t> Text<'t> {
    /// Creates a text in which nothing is masked yet.
    pub(crate) fn new(text: &'t str, facts: &'t Facts) -> Self {
        Self {
            text,
            floor: 0,
            facts,
        }
    }

    /// Whether the text contains an AWS access key id, readable or masked, or an AWS
    /// setting.
    pub(crate) fn names_aws(&self) -> bool {
        let signs = ["AKIA", "ASIA", "[REDACTED:aws-access-key]", "aws_", "AWS_"];
        let contains = |sign: &&str| memchr::memmem::find(self.text.as_bytes(), sign.as_bytes());
        let find = || signs.iter().any(|sign| contains(sign).is_some());
        *self.facts.names_aws.get_or_init(find)
    }

    /// Whether the text contains a tag of a markup language.
    pub(crate) fn has_tags(&self) -> bool {
        let find = || memchr::memchr(b'<', self.text.as_bytes()).is_some();
        *self.facts.has_tags.get_or_init(find)
    }

    /// The end of the line around a position. It is found only once for each line, because a long
    /// line can have many names.
    pub(crate) fn line_end(&self, at: usize) -> usize {
        let (start, end) = self.facts.line.get();
        if start < end && (start..=end).contains(&at) {
            return end;
        }
        let rest = self.rest(at);
        let end = at + memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        self.facts.line.set((at, end));
        end
    }

    /// The start of the line around a position, or how far it was searched: at most `most` bytes.
    pub(crate) fn line_start(&self, at: usize, most: usize) -> usize {
        let from = self.floor.max(at.saturating_sub(most)).min(at);
        let before = &self.text.as_bytes()[from..at];
        from + memchr::memrchr(b'\n', before).map_or(0, |place| place + 1)
    }

    /// Where the tag begins in which a position is, after its `<`. `None` if there is none in the
    /// `most` bytes before the position.
    pub(crate) fn tag_start(&self, at: usize, most: usize) -> Option<usize> {
        let from = self.floor.max(at.saturating_sub(most)).min(at);
        let before = &self.text.as_bytes()[from..at];
        let place = memchr::memrchr2(b'<', b'>', before)?;
        (before[place] == b'<').then_some(from + place + 1)
    }

    /// The byte at a position; zero after the end of the text.
    pub(crate) fn byte(&self, at: usize) -> u8 {
        self.text.as_bytes().get(at).copied().unwrap_or(0)
    }

    /// The byte before a position; zero at the `floor`.
    pub(crate) fn byte_before(&self, at: usize) -> u8 {
        if at > self.floor {
            self.byte(at - 1)
        } else {
            0
        }
    }

    /// All bytes from a position on.
    pub(crate) fn rest(&self, at: usize) -> &'t [u8] {
        self.text.as_bytes().get(at..).unwrap_or_default()
    }

    /// The end of the run of bytes of one class that begins at `at`.
    pub(crate) fn run(&self, at: usize, class: impl Fn(u8) -> bool) -> usize {
        let length = self.rest(at).iter().take_while(|&&byte| class(byte));
        at + length.count()
    }

    /// The end of the run like [`Self::run`], reading at most [`LONGEST_NEAR`] bytes. Names are
    /// frequent in hostile texts, so what is read for each of them must be bounded.
    pub(crate) fn run_near(&self, at: usize, class: impl Fn(u8) -> bool) -> usize {
        self.run_within(at, LONGEST_NEAR, class)
    }

    /// The end of the run like [`Self::run`], reading at most `most` bytes.
    pub(crate) fn run_within(&self, at: usize, most: usize, class: impl Fn(u8) -> bool) -> usize {
        let length = self
            .rest(at)
            .iter()
            .take(most)
            .take_while(|&&byte| class(byte));
        at + length.count()
    }

    /// The start of the run of bytes of one class that ends at `at`, reading at most
    /// `most` bytes.
    pub(crate) fn run_back(&self, at: usize, most: usize, class: impl Fn(u8) -> bool) -> usize {
        let from = self.floor.max(at.saturating_sub(most)).min(at);
        let bytes = &self.text.as_bytes()[from..at];
        let length = bytes.iter().rev().take_while(|&&byte| class(byte));
        at - length.count()
    }

    /// The text directly before a position: at most `most` bytes, and only whole
    /// characters.
    pub(crate) fn before(&self, at: usize, most: usize) -> &'t str {
        let mut end = at;
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        let mut from = self.floor.max(end.saturating_sub(most)).min(end);
        while !self.text.is_char_boundary(from) {
            from += 1;
        }
        &self.text[from..end]
    }

    /// Whether a word can begin at a position: no letter or digit precedes it, or an escape
    /// such as `\n` or `%20` does.
    pub(crate) fn starts_word(&self, at: usize) -> bool {
        let before = self.byte_before(at);
        !before.is_ascii_alphanumeric() || self.follows_escape(at)
    }

    /// Whether an escape such as `\n`, `\u003d` or `%20` ends at a position.
    fn follows_escape(&self, at: usize) -> bool {
        let back = |count: usize| {
            let from = at.saturating_sub(count).max(self.floor).min(at);
            &self.text.as_bytes()[from..at]
        };
        let is_hex = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_hexdigit);
        if let [b'\\', b'n' | b'r' | b't'] = back(2) {
            return true;
        }
        if let [b'%', hex @ ..] = back(3)
            && is_hex(hex)
        {
            return true;
        }
        matches!(back(6), [b'\\', b'u', hex @ ..] if hex.len() == 4 && is_hex(hex))
    }

    /// The end of the mark that begins at `at`, or `None` if there is no mark.
    pub(crate) fn mark_end(&self, at: usize) -> Option<usize> {
        mark_length(self.rest(at)).map(|length| at + length)
    }
}

/// A run of ASCII letters and digits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) length: usize,
    /// The classes of its characters: see [`CLASSES`].
    classes: u8,
    /// The byte after the run; zero at the end of the text.
    pub(crate) next: u8,
}

const DIGIT: u8 = 1;
const UPPER: u8 = 2;
const LOWER: u8 = 4;
/// A letter that is no hex digit.
const NOT_HEX: u8 = 8;

/// The classes of each byte; zero for all but letters and digits.
static CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < classes.len() {
        let character = byte as u8;
        classes[byte] = match character {
            b'0'..=b'9' => DIGIT,
            b'A'..=b'F' => UPPER,
            b'a'..=b'f' => LOWER,
            b'G'..=b'Z' => UPPER | NOT_HEX,
            b'g'..=b'z' => LOWER | NOT_HEX,
            _ => 0,
        };
        byte += 1;
    }
    classes
}

impl Word {
    /// Reads the run that begins at a position, in a single pass over it.
    pub(crate) fn read(text: Text<'_>, at: usize) -> Self {
        let rest = text.rest(at);
        let mut word = Self::default();
        while let Some(&byte) = rest.get(word.length) {
            let class = CLASSES[usize::from(byte)];
            if class == 0 {
                word.next = byte;
                break;
            }
            word.classes |= class;
            word.length += 1;
        }
        word
    }

    pub(crate) fn has_digit(self) -> bool {
        self.classes & DIGIT != 0
    }

    pub(crate) fn has_lower(self) -> bool {
        self.classes & LOWER != 0
    }

    pub(crate) fn has_upper(self) -> bool {
        self.classes & UPPER != 0
    }

    /// Whether all characters are digits.
    pub(crate) fn is_number(self) -> bool {
        self.classes == DIGIT
    }

    /// Whether all characters are hex digits.
    pub(crate) fn is_hex(self) -> bool {
        self.classes & NOT_HEX == 0
    }
}

/// The kinds of characters that a run has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Kinds {
    pub(crate) digit: bool,
    pub(crate) upper: bool,
    pub(crate) lower: bool,
}

impl Kinds {
    pub(crate) fn of(run: &[u8]) -> Self {
        let classes = run
            .iter()
            .fold(0, |classes, &byte| classes | CLASSES[usize::from(byte)]);
        Self {
            digit: classes & DIGIT != 0,
            upper: classes & UPPER != 0,
            lower: classes & LOWER != 0,
        }
    }

    pub(crate) fn has_letter(self) -> bool {
        self.upper || self.lower
    }
}

/// The length of the mark at the start of a text, or `None` if there is no mark.
pub(crate) fn mark_length(text: &[u8]) -> Option<usize> {
    let name = text.strip_prefix(MARK.as_bytes())?;
    let is_name = |byte: &&u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    let length = name
        .iter()
        .take(MAX_NAME_LENGTH + 1)
        .take_while(is_name)
        .count();
    let closed = (1..=MAX_NAME_LENGTH).contains(&length) && name.get(length) == Some(&b']');
    closed.then_some(MARK.len() + length + 1)
}
