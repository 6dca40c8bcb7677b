//! Times such as `2024-05-17T09:12:44.120Z` and `09:12:44`. Most lines of a log have one, so the
//! walk skips them as a whole. A date alone can be a date of birth, and so can a date at midnight.

use crate::text::{Text, Word};

/// Returns the end of the time that begins with a word.
pub(crate) fn find(text: Text<'_>, at: usize, word: Word) -> Option<usize> {
    if !word.is_number() {
        return None;
    }
    let end = match (word.length, word.next) {
        (4, b'-' | b'/') => find_date_and_clock(text, at, word.next)?,
        (2, b':') if text.byte_before(at) != b':' => find_clock(text, at)?,
        _ => return None,
    };
    let end = skip_zone(text, skip_fraction(text, end));
    let next = text.byte(end);
    (!next.is_ascii_alphanumeric() && next != b':').then_some(end)
}

/// The end of `2024-05-17T09:12:44`.
fn find_date_and_clock(text: Text<'_>, at: usize, mark: u8) -> Option<usize> {
    let date = text.rest(at).get(4..11)?;
    let is_date = date[0] == mark
        && is_pair(&date[1..3])
        && date[3] == mark
        && is_pair(&date[4..6])
        && matches!(date[6], b'T' | b't' | b' ' | b'_');
    if !is_date || text.rest(at + 11).starts_with(b"00:00") {
        return None;
    }
    find_clock(text, at + 11)
}

/// The end of `09:12:44`.
fn find_clock(text: Text<'_>, at: usize) -> Option<usize> {
    let clock = text.rest(at).get(..8)?;
    let is_clock = is_pair(&clock[..2])
        && clock[2] == b':'
        && is_pair(&clock[3..5])
        && clock[5] == b':'
        && is_pair(&clock[6..]);
    is_clock.then_some(at + 8)
}

/// Skips a fraction of a second: `.120`, `,120`.
fn skip_fraction(text: Text<'_>, at: usize) -> usize {
    if !matches!(text.byte(at), b'.' | b',') || !text.byte(at + 1).is_ascii_digit() {
        return at;
    }
    // Nanoseconds have nine digits.
    text.run_within(at + 1, 10, |byte| byte.is_ascii_digit())
}

/// Skips a zone: `Z`, `+02:00`, ` +0200`.
fn skip_zone(text: Text<'_>, at: usize) -> usize {
    if matches!(text.byte(at), b'Z' | b'z') {
        return at + 1;
    }
    let sign = at + usize::from(text.byte(at) == b' ');
    let hours = sign + 1;
    if !matches!(text.byte(sign), b'+' | b'-') || !is_pair_at(text, hours) {
        return at;
    }
    let minutes = hours + 2 + usize::from(text.byte(hours + 2) == b':');
    let is_zone = is_pair_at(text, minutes) && !text.byte(minutes + 2).is_ascii_digit();
    if is_zone { minutes + 2 } else { at }
}

fn is_pair_at(text: Text<'_>, at: usize) -> bool {
    text.rest(at).get(..2).is_some_and(is_pair)
}

fn is_pair(bytes: &[u8]) -> bool {
    bytes.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Facts;

    fn found(text: &str) -> Option<&str> {
        let facts = Facts::default();
        let read = Text::new(text, &facts);
        find(read, 0, Word::read(read, 0)).map(|end| &text[..end])
    }

    #[test]
    fn times_are_skipped_as_a_whole() {
        for time in [
            "2024-05-17T09:12:44.120Z",
            "2024-05-17 09:12:44,120",
            "2024/05/17 09:12:44",
            "2024-05-17T09:12:44.123456789+02:00",
            "09:12:44",
            "12:01:11 +0200",
        ] {
            assert_eq!(found(&format!("{time} INFO")), Some(time));
        }
    }

    #[test]
    fn other_values_are_not_times() {
        for text in [
            "1987-04-23",
            "1987-04-23T00:00:00Z",
            "00:50:56:12:34:56",
            "12:34:56a",
            "2024-05-17T09:12",
            "078-05-1120",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
