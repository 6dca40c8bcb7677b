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
use crate::model::{
    Execution, ExecutionId, Item, OmittedPayload, OmittedPayloads, Step, Timestamp, Value,
    is_expired,
};
use crate::payload::{MAX_DECODED_BYTES, Payloads, UnreadablePayload};
use crate::store::{MAX_ITEMS_A_QUERY, Range, Store, key};

/// About how many bytes of JSON the steps of one answer take at most. The page
/// ends there, and never before its first step. It keeps an answer without
/// large payloads under the 6 MB at which Lambda ends a buffered one.
pub const STEP_BYTES_A_PAGE: usize = 5 * 1024 * 1024;

/// About how many bytes of steps and their payloads are read for one answer at most,
/// shown or left out. It bounds the time and the memory of a page whose payloads are all
/// left out.
const READ_BYTES_A_PAGE: usize = 16 * 1024 * 1024;

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
    /// Shows the steps as they stand in their run: of their payloads these fields, up to
    /// so many bytes of each, with what the caller may see.
    pub(super) fn show_in(
        &mut self,
        execution: &Execution,
        fields: &[&str],
        most: Option<usize>,
        disclosure: &mut Disclosure,
    ) {
        for step in &mut self.steps {
            step.ended_with(execution);
            let mut omitted = OmittedPayloads::new();
            for (field, value) in step.payload_fields() {
                let payload = value.take().filter(|_| fields.contains(&field));
                match disclosure.show_within(payload, most) {
                    Ok(shown) => *value = shown,
                    Err(payload) => {
                        omitted.insert(field, payload);
                    }
                }
            }
            step.omitted_payloads.append(&mut omitted);
        }
    }
}

/// How much of the steps one page may hold.
#[derive(Clone, Copy)]
pub(super) struct StepLimits {
    pub(super) steps: usize,
    pub(super) bytes: usize,
    /// The most bytes of a payload: longer ones are left out, and are not looked for
    /// beyond the first MB of all payloads. `None` where all are wanted.
    pub(super) payload_bytes: Option<usize>,
}

/// The bytes of a page so far.
#[derive(Default)]
struct PageBytes {
    shown: usize,
    read: usize,
}

