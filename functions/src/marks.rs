//! What every surface says of a run beyond its document, and only of a run of which it is
//! so.

use std::ops::Not;

use schemars::JsonSchema;
use serde::Serialize;
use shared::model::Execution;

/// The marks of a run, among the members of its view.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Marks {
    /// Whether it is kept from expiring.
    #[schemars(default)]
    #[serde(skip_serializing_if = "Not::not")]
    pinned: bool,
    /// Whether it is open, and has given no sign of life for too long.
    #[schemars(default)]
    #[serde(skip_serializing_if = "Not::not")]
    stalled: bool,
}

impl Marks {
    /// Those of a run.
    pub fn of(execution: &Execution) -> Self {
        Self {
            pinned: execution.is_pinned,
            stalled: execution.is_stalled,
        }
    }
}
