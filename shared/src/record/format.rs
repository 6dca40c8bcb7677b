//! The record format as a table: which attributes each kind of record has, of which
//! types. From it come the JSON Schemas ([`RecordKind::schema`]) and the check
//! ([`super::check`]); docs/record-format.md is held to it by a test.

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};

use super::FORK;
use crate::keys;
use crate::model::{ExecutionType, Item, MAX_ID_LENGTH, Timestamp, is_id};

/// A kind of record that engines write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RecordKind {
    /// One run of a flow.
    Execution,
    /// One run of a step, among a run's own.
    Step,
    /// One run of a step in a parallel branch.
    BranchStep,
    /// One part of a payload.
    Payload,
}

/// An attribute of the record format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attribute {
    /// Its name.
    pub name: &'static str,
    /// What it can be.
    pub of: Type,
    /// Whether a record without it breaks the format.
    pub is_required: bool,
}

/// What an attribute can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// A key: a text, whose form is that of its kind of record.
    Key,
    /// An id.
    Id,
    /// A moment.
    Time,
    /// Any text.
    Text,
    /// One of some words.
    OneOf(&'static [&'static str]),
    /// A whole number from 0.
    Count,
    /// A whole number from 1.
    Parts,
    /// Seconds since 1970 began.
    Seconds,
    /// A text or a number.
    TextOrNumber,
    /// A map of texts.
    Texts,
    /// A map of the counts `total`, `passed` and `failed`.
    Summary,
    /// Anything.
    Any,
    /// Bytes.
    Bytes,
}

/// Seconds of the year 5138, and milliseconds of 1973: who writes more has not written
/// seconds.
const LAST_SECOND: f64 = 1e11;

/// The words of `status` in an execution.
const STATUSES: &[&str] = &["PENDING", "RUNNING", "COMPLETED", "FAILED", "CANCELLED"];
/// The words of `status` in a step.
const STEP_STATUSES: &[&str] = &[
    "PENDING",
    "RUNNING",
    "COMPLETED",
    "FAILED",
    "CANCELLED",
    "SKIPPED",
];
/// The words of `executionType`.
const EXECUTION_TYPES: &[&str] = &["PARENT", "SUBFLOW"];
/// The words of `encoding`.
const ENCODINGS: &[&str] = &["json", "json+zstd"];

const fn required(name: &'static str, of: Type) -> Attribute {
    Attribute {
        name,
        of,
        is_required: true,
    }
}

const fn optional(name: &'static str, of: Type) -> Attribute {
    Attribute {
        name,
        of,
        is_required: false,
    }
}

const PK: Attribute = required("pk", Type::Key);
const SK: Attribute = required("sk", Type::Key);

const EXECUTION: &[Attribute] = &[
    PK,
    SK,
    required("executionId", Type::Id),
    required("teamId", Type::Id),
    required("flowId", Type::Id),
    required("createdAt", Type::Time),
    required("status", Type::OneOf(STATUSES)),
    optional("flowName", Type::Text),
    optional("flowVersion", Type::TextOrNumber),
    optional("executionType", Type::OneOf(EXECUTION_TYPES)),
    optional("parentExecutionId", Type::Id),
    optional("parentStepInstanceId", Type::Id),
    optional("deviceId", Type::Id),
    optional("trigger", Type::Text),
    optional("startTime", Type::Time),
    optional("endTime", Type::Time),
    optional("durationMs", Type::Count),
    optional("errorMessage", Type::Text),
    optional("stepSummary", Type::Summary),
    optional("labels", Type::Texts),
    optional("timeoutAt", Type::Time),
    optional("heartbeatAt", Type::Time),
    optional("cancelledBy", Type::Text),
    optional("cancelReason", Type::Text),
    optional("pinnedAt", Type::Time),
    optional("pinnedBy", Type::Text),
    optional("expiresAt", Type::Seconds),
];

