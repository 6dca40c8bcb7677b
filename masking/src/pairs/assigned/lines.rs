//! Values on the lines after a name: YAML's blocks and lists, here documents, and values that go on
//! in the next lines.

use super::prefix::skip_prefix;
use super::{read_quoted, read_value};
use crate::names::{Certainty, Name};
use crate::pairs::bare::Scene;
use crate::pairs::context::{
    Line, Sign, begins_field, is_space, name_end, next_line, skip_blanks, skip_spaces,
};
use crate::pairs::judgement::{is_password, is_placeholder, is_report, is_sentence};
use crate::pairs::{Values, quoted, structure};
use crate::text::Text;

/// The most lines that are read after a name without a value in its line.
const MOST_LINES: usize = 200;

/// Whether the mark of a YAML block scalar is at a position: `|`, `>-`, `|2+`.
pub(super) fn is_block(text: Text<'_>, at: usize) -> bool {
    let end = text
        .run_near(at + 1, |byte| matches!(byte, b'-' | b'+' | b'0'..=b'9'))
        .min(at + 4);
    let end = skip_spaces(text, end);
    let is_comment = text.byte(end) == b'#';
    matches!(text.byte(end), b'\n' | b'\r') || is_comment
}

/// Adds the lines of a YAML block scalar.
pub(super) fn read_block(text: Text<'_>, at: usize, scene: Scene<'_>, values: &mut Values) {
    let first = next_line(text, at);
    let (start, end) = indented(text, first, scene.line.indent);
    values.push(start, end);
}

/// The lines from a position on that are indented deeper than a name: where their text begins and
/// ends.
fn indented(text: Text<'_>, from: usize, indent: usize) -> (usize, usize) {
    let mut at = from;
    let mut start = from;
    let mut end = from;
    for _ in 0..MOST_LINES * 10 {
        if at >= text.text.len() {
            break;
        }
        let content = text.run_near(at, is_space);
        let is_blank = matches!(text.byte(content), b'\n' | b'\r');
        if !is_blank && content - at <= indent {
            break;
        }
        let next = next_line(text, at);
        if !is_blank {
            if start == from {
                start = content;
            }
            end = text.text[..next].trim_end().len();
        }
        at = next;
    }
    (start, end.max(start))
}

/// Adds the value in the lines after a name.
pub(super) fn read_next_lines(
    text: Text<'_>,
    at: usize,
    name: Name,
    scene: Scene<'_>,
    values: &mut Values,
) {
    let first = next_line(text, at);
    let content = text.run_near(first, is_space);
    if content >= text.text.len() {
        return;
    }
    if matches!(text.byte(content), b'\n' | b'\r') {
        return read_after_gap(text, content, name, scene, values);
    }
    // PHP writes the value of `=>` in the next line, and code may break lines there too.
    let value = skip_prefix(text, content);
    if quoted::quote_length(text, value) > 0 {
        if let Some(found) = quoted::read(text, value)
            && !is_followed_by_sign(text, found.next)
        {
            read_quoted(text, found, name, scene, values);
        }
        return;
    }
    if name.certainty != Certainty::Certain {
        return;
    }
    if matches!(text.byte(content), b'{' | b'[') && scene.sign != Sign::Colon {
        return structure::read(text, content, scene, values);
    }
    Below { text, name, scene }.read(first, values);
}

/// Adds an indented word after the empty line below a name and a colon, as mails write it.
fn read_after_gap(text: Text<'_>, gap: usize, name: Name, scene: Scene<'_>, values: &mut Values) {
    let line = next_line(text, gap);
    let start = text.run_near(line, is_space);
    let end = text.run_near(start, |byte| byte > b' ');
    let word = text.text.get(start..end).unwrap_or_default();
    let is_alone = matches!(text.byte(end), b'\n' | b'\r' | 0);
    let is_value = start > line + 1
        && is_alone
        && word.chars().count() >= 4
        && !word.ends_with([':', '.', ','])
        && !is_placeholder(word);
    if is_value
        && scene.line.is_start
        && scene.sign == Sign::Colon
        && name.certainty == Certainty::Certain
    {
        values.push(start, end);
    }
}

/// A name with nothing after its sign, and the lines below it.
struct Below<'t> {
    text: Text<'t>,
    name: Name,
    scene: Scene<'t>,
}

