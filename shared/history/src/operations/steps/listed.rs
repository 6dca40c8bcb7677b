//! Reads steps whose keys are known, in their order. Forks that readers add are among them: they
//! have no record, and need no request.

use std::collections::VecDeque;

use format::Result;
use format::keys::{self, key};
use format::model::{ExecutionId, Item};
use store::{MAX_BATCH_KEYS, MAX_ITEMS_A_QUERY, Range, Store};

use super::super::step_tree::TreeStep;

/// A Query costs a unit for 8 KB of steps, and a step that is read by its key half a unit or
/// more. With steps of 500 bytes, a Query is cheaper if one in eight of its steps is needed.
const STEPS_FOR_A_NEEDED_ONE: usize = 8;

/// Steps to read, in order.
pub(crate) struct ListedSteps<'a> {
    store: &'a Store,
    execution_id: &'a ExecutionId,
    left: VecDeque<ListedStep>,
    /// The first of the steps, if they have been read.
    in_hand: Vec<Item>,
}

struct ListedStep {
    /// The position of the step in the tree of the run.
    position: usize,
    sk: String,
    /// The item of an added fork.
    added: Option<Item>,
}

impl<'a> ListedSteps<'a> {
    /// Creates a list without steps.
    pub(crate) fn empty(store: &'a Store, execution_id: &'a ExecutionId) -> Self {
        Self {
            store,
            execution_id,
            left: VecDeque::new(),
            in_hand: Vec::new(),
        }
    }

    /// Creates a list of these steps. `read` are the first steps of the run, which were read
    /// already, in order; those that are not listed are dropped.
    pub(crate) fn new<'s>(
        store: &'a Store,
        execution_id: &'a ExecutionId,
        steps: impl Iterator<Item = (usize, &'s TreeStep)>,
        read: VecDeque<Item>,
    ) -> Self {
        let listed = |(position, step): (usize, &TreeStep)| ListedStep {
            position,
            sk: step.sk().to_owned(),
            added: step.added_item(),
        };
        let mut left: VecDeque<_> = steps.map(listed).collect();
        let last_read = read.back().and_then(keys::sort_key).unwrap_or_default();
        let count = left.partition_point(|step| step.sk.as_str() <= last_read);
        let listed: Vec<_> = left.drain(..count).collect();
        Self {
            store,
            execution_id,
            left,
            in_hand: in_order(read, listed),
        }
    }

    /// Reads up to `limit` of the next steps. `None` if there are no more. Steps that no
    /// longer exist are left out.
    pub(crate) async fn next(&mut self, limit: usize) -> Result<Option<Vec<Item>>> {
        if !self.in_hand.is_empty() {
            return Ok(Some(std::mem::take(&mut self.in_hand)));
        }
        let limit = limit.clamp(1, MAX_ITEMS_A_QUERY).min(self.left.len());
        let next = self.left.iter().take(limit);
        let added = next.take_while(|step| step.added.is_some()).count();
        if added > 0 {
            let added = self.left.drain(..added);
            return Ok(Some(added.filter_map(|step| step.added).collect()));
        }
        let (Some(first), Some(last)) = (self.left.front(), self.left.get(limit.wrapping_sub(1)))
        else {
            return Ok(None);
        };
        let span = last.position - first.position + 1;
        let items = match span <= limit.saturating_mul(STEPS_FOR_A_NEEDED_ONE) {
            true => self.query(limit, span).await?,
            false => self.get(limit.min(MAX_BATCH_KEYS)).await?,
        };
        Ok(Some(items))
    }

    /// Reads the range of the next `count` steps, or its first MB.
    async fn query(&mut self, count: usize, span: usize) -> Result<Vec<Item>> {
        let (first, last) = (&self.left[0].sk, &self.left[count - 1].sk);
        let range = Range::of_execution(self.execution_id, first, Some(last));
        let page = self.store.query(&range, None, span).await?;
        let reached = page.last_key.as_ref().and_then(keys::sort_key);
        let count = match reached {
            Some(reached) => self
                .left
                .partition_point(|step| step.sk.as_str() <= reached),
            None => count,
        };
        let listed: Vec<_> = self.left.drain(..count).collect();
        Ok(in_order(page.items, listed))
    }

    /// Reads the next `count` steps by their keys.
    async fn get(&mut self, count: usize) -> Result<Vec<Item>> {
        let pk = keys::execution_partition(self.execution_id);
        let listed: Vec<_> = self.left.drain(..count).collect();
        let wanted = listed.iter().filter(|step| step.added.is_none());
        let wanted: Vec<_> = wanted.map(|step| key(pk.as_str(), &step.sk)).collect();
        let items = self.store.get_all(&wanted).await?;
        Ok(in_order(items, listed))
    }
}

/// Keeps the items of these steps, which are in order, and adds those of added forks.
fn in_order(items: impl IntoIterator<Item = Item>, listed: Vec<ListedStep>) -> Vec<Item> {
    let is_listed = |item: &Item| {
        let sk = keys::sort_key(item).unwrap_or_default();
        let at = listed.binary_search_by(|step| step.sk.as_str().cmp(sk));
        at.is_ok()
    };
    let mut items: Vec<_> = items.into_iter().filter(is_listed).collect();
    items.extend(listed.into_iter().filter_map(|step| step.added));
    items.sort_by(|one, other| keys::sort_key(one).cmp(&keys::sort_key(other)));
    items
}
