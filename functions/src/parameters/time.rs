//! Parameters that are times.

use serde_json::json;
use shared::model::{TimeRange, Timestamp};

use super::kinds::{number, query};
use super::{Group, Parameter, Parameters, invalid};

/// The number of days that a request looks back by default.
pub const DEFAULT_DAYS: u64 = 30;

/// The largest number of days that a request looks back: ten years.
pub const MAX_DAYS: u64 = 3_660;

const HOUR_MS: i64 = 3_600 * 1_000;

const DAY_MS: i64 = 24 * HOUR_MS;

/// Declares a time range. Each limit is optional and inclusive: a time in RFC 3339 with any offset,
/// or a date in UTC. A date as the end means the end of that day.
pub(crate) fn time_range(from: &'static str, to: &'static str) -> Parameters<TimeRange> {
    let mut group = Group::default();
    let first = group.add(
        limit(from, Timestamp::first_of)
            .about("The start of the time range, inclusive.")
            .example("2024-01-01"),
    );
    let last = group.add(
        limit(to, Timestamp::last_of)
            .about(format!(
                "The end of the time range, inclusive. It must not be before `{from}`."
            ))
            .example("2026-02-17T10:30:00.000Z"),
    );
    group.reads(move |request| {
        TimeRange::new(first(request)?, last(request)?)
            .ok_or_else(|| invalid(from, format!("It must not be after the parameter {to}.")))
    })
}

fn limit(name: &'static str, parse: fn(&str) -> Option<Timestamp>) -> Parameter<Option<Timestamp>> {
    let schema = json!({"anyOf": [
        {"type": "string", "format": "date-time"},
        {"type": "string", "format": "date"},
    ]});
    query(name, schema, move |value| {
        parse(&with_plus(value)).ok_or_else(|| {
            "Use a date or a time in RFC 3339, such as 2026-02-17 or 2026-02-17T10:30:00.000Z."
                .to_owned()
        })
    })
}

/// Declares a time in RFC 3339 with any offset.
pub(crate) fn timestamp(name: &'static str) -> Parameter<Option<Timestamp>> {
    let schema = json!({"type": "string", "format": "date-time"});
    let parse = |value: &str| {
        let time = with_plus(value).parse();
        time.map_err(|_| "Use a time in RFC 3339, such as 2026-02-17T10:30:00.000Z.".to_owned())
    };
    query(name, schema, parse).example("2026-02-17T10:30:00.050Z")
}

/// An unencoded plus sign in a query is a space. Callers often forget to write %2B in an offset
/// such as +01:00.
fn with_plus(time: &str) -> String {
    time.replace(' ', "+")
}

/// Declares `days`, from 1 to [`MAX_DAYS`], for [`DaysBack::new`]. `from` is the name of the
/// parameter with the start of the range.
pub(crate) fn days(from: &'static str) -> Parameter<Option<u64>> {
    number("days", 1, MAX_DAYS)
        .described_default(DEFAULT_DAYS)
        .about(format!(
            "The number of days to look back, from the end of the time range or from now. With \
             `{from}` it is ignored."
        ))
}

/// The time range of a request that looks back.
pub(crate) struct DaysBack {
    /// The time range that is applied.
    pub(crate) created: TimeRange,
    /// The number of days. `None` if the request has a start.
    pub(crate) days: Option<u64>,
    /// The limits in the request.
    pub(crate) named: TimeRange,
}

impl DaysBack {
    /// Applies the limits in the request. Without a start, the range begins `days` before the end,
    /// or before now.
    pub(crate) fn new(named: TimeRange, days: Option<u64>) -> Self {
        let days = named.from().is_none().then(|| days.unwrap_or(DEFAULT_DAYS));
        Self {
            created: days.map_or(named, |days| back(days, named.to())),
            days,
            named,
        }
    }
}

/// The time range of `days` days before `end`. Without an end, it begins with the full hour that
/// many days ago, so that the counters cover all of it, even if an hour has many runs.
pub fn back(days: u64, end: Option<Timestamp>) -> TimeRange {
    let before = |end: Timestamp| end.milliseconds() - days as i64 * DAY_MS;
    let from = match end {
        // The range excludes the moment that many days ago. Otherwise, with a date as the end,
        // it would begin on an additional day.
        Some(end) => before(end) + 1,
        None => before(Timestamp::now()).div_euclid(HOUR_MS) * HOUR_MS,
    };
    TimeRange::new(Timestamp::from_milliseconds(from), end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_without_an_end_begin_with_a_full_hour() {
        let before = Timestamp::now().milliseconds() - 30 * DAY_MS;
        let from = back(30, None).from().expect("a beginning").milliseconds();
        let after = Timestamp::now().milliseconds() - 30 * DAY_MS;
        assert_eq!(from % HOUR_MS, 0);
        assert!(from <= after && before - from < HOUR_MS, "{before} {from}");
    }

    #[test]
    fn days_before_an_end_are_exact_to_the_millisecond() {
        let end = "2026-02-17T10:30:00.000Z".parse().expect("a time");
        let time = back(1, Some(end));
        let from = time.from().expect("a beginning").to_string();
        assert_eq!(from, "2026-02-16T10:30:00.001Z");
        assert_eq!(time.to(), Some(end));
    }
}
