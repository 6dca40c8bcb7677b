//! The record format: its schemas, its document and its check.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use shared::model::Item;
use shared::record::RecordKind;
use shared::record::check::faults_of;

use super::file;

/// The kind of a record that an engine writes.
fn kind_of(record: &Value) -> Option<RecordKind> {
    RecordKind::from_keys(record["pk"].as_str()?, record["sk"].as_str()?)
}

/// Sample records as plain JSON, at least one of each kind.
fn samples() -> Vec<Value> {
    let lines = file("tests/sample-records.jsonl");
    let lines = lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"));
    let written = file("writers/conformance/records.json");
    let written: Vec<Value> = serde_json::from_str(&written).expect("JSON");
    let items = written
        .into_iter()
        .filter(|record| record.get("json").is_none());
    lines.chain(items).collect()
}

#[test]
fn published_schemas_match_the_code() {
    for kind in RecordKind::ALL {
        let name = kind.name();
        let schema: Value =
            serde_json::from_str(&file(&format!("docs/schemas/{name}.schema.json"))).expect("JSON");
        assert_eq!(
            schema,
            kind.schema(),
            "write it again: flowtrail records schema {name} > docs/schemas/{name}.schema.json"
        );
    }
}

/// The attributes in a section of docs/record-format.md, with their types.
fn documented(heading: &str) -> BTreeMap<String, String> {
    let document = file("docs/record-format.md");
    let begin = document
        .find(&format!("\n## {heading}\n"))
        .expect("a heading");
    let section = &document[begin + 4..];
    let section = &section[..section.find("\n## ").expect("a next heading")];
    let mut attributes = BTreeMap::new();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        for name in cells[1].split(", ") {
            attributes.insert(name.trim_matches('`').to_owned(), cells[2].to_owned());
        }
    }
    attributes
}

#[test]
fn the_document_lists_all_attributes_with_their_types() {
    let of_code = |kind: RecordKind| {
        let attributes = kind.attributes().iter();
        let attributes = attributes.filter(|attribute| !["pk", "sk"].contains(&attribute.name));
        attributes
            .map(|attribute| (attribute.name.to_owned(), attribute.of.letters().to_owned()))
            .collect::<BTreeMap<_, _>>()
    };
    assert_eq!(documented("Execution"), of_code(RecordKind::Execution));
    assert_eq!(documented("Step"), of_code(RecordKind::Step));
    let mut branch_step = documented("Step");
    branch_step.extend(documented("Step of a parallel branch"));
    assert_eq!(branch_step, of_code(RecordKind::BranchStep));
    assert_eq!(documented("Payload"), of_code(RecordKind::Payload));
}

/// Values that are wrong for most attributes.
fn wrong_values() -> Vec<Value> {
    vec![
        json!(null),
        json!(true),
        json!(-1),
        json!(0),
        json!(1),
        json!(1.5),
        json!(1e12),
        json!(""),
        json!("a b"),
        json!("x"),
        json!("x".repeat(129)),
        json!("DONE"),
        json!("SKIPPED"),
        json!("RUNNING"),
        json!("json"),
        json!("2026-02-17"),
        json!("2026-02-17T10:30:00.000Z"),
        json!("2026-02-17T10:30:00.000+00:00"),
        json!([]),
        json!({}),
        json!({"a": 1}),
        json!({"total": -1}),
        json!({"total": 1, "a": "b"}),
        json!([1]),
        json!([{"inputTokens": 1, "outputTokens": 2}]),
        json!([{"inputTokens": 1, "outputTokens": -2}]),
        json!([{"model": 1, "inputTokens": 1, "outputTokens": 2}]),
        json!([{"model": "m", "inputTokens": 1}]),
    ]
}

/// The sample itself, and copies of it without each attribute and with each wrong value.
fn variants_of(sample: &Value, kind: RecordKind, wrong: &[Value]) -> Vec<Value> {
    let attributes = kind.attributes().iter().map(|attribute| attribute.name);
    let mut variants = vec![sample.clone()];
    for name in attributes.chain(["createdAt", "own"]) {
        let mut without = sample.clone();
        without.as_object_mut().expect("an object").remove(name);
        variants.push(without);
        // Bytes are a text in JSON, but not in the table.
        for value in wrong
            .iter()
            .filter(|_| !["pk", "sk", "bytes"].contains(&name))
        {
            let mut changed = sample.clone();
            changed[name] = value.clone();
            variants.push(changed);
        }
    }
    variants
}

#[test]
fn schemas_and_check_allow_the_same_records() {
    let validators: BTreeMap<_, _> = RecordKind::ALL
        .into_iter()
        .map(|kind| {
            let validator = jsonschema::validator_for(&kind.schema());
            (kind, validator.expect("a schema"))
        })
        .collect();
    let wrong = wrong_values();
    let (mut compared, mut refused) = (0, 0);
    for sample in samples() {
        let Some(kind) = kind_of(&sample) else {
            continue;
        };
        for variant in variants_of(&sample, kind, &wrong) {
            let Ok(item) = serde_dynamo::to_item::<_, Item>(&variant) else {
                continue;
            };
            let faults = faults_of(&item);
            if variant.get("pk").is_none() || variant.get("sk").is_none() {
                assert!(!faults.is_empty(), "{variant}");
                continue;
            }
            // A schema cannot compare attributes with each other or with the key.
            let compares = |problem: &str| {
                problem.starts_with("the key has") || problem.starts_with("it is before")
            };
            let is_allowed = faults.iter().all(|fault| compares(&fault.problem));
            let is_valid = validators[&kind].is_valid(&variant);
            assert_eq!(is_valid, is_allowed, "{variant}: {faults:?}");
            compared += 1;
            refused += usize::from(!is_allowed);
        }
    }
    assert!(
        compared > 5_000 && refused > compared / 4,
        "{refused} of {compared}"
    );
}

#[test]
fn writers_and_examples_follow_the_format() {
    for sample in samples() {
        let item = serde_dynamo::to_item(&sample).expect("an item");
        assert_eq!(faults_of(&item), [], "{sample}");
    }
}
