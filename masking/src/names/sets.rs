//! The lists of words that are searched for each name.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::vocabulary::*;
use crate::lists::{Edges, WordHash, WordSet};

pub(super) static SECRET_WORDS: WordSet = WordSet::new(SECRETS);
pub(super) static SECRET_PHRASES: WordSet = WordSet::new(PHRASES);
pub(super) static LIKELY_WORDS: WordSet = WordSet::new(LIKELY);
pub(super) static WEAK_WORDS: WordSet = WordSet::new(WEAK);
pub(super) static LONG_WORDS: WordSet = WordSet::new(LONG);
pub(super) static HARMLESS_TOKEN_WORDS: WordSet = WordSet::new(HARMLESS_TOKENS);
pub(super) static HARMLESS_KEY_WORDS: WordSet = WordSet::new(HARMLESS_KEYS);
pub(super) static QUESTION_WORDS: WordSet = WordSet::new(QUESTIONS);
pub(super) static HARMLESS_ENDING_WORDS: WordSet = WordSet::new(HARMLESS_ENDINGS);
pub(super) static NEUTRAL_WORDS: WordSet = WordSet::new(NEUTRAL);
pub(super) static ENVIRONMENT_WORDS: WordSet = WordSet::new(ENVIRONMENTS);
pub(super) static CONNECTING_WORDS: WordSet = WordSet::new(CONNECTING);
pub(super) static SECRET_ENDINGS: Edges = Edges::new(ENDINGS);
pub(super) static SECRET_PREFIXES: Edges = Edges::new(PREFIXES);
pub(super) static HEAD_WORDS: LazyLock<HashMap<&str, &[&str], WordHash>> =
    LazyLock::new(|| HEADS.iter().copied().collect());

/// Words that say where a secret is used.
#[rustfmt::skip]
pub(super) const ENVIRONMENTS: &[&str] = &[
    "prod", "production", "dev", "development", "test", "testing", "staging", "stage", "live", "sandbox", "qa", "uat", "local", "primary", "secondary", "main", "backup", "master", "replica", "eu", "us", "de", "fr", "int", "preprod", "default", "internal", "external", "public", "global", "admin", "root", "app", "api", "db", "database", "server", "client", "user", "service", "env", "var", "a", "b", "ro", "rw", "read", "write", "east", "west", "one", "two",
];

/// Verbs that can also say what a token or a code is for: `resetPasswordToken`.
pub(super) const PURPOSES: &[&str] = &[
    "reset", "verify", "change", "update", "forgot", "lost", "validate", "check", "revoke",
    "invalid", "wrong", "expired",
];

/// The words for a code in messages to users: `your code`.
pub(super) const CODES: &[&str] = &["code", "код", "código", "codigo", "codice", "kod", "kode"];
