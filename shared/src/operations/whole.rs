//! One execution with all of its steps, those of its branches among them.

use std::collections::BTreeMap;
use std::slice;

use super::get::bytes_beside;
use super::steps::{Found, PayloadReader, STEP_BYTES_A_PAGE, StepLimits};
use super::visible_execution;
use crate::auth::Caller;
use crate::cursor::{self, StartKey};
use crate::error::Result;
use crate::keys;
use crate::masking::Disclosure;
use crate::model::{Execution, ExecutionId, Item, PageSize, Step, Timestamp, Value, is_expired};
use crate::payload::{RunPayload, UnreadablePayload};
use crate::stalled;
use crate::store::{MAX_ITEMS_A_QUERY, Range, Store};

/// An execution with a page of all of its steps.
#[derive(Debug)]
pub struct WholeExecution {
    /// The execution itself.
    pub execution: Execution,
    /// What it was given. On the first page alone.
    pub input: Option<Value>,
    /// What it gave back. On the first page alone.
    pub output: Option<Value>,
    /// Its steps, of all branches, in order of time: all of them, or a page.
    pub steps: Vec<Step>,
    /// The token of the next page of steps; `None` when these were the last.
    pub next_token: Option<String>,
    /// Payloads that are there and cannot be shown.
    pub unreadable: Vec<UnreadablePayload>,
}

/// Reads an execution, its input and output, and the steps of all of its
/// branches with theirs, in order of time: one Query where all of it fits into 1 MB.
///
/// The table has the steps of branches in the order of the branches, so each
/// page of a larger run reads all of the run, and keeps the earliest steps that
/// fit: without `limit` about [`STEP_BYTES_A_PAGE`] of them.
///
/// # Errors
/// Those of [`super::get_execution`].
pub async fn get_whole_execution(
    store: &Store,
    caller: &Caller,
    execution_id: &ExecutionId,
    limit: Option<PageSize>,
    next_token: Option<&str>,
) -> Result<WholeExecution> {
    let all = Range::of_execution(execution_id, keys::BRANCHES, None);
    let after = next_token
        .map(|token| cursor::read(&all, token))
        .transpose()?;
    let after = after.as_ref().and_then(keys::sort_key).map(place_of);

    let page = store.query(&all, None, MAX_ITEMS_A_QUERY).await?;
    let stopped_at = page.last_key.as_ref().and_then(keys::sort_key);
    let mut head = Head::default();
    page.items.into_iter().for_each(|item| head.take_in(item));
    // Branches come before the execution, and can fill the first MB.
    let item = match (head.execution, stopped_at) {
        (None, Some(sk)) if sk < keys::EXECUTION => {
            let pk = keys::execution_partition(execution_id);
            store.get(&pk, keys::EXECUTION).await?
        }
        (item, _) => item,
    };
    let mut execution = visible_execution(caller, execution_id, item, Timestamp::now())?;
    stalled::mark(store, &caller.team_id, slice::from_mut(&mut execution)).await?;

    let mut disclosure = Disclosure::to(store, caller).await?;
    let mut payloads = PayloadReader::new(store, execution_id);
    payloads.take_in(head.payloads, stopped_at);
    let (mut input, mut output, mut unreadable) = (None, None, Vec::new());
    if after.is_none() {
        for (name, value) in [
            (RunPayload::Input, &mut input),
            (RunPayload::Output, &mut output),
        ] {
            match payloads.read(name.name(), None).await? {
                Found::Payload(payload) => *value = payload,
                Found::Omitted(_) => {}
                Found::Unreadable(error) => unreadable.push(error),
            }
        }
    }
    let mut earliest = Earliest {
        after,
        most: limit.map_or(usize::MAX, PageSize::get),
        most_bytes: bytes_beside(STEP_BYTES_A_PAGE, [&input, &output]),
        ..Earliest::default()
    };
    for item in head.steps {
        earliest.take_in(item);
    }
    if let Some(last_key) = &page.last_key {
        read_rest(store, execution_id, last_key, &mut earliest).await?;
    }
    let steps = earliest.steps.into_values().map(|(step, _)| step).collect();
    let limits = StepLimits {
        steps: earliest.most,
        bytes: earliest.most_bytes,
        payload_bytes: None,
    };
    let filled = payloads.fill(steps, limits).await?;
    let mut page = filled.into_page(execution_id, &all, earliest.is_cut)?;
    page.show_in(&execution, &["input", "output"], None, &mut disclosure);
    let (input, output) = (disclosure.show(input), disclosure.show(output));
    disclosure.record(store, caller, execution_id).await?;
    unreadable.extend(page.unreadable);
    Ok(WholeExecution {
        execution,
        input,
        output,
        steps: page.steps,
        next_token: page.next_token,
        unreadable,
    })
}

/// What the first Query has found, sorted by kind.
#[derive(Default)]
struct Head {
    execution: Option<Item>,
    payloads: Vec<Item>,
    steps: Vec<Item>,
}

impl Head {
    fn take_in(&mut self, item: Item) {
        match keys::sort_key(&item) {
            Some(keys::EXECUTION) => self.execution = Some(item),
            Some(sk) if keys::payload_of(sk).is_some() => self.payloads.push(item),
            Some(sk) if sk.starts_with(keys::STEPS) || sk.starts_with(keys::BRANCHES) => {
                self.steps.push(item);
            }
            _ => {}
        }
    }
}

/// Reads the steps that lie behind the first Query.
async fn read_rest(
    store: &Store,
    execution_id: &ExecutionId,
    last_key: &StartKey,
    earliest: &mut Earliest,
) -> Result<()> {
    let stopped_at = keys::sort_key(last_key).unwrap_or_default();
    for prefix in [keys::BRANCHES, keys::STEPS] {
        let mut start = match () {
            () if stopped_at.starts_with(prefix) => Some(last_key.clone()),
            () if stopped_at > prefix => continue,
            () => None,
        };
        let range = Range::with_prefix(execution_id, prefix);
        loop {
            let page = store.query(&range, start, MAX_ITEMS_A_QUERY).await?;
            let last_is_kept = page
                .items
                .into_iter()
                .fold(true, |_, item| earliest.take_in(item));
            start = page.last_key;
            // Top-level steps stand in order of time: after one that is too
            // late, all are.
            if start.is_none() || (prefix == keys::STEPS && !last_is_kept) {
                break;
            }
        }
    }
    Ok(())
}

/// The place of a step in the order of time: when it began, as its key says,
/// and its key.
pub(super) fn place_of(sk: &str) -> (String, String) {
    let start_time = keys::step_of(sk).map_or("", |key| key.start_time);
    (start_time.to_owned(), sk.to_owned())
}

/// The earliest steps after a place, as many as fit.
#[derive(Default)]
struct Earliest {
    after: Option<(String, String)>,
    most: usize,
    most_bytes: usize,
    /// Each with its size.
    steps: BTreeMap<(String, String), (Step, usize)>,
    bytes: usize,
    /// Whether later steps were left out.
    is_cut: bool,
}

impl Earliest {
    /// Takes in a step, unless it is too late. Returns whether it, or something
    /// later, may still be among the earliest.
    fn take_in(&mut self, item: Item) -> bool {
        let Some(place) = keys::sort_key(&item).map(place_of) else {
            return true;
        };
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
