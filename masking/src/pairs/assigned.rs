//! A sign between name and value: `password=hunter2`, `"apiKey": "…"`, `PASSWORD => '…'`.

use change::{read_change, read_marked_change};
use cookie::{cookie_end, has_no_value};
use lines::{is_block, read_block, read_folded, read_next_lines};
use other::{
    LONGEST_NUMBER, ends_with_duration, is_cookie_setting, is_function, is_measurement,
    is_test_name, is_weak_password,
};
use prefix::skip_prefix;
use scene::scene_of;
use sign::find_sign;
use texts::read_quoted;
use words::USERS;
use wrapped::{braced, serialized, unwrapped};

use super::bare::{self, Scene};
use super::context::{Sign, is_name, is_quote, skip_blanks, skip_spaces};
use super::judgement::{
    SHORTEST_RANDOM, is_encoded_pair, is_object_name, is_placeholder, is_report, is_secret,
    is_unmistakable, names_licence, names_password,
};
use super::{Values, account, quoted, scheme, structure};
use crate::names::{Certainty, Name};
use crate::text::Text;

mod change;
mod cookie;
mod lines;
mod other;
mod prefix;
mod scene;
mod sign;
mod texts;
mod words;
mod wrapped;

pub(super) use lines::read_heredoc;
pub(super) use scene::closes_prompt;

/// Adds the value after the sign behind a name.
pub(super) fn find(text: Text<'_>, name: Name, values: &mut Values) {
    let Some((sign, sign_end)) = find_sign(text, name) else {
        return;
    };
    let sign_end = skip_emphasis(text, sign_end);
    let at = skip_spaces(text, sign_end);
    if name.certainty < Certainty::Likely && is_short(text, at) {
        return;
    }
    let scene = scene_of(text, name, sign, sign_end);
    read_value(text, at, name, scene, values);
}

/// Skips the mark that ends an emphasis after a sign: `**Password:** …`.
fn skip_emphasis(text: Text<'_>, at: usize) -> usize {
    let is_mark = matches!(
        text.rest(at),
        [b'*', b'*', b' ', ..] | [b'_', b'_', b' ', ..]
    );
    if is_mark { at + 2 } else { at }
}

/// Whether a value without a certain name is too short to be random.
fn is_short(text: Text<'_>, at: usize) -> bool {
    let quote = quoted::quote_length(text, at);
    let rest = text.rest(at + quote).iter().take(SHORTEST_RANDOM);
    let is_structure = matches!(
        text.byte(at),
        b'[' | b'{' | b'(' | b'\n' | b'\r' | b'|' | b'<'
    );
    let is_prefixed =
        matches!(text.byte(at), b's' | b'b') && matches!(text.byte(at + 1), b'"' | b'\'' | b':');
    // A pair of a user and a password after `auth` can be short.
    let may_be_pair = rest.clone().any(|&byte| matches!(byte, b':' | b'/'));
    let length = rest
        .take_while(|&&byte| byte > b' ' && !is_quote(byte))
        .count();
    !is_structure && !is_prefixed && !may_be_pair && length < SHORTEST_RANDOM
}

/// Adds the value that begins at a position.
pub(super) fn read_value(
    text: Text<'_>,
    at: usize,
    name: Name,
    scene: Scene<'_>,
    values: &mut Values,
) {
    // Go prints the values of a header in brackets: `Authorization:[Bearer x]`.
    if text.byte(at) == b'['
        && names_header(&scene.name.to_ascii_lowercase())
        && let Some(credential) = scheme::find(text, at + 1, None)
    {
        return credential.check(text, values);
    }
    if read_marked_change(text, at, values) {
        return;
    }
    // A part of a form in Python: `'password': (None, 'x')`.
    let at = match text.rest(at).starts_with(b"(None, ") {
        true => at + "(None, ".len(),
        false => at,
    };
    if is_no_value(text, at, name, scene) || read_special(text, at, name, scene, values) {
        return;
    }
    // Tags and anchors stand after a colon only.
    let is_tag = matches!(text.byte(at), b'!' | b'&') && !is_quote(text.byte(at + 1));
    let at = if is_tag && scene.sign != Sign::Colon && text.byte(at + 1) != b'!' {
        at
    } else {
        skip_prefix(text, at)
    };
    // `!!binary |` and the lines of the block.
    if is_tag
        && matches!(text.byte(at), b'|' | b'>')
        && is_block(text, at)
        && !text.before(at, 8).contains("vault")
    {
        return read_block(text, at, scene, values);
    }
    if let Some((start, end)) = unwrapped(text, at) {
        if name.certainty >= Certainty::Likely && !is_placeholder(&text.text[start..end]) {
            values.push(start, end);
        }
    } else if matches!(text.byte(at), b'[' | b'{' | b'(')
        && text.mark_end(at).is_none()
        && name.certainty == Certainty::Certain
        && opens_structure(text, at, scene)
    {
        structure::read(text, at, scene, values);
    } else if let Some(value) = quoted::read(text, at) {
        read_quoted(text, value, name, scene, values);
    } else {
        read_unquoted(text, at, name, scene, values);
    }
}

