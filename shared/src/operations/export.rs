//! All executions that a filter names, with their steps, as a stream.

use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt, StreamExt, TryStreamExt};

use super::ExecutionFilter;
use super::list::executions;
use super::steps::Rest;
use super::whole::place_of;
use crate::audit::{Action, Begun, Entry, Outcome};
use crate::auth::Caller;
use crate::cursor::StartKey;
use crate::error::Result;
use crate::keys;
use crate::model::{Execution, ExecutionId, Item, Step, Timestamp, is_expired};
use crate::store::{Range, Store};

/// How many runs are read by one Query: few enough that the first ones leave at
/// once.
const RUNS_A_PAGE: usize = 500;

/// How many runs' steps are read at a time. What a run has in memory before its
/// turn is one page of steps, so this bounds the memory as well.
const RUNS_AT_A_TIME: usize = 16;

/// After how many runs the audit is told how many have left: whoever goes away before
/// the end has still got so many.
const NOTED_EVERY: u64 = 1_000;

/// How many steps are read by one Query.
const STEPS_A_PAGE: usize = 1_000;

/// The most steps of a run that are put in order of time, which takes all of them
/// in memory.
const MAX_SORTED_STEPS: usize = 10_000;

/// The most bytes that these take, as their errors can be long.
const MAX_SORTED_BYTES: usize = 8 * 1024 * 1024;

/// What an export shows of a step, and what tells whether it is shown.
const SHOWN: &[&str] = &[
    "sk",
    "stepId",
    "stepName",
    "stepType",
    "status",
    "startTime",
    "endTime",
    "durationMs",
    "errorMessage",
    "expiresAt",
];

/// A piece of an export. The steps of a run are those between it and the next.
#[derive(Debug)]
pub enum ExportPiece {
    /// A run begins.
    Execution(Box<Execution>),
    /// Some of its steps, or all of them.
    Steps(Vec<Step>),
}

/// Streams executions, newest first, with the steps of all of their branches:
/// the very executions that a list with this filter has. The first of them are
/// read before this returns, so that a failure up to there is this function's.
///
/// Of a usual run the steps are in order of time, over all branches. A run of
/// more than 10,000 steps, or 8 MB of them, is not held in memory for that: its
/// steps come as the table has them, the top-level ones in order of time and
/// after these the branches, fork by fork. So an export of any size takes the
/// same memory.
///
/// Many runs are read at a time: one Query each, or some more where a run does
/// not fit into one. Payloads that lie between branches and steps are then
/// stepped over.
///
/// # Errors
/// [`crate::Error::Forbidden`] as of a list, and those of the table. The stream
/// ends with its first error.
pub async fn export_executions(
    store: &Store,
    caller: &Caller,
    filter: &ExecutionFilter,
) -> Result<BoxStream<'static, Result<ExportPiece>>> {
    filter.require(caller)?;
    let mut pages = Pages {
        store: store.clone(),
        range: filter.range(caller),
        limit: RUNS_A_PAGE,
        rest: Rest::Everything,
    };
    let first = stream::iter([Ok(pages.next().await?.unwrap_or_default())]);
    let event = Entry::new(caller, Action::ExecutionsExported, caller.team_id.as_str())?;
    let event = filter.describe(event).begin(store).await?;
    let others = stream::try_unfold(pages, |mut pages| {
        async move { Ok(pages.next().await?.map(|page| (page, pages))) }.boxed()
    });
    let runs = first
        .chain(others)
        .map_ok(|page| stream::iter(executions(page).into_iter().map(Ok)))
        .try_flatten();
    Ok(audited(with_steps(store.clone(), runs.boxed()), event))
}

/// These runs, each with its steps.
pub(super) fn with_steps(
    store: Store,
    runs: BoxStream<'static, Result<Execution>>,
) -> BoxStream<'static, Result<ExportPiece>> {
    runs.map(move |run| begin(store.clone(), run).boxed())
        .buffered(RUNS_AT_A_TIME)
        .map_ok(BegunRun::pieces)
        .try_flatten()
        .boxed()
}

/// The same stream, whose event of the audit tells how many runs have left, and ends
/// with it.
fn audited(
    pieces: BoxStream<'static, Result<ExportPiece>>,
    event: Begun,
) -> BoxStream<'static, Result<ExportPiece>> {
    let state = (pieces, Some(event), 0_u64);
    let audited = stream::unfold(state, |(mut pieces, event, mut executions)| async move {
        let piece = pieces.next().await;
        let mut event = event?;
        match &piece {
            Some(Ok(ExportPiece::Execution(_))) => {
                executions += 1;
                match executions.is_multiple_of(NOTED_EVERY) {
                    true => event.note("executions", executions).await,
                    false => event.tell("executions", executions),
                }
                return Some((piece?, (pieces, Some(event), executions)));
            }
            Some(Ok(ExportPiece::Steps(_))) => {
                return Some((piece?, (pieces, Some(event), executions)));
            }
            Some(Err(error)) => event.end_with(error).await,
            None => event.end(Outcome::Done).await,
        }
        Some((piece?, (pieces, None, executions)))
    });
    audited.boxed()
}

