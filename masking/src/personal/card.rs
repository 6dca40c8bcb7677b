//! Payment cards.
//!
//! One number in ten passes the Luhn check by chance. So the number must also have an
//! issuer's prefix and a length that the issuer uses, and the word before it counts: after
//! `order` and similar words it is not a card. The remaining error: about one in forty bare
//! numbers of 16 digits without a word before them is taken for a card.

use super::context::{Context, Label};
use super::number::{Groups, Start, ends};
use crate::checks::{has_luhn_digit, parse_digits};
use crate::text::Text;

/// The groups of digits on cards.
const LAYOUTS: [&[usize]; 4] = [&[4, 4, 4, 4], &[4, 4, 4, 4, 3], &[4, 6, 5], &[4, 6, 4]];

/// Finds a card number that begins with these groups. Returns its end.
pub(crate) fn find(
    text: Text<'_>,
    start: Start,
    groups: &Groups,
    context: &Context,
) -> Option<usize> {
    if groups.digits(usize::MAX).len() < 12 {
        return None;
    }
    (1..=groups.all().len()).rev().find_map(|count| {
        let digits = groups.digits(count);
        if !(12..=19).contains(&digits.len()) || !has_luhn_digit(digits) {
            return None;
        }
        let end = groups.all()[count - 1].end;
        let is_card = is_named(text, digits, end, context)
            || is_alone(text, start, groups, count)
                && !(context.is(Label::Other) && context.distance == 0);
        is_card.then(|| include_track(text, end))
    })
}

/// Whether a number with a valid check digit is a card, because a word says so.
fn is_named(text: Text<'_>, digits: &[u8], end: usize, context: &Context) -> bool {
    let is_issued = find_issuance(digits) != Issuance::Never
        || matches!(parse_digits(&digits[..2]), 20..=69 | 81 | 86 | 97 | 98);
    context.is(Label::Card) && is_issued && (ends(text, end) || text.byte(end) == b'^')
}

/// Whether a number with a valid check digit is a card, without a word that says so.
fn is_alone(text: Text<'_>, start: Start, groups: &Groups, count: usize) -> bool {
    let Some(separator) = groups.separator(count) else {
        return false;
    };
    let layout = |layout: &&[usize]| layout.iter().copied().eq(groups.lengths(count));
    let is_laid_out = LAYOUTS.iter().any(layout);
    let is_written = count == 1 || (is_laid_out && matches!(separator, b' ' | b'-' | b'+'));
    is_written
        && groups.can_end(text, count)
        && start.stands_alone(separator)
        && find_issuance(groups.digits(count)) == Issuance::Common
}

/// The end of a card including the rest of its magnetic track 2: `=`, the expiry date and the
/// issuer's digits.
fn include_track(text: Text<'_>, end: usize) -> usize {
    let stop = text.run(end + 1, |byte| byte.is_ascii_digit());
    if text.byte(end) == b'=' && stop - end > 7 {
        stop
    } else {
        end
    }
}

/// Finds track 1 of a magnetic stripe, from its `B` to its last digit. Returns its end.
pub(crate) fn find_track(text: Text<'_>, at: usize) -> Option<usize> {
    let digits = text.run(at + 1, |byte| byte.is_ascii_digit());
    if text.byte(digits) != b'^' || !(12..=19).contains(&(digits - at - 1)) {
        return None;
    }
    let name = text
        .rest(digits + 1)
        .iter()
        .take(27)
        .position(|&byte| byte == b'^')?;
    let end = text.run(digits + name + 2, |byte| byte.is_ascii_digit());
    let number = &text.rest(at + 1)[..digits - at - 1];
    has_luhn_digit(number).then_some(end)
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
