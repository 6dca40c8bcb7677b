//! The counted properties of an execution, and the counter items that they change.

use std::collections::BTreeMap;

use format::attributes;
use format::change::Image;
use format::keys;
use format::model::{DeviceId, FlowId, Item, TeamId};

use super::{CounterId, Kind, Numbers, block_sort_key};
use crate::counters::Hour;
use crate::counters::durations::Bucket;

/// The keys of a counter item.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct CounterKey {
    pub(crate) pk: String,
    pub(crate) sk: String,
}

/// The counted properties of an execution. A change of a run that leaves them equal changes no
/// counter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountedRun {
    /// The team.
    pub team_id: TeamId,
    /// The flow, if the record has a valid flow id.
    pub flow_id: Option<FlowId>,
    /// The device, if the record has a valid device id.
    pub device_id: Option<DeviceId>,
    /// The hour of `createdAt`.
    pub hour: Hour,
    /// The status and the type.
    pub kind: Kind,
    /// The duration of a run that has ended, in milliseconds.
    pub duration_ms: Option<u64>,
}

/// The attributes that [`CountedRun::from_item`] reads.
pub const COUNTED_ATTRIBUTES: &[&str] = &[
    attributes::PARTITION_KEY,
    attributes::SORT_KEY,
    attributes::TEAM_ID,
    attributes::FLOW_ID,
    attributes::DEVICE_ID,
    attributes::CREATED_AT,
    attributes::STATUS,
    attributes::EXECUTION_TYPE,
    attributes::START_TIME,
    attributes::END_TIME,
    attributes::DURATION_MS,
];

impl CountedRun {
    /// Reads the counted properties of an item. Returns `None` for an item that is in no list: it
    /// is not an execution, or has no team or no `createdAt`.
    pub fn from_item(item: Item) -> Option<Self> {
        Self::from_image(&Image::from(item))
    }

    /// Reads the counted properties of an item in the stream.
    pub fn from_image(image: &Image) -> Option<Self> {
        let execution = image.execution()?;
        let created_at = image.get(attributes::CREATED_AT)?.as_s().ok()?;
        let ended = execution.status.filter(|status| status.is_terminal());
        let duration_ms = ended.and_then(|_| execution.duration_ms());
        Some(Self {
            team_id: execution.team_id.as_ref()?.parse().ok()?,
            flow_id: execution.flow_id.as_ref().and_then(|id| id.parse().ok()),
            device_id: execution.device_id.as_ref().and_then(|id| id.parse().ok()),
            hour: Hour::from_created_at(created_at),
            kind: Kind {
                status: execution.status,
                execution_type: execution.execution_type,
            },
            duration_ms,
        })
    }

    /// The scopes in which the run is counted: its team, its flow, its device, and the combination
    /// of flow and device.
    pub(crate) fn scopes(&self) -> Vec<String> {
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

    /// The counters of the run in the day's item, with what the run adds to them.
    pub(crate) fn day_counters(&self) -> Vec<(CounterId, i128)> {
        let hour = self.hour.hour_of_day();
        let kind = self.kind;
        let mut counters = vec![(CounterId::Count { hour, kind }, 1)];
        counters.extend(self.duration_counters(None));
        counters
    }

    /// The counters of the run's duration: in its hour or, without an hour, in its day.
    pub(crate) fn duration_counters(&self, hour: Option<u8>) -> Vec<(CounterId, i128)> {
        let kind = self.kind;
        self.duration_ms.map_or_else(Vec::new, |duration| {
            let bucket = Bucket::for_duration(duration);
            vec![
                (CounterId::DurationSum { hour, kind }, i128::from(duration)),
                (CounterId::DurationBucket { hour, kind, bucket }, 1),
            ]
        })
    }

    /// Adds the run, `times` times, to the numbers of every counter item that counts it.
    pub(crate) fn add_to(&self, counters: &mut BTreeMap<CounterKey, Numbers>, times: i128) {
        let day = self.day_counters();
        let hour = self.duration_counters(Some(self.hour.hour_of_day()));
        for scope in self.scopes() {
            let key = CounterKey {
                pk: keys::count_partition(&self.team_id, &scope),
                sk: self.hour.day(),
            };
            add(counters.entry(key).or_default(), &day, times);
            if !hour.is_empty() {
                let key = CounterKey {
                    pk: keys::duration_partition(&self.team_id, &scope),
                    sk: block_sort_key(self.hour),
                };
                add(counters.entry(key).or_default(), &hour, times);
            }
        }
    }
}

fn add(numbers: &mut Numbers, more: &[(CounterId, i128)], times: i128) {
    for (counter, count) in more {
        numbers.add(*counter, count * times);
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::AttributeValue;
    use format::attributes::text;

    use super::*;

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
        let counted = CountedRun::from_item(item).expect("counted");
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
    fn a_run_is_counted_exactly_if_it_can_be_listed() {
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
            assert_eq!(CountedRun::from_item(item.clone()), None, "{item:?}");
        }
        let odd = run(&[
            ("status", text("DONE")),
            ("executionType", AttributeValue::N("5".to_owned())),
            ("flowId", text("a#b")),
            ("createdAt", text("yesterday")),
        ]);
        let counted = CountedRun::from_item(odd).expect("counted");
        assert_eq!(counted.scopes(), ["*"]);
        assert_eq!(counted.kind.to_string(), "UNKNOWN PARENT");
        assert_eq!(counted.duration_ms, None, "it has not ended");
    }
}
