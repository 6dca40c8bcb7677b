//! National identification and tax numbers.
//!
//! A form describes the characters of a number: `9` is a digit, `A` a letter, `*` either of
//! them, and all other characters are literal. The check digits of each number must be valid.
//! If other numbers have the same form, a number counts only after a word that names it,
//! because one in ten numbers passes a single check digit by chance.

use std::sync::LazyLock;

use super::number::{Start, ends};
use crate::checks::{
    digit_value, has_luhn_digit, has_mod_11_10_digit, has_verhoeff_digit, is_month_and_day,
    parse_digits, weighted_sum,
};
use crate::text::Text;
use crate::words::is_named;

/// A kind of number of a country.
struct Identity {
    /// Forms that no other numbers have.
    alone: &'static [&'static str],
    /// Forms that count only after one of the words.
    named: &'static [&'static str],
    words: &'static [&'static str],
    /// Checks the letters, in upper case, and digits of a number.
    checks: fn(&[u8]) -> bool,
}

#[rustfmt::skip]
const IDENTITIES: &[Identity] = &[
    // United States: social security number.
    Identity { alone: &["999-99-9999"], named: &["999999999", "999 99 9999"], words: &["ssn", "social", "security", "itin", "taxpayer"], checks: is_us },
    // United Kingdom: national insurance number.
    Identity { alone: &["AA999999A", "AA 99 99 99 A"], named: &[], words: &[], checks: is_uk },
    // France: number of the register of persons.
    Identity { alone: &["999999999999999", "9 99 99 99 999 999 99", "9 99 9A 999 999 99", "9999A9999999999"], named: &[], words: &[], checks: is_french },
    // Germany: tax id.
    Identity { alone: &["99999999999", "99 999 999 999"], named: &[], words: &[], checks: is_german },
    // Spain: identity card, and identity card of foreigners.
    Identity { alone: &["99999999A", "99999999-A", "99.999.999-A"], named: &[], words: &[], checks: is_spanish },
    Identity { alone: &["A9999999A", "A-9999999-A"], named: &[], words: &[], checks: is_spanish_foreigner },
    // Italy: tax code.
    Identity { alone: &["AAAAAA99A99A999A"], named: &[], words: &[], checks: is_italian },
    // Netherlands: citizen's service number.
    Identity { alone: &[], named: &["999999999", "9999.99.999", "9999 99 999"], words: &["bsn", "burgerservicenummer", "sofinummer", "sofi"], checks: is_dutch },
    // Poland: PESEL.
    Identity { alone: &[], named: &["99999999999"], words: &["pesel"], checks: is_polish },
    // Brazil: CPF.
    Identity { alone: &["999.999.999-99"], named: &["99999999999", "999999999-99"], words: &["cpf"], checks: is_brazilian },
    // Sweden: personal number.
    Identity { alone: &["999999-9999", "99999999-9999", "999999+9999"], named: &["9999999999", "999999999999"], words: &["personnummer", "personnr", "pnr", "samordningsnummer"], checks: is_swedish },
    // Switzerland: AHV number.
    Identity { alone: &["756.9999.9999.99", "7569999999999", "756 9999 9999 99"], named: &[], words: &[], checks: is_ean },
    // India: Aadhaar, and the tax card.
    Identity { alone: &["9999 9999 9999"], named: &["999999999999", "9999-9999-9999"], words: &["aadhaar", "aadhar", "uidai", "uid"], checks: is_indian },
    Identity { alone: &[], named: &["AAAAA9999A"], words: &["pan"], checks: |_| true },
    // China: resident id.
    Identity { alone: &["999999999999999999", "99999999999999999A"], named: &[], words: &[], checks: is_chinese },
    // Belgium: national register.
    Identity { alone: &["99.99.99-999.99", "99.99.99-999-99"], named: &["99999999999"], words: &["rijksregister", "rijksregisternummer", "insz", "niss", "registre"], checks: is_belgian },
    // Denmark: CPR number, which has had no check digit since 2007.
    Identity { alone: &[], named: &["999999-9999", "9999999999"], words: &["cpr", "personnummer"], checks: is_danish },
    // Finland: personal identity code.
    Identity { alone: &["999999-999*", "999999A999*", "999999+999*"], named: &[], words: &[], checks: is_finnish },
    // Norway: birth number.
    Identity { alone: &["999999 99999"], named: &["99999999999"], words: &["fødselsnummer", "fodselsnummer", "personnummer", "fnr"], checks: is_norwegian },
    // South Korea: resident registration number.
    Identity { alone: &["999999-9999999"], named: &["9999999999999"], words: &["rrn", "주민등록번호"], checks: is_korean },
    // Japan: my number.
    Identity { alone: &[], named: &["999999999999", "9999 9999 9999", "9999-9999-9999"], words: &["mynumber", "マイナンバー", "個人番号"], checks: is_japanese },
    // Canada: social insurance number.
    Identity { alone: &[], named: &["999999999", "999 999 999", "999-999-999"], words: &["sin", "insurance", "nas"], checks: has_luhn_digit },
    // Mexico: CURP.
    Identity { alone: &["AAAA999999AAAAAA**"], named: &[], words: &[], checks: is_mexican },
    // Taiwan: identity card.
    Identity { alone: &["A999999999"], named: &[], words: &[], checks: is_taiwanese },
    // Turkey: identity number.
    Identity { alone: &[], named: &["99999999999"], words: &["tckn", "tc", "kimlik"], checks: is_turkish },
    // Singapore: identity card.
    Identity { alone: &["A9999999A"], named: &[], words: &[], checks: is_singaporean },
    // Portugal: tax number.
    Identity { alone: &[], named: &["999999999", "999 999 999"], words: &["nif", "contribuinte"], checks: is_portuguese },
    // Australia: tax file number.
    Identity { alone: &[], named: &["999999999", "999 999 999"], words: &["tfn", "tax"], checks: is_australian },
    // South Africa: identity number.
    Identity { alone: &[], named: &["9999999999999", "999999 9999 999"], words: &["identity", "said", "rsa"], checks: is_south_african },
    // Romania: personal code.
    Identity { alone: &[], named: &["9999999999999"], words: &["cnp"], checks: is_romanian },
    // Czechia and Slovakia: birth number.
    Identity { alone: &["999999/9999"], named: &["9999999999"], words: &["rodné", "rodne", "rč"], checks: is_czech },
    // Ireland: personal public service number.
    Identity { alone: &["9999999AA"], named: &["9999999A"], words: &["pps", "ppsn", "pensions"], checks: is_irish },
];

