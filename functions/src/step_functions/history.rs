//! A history of Step Functions as steps.
//!
//! A pure function of the events, one after another: [`History::take`] each, and then
//! [`History::told`]. Each event names the one before it on its way, so an event is
//! where that one is: in the run itself or in a branch, and at which state. Four things
//! of real histories are not that simple:
//!
//! - The next iteration of a Map with little concurrency follows the last event of
//!   another iteration; that it belongs beside it and not into it says the Map's name.
//! - What ends a fork follows the last event inside a branch.
//! - What is aborted beside a failure follows that failure, and not the state that is
//!   aborted. So these events are not asked: a state that is still open when its fork
//!   ends was aborted.
//! - A state that fails has no event of its own for it: it is not exited.

use std::collections::{HashMap, HashSet};

use aws_sdk_sfn::types::{HistoryEvent, MapIterationEventDetails};
use shared::model::{
    BranchExecutionId, ExecutionId, Item, Status, StepStatus, StepSummary, Timestamp,
};
use shared::record::{Branch, Place, StepRecord};

use super::Failure;
use super::change::{StatusChange, TIMEOUT, moment_of, started_by_a_task};
use super::state::{FAIL, State};

/// The run itself, among the scopes.
const TOP: usize = 0;

/// What the names of the events of a task's attempts begin with.
const ATTEMPTS: [&str; 3] = ["Activity", "LambdaFunction", "Task"];

/// What an event is about.
#[derive(Debug, Clone, Copy, Default)]
struct Position {
    scope: usize,
    state: Option<usize>,
}

/// A branch or, without a fork, the run itself.
#[derive(Debug, Default)]
struct Scope {
    fork: Option<usize>,
    id: String,
    name: String,
    /// The state that was entered last.
    last: Option<usize>,
    entered: u64,
}

#[derive(Debug)]
struct End {
    status: Status,
    at: Timestamp,
    is_timeout: bool,
    failure: Option<Failure>,
    output: Option<String>,
    position: Position,
}

/// What a whole history tells.
#[derive(Debug, Default)]
pub struct Told {
    /// The steps, in the order in which they began.
    pub steps: Vec<StepRecord>,
    /// How they have ended; `None` where they are not known.
    pub summary: Option<StepSummary>,
    /// When the execution has ended.
    pub ended: Option<Timestamp>,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// What it was given.
    pub input: Option<String>,
    /// What it gave back.
    pub output: Option<String>,
}

/// The history of an execution, as far as it has been read.
#[derive(Debug)]
pub struct History {
    execution_id: ExecutionId,
    /// The redrive that is the run, from 1; 0 of the execution before any.
    run: u32,
    /// How many redrives there have been.
    redrives: u32,
    /// The number of the event with which the redrive began, and its moment.
    redriven: Option<(i64, Timestamp)>,
    now: Timestamp,
    positions: HashMap<i64, Position>,
    scopes: Vec<Scope>,
    states: Vec<State>,
    /// The scopes of iterations, by the state and the index.
    iterations: HashMap<(usize, i32), usize>,
    /// The states that have a payload since payloads were last written.
    fresh: Vec<usize>,
    input: Option<String>,
    end: Option<End>,
}

impl History {
    /// The history of an execution of which nothing has been read.
    pub fn of(change: &StatusChange) -> Self {
        Self {
            execution_id: change.execution_id(),
            run: change.redrives,
            redrives: 0,
            redriven: None,
            now: change.began(),
            positions: HashMap::new(),
            scopes: vec![Scope::default()],
            states: Vec::new(),
            iterations: HashMap::new(),
            fresh: Vec::new(),
            input: None,
            end: None,
        }
    }

    /// Takes the next event in. What is not known changes nothing.
    pub fn take(&mut self, event: HistoryEvent) {
        let is_of_a_later_run = self.redrives > self.run;
        if is_of_a_later_run || self.positions.contains_key(&event.id) {
            return;
        }
        self.now = moment_of(&event.timestamp).unwrap_or(self.now);
        let before = self.positions.get(&event.previous_event_id);
        let before = before.copied().unwrap_or_default();
        let id = event.id;
        let position = self.follow(event, before);
        self.touch(position, id);
        self.positions.insert(id, position);
    }

