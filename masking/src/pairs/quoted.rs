//! Values in quotes.

use super::context::{is_quote, skip_blanks, skip_spaces};
use super::judgement::is_placeholder;
use crate::text::Text;

/// How far the closing quote is searched after the end of the line.
const LONGEST_OVER_LINES: usize = 4 * 1024;

/// How far the closing quote is searched after a quote that a letter follows.
const LONGEST_DOUBT: usize = 256;

/// How many bytes of a value are read to judge it.
const LONGEST_PREVIEW: usize = 1024;

/// A value in quotes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Quoted {
    /// The start and the end of the value, without the quotes.
    pub(super) start: usize,
    pub(super) end: usize,
    /// The position after the closing quote.
    pub(super) next: usize,
    /// Whether the closing quote was found.
    pub(super) is_closed: bool,
}

impl Quoted {
    /// The value as it is written, without the quotes. Only the beginning of a very long value.
    pub(super) fn written<'t>(&self, text: Text<'t>) -> &'t str {
        let end = self.end.min(self.start + LONGEST_PREVIEW);
        &text.text[self.start..text.text.floor_char_boundary(end)]
    }
}

/// The typographic quotes, and what closes them.
const TYPOGRAPHIC: &[(&str, &[&str])] = &[
    ("“", &["”", "“"]),
    ("„", &["“", "”", "\""]),
    ("”", &["”"]),
    ("‘", &["’"]),
    ("‚", &["‘", "’"]),
    ("«", &["»"]),
    ("»", &["«"]),
    ("‹", &["›"]),
    ("「", &["」"]),
    ("『", &["』"]),
    ("【", &["】"]),
    ("《", &["》"]),
    ("＂", &["＂"]),
];

/// The length of the opening quote at a position, or 0.
pub(super) fn quote_length(text: Text<'_>, at: usize) -> usize {
    if is_quote(text.byte(at)) {
        return 1;
    }
    if text.rest(at).starts_with(b"$$") {
        return 2;
    }
    typographic(text, at).map_or(0, |(open, _)| open.len())
}

/// The typographic quote at a position, and what closes it.
fn typographic(
    text: Text<'_>,
    at: usize,
) -> Option<&'static (&'static str, &'static [&'static str])> {
    if text.byte(at).is_ascii() {
        return None;
    }
    TYPOGRAPHIC
        .iter()
        .find(|(open, _)| text.rest(at).starts_with(open.as_bytes()))
}

/// The length of a prefix before a quote, as in `b'…'` and `N'…'`: 1 if one of the letters is at the
/// position and a quote follows it, and 0 otherwise.
pub(super) fn prefix_length(text: Text<'_>, at: usize, letters: &[u8]) -> usize {
    usize::from(letters.contains(&text.byte(at)) && is_quote(text.byte(at + 1)))
}

/// Reads the value in quotes after spaces, unless it is a placeholder.
pub(super) fn read_real(text: Text<'_>, at: usize) -> Option<Quoted> {
    let value = read(text, skip_spaces(text, at))?;
    (!is_placeholder(value.written(text))).then_some(value)
}

/// Reads the value whose opening quote is at a position. `None` if there is no quote.
pub(super) fn read(text: Text<'_>, at: usize) -> Option<Quoted> {
    let quote = text.byte(at);
    if text.rest(at).starts_with(b"$$") {
        let rest = &text.rest(at + 2)[..text.rest(at + 2).len().min(LONGEST_OVER_LINES)];
        let length = memchr::memmem::find(rest, b"$$")?;
        return Some(Quoted {
            start: at + 2,
            end: at + 2 + length,
            next: at + length + 4,
            is_closed: true,
        });
    }
    if !is_quote(quote) {
        let (open, close) = typographic(text, at)?;
        return Some(read_typographic(text, at + open.len(), close));
    }
    let rest = text.rest(at);
    if rest.starts_with(&[quote; 3]) && quote != b'\''
        || rest.starts_with(b"'''") && !rest.starts_with(b"''',")
    {
        return Some(read_triple(text, at + 3, quote));
    }
    Some(read_plain(text, at + 1, quote))
}

/// Reads a value up to three quotes, as in Python and TOML.
fn read_triple(text: Text<'_>, start: usize, quote: u8) -> Quoted {
    let rest = &text.rest(start);
    let rest = &rest[..rest.len().min(LONGEST_OVER_LINES)];
    match memchr::memmem::find(rest, &[quote; 3]) {
        Some(length) => Quoted {
            start,
            end: start + length,
            next: start + length + 3,
            is_closed: true,
        },
        None => read_plain(text, start, quote),
    }
}

