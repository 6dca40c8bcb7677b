//! Words: the parts of names, and the words before a value.

use crate::text::Text;

/// How many bytes at the end of a name are read. The end decides.
const LONGEST_NAME: usize = 128;

/// The initial capacity, enough for the words of most names.
const MOST_WORDS_AT_ONCE: usize = 8;

/// How many bytes before a value a word can describe it.
const REACH: usize = 40;

/// How many words before a value can describe it.
const WORDS: usize = 4;

/// Words after which a number is not personal data, independent of the words before them:
/// `call id 12345678901`.
const OTHER_THINGS: &[&str] = &[
    "amount",
    "build",
    "bytes",
    "code",
    "commit",
    "count",
    "duration",
    "epoch",
    "execution",
    "id",
    "index",
    "invoice",
    "item",
    "items",
    "length",
    "offset",
    "order",
    "port",
    "product",
    "ref",
    "reference",
    "size",
    "sku",
    "ticket",
    "timestamp",
    "version",
];

/// The words of a name in lower case, joined, and the start of each word.
#[derive(Debug, Default)]
pub(crate) struct Words {
    joined: String,
    starts: Vec<usize>,
}

impl Words {
    /// Splits a name at all characters that are not letters or digits, between letters and
    /// digits, and before a capital that begins a word, as in `dbPassword` and `APIKey`.
    pub(crate) fn split(name: &str) -> Self {
        let name = tail(name);
        let mut words = Self {
            joined: String::with_capacity(name.len()),
            starts: Vec::with_capacity(MOST_WORDS_AT_ONCE),
        };
        let mut before = ' ';
        let mut characters = name.chars().peekable();
        while let Some(character) = characters.next() {
            if character.is_alphanumeric() {
                let after = characters.peek().copied().unwrap_or(' ');
                if begins_word(before, character, after) {
                    words.starts.push(words.joined.len());
                }
                if character.is_ascii() {
                    words.joined.push(character.to_ascii_lowercase());
                } else {
                    words.joined.extend(character.to_lowercase());
                }
            }
            before = character;
        }
        words
    }

    /// All words, joined without separators.
    pub(crate) fn joined(&self) -> &str {
        &self.joined
    }

    /// The number of words.
    pub(crate) fn count(&self) -> usize {
        self.starts.len()
    }

    /// The word at an index.
    pub(crate) fn get(&self, index: usize) -> Option<&str> {
        let start = *self.starts.get(index)?;
        let end = self.starts.get(index + 1).copied();
        Some(&self.joined[start..end.unwrap_or(self.joined.len())])
    }

    /// The last word.
    pub(crate) fn last(&self) -> Option<&str> {
        self.get(self.count().checked_sub(1)?)
    }

    /// Removes the last word.
    pub(crate) fn pop(&mut self) {
        if let Some(start) = self.starts.pop() {
            self.joined.truncate(start);
        }
    }

    /// The last word, the last two words joined, and so on, up to `most` words.
    pub(crate) fn endings(&self, most: usize) -> impl Iterator<Item = &str> {
        let starts = self.starts.iter().rev().take(most);
        starts.map(|&start| &self.joined[start..])
    }
}

fn tail(name: &str) -> &str {
    let mut from = name.len().saturating_sub(LONGEST_NAME);
    while !name.is_char_boundary(from) {
        from += 1;
    }
    &name[from..]
}

fn begins_word(before: char, character: char, after: char) -> bool {
    if !before.is_alphanumeric() || before.is_numeric() != character.is_numeric() {
        return true;
    }
    character.is_uppercase() && (!before.is_uppercase() || after.is_lowercase())
}

/// Splits off the last word of a text. Returns the text before it, and the word.
fn split_last_word(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_end_matches(|character: char| !character.is_alphanumeric());
    let mut after = ' ';
    let mut backwards = text.char_indices().rev().peekable();
    while let Some((at, character)) = backwards.next() {
        let before = backwards.peek().map_or(' ', |(_, before)| *before);
        if begins_word(before, character, after) {
            return Some(text.split_at(at));
        }
        after = character;
    }
    None
}

/// Whether a word is the wanted word. In scripts without spaces, it may be a part of a longer text.
fn is_word(word: &str, wanted: &str) -> bool {
    word.eq_ignore_ascii_case(wanted) || (!wanted.is_ascii() && word.contains(wanted))
}

/// The last words before a position, the nearest first.
fn words_before(text: Text<'_>, at: usize) -> impl Iterator<Item = &str> {
    let before = text.before(at, REACH);
    let mut rest = before.rsplit('\n').next().unwrap_or_default();
    std::iter::from_fn(move || {
        let (start, word) = split_last_word(rest)?;
        rest = start;
        Some(word)
    })
    .take(WORDS)
}

/// Whether the word directly before `at` shows that a number is not personal data.
pub(crate) fn is_other_number(text: Text<'_>, at: usize) -> bool {
    let last = words_before(text, at).next();
    last.is_some_and(is_other_thing)
}

/// Whether one of the words before `at` is a wanted word.
pub(crate) fn is_mentioned(text: Text<'_>, at: usize, wanted: &[&str]) -> bool {
    words_before(text, at).any(|word| wanted.iter().any(|wanted| is_word(word, wanted)))
}

fn is_other_thing(word: &str) -> bool {
    OTHER_THINGS
        .iter()
        .any(|thing| word.eq_ignore_ascii_case(thing))
}

/// Whether one of the words before `at` is a wanted word, and no nearer word shows that the
/// number is something else.
pub(crate) fn is_named(text: Text<'_>, at: usize, wanted: &[&str]) -> bool {
    for word in words_before(text, at) {
        if wanted.iter().any(|wanted| is_word(word, wanted)) {
            return true;
        }
        if is_other_thing(word) {
            return false;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn describes(before: &str, wanted: &[&str]) -> bool {
        let facts = crate::text::Facts::default();
        is_named(Text::new(before, &facts), before.len(), wanted)
    }

    fn words(name: &str) -> Vec<String> {
        let words = Words::split(name);
        let word = |index| words.get(index).unwrap().to_owned();
        (0..words.count()).map(word).collect()
    }

    #[test]
    fn all_styles_of_names_split_into_the_same_words() {
        for name in ["xApiKey2", "X-Api-Key-2", "x_api_key2", "X_API_KEY_2"] {
            assert_eq!(words(name), ["x", "api", "key", "2"], "{name}");
        }
        assert_eq!(words("APIKey"), ["api", "key"]);
        assert_eq!(words("größeÄndern"), ["größe", "ändern"]);
        assert_eq!(words("--"), [""; 0]);
    }

    #[test]
    fn a_nearer_word_can_describe_something_else() {
        assert!(describes("phone number: ", &["phone"]));
        assert!(describes("\"mobilePhone\":\"", &["phone"]));
        assert!(describes("他的电话是", &["电话"]));
        assert!(!describes("phone order ", &["phone"]));
        assert!(!describes("phone\n", &["phone"]));
        assert!(!describes("phone of the man who called us ", &["phone"]));
    }
}
