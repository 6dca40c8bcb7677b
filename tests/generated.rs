//! The files generated from the routes must be up to date.
//!
//! ```sh
//! FLOWTRAIL_GENERATE=1 cargo test -p local --test integration generated::
//! ```
//!
//! writes them. Text outside the marked parts of a file is written by hand.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use functions::grant::{Grant, Places};
use functions::route::{Route, Transfer};
use functions::routes::{OTHER_FUNCTIONS, ROUTES, function_names};
use serde_json::{Value, json};
use shared::auth::{Permission, Role};

use crate::support::samples::{Sample, sample_of};
use crate::template::resource_name;

/// With this variable the test writes the files instead of comparing them.
const WRITE: &str = "FLOWTRAIL_GENERATE";

const BEGIN: &str = "# ---- Generated from functions/src/routes.rs";
const END: &str = "# ---- End of what is generated";

fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// Writes a file, or compares it with the expected text.
fn write_or_compare(path: &str, wanted: &str) {
    let found = std::fs::read_to_string(file(path)).unwrap_or_default();
    if found == wanted {
        return;
    }
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(file(path), wanted).expect("written");
        return;
    }
    panic!("{path} is stale: run {WRITE}=1 cargo test -p local --test integration generated::");
}

/// Writes or compares the marked part of a file.
fn write_or_compare_part(path: &str, wanted: &str) {
    let whole = std::fs::read_to_string(file(path)).expect("a file");
    let (before, rest) = whole.split_once(BEGIN).expect("a beginning");
    let (_, after) = rest.split_once(END).expect("an end");
    write_or_compare(path, &format!("{before}{BEGIN}\n{wanted}{END}{after}"));
}

#[test]
fn each_route_has_its_binary() {
    for route in ROUTES {
        let name = route.name;
        let constant = name.to_uppercase();
        let binary = format!(
            "//! The Lambda function of the route `{name}`.\n\n\
             #[tokio::main(flavor = \"current_thread\")]\n\
             async fn main() -> Result<(), lambda_runtime::Error> {{\n    \
             functions::lambda::serve_route(&functions::routes::{constant}).await\n}}\n"
        );
        write_or_compare(&format!("functions/src/bin/{name}.rs"), &binary);
    }
    let mut names: Vec<_> = function_names().collect();
    names.sort_unstable();
    let entries = names
        .iter()
        .map(|name| format!("[[bin]]\nname = \"{name}\"\ntest = false\n\n"));
    write_or_compare_part("functions/Cargo.toml", &entries.collect::<String>());
}

#[test]
fn cargo_lambda_watch_has_each_route() {
    let mut by_path: Vec<(&str, Vec<String>)> = Vec::new();
    for route in ROUTES {
        let (method, name) = (&route.method, route.name);
        let entry = format!("{{ method = \"{method}\", function = \"{name}\" }}");
        match by_path.iter_mut().find(|(path, _)| *path == route.path) {
            Some((_, entries)) => entries.push(entry),
            None => by_path.push((route.path, vec![entry])),
        }
    }
    let lines = by_path
        .iter()
        .map(|(path, entries)| format!("\"{path}\" = [{}]\n", entries.join(", ")));
    write_or_compare_part("Cargo.toml", &lines.collect::<String>());
}

#[test]
fn the_document_has_the_number_of_functions() {
    let path = "docs/deploy.md";
    let text = std::fs::read_to_string(file(path)).expect("a file");
    let (before, rest) = text
        .split_once("`sam build` compiles ")
        .expect("the sentence");
    let (_, after) = rest.split_once(' ').expect("a number");
    let count = ROUTES.len() + OTHER_FUNCTIONS.len();
    write_or_compare(
        path,
        &format!("{before}`sam build` compiles {count} {after}"),
    );
}

// ---- The template

#[test]
fn each_route_has_its_function_in_the_template() {
    let functions = ROUTES.iter().map(|route| function_of(route));
    write_or_compare_part(
        "template.yaml",
        &format!("{}  ", functions.collect::<String>()),
    );
}

fn function_of(route: &Route) -> String {
    let mut text = format!(
        "  {}:\n    Type: AWS::Serverless::Function\n    Metadata:\n      \
         BuildMethod: rust-cargolambda\n      BuildProperties:\n        Binary: {}\n    \
         Properties:\n",
        resource_name(route.name),
        route.name
    );
    if let Some(seconds) = route.timeout_seconds {
        let _ = writeln!(text, "      Timeout: {seconds}");
    }
    if let Some(megabytes) = route.memory_mb {
        let _ = writeln!(text, "      MemorySize: {megabytes}");
    }
    if !route.grants.is_empty() {
        text += "      Policies:\n        - Version: \"2012-10-17\"\n          Statement:\n";
        text.extend(route.grants.iter().map(statement_of));
    }
    let (method, path) = (&route.method, route.path);
    let _ = write!(
        text,
        "      Events:\n        Route:\n          Type: Api\n          Properties:\n            \
         RestApiId:\n              Ref: Api\n            Method: {method}\n            \
         Path: {path}\n"
    );
    if route.transfer == Transfer::Streamed {
        text += "            ResponseTransferMode: RESPONSE_STREAM\n";
    }
    text + "\n"
}

