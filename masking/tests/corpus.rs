//! The share of values that masking finds, and of harmless texts that it leaves alone. The
//! corpus is generated with the same seed each time.
//!
//! `cargo test -p masking --test corpus -- --nocapture` prints the figures.

#![expect(clippy::unwrap_used, reason = "a panic is the failure of a test")]

#[path = "corpus/credentials.rs"]
mod credentials;
#[path = "corpus/harmless.rs"]
mod harmless;
#[path = "corpus/personal.rs"]
mod personal;
#[path = "corpus/scenes.rs"]
mod scenes;

use std::collections::BTreeMap;

use masking::Masker;
use rand::SeedableRng;
use rand::rngs::StdRng;

/// A text of the corpus.
pub struct Sample {
    /// The kind of its value.
    pub kind: &'static str,
    /// The text.
    pub text: String,
    /// The value that must be masked; `None` in a harmless text.
    pub secret: Option<String>,
}

impl Sample {
    /// Whether masking has given the expected result.
    fn is_right(&self, masked: &str) -> bool {
        match &self.secret {
            Some(secret) => !parts_of(secret).any(|part| masked.contains(part)),
            None => masked == self.text,
        }
    }
}

/// The secret and its halves: if one half stays readable, the secret was not masked.
fn parts_of(secret: &str) -> impl Iterator<Item = &str> {
    let middle = (0..=secret.len() / 2)
        .rev()
        .find(|&at| secret.is_char_boundary(at));
    let (left, right) = secret.split_at(middle.unwrap_or(0));
    let halves = [left, right].into_iter().filter(|half| half.len() >= 6);
    std::iter::once(secret).chain(halves)
}

/// The figures of a class of texts, by kind.
#[derive(Default)]
struct Figures {
    kinds: BTreeMap<&'static str, (usize, usize)>,
}

impl Figures {
    fn measure(class: &str, samples: &[Sample]) -> Self {
        let masker = Masker::builtin();
        let mut figures = Self::default();
        let mut shown: BTreeMap<&str, usize> = BTreeMap::new();
        for sample in samples {
            let masked = masker.mask(&sample.text);
            let is_right = sample.is_right(&masked);
            let (right, count) = figures.kinds.entry(sample.kind).or_default();
            *right += usize::from(is_right);
            *count += 1;
            let times = shown.entry(sample.kind).or_default();
            if !is_right && *times < 2 {
                *times += 1;
                println!("  {class} {}: {:?} -> {masked:?}", sample.kind, sample.text);
            }
        }
        figures
    }

    fn right(&self) -> f64 {
        let right: usize = self.kinds.values().map(|(right, _)| right).sum();
        percent(right, self.count())
    }

    fn count(&self) -> usize {
        self.kinds.values().map(|(_, count)| count).sum()
    }

    fn print(&self, class: &str) {
        println!("\n| {class} | texts | right |\n|---|---:|---:|");
        for (kind, (right, count)) in &self.kinds {
            println!("| {kind} | {count} | {:.1} % |", percent(*right, *count));
        }
        println!("| **all** | {} | **{:.2} %** |", self.count(), self.right());
    }

    fn assert_each(&self, floor: f64) {
        for (kind, (right, count)) in &self.kinds {
            let percent = percent(*right, *count);
            assert!(percent >= floor, "{kind}: {percent:.1} % < {floor} %");
        }
    }
}

fn percent(part: usize, whole: usize) -> f64 {
    100.0 * part as f64 / whole.max(1) as f64
}

#[test]
fn masking_finds_secrets_and_leaves_harmless_texts_alone() {
    let mut rng = StdRng::seed_from_u64(20_240_517);
    let credentials = Figures::measure("missed", &credentials::samples(&mut rng));
    let personal = Figures::measure("missed", &personal::samples(&mut rng));
    let harmless = Figures::measure("touched", &harmless::samples(&mut rng));
    credentials.print("credentials");
    personal.print("personal data");
    harmless.print("harmless, left alone");

    for figures in [&credentials, &personal, &harmless] {
        assert!(figures.count() >= 20_000, "{}", figures.count());
    }
    assert!(credentials.right() >= 98.0, "{}", credentials.right());
    assert!(personal.right() >= 95.0, "{}", personal.right());
    assert!(harmless.right() >= 99.0, "{}", harmless.right());
    credentials.assert_each(90.0);
    personal.assert_each(90.0);
    harmless.assert_each(95.0);
}
