//! Hardware addresses, and the ids of devices and of their SIM cards.

use super::context::{Context, Label};
use super::value;
use crate::text::Text;

/// The pairs of a hardware address: IEEE 802, EUI-48.
const PAIRS: usize = 6;

/// Finds a hardware address with separators. Returns its end.
pub(crate) fn find_hardware(text: Text<'_>, at: usize) -> Option<usize> {
    find_pairs(text, at).or_else(|| find_dotted(text, at))
}

/// Finds six pairs of hex digits: `3c:7c:3f:1e:aa:20`, `3C-7C-3F-1E-AA-20`.
fn find_pairs(text: Text<'_>, at: usize) -> Option<usize> {
    let mark = text.byte(at + 2);
    if !matches!(mark, b':' | b'-' | b'_') {
        return None;
    }
    let end = at + 3 * PAIRS - 1;
    let address = text.rest(at).get(..3 * PAIRS - 1)?;
    let is_part = |(place, byte): (usize, &u8)| match place % 3 {
        2 => *byte == mark,
        _ => byte.is_ascii_hexdigit(),
    };
    let is_address = address.iter().enumerate().all(is_part) && is_separate(text, at, end, mark);
    (is_address && !is_common(address) && !is_decimal(address)).then_some(end)
}

/// Finds three groups of four hex digits, as Cisco writes them: `5254.00ab.cd34`.
fn find_dotted(text: Text<'_>, at: usize) -> Option<usize> {
    let address = text.rest(at).get(..14)?;
    let is_part = |(place, byte): (usize, &u8)| match place {
        4 | 9 => *byte == b'.',
        _ => byte.is_ascii_hexdigit(),
    };
    let is_address =
        address.iter().enumerate().all(is_part) && is_separate(text, at, at + 14, b'.');
    (is_address && !is_common(address) && !is_decimal(address)).then_some(at + 14)
}

/// Whether no more of the same kind precedes or follows, as in a fingerprint.
fn is_separate(text: Text<'_>, at: usize, end: usize, mark: u8) -> bool {
    let before = text.byte_before(at);
    let follows = before == mark && text.byte_before(at - 1).is_ascii_hexdigit() && before != b'_';
    let continues = text.byte(end) == mark && text.byte(end + 1).is_ascii_hexdigit();
    !follows && !continues && !text.byte(end).is_ascii_alphanumeric()
}

/// Whether an address is that of no device: all zeros or the broadcast address.
fn is_common(address: &[u8]) -> bool {
    let mut digits = address.iter().filter(|byte| byte.is_ascii_hexdigit());
    let mut all = digits.clone();
    all.all(|&byte| byte == b'0') || digits.all(|byte| byte.eq_ignore_ascii_case(&b'f'))
}

/// Whether all digits are decimal and small enough for a date and a time.
fn is_decimal(address: &[u8]) -> bool {
    let is_decimal = address.iter().all(|byte| !byte.is_ascii_alphabetic());
    is_decimal && address.chunks(3).all(|pair| pair[0] < b'6')
}

/// Finds an id of a device after a word for it. Returns its end.
pub(crate) fn find_named(text: Text<'_>, at: usize, context: &Context) -> Option<usize> {
    let is_device = context.is(Label::Device) && context.distance <= 1;
    let is_hardware = context.is(Label::Hardware) && context.distance <= 1;
    if !is_device && !is_hardware {
        return None;
    }
    let is_part = |byte: u8| byte.is_ascii_hexdigit() || byte == b'-';
    let rest = text.rest(at).iter().take(65);
    let end = at + rest.take_while(|&&byte| is_part(byte)).count();
    let digits = text.rest(at)[..end - at]
        .iter()
        .filter(|byte| byte.is_ascii_hexdigit())
        .count();
    let is_whole = !text.byte(end).is_ascii_alphanumeric() && text.byte(end) != b'_';
    if is_hardware {
        return (is_whole && digits == 2 * PAIRS).then_some(end);
    }
    if is_whole && (14..=64).contains(&digits) {
        return Some(end);
    }
    let value = value::read(text, at)?;
    let is_plausible = (10..=22).contains(&value.digits) && value.letters <= 4;
    (is_plausible && !value.is_date(text, at)).then_some(value.end)
}

/// Finds the UDID of an Apple device: the chip's number, a dash and 16 hex digits.
pub(crate) fn find_udid(text: Text<'_>, at: usize) -> Option<usize> {
    let udid = text.rest(at).get(..25)?;
    let is_udid = udid.starts_with(b"0000")
        && udid[8] == b'-'
        && udid
            .iter()
            .enumerate()
            .all(|(place, byte)| place == 8 || byte.is_ascii_hexdigit());
    (is_udid && !text.byte(at + 25).is_ascii_alphanumeric()).then_some(at + 25)
}
