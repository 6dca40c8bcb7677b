//! The embedded DynamoDB: the crate `dynoxide-rs`, on a file or in memory.
//!
//! Flowtrail's own store reaches it through an ordinary SDK client whose HTTP
//! connector ends here, in the process; flow engines reach it through the wire
//! endpoint ([`wire`]). Both go through one dispatch.
//!
//! On a file every acknowledged write is on disk (SQLite's write-ahead log with
//! `synchronous=FULL`): it survives `kill -9` and the loss of power.

use std::path::Path;
use std::sync::{Arc, Mutex};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::SharedCredentialsProvider;
use dynoxide::{Database, DynoxideError, ImportOptions};
use serde_json::Value;
use shared::config;
use tokio::sync::Notify;

use dispatch::{Answer, dispatch};
use readers::Readers;

mod connector;
mod dispatch;
mod readers;
mod upkeep;
pub mod wire;

/// An embedded DynamoDB. Clones are the same database.
#[derive(Clone)]
pub struct Embedded {
    database: Database,
    /// What reads past the engine's lock. `None` in memory, where there is one connection.
    readers: Option<Readers>,
    /// A second connection to the same file, for what the engine does not do
    /// itself. `None` in memory.
    upkeep: Option<Arc<Mutex<rusqlite::Connection>>>,
    /// Told when the engine has panicked.
    failure: Arc<Notify>,
}

impl std::fmt::Debug for Embedded {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Embedded").finish_non_exhaustive()
    }
}

/// Why an embedded database does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The engine refuses the file.
    #[error("{0}")]
    Engine(#[from] DynoxideError),
    /// SQLite refuses the file.
    #[error("{0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The file is a database, and parts of it are destroyed.
    #[error("{0}")]
    Damaged(String),
}

