//! Forks that readers add above overlapping steps of the root.
//!
//! The root of a trace is the run itself, so the steps below it name a parent that is not a step
//! of the run. Such steps are top-level, and those of them that were started together would hide
//! that they ran in parallel. Readers therefore add a fork above each group of them. Groups are
//! chains: each step of a group overlaps with an earlier one, and at least two have started in the
//! same millisecond. Steps that only overlap, because each one starts the next before it ends, stay
//! a list. The fork has no record.

use std::collections::{BTreeMap, HashMap};

use format::attributes::{self, text};
use format::model::{Item, MAX_ID_LENGTH, StepStatus, Timestamp, is_id};
use format::{hash, keys, record};

use super::{TreeStep, by_start, is_open};

/// The end of the id of an added fork, which begins with the id of the first step below it.
const SUFFIX: &str = ".overlap";

/// How much shorter than the longest id the id of an added fork is, so that a number after it,
/// and the number of a lane, are still parts of an id.
const ROOM_FOR_NUMBERS: usize = 16;

/// Returns whether an id may be the id of an added fork.
pub(in crate::operations) fn may_be_added(id: &str) -> bool {
    let named = id.trim_end_matches(|letter: char| letter.is_ascii_digit());
    named.ends_with(SUFFIX)
}

/// Adds the forks to steps, which are in the order of their sort keys, and makes them the parents
/// of the steps below them. Returns whether there are any.
pub(super) fn add_forks(steps: &mut Vec<TreeStep>, by_id: &HashMap<String, usize>) -> bool {
    let forks = find_forks(steps, by_id);
    let has_any = !forks.is_empty();
    for (fork, group) in forks {
        for position in group {
            steps[position].parent.clone_from(&fork.id);
        }
        steps.push(fork);
    }
    steps.sort_unstable_by(|one, other| one.sk.cmp(&other.sk));
    has_any
}

/// Returns the forks with the positions of the steps below them.
fn find_forks(steps: &[TreeStep], by_id: &HashMap<String, usize>) -> Vec<(TreeStep, Vec<usize>)> {
    let siblings = siblings_below_unknown(steps, by_id);
    let groups = siblings.values();
    let groups = groups.flat_map(|siblings| overlapping(steps, siblings));
    // In the order of their first steps, so that the ids do not depend on the parents.
    let mut groups: Vec<_> = groups.collect();
    groups.sort_unstable();
    let is_taken = |id: &str, sk: &str| {
        let at = steps.binary_search_by(|step| step.sk.as_str().cmp(sk));
        by_id.contains_key(id) || siblings.contains_key(id) || at.is_ok()
    };
    let mut numbers = HashMap::new();
    let name = |group: Vec<usize>| {
        let (id, sk) = name_fork(&steps[group[0]], &mut numbers, is_taken)?;
        Some((fork_above(&group, steps, id, sk), group))
    };
    groups.into_iter().filter_map(name).collect()
}

/// Returns the steps below each parent that is not a step of the run, in order of time.
fn siblings_below_unknown<'s>(
    steps: &'s [TreeStep],
    by_id: &HashMap<String, usize>,
) -> BTreeMap<&'s str, Vec<usize>> {
    let mut siblings: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (position, step) in steps.iter().enumerate() {
        let parent = step.parent().filter(|_| !step.is_in_branch());
        if let Some(parent) = parent.filter(|parent| !by_id.contains_key(*parent)) {
            siblings.entry(parent).or_default().push(position);
        }
    }
    siblings
}

/// Returns the groups of siblings, which are in order of time, that were started together. As for
/// lanes, a step overlaps with earlier ones that have not ended when it starts.
fn overlapping(steps: &[TreeStep], siblings: &[usize]) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    // The end of the group is `None` while one of its steps is open.
    let (mut now, mut end) = (i64::MIN, Some(i64::MIN));
    for position in by_start(steps, siblings) {
        let step = &steps[position];
        now = now.max(step.start_ms.unwrap_or(i64::MIN));
        match groups.last_mut() {
            Some(group) if end.is_none_or(|end| end > now) => group.push(position),
            _ => {
                groups.push(vec![position]);
                end = Some(i64::MIN);
            }
        }
        end = end.zip(step.end_ms).map(|(end, other)| end.max(other));
    }
    groups.iter_mut().for_each(|group| group.sort_unstable());
    let start = |position: &usize| steps[*position].start_ms;
    let are_together = |pair: &[usize]| start(&pair[0]) == start(&pair[1]);
    groups.retain(|group| group.windows(2).any(are_together));
    groups
}

