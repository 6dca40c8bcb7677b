//! Combines the rules with a team's settings.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use crate::keys;
use crate::own::{Exhausted, Searches};
use crate::rules::{EMAIL, SECRET};
use crate::scan::{self, Choice, Finding, Others};
use crate::settings::{Compiled, InvalidSettings, Settings};
use crate::text::{Facts, MARK, Text};
use crate::words::Words;

/// The mask for the value of a secret key.
pub const REDACTED_KEY: &str = "[REDACTED:secret]";

/// The most passes over a text. The second pass finds almost nothing, and a third pass has
/// never found anything in practice.
const MAX_PASSES: usize = 4;

/// How many bytes of a text [`Masker::mask_beginning`] shows: ten times the longest stack
/// traces that occur in practice, and four times the limit of a spreadsheet cell. The limit
/// bounds the cost of many long texts, regardless of a team's patterns.
pub const MAX_TEXT_BYTES: usize = 128 * 1024;

/// How many bytes after the shown part the rules can read, to recognise a value that begins
/// in the shown part.
const LOOKAHEAD_BYTES: usize = 16 * 1024;

static BUILTIN: LazyLock<Masker> = LazyLock::new(|| Masker {
    settings: Arc::new(Compiled::default()),
});

/// Masks texts according to the built-in rules and one team's settings. Clones share the
/// compiled settings.
#[derive(Debug, Clone)]
pub struct Masker {
    settings: Arc<Compiled>,
}

impl Masker {
    /// Returns a masker with the built-in rules only.
    pub fn builtin() -> Self {
        BUILTIN.clone()
    }

    /// Creates a masker with the built-in rules and a team's settings.
    ///
    /// # Errors
    /// Returns [`InvalidSettings`] with the first invalid field of the settings.
    pub fn new(settings: &Settings) -> Result<Self, InvalidSettings> {
        if *settings == Settings::default() {
            return Ok(Self::builtin());
        }
        let settings = Arc::new(Compiled::new(settings)?);
        Ok(Self { settings })
    }

    /// Whether a field with this name holds a secret.
    pub fn secret_key(&self, key: &str) -> bool {
        if self.settings.key_names.is_empty() && !keys::can_hold_secret(key) {
            return false;
        }
        let words = Words::split(key);
        if self.settings.allowed_key_names.contains(words.joined()) {
            return false;
        }
        let own = &self.settings.key_names;
        // A team's name may have more words than the built-in phrases.
        let all = words.count();
        let is_own = !own.is_empty() && words.endings(all).any(|end| own.contains(end));
        is_own || keys::holds_secret(words)
    }

    /// Replaces each value that a rule finds with a mark. Returns the text itself if no rule
    /// finds anything. Marks that are already in the text stay unchanged.
    ///
    /// A masked value can hide where a number before it ends, so masked text is read again.
    ///
    /// The time is linear in the length of the text. If the searches for a team's pattern
    /// would take longer, a mark replaces the rest of the text and states its length.
    pub fn mask<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.settings.patterns.is_empty() && !scan::can_match(text) {
            return Cow::Borrowed(text);
        }
        self.mask_to(text, text.len())
    }

    /// Masks the first [`MAX_TEXT_BYTES`] of a text like [`Self::mask`]. A mark such as
    /// `[REDACTED:1234-more-bytes]` replaces the rest and states its length.
    pub fn mask_beginning<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if text.len() <= MAX_TEXT_BYTES {
            return self.mask(text);
        }
        self.mask_to(text, text.floor_char_boundary(MAX_TEXT_BYTES))
    }

    /// Masks the text before `until`, and replaces the rest with a mark.
    fn mask_to<'t>(&self, text: &'t str, until: usize) -> Cow<'t, str> {
        let mut masked = self.mask_once(text, until);
        for _ in 1..MAX_PASSES {
            let Cow::Owned(once) = &masked else {
                break;
            };
            let Cow::Owned(again) = self.mask_once(once, once.len()) else {
                break;
            };
            masked = Cow::Owned(again);
        }
        masked
    }

    fn mask_once<'t>(&self, text: &'t str, until: usize) -> Cow<'t, str> {
        // A value that `until` cuts in two must still be recognised.
        let seen = until.saturating_add(LOOKAHEAD_BYTES).min(text.len());
        let seen = &text[..text.floor_char_boundary(seen)];
        let facts = Facts::default();
        let mut search = Search::new(&self.settings, Text::new(seen, &facts));
        let mut masked = String::new();
        let mut copied = 0;
        let (end, rest) = loop {
            let found = match search.next(self) {
                Ok(Some(found)) if found.start < until => found,
                Ok(_) => break (until, "more-bytes"),
                Err(Exhausted) => break (search.from.min(until), "bytes-not-searched"),
            };
            if self.allows(&seen[found.start..found.end]) {
                continue;
            }
            if found.end > until {
                break (found.start, "more-bytes");
            }
            masked.push_str(&text[copied..found.start]);
            masked.push_str(MARK);
            masked.push_str(found.rule);
            masked.push(']');
            copied = found.end;
        };
        let left = text.len() - end;
        if copied == 0 && left == 0 {
            return Cow::Borrowed(text);
        }
        masked.push_str(&text[copied..end]);
        if left > 0 {
            masked.push_str(&format!("{MARK}{left}-{rest}]"));
        }
        Cow::Owned(masked)
    }

    fn allows(&self, found: &str) -> bool {
        let mut allowed = self.settings.allowed_patterns.iter();
        allowed.any(|pattern| pattern.is_match(found))
    }
}

