//! Follows the table's stream, as Lambda's event source does on AWS.
//!
//! Each shard is read from its consumer's checkpoint on, and its changes are passed to the
//! consumer: the counters, which recognize the changes that they have already counted, or
//! the labels and the reaper, whose work can be repeated. The children of a shard are read
//! after the shard's end.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use aws_sdk_dynamodbstreams::Client;
use shared::counters::recount::{NoConsumer, Progress, Recount};
use shared::counters::{AppliedChanges, Counter};
use shared::model::Item;
use shared::run_changes::{Reaped, Reaper};
use shared::store::Store;
use shared::{deadlines, labels};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::serve::until;
use crate::terminal::Failure;

mod consumer;
mod shards;

use consumer::Consumer;
use shards::Reading;

/// The minimum pause after a read that found nothing.
const IDLE: Duration = Duration::from_millis(100);

/// The pause after reading or counting has failed.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// How often new shards are looked up.
const SHARDS_EVERY: Duration = Duration::from_secs(10);

/// Follows the stream of one table.
pub struct Follower {
    streams: Client,
    store: Store,
    consumer: Consumer,
    shards: BTreeMap<String, Reading>,
    shards_found_at: Option<Instant>,
    /// Whether labels have a position that is separate from the counters' position.
    has_label_position: bool,
    /// Changes with each write to the table, if writes are reported.
    writes: Option<watch::Receiver<u64>>,
    /// How many records are read in one request.
    limit: i32,
}

impl Follower {
    /// Creates a follower that keeps the counters.
    pub fn counting(streams: Client, store: Store) -> Self {
        let consumer = Consumer::Count {
            counter: Counter::new(store.clone()),
            applied: AppliedChanges::default(),
        };
        Self::new(streams, store, consumer)
    }

    /// Creates a follower that keeps the entries of labels.
    pub fn labelling(streams: Client, store: Store) -> Self {
        let consumer = Consumer::Label {
            store: store.clone(),
            unsaved: 0,
        };
        Self::new(streams, store, consumer)
    }

    /// Creates a follower that observes which changes are not counted yet, see
    /// [`Self::uncounted`].
    pub fn awaiting(streams: Client, store: Store) -> Self {
        let consumer = Consumer::Await {
            counter: Counter::new(store.clone()),
            uncounted: BTreeMap::new(),
        };
        Self::new(streams, store, consumer)
    }

    /// Creates a follower that does the work after removals, cancellations and ends of
    /// runs.
    pub fn reaping(streams: Client, store: Store) -> Self {
        let consumer = Consumer::Reap {
            reaper: Reaper::new(store.clone()),
            reaped: Reaped::default(),
            unsaved: 0,
        };
        Self::new(streams, store, consumer)
    }

    /// Creates a follower that passes each item to `look` as it is after a change, from the
    /// beginning of the stream on.
    pub fn looking(
        streams: Client,
        store: Store,
        look: impl FnMut(&Item) + Send + Sync + 'static,
    ) -> Self {
        Self::new(streams, store, Consumer::Look(Box::new(look)))
    }

    fn new(streams: Client, store: Store, consumer: Consumer) -> Self {
        Self {
            streams,
            store,
            consumer,
            shards: BTreeMap::new(),
            shards_found_at: None,
            has_label_position: false,
            writes: None,
            limit: 100,
        }
    }

    /// Makes the follower read only after a write, which this channel reports. Without
    /// writes the follower then has almost nothing to do.
    #[must_use]
    pub fn after_writes(self, writes: watch::Receiver<u64>) -> Self {
        Self {
            writes: Some(writes),
            ..self
        }
    }

    /// Returns what this follower has counted. `None` for other followers.
    pub fn applied(&self) -> Option<AppliedChanges> {
        match &self.consumer {
            Consumer::Count { applied, .. } => Some(*applied),
            _ => None,
        }
    }

    /// Returns the counts of this follower's work after removals, cancellations and ends of
    /// runs. `None` for other followers.
    pub fn reaped(&self) -> Option<Reaped> {
        match &self.consumer {
            Consumer::Reap { reaped, .. } => Some(*reaped),
            _ => None,
        }
    }

    /// Follows the stream until nothing is left to read. `report` gets the number of records
    /// after each read.
    ///
    /// # Errors
    /// A request to the stream or the table fails.
    pub async fn drain(&mut self, mut report: impl FnMut(usize)) -> Result<(), Failure> {
        self.shards_found_at = None;
        loop {
            match self.step().await? {
                0 => return Ok(()),
                records => report(records),
            }
        }
    }

