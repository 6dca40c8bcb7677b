//! Finds the payloads of a run's steps, and fills the steps with them.

use format::Result;
use format::attributes::{EXECUTION_DATA, INPUT, OUTPUT};
use format::keys::{self, key};
use format::model::{ExecutionId, Item, OmittedPayload, Step, Timestamp, Value, is_expired};
use format::payload::{MAX_DECODED_BYTES, Payloads, UnreadablePayload};
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use store::{MAX_ITEMS_A_QUERY, Range, Store};

use super::{More, PageBytes, StepLimits, StepPage};

/// How many MB of the steps' payloads are read as one range, before the payloads of each
/// step on the page are read one by one.
const PAYLOAD_QUERIES: usize = 4;

/// The most steps of a page whose payloads are read one by one, which takes up to three
/// Queries for each step. The page ends there.
pub const STEPS_ASKED_A_PAGE: usize = 200;

/// How many of these steps are read at a time.
const STEPS_AT_A_TIME: usize = 8;

/// The fields of a step that may be stored as payloads.
pub(crate) const PAYLOAD_FIELDS: [&str; 3] = [INPUT, OUTPUT, EXECUTION_DATA];

/// The result of reading a payload.
pub(crate) enum ReadPayload {
    /// The payload, if there is one.
    Whole(Option<Value>),
    Omitted(OmittedPayload),
    Unreadable(UnreadablePayload),
}

/// Steps with their payloads, up to a number of bytes.
pub(crate) struct FilledSteps {
    /// The partition of their run.
    pk: String,
    steps: Vec<Step>,
    /// Whether steps were left out.
    is_cut: bool,
    unreadable: Vec<UnreadablePayload>,
}

impl FilledSteps {
    /// Returns the page of these steps. `more` is the position after the steps that were to
    /// be filled; `mint` makes the page's token from a key.
    pub(crate) fn into_page(
        self,
        more: More,
        mint: impl FnOnce(&Item) -> Result<String>,
    ) -> Result<StepPage> {
        let last = self.steps.last().map(|step| key(&self.pk, &step.sk));
        let after = match more {
            _ if self.is_cut => last,
            More::AfterLast => last,
            More::After(key) => Some(key),
            More::Nothing => None,
        };
        Ok(StepPage {
            next_token: after.map(|key| mint(&key)).transpose()?,
            steps: self.steps,
            unreadable: self.unreadable,
        })
    }
}

/// How far a run's payloads have been read.
enum Frontier {
    /// Up to and including this sort key.
    At(String),
    /// All of them.
    End,
}

/// The payloads of one run: those already read, and how far the others were read.
pub(crate) struct PayloadReader<'a> {
    store: &'a Store,
    execution_id: &'a ExecutionId,
    payloads: Payloads,
    frontier: Frontier,
}

impl<'a> PayloadReader<'a> {
    /// Creates a reader that has read nothing yet.
    pub(crate) fn new(store: &'a Store, execution_id: &'a ExecutionId) -> Self {
        Self {
            store,
            execution_id,
            payloads: Payloads::default(),
            frontier: Frontier::At(String::new()),
        }
    }

