//! The policies of functions and engines, and their boundary.

use std::collections::BTreeSet;
use std::path::Path;

use functions::routes::{ROUTES, function_names};
use serde_json::{Value, json};

use super::{places, resource_name, template, texts};
use crate::support::actions;

/// A function that can write elsewhere can overwrite the data of others.
#[test]
fn reading_functions_write_audit_events_only() {
    let template = template();
    for route in ROUTES.iter().filter(|route| route.method == "GET") {
        let function = &template["Resources"][resource_name(route.name)]["Properties"];
        for policy in function["Policies"].as_array().into_iter().flatten() {
            for statement in policy["Statement"].as_array().expect("statements") {
                let actions = statement["Action"].to_string();
                if !["Put", "Update", "Delete", "Write"]
                    .iter()
                    .any(|verb| actions.contains(verb))
                {
                    continue;
                }
                let keys =
                    json!({"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["AUDIT#*"]}});
                assert_eq!(statement["Condition"], keys, "{}", route.name);
            }
        }
    }
}

/// The first policy in the JSON blocks of a document.
fn policy_in(document: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let text = std::fs::read_to_string(path.join(document)).expect("a document");
    let blocks = text.split("```json\n").skip(1);
    let blocks = blocks.filter_map(|rest| serde_json::from_str(rest.split("```").next()?).ok());
    let mut policies = blocks.filter(|json: &Value| json["Statement"].is_array());
    policies
        .next()
        .unwrap_or_else(|| panic!("{document} has no policy"))
}

/// An engine that could write a token could make itself an administrator of any team.
#[test]
fn the_policy_for_engines_allows_runs_only() {
    let template = template();
    let policy = &template["Resources"]["EnginePolicy"]["Properties"]["PolicyDocument"];
    assert_eq!(
        policy["Statement"][0]["Condition"],
        json!({
            "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["EXEC#*"]},
            // Without this condition, requests without keys would be allowed.
            "Null": {"dynamodb:LeadingKeys": "false"},
        })
    );
    let arn = json!({"Ref": "EnginePolicy"});
    assert_eq!(template["Outputs"]["EnginePolicyArn"]["Value"], arn);
    let table = policy["Statement"][0]["Resource"].clone();
    assert_eq!(table, json!({"Fn::GetAtt": ["Table", "Arn"]}));
    for document in ["deploy.md", "record-format.md", "writing.md"] {
        let mut copy = policy_in(document);
        let resource = copy["Statement"][0]["Resource"].take();
        assert_eq!(
            resource, "arn:aws:dynamodb:REGION:ACCOUNT:table/TABLE",
            "{document}"
        );
        copy["Statement"][0]["Resource"] = table.clone();
        assert_eq!(copy, *policy, "{document}");
    }
}

/// The grants of all functions on the table, in the form of the recorded actions.
fn granted(template: &Value) -> BTreeSet<String> {
    let mut granted = BTreeSet::new();
    for name in function_names() {
        let function = &template["Resources"][resource_name(name)]["Properties"];
        for policy in function["Policies"].as_array().into_iter().flatten() {
            for statement in policy["Statement"].as_array().expect("statements") {
                for action in texts(&statement["Action"]) {
                    for place in places(statement) {
                        granted.insert(format!("{name} {action} {place}"));
                    }
                }
            }
        }
    }
    granted
}

#[test]
#[ignore = "reads the actions that a run of all tests recorded, as .ci/run does"]
fn every_policy_grants_exactly_what_its_function_uses() {
    let file = actions::file().expect("FLOWTRAIL_TEST_ACTIONS");
    let recorded = std::fs::read_to_string(file).expect("recorded");
    // In AWS, Lambda itself stores the position in the stream that the local server stores.
    let is_by_the_function = |line: &&str| {
        !line.ends_with("reap dynamodb:GetItem CHECKPOINT#*")
            && !line.ends_with("reap dynamodb:PutItem CHECKPOINT#*")
    };
    let recorded = recorded.lines().filter(is_by_the_function);
    let recorded: BTreeSet<String> = recorded.map(str::to_owned).collect();
    let granted = granted(&template());
    let missing: Vec<_> = recorded.difference(&granted).collect();
    assert!(missing.is_empty(), "used, but not granted: {missing:#?}");
    let unused: Vec<_> = granted.difference(&recorded).collect();
    assert!(unused.is_empty(), "granted, but never used: {unused:#?}");
}

/// Each action with each resource of some statements.
fn pairs<'a>(statements: impl Iterator<Item = &'a Value>) -> BTreeSet<(String, String)> {
    let mut pairs = BTreeSet::new();
    for statement in statements {
        let resources = match &statement["Resource"] {
            Value::Array(resources) => resources.clone(),
            one => vec![one.clone()],
        };
        for action in texts(&statement["Action"]) {
            let resources = resources.iter().map(Value::to_string);
            pairs.extend(resources.map(|resource| (action.clone(), resource)));
        }
    }
    pairs
}

/// SAM adds AWS's policies for logs and for X-Ray to every function. They grant more than the
/// functions need, and the boundary limits them.
#[test]
fn the_boundary_allows_the_policies_logs_and_traces() {
    let template = template();
    let resources = &template["Resources"];
    let boundary = &template["Globals"]["Function"]["PermissionsBoundary"];
    assert_eq!(*boundary, json!({"Ref": "FunctionsBoundary"}));
    let boundary = &resources["FunctionsBoundary"]["Properties"]["PolicyDocument"]["Statement"];
    let policies = function_names()
        .map(|name| &resources[resource_name(name)]["Properties"]["Policies"])
        .flat_map(|policies| policies.as_array().into_iter().flatten())
        .flat_map(|policy| policy["Statement"].as_array().expect("statements"));
    let mut expected = pairs(policies);
    let logs = json!({"Fn::GetAtt": ["FunctionLogs", "Arn"]}).to_string();
    for (action, resource) in [
        ("logs:CreateLogStream", &logs),
        ("logs:PutLogEvents", &logs),
        ("xray:PutTelemetryRecords", &json!("*").to_string()),
        ("xray:PutTraceSegments", &json!("*").to_string()),
    ] {
        expected.insert((action.to_owned(), resource.clone()));
    }
    let boundary = boundary.as_array().expect("statements");
    assert_eq!(pairs(boundary.iter()), expected);
}

#[test]
fn no_policy_grants_with_a_star() {
    let template = template();
    let resources = template["Resources"].as_object().expect("resources");
    for (name, resource) in resources {
        for policy in resource["Properties"]["Policies"]
            .as_array()
            .into_iter()
            .flatten()
        {
            for statement in policy["Statement"].as_array().expect("statements") {
                // A star in a condition only narrows the grant.
                let text = format!("{}{}", statement["Action"], statement["Resource"]);
                // The streams of one table have their creation time in their names.
                let text = text.replace("${Table.Arn}/stream/*", "");
                // The ARNs of executions end with the execution's name.
                let text = text.replace(":execution:${StepFunctionsStateMachines}:*", "");
                assert!(!text.contains('*'), "{name}: {text}");
            }
        }
    }
}
