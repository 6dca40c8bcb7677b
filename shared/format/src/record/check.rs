//! Checks records against the record format. Each fault says what is wrong and what to do about it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use aws_sdk_dynamodb::types::AttributeValue;

use super::definition::{RecordKind, is_fork, parse_whole};
use crate::attributes;
use crate::cycles::find_cycles;
use crate::keys;
use crate::model::{ExecutionType, Item, Timestamp, is_id};

/// A fault of an attribute of a record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The attribute.
    pub attribute: String,
    /// What is wrong, such as `"yesterday" is not a time of the record format`.
    pub problem: String,
    /// What to do about it, as a sentence.
    pub remedy: String,
}

impl Fault {
    fn new(
        attribute: impl Into<String>,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            attribute: attribute.into(),
            problem: problem.into(),
            remedy: remedy.into(),
        }
    }
}

/// Checks a single record from an engine. Returns no faults for a record that conforms to the
/// format, and for Flowtrail's own items.
pub fn faults_of(item: &Item) -> Vec<Fault> {
    let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok());
    let (Some(pk), Some(sk)) = (text(attributes::PARTITION_KEY), text(attributes::SORT_KEY)) else {
        let remedy = "Write both keys as texts (S)";
        return vec![Fault::new(
            attributes::PARTITION_KEY,
            "the keys are missing or are not texts",
            remedy,
        )];
    };
    let Some(kind) = RecordKind::from_keys(pk, sk) else {
        return match is_flowtrails_own(pk, sk) {
            true => Vec::new(),
            false => vec![unknown_keys(pk)],
        };
    };
    let mut faults = Vec::new();
    for attribute in kind.attributes() {
        match item.get(attribute.name) {
            Some(AttributeValue::Null(_)) if attribute.can_be_null() => {}
            Some(value) => {
                let fault = attribute.of.fault(value);
                let fault =
                    fault.map(|(problem, remedy)| Fault::new(attribute.name, problem, remedy));
                faults.extend(fault);
            }
            None if attribute.is_required() => {
                let remedy = format!("Every {} must have it", describe(kind));
                faults.push(Fault::new(attribute.name, "it is missing", remedy));
            }
            None => {}
        }
    }
    faults.extend(faults_of_keys(kind, pk, sk, item));
    faults.extend(faults_between(kind, sk, item));
    faults
}

/// The name of the kind of record in a sentence.
fn describe(kind: RecordKind) -> &'static str {
    match kind {
        RecordKind::Execution => "execution",
        RecordKind::Step => "step",
        RecordKind::BranchStep => "step of a branch",
        RecordKind::Payload => "payload",
    }
}

/// Returns whether the item with these keys is one of Flowtrail's own.
pub fn is_flowtrails_own(pk: &str, sk: &str) -> bool {
    match keys::execution_id_of(pk) {
        Some(_) => keys::is_own_of_run(sk),
        None => keys::is_own_partition(pk),
    }
}

fn unknown_keys(pk: &str) -> Fault {
    if keys::execution_id_of(pk).is_none() {
        let problem = format!("{pk:?} is not the partition of a record");
        return Fault::new(
            attributes::PARTITION_KEY,
            problem,
            "Write EXEC#<executionId>",
        );
    }
    let forms: Vec<_> = RecordKind::ALL.map(RecordKind::sort_key_form).to_vec();
    let remedy = format!("Write one of {}", forms.join(", "));
    Fault::new(
        attributes::SORT_KEY,
        "it is not the key of a record",
        remedy,
    )
}

