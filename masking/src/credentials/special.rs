//! Credentials with a known format, but without a prefix.

use crate::rules::{AWS_SECRET, DISCORD};
use crate::text::{Text, Word};

/// The length of an AWS secret key.
const AWS_SECRET_LENGTH: usize = 40;

/// Finds a credential that begins with a word. Returns its end and its rule.
pub(crate) fn find(text: Text<'_>, at: usize, word: Word) -> Option<(usize, &'static str)> {
    if let Some(end) = discord(text, at) {
        return Some((end, DISCORD));
    }
    // A shorter run goes on only with one of the signs of base64.
    let is_long = word.length >= AWS_SECRET_LENGTH || matches!(word.next, b'/' | b'+');
    let end = is_long.then(|| aws_secret(text, at)).flatten()?;
    Some((end, AWS_SECRET))
}

/// Shorter values are not signatures. An Azure signature has 44 characters of base64.
const SHORTEST_SIGNATURE: usize = 40;

/// Finds the signature after the `=` at a position in the URL of a shared access signature.
pub(crate) fn find_signature(text: Text<'_>, equals: usize) -> Option<(usize, usize)> {
    if text.before(equals, 3) != "sig" || text.byte_before(equals - 3).is_ascii_alphanumeric() {
        return None;
    }
    let start = equals + 1;
    let is_base64 = |byte: u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'%' | b'+' | b'/' | b'=' | b'-' | b'_')
    };
    let end = text.run(start, is_base64);
    (end - start >= SHORTEST_SIGNATURE).then_some((start, end))
}

/// The private members of a JSON Web Key.
const JWK_MEMBERS: [&str; 7] = [
    "\"d\"", "\"p\"", "\"q\"", "\"dp\"", "\"dq\"", "\"qi\"", "\"k\"",
];

/// How many bytes before and after a member are searched for the type of the key.
const JWK_REACH: usize = 512;

/// Finds the value of a private member of a JSON Web Key, whose colon is at a position. Returns
/// its start and end.
pub(crate) fn find_jwk(text: Text<'_>, colon: usize) -> Option<(usize, usize)> {
    let name = text.before(colon, 4);
    if !JWK_MEMBERS.iter().any(|member| name.ends_with(member)) {
        return None;
    }
    let quote = text.run(colon + 1, |byte| byte == b' ');
    let end = text.run(quote + 1, is_base64url);
    let is_value = text.byte(quote) == b'"' && text.byte(end) == b'"' && end - quote > 20;
    let after = text.rest(end);
    let after = &after[..after.len().min(JWK_REACH)];
    let names_type = |near: &[u8]| memchr::memmem::find(near, b"\"kty\"").is_some();
    let is_key =
        is_value && (names_type(text.before(colon, JWK_REACH).as_bytes()) || names_type(after));
    is_key.then_some((quote + 1, end))
}

/// The number of bytes of a key pair of Ed25519, as in a file of Solana.
const KEY_PAIR: usize = 64;

/// The longest text of a key pair: each byte has up to three digits, a comma and a space.
const LONGEST_KEY_PAIR: usize = KEY_PAIR * 6;

/// Finds a list of exactly 64 numbers below 256 that begins with the bracket at a position.
/// Returns its end. Lists with many equal numbers are something else.
pub(crate) fn find_byte_list(text: Text<'_>, bracket: usize) -> Option<usize> {
    let rest = text.rest(bracket + 1);
    let rest = &rest[..rest.len().min(LONGEST_KEY_PAIR)];
    if !rest.first()?.is_ascii_digit() {
        return None;
    }
    let length = rest.iter().position(|&byte| byte == b']')?;
    let list = std::str::from_utf8(&rest[..length]).ok()?;
    let mut seen = [false; 256];
    let mut count = 0;
    for number in list.split(',') {
        let number: u8 = number.trim().parse().ok()?;
        seen[usize::from(number)] = true;
        count += 1;
    }
    let different = seen.iter().filter(|&&seen| seen).count();
    (count == KEY_PAIR && different > KEY_PAIR / 2).then_some(bracket + length + 2)
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