/// Returns the id and the sort key of the fork above a group with this first step.
///
/// The id depends on the first step only, unless an engine has given the same id to a step, or to
/// the first steps of several groups. It then has a number: `numbers` has the last one after each
/// id, so that thousands of equal ids take no more time than others. The sort key comes before all
/// keys of steps with the same start, because ids have no `!`.
fn name_fork(
    first: &TreeStep,
    numbers: &mut HashMap<String, usize>,
    is_taken: impl Fn(&str, &str) -> bool,
) -> Option<(String, String)> {
    let start_time = keys::step_of(&first.sk)?.start_time;
    let base = base_of_id(first.id()?);
    let number = numbers.entry(base.clone()).or_default();
    loop {
        *number += 1;
        let id = match *number {
            1 => base.clone(),
            number => format!("{base}{number}"),
        };
        let sk = format!("{}{start_time}#!{id}", keys::STEPS);
        if !is_taken(&id, &sk) {
            return Some((id, sk));
        }
    }
}

/// Returns the id of a fork above a step with this id, without a number.
fn base_of_id(first: &str) -> String {
    let base = format!("{first}{SUFFIX}");
    if is_id(&base) && base.len() + ROOM_FOR_NUMBERS <= MAX_ID_LENGTH {
        return base;
    }
    let digest = &hash::sha256(first)[..16];
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{digest}{SUFFIX}")
}

fn fork_above(group: &[usize], steps: &[TreeStep], id: String, sk: String) -> TreeStep {
    let below = || group.iter().map(|position| &steps[*position]);
    let is_any_open = below().any(|step| is_open(step.status));
    let has_failed = below().any(|step| step.status == Some(StepStatus::Failed));
    let end_ms = below().try_fold(i64::MIN, |end, step| Some(end.max(step.end_ms?)));
    TreeStep {
        sk,
        id: Some(id),
        parent: None,
        start_ms: below().filter_map(|step| step.start_ms).min(),
        end_ms: end_ms.filter(|_| !is_any_open),
        status: Some(match (is_any_open, has_failed) {
            (true, _) => StepStatus::Running,
            (false, true) => StepStatus::Failed,
            (false, false) => StepStatus::Completed,
        }),
        added_above: group.len(),
    }
}

impl TreeStep {
    /// Whether the step is a fork that has no record.
    pub(super) fn is_added(&self) -> bool {
        self.added_above > 0
    }

