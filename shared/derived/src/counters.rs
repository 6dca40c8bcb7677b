//! Stored counters of runs.
//!
//! DynamoDB can neither count nor skip items. So the number of runs is stored for each scope (a
//! team, a flow, a device, or a flow on a device), hour, status and type, together with the
//! durations of the runs that have ended. A total or a statistic is a sum of a few small items, and
//! a page at any depth is found by reading the counters and then one hour of runs.
//! docs/adr/0004-counters.md explains the design.
//!
//! The counters follow the table's stream ([`Counter`]), so writers need not update them. They
//! count the records in the table; an expired record is counted until DynamoDB removes it.
//!
//! Tests check this invariant: once all changes of the stream have been applied, every counter
//! equals a recount of the items ([`recount`]), no matter what was written, and how the batches of
//! the stream were repeated, split or cut off.

mod cells;
mod consumer;
mod durations;
mod hour;
mod hours;
mod read;
pub mod recount;

pub use cells::{COUNTED_ATTRIBUTES, CountedRun, HourlyDurations, Kind};
pub use consumer::{AppliedChanges, Counter};
pub use durations::{Bucket, Durations};
pub use hour::Hour;
pub use hours::{Edge, FullHours, SplitRange, bounds};
pub use read::{Grain, HourlyCounts, Tally, read_counts, read_tally};
