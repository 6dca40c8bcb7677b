//! Converts a history of Step Functions to steps.
//!
//! This is a pure function of the events: [`History::add`] each event, then call
//! [`History::finish`]. Each event names the previous event on its path, so an event has
//! the same position as that event: in the run itself or in a branch, and at a certain
//! state. Real histories have four exceptions:
//!
//! - The next iteration of a Map with low concurrency follows the last event of another
//!   iteration. The Map's name shows that it belongs next to that iteration, not into it.
//! - The event that ends a fork follows the last event inside a branch.
//! - When states are aborted because of a failure elsewhere, their events follow the
//!   failure and not the aborted state. These events are ignored: a state that is still
//!   open when its fork ends was aborted.
//! - A failing state has no event for its end: it is never exited.

use std::collections::{HashMap, HashSet};

use aws_sdk_sfn::types::HistoryEvent;
use format::attributes::{INPUT, OUTPUT};
use format::model::{ExecutionId, Item, Status, StepStatus, StepSummary, Timestamp};
use format::record::StepRecord;

use super::Failure;
use super::change::{StatusChange, TIMEOUT, event_time, started_execution};
use super::state::State;

mod event_details;
mod scopes;
mod steps;

use event_details::{find_failure, find_resource};
use scopes::{Position, Scope};
use steps::End;

/// The prefixes of the events of a task's attempts.
const ATTEMPTS: [&str; 3] = ["Activity", "LambdaFunction", "Task"];

/// The result of a complete history.
#[derive(Debug, Default)]
pub struct FinishedHistory {
    /// The steps, in the order in which they started.
    pub steps: Vec<StepRecord>,
    /// The number of steps by outcome; `None` if the steps are not known.
    pub summary: Option<StepSummary>,
    /// When the execution ended.
    pub ended_at: Option<Timestamp>,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// The execution's input.
    pub input: Option<String>,
    /// The execution's output.
    pub output: Option<String>,
}

/// The history of an execution, as far as it has been read.
#[derive(Debug)]
pub struct History {
    execution_id: ExecutionId,
    /// The number of the redrive that is the run; 0 for the first execution.
    run: u32,
    /// The number of redrives so far.
    redrives: u32,
    /// The number and the time of the event with which the run's redrive started.
    redriven: Option<(i64, Timestamp)>,
    now: Timestamp,
    positions: HashMap<i64, Position>,
    scopes: Vec<Scope>,
    states: Vec<State>,
    /// The scopes of iterations, by state and index.
    iterations: HashMap<(usize, i32), usize>,
    /// The states that got a payload since payloads were last written.
    with_new_payloads: Vec<usize>,
    input: Option<String>,
    end: Option<End>,
}

impl History {
    /// Creates the history of an execution, without events.
    pub fn new(change: &StatusChange) -> Self {
        Self {
            execution_id: change.execution_id(),
            run: change.redrives,
            redrives: 0,
            redriven: None,
            now: change.started_at(),
            positions: HashMap::new(),
            scopes: vec![Scope::default()],
            states: Vec::new(),
            iterations: HashMap::new(),
            with_new_payloads: Vec::new(),
            input: None,
            end: None,
        }
    }

    /// Adds the next event. Unknown events have no effect.
    pub fn add(&mut self, event: HistoryEvent) {
        let is_of_a_later_run = self.redrives > self.run;
        if is_of_a_later_run || self.positions.contains_key(&event.id) {
            return;
        }
        self.now = event_time(&event.timestamp).unwrap_or(self.now);
        let before = self.positions.get(&event.previous_event_id);
        let before = before.copied().unwrap_or_default();
        let id = event.id;
        let position = self.follow(event, before);
        self.touch(position, id);
        self.positions.insert(id, position);
    }

