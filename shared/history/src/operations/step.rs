//! One step of a run, with its payloads.

use format::model::{
    BranchExecutionId, Execution, ExecutionId, Item, Step, StepInstanceId, Timestamp, is_expired,
};
use format::payload::UnreadablePayload;
use format::{Error, Result, keys};
use store::Store;
use team::auth::Caller;
use team::masking::reveal;

use super::nesting::Nesting;
use super::step_tree::may_be_added;
use super::steps::{PAYLOAD_FIELDS, PayloadReader};
use super::{Fork, visible_execution};

/// The position of a step in a run.
#[derive(Debug, Clone, PartialEq)]
pub struct StepAddress {
    /// The step's id.
    pub step_instance_id: StepInstanceId,
    /// When the step started.
    pub start_time: Timestamp,
    /// The branch or lane of the step; `None` for a top-level step.
    pub branch: Option<BranchAddress>,
}

/// A branch of a run, or a lane of nested steps.
#[derive(Debug, Clone, PartialEq)]
pub struct BranchAddress {
    /// The id of this run of the branch, or of the lane.
    pub branch_execution_id: BranchExecutionId,
    /// The fork that owns the branch, or the parent of the nested steps.
    pub fork: Fork,
}

impl StepAddress {
    fn sort_key(&self) -> String {
        let id = self.step_instance_id.as_str();
        match &self.branch {
            None => keys::step(self.start_time, id),
            Some(BranchAddress {
                branch_execution_id,
                fork,
            }) => {
                let fork = keys::branches_of_fork(fork.start_time, fork.step_instance_id.as_str());
                keys::branch_step(&fork, branch_execution_id.as_str(), self.start_time, id)
            }
        }
    }
}

impl BranchAddress {
    /// Returns whether a step may be nested below this parent, in one of its lanes. Which lane it
    /// is in may have changed since the address was read, because more steps were written. For the
    /// same reason, and because it would need all steps of the run, the fork that was added above
    /// the step is not searched.
    fn may_have_nested(&self, step: &Step) -> bool {
        let parent = self.fork.step_instance_id.as_str();
        let lane = self.branch_execution_id.as_str().strip_prefix(parent);
        let lane = lane.and_then(|lane| lane.strip_prefix('.'));
        let is_lane = lane.is_some_and(|lane| lane.parse::<u32>().is_ok());
        let below = step.nested_below();
        is_lane && (below == Some(parent) || (below.is_some() && may_be_added(parent)))
    }
}

/// A step of a run.
#[derive(Debug)]
pub struct StepDetails {
    /// The step, in the same form as on a page of steps.
    pub step: Step,
    /// Payloads that exist but cannot be shown.
    pub unreadable: Vec<UnreadablePayload>,
}

/// Reads one step with its payloads: two requests for the run and the step, one more for a
/// nested step that is addressed by its lane, one request for each field that is not stored in
/// the step itself, and one for each further MB of such a field. If a payload's first part shows
/// that it is longer than `most_payload_bytes`, only this part is read. A fork that readers add
/// needs the places of all steps.
///
/// # Errors
/// - [`Error::ExecutionNotFound`]: the run does not exist for this caller.
/// - [`Error::StepNotFound`]: the run has no such step.
pub async fn get_step(
    store: &Store,
    caller: &Caller,
    execution_id: &ExecutionId,
    place: &StepAddress,
    most_payload_bytes: Option<usize>,
) -> Result<StepDetails> {
    let not_found = || Error::StepNotFound(place.step_instance_id.clone());
    let (pk, sk) = (keys::execution_partition(execution_id), place.sort_key());
    let (execution, step) = tokio::try_join!(store.get(&pk, keys::EXECUTION), store.get(&pk, &sk))?;
    let now = Timestamp::now();
    let execution = visible_execution(caller, execution_id, execution, now)?;
    let shown = |item: Item| Some(item).filter(|item| !is_expired(item, now));
    let mut step = step.and_then(shown).and_then(Step::from_item);
    if let (None, Some(branch)) = (&step, &place.branch) {
        let sk = keys::step(place.start_time, place.step_instance_id.as_str());
        let nested = store.get(&pk, &sk).await?.and_then(shown);
        let nested = nested.and_then(Step::from_item);
        step = nested.filter(|step| branch.may_have_nested(step));
    }
    if step.is_none() {
        step = read_added_fork(store, execution_id, &execution, place).await?;
    }
    let step = step.ok_or_else(not_found)?;

    let payloads = PayloadReader::new(store, execution_id);
    let mut page = payloads.fill_one(step, most_payload_bytes).await?;
    reveal(store, caller, execution_id, async |disclosure| {
        page.show_in(&execution, &PAYLOAD_FIELDS, most_payload_bytes, disclosure)
            .await?;
        Ok(StepDetails {
            step: page.steps.pop().ok_or_else(not_found)?,
            unreadable: page.unreadable,
        })
    })
    .await
}

/// Returns the added fork at this address, with its place.
async fn read_added_fork(
    store: &Store,
    execution_id: &ExecutionId,
    execution: &Execution,
    place: &StepAddress,
) -> Result<Option<Step>> {
    let id = place.step_instance_id.as_str();
    if place.branch.is_some() || !may_be_added(id) {
        return Ok(None);
    }
    let nesting = Nesting::of_run(store, execution_id, execution).await?;
    let fork = nesting.tree().and_then(|tree| tree.added_fork(id));
    let mut forks: Vec<_> = fork.into_iter().filter_map(Step::from_item).collect();
    forks.retain(|fork| fork.start_time() == Some(place.start_time));
    nesting.place(&mut forks);
    Ok(forks.pop())
}
