//! The record format as a table: the attributes of each kind of record, with their types. The JSON
//! Schemas ([`RecordKind::schema`]) and the check ([`super::check`]) are derived from it, and a
//! test compares docs/record-format.md with it.

use super::FORK;
use crate::attributes;
use crate::keys;
use crate::model::Item;

mod fault;
mod schema;

pub(super) use fault::parse_whole;

/// A kind of record that engines write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RecordKind {
    /// One run of a flow.
    Execution,
    /// A step of a run that is not in a branch: top-level, or below another step.
    Step,
    /// A step in a parallel branch.
    BranchStep,
    /// One part of a payload.
    Payload,
}

/// An attribute of the record format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attribute {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub of: Type,
    /// Whether it may be absent or NULL.
    pub presence: Presence,
}

/// Whether an attribute may be absent or NULL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It must be present.
    Required,
    /// It may be absent. NULL means the same.
    Optional,
    /// It may be absent, but must not be NULL: DynamoDB refuses NULL in the key of an index, and in
    /// a payload's record NULL would be a value.
    OptionalValue,
}

impl Attribute {
    /// Returns whether every record must have it.
    pub fn is_required(&self) -> bool {
        self.presence == Presence::Required
    }

    /// Returns whether NULL means the same as an absent attribute.
    pub fn can_be_null(&self) -> bool {
        self.presence == Presence::Optional
    }
}

/// The type of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// A key: a text with the form for its kind of record.
    Key,
    /// An id.
    Id,
    /// A time.
    Time,
    /// Any text.
    Text,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A whole number, at least 0.
    Count,
    /// A whole number, at least 1.
    Parts,
    /// Seconds since 1970-01-01.
    Seconds,
    /// A text or a number.
    TextOrNumber,
    /// Labels: a map of texts, numbers and booleans.
    Labels,
    /// A map of the counts `total`, `passed` and `failed`.
    Summary,
    /// A list of maps with the `model` and its `inputTokens` and `outputTokens`.
    Usage,
    /// Any value.
    Any,
    /// Bytes.
    Bytes,
}

/// In seconds, it is in the year 5138; in milliseconds, in 1973. A larger number is not meant in
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
        presence: Presence::Required,
    }
}

const fn optional(name: &'static str, of: Type) -> Attribute {
    Attribute {
        name,
        of,
        presence: Presence::Optional,
    }
}

const fn optional_value(name: &'static str, of: Type) -> Attribute {
    Attribute {
        name,
        of,
        presence: Presence::OptionalValue,
    }
}

const PK: Attribute = required(attributes::PARTITION_KEY, Type::Key);
const SK: Attribute = required(attributes::SORT_KEY, Type::Key);

const EXECUTION: &[Attribute] = &[
    PK,
    SK,
    required(attributes::EXECUTION_ID, Type::Id),
    required(attributes::TEAM_ID, Type::Id),
    required(attributes::FLOW_ID, Type::Id),
    required(attributes::CREATED_AT, Type::Time),
    required(attributes::STATUS, Type::OneOf(STATUSES)),
    optional(attributes::FLOW_NAME, Type::Text),
    optional(attributes::FLOW_VERSION, Type::TextOrNumber),
    optional(attributes::EXECUTION_TYPE, Type::OneOf(EXECUTION_TYPES)),
    optional_value(attributes::PARENT_EXECUTION_ID, Type::Id),
    optional(attributes::PARENT_STEP_INSTANCE_ID, Type::Id),
    optional_value(attributes::DEVICE_ID, Type::Id),
    optional(attributes::TRIGGER, Type::Text),
    optional(attributes::START_TIME, Type::Time),
    optional(attributes::END_TIME, Type::Time),
    optional(attributes::DURATION_MS, Type::Count),
    optional(attributes::ERROR_MESSAGE, Type::Text),
    optional(attributes::STEP_SUMMARY, Type::Summary),
    optional(attributes::USAGE, Type::Usage),
    optional(attributes::DROPPED_STEPS, Type::Count),
    optional(attributes::LABELS, Type::Labels),
    optional(attributes::TIMEOUT_AT, Type::Time),
    optional(attributes::HEARTBEAT_AT, Type::Time),
    optional(attributes::CANCELLED_BY, Type::Text),
    optional(attributes::CANCEL_REASON, Type::Text),
    optional(attributes::PINNED_AT, Type::Time),
    optional(attributes::PINNED_BY, Type::Text),
    optional(attributes::TIME_TO_LIVE, Type::Seconds),
];

