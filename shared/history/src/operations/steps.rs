//! Reads a run's steps with their payloads, for runs of any size.
//!
//! Most runs fit into one page of one Query, and nothing else is read. For larger runs, a
//! page ends at a number of steps or of bytes. Their payloads are read as one range while
//! the range is short, and otherwise step by step.

use std::collections::VecDeque;

use format::attributes::{PARENT_STEP_INSTANCE_ID, STATUS, text};
use format::model::{
    Execution, Item, OmittedPayloads, PageSize, Step, StepStatus, Timestamp, is_expired,
};
use format::payload::UnreadablePayload;
use format::{Result, keys};
use store::{Filter, MAX_ITEMS_A_QUERY, Pages, Range, Rest, Store, cursor};
use team::masking::Disclosure;

use super::nesting::{Nesting, is_nested};
use super::step_tree::TreeStep;

mod listed;
mod payloads;

pub(super) use listed::ListedSteps;
pub use payloads::STEPS_ASKED_A_PAGE;
pub(super) use payloads::{PAYLOAD_FIELDS, PayloadReader, ReadPayload};

/// The approximate maximum size of the steps in one answer, in bytes of JSON. The page ends
/// there, but never before its first step. Without large payloads, the answer stays under
/// the 6 MB at which Lambda rejects a buffered response.
pub const STEP_BYTES_A_PAGE: usize = 5 * 1024 * 1024;

/// The approximate maximum size of the steps and payloads that are read for one answer, in
/// bytes, whether they are shown or left out. It limits the time and memory of a page whose
/// payloads are all left out.
const READ_BYTES_A_PAGE: usize = 16 * 1024 * 1024;

/// The most Queries for a page of steps with a certain status: 16 MB of steps, most of
/// which may be dropped.
const FILTERED_QUERIES: usize = 16;

/// One page of steps.
pub(super) struct StepPage {
    pub(super) steps: Vec<Step>,
    pub(super) next_token: Option<String>,
    pub(super) unreadable: Vec<UnreadablePayload>,
}

impl StepPage {
    /// Completes the steps for display: sets the status of open steps from the ended run,
    /// and keeps only these payload fields, only up to `most` bytes each, and only the
    /// parts that the caller may see.
    ///
    /// # Errors
    /// The errors of [`Disclosure::show_within`].
    pub(super) async fn show_in(
        &mut self,
        execution: &Execution,
        fields: &[&str],
        most: Option<usize>,
        disclosure: &mut Disclosure,
    ) -> Result<()> {
        for step in &mut self.steps {
            step.ended_with(execution);
            let mut omitted = OmittedPayloads::new();
            for (field, value) in step.payload_fields() {
                let payload = value.take().filter(|_| fields.contains(&field));
                match disclosure.show_within(payload, most).await? {
                    Ok(shown) => *value = shown,
                    Err(payload) => {
                        omitted.insert(field, payload);
                    }
                }
            }
            step.omitted_payloads.append(&mut omitted);
        }
        Ok(())
    }
}

/// Selects the steps of a run that a caller requests.
#[derive(Debug, Clone, Copy, Default)]
pub struct StepQuery<'a> {
    /// Only steps that are shown with this status.
    pub status: Option<StepStatus>,
    /// The number of steps on a page; `None` for as many as fit.
    pub limit: Option<PageSize>,
    /// The token from the previous page.
    pub next_token: Option<&'a str>,
}

impl StepQuery<'_> {
    /// Restricts `range` to records that may be such steps.
    pub(super) fn range(&self, range: Range) -> Range {
        match self.status_filter() {
            Some(filter) => range.filtered(filter),
            None => range,
        }
    }

    /// Restricts `range` to records that may be such steps, or that are nested steps. So the
    /// reader finds out whether there are any.
    pub(super) fn range_with_nested(&self, range: Range) -> Range {
        match self.status_filter() {
            Some(filter) => range.filtered(filter.or_exists(PARENT_STEP_INSTANCE_ID)),
            None => range,
        }
    }

    fn status_filter(&self) -> Option<Filter> {
        let status = self.status?;
        // A step that is open in its record is shown with a status derived from its ended
        // run.
        let stored = [status, StepStatus::Pending, StepStatus::Running];
        let values = stored.map(|status| text(status.as_str()));
        Some(Filter::any_of(STATUS, values.to_vec()))
    }

    pub(super) fn limits(&self, payload_bytes: Option<usize>) -> StepLimits {
        StepLimits {
            steps: self.limit.map_or(usize::MAX, PageSize::get),
            bytes: STEP_BYTES_A_PAGE,
            payload_bytes,
            status: self.status,
        }
    }
}

