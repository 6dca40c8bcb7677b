//! Read-only connections to the engine's file.
//!
//! The engine has one connection, and one lock for all of its work: a read would wait for
//! every earlier write. SQLite's write-ahead log lets other connections read during a
//! write; each sees what was acknowledged before it started. Reads therefore use separate
//! engines on the same file, one for each processor.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dynoxide::{Database, DynoxideError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::dispatch::parse_operation;

/// The operations that change nothing, and read everything in one statement.
const READS: [&str; 8] = [
    "BatchGetItem",
    "DescribeStream",
    "GetItem",
    "GetRecords",
    "GetShardIterator",
    "ListStreams",
    "Query",
    "Scan",
];

/// The operations that change what an engine caches about a table.
const DEFINITIONS: [&str; 4] = [
    "CreateTable",
    "DeleteTable",
    "UpdateTable",
    "UpdateTimeToLive",
];

/// The assumed number of processors if the system does not report it.
const PROCESSORS: usize = 2;

/// The most readers for requests. Each keeps 2 MB of the file in memory.
const MOST: usize = 8;

/// How many additional readers there are, so that busy followers of the stream do not take
/// the readers of requests.
const FOR_FOLLOWERS: usize = 2;

/// Whether an operation only reads.
pub(super) fn is_read(target: &str) -> bool {
    is_operation_in(target, &READS)
}

/// Whether an operation changes the definition of a table.
pub(super) fn is_definition(target: &str) -> bool {
    is_operation_in(target, &DEFINITIONS)
}

fn is_operation_in(target: &str, operations: &[&str]) -> bool {
    let operation = parse_operation(target);
    operation.is_some_and(|operation| operations.contains(&operation))
}

/// The readers of a file. Clones share the same readers.
#[derive(Clone)]
pub(super) struct Readers {
    path: PathBuf,
    /// The readers that are not in use.
    idle: Arc<Mutex<Vec<Database>>>,
    /// One permit for each reader.
    permits: Arc<Semaphore>,
    count: u32,
}

/// A reader in use. It becomes idle when this value is dropped.
pub(super) struct Reader {
    /// `None` only during the drop.
    database: Option<Database>,
    readers: Readers,
    _permit: OwnedSemaphorePermit,
}

/// All readers, held so that nothing reads.
pub(super) struct Held {
    readers: Readers,
    _permits: OwnedSemaphorePermit,
}

impl Readers {
    /// Opens the readers of a file that an engine has created.
    pub(super) fn open(path: &Path) -> Result<Self, DynoxideError> {
        let processors = std::thread::available_parallelism();
        let count = processors.map_or(PROCESSORS, usize::from).clamp(2, MOST) + FOR_FOLLOWERS;
        let databases = open(path, count)?;
        Ok(Self {
            path: path.to_owned(),
            idle: Arc::new(Mutex::new(databases)),
            permits: Arc::new(Semaphore::new(count)),
            count: count as u32,
        })
    }

    /// Waits for a reader. `None` if there are no more readers.
    pub(super) async fn reader(&self) -> Option<Reader> {
        let permit = self.permits.clone().acquire_owned().await.ok()?;
        Some(Reader {
            database: Some(self.idle().pop()?),
            readers: self.clone(),
            _permit: permit,
        })
    }

    /// Waits until nothing reads.
    pub(super) async fn hold(&self) -> Option<Held> {
        let permits = self.permits.clone().acquire_many_owned(self.count).await;
        Some(Held {
            readers: self.clone(),
            _permits: permits.ok()?,
        })
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Database>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reader {
    /// Returns the engine to read with.
    pub(super) fn database(&self) -> Option<&Database> {
        self.database.as_ref()
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let database = self.database.take();
        self.readers.idle().extend(database);
    }
}

impl Held {
    /// Opens all readers again, so that they use a table's new definition. Blocks.
    pub(super) fn reopen(self) -> Result<(), DynoxideError> {
        let databases = open(&self.readers.path, self.readers.count as usize)?;
        *self.readers.idle() = databases;
        Ok(())
    }
}

fn open(path: &Path, count: usize) -> Result<Vec<Database>, DynoxideError> {
    let path = path.to_string_lossy();
    let databases = std::iter::repeat_with(|| Database::new(&path));
    databases.take(count).collect()
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::Client;
    use aws_sdk_dynamodb::types::{
        AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
    };
    use shared::attributes::text;

    use crate::embedded::Embedded;

    const TABLE: &str = "history";

    async fn create(client: &Client, key: &str) {
        let attribute = AttributeDefinition::builder().attribute_name(key);
        let attribute = attribute.attribute_type(ScalarAttributeType::S).build();
        let schema = KeySchemaElement::builder().attribute_name(key);
        let schema = schema.key_type(KeyType::Hash).build();
        let create = client.create_table().table_name(TABLE);
        let create = create.billing_mode(BillingMode::PayPerRequest);
        let create = create.attribute_definitions(attribute.expect("a definition"));
        let create = create.key_schema(schema.expect("a schema"));
        create.send().await.expect("a table");
    }

    async fn put(client: &Client, key: &str, value: &str) {
        let put = client.put_item().table_name(TABLE).item(key, text(value));
        put.send().await.expect("written");
    }

    async fn has(client: &Client, key: &str, value: &str) -> bool {
        let get = client.get_item().table_name(TABLE).key(key, text(value));
        let answer = get.send().await.expect("read");
        answer.item.is_some()
    }

    #[tokio::test]
    async fn reads_do_not_wait_for_writes_and_see_acknowledged_data() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("t.db");
        let embedded = Embedded::open(&path).expect("opens");
        let client = embedded.client();
        create(&client, "id").await;
        put(&client, "id", "first").await;

        // Another writer holds the database's lock, so the engine waits with its own lock
        // held.
        let other = rusqlite::Connection::open(&path).expect("opens");
        other.execute_batch("BEGIN IMMEDIATE").expect("locked");
        let waiting = tokio::spawn({
            let client = client.clone();
            async move { put(&client, "id", "second").await }
        });
        for _ in 0..100 {
            assert!(has(&client, "id", "first").await);
            assert!(!has(&client, "id", "second").await);
        }
        assert!(!waiting.is_finished(), "the write waits");
        other.execute_batch("COMMIT").expect("unlocked");
        waiting.await.expect("written in the end");
        for _ in 0..100 {
            assert!(has(&client, "id", "second").await);
        }
    }

    #[tokio::test]
    async fn every_read_uses_a_table_s_new_definition() {
        let folder = tempfile::tempdir().expect("a folder");
        let embedded = Embedded::open(&folder.path().join("t.db")).expect("opens");
        let client = embedded.client();
        for key in ["id", "name"] {
            create(&client, key).await;
            put(&client, key, "a").await;
            for _ in 0..20 {
                assert!(has(&client, key, "a").await);
            }
            let delete = client.delete_table().table_name(TABLE);
            delete.send().await.expect("removed");
        }
    }
}
