//! A small flow engine: it regularly starts a run, and writes each record at the time at
//! which it changes.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use shared::keys::{self, key};
use shared::model::{Execution, ExecutionId, Item, Status, Step, StepStatus, Timestamp};
use shared::store::{Condition, MAX_ITEMS_A_QUERY, Range, Store};
use shared::table::BY_TEAM_STATUS;
use tokio::sync::watch;

use super::plan::Plan;
use super::{flows, team_id, write};
use crate::serve::until;
use crate::terminal::Failure;

/// How often the engine writes changes.
const TICK: Duration = Duration::from_millis(500);

/// The time between the starts of two runs, in ticks.
const TICKS_A_RUN: u64 = 30;

/// A run in progress, with its items as last written.
struct OpenRun {
    plan: Plan,
    written: Vec<Item>,
}

/// Keeps a few runs moving until the server stops. If the table does not answer, the engine
/// tries again at the next tick.
///
/// # Errors
/// Never returns an error.
pub async fn keep_moving(store: Store, stopped: watch::Receiver<bool>) -> Result<(), Failure> {
    let mut random = StdRng::seed_from_u64(Timestamp::now().milliseconds().unsigned_abs());
    let mut open: Vec<OpenRun> = Vec::new();
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let stop = until(stopped);
    tokio::pin!(stop);
    if let Err(failure) = close_abandoned(&store).await {
        tracing::warn!(%failure, "failed to end the open runs of an earlier server");
    }
    for tick in 0_u64.. {
        tokio::select! {
            () = &mut stop => break,
            _ = ticks.tick() => {}
        }
        if tick % TICKS_A_RUN == 0 {
            let flow = &flows::ALL[random.random_range(0..flows::ALL.len())];
            let plans = flow.plan(&mut random, Timestamp::now().milliseconds());
            open.extend(plans.into_iter().map(|plan| OpenRun {
                plan,
                written: Vec::new(),
            }));
        }
        let mut still_open = Vec::with_capacity(open.len());
        for mut run in open {
            match advance(&store, &mut run).await {
                Ok(true) => still_open.push(run),
                Ok(false) => {}
                Err(failure) => {
                    tracing::warn!(%failure, "failed to write a demo run; trying again");
                    still_open.push(run);
                }
            }
        }
        open = still_open;
    }
    Ok(())
}

/// Writes the changes of a run since the last tick. Returns `false` when the run has ended,
/// normally or through a cancellation.
async fn advance(store: &Store, run: &mut OpenRun) -> Result<bool, Failure> {
    let now = Timestamp::now();
    let items = run.plan.items_at(now);
    let has_changed = |item: &&Item| !run.written.contains(item);
    let (executions, others): (Vec<_>, Vec<_>) = items
        .iter()
        .filter(has_changed)
        .partition(|item| keys::is_execution(item));
    let is_new = run.written.is_empty();
    // The run is written before its first step, and its end after its last step.
    if is_new && !put_all_unless_ended(store, &executions).await? {
        return Ok(false);
    }
    for item in others {
        store.put(item.clone()).await?;
    }
    if !is_new && !put_all_unless_ended(store, &executions).await? {
        return Ok(false);
    }
    run.written = items;
    Ok(!run.plan.has_ended_at(now))
}

async fn put_all_unless_ended(store: &Store, executions: &[&Item]) -> Result<bool, Failure> {
    for item in executions {
        let condition = Condition::of_execution(item)?;
        if !store.put_if((*item).clone(), condition).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Ends the demo runs that an earlier server left open, because nothing else does.
async fn close_abandoned(store: &Store) -> Result<(), Failure> {
    const MESSAGE: &str = "The worker was lost: the server ended while this run was in progress.";
    let now = Timestamp::now().to_string();
    for status in [Status::Running, Status::Pending] {
        let open = Range::index(
            &BY_TEAM_STATUS,
            [team_id().to_string(), status.as_str().to_owned()],
        );
        let page = store.query(&open, None, MAX_ITEMS_A_QUERY).await?;
        for execution in page.items.into_iter().filter_map(Execution::from_item) {
            let is_demo = execution
                .labels
                .get("source")
                .is_some_and(|source| source == "demo");
            let Ok(id) = execution.execution_id.parse::<ExecutionId>() else {
                continue;
            };
            if !is_demo {
                continue;
            }
            let pk = keys::execution_partition(&id);
            for steps in [keys::STEPS, keys::BRANCHES] {
                let steps = Range::with_prefix(&id, steps);
                let page = store.query(&steps, None, MAX_ITEMS_A_QUERY).await?;
                for step in page.items.into_iter().filter_map(Step::from_item) {
                    if step.status == Some(StepStatus::Running) {
                        let key = key(pk.clone(), step.sk);
                        write::end_step_if_open(store, key, MESSAGE, &now).await?;
                    }
                }
            }
            write::end_run_if_open(store, key(pk, keys::EXECUTION), MESSAGE, &now).await?;
        }
    }
    Ok(())
}
