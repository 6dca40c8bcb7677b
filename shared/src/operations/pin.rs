//! Pinning a run: it stays until it is unpinned, whatever would let it expire.

use std::time::Duration;

use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};
use tokio::time::timeout;

use super::read_own;
use crate::audit::{Action, Entry};
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::keys;
use crate::model::{ExecutionId, Status, Timestamp};
use crate::retention::settle_children;
use crate::store::{Store, key};
use crate::table::{PINNED_AT, PINNED_BY, TIME_TO_LIVE, text};

/// How often a run is read again that has changed between the reading and the write.
const MAX_ATTEMPTS: usize = 5;

/// How long a request works on the steps and payloads of the run that it pins. What is
/// left the stream's consumer does.
const CHILDREN_TIME: Duration = Duration::from_secs(10);

/// What became of pinning a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pinned {
    /// The run is pinned: now, or it was before.
    Since {
        /// When it was pinned. `None` where the record has no time for it.
        at: Option<Timestamp>,
        /// By whom.
        by: Option<String>,
    },
    /// The run has yet to end; `None` where the record has a word of no state. An engine
    /// writes it as it knows it, and it does not expire before.
    NotEnded(Option<Status>),
}

/// Pins a run that has ended. It loses its `expiresAt`, and so do its steps and payloads.
///
/// # Errors
/// [`Error::ExecutionNotFound`]; [`Error::Forbidden`] for a run of a flow that the caller
/// is kept from; and those of the table.
pub async fn pin_execution(
    store: &Store,
    caller: &Caller,
    execution_id: &ExecutionId,
) -> Result<Pinned> {
    for _ in 0..MAX_ATTEMPTS {
        let execution = read_own(store, caller, execution_id).await?;
        if !execution.status.is_some_and(Status::is_terminal) {
            return Ok(Pinned::NotEnded(execution.status));
        }
        if execution.is_pinned {
            return Ok(Pinned::Since {
                at: execution.pinned_at,
                by: execution.pinned_by,
            });
        }
        let now = Timestamp::now();
        let entry = Entry::new(caller, Action::ExecutionPinned, execution_id.as_str())?;
        let pin = pin(store, caller, execution_id, now)?;
        if entry.record_with(store, vec![pin]).await? {
            keep_children(store, execution_id).await;
            return Ok(Pinned::Since {
                at: Some(now),
                by: Some(caller.principal.clone()),
            });
        }
    }
    Err(Error::Unavailable("the run keeps changing".into()))
}

/// The write that pins a run, which must neither be pinned nor be gone.
fn pin(
    store: &Store,
    caller: &Caller,
    execution_id: &ExecutionId,
    now: Timestamp,
) -> Result<TransactWriteItem> {
    let second = AttributeValue::N(now.seconds().to_string());
    let update = update_of(store, execution_id)
        .update_expression("SET #at = :now, #by = :by REMOVE #expiry")
        // Holds as well where there is none.
        .condition_expression(
            "attribute_exists(pk) AND attribute_not_exists(#at) AND NOT #expiry <= :second",
        )
        .expression_attribute_names("#expiry", TIME_TO_LIVE)
        .expression_attribute_values(":now", text(now.to_string()))
        .expression_attribute_values(":by", text(&caller.principal))
        .expression_attribute_values(":second", second);
    action(update.build())
}

/// Lets a run's steps and payloads stay with it, at once as far as time reaches.
async fn keep_children(store: &Store, execution_id: &ExecutionId) {
    let pk = keys::execution_partition(execution_id);
    match timeout(CHILDREN_TIME, settle_children(store, &pk)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            let error = error.with_causes();
            tracing::warn!(%execution_id, error, "the records of a pinned run follow later");
        }
        Err(_) => tracing::warn!(%execution_id, "the records of a pinned run follow later"),
    }
}

/// Unpins a run, if it is pinned. The rules of retention hold for it again, a moment later,
/// and leave it a day at least.
///
/// # Errors
/// Those of [`pin_execution`].
pub async fn unpin_execution(
    store: &Store,
    caller: &Caller,
    execution_id: &ExecutionId,
) -> Result<()> {
    for _ in 0..MAX_ATTEMPTS {
        if !read_own(store, caller, execution_id).await?.is_pinned {
            return Ok(());
        }
        let entry = Entry::new(caller, Action::ExecutionUnpinned, execution_id.as_str())?;
        let update = update_of(store, execution_id)
            .update_expression("REMOVE #at, #by")
            .condition_expression("attribute_exists(#at)");
        if entry
            .record_with(store, vec![action(update.build())?])
            .await?
        {
            return Ok(());
        }
    }
    Err(Error::Unavailable("the run keeps changing".into()))
}

fn update_of(store: &Store, execution_id: &ExecutionId) -> UpdateBuilder {
    let key = key(keys::execution_partition(execution_id), keys::EXECUTION);
    Update::builder()
        .table_name(store.table())
        .set_key(Some(key))
        .expression_attribute_names("#at", PINNED_AT)
        .expression_attribute_names("#by", PINNED_BY)
}

fn action(update: std::result::Result<Update, BuildError>) -> Result<TransactWriteItem> {
    let update = update.map_err(Error::internal)?;
    Ok(TransactWriteItem::builder().update(update).build())
}