    /// The items of payloads that are too large to be kept until the end.
    pub fn large_payloads(&mut self) -> Vec<Item> {
        let fresh = std::mem::take(&mut self.fresh);
        // What ended before the redrive is not of its run.
        if self.redrives < self.run {
            return Vec::new();
        }
        let mut items = Vec::new();
        for index in fresh {
            let state = &mut self.states[index];
            let id = state.id();
            for (field, payload) in [("input", &mut state.input), ("output", &mut state.output)] {
                if let Some(large) = payload.take_if(|payload| payload.native().is_none()) {
                    let name = shared::keys::step_payload_name(id.as_str(), field);
                    items.extend(large.items(&self.execution_id, &name));
                }
            }
        }
        items
    }

    /// What the history tells; `None` while it has not come to the run's end.
    pub fn told(mut self) -> Option<Told> {
        let end = self.end.take().filter(|_| self.redrives >= self.run)?;
        if let Some((_, at)) = self.redriven {
            self.states.iter_mut().for_each(|state| {
                if state.entered < at {
                    state.begin_again(at);
                }
            });
        }
        let culprits: HashSet<usize> = self.around(end.position).collect();
        let indices = (0..self.states.len()).filter(|index| self.is_of_this_run(*index));
        let steps: Vec<StepRecord> = indices
            .map(|index| self.step(index, &end, culprits.contains(&index)))
            .collect();
        let count = |status| steps.iter().filter(|step| step.status == status).count() as u64;
        let summary = StepSummary {
            total: Some(steps.len() as u64),
            passed: Some(count(StepStatus::Completed)),
            failed: Some(count(StepStatus::Failed)),
        };
        Some(Told {
            summary: Some(summary),
            ended: Some(end.at),
            failure: end.failure,
            input: self.input,
            output: end.output,
            steps,
        })
    }

    fn follow(&mut self, event: HistoryEvent, before: Position) -> Position {
        if event.state_entered_event_details.is_some() {
            return self.enter(event, before);
        }
        if event.state_exited_event_details.is_some() {
            return self.exit(event, before);
        }
        let kind = event.r#type.as_str().to_owned();
        match kind.as_str() {
            "ExecutionStarted" => {
                let details = event.execution_started_event_details;
                self.input = details.and_then(|details| details.input);
                before
            }
            "ExecutionSucceeded" => self.end(event, before, Status::Completed),
            "ExecutionFailed" | "ExecutionTimedOut" => self.end(event, before, Status::Failed),
            "ExecutionAborted" => self.end(event, before, Status::Cancelled),
            "ExecutionRedriven" => self.redrive(event.id, before),
            "MapIterationStarted" => {
                let details = event.map_iteration_started_event_details;
                self.iterate(event.id, details, before)
            }
            "MapIterationSucceeded" => {
                self.iterated(event.map_iteration_succeeded_event_details, before)
            }
            "MapIterationFailed" => self.iterated(event.map_iteration_failed_event_details, before),
            "MapStateStarted" | "ParallelStateStarted" => {
                let length = event.map_state_started_event_details;
                self.change(before, |state, at| {
                    state.try_again(at);
                    state.iterations = length.map(|details| details.length);
                })
            }
            "MapStateSucceeded" => self.settle_fork(before, State::is_map, false),
            "ParallelStateSucceeded" => self.settle_fork(before, State::is_parallel, false),
            "MapStateFailed" => self.settle_fork(before, State::is_map, true),
            "ParallelStateFailed" => self.settle_fork(before, State::is_parallel, true),
            "MapRunStarted" => {
                let details = event.map_run_started_event_details;
                let arn = details.and_then(|details| details.map_run_arn);
                self.change(before, |state, _| state.map_run_arn = arn)
            }
            // The state's own failure follows, and tells no reason.
            "MapRunFailed" => self.change(before, |state, _| state.failure = failure_of(event)),
            "EvaluationFailed" => self.fail(event, before),
            _ if ATTEMPTS.iter().any(|prefix| kind.starts_with(prefix)) => {
                self.attempt(&kind, event, before)
            }
            // What was aborted is seen by the end of its fork; what AWS has thought of
            // since is between two events that are known.
            _ => before,
        }
    }

