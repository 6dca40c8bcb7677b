//! The OpenAPI document matches the routes and their answers.

use std::collections::BTreeSet;
use std::path::Path;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use functions::openapi;
use functions::route::Route;
use functions::routes::ROUTES;
use serde_json::{Value, json};
use shared::auth::Role;

use crate::support::TestApp;
use crate::support::records::item;

fn document() -> Value {
    serde_json::from_slice(&openapi::document()).expect("JSON")
}

fn operation<'a>(document: &'a Value, route: &Route) -> &'a Value {
    &document["paths"][route.path][route.method.as_str().to_ascii_lowercase()]
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// Asserts that a value is valid for a schema of the document.
fn require_valid(document: &Value, schema: &Value, value: &Value, what: &str) {
    let schema = json!({"components": document["components"], "allOf": [schema]});
    let options = jsonschema::options().should_validate_formats(true);
    let validator = options.build(&schema).expect("a schema");
    let errors: Vec<_> = validator
        .iter_errors(value)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{what}: {errors:#?} in {value:#}");
}

/// The document without additional members in its schemas.
fn strict(mut document: Value) -> Value {
    fn close(schema: &mut Value) {
        match schema {
            Value::Object(members) => {
                members.values_mut().for_each(close);
                if members.contains_key("properties")
                    && !members.contains_key("additionalProperties")
                {
                    members.insert("additionalProperties".to_owned(), json!(false));
                }
            }
            Value::Array(items) => items.iter_mut().for_each(close),
            _ => {}
        }
    }
    close(&mut document["components"]["schemas"]);
    document
}

#[test]
fn the_document_has_exactly_the_routes() {
    let document = document();
    let described: BTreeSet<_> = members(&document["paths"])
        .flat_map(|(path, methods)| {
            members(methods).map(move |(method, operation)| {
                let permission = operation["x-permission"].as_str().map(str::to_owned);
                (path.clone(), method.to_ascii_uppercase(), permission)
            })
        })
        .collect();
    let routes: BTreeSet<_> = ROUTES
        .iter()
        .map(|route| {
            let permission = route
                .permission
                .map(|permission| permission.as_str().to_owned());
            (route.path.to_owned(), route.method.to_string(), permission)
        })
        .collect();
    assert_eq!(described, routes);
    for route in ROUTES {
        let operation = operation(&document, route);
        let in_path = items(&operation["parameters"]).filter(|it| it["in"] == "path");
        let in_path: BTreeSet<_> = in_path.filter_map(|it| it["name"].as_str()).collect();
        let named = route.path.split('{').skip(1);
        let named: BTreeSet<_> = named.filter_map(|part| part.split('}').next()).collect();
        assert_eq!(in_path, named, "{}", route.name);
    }
}

#[test]
fn every_example_is_valid_for_its_schema() {
    let document = strict(document());
    for route in ROUTES {
        let operation = operation(&document, route);
        for parameter in items(&operation["parameters"]) {
            let what = format!("{} {}", route.name, parameter["name"]);
            assert!(
                !parameter["description"]
                    .as_str()
                    .unwrap_or_default()
                    .is_empty(),
                "{what}"
            );
            for value in [&parameter["example"], &parameter["schema"]["default"]] {
                if !value.is_null() {
                    require_valid(&document, &parameter["schema"], value, &what);
                }
            }
        }
        if let Some(media) = operation["requestBody"]["content"].get("application/json") {
            require_valid(&document, &media["schema"], &media["example"], route.name);
        }
        let mut succeeds = false;
        for (status, response) in members(&operation["responses"]) {
            let what = format!("{} {status}", route.name);
            succeeds |= status.starts_with('2');
            for (media_type, media) in members(&response["content"]) {
                if media_type == "application/x-protobuf" {
                    continue;
                }
                let examples = members(&media["examples"]).map(|(_, example)| &example["value"]);
                let examples: Vec<_> = media.get("example").into_iter().chain(examples).collect();
                assert!(!examples.is_empty(), "{what} has no example");
                for example in examples {
                    require_valid(&document, &media["schema"], example, &what);
                }
            }
        }
        assert!(succeeds, "{}", route.name);
        for status in ["401", "500", "503"] {
            assert!(
                operation["responses"].get(status).is_some(),
                "{} {status}",
                route.name
            );
        }
    }
}

/// The request of a route's sample event, with a token.
fn request(route: &Route, token: &str) -> Request<Body> {
    let path = format!("../events/{}.json", route.name);
    let event = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect("an event");
    let event: Value = serde_json::from_slice(&event).expect("JSON");
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, values) in members(&event["multiValueQueryStringParameters"]) {
        for value in items(values) {
            query.append_pair(name, value.as_str().expect("a text"));
        }
    }
    let uri = format!(
        "{}?{}",
        event["path"].as_str().expect("a path"),
        query.finish()
    );
    let body = event["body"].as_str().unwrap_or_default().to_owned();
    Request::builder()
        .method(route.method.clone())
        .uri(uri)
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .body(Body::from(body))
        .expect("a request")
}

