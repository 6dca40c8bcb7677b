//! Alarms, and the streams and queues that invoke functions.

use std::collections::BTreeSet;

use functions::metrics;
use functions::step_functions::TEAM_VARIABLE;
use serde_json::{Value, json};
use shared::keys;
use shared::model::Status;

use super::{template, texts};

#[test]
fn every_alarm_has_the_topic_and_is_on_the_dashboard() {
    let template = template();
    let resources = template["Resources"].as_object().expect("resources");
    let body = &resources["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"];
    let body = body.as_str().expect("a text");
    let dashboard: Value = serde_json::from_str(body).expect("JSON");
    let shown = texts(&dashboard["widgets"][0]["properties"]["alarms"]);
    let topic = json!([{"Ref": "AlarmTopicArn"}]);
    let actions = json!({"Fn::If": ["HasAlarmTopic", topic, {"Ref": "AWS::NoValue"}]});
    let mut alarms = BTreeSet::new();
    for (name, resource) in resources {
        if resource["Type"] != "AWS::CloudWatch::Alarm" {
            continue;
        }
        let properties = &resource["Properties"];
        assert_eq!(properties["AlarmActions"], actions, "{name}");
        assert_eq!(properties["OKActions"], actions, "{name}");
        assert_eq!(properties["TreatMissingData"], "notBreaching", "{name}");
        alarms.insert(format!("${{{name}.Arn}}"));
        if properties["Namespace"] != "Flowtrail" {
            continue;
        }
        // An alarm on a metric that is never sent never fires.
        let metric = properties["MetricName"].as_str().expect("a name");
        let mut known = metrics::OF_AN_ANSWER
            .iter()
            .chain([&metrics::AUTHENTICATION_FAILURES]);
        assert!(known.any(|(name, _)| *name == metric), "{metric}");
        let dimensions = json!([{"Name": "table", "Value": {"Ref": "Table"}}]);
        assert_eq!(properties["Dimensions"], dimensions, "{name}");
    }
    assert_eq!(alarms.len(), 11);
    assert_eq!(shown.into_iter().collect::<BTreeSet<_>>(), alarms);
}

/// The filter patterns of an event source. CloudFormation does not check them, as each is JSON
/// inside a text.
fn patterns_of(source: &Value) -> Vec<Value> {
    let filters = source["FilterCriteria"]["Filters"].as_array();
    filters
        .expect("filters")
        .iter()
        .map(|filter| serde_json::from_str(filter["Pattern"].as_str().expect("a text")))
        .collect::<Result<_, _>>()
        .expect("JSON")
}

#[test]
fn the_reaper_receives_only_the_changes_it_handles() {
    let template = template();
    let source = &template["Resources"]["ReapEventSource"]["Properties"];
    let is_execution = json!({"sk": {"S": [keys::EXECUTION]}});
    let is_deletion = json!({"pk": {"S": [{"prefix": "DELETION#"}]}});
    let ends: Vec<_> = Status::ALL
        .into_iter()
        .filter(|status| status.is_terminal())
        .collect();
    let has_ended = json!({"status": {"S": ends}});
    let open_with = |name: &str| json!({"status": {"S": ["PENDING", "RUNNING"]}, name: {"S": [{"exists": true}]}});
    assert_eq!(
        patterns_of(source),
        [
            json!({"eventName": ["REMOVE"], "dynamodb": {"Keys": is_execution}}),
            json!({"dynamodb": {"Keys": is_execution, "NewImage": has_ended}}),
            json!({"dynamodb": {"Keys": is_execution, "NewImage": open_with("timeoutAt")}}),
            json!({"dynamodb": {
                "Keys": is_execution,
                "NewImage": open_with("heartbeatAt"),
                "OldImage": {"heartbeatAt": {"S": [{"exists": false}]}},
            }}),
            json!({"eventName": ["INSERT", "MODIFY"], "dynamodb": {"Keys": is_deletion}}),
        ]
    );
    assert_eq!(source["StartingPosition"], "TRIM_HORIZON");
    assert_eq!(source["BisectBatchOnFunctionError"], true);
    assert_eq!(source["MaximumRecordAgeInSeconds"], 43_200);
    let queue = &source["DestinationConfig"]["OnFailure"]["Destination"];
    assert_eq!(*queue, json!({"Fn::GetAtt": ["UnreapedQueue", "Arn"]}));
}

