//! What of an execution is counted, and under which keys and names.
//!
//! A counter item holds numbers, so that a change is an `ADD`, which needs no
//! reading before and commutes with every other. Four counts share one number:
//! nine digits for each, which may be negative (see [`Lanes`]). With it a day of a
//! busy team is 160 attributes and not 600, which the reader of a total notices.
//! An item of a day holds, for its scope,
//!
//! | attribute | | example |
//! | --- | --- | --- |
//! | `<hh><type>0` | runs of that hour: running, completed, failed, cancelled | `10P0` |
//! | `<hh><type>1` | … pending, and of a status that is none | `10P1` |
//! | `<status><type>+` | the sum of the day's durations in milliseconds, alone | `CP+` |
//! | `<status><type>b<n>` | runs whose duration lies in the buckets 4n to 4n + 3 | `CPb29` |
//!
//! and an item of six hours the last two for each hour, with its two digits in
//! front. A status is one letter (`C` completed, `F` failed, `X` cancelled), a type
//! another (`P` parent, `S` sub-flow). Durations are those of runs that have ended.
//!
//! They are apart, and not an hour's durations in the day's item, because the
//! day's item is read for every total.

use std::collections::BTreeMap;
use std::fmt;

use aws_sdk_dynamodb::types::AttributeValue;

use super::Hour;
use super::durations::{Bucket, Durations};
use crate::keys;
use crate::model::{DeviceId, Execution, ExecutionType, FlowId, Item, Status, TeamId};
use crate::table::CREATED_AT;

/// Durations of runs that have ended, by the hour in which they were created and by kind.
/// Those of a whole day stand under its first hour.
pub type HourlyDurations = BTreeMap<(Hour, Kind), Durations>;

/// The hours of one item of durations.
pub(super) const HOURS_A_BLOCK: u8 = 6;

/// The kinds of runs that are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind {
    /// The state. `None` where the record holds an unknown word.
    pub status: Option<Status>,
    /// Whether another run started it.
    pub execution_type: ExecutionType,
}

/// The states with their letters, in the order of their lanes: four to a number.
/// Both are stored, so they must never change.
const STATUSES: [(char, Option<Status>); 6] = [
    ('R', Some(Status::Running)),
    ('C', Some(Status::Completed)),
    ('F', Some(Status::Failed)),
    ('X', Some(Status::Cancelled)),
    ('P', Some(Status::Pending)),
    ('U', None),
];

const TYPES: [(char, ExecutionType); 2] =
    [('P', ExecutionType::Parent), ('S', ExecutionType::Subflow)];

impl Kind {
    /// The kind's two letters.
    fn letters(self) -> String {
        let status = STATUSES.iter().find(|(_, status)| *status == self.status);
        let kind = TYPES.iter().find(|(_, kind)| *kind == self.execution_type);
        let letters = [
            status.map(|(letter, _)| letter),
            kind.map(|(letter, _)| letter),
        ];
        letters.into_iter().flatten().collect()
    }

    fn parse(text: &str) -> Option<(Self, &str)> {
        let mut letters = text.chars();
        let (status, kind) = (letters.next()?, letters.next()?);
        let (_, status) = STATUSES.iter().find(|(letter, _)| *letter == status)?;
        let (_, execution_type) = TYPES.iter().find(|(letter, _)| *letter == kind)?;
        let kind = Self {
            status: *status,
            execution_type: *execution_type,
        };
        Some((kind, letters.as_str()))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = self.status.map_or("UNKNOWN", Status::as_str);
        write!(formatter, "{status} {}", self.execution_type.as_str())
    }
}

