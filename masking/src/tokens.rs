//! Credentials in the formats of their providers.
//!
//! The formats are data, in the tables below `tokens/`. There are four kinds of them:
//! - a known prefix, followed by a run of characters (`prefix`),
//! - a known text inside or at the end of a credential (`infix`),
//! - a shape without any fixed text, such as two runs with a colon between them (`shape`),
//! - a run that counts only near the name of its provider (`near`).
//!
//! Each check reads a bounded number of bytes, or masks what it has read.

mod ai;
mod body;
mod checksum;
mod clouds;
mod code;
mod generic;
mod infix;
mod messaging;
mod monitoring;
mod near;
mod payments;
mod prefix;
mod providers;
mod services;
mod shape;

use body::{Body, is_random};

use crate::rules::RuleInfo;
use crate::text::{Text, Word};

/// A rule that finds the credentials of one provider.
#[derive(Debug)]
pub(crate) struct TokenRule {
    pub(crate) info: RuleInfo,
    formats: &'static [Format],
}

/// All rules, by topic.
const TABLES: [&[TokenRule]; 9] = [
    clouds::RULES,
    code::RULES,
    ai::RULES,
    payments::RULES,
    messaging::RULES,
    monitoring::RULES,
    services::RULES,
    generic::RULES,
    providers::RULES,
];

/// Every rule that finds credentials by their format.
pub(crate) fn rules() -> impl Iterator<Item = &'static TokenRule> {
    TABLES.into_iter().flatten()
}

/// All formats with the names of their rules.
fn formats() -> impl Iterator<Item = (&'static str, &'static Format)> {
    rules().flat_map(|rule| rule.formats.iter().map(|format| (rule.info.name, format)))
}

/// The format of a credential.
#[derive(Debug)]
enum Format {
    /// A prefix and the run after it. If `stays`, the prefix is not a part of the credential, as
    /// the host of a URL.
    Prefix {
        prefix: &'static str,
        stays: bool,
        run: Run,
    },
    /// The runs before and after a known text.
    Infix {
        infix: &'static str,
        before: Run,
        after: Run,
    },
    /// Runs with single signs between them.
    Shape(&'static [Part]),
    /// A run near one of these words.
    Near {
        words: &'static [&'static str],
        run: Run,
    },
}

/// The characters and the length of a part of a credential.
#[derive(Debug, Clone, Copy)]
struct Run {
    body: Body,
    least: usize,
    most: usize,
}

/// A part of a shape: a run, or the sign between two of them.
#[derive(Debug)]
enum Part {
    Run(Run),
    Sign(u8),
}

impl Run {
    /// The end of the run that begins at a position, if it has a valid length. Reads at most one
    /// byte more than the longest valid run.
    fn find_end(self, text: Text<'_>, start: usize) -> Option<usize> {
        let bytes = text.rest(start).iter().take(self.most.saturating_add(1));
        let length = bytes.take_while(|&&byte| self.body.contains(byte)).count();
        (self.least..=self.most)
            .contains(&length)
            .then_some(start + length)
    }

    /// The start of the run that ends at a position, if it has a valid length.
    fn find_start(self, text: Text<'_>, end: usize) -> Option<usize> {
        let start = text.run_back(end, self.most + 1, |byte| self.body.contains(byte));
        (self.least..=self.most)
            .contains(&(end - start))
            .then_some(start)
    }
}

const fn token(
    name: &'static str,
    finds: &'static str,
    source: &'static str,
    formats: &'static [Format],
) -> TokenRule {
    TokenRule {
        info: RuleInfo {
            name,
            finds,
            source,
        },
        formats,
    }
}

const fn run(body: Body, least: usize, most: usize) -> Run {
    Run { body, least, most }
}

const fn between(prefix: &'static str, body: Body, least: usize, most: usize) -> Format {
    Format::Prefix {
        prefix,
        stays: false,
        run: run(body, least, most),
    }
}

const fn exactly(prefix: &'static str, body: Body, length: usize) -> Format {
    between(prefix, body, length, length)
}

/// A format without a maximum length: some providers have made their tokens longer in the
/// past, so the whole run belongs to the token.
const fn at_least(prefix: &'static str, body: Body, least: usize) -> Format {
    between(prefix, body, least, usize::MAX)
}

/// A credential after a prefix that stays readable, such as the host of a URL.
const fn after(prefix: &'static str, body: Body, least: usize) -> Format {
    Format::Prefix {
        prefix,
        stays: true,
        run: run(body, least, usize::MAX),
    }
}

/// A run of one length near one of the words.
const fn near(words: &'static [&'static str], body: Body, length: usize) -> Format {
    near_between(words, body, length, length)
}

const fn near_between(
    words: &'static [&'static str],
    body: Body,
    least: usize,
    most: usize,
) -> Format {
    Format::Near {
        words,
        run: run(body, least, most),
    }
}

/// A text between two runs.
const fn infix(before: Run, infix: &'static str, after: Run) -> Format {
    Format::Infix {
        infix,
        before,
        after,
    }
}

const fn part(body: Body, least: usize, most: usize) -> Part {
    Part::Run(run(body, least, most))
}

