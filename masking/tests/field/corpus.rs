//! Texts that others wrote: shapes of logs, configurations and dumps, tokens of providers, personal
//! data, and harmless texts, each with the public source that shows it.
//!
//! A file has one JSON object per line. In its `text`, `⟦` and `⟧` enclose each part that must be
//! hidden, and `{{hex:40}}` and similar macros stand for random characters, so that no file
//! contains anything that looks like a real token.

use std::collections::BTreeMap;
use std::path::Path;

use masking::Masker;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde::Deserialize;

/// A line of a file.
#[derive(Debug, Deserialize)]
pub struct Record {
    /// The notation, the format or the kind of data.
    pub form: String,
    /// The text with marks and macros.
    pub text: String,
}

/// A text, and the parts of it that must be hidden.
#[derive(Debug)]
pub struct Sample {
    /// The notation, the format or the kind of data.
    pub form: String,
    /// The text without marks.
    pub text: String,
    parts: Vec<String>,
    /// The text outside the parts.
    rest: String,
}

/// How many characters of a part are enough to call it visible.
const VISIBLE: usize = 5;

impl Sample {
    /// The part that is still visible in a masked text, if any. A harmless text must not change.
    pub fn leak(&self, masked: &str) -> Option<String> {
        if self.parts.is_empty() {
            return (masked != self.text).then(|| masked.to_owned());
        }
        let left = without_marks(masked);
        self.parts.iter().find_map(|part| self.visible(part, &left))
    }

    fn visible(&self, part: &str, masked: &str) -> Option<String> {
        let characters: Vec<char> = part.trim().chars().collect();
        if characters.len() < VISIBLE {
            let is_left = masked.matches(part).count() > self.rest.matches(part).count();
            return is_left.then(|| part.to_owned());
        }
        characters
            .windows(VISIBLE)
            .map(String::from_iter)
            .find(|window| {
                !window.trim().is_empty() && masked.contains(window) && !self.rest.contains(window)
            })
    }
}

/// A masked text without the names of rules, which values can contain.
fn without_marks(masked: &str) -> String {
    let mut left = String::new();
    for (index, piece) in masked.split("[REDACTED:").enumerate() {
        match piece.split_once(']') {
            Some((_, after)) if index > 0 => {
                left.push('\u{0}');
                left.push_str(after);
            }
            _ => left.push_str(piece),
        }
    }
    left
}

/// The masked texts of a file: how many are right, and what is wrong with the others.
#[derive(Debug, Default)]
pub struct Figures {
    /// The right and all texts of each form.
    pub forms: BTreeMap<String, (usize, usize)>,
    /// The texts that are not right: the form, the masked text and the visible part.
    pub wrong: Vec<(String, String, String)>,
}

impl Figures {
    /// Masks all texts of a file.
    pub fn measure(path: &Path) -> Self {
        let masker = Masker::builtin();
        let mut figures = Self::default();
        for sample in read(path) {
            let masked = masker.mask(&sample.text);
            let (right, count) = figures.forms.entry(sample.form.clone()).or_default();
            *count += 1;
            match sample.leak(&masked) {
                None => *right += 1,
                Some(leak) => figures.wrong.push((sample.form, masked.into_owned(), leak)),
            }
        }
        figures
    }

    /// The number of texts.
    pub fn count(&self) -> usize {
        self.forms.values().map(|(_, count)| count).sum()
    }

    /// The share of right texts, in percent.
    pub fn right(&self) -> f64 {
        let right: usize = self.forms.values().map(|(right, _)| right).sum();
        100.0 * right as f64 / self.count().max(1) as f64
    }
}

/// Reads a file of the corpus. The random characters are the same each time.
pub fn read(path: &Path) -> Vec<Sample> {
    let file =
        std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut rng = StdRng::seed_from_u64(20_261_130);
    file.lines()
        .map(|line| {
            let record: Record =
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
            sample(record, &mut rng)
        })
        .collect()
}

fn sample(record: Record, rng: &mut StdRng) -> Sample {
    let expanded = expand(&record.text, rng);
    let mut parts = Vec::new();
    let mut rest = String::new();
    for (index, piece) in expanded.split('⟦').enumerate() {
        match piece.split_once('⟧') {
            Some((part, after)) if index > 0 => {
                parts.push(part.to_owned());
                rest.push('\u{0}');
                rest.push_str(after);
            }
            _ => rest.push_str(piece),
        }
    }
    Sample {
        form: record.form,
        text: expanded.replace(['⟦', '⟧'], ""),
        parts,
        rest,
    }
}

const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS: &str = "0123456789";

/// Replaces the macros of a text. Other texts in double braces stay.
fn expand(text: &str, rng: &mut StdRng) -> String {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        expanded.push_str(before);
        let random = after
            .split_once("}}")
            .and_then(|(name, after)| Some((random(name, rng)?, after)));
        match random {
            Some((random, after)) => {
                expanded.push_str(&random);
                rest = after;
            }
            None => {
                expanded.push_str("{{");
                rest = after;
            }
        }
    }
    expanded + rest
}

fn random(name: &str, rng: &mut StdRng) -> Option<String> {
    if name == "uuid" {
        let mut hex = |count| pick("0123456789abcdef", count, rng);
        return Some(format!(
            "{}-{}-4{}-a{}-{}",
            hex(8),
            hex(4),
            hex(3),
            hex(3),
            hex(12)
        ));
    }
    let (kind, count) = name.split_once(':')?;
    let count: usize = count.parse().ok()?;
    let alphanumeric = [UPPER, LOWER, DIGITS].concat();
    let alphabet = match kind {
        "hex" => "0123456789abcdef".to_owned(),
        "HEX" => "0123456789ABCDEF".to_owned(),
        "alnum" => alphanumeric,
        "lower" => LOWER.to_owned(),
        "upper" => UPPER.to_owned(),
        "digits" => DIGITS.to_owned(),
        "base64" => alphanumeric + "+/",
        "base64url" => alphanumeric + "-_",
        "lowernum" => [LOWER, DIGITS].concat(),
        "uppernum" => [UPPER, DIGITS].concat(),
        "crc62" => return Some(with_checksum(pick(&alphanumeric, count - 6, rng))),
        _ => return None,
    };
    Some(pick(&alphabet, count, rng))
}

fn pick(alphabet: &str, count: usize, rng: &mut StdRng) -> String {
    let alphabet = alphabet.as_bytes();
    let mut next = || char::from(alphabet[rng.random_range(0..alphabet.len())]);
    (0..count).map(|_| next()).collect()
}

/// Appends the CRC-32 of a text in base 62, as in GitHub's and npm's tokens.
fn with_checksum(text: String) -> String {
    let crc = text.bytes().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            if crc & 1 == 1 {
                (crc >> 1) ^ 0xEDB8_8320
            } else {
                crc >> 1
            }
        })
    });
    let mut crc = !crc;
    let digits = [DIGITS, UPPER, LOWER].concat();
    let mut checksum = [b'0'; 6];
    for place in checksum.iter_mut().rev() {
        *place = digits.as_bytes()[(crc % 62) as usize];
        crc /= 62;
    }
    text + &String::from_utf8_lossy(&checksum)
}
