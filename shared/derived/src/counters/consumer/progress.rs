//! The checkpoint of a shard: how far its changes have been applied.

use aws_sdk_dynamodb::types::AttributeValue;
use format::attributes::{TIME_TO_LIVE, number, text};
use format::keys;
use format::model::{Item, Timestamp};
use store::{Condition, Update};

use super::batch::{Batch, PARTS};
use crate::checkpoint::{POSITION_KEPT_SECONDS, SEQUENCE_NUMBER, is_position};

/// How far the changes of a shard have been applied.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Checkpoint {
    /// The number of writes of the checkpoint. It is kept in its stored form, which is a number
    /// unless another program has written it. `None` before the first one.
    version: Option<AttributeValue>,
    /// The last change that was applied to all counters.
    pub(super) whole: Option<String>,
    /// For each part, the last change that was applied to its counters, if it is later than
    /// `whole`.
    parts: [Option<String>; PARTS],
}

impl Checkpoint {
    pub(super) fn from_item(item: &Item) -> Self {
        let position = |name: &str| {
            let position = item.get(name)?.as_s().ok()?;
            is_position(position).then(|| position.clone())
        };
        Self {
            version: item.get(VERSION).cloned(),
            whole: position(SEQUENCE_NUMBER),
            parts: std::array::from_fn(|part| position(&part_attribute(part))),
        }
    }

    /// The version of the next write.
    fn next_version(&self) -> AttributeValue {
        let version = self
            .version
            .as_ref()
            .and_then(|version| version.as_n().ok());
        let version = version.and_then(|version| version.parse::<u64>().ok());
        number(i128::from(version.unwrap_or_default()) + 1)
    }

    /// The first of the batch's changes that was not applied to a part.
    pub(super) fn next_step(&self, part: usize, batch: &Batch) -> usize {
        let whole = batch.applied(self.whole.as_deref());
        whole.max(batch.applied(self.parts[part].as_deref()))
    }

    /// The update that advances the checkpoint, unless it has changed since it was read.
    pub(super) fn update(&self, shard_id: &str, advance: Advance<'_>) -> Update {
        let (attribute, to) = match advance {
            Advance::Whole(to) => (SEQUENCE_NUMBER.to_owned(), to),
            Advance::Part(part, to) => (part_attribute(part), to),
        };
        let expires_at = Timestamp::now().seconds() + POSITION_KEPT_SECONDS;
        let is_as_read = match &self.version {
            None => !Condition::has(VERSION),
            Some(version) => Condition::is(VERSION, version.clone()),
        };
        Update::new(keys::checkpoint_partition(shard_id), keys::CHECKPOINT)
            .set(attribute, text(to))
            .set(VERSION, self.next_version())
            .set(TIME_TO_LIVE, number(expires_at))
            .only_if(is_as_read)
    }

    /// Advances the checkpoint after the update was written.
    pub(super) fn advance(&mut self, advance: Advance<'_>) {
        self.version = Some(self.next_version());
        match advance {
            Advance::Whole(to) => self.whole = Some(to.to_owned()),
            Advance::Part(part, to) => self.parts[part] = Some(to.to_owned()),
        }
    }
}

/// A step forward of a checkpoint.
#[derive(Debug, Clone, Copy)]
pub(super) enum Advance<'a> {
    /// All counters include the changes up to this one.
    Whole(&'a str),
    /// The counters of one part include the changes up to this one.
    Part(usize, &'a str),
}

/// The attribute of a checkpoint with its version.
const VERSION: &str = "version";

fn part_attribute(part: usize) -> String {
    format!("part{part:02}")
}
