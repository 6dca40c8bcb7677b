//! The only place that calls DynamoDB for records.
//!
//! There is one store, over the real SDK client. On a laptop, in the tests and
//! on AWS only the client's endpoint differs.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::operation::scan::builders::ScanFluentBuilder;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeValue, ConsumedCapacity, Delete, DeleteRequest, Put, PutRequest,
    ReturnConsumedCapacity, Select, TransactWriteItem, Update, WriteRequest,
};
use backon::{BackoffBuilder, ExponentialBuilder};
use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};
use masking::Masker;

use crate::cursor::{self, StartKey};
use crate::error::{Error, Result};
use crate::model::{Item, Status, TeamId};
use crate::retention::Retention;
use crate::settings::Remembered;
use crate::stalled::Limits;
use crate::table::{BY_TEAM, PARTITION_KEY, SORT_KEY, text};

mod range;

pub use range::{Filter, Range};

/// The most items that one Query evaluates. DynamoDB itself ends a page at
/// 1 MB; a limit as well keeps the embedded engine and DynamoDB Local from
/// reading all the rest of a partition for each page.
pub const MAX_ITEMS_A_QUERY: usize = 5_000;

/// The most Queries that one page of a list makes, and so the most it reads: 16
/// MB. With it, a filter that matches almost nothing costs a bounded time and
/// returns a short page with a token.
pub const MAX_QUERIES_A_PAGE: usize = 16;

/// The most items that one page of a list evaluates.
pub const MAX_ITEMS_A_PAGE: usize = 10_000;

/// The most items that DynamoDB takes in one BatchWriteItem.
pub const MAX_ITEMS_A_BATCH: usize = 25;

/// How many batches of one caller are written at a time.
const BATCHES_AT_A_TIME: usize = 4;

/// How often a write is tried that the table takes only in part, or not for now.
/// Together some ten seconds.
const MAX_ATTEMPTS: usize = 12;

/// The waits between such attempts, ever longer and never quite alike.
pub(crate) fn backoff() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(20))
        .with_max_delay(Duration::from_secs(2))
        .with_max_times(MAX_ATTEMPTS)
        .with_jitter()
        .build()
}

/// What a store's requests have used.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Usage {
    /// Requests to DynamoDB, retries inside the SDK not counted.
    pub requests: u64,
    /// Items that these have read, returned or not.
    pub items_read: u64,
    /// Capacity units consumed: read units of 8 KB, as reads are eventually
    /// consistent (of 4 KB where they are not), and write units of 1 KB.
    pub capacity_units: f64,
}

impl Usage {
    /// What was used since an earlier look at the same meter.
    pub fn since(self, earlier: Self) -> Self {
        Self {
            requests: self.requests - earlier.requests,
            items_read: self.items_read - earlier.items_read,
            capacity_units: self.capacity_units - earlier.capacity_units,
        }
    }
}

#[derive(Debug, Default)]
struct Meter {
    requests: AtomicU64,
    items_read: AtomicU64,
    /// In thousandths: every figure that DynamoDB reports is a multiple of 0.5.
    milli_units: AtomicU64,
}

/// One page of a range, as DynamoDB returned it.
#[derive(Debug)]
pub struct Page {
    /// The items, in the range's order.
    pub items: Vec<Item>,
    /// Where the next page begins; `None` at the end of the range.
    pub last_key: Option<StartKey>,
    /// How many items were read to find these.
    evaluated: usize,
}

/// A page of a list: full, or the last, or as much as its read budget found.
#[derive(Debug)]
pub struct Listing {
    /// The items, in the range's order.
    pub items: Vec<Item>,
    /// The token of the next page; `None` on the last.
    pub next_token: Option<String>,
}

/// Items to write, and to remove where there is none, by their keys.
pub(crate) type Writes = BTreeMap<(String, String), Option<Item>>;

/// What an item may be written in place of.
#[derive(Debug, Clone)]
pub enum Replaced<'a> {
    /// Whatever has its keys.
    Anything,
    /// No item: one that is there stays.
    Nothing,
    /// An item whose attribute has this value.
    With(&'a str, AttributeValue),
    /// No item, or an execution that has yet to end: terminal is final.
    Open,
}

