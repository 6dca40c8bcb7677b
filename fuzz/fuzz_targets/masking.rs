//! Masking: a secret on its own line is masked independent of the text around it, masked texts
//! stay unchanged, and no pattern of a team takes too long.
//!
//! The input consists of lines: the number of a secret, the number of the line before which it is
//! inserted, a team's pattern, and in the rest a text.
#![no_main]

use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;
use masking::{Masker, Pattern, Settings};

/// The length of the longest text that is masked completely, in bytes.
const LONG: usize = masking::MAX_TEXT_BYTES;

/// Hundreds of times the expected time. Quadratic time would take longer.
const TOO_LONG: Duration = Duration::from_secs(5);

/// Secrets that are recognised by their format only.
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
    let mut lines = input.splitn(4, '\n');
    let mut line = || lines.next().unwrap_or_default();
    let number: usize = line().parse().unwrap_or_default();
    let position: usize = line().parse().unwrap_or_default();
    let secret = SECRETS[number % SECRETS.len()];
    let pattern = line();
    let text = line();
    check_pattern(pattern, text);
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
    // In the URL, only the password is masked.
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

/// Creates a masker with a team's pattern, or returns `None` if the pattern is invalid.
fn new_masker(pattern: &str) -> Option<Masker> {
    let patterns = vec![Pattern {
        name: "own".to_owned(),
        pattern: pattern.to_owned(),
    }];
    let settings = Settings {
        patterns,
        ..Settings::default()
    };
    Masker::new(&settings).ok()
}

/// Masks a text with a team's pattern, and checks the result and the time.
fn check_pattern(pattern: &str, text: &str) {
    let Some(masker) = new_masker(pattern) else {
        return;
    };
    let masked = masker.mask(text);
    let again = masker.mask(&masked);
    assert!(
        length_without_marks(&again) <= length_without_marks(&masked),
        "{pattern:?} shows in {again:?} what it hid in {masked:?}"
    );
    // A pattern that matches a whole mark may mask more each time.
    if pattern.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        assert_eq!(again, masked, "{pattern:?} in {text:?}");
    }
    if !text.is_empty() {
        let long = text.repeat(LONG / text.len() + 1);
        let start = Instant::now();
        let masked = masker.mask_beginning(&long);
        assert!(
            start.elapsed() < TOO_LONG,
            "{pattern:?} in {text:?}, repeated, takes {:?}",
            start.elapsed()
        );
        assert!(length_without_marks(&masked) <= LONG);
    }
}

/// Counts the bytes of a text that are not in a mark.
fn length_without_marks(text: &str) -> usize {
    let mut parts = text.split("[REDACTED:");
    let first = parts.next().map_or(0, str::len);
    let after = |part: &str| part.find(']').map_or(0, |end| part.len() - end - 1);
    first + parts.map(after).sum::<usize>()
}
