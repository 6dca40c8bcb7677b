//! A team's own settings: their checks, and their compiled form.

use std::collections::BTreeSet;

use regex::{Regex, RegexBuilder};
use regex_syntax::ParserBuilder;
use regex_syntax::ast::Span;
use serde::{Deserialize, Serialize};

use crate::own::OwnPattern;
use crate::rules::{is_rule, rules};
use crate::text::MAX_NAME_LENGTH;
use crate::words::Words;

/// The most entries of each list. A team has fewer kinds of secrets, and each rule is one more
/// search in every text.
pub const MAX_ENTRIES: usize = 100;

/// The longest pattern. A longer pattern is usually a list, which should be several patterns.
const MAX_PATTERN_CHARACTERS: usize = 1_000;

/// The longest key name. Longer texts are not names of fields.
const MAX_KEY_CHARACTERS: usize = 128;

/// The most memory of a compiled pattern. A hundred of these fit easily into the smallest
/// function.
pub(crate) const MAX_COMPILED_BYTES: usize = 1 << 20;

/// The deepest nesting of groups in a pattern.
const MAX_NESTING: u32 = 50;

/// A team's own settings.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(deny_unknown_fields))]
#[serde(rename_all = "camelCase", default)]
pub struct Settings {
    /// The team's own rules.
    #[cfg_attr(feature = "schema", schemars(length(max = MAX_ENTRIES)))]
    pub patterns: Vec<Pattern>,
    /// Further names of fields that hold secrets.
    #[cfg_attr(feature = "schema", schemars(length(max = MAX_ENTRIES), inner(length(max = MAX_KEY_CHARACTERS), regex(pattern = "[A-Za-z0-9]"))))]
    pub key_names: Vec<String>,
    /// A value that a rule finds stays readable if one of these patterns matches it in full.
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
#[cfg_attr(feature = "schema", schemars(deny_unknown_fields))]
#[serde(rename_all = "camelCase")]
pub struct Pattern {
    /// The name in the mask: lower-case letters, digits and dashes.
    #[cfg_attr(feature = "schema", schemars(length(max = MAX_NAME_LENGTH), regex(pattern = "^[a-z0-9-]+$")))]
    pub name: String,
    /// A regular expression of the `regex` crate. Its matches are masked.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = MAX_PATTERN_CHARACTERS)))]
    pub pattern: String,
}

/// Settings are invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct InvalidSettings {
    /// The invalid field, such as `patterns[2].pattern`.
    pub field: String,
    /// What is wrong with it, as a text for people.
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

/// Compiled settings.
#[derive(Debug, Default)]
pub(crate) struct Compiled {
    pub(crate) patterns: Vec<OwnPattern>,
    pub(crate) key_names: BTreeSet<String>,
    pub(crate) allowed_patterns: Vec<Regex>,
    pub(crate) allowed_key_names: BTreeSet<String>,
    pub(crate) allowed_rules: BTreeSet<String>,
}

impl Compiled {
    /// Checks and compiles settings.
    pub(crate) fn new(settings: &Settings) -> Result<Self, InvalidSettings> {
        check_counts(settings)?;
        let mut compiled = Self::default();
        for (index, Pattern { name, pattern }) in settings.patterns.iter().enumerate() {
            check_name(&format!("patterns[{index}].name"), name)?;
            let field = format!("patterns[{index}].pattern");
            let (regex, longest) = compile(&field, pattern, pattern)?;
            let own = OwnPattern::new(name.clone(), pattern.clone(), regex, longest);
            compiled.patterns.push(own);
        }
        for (index, pattern) in settings.allowed_patterns.iter().enumerate() {
            let field = format!("allowedPatterns[{index}]");
            let whole = format!(r"\A(?:{pattern})\z");
            let (regex, _) = compile(&field, pattern, &whole)?;
            compiled.allowed_patterns.push(regex);
        }
        compiled.key_names = parse_key_names("keyNames", &settings.key_names)?;
        compiled.allowed_key_names =
            parse_key_names("allowedKeyNames", &settings.allowed_key_names)?;
        for (index, rule) in settings.allowed_rules.iter().enumerate() {
            if !is_rule(rule) {
                let field = format!("allowedRules[{index}]");
                return Err(InvalidSettings::new(
                    field,
                    "No built-in rule has this name. Use the name of a built-in rule.",
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
    // A team may switch off each of the built-in rules.
    let most = |field: &str| match field {
        "allowedRules" => rules().count(),
        _ => MAX_ENTRIES,
    };
    let over = counts
        .into_iter()
        .find(|(field, count)| *count > most(field));
    over.map_or(Ok(()), |(field, count)| {
        let most = most(field);
        let reason =
            format!("There are {count} entries; remove some, because at most {most} are allowed.");
        Err(InvalidSettings::new(field, reason))
    })
}

fn check_name(field: &str, name: &str) -> Result<(), InvalidSettings> {
    let is_part = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    if (1..=MAX_NAME_LENGTH).contains(&name.len()) && name.bytes().all(is_part) {
        return Ok(());
    }
    let reason = format!(
        "Use a name of 1 to {MAX_NAME_LENGTH} characters: lower-case letters, digits and dashes."
    );
    Err(InvalidSettings::new(field, reason))
}

/// Checks key names. Returns them in the form that is compared: words in lower case, joined.
fn parse_key_names(field: &str, names: &[String]) -> Result<BTreeSet<String>, InvalidSettings> {
    let joined = |(index, name): (usize, &String)| {
        let words = Words::split(name);
        if words.count() > 0 && name.chars().count() <= MAX_KEY_CHARACTERS {
            return Ok(words.joined().to_owned());
        }
        let reason = format!(
            "Use a key name of 1 to {MAX_KEY_CHARACTERS} characters with at least one letter or digit."
        );
        Err(InvalidSettings::new(format!("{field}[{index}]"), reason))
    };
    names.iter().enumerate().map(joined).collect()
}

/// Compiles `whole`, which contains the team's `pattern`. Errors describe the team's pattern.
/// Also returns the longest possible match of the pattern, in bytes.
fn compile(
    field: &str,
    pattern: &str,
    whole: &str,
) -> Result<(Regex, Option<usize>), InvalidSettings> {
    let refuse = |reason: String| InvalidSettings::new(field, reason);
    if pattern.chars().count() > MAX_PATTERN_CHARACTERS {
        return Err(refuse(format!(
            "Use a pattern of at most {MAX_PATTERN_CHARACTERS} characters."
        )));
    }
    let mut parser = ParserBuilder::new().nest_limit(MAX_NESTING).build();
    let parsed = parser.parse(pattern);
    let parsed = parsed.map_err(|error| refuse(describe_syntax_error(&error)))?;
    if parsed
        .properties()
        .minimum_len()
        .is_none_or(|least| least == 0)
    {
        return Err(refuse(
            "The pattern matches the empty text. Write it so that it matches at least one character.".to_owned(),
        ));
    }
    let regex = RegexBuilder::new(whole)
        .size_limit(MAX_COMPILED_BYTES)
        .nest_limit(MAX_NESTING + 2)
        .build()
        .map_err(|error| refuse(describe_compile_error(&error)))?;
    Ok((regex, parsed.properties().maximum_len()))
}

fn describe_syntax_error(error: &regex_syntax::Error) -> String {
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

fn describe_compile_error(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => format!(
            "The compiled pattern is larger than {MAX_COMPILED_BYTES} bytes. Shorten its repetitions, or use `[a-z]` instead of `\\w`, which matches the letters of all scripts."
        ),
        _ => "The pattern is incomplete, for example because it ends with a comment. Complete it."
            .to_owned(),
    }
}
