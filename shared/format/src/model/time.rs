//! Points in time and time ranges.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The length of a date, `2026-02-17`.
const DATE_LENGTH: usize = 10;
/// 9999-12-30T21:59:59.999Z, the last time that calculations support. Later times of the year 9999
/// are replaced with it, because callers use them for "no upper bound".
const LAST_MS: i64 = 253_402_207_199_999;
/// The length of a time in the record format.
const TIME_LENGTH: usize = 24;

/// A point in time in UTC, with a precision of one millisecond.
///
/// It is written as RFC 3339 with exactly three fractional digits (`2026-02-17T10:30:00.000Z`, 24
/// characters), so that texts have the order of their times. It is parsed from any RFC 3339 text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(jiff::Timestamp);

impl Timestamp {
    /// The current time of this machine's clock.
    pub fn now() -> Self {
        let now = jiff::Timestamp::now();
        // Truncated to milliseconds, so that it equals its text.
        Self::from_milliseconds(now.as_millisecond()).unwrap_or(Self(now))
    }

    /// Converts milliseconds since 1970-01-01. Returns `None` outside the years -9999 to 9999.
    pub fn from_milliseconds(milliseconds: i64) -> Option<Self> {
        jiff::Timestamp::from_millisecond(milliseconds)
            .ok()
            .map(Self)
    }

    /// Milliseconds since 1970-01-01.
    pub fn milliseconds(self) -> i64 {
        self.0.as_millisecond()
    }

    /// Parses a lower bound from a caller: RFC 3339 with any offset, or a date, which means its
    /// midnight in UTC. Returns `None` for any other text, and outside the years 0 to 9999, which
    /// the record format does not support.
    pub fn first_of(text: &str) -> Option<Self> {
        if let Ok(date) = text.parse::<jiff::civil::Date>()
            && text.len() == DATE_LENGTH
        {
            let midnight = date.to_zoned(jiff::tz::TimeZone::UTC);
            let midnight = midnight.map(|midnight| midnight.timestamp().as_millisecond());
            return Self::from_milliseconds(midnight.unwrap_or(LAST_MS))?.within_the_format();
        }
        let moment: jiff::Timestamp = text.parse().ok()?;
        let whole = jiff::Timestamp::from_millisecond(moment.as_millisecond()).ok()?;
        let is_rounded_down = whole < moment;
        Self::from_milliseconds(whole.as_millisecond() + i64::from(is_rounded_down))?
            .within_the_format()
    }

    /// Parses an upper bound from a caller, like [`Self::first_of`], except that a date means the
    /// end of that day.
    pub fn last_of(text: &str) -> Option<Self> {
        const DAY_MS: i64 = 24 * 3_600 * 1_000;
        if text.len() == DATE_LENGTH {
            let midnight = Self::first_of(text)?;
            let end = (midnight.milliseconds() + DAY_MS - 1).min(LAST_MS);
            return Self::from_milliseconds(end)?.within_the_format();
        }
        text.parse::<Self>().ok()?.within_the_format()
    }

    fn within_the_format(self) -> Option<Self> {
        // A year before 0 is written with a sign and six digits.
        (self.to_string().len() == TIME_LENGTH).then_some(self)
    }

    /// This time plus some seconds. `None` after the year 9999.
    pub fn plus_seconds(self, seconds: u32) -> Option<Self> {
        Self::from_milliseconds(self.milliseconds() + i64::from(seconds) * 1_000)
    }

    /// Whole seconds since 1970-01-01, the unit of `expiresAt`.
    pub fn seconds(self) -> i64 {
        self.0.as_second()
    }
}

/// A time range with inclusive bounds. An absent bound is open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TimeRange {
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

impl TimeRange {
    /// Creates a time range. Returns `None` if `from` is after `to`.
    pub fn new(from: Option<Timestamp>, to: Option<Timestamp>) -> Option<Self> {
        match (from, to) {
            (Some(from), Some(to)) if from > to => None,
            _ => Some(Self { from, to }),
        }
    }

    /// The lower bound, if any.
    pub fn from(&self) -> Option<Timestamp> {
        self.from
    }

    /// The upper bound, if any.
    pub fn to(&self) -> Option<Timestamp> {
        self.to
    }
}

impl FromStr for Timestamp {
    type Err = jiff::Error;

    /// Parses RFC 3339 with any offset and precision. Fractions of a millisecond are dropped.
    fn from_str(text: &str) -> Result<Self, jiff::Error> {
        let moment: jiff::Timestamp = text.parse()?;
        jiff::Timestamp::from_millisecond(moment.as_millisecond()).map(Self)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:.3}", self.0)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
