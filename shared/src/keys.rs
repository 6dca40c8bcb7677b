//! Every key of the table, beside the access pattern that it serves.
//!
//! | record | `pk` | `sk` | read by |
//! | --- | --- | --- | --- |
//! | execution | `EXEC#<executionId>` | `EXECUTION` | its id; the indexes of [`crate::table`] |
//! | payload | `EXEC#<executionId>` | `PAYLOAD#<name>#<part>` | its run; its name |
//! | step | `EXEC#<executionId>` | `STEP#<startTime>#<stepInstanceId>` | its run, in order of time |
//! | step of a branch | `EXEC#<executionId>` | `BRANCH#<parentStepStartTime>#<parentStepInstanceId>#<branchExecutionId>#<startTime>#<stepInstanceId>` | its fork: one range |
//! | span that is the run of a trace | `EXEC#<executionId>` | `TRACE#<startTime>#<stepInstanceId>` | its run |
//! | state of a trace | `EXEC#<executionId>` | `TRACE` | its run |
//! | mark that a run's sub-flows go with it | `EXEC#<executionId>` | `CASCADE` | its run |
//! | token | `TOKEN#<tokenId>` | `TOKEN` | its id |
//! | register of tokens | `TOKENS` | `<teamId>#<tokenId>` | all, or a team's |
//! | counts of a day | `COUNT#<teamId>#<scope>` | `<yyyy-mm-dd>` | their scope and days: one range |
//! | durations of six hours | `DURATION#<teamId>#<scope>` | `<yyyy-mm-dd>T<hh>` | their scope and hours |
//! | entry of a label | `LABEL#<teamId>#<name>=<value>` | `<createdAt>#<executionId>` | its label, newest first |
//! | moment at which an open run is looked at | `DEADLINE#<shard>` | `<time>#<executionId>` | its shard, in order of time |
//! | register of scopes | `SCOPES` | `<teamId>#<scope>` | all, or a team's |
//! | mark that all runs are counted | `SCOPES` | `#COMPLETE` | itself |
//! | checkpoint of a stream | `CHECKPOINT#<shardId>` | `CHECKPOINT` | its shard |
//! | how far a shard's removals are followed | `CHECKPOINT#<shardId>` | `REAP` | its shard |
//! | a team's settings of masking | `SETTINGS#<teamId>` | `MASKING` | its team |
//! | a team's own roles | `SETTINGS#<teamId>` | `ROLES` | its team |
//! | when a team's runs are stalled | `SETTINGS#<teamId>` | `STALLED` | its team |
//! | how long a team keeps its runs | `SETTINGS#<teamId>` | `RETENTION` | its team |
//! | an event of the audit | `AUDIT#<teamId>` | `<time>#<eventId>` | its team, in order of time |
//! | deletion of a flow's runs, under way | `DELETION#<teamId>` | `F#<flowId>` | its flow |
//! | how far the import of a file is | `IMPORT#<digest>` | `IMPORT` | the file's beginning |
//! | state of the demo | `DEMO` | `DEMO` | itself |
//!
//! A scope is `*` (the team), `F#<flowId>`, `D#<deviceId>` or
//! `F#<flowId>#D#<deviceId>`.
//!
//! Ids and times never hold `#`, so a key splits in one way only. Inside a
//! run's partition `BRANCH < EXECUTION < PAYLOAD < STEP < TRACE`: the run, its payloads
//! and its top-level steps are the one range from [`EXECUTION`] on, in which what
//! follows the steps is passed by.

use crate::labels::Label;
use crate::model::{DeviceId, ExecutionId, FlowId, Item, TeamId, Timestamp};