/// What was made of the teams' settings lately, by their kind.
#[derive(Debug, Default)]
pub(crate) struct RememberedSettings {
    pub(crate) maskers: Remembered<Masker>,
    pub(crate) retentions: Remembered<Retention>,
    pub(crate) limits: Remembered<Limits>,
}

/// The table.
#[derive(Debug, Clone)]
pub struct Store {
    client: Client,
    table: Arc<str>,
    meter: Arc<Meter>,
    remembered: Arc<RememberedSettings>,
}

impl Store {
    /// A store over a table that is there.
    pub fn new(client: Client, table: &str) -> Self {
        Self {
            client,
            table: table.into(),
            meter: Arc::default(),
            remembered: Arc::default(),
        }
    }

    /// What was made of the settings in the table lately, shared by all clones.
    pub(crate) fn remembered(&self) -> &RememberedSettings {
        &self.remembered
    }

    /// The same store with a meter of its own that begins at nothing.
    pub fn metered(&self) -> Self {
        Self {
            meter: Arc::default(),
            ..self.clone()
        }
    }

    /// What the requests of this store, and of its clones, have used.
    pub fn usage(&self) -> Usage {
        Usage {
            requests: self.meter.requests.load(Ordering::Relaxed),
            items_read: self.meter.items_read.load(Ordering::Relaxed),
            capacity_units: self.meter.milli_units.load(Ordering::Relaxed) as f64 / 1_000.0,
        }
    }

    /// The SDK client, for set-up and for writing.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The table's name.
    pub fn table(&self) -> &str {
        &self.table
    }

    /// Reads one item by its keys.
    ///
    /// # Errors
    /// Those of the engine.
    pub async fn get(&self, pk: &str, sk: &str) -> Result<Option<Item>> {
        self.get_item(pk, sk, false).await
    }

    /// Reads one item as it is now, at twice the price, for what is about to be
    /// written under a condition on it.
    ///
    /// # Errors
    /// Those of the engine.
    pub async fn get_latest(&self, pk: &str, sk: &str) -> Result<Option<Item>> {
        self.get_item(pk, sk, true).await
    }

    async fn get_item(&self, pk: &str, sk: &str, consistent: bool) -> Result<Option<Item>> {
        let answer = self
            .client
            .get_item()
            .table_name(self.table())
            .key(PARTITION_KEY, text(pk))
            .key(SORT_KEY, text(sk))
            .consistent_read(consistent)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(from_sdk)?;
        self.count(answer.consumed_capacity(), 1);
        Ok(answer.item)
    }

    /// Writes one item, in place of the one with its keys.
    ///
    /// # Errors
    /// Those of the engine.
    pub async fn put(&self, item: Item) -> Result<()> {
        let answer = self
            .client
            .put_item()
            .table_name(self.table())
            .set_item(Some(item))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(from_sdk)?;
        self.count(answer.consumed_capacity(), 0);
        Ok(())
    }

    /// Writes one item in place of what it may replace. Returns whether it did.
    ///
    /// # Errors
    /// Those of the engine.
    pub async fn put_if(&self, item: Item, replaced: Replaced<'_>) -> Result<bool> {
        let put = self.put_of(item, replaced)?;
        let answer = self
            .client
            .put_item()
            .table_name(put.table_name)
            .set_item(Some(put.item))
            .set_condition_expression(put.condition_expression)
            .set_expression_attribute_names(put.expression_attribute_names)
            .set_expression_attribute_values(put.expression_attribute_values)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        if fails_its_condition(&answer) {
            return Ok(false);
        }
        self.count(answer.map_err(from_sdk)?.consumed_capacity(), 0);
        Ok(true)
    }

    /// Changes one item, if the update's condition holds. Returns whether it did.
    ///
    /// # Errors
    /// [`Error::TooLarge`], and those of the engine.
    pub async fn update(&self, update: Update) -> Result<bool> {
        let answer = self
            .client
            .update_item()
            .table_name(self.table())
            .set_key(Some(update.key))
            .update_expression(update.update_expression)
            .set_condition_expression(update.condition_expression)
            .set_expression_attribute_names(update.expression_attribute_names)
            .set_expression_attribute_values(update.expression_attribute_values)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        if fails_its_condition(&answer) {
            return Ok(false);
        }
        let answer = answer.map_err(|error| match error.code() {
            // The update is ours, so it is the item that is too large for it.
            Some("ValidationException") => Error::TooLarge(error.into()),
            _ => from_sdk(error),
        });
        self.count(answer?.consumed_capacity(), 0);
        Ok(true)
    }