/// A form, with its number.
#[derive(Clone, Copy)]
struct Form {
    form: &'static [u8],
    identity: &'static Identity,
    is_alone: bool,
}

/// The length of the longest form.
const LONGEST: usize = 24;

/// The forms by the class and the length of their first run of characters, so that only a few
/// must be tried at each position of a text.
struct Forms {
    digits: [Vec<Form>; LONGEST],
    letters: [Vec<Form>; LONGEST],
}

static FORMS: LazyLock<Forms> = LazyLock::new(|| {
    let mut forms = Forms {
        digits: Default::default(),
        letters: Default::default(),
    };
    for identity in IDENTITIES {
        let alone = identity.alone.iter().map(|form| (form, true));
        let named = identity.named.iter().map(|form| (form, false));
        for (form, is_alone) in alone.chain(named) {
            let form = Form {
                form: form.as_bytes(),
                identity,
                is_alone,
            };
            let (list, length) = if form.form[0] == b'A' {
                (
                    &mut forms.letters,
                    first_run(form.form, |byte| byte == b'A'),
                )
            } else {
                (
                    &mut forms.digits,
                    first_run(form.form, |byte| byte.is_ascii_digit()),
                )
            };
            list[length].push(form);
        }
    }
    forms
});

fn first_run(bytes: &[u8], class: impl Fn(u8) -> bool) -> usize {
    let bytes = bytes.iter().take(LONGEST);
    bytes.take_while(|&&byte| class(byte)).count()
}

