//! A run of a flow, from its start to its end.

use std::borrow::Borrow;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use serde::Serialize;
use shared::keys;
use shared::model::{
    Execution, ExecutionId, FlowId, InvalidId, Item, Status, StepInstanceId, StepStatus,
    StepSummary, TeamId, Timestamp,
};
use shared::payload::RunPayload;
use shared::record::{
    ExecutionRecord, FlowVersion, MAX_EXECUTION_ERROR_BYTES, Parent, Payload, Place,
    UnwritablePayload, shortened,
};
use shared::store::{from_sdk, key};
use shared::table::text;
use uuid::Uuid;

use crate::error::{Error, RefusedRecord, Result};
use crate::outcome::{Ended, Outcome};
use crate::step::{Fork, NewStep, Step};
use crate::writer::Inner;

/// The team of runs that name none.
const DEFAULT_TEAM: &str = "default";

/// A new id. They are in the order of time.
pub(crate) fn new_id() -> String {
    Uuid::now_v7().to_string()
}

/// Reads an id that the engine has named.
pub(crate) fn id<T>(member: &'static str, text: &str) -> Result<T>
where
    T: std::str::FromStr<Err = InvalidId>,
{
    text.parse()
        .map_err(|reason: InvalidId| Error::invalid(member, reason.to_string()))
}

/// A value as the JSON that becomes a payload, or why it cannot be JSON.
pub(crate) type Json = std::result::Result<String, String>;

/// What `value` is as JSON.
pub(crate) fn json(value: &(impl Serialize + ?Sized)) -> Json {
    serde_json::to_string(value).map_err(|error| UnwritablePayload::from(error).to_string())
}

/// The run that an engine is about to start. It has its id from the beginning, and its
/// start from the first attempt on, so that the same can be started again after an
/// [`Error::Unavailable`].
#[derive(Debug)]
pub struct NewRun {
    flow_id: String,
    team_id: String,
    execution_id: String,
    created_at: Option<Timestamp>,
    flow_name: Option<String>,
    flow_version: Option<FlowVersion>,
    device_id: Option<String>,
    trigger: Option<String>,
    labels: BTreeMap<String, String>,
    timeout_at: Option<Timestamp>,
    expires_at: Option<i64>,
    input: Option<Json>,
    /// When it was first tried.
    begun: OnceLock<Timestamp>,
}

impl NewRun {
    /// A run of a flow, of the team `default`, with an id of its own.
    pub fn new(flow_id: impl Into<String>) -> Self {
        Self {
            flow_id: flow_id.into(),
            team_id: DEFAULT_TEAM.to_owned(),
            execution_id: new_id(),
            created_at: None,
            flow_name: None,
            flow_version: None,
            device_id: None,
            trigger: None,
            labels: BTreeMap::new(),
            timeout_at: None,
            expires_at: None,
            input: None,
            begun: OnceLock::new(),
        }
    }

    /// The run's own id. An engine that starts its runs again after a crash names it, and so
    /// goes on with the run that it had begun.
    pub fn execution_id(mut self, execution_id: impl Into<String>) -> Self {
        self.execution_id = execution_id.into();
        self
    }

    /// The team that the run is of.
    pub fn team_id(mut self, team_id: impl Into<String>) -> Self {
        self.team_id = team_id.into();
        self
    }

    /// When the run was asked for, where that is not now.
    pub fn created_at(mut self, created_at: Timestamp) -> Self {
        self.created_at = Some(created_at);
        self
    }

    /// The flow's name for people.
    pub fn flow_name(mut self, flow_name: impl Into<String>) -> Self {
        self.flow_name = Some(flow_name.into());
        self
    }

    /// The flow's version, a number or a text.
    pub fn flow_version(mut self, flow_version: impl Into<FlowVersion>) -> Self {
        self.flow_version = Some(flow_version.into());
        self
    }

    /// The device that the run concerns.
    pub fn device_id(mut self, device_id: impl Into<String>) -> Self {
        self.device_id = Some(device_id.into());
        self
    }

    /// What started the run: `WEBHOOK`, `SCHEDULE`, `MANUAL`, `API`, ….
    pub fn trigger(mut self, trigger: impl Into<String>) -> Self {
        self.trigger = Some(trigger.into());
        self
    }

    /// A search key, such as `orderId`. A run is found by its first ten, by name.
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.insert(name.into(), value.into());
        self
    }

    /// When the run, still open, has timed out.
    pub fn timeout_at(mut self, timeout_at: Timestamp) -> Self {
        self.timeout_at = Some(timeout_at);
        self
    }

    /// The second since 1970 began from which the run's record is gone.
    pub fn expires_at(mut self, seconds: i64) -> Self {
        self.expires_at = Some(seconds);
        self
    }

    /// What the run is given.
    pub fn input(mut self, input: &(impl Serialize + ?Sized)) -> Self {
        self.input = Some(json(input));
        self
    }

    /// The record of the run, below another if it has been started by one.
    fn record(&self, now: Timestamp, below: Option<&Below>) -> Result<ExecutionRecord> {
        if self.labels.contains_key("") {
            return Err(Error::invalid("labels", "a label has a name"));
        }
        let team_id = match below {
            Some(below) => below.team_id.clone(),
            None => id("teamId", &self.team_id)?,
        };
        let device_id = self.device_id.as_deref();
        let device_id = device_id.map(|device_id| id("deviceId", device_id));
        Ok(ExecutionRecord {
            flow_name: self.flow_name.clone(),
            flow_version: self.flow_version.clone(),
            parent: below.map(|below| below.parent.clone()),
            device_id: device_id.transpose()?,
            trigger: self.trigger.clone(),
            start_time: Some(now),
            labels: self.labels.clone(),
            timeout_at: self.timeout_at,
            expires_at: self.expires_at,
            ..ExecutionRecord::new(
                id("executionId", &self.execution_id)?,
                team_id,
                id("flowId", &self.flow_id)?,
                self.created_at.unwrap_or(now),
                Status::Running,
            )
        })
    }
}

