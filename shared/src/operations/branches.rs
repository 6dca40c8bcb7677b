//! The steps of the parallel branches below one fork.

use super::steps::{
    PAYLOAD_FIELDS, PayloadReader, Rest, STEP_BYTES_A_PAGE, StepLimits, StepReader,
};
use super::visible_execution;
use crate::auth::Caller;
use crate::cursor;
use crate::error::Result;
use crate::keys;
use crate::masking::Disclosure;
use crate::model::{ExecutionId, PageSize, Step, StepInstanceId, Timestamp};
use crate::payload::UnreadablePayload;
use crate::store::{MAX_ITEMS_A_QUERY, Range, Store};

/// The `PARALLEL_FORK_MANAGER` step that branches hang below. It is a step of
/// the run or, of a nested fork, of a branch; the pair finds it either way.
#[derive(Debug, Clone, PartialEq)]
pub struct Fork {
    /// The fork step's id.
    pub step_instance_id: StepInstanceId,
    /// When the fork step began.
    pub start_time: Timestamp,
}

/// One branch, with those of its steps that are on this page.
#[derive(Debug)]
pub struct Branch {
    /// The id of this run of the branch.
    pub branch_execution_id: String,
    /// The branch's name in the flow's definition.
    pub branch_id: Option<String>,
    /// Its steps, in order of time.
    pub steps: Vec<Step>,
}

/// A page of the steps below a fork.
#[derive(Debug)]
pub struct BranchSteps {
    /// The branches, in the order of their ids. The last branch of a page and
    /// the first of the next can be the same one.
    pub branches: Vec<Branch>,
    /// The token of the next page; `None` when these were the last.
    pub next_token: Option<String>,
    /// Payloads that are there and cannot be shown.
    pub unreadable: Vec<UnreadablePayload>,
}

/// Reads the steps of all branches of one fork: one Query for each MB of them,
/// and beside it one for the run and its payloads.
///
/// Without `limit` the page ends only at about
/// [`STEP_BYTES_A_PAGE`](super::STEP_BYTES_A_PAGE). A fork without steps yet,
/// or one that is not there, has no branches. Payloads of more than
/// `most_payload_bytes` are left out.
///
/// # Errors
/// [`crate::Error::ExecutionNotFound`], [`crate::Error::InvalidNextToken`], and
/// those of the table.
pub async fn list_branch_steps(
    store: &Store,
    caller: &Caller,
    execution_id: &ExecutionId,
    fork: &Fork,
    most_payload_bytes: Option<usize>,
    limit: Option<PageSize>,
    next_token: Option<&str>,
) -> Result<BranchSteps> {
    let prefix = keys::branches_of_fork(fork.start_time, fork.step_instance_id.as_str());
    let range = Range::with_prefix(execution_id, &prefix);
    let limits = StepLimits {
        steps: limit.map_or(usize::MAX, PageSize::get),
        bytes: STEP_BYTES_A_PAGE,
        payload_bytes: most_payload_bytes,
    };
    let start = next_token
        .map(|token| cursor::read(&range, token))
        .transpose()?;
    let first_limit = limits.steps.saturating_add(1).min(MAX_ITEMS_A_QUERY);

    // The run, which says whose it is, and its payloads are one range; the
    // branches are another, before it. Both are read at once.
    let run_and_payloads = Range::of_execution(execution_id, keys::EXECUTION, Some(keys::STEPS));
    let (head, first) = tokio::try_join!(
        store.query(&run_and_payloads, None, MAX_ITEMS_A_QUERY),
        store.query(&range, start, first_limit),
    )?;
    let mut items = head.items.into_iter();
    let execution_item = items.next();
    let execution = visible_execution(caller, execution_id, execution_item, Timestamp::now())?;

    let mut disclosure = Disclosure::to(store, caller).await?;
    let mut payloads = PayloadReader::new(store, execution_id);
    payloads.take_in(items, head.last_key.as_ref().and_then(keys::sort_key));
    let reader = StepReader {
        store,
        range: &range,
        in_hand: first.items.into(),
        rest: Rest::after(first.last_key),
    };
    let mut page = reader.page(execution_id, &mut payloads, limits).await?;
    page.show_in(
        &execution,
        &PAYLOAD_FIELDS,
        most_payload_bytes,
        &mut disclosure,
    );
    disclosure.record(store, caller, execution_id).await?;
    Ok(BranchSteps {
        branches: by_branch(page.steps),
        next_token: page.next_token,
        unreadable: page.unreadable,
    })
}

/// Where a step is shown whose record does not say of which branch it is.
const UNKNOWN_BRANCH: &str = "unknown";

/// Steps in the order of their keys are in the order of their branches.
fn by_branch(steps: Vec<Step>) -> Vec<Branch> {
    let mut branches: Vec<Branch> = Vec::new();
    for step in steps {
        let id = step
            .branch_execution_id()
            .unwrap_or(UNKNOWN_BRANCH)
            .to_owned();
        match branches.last_mut() {
            Some(branch) if branch.branch_execution_id == id => {
                branch.branch_id = branch.branch_id.take().or_else(|| step.branch_id.clone());
                branch.steps.push(step);
            }
            _ => branches.push(Branch {
                branch_execution_id: id,
                branch_id: step.branch_id.clone(),
                steps: vec![step],
            }),
        }
    }
    branches
}
