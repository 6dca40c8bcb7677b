//! The searched text, and the operations that all detectors use.

use std::cell::OnceCell;

/// The start of a mask.
pub(crate) const MARK: &str = "[REDACTED:";

/// The longest name of a rule, so that marks are recognised at a constant cost.
pub(crate) const MAX_NAME_LENGTH: usize = 40;

/// A text, and the position after the last masked value, the `floor`. Detectors do not read
/// anything before it. So they read a text that was masked before in the same way as the
/// first time, and masking is idempotent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Text<'t> {
    pub(crate) text: &'t str,
    pub(crate) floor: usize,
    /// Whether the value before `floor` was masked as a secret.
    pub(crate) follows_secret: bool,
    /// The last position where a match can begin. Another search has found a match after it, so
    /// a later match is dropped and its end must not be read: reading it for each sign of
    /// a long value would make the walk quadratic.
    pub(crate) limit: usize,
    facts: &'t Facts,
}

/// Facts about a whole text. They are determined once, when they are first needed.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    names_aws: OnceCell<bool>,
}

impl<'t> Text<'t> {
    /// Creates a text in which nothing is masked yet.
    pub(crate) fn new(text: &'t str, facts: &'t Facts) -> Self {
        Self {
            text,
            floor: 0,
            follows_secret: false,
            limit: usize::MAX,
            facts,
        }
    }

    /// The end of a value that begins at `start`. It is read only if the match can count.
    pub(crate) fn end_of(&self, start: usize, read: impl FnOnce() -> usize) -> usize {
        if start > self.limit { start } else { read() }
    }

    /// Whether the text contains an AWS access key id, readable or masked, or an AWS
    /// setting.
    pub(crate) fn names_aws(&self) -> bool {
        let signs = ["AKIA", "ASIA", "[REDACTED:aws-access-key]", "aws_", "AWS_"];
        let find = || signs.iter().any(|sign| self.text.contains(sign));
        *self.facts.names_aws.get_or_init(find)
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
