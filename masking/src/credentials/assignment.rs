//! Values behind the name of a secret: `password=hunter2`, `"apiKey": "…"`,
//! `?token=…&`, `Authorization: Bearer …`, `--password …`, `<password>…`.
//!
//! The name is read backwards from the sign between the two, and has to be one
//! that [`crate::keys`] says holds a secret. The value ends at its quote, or
//! where nobody would go on without one.

use crate::rules::{BASIC, BEARER, SECRET};
use crate::text::{MARK, Text};

/// More of a name than decides.
const LONGEST_NAME: usize = 64;

/// More of a tag than its name and a few attributes.
const LONGEST_TAG: usize = 128;

/// How many words a name in prose has at most, as in `secret access key: …`.
const MOST_WORDS: usize = 4;

/// Spaces between a name, the sign and the value: columns can be aligned.
const MOST_SPACES: usize = 64;

/// Marks in a row behind a value, and backslashes before a quote.
const MOST_MARKS: usize = 8;

/// How much of a value is read to see whether it is one. Only a value that is
/// one is read to its end, so that no text is read over and over.
const JUDGED: usize = 256;

/// A signature of Azure is 44 characters of base64.
const SHORTEST_SIGNATURE: usize = 40;

/// More than any type of which a value is shown.
const LONGEST_PREFIX: usize = 32;

/// No password behind a name such as `pass` is shorter.
const SHORTEST_PASSWORD: usize = 6;

/// Headers that hold a secret, as lists of headers name them.
const LISTED_HEADERS: &[&str] = &[
    "api-key",
    "authorization",
    "cookie",
    "proxy-authorization",
    "set-cookie",
    "x-api-key",
    "x-auth-token",
];

/// Words behind which SQL and its kin write a password with no sign between.
const CLAUSES: &[&str] = &["passphrase", "passwd", "password", "pwd"];

