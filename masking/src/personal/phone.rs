//! Phone numbers: with a country code, in the usual groups of their country, or as bare digits
//! after a word such as `phone`.

use super::context::{Context, Label};
use super::countries::{self, is_international};
use super::number::{Groups, Start, ends};
use super::value::is_date;
use crate::checks::parse_digits;
use crate::text::Text;

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
    // Go's monotonic clock, in seconds since the start: `m=+0.104455812`.
    if text.before(at, 2) == "m=" {
        return None;
    }
    let end = reader.find_longest(text, is_international)?;
    Some(include_extension(text, end))
}

/// Finds a phone number that begins with a parenthesis: `(030) 901820`. Returns its end.
pub(crate) fn find_parenthesised(text: Text<'_>, at: usize, is_named: bool) -> Option<usize> {
    let is_area = |byte: u8| byte.is_ascii_digit() || is_named && byte == b' ';
    let closing = text.run(at + 1, is_area).min(at + 9);
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
            && (is_named || groups.separator(count) != Some(b'/'))
            && groups.lengths(1).all(|length| length >= 2)
    };
    let count = (1..=groups.all().len().min(5)).rev().find(is_number)?;
    Some(include_extension(text, groups.all()[count - 1].end))
}

/// Finds a phone number of bare digits or groups after a word for phone. Returns its end.
pub(crate) fn find_named(
    text: Text<'_>,
    at: usize,
    groups: &Groups,
    context: &Context,
) -> Option<usize> {
    if !context.is(Label::Phone) || is_date(text.rest(at)) {
        return None;
    }
    let least = if context.distance == 0 { 6 } else { 7 };
    let fits = |&count: &usize| {
        let digits = groups.digits(count);
        let last = groups.all()[count - 1].end;
        let most = if digits.starts_with(b"00") || is_international(digits) {
            16
        } else {
            13
        };
        // `Mobile Safari/537.36 EdgA/122.0.0.0`
        let is_version = groups.separator(count) == Some(b'.')
            && groups.lengths(count).skip(1).any(|length| length == 1);
        let is_alone = count == 1
            || groups
                .lengths(count)
                .all(|length| length < 8 || context.distance == 0);
        (least..=most).contains(&digits.len())
            && (ends(text, last) || text.byte(last) == b'@')
            && !(groups.continues && count == groups.all().len())
            && is_alone
            && !is_version
            && !is_list(groups, count)
            && !digits.starts_with(b"0000")
            && !is_time(digits, count, context)
    };
    let count = (1..=groups.all().len().min(8)).rev().find(fits)?;
    Some(include_extension(text, groups.all()[count - 1].end))
}

/// Whether the groups are two numbers: `030 901820 / 030 901821`.
fn is_list(groups: &Groups, count: usize) -> bool {
    let later = groups.all()[..count].iter().skip(2);
    groups.separator(count).is_none() && later.clone().any(|group| group.separator == b'/')
}

/// Whether bare digits far from the word are a time: seconds since 1970, or year, month and day.
fn is_time(digits: &[u8], count: usize, context: &Context) -> bool {
    let is_epoch = matches!(digits.len(), 10 | 13) && matches!(digits[..2], [b'1', b'4'..=b'9']);
    let is_day = digits.len() == 8 && matches!(digits[..2], [b'1', b'9'] | [b'2', b'0']);
    count == 1 && context.distance > 0 && (is_epoch || is_day)
}

/// Finds the number of a sender or receiver: bare digits with a country code. Returns its end.
pub(crate) fn find_party(text: Text<'_>, groups: &Groups) -> Option<usize> {
    let digits = groups.digits(1);
    let end = groups.all().first()?.end;
    let is_number = (10..=15).contains(&digits.len()) && is_international(digits);
    let is_local = digits.len() == 11 && digits[0] == b'0' && digits[1] != b'0';
    ((is_number || is_local) && ends(text, end)).then_some(end)
}

/// Finds a phone number in the usual groups of its country. Returns its end.
pub(crate) fn find_grouped(
    text: Text<'_>,
    at: usize,
    start: Start,
    groups: &Groups,
) -> Option<usize> {
    let most = groups.all().len().min(6);
    let fits = |&count: &usize| groups.can_end(text, count) && is_grouped(groups, count);
    let count = (2..=most).rev().find(fits)?;
    let is_alone = start.stands_alone(groups.separator(count).unwrap_or(b' '));
    let end = groups.all()[count - 1].end;
    (is_alone && !continues_time(text, at) && !is_path(text, at, end))
        .then(|| include_extension(text, groups.all()[count - 1].end))
}

/// Whether two digits and a colon precede a number, as in times and in numbers of devices:
/// `13:53:08 2025-05-16`, `fd:01 1048602`.
fn continues_time(text: Text<'_>, at: usize) -> bool {
    let before = text.before(at, 3).as_bytes();
    matches!(before, [.., first, second, b':'] if first.is_ascii_hexdigit() && second.is_ascii_hexdigit())
}

/// Whether a number between two positions belongs to a path, `/01/2003068942/`, or is the day and
/// the time of a line of Chromium's log: `[0701/114930:WARNING`.
fn is_path(text: Text<'_>, at: usize, end: usize) -> bool {
    let has_slash = text.rest(at)[..end - at].contains(&b'/');
    has_slash && (text.byte_before(at) == b'/' || matches!(text.byte(end), b':' | b'/'))
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
    countries::find(digits).is_some()
}

/// What stands before an extension.
const EXTENSIONS: &[&str] = &[
    " x",
    "x",
    " ext. ",
    " ext ",
    " ext.",
    ", ext. ",
    ", ext ",
    " extension ",
    " Ext. ",
    " Ext ",
    ";ext=",
    " #",
    " wew. ",
    " w. ",
    " DW ",
    " Dw. ",
    " int. ",
    " int ",
    " poste ",
    " ramal ",
    " interno ",
    " доб. ",
    " доб ",
    " anexo ",
    " toestel ",
    " 内線",
    " 내선 ",
    " 转",
    " 分機",
];

/// Returns the end of a number including its extension, such as `x123` or `ext. 123`.
fn include_extension(text: Text<'_>, end: usize) -> usize {
    let rest = text.rest(end);
    let Some(mark) = EXTENSIONS
        .iter()
        .find(|mark| rest.starts_with(mark.as_bytes()))
    else {
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
