//! Every key of the table, with the access pattern that it serves.
//!
//! | record | `pk` | `sk` | read by |
//! | --- | --- | --- | --- |
//! | execution | `EXEC#<executionId>` | `EXECUTION` | its id; the indexes of the crate `store` |
//! | payload | `EXEC#<executionId>` | `PAYLOAD#<name>#<part>` | its run; its name |
//! | step | `EXEC#<executionId>` | `STEP#<startTime>#<stepInstanceId>` | its run, in order of time |
//! | step of a branch | `EXEC#<executionId>` | `BRANCH#<parentStepStartTime>#<parentStepInstanceId>#<branchExecutionId>#<startTime>#<stepInstanceId>` | its fork: one range |
//! | span that is the run of a trace | `EXEC#<executionId>` | `TRACE#<startTime>#<stepInstanceId>` | its run |
//! | state of a trace, or that its run was deleted or is another one | `EXEC#<executionId>` | `TRACE` | its run |
//! | places of the spans with an id | `EXEC#<executionId>` | `TRACE#PLACES#<spanId>` | its run and the id |
//! | flag to delete a run's sub-flows with it | `EXEC#<executionId>` | `CASCADE` | its run |
//! | token | `TOKEN#<tokenId>` | `TOKEN` | its id |
//! | index of tokens | `TOKENS` | `<teamId>#<tokenId>` | all, or a team's |
//! | counts of a day | `COUNT#<teamId>#<scope>` | `<yyyy-mm-dd>` | their scope and days: one range |
//! | durations of six hours | `DURATION#<teamId>#<scope>` | `<yyyy-mm-dd>T<hh>` | their scope and hours |
//! | entry of a label | `LABEL#<teamId>#<name>=<value>` | `<createdAt>#<executionId>` | its label, newest first |
//! | time at which an open run is checked | `DEADLINE#<shard>` | `<time>#<executionId>` | its shard, in order of time |
//! | index of scopes | `SCOPES` | `<teamId>#<scope>` | all, or a team's |
//! | flag that all runs are counted | `SCOPES` | `#COMPLETE` | itself |
//! | checkpoint of a stream | `CHECKPOINT#<shardId>` | `CHECKPOINT` | its shard |
//! | position of a shard's removals | `CHECKPOINT#<shardId>` | `REAP` | its shard |
//! | position of a shard's labels | `CHECKPOINT#<shardId>` | `LABELS` | its shard |
//! | flag that labels have their own position | `SCOPES` | `#LABELS` | itself |
//! | a team's masking settings | `SETTINGS#<teamId>` | `MASKING` | its team |
//! | a team's own roles | `SETTINGS#<teamId>` | `ROLES` | its team |
//! | a team's rules for stalled runs | `SETTINGS#<teamId>` | `STALLED` | its team |
//! | a team's trace profiles | `SETTINGS#<teamId>` | `PROFILES` | its team |
//! | a team's retention rules | `SETTINGS#<teamId>` | `RETENTION` | its team |
//! | an event of the audit | `AUDIT#<teamId>` | `<time>#<eventId>` | its team, in order of time |
//! | unfinished deletion of a flow's runs | `DELETION#<teamId>` | `F#<flowId>` | its flow |
//! | run of several traces, by the engine's id of it | `RUNID#<teamId>#<run id>` | `RUNID` | the engine's id |
//! | progress of the import of a file | `IMPORT#<digest>` | `IMPORT` | the file's beginning |
//! | state of the demo | `DEMO` | `DEMO` | itself |
//!
//! A scope is `*` (the team), `F#<flowId>`, `D#<deviceId>` or `F#<flowId>#D#<deviceId>`.
//!
//! Ids and times never contain `#`, so a key can be split in only one way. Inside a run's partition
//! `BRANCH < EXECUTION < PAYLOAD < STEP < TRACE`: the run, its payloads and its top-level steps are
//! one range that starts at [`EXECUTION`], and readers skip what follows the steps.

use crate::attributes::{PARTITION_KEY, SORT_KEY, text};
use crate::label::Label;
use crate::model::{DeviceId, ExecutionId, FlowId, Item, TeamId, Timestamp};

