//! The surroundings of a name and its value, and the signs between them.

use crate::lists::WordSet;
use crate::text::Text;

/// The most spaces between name, sign and value, which may be aligned in columns.
pub(super) const MOST_SPACES: usize = 96;

/// How many bytes before a name are read to find the bracket that encloses it.
const REACH: usize = 512;

/// How many bytes before a name are read to find the start of its line.
const LONGEST_INDENT: usize = 96;

/// Whether a byte can belong to the name of a field.
pub(super) fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.') || !byte.is_ascii()
}

/// Whether a byte is a quote.
pub(super) fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'`')
}

/// Whether a byte is a space or a tab.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// Skips spaces, tabs and no-break spaces.
pub(super) fn skip_spaces(text: Text<'_>, at: usize) -> usize {
    let mut at = at;
    let end = at + MOST_SPACES;
    while at < end {
        match text.rest(at) {
            [b' ' | b'\t', ..] => at += 1,
            [0xC2, 0xA0, ..] => at += 2,
            [0xE2, 0x80, 0xAF, ..] | [0xE3, 0x80, 0x80, ..] => at += 3,
            _ => break,
        }
    }
    at
}

/// Skips spaces and line ends.
pub(super) fn skip_blanks(text: Text<'_>, at: usize) -> usize {
    let rest = text.rest(at).iter().take(MOST_SPACES);
    at + rest.take_while(|byte| byte.is_ascii_whitespace()).count()
}

/// The start of the spaces and line ends that end at a position.
pub(super) fn skip_blanks_back(text: Text<'_>, at: usize) -> usize {
    text.run_back(at, MOST_SPACES, |byte| byte.is_ascii_whitespace())
}

/// The text between two positions. It is empty if the text has no such characters.
pub(super) fn slice(text: Text<'_>, start: usize, end: usize) -> &str {
    text.text.get(start..end).unwrap_or_default()
}

/// The text from a position on: at most `most` bytes, and only whole characters. `None` if a
/// character does not begin at the position.
pub(super) fn ahead(text: Text<'_>, at: usize, most: usize) -> Option<&str> {
    let end = text.text.len().min(at + most);
    text.text.get(at..text.text.floor_char_boundary(end))
}

/// The part of a line before a position, of which at most `most` bytes are read.
pub(super) fn line_before(text: Text<'_>, at: usize, most: usize) -> &str {
    let before = text.before(at, most);
    before.rsplit('\n').next().unwrap_or_default()
}

/// The end of the line around a position.
pub(super) fn line_end(text: Text<'_>, at: usize) -> usize {
    text.run_near(at, |byte| byte != b'\n' && byte != b'\r')
}

/// The start of the next line, or the end of the text.
pub(super) fn next_line(text: Text<'_>, at: usize) -> usize {
    let rest = text.rest(at);
    at + memchr::memchr(b'\n', rest).map_or(rest.len(), |length| length + 1)
}

/// The end of a name that begins at a position.
pub(super) fn name_end(text: Text<'_>, at: usize) -> usize {
    let rest = text.rest(at).iter().take(LONGEST_NAME);
    at + rest.take_while(|&&byte| is_name(byte)).count()
}

/// The longest name of a field.
pub(super) const LONGEST_NAME: usize = 64;

/// The line in which a name stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    /// How many bytes precede the name's field in its line: spaces and list marks.
    pub(super) indent: usize,
    /// Whether the name begins its line, apart from marks and keywords such as `export`.
    pub(super) is_start: bool,
}

/// Words that can stand before a name at the start of a line.
#[rustfmt::skip]
static KEYWORDS: WordSet = WordSet::new(&[
    "ARG", "Arg", "Env", "ENV", "SET", "auto", "char", "const", "declare", "def", "env", "export", "final", "let", "local", "my", "our", "private", "protected", "public", "readonly", "set", "setenv", "static", "string", "String", "sudo", "val", "var", "variable", "config", "option", "DEFINE", "define", "set -x", "setx", "IPSec", "Xauth",
]);

/// Marks that can stand before a name at the start of a line: of lists, comments, quotes, trees and
/// variables.
const MARKS: &str = " \t-*+#><|\"'`$@~:•│║├─└?!.[({&";