/// A password: where it begins and ends, and its rule.
pub(crate) type Value = (usize, usize, &'static str);

/// Whether a name holds a secret, as the built-in rules and the team's settings
/// say.
pub(crate) type IsSecret<'a> = &'a dyn Fn(&str) -> bool;

/// The value behind the `=` or `:` at a place.
pub(crate) fn find(text: Text<'_>, at: usize, is_secret: IsSecret<'_>) -> Option<Value> {
    let byte = text.byte(at);
    let next = text.byte(at + 1);
    let before = text.byte_before(at);
    let compares = next == b'=' || (next == b':' || before == b':') && byte == b':';
    if compares && !(byte == b':' && next == b'=') {
        return None;
    }
    if byte == b'=' && matches!(before, b'!' | b'<' | b'>' | b'=') {
        return None;
    }
    let name = name_before(text, at)?;
    let written = &text.text[name.start..name.end];
    let is_pair = || {
        written.eq_ignore_ascii_case("value")
            && (is_secret(named_before(text, name.start))
                || is_secret(opened_before(text, name.start)))
    };
    if !is_secret(written) && !is_pair() {
        return None;
    }
    let start = at + 1 + usize::from(next == b'>' || (byte == b':' && next == b'='));
    let gap_end = skip_spaces(text, skip_line_end(text, start));
    let scene = Scene {
        name,
        is_prose: byte == b':' && gap_end > start,
        is_spaced: gap_end > start,
        is_listed: false,
    };
    value(text, gap_end, scene)
}

/// PHP dumps a value in the line behind its `=>`.
fn skip_line_end(text: Text<'_>, at: usize) -> usize {
    let rest = text.rest(at).iter().take(MOST_SPACES);
    let blanks = rest.take_while(|&&byte| byte.is_ascii_whitespace()).count();
    if text.rest(at + blanks).starts_with(b"string(") {
        at + blanks
    } else {
        at
    }
}

/// The name in `"password": {"value": "…"}`, of which the name `value` begins at
/// a place; empty where there is none.
fn opened_before(text: Text<'_>, at: usize) -> &str {
    let is_between = |byte: u8| is_quote(byte) || byte == b'\\' || byte.is_ascii_whitespace();
    let back = |at: usize| text.run_back(at, MOST_SPACES, is_between);
    let brace = back(at);
    if text.byte_before(brace) != b'{' {
        return "";
    }
    let colon = back(brace - 1);
    if text.byte_before(colon) != b':' {
        return "";
    }
    let end = back(colon - 1);
    let start = text.run_back(end, LONGEST_NAME, is_name);
    text.text.get(start..end).unwrap_or_default()
}

/// The name in `{"name": "DB_PASSWORD", "value": "…"}`, of which the name `value`
/// begins at a place; empty where there is none. In YAML a line's end stands for
/// the comma, and among the attributes of XML a blank.
fn named_before(text: Text<'_>, at: usize) -> &str {
    let is_between =
        |byte: u8| is_quote(byte) || matches!(byte, b' ' | b'\\' | b'\n' | b'\r' | b'\t');
    let back = |at: usize| text.run_back(at, MOST_SPACES, is_between);
    let gap = back(at);
    let end = if text.byte_before(gap) == b',' {
        back(gap - 1)
    } else {
        gap
    };
    let start = text.run_back(end, LONGEST_NAME, is_name);
    let sign = back(start);
    let key_end = back(sign.saturating_sub(1));
    let key = text.before(key_end, 4).to_ascii_lowercase();
    let between = text.text.as_bytes().get(gap..at).unwrap_or_default();
    let is_pair = match text.byte_before(sign) {
        b':' => end < gap || between.contains(&b'\n'),
        b'=' => between.iter().any(|&byte| is_quote(byte)),
        _ => false,
    };
    let is_key = key.ends_with("name") || key.ends_with("key");
    let name = text.text.get(start..end).unwrap_or_default();
    if is_pair && is_key { name } else { "" }
}

/// The value in `the password is hunter2`, of which the `is` begins at a place.
pub(crate) fn find_sentence(text: Text<'_>, at: usize, is_secret: IsSecret<'_>) -> Option<Value> {
    let rest = text.rest(at);
    let verb = if rest.starts_with(b"is ") { 3 } else { 4 };
    if !(rest.starts_with(b"is ") || rest.starts_with(b"was ")) || text.byte_before(at) != b' ' {
        return None;
    }
    let name = name_before(text, at)?;
    if !is_secret(&text.text[name.start..name.end]) {
        return None;
    }
    let start = skip_spaces(text, at + verb);
    let start = start + usize::from(is_quote(text.byte(start)));
    let judged = Extent::Bare.end(text, start, JUDGED);
    let value = text.text.get(start..judged)?;
    let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
    let goes_on = text.byte(judged) == b' ' && text.byte(judged + 1).is_ascii_alphabetic();
    // `The token is 2048 bytes long` speaks of no value.
    let is_value = value.len() >= 4
        && value.bytes().any(|byte| byte.is_ascii_digit())
        && !(is_number && goes_on)
        && !value.starts_with(['{', '['])
        && !stands_for_a_value(value);
    is_value.then(|| (start, Extent::Bare.end(text, start, usize::MAX), SECRET))
}

/// The value behind `--password ` that begins at a place.
pub(crate) fn find_option(text: Text<'_>, at: usize, is_secret: IsSecret<'_>) -> Option<Value> {
    if !text.rest(at).starts_with(b"--") || text.byte_before(at) == b'-' {
        return None;
    }
    let run = text.rest(at + 2).iter().take(LONGEST_NAME);
    let end = at + 2 + run.take_while(|&&byte| is_name(byte)).count();
    let name = Name { start: at + 2, end };
    let is_option = text.byte(end) == b' ' && text.byte(end + 1) != b'-';
    if !is_option || !is_secret(&text.text[name.start..end]) {
        return None;
    }
    let scene = Scene {
        name,
        is_prose: false,
        is_spaced: false,
        is_listed: false,
    };
    value(text, skip_spaces(text, end), scene)
}

/// The new value in `password = "…" -> "…"`, of which the arrow begins at a place
/// right behind a secret.
pub(crate) fn find_change(text: Text<'_>, at: usize) -> Option<Value> {
    let gap = text.run_back(at, MOST_SPACES, |byte| byte == b' ' || is_quote(byte));
    let follows = text.follows_secret && gap == text.floor;
    if !follows || !text.rest(at).starts_with(b"->") {
        return None;
    }
    let start = skip_spaces(text, at + 2);
    let (quote, slashes) = opening_quote(text, start)?;
    let extent = Extent::Quoted { quote, slashes };
    let credential = Credential {
        start: start + slashes + 1,
        extent,
        rule: SECRET,
    };
    credential.judged(text)
}

/// The value in `['X-Api-Key', '…']`, a list of headers and their values, of which
/// the header's name begins at a place.
pub(crate) fn find_listed(text: Text<'_>, at: usize) -> Option<Value> {
    if !is_quote(text.byte_before(at)) {
        return None;
    }
    let run = text.rest(at).iter().take(LONGEST_NAME);
    let end = at + run.take_while(|&&byte| is_name(byte)).count();
    let written = text.text.get(at..end)?;
    let is_header = LISTED_HEADERS
        .iter()
        .any(|header| written.eq_ignore_ascii_case(header));
    let (_, slashes) = opening_quote(text, end).filter(|_| is_header)?;
    let comma = end + slashes + 1;
    if text.byte(comma) != b',' {
        return None;
    }
    let rest = text.rest(comma + 1).iter().take(MOST_SPACES);
    let blanks = rest.take_while(|&&byte| byte.is_ascii_whitespace()).count();
    let start = comma + 1 + blanks;
    opening_quote(text, start)?;
    let scene = Scene {
        name: Name { start: at, end },
        is_prose: false,
        is_spaced: false,
        is_listed: false,
    };
    let found = value(text, start, scene)?;
    // In a list of headers to allow or to hide another header's name follows.
    let is_part_of_name = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'-';
    let is_header = text.text.as_bytes()[found.0..found.1]
        .iter()
        .all(is_part_of_name);
    (found.2 != SECRET || !is_header).then_some(found)
}

/// The value in `PASSWORD '…'` and `IDENTIFIED BY '…'`, of which the last word
/// begins at a place.
pub(crate) fn find_clause(text: Text<'_>, at: usize) -> Option<Value> {
    let run = text.rest(at).iter().take(LONGEST_NAME);
    let end = at + run.take_while(|&&byte| is_name(byte)).count();
    let start = end + 2;
    let quote = text.byte(end + 1);
    if text.byte(end) != b' ' || !matches!(quote, b'"' | b'\'') {
        return None;
    }
    let written = text.text.get(at..end)?;
    let is_word = |word: &&str| written.eq_ignore_ascii_case(word);
    let is_identified = is_word(&"by")
        && text
            .before(at, LONGEST_NAME)
            .to_ascii_lowercase()
            .contains("identified ");
    if !is_identified && !CLAUSES.iter().any(is_word) {
        return None;
    }
    let extent = Extent::Quoted { quote, slashes: 0 };
    let value = text.text.get(start..extent.end(text, start, JUDGED))?;
    let has_digit = value.bytes().any(|byte| byte.is_ascii_digit());
    let is_long = value.len() >= SHORTEST_PASSWORD || has_digit || is_identified;
    let is_value =
        is_long && !value.is_empty() && !value.contains([' ', '\t']) && !stands_for_a_value(value);
    is_value.then(|| (start, extent.end(text, start, usize::MAX), SECRET))
}

/// The text of the element whose tag ends at the `>` at a place.
pub(crate) fn find_element(text: Text<'_>, at: usize, is_secret: IsSecret<'_>) -> Option<Value> {
    let is_inside = |byte: u8| !matches!(byte, b'<' | b'>' | b'\n');
    let start = text.run_back(at, LONGEST_TAG, is_inside);
    if text.byte_before(start) != b'<' {
        return None;
    }
    // A name can have a namespace before it, and attributes behind it.
    let tag = text.text.get(start..at)?;
    let name = tag.split([' ', '\t']).next().unwrap_or_default();
    let name = name.rsplit(':').next().unwrap_or_default();
    if name.is_empty() || !is_secret(name) {
        return None;
    }
    let end = text.run(at + 1, |byte| !matches!(byte, b'<' | b'\n'));
    let is_closed = text.rest(end).starts_with(b"</");
    let written = &text.text[at + 1..end];
    if is_pass(name) && !is_password(written, true) {
        return None;
    }
    (is_closed && !stands_for_a_value(written)).then_some((at + 1, end, SECRET))
}

/// The name of a value, and where it stands.
#[derive(Debug, Clone, Copy)]
struct Name {
    start: usize,
    end: usize,
}

/// What stands around a value.
#[derive(Debug, Clone, Copy)]
struct Scene {
    name: Name,
    /// Whether this can be a sentence: `Invalid token: expired`.
    is_prose: bool,
    /// Whether a space stands before the value, as in code.
    is_spaced: bool,
    /// Whether the value is the first of a list.
    is_listed: bool,
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.') || !byte.is_ascii()
}

fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'`')
}

