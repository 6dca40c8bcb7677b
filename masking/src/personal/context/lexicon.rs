//! What each word means.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::words::{fold, is_part};
use super::{Label, Meaning};
use crate::filter::Filter;
use crate::lists::WordHash;
use crate::personal::identities::IDENTITIES;
use crate::personal::vocabulary::{OTHERS, WORDS};

/// Endings that do not change what a word means, as in `Telefonnummer`.
const ENDINGS: &[&str] = &[
    "nummern",
    "nummer",
    "numbers",
    "number",
    "numaraniz",
    "numarasi",
    "numerot",
    "numero",
    "numret",
    "numerom",
    "szama",
    "szam",
    "num",
    "nr",
    "no",
];

/// All words with their meanings.
pub(super) struct Lexicon {
    /// The meanings by the hash of the word. With 64 bits no two of a few thousand words share one.
    exact: HashMap<u64, Meaning, WordHash>,
    /// Words with any ending.
    stems: Starts,
    /// Words of scripts without spaces.
    inner: Starts,
    /// The hashes of all ends of words. Most words of a text are not the end of a phrase, so the
    /// words before them need not be read.
    ends: Filter<FILTER_WORDS>,
}

/// Holds the hashes of some thirty thousand ends, so that one in ten others is contained by chance.
const FILTER_WORDS: usize = 1 << 12;

pub(super) static LEXICON: LazyLock<Lexicon> = LazyLock::new(Lexicon::new);

impl Lexicon {
    fn new() -> Self {
        let mut all: HashMap<String, Meaning> = HashMap::new();
        let others = [(Label::Other, OTHERS)];
        for (label, words) in WORDS.iter().chain(&others) {
            for word in words.split_whitespace() {
                all.entry(normal(word)).or_default().labels |= label.bit();
            }
        }
        for (row, identity) in IDENTITIES.iter().enumerate() {
            for word in identity.strong.split_whitespace() {
                let meaning = all.entry(normal(word)).or_default();
                meaning.labels |= Label::Identity.bit();
                meaning.rows |= 1 << row;
            }
            for word in identity.weak.split_whitespace() {
                all.entry(normal(word)).or_default().rows |= 1 << row;
            }
        }
        // A word that stands there with and without `*` has both meanings without an ending.
        let stems: Vec<(String, Meaning)> = all
            .iter()
            .filter_map(|(word, meaning)| Some((word.strip_suffix('*')?.to_owned(), *meaning)))
            .collect();
        for (stem, meaning) in stems {
            if let Some(exact) = all.get_mut(&stem) {
                exact.labels |= meaning.labels;
                exact.rows |= meaning.rows;
            }
        }
        let mut lexicon = Self {
            exact: HashMap::default(),
            stems: Starts::default(),
            inner: Starts::default(),
            ends: Filter::new(),
        };
        for (word, meaning) in all {
            lexicon.add(&word, meaning);
        }
        lexicon
    }

    fn add(&mut self, word: &str, meaning: Meaning) {
        if let Some(stem) = word.strip_suffix('*') {
            self.stems.add(stem, meaning);
            return;
        }
        if word.chars().any(is_unspaced) {
            self.inner.add(word, meaning);
        }
        let mut hash = Hash::default();
        for &byte in word.as_bytes().iter().rev() {
            hash.add_back(&[byte]);
            self.ends.add(hash.0);
        }
        self.exact.insert(hash.0, meaning);
    }

    /// The meaning of the word or the phrase with a hash.
    pub(super) fn exact(&self, hash: Hash) -> Option<Meaning> {
        self.exact.get(&hash.0).copied()
    }

    /// Whether a text with this hash can be the end of a phrase.
    pub(super) fn is_end(&self, hash: Hash) -> bool {
        self.ends.contains(hash.0)
    }

    /// The meaning of the longest stem with which a phrase begins, and the length of the stem.
    pub(super) fn longest_stem(&self, phrase: &[u8]) -> Option<(Meaning, usize)> {
        self.stems.longest_start(phrase)
    }

    /// The meaning of a word that is not written as in the table.
    pub(super) fn find_word(&self, word: &[u8]) -> Option<Meaning> {
        let stem = self.stems.longest_start(word).map(|(meaning, _)| meaning);
        if stem.is_some() || word.len() < 3 {
            return stem;
        }
        if word.iter().any(|&byte| byte >= 0xE0) {
            return self.find_inner(str::from_utf8(word).ok()?);
        }
        let last = word.last().copied();
        let endings = ENDINGS.iter().map(|ending| ending.as_bytes());
        let endings = endings.filter(|ending| ending.last().copied() == last);
        let mut cut = endings.filter_map(|ending| word.strip_suffix(ending));
        cut.find_map(|word| {
            let mut hash = Hash::default();
            hash.add_back(word);
            self.exact.get(&hash.0).copied()
        })
    }

    /// The meaning of the last word that means something in a text without spaces.
    fn find_inner(&self, word: &str) -> Option<Meaning> {
        let starts = word.char_indices().rev().take(24);
        let found = starts.filter_map(|(at, _)| self.inner.longest_start(&word.as_bytes()[at..]));
        let mut known = found.filter(|(meaning, _)| meaning.labels != Label::Neutral.bit());
        known.next().map(|(meaning, _)| meaning)
    }
}

/// Beginnings of words, by their first two bytes.
#[derive(Default)]
struct Starts(HashMap<u64, Vec<Start>, WordHash>);

/// The beginning of a word, and its meaning.
type Start = (Vec<u8>, Meaning);

impl Starts {
    fn key(word: &[u8]) -> Option<u64> {
        let [first, second, ..] = *word else {
            return None;
        };
        Some(u64::from(first) << 32 | u64::from(second))
    }

    fn add(&mut self, start: &str, meaning: Meaning) {
        if let Some(key) = Self::key(start.as_bytes()) {
            self.0
                .entry(key)
                .or_default()
                .push((start.as_bytes().to_vec(), meaning));
        }
    }

    /// Finds the longest entry with which a word begins, and its length.
    fn longest_start(&self, word: &[u8]) -> Option<(Meaning, usize)> {
        let near = self.0.get(&Self::key(word)?)?;
        let found = near.iter().filter(|(start, _)| word.starts_with(start));
        let longest = found.max_by_key(|(start, _)| start.len());
        longest.map(|(start, meaning)| (*meaning, start.len()))
    }
}

/// Whether a character belongs to a script that is written without spaces between the words.
fn is_unspaced(character: char) -> bool {
    matches!(character, '\u{E00}'..='\u{E7F}' | '\u{3000}'..='\u{D7FF}' | '\u{F900}'..='\u{FAFF}')
}

/// Writes a word of the tables in the form of the words of a text.
fn normal(word: &str) -> String {
    let lower = word.chars().flat_map(char::to_lowercase);
    lower
        .filter_map(fold)
        .filter(|&character| is_part(character) || character == '*')
        .collect()
}

/// The hash of Fowler, Noll and Vo over the bytes of a word, the last byte first. So the hashes of
/// all phrases that end at one place are computed in one go.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hash(u64);

impl Hash {
    pub(super) fn add_back(&mut self, bytes: &[u8]) {
        for &byte in bytes.iter().rev() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3);
        }
    }
}

impl Default for Hash {
    fn default() -> Self {
        Self(0xCBF2_9CE4_8422_2325)
    }
}
