//! Phone numbers: with a country code, in the usual groups of their country, or as bare digits
//! after a word such as `phone`.

use super::number::{Groups, Start, ends};
use crate::checks::parse_digits;
use crate::text::Text;
use crate::words::{is_named, is_other_number};

const WORDS: &[&str] = &[
    "call",
    "caller",
    "cell",
    "cellphone",
    "cellular",
    "celular",
    "contact",
    "dial",
    "fax",
    "gsm",
    "handy",
    "mobil",
    "mobile",
    "movil",
    "móvil",
    "msisdn",
    "phone",
    "phones",
    "portable",
    "sms",
    "tel",
    "telefon",
    "telefone",
    "telefono",
    "telefoon",
    "telephone",
    "téléphone",
    "whatsapp",
    "电话",
    "電話",
    "手机",
    "手機",
    "携帯",
    "هاتف",
];

/// Country codes, with the fewest and the most digits that may follow them.
#[rustfmt::skip]
const COUNTRIES: [(u64, usize, usize); 58] = [
    (1, 10, 10), (7, 10, 10), (20, 8, 10), (27, 9, 9), (30, 10, 10), (31, 9, 10), (32, 8, 9),
    (33, 9, 10), (34, 9, 9), (36, 8, 9), (39, 6, 11), (40, 9, 9), (41, 9, 10), (43, 7, 13),
    (44, 9, 11), (45, 8, 8), (46, 7, 10), (47, 8, 8), (48, 9, 9), (49, 6, 12), (51, 8, 9),
    (52, 10, 11), (53, 8, 8), (54, 10, 11), (55, 10, 11), (56, 9, 9), (57, 8, 10), (58, 10, 10),
    (60, 8, 10), (61, 9, 10), (62, 8, 12), (63, 8, 10), (64, 8, 10), (65, 8, 8), (66, 8, 9),
    (81, 9, 10), (82, 8, 11), (84, 9, 10), (86, 10, 12), (90, 10, 10), (91, 10, 10), (92, 9, 10),
    (93, 9, 9), (94, 9, 9), (95, 8, 10), (98, 10, 10), (351, 9, 10), (352, 5, 11), (353, 8, 10),
    (354, 7, 9), (358, 6, 11), (359, 8, 9), (380, 9, 9), (420, 9, 9), (421, 9, 9), (852, 8, 8),
    (886, 8, 9), (966, 8, 9),
];

/// Finds a phone number that begins with a plus: `+44 20 7946 0958`, `+49 (0)30 901820`,
/// `%2B4930901820`. Returns its end.
pub(crate) fn find_international(text: Text<'_>, at: usize) -> Option<usize> {
    let plus = if text.byte(at) == b'+' { 1 } else { 3 };
    let mut reader = Reader::new(text, at + plus);
    reader.read(15);
    let before = text.byte_before(at);
    if before.is_ascii_alphanumeric() && plus == 1 || before == b'+' {
        return None;
    }
    let end = reader.find_longest(text, is_international)?;
    Some(include_extension(text, end))
}

/// Finds a phone number that begins with a parenthesis: `(030) 901820`. Returns its end.
pub(crate) fn find_parenthesised(text: Text<'_>, at: usize) -> Option<usize> {
    let closing = text.run(at + 1, |byte| byte.is_ascii_digit());
    let area = closing - at - 1;
    if text.byte(closing) != b')' || !(1..=6).contains(&area) {
        return None;
    }
    let before = text.byte_before(at);
    if before.is_ascii_alphanumeric() || before == b'_' {
        return None;
    }
    let start = text.run(closing + 1, |byte| byte == b' ' || byte == b'-');
    if start > closing + 2 {
        return None;
    }
    let groups = Groups::read(text, start);
    let is_number = |&count: &usize| {
        let digits = groups.digits(count).len();
        let total = area + digits;
        groups.can_end(text, count)
            && digits >= 5
            && (8..=12).contains(&total)
            && groups.separator(count) != Some(b'/')
            && groups.lengths(1).all(|length| length >= 2)
    };
    let count = (1..=groups.all().len().min(4)).rev().find(is_number)?;
    Some(include_extension(text, groups.all()[count - 1].end))
}

/// Finds a phone number that begins with these groups. Returns its end.
pub(crate) fn find_national(
    text: Text<'_>,
    at: usize,
    start: Start,
    groups: &Groups,
) -> Option<usize> {
    let most = groups.all().len().min(6);
    let fits = |&count: &usize| groups.can_end(text, count) && is_grouped(groups, count);
    let grouped = (2..=most).rev().find(fits);
    let is_alone = |count: &usize| start.stands_alone(groups.separator(*count).unwrap_or(b' '));
    if let Some(count) = grouped
        .filter(is_alone)
        .filter(|_| !is_other_number(text, at))
    {
        return Some(include_extension(text, groups.all()[count - 1].end));
    }
    let fits = |&count: &usize| {
        (7..=13).contains(&groups.digits(count).len())
            && groups.can_end(text, count)
            && groups.separator(count).is_some()
    };
    let count = (1..=most).rev().find(fits)?;
    is_named(text, at, WORDS).then(|| include_extension(text, groups.all()[count - 1].end))
}

