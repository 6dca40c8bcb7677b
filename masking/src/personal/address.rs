//! IP addresses.
//!
//! Loopback, unspecified and broadcast addresses and net masks stay readable, because they
//! are the same for everyone. Private addresses are masked, because in a company's network
//! one address identifies one person's computer. Addresses that are reserved for
//! documentation are masked too: people use them to try masking, and masking them does no
//! harm.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::context::{Context, Label};
use super::number::ends;
use crate::text::Text;

const LONGEST_V4: usize = 15;
const LONGEST_V6: usize = 45;

/// Finds an IPv4 address that begins at the start of a word. Returns its end.
pub(crate) fn find_v4(text: Text<'_>, at: usize) -> Option<usize> {
    let mark = text.byte(text.run(at, |byte| byte.is_ascii_digit()).min(at + 4));
    if mark == b'-' {
        return find_host(text, at);
    }
    if mark != b'.' {
        return None;
    }
    let is_part = |byte: u8| byte.is_ascii_digit() || byte == b'.';
    let run = text.rest(at).iter().take(LONGEST_V4 + 2);
    let mut end = at + run.take_while(|&&byte| is_part(byte)).count();
    if end - at < 7 {
        return None;
    }
    if text.byte(end - 1) == b'.' {
        end -= 1;
    }
    let address: Ipv4Addr = text.text[at..end].parse().ok()?;
    let prefix = prefix_length(text, end);
    let is_alone = ends(text, end) || prefix.is_some();
    let is_network = prefix
        .is_some_and(|prefix| prefix < 32 && u32::from(address).trailing_zeros() >= 32 - prefix);
    (is_alone
        && !is_network
        && !is_common(address)
        && !is_in_name(text, at, end)
        && !is_version(text, at, address))
    .then_some(end)
}

/// Finds the public address of a computer in its host name: `ec2-52-29-187-14.…`. Returns its end.
fn find_host(text: Text<'_>, at: usize) -> Option<usize> {
    let is_part = |byte: u8| byte.is_ascii_digit() || byte == b'-';
    let run = text.rest(at).iter().take(LONGEST_V4 + 1);
    let end = at + run.take_while(|&&byte| is_part(byte)).count();
    let address: Ipv4Addr = text.text[at..end].replace('-', ".").parse().ok()?;
    let is_host = text.byte(end) == b'.' && text.byte(end + 1).is_ascii_alphabetic();
    let is_named = matches!(text.byte_before(at), b'-' | b'.')
        && text.byte_before(at - 1).is_ascii_alphanumeric();
    (is_host && is_named && !is_common(address) && !address.is_private()).then_some(end)
}

/// Finds an IPv6 address in the notation of reverse look-ups: 32 digits with dots, the last digit
/// first, and `.ip6.arpa`. Returns the end of the digits.
pub(crate) fn find_reverse(text: Text<'_>, at: usize) -> Option<usize> {
    if text.byte(at + 1) != b'.' || text.byte(at + 3) != b'.' {
        return None;
    }
    let digits = text.rest(at).get(..63)?;
    let is_part = |(place, byte): (usize, &u8)| match place % 2 {
        0 => byte.is_ascii_hexdigit(),
        _ => *byte == b'.',
    };
    let is_address = digits.iter().enumerate().all(is_part);
    (is_address && text.rest(at + 63).starts_with(b".ip6.arpa")).then_some(at + 63)
}

/// The number of bits of a net mask such as `/24` after an address.
fn prefix_length(text: Text<'_>, slash: usize) -> Option<u32> {
    if text.byte(slash) != b'/' {
        return None;
    }
    let end = text
        .run(slash + 1, |byte| byte.is_ascii_digit())
        .min(slash + 5);
    let digits = text.text.get(slash + 1..end)?;
    if digits.len() > 3 {
        None
    } else {
        digits.parse().ok()
    }
}

/// Whether an address is the same for everyone.
fn is_common(address: Ipv4Addr) -> bool {
    address.is_loopback() || address.octets()[0] == 0 || address.octets()[0] == 255
}

