//! The text that is searched, and what every detector asks of it.

use std::cell::OnceCell;

/// What the mask of a value begins with.
pub(crate) const MARK: &str = "[REDACTED:";

/// No rule's name is longer, so that a mark is recognised at a constant cost.
pub(crate) const MAX_NAME_LENGTH: usize = 40;

/// A text, and the place behind the last masked value. No detector looks at
/// what lies before that place: a text that was masked before then reads to it
/// as it did the first time, which is what makes masking idempotent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Text<'t> {
    pub(crate) text: &'t str,
    pub(crate) floor: usize,
    /// Whether the value before that place was masked as a secret.
    pub(crate) follows_secret: bool,
    facts: &'t Facts,
}

/// What is known of a text as a whole, found out once and only if it is asked.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    names_aws: OnceCell<bool>,
}

impl<'t> Text<'t> {
    /// A text, of which nothing is masked so far.
    pub(crate) fn new(text: &'t str, facts: &'t Facts) -> Self {
        Self {
            text,
            floor: 0,
            follows_secret: false,
            facts,
        }
    }

    /// Whether the text holds an AWS access key id, readable or masked, or a
    /// setting of AWS.
    pub(crate) fn names_aws(&self) -> bool {
        let signs = ["AKIA", "ASIA", "[REDACTED:aws-access-key]", "aws_", "AWS_"];
        let find = || signs.iter().any(|sign| self.text.contains(sign));
        *self.facts.names_aws.get_or_init(find)
    }

    /// The byte at a place; zero behind the text's end.
    pub(crate) fn byte(&self, at: usize) -> u8 {
        self.text.as_bytes().get(at).copied().unwrap_or(0)
    }

    /// The byte before a place; zero at the text's start.
    pub(crate) fn byte_before(&self, at: usize) -> u8 {
        if at > self.floor {
            self.byte(at - 1)
        } else {
            0
        }
    }

    /// All bytes from a place on.
    pub(crate) fn rest(&self, at: usize) -> &'t [u8] {
        self.text.as_bytes().get(at..).unwrap_or_default()
    }

    /// Where the run of bytes of one class ends that begins at `at`.
    pub(crate) fn run(&self, at: usize, class: impl Fn(u8) -> bool) -> usize {
        let length = self.rest(at).iter().take_while(|&&byte| class(byte));
        at + length.count()
    }

    /// Where the run of bytes of one class begins that ends at `at`, of which
    /// no more than `most` are read.
    pub(crate) fn run_back(&self, at: usize, most: usize, class: impl Fn(u8) -> bool) -> usize {
        let from = self.floor.max(at.saturating_sub(most)).min(at);
        let bytes = &self.text.as_bytes()[from..at];
        let length = bytes.iter().rev().take_while(|&&byte| class(byte));
        at - length.count()
    }

    /// The text right before a place, of at most `most` bytes, as far as it is
    /// whole characters.
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

    /// Whether a word can begin here: what stands before is no letter or digit,
    /// or is the end of an escape such as `\n` or `%20`.
    pub(crate) fn starts_word(&self, at: usize) -> bool {
        let before = self.byte_before(at);
        !before.is_ascii_alphanumeric() || self.follows_escape(at)
    }

    /// Whether an escape such as `\n`, `\u003d` or `%20` ends at a place.
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

    /// Where the mark of a masked value ends that begins at `at`, if one does.
    pub(crate) fn mark_end(&self, at: usize) -> Option<usize> {
        mark_length(self.rest(at)).map(|length| at + length)
    }
}

/// How long the mark is that a text begins with, if it begins with one.
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