/// Whether a sign is followed by something other than a value: another side of a comparison, the
/// end of a prompt, or a template.
fn is_no_value(text: Text<'_>, at: usize, name: Name, scene: Scene<'_>) -> bool {
    let first = text.byte(at);
    let is_compared = scene.sign == Sign::Comparison && quoted::quote_length(text, at) == 0;
    // `--from-file=password=a.txt`
    let is_file = text.before(name.start, 6) == "-file=";
    is_compared
        || is_file
        || is_link(text, at, name)
        || scene.sign == Sign::Colon && !scene.is_spaced && is_measurement(text, at)
        || first == b'{' && is_cookie_setting(text, at, scene.name)
        || is_function(text, at)
        || is_quote(first) && !scene.is_quoted && closes_prompt(text, name, first)
        || first == b'{' && scene.sign == Sign::Equals && !scene.is_spaced && is_template(text, at)
}

/// Whether a byte after a closing bracket belongs to the same value.
fn is_value_part(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'}'
}

/// How far the closing bracket of a value such as `[x]y` is searched.
const LONGEST_BRACKET: usize = 64;

/// Whether a bracket belongs to a value, because letters follow its closing bracket: `[x]y`.
fn is_part_of_value(text: Text<'_>, at: usize) -> bool {
    let end = text.run_within(at + 1, LONGEST_BRACKET, |byte| {
        byte > b' ' && !is_quote(byte) && !b"[]{}(),:=".contains(&byte)
    });
    matches!(text.byte(end), b']' | b'}' | b')')
        && end > at + 1
        && text.byte(end + 1).is_ascii_alphanumeric()
}

/// Whether a link of Markdown is at a position: `[access token]: https://…`, `secrets: ([#1](…))`.
fn is_link(text: Text<'_>, at: usize, name: Name) -> bool {
    let rest = text.rest(at);
    let is_definition = text.byte(name.end) == b']'
        && ["#", "http", "/", "./"]
            .iter()
            .any(|start| rest.starts_with(start.as_bytes()));
    is_definition || rest.starts_with(b"([#") || rest.starts_with(b"([`")
}

/// Whether a template such as `{password}` is at a position.
fn is_template(text: Text<'_>, at: usize) -> bool {
    let end = text.run_near(at + 1, |byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-')
    });
    let has_digit = || text.text[at..end].bytes().any(|byte| byte.is_ascii_digit());
    // A closing brace in a value is doubled, and other characters can follow it.
    let is_closed = text.byte(end) == b'}' && !is_value_part(text.byte(end + 1));
    is_closed && end < at + 40 && !has_digit()
}

