//! The check digits of national numbers, as their issuers define them. The documentation of
//! python-stdnum collects these definitions.
//!
//! Each function gets the letters, in upper case, and digits of a number whose form fits.

use crate::checks::{
    digit_value, has_luhn_digit, has_mod_11_10_digit, has_verhoeff_digit, is_month_and_day, mod_11,
    parse_digits, weighted_sum,
};

/// Whether the digits begin with a date of birth in the order year, month, day.
fn is_birth(digits: &[u8]) -> bool {
    is_month_and_day(parse_digits(&digits[2..4]), parse_digits(&digits[4..6]))
}

/// Whether the digits begin with a date of birth in the order day, month, year.
fn is_birth_day_first(digits: &[u8]) -> bool {
    is_month_and_day(parse_digits(&digits[2..4]), parse_digits(&digits[..2]))
}

pub(super) fn is_us(digits: &[u8]) -> bool {
    let (area, group, serial) = (
        parse_digits(&digits[..3]),
        parse_digits(&digits[3..5]),
        parse_digits(&digits[5..]),
    );
    area != 0 && area != 666 && area < 900 && group != 0 && serial != 0
        || area >= 900 && matches!(group, 50..=65 | 70..=88 | 90..=92 | 94..=99)
}

pub(super) fn is_uk(characters: &[u8]) -> bool {
    let [first, second, .., last] = *characters else {
        return false;
    };
    let is_prefix = !b"DFIQUV".contains(&first) && !b"DFIQUVO".contains(&second);
    let pair = [first, second];
    let is_issued = ![*b"BG", *b"GB", *b"NK", *b"KN", *b"TN", *b"NT", *b"ZZ"].contains(&pair);
    is_prefix && is_issued && matches!(last, b'A'..=b'D')
}

pub(super) fn is_french(characters: &[u8]) -> bool {
    let mut digits = characters.to_vec();
    // Corsica uses letters instead of digits.
    let shift = match digits[6] {
        b'A' => 1_000_000,
        b'B' => 2_000_000,
        byte if byte.is_ascii_digit() => 0,
        _ => return false,
    };
    if shift > 0 {
        digits[6] = b'0';
    }
    let month = parse_digits(&digits[3..5]);
    let is_person = matches!(digits[0], b'1'..=b'4' | b'7' | b'8');
    let is_month = matches!(month, 1..=12 | 20..=42 | 50..=99);
    let key = 97 - (parse_digits(&digits[..13]) - shift) % 97;
    is_person && is_month && key == parse_digits(&digits[13..])
}

pub(super) fn is_german(digits: &[u8]) -> bool {
    let mut counts = [0; 10];
    for &digit in &digits[..10] {
        counts[digit_value(digit) as usize] += 1;
    }
    let repeated: Vec<i32> = counts.into_iter().filter(|&count| count > 1).collect();
    digits[0] != b'0' && matches!(repeated[..], [2 | 3]) && has_mod_11_10_digit(digits)
}

const SPANISH_LETTERS: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";

pub(super) fn is_spanish(characters: &[u8]) -> bool {
    let letter = SPANISH_LETTERS[(parse_digits(&characters[..8]) % 23) as usize];
    characters[8] == letter
}

pub(super) fn is_spanish_foreigner(characters: &[u8]) -> bool {
    let Some(first) = b"XYZ".iter().position(|&letter| letter == characters[0]) else {
        return false;
    };
    let digits = first as u64 * 10_000_000 + parse_digits(&characters[1..8]);
    characters[8] == SPANISH_LETTERS[(digits % 23) as usize]
}

pub(super) fn is_italian(characters: &[u8]) -> bool {
    const ODD: [u32; 26] = [
        1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24,
        23,
    ];
    let place = |byte: u8| {
        if byte.is_ascii_digit() {
            digit_value(byte)
        } else {
            u32::from(byte - b'A')
        }
    };
    let sum: u32 = characters[..15]
        .iter()
        .enumerate()
        .map(|(index, &byte)| match index % 2 {
            0 => ODD[place(byte) as usize],
            _ => place(byte),
        })
        .sum();
    b"ABCDEHLMPRST".contains(&characters[8]) && sum % 26 == u32::from(characters[15] - b'A')
}