/// The sort key of an execution's own item.
pub const EXECUTION: &str = "EXECUTION";
/// The sort key of the mark that a run's sub-flows are deleted with it.
pub const CASCADE: &str = "CASCADE";
/// What the sort keys of all top-level steps begin with.
pub const STEPS: &str = "STEP#";
/// What the sort keys of the steps of all branches begin with.
pub const BRANCHES: &str = "BRANCH#";
/// What the sort keys of all payloads of steps begin with.
pub const STEP_PAYLOADS: &str = "PAYLOAD#step:";
/// The sort key of the state of a trace.
pub const TRACE: &str = "TRACE";
/// The partition of the register of tokens.
pub const TOKEN_REGISTER: &str = "TOKENS";
/// The sort key of a token's own item.
pub const TOKEN: &str = "TOKEN";
/// The partition of the register of scopes.
pub const SCOPE_REGISTER: &str = "SCOPES";
/// In the register of scopes, the mark that the counters have all runs of the
/// table. No team has such an id.
pub const COMPLETE: &str = "#COMPLETE";
/// The sort key of a shard's checkpoint.
pub const CHECKPOINT: &str = "CHECKPOINT";
/// The sort key of the item that says up to where a shard's removals were followed.
pub const REAP: &str = "REAP";
/// The sort key of a team's settings of masking.
pub const MASKING: &str = "MASKING";
/// The sort key of a team's own roles.
pub const ROLES: &str = "ROLES";
/// The sort key of a team's rules of when runs are stalled.
pub const STALLED: &str = "STALLED";
/// The sort key of a team's rules of how long runs are kept.
pub const RETENTION: &str = "RETENTION";
/// Both keys of the item that says how far the demo data is.
pub const DEMO: &str = "DEMO";

/// What the partition keys of all executions begin with.
pub const EXECUTION_PREFIX: &str = "EXEC#";
const PAYLOAD_PREFIX: &str = "PAYLOAD#";

/// Whether a partition is Flowtrail's own: no engine writes into it.
pub fn is_own_partition(pk: &str) -> bool {
    const PREFIXES: [&str; 10] = [
        "AUDIT#",
        "CHECKPOINT#",
        "COUNT#",
        DEADLINE_PREFIX,
        DELETION_PREFIX,
        "DURATION#",
        IMPORT_PREFIX,
        LABEL_PREFIX,
        "SETTINGS#",
        "TOKEN#",
    ];
    [TOKEN_REGISTER, SCOPE_REGISTER, DEMO].contains(&pk)
        || PREFIXES.iter().any(|prefix| pk.starts_with(prefix))
}

/// Whether an item in a run's partition is Flowtrail's own.
pub fn is_own_of_run(sk: &str) -> bool {
    let first = sk.split_once('#').map_or(sk, |(first, _)| first);
    [CASCADE, TRACE].contains(&first)
}

/// Above every character of a key, so that `prefix` to `prefix` + this is the
/// range of all keys with that prefix.
pub const LAST: char = '\u{10FFFF}';

/// The partition of a run.
pub fn execution_partition(execution_id: &ExecutionId) -> String {
    format!("{EXECUTION_PREFIX}{execution_id}")
}

/// The id of the run whose partition key `pk` is.
pub fn execution_id_of(pk: &str) -> Option<&str> {
    pk.strip_prefix(EXECUTION_PREFIX)
        .filter(|execution_id| !execution_id.is_empty())
}

/// The sort key of a top-level step.
pub fn step(start_time: Timestamp, step_instance_id: &str) -> String {
    format!("{STEPS}{start_time}#{step_instance_id}")
}

/// The sort key of a branch's step. `fork` is what the keys below its fork
/// begin with, of [`branches_of_fork`].
pub fn branch_step(
    fork: &str,
    branch_execution_id: &str,
    start_time: Timestamp,
    step_instance_id: &str,
) -> String {
    format!("{fork}{branch_execution_id}#{start_time}#{step_instance_id}")
}

/// The sort key of the span that is the run of a trace, and so none of its steps.
pub fn span_of_run(start_time: Timestamp, step_instance_id: &str) -> String {
    format!("{TRACE}#{start_time}#{step_instance_id}")
}

/// The sort key of one part of a payload.
pub fn payload(name: &str, part: u32) -> String {
    format!("{}{part:04}", payload_parts(name))
}

/// What the sort keys of all steps below one fork begin with. The pair is that
/// of the `PARALLEL_FORK_MANAGER` step, which is itself a step of the run or,
/// of a nested fork, of a branch.
pub fn branches_of_fork(start_time: Timestamp, fork: &str) -> String {
    format!("{BRANCHES}{start_time}#{fork}#")
}