/// What starts a sub-flow.
pub(crate) struct Below {
    parent: Parent,
    team_id: TeamId,
}

/// A run that is open, or was when it was last heard of. Clones are the same run.
#[derive(Debug, Clone)]
pub struct Run(Arc<State>);

#[derive(Debug)]
struct State {
    writer: Arc<Inner>,
    execution_id: ExecutionId,
    team_id: TeamId,
    flow_id: FlowId,
    created_at: Timestamp,
    start_time: Timestamp,
    is_resumed: bool,
    counted: Mutex<Counted>,
    sequence: AtomicU64,
    finish: tokio::sync::Mutex<Finish>,
    /// How the run had ended when it was last written to.
    ended: Mutex<Option<Ended>>,
}

/// What became of the run's end so far.
#[derive(Debug, Default)]
struct Finish {
    /// As what, and when, it was to end. Kept, so that an end whose answer was lost is
    /// known again.
    attempt: Option<(Status, Timestamp)>,
    /// What the first end came to.
    outcome: Option<Outcome>,
    /// What the table has refused, until it is told.
    refused: Vec<RefusedRecord>,
}

#[derive(Debug, Default)]
struct Counted {
    total: u64,
    passed: u64,
    failed: u64,
}

/// What a conditional write came to, where the table has answered.
enum Answer {
    Written,
    /// Its condition did not hold; the item as it stands.
    Refused(Option<Item>),
}

impl Run {
    pub(crate) async fn start(
        writer: Arc<Inner>,
        new: &NewRun,
        below: Option<Below>,
    ) -> Result<Self> {
        if writer.buffer.is_closed() {
            return Err(Error::Closed);
        }
        let begun = *new.begun.get_or_init(|| writer.now());
        let record = new.record(begun, below.as_ref())?;
        // It stays there for another attempt.
        let input = new.input.clone();
        let input = input
            .map(|input| writer.payload("input", input))
            .transpose()?;
        let item = record.item().map_err(Error::Table)?;
        let answer = writer
            .persistently(|| put_new(&writer, item.clone()))
            .await?;
        let existing = match answer {
            Answer::Written => None,
            // The answer to an earlier attempt was lost.
            Answer::Refused(Some(existing)) if existing == item => None,
            Answer::Refused(existing) => Some(existing),
        };
        let is_resumed = existing.is_some();
        let (created_at, start_time) = match existing {
            None => (record.created_at, record.start_time),
            Some(existing) => resumed(existing, &record)?,
        };
        let run = Self(Arc::new(State {
            writer,
            execution_id: record.execution_id,
            team_id: record.team_id,
            flow_id: record.flow_id,
            created_at,
            start_time: start_time.unwrap_or(created_at),
            is_resumed,
            counted: Mutex::default(),
            sequence: AtomicU64::new(0),
            finish: tokio::sync::Mutex::default(),
            ended: Mutex::default(),
        }));
        if let Some(input) = input {
            run.accept_payload(RunPayload::Input, &input).await?;
        }
        Ok(run)
    }