/// Reads a value up to its typographic closing quote in the same line.
fn read_typographic(text: Text<'_>, start: usize, close: &[&str]) -> Quoted {
    let rest = &text.text[start..];
    let line = &rest[..text.line_end(start) - start];
    let near = &line[..line.floor_char_boundary(line.len().min(LONGEST_OVER_LINES))];
    let found = close
        .iter()
        .filter_map(|close| {
            Some((
                memchr::memmem::find(near.as_bytes(), close.as_bytes())?,
                close.len(),
            ))
        })
        .min();
    let (length, width) = found.unwrap_or((line.len(), 0));
    Quoted {
        start,
        end: start + length,
        next: start + length + width,
        is_closed: width > 0,
    }
}

/// Reads a value up to its closing quote.
fn read_plain(text: Text<'_>, start: usize, quote: u8) -> Quoted {
    let close = find_close(text, start, quote);
    // A quote on a later line may belong to another value.
    let is_near = |end: usize| {
        close
            .line_end
            .is_none_or(|line| end < line || is_continued(text, line, end))
    };
    let found = close.found.filter(|&end| is_near(end));
    if let Some(end) = found.or(close.doubtful) {
        return Quoted {
            start,
            end,
            next: end + 1,
            is_closed: true,
        };
    }
    let end = close.line_end.unwrap_or_else(|| text.line_end(start));
    Quoted {
        start,
        end,
        next: end,
        is_closed: false,
    }
}

/// Where a value can end.
#[derive(Debug, Default)]
struct Close {
    /// The closing quote.
    found: Option<usize>,
    /// The first quote that a letter or digit follows, so that it may belong to the value.
    doubtful: Option<usize>,
    /// The first end of a line before the closing quote.
    line_end: Option<usize>,
}

/// Finds the closing quote of a value. A quote inside the value is escaped by a backslash, or
/// doubled, or a letter follows it.
fn find_close(text: Text<'_>, start: usize, quote: u8) -> Close {
    let bytes = text.text.as_bytes();
    let limit = bytes.len().min(start + LONGEST_OVER_LINES);
    let mut close = Close::default();
    let mut at = start;
    while let Some(length) = memchr::memchr3(quote, b'\\', b'\n', &bytes[at.min(limit)..limit]) {
        at += length;
        match bytes[at] {
            b'\\' => at += 2,
            _ if quote == b'\'' && bytes[at..].starts_with(b"'\\''") => at += 4,
            _ if close
                .doubtful
                .is_some_and(|place| at > place + LONGEST_DOUBT) =>
            {
                break;
            }
            b'\n' if close.doubtful.is_some() => break,
            b'\n' => {
                close.line_end.get_or_insert(at);
                at += 1;
            }
            _ if at > start && text.byte(at + 1) == quote => at += 2,
            _ if at > start && text.byte(at + 1).is_ascii_alphanumeric() => {
                close.doubtful.get_or_insert(at);
                at += 1;
            }
            _ => {
                close.found = Some(at);
                break;
            }
        }
    }
    close
}

/// Whether a value goes on after its line: no other field begins before its closing quote.
fn is_continued(text: Text<'_>, line_end: usize, end: usize) -> bool {
    let between = &text.text.as_bytes()[line_end..end];
    !between
        .iter()
        .any(|&byte| matches!(byte, b'=' | b'{' | b'}'))
        || end - line_end < 200
}

/// The most parts of a value that is written in several quoted parts, such as the lines of a key.
const MOST_PARTS: usize = 200;

/// The end of a value that is written in several quoted parts: `'abc' 'def'`, `"abc" + "def"`,
/// and parts on lines of their own. Returns the end of the last part, and the position after it.
pub(super) fn join(text: Text<'_>, first: Quoted) -> Quoted {
    let mut whole = first;
    if !first.is_closed {
        return whole;
    }
    for _ in 0..MOST_PARTS {
        let Some(next) = read_continuation(text, whole.next) else {
            break;
        };
        whole.end = next.end;
        whole.next = next.next;
    }
    whole
}

/// Reads the next part of a value that is written in several quoted parts.
fn read_continuation(text: Text<'_>, at: usize) -> Option<Quoted> {
    let start = skip_blanks(text, at);
    let joined = match text.byte(start) {
        b'+' | b'&' | b'\\' => skip_blanks(text, start + 1),
        b'.' => skip_blanks(
            text,
            start + if text.byte(start + 1) == b'.' { 2 } else { 1 },
        ),
        _ => start,
    };
    let is_joined = joined > at;
    let quote = text.byte(joined);
    // Prefixes such as `f'…'` and `u"…"`.
    let is_prefix = matches!(quote, b'f' | b'u' | b'r' | b'b') && is_quote(text.byte(joined + 1));
    let joined = joined + usize::from(is_prefix);
    if !is_joined || !is_quote(text.byte(joined)) {
        return None;
    }
    let next = read_plain(text, joined + 1, text.byte(joined));
    // A name of the next field follows in quotes too.
    let after = skip_blanks(text, next.next);
    let is_name = matches!(text.byte(after), b':' | b'=') || text.rest(after).starts_with(b"=>");
    let is_list = start == joined && text.byte(after) == b'"';
    (next.is_closed && !is_name && !is_list).then_some(next)
}
