//! The tree of a run's steps: which steps are top-level, and in which lane below its parent
//! each nested step is. A pure function of the steps, in whatever order they are given.
//!
//! - A nested step is below the step that its record names. That step may be top-level,
//!   nested, or in a branch. If several steps have its id, the first of them is the parent.
//! - A step whose parent is not among the run's steps, or is the step itself, is top-level. So
//!   is a step that is its own ancestor; what is below it stays below it.
//! - Top-level steps that name the same unknown parent and overlap are below a fork that
//!   readers add (see [`added_forks`]).
//! - The children of a step are divided into lanes. In order of time, each goes to the first
//!   lane whose last step has ended before it starts.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use format::cycles::find_cycles;
use format::keys;
use format::model::{Item, Step, StepStatus};

mod added_forks;

pub(super) use added_forks::may_be_added;

/// The properties of a step that determine its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TreeStep {
    sk: String,
    id: Option<String>,
    /// For a nested step: the parent that its record names, or the fork that was added above it.
    /// For a step of a branch: its fork.
    parent: Option<String>,
    start_ms: Option<i64>,
    /// `None` for a step that has not ended.
    end_ms: Option<i64>,
    status: Option<StepStatus>,
    /// For an added fork: the number of steps below it. 0 for a step that has a record.
    added_above: usize,
}

impl TreeStep {
    pub(super) fn from_step(step: &Step) -> Self {
        let of_fork = keys::step_of(&step.sk).and_then(|key| key.parent_step_instance_id);
        let parent = of_fork.or_else(|| step.nested_below());
        let start_ms = step.start_time().map(|start| start.milliseconds());
        // A step that has ended, at an unknown time, does not keep its lane.
        let at_start = || start_ms.filter(|_| !is_open(step.status));
        Self {
            sk: step.sk.clone(),
            id: step.id().map(str::to_owned),
            parent: parent.map(str::to_owned),
            start_ms,
            end_ms: step.end_milliseconds().or_else(at_start),
            status: step.status,
            added_above: 0,
        }
    }

    /// The sort key of the step. For an added fork: a key that no record has.
    pub(super) fn sk(&self) -> &str {
        &self.sk
    }

    pub(super) fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    pub(super) fn parent(&self) -> Option<&str> {
        self.parent.as_deref()
    }

    /// Returns whether the step may be shown with this status. A step that is open in its
    /// record is shown with another one if its run has ended.
    pub(super) fn may_be_shown_as(&self, status: StepStatus) -> bool {
        self.status == Some(status) || is_open(self.status)
    }

    fn is_in_branch(&self) -> bool {
        self.sk.starts_with(keys::BRANCHES)
    }
}

fn is_open(status: Option<StepStatus>) -> bool {
    matches!(status, Some(StepStatus::Pending | StepStatus::Running))
}

/// The steps of a run with their places. A step is named by its position in the order of the
/// sort keys, which is the order of time except for steps of branches.
#[derive(Debug, Default, PartialEq)]
pub(super) struct StepTree {
    steps: Vec<TreeStep>,
    /// The first step with each id. A step of a branch counts only if no other step has its id.
    by_id: HashMap<String, usize>,
    /// The lane of each nested step, from 1.
    lanes: Vec<Option<usize>>,
    /// The nested steps below each step that has any, in order of time.
    children: HashMap<usize, Vec<usize>>,
}

impl StepTree {
    /// Computes the places of a run's steps.
    pub(super) fn new(mut steps: Vec<TreeStep>) -> Self {
        steps.sort_unstable_by(|one, other| one.sk.cmp(&other.sk));
        let mut by_id = first_by_id(&steps);
        if added_forks::add_forks(&mut steps, &by_id) {
            by_id = first_by_id(&steps);
        }
        let parents = find_parents(&steps, &by_id);
        let mut children: HashMap<usize, Vec<usize>> = HashMap::new();
        for (position, step) in steps.iter().enumerate() {
            if let Some(parent) = parents[position].filter(|_| !step.is_in_branch()) {
                children.entry(parent).or_default().push(position);
            }
        }
        let mut lanes = vec![None; steps.len()];
        for siblings in children.values() {
            for (position, lane) in divide_into_lanes(&steps, siblings) {
                lanes[position] = Some(lane);
            }
        }
        Self {
            steps,
            by_id,
            lanes,
            children,
        }
    }