    /// The run's id.
    pub fn execution_id(&self) -> &str {
        self.0.execution_id.as_str()
    }

    /// The flow that it is a run of.
    pub fn flow_id(&self) -> &str {
        self.0.flow_id.as_str()
    }

    /// When it was asked for.
    pub fn created_at(&self) -> Timestamp {
        self.0.created_at
    }

    /// Whether it was there already when it was started. Of such a run the writer does
    /// not know how many steps it has: they are counted when somebody asks, and their
    /// sequence numbers are those that the engine names.
    pub fn is_resumed(&self) -> bool {
        self.0.is_resumed
    }

    /// Starts a step of the run.
    ///
    /// # Errors
    /// Those of [`Error`] about the record, and [`Error::Closed`].
    pub async fn start_step(&self, new: NewStep) -> Result<Step> {
        Step::start(self, Place::TopLevel, &self.0.sequence, new).await
    }

    /// Starts a fork: a step with parallel branches below it.
    ///
    /// # Errors
    /// As [`Self::start_step`].
    pub async fn fork(&self, new: NewStep) -> Result<Fork> {
        Ok(Fork(self.start_step(new.fork()).await?))
    }

    /// Starts a sub-flow that no step stands for. See [`Step::start_subflow`].
    ///
    /// # Errors
    /// As [`crate::Writer::start`].
    pub async fn start_subflow(&self, new: impl Borrow<NewRun>) -> Result<Self> {
        self.start_below(None, new.borrow()).await
    }

    pub(crate) async fn start_below(
        &self,
        step_instance_id: Option<StepInstanceId>,
        new: &NewRun,
    ) -> Result<Self> {
        let parent = Parent {
            execution_id: self.0.execution_id.clone(),
            step_instance_id,
        };
        let team_id = self.0.team_id.clone();
        Self::start(self.0.writer.clone(), new, Some(Below { parent, team_id })).await
    }

    /// What the run gives back. Written within a moment, at the latest with its end.
    ///
    /// # Errors
    /// [`Error::InvalidPayload`] and [`Error::Closed`].
    pub async fn set_output(&self, output: &(impl Serialize + ?Sized)) -> Result<()> {
        self.set_payload(RunPayload::Output, output).await
    }

    /// The resolved context at the run's end. Written as [`Self::set_output`].
    ///
    /// # Errors
    /// [`Error::InvalidPayload`] and [`Error::Closed`].
    pub async fn set_context(&self, context: &(impl Serialize + ?Sized)) -> Result<()> {
        self.set_payload(RunPayload::Context, context).await
    }

    /// What else there is to know of the run. Written as [`Self::set_output`].
    ///
    /// # Errors
    /// [`Error::InvalidPayload`] and [`Error::Closed`].
    pub async fn set_data(&self, data: &(impl Serialize + ?Sized)) -> Result<()> {
        self.set_payload(RunPayload::Data, data).await
    }

    async fn set_payload(
        &self,
        which: RunPayload,
        value: &(impl Serialize + ?Sized),
    ) -> Result<()> {
        let payload = self.0.writer.payload(which.name(), json(value))?;
        self.accept_payload(which, &payload).await
    }

    async fn accept_payload(&self, which: RunPayload, payload: &Payload) -> Result<()> {
        let items = payload.items(&self.0.execution_id, which.name());
        self.0.writer.accept(items).await
    }

    /// Writes a sign of life, and tells whether the run is to go on.
    ///
    /// # Errors
    /// [`Error::Unavailable`] and [`Error::Table`].
    pub async fn heartbeat(&self) -> Result<Outcome> {
        let changes = HashMap::from([("heartbeatAt", text(self.0.writer.now().to_string()))]);
        Ok(match self.update_open(changes).await? {
            Answer::Written => Outcome::Written,
            Answer::Refused(item) => self.ended_as(Ended::of(item)),
        })
    }

