//! Elements, attributes and forms: `<password>…</password>`, `<key>token</key><string>…`,
//! `<td>Password</td><td>…`, and the parts of multipart forms.

use super::context::{is_quote, skip_blanks, skip_spaces, slice};
use super::judgement::{is_message, is_secret, is_text, names_password};
use super::{Values, scheme};
use crate::names::{Certainty, Name};
use crate::text::Text;

/// The longest tag that is read.
const LONGEST_TAG: usize = 400;

/// How far the closing tag of a value is searched.
const LONGEST_TEXT: usize = 16 * 1024;

/// Adds the text of the element that a name names.
pub(super) fn find(text: Text<'_>, name: Name, values: &mut Values) {
    if let Some(at) = end_of_start_tag(text, name) {
        read_text(text, at, name, values);
    }
    if let Some(at) = after_element(text, name.end)
        && !find_table_column(text, name, values)
    {
        read_next_element(text, at, name, values);
    }
    find_attribute(text, name, values);
}

/// How far after a name its heading in an HTML table can end.
const LONGEST_HEADING_END: usize = 64;

/// The most rows of an HTML table.
const MOST_ROWS: usize = 1_000;

/// Adds the cells under a heading of an HTML table. Returns whether a name is such a heading.
fn find_table_column(text: Text<'_>, name: Name, values: &mut Values) -> bool {
    let near = text.rest(name.end);
    let near = &near[..near.len().min(LONGEST_HEADING_END)];
    let Some(close) = memchr::memmem::find(near, b"</th>") else {
        return false;
    };
    let after = name.end + close + "</th>".len();
    let before = text.before(name.start, LONGEST_TAG * 4);
    let Some(row) = before.rfind("<tr") else {
        return false;
    };
    let headings = before[row..].matches("<th").count();
    let rest = text.text.get(after..).unwrap_or_default();
    let next = rest.trim_start();
    if headings == 0 || !(next.starts_with("<th") || next.starts_with("</tr")) {
        return false;
    }
    let end = rest.floor_char_boundary(rest.len().min(LONGEST_TEXT));
    let Some(mut at) = rest[..end].find("</tr>") else {
        return false;
    };
    let end = rest[..end].find("</table").unwrap_or(end);
    for _ in 0..MOST_ROWS {
        let Some(row) = rest.get(at..end).and_then(|rows| rows.find("<tr")) else {
            break;
        };
        at += row + 3;
        let row_end = rest[at..end].find("</tr").map_or(end, |length| at + length);
        let cell = rest[at..row_end].match_indices("<td").nth(headings - 1);
        if let Some((place, _)) = cell
            && let Some(close) = rest[at + place..row_end].find('>')
        {
            let start = at + place + close + 1;
            let stop = rest[start..row_end]
                .find("</td")
                .map_or(row_end, |length| start + length);
            add(text, after + start, after + stop, name, values);
        }
        at = row_end;
    }
    true
}

/// The end of the start tag whose name, or an attribute of which, is a name.
fn end_of_start_tag(text: Text<'_>, name: Name) -> Option<usize> {
    let is_inside = |byte: u8| !matches!(byte, b'<' | b'>');
    let from = text.tag_start(name.start, LONGEST_TAG + 1)?;
    if matches!(text.byte(from), b'/' | b'!' | b'?') {
        return None;
    }
    let before = text.text.get(from..name.start)?;
    let is_element = before.is_empty() || before.ends_with(':') && !before.contains([' ', '=']);
    // An attribute that holds the name: `<entry key="password">`, `<setting name="Password">`.
    let is_attribute = [
        "key=", "name=", "id=", "field=", "Name=", "Key=", "column=", "attr=",
    ]
    .iter()
    .any(|key| before.trim_end_matches(['"', '\'']).ends_with(key));
    if !is_element && !is_attribute {
        return None;
    }
    let next = text.byte(name.end);
    if is_element && !matches!(next, b'>' | b' ' | b'\t' | b'\n' | b'\r') {
        return None;
    }
    let rest = text.rest(name.end).iter().take(LONGEST_TAG);
    let close = name.end + rest.take_while(|&&byte| is_inside(byte)).count();
    (text.byte(close) == b'>' && text.byte_before(close) != b'/').then_some(close + 1)
}

