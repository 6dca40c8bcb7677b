//! Check digits, as defined by their standards.

/// The value of a digit.
pub(crate) fn digit_value(byte: u8) -> u32 {
    u32::from(byte.wrapping_sub(b'0'))
}

/// The number that the digits represent. It wraps if it does not fit.
pub(crate) fn parse_digits(digits: &[u8]) -> u64 {
    let add = |sum: u64, &byte: &u8| {
        sum.wrapping_mul(10)
            .wrapping_add(u64::from(digit_value(byte)))
    };
    digits.iter().fold(0, add)
}

/// The sum of the digits, each multiplied by its weight.
pub(crate) fn weighted_sum(digits: &[u8], weights: &[u32]) -> u32 {
    let pairs = digits.iter().zip(weights);
    pairs
        .map(|(&byte, weight)| digit_value(byte) * weight)
        .sum()
}

/// The usual check digit modulo 11: 11 minus the remainder of the weighted sum.
pub(crate) fn mod_11(digits: &[u8], weights: &[u32]) -> u32 {
    (11 - weighted_sum(digits, weights) % 11) % 11
}

/// Checks the Luhn digit: ISO/IEC 7812-1, annex B.
pub(crate) fn has_luhn_digit(digits: &[u8]) -> bool {
    let doubled = |(place, &byte): (usize, &u8)| {
        let value = digit_value(byte) << (place % 2);
        if value > 9 { value - 9 } else { value }
    };
    let sum: u32 = digits.iter().rev().enumerate().map(doubled).sum();
    sum.is_multiple_of(10)
}

/// Checks an IBAN without spaces: ISO/IEC 7064, MOD 97-10. The first four characters
/// are moved to the end, and each letter counts as two digits.
pub(crate) fn has_iban_digits(characters: &[u8]) -> bool {
    let (head, tail) = characters.split_at(4.min(characters.len()));
    let rest = tail.iter().chain(head).fold(0, |rest, &character| {
        if character.is_ascii_digit() {
            (rest * 10 + digit_value(character)) % 97
        } else {
            (rest * 100 + u32::from(character.to_ascii_uppercase() - b'A') + 10) % 97
        }
    });
    rest == 1
}

/// Checks the last digit: ISO/IEC 7064, MOD 11,10.
pub(crate) fn has_mod_11_10_digit(digits: &[u8]) -> bool {
    let Some((&check, digits)) = digits.split_last() else {
        return false;
    };
    let product = digits.iter().fold(10, |product, &digit| {
        let sum = (digit_value(digit) + product) % 10;
        let sum = if sum == 0 { 10 } else { sum };
        sum * 2 % 11
    });
    (11 - product) % 10 == digit_value(check)
}

/// Checks Verhoeff's digit, which uses the symmetry group of the pentagon.
pub(crate) fn has_verhoeff_digit(digits: &[u8]) -> bool {
    const PERMUTATION: [usize; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    let multiply = |left: usize, right: usize| match (left < 5, right < 5) {
        (true, true) => (left + right) % 5,
        (true, false) => (left + right) % 5 + 5,
        (false, true) => (left + 5 - right) % 5 + 5,
        (false, false) => (left + 5 - right) % 5,
    };
    let mut sum = 0;
    for (place, &digit) in digits.iter().rev().enumerate() {
        let permuted =
            (0..place % 8).fold(digit_value(digit) as usize, |digit, _| PERMUTATION[digit]);
        sum = multiply(sum, permuted);
    }
    sum == 0
}

/// Whether the numbers are a valid month and a valid day.
pub(crate) fn is_month_and_day(month: u64, day: u64) -> bool {
    (1..=12).contains(&month) && (1..=31).contains(&day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples_have_valid_check_digits() {
        assert!(has_luhn_digit(b"4539578763621486"));
        assert!(!has_luhn_digit(b"4539578763621487"));
        assert!(has_iban_digits(b"GB29NWBK60161331926819"));
        assert!(!has_iban_digits(b"GB28NWBK60161331926819"));
        assert!(has_mod_11_10_digit(b"86095742719"));
        assert!(has_verhoeff_digit(b"2363"));
        assert!(!has_verhoeff_digit(b"2364"));
    }
}
