//! Keys: each says what made it, none can be made in two ways, and none is misread.
//!
//! The input is lines: two times in milliseconds, five ids, a part's number, and from
//! there on a key as somebody's engine may have written it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use shared::keys::{self, LabelledRun, PayloadKey, StepKey};
use shared::labels::Label;
use shared::model::{DeviceId, ExecutionId, FlowId, TeamId, Timestamp};
use shared::record::{RecordKind, check};
use shared::store;

/// The first moment of the year 10000, which the record format does not write.
const END_MS: i64 = 253_402_207_200_000;

fuzz_target!(|input: &str| {
    let mut lines = input.splitn(9, '\n');
    let mut line = || lines.next().unwrap_or_default();
    let times = [line(), line()].map(moment);
    let ids = [line(), line(), line(), line(), line()];
    let part = line();
    let written = line();
    foreign(written);
    made(times, ids);
    payloads(ids[0], part);
    teams(ids, written);
});

fn moment(text: &str) -> Timestamp {
    let milliseconds = text.parse::<i64>().unwrap_or_default();
    Timestamp::from_milliseconds(milliseconds.rem_euclid(END_MS)).expect("within the format")
}

/// What is read of any key, is in it.
fn foreign(sk: &str) {
    if let Some(StepKey {
        branch_execution_id,
        start_time,
        step_instance_id,
    }) = keys::step_of(sk)
    {
        assert!(sk.ends_with(&format!("#{start_time}#{step_instance_id}")));
        assert_eq!(
            branch_execution_id.is_some(),
            sk.starts_with(keys::BRANCHES)
        );
        assert_eq!(branch_execution_id.is_none(), sk.starts_with(keys::STEPS));
        assert!(keys::payload_of(sk).is_none());
    }
    if let Some(PayloadKey { name, part }) = keys::payload_of(sk) {
        assert_eq!(keys::payload(name, part), sk);
        assert!(part < 10_000);
    }
    if let Some(id) = keys::execution_id_of(sk) {
        assert_eq!(format!("{}{id}", keys::EXECUTION_PREFIX), sk);
        assert!(
            !keys::is_own_partition(sk),
            "a run's partition is its engine's"
        );
    }
    for (pk, sk) in [("EXEC#run-1", sk), (sk, keys::EXECUTION)] {
        let kind = RecordKind::of(pk, sk);
        assert!(
            kind.is_none() || !check::is_flowtrails_own(pk, sk),
            "{pk} {sk}"
        );
    }
    if let Ok(label) = sk.parse::<Label>() {
        assert_eq!(label.to_string(), sk);
    }
}

/// Keys of steps say what made them, in the order of time.
fn made([first, second]: [Timestamp; 2], ids: [&str; 5]) {
    let [fork, branch, id, other, _] = ids;
    if !ids.iter().all(|id| shared::model::is_id(id)) {
        return;
    }
    let time = second.to_string();
    assert_eq!(time.len(), 24);
    assert_eq!(time.parse::<Timestamp>().ok(), Some(second));
    let step = keys::step(second, id);
    let read = keys::step_of(&step).expect("a step's key");
    assert_eq!(
        (read.start_time, read.step_instance_id),
        (time.as_str(), id)
    );
    let below = keys::branches_of_fork(first, fork);
    let sk = keys::branch_step(&below, branch, second, id);
    assert!(sk.len() <= 1_024 && sk.starts_with(&below));
    let expected = StepKey {
        branch_execution_id: Some(branch),
        start_time: &time,
        step_instance_id: id,
    };
    assert_eq!(keys::step_of(&sk), Some(expected));
    assert!(!sk.starts_with(&keys::branches_of_fork(first, &format!("{fork}x"))));
    let earlier = keys::step(first, other);
    // Of one moment the ids decide, which is no order of time.
    assert!(first == second || first.cmp(&second) == earlier.cmp(&step));
}

fn payloads(id: &str, part: &str) {
    let part = part.parse::<u32>().unwrap_or_default() % 10_000;
    for field in ["input", "output", "executionData"] {
        let name = keys::step_payload_name(id, field);
        let sk = keys::payload(&name, part);
        assert_eq!(
            keys::payload_of(&sk),
            Some(PayloadKey { name: &name, part })
        );
        assert!(sk.starts_with(&keys::payload_parts(&name)) && sk.starts_with(keys::STEP_PAYLOADS));
    }
}

/// Keys of what belongs to a team.
fn teams(ids: [&str; 5], written: &str) {
    let [team, flow, device, run, created_at] = ids;
    let (Ok(team_id), Ok(flow_id), Ok(device_id), Ok(run)) = (
        team.parse::<TeamId>(),
        flow.parse::<FlowId>(),
        device.parse::<DeviceId>(),
        run.parse::<ExecutionId>(),
    ) else {
        return;
    };
    let pk = keys::execution_partition(&run);
    assert_eq!(keys::execution_id_of(&pk), Some(run.as_str()));
    let flows = [None, Some(&flow_id)];
    for (flow, device) in flows
        .into_iter()
        .flat_map(|flow| [(flow, None), (flow, Some(&device_id))])
    {
        let scope = keys::scope(flow, device);
        for pk in [
            keys::count_partition(&team_id, &scope),
            keys::duration_partition(&team_id, &scope),
        ] {
            assert_eq!(keys::scope_of_counter(&pk), Some((team, scope.as_str())));
            assert!(keys::is_own_partition(&pk));
        }
        let entry = keys::scope_register_entry(&team_id, &scope);
        assert_eq!(
            keys::scope_of_register_entry(&entry),
            Some((team, scope.as_str()))
        );
    }
    let deletion = store::key(
        keys::deletion_partition(&team_id),
        keys::deletion_entry(&flow_id),
    );
    assert_eq!(keys::deletion_of(&deletion), Some((team_id, flow_id)));
    if let Ok(label) = written.parse::<Label>() {
        let entry = keys::label_entry(created_at, run.as_str());
        let item = store::key(keys::label_partition(team, &label), entry);
        let expected = LabelledRun {
            team_id: team,
            created_at,
            execution_id: run.as_str(),
        };
        if !created_at.contains('#') {
            assert_eq!(keys::run_of_label_entry(&item), Some(expected));
        }
    }
}