/// The sort key of an execution's own item.
pub const EXECUTION: &str = "EXECUTION";
/// The sort key of the flag that a run's sub-flows are deleted with it.
pub const CASCADE: &str = "CASCADE";
/// The prefix of the sort keys of all top-level steps.
pub const STEPS: &str = "STEP#";
/// The prefix of the sort keys of the steps of all branches.
pub const BRANCHES: &str = "BRANCH#";
/// The prefix of the sort keys of all payloads of steps.
pub const STEP_PAYLOADS: &str = "PAYLOAD#step:";
/// The sort key of the state of a trace.
pub const TRACE: &str = "TRACE";
/// The prefix of the sort keys of all places of spans.
pub const PLACES_OF_SPANS: &str = "TRACE#PLACES#";
/// The partition of the token index.
pub const TOKEN_INDEX: &str = "TOKENS";
/// The sort key of a token's own item.
pub const TOKEN: &str = "TOKEN";
/// The partition of the scope index.
pub const SCOPE_INDEX: &str = "SCOPES";
/// In the scope index, the flag that the counters include all runs of the table. No team can have
/// this id.
pub const COMPLETE: &str = "#COMPLETE";
/// The sort key of a shard's checkpoint.
pub const CHECKPOINT: &str = "CHECKPOINT";
/// The sort key of the position up to which a shard's removals were followed.
pub const REAP: &str = "REAP";
/// The sort key of the position up to which a shard's labels were followed.
pub const LABELS: &str = "LABELS";
/// In the scope index, the flag that labels have their own position in the stream. No team can have
/// this id.
pub const LABELS_SEPARATE: &str = "#LABELS";
/// The sort key of a team's masking settings.
pub const MASKING: &str = "MASKING";
/// The sort key of a team's own roles.
pub const ROLES: &str = "ROLES";
/// The sort key of a team's rules for stalled runs.
pub const STALLED: &str = "STALLED";
/// The sort key of a team's trace profiles.
pub const PROFILES: &str = "PROFILES";
/// The sort key of a team's retention rules.
pub const RETENTION: &str = "RETENTION";
/// Both keys of the item with the state of the demo data.
pub const DEMO: &str = "DEMO";

/// The prefix of the partition keys of all executions.
pub const EXECUTION_PREFIX: &str = "EXEC#";
const PAYLOAD_PREFIX: &str = "PAYLOAD#";
const TOKEN_PREFIX: &str = "TOKEN#";

/// The complete key of an item.
pub fn key(pk: impl Into<String>, sk: impl Into<String>) -> Item {
    Item::from([
        (PARTITION_KEY.to_owned(), text(pk)),
        (SORT_KEY.to_owned(), text(sk)),
    ])
}

/// Returns whether a partition belongs to Flowtrail itself, so that no engine writes into it.
pub fn is_own_partition(pk: &str) -> bool {
    const PREFIXES: [&str; 11] = [
        "AUDIT#",
        "CHECKPOINT#",
        "COUNT#",
        DEADLINE_PREFIX,
        DELETION_PREFIX,
        "DURATION#",
        IMPORT_PREFIX,
        LABEL_PREFIX,
        RUN_ID_PREFIX,
        "SETTINGS#",
        TOKEN_PREFIX,
    ];
    [TOKEN_INDEX, SCOPE_INDEX, DEMO].contains(&pk)
        || PREFIXES.iter().any(|prefix| pk.starts_with(prefix))
}

/// Returns whether an item in a run's partition belongs to Flowtrail itself.
pub fn is_own_of_run(sk: &str) -> bool {
    let first = sk.split_once('#').map_or(sk, |(first, _)| first);
    [CASCADE, TRACE].contains(&first)
}

/// Greater than every character of a key, so that `prefix` to `prefix` + this is the range of all
/// keys with that prefix.
pub const LAST: char = '\u{10FFFF}';

/// The partition of a run.
pub fn execution_partition(execution_id: &ExecutionId) -> String {
    format!("{EXECUTION_PREFIX}{execution_id}")
}

/// The id of the run with the partition key `pk`.
pub fn execution_id_of(pk: &str) -> Option<&str> {
    pk.strip_prefix(EXECUTION_PREFIX)
        .filter(|execution_id| !execution_id.is_empty())
}

