//! The words before a value, the last word first. They are read one by one, because the nearest word
//! that means something decides, and is often the last one.

use super::lexicon::{Hash, LEXICON, Lexicon};
use super::{Meaning, REACH};

/// How many words before a value are read.
const MOST_WORDS: usize = 20;

/// How many words a phrase can have.
const LONGEST_PHRASE: usize = 5;

/// The most bytes of the words in lower case.
const LONGEST: usize = 4 * REACH;

/// The words of a text in lower case and without accents, from the last word on.
pub(super) struct Words<'t> {
    text: &'t str,
    /// The part of the text before this position was not read yet.
    unread: usize,
    /// The words that were read, joined in the order of the text, at the end of the buffer.
    joined: [u8; LONGEST],
    /// Where each word begins in the buffer, after the end of the last word.
    starts: [u16; MOST_WORDS + 1],
    count: usize,
}

impl<'t> Words<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            text,
            unread: text.len(),
            joined: [0; LONGEST],
            starts: [LONGEST as u16; MOST_WORDS + 1],
            count: 0,
        }
    }

    /// Reads until there are this many words. Returns whether there are.
    pub(super) fn read(&mut self, count: usize) -> bool {
        while self.count < count.min(MOST_WORDS) {
            if self.read_word().is_none() {
                return false;
            }
        }
        self.count >= count
    }

    fn read_word(&mut self) -> Option<()> {
        let (mut character, mut start) = self.before(self.unread)?;
        while !is_part(character) {
            (character, start) = self.before(start)?;
        }
        let end = start + character.len_utf8();
        let from = self.starts[self.count];
        let mut filled = usize::from(from);
        let mut after = self.text[end..].chars().next().unwrap_or(' ');
        let is_cut = after.is_ascii_digit() && character.is_ascii_alphabetic();
        let before = loop {
            filled = self.push(filled, character);
            let (before, at) = self.before(start).unwrap_or((' ', start));
            if begins_word(before, character, after) {
                break before;
            }
            (after, character, start) = (character, before, at);
        };
        // Letters between the digits of a hash are no words: `cf` in `cf0fd0ba`.
        let is_hash = before.is_ascii_digit() && character.is_ascii_alphabetic()
            || is_cut && usize::from(from) - filled <= 2;
        if is_hash {
            self.joined[filled..usize::from(from)].fill(0);
        }
        self.unread = start;
        self.count += 1;
        self.starts[self.count] = filled as u16;
        Some(())
    }

    /// The character before a position, and where it begins.
    fn before(&self, end: usize) -> Option<(char, usize)> {
        let last = *self.text.as_bytes().get(end.checked_sub(1)?)?;
        if last.is_ascii() {
            return Some((char::from(last), end - 1));
        }
        let character = self.text[..end].chars().next_back()?;
        Some((character, end - character.len_utf8()))
    }

    /// Writes a character before the part of the buffer that is filled. Returns where it begins now.
    fn push(&mut self, filled: usize, character: char) -> usize {
        let mut filled = filled;
        let mut write = |character: char| {
            let mut buffer = [0; 4];
            let bytes = character.encode_utf8(&mut buffer).as_bytes();
            if let Some(start) = filled.checked_sub(bytes.len()) {
                self.joined[start..filled].copy_from_slice(bytes);
                filled = start;
            }
        };
        if character.is_ascii() {
            write(character.to_ascii_lowercase());
        } else {
            let lower = character.to_lowercase().filter_map(fold);
            // One character becomes three at most.
            let mut letters = ['\0'; 3];
            let count = letters
                .iter_mut()
                .zip(lower)
                .map(|(place, letter)| *place = letter)
                .count();
            letters[..count].iter().rev().copied().for_each(write);
        }
        filled
    }

    /// The words from one place to another, joined. The last word of the text has place zero.
    fn phrase(&self, from: usize, count: usize) -> &[u8] {
        &self.joined[usize::from(self.starts[from + count])..usize::from(self.starts[from])]
    }

    pub(super) fn is_number(&self, place: usize) -> bool {
        self.phrase(place, 1).iter().all(u8::is_ascii_digit)
    }

    /// The meaning of the longest phrase that ends with the word at a place, and its number of
    /// words.
    pub(super) fn meaning(&mut self, place: usize) -> Option<(Meaning, usize)> {
        let lexicon: &Lexicon = &LEXICON;
        let mut hash = Hash::default();
        hash.add_back(self.phrase(place, 1));
        let single = lexicon.exact(hash);
        let mut exact = None;
        for count in 2..=LONGEST_PHRASE {
            if !lexicon.is_end(hash) || !self.read(place + count) {
                break;
            }
            hash.add_back(self.phrase(place + count - 1, 1));
            exact = lexicon
                .exact(hash)
                .map(|meaning| (meaning, count))
                .or(exact);
        }
        exact.or_else(|| self.two(place)).or_else(|| {
            let found = single.or_else(|| lexicon.find_word(self.phrase(place, 1)));
            found.map(|meaning| (meaning, 1))
        })
    }

    /// The meaning of the stem that begins with the word before a place and reaches into the word
    /// at it.
    fn two(&mut self, place: usize) -> Option<(Meaning, usize)> {
        if !self.read(place + 2) {
            return None;
        }
        let first = self.phrase(place + 1, 1).len();
        let (meaning, length) = LEXICON.longest_stem(self.phrase(place, 2))?;
        (length > first).then_some((meaning, 2))
    }
}

/// Whether a character is part of a word. The signs that combine with letters in Indian scripts
/// and in Thai are neither letters nor digits.
pub(super) fn is_part(character: char) -> bool {
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
