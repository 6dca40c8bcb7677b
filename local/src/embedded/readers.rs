//! Connections to the engine's file that only read.
//!
//! The engine has one connection, and one lock for all that is done through it: a read
//! waits for every write before it. SQLite's write-ahead log lets other connections read
//! while one writes, each what was acknowledged before it began. So reads go through
//! engines of their own over the same file, as many as there are processors.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dynoxide::{Database, DynoxideError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The operations that change nothing, and need nothing but what one statement reads.
const READS: [&str; 4] = ["BatchGetItem", "GetItem", "Query", "Scan"];

/// The operations that change what an engine keeps in memory of a table.
const DEFINITIONS: [&str; 4] = [
    "CreateTable",
    "DeleteTable",
    "UpdateTable",
    "UpdateTimeToLive",
];

/// How many processors are taken to be there where the system does not tell.
const PROCESSORS: usize = 2;

/// The most readers: each keeps 2 MB of the file in memory.
const MOST: usize = 8;

/// Whether an operation only reads.
pub(super) fn is_read(target: &str) -> bool {
    operation_is_of(target, &READS)
}

/// Whether an operation changes the definition of a table.
pub(super) fn is_definition(target: &str) -> bool {
    operation_is_of(target, &DEFINITIONS)
}

fn operation_is_of(target: &str, operations: &[&str]) -> bool {
    let operation = target.strip_prefix("DynamoDB_20120810.");
    operation.is_some_and(|operation| operations.contains(&operation))
}

/// The readers of a file. Clones are the same.
#[derive(Clone)]
pub(super) struct Readers {
    path: PathBuf,
    /// Those that nobody reads with.
    idle: Arc<Mutex<Vec<Database>>>,
    /// One permit for each reader.
    permits: Arc<Semaphore>,
    count: u32,
}

/// A reader that is in use; it is idle again once this is dropped.
pub(super) struct Reader {
    /// `None` only while it is dropped.
    database: Option<Database>,
    readers: Readers,
    _permit: OwnedSemaphorePermit,
}

/// All readers, held so that nobody reads.
pub(super) struct Held {
    readers: Readers,
    _permits: OwnedSemaphorePermit,
}

impl Readers {
    /// Opens the readers of a file that an engine has made.
    pub(super) fn open(path: &Path) -> Result<Self, DynoxideError> {
        let processors = std::thread::available_parallelism();
        let count = processors.map_or(PROCESSORS, usize::from).clamp(2, MOST);
        let databases = open(path, count)?;
        Ok(Self {
            path: path.to_owned(),
            idle: Arc::new(Mutex::new(databases)),
            permits: Arc::new(Semaphore::new(count)),
            count: count as u32,
        })
    }

    /// Waits for a reader. `None` once there are no more of them.
    pub(super) async fn reader(&self) -> Option<Reader> {
        let permit = self.permits.clone().acquire_owned().await.ok()?;
        Some(Reader {
            database: Some(self.idle().pop()?),
            readers: self.clone(),
            _permit: permit,
        })
    }

    /// Waits until nobody reads.
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
    /// The engine to read with.
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
    /// Opens all readers anew, so that they know a table's new definition. Blocks.
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
    use shared::table::text;

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
    async fn reads_do_not_wait_for_a_write_and_see_what_was_acknowledged() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("t.db");
        let embedded = Embedded::open(&path).expect("opens");
        let client = embedded.client();
        create(&client, "id").await;
        put(&client, "id", "first").await;

        // Another writer, so that the engine waits with its lock held.
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
    async fn a_new_definition_of_a_table_is_known_to_every_read() {
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
