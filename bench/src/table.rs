//! The tables that are measured: embedded ones, each in a folder of its own as
//! `flowtrail serve` keeps it, or tables of their own at another DynamoDB.

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

/// How many batches are written at a time to a table that is not embedded. DynamoDB
/// Local writes one after another: with eight, some wait for longer than a request may
/// take.
const BATCHES_AT_A_TIME: usize = 2;

/// How long requests may take to a table that is not embedded: DynamoDB Local takes its
/// time while a table is filled and its stream is counted. Servers keep their own limits.
fn patience() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .operation_attempt_timeout(Duration::from_secs(120))
        .operation_timeout(Duration::from_secs(300))
        .build()
}

/// Where the tables are.
#[derive(Debug, Clone)]
pub struct Place {
    /// The folder that the embedded ones lie in.
    pub folder: PathBuf,
    /// The DynamoDB that is measured in place of the embedded one.
    pub endpoint_url: Option<String>,
}

/// A table that is closed: nobody has its file open.
#[derive(Debug, Clone)]
pub struct Table {
    /// The folder of an embedded table.
    pub folder: PathBuf,
    /// The address of another.
    pub endpoint_url: Option<String>,
    /// Its name.
    pub name: String,
}

/// A table that this process has open.
pub struct OpenTable {
    client: Client,
    streams: aws_sdk_dynamodbstreams::Client,
    name: String,
    /// Of an embedded one alone.
    embedded: Option<(DataFolder, Embedded)>,
}

impl Place {
    /// The same with embedded tables.
    pub fn embedded(&self) -> Self {
        Self {
            endpoint_url: None,
            ..self.clone()
        }
    }

    /// Makes a table.
    ///
    /// # Errors
    /// It cannot be made.
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
    /// Opens the table for this process alone.
    ///
    /// # Errors
    /// Its file is in use, or cannot be read.
    pub async fn open(&self) -> Result<OpenTable, Failure> {
        let name = self.name.clone();
        if self.endpoint_url.is_some() {
            let config = config::sdk_config(self.endpoint_url.as_deref()).await;
            let config = config.into_builder().timeout_config(patience()).build();
            return Ok(OpenTable {
                client: Client::new(&config),
                streams: aws_sdk_dynamodbstreams::Client::new(&config),
                name,
                embedded: None,
            });
        }
        let Holder::Us(folder) = DataFolder::open(&self.folder).await? else {
            return Err(Failure("A table of the measurement is in use.".to_owned()));
        };
        let embedded = folder.open_database()?;
        Ok(OpenTable {
            client: embedded.client(),
            streams: embedded.streams_client(),
            name,
            embedded: Some((folder, embedded)),
        })
    }

    /// Removes a table that is not embedded; the folder of another goes with its
    /// parent.
    ///
    /// # Errors
    /// Those of DynamoDB.
    pub async fn remove(&self) -> Result<(), Failure> {
        if self.endpoint_url.is_none() {
            return Ok(());
        }
        let client = self.open().await?.client;
        let unprotect = client.update_table().table_name(&self.name);
        match unprotect.deletion_protection_enabled(false).send().await {
            Ok(_) => {}
            // An engine that does not know of it.
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
    /// A store over the table.
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

    /// A consumer of the table's stream that counts.
    pub fn counting(&self) -> Follower {
        Follower::counting(self.streams.clone(), self.store())
    }

    /// Writes items. `silently` they leave no records in an embedded table's stream,
    /// so that nothing follows from them.
    ///
    /// # Errors
    /// Those of DynamoDB.
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
        Ok(store.put_many(items, BATCHES_AT_A_TIME).await?)
    }
}

/// Serves a database to functions in other processes. Returns its address.
///
/// # Errors
/// There is no port.
pub async fn serve_wire(embedded: Embedded) -> Result<String, Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(failure)?;
    let url = format!("http://{}", listener.local_addr().map_err(failure)?);
    tokio::spawn(async move { axum::serve(listener, wire::router(embedded)).await });
    Ok(url)
}
