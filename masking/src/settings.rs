//! A team's own settings: what they may be, and what is made of them.

use std::collections::BTreeSet;

use regex::{Regex, RegexBuilder};
use regex_syntax::ParserBuilder;
use regex_syntax::ast::Span;
use serde::{Deserialize, Serialize};

use crate::rules::is_rule;
#[cfg(feature = "schema")]
use crate::rules::rules;
use crate::text::MAX_NAME_LENGTH;
use crate::words::Words;

/// More rules than a team has kinds of secrets; each is one more walk over
/// every text.
const MAX_ENTRIES: usize = 100;

/// A pattern that is longer is a list, and better several patterns.
const MAX_PATTERN_CHARACTERS: usize = 1_000;

/// A field's name that is longer is no name.
const MAX_KEY_CHARACTERS: usize = 128;

/// What one compiled pattern may take. A hundred of these fit into the smallest
/// function with room to spare.
const MAX_COMPILED_BYTES: usize = 1 << 20;

/// Parentheses within parentheses.
const MAX_NESTING: u32 = 50;

/// A team's own settings.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Settings {
    /// The team's own rules.
    #[cfg_attr(feature = "schema", schemars(length(max = MAX_ENTRIES)))]
    pub patterns: Vec<Pattern>,
    /// Further names of fields that hold secrets.
    #[cfg_attr(feature = "schema", schemars(length(max = MAX_ENTRIES), inner(length(max = MAX_KEY_CHARACTERS), regex(pattern = "[A-Za-z0-9]"))))]
    pub key_names: Vec<String>,
    /// What any rule finds and one of these matches in full stays readable.
    #[cfg_attr(feature = "schema", schemars(length(max = MAX_ENTRIES), inner(length(min = 1, max = MAX_PATTERN_CHARACTERS))))]
    pub allowed_patterns: Vec<String>,
    /// Names of fields that stay readable.
    #[cfg_attr(feature = "schema", schemars(length(max = MAX_ENTRIES), inner(length(max = MAX_KEY_CHARACTERS), regex(pattern = "[A-Za-z0-9]"))))]
    pub allowed_key_names: Vec<String>,
    /// Built-in rules that are switched off.
    #[cfg_attr(feature = "schema", schemars(length(max = MAX_ENTRIES), extend("items" = {"type": "string", "enum": rules().map(|rule| rule.name).collect::<Vec<_>>()})))]
    pub allowed_rules: Vec<String>,
}

/// A rule of a team.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Pattern {
    /// What stands in the mask: lower-case letters, digits and dashes.
    #[cfg_attr(feature = "schema", schemars(length(max = MAX_NAME_LENGTH), regex(pattern = "^[a-z0-9-]+$")))]
    pub name: String,
    /// A regular expression as the `regex` crate reads it. What it matches is
    /// masked.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = MAX_PATTERN_CHARACTERS)))]
    pub pattern: String,
}

/// Settings that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct InvalidSettings {
    /// Which part, such as `patterns[2].pattern`.
    pub field: String,
    /// What is wrong with it, for a person to read.
    pub reason: String,
}

impl InvalidSettings {
    fn new(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            reason: reason.into(),
        }
    }
}

/// Settings that are compiled.
#[derive(Debug, Default)]
pub(crate) struct Compiled {
    pub(crate) patterns: Vec<(String, Regex)>,
    pub(crate) key_names: BTreeSet<String>,
    pub(crate) allowed_patterns: Vec<Regex>,
    pub(crate) allowed_key_names: BTreeSet<String>,
    pub(crate) allowed_rules: BTreeSet<String>,
}

impl Compiled {
    /// Checks and compiles.
    pub(crate) fn new(settings: &Settings) -> Result<Self, InvalidSettings> {
        check_counts(settings)?;
        let mut compiled = Self::default();
        for (index, Pattern { name, pattern }) in settings.patterns.iter().enumerate() {
            check_name(&format!("patterns[{index}].name"), name)?;
            let field = format!("patterns[{index}].pattern");
            let regex = compile(&field, pattern, pattern)?;
            compiled.patterns.push((name.clone(), regex));
        }
        for (index, pattern) in settings.allowed_patterns.iter().enumerate() {
            let field = format!("allowedPatterns[{index}]");
            let whole = format!(r"\A(?:{pattern})\z");
            let regex = compile(&field, pattern, &whole)?;
            compiled.allowed_patterns.push(regex);
        }
        compiled.key_names = key_names("keyNames", &settings.key_names)?;
        compiled.allowed_key_names = key_names("allowedKeyNames", &settings.allowed_key_names)?;
        for (index, rule) in settings.allowed_rules.iter().enumerate() {
            if !is_rule(rule) {
                let field = format!("allowedRules[{index}]");
                return Err(InvalidSettings::new(
                    field,
                    "No built-in rule has this name.",
                ));
            }
        }
        compiled.allowed_rules = settings.allowed_rules.iter().cloned().collect();
        Ok(compiled)
    }
}

