//! The buffer of records that wait for the table, which are sent in batches.
//!
//! A separate thread sends them, so that they reach the table even when the engine's runtime ends.
//! A waiting record is replaced by a newer one with the same key: a step that starts and ends
//! within one batch is one write. While a record is being sent, no other record with its key is
//! sent, so an older record never overwrites a newer one.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBuilder};
use format::attributes::{PARTITION_KEY, SORT_KEY};
use format::model::{Item, approximate_size};
use store::{MAX_ITEMS_A_BATCH, Store};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::error::{Error, RefusedRecord, Result};
use crate::writer::Options;

/// The most bytes of one request. DynamoDB accepts 16 MB by its own measure.
const MAX_BATCH_BYTES: usize = 12 * 1024 * 1024;

/// The most requests that are sent in parallel.
const MAX_PARALLEL_BATCHES: usize = 4;

/// The waits between attempts: increasing, with jitter, and without end.
pub(crate) fn backoff() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(50))
        .with_max_delay(Duration::from_secs(5))
        .without_max_times()
        .with_jitter()
        .build()
}

/// The keys of a record.
type Key = (String, String);

fn record_key(item: &Item) -> Key {
    let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok());
    let text = |name| text(name).cloned().unwrap_or_default();
    (text(PARTITION_KEY), text(SORT_KEY))
}

/// A record that waits to be written.
#[derive(Debug, Clone)]
struct PendingRecord {
    item: Item,
    bytes: usize,
    /// Its number among all accepted records. A record that replaces another keeps the other's
    /// number.
    number: u64,
    /// Since when it, or the record that it replaces, has been waiting.
    since: Instant,
}

/// Collects records and sends them. When dropped, it first sends the remaining records.
#[derive(Debug)]
pub(crate) struct Buffer {
    shared: Arc<Shared>,
    /// Held while waiting for space, so that small records cannot overtake a large one forever.
    turn: tokio::sync::Mutex<()>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    store: Store,
    options: Options,
    state: Mutex<Queue>,
    /// Wakes the thread when there may be something to do.
    wake: Notify,
    /// Reports that records were written or dropped.
    changed: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: HashMap<Key, PendingRecord>,
    /// The keys of the waiting records, in the order of acceptance.
    order: BTreeMap<u64, Key>,
    /// The records that are being sent, by their numbers.
    in_flight: HashMap<Key, u64>,
    /// The size of the records that are waiting or being sent.
    bytes: usize,
    /// The number of accepted records.
    accepted: u64,
    /// The number up to which a caller waits for the records.
    wanted: u64,
    refused: Vec<RefusedRecord>,
    /// When the table last accepted something.
    progress: Option<Instant>,
    /// Why the last attempt failed; `None` after a successful one.
    last_error: Option<format::Error>,
    /// When the buffer was closed.
    closing: Option<Instant>,
    /// The number of records that a closed buffer has dropped.
    lost: Option<usize>,
}

/// What the thread does next.
enum Next {
    Send(Vec<PendingRecord>),
    /// Waits until something happens, or until this time.
    Wait(Option<Instant>),
    End,
}

impl Queue {
    /// Returns whether all records accepted up to this number were written or dropped.
    fn is_settled(&self, number: u64) -> bool {
        let waits = self
            .order
            .keys()
            .next()
            .is_some_and(|first| *first <= number);
        let is_in_flight = self.in_flight.values().any(|of| *of <= number);
        !waits && !is_in_flight
    }

    fn accept(&mut self, item: Item, bytes: usize) {
        self.accepted += 1;
        let key = record_key(&item);
        let earlier = self.waiting.remove(&key);
        let (number, since) = earlier.map_or((self.accepted, Instant::now()), |earlier| {
            self.bytes -= earlier.bytes;
            (earlier.number, earlier.since)
        });
        self.bytes += bytes;
        self.order.insert(number, key.clone());
        let waiting = PendingRecord {
            item,
            bytes,
            number,
            since,
        };
        self.waiting.insert(key, waiting);
    }

