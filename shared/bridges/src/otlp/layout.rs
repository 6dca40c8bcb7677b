//! Computes the position of each span of a trace in its run, as a pure function of the
//! spans.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::SpanId;

/// The properties of a span that determine its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) parent_id: Option<SpanId>,
    pub(super) start_ns: u64,
    pub(super) end_ns: u64,
    /// Whether the program has marked the span as the run.
    pub(super) is_marked: bool,
}

/// The position of a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Location {
    /// The span is the run itself.
    Run,
    /// The span is a top-level step of the run.
    TopLevel,
    /// The span is a step below a fork, in one of its lanes, which are numbered from 1.
    Lane { fork: SpanId, lane: usize },
}

/// The result for one span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Placement {
    pub(super) location: Location,
    /// Whether other spans are below it.
    pub(super) is_fork: bool,
    /// Its number among its siblings in the same lane or at the top level, from 1.
    pub(super) sequence_number: u64,
}

/// The positions of all spans of a trace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Layout {
    /// The span that is the run, if there is one.
    pub(super) run: Option<SpanId>,
    pub(super) placements: BTreeMap<SpanId, Placement>,
}

/// Lays out the spans of a trace.
///
/// The run is the earliest span that is marked as the run, or else the earliest span
/// without a parent. Spans below the run, below an unknown parent or in a cycle are
/// top-level steps. A span with others below it is a fork. Its children are divided into
/// lanes, so that no two overlap within a lane.
pub(super) fn lay_out(nodes: &BTreeMap<SpanId, Node>) -> Layout {
    let run = find_run(nodes);
    let cycles = find_cycles(nodes);
    let mut children: BTreeMap<Option<SpanId>, Vec<SpanId>> = BTreeMap::new();
    for (id, node) in nodes {
        if Some(*id) == run {
            continue;
        }
        let is_step = |parent: &SpanId| nodes.contains_key(parent) && Some(*parent) != run;
        let parent = node.parent_id.filter(is_step);
        let parent = parent.filter(|_| !cycles.contains(id));
        children.entry(parent).or_default().push(*id);
    }
    let mut layout = Layout {
        run,
        placements: BTreeMap::new(),
    };
    if let Some(run) = run {
        layout.place(run, Location::Run, 0);
    }
    for (parent, mut siblings) in children {
        siblings.sort_by_key(|id| (nodes[id].start_ns, *id));
        match parent {
            None => layout.place_at_top_level(&siblings),
            Some(fork) => layout.place_in_lanes(fork, &siblings, nodes),
        }
    }
    layout.mark_forks();
    layout
}

impl Layout {
    fn place(&mut self, id: SpanId, location: Location, sequence_number: u64) {
        let placement = Placement {
            location,
            is_fork: false,
            sequence_number,
        };
        self.placements.insert(id, placement);
    }

    fn place_at_top_level(&mut self, siblings: &[SpanId]) {
        for (number, id) in (1..).zip(siblings) {
            self.place(*id, Location::TopLevel, number);
        }
    }

    /// Puts each span into the first lane whose last step has ended before the span starts.
    fn place_in_lanes(
        &mut self,
        fork: SpanId,
        siblings: &[SpanId],
        nodes: &BTreeMap<SpanId, Node>,
    ) {
        /// The end of a lane's last step, and the number of its steps.
        struct Lane {
            end_ns: u64,
            steps: u64,
        }
        let mut lanes: Vec<Lane> = Vec::new();
        for id in siblings {
            let node = nodes[id];
            let free = lanes.iter().position(|lane| lane.end_ns <= node.start_ns);
            let position = free.unwrap_or(lanes.len());
            if position == lanes.len() {
                lanes.push(Lane {
                    end_ns: 0,
                    steps: 0,
                });
            }
            let lane = &mut lanes[position];
            lane.end_ns = node.end_ns;
            lane.steps += 1;
            let steps = lane.steps;
            let lane = position + 1;
            self.place(*id, Location::Lane { fork, lane }, steps);
        }
    }

    fn mark_forks(&mut self) {
        let seats = self.placements.values();
        let forks: BTreeSet<SpanId> = seats
            .filter_map(|placement| match placement.location {
                Location::Lane { fork, .. } => Some(fork),
                Location::Run | Location::TopLevel => None,
            })
            .collect();
        for (id, placement) in &mut self.placements {
            placement.is_fork = forks.contains(id);
        }
    }
}

fn find_run(nodes: &BTreeMap<SpanId, Node>) -> Option<SpanId> {
    let candidates = nodes
        .iter()
        .filter(|(_, node)| node.is_marked || node.parent_id.is_none());
    let first = candidates.min_by_key(|(id, node)| (!node.is_marked, node.start_ns, **id));
    first.map(|(id, _)| *id)
}

