//! The steps below one step: those of its parallel branches, and its nested steps in lanes.

use std::collections::HashMap;

use format::attributes::{PARENT_STEP_INSTANCE_ID, text};
use format::model::{Execution, ExecutionId, Step, StepInstanceId, Timestamp};
use format::payload::UnreadablePayload;
use format::{Result, keys};
use store::{Filter, MAX_ITEMS_A_QUERY, Page, Range, Rest, Store};
use team::auth::Caller;
use team::masking::reveal;

use super::nesting::{Nesting, StepToken};
use super::run_reader::RunHead;
use super::step_tree::TreeStep;
use super::steps::{ListedSteps, PAYLOAD_FIELDS, StepLimits, StepQuery, StepReader, fill_page};

/// The step that owns the branches and lanes. It may be top-level, nested or in a branch; id and
/// start time identify it in all cases. Its nested steps are found by the id alone.
#[derive(Debug, Clone, PartialEq)]
pub struct Fork {
    /// The fork step's id.
    pub step_instance_id: StepInstanceId,
    /// When the fork step started.
    pub start_time: Timestamp,
}

/// One branch or lane, with its steps on this page.
#[derive(Debug)]
pub struct BranchListing {
    /// The id of this run of the branch, or of the lane.
    pub branch_execution_id: String,
    /// The branch's name in the flow's definition, or the name of the lane.
    pub branch_id: Option<String>,
    /// Its steps, in order of time.
    pub steps: Vec<Step>,
}

/// A page of the steps below a fork.
#[derive(Debug)]
pub struct BranchSteps {
    /// The branches, in the order of their ids, and then the lanes, in the order of their
    /// numbers. A branch may continue as the first branch of the next page. The pages of nested
    /// steps are in order of time, so any lane may continue.
    pub branches: Vec<BranchListing>,
    /// The token of the next page; `None` when these were the last.
    pub next_token: Option<String>,
    /// Payloads that exist but cannot be shown.
    pub unreadable: Vec<UnreadablePayload>,
}

/// Reads the steps of all branches of one fork, and then its nested steps. This takes one Query
/// for each MB of steps of branches, and in parallel one Query for the run, its payloads and, on
/// the first page, its other steps. [`Nesting`] describes the cost of nested steps.
///
/// Without a limit, the page ends at about [`STEP_BYTES_A_PAGE`](super::STEP_BYTES_A_PAGE).
/// A fork that has no steps yet, or does not exist, has no branches. Payloads of more than
/// `most_payload_bytes` are left out.
///
/// # Errors
/// - [`format::Error::ExecutionNotFound`]: the run does not exist for this caller.
/// - [`format::Error::InvalidNextToken`]: the token does not belong to this list.
pub async fn list_branch_steps(
    store: &Store,
    caller: &Caller,
    execution_id: &ExecutionId,
    fork: &Fork,
    most_payload_bytes: Option<usize>,
    query: StepQuery<'_>,
) -> Result<BranchSteps> {
    let ranges = StepRanges::new(execution_id, fork, query);
    let limits = query.limits(most_payload_bytes);
    let start = Start::read(&ranges, query.next_token)?;
    let (mut head, first) = start
        .read_first(store, execution_id, &ranges, limits)
        .await?;
    let execution = head.execution(store, caller, execution_id).await?;
    let mut payloads = head.payload_reader(store, execution_id);
    let nesting = start
        .find_nesting(store, execution_id, &execution, &head)
        .await?;
    let in_hand = std::mem::take(&mut head.steps);
    let listed = match nesting.tree() {
        None => ListedSteps::empty(store, execution_id),
        Some(tree) => {
            let below = tree.below(fork.step_instance_id.as_str());
            let below = below.filter(|(_, step)| limits.may_admit(step) && start.is_before(step));
            ListedSteps::new(store, execution_id, below, in_hand)
        }
    };
    let rest = Rest::after(first.last_key);
    let mut reader = StepReader::new(store, &ranges.in_branches, first.items.into(), rest, listed);
    let read = reader.read(&execution, limits).await?;
    let page = fill_page(read, &nesting, &mut payloads, limits, |sk| {
        ranges.range_of(sk)
    });
    let mut page = page.await?;
    reveal(store, caller, execution_id, async |disclosure| {
        page.show_in(&execution, &PAYLOAD_FIELDS, most_payload_bytes, disclosure)
            .await?;
        Ok(BranchSteps {
            branches: by_branch(page.steps),
            next_token: page.next_token,
            unreadable: page.unreadable,
        })
    })
    .await
}

/// The ranges of the steps below a fork. The page tokens belong to them.
struct StepRanges {
    /// The steps of its branches.
    in_branches: Range,
    /// The steps that are nested below it. They are read by their keys.
    nested: Range,
}

