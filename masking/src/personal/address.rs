//! IP addresses.
//!
//! Loopback, unspecified, broadcast addresses and net masks stay readable: they
//! are the same for everybody. Private addresses are masked, because in the
//! network of a company one stands for one person's computer. The addresses that
//! are reserved for documents are masked too: they are what people try masking
//! with, and nothing is lost.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::number::ends;
use crate::text::Text;
use crate::words::named;

const VERSION_WORDS: &[&str] = &[
    "assembly", "build", "driver", "firmware", "kernel", "linux", "oid", "rel", "release",
    "section", "upgrade", "upgraded", "ver", "version", "versions",
];

const LONGEST_V4: usize = 15;
const LONGEST_V6: usize = 45;

/// Where the IPv4 address ends that begins at a place where a word begins.
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

/// `/24` behind an address.
fn is_net(text: Text<'_>, slash: usize) -> bool {
    let end = text.run(slash + 1, |byte| byte.is_ascii_digit());
    end - slash <= 3
}

/// The same for everybody.
fn is_common(address: Ipv4Addr) -> bool {
    address.is_loopback() || address.octets()[0] == 0 || address.octets()[0] == 255
}

/// `app-1.2.3.4.tar`, `app@1.2.3.4`, `Chrome/119.0.0.0`, `1.2.3.4-beta`.
fn is_in_name(text: Text<'_>, at: usize, end: usize) -> bool {
    let before = text.byte_before(at);
    let farther = text.byte_before(at.saturating_sub(1));
    let continues = matches!(before, b'-' | b'_' | b'/' | b'.' | b'+' | b'~')
        && farther.is_ascii_alphanumeric()
        || matches!(before, b'@' | b'_' | b'.' | b'^' | b'~');
    let compares = before == b'=' && matches!(farther, b'=' | b'>' | b'<' | b'~');
    let goes_on =
        matches!(text.byte(end), b'.' | b'-' | b'+') && text.byte(end + 1).is_ascii_alphabetic();
    continues || compares || goes_on
}

/// Four parts of one digit each are a version's far more often than a machine's:
/// of a million addresses three have that form.
fn is_version(text: Text<'_>, at: usize, address: Ipv4Addr) -> bool {
    address.octets().iter().all(|&octet| octet < 10) || named(text, at, VERSION_WORDS)
}

/// Where the IPv6 address ends that begins at a place where a word begins.
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
    let continues = matches!(before, b':' | b'.' | b'-' | b'_');
    let goes_on = text.byte(end).is_ascii_alphanumeric() || matches!(text.byte(end), b'_' | b':');
    if continues || goes_on || end - at < 6 {
        return None;
    }
    let written = &text.text[at..end];
    let address: Ipv6Addr = written.parse().ok()?;
    let is_common = address.is_loopback() || address.is_unspecified();
    (!is_common && is_address(written, address)).then_some(end)
}

/// A hardware address of eight pairs is none, and paths of code (`f64::add`)
/// read as short addresses.
fn is_address(written: &str, address: Ipv6Addr) -> bool {
    let mut groups = written.split(':');
    let is_hardware = groups.all(|group| group.len() == 2);
    let is_full = !written.contains("::");
    let first = address.segments()[0];
    let is_given_out = matches!(first, 0x2000..=0x3fff | 0xfc00..=0xffff | 0x64)
        || address.to_ipv4_mapped().is_some();
    (is_full && !is_hardware) || is_given_out
}