fn skip_spaces(text: Text<'_>, at: usize) -> usize {
    let spaces = text.rest(at).iter().take(MOST_SPACES);
    at + spaces
        .take_while(|&&byte| matches!(byte, b' ' | b'\t'))
        .count()
}

fn name_before(text: Text<'_>, at: usize) -> Option<Name> {
    let mut end = text.run_back(at, MOST_SPACES, |byte| matches!(byte, b' ' | b'\t'));
    let mut is_quoted = false;
    if is_quote(text.byte_before(end)) {
        is_quoted = true;
        end = text.run_back(end - 1, MOST_MARKS, |byte| byte == b'\\');
    } else if text.byte_before(end) == b']' {
        end -= 1;
        if is_quote(text.byte_before(end)) {
            end -= 1;
        }
    } else if text.byte_before(end) == b')' || text.byte_before(end) == b'>' {
        return None;
    }
    let mut start = text.run_back(end, LONGEST_NAME, is_name);
    while !text.text.is_char_boundary(start) {
        start += 1;
    }
    // In `arn:aws:secretsmanager:…:secret:prod/db` nothing is a name.
    let is_path =
        !is_quoted && text.byte(at) == b':' && matches!(text.byte_before(start), b':' | b'/');
    if start == end || is_path {
        return None;
    }
    let is_one_word = is_quoted || text.byte(at) == b'=';
    for _ in 1..MOST_WORDS {
        let is_word =
            text.byte_before(start) == b' ' && text.byte_before(start - 1).is_ascii_alphanumeric();
        if is_one_word || !is_word {
            break;
        }
        start = text.run_back(start - 1, LONGEST_NAME, |byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
        });
    }
    Some(Name { start, end })
}

