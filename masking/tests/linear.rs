//! The time of masking is linear in the length of the text, for all texts and all patterns of
//! a team, and masked texts do not exceed the length limit.

#![expect(clippy::unwrap_used, reason = "a panic is the failure of a test")]

use std::time::Duration;

use hostile::HOSTILE;
use masking::{MAX_ENTRIES, MAX_TEXT_BYTES, Masker, Pattern, Settings, rules};
use patterns::{FILLINGS, PATTERNS};
use rustix::time::{ClockId, clock_gettime};

mod hostile;
#[path = "hostile/patterns.rs"]
mod patterns;

const SMALL: usize = 8_000;
const LARGE: usize = 10 * SMALL;

/// How many times longer ten times the text may take. Linear time gives 10, quadratic time
/// 100, and processor caches cause some variation.
const MOST_GROWTH: u32 = 30;

/// If the larger text is masked faster than this, the smaller one is not measured.
const QUICK: Duration = Duration::from_millis(60);

fn own(pattern: &str) -> Masker {
    let patterns = vec![Pattern {
        name: "own".to_owned(),
        pattern: pattern.to_owned(),
    }];
    let settings = Settings {
        patterns,
        ..Settings::default()
    };
    Masker::new(&settings).unwrap()
}

/// Measures the processor time of this thread, so that other load does not count.
fn measure(masker: &Masker, text: &str) -> Duration {
    let now = || Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap();
    let start = now();
    std::hint::black_box(masker.mask(text).len());
    now().saturating_sub(start)
}

fn filled(piece: &str, size: usize) -> String {
    piece.repeat(size / piece.len())
}

fn is_linear(masker: &Masker, piece: &str) -> bool {
    (0..4).any(|_| {
        let large = measure(masker, &filled(piece, LARGE));
        large < QUICK || large < measure(masker, &filled(piece, SMALL)) * MOST_GROWTH
    })
}

fn assert_linear(name: &str, masker: &Masker, pieces: &[&str]) {
    for piece in FILLINGS.iter().chain(pieces) {
        assert!(is_linear(masker, piece), "{name} in {piece:?}");
    }
}

#[test]
fn built_in_rules_are_linear_in_the_text() {
    assert_linear("built-in rules", &Masker::builtin(), HOSTILE);
}

/// A value that stays readable could be read again at each sign in it.
#[test]
fn rules_that_are_off_are_linear_in_the_text() {
    // There are more rules than a team can switch off.
    let names: Vec<String> = rules().map(|rule| rule.name.to_owned()).collect();
    let without = |rules: &[String]| {
        let settings = Settings {
            allowed_rules: rules.to_vec(),
            ..Settings::default()
        };
        Masker::new(&settings).unwrap()
    };
    for rules in [&names[..MAX_ENTRIES], &names[names.len() - MAX_ENTRIES..]] {
        assert_linear(&format!("without {}", rules[0]), &without(rules), HOSTILE);
    }
    let kept = ["bearer-token", "basic-credentials"];
    let others = names.iter().filter(|name| !kept.contains(&&***name));
    let others: Vec<String> = others.take(MAX_ENTRIES).cloned().collect();
    assert_linear("bearer tokens", &without(&others), &[]);
    let all_allowed = Settings {
        allowed_patterns: vec!["(?s).*".to_owned() + "."],
        ..Settings::default()
    };
    assert_linear("all allowed", &Masker::new(&all_allowed).unwrap(), &[]);
}

#[test]
fn patterns_of_a_team_are_linear_in_the_text() {
    for pattern in PATTERNS {
        assert_linear(pattern, &own(pattern), &[]);
    }
}

/// Tries a single letter, and groups of four digits in a hex dump.
#[test]
fn a_pattern_that_matches_everywhere_masks_everything() {
    let text = "a".repeat(LARGE);
    assert_eq!(own("a").mask(&text), "[REDACTED:own]".repeat(LARGE));
    let dump = "1234abcd".repeat(LARGE / 8);
    let masked = "[REDACTED:own]abcd".repeat(LARGE / 8);
    assert_eq!(own("[0-9]{4}").mask(&dump), masked);
}

/// At each `a` the search reads to the end of the text. The part that was not searched must
/// not be shown.
#[test]
fn text_after_a_too_slow_pattern_is_not_shown() {
    let text = "a secret ".repeat(20_000);
    let masked = own(".*x|a").mask(&text).into_owned();
    let (shown, rest) = masked.rsplit_once("[REDACTED:").unwrap();
    let left: usize = rest
        .strip_suffix("-bytes-not-searched]")
        .unwrap()
        .parse()
        .unwrap();
    let unmasked = shown.replace("[REDACTED:own]", "a");
    assert_eq!(unmasked, text[..text.len() - left]);
    assert!(!shown.contains('a'), "{shown}");
    assert!(left > text.len() / 2, "{left}");
}

#[test]
fn the_rest_of_a_long_text_becomes_a_mark() {
    let masker = Masker::builtin();
    let whole = "x ".repeat(MAX_TEXT_BYTES / 2);
    assert_eq!(masker.mask_beginning(&whole), whole);
    let cut = masker.mask_beginning(&format!("{whole}yz")).into_owned();
    assert_eq!(cut, format!("{whole}[REDACTED:2-more-bytes]"));

    // The limit must not divide a character or a secret.
    let é = format!("{}é", "x".repeat(MAX_TEXT_BYTES - 1));
    let cut = masker.mask_beginning(&é).into_owned();
    assert_eq!(
        cut,
        format!("{}[REDACTED:2-more-bytes]", "x".repeat(MAX_TEXT_BYTES - 1))
    );
    for secret in [
        "4539 5787 6362 1486",
        "anna.lindqvist@example.com",
        "ghp_0123456789abcdefABCDEF0123456789abcd",
    ] {
        for inside in 1..secret.len() {
            let gap = "x".repeat(99 - inside);
            let before = format!("{}{gap} ", "x ".repeat(MAX_TEXT_BYTES / 2 - 50));
            let cut = masker
                .mask_beginning(&format!("{before}{secret} and more"))
                .into_owned();
            let left = secret.len() + " and more".len();
            assert_eq!(
                cut,
                format!("{before}[REDACTED:{left}-more-bytes]"),
                "{inside}"
            );
        }
    }
}

#[test]
fn masking_a_cut_text_again_changes_nothing() {
    let text = "a secret ".repeat(20_000);
    for masker in [Masker::builtin(), own(".*x|a"), own("a")] {
        let masked = masker.mask_beginning(&text).into_owned();
        assert_eq!(masker.mask(&masked), masked);
    }
}
