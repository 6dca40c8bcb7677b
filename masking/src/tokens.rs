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

use crate::finding::{Choice, Finding};
use crate::rules::RuleInfo;
use crate::text::Text;

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

/// The class of the characters of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Body {
    /// `A` to `Z` and `2` to `7`, as in AWS ids.
    Base32,
    Digits,
    LowerHex,
    Hex,
    /// The characters of a UUID.
    HexDash,
    LowerNum,
    LowerNumDash,
    LowerNumDot,
    UpperNum,
    UpperNumDash,
    UpperWord,
    Alphanumeric,
    /// Letters, digits, underscores.
    Word,
    Base64Url,
    /// Base64url with dots between its parts.
    Dotted,
    /// Base64 with padding.
    Base64,
    /// Base64 with commas between the parts of a list.
    Base64List,
    /// Base64 and base64url.
    Token,
    /// Base64 and base64url with dots between its parts.
    DottedToken,
    /// The characters of a client secret of Entra ID.
    EntraId,
    /// A user, a realm, the name of a token and a UUID, as in `root@pam!ci=…`.
    Proxmox,
    /// The name of a deployment, a bar, and base64.
    Convex,
    /// The parts of a URL's path.
    Path,
    /// The rest of a URL.
    Url,
    /// The characters of a password's hash: base64 with `.`, and `$`, `=`, `,` between its parts.
    Crypt,
    /// The characters of a hash with the name of its user.
    Hashcat,
}

impl Body {
    const fn contains(self, byte: u8) -> bool {
        let is_lower = byte.is_ascii_digit() || byte.is_ascii_lowercase();
        let is_upper = byte.is_ascii_digit() || byte.is_ascii_uppercase();
        match self {
            Self::Base32 => matches!(byte, b'A'..=b'Z' | b'2'..=b'7'),
            Self::Digits => byte.is_ascii_digit(),
            Self::LowerHex => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
            Self::Hex => byte.is_ascii_hexdigit(),
            Self::HexDash => byte.is_ascii_hexdigit() || byte == b'-',
            Self::LowerNum => is_lower,
            Self::LowerNumDash => is_lower || byte == b'-',
            Self::LowerNumDot => is_lower || byte == b'.',
            Self::UpperNum => is_upper,
            Self::UpperNumDash => is_upper || byte == b'-',
            Self::UpperWord => is_upper || byte == b'_',
            _ => byte.is_ascii_alphanumeric() || self.has_sign(byte),
        }
    }

    /// Whether a class of letters, digits and signs has this sign.
    const fn has_sign(self, byte: u8) -> bool {
        match self {
            Self::Word => byte == b'_',
            Self::Base64Url => matches!(byte, b'_' | b'-'),
            Self::Dotted => matches!(byte, b'_' | b'-' | b'.'),
            Self::Base64 => matches!(byte, b'+' | b'/' | b'='),
            Self::Base64List => matches!(byte, b'+' | b'/' | b'=' | b',' | b'_'),
            Self::Token => matches!(byte, b'+' | b'/' | b'=' | b'_' | b'-'),
            Self::DottedToken => matches!(byte, b'+' | b'/' | b'=' | b'_' | b'-' | b'.'),
            Self::EntraId => matches!(byte, b'_' | b'-' | b'.' | b'~'),
            Self::Proxmox => matches!(byte, b'_' | b'-' | b'.' | b'@' | b'!' | b'='),
            Self::Convex => matches!(byte, b'+' | b'/' | b'=' | b'_' | b'-' | b'|'),
            Self::Path => matches!(byte, b'_' | b'-' | b'/'),
            Self::Url => is_url_sign(byte),
            Self::Crypt => matches!(byte, b'+' | b'.' | b'/' | b'$' | b'=' | b',' | b'-'),
            Self::Hashcat => is_url_sign(byte) || matches!(byte, b'*' | b'#'),
            _ => false,
        }
    }
}