fn value(text: Text<'_>, at: usize, scene: Scene) -> Option<Value> {
    let is_list = text.byte(at) == b'[' && text.mark_end(at).is_none();
    if is_list && !scene.is_listed {
        let scene = Scene {
            is_listed: true,
            ..scene
        };
        let rest = text.rest(at + 1).iter().take(MOST_SPACES);
        let blanks = rest.take_while(|&&byte| byte.is_ascii_whitespace()).count();
        return value(text, at + 1 + blanks, scene);
    }
    let at = behind_prefix(text, at);
    let name = text.text[scene.name.start..scene.name.end].to_ascii_lowercase();
    let extent = match opening_quote(text, at) {
        Some((quote, slashes)) => Extent::Quoted { quote, slashes },
        None if name.ends_with("cookie") => Extent::Line,
        None => Extent::Bare,
    };
    let start = match extent {
        Extent::Quoted { slashes, .. } => at + slashes + 1,
        Extent::Line | Extent::Parameters | Extent::Bare => at,
    };
    let is_header = name.ends_with("authorization") || name.ends_with("auth");
    if is_header && let Some(credential) = credential(text, start, extent) {
        return credential.judged(text);
    }
    let judged = extent.end(text, start, JUDGED);
    let value = text.text.get(start..judged)?;
    let is_bare = matches!(extent, Extent::Bare);
    let is_text = is_bare && reads_as_text(text, judged, value, scene)
        || is_bare && scene.is_listed && !reads_as_element(value);
    let is_short = is_bare && (value.len() < 2 || value.starts_with(['{', '[']));
    let is_short = is_short || is_pass(&name) && !is_password(value, is_bare);
    let is_value = !value.is_empty() && !is_short && !is_text && !stands_for_a_value(value);
    is_value.then(|| (start, extent.end(text, start, usize::MAX), SECRET))
}

