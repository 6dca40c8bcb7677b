//! The embedded DynamoDB: the crate `dynoxide-rs`, with a file or in memory.
//!
//! Flowtrail's own store uses it through an ordinary SDK client whose HTTP connector calls
//! the engine in this process. Flow engines use it through the wire endpoint ([`wire`]).
//! Both use the same dispatch.
//!
//! With a file, every acknowledged write is on disk (SQLite's write-ahead log with
//! `synchronous=FULL`): it survives `kill -9` and power failures.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::SharedCredentialsProvider;
use dynoxide::{Database, DynoxideError, ImportOptions};
use serde_json::Value;
use shared::config;
use shared::model::Item as Record;
use tokio::sync::{Notify, RwLock, watch};

use dispatch::{Answer, dispatch};
use readers::Readers;

mod batch;
mod bulk;
mod connector;
mod dispatch;
mod items;
mod readers;
mod streams;
mod upkeep;
pub mod wire;

pub use bulk::PUT_RECORDS;
pub use streams::checkpoint_name;

/// An embedded DynamoDB. Clones share the same database.
#[derive(Clone)]
pub struct Embedded {
    database: Database,
    /// Connections that read without the engine's lock. `None` in memory, where there is
    /// only one connection.
    readers: Option<Readers>,
    /// A second connection to the same file, for maintenance that the engine does not do.
    /// `None` in memory.
    upkeep: Option<Arc<Mutex<rusqlite::Connection>>>,
    /// Notified when the engine has panicked.
    failure: Arc<Notify>,
    /// Shared by single writes, and held exclusively by a bulk of records.
    writing: Arc<RwLock<()>>,
    /// The number of requests that have written, or tried to.
    writes: Arc<watch::Sender<u64>>,
    /// The number of requests.
    requests: Arc<AtomicU64>,
}

impl std::fmt::Debug for Embedded {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Embedded").finish_non_exhaustive()
    }
}