    /// Removes one item, if it is there.
    ///
    /// # Errors
    /// Those of the engine.
    pub async fn delete(&self, pk: &str, sk: &str) -> Result<()> {
        let answer = self
            .client
            .delete_item()
            .table_name(self.table())
            .set_key(Some(key(pk, sk)))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(from_sdk)?;
        self.count(answer.consumed_capacity(), 0);
        Ok(())
    }

    /// Removes one item, if an attribute of it still has this value.
    ///
    /// # Errors
    /// Those of the engine.
    pub async fn delete_with(
        &self,
        pk: &str,
        sk: &str,
        attribute: &str,
        value: AttributeValue,
    ) -> Result<()> {
        let answer = self
            .client
            .delete_item()
            .table_name(self.table())
            .set_key(Some(key(pk, sk)))
            .condition_expression("#attribute = :value")
            .expression_attribute_names("#attribute", attribute)
            .expression_attribute_values(":value", value)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        if fails_its_condition(&answer) {
            return Ok(());
        }
        self.count(answer.map_err(from_sdk)?.consumed_capacity(), 0);
        Ok(())
    }

    /// Writes up to [`MAX_ITEMS_A_BATCH`] items, each in place of the one with its
    /// keys, and again what the table has not taken.
    ///
    /// # Errors
    /// Those of the engine; [`Error::Throttled`] when it goes on taking only a
    /// part.
    pub async fn put_all(&self, items: Vec<Item>) -> Result<()> {
        self.write_batch(items, Vec::new()).await
    }

    /// Writes any number of items as [`Self::put_all`] does, so many batches at a time.
    ///
    /// # Errors
    /// Those of [`Self::put_all`].
    pub async fn put_many(
        &self,
        items: impl IntoIterator<Item = Item>,
        batches_at_a_time: usize,
    ) -> Result<()> {
        let batches = stream::iter(items).chunks(MAX_ITEMS_A_BATCH);
        batches
            .map(|some| self.put_all(some).boxed())
            .buffer_unordered(batches_at_a_time)
            .try_collect()
            .await
    }

    /// Removes up to [`MAX_ITEMS_A_BATCH`] items by their keys, and again what the
    /// table has not taken.
    ///
    /// # Errors
    /// Those of [`Self::put_all`].
    pub async fn delete_all(&self, keys: Vec<Item>) -> Result<()> {
        self.write_batch(Vec::new(), keys).await
    }

    /// Writes items and removes others, together up to [`MAX_ITEMS_A_BATCH`], each
    /// by itself, and again what the table has not taken.
    ///
    /// # Errors
    /// Those of [`Self::put_all`].
    pub async fn write_batch(&self, written: Vec<Item>, removed: Vec<Item>) -> Result<()> {
        let put = |item| {
            let put = PutRequest::builder().set_item(Some(item)).build();
            let put = put.map_err(Error::internal)?;
            Ok(WriteRequest::builder().put_request(put).build())
        };
        let delete = |key| {
            let delete = DeleteRequest::builder().set_key(Some(key)).build();
            let delete = delete.map_err(Error::internal)?;
            Ok(WriteRequest::builder().delete_request(delete).build())
        };
        let written = written.into_iter().map(put);
        let requests = written.chain(removed.into_iter().map(delete));
        self.write_all(requests.collect::<Result<_>>()?).await
    }

    /// Writes items and removes others, each by itself, in any number. Returns how many they
    /// are.
    ///
    /// # Errors
    /// Those of [`Self::put_all`].
    pub(crate) async fn write_each(&self, writes: Writes) -> Result<usize> {
        let count = writes.len();
        let writes: Vec<_> = writes.into_iter().collect();
        let batches = writes.chunks(MAX_ITEMS_A_BATCH).map(|batch| {
            let written = batch.iter().filter_map(|(_, item)| item.clone());
            let removed = batch.iter().filter(|(_, item)| item.is_none());
            let removed = removed.map(|((pk, sk), _)| key(pk, sk));
            self.write_batch(written.collect(), removed.collect())
                .boxed()
        });
        let batches: Vec<_> = batches.collect();
        stream::iter(batches)
            .buffer_unordered(BATCHES_AT_A_TIME)
            .try_collect::<()>()
            .await?;
        Ok(count)
    }