/// Returns the spans that are their own ancestors.
fn find_cycles(nodes: &BTreeMap<SpanId, Node>) -> BTreeSet<SpanId> {
    let mut cycles = BTreeSet::new();
    // The start of the walk that reached a span first.
    let mut met: HashMap<SpanId, SpanId> = HashMap::new();
    let parent_of = |id: SpanId| nodes.get(&id).and_then(|node| node.parent_id);
    for start in nodes.keys() {
        let mut next = Some(*start);
        while let Some(id) = next.filter(|id| nodes.contains_key(id)) {
            match met.insert(id, *start) {
                None => next = parent_of(id),
                // Reached again by the same walk: this is a new cycle.
                Some(walk) if walk == *start => {
                    let mut member = id;
                    while cycles.insert(member) {
                        let Some(parent) = parent_of(member) else {
                            break;
                        };
                        member = parent;
                    }
                    break;
                }
                Some(_) => break,
            }
        }
    }
    cycles
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(number: u8) -> SpanId {
        SpanId::from_bytes(&[0, 0, 0, 0, 0, 0, 1, number]).expect("an id")
    }

    /// Creates spans from their numbers: parent, start, end.
    fn trace(spans: &[(u8, Option<u8>, u64, u64)]) -> BTreeMap<SpanId, Node> {
        let node = |(number, parent, start_ns, end_ns): &(u8, Option<u8>, u64, u64)| {
            let node = Node {
                parent_id: parent.map(id),
                start_ns: *start_ns,
                end_ns: *end_ns,
                is_marked: false,
            };
            (id(*number), node)
        };
        spans.iter().map(node).collect()
    }

    fn outline(nodes: &BTreeMap<SpanId, Node>) -> Vec<(u8, Location, bool, u64)> {
        let layout = lay_out(nodes);
        let number = |id: &SpanId| id.0[7];
        let line = |(id, it): (&SpanId, &Placement)| {
            (number(id), it.location, it.is_fork, it.sequence_number)
        };
        layout.placements.iter().map(line).collect()
    }

    fn lane(fork: u8, lane: usize) -> Location {
        Location::Lane {
            fork: id(fork),
            lane,
        }
    }

    #[test]
    fn children_are_steps_and_overlapping_ones_are_in_lanes() {
        let nodes = trace(&[
            (1, None, 0, 100),
            (2, Some(1), 10, 20),
            (3, Some(1), 5, 90),
            (4, Some(3), 10, 20),
            (5, Some(3), 15, 30),
            (6, Some(3), 20, 25),
            (7, Some(3), 26, 28),
            (8, Some(7), 27, 28),
        ]);
        assert_eq!(
            outline(&nodes),
            [
                (1, Location::Run, false, 0),
                (2, Location::TopLevel, false, 2),
                (3, Location::TopLevel, true, 1),
                (4, lane(3, 1), false, 1),
                (5, lane(3, 2), false, 1),
                (6, lane(3, 1), false, 2),
                (7, lane(3, 1), true, 3),
                (8, lane(7, 1), false, 1),
            ]
        );
    }

    #[test]
    fn orphans_and_cycles_are_top_level_without_a_run() {
        let nodes = trace(&[
            (2, Some(1), 10, 20),
            (3, Some(2), 12, 15),
            (4, Some(5), 1, 2),
            (5, Some(4), 3, 4),
            (6, Some(5), 3, 4),
            (7, Some(7), 9, 9),
        ]);
        assert_eq!(lay_out(&nodes).run, None);
        assert_eq!(
            outline(&nodes),
            [
                (2, Location::TopLevel, true, 4),
                (3, lane(2, 1), false, 1),
                (4, Location::TopLevel, false, 1),
                (5, Location::TopLevel, true, 2),
                (6, lane(5, 1), false, 1),
                (7, Location::TopLevel, false, 3),
            ]
        );
    }

    #[test]
    fn the_run_is_a_marked_span_or_else_the_earliest_root() {
        let mut nodes = trace(&[
            (3, None, 5, 9),
            (2, None, 5, 9),
            (4, Some(3), 6, 7),
            (5, Some(4), 6, 7),
        ]);
        assert_eq!(lay_out(&nodes).run, Some(id(2)));
        nodes.get_mut(&id(4)).expect("a span").is_marked = true;
        assert_eq!(
            outline(&nodes),
            [
                (2, Location::TopLevel, false, 1),
                (3, Location::TopLevel, false, 2),
                (4, Location::Run, false, 0),
                (5, Location::TopLevel, false, 3),
            ]
        );
    }

    fn any_trace() -> impl Strategy<Value = BTreeMap<SpanId, Node>> {
        let span = (1_u8..20, prop::option::of(1_u8..20), 0_u64..30, 0_u64..10);
        let node = |(number, parent, start_ns, length): (u8, Option<u8>, u64, u64)| {
            let node = Node {
                parent_id: parent.map(id),
                start_ns,
                end_ns: start_ns + length,
                is_marked: number == 19,
            };
            (id(number), node)
        };
        prop::collection::vec(span.prop_map(node), 0..20)
            .prop_map(|nodes| nodes.into_iter().collect())
    }

    proptest! {
        #[test]
        fn each_span_has_one_position_and_lanes_do_not_overlap(
            nodes in any_trace()
        ) {
            let layout = lay_out(&nodes);
            prop_assert!(layout.placements.keys().eq(nodes.keys()));
            let mut lanes: BTreeMap<(SpanId, usize), Vec<Node>> = BTreeMap::new();
            for (id, placement) in &layout.placements {
                if let Location::Lane { fork, lane } = placement.location {
                    lanes.entry((fork, lane)).or_default().push(nodes[id]);
                    prop_assert_eq!(nodes[id].parent_id, Some(fork));
                    prop_assert!(layout.placements[&fork].is_fork);
                }
                // The way up from every step ends at the top level.
                let (mut above, mut steps) = (*id, 0);
                while let Location::Lane { fork, .. } = layout.placements[&above].location {
                    (above, steps) = (fork, steps + 1);
                    prop_assert!(steps <= nodes.len());
                }
            }
            for lane in lanes.values_mut() {
                lane.sort_by_key(|node| (node.start_ns, node.end_ns));
                for pair in lane.windows(2) {
                    prop_assert!(pair[0].end_ns <= pair[1].start_ns);
                }
            }
        }
    }
}