macro_rules! step_attributes {
    ($($more:expr),*) => {
        &[
            PK,
            SK,
            required(attributes::STEP_INSTANCE_ID, Type::Id),
            optional(attributes::STEP_ID, Type::Text),
            optional(attributes::STEP_NAME, Type::Text),
            optional(attributes::STEP_TYPE, Type::Text),
            optional(attributes::SEQUENCE_NUMBER, Type::Count),
            required(attributes::STATUS, Type::OneOf(STEP_STATUSES)),
            required(attributes::START_TIME, Type::Time),
            optional(attributes::END_TIME, Type::Time),
            optional(attributes::DURATION_MS, Type::Count),
            optional(attributes::RETRY_COUNT, Type::Count),
            optional(attributes::INPUT, Type::Any),
            optional(attributes::OUTPUT, Type::Any),
            optional(attributes::EXECUTION_DATA, Type::Any),
            optional(attributes::ERROR_MESSAGE, Type::Text),
            optional(attributes::SUBFLOW_EXECUTION_ID, Type::Id),
            optional(attributes::TIME_TO_LIVE, Type::Seconds),
            $($more),*
        ]
    };
}

const STEP: &[Attribute] =
    step_attributes!(optional(attributes::PARENT_STEP_INSTANCE_ID, Type::Id));

const BRANCH_STEP: &[Attribute] = step_attributes!(
    required(attributes::BRANCH_EXECUTION_ID, Type::Id),
    optional(attributes::BRANCH_ID, Type::Text),
    required(attributes::PARENT_STEP_INSTANCE_ID, Type::Id),
    required(attributes::PARENT_STEP_START_TIME, Type::Time)
);

const PAYLOAD: &[Attribute] = &[
    PK,
    SK,
    optional_value(attributes::VALUE, Type::Any),
    optional_value(attributes::BYTES, Type::Bytes),
    optional_value(attributes::ENCODING, Type::OneOf(ENCODINGS)),
    optional_value(attributes::PARTS, Type::Parts),
    optional(attributes::TIME_TO_LIVE, Type::Seconds),
];

impl RecordKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Execution, Self::Step, Self::BranchStep, Self::Payload];

    /// The kind's name, as in the file name of its schema.
    pub fn name(self) -> &'static str {
        match self {
            Self::Execution => "execution",
            Self::Step => "step",
            Self::BranchStep => "branch-step",
            Self::Payload => "payload",
        }
    }

    /// The kind of the record with these keys; `None` for keys that do not belong to a record of an
    /// engine.
    pub fn from_keys(pk: &str, sk: &str) -> Option<Self> {
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
}

impl Type {
    /// The type in DynamoDB, as named in docs/record-format.md.
    pub fn letters(self) -> &'static str {
        match self {
            Self::Key | Self::Id | Self::Time | Self::Text | Self::OneOf(_) => "S",
            Self::Count | Self::Parts | Self::Seconds => "N",
            Self::TextOrNumber => "S or N",
            Self::Labels => "M of S, N or BOOL",
            Self::Summary => "M",
            Self::Usage => "L of M",
            Self::Any => "any",
            Self::Bytes => "B",
        }
    }
}

/// Returns whether a step's item is a fork.
pub(super) fn is_fork(item: &Item) -> bool {
    let kind = item
        .get(attributes::STEP_TYPE)
        .and_then(|kind| kind.as_s().ok());
    kind.is_some_and(|kind| kind == FORK)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::{ExecutionType, Status, StepStatus};

    #[test]
    fn the_words_match_the_model() {
        let statuses: Vec<_> = Status::ALL.map(Status::as_str).to_vec();
        assert_eq!(STATUSES, statuses);
        let is_of_model = |word: &&str| serde_json::from_value::<StepStatus>(json!(word)).is_ok();
        assert!(STEP_STATUSES.iter().all(is_of_model));
        assert_eq!(STEP_STATUSES.len(), STATUSES.len() + 1);
        let types: Vec<_> = ExecutionType::ALL.map(ExecutionType::as_str).to_vec();
        assert_eq!(EXECUTION_TYPES, types);
    }
}
