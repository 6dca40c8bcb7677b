//! Writing records, as a flow engine does it.

use aws_sdk_dynamodb::types::Update;
use shared::Error;
use shared::model::Item;
use shared::store::{MAX_ITEMS_A_BATCH, Store};
use shared::table::text;

use crate::terminal::Failure;

/// Packs the items of runs into batches, each with the number of runs that end
/// in it.
pub(super) fn batches(runs: Vec<Vec<Item>>) -> Vec<(Vec<Item>, u64)> {
    let mut batches = vec![(Vec::with_capacity(MAX_ITEMS_A_BATCH), 0)];
    for run in runs {
        for item in run {
            let is_full = batches
                .last()
                .is_none_or(|(items, _)| items.len() == MAX_ITEMS_A_BATCH);
            if is_full {
                batches.push((Vec::with_capacity(MAX_ITEMS_A_BATCH), 0));
            }
            if let Some((items, _)) = batches.last_mut() {
                items.push(item);
            }
        }
        if let Some((_, ended)) = batches.last_mut() {
            *ended += 1;
        }
    }
    batches
}

/// Sets attributes of an item that is there and open. An item that has ended,
/// or is gone, stays as it is.
pub(super) async fn end_if_open(
    store: &Store,
    key: Item,
    message: &str,
    end_time: &str,
) -> Result<(), Failure> {
    let update = Update::builder()
        .table_name(store.table())
        .set_key(Some(key))
        .update_expression("SET #status = :failed, errorMessage = :message, endTime = :end")
        .condition_expression("#status IN (:pending, :running)")
        .expression_attribute_names("#status", "status")
        .expression_attribute_values(":failed", text("FAILED"))
        .expression_attribute_values(":pending", text("PENDING"))
        .expression_attribute_values(":running", text("RUNNING"))
        .expression_attribute_values(":message", text(message))
        .expression_attribute_values(":end", text(end_time))
        .build();
    store.update(update.map_err(Error::internal)?).await?;
    Ok(())
}
