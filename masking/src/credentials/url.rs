//! Passwords in URLs: `scheme://user:password@host`.

use crate::text::{MARK, Text};

/// No user's name, and no password in a URL, is longer.
const LONGEST: usize = 256;

/// The password behind the colon at a place: where it begins and ends.
pub(crate) fn find(text: Text<'_>, colon: usize) -> Option<(usize, usize)> {
    let is_part =
        |byte: u8| byte > b' ' && !matches!(byte, b'/' | b'@' | b'"' | b'<' | b'>' | b'`');
    let user = text.run_back(colon, LONGEST, |byte| is_part(byte) && byte != b':');
    if !text.text.as_bytes()[text.floor..user].ends_with(b"://") {
        return None;
    }
    let start = colon + 1;
    let rest = text.rest(start).iter().take(LONGEST);
    // A password can hold an `@` that nobody encoded: the last one counts.
    let is_password = |byte: u8| is_part(byte) && !matches!(byte, b'?' | b'#') || byte == b'@';
    let run = rest.take_while(|&&byte| is_password(byte)).count();
    let length = text.rest(start)[..run]
        .iter()
        .rposition(|&byte| byte == b'@')?;
    let password = &text.rest(start)[..length];
    let is_masked = password.starts_with(MARK.as_bytes());
    (length > 0 && !is_masked && !is_placeholder(password)).then_some((start, start + length))
}

/// `***`, `${PASSWORD}`, `<password>` stand for a password.
fn is_placeholder(password: &[u8]) -> bool {
    let is_starred = password.iter().all(|byte| matches!(byte, b'*' | b'x'));
    is_starred
        || password.starts_with(b"${")
        || password.starts_with(b"{{")
        || password.starts_with(b"$(")
}