fn statement_of(grant: &Grant) -> String {
    let actions: Vec<_> = grant
        .actions
        .iter()
        .map(|action| format!("dynamodb:{action}"))
        .collect();
    let actions = match &actions[..] {
        [action] => action.clone(),
        several => format!("[{}]", several.join(", ")),
    };
    let mut text = format!("            - Effect: Allow\n              Action: {actions}\n");
    match grant.on {
        Places::Partitions(patterns) => {
            let patterns: Vec<_> = patterns.iter().map(|it| format!("\"{it}\"")).collect();
            let _ = write!(
                text,
                "              Resource:\n                Fn::GetAtt: [Table, Arn]\n              \
                 Condition:\n                ForAllValues:StringLike:\n                  \
                 dynamodb:LeadingKeys: [{}]\n",
                patterns.join(", ")
            );
        }
        Places::Indexes([index]) => {
            let _ = write!(
                text,
                "              Resource:\n                Fn::Sub: ${{Table.Arn}}/index/{}\n",
                index.name
            );
        }
        Places::Indexes(indexes) => {
            text += "              Resource:\n";
            for index in indexes {
                let name = index.name;
                let _ = writeln!(
                    text,
                    "                - Fn::Sub: ${{Table.Arn}}/index/{name}"
                );
            }
        }
    }
    text
}

// ---- The sample events

#[test]
fn each_route_has_its_sample_event() {
    for route in ROUTES {
        let event = event_of(route);
        let text = serde_json::to_string_pretty(&event).expect("JSON");
        write_or_compare(&format!("events/{}.json", route.name), &format!("{text}\n"));
    }
}

/// A request as API Gateway passes it to the function of a route behind the authorizer.
fn event_of(route: &Route) -> Value {
    let Sample {
        path,
        path_parameters,
        query,
        body,
        is_download,
    } = sample_of(route);
    let headers = headers_of(body, is_download);
    json!({
        "resource": route.path,
        "path": path,
        "httpMethod": route.method.as_str(),
        "headers": headers,
        "multiValueHeaders": in_lists(&headers),
        "queryStringParameters": none_if_empty(&query),
        "multiValueQueryStringParameters": none_if_empty(&in_lists(&query)),
        "pathParameters": none_if_empty(&path_parameters),
        "stageVariables": null,
        "requestContext": request_context_of(route, &path),
        "body": if body.is_empty() { Value::Null } else { body.into() },
        "isBase64Encoded": false,
    })
}

fn request_context_of(route: &Route, path: &str) -> Value {
    let permissions: Vec<_> = Role::Admin
        .permissions()
        .into_iter()
        .map(Permission::as_str)
        .collect();
    // A separate number for each route, which does not change when a route is added.
    let number = route.name.bytes().fold(0_u32, |number, letter| {
        number.wrapping_mul(31) ^ u32::from(letter)
    });
    json!({
        "resourceId": "k9m2p1",
        "authorizer": {
            "permissions": permissions.join(","),
            "principal": "user:ada@example.com",
            "principalId": "user:ada@example.com",
            "integrationLatency": 41,
            "teamId": "default",
        },
        "resourcePath": route.path,
        "httpMethod": route.method.as_str(),
        "extendedRequestId": "YkP1RFAqDoEF1Q=",
        "requestTime": "17/Feb/2026:10:31:07 +0000",
        "path": format!("/prod{path}"),
        "accountId": "123456789012",
        "protocol": "HTTP/1.1",
        "stage": "prod",
        "domainPrefix": "a1b2c3d4e5",
        "requestTimeEpoch": 1_771_324_267_482_u64,
        "requestId": format!("{number:08x}-4c1d-4f6a-9b2e-000000000000"),
        "identity": {
            "cognitoIdentityPoolId": null,
            "accountId": null,
            "cognitoIdentityId": null,
            "caller": null,
            "sourceIp": "203.0.113.24",
            "principalOrgId": null,
            "accessKey": null,
            "cognitoAuthenticationType": null,
            "cognitoAuthenticationProvider": null,
            "userArn": null,
            "userAgent": "curl/8.5.0",
            "user": null,
        },
        "domainName": "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com",
        "deploymentId": "f6g7h8",
        "apiId": "a1b2c3d4e5",
    })
}

fn headers_of(body: &str, is_download: bool) -> BTreeMap<String, String> {
    let mut headers = BTreeMap::from([
        ("Accept", "application/json"),
        ("Accept-Encoding", "gzip"),
        (
            "Authorization",
            "Bearer sdk_0123456789abcdef0123_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        ),
        ("Host", "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com"),
        ("User-Agent", "curl/8.5.0"),
        (
            "X-Amzn-Trace-Id",
            "Root=1-6994436b-000000000000000000000000",
        ),
        ("X-Forwarded-For", "203.0.113.24"),
        ("X-Forwarded-Port", "443"),
        ("X-Forwarded-Proto", "https"),
    ]);
    if !body.is_empty() {
        headers.insert("Content-Type", "application/json");
    }
    if is_download {
        // The headers of curl.
        headers.insert("Accept", "*/*");
        headers.remove("Accept-Encoding");
    }
    let owned = headers.into_iter();
    owned
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn in_lists(values: &BTreeMap<String, String>) -> BTreeMap<String, Vec<String>> {
    let values = values.iter();
    values
        .map(|(name, value)| (name.clone(), vec![value.clone()]))
        .collect()
}

/// API Gateway sends null instead of an empty map.
fn none_if_empty<T: serde::Serialize>(values: &BTreeMap<String, T>) -> Value {
    match values.is_empty() {
        true => Value::Null,
        false => json!(values),
    }
}
