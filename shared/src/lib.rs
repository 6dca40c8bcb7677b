//! The layers below under one name for the handlers, and the SDK client.
//!
//! This crate knows neither an HTTP API nor AWS Lambda. It uses one vocabulary: execution, step,
//! branch, flow, team, [`model::Status::Completed`]. The different words of a documented API are
//! confined to that API, in the crate `functions`.
//!
//! | crate | contents |
//! | --- | --- |
//! | [`format`](::format) | what is stored: records, keys, ids, times |
//! | [`store`] | how it is read and written |
//! | [`team`](::team) | authentication and permissions: callers, tokens, roles, audit, settings |
//! | [`derived`](::derived) | counters, label entries, deadlines |
//! | [`history`](::history) | the operations, and what happens after a run ends or is removed |
//! | [`bridges`](::bridges) | records made from the reports of other systems |
//!
//! Each crate depends only on crates above it.

pub mod config;

pub use ::bridges::{otlp, step_functions};
pub use ::derived::{checkpoint, counters, deadlines, labels};
pub use ::format::{
    Error, InvalidMember, Result, attributes, change, error, hash, keys, label, model, payload,
    record,
};
pub use ::history::{operations, run_changes, sweep};
pub use ::store::{cursor, table};
pub use ::team::{audit, auth, loopback, masking, profiles, retention, settings, stalled, timing};
pub use store;
