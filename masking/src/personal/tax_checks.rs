//! The check digits of tax numbers that are not the number of a person as well, as their issuers
//! define them. The documentation of python-stdnum collects these definitions.
//!
//! Each function gets the letters, in upper case, and digits of a number whose form fits.

use crate::checks::{digit_value, mod_11, parse_digits, weighted_sum};

/// Brazil: CNPJ, with the weights of its two check digits.
pub(super) fn is_brazilian_company(digits: &[u8]) -> bool {
    const WEIGHTS: [u32; 13] = [6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2];
    let check = |count: usize| {
        let rest = weighted_sum(&digits[..count], &WEIGHTS[13 - count..]) % 11;
        if rest < 2 { 0 } else { 11 - rest }
    };
    check(12) == digit_value(digits[12]) && check(13) == digit_value(digits[13])
}

/// Poland: NIP.
pub(super) fn is_nip(digits: &[u8]) -> bool {
    weighted_sum(&digits[..9], &[6, 5, 7, 2, 3, 4, 5, 6, 7]) % 11 == digit_value(digits[9])
}

/// India: the fourth letter of a tax card tells the kind of taxpayer.
pub(super) fn is_indian_tax(characters: &[u8]) -> bool {
    b"ABCFGHJLPTK".contains(&characters[3])
}

/// United States: EIN, with the prefixes of the campuses of the IRS.
pub(super) fn is_ein(digits: &[u8]) -> bool {
    !matches!(
        parse_digits(&digits[..2]),
        0 | 7..=9 | 17..=19 | 28 | 29 | 49 | 69 | 70 | 78 | 79 | 89 | 96 | 97
    )
}

/// New Zealand: IRD number with two sets of weights.
pub(super) fn is_ird(digits: &[u8]) -> bool {
    let check = |weights: [u32; 8]| mod_11(&digits[..8], &weights);
    let first = check([3, 2, 7, 6, 5, 4, 3, 2]);
    let check = if first == 10 {
        check([7, 4, 3, 2, 5, 2, 7, 6])
    } else {
        first
    };
    check == digit_value(digits[8])
}

/// Argentina: CUIT and CUIL.
pub(super) fn is_argentinian(digits: &[u8]) -> bool {
    let check = mod_11(&digits[..10], &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2]);
    matches!(digits[0], b'2' | b'3') && check == digit_value(digits[10])
}
