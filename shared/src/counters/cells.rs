//! What of an execution is counted, and under which keys and names.
//!
//! A counter item has one number an attribute, so that a change is an `ADD`,
//! which needs no reading before and commutes with every other. An item of a day
//! holds, for its scope,
//!
//! | attribute | | example |
//! | --- | --- | --- |
//! | `<hh><status><type>` | runs of that hour | `10CP` |
//! | `<status><type>+` | the sum of the day's durations in milliseconds | `CP+` |
//! | `<status><type>b<bucket>` | runs whose duration lies in the bucket | `CPb37` |
//!
//! and an item of six hours the last two for each hour, with its two digits in
//! front. The status is one letter (`P` pending, `R` running, `C` completed, `F`
//! failed, `X` cancelled, `U` a word that is none of these), the type another
//! (`P` parent, `S` sub-flow). Durations are those of runs that have ended.
//!
//! They are apart, and not an hour's durations in the day's item, because the
//! day's item is read for every total: it stays at one or two KB, while that of
//! six busy hours takes five.

use std::collections::BTreeMap;
use std::fmt;

use aws_sdk_dynamodb::types::AttributeValue;

use super::Hour;
use super::durations::{Bucket, Durations};
use crate::keys;
use crate::model::{DeviceId, Execution, ExecutionType, FlowId, Item, Status, TeamId};
use crate::table::CREATED_AT;

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

/// The states with their letters.
const STATUSES: [(char, Option<Status>); 6] = [
    ('P', Some(Status::Pending)),
    ('R', Some(Status::Running)),
    ('C', Some(Status::Completed)),
    ('F', Some(Status::Failed)),
    ('X', Some(Status::Cancelled)),
    ('U', None),
];

const TYPES: [(char, ExecutionType); 2] =
    [('P', ExecutionType::Parent), ('S', ExecutionType::Subflow)];

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = STATUSES.iter().find(|(_, status)| *status == self.status);
        let kind = TYPES.iter().find(|(_, kind)| *kind == self.execution_type);
        for letter in [
            status.map(|(letter, _)| letter),
            kind.map(|(letter, _)| letter),
        ] {
            write!(formatter, "{}", letter.unwrap_or(&'?'))?;
        }
        Ok(())
    }
}

impl Kind {
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

/// One number of a counter item. `hour` is that of the day, 0 to 23; without it
/// the number is the whole day's.
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
    /// The name of the number's attribute.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hour, kind) = match self {
            Self::Count { hour, kind } => (Some(*hour), kind),
            Self::DurationSum { hour, kind } | Self::DurationBucket { hour, kind, .. } => {
                (*hour, kind)
            }
        };
        if let Some(hour) = hour {
            write!(formatter, "{hour:02}")?;
        }
        write!(formatter, "{kind}")?;
        match self {
            Self::Count { .. } => Ok(()),
            Self::DurationSum { .. } => formatter.write_str("+"),
            Self::DurationBucket { bucket, .. } => write!(formatter, "b{}", bucket.number()),
        }
    }
}

impl Cell {
    /// Reads the name of an attribute. `None` where it is none of a number.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let (hour, rest) = match name.split_at_checked(2) {
            Some((hour, rest)) if hour.bytes().all(|byte| byte.is_ascii_digit()) => {
                let hour = hour.parse().ok().filter(|hour| *hour < 24)?;
                (Some(hour), rest)
            }
            _ => (None, name),
        };
        let (kind, rest) = Kind::parse(rest)?;
        match (rest, hour) {
            ("", Some(hour)) => Some(Self::Count { hour, kind }),
            ("+", hour) => Some(Self::DurationSum { hour, kind }),
            (bucket, hour) => {
                let number = bucket.strip_prefix('b')?;
                let bucket = Bucket::numbered(number.parse().ok()?)?;
                (bucket.number().to_string() == number).then_some(Self::DurationBucket {
                    hour,
                    kind,
                    bucket,
                })
            }
        }
    }
}

/// The numbers of a counter item, or what is to be added to them.
pub(super) type Cells = BTreeMap<Cell, i128>;

