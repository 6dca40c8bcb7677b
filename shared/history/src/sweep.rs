//! Closes runs that timed out or stalled: sets them to `CANCELLED`, with a message that
//! states why.
//!
//! The sweeper reads the deadline entries whose time has come ([`derived::deadlines`]) and
//! checks each run. Like a cancellation, closing a run is one conditional write: it changes
//! nothing if the engine has just written the run's end, a later `timeoutAt` or a heartbeat.
//! The stream consumer then cancels the runs below ([`crate::run_changes`]). For these
//! reasons any number of sweepers can run in parallel, and each can stop at any point.

use std::time::Instant;

use derived::deadlines::{WatchedRun, entry, expected_value};
use format::Result;
use format::attributes::{AWAITS_ROOT, HEARTBEAT_AT, TIMEOUT_AT};
use format::change::Image;
use format::keys::{self, key};
use format::model::{ExecutionId, Item, TeamId, Timestamp, is_expired};
use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};
use store::{Range, Store, Writes};
use team::settings::Reports;

use crate::operations::Cancellation;

/// How many entries are read at a time.
const ENTRIES_A_PAGE: usize = 200;

/// How many runs of a shard are checked at a time.
const RUNS_AT_A_TIME: usize = 4;

/// The value of `cancelledBy` in the runs that the sweeper closes.
pub const SWEEPER: &str = "flowtrail sweep";

/// Closes runs that timed out or stalled.
#[derive(Debug, Clone)]
pub struct Sweeper {
    store: Store,
}

/// The result of a sweep.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Entries whose time had come, and whose runs were checked.
    pub looked_at: usize,
    /// Runs that were closed because they timed out.
    pub timed_out: usize,
    /// Runs that were closed because they sent no heartbeat in time.
    pub stalled: usize,
    /// Whether some entries were left to the next sweep.
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

/// The result of checking a run.
enum CheckResult {
    /// The run needs no further checks: it has ended, no longer exists, has no deadline, or
    /// cannot be closed.
    Finished,
    /// The run must be checked again at this time.
    Later(Timestamp),
    /// The run was closed because it timed out.
    TimedOut,
    /// The run was closed because it sent no heartbeat in time.
    Stalled,
    /// The run has changed since it was read. The next sweep checks it again.
    Changed,
}

/// A deadline entry's sort key, its run and the result of the check; `None` for an entry
/// that cannot be parsed.
type CheckedEntry<'a> = Option<(&'a str, ExecutionId, CheckResult)>;

/// Why a run is closed.
struct Verdict {
    is_timeout: bool,
    message: String,
    /// The attribute that the decision is based on.
    attribute: &'static str,
}

impl Sweeper {
    /// Creates a sweeper of this table.
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// The table.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Closes the runs whose deadline has been reached, and stops at `until`. After an
    /// error the remaining entries stay in place for the next sweep.
    pub async fn sweep(&self, until: Instant) -> Result<Swept> {
        let now = Timestamp::now();
        let shards = 0..keys::DEADLINE_SHARDS;
        let shards: Vec<_> = shards
            .map(|it| self.sweep_shard(it, now, until).boxed())
            .collect();
        let mut shards = stream::iter(shards).buffer_unordered(keys::DEADLINE_SHARDS.into());
        let (mut swept, mut failure) = (Swept::default(), None);
        // An error in one shard does not stop the others.
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
        let mut swept = Swept::default();
        let mut pages = self.store.pages(&range).limited_to(ENTRIES_A_PAGE);
        loop {
            if Instant::now() >= until {
                swept.is_cut_short = true;
                return Ok(swept);
            }
            let Some(entries) = pages.next().await? else {
                return Ok(swept);
            };
            let checks: Vec<_> = entries
                .iter()
                .filter_map(keys::sort_key)
                .map(|sk| self.check_entry(sk, now).boxed())
                .collect();
            let checked: Vec<_> = stream::iter(checks)
                .buffer_unordered(RUNS_AT_A_TIME)
                .try_collect()
                .await?;
            swept += self.update_entries(&pk, checked).await?;
        }
    }

