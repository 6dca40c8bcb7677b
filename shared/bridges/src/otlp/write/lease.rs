//! The item of a trace: its state, and who may write to it.
//!
//! One request at a time writes to a trace. It takes the lease of the trace, which gives it the
//! state, and saves the new state when it returns the lease. A request that stops halfway loses
//! the lease after some seconds. The next one then starts from the last saved state, and writes
//! what the stopped one may have written once more.

use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::AttributeValue;
use format::attributes::{IS_DELETED, JOINED_RUN, SPAN_ID, TIME_TO_LIVE, number, text};
use format::keys;
use format::model::{ExecutionId, Item, Timestamp};
use format::{Error, Result};
use store::{Attempt, Changed, Condition, Store, Update, backoff};

use super::get_text;
use super::state::TraceState;

/// How long a request has the lease, in seconds. It extends the lease while it works.
const LEASE_SECONDS: i64 = 10;

/// After how much of this time the lease is extended.
const EXTEND_AFTER: Duration = Duration::from_secs(3);

/// For how long a trace stays a part of another run, in seconds: longer than runs last.
pub(super) const JOINED_SECONDS: i64 = 400 * 24 * 3_600;

/// The attribute with the trace's state.
const STATE: &str = "state";
/// The attribute that names the request that has the lease.
const LEASE: &str = "lease";
/// The attribute that names the run that the trace is being moved to.
const MOVING_TO: &str = "movingTo";
/// The attribute with the time at which the lease ends, in Unix milliseconds.
const LEASED_UNTIL: &str = "leasedUntil";
/// The attribute with the number of the last request that had the lease.
const ATTEMPTS: &str = "attempts";
/// The attribute that names the request that saved the state.
const SAVED_BY: &str = "savedBy";
/// The attributes of the items of earlier releases, which have no state.
const OUTDATED: [&str; 2] = ["round", SPAN_ID];

/// A trace that only this request may write to.
pub(super) struct Lease<'a> {
    store: &'a Store,
    pk: String,
    id: String,
    /// The number of this request: higher than those of all others that have written records.
    pub(super) attempt: u64,
    /// The run that the trace is being moved to.
    pub(super) moving_to: Option<ExecutionId>,
    extended: Instant,
    /// Whether nothing was known about the trace.
    is_new: bool,
    /// Whether the item expires for a reason of an earlier trace, or of an earlier release.
    has_old_expiry: bool,
}

/// What the item of a trace says.
pub(super) enum Opened<'a> {
    /// The trace is open for this request.
    Leased(Lease<'a>, Box<TraceState>),
    /// The run of the trace was deleted.
    Deleted,
    /// The trace is a part of this run.
    Joined(ExecutionId),
}