/// The position after `</name>` that follows the text of an element.
fn after_element(text: Text<'_>, at: usize) -> Option<usize> {
    let mut at = at;
    at = text
        .run_near(at, |byte| matches!(byte, b':' | b' ' | b'*' | b'?'))
        .min(at + 4);
    let mut closed = false;
    for _ in 0..3 {
        let start = skip_blanks(text, at);
        if !text.rest(start).starts_with(b"</") {
            break;
        }
        let rest = text.rest(start).iter().take(64);
        let close = start + rest.take_while(|&&byte| byte != b'>').count();
        if text.byte(close) != b'>' {
            break;
        }
        at = close + 1;
        closed = true;
    }
    closed.then_some(at)
}

/// Whether the element after a heading of a table is the next heading, and not a value.
fn is_next_heading(text: Text<'_>, name: Name, at: usize) -> bool {
    text.before(name.start, 4) == "<th>" && text.rest(at).starts_with(b"<th>")
}

/// Adds the text of the element after the one whose text is the name.
fn read_next_element(text: Text<'_>, at: usize, name: Name, values: &mut Values) {
    let mut at = skip_blanks(text, at);
    if is_next_heading(text, name, at) {
        return;
    }
    let mut is_open = false;
    for _ in 0..4 {
        if text.byte(at) != b'<'
            || !text.byte(at + 1).is_ascii_alphabetic() && text.byte(at + 1) != b'!'
        {
            break;
        }
        if text.rest(at).starts_with(b"<![CDATA[") {
            break;
        }
        let rest = text.rest(at).iter().take(LONGEST_TAG);
        let close = at + rest.take_while(|&&byte| byte != b'>').count();
        if text.byte(close) != b'>' {
            return;
        }
        // `<input value="x">` after a label.
        if let Some((start, end)) = attribute_value(text, at, close, "value") {
            add(text, start, end, name, values);
            return;
        }
        at = skip_blanks(text, close + 1);
        is_open = true;
    }
    if is_open {
        read_text(text, at, name, values);
    } else {
        // `<b>Password:</b> hunter2`.
        let start = skip_spaces(text, at);
        let end = text.run_near(start, |byte| !matches!(byte, b'<' | b'\n'));
        let written = slice(text, start, end).trim_end();
        if text.byte(end) == b'<' && name.certainty == Certainty::Certain && !written.contains(' ')
        {
            add(text, start, start + written.len(), name, values);
        }
    }
}

/// Adds the text from a position to the closing tag.
fn read_text(text: Text<'_>, at: usize, name: Name, values: &mut Values) {
    let start = skip_blanks(text, at);
    if let Some(rest) = text.rest(start).strip_prefix(b"<![CDATA[") {
        let rest = &rest[..rest.len().min(LONGEST_TEXT)];
        let start = start + 9;
        let length = memchr::memmem::find(rest, b"]]>").unwrap_or(rest.len());
        return add(text, start, start + length, name, values);
    }
    if text.byte(start) == b'<' && text.byte(start + 1).is_ascii_alphabetic() {
        return read_inner_element(text, start, name, values);
    }
    let rest = text.rest(start);
    let rest = &rest[..rest.len().min(LONGEST_TEXT)];
    let Some(length) = memchr::memchr(b'<', rest) else {
        return;
    };
    let is_closed = rest[length..].starts_with(b"</") || rest[length..].starts_with(b"<br");
    if is_closed {
        let end = text.text[..start + length].trim_end().len();
        add(text, start, end.max(start), name, values);
    }
}

/// Elements that hold the value of the element around them.
#[rustfmt::skip]
const INNER: &[&str] = &[
    "value", "string", "secret", "text", "hudson.util.secret", "data", "strong", "b", "code", "span", "em", "td", "plaintext", "key",
];

/// Adds the text of an element inside the one that a name names:
/// `<password><value>x</value></password>`.
fn read_inner_element(text: Text<'_>, start: usize, name: Name, values: &mut Values) {
    let rest = text.rest(start).iter().take(64);
    let close = start + rest.take_while(|&&byte| byte != b'>').count();
    let tag = slice(text, start + 1, close).to_ascii_lowercase();
    let is_value = tag.split([' ', ':']).any(|part| INNER.contains(&part));
    if is_value && text.byte_before(close) != b'/' {
        read_text(text, close + 1, name, values);
    }
}

