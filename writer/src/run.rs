//! A run of a flow, from its start to its end.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_sdk_dynamodb::types::AttributeValue;
use format::attributes::{HEARTBEAT_AT, INPUT, TEAM_ID, text};
use format::keys;
use format::model::{
    Execution, ExecutionId, FlowId, InvalidId, Item, Status, StepInstanceId, StepStatus, TeamId,
    Timestamp,
};
use format::payload::RunPayload;
use format::record::{ExecutionRecord, Parent, Payload, StepPosition, UnwritablePayload};
use serde::Serialize;
use store::{Attempt, Condition, Update};
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::outcome::{Ended, Outcome};
use crate::step::{Fork, NewStep, Step};
use crate::writer::Inner;

mod end;
mod new_run;

use end::EndState;
pub use new_run::NewRun;

/// Creates an id. Ids are ordered by time.
pub(crate) fn new_id() -> String {
    Uuid::now_v7().to_string()
}

/// Parses an id from the engine.
pub(crate) fn id<T>(member: &'static str, text: &str) -> Result<T>
where
    T: std::str::FromStr<Err = InvalidId>,
{
    text.parse()
        .map_err(|reason: InvalidId| Error::invalid(member, reason.to_string()))
}

/// A value as JSON for a payload, or why it cannot be JSON.
pub(crate) type Json = std::result::Result<String, String>;

/// Converts a value to JSON.
pub(crate) fn json(value: &(impl Serialize + ?Sized)) -> Json {
    serde_json::to_string(value).map_err(|error| UnwritablePayload::from(error).to_string())
}

/// The parent of a sub-flow.
pub(crate) struct SubflowParent {
    parent: Parent,
    team_id: TeamId,
}

/// A run that was open at the last contact with the table. Clones are the same run.
#[derive(Debug, Clone)]
pub struct Run(Arc<RunState>);

#[derive(Debug)]
struct RunState {
    writer: Arc<Inner>,
    execution_id: ExecutionId,
    team_id: TeamId,
    flow_id: FlowId,
    created_at: Timestamp,
    start_time: Timestamp,
    is_resumed: bool,
    step_counts: Mutex<StepCounts>,
    sequence: AtomicU64,
    end_state: tokio::sync::Mutex<EndState>,
    /// How the run had ended, if the last write found that it had.
    ended: Mutex<Option<Ended>>,
}

#[derive(Debug, Default)]
struct StepCounts {
    total: u64,
    passed: u64,
    failed: u64,
}

impl Run {
    pub(crate) async fn start(
        writer: Arc<Inner>,
        new: &NewRun,
        parent: Option<SubflowParent>,
    ) -> Result<Self> {
        if writer.buffer.is_closed() {
            return Err(Error::Closed);
        }
        let started = *new.started.get_or_init(|| writer.now());
        let record = new.record(started, parent.as_ref())?;
        // The input stays in `new` for another attempt.
        let input = new.input.clone();
        let input = input
            .map(|input| writer.payload(INPUT, input))
            .transpose()?;
        let existing = create(&writer, &record).await?;
        let is_resumed = existing.is_some();
        let (created_at, start_time) = match existing {
            None => (record.created_at, record.start_time),
            Some(existing) => resume(existing, &record)?,
        };
        let run = Self(Arc::new(RunState {
            writer,
            execution_id: record.execution_id,
            team_id: record.team_id,
            flow_id: record.flow_id,
            created_at,
            start_time: start_time.unwrap_or(created_at),
            is_resumed,
            step_counts: Mutex::default(),
            sequence: AtomicU64::new(0),
            end_state: tokio::sync::Mutex::default(),
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

    /// The flow of the run.
    pub fn flow_id(&self) -> &str {
        self.0.flow_id.as_str()
    }

    /// When the run was created.
    pub fn created_at(&self) -> Timestamp {
        self.0.created_at
    }

    /// Whether the run existed before it was started. The writer does not know the number of steps
    /// of such a run: its summary is not written but counted when it is read, and only the engine
    /// can give its steps sequence numbers.
    pub fn is_resumed(&self) -> bool {
        self.0.is_resumed
    }

    /// Starts a step of the run.
    ///
    /// # Errors
    /// Returns the errors of [`Error`] about the record, and [`Error::Closed`].
    pub async fn start_step(&self, new: NewStep) -> Result<Step> {
        Step::start(self, StepPosition::TopLevel, &self.0.sequence, new).await
    }

    /// Starts a fork: a step with parallel branches.
    ///
    /// # Errors
    /// Returns the errors of [`Self::start_step`].
    pub async fn fork(&self, new: NewStep) -> Result<Fork> {
        Ok(Fork(self.start_step(new.fork()).await?))
    }

    /// Starts a sub-flow that no step represents. See [`Step::start_subflow`].
    ///
    /// # Errors
    /// Returns the errors of [`crate::Writer::start`].
    pub async fn start_subflow(&self, new: impl Borrow<NewRun>) -> Result<Self> {
        self.start_with_parent(None, new.borrow()).await
    }

    pub(crate) async fn start_with_parent(
        &self,
        step_instance_id: Option<StepInstanceId>,
        new: &NewRun,
    ) -> Result<Self> {
        let parent = Parent {
            execution_id: self.0.execution_id.clone(),
            step_instance_id,
        };
        let team_id = self.0.team_id.clone();
        Self::start(
            self.0.writer.clone(),
            new,
            Some(SubflowParent { parent, team_id }),
        )
        .await
    }

    /// Sets the run's output. It is written soon, at the latest with the run's end.
    ///
    /// # Errors
    /// Returns [`Error::InvalidPayload`] and [`Error::Closed`].
    pub async fn set_output(&self, output: &(impl Serialize + ?Sized)) -> Result<()> {
        self.set_payload(RunPayload::Output, output).await
    }

    /// Sets the resolved context at the run's end. It is written like [`Self::set_output`].
    ///
    /// # Errors
    /// Returns [`Error::InvalidPayload`] and [`Error::Closed`].
    pub async fn set_context(&self, context: &(impl Serialize + ?Sized)) -> Result<()> {
        self.set_payload(RunPayload::Context, context).await
    }

    /// Sets other data of the run. It is written like [`Self::set_output`].
    ///
    /// # Errors
    /// Returns [`Error::InvalidPayload`] and [`Error::Closed`].
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

    /// Writes a heartbeat, and returns whether the run must stop because it has ended or was
    /// deleted.
    ///
    /// # Errors
    /// Returns [`Error::OtherTeam`] if the id now belongs to another team, [`Error::Unavailable`]
    /// and [`Error::Table`].
    pub async fn heartbeat(&self) -> Result<Outcome> {
        let changes = HashMap::from([(HEARTBEAT_AT, text(self.0.writer.now().to_string()))]);
        Ok(match self.update_open(changes).await? {
            Attempt::Written => Outcome::Written,
            Attempt::Refused(item) => self.ended_as(Ended::from_item(item)),
        })
    }

    /// How the run ended other than by this writer, if an earlier write found that it had. Sends no
    /// request.
    pub fn ended(&self) -> Option<Ended> {
        lock(&self.0.ended).clone()
    }

    fn ended_as(&self, ended: Ended) -> Outcome {
        *lock(&self.0.ended) = Some(ended.clone());
        Outcome::Ended(ended)
    }

    /// Changes the run's record if the run belongs to this team and is open.
    async fn update_open(&self, changes: HashMap<&str, AttributeValue>) -> Result<Attempt> {
        let state = &self.0;
        let partition = keys::execution_partition(&state.execution_id);
        let update = Update::new(partition, keys::EXECUTION);
        let update = changes
            .into_iter()
            .fold(update, |update, (name, value)| update.set(name, value))
            .only_if(Condition::open(&state.team_id));
        let request = || state.writer.store.update_or_read(update.clone());
        let answer = state.writer.persistently(request).await?;
        if let Attempt::Refused(Some(found)) = &answer
            && !is_of_team(found, &state.team_id)
        {
            return Err(Error::OtherTeam {
                execution_id: state.execution_id.to_string(),
            });
        }
        Ok(answer)
    }

    pub(crate) fn count_start(&self) {
        lock(&self.0.step_counts).total += 1;
    }

    pub(crate) fn count_end(&self, status: StepStatus) {
        let mut step_counts = lock(&self.0.step_counts);
        match status {
            StepStatus::Completed => step_counts.passed += 1,
            StepStatus::Failed => step_counts.failed += 1,
            _ => {}
        }
    }

    pub(crate) fn writer(&self) -> &Inner {
        &self.0.writer
    }

    pub(crate) fn id(&self) -> &ExecutionId {
        &self.0.execution_id
    }

    /// The number of the next step of a run or branch. `None` for a step of a resumed run, whose
    /// steps the writer does not know.
    pub(crate) fn next_number(&self, position: &StepPosition, sequence: &AtomicU64) -> Option<u64> {
        let is_known = !self.0.is_resumed || matches!(position, StepPosition::Branch(_));
        is_known.then(|| sequence.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

/// Locks a value. A panic while the lock is held leaves no inconsistent state here.
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

/// Returns whether a run's record belongs to this team.
fn is_of_team(run: &Item, team_id: &TeamId) -> bool {
    let found = run.get(TEAM_ID).and_then(|found| found.as_s().ok());
    found.is_some_and(|found| found == team_id.as_str())
}

/// Creates the record of a run. Returns `None` if it was created, otherwise the response to the
/// refused write: the existing item, if DynamoDB returned it.
async fn create(writer: &Inner, record: &ExecutionRecord) -> Result<Option<Option<Item>>> {
    let item = record.item().map_err(Error::Table)?;
    let answer = writer
        .persistently(|| writer.store.put_or_read(item.clone(), Condition::absent()))
        .await?;
    Ok(match answer {
        Attempt::Written => None,
        // The response to an earlier attempt was lost.
        Attempt::Refused(Some(existing)) if existing == item => None,
        Attempt::Refused(existing) => Some(existing),
    })
}

/// Checks that the existing run can be resumed. Returns its creation and start times.
fn resume(existing: Option<Item>, new: &ExecutionRecord) -> Result<(Timestamp, Option<Timestamp>)> {
    let execution_id = new.execution_id.to_string();
    if let Some(existing) = &existing
        && !is_of_team(existing, &new.team_id)
    {
        return Err(Error::OtherTeam { execution_id });
    }
    let ended = Ended::from_item(existing.clone());
    let existing = existing.and_then(Execution::from_item);
    let is_same = |flow_id: &Option<String>| flow_id.as_deref() == Some(new.flow_id.as_str());
    let Some(existing) = existing.filter(|existing| is_same(&existing.flow_id)) else {
        return Err(Error::IdTaken { execution_id });
    };
    if existing.status.is_some_and(Status::is_terminal) {
        return Err(Error::RunEnded(ended));
    }
    let created_at = existing.created_at.unwrap_or(new.created_at);
    Ok((created_at, existing.start_time))
}
