//! The run of a trace, as its execution.

use aws_sdk_dynamodb::types::AttributeValue;
use format::attributes::{
    AWAITS_ROOT, CANCEL_REASON, CANCELLED_BY, CREATED_AT, DEVICE_ID, DROPPED_STEPS, DURATION_MS,
    END_TIME, ERROR_MESSAGE, FLOW_ID, FLOW_NAME, FLOW_VERSION, HEARTBEAT_AT, LABELS, PARTITION_KEY,
    SPAN_ID, START_TIME, STATUS, TEAM_ID, TIMEOUT_AT, TRACE_REVISION, TRIGGER, USAGE, number, text,
};
use format::keys;
use format::model::{ExecutionId, Item, Status, TeamId, Timestamp};
use format::{Error, Result};
use history::sweep::SWEEPER;
use store::{Attempt, Condition, Store, Update};

use super::get_text;
use super::lease::lost;
use super::state::TraceState;
use crate::otlp::records::{Usage, to_timestamp};

/// The attributes of a run that depend on its trace. All others, such as pins, stay.
const COMPUTED: [&str; 18] = [
    AWAITS_ROOT,
    CREATED_AT,
    DEVICE_ID,
    DROPPED_STEPS,
    DURATION_MS,
    END_TIME,
    ERROR_MESSAGE,
    FLOW_ID,
    FLOW_NAME,
    FLOW_VERSION,
    HEARTBEAT_AT,
    LABELS,
    SPAN_ID,
    START_TIME,
    STATUS,
    TIMEOUT_AT,
    TRIGGER,
    USAGE,
];

/// The attributes that a user has set by cancelling the run.
const OF_CANCELLATION: [&str; 4] = [STATUS, END_TIME, DURATION_MS, ERROR_MESSAGE];

/// How often the heartbeat of a run without a root is updated at most, in seconds.
const HEARTBEAT_SECONDS: i64 = 5;

/// After how many days without a span a run without a root times out. A team's rule for stalled
/// runs usually ends it earlier.
const TIMEOUT_DAYS: i64 = 7;

/// The most attempts to write a run that users keep changing.
const MAX_ATTEMPTS: usize = 5;

/// Whose run the execution of a trace is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// The run is computed from its trace.
    Trace,
    /// An engine has written the run itself, or an earlier release has. It stays as it is.
    Other,
    /// Another team has a run with this id.
    OtherTeam,
    /// The run was deleted.
    Deleted,
}

impl Owner {
    /// Returns whose run a stored execution is. `is_listed` is whether it was seen before.
    pub(super) fn of_run(run: Option<&Item>, team_id: &TeamId, is_listed: bool) -> Self {
        match run {
            None if is_listed => Self::Deleted,
            None => Self::Trace,
            Some(run) if get_text(run, TEAM_ID) != Some(team_id.as_str()) => Self::OtherTeam,
            Some(run) if run.contains_key(TRACE_REVISION) => Self::Trace,
            Some(_) => Self::Other,
        }
    }
}

/// Writes the run of a trace if it differs from the stored one, `stored`. Returns `false` if the
/// run was deleted since it was read.
///
/// # Errors
/// [`Error::Throttled`] if the run keeps changing, and the errors of DynamoDB.
pub(super) async fn write_run(
    store: &Store,
    team_id: &TeamId,
    execution_id: &ExecutionId,
    state: &TraceState,
    mut stored: Option<Item>,
) -> Result<bool> {
    let run = to_item(team_id, execution_id, state)?;
    for _ in 0..MAX_ATTEMPTS {
        let attempt = match &stored {
            None => store.put_or_read(run.clone(), Condition::absent()).await?,
            Some(stored) => match changes(team_id, stored, &run) {
                None => return Ok(true),
                Some(update) => store.update_or_read(update).await?,
            },
        };
        match attempt {
            Attempt::Written => return Ok(true),
            Attempt::Refused(None) => return Ok(false),
            Attempt::Refused(Some(changed)) => {
                // Users change other attributes. Another request has a later state.
                let revision = |run: &Item| run.get(TRACE_REVISION).cloned();
                let is_other = |stored| revision(stored) != revision(&changed);
                if stored.as_ref().is_some_and(is_other) && is_other(&run) {
                    return Err(lost());
                }
                if Owner::of_run(Some(&changed), team_id, true) != Owner::Trace {
                    return Ok(true);
                }
                stored = Some(changed);
            }
        }
    }
    Err(Error::Throttled("the run keeps changing".into()))
}

