//! Maintenance of the file that the engine does not do.
//!
//! Both statements use the engine's internal table `_stream_records`. The engine's version
//! is therefore pinned, and the tests below fail if the table changes.

use std::path::Path;

use rusqlite::Connection;

use super::OpenError;

/// For each write the engine looks up the highest sequence number of the table's stream.
/// Without this index, the look-up reads every record of the stream, and a put slows from
/// 0.5 ms to 9 ms within 20,000 writes.
const INDEX_STREAM: &str = "CREATE INDEX IF NOT EXISTS flowtrail_stream_by_sequence_number
     ON _stream_records (table_name, CAST(sequence_number AS INTEGER))";

/// DynamoDB keeps a stream's records for 24 hours; the engine keeps them forever, and the
/// file grows. Records are removed in small groups, the oldest first, because writes wait
/// during each statement.
const TRIM_STREAM: &str = "DELETE FROM _stream_records
     WHERE id IN (SELECT id FROM _stream_records ORDER BY id LIMIT 1000)
     AND created_at < unixepoch() - 86400";

/// In a range of records, removes the records of the items that the stream's followers
/// write: counters, checkpoints and the entries of labels. The very last record is kept, because
/// the engine derives the next number from it.
const TRIM_COUNTERS: &str = r#"DELETE FROM _stream_records WHERE id > ?1 AND id <= ?1 + 1000
     AND id < ?2 AND (keys_json LIKE '%"COUNT#%' OR keys_json LIKE '%"DURATION#%'
          OR keys_json LIKE '%"CHECKPOINT#%' OR keys_json LIKE '%"LABEL#%')"#;

/// Opens a second connection to the engine's file, checks the file, and adds the index.
pub(super) fn connect(path: &Path) -> Result<Connection, OpenError> {
    let connection = Connection::open(path)?;
    check(&connection)?;
    connection.execute_batch(INDEX_STREAM)?;
    Ok(connection)
}

/// Checks the file for damage, as far as this is fast. A full check of a large file takes
/// minutes. This check covers only the structure of the tables and stops at the first
/// fault; it takes a second for each GB, so it runs on files of up to 1 GB.
fn check(connection: &Connection) -> Result<(), OpenError> {
    const MAX_BYTES: i64 = 1 << 30;
    let bytes: i64 = connection.query_row(
        "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
        [],
        |row| row.get(0),
    )?;
    if bytes > MAX_BYTES {
        return Ok(());
    }
    let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict == "ok" {
        Ok(())
    } else {
        Err(OpenError::Damaged(verdict))
    }
}

pub(super) fn trim_stream(connection: &Connection) -> rusqlite::Result<usize> {
    let mut removed = 0;
    loop {
        match connection.execute(TRIM_STREAM, [])? {
            0 => return Ok(removed),
            more => removed += more,
        }
    }
}

/// Removes the counters' own records after `from` in small groups, because writes wait
/// during each statement. Returns the id at which the next call must start.
pub(super) fn trim_counters(connection: &Connection, from: i64) -> rusqlite::Result<i64> {
    let last = "SELECT COALESCE(MAX(id), 0) FROM _stream_records";
    let last: i64 = connection.query_row(last, [], |row| row.get(0))?;
    let first = "SELECT COALESCE(MIN(id), 0) FROM _stream_records";
    let first: i64 = connection.query_row(first, [], |row| row.get(0))?;
    let mut from = from.max(first - 1);
    while from < last {
        connection.execute(TRIM_COUNTERS, [from, last])?;
        from += 1_000;
    }
    // The last record may be the counters' own, and is then removed by the next call.
    Ok((last - 1).max(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedded::Embedded;

    async fn with_records(count: usize) -> (tempfile::TempDir, Embedded) {
        let folder = tempfile::tempdir().expect("a folder");
        let embedded = Embedded::open(&folder.path().join("t.db")).expect("opens");
        let client = embedded.client();
        shared::table::create(&client, "history")
            .await
            .expect("a table");
        for number in 0..count {
            let item = shared::keys::key(format!("pk-{number}"), "sk");
            let put = client.put_item().table_name("history").set_item(Some(item));
            put.send().await.expect("written");
        }
        (folder, embedded)
    }

    fn connection(embedded: &Embedded) -> std::sync::MutexGuard<'_, Connection> {
        let upkeep = embedded.upkeep.as_ref().expect("on a file");
        upkeep.lock().expect("not poisoned")
    }

    #[tokio::test]
    async fn the_engine_uses_the_index_for_its_next_sequence_number() {
        let (_folder, embedded) = with_records(1).await;
        // The statement of the engine, in storage.rs of dynoxide-rs 3.2.0.
        let plan: String = connection(&embedded)
            .query_row(
                "EXPLAIN QUERY PLAN SELECT COALESCE(MAX(CAST(sequence_number AS INTEGER)), 0) + 1
                 FROM _stream_records WHERE table_name = ?1",
                ["history"],
                |row| row.get(3),
            )
            .expect("a plan");
        assert!(
            plan.contains("flowtrail_stream_by_sequence_number"),
            "{plan}"
        );
    }

    #[tokio::test]
    async fn only_records_older_than_a_day_are_trimmed() {
        let (_folder, embedded) = with_records(3).await;
        let count = |connection: &Connection| -> i64 {
            let count = "SELECT COUNT(*) FROM _stream_records";
            connection
                .query_row(count, [], |row| row.get(0))
                .expect("a count")
        };
        assert_eq!(count(&connection(&embedded)), 3, "one record a write");
        connection(&embedded)
            .execute(
                "UPDATE _stream_records SET created_at = created_at - 86401
                 WHERE id = (SELECT MIN(id) FROM _stream_records)",
                [],
            )
            .expect("made older");
        embedded.upkeep().await.expect("upkeep");
        assert_eq!(count(&connection(&embedded)), 2);
    }

    #[tokio::test]
    async fn only_the_counters_own_records_are_trimmed() {
        let (_folder, embedded) = with_records(3).await;
        let client = embedded.client();
        for pk in [
            "COUNT#t#*",
            "DURATION#t#*",
            "CHECKPOINT#shard",
            "LABEL#t#a=1",
            "EXEC#last",
        ] {
            let item = shared::keys::key(pk, "x");
            let put = client.put_item().table_name("history").set_item(Some(item));
            put.send().await.expect("written");
        }
        let reached = embedded.trim_counters(0).await.expect("trimmed");
        let left: i64 = connection(&embedded)
            .query_row("SELECT COUNT(*) FROM _stream_records", [], |row| row.get(0))
            .expect("a count");
        assert_eq!((left, reached), (4, 7));
        assert_eq!(embedded.trim_counters(reached).await.expect("trimmed"), 7);
    }
}