/// Why an embedded database cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The engine refuses the file.
    #[error("{0}")]
    Engine(#[from] DynoxideError),
    /// SQLite refuses the file.
    #[error("{0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The file cannot be created.
    #[error("{0}")]
    File(#[from] std::io::Error),
    /// The file is a database, but parts of it are damaged.
    #[error("{0}")]
    Damaged(String),
}

/// Why items were not imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The engine refuses them.
    #[error("{0}")]
    Engine(#[from] DynoxideError),
    /// The engine has panicked.
    #[error("{0}")]
    Failed(#[from] EngineFailed),
    /// A value is not an object.
    #[error("an item must be a JSON object")]
    NoItem,
}

/// The engine has panicked.
#[derive(Debug, thiserror::Error)]
#[error("the embedded engine has failed")]
pub struct EngineFailed;

impl Embedded {
    /// Opens the database in a file, or creates it.
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
            writing: Arc::default(),
            writes: Arc::default(),
            requests: Arc::default(),
        })
    }

    /// Creates a database in memory, which is lost when the process ends.
    pub fn in_memory() -> Result<Self, OpenError> {
        let database = Database::memory()?;
        // Only the engine has access to its memory, so the index that keeps its writes fast
        // is added by copying an empty file that has the index.
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
            writing: Arc::default(),
            writes: Arc::default(),
            requests: Arc::default(),
        })
    }

    /// Creates an SDK client of this database, without a socket.
    pub fn client(&self) -> Client {
        Client::new(&self.sdk_config())
    }

    /// Creates an SDK client of this database's streams, without a socket.
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

    /// Writes many items in one call without the SDK, as plain JSON, with their records in
    /// the stream: for demo data, tests and measurements. Either all items are written, or
    /// none.
    ///
    /// # Errors
    /// The engine refuses the items, or a value is not an item.
    pub async fn import(&self, table: &str, items: Vec<Value>) -> Result<(), ImportError> {
        self.import_with(table, items, true).await
    }

    /// Writes items as [`Self::import`] does, but without records in the stream, so that
    /// nothing counts them.
    ///
    /// # Errors
    /// The errors of [`Self::import`].
    pub async fn import_silently(&self, table: &str, items: Vec<Value>) -> Result<(), ImportError> {
        self.import_with(table, items, false).await
    }

    async fn import_with(
        &self,
        table: &str,
        items: Vec<Value>,
        record_streams: bool,
    ) -> Result<(), ImportError> {
        let items = items.into_iter().map(items::from_json);
        let items: Option<Vec<_>> = items.collect();
        let items = items.ok_or(ImportError::NoItem)?;
        let (database, table) = (self.database.clone(), table.to_owned());
        let options = ImportOptions {
            record_streams,
            ..ImportOptions::default()
        };
        let imported = self.blocking(move || database.import_items(&table, items, options));
        imported.await??;
        self.report_write();
        Ok(())
    }

    /// Writes many records in one call without the SDK, under the same conditions as the
    /// request [`PUT_RECORDS`]. Returns the records in the table that were not replaced.
    ///
    /// # Errors
    /// The engine refuses the records: nothing is written.
    pub async fn put_many(
        &self,
        table: &str,
        records: Vec<Record>,
    ) -> Result<Vec<Record>, ImportError> {
        let (database, table) = (self.database.clone(), table.to_owned());
        // Before the lock is taken, so that others do not wait for this.
        let items = records.into_iter().map(items::from_record).collect();
        let writing = self.writing.clone().write_owned().await;
        let kept = self.blocking(move || {
            let kept = bulk::put_items(&database, &table, items);
            drop(writing);
            kept
        });
        let kept = kept.await??;
        self.report_write();
        Ok(kept.into_iter().map(items::to_record).collect())
    }

    /// Removes stream records older than a day and then expired items, as DynamoDB does
    /// automatically. The order matters: an expired checkpoint never disappears before the
    /// records that it covers. Items that cannot be removed now are left to the next call.
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
            tracing::warn!(error = %error, "failed to remove expired items");
        }
        self.report_write();
        Ok(())
    }

    /// Removes the records that the counters leave in the stream, starting at that id.
    /// Nothing reads them, and on a busy day they would take gigabytes. Returns the id at
    /// which the next call must start.
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
            tracing::warn!(error = %error, "failed to trim the stream");
            from
        }))
    }

    /// Returns when the engine has panicked. It cannot be used from then on, because its
    /// lock is poisoned. Its file is intact, and another process can open it.
    pub async fn failed(&self) {
        self.failure.notified().await;
    }

    /// A channel that changes with each write, for the followers of the stream.
    pub fn writes(&self) -> watch::Receiver<u64> {
        self.writes.subscribe()
    }

    fn report_write(&self) {
        self.writes.send_modify(|writes| *writes += 1);
    }

    /// The number of requests that the database has answered, for tests and measurements of
    /// an idle server.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Handles one request as on the wire: the `x-amz-target` header and the body.
    async fn request(
        &self,
        target: String,
        body: impl AsRef<[u8]> + Send + 'static,
    ) -> Result<Answer, EngineFailed> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let is_read = readers::is_read(&target);
        let answer = self.answer(target, body).await;
        if !is_read {
            self.report_write();
        }
        answer
    }

    async fn answer(
        &self,
        target: String,
        body: impl AsRef<[u8]> + Send + 'static,
    ) -> Result<Answer, EngineFailed> {
        if target == PUT_RECORDS {
            return self.put_records(body).await;
        }
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
        // The lock is passed to the work, which continues even if its caller no longer
        // waits.
        let writing = self.writing.clone().read_owned().await;
        self.blocking(move || {
            let answer = dispatch(&database, &target, body.as_ref());
            drop(writing);
            answer
        })
        .await
    }

    /// Handles a request with many records. Nothing else may write to the table during it.
    async fn put_records(
        &self,
        body: impl AsRef<[u8]> + Send + 'static,
    ) -> Result<Answer, EngineFailed> {
        let read = self.blocking(move || dispatch::read(body.as_ref())).await?;
        let request = match read {
            Ok(request) => request,
            Err(error) => return Ok(Answer::from_result(Err(error))),
        };
        let database = self.database.clone();
        let writing = self.writing.clone().write_owned().await;
        self.blocking(move || {
            let answer = bulk::put_records(&database, request);
            drop(writing);
            Answer::from_result(answer.map(|answer| answer.to_string()))
        })
        .await
    }

    /// Handles a request that changes a table's definition, which the readers cache.
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

    /// Runs work that waits for SQLite on a thread that may block.
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
