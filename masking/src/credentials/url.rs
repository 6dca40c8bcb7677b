//! Passwords in URLs: `scheme://user:password@host`, `scheme://token@host`.

use crate::text::{MARK, Text, Word};
use crate::tokens;

/// A user name of at least this length with letters and digits is a token.
const SHORTEST_TOKEN: usize = 16;

/// Longer texts are not a user name or a password in a URL.
const LONGEST: usize = 256;

fn is_part(byte: u8) -> bool {
    byte > b' ' && !matches!(byte, b'/' | b'@' | b'"' | b'<' | b'>' | b'`')
}

fn is_random(text: &[u8]) -> bool {
    text.iter().any(u8::is_ascii_digit) && text.iter().any(u8::is_ascii_alphabetic)
}

/// Finds the password after the colon at a position. Returns its start and end.
pub(crate) fn find(text: Text<'_>, colon: usize) -> Option<(usize, usize)> {
    if text.rest(colon).starts_with(b"://") {
        return find_token(text, colon + 3);
    }
    let user = text.run_back(colon, LONGEST, |byte| is_part(byte) && byte != b':');
    if !text.text.as_bytes()[text.floor..user].ends_with(b"://") {
        return None;
    }
    let start = colon + 1;
    let length =
        measure_password(text, start).or_else(|| measure_password_with_slashes(text, start))?;
    let password = &text.rest(start)[..length];
    let is_masked = password.starts_with(MARK.as_bytes());
    (length > 0 && !is_masked && !is_placeholder(password)).then_some((start, start + length))
}

/// Measures the password that begins at a position.
fn measure_password(text: Text<'_>, start: usize) -> Option<usize> {
    let rest = text.rest(start).iter().take(LONGEST);
    // A password may contain an `@` that was not encoded, so the last one ends it.
    let is_password = |byte: u8| is_part(byte) && !matches!(byte, b'?' | b'#') || byte == b'@';
    let run = rest.take_while(|&&byte| is_password(byte)).count();
    text.rest(start)[..run]
        .iter()
        .rposition(|&byte| byte == b'@')
}

/// Measures the password that begins at a position, if it contains slashes that were not
/// encoded: then the text before the first slash is not a port.
fn measure_password_with_slashes(text: Text<'_>, start: usize) -> Option<usize> {
    let rest = text.rest(start).iter().take(LONGEST);
    let run = rest
        .take_while(|&&byte| is_part(byte) || byte == b'/')
        .count();
    let password = &text.rest(start)[..run];
    let first = password.split(|&byte| byte == b'/').next()?;
    let is_port = first.iter().all(u8::is_ascii_digit);
    let is_password = text.byte(start + run) == b'@' && !is_port && is_random(password);
    is_password.then_some(run)
}

/// Finds the token that begins at a position and replaces user and password.
fn find_token(text: Text<'_>, start: usize) -> Option<(usize, usize)> {
    let rest = text.rest(start).iter().take(LONGEST);
    let is_token = |byte: u8| is_part(byte) && !matches!(byte, b':' | b'?' | b'#');
    let length = rest.take_while(|&&byte| is_token(byte)).count();
    let token = &text.rest(start)[..length];
    let is_found = text.byte(start + length) == b'@'
        && length >= SHORTEST_TOKEN
        && is_random(token)
        && !token.starts_with(MARK.as_bytes())
        && !is_placeholder(token)
        // A token of a known format has its own rule.
        && tokens::find(
            text,
            start,
            Word::read(text, start),
            tokens::can_begin(text, start),
            |_| true,
        )
        .is_none();
    is_found.then_some((start, start + length))
}

/// Finds the password in `user:password@tcp(host)`, whose bracket is at a position.
pub(crate) fn find_driver(text: Text<'_>, bracket: usize) -> Option<(usize, usize)> {
    let network = ["@tcp", "@unix"]
        .into_iter()
        .find(|network| text.before(bracket, network.len()) == *network)?;
    let end = bracket - network.len();
    let is_credential = |byte: u8| is_part(byte) || matches!(byte, b'/' | b'@');
    let from = text.run_back(end, LONGEST, is_credential);
    let colon = text.rest(from)[..end - from]
        .iter()
        .position(|&byte| byte == b':')?;
    let start = from + colon + 1;
    let password = &text.rest(start)[..end - start];
    let is_masked = password.starts_with(MARK.as_bytes());
    let is_found = colon > 0 && start < end && !is_masked && !is_placeholder(password);
    is_found.then_some((start, end))
}

/// Whether a text such as `***`, `[FILTERED]`, `%s` or `${PASSWORD}` is a placeholder for a password.
fn is_placeholder(password: &[u8]) -> bool {
    let is_starred = password.iter().all(|byte| matches!(byte, b'*' | b'x'));
    is_starred
        || matches!(password, [b'[', word @ .., b']'] if word.iter().all(u8::is_ascii_uppercase))
        || matches!(password, [b'%', letter] if letter.is_ascii_alphabetic())
        || matches!(password, [b'$', name @ ..] if name.iter().all(|byte| byte.is_ascii_uppercase() || *byte == b'_'))
        || password.starts_with(b"${")
        || password.starts_with(b"{{")
        || password.starts_with(b"$(")
}