    /// The top-level steps in order of time, with their positions.
    pub(super) fn top_level(&self) -> impl Iterator<Item = (usize, &TreeStep)> {
        let steps = self.steps.iter().enumerate();
        steps.filter(|(position, step)| !step.is_in_branch() && self.lanes[*position].is_none())
    }

    /// Returns whether the step with this sort key is top-level.
    pub(super) fn is_top_level(&self, sk: &str) -> bool {
        let is_nested = |position: usize| self.lanes[position].is_some();
        sk.starts_with(keys::STEPS) && !self.position(sk).is_some_and(is_nested)
    }

    /// The nested steps directly below the step with this id, in order of time, with their
    /// positions.
    pub(super) fn below(&self, id: &str) -> impl Iterator<Item = (usize, &TreeStep)> {
        let children = self.by_id.get(id).and_then(|step| self.children.get(step));
        let children = children.into_iter().flatten();
        children.map(|position| (*position, &self.steps[*position]))
    }

    /// The items of all added forks, in order of time.
    pub(super) fn added_forks(&self) -> impl Iterator<Item = Item> {
        self.steps.iter().filter_map(TreeStep::added_item)
    }

    /// The item of the added fork with this id.
    pub(super) fn added_fork(&self, id: &str) -> Option<Item> {
        self.steps[*self.by_id.get(id)?].added_item()
    }

    /// Adds its place to a step: its lane, whether nested steps are below it, and whether it is an
    /// added fork.
    pub(super) fn place(&self, step: &mut Step) {
        let Some(position) = self.position(&step.sk) else {
            return;
        };
        let place = &self.steps[position];
        if let (Some(lane), Some(parent)) = (self.lanes[position], place.parent()) {
            step.set_lane(parent, lane);
        }
        if self.children.contains_key(&position) {
            step.set_has_nested_steps();
        }
        if place.is_added() {
            step.set_is_added();
        }
    }

    fn position(&self, sk: &str) -> Option<usize> {
        self.steps
            .binary_search_by(|step| step.sk.as_str().cmp(sk))
            .ok()
    }
}

fn first_by_id(steps: &[TreeStep]) -> HashMap<String, usize> {
    let mut by_id: HashMap<String, usize> = HashMap::new();
    for (position, step) in steps.iter().enumerate() {
        let Some(id) = &step.id else { continue };
        let first = by_id.entry(id.clone()).or_insert(position);
        if steps[*first].is_in_branch() && !step.is_in_branch() {
            *first = position;
        }
    }
    by_id
}

/// Returns the position of the step below which each step is. For a step of a branch this is
/// its fork.
fn find_parents(steps: &[TreeStep], by_id: &HashMap<String, usize>) -> Vec<Option<usize>> {
    let parent = |step: &TreeStep| {
        let parent = step.parent.as_ref().filter(|_| step.parent != step.id)?;
        by_id.get(parent).copied()
    };
    let mut parents: Vec<_> = steps.iter().map(parent).collect();
    let cycles = find_cycles(&parents);
    for (parent, is_in_cycle) in parents.iter_mut().zip(cycles) {
        parent.take_if(|_| is_in_cycle);
    }
    parents
}

/// Returns siblings, which are in the order of their keys, by their starts. Steps that end in the
/// millisecond in which they start come first: those that follow one another have the same start.
fn by_start(steps: &[TreeStep], siblings: &[usize]) -> Vec<usize> {
    let mut sorted = siblings.to_vec();
    sorted.sort_by_key(|position| {
        let step = &steps[*position];
        (step.start_ms, step.end_ms != step.start_ms)
    });
    sorted
}