    fn next(&mut self, options: &Options, is_full: bool) -> Next {
        let now = Instant::now();
        // The timeout restarts whenever the table accepts something.
        let since = self
            .closing
            .map(|closing| self.progress.map_or(closing, |at| at.max(closing)));
        let closing = since.map(|since| since + options.write_timeout);
        if let Some(closing) = closing {
            let is_done = self.waiting.is_empty() && self.in_flight.is_empty();
            if is_done || now >= closing {
                return Next::End;
            }
        }
        let first = self.order.iter().next();
        let is_wanted = first.is_some_and(|(number, _)| *number <= self.wanted);
        let due = first.map(|(_, key)| self.waiting[key].since + options.flush_after);
        let is_due = self.closing.is_some()
            || is_wanted
            || self.waiting.len() >= MAX_ITEMS_A_BATCH
            || due.is_some_and(|due| due <= now);
        if is_full || !is_due {
            let until = if is_full { None } else { due };
            return Next::Wait(closing.or(until));
        }
        match self.take_batch() {
            batch if batch.is_empty() => Next::Wait(closing),
            batch => Next::Send(batch),
        }
    }

    /// Takes the oldest records whose keys are not being sent.
    fn take_batch(&mut self) -> Vec<PendingRecord> {
        let mut bytes = 0;
        let mut numbers = Vec::new();
        for (number, key) in &self.order {
            if self.in_flight.contains_key(key) {
                continue;
            }
            bytes += self.waiting[key].bytes;
            let is_full = numbers.len() == MAX_ITEMS_A_BATCH || bytes > MAX_BATCH_BYTES;
            if is_full && !numbers.is_empty() {
                break;
            }
            numbers.push(*number);
        }
        let mut batch = Vec::with_capacity(numbers.len());
        for number in numbers {
            let Some(key) = self.order.remove(&number) else {
                continue;
            };
            if let Some(waiting) = self.waiting.remove(&key) {
                self.in_flight.insert(key, number);
                batch.push(waiting);
            }
        }
        batch
    }

    fn settle(&mut self, written: &PendingRecord) {
        self.in_flight.remove(&record_key(&written.item));
        self.bytes -= written.bytes;
    }
}

impl Buffer {
    /// Creates a buffer and starts its thread.
    ///
    /// # Panics
    /// Panics if the system cannot create a thread, like [`std::thread::spawn`].
    pub(crate) fn new(store: Store, options: &Options) -> Self {
        let shared = Arc::new(Shared {
            store,
            options: options.clone(),
            state: Mutex::default(),
            wake: Notify::new(),
            changed: Notify::new(),
        });
        let worker = shared.clone();
        let thread = std::thread::Builder::new()
            .name("flowtrail-writer".to_owned())
            .spawn(move || {
                tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .expect("a runtime of one thread")
                    .block_on(worker.work());
            })
            .expect("a thread");
        Self {
            shared,
            turn: tokio::sync::Mutex::default(),
            thread: Some(thread),
        }
    }

    /// Accepts records, after waiting for space.
    ///
    /// # Errors
    /// Returns [`Error::Closed`].
    pub(crate) async fn accept(&self, items: impl IntoIterator<Item = Item>) -> Result<()> {
        for item in items {
            let bytes = item
                .iter()
                .map(|(name, value)| name.len() + approximate_size(value))
                .sum();
            self.accept_one(item, bytes).await?;
        }
        Ok(())
    }

    async fn accept_one(&self, item: Item, bytes: usize) -> Result<()> {
        let most = self.shared.options.max_buffered_bytes;
        let key = record_key(&item);
        let _turn = self.turn.lock().await;
        loop {
            let changed = self.shared.changed.notified();
            {
                let mut state = self.shared.state();
                if state.closing.is_some() {
                    return Err(Error::Closed);
                }
                let earlier = state.waiting.get(&key).map_or(0, |earlier| earlier.bytes);
                let others = state.bytes - earlier;
                if others == 0 || others + bytes <= most {
                    state.accept(item, bytes);
                    break;
                }
                // A caller that waits for space needs the earlier records to be sent.
                state.wanted = state.accepted;
            }
            self.shared.wake.notify_one();
            changed.await;
        }
        self.shared.wake.notify_one();
        Ok(())
    }

