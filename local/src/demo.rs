//! Realistic demo data: five flows over 30 days, and an engine that keeps a few runs
//! moving.
//!
//! The data consists of records in the public format, as any flow engine writes them. The
//! records expire, so that a server that keeps running does not grow forever.

use indicatif::ProgressBar;
use rand::SeedableRng;
use rand::rngs::StdRng;
use shared::attributes::text;
use shared::keys::{self, key};
use shared::model::{Item, TeamId, Timestamp};
use shared::store::{Store, from_sdk};
use shared::table::BY_TEAM;

use crate::embedded::Embedded;
use crate::terminal::{self, Failure};

mod engine;
mod flows;
mod layout;
mod plan;
mod write;

pub use engine::keep_moving;

/// The flow whose runs have parallel branches.
pub const FORKING_FLOW: &str = "order-pipeline";

/// How many days ago the first runs started.
const DAYS: i64 = 30;
const DAY_MS: i64 = 24 * 3_600 * 1_000;

/// The attribute of the demo's state that shows the progress of loading.
const STATE: &str = "state";
const LOADING: &str = "LOADING";
const LOADED: &str = "LOADED";
const DECLINED: &str = "DECLINED";

/// The demo's team, which is also the default team.
pub fn team_id() -> TeamId {
    match "default".parse() {
        Ok(team_id) => team_id,
        Err(invalid) => unreachable!("{invalid}"),
    }
}

/// Loads the demo data into a table that has never had a run, or continues after an
/// interrupted start. All other tables stay as they are. If the data is not `wanted`, the
/// table is marked so that a later start does not load it either. Returns whether the table
/// has demo data. `embedded` is the engine of an embedded table, which accepts the data
/// faster.
pub async fn prepare(
    store: &Store,
    embedded: Option<&Embedded>,
    wanted: bool,
) -> Result<bool, Failure> {
    let state = store.get(keys::DEMO, keys::DEMO).await?;
    let anchor = match state.as_ref().and_then(|state| get_text(state, STATE)) {
        Some(LOADED) => return Ok(true),
        // The same anchor produces the same runs with the same keys: the records of an
        // interrupted start are overwritten, not duplicated.
        Some(LOADING) => state
            .as_ref()
            .and_then(|state| get_text(state, "anchor")?.parse().ok()),
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
    write_history(store, embedded, anchor).await?;
    put_state(store, LOADED, anchor).await?;
    Ok(true)
}

/// Whether any team has a run.
pub async fn has_runs(store: &Store) -> Result<bool, Failure> {
    let scan = store.client().scan().table_name(store.table());
    let any = scan.index_name(BY_TEAM.name).limit(1).send().await;
    Ok(any.map_err(from_sdk)?.count > 0)
}

fn get_text<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
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
async fn write_history(
    store: &Store,
    embedded: Option<&Embedded>,
    anchor: Timestamp,
) -> Result<(), Failure> {
    let mut random = StdRng::seed_from_u64(anchor.milliseconds().unsigned_abs());
    let mut plans = Vec::new();
    for (flow, at) in start_times(&mut random, anchor) {
        let planned = flow.plan(&mut random, at).into_iter();
        plans.extend(planned.filter(|plan| plan.has_ended_at(anchor)));
    }
    let bar = progress_bar(plans.len());
    match embedded {
        Some(embedded) => {
            let runs = plans.iter().map(|plan| plan.records_at(anchor)).collect();
            write::write_directly(embedded, store.table(), runs, &bar).await?;
        }
        None => {
            let runs = plans.iter().map(|plan| plan.items_at(anchor)).collect();
            write::write_batches(store, runs, &bar).await?;
        }
    }
    bar.finish_and_clear();
    Ok(())
}

/// Returns the start times of each flow: more by day than by night, fewer at weekends.
fn start_times(random: &mut StdRng, anchor: Timestamp) -> Vec<(&'static flows::Flow, i64)> {
    let begin = anchor.milliseconds() - DAYS * DAY_MS;
    let mut times = Vec::new();
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
                    times.push((flow, at));
                }
            }
        }
    }
    times.sort_by_key(|(_, at)| *at);
    times
}

fn progress_bar(runs: usize) -> ProgressBar {
    let bar = terminal::progress_bar("Loading demo data", runs as u64, "runs");
    if bar.is_hidden() {
        // Without a terminal, this line explains the pause.
        eprintln!("Loading demo data …");
    }
    bar
}
