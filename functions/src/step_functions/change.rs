//! What EventBridge tells of an execution: the event [`Step Functions Execution Status
//! Change`].
//!
//! [`Step Functions Execution Status Change`]: https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html

use std::collections::BTreeMap;

use aws_smithy_types::DateTime;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use shared::model::{ExecutionId, FlowId, MAX_ID_LENGTH, Status, TeamId, Timestamp, is_id};
use shared::record::{ExecutionRecord, FlowVersion, Parent};

use super::Failure;

/// The source and the type of the events that are followed.
const SOURCE: &str = "aws.states";
const DETAIL_TYPE: &str = "Step Functions Execution Status Change";

/// The error of what took too long.
pub const TIMEOUT: &str = "States.Timeout";

/// The trigger of every imported run.
const TRIGGER: &str = "STEP_FUNCTIONS";

/// The member of a nested execution's input by which AWS, too, associates it with the
/// one that started it.
const STARTED_BY: &str = "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID";

/// A message that is no change of an execution's status.
#[derive(Debug, thiserror::Error)]
pub enum NotAChange {
    /// It is of another kind, and nobody waits for it.
    #[error("the event is of another kind: {0}")]
    Foreign(String),
    /// It cannot be read.
    #[error("the event cannot be read: {0}")]
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

/// A moment in an event. AWS's samples have milliseconds since 1970, and there is none
/// of a redrive's; a text can be read as well.
#[derive(Deserialize)]
#[serde(untagged)]
enum Moment {
    Milliseconds(i64),
    Text(String),
}

impl Moment {
    fn read(&self) -> Option<Timestamp> {
        match self {
            Self::Milliseconds(milliseconds) => moment(*milliseconds),
            Self::Text(text) => Timestamp::first_of(text),
        }
    }
}

/// A change of an execution's status.
#[derive(Debug, Clone, PartialEq)]
pub struct StatusChange {
    /// The execution.
    pub execution_arn: String,
    /// What it is of, without a version or an alias.
    state_machine: String,
    name: String,
    version: Option<String>,
    /// The new status; `None` where it is one that has no meaning for the history.
    pub status: Option<Status>,
    /// When it was started or, of a redrive, redriven.
    began: Timestamp,
    ended: Option<Timestamp>,
    /// What it was given, where the event has it: EventBridge leaves large texts out.
    pub input: Option<String>,
    /// What it gave back, where it has, and where the event has it.
    pub output: Option<String>,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// How often it had been redriven.
    pub redrives: u32,
}

impl StatusChange {
    /// Reads an event as EventBridge puts it into the queue.
    ///
    /// # Errors
    /// See [`NotAChange`].
    pub fn of(event: &str) -> Result<Self, NotAChange> {
        let malformed = |reason: String| NotAChange::Malformed(reason);
        let event: Event =
            serde_json::from_str(event).map_err(|error| malformed(error.to_string()))?;
        if event.source != SOURCE || event.detail_type != DETAIL_TYPE {
            let kind = format!("{} of {}", event.detail_type, event.source);
            return Err(NotAChange::Foreign(kind));
        }
        let detail: Detail =
            serde_json::from_value(event.detail).map_err(|error| malformed(error.to_string()))?;
        let arn = &detail.state_machine_arn;
        let (state_machine, qualifier) = name_of(arn, "stateMachine")
            .ok_or_else(|| malformed(format!("{arn} is not the ARN of a state machine")))?;
        let execution = &detail.execution_arn;
        if !is_execution(execution) {
            let reason = format!("{execution} is not the ARN of an execution");
            return Err(malformed(reason));
        }
        let redrives = detail.redrive_count.unwrap_or_default();
        let began = match redrives {
            0 => Some(detail.start_date),
            _ => detail.redrive_date,
        };
        let began = began.and_then(|began| began.read());
        let began = began.ok_or_else(|| malformed("it does not say when it began".to_owned()))?;
        let qualifier_of = |arn: &Option<String>| {
            let (_, qualifier) = name_of(arn.as_deref()?, "stateMachine")?;
            qualifier.map(str::to_owned)
        };
        let version = qualifier_of(&detail.state_machine_version_arn)
            .or_else(|| qualifier_of(&detail.state_machine_alias_arn));
        Ok(Self {
            state_machine: state_machine.to_owned(),
            version: version.or_else(|| qualifier.map(str::to_owned)),
            status: status_of(&detail.status),
            failure: Failure::of(
                detail.error.or_else(|| time_out(&detail.status)),
                detail.cause,
            ),
            ended: detail.stop_date.and_then(|ended| ended.read()),
            execution_arn: detail.execution_arn,
            name: detail.name,
            input: detail.input,
            output: detail.output,
            began,
            redrives,
        })
    }

