//! Closing runs whose time is over: as `CANCELLED`, with a message that says why.
//!
//! The sweeper reads the entries that are due ([`crate::deadlines`]), and looks at each
//! run. What it writes is one conditional write, as a cancel is: it wins or loses against
//! the end that the engine writes, and against a later `timeoutAt` or sign of life. The
//! runs below are cancelled by what follows from it ([`crate::reap`]). So any number of
//! sweepers can work at a time, and end anywhere.

use std::time::Instant;

use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};

use crate::deadlines::{Watched, entry, still};
use crate::error::{Error, Result};
use crate::keys;
use crate::model::{ExecutionId, Item, Timestamp, is_expired};
use crate::operations::Cancellation;
use crate::store::{Range, Store, Writes, key};
use crate::table::{HEARTBEAT_AT, TIMEOUT_AT};

/// How many entries are read at a time.
const ENTRIES_A_PAGE: usize = 200;

/// How many runs of a shard are looked at at a time.
const RUNS_AT_A_TIME: usize = 4;

/// Who has closed a run, as its `cancelledBy` says.
const SWEEPER: &str = "flowtrail sweep";

/// Closes runs whose time is over.
#[derive(Debug, Clone)]
pub struct Sweeper {
    store: Store,
}

/// What a sweep has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Entries that were due, and whose runs were looked at.
    pub looked_at: usize,
    /// Runs that were closed because they timed out.
    pub timed_out: usize,
    /// Runs that were closed because they gave no sign of life.
    pub stalled: usize,
    /// Whether something was due that is left to the next sweep.
    pub is_cut_short: bool,
}

impl std::ops::AddAssign for Swept {
    fn add_assign(&mut self, more: Self) {
        self.looked_at += more.looked_at;
        self.timed_out += more.timed_out;
        self.stalled += more.stalled;
        self.is_cut_short |= more.is_cut_short;
    }
}

/// What a look at a run has come to.
enum Look {
    /// It has ended, or is gone.
    Over,
    /// It is to be looked at again then.
    Later(Timestamp),
    /// It was closed, because it timed out.
    TimedOut,
    /// It was closed, because it gave no sign of life.
    Stalled,
    /// It has changed since it was read, and is looked at by the next sweep.
    Changed,
}

/// Why a run is closed.
struct Verdict {
    is_timeout: bool,
    message: String,
    /// What it is so by.
    attribute: &'static str,
}

impl Sweeper {
    /// A sweeper of this table.
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// The table.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Closes what is due, until a moment.
    ///
    /// # Errors
    /// Those of the table. What was due stays so.
    pub async fn sweep(&self, until: Instant) -> Result<Swept> {
        let now = Timestamp::now();
        let shards = 0..keys::DEADLINE_SHARDS;
        let shards: Vec<_> = shards
            .map(|it| self.sweep_shard(it, now, until).boxed())
            .collect();
        let mut shards = stream::iter(shards).buffer_unordered(keys::DEADLINE_SHARDS.into());
        let (mut swept, mut failure) = (Swept::default(), None);
        // One that fails does not keep the others from their end.
        while let Some(done) = shards.next().await {
            match done {
                Ok(done) => swept += done,
                Err(error) => failure = Some(error),
            }
        }
        failure.map_or(Ok(swept), Err)
    }

    async fn sweep_shard(&self, shard: u8, now: Timestamp, until: Instant) -> Result<Swept> {
        let pk = keys::deadline_partition(shard);
        let to = format!("{now}{}", keys::LAST);
        let range = Range::of_partition(pk.clone(), "", Some(&to));
        let (mut swept, mut start) = (Swept::default(), None);
        loop {
            if Instant::now() >= until {
                swept.is_cut_short = true;
                return Ok(swept);
            }
            let page = self.store.query(&range, start, ENTRIES_A_PAGE).await?;
            let looks = page.items.iter().filter_map(keys::sort_key);
            let looks: Vec<_> = looks
                .map(|sk| self.look_at_entry(sk, now).boxed())
                .collect();
            let looks: Vec<_> = stream::iter(looks)
                .buffer_unordered(RUNS_AT_A_TIME)
                .try_collect()
                .await?;
            swept += self.note(&pk, looks).await?;
            start = page.last_key;
            if start.is_none() {
                return Ok(swept);
            }
        }
    }

