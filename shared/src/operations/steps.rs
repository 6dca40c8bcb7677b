//! Reading a run's steps with their payloads, however many there are.
//!
//! Most runs fit into one page of one Query, which then is all that is read.
//! Beyond that, a page of steps ends at a number of steps or of bytes, and the
//! payloads are looked for where they are: in one range while it is short, else
//! step by step.

use std::collections::VecDeque;

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::cursor;
use crate::error::Result;
use crate::keys;
use crate::model::{ExecutionId, Item, Step, Timestamp, Value, is_expired};
use crate::payload::{Payloads, UnreadablePayload};
use crate::store::{MAX_ITEMS_A_QUERY, Range, Store, key};

/// About how many bytes of JSON the steps of one answer take at most. The page
/// ends there, and never before its first step. It keeps an answer without a
/// large context under the 6 MB at which Lambda ends a buffered one.
pub const STEP_BYTES_A_PAGE: usize = 5 * 1024 * 1024;

/// How many MB of the steps' payloads are read as one range, before each step
/// of the page is asked for its own.
const PAYLOAD_QUERIES: usize = 8;

/// How many steps are asked for their payloads at a time.
const STEPS_AT_A_TIME: usize = 8;

/// One page of steps.
pub(super) struct StepPage {
    pub(super) steps: Vec<Step>,
    pub(super) next_token: Option<String>,
    pub(super) unreadable: Vec<UnreadablePayload>,
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
    /// Where to read on once nothing is in hand; `None` when that is all.
    pub(super) rest: Option<Option<cursor::StartKey>>,
}

impl StepReader<'_> {
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
            let Some(start) = self.rest.take() else {
                return Ok(None);
            };
            let limit = missing.saturating_add(1).min(MAX_ITEMS_A_QUERY);
            let page = self.store.query(self.range, start, limit).await?;
            self.in_hand = page.items.into();
            self.rest = page.last_key.map(Some);
        }
        Ok(self.in_hand.pop_front())
    }

    /// Reads a page of steps with their payloads.
    pub(super) async fn page(
        mut self,
        execution_id: &ExecutionId,
        payloads: &mut PayloadReader<'_>,
        limits: StepLimits,
    ) -> Result<StepPage> {
        let (steps, mut more) = self.read(limits).await?;
        let mut page = StepPage {
            steps: Vec::with_capacity(steps.len()),
            next_token: None,
            unreadable: Vec::new(),
        };
        payloads.read_step_payloads().await?;
        let mut bytes = 0;
        let mut steps = payloads.attach(steps);
        while let Some((step, unreadable)) = steps.try_next().await? {
            bytes += step.approximate_size();
            if bytes > limits.bytes && !page.steps.is_empty() {
                more = true;
                break;
            }
            page.steps.push(step);
            page.unreadable.extend(unreadable);
        }
        if more && let Some(last) = page.steps.last() {
            let pk = keys::execution_partition(execution_id);
            page.next_token = Some(cursor::mint(self.range, &key(pk, &last.sk))?);
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
        let now = Timestamp::now();
        for item in items {
            if !is_expired(&item, now) {
                self.payloads.insert(item);
            }
        }
        self.frontier = match stopped_at {
            Some(sk) if sk < keys::STEPS => Frontier::At(sk.to_owned()),
            _ => Frontier::End,
        };
    }

    /// The payload of that name, if there is one.
    pub(super) async fn read(
        &mut self,
        name: &str,
    ) -> Result<std::result::Result<Option<Value>, UnreadablePayload>> {
        self.read_prefix(&keys::payload_parts(name), usize::MAX)
            .await?;
        Ok(self.payloads.take(name))
    }

    /// Reads the payloads of all steps, as far as a short range holds them.
    async fn read_step_payloads(&mut self) -> Result<()> {
        self.read_prefix(keys::STEP_PAYLOADS, PAYLOAD_QUERIES).await
    }

    async fn read_prefix(&mut self, prefix: &str, max_queries: usize) -> Result<()> {
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
        for _ in 0..max_queries {
            let page = self.store.query(&range, start, MAX_ITEMS_A_QUERY).await?;
            let stopped_at = page
                .last_key
                .as_ref()
                .and_then(|key| keys::sort_key(key).map(str::to_owned));
            let end = format!("{prefix}{}", keys::LAST);
            self.take_in(page.items, Some(stopped_at.as_deref().unwrap_or(&end)));
            start = page.last_key;
            if start.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// Whether all payloads of this step are in hand.
    fn has_all_of(&self, step_instance_id: &str) -> bool {
        let last = format!("{}{}", keys::payloads_of_step(step_instance_id), keys::LAST);
        match &self.frontier {
            Frontier::End => true,
            Frontier::At(sk) => *sk >= last,
        }
    }

    /// Puts each step's payloads into it, in the steps' order.
    fn attach(
        &mut self,
        steps: Vec<Step>,
    ) -> impl futures_util::Stream<Item = Result<(Step, Vec<UnreadablePayload>)>> + Unpin {
        let gathered: Vec<_> = steps
            .into_iter()
            .map(|step| {
                let id = step.id().map(str::to_owned);
                let lacks_any =
                    step.input.is_none() || step.output.is_none() || step.execution_data.is_none();
                let asks = lacks_any && id.as_deref().is_some_and(|id| !self.has_all_of(id));
                let payloads = id.as_deref().map(|id| self.take_of_step(id));
                (step, payloads.unwrap_or_default(), asks)
            })
            .collect();
        let (store, execution_id) = (self.store, self.execution_id);
        stream::iter(gathered)
            .map(move |(step, mut payloads, asks)| {
                Box::pin(async move {
                    if asks && let Some(id) = step.id() {
                        let mut reader = PayloadReader::new(store, execution_id);
                        reader
                            .read_prefix(&keys::payloads_of_step(id), usize::MAX)
                            .await?;
                        payloads.extend(reader.payloads);
                    }
                    Ok(fill_in(step, payloads))
                })
            })
            .buffered(STEPS_AT_A_TIME)
    }

    /// Moves the parts of one step's payloads out, so that no two steps hold
    /// them.
    fn take_of_step(&mut self, step_instance_id: &str) -> Payloads {
        let mut taken = Payloads::default();
        for field in ["input", "output", "executionData"] {
            self.payloads.move_to(
                &keys::step_payload_name(step_instance_id, field),
                &mut taken,
            );
        }
        taken
    }
}

/// Fills the fields that stand in payloads. What stands in the step itself
/// goes before a payload of the same name.
fn fill_in(mut step: Step, mut payloads: Payloads) -> (Step, Vec<UnreadablePayload>) {
    let mut unreadable = Vec::new();
    let Some(id) = step.id().map(str::to_owned) else {
        return (step, unreadable);
    };
    for (field, value) in step.payload_fields() {
        if value.is_none() {
            match payloads.take(&keys::step_payload_name(&id, field)) {
                Ok(payload) => *value = payload,
                Err(error) => unreadable.push(error),
            }
        }
    }
    (step, unreadable)
}
