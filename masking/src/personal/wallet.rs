//! Addresses of wallets.
//!
//! Most addresses have a checksum of four bytes, so they need no word. The others count after a
//! word such as `wallet`.

use super::context::{Context, Label};
use super::hash::sha256;
use crate::text::Text;

/// The alphabet of Bitcoin's base58, which has no `0`, `O`, `I` and `l`.
const BASE58: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// The order of the same characters in the addresses of the XRP Ledger.
const BASE58_XRP: &[u8; 58] = b"rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz";

/// The alphabet of bech32: BIP 173.
const BECH32: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/// The longest address that is read: Cardano's addresses have up to 108 characters.
pub(crate) const LONGEST: usize = 120;

/// The shortest address.
pub(crate) const SHORTEST: usize = 25;

/// Finds an address with a checksum in a run of letters and digits. Returns whether it is one.
pub(crate) fn is_alone(text: Text<'_>, at: usize, run: &[u8]) -> bool {
    let has = |class: fn(&u8) -> bool| run.iter().any(class);
    let is_mixed = has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase);
    if run.starts_with(b"0x") {
        // Ethereum's checksum is the case of the letters (EIP-55); hashes have one case.
        let hex = &run[2..];
        let (upper, lower) = (u8::is_ascii_uppercase, u8::is_ascii_lowercase);
        return hex.len() == 40
            && hex.iter().all(u8::is_ascii_hexdigit)
            && hex.iter().any(upper)
            && hex.iter().any(lower);
    }
    if is_mixed {
        return is_base58(run);
    }
    is_bech32(run) || is_cash(text, at, run) || is_stellar(run)
}

/// Whether a run is an address of a kind without a checksum that this module checks.
pub(crate) fn is_named(run: &[u8], context: &Context) -> bool {
    if !context.is(Label::Wallet) || context.distance > 3 {
        return false;
    }
    let has = |class: fn(&u8) -> bool| run.iter().any(class);
    let is_mixed = has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase);
    let is_base58 = run.iter().all(|byte| BASE58.contains(byte));
    match run.len() {
        42 if run.starts_with(b"0x") => run[2..].iter().all(u8::is_ascii_hexdigit),
        66 if run.starts_with(b"0x") => run[2..].iter().all(u8::is_ascii_hexdigit),
        26..=52 | 90..=110 if is_mixed && is_base58 => true,
        47..=48 => is_mixed && has(u8::is_ascii_digit),
        58 => run
            .iter()
            .all(|byte| matches!(byte, b'A'..=b'Z' | b'2'..=b'7')),
        _ => false,
    }
}

/// Whether a run is base58 that ends with the first bytes of the hash of the hash of the rest, as
/// in addresses of Bitcoin, Litecoin, Dogecoin, Tron, XRP, Zcash and Tezos. Monero's addresses
/// have 95 or 106 characters, and another hash.
fn is_base58(run: &[u8]) -> bool {
    if matches!(run.len(), 95 | 106) && matches!(run[0], b'4' | b'8') {
        return run.iter().all(|byte| BASE58.contains(byte));
    }
    let alphabets = if run[0] == b'r' {
        [BASE58_XRP, BASE58]
    } else {
        [BASE58, BASE58_XRP]
    };
    (25..=53).contains(&run.len()) && alphabets.iter().any(|alphabet| has_checksum(run, alphabet))
}

fn has_checksum(run: &[u8], alphabet: &[u8; 58]) -> bool {
    let Some((bytes, start)) = decode(run, alphabet) else {
        return false;
    };
    // A leading zero byte is written as the first character of the alphabet.
    let zeros = run.iter().take_while(|&&byte| byte == alphabet[0]).count();
    let Some(start) = start.checked_sub(zeros) else {
        return false;
    };
    let bytes = &bytes[start..];
    if !(25..=40).contains(&bytes.len()) {
        return false;
    }
    let (payload, checksum) = bytes.split_at(bytes.len() - 4);
    sha256(&sha256(payload))[..4] == *checksum
}

