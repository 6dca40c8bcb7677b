//! The numbers of a counter item: their attribute names, and the counters that share each number.

use std::collections::BTreeMap;
use std::fmt;

use aws_sdk_dynamodb::types::AttributeValue;
use format::model::{ExecutionType, Item, Status};

use super::{CounterId, Kind, STATUSES, TYPES};
use crate::counters::durations::Bucket;

/// The number of counters that share a number.
const LANES: usize = 4;

/// The size of a lane: nine digits, of which one half is for negative counts.
const LANE: i128 = 1_000_000_000;

/// A numeric attribute of a counter item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Attribute {
    /// The counts of an hour and type, for one group of statuses.
    Counts {
        hour: u8,
        execution_type: ExecutionType,
        group: u8,
    },
    /// A sum of durations.
    DurationSum { hour: Option<u8>, kind: Kind },
    /// The counts of four buckets.
    DurationBuckets {
        hour: Option<u8>,
        kind: Kind,
        group: u16,
    },
}

impl CounterId {
    /// The attribute of the counter, and the counter's lane in it.
    fn place(self) -> (Attribute, usize) {
        match self {
            Self::Count { hour, kind } => {
                let of_kind = |(_, status): &(char, _)| *status == kind.status;
                // The table contains every status.
                let position = STATUSES.iter().position(of_kind).unwrap_or_default();
                let counts = Attribute::Counts {
                    hour,
                    execution_type: kind.execution_type,
                    group: (position / LANES) as u8,
                };
                (counts, position % LANES)
            }
            Self::DurationSum { hour, kind } => (Attribute::DurationSum { hour, kind }, 0),
            Self::DurationBucket { hour, kind, bucket } => {
                let number = usize::from(bucket.number());
                let group = (number / LANES) as u16;
                let buckets = Attribute::DurationBuckets { hour, kind, group };
                (buckets, number % LANES)
            }
        }
    }
}

impl fmt::Display for Attribute {
    /// The attribute's name.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Counts {
                hour,
                execution_type,
                group,
            } => {
                let letter = TYPES.iter().find(|(_, kind)| kind == execution_type);
                let letter = letter.map_or('?', |(letter, _)| *letter);
                write!(formatter, "{hour:02}{letter}{group}")
            }
            Self::DurationSum { hour, kind } => {
                write!(formatter, "{}{}+", digits(*hour), kind.letters())
            }
            Self::DurationBuckets { hour, kind, group } => {
                write!(formatter, "{}{}b{group}", digits(*hour), kind.letters())
            }
        }
    }
}

fn digits(hour: Option<u8>) -> String {
    hour.map_or_else(String::new, |hour| format!("{hour:02}"))
}

impl Attribute {
    /// Parses the name of an attribute. Returns `None` if it is not the name of a number.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let (hour, rest) = match name.split_at_checked(2) {
            Some((hour, rest)) if hour.bytes().all(|byte| byte.is_ascii_digit()) => {
                let hour = hour.parse().ok().filter(|hour| *hour < 24)?;
                (Some(hour), rest)
            }
            _ => (None, name),
        };
        if let Some(hour) = hour
            && let Some((letter, group)) = rest.split_at_checked(1)
            && let Some((_, execution_type)) =
                TYPES.iter().find(|(own, _)| letter.starts_with(*own))
            && let Some(group) = ["0", "1"].iter().position(|own| *own == group)
        {
            return Some(Self::Counts {
                hour,
                execution_type: *execution_type,
                group: group as u8,
            });
        }
        let (kind, rest) = Kind::parse(rest)?;
        if rest == "+" {
            return Some(Self::DurationSum { hour, kind });
        }
        let text = rest.strip_prefix('b')?;
        let group: u16 = text.parse().ok()?;
        Bucket::from_number(group.checked_mul(LANES as u16)?)?;
        (group.to_string() == text).then_some(Self::DurationBuckets { hour, kind, group })
    }

    /// The counters that share the attribute's number, with the value of each.
    pub(crate) fn counters(self, number: i128) -> Vec<(CounterId, i128)> {
        match self {
            Self::DurationSum { hour, kind } => {
                vec![(CounterId::DurationSum { hour, kind }, number)]
            }
            Self::Counts {
                hour,
                execution_type,
                group,
            } => {
                let statuses = STATUSES.iter().skip(usize::from(group) * LANES);
                let counter = |((_, status), count): (&(char, Option<Status>), i128)| {
                    let kind = Kind {
                        status: *status,
                        execution_type,
                    };
                    (CounterId::Count { hour, kind }, count)
                };
                statuses.zip(Lanes::split(number).0).map(counter).collect()
            }
            Self::DurationBuckets { hour, kind, group } => {
                let counter = |(lane, count): (usize, i128)| {
                    let bucket = Bucket::from_number(group * LANES as u16 + lane as u16)?;
                    Some((CounterId::DurationBucket { hour, kind, bucket }, count))
                };
                let lanes = Lanes::split(number).0.into_iter().enumerate();
                lanes.filter_map(counter).collect()
            }
        }
    }
}

/// The counts that share one number: the number is the sum of the counts, each multiplied by a
/// power of [`LANE`]. A lane is decoded as the nearest multiple, so it holds counts from minus 500
/// million to 500 million. A count that is negative for a moment does not change its neighbour.
pub(super) struct Lanes([i128; LANES]);

impl Lanes {
    fn split(mut number: i128) -> Self {
        let mut lanes = [0; LANES];
        let (last, others) = (LANES - 1, &mut lanes[..LANES - 1]);
        for lane in others {
            let mut count = number.rem_euclid(LANE);
            if count >= LANE / 2 {
                count -= LANE;
            }
            number = (number - count) / LANE;
            *lane = count;
        }
        lanes[last] = number;
        Self(lanes)
    }
}

