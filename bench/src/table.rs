//! The measured tables: embedded tables, each in its own folder as in `flowtrail serve`, or
//! tables at another DynamoDB.

use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use local::data_folder::{DataFolder, Holder};
use local::embedded::{Embedded, wire};
use local::follow::Follower;
use local::terminal::Failure;
use serde_json::Value;
use shared::config;
use shared::model::Item;
use shared::store::Store;
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::measure::failure;

/// The table's name in each folder.
pub const TABLE: &str = "flowtrail";

/// The number of concurrent batches to a table that is not embedded. DynamoDB Local writes one
/// batch after another, so with eight, some exceed the timeout of a request.
const CONCURRENT_BATCHES: usize = 2;

/// The timeouts of requests to a table that is not embedded. They are long, because DynamoDB
/// Local is slow while a table is filled and its stream is counted. Servers have their own
/// timeouts.
fn long_timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .operation_attempt_timeout(Duration::from_secs(120))
        .operation_timeout(Duration::from_secs(300))
        .build()
}

/// The location of the tables.
#[derive(Debug, Clone)]
pub struct TableLocation {
    /// The folder of the embedded tables.
    pub folder: PathBuf,
    /// The address of another DynamoDB, which is measured instead of the embedded one.
    pub endpoint_url: Option<String>,
}

/// A table whose file is closed.
#[derive(Debug, Clone)]
pub struct Table {
    /// The folder of an embedded table.
    pub folder: PathBuf,
    /// The address of another DynamoDB.
    pub endpoint_url: Option<String>,
    /// Its name.
    pub name: String,
}

/// A table that is open in this process.
pub struct OpenTable {
    client: Client,
    streams: aws_sdk_dynamodbstreams::Client,
    name: String,
    /// The folder and database of an embedded table.
    embedded: Option<(DataFolder, Embedded)>,
}

impl TableLocation {
    /// The same folder, with embedded tables.
    pub fn embedded(&self) -> Self {
        Self {
            endpoint_url: None,
            ..self.clone()
        }
    }

    /// Creates a table.
    ///
    /// # Errors
    /// Returns an error if the table cannot be created.
    pub async fn create(&self, purpose: &str) -> Result<Table, Failure> {
        let name = match &self.endpoint_url {
            None => TABLE.to_owned(),
            Some(_) => format!("flowtrail-bench-{purpose}-{}", Uuid::now_v7().simple()),
        };
        let table = Table {
            folder: self.folder.join(purpose),
            endpoint_url: self.endpoint_url.clone(),
            name,
        };
        let open = table.open().await?;
        shared::table::create(&open.client, &open.name).await?;
        Ok(table)
    }
}

impl Table {
    /// Opens the table exclusively in this process.
    ///
    /// # Errors
    /// Returns an error if its file is in use or cannot be read.
    pub async fn open(&self) -> Result<OpenTable, Failure> {
        let name = self.name.clone();
        if self.endpoint_url.is_some() {
            let config = config::sdk_config(self.endpoint_url.as_deref()).await;
            let config = config
                .into_builder()
                .timeout_config(long_timeouts())
                .build();
            return Ok(OpenTable {
                client: Client::new(&config),
                streams: aws_sdk_dynamodbstreams::Client::new(&config),
                name,
                embedded: None,
            });
        }
        let Holder::Us(folder) = DataFolder::open(&self.folder).await? else {
            return Err(Failure("the table is in use by another process".to_owned()));
        };
        let embedded = folder.open_database()?;
        Ok(OpenTable {
            client: embedded.client(),
            streams: embedded.streams_client(),
            name,
            embedded: Some((folder, embedded)),
        })
    }

    /// Removes a table that is not embedded. Embedded tables are removed with the parent
    /// folder.
    ///
    /// # Errors
    /// Returns an error if a request of DynamoDB fails.
    pub async fn remove(&self) -> Result<(), Failure> {
        if self.endpoint_url.is_none() {
            return Ok(());
        }
        let client = self.open().await?.client;
        let unprotect = client.update_table().table_name(&self.name);
        match unprotect.deletion_protection_enabled(false).send().await {
            Ok(_) => {}
            // The engine does not support deletion protection.
            Err(error) if error.code() == Some("ValidationException") => {}
            Err(error) => return Err(shared::store::from_sdk(error).into()),
        }
        let delete = client.delete_table().table_name(&self.name).send().await;
        delete.map_err(shared::store::from_sdk)?;
        Ok(())
    }

    /// The folder of an embedded table.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

impl OpenTable {
    /// Creates a store for the table.
    pub fn store(&self) -> Store {
        Store::new(self.client.clone(), &self.name)
    }

    /// The SDK's client.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The database of an embedded table.
    pub fn embedded(&self) -> Option<&Embedded> {
        self.embedded.as_ref().map(|(_, embedded)| embedded)
    }

    /// Creates a consumer that counts the table's stream.
    pub fn follower(&self) -> Follower {
        Follower::counting(self.streams.clone(), self.store())
    }

    /// Writes items. If `silently`, they add no records to an embedded table's stream, so no
    /// consumer processes them.
    ///
    /// # Errors
    /// Returns an error if a write fails.
    pub async fn import(&self, items: Vec<Value>, silently: bool) -> Result<(), Failure> {
        match &self.embedded {
            Some((_, embedded)) if silently => embedded.import_silently(&self.name, items).await,
            Some((_, embedded)) => embedded.import(&self.name, items).await,
            None => return self.write(items).await,
        }
        .map_err(failure)
    }

    async fn write(&self, items: Vec<Value>) -> Result<(), Failure> {
        let store = self.store();
        let items = items.into_iter().map(serde_dynamo::to_item);
        let items: Vec<Item> = items.collect::<Result<_, _>>().map_err(failure)?;
        Ok(store.put_many(items, CONCURRENT_BATCHES).await?)
    }
}

/// Serves a database to other processes. Returns its address.
///
/// # Errors
/// Returns an error if no port is free.
pub async fn serve_wire(embedded: Embedded) -> Result<String, Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(failure)?;
    let url = format!("http://{}", listener.local_addr().map_err(failure)?);
    tokio::spawn(async move { axum::serve(listener, wire::router(embedded)).await });
    Ok(url)
}
