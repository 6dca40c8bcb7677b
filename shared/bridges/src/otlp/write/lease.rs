//! The item of a trace: its state, and who may write to it.
//!
//! One request at a time writes to a trace. It takes the lease of the trace, which gives it the
//! state, and saves the new state when it returns the lease. A request that stops halfway loses
//! the lease after some seconds. The next one then starts from the last saved state, and writes
//! what the stopped one may have written once more.

use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::AttributeValue;
use format::attributes::{IS_DELETED, JOINED_RUN, TIME_TO_LIVE, number, text};
use format::keys;
use format::model::{ExecutionId, Item, Timestamp};
use format::{Error, Result};
use store::{Changed, Condition, Store, Update, backoff};

use super::state::TraceState;

/// How long a request has the lease, in seconds. It extends the lease while it works.
const LEASE_SECONDS: i64 = 10;

/// After how much of this time the lease is extended.
const EXTEND_AFTER: Duration = Duration::from_secs(3);

/// The attribute with the trace's state.
const STATE: &str = "state";
/// The attribute that names the request that has the lease.
const LEASE: &str = "lease";
/// The attribute with the time at which the lease ends, in Unix milliseconds.
const LEASE_UNTIL: &str = "leaseUntil";
/// The attributes of the items of earlier releases, which have no state.
const OUTDATED: [&str; 2] = ["round", "spanId"];

/// A trace that only this request may write to.
pub(super) struct Lease<'a> {
    store: &'a Store,
    pk: String,
    id: String,
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
            let is_free = (!Condition::has(LEASE)).or(Condition::AtMost(
                LEASE_UNTIL.into(),
                number(now.milliseconds()),
            ));
            let was_kept = (!Condition::has(IS_DELETED)).or(Condition::AtMost(
                TIME_TO_LIVE.into(),
                number(now.seconds()),
            ));
            let update = Update::new(pk, keys::TRACE)
                .set(LEASE, text(&id))
                .set(LEASE_UNTIL, lease_end(now))
                .only_if(is_free)
                .only_if(was_kept)
                .only_if(!Condition::has(JOINED_RUN));
            match store.update_and_read(update).await? {
                Changed::Yes(item) => {
                    // The keys, and the two attributes of the lease.
                    let is_new = item.len() <= 4;
                    let lease = Self {
                        store,
                        pk: pk.to_owned(),
                        id,
                        extended: started,
                        is_new,
                        has_old_expiry: item.contains_key(IS_DELETED) || !item.contains_key(STATE),
                    };
                    return Ok(Opened::Leased(lease, Box::new(read_state(&item)?)));
                }
                Changed::No(item) => {
                    let item = item.unwrap_or_default();
                    if let Some(run) = get_text(&item, JOINED_RUN) {
                        return Ok(Opened::Joined(run.parse().map_err(Error::internal)?));
                    }
                    if item.contains_key(IS_DELETED) {
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
            .set(LEASE_UNTIL, lease_end(Timestamp::now()))
            .only_if(self.is_held());
        if !self.store.update(update).await? {
            return Err(Error::Throttled("the request took too long".into()));
        }
        self.extended = started;
        Ok(())
    }

    /// Saves the state, and returns the lease. Returns `false` if the lease was lost: the run was
    /// deleted, or another request has written since.
    pub(super) async fn save(self, state: &TraceState) -> Result<bool> {
        let state = serde_dynamo::to_attribute_value(state).map_err(Error::internal)?;
        let mut update = self.returned().set(STATE, state);
        if self.has_old_expiry {
            update = update.remove(IS_DELETED).remove(TIME_TO_LIVE);
        }
        self.store.update(update).await
    }

    /// The change that makes the trace a part of another run, if this request still has the lease.
    pub(super) fn joining(&self, run: &ExecutionId) -> Update {
        let update = self.returned().remove(STATE);
        update.set(JOINED_RUN, text(run.as_str()))
    }

    /// Returns the lease without a new state.
    pub(super) async fn give_up(self) -> Result<()> {
        if self.is_new {
            let is_held = self.is_held();
            return self.store.delete_if(&self.pk, keys::TRACE, is_held).await;
        }
        self.store.update(self.returned()).await?;
        Ok(())
    }

    fn returned(&self) -> Update {
        let update = Update::new(&self.pk, keys::TRACE)
            .remove(LEASE)
            .remove(LEASE_UNTIL)
            .only_if(self.is_held());
        OUTDATED.into_iter().fold(update, Update::remove)
    }

    fn is_held(&self) -> Condition {
        Condition::is(LEASE, text(&self.id))
    }
}

/// Returns whether the run of a trace was deleted.
pub(super) async fn is_deleted(store: &Store, pk: &str) -> Result<bool> {
    let item = store.get_latest(pk, keys::TRACE).await?;
    Ok(item.is_none_or(|item| item.contains_key(IS_DELETED)))
}

fn lease_end(now: Timestamp) -> AttributeValue {
    number(now.milliseconds() + LEASE_SECONDS * 1_000)
}

fn read_state(item: &Item) -> Result<TraceState> {
    // The state before a deletion means nothing for the next run.
    if item.contains_key(IS_DELETED) {
        return Ok(TraceState::default());
    }
    match item.get(STATE) {
        Some(state) => serde_dynamo::from_attribute_value(state.clone()).map_err(Error::internal),
        None => Ok(TraceState::default()),
    }
}

fn get_text<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

/// Returns an id that no other request has.
fn new_id() -> Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(Error::internal)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