/// Adds a text unless it is a message, or the credential after its scheme.
fn add(text: Text<'_>, start: usize, end: usize, name: Name, values: &mut Values) {
    let Some(written) = text.text.get(start..end) else {
        return;
    };
    let written_name = name.written(text);
    if written.is_empty()
        || is_message(written, written_name)
        || is_text(written) && !names_password(written_name)
        || !is_secret(written, name.certainty)
    {
        return;
    }
    if written_name.to_ascii_lowercase().ends_with("authorization")
        && let Some(credential) = scheme::find(text, start, Some(end))
    {
        return credential.check(text, values);
    }
    values.push(start, end);
}

/// The value of an attribute in a tag.
fn attribute_value(text: Text<'_>, open: usize, close: usize, key: &str) -> Option<(usize, usize)> {
    let tag = text.text.get(open..close)?;
    let lower = tag.to_ascii_lowercase();
    let mut from = 0;
    loop {
        let found = from + lower[from..].find(key)?;
        let after = found + key.len();
        let is_word = found > 0
            && !tag.as_bytes()[found - 1].is_ascii_alphanumeric()
            && tag.as_bytes()[found - 1] != b'-';
        let mut rest = tag[after..].trim_start();
        if is_word && rest.starts_with('=') {
            rest = rest[1..].trim_start();
            let start = open + (tag.len() - rest.len());
            let quote = *rest.as_bytes().first()?;
            if is_quote(quote) {
                let length = rest[1..].find(char::from(quote))?;
                return Some((start + 1, start + 1 + length));
            }
            let length = rest.find([' ', '>', '/']).unwrap_or(rest.len());
            return Some((start, start + length));
        }
        from = after;
    }
}

/// Adds the value of an element with a secret in one of its attributes: `<input type="password"
/// value="x">`, `<add key="DbPassword" value="x"/>`.
fn find_attribute(text: Text<'_>, name: Name, values: &mut Values) {
    let is_inside = |byte: u8| !matches!(byte, b'<' | b'>');
    let Some(from) = text.tag_start(name.start, LONGEST_TAG + 1) else {
        return;
    };
    let before = slice(text, from, name.start);
    let before = before.trim_end_matches(|character: char| {
        character.is_ascii_alphanumeric() || matches!(character, ':' | '.' | '_' | '-')
    });
    let is_value = before.trim_end_matches(['"', '\'']).ends_with('=');
    if !is_value || !text.byte(from).is_ascii_alphabetic() {
        return;
    }
    let rest = text.rest(name.end).iter().take(LONGEST_TAG);
    let close = name.end + rest.take_while(|&&byte| is_inside(byte)).count();
    if text.byte(close) != b'>' && close < text.text.len() {
        return;
    }
    for key in ["value", "content", "data-value"] {
        if let Some((start, end)) = attribute_value(text, from - 1, close, key)
            && !(start <= name.start && name.end <= end)
        {
            add(text, start, end, name, values);
        }
    }
}

/// Adds the body of a part of a multipart form: `name="password"`, an empty line, the value.
pub(super) fn find_part(text: Text<'_>, name: Name, values: &mut Values) {
    // `name="user[password]"`, and names without quotes.
    let name_end = name.end + usize::from(text.byte(name.end) == b']');
    let name_end = name_end + usize::from(is_quote(text.byte(name_end)));
    if !matches!(text.byte(name_end), b'\r' | b'\n' | b';') {
        return;
    }
    let from = text.run_back(name.start, 120, |byte| byte != b'\n');
    let before = text
        .text
        .get(from..name.start)
        .unwrap_or_default()
        .to_ascii_lowercase();
    let is_part =
        |character: char| character.is_ascii_alphanumeric() || "_[\"'\\".contains(character);
    let attribute = before.trim_end_matches(is_part);
    if !before.contains("form-data")
        || !attribute.ends_with(" name=") && !attribute.ends_with(";name=")
    {
        return;
    }
    let rest = text.rest(name.end);
    let rest = &rest[..rest.len().min(LONGEST_TAG)];
    let blank = [b"\r\n\r\n".as_slice(), b"\n\n".as_slice()]
        .into_iter()
        .filter_map(|blank| Some(memchr::memmem::find(rest, blank)? + blank.len()))
        .min();
    let Some(start) = blank.map(|length| name.end + length) else {
        return;
    };
    let body = text.rest(start);
    let body = &body[..body.len().min(LONGEST_TEXT)];
    let length = memchr::memmem::find(body, b"\n--")
        .unwrap_or_else(|| memchr::memchr(b'\n', body).unwrap_or(body.len()));
    let end = text.text[..start + length].trim_end().len();
    add(text, start, end.max(start), name, values);
}