impl Choice for Masker {
    fn is_on(&self, rule: &str) -> bool {
        let off = &self.settings.allowed_rules;
        off.is_empty() || !off.contains(rule)
    }

    /// In prose, other words may precede a name. So an allowed name may begin at any word
    /// of `key`.
    fn is_secret(&self, key: &str) -> bool {
        let starts = key.match_indices(' ').map(|(at, _)| at + 1);
        let allowed = &self.settings.allowed_key_names;
        let is_allowed = |start: usize| allowed.contains(Words::split(&key[start..]).joined());
        self.secret_key(key) && (allowed.is_empty() || !starts.into_iter().any(is_allowed))
    }
}

/// The state of all searches in a text. The built-in rules read only up to the next match of
/// the other searches. The other searches keep their next match until an earlier match covers
/// it. So no part of the text is read twice.
struct Search<'s, 't> {
    text: Text<'t>,
    from: usize,
    email: Next<'static>,
    patterns: Vec<(Searches<'s>, Next<'s>)>,
}

/// The next match of one search.
#[derive(Debug, Clone, Copy)]
enum Next<'n> {
    NotSearched,
    Finding(Finding<'n>),
    NoMore,
}

/// How many bytes before a match a search reads at most. They may have been masked since the
/// match was found.
const BEFORE: usize = 3;

impl<'n> Next<'n> {
    /// Returns the match. Searches again if it begins before `from` or directly after it.
    fn get(
        &mut self,
        from: usize,
        search: impl FnOnce() -> Result<Option<Finding<'n>>, Exhausted>,
    ) -> Result<Option<Finding<'n>>, Exhausted> {
        let is_stale = match self {
            Self::NotSearched => true,
            Self::Finding(found) => found.start < from + BEFORE,
            Self::NoMore => false,
        };
        if is_stale {
            *self = search()?.map_or(Self::NoMore, Self::Finding);
        }
        Ok(match self {
            Self::Finding(found) => Some(*found),
            Self::NotSearched | Self::NoMore => None,
        })
    }
}

impl<'s, 't> Search<'s, 't> {
    fn new(settings: &'s Compiled, text: Text<'t>) -> Self {
        let patterns = settings.patterns.iter();
        Self {
            text,
            from: 0,
            email: if text.text.contains('@') || text.text.contains("%40") {
                Next::NotSearched
            } else {
                Next::NoMore
            },
            patterns: patterns
                .map(|pattern| (Searches::new(pattern), Next::NotSearched))
                .collect(),
        }
    }

    /// Returns the earliest next match of all searches. Of matches at the same position, a
    /// team's pattern comes first, then the built-in rules, then e-mail addresses.
    ///
    /// # Errors
    /// Returns [`Exhausted`] if a team's pattern is too slow to find its next match.
    fn next(&mut self, choice: &dyn Choice) -> Result<Option<Finding<'s>>, Exhausted> {
        let (text, from) = (self.text, self.from);
        let mut own: Option<Finding<'s>> = None;
        for (searches, next) in &mut self.patterns {
            let found = next.get(from, || find_own(text, from, searches))?;
            own = earlier(own, found);
        }
        let mut email = None;
        if choice.is_on(EMAIL) {
            email = self
                .email
                .get(from, || Ok(scan::find_next_email(text, from)))?;
        }
        let others = Others {
            own: own.map(|found| found.start),
            email: email.map(|found| found.start),
        };
        let earliest = earlier(own, email);
        let builtin = scan::find_next(text, from, others, choice).filter(|builtin| {
            own.is_none_or(|own| builtin.start < own.start)
                && earliest.is_none_or(|other| builtin.start <= other.start)
        });
        let Some(found) = builtin.or(earliest) else {
            return Ok(None);
        };
        self.from = found.end;
        self.text.follows_secret = found.rule == SECRET;
        Ok(Some(found))
    }
}

/// Returns the earlier of two matches, or the first if both begin at the same position.
fn earlier<'n>(first: Option<Finding<'n>>, second: Option<Finding<'n>>) -> Option<Finding<'n>> {
    match (first, second) {
        (Some(first), Some(second)) if second.start < first.start => Some(second),
        (first, second) => first.or(second),
    }
}

/// Finds the next match of a team's pattern that neither begins nor ends inside a mark. No
/// pattern matches the empty text.
fn find_own<'s>(
    text: Text<'_>,
    from: usize,
    searches: &mut Searches<'s>,
) -> Result<Option<Finding<'s>>, Exhausted> {
    let mut from = from;
    while let Some(found) = searches.find_at(text.text, from)? {
        let Some(mark_end) = find_mark_across(text, found.start, found.end) else {
            return Ok(Some(Finding {
                start: found.start,
                end: found.end,
                rule: &searches.pattern.name,
            }));
        };
        from = mark_end;
    }
    Ok(None)
}

/// Returns the end of a mark in which a match begins or ends.
fn find_mark_across(text: Text<'_>, start: usize, end: usize) -> Option<usize> {
    [start, end - usize::from(end > start)]
        .into_iter()
        .find_map(|place| {
            let mut from = place.saturating_sub(MARK.len() + crate::text::MAX_NAME_LENGTH);
            while !text.text.is_char_boundary(from) {
                from += 1;
            }
            let near = text.text.as_bytes();
            let opening = (from..=place).rev().find(|&at| near[at] == b'[')?;
            text.mark_end(opening).filter(|&mark_end| mark_end > place)
        })
}