    /// Returns the items of payloads that are too large to be kept until the end.
    pub fn large_payloads(&mut self) -> Vec<Item> {
        let with_new_payloads = std::mem::take(&mut self.with_new_payloads);
        // States that ended before the redrive are not part of its run.
        if self.redrives < self.run {
            return Vec::new();
        }
        let mut items = Vec::new();
        for index in with_new_payloads {
            let state = &mut self.states[index];
            let id = state.id();
            for (field, payload) in [(INPUT, &mut state.input), (OUTPUT, &mut state.output)] {
                if let Some(large) = payload.take_if(|payload| payload.native().is_none()) {
                    let name = format::keys::step_payload_name(id.as_str(), field);
                    items.extend(large.items(&self.execution_id, &name));
                }
            }
        }
        items
    }

    /// Returns the result; `None` if the history does not contain the run's end yet.
    pub fn finish(mut self) -> Option<FinishedHistory> {
        let end = self.end.take().filter(|_| self.redrives >= self.run)?;
        if let Some((_, at)) = self.redriven {
            self.states.iter_mut().for_each(|state| {
                if state.entered < at {
                    state.restart_at(at);
                }
            });
        }
        let culprits: HashSet<usize> = self.around(end.position).collect();
        let indices = (0..self.states.len()).filter(|index| self.is_part_of_run(*index));
        let steps: Vec<StepRecord> = indices
            .map(|index| self.step(index, &end, culprits.contains(&index)))
            .collect();
        let count = |status| steps.iter().filter(|step| step.status == status).count() as u64;
        let summary = StepSummary {
            total: Some(steps.len() as u64),
            passed: Some(count(StepStatus::Completed)),
            failed: Some(count(StepStatus::Failed)),
        };
        Some(FinishedHistory {
            summary: Some(summary),
            ended_at: Some(end.at),
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
                self.start_iteration(event.id, details, before)
            }
            "MapIterationSucceeded" => {
                self.end_iteration(event.map_iteration_succeeded_event_details, before)
            }
            "MapIterationFailed" => {
                self.end_iteration(event.map_iteration_failed_event_details, before)
            }
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
            // The state's own failure event follows, and contains no reason.
            "MapRunFailed" => self.change(before, |state, _| state.failure = find_failure(event)),
            "EvaluationFailed" => self.fail(event, before),
            _ if ATTEMPTS.iter().any(|prefix| kind.starts_with(prefix)) => {
                self.attempt(&kind, event, before)
            }
            // Events of aborted states are ignored (see above). Unknown events, which AWS
            // may add, are on the path between two known events.
            _ => before,
        }
    }

