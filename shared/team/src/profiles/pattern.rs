//! Patterns that texts of spans are compared with, and templates that texts are made from.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// The most bytes of a text that a template makes. No record needs a longer name or id.
const MAX_FILLED_BYTES: usize = 512;

/// A text with at most one `*`, which matches any characters. Each `?` matches one character.
///
/// A comparison takes time in proportion to the pattern, whatever the length of the text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(inline))]
#[serde(transparent)]
pub struct Pattern(
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = super::MAX_TEXT_LENGTH)))]
    #[cfg_attr(feature = "schema", schemars(regex(pattern = r"^[^*]*\*?[^*]*$")))]
    String,
);

impl Pattern {
    /// Returns what is wrong with the pattern, if anything.
    pub(super) fn problem(&self) -> Option<&'static str> {
        (self.0.matches('*').count() > 1).then_some("Use at most one * in a pattern.")
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the characters that the `*` matches, or all characters for a pattern without
    /// one. `None` if the text does not match.
    pub fn capture<'t>(&self, text: &'t str) -> Option<&'t str> {
        match self.0.split_once('*') {
            Some((start, end)) => without_end(without_start(text, start)?, end),
            None => without_start(text, &self.0)?.is_empty().then_some(text),
        }
    }

    /// Whether the text matches.
    pub fn matches(&self, text: &str) -> bool {
        self.capture(text).is_some()
    }
}

fn matches_character(expected: char, found: char) -> bool {
    expected == '?' || expected == found
}

fn without_start<'t>(text: &'t str, start: &str) -> Option<&'t str> {
    let mut rest = text.chars();
    for expected in start.chars() {
        rest.next()
            .filter(|found| matches_character(expected, *found))?;
    }
    Some(rest.as_str())
}

fn without_end<'t>(text: &'t str, end: &str) -> Option<&'t str> {
    let mut rest = text.chars();
    for expected in end.chars().rev() {
        rest.next_back()
            .filter(|found| matches_character(expected, *found))?;
    }
    Some(rest.as_str())
}

/// A text with placeholders in braces: `{*}` is what the pattern of the span's name has
/// captured, any other one is an attribute of the span or of its resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(inline))]
#[serde(transparent)]
pub struct Template(
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = super::MAX_TEXT_LENGTH)))]
    #[cfg_attr(
        feature = "schema",
        schemars(regex(pattern = r"^([^{}]|\{[^{}]+\})+$"))
    )]
    String,
);

impl Template {
    /// Returns what is wrong with the template, if anything.
    pub(super) fn problem(&self) -> Option<&'static str> {
        let mut rest = self.0.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            let Some((placeholder, after)) = after.split_once('}') else {
                return Some("Close each { with a }.");
            };
            if placeholder.is_empty() || placeholder.contains('{') || before.contains('}') {
                return Some("Write {*} or the name of an attribute in braces.");
            }
            rest = after;
        }
        rest.contains('}').then_some("Open each } with a {.")
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Fills the placeholders, up to the longest text that is needed. `None` if one of them has no
    /// text.
    pub fn fill<'t>(&self, text_of: impl Fn(&str) -> Option<Cow<'t, str>>) -> Option<String> {
        let mut filled = String::new();
        let mut rest = self.0.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            let (placeholder, after) = after.split_once('}')?;
            push_start(&mut filled, before);
            push_start(&mut filled, &text_of(placeholder)?);
            rest = after;
        }
        push_start(&mut filled, rest);
        Some(filled)
    }
}

/// Appends as much of a text as fits.
fn push_start(filled: &mut String, text: &str) {
    let room = MAX_FILLED_BYTES - filled.len();
    *filled += &text[..text.floor_char_boundary(room)];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_captures_what_its_star_matches() {
        let capture = |pattern: &str, text| Pattern(pattern.to_owned()).capture(text);
        assert_eq!(capture("RunWorkflow:*", "RunWorkflow:Order"), Some("Order"));
        assert_eq!(capture("RunWorkflow:*", "StartWorkflow:Order"), None);
        assert_eq!(capture("*-???", "charge-card-4c0"), Some("charge-card"));
        assert_eq!(capture("*-???", "charge-ß€é"), Some("charge"));
        assert_eq!(capture("*-???", "-ab"), None);
        assert_eq!(capture("a*b", "ab"), Some(""));
        assert_eq!(capture("ab*ba", "aba"), None);
        assert_eq!(capture("skipped", "skipped"), Some("skipped"));
        assert_eq!(capture("skipped", "skipped!"), None);
        assert_eq!(capture("*", ""), Some(""));
    }

    #[test]
    fn a_template_needs_a_text_for_each_placeholder() {
        let fill = |template: &str| {
            let text_of = |name: &str| (name == "a.b").then_some(Cow::Borrowed("x"));
            Template(template.to_owned()).fill(text_of)
        };
        assert_eq!(fill("{a.b}/{a.b}!").as_deref(), Some("x/x!"));
        assert_eq!(fill("plain").as_deref(), Some("plain"));
        assert_eq!(fill("{a.b}/{c}"), None);
        assert_eq!(fill("{a.b"), None);
    }

    #[test]
    fn a_template_never_makes_a_long_text() {
        let large = "ß".repeat(1_000_000);
        let template = Template("x{large}{large}".to_owned());
        let filled = template.fill(|_| Some(Cow::Borrowed(large.as_str())));
        let filled = filled.expect("a text");
        assert!(filled.starts_with("xßß"));
        assert_eq!(filled.len(), 511);
    }

    #[test]
    fn a_comparison_reads_no_more_of_a_text_than_its_pattern() {
        let large = "a".repeat(16 * 1024 * 1024);
        let pattern = Pattern(format!("{0}*{0}b", "a".repeat(100)));
        let started = std::time::Instant::now();
        assert!((0..1_000).all(|_| !pattern.matches(&large)));
        // Reading the whole text a thousand times would take minutes.
        assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
    }
}
