//! Makes room in an item that is close to DynamoDB's limit of 400 KB.
//!
//! Engines write records of any size up to the limit. Such a run could not be cancelled, pinned or
//! closed by a timeout, because each of these adds attributes. So the longest text of the item is
//! cut, and ends with a note that says so. Nothing else is cut, because a shorter number or binary
//! value would be a different value.

use aws_sdk_dynamodb::types::AttributeValue;
use format::attributes::{CREATED_AT, PARTITION_KEY, SORT_KEY, TEAM_ID, text};
use format::model::{Item, approximate_size};
use format::{Error, Result};

use crate::Store;
use crate::condition::Condition;
use crate::expression::{Path, PathStep};
use crate::table::INDEXES;
use crate::write::Update;

/// The size, in bytes of JSON, from which an item may be at the limit. DynamoDB's own measure of
/// numbers is smaller.
const NEARLY_FULL: usize = 350_000;

/// The number of bytes that a cut removes from a text: more than any change of a run adds.
const CUT_BYTES: usize = 4_096;

/// The shortest text that may be cut, in bytes. A shorter one may be an id.
const MIN_LENGTH: usize = 1_000;

/// The most cuts for one change.
const MAX_CUTS: usize = 8;

/// Replaces the part that was cut off.
const CUT_NOTE: &str = " … [cut off: the record was full]";

impl Store {
    /// Changes one item like [`Store::update`]. If the item is full, cuts its longest text first,
    /// which then ends with a note.
    ///
    /// # Errors
    /// Returns [`Error::TooLarge`] if no text is left to cut, and the errors of [`Store::update`].
    pub async fn update_with_room(&self, update: Update) -> Result<bool> {
        for _ in 0..MAX_CUTS {
            let key = |name: &str| update.key().get(name)?.as_s().ok().cloned();
            let keys = key(PARTITION_KEY).zip(key(SORT_KEY));
            match (self.update(update.clone()).await, keys) {
                (Err(Error::TooLarge(error)), Some((pk, sk))) => {
                    if !self.make_room(&pk, &sk).await? {
                        return Err(Error::TooLarge(error));
                    }
                }
                (other, _) => return other,
            }
        }
        self.update(update).await
    }

    /// Cuts the longest text of an item that is nearly full. Returns `true` if it was cut, or if
    /// another caller changed that text at the same time.
    pub async fn make_room(&self, pk: &str, sk: &str) -> Result<bool> {
        let item = self.get_latest(pk, sk).await?.unwrap_or_default();
        if item.values().map(approximate_size).sum::<usize>() < NEARLY_FULL {
            return Ok(false);
        }
        let Some((path, whole)) = longest_text(&item) else {
            return Ok(false);
        };
        let path = Path(path);
        tracing::warn!(pk, sk, attribute = ?path, "the longest text of a full record is cut to make room");
        let mut update = Update::new(pk, sk)
            .set(path.clone(), text(cut(whole)))
            .only_if(Condition::Is(path, text(whole)));
        // Another team's run with the same id must stay unchanged.
        if let Some(team) = item.get(TEAM_ID) {
            update = update.only_if(Condition::is(TEAM_ID, team.clone()));
        }
        self.update(update).await?;
        Ok(true)
    }
}

/// The beginning of a text, followed by the note.
fn cut(whole: &str) -> String {
    let removed = CUT_BYTES.min(whole.len() / 2) + CUT_NOTE.len();
    let kept = whole.floor_char_boundary(whole.len().saturating_sub(removed));
    format!("{}{CUT_NOTE}", &whole[..kept])
}

/// Returns whether an attribute is part of a key.
fn is_key(name: &str) -> bool {
    let mut index_keys = INDEXES.iter().flat_map(|index| index.partition);
    [PARTITION_KEY, SORT_KEY, CREATED_AT].contains(&name) || index_keys.any(|key| *key == name)
}

/// The longest text of an item that may be cut, with its path.
fn longest_text(item: &Item) -> Option<(Vec<PathStep>, &str)> {
    let mut longest = None;
    for (name, value) in item.iter().filter(|(name, _)| !is_key(name)) {
        find_longest(
            value,
            &mut vec![PathStep::Member(name.clone())],
            &mut longest,
        );
    }
    longest
}

fn find_longest<'a>(
    value: &'a AttributeValue,
    path: &mut Vec<PathStep>,
    longest: &mut Option<(Vec<PathStep>, &'a str)>,
) {
    let mut descend = |step: PathStep, value: &'a AttributeValue| {
        path.push(step);
        find_longest(value, path, longest);
        path.pop();
    };
    match value {
        AttributeValue::M(entries) => {
            for (name, value) in entries {
                descend(PathStep::Member(name.clone()), value);
            }
        }
        AttributeValue::L(values) => {
            for (place, value) in values.iter().enumerate() {
                descend(PathStep::Index(place), value);
            }
        }
        AttributeValue::S(text) => {
            let least = longest
                .as_ref()
                .map_or(MIN_LENGTH - 1, |(_, text)| text.len());
            if text.len() > least {
                *longest = Some((path.clone(), text));
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_text_that_is_not_a_key_is_cut() {
        let map = |name: &str, value| AttributeValue::M([(name.to_owned(), value)].into());
        let long = text("x".repeat(5_000));
        let item: Item = [
            ("pk", text("x".repeat(9_000))),
            ("flowId", text("x".repeat(9_000))),
            ("errorMessage", text("x".repeat(2_000))),
            (
                "notes",
                map("a.b", AttributeValue::L(vec![text("short"), long])),
            ),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        let (path, found) = longest_text(&item).expect("a text");
        assert_eq!(found.len(), 5_000);
        let member = |name: &str| PathStep::Member(name.to_owned());
        assert_eq!(path, [member("notes"), member("a.b"), PathStep::Index(1)]);
        let short: Item = [("flowName".to_owned(), text("x".repeat(999)))].into();
        assert_eq!(longest_text(&short), None);
    }

    #[test]
    fn a_cut_text_is_shorter_and_ends_with_a_note() {
        let whole = "é".repeat(5_000);
        let left = cut(&whole);
        assert!(left.ends_with(CUT_NOTE) && whole.starts_with(left.trim_end_matches(CUT_NOTE)));
        assert!((CUT_BYTES..CUT_BYTES + 2).contains(&(whole.len() - left.len())));
        let short = "x".repeat(MIN_LENGTH);
        assert_eq!(cut(&short).len(), MIN_LENGTH / 2);
    }
}