    /// The item of an added fork, in the form of a record. `None` for a step that has a record.
    pub(in crate::operations) fn added_item(&self) -> Option<Item> {
        let id = self.id.as_ref().filter(|_| self.is_added())?;
        let name = format!("{} overlapping steps", self.added_above);
        let time = |ms: Option<i64>| ms.and_then(Timestamp::from_milliseconds);
        let texts = [
            (attributes::SORT_KEY, Some(self.sk.clone())),
            (attributes::STEP_INSTANCE_ID, Some(id.clone())),
            (attributes::STEP_NAME, Some(name)),
            (attributes::STEP_TYPE, Some(record::FORK.to_owned())),
            (
                attributes::STATUS,
                self.status.map(|it| it.as_str().to_owned()),
            ),
            (
                attributes::START_TIME,
                time(self.start_ms).map(|it| it.to_string()),
            ),
            (
                attributes::END_TIME,
                time(self.end_ms).map(|it| it.to_string()),
            ),
        ];
        let texts = texts.into_iter();
        Some(
            texts
                .filter_map(|(name, value)| Some((name.to_owned(), text(value?))))
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use format::model::Step;
    use proptest::prelude::*;

    use super::super::StepTree;
    use super::super::tests::{
        START, any_steps, below, branch_step, named, top_level, tree, tree_step,
    };
    use super::*;

    #[test]
    fn overlapping_steps_of_the_root_are_below_a_fork() {
        let tree = tree(&[
            ("before", Some("root"), 0, Some(10)),
            ("a", Some("root"), 10, Some(20)),
            ("other", Some("unknown"), 12, Some(100)),
            ("b", Some("root"), 10, Some(10)),
            ("flat", None, 16, Some(100)),
            ("c", Some("root"), 29, Some(1)),
            ("between", Some("root"), 30, Some(10)),
            ("d", Some("root"), 50, Some(5)),
            ("inside", Some("d"), 51, Some(100)),
            ("e", Some("root"), 50, None),
            ("f", Some("root"), 900, Some(1)),
            ("starts-next", Some("third"), 1_000, Some(10)),
            ("is-next", Some("third"), 1_009, Some(10)),
        ]);
        let expected = [
            "before",
            "a.overlap",
            "other",
            "flat",
            "between",
            "d.overlap",
            "starts-next",
            "is-next",
        ];
        assert_eq!(top_level(&tree), expected);
        let expected = named(&[("a", 1), ("b", 2), ("c", 2)]);
        assert_eq!(below(&tree, "a.overlap"), expected, "a chain of overlaps");
        let expected = named(&[("d", 1), ("e", 2), ("f", 1)]);
        assert_eq!(
            below(&tree, "d.overlap"),
            expected,
            "an open step overlaps with all later ones"
        );
        assert_eq!(below(&tree, "d"), named(&[("inside", 1)]));
    }

    #[test]
    fn steps_with_different_parents_or_in_branches_get_no_fork() {
        let steps = vec![
            tree_step(("a", Some("one"), 0, Some(10))),
            tree_step(("b", Some("two"), 0, Some(10))),
            tree_step(("c", None, 0, Some(10))),
            tree_step(("own", Some("own"), 0, Some(10))),
            tree_step(("x", Some("y"), 0, Some(10))),
            tree_step(("y", Some("x"), 0, Some(10))),
            branch_step("d", "one"),
            branch_step("e", "one"),
        ];
        let tree = StepTree::new(steps);
        assert_eq!(top_level(&tree), ["a", "b", "c", "own", "x", "y"]);
        assert_eq!(tree.added_forks().count(), 0);
    }

    /// The added fork above steps with these statuses, as it is shown.
    fn fork_above_steps(below: &[(i64, Option<i64>, StepStatus)]) -> Step {
        let steps = below
            .iter()
            .enumerate()
            .map(|(number, (start, duration, status))| TreeStep {
                status: Some(*status),
                ..tree_step((&format!("s-{number}"), Some("root"), *start, *duration))
            });
        let tree = StepTree::new(steps.collect());
        let fork = tree.added_fork("s-0.overlap").expect("a fork");
        assert_eq!(tree.added_forks().count(), 1);
        let mut fork = Step::from_item(fork).expect("a step");
        tree.place(&mut fork);
        assert!(fork.is_added() && fork.has_branches());
        fork
    }

    #[test]
    fn an_added_fork_has_the_times_and_the_worst_status_of_its_steps() {
        use StepStatus::{Cancelled, Completed, Failed, Pending, Running};
        let fork = fork_above_steps(&[(5, Some(20), Completed), (5, Some(9), Cancelled)]);
        assert_eq!(fork.id(), Some("s-0.overlap"));
        assert_eq!(fork.step_name.as_deref(), Some("2 overlapping steps"));
        assert_eq!(fork.step_type.as_deref(), Some("PARALLEL_FORK_MANAGER"));
        assert_eq!(fork.status, Some(Completed));
        let start = fork.start_time().map(Timestamp::milliseconds);
        let end = fork.end_time.map(Timestamp::milliseconds);
        assert_eq!((start, end), (Some(START + 5), Some(START + 25)));
        assert_eq!(fork.duration_ms(), Some(20));

        let steps = [
            (0, Some(9), Completed),
            (0, Some(5), Failed),
            (2, Some(90), Completed),
        ];
        let fork = fork_above_steps(&steps);
        assert_eq!((fork.status, fork.duration_ms()), (Some(Failed), Some(92)));
        for open in [Running, Pending] {
            let fork = fork_above_steps(&[(0, Some(9), Failed), (0, None, open)]);
            assert_eq!((fork.status, fork.end_time), (Some(Running), None));
        }
    }

    #[test]
    fn the_id_of_an_added_fork_is_valid_and_unique() {
        let long = "x".repeat(128);
        let tree = tree(&[
            ("a", Some("root"), 0, Some(10)),
            ("a.overlap", Some("root"), 0, Some(10)),
            ("b", Some("a.overlap2"), 1, Some(10)),
            (&long, Some("third"), 2, Some(10)),
            ("z", Some("third"), 2, Some(10)),
            ("not an id", Some("fourth"), 4, Some(10)),
            ("z", Some("fourth"), 4, Some(10)),
        ]);
        let forks = tree.added_forks().filter_map(Step::from_item);
        let ids: Vec<_> = forks
            .filter_map(|fork| fork.id().map(str::to_owned))
            .collect();
        assert_eq!(ids.len(), 3);
        assert_eq!(ids[0], "a.overlap3");
        assert!(
            ids.iter()
                .all(|id| is_id(&format!("{id}.9999")) && may_be_added(id)),
            "{ids:?}"
        );
        assert_eq!(
            below(&tree, "a.overlap3"),
            named(&[("a", 1), ("a.overlap", 2)])
        );
        assert!(!may_be_added("a") && !may_be_added("a.overlap.1") && !may_be_added("overlap7"));
    }

    #[test]
    fn thousands_of_forks_with_equal_ids_are_named_quickly() {
        let count = 20_000;
        let pairs = (0..count).flat_map(|pair| {
            let first = ("a", Some("root"), pair * 10, Some(5));
            [first, ("b", Some("root"), pair * 10, Some(5))]
        });
        let began = std::time::Instant::now();
        let tree = StepTree::new(pairs.map(tree_step).collect());
        let ids: BTreeSet<_> = top_level(&tree).into_iter().collect();
        assert_eq!(ids.len(), count as usize);
        assert_eq!(below(&tree, "a.overlap20000"), named(&[("a", 1), ("b", 2)]));
        // A search through all earlier numbers for each fork would take minutes.
        assert!(began.elapsed().as_secs() < 10, "{:?}", began.elapsed());
    }

    #[test]
    fn a_fork_keeps_its_id_and_comes_before_its_steps() {
        let mut steps = vec![
            tree_step(("+a", Some("root"), 7, Some(10))),
            tree_step(("b", Some("root"), 7, Some(10))),
        ];
        let id_of = |steps: &[TreeStep]| top_level(&StepTree::new(steps.to_vec()));
        assert_eq!(id_of(&steps), ["+a.overlap"]);
        let first = StepTree::new(steps.clone()).added_forks().next();
        let sk = first.as_ref().and_then(keys::sort_key).map(str::to_owned);
        assert!(sk.is_some_and(
            |sk| *sk < *steps[0].sk && sk.starts_with("STEP#2026-02-17T10:30:00.007Z#")
        ));
        steps.push(tree_step(("c", Some("root"), 9, Some(10))));
        assert_eq!(id_of(&steps), ["+a.overlap"]);
    }

    proptest! {
        #[test]
        fn forks_are_above_steps_of_an_unknown_parent_that_started_together(steps in any_steps()) {
            let ids: BTreeSet<_> = steps.iter().filter_map(TreeStep::id).collect();
            let named: HashMap<_, _> = steps.iter().map(|step| (step.sk(), step.parent())).collect();
            let is_of_root = |sk: &str| {
                let parent = named[sk].filter(|_| sk.starts_with(keys::STEPS));
                parent.filter(|parent| !ids.contains(parent))
            };
            let tree = StepTree::new(steps.clone());
            // Of each unknown parent, the last top-level step without a fork: its start and end.
            let mut last: HashMap<&str, (Option<i64>, i64)> = HashMap::new();
            for (_, step) in tree.top_level() {
                let below: Vec<_> = match step.is_added() {
                    true => tree.below(step.id().unwrap_or_default()).map(|(_, step)| step).collect(),
                    false => vec![step],
                };
                let parents: BTreeSet<_> = below.iter().map(|step| is_of_root(step.sk())).collect();
                prop_assert_eq!(parents.len(), 1, "the steps of a fork have one parent");
                let Some(Some(parent)) = parents.into_iter().next() else {
                    prop_assert!(!step.is_added(), "only steps of the root get a fork");
                    continue;
                };
                prop_assert!(step.is_added() == (below.len() > 1));
                let (mut end, mut are_together) = (i64::MIN, false);
                for pair in below.windows(2) {
                    end = end.max(pair[0].end_ms.unwrap_or(i64::MAX));
                    prop_assert!(end > pair[1].start_ms.unwrap_or_default(), "{}", pair[1].sk());
                    are_together |= pair[0].start_ms == pair[1].start_ms;
                }
                prop_assert!(step.is_added() == are_together);
                // A step without a duration comes before the others with its start.
                if step.end_ms == step.start_ms {
                    continue;
                }
                let (start, end) = (step.start_ms, step.end_ms.unwrap_or(i64::MAX));
                if let Some((last_start, last_end)) = last.insert(parent, (start, end)) {
                    let overlap = last_end > start.unwrap_or_default();
                    prop_assert!(!(overlap && last_start == start), "{}", step.sk());
                }
            }
        }
    }
}