#[test]
fn the_counters_receive_every_execution_shard_by_shard() {
    let template = template();
    let source = &template["Resources"]["CountEventSource"]["Properties"];
    let patterns = patterns_of(source);
    let executions = json!({"dynamodb": {"Keys": {"sk": {"S": [keys::EXECUTION]}}}});
    assert_eq!(patterns, [executions]);
    assert!(
        source["TumblingWindowInSeconds"].is_u64(),
        "Lambda sends the shard's id only with a window"
    );
    assert_eq!(source["ParallelizationFactor"], 1);
    assert_eq!(source["StartingPosition"], "TRIM_HORIZON");
    assert_eq!(source["BisectBatchOnFunctionError"], true);
    assert_eq!(source["MaximumRecordAgeInSeconds"], 43_200);
    let queue = &source["DestinationConfig"]["OnFailure"]["Destination"];
    assert_eq!(*queue, json!({"Fn::GetAtt": ["UncountedQueue", "Arn"]}));
}

/// A value that depends on whether the deployment imports executions.
fn when_importing(then: Value, otherwise: Value) -> Value {
    json!({"Fn::If": ["ImportsExecutions", then, otherwise]})
}

/// The ARN of something in Step Functions, in the deployment's account.
fn step_functions_arn(kind: &str) -> Value {
    let prefix = "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}";
    json!({"Fn::Sub": format!("{prefix}:{kind}")})
}

#[test]
fn the_rule_sends_changes_of_named_state_machines_to_a_queue() {
    let template = template();
    let resources = &template["Resources"];
    let rule = &resources["ExecutionChangesRule"]["Properties"];
    assert_eq!(
        rule["State"],
        when_importing(json!("ENABLED"), json!("DISABLED"))
    );
    let state_machines = step_functions_arn("stateMachine:${StepFunctionsStateMachines}");
    assert_eq!(
        rule["EventPattern"],
        json!({
            "source": ["aws.states"],
            "detail-type": ["Step Functions Execution Status Change"],
            "detail": {"stateMachineArn": [{"wildcard": state_machines}]},
        })
    );
    let queue_arn = json!({"Fn::GetAtt": ["ExecutionChangesQueue", "Arn"]});
    assert_eq!(rule["Targets"][0]["Arn"], queue_arn);
    let queue = &resources["ExecutionChangesQueue"]["Properties"];
    let given_up = &queue["RedrivePolicy"]["deadLetterTargetArn"];
    assert_eq!(*given_up, json!({"Fn::GetAtt": ["UnimportedQueue", "Arn"]}));
    let source = &resources["ImportEventSource"]["Properties"];
    assert_eq!(source["EventSourceArn"], queue_arn);
    assert_eq!(source["Enabled"], when_importing(json!(true), json!(false)));
    assert_eq!(source["BatchSize"], 1);
    assert!(source["ScalingConfig"]["MaximumConcurrency"].is_u64());
}

#[test]
fn the_import_function_has_its_time_team_and_histories() {
    let template = template();
    let resources = &template["Resources"];
    let function = &resources["ImportStateMachineExecutionFunction"]["Properties"];
    let queue = &resources["ExecutionChangesQueue"]["Properties"];
    let seconds = |value: &Value| value.as_u64().expect("seconds");
    assert!(seconds(&queue["VisibilityTimeout"]) >= 6 * seconds(&function["Timeout"]));
    let variables = &function["Environment"]["Variables"];
    assert_eq!(
        variables[TEAM_VARIABLE],
        json!({"Ref": "StepFunctionsTeam"})
    );
    let statements = function["Policies"][0]["Statement"].as_array();
    let history = statements
        .expect("statements")
        .iter()
        .find(|statement| statement["Action"] == "states:GetExecutionHistory");
    let executions = step_functions_arn("execution:${StepFunctionsStateMachines}:*");
    assert_eq!(history.expect("granted")["Resource"], executions);
}

#[test]
fn state_machines_are_named_by_one_pattern_and_none_by_default() {
    let parameter = &template()["Parameters"]["StepFunctionsStateMachines"];
    assert_eq!(parameter["Default"], "");
    let pattern = parameter["AllowedPattern"].as_str().expect("a text");
    let pattern = regex::Regex::new(pattern).expect("a pattern");
    for (names, is_allowed) in [
        ("", true),
        ("*", true),
        ("orders", true),
        ("orders-*", true),
        ("*-prod-*", true),
        // EventBridge refuses two stars in a row.
        ("orders**", false),
        ("orders:*", false),
        ("a,b", false),
    ] {
        assert_eq!(pattern.is_match(names), is_allowed, "{names}");
    }
}
