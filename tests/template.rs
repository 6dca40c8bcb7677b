//! `template.yaml` says to CloudFormation what the code says to itself.

use std::collections::BTreeSet;
use std::path::Path;

use functions::route::{ROUTES, Transfer};
use serde_json::{Value, json};
use shared::auth::{OidcSettings, REMEMBERED_SECONDS};
use shared::config::TABLE_VARIABLE;
use shared::keys;
use shared::table::{CREATED_AT, INDEXES, PARTITION_KEY, SORT_KEY, TIME_TO_LIVE, key_attributes};

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
            })
        })
        .collect();
    assert_eq!(
        *properties,
        json!({
            "BillingMode": "PAY_PER_REQUEST",
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
fn there_is_no_function_and_no_sample_event_without_a_route() {
    let template = template();
    let resources = template["Resources"].as_object().expect("resources");
    let functions: BTreeSet<_> = resources
        .iter()
        .filter(|(_, resource)| resource["Type"] == "AWS::Serverless::Function")
        .map(|(name, _)| name.clone())
        .collect();
    let names: BTreeSet<_> = ROUTES
        .iter()
        .map(|route| route.name)
        .chain(["authorize", "count", "reap"])
        .collect();
    assert_eq!(
        functions,
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
        for policy in function["Policies"].as_array().expect("policies") {
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
    let is_cancelled = json!({
        "status": {"S": ["CANCELLED"]},
        "cancelledBy": {"S": [{"exists": true}]},
    });
    assert_eq!(
        patterns_of(source),
        [
            json!({"eventName": ["REMOVE"], "dynamodb": {"Keys": is_execution}}),
            json!({"dynamodb": {"Keys": is_execution, "NewImage": is_cancelled}}),
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
                assert!(!text.contains('*'), "{name}: {text}");
            }
        }
    }
}