    /// Adds the payloads that a Query from the execution onwards has found. `stopped_at` is
    /// the sort key at which the Query stopped: `None` if it reached the end of its range.
    pub(crate) fn add_queried(
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

    /// Returns the payload of that name, if there is one. If its first part shows that it
    /// is longer than `most` bytes, no further part is read.
    pub(crate) async fn read(&mut self, name: &str, most: Option<usize>) -> Result<ReadPayload> {
        if let Some(omitted) = self.read_within(name, most).await? {
            return Ok(ReadPayload::Omitted(omitted));
        }
        Ok(match self.payloads.take(name) {
            Ok(payload) => ReadPayload::Whole(payload),
            Err(error) => ReadPayload::Unreadable(error),
        })
    }

    /// Fills steps with their payloads, up to the limits, but at least one step.
    pub(crate) async fn fill(
        &mut self,
        mut steps: Vec<Step>,
        limits: StepLimits,
    ) -> Result<FilledSteps> {
        let mut filled = FilledSteps {
            pk: keys::execution_partition(self.execution_id),
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
            filled.is_cut = self.cut_after_readable_steps(&mut steps);
        }
        let mut bytes = PageBytes::default();
        let mut steps = self.read_payloads_of(steps, limits.payload_bytes);
        while let Some((step, payloads)) = steps.try_next().await? {
            // Payloads are decoded one after another, because each may take many megabytes.
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

    /// Fills one step with its payloads, which are read one by one. Payloads whose first
    /// part shows that they are longer than `most` bytes are left out.
    pub(crate) async fn fill_one(mut self, step: Step, most: Option<usize>) -> Result<StepPage> {
        let mut page = StepPage {
            steps: Vec::with_capacity(1),
            next_token: None,
            unreadable: Vec::new(),
        };
        if let Some((step, payloads)) = self.read_payloads_of(vec![step], most).try_next().await? {
            let (step, unreadable) = fill_in(step, payloads);
            page.steps.push(step);
            page.unreadable = unreadable;
        }
        Ok(page)
    }

    /// Reads all parts of one payload. If its first part shows that it is longer than
    /// `most` bytes, it is left out instead.
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

    /// Reads all parts of one payload, unless it turns out to be too large.
    async fn read_whole(&mut self, name: &str) -> Result<()> {
        let prefix = keys::payload_parts(name);
        self.read_prefix(&prefix, MAX_ITEMS_A_QUERY, |_, payloads| {
            payloads.is_too_large(name)
        })
        .await
    }

    /// Reads the payloads of all steps, up to [`PAYLOAD_QUERIES`] Queries.
    async fn read_step_payloads(&mut self) -> Result<()> {
        self.read_prefix(keys::STEP_PAYLOADS, MAX_ITEMS_A_QUERY, |queries, _| {
            queries == PAYLOAD_QUERIES
        })
        .await
    }

    /// Reads the first MB of the payloads of all steps, unless all of them have been read.
    /// Every page of a run reads the same MB, so that all pages report the same.
    async fn read_first_step_payloads(&mut self) -> Result<()> {
        if matches!(self.frontier, Frontier::End) {
            return Ok(());
        }
        *self = Self::new(self.store, self.execution_id);
        self.read_prefix(keys::STEP_PAYLOADS, MAX_ITEMS_A_QUERY, |_, _| true)
            .await
    }

    /// Reads the payloads whose keys begin with `prefix`, starting where earlier reads
    /// stopped, up to `limit` items in each Query. It stops once `is_enough`, which gets
    /// the number of Queries, returns `true`.
    async fn read_prefix(
        &mut self,
        prefix: &str,
        limit: usize,
        is_enough: impl Fn(usize, &Payloads) -> bool,
    ) -> Result<()> {
        let range = Range::with_prefix(self.execution_id, prefix);
        let pages = self.store.pages(&range).limited_to(limit);
        let mut pages = match &self.frontier {
            Frontier::End => return Ok(()),
            Frontier::At(sk) if sk.starts_with(prefix) => {
                let pk = keys::execution_partition(self.execution_id);
                pages.after(key(pk, sk))
            }
            Frontier::At(sk) if sk.as_str() > prefix => return Ok(()),
            Frontier::At(_) => pages,
        };
        let mut queries = 0;
        while let Some(items) = pages.next().await? {
            queries += 1;
            self.insert(items);
            let reached = pages.reached().and_then(keys::sort_key);
            let end = format!("{prefix}{}", keys::LAST);
            self.frontier = Frontier::At(reached.map_or(end, str::to_owned));
            if is_enough(queries, &self.payloads) {
                break;
            }
        }
        Ok(())
    }

    /// Returns the fields of a step that may be stored in payloads that have not been read.
    fn unknown_fields(&self, step: &Step) -> Vec<&'static str> {
        let (Some(id), Frontier::At(reached)) = (step.id(), &self.frontier) else {
            return Vec::new();
        };
        if step.is_added() {
            return Vec::new();
        }
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

    /// Marks the fields that may be stored in payloads that have not been read as omitted.
    fn leave_out_unknown(&mut self, steps: &mut [Step]) {
        for step in steps {
            for field in self.unknown_fields(step) {
                let name = keys::step_payload_name(step.id().unwrap_or_default(), field);
                let omitted = self.payloads.leave_out(&name);
                step.omitted_payloads.insert(field, omitted);
            }
        }
    }

    /// Cuts off the steps after the last step whose payloads may be read one by one.
    /// Returns whether there were any.
    fn cut_after_readable_steps(&self, steps: &mut Vec<Step>) -> bool {
        let mut incomplete = steps
            .iter()
            .enumerate()
            .filter(|(_, step)| !self.unknown_fields(step).is_empty());
        let Some((end, _)) = incomplete.nth(STEPS_ASKED_A_PAGE) else {
            return false;
        };
        drop(incomplete);
        steps.truncate(end);
        true
    }

    /// Returns each step with its payloads, in the steps' order. Payloads that are read one
    /// by one and turn out to be longer than `most` bytes are left out.
    fn read_payloads_of(
        &mut self,
        steps: Vec<Step>,
        most: Option<usize>,
    ) -> impl Stream<Item = Result<(Step, Payloads)>> + Unpin {
        let known: Vec<_> = steps
            .into_iter()
            .map(|step| {
                let unknown_fields = self.unknown_fields(&step);
                let payloads = self.take_payloads_of(&step);
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

    /// Moves the parts of one step's payloads out of the parts already read. If parts of a
    /// field may be missing, the whole field is read again.
    fn take_payloads_of(&mut self, step: &Step) -> Payloads {
        let mut taken = Payloads::default();
        for field in PAYLOAD_FIELDS {
            let name = keys::step_payload_name(step.id().unwrap_or_default(), field);
            self.payloads.move_to(&name, &mut taken);
        }
        taken
    }
}

/// Fills the fields that are stored as payloads. A value in the step itself takes
/// precedence over a payload of the same name. The payloads of a step have at most
/// [`MAX_DECODED_BYTES`] together, so that an answer with a large context and a large step
/// stays below the 200 MB of Lambda's response streaming.
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
