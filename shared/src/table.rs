//! The table's definition, the only one in code. `template.yaml` says the same
//! to CloudFormation, and a test holds the two equal.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::create_table::CreateTableError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType,
    PointInTimeRecoverySpecification, Projection, ProjectionType, ScalarAttributeType,
    StreamSpecification, StreamViewType, TableStatus, TimeToLiveSpecification,
};

use crate::error::{Error, Result};

/// The table's partition key.
pub const PARTITION_KEY: &str = "pk";
/// The table's sort key.
pub const SORT_KEY: &str = "sk";
/// The attribute with the second, since 1970 began, at which DynamoDB removes
/// an item.
pub const TIME_TO_LIVE: &str = "expiresAt";
/// The attribute that says until when a run is to end.
pub const TIMEOUT_AT: &str = "timeoutAt";
/// The attribute with a run's last sign of life.
pub const HEARTBEAT_AT: &str = "heartbeatAt";
/// The attribute that keeps a run from expiring: when it was pinned.
pub const PINNED_AT: &str = "pinnedAt";
/// And by whom.
pub const PINNED_BY: &str = "pinnedBy";
/// The sort key of every index.
pub const CREATED_AT: &str = "createdAt";

/// A global secondary index. Its key is made of the records' own attributes,
/// so a writer that sets `status` has, by that, moved the record in every
/// index. An item that lacks one of them is not in the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Index {
    /// The index's name.
    pub name: &'static str,
    /// The attributes of its partition key. `teamId` leads every one, so a
    /// query cannot reach another team's records.
    pub partition: &'static [&'static str],
}

/// The list of a flow.
pub const BY_FLOW: Index = Index {
    name: "by-flow",
    partition: &["teamId", "flowId"],
};
/// The list of a flow by status.
pub const BY_FLOW_STATUS: Index = Index {
    name: "by-flow-status",
    partition: &["teamId", "flowId", "status"],
};
/// The list of a team.
pub const BY_TEAM: Index = Index {
    name: "by-team",
    partition: &["teamId"],
};
/// The list of a team by status.
pub const BY_TEAM_STATUS: Index = Index {
    name: "by-team-status",
    partition: &["teamId", "status"],
};
/// The list of a device.
pub const BY_DEVICE: Index = Index {
    name: "by-device",
    partition: &["teamId", "deviceId"],
};
/// The sub-flows of a run.
pub const BY_PARENT: Index = Index {
    name: "by-parent",
    partition: &["teamId", "parentExecutionId"],
};

/// Every index, each with the sort key [`CREATED_AT`] and all attributes.
pub const INDEXES: [Index; 6] = [
    BY_FLOW,
    BY_FLOW_STATUS,
    BY_TEAM,
    BY_TEAM_STATUS,
    BY_DEVICE,
    BY_PARENT,
];

/// Every attribute that is part of a key, in the order of its first use. All
/// are text.
pub fn key_attributes() -> Vec<&'static str> {
    let mut names = vec![PARTITION_KEY, SORT_KEY];
    for index in &INDEXES {
        for name in index.partition.iter().copied().chain([CREATED_AT]) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}

/// Creates the table and returns once it can be used: with its indexes, its
/// stream of old and new images, time to live, on-demand billing, deletion
/// protection, and point-in-time recovery where the engine knows it. Returns
/// whether the table was made by this call.
///
/// A table of that name that is there already is left as it is, except that
/// time to live and recovery are switched on, which an interrupted call may have
/// left undone.
///
/// # Errors
/// Those of the engine, as [`Error::Internal`] and its like.
pub async fn create(client: &Client, table: &str) -> Result<bool> {
    let definition = client
        .create_table()
        .table_name(table)
        .set_attribute_definitions(Some(attribute_definitions()?))
        .set_key_schema(Some(key_schema(&[PARTITION_KEY], SORT_KEY)?))
        .set_global_secondary_indexes(Some(indexes()?))
        .billing_mode(BillingMode::PayPerRequest)
        .deletion_protection_enabled(true)
        .stream_specification(
            StreamSpecification::builder()
                .stream_enabled(true)
                .stream_view_type(StreamViewType::NewAndOldImages)
                .build()
                .map_err(Error::internal)?,
        );
    // A table that can be read is active. To ask for its state would have the
    // embedded engine count all of its items.
    let created = if exists(client, table).await? {
        false
    } else {
        let created = match definition.send().await {
            Ok(_) => true,
            Err(error) => match error.as_service_error() {
                Some(CreateTableError::ResourceInUseException(_)) => false,
                _ => return Err(crate::store::from_sdk(error)),
            },
        };
        wait_until_active(client, table).await?;
        created
    };
    enable_time_to_live(client, table).await?;
    enable_point_in_time_recovery(client, table).await?;
    Ok(created)
}

