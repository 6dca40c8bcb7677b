//! Where each span of a trace stands in its run: a pure function of the spans.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::SpanId;

/// What of a span decides where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) parent_id: Option<SpanId>,
    pub(super) start_ns: u64,
    pub(super) end_ns: u64,
    /// Whether its program says that it is the run.
    pub(super) is_marked: bool,
}

/// Where a span stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seat {
    /// It is the run itself.
    Run,
    /// It is one of the run's own steps.
    TopLevel,
    /// It is a step below another, in one of its lanes, which count from 1.
    Lane { fork: SpanId, lane: usize },
}

/// A span in its run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Placement {
    pub(super) seat: Seat,
    /// Whether others stand below it.
    pub(super) is_fork: bool,
    /// Its place among the steps beside it, from 1.
    pub(super) sequence_number: u64,
}

/// All spans in their run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Layout {
    /// The span that is the run, if it is among them.
    pub(super) run: Option<SpanId>,
    pub(super) placements: BTreeMap<SpanId, Placement>,
}

/// Lays out the spans of a trace.
///
/// The run is the earliest span that is marked as one, else the earliest without a
/// parent. What hangs below the run, below nothing that is known, or in a circle, is a
/// step of the run. A span with others below it is a fork, and they stand in as many
/// lanes as overlap.
pub(super) fn lay_out(nodes: &BTreeMap<SpanId, Node>) -> Layout {
    let run = run_of(nodes);
    let circles = circles_of(nodes);
    let mut children: BTreeMap<Option<SpanId>, Vec<SpanId>> = BTreeMap::new();
    for (id, node) in nodes {
        if Some(*id) == run {
            continue;
        }
        let is_step = |parent: &SpanId| nodes.contains_key(parent) && Some(*parent) != run;
        let parent = node.parent_id.filter(is_step);
        let parent = parent.filter(|_| !circles.contains(id));
        children.entry(parent).or_default().push(*id);
    }
    let mut layout = Layout {
        run,
        placements: BTreeMap::new(),
    };
    if let Some(run) = run {
        layout.place(run, Seat::Run, 0);
    }
    for (parent, mut siblings) in children {
        siblings.sort_by_key(|id| (nodes[id].start_ns, *id));
        match parent {
            None => layout.place_in_a_row(&siblings),
            Some(fork) => layout.place_in_lanes(fork, &siblings, nodes),
        }
    }
    layout.mark_forks();
    layout
}

impl Layout {
    fn place(&mut self, id: SpanId, seat: Seat, sequence_number: u64) {
        let placement = Placement {
            seat,
            is_fork: false,
            sequence_number,
        };
        self.placements.insert(id, placement);
    }

    fn place_in_a_row(&mut self, siblings: &[SpanId]) {
        for (number, id) in (1..).zip(siblings) {
            self.place(*id, Seat::TopLevel, number);
        }
    }

    /// Puts each into the first lane whose last step has ended by then.
    fn place_in_lanes(
        &mut self,
        fork: SpanId,
        siblings: &[SpanId],
        nodes: &BTreeMap<SpanId, Node>,
    ) {
        /// The end of a lane's last step, and how many steps it has.
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
            self.place(*id, Seat::Lane { fork, lane }, steps);
        }
    }

    fn mark_forks(&mut self) {
        let seats = self.placements.values();
        let forks: BTreeSet<SpanId> = seats
            .filter_map(|placement| match placement.seat {
                Seat::Lane { fork, .. } => Some(fork),
                Seat::Run | Seat::TopLevel => None,
            })
            .collect();
        for (id, placement) in &mut self.placements {
            placement.is_fork = forks.contains(id);
        }
    }
}

fn run_of(nodes: &BTreeMap<SpanId, Node>) -> Option<SpanId> {
    let candidates = nodes
        .iter()
        .filter(|(_, node)| node.is_marked || node.parent_id.is_none());
    let first = candidates.min_by_key(|(id, node)| (!node.is_marked, node.start_ns, **id));
    first.map(|(id, _)| *id)
}

