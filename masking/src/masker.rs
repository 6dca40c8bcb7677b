//! Combines the rules with a team's settings.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use crate::credentials::{commands, private_key};
use crate::finding::{self, Choice, Finding};
use crate::layers::{Kind, LAYERS, Layer};
use crate::names::{self, Certainty};
use crate::own::{Exhausted, Searches};
use crate::settings::{Compiled, InvalidSettings, Settings};
use crate::text::{Facts, MARK, Text, mark_length};
use crate::words::Words;
use crate::{pairs, scan};

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
        self.judge_key(key) >= Some(Certainty::Likely)
    }

    fn judge_key(&self, key: &str) -> Option<Certainty> {
        let certainty = names::judge(key);
        if self.settings.allowed_key_names.is_empty() && self.settings.key_names.is_empty() {
            return certainty;
        }
        let words = Words::split(key);
        if self.settings.allowed_key_names.contains(words.joined()) {
            return None;
        }
        let own = &self.settings.key_names;
        // A team's name may have more words than the built-in phrases.
        let all = words.count();
        let is_own = !own.is_empty() && words.endings(all).any(|end| own.contains(end));
        if is_own {
            Some(Certainty::Certain)
        } else {
            certainty
        }
    }

    /// Masks only the values beside the names of secrets, such as `"password": "…"` in a text of
    /// JSON. Everything else stays readable.
    pub fn mask_secrets<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut findings = Vec::new();
        self.find_layers(text, Rules::Pairs, &mut findings);
        findings.retain(|found| !self.allows(&text[found.start..found.end]));
        finding::join(&mut findings);
        exclude_marks(text, &mut findings);
        if findings.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut masked = String::new();
        let mut copied = 0;
        for found in findings {
            masked.push_str(&text[copied..found.start]);
            masked.push_str(MARK);
            masked.push_str(found.rule);
            masked.push(']');
            copied = found.end;
        }
        masked.push_str(&text[copied..]);
        Cow::Owned(masked)
    }

    /// Replaces each value that a rule finds with a mark. Returns the text itself if no rule
    /// finds anything. Marks that are already in the text stay unchanged.
    ///
    /// A masked value can hide where a number before it ends, so masked text is read again.
    ///
    /// The time is linear in the length of the text. If the searches for a team's pattern
    /// would take longer, a mark replaces the rest of the text and states its length.
    pub fn mask<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.settings.patterns.is_empty()
            && !self.has_own_names()
            && !scan::can_match(text)
            && !names::can_contain(text)
        {
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
        let mut findings = Vec::new();
        self.find_layers(seen, Rules::All, &mut findings);
        let searched = self.find_own(seen, &mut findings);
        findings.retain(|found| !self.allows(&seen[found.start..found.end]));
        finding::join(&mut findings);
        exclude_marks(seen, &mut findings);
        let (mut end, mut rest) = (until, "more-bytes");
        if searched < until {
            (end, rest) = (searched, "bytes-not-searched");
        }
        let mut masked = String::new();
        let mut copied = 0;
        for found in findings {
            if found.start >= end {
                break;
            }
            if found.end > end {
                end = found.start;
                break;
            }
            masked.push_str(&text[copied..found.start]);
            masked.push_str(MARK);
            masked.push_str(found.rule);
            masked.push(']');
            copied = found.end;
        }
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

    /// Adds what the built-in rules find in a text and in the layers inside it.
    fn find_layers(&self, text: &str, rules: Rules, findings: &mut Vec<Finding<'_>>) {
        let has_pairs = self.find_layer(text, rules, findings);
        let mut layers: Vec<Layer> = Vec::new();
        for kind in LAYERS {
            let outer = layers.last().map_or(text, |layer| layer.text.as_str());
            // Without prefixes, only values of several lines read differently.
            if kind == Kind::Prefixes && !has_pairs && !private_key::can_contain(outer) {
                continue;
            }
            let Some(layer) = Layer::remove(outer, kind) else {
                continue;
            };
            let mut found = Vec::new();
            let rules = if kind == Kind::Prefixes {
                Rules::Pairs
            } else {
                rules
            };
            self.find_layer(&layer.text, rules, &mut found);
            layers.push(layer);
            findings.extend(found.into_iter().map(|found| {
                let locate = |(start, end), layer: &Layer| layer.locate(start, end);
                let (start, end) = layers.iter().rev().fold((found.start, found.end), locate);
                Finding {
                    start,
                    end,
                    ..found
                }
            }));
        }
    }

    /// Adds what the built-in rules find in a text. Returns whether it has names of secrets.
    fn find_layer(&self, text: &str, rules: Rules, findings: &mut Vec<Finding<'_>>) -> bool {
        let facts = Facts::default();
        let read = Text::new(text, &facts);
        let mut found = Vec::new();
        let has_pairs = pairs::find(read, self, &mut found);
        commands::find(read, self, &mut found);
        if rules == Rules::All {
            scan::find(read, self, &mut found);
            scan::find_emails(read, self, &mut found);
        } else if private_key::can_contain(text) {
            scan::find_private_keys(read, self, &mut found);
        }
        findings.extend(found);
        has_pairs
    }

    /// Adds the matches of the team's own patterns. Returns where the searches stopped, if one of
    /// them took too long.
    fn find_own<'s>(&'s self, text: &str, findings: &mut Vec<Finding<'s>>) -> usize {
        let facts = Facts::default();
        let read = Text::new(text, &facts);
        let mut searched = usize::MAX;
        for pattern in &self.settings.patterns {
            let mut searches = Searches::new(pattern);
            let mut from = 0;
            loop {
                match find_own(read, from, &mut searches) {
                    Ok(Some(found)) => {
                        from = found.end;
                        findings.push(found);
                    }
                    Ok(None) => break,
                    Err(Exhausted) => {
                        searched = searched.min(text.floor_char_boundary(from));
                        break;
                    }
                }
            }
        }
        searched
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
    fn judge(&self, name: &str) -> Option<Certainty> {
        let certainty = self.judge_key(name)?;
        let starts = name.match_indices(' ').map(|(at, _)| at + 1);
        let allowed = &self.settings.allowed_key_names;
        let is_allowed = |start: usize| allowed.contains(Words::split(&name[start..]).joined());
        (allowed.is_empty() || !starts.into_iter().any(is_allowed)).then_some(certainty)
    }

    fn judge_found(&self, word: &str) -> Option<Certainty> {
        let is_allowed = self
            .settings
            .allowed_key_names
            .contains(Words::split(word).joined());
        (!is_allowed).then_some(Certainty::Certain)
    }

    fn has_own_names(&self) -> bool {
        !self.settings.key_names.is_empty()
    }
}

/// Which of the built-in rules are searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rules {
    All,
    /// Only values beside the names of secrets.
    Pairs,
}

/// Removes marks from the findings, so that they stay as they are.
fn exclude_marks(text: &str, findings: &mut Vec<Finding<'_>>) {
    let marks: Vec<(usize, usize)> = memchr::memmem::find_iter(text.as_bytes(), MARK)
        .filter_map(|start| Some((start, start + mark_length(&text.as_bytes()[start..])?)))
        .collect();
    if marks.is_empty() {
        return;
    }
    let mut next = 0;
    let mut left = Vec::with_capacity(findings.len());
    for found in findings.iter() {
        let mut start = found.start;
        while marks.get(next).is_some_and(|mark| mark.1 <= start) {
            next += 1;
        }
        for &(mark_start, mark_end) in marks[next..].iter().take_while(|mark| mark.0 < found.end) {
            left.push(Finding {
                start,
                end: mark_start.max(start),
                rule: found.rule,
            });
            start = mark_end.max(start);
        }
        left.push(Finding {
            start,
            end: found.end.max(start),
            rule: found.rule,
        });
    }
    left.retain(|found| {
        text[found.start..found.end]
            .chars()
            .any(char::is_alphanumeric)
    });
    *findings = left;
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