/// Returns the lane of each of these siblings.
///
/// The free lanes and the ends of the busy ones are heaps, so thousands of overlapping steps
/// take little more time than thousands of consecutive ones.
fn divide_into_lanes(steps: &[TreeStep], siblings: &[usize]) -> Vec<(usize, usize)> {
    let mut free: BinaryHeap<Reverse<usize>> = BinaryHeap::new();
    let mut busy: BinaryHeap<Reverse<(i64, usize)>> = BinaryHeap::new();
    let (mut lanes, mut now) = (0, i64::MIN);
    let mut placed = Vec::with_capacity(siblings.len());
    for position in by_start(steps, siblings) {
        let step = &steps[position];
        // A start that cannot be read, or that differs from the key, does not go back in time.
        now = now.max(step.start_ms.unwrap_or(i64::MIN));
        while let Some(Reverse((end, lane))) = busy.peek().copied()
            && end <= now
        {
            busy.pop();
            free.push(Reverse(lane));
        }
        let lane = match free.pop() {
            Some(Reverse(lane)) => lane,
            None => {
                lanes += 1;
                lanes
            }
        };
        if let Some(end) = step.end_ms {
            busy.push(Reverse((end, lane)));
        }
        placed.push((position, lane));
    }
    placed
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use format::attributes::{SORT_KEY, text};
    use format::model::Item;
    use proptest::prelude::*;

    use super::*;

    pub(super) const START: i64 = 1_771_324_200_000;

    /// A step: its id, its parent, its start and its duration, in milliseconds.
    pub(super) type Sketch<'a> = (&'a str, Option<&'a str>, i64, Option<i64>);

    pub(super) fn tree_step((id, parent, start, duration): Sketch<'_>) -> TreeStep {
        let start_ms = START + start;
        let time = format::model::Timestamp::from_milliseconds(start_ms).expect("a time");
        TreeStep {
            sk: keys::step(time, id),
            id: Some(id.to_owned()),
            parent: parent.map(str::to_owned),
            start_ms: Some(start_ms),
            end_ms: duration.map(|duration| start_ms + duration),
            status: Some(StepStatus::Completed),
            added_above: 0,
        }
    }

    pub(super) fn branch_step(id: &str, fork: &str) -> TreeStep {
        let time = "2026-02-17T10:30:00.000Z".parse().expect("a time");
        let prefix = keys::branches_of_fork(time, fork);
        TreeStep {
            sk: keys::branch_step(&prefix, "branch", time, id),
            parent: Some(fork.to_owned()),
            ..tree_step((id, None, 0, Some(1)))
        }
    }

    pub(super) fn tree(steps: &[Sketch<'_>]) -> StepTree {
        StepTree::new(steps.iter().copied().map(tree_step).collect())
    }

    fn id(step: &TreeStep) -> String {
        step.id.clone().expect("an id")
    }

    pub(super) fn top_level(tree: &StepTree) -> Vec<String> {
        tree.top_level().map(|(_, step)| id(step)).collect()
    }

    /// The steps below a step, with their lanes.
    pub(super) fn below(tree: &StepTree, parent: &str) -> Vec<(String, usize)> {
        let lane = |position: usize| tree.lanes[position].expect("a lane");
        let below = tree.below(parent);
        below.map(|(at, step)| (id(step), lane(at))).collect()
    }

    pub(super) fn named(expected: &[(&str, usize)]) -> Vec<(String, usize)> {
        let owned = |(id, lane): &(&str, usize)| ((*id).to_owned(), *lane);
        expected.iter().map(owned).collect()
    }

    #[test]
    fn each_step_goes_to_the_first_lane_that_is_free() {
        let tree = tree(&[
            ("p", None, 0, Some(100)),
            ("a", Some("p"), 10, Some(10)),
            ("b", Some("p"), 15, Some(15)),
            ("c", Some("p"), 20, Some(0)),
            ("d", Some("p"), 20, Some(30)),
            ("e", Some("p"), 30, None),
            ("f", Some("p"), 60, Some(1)),
            ("g", Some("p"), 60, Some(1)),
        ]);
        let expected = [
            ("a", 1),
            ("b", 2),
            ("c", 1),
            ("d", 1),
            ("e", 2),
            ("f", 1),
            ("g", 3),
        ];
        assert_eq!(below(&tree, "p"), named(&expected));
        assert_eq!(top_level(&tree), ["p"]);
    }

    #[test]
    fn orphans_and_members_of_cycles_are_top_level() {
        let tree = tree(&[
            ("orphan", Some("unknown"), 0, Some(1)),
            ("own", Some("own"), 1, Some(1)),
            ("one", Some("two"), 2, Some(1)),
            ("two", Some("one"), 3, Some(1)),
            ("below", Some("two"), 4, Some(1)),
        ]);
        assert_eq!(top_level(&tree), ["orphan", "own", "one", "two"]);
        assert_eq!(below(&tree, "two"), named(&[("below", 1)]));
        assert_eq!(below(&tree, "own"), []);
    }

    #[test]
    fn a_parent_may_be_in_a_branch_and_a_cycle_may_pass_through_it() {
        let steps = |fork_parent| {
            StepTree::new(vec![
                tree_step(("leaf", Some("inside"), 5, Some(1))),
                branch_step("inside", "fork"),
                tree_step(("fork", fork_parent, 0, Some(9))),
            ])
        };
        let tree = steps(None);
        assert_eq!(top_level(&tree), ["fork"]);
        assert_eq!(below(&tree, "inside"), named(&[("leaf", 1)]));
        assert_eq!(below(&tree, "fork"), [], "it is a step of a branch");
        let tree = steps(Some("leaf"));
        assert_eq!(top_level(&tree), ["fork", "leaf"]);
    }

    #[test]
    fn only_the_first_step_with_an_id_is_a_parent() {
        let steps = vec![
            branch_step("twice", "fork"),
            tree_step(("twice", None, 3, Some(1))),
            tree_step(("twice", Some("twice"), 5, Some(1))),
            tree_step(("leaf", Some("twice"), 9, Some(1))),
        ];
        let tree = StepTree::new(steps);
        assert_eq!(top_level(&tree), ["twice", "twice"]);
        assert_eq!(below(&tree, "twice"), named(&[("leaf", 1)]));
        let parents: Vec<_> = tree
            .children
            .keys()
            .map(|at| tree.steps[*at].sk())
            .collect();
        assert_eq!(parents, ["STEP#2026-02-17T10:30:00.003Z#twice"]);
    }

    #[test]
    fn fifty_thousand_overlapping_steps_are_placed_quickly() {
        let ids: Vec<_> = (0..50_000).map(|n| format!("s-{n:05}")).collect();
        let overlapping =
            |(n, id): (usize, &String)| tree_step((id, Some("p"), n as i64, Some(100_000)));
        let parent = [tree_step(("p", None, 0, None))];
        let steps = ids.iter().enumerate().map(overlapping).chain(parent);
        let began = std::time::Instant::now();
        let tree = StepTree::new(steps.collect());
        let last = below(&tree, "p").pop();
        assert_eq!(last, Some(("s-49999".to_owned(), 50_000)));
        // A search through all lanes for each step would take minutes.
        assert!(began.elapsed().as_secs() < 10, "{:?}", began.elapsed());
    }

    #[test]
    fn the_end_of_a_step_is_written_measured_or_unknown() {
        let of = |attributes: &[(&str, &str)]| {
            let mut item =
                Item::from([(SORT_KEY.to_owned(), text("STEP#2026-02-17T10:30:00.000Z#a"))]);
            for (name, value) in attributes {
                let value = match value.parse::<u64>() {
                    Ok(_) => aws_sdk_dynamodb::types::AttributeValue::N((*value).to_owned()),
                    Err(_) => text(*value),
                };
                item.insert((*name).to_owned(), value);
            }
            let step = Step::from_item(item).expect("a step");
            TreeStep::from_step(&step).end_ms.map(|end| end - START)
        };
        assert_eq!(of(&[("endTime", "2026-02-17T10:30:00.040Z")]), Some(40));
        assert_eq!(of(&[("durationMs", "30")]), Some(30));
        assert_eq!(of(&[("status", "SKIPPED")]), Some(0));
        assert_eq!(of(&[("status", "RUNNING")]), None);
        assert_eq!(of(&[("status", "PENDING")]), None);
    }

    pub(super) fn any_steps() -> impl Strategy<Value = Vec<TreeStep>> {
        let step = (
            0_u8..16,
            prop::option::of(0_u8..20),
            0_i64..30,
            prop::option::weighted(0.9, 0_i64..10),
            prop::option::weighted(0.2, 0_u8..16),
        );
        let build = |(id, parent, start, duration, fork): (u8, Option<u8>, _, _, Option<u8>)| {
            let (id, parent) = (id.to_string(), parent.map(|parent| parent.to_string()));
            match fork {
                Some(fork) => branch_step(&id, &fork.to_string()),
                None => tree_step((&id, parent.as_deref(), start, duration)),
            }
        };
        let keyed = prop::collection::vec(step.prop_map(build), 0..24).prop_map(|steps| {
            // A table has one step for each key.
            let steps = steps.into_iter().map(|step| (step.sk.clone(), step));
            steps.collect::<BTreeMap<_, _>>().into_values().collect()
        });
        Strategy::prop_shuffle(keyed)
    }

    proptest! {
        #[test]
        fn the_order_of_the_input_has_no_effect(steps in any_steps()) {
            let mut reversed = steps.clone();
            reversed.reverse();
            prop_assert_eq!(StepTree::new(steps), StepTree::new(reversed));
        }

        #[test]
        fn each_step_has_one_place_and_is_reached_from_the_top(steps in any_steps()) {
            let tree = StepTree::new(steps.clone());
            let mut reached = BTreeSet::new();
            let in_branches = tree.steps.iter().enumerate();
            let in_branches = in_branches.filter(|(_, step)| step.is_in_branch());
            let mut next: Vec<_> = tree.top_level().chain(in_branches).map(|(at, _)| at).collect();
            while let Some(position) = next.pop() {
                prop_assert!(reached.insert(position), "a step has two places");
                next.extend(tree.children.get(&position).into_iter().flatten());
            }
            prop_assert_eq!(reached.len(), tree.steps.len());
            let with_records = tree.steps.iter().filter(|step| !step.is_added());
            let found: BTreeSet<_> = with_records.map(TreeStep::sk).collect();
            prop_assert_eq!(found, steps.iter().map(TreeStep::sk).collect());
        }

        #[test]
        fn a_lane_is_the_first_whose_last_step_has_ended(steps in any_steps()) {
            let tree = StepTree::new(steps);
            for siblings in tree.children.values() {
                // The end of each lane; `None` while its last step is open.
                let mut lanes: Vec<Option<i64>> = Vec::new();
                for position in by_start(&tree.steps, siblings) {
                    let step = &tree.steps[position];
                    let is_free = |end: &Option<i64>| end.is_some_and(|end| Some(end) <= step.start_ms);
                    let free = lanes.iter().position(is_free).unwrap_or(lanes.len());
                    prop_assert_eq!(tree.lanes[position], Some(free + 1));
                    lanes.resize(lanes.len().max(free + 1), None);
                    lanes[free] = step.end_ms;
                }
            }
        }
    }
}
