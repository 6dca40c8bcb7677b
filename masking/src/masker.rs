//! Puts the rules and a team's settings together.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use crate::keys;
use crate::rules::{EMAIL, SECRET};
use crate::scan::{self, Choice, Found};
use crate::settings::{Compiled, InvalidSettings, Settings};
use crate::text::{Facts, MARK, Text};
use crate::words::Words;

/// What stands for the value of a secret key.
pub const REDACTED_KEY: &str = "[REDACTED:secret]";

/// How often a text is read at most. The second reading finds next to nothing,
/// and a third has never been seen to.
const MOST_READINGS: usize = 4;

static BUILTIN: LazyLock<Masker> = LazyLock::new(|| Masker {
    settings: Arc::new(Compiled::default()),
});

/// Finds and masks, as the built-in rules and one team's settings say. A clone
/// shares what is compiled.
#[derive(Debug, Clone)]
pub struct Masker {
    settings: Arc<Compiled>,
}

impl Masker {
    /// The built-in rules alone.
    pub fn builtin() -> Self {
        BUILTIN.clone()
    }

    /// The built-in rules with a team's settings.
    ///
    /// # Errors
    /// [`InvalidSettings`] names the first part of the settings that cannot be.
    pub fn new(settings: &Settings) -> Result<Self, InvalidSettings> {
        if *settings == Settings::default() {
            return Ok(Self::builtin());
        }
        let settings = Arc::new(Compiled::new(settings)?);
        Ok(Self { settings })
    }

    /// Whether a field of this name holds a secret.
    pub fn secret_key(&self, key: &str) -> bool {
        if self.settings.key_names.is_empty() && !keys::can_hold_secret(key) {
            return false;
        }
        let words = Words::of(key);
        if self.settings.allowed_key_names.contains(words.joined()) {
            return false;
        }
        let own = &self.settings.key_names;
        // A team's name may have more words than any phrase here.
        let all = words.count();
        let is_own = !own.is_empty() && words.endings(all).any(|end| own.contains(end));
        is_own || keys::holds_secret(words)
    }

    /// The text with a mark for each value that a rule finds, and the text
    /// itself where none finds any. What was masked before stays as it is.
    ///
    /// What was masked can be what kept a rule from seeing a number before it
    /// end, so that masked text is read again.
    pub fn mask<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.settings.patterns.is_empty() && !scan::can_hold(text) {
            return Cow::Borrowed(text);
        }
        let mut masked = self.mask_once(text);
        for _ in 1..MOST_READINGS {
            let Cow::Owned(once) = &masked else {
                break;
            };
            let Cow::Owned(again) = self.mask_once(once) else {
                break;
            };
            masked = Cow::Owned(again);
        }
        masked
    }

    fn mask_once<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let facts = Facts::default();
        let mut search = Search::new(&self.settings, Text::new(text, &facts));
        let mut masked = String::new();
        let mut copied = 0;
        while let Some(found) = search.next(self) {
            if self.allows(&text[found.start..found.end]) {
                continue;
            }
            masked.push_str(&text[copied..found.start]);
            masked.push_str(MARK);
            masked.push_str(found.rule);
            masked.push(']');
            copied = found.end;
        }
        if copied == 0 {
            return Cow::Borrowed(text);
        }
        masked.push_str(&text[copied..]);
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

    /// In prose a name can have words before it, so that one that a team allows
    /// is looked for from each of them on.
    fn is_secret(&self, key: &str) -> bool {
        let starts = key.match_indices(' ').map(|(at, _)| at + 1);
        let allowed = &self.settings.allowed_key_names;
        let is_allowed = |start: usize| allowed.contains(Words::of(&key[start..]).joined());
        self.secret_key(key) && (allowed.is_empty() || !starts.into_iter().any(is_allowed))
    }
}

