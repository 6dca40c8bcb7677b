//! Writes many independent items in DynamoDB's batches.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::builders::KeysAndAttributesBuilder;
use aws_sdk_dynamodb::types::{
    DeleteRequest, KeysAndAttributes, PutRequest, ReturnConsumedCapacity, WriteRequest,
};
use format::keys::key;
use format::model::Item;
use format::{Error, Result};
use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};

use crate::Store;
use crate::expression::{Path, Placeholders};
use crate::retry::backoff;
use crate::sdk_error::from_sdk;

/// The most items of one BatchWriteItem.
pub const MAX_ITEMS_A_BATCH: usize = 25;

/// The most batches that one caller writes in parallel.
const MAX_PARALLEL_BATCHES: usize = 4;

/// Items to write by their keys. `None` removes the item.
pub type Writes = BTreeMap<(String, String), Option<Item>>;

/// One entry of [`Writes`].
type KeyedWrite = ((String, String), Option<Item>);

/// The most keys of one BatchGetItem.
pub const MAX_BATCH_KEYS: usize = 100;

impl Store {
    /// Reads the existing items with these keys, in any order.
    ///
    /// # Errors
    /// Returns [`Error::Throttled`] if DynamoDB keeps leaving keys out, and the errors of DynamoDB.
    pub async fn get_all(&self, keys: &[Item]) -> Result<Vec<Item>> {
        let wanted = KeysAndAttributes::builder();
        self.get_batches(keys, &wanted).await
    }

    /// Reads these attributes of the existing items with these keys consistently, in any order.
    ///
    /// # Errors
    /// The errors of [`Self::get_all`].
    pub async fn get_all_latest(&self, keys: &[Item], attributes: &[&str]) -> Result<Vec<Item>> {
        let mut placeholders = Placeholders::default();
        let names = attributes
            .iter()
            .map(|name| placeholders.path(&Path::from(*name)));
        let names: Vec<_> = names.collect();
        let wanted = KeysAndAttributes::builder()
            .consistent_read(true)
            .projection_expression(names.join(","))
            .set_expression_attribute_names(placeholders.names());
        self.get_batches(keys, &wanted).await
    }

    async fn get_batches(
        &self,
        keys: &[Item],
        wanted: &KeysAndAttributesBuilder,
    ) -> Result<Vec<Item>> {
        let batches = keys.chunks(MAX_BATCH_KEYS).map(|some| {
            let wanted = wanted.clone().set_keys(Some(some.to_vec()));
            self.get_batch(wanted).boxed()
        });
        let batches: Vec<_> = batches.collect();
        stream::iter(batches)
            .buffer_unordered(MAX_PARALLEL_BATCHES)
            .try_concat()
            .await
    }

    async fn get_batch(&self, wanted: KeysAndAttributesBuilder) -> Result<Vec<Item>> {
        let wanted = wanted.build().map_err(Error::internal)?;
        let count = wanted.keys.len();
        let mut request = [(self.table().to_owned(), wanted)].into();
        let mut items = Vec::new();
        for wait in backoff() {
            let answer = self
                .client
                .batch_get_item()
                .set_request_items(Some(request))
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await
                .map_err(from_sdk)?;
            self.count(answer.consumed_capacity().first(), count);
            items.extend(answer.responses.unwrap_or_default().into_values().flatten());
            request = answer.unprocessed_keys.unwrap_or_default();
            if request.is_empty() {
                return Ok(items);
            }
            tokio::time::sleep(wait).await;
        }
        Err(Error::Throttled(
            "DynamoDB keeps leaving keys unprocessed".into(),
        ))
    }

    /// Writes up to [`MAX_ITEMS_A_BATCH`] items, replacing existing ones. Items that the table does
    /// not accept are sent again.
    ///
    /// # Errors
    /// Returns [`Error::Throttled`] if the table keeps accepting only a part, and the errors of
    /// DynamoDB.
    pub async fn put_all(&self, items: Vec<Item>) -> Result<()> {
        self.write_batch(items, Vec::new()).await
    }

    /// Writes up to [`MAX_ITEMS_A_BATCH`] items, replacing existing ones, in one attempt. Returns
    /// the items that the table did not accept for now.
    ///
    /// # Errors
    /// Returns [`Error::Refused`] if the table refuses one of the items; none is written then. Also
    /// the errors of DynamoDB.
    pub async fn try_put_all(&self, items: Vec<Item>) -> Result<Vec<Item>> {
        let requests = items.into_iter().map(put_request);
        let left = self.try_write_all(requests.collect::<Result<_>>()?).await?;
        let puts = left.into_iter().filter_map(|request| request.put_request);
        Ok(puts.map(|put| put.item).collect())
    }