/// The sort key of a top-level step.
pub fn step(start_time: Timestamp, step_instance_id: &str) -> String {
    format!("{STEPS}{start_time}#{step_instance_id}")
}

/// The sort key of a step in a branch. `fork` is the prefix of the keys below its fork, from
/// [`branches_of_fork`].
pub fn branch_step(
    fork: &str,
    branch_execution_id: &str,
    start_time: Timestamp,
    step_instance_id: &str,
) -> String {
    format!("{fork}{branch_execution_id}#{start_time}#{step_instance_id}")
}

/// The sort key of the span that is the run of a trace, and therefore not a step.
pub fn span_of_run(start_time: Timestamp, step_instance_id: &str) -> String {
    format!("{TRACE}#{start_time}#{step_instance_id}")
}

/// The sort key of the item with the places of the spans of a trace that have this id.
pub fn places_of_span(span_id: &str) -> String {
    format!("{PLACES_OF_SPANS}{span_id}")
}

/// The sort key of one part of a payload.
pub fn payload(name: &str, part: u32) -> String {
    format!("{}{part:04}", payload_parts(name))
}

/// The prefix of the sort keys of all steps below one fork. The time and id belong to the
/// `PARALLEL_FORK_MANAGER` step, which is itself a step of the run or, for a nested fork, of a
/// branch.
pub fn branches_of_fork(start_time: Timestamp, fork: &str) -> String {
    format!("{BRANCHES}{start_time}#{fork}#")
}

/// The prefix of the sort keys of all parts of a payload.
pub fn payload_parts(name: &str) -> String {
    format!("{PAYLOAD_PREFIX}{name}#")
}

/// The name of the payload with a field that is too large for its step.
pub fn step_payload_name(step_instance_id: &str, field: &str) -> String {
    format!("step:{step_instance_id}:{field}")
}

/// The partition of a token.
pub fn token_partition(token_id: &str) -> String {
    format!("{TOKEN_PREFIX}{token_id}")
}

/// The id of the token with the partition key `pk`.
pub fn token_id_of_partition(pk: &str) -> Option<&str> {
    pk.strip_prefix(TOKEN_PREFIX)
}

/// A token's entry in the token index.
pub fn token_index_entry(team_id: &TeamId, token_id: &str) -> String {
    format!("{team_id}#{token_id}")
}

/// The id of the token with the index entry `sk`.
pub fn token_id_of(sk: &str) -> Option<&str> {
    sk.split_once('#').map(|(_, token_id)| token_id)
}

/// The scope of a team's runs, of a flow, of a device, or of both.
pub fn scope(flow_id: Option<&FlowId>, device_id: Option<&DeviceId>) -> String {
    match (flow_id, device_id) {
        (None, None) => "*".to_owned(),
        (Some(flow_id), None) => format!("F#{flow_id}"),
        (None, Some(device_id)) => format!("D#{device_id}"),
        (Some(flow_id), Some(device_id)) => format!("F#{flow_id}#D#{device_id}"),
    }
}

/// The partition of a scope's counts, with one item for each day.
pub fn count_partition(team_id: &TeamId, scope: &str) -> String {
    format!("COUNT#{team_id}#{scope}")
}

/// The partition of a scope's durations, with one item for six hours.
pub fn duration_partition(team_id: &TeamId, scope: &str) -> String {
    format!("DURATION#{team_id}#{scope}")
}

/// The team and the scope of the counters in the partition `pk`.
pub fn scope_of_counter(pk: &str) -> Option<(&str, &str)> {
    let rest = pk
        .strip_prefix("COUNT#")
        .or_else(|| pk.strip_prefix("DURATION#"))?;
    rest.split_once('#')
}

/// A scope's entry in the scope index.
pub fn scope_index_entry(team_id: &TeamId, scope: &str) -> String {
    format!("{team_id}#{scope}")
}

/// The team and the scope of the index entry `sk`.
pub fn scope_of_index_entry(sk: &str) -> Option<(&str, &str)> {
    sk.split_once('#')
}

const LABEL_PREFIX: &str = "LABEL#";

/// The partition of a label, with a team's runs that have it.
pub fn label_partition(team_id: &str, label: &Label) -> String {
    format!("{LABEL_PREFIX}{team_id}#{label}")
}

