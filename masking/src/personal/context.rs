//! What the words before a value say about it: the nearest word that means something decides.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::LazyLock;

use super::identities::IDENTITIES;
use super::vocabulary::{OTHERS, WORDS};
use crate::text::Text;

/// How many bytes before a value are read.
const REACH: usize = 72;

/// How many words before a value are read.
const MOST_WORDS: usize = 20;

/// How many words that mean nothing may stand between a value and the word that describes it.
const MOST_UNKNOWN: usize = 5;

/// How many words a phrase can have.
const LONGEST_PHRASE: usize = 5;

/// What a word says about the value after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Label {
    /// A number that is not personal data.
    Other,
    Phone,
    /// The sender or the receiver of something.
    Party,
    Card,
    Account,
    Birth,
    Hardware,
    Device,
    Wallet,
    /// An official number of a person.
    Identity,
    /// The version or the section of something.
    Version,
    /// Nothing: the word is skipped.
    Neutral,
}

impl Label {
    const fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// What a word means: its labels, and the rows of the table of identities that it names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Meaning {
    labels: u16,
    rows: u128,
}

/// What the words before a value say about it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Context {
    meaning: Meaning,
    /// How many unknown words stand between the value and the word that describes it.
    pub(crate) distance: usize,
    /// Whether a word for a sender or a receiver stands directly before the value.
    pub(crate) is_party: bool,
    /// Whether only words that mean nothing, such as `number`, stand before the value, and
    /// nothing else precedes them.
    pub(crate) is_bare: bool,
}

impl Context {
    /// Whether the nearest word that means something has this label.
    pub(crate) fn is(&self, label: Label) -> bool {
        self.meaning.labels & label.bit() != 0
    }

    /// Whether a word names the row of the table of identities.
    pub(crate) fn names(&self, row: usize) -> bool {
        self.meaning.rows >> row & 1 == 1
    }

    /// Whether a word means something.
    pub(crate) fn is_known(&self) -> bool {
        self.meaning != Meaning::default()
    }

    /// The same context after a word for a sender or a receiver.
    pub(crate) fn with_party(self, is_party: bool) -> Self {
        Self { is_party, ..self }
    }

    /// The context of a value that continues the list of the values before it.
    pub(crate) fn of(label: Label) -> Self {
        let meaning = Meaning {
            labels: label.bit(),
            rows: 0,
        };
        Self {
            meaning,
            ..Self::default()
        }
    }

    /// Reads the words before a position on its line.
    pub(crate) fn before(text: Text<'_>, at: usize) -> Self {
        let before = text.before(at, REACH);
        let start = memchr::memrchr(b'\n', before.as_bytes()).map_or(0, |end| end + 1);
        let line = &before[start..];
        // Most lines of a log begin with a time.
        let is_empty = line
            .bytes()
            .all(|byte| byte.is_ascii_punctuation() || byte == b' ');
        let context = if is_empty {
            Self {
                is_bare: true,
                ..Self::default()
            }
        } else {
            Self::read(line)
        };
        let is_start = line.len() < before.len() && context.is_bare && line.trim().len() <= 2;
        if is_start {
            Self::above(&before[..before.len() - line.len() - 1])
        } else {
            context
        }
    }

    /// Reads the line above a value that stands at the start of its line: a heading, or the
    /// command whose answer the value is.
    fn above(before: &str) -> Self {
        let line = before.rsplit('\n').next().unwrap_or_default().trim();
        if line.ends_with([':', '：', '>']) || line.starts_with("AT+") {
            Self::read(line)
        } else {
            Self {
                is_bare: true,
                ..Self::default()
            }
        }
    }

    /// Reads the words of a text, the last word first.
    pub(crate) fn read(text: &str) -> Self {
        let words = Tokens::split(text);
        let mut context = Self {
            is_bare: true,
            ..Self::default()
        };
        let mut end = words.count;
        while end > 0 {
            let Some((meaning, count)) = words.longest(end) else {
                end -= 1;
                if !words.is_number(end) {
                    context.is_bare = false;
                    context.distance += 1;
                    if context.distance > MOST_UNKNOWN {
                        break;
                    }
                }
                continue;
            };
            end -= count;
            if meaning.labels & Label::Party.bit() != 0 && context.distance == 0 {
                context.is_party = true;
            }
            let skipped = Label::Party.bit() | Label::Neutral.bit();
            if meaning.labels & !skipped != 0 || meaning.rows != 0 {
                context.is_bare = false;
                context.meaning = Meaning {
                    labels: meaning.labels & !skipped,
                    ..meaning
                };
                break;
            }
        }
        context
    }
}