    /// Writes any number of items like [`Self::put_all`], with several batches in parallel.
    pub async fn put_many(
        &self,
        items: impl IntoIterator<Item = Item>,
        max_parallel_batches: usize,
    ) -> Result<()> {
        let batches = stream::iter(items).chunks(MAX_ITEMS_A_BATCH);
        batches
            .map(|some| self.put_all(some).boxed())
            .buffer_unordered(max_parallel_batches)
            .try_collect()
            .await
    }

    /// Removes up to [`MAX_ITEMS_A_BATCH`] items by their keys. Removals that the table does not
    /// accept are sent again.
    pub async fn delete_all(&self, keys: Vec<Item>) -> Result<()> {
        self.write_batch(Vec::new(), keys).await
    }

    /// Writes and removes up to [`MAX_ITEMS_A_BATCH`] items in total, each independently. Requests
    /// that the table does not accept are sent again.
    pub async fn write_batch(&self, written: Vec<Item>, removed: Vec<Item>) -> Result<()> {
        let written = written.into_iter().map(put_request);
        let requests = written.chain(removed.into_iter().map(delete_request));
        self.write_all(requests.collect::<Result<_>>()?).await
    }

    /// Writes and removes any number of items, each independently. Returns their number. An item
    /// that the table refuses because of its contents is logged, and does not affect the others.
    pub async fn write_each(&self, writes: Writes) -> Result<usize> {
        let count = writes.len();
        let writes: Vec<_> = writes.into_iter().collect();
        let batches = writes.chunks(MAX_ITEMS_A_BATCH);
        let batches = batches.map(|batch| self.write_accepted(batch).boxed());
        let batches: Vec<_> = batches.collect();
        stream::iter(batches)
            .buffer_unordered(MAX_PARALLEL_BATCHES)
            .try_collect::<()>()
            .await?;
        Ok(count)
    }

    /// Writes a batch. If the table refuses one of its items, writes each item separately.
    async fn write_accepted(&self, batch: &[KeyedWrite]) -> Result<()> {
        match self.write_some(batch).await {
            Err(error) if error.is_caused_by_item() => {}
            other => return other,
        }
        for one in batch {
            match self.write_some(std::slice::from_ref(one)).await {
                Err(error) if error.is_caused_by_item() => {
                    let ((pk, sk), _) = one;
                    let error = error.with_causes();
                    tracing::error!(pk, sk, error, "the table refuses an item");
                }
                other => other?,
            }
        }
        Ok(())
    }

    async fn write_some(&self, batch: &[KeyedWrite]) -> Result<()> {
        let written = batch.iter().filter_map(|(_, item)| item.clone());
        let removed = batch.iter().filter(|(_, item)| item.is_none());
        let removed = removed.map(|((pk, sk), _)| key(pk, sk));
        self.write_batch(written.collect(), removed.collect()).await
    }

    async fn write_all(&self, mut requests: Vec<WriteRequest>) -> Result<()> {
        if requests.is_empty() {
            return Ok(());
        }
        for wait in backoff() {
            match self.try_write_all(requests.clone()).await {
                Ok(left) if left.is_empty() => return Ok(()),
                Ok(left) => requests = left,
                // DynamoDB says so if it accepts nothing of the batch for now.
                Err(Error::Throttled(_)) => {}
                Err(error) => return Err(error),
            }
            tokio::time::sleep(wait).await;
        }
        Err(Error::Throttled(
            "the table keeps accepting only a part of a batch".into(),
        ))
    }

    /// Writes what the table accepts of a batch, in one attempt. Returns the rest.
    async fn try_write_all(&self, requests: Vec<WriteRequest>) -> Result<Vec<WriteRequest>> {
        let answer = self
            .client
            .batch_write_item()
            .request_items(self.table(), requests)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(from_sdk)?;
        self.count(answer.consumed_capacity().first(), 0);
        let mut unprocessed = answer.unprocessed_items.unwrap_or_default();
        Ok(unprocessed.remove(self.table()).unwrap_or_default())
    }
}

fn put_request(item: Item) -> Result<WriteRequest> {
    let put = PutRequest::builder().set_item(Some(item)).build();
    let put = put.map_err(Error::internal)?;
    Ok(WriteRequest::builder().put_request(put).build())
}

fn delete_request(key: Item) -> Result<WriteRequest> {
    let delete = DeleteRequest::builder().set_key(Some(key)).build();
    let delete = delete.map_err(Error::internal)?;
    Ok(WriteRequest::builder().delete_request(delete).build())
}