macro_rules! step_attributes {
    ($($more:expr),*) => {
        &[
            PK,
            SK,
            required("stepInstanceId", Type::Id),
            optional("stepId", Type::Text),
            optional("stepName", Type::Text),
            optional("stepType", Type::Text),
            optional("sequenceNumber", Type::Count),
            required("status", Type::OneOf(STEP_STATUSES)),
            required("startTime", Type::Time),
            optional("endTime", Type::Time),
            optional("durationMs", Type::Count),
            optional("retryCount", Type::Count),
            optional("input", Type::Any),
            optional("output", Type::Any),
            optional("executionData", Type::Any),
            optional("errorMessage", Type::Text),
            optional("subflowExecutionId", Type::Id),
            optional("expiresAt", Type::Seconds),
            $($more),*
        ]
    };
}

const STEP: &[Attribute] = step_attributes!();

const BRANCH_STEP: &[Attribute] = step_attributes!(
    required("branchExecutionId", Type::Id),
    optional("branchId", Type::Text),
    required("parentStepInstanceId", Type::Id),
    required("parentStepStartTime", Type::Time)
);

const PAYLOAD: &[Attribute] = &[
    PK,
    SK,
    optional("value", Type::Any),
    optional("bytes", Type::Bytes),
    optional("encoding", Type::OneOf(ENCODINGS)),
    optional("parts", Type::Parts),
    optional("expiresAt", Type::Seconds),
];

/// An id, as a pattern.
const ID: &str = "[A-Za-z0-9._:@/+=-]{1,128}";
/// A time, as a pattern.
const TIME: &str = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z";

impl RecordKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Execution, Self::Step, Self::BranchStep, Self::Payload];

    /// Its name, as its schema's file has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Execution => "execution",
            Self::Step => "step",
            Self::BranchStep => "branch-step",
            Self::Payload => "payload",
        }
    }

    /// The kind of the record with these keys; `None` for keys that are no engine's.
    pub fn of(pk: &str, sk: &str) -> Option<Self> {
        keys::execution_id_of(pk)?;
        match sk.split_once('#').map_or(sk, |(first, _)| first) {
            keys::EXECUTION => Some(Self::Execution),
            "STEP" => Some(Self::Step),
            "BRANCH" => Some(Self::BranchStep),
            "PAYLOAD" => Some(Self::Payload),
            _ => None,
        }
    }

    /// The attributes of such a record, keys first.
    pub fn attributes(self) -> &'static [Attribute] {
        match self {
            Self::Execution => EXECUTION,
            Self::Step => STEP,
            Self::BranchStep => BRANCH_STEP,
            Self::Payload => PAYLOAD,
        }
    }

    /// The form of the sort key, for people.
    pub fn sort_key_form(self) -> &'static str {
        match self {
            Self::Execution => keys::EXECUTION,
            Self::Step => "STEP#<startTime>#<stepInstanceId>",
            Self::BranchStep => {
                "BRANCH#<parentStepStartTime>#<parentStepInstanceId>#<branchExecutionId>#<startTime>#<stepInstanceId>"
            }
            Self::Payload => "PAYLOAD#<name>#<part>",
        }
    }

    /// The form of the sort key, as a pattern of JSON Schema.
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

    /// The JSON Schema (2020-12) of such a record as plain JSON, bytes in base64.
    pub fn schema(self) -> Value {
        let property = |attribute: &Attribute| {
            let schema = match attribute.name {
                "pk" => json!({"type": "string", "pattern": format!("^EXEC#{ID}$")}),
                "sk" => json!({"type": "string", "pattern": self.sort_key_pattern()}),
                _ => attribute.of.schema(),
            };
            (attribute.name.to_owned(), schema)
        };
        let attributes = self.attributes().iter();
        let mut properties: serde_json::Map<_, _> = attributes.clone().map(property).collect();
        let required = attributes.filter(|attribute| attribute.is_required);
        let required: Vec<_> = required.map(|attribute| attribute.name).collect();
        if matches!(self, Self::Step | Self::BranchStep) {
            // It would put the step into the indexes.
            properties.insert("createdAt".to_owned(), Value::Bool(false));
        }
        let mut schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": format!("Flowtrail record format 1: {}", self.name()),
            "type": "object",
            "required": required,
            "properties": properties,
        });
        match self {
            Self::Execution => {
                schema["if"] = json!({
                    "properties": {"executionType": {"const": ExecutionType::Subflow.as_str()}},
                    "required": ["executionType"],
                });
                schema["then"] = json!({"required": ["parentExecutionId"]});
                schema["else"] = json!({"properties": {"parentExecutionId": false}});
            }
            Self::Payload => {
                let first = json!({"pattern": "#0000$"});
                schema["oneOf"] = json!([
                    {
                        "required": ["value"],
                        "properties": {"sk": first, "bytes": false, "encoding": false, "parts": false},
                    },
                    {
                        "required": ["bytes", "encoding", "parts"],
                        "properties": {"sk": first, "value": false},
                    },
                    {
                        "required": ["bytes"],
                        "properties": {"sk": {"not": first}, "value": false},
                    },
                ]);
            }
            Self::Step | Self::BranchStep => {}
        }
        schema
    }
}

