//! Combines the rules with a team's settings.

use std::borrow::Cow;
use std::iter;
use std::ops::Range;
use std::sync::{Arc, LazyLock};

use crate::credentials::{commands, cookie_file, private_key};
use crate::finding::{self, Choice, Finding};
use crate::layers::{self, Kind, LAYERS, Layer};
use crate::names::{self, Certainty};
use crate::own::{Exhausted, Searches};
use crate::settings::{Compiled, InvalidSettings, Settings};
use crate::text::{Facts, MARK, Text, mark_length};
use crate::words::Words;
use crate::{pairs, regions, repeated, scan};

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
        if !self.can_hold_pairs(text) {
            return Cow::Borrowed(text);
        }
        let mut findings = Vec::new();
        self.find_layers(text, Rules::Pairs, &mut findings);
        findings.retain(|found| !self.allows(&text[found.start..found.end]));
        finding::join(&mut findings);
        exclude_marks(text, &mut findings);
        match Pass::replace(text, &findings, text.len(), "more-bytes") {
            Some(pass) => Cow::Owned(pass.masked),
            None => Cow::Borrowed(text),
        }
    }

    /// Whether a text can have a value beside the name of a secret. Most texts of a payload cannot.
    fn can_hold_pairs(&self, text: &str) -> bool {
        self.has_own_names()
            || names::can_contain(text)
            || commands::can_contain(text)
            || private_key::can_contain(text)
            || layers::has_escapes(text)
            || memchr::memchr(b'\t', text.as_bytes()).is_some()
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
            && !commands::can_contain(text)
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
        // A value that `until` cuts in two must still be recognised.
        let seen = until.saturating_add(LOOKAHEAD_BYTES).min(text.len());
        let seen = text.floor_char_boundary(seen);
        let Some(mut pass) = self.mask_once(text, iter::once(0..seen), until) else {
            return Cow::Borrowed(text);
        };
        for _ in 1..MAX_PASSES {
            let changed = regions::around(&pass.masked, pass.marks.iter().cloned());
            let end = pass.masked.len();
            match self.mask_once(&pass.masked, changed.into_iter(), end) {
                Some(again) => pass = again,
                None => break,
            }
        }
        Cow::Owned(pass.masked)
    }

    /// Masks what the rules find in some regions of a text. `None` if they find nothing.
    fn mask_once(
        &self,
        text: &str,
        regions: impl Iterator<Item = Range<usize>>,
        until: usize,
    ) -> Option<Pass> {
        let mut findings = Vec::new();
        let mut seen = 0;
        for region in regions {
            seen = region.end;
            let mut found = Vec::new();
            self.find_layers(&text[region.clone()], Rules::All, &mut found);
            findings.extend(found.into_iter().map(|found| found.moved(region.start)));
        }
        let seen = &text[..if until < text.len() { seen } else { text.len() }];
        let searched = self.find_own(seen, &mut findings);
        findings.retain(|found| !self.allows(&seen[found.start..found.end]));
        finding::join(&mut findings);
        repeated::find(seen, &mut findings);
        finding::join(&mut findings);
        exclude_marks(seen, &mut findings);
        if searched < until {
            Pass::replace(text, &findings, searched, "bytes-not-searched")
        } else {
            Pass::replace(text, &findings, until, "more-bytes")
        }
    }

    /// Adds what the built-in rules find in a text and in the layers inside it.
    fn find_layers(&self, text: &str, rules: Rules, findings: &mut Vec<Finding<'_>>) {
        // Without prefixes, only values of several lines read differently.
        let mut places = self.find_layer(text, rules, findings);
        places.extend(private_key::places(text));
        places.sort_unstable();
        for block in regions::around_prefixes(text, &places) {
            self.find_in_layers(text, block, &[Kind::Prefixes], rules, findings);
        }
        for region in regions::around_escapes(text) {
            self.find_in_layers(text, region, &LAYERS, rules, findings);
        }
    }

    /// Adds what the built-in rules find in a region of a text, after each of some layers is
    /// removed from it.
    fn find_in_layers(
        &self,
        text: &str,
        region: Range<usize>,
        kinds: &[Kind],
        rules: Rules,
        findings: &mut Vec<Finding<'_>>,
    ) {
        let mut layers: Vec<Layer> = Vec::new();
        for &kind in kinds {
            let outer = layers
                .last()
                .map_or(&text[region.clone()], |layer| &layer.text);
            let Some(layer) = Layer::remove(outer, kind) else {
                continue;
            };
            let rules = if kind == Kind::Prefixes {
                Rules::Pairs
            } else {
                rules
            };
            let mut found = Vec::new();
            self.find_layer(&layer.text, rules, &mut found);
            layers.push(layer);
            findings.extend(found.into_iter().map(|found| {
                let locate = |(start, end), layer: &Layer| layer.locate(start, end);
                let (start, end) = layers.iter().rev().fold((found.start, found.end), locate);
                let found = Finding {
                    start,
                    end,
                    ..found
                };
                found.moved(region.start)
            }));
        }
    }

    /// Adds what the built-in rules find in a text. Returns where the names of secrets stand.
    fn find_layer(&self, text: &str, rules: Rules, findings: &mut Vec<Finding<'_>>) -> Vec<usize> {
        let facts = Facts::default();
        let read = Text::new(text, &facts);
        let mut found = Vec::new();
        let names = pairs::find(read, self, &mut found);
        commands::find(read, self, &mut found);
        cookie_file::find(read, self, &mut found);
        if rules == Rules::All {
            scan::find(read, self, &mut found);
            scan::find_emails(read, self, &mut found);
        } else if private_key::can_contain(text) {
            scan::find_private_keys(read, self, &mut found);
        }
        findings.extend(found);
        names
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

/// A masked text, and where its new marks stand.
#[derive(Debug, Default)]
struct Pass {
    masked: String,
    marks: Vec<Range<usize>>,
}

impl Pass {
    /// Replaces values before `end` with marks, and the text after it with a mark that says how
    /// long the rest is. `None` if nothing changes.
    fn replace(text: &str, findings: &[Finding<'_>], end: usize, rest: &str) -> Option<Self> {
        let mut pass = Self::default();
        let mut end = end;
        let mut copied = 0;
        for found in findings {
            if found.start >= end {
                break;
            }
            if found.end > end {
                end = found.start;
                break;
            }
            pass.push_marked(&text[copied..found.start], found.rule);
            copied = found.end;
        }
        let left = text.len() - end;
        if copied == 0 && left == 0 {
            return None;
        }
        if left > 0 {
            pass.push_marked(&text[copied..end], &format!("{left}-{rest}"));
        } else {
            pass.masked.push_str(&text[copied..]);
        }
        Some(pass)
    }

    /// Adds the text before a value, and a mark instead of the value.
    fn push_marked(&mut self, before: &str, rule: &str) {
        self.masked.push_str(before);
        let start = self.masked.len();
        self.masked.push_str(MARK);
        self.masked.push_str(rule);
        self.masked.push(']');
        self.marks.push(start..self.masked.len());
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
