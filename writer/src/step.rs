//! A step of a run, a fork, and the branches below it.

use std::borrow::Borrow;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use serde::Serialize;
use shared::model::{StepStatus, Timestamp};
use shared::record::{self, FORK, Payload, Place, StepRecord};

use crate::error::{Error, Result};
use crate::run::{Json, NewRun, Run, id, json, new_id};

/// The step that an engine is about to start.
#[derive(Debug)]
pub struct NewStep {
    step_id: String,
    id: String,
    name: Option<String>,
    kind: Option<String>,
    start_time: Option<Timestamp>,
    retry_count: Option<u64>,
    sequence_number: Option<u64>,
    input: Option<Json>,
    data: Option<Json>,
}

impl NewStep {
    /// A run of the step that has this id in the flow's definition.
    pub fn new(step_id: impl Into<String>) -> Self {
        Self {
            step_id: step_id.into(),
            id: new_id(),
            name: None,
            kind: None,
            start_time: None,
            retry_count: None,
            sequence_number: None,
            input: None,
            data: None,
        }
    }

    /// The id of this run of the step. Together with its start it is the step's identity:
    /// the same two again replace the step.
    pub fn id(mut self, step_instance_id: impl Into<String>) -> Self {
        self.id = step_instance_id.into();
        self
    }

    /// Its name for people.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// What kind of step it is, in the engine's words.
    pub fn kind(mut self, kind: impl Into<String>) -> Self {
        self.kind = Some(kind.into());
        self
    }

    /// When it began, where that is not now.
    pub fn start_time(mut self, start_time: Timestamp) -> Self {
        self.start_time = Some(start_time);
        self
    }

    /// How many attempts went before this one.
    pub fn retry_count(mut self, retry_count: u64) -> Self {
        self.retry_count = Some(retry_count);
        self
    }

    /// Its place in the run or branch, where that is not the next.
    pub fn sequence_number(mut self, sequence_number: u64) -> Self {
        self.sequence_number = Some(sequence_number);
        self
    }

    /// What it is given.
    pub fn input(mut self, input: &(impl Serialize + ?Sized)) -> Self {
        self.input = Some(json(input));
        self
    }

    /// What else there is to know of it.
    pub fn data(mut self, data: &(impl Serialize + ?Sized)) -> Self {
        self.data = Some(json(data));
        self
    }

    pub(crate) fn fork(self) -> Self {
        self.kind(FORK)
    }
}

/// A step that has begun. Dropped without an end, it stays open in the table, as after a
/// crash of the engine.
#[derive(Debug)]
pub struct Step {
    run: Run,
    record: StepRecord,
    /// Whether the record has been taken as it is now.
    is_accepted: bool,
    /// Whether its end is in the run's summary.
    is_counted: bool,
}

impl Step {
    pub(crate) async fn start(
        run: &Run,
        place: Place,
        sequence: &AtomicU64,
        new: NewStep,
    ) -> Result<Self> {
        let writer = run.writer();
        let payload =
            |member, json: Option<Json>| json.map(|json| writer.payload(member, json)).transpose();
        let step_instance_id = id("stepInstanceId", &new.id)?;
        let input = payload("input", new.input)?;
        let execution_data = payload("executionData", new.data)?;
        let next_number = || run.next_number(&place, sequence);
        let sequence_number = new.sequence_number.or_else(next_number);
        let start_time = new.start_time.unwrap_or_else(|| writer.now());
        let status = StepStatus::Running;
        let record = StepRecord {
            step_id: Some(new.step_id),
            step_name: new.name,
            step_type: new.kind,
            sequence_number,
            retry_count: new.retry_count,
            input,
            execution_data,
            ..StepRecord::new(
                run.id().clone(),
                place,
                step_instance_id,
                start_time,
                status,
            )
        };
        let mut step = Self {
            run: run.clone(),
            record,
            is_accepted: false,
            is_counted: false,
        };
        step.accept().await?;
        run.count_start();
        Ok(step)
    }

    /// The id of this run of the step.
    pub fn id(&self) -> &str {
        self.record.step_instance_id.as_str()
    }

    /// When it began.
    pub fn start_time(&self) -> Timestamp {
        self.record.start_time
    }

    /// What else there is to know of the step. Written with its end, or before.
    ///
    /// # Errors
    /// [`Error::InvalidPayload`], and [`Error::StepEnded`].
    pub fn set_data(&mut self, data: &(impl Serialize + ?Sized)) -> Result<()> {
        self.record.execution_data = Some(self.payload("executionData", data)?);
        Ok(())
    }

    /// What the step gives back. Written with its end.
    ///
    /// # Errors
    /// [`Error::InvalidPayload`], and [`Error::StepEnded`].
    pub fn set_output(&mut self, output: &(impl Serialize + ?Sized)) -> Result<()> {
        self.record.output = Some(self.payload("output", output)?);
        Ok(())
    }

    /// Ends the step well.
    ///
    /// # Errors
    /// [`Error::StepEnded`] where it has ended in another way, and [`Error::Closed`].
    pub async fn complete(&mut self) -> Result<()> {
        self.end(StepStatus::Completed, None).await
    }