/// One count, or sum, of a counter item. `hour` is that of the day, 0 to 23;
/// without it the number is the whole day's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cell {
    /// How many runs there are.
    Count {
        /// The hour in which they were created.
        hour: u8,
        /// Their kind.
        kind: Kind,
    },
    /// How long they took together, in milliseconds.
    DurationSum {
        /// The hour in which they were created.
        hour: Option<u8>,
        /// Their kind.
        kind: Kind,
    },
    /// How many of them took as long as the bucket says.
    DurationBucket {
        /// The hour in which they were created.
        hour: Option<u8>,
        /// Their kind.
        kind: Kind,
        /// How long they took.
        bucket: Bucket,
    },
}

impl fmt::Display for Cell {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hour, kind) = match self {
            Self::Count { hour, kind } => (Some(*hour), kind),
            Self::DurationSum { hour, kind } | Self::DurationBucket { hour, kind, .. } => {
                (*hour, kind)
            }
        };
        match hour {
            Some(hour) => write!(formatter, "{hour:02}:00 {kind}")?,
            None => write!(formatter, "{kind}")?,
        }
        match self {
            Self::Count { .. } => Ok(()),
            Self::DurationSum { .. } => formatter.write_str(" milliseconds"),
            Self::DurationBucket { bucket, .. } => {
                write!(formatter, " durations in bucket {}", bucket.number())
            }
        }
    }
}

/// The counts that share a number.
const LANES: usize = 4;

/// Nine digits for each, of which one half is for negative counts.
const LANE: i128 = 1_000_000_000;

/// One attribute of a counter item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Attribute {
    /// The counts of an hour and type, of one group of states.
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

