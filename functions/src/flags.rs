//! The flags of a run. Every API shows them in addition to the fields of its document, and only
//! if they are set.

use std::ops::Not;

use schemars::JsonSchema;
use serde::Serialize;
use shared::model::Execution;

/// The flags of a run, flattened into its view.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Flags {
    /// Whether the execution is pinned, so that it does not expire.
    #[schemars(default)]
    #[serde(skip_serializing_if = "Not::not")]
    pinned: bool,
    /// Whether the execution is open, and its last heartbeat is too old.
    #[schemars(default)]
    #[serde(skip_serializing_if = "Not::not")]
    stalled: bool,
    /// Whether texts or labels of the execution are shortened here, as in lists. Its details
    /// show them in full.
    #[schemars(default)]
    #[serde(skip_serializing_if = "Not::not")]
    shortened: bool,
}

impl Flags {
    /// Takes the flags from a run.
    pub fn from_execution(execution: &Execution) -> Self {
        Self {
            pinned: execution.is_pinned,
            stalled: execution.is_stalled,
            shortened: execution.is_shortened,
        }
    }
}
