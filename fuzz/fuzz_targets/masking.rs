//! Masking: a secret on a line of its own is hidden whatever stands around it, and what is
//! masked stays as it is.
//!
//! The input is lines: the number of a secret, the line before which it stands, and from
//! there on a text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use masking::Masker;

/// Each is hidden by its form alone.
const SECRETS: [&str; 14] = [
    "ghp_0123456789abcdefghijABCDEFGHIJ012345",
    "github_pat_0123456789abcdefghij_ABCDEFGHIJ0123456789abcdefghij",
    "AKIAIOSFODNN7EXAMPLE",
    "sk_live_0123456789abcdefABCDEF",
    "xoxb-0123456789-0123456789ab-ABCDEFGHIJKL",
    "glpat-0123456789abcdefghij",
    "npm_0123456789abcdefghijABCDEFGHIJ012345",
    "AIzaSyA0123456789abcdefghijABCDEFGHIJ01",
    "SG.0123456789abcdefghijAB.0123456789abcdefghijABCDEFGHIJ0123456789abc",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dBjftJeZ4CVPmB92K27uhbUJU1p1r",
    "postgres://anna:corvus-correct-battery@db.example.com/app",
    "anna.lindqvist@example.com",
    "4111111111111111",
    "DE89370400440532013000",
];

fuzz_target!(|input: &str| {
    let mut lines = input.splitn(3, '\n');
    let mut line = || lines.next().unwrap_or_default();
    let number: usize = line().parse().unwrap_or_default();
    let position: usize = line().parse().unwrap_or_default();
    let secret = SECRETS[number % SECRETS.len()];
    let text = line();
    let mut lines: Vec<_> = text.split('\n').collect();
    lines.insert(position % (lines.len() + 1), secret);

    let masker = Masker::builtin();
    let text = lines.join("\n");
    let masked = masker.mask(&text);
    let is_in_text = |part: &str| {
        lines
            .iter()
            .any(|line| *line != secret && line.contains(part))
    };
    // Of the URL, the password.
    let half = match secret.contains("://") {
        true => "correct-battery",
        false => &secret[secret.len() / 2..],
    };
    assert!(
        !masked.contains(half) || is_in_text(half),
        "{secret} in {text:?} is {masked:?}"
    );
    assert_eq!(masker.mask(&masked), masked, "{text:?}");
});
