//! Checks that the DynamoDB endpoint has what Flowtrail needs, before anything is written.
//!
//! Many programs implement DynamoDB's protocol, and most omit a part of it. Without
//! transactions the counters cannot be exact, without a stream nothing is counted, and
//! without indexes on several attributes there are no lists. Without this check, these
//! problems would appear much later, as wrong totals and empty pages.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use shared::Error;
use shared::store::{Store, from_sdk};
use shared::table::{self, INDEXES, Index};

use crate::terminal::Failure;

/// A team that does not exist in any table, because ids cannot contain `#`.
const NOBODY: &str = "#";

/// Creates the table if it does not exist, as [`table::create`] does. Returns whether this
/// call created it.
///
/// # Errors
/// The endpoint lacks a feature (nothing has been written), or a request fails.
pub async fn create_table(
    store: &Store,
    streams: &aws_sdk_dynamodbstreams::Client,
) -> Result<bool, Failure> {
    require_operations(store, streams).await?;
    let created = table::create(store.client(), store.table()).await;
    let created = created.map_err(|error| match error {
        Error::Refused(_) => unsupported(&format!(
            "indexes whose keys have several attributes (it refuses to create the table: {})",
            error.with_causes()
        )),
        error => error.into(),
    })?;
    require_indexes(store).await?;
    Ok(created)
}

/// Checks the endpoint and the table without writing anything.
///
/// # Errors
/// The endpoint lacks a feature, the table lacks an index, or a request fails.
pub async fn require(
    store: &Store,
    streams: &aws_sdk_dynamodbstreams::Client,
) -> Result<(), Failure> {
    require_operations(store, streams).await?;
    require_indexes(store).await
}

async fn require_operations(
    store: &Store,
    streams: &aws_sdk_dynamodbstreams::Client,
) -> Result<(), Failure> {
    // An empty transaction. An endpoint that supports transactions refuses it as invalid.
    let probe = store.client().transact_write_items();
    let probe = probe.set_transact_items(Some(Vec::new())).send().await;
    if let Err(error) = probe
        && is_unknown(&error)
    {
        return Err(unsupported("transactions (TransactWriteItems)"));
    }
    let probe = streams.list_streams().table_name(store.table()).limit(1);
    if let Err(error) = probe.send().await
        && is_unknown(&error)
    {
        return Err(unsupported("table streams (ListStreams)"));
    }
    Ok(())
}

async fn require_indexes(store: &Store) -> Result<(), Failure> {
    for index in INDEXES {
        let conditions: Vec<_> = (0..index.partition.len())
            .map(|position| format!("#k{position} = :nobody"))
            .collect();
        let mut probe = store
            .client()
            .query()
            .table_name(store.table())
            .index_name(index.name)
            .key_condition_expression(conditions.join(" AND "))
            .expression_attribute_values(":nobody", AttributeValue::S(NOBODY.to_owned()))
            .limit(1);
        for (position, name) in index.partition.iter().enumerate() {
            probe = probe.expression_attribute_names(format!("#k{position}"), *name);
        }
        if let Err(error) = probe.send().await {
            return Err(match from_sdk(error) {
                Error::Refused(_) => missing_index(store.table(), index),
                error => error.into(),
            });
        }
    }
    Ok(())
}

/// Whether the error means that the endpoint does not know the operation, rather than that
/// it refuses this request.
fn is_unknown<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    const UNKNOWN: [&str; 4] = [
        "UnknownOperationException",
        "UnknownOperation",
        "NotImplemented",
        "InvalidAction",
    ];
    match error.code() {
        Some(code) => UNKNOWN.contains(&code),
        None => {
            let status = error.raw_response().map(|answer| answer.status().as_u16());
            matches!(status, Some(404 | 405 | 501))
        }
    }
}

fn unsupported(what: &str) -> Failure {
    Failure(format!(
        "This endpoint does not support {what}, which Flowtrail needs. Nothing was written. Use DynamoDB on \
         AWS, DynamoDB Local 3.3 or later, or the embedded table, without --endpoint-url."
    ))
}

fn missing_index(table: &str, index: Index) -> Failure {
    Failure(format!(
        "The table {table} has no index {} with the partition key {}, which Flowtrail needs. Create \
         a table with: flowtrail table create",
        index.name,
        index.partition.join(", ")
    ))
}
