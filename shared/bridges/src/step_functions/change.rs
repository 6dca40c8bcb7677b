//! The report of EventBridge about an execution: the event [`Step Functions Execution
//! Status Change`].
//!
//! [`Step Functions Execution Status Change`]: https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html

use std::collections::BTreeMap;

use aws_smithy_types::DateTime;
use format::model::{ExecutionId, FlowId, MAX_ID_LENGTH, Status, TeamId, Timestamp, is_id};
use format::record::{ExecutionRecord, FlowVersion, Parent};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::Failure;

/// The source and the type of the events that are imported.
const SOURCE: &str = "aws.states";
const DETAIL_TYPE: &str = "Step Functions Execution Status Change";

/// The error of an execution or a task that timed out.
pub const TIMEOUT: &str = "States.Timeout";

/// The trigger of every imported run.
const TRIGGER: &str = "STEP_FUNCTIONS";

/// The member of a nested execution's input that names the execution that started it. AWS
/// associates the executions in the same way.
const STARTED_BY: &str = "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID";

/// Why a message is not a change of an execution's status.
#[derive(Debug, thiserror::Error)]
pub enum NotAChange {
    /// The event is of another kind, which is not imported.
    #[error("the event is of another kind: {0}")]
    Foreign(String),
    /// The event cannot be parsed.
    #[error("the event cannot be parsed: {0}")]
    Malformed(String),
}

#[derive(Deserialize)]
struct Event {
    #[serde(default)]
    source: String,
    #[serde(default, rename = "detail-type")]
    detail_type: String,
    #[serde(default)]
    detail: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detail {
    execution_arn: String,
    state_machine_arn: String,
    name: String,
    status: String,
    start_date: Moment,
    stop_date: Option<Moment>,
    input: Option<String>,
    output: Option<String>,
    state_machine_version_arn: Option<String>,
    state_machine_alias_arn: Option<String>,
    redrive_count: Option<u32>,
    redrive_date: Option<Moment>,
    error: Option<String>,
    cause: Option<String>,
}

impl Detail {
    fn parse(event: &str) -> Result<Self, NotAChange> {
        let malformed = |error: serde_json::Error| NotAChange::Malformed(error.to_string());
        let event: Event = serde_json::from_str(event).map_err(malformed)?;
        if event.source != SOURCE || event.detail_type != DETAIL_TYPE {
            let kind = format!("{} of {}", event.detail_type, event.source);
            return Err(NotAChange::Foreign(kind));
        }
        serde_json::from_value(event.detail).map_err(malformed)
    }

    /// When the execution was started or, for a redrive, redriven.
    fn started_at(&self) -> Option<Timestamp> {
        match self.redrive_count.unwrap_or_default() {
            0 => self.start_date.to_timestamp(),
            _ => self.redrive_date.as_ref()?.to_timestamp(),
        }
    }

