//! Check digits, as their standards lay them down.

/// The value of a digit.
pub(crate) fn value(byte: u8) -> u32 {
    u32::from(byte.wrapping_sub(b'0'))
}

/// The number that a few digits write.
pub(crate) fn number(digits: &[u8]) -> u64 {
    let add = |sum: u64, &byte: &u8| sum.wrapping_mul(10).wrapping_add(u64::from(value(byte)));
    digits.iter().fold(0, add)
}

/// The sum of the digits, each times its weight.
pub(crate) fn weighted(digits: &[u8], weights: &[u32]) -> u32 {
    let pairs = digits.iter().zip(weights);
    pairs.map(|(&byte, weight)| value(byte) * weight).sum()
}

/// ISO/IEC 7812-1, annex B.
pub(crate) fn luhn(digits: &[u8]) -> bool {
    let doubled = |(place, &byte): (usize, &u8)| {
        let value = value(byte) << (place % 2);
        if value > 9 { value - 9 } else { value }
    };
    let sum: u32 = digits.iter().rev().enumerate().map(doubled).sum();
    sum.is_multiple_of(10)
}

/// ISO/IEC 7064, MOD 97-10, of an IBAN without spaces: its first four characters
/// count as its last, and letters as two digits.
pub(crate) fn iban(characters: &[u8]) -> bool {
    let (head, tail) = characters.split_at(4.min(characters.len()));
    let rest = tail.iter().chain(head).fold(0, |rest, &character| {
        if character.is_ascii_digit() {
            (rest * 10 + value(character)) % 97
        } else {
            (rest * 100 + u32::from(character.to_ascii_uppercase() - b'A') + 10) % 97
        }
    });
    rest == 1
}

/// ISO/IEC 7064, MOD 11,10.
pub(crate) fn mod_11_10(digits: &[u8]) -> bool {
    let Some((&check, digits)) = digits.split_last() else {
        return false;
    };
    let product = digits.iter().fold(10, |product, &digit| {
        let sum = (value(digit) + product) % 10;
        let sum = if sum == 0 { 10 } else { sum };
        sum * 2 % 11
    });
    (11 - product) % 10 == value(check)
}

/// Verhoeff's check digit, from the group of the pentagon's symmetries.
pub(crate) fn verhoeff(digits: &[u8]) -> bool {
    const PERMUTATION: [usize; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    let multiply = |left: usize, right: usize| match (left < 5, right < 5) {
        (true, true) => (left + right) % 5,
        (true, false) => (left + right) % 5 + 5,
        (false, true) => (left + 5 - right) % 5 + 5,
        (false, false) => (left + 5 - right) % 5,
    };
    let mut sum = 0;
    for (place, &digit) in digits.iter().rev().enumerate() {
        let permuted = (0..place % 8).fold(value(digit) as usize, |digit, _| PERMUTATION[digit]);
        sum = multiply(sum, permuted);
    }
    sum == 0
}

/// Whether a year, a month and a day could be a date.
pub(crate) fn is_day(month: u64, day: u64) -> bool {
    (1..=12).contains(&month) && (1..=31).contains(&day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples_check() {
        assert!(luhn(b"4539578763621486"));
        assert!(!luhn(b"4539578763621487"));
        assert!(iban(b"GB29NWBK60161331926819"));
        assert!(!iban(b"GB28NWBK60161331926819"));
        assert!(mod_11_10(b"86095742719"));
        assert!(verhoeff(b"2363"));
        assert!(!verhoeff(b"2364"));
    }
}
