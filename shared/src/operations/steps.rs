//! Reading a run's steps with their payloads, however many there are.
//!
//! Most runs fit into one page of one Query, which then is all that is read.
//! Beyond that, a page of steps ends at a number of steps or of bytes, and the
//! payloads are looked for where they are: in one range while it is short, else
//! step by step.

use std::collections::VecDeque;

use futures_util::{Stream, StreamExt, TryStreamExt, stream};

use crate::cursor;
use crate::error::Result;
use crate::keys;
use crate::masking::Disclosure;
use crate::model::{Execution, ExecutionId, Item, Step, Timestamp, Value, is_expired};
use crate::payload::{MAX_DECODED_BYTES, Payloads, UnreadablePayload};
use crate::store::{MAX_ITEMS_A_QUERY, Range, Store, key};

/// About how many bytes of JSON the steps of one answer take at most. The page
/// ends there, and never before its first step. It keeps an answer without
/// large payloads under the 6 MB at which Lambda ends a buffered one.
pub const STEP_BYTES_A_PAGE: usize = 5 * 1024 * 1024;

/// How many MB of the steps' payloads are read as one range, before each step
/// of the page is asked for its own.
const PAYLOAD_QUERIES: usize = 4;

/// The most steps of a page that are asked for their payloads one by one, which
/// takes up to three Queries each. The page ends there.
pub const STEPS_ASKED_A_PAGE: usize = 200;

/// How many of them are asked at a time.
const STEPS_AT_A_TIME: usize = 8;

/// The fields of a step that can stand in a payload.
pub(super) const PAYLOAD_FIELDS: [&str; 3] = ["input", "output", "executionData"];

/// One page of steps.
pub(super) struct StepPage {
    pub(super) steps: Vec<Step>,
    pub(super) next_token: Option<String>,
    pub(super) unreadable: Vec<UnreadablePayload>,
}

impl StepPage {
    /// Shows the steps as they stand in their run: of their payloads these fields,
    /// with what the caller may see.
    pub(super) fn show_in(
        &mut self,
        execution: &Execution,
        fields: &[&str],
        disclosure: &mut Disclosure,
    ) {
        for step in &mut self.steps {
            step.ended_with(execution);
            for (field, value) in step.payload_fields() {
                let payload = value.take().filter(|_| fields.contains(&field));
                *value = disclosure.show(payload);
            }
        }
    }
}

/// How much of the steps one page may hold.
#[derive(Clone, Copy)]
pub(super) struct StepLimits {
    pub(super) steps: usize,
    pub(super) bytes: usize,
}

/// A stretch of steps that is being read: what is in hand of it, and where the
/// rest begins.
pub(super) struct StepReader<'a> {
    pub(super) store: &'a Store,
    pub(super) range: &'a Range,
    pub(super) in_hand: VecDeque<Item>,
    /// What to read once nothing is in hand.
    pub(super) rest: Rest,
}

/// What of a stretch is not in hand.
pub(super) enum Rest {
    Nothing,
    Everything,
    After(cursor::StartKey),
}

impl Rest {
    /// What is left after a Query that stopped at this key, or at its end.
    pub(super) fn after(last_key: Option<cursor::StartKey>) -> Self {
        last_key.map_or(Self::Nothing, Self::After)
    }
}

impl StepReader<'_> {
    /// Reads a page of steps with their payloads.
    pub(super) async fn page(
        mut self,
        execution_id: &ExecutionId,
        payloads: &mut PayloadReader<'_>,
        limits: StepLimits,
    ) -> Result<StepPage> {
        let (steps, more) = self.read(limits).await?;
        let filled = payloads.fill(steps, limits.bytes).await?;
        filled.into_page(execution_id, self.range, more)
    }

    /// Reads steps up to the limits, without their payloads. The second value
    /// says whether there are more.
    async fn read(&mut self, limits: StepLimits) -> Result<(Vec<Step>, bool)> {
        let now = Timestamp::now();
        let (mut steps, mut bytes) = (Vec::new(), 0);
        while let Some(item) = self.next(limits.steps - steps.len()).await? {
            if is_expired(&item, now) {
                continue;
            }
            let Some(step) = Step::from_item(item) else {
                continue;
            };
            bytes += step.approximate_size();
            if steps.len() == limits.steps || (bytes > limits.bytes && !steps.is_empty()) {
                return Ok((steps, true));
            }
            steps.push(step);
        }
        Ok((steps, false))
    }

    async fn next(&mut self, missing: usize) -> Result<Option<Item>> {
        while self.in_hand.is_empty() {
            let start = match std::mem::replace(&mut self.rest, Rest::Nothing) {
                Rest::Nothing => return Ok(None),
                Rest::Everything => None,
                Rest::After(key) => Some(key),
            };
            let limit = missing.saturating_add(1).min(MAX_ITEMS_A_QUERY);
            let page = self.store.query(self.range, start, limit).await?;
            self.in_hand = page.items.into();
            self.rest = Rest::after(page.last_key);
        }
        Ok(self.in_hand.pop_front())
    }
}