    /// Removes the entries of runs that were dealt with, and makes those of the next looks.
    async fn note(&self, pk: &str, looks: Vec<(&str, ExecutionId, Look)>) -> Result<Swept> {
        let mut swept = Swept::default();
        let (mut next, mut over) = (Writes::new(), Writes::new());
        for (sk, execution_id, look) in looks {
            swept.looked_at += 1;
            match look {
                Look::Changed => continue,
                Look::Over => {}
                Look::TimedOut => swept.timed_out += 1,
                Look::Stalled => swept.stalled += 1,
                Look::Later(time) => {
                    let (pk, sk) = entry(time, &execution_id);
                    let item = key(&pk, &sk);
                    next.insert((pk, sk), Some(item));
                }
            }
            over.insert((pk.to_owned(), sk.to_owned()), None);
        }
        // First, so that whoever ends in between leaves one too many, and none too few.
        self.store.write_each(next).await?;
        self.store.write_each(over).await?;
        Ok(swept)
    }

    async fn look_at_entry<'a>(
        &self,
        sk: &'a str,
        now: Timestamp,
    ) -> Result<(&'a str, ExecutionId, Look)> {
        let execution_id = keys::execution_id_of_deadline(sk);
        let execution_id = execution_id.ok_or_else(|| Error::internal("an entry of no run"))?;
        let look = self.look_at(&execution_id, now).await?;
        Ok((sk, execution_id, look))
    }

    async fn look_at(&self, execution_id: &ExecutionId, now: Timestamp) -> Result<Look> {
        let pk = keys::execution_partition(execution_id);
        let item = self.store.get_latest(&pk, keys::EXECUTION).await?;
        let item = item.filter(|item| !is_expired(item, now));
        let found = item.and_then(|item| Some((Watched::of(&item)?, item)));
        let Some((run, item)) = found else {
            return Ok(Look::Over);
        };
        let closes_at = run.closes_at(&self.store).await?;
        let is_over = |time: &Option<Timestamp>| time.is_some_and(|time| time <= now);
        let verdict = match (run.timeout_at, closes_at) {
            (Some(timeout_at), _) if is_over(&run.timeout_at) => Verdict {
                is_timeout: true,
                message: format!("The run timed out: it was to end by {timeout_at}."),
                attribute: TIMEOUT_AT,
            },
            (_, Some(_)) if is_over(&closes_at) => Verdict {
                is_timeout: false,
                message: silence(&run),
                attribute: HEARTBEAT_AT,
            },
            (timeout_at, closes_at) => {
                let next = timeout_at.into_iter().chain(closes_at).min();
                return Ok(next.map_or(Look::Over, Look::Later));
            }
        };
        self.close(execution_id, &item, verdict).await
    }

    async fn close(
        &self,
        execution_id: &ExecutionId,
        run: &Item,
        verdict: Verdict,
    ) -> Result<Look> {
        let still = still(run, verdict.attribute);
        let cancellation = Cancellation::by_itself(SWEEPER, verdict.message);
        let closed = cancellation
            .apply_while(&self.store, execution_id, still)
            .await;
        match closed {
            Ok(true) if verdict.is_timeout => Ok(Look::TimedOut),
            Ok(true) => Ok(Look::Stalled),
            Ok(false) => Ok(Look::Changed),
            // It stays open, and does not keep its neighbours from their end.
            Err(error @ Error::TooLarge(_)) => {
                let error = error.with_causes();
                tracing::error!(%execution_id, error, "a run could not be closed");
                Ok(Look::Over)
            }
            Err(error) => Err(error),
        }
    }
}

fn silence(run: &Watched) -> String {
    let since = run.heartbeat_at.map(|time| time.to_string());
    let since = since.unwrap_or_default();
    format!("The run stalled: there was no heartbeat since {since}.")
}