impl Below<'_> {
    /// Adds the lines after a certain name in which no quote or bracket begins: a list, an indented
    /// text, or one word.
    fn read(&self, first: usize, values: &mut Values) {
        let Self { text, scene, .. } = *self;
        let content = text.run_near(first, is_space);
        let depth = content - first;
        let indent = scene.line.indent;
        let line = text.text[content..].lines().next().unwrap_or_default();
        let word = line.trim();
        let is_item = line.starts_with("- ");
        let is_list = depth > indent || depth == indent && !begins_field(text, content + 2);
        if scene.line.is_start && is_item && is_list {
            return self.read_items(first, depth, values);
        }
        let is_field = begins_field(text, content);
        if scene.line.is_start && depth > indent && is_field {
            return self.read_nested(first, depth, values);
        }
        if scene.line.is_start && depth > indent {
            if !is_field && !is_placeholder(word) && !is_sentence(word) {
                let (start, end) = indented(text, first, indent);
                values.push(start, end);
            }
            return;
        }
        let is_value = is_password(word) && !word.contains(' ') && !is_field;
        if is_value && scene.sign == Sign::Colon {
            values.push(content, encoded_end(text, content, content + word.len()));
        }
    }

    /// Adds the value of an object in YAML: `DbPassword:`, `Type: String`, `Default: x`.
    fn read_nested(&self, first: usize, depth: usize, values: &mut Values) {
        let Self { text, name, scene } = *self;
        let mut at = first;
        for _ in 0..MOST_KEYS {
            let content = text.run_near(at, is_space);
            if content - at != depth {
                return;
            }
            let rest = text.rest(content);
            if let Some(key) = NESTED.iter().find(|key| rest.starts_with(key.as_bytes())) {
                let start = skip_spaces(text, content + key.len());
                if !matches!(text.byte(start), b'\n' | b'\r' | 0) {
                    read_value(text, start, name, scene, values);
                }
                return;
            }
            at = text.run_within(content, LONGEST_LINE, |byte| byte != b'\n') + 1;
        }
    }

    /// Adds the items of a YAML list.
    fn read_items(&self, first: usize, depth: usize, values: &mut Values) {
        let Self { text, name, scene } = *self;
        let mut at = first;
        for _ in 0..MOST_LINES {
            let content = text.run_near(at, is_space);
            if content - at != depth || !text.rest(content).starts_with(b"- ") {
                return;
            }
            let start = skip_spaces(text, content + 2);
            // `secrets:` lists the names of secrets.
            let item = text.text[start..].lines().next().unwrap_or_default().trim();
            let is_name = scene.name.to_ascii_lowercase().ends_with("secrets")
                && item
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'-'));
            if !is_name && !begins_field(text, start) {
                let scene = Scene {
                    line: Line {
                        is_start: true,
                        indent: depth,
                    },
                    ..scene
                };
                read_value(text, start, name, scene, values);
            }
            at = next_line(text, content);
        }
    }
}

/// Keys of YAML that hold the value of the object around them.
const NESTED: &[&str] = &[
    "value:",
    "default:",
    "Default:",
    "Value:",
    "current:",
    "plaintext:",
];

/// The most keys of an object that are read to find its value.
const MOST_KEYS: usize = 8;

/// The longest line of such an object.
const LONGEST_LINE: usize = 400;

/// The shortest line of a value in base64 that goes on in the next line.
const SHORTEST_ENCODED: usize = 40;

/// The end of a value in base64 that goes on in the next lines without indentation.
fn encoded_end(text: Text<'_>, start: usize, end: usize) -> usize {
    let is_encoded = |line: &str| {
        line.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
    };
    let mut end = end;
    let mut length = end - start;
    for _ in 0..MOST_LINES {
        let next = end + 1;
        let stop = text.run_near(next, |byte| byte > b' ');
        let (Some(line), Some(last)) =
            (text.text.get(next..stop), text.text.get(end - length..end))
        else {
            break;
        };
        if text.byte(end) != b'\n'
            || length < SHORTEST_ENCODED
            || line.is_empty()
            || !is_encoded(last)
            || !is_encoded(line)
        {
            break;
        }
        length = line.len();
        end = next + length;
    }
    end
}

/// Whether a sign follows a text in quotes, which is then a name and not a value.
fn is_followed_by_sign(text: Text<'_>, at: usize) -> bool {
    let after = skip_blanks(text, at);
    matches!(text.byte(after), b':' | b'=')
}

/// Adds the rest of a value that goes on in the next lines: after a backslash, or indented.
pub(super) fn read_folded(text: Text<'_>, end: usize, scene: Scene<'_>, values: &mut Values) {
    let mut at = end;
    for _ in 0..MOST_LINES {
        let is_marked =
            matches!(text.byte(at), b'\\' | b'=') || matches!(text.byte_before(at), b'\\');
        let line_end = text.run_near(at, |byte| matches!(byte, b'\\' | b'=' | b'\r' | b' '));
        if text.byte(line_end) != b'\n' {
            return;
        }
        let content = text.run_near(line_end + 1, is_space);
        let depth = content - line_end - 1;
        let stop = next_line(text, content);
        let line = text.text[content..stop].trim_end();
        let is_deeper = depth > scene.line.indent
            && !line.contains(' ')
            && line.len() >= 4
            && !line.starts_with('-')
            || depth > scene.line.indent && goes_on(line, scene);
        if line.is_empty() || !(is_marked || is_deeper) || begins_field(text, content) && !is_marked
        {
            return;
        }
        values.push(content, content + line.len());
        at = content + line.len();
    }
}

/// Whether an indented line goes on with words that are a value of YAML without quotes.
fn goes_on(line: &str, scene: Scene<'_>) -> bool {
    let is_other = |character: char| ":=(){}[]<>\"'#".contains(character);
    scene.sign == Sign::Colon
        && scene.is_spaced
        && scene.bracket == 0
        && !line.contains(is_other)
        && !line.starts_with("at ")
        && !line.starts_with('-')
        && !is_report(line)
}

/// Adds the lines of a here document: `<<EOF`.
pub(in crate::pairs) fn read_heredoc(text: Text<'_>, at: usize, values: &mut Values) {
    let word = text.run_near(at + 2, |byte| {
        matches!(byte, b'-' | b'~' | b'\'' | b'"' | b' ')
    });
    let end = name_end(text, word);
    let Some(mark) = text.text.get(word..end).filter(|mark| !mark.is_empty()) else {
        return;
    };
    let start = next_line(text, end);
    let mut line = start;
    for _ in 0..MOST_LINES {
        let content = text.run_near(line, is_space);
        if text.rest(content).starts_with(mark.as_bytes()) || content >= text.text.len() {
            break;
        }
        line = next_line(text, line);
    }
    let end = text.text[..line].trim_end().len();
    values.push(start, end);
}