/// Checks that the keys and the attributes have the same values.
fn faults_of_keys(kind: RecordKind, pk: &str, sk: &str, item: &Item) -> Vec<Fault> {
    let execution_id = keys::execution_id_of(pk).unwrap_or_default();
    let mut faults = Vec::new();
    if !is_id(execution_id) {
        let problem = format!("{execution_id:?} is not a valid id");
        faults.push(Fault::new(
            attributes::PARTITION_KEY,
            problem,
            "Write EXEC#<executionId> with a valid id",
        ));
    }
    let Some(values) = values_in_key(kind, execution_id, sk) else {
        let remedy = format!("Write {}", kind.sort_key_form());
        let problem = "it does not have the form for its kind of record";
        faults.push(Fault::new(attributes::SORT_KEY, problem, remedy));
        return faults;
    };
    for (name, in_key) in values {
        let written = item.get(name).and_then(|value| value.as_s().ok());
        if written.is_some_and(|written| written != in_key) {
            let problem = format!("the key has {in_key:?}");
            let remedy = "Write the same value into the key and the attribute";
            faults.push(Fault::new(name, problem, remedy));
        }
    }
    faults
}

/// The values in a record's keys, by the attributes that repeat them. Returns `None` if the sort
/// key does not have the form for its kind of record.
fn values_in_key<'a>(
    kind: RecordKind,
    execution_id: &'a str,
    sk: &'a str,
) -> Option<Vec<(&'static str, &'a str)>> {
    let parts: Vec<&str> = sk.split('#').collect();
    match (kind, &parts[..]) {
        (RecordKind::Execution, [_]) => Some(vec![(attributes::EXECUTION_ID, execution_id)]),
        (RecordKind::Step, [_, start, id]) => Some(vec![
            (attributes::START_TIME, *start),
            (attributes::STEP_INSTANCE_ID, *id),
        ]),
        (RecordKind::BranchStep, [_, fork_start, fork, branch, start, id]) => Some(vec![
            (attributes::PARENT_STEP_START_TIME, *fork_start),
            (attributes::PARENT_STEP_INSTANCE_ID, *fork),
            (attributes::BRANCH_EXECUTION_ID, *branch),
            (attributes::START_TIME, *start),
            (attributes::STEP_INSTANCE_ID, *id),
        ]),
        (RecordKind::Payload, _) if is_payload_key(sk) => Some(Vec::new()),
        _ => None,
    }
}

fn is_payload_key(sk: &str) -> bool {
    let Some(key) = keys::payload_of(sk) else {
        return false;
    };
    if [attributes::INPUT, attributes::OUTPUT, "context", "data"].contains(&key.name) {
        return true;
    }
    let of_step = key.name.strip_prefix("step:");
    of_step
        .and_then(|of_step| of_step.rsplit_once(':'))
        .is_some_and(|(id, field)| {
            is_id(id)
                && [
                    attributes::INPUT,
                    attributes::OUTPUT,
                    attributes::EXECUTION_DATA,
                ]
                .contains(&field)
        })
}

/// Checks attributes against each other.
fn faults_between(kind: RecordKind, sk: &str, item: &Item) -> Vec<Fault> {
    match kind {
        RecordKind::Execution => faults_of_parent(item)
            .into_iter()
            .chain(fault_of_times(item))
            .collect(),
        RecordKind::Step | RecordKind::BranchStep => {
            let created = item.contains_key(attributes::CREATED_AT).then(|| {
                let problem = "it puts the step into the lists of runs";
                Fault::new(attributes::CREATED_AT, problem, "Leave it out of steps")
            });
            let created = created.into_iter().chain(fault_of_times(item));
            created.chain(fault_of_own_parent(sk, item)).collect()
        }
        RecordKind::Payload => faults_of_payload(sk, item),
    }
}

fn faults_of_parent(item: &Item) -> Option<Fault> {
    let execution_type = item
        .get(attributes::EXECUTION_TYPE)
        .and_then(|value| value.as_s().ok());
    let is_subflow = execution_type.is_some_and(|of| of == ExecutionType::Subflow.as_str());
    match (
        is_subflow,
        item.contains_key(attributes::PARENT_EXECUTION_ID),
    ) {
        (true, false) => Some(Fault::new(
            attributes::PARENT_EXECUTION_ID,
            "it is missing",
            "Write the id of the run that started this SUBFLOW",
        )),
        (false, true) => Some(Fault::new(
            attributes::EXECUTION_TYPE,
            "the run has a parent but is not a SUBFLOW",
            "Write SUBFLOW",
        )),
        _ => None,
    }
}