/// What the sort keys of all parts of one payload begin with.
pub fn payload_parts(name: &str) -> String {
    format!("{PAYLOAD_PREFIX}{name}#")
}

/// The name of the payload that holds a field too large for its step.
pub fn step_payload_name(step_instance_id: &str, field: &str) -> String {
    format!("step:{step_instance_id}:{field}")
}

/// The partition of a token.
pub fn token_partition(token_id: &str) -> String {
    format!("TOKEN#{token_id}")
}

/// A token's entry in the register.
pub fn token_register_entry(team_id: &TeamId, token_id: &str) -> String {
    format!("{team_id}#{token_id}")
}

/// The id of the token whose register entry `sk` is.
pub fn token_id_of(sk: &str) -> Option<&str> {
    sk.split_once('#').map(|(_, token_id)| token_id)
}

/// The scope of a team's runs, of a flow, of a device or of both.
pub fn scope(flow_id: Option<&FlowId>, device_id: Option<&DeviceId>) -> String {
    match (flow_id, device_id) {
        (None, None) => "*".to_owned(),
        (Some(flow_id), None) => format!("F#{flow_id}"),
        (None, Some(device_id)) => format!("D#{device_id}"),
        (Some(flow_id), Some(device_id)) => format!("F#{flow_id}#D#{device_id}"),
    }
}

/// The partition of a scope's counts, one item a day.
pub fn count_partition(team_id: &TeamId, scope: &str) -> String {
    format!("COUNT#{team_id}#{scope}")
}

/// The partition of a scope's durations, one item for six hours.
pub fn duration_partition(team_id: &TeamId, scope: &str) -> String {
    format!("DURATION#{team_id}#{scope}")
}

/// The team and the scope whose counts or durations lie in the partition `pk`.
pub fn scope_of_counter(pk: &str) -> Option<(&str, &str)> {
    let rest = pk
        .strip_prefix("COUNT#")
        .or_else(|| pk.strip_prefix("DURATION#"))?;
    rest.split_once('#')
}

/// A scope's entry in the register.
pub fn scope_register_entry(team_id: &TeamId, scope: &str) -> String {
    format!("{team_id}#{scope}")
}

/// The team and the scope whose register entry `sk` is.
pub fn scope_of_register_entry(sk: &str) -> Option<(&str, &str)> {
    sk.split_once('#')
}

const LABEL_PREFIX: &str = "LABEL#";

/// The partition of a label: the team's runs that have it.
pub fn label_partition(team_id: &str, label: &Label) -> String {
    format!("{LABEL_PREFIX}{team_id}#{label}")
}

/// A run's entry under each of its labels.
pub fn label_entry(created_at: &str, execution_id: &str) -> String {
    format!("{created_at}#{execution_id}")
}

/// What the keys of a label's entry say of its run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LabelledRun<'a> {
    /// The run's team.
    pub team_id: &'a str,
    /// When the run was asked for.
    pub created_at: &'a str,
    /// The run.
    pub execution_id: &'a str,
}

/// Reads the keys of a label's entry.
pub fn run_of_label_entry(item: &Item) -> Option<LabelledRun<'_>> {
    let pk = item.get("pk")?.as_s().ok()?;
    let (team_id, _) = pk.strip_prefix(LABEL_PREFIX)?.split_once('#')?;
    let (created_at, execution_id) = sort_key(item)?.split_once('#')?;
    Some(LabelledRun {
        team_id,
        created_at,
        execution_id,
    })
}

const DEADLINE_PREFIX: &str = "DEADLINE#";

/// How many partitions the moments are divided into at which runs are looked at. One takes
/// 1,000 writes a second, and a run is two: so 8,000 runs a second can begin.
pub const DEADLINE_SHARDS: u8 = 16;

/// The partition of a run's moments. An entry of another division is found all the same,
/// as long as there are not fewer.
pub fn deadline_shard(execution_id: &ExecutionId) -> u8 {
    crate::auth::hash(execution_id.as_str())[0] % DEADLINE_SHARDS
}