    fn enter(&mut self, event: HistoryEvent, before: Position) -> Position {
        let Some(mut state) = State::of(event, self.now) else {
            return before;
        };
        let fork = before.state.filter(|fork| self.states[*fork].is_forking());
        let scope = match fork {
            Some(fork) => {
                let number = self.states[fork].branches;
                self.branch(fork, number, state.event_id, state.name.clone())
            }
            None => before.scope,
        };
        let index = self.states.len();
        let parent = &mut self.scopes[scope];
        parent.last = Some(index);
        parent.entered += 1;
        state.scope = scope;
        state.sequence_number = parent.entered;
        self.states.push(state);
        self.fresh.push(index);
        Position {
            scope,
            state: Some(index),
        }
    }

    fn exit(&mut self, event: HistoryEvent, before: Position) -> Position {
        let Some(details) = event.state_exited_event_details else {
            return before;
        };
        let is_it = |state: &State| state.is_open() && state.name == details.name;
        let Some(index) = self.find(before, is_it) else {
            return before;
        };
        let is_of_an_earlier_run = self.redrives < self.run;
        let is_truncated = details
            .output_details
            .is_some_and(|details| details.truncated);
        let state = &mut self.states[index];
        state.exit(self.now, details.output.as_deref(), is_truncated);
        if is_of_an_earlier_run {
            (state.input, state.output) = (None, None);
        }
        self.fresh.push(index);
        Position {
            scope: state.scope,
            state: Some(index),
        }
    }

    fn end(&mut self, event: HistoryEvent, before: Position, status: Status) -> Position {
        let is_timeout = event.r#type.as_str() == "ExecutionTimedOut";
        let timeout = || Failure::of(Some(TIMEOUT.to_owned()), None).filter(|_| is_timeout);
        let succeeded = event.execution_succeeded_event_details.as_ref();
        self.end = Some(End {
            status,
            at: self.now,
            is_timeout,
            output: succeeded.and_then(|details| details.output.clone()),
            failure: failure_of(event).or_else(timeout),
            position: before,
        });
        before
    }

    fn redrive(&mut self, event_id: i64, before: Position) -> Position {
        self.redrives += 1;
        if self.redrives > self.run {
            return before;
        }
        self.end = None;
        if self.redrives == self.run {
            self.redriven = Some((event_id, self.now));
        }
        let open = self.states.iter_mut().enumerate();
        for (index, state) in open.filter(|(_, state)| state.is_open()) {
            state.revive();
            self.fresh.push(index);
        }
        before
    }

    fn iterate(
        &mut self,
        event_id: i64,
        details: Option<MapIterationEventDetails>,
        before: Position,
    ) -> Position {
        let Some((fork, index)) = self.map_of(details, before) else {
            return before;
        };
        let number = usize::try_from(index).unwrap_or_default();
        let scope = self.branch(fork, number, event_id, index.to_string());
        self.iterations.insert((fork, index), scope);
        Position { scope, state: None }
    }

    /// The end of an iteration is told beside it, or from another one.
    fn iterated(
        &mut self,
        details: Option<MapIterationEventDetails>,
        before: Position,
    ) -> Position {
        let scope = self
            .map_of(details, before)
            .and_then(|iteration| self.iterations.get(&iteration).copied());
        match scope {
            Some(scope) => Position { scope, state: None },
            None => before,
        }
    }

    /// The Map that an iteration is of, and the iteration's index.
    fn map_of(
        &self,
        details: Option<MapIterationEventDetails>,
        before: Position,
    ) -> Option<(usize, i32)> {
        let details = details?;
        let is_named = |state: &State| details.name.as_ref().is_none_or(|name| state.name == *name);
        let is_it = |state: &State| state.is_map() && state.is_open() && is_named(state);
        Some((self.find(before, is_it)?, details.index))
    }