    /// The version's number, or else the alias.
    fn version(&self) -> Option<String> {
        let qualifier_in = |arn: &Option<String>| {
            let (_, qualifier) = parse_name(arn.as_deref()?, "stateMachine")?;
            qualifier.map(str::to_owned)
        };
        qualifier_in(&self.state_machine_version_arn)
            .or_else(|| qualifier_in(&self.state_machine_alias_arn))
    }
}

/// A time in an event. AWS's samples contain Unix milliseconds, and no sample of a redrive.
/// Texts are accepted too.
#[derive(Deserialize)]
#[serde(untagged)]
enum Moment {
    Milliseconds(i64),
    Text(String),
}

impl Moment {
    fn to_timestamp(&self) -> Option<Timestamp> {
        match self {
            Self::Milliseconds(milliseconds) => to_timestamp(*milliseconds),
            Self::Text(text) => Timestamp::first_of(text),
        }
    }
}

/// A change of an execution's status.
#[derive(Debug, Clone, PartialEq)]
pub struct StatusChange {
    /// The execution.
    pub execution_arn: String,
    /// The name of its state machine, without a version or an alias.
    state_machine: String,
    name: String,
    version: Option<String>,
    /// The new status; `None` for a status without a meaning in the history.
    pub status: Option<Status>,
    /// When it was started or, for a redrive, redriven.
    started_at: Timestamp,
    ended_at: Option<Timestamp>,
    /// The execution's input, if the event contains it: EventBridge omits large texts.
    pub input: Option<String>,
    /// The execution's output, if it has one and the event contains it.
    pub output: Option<String>,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// The number of redrives so far.
    pub redrives: u32,
}

impl StatusChange {
    /// Parses an event in the form in which EventBridge puts it into the queue.
    ///
    /// # Errors
    /// See [`NotAChange`].
    pub fn parse(event: &str) -> Result<Self, NotAChange> {
        let malformed = |reason: String| NotAChange::Malformed(reason);
        let detail = Detail::parse(event)?;
        let arn = &detail.state_machine_arn;
        let (state_machine, qualifier) = parse_name(arn, "stateMachine")
            .ok_or_else(|| malformed(format!("{arn} is not the ARN of a state machine")))?;
        let execution = &detail.execution_arn;
        if !is_execution(execution) {
            let reason = format!("{execution} is not the ARN of an execution");
            return Err(malformed(reason));
        }
        let started_at = detail
            .started_at()
            .ok_or_else(|| malformed("the start time is missing or invalid".to_owned()))?;
        Ok(Self {
            state_machine: state_machine.to_owned(),
            version: detail.version().or_else(|| qualifier.map(str::to_owned)),
            status: to_status(&detail.status),
            failure: Failure::new(
                detail.error.or_else(|| timeout_error(&detail.status)),
                detail.cause,
            ),
            ended_at: detail.stop_date.and_then(|end| end.to_timestamp()),
            execution_arn: detail.execution_arn,
            name: detail.name,
            input: detail.input,
            output: detail.output,
            started_at,
            redrives: detail.redrive_count.unwrap_or_default(),
        })
    }

    /// When the run was started.
    pub fn started_at(&self) -> Timestamp {
        self.started_at
    }

    /// Returns the run's id: see [`to_execution_id`]. A redrive is a separate run, because
    /// an ended run is final.
    pub fn execution_id(&self) -> ExecutionId {
        match self.redrives {
            0 => to_execution_id(&self.execution_arn),
            count => to_execution_id(&format!("{}:redrive:{count}", self.execution_arn)),
        }
    }

    /// Creates the record of the run with this status, from the data in the event.
    pub fn record(&self, team_id: &TeamId, status: Status, input: Option<&str>) -> ExecutionRecord {
        let id = self.execution_id();
        let flow_id = to_flow_id(&self.state_machine);
        let mut record =
            ExecutionRecord::new(id, team_id.clone(), flow_id, self.started_at, status);
        record.flow_name = Some(self.state_machine.clone());
        record.flow_version = self.version.clone().map(FlowVersion::from);
        record.trigger = Some(TRIGGER.to_owned());
        record.start_time = Some(self.started_at);
        record.end_time = self.ended_at.filter(|_| status.is_terminal());
        record.parent = input.and_then(find_parent);
        record.labels = self.labels();
        record
    }

    fn labels(&self) -> BTreeMap<String, String> {
        let mut labels = BTreeMap::from([("executionName".to_owned(), self.name.clone())]);
        let is_hashed = !is_id(&self.execution_arn);
        if is_hashed {
            labels.insert("executionArn".to_owned(), self.execution_arn.clone());
        }
        if self.redrives > 0 {
            let original = to_execution_id(&self.execution_arn).to_string();
            labels.insert("redriveOf".to_owned(), original);
        }
        labels
    }
}

/// Parses an ARN of this kind: returns the name, and the version or alias that follows it.
fn parse_name<'a>(arn: &'a str, kind: &str) -> Option<(&'a str, Option<&'a str>)> {
    let mut parts = arn.split(':');
    let is_of_the_kind =
        parts.next()? == "arn" && parts.nth(1)? == "states" && parts.nth(2)? == kind;
    let name = parts.next().filter(|name| !name.is_empty())?;
    is_of_the_kind.then(|| (name, parts.next()))
}

