//! Steps of a run, forks and branches.

use std::borrow::Borrow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use format::attributes::{
    BRANCH_EXECUTION_ID, EXECUTION_DATA, INPUT, OUTPUT, PARENT_STEP_INSTANCE_ID, STEP_INSTANCE_ID,
};
use format::model::{ExecutionId, StepStatus, Timestamp};
use format::record::{self, FORK, Payload, StepPosition, StepRecord};
use serde::Serialize;

use crate::error::{Error, Result};
use crate::run::{Json, NewRun, Run, id, json, new_id};

/// The step to start.
#[derive(Debug)]
pub struct NewStep {
    step_id: String,
    id: String,
    name: Option<String>,
    kind: Option<String>,
    start_time: Option<Timestamp>,
    retry_count: Option<u64>,
    sequence_number: Option<u64>,
    parent: Option<NewParent>,
    input: Option<Json>,
    data: Option<Json>,
}

/// The step below which a new step runs.
#[derive(Debug)]
struct NewParent {
    id: String,
    /// Its run, and the number of steps below it, if they are known.
    known: Option<(ExecutionId, Arc<AtomicU64>)>,
}

impl NewStep {
    /// Creates a run of the step with this id in the flow's definition.
    pub fn new(step_id: impl Into<String>) -> Self {
        Self {
            step_id: step_id.into(),
            id: new_id(),
            name: None,
            kind: None,
            start_time: None,
            retry_count: None,
            sequence_number: None,
            parent: None,
            input: None,
            data: None,
        }
    }

    /// Sets the id of this run of the step. Together with its start time it identifies the step: a
    /// step with the same id and start time replaces it.
    pub fn id(mut self, step_instance_id: impl Into<String>) -> Self {
        self.id = step_instance_id.into();
        self
    }

    /// Sets the step's name for people.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the kind of the step, as named by the engine.
    pub fn kind(mut self, kind: impl Into<String>) -> Self {
        self.kind = Some(kind.into());
        self
    }

    /// Sets when the step started, if not now.
    pub fn start_time(mut self, start_time: Timestamp) -> Self {
        self.start_time = Some(start_time);
        self
    }

    /// Sets the number of earlier attempts.
    pub fn retry_count(mut self, retry_count: u64) -> Self {
        self.retry_count = Some(retry_count);
        self
    }

    /// Sets the step below which the step runs. It must be a step of the same run. The step is then
    /// in no branch, whether it is started with the run or with a branch.
    pub fn parent(mut self, parent: &Step) -> Self {
        let execution_id = parent.record.execution_id.clone();
        self.parent = Some(NewParent {
            id: parent.id().to_owned(),
            known: Some((execution_id, parent.nested.clone())),
        });
        self
    }

    /// Sets the step below which the step runs, like [`Self::parent`], by its id. The step has no
    /// sequence number unless you set one, because the writer does not know the steps beside it.
    pub fn parent_id(mut self, step_instance_id: impl Into<String>) -> Self {
        self.parent = Some(NewParent {
            id: step_instance_id.into(),
            known: None,
        });
        self
    }

    /// Sets the step's position in the run, in the branch or below its parent, if it is not the next
    /// one.
    pub fn sequence_number(mut self, sequence_number: u64) -> Self {
        self.sequence_number = Some(sequence_number);
        self
    }

    /// Sets the step's input.
    pub fn input(mut self, input: &(impl Serialize + ?Sized)) -> Self {
        self.input = Some(json(input));
        self
    }

    /// Sets other data of the step.
    pub fn data(mut self, data: &(impl Serialize + ?Sized)) -> Self {
        self.data = Some(json(data));
        self
    }

    pub(crate) fn fork(self) -> Self {
        self.kind(FORK)
    }
}

impl NewParent {
    /// Returns the position of the steps below it.
    fn position_in(&self, run: &Run) -> Result<StepPosition> {
        let id = id(PARENT_STEP_INSTANCE_ID, &self.id)?;
        match &self.known {
            Some((execution_id, _)) if execution_id != run.id() => {
                let reason = "use a step of the same run".to_owned();
                Err(Error::invalid(PARENT_STEP_INSTANCE_ID, reason))
            }
            _ => Ok(StepPosition::Below(id)),
        }
    }