/// Why items are not imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The engine refuses them.
    #[error("{0}")]
    Engine(#[from] DynoxideError),
    /// The engine has panicked.
    #[error("{0}")]
    Failed(#[from] EngineFailed),
    /// A value is no item.
    #[error("{0}")]
    NoItem(#[from] serde_dynamo::Error),
    /// A value is no item's JSON.
    #[error("{0}")]
    NoJson(#[from] serde_json::Error),
}

/// The engine has panicked.
#[derive(Debug, thiserror::Error)]
#[error("the embedded engine has failed")]
pub struct EngineFailed;

impl Embedded {
    /// Opens the database in a file, or makes it.
    ///
    /// # Errors
    /// The file cannot be written, or is not an undamaged database.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let database = Database::new(&path.to_string_lossy())?;
        let connection = upkeep::connect(path)?;
        Ok(Self {
            database,
            readers: Some(Readers::open(path)?),
            upkeep: Some(Arc::new(Mutex::new(connection))),
            failure: Arc::default(),
        })
    }

    /// A database in memory, which ends with the process.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn in_memory() -> Result<Self, OpenError> {
        let database = Database::memory()?;
        // Nothing but the engine reaches into its memory: the index that keeps
        // its writes fast comes with a copy of an empty file that has it.
        let template = std::env::temp_dir().join(format!("flowtrail-{}.db", uuid::Uuid::now_v7()));
        let copied = Self::open(&template)
            .and_then(|_closed| Ok(database.restore_from(&template.to_string_lossy())?));
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{suffix}", template.display()));
        }
        copied?;
        Ok(Self {
            database,
            readers: None,
            upkeep: None,
            failure: Arc::default(),
        })
    }

    /// An SDK client of this database, with no socket in between.
    pub fn client(&self) -> Client {
        Client::new(&self.sdk_config())
    }

    /// An SDK client of this database's streams, likewise.
    pub fn streams_client(&self) -> aws_sdk_dynamodbstreams::Client {
        aws_sdk_dynamodbstreams::Client::new(&self.sdk_config())
    }

    fn sdk_config(&self) -> SdkConfig {
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("local"))
            .credentials_provider(SharedCredentialsProvider::new(config::local_credentials()))
            .endpoint_url("http://embedded.invalid")
            .http_client(connector::Connector::new(self.clone()))
            .timeout_config(config::timeouts())
            .retry_config(config::retries())
            .build()
    }

    /// Writes many items at once past the SDK, as plain JSON, with their records
    /// in the stream: for tests and measurements that need millions. All of
    /// them, or none.
    ///
    /// # Errors
    /// Those of the engine, and of values that are no items.
    pub async fn import(&self, table: &str, items: Vec<Value>) -> Result<(), ImportError> {
        self.import_with(table, items, true).await
    }

    /// The same without records in the stream, so that nothing counts them.
    ///
    /// # Errors
    /// Those of [`Self::import`].
    pub async fn import_silently(&self, table: &str, items: Vec<Value>) -> Result<(), ImportError> {
        self.import_with(table, items, false).await
    }

    async fn import_with(
        &self,
        table: &str,
        items: Vec<Value>,
        record_streams: bool,
    ) -> Result<(), ImportError> {
        let items = items
            .into_iter()
            .map(|item| {
                let item: serde_dynamo::Item = serde_dynamo::to_item(item)?;
                let item: dynoxide::Item = serde_json::from_value(serde_json::to_value(item)?)?;
                Ok(item)
            })
            .collect::<Result<Vec<_>, ImportError>>()?;
        let (database, table) = (self.database.clone(), table.to_owned());
        let options = ImportOptions {
            record_streams,
            ..ImportOptions::default()
        };
        let imported = self.blocking(move || database.import_items(&table, items, options));
        imported.await??;
        Ok(())
    }

    /// Removes the stream's records of more than a day ago, and what has expired,
    /// as DynamoDB does by itself; in this order, so that a checkpoint that has
    /// expired never outlives the records that it stands for. What cannot be removed now is left to
    /// the next time.
    ///
    /// # Errors
    /// The engine has failed; see [`Self::failed`].
    pub async fn upkeep(&self) -> Result<(), EngineFailed> {
        let embedded = self.clone();
        let done = self.blocking(move || -> Result<(), OpenError> {
            if let Some(connection) = &embedded.upkeep
                && let Ok(connection) = connection.lock()
            {
                upkeep::trim_stream(&connection)?;
            }
            embedded.database.sweep_ttl()?;
            Ok(())
        });
        if let Err(error) = done.await? {
            tracing::warn!(error = %error, "what has expired was not removed");
        }
        Ok(())
    }

    /// Removes the records that the counters leave in the stream, from that id on.
    /// Nobody reads them, and on a busy day they would be gigabytes. Returns
    /// where to go on the next time.
    ///
    /// # Errors
    /// The engine has failed; see [`Self::failed`].
    pub async fn trim_counters(&self, from: i64) -> Result<i64, EngineFailed> {
        let Some(connection) = self.upkeep.clone() else {
            return Ok(from);
        };
        let trimmed = self.blocking(move || match connection.lock() {
            Ok(connection) => upkeep::trim_counters(&connection, from),
            Err(_) => Ok(from),
        });
        Ok(trimmed.await?.unwrap_or_else(|error| {
            tracing::warn!(error = %error, "the stream was not trimmed");
            from
        }))
    }

    /// Ends when the engine has panicked. It is of no use from then on, as its
    /// lock is poisoned; its file is whole, and another process can open it.
    pub async fn failed(&self) {
        self.failure.notified().await;
    }

    /// One request as on the wire: the `x-amz-target` header and the body.
    async fn request(
        &self,
        target: String,
        body: impl AsRef<[u8]> + Send + 'static,
    ) -> Result<Answer, EngineFailed> {
        if let Some(readers) = &self.readers {
            if readers::is_read(&target)
                && let Some(reader) = readers.reader().await
            {
                let read = move || {
                    let database = reader.database()?;
                    Some(dispatch(database, &target, body.as_ref()))
                };
                return self.blocking(read).await?.ok_or(EngineFailed);
            }
            if readers::is_definition(&target) {
                return self.define(readers, target, body).await;
            }
        }
        let database = self.database.clone();
        self.blocking(move || dispatch(&database, &target, body.as_ref()))
            .await
    }

    /// A request that changes a table's definition, which readers keep in memory.
    async fn define(
        &self,
        readers: &Readers,
        target: String,
        body: impl AsRef<[u8]> + Send + 'static,
    ) -> Result<Answer, EngineFailed> {
        let held = readers.hold().await.ok_or(EngineFailed)?;
        let database = self.database.clone();
        let defined = self.blocking(move || {
            let answer = dispatch(&database, &target, body.as_ref());
            held.reopen().map(|()| answer)
        });
        defined.await?.map_err(|error| {
            tracing::error!(%error, "the embedded engine has failed");
            self.failure.notify_one();
            EngineFailed
        })
    }

    /// Runs what waits for SQLite where waiting does no harm.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, EngineFailed> {
        tokio::task::spawn_blocking(work).await.map_err(|panic| {
            tracing::error!(error = %panic, "the embedded engine has failed");
            self.failure.notify_one();
            EngineFailed
        })
    }
}
