//! A team's patterns, and texts that are slow to search with them. The test `linear` and the
//! example `growth` use them.

/// Patterns that a team may add. Some of them are slow.
pub const PATTERNS: &[&str] = &[
    "a",
    "[0-9]{4}",
    "=",
    ":",
    "sig",
    "-----BEGIN",
    "[a-z]+",
    r"CUST-\d+",
    r"\bfoo\w*\b",
    ".",
    ".*x|a",
    "[^;]*;|a",
    "(a|aa)+b",
    "a{1,50}b|a",
    "[ab]{400}c|a",
    "(?s).+z|[0-9a-f]",
];

/// Texts to repeat for the patterns: without words, as one long word, or with values that
/// make the built-in rules read far ahead.
pub const FILLINGS: &[&str] = &[
    "a",
    "1",
    "0123456789abcdef",
    "[REDACTED:a]",
    "password=",
    "password='",
    "password=\\\"",
    "sig=+",
    "--cookie a ",
    "--authorization digest a ",
    "-----BEGIN PRIVATE KEY-----\nx: ",
    "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0B",
    "bearer a1",
    "eyJhbGciOiJI.",
    "a@b.cc ",
    "the password is a1b2c3",
    "hvs.CAESIJ0123456789abcdefghij",
    "%40",
    "é1",
    "foo ",
    "\\\\\\\"",
    "CUST-1 ",
];
