//! One execution with its steps and some of its payloads.

use std::collections::BTreeMap;

use format::model::{Execution, ExecutionId, OmittedPayload, Step, StepSummary, Value};
use format::payload::{MAX_DECODED_BYTES, RunPayload, UnreadablePayload};
use format::{Result, keys};
use store::{Range, Store};
use team::auth::Caller;
use team::masking::{Disclosure, reveal};

use super::nesting::StepToken;
use super::run_reader::{RunHead, read_execution};
use super::steps::{PayloadReader, ReadPayload, StepLimits, StepQuery};
use super::top_level_steps::{Source, TopLevelSteps};

/// How many items are read in addition to the requested steps: the execution, and the
/// payloads of a usual run.
const ITEMS_BESIDES_STEPS: usize = 100;

/// The minimum that a page reserves for steps, in bytes, if the run's payloads are large.
const MIN_STEP_BYTES: usize = 1024 * 1024;

/// Selects the payloads that the details of a run contain.
#[derive(Debug, Clone, Copy)]
pub struct ShownPayloads<'a> {
    /// Payloads of the run itself.
    pub of_run: &'a [RunPayload],
    /// Payloads of its steps: `input`, `output`, `executionData`.
    pub of_steps: &'static [&'static str],
    /// The most bytes of JSON of each payload; `None` for no limit.
    pub most_bytes: Option<usize>,
}

/// An execution with a page of its steps.
#[derive(Debug)]
pub struct ExecutionDetails {
    /// The execution itself.
    pub execution: Execution,
    /// Its top-level steps, in order of time: all of them, or a page.
    pub steps: Vec<Step>,
    /// The requested payloads of the run. A payload is `None` if it does not exist, and on
    /// every page of the steps except the first.
    pub payloads: BTreeMap<RunPayload, Option<Value>>,
    /// The requested payloads that are longer than the caller accepts.
    pub omitted: BTreeMap<RunPayload, OmittedPayload>,
    /// Whether these are the run's first steps.
    is_first_page: bool,
    /// The token of the next page of steps; `None` when these were the last.
    pub next_token: Option<String>,
    /// Payloads that exist but cannot be shown.
    pub unreadable: Vec<UnreadablePayload>,
}

impl ExecutionDetails {
    /// Returns one of the run's payloads, if it was requested and there is something to
    /// show.
    pub fn payload(&self, name: RunPayload) -> Option<&Value> {
        self.payloads.get(&name)?.as_ref()
    }

    /// Counts the steps by outcome. `None` if not all steps were read.
    pub fn step_summary(&self) -> Option<StepSummary> {
        let is_complete = self.is_first_page && self.next_token.is_none();
        is_complete.then(|| StepSummary::count(&self.steps))
    }
}

/// Reads an execution, some of its payloads and its top-level steps: one Query if all of it
/// fits into 1 MB.
///
/// Without a limit, the page of steps ends at about
/// [`STEP_BYTES_A_PAGE`](super::STEP_BYTES_A_PAGE). The run's own payloads have at most
/// [`MAX_DECODED_BYTES`] together.
///
/// # Errors
/// - [`format::Error::ExecutionNotFound`]: the run does not exist for this caller.
/// - [`format::Error::InvalidNextToken`]: the token does not belong to this list.
pub async fn get_execution(
    store: &Store,
    caller: &Caller,
    execution_id: &ExecutionId,
    shown: ShownPayloads<'_>,
    query: StepQuery<'_>,
) -> Result<ExecutionDetails> {
    let steps_range = query.range_with_nested(Range::with_prefix(execution_id, keys::STEPS));
    let limits = query.limits(shown.most_bytes);
    let source = Source {
        store,
        execution_id,
        range: &steps_range,
    };
    let run = match query.next_token {
        None => OpenedRun::open(source, caller, limits).await?,
        Some(token) => {
            let token = StepToken::read(&steps_range, token)?;
            OpenedRun::open_after(source, caller, limits, token).await?
        }
    };
    reveal(store, caller, execution_id, async |disclosure| {
        run.read_page(shown, limits, disclosure).await
    })
    .await
}

/// An execution, with readers of its payloads and steps.
struct OpenedRun<'a> {
    execution: Execution,
    payloads: PayloadReader<'a>,
    steps: TopLevelSteps<'a>,
    is_first_page: bool,
}