    fn next_number(&self) -> Option<u64> {
        let (_, nested) = self.known.as_ref()?;
        Some(nested.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

/// A step that has started. If it is dropped without an end, it stays open in the table, as after a
/// crash of the engine.
#[derive(Debug)]
pub struct Step {
    run: Run,
    record: StepRecord,
    /// Whether the current version of the record was accepted.
    is_accepted: bool,
    /// Whether its end is counted in the run's summary.
    is_counted: bool,
    /// The number of steps that were started below it.
    nested: Arc<AtomicU64>,
}

impl Step {
    pub(crate) async fn start(
        run: &Run,
        position: StepPosition,
        sequence: &AtomicU64,
        new: NewStep,
    ) -> Result<Self> {
        let writer = run.writer();
        let payload =
            |member, json: Option<Json>| json.map(|json| writer.payload(member, json)).transpose();
        let step_instance_id = id(STEP_INSTANCE_ID, &new.id)?;
        let input = payload(INPUT, new.input)?;
        let execution_data = payload(EXECUTION_DATA, new.data)?;
        let parent = new.parent.as_ref();
        let below = parent.map(|parent| parent.position_in(run)).transpose()?;
        let next_number = || match parent {
            None => run.next_number(&position, sequence),
            Some(parent) => parent.next_number(),
        };
        let sequence_number = new.sequence_number.or_else(next_number);
        let position = below.unwrap_or(position);
        let start_time = new.start_time.unwrap_or_else(|| writer.now());
        let (execution_id, status) = (run.id().clone(), StepStatus::Running);
        let record = StepRecord {
            step_id: Some(new.step_id),
            step_name: new.name,
            step_type: new.kind,
            sequence_number,
            retry_count: new.retry_count,
            input,
            execution_data,
            ..StepRecord::new(execution_id, position, step_instance_id, start_time, status)
        };
        let mut step = Self {
            run: run.clone(),
            record,
            is_accepted: false,
            is_counted: false,
            nested: Arc::default(),
        };
        step.accept().await?;
        run.count_start();
        Ok(step)
    }

    /// The id of this run of the step.
    pub fn id(&self) -> &str {
        self.record.step_instance_id.as_str()
    }

    /// When the step started.
    pub fn start_time(&self) -> Timestamp {
        self.record.start_time
    }

    /// Sets other data of the step. It is written with the step's end or before.
    ///
    /// # Errors
    /// Returns [`Error::InvalidPayload`] and [`Error::StepEnded`].
    pub fn set_data(&mut self, data: &(impl Serialize + ?Sized)) -> Result<()> {
        self.record.execution_data = Some(self.payload(EXECUTION_DATA, data)?);
        Ok(())
    }

    /// Sets the step's output. It is written with the step's end.
    ///
    /// # Errors
    /// Returns [`Error::InvalidPayload`] and [`Error::StepEnded`].
    pub fn set_output(&mut self, output: &(impl Serialize + ?Sized)) -> Result<()> {
        self.record.output = Some(self.payload(OUTPUT, output)?);
        Ok(())
    }

    /// Ends the step successfully.
    ///
    /// # Errors
    /// Returns [`Error::StepEnded`] if the step has ended with another status, and
    /// [`Error::Closed`].
    pub async fn complete(&mut self) -> Result<()> {
        self.end(StepStatus::Completed, None).await
    }

    /// Ends the step successfully, with an output.
    ///
    /// # Errors
    /// Returns the errors of [`Self::complete`], and [`Error::InvalidPayload`].
    pub async fn complete_with(&mut self, output: &(impl Serialize + ?Sized)) -> Result<()> {
        self.set_output(output)?;
        self.complete().await
    }

    /// Ends the step with an error.
    ///
    /// # Errors
    /// Returns the errors of [`Self::complete`].
    pub async fn fail(&mut self, error_message: impl Into<String>) -> Result<()> {
        self.end(StepStatus::Failed, Some(error_message.into()))
            .await
    }

    /// Ends the step as skipped: it was not run, because the flow took another path.
    ///
    /// # Errors
    /// Returns the errors of [`Self::complete`].
    pub async fn skip(&mut self) -> Result<()> {
        self.end(StepStatus::Skipped, None).await
    }

    /// Ends the step as cancelled together with its run.
    ///
    /// # Errors
    /// Returns the errors of [`Self::complete`].
    pub async fn cancel(&mut self) -> Result<()> {
        self.end(StepStatus::Cancelled, None).await
    }

    /// Starts a sub-flow of the step's run: a run of the same team, which is shown with the step
    /// and the run.
    ///
    /// # Errors
    /// Returns the errors of [`crate::Writer::start`].
    pub async fn start_subflow(&mut self, new: impl Borrow<NewRun>) -> Result<Run> {
        let step = self.record.step_instance_id.clone();
        let subflow = self.run.start_with_parent(Some(step), new.borrow()).await?;
        self.record.subflow_execution_id = Some(subflow.id().clone());
        self.accept().await?;
        Ok(subflow)
    }

    async fn end(&mut self, status: StepStatus, error_message: Option<String>) -> Result<()> {
        if self.record.end_time.is_none() {
            self.record.status = status;
            self.record.error_message = error_message;
            // If the clock was set back, the step ends at its start.
            let now = self.run.writer().now();
            self.record.end_time = Some(now.max(self.record.start_time));
            self.is_accepted = false;
        }
        let ended = self.record.status;
        if ended != status {
            let status = ended.as_str();
            return Err(Error::StepEnded { status });
        }
        // An earlier call may have been cancelled while the record waited for space.
        if !self.is_accepted {
            self.accept().await?;
        }
        if !self.is_counted {
            self.is_counted = true;
            self.run.count_end(status);
        }
        Ok(())
    }

    fn payload(&self, member: &'static str, value: &(impl Serialize + ?Sized)) -> Result<Payload> {
        if self.record.end_time.is_some() {
            let status = self.record.status.as_str();
            return Err(Error::StepEnded { status });
        }
        self.run.writer().payload(member, json(value))
    }

    /// Submits the current version of the step's record, and its large payloads once.
    async fn accept(&mut self) -> Result<()> {
        let record = &mut self.record;
        let mut items: Vec<_> = record.payload_items().collect();
        items.push(record.item().map_err(Error::Table)?);
        self.run.writer().accept(items).await?;
        self.is_accepted = true;
        let payloads = [
            &mut record.input,
            &mut record.output,
            &mut record.execution_data,
        ];
        for payload in payloads {
            // It has its own items and need not stay in memory.
            payload.take_if(|payload| payload.native().is_none());
        }
        Ok(())
    }
}

/// A step with parallel branches.
#[derive(Debug)]
pub struct Fork(pub(crate) Step);

impl Fork {
    /// Creates a branch of the fork, by its name in the flow's definition, with a new id. A branch
    /// has no record; the records of its steps contain it.
    ///
    /// # Panics
    /// Never, because a generated id is valid.
    pub fn branch(&self, branch_id: impl Into<String>) -> Branch {
        let branch = self.branch_with_id(branch_id, &new_id());
        branch.expect("a UUID is an id")
    }

    /// Creates a branch of the fork with an id from the engine.
    ///
    /// # Errors
    /// Returns [`Error::InvalidRecord`] if the id is not valid.
    pub fn branch_with_id(
        &self,
        branch_id: impl Into<String>,
        branch_execution_id: &str,
    ) -> Result<Branch> {
        Ok(Branch {
            run: self.0.run.clone(),
            position: record::BranchPosition {
                parent_step_start_time: self.0.record.start_time,
                parent_step_instance_id: self.0.record.step_instance_id.clone(),
                branch_execution_id: id(BRANCH_EXECUTION_ID, branch_execution_id)?,
                branch_id: Some(branch_id.into()),
            },
            sequence: Arc::default(),
        })
    }

    /// Ends the fork successfully.
    ///
    /// # Errors
    /// Returns the errors of [`Step::complete`].
    pub async fn join(mut self) -> Result<()> {
        self.0.complete().await
    }

    /// Ends the fork with an error.
    ///
    /// # Errors
    /// Returns the errors of [`Step::fail`].
    pub async fn fail(mut self, error_message: impl Into<String>) -> Result<()> {
        self.0.fail(error_message).await
    }

    /// The fork's step.
    pub fn step(&mut self) -> &mut Step {
        &mut self.0
    }
}

/// One run of a parallel branch. Clones are the same branch.
#[derive(Debug, Clone)]
pub struct Branch {
    run: Run,
    position: record::BranchPosition,
    sequence: Arc<AtomicU64>,
}

impl Branch {
    /// Starts a step of the branch.
    ///
    /// # Errors
    /// Returns the errors of [`Run::start_step`].
    pub async fn start_step(&self, new: NewStep) -> Result<Step> {
        let position = StepPosition::Branch(self.position.clone());
        Step::start(&self.run, position, &self.sequence, new).await
    }

    /// Starts a fork inside the branch.
    ///
    /// # Errors
    /// Returns the errors of [`Run::start_step`].
    pub async fn fork(&self, new: NewStep) -> Result<Fork> {
        Ok(Fork(self.start_step(new.fork()).await?))
    }

    /// The id of this run of the branch.
    pub fn id(&self) -> &str {
        self.position.branch_execution_id.as_str()
    }
}