    async fn write_all(&self, mut requests: Vec<WriteRequest>) -> Result<()> {
        if requests.is_empty() {
            return Ok(());
        }
        for wait in backoff() {
            let answer = self
                .client
                .batch_write_item()
                .request_items(self.table(), requests.clone())
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await;
            match answer.map_err(from_sdk) {
                Ok(answer) => {
                    self.count(answer.consumed_capacity().first(), 0);
                    let mut unprocessed = answer.unprocessed_items.unwrap_or_default();
                    requests = unprocessed.remove(self.table()).unwrap_or_default();
                    if requests.is_empty() {
                        return Ok(());
                    }
                }
                // So it says that it takes nothing of it for now.
                Err(Error::Throttled(_)) => {}
                Err(error) => return Err(error),
            }
            tokio::time::sleep(wait).await;
        }
        Err(Error::Throttled("the table takes a part of a batch".into()))
    }

    /// Replaces up to [`MAX_ITEMS_A_BATCH`] items, given by their keys, each by another
    /// under another key: all of those that are there or none. For one that is not there
    /// nothing is written.
    ///
    /// # Errors
    /// Those of the engine; [`Error::Throttled`] when others go on writing to these
    /// items.
    pub async fn replace_all(&self, mut replaced: Vec<(Item, Item)>) -> Result<()> {
        while !replaced.is_empty() {
            let actions = replaced.iter().cloned().map(|(key, item)| {
                let removal = self.removal_action(key)?;
                Ok([removal, self.put_action(item, Replaced::Anything)?])
            });
            let actions: Vec<_> = actions.collect::<Result<_>>()?;
            let failed = self.try_together(actions.into_iter().flatten().collect());
            let failed = failed.await?;
            if failed.is_empty() {
                break;
            }
            // Of the two actions of each, the removal has the condition.
            let mut is_gone = failed.into_iter().step_by(2);
            replaced.retain(|_| !is_gone.next().unwrap_or_default());
        }
        Ok(())
    }

    /// The removal of an item that has to be there.
    fn removal_action(&self, key: Item) -> Result<TransactWriteItem> {
        let delete = Delete::builder().table_name(self.table());
        let delete = delete.set_key(Some(key));
        let delete = delete.condition_expression("attribute_exists(pk)");
        let delete = delete.build().map_err(Error::internal)?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }

    /// The write of one item as an action of [`Self::write_together`].
    ///
    /// # Errors
    /// [`Error::Internal`] for an item without attributes.
    pub fn put_action(&self, item: Item, replaced: Replaced<'_>) -> Result<TransactWriteItem> {
        let put = self.put_of(item, replaced)?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    fn put_of(&self, item: Item, replaced: Replaced<'_>) -> Result<Put> {
        let put = Put::builder().table_name(self.table()).set_item(Some(item));
        let put = match replaced {
            Replaced::Anything => put,
            Replaced::Nothing => put.condition_expression("attribute_not_exists(pk)"),
            Replaced::With(attribute, value) => put
                .condition_expression("#attribute = :value")
                .expression_attribute_names("#attribute", attribute)
                .expression_attribute_values(":value", value),
            Replaced::Open => put
                .condition_expression("attribute_not_exists(pk) OR #status IN (:pending, :running)")
                .expression_attribute_names("#status", "status")
                .expression_attribute_values(":pending", text(Status::Pending.as_str()))
                .expression_attribute_values(":running", text(Status::Running.as_str())),
        };
        put.build().map_err(Error::internal)
    }

    /// Writes all of these or, where a condition among them does not hold, none.
    /// Returns whether they are written.
    ///
    /// # Errors
    /// Those of the engine; [`Error::Throttled`] when others go on writing to these
    /// items.
    pub async fn write_together(&self, actions: Vec<TransactWriteItem>) -> Result<bool> {
        Ok(self.try_together(actions).await?.is_empty())
    }

    /// The same. Returns of each action whether its condition does not hold, and nothing
    /// where all are written.
    async fn try_together(&self, actions: Vec<TransactWriteItem>) -> Result<Vec<bool>> {
        for wait in backoff() {
            let Err(error) = self.transact(actions.clone()).await else {
                return Ok(Vec::new());
            };
            let failed = failed_conditions(&error);
            if failed.contains(&true) {
                return Ok(failed);
            }
            if error.code() != Some("TransactionCanceledException") {
                return Err(from_sdk(error));
            }
            // Another write was in the way.
            tokio::time::sleep(wait).await;
        }
        Err(Error::Throttled(
            "others keep writing to these items".into(),
        ))
    }

    /// Writes all of these or none.
    ///
    /// # Errors
    /// The engine's own: which condition failed, and whether another
    /// transaction was in the way, is for the caller to tell.
    pub async fn transact(
        &self,
        actions: Vec<TransactWriteItem>,
    ) -> std::result::Result<(), SdkError<TransactWriteItemsError>> {
        let answer = self
            .client
            .transact_write_items()
            .set_transact_items(Some(actions))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await?;
        for table in answer.consumed_capacity() {
            self.count(Some(table), 0);
        }
        Ok(())
    }

    /// Reads one page of a range: at most `limit` items, at most 1 MB.
    ///
    /// # Errors
    /// Those of the engine; [`Error::InvalidNextToken`] when it refuses `start`.
    pub async fn query(
        &self,
        range: &Range,
        start: Option<StartKey>,
        limit: usize,
    ) -> Result<Page> {
        let has_start = start.is_some();
        let answer = self
            .query_request(range, start, limit)
            .send()
            .await
            .map_err(|error| match error.code() {
                // What is left to refuse in our own query is the start key.
                Some("ValidationException") if has_start => {
                    Error::InvalidNextToken("The token is of another query.")
                }
                _ => from_sdk(error),
            })?;
        let evaluated = usize::try_from(answer.scanned_count).unwrap_or_default();
        self.count(answer.consumed_capacity(), evaluated);
        Ok(Page {
            evaluated,
            items: answer.items.unwrap_or_default(),
            last_key: answer.last_evaluated_key.filter(|key| !key.is_empty()),
        })
    }

    fn query_request(
        &self,
        range: &Range,
        start: Option<StartKey>,
        limit: usize,
    ) -> QueryFluentBuilder {
        range
            .apply_to(self.client.query())
            .table_name(self.table())
            .set_exclusive_start_key(start)
            .limit(i32::try_from(limit.clamp(1, MAX_ITEMS_A_QUERY)).unwrap_or(1))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
    }

    /// Reads a page of a list: `size` items that `keep` accepts, or all that
    /// are left. Where the read budget ([`MAX_QUERIES_A_PAGE`],
    /// [`MAX_ITEMS_A_PAGE`]) ends first, a shorter page with a token.
    ///
    /// # Errors
    /// Those of the engine; [`Error::InvalidNextToken`] for a token that this
    /// range did not mint.
    pub async fn list(
        &self,
        range: &Range,
        token: Option<&str>,
        size: usize,
        keep: impl Fn(&Item) -> bool,
    ) -> Result<Listing> {
        // One more than asked for says whether there is a next page: the token
        // of DynamoDB itself also stands on a last page that is full.
        let wanted = size + 1;
        let mut start = token.map(|token| cursor::read(range, token)).transpose()?;
        let mut items = Vec::with_capacity(wanted);
        let (mut evaluated, mut limit) = (0, wanted);
        for _ in 0..MAX_QUERIES_A_PAGE {
            let page = self.query(range, start, limit).await?;
            evaluated += page.evaluated;
            let had = items.len();
            items.extend(page.items.into_iter().filter(&keep));
            let dropped_any = items.len() - had < page.evaluated;
            if items.len() > size {
                items.truncate(size);
                let next_token = items.last().map(|item| cursor::mint(range, item));
                return Ok(Listing {
                    next_token: next_token.transpose()?,
                    items,
                });
            }
            start = page.last_key;
            if start.is_none() || evaluated >= MAX_ITEMS_A_PAGE {
                break;
            }
            // Where items are dropped, by a filter or because they have expired,
            // there may be many of them: read on in ever larger strides.
            limit = match dropped_any {
                true => (limit * 4).min(MAX_ITEMS_A_PAGE / 4),
                false => wanted - items.len(),
            };
        }
        // All that lies before the last key read was returned or filtered out,
        // so a page that the budget cut short goes on from there.
        let next_token = start.map(|key| cursor::mint(range, &key)).transpose()?;
        Ok(Listing { items, next_token })
    }

    /// Of the items of a range that `keep` accepts, `enough` after the first
    /// `skip`, or all that are left, however many requests that takes: for ranges
    /// whose bounds keep them short.
    ///
    /// # Errors
    /// Those of the engine.
    pub async fn take(
        &self,
        range: &Range,
        mut start: Option<StartKey>,
        mut skip: usize,
        enough: usize,
        keep: impl Fn(&Item) -> bool,
    ) -> Result<Vec<Item>> {
        let mut items = Vec::new();
        while items.len() < enough {
            // With a filter, the number of items to read says little about how
            // many come of it.
            let limit = match range.has_filters() {
                true => MAX_ITEMS_A_QUERY,
                false => skip + enough - items.len(),
            };
            let page = self.query(range, start, limit).await?;
            let mut kept: Vec<_> = page.items.into_iter().filter(&keep).collect();
            let skipped = skip.min(kept.len());
            skip -= skipped;
            items.extend(kept.drain(skipped..));
            start = page.last_key;
            if start.is_none() {
                break;
            }
        }
        items.truncate(enough);
        Ok(items)
    }

    /// All items of a range, for ranges that are known to be short.
    ///
    /// # Errors
    /// Those of the engine.
    pub async fn all(&self, range: &Range) -> Result<Vec<Item>> {
        let mut items = Vec::new();
        self.for_each(range, |item| items.push(item)).await?;
        Ok(items)
    }

    /// Hands out all items of a range, a page of which is in memory at a time.
    ///
    /// # Errors
    /// Those of the engine.
    pub async fn for_each(&self, range: &Range, mut look: impl FnMut(Item)) -> Result<()> {
        let mut start = None;
        loop {
            let page = self.query(range, start, MAX_ITEMS_A_QUERY).await?;
            page.items.into_iter().for_each(&mut look);
            start = page.last_key;
            if start.is_none() {
                return Ok(());
            }
        }
    }

    /// Reads one page of the executions of a team, newest first, or of all teams, in no
    /// order: at most 1 MB. Of each only these attributes.
    ///
    /// # Errors
    /// Those of the engine.
    pub async fn runs(
        &self,
        team_id: Option<&TeamId>,
        only: &'static [&'static str],
        start: Option<StartKey>,
    ) -> Result<Page> {
        if let Some(team_id) = team_id {
            let range = Range::index(&BY_TEAM, [team_id.to_string()]).only(only);
            return self.query(&range, start, MAX_ITEMS_A_QUERY).await;
        }
        let mut request = self.client.scan().index_name(BY_TEAM.name);
        let names: Vec<_> = (0..only.len())
            .map(|position| format!("#a{position}"))
            .collect();
        for (name, attribute) in names.iter().zip(only) {
            request = request.expression_attribute_names(name, *attribute);
        }
        let request = request.projection_expression(names.join(", "));
        self.scan_page(request, start).await
    }