/// Whether a text is the ARN of an execution.
fn is_execution(arn: &str) -> bool {
    matches!(parse_name(arn, "execution"), Some((_, Some(name))) if !name.is_empty())
}

/// Returns the id of an execution's run: the execution's ARN or, if that is not a valid id
/// of the record format, its hash.
pub fn to_execution_id(arn: &str) -> ExecutionId {
    let hash = || {
        let hash = Sha256::digest(arn);
        let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("sfn:{hash}").parse()
    };
    let id = arn.parse().or_else(|_| hash());
    id.unwrap_or_else(|_| unreachable!("a prefix and hexadecimal digits are an id"))
}

/// Returns the run that a Step Functions task has started, from the task's output.
pub fn started_execution(output: &str) -> Option<ExecutionId> {
    // The service and its SDK integration use different names.
    #[derive(Deserialize)]
    struct Started {
        #[serde(rename = "ExecutionArn", alias = "executionArn")]
        execution_arn: String,
    }

    let started: Started = serde_json::from_str(output).ok()?;
    is_execution(&started.execution_arn).then(|| to_execution_id(&started.execution_arn))
}

fn find_parent(input: &str) -> Option<Parent> {
    let input: BTreeMap<String, &RawValue> = serde_json::from_str(input).ok()?;
    let arn: String = serde_json::from_str(input.get(STARTED_BY)?.get()).ok()?;
    is_execution(&arn).then(|| Parent {
        execution_id: to_execution_id(&arn),
        step_instance_id: None,
    })
}

/// Converts a text to an id: characters that are not allowed become `-`.
pub fn to_id_text(text: &str) -> String {
    let allowed = |character: char| match character {
        'A'..='Z' | 'a'..='z' | '0'..='9' | '.' | '_' | ':' | '@' | '/' | '+' | '=' | '-' => {
            character
        }
        _ => '-',
    };
    text.chars().map(allowed).take(MAX_ID_LENGTH).collect()
}

fn to_flow_id(state_machine: &str) -> FlowId {
    let id = to_id_text(state_machine).parse();
    id.unwrap_or_else(|_| unreachable!("a name is not empty, and all of it is allowed"))
}

fn to_status(status: &str) -> Option<Status> {
    match status {
        "RUNNING" => Some(Status::Running),
        "SUCCEEDED" => Some(Status::Completed),
        "FAILED" | "TIMED_OUT" => Some(Status::Failed),
        "ABORTED" => Some(Status::Cancelled),
        // Includes `PENDING_REDRIVE`, the status of an execution that a Map Run will
        // redrive, and future statuses. A later event contains the important change.
        _ => None,
    }
}

/// Returns the error of an execution that timed out without reporting an error.
fn timeout_error(status: &str) -> Option<String> {
    (status == "TIMED_OUT").then(|| TIMEOUT.to_owned())
}

/// Returns a time that the record format supports.
fn to_timestamp(milliseconds: i64) -> Option<Timestamp> {
    let moment = Timestamp::from_milliseconds(milliseconds)?;
    Timestamp::first_of(&moment.to_string())
}