/// Whether a value without quotes that begins a list is one, and no class of
/// characters such as `[a-z0-9]`.
fn reads_as_element(value: &str) -> bool {
    let is_class = ["a-z", "A-Z", "0-9"]
        .iter()
        .any(|range| value.contains(range));
    is_password(value, true) && !is_class
}

/// Where the quote stands before which a language writes what the text in it is:
/// `b'…'`, `Some("…")`, `string(8) "…"`. The place itself if there is no such.
fn behind_prefix(text: Text<'_>, at: usize) -> usize {
    let rest = text.rest(at);
    let length = |class: fn(&u8) -> bool| {
        let run = rest.iter().take(LONGEST_PREFIX);
        run.take_while(|&byte| class(byte)).count()
    };
    let name = length(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    let end = match &rest[..name] {
        [b'b' | b'r' | b'u' | b'f'] | [b'r', b'b'] | [b'b', b'r'] => at + name,
        b"string" => at + length(|byte| *byte != b' ' && *byte != b'\n') + 1,
        word if is_wrapper(word) && rest.get(name) == Some(&b'(') => at + name + 1,
        _ => at,
    };
    if opening_quote(text, end).is_some() {
        end
    } else {
        at
    }
}

/// Whether a type of this name only wraps a text, as code shows it to debug.
fn is_wrapper(name: &[u8]) -> bool {
    name.starts_with(b"Secret") || [&b"Some"[..], b"Ok", b"Just", b"Sensitive"].contains(&name)
}

/// Whether a name is one that names as many other things as passwords.
fn is_pass(name: &str) -> bool {
    name.eq_ignore_ascii_case("pass") || name.eq_ignore_ascii_case("pw")
}

/// Whether a value behind `pass` is a password: `pass: 12` counts what passed.
fn is_password(value: &str, is_bare: bool) -> bool {
    let has_digit = value.bytes().any(|byte| byte.is_ascii_digit());
    let has_letter = value.bytes().any(|byte| byte.is_ascii_alphabetic());
    if is_bare {
        value.len() >= SHORTEST_PASSWORD && has_digit && has_letter
    } else {
        value.len() >= SHORTEST_PASSWORD || has_digit && has_letter
    }
}

/// How far a value goes.
#[derive(Debug, Clone, Copy)]
enum Extent {
    /// To the quote that closes it.
    Quoted {
        /// The quote.
        quote: u8,
        /// The backslashes before it.
        slashes: usize,
    },
    /// To the end of its line: a cookie holds spaces.
    Line,
    /// To the end of its line, with quotes in it.
    Parameters,
    /// To where nobody would go on without a quote.
    Bare,
}

impl Extent {
    /// Where the value ends that begins at a place, of which at most so many
    /// bytes are read.
    fn end(self, text: Text<'_>, start: usize, most: usize) -> usize {
        let limit = text.text.len().min(start.saturating_add(most));
        let mut end = match self {
            Self::Quoted { quote, slashes } => closing_quote(text, start, limit, quote, slashes),
            Self::Line => line_end(text, start, limit, ends_line),
            Self::Parameters => line_end(text, start, limit, |byte| byte == b'\n'),
            Self::Bare => bare_end(text, start, limit),
        };
        while !text.text.is_char_boundary(end) {
            end -= 1;
        }
        end
    }
}

fn ends_line(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r') || is_quote(byte)
}

fn line_end(text: Text<'_>, start: usize, limit: usize, ends: impl Fn(u8) -> bool) -> usize {
    let rest = &text.text.as_bytes()[start..limit];
    start + rest.iter().take_while(|&&byte| !ends(byte)).count()
}

/// A quote, and how many backslashes stand before it in JSON inside of JSON.
fn opening_quote(text: Text<'_>, at: usize) -> Option<(u8, usize)> {
    let rest = text.rest(at).iter().take(MOST_MARKS);
    let slashes = rest.take_while(|&&byte| byte == b'\\').count();
    let quote = text.byte(at + slashes);
    is_quote(quote).then_some((quote, slashes))
}

/// Where the quote stands that closes the value, or where its line ends.
///
/// At each level of JSON inside of JSON a quote has one backslash more than
/// twice as many as at the level above. A quote inside of the value stands one
/// level deeper than the one that closes it. In SQL `''` stands for a quote.
fn closing_quote(text: Text<'_>, start: usize, limit: usize, quote: u8, slashes: usize) -> usize {
    let mut before = 0;
    let mut end = start;
    for &byte in &text.text.as_bytes()[start..limit] {
        if byte == b'\n' {
            return end;
        }
        let is_doubled = byte == b'\''
            && quote == byte
            && slashes == 0
            && text.byte(end + 1) == quote
            && text.byte(end + 2).is_ascii_alphanumeric();
        if is_doubled {
            // As if a backslash stood before the second of the two.
            before = 1;
            end += 1;
            continue;
        }
        if byte == quote && before % (2 * (slashes + 1)) == slashes {
            return end - slashes;
        }
        before = if byte == b'\\' { before + 1 } else { 0 };
        end += 1;
    }
    end
}

/// Where a value without quotes ends.
fn bare_end(text: Text<'_>, at: usize, limit: usize) -> usize {
    let mut end = at;
    while end < limit {
        let byte = text.byte(end);
        let ends = match byte {
            b' ' | b'\t' | b'\n' | b'\r' | b';' | b'"' | b'\'' | b'`' | b'<' | b'>' => true,
            b'\\' => matches!(text.byte(end + 1), b'n' | b'r' | b't' | b'"' | b'\\'),
            b'&' | b',' => begins_next(text, end + 1),
            b')' | b']' | b'}' => ends_clause(text, end),
            b'[' => text.mark_end(end).is_some(),
            _ => false,
        };
        if ends {
            break;
        }
        end += 1;
    }
    while end > at && matches!(text.byte(end - 1), b'.' | b',' | b':') {
        end -= 1;
    }
    end
}

/// Whether the next name, or nothing, stands behind an `&` or a comma.
fn begins_next(text: Text<'_>, at: usize) -> bool {
    let run = text.rest(at).iter().take(LONGEST_NAME);
    let end = at + run.take_while(|&&byte| is_name(byte)).count();
    let next = text.byte(end);
    matches!(next, b'=' | b':' | b'[') || end == at && (next <= b' ' || is_quote(next))
}

/// Whether only punctuation stands behind a closing bracket.
fn ends_clause(text: Text<'_>, at: usize) -> bool {
    let rest = text.rest(at).iter().take(MOST_MARKS);
    let is_mark = |byte: u8| matches!(byte, b')' | b']' | b'}' | b'.' | b',' | b';' | b':');
    let end = at + rest.take_while(|&&byte| is_mark(byte)).count();
    let next = text.byte(end);
    next <= b' ' || is_quote(next) || next == b'\\'
}

/// What stands behind the scheme in the value of an `Authorization` header.
struct Credential {
    start: usize,
    extent: Extent,
    rule: &'static str,
}

impl Credential {
    fn judged(&self, text: Text<'_>) -> Option<Value> {
        let judged = self.extent.end(text, self.start, JUDGED);
        let value = text.text.get(self.start..judged)?;
        let is_value = !value.is_empty() && !stands_for_a_value(value);
        is_value.then(|| {
            let end = self.extent.end(text, self.start, usize::MAX);
            (self.start, end, self.rule)
        })
    }
}

/// The credential behind the scheme that begins at a place, if one does.
fn credential(text: Text<'_>, at: usize, extent: Extent) -> Option<Credential> {
    let is_scheme = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let run = text.rest(at).iter().take(LONGEST_NAME);
    let scheme_end = at + run.take_while(|&&byte| is_scheme(byte)).count();
    let start = skip_spaces(text, scheme_end);
    if scheme_end == at || start == scheme_end {
        return None;
    }
    let inner = match extent {
        Extent::Quoted { .. } => extent,
        Extent::Line | Extent::Parameters | Extent::Bare => Extent::Bare,
    };
    let to = |extent, rule| {
        Some(Credential {
            start,
            extent,
            rule,
        })
    };
    let scheme = &text.text[at..scheme_end];
    match scheme.to_ascii_lowercase().as_str() {
        "bearer" => to(inner, BEARER),
        "basic" => to(inner, BASIC),
        "aws4-hmac-sha256" | "digest" | "oauth" | "hawk" => match extent {
            Extent::Quoted { .. } => to(extent, SECRET),
            Extent::Line | Extent::Parameters | Extent::Bare => to(Extent::Parameters, SECRET),
        },
        "apikey" | "dpop" | "jwt" | "negotiate" | "ntlm" | "ssws" | "token" => to(inner, SECRET),
        _ => {
            // A scheme of one's own is a word, and no word stands behind it.
            let is_word = !scheme.contains(|character: char| character.is_ascii_digit());
            let next = inner.end(text, start, JUDGED);
            let is_credential = text.rest(start)[..next - start]
                .iter()
                .any(u8::is_ascii_digit);
            if is_word && is_credential {
                to(inner, SECRET)
            } else {
                None
            }
        }
    }
}

/// The signature behind the `=` at a place in the URL of a shared access
/// signature.
pub(crate) fn find_signature(text: Text<'_>, equals: usize) -> Option<(usize, usize)> {
    if text.before(equals, 3) != "sig" || text.byte_before(equals - 3).is_ascii_alphanumeric() {
        return None;
    }
    let at = equals + 1;
    let is_base64 = |byte: u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'%' | b'+' | b'/' | b'=' | b'-' | b'_')
    };
    let end = text.run(at, is_base64);
    (end - at >= SHORTEST_SIGNATURE).then_some((at, end))
}