/// A run's entry under each of its labels.
pub fn label_entry(created_at: &str, execution_id: &str) -> String {
    format!("{created_at}#{execution_id}")
}

/// The run of a label entry, from the entry's keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LabelledRun<'a> {
    /// The run's team.
    pub team_id: &'a str,
    /// When the run was created.
    pub created_at: &'a str,
    /// The run.
    pub execution_id: &'a str,
}

/// Parses the keys of a label entry.
pub fn run_of_label_entry(item: &Item) -> Option<LabelledRun<'_>> {
    let pk = item.get(PARTITION_KEY)?.as_s().ok()?;
    let (team_id, _) = pk.strip_prefix(LABEL_PREFIX)?.split_once('#')?;
    let (created_at, execution_id) = sort_key(item)?.split_once('#')?;
    Some(LabelledRun {
        team_id,
        created_at,
        execution_id,
    })
}

const DEADLINE_PREFIX: &str = "DEADLINE#";

/// The number of partitions of the times at which runs are checked. A partition accepts 1,000
/// writes a second, and each run needs two, so 8,000 runs a second can start.
pub const DEADLINE_SHARDS: u8 = 16;

/// The partition of a run's entries. Entries from a release with another number of partitions are
/// still found, unless this release has fewer.
pub fn deadline_shard(execution_id: &ExecutionId) -> u8 {
    crate::hash::sha256(execution_id.as_str())[0] % DEADLINE_SHARDS
}

/// The partition of deadline entries.
pub fn deadline_partition(shard: u8) -> String {
    format!("{DEADLINE_PREFIX}{shard:02}")
}

/// The entry for checking a run at a time.
pub fn deadline_entry(time: Timestamp, execution_id: &ExecutionId) -> String {
    format!("{time}#{execution_id}")
}

/// The run of a deadline entry.
pub fn execution_id_of_deadline(sk: &str) -> Option<ExecutionId> {
    sk.split_once('#')?.1.parse().ok()
}

const RUN_ID_PREFIX: &str = "RUNID#";

/// The sort key of the run that an engine's id of a run belongs to.
pub const RUN_ID: &str = "RUNID";

/// The partition of the run that an engine's id of a run belongs to.
pub fn run_id_partition(team_id: &TeamId, run_id: &str) -> String {
    format!("{RUN_ID_PREFIX}{team_id}#{run_id}")
}

const IMPORT_PREFIX: &str = "IMPORT#";

/// The sort key of the progress of an import.
pub const IMPORT: &str = "IMPORT";

/// The partition of the progress of an import, by the digest of the file's beginning.
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

/// The sort key of an audit event. Without an id it is less than all events of that millisecond.
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

/// Parses the team and the flow from a deletion's keys.
pub fn deletion_of(item: &Item) -> Option<(TeamId, FlowId)> {
    let pk = item.get(PARTITION_KEY)?.as_s().ok()?;
    let team_id = pk.strip_prefix(DELETION_PREFIX)?.parse().ok()?;
    let flow_id = sort_key(item)?.strip_prefix("F#")?.parse().ok()?;
    Some((team_id, flow_id))
}

/// Returns whether the reaper (`history::run_changes`) may have to handle a change of the item with
/// these keys.
pub fn is_relevant_to_reaper(pk: &str, sk: &str) -> bool {
    sk == EXECUTION || pk.starts_with(DELETION_PREFIX)
}

/// A payload's name and part, from its sort key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PayloadKey<'a> {
    /// `input`, `output`, `context`, `data` or `step:<stepInstanceId>:<field>`.
    pub name: &'a str,
    /// The number of the part, starting at 0.
    pub part: u32,
}

/// Parses the sort key of a payload.
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

/// The values in the sort key of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepKey<'a> {
    /// The id of the fork, for a step inside a branch.
    pub parent_step_instance_id: Option<&'a str>,
    /// The id of this run of the branch, for a step inside a branch.
    pub branch_execution_id: Option<&'a str>,
    /// When the step started.
    pub start_time: &'a str,
    /// The id of this run of the step.
    pub step_instance_id: &'a str,
}

