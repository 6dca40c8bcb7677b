//! Lets ended runs expire, together with their steps and payloads.
//!
//! The consumer of the table's stream ([`crate::run_changes`]) sees each run that ends. If
//! a retention rule of its team applies ([`team::retention`]), the consumer sets the run's
//! `expiresAt` ([`apply`]). From that second on the run is hidden, and DynamoDB removes it
//! free of charge. This write appears in the stream too, and makes the consumer set
//! `expiresAt` in the run's steps and payloads ([`settle_children`]). An `expiresAt` that
//! an engine has written stays. A pinned run has no `expiresAt`.

use aws_sdk_dynamodb::types::AttributeValue;
use format::attributes::{PINNED_AT, STATUS, TIME_TO_LIVE, number, text};
use format::model::{Execution, Item, Status, Timestamp};
use format::{Result, keys};
use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};
use store::{Condition, Range, Store, Update};
use team::retention::retention_of;

const DAY_SECONDS: i64 = 24 * 3_600;

/// How many children of a run are written to at a time.
const WRITES_AT_A_TIME: usize = 16;

/// Whether the retention rules apply to a run: it has ended, is not pinned, and has no
/// `expiresAt` yet.
pub(crate) fn needs_expiry(run: &Item) -> bool {
    has_ended(run) && !run.contains_key(TIME_TO_LIVE) && !is_pinned(run)
}

/// Whether a run is pinned, and so must not expire.
pub(crate) fn is_pinned(run: &Item) -> bool {
    run.contains_key(PINNED_AT)
}

/// Whether a change of a run's expiry or pin must be repeated in its children.
pub(crate) fn concerns_children(old: &Item, new: &Item) -> bool {
    let is_changed =
        old.get(TIME_TO_LIVE) != new.get(TIME_TO_LIVE) || is_pinned(old) != is_pinned(new);
    is_changed && has_ended(old) && has_ended(new)
}

fn has_ended(run: &Item) -> bool {
    let status = run.get(STATUS).and_then(|status| status.as_s().ok());
    let is_named = |named: &Status| status.is_some_and(|status| status == named.as_str());
    Status::ALL
        .iter()
        .find(|status| is_named(status))
        .is_some_and(|status| status.is_terminal())
}

/// Sets the `expiresAt` of a run that has ended, as the rules of its team define, unless it
/// has one already. Returns whether it did.
///
/// A run that was pinned until now is kept for at least one more day, so that a user who
/// unpinned it by mistake can pin it again.
pub(crate) async fn apply(store: &Store, run: &Item, was_pinned: bool) -> Result<bool> {
    let Some(execution) = Execution::from_item(run.clone()) else {
        return Ok(false);
    };
    let team_id = execution.team_id.as_deref().map(str::parse);
    let (Some(Ok(team_id)), Some(status)) = (team_id, execution.status) else {
        return Ok(false);
    };
    let retention = retention_of(store, &team_id).await?;
    let Some(days) = retention.days(execution.flow_id.as_deref(), status) else {
        return Ok(false);
    };
    let end = execution.end_time.unwrap_or_else(Timestamp::now);
    let by_rule = end.seconds() + i64::from(days) * DAY_SECONDS;
    let expiry = match was_pinned {
        true => by_rule.max(Timestamp::now().seconds() + DAY_SECONDS),
        false => by_rule,
    };
    let pk = keys::EXECUTION_PREFIX.to_owned() + &execution.execution_id;
    let unstamped = Condition::of_team(&team_id)
        .and(Condition::is(STATUS, text(status.as_str())))
        .and(!Condition::has(TIME_TO_LIVE))
        .and(!Condition::has(PINNED_AT));
    let update = Update::new(pk, keys::EXECUTION)
        .set(TIME_TO_LIVE, number(expiry))
        .only_if(unstamped);
    stamp(store, update).await
}

/// Changes the `expiresAt` of a record. A record that has no room for it is logged and
/// skipped, so that it does not block the others. Returns whether the record was changed.
async fn stamp(store: &Store, update: Update) -> Result<bool> {
    let key = update.key().clone();
    match store.update_with_room(update).await {
        Err(error) if error.is_caused_by_item() => {
            let error = error.with_causes();
            tracing::error!(
                ?key,
                error,
                "a record is too large to set its expiresAt; it does not expire"
            );
            Ok(false)
        }
        other => other,
    }
}

/// Repeats the run's expiry in its steps and payloads. If the run expires, each child
/// without an `expiresAt` gets the run's; if the run is pinned, the children lose theirs.
///
/// The function returns only once the run is in the same state as at the last read. If two
/// callers do this at the same time, the one that writes last has therefore seen the run's
/// current state. After an error, a second call does not repeat the changes that were made.
pub(crate) async fn settle_children(store: &Store, pk: &str) -> Result<()> {
    let mut expiry = RunExpiry::read(store, pk).await?;
    while let Some(applied) = expiry {
        applied.apply_to_children(store, pk).await?;
        let current = RunExpiry::read(store, pk).await?;
        if current.as_ref() == Some(&applied) {
            return Ok(());
        }
        expiry = current;
    }
    Ok(())
}

/// When a run that has ended expires.
#[derive(Debug, Clone, PartialEq)]
enum RunExpiry {
    /// The run expires at this second.
    At(AttributeValue),
    /// The run is pinned: neither it nor its children expire.
    Pinned,
    /// The run neither expires nor is pinned.
    Unset,
}

impl RunExpiry {
    /// Returns `None` if the run has been removed; its children are removed with it.
    async fn read(store: &Store, pk: &str) -> Result<Option<Self>> {
        let run = store.get_latest(pk, keys::EXECUTION).await?;
        Ok(run.map(|mut run| match run.remove(TIME_TO_LIVE) {
            _ if is_pinned(&run) => Self::Pinned,
            Some(second) => Self::At(second),
            None => Self::Unset,
        }))
    }

    /// Returns the update of a child, or `None` if the child needs no change.
    fn child_update(&self, pk: &str, child: &Item) -> Option<Update> {
        // The condition keeps this write from creating a child that has been removed.
        let update = Update::new(pk, keys::sort_key(child)?).only_if(Condition::exists());
        match self {
            Self::At(second) if !child.contains_key(TIME_TO_LIVE) => Some(
                update
                    .set(TIME_TO_LIVE, second.clone())
                    .only_if(!Condition::has(TIME_TO_LIVE)),
            ),
            Self::Pinned if child.contains_key(TIME_TO_LIVE) => Some(update.remove(TIME_TO_LIVE)),
            Self::At(_) | Self::Pinned | Self::Unset => None,
        }
    }

    async fn apply_to_children(&self, store: &Store, pk: &str) -> Result<()> {
        let range = Range::expiries_of_run(pk);
        let is_child = |item: &&Item| {
            keys::sort_key(item).is_some_and(|sk| ![keys::EXECUTION, keys::CASCADE].contains(&sk))
        };
        let mut pages = store.pages(&range);
        while let Some(items) = pages.next().await? {
            let children = items.iter().filter(is_child);
            let changes = children.filter_map(|child| self.child_update(pk, child));
            let changes: Vec<_> = changes.map(|change| stamp(store, change).boxed()).collect();
            stream::iter(changes)
                .buffer_unordered(WRITES_AT_A_TIME)
                .try_for_each(|_| async { Ok(()) })
                .await?;
        }
        Ok(())
    }
}
