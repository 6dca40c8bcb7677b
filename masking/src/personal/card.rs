//! Payment cards.
//!
//! One number in ten passes the Luhn check by chance. So the number must also have an
//! issuer's prefix and a length that the issuer uses, and the word before it counts: after
//! `order` and similar words it is not a card. The remaining error: about one in forty bare
//! numbers of 16 digits without a word before them is taken for a card.

use super::number::{Groups, Start};
use crate::checks::{has_luhn_digit, parse_digits};
use crate::text::Text;
use crate::words::{is_mentioned, is_named, is_other_number};

const WORDS: &[&str] = &[
    "card",
    "cards",
    "cc",
    "credit",
    "debit",
    "pan",
    "visa",
    "mastercard",
    "amex",
    "maestro",
    "karte",
    "kreditkarte",
    "carte",
    "tarjeta",
];

/// The groups of digits on cards.
const LAYOUTS: [&[usize]; 4] = [&[4, 4, 4, 4], &[4, 4, 4, 4, 3], &[4, 6, 5], &[4, 6, 4]];

/// Finds a card number that begins with these groups. Returns its end.
pub(crate) fn find(text: Text<'_>, at: usize, start: Start, groups: &Groups) -> Option<usize> {
    (1..=groups.all().len().min(5)).rev().find_map(|count| {
        let digits = groups.digits(count);
        if !(12..=19).contains(&digits.len()) || !groups.can_end(text, count) {
            return None;
        }
        let separator = groups.separator(count)?;
        let is_laid_out = LAYOUTS
            .iter()
            .any(|layout| layout.iter().copied().eq(groups.lengths(count)));
        let is_written = count == 1 || (is_laid_out && matches!(separator, b' ' | b'-'));
        if !is_written || !has_luhn_digit(digits) {
            return None;
        }
        let is_card = match find_issuance(digits) {
            Issuance::Never => false,
            Issuance::Common if start.stands_alone(separator) => {
                !is_other_number(text, at) || is_mentioned(text, at, WORDS)
            }
            Issuance::Common | Issuance::Rare => is_named(text, at, WORDS),
        };
        is_card.then(|| groups.all()[count - 1].end)
    })
}

/// How common an issuer's numbers with a prefix and a length are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Issuance {
    /// No issuer uses them.
    Never,
    /// An issuer uses or used them, but most numbers of this kind are something else. Visa
    /// issued its last cards with 13 digits in the nineties, and article numbers (EAN-13)
    /// have this length.
    Rare,
    /// Most numbers of this kind are cards.
    Common,
}

fn find_issuance(digits: &[u8]) -> Issuance {
    let length = digits.len();
    let prefix = parse_digits(&digits[..6]);
    let common = match prefix {
        400_000..=499_999 => matches!(length, 16 | 19),
        510_000..=559_999 | 222_100..=272_099 => length == 16,
        340_000..=349_999 | 370_000..=379_999 => length == 15,
        300_000..=305_999 | 309_500..=309_599 | 380_000..=399_999 => matches!(length, 14 | 16),
        360_000..=369_999 => matches!(length, 14 | 16),
        352_800..=358_999 => (16..=19).contains(&length),
        601_100..=601_199 | 644_000..=659_999 | 620_000..=629_999 => (16..=19).contains(&length),
        220_000..=220_499 => (16..=19).contains(&length),
        // RuPay, Elo, Hipercard, Troy, Verve, UzCard, Humo.
        508_000..=508_999 | 606_282 => length == 16,
        979_200..=979_299 | 506_099..=506_198 | 860_000..=860_099 => length == 16,
        // Maestro, with the length of most of its cards.
        501_800 | 502_000..=502_099 | 503_800..=503_899 => length == 16,
        589_300..=589_399 | 630_400..=630_499 | 675_900..=676_399 => length == 16,
        _ => false,
    };
    let rare = match prefix {
        400_000..=499_999 => length == 13,
        500_000..=509_999 | 560_000..=589_999 | 600_000..=699_999 => true,
        _ => false,
    };
    match (common, rare) {
        (true, _) => Issuance::Common,
        (false, true) => Issuance::Rare,
        (false, false) => Issuance::Never,
    }
}
