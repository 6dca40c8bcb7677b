//! The words of names.

/// How many bytes at the end of a name are read. The end decides.
const LONGEST_NAME: usize = 128;

/// The initial capacity, enough for the words of most names.
const MOST_WORDS_AT_ONCE: usize = 8;

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
        if name.is_ascii() {
            words.split_ascii(name.as_bytes());
            return words;
        }
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

    /// Splits a name of ASCII characters only, as almost all names are.
    fn split_ascii(&mut self, name: &[u8]) {
        let mut before = b' ';
        for (place, &byte) in name.iter().enumerate() {
            if byte.is_ascii_alphanumeric() {
                let begins = if !before.is_ascii_alphanumeric()
                    || before.is_ascii_digit() != byte.is_ascii_digit()
                {
                    true
                } else {
                    let after = name.get(place + 1);
                    byte.is_ascii_uppercase()
                        && (!before.is_ascii_uppercase()
                            || after.is_some_and(u8::is_ascii_lowercase))
                };
                if begins {
                    self.starts.push(self.joined.len());
                }
                self.joined.push(char::from(byte.to_ascii_lowercase()));
            }
            before = byte;
        }
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

    /// The words from an index to another one, joined.
    pub(crate) fn between(&self, first: usize, last: usize) -> &str {
        let start = self.starts.get(first).copied().unwrap_or(self.joined.len());
        let end = self
            .starts
            .get(last + 1)
            .copied()
            .unwrap_or(self.joined.len());
        &self.joined[start..end]
    }

    /// The last word.
    pub(crate) fn last(&self) -> Option<&str> {
        self.get(self.count().checked_sub(1)?)
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
