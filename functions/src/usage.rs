//! The tokens that a run used, and the number of its steps that were not stored. Every API shows
//! them in addition to the fields of its document, and only if the record has them.

use schemars::JsonSchema;
use serde::Serialize;
use shared::model::{Execution, ModelUsage};

/// The tokens and dropped steps of a run, flattened into its view.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UsageView<'a> {
    /// The tokens of language models that the execution used, by model.
    #[schemars(default)]
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    usage: &'a [ModelUsage],
    /// How many steps were not stored, because the execution had too many.
    #[serde(skip_serializing_if = "Option::is_none")]
    dropped_steps: Option<u64>,
}

impl<'a> UsageView<'a> {
    /// Takes the tokens and dropped steps from a run.
    pub fn from_execution(execution: &'a Execution) -> Self {
        Self {
            usage: &execution.usage,
            dropped_steps: execution.dropped_steps,
        }
    }
}