/// Adds a value that a sign at its start describes: lines of their own, PHP's serialized texts,
/// braces and here documents. Returns whether nothing else can be a value.
fn read_special(
    text: Text<'_>,
    at: usize,
    name: Name,
    scene: Scene<'_>,
    values: &mut Values,
) -> bool {
    match text.byte(at) {
        0 => {}
        b'\n' | b'\r' => read_next_lines(text, at, name, scene, values),
        b'|' | b'>' if is_block(text, at) => read_block(text, at, scene, values),
        b'\\' if matches!(text.byte(at + 1), b'\n' | b'\r') => {
            read_value(text, skip_blanks(text, at + 1), name, scene, values);
        }
        b's' => {
            let Some((start, end)) = serialized(text, at) else {
                return false;
            };
            let written = &text.text[start..end];
            let certainty = name.certainty.max(Certainty::Likely);
            if !is_placeholder(written) && is_secret(written, certainty) {
                values.push(start, end);
            }
        }
        b'{' if scene.sign == Sign::Equals && !scene.is_spaced && scene.bracket == 0 => {
            let Some(end) = braced(text, at) else {
                return false;
            };
            values.push(at + 1, end);
        }
        b'<' if text.rest(at).starts_with(b"<<") && !text.rest(at).starts_with(b"<<\"") => {
            read_heredoc(text, at, values);
        }
        _ => return false,
    }
    true
}

/// Adds a value without quotes: the value of a cookie, the credential of a header, or a bare value.
fn read_unquoted(text: Text<'_>, at: usize, name: Name, scene: Scene<'_>, values: &mut Values) {
    let lower = scene.name.to_ascii_lowercase();
    if lower.ends_with("cookie") || lower.ends_with("cookies") {
        let preview = cookie_end(text, at, LONGEST_PREVIEW, scene);
        let written = &text.text[at..preview];
        let is_header = scene.sign != Sign::Colon || written.contains('=');
        let is_code = scene.is_spaced
            && scene.sign != Sign::Colon
            && (written.len() < 3 || bare::read(text, at, scene).is_none());
        if !is_placeholder(written) && is_header && !is_code && !has_no_value(written) {
            values.push(at, cookie_end(text, at, usize::MAX, scene));
        }
        return;
    }
    if names_header(&lower)
        && let Some(credential) = scheme::find(text, at, None)
    {
        return credential.check(text, values);
    }
    if lower.ends_with("auth") && read_encoded_pair(text, at, values) {
        return;
    }
    let is_pair = names_header(&lower) || lower.ends_with("authident");
    if name.certainty < Certainty::Likely && !is_pair && !has_digit_near(text, at) {
        return;
    }
    let Some(end) = bare::read(text, at, scene) else {
        let end = bare::find_end(text, at, LONGEST_NUMBER, scene);
        if is_weak_password(&text.text[at..end], name, scene) {
            values.push(at, end);
        }
        return;
    };
    if is_bare_secret(text, at, end, name, scene) {
        let end = bare::whole_end(text, at, end, scene);
        values.push(at, end);
        read_change(text, end, values);
        if scene.line.is_start {
            read_folded(text, end, scene, values);
        }
    }
}

/// Whether the word at a position has a digit, as all random values have.
fn has_digit_near(text: Text<'_>, at: usize) -> bool {
    let word = text.rest(at).iter().take(LONGEST_PREVIEW);
    word.take_while(|&&byte| byte > b' ')
        .any(u8::is_ascii_digit)
}

/// Whether a value without quotes is a secret, and not a number of a field or the name of an object.
fn is_bare_secret(text: Text<'_>, at: usize, end: usize, name: Name, scene: Scene<'_>) -> bool {
    let written = &text.text[at..end];
    let is_certain = name.certainty == Certainty::Certain;
    if !is_certain && (ends_with_duration(written) || is_test_name(written)) {
        return false;
    }
    let judged = if is_certain {
        written
    } else {
        written.split([' ', '\t']).next().unwrap_or_default()
    };
    let counts = is_secret(judged, name.certainty)
        || is_setting(text, written, name, scene)
        || names_licence(scene.name) && is_unmistakable(judged);
    if !counts {
        return false;
    }
    let is_number = written.bytes().all(|byte| byte.is_ascii_digit());
    // The number of a field in protocol buffers: `string password = 12;`.
    let number = written.split(" [").next().unwrap_or_default();
    let is_field_number = scene.is_column
        && text.byte(end) == b';'
        && number.len() < 6
        && number.bytes().all(|byte| byte.is_ascii_digit());
    let lower = scene.name.to_ascii_lowercase();
    // A token is longer than a code: `token:418` is its id.
    let most = if lower.ends_with("token") { 3 } else { 2 };
    let is_counted = scene.is_spaced || lower == "token" && scene.sign == Sign::Colon;
    let is_short_number = is_counted && written.len() <= most && is_number;
    let is_reference = lower == "secret" && scene.sign == Sign::Equals && !scene.is_parameter
        || lower.ends_with("secrets")
        || lower.contains("existing")
        || lower.ends_with("pullsecret")
        || lower.ends_with("passwordsecret")
        || lower.ends_with("tokensecret");
    // `--password=PASS   Password to use`: the help of a command.
    let is_usage = text.byte_before(name.start) == b'-'
        && text.rest(end).starts_with(b"  ")
        && written
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    // One digit is the switch of a setting: `clearTextPassword=0`.
    let is_character = written.len() < 2 && is_certain;
    let is_object = is_reference && is_object_name(written);
    !(is_field_number || is_short_number || is_object || is_character || is_usage)
}