impl<'a> OpenedRun<'a> {
    /// Opens the first page. The execution, its payloads and its steps are one range.
    async fn open(source: Source<'a>, caller: &Caller, limits: StepLimits) -> Result<Self> {
        let Source {
            store,
            execution_id,
            ..
        } = source;
        let all = Range::of_execution(execution_id, keys::EXECUTION, None);
        let limit = limits.steps.saturating_add(ITEMS_BESIDES_STEPS);
        let mut head = RunHead::read(store, &all, limit).await?;
        let execution = head.execution(store, caller, execution_id).await?;
        Ok(Self {
            payloads: head.payload_reader(store, execution_id),
            steps: TopLevelSteps::of_head(source, &execution, head, limits).await?,
            execution,
            is_first_page: true,
        })
    }

    /// Opens a page after the first.
    async fn open_after(
        source: Source<'a>,
        caller: &Caller,
        limits: StepLimits,
        token: StepToken,
    ) -> Result<Self> {
        let Source {
            store,
            execution_id,
            ..
        } = source;
        let execution = read_execution(store, caller, execution_id).await?;
        Ok(Self {
            payloads: PayloadReader::new(store, execution_id),
            steps: TopLevelSteps::after(source, &execution, token, limits).await?,
            execution,
            is_first_page: false,
        })
    }

    async fn read_page(
        mut self,
        shown: ShownPayloads<'_>,
        limits: StepLimits,
        disclosure: &mut Disclosure,
    ) -> Result<ExecutionDetails> {
        let mut of_run = match self.is_first_page {
            true => read_run_payloads(&mut self.payloads, shown).await?,
            false => RunPayloads::without_values(shown.of_run),
        };
        let limits = StepLimits {
            bytes: bytes_left_for_steps(limits.bytes, of_run.shown.values()),
            ..limits
        };
        let page = self.steps.page(&self.execution, &mut self.payloads, limits);
        let mut page = page.await?;
        page.show_in(
            &self.execution,
            shown.of_steps,
            shown.most_bytes,
            disclosure,
        )
        .await?;
        of_run.show(shown.most_bytes, disclosure).await?;
        of_run.unreadable.append(&mut page.unreadable);
        Ok(ExecutionDetails {
            execution: self.execution,
            steps: page.steps,
            payloads: of_run.shown,
            omitted: of_run.omitted,
            is_first_page: self.is_first_page,
            next_token: page.next_token,
            unreadable: of_run.unreadable,
        })
    }
}

/// The requested payloads of the run itself.
#[derive(Default)]
struct RunPayloads {
    shown: BTreeMap<RunPayload, Option<Value>>,
    omitted: BTreeMap<RunPayload, OmittedPayload>,
    unreadable: Vec<UnreadablePayload>,
}

impl RunPayloads {
    /// Returns `None` for each of these payloads, as on every page except the first.
    fn without_values(names: &[RunPayload]) -> Self {
        Self {
            shown: names.iter().map(|name| (*name, None)).collect(),
            ..Self::default()
        }
    }

    /// Removes the parts that the caller must not see, and payloads of more than `most`
    /// bytes.
    async fn show(&mut self, most: Option<usize>, disclosure: &mut Disclosure) -> Result<()> {
        for (name, payload) in &mut self.shown {
            match disclosure.show_within(payload.take(), most).await? {
                Ok(value) => *payload = value,
                Err(omitted) => {
                    self.omitted.insert(*name, omitted);
                }
            }
        }
        Ok(())
    }
}

/// Reads the run's own payloads. Together they have at most [`MAX_DECODED_BYTES`], so that
/// an answer with them and a large step stays below the 200 MB of Lambda's response
/// streaming.
async fn read_run_payloads(
    payloads: &mut PayloadReader<'_>,
    shown: ShownPayloads<'_>,
) -> Result<RunPayloads> {
    let mut read = RunPayloads::default();
    let mut bytes = 0;
    for &name in shown.of_run {
        let mut value = None;
        match payloads.read(name.name(), shown.most_bytes).await? {
            ReadPayload::Whole(payload) => {
                bytes += payload.as_ref().map_or(0, Value::approximate_size);
                if bytes <= MAX_DECODED_BYTES {
                    value = payload;
                } else {
                    let reason = "the run's payloads together are too large".to_owned();
                    let name = name.name().to_owned();
                    read.unreadable.push(UnreadablePayload { name, reason });
                }
            }
            ReadPayload::Omitted(bytes) => {
                read.omitted.insert(name, bytes);
            }
            ReadPayload::Unreadable(error) => read.unreadable.push(error),
        }
        read.shown.insert(name, value);
    }
    Ok(read)
}

/// Returns how many bytes of a page these payloads leave for its steps.
pub(super) fn bytes_left_for_steps<'a>(
    bytes: usize,
    payloads: impl IntoIterator<Item = &'a Option<Value>>,
) -> usize {
    let taken: usize = payloads
        .into_iter()
        .flatten()
        .map(Value::approximate_size)
        .sum();
    bytes.saturating_sub(taken).max(MIN_STEP_BYTES)
}