/// Words that stand where a value would, and say that it is none.
#[rustfmt::skip]
const NO_VALUES: &[&str] = &[
    "<nil>", "accepted", "active", "any", "approved", "array", "bool", "boolean", "bytes",
    "changed", "completed", "configured", "created", "deleted", "denied", "disabled", "done",
    "empty", "enabled", "end", "eof", "expected", "expired", "failed", "false", "found",
    "granted", "hidden", "identifier", "inactive", "include", "int", "integer", "invalid", "it",
    "masked", "mismatch", "missing", "must", "newline", "nil", "no", "none", "not", "null", "number", "object", "ok", "omit", "optional", "passed",
    "pending", "provided", "read", "redacted", "refused", "rejected", "required", "reset",
    "revoked", "same-origin", "set", "skipped", "started", "str", "string", "succeeded",
    "success", "true", "undefined", "unexpected", "unknown", "unset", "updated", "valid",
    "verified", "write", "yes",
];

/// Whether what stands there is no value, but stands for one: a mark, a
/// variable, stars, `null`.
fn stands_for_a_value(value: &str) -> bool {
    let bare = value.trim_matches([',', '.', ';', '!', '?', '(', ')']);
    let is_masked = value.starts_with(MARK);
    let is_filler = |character: char| {
        matches!(
            character,
            '*' | '•' | '.' | '-' | '_' | 'x' | 'X' | '…' | '?' | '#'
        )
    };
    let is_variable = ["${", "{{", "$(", "%(", "#{"]
        .iter()
        .any(|start| value.starts_with(start))
        || value.strip_prefix('$').is_some_and(is_variable_name)
        || (value.starts_with('<') && value.ends_with('>'))
        || is_bracketed(value)
        || (value.starts_with('%') && value.len() == 2);
    let has_character = value.chars().any(char::is_alphanumeric) || value.chars().count() >= 4;
    let is_word = NO_VALUES
        .binary_search(&bare.to_ascii_lowercase().as_str())
        .is_ok();
    is_masked || value.chars().all(is_filler) || is_variable || !has_character || is_word
}