impl<'a> Lease<'a> {
    /// Takes the lease of a trace.
    ///
    /// # Errors
    /// [`Error::Throttled`]: other requests keep writing to the trace.
    pub(super) async fn take(store: &'a Store, pk: &str) -> Result<Opened<'a>> {
        let id = new_id()?;
        for wait in backoff() {
            let started = Instant::now();
            let now = Timestamp::now();
            let is_over =
                |attribute: &str, time: i64| !Condition::AtLeast(attribute.into(), number(time));
            // The answer to an attempt that took the lease may have been lost.
            let is_free =
                is_over(LEASED_UNTIL, now.milliseconds()).or(Condition::is(LEASE, text(&id)));
            let was_kept = (!Condition::has(IS_DELETED)).or(is_over(TIME_TO_LIVE, now.seconds()));
            let update = Update::new(pk, keys::TRACE)
                .set(LEASE, text(&id))
                .set(LEASED_UNTIL, lease_end(now))
                .add(ATTEMPTS, number(1))
                .only_if(is_free)
                .only_if(was_kept)
                .only_if(!Condition::has(JOINED_RUN));
            match store.update_and_read(update).await? {
                Changed::Yes(item) => {
                    // The keys, and the three attributes of the lease.
                    let is_new = item.len() <= 5;
                    let moving_to = get_text(&item, MOVING_TO).and_then(|run| run.parse().ok());
                    let lease = Self {
                        attempt: attempt(&item),
                        moving_to,
                        store,
                        pk: pk.to_owned(),
                        id,
                        extended: started,
                        is_new,
                        has_old_expiry: item.contains_key(IS_DELETED) || !item.contains_key(STATE),
                    };
                    return Ok(Opened::Leased(lease, Box::new(read_state(pk, &item))));
                }
                Changed::No(item) => {
                    let item = item.unwrap_or_default();
                    let joined = get_text(&item, JOINED_RUN).and_then(|run| run.parse().ok());
                    if let Some(run) = joined {
                        return Ok(Opened::Joined(run));
                    }
                    if item.contains_key(IS_DELETED) || item.contains_key(JOINED_RUN) {
                        return Ok(Opened::Deleted);
                    }
                }
            }
            tokio::time::sleep(wait).await;
        }
        Err(Error::Throttled(
            "other requests keep writing to this trace".into(),
        ))
    }

    /// Extends the lease if a part of its time is over.
    ///
    /// # Errors
    /// [`Error::Throttled`]: another request has the lease, because this one took too long, or the
    /// run was deleted.
    pub(super) async fn extend(&mut self) -> Result<()> {
        if self.extended.elapsed() < EXTEND_AFTER {
            return Ok(());
        }
        let started = Instant::now();
        let update = Update::new(&self.pk, keys::TRACE)
            .set(LEASED_UNTIL, lease_end(Timestamp::now()))
            .only_if(self.is_held());
        if !self.store.update(update).await? {
            return Err(lost());
        }
        self.extended = started;
        Ok(())
    }

    /// Saves the state, and returns the lease. Returns `false` if the run was deleted.
    ///
    /// # Errors
    /// [`Error::Throttled`]: another request has taken the lease, because this one took too long.
    pub(super) async fn save(self, state: &TraceState) -> Result<bool> {
        let state = serde_dynamo::to_attribute_value(state).map_err(Error::internal)?;
        let update = self
            .returned()
            .set(STATE, state)
            .set(SAVED_BY, text(&self.id));
        let update = match self.has_old_expiry {
            true => update.remove(IS_DELETED).remove(TIME_TO_LIVE),
            false => update,
        };
        match self.store.update_or_read(update).await? {
            Attempt::Written => Ok(true),
            Attempt::Refused(Some(item)) if item.contains_key(IS_DELETED) => Ok(false),
            // The answer to an attempt that saved the state was lost.
            Attempt::Refused(Some(item)) if get_text(&item, SAVED_BY) == Some(&self.id) => Ok(true),
            Attempt::Refused(_) => Err(lost()),
        }
    }

    /// Notes that the trace moves to another run. Whoever gets the lease next finishes the move.
    ///
    /// # Errors
    /// [`Error::Throttled`]: another request has taken the lease.
    pub(super) async fn begin_move(&mut self, run: &ExecutionId) -> Result<()> {
        let update = Update::new(&self.pk, keys::TRACE)
            .set(MOVING_TO, text(run.as_str()))
            .only_if(self.is_held());
        match self.store.update(update).await? {
            true => Ok(()),
            false => Err(lost()),
        }
    }

    /// The change that makes the trace a part of another run, if this request still has the lease.
    pub(super) fn joining(&self, run: &ExecutionId) -> Update {
        let until = Timestamp::now().seconds() + JOINED_SECONDS;
        self.returned()
            .remove(STATE)
            .remove(IS_DELETED)
            .set(TIME_TO_LIVE, number(until))
            .set(JOINED_RUN, text(run.as_str()))
    }

    /// Returns the lease of a request that has written nothing. Its number is used again.
    ///
    /// # Errors
    /// [`Error::Throttled`]: another request has taken the lease, and the trace may have become a
    /// part of another run.
    pub(super) async fn return_unused(self) -> Result<()> {
        if self.is_new {
            let is_held = self.is_held();
            return self.store.delete_if(&self.pk, keys::TRACE, is_held).await;
        }
        let update = self.returned().add(ATTEMPTS, number(-1));
        match self.store.update_or_read(update).await? {
            Attempt::Written | Attempt::Refused(None) => Ok(()),
            // The run was deleted, or the answer to an attempt that returned the lease was lost.
            Attempt::Refused(Some(item)) if !item.contains_key(LEASE) => Ok(()),
            Attempt::Refused(Some(_)) => Err(lost()),
        }
    }

    /// Returns the lease of a request that has failed, and may have written records.
    pub(super) async fn give_up(self) -> Result<()> {
        self.store.update(self.returned()).await?;
        Ok(())
    }

    fn returned(&self) -> Update {
        let update = Update::new(&self.pk, keys::TRACE)
            .remove(LEASE)
            .remove(LEASED_UNTIL)
            .remove(MOVING_TO)
            .only_if(self.is_held());
        OUTDATED.into_iter().fold(update, Update::remove)
    }

    fn is_held(&self) -> Condition {
        Condition::is(LEASE, text(&self.id))
    }
}

/// The error of a request that has lost the lease, because it took too long.
pub(super) fn lost() -> Error {
    Error::Throttled("the request took too long".into())
}

/// The number of the request that has the lease.
fn attempt(item: &Item) -> u64 {
    let attempts = item.get(ATTEMPTS).and_then(|number| number.as_n().ok());
    attempts.and_then(|number| number.parse().ok()).unwrap_or(1)
}

fn lease_end(now: Timestamp) -> AttributeValue {
    number(now.milliseconds() + LEASE_SECONDS * 1_000)
}

fn read_state(pk: &str, item: &Item) -> TraceState {
    // The state before a deletion means nothing for the next run.
    let stored = item.get(STATE).filter(|_| !item.contains_key(IS_DELETED));
    match stored.cloned().map(serde_dynamo::from_attribute_value) {
        None => TraceState::default(),
        Some(Ok(state)) => state,
        Some(Err(error)) => {
            let error: serde_dynamo::Error = error;
            tracing::error!(pk, %error, "the state of a trace cannot be read, its run stays as it is");
            TraceState::unreadable()
        }
    }
}

/// Returns an id that no other request has.
fn new_id() -> Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(Error::internal)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
