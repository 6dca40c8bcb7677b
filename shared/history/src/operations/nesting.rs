//! Finds out whether a run has nested steps, and reads what their tree needs.
//!
//! No key shows where nested steps are, and any step may be the parent of a later one. So the
//! place of a step is known only once all steps of its run were read. This costs nothing for
//! a run that one Query reads completely. For a larger run, the rest of its steps is searched
//! once for steps with a parent, up to 16 MB. If there are none, the page tokens record it, and
//! further pages cost what they would without nested steps. If there are some, each page reads the
//! attributes that [`StepTree`] needs from all steps.

use std::borrow::Cow;
use std::collections::HashSet;

use format::attributes;
use format::model::{Execution, ExecutionId, Item, Step, Timestamp, is_expired};
use format::{Result, keys};
use store::cursor::{self, StartKey};
use store::{Filter, Range, Rest, Store};

use super::run_reader::RunHead;
use super::step_tree::{StepTree, TreeStep};

/// The attributes that determine the place of a step, and whether the step is shown.
pub(super) const PLACE: &[&str] = &[
    attributes::SORT_KEY,
    attributes::STEP_INSTANCE_ID,
    attributes::PARENT_STEP_INSTANCE_ID,
    attributes::STATUS,
    attributes::START_TIME,
    attributes::END_TIME,
    attributes::DURATION_MS,
    attributes::TIME_TO_LIVE,
];

/// The attributes that are fetched of steps with a parent if only their existence matters.
const KEY: &[&str] = &[attributes::SORT_KEY];

/// The most Queries that search a run for nested steps: 16 MB. A run with nested steps has some
/// among its first steps, so a larger part without any means that there are none.
const SEARCH_QUERIES: usize = 16;

/// The remark in the page tokens of a run without nested steps.
const FLAT: &str = "no nested steps";

/// What is known about the nested steps of a run.
pub(super) struct Nesting<'a> {
    store: &'a Store,
    execution_id: &'a ExecutionId,
    /// The parent that is no step, see [`Execution::root_span_id`].
    root_span_id: Option<String>,
    known: Known,
}

enum Known {
    /// No nested step was found so far, but not all steps were read.
    Nothing,
    /// The run has no nested steps.
    Flat,
    Tree(StepTree),
}

/// A page token of a list of steps.
pub(super) struct StepToken {
    /// The key after which the page starts.
    pub(super) start: StartKey,
    /// Whether the run had no nested steps when its first page was read.
    pub(super) is_flat: bool,
}

impl StepToken {
    /// Reads a token that was made with [`Nesting::tokens_of`] for this range.
    ///
    /// # Errors
    /// The errors of [`cursor::read`].
    pub(super) fn read(range: &Range, token: &str) -> Result<Self> {
        let (start, is_flat) = match cursor::read(&range.clone().noted(FLAT), token) {
            Ok(start) => (start, true),
            Err(_) => (cursor::read(range, token)?, false),
        };
        Ok(Self { start, is_flat })
    }
}

/// Returns whether a record is a step with a parent that is not in a branch, and has not expired.
pub(super) fn is_nested(item: &Item) -> bool {
    let sk = keys::sort_key(item).filter(|sk| sk.starts_with(keys::STEPS));
    let parent = item.get(attributes::PARENT_STEP_INSTANCE_ID);
    sk.is_some_and(|sk| keys::step_of(sk).is_some())
        && parent.is_some_and(|parent| parent.is_s())
        && !is_expired(item, Timestamp::now())
}

impl<'a> Nesting<'a> {
    fn new(
        store: &'a Store,
        execution_id: &'a ExecutionId,
        execution: &Execution,
        known: Known,
    ) -> Self {
        Self {
            store,
            execution_id,
            root_span_id: execution.root_span_id.clone(),
            known,
        }
    }

    /// Reads the places of all steps.
    pub(super) async fn of_run(
        store: &'a Store,
        execution_id: &'a ExecutionId,
        execution: &Execution,
    ) -> Result<Self> {
        let mut nesting = Self::new(store, execution_id, execution, Known::Nothing);
        nesting.read_tree(Vec::new(), Rest::Everything).await?;
        Ok(nesting)
    }

    /// Uses the steps that the first Query of a run has found. It started at the execution.
    pub(super) async fn of_head(
        store: &'a Store,
        execution_id: &'a ExecutionId,
        execution: &Execution,
        head: &RunHead,
    ) -> Result<Self> {
        let mut nesting = Self::new(store, execution_id, execution, Known::Nothing);
        match head.rest_of(keys::STEPS) {
            rest if head.steps.iter().any(is_nested) => {
                let in_hand = head.steps.iter().filter_map(tree_step).collect();
                nesting.read_tree(in_hand, rest).await?;
            }
            Rest::Nothing => nesting.known = Known::Flat,
            Rest::Everything | Rest::After(_) => {}
        }
        Ok(nesting)
    }

