//! The name is itself a value, and its sibling holds the secret: `{"name": "DB_PASSWORD",
//! "value": "…"}`, also in the other order, in YAML, in attributes and in calls.

use report::find_reported;
use words::{BLOCKS, NAME_KEYS, VALUE_KEYS};

use super::bare::{self, Scene};
use super::context::{
    Line, Sign, begins_field, enclosing_bracket, is_quote, is_space, line_before, line_of,
    name_end, skip_blanks, skip_blanks_back, skip_spaces, slice,
};
use super::judgement::{is_message, is_secret};
use super::quoted::Quoted;
use super::{Values, assigned, quoted};
use crate::names::{self, Certainty, Name};
use crate::text::Text;

mod report;
mod words;

/// How far from a name its sibling can be.
const REACH: usize = 400;

/// The most keys between a name and its sibling.
const MOST_KEYS: usize = 8;

/// What precedes the types of Kubernetes' secrets.
const KUBERNETES: &str = "kubernetes.io/";

/// Letters and signs that can precede a quote.
const PREFIXES: &[u8] = b"bur@&f";

/// Adds the value of the sibling of a name.
pub(super) fn find(text: Text<'_>, name: Name, values: &mut Values) {
    if name.certainty < Certainty::Likely {
        return;
    }
    if has_name_key(text, name) {
        find_after(text, name, values);
        if values.is_empty() {
            find_before(text, name, values);
        }
    }
    if values.is_empty() {
        find_reported(text, name, values);
        find_stored(text, name, values);
    }
}

/// Adds the value before the key under which Apple's dictionaries store it: `set("x", forKey:
/// "password")`, `[dict setObject:@"x" forKey:@"password"]`.
fn find_stored(text: Text<'_>, name: Name, values: &mut Values) {
    let line = line_before(text, name.start, REACH);
    let before = line.trim_end_matches(['"', '@', ' ']);
    let Some(call) = before.strip_suffix("forKey:") else {
        return;
    };
    let place = ["setObject:@\"", "setValue:@\"", "set(\""]
        .iter()
        .find_map(|start| Some(call.rfind(start)? + start.len() - 1));
    if let Some(place) = place
        && let Some(value) = quoted::read_real(text, name.start - line.len() + place)
    {
        values.push(value.start, value.end);
    }
}

/// Whether a key such as `name` precedes a name.
fn has_name_key(text: Text<'_>, name: Name) -> bool {
    // The types of Kubernetes' secrets: `kubernetes.io/service-account-token`.
    if text.before(name.start, KUBERNETES.len()) == KUBERNETES {
        return false;
    }
    let start = open_quote(text, name.start);
    let Some(at) = skip_list_back(text, skip_blanks_back(text, start)) else {
        return false;
    };
    // Terraform: `variable "db_password" {`.
    let word = text.run_back(at, 12, |byte| byte.is_ascii_alphabetic());
    if at < start && BLOCKS.contains(&slice(text, word, at)) {
        return true;
    }
    let at = skip_path_back(text, name, start).unwrap_or(at);
    let sign = text.run_back(at, 3, |byte| matches!(byte, b':' | b'=' | b'>'));
    if sign == at {
        return false;
    }
    let end = skip_blanks_back(text, sign);
    let end = text.run_back(end, 2, |byte| is_quote(byte) || byte == b']');
    let start = text.run_back(end, 40, |byte| byte.is_ascii_alphanumeric() || byte == b'_');
    // PowerShell: `$env:DB_PASSWORD`.
    if text.byte_before(start) == b'$' {
        return false;
    }
    let key = slice(text, start, end).to_ascii_lowercase();
    NAME_KEYS.contains(&key)
}

/// Skips the bracket of a list and the elements before a name, as in a validator's path: `"loc":
/// ["body", "password"]`. `None` if the elements have no bracket.
fn skip_list_back(text: Text<'_>, at: usize) -> Option<usize> {
    if !matches!(text.byte_before(at), b',' | b'[' | b'(') {
        return Some(at);
    }
    let from = text.run_back(at, REACH / 4, |byte| {
        !matches!(byte, b'{' | b'}' | b'\n' | b'=')
    });
    let list = &text.text.as_bytes()[from..at];
    let bracket = list.iter().rposition(|&byte| matches!(byte, b'[' | b'('))?;
    Some(skip_blanks_back(text, from + bracket))
}

/// Skips a path or a namespace before a name: `name = "/prod/db_password"`, `key="ida:ClientSecret"`.
/// `None` if there is none.
fn skip_path_back(text: Text<'_>, name: Name, start: usize) -> Option<usize> {
    if start < name.start || !matches!(text.byte_before(start), b'/' | b':') {
        return None;
    }
    let path = text.run_back(start, 80, |byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'.' | b':')
    });
    Some(skip_blanks_back(text, open_quote(text, path)))
}