    /// Removes the entries of the checked runs, and writes the entries of their next
    /// checks.
    async fn update_entries(&self, pk: &str, checked: Vec<CheckedEntry<'_>>) -> Result<Swept> {
        let mut swept = Swept::default();
        let (mut next, mut outdated) = (Writes::new(), Writes::new());
        for (sk, execution_id, result) in checked.into_iter().flatten() {
            swept.looked_at += 1;
            match result {
                CheckResult::Changed => continue,
                CheckResult::Finished => {}
                CheckResult::TimedOut => swept.timed_out += 1,
                CheckResult::Stalled => swept.stalled += 1,
                CheckResult::Later(time) => {
                    let (pk, sk) = entry(time, &execution_id);
                    let item = key(&pk, &sk);
                    next.insert((pk, sk), Some(item));
                }
            }
            outdated.insert((pk.to_owned(), sk.to_owned()), None);
        }
        // The new entries are written first: a sweep that stops between the two writes
        // leaves one entry too many rather than one too few.
        self.store.write_each(next).await?;
        self.store.write_each(outdated).await?;
        Ok(swept)
    }

    /// Checks the run of a deadline entry. An entry that cannot be parsed stays in place,
    /// because another release may have written it.
    async fn check_entry<'a>(&self, sk: &'a str, now: Timestamp) -> Result<CheckedEntry<'a>> {
        let Some(execution_id) = keys::execution_id_of_deadline(sk) else {
            if self.store.companion::<Reports>().is_due(sk, "DEADLINE") {
                tracing::error!(sk, "skipped a deadline entry that cannot be parsed");
            }
            return Ok(None);
        };
        let result = self.check_run(&execution_id, now).await?;
        Ok(Some((sk, execution_id, result)))
    }

    async fn check_run(&self, execution_id: &ExecutionId, now: Timestamp) -> Result<CheckResult> {
        let pk = keys::execution_partition(execution_id);
        let item = self.store.get_latest(&pk, keys::EXECUTION).await?;
        let image = item.filter(|item| !is_expired(item, now)).map(Image::from);
        let found = image
            .as_ref()
            .and_then(|image| Some((WatchedRun::from_image(image)?, image)));
        let Some((run, item)) = found else {
            return Ok(CheckResult::Finished);
        };
        let closes_at = run.closes_at(&self.store).await?;
        let is_reached = |time: &Option<Timestamp>| time.is_some_and(|time| time <= now);
        // The run of a trace ends with its root span, so this is why it has not ended.
        let reason = match item.contains_key(AWAITS_ROOT) {
            true => " The root span of its trace has not arrived.",
            false => "",
        };
        let verdict = match (run.timeout_at, closes_at) {
            (Some(timeout_at), _) if is_reached(&run.timeout_at) => Verdict {
                is_timeout: true,
                message: format!("The run timed out: it did not end by {timeout_at}.{reason}"),
                attribute: TIMEOUT_AT,
            },
            (_, Some(_)) if is_reached(&closes_at) => Verdict {
                is_timeout: false,
                message: stalled_message(&run) + reason,
                attribute: HEARTBEAT_AT,
            },
            (timeout_at, closes_at) => {
                let next = timeout_at.into_iter().chain(closes_at).min();
                return Ok(next.map_or(CheckResult::Finished, CheckResult::Later));
            }
        };
        self.close(&run.team_id, execution_id, item, verdict).await
    }

    async fn close(
        &self,
        team_id: &TeamId,
        execution_id: &ExecutionId,
        run: &Item,
        verdict: Verdict,
    ) -> Result<CheckResult> {
        let still = expected_value(run, verdict.attribute);
        let cancellation = Cancellation::by_system(SWEEPER, verdict.message);
        let closed = cancellation
            .apply_while(&self.store, team_id, execution_id, still)
            .await;
        match closed {
            Ok(true) if verdict.is_timeout => Ok(CheckResult::TimedOut),
            Ok(true) => Ok(CheckResult::Stalled),
            Ok(false) => Ok(CheckResult::Changed),
            // The run stays open, and does not block the other runs of the shard.
            Err(error) if error.is_caused_by_item() => {
                let error = error.with_causes();
                tracing::error!(%execution_id, error, "failed to close a run that timed out or stalled");
                Ok(CheckResult::Finished)
            }
            Err(error) => Err(error),
        }
    }
}

fn stalled_message(run: &WatchedRun) -> String {
    let since = run.heartbeat_at.map(|time| time.to_string());
    let since = since.unwrap_or_default();
    format!("The run stalled: no heartbeat since {since}.")
}
