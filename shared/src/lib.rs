//! The core of Flowtrail: the record format, the indexes, and every operation
//! on the table.
//!
//! Nothing here knows an HTTP surface or AWS Lambda. The vocabulary is one:
//! execution, step, branch, flow, team, [`model::Status::Completed`]. The words
//! that a documented API uses in their place live in that surface, in the crate
//! `functions`.

pub mod audit;
pub mod auth;
pub mod config;
pub mod counters;
pub mod cursor;
pub mod deadlines;
pub mod error;
pub mod keys;
pub mod labels;
pub mod masking;
pub mod model;
pub mod operations;
pub mod payload;
pub mod reap;
pub mod record;
pub mod retention;
#[cfg(feature = "schema")]
mod schema;
pub mod settings;
pub mod stalled;
pub mod store;
pub mod stream;
pub mod sweep;
pub mod table;
pub mod tick;
pub mod traces;

pub use error::{Error, InvalidMember, Result};