    /// Returns how many of the changes that were read are not counted yet; 0 for a follower
    /// that does not observe them.
    ///
    /// # Errors
    /// A request to the table fails.
    pub async fn uncounted(&mut self) -> shared::Result<usize> {
        let Consumer::Await { counter, uncounted } = &mut self.consumer else {
            return Ok(0);
        };
        for (shard_id, changes) in uncounted.iter_mut() {
            if changes.is_empty() {
                continue;
            }
            if let Some(counted) = counter.checkpoint(shard_id).await? {
                let ahead = |change: &String| Counter::has_applied(&counted, change);
                let applied = changes.partition_point(ahead);
                changes.drain(..applied);
            }
        }
        Ok(uncounted.values().map(VecDeque::len).sum())
    }

    /// Follows the stream for a limited time, because under constant writes the stream
    /// never ends. Returns whether the end was reached.
    ///
    /// # Errors
    /// A request to the stream or the table fails.
    pub async fn drain_within(&mut self, time: Duration) -> Result<bool, Failure> {
        let until = Instant::now() + time;
        self.shards_found_at = None;
        while Instant::now() < until {
            if self.step().await? == 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Follows the stream until the server stops, and reports through `caught_up` whether
    /// it has caught up with the writes. After an error it tries again.
    ///
    /// # Errors
    /// Never returns an error.
    pub async fn follow(
        mut self,
        caught_up: watch::Sender<bool>,
        stopped: watch::Receiver<bool>,
    ) -> Result<(), Failure> {
        let stop = until(stopped);
        tokio::pin!(stop);
        loop {
            // Writes from here on are read in this step, or end the wait.
            if let Some(writes) = &mut self.writes {
                writes.mark_unchanged();
            }
            let wait = tokio::select! {
                // A transaction in progress is abandoned: it is applied or not, and its
                // checkpoint shows which.
                () = &mut stop => return Ok(()),
                step = self.step() => match step {
                    Ok(0) => {
                        caught_up.send_replace(true);
                        tokio::select! {
                            () = &mut stop => return Ok(()),
                            () = written(self.writes.as_mut()) => IDLE,
                        }
                    }
                    Ok(_) => continue,
                    Err(failure) => {
                        caught_up.send_replace(false);
                        tracing::warn!(%failure, "failed to follow the stream; trying again");
                        AFTER_FAILURE
                    }
                },
            };
            tokio::select! {
                () = &mut stop => return Ok(()),
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Counts the existing runs of a table once, if the table is older than its counters.
    /// For `settle` see [`Recount`].
    ///
    /// # Errors
    /// A request to the stream or the table fails.
    pub async fn begin(&mut self, has_runs: bool, settle: Duration) -> Result<(), Failure> {
        // Before anything is counted, and before another follower reads labels.
        self.find_shards().await?;
        let counter = Counter::new(self.store.clone());
        if counter.is_complete().await? {
            return Ok(());
        }
        if has_runs {
            eprintln!("Counting the table's runs for the first time …");
            self.drain(|_| {}).await?;
            let recount = Recount {
                team_id: None,
                settle,
            };
            recount
                .rebuild(&self.store, &NoConsumer, &|_: Progress| {})
                .await?;
            labels::enter_all(&self.store, None).await?;
            deadlines::enter_all(&self.store, None).await?;
        }
        // This is recorded last, so that interrupted work is repeated.
        counter.set_complete().await?;
        Ok(())
    }

    /// Whether the table has a stream.
    ///
    /// # Errors
    /// A request to the stream fails.
    pub async fn has_stream(&self) -> Result<bool, Failure> {
        Ok(self.stream_arn().await?.is_some())
    }

    /// Reads each shard once. Returns the number of records.
    async fn step(&mut self) -> Result<usize, Failure> {
        let is_due = |then: Instant| then.elapsed() >= SHARDS_EVERY;
        if self.shards_found_at.is_none_or(is_due) {
            self.find_shards().await?;
        }
        let mut records = 0;
        for shard_id in self.readable() {
            records += self.read(&shard_id).await?;
        }
        Ok(records)
    }
}

/// Returns at the next write, or when shards must be looked up; immediately if writes are
/// not reported.
async fn written(writes: Option<&mut watch::Receiver<u64>>) {
    if let Some(writes) = writes {
        let _ = tokio::time::timeout(SHARDS_EVERY, writes.changed()).await;
    }
}