    /// How the run has ended without this writer's doing, as far as a write to it has met
    /// that. Asks nobody.
    pub fn ended(&self) -> Option<Ended> {
        lock(&self.0.ended).clone()
    }

    fn ended_as(&self, ended: Ended) -> Outcome {
        *lock(&self.0.ended) = Some(ended.clone());
        Outcome::Ended(ended)
    }

    /// Ends the run well. All that was written to it before is in the table then.
    ///
    /// # Errors
    /// [`Error::Unavailable`] and [`Error::Table`]; [`Error::Refused`] where the table has
    /// refused records of this writer: the run has then ended all the same, and the same
    /// call once more tells how.
    pub async fn complete(&self) -> Result<Outcome> {
        self.end(Status::Completed, HashMap::new()).await
    }

    /// Ends the run by an error. See [`Self::complete`].
    ///
    /// # Errors
    /// Those of [`Self::complete`].
    pub async fn fail(&self, error_message: impl AsRef<str>) -> Result<Outcome> {
        let error = shortened(error_message.as_ref(), MAX_EXECUTION_ERROR_BYTES);
        self.end(
            Status::Failed,
            HashMap::from([("errorMessage", text(error))]),
        )
        .await
    }

    /// Ends the run as one that was cancelled through the engine: by whom, and why. See
    /// [`Self::complete`].
    ///
    /// # Errors
    /// Those of [`Self::complete`].
    pub async fn cancel(&self, by: Option<&str>, reason: Option<&str>) -> Result<Outcome> {
        let members = [("cancelledBy", by), ("cancelReason", reason)];
        let members = members.into_iter().filter_map(|(name, value)| {
            let value = shortened(value?, MAX_EXECUTION_ERROR_BYTES);
            Some((name, text(value)))
        });
        self.end(Status::Cancelled, members.collect()).await
    }

    async fn end(
        &self,
        status: Status,
        mut changes: HashMap<&'static str, AttributeValue>,
    ) -> Result<Outcome> {
        let mut finish = self.0.finish.lock().await;
        if let Some(outcome) = &finish.outcome {
            return Ok(outcome.clone());
        }
        // A run is not kept open by records that the table will never take.
        match self.0.writer.buffer.flush().await {
            Err(Error::Refused(refused)) => finish.refused.extend(refused),
            flushed => flushed?,
        }
        let attempt = finish.attempt.filter(|(earlier, _)| *earlier == status);
        // A clock that was set back ends nothing before it began.
        let now = || self.0.writer.now().max(self.0.start_time);
        let (_, end_time) = attempt.unwrap_or_else(|| (status, now()));
        finish.attempt = Some((status, end_time));
        let duration_ms = end_time.milliseconds() - self.0.start_time.milliseconds();
        changes.insert("status", text(status.as_str()));
        changes.insert("endTime", text(end_time.to_string()));
        let duration = AttributeValue::N(duration_ms.max(0).to_string());
        changes.insert("durationMs", duration);
        if let Some(summary) = self.step_summary() {
            changes.insert("stepSummary", summary);
        }
        let outcome = match self.update_open(changes).await? {
            Answer::Written => Outcome::Written,
            Answer::Refused(item) => {
                let ended = Ended::of(item);
                // The answer to an earlier attempt was lost.
                let is_ours = (ended.status, ended.end_time) == (Some(status), Some(end_time));
                match is_ours {
                    true => Outcome::Written,
                    false => self.ended_as(ended),
                }
            }
        };
        finish.outcome = Some(outcome.clone());
        match std::mem::take(&mut finish.refused) {
            refused if refused.is_empty() => Ok(outcome),
            refused => Err(Error::Refused(refused)),
        }
    }