/// Finds schemas that client generators cannot read or give no name to: unions of constants,
/// and `null` in an enumeration.
fn unreadable(value: &Value, path: &str, found: &mut Vec<String>) {
    let members: Vec<(String, &Value)> = match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, it)| (name.clone(), it))
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(n, it)| (n.to_string(), it))
            .collect(),
        _ => Vec::new(),
    };
    let is_constant = |schema: &Value| schema.get("const").is_some();
    let has_constants = |name| items(&value[name]).any(is_constant);
    let has_null = items(&value["enum"]).any(Value::is_null);
    if value.is_object() && (has_null || has_constants("oneOf") || has_constants("anyOf")) {
        found.push(path.to_owned());
    }
    for (name, member) in members {
        unreadable(member, &format!("{path}/{name}"), found);
    }
}

#[test]
fn client_generators_can_name_every_enumeration() {
    let document = document();
    let mut found = Vec::new();
    unreadable(&document, "", &mut found);
    assert_eq!(found, [""; 0]);
    let schemas = &document["components"]["schemas"];
    for (name, words) in [
        (
            "Status",
            vec!["PENDING", "RUNNING", "COMPLETED", "FAILED", "CANCELLED"],
        ),
        (
            "ExecutionStatus",
            vec!["PENDING", "RUNNING", "SUCCESS", "FAILED", "CANCELLED"],
        ),
        (
            "HistoryStatus",
            vec!["PENDING", "RUNNING", "PASSED", "FAILED", "CANCELLED"],
        ),
        ("EndedStatus", vec!["COMPLETED", "FAILED", "CANCELLED"]),
        ("ExecutionType", vec!["PARENT", "SUBFLOW"]),
    ] {
        assert_eq!(schemas[name]["enum"], json!(words), "{name}");
        assert_eq!(schemas[name]["type"], "string", "{name}");
    }
    let status = &schemas["ExecutionSummary"]["properties"]["status"]["anyOf"];
    assert_eq!(status[0]["$ref"], "#/components/schemas/ExecutionStatus");
    assert_eq!(status[1]["type"], "null");
}

#[test]
fn the_export_lists_csv_first_as_its_default() {
    let text = openapi::document();
    let text = std::str::from_utf8(&text).expect("UTF-8");
    let export = text.split_once(r#""/api/executions/team/{teamId}/export""#);
    let (_, export) = export.expect("the export");
    let csv = export.find(r#""text/csv; charset=utf-8; header=present""#);
    let json = export.find(r#""application/json""#);
    assert!(csv.expect("CSV") < json.expect("JSON"));
}

#[tokio::test]
async fn every_answer_is_valid_for_its_schema() {
    let app = TestApp::new().await;
    let document = strict(document());
    let records = std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/sample-records.jsonl"),
    );
    let records = records.expect("records");
    let records = records
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"));
    app.write(records.map(item)).await;
    app.count().await;
    let admin = app.token("default", Role::Admin, None).await;
    let mut successes = 0;
    for token in [admin.as_str(), "sdk_none"] {
        for route in ROUTES {
            let answer = app.send(request(route, token)).await;
            let status = answer.status.as_u16().to_string();
            let response = &operation(&document, route)["responses"][&status];
            assert!(
                !response.is_null(),
                "{} {status}: {:.300}",
                route.name,
                answer.body
            );
            successes += usize::from(answer.status.is_success());
            let Some(media_type) = answer.headers.get(header::CONTENT_TYPE) else {
                assert!(response["content"].is_null(), "{}", route.name);
                continue;
            };
            let media_type = media_type.to_str().expect("a text");
            let media = &response["content"][media_type];
            assert!(!media.is_null(), "{} {status} {media_type}", route.name);
            if media_type == "application/json" {
                require_valid(&document, &media["schema"], &answer.json(), route.name);
            }
        }
    }
    assert!(successes > ROUTES.len() / 2, "{successes} successes");
}

#[tokio::test]
async fn the_document_is_public() {
    let app = TestApp::new().await;
    let request = Request::builder().method(Method::GET).uri(openapi::PATH);
    let answer = app
        .send(request.body(Body::empty()).expect("a request"))
        .await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.headers[header::CONTENT_TYPE], "application/json");
    assert_eq!(answer.json()["openapi"], "3.1.0");
    let post = Request::builder().method(Method::POST).uri(openapi::PATH);
    let post = app.send(post.body(Body::empty()).expect("a request")).await;
    assert_eq!(post.problem(), (405, "METHOD_NOT_ALLOWED".to_owned()));
}