/// Finds a number that begins at a position. Returns its end.
pub(crate) fn find(text: Text<'_>, at: usize, start: Start) -> Option<usize> {
    let forms: &Forms = &FORMS;
    let rest = text.rest(at);
    let list = if text.byte(at).is_ascii_digit() {
        forms
            .digits
            .get(first_run(rest, |byte| byte.is_ascii_digit()))
    } else {
        forms
            .letters
            .get(first_run(rest, |byte| byte.is_ascii_alphabetic()))
    };
    let found = |form: &Form| {
        let end = at + form.form.len();
        let mut characters = [0; LONGEST];
        let count = match_form(rest, form.form, &mut characters)?;
        let is_number = ends(text, end) && (form.identity.checks)(&characters[..count]);
        let separator = if form.form.contains(&b' ') { b' ' } else { 0 };
        let continues = separator == text.byte(end) && text.byte(end + 1).is_ascii_digit();
        let is_alone = form.is_alone && start.stands_alone(separator) && !continues;
        (is_number && (is_alone || is_named(text, at, form.identity.words))).then_some(end)
    };
    list?.iter().find_map(found)
}

/// Fills in the letters and digits of a text that has a form. Returns how many there are.
fn match_form(rest: &[u8], form: &[u8], characters: &mut [u8; LONGEST]) -> Option<usize> {
    let mut count = 0;
    for (place, &wanted) in form.iter().enumerate() {
        let byte = rest.get(place)?.to_ascii_uppercase();
        let (fits, counts) = match wanted {
            b'9' => (byte.is_ascii_digit(), true),
            b'A' => (byte.is_ascii_uppercase(), true),
            b'*' => (byte.is_ascii_alphanumeric(), true),
            b'0'..=b'9' => (byte == wanted, true),
            _ => (byte == wanted, false),
        };
        if !fits {
            return None;
        }
        if counts {
            characters[count] = byte;
            count += 1;
        }
    }
    Some(count)
}

/// Whether the digits begin with a date of birth in the order year, month, day.
fn is_birth(digits: &[u8]) -> bool {
    is_month_and_day(parse_digits(&digits[2..4]), parse_digits(&digits[4..6]))
}

/// Whether the digits begin with a date of birth in the order day, month, year.
fn is_birth_day_first(digits: &[u8]) -> bool {
    is_month_and_day(parse_digits(&digits[2..4]), parse_digits(&digits[..2]))
}

/// The usual check digit modulo 11: 11 minus the remainder of the weighted sum.
fn mod_11(digits: &[u8], weights: &[u32]) -> u32 {
    (11 - weighted_sum(digits, weights) % 11) % 11
}

fn is_us(digits: &[u8]) -> bool {
    let (area, group, serial) = (
        parse_digits(&digits[..3]),
        parse_digits(&digits[3..5]),
        parse_digits(&digits[5..]),
    );
    area != 0 && area != 666 && area < 900 && group != 0 && serial != 0
        || area >= 900 && matches!(group, 50..=65 | 70..=88 | 90..=92 | 94..=99)
}

fn is_uk(characters: &[u8]) -> bool {
    let [first, second, .., last] = *characters else {
        return false;
    };
    let is_prefix = !b"DFIQUV".contains(&first) && !b"DFIQUVO".contains(&second);
    let pair = [first, second];
    let is_issued = ![*b"BG", *b"GB", *b"NK", *b"KN", *b"TN", *b"NT", *b"ZZ"].contains(&pair);
    is_prefix && is_issued && matches!(last, b'A'..=b'D')
}

