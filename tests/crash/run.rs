//! A run, and what the table may hold of it.

use std::collections::BTreeMap;

use shared::attributes::text;
use shared::keys;
use shared::model::Item;

use super::checks::sort_key;

/// The outcome of the requests for a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Kept,
    Cancelled,
    PerhapsCancelled,
    Deleted,
    PerhapsDeleted,
}

/// A run, as its engine knows it.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) id: String,
    /// The number of the worker's run that started this one.
    pub(super) parent: Option<usize>,
    pub(super) round: usize,
    pub(super) fate: Fate,
    pub(super) is_open: bool,
    /// The possible values of each item by its sort key: the last acknowledged value, and
    /// values that were not acknowledged before the kill. `None` means no item.
    pub(super) items: BTreeMap<String, Vec<Option<Item>>>,
    /// The items of a transaction that was not acknowledged.
    pub(super) together: Vec<Item>,
}

impl Run {
    pub(super) fn execution(&self) -> Item {
        let possible = self.items[keys::EXECUTION].first();
        possible
            .cloned()
            .flatten()
            .expect("an open run has an item")
    }

    /// Records items as written or, without an answer, as possibly written.
    pub(super) fn note(&mut self, items: Vec<Item>, is_acknowledged: bool) {
        for item in items {
            let possible = self
                .items
                .entry(sort_key(&item))
                .or_insert_with(|| vec![None]);
            if is_acknowledged {
                possible.clear();
            }
            possible.push(Some(item));
        }
    }

    /// The differences between the expected items and the stored ones, by sort key.
    pub(super) fn faults(&self, now: &BTreeMap<String, Item>) -> Vec<String> {
        let is_there = now.contains_key(keys::EXECUTION);
        match (self.fate, is_there) {
            (Fate::Deleted, true) => {
                return vec![format!("{} was deleted but is still stored", self.id)];
            }
            (Fate::Deleted | Fate::PerhapsDeleted, false) => return Vec::new(),
            _ => {}
        }
        let wrong = self.items.iter().filter(|(sk, possible)| {
            let found = now.get(*sk);
            !possible
                .iter()
                .any(|item| self.is_as_written(item.as_ref(), found))
        });
        let mut faults: Vec<_> = wrong
            .map(|(sk, possible)| {
                format!(
                    "{} {sk}: {:?} is not one of {possible:?}",
                    self.id,
                    now.get(sk)
                )
            })
            .collect();
        let is_foreign = |sk: &&String| !self.items.contains_key(*sk) && !keys::is_own_of_run(sk);
        faults.extend(
            now.keys()
                .filter(is_foreign)
                .map(|sk| format!("{} {sk}: no worker wrote it", self.id)),
        );
        let written = |item: &&Item| now.get(&sort_key(item)) == Some(*item);
        let parts = self.together.iter().filter(written).count();
        if parts > 0 && parts < self.together.len() {
            faults.push(format!("{}: only {parts} items of a transaction", self.id));
        }
        faults
    }

    /// Whether an item is as its engine wrote it. In a cancelled run the changes by the
    /// cancellation are allowed.
    fn is_as_written(&self, written: Option<&Item>, found: Option<&Item>) -> bool {
        let (Some(written), Some(found)) = (written, found) else {
            return written.is_none() && found.is_none();
        };
        if written == found {
            return true;
        }
        let may_be_cancelled = matches!(self.fate, Fate::Cancelled | Fate::PerhapsCancelled);
        may_be_cancelled
            && is_cancelled(found)
            && written
                .iter()
                .all(|(name, value)| name == "status" || found.get(name) == Some(value))
    }
}

pub(super) fn is_cancelled(execution: &Item) -> bool {
    execution.get("status") == Some(&text("CANCELLED"))
}
