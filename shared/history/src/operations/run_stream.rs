//! Streams runs together with the steps of all of their branches.

use format::attributes;
use format::model::{Execution, ExecutionId, Item, Step, Timestamp, is_expired};
use format::{Result, keys};
use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt, StreamExt, TryStreamExt};
use store::{Pages, Range, Store};

use super::run_reader::RunHead;
use super::whole_execution::chronological_key;

/// How many runs' steps are read at a time. Each waiting run holds one page of steps in
/// memory, so this also limits the memory.
const RUNS_AT_A_TIME: usize = 16;

/// How many steps one Query reads.
const STEPS_A_PAGE: usize = 1_000;

/// The most steps of a run that are sorted by time, which requires all of them in memory.
const MAX_SORTED_STEPS: usize = 10_000;

/// The most bytes of steps that are sorted by time. Their error messages can be long.
const MAX_SORTED_BYTES: usize = 8 * 1024 * 1024;

/// The attributes of a step that are read: the attributes that are shown, and the attributes
/// that decide whether the step is shown.
const SHOWN: &[&str] = &[
    attributes::SORT_KEY,
    attributes::PARENT_STEP_INSTANCE_ID,
    attributes::STEP_ID,
    attributes::STEP_NAME,
    attributes::STEP_TYPE,
    attributes::STATUS,
    attributes::START_TIME,
    attributes::END_TIME,
    attributes::DURATION_MS,
    attributes::ERROR_MESSAGE,
    attributes::TIME_TO_LIVE,
];

/// A piece of the stream. The steps of a run follow it, up to the next run.
#[derive(Debug)]
pub(super) enum RunPiece {
    /// The start of a run.
    Execution(Box<Execution>),
    /// Some or all steps of the run.
    Steps(Vec<Step>),
}

/// Streams these runs, each followed by its steps.
pub(super) fn with_steps(
    store: Store,
    runs: BoxStream<'static, Result<Execution>>,
) -> BoxStream<'static, Result<RunPiece>> {
    runs.map(move |run| begin(store.clone(), run).boxed())
        .buffered(RUNS_AT_A_TIME)
        .map_ok(StreamedRun::pieces)
        .try_flatten()
        .boxed()
}

/// A run, with the steps that the first Query found.
struct StreamedRun {
    execution: Box<Execution>,
    /// The top-level steps, then the steps of branches.
    stretches: [Stretch; 2],
    /// Whether steps have been returned.
    has_begun: bool,
}

/// The steps of one kind: those already read, and the pages of the others.
struct Stretch {
    buffered: Vec<Step>,
    /// `None` if the run's key is malformed and has no steps.
    others: Option<Pages<'static>>,
}

async fn begin(store: Store, execution: Result<Execution>) -> Result<StreamedRun> {
    let execution = Box::new(execution?);
    let stretches = match execution.execution_id.parse::<ExecutionId>() {
        Ok(execution_id) => begin_stretches(&store, &execution, &execution_id).await?,
        // An id from a malformed key has no steps that could be read.
        Err(_) => [Stretch::empty(), Stretch::empty()],
    };
    Ok(StreamedRun {
        execution,
        stretches,
        has_begun: false,
    })
}

async fn begin_stretches(
    store: &Store,
    execution: &Execution,
    execution_id: &ExecutionId,
) -> Result<[Stretch; 2]> {
    let all = Range::of_execution(execution_id, keys::BRANCHES, None).only(SHOWN);
    let mut head = RunHead::read(store, &all, STEPS_A_PAGE).await?;
    let kinds = [
        (keys::STEPS, std::mem::take(&mut head.steps)),
        (keys::BRANCHES, std::mem::take(&mut head.branch_steps)),
    ];
    Ok(kinds.map(|(prefix, items)| {
        let range = Range::with_prefix(execution_id, prefix).only(SHOWN);
        let others = store.pages(range).starting(head.rest_of(prefix));
        Stretch {
            buffered: visible_steps(items, execution),
            others: Some(others.limited_to(STEPS_A_PAGE)),
        }
    }))
}

impl Stretch {
    fn empty() -> Self {
        Self {
            buffered: Vec::new(),
            others: None,
        }
    }
}

/// Returns the steps of these records that have not expired, as they are shown.
fn visible_steps(items: impl IntoIterator<Item = Item>, execution: &Execution) -> Vec<Step> {
    let now = Timestamp::now();
    let visible = items.into_iter().filter(|item| !is_expired(item, now));
    let mut steps: Vec<_> = visible.filter_map(Step::from_item).collect();
    for step in &mut steps {
        step.ended_with(execution);
    }
    steps
}

impl StreamedRun {
    fn pieces(self) -> BoxStream<'static, Result<RunPiece>> {
        let execution = RunPiece::Execution(self.execution.clone());
        let steps = stream::try_unfold(self, |mut run| {
            async move {
                let steps = run.next().await?;
                Ok(steps.map(|steps| (RunPiece::Steps(steps), run)))
            }
            .boxed()
        });
        stream::iter([Ok(execution)]).chain(steps).boxed()
    }

    /// The first call returns all steps in order of time, unless there are too many of
    /// them. In that case this call and the later ones return the steps in the table's
    /// order.
    async fn next(&mut self) -> Result<Option<Vec<Step>>> {
        if self.has_begun {
            return self.next_page().await;
        }
        self.has_begun = true;
        let (mut steps, mut bytes) = (Vec::new(), 0);
        while steps.len() <= MAX_SORTED_STEPS && bytes <= MAX_SORTED_BYTES {
            let Some(page) = self.next_page().await? else {
                steps.sort_by_cached_key(|step: &Step| chronological_key(&step.sk));
                return Ok((!steps.is_empty()).then_some(steps));
            };
            bytes += page.iter().map(Step::approximate_size).sum::<usize>();
            steps.extend(page);
        }
        Ok(Some(steps))
    }

    async fn next_page(&mut self) -> Result<Option<Vec<Step>>> {
        for stretch in &mut self.stretches {
            if !stretch.buffered.is_empty() {
                return Ok(Some(std::mem::take(&mut stretch.buffered)));
            }
            if let Some(others) = &mut stretch.others
                && let Some(page) = others.next().await?
            {
                return Ok(Some(visible_steps(page, &self.execution)));
            }
        }
        Ok(None)
    }
}
