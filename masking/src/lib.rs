//! Finds personal data and credentials in text, and masks them.
//!
//! ```
//! use masking::Masker;
//!
//! let masker = Masker::builtin();
//! let text = "anna@example.com could not log in with password=hunter2";
//! assert_eq!(
//!     masker.mask(text),
//!     "[REDACTED:email] could not log in with password=[REDACTED:secret]"
//! );
//! assert!(masker.secret_key("dbPassword"));
//! ```
//!
//! This crate only maps texts to texts. It does not depend on requests, records or a store.
//! `docs/masking.md` describes what is found and what is not.
//!
//! # How it works
//! - The names of secrets are found first, in about twenty languages (`names`). From each name,
//!   readers for all notations read on to the values that belong to it (`pairs`): after a sign, in
//!   a list, a call, a table, markup or a sentence, before or after the name.
//! - A single walk over the text (`scan`) finds what has a form of its own: it calls a detector at
//!   each byte at which a value can begin, a digit, a letter at the start of a word, or one of a
//!   few signs. Credentials are a table of formats (`tokens`). Personal data (`personal`) mostly
//!   needs check digits, or a word before it that says what it is.
//! - Then the text is read again without the layers around it (`layers`), such as colours, the
//!   prefixes of log lines and escapes, but only the lines that have them.
//! - Findings that overlap are joined, so the reading that hides more wins (`finding`).
//!
//! The detectors are small functions over bytes, not regular expressions. Each reads a bounded
//! number of bytes, or masks what it has read. So the time is linear for all texts.
//!
//! A team's own patterns are regular expressions of the `regex` crate, which does not
//! backtrack. All searches together are linear in the text as well (`own`).
//!
//! # Dependencies
//! Used:
//! - `regex` for the teams' patterns, `regex-syntax` to locate errors in a pattern and to check
//!   whether it matches the empty text, and `regex-automata` to count the bytes that a search
//!   reads. `regex` itself is built on the other two.
//! - `memchr` to find single bytes and short texts. `regex` is built on it as well.
//! - `base64` to check whether a text after `Basic` contains a user and a password.
//!
//! Evaluated, but not used:
//! - `redact-core` 0.12 (a port of Presidio): about sixty kinds, each a pattern with a score.
//!   The caller must choose a threshold, fewer kinds of credentials and national ids are
//!   supported, and it depends on crates for encryption, key derivation, dates and tracing.
//! - `phonenumber` 0.3 and `rlibphonenumber` 2.2 (ports of libphonenumber): they parse known
//!   numbers, but do not find numbers in text. Both load the metadata of the whole world at
//!   start-up.
//! - `iban_validate` 5.0, `card-validate` 2.4, `luhn` 1.0: each replaces about ten lines and a
//!   table, but needs the exact number as input, and finding it is most of the work.
//! - `aho-corasick` for the names, the known prefixes and the texts inside tokens: a filter of three
//!   bytes rejects almost every place, and costs less than the steps of an automaton.

mod checks;
mod credentials;
mod filter;
mod finding;
mod layers;
mod lists;
mod masker;
mod names;
mod needles;
mod own;
mod pairs;
mod personal;
mod prefixes;
mod regions;
mod repeated;
mod rules;
mod scan;
mod settings;
mod text;
mod time;
mod tokens;
mod words;

pub use masker::{MAX_TEXT_BYTES, Masker, REDACTED_KEY};
pub use rules::{RuleInfo, rules};
pub use settings::{InvalidSettings, MAX_ENTRIES, Pattern, Settings};
