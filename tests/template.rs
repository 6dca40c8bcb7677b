//! `template.yaml` and the code agree.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};
use shared::attributes::{CREATED_AT, PARTITION_KEY, SORT_KEY, TIME_TO_LIVE};
use shared::table::{INDEXES, key_attributes};

mod gateway;
mod policies;
mod sources;

fn template() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../template.yaml");
    let text = std::fs::read_to_string(path).expect("template.yaml");
    serde_saphyr::from_str(&text).expect("YAML")
}

/// The resource of a function: `ListFlowExecutionsFunction` for `list_flow_executions`.
pub fn resource_name(route: &str) -> String {
    let words = route
        .split('_')
        .map(|word| word[..1].to_uppercase() + &word[1..]);
    words.chain(["Function".to_owned()]).collect()
}

fn key_schema(partition: &[&str], sort: &str) -> Value {
    let hash = partition
        .iter()
        .map(|name| json!({"AttributeName": name, "KeyType": "HASH"}));
    hash.chain([json!({"AttributeName": sort, "KeyType": "RANGE"})])
        .collect()
}

#[test]
fn the_table_is_the_one_that_the_code_creates() {
    let template = template();
    let table = &template["Resources"]["Table"];
    let properties = &table["Properties"];
    // The table and each of its indexes have the same limit.
    let throughput = &properties["OnDemandThroughput"];
    let limit = |kind: &str| {
        let name = format!("Max{kind}Units");
        json!({"Fn::If": [format!("Has{name}"), {"Ref": name}, {"Ref": "AWS::NoValue"}]})
    };
    let limits = json!({
        "MaxReadRequestUnits": limit("Read"),
        "MaxWriteRequestUnits": limit("Write"),
    });
    assert_eq!(
        *throughput,
        json!({"Fn::If": ["IsThroughputLimited", limits, {"Ref": "AWS::NoValue"}]})
    );
    let attributes: Value = key_attributes()
        .into_iter()
        .map(|name| json!({"AttributeName": name, "AttributeType": "S"}))
        .collect();
    let indexes: Value = INDEXES
        .iter()
        .map(|index| {
            json!({
                "IndexName": index.name,
                "KeySchema": key_schema(index.partition, CREATED_AT),
                "Projection": {"ProjectionType": "ALL"},
                "OnDemandThroughput": throughput,
            })
        })
        .collect();
    assert_eq!(
        *properties,
        json!({
            "BillingMode": "PAY_PER_REQUEST",
            "OnDemandThroughput": throughput,
            "DeletionProtectionEnabled": true,
            "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": true},
            "StreamSpecification": {"StreamViewType": "NEW_AND_OLD_IMAGES"},
            "TimeToLiveSpecification": {"AttributeName": TIME_TO_LIVE, "Enabled": true},
            "AttributeDefinitions": attributes,
            "KeySchema": key_schema(&[PARTITION_KEY], SORT_KEY),
            "GlobalSecondaryIndexes": indexes,
        })
    );
    assert_eq!(table["DeletionPolicy"], "Retain");
}

/// The grants of the policy for engines, such as `dynamodb:PutItem EXEC#*`.
pub fn granted_to_engines() -> BTreeSet<String> {
    let policy = &template()["Resources"]["EnginePolicy"]["Properties"]["PolicyDocument"];
    let statements = policy["Statement"].as_array().expect("statements");
    let granted = statements.iter().flat_map(|statement| {
        let places = places(statement);
        let of_action = move |action| {
            places
                .iter()
                .map(move |it| format!("{action} {it}"))
                .collect::<Vec<_>>()
        };
        texts(&statement["Action"]).into_iter().flat_map(of_action)
    });
    granted.collect()
}

/// The indexes that a statement names, and the kinds of partitions of the table.
fn places(statement: &Value) -> Vec<String> {
    let resources = match &statement["Resource"] {
        Value::Array(resources) => resources.clone(),
        one => vec![one.clone()],
    };
    let keys = &statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"];
    let mut places = Vec::new();
    for resource in resources {
        if resource == json!({"Fn::GetAtt": ["Table", "Arn"]}) {
            let kinds = texts(keys);
            assert!(!kinds.is_empty(), "it grants the whole table: {statement}");
            places.extend(kinds);
        } else if let Some(path) = resource["Fn::Sub"].as_str()
            && let Some(index) = path.strip_prefix("${Table.Arn}/index/")
        {
            places.push(format!("index/{index}"));
        }
    }
    places
}

/// A text, or a list of texts.
fn texts(value: &Value) -> Vec<String> {
    let texts = match value {
        Value::Array(values) => values.iter().filter_map(Value::as_str).collect(),
        one => Vec::from_iter(one.as_str()),
    };
    texts.into_iter().map(str::to_owned).collect()
}
