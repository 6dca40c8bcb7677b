//! Texts inside texts: JSON in JSON, HTML, percent-encoded and coloured text, lines with prefixes.
//!
//! A text is read as it is, and again after each layer has been removed. What is found in a layer
//! is hidden where it stands in the text.

use crate::prefixes;

/// The kinds of layers, in the order in which they are removed. JSON is often inside JSON.
pub(crate) const LAYERS: [Kind; 8] = [
    Kind::Colours,
    Kind::Prefixes,
    Kind::Entities,
    Kind::Percent,
    Kind::Percent,
    Kind::Backslashes,
    Kind::Backslashes,
    Kind::Backslashes,
];

/// What makes a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The control sequences of terminals.
    Colours,
    /// What loggers write before each line.
    Prefixes,
    /// Character references of HTML and XML.
    Entities,
    /// Percent-encoded bytes of URLs and forms.
    Percent,
    /// Escapes of JSON and of most languages.
    Backslashes,
}

/// A text without one layer of escapes, and where its parts stand in the text with them.
#[derive(Debug, Default)]
pub(crate) struct Layer {
    pub(crate) text: String,
    segments: Vec<Segment>,
}

/// A part of a layer: either the same text as the source, or the text of one escape.
#[derive(Debug, Clone, Copy)]
struct Segment {
    /// Where it begins in the layer.
    start: usize,
    source: usize,
    source_end: usize,
    is_same: bool,
}

impl Layer {
    /// Removes a layer. `None` if the text does not have it.
    pub(crate) fn remove(text: &str, kind: Kind) -> Option<Self> {
        if kind == Kind::Prefixes {
            return Self::without_prefixes(text);
        }
        let bytes = text.as_bytes();
        let sign = kind.sign();
        let mut layer = Self::default();
        let mut copied = 0;
        let mut at = 0;
        while let Some(length) = memchr::memchr(sign, &bytes[at..]) {
            let next = at + length;
            let Some((decoded, length)) = kind.decode(text, next) else {
                at = next + 1;
                continue;
            };
            layer.push_same(text, copied, next);
            layer.push_escape(&decoded, next, next + length);
            at = next + length;
            copied = at;
        }
        if copied == 0 {
            return None;
        }
        layer.push_same(text, copied, bytes.len());
        Some(layer)
    }

    fn without_prefixes(text: &str) -> Option<Self> {
        let mut layer = Self::default();
        let mut lines = 0;
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            let length = prefixes::length(line);
            lines += usize::from(length > 0);
            layer.push_same(text, at + length, at + line.len());
            at += line.len();
        }
        (lines > 0).then_some(layer)
    }

    fn push_same(&mut self, text: &str, start: usize, end: usize) {
        if start < end {
            self.segments.push(Segment {
                start: self.text.len(),
                source: start,
                source_end: end,
                is_same: true,
            });
            self.text.push_str(&text[start..end]);
        }
    }

    fn push_escape(&mut self, decoded: &str, start: usize, end: usize) {
        if !decoded.is_empty() {
            self.segments.push(Segment {
                start: self.text.len(),
                source: start,
                source_end: end,
                is_same: false,
            });
            self.text.push_str(decoded);
        }
    }

    /// Where a range of the layer stands in the source.
    pub(crate) fn locate(&self, start: usize, end: usize) -> (usize, usize) {
        let first = self.segment(start);
        let last = self.segment(end.saturating_sub(1));
        let start = if first.is_same {
            first.source + (start - first.start)
        } else {
            first.source
        };
        let end = if last.is_same {
            last.source + (end - last.start)
        } else {
            last.source_end
        };
        (start, end)
    }

    fn segment(&self, at: usize) -> Segment {
        let index = self.segments.partition_point(|segment| segment.start <= at);
        self.segments[index.saturating_sub(1)]
    }
}

impl Kind {
    /// The byte with which an escape begins.
    fn sign(self) -> u8 {
        match self {
            Self::Colours | Self::Prefixes => 0x1B,
            Self::Entities => b'&',
            Self::Percent => b'%',
            Self::Backslashes => b'\\',
        }
    }

