//! Secrets that a text repeats: a value that was found beside its name is hidden everywhere in the
//! text, as in a trace of a shell or in the difference that a test reports.

use memchr::memmem;

use crate::finding::Finding;
use crate::rules::{BASIC, BEARER, SECRET, URL_PASSWORD};

/// The most different values that are searched, so that the time stays linear.
const MOST_VALUES: usize = 8;

/// Shorter values can be repeated by chance.
const SHORTEST_VALUE: usize = 8;

/// Shorter values in quotes are not searched. A repeated value of this length counts if it is in quotes
/// too, and is no word, or a message about it follows: `'x' is too short`.
const SHORTEST_QUOTED: usize = 4;

/// Words of this length are hardly repeated by chance.
const LONG_WORD: usize = 12;

/// The longest value that is searched.
const LONGEST_VALUE: usize = 256;

/// The rules whose values are searched.
const RULES: [&str; 4] = [SECRET, BASIC, BEARER, URL_PASSWORD];

/// Adds the other places of the values that were found in a text.
pub(crate) fn find(text: &str, findings: &mut Vec<Finding<'_>>) {
    let mut values: Vec<&str> = Vec::new();
    for found in findings.iter().filter(|found| RULES.contains(&found.rule)) {
        let value = &text[found.start..found.end];
        let is_short = (SHORTEST_QUOTED..SHORTEST_VALUE).contains(&value.len());
        let counts = is_distinct(value) || is_short && is_quoted(text, found.start, found.end);
        if values.len() < MOST_VALUES && counts && !values.contains(&value) {
            values.push(value);
        }
    }
    for value in values {
        let is_short = value.len() < SHORTEST_VALUE;
        for start in memmem::find_iter(text.as_bytes(), value) {
            let end = start + value.len();
            if is_whole(text, start, end) && (!is_short || is_quoted(text, start, end)) {
                findings.push(Finding {
                    start,
                    end,
                    rule: SECRET,
                });
            }
        }
    }
}

/// Whether a value is not a word or a number that occurs for other reasons.
fn is_distinct(value: &str) -> bool {
    let has_letter = value.chars().any(char::is_alphabetic);
    let has_other =
        value.chars().any(|character| !character.is_alphabetic()) || value.len() >= LONG_WORD;
    (SHORTEST_VALUE..=LONGEST_VALUE).contains(&value.len())
        && has_letter
        && has_other
        && !value.contains('\n')
}

/// Whether quotes enclose a value, which is no word of small letters, or a message about it follows.
fn is_quoted(text: &str, start: usize, end: usize) -> bool {
    let before = text[..start].chars().next_back();
    let after = text[end..].chars().next();
    let is_word = text[start..end]
        .bytes()
        .all(|byte| byte.is_ascii_lowercase());
    let is_reported = || {
        [" is ", " does ", " was "].iter().any(|verb| {
            text[end..]
                .get(1..)
                .is_some_and(|rest| rest.starts_with(verb))
        })
    };
    let is_found = text[..start].ends_with("']:\n    '") || text[..start].ends_with("']:\n    \"");
    before == after && matches!(before, Some('\'' | '"')) && (!is_word || is_found || is_reported())
}

/// Whether a value is not a part of a longer word.
fn is_whole(text: &str, start: usize, end: usize) -> bool {
    let is_part = |character: Option<char>| character.is_some_and(char::is_alphanumeric);
    !is_part(text[..start].chars().next_back()) && !is_part(text[end..].chars().next())
}
