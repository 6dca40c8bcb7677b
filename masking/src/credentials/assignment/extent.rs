//! The end of a value: its closing quote, the end of its line, or a character that unquoted
//! values do not contain.

use super::characters::{LONGEST_NAME, MOST_MARKS, is_name, is_quote};
use crate::text::Text;

/// How many bytes are read to decide whether something is a value. Only confirmed values
/// are read to their end, so that no part of a text is read repeatedly.
pub(super) const PREVIEW: usize = 256;

/// What ends a value.
#[derive(Debug, Clone, Copy)]
pub(super) enum Extent {
    /// Its closing quote.
    Quoted {
        /// The quotation mark.
        quote: u8,
        /// The number of backslashes before each quote, in JSON inside JSON.
        slashes: usize,
    },
    /// The end of its line or a quote: a cookie contains spaces.
    Line,
    /// The end of its line only, because it contains quotes.
    Parameters,
    /// A character that unquoted values do not contain.
    Bare,
}

impl Extent {
    /// Where a confirmed value ends.
    pub(super) fn find_end(self, text: Text<'_>, start: usize) -> usize {
        text.end_of(start, || self.find_end_within(text, start, usize::MAX))
    }

    /// Where a value ends, reading at most `most` bytes.
    pub(super) fn find_end_within(self, text: Text<'_>, start: usize, most: usize) -> usize {
        let limit = text.text.len().min(start.saturating_add(most));
        let mut end = match self {
            Self::Quoted { quote, slashes } => closing_quote(text, start, limit, quote, slashes),
            Self::Line => line_end(text, start, limit, ends_line),
            Self::Parameters => line_end(text, start, limit, |byte| byte == b'\n'),
            Self::Bare => bare_end(text, start, limit),
        };
        while !text.text.is_char_boundary(end) {
            end -= 1;
        }
        end
    }
}

fn ends_line(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r') || is_quote(byte)
}

fn line_end(text: Text<'_>, start: usize, limit: usize, ends: impl Fn(u8) -> bool) -> usize {
    let rest = &text.text.as_bytes()[start..limit];
    start + rest.iter().take_while(|&&byte| !ends(byte)).count()
}

/// The quote at a position, and the number of backslashes before it in JSON inside JSON.
pub(super) fn opening_quote(text: Text<'_>, at: usize) -> Option<(u8, usize)> {
    let rest = text.rest(at).iter().take(MOST_MARKS);
    let slashes = rest.take_while(|&&byte| byte == b'\\').count();
    let quote = text.byte(at + slashes);
    is_quote(quote).then_some((quote, slashes))
}

/// The position of the quote that closes the value, or the end of its line.
///
/// With each level of JSON inside JSON, the number of backslashes before a quote doubles and
/// grows by one. A quote inside the value is one level deeper than the closing quote. In SQL,
/// `''` is an escaped quote.
fn closing_quote(text: Text<'_>, start: usize, limit: usize, quote: u8, slashes: usize) -> usize {
    let mut before = 0;
    let mut end = start;
    for &byte in &text.text.as_bytes()[start..limit] {
        if byte == b'\n' {
            return end;
        }
        let is_doubled = byte == b'\''
            && quote == byte
            && slashes == 0
            && text.byte(end + 1) == quote
            && text.byte(end + 2).is_ascii_alphanumeric();
        if is_doubled {
            // The second quote counts as escaped by a backslash.
            before = 1;
            end += 1;
            continue;
        }
        if byte == quote && before % (2 * (slashes + 1)) == slashes {
            return end - slashes;
        }
        before = if byte == b'\\' { before + 1 } else { 0 };
        end += 1;
    }
    end
}

/// Where an unquoted value ends.
fn bare_end(text: Text<'_>, at: usize, limit: usize) -> usize {
    let mut end = at;
    while end < limit {
        let byte = text.byte(end);
        let ends = match byte {
            b' ' | b'\t' | b'\n' | b'\r' | b';' | b'"' | b'\'' | b'`' | b'<' | b'>' => true,
            b'\\' => matches!(text.byte(end + 1), b'n' | b'r' | b't' | b'"' | b'\\'),
            b'&' | b',' => begins_next(text, end + 1),
            b')' | b']' | b'}' => ends_clause(text, end),
            b'[' => text.mark_end(end).is_some(),
            _ => false,
        };
        if ends {
            break;
        }
        end += 1;
    }
    while end > at && matches!(text.byte(end - 1), b'.' | b',' | b':') {
        end -= 1;
    }
    end
}

/// Whether an `&` or a comma ends the value: the next name, or nothing, follows it.
fn begins_next(text: Text<'_>, at: usize) -> bool {
    let run = text.rest(at).iter().take(LONGEST_NAME);
    let end = at + run.take_while(|&&byte| is_name(byte)).count();
    let next = text.byte(end);
    matches!(next, b'=' | b':' | b'[') || end == at && (next <= b' ' || is_quote(next))
}

/// Whether only punctuation follows a closing bracket.
fn ends_clause(text: Text<'_>, at: usize) -> bool {
    let rest = text.rest(at).iter().take(MOST_MARKS);
    let is_mark = |byte: u8| matches!(byte, b')' | b']' | b'}' | b'.' | b',' | b';' | b':');
    let end = at + rest.take_while(|&&byte| is_mark(byte)).count();
    let next = text.byte(end);
    next <= b' ' || is_quote(next) || next == b'\\'
}