    /// Uses the steps that the first Query of a whole run has found. It started at the steps
    /// of branches.
    pub(super) fn of_whole_run(
        store: &'a Store,
        execution_id: &'a ExecutionId,
        execution: &Execution,
        head: &RunHead,
        token: Option<&StepToken>,
    ) -> Self {
        let known = match head.rest_of(keys::STEPS) {
            Rest::Nothing if head.steps.iter().any(is_nested) => {
                let in_hand = head.branch_steps.iter().chain(&head.steps);
                Known::Tree(StepTree::new(in_hand.filter_map(tree_step).collect()))
            }
            Rest::Nothing => Known::Flat,
            Rest::Everything | Rest::After(_) if token.is_some_and(|token| token.is_flat) => {
                Known::Flat
            }
            Rest::Everything | Rest::After(_) => Known::Nothing,
        };
        Self::new(store, execution_id, execution, known)
    }

    /// Uses what the token of a page after the first says.
    pub(super) async fn of_token(
        store: &'a Store,
        execution_id: &'a ExecutionId,
        execution: &Execution,
        token: &StepToken,
    ) -> Result<Self> {
        match token.is_flat {
            true => Ok(Self::new(store, execution_id, execution, Known::Flat)),
            false => Self::of_run(store, execution_id, execution).await,
        }
    }

    /// The places of the run's steps. `None` if no nested step is known.
    pub(super) fn tree(&self) -> Option<&StepTree> {
        match &self.known {
            Known::Tree(tree) => Some(tree),
            Known::Nothing | Known::Flat => None,
        }
    }

    /// Completes the knowledge after steps were read. `found_nested` is whether a nested step
    /// was among them; `rest` are the steps that were not read. Returns whether the steps must
    /// be selected again, because the places of all steps have become known.
    pub(super) async fn complete(&mut self, found_nested: bool, rest: Rest) -> Result<bool> {
        match self.known {
            Known::Tree(_) => return Ok(false),
            Known::Nothing | Known::Flat if found_nested => {
                self.read_tree(Vec::new(), Rest::Everything).await?;
                return Ok(self.tree().is_some());
            }
            Known::Flat => return Ok(false),
            Known::Nothing => {}
        }
        match self.has_nested(rest).await? {
            true => self.read_tree(Vec::new(), Rest::Everything).await?,
            false => self.known = Known::Flat,
        }
        Ok(false)
    }

    /// Adds their places to steps.
    pub(super) fn place(&self, steps: &mut [Step]) {
        if let Some(tree) = self.tree() {
            steps.iter_mut().for_each(|step| tree.place(step));
        }
    }

    /// The range to which the page tokens of `range` belong.
    pub(super) fn tokens_of<'r>(&self, range: &'r Range) -> Cow<'r, Range> {
        match self.known {
            Known::Flat => Cow::Owned(range.clone().noted(FLAT)),
            Known::Nothing | Known::Tree(_) => Cow::Borrowed(range),
        }
    }

    /// Searches the rest of the steps for a nested one: one Query for each MB, up to
    /// [`SEARCH_QUERIES`].
    async fn has_nested(&self, rest: Rest) -> Result<bool> {
        let range = Range::with_prefix(self.execution_id, keys::STEPS)
            .filtered(Filter::is_text(attributes::PARENT_STEP_INSTANCE_ID))
            .only(KEY);
        let mut pages = self.store.pages(&range).starting(rest);
        for _ in 0..SEARCH_QUERIES {
            match pages.next().await? {
                Some(items) if items.is_empty() => {}
                Some(_) => return Ok(true),
                None => break,
            }
        }
        Ok(false)
    }

    /// Computes the tree from the steps in hand and the rest. Reads the steps of branches only
    /// if one of them may be a parent.
    async fn read_tree(&mut self, mut steps: Vec<TreeStep>, rest: Rest) -> Result<()> {
        self.read_places(keys::STEPS, rest, &mut steps).await?;
        self.known = Known::Flat;
        if steps.iter().any(|step| step.parent().is_some()) {
            if has_unknown_parents(&steps, self.root_span_id.as_deref()) {
                let rest = Rest::Everything;
                self.read_places(keys::BRANCHES, rest, &mut steps).await?;
            }
            self.known = Known::Tree(StepTree::new(steps));
        }
        Ok(())
    }

    async fn read_places(&self, prefix: &str, rest: Rest, steps: &mut Vec<TreeStep>) -> Result<()> {
        let range = Range::with_prefix(self.execution_id, prefix).only(PLACE);
        let mut pages = self.store.pages(&range).starting(rest);
        while let Some(items) = pages.next().await? {
            steps.extend(items.iter().filter_map(tree_step));
        }
        Ok(())
    }
}

/// Returns whether a step has a parent that is neither among these steps nor the root span, which
/// is the run itself.
pub(super) fn has_unknown_parents(steps: &[TreeStep], root_span_id: Option<&str>) -> bool {
    let ids = steps.iter().filter_map(TreeStep::id);
    let ids: HashSet<_> = ids.chain(root_span_id).collect();
    let mut parents = steps.iter().filter_map(TreeStep::parent);
    parents.any(|parent| !ids.contains(parent))
}

/// Returns what determines the place of a step, unless it has expired.
pub(super) fn tree_step(item: &Item) -> Option<TreeStep> {
    if is_expired(item, Timestamp::now()) {
        return None;
    }
    let attributes = PLACE.iter().filter_map(|name| item.get_key_value(*name));
    let places = attributes.map(|(name, value)| (name.clone(), value.clone()));
    let step = Step::from_item(places.collect())?;
    Some(TreeStep::from_step(&step))
}