/// Creates the execution of a trace.
fn to_item(team_id: &TeamId, execution_id: &ExecutionId, state: &TraceState) -> Result<Item> {
    let facts = state.facts();
    let facts = facts.ok_or_else(|| Error::internal("a trace has no spans"))?;
    let outcome = state.outcome();
    let status = outcome.as_ref().map_or(Status::Running, |it| it.status);
    let mut run = facts.run(team_id, execution_id, status)?;
    match outcome {
        Some(outcome) => {
            run.end_time = Some(to_timestamp(outcome.end_ns)?);
            run.error_message = outcome.error;
        }
        None => {
            let now = Timestamp::now();
            run.heartbeat_at = Some(now);
            run.timeout_at = times_out_at(now);
        }
    }
    let mut item = run.item()?;
    item.insert(TRACE_REVISION.to_owned(), number(state.revision));
    match &state.root {
        Some(root) => item.insert(SPAN_ID.to_owned(), text(&root.step_id)),
        None => item.insert(AWAITS_ROOT.to_owned(), AttributeValue::Bool(true)),
    };
    if state.dropped > 0 {
        item.insert(DROPPED_STEPS.to_owned(), number(state.dropped));
    }
    if !state.usage.is_empty() {
        let usage = state.usage.iter().map(Usage::to_attribute).collect();
        item.insert(USAGE.to_owned(), AttributeValue::L(usage));
    }
    Ok(item)
}

/// The end of the last day on which a run without a root waits for a span. It changes once a day.
fn times_out_at(now: Timestamp) -> Option<Timestamp> {
    const DAY_MS: i64 = 24 * 3_600 * 1_000;
    let day = now.milliseconds().div_euclid(DAY_MS) + 1 + TIMEOUT_DAYS;
    Timestamp::from_milliseconds(day * DAY_MS)
}

/// Returns the change of the stored run to the computed one. `None` if there is nothing to change.
fn changes(team_id: &TeamId, stored: &Item, run: &Item) -> Option<Update> {
    let is_cancelled = get_text(stored, STATUS) == Some(Status::Cancelled.as_str());
    let cancelled_by = get_text(stored, CANCELLED_BY).filter(|_| is_cancelled);
    // A run that the sweeper has closed ends again with its root.
    let awaits_root = run.contains_key(AWAITS_ROOT);
    let is_final = cancelled_by.is_some_and(|by| by != SWEEPER || awaits_root);
    let is_kept = |name: &str| match name {
        HEARTBEAT_AT | TIMEOUT_AT if is_final => true,
        HEARTBEAT_AT => is_recent(stored.get(name), run.get(name)),
        name => is_final && OF_CANCELLATION.contains(&name),
    };
    let changed = COMPUTED
        .into_iter()
        .filter(|name| stored.get(*name) != run.get(*name) && !is_kept(name));
    let mut update = Update::new(get_text(run, PARTITION_KEY)?, keys::EXECUTION);
    let mut has_changes = false;
    for name in changed {
        has_changes = true;
        update = match run.get(name) {
            Some(value) => update.set(name, value.clone()),
            None => update.remove(name),
        };
    }
    if cancelled_by.is_some() && !is_final {
        update = update.remove(CANCELLED_BY).remove(CANCEL_REASON);
    }
    let unchanged = Condition::of_team(team_id)
        .and(Condition::unchanged(Some(stored), STATUS))
        .and(Condition::unchanged(Some(stored), TRACE_REVISION));
    let revision = run.get(TRACE_REVISION)?.clone();
    has_changes.then(|| update.set(TRACE_REVISION, revision).only_if(unchanged))
}

/// Whether a stored heartbeat is only some seconds older than another one.
fn is_recent(stored: Option<&AttributeValue>, new: Option<&AttributeValue>) -> bool {
    let time = |value: Option<&AttributeValue>| {
        let time: Timestamp = value?.as_s().ok()?.parse().ok()?;
        Some(time.seconds())
    };
    let times = time(stored).zip(time(new));
    times.is_some_and(|(stored, new)| new - stored < HEARTBEAT_SECONDS)
}
