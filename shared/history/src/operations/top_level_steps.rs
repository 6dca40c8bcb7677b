//! Reads pages of the top-level steps of a run.

use std::collections::VecDeque;

use format::model::{Execution, ExecutionId, Item};
use format::{Result, keys};
use store::{Range, Rest, Store};

use super::nesting::{Nesting, StepToken};
use super::run_reader::RunHead;
use super::steps::{ListedSteps, PayloadReader, StepLimits, StepPage, StepReader, fill_page};

/// The steps of a run that are not in branches: their table, their run and their range.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) store: &'a Store,
    pub(super) execution_id: &'a ExecutionId,
    pub(super) range: &'a Range,
}

/// The top-level steps of a run from a position on.
///
/// Without nested steps these are all steps of the range. As soon as a nested step is found,
/// only the steps that the tree lists as top-level are read.
pub(super) struct TopLevelSteps<'a> {
    source: Source<'a>,
    nesting: Nesting<'a>,
    reader: StepReader<'a>,
    /// The sort key after which the page starts.
    after: Option<String>,
}

impl<'a> TopLevelSteps<'a> {
    /// Starts at the beginning, with what the first Query has found.
    pub(super) async fn of_head(
        source: Source<'a>,
        execution: &Execution,
        mut head: RunHead,
        limits: StepLimits,
    ) -> Result<Self> {
        let Source {
            store,
            execution_id,
            ..
        } = source;
        let nesting = Nesting::of_head(store, execution_id, execution, &head).await?;
        let rest = head.rest_of(keys::STEPS);
        let in_hand = std::mem::take(&mut head.steps);
        Ok(Self {
            reader: source.reader(&nesting, in_hand, rest, None, limits),
            source,
            nesting,
            after: None,
        })
    }

    /// Starts after a token.
    pub(super) async fn after(
        source: Source<'a>,
        execution: &Execution,
        token: StepToken,
        limits: StepLimits,
    ) -> Result<Self> {
        let Source {
            store,
            execution_id,
            ..
        } = source;
        let nesting = Nesting::of_token(store, execution_id, execution, &token).await?;
        let after = keys::sort_key(&token.start).map(str::to_owned);
        let rest = Rest::After(token.start);
        Ok(Self {
            reader: source.reader(&nesting, [].into(), rest, after.as_deref(), limits),
            source,
            nesting,
            after,
        })
    }

    /// Reads a page of the steps of `execution`, with their payloads.
    pub(super) async fn page(
        &mut self,
        execution: &Execution,
        payloads: &mut PayloadReader<'_>,
        limits: StepLimits,
    ) -> Result<StepPage> {
        let mut read = self.reader.read(execution, limits).await?;
        let (found_nested, rest) = (self.reader.found_nested(), self.reader.rest());
        if self.nesting.complete(found_nested, rest).await? {
            let (source, after) = (self.source, self.after.as_deref());
            self.reader = source.reader(&self.nesting, [].into(), Rest::Nothing, after, limits);
            read = self.reader.read(execution, limits).await?;
        }
        let range = self.source.range;
        fill_page(read, &self.nesting, payloads, limits, |_| range).await
    }
}

impl<'a> Source<'a> {
    /// Creates a reader of the top-level steps after a sort key: those in hand, which come
    /// first, and the rest.
    fn reader(
        self,
        nesting: &Nesting<'_>,
        in_hand: VecDeque<Item>,
        rest: Rest,
        after: Option<&str>,
        limits: StepLimits,
    ) -> StepReader<'a> {
        let Self {
            store,
            execution_id,
            range,
        } = self;
        let Some(tree) = nesting.tree() else {
            let listed = ListedSteps::empty(store, execution_id);
            return StepReader::new(store, range, in_hand, rest, listed);
        };
        let is_on_page = |sk: &str| after.is_none_or(|after| sk > after);
        let steps = tree.top_level();
        let steps = steps.filter(|(_, step)| limits.may_admit(step) && is_on_page(step.sk()));
        let listed = ListedSteps::new(store, execution_id, steps, in_hand);
        StepReader::new(store, range, [].into(), Rest::Nothing, listed)
    }
}
