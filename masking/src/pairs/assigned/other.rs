//! What stands after a name and a sign and is no value: code, measurements, labels of metrics and
//! results of tests. And words that are values only there.

use super::words::WEAK_PASSWORDS;
use crate::names::{self, Certainty, Name};
use crate::pairs::bare::Scene;
use crate::pairs::context::{Sign, ahead, is_quote, line_before};
use crate::pairs::judgement::{is_duration, names_password};
use crate::text::Text;

/// How many bytes of a line are read to find the arrow of a function.
const LONGEST_PARAMETERS: usize = 80;

/// Whether code is at a position: a function or a selector of JavaScript, `(a, b) => …` and
/// `$('input')`, a type, or what reads a value.
pub(super) fn is_function(text: Text<'_>, at: usize) -> bool {
    let rest = text.rest(at);
    let is_selector = matches!(rest, [b'$', b'(', quote, ..] if is_quote(*quote));
    let has_arrow = || {
        ahead(text, at, LONGEST_PARAMETERS)
            .and_then(|ahead| ahead.lines().next())
            .is_some_and(|line| line.contains(") =>"))
    };
    // Rust: `&'a str`; Perl: `<STDIN>`; PowerShell: `(Get-Secret …)`.
    let is_lifetime = matches!(rest, [b'&', b'\'', b'a'..=b'z', b' ', ..]);
    let is_read = ["&'static ", "<STDIN>", "(Get-"]
        .iter()
        .any(|start| rest.starts_with(start.as_bytes()));
    // Go: `[]byte(os.Getenv("X"))`.
    let is_conversion = rest
        .strip_prefix(b"[]byte(")
        .is_some_and(|argument| argument.first().is_some_and(u8::is_ascii_alphabetic));
    let is_column = rest.first() == Some(&b'(') && is_column(text, at + 1);
    is_selector
        || is_lifetime
        || is_read
        || is_conversion
        || is_column
        || rest.starts_with(b"(") && has_arrow()
}

/// Whether a number and the kind of its metric are at a position, as StatsD sends them: `412|ms`.
pub(super) fn is_measurement(text: Text<'_>, at: usize) -> bool {
    let end = text.run_within(at, LONGEST_NUMBER, |byte| {
        byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+')
    });
    let kind = text.rest(end).strip_prefix(b"|");
    end > at
        && kind.is_some_and(|kind| {
            let length = kind
                .iter()
                .take_while(|byte| byte.is_ascii_lowercase())
                .count();
            matches!(
                &kind[..length],
                b"c" | b"g" | b"h" | b"d" | b"s" | b"m" | b"ms"
            )
        })
}

/// The longest number of a metric.
pub(super) const LONGEST_NUMBER: usize = 24;

/// Whether a text of small letters is the label of a metric: `token_errors_total{token="refresh"}`.
pub(super) fn is_metric_label(text: Text<'_>, written: &str, name: Name, scene: Scene<'_>) -> bool {
    let is_label = |byte: u8| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'-');
    let is_metric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let labels = || line_before(text, name.start, LONGEST_LABELS).rsplit_once('{');
    scene.bracket == b'{'
        && scene.sign == Sign::Equals
        && !scene.is_spaced
        && written.bytes().all(is_label)
        && labels().is_some_and(|(before, _)| {
            let metric =
                before.rsplit(|letter: char| !letter.is_ascii() || !is_metric(letter as u8));
            metric.take(1).any(|metric| metric.contains('_'))
        })
}

/// How many bytes of a line are read to find the name of a metric before its labels.
const LONGEST_LABELS: usize = 256;

/// Whether a word that is a placeholder in texts is a weak password, because it is the whole value
/// of a password in an assignment: `password=secure`, `password: "mysql"`.
pub(super) fn is_weak_password(written: &str, name: Name, scene: Scene<'_>) -> bool {
    name.certainty == Certainty::Certain
        && matches!(scene.sign, Sign::Equals | Sign::Colon)
        && WEAK_PASSWORDS.contains(&written)
        && names_password(scene.name)
}

/// Whether the column of a table in brackets begins at a position, as in the plans of databases:
/// `((t.token) = (s.token))`.
pub(super) fn is_column(text: Text<'_>, at: usize) -> bool {
    let end = text.run_near(at, |byte| {
        byte.is_ascii_lowercase() || matches!(byte, b'_' | b'.')
    });
    let column = &text.text[at..end];
    text.byte(end) == b')'
        && column
            .split_once('.')
            .is_some_and(|(table, column)| !table.is_empty() && names::has_stem(column))
}

/// Whether a value is the name of a test, of three or more words: `pass: password_policy_01`.
pub(super) fn is_test_name(written: &str) -> bool {
    let first = written.split(' ').next().unwrap_or_default();
    let is_word = |part: &str| part.len() > 1 && part.bytes().all(|byte| byte.is_ascii_lowercase());
    first.split('_').count() >= 3 && first.split('_').take(2).all(is_word)
}

/// Whether a duration in brackets ends the result of a test: `PASS: TestLogin (0.08s)`.
pub(super) fn ends_with_duration(written: &str) -> bool {
    written
        .strip_suffix(')')
        .and_then(|result| result.rsplit_once('('))
        .is_some_and(|(_, duration)| is_duration(duration))
}

/// How many bytes of an object are read to find out whether it has the settings of a cookie.
const LONGEST_SETTINGS: usize = 256;

/// Whether an object has the settings of a cookie, and no value: `"cookie": {"name": "sid",
/// "maxAge": 86400}`.
pub(super) fn is_cookie_setting(text: Text<'_>, at: usize, name: &str) -> bool {
    if !name.to_ascii_lowercase().ends_with("cookie") {
        return false;
    }
    let ahead = ahead(text, at, LONGEST_SETTINGS).unwrap_or_default();
    let object = ahead.split('}').next().unwrap_or_default();
    let object = object.to_ascii_lowercase();
    let has_attribute = ["maxage", "httponly", "samesite", "secure"]
        .iter()
        .any(|attribute| object.contains(attribute));
    has_attribute && !object.contains("value")
}