/// Limits the number and size of the steps on a page, and selects them.
#[derive(Clone, Copy)]
pub(super) struct StepLimits {
    pub(super) steps: usize,
    pub(super) bytes: usize,
    /// The most bytes of a payload. Longer payloads are left out, and are not read beyond
    /// the first MB of all payloads. `None` for no limit.
    pub(super) payload_bytes: Option<usize>,
    /// Only steps that are shown with this status.
    pub(super) status: Option<StepStatus>,
}

impl StepLimits {
    /// Returns how many items to read in one Query if this number of steps has been read.
    pub(super) fn items_to_read(self, steps_read: usize) -> usize {
        if self.status.is_some() {
            return MAX_ITEMS_A_QUERY;
        }
        let missing = self.steps.saturating_sub(steps_read);
        missing.saturating_add(1).min(MAX_ITEMS_A_QUERY)
    }

    fn admits(self, step: &Step) -> bool {
        self.status.is_none_or(|status| step.status == Some(status))
    }

    /// Returns whether a step of the run's tree may be admitted.
    pub(super) fn may_admit(self, step: &TreeStep) -> bool {
        self.status
            .is_none_or(|status| step.may_be_shown_as(status))
    }
}

/// The bytes of a page that were added so far.
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

/// Steps to read in order: the steps of a range, of which some may have been read, and then
/// listed steps.
pub(super) struct StepReader<'a> {
    range: &'a Range,
    buffered: VecDeque<Item>,
    /// The pages to read once the buffer is empty.
    pages: Pages<'a>,
    queries: usize,
    /// The steps to read once the range is.
    listed: ListedSteps<'a>,
    /// Whether a nested step was read.
    found_nested: bool,
}

/// The position where the next page of steps starts.
pub(super) enum More {
    /// There is no next page.
    Nothing,
    /// After the last step of this page.
    AfterLast,
    /// After this key. The steps up to it were read and dropped.
    After(cursor::StartKey),
}

impl<'a> StepReader<'a> {
    pub(super) fn new(
        store: &Store,
        range: &'a Range,
        buffered: VecDeque<Item>,
        rest: Rest,
        listed: ListedSteps<'a>,
    ) -> Self {
        Self {
            range,
            pages: store.pages(range).starting(rest),
            queries: 0,
            listed,
            found_nested: buffered.iter().any(is_nested),
            buffered,
        }
    }

    /// Reads steps of `execution` up to the limits, without their payloads. Returns them with
    /// the position of the next page.
    pub(super) async fn read(
        &mut self,
        execution: &Execution,
        limits: StepLimits,
    ) -> Result<(Vec<Step>, More)> {
        let now = Timestamp::now();
        let (mut steps, mut bytes) = (Vec::new(), PageBytes::default());
        while let Some(item) = self.next(limits.items_to_read(steps.len())).await? {
            if is_expired(&item, now) {
                continue;
            }
            let Some(mut step) = Step::from_item(item) else {
                continue;
            };
            step.ended_with(execution);
            if !limits.admits(&step) {
                continue;
            }
            let has_room = bytes.add(&step, limits);
            if steps.len() == limits.steps || (!has_room && !steps.is_empty()) {
                return Ok((steps, More::AfterLast));
            }
            steps.push(step);
        }
        // Either everything or the allowed number of Queries is used up.
        let more = self.pages.reached().cloned();
        Ok((steps, more.map_or(More::Nothing, More::After)))
    }

    /// Returns whether a nested step was read.
    pub(super) fn found_nested(&self) -> bool {
        self.found_nested
    }

    /// Returns the part of the range that was not read.
    pub(super) fn rest(&self) -> Rest {
        self.pages.rest()
    }

    /// Returns the next item, if there is one. Reads up to `limit` items in one request.
    async fn next(&mut self, limit: usize) -> Result<Option<Item>> {
        while self.buffered.is_empty() {
            let items = if self.pages.is_at_end() {
                self.listed.next(limit).await?
            } else if self.range.has_filters() && self.queries == FILTERED_QUERIES {
                None
            } else {
                self.queries += 1;
                self.pages.next_of(limit).await?
            };
            let Some(items) = items else {
                return Ok(None);
            };
            self.found_nested |= items.iter().any(is_nested);
            self.buffered = items.into();
        }
        Ok(self.buffered.pop_front())
    }
}

/// Completes a page: adds the places of its steps and their payloads.
pub(super) async fn fill_page<'r>(
    (mut steps, more): (Vec<Step>, More),
    nesting: &Nesting<'_>,
    payloads: &mut PayloadReader<'_>,
    limits: StepLimits,
    range_of: impl Fn(&str) -> &'r Range,
) -> Result<StepPage> {
    nesting.place(&mut steps);
    let filled = payloads.fill(steps, limits).await?;
    filled.into_page(more, |key| {
        let range = range_of(keys::sort_key(key).unwrap_or_default());
        cursor::mint(&nesting.tokens_of(range), key)
    })
}