/// The start of the quotes, which can be escaped, that end at a position.
fn open_quote(text: Text<'_>, at: usize) -> usize {
    text.run_back(at, 3, |byte| is_quote(byte) || byte == b'\\')
}

/// Looks for the sibling after a name, in the same object.
fn find_after(text: Text<'_>, name: Name, values: &mut Values) {
    let mut at = text.run_near(name.end, |byte| {
        is_quote(byte) || matches!(byte, b'\\' | b']' | b')')
    });
    // A tuple with one element: `'loc': ('password',), 'input': 'x'`.
    if text.rest(at).starts_with(b",)") {
        at += 2;
    }
    // Terraform: `variable "db_password" { default = "x" }`.
    let block = skip_spaces(text, at);
    if text.byte(block) == b'{' && is_quote(text.byte(name.end)) {
        at = block + 1;
    }
    let limit = at + REACH;
    for _ in 0..MOST_KEYS {
        at = skip_between(text, at);
        if at >= limit {
            return;
        }
        let Some((key, value)) = read_key(text, at) else {
            return;
        };
        let line = value;
        let value = skip_blanks(text, value);
        // In YAML an object can be there: `secret:` and `secretName: x` in the next line.
        let is_object = slice(text, line, value).contains('\n') && begins_field(text, value);
        if is_object {
            return;
        }
        if VALUE_KEYS.contains(key.rsplit('.').next().unwrap_or(&key)) {
            read(text, value, name, line_of(text, name.start), values);
            // The new value follows the old one.
            if !["old", "prev", "before", "from"]
                .iter()
                .any(|word| key.starts_with(word))
            {
                return;
            }
        }
        at = skip_value(text, value, limit);
    }
}

/// Reads the key at a position: the key in lower case without dashes, and the position after its
/// sign.
fn read_key(text: Text<'_>, at: usize) -> Option<(String, usize)> {
    let quote = usize::from(is_quote(text.byte(at)) || text.byte(at) == b':');
    let start = at + quote;
    let end = name_end(text, start);
    let close = end + usize::from(is_quote(text.byte(end)) && quote > 0);
    let close = close + usize::from(text.byte(close) == b']');
    let sign = skip_spaces(text, close);
    let value = match text.rest(sign) {
        [b'=', b'>', ..] | [b':', b'=', ..] => sign + 2,
        [b':' | b'=', ..] => sign + 1,
        // Protocol buffers: `value { string_value: "x" }`.
        [b'{', ..] => sign,
        _ => return None,
    };
    let key = slice(text, start, end).to_ascii_lowercase();
    let key = key.trim_start_matches("--").trim_start_matches('-');
    (end > start).then(|| (key.to_owned(), value))
}

/// Skips what separates two fields: commas, line ends, the marks of a list, tags.
fn skip_between(text: Text<'_>, at: usize) -> usize {
    let is_between =
        |byte: u8| byte.is_ascii_whitespace() || matches!(byte, b',' | b';' | b'|' | b'.' | b'&');
    text.run_near(at, is_between).min(at + 96)
}

/// Skips a value that is not the sibling.
fn skip_value(text: Text<'_>, at: usize, limit: usize) -> usize {
    if quoted::quote_length(text, at) > 0
        && let Some(value) = quoted::read(text, at)
    {
        return value.next;
    }
    if matches!(text.byte(at), b'[' | b'{' | b'(') {
        let close = match text.byte(at) {
            b'[' => b']',
            b'{' => b'}',
            _ => b')',
        };
        let end = text.run_near(at, |byte| byte != close).min(limit);
        return end + 1;
    }
    text.run_near(at, |byte| {
        !matches!(byte, b',' | b'\n' | b'}' | b')' | b']' | b'>' | b'/') && !is_space(byte)
    })
    .min(limit)
}

/// Adds the value of the sibling, which begins at a position.
fn read(text: Text<'_>, at: usize, name: Name, line: Line, values: &mut Values) {
    let is_list = text.byte(at) == b'[';
    let at = open_structure(text, at);
    if text.rest(at).starts_with(b"<<") {
        return assigned::read_heredoc(text, at, values);
    }
    let at = at + quoted::prefix_length(text, at, PREFIXES);
    let Some(value) = quoted::read(text, at) else {
        return read_plain(text, at, name, line, values);
    };
    let mut value = quoted::join(text, value);
    let is_value = |value: Quoted| {
        let written = value.written(text);
        !is_message(written, name.written(text))
            && (is_secret(written, name.certainty) || written.chars().count() >= 6)
    };
    for _ in 0..MOST_KEYS {
        if is_value(value) {
            values.push(value.start, value.end);
        }
        // The other values of a list.
        let next = skip_blanks(text, value.next + 1);
        if !is_list || text.byte(value.next) != b',' {
            break;
        }
        match quoted::read(text, next) {
            Some(found) => value = found,
            None => break,
        }
    }
}

