//! Counts that are kept, not computed.
//!
//! DynamoDB can neither count nor skip. So the number of runs is kept for each
//! scope (a team, a flow, a device, a flow on a device), hour, status and type,
//! with the durations of those that have ended: a total is a sum of some small
//! items, a statistic too, and a page at any depth finds its hour here and reads
//! that hour alone. docs/adr/0004-counters.md says why it is made this way.
//!
//! The counters follow the table's stream ([`Counter`]), so a writer has nothing
//! to keep right. They count the records that are in the table; one that has
//! expired is counted until DynamoDB removes it.
//!
//! The property that holds, and that the tests hold it to: whatever is written,
//! and however the stream's batches are repeated, split or cut off, once the
//! stream is drained every counter equals a recount of the items ([`recount`]).

mod cells;
mod consumer;
mod durations;
mod hour;
mod hours;
mod read;
pub mod recount;

pub use cells::{COUNTED_ATTRIBUTES, Counted, HourlyDurations, Kind};
pub use consumer::{Applied, Counter};
pub use durations::{Bucket, Durations};
pub use hour::Hour;
pub use hours::{Cut, Edge, FullHours, bounds};
pub use read::{Grain, HourlyCounts, Tally, counts, tally};