/// The words of a text in lower case and without accents.
struct Tokens {
    joined: [u8; 4 * REACH],
    length: usize,
    /// The starts of the words, the last of which are kept.
    starts: [u16; MOST_WORDS + 1],
    count: usize,
}

impl Tokens {
    fn split(text: &str) -> Self {
        let mut tokens = Self {
            joined: [0; 4 * REACH],
            length: 0,
            starts: [0; MOST_WORDS + 1],
            count: 0,
        };
        let mut before = ' ';
        let mut is_hash = false;
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            if is_part(character) {
                let after = characters.peek().copied().unwrap_or(' ');
                if begins_word(before, character, after) {
                    tokens.spoil(before, character);
                    tokens.begin();
                    is_hash = before.is_ascii_digit() && character.is_ascii_alphabetic();
                }
                tokens.push(if is_hash { '\0' } else { character });
            }
            before = character;
        }
        tokens.starts[tokens.count] = tokens.length as u16;
        tokens
    }

    fn begin(&mut self) {
        if self.count == MOST_WORDS {
            self.starts.copy_within(1..MOST_WORDS, 0);
            self.count -= 1;
        }
        self.starts[self.count] = self.length as u16;
        self.count += 1;
    }

    /// Letters between the digits of a hash are no words: `cf` in `cf0fd0ba`.
    fn spoil(&mut self, before: char, character: char) {
        let Some(last) = self.count.checked_sub(1) else {
            return;
        };
        let start = usize::from(self.starts[last]);
        let is_short = self.length - start <= 2 && before.is_ascii_alphabetic();
        if is_short && character.is_ascii_digit() {
            self.joined[start..self.length].fill(0);
        }
    }

    fn push(&mut self, character: char) {
        let mut buffer = [0; 4];
        let mut add = |character: char| {
            let bytes = character.encode_utf8(&mut buffer).as_bytes();
            if let Some(place) = self.joined.get_mut(self.length..self.length + bytes.len()) {
                place.copy_from_slice(bytes);
                self.length += bytes.len();
            }
        };
        if character.is_ascii() {
            add(character.to_ascii_lowercase());
        } else {
            character.to_lowercase().filter_map(fold).for_each(add);
        }
    }

    /// The words from one index to another, joined.
    fn phrase(&self, from: usize, to: usize) -> &[u8] {
        &self.joined[usize::from(self.starts[from])..usize::from(self.starts[to])]
    }

    fn is_number(&self, index: usize) -> bool {
        self.phrase(index, index + 1).iter().all(u8::is_ascii_digit)
    }

    /// The meaning of the longest phrase that ends before an index, and its number of words.
    fn longest(&self, end: usize) -> Option<(Meaning, usize)> {
        let lexicon: &Lexicon = &LEXICON;
        let mut hash = Hash::default();
        let mut exact = None;
        let mut single = None;
        for count in 1..=LONGEST_PHRASE.min(end) {
            hash.add_back(self.phrase(end - count, end - count + 1));
            let found = lexicon.exact.get(&hash.0).copied();
            if count == 1 {
                single = found;
            } else if let Some(meaning) = found {
                exact = Some((meaning, count));
            }
        }
        let two = || {
            let start = end.checked_sub(2)?;
            // The stem must reach into the second word.
            let first = self.phrase(start, start + 1).len();
            let (meaning, length) = lexicon.stems.longest_start(self.phrase(start, end))?;
            (length > first).then_some((meaning, 2))
        };
        let one = || {
            Some((
                single.or_else(|| lexicon.find_word(self.phrase(end - 1, end)))?,
                1,
            ))
        };
        exact.or_else(two).or_else(one)
    }
}

