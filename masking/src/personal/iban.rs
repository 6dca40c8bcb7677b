//! International bank account numbers.

use crate::checks;
use crate::text::Text;

/// The length of each country's numbers.
#[rustfmt::skip]
const LENGTHS: [(&str, usize); 89] = [
    ("AD", 24), ("AE", 23), ("AL", 28), ("AT", 20), ("AZ", 28), ("BA", 20), ("BE", 16), ("BG", 22),
    ("BH", 22), ("BI", 27), ("BR", 29), ("BY", 28), ("CH", 21), ("CR", 22), ("CY", 28), ("CZ", 24),
    ("DE", 22), ("DJ", 27), ("DK", 18), ("DO", 28), ("EE", 20), ("EG", 29), ("ES", 24), ("FI", 18),
    ("FK", 18), ("FO", 18), ("FR", 27), ("GB", 22), ("GE", 22), ("GI", 23), ("GL", 18), ("GR", 27),
    ("GT", 28), ("HN", 28), ("HR", 21), ("HU", 28), ("IE", 22), ("IL", 23), ("IQ", 23), ("IS", 26),
    ("IT", 27), ("JO", 30), ("KW", 30), ("KZ", 20), ("LB", 28), ("LC", 32), ("LI", 21), ("LT", 20),
    ("LU", 20), ("LV", 21), ("LY", 25), ("MC", 27), ("MD", 24), ("ME", 22), ("MK", 19), ("MN", 20),
    ("MR", 27), ("MT", 31), ("MU", 30), ("NI", 28), ("NL", 18), ("NO", 15), ("OM", 23), ("PK", 24),
    ("PL", 28), ("PS", 29), ("PT", 25), ("QA", 29), ("RO", 24), ("RS", 22), ("RU", 33), ("SA", 24),
    ("SC", 31), ("SD", 18), ("SE", 24), ("SI", 19), ("SK", 24), ("SM", 27), ("SO", 23), ("ST", 25),
    ("SV", 28), ("TL", 23), ("TN", 24), ("TR", 26), ("UA", 29), ("VA", 22), ("VG", 24), ("XK", 20),
    ("YE", 30),
];

/// The longest length that the standard allows.
const LONGEST: usize = 34;

/// Finds an IBAN that begins at the start of a word. Returns its end.
pub(crate) fn find(text: Text<'_>, at: usize) -> Option<usize> {
    let [first, second, third, fourth, ..] = *text.rest(at) else {
        return None;
    };
    let is_lower = first.is_ascii_lowercase();
    let is_head = first.is_ascii_alphabetic()
        && second.is_ascii_alphabetic()
        && second.is_ascii_lowercase() == is_lower
        && third.is_ascii_digit()
        && fourth.is_ascii_digit();
    if !is_head {
        return None;
    }
    let country = [first.to_ascii_uppercase(), second.to_ascii_uppercase()];
    let row = LENGTHS.binary_search_by_key(&&country[..], |(country, _)| country.as_bytes());
    let (_, length) = LENGTHS[row.ok()?];
    let mut characters = [0; LONGEST];
    let end = read(text, at, &mut characters[..length])?;
    let is_whole = !text.byte(end).is_ascii_alphanumeric();
    (is_whole && checks::has_iban_digits(&characters[..length])).then_some(end)
}

/// Fills `characters` from the text. A single space or dash may separate groups of four.
fn read(text: Text<'_>, at: usize, characters: &mut [u8]) -> Option<usize> {
    let mut at = at;
    for (place, character) in characters.iter_mut().enumerate() {
        let is_gap = matches!(text.byte(at), b' ' | b'-') && place.is_multiple_of(4) && place > 0;
        if is_gap {
            at += 1;
        }
        *character = text.byte(at);
        if !character.is_ascii_alphanumeric() {
            return None;
        }
        at += 1;
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries_are_sorted() {
        assert!(LENGTHS.is_sorted());
    }
}
