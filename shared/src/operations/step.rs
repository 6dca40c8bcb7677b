//! One step of a run, with its payloads.

use super::steps::{PAYLOAD_FIELDS, PayloadReader};
use super::{Fork, visible_execution};
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::keys;
use crate::masking::Disclosure;
use crate::model::{BranchExecutionId, ExecutionId, Step, StepInstanceId, Timestamp, is_expired};
use crate::payload::UnreadablePayload;
use crate::store::Store;

/// Where in a run a step is found.
#[derive(Debug, Clone, PartialEq)]
pub struct StepPlace {
    /// The step's id.
    pub step_instance_id: StepInstanceId,
    /// When it began.
    pub start_time: Timestamp,
    /// In which branch it is; `None` for a top-level step.
    pub branch: Option<BranchPlace>,
}

/// A branch of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct BranchPlace {
    /// The id of this run of the branch.
    pub branch_execution_id: BranchExecutionId,
    /// What the branch hangs below.
    pub fork: Fork,
}

impl StepPlace {
    fn sort_key(&self) -> String {
        let id = self.step_instance_id.as_str();
        match &self.branch {
            None => keys::step(self.start_time, id),
            Some(BranchPlace {
                branch_execution_id,
                fork,
            }) => {
                let fork = keys::branches_of_fork(fork.start_time, fork.step_instance_id.as_str());
                keys::branch_step(&fork, branch_execution_id.as_str(), self.start_time, id)
            }
        }
    }
}

/// A step of a run.
#[derive(Debug)]
pub struct StepDetails {
    /// The step, as a page of steps has it.
    pub step: Step,
    /// Payloads that are there and cannot be shown.
    pub unreadable: Vec<UnreadablePayload>,
}

/// Reads one step with its payloads: two requests for the run and the step, and of the
/// fields that are not in the step itself one each, and one for each MB of them beyond
/// the first. Of a payload that is told to be longer than `most_payload_bytes` one part
/// is read.
///
/// # Errors
/// [`Error::ExecutionNotFound`], [`Error::StepNotFound`], and those of the table.
pub async fn get_step(
    store: &Store,
    caller: &Caller,
    execution_id: &ExecutionId,
    place: &StepPlace,
    most_payload_bytes: Option<usize>,
) -> Result<StepDetails> {
    let not_found = || Error::StepNotFound(place.step_instance_id.clone());
    let (pk, sk) = (keys::execution_partition(execution_id), place.sort_key());
    let (execution, step) = tokio::try_join!(store.get(&pk, keys::EXECUTION), store.get(&pk, &sk))?;
    let now = Timestamp::now();
    let execution = visible_execution(caller, execution_id, execution, now)?;
    let step = step
        .filter(|item| !is_expired(item, now))
        .and_then(Step::from_item)
        .ok_or_else(not_found)?;

    let mut disclosure = Disclosure::to(store, caller).await?;
    let payloads = PayloadReader::new(store, execution_id);
    let mut page = payloads.fill_one(step, most_payload_bytes).await?;
    page.show_in(
        &execution,
        &PAYLOAD_FIELDS,
        most_payload_bytes,
        &mut disclosure,
    );
    disclosure.record(store, caller, execution_id).await?;
    Ok(StepDetails {
        step: page.steps.pop().ok_or_else(not_found)?,
        unreadable: page.unreadable,
    })
}
