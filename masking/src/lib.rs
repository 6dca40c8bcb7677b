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
//! The built-in rules are small functions over bytes, not regular expressions. A single walk
//! over the text calls a detector at each byte at which a value can begin (`scan`): a digit, a
//! letter at the start of a word, or one of a few signs. A detector reads a bounded number of
//! bytes, or masks what it has read. So the walk is linear for all texts. Most detectors for
//! numbers verify check digits, which regular expressions cannot do; and one walk costs less
//! than sixty searches.
//!
//! A team's own patterns are regular expressions of the `regex` crate, which does not
//! backtrack. All searches together are linear in the text as well (`own`).
//!
//! The earliest match wins. If two matches begin at the same position, a team's own pattern
//! comes first, then credentials, then personal data.
//!
//! # Dependencies
//! Used:
//! - `regex` for the teams' patterns, `regex-syntax` to locate errors in a pattern and to check
//!   whether it matches the empty text, and `regex-automata` to count the bytes that a search
//!   reads. `regex` itself is built on the other two.
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
//! - `aho-corasick` 1.1 for the known prefixes: only two or three prefixes share a first letter,
//!   so a table by first letter is as fast.

mod checks;
mod credentials;
mod keys;
mod masker;
mod own;
mod personal;
mod rules;
mod scan;
mod settings;
mod text;
mod tokens;
mod words;

pub use masker::{MAX_TEXT_BYTES, Masker, REDACTED_KEY};
pub use rules::{RuleInfo, rules};
pub use settings::{InvalidSettings, MAX_ENTRIES, Pattern, Settings};