    /// Decodes the escape at a position. Returns its text and its length.
    fn decode(self, text: &str, at: usize) -> Option<(String, usize)> {
        match self {
            Self::Colours | Self::Prefixes => decode_colour(text, at),
            Self::Entities => decode_entity(text, at),
            Self::Percent => decode_percent(text, at),
            Self::Backslashes => decode_backslash(text, at),
        }
    }
}

/// Whether a text has escapes.
pub(crate) fn has_escapes(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut signs = memchr::memchr3_iter(b'&', b'%', b'\\', bytes);
    signs.any(|at| begins_escape(text, at)) || memchr::memchr(0x1B, bytes).is_some()
}

/// Whether an escape of any kind begins at a position.
pub(crate) fn begins_escape(text: &str, at: usize) -> bool {
    let rest = &text.as_bytes()[at..];
    match rest {
        [0x1B, b'[', ..] => true,
        [b'&', b'#', b'0'..=b'9' | b'x' | b'X', ..] => true,
        [b'&', first, ..] if first.is_ascii_lowercase() => ENTITIES
            .iter()
            .any(|(entity, _)| rest.starts_with(entity.as_bytes())),
        [b'%', first, second, ..] => first.is_ascii_hexdigit() && second.is_ascii_hexdigit(),
        [b'\\', b'u' | b'x' | b'e' | b'0', ..] => decode_backslash(text, at).is_some(),
        [b'\\', next, ..] => matches!(
            next,
            b'"' | b'\'' | b'\\' | b'/' | b'`' | b'n' | b'r' | b't'
        ),
        _ => false,
    }
}

fn decode_backslash(text: &str, at: usize) -> Option<(String, usize)> {
    let rest = text.as_bytes().get(at + 1..)?;
    let simple = |decoded: &str| Some((decoded.to_owned(), 2));
    match rest {
        [byte @ (b'"' | b'\'' | b'\\' | b'/' | b'`'), ..] => simple(&char::from(*byte).to_string()),
        [b'n', ..] => simple("\n"),
        [b'r', ..] => simple("\r"),
        [b't', ..] => simple("\t"),
        [b'u', ..] => decode_unicode(text, at),
        [b'x', first, second, ..] => hex(&[*first, *second]).map(|byte| (character(byte), 4)),
        [b'e', b'[', ..] => Some(("\u{1b}".to_owned(), 2)),
        [b'0', b'3', b'3', ..] => Some(("\u{1b}".to_owned(), 4)),
        _ => None,
    }
}

fn character(code: u32) -> String {
    char::from_u32(code).map_or_else(String::new, String::from)
}

fn hex(digits: &[u8]) -> Option<u32> {
    let digits = std::str::from_utf8(digits).ok()?;
    digits
        .bytes()
        .all(|byte| byte.is_ascii_hexdigit())
        .then(|| u32::from_str_radix(digits, 16).ok())?
}

/// Decodes `\u0041`, a pair of surrogates, or `\u{41}`.
fn decode_unicode(text: &str, at: usize) -> Option<(String, usize)> {
    let bytes = text.as_bytes();
    if bytes.get(at + 2) == Some(&b'{') {
        let rest = &bytes[at + 3..bytes.len().min(at + 10)];
        let length = rest.iter().position(|&byte| byte == b'}')?;
        return Some((character(hex(&rest[..length])?), length + 4));
    }
    let unit = |at: usize| hex(bytes.get(at + 2..at + 6)?);
    let first = unit(at)?;
    if (0xD800..0xDC00).contains(&first)
        && bytes.get(at + 6..at + 8) == Some(b"\\u")
        && let Some(second @ 0xDC00..0xE000) = unit(at + 6)
    {
        let code = 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00);
        return Some((character(code), 12));
    }
    Some((character(first), 6))
}