/// The spans that are below themselves.
fn circles_of(nodes: &BTreeMap<SpanId, Node>) -> BTreeSet<SpanId> {
    let mut circles = BTreeSet::new();
    // Which walk has met a span first.
    let mut met: HashMap<SpanId, SpanId> = HashMap::new();
    let parent_of = |id: SpanId| nodes.get(&id).and_then(|node| node.parent_id);
    for start in nodes.keys() {
        let mut next = Some(*start);
        while let Some(id) = next.filter(|id| nodes.contains_key(id)) {
            match met.insert(id, *start) {
                None => next = parent_of(id),
                // Met by this very walk: a circle that is new.
                Some(walk) if walk == *start => {
                    let mut member = id;
                    while circles.insert(member) {
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
    circles
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(number: u8) -> SpanId {
        SpanId::of(&[0, 0, 0, 0, 0, 0, 1, number]).expect("an id")
    }

    /// Spans by their numbers: parent, start, end.
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

    fn outline(nodes: &BTreeMap<SpanId, Node>) -> Vec<(u8, Seat, bool, u64)> {
        let layout = lay_out(nodes);
        let number = |id: &SpanId| id.0[7];
        let line =
            |(id, it): (&SpanId, &Placement)| (number(id), it.seat, it.is_fork, it.sequence_number);
        layout.placements.iter().map(line).collect()
    }

    fn lane(fork: u8, lane: usize) -> Seat {
        Seat::Lane {
            fork: id(fork),
            lane,
        }
    }

    #[test]
    fn children_of_the_run_are_its_steps_and_what_overlaps_below_stands_in_lanes() {
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
                (1, Seat::Run, false, 0),
                (2, Seat::TopLevel, false, 2),
                (3, Seat::TopLevel, true, 1),
                (4, lane(3, 1), false, 1),
                (5, lane(3, 2), false, 1),
                (6, lane(3, 1), false, 2),
                (7, lane(3, 1), true, 3),
                (8, lane(7, 1), false, 1),
            ]
        );
    }

    #[test]
    fn without_a_run_steps_wait_and_what_hangs_in_the_air_is_top_level() {
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
                (2, Seat::TopLevel, true, 4),
                (3, lane(2, 1), false, 1),
                (4, Seat::TopLevel, false, 1),
                (5, Seat::TopLevel, true, 2),
                (6, lane(5, 1), false, 1),
                (7, Seat::TopLevel, false, 3),
            ]
        );
    }

    #[test]
    fn of_several_roots_the_earliest_is_the_run_and_a_marked_one_goes_before_it() {
        let mut nodes = trace(&[
            (3, None, 5, 9),
            (2, None, 5, 9),
            (4, Some(3), 6, 7),
            (5, Some(4), 6, 7),
        ]);
        assert_eq!(lay_out(&nodes).run, Some(id(2)));
        nodes.get_mut(&id(4)).expect("there").is_marked = true;
        assert_eq!(
            outline(&nodes),
            [
                (2, Seat::TopLevel, false, 1),
                (3, Seat::TopLevel, false, 2),
                (4, Seat::Run, false, 0),
                (5, Seat::TopLevel, false, 3),
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
        fn each_span_stands_once_below_what_is_no_circle_and_lanes_do_not_overlap(
            nodes in any_trace()
        ) {
            let layout = lay_out(&nodes);
            prop_assert!(layout.placements.keys().eq(nodes.keys()));
            let mut lanes: BTreeMap<(SpanId, usize), Vec<Node>> = BTreeMap::new();
            for (id, placement) in &layout.placements {
                if let Seat::Lane { fork, lane } = placement.seat {
                    lanes.entry((fork, lane)).or_default().push(nodes[id]);
                    prop_assert_eq!(nodes[id].parent_id, Some(fork));
                    prop_assert!(layout.placements[&fork].is_fork);
                }
                // From every step a way up ends at the top.
                let (mut above, mut steps) = (*id, 0);
                while let Seat::Lane { fork, .. } = layout.placements[&above].seat {
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