/// Steps with their payloads, up to a number of bytes.
pub(super) struct FilledSteps {
    steps: Vec<Step>,
    /// Whether steps were left out.
    is_cut: bool,
    unreadable: Vec<UnreadablePayload>,
}

impl FilledSteps {
    /// The page of these steps. `more` says whether others come after those that
    /// were to be filled; `range` is what the page's token belongs to.
    pub(super) fn into_page(
        self,
        execution_id: &ExecutionId,
        range: &Range,
        more: bool,
    ) -> Result<StepPage> {
        let mut page = StepPage {
            steps: self.steps,
            next_token: None,
            unreadable: self.unreadable,
        };
        if (more || self.is_cut)
            && let Some(last) = page.steps.last()
        {
            let pk = keys::execution_partition(execution_id);
            page.next_token = Some(cursor::mint(range, &key(pk, &last.sk))?);
        }
        Ok(page)
    }
}

/// How far a run's payloads have been read.
enum Frontier {
    /// Up to and including this sort key.
    At(String),
    /// All of them.
    End,
}

/// The payloads of one run: those in hand, and the way to the others.
pub(super) struct PayloadReader<'a> {
    store: &'a Store,
    execution_id: &'a ExecutionId,
    payloads: Payloads,
    frontier: Frontier,
}

impl<'a> PayloadReader<'a> {
    /// A reader that has nothing yet.
    pub(super) fn new(store: &'a Store, execution_id: &'a ExecutionId) -> Self {
        Self {
            store,
            execution_id,
            payloads: Payloads::default(),
            frontier: Frontier::At(String::new()),
        }
    }

    /// Takes in payloads that a Query from the execution on has met, and where
    /// it stopped: `None` when it met the end of its range.
    pub(super) fn take_in(
        &mut self,
        items: impl IntoIterator<Item = Item>,
        stopped_at: Option<&str>,
    ) {
        self.insert(items);
        self.frontier = match stopped_at {
            Some(sk) if sk < keys::STEPS => Frontier::At(sk.to_owned()),
            _ => Frontier::End,
        };
    }

    fn insert(&mut self, items: impl IntoIterator<Item = Item>) {
        let now = Timestamp::now();
        for item in items {
            if !is_expired(&item, now) {
                self.payloads.insert(item);
            }
        }
    }

    /// The payload of that name, if there is one.
    pub(super) async fn read(
        &mut self,
        name: &str,
    ) -> Result<std::result::Result<Option<Value>, UnreadablePayload>> {
        self.read_whole(name).await?;
        Ok(self.payloads.take(name))
    }

    /// Fills steps with their payloads, up to so many bytes, at least one.
    pub(super) async fn fill(&mut self, mut steps: Vec<Step>, bytes: usize) -> Result<FilledSteps> {
        let mut filled = FilledSteps {
            steps: Vec::with_capacity(steps.len()),
            is_cut: false,
            unreadable: Vec::new(),
        };
        if steps.is_empty() {
            return Ok(filled);
        }
        self.read_step_payloads().await?;
        filled.is_cut = self.end_where_too_many_are_asked(&mut steps);
        let mut taken = 0;
        let mut steps = self.of_steps(steps);
        while let Some((step, payloads)) = steps.try_next().await? {
            // Decoded one after another: each can take many megabytes.
            let (step, unreadable) = fill_in(step, payloads);
            taken += step.approximate_size();
            if taken > bytes && !filled.steps.is_empty() {
                filled.is_cut = true;
                break;
            }
            filled.steps.push(step);
            filled.unreadable.extend(unreadable);
        }
        Ok(filled)
    }

    /// Reads all parts of one payload, unless it turns out too large.
    async fn read_whole(&mut self, name: &str) -> Result<()> {
        let prefix = keys::payload_parts(name);
        self.read_prefix(&prefix, |_, payloads| payloads.is_too_large(name))
            .await
    }

    /// Reads the payloads of all steps, as far as a short range holds them.
    async fn read_step_payloads(&mut self) -> Result<()> {
        self.read_prefix(keys::STEP_PAYLOADS, |queries, _| queries == PAYLOAD_QUERIES)
            .await
    }