/// Finds out how the line of a name begins.
pub(super) fn line_of(text: Text<'_>, start: usize) -> Line {
    let is_other = |byte: u8| byte != b'\n' && byte != b'\r';
    let line_start = text.run_back(start, LONGEST_INDENT, is_other);
    let is_whole = line_start == 0 || !is_other(text.byte(line_start - 1));
    let before = text.text.get(line_start..start).unwrap_or("x");
    let indent = before.len() - before.trim_start_matches([' ', '\t']).len();
    let words = before.trim_matches(|character: char| MARKS.contains(character));
    // Maven lists the parameters of a plugin: `(f) password = x`.
    let is_start = before.ends_with("(f) ")
        || is_whole
            && words
                .split_whitespace()
                .all(|word| KEYWORDS.contains(word) || word == "-");
    Line { indent, is_start }
}

/// The bracket that encloses a position in its line, and is not closed before it. Zero if there
/// is none.
pub(super) fn enclosing_bracket(text: Text<'_>, at: usize) -> u8 {
    let from = text.line_start(at, REACH);
    if memchr::memchr3(b'(', b'[', b'{', &text.text.as_bytes()[from..at]).is_none() {
        return 0;
    }
    let mut closed = 0;
    for (place, &byte) in text.text.as_bytes()[from..at].iter().enumerate().rev() {
        match byte {
            b'}' | b']' | b')' => closed += 1,
            // A bracket after a space encloses words of a sentence.
            b'(' if closed == 0 && from + place > 0 && text.byte(from + place - 1) == b' ' => {
                return 0;
            }
            b'{' | b'[' | b'(' if closed == 0 => return byte,
            b'{' | b'[' | b'(' => closed -= 1,
            _ => {}
        }
    }
    0
}

/// How a sign separates a name from its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// `=` and similar signs.
    Equals,
    /// `:`.
    Colon,
    /// `=>`, `->` and similar signs.
    Arrow,
    /// `==`, `!=` and similar signs.
    Comparison,
}

/// Reads the sign at a position. Returns it and its end.
pub(super) fn read_sign(text: Text<'_>, at: usize) -> Option<(Sign, usize)> {
    Some(match text.rest(at) {
        [b':', b'=', ..] => (Sign::Equals, at + 2),
        [b':', b':', b'=', ..] => (Sign::Equals, at + 3),
        [b':', b':', ..] | [b':', b'/', b'/', ..] => return None,
        [b':', ..] => (Sign::Colon, at + 1),
        [b'=', b'>', ..] => (Sign::Arrow, at + 2),
        [b'=', b'=', b'=', ..] => (Sign::Comparison, at + 3),
        [b'!', b'=', b'=', ..] => (Sign::Comparison, at + 3),
        [b'=', b'=', ..] | [b'!', b'=', ..] => (Sign::Comparison, at + 2),
        // An operator, and not a value that begins with the sign: `PASSWORD=~x`.
        [b'=', b'~', next, ..] if is_space(*next) || *next == b'/' => return None,
        [b'=', ..] => (Sign::Equals, at + 1),
        [b'-', b'>', ..] | [b'~', b'>', ..] => (Sign::Arrow, at + 2),
        [b'?', b'=', ..] | [b'+', b'=', ..] => (Sign::Equals, at + 2),
        // Full-width colon and equals sign, arrows.
        [0xEF, 0xBC, 0x9A, ..] => (Sign::Colon, at + 3),
        [0xEF, 0xBC, 0x9D, ..] => (Sign::Equals, at + 3),
        [0xE2, 0x86, 0x92, ..] | [0xE2, 0x87, 0x92, ..] => (Sign::Arrow, at + 3),
        _ => return None,
    })
}

/// Whether the next field of a record begins at a position: a name and a sign.
pub(super) fn begins_field(text: Text<'_>, at: usize) -> bool {
    let start = skip_blanks(text, at);
    let quote = usize::from(is_quote(text.byte(start)));
    let start = start + quote;
    let first = text.byte(start);
    if !(first.is_ascii_alphabetic()
        || matches!(first, b'_' | b'-' | b'$' | b'@' | b':')
        || !first.is_ascii())
    {
        return false;
    }
    let end = name_end(
        text,
        start + usize::from(matches!(first, b'$' | b'@' | b':')),
    );
    let end = end + usize::from(quote > 0 && is_quote(text.byte(end)));
    let end = if text.byte(end) == b']' { end + 1 } else { end };
    let end = if is_space(text.byte(end)) && quote == 0 {
        skip_spaces(text, end)
    } else {
        end
    };
    match text.rest(end) {
        [b'=', b'=', ..] => false,
        [b'=', ..] => true,
        [b':', b'/', b'/', ..] => false,
        [b':', ..] => end > start,
        _ => false,
    }
}
