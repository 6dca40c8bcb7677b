//! Elements of lists, tuples and calls: `["--token", "…"]`, `("password", "…")`, `{password,"x"}`.

use crate::names::{self, Certainty, Name};
use crate::pairs::context::{enclosing_bracket, is_quote, skip_blanks, skip_blanks_back, slice};
use crate::pairs::judgement::{is_message, is_password, is_placeholder, is_secret};
use crate::pairs::quoted::Quoted;
use crate::pairs::{Values, quoted, scheme};
use crate::text::Text;

/// How a name in quotes stands in its list.
#[derive(Debug, Clone, Copy)]
struct Element {
    /// Whether the name is an option, as in `"--password"`.
    is_option: bool,
    /// Whether the name is one of Erlang's binaries: `<<"password">>, <<"x">>`.
    is_binary: bool,
    /// Whether the name is a key of a map without commas, as in Clojure: `{"password" "x"}`.
    is_map: bool,
    /// The end of what precedes the opening quote.
    previous: usize,
    /// Whether the name is the first element.
    is_first: bool,
}

/// Adds the element after a name in quotes: `'--password', 'x'`, `("password", "x")`,
/// `"Authorization", "x"`.
pub(super) fn find_element(text: Text<'_>, name: Name, values: &mut Values) {
    let dashes = text.run_back(name.start, 2, |byte| matches!(byte, b'-' | b'#' | b'@'));
    let previous = skip_blanks_back(text, dashes - 1);
    let is_binary = text.rest(name.end + 1).starts_with(b">>");
    let element = Element {
        is_option: text.byte(dashes) == b'-',
        is_binary,
        is_map: dashes == name.start && is_quote(text.byte(skip_blanks(text, name.end + 1))),
        previous,
        is_first: matches!(text.byte_before(previous), b'(' | b'[' | b'{') || is_binary,
    };
    let Some(start) = next_element(text, name, element) else {
        return;
    };
    if quoted::quote_length(text, start) == 0 {
        if element.is_first || element.is_option {
            read_literal(text, start, name, values);
        }
        return;
    }
    if let Some(value) = quoted::read(text, start) {
        read_element(text, value, name, element, values);
    }
}

/// Where the element after a name begins.
fn next_element(text: Text<'_>, name: Name, element: Element) -> Option<usize> {
    let close = name.end + 1;
    let after = skip_blanks(text, close + if element.is_binary { 2 } else { 0 });
    let comma = match text.rest(after) {
        [b',', ..] => after + 1,
        // `"--otp" "4821"`.
        [b'"' | b'\'', ..]
            if (element.is_option || enclosing_bracket(text, name.start) == b'{')
                && after > close =>
        {
            after
        }
        // Items of a list in YAML.
        [b'-', b' ', ..] if element.is_option && slice(text, close, after).contains('\n') => {
            after + 1
        }
        _ => return None,
    };
    let start = skip_blanks(text, comma);
    let start = if element.is_binary && text.rest(start).starts_with(b"<<") {
        start + 2
    } else {
        start
    };
    Some(start + quoted::prefix_length(text, start, b"bur"))
}

/// Adds the text in quotes that is the element after a name.
fn read_element(text: Text<'_>, value: Quoted, name: Name, element: Element, values: &mut Values) {
    let written = value.written(text);
    let lower = name.written(text).to_ascii_lowercase();
    if is_message(written, name.written(text))
        || !is_secret(written, name.certainty)
        || element.is_option && written.starts_with("--")
    {
        return;
    }
    if lower.ends_with("authorization")
        && let Some(credential) = scheme::find(text, value.start, Some(value.end))
    {
        return credential.check(text, values);
    }
    let close = skip_blanks(text, value.next);
    // `"title": "password", "maxLength": 64`: the next element is the key of another value.
    if matches!(text.byte(close), b':' | b'=') || is_header_name(written) {
        return;
    }
    let is_header = lower.contains('-') || lower == "authorization" || lower.ends_with("cookie");
    if !element.is_option && is_list_of_names(text, written, element) {
        return;
    }
    // In a list of names only, the next element is another name.
    let is_other_name = is_name(written);
    if element.is_option
        || is_pair(text, close, written, element)
        || !is_other_name && (is_password(written) || is_header)
    {
        let whole = quoted::join(text, value);
        let is_joined = whole.end > value.end && text.byte(close) != b',';
        let end = if is_joined { whole.end } else { value.end };
        values.push(whole.start, end);
    }
}