    /// Reads the payloads whose keys begin with `prefix`, from where they are
    /// not in hand yet, until `is_enough`, which is given the number of Queries.
    async fn read_prefix(
        &mut self,
        prefix: &str,
        is_enough: impl Fn(usize, &Payloads) -> bool,
    ) -> Result<()> {
        let range = Range::with_prefix(self.execution_id, prefix);
        let mut start = match &self.frontier {
            Frontier::End => return Ok(()),
            Frontier::At(sk) if sk.starts_with(prefix) => {
                let pk = keys::execution_partition(self.execution_id);
                Some(key(pk, sk))
            }
            Frontier::At(sk) if sk.as_str() > prefix => return Ok(()),
            Frontier::At(_) => None,
        };
        for queries in 1.. {
            let page = self.store.query(&range, start, MAX_ITEMS_A_QUERY).await?;
            self.insert(page.items);
            let reached = page.last_key.as_ref().and_then(keys::sort_key);
            let end = format!("{prefix}{}", keys::LAST);
            self.frontier = Frontier::At(reached.map_or(end, str::to_owned));
            start = page.last_key;
            if start.is_none() || is_enough(queries, &self.payloads) {
                break;
            }
        }
        Ok(())
    }

    /// The fields of a step that may stand in payloads which are not in hand.
    fn unknown_fields(&self, step: &Step) -> Vec<&'static str> {
        let (Some(id), Frontier::At(reached)) = (step.id(), &self.frontier) else {
            return Vec::new();
        };
        let values = [&step.input, &step.output, &step.execution_data];
        let is_unknown = |field: &str| {
            let name = keys::step_payload_name(id, field);
            *reached < format!("{}{}", keys::payload_parts(&name), keys::LAST)
        };
        PAYLOAD_FIELDS
            .into_iter()
            .zip(values)
            .filter(|(field, value)| value.is_none() && is_unknown(field))
            .map(|(field, _)| field)
            .collect()
    }

    /// Cuts off the steps after the last that can be asked for its payloads.
    /// Returns whether there were any.
    fn end_where_too_many_are_asked(&self, steps: &mut Vec<Step>) -> bool {
        let mut asked = steps
            .iter()
            .enumerate()
            .filter(|(_, step)| !self.unknown_fields(step).is_empty());
        let Some((end, _)) = asked.nth(STEPS_ASKED_A_PAGE) else {
            return false;
        };
        drop(asked);
        steps.truncate(end);
        true
    }

    /// Finds the payloads of each step, in the steps' order.
    fn of_steps(
        &mut self,
        steps: Vec<Step>,
    ) -> impl Stream<Item = Result<(Step, Payloads)>> + Unpin {
        let known: Vec<_> = steps
            .into_iter()
            .map(|step| {
                let unknown_fields = self.unknown_fields(&step);
                let payloads = self.take_of_step(&step);
                (step, payloads, unknown_fields)
            })
            .collect();
        let (store, execution_id) = (self.store, self.execution_id);
        stream::iter(known)
            .map(move |(step, mut payloads, unknown_fields)| {
                Box::pin(async move {
                    let id = step.id().unwrap_or_default();
                    for field in unknown_fields {
                        let mut reader = PayloadReader::new(store, execution_id);
                        let name = keys::step_payload_name(id, field);
                        reader.read_whole(&name).await?;
                        reader.payloads.move_to(&name, &mut payloads);
                    }
                    Ok((step, payloads))
                })
            })
            .buffered(STEPS_AT_A_TIME)
    }

    /// Moves the parts of one step's payloads out of what is in hand. A field
    /// of which there may be more parts elsewhere is read anew, and whole.
    fn take_of_step(&mut self, step: &Step) -> Payloads {
        let mut taken = Payloads::default();
        for field in PAYLOAD_FIELDS {
            let name = keys::step_payload_name(step.id().unwrap_or_default(), field);
            self.payloads.move_to(&name, &mut taken);
        }
        taken
    }
}

/// Fills the fields that stand in payloads. What stands in the step itself
/// goes before a payload of the same name. Together the payloads of a step have
/// at most [`MAX_DECODED_BYTES`], so that an answer with a large context and a
/// large step stays below the 200 MB of Lambda's response streaming.
fn fill_in(mut step: Step, mut payloads: Payloads) -> (Step, Vec<UnreadablePayload>) {
    let mut unreadable = Vec::new();
    let Some(id) = step.id().map(str::to_owned) else {
        return (step, unreadable);
    };
    let mut bytes = 0;
    for (field, value) in step.payload_fields() {
        if value.is_some() {
            continue;
        }
        let name = keys::step_payload_name(&id, field);
        match payloads.take(&name) {
            Ok(payload) => {
                bytes += payload.as_ref().map_or(0, Value::approximate_size);
                if bytes <= MAX_DECODED_BYTES {
                    *value = payload;
                } else {
                    let reason = "the step's payloads together are too large".to_owned();
                    unreadable.push(UnreadablePayload { name, reason });
                }
            }
            Err(error) => unreadable.push(error),
        }
    }
    (step, unreadable)
}
