//! JSON Schemas of the types that are serialized by hand.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::model::{Status, StepStatus, Timestamp, Value};

impl JsonSchema for Timestamp {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "format": "date-time"})
    }
}

impl JsonSchema for Value {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Value".into()
    }

    /// Any JSON: an engine may have written any value.
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        Schema::default()
    }
}

/// The final statuses of a run, for schemas only.
pub enum EndedStatus {}

impl JsonSchema for EndedStatus {
    fn schema_name() -> Cow<'static, str> {
        "EndedStatus".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let ended = Status::ALL
            .into_iter()
            .filter(|status| status.is_terminal());
        let words: Vec<_> = ended.map(Status::as_str).collect();
        json_schema!({
            "title": "EndedStatus",
            "type": "string",
            "description": "The final status of an execution.",
            "enum": words,
        })
    }
}

/// The statuses of a step that has ended, for schemas only.
pub enum EndedStepStatus {}

impl JsonSchema for EndedStepStatus {
    fn schema_name() -> Cow<'static, str> {
        "EndedStepStatus".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let is_open =
            |status: &StepStatus| matches!(status, StepStatus::Pending | StepStatus::Running);
        let ended = StepStatus::ALL.into_iter().filter(|it| !is_open(it));
        let words: Vec<_> = ended.map(StepStatus::as_str).collect();
        json_schema!({
            "title": "EndedStepStatus",
            "type": "string",
            "description": "The status of a step that has ended.",
            "enum": words,
        })
    }
}
