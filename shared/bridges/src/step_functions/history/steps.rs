//! Creates the steps from the states of a run, once its end is known.

use format::model::{BranchExecutionId, Status, StepStatus, Timestamp};
use format::record::{BranchPosition, StepPosition, StepRecord};

use super::History;
use super::scopes::{Position, TOP};
use crate::step_functions::Failure;
use crate::step_functions::state::{FAIL, State};

#[derive(Debug)]
pub(super) struct End {
    pub(super) status: Status,
    pub(super) at: Timestamp,
    pub(super) is_timeout: bool,
    pub(super) failure: Option<Failure>,
    pub(super) output: Option<String>,
    pub(super) position: Position,
}

impl History {
    /// Whether a state was active in the redrive, if the run is a redrive.
    pub(super) fn is_part_of_run(&self, index: usize) -> bool {
        let redriven = self.redriven.map(|(event_id, _)| event_id);
        redriven.is_none_or(|event_id| self.states[index].last_event > event_id)
    }

    pub(super) fn step(&self, index: usize, end: &End, is_culprit: bool) -> StepRecord {
        let state = &self.states[index];
        let (status, ended, failure) = self.outcome(index, end, is_culprit);
        let execution_id = self.execution_id.clone();
        let place = self.find_position(state);
        let mut step = StepRecord::new(execution_id, place, state.id(), state.entered, status);
        step.step_id = Some(state.name.clone());
        step.step_name = Some(state.name.clone());
        step.step_type = Some(state.step_type());
        step.sequence_number = Some(state.sequence_number);
        step.end_time = ended;
        step.retry_count = Some(state.retries()).filter(|retries| *retries > 0);
        step.error_message = failure.and_then(Failure::message);
        step.subflow_execution_id = state.subflow.clone();
        step.input = state.input.clone();
        step.output = state.output.clone();
        step.execution_data = state.data();
        step
    }

    fn find_position(&self, state: &State) -> StepPosition {
        let scope = &self.scopes[state.scope];
        let Some(fork) = scope.fork.map(|fork| &self.states[fork]) else {
            return StepPosition::TopLevel;
        };
        let id: Result<BranchExecutionId, _> = scope.id.parse();
        StepPosition::Branch(BranchPosition {
            parent_step_start_time: fork.entered,
            parent_step_instance_id: fork.id(),
            branch_execution_id: id.unwrap_or_else(|_| unreachable!("numbers are an id")),
            branch_id: Some(scope.name.clone()),
        })
    }

    /// Returns how a state ended, when, and why.
    fn outcome<'a>(
        &'a self,
        index: usize,
        end: &'a End,
        is_culprit: bool,
    ) -> (StepStatus, Option<Timestamp>, Option<&'a Failure>) {
        let state = &self.states[index];
        // An uncaught failure is the failure of the execution.
        let is_exited = |fork: usize| !self.states[fork].is_open();
        let is_caught = !state.is_open() || self.forks_around(index).any(is_exited);
        let of_the_run = end.failure.as_ref().filter(|_| !is_caught);
        if let Some(failure) = &state.failure {
            let known = failure.message().is_some();
            let failure = if known { Some(failure) } else { of_the_run };
            let end = state.exited.or(state.settled_at);
            return (StepStatus::Failed, end, failure);
        }
        if state.exited.is_some() {
            return (StepStatus::Completed, state.exited, None);
        }
        if state.kind == FAIL {
            return (StepStatus::Failed, Some(state.entered), of_the_run);
        }
        let aborted = self.forks_around(index).find_map(|fork| {
            let fork = &self.states[fork];
            fork.settled_at.or(fork.exited)
        });
        match end.status {
            _ if aborted.is_some() => (StepStatus::Cancelled, aborted, None),
            Status::Failed if is_culprit || end.is_timeout || state.scope == TOP => {
                (StepStatus::Failed, Some(end.at), of_the_run)
            }
            Status::Failed | Status::Cancelled => (StepStatus::Cancelled, Some(end.at), None),
            // The execution continued after it.
            _ => (StepStatus::Completed, None, None),
        }
    }

    /// Iterates over the forks around a state, from the inside out.
    fn forks_around(&self, index: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(self.fork_around(index), |fork| self.fork_around(*fork))
    }
}
