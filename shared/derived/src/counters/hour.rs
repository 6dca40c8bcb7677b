//! The hours by which runs are counted.

use format::keys::LAST;
use format::model::Timestamp;

const HOUR_MS: i64 = 3_600 * 1_000;

/// The length of an hour's text, `2026-02-17T10`.
const LENGTH: usize = "2026-02-17T10".len();

/// The length of a day's text.
const DAY_LENGTH: usize = "2026-02-17".len();

/// One hour of UTC, by its number since 1970-01-01.
///
/// Every text in `createdAt` belongs to one hour, even if it is not a time: to the last hour whose
/// text is not greater. So the order of the hours is the order of the indexes, and an hour is a
/// range of each index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hour(i64);

impl Hour {
    /// The first hour of the year 0.
    pub const FIRST: Self = Self(-17_268_672);
    /// The last hour of the year 9999 that calculations support.
    pub const LAST: Self = Self(70_389_501);

    /// The hour of a `createdAt`.
    pub fn from_created_at(created_at: &str) -> Self {
        if let Some(hour) = created_at.get(..LENGTH).and_then(Self::parse) {
            return hour;
        }
        // The text is not a time. Search the last hour whose text is not greater.
        let (mut low, mut high) = (Self::FIRST.0, Self::LAST.0);
        while low < high {
            let middle = low + (high - low + 1) / 2;
            if Self(middle).text().as_str() <= created_at {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        Self(low)
    }

    /// The hour of a point in time.
    pub fn at(moment: Timestamp) -> Self {
        let number = moment.milliseconds().div_euclid(HOUR_MS);
        Self(number.clamp(Self::FIRST.0, Self::LAST.0))
    }

    /// The hour with this number on a day. `None` if there is no such hour.
    pub fn of_day(day: &str, hour: u8) -> Option<Self> {
        Self::parse(&format!("{day}T{hour:02}"))
    }

    fn parse(text: &str) -> Option<Self> {
        let moment: Timestamp = format!("{text}:00:00Z").parse().ok()?;
        let hour = Self(moment.milliseconds().div_euclid(HOUR_MS));
        let is_within = (Self::FIRST..=Self::LAST).contains(&hour);
        (is_within && hour.text() == text).then_some(hour)
    }

    /// The text of the hour, such as `2026-02-17T10`.
    pub fn text(self) -> String {
        let mut text = self.start().to_string();
        text.truncate(LENGTH);
        text
    }

    /// The day of the hour, such as `2026-02-17`.
    pub fn day(self) -> String {
        let mut text = self.text();
        text.truncate(DAY_LENGTH);
        text
    }

    /// The number of the hour in its day, 0 to 23.
    pub fn hour_of_day(self) -> u8 {
        self.0.rem_euclid(24) as u8
    }

    /// The first moment of the hour.
    pub fn start(self) -> Timestamp {
        // Within the bounds of the type, every hour is a valid time.
        Timestamp::from_milliseconds(self.0 * HOUR_MS).unwrap_or_else(Timestamp::now)
    }

    /// The last moment of the hour.
    pub fn end(self) -> Timestamp {
        let end = self.0 * HOUR_MS + HOUR_MS - 1;
        Timestamp::from_milliseconds(end).unwrap_or_else(Timestamp::now)
    }

    /// The next hour. `None` after the last one.
    pub fn next(self) -> Option<Self> {
        (self < Self::LAST).then(|| Self(self.0 + 1))
    }

    /// The previous hour. `None` before the first one.
    pub fn previous(self) -> Option<Self> {
        (self > Self::FIRST).then(|| Self(self.0 - 1))
    }

    /// The lowest `createdAt` of the hour. `None` for the first hour, to which all lower texts
    /// belong.
    pub fn lowest(self) -> Option<String> {
        (self != Self::FIRST).then(|| self.text())
    }

    /// The highest `createdAt` of the hour. `None` for the last hour, to which all higher texts
    /// belong.
    pub fn highest(self) -> Option<String> {
        // Just below the text of the next hour: its last digit minus one, followed by the highest
        // character.
        let mut text = self.next()?.text();
        if let Some(digit) = text.pop() {
            text.push(char::from(digit as u8 - 1));
        }
        text.push(LAST);
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_first_and_last_hour_are_the_documented_ones() {
        assert_eq!(Hour::FIRST.text(), "0000-01-01T00");
        assert_eq!(Hour::LAST.text(), "9999-12-30T21");
    }

    #[test]
    fn a_time_belongs_to_its_hour() {
        let hour = Hour::from_created_at("2026-02-17T10:30:00.000Z");
        assert_eq!(hour.text(), "2026-02-17T10");
        assert_eq!(hour.day(), "2026-02-17");
        assert_eq!(hour.hour_of_day(), 10);
        assert_eq!(hour.start().to_string(), "2026-02-17T10:00:00.000Z");
        assert_eq!(hour.end().to_string(), "2026-02-17T10:59:59.999Z");
        assert_eq!(Hour::of_day("2026-02-17", 10), Some(hour));
        assert_eq!(Hour::at(hour.end()), hour);
        assert_eq!(Hour::of_day("2026-02-30", 10), None);
        assert_eq!(Hour::of_day("2026-02-17", 24), None);
    }

    #[test]
    fn a_text_that_is_not_a_time_belongs_to_the_hour_below_it() {
        for (text, hour) in [
            ("", "0000-01-01T00"),
            ("  ", "0000-01-01T00"),
            ("1700000000123", "1700-12-31T23"),
            ("2026", "2025-12-31T23"),
            ("2026-02-30T10:00:00.000Z", "2026-02-28T23"),
            ("2026-02-17T99", "2026-02-17T23"),
            ("2026-02-17 10:30", "2026-02-16T23"),
            ("yesterday", "9999-12-30T21"),
            ("9999-12-31T23:59:59.999Z", "9999-12-30T21"),
        ] {
            assert_eq!(Hour::from_created_at(text).text(), hour, "{text}");
        }
    }

    proptest! {
        #[test]
        fn hours_have_the_order_of_their_texts(
            one in "[ -~]{0,8}|20[0-9]{2}-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-9]{2}.{0,3}",
            other in "\\PC{0,8}|20[0-9]{2}-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-9]{2}.{0,3}",
        ) {
            let (low, high) = if one <= other { (one, other) } else { (other, one) };
            prop_assert!(Hour::from_created_at(&low) <= Hour::from_created_at(&high));
        }

        #[test]
        fn an_hour_is_the_range_from_its_lowest_text_to_its_highest(
            text in " [ -~]{0,8}|[!-~]{1,30}|20[0-9]{2}-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-9]{2}",
        ) {
            let hour = Hour::from_created_at(&text);
            if let Some(lowest) = hour.lowest() {
                prop_assert!(lowest <= text);
                prop_assert_eq!(Hour::from_created_at(&lowest), hour);
            }
            if let Some(highest) = hour.highest() {
                prop_assert!(text <= highest);
                prop_assert_eq!(Hour::from_created_at(&highest), hour);
            }
        }
    }
}