impl PageBytes {
    /// Adds a step. Returns whether the page has room for it.
    fn add(&mut self, step: &Step, limits: StepLimits) -> bool {
        let most = limits.payload_bytes.unwrap_or(usize::MAX);
        self.shown += step.approximate_size_within(most);
        self.read += step.approximate_size();
        self.shown <= limits.bytes && self.read <= READ_BYTES_A_PAGE
    }
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
        let filled = payloads.fill(steps, limits).await?;
        filled.into_page(execution_id, self.range, more)
    }

    /// Reads steps up to the limits, without their payloads. The second value
    /// says whether there are more.
    async fn read(&mut self, limits: StepLimits) -> Result<(Vec<Step>, bool)> {
        let now = Timestamp::now();
        let (mut steps, mut bytes) = (Vec::new(), PageBytes::default());
        while let Some(item) = self.next(limits.steps - steps.len()).await? {
            if is_expired(&item, now) {
                continue;
            }
            let Some(step) = Step::from_item(item) else {
                continue;
            };
            let has_room = bytes.add(&step, limits);
            if steps.len() == limits.steps || (!has_room && !steps.is_empty()) {
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

/// What has become of a payload that was to be read.
pub(super) enum Found {
    /// It is in hand, or there is none.
    Payload(Option<Value>),
    Omitted(OmittedPayload),
    Unreadable(UnreadablePayload),
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

    /// The payload of that name, if there is one: of one that is told to be longer than
    /// `most` bytes no more than its first part is read.
    pub(super) async fn read(&mut self, name: &str, most: Option<usize>) -> Result<Found> {
        if let Some(omitted) = self.read_within(name, most).await? {
            return Ok(Found::Omitted(omitted));
        }
        Ok(match self.payloads.take(name) {
            Ok(payload) => Found::Payload(payload),
            Err(error) => Found::Unreadable(error),
        })
    }

    /// Fills steps with their payloads, up to the limits, at least one.
    pub(super) async fn fill(
        &mut self,
        mut steps: Vec<Step>,
        limits: StepLimits,
    ) -> Result<FilledSteps> {
        let mut filled = FilledSteps {
            steps: Vec::with_capacity(steps.len()),
            is_cut: false,
            unreadable: Vec::new(),
        };
        if steps.is_empty() {
            return Ok(filled);
        }
        if limits.payload_bytes.is_some() {
            self.read_first_step_payloads().await?;
            self.leave_out_unknown(&mut steps);
        } else {
            self.read_step_payloads().await?;
            filled.is_cut = self.end_where_too_many_are_asked(&mut steps);
        }
        let mut bytes = PageBytes::default();
        let mut steps = self.of_steps(steps, limits.payload_bytes);
        while let Some((step, payloads)) = steps.try_next().await? {
            // Decoded one after another: each can take many megabytes.
            let (step, unreadable) = fill_in(step, payloads);
            let has_room = bytes.add(&step, limits);
            if !has_room && !filled.steps.is_empty() {
                filled.is_cut = true;
                break;
            }
            filled.steps.push(step);
            filled.unreadable.extend(unreadable);
        }
        Ok(filled)
    }

    /// Fills one step with its payloads, which are asked for one by one. Those that are
    /// told to be longer than `most` bytes are left out.
    pub(super) async fn fill_one(mut self, step: Step, most: Option<usize>) -> Result<StepPage> {
        let mut page = StepPage {
            steps: Vec::with_capacity(1),
            next_token: None,
            unreadable: Vec::new(),
        };
        if let Some((step, payloads)) = self.of_steps(vec![step], most).try_next().await? {
            let (step, unreadable) = fill_in(step, payloads);
            page.steps.push(step);
            page.unreadable = unreadable;
        }
        Ok(page)
    }

    /// Reads all parts of one payload, unless its first part tells that it is longer
    /// than `most` bytes: then it is left out.
    async fn read_within(
        &mut self,
        name: &str,
        most: Option<usize>,
    ) -> Result<Option<OmittedPayload>> {
        if let Some(most) = most {
            if !self.payloads.has(name) {
                let prefix = keys::payload_parts(name);
                self.read_prefix(&prefix, 1, |_, _| true).await?;
            }
            if !self.payloads.has(name) || self.payloads.is_complete(name) {
                return Ok(None);
            }
            if let Some(omitted) = self.payloads.longer_than(name, most) {
                return Ok(Some(omitted));
            }
        }
        self.read_whole(name).await?;
        Ok(None)
    }

    /// Reads all parts of one payload, unless it turns out too large.
    async fn read_whole(&mut self, name: &str) -> Result<()> {
        let prefix = keys::payload_parts(name);
        self.read_prefix(&prefix, MAX_ITEMS_A_QUERY, |_, payloads| {
            payloads.is_too_large(name)
        })
        .await
    }

    /// Reads the payloads of all steps, as far as a short range holds them.
    async fn read_step_payloads(&mut self) -> Result<()> {
        self.read_prefix(keys::STEP_PAYLOADS, MAX_ITEMS_A_QUERY, |queries, _| {
            queries == PAYLOAD_QUERIES
        })
        .await
    }

    /// Reads the first MB of the payloads of all steps, unless all are in hand. On every
    /// page of a run it is the same MB, so that the pages tell the same.
    async fn read_first_step_payloads(&mut self) -> Result<()> {
        if matches!(self.frontier, Frontier::End) {
            return Ok(());
        }
        *self = Self::new(self.store, self.execution_id);
        self.read_prefix(keys::STEP_PAYLOADS, MAX_ITEMS_A_QUERY, |_, _| true)
            .await
    }

    /// Reads the payloads whose keys begin with `prefix`, from where they are
    /// not in hand yet, up to `limit` items a Query, until `is_enough`, which is given
    /// the number of Queries.
    async fn read_prefix(
        &mut self,
        prefix: &str,
        limit: usize,
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
            let page = self.store.query(&range, start, limit).await?;
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
                && !self.payloads.is_complete(&name)
                && !step.omitted_payloads.contains_key(field)
        };
        PAYLOAD_FIELDS
            .into_iter()
            .zip(values)
            .filter(|(field, value)| value.is_none() && is_unknown(field))
            .map(|(field, _)| field)
            .collect()
    }

    /// Leaves out of the steps what may stand in payloads that are not in hand.
    fn leave_out_unknown(&mut self, steps: &mut [Step]) {
        for step in steps {
            for field in self.unknown_fields(step) {
                let name = keys::step_payload_name(step.id().unwrap_or_default(), field);
                let omitted = self.payloads.leave_out(&name);
                step.omitted_payloads.insert(field, omitted);
            }
        }
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

    /// Finds the payloads of each step, in the steps' order. Those that are asked for
    /// and told to be longer than `most` bytes are left out.
    fn of_steps(
        &mut self,
        steps: Vec<Step>,
        most: Option<usize>,
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
            .map(move |(mut step, mut payloads, unknown_fields)| {
                Box::pin(async move {
                    for field in unknown_fields {
                        let mut reader = PayloadReader::new(store, execution_id);
                        let name = keys::step_payload_name(step.id().unwrap_or_default(), field);
                        match reader.read_within(&name, most).await? {
                            Some(omitted) => {
                                step.omitted_payloads.insert(field, omitted);
                            }
                            None => reader.payloads.move_to(&name, &mut payloads),
                        }
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