const fn is_url_sign(byte: u8) -> bool {
    matches!(
        byte,
        b'_' | b'-' | b'/' | b'?' | b'=' | b'&' | b'%' | b'.' | b'@' | b'+' | b'~' | b':' | b'$'
    )
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

/// Finds a credential that begins at a position, and returns its start, its end and the name of
/// its rule, which `is_on` accepts. The start differs from the position if the prefix stays.
pub(crate) fn find(
    text: Text<'_>,
    at: usize,
    is_on: impl Fn(&str) -> bool,
) -> Option<(usize, usize, &'static str)> {
    if let Some(found) = prefix::find(text, at, &is_on) {
        return Some(found);
    }
    let bytes = text.rest(at).iter().take(LONGEST_WORD);
    let word = bytes
        .take_while(|byte| byte.is_ascii_alphanumeric())
        .count();
    shape::find(text, at, word, &is_on).or_else(|| near::find(text, at, word, &is_on))
}

/// How far a word is read before it is clear what to search for. No shape begins with a longer
/// run.
const LONGEST_WORD: usize = 65;

/// Finds a credential whose prefix begins with a sign, such as `$` or `{`.
pub(crate) fn find_at_sign(
    text: Text<'_>,
    at: usize,
    is_on: impl Fn(&str) -> bool,
) -> Option<(usize, usize, &'static str)> {
    prefix::find(text, at, &is_on)
}

/// Adds the credentials that are recognised by a text inside them.
pub(crate) fn find_inside(
    text: Text<'_>,
    choice: &dyn Choice,
    findings: &mut Vec<Finding<'static>>,
) {
    infix::find(text, choice, findings);
}

/// Whether a run looks random. A random run has letters and digits, or capitals and small letters;
/// words do not, and neither do words and numbers with signs between them, as in
/// `learn-contrib-2024`.
fn is_random(run: &[u8], body: Body) -> bool {
    let holds = |class: fn(&u8) -> bool| run.iter().any(class);
    if body == Body::Base32 {
        return true;
    }
    let is_mixed = holds(u8::is_ascii_digit) && holds(u8::is_ascii_alphabetic)
        || holds(u8::is_ascii_uppercase) && holds(u8::is_ascii_lowercase);
    if !is_mixed {
        return false;
    }
    let pieces = || run.split(|byte| !byte.is_ascii_alphanumeric());
    let random = pieces().filter(|piece| is_random_piece(piece));
    let longest = random.clone().map(<[u8]>::len).max().unwrap_or(0);
    longest >= LONG_PIECE || 2 * random.count() >= pieces().count()
}

/// A random piece of this length is enough; shorter ones occur in names such as `Foo2`.
const LONG_PIECE: usize = 8;

/// Whether the part of a run between two signs is neither a word nor a short number.
fn is_random_piece(piece: &[u8]) -> bool {
    let is_word = piece.iter().all(u8::is_ascii_uppercase)
        || piece.iter().skip(1).all(u8::is_ascii_lowercase);
    let is_number = piece.len() < LONG_PIECE && piece.iter().all(u8::is_ascii_digit);
    !is_word && !is_number
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    use super::*;
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
        infix::find(read, &All, &mut found);
        found.iter().any(|found| whole(found.start, found.end))
            || (0..=before.len())
                .filter_map(|at| find(read, at, |_| true))
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

    #[test]
    fn words_are_not_random() {
        let check = |run: &str| is_random(run.as_bytes(), Body::Base64Url);
        for run in [
            "learn-contrib-2024-wheel",
            "SOME_LONG_NAME_2",
            "lifecycle_event",
            "Foo2-bar-baz-qux",
        ] {
            assert!(!check(run), "{run}");
        }
        for run in [
            "x7Kp2mQ9vR4t",
            "4f9c2a71-88de-4c1b-a2f3-0b1c2d3e4f5a",
            "aB3dE6gH9jK2",
        ] {
            assert!(check(run), "{run}");
        }
    }
}
