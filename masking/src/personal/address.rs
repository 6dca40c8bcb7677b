//! IP addresses.
//!
//! Loopback, unspecified and broadcast addresses and net masks stay readable, because they
//! are the same for everyone. Private addresses are masked, because in a company's network
//! one address identifies one person's computer. Addresses that are reserved for
//! documentation are masked too: people use them to try masking, and masking them does no
//! harm.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::number::ends;
use crate::text::Text;
use crate::words::is_named;

const VERSION_WORDS: &[&str] = &[
    "assembly", "build", "driver", "firmware", "kernel", "linux", "oid", "rel", "release",
    "section", "upgrade", "upgraded", "ver", "version", "versions",
];

const LONGEST_V4: usize = 15;
const LONGEST_V6: usize = 45;

/// Finds an IPv4 address that begins at the start of a word. Returns its end.
pub(crate) fn find_v4(text: Text<'_>, at: usize) -> Option<usize> {
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
    let is_alone = ends(text, end) || (text.byte(end) == b'/' && is_net(text, end));
    (is_alone
        && !is_common(address)
        && !is_in_name(text, at, end)
        && !is_version(text, at, address))
    .then_some(end)
}

/// Whether a net mask such as `/24` follows an address.
fn is_net(text: Text<'_>, slash: usize) -> bool {
    let end = text.run(slash + 1, |byte| byte.is_ascii_digit());
    end - slash <= 3
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
    let continues =
        matches!(text.byte(end), b'.' | b'-' | b'+') && text.byte(end + 1).is_ascii_alphabetic();
    follows || compares || continues
}

/// Whether the digits are a version. Four parts of one digit each are a version far more often
/// than an address: only about three of a million addresses have this form.
fn is_version(text: Text<'_>, at: usize, address: Ipv4Addr) -> bool {
    address.octets().iter().all(|&octet| octet < 10) || is_named(text, at, VERSION_WORDS)
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
    let continues = text.byte(end).is_ascii_alphanumeric() || matches!(text.byte(end), b'_' | b':');
    if follows || continues || end - at < 6 {
        return None;
    }
    let written = &text.text[at..end];
    let address: Ipv6Addr = written.parse().ok()?;
    let is_common = address.is_loopback() || address.is_unspecified();
    (!is_common && is_address(written, address)).then_some(end)
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
