//! Lists of words that are searched often.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::OnceLock;

/// A fast hash of short words and of numbers that stand for them. The words belong to this crate, so
/// nobody can choose them to slow down the search.
#[derive(Debug, Default)]
pub(crate) struct WordHasher(u64);

/// Builds the hashes of words.
pub(crate) type WordHash = BuildHasherDefault<WordHasher>;

impl Hasher for WordHasher {
    fn write(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some((chunk, after)) = rest.split_first_chunk() {
            self.add(u64::from_le_bytes(*chunk));
            rest = after;
        }
        // The last bytes: two parts of four bytes, which may overlap.
        let last = match (rest.first_chunk(), rest.last_chunk()) {
            (Some(first), Some(last)) => {
                u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last))
            }
            _ => rest.iter().fold(0, |sum, &byte| sum << 8 | u64::from(byte)),
        };
        self.add(last ^ (bytes.len() as u64) << 56);
    }

    /// Texts end their bytes with a sign of their own, which is not needed here.
    fn write_u8(&mut self, _: u8) {}

    fn write_u32(&mut self, key: u32) {
        self.add(u64::from(key));
    }

    fn write_u64(&mut self, key: u64) {
        self.add(key);
    }

    fn finish(&self) -> u64 {
        self.0.rotate_left(26)
    }
}

impl WordHasher {
    /// Adds eight bytes. The factor is 2 to the power of 64 divided by the golden ratio.
    fn add(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

/// A list of words, which is searched for whole words.
pub(crate) struct WordSet {
    words: &'static [&'static str],
    set: OnceLock<HashSet<&'static str, WordHash>>,
}

impl WordSet {
    /// Creates a list, whose words are sorted when they are first needed.
    pub(crate) const fn new(words: &'static [&'static str]) -> Self {
        Self {
            words,
            set: OnceLock::new(),
        }
    }

    /// Whether a word is in the list.
    pub(crate) fn contains(&self, word: &str) -> bool {
        let sort = || self.words.iter().copied().collect();
        self.set.get_or_init(sort).contains(word)
    }
}

/// The words of a list by one of their bytes, in lower case.
type Groups = [Vec<&'static str>; 256];

/// A list of words, of which those are searched with which a text begins or ends.
pub(crate) struct Edges {
    words: &'static [&'static str],
    by_first: OnceLock<Box<Groups>>,
    by_last: OnceLock<Box<Groups>>,
}

impl Edges {
    /// Creates a list, whose words are sorted when they are first needed.
    pub(crate) const fn new(words: &'static [&'static str]) -> Self {
        Self {
            words,
            by_first: OnceLock::new(),
            by_last: OnceLock::new(),
        }
    }

    /// The words with which a text can begin: those with its first byte, in the order of the list.
    pub(crate) fn that_begin(&self, text: &str) -> impl Iterator<Item = &'static str> {
        let sort = || group(self.words, |word| word.first());
        let first = text.as_bytes().first();
        let groups = self.by_first.get_or_init(sort);
        first
            .map_or(&[][..], |byte| {
                &groups[usize::from(byte.to_ascii_lowercase())]
            })
            .iter()
            .copied()
    }

    /// The words with which a text can end: those with its last byte, in the order of the list.
    pub(crate) fn that_end(&self, text: &str) -> impl Iterator<Item = &'static str> {
        let sort = || group(self.words, |word| word.last());
        let last = text.as_bytes().last();
        let groups = self.by_last.get_or_init(sort);
        last.map_or(&[][..], |byte| {
            &groups[usize::from(byte.to_ascii_lowercase())]
        })
        .iter()
        .copied()
    }

    /// Whether a text ends with a word of the list.
    pub(crate) fn ends(&self, text: &str) -> bool {
        self.that_end(text).any(|word| text.ends_with(word))
    }

    /// Whether a text begins with a word of the list.
    pub(crate) fn begins(&self, text: &str) -> bool {
        self.that_begin(text).any(|word| text.starts_with(word))
    }
}

fn group(words: &[&'static str], byte: fn(&[u8]) -> Option<&u8>) -> Box<Groups> {
    let mut groups = Box::new([const { Vec::new() }; 256]);
    for word in words {
        if let Some(byte) = byte(word.as_bytes()) {
            groups[usize::from(byte.to_ascii_lowercase())].push(*word);
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_found_whole_or_at_an_edge() {
        static WORDS: &[&str] = &["a", "is", "is now", "authorization", "ü"];
        let set = WordSet::new(WORDS);
        assert!(WORDS.iter().all(|word| set.contains(word)));
        assert!(!set.contains("i") && !set.contains("authorizatiom") && !set.contains(""));
        let edges = Edges::new(WORDS);
        assert_eq!(edges.that_begin("IS").collect::<Vec<_>>(), ["is", "is now"]);
        assert_eq!(edges.that_end("now").collect::<Vec<_>>(), ["is now"]);
        assert!(edges.begins("über") && !edges.begins("ißt") && !edges.begins(""));
    }
}