fn fault_of_own_parent(sk: &str, item: &Item) -> Option<Fault> {
    let parent = nested_below(item)?;
    (keys::step_of(sk)?.step_instance_id == parent).then(|| {
        let problem = "it is the step itself";
        let remedy = "Write the id of the step below which it ran, or leave it out";
        Fault::new(attributes::PARENT_STEP_INSTANCE_ID, problem, remedy)
    })
}

/// The parent in the record of a step, which its key repeats if the step is in a branch.
fn nested_below(item: &Item) -> Option<&str> {
    let parent = item.get(attributes::PARENT_STEP_INSTANCE_ID)?.as_s().ok()?;
    Some(parent.as_str())
}

fn fault_of_times(item: &Item) -> Option<Fault> {
    let time = |name: &str| {
        let text = item.get(name)?.as_s().ok()?;
        text.parse::<Timestamp>().ok()
    };
    let (start, end) = (time(attributes::START_TIME)?, time(attributes::END_TIME)?);
    (end < start).then(|| {
        let problem = format!("it is before startTime, {start}");
        Fault::new(attributes::END_TIME, problem, "Write the time of its end")
    })
}

fn faults_of_payload(sk: &str, item: &Item) -> Vec<Fault> {
    let has = |name: &str| item.contains_key(name);
    let is_first = keys::payload_of(sk).is_none_or(|key| key.part == 0);
    let of_bytes = [attributes::ENCODING, attributes::PARTS].into_iter();
    let mut faults = Vec::new();
    let mut add = |name: &str, problem: &str, remedy: &str| {
        faults.push(Fault::new(name, problem, remedy));
    };
    if has(attributes::VALUE) && !is_first {
        let remedy = "Write a native value only into part 0000";
        add(attributes::VALUE, "the part is not 0000", remedy);
    }
    let has_value = "the payload has a native value";
    match (has(attributes::VALUE), has(attributes::BYTES)) {
        (false, false) => {
            let remedy = "Write a native value, or the bytes of a JSON text";
            add(attributes::VALUE, "value and bytes are missing", remedy);
        }
        (true, true) => {
            let remedy = "Write a native value or bytes, not both";
            add(attributes::BYTES, has_value, remedy);
        }
        (true, false) => of_bytes
            .filter(|name| has(name))
            .for_each(|name| add(name, has_value, "Leave it out")),
        (false, true) if is_first => of_bytes.filter(|name| !has(name)).for_each(|name| {
            let remedy = "Part 0000 of a payload in bytes must have it";
            add(name, "it is missing", remedy);
        }),
        (false, true) => {}
    }
    faults
}

/// Checks the records of a run against each other, which are inserted one after another.
#[derive(Debug, Default)]
pub struct RunCheck {
    pk: String,
    has_execution: bool,
    /// Whether the run is a trace. Its records are written in the order in which spans arrive.
    is_trace: bool,
    /// The forks that branches refer to, with the sort key of a step of the branch.
    needed_forks: BTreeMap<(String, String), String>,
    forks: HashSet<(String, String)>,
    /// The sort keys of steps by their ids.
    steps: HashMap<String, String>,
    /// The ids of steps with the ids of their parents or forks.
    parents: BTreeMap<String, String>,
    /// For each payload, the number of parts in its first part, and the parts that were found.
    payloads: BTreeMap<String, (Option<u64>, BTreeSet<u64>)>,
    faults: Vec<(String, Fault)>,
}

impl RunCheck {
    /// Creates the check of the run with this partition key.
    pub fn new(pk: &str) -> Self {
        Self {
            pk: pk.to_owned(),
            ..Self::default()
        }
    }

    /// The partition key of the run.
    pub fn pk(&self) -> &str {
        &self.pk
    }