/// The named entities that separate names and values.
const ENTITIES: &[(&str, &str)] = &[
    ("&quot;", "\""),
    ("&apos;", "'"),
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&amp;", "&"),
    ("&nbsp;", " "),
    ("&colon;", ":"),
    ("&equals;", "="),
    ("&lbrace;", "{"),
    ("&rbrace;", "}"),
    ("&comma;", ","),
    ("&num;", "#"),
    ("&excl;", "!"),
    ("&dollar;", "$"),
    ("&commat;", "@"),
    ("&sol;", "/"),
    ("&grave;", "`"),
];

fn decode_entity(text: &str, at: usize) -> Option<(String, usize)> {
    let rest = &text[at..];
    if let Some((entity, decoded)) = ENTITIES.iter().find(|(entity, _)| rest.starts_with(entity)) {
        return Some(((*decoded).to_owned(), entity.len()));
    }
    let number = rest.strip_prefix("&#")?;
    let length = number.bytes().take(9).position(|byte| byte == b';')?;
    let digits = &number[..length];
    let code = match digits.strip_prefix(['x', 'X']) {
        Some(digits) => hex(digits.as_bytes())?,
        None => digits.parse().ok()?,
    };
    Some((character(code), length + 3))
}

/// The most bytes of a character in UTF-8.
const LONGEST_CHARACTER: usize = 4;

/// Decodes a run of percent-encoded bytes, if it is text.
fn decode_percent(text: &str, at: usize) -> Option<(String, usize)> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::new();
    let mut end = at;
    while bytes.get(end) == Some(&b'%') {
        let Some(byte) = bytes.get(end + 1..end + 3).and_then(hex) else {
            break;
        };
        let byte = u8::try_from(byte).ok()?;
        // Each ASCII character is an escape of its own, so that a value can begin or end at it.
        if byte.is_ascii() && !decoded.is_empty() {
            break;
        }
        decoded.push(byte);
        end += 3;
        if byte.is_ascii() {
            break;
        }
        if decoded.len() == LONGEST_CHARACTER || std::str::from_utf8(&decoded).is_ok() {
            break;
        }
    }
    let decoded = String::from_utf8(decoded).ok()?;
    let is_text =
        |character: char| !character.is_control() || matches!(character, '\n' | '\r' | '\t');
    (!decoded.is_empty() && decoded.chars().all(is_text)).then_some((decoded, end - at))
}

/// Removes a colour: ECMA-48, control sequences.
fn decode_colour(text: &str, at: usize) -> Option<(String, usize)> {
    let rest = text.as_bytes().get(at + 1..)?;
    let sequence = rest.strip_prefix(b"[")?;
    let length = sequence
        .iter()
        .take(24)
        .position(|byte| (0x40..0x7F).contains(byte))?;
    Some((String::new(), length + 3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_of_a_layer_has_a_place_in_the_source() {
        for (kind, source, layer, part, place) in [
            (
                Kind::Backslashes,
                r#"{\"a\":\"b\\\"c\"}"#,
                r#"{"a":"b\"c"}"#,
                r#"b\"c"#,
                r#"b\\\"c"#,
            ),
            (Kind::Entities, "a&quot;b&#39;c", "a\"b'c", "b'", "b&#39;"),
            (
                Kind::Percent,
                "p%3Da%C3%A9b&x",
                "p=aéb&x",
                "aéb",
                "a%C3%A9b",
            ),
            (
                Kind::Colours,
                "\u{1b}[31mred\u{1b}[0m!",
                "red!",
                "red",
                "red",
            ),
            (
                Kind::Backslashes,
                r"\u0070\ud83d\ude00x",
                "p😀x",
                "😀",
                r"\ud83d\ude00",
            ),
            (
                Kind::Prefixes,
                "web-1  | a\nweb-1  | b",
                "a\nb",
                "a\nb",
                "a\nweb-1  | b",
            ),
        ] {
            let removed = Layer::remove(source, kind).expect(source);
            assert_eq!(removed.text, layer);
            let start = layer.find(part).expect(part);
            let (start, end) = removed.locate(start, start + part.len());
            assert_eq!(&source[start..end], place);
        }
        for kind in LAYERS {
            assert!(Layer::remove("50 % of a & b", kind).is_none(), "{kind:?}");
        }
    }
}