    fn branch(&mut self, fork: usize, number: usize, event_id: i64, name: String) -> usize {
        self.states[fork].branches += 1;
        self.scopes.push(Scope {
            fork: Some(fork),
            // In the order of the definition, and its own again when the fork is retried.
            id: format!("{number:05}-{event_id:05}"),
            name,
            ..Scope::default()
        });
        self.scopes.len() - 1
    }

    fn settle_fork(
        &mut self,
        before: Position,
        is_of_the_kind: fn(&State) -> bool,
        has_failed: bool,
    ) -> Position {
        let is_it = |state: &State| is_of_the_kind(state) && state.is_forking();
        let Some(fork) = self.find(before, is_it) else {
            return before;
        };
        let inside = self
            .around(before)
            .find_map(|index| self.states[index].failure.clone());
        let failure = has_failed.then(|| inside.unwrap_or_default());
        let state = &mut self.states[fork];
        state.settle(self.now, failure);
        Position {
            scope: state.scope,
            state: Some(fork),
        }
    }

    fn attempt(&mut self, kind: &str, event: HistoryEvent, before: Position) -> Position {
        if kind.ends_with("Failed") || kind.ends_with("TimedOut") {
            return self.fail(event, before);
        }
        if kind.ends_with("Scheduled") {
            let resource = resource_of(event);
            return self.change(before, |state, at| {
                state.try_again(at);
                state.resource = resource.or(state.resource.take());
            });
        }
        let submitted = event.task_submitted_event_details;
        let submitted = submitted.map(|details| (details.resource_type, details.output));
        let succeeded = event.task_succeeded_event_details;
        let succeeded = succeeded.map(|details| (details.resource_type, details.output));
        let started = submitted.or(succeeded).and_then(|(service, output)| {
            // Step Functions itself, or an AWS SDK of it.
            let is_nested = ["states", "aws-sdk:sfn"].contains(&service.as_str());
            is_nested.then(|| started_by_a_task(&output?)).flatten()
        });
        self.change(before, |state, at| {
            state.subflow = started.or(state.subflow.take());
            if kind.ends_with("Succeeded") {
                state.settle(at, None);
            }
        })
    }

    fn fail(&mut self, event: HistoryEvent, before: Position) -> Position {
        let failure = failure_of(event).unwrap_or_default();
        self.change(before, |state, at| state.settle(at, Some(failure)))
    }

    /// Changes the state that an event is about, if there is one that is open.
    fn change(&mut self, before: Position, change: impl FnOnce(&mut State, Timestamp)) -> Position {
        if let Some(index) = before.state
            && self.states[index].is_open()
        {
            change(&mut self.states[index], self.now);
        }
        before
    }

    /// The state of a position, and then each fork around it, from the inside out.
    fn around(&self, position: Position) -> impl Iterator<Item = usize> {
        let scope = &self.scopes[position.scope];
        let first = position.state.or(scope.last).or(scope.fork);
        std::iter::successors(first, |index| self.fork_around(*index))
    }

    fn fork_around(&self, index: usize) -> Option<usize> {
        self.scopes[self.states[index].scope].fork
    }

    fn find(&self, position: Position, is_it: impl Fn(&State) -> bool) -> Option<usize> {
        self.around(position)
            .find(|index| is_it(&self.states[*index]))
    }

    /// Notes an event with its state and the forks around it.
    fn touch(&mut self, position: Position, event_id: i64) {
        let mut next = position.state.or(self.scopes[position.scope].fork);
        while let Some(index) = next {
            let state = &mut self.states[index];
            state.last_event = state.last_event.max(event_id);
            next = self.fork_around(index);
        }
    }

    /// Whether a state has run in the redrive, where the run is one.
    fn is_of_this_run(&self, index: usize) -> bool {
        let redriven = self.redriven.map(|(event_id, _)| event_id);
        redriven.is_none_or(|event_id| self.states[index].last_event > event_id)
    }