/// Whether a value after a name such as `clave` and `pass` is the setting of a file or a parameter of
/// a URL, and after `auth` a pair such as `user:password`.
fn is_setting(text: Text<'_>, value: &str, name: Name, scene: Scene<'_>) -> bool {
    let lower = scene.name.to_ascii_lowercase();
    let is_tight = scene.sign == Sign::Equals && !scene.is_spaced;
    if lower.ends_with("auth") || lower.ends_with("authident") {
        return is_tight
            && (value.contains(':') || value.contains('/'))
            // `auth=0/1` counts.
            && value.bytes().any(|byte| byte.is_ascii_alphabetic())
            && !value.contains("://")
            && !value.starts_with('/');
    }
    let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
    if name.certainty != Certainty::Likely || !names_password(scene.name) || is_number {
        return false;
    }
    let is_dump = scene.sign == Sign::Arrow && matches!(scene.bracket, b'(' | b'[');
    // Go: `{Host:db Pass:x TLS:true}`.
    let is_go = scene.bracket == b'{'
        && scene.sign == Sign::Colon
        && !scene.is_spaced
        && scene
            .name
            .starts_with(|first: char| first.is_ascii_uppercase())
        && value.len() >= 4;
    is_dump
        || is_go
        || scene.is_record
        || is_tight && scene.bracket != 0 && account::precedes(text, name)
        || is_tight && (scene.is_parameter || scene.line.is_start || scene.is_data)
        || scene.line.is_start && follows_user(text, name) && !is_report(value)
}

/// Whether one of the lines before a name begins with the key of a user or a host.
fn follows_user(text: Text<'_>, name: Name) -> bool {
    let begins = |line: &str| {
        let line = line.trim_start_matches([' ', '-', '"']);
        USERS.iter().any(|key| line.starts_with(key))
    };
    text.before(name.start, 160)
        .rsplit('\n')
        .take(5)
        .any(begins)
}

/// Whether a name in lower case is that of a header whose value has a scheme.
fn names_header(lower: &str) -> bool {
    lower.ends_with("authorization") || lower.ends_with("auth") || lower.ends_with("authenticate")
}

/// Adds a value without quotes that is a user and a password in base64: `_auth=Ym9iOng=`.
fn read_encoded_pair(text: Text<'_>, at: usize, values: &mut Values) -> bool {
    let end = text.run_near(at, |byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
    });
    let is_pair = is_encoded_pair(&text.text[at..end]);
    if is_pair {
        values.push(at, end);
    }
    is_pair
}

/// Whether a bracket begins a list or an object, and not a password with brackets.
fn opens_structure(text: Text<'_>, at: usize, scene: Scene<'_>) -> bool {
    let next = text.byte(at + 1);
    if is_part_of_value(text, at) {
        return false;
    }
    match text.byte(at) {
        b'{' if scene.is_record => false,
        b'{' => is_quote(next) || next.is_ascii_whitespace() || is_name(next) || next == b'}',
        b'[' => {
            is_quote(next)
                || next.is_ascii_whitespace()
                || next == b']'
                || next == b'{'
                || scene.bracket != 0
                || !scene.line.is_start
                || is_name(next)
        }
        _ => is_quote(next) || next.is_ascii_whitespace(),
    }
}

/// How many bytes of a cookie are read to judge it. Only confirmed values are read to their end.
const LONGEST_PREVIEW: usize = 512;