    /// Reads one page of the whole table, at most 1 MB: the items of a partition come one
    /// after another, in the order of their sort keys.
    ///
    /// # Errors
    /// Those of the engine.
    pub async fn scan(&self, start: Option<StartKey>) -> Result<Page> {
        self.scan_page(self.client.scan(), start).await
    }

    async fn scan_page(&self, request: ScanFluentBuilder, start: Option<StartKey>) -> Result<Page> {
        let answer = request
            .table_name(self.table())
            .set_exclusive_start_key(start)
            .limit(i32::try_from(MAX_ITEMS_A_QUERY).unwrap_or(i32::MAX))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(from_sdk)?;
        let evaluated = usize::try_from(answer.scanned_count).unwrap_or_default();
        self.count(answer.consumed_capacity(), evaluated);
        Ok(Page {
            evaluated,
            items: answer.items.unwrap_or_default(),
            last_key: answer.last_evaluated_key.filter(|key| !key.is_empty()),
        })
    }

    /// Counts the items of a range that its filters leave, up to `most` that are
    /// read, without fetching them. Also tells where the counting ended; `None`
    /// at the range's end.
    ///
    /// # Errors
    /// Those of the engine.
    pub async fn count_items(
        &self,
        range: &Range,
        start: Option<StartKey>,
        most: usize,
    ) -> Result<(usize, Option<StartKey>)> {
        let answer = self
            .query_request(range, start, most)
            .select(Select::Count)
            .send()
            .await
            .map_err(from_sdk)?;
        let evaluated = usize::try_from(answer.scanned_count).unwrap_or_default();
        self.count(answer.consumed_capacity(), evaluated);
        let count = usize::try_from(answer.count).unwrap_or_default();
        Ok((
            count,
            answer.last_evaluated_key.filter(|key| !key.is_empty()),
        ))
    }

