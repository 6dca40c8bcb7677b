//! Where a value without quotes ends.

use super::Scene;
use crate::pairs::context::{
    Sign, begins_field, is_quote, is_space, name_end, skip_blanks, skip_spaces,
};
use crate::text::Text;

/// Where a value ends, of which at most `most` bytes are read.
pub(in crate::pairs) fn find_end(
    text: Text<'_>,
    start: usize,
    most: usize,
    scene: Scene<'_>,
) -> usize {
    let limit = text.text.len().min(start.saturating_add(most));
    let mut at = start;
    let mut open = 0;
    while at < limit {
        // A doubled quote belongs to the value.
        if scene.quote == b'\'' && text.rest(at).starts_with(b"''") {
            at += 2;
            continue;
        }
        if ends_value(text, at, start, open, scene) {
            break;
        }
        match text.byte(at) {
            b'(' | b'[' | b'{' => open += 1,
            b')' | b']' | b'}' if open > 0 => open -= 1,
            _ => {}
        }
        at += 1;
    }
    let mut end = text.text.floor_char_boundary(at.min(text.text.len()));
    while end > start && matches!(text.byte(end - 1), b'.' | b',' | b':' | b' ' | b'\t' | b';') {
        end -= 1;
    }
    end
}

/// Whether the value that begins at `start` ends at a position. `open` counts the open brackets of
/// the value.
fn ends_value(text: Text<'_>, at: usize, start: usize, open: usize, scene: Scene<'_>) -> bool {
    let next = text.byte(at + 1);
    match text.byte(at) {
        b'\n' | b'\r' => true,
        b' ' | b'\t' => ends_at_space(text, at, start, scene),
        b'&' => {
            scene.is_parameter && begins_parameter(text, at + 1) || begins_next(text, at + 1, scene)
        }
        // The end of a code: `code: 4829. Do not share it.`
        b'.' => scene.sign == Sign::Colon && next == b' ' && is_number(text, start, at),
        b';' | b',' => ends_at_separator(text, at, scene),
        b'#' => scene.is_parameter,
        // Punctuation of Chinese and Japanese.
        0xE3 => matches!(text.rest(at), [0xE3, 0x80, 0x81 | 0x82 | 0x8D, ..]),
        0xEF => matches!(text.rest(at), [0xEF, 0xBC, 0x88 | 0x89 | 0x8C | 0x9B, ..]),
        quote @ (b'"' | b'\'' | b'`') => {
            let can_close = if scene.quote == 0 {
                at > start
            } else {
                quote == scene.quote
            };
            can_close && is_closing_quote(text, at)
        }
        b'<' if at == start => next == b'/',
        b'<' => next == b'/' || next == b'!' || begins_tag(text, at + 1),
        b'>' => {
            open == 0
                && (next == 0 || next.is_ascii_whitespace() || is_quote(next))
                && scene.bracket == 0
        }
        b'[' => text.mark_end(at).is_some(),
        b')' | b']' | b'}' => open == 0 && closes(text, at, scene),
        b'\\' => next == b'"' || matches!(next, b'n' | b'r' | b't') && at > start,
        _ => false,
    }
}

/// Whether the next parameter begins at a position, or the address ends there. A part without an equals
/// sign belongs to the value before it: `password=a&b&user=bob`.
fn begins_parameter(text: Text<'_>, at: usize) -> bool {
    let end = text.run_within(at, LONGEST_PARAMETER, |byte| {
        byte > b' ' && !matches!(byte, b'=' | b'&' | b'"' | b'\'' | b'<')
    });
    end == at || matches!(text.byte(end), b'=' | b'<') || end == at + LONGEST_PARAMETER
}

/// The longest part of a value after an ampersand.
const LONGEST_PARAMETER: usize = 40;