    /// Adds a record of the run.
    pub fn insert(&mut self, item: &Item) {
        let Some(sk) = keys::sort_key(item) else {
            return;
        };
        match RecordKind::from_keys(&self.pk, sk) {
            Some(RecordKind::Execution) => self.has_execution = true,
            Some(RecordKind::Step | RecordKind::BranchStep) => self.insert_step(sk, item),
            Some(RecordKind::Payload) => self.insert_payload(sk, item),
            None => self.is_trace |= sk == keys::TRACE,
        }
    }

    fn insert_step(&mut self, sk: &str, item: &Item) {
        let Some(step) = keys::step_of(sk) else {
            return;
        };
        let id = step.step_instance_id.to_owned();
        if is_fork(item) {
            self.forks.insert((step.start_time.to_owned(), id.clone()));
        }
        if let ["BRANCH", fork_start, fork, ..] = sk.split('#').collect::<Vec<_>>()[..] {
            let fork = (fork_start.to_owned(), fork.to_owned());
            self.needed_forks
                .entry(fork)
                .or_insert_with(|| sk.to_owned());
        }
        let parent = step.parent_step_instance_id.or_else(|| nested_below(item));
        if let Some(parent) = parent.filter(|parent| *parent != id) {
            self.parents.insert(id.clone(), parent.to_owned());
        }
        if let Some(other) = self.steps.insert(id, sk.to_owned()) {
            let problem = format!("the step at {other} has the same id");
            let remedy = "Give each run of a step its own id, and write its end under the same key as its start";
            let fault = Fault::new(attributes::STEP_INSTANCE_ID, problem, remedy);
            self.faults.push((sk.to_owned(), fault));
        }
    }

    fn insert_payload(&mut self, sk: &str, item: &Item) {
        let Some(key) = keys::payload_of(sk) else {
            return;
        };
        let payload = self.payloads.entry(key.name.to_owned()).or_default();
        payload.1.insert(u64::from(key.part));
        if key.part == 0 {
            let parts = item.get(attributes::PARTS).and_then(|parts| match parts {
                AttributeValue::N(digits) => parse_whole(digits),
                _ => None,
            });
            payload.0 = parts.or(Some(1));
        }
    }

    /// Returns the faults between the records, each with the sort key of the record that has it.
    pub fn end(mut self) -> Vec<(String, Fault)> {
        let has_records = !self.steps.is_empty() || !self.payloads.is_empty();
        // The spans of a trace from an earlier release wait for their root, and then expire.
        if has_records && !self.has_execution && !self.is_trace {
            let fault = Fault::new(
                attributes::SORT_KEY,
                "the run has records but no EXECUTION, so it cannot be found",
                "Write the execution first, or delete the records if the run was deleted",
            );
            self.faults.push((keys::EXECUTION.to_owned(), fault));
        }
        for ((start, id), sk) in self.needed_forks {
            if !self.forks.contains(&(start.clone(), id.clone())) {
                let problem =
                    format!("no PARALLEL_FORK_MANAGER step with the id {id} started at {start}");
                let remedy = "Write the fork's own startTime and stepInstanceId into the key";
                self.faults.push((
                    sk,
                    Fault::new(attributes::PARENT_STEP_INSTANCE_ID, problem, remedy),
                ));
            }
        }
        for id in ids_in_cycles(&self.parents) {
            let problem = "the step is below itself, through its parents";
            let remedy = "Write the id of the step below which it ran";
            let fault = Fault::new(attributes::PARENT_STEP_INSTANCE_ID, problem, remedy);
            let sk = self.steps.get(id).cloned().unwrap_or_default();
            self.faults.push((sk, fault));
        }
        for (name, (count, found)) in self.payloads {
            let sk = keys::payload(&name, 0);
            let Some(count) = count else {
                let remedy = "Write all parts, from 0000 on";
                let fault = Fault::new(attributes::SORT_KEY, "part 0000 is missing", remedy);
                self.faults.push((sk, fault));
                continue;
            };
            // Additional parts remain of an earlier, longer payload, and are harmless.
            let Some(missing) = (0..count).find(|part| !found.contains(part)) else {
                continue;
            };
            let problem = format!("it is {count}, but part {missing:04} is missing");
            let remedy = "Write all of these parts, without a gap";
            let fault = Fault::new(attributes::PARTS, problem, remedy);
            self.faults.push((sk, fault));
        }
        self.faults
    }
}

