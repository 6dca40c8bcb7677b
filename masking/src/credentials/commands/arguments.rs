//! The arguments of a command, in a command line or in a list.

use super::LONGEST_COMMAND;
use crate::text::Text;

/// The most arguments of a command that are read.
const MOST_ARGUMENTS: usize = 200;

/// An argument without its quotes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Argument<'t> {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) text: &'t str,
}

impl Argument<'_> {
    /// The rest of an argument after a number of bytes.
    pub(super) fn after(self, length: usize) -> Self {
        Self {
            start: self.start + length,
            text: &self.text[length..],
            ..self
        }
    }
}

/// Splits the arguments after a position: words and quoted texts, in a command line or in a list.
pub(super) fn arguments<'t>(text: Text<'t>, at: usize) -> Vec<Argument<'t>> {
    first_arguments(text, at, MOST_ARGUMENTS)
}

/// The first arguments after a position.
pub(super) fn first_arguments<'t>(text: Text<'t>, at: usize, most: usize) -> Vec<Argument<'t>> {
    let limit = text.text.len().min(at + LONGEST_COMMAND);
    // The name of a program in quotes begins a list.
    let is_list = matches!(text.byte(at), b'"' | b'\'' | b',' | b'\n');
    let is_closing = matches!(text.byte(at), b'"' | b'\'')
        && !text.byte_before(at).is_ascii_whitespace()
        && text.byte_before(at) != b'(';
    let mut at = at + usize::from(is_closing);
    let mut arguments = Vec::new();
    let mut count = 0;
    while count < most
        && let Some(start) = skip_gap(text, at, limit, is_list)
    {
        let quote = text.byte(start);
        let (start, end) = if matches!(quote, b'"' | b'\'') {
            (start + 1, quoted_end(text, start + 1, quote, limit))
        } else {
            (start, word_end(text, start, limit, is_list))
        };
        if end == start && !matches!(quote, b'"' | b'\'') {
            break;
        }
        at = end + usize::from(matches!(quote, b'"' | b'\''));
        count += 1;
        arguments.extend(
            text.text
                .get(start..end)
                .map(|text| Argument { start, end, text }),
        );
    }
    arguments
}

/// Skips what separates arguments. `None` if no argument follows.
fn skip_gap(text: Text<'_>, at: usize, limit: usize, is_list: bool) -> Option<usize> {
    let mut at = at;
    while at < limit {
        match text.byte(at) {
            b' ' | b'\t' | b',' | b'[' if text.mark_end(at).is_none() => at += 1,
            b']' | b')' | b'|' | b';' | b'}' => return None,
            b'\\' if text.byte(at + 1) == b'\n' => at += 2,
            b'\n' => at = next_item(text, at).filter(|_| is_list)?,
            _ => return Some(at),
        }
    }
    None
}

/// The next item of a list in YAML or JSON, which has an item in each line.
fn next_item(text: Text<'_>, at: usize) -> Option<usize> {
    let gap = text.rest(at).iter().take(64);
    let is_blank = |byte: &&u8| matches!(byte, b'\n' | b'\r' | b' ' | b'\t');
    let item = at + gap.take_while(is_blank).count();
    match text.rest(item) {
        [b'-', b' ', ..] => Some(item + 2),
        [b'"' | b'\'', ..] => Some(item),
        _ => None,
    }
}

/// The end of a text in quotes: its closing quote, or the end of the line.
fn quoted_end(text: Text<'_>, start: usize, quote: u8, limit: usize) -> usize {
    let mut at = start;
    while at < limit {
        match text.byte(at) {
            b'\\' => at += 2,
            b'\n' => break,
            byte if byte == quote => break,
            _ => at += 1,
        }
    }
    at.min(limit)
}

/// The end of a word, in which quotes can enclose parts: `--password='a b'`.
fn word_end(text: Text<'_>, start: usize, limit: usize, is_list: bool) -> usize {
    let mut at = start;
    while at < limit {
        match text.byte(at) {
            b' ' | b'\t' | b'\n' | b'\r' if !is_list => break,
            b'\n' | b'\r' => break,
            b',' | b']' if is_list => break,
            b'\\' => at += 1,
            quote @ (b'"' | b'\'') if !is_list => {
                let end = quoted_end(text, at + 1, quote, limit);
                // An unpaired quote ends the text around the command.
                if text.byte(end) != quote {
                    break;
                }
                at = end;
            }
            b'"' | b'\'' => break,
            _ => {}
        }
        at += 1;
    }
    at.min(limit)
}
