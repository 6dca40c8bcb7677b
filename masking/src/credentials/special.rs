//! Credentials with a known format, but without a prefix.

use crate::rules::{AWS_SECRET, DISCORD, MAILCHIMP, TELEGRAM};
use crate::text::Text;

/// The length of an AWS secret key.
const AWS_SECRET_LENGTH: usize = 40;

/// Finds a credential that begins at the start of a word. Returns its end and its rule.
pub(crate) fn find(text: Text<'_>, at: usize) -> Option<(usize, &'static str)> {
    let found = |end: Option<usize>, rule| end.map(|end| (end, rule));
    let telegram = || found(telegram(text, at), TELEGRAM);
    let discord = || found(discord(text, at), DISCORD);
    let mailchimp = || found(mailchimp(text, at), MAILCHIMP);
    let aws = || found(aws_secret(text, at), AWS_SECRET);
    telegram().or_else(discord).or_else(mailchimp).or_else(aws)
}

fn is_base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// Finds a run of bytes of one class with one of the lengths. Returns its end.
fn find_run(
    text: Text<'_>,
    at: usize,
    lengths: std::ops::RangeInclusive<usize>,
    class: impl Fn(u8) -> bool,
) -> Option<usize> {
    let run = text.rest(at).iter().take(lengths.end() + 1);
    let length = run.take_while(|&&byte| class(byte)).count();
    lengths.contains(&length).then_some(at + length)
}

fn telegram(text: Text<'_>, at: usize) -> Option<usize> {
    let colon = find_run(text, at, 8..=10, |byte| byte.is_ascii_digit())?;
    if text.byte(colon) != b':' {
        return None;
    }
    find_run(text, colon + 1, 34..=36, is_base64url)
}

fn discord(text: Text<'_>, at: usize) -> Option<usize> {
    if !matches!(text.byte(at), b'M' | b'N' | b'O') {
        return None;
    }
    let dot = find_run(text, at, 23..=28, is_base64url)?;
    let next = find_run(text, dot + 1, 6..=6, is_base64url)?;
    if text.byte(dot) != b'.' || text.byte(next) != b'.' {
        return None;
    }
    find_run(text, next + 1, 27..=45, is_base64url)
}

fn mailchimp(text: Text<'_>, at: usize) -> Option<usize> {
    if !text.byte(at).is_ascii_hexdigit() {
        return None;
    }
    let dash = find_run(
        text,
        at,
        32..=32,
        |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
    )?;
    if !text.rest(dash).starts_with(b"-us") {
        return None;
    }
    let end = find_run(text, dash + 3, 1..=2, |byte| byte.is_ascii_digit())?;
    (!text.byte(end).is_ascii_alphanumeric()).then_some(end)
}

/// Finds a run of 40 base64 characters that is not a hash, in a text that also contains an
/// access key id or a setting such as `aws_region`. Returns its end.
pub(crate) fn aws_secret(text: Text<'_>, at: usize) -> Option<usize> {
    let is_key = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'+');
    if !is_key(text.byte(at + AWS_SECRET_LENGTH - 1)) || is_key(text.byte_before(at)) {
        return None;
    }
    let end = find_run(text, at, AWS_SECRET_LENGTH..=AWS_SECRET_LENGTH, is_key)?;
    let run = &text.rest(at)[..AWS_SECRET_LENGTH];
    let holds = |class: fn(&u8) -> bool| run.iter().any(class);
    let is_random =
        holds(u8::is_ascii_digit) && holds(u8::is_ascii_uppercase) && holds(u8::is_ascii_lowercase);
    let is_whole = !matches!(text.byte(end), b'=' | b'-' | b'_');
    (is_random && is_whole && text.names_aws()).then_some(end)
}