    /// Ends the step well, with what it gives back.
    ///
    /// # Errors
    /// Those of [`Self::complete`], and [`Error::InvalidPayload`].
    pub async fn complete_with(&mut self, output: &(impl Serialize + ?Sized)) -> Result<()> {
        self.set_output(output)?;
        self.complete().await
    }

    /// Ends the step by an error.
    ///
    /// # Errors
    /// Those of [`Self::complete`].
    pub async fn fail(&mut self, error_message: impl Into<String>) -> Result<()> {
        self.end(StepStatus::Failed, Some(error_message.into()))
            .await
    }

    /// Ends the step as one that was not run, because the flow went another way.
    ///
    /// # Errors
    /// Those of [`Self::complete`].
    pub async fn skip(&mut self) -> Result<()> {
        self.end(StepStatus::Skipped, None).await
    }

    /// Ends the step as one that was stopped with its run.
    ///
    /// # Errors
    /// Those of [`Self::complete`].
    pub async fn cancel(&mut self) -> Result<()> {
        self.end(StepStatus::Cancelled, None).await
    }

    /// Starts a sub-flow of the step's run: a run of the same team, which the step and
    /// the run are shown with.
    ///
    /// # Errors
    /// As [`crate::Writer::start`].
    pub async fn start_subflow(&mut self, new: impl Borrow<NewRun>) -> Result<Run> {
        let step = self.record.step_instance_id.clone();
        let subflow = self.run.start_below(Some(step), new.borrow()).await?;
        self.record.subflow_execution_id = Some(subflow.id().clone());
        self.accept().await?;
        Ok(subflow)
    }

    async fn end(&mut self, status: StepStatus, error_message: Option<String>) -> Result<()> {
        if self.record.end_time.is_none() {
            self.record.status = status;
            self.record.error_message = error_message;
            // A clock that was set back ends nothing before it began.
            let now = self.run.writer().now();
            self.record.end_time = Some(now.max(self.record.start_time));
            self.is_accepted = false;
        }
        let ended = self.record.status;
        if ended != status {
            let status = ended.as_str();
            return Err(Error::StepEnded { status });
        }
        // Whoever calls again was perhaps cut off while the record waited for room.
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

    /// Has the step's record written as it is now, and its large payloads once.
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
            // It has items of its own, and need not stay in memory.
            payload.take_if(|payload| payload.native().is_none());
        }
        Ok(())
    }
}

/// A step with parallel branches below it.
#[derive(Debug)]
pub struct Fork(pub(crate) Step);

impl Fork {
    /// A branch of the fork, by its name in the flow's definition, with an id of its own.
    /// It has no record: its steps have it in theirs.
    ///
    /// # Panics
    /// Never: an id of its own is an id.
    pub fn branch(&self, branch_id: impl Into<String>) -> Branch {
        let branch = self.branch_with_id(branch_id, &new_id());
        branch.expect("a UUID is an id")
    }

    /// A branch of the fork with the id that the engine has for it.
    ///
    /// # Errors
    /// [`Error::InvalidRecord`] for an id that is none.
    pub fn branch_with_id(
        &self,
        branch_id: impl Into<String>,
        branch_execution_id: &str,
    ) -> Result<Branch> {
        Ok(Branch {
            run: self.0.run.clone(),
            place: record::Branch {
                parent_step_start_time: self.0.record.start_time,
                parent_step_instance_id: self.0.record.step_instance_id.clone(),
                branch_execution_id: id("branchExecutionId", branch_execution_id)?,
                branch_id: Some(branch_id.into()),
            },
            sequence: Arc::default(),
        })
    }

    /// Ends the fork well.
    ///
    /// # Errors
    /// Those of [`Step::complete`].
    pub async fn join(mut self) -> Result<()> {
        self.0.complete().await
    }

    /// Ends the fork by an error.
    ///
    /// # Errors
    /// Those of [`Step::fail`].
    pub async fn fail(mut self, error_message: impl Into<String>) -> Result<()> {
        self.0.fail(error_message).await
    }

    /// The fork as the step that it is.
    pub fn step(&mut self) -> &mut Step {
        &mut self.0
    }
}

/// One run of a parallel branch. Clones are the same.
#[derive(Debug, Clone)]
pub struct Branch {
    run: Run,
    place: record::Branch,
    sequence: Arc<AtomicU64>,
}

impl Branch {
    /// Starts a step of the branch.
    ///
    /// # Errors
    /// As [`Run::start_step`].
    pub async fn start_step(&self, new: NewStep) -> Result<Step> {
        let place = Place::Branch(self.place.clone());
        Step::start(&self.run, place, &self.sequence, new).await
    }

    /// Starts a fork inside the branch.
    ///
    /// # Errors
    /// As [`Run::start_step`].
    pub async fn fork(&self, new: NewStep) -> Result<Fork> {
        Ok(Fork(self.start_step(new.fork()).await?))
    }

    /// The id of this run of the branch.
    pub fn id(&self) -> &str {
        self.place.branch_execution_id.as_str()
    }
}
