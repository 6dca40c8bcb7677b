//! The positions of consumers in the table's stream, independent of what delivers the stream: AWS
//! Lambda, or the follower on one machine.

use format::Result;
use format::attributes::{TIME_TO_LIVE, number, text};
use format::keys::{self, key};
use format::model::{Item, Timestamp};
use store::Store;

/// How long a consumer's position is kept after its last change, in seconds. A stream keeps its
/// records for one day.
pub const POSITION_KEPT_SECONDS: i64 = 7 * 24 * 3_600;

/// The attribute with a consumer's position, which has the name of a step's number.
pub use format::attributes::SEQUENCE_NUMBER;

/// Parses the position in an item. Returns `None` if it is absent, or if the stream would not
/// accept it.
pub fn parse_position(item: &Item) -> Option<String> {
    let position = item.get(SEQUENCE_NUMBER)?.as_s().ok()?;
    is_position(position).then(|| position.clone())
}

/// Returns whether a text may be a sequence number.
pub fn is_position(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Reads the sequence number up to which a consumer has followed a shard, as stored by
/// [`write_position`]. `consumer` is the sort key of the position.
pub async fn read_position(
    store: &Store,
    shard_id: &str,
    consumer: &str,
) -> Result<Option<String>> {
    let pk = keys::checkpoint_partition(shard_id);
    let item = store.get_latest(&pk, consumer).await?;
    report_unreadable(shard_id, consumer, item.as_ref());
    Ok(item.as_ref().and_then(parse_position))
}

/// Logs a stored position that cannot be read. Its consumer starts at the beginning of the shard.
pub fn report_unreadable(shard_id: &str, consumer: &str, item: Option<&Item>) {
    let is_unreadable =
        |item: &Item| item.contains_key(SEQUENCE_NUMBER) && parse_position(item).is_none();
    if item.is_some_and(is_unreadable) {
        tracing::error!(
            shard_id,
            consumer,
            "a checkpoint cannot be read, so its shard is followed from the beginning; if it is \
             the checkpoint of the counters, run flowtrail counts rebuild"
        );
    }
}

/// Stores the position up to which a consumer has followed a shard.
pub async fn write_position(
    store: &Store,
    shard_id: &str,
    consumer: &str,
    sequence_number: &str,
) -> Result<()> {
    let mut item = key(keys::checkpoint_partition(shard_id), consumer);
    item.insert(SEQUENCE_NUMBER.to_owned(), text(sequence_number));
    let expiry = Timestamp::now().seconds() + POSITION_KEPT_SECONDS;
    item.insert(TIME_TO_LIVE.to_owned(), number(expiry));
    store.put(item).await
}