/// Returns the time of an event in a history. Step Functions writes seconds with three
/// decimal digits; as a binary fraction the value may be slightly smaller, so it is
/// rounded.
pub fn event_time(time: &DateTime) -> Option<Timestamp> {
    let milliseconds = (time.as_nanos() + 500_000).div_euclid(1_000_000);
    to_timestamp(i64::try_from(milliseconds).ok()?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const EXECUTION: &str = "arn:aws:states:eu-west-1:123456789012:execution:orders:run-1";

    fn event(changes: Value) -> String {
        let mut detail = json!({
            "executionArn": EXECUTION,
            "stateMachineArn": "arn:aws:states:eu-west-1:123456789012:stateMachine:orders",
            "name": "run-1", "status": "RUNNING", "startDate": 1_551_225_271_984_i64,
            "stopDate": null, "input": "{}", "inputDetails": {"included": true},
        });
        for (name, value) in changes.as_object().expect("members") {
            detail[name] = value.clone();
        }
        json!({"source": SOURCE, "detail-type": DETAIL_TYPE, "detail": detail}).to_string()
    }

    fn change(changes: Value) -> StatusChange {
        StatusChange::parse(&event(changes)).expect("a change")
    }

    #[test]
    fn an_arn_that_is_not_an_id_is_hashed_and_kept_as_a_label() {
        assert_eq!(to_execution_id(EXECUTION).as_str(), EXECUTION);
        let long = format!("{EXECUTION}{}", "x".repeat(80));
        let id = to_execution_id(&long);
        assert!(
            id.as_str().starts_with("sfn:") && id.as_str().len() == 68,
            "{id}"
        );
        assert_ne!(to_execution_id(&format!("{EXECUTION}-ü")), id);
        let change = change(json!({"executionArn": long}));
        assert_eq!(change.labels()["executionArn"], long);
    }

    #[test]
    fn a_redrive_is_a_separate_run() {
        let first = change(json!({"redriveCount": 0, "redriveDate": null}));
        assert_eq!(first.execution_id().as_str(), EXECUTION);
        let second = change(json!({"redriveCount": 2, "redriveDate": 1_551_300_000_000_i64}));
        assert_eq!(
            second.execution_id().to_string(),
            format!("{EXECUTION}:redrive:2")
        );
        assert_eq!(second.labels()["redriveOf"], EXECUTION);
        assert_eq!(second.started_at.to_string(), "2019-02-27T20:40:00.000Z");
        let text = change(json!({"redriveCount": 2, "redriveDate": "2019-02-27T20:40:00Z"}));
        assert_eq!(text, second);
    }

    #[test]
    fn the_version_is_the_number_or_else_the_alias() {
        let arn = |name: &str| {
            format!("arn:aws:states:eu-west-1:123456789012:stateMachine:orders:{name}")
        };
        let both = change(json!({
            "stateMachineVersionArn": arn("3"), "stateMachineAliasArn": arn("PROD"),
        }));
        assert_eq!(both.version.as_deref(), Some("3"));
        let alias = change(json!({"stateMachineAliasArn": arn("PROD")}));
        assert_eq!(alias.version.as_deref(), Some("PROD"));
        assert_eq!(change(json!({})).version, None);
    }

    #[test]
    fn an_execution_that_names_its_parent_is_a_sub_flow() {
        let parent = find_parent(&json!({STARTED_BY: EXECUTION, "a": 1}).to_string());
        let parent = parent.expect("a parent");
        assert_eq!(parent.execution_id.as_str(), EXECUTION);
        for input in ["", "[]", "{}", &json!({STARTED_BY: "x"}).to_string()] {
            assert_eq!(find_parent(input), None, "{input}");
        }
    }

    #[test]
    fn malformed_events_differ_from_foreign_events() {
        for changes in [
            json!({"executionArn": "x"}),
            json!({"stateMachineArn": "arn:aws:states:a:b:stateMachine:"}),
            json!({"startDate": "yesterday"}),
            json!({"startDate": i64::MAX}),
            json!({"redriveCount": 1}),
        ] {
            let refused = StatusChange::parse(&event(changes.clone()));
            assert!(
                matches!(refused, Err(NotAChange::Malformed(_))),
                "{changes}"
            );
        }
        let foreign = event(json!({})).replace(DETAIL_TYPE, "Other");
        for other in [foreign.as_str(), "{}"] {
            let refused = StatusChange::parse(other);
            assert!(matches!(refused, Err(NotAChange::Foreign(_))), "{other}");
        }
    }
}
