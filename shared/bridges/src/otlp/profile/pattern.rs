//! Patterns that texts of spans are compared with, and templates that texts are made from.

use serde::Deserialize;

/// A text in which the first `*` matches any characters, and each `?` one character.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub(super) struct Pattern(String);

impl Pattern {
    /// Returns the characters that the `*` matches, or all characters for a pattern without
    /// one. `None` if the text does not match.
    pub(super) fn capture<'t>(&self, text: &'t str) -> Option<&'t str> {
        match self.0.split_once('*') {
            Some((start, end)) => without_end(without_start(text, start)?, end),
            None => without_start(text, &self.0)?.is_empty().then_some(text),
        }
    }

    /// Whether the text matches.
    pub(super) fn matches(&self, text: &str) -> bool {
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
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub(super) struct Template(String);

impl Template {
    /// Fills the placeholders. `None` if one of them has no text.
    pub(super) fn fill(&self, text_of: impl Fn(&str) -> Option<String>) -> Option<String> {
        let mut filled = String::new();
        let mut rest = self.0.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            let (placeholder, after) = after.split_once('}')?;
            filled += before;
            filled += &text_of(placeholder)?;
            rest = after;
        }
        Some(filled + rest)
    }
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
            let text_of = |name: &str| (name == "a.b").then(|| "x".to_owned());
            Template(template.to_owned()).fill(text_of)
        };
        assert_eq!(fill("{a.b}/{a.b}!").as_deref(), Some("x/x!"));
        assert_eq!(fill("plain").as_deref(), Some("plain"));
        assert_eq!(fill("{a.b}/{c}"), None);
        assert_eq!(fill("{a.b"), None);
    }
}
