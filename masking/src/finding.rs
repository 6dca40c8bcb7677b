//! What the rules find in a text, and how findings are combined.

use crate::names::Certainty;

/// A value to mask, and the rule that found it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Finding<'n> {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) rule: &'n str,
}

impl Finding<'_> {
    /// The same finding in a text in which a part was read that begins at `offset`.
    pub(crate) fn moved(self, offset: usize) -> Self {
        Self {
            start: self.start + offset,
            end: self.end + offset,
            ..self
        }
    }
}

/// The changes of a team's settings to the built-in rules.
pub(crate) trait Choice {
    /// Whether a rule is switched on.
    fn is_on(&self, rule: &str) -> bool;
    /// How certain it is that a field with this name holds a secret.
    fn judge(&self, name: &str) -> Option<Certainty>;
    /// The same for a word that was found in a script without spaces.
    fn judge_found(&self, word: &str) -> Option<Certainty>;
    /// Whether the team has names of its own, which can be any words.
    fn has_own_names(&self) -> bool;
}

/// Sorts findings, and joins those that overlap: the joined finding hides all of them. It has the
/// rule of the one that begins first, or of the longest of those.
pub(crate) fn join(findings: &mut Vec<Finding<'_>>) {
    findings.sort_by_key(|found| (found.start, std::cmp::Reverse(found.end)));
    findings.dedup_by(|next, kept| {
        let overlaps = next.start < kept.end;
        if overlaps {
            kept.end = kept.end.max(next.end);
        }
        overlaps
    });
}
