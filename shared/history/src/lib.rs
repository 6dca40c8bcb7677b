//! The operations that callers perform on executions, and the follow-up work after a run is
//! removed, is cancelled or ends.

mod expiry;
pub mod operations;
pub mod run_changes;
pub mod sweep;