    /// When the run began.
    pub fn began(&self) -> Timestamp {
        self.began
    }

    /// The run's id: see [`execution_id_of`]. A redrive is a run of its own, as an
    /// ended run has ended for good.
    pub fn execution_id(&self) -> ExecutionId {
        match self.redrives {
            0 => execution_id_of(&self.execution_arn),
            count => execution_id_of(&format!("{}:redrive:{count}", self.execution_arn)),
        }
    }

    /// The run with this status, as far as the event tells of it.
    pub fn record(&self, team_id: &TeamId, status: Status, input: Option<&str>) -> ExecutionRecord {
        let id = self.execution_id();
        let flow_id = flow_id_of(&self.state_machine);
        let mut record = ExecutionRecord::new(id, team_id.clone(), flow_id, self.began, status);
        record.flow_name = Some(self.state_machine.clone());
        record.flow_version = self.version.clone().map(FlowVersion::from);
        record.trigger = Some(TRIGGER.to_owned());
        record.start_time = Some(self.began);
        record.end_time = self.ended.filter(|_| status.is_terminal());
        record.parent = input.and_then(parent_of);
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
            let original = execution_id_of(&self.execution_arn).to_string();
            labels.insert("redriveOf".to_owned(), original);
        }
        labels
    }
}

/// The name, and the version or alias behind it, in an ARN of this kind.
fn name_of<'a>(arn: &'a str, kind: &str) -> Option<(&'a str, Option<&'a str>)> {
    let mut parts = arn.split(':');
    let is_of_the_kind =
        parts.next()? == "arn" && parts.nth(1)? == "states" && parts.nth(2)? == kind;
    let name = parts.next().filter(|name| !name.is_empty())?;
    is_of_the_kind.then(|| (name, parts.next()))
}

/// Whether a text is the ARN of an execution.
fn is_execution(arn: &str) -> bool {
    matches!(name_of(arn, "execution"), Some((_, Some(name))) if !name.is_empty())
}

/// The id of the run of an execution: its ARN or, where that is no id of the record
/// format, the hash of it.
pub fn execution_id_of(arn: &str) -> ExecutionId {
    let hash = || {
        let hash = Sha256::digest(arn);
        let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("sfn:{hash}").parse()
    };
    let id = arn.parse().or_else(|_| hash());
    id.unwrap_or_else(|_| unreachable!("a prefix and hexadecimal digits are an id"))
}

/// The run that a task of Step Functions itself has started, of what the task gave back.
pub fn started_by_a_task(output: &str) -> Option<ExecutionId> {
    // The names are those of the service, or of an SDK of it.
    #[derive(Deserialize)]
    struct Started {
        #[serde(rename = "ExecutionArn", alias = "executionArn")]
        execution_arn: String,
    }

    let started: Started = serde_json::from_str(output).ok()?;
    is_execution(&started.execution_arn).then(|| execution_id_of(&started.execution_arn))
}

fn parent_of(input: &str) -> Option<Parent> {
    let input: BTreeMap<String, &RawValue> = serde_json::from_str(input).ok()?;
    let arn: String = serde_json::from_str(input.get(STARTED_BY)?.get()).ok()?;
    is_execution(&arn).then(|| Parent {
        execution_id: execution_id_of(&arn),
        step_instance_id: None,
    })
}

/// A text as an id: of what no id may have, `-` stands in place.
pub fn id_text(text: &str) -> String {
    let allowed = |character: char| match character {
        'A'..='Z' | 'a'..='z' | '0'..='9' | '.' | '_' | ':' | '@' | '/' | '+' | '=' | '-' => {
            character
        }
        _ => '-',
    };
    text.chars().map(allowed).take(MAX_ID_LENGTH).collect()
}

