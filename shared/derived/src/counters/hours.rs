//! Splits a time range at full hours: counters cover the full hours, and runs are read for the
//! partial hours at the edges.

use format::model::TimeRange;

use super::Hour;

/// A part of one hour, as inclusive bounds of `createdAt`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// The hour.
    pub hour: Hour,
    /// The lowest `createdAt`; `None` without a lower bound.
    pub from: Option<String>,
    /// The highest `createdAt`; `None` without an upper bound.
    pub to: Option<String>,
}

/// A range of full hours. A bound that is `None` is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FullHours {
    /// The first hour.
    pub first: Option<Hour>,
    /// The last hour.
    pub last: Option<Hour>,
}

impl FullHours {
    /// Returns whether the hour is one of them.
    pub fn contains(&self, hour: Hour) -> bool {
        self.first.is_none_or(|first| first <= hour) && self.last.is_none_or(|last| hour <= last)
    }

    /// Returns whether it contains hours of the day that starts with this hour.
    pub fn has_hours_of_day(&self, first: Hour) -> bool {
        let last = Hour::of_day(&first.day(), 23).unwrap_or(first);
        self.first.is_none_or(|begin| begin <= last) && self.last.is_none_or(|end| first <= end)
    }
}

/// A time range, split into full hours and the partial hours before and after them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SplitRange {
    /// The full hours of the range, if any.
    pub full: Option<FullHours>,
    /// At most one partial hour before them and one after.
    pub edges: Vec<Edge>,
}

impl SplitRange {
    /// Splits a time range.
    pub fn new(range: &TimeRange) -> Self {
        if let Some(edge) = edge_within_hour(range) {
            return Self {
                full: None,
                edges: vec![edge],
            };
        }
        let (lowest, highest) = bounds(range);
        let before = range.from().filter(|_| !is_hours_start(range));
        let before = before.map(Hour::at).map(|hour| Edge {
            hour,
            from: lowest,
            to: hour.highest(),
        });
        let after = range.to().filter(|_| !is_hours_end(range));
        let after = after.map(Hour::at).map(|hour| Edge {
            hour,
            from: hour.lowest(),
            to: highest,
        });
        Self {
            full: full_hours(range),
            edges: before.into_iter().chain(after).collect(),
        }
    }
}

/// The full hours of a range; `None` if there are none.
fn full_hours(range: &TimeRange) -> Option<FullHours> {
    let first = match range.from().map(Hour::at) {
        Some(hour) if !is_hours_start(range) => Some(hour.next()?),
        hour => hour,
    };
    let last = match range.to().map(Hour::at) {
        Some(hour) if !is_hours_end(range) => Some(hour.previous()?),
        hour => hour,
    };
    let is_empty = matches!((first, last), (Some(first), Some(last)) if first > last);
    (!is_empty).then_some(FullHours { first, last })
}

/// The edge for a range that is a part of one hour; `None` for other ranges.
fn edge_within_hour(range: &TimeRange) -> Option<Edge> {
    let hour = Hour::at(range.from()?);
    let is_within = hour == Hour::at(range.to()?);
    let is_full = is_hours_start(range) && is_hours_end(range);
    let (from, to) = bounds(range);
    (is_within && !is_full).then_some(Edge { hour, from, to })
}

fn is_hours_start(range: &TimeRange) -> bool {
    range
        .from()
        .is_some_and(|from| Hour::at(from).start() == from)
}

fn is_hours_end(range: &TimeRange) -> bool {
    range.to().is_some_and(|to| Hour::at(to).end() == to)
}