    fn enter(&mut self, event: HistoryEvent, before: Position) -> Position {
        let Some(mut state) = State::from_event(event, self.now) else {
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
        self.with_new_payloads.push(index);
        Position {
            scope,
            state: Some(index),
        }
    }

    fn exit(&mut self, event: HistoryEvent, before: Position) -> Position {
        let Some(details) = event.state_exited_event_details else {
            return before;
        };
        let is_exiting = |state: &State| state.is_open() && state.name == details.name;
        let Some(index) = self.find(before, is_exiting) else {
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
        self.with_new_payloads.push(index);
        Position {
            scope: state.scope,
            state: Some(index),
        }
    }

    fn end(&mut self, event: HistoryEvent, before: Position, status: Status) -> Position {
        let is_timeout = event.r#type.as_str() == "ExecutionTimedOut";
        let timeout = || Failure::new(Some(TIMEOUT.to_owned()), None).filter(|_| is_timeout);
        let succeeded = event.execution_succeeded_event_details.as_ref();
        self.end = Some(End {
            status,
            at: self.now,
            is_timeout,
            output: succeeded.and_then(|details| details.output.clone()),
            failure: find_failure(event).or_else(timeout),
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
            self.with_new_payloads.push(index);
        }
        before
    }

    fn attempt(&mut self, kind: &str, event: HistoryEvent, before: Position) -> Position {
        if kind.ends_with("Failed") || kind.ends_with("TimedOut") {
            return self.fail(event, before);
        }
        if kind.ends_with("Scheduled") {
            let resource = find_resource(event);
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
            // Step Functions itself, or its AWS SDK integration.
            let is_nested = ["states", "aws-sdk:sfn"].contains(&service.as_str());
            is_nested.then(|| started_execution(&output?)).flatten()
        });
        self.change(before, |state, at| {
            state.subflow = started.or(state.subflow.take());
            if kind.ends_with("Succeeded") {
                state.settle(at, None);
            }
        })
    }

    fn fail(&mut self, event: HistoryEvent, before: Position) -> Position {
        let failure = find_failure(event).unwrap_or_default();
        self.change(before, |state, at| state.settle(at, Some(failure)))
    }

    /// Changes the state that an event is about, if that state is open.
    fn change(&mut self, before: Position, change: impl FnOnce(&mut State, Timestamp)) -> Position {
        if let Some(index) = before.state
            && self.states[index].is_open()
        {
            change(&mut self.states[index], self.now);
        }
        before
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use aws_sdk_sfn::types::{
        HistoryEventType, MapIterationEventDetails, StateEnteredEventDetails,
        StateExitedEventDetails,
    };
    use aws_smithy_types::DateTime;
    use format::keys;
    use format::model::StepStatus;
    use proptest::prelude::*;

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
        StatusChange::parse(&event.to_string()).expect("a change")
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

    /// Events that may name any event as the previous one, even themselves and later ones.
    fn any_events() -> impl Strategy<Value = Vec<HistoryEvent>> {
        let any = (1_i64..80, -2_i64..80, 0..KINDS.len(), 0_u8..6);
        let any = any.prop_map(|(id, previous, kind, name)| event(id, previous, KINDS[kind], name));
        prop::collection::vec(any, 0..80)
    }

    proptest! {
        #[test]
        fn each_entered_state_is_one_step_in_any_history(
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
            let mut history = History::new(&change(0));
            for events in events.chunks(page) {
                events.iter().for_each(|event| history.add(event.clone()));
                history.large_payloads();
            }
            history.add(end);
            let finished = history.finish().expect("an end");
            prop_assert_eq!(finished.steps.len(), entered.len());
            let keys: BTreeSet<_> = finished.steps.iter().map(StepRecord::sort_key).collect();
            prop_assert_eq!(keys.len(), entered.len());
            for step in &finished.steps {
                prop_assert!(keys::step_of(&step.sort_key()).is_some());
                prop_assert!(step.status != StepStatus::Running && step.item().is_ok());
            }
        }

        #[test]
        fn a_redrive_of_any_history_has_no_duplicate_steps(
            events in any_events(), run in 0_u32..3,
        ) {
            let mut history = History::new(&change(run));
            for event in events {
                history.add(event);
            }
            for redrive in 0..3 {
                history.add(event(1_000 + redrive, 999, "ExecutionRedriven", 0));
            }
            if let Some(finished) = history.finish() {
                let keys: BTreeSet<_> = finished.steps.iter().map(StepRecord::sort_key).collect();
                prop_assert_eq!(keys.len(), finished.steps.len());
            }
        }
    }

    #[test]
    fn each_attempt_of_a_fork_has_separate_branches() {
        let mut history = History::new(&change(0));
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
            history.add(event(id, previous, kind, name));
        }
        let finished = history.finish().expect("an end");
        let steps: Vec<_> = finished
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
    fn a_failing_state_fails_the_forks_around_it() {
        let mut history = History::new(&change(0));
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
            history.add(event(id, previous, kind, name));
        }
        let finished = history.finish().expect("an end");
        let statuses: Vec<_> = finished.steps.iter().map(|step| step.status).collect();
        let expected = [
            StepStatus::Failed,
            StepStatus::Cancelled,
            StepStatus::Failed,
        ];
        assert_eq!(statuses, expected);
    }
}