/// `{token}`, `[hidden]`: a word in brackets.
fn is_bracketed(value: &str) -> bool {
    let inner = value
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let braced = || {
        value
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'))
    };
    let is_part =
        |byte: u8| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'-' | b'.' | b' ');
    inner
        .or_else(braced)
        .is_some_and(|inner| inner.bytes().all(is_part))
}

fn is_variable_name(name: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_uppercase() || matches!(byte, b'_' | b'0'..=b'9');
    !name.is_empty() && name.bytes().all(is_part)
}

/// What code goes on behind.
const KEYWORDS: &[&str] = &[
    "async", "await", "fn", "func", "function", "lambda", "new", "typeof", "yield",
];

/// Whether a value without quotes is a piece of code or of a sentence.
fn reads_as_text(text: Text<'_>, end: usize, value: &str, scene: Scene) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphabetic();
    let is_path = |byte: u8| {
        is_letter(byte) || matches!(byte, b'_' | b'.' | b':' | b'?' | b'&' | b'!' | b'$')
    };
    let path_length = value.bytes().take_while(|&byte| is_path(byte)).count();
    let rest = &value[path_length..];
    let is_call = path_length > 1 && matches!(rest.as_bytes().first(), Some(b'(' | b'[' | b'<'));
    let is_call = is_call || (rest.is_empty() && text.byte(end) == b'<');
    let is_member = rest.is_empty() && value.trim_matches('.').contains(['.', ':']);
    let is_identifier = rest.is_empty() && scene.is_spaced && value.contains('_');
    let name = &text.text[scene.name.start..scene.name.end];
    let names_itself = name
        .to_ascii_lowercase()
        .ends_with(&value.to_ascii_lowercase());
    let is_keyword = scene.is_spaced && KEYWORDS.contains(&value) && text.byte(end) == b' ';
    let is_location = value.starts_with('/') && name.eq_ignore_ascii_case("pwd");
    let is_reference = value.starts_with("process.env") || value.starts_with("os.environ");
    is_call
        || is_member
        || is_identifier
        || names_itself
        || is_keyword
        || is_location
        || is_reference
        || reads_as_prose(text, end, value, scene)
}