/// What of a range has not been read.
struct Pages {
    store: Store,
    range: Range,
    limit: usize,
    rest: Rest,
}

impl Pages {
    async fn next(&mut self) -> Result<Option<Vec<Item>>> {
        let start = match std::mem::replace(&mut self.rest, Rest::Nothing) {
            Rest::Nothing => return Ok(None),
            Rest::Everything => None,
            Rest::After(key) => Some(key),
        };
        let page = self.store.query(&self.range, start, self.limit).await?;
        self.rest = Rest::after(page.last_key);
        Ok(Some(page.items))
    }
}

/// A run, with as much of its steps as one Query finds.
struct BegunRun {
    execution: Box<Execution>,
    /// Its top-level steps and those of its branches, in this order.
    stretches: [Stretch; 2],
    /// Whether steps have been handed out.
    has_begun: bool,
}

/// The steps of one kind: those in hand, and the way to the others.
struct Stretch {
    in_hand: Vec<Step>,
    /// `None` where a malformed key leads to none.
    others: Option<Pages>,
}

async fn begin(store: Store, execution: Result<Execution>) -> Result<BegunRun> {
    let execution = Box::new(execution?);
    let mut stretches = [keys::STEPS, keys::BRANCHES].map(|_| Stretch {
        in_hand: Vec::new(),
        others: None,
    });
    // An id out of a key that is malformed has no steps that could be asked for.
    if let Ok(execution_id) = execution.execution_id.parse::<ExecutionId>() {
        let all = Range::of_execution(&execution_id, keys::BRANCHES, None).only(SHOWN);
        let page = store.query(&all, None, STEPS_A_PAGE).await?;
        let steps = steps(page.items, &execution);
        let (top, branches) = steps
            .into_iter()
            .partition(|step| step.sk.starts_with(keys::STEPS));
        stretches = [(keys::STEPS, top), (keys::BRANCHES, branches)].map(|(prefix, in_hand)| {
            let others = Pages {
                store: store.clone(),
                range: Range::with_prefix(&execution_id, prefix).only(SHOWN),
                limit: STEPS_A_PAGE,
                rest: rest_of(prefix, page.last_key.as_ref()),
            };
            Stretch {
                in_hand,
                others: Some(others),
            }
        });
    }
    Ok(BegunRun {
        execution,
        stretches,
        has_begun: false,
    })
}

/// What is left of the keys with this prefix behind a Query over all of a run
/// that stopped at this key, or at the end.
fn rest_of(prefix: &str, last_key: Option<&StartKey>) -> Rest {
    match last_key.and_then(keys::sort_key) {
        Some(stopped_at) if stopped_at.starts_with(prefix) => Rest::after(last_key.cloned()),
        Some(stopped_at) if stopped_at < prefix => Rest::Everything,
        _ => Rest::Nothing,
    }
}

/// The steps among a run's records, as they are shown.
fn steps(items: Vec<Item>, execution: &Execution) -> Vec<Step> {
    let now = Timestamp::now();
    let is_step = |item: &Item| {
        keys::sort_key(item)
            .is_some_and(|sk| sk.starts_with(keys::STEPS) || sk.starts_with(keys::BRANCHES))
    };
    let visible = items
        .into_iter()
        .filter(|item| is_step(item) && !is_expired(item, now));
    let mut steps: Vec<_> = visible.filter_map(Step::from_item).collect();
    for step in &mut steps {
        step.ended_with(execution);
    }
    steps
}

impl BegunRun {
    fn pieces(self) -> BoxStream<'static, Result<ExportPiece>> {
        let execution = ExportPiece::Execution(self.execution.clone());
        let steps = stream::try_unfold(self, |mut run| {
            async move {
                let steps = run.next().await?;
                Ok(steps.map(|steps| (ExportPiece::Steps(steps), run)))
            }
            .boxed()
        });
        stream::iter([Ok(execution)]).chain(steps).boxed()
    }

    /// At first all steps, in order of time, unless they are too many; then, and
    /// from there on, those that come next in the table's order.
    async fn next(&mut self) -> Result<Option<Vec<Step>>> {
        if self.has_begun {
            return self.next_page().await;
        }
        self.has_begun = true;
        let (mut steps, mut bytes) = (Vec::new(), 0);
        while steps.len() <= MAX_SORTED_STEPS && bytes <= MAX_SORTED_BYTES {
            let Some(page) = self.next_page().await? else {
                steps.sort_by_cached_key(|step: &Step| place_of(&step.sk));
                return Ok((!steps.is_empty()).then_some(steps));
            };
            bytes += page.iter().map(Step::approximate_size).sum::<usize>();
            steps.extend(page);
        }
        Ok(Some(steps))
    }

    async fn next_page(&mut self) -> Result<Option<Vec<Step>>> {
        for stretch in &mut self.stretches {
            if !stretch.in_hand.is_empty() {
                return Ok(Some(std::mem::take(&mut stretch.in_hand)));
            }
            if let Some(others) = &mut stretch.others
                && let Some(page) = others.next().await?
            {
                return Ok(Some(steps(page, &self.execution)));
            }
        }
        Ok(None)
    }
}
