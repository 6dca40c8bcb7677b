//! Records on their way to the table: gathered for a moment, sent in batches.
//!
//! They are sent by a thread of their own, so that they also reach the table when the
//! engine's runtime ends. A record waits under its key, and a newer one takes its
//! place: a step that begins and ends within one batch is one write. A key that is on
//! its way is not sent again before the answer, so an older record never lands behind
//! a newer one.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::batch_write_item::BatchWriteItemError;
use aws_sdk_dynamodb::types::{PutRequest, WriteRequest};
use backon::{BackoffBuilder, ExponentialBuilder};
use shared::model::{Item, approximate_size};
use shared::store::{MAX_ITEMS_A_BATCH, from_sdk};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::error::{Error, RefusedRecord, Result};
use crate::writer::Options;

/// The most bytes of one request; DynamoDB takes 16 MB, as it counts them.
const MAX_BATCH_BYTES: usize = 12 * 1024 * 1024;

/// The requests under way at a time.
const BATCHES_AT_A_TIME: usize = 4;

/// The waits between attempts, ever longer and never quite alike, without end.
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

fn key_of(item: &Item) -> Key {
    let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok());
    let text = |name| text(name).cloned().unwrap_or_default();
    (text("pk"), text("sk"))
}

/// A record that is to be written.
#[derive(Debug, Clone)]
struct Waiting {
    item: Item,
    bytes: usize,
    /// Its place among all that were accepted; of a record that took another's place,
    /// the other's.
    number: u64,
    /// Since when it waits, or what it took the place of.
    since: Instant,
}

/// Gathers records and sends them. Dropped, it sends the last of them.
#[derive(Debug)]
pub(crate) struct Buffer {
    shared: Arc<Shared>,
    /// Held while waiting for room, so that a large record is not overtaken by small ones
    /// for ever.
    turn: tokio::sync::Mutex<()>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    client: Client,
    table: String,
    options: Options,
    state: Mutex<State>,
    /// Something has come that the thread may have to do with.
    wake: Notify,
    /// Something has been written, or dropped.
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    waiting: HashMap<Key, Waiting>,
    /// The keys of what waits, in the order in which it came.
    order: BTreeMap<u64, Key>,
    /// What is on its way, by its number.
    under_way: HashMap<Key, u64>,
    /// Of what waits or is on its way.
    bytes: usize,
    /// How many records were accepted.
    accepted: u64,
    /// Up to which of them somebody waits.
    wanted: u64,
    refused: Vec<RefusedRecord>,
    /// When the table last took something.
    progress: Option<Instant>,
    /// Why the last attempt failed; nothing after one that did not.
    trouble: Option<shared::Error>,
    /// Since when nothing comes any more.
    closing: Option<Instant>,
    /// Of a writer that has ended, how many records it has given up.
    lost: Option<usize>,
}

/// What the thread does next.
enum Next {
    Send(Vec<Waiting>),
    /// Until something comes, or until this moment.
    Wait(Option<Instant>),
    End,
}

impl State {
    /// Whether all that was accepted up to this number has been dealt with.
    fn is_settled(&self, number: u64) -> bool {
        let waits = self
            .order
            .keys()
            .next()
            .is_some_and(|first| *first <= number);
        let is_under_way = self.under_way.values().any(|of| *of <= number);
        !waits && !is_under_way
    }

    fn accept(&mut self, item: Item, bytes: usize) {
        self.accepted += 1;
        let key = key_of(&item);
        let earlier = self.waiting.remove(&key);
        let (number, since) = earlier.map_or((self.accepted, Instant::now()), |earlier| {
            self.bytes -= earlier.bytes;
            (earlier.number, earlier.since)
        });
        self.bytes += bytes;
        self.order.insert(number, key.clone());
        let waiting = Waiting {
            item,
            bytes,
            number,
            since,
        };
        self.waiting.insert(key, waiting);
    }