/// Where each kind of search stands. The built-in rules look no farther than to
/// what the others found next; the others remember what that is until something
/// that begins earlier covers it. So nothing is read twice.
struct Search<'s, 't> {
    text: Text<'t>,
    from: usize,
    email: Next<'static>,
    patterns: Vec<(&'s (String, regex::Regex), Next<'s>)>,
}

/// The next match of one search.
#[derive(Debug, Clone, Copy)]
enum Next<'n> {
    NotSought,
    Found(Found<'n>),
    NoMore,
}

/// How far before a match a search looks, at most: what lies there may be masked
/// by now.
const BEFORE: usize = 3;

impl<'n> Next<'n> {
    /// The match, sought anew where it begins before `from` or right behind it.
    fn get(&mut self, from: usize, seek: impl FnOnce() -> Option<Found<'n>>) -> Option<Found<'n>> {
        let is_stale = match self {
            Self::NotSought => true,
            Self::Found(found) => found.start < from + BEFORE,
            Self::NoMore => false,
        };
        if is_stale {
            *self = seek().map_or(Self::NoMore, Self::Found);
        }
        match self {
            Self::Found(found) => Some(*found),
            Self::NotSought | Self::NoMore => None,
        }
    }
}

impl<'s, 't> Search<'s, 't> {
    fn new(settings: &'s Compiled, text: Text<'t>) -> Self {
        let patterns = settings.patterns.iter();
        Self {
            text,
            from: 0,
            email: if text.text.contains('@') || text.text.contains("%40") {
                Next::NotSought
            } else {
                Next::NoMore
            },
            patterns: patterns.map(|pattern| (pattern, Next::NotSought)).collect(),
        }
    }

    /// The next match of any search: the earliest, and of those that begin at
    /// one place the first in this order.
    fn next(&mut self, choice: &dyn Choice) -> Option<Found<'s>> {
        let (text, from) = (self.text, self.from);
        let mut own: Option<Found<'s>> = None;
        for ((name, regex), next) in &mut self.patterns {
            let found = next.get(from, || next_of(text, from, name, regex));
            own = earlier(own, found);
        }
        let mut earliest = own;
        if choice.is_on(EMAIL) {
            let email = self.email.get(from, || scan::next_email(text, from));
            earliest = earlier(own, email);
        }
        let until = earliest.map_or(text.text.len(), |found| found.start);
        let builtin = scan::next(text, from, until, choice).filter(|builtin| {
            own.is_none_or(|own| builtin.start < own.start)
                && earliest.is_none_or(|other| builtin.start <= other.start)
        });
        let found = builtin.or(earliest)?;
        self.from = found.end;
        self.text.follows_secret = found.rule == SECRET;
        Some(found)
    }
}

/// Of two matches the earlier, and of two that begin at one place the first.
fn earlier<'n>(first: Option<Found<'n>>, second: Option<Found<'n>>) -> Option<Found<'n>> {
    match (first, second) {
        (Some(first), Some(second)) if second.start < first.start => Some(second),
        (first, second) => first.or(second),
    }
}

/// The next match of a team's pattern that touches no mark from within.
fn next_of<'n>(
    text: Text<'_>,
    from: usize,
    name: &'n str,
    regex: &regex::Regex,
) -> Option<Found<'n>> {
    let mut from = from;
    while let Some(found) = regex.find_at(text.text, from) {
        match mark_across(text, found.start(), found.end()) {
            None if found.is_empty() => from = next_place(text.text, found.end())?,
            None => {
                return Some(Found {
                    start: found.start(),
                    end: found.end(),
                    rule: name,
                });
            }
            Some(mark_end) => from = mark_end,
        }
    }
    None
}

fn next_place(text: &str, at: usize) -> Option<usize> {
    let character = text[at..].chars().next()?;
    Some(at + character.len_utf8())
}

/// Where the mark ends within which a match begins or ends.
fn mark_across(text: Text<'_>, start: usize, end: usize) -> Option<usize> {
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
