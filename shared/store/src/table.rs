//! The definition of the table, the only one in code. `template.yaml` has the same definition for
//! CloudFormation, and a test compares them.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::create_table::CreateTableError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType,
    PointInTimeRecoverySpecification, Projection, ProjectionType, ScalarAttributeType,
    StreamSpecification, StreamViewType, TableStatus, TimeToLiveSpecification,
};
use format::attributes::{
    CREATED_AT, DEVICE_ID, FLOW_ID, PARENT_EXECUTION_ID, PARTITION_KEY, SORT_KEY, STATUS, TEAM_ID,
    TIME_TO_LIVE, text,
};
use format::{Error, Result};

/// A global secondary index. Its key consists of the records' own attributes, so a writer that sets
/// `status` also moves the record in every index. An item that lacks one of the attributes is not
/// in the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Index {
    /// The name of the index.
    pub name: &'static str,
    /// The attributes of its partition key. `teamId` is always the first, so a query cannot read
    /// another team's records.
    pub partition: &'static [&'static str],
}

/// The runs of a flow.
pub const BY_FLOW: Index = Index {
    name: "by-flow",
    partition: &[TEAM_ID, FLOW_ID],
};
/// The runs of a flow with a status.
pub const BY_FLOW_STATUS: Index = Index {
    name: "by-flow-status",
    partition: &[TEAM_ID, FLOW_ID, STATUS],
};
/// The runs of a team.
pub const BY_TEAM: Index = Index {
    name: "by-team",
    partition: &[TEAM_ID],
};
/// The runs of a team with a status.
pub const BY_TEAM_STATUS: Index = Index {
    name: "by-team-status",
    partition: &[TEAM_ID, STATUS],
};
/// The runs of a device.
pub const BY_DEVICE: Index = Index {
    name: "by-device",
    partition: &[TEAM_ID, DEVICE_ID],
};
/// The sub-flows of a run.
pub const BY_PARENT: Index = Index {
    name: "by-parent",
    partition: &[TEAM_ID, PARENT_EXECUTION_ID],
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

/// Every attribute that is part of a key, in the order of first use. All of them are texts.
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

/// Creates the table, and returns when it can be used: with its indexes, a stream of old and new
/// images, time to live, on-demand billing, deletion protection, and point-in-time recovery if the
/// engine supports it. Returns whether this call created the table.
///
/// An existing table with this name is left unchanged, except that time to live and recovery are
/// switched on, because an interrupted call may have left them off.
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
    // A table that can be read is active. Describing the table instead would make the embedded
    // engine count all items.
    let created = if exists(client, table).await? {
        false
    } else {
        let created = match definition.send().await {
            Ok(_) => true,
            Err(error) => match error.as_service_error() {
                Some(CreateTableError::ResourceInUseException(_)) => false,
                _ => return Err(crate::from_sdk(error)),
            },
        };
        wait_until_active(client, table).await?;
        created
    };
    enable_time_to_live(client, table).await?;
    enable_point_in_time_recovery(client, table).await?;
    Ok(created)
}

/// Returns whether a table with this name exists.
pub async fn exists(client: &Client, table: &str) -> Result<bool> {
    let probe = client
        .get_item()
        .table_name(table)
        .key(PARTITION_KEY, text(format::keys::DEMO))
        .key(SORT_KEY, text(format::keys::DEMO));
    match probe.send().await {
        Ok(_) => Ok(true),
        Err(error) if error.code() == Some("ResourceNotFoundException") => Ok(false),
        Err(error) => Err(crate::from_sdk(error)),
    }
}

async fn wait_until_active(client: &Client, table: &str) -> Result<()> {
    // AWS takes about 10 seconds for a table with six indexes.
    const DEADLINE: Duration = Duration::from_secs(300);
    const POLL_INTERVAL: Duration = Duration::from_millis(50);
    let active = async {
        loop {
            let description = client.describe_table().table_name(table).send().await;
            let status = description
                .map_err(crate::from_sdk)?
                .table
                .and_then(|table| table.table_status);
            if status == Some(TableStatus::Active) {
                return Ok(());
            }
            tokio::time::sleep(POLL_INTERVAL).await;
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
        .map_err(crate::from_sdk)?;
    // AWS refuses to switch on time to live again.
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
        .map_err(crate::from_sdk)?;
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
        // Neither the embedded engine nor DynamoDB Local supports backups.
        Err(error) if error.code() == Some("UnknownOperationException") => Ok(()),
        Err(error) => Err(crate::from_sdk(error)),
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