    /// Returns when the table has everything that was accepted before.
    ///
    /// # Errors
    /// Returns [`Error::Unavailable`] if that takes too long, [`Error::Refused`] if the table has
    /// refused records since the last flush, and [`Error::Lost`].
    pub(crate) async fn flush(&self) -> Result<()> {
        let number = {
            let mut state = self.shared.state();
            state.wanted = state.accepted;
            state.accepted
        };
        self.shared.wake.notify_one();
        self.wait_until_settled(number).await?;
        match std::mem::take(&mut self.shared.state().refused) {
            refused if refused.is_empty() => Ok(()),
            refused => Err(Error::Refused(refused)),
        }
    }

    /// Waits as long as the table keeps accepting something.
    async fn wait_until_settled(&self, number: u64) -> Result<()> {
        let waited = self.shared.options.write_timeout;
        let begin = Instant::now();
        loop {
            let changed = self.shared.changed.notified();
            let deadline = {
                let mut state = self.shared.state();
                if state.is_settled(number) {
                    return Ok(());
                }
                if let Some(records) = state.lost {
                    let cause = state.last_error.take();
                    return Err(Error::Lost { records, cause });
                }
                let since = state.progress.map_or(begin, |progress| progress.max(begin));
                let deadline = since + waited;
                if deadline <= Instant::now() {
                    let cause = state.last_error.take();
                    return Err(Error::Unavailable { waited, cause });
                }
                deadline
            };
            // After the deadline, the loop checks again whether there was progress.
            let _ = tokio::time::timeout_at(deadline.into(), changed).await;
        }
    }

    /// Returns whether the buffer is closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.shared.state().closing.is_some()
    }

    /// Closes the buffer, which then accepts nothing more.
    pub(crate) fn close(&self) {
        self.shared.state().closing.get_or_insert_with(Instant::now);
        self.shared.wake.notify_one();
        // Wakes the callers that wait for space.
        self.shared.changed.notify_waiters();
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.close();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that writes records has panicked");
        }
    }
}

