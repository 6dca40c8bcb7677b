//! Keys: each key is parsed into the values that built it, each key can be built in only one way,
//! and foreign keys are not misread.
//!
//! The input consists of lines: two times in milliseconds, five ids, the number of a part, and in
//! the rest a key that a foreign engine may have written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use shared::keys::{self, LabelledRun, PayloadKey, StepKey};
use shared::label::Label;
use shared::model::{DeviceId, ExecutionId, FlowId, TeamId, Timestamp};
use shared::record::{RecordKind, check};

/// The first millisecond of the year 10000, which the record format cannot represent.
const END_MS: i64 = 253_402_207_200_000;

fuzz_target!(|input: &str| {
    let mut lines = input.splitn(9, '\n');
    let mut line = || lines.next().unwrap_or_default();
    let times = [line(), line()].map(parse_time);
    let ids = [line(), line(), line(), line(), line()];
    let part = line();
    let written = line();
    check_foreign_key(written);
    check_step_keys(times, ids);
    check_payload_keys(ids[0], part);
    check_team_keys(ids, written);
});

fn parse_time(text: &str) -> Timestamp {
    let milliseconds = text.parse::<i64>().unwrap_or_default();
    Timestamp::from_milliseconds(milliseconds.rem_euclid(END_MS)).expect("within the format")
}

/// Checks that values that are parsed from a foreign key are in it.
fn check_foreign_key(sk: &str) {
    if let Some(StepKey {
        parent_step_instance_id,
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
        assert_eq!(
            parent_step_instance_id.is_some(),
            branch_execution_id.is_some()
        );
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
            "the partition of a run belongs to its engine"
        );
    }
    for (pk, sk) in [("EXEC#run-1", sk), (sk, keys::EXECUTION)] {
        let kind = RecordKind::from_keys(pk, sk);
        assert!(
            kind.is_none() || !check::is_flowtrails_own(pk, sk),
            "{pk} {sk}"
        );
    }
    if let Ok(label) = sk.parse::<Label>() {
        assert_eq!(label.to_string(), sk);
    }
}

/// Checks that keys of steps are parsed into the values that built them, and are sorted by time.
fn check_step_keys([first, second]: [Timestamp; 2], ids: [&str; 5]) {
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
        parent_step_instance_id: Some(fork),
        branch_execution_id: Some(branch),
        start_time: &time,
        step_instance_id: id,
    };
    assert_eq!(keys::step_of(&sk), Some(expected));
    assert!(!sk.starts_with(&keys::branches_of_fork(first, &format!("{fork}x"))));
    let earlier = keys::step(first, other);
    // At the same time, the ids decide the order.
    assert!(first == second || first.cmp(&second) == earlier.cmp(&step));
}

fn check_payload_keys(id: &str, part: &str) {
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

/// Checks the keys of the data of a team.
fn check_team_keys(ids: [&str; 5], written: &str) {
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
    check_counter_keys(&team_id, &flow_id, &device_id);
    check_label_key(team, &run, created_at, written);
    let deletion = keys::key(
        keys::deletion_partition(&team_id),
        keys::deletion_entry(&flow_id),
    );
    assert_eq!(keys::deletion_of(&deletion), Some((team_id, flow_id)));
}

fn check_counter_keys(team_id: &TeamId, flow_id: &FlowId, device_id: &DeviceId) {
    let team = team_id.as_str();
    let flows = [None, Some(flow_id)];
    for (flow, device) in flows
        .into_iter()
        .flat_map(|flow| [(flow, None), (flow, Some(device_id))])
    {
        let scope = keys::scope(flow, device);
        for pk in [
            keys::count_partition(team_id, &scope),
            keys::duration_partition(team_id, &scope),
        ] {
            assert_eq!(keys::scope_of_counter(&pk), Some((team, scope.as_str())));
            assert!(keys::is_own_partition(&pk));
        }
        let entry = keys::scope_index_entry(team_id, &scope);
        assert_eq!(
            keys::scope_of_index_entry(&entry),
            Some((team, scope.as_str()))
        );
    }
}

fn check_label_key(team: &str, run: &ExecutionId, created_at: &str, written: &str) {
    let Ok(label) = written.parse::<Label>() else {
        return;
    };
    let entry = keys::label_entry(created_at, run.as_str());
    let item = keys::key(keys::label_partition(team, &label), entry);
    let expected = LabelledRun {
        team_id: team,
        created_at,
        execution_id: run.as_str(),
    };
    if !created_at.contains('#') {
        assert_eq!(keys::run_of_label_entry(&item), Some(expected));
    }
}
