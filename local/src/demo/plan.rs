//! A planned run: computes its records at any point in time.

use serde_json::{Map, Value, json};
use shared::keys;
use shared::model::{Item, Timestamp};

/// How long demo records are kept after the start of their run, in milliseconds.
const KEPT_MS: i64 = 45 * 24 * 3_600 * 1_000;

/// How a run or a step ends.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Ending {
    Completed,
    Failed(String),
    Cancelled,
    Skipped,
}

impl Ending {
    fn status(&self) -> &'static str {
        match self {
            Self::Completed => "COMPLETED",
            Self::Failed(_) => "FAILED",
            Self::Cancelled => "CANCELLED",
            Self::Skipped => "SKIPPED",
        }
    }
}

/// The position of a step in a run.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum PlannedPosition {
    Top,
    Branch {
        fork_id: String,
        fork_start: i64,
        branch_execution_id: String,
        branch_id: &'static str,
    },
}

/// A step, from its start to its end. All times are in Unix milliseconds.
#[derive(Debug, Clone)]
pub(super) struct PlannedStep {
    pub(super) position: PlannedPosition,
    pub(super) step_instance_id: String,
    pub(super) step_id: &'static str,
    pub(super) name: &'static str,
    pub(super) kind: &'static str,
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) outcome: Ending,
    pub(super) retry_count: u32,
    pub(super) input: Value,
    pub(super) output: Value,
    pub(super) subflow_execution_id: Option<String>,
}

/// A run, from its start to its end.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) execution_id: String,
    /// The attributes that do not change: flow, trigger, labels, device, parent.
    pub(super) attributes: Map<String, Value>,
    pub(super) created: i64,
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) outcome: Ending,
    pub(super) steps: Vec<PlannedStep>,
    pub(super) input: Value,
}

impl Plan {
    /// Whether the run has ended.
    pub(super) fn has_ended_at(&self, now: Timestamp) -> bool {
        self.end <= now.milliseconds()
    }

    /// Returns the items of the run at that time.
    pub(super) fn items_at(&self, now: Timestamp) -> Vec<Item> {
        let records = self.records_at(now).into_iter();
        records
            .filter_map(|record| serde_dynamo::to_item(record).ok())
            .collect()
    }

    /// Returns the records of the run at that time, the execution first.
    pub(super) fn records_at(&self, now: Timestamp) -> Vec<Value> {
        let now = now.milliseconds();
        if now < self.created {
            return Vec::new();
        }
        let mut records = vec![self.execution_at(now), self.payload("input", &self.input)];
        let started = self
            .steps
            .iter()
            .enumerate()
            .filter(|(_, step)| step.start <= now);
        records.extend(started.map(|(position, step)| self.step_at(position, step, now)));
        if self.end <= now && self.outcome == Ending::Completed {
            let output = self
                .steps
                .last()
                .map_or(Value::Null, |step| step.output.clone());
            records.push(self.payload("context", &self.context()));
            records.push(self.payload("output", &output));
        }
        records
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
            // Rounded to ten seconds, because a heartbeat does not need a write in every tick.
            record.insert("heartbeatAt".to_owned(), time(now / 10_000 * 10_000).into());
        }
        if self.end <= now {
            record.extend(self.end_of_execution());
        }
        Value::Object(record)
    }

    fn end_of_execution(&self) -> Map<String, Value> {
        let count = |outcome: fn(&Ending) -> bool| {
            self.steps
                .iter()
                .filter(|step| outcome(&step.outcome))
                .count()
        };
        let mut end = object(json!({
            "status": self.outcome.status(),
            "endTime": time(self.end),
            "durationMs": self.end - self.start,
            "stepSummary": {
                "total": self.steps.len(),
                "passed": count(|outcome| *outcome == Ending::Completed),
                "failed": count(|outcome| matches!(outcome, Ending::Failed(_))),
            },
        }));
        match &self.outcome {
            Ending::Failed(message) => {
                end.insert("errorMessage".to_owned(), message.clone().into());
            }
            Ending::Cancelled => {
                end.extend(object(json!({
                    "cancelledBy": "maria@example.com",
                    "cancelReason": "Started twice by mistake.",
                })));
            }
            Ending::Completed | Ending::Skipped => {}
        }
        end
    }

    fn step_at(&self, index: usize, step: &PlannedStep, now: i64) -> Value {
        let mut record = object(json!({
            "pk": self.pk(),
            "stepInstanceId": step.step_instance_id,
            "stepId": step.step_id,
            "stepName": step.name,
            "stepType": step.kind,
            "sequenceNumber": index + 1,
            "status": "RUNNING",
            "startTime": time(step.start),
            "retryCount": step.retry_count,
            "input": step.input,
            "expiresAt": self.expires_at(),
        }));
        record.extend(step.address());
        if let Some(subflow) = &step.subflow_execution_id {
            record.insert("subflowExecutionId".to_owned(), subflow.clone().into());
        }
        if step.end <= now {
            record.extend(step.ending());
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

    /// Returns the input, extended by the output of each top-level step.
    fn context(&self) -> Value {
        let mut context = object(json!({"input": self.input}));
        for step in &self.steps {
            if step.position == PlannedPosition::Top {
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

impl PlannedStep {
    /// The sort key and, for a step in a branch, the attributes that name the branch.
    fn address(&self) -> Map<String, Value> {
        let start = timestamp(self.start);
        let id = &self.step_instance_id;
        match &self.position {
            PlannedPosition::Top => object(json!({"sk": keys::step(start, id)})),
            PlannedPosition::Branch {
                fork_id,
                fork_start,
                branch_execution_id,
                branch_id,
            } => {
                let fork_start = timestamp(*fork_start);
                let fork = keys::branches_of_fork(fork_start, fork_id);
                object(json!({
                    "sk": keys::branch_step(&fork, branch_execution_id, start, id),
                    "branchExecutionId": branch_execution_id,
                    "branchId": branch_id,
                    "parentStepInstanceId": fork_id,
                    "parentStepStartTime": fork_start,
                }))
            }
        }
    }

    fn ending(&self) -> Map<String, Value> {
        let mut end = object(json!({
            "status": self.outcome.status(),
            "endTime": time(self.end),
            "durationMs": self.end - self.start,
        }));
        match &self.outcome {
            Ending::Failed(message) => {
                end.insert("errorMessage".to_owned(), message.clone().into());
            }
            _ => {
                end.insert("output".to_owned(), self.output.clone());
            }
        }
        end
    }
}

/// Formats a time as the record format requires.
fn time(milliseconds: i64) -> String {
    timestamp(milliseconds).to_string()
}

fn timestamp(milliseconds: i64) -> Timestamp {
    Timestamp::from_milliseconds(milliseconds).unwrap_or_else(Timestamp::now)
}

/// Returns the members of a JSON object.
pub(super) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}