/// Whether the digits are part of a name: `app-1.2.3.4.tar`, `app@1.2.3.4`,
/// `Chrome/119.0.0.0`, `1.2.3.4-beta`.
fn is_in_name(text: Text<'_>, at: usize, end: usize) -> bool {
    let before = text.byte_before(at);
    let farther = text.byte_before(at.saturating_sub(1));
    let follows = matches!(before, b'-' | b'_' | b'/' | b'.' | b'+' | b'~')
        && farther.is_ascii_alphanumeric()
        || matches!(before, b'@' | b'_' | b'.' | b'^' | b'~');
    let compares = before == b'=' && matches!(farther, b'=' | b'>' | b'<' | b'~');
    let is_reverse = text.rest(end).starts_with(b".in-addr.arpa");
    let has_port = text.byte(end) == b':' && text.byte(end + 1).is_ascii_digit();
    let follows = follows && !(before == b'/' && has_port);
    let continues = !is_reverse
        && matches!(text.byte(end), b'.' | b'-' | b'+')
        && text.byte(end + 1).is_ascii_alphabetic();
    follows || compares || continues
}

/// Whether the digits are a version. Four parts of one digit each are a version far more often
/// than an address: only about three of a million addresses have this form.
fn is_version(text: Text<'_>, at: usize, address: Ipv4Addr) -> bool {
    address.octets().iter().all(|&octet| octet < 10) || Context::before(text, at).is(Label::Version)
}

/// Finds an IPv6 address that begins at the start of a word. Returns its end.
pub(crate) fn find_v6(text: Text<'_>, at: usize) -> Option<usize> {
    let is_part = |byte: u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.');
    let first = text.rest(at).iter().take(5);
    let group = first.take_while(|byte| byte.is_ascii_hexdigit()).count();
    if text.byte(at + group) != b':' {
        return None;
    }
    let run = text.rest(at).iter().take(LONGEST_V6 + 1);
    let mut end = at + run.take_while(|&&byte| is_part(byte)).count();
    while end > at + 2
        && (text.byte(end - 1) == b'.'
            || (text.byte(end - 1) == b':' && text.byte(end - 2) != b':'))
    {
        end -= 1;
    }
    let before = text.byte_before(at);
    let follows = matches!(before, b':' | b'.' | b'-' | b'_');
    let continues = text.byte(end).is_ascii_alphanumeric()
        || text.byte(end) == b'_'
        || text.byte(end) == b':' && !is_colon_of_text(text, end);
    if follows || continues || end - at < 6 {
        return None;
    }
    let written = &text.text[at..end];
    let address: Ipv6Addr = written.parse().ok()?;
    let is_common = address.is_loopback() || address.is_unspecified() || address.is_multicast();
    let is_network = prefix_length(text, end)
        .is_some_and(|prefix| prefix < 128 && u128::from(address).trailing_zeros() >= 128 - prefix);
    let is_found = !is_common && !is_network && is_address(written, address);
    is_found.then(|| include_zone(text, end))
}

/// Whether a colon after an address belongs to the text: `2001:db8::1: timeout`.
fn is_colon_of_text(text: Text<'_>, colon: usize) -> bool {
    matches!(text.byte(colon + 1), b' ' | b'\t' | b'\n' | b'\r' | 0)
}

/// The end of an address including its zone: `%eth0`, or `%25en0` in a URL.
fn include_zone(text: Text<'_>, end: usize) -> usize {
    if text.byte(end) != b'%' {
        return end;
    }
    let rest = text.rest(end + 1).iter().take(16);
    let length = rest.take_while(|byte| byte.is_ascii_alphanumeric()).count();
    if length == 0 { end } else { end + 1 + length }
}

/// Whether a valid IPv6 text is an address. Hardware addresses of eight pairs are not, and
/// code paths such as `f64::add` look like short addresses.
fn is_address(written: &str, address: Ipv6Addr) -> bool {
    let mut groups = written.split(':');
    let is_hardware = groups.all(|group| group.len() == 2);
    let is_full = !written.contains("::");
    let first = address.segments()[0];
    let is_assigned = matches!(first, 0x2000..=0x3fff | 0xfc00..=0xffff | 0x64)
        || address.to_ipv4_mapped().is_some();
    (is_full && !is_hardware) || is_assigned
}