    /// Changes the run's record if the run is open.
    async fn update_open(&self, changes: HashMap<&str, AttributeValue>) -> Result<Answer> {
        let state = &self.0;
        let mut sets = Vec::with_capacity(changes.len());
        let mut names = HashMap::from([("#status".to_owned(), "status".to_owned())]);
        let mut values = HashMap::from([
            (":pending".to_owned(), text(Status::Pending.as_str())),
            (":running".to_owned(), text(Status::Running.as_str())),
        ]);
        for (name, value) in changes {
            sets.push(format!("#{name} = :{name}"));
            names.insert(format!("#{name}"), name.to_owned());
            values.insert(format!(":{name}"), value);
        }
        let expression = format!("SET {}", sets.join(", "));
        let request = || async {
            let partition = keys::execution_partition(&state.execution_id);
            let answer = state
                .writer
                .client
                .update_item()
                .table_name(&state.writer.table)
                .set_key(Some(key(partition, keys::EXECUTION)))
                .update_expression(&expression)
                .condition_expression("#status IN (:pending, :running)")
                .set_expression_attribute_names(Some(names.clone()))
                .set_expression_attribute_values(Some(values.clone()))
                .return_values_on_condition_check_failure(
                    ReturnValuesOnConditionCheckFailure::AllOld,
                )
                .send()
                .await;
            match answer {
                Ok(_) => Ok(Answer::Written),
                Err(error) => match error.as_service_error() {
                    Some(UpdateItemError::ConditionalCheckFailedException(refused)) => {
                        Ok(Answer::Refused(refused.item.clone()))
                    }
                    _ => Err(from_sdk(error)),
                },
            }
        };
        state.writer.persistently(request).await
    }

    fn step_summary(&self) -> Option<AttributeValue> {
        if self.0.is_resumed {
            return None;
        }
        let counted = lock(&self.0.counted);
        let summary = StepSummary {
            total: Some(counted.total),
            passed: Some(counted.passed),
            failed: Some(counted.failed),
        };
        serde_dynamo::to_attribute_value(summary).ok()
    }

    pub(crate) fn count_start(&self) {
        lock(&self.0.counted).total += 1;
    }

    pub(crate) fn count_end(&self, status: StepStatus) {
        let mut counted = lock(&self.0.counted);
        match status {
            StepStatus::Completed => counted.passed += 1,
            StepStatus::Failed => counted.failed += 1,
            _ => {}
        }
    }

    pub(crate) fn writer(&self) -> &Inner {
        &self.0.writer
    }

    pub(crate) fn id(&self) -> &ExecutionId {
        &self.0.execution_id
    }

    /// The number of the next step of a run or branch, unless the writer cannot know it.
    pub(crate) fn next_number(&self, place: &Place, sequence: &AtomicU64) -> Option<u64> {
        let is_known = !self.0.is_resumed || matches!(place, Place::Branch(_));
        is_known.then(|| sequence.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

/// The value behind a lock. A panic inside one leaves nothing half done here.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Inner {
    pub(crate) fn payload(&self, member: &'static str, json: Json) -> Result<Payload> {
        let inline = self.options.inline_payload_bytes;
        json.and_then(|json| Payload::from_json(json, inline).map_err(|error| error.to_string()))
            .map_err(|reason| Error::InvalidPayload { member, reason })
    }
}

async fn put_new(writer: &Inner, item: Item) -> shared::Result<Answer> {
    let answer = writer
        .client
        .put_item()
        .table_name(&writer.table)
        .set_item(Some(item))
        .condition_expression("attribute_not_exists(pk)")
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .send()
        .await;
    match answer {
        Ok(_) => Ok(Answer::Written),
        Err(error) => match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(refused)) => {
                Ok(Answer::Refused(refused.item.clone()))
            }
            _ => Err(from_sdk(error)),
        },
    }
}

/// The times of the run that is there already, if it is one that can be gone on with.
fn resumed(
    existing: Option<Item>,
    new: &ExecutionRecord,
) -> Result<(Timestamp, Option<Timestamp>)> {
    let ended = Ended::of(existing.clone());
    let existing = existing.and_then(Execution::from_item);
    let is = |text: &Option<String>, expected: &str| text.as_deref() == Some(expected);
    let Some(existing) = existing.filter(|existing| {
        is(&existing.team_id, new.team_id.as_str()) && is(&existing.flow_id, new.flow_id.as_str())
    }) else {
        return Err(Error::IdTaken {
            execution_id: new.execution_id.to_string(),
        });
    };
    if existing.status.is_some_and(Status::is_terminal) {
        return Err(Error::RunEnded(ended));
    }
    let created_at = existing.created_at.unwrap_or(new.created_at);
    Ok((created_at, existing.start_time))
}
