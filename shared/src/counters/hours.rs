//! A stretch of time, cut at full hours: the inside is answered by counters,
//! the edges by reading.

use super::Hour;
use crate::model::TimeRange;

/// A part of one hour, as bounds of `createdAt`, both inclusive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// The hour.
    pub hour: Hour,
    /// The lowest `createdAt`; `None` without a lower bound.
    pub from: Option<String>,
    /// The highest `createdAt`; `None` without an upper bound.
    pub to: Option<String>,
}

/// Full hours, from the first to the last; open where one is absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FullHours {
    /// The first hour.
    pub first: Option<Hour>,
    /// The last hour.
    pub last: Option<Hour>,
}

impl FullHours {
    /// Whether the hour is one of them.
    pub fn contains(&self, hour: Hour) -> bool {
        self.first.is_none_or(|first| first <= hour) && self.last.is_none_or(|last| hour <= last)
    }

    /// Whether some of them are of the day that begins with this hour.
    pub fn has_hours_of_the_day(&self, first: Hour) -> bool {
        let last = Hour::of_day(&first.day(), 23).unwrap_or(first);
        self.first.is_none_or(|begin| begin <= last) && self.last.is_none_or(|end| first <= end)
    }
}

/// A stretch of time as full hours and the parts of hours beside them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// The hours that lie in it whole, if there are any.
    pub full: Option<FullHours>,
    /// At most one before them and one after.
    pub edges: Vec<Edge>,
}

impl Cut {
    /// Cuts a stretch of time.
    pub fn of(range: &TimeRange) -> Self {
        let (lowest, highest) = bounds(range);
        let begin = range
            .from()
            .map(|from| (Hour::at(from), is_hours_start(range)));
        let end = range.to().map(|to| (Hour::at(to), is_hours_end(range)));
        if let (Some((hour, starts)), Some((last, ends))) = (begin, end)
            && hour == last
            && !(starts && ends)
        {
            let edge = Edge {
                hour,
                from: lowest,
                to: highest,
            };
            return Self {
                full: None,
                edges: vec![edge],
            };
        }
        let mut edges = Vec::new();
        let mut is_empty = false;
        let first = begin.and_then(|(hour, starts)| {
            if starts {
                return Some(hour);
            }
            edges.push(Edge {
                hour,
                from: lowest,
                to: hour.highest(),
            });
            is_empty |= hour.next().is_none();
            hour.next()
        });
        let last = end.and_then(|(hour, ends)| {
            if ends {
                return Some(hour);
            }
            edges.push(Edge {
                hour,
                from: hour.lowest(),
                to: highest,
            });
            is_empty |= hour.previous().is_none();
            hour.previous()
        });
        is_empty |= matches!((first, last), (Some(first), Some(last)) if first > last);
        Self {
            full: (!is_empty).then_some(FullHours { first, last }),
            edges,
        }
    }
}

fn is_hours_start(range: &TimeRange) -> bool {
    range
        .from()
        .is_some_and(|from| Hour::at(from).start() == from)
}

fn is_hours_end(range: &TimeRange) -> bool {
    range.to().is_some_and(|to| Hour::at(to).end() == to)
}

/// A stretch of time as bounds of `createdAt`. Where it begins or ends with an
/// hour, they are the hour's own, so that what an index returns between them is
/// what the hour counts, also of texts that are no times.
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
    use crate::model::Timestamp;

    fn range(from: Option<&str>, to: Option<&str>) -> TimeRange {
        let moment = |text: &str| text.parse().expect("a time");
        TimeRange::new(from.map(moment), to.map(moment)).expect("in order")
    }

    fn hour(text: &str) -> Hour {
        Hour::of(text)
    }

    #[test]
    fn whole_hours_have_no_edges() {
        let day = range(
            Some("2026-02-17T00:00:00Z"),
            Some("2026-02-17T23:59:59.999Z"),
        );
        let cut = Cut::of(&day);
        assert_eq!(cut.edges, []);
        let full = cut.full.expect("hours");
        assert_eq!(full.first, Some(hour("2026-02-17T00")));
        assert_eq!(full.last, Some(hour("2026-02-17T23")));
    }

    #[test]
    fn a_stretch_within_an_hour_is_one_edge() {
        let cut = Cut::of(&range(
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
    fn two_edges_of_neighbouring_hours_have_nothing_between_them() {
        let cut = Cut::of(&range(
            Some("2026-02-17T10:10:00Z"),
            Some("2026-02-17T11:20:00Z"),
        ));
        assert_eq!(cut.full, None);
        assert_eq!(cut.edges.len(), 2);
    }

    #[test]
    fn the_first_and_the_last_hour_are_never_in_two_parts() {
        let late = Cut::of(&range(Some("9999-12-30T21:30:00Z"), None));
        assert_eq!((late.full, late.edges.len()), (None, 1));
        let early = Cut::of(&range(None, Some("0000-01-01T00:30:00Z")));
        assert_eq!((early.full, early.edges.len()), (None, 1));
    }

    proptest! {
        /// Every moment lies in the stretch exactly when it lies in one part.
        #[test]
        fn the_parts_are_the_whole(
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
            let cut = Cut::of(&range);
            let text = moment(base + at).to_string();
            let is_inside = from.is_none_or(|from| from <= base + at)
                && to.is_none_or(|to| base + at <= to);
            let in_full = cut.full.is_some_and(|full| full.contains(Hour::of(&text)));
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