/// The partition of some moments.
pub fn deadline_partition(shard: u8) -> String {
    format!("{DEADLINE_PREFIX}{shard:02}")
}

/// The entry of a moment at which a run is looked at.
pub fn deadline_entry(time: Timestamp, execution_id: &ExecutionId) -> String {
    format!("{time}#{execution_id}")
}

/// The run that is looked at because of an entry.
pub fn execution_id_of_deadline(sk: &str) -> Option<ExecutionId> {
    sk.split_once('#')?.1.parse().ok()
}

const IMPORT_PREFIX: &str = "IMPORT#";

/// The sort key of the note of an import.
pub const IMPORT: &str = "IMPORT";

/// The partition of the note of how far the import of a file is that begins so.
pub fn import_partition(digest: &str) -> String {
    format!("{IMPORT_PREFIX}{digest}")
}

/// The partition of a shard's checkpoint.
pub fn checkpoint_partition(shard_id: &str) -> String {
    format!("CHECKPOINT#{shard_id}")
}

/// The partition of a team's settings.
pub fn settings_partition(team_id: &TeamId) -> String {
    format!("SETTINGS#{team_id}")
}

/// The partition of a team's audit.
pub fn audit_partition(team_id: &TeamId) -> String {
    format!("AUDIT#{team_id}")
}

/// The sort key of an event of the audit. Without an id it is below all of that
/// millisecond.
pub fn audit_event(time: Timestamp, event_id: &str) -> String {
    format!("{time}#{event_id}")
}

const DELETION_PREFIX: &str = "DELETION#";

/// The partition of a team's deletions.
pub fn deletion_partition(team_id: &TeamId) -> String {
    format!("{DELETION_PREFIX}{team_id}")
}

/// The entry of a flow's deletion.
pub fn deletion_entry(flow_id: &FlowId) -> String {
    format!("F#{flow_id}")
}

/// The team and the flow of a deletion's keys.
pub fn deletion_of(item: &Item) -> Option<(TeamId, FlowId)> {
    let pk = item.get("pk")?.as_s().ok()?;
    let team_id = pk.strip_prefix(DELETION_PREFIX)?.parse().ok()?;
    let flow_id = sort_key(item)?.strip_prefix("F#")?.parse().ok()?;
    Some((team_id, flow_id))
}

/// Whether a change of the item with these keys can be one that the reaper
/// ([`crate::reap`]) has to do with.
pub fn concern_the_reaper(pk: &str, sk: &str) -> bool {
    sk == EXECUTION || pk.starts_with(DELETION_PREFIX)
}

/// A payload's name and part, from its sort key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PayloadKey<'a> {
    /// `input`, `output`, `context`, `data` or `step:<stepInstanceId>:<field>`.
    pub name: &'a str,
    /// Counts from 0.
    pub part: u32,
}

/// Reads the sort key of a payload.
pub fn payload_of(sk: &str) -> Option<PayloadKey<'_>> {
    let (name, part) = sk.strip_prefix(PAYLOAD_PREFIX)?.rsplit_once('#')?;
    let is_part = part.len() == 4 && part.bytes().all(|byte| byte.is_ascii_digit());
    if name.is_empty() || !is_part {
        return None;
    }
    Some(PayloadKey {
        name,
        part: part.parse().ok()?,
    })
}

/// What the sort key of a step says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepKey<'a> {
    /// The branch's run, of a step inside a branch.
    pub branch_execution_id: Option<&'a str>,
    /// When the step began.
    pub start_time: &'a str,
    /// The id of this run of the step.
    pub step_instance_id: &'a str,
}

/// Reads the sort key of a step, top-level or of a branch.
pub fn step_of(sk: &str) -> Option<StepKey<'_>> {
    let parts: Vec<&str> = sk.split('#').collect();
    match parts[..] {
        ["STEP", start_time, step_instance_id] => Some(StepKey {
            branch_execution_id: None,
            start_time,
            step_instance_id,
        }),
        [
            "BRANCH",
            _,
            _,
            branch_execution_id,
            start_time,
            step_instance_id,
        ] => Some(StepKey {
            branch_execution_id: Some(branch_execution_id),
            start_time,
            step_instance_id,
        }),
        _ => None,
    }
}

