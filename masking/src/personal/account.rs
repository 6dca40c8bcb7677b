//! Bank accounts and the codes of banks, after a word for them.
//!
//! Most countries have check digits in their account numbers, but many banks do not publish
//! theirs. So the word decides.

use super::context::{Context, Label};
use super::value;
use crate::text::Text;

/// How many words that mean nothing may stand between the word and the number.
const MOST_UNKNOWN: usize = 1;

/// Finds an account number that begins at a position. Returns its end.
pub(crate) fn find(text: Text<'_>, at: usize, context: &Context) -> Option<usize> {
    if !context.is(Label::Account) || context.distance > MOST_UNKNOWN {
        return None;
    }
    let value = value::read(text, at)?;
    let is_plausible = (5..=30).contains(&value.digits)
        && value.letters <= 4
        && !value.is_date(text, at)
        && !value.is_amount(text);
    // `Счёт № 4471 от 14.03.2025` is an invoice of a day.
    let is_invoice = text.rest(value.end).starts_with(" от ".as_bytes());
    (is_plausible && !is_invoice).then_some(value.end)
}