/// Skips the bracket and the key of a list or an object that holds the value: `"values": ["x"]`,
/// `value { string_value: "x" }`.
fn open_structure(text: Text<'_>, at: usize) -> usize {
    if text.mark_end(at).is_some() || !matches!(text.byte(at), b'{' | b'[') {
        return at;
    }
    let inner = skip_blanks(text, at + 1);
    let quote = usize::from(is_quote(text.byte(inner)));
    let end = name_end(text, inner + quote);
    let sign = skip_spaces(text, end + quote);
    if end > inner && text.byte(sign) == b':' {
        // The input of a form has other fields: `"input": {"username": "bob"}`.
        let key = slice(text, inner + quote, end).to_ascii_lowercase();
        let holds_value = key.contains("value") || VALUE_KEYS.contains(&key);
        let names_secret = || names::judge(&key).is_some();
        if holds_value || names_secret() {
            skip_blanks(text, sign + 1)
        } else {
            text.text.len()
        }
    } else {
        inner
    }
}

/// Adds a value without quotes, or a block of YAML.
fn read_plain(text: Text<'_>, at: usize, name: Name, line: Line, values: &mut Values) {
    let bracket = enclosing_bracket(text, name.start);
    let scene = Scene {
        name: name.written(text),
        sign: Sign::Equals,
        is_spaced: false,
        is_quoted: true,
        line: Line {
            is_start: bracket == 0 && (line.is_start || is_line_start(text, at)),
            ..line
        },
        bracket,
        is_parameter: false,
        quote: 0,
        delimiter: 0,
        is_column: false,
        is_prompt: false,
        is_data: false,
        is_beside: false,
        is_record: false,
    };
    if matches!(text.byte(at), b'|' | b'>') {
        return assigned::read_value(text, at, name, Scene { line, ..scene }, values);
    }
    if let Some(end) = bare::read(text, at, scene)
        && is_secret(&text.text[at..end], name.certainty)
    {
        values.push(at, bare::whole_end(text, at, end, scene));
    }
}

/// Whether a value stands near the start of its line.
fn is_line_start(text: Text<'_>, at: usize) -> bool {
    let line = text.run_back(at, 64, |byte| byte != b'\n');
    text.text
        .get(line..at)
        .is_some_and(|before| before.trim_start().len() < 24)
}

/// Looks for the sibling before a name: `value="x" name="password"`.
fn find_before(text: Text<'_>, name: Name, values: &mut Values) {
    // The key of the name, and the start of the object.
    let object = text.before(name.start, REACH);
    let ends_object = |pair: &[u8]| {
        matches!(
            pair,
            b"}," | b"} " | b"}\n" | b"/>" | b">\n" | b")," | b");" | b")\n"
        )
    };
    let end = object.as_bytes().windows(2).rposition(ends_object);
    let object = &object[end.map_or(0, |place| place + 2)..];
    let from = name.start - object.len();
    let mut search = 0;
    while let Some(found) = find_value_key(&object[search..]) {
        let (key_end, next) = found;
        let sign = skip_spaces(text, from + search + key_end);
        search += next;
        let value = match text.rest(sign) {
            [b'=', b'>', ..] => sign + 2,
            [b':' | b'=', ..] => sign + 1,
            _ => continue,
        };
        let value = skip_blanks(text, value);
        let value = value + quoted::prefix_length(text, value, PREFIXES);
        if quoted::quote_length(text, value) == 0 {
            read_line_before(text, value, name, values);
            continue;
        }
        if let Some(found) = quoted::read(text, value)
            && found.next <= name.start
            && !is_message(found.written(text), name.written(text))
            && is_secret(found.written(text), name.certainty)
        {
            values.push(found.start, found.end);
        }
    }
}

/// Adds the value in YAML's line before the one of its name: `- value: two words`, `name: password`.
fn read_line_before(text: Text<'_>, at: usize, name: Name, values: &mut Values) {
    let line = text.run_back(at, 48, |byte| byte != b'\n');
    let key = slice(text, line, at).trim_start_matches([' ', '-']);
    let end = text.run_near(at, |byte| byte != b'\n');
    let written = slice(text, at, end).trim_end();
    if key == "value: "
        && text
            .text
            .get(end..name.start)
            .is_some_and(|rest| rest.trim() == "name:")
        && !is_message(written, name.written(text))
    {
        values.push(at, at + written.len());
    }
}

/// Finds a key such as `value` in a text. Returns the end of the key with its quote, and where the
/// search goes on.
fn find_value_key(object: &str) -> Option<(usize, usize)> {
    let bytes = object.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_alphabetic() {
            at += 1;
            continue;
        }
        let end = at
            + bytes[at..]
                .iter()
                .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
                .count();
        let word = object[at..end].to_ascii_lowercase();
        if VALUE_KEYS.contains(&word) {
            let close = end + usize::from(bytes.get(end).is_some_and(|&byte| is_quote(byte)));
            return Some((close, end));
        }
        at = end;
    }
    None
}