fn flow_id_of(state_machine: &str) -> FlowId {
    let id = id_text(state_machine).parse();
    id.unwrap_or_else(|_| unreachable!("a name is not empty, and all of it is allowed"))
}

fn status_of(status: &str) -> Option<Status> {
    match status {
        "RUNNING" => Some(Status::Running),
        "SUCCEEDED" => Some(Status::Completed),
        "FAILED" | "TIMED_OUT" => Some(Status::Failed),
        "ABORTED" => Some(Status::Cancelled),
        // `PENDING_REDRIVE`, of an execution that a Map Run will redrive, and what AWS
        // may think of: what matters comes with another event.
        _ => None,
    }
}

/// The error of an execution for which its time ran out, and no other is told.
fn time_out(status: &str) -> Option<String> {
    (status == "TIMED_OUT").then(|| TIMEOUT.to_owned())
}

/// A moment that the record format can write.
fn moment(milliseconds: i64) -> Option<Timestamp> {
    let moment = Timestamp::from_milliseconds(milliseconds)?;
    Timestamp::first_of(&moment.to_string())
}

/// The moment of an event of a history. Step Functions writes seconds with three digits
/// behind the point, which as a binary fraction can be a little less.
pub fn moment_of(time: &DateTime) -> Option<Timestamp> {
    let milliseconds = (time.as_nanos() + 500_000).div_euclid(1_000_000);
    moment(i64::try_from(milliseconds).ok()?)
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
        StatusChange::of(&event(changes)).expect("a change")
    }

    #[test]
    fn an_arn_that_is_no_id_is_hashed_and_kept_as_a_label() {
        assert_eq!(execution_id_of(EXECUTION).as_str(), EXECUTION);
        let long = format!("{EXECUTION}{}", "x".repeat(80));
        let id = execution_id_of(&long);
        assert!(
            id.as_str().starts_with("sfn:") && id.as_str().len() == 68,
            "{id}"
        );
        assert_ne!(execution_id_of(&format!("{EXECUTION}-ü")), id);
        let change = change(json!({"executionArn": long}));
        assert_eq!(change.labels()["executionArn"], long);
    }

    #[test]
    fn a_redrive_is_a_run_of_its_own() {
        let first = change(json!({"redriveCount": 0, "redriveDate": null}));
        assert_eq!(first.execution_id().as_str(), EXECUTION);
        let second = change(json!({"redriveCount": 2, "redriveDate": 1_551_300_000_000_i64}));
        assert_eq!(
            second.execution_id().to_string(),
            format!("{EXECUTION}:redrive:2")
        );
        assert_eq!(second.labels()["redriveOf"], EXECUTION);
        assert_eq!(second.began.to_string(), "2019-02-27T20:40:00.000Z");
        let text = change(json!({"redriveCount": 2, "redriveDate": "2019-02-27T20:40:00Z"}));
        assert_eq!(text, second);
    }

    #[test]
    fn the_version_is_that_of_the_number_then_of_the_alias() {
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
    fn what_names_its_parent_is_a_sub_flow() {
        let parent = parent_of(&json!({STARTED_BY: EXECUTION, "a": 1}).to_string());
        let parent = parent.expect("a parent");
        assert_eq!(parent.execution_id.as_str(), EXECUTION);
        for input in ["", "[]", "{}", &json!({STARTED_BY: "x"}).to_string()] {
            assert_eq!(parent_of(input), None, "{input}");
        }
    }

    #[test]
    fn what_is_no_change_is_told_from_what_is_none_of_ours() {
        for changes in [
            json!({"executionArn": "x"}),
            json!({"stateMachineArn": "arn:aws:states:a:b:stateMachine:"}),
            json!({"startDate": "yesterday"}),
            json!({"startDate": i64::MAX}),
            json!({"redriveCount": 1}),
        ] {
            let refused = StatusChange::of(&event(changes.clone()));
            assert!(
                matches!(refused, Err(NotAChange::Malformed(_))),
                "{changes}"
            );
        }
        let foreign = event(json!({})).replace(DETAIL_TYPE, "Other");
        for other in [foreign.as_str(), "{}"] {
            let refused = StatusChange::of(other);
            assert!(matches!(refused, Err(NotAChange::Foreign(_))), "{other}");
        }
    }
}