/// Whether an element is another name, or the scope of a variable: `['password', 'remember_token']`,
/// `"factors": ["totp", "webauthn"]`, `GetEnvironmentVariable("TOKEN", "User")`.
fn is_list_of_names(text: Text<'_>, written: &str, element: Element) -> bool {
    let is_scope = matches!(written, "User" | "Machine" | "Process");
    let is_list = text.byte_before(element.previous) == b'[';
    let is_names = written.contains('_') && names_secret(written);
    // The list of a key is not a pair.
    let key_end = skip_blanks_back(text, element.previous.saturating_sub(1));
    let is_value = text.byte_before(key_end) == b':' && is_name(written);
    is_scope || is_list && (is_names || is_value)
}

/// Whether a name and the element after it are a pair, or the arguments of a call. `close` is the
/// position after the element.
fn is_pair(text: Text<'_>, close: usize, written: &str, element: Element) -> bool {
    let bracket = text.byte_before(element.previous);
    let next = text.byte(close);
    let has_sign = written.contains(|character: char| {
        !character.is_ascii_alphabetic() && !matches!(character, '_' | '-' | ' ')
    });
    let is_pair = element.is_binary
        || next == b')' && has_sign
        || element.is_first && (matches!(next, b')' | b']' | b'}' | 0) || bracket == b'(');
    let is_call = || {
        element.is_first
            && bracket == b'('
            && text
                .byte_before(element.previous - 1)
                .is_ascii_alphanumeric()
    };
    element.is_map || is_pair && (next != b',' || !is_name(written) || is_call())
}

/// Whether a text has only letters, hyphens and underscores, as names have.
fn is_name(written: &str) -> bool {
    written
        .bytes()
        .all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'_'))
}

/// Whether a text is the name of a header: `Content-Type`.
fn is_header_name(written: &str) -> bool {
    is_name(written)
        && written.contains('-')
        && written
            .split('-')
            .all(|part| part.starts_with(|first: char| first.is_ascii_uppercase()))
}

/// Whether a text can be the name of a parameter.
fn names_parameter(key: &str) -> bool {
    key.bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

/// A value without quotes in a list or a call: `("pin", 4821)`.
fn read_literal(text: Text<'_>, at: usize, name: Name, values: &mut Values) {
    let end = text.run_near(at, |byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'+' | b'/' | b'=')
    });
    let written = slice(text, at, end);
    let is_number = !written.is_empty() && written.bytes().all(|byte| byte.is_ascii_digit());
    // `prompt("Password", hide_input=True)`, `get("password", cancellationToken: token)`.
    let is_argument = text.byte(end) == b':'
        || written.split_once('=').is_some_and(|(key, value)| {
            !value.trim_matches('=').is_empty() && names_parameter(key)
        });
    if is_argument {
        return;
    }
    if (is_number && written.len() >= 3 || is_password(written))
        && is_secret(written, name.certainty.min(Certainty::Likely))
    {
        values.push(at, end);
    }
}

/// Adds the element after an option in a list without quotes: `[ldapsearch, --password, x, -b]`.
pub(super) fn find_plain_element(text: Text<'_>, name: Name, values: &mut Values) {
    let start = skip_blanks(text, name.end + 1);
    let end = text.run_near(start, |byte| {
        !matches!(byte, b',' | b']' | b')' | b'\n' | b'"' | b'\'')
    });
    let written = slice(text, start, end);
    if matches!(text.byte(end), b',' | b']' | b')')
        && !written.is_empty()
        && !written.starts_with('-')
        && !is_placeholder(written)
    {
        values.push(start, end);
    }
}

