//! The record format as JSON Schemas.

use crate::attributes::{
    BYTES, CREATED_AT, ENCODING, EXECUTION_TYPE, INPUT_TOKENS, MODEL, OUTPUT_TOKENS,
    PARENT_EXECUTION_ID, PARTITION_KEY, PARTS, SORT_KEY, VALUE,
};
use serde_json::{Value, json};

use super::{Attribute, LAST_SECOND, RecordKind, Type};
use crate::model::ExecutionType;

/// An id, as a pattern.
const ID: &str = "[A-Za-z0-9._:@/+=-]{1,128}";

/// A time, as a pattern.
const TIME: &str = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z";

impl RecordKind {
    /// The form of the sort key, as a JSON Schema pattern.
    fn sort_key_pattern(self) -> String {
        match self {
            Self::Execution => "^EXECUTION$".to_owned(),
            Self::Step => format!("^STEP#{TIME}#{ID}$"),
            Self::BranchStep => format!("^BRANCH#{TIME}#{ID}#{ID}#{TIME}#{ID}$"),
            Self::Payload => format!(
                "^PAYLOAD#(input|output|context|data|step:{ID}:(input|output|executionData))#[0-9]{{4}}$"
            ),
        }
    }

    /// The JSON Schema (2020-12) of such a record as plain JSON, with bytes in base64.
    pub fn schema(self) -> Value {
        let property = |attribute: &Attribute| {
            let schema = match attribute.name {
                PARTITION_KEY => json!({"type": "string", "pattern": format!("^EXEC#{ID}$")}),
                SORT_KEY => json!({"type": "string", "pattern": self.sort_key_pattern()}),
                _ if attribute.can_be_null() => nullable(attribute.of.schema()),
                _ => attribute.of.schema(),
            };
            (attribute.name.to_owned(), schema)
        };
        let attributes = self.attributes().iter();
        let mut properties: serde_json::Map<_, _> = attributes.clone().map(property).collect();
        let required = attributes.filter(|attribute| attribute.is_required());
        let required: Vec<_> = required.map(|attribute| attribute.name).collect();
        if matches!(self, Self::Step | Self::BranchStep) {
            // This attribute would put the step into the indexes.
            properties.insert(CREATED_AT.to_owned(), Value::Bool(false));
        }
        let mut schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": format!("Flowtrail record format 1: {}", self.name()),
            "type": "object",
            "required": required,
            "properties": properties,
        });
        self.add_conditions(&mut schema);
        schema
    }

    /// Adds the conditions between attributes to a schema.
    fn add_conditions(self, schema: &mut Value) {
        match self {
            Self::Execution => {
                schema["if"] = json!({
                    "properties": {EXECUTION_TYPE: {"const": ExecutionType::Subflow.as_str()}},
                    "required": [EXECUTION_TYPE],
                });
                schema["then"] = json!({"required": [PARENT_EXECUTION_ID]});
                schema["else"] = json!({"properties": {PARENT_EXECUTION_ID: false}});
            }
            Self::Payload => {
                let first = json!({"pattern": "#0000$"});
                schema["oneOf"] = json!([
                    {
                        "required": [VALUE],
                        "properties": {SORT_KEY: first, BYTES: false, ENCODING: false, PARTS: false},
                    },
                    {
                        "required": [BYTES, ENCODING, PARTS],
                        "properties": {SORT_KEY: first, VALUE: false},
                    },
                    {
                        "required": [BYTES],
                        "properties": {SORT_KEY: {"not": first}, VALUE: false},
                    },
                ]);
            }
            Self::Step | Self::BranchStep => {}
        }
    }
}

impl Type {
    fn schema(self) -> Value {
        match self {
            Self::Key | Self::Text => json!({"type": "string"}),
            Self::Id => json!({"type": "string", "pattern": format!("^{ID}$")}),
            Self::Time => json!({
                "type": "string", "format": "date-time", "pattern": format!("^{TIME}$"),
            }),
            Self::OneOf(words) => json!({"enum": words}),
            Self::Count => json!({"type": "integer", "minimum": 0}),
            Self::Parts => json!({"type": "integer", "minimum": 1, "maximum": 10_000}),
            Self::Seconds => json!({"type": "number", "minimum": 0, "maximum": LAST_SECOND}),
            Self::TextOrNumber => json!({"type": ["string", "number"]}),
            Self::Labels => json!({
                "type": "object", "additionalProperties": {"type": ["string", "number", "boolean"]},
            }),
            Self::Summary => json!({
                "type": "object",
                "properties": {
                    "total": Self::Count.schema(),
                    "passed": Self::Count.schema(),
                    "failed": Self::Count.schema(),
                },
            }),
            Self::Usage => json!({
                "type": "array",
                "items": {
                    "type": "object",
                    "required": [INPUT_TOKENS, OUTPUT_TOKENS],
                    "properties": {
                        MODEL: Self::Text.schema(),
                        INPUT_TOKENS: Self::Count.schema(),
                        OUTPUT_TOKENS: Self::Count.schema(),
                    },
                },
            }),
            Self::Any => Value::Bool(true),
            Self::Bytes => json!({"type": "string", "contentEncoding": "base64"}),
        }
    }
}

/// Extends a schema so that it also allows NULL.
fn nullable(mut schema: Value) -> Value {
    match schema.get_mut("type") {
        Some(Value::Array(types)) => types.push("null".into()),
        Some(only) => *only = json!([only, "null"]),
        None => {
            if let Some(Value::Array(words)) = schema.get_mut("enum") {
                words.push(Value::Null);
            }
        }
    }
    schema
}
