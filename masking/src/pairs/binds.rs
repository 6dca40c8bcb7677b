//! Values of SQL parameters, which loggers write after the statement: `[parameters: ('bob', 'x')]`,
//! `binding parameter [2] as [VARCHAR] - [x]`, `$1 = 'x'`.

use super::Values;
use super::context::{ahead, is_quote, line_before, skip_blanks, skip_spaces, slice};
use super::judgement::is_placeholder;
use super::quoted;
use crate::names::{Certainty, Name};
use crate::text::Text;

/// How far after a statement its parameters are searched.
const REACH: usize = 1_500;

/// What loggers write before a list of parameters.
#[rustfmt::skip]
const LISTS: &[&str] = &[
    "parameters: (", "parameters: [", "Parameters: (", "Parameters: [", "PARAMETERS: [", "PARAMETERS: (", "params: [", "params: (", "Params: [", "args: [", "args: (", "args=[", "args=(", "bindings: [", "values: [", "s: [(", "}: [", "; [", "]: [", "): [", ") [", "\", [", "', [", "\", (", "', (", ": ['", ": [\"", " [\"", " ['", "Parameters=[", "s] (", "key] (", "ago] (", "sql] (",
];

/// Adds the value of the parameter with an index, counted from 0.
pub(super) fn find(text: Text<'_>, from: usize, index: usize, values: &mut Values) {
    let Some(rest) = ahead(text, from, REACH) else {
        return;
    };
    if let Some((start, stop)) = find_single(rest, index + 1) {
        return push(text, from + start, from + stop, values);
    }
    // Entity Framework writes the parameters before the statement.
    let before = text.before(from, REACH);
    if let Some((start, stop)) = find_single(before, index + 1).filter(|_| before.contains("@p")) {
        let offset = from - before.len();
        return push(text, offset + start, offset + stop, values);
    }
    let typed_list = rest
        .find(TYPED_LIST)
        .filter(|_| rest.contains("(String)"))
        .map(|place| place + TYPED_LIST.len());
    if let Some(place) = typed_list {
        if let Some((start, stop)) = typed(&rest[place..], index) {
            push(text, from + place + start, from + place + stop, values);
        }
        return;
    }
    // Rails lists names and values, which are read as pairs.
    if let Some(open) = nearest_list(rest).filter(|&open| !rest[..open + 2].contains("[["))
        && let Some(&(start, stop)) = read_list(text, from + open, from + rest.len()).get(index)
    {
        push(text, start, stop, values);
    }
}

/// What MyBatis writes before a list of parameters with their types.
const TYPED_LIST: &str = "Parameters: ";

/// The bracket of the nearest list of parameters.
fn nearest_list(rest: &str) -> Option<usize> {
    let begins = |list: &&str, open: usize| {
        let place = list.find(['[', '(']).unwrap_or(0);
        let list = list.as_bytes();
        let start = open.checked_sub(place);
        start.is_some_and(|start| rest.as_bytes()[start..].starts_with(list))
    };
    memchr::memchr2_iter(b'[', b'(', rest.as_bytes())
        .find(|&open| LISTS.iter().any(|list| begins(list, open)))
}

/// Adds a value, unless it is a placeholder.
fn push(text: Text<'_>, start: usize, end: usize, values: &mut Values) {
    if !is_placeholder(slice(text, start, end)) {
        values.push(start, end);
    }
}

/// A parameter on a line of its own: `binding parameter [2] as [VARCHAR] - [x]`,
/// `binding parameter (2:VARCHAR) <- [x]`, `$2 = 'x'`.
fn find_single(rest: &str, number: usize) -> Option<(usize, usize)> {
    // Almost all texts have no sign of a parameter.
    let has_word = memchr::memmem::find(rest.as_bytes(), b"parameter ").is_some();
    let has_sign = memchr::memchr2(b'$', b'@', rest.as_bytes()).is_some();
    if !has_word && !has_sign {
        return None;
    }
    for start in [
        format!("parameter [{number}] "),
        format!("parameter ({number}:"),
    ] {
        if let Some(place) = rest.find(&start) {
            let line = rest[place..].lines().next()?;
            let open = ["- [", "<- ["]
                .iter()
                .filter_map(|sign| Some(line.find(sign)? + sign.len()))
                .min()?;
            let close = line.rfind(']')?;
            return (open < close).then_some((place + open, place + close));
        }
    }
    for start in [
        format!("${number} = '"),
        format!("@p{} = '", number.saturating_sub(1)),
        format!("@p{}='", number.saturating_sub(1)),
        format!("@{number}='"),
    ] {
        if let Some(place) = rest.find(&start) {
            let open = place + start.len();
            let mut close = open;
            // A quote in the value is doubled.
            while let Some(length) = rest[close..].find('\'') {
                close += length;
                if rest[close + 1..].starts_with('\'') {
                    close += 2;
                } else {
                    return Some((open, close));
                }
            }
        }
    }
    None
}