/// `Invalid token: expired`, `Password: at least eight characters`,
/// `token: AuthToken`: words, where a name's value could stand.
fn reads_as_prose(text: Text<'_>, end: usize, value: &str, scene: Scene) -> bool {
    let is_word = |byte: u8| {
        byte.is_ascii_alphabetic() || matches!(byte, b'\'' | b'-' | b'!' | b'?' | b')' | b'(')
    };
    if !scene.is_prose || !value.bytes().all(is_word) {
        return false;
    }
    let goes_on = matches!(text.byte(end), b' ' | b',') && text.byte(end + 1).is_ascii_alphabetic();
    let is_type = value.starts_with(|first: char| first.is_ascii_uppercase())
        && value.bytes().skip(1).any(|byte| byte.is_ascii_lowercase());
    goes_on || is_type || !is_field(text, scene.name.start)
}

/// Whether a name stands where a field begins: at a line's start, or behind an
/// opening bracket or a comma.
fn is_field(text: Text<'_>, start: usize) -> bool {
    let before = text.run_back(start, LONGEST_NAME, |byte| {
        matches!(byte, b' ' | b'\t' | b'-' | b'*')
    });
    matches!(
        text.byte_before(before),
        0 | b'\n' | b'{' | b'[' | b'(' | b',' | b';' | b'|' | b'&' | b'?'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_sorted() {
        assert!(NO_VALUES.is_sorted());
    }
}
