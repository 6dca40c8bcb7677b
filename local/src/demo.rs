//! Demo data that looks like life: five flows over 30 days, and an engine that
//! keeps a few runs moving.
//!
//! It is written as any flow engine writes: records in the public format,
//! through an ordinary SDK client. Its records expire, so that a server left
//! running does not grow for ever.

use futures_util::{TryStreamExt, stream};
use indicatif::ProgressBar;
use rand::SeedableRng;
use rand::rngs::StdRng;
use shared::keys;
use shared::model::{Item, TeamId, Timestamp};
use shared::store::{Store, from_sdk, key};
use shared::table::{BY_TEAM, text};

use crate::terminal::{self, Failure};

mod engine;
mod flows;
mod plan;
mod write;

pub use engine::keep_moving;

/// The flow whose runs have parallel branches.
pub const FORKING_FLOW: &str = "order-pipeline";

/// How many days back the first runs lie.
const DAYS: i64 = 30;
const DAY_MS: i64 = 24 * 3_600 * 1_000;

/// Where the state of the demo says how far it is.
const STATE: &str = "state";
const LOADING: &str = "LOADING";
const LOADED: &str = "LOADED";
const DECLINED: &str = "DECLINED";

/// The batches that are written at a time.
const BATCHES_AT_A_TIME: usize = 4;

/// The demo's team, which is the team of a table with only one.
pub fn team_id() -> TeamId {
    match "default".parse() {
        Ok(team_id) => team_id,
        Err(invalid) => unreachable!("{invalid}"),
    }
}

/// Loads the demo data into a table that has never had a run, or goes on where
/// an earlier start was interrupted; leaves every other table alone, and from
/// then on also one for which it was not `wanted`. Returns whether the table has
/// demo data.
///
/// # Errors
/// Those of the table.
pub async fn prepare(store: &Store, wanted: bool) -> Result<bool, Failure> {
    let state = store.get(keys::DEMO, keys::DEMO).await?;
    let anchor = match state.as_ref().and_then(|state| text_of(state, STATE)) {
        Some(LOADED) => return Ok(true),
        // The same moment makes the same runs with the same keys: what an
        // interrupted start has written is written over, not doubled.
        Some(LOADING) => state
            .as_ref()
            .and_then(|state| text_of(state, "anchor")?.parse().ok()),
        Some(_) => return Ok(false),
        None if has_runs(store).await? => return Ok(false),
        None => None,
    };
    let anchor = anchor.unwrap_or_else(Timestamp::now);
    if !wanted {
        put_state(store, DECLINED, anchor).await?;
        return Ok(false);
    }
    put_state(store, LOADING, anchor).await?;
    write_history(store, anchor).await?;
    put_state(store, LOADED, anchor).await?;
    Ok(true)
}

/// Whether any team has a run.
///
/// # Errors
/// Those of the table.
pub async fn has_runs(store: &Store) -> Result<bool, Failure> {
    let scan = store.client().scan().table_name(store.table());
    let any = scan.index_name(BY_TEAM.name).limit(1).send().await;
    Ok(any.map_err(from_sdk)?.count > 0)
}

fn text_of<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

async fn put_state(store: &Store, state: &str, anchor: Timestamp) -> Result<(), Failure> {
    let mut item = key(keys::DEMO, keys::DEMO);
    item.insert(STATE.to_owned(), text(state));
    item.insert("anchor".to_owned(), text(anchor.to_string()));
    store.put(item).await?;
    Ok(())
}

/// Writes 30 days of runs that ended before `anchor`.
async fn write_history(store: &Store, anchor: Timestamp) -> Result<(), Failure> {
    let mut random = StdRng::seed_from_u64(anchor.milliseconds().unsigned_abs());
    let mut items = Vec::new();
    for (flow, at) in moments(&mut random, anchor) {
        let plans = flow.plan(&mut random, at);
        let ended = plans.iter().filter(|plan| plan.has_ended_at(anchor));
        items.extend(ended.map(|plan| plan.items_at(anchor)));
    }
    let bar = progress_bar(items.len());
    let batches = write::batches(items);
    stream::iter(batches.into_iter().map(Ok::<_, Failure>))
        .try_for_each_concurrent(BATCHES_AT_A_TIME, |(batch, runs)| {
            let bar = &bar;
            async move {
                store.put_all(batch).await?;
                bar.inc(runs);
                Ok(())
            }
        })
        .await?;
    bar.finish_and_clear();
    Ok(())
}

/// When each flow began a run: more by day than by night, fewer at weekends.
fn moments(random: &mut StdRng, anchor: Timestamp) -> Vec<(&'static flows::Flow, i64)> {
    let begin = anchor.milliseconds() - DAYS * DAY_MS;
    let mut moments = Vec::new();
    for flow in flows::ALL {
        for day in 0..=DAYS {
            let midnight = (begin + day * DAY_MS) / DAY_MS * DAY_MS;
            // 1970 began on a Thursday.
            let is_weekend = matches!((midnight / DAY_MS) % 7, 2 | 3);
            let runs = if is_weekend {
                flow.runs_a_day / 2 + 1
            } else {
                flow.runs_a_day
            };
            for _ in 0..runs {
                let at = midnight + flow.time_of_day(random);
                if (begin..anchor.milliseconds()).contains(&at) {
                    moments.push((flow, at));
                }
            }
        }
    }
    moments.sort_by_key(|(_, at)| *at);
    moments
}

fn progress_bar(runs: usize) -> ProgressBar {
    let bar = terminal::progress_bar("Loading demo data", runs as u64, "runs");
    if bar.is_hidden() {
        // Not a terminal: one line says why nothing happens for a while.
        eprintln!("Loading demo data …");
    }
    bar
}