/// Whether a character is part of a word. The signs that combine with letters in Indian scripts
/// and in Thai are neither letters nor digits.
fn is_part(character: char) -> bool {
    character.is_alphanumeric()
        || matches!(character, '\u{300}'..='\u{36F}' | '\u{900}'..='\u{DFF}' | '\u{E31}'..='\u{E4E}')
}

fn begins_word(before: char, character: char, after: char) -> bool {
    if !is_part(before) || before.is_numeric() != character.is_numeric() {
        return true;
    }
    character.is_uppercase() && (!before.is_uppercase() || after.is_lowercase())
}

/// Removes accents. `None` for a combining accent.
pub(super) fn fold(character: char) -> Option<char> {
    let folded = match character {
        '\u{300}'..='\u{36F}' => return None,
        'à'..='æ' | 'ā'..='ą' | 'ǎ' | 'ạ'..='ặ' => 'a',
        'ç' | 'ć'..='č' => 'c',
        'ď'..='đ' | 'ð' => 'd',
        'è'..='ë' | 'ē'..='ě' | 'ẹ'..='ệ' => 'e',
        'ĝ'..='ģ' => 'g',
        'ĥ'..='ħ' => 'h',
        'ì'..='ï' | 'ĩ'..='ı' | 'ỉ'..='ị' => 'i',
        'ķ' => 'k',
        'ĺ'..='ł' => 'l',
        'ñ' | 'ń'..='ň' => 'n',
        'ò'..='ö' | 'ø' | 'ō'..='ő' | 'œ' | 'ơ' | 'ọ'..='ợ' => 'o',
        'ŕ'..='ř' => 'r',
        'ś'..='š' | 'ß' | 'ș' => 's',
        'ţ'..='ŧ' | 'ț' | 'þ' => 't',
        'ù'..='ü' | 'ũ'..='ų' | 'ư' | 'ụ'..='ự' => 'u',
        'ý' | 'ÿ' | 'ỳ'..='ỹ' => 'y',
        'ź'..='ž' => 'z',
        'ά' => 'α',
        'έ' => 'ε',
        'ή' => 'η',
        'ί' | 'ϊ' | 'ΐ' => 'ι',
        'ό' => 'ο',
        'ύ' => 'υ',
        'ώ' => 'ω',
        'ς' => 'σ',
        'ё' => 'е',
        other => other,
    };
    Some(folded)
}

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
struct Lexicon {
    /// The meanings by the hash of the word. With 64 bits no two of a few thousand words share one.
    exact: HashMap<u64, Meaning, BuildHasherDefault<Hash>>,
    /// Words with any ending.
    stems: Starts,
    /// Words of scripts without spaces.
    inner: Starts,
}

static LEXICON: LazyLock<Lexicon> = LazyLock::new(Lexicon::new);

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
        hash.add_back(word.as_bytes());
        self.exact.insert(hash.0, meaning);
    }

    /// The meaning of a word that is not written as in the table.
    fn find_word(&self, word: &[u8]) -> Option<Meaning> {
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
struct Starts(HashMap<u64, Vec<Start>, BuildHasherDefault<Hash>>);

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
struct Hash(u64);

impl Hash {
    fn add_back(&mut self, bytes: &[u8]) {
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

impl Hasher for Hash {
    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 32
    }

    fn write(&mut self, bytes: &[u8]) {
        self.add_back(bytes);
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Facts;

    fn is(before: &str, label: Label) -> bool {
        let facts = Facts::default();
        Context::before(Text::new(before, &facts), before.len()).is(label)
    }

    #[test]
    fn the_nearest_word_decides() {
        assert!(is("phone number: ", Label::Phone));
        assert!(is("\"mobilePhone\":\"", Label::Phone));
        assert!(is("他的电话是", Label::Phone));
        assert!(is("Geburts-Datum: x, Mobilnummer ", Label::Phone));
        assert!(is("D.O.B. ", Label::Birth));
        assert!(is("phone order ", Label::Other));
        assert!(is("phone,注文番号：", Label::Other));
        assert!(!is("phone\n", Label::Phone));
        assert!(!is(
            "phone of somebody who yesterday evening rang us ",
            Label::Phone
        ));
    }

    #[test]
    fn all_rows_have_a_bit() {
        assert!(IDENTITIES.len() <= 128);
    }
}
