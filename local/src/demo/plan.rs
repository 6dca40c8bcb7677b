//! One run, laid out in time: which records are true at which moment.

use serde_json::{Map, Value, json};
use shared::keys;
use shared::model::{Item, Timestamp};

/// How long demo records are kept after their run began, in milliseconds.
const KEPT_MS: i64 = 45 * 24 * 3_600 * 1_000;

/// How a run or a step ends.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Outcome {
    Completed,
    Failed(String),
    Cancelled,
    Skipped,
}

impl Outcome {
    fn status(&self) -> &'static str {
        match self {
            Self::Completed => "COMPLETED",
            Self::Failed(_) => "FAILED",
            Self::Cancelled => "CANCELLED",
            Self::Skipped => "SKIPPED",
        }
    }
}

/// Where in a run a step belongs.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Place {
    Top,
    Branch {
        fork_id: String,
        fork_start: i64,
        branch_execution_id: String,
        branch_id: &'static str,
    },
}

/// A step, from its beginning to its end. All times are milliseconds since 1970
/// began.
#[derive(Debug, Clone)]
pub(super) struct PlannedStep {
    pub(super) place: Place,
    pub(super) step_instance_id: String,
    pub(super) step_id: &'static str,
    pub(super) name: &'static str,
    pub(super) kind: &'static str,
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) outcome: Outcome,
    pub(super) retry_count: u32,
    pub(super) input: Value,
    pub(super) output: Value,
    pub(super) subflow_execution_id: Option<String>,
}

/// A run, from its beginning to its end.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) execution_id: String,
    /// What does not change: flow, trigger, labels, device, parent.
    pub(super) attributes: Map<String, Value>,
    pub(super) created: i64,
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) outcome: Outcome,
    pub(super) steps: Vec<PlannedStep>,
    pub(super) input: Value,
}

impl Plan {
    /// Whether nothing of the run is left to happen.
    pub(super) fn has_ended_at(&self, now: Timestamp) -> bool {
        self.end <= now.milliseconds()
    }

    /// The records of the run as they are at that moment.
    pub(super) fn items_at(&self, now: Timestamp) -> Vec<Item> {
        let now = now.milliseconds();
        if now < self.created {
            return Vec::new();
        }
        let mut records = vec![self.execution_at(now), self.payload("input", &self.input)];
        let begun = self
            .steps
            .iter()
            .enumerate()
            .filter(|(_, step)| step.start <= now);
        records.extend(begun.map(|(position, step)| self.step_at(position, step, now)));
        if self.end <= now && self.outcome == Outcome::Completed {
            let output = self
                .steps
                .last()
                .map_or(Value::Null, |step| step.output.clone());
            records.push(self.payload("context", &self.context()));
            records.push(self.payload("output", &output));
        }
        records.into_iter().filter_map(to_item).collect()
    }

    fn execution_at(&self, now: i64) -> Value {
        let mut record = self.attributes.clone();
        record.extend(object(json!({
            "pk": self.pk(),
            "sk": keys::EXECUTION,
            "executionId": self.execution_id,
            "createdAt": time(self.created),
            "status": "PENDING",
            "expiresAt": self.expires_at(),
        })));
        if self.start <= now {
            record.extend(object(
                json!({"status": "RUNNING", "startTime": time(self.start)}),
            ));
        }
        if self.start <= now && now < self.end {
            // To the ten seconds: a sign of life is not worth a write a tick.
            record.insert("heartbeatAt".to_owned(), time(now / 10_000 * 10_000).into());
        }
        if self.end <= now {
            let count = |outcome: fn(&Outcome) -> bool| {
                self.steps
                    .iter()
                    .filter(|step| outcome(&step.outcome))
                    .count()
            };
            record.extend(object(json!({
                "status": self.outcome.status(),
                "endTime": time(self.end),
                "durationMs": self.end - self.start,
                "stepSummary": {
                    "total": self.steps.len(),
                    "passed": count(|outcome| *outcome == Outcome::Completed),
                    "failed": count(|outcome| matches!(outcome, Outcome::Failed(_))),
                },
            })));
            match &self.outcome {
                Outcome::Failed(message) => {
                    record.insert("errorMessage".to_owned(), message.clone().into());
                }
                Outcome::Cancelled => {
                    record.extend(object(json!({
                        "cancelledBy": "maria@example.com",
                        "cancelReason": "Started twice by mistake.",
                    })));
                }
                Outcome::Completed | Outcome::Skipped => {}
            }
        }
        Value::Object(record)
    }

    fn step_at(&self, position: usize, step: &PlannedStep, now: i64) -> Value {
        let mut record = object(json!({
            "pk": self.pk(),
            "stepInstanceId": step.step_instance_id,
            "stepId": step.step_id,
            "stepName": step.name,
            "stepType": step.kind,
            "sequenceNumber": position + 1,
            "status": "RUNNING",
            "startTime": time(step.start),
            "retryCount": step.retry_count,
            "input": step.input,
            "expiresAt": self.expires_at(),
        }));
        let start = timestamp(step.start);
        match &step.place {
            Place::Top => {
                let sk = keys::step(start, &step.step_instance_id);
                record.insert("sk".to_owned(), sk.into());
            }
            Place::Branch {
                fork_id,
                fork_start,
                branch_execution_id,
                branch_id,
            } => {
                let fork_start = timestamp(*fork_start);
                let fork = keys::branches_of_fork(fork_start, fork_id);
                let id = &step.step_instance_id;
                record.extend(object(json!({
                    "sk": keys::branch_step(&fork, branch_execution_id, start, id),
                    "branchExecutionId": branch_execution_id,
                    "branchId": branch_id,
                    "parentStepInstanceId": fork_id,
                    "parentStepStartTime": fork_start,
                })));
            }
        }
        if let Some(subflow) = &step.subflow_execution_id {
            record.insert("subflowExecutionId".to_owned(), subflow.clone().into());
        }
        if step.end <= now {
            record.extend(object(json!({
                "status": step.outcome.status(),
                "endTime": time(step.end),
                "durationMs": step.end - step.start,
            })));
            match &step.outcome {
                Outcome::Failed(message) => {
                    record.insert("errorMessage".to_owned(), message.clone().into())
                }
                _ => record.insert("output".to_owned(), step.output.clone()),
            };
        }
        Value::Object(record)
    }

    fn payload(&self, name: &str, value: &Value) -> Value {
        json!({
            "pk": self.pk(),
            "sk": keys::payload(name, 0),
            "value": value,
            "expiresAt": self.expires_at(),
        })
    }

    /// The input, and what each top-level step has added to it.
    fn context(&self) -> Value {
        let mut context = object(json!({"input": self.input}));
        for step in &self.steps {
            if step.place == Place::Top {
                context.insert(step.step_id.to_owned(), step.output.clone());
            }
        }
        Value::Object(context)
    }

    fn pk(&self) -> String {
        format!("EXEC#{}", self.execution_id)
    }

    fn expires_at(&self) -> i64 {
        (self.created + KEPT_MS) / 1_000
    }
}

/// A time as the record format writes it.
fn time(milliseconds: i64) -> String {
    timestamp(milliseconds).to_string()
}

fn timestamp(milliseconds: i64) -> Timestamp {
    Timestamp::from_milliseconds(milliseconds).unwrap_or_else(Timestamp::now)
}

/// The members of a JSON object.
pub(super) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

fn to_item(record: Value) -> Option<Item> {
    serde_dynamo::to_item(record).ok()
}