/// Whether only digits stand between two positions, at least four.
fn is_number(text: Text<'_>, start: usize, end: usize) -> bool {
    let digits = text.text.get(start..end).unwrap_or_default();
    (4..=8).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// The elements of HTML that can follow a value.
#[rustfmt::skip]
const ELEMENTS: &[&str] = &[
    "a", "b", "br", "code", "div", "em", "hr", "i", "img", "input", "li", "p", "pre", "script", "span", "strong", "table", "td", "th", "tr", "u", "ul",
];

/// Whether the name of an element begins at a position, or of another tag which a space, a slash or a
/// closing bracket ends.
fn begins_tag(text: Text<'_>, at: usize) -> bool {
    let end = text.run_within(at, 16, |byte| byte.is_ascii_alphanumeric());
    let name = text.text.get(at..end).unwrap_or_default();
    let is_element = ELEMENTS
        .iter()
        .any(|element| element.eq_ignore_ascii_case(name));
    let is_long = name.len() > 2 && matches!(text.byte(end), b'>' | b'/' | b':');
    (is_element || is_long) && !text.byte(end + 1).is_ascii_alphanumeric()
        || is_long && text.byte(end) == b':'
}

/// Whether a value ends at a space. A phrase goes on, unless a column, a comment, an option or
/// another field follows.
fn ends_at_space(text: Text<'_>, at: usize, start: usize, scene: Scene<'_>) -> bool {
    if !scene.is_phrase() && !is_before_field(text, at, scene) {
        return at == start || text.byte(at - 1) != b'\\';
    }
    let after = skip_spaces(text, at);
    let ends_row = matches!(
        text.rest(after),
        [b'|' | b'#', ..]
            | [b'-', b'>', ..]
            | [b'/', b'/', ..]
            | [b'-', b'-', ..]
            // A dash.
            | [0xE2, 0x80, 0x93 | 0x94, b' ', ..]
    );
    let is_note = NOTES
        .iter()
        .any(|note| text.rest(after).starts_with(note.as_bytes()));
    ends_row || is_note || after > at + 2 || begins_next(text, at, scene)
}

/// How notes after a password begin.
#[rustfmt::skip]
const NOTES: &[&str] = &["(please", "(bitte", "(change", "(temporary", "(default", "(expires", "(valid"];

/// Whether the words after a space belong to a value in a list of fields, because a comma and another
/// field follow them: `user=eva, answer=two words, locale=en`.
fn is_before_field(text: Text<'_>, at: usize, scene: Scene<'_>) -> bool {
    let end = text.run_within(at, LONGEST_WORDS, |byte| {
        !matches!(byte, b',' | b'=' | b':' | b'\n')
    });
    scene.delimiter == b','
        && scene.sign == Sign::Equals
        && text.byte(end) == b','
        && begins_assignment(text, end + 1)
}

/// How far the words of a value are read to find the field after them.
const LONGEST_WORDS: usize = 80;

/// Whether a value ends at a comma or a semicolon.
fn ends_at_separator(text: Text<'_>, at: usize, scene: Scene<'_>) -> bool {
    let next = text.byte(at + 1);
    let is_separate = if text.byte(at) == b';' {
        next.is_ascii_whitespace() && (!scene.is_phrase() || scene.delimiter == b';')
    } else {
        is_space(next) && !scene.is_phrase()
    };
    matches!(next, 0 | b'\n') || is_separate || is_quote(next) || begins_next(text, at + 1, scene)
}

/// Whether the next field begins at a position. In YAML, the whole line is the value. After `=`, a
/// colon alone can belong to the value.
fn begins_next(text: Text<'_>, at: usize, scene: Scene<'_>) -> bool {
    let is_line =
        scene.line.is_start && scene.sign == Sign::Colon && scene.is_spaced && scene.bracket == 0;
    if scene.is_record {
        begins_property(text, at)
    } else if is_line {
        begins_assignment(text, at)
    } else if scene.sign == Sign::Equals {
        begins_assignment(text, at) || begins_field(text, at) && has_spaced_colon(text, at)
    } else {
        begins_field(text, at)
    }
}

/// Whether the name of a property and an equals sign between spaces follow a position.
fn begins_property(text: Text<'_>, at: usize) -> bool {
    let (start, end) = read_name(text, at);
    text.byte(start).is_ascii_uppercase() && text.rest(end).starts_with(b" = ")
}

/// Whether a name and an equals sign follow a position.
fn begins_assignment(text: Text<'_>, at: usize) -> bool {
    let (start, end) = read_name(text, at);
    let sign = skip_spaces(text, end);
    end > start
        && text.byte(sign) == b'='
        && text.byte(sign + 1) != b'='
        && (sign == end || text.byte(sign + 1) == b' ')
}

/// Whether a name and a colon follow a position, and a space or the start of a text or a structure.
fn has_spaced_colon(text: Text<'_>, at: usize) -> bool {
    let (_, end) = read_name(text, at);
    text.byte(end) == b':' && matches!(text.byte(end + 1), b' ' | b'"' | b'\'' | b'[' | b'{')
}

/// The name after a position: its start, and its end with its closing quote.
fn read_name(text: Text<'_>, at: usize) -> (usize, usize) {
    let start = skip_blanks(text, at);
    let start = start + usize::from(is_quote(text.byte(start)));
    let end = name_end(text, start);
    (start, end + usize::from(is_quote(text.byte(end))))
}

/// Whether a quote ends the text around the value: no letter or digit follows it.
fn is_closing_quote(text: Text<'_>, at: usize) -> bool {
    !text.byte(at + 1).is_ascii_alphanumeric()
}

/// Whether a closing bracket ends the value.
fn closes(text: Text<'_>, at: usize, scene: Scene<'_>) -> bool {
    let run = text
        .run_near(at, |byte| matches!(byte, b')' | b']' | b'}' | b'>'))
        .min(at + 8);
    let next = text.byte(run);
    let is_end = next <= b' '
        || is_quote(next)
        || matches!(
            next,
            b'\\' | b',' | b';' | b':' | b'.' | b'<' | b'|' | b'(' | b'&' | b'['
        );
    is_end
        && (scene.bracket != 0 || !scene.line.is_start || scene.is_parameter)
        && !(scene.is_record && continues_record(text, run))
}

/// Whether a brace belongs to the value of a printed object, because words and another property
/// follow it: `{ Password = a } b, Remember = True }`.
fn continues_record(text: Text<'_>, at: usize) -> bool {
    let end = text.run_within(at, LONGEST_WORDS, |byte| {
        !matches!(byte, b',' | b'{' | b'}' | b'\n' | b'=')
    });
    text.byte(at) == b' '
        && text.byte(at + 1).is_ascii_alphanumeric()
        && text.byte(end) == b','
        && begins_assignment(text, end + 1)
}
