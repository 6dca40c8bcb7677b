//! One execution with all of its steps, including the steps of its branches.

use std::collections::BTreeMap;

use format::attributes::{INPUT, OUTPUT};
use format::model::{Execution, ExecutionId, Item, PageSize, Step, Timestamp, Value, is_expired};
use format::payload::{RunPayload, UnreadablePayload};
use format::{Result, keys};
use store::{MAX_ITEMS_A_QUERY, Range, Rest, Store};
use team::auth::Caller;
use team::masking::{Disclosure, reveal};

use super::get::bytes_left_for_steps;
use super::nesting::{Nesting, StepToken, is_nested};
use super::run_reader::RunHead;
use super::steps::{
    More, PayloadReader, ReadPayload, STEP_BYTES_A_PAGE, StepLimits, StepPage, fill_page,
};

/// An execution with a page of all of its steps.
#[derive(Debug)]
pub struct WholeExecution {
    /// The execution itself.
    pub execution: Execution,
    /// The run's input. Only on the first page.
    pub input: Option<Value>,
    /// The run's output. Only on the first page.
    pub output: Option<Value>,
    /// The steps of all branches, in order of time: all of them, or a page.
    pub steps: Vec<Step>,
    /// The token of the next page of steps; `None` when these were the last.
    pub next_token: Option<String>,
    /// Payloads that exist but cannot be shown.
    pub unreadable: Vec<UnreadablePayload>,
}

/// Reads an execution, its input and output, and the steps of all of its branches with
/// their payloads, in order of time: one Query if all of it fits into 1 MB.
///
/// The table stores the steps of branches branch by branch, not in order of time. Each page
/// of a larger run therefore reads the whole run and keeps the earliest steps that fit:
/// about [`STEP_BYTES_A_PAGE`] of them if there is no `limit`.
///
/// # Errors
/// The errors of [`super::get_execution`].
pub async fn get_whole_execution(
    store: &Store,
    caller: &Caller,
    execution_id: &ExecutionId,
    limit: Option<PageSize>,
    next_token: Option<&str>,
) -> Result<WholeExecution> {
    let all = Range::of_execution(execution_id, keys::BRANCHES, None);
    let token = next_token
        .map(|token| StepToken::read(&all, token))
        .transpose()?;
    let after = token
        .as_ref()
        .and_then(|token| keys::sort_key(&token.start))
        .map(chronological_key);

    let mut head = RunHead::read(store, &all, MAX_ITEMS_A_QUERY).await?;
    let execution = head.execution(store, caller, execution_id).await?;
    let mut payloads = head.payload_reader(store, execution_id);
    let of_run = match after {
        None => read_input_and_output(&mut payloads).await?,
        Some(_) => InputAndOutput::default(),
    };
    let mut earliest = Earliest {
        after,
        most: limit.map_or(usize::MAX, PageSize::get),
        most_bytes: bytes_left_for_steps(STEP_BYTES_A_PAGE, [&of_run.input, &of_run.output]),
        ..Earliest::default()
    };
    let token = token.as_ref();
    let mut nesting = Nesting::of_whole_run(store, execution_id, &execution, &head, token);
    let rest = read_steps(store, execution_id, head, &mut earliest).await?;
    nesting.complete(earliest.found_nested, rest).await?;
    if let Some(tree) = nesting.tree() {
        for fork in tree.added_forks() {
            earliest.add(fork);
        }
    }
    let page = earliest.into_page(&nesting, &all, &mut payloads).await?;
    reveal(store, caller, execution_id, async |disclosure| {
        show(execution, of_run, page, disclosure).await
    })
    .await
}

/// The input and output of a run, as they are stored.
#[derive(Default)]
struct InputAndOutput {
    input: Option<Value>,
    output: Option<Value>,
    unreadable: Vec<UnreadablePayload>,
}

async fn read_input_and_output(payloads: &mut PayloadReader<'_>) -> Result<InputAndOutput> {
    let mut read = InputAndOutput::default();
    for (name, value) in [
        (RunPayload::Input, &mut read.input),
        (RunPayload::Output, &mut read.output),
    ] {
        match payloads.read(name.name(), None).await? {
            ReadPayload::Whole(payload) => *value = payload,
            ReadPayload::Omitted(_) => {}
            ReadPayload::Unreadable(error) => read.unreadable.push(error),
        }
    }
    Ok(read)
}