impl Shared {
    /// A panic while the lock is held leaves no inconsistent state here.
    fn state(&self) -> MutexGuard<'_, Queue> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn work(self: Arc<Self>) {
        let mut sends = JoinSet::new();
        loop {
            let is_full = sends.len() >= MAX_PARALLEL_BATCHES;
            let next = self.state().next(&self.options, is_full);
            let until = match next {
                Next::Send(batch) => {
                    sends.spawn(self.clone().send(batch));
                    continue;
                }
                Next::Wait(until) => until,
                Next::End => break,
            };
            let due = async {
                match until {
                    Some(until) => tokio::time::sleep_until(until.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.wake.notified() => {}
                () = due => {}
                Some(_) = sends.join_next() => {}
            }
        }
        let mut state = self.state();
        let lost = state.waiting.len() + state.in_flight.len();
        state.lost = Some(lost);
        self.changed.notify_waiters();
        if lost > 0 {
            let trouble = state.last_error.as_ref().map(format::Error::with_causes);
            tracing::error!(lost, trouble, "records were not written");
        }
    }

    /// Writes a batch, with as many attempts as it needs.
    async fn send(self: Arc<Self>, mut batch: Vec<PendingRecord>) {
        for wait in backoff() {
            match self.put(&batch).await {
                Ok(unprocessed) => {
                    let (left, written): (Vec<_>, Vec<_>) = batch
                        .into_iter()
                        .partition(|waiting| unprocessed.contains(&record_key(&waiting.item)));
                    self.settle(&written);
                    batch = left;
                }
                Err(error @ format::Error::Refused(_)) => {
                    match <[PendingRecord; 1]>::try_from(batch) {
                        Ok([alone]) => return self.refuse(&alone, &error),
                        // One of them causes the error, so send each separately.
                        Err(several) => {
                            for waiting in several {
                                Box::pin(self.clone().send(vec![waiting])).await;
                            }
                            return;
                        }
                    }
                }
                Err(error) => {
                    tracing::debug!(error = error.with_causes(), "records wait");
                    self.state().last_error = Some(error);
                }
            }
            if batch.is_empty() {
                return;
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// Writes what the table accepts of a batch. Returns the keys of the rest.
    async fn put(&self, batch: &[PendingRecord]) -> format::Result<Vec<Key>> {
        let items = batch.iter().map(|waiting| waiting.item.clone()).collect();
        let left = self.store.try_put_all(items).await?;
        self.state().last_error = None;
        Ok(left.iter().map(record_key).collect())
    }

    fn settle(&self, written: &[PendingRecord]) {
        let mut state = self.state();
        written.iter().for_each(|waiting| state.settle(waiting));
        if !written.is_empty() {
            state.progress = Some(Instant::now());
        }
        drop(state);
        self.changed.notify_waiters();
        // There may be newer records with the same keys.
        self.wake.notify_one();
    }

    fn refuse(&self, refused: &PendingRecord, error: &format::Error) {
        let (pk, sk) = record_key(&refused.item);
        let reason = error.with_causes();
        let record = RefusedRecord { pk, sk, reason };
        tracing::error!(%record, "the table refuses a record");
        self.state().refused.push(record);
        self.settle(std::slice::from_ref(refused));
    }
}

#[cfg(test)]
mod tests {
    use format::keys;
    use format::keys::key;
    use format::model::ExecutionId;

    use super::*;

    fn record(sk: &str) -> Item {
        let run: ExecutionId = "run-1".parse().expect("an id");
        key(keys::execution_partition(&run), sk)
    }

    fn state(records: &[&str]) -> Queue {
        let mut state = Queue::default();
        for sk in records {
            state.accept(record(sk), 1);
        }
        state
    }

    fn sort_keys(batch: &[PendingRecord]) -> Vec<&str> {
        let items = batch.iter().map(|waiting| &waiting.item);
        items.filter_map(keys::sort_key).collect()
    }

    #[test]
    fn a_newer_record_replaces_a_waiting_one() {
        let mut state = state(&["a", "b", "a"]);
        assert_eq!(sort_keys(&state.take_batch()), ["a", "b"]);
        assert_eq!(state.bytes, 2);
    }

    #[test]
    fn a_key_is_not_sent_again_before_its_response() {
        let mut state = state(&["a"]);
        let first = state.take_batch();
        state.accept(record("a"), 1);
        assert!(state.take_batch().is_empty());
        state.settle(&first[0]);
        assert_eq!(sort_keys(&state.take_batch()), ["a"]);
    }

    #[test]
    fn a_record_is_settled_when_it_or_its_replacement_is_written() {
        let mut state = state(&["a", "b"]);
        let accepted = state.accepted;
        state.accept(record("a"), 1);
        assert!(!state.is_settled(accepted));
        let batch = state.take_batch();
        assert!(!state.is_settled(accepted));
        state.accept(record("a"), 1);
        batch.iter().for_each(|waiting| state.settle(waiting));
        assert!(state.is_settled(accepted), "later records do not matter");
        assert!(!state.is_settled(state.accepted));
    }

    #[test]
    fn a_batch_has_25_records_and_a_bounded_size() {
        let names: Vec<_> = (0..30).map(|n| n.to_string()).collect();
        let mut many = state(&names.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(many.take_batch().len(), 25);
        assert_eq!(many.take_batch().len(), 5);
        let mut large = Queue::default();
        for name in &names[..3] {
            large.accept(record(name), MAX_BATCH_BYTES / 2 + 1);
        }
        assert_eq!(large.take_batch().len(), 1);
    }
}