/// Reads the numbers of a counter item.
pub(super) fn cells_of(item: &Item) -> Cells {
    item.iter()
        .filter_map(|(name, value)| {
            let number = value.as_n().ok()?.parse().ok()?;
            Some((Cell::parse(name)?, number))
        })
        .collect()
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
        let id = |text: Option<&str>| text.map(str::to_owned);
        Some(Self {
            team_id: execution.team_id.as_deref()?.parse().ok()?,
            flow_id: id(execution.flow_id.as_deref()).and_then(|id| id.parse().ok()),
            device_id: id(execution.device_id.as_deref()).and_then(|id| id.parse().ok()),
            hour: Hour::of(created_at),
            kind: Kind {
                status: execution.status,
                execution_type: execution.execution_type,
            },
            duration_ms: execution
                .status
                .filter(|status| status.is_terminal())
                .and_then(|_| execution.duration_ms()),
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
    pub(super) fn add_to(&self, counters: &mut BTreeMap<CounterKey, Cells>, times: i128) {
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

fn add(cells: &mut Cells, more: &[(Cell, i128)], times: i128) {
    for (cell, number) in more {
        *cells.entry(*cell).or_default() += number * times;
    }
}

/// The sort key of the six hours to which an hour belongs.
pub(super) fn block_of(hour: Hour) -> String {
    let first = hour.of_the_day() / HOURS_A_BLOCK * HOURS_A_BLOCK;
    format!("{}T{first:02}", hour.day())
}

/// What stands in some numbers about durations, by kind. `only` picks the hours.
pub(super) fn durations_of(
    cells: &Cells,
    only: impl Fn(Option<u8>) -> bool,
) -> BTreeMap<Kind, Durations> {
    let mut durations: BTreeMap<Kind, Durations> = BTreeMap::new();
    for (cell, number) in cells {
        match cell {
            Cell::DurationSum { hour, kind } if only(*hour) => {
                durations.entry(*kind).or_default().sum_ms += number;
            }
            Cell::DurationBucket { hour, kind, bucket } if only(*hour) => {
                let buckets = &mut durations.entry(*kind).or_default().buckets;
                *buckets.entry(*bucket).or_default() += i64::try_from(*number).unwrap_or_default();
            }
            _ => {}
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
            .map(|(key, cells)| {
                let cells: Vec<_> = cells
                    .iter()
                    .map(|(cell, n)| format!("{cell}={n}"))
                    .collect();
                format!("{} {} {}", key.pk, key.sk, cells.join(" "))
            })
            .collect();
        let day = "2026-02-17 10CP=1 CP+=1500 CPb119=1";
        let block = "2026-02-17T06 10CP+=1500 10CPb119=1";
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
        assert_eq!(counted.kind.to_string(), "UP");
        assert_eq!(counted.duration_ms, None, "it has not ended");
    }

    proptest! {
        #[test]
        fn a_cell_survives_its_name(
            hour in proptest::option::of(0_u8..24), status in 0_usize..6, kind in 0_usize..2,
            duration: u64, which in 0..3,
        ) {
            let kind = Kind { status: STATUSES[status].1, execution_type: TYPES[kind].1 };
            let cell = match which {
                0 => Cell::Count { hour: hour.unwrap_or_default(), kind },
                1 => Cell::DurationSum { hour, kind },
                _ => Cell::DurationBucket { hour, kind, bucket: Bucket::of(duration) },
            };
            prop_assert_eq!(Cell::parse(&cell.to_string()), Some(cell));
        }

        #[test]
        fn no_name_is_misread(name in "\\PC{0,12}") {
            if let Some(cell) = Cell::parse(&name) {
                prop_assert_eq!(cell.to_string(), name);
            }
        }
    }

    #[test]
    fn the_names_of_other_attributes_are_no_numbers() {
        for name in [
            "pk", "sk", "", "1", "10", "CP", "24CP", "10CPb", "10CPb01", "CPb99999", "10C",
        ] {
            assert_eq!(Cell::parse(name), None, "{name}");
        }
    }
}
