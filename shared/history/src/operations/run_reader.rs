//! The only reader of a run's records. One Query finds all records of a usual run; for
//! larger runs, further Queries read the rest of each kind of record.

use std::collections::VecDeque;
use std::slice;

use format::model::{Execution, ExecutionId, Item, Timestamp};
use format::{Result, keys};
use store::cursor::StartKey;
use store::{Range, Rest, Store};
use team::auth::Caller;
use team::stalled;

use super::steps::PayloadReader;
use super::visible_execution;

/// The records that the first Query of a run has found, by kind.
///
/// Sorted by key, the steps of branches come first, then the execution, the payloads, and
/// the top-level steps.
#[derive(Default)]
pub(super) struct RunHead {
    execution: Option<Item>,
    payloads: Vec<Item>,
    /// The top-level steps, in order of time.
    pub(super) steps: VecDeque<Item>,
    /// The steps of branches, fork by fork and branch by branch.
    pub(super) branch_steps: VecDeque<Item>,
    last_key: Option<StartKey>,
}

impl RunHead {
    /// Reads up to `limit` of a run's records in this range, and at most 1 MB.
    pub(super) async fn read(store: &Store, range: &Range, limit: usize) -> Result<Self> {
        let page = store.query(range, None, limit).await?;
        let mut head = Self {
            last_key: page.last_key,
            ..Self::default()
        };
        for item in page.items {
            head.insert(item);
        }
        Ok(head)
    }

    /// Adds a record. Records with keys that the format does not know are left out.
    fn insert(&mut self, item: Item) {
        match keys::sort_key(&item) {
            Some(keys::EXECUTION) => self.execution = Some(item),
            Some(sk) if sk.starts_with(keys::STEPS) => self.steps.push_back(item),
            Some(sk) if sk.starts_with(keys::BRANCHES) => self.branch_steps.push_back(item),
            Some(sk) if keys::payload_of(sk).is_some() => self.payloads.push(item),
            _ => {}
        }
    }

    fn stopped_at(&self) -> Option<&str> {
        self.last_key.as_ref().and_then(keys::sort_key)
    }

    /// Returns where the unread sort keys with this prefix start.
    pub(super) fn rest_of(&self, prefix: &str) -> Rest {
        Rest::of_prefix(prefix, self.last_key.as_ref())
    }

    /// Returns the execution, if this caller may see it now.
    ///
    /// # Errors
    /// [`format::Error::ExecutionNotFound`] if the caller must not see it.
    pub(super) async fn execution(
        &mut self,
        store: &Store,
        caller: &Caller,
        execution_id: &ExecutionId,
    ) -> Result<Execution> {
        let is_not_reached = self.stopped_at().is_some_and(|sk| sk < keys::EXECUTION);
        match self.execution.take() {
            // The steps of branches come before the execution, and may fill the first MB.
            None if is_not_reached => read_execution(store, caller, execution_id).await,
            item => show_execution(store, caller, execution_id, item).await,
        }
    }

    /// Creates a reader of the run's payloads that already has the payloads found here.
    pub(super) fn payload_reader<'a>(
        &mut self,
        store: &'a Store,
        execution_id: &'a ExecutionId,
    ) -> PayloadReader<'a> {
        let mut payloads = PayloadReader::new(store, execution_id);
        payloads.add_queried(std::mem::take(&mut self.payloads), self.stopped_at());
        payloads
    }
}

/// Reads an execution without its other records, if this caller may see it now.
///
/// # Errors
/// [`format::Error::ExecutionNotFound`] if the caller must not see it.
pub(super) async fn read_execution(
    store: &Store,
    caller: &Caller,
    execution_id: &ExecutionId,
) -> Result<Execution> {
    let pk = keys::execution_partition(execution_id);
    let item = store.get(&pk, keys::EXECUTION).await?;
    show_execution(store, caller, execution_id, item).await
}

/// Returns the execution of an item, with its stalled flag set.
async fn show_execution(
    store: &Store,
    caller: &Caller,
    execution_id: &ExecutionId,
    item: Option<Item>,
) -> Result<Execution> {
    let mut execution = visible_execution(caller, execution_id, item, Timestamp::now())?;
    stalled::flag_stalled(store, &caller.team_id, slice::from_mut(&mut execution)).await?;
    Ok(execution)
}