/// The bounds of `createdAt` for a time range. If the range starts or ends with an hour, the bound
/// is the hour's own, so that an index returns exactly the records that the hour counts, even if
/// their `createdAt` is not a time.
pub fn bounds(range: &TimeRange) -> (Option<String>, Option<String>) {
    let lowest = range.from().and_then(|from| match is_hours_start(range) {
        true => Hour::at(from).lowest(),
        false => Some(from.to_string()),
    });
    let highest = range.to().and_then(|to| match is_hours_end(range) {
        true => Hour::at(to).highest(),
        false => Some(to.to_string()),
    });
    (lowest, highest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use format::model::Timestamp;

    fn range(from: Option<&str>, to: Option<&str>) -> TimeRange {
        let moment = |text: &str| text.parse().expect("a time");
        TimeRange::new(from.map(moment), to.map(moment)).expect("in order")
    }

    fn hour(text: &str) -> Hour {
        Hour::from_created_at(text)
    }

    #[test]
    fn whole_hours_have_no_edges() {
        let day = range(
            Some("2026-02-17T00:00:00Z"),
            Some("2026-02-17T23:59:59.999Z"),
        );
        let cut = SplitRange::new(&day);
        assert_eq!(cut.edges, []);
        let full = cut.full.expect("hours");
        assert_eq!(full.first, Some(hour("2026-02-17T00")));
        assert_eq!(full.last, Some(hour("2026-02-17T23")));
    }

    #[test]
    fn a_range_within_an_hour_is_one_edge() {
        let cut = SplitRange::new(&range(
            Some("2026-02-17T10:10:00Z"),
            Some("2026-02-17T10:20:00Z"),
        ));
        assert_eq!(cut.full, None);
        assert_eq!(cut.edges.len(), 1);
        assert_eq!(
            cut.edges[0].from.as_deref(),
            Some("2026-02-17T10:10:00.000Z")
        );
        assert_eq!(cut.edges[0].to.as_deref(), Some("2026-02-17T10:20:00.000Z"));
    }

    #[test]
    fn two_partial_neighbouring_hours_have_no_full_hours() {
        let cut = SplitRange::new(&range(
            Some("2026-02-17T10:10:00Z"),
            Some("2026-02-17T11:20:00Z"),
        ));
        assert_eq!(cut.full, None);
        assert_eq!(cut.edges.len(), 2);
    }

    #[test]
    fn a_partial_first_or_last_hour_is_one_edge() {
        let late = SplitRange::new(&range(Some("9999-12-30T21:30:00Z"), None));
        assert_eq!((late.full, late.edges.len()), (None, 1));
        let early = SplitRange::new(&range(None, Some("0000-01-01T00:30:00Z")));
        assert_eq!((early.full, early.edges.len()), (None, 1));
    }

    proptest! {
        /// A moment is in the range exactly if it is in one of the parts.
        #[test]
        fn each_moment_of_a_range_is_in_exactly_one_part(
            from in proptest::option::of(0_i64..20_000_000),
            length in proptest::option::of(0_i64..20_000_000),
            on_the_hour: bool,
            at in -5_000_000_i64..45_000_000,
        ) {
            let base = 1_771_324_200_000;
            let round = |n: i64| if on_the_hour { n.div_euclid(3_600_000) * 3_600_000 } else { n };
            let from = from.map(|from| round(base + from));
            let to = length.map(|length| match on_the_hour {
                true => round(from.unwrap_or(base) + length) + 3_599_999,
                false => from.unwrap_or(base) + length,
            });
            let moment = |n: i64| Timestamp::from_milliseconds(n).expect("in range");
            let range = TimeRange::new(from.map(moment), to.map(moment)).expect("in order");
            let cut = SplitRange::new(&range);
            let text = moment(base + at).to_string();
            let is_inside = from.is_none_or(|from| from <= base + at)
                && to.is_none_or(|to| base + at <= to);
            let in_full = cut.full.is_some_and(|full| full.contains(Hour::from_created_at(&text)));
            let in_edges = cut.edges.iter().filter(|edge| {
                edge.from.as_ref().is_none_or(|from| *from <= text)
                    && edge.to.as_ref().is_none_or(|to| text <= *to)
            });
            prop_assert_eq!(usize::from(in_full) + in_edges.count(), usize::from(is_inside));
            let (lowest, highest) = bounds(&range);
            let is_between = lowest.is_none_or(|from| from <= text)
                && highest.is_none_or(|to| text <= to);
            prop_assert_eq!(is_between, is_inside);
        }
    }
}
