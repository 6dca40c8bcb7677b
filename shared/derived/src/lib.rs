//! Data that is derived from the runs in the table and stored next to them: counters, label entries
//! and the deadlines of open runs. All of it can be rebuilt from the runs.

pub mod checkpoint;
pub mod counters;
pub mod deadlines;
pub mod labels;