/// Returns the run with these steps, as the caller may see them.
async fn show(
    execution: Execution,
    mut of_run: InputAndOutput,
    mut page: StepPage,
    disclosure: &mut Disclosure,
) -> Result<WholeExecution> {
    page.show_in(&execution, &[INPUT, OUTPUT], None, disclosure)
        .await?;
    of_run.unreadable.append(&mut page.unreadable);
    Ok(WholeExecution {
        execution,
        input: disclosure.show(of_run.input).await?,
        output: disclosure.show(of_run.output).await?,
        steps: page.steps,
        next_token: page.next_token,
        unreadable: of_run.unreadable,
    })
}

/// Reads the steps of all branches: first those already read, then the others. Returns the
/// steps outside of branches that were not read, because they are too late.
async fn read_steps(
    store: &Store,
    execution_id: &ExecutionId,
    mut head: RunHead,
    earliest: &mut Earliest,
) -> Result<Rest> {
    let (steps, branch_steps) = (
        std::mem::take(&mut head.steps),
        std::mem::take(&mut head.branch_steps),
    );
    for item in branch_steps.into_iter().chain(steps) {
        earliest.add(item);
    }
    for prefix in [keys::BRANCHES, keys::STEPS] {
        let range = Range::with_prefix(execution_id, prefix);
        let mut pages = store.pages(&range).starting(head.rest_of(prefix));
        while let Some(items) = pages.next().await? {
            let last_is_kept = items.into_iter().fold(true, |_, item| earliest.add(item));
            // Steps outside of branches are in order of time: after one that is too late, all
            // others are too late.
            if prefix == keys::STEPS && !last_is_kept {
                return Ok(pages.rest());
            }
        }
    }
    Ok(Rest::Nothing)
}

/// Returns the key that sorts the steps of all branches by time: the start time from a
/// step's sort key, then the sort key itself.
pub(super) fn chronological_key(sk: &str) -> (String, String) {
    let start_time = keys::step_of(sk).map_or("", |key| key.start_time);
    (start_time.to_owned(), sk.to_owned())
}

/// Collects the earliest steps after a position, as many as fit on the page.
#[derive(Default)]
struct Earliest {
    after: Option<(String, String)>,
    most: usize,
    most_bytes: usize,
    /// Each step with its size.
    steps: BTreeMap<(String, String), (Step, usize)>,
    bytes: usize,
    /// Whether later steps were left out.
    is_cut: bool,
    /// Whether a nested step was among the steps, added or not.
    found_nested: bool,
}

impl Earliest {
    /// Returns the page of these steps, with their places and payloads.
    async fn into_page(
        self,
        nesting: &Nesting<'_>,
        range: &Range,
        payloads: &mut PayloadReader<'_>,
    ) -> Result<StepPage> {
        let steps = self.steps.into_values().map(|(step, _)| step).collect();
        let limits = StepLimits {
            steps: self.most,
            bytes: self.most_bytes,
            payload_bytes: None,
            status: None,
        };
        let more = match self.is_cut {
            true => More::AfterLast,
            false => More::Nothing,
        };
        fill_page((steps, more), nesting, payloads, limits, |_| range).await
    }

    /// Adds a step, unless it is too late. Returns whether this step, or a later one, may
    /// still be among the earliest.
    fn add(&mut self, item: Item) -> bool {
        let Some(place) = keys::sort_key(&item).map(chronological_key) else {
            return true;
        };
        self.found_nested |= is_nested(&item);
        if is_expired(&item, Timestamp::now())
            || self.after.as_ref().is_some_and(|after| place <= *after)
        {
            return true;
        }
        let is_late = |last: &(String, String)| self.is_cut && place > *last;
        if self
            .steps
            .last_key_value()
            .is_some_and(|(last, _)| is_late(last))
        {
            return false;
        }
        let Some(step) = Step::from_item(item) else {
            return true;
        };
        let size = step.approximate_size();
        self.bytes += size;
        self.steps.insert(place.clone(), (step, size));
        while self.steps.len() > self.most || (self.bytes > self.most_bytes && self.steps.len() > 1)
        {
            if let Some((_, (_, size))) = self.steps.pop_last() {
                self.bytes -= size;
                self.is_cut = true;
            }
        }
        self.steps.contains_key(&place)
    }
}
