//! One execution with its steps and one of its payloads.

use std::slice;

use super::steps::{Found, PayloadReader, Rest, STEP_BYTES_A_PAGE, StepLimits, StepReader};
use super::visible_execution;
use crate::auth::Caller;
use crate::cursor;
use crate::error::Result;
use crate::keys;
use crate::masking::Disclosure;
use crate::model::{
    Execution, ExecutionId, Item, OmittedPayload, PageSize, Step, StepSummary, Timestamp, Value,
};
use crate::payload::{RunPayload, UnreadablePayload};
use crate::stalled;
use crate::store::{Range, Store};

/// How many items are read beside the steps that a caller asks for: the
/// execution, and the payloads of a usual run.
const BESIDE_STEPS: usize = 100;

/// The least that is left to the steps of a page beside large payloads.
const MIN_STEP_BYTES: usize = 1024 * 1024;

/// Which payloads of a run the details hold.
#[derive(Debug, Clone, Copy)]
pub struct ShownPayloads {
    /// Which of the run itself.
    pub of_run: RunPayload,
    /// Which of its steps: `input`, `output`, `executionData`.
    pub of_steps: &'static [&'static str],
    /// Up to how many bytes of JSON each; `None` where all are wanted.
    pub most_bytes: Option<usize>,
}

/// An execution with a page of its steps.
#[derive(Debug)]
pub struct ExecutionDetails {
    /// The execution itself.
    pub execution: Execution,
    /// Its top-level steps, in order of time: all of them, or a page.
    pub steps: Vec<Step>,
    /// The payload that was asked for. On the first page of the steps alone,
    /// whatever its size.
    pub payload: Option<Value>,
    /// That payload, where it is longer than the caller takes.
    pub omitted: Option<OmittedPayload>,
    /// Whether these are the run's first steps.
    is_first_page: bool,
    /// The token of the next page of steps; `None` when these were the last.
    pub next_token: Option<String>,
    /// Payloads that are there and cannot be shown.
    pub unreadable: Vec<UnreadablePayload>,
}

impl ExecutionDetails {
    /// How the steps ended. `None` where not all of them are in hand.
    pub fn step_summary(&self) -> Option<StepSummary> {
        let is_complete = self.is_first_page && self.next_token.is_none();
        is_complete.then(|| StepSummary::of(&self.steps))
    }
}

/// Reads an execution, one of its payloads and its top-level steps: one Query
/// where all of it fits into 1 MB.
///
/// Without `limit` the page of steps ends only at about
/// [`STEP_BYTES_A_PAGE`](super::STEP_BYTES_A_PAGE).
///
/// # Errors
/// [`crate::Error::ExecutionNotFound`], [`crate::Error::InvalidNextToken`], and
/// those of the table.
pub async fn get_execution(
    store: &Store,
    caller: &Caller,
    execution_id: &ExecutionId,
    shown: ShownPayloads,
    limit: Option<PageSize>,
    next_token: Option<&str>,
) -> Result<ExecutionDetails> {
    let steps_range = Range::with_prefix(execution_id, keys::STEPS);
    let limits = StepLimits {
        steps: limit.map_or(usize::MAX, PageSize::get),
        bytes: STEP_BYTES_A_PAGE,
        payload_bytes: shown.most_bytes,
    };
    match next_token {
        None => {
            let limit = limits.steps.saturating_add(BESIDE_STEPS);
            let head = read_head(store, caller, execution_id, &steps_range, limit).await?;
            first_page(head, caller, execution_id, shown, limits).await
        }
        Some(token) => {
            let start = cursor::read(&steps_range, token)?;
            let reader = StepReader {
                store,
                range: &steps_range,
                in_hand: [].into(),
                rest: Rest::After(start),
            };
            next_page(caller, execution_id, reader, shown, limits).await
        }
    }
}

/// What one Query from the execution on has found: all of a usual run.
struct Head<'a> {
    execution: Execution,
    payloads: PayloadReader<'a>,
    steps: StepReader<'a>,
}