fn is_french(characters: &[u8]) -> bool {
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

fn is_german(digits: &[u8]) -> bool {
    let mut counts = [0; 10];
    for &digit in &digits[..10] {
        counts[digit_value(digit) as usize] += 1;
    }
    let repeated: Vec<i32> = counts.into_iter().filter(|&count| count > 1).collect();
    digits[0] != b'0' && matches!(repeated[..], [2 | 3]) && has_mod_11_10_digit(digits)
}

const SPANISH_LETTERS: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";

fn is_spanish(characters: &[u8]) -> bool {
    let letter = SPANISH_LETTERS[(parse_digits(&characters[..8]) % 23) as usize];
    characters[8] == letter
}

fn is_spanish_foreigner(characters: &[u8]) -> bool {
    let Some(first) = b"XYZ".iter().position(|&letter| letter == characters[0]) else {
        return false;
    };
    let digits = first as u64 * 10_000_000 + parse_digits(&characters[1..8]);
    characters[8] == SPANISH_LETTERS[(digits % 23) as usize]
}

fn is_italian(characters: &[u8]) -> bool {
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

fn is_dutch(digits: &[u8]) -> bool {
    let sum = weighted_sum(&digits[..8], &[9, 8, 7, 6, 5, 4, 3, 2]);
    parse_digits(digits) > 0 && sum % 11 == digit_value(digits[8])
}

fn is_polish(digits: &[u8]) -> bool {
    let is_date = is_month_and_day(
        parse_digits(&digits[2..4]) % 20,
        parse_digits(&digits[4..6]),
    );
    is_date && weighted_sum(digits, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]).is_multiple_of(10)
}

fn is_brazilian(digits: &[u8]) -> bool {
    let check = |sum: u32| sum * 10 % 11 % 10;
    let first = check(weighted_sum(&digits[..9], &[10, 9, 8, 7, 6, 5, 4, 3, 2]));
    let second = check(weighted_sum(
        &digits[..10],
        &[11, 10, 9, 8, 7, 6, 5, 4, 3, 2],
    ));
    let is_varied = digits.iter().any(|digit| *digit != digits[0]);
    is_varied && first == digit_value(digits[9]) && second == digit_value(digits[10])
}

fn is_swedish(digits: &[u8]) -> bool {
    let digits = &digits[digits.len() - 10..];
    let day = parse_digits(&digits[4..6]);
    let is_date = is_month_and_day(
        parse_digits(&digits[2..4]),
        if day > 60 { day - 60 } else { day },
    );
    is_date && has_luhn_digit(digits)
}

fn is_ean(digits: &[u8]) -> bool {
    weighted_sum(digits, &[1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1]).is_multiple_of(10)
}

fn is_indian(digits: &[u8]) -> bool {
    digits[0] > b'1' && has_verhoeff_digit(digits)
}

fn is_chinese(characters: &[u8]) -> bool {
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

fn is_belgian(digits: &[u8]) -> bool {
    let check = parse_digits(&digits[9..]);
    let before_2000 = parse_digits(&digits[..9]);
    let key = |base: u64| 97 - base % 97;
    let is_date = parse_digits(&digits[2..4]) % 20 <= 12 && parse_digits(&digits[4..6]) <= 31;
    is_date && (key(before_2000) == check || key(2_000_000_000 + before_2000) == check)
}

fn is_danish(digits: &[u8]) -> bool {
    is_birth_day_first(digits)
}

fn is_finnish(characters: &[u8]) -> bool {
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

fn is_norwegian(digits: &[u8]) -> bool {
    let day = parse_digits(&digits[..2]);
    let month = parse_digits(&digits[2..4]);
    let first = mod_11(&digits[..9], &[3, 7, 6, 1, 8, 9, 4, 5, 2]);
    let second = mod_11(&digits[..10], &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2]);
    is_month_and_day(month % 40, day % 40)
        && first == digit_value(digits[9])
        && second == digit_value(digits[10])
}

fn is_korean(digits: &[u8]) -> bool {
    let sum = weighted_sum(&digits[..12], &[2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]);
    let check = (11 - sum % 11) % 10;
    // Numbers issued since October 2020 have no check digit.
    let year = parse_digits(&digits[..2]);
    let is_recent = matches!(digits[6], b'3' | b'4' | b'7' | b'8') && (20..=40).contains(&year);
    is_birth(digits)
        && matches!(digits[6], b'1'..=b'8')
        && (check == digit_value(digits[12]) || is_recent)
}

fn is_japanese(digits: &[u8]) -> bool {
    let rest = weighted_sum(&digits[..11], &[6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11;
    let check = if rest <= 1 { 0 } else { 11 - rest };
    check == digit_value(digits[11])
}

fn is_mexican(characters: &[u8]) -> bool {
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

fn is_taiwanese(characters: &[u8]) -> bool {
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

fn is_turkish(digits: &[u8]) -> bool {
    let odd = weighted_sum(&digits[..9], &[1, 0, 1, 0, 1, 0, 1, 0, 1]);
    let even = weighted_sum(&digits[..9], &[0, 1, 0, 1, 0, 1, 0, 1, 0]);
    let tenth = (odd * 7 + 90 - even) % 10;
    let eleventh = (odd + even + digit_value(digits[9])) % 10;
    digits[0] != b'0' && tenth == digit_value(digits[9]) && eleventh == digit_value(digits[10])
}

fn is_singaporean(characters: &[u8]) -> bool {
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

fn is_portuguese(digits: &[u8]) -> bool {
    let check = mod_11(&digits[..8], &[9, 8, 7, 6, 5, 4, 3, 2]);
    matches!(digits[0], b'1'..=b'3') && check % 10 == digit_value(digits[8])
}

fn is_australian(digits: &[u8]) -> bool {
    weighted_sum(digits, &[1, 4, 3, 7, 5, 8, 6, 9, 10]).is_multiple_of(11)
}

fn is_south_african(digits: &[u8]) -> bool {
    is_birth(digits) && matches!(digits[10], b'0' | b'1') && has_luhn_digit(digits)
}

fn is_romanian(digits: &[u8]) -> bool {
    let sum = weighted_sum(&digits[..12], &[2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]) % 11;
    let check = if sum == 10 { 1 } else { sum };
    digits[0] != b'0' && is_birth(&digits[1..]) && check == digit_value(digits[12])
}

fn is_czech(digits: &[u8]) -> bool {
    let month = parse_digits(&digits[2..4]);
    let month = if month > 50 { month - 50 } else { month };
    let month = if month > 20 { month - 20 } else { month };
    let rest = parse_digits(&digits[..9]) % 11 % 10;
    is_month_and_day(month, parse_digits(&digits[4..6]))
        && rest == u64::from(digit_value(digits[9]))
}

fn is_irish(characters: &[u8]) -> bool {
    let extra = match characters.get(8) {
        None | Some(b'W') => 0,
        Some(letter @ b'A'..=b'I') => u32::from(letter - b'A') + 1,
        Some(_) => return false,
    };
    let sum = weighted_sum(&characters[..7], &[8, 7, 6, 5, 4, 3, 2]) + extra * 9;
    b"WABCDEFGHIJKLMNOPQRSTUV"[(sum % 23) as usize] == characters[7]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Facts;

    #[test]
    fn published_examples_are_found() {
        for number in [
            "078-05-1120",
            "AB123456C",
            "QQ 12 34 56 C",
            "255081416802538",
            "2 55 08 14 168 025 38",
            "86095742719",
            "65 929 970 489",
            "12345678Z",
            "X1234567L",
            "RSSMRA85T10A562S",
            "BSN 111222333",
            "PESEL: 44051401458",
            "529.982.247-25",
            "811218-9876",
            "756.9217.0769.85",
            "2341 2341 2346",
            "11010519491231002X",
            "85.07.30-033.28",
            "131052-308T",
            "A123456789",
            "S1234567D",
            "TCKN 10000000146",
            "nif: 123456789",
            "1234567FA",
        ] {
            let start = number.rfind(": ").map_or(0, |at| at + 2);
            let start = start.max(number.find("BSN ").map_or(0, |_| 4));
            let start = start.max(number.find("TCKN ").map_or(0, |_| 5));
            let facts = Facts::default();
            let text = Text::new(number, &facts);
            let is_found = find(text, start, Start::Free) == Some(number.len());
            assert_eq!(is_found, number != "QQ 12 34 56 C", "{number}");
        }
    }
}