impl Type {
    /// The type in DynamoDB, as docs/record-format.md names it.
    pub fn letters(self) -> &'static str {
        match self {
            Self::Key | Self::Id | Self::Time | Self::Text | Self::OneOf(_) => "S",
            Self::Count | Self::Parts | Self::Seconds => "N",
            Self::TextOrNumber => "S or N",
            Self::Texts => "M of S",
            Self::Summary => "M",
            Self::Any => "any",
            Self::Bytes => "B",
        }
    }

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
            Self::Texts => json!({
                "type": "object", "additionalProperties": {"type": "string"},
            }),
            Self::Summary => json!({
                "type": "object",
                "properties": {
                    "total": Self::Count.schema(),
                    "passed": Self::Count.schema(),
                    "failed": Self::Count.schema(),
                },
            }),
            Self::Any => Value::Bool(true),
            Self::Bytes => json!({"type": "string", "contentEncoding": "base64"}),
        }
    }

    /// What is wrong with a value, and what to do about it; `None` where nothing is.
    pub(super) fn fault(self, value: &AttributeValue) -> Option<(String, String)> {
        let told =
            |remedy: &str| Some((format!("{} {}", shown(value), self.is_not()), remedy.into()));
        let is_fine = match (self, value) {
            (Self::Any, _) => true,
            (Self::Key | Self::Text | Self::TextOrNumber, AttributeValue::S(_)) => true,
            (Self::TextOrNumber, AttributeValue::N(_)) | (Self::Bytes, AttributeValue::B(_)) => {
                true
            }
            (Self::Id, AttributeValue::S(text)) => is_id(text),
            (Self::OneOf(words), AttributeValue::S(text)) => words.contains(&text.as_str()),
            (Self::Time, AttributeValue::S(text)) => match text.parse::<Timestamp>() {
                Ok(time) if time.to_string() == *text => true,
                Ok(time) => return told(&format!("Write {time}")),
                Err(_) => false,
            },
            (Self::Count, AttributeValue::N(digits)) => whole(digits).is_some(),
            (Self::Parts, AttributeValue::N(digits)) => {
                whole(digits).is_some_and(|parts| (1..=10_000).contains(&parts))
            }
            (Self::Seconds, AttributeValue::N(digits)) => digits
                .parse::<f64>()
                .is_ok_and(|seconds| (0.0..=LAST_SECOND).contains(&seconds)),
            (Self::Texts, AttributeValue::M(texts)) => texts.values().all(AttributeValue::is_s),
            (Self::Summary, AttributeValue::M(counts)) => {
                let counts = ["total", "passed", "failed"].map(|name| counts.get(name));
                let mut counts = counts.into_iter().flatten();
                counts.all(|count| count.as_n().is_ok_and(|digits| whole(digits).is_some()))
            }
            _ => false,
        };
        match is_fine {
            true => None,
            false => told(&self.remedy()),
        }
    }

    fn is_not(self) -> String {
        match self {
            Self::Key | Self::Text => "is no text".to_owned(),
            Self::Id => "is no id".to_owned(),
            Self::Time => "is no time of the record format".to_owned(),
            Self::OneOf(_) => "is none of its words".to_owned(),
            Self::Count => "is no whole number from 0".to_owned(),
            Self::Parts => "is no number of parts".to_owned(),
            Self::Seconds => "is no second since 1970 began".to_owned(),
            Self::TextOrNumber => "is neither a text nor a number".to_owned(),
            Self::Texts => "is no map of texts".to_owned(),
            Self::Summary => "is no map of counts".to_owned(),
            Self::Any => "is nothing".to_owned(),
            Self::Bytes => "is no binary value".to_owned(),
        }
    }

    fn remedy(self) -> String {
        match self {
            Self::Key | Self::Text => "Write a text (S)".to_owned(),
            Self::Id => format!(
                "Write a text (S) of 1 to {MAX_ID_LENGTH} characters of A-Z a-z 0-9 . _ : @ / + = -"
            ),
            Self::Time => {
                "Write a text (S) such as 2026-02-17T10:30:00.000Z: UTC, with exactly three \
                 fractional digits"
                    .to_owned()
            }
            Self::OneOf(words) => format!("Write one of {}", words.join(", ")),
            Self::Count => "Write a whole number (N) from 0".to_owned(),
            Self::Parts => {
                "Write the number (N) of the payload's parts, from 1 to 10,000".to_owned()
            }
            Self::Seconds => {
                "Write seconds (N) since 1970 began, not milliseconds and no text".to_owned()
            }
            Self::TextOrNumber => "Write a text (S) or a number (N)".to_owned(),
            Self::Texts => "Write a map (M) whose values are all texts (S)".to_owned(),
            Self::Summary => {
                "Write a map (M) of total, passed and failed, each a whole number (N)".to_owned()
            }
            Self::Any => String::new(),
            Self::Bytes => "Write bytes (B)".to_owned(),
        }
    }
}