/// Parses the sort key of a step, in a branch or not.
pub fn step_of(sk: &str) -> Option<StepKey<'_>> {
    let parts: Vec<&str> = sk.split('#').collect();
    match parts[..] {
        ["STEP", start_time, step_instance_id] => Some(StepKey {
            parent_step_instance_id: None,
            branch_execution_id: None,
            start_time,
            step_instance_id,
        }),
        [
            "BRANCH",
            _,
            parent_step_instance_id,
            branch_execution_id,
            start_time,
            step_instance_id,
        ] => Some(StepKey {
            parent_step_instance_id: Some(parent_step_instance_id),
            branch_execution_id: Some(branch_execution_id),
            start_time,
            step_instance_id,
        }),
        _ => None,
    }
}

/// Returns whether an item has the keys of an execution.
pub fn is_execution(item: &Item) -> bool {
    let pk = item.get(PARTITION_KEY).and_then(|pk| pk.as_s().ok());
    sort_key(item) == Some(EXECUTION) && pk.is_some_and(|pk| execution_id_of(pk).is_some())
}

/// The sort key of an item, if it is a text.
pub fn sort_key(item: &Item) -> Option<&str> {
    item.get(SORT_KEY)?.as_s().ok().map(String::as_str)
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
        fn a_step_key_is_parsed_to_its_parts(id in ID, time in MOMENT) {
            let start_time = moment(time).to_string();
            let sk = step(moment(time), &id);
            prop_assert_eq!(step_of(&sk), Some(StepKey {
                parent_step_instance_id: None,
                branch_execution_id: None,
                start_time: &start_time,
                step_instance_id: &id,
            }));
        }

        #[test]
        fn a_branch_key_is_parsed_to_its_parts(
            fork in ID, branch in ID, id in ID, fork_time in MOMENT, time in MOMENT,
        ) {
            let start_time = moment(time).to_string();
            let prefix = branches_of_fork(moment(fork_time), &fork);
            let sk = branch_step(&prefix, &branch, moment(time), &id);
            prop_assert!(sk.len() <= 1024, "DynamoDB limits a sort key to 1,024 bytes");
            prop_assert_eq!(step_of(&sk), Some(StepKey {
                parent_step_instance_id: Some(&fork),
                branch_execution_id: Some(&branch),
                start_time: &start_time,
                step_instance_id: &id,
            }));
        }

        #[test]
        fn the_keys_of_a_deletion_are_parsed_to_its_flow(team in ID, flow in ID) {
            let team_id: TeamId = team.parse().expect("an id");
            let flow_id: FlowId = flow.parse().expect("an id");
            let entry = deletion_entry(&flow_id);
            let item = key(deletion_partition(&team_id), entry);
            prop_assert_eq!(deletion_of(&item), Some((team_id, flow_id)));
        }

        #[test]
        fn a_payload_key_is_parsed_to_its_parts(id in ID, part in 0_u32..10_000) {
            let name = step_payload_name(&id, "output");
            let sk = payload(&name, part);
            prop_assert!(sk.starts_with(&payload_parts(&name)));
            prop_assert!(sk.starts_with(STEP_PAYLOADS));
            prop_assert_eq!(payload_of(&sk), Some(PayloadKey { name: &name, part }));
        }

        #[test]
        fn step_keys_are_ordered_by_time(
            a in ID, b in ID, first in MOMENT, second in MOMENT,
        ) {
            prop_assume!(first < second);
            let (first, second) = (moment(first), moment(second));
            let (earlier, later) = (step(first, &a), step(second, &b));
            prop_assert!(earlier < later);
        }

        #[test]
        fn parsing_a_key_never_panics(sk in ".{0,80}") {
            let _ = (step_of(&sk), payload_of(&sk), execution_id_of(&sk), token_id_of(&sk));
        }
    }

    #[test]
    fn the_records_of_a_run_are_ordered_for_one_range() {
        let branch = branches_of_fork(moment(0), "fork-1");
        let payload = payload_parts("context");
        assert!(branch.as_str() < CASCADE && CASCADE < EXECUTION);
        assert!(EXECUTION < payload.as_str());
        assert!(payload.as_str() < STEP_PAYLOADS);
        assert!(STEP_PAYLOADS < STEPS);
        assert!(STEPS < TRACE && !TRACE.starts_with(STEPS));
    }
}