/// MyBatis: `lily(String), x(String), 25(Integer)`.
fn typed(rest: &str, index: usize) -> Option<(usize, usize)> {
    let line = rest.lines().next()?;
    let mut start = 0;
    for place in 0..=index {
        let close = line[start..]
            .find("), ")
            .map_or(line.len(), |length| start + length + 1);
        if place == index {
            let open = line[start..close].rfind('(')?;
            return Some((start, start + open));
        }
        start = close + 2;
        if start >= line.len() {
            return None;
        }
    }
    None
}

/// The elements of the list that opens at a position, without quotes.
fn read_list(text: Text<'_>, open: usize, limit: usize) -> Vec<(usize, usize)> {
    let mut elements = Vec::new();
    let mut at = skip_blanks(text, open + 1);
    if matches!(text.byte(at), b'(' | b'[') {
        at = skip_blanks(text, at + 1);
    }
    while at < limit && elements.len() < 64 {
        at += quoted::prefix_length(text, at, b"buN");
        if is_quote(text.byte(at)) {
            let Some(value) = quoted::read(text, at) else {
                break;
            };
            elements.push((value.start, value.end));
            at = value.next;
        } else {
            let end = text.run_near(at, |byte| !matches!(byte, b',' | b']' | b')' | b'\n'));
            elements.push((at, end));
            at = end;
        }
        at = skip_spaces(text, at);
        if text.byte(at) != b',' {
            break;
        }
        at = skip_blanks(text, at + 1);
    }
    elements
}

/// Adds the parameter of `SET password = ?` and `WHERE token = $1`.
pub(super) fn find_assigned(text: Text<'_>, name: Name, values: &mut Values) {
    if name.certainty == Certainty::Weak {
        return;
    }
    let quote = usize::from(is_quote(text.byte(name.end)) || text.byte(name.end) == b']');
    let equals = skip_spaces(text, name.end + quote);
    if text.byte(equals) != b'=' {
        return;
    }
    let at = skip_spaces(text, equals + 1);
    match text.rest(at) {
        [b'?', ..] => {
            let statement = line_before(text, name.start, REACH);
            find(text, at + 1, statement.matches('?').count(), values);
        }
        [b'@', b'p', digit, ..] | [b'$', b'p', digit, ..] if digit.is_ascii_digit() => {
            find(text, at + 1, read_number(text, at + 2), values);
        }
        [b'$' | b'@', digit, ..] if digit.is_ascii_digit() => {
            let index = read_number(text, at + 1).saturating_sub(1);
            find(text, at + 1, index, values);
        }
        [b'%', b's', ..] => {
            let statement = line_before(text, name.start, REACH);
            find(text, at + 2, statement.matches("%s").count(), values);
        }
        [b'%', b'(', ..] => find_named(text, at + 2, values),
        [b':', ..] => find_named(text, at + 1, values),
        _ => {}
    }
}

/// The number of a parameter at a position; 1 if it is too large.
fn read_number(text: Text<'_>, start: usize) -> usize {
    let end = text.run_near(start, |byte| byte.is_ascii_digit());
    slice(text, start, end).parse().unwrap_or(1)
}

/// Adds the value of the parameter whose name is at a position: `{'pw': 'x'}`.
fn find_named(text: Text<'_>, start: usize, values: &mut Values) {
    let from = text.run_near(start, |byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let name = slice(text, start, from);
    let Some(rest) = ahead(text, from, REACH).filter(|_| !name.is_empty()) else {
        return;
    };
    for quote in ['\'', '"'] {
        let key = format!("{quote}{name}{quote}: ");
        if let Some(place) = rest.find(&key) {
            let at = from + place + key.len();
            if let Some(value) = quoted::read(text, at).filter(|_| is_quote(text.byte(at))) {
                push(text, value.start, value.end, values);
            }
        }
    }
}