/// Finds a credential that begins with a word, and returns its start, its end and the name of its
/// rule, which `is_on` accepts. The start differs from the position if the prefix stays. `begins_token`
/// is the answer of [`can_begin`].
pub(crate) fn find(
    text: Text<'_>,
    at: usize,
    word: Word,
    begins_token: bool,
    is_on: impl Fn(&str) -> bool,
) -> Option<(usize, usize, &'static str)> {
    if begins_token && let Some(found) = prefix::find(text, at, &is_on) {
        return Some(found);
    }
    // After most words a blank or a sign follows that no credential has.
    if word.length < near::SHORTEST && !SIGNS[usize::from(word.next)] {
        return None;
    }
    shape::find(text, at, word, &is_on).or_else(|| near::find(text, at, word, &is_on))
}

/// Whether the prefix of a credential can begin at a position.
pub(crate) fn can_begin(text: Text<'_>, at: usize) -> bool {
    prefix::can_begin(text, at)
}

/// The signs that a short word and the rest of a credential can have between them.
static SIGNS: [bool; 256] = {
    let mut signs = [false; 256];
    let all = b"-_+/.:$|! ";
    let mut place = 0;
    while place < all.len() {
        signs[all[place] as usize] = true;
        place += 1;
    }
    signs
};

/// Finds a credential whose prefix begins with a sign, such as `$` or `{`.
pub(crate) fn find_at_sign(
    text: Text<'_>,
    at: usize,
    is_on: impl Fn(&str) -> bool,
) -> Option<(usize, usize, &'static str)> {
    prefix::find(text, at, &is_on)
}

pub(crate) use infix::find as find_inside;

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    use super::*;
    use crate::finding::Choice;
    use crate::text::Facts;

    /// Random characters of a run, at most 60 more than its shortest length.
    fn random(run: Run, rng: &mut StdRng) -> String {
        let letters: Vec<char> = (33..127_u8)
            .filter(|&byte| run.body.contains(byte) && !matches!(byte, b'=' | b'.'))
            .map(char::from)
            .collect();
        let most = run.most.min(run.least + 60);
        let length = rng.random_range(run.least..=most);
        let mut random: String = (0..length)
            .map(|_| letters[rng.random_range(0..letters.len())])
            .collect();
        // Signs at the ends belong to the text around the credential.
        let is_sign = |letter: char| !letter.is_ascii_alphanumeric();
        for place in [0, length.saturating_sub(1)] {
            if random[place..].starts_with(is_sign) {
                random.replace_range(place..=place, "7");
            }
        }
        random
    }

    /// A credential of a format: the text before it, and the credential.
    fn generate(format: &Format, rng: &mut StdRng) -> (String, String) {
        match format {
            Format::Prefix { prefix, stays, run } => {
                let body = random(*run, rng);
                match stays {
                    true => ((*prefix).to_owned(), body),
                    false => (String::new(), format!("{prefix}{body}")),
                }
            }
            Format::Infix {
                infix,
                before,
                after,
            } => {
                let token = format!("{}{infix}{}", random(*before, rng), random(*after, rng));
                (String::new(), token)
            }
            Format::Shape(parts) => {
                let part = |part: &Part, rng: &mut StdRng| match part {
                    Part::Run(run) => random(*run, rng),
                    Part::Sign(sign) => char::from(*sign).to_string(),
                };
                (
                    String::new(),
                    parts.iter().map(|one| part(one, rng)).collect(),
                )
            }
            Format::Near { words, run } => (format!("{}_api_key: ", words[0]), random(*run, rng)),
        }
    }

    /// Whether some rule finds at least a whole credential.
    fn finds(before: &str, token: &str) -> bool {
        let text = format!("{before}{token}\"");
        let facts = Facts::default();
        let read = Text::new(&text, &facts);
        let whole = |start, end| start <= before.len() && end >= text.len() - 1;
        let mut found = Vec::new();
        infix::find(read, 0, text.len(), &All, &mut found);
        found.iter().any(|found| whole(found.start, found.end))
            || (0..=before.len())
                .filter_map(|at| {
                    find(read, at, Word::read(read, at), can_begin(read, at), |_| {
                        true
                    })
                })
                .any(|(start, end, _)| whole(start, end))
    }

    struct All;

    impl Choice for All {
        fn is_on(&self, _: &str) -> bool {
            true
        }

        fn judge(&self, _: &str) -> Option<crate::names::Certainty> {
            None
        }

        fn judge_found(&self, _: &str) -> Option<crate::names::Certainty> {
            None
        }

        fn has_own_names(&self) -> bool {
            false
        }
    }

    #[test]
    fn each_format_is_found_whole() {
        let mut rng = StdRng::seed_from_u64(7);
        let mut often = Vec::new();
        for (rule, format) in formats() {
            let missed: Vec<_> = (0..40)
                .map(|_| generate(format, &mut rng))
                .filter(|(before, token)| !finds(before, token))
                .collect();
            // A short random text can look like words.
            if missed.len() > 8 {
                often.push(format!("{rule}, {} of 40: {:?}", missed.len(), missed[0]));
            }
        }
        assert!(often.is_empty(), "{often:#?}");
    }

    #[test]
    fn there_are_many_formats_and_no_formats_that_shadow_each_other() {
        assert!(rules().count() >= 170);
        assert!(formats().count() >= 250);
        for (rule, format) in formats() {
            if let Format::Prefix { prefix, .. } = format {
                assert!(prefix.len() >= 2, "{rule}: {prefix}");
            }
            if let Format::Near { words, .. } = format {
                let is_word = |word: &&str| word.bytes().all(|byte| Body::LowerNum.contains(byte));
                assert!(words.iter().all(is_word), "{rule}: {words:?}");
            }
        }
    }
}
