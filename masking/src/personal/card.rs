//! Payment cards.
//!
//! One number in ten passes Luhn by chance, so the issuer's prefix and the
//! lengths that the issuer uses count as well, and the word before it: `order`
//! and its like say that it is no card. What is left is a bare number of 16
//! digits with nothing before it, which is taken for a card once in forty times.

use super::number::{Groups, Start};
use crate::checks::{luhn, number};
use crate::text::Text;
use crate::words::{mentioned, named, named_otherwise};

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

/// The groups in which cards are embossed.
const LAYOUTS: [&[usize]; 4] = [&[4, 4, 4, 4], &[4, 4, 4, 4, 3], &[4, 6, 5], &[4, 6, 4]];

/// Where the card's number ends that begins with these groups.
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
        if !is_written || !luhn(digits) {
            return None;
        }
        let is_card = match issued(digits) {
            Issued::No => false,
            Issued::Common if start.stands_alone(separator) => {
                !named_otherwise(text, at) || mentioned(text, at, WORDS)
            }
            Issued::Common | Issued::Rare => named(text, at, WORDS),
        };
        is_card.then(|| groups.all()[count - 1].end)
    })
}

/// Whether an issuer gives out such numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Issued {
    /// Nobody does.
    No,
    /// Somebody does, or did, but most such numbers are something else: Visa
    /// gave out its last cards of 13 digits in the nineties, and articles have
    /// numbers (EAN-13) of that length.
    Rare,
    /// An issuer that is met every day.
    Common,
}

fn issued(digits: &[u8]) -> Issued {
    let length = digits.len();
    let prefix = number(&digits[..6]);
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
        // Maestro, at the length that most of its cards have.
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
        (true, _) => Issued::Common,
        (false, true) => Issued::Rare,
        (false, false) => Issued::No,
    }
}
