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
//! Text in, text out: this crate knows of no request, no record and no store.
//! What is found, and what is not, stands in `docs/masking.md`.
//!
//! # How it works
//! The built-in rules are small functions over bytes, not regular expressions.
//! One walk over the text asks at each byte that can begin something which
//! detector applies (`scan`): a digit, a letter where a word begins, one of a
//! few signs. A detector reads a bounded stretch, or masks what it has read, so
//! the walk is linear in the text whatever the text holds. Most detectors hold a
//! number to its check digits, which no regular expression can do; and a walk
//! costs less than sixty searches.
//!
//! A team's own patterns are regular expressions, of the `regex` crate only,
//! which has no backtracking.
//!
//! The earliest match wins. Of two that begin at one place the team's own comes
//! first, then credentials, then personal data.
//!
//! # Dependencies
//! Taken: `regex` for the teams' patterns, `regex-syntax` (which it is built on)
//! to say where in a pattern an error is and whether it can match the empty text,
//! `base64` to see whether what follows `Basic` is a user and a password.
//!
//! Looked at and not taken:
//! - `redact-core` 0.12 (a port of Presidio): some sixty kinds, each a pattern
//!   with a score. A caller has to settle on a threshold, fewer kinds of
//!   credentials and national ids are known, and encryption, key derivation,
//!   dates and tracing come with it.
//! - `phonenumber` 0.3 and `rlibphonenumber` 2.2 (ports of libphonenumber): they
//!   parse a number that is known to be one. Neither finds numbers in text, and
//!   both bring the whole world's metadata, which is read at start-up.
//! - `iban_validate` 5.0, `card-validate` 2.4, `luhn` 1.0: each replaces some ten
//!   lines and a table, and wants the number cut out first, which is the work.
//! - `aho-corasick` 1.1 for the known prefixes: two or three of them share a first
//!   letter, so that a table of first letters is as fast.

mod checks;
mod credentials;
mod keys;
mod masker;
mod personal;
mod rules;
mod scan;
mod settings;
mod text;
mod tokens;
mod words;

pub use masker::{Masker, REDACTED_KEY};
pub use rules::{RuleInfo, rules};
pub use settings::{InvalidSettings, Pattern, Settings};