fn check_counts(settings: &Settings) -> Result<(), InvalidSettings> {
    let counts = [
        ("patterns", settings.patterns.len()),
        ("keyNames", settings.key_names.len()),
        ("allowedPatterns", settings.allowed_patterns.len()),
        ("allowedKeyNames", settings.allowed_key_names.len()),
        ("allowedRules", settings.allowed_rules.len()),
    ];
    let over = counts.into_iter().find(|(_, count)| *count > MAX_ENTRIES);
    over.map_or(Ok(()), |(field, count)| {
        let reason = format!("There are {count} entries; at most {MAX_ENTRIES} are allowed.");
        Err(InvalidSettings::new(field, reason))
    })
}

fn check_name(field: &str, name: &str) -> Result<(), InvalidSettings> {
    let is_part = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    if (1..=MAX_NAME_LENGTH).contains(&name.len()) && name.bytes().all(is_part) {
        return Ok(());
    }
    let reason = format!(
        "A name has 1 to {MAX_NAME_LENGTH} characters: lower-case letters, digits and dashes."
    );
    Err(InvalidSettings::new(field, reason))
}

/// The names, as they are compared: their words in lower case, joined.
fn key_names(field: &str, names: &[String]) -> Result<BTreeSet<String>, InvalidSettings> {
    let joined = |(index, name): (usize, &String)| {
        let words = Words::of(name);
        if words.count() > 0 && name.chars().count() <= MAX_KEY_CHARACTERS {
            return Ok(words.joined().to_owned());
        }
        let reason = format!(
            "A key name has 1 to {MAX_KEY_CHARACTERS} characters, of which one is a letter or a digit."
        );
        Err(InvalidSettings::new(format!("{field}[{index}]"), reason))
    };
    names.iter().enumerate().map(joined).collect()
}

/// Compiles `whole`, which is built around the `pattern` that the team wrote and
/// that the reason of an error speaks of.
fn compile(field: &str, pattern: &str, whole: &str) -> Result<Regex, InvalidSettings> {
    let refuse = |reason: String| InvalidSettings::new(field, reason);
    if pattern.chars().count() > MAX_PATTERN_CHARACTERS {
        return Err(refuse(format!(
            "A pattern has at most {MAX_PATTERN_CHARACTERS} characters."
        )));
    }
    let mut parser = ParserBuilder::new().nest_limit(MAX_NESTING).build();
    let parsed = parser.parse(pattern);
    let parsed = parsed.map_err(|error| refuse(what_is_wrong(&error)))?;
    if parsed
        .properties()
        .minimum_len()
        .is_none_or(|least| least == 0)
    {
        return Err(refuse(
            "The pattern matches the empty text; it needs at least one character.".to_owned(),
        ));
    }
    RegexBuilder::new(whole)
        .size_limit(MAX_COMPILED_BYTES)
        .nest_limit(MAX_NESTING + 2)
        .build()
        .map_err(|error| refuse(too_large_or_open(&error)))
}

fn what_is_wrong(error: &regex_syntax::Error) -> String {
    let at = |span: &Span, kind: String| {
        let kind = kind.trim_end_matches('.');
        format!(
            "Line {}, column {}: {kind}.",
            span.start.line, span.start.column
        )
    };
    match error {
        regex_syntax::Error::Parse(error) => at(error.span(), error.kind().to_string()),
        regex_syntax::Error::Translate(error) => at(error.span(), error.kind().to_string()),
        _ => "The pattern cannot be read.".to_owned(),
    }
}

fn too_large_or_open(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => format!(
            "The compiled pattern is larger than {MAX_COMPILED_BYTES} bytes. Shorten its repetitions, or write `[a-z]` for `\\w`, which stands for the letters of every script."
        ),
        _ => {
            "The pattern is not complete on its own, such as one that ends in a comment.".to_owned()
        }
    }
}