/// The numbers of a counter item, or numbers to add to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Numbers(pub(crate) BTreeMap<Attribute, i128>);

impl Numbers {
    /// Reads the numbers of a counter item.
    pub(crate) fn from_item(item: &Item) -> Self {
        let number = |(name, value): (&String, &AttributeValue)| {
            Some((Attribute::parse(name)?, whole_number(value.as_n().ok()?)?))
        };
        Self(item.iter().filter_map(number).collect())
    }

    /// The attributes of a counter item that have the name of a number but are not whole numbers.
    pub(crate) fn unreadable_in(item: &Item) -> impl Iterator<Item = (&String, &AttributeValue)> {
        let is_number = |value: &AttributeValue| {
            let text = value.as_n().ok();
            text.is_some_and(|text| whole_number(text).is_some())
        };
        item.iter()
            .filter(move |(name, value)| Attribute::parse(name).is_some() && !is_number(value))
    }

    /// Adds to one counter.
    pub(crate) fn add(&mut self, counter: CounterId, count: i128) {
        let (attribute, lane) = counter.place();
        let times = LANE.pow(lane as u32);
        *self.0.entry(attribute).or_default() += count * times;
    }

    /// Every counter that is not zero.
    pub(crate) fn counters(&self) -> impl Iterator<Item = (CounterId, i128)> {
        self.0
            .iter()
            .flat_map(|(attribute, number)| attribute.counters(*number))
            .filter(|(_, count)| *count != 0)
    }

    /// The number of an attribute, 0 if it is absent.
    pub(crate) fn get(&self, attribute: &Attribute) -> i128 {
        self.0.get(attribute).copied().unwrap_or_default()
    }

    /// Removes the numbers that are zero.
    pub(crate) fn drop_zeros(&mut self) {
        self.0.retain(|_, number| *number != 0);
    }
}

/// Parses a whole number, including the form in which some engines write a large one: `1E+27`.
fn whole_number(text: &str) -> Option<i128> {
    let Some((mantissa, exponent)) = text.split_once(['E', 'e']) else {
        return text.parse().ok();
    };
    let (whole, decimals) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let decimals = decimals.trim_end_matches('0');
    let zeros = exponent
        .parse::<u32>()
        .ok()?
        .checked_sub(decimals.len() as u32)?;
    let digits: i128 = format!("{whole}{decimals}").parse().ok()?;
    digits.checked_mul(10_i128.checked_pow(zeros)?)
}

#[cfg(test)]
mod tests {
    use format::attributes::number;
    use proptest::prelude::*;

    use super::*;

    fn counter() -> impl Strategy<Value = CounterId> {
        let hour = || 0_u8..24;
        let kind = || {
            (0_usize..6, 0_usize..2).prop_map(|(status, kind)| Kind {
                status: STATUSES[status].1,
                execution_type: TYPES[kind].1,
            })
        };
        prop_oneof![
            (hour(), kind()).prop_map(|(hour, kind)| CounterId::Count { hour, kind }),
            (proptest::option::of(hour()), kind())
                .prop_map(|(hour, kind)| CounterId::DurationSum { hour, kind }),
            (proptest::option::of(hour()), kind(), any::<u64>()).prop_map(
                |(hour, kind, duration)| CounterId::DurationBucket {
                    hour,
                    kind,
                    bucket: Bucket::for_duration(duration),
                }
            ),
        ]
    }

    proptest! {
        /// Counters are increased and decreased, and are below zero for a while.
        #[test]
        fn counters_that_share_a_number_are_independent(
            moves in proptest::collection::vec((counter(), -400_000_000_i128..400_000_000), 0..40),
        ) {
            let mut numbers = Numbers::default();
            let mut plain: BTreeMap<CounterId, i128> = BTreeMap::new();
            for (counter, count) in moves {
                let sum = plain.entry(counter).or_default();
                if (*sum + count).abs() < 400_000_000 {
                    *sum += count;
                    numbers.add(counter, count);
                }
            }
            plain.retain(|_, count| *count != 0);
            let stored: Item = numbers
                .0
                .iter()
                .map(|(attribute, value)| (attribute.to_string(), number(*value)))
                .collect();
            prop_assert!(stored.values().all(|value| value.as_n().is_ok_and(|n| n.len() <= 38)));
            let read: BTreeMap<_, _> = Numbers::from_item(&stored).counters().collect();
            prop_assert_eq!(read, plain);
        }

        #[test]
        fn a_parsed_name_is_written_unchanged(name in "\\PC{0,12}|[0-9]{0,2}[PRCFXUS]{1,2}[0-9b+]{0,4}") {
            if let Some(attribute) = Attribute::parse(&name) {
                prop_assert_eq!(attribute.to_string(), name);
            }
        }
    }

    #[test]
    fn names_of_other_attributes_are_not_parsed() {
        for name in [
            "pk",
            "sk",
            "",
            "1",
            "10",
            "CP",
            "24P0",
            "10P2",
            "10CPb",
            "10CPb01",
            "CPb9999",
            "10C",
            "expiresAt",
        ] {
            assert_eq!(Attribute::parse(name), None, "{name}");
        }
    }

    #[test]
    fn a_large_number_is_parsed_in_every_form() {
        for (text, number) in [
            ("-12", -12),
            ("1E+27", 10_i128.pow(27)),
            ("-1.5e3", -1_500),
            ("1.20E1", 12),
            ("1000000000000000000000000000", 10_i128.pow(27)),
        ] {
            assert_eq!(whole_number(text), Some(number), "{text}");
        }
        for text in ["", "x", "1.5", "1.5E0", "1E-1", "1E+99"] {
            assert_eq!(whole_number(text), None, "{text}");
        }
    }
}
