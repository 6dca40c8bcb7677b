//! A sample request for each route. The sample events in `events/` contain these requests,
//! and other tests send their bodies.

use std::collections::BTreeMap;

use functions::route::Route;
use shared::auth::Permission;

/// A request.
pub struct Sample {
    /// The path with its values.
    pub path: String,
    /// The path's parameters, decoded.
    pub path_parameters: BTreeMap<String, String>,
    /// The query's parameters, decoded.
    pub query: BTreeMap<String, String>,
    /// The body; empty if the request has none.
    pub body: &'static str,
    /// Whether a program saves the answer as a file while it arrives.
    pub is_download: bool,
}

/// The sample request of a route.
pub fn sample_of(route: &Route) -> Sample {
    let (target, body) = target_and_body(route);
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let query = form_urlencoded::parse(query.as_bytes()).into_owned();
    let segments = route.path.split('/').zip(path.split('/'));
    let path_parameters = segments.filter_map(|(name, value)| {
        let name = name.strip_prefix('{')?.strip_suffix('}')?;
        Some((name.to_owned(), value.to_owned()))
    });
    Sample {
        path: path.to_owned(),
        path_parameters: path_parameters.collect(),
        query: query.collect(),
        body,
        is_download: route.permission == Some(Permission::ExecutionsExport),
    }
}

/// A trace of one span.
const TRACE: &str = r#"{"resourceSpans": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]}, "scopeSpans": [{"scope": {"name": "shop.orders"}, "spans": [{"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174", "name": "order", "kind": 2, "startTimeUnixNano": "1771324200000000000", "endTimeUnixNano": "1771324200900000000"}, {"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b175", "parentSpanId": "eee19b7ec3c1b174", "name": "charge", "kind": 3, "startTimeUnixNano": "1771324200100000000", "endTimeUnixNano": "1771324200700000000", "attributes": [{"key": "order.id", "value": {"intValue": "42"}}], "status": {"code": 1}}]}]}]}"#;

/// The path, the query and the body of the samples. A route that is not listed is called without
/// a query and a body.
const SAMPLES: &[(&str, &str, &str)] = &[
    (
        "cancel_execution",
        "/api/executions/run-44/cancel",
        r#"{"reason": "The order was withdrawn."}"#,
    ),
    (
        "create_token",
        "/api/tokens",
        r#"{"role": "viewer", "name": "on-call", "flows": ["order-pipeline"]}"#,
    ),
    (
        "delete_history_execution",
        "/api/history/executions/run-45",
        "",
    ),
    (
        "delete_history_flow_executions",
        "/api/history/executions/flows/old-pipeline",
        "",
    ),
    (
        "export_team_executions",
        "/api/executions/team/default/export?format=json&from=2026-02-17&workflowId=order-pipeline",
        "",
    ),
    (
        "get_flow_execution_branch_steps",
        "/flow-executions/run-42/branch-steps?parentStepInstanceId=fork-1&parentStepStartTime=2026-02-17T10:30:00.200Z",
        "",
    ),
    (
        "get_flow_execution_step",
        "/flow-executions/run-42/step?stepInstanceId=fork-1&startTime=2026-02-17T10:30:00.200Z",
        "",
    ),
    (
        "get_history_statistics",
        "/api/history/execution-stats?startDate=2026-02-01&endDate=2026-02-28&flowId=order-pipeline",
        "",
    ),
    (
        "get_history_step_statistics",
        "/api/history/step-stats?startDate=2026-02-01&endDate=2026-02-28&flowId=order-pipeline",
        "",
    ),
    ("ingest_traces", "/v1/traces", TRACE),
    (
        "list_audit_events",
        "/api/audit?action=EXECUTION_CANCELLED",
        "",
    ),
    (
        "list_flow_executions",
        "/flow-executions?flowDefinitionId=order-pipeline&limit=2",
        "",
    ),
    (
        "list_history_executions",
        "/api/history/executions?status=PASSED&limit=20&offset=0",
        "",
    ),
    (
        "list_history_flow_executions",
        "/api/history/executions/flows/order-pipeline?limit=10",
        "",
    ),
    (
        "list_team_executions",
        "/api/executions/team/default?page=0&size=2&workflowId=order-pipeline",
        "",
    ),
    ("list_tokens", "/api/tokens?limit=10", ""),
    (
        "list_workflow_executions",
        "/api/executions?workflowId=order-pipeline&size=2",
        "",
    ),
    ("revoke_token", "/api/tokens/0123456789abcdef0123", ""),
    (
        "try_masking_settings",
        "/api/settings/masking/try",
        r#"{"value": {"orderId": 42, "birthDate": "1990-01-31", "password": "hunter2"}, "settings": {"keyNames": ["birthDate"]}}"#,
    ),
    (
        "update_masking_settings",
        "/api/settings/masking",
        r#"{"patterns": [{"name": "customer", "pattern": "KD-\\d{8}"}], "keyNames": ["birthDate"]}"#,
    ),
    (
        "update_profile_settings",
        "/api/settings/profiles",
        r#"{"profiles": [{"instrumentation": "Acme Flow", "scopes": ["acme.flow*"], "labels": {"customer": ["acme.customer"]}, "spans": [{"when": {"name": "flow *"}, "isRun": true, "flowId": "{*}"}]}]}"#,
    ),
    (
        "update_retention_settings",
        "/api/settings/retention",
        r#"{"rules": [{"days": 90}, {"flowId": "order-pipeline", "status": "FAILED", "days": null}]}"#,
    ),
    (
        "update_roles",
        "/api/roles",
        r#"{"roles": [{"name": "auditor", "description": "Reads runs and the audit, without exports", "permissions": ["EXECUTIONS_READ", "AUDIT_READ"]}]}"#,
    ),
    (
        "update_stalled_settings",
        "/api/settings/stalled",
        r#"{"rules": [{"afterSeconds": 300}, {"flowId": "order-pipeline", "afterSeconds": 60, "closeAfterSeconds": 3600}]}"#,
    ),
];

fn target_and_body(route: &Route) -> (String, &'static str) {
    let sample = SAMPLES.iter().find(|(name, ..)| *name == route.name);
    sample.map_or_else(
        || {
            (
                fill_path(route.path, "run-42", "order-pipeline", "default"),
                "",
            )
        },
        |(_, target, body)| ((*target).to_owned(), *body),
    )
}

/// A path with these ids in place of the names of its parameters.
pub fn fill_path(path: &str, run: &str, flow: &str, team: &str) -> String {
    [
        ("{executionId}", run),
        ("{flowExecutionId}", run),
        ("{id}", run),
        ("{flowId}", flow),
        ("{teamId}", team),
    ]
    .into_iter()
    .fold(path.to_owned(), |path, (name, id)| path.replace(name, id))
}