    fn step(&self, index: usize, end: &End, is_culprit: bool) -> StepRecord {
        let state = &self.states[index];
        let (status, ended, failure) = self.outcome(index, end, is_culprit);
        let execution_id = self.execution_id.clone();
        let place = self.place_of(state);
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

    fn place_of(&self, state: &State) -> Place {
        let scope = &self.scopes[state.scope];
        let Some(fork) = scope.fork.map(|fork| &self.states[fork]) else {
            return Place::TopLevel;
        };
        let id: Result<BranchExecutionId, _> = scope.id.parse();
        Place::Branch(Branch {
            parent_step_start_time: fork.entered,
            parent_step_instance_id: fork.id(),
            branch_execution_id: id.unwrap_or_else(|_| unreachable!("numbers are an id")),
            branch_id: Some(scope.name.clone()),
        })
    }

    /// How a state has ended, when, and why.
    fn outcome<'a>(
        &'a self,
        index: usize,
        end: &'a End,
        is_culprit: bool,
    ) -> (StepStatus, Option<Timestamp>, Option<&'a Failure>) {
        let state = &self.states[index];
        let forks =
            || std::iter::successors(self.fork_around(index), |fork| self.fork_around(*fork));
        // What nobody caught is what the execution failed with.
        let is_caught = !state.is_open() || forks().any(|fork| !self.states[fork].is_open());
        let of_the_run = end.failure.as_ref().filter(|_| !is_caught);
        if let Some(failure) = &state.failure {
            let known = failure.message().is_some();
            let failure = if known { Some(failure) } else { of_the_run };
            return (StepStatus::Failed, state.exited.or(state.settled), failure);
        }
        if state.exited.is_some() {
            return (StepStatus::Completed, state.exited, None);
        }
        if state.kind == FAIL {
            return (StepStatus::Failed, Some(state.entered), of_the_run);
        }
        let aborted = forks().find_map(|fork| {
            let fork = &self.states[fork];
            fork.settled.or(fork.exited)
        });
        match end.status {
            _ if aborted.is_some() => (StepStatus::Cancelled, aborted, None),
            Status::Failed if is_culprit || end.is_timeout || state.scope == TOP => {
                (StepStatus::Failed, Some(end.at), of_the_run)
            }
            Status::Failed | Status::Cancelled => (StepStatus::Cancelled, Some(end.at), None),
            // The execution went on after it.
            _ => (StepStatus::Completed, None, None),
        }
    }
}

/// What a scheduled task calls.
fn resource_of(event: HistoryEvent) -> Option<String> {
    if let Some(task) = event.task_scheduled_event_details {
        return Some(format!("{}:{}", task.resource_type, task.resource));
    }
    let lambda = event.lambda_function_scheduled_event_details;
    let lambda = lambda.map(|details| details.resource);
    lambda.or_else(|| Some(event.activity_scheduled_event_details?.resource))
}