/// Adds the value of a tuple whose name has no quotes: `{password,"x"}`.
pub(super) fn find_tuple(text: Text<'_>, name: Name, values: &mut Values) {
    let start = skip_blanks(text, name.end + 1);
    let start = match text.rest(start) {
        [b'<', b'<', b'"', ..] => start + 2,
        [b'<', b'<', b'0'..=b'9', ..] => return read_binary(text, start + 2, name, values),
        [b'{', ..] => return read_inner_tuple(text, start + 1, name, values),
        _ => start,
    };
    let Some(value) = quoted::read(text, start) else {
        return read_plain_tuple(text, start, name, values);
    };
    let written = value.written(text);
    // `Arrays.fill(password, '\0')`.
    let is_character = written.chars().count() <= 2;
    if !is_character
        && !is_message(written, name.written(text))
        && is_secret(written, name.certainty)
    {
        values.push(value.start, value.end);
    }
}

/// Adds the bytes of a binary of Erlang: `{secret_key,<<12,200,7>>}`.
fn read_binary(text: Text<'_>, start: usize, name: Name, values: &mut Values) {
    let end = text.run_near(start, |byte| {
        byte.is_ascii_digit() || matches!(byte, b',' | b' ')
    });
    if name.certainty == Certainty::Certain && text.rest(end).starts_with(b">>") {
        values.push(start, end);
    }
}

/// Adds the last text in quotes of a tuple inside the one of a name:
/// `{credentials,{plain,"bob","x"}}`.
fn read_inner_tuple(text: Text<'_>, start: usize, name: Name, values: &mut Values) {
    let end = text.run_within(start, LONGEST_TUPLE, |byte| {
        !matches!(byte, b'}' | b'{' | b'\n')
    });
    let inside = slice(text, start, end);
    let last = inside.trim_end_matches(['"', '>']).rfind('"');
    if let Some(place) = last
        && name.certainty == Certainty::Certain
        && text.byte(end) == b'}'
        && inside.ends_with(['"', '>'])
    {
        let value = inside[place + 1..].trim_end_matches(['"', '>']);
        values.push(start + place + 1, start + place + 1 + value.len());
    }
}

/// The longest tuple inside another one that is read.
const LONGEST_TUPLE: usize = 400;

/// Adds the last argument of a call after a name of several words: `set_env(app, api_secret, "x")`.
pub(super) fn find_argument(text: Text<'_>, name: Name, values: &mut Values) {
    let start = skip_blanks(text, name.end + 1);
    let is_name = name.certainty == Certainty::Certain && name.written(text).contains('_');
    if let Some(value) = quoted::read(text, start).filter(|value| is_name && value.is_closed)
        && text.byte(value.next) == b')'
        && !is_message(value.written(text), name.written(text))
    {
        values.push(value.start, value.end);
    }
}

/// Whether a text is itself the name of a secret, as in the list `[db_password, jwt_key]`.
fn names_secret(written: &str) -> bool {
    written
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        && names::judge(written).is_some()
}

/// Adds the value of a tuple without quotes: `[X-Api-Key, x y]`, `[Authorization, Basic …]`.
fn read_plain_tuple(text: Text<'_>, start: usize, name: Name, values: &mut Values) {
    let end = text.run_near(start, |byte| {
        !matches!(byte, b',' | b']' | b')' | b'}' | b'\n')
    });
    let written = slice(text, start, end);
    let opening = text.byte_before(name.start);
    let is_closed = matches!(
        (opening, text.byte(end)),
        (b'[', b']') | (b'(', b')') | (b'{', b'}')
    );
    // `{pin, 4711}`
    let is_number = written.len() >= 4 && written.bytes().all(|byte| byte.is_ascii_digit());
    if is_closed && opening == b'{' && is_number && name.certainty >= Certainty::Likely {
        return values.push(start, end);
    }
    if !is_closed || name.certainty != Certainty::Certain || is_message(written, name.written(text))
    {
        return;
    }
    let lower = name.written(text).to_ascii_lowercase();
    if lower.ends_with("authorization")
        && let Some(credential) = scheme::find(text, start, Some(end))
    {
        credential.check(text, values);
    } else if opening == b'[' && !names_secret(written) {
        values.push(start, end);
    }
}