/// Whether an item has the keys of an execution.
pub fn is_execution(item: &Item) -> bool {
    let pk = item.get("pk").and_then(|pk| pk.as_s().ok());
    sort_key(item) == Some(EXECUTION) && pk.is_some_and(|pk| execution_id_of(pk).is_some())
}

/// The sort key of an item, where it is text.
pub fn sort_key(item: &Item) -> Option<&str> {
    item.get("sk")?.as_s().ok().map(String::as_str)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: &str = "[A-Za-z0-9._:@/+=-]{1,128}";
    const MOMENT: std::ops::Range<i64> = 0..4_102_444_800_000;

    fn moment(milliseconds: i64) -> Timestamp {
        Timestamp::from_milliseconds(milliseconds).expect("within range")
    }

    proptest! {
        #[test]
        fn an_execution_id_survives_its_key(id in ID) {
            let execution_id: ExecutionId = id.parse().expect("an id");
            let pk = execution_partition(&execution_id);
            prop_assert_eq!(execution_id_of(&pk), Some(id.as_str()));
        }

        #[test]
        fn a_step_key_says_what_made_it(id in ID, time in MOMENT) {
            let start_time = moment(time).to_string();
            let sk = step(moment(time), &id);
            prop_assert_eq!(step_of(&sk), Some(StepKey {
                branch_execution_id: None,
                start_time: &start_time,
                step_instance_id: &id,
            }));
        }

        #[test]
        fn a_branch_key_says_what_made_it(
            fork in ID, branch in ID, id in ID, fork_time in MOMENT, time in MOMENT,
        ) {
            let start_time = moment(time).to_string();
            let prefix = branches_of_fork(moment(fork_time), &fork);
            let sk = branch_step(&prefix, &branch, moment(time), &id);
            prop_assert!(sk.len() <= 1024, "DynamoDB ends a sort key at 1,024 bytes");
            prop_assert_eq!(step_of(&sk), Some(StepKey {
                branch_execution_id: Some(&branch),
                start_time: &start_time,
                step_instance_id: &id,
            }));
        }

        #[test]
        fn the_keys_of_a_deletion_say_what_is_deleted(team in ID, flow in ID) {
            let team_id: TeamId = team.parse().expect("an id");
            let flow_id: FlowId = flow.parse().expect("an id");
            let entry = deletion_entry(&flow_id);
            let item = crate::store::key(deletion_partition(&team_id), entry);
            prop_assert_eq!(deletion_of(&item), Some((team_id, flow_id)));
        }

        #[test]
        fn a_payload_key_says_what_made_it(id in ID, part in 0_u32..10_000) {
            let name = step_payload_name(&id, "output");
            let sk = payload(&name, part);
            prop_assert!(sk.starts_with(&payload_parts(&name)));
            prop_assert!(sk.starts_with(STEP_PAYLOADS));
            prop_assert_eq!(payload_of(&sk), Some(PayloadKey { name: &name, part }));
        }

        #[test]
        fn the_order_of_step_keys_is_the_order_of_time(
            a in ID, b in ID, first in MOMENT, second in MOMENT,
        ) {
            prop_assume!(first < second);
            let (first, second) = (moment(first), moment(second));
            let (earlier, later) = (step(first, &a), step(second, &b));
            prop_assert!(earlier < later);
        }

        #[test]
        fn no_text_is_misread(sk in ".{0,80}") {
            let _ = (step_of(&sk), payload_of(&sk), execution_id_of(&sk), token_id_of(&sk));
        }
    }

    #[test]
    fn inside_a_run_the_records_stand_in_the_order_that_one_range_needs() {
        let branch = branches_of_fork(moment(0), "fork-1");
        let payload = payload_parts("context");
        assert!(branch.as_str() < CASCADE && CASCADE < EXECUTION);
        assert!(EXECUTION < payload.as_str());
        assert!(payload.as_str() < STEP_PAYLOADS);
        assert!(STEP_PAYLOADS < STEPS);
        assert!(STEPS < TRACE && !TRACE.starts_with(STEPS));
    }
}