/// Why an event tells that something failed: the first of its details that say so.
fn failure_of(event: HistoryEvent) -> Option<Failure> {
    macro_rules! first {
        ($($details:ident),* $(,)?) => {
            None$(.or_else(|| event.$details.map(|details| (details.error, details.cause))))*
        };
    }
    let (error, cause) = first!(
        activity_failed_event_details,
        activity_schedule_failed_event_details,
        activity_timed_out_event_details,
        evaluation_failed_event_details,
        execution_aborted_event_details,
        execution_failed_event_details,
        execution_timed_out_event_details,
        lambda_function_failed_event_details,
        lambda_function_schedule_failed_event_details,
        lambda_function_start_failed_event_details,
        lambda_function_timed_out_event_details,
        map_run_failed_event_details,
        task_failed_event_details,
        task_start_failed_event_details,
        task_submit_failed_event_details,
        task_timed_out_event_details,
    )?;
    Failure::of(error, cause)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use aws_sdk_sfn::types::{HistoryEventType, StateEnteredEventDetails, StateExitedEventDetails};
    use aws_smithy_types::DateTime;
    use proptest::prelude::*;
    use shared::keys;
    use shared::model::StepStatus;

    use super::*;

    const KINDS: [&str; 40] = [
        "ExecutionStarted",
        "ExecutionRedriven",
        "TaskStateEntered",
        "TaskStateExited",
        "TaskScheduled",
        "TaskStarted",
        "TaskSubmitted",
        "TaskSucceeded",
        "TaskFailed",
        "TaskTimedOut",
        "TaskStateAborted",
        "LambdaFunctionScheduled",
        "LambdaFunctionFailed",
        "ActivityScheduled",
        "ActivityTimedOut",
        "EvaluationFailed",
        "ChoiceStateEntered",
        "ChoiceStateExited",
        "FailStateEntered",
        "MapStateEntered",
        "MapStateEntered",
        "MapStateStarted",
        "MapStateStarted",
        "MapIterationStarted",
        "MapIterationStarted",
        "MapIterationSucceeded",
        "MapIterationFailed",
        "MapIterationAborted",
        "MapRunStarted",
        "MapRunFailed",
        "MapStateSucceeded",
        "MapStateFailed",
        "MapStateExited",
        "ParallelStateEntered",
        "ParallelStateStarted",
        "ParallelStateSucceeded",
        "ParallelStateFailed",
        "ParallelStateExited",
        "SomethingStateEntered",
        "Something",
    ];

    const ENDS: [&str; 4] = [
        "ExecutionSucceeded",
        "ExecutionFailed",
        "ExecutionTimedOut",
        "ExecutionAborted",
    ];

    fn change(redrives: u32) -> StatusChange {
        let arn = |kind: &str| format!("arn:aws:states:eu-west-1:123456789012:{kind}");
        let event = serde_json::json!({
            "source": "aws.states", "detail-type": "Step Functions Execution Status Change",
            "detail": {
                "executionArn": arn("execution:flow:run-1"),
                "stateMachineArn": arn("stateMachine:flow"), "name": "run-1",
                "status": "SUCCEEDED", "startDate": 0, "redriveDate": 0, "redriveCount": redrives,
            },
        });
        StatusChange::of(&event.to_string()).expect("a change")
    }

    fn event(id: i64, previous: i64, kind: &str, name: u8) -> HistoryEvent {
        let name = format!("state {name}");
        let iteration = || {
            let details = MapIterationEventDetails::builder();
            details
                .name(&name)
                .index(i32::try_from(id % 3).unwrap_or(0))
                .build()
        };
        let event = HistoryEvent::builder()
            .id(id)
            .previous_event_id(previous)
            .timestamp(DateTime::from_millis(id * 10))
            .r#type(HistoryEventType::from(kind));
        let event = match kind {
            _ if kind.ends_with("StateEntered") => {
                let details = StateEnteredEventDetails::builder().name(&name).input("{}");
                event.state_entered_event_details(details.build().expect("details"))
            }
            _ if kind.ends_with("StateExited") => {
                let details = StateExitedEventDetails::builder().name(&name).output("[]");
                event.state_exited_event_details(details.build().expect("details"))
            }
            "MapIterationStarted" => event.map_iteration_started_event_details(iteration()),
            "MapIterationSucceeded" => event.map_iteration_succeeded_event_details(iteration()),
            "MapIterationFailed" => event.map_iteration_failed_event_details(iteration()),
            _ => event,
        };
        event.build().expect("an event")
    }

    /// Events of which each names any other, also itself and later ones.
    fn any_events() -> impl Strategy<Value = Vec<HistoryEvent>> {
        let any = (1_i64..80, -2_i64..80, 0..KINDS.len(), 0_u8..6);
        let any = any.prop_map(|(id, previous, kind, name)| event(id, previous, KINDS[kind], name));
        prop::collection::vec(any, 0..80)
    }

    proptest! {
        #[test]
        fn each_state_that_was_entered_is_one_step_whatever_the_history(
            events in any_events(), end in 0..ENDS.len(), page in 1_usize..20,
        ) {
            let end = event(1_000, 999, ENDS[end], 0);
            let redriven = |event: &HistoryEvent| event.r#type.as_str() == "ExecutionRedriven";
            let events: Vec<_> = events.into_iter().filter(|event| !redriven(event)).collect();
            let entered: BTreeSet<i64> = events
                .iter()
                .scan(BTreeSet::new(), |seen, event| {
                    let is_new = seen.insert(event.id);
                    let is_entered = event.state_entered_event_details.is_some();
                    Some((is_new && is_entered).then_some(event.id))
                })
                .flatten()
                .collect();
            let mut history = History::of(&change(0));
            for events in events.chunks(page) {
                events.iter().for_each(|event| history.take(event.clone()));
                history.large_payloads();
            }
            history.take(end);
            let told = history.told().expect("an end");
            prop_assert_eq!(told.steps.len(), entered.len());
            let keys: BTreeSet<_> = told.steps.iter().map(StepRecord::sort_key).collect();
            prop_assert_eq!(keys.len(), entered.len());
            for step in &told.steps {
                prop_assert!(keys::step_of(&step.sort_key()).is_some());
                prop_assert!(step.status != StepStatus::Running && step.item().is_ok());
            }
        }

        #[test]
        fn a_redrive_of_any_history_is_told_and_has_no_step_twice(
            events in any_events(), run in 0_u32..3,
        ) {
            let mut history = History::of(&change(run));
            for event in events {
                history.take(event);
            }
            for redrive in 0..3 {
                history.take(event(1_000 + redrive, 999, "ExecutionRedriven", 0));
            }
            if let Some(told) = history.told() {
                let keys: BTreeSet<_> = told.steps.iter().map(StepRecord::sort_key).collect();
                prop_assert_eq!(keys.len(), told.steps.len());
            }
        }
    }

    #[test]
    fn a_retried_fork_has_branches_of_its_own_for_each_attempt() {
        let mut history = History::of(&change(0));
        for (id, previous, kind, name) in [
            (1, 0, "ExecutionStarted", 0),
            (2, 0, "ParallelStateEntered", 1),
            (3, 2, "ParallelStateStarted", 0),
            (4, 3, "FailStateEntered", 2),
            (5, 4, "ParallelStateFailed", 0),
            (6, 5, "ParallelStateStarted", 0),
            (7, 6, "TaskStateEntered", 2),
            (8, 7, "TaskStateExited", 2),
            (9, 8, "ParallelStateSucceeded", 0),
            (10, 8, "ParallelStateExited", 1),
            (11, 10, "ExecutionSucceeded", 0),
        ] {
            history.take(event(id, previous, kind, name));
        }
        let told = history.told().expect("an end");
        let steps: Vec<_> = told
            .steps
            .iter()
            .map(|step| (step.sort_key(), step.status, step.retry_count))
            .collect();
        let time = |id: i64| format!("1970-01-01T00:00:00.{:03}Z", id * 10);
        let fork = format!("BRANCH#{}#00002-state-1", time(2));
        let key = |branch: &str, id: i64| format!("{fork}#{branch}#{}#{id:05}-state-2", time(id));
        assert_eq!(
            steps,
            [
                (
                    format!("STEP#{}#00002-state-1", time(2)),
                    StepStatus::Completed,
                    Some(1)
                ),
                (key("00000-00004", 4), StepStatus::Failed, None),
                (key("00001-00007", 7), StepStatus::Completed, None),
            ]
        );
    }

    #[test]
    fn a_state_that_fails_by_itself_takes_the_forks_around_it_with_it() {
        let mut history = History::of(&change(0));
        for (id, previous, kind, name) in [
            (1, 0, "ExecutionStarted", 0),
            (2, 0, "MapStateEntered", 1),
            (3, 2, "MapStateStarted", 0),
            (4, 3, "MapIterationStarted", 1),
            (5, 3, "MapIterationStarted", 1),
            (6, 4, "ChoiceStateEntered", 2),
            (7, 5, "ChoiceStateEntered", 2),
            (8, 7, "ExecutionFailed", 0),
        ] {
            history.take(event(id, previous, kind, name));
        }
        let told = history.told().expect("an end");
        let statuses: Vec<_> = told.steps.iter().map(|step| step.status).collect();
        let expected = [
            StepStatus::Failed,
            StepStatus::Cancelled,
            StepStatus::Failed,
        ];
        assert_eq!(statuses, expected);
    }
}