    /// Adds a request to the meter.
    pub(crate) fn count(&self, capacity: Option<&ConsumedCapacity>, items_read: usize) {
        let units = capacity
            .and_then(|capacity| capacity.capacity_units)
            .unwrap_or_default();
        self.meter.requests.fetch_add(1, Ordering::Relaxed);
        self.meter
            .items_read
            .fetch_add(items_read as u64, Ordering::Relaxed);
        self.meter
            .milli_units
            .fetch_add((units * 1_000.0) as u64, Ordering::Relaxed);
    }
}

/// The full key of an item of the table itself.
pub fn key(pk: impl Into<String>, sk: impl Into<String>) -> HashMap<String, AttributeValue> {
    [
        (PARTITION_KEY.to_owned(), text(pk)),
        (SORT_KEY.to_owned(), text(sk)),
    ]
    .into()
}

/// Whether a write was refused because its condition did not hold.
fn fails_its_condition<T, E, R>(answer: &std::result::Result<T, SdkError<E, R>>) -> bool
where
    E: ProvideErrorMetadata,
{
    let code = answer.as_ref().err().and_then(|error| error.code());
    code == Some("ConditionalCheckFailedException")
}

/// Of each action of a transaction that was refused, whether its condition did not hold.
fn failed_conditions(error: &SdkError<TransactWriteItemsError>) -> Vec<bool> {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
        error.as_service_error()
    else {
        return Vec::new();
    };
    let reasons = cancelled.cancellation_reasons().iter();
    reasons
        .map(|reason| reason.code() == Some("ConditionalCheckFailed"))
        .collect()
}

/// Tells what a failed request means for a caller. The SDK has already retried
/// what is worth retrying.
pub fn from_sdk<E>(error: SdkError<E>) -> Error
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    const THROTTLES: [&str; 6] = [
        "ProvisionedThroughputExceededException",
        // Another's, which has the item.
        "TransactionConflictException",
        // Our own, whose answer was lost.
        "TransactionInProgressException",
        "RequestLimitExceeded",
        "ThrottlingException",
        "LimitExceededException",
    ];
    const OUTAGES: [&str; 4] = [
        "InternalServerError",
        "ServiceUnavailable",
        // New credentials come by themselves.
        "ExpiredToken",
        "ExpiredTokenException",
    ];
    let is_of = |codes: &[&str]| error.code().is_some_and(|code| codes.contains(&code));
    if is_of(&THROTTLES) {
        return Error::Throttled(error.into());
    }
    let status = error.raw_response().map(|raw| raw.status().as_u16());
    match &error {
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => {
            Error::Unavailable(error.into())
        }
        _ if is_of(&OUTAGES) => Error::Unavailable(error.into()),
        // Of a proxy, without DynamoDB's own code; or a success that cannot be read, as
        // what carried it has broken off.
        _ if status.is_some_and(|status| !(300..500).contains(&status)) => {
            Error::Unavailable(error.into())
        }
        _ if error.code() == Some("ValidationException") => Error::Refused(error.into()),
        _ => Error::Internal(error.into()),
    }
}