/// Returns the ids that are their own ancestors. `parents` has the parent of each id.
fn ids_in_cycles(parents: &BTreeMap<String, String>) -> Vec<&String> {
    let ids: Vec<_> = parents.keys().collect();
    let position = |parent: &String| ids.binary_search(&parent).ok();
    let cycles = find_cycles(&parents.values().map(position).collect::<Vec<_>>());
    let members = ids.into_iter().zip(cycles);
    members
        .filter_map(|(id, is_in_cycle)| is_in_cycle.then_some(id))
        .collect()
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::primitives::Blob;
    use serde_json::{Value, json};

    use super::*;

    fn item(record: Value) -> Item {
        serde_dynamo::to_item(record).expect("an item")
    }

    fn merged(base: Value, changes: Value) -> Item {
        let mut record = base;
        let members = record.as_object_mut().expect("an object");
        members.extend(changes.as_object().expect("an object").clone());
        // A null removes the member.
        members.retain(|_, value| !value.is_null());
        item(record)
    }

    fn execution(changes: Value) -> Item {
        let base = json!({
            "pk": "EXEC#run-1", "sk": "EXECUTION", "executionId": "run-1", "teamId": "default",
            "flowId": "flow-1", "createdAt": "2026-02-17T10:30:00.000Z", "status": "RUNNING",
        });
        merged(base, changes)
    }

    fn step(changes: Value) -> Item {
        let base = json!({
            "pk": "EXEC#run-1", "sk": "STEP#2026-02-17T10:30:00.000Z#step-1",
            "stepInstanceId": "step-1", "status": "COMPLETED",
            "startTime": "2026-02-17T10:30:00.000Z",
        });
        merged(base, changes)
    }

    fn branch_step(changes: Value) -> Item {
        let base = json!({
            "pk": "EXEC#run-1",
            "sk": "BRANCH#2026-02-17T10:30:00.000Z#fork-1#branch-1#2026-02-17T10:30:01.000Z#step-2",
            "stepInstanceId": "step-2", "status": "SKIPPED",
            "startTime": "2026-02-17T10:30:01.000Z", "branchExecutionId": "branch-1",
            "parentStepInstanceId": "fork-1", "parentStepStartTime": "2026-02-17T10:30:00.000Z",
        });
        merged(base, changes)
    }

    fn payload(changes: Value) -> Item {
        merged(
            json!({"pk": "EXEC#run-1", "sk": "PAYLOAD#context#0000"}),
            changes,
        )
    }

    /// The attributes with faults.
    fn faulty(item: &Item) -> Vec<String> {
        let faults = faults_of(item).into_iter();
        faults.map(|fault| fault.attribute).collect()
    }

    #[test]
    fn a_record_that_conforms_to_the_format_has_no_fault() {
        let mut bytes = payload(json!({"encoding": "json", "parts": 1}));
        bytes.insert("bytes".to_owned(), AttributeValue::B(Blob::new("{}")));
        for record in [
            execution(json!({})),
            execution(json!({
                "flowVersion": "v3", "executionType": "SUBFLOW", "parentExecutionId": "run-0",
                "labels": {"orderId": "42"}, "stepSummary": {"total": 1, "passed": 0, "failed": 1},
                "expiresAt": 1_800_000_000, "durationMs": 0, "own": [1], "droppedSteps": 3,
                "usage": [
                    {"model": "m", "inputTokens": 1, "outputTokens": 0},
                    {"inputTokens": 1, "outputTokens": 0, "own": "x"},
                ],
            })),
            step(json!({"input": null, "sequenceNumber": 1})),
            step(json!({"parentStepInstanceId": "step-0"})),
            step(json!({"parentStepInstanceId": null})),
            item(json!({
                "pk": "EXEC#run-1", "sk": "EXECUTION", "executionId": "run-1", "teamId": "default",
                "flowId": "flow-1", "createdAt": "2026-02-17T10:30:00.000Z", "status": "RUNNING",
                "endTime": null, "errorMessage": null, "durationMs": null, "stepSummary": null,
                "labels": {"orderId": 42, "isTest": true}, "expiresAt": null,
            })),
            branch_step(json!({})),
            payload(json!({"value": {"a": 1}})),
            payload(json!({"value": {"a": null}})),
            bytes,
            item(json!({"pk": "COUNT#default#*", "sk": "2026-02-17", "n": 1})),
            item(json!({"pk": "EXEC#run-1", "sk": "CASCADE"})),
            item(json!({"pk": "EXEC#run-1", "sk": "TRACE#2026-02-17T10:30:00.000Z#a1"})),
        ] {
            assert_eq!(faults_of(&record), [], "{record:?}");
        }
    }

    #[test]
    fn the_spans_of_a_trace_may_wait_for_their_root() {
        let trace = item(json!({"pk": "EXEC#run-1", "sk": "TRACE", "round": "0a"}));
        for (records, faults) in [
            (vec![step(json!({})), trace], 0),
            (vec![step(json!({}))], 1),
        ] {
            let mut run = RunCheck::new("EXEC#run-1");
            records.iter().for_each(|record| run.insert(record));
            assert_eq!(run.end().len(), faults);
        }
    }

    #[test]
    fn each_fault_names_its_attribute() {
        for (record, expected) in [
            (execution(json!({"status": "DONE"})), "status"),
            (execution(json!({"status": "SKIPPED"})), "status"),
            (execution(json!({"teamId": null})), "teamId"),
            (execution(json!({"flowId": "a#b"})), "flowId"),
            (execution(json!({"executionId": "run-2"})), "executionId"),
            (
                execution(json!({"createdAt": "2026-02-17T10:30:00Z"})),
                "createdAt",
            ),
            (
                execution(json!({"createdAt": "2026-02-30T10:30:00.000Z"})),
                "createdAt",
            ),
            (execution(json!({"startTime": 1_771_324_200})), "startTime"),
            (execution(json!({"labels": {"orderId": [42]}})), "labels"),
            (execution(json!({"labels": ["a"]})), "labels"),
            (
                execution(json!({"stepSummary": {"total": "1"}})),
                "stepSummary",
            ),
            (execution(json!({"usage": {"model": "m"}})), "usage"),
            (
                execution(json!({"usage": [{"model": "m", "inputTokens": 1}]})),
                "usage",
            ),
            (
                execution(json!({"usage": [{"model": 1, "inputTokens": 1, "outputTokens": 0}]})),
                "usage",
            ),
            (execution(json!({"droppedSteps": "3"})), "droppedSteps"),
            (execution(json!({"durationMs": -1})), "durationMs"),
            (execution(json!({"durationMs": 1.5})), "durationMs"),
            (
                execution(json!({"expiresAt": 1_771_324_200_000_i64})),
                "expiresAt",
            ),
            (execution(json!({"expiresAt": "1771324200"})), "expiresAt"),
            (
                execution(json!({"executionType": "SUBFLOW"})),
                "parentExecutionId",
            ),
            (
                execution(json!({"parentExecutionId": "run-0"})),
                "executionType",
            ),
            (step(json!({"status": "OK"})), "status"),
            (
                step(json!({"parentStepInstanceId": "step-1"})),
                "parentStepInstanceId",
            ),
            (
                step(json!({"parentStepInstanceId": "a#b"})),
                "parentStepInstanceId",
            ),
            (
                step(json!({"createdAt": "2026-02-17T10:30:00.000Z"})),
                "createdAt",
            ),
            (step(json!({"stepInstanceId": "step-9"})), "stepInstanceId"),
            (
                step(json!({"endTime": "2026-02-17T10:29:59.999Z"})),
                "endTime",
            ),
            (step(json!({"sk": "STEP#step-1"})), "sk"),
            (step(json!({"sk": "STEP2#x"})), "sk"),
            (
                branch_step(json!({"branchExecutionId": null})),
                "branchExecutionId",
            ),
            (
                branch_step(json!({"parentStepInstanceId": "fork-2"})),
                "parentStepInstanceId",
            ),
            (payload(json!({})), "value"),
            (payload(json!({"value": 1, "parts": 1})), "parts"),
            (
                payload(json!({"sk": "PAYLOAD#context#0001", "value": 1})),
                "value",
            ),
            (
                payload(json!({"sk": "PAYLOAD#other#0000", "value": 1})),
                "sk",
            ),
            (
                payload(json!({"sk": "PAYLOAD#step:a:result#0000", "value": 1})),
                "sk",
            ),
            (item(json!({"pk": "RUN#1", "sk": "EXECUTION"})), "pk"),
            (item(json!({"pk": "EXEC#", "sk": "EXECUTION"})), "pk"),
        ] {
            assert_eq!(faulty(&record), [expected], "{record:?}");
        }
    }

    #[test]
    fn the_remedy_for_a_readable_time_is_its_right_form() {
        let faults = faults_of(&execution(
            json!({"createdAt": "2026-02-17T11:30:00+01:00"}),
        ));
        assert_eq!(faults[0].remedy, "Write 2026-02-17T10:30:00.000Z");
    }

    #[test]
    fn faults_between_records_are_reported() {
        let faults = |records: &[Item]| {
            let mut check = RunCheck::new("EXEC#run-1");
            records.iter().for_each(|record| check.insert(record));
            let faults = check.end().into_iter();
            faults.map(|(_, fault)| fault.attribute).collect::<Vec<_>>()
        };
        let fork = || {
            step(json!({
                "sk": "STEP#2026-02-17T10:30:00.000Z#fork-1", "stepInstanceId": "fork-1",
                "stepType": "PARALLEL_FORK_MANAGER",
            }))
        };
        let run = || execution(json!({}));
        let empty: [&str; 0] = [];
        assert_eq!(faults(&[run(), branch_step(json!({})), fork()]), empty);
        assert_eq!(
            faults(&[run(), branch_step(json!({}))]),
            ["parentStepInstanceId"]
        );
        assert_eq!(faults(&[fork()]), ["sk"]);
        let below = |id: &str, parent: &str| {
            step(json!({
                "sk": format!("STEP#2026-02-17T10:30:00.000Z#{id}"), "stepInstanceId": id,
                "parentStepInstanceId": parent,
            }))
        };
        // The parent may be written later, or never.
        assert_eq!(faults(&[run(), below("step-1", "step-0")]), empty);
        let cycle = [run(), below("a", "b"), below("b", "a"), below("c", "b")];
        assert_eq!(faults(&cycle), ["parentStepInstanceId"; 2]);
        // A step of a branch whose fork is nested below it.
        let nested_fork = step(json!({
            "sk": "STEP#2026-02-17T10:30:00.000Z#fork-1", "stepInstanceId": "fork-1",
            "stepType": "PARALLEL_FORK_MANAGER", "parentStepInstanceId": "step-2",
        }));
        let cycle = [run(), branch_step(json!({})), nested_fork];
        assert_eq!(faults(&cycle), ["parentStepInstanceId"; 2]);
        let again = step(json!({"sk": "STEP#2026-02-17T10:30:09.000Z#step-1"}));
        assert_eq!(faults(&[run(), step(json!({})), again]), ["stepInstanceId"]);
        let part =
            |number: u32| payload(json!({"sk": keys::payload("context", number), "parts": 2}));
        assert_eq!(faults(&[run(), part(0), part(1)]), empty);
        assert_eq!(faults(&[run(), part(0), part(1), part(2)]), empty);
        assert_eq!(faults(&[run(), part(0), part(5)]), ["parts"]);
        assert_eq!(faults(&[run(), part(0)]), ["parts"]);
        assert_eq!(faults(&[run(), part(1)]), ["sk"]);
    }
}