/// Whether a table of that name is there.
///
/// # Errors
/// Those of the engine; a missing table is `Ok(false)`.
pub async fn exists(client: &Client, table: &str) -> Result<bool> {
    let probe = client
        .get_item()
        .table_name(table)
        .key(PARTITION_KEY, text(crate::keys::DEMO))
        .key(SORT_KEY, text(crate::keys::DEMO));
    match probe.send().await {
        Ok(_) => Ok(true),
        Err(error) if error.code() == Some("ResourceNotFoundException") => Ok(false),
        Err(error) => Err(crate::store::from_sdk(error)),
    }
}

/// A text attribute.
pub fn text(value: impl Into<String>) -> aws_sdk_dynamodb::types::AttributeValue {
    aws_sdk_dynamodb::types::AttributeValue::S(value.into())
}

async fn wait_until_active(client: &Client, table: &str) -> Result<()> {
    // AWS takes some 10 seconds for a table with six indexes.
    const DEADLINE: Duration = Duration::from_secs(300);
    const BETWEEN: Duration = Duration::from_millis(50);
    let active = async {
        loop {
            let description = client.describe_table().table_name(table).send().await;
            let status = description
                .map_err(crate::store::from_sdk)?
                .table
                .and_then(|table| table.table_status);
            if status == Some(TableStatus::Active) {
                return Ok(());
            }
            tokio::time::sleep(BETWEEN).await;
        }
    };
    tokio::time::timeout(DEADLINE, active)
        .await
        .map_err(|elapsed| Error::Unavailable(elapsed.into()))?
}

async fn enable_time_to_live(client: &Client, table: &str) -> Result<()> {
    let current = client
        .describe_time_to_live()
        .table_name(table)
        .send()
        .await
        .map_err(crate::store::from_sdk)?;
    // AWS refuses to switch on what is on.
    let attribute = current
        .time_to_live_description
        .and_then(|description| description.attribute_name);
    if attribute.as_deref() == Some(TIME_TO_LIVE) {
        return Ok(());
    }
    let specification = TimeToLiveSpecification::builder()
        .enabled(true)
        .attribute_name(TIME_TO_LIVE)
        .build()
        .map_err(Error::internal)?;
    client
        .update_time_to_live()
        .table_name(table)
        .time_to_live_specification(specification)
        .send()
        .await
        .map_err(crate::store::from_sdk)?;
    Ok(())
}

async fn enable_point_in_time_recovery(client: &Client, table: &str) -> Result<()> {
    let specification = PointInTimeRecoverySpecification::builder()
        .point_in_time_recovery_enabled(true)
        .build()
        .map_err(Error::internal)?;
    let answer = client
        .update_continuous_backups()
        .table_name(table)
        .point_in_time_recovery_specification(specification)
        .send()
        .await;
    match answer {
        Ok(_) => Ok(()),
        // Neither the embedded engine nor DynamoDB Local has backups.
        Err(error) if error.code() == Some("UnknownOperationException") => Ok(()),
        Err(error) => Err(crate::store::from_sdk(error)),
    }
}

fn attribute_definitions() -> Result<Vec<AttributeDefinition>> {
    let definition = |name| {
        AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(ScalarAttributeType::S)
            .build()
            .map_err(Error::internal)
    };
    key_attributes().into_iter().map(definition).collect()
}

fn key_schema(partition: &[&str], sort: &str) -> Result<Vec<KeySchemaElement>> {
    let element = |name: &str, key_type| {
        KeySchemaElement::builder()
            .attribute_name(name)
            .key_type(key_type)
            .build()
            .map_err(Error::internal)
    };
    partition
        .iter()
        .map(|name| element(name, KeyType::Hash))
        .chain([element(sort, KeyType::Range)])
        .collect()
}

fn indexes() -> Result<Vec<GlobalSecondaryIndex>> {
    let index = |index: &Index| {
        GlobalSecondaryIndex::builder()
            .index_name(index.name)
            .set_key_schema(Some(key_schema(index.partition, CREATED_AT)?))
            .projection(
                Projection::builder()
                    .projection_type(ProjectionType::All)
                    .build(),
            )
            .build()
            .map_err(Error::internal)
    };
    INDEXES.iter().map(index).collect()
}