/// The number of some digits, where it is whole and not below 0.
pub(super) fn whole(digits: &str) -> Option<u64> {
    digits.parse().ok()
}

/// A value, short, with its type.
fn shown(value: &AttributeValue) -> String {
    const MOST: usize = 60;
    match value {
        AttributeValue::S(text) => format!("{:?}", super::shortened(text, MOST)),
        AttributeValue::N(digits) => digits.clone(),
        AttributeValue::Bool(truth) => truth.to_string(),
        AttributeValue::Null(_) => "NULL".to_owned(),
        AttributeValue::M(members) => format!("a map of {}", members.len()),
        AttributeValue::L(values) => format!("a list of {}", values.len()),
        AttributeValue::B(_) => "a binary value".to_owned(),
        _ => "a set".to_owned(),
    }
}

/// Whether a step's item is that of a fork.
pub(super) fn is_fork(item: &Item) -> bool {
    let kind = item.get("stepType").and_then(|kind| kind.as_s().ok());
    kind.is_some_and(|kind| kind == FORK)
}

#[cfg(test)]
mod tests {
    use crate::model::{Status, StepStatus};

    use super::*;

    #[test]
    fn the_words_are_those_of_the_model() {
        let statuses: Vec<_> = Status::ALL.map(Status::as_str).to_vec();
        assert_eq!(STATUSES, statuses);
        let is_of_model = |word: &&str| serde_json::from_value::<StepStatus>(json!(word)).is_ok();
        assert!(STEP_STATUSES.iter().all(is_of_model));
        assert_eq!(STEP_STATUSES.len(), STATUSES.len() + 1);
        let types: Vec<_> = ExecutionType::ALL.map(ExecutionType::as_str).to_vec();
        assert_eq!(EXECUTION_TYPES, types);
    }
}