    fn next(&mut self, options: &Options, is_full: bool) -> Next {
        let now = Instant::now();
        // For as long as the table takes anything at all.
        let since = self
            .closing
            .map(|closing| self.progress.map_or(closing, |at| at.max(closing)));
        let closing = since.map(|since| since + options.write_timeout);
        if let Some(closing) = closing {
            let is_done = self.waiting.is_empty() && self.under_way.is_empty();
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

    /// The oldest records whose keys are not on their way.
    fn take_batch(&mut self) -> Vec<Waiting> {
        let mut bytes = 0;
        let mut numbers = Vec::new();
        for (number, key) in &self.order {
            if self.under_way.contains_key(key) {
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
                self.under_way.insert(key, number);
                batch.push(waiting);
            }
        }
        batch
    }

    fn settle(&mut self, written: &Waiting) {
        self.under_way.remove(&key_of(&written.item));
        self.bytes -= written.bytes;
    }
}

impl Buffer {
    /// Begins to send what it is given.
    ///
    /// # Panics
    /// Where the system makes no thread, as [`std::thread::spawn`].
    pub(crate) fn new(client: Client, table: &str, options: &Options) -> Self {
        let shared = Arc::new(Shared {
            client,
            table: table.to_owned(),
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

    /// Takes records, once there is room for them.
    ///
    /// # Errors
    /// [`Error::Closed`].
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
        let key = key_of(&item);
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
                // Whoever waits for room has what takes it sent.
                state.wanted = state.accepted;
            }
            self.shared.wake.notify_one();
            changed.await;
        }
        self.shared.wake.notify_one();
        Ok(())
    }

    /// Returns once all that was accepted before is in the table.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where that takes too long, [`Error::Refused`] where the
    /// table has refused some of it since the last flush, and [`Error::Lost`].
    pub(crate) async fn flush(&self) -> Result<()> {
        let number = {
            let mut state = self.shared.state();
            state.wanted = state.accepted;
            state.accepted
        };
        self.shared.wake.notify_one();
        self.settled(number).await?;
        match std::mem::take(&mut self.shared.state().refused) {
            refused if refused.is_empty() => Ok(()),
            refused => Err(Error::Refused(refused)),
        }
    }

    /// Waits for as long as the table takes anything at all.
    async fn settled(&self, number: u64) -> Result<()> {
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
                    let cause = state.trouble.take();
                    return Err(Error::Lost { records, cause });
                }
                let since = state.progress.map_or(begin, |progress| progress.max(begin));
                let deadline = since + waited;
                if deadline <= Instant::now() {
                    let cause = state.trouble.take();
                    return Err(Error::Unavailable { waited, cause });
                }
                deadline
            };
            // Past it, there is another look at whether there was progress.
            let _ = tokio::time::timeout_at(deadline.into(), changed).await;
        }
    }

    /// Whether nothing more is taken.
    pub(crate) fn is_closed(&self) -> bool {
        self.shared.state().closing.is_some()
    }

    /// Takes nothing more.
    pub(crate) fn close(&self) {
        self.shared.state().closing.get_or_insert_with(Instant::now);
        self.shared.wake.notify_one();
        // Those who wait for room.
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
    /// A panic inside a lock leaves nothing half done here.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn work(self: Arc<Self>) {
        let mut sends = JoinSet::new();
        loop {
            let is_full = sends.len() >= BATCHES_AT_A_TIME;
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
        let lost = state.waiting.len() + state.under_way.len();
        state.lost = Some(lost);
        self.changed.notify_waiters();
        if lost > 0 {
            let trouble = state.trouble.as_ref().map(shared::Error::with_causes);
            tracing::error!(lost, trouble, "records were not written");
        }
    }

    /// Writes a batch, however long that takes.
    async fn send(self: Arc<Self>, mut batch: Vec<Waiting>) {
        for wait in backoff() {
            match self.put(&batch).await {
                Ok(unprocessed) => {
                    let (left, written): (Vec<_>, Vec<_>) = batch
                        .into_iter()
                        .partition(|waiting| unprocessed.contains(&key_of(&waiting.item)));
                    self.settle(&written);
                    batch = left;
                }
                Err(error) if error.code() == Some("ValidationException") => {
                    match <[Waiting; 1]>::try_from(batch) {
                        Ok([alone]) => return self.refuse(&alone, &error),
                        // One of them is at fault.
                        Err(several) => {
                            for waiting in several {
                                Box::pin(self.clone().send(vec![waiting])).await;
                            }
                            return;
                        }
                    }
                }
                Err(error) => {
                    tracing::debug!(error = %DisplayErrorContext(&error), "records wait");
                    self.state().trouble = Some(from_sdk(error));
                }
            }
            if batch.is_empty() {
                return;
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// Writes what the table takes of a batch, and tells what it does not.
    async fn put(
        &self,
        batch: &[Waiting],
    ) -> std::result::Result<Vec<Key>, SdkError<BatchWriteItemError>> {
        let requests = batch.iter().map(|waiting| {
            let put = PutRequest::builder().set_item(Some(waiting.item.clone()));
            WriteRequest::builder()
                .put_request(put.build().expect("an item"))
                .build()
        });
        let answer = self
            .client
            .batch_write_item()
            .request_items(&self.table, requests.collect())
            .send()
            .await?;
        self.state().trouble = None;
        let unprocessed = answer.unprocessed_items.unwrap_or_default();
        let requests = unprocessed.into_values().flatten();
        let items = requests.filter_map(|request| request.put_request);
        Ok(items.map(|put| key_of(&put.item)).collect())
    }

    fn settle(&self, written: &[Waiting]) {
        let mut state = self.state();
        written.iter().for_each(|waiting| state.settle(waiting));
        if !written.is_empty() {
            state.progress = Some(Instant::now());
        }
        drop(state);
        self.changed.notify_waiters();
        // There may be newer records of the same keys.
        self.wake.notify_one();
    }

    fn refuse(&self, refused: &Waiting, error: &SdkError<BatchWriteItemError>) {
        let (pk, sk) = key_of(&refused.item);
        let reason = error.message().unwrap_or_default().to_owned();
        let record = RefusedRecord { pk, sk, reason };
        tracing::error!(%record, "the table refuses a record");
        self.state().refused.push(record);
        self.settle(std::slice::from_ref(refused));
    }
}

#[cfg(test)]
mod tests {
    use shared::keys;
    use shared::model::ExecutionId;
    use shared::store::key;

    use super::*;

    fn record(sk: &str) -> Item {
        let run: ExecutionId = "run-1".parse().expect("an id");
        key(keys::execution_partition(&run), sk)
    }

    fn state(records: &[&str]) -> State {
        let mut state = State::default();
        for sk in records {
            state.accept(record(sk), 1);
        }
        state
    }

    fn sort_keys(batch: &[Waiting]) -> Vec<&str> {
        let items = batch.iter().map(|waiting| &waiting.item);
        items.filter_map(keys::sort_key).collect()
    }

    #[test]
    fn a_newer_record_takes_the_place_of_one_that_waits() {
        let mut state = state(&["a", "b", "a"]);
        assert_eq!(sort_keys(&state.take_batch()), ["a", "b"]);
        assert_eq!(state.bytes, 2);
    }

    #[test]
    fn a_key_that_is_on_its_way_waits_for_its_answer() {
        let mut state = state(&["a"]);
        let first = state.take_batch();
        state.accept(record("a"), 1);
        assert!(state.take_batch().is_empty());
        state.settle(&first[0]);
        assert_eq!(sort_keys(&state.take_batch()), ["a"]);
    }

    #[test]
    fn what_was_accepted_is_settled_when_it_is_written_or_when_what_took_its_place_is() {
        let mut state = state(&["a", "b"]);
        let accepted = state.accepted;
        state.accept(record("a"), 1);
        assert!(!state.is_settled(accepted));
        let batch = state.take_batch();
        assert!(!state.is_settled(accepted));
        state.accept(record("a"), 1);
        batch.iter().for_each(|waiting| state.settle(waiting));
        assert!(state.is_settled(accepted), "a later one is not waited for");
        assert!(!state.is_settled(state.accepted));
    }

    #[test]
    fn a_batch_has_25_records_and_a_bounded_size() {
        let names: Vec<_> = (0..30).map(|n| n.to_string()).collect();
        let mut many = state(&names.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(many.take_batch().len(), 25);
        assert_eq!(many.take_batch().len(), 5);
        let mut large = State::default();
        for name in &names[..3] {
            large.accept(record(name), MAX_BATCH_BYTES / 2 + 1);
        }
        assert_eq!(large.take_batch().len(), 1);
    }
}