impl StepRanges {
    fn new(execution_id: &ExecutionId, fork: &Fork, query: StepQuery<'_>) -> Self {
        let id = fork.step_instance_id.as_str();
        let branches = keys::branches_of_fork(fork.start_time, id);
        let is_below = Filter::any_of(PARENT_STEP_INSTANCE_ID, vec![text(id)]);
        let nested = Range::with_prefix(execution_id, keys::STEPS).filtered(is_below);
        Self {
            in_branches: query.range(Range::with_prefix(execution_id, &branches)),
            nested: query.range(nested),
        }
    }

    fn range_of(&self, sk: &str) -> &Range {
        match sk.starts_with(keys::STEPS) {
            true => &self.nested,
            false => &self.in_branches,
        }
    }
}

/// Where a page starts.
enum Start {
    Beginning,
    /// After a step of a branch.
    InBranches(StepToken),
    /// After a nested step.
    Nested(StepToken),
}

impl Start {
    fn read(ranges: &StepRanges, token: Option<&str>) -> Result<Self> {
        let Some(token) = token else {
            return Ok(Self::Beginning);
        };
        if let Ok(token) = StepToken::read(&ranges.nested, token) {
            return Ok(Self::Nested(token));
        }
        Ok(Self::InBranches(StepToken::read(
            &ranges.in_branches,
            token,
        )?))
    }

    /// Returns whether a nested step comes after this start.
    fn is_before(&self, step: &TreeStep) -> bool {
        match self {
            Self::Beginning | Self::InBranches(_) => true,
            Self::Nested(token) => {
                keys::sort_key(&token.start).is_some_and(|start| start < step.sk())
            }
        }
    }

    /// Reads the run with its payloads, and the first steps of branches of the page, in
    /// parallel.
    ///
    /// The run, which decides whether the caller may see it, and its payloads are one range.
    /// For the first page, the range continues with the steps outside of branches, which may
    /// be nested. The branches are another range, before it.
    async fn read_first(
        &self,
        store: &Store,
        execution_id: &ExecutionId,
        ranges: &StepRanges,
        limits: StepLimits,
    ) -> Result<(RunHead, Page)> {
        let (to, start) = match self {
            Self::Beginning => (None, None),
            Self::InBranches(token) => (Some(keys::STEPS), Some(token.start.clone())),
            Self::Nested(_) => {
                let run = Range::of_execution(execution_id, keys::EXECUTION, Some(keys::STEPS));
                let head = RunHead::read(store, &run, MAX_ITEMS_A_QUERY).await?;
                return Ok((head, Page::default()));
            }
        };
        let run = Range::of_execution(execution_id, keys::EXECUTION, to);
        tokio::try_join!(
            RunHead::read(store, &run, MAX_ITEMS_A_QUERY),
            store.query(&ranges.in_branches, start, limits.items_to_read(0)),
        )
    }

    /// Finds out which steps of the run are nested.
    async fn find_nesting<'a>(
        &self,
        store: &'a Store,
        execution_id: &'a ExecutionId,
        execution: &Execution,
        head: &RunHead,
    ) -> Result<Nesting<'a>> {
        match self {
            Self::Beginning => {
                let mut nesting = Nesting::of_head(store, execution_id, execution, head).await?;
                nesting.complete(false, head.rest_of(keys::STEPS)).await?;
                Ok(nesting)
            }
            Self::InBranches(token) | Self::Nested(token) => {
                Nesting::of_token(store, execution_id, execution, token).await
            }
        }
    }
}

/// The branch id that is shown for a step whose record names no branch.
const UNKNOWN_BRANCH: &str = "unknown";

/// Groups steps by branch, nested steps by their lanes. Steps of branches in the order of
/// their keys are already in the order of their branches; lanes follow them.
fn by_branch(mut steps: Vec<Step>) -> Vec<BranchListing> {
    // A stable sort, which keeps the order inside a branch or lane.
    steps.sort_by_key(Step::lane);
    let mut branches: Vec<BranchListing> = Vec::new();
    // A lane may have the id of a branch that an engine has written below the same fork.
    let mut by_id: HashMap<String, usize> = HashMap::new();
    for step in steps {
        let id = step.branch_execution_id().unwrap_or(UNKNOWN_BRANCH);
        let position = *by_id.entry(id.to_owned()).or_insert(branches.len());
        if position == branches.len() {
            branches.push(BranchListing {
                branch_execution_id: id.to_owned(),
                branch_id: None,
                steps: Vec::new(),
            });
        }
        let branch = &mut branches[position];
        branch.branch_id = branch.branch_id.take().or_else(|| step.branch_id.clone());
        branch.steps.push(step);
    }
    branches
}