/// Decodes base58. Returns the bytes, and where the first byte that is not zero stands.
fn decode(run: &[u8], alphabet: &[u8; 58]) -> Option<([u8; 44], usize)> {
    let mut bytes = [0u8; 44];
    let mut start = bytes.len();
    for character in run {
        let mut carry = alphabet.iter().position(|byte| byte == character)?;
        for place in (0..bytes.len()).rev() {
            if place < start && carry == 0 {
                break;
            }
            let value = usize::from(bytes[place]) * 58 + carry;
            bytes[place] = (value % 256) as u8;
            carry = value / 256;
            start = start.min(place);
        }
        if carry > 0 {
            return None;
        }
    }
    Some((bytes, start))
}

/// Whether a run is bech32 or bech32m with a valid checksum: BIP 173 and BIP 350. The public keys
/// of `age` have this form too, but belong to no wallet.
fn is_bech32(run: &[u8]) -> bool {
    let Some(split) = run.iter().rposition(|&byte| byte == b'1') else {
        return false;
    };
    let (prefix, data) = (&run[..split], &run[split + 1..]);
    if prefix.is_empty() || data.len() < 20 || prefix.eq_ignore_ascii_case(b"age") {
        return false;
    }
    let lower = |byte: &u8| u32::from(byte.to_ascii_lowercase());
    let high = prefix.iter().map(|byte| lower(byte) >> 5);
    let low = prefix.iter().map(|byte| lower(byte) & 31);
    let sum = high.chain([0]).chain(low).fold(1, bech32_step);
    let mut sum = sum;
    for byte in data {
        let byte = byte.to_ascii_lowercase();
        let Some(value) = BECH32.iter().position(|&character| character == byte) else {
            return false;
        };
        sum = bech32_step(sum, value as u32);
    }
    matches!(sum, 1 | 0x2BC8_30A3)
}

fn bech32_step(sum: u32, value: u32) -> u32 {
    const GENERATOR: [u32; 5] = [
        0x3B6A_57B2,
        0x2650_8E6D,
        0x1EA1_19FA,
        0x3D42_33DD,
        0x2A14_62B3,
    ];
    let top = sum >> 25;
    let next = (sum & 0x01FF_FFFF) << 5 ^ value;
    let terms = GENERATOR
        .iter()
        .enumerate()
        .filter(|(bit, _)| top >> bit & 1 == 1);
    terms.fold(next, |next, (_, term)| next ^ term)
}

/// The start of an address including the prefix of Bitcoin Cash, which is a part of the address.
pub(crate) fn find_start(text: Text<'_>, at: usize) -> usize {
    let before = text.before(at, 12);
    let prefixes = ["bitcoincash:", "bchtest:", "ecash:"];
    let prefix = prefixes.iter().find(|prefix| before.ends_with(**prefix));
    at - prefix.map_or(0, |prefix| prefix.len())
}

/// Whether a run is an address of Bitcoin Cash, which follows its prefix.
fn is_cash(text: Text<'_>, at: usize, run: &[u8]) -> bool {
    find_start(text, at) < at
        && matches!(run.len(), 42 | 54..=61)
        && run
            .iter()
            .all(|byte| BECH32.contains(&byte.to_ascii_lowercase()))
}

/// Whether a run is an address of Stellar: `G` and 55 characters of base32.
fn is_stellar(run: &[u8]) -> bool {
    run.len() == 56
        && run[0] == b'G'
        && run
            .iter()
            .all(|byte| matches!(byte, b'A'..=b'Z' | b'2'..=b'7'))
        && run.iter().any(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples_have_valid_checksums() {
        assert!(is_base58(b"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"));
        assert!(!is_base58(b"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb"));
        assert!(is_base58(b"rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh"));
        assert!(is_bech32(b"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"));
        assert!(!is_bech32(b"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5"));
    }
}