async fn read_head<'a>(
    store: &'a Store,
    caller: &Caller,
    execution_id: &'a ExecutionId,
    steps_range: &'a Range,
    limit: usize,
) -> Result<Head<'a>> {
    // The execution, its payloads and its steps are one range.
    let all = Range::of_execution(execution_id, keys::EXECUTION, None);
    let page = store.query(&all, None, limit).await?;
    let mut items = page.items.into_iter();
    let mut execution = visible_execution(caller, execution_id, items.next(), Timestamp::now())?;
    stalled::mark(store, &caller.team_id, slice::from_mut(&mut execution)).await?;

    let is_before_steps = |item: &Item| keys::sort_key(item).is_some_and(|sk| sk < keys::STEPS);
    let is_step = |item: &Item| keys::sort_key(item).is_some_and(|sk| sk.starts_with(keys::STEPS));
    let (payload_items, others): (Vec<_>, Vec<_>) = items.partition(is_before_steps);
    let stopped_at = page.last_key.as_ref().and_then(keys::sort_key);
    let mut payloads = PayloadReader::new(store, execution_id);
    payloads.take_in(payload_items, stopped_at);
    let rest = match stopped_at {
        Some(sk) if sk < keys::STEPS => Rest::Everything,
        Some(sk) if sk.starts_with(keys::STEPS) => Rest::after(page.last_key),
        // Beyond the steps, among keys that the format does not know.
        _ => Rest::Nothing,
    };
    let steps = StepReader {
        store,
        range: steps_range,
        in_hand: others.into_iter().filter(is_step).collect(),
        rest,
    };
    Ok(Head {
        execution,
        payloads,
        steps,
    })
}

async fn first_page(
    head: Head<'_>,
    caller: &Caller,
    execution_id: &ExecutionId,
    shown: ShownPayloads,
    limits: StepLimits,
) -> Result<ExecutionDetails> {
    let store = head.steps.store;
    let mut disclosure = Disclosure::to(store, caller).await?;
    let mut payloads = head.payloads;
    let name = shown.of_run.name();
    let (payload, omitted, unreadable) = match payloads.read(name, shown.most_bytes).await? {
        Found::Payload(payload) => (payload, None, None),
        Found::Omitted(omitted) => (None, Some(omitted), None),
        Found::Unreadable(error) => (None, None, Some(error)),
    };
    let limits = StepLimits {
        bytes: bytes_beside(limits.bytes, [&payload]),
        ..limits
    };
    let mut page = head.steps.page(execution_id, &mut payloads, limits).await?;
    page.show_in(
        &head.execution,
        shown.of_steps,
        shown.most_bytes,
        &mut disclosure,
    );
    let (payload, omitted) = match disclosure.show_within(payload, shown.most_bytes) {
        Ok(payload) => (payload, omitted),
        Err(omitted) => (None, Some(omitted)),
    };
    disclosure.record(store, caller, execution_id).await?;
    Ok(ExecutionDetails {
        execution: head.execution,
        steps: page.steps,
        payload,
        omitted,
        is_first_page: true,
        next_token: page.next_token,
        unreadable: unreadable.into_iter().chain(page.unreadable).collect(),
    })
}

/// What is left of a page's bytes to its steps beside these payloads.
pub(super) fn bytes_beside<const N: usize>(bytes: usize, payloads: [&Option<Value>; N]) -> usize {
    let taken: usize = payloads
        .into_iter()
        .flatten()
        .map(Value::approximate_size)
        .sum();
    bytes.saturating_sub(taken).max(MIN_STEP_BYTES)
}

async fn next_page(
    caller: &Caller,
    execution_id: &ExecutionId,
    reader: StepReader<'_>,
    shown: ShownPayloads,
    limits: StepLimits,
) -> Result<ExecutionDetails> {
    let store = reader.store;
    let item = store
        .get(&keys::execution_partition(execution_id), keys::EXECUTION)
        .await?;
    let mut execution = visible_execution(caller, execution_id, item, Timestamp::now())?;
    stalled::mark(store, &caller.team_id, slice::from_mut(&mut execution)).await?;
    let mut disclosure = Disclosure::to(store, caller).await?;
    let mut payloads = PayloadReader::new(store, execution_id);
    let mut page = reader.page(execution_id, &mut payloads, limits).await?;
    page.show_in(
        &execution,
        shown.of_steps,
        shown.most_bytes,
        &mut disclosure,
    );
    disclosure.record(store, caller, execution_id).await?;
    Ok(ExecutionDetails {
        execution,
        steps: page.steps,
        payload: None,
        omitted: None,
        is_first_page: false,
        next_token: page.next_token,
        unreadable: page.unreadable,
    })
}
