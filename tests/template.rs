//! `template.yaml` says to CloudFormation what the code says to itself.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use functions::authorizer::AUTHENTICATED_WITHIN;
use functions::route::{ANSWERED_WITHIN, ROUTES, Transfer, function_names};
use functions::step_functions::TEAM_VARIABLE;
use functions::{cors, metrics};
use serde_json::{Value, json};
use shared::auth::{OidcSettings, REMEMBERED_SECONDS, SignInSettings};
use shared::config::TABLE_VARIABLE;
use shared::keys;
use shared::model::Status;
use shared::table::{CREATED_AT, INDEXES, PARTITION_KEY, SORT_KEY, TIME_TO_LIVE, key_attributes};

use crate::support::actions;

fn template() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../template.yaml");
    let text = std::fs::read_to_string(path).expect("template.yaml");
    serde_saphyr::from_str(&text).expect("YAML")
}

/// `list_flow_executions` is the function `ListFlowExecutionsFunction`.
fn resource_name(route: &str) -> String {
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
fn the_table_of_the_template_is_the_table_of_the_code() {
    let template = template();
    let table = &template["Resources"]["Table"];
    let properties = &table["Properties"];
    // The same limit for the table and each of its indexes.
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

#[test]
fn each_route_has_its_function_with_its_binary_path_and_transfer() {
    let template = template();
    for route in ROUTES {
        let function = &template["Resources"][resource_name(route.name)];
        assert_eq!(
            function["Metadata"]["BuildProperties"]["Binary"],
            route.name
        );
        let event = &function["Properties"]["Events"]["Route"];
        assert_eq!(event["Type"], "Api", "{}", route.name);
        assert_eq!(
            event["Properties"]["Method"],
            route.method.as_str(),
            "{}",
            route.name
        );
        assert_eq!(event["Properties"]["Path"], route.path, "{}", route.name);
        let transfer = match route.transfer {
            Transfer::Buffered => Value::Null,
            Transfer::Streamed => json!("RESPONSE_STREAM"),
        };
        assert_eq!(
            event["Properties"]["ResponseTransferMode"], transfer,
            "{}",
            route.name
        );
    }
}

#[test]
fn the_console_is_served_at_its_paths_to_anybody() {
    let template = template();
    let function = &template["Resources"]["ConsoleFunction"];
    assert_eq!(function["Metadata"]["BuildProperties"]["Binary"], "console");
    let properties = &function["Properties"];
    assert!(properties["Policies"].is_null(), "it asks for nothing");
    let events = properties["Events"].as_object().expect("events");
    let mut paths = BTreeSet::new();
    for event in events.values() {
        let event = &event["Properties"];
        assert_eq!(event["Method"], "GET");
        assert_eq!(event["Auth"], json!({"Authorizer": "NONE"}));
        assert_eq!(event["ResponseTransferMode"], "RESPONSE_STREAM");
        paths.insert(event["Path"].as_str().expect("a path"));
    }
    assert_eq!(paths, functions::pages::paths().collect::<BTreeSet<_>>());
}

#[test]
fn the_console_alone_knows_which_client_of_the_issuer_it_is() {
    let template = template();
    let client = [
        (SignInSettings::CLIENT_ID_VARIABLE, "OidcConsoleClientId"),
        (SignInSettings::SCOPES_VARIABLE, "OidcConsoleScopes"),
        (SignInSettings::TOKEN_URL_VARIABLE, "OidcConsoleTokenUrl"),
    ];
    for name in function_names() {
        let function = &template["Resources"][resource_name(name)]["Properties"];
        let variables = &function["Environment"]["Variables"];
        for (variable, parameter) in client {
            let expected = match name {
                "console" => json!({"Ref": parameter}),
                _ => Value::Null,
            };
            assert_eq!(variables[variable], expected, "{name}");
            assert!(template["Parameters"][parameter].is_object(), "{parameter}");
        }
    }
    let function = &template["Resources"]["ConsoleFunction"]["Properties"];
    let variables = &function["Environment"]["Variables"];
    assert_eq!(
        variables[OidcSettings::ISSUER_VARIABLE],
        json!({"Ref": "OidcIssuer"})
    );
}

#[test]
fn there_is_no_function_and_no_sample_event_without_a_route() {
    let template = template();
    let resources = template["Resources"].as_object().expect("resources");
    let found: BTreeSet<_> = resources
        .iter()
        .filter(|(_, resource)| resource["Type"] == "AWS::Serverless::Function")
        .map(|(name, _)| name.clone())
        .collect();
    let names: BTreeSet<_> = function_names().collect();
    assert_eq!(
        found,
        names.iter().map(|name| resource_name(name)).collect()
    );
    let events = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events");
    let events: BTreeSet<_> = std::fs::read_dir(events)
        .expect("events")
        .map(|entry| entry.expect("an entry").path())
        .map(|path| {
            path.file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    assert_eq!(
        events,
        names.iter().map(|name| (*name).to_owned()).collect()
    );
}

#[test]
fn cargo_lambda_watch_finds_the_route_that_the_gateway_finds() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
    let manifest = std::fs::read_to_string(path).expect("Cargo.toml");
    let manifest: toml::Value = toml::from_str(&manifest).expect("TOML");
    let router = &manifest["workspace"]["metadata"]["lambda"]["watch"]["router"];
    let mut found = BTreeSet::new();
    for (path, routes) in router.as_table().expect("a table") {
        for route in routes.as_array().expect("a list") {
            let [method, function] = ["method", "function"].map(|name| route[name].as_str());
            found.insert((
                method.expect("a text"),
                path.as_str(),
                function.expect("a text"),
            ));
        }
    }
    let routes = ROUTES
        .iter()
        .map(|route| (route.method.as_str(), route.path, route.name));
    assert_eq!(found, routes.collect());
}

#[test]
fn the_gateway_forgets_a_caller_when_the_local_server_does_and_every_function_knows_the_table() {
    let template = template();
    let auth = &template["Resources"]["Api"]["Properties"]["Auth"];
    let authorizer = auth["DefaultAuthorizer"].as_str().expect("a name");
    let identity = &auth["Authorizers"][authorizer]["Identity"];
    assert_eq!(identity["ReauthorizeEvery"], REMEMBERED_SECONDS);
    let variables = &template["Globals"]["Function"]["Environment"]["Variables"];
    assert_eq!(variables[TABLE_VARIABLE], json!({"Ref": "Table"}));
}

#[test]
fn the_authorizer_knows_the_issuer_and_the_gateway_lets_tokens_and_jwts_through() {
    let template = template();
    let function = &template["Resources"]["AuthorizeFunction"]["Properties"];
    let variables = function["Environment"]["Variables"].as_object();
    for (variable, parameter) in [
        (OidcSettings::ISSUER_VARIABLE, "OidcIssuer"),
        (OidcSettings::AUDIENCE_VARIABLE, "OidcAudience"),
        (OidcSettings::JWKS_URL_VARIABLE, "OidcJwksUrl"),
        (OidcSettings::TEAM_CLAIM_VARIABLE, "OidcTeamClaim"),
        (OidcSettings::ROLE_CLAIM_VARIABLE, "OidcRoleClaim"),
        (OidcSettings::USER_CLAIM_VARIABLE, "OidcUserClaim"),
    ] {
        let variables = variables.expect("variables");
        assert_eq!(variables[variable], json!({"Ref": parameter}));
        assert!(template["Parameters"][parameter].is_object(), "{parameter}");
    }
    let auth = &template["Resources"]["Api"]["Properties"]["Auth"]["Authorizers"];
    let identity = &auth["TokenAuthorizer"]["Identity"];
    let expression = identity["ValidationExpression"].as_str();
    let expression = regex::Regex::new(expression.expect("a text")).expect("a pattern");
    let token = format!("sdk_{}_{}", "0a".repeat(10), "A-_".repeat(14) + "z");
    for header in [
        format!("Bearer {token}"),
        format!("bearer   {token} "),
        "BEARER eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln-_".to_owned(),
    ] {
        assert!(expression.is_match(&header), "{header}");
    }
    for header in [
        token.clone(),
        format!("Basic {token}"),
        format!("Bearer {token}x"),
        format!("Bearer {token}, Bearer {token}"),
        "Bearer a.b".to_owned(),
        "Bearer a.b.c.d".to_owned(),
        "Bearer ".to_owned(),
    ] {
        assert!(!expression.is_match(&header), "{header}");
    }
}

/// Whoever could write elsewhere could write over what others did.
#[test]
fn who_reads_runs_writes_nothing_but_what_the_audit_is_told() {
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

/// After so many API Gateway gives up.
const GATEWAY_SECONDS: u64 = 29;

#[test]
fn a_function_ends_before_the_gateway_gives_up_and_knows_which_origins_may_read() {
    let template = template();
    let function = &template["Globals"]["Function"];
    let has_time = |timeout: &Value, within: Duration| {
        let timeout = timeout.as_u64().expect("seconds");
        within < Duration::from_secs(timeout) && timeout < GATEWAY_SECONDS
    };
    assert!(has_time(&function["Timeout"], ANSWERED_WITHIN));
    let authorizer = &template["Resources"]["AuthorizeFunction"]["Properties"];
    assert!(has_time(&authorizer["Timeout"], AUTHENTICATED_WITHIN));
    for route in ROUTES {
        let own = &template["Resources"][resource_name(route.name)]["Properties"]["Timeout"];
        let is_streamed = route.transfer == Transfer::Streamed;
        assert!(own.is_null() || is_streamed, "{}", route.name);
    }
    let variables = &function["Environment"]["Variables"];
    assert_eq!(variables[cors::VARIABLE], json!({"Ref": "AllowedOrigins"}));
    let cors = &template["Resources"]["Api"]["Properties"]["Cors"];
    assert_eq!(cors["AllowHeaders"], format!("'{}'", cors::ALLOWED_HEADERS));
    assert_eq!(cors["MaxAge"], format!("'{}'", cors::MAX_AGE_SECONDS));
}

#[test]
fn each_alarm_is_sent_to_the_topic_and_shown_on_the_dashboard() {
    let template = template();
    let resources = template["Resources"].as_object().expect("resources");
    let body = &resources["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"];
    let body = body.as_str().expect("a text");
    let dashboard: Value = serde_json::from_str(body).expect("JSON");
    let shown = texts(&dashboard["widgets"][0]["properties"]["alarms"]);
    let topic = json!([{"Ref": "AlarmTopicArn"}]);
    let told = json!({"Fn::If": ["HasAlarmTopic", topic, {"Ref": "AWS::NoValue"}]});
    let mut alarms = BTreeSet::new();
    for (name, resource) in resources {
        if resource["Type"] != "AWS::CloudWatch::Alarm" {
            continue;
        }
        let properties = &resource["Properties"];
        assert_eq!(properties["AlarmActions"], told, "{name}");
        assert_eq!(properties["OKActions"], told, "{name}");
        assert_eq!(properties["TreatMissingData"], "notBreaching", "{name}");
        alarms.insert(format!("${{{name}.Arn}}"));
        if properties["Namespace"] != "Flowtrail" {
            continue;
        }
        // A metric that nobody sends would never alarm.
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

/// Nothing else looks into a pattern, which is JSON inside a text.
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
fn the_reaper_is_fed_what_it_has_to_do_with_and_nothing_else() {
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
fn the_counters_are_fed_each_execution_of_the_stream_shard_by_shard() {
    let template = template();
    let source = &template["Resources"]["CountEventSource"]["Properties"];
    let patterns = patterns_of(source);
    let executions = json!({"dynamodb": {"Keys": {"sk": {"S": [keys::EXECUTION]}}}});
    assert_eq!(patterns, [executions]);
    assert!(
        source["TumblingWindowInSeconds"].is_u64(),
        "for the shard's id"
    );
    assert_eq!(source["ParallelizationFactor"], 1);
    assert_eq!(source["StartingPosition"], "TRIM_HORIZON");
    assert_eq!(source["BisectBatchOnFunctionError"], true);
    assert_eq!(source["MaximumRecordAgeInSeconds"], 43_200);
    let queue = &source["DestinationConfig"]["OnFailure"]["Destination"];
    assert_eq!(*queue, json!({"Fn::GetAtt": ["UncountedQueue", "Arn"]}));
}

#[test]
fn executions_of_the_named_state_machines_come_through_a_queue_and_none_without_a_name() {
    let template = template();
    let resources = &template["Resources"];
    assert_eq!(
        template["Parameters"]["StepFunctionsStateMachines"]["Default"],
        ""
    );
    let rule = &resources["ExecutionChangesRule"]["Properties"];
    let when_named = |then: Value, or: Value| json!({"Fn::If": ["ImportsExecutions", then, or]});
    assert_eq!(
        rule["State"],
        when_named(json!("ENABLED"), json!("DISABLED"))
    );
    let arn = |kind: &str| {
        let prefix = "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}";
        json!({"Fn::Sub": format!("{prefix}:{kind}")})
    };
    let state_machines = arn("stateMachine:${StepFunctionsStateMachines}");
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
    let function = &resources["ImportStateMachineExecutionFunction"]["Properties"];
    let seconds = |value: &Value| value.as_u64().expect("seconds");
    assert!(seconds(&queue["VisibilityTimeout"]) >= 6 * seconds(&function["Timeout"]));
    let source = &resources["ImportEventSource"]["Properties"];
    assert_eq!(source["EventSourceArn"], queue_arn);
    assert_eq!(source["Enabled"], when_named(json!(true), json!(false)));
    assert_eq!(source["BatchSize"], 1);
    assert!(source["ScalingConfig"]["MaximumConcurrency"].is_u64());
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
    let executions = arn("execution:${StepFunctionsStateMachines}:*");
    assert_eq!(history.expect("granted")["Resource"], executions);
    let pattern = &template["Parameters"]["StepFunctionsStateMachines"]["AllowedPattern"];
    let pattern = regex::Regex::new(pattern.as_str().expect("a text")).expect("a pattern");
    for (names, is_allowed) in [
        ("", true),
        ("*", true),
        ("orders", true),
        ("orders-*", true),
        ("*-prod-*", true),
        // EventBridge refuses two in a row.
        ("orders**", false),
        ("orders:*", false),
        ("a,b", false),
    ] {
        assert_eq!(pattern.is_match(names), is_allowed, "{names}");
    }
}

/// What the template's policies grant on the table, as the recorded actions are written.
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

/// The indexes of a statement and, of the table, the kinds of partitions.
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
            assert!(!kinds.is_empty(), "all of the table: {statement}");
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

#[test]
#[ignore = "reads what a run of all tests has recorded, as .ci/run makes one"]
fn each_policy_grants_what_its_function_has_done() {
    let file = actions::file().expect("FLOWTRAIL_TEST_ACTIONS");
    let recorded = std::fs::read_to_string(file).expect("recorded");
    // Lambda itself keeps the place in the stream that the local server notes for it.
    let is_of_the_function = |line: &&str| {
        !line.ends_with("reap dynamodb:GetItem CHECKPOINT#*")
            && !line.ends_with("reap dynamodb:PutItem CHECKPOINT#*")
    };
    let recorded = recorded.lines().filter(is_of_the_function);
    let recorded: BTreeSet<String> = recorded.map(str::to_owned).collect();
    let granted = granted(&template());
    let missing: Vec<_> = recorded.difference(&granted).collect();
    assert!(missing.is_empty(), "done, and not granted: {missing:#?}");
    let unused: Vec<_> = granted.difference(&recorded).collect();
    assert!(unused.is_empty(), "granted, and never done: {unused:#?}");
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

/// SAM gives every function AWS's own policies for logs and for X-Ray, which cover more
/// than theirs.
#[test]
fn the_boundary_lets_the_functions_do_what_their_policies_say_and_log_and_trace() {
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
                // A condition narrows, with a star as well.
                let text = format!("{}{}", statement["Action"], statement["Resource"]);
                // The streams of one table, which have their times in their names.
                let text = text.replace("${Table.Arn}/stream/*", "");
                // The executions of some state machines, which have their names behind them.
                let text = text.replace(":execution:${StepFunctionsStateMachines}:*", "");
                assert!(!text.contains('*'), "{name}: {text}");
            }
        }
    }
}