pub(super) fn is_dutch(digits: &[u8]) -> bool {
    let sum = weighted_sum(&digits[..8], &[9, 8, 7, 6, 5, 4, 3, 2]);
    parse_digits(digits) > 0 && sum % 11 == digit_value(digits[8])
}

pub(super) fn is_polish(digits: &[u8]) -> bool {
    let is_date = is_month_and_day(
        parse_digits(&digits[2..4]) % 20,
        parse_digits(&digits[4..6]),
    );
    is_date && weighted_sum(digits, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]).is_multiple_of(10)
}

pub(super) fn is_brazilian(digits: &[u8]) -> bool {
    let check = |sum: u32| sum * 10 % 11 % 10;
    let first = check(weighted_sum(&digits[..9], &[10, 9, 8, 7, 6, 5, 4, 3, 2]));
    let second = check(weighted_sum(
        &digits[..10],
        &[11, 10, 9, 8, 7, 6, 5, 4, 3, 2],
    ));
    let is_varied = digits.iter().any(|digit| *digit != digits[0]);
    is_varied && first == digit_value(digits[9]) && second == digit_value(digits[10])
}

pub(super) fn is_swedish(digits: &[u8]) -> bool {
    let digits = &digits[digits.len() - 10..];
    let day = parse_digits(&digits[4..6]);
    let is_date = is_month_and_day(
        parse_digits(&digits[2..4]),
        if day > 60 { day - 60 } else { day },
    );
    is_date && has_luhn_digit(digits)
}

pub(super) fn is_ean(digits: &[u8]) -> bool {
    weighted_sum(digits, &[1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1]).is_multiple_of(10)
}

pub(super) fn is_chinese(characters: &[u8]) -> bool {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let year = parse_digits(&characters[6..10]);
    let is_date = is_month_and_day(
        parse_digits(&characters[10..12]),
        parse_digits(&characters[12..14]),
    );
    let sum = weighted_sum(&characters[..17], &WEIGHTS);
    let check = b"10X98765432"[(sum % 11) as usize];
    matches!(characters[0], b'1'..=b'8')
        && (1900..=2099).contains(&year)
        && is_date
        && characters[17] == check
}

pub(super) fn is_belgian(digits: &[u8]) -> bool {
    let check = parse_digits(&digits[9..]);
    let before_2000 = parse_digits(&digits[..9]);
    let key = |base: u64| 97 - base % 97;
    let is_date = parse_digits(&digits[2..4]) % 20 <= 12 && parse_digits(&digits[4..6]) <= 31;
    is_date && (key(before_2000) == check || key(2_000_000_000 + before_2000) == check)
}

pub(super) fn is_danish(digits: &[u8]) -> bool {
    is_birth_day_first(digits)
}

pub(super) fn is_finnish(characters: &[u8]) -> bool {
    // A letter for the century must be valid; it is not part of the checked digits.
    let digits: Vec<u8> = match characters {
        [head @ .., a, b, c, check] if head.len() == 7 => {
            if !b"ABCDEFYXWVU".contains(&head[6]) {
                return false;
            }
            [&head[..6], &[*a, *b, *c, *check]].concat()
        }
        _ => characters.to_vec(),
    };
    let check = b"0123456789ABCDEFHJKLMNPRSTUVWXY"[(parse_digits(&digits[..9]) % 31) as usize];
    is_birth_day_first(&digits) && digits[9] == check
}

pub(super) fn is_norwegian(digits: &[u8]) -> bool {
    let day = parse_digits(&digits[..2]);
    let month = parse_digits(&digits[2..4]);
    let first = mod_11(&digits[..9], &[3, 7, 6, 1, 8, 9, 4, 5, 2]);
    let second = mod_11(&digits[..10], &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2]);
    is_month_and_day(month % 40, day % 40)
        && first == digit_value(digits[9])
        && second == digit_value(digits[10])
}

pub(super) fn is_korean(digits: &[u8]) -> bool {
    let sum = weighted_sum(&digits[..12], &[2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]);
    let check = (11 - sum % 11) % 10;
    // Numbers issued since October 2020 have no check digit.
    let year = parse_digits(&digits[..2]);
    let is_recent = matches!(digits[6], b'3' | b'4' | b'7' | b'8') && (20..=40).contains(&year);
    is_birth(digits)
        && matches!(digits[6], b'1'..=b'8')
        && (check == digit_value(digits[12]) || is_recent)
}