impl Cell {
    /// The attribute that the cell is in, and its lane there.
    fn place(self) -> (Attribute, usize) {
        match self {
            Self::Count { hour, kind } => {
                let of_kind = |(_, status): &(char, _)| *status == kind.status;
                // Every state is there.
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
    /// Reads the name of an attribute. `None` where it is none of numbers.
    pub(super) fn parse(name: &str) -> Option<Self> {
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
        Bucket::numbered(group.checked_mul(LANES as u16)?)?;
        (group.to_string() == text).then_some(Self::DurationBuckets { hour, kind, group })
    }

    /// The cells that share the attribute's number, with what it says of each.
    pub(super) fn cells(self, number: i128) -> Vec<(Cell, i128)> {
        match self {
            Self::DurationSum { hour, kind } => vec![(Cell::DurationSum { hour, kind }, number)],
            Self::Counts {
                hour,
                execution_type,
                group,
            } => {
                let statuses = STATUSES.iter().skip(usize::from(group) * LANES);
                let cell = |((_, status), count): (&(char, Option<Status>), i128)| {
                    let kind = Kind {
                        status: *status,
                        execution_type,
                    };
                    (Cell::Count { hour, kind }, count)
                };
                statuses.zip(Lanes::of(number).0).map(cell).collect()
            }
            Self::DurationBuckets { hour, kind, group } => {
                let cell = |(lane, count): (usize, i128)| {
                    let bucket = Bucket::numbered(group * LANES as u16 + lane as u16)?;
                    Some((Cell::DurationBucket { hour, kind, bucket }, count))
                };
                let lanes = Lanes::of(number).0.into_iter().enumerate();
                lanes.filter_map(cell).collect()
            }
        }
    }
}

/// Counts that share one number: the sum of each, times a thousand million to the
/// power of its place. A lane reads as the nearest multiple, so it holds counts
/// from minus half a thousand million to half a thousand million, and borrows
/// nothing from its neighbour when it is below zero for a moment.
struct Lanes([i128; LANES]);

impl Lanes {
    fn of(mut number: i128) -> Self {
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

/// The numbers of a counter item, or what is to be added to them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Numbers(pub(super) BTreeMap<Attribute, i128>);

impl Numbers {
    /// The numbers of a counter item.
    pub(super) fn of(item: &Item) -> Self {
        let number = |(name, value): (&String, &AttributeValue)| {
            Some((Attribute::parse(name)?, whole_number(value.as_n().ok()?)?))
        };
        Self(item.iter().filter_map(number).collect())
    }

    /// Adds to one cell.
    pub(super) fn add(&mut self, cell: Cell, count: i128) {
        let (attribute, lane) = cell.place();
        let times = LANE.pow(lane as u32);
        *self.0.entry(attribute).or_default() += count * times;
    }

    /// Every cell that is not zero.
    pub(super) fn cells(&self) -> impl Iterator<Item = (Cell, i128)> {
        self.0
            .iter()
            .flat_map(|(attribute, number)| attribute.cells(*number))
            .filter(|(_, count)| *count != 0)
    }

    /// What is there under a name.
    pub(super) fn get(&self, attribute: &Attribute) -> i128 {
        self.0.get(attribute).copied().unwrap_or_default()
    }

    /// Forgets what is zero.
    pub(super) fn drop_zeros(&mut self) {
        self.0.retain(|_, number| *number != 0);
    }
}

/// Reads a whole number, also as some engines write a large one: `1E+27`.
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

/// A number as DynamoDB takes it.
pub(super) fn number(value: i128) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// The keys of a counter item.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct CounterKey {
    pub(super) pk: String,
    pub(super) sk: String,
}

/// What of an execution is counted. Two images of a run that are equal in it
/// change no counter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// The team.
    pub team_id: TeamId,
    /// The flow, where the record names one that can be asked for.
    pub flow_id: Option<FlowId>,
    /// The device, likewise.
    pub device_id: Option<DeviceId>,
    /// The hour of `createdAt`.
    pub hour: Hour,
    /// The state and the type.
    pub kind: Kind,
    /// How long the run took, once it has ended, in milliseconds.
    pub duration_ms: Option<u64>,
}

/// The attributes that [`Counted::of`] looks at.
pub const COUNTED_ATTRIBUTES: &[&str] = &[
    "pk",
    "sk",
    "teamId",
    "flowId",
    "deviceId",
    "createdAt",
    "status",
    "executionType",
    "startTime",
    "endTime",
    "durationMs",
];

impl Counted {
    /// What counts of an item. `None` when it is in no list: not an execution,
    /// or without a team or a `createdAt`.
    pub fn of(item: &Item) -> Option<Self> {
        if !keys::is_execution(item) {
            return None;
        }
        let created_at = item.get(CREATED_AT)?.as_s().ok()?;
        let execution = Execution::from_item(item.clone())?;
        let ended = execution.status.filter(|status| status.is_terminal());
        let duration_ms = ended.and_then(|_| execution.duration_ms());
        Some(Self {
            team_id: execution.team_id?.parse().ok()?,
            flow_id: execution.flow_id.and_then(|id| id.parse().ok()),
            device_id: execution.device_id.and_then(|id| id.parse().ok()),
            hour: Hour::of(created_at),
            kind: Kind {
                status: execution.status,
                execution_type: execution.execution_type,
            },
            duration_ms,
        })
    }

    /// The scopes that the run is counted in: its team, its flow, its device,
    /// and the two together.
    pub(super) fn scopes(&self) -> Vec<String> {
        let (flow, device) = (self.flow_id.as_ref(), self.device_id.as_ref());
        let mut scopes = vec![keys::scope(None, None)];
        if flow.is_some() {
            scopes.push(keys::scope(flow, None));
        }
        if device.is_some() {
            scopes.push(keys::scope(None, device));
        }
        if flow.is_some() && device.is_some() {
            scopes.push(keys::scope(flow, device));
        }
        scopes
    }

    /// The day's numbers of the run, for each of its scopes.
    pub(super) fn day_cells(&self) -> Vec<(Cell, i128)> {
        let hour = self.hour.of_the_day();
        let kind = self.kind;
        let mut cells = vec![(Cell::Count { hour, kind }, 1)];
        cells.extend(self.duration_cells(None));
        cells
    }

    /// The numbers of the run's duration: of its hour, or of its day.
    pub(super) fn duration_cells(&self, hour: Option<u8>) -> Vec<(Cell, i128)> {
        let kind = self.kind;
        self.duration_ms.map_or_else(Vec::new, |duration| {
            let bucket = Bucket::of(duration);
            vec![
                (Cell::DurationSum { hour, kind }, i128::from(duration)),
                (Cell::DurationBucket { hour, kind, bucket }, 1),
            ]
        })
    }

    /// Adds the run, `times` times, to the numbers of every counter item that
    /// has a part of it.
    pub(super) fn add_to(&self, counters: &mut BTreeMap<CounterKey, Numbers>, times: i128) {
        let day = self.day_cells();
        let hour = self.duration_cells(Some(self.hour.of_the_day()));
        for scope in self.scopes() {
            let key = CounterKey {
                pk: keys::count_partition(&self.team_id, &scope),
                sk: self.hour.day(),
            };
            add(counters.entry(key).or_default(), &day, times);
            if !hour.is_empty() {
                let key = CounterKey {
                    pk: keys::duration_partition(&self.team_id, &scope),
                    sk: block_of(self.hour),
                };
                add(counters.entry(key).or_default(), &hour, times);
            }
        }
    }
}

fn add(numbers: &mut Numbers, more: &[(Cell, i128)], times: i128) {
    for (cell, count) in more {
        numbers.add(*cell, count * times);
    }
}

/// The sort key of the six hours to which an hour belongs.
pub(super) fn block_of(hour: Hour) -> String {
    let first = hour.of_the_day() / HOURS_A_BLOCK * HOURS_A_BLOCK;
    format!("{}T{first:02}", hour.day())
}

/// What some cells say of durations, by hour and kind. `hour_of` tells under which hour
/// those of an hour of the day, or of the whole day, are to stand; `None` leaves them out.
pub(super) fn durations_of(
    cells: impl IntoIterator<Item = (Cell, i128)>,
    hour_of: impl Fn(Option<u8>) -> Option<Hour>,
) -> HourlyDurations {
    let mut durations = HourlyDurations::new();
    for (cell, number) in cells {
        let (hour, kind) = match cell {
            Cell::DurationSum { hour, kind } | Cell::DurationBucket { hour, kind, .. } => {
                (hour, kind)
            }
            Cell::Count { .. } => continue,
        };
        let Some(hour) = hour_of(hour) else { continue };
        let durations = durations.entry((hour, kind)).or_default();
        match cell {
            Cell::DurationBucket { bucket, .. } => {
                let count = durations.buckets.entry(bucket).or_default();
                *count += i64::try_from(number).unwrap_or_default();
            }
            _ => durations.sum_ms += number,
        }
    }
    durations
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::table::text;

    fn run(attributes: &[(&str, AttributeValue)]) -> Item {
        let own = [
            ("pk", text("EXEC#run-1")),
            ("sk", text("EXECUTION")),
            ("teamId", text("team-a")),
            ("flowId", text("flow-1")),
            ("createdAt", text("2026-02-17T10:30:00.000Z")),
            ("status", text("COMPLETED")),
            ("startTime", text("2026-02-17T10:30:00.000Z")),
            ("endTime", text("2026-02-17T10:30:01.500Z")),
        ];
        own.into_iter()
            .chain(attributes.iter().cloned())
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }

    #[test]
    fn a_run_is_counted_in_each_scope_that_it_belongs_to() {
        let item = run(&[("deviceId", text("device-1"))]);
        let counted = Counted::of(&item).expect("counted");
        let mut counters = BTreeMap::new();
        counted.add_to(&mut counters, 1);
        let names: Vec<_> = counters
            .iter()
            .map(|(key, numbers)| {
                let numbers: Vec<_> = numbers
                    .0
                    .iter()
                    .map(|(attribute, number)| format!("{attribute}={number}"))
                    .collect();
                format!("{} {} {}", key.pk, key.sk, numbers.join(" "))
            })
            .collect();
        let day = "2026-02-17 10P0=1000000000 CP+=1500 CPb29=1000000000000000000000000000";
        let block = "2026-02-17T06 10CP+=1500 10CPb29=1000000000000000000000000000";
        let scopes = ["*", "D#device-1", "F#flow-1", "F#flow-1#D#device-1"];
        let expected: Vec<_> = [("COUNT", day), ("DURATION", block)]
            .into_iter()
            .flat_map(|(kind, numbers)| {
                scopes.map(|scope| format!("{kind}#team-a#{scope} {numbers}"))
            })
            .collect();
        assert_eq!(names, expected);
    }

    #[test]
    fn what_can_be_in_no_list_is_not_counted_and_a_malformed_run_is() {
        let without = |name: &str| {
            let mut item = run(&[]);
            item.remove(name);
            item
        };
        for item in [
            without("createdAt"),
            without("teamId"),
            run(&[("sk", text("STEP#x"))]),
            run(&[("pk", text("RUN#x"))]),
            run(&[("teamId", text("a#b"))]),
        ] {
            assert_eq!(Counted::of(&item), None, "{item:?}");
        }
        let odd = run(&[
            ("status", text("DONE")),
            ("executionType", AttributeValue::N("5".to_owned())),
            ("flowId", text("a#b")),
            ("createdAt", text("yesterday")),
        ]);
        let counted = Counted::of(&odd).expect("counted");
        assert_eq!(counted.scopes(), ["*"]);
        assert_eq!(counted.kind.to_string(), "UNKNOWN PARENT");
        assert_eq!(counted.duration_ms, None, "it has not ended");
    }

    fn cell() -> impl Strategy<Value = Cell> {
        let hour = || 0_u8..24;
        let kind = || {
            (0_usize..6, 0_usize..2).prop_map(|(status, kind)| Kind {
                status: STATUSES[status].1,
                execution_type: TYPES[kind].1,
            })
        };
        prop_oneof![
            (hour(), kind()).prop_map(|(hour, kind)| Cell::Count { hour, kind }),
            (proptest::option::of(hour()), kind())
                .prop_map(|(hour, kind)| Cell::DurationSum { hour, kind }),
            (proptest::option::of(hour()), kind(), any::<u64>()).prop_map(
                |(hour, kind, duration)| Cell::DurationBucket {
                    hour,
                    kind,
                    bucket: Bucket::of(duration),
                }
            ),
        ]
    }

    proptest! {
        /// Whatever is added and taken away, also below zero for a while.
        #[test]
        fn cells_that_share_a_number_keep_apart(
            moves in proptest::collection::vec((cell(), -400_000_000_i128..400_000_000), 0..40),
        ) {
            let mut numbers = Numbers::default();
            let mut plain: BTreeMap<Cell, i128> = BTreeMap::new();
            for (cell, count) in moves {
                let sum = plain.entry(cell).or_default();
                if (*sum + count).abs() < 400_000_000 {
                    *sum += count;
                    numbers.add(cell, count);
                }
            }
            plain.retain(|_, count| *count != 0);
            let stored: Item = numbers
                .0
                .iter()
                .map(|(attribute, value)| (attribute.to_string(), number(*value)))
                .collect();
            prop_assert!(stored.values().all(|value| value.as_n().is_ok_and(|n| n.len() <= 38)));
            let read: BTreeMap<_, _> = Numbers::of(&stored).cells().collect();
            prop_assert_eq!(read, plain);
        }

        #[test]
        fn no_name_is_misread(name in "\\PC{0,12}|[0-9]{0,2}[PRCFXUS]{1,2}[0-9b+]{0,4}") {
            if let Some(attribute) = Attribute::parse(&name) {
                prop_assert_eq!(attribute.to_string(), name);
            }
        }
    }

    #[test]
    fn the_names_of_other_attributes_are_no_numbers() {
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
    fn a_large_number_is_read_as_engines_write_it() {
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
