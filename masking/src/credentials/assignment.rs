//! Values after the name of a secret: `password=hunter2`, `"apiKey": "…"`,
//! `?token=…&`, `Authorization: Bearer …`, `--password …`, `<password>…`.
//!
//! The name is read backwards from the sign between name and value, and must be a
//! secret according to [`crate::keys`]. The value ends at its closing quote. Without a
//! quote, it ends at a character that unquoted values do not contain.

use crate::rules::SECRET;
use crate::text::Text;

mod characters;
mod code_or_prose;
mod extent;
mod name;
mod password;
mod placeholder;
mod scheme;
mod value;

use characters::{LONGEST_NAME, MOST_SPACES, is_name, is_quote, skip_spaces};
use extent::{Extent, PREVIEW, opening_quote};
use name::{Name, find_name, find_outer_name, find_sibling_name};
use password::{SHORTEST_PASSWORD, is_pass, is_password};
use placeholder::is_placeholder;
use scheme::Credential;
use value::{Scene, find_value};

/// The longest tag that is read: enough for its name and a few attributes.
const LONGEST_TAG: usize = 128;

/// Shorter values are not signatures. An Azure signature has 44 characters of base64.
const SHORTEST_SIGNATURE: usize = 40;

/// Headers that hold a secret, in lists of headers and values.
const LISTED_HEADERS: &[&str] = &[
    "api-key",
    "authorization",
    "cookie",
    "proxy-authorization",
    "set-cookie",
    "x-api-key",
    "x-auth-token",
];

/// Words after which SQL and similar languages write a password without a sign between.
const CLAUSES: &[&str] = &["passphrase", "passwd", "password", "pwd"];

/// The start and the end of a secret value, and the name of its rule.
pub(crate) type Value = (usize, usize, &'static str);

/// Whether a field with a name holds a secret, according to the built-in rules and the
/// team's settings.
pub(crate) type IsSecret<'a> = &'a dyn Fn(&str) -> bool;

/// Finds the value after the `=` or `:` at a position.
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
    let name = find_name(text, at)?;
    let written = &text.text[name.start..name.end];
    let is_pair = || {
        written.eq_ignore_ascii_case("value")
            && (is_secret(find_sibling_name(text, name.start))
                || is_secret(find_outer_name(text, name.start)))
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
    find_value(text, gap_end, scene)
}

/// Skips the line end after `=>` in a PHP dump, which writes the value in the next line.
fn skip_line_end(text: Text<'_>, at: usize) -> usize {
    let rest = text.rest(at).iter().take(MOST_SPACES);
    let blanks = rest.take_while(|&&byte| byte.is_ascii_whitespace()).count();
    if text.rest(at + blanks).starts_with(b"string(") {
        at + blanks
    } else {
        at
    }
}

/// Finds the value in `the password is hunter2`, whose `is` begins at a position.
pub(crate) fn find_sentence(text: Text<'_>, at: usize, is_secret: IsSecret<'_>) -> Option<Value> {
    let rest = text.rest(at);
    let verb = if rest.starts_with(b"is ") { 3 } else { 4 };
    if !(rest.starts_with(b"is ") || rest.starts_with(b"was ")) || text.byte_before(at) != b' ' {
        return None;
    }
    let name = find_name(text, at)?;
    if !is_secret(&text.text[name.start..name.end]) {
        return None;
    }
    let start = skip_spaces(text, at + verb);
    let start = start + usize::from(is_quote(text.byte(start)));
    let preview_end = Extent::Bare.find_end_within(text, start, PREVIEW);
    let value = text.text.get(start..preview_end)?;
    let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
    let continues =
        text.byte(preview_end) == b' ' && text.byte(preview_end + 1).is_ascii_alphabetic();
    // `The token is 2048 bytes long` contains no value.
    let is_value = value.len() >= 4
        && value.bytes().any(|byte| byte.is_ascii_digit())
        && !(is_number && continues)
        && !value.starts_with(['{', '['])
        && !is_placeholder(value);
    is_value.then(|| (start, Extent::Bare.find_end(text, start), SECRET))
}

/// Finds the value after an option such as `--password ` that begins at a position.
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
    find_value(text, skip_spaces(text, end), scene)
}

/// Finds the new value in `password = "…" -> "…"`, whose arrow begins at a position
/// directly after a secret.
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
    credential.check(text)
}

/// Finds the value in `['X-Api-Key', '…']`, a list of headers and their values. The
/// header's name begins at the position.
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
    let found = find_value(text, start, scene)?;
    // In a list of header names only, the next element is another header's name.
    let is_part_of_name = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'-';
    let is_header = text.text.as_bytes()[found.0..found.1]
        .iter()
        .all(is_part_of_name);
    (found.2 != SECRET || !is_header).then_some(found)
}

/// Finds the value in `PASSWORD '…'` and `IDENTIFIED BY '…'`. The last word before the
/// value begins at the position.
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
    let value = text
        .text
        .get(start..extent.find_end_within(text, start, PREVIEW))?;
    let has_digit = value.bytes().any(|byte| byte.is_ascii_digit());
    let is_long = value.len() >= SHORTEST_PASSWORD || has_digit || is_identified;
    let is_value =
        is_long && !value.is_empty() && !value.contains([' ', '\t']) && !is_placeholder(value);
    is_value.then(|| (start, extent.find_end(text, start), SECRET))
}

/// Finds the text of the element whose start tag ends with the `>` at a position.
pub(crate) fn find_element(text: Text<'_>, at: usize, is_secret: IsSecret<'_>) -> Option<Value> {
    let is_inside = |byte: u8| !matches!(byte, b'<' | b'>' | b'\n');
    let start = text.run_back(at, LONGEST_TAG, is_inside);
    if text.byte_before(start) != b'<' {
        return None;
    }
    // The name may have a namespace before it and attributes after it.
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
    (is_closed && !is_placeholder(written)).then_some((at + 1, end, SECRET))
}

/// Finds the signature after the `=` at a position in the URL of a shared access
/// signature.
pub(crate) fn find_signature(text: Text<'_>, equals: usize) -> Option<(usize, usize)> {
    if text.before(equals, 3) != "sig" || text.byte_before(equals - 3).is_ascii_alphanumeric() {
        return None;
    }
    let at = equals + 1;
    let is_base64 = |byte: u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'%' | b'+' | b'/' | b'=' | b'-' | b'_')
    };
    let preview = text.rest(at).iter().take(SHORTEST_SIGNATURE);
    let is_signature = preview.take_while(|&&byte| is_base64(byte)).count() == SHORTEST_SIGNATURE;
    is_signature.then(|| (at, text.end_of(at, || text.run(at, is_base64))))
}