pub(super) fn is_japanese(digits: &[u8]) -> bool {
    let rest = weighted_sum(&digits[..11], &[6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11;
    let check = if rest <= 1 { 0 } else { 11 - rest };
    check == digit_value(digits[11])
}

pub(super) fn is_mexican(characters: &[u8]) -> bool {
    const ALPHABET: &str = "0123456789ABCDEFGHIJKLMN_OPQRSTUVWXYZ";
    let place = |byte: u8| {
        ALPHABET
            .bytes()
            .position(|letter| letter == byte)
            .unwrap_or(0)
    };
    let places = characters[..17].iter().enumerate();
    let sum: usize = places
        .map(|(index, &byte)| place(byte) * (18 - index))
        .sum();
    let is_date = is_birth(&characters[4..10]);
    let is_sex = matches!(characters[10], b'H' | b'M' | b'X');
    is_date && is_sex && (10 - sum % 10) % 10 == place(characters[17])
}

pub(super) fn is_taiwanese(characters: &[u8]) -> bool {
    const LETTERS: &[u8; 26] = b"ABCDEFGHJKLMNPQRSTUVXYWZIO";
    let Some(place) = LETTERS.iter().position(|&letter| letter == characters[0]) else {
        return false;
    };
    let region = place as u32 + 10;
    let sum = region / 10
        + region % 10 * 9
        + weighted_sum(&characters[1..], &[8, 7, 6, 5, 4, 3, 2, 1, 1]);
    matches!(characters[1], b'1' | b'2' | b'8' | b'9') && sum.is_multiple_of(10)
}

pub(super) fn is_turkish(digits: &[u8]) -> bool {
    let odd = weighted_sum(&digits[..9], &[1, 0, 1, 0, 1, 0, 1, 0, 1]);
    let even = weighted_sum(&digits[..9], &[0, 1, 0, 1, 0, 1, 0, 1, 0]);
    let tenth = (odd * 7 + 90 - even) % 10;
    let eleventh = (odd + even + digit_value(digits[9])) % 10;
    digits[0] != b'0' && tenth == digit_value(digits[9]) && eleventh == digit_value(digits[10])
}

pub(super) fn is_singaporean(characters: &[u8]) -> bool {
    let sum = weighted_sum(&characters[1..8], &[2, 7, 6, 5, 4, 3, 2]);
    let (shift, letters): (u32, &[u8; 11]) = match characters[0] {
        b'S' => (0, b"JZIHGFEDCBA"),
        b'T' => (4, b"JZIHGFEDCBA"),
        b'F' => (0, b"XWUTRQPNMLK"),
        b'G' => (4, b"XWUTRQPNMLK"),
        b'M' => (3, b"XWUTRQPNJLK"),
        _ => return false,
    };
    let place = ((sum + shift) % 11) as usize;
    let place = if characters[0] == b'M' {
        10 - place
    } else {
        place
    };
    letters[place] == characters[8]
}

pub(super) fn is_portuguese(digits: &[u8]) -> bool {
    let check = mod_11(&digits[..8], &[9, 8, 7, 6, 5, 4, 3, 2]);
    matches!(digits[0], b'1'..=b'3') && check % 10 == digit_value(digits[8])
}

pub(super) fn is_australian(digits: &[u8]) -> bool {
    weighted_sum(digits, &[1, 4, 3, 7, 5, 8, 6, 9, 10]).is_multiple_of(11)
}

pub(super) fn is_south_african(digits: &[u8]) -> bool {
    is_birth(digits) && matches!(digits[10], b'0' | b'1') && has_luhn_digit(digits)
}

pub(super) fn is_romanian(digits: &[u8]) -> bool {
    let sum = weighted_sum(&digits[..12], &[2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]) % 11;
    let check = if sum == 10 { 1 } else { sum };
    digits[0] != b'0' && is_birth(&digits[1..]) && check == digit_value(digits[12])
}

pub(super) fn is_czech(digits: &[u8]) -> bool {
    let month = parse_digits(&digits[2..4]);
    let month = if month > 50 { month - 50 } else { month };
    let month = if month > 20 { month - 20 } else { month };
    let rest = parse_digits(&digits[..9]) % 11 % 10;
    is_month_and_day(month, parse_digits(&digits[4..6]))
        && rest == u64::from(digit_value(digits[9]))
}

pub(super) fn is_irish(characters: &[u8]) -> bool {
    let extra = match characters.get(8) {
        None | Some(b'W') => 0,
        Some(letter @ b'A'..=b'I') => u32::from(letter - b'A') + 1,
        Some(_) => return false,
    };
    let sum = weighted_sum(&characters[..7], &[8, 7, 6, 5, 4, 3, 2]) + extra * 9;
    b"WABCDEFGHIJKLMNOPQRSTUV"[(sum % 23) as usize] == characters[7]
}

/// A form without check digits.
pub(super) fn always(_: &[u8]) -> bool {
    true
}

pub(super) fn is_luhn(digits: &[u8]) -> bool {
    has_luhn_digit(digits)
}

pub(super) fn is_verhoeff(digits: &[u8]) -> bool {
    digits[0] > b'1' && has_verhoeff_digit(digits)
}

pub(super) fn is_iso_11_10(digits: &[u8]) -> bool {
    has_mod_11_10_digit(digits)
}

/// Chile: RUT, whose check digit can be the letter K.
pub(super) fn is_chilean(characters: &[u8]) -> bool {
    let Some((check, digits)) = characters.split_last() else {
        return false;
    };
    let weights = [2, 3, 4, 5, 6, 7, 2, 3];
    let digits = digits.iter().rev().zip(weights);
    let sum: u32 = digits
        .map(|(&digit, weight)| digit_value(digit) * weight)
        .sum();
    b"0K987654321"[(sum % 11) as usize] == *check
}

/// Russia: SNILS. The sum is reduced modulo 101, and 100 counts as 0.
pub(super) fn is_snils(digits: &[u8]) -> bool {
    let sum = weighted_sum(&digits[..9], &[9, 8, 7, 6, 5, 4, 3, 2, 1]);
    u64::from(sum % 101 % 100) == parse_digits(&digits[9..])
}

/// Former Yugoslavia: JMBG, which begins with the date of birth.
pub(super) fn is_jmbg(digits: &[u8]) -> bool {
    let check = mod_11(&digits[..12], &[7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]);
    is_birth_day_first(digits) && check == digit_value(digits[12])
}

/// Thailand: the last digit modulo 11.
pub(super) fn is_thai(digits: &[u8]) -> bool {
    let check = mod_11(&digits[..12], &[13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]) % 10;
    digits[0] != b'0' && check == digit_value(digits[12])
}

/// Malaysia: the number begins with the date of birth.
pub(super) fn is_malaysian(digits: &[u8]) -> bool {
    is_birth(digits)
}

/// Emirates: the number begins with the country and the year of birth.
pub(super) fn is_emirati(digits: &[u8]) -> bool {
    (1900..2100).contains(&parse_digits(&digits[3..7]))
}

/// Latvia: day, month and year of birth, and the century. New numbers begin with 32.
pub(super) fn is_latvian(digits: &[u8]) -> bool {
    let is_old = is_birth_day_first(digits) && matches!(digits[6], b'0'..=b'2');
    is_old && is_latvian_digit(digits)
}

fn is_latvian_digit(digits: &[u8]) -> bool {
    let sum = weighted_sum(&digits[..10], &[1, 6, 3, 7, 9, 10, 5, 8, 4, 2]);
    (1101 - sum) % 11 % 10 == digit_value(digits[10])
}

/// Mexico: RFC of a person, with the date of birth or of foundation.
pub(super) fn is_rfc(characters: &[u8]) -> bool {
    is_birth(&characters[characters.len() - 9..])
}

/// United Kingdom: NHS number.
pub(super) fn is_nhs(digits: &[u8]) -> bool {
    mod_11(&digits[..9], &[10, 9, 8, 7, 6, 5, 4, 3, 2]) == digit_value(digits[9])
}

/// Germany: number of the pension insurance, with the date of birth and an initial.
pub(super) fn is_german_pension(characters: &[u8]) -> bool {
    let letter = u32::from(characters[8].wrapping_sub(b'A')) + 1;
    let mut digits = characters[..8].to_vec();
    digits.extend([b'0' + (letter / 10) as u8, b'0' + (letter % 10) as u8]);
    digits.extend(&characters[9..11]);
    let cross = |(&digit, weight): (&u8, u32)| {
        let product = digit_value(digit) * weight;
        product / 10 + product % 10
    };
    let sum: u32 = digits
        .iter()
        .zip([2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1])
        .map(cross)
        .sum();
    letter <= 26 && sum % 10 == digit_value(characters[11])
}

/// Iceland: kennitala, which begins with the date of birth.
pub(super) fn is_icelandic(digits: &[u8]) -> bool {
    let check = mod_11(&digits[..8], &[3, 2, 7, 6, 5, 4, 3, 2]);
    matches!(digits[9], b'0' | b'8' | b'9') && check == digit_value(digits[8])
}

/// Estonia and Lithuania: the century, the date of birth, and a digit with two sets of weights.
pub(super) fn is_baltic(digits: &[u8]) -> bool {
    let first = weighted_sum(&digits[..10], &[1, 2, 3, 4, 5, 6, 7, 8, 9, 1]) % 11;
    let second = weighted_sum(&digits[..10], &[3, 4, 5, 6, 7, 8, 9, 1, 2, 3]) % 11 % 10;
    let check = if first == 10 { second } else { first };
    matches!(digits[0], b'1'..=b'8') && is_birth(&digits[1..]) && check == digit_value(digits[10])
}

/// Bulgaria: EGN. The month tells the century.
pub(super) fn is_bulgarian(digits: &[u8]) -> bool {
    let month = parse_digits(&digits[2..4]) % 20;
    let check = weighted_sum(&digits[..9], &[2, 4, 8, 5, 10, 9, 7, 3, 6]) % 11 % 10;
    is_month_and_day(month, parse_digits(&digits[4..6])) && check == digit_value(digits[9])
}

/// Venezuela: RIF. The letter for the kind of person counts as a digit.
pub(super) fn is_venezuelan(characters: &[u8]) -> bool {
    let kind = match characters[0] {
        b'V' => 4,
        b'E' => 8,
        b'J' => 12,
        b'P' => 16,
        b'G' => 20,
        _ => return false,
    };
    let sum = kind + weighted_sum(&characters[1..9], &[3, 2, 7, 6, 5, 4, 3, 2]);
    b"00987654321"[(sum % 11) as usize] == characters[9]
}

/// Hong Kong: one or two letters, six digits and a check digit.
pub(super) fn is_hong_kong(characters: &[u8]) -> bool {
    let place = |byte: u8| u32::from(byte - b'A') + 10;
    let (letters, rest) = characters.split_at(characters.len() - 7);
    let head = match *letters {
        [letter] => 36 * 9 + place(letter) * 8,
        [first, second] => place(first) * 9 + place(second) * 8,
        _ => return false,
    };
    let check = match rest[6] {
        b'A' => 10,
        byte if byte.is_ascii_digit() => digit_value(byte),
        _ => return false,
    };
    (head + weighted_sum(&rest[..6], &[7, 6, 5, 4, 3, 2]) + check).is_multiple_of(11)
}

/// Ecuador: the province, and the Luhn digit.
pub(super) fn is_ecuadorian(digits: &[u8]) -> bool {
    matches!(parse_digits(&digits[..2]), 1..=24 | 30) && has_luhn_digit(digits)
}

/// Israel: the Luhn digit.
pub(super) fn is_israeli(digits: &[u8]) -> bool {
    has_luhn_digit(digits)
}

/// Ukraine: RNOKPP.
pub(super) fn is_ukrainian(digits: &[u8]) -> bool {
    let sum: i64 = digits[..9]
        .iter()
        .zip([-1, 5, 7, 9, 4, 6, 10, 5, 7])
        .map(|(&digit, weight)| i64::from(digit_value(digit)) * weight)
        .sum();
    sum.rem_euclid(11) % 10 == i64::from(digit_value(digits[9]))
}

/// Kazakhstan: IIN, which begins with the date of birth.
pub(super) fn is_kazakh(digits: &[u8]) -> bool {
    is_birth(digits)
}