/// Whether the groups have a form that dates, prices and article numbers do not have.
fn is_grouped(groups: &Groups, count: usize) -> bool {
    let digits = groups.digits(count);
    let mut lengths = [0; 6];
    for (place, length) in lengths.iter_mut().zip(groups.lengths(count)) {
        *place = length;
    }
    let Some(separator) = groups.separator(count) else {
        // The separators differ, as in `030/901820-0`.
        return digits[0] == b'0' && is_trunk(groups, count, &lengths);
    };
    let area = parse_digits(&digits[..3.min(digits.len())]);
    match (separator, lengths, digits[0]) {
        (b'-' | b'.', [3, 3, 4, 0, ..], b'1'..=b'9') => true,
        (b'-' | b'.' | b' ', [1, 3, 3, 4, ..], b'1') => true,
        (b' ', [3, 3, 4, 0, ..], b'2'..=b'9') => matches!(digits[3], b'2'..=b'9'),
        // China's mobile numbers.
        (b'-' | b' ', [3, 4, 4, 0, ..], b'1') => (130..=199).contains(&area),
        // Russia's trunk prefix.
        (b'-' | b' ', [1, 3, 3, 2, 2, 0], b'8') => true,
        (_, _, b'0') => is_trunk(groups, count, &lengths),
        _ => false,
    }
}

/// Whether the groups are a number with the trunk prefix 0.
fn is_trunk(groups: &Groups, count: usize, lengths: &[usize; 6]) -> bool {
    let digits = groups.digits(count);
    let later = groups.all()[..count].iter().skip(2);
    let separators: Vec<u8> = later.map(|group| group.separator).collect();
    let is_even = separators.windows(2).all(|pair| pair[0] == pair[1]);
    let is_dotted = groups.all()[1].separator == b'.';
    let is_pairs = lengths[..5] == [2; 5] && count == 5;
    let is_date =
        lengths[0] == 2 && lengths[1] <= 2 && parse_digits(&digits[..2]) <= 31 && !is_pairs;
    let follows_code = digits[1] != b'0' || (lengths[0] >= 4 && starts_with_country(&digits[2..]));
    (9..=if digits[1] == b'0' { 15 } else { 13 }).contains(&digits.len())
        && (2..=5).contains(&lengths[0])
        && is_even
        && !is_date
        && (!is_dotted || is_pairs)
        && follows_code
        && (digits[1] != b'0' || digits.len() > 10)
}

fn starts_with_country(digits: &[u8]) -> bool {
    find_country(digits).is_some()
}

/// Finds the country code: its length, and the fewest and the most digits after it.
fn find_country(digits: &[u8]) -> Option<(usize, usize, usize)> {
    (1..=3).find_map(|length| {
        let code = parse_digits(digits.get(..length)?);
        let row = COUNTRIES.binary_search_by_key(&code, |(code, _, _)| *code);
        let (_, least, most) = COUNTRIES[row.ok()?];
        Some((length, least, most))
    })
}

fn is_international(digits: &[u8]) -> bool {
    if digits.first() == Some(&b'0') || digits.len() < 8 {
        return false;
    }
    match find_country(digits) {
        Some((length, least, most)) => (least..=most).contains(&(digits.len() - length)),
        None => digits.len() <= 15 && parse_digits(&digits[..2]) >= 20,
    }
}

/// Returns the end of a number including its extension, such as `x123` or `ext. 123`.
fn include_extension(text: Text<'_>, end: usize) -> usize {
    let rest = text.rest(end);
    let marks: [&[u8]; 6] = [b" x", b"x", b" ext. ", b" ext ", b", ext. ", b" extension "];
    let Some(mark) = marks.iter().find(|mark| rest.starts_with(mark)) else {
        return end;
    };
    let start = end + mark.len();
    let stop = text.run(start, |byte| byte.is_ascii_digit());
    if (1..=6).contains(&(stop - start)) && ends(text, stop) {
        stop
    } else {
        end
    }
}

/// Reads the digits after a plus, and skips the separators between them.
struct Reader<'t> {
    text: Text<'t>,
    at: usize,
    digits: Vec<u8>,
    /// For each group of digits: the digits so far, and the end of the group in the text.
    ends: Vec<(usize, usize)>,
}

impl<'t> Reader<'t> {
    fn new(text: Text<'t>, at: usize) -> Self {
        Self {
            text,
            at,
            digits: Vec::new(),
            ends: Vec::new(),
        }
    }

    fn read(&mut self, most: usize) {
        while self.digits.len() <= most {
            let end = self.text.run(self.at, |byte| byte.is_ascii_digit());
            if end == self.at || end - self.at > most {
                return;
            }
            self.digits
                .extend(&self.text.rest(self.at)[..end - self.at]);
            self.ends.push((self.digits.len(), end));
            self.at = self.skip(end);
        }
    }

    /// Skips a separator. `(0)` is only dialled inside the country, and is skipped too.
    fn skip(&self, at: usize) -> usize {
        let at = self.text.run(at, |byte| byte == b' ').min(at + 1);
        if self.text.rest(at).starts_with(b"(0)") {
            return self.text.run(at + 3, |byte| byte == b' ').min(at + 4);
        }
        let is_mark = |byte: u8| matches!(byte, b' ' | b'-' | b'.' | b'/' | b'(' | b')');
        let is_space = |byte: u8| !byte.is_ascii();
        let end = self.text.run(at, is_mark).min(at + 2);
        match self.text.rest(end) {
            [0xC2, 0xA0, ..] => end + 2,
            [0xE2, 0x80, 0xAF | 0x91, ..] => end + 3,
            _ if is_space(self.text.byte(end)) => at,
            _ => end,
        }
    }

    /// Returns the end of the longest number that fits.
    fn find_longest(&self, text: Text<'_>, fits: impl Fn(&[u8]) -> bool) -> Option<usize> {
        let ends = self.ends.iter().rev();
        let mut whole = ends.filter(|(count, end)| {
            fits(&self.digits[..*count])
                && !text.byte(*end).is_ascii_alphanumeric()
                && !matches!(text.byte(*end), b'@' | b'_')
        });
        whole.next().map(|(_, end)| *end)
    }
}
