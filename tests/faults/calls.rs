//! The requests that meet faults.

use functions::route::Route;
use functions::routes::ROUTES;
use serde_json::{Value, json};

use crate::support::records::{ForkKey, START, step_path};

/// A request of an endpoint.
pub(super) struct Call {
    pub(super) name: &'static str,
    pub(super) path: String,
    pub(super) body: String,
}

fn call(name: &'static str, path: impl Into<String>) -> Call {
    Call {
        name,
        path: path.into(),
        body: String::new(),
    }
}

impl Call {
    fn sending(mut self, body: Value) -> Self {
        self.body = body.to_string();
        self
    }

    pub(super) fn route(&self) -> &'static Route {
        let route = ROUTES.iter().find(|route| route.name == self.name);
        route.expect("a route")
    }

    /// Whether each repetition of the request creates another record. A token whose secret
    /// was lost stays in the list of tokens.
    pub(super) fn creates_another_each_time(&self) -> bool {
        self.name == "create_token"
    }
}

/// Every call that reads. It changes nothing, except that some write an audit event.
pub(super) fn reads() -> Vec<Call> {
    [
        reads_of_flow_executions(),
        reads_of_executions(),
        reads_of_history(),
        reads_of_settings(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn reads_of_flow_executions() -> Vec<Call> {
    vec![
        call(
            "list_flow_executions",
            "/flow-executions?flowDefinitionId=flow-1&limit=2",
        ),
        call("get_flow_execution", "/flow-executions/run-1"),
        call("get_flow_execution_branch_steps", FORK.branch_steps_path()),
        call("get_flow_execution_step", step_path("run-1", "step-1", 10)),
    ]
}

fn reads_of_executions() -> Vec<Call> {
    const TEAM: &str = "/api/executions/team/team-a";
    let labelled = format!("{TEAM}?label=site%3Dberlin&from=2026-02-16");
    let export = format!("{TEAM}/export?from=2026-02-16");
    vec![
        call("list_team_executions", TEAM),
        call("list_team_executions", labelled),
        call("export_team_executions", export.clone()),
        call("export_team_executions", format!("{export}&format=json")),
        call(
            "list_workflow_executions",
            "/api/executions?workflowId=flow-1&page=1&size=1",
        ),
        call("get_execution", "/api/executions/run-1"),
    ]
}

fn reads_of_history() -> Vec<Call> {
    const RUNS: &str = "/api/history/executions";
    vec![
        call(
            "list_history_executions",
            format!("{RUNS}?offset=1&limit=3"),
        ),
        call(
            "list_history_flow_executions",
            format!("{RUNS}/flows/flow-1"),
        ),
        call("get_history_execution", format!("{RUNS}/run-1")),
        call(
            "get_history_statistics",
            "/api/history/execution-stats?startDate=2026-02-16",
        ),
        call(
            "get_history_step_statistics",
            "/api/history/step-stats?flowId=flow-1&startDate=2026-02-16",
        ),
    ]
}

fn reads_of_settings() -> Vec<Call> {
    vec![
        call("get_masking_settings", "/api/settings/masking"),
        call("get_retention_settings", "/api/settings/retention"),
        call("get_stalled_settings", "/api/settings/stalled"),
        call("get_profile_settings", "/api/settings/profiles"),
        call("try_masking_settings", "/api/settings/masking/try")
            .sending(json!({"value": {"password": "x"}})),
        call("list_tokens", "/api/tokens"),
        call("get_roles", "/api/roles"),
        call("get_caller", "/api/caller"),
        call(
            "list_audit_events",
            "/api/audit?limit=1&action=MASKING_CHANGED",
        ),
    ]
}

pub(super) fn cancel() -> Call {
    call("cancel_execution", "/api/executions/run-1/cancel").sending(json!({"reason": "why"}))
}

pub(super) fn pin() -> Call {
    call("pin_execution", "/api/executions/run-2/pin")
}

pub(super) fn unpin() -> Call {
    call("unpin_execution", "/api/executions/pinned/pin")
}

pub(super) fn delete(cascade: bool) -> Call {
    let path = format!("/api/history/executions/run-1?cascade={cascade}");
    call("delete_history_execution", path)
}

pub(super) fn delete_flow() -> Call {
    let path = "/api/history/executions/flows/flow-1?cascade=true";
    call("delete_history_flow_executions", path)
}

/// The changes of permissions, settings and tokens.
pub(super) fn settings(victim: &str) -> Vec<Call> {
    let role = json!({"name": "auditor", "permissions": ["AUDIT_READ"]});
    vec![
        call("update_masking_settings", "/api/settings/masking")
            .sending(json!({"keyNames": ["shoeSize"]})),
        call("update_roles", "/api/roles").sending(json!({"roles": [role]})),
        call("update_retention_settings", "/api/settings/retention")
            .sending(json!({"rules": [{"days": 90}]})),
        call("update_stalled_settings", "/api/settings/stalled")
            .sending(json!({"rules": [{"afterSeconds": 300}]})),
        call("update_profile_settings", "/api/settings/profiles")
            .sending(json!({"profiles": [{"instrumentation": "acme", "scopes": ["acme"]}]})),
        call("create_token", "/api/tokens").sending(json!({"role": "viewer", "name": "new"})),
        call("revoke_token", format!("/api/tokens/{victim}")),
    ]
}

pub(super) fn ingest() -> Call {
    let nanoseconds = |offset: i64| format!("{}000000", START + offset);
    let span = |number: u64, parent: Option<u64>, start: i64, end: i64| {
        let mut span = json!({
            "traceId": "5b8efff798038103d269b633813fc60c", "spanId": format!("{number:016x}"),
            "name": format!("span {number}"), "kind": 1,
            "startTimeUnixNano": nanoseconds(start), "endTimeUnixNano": nanoseconds(end),
        });
        if let Some(parent) = parent {
            span["parentSpanId"] = format!("{parent:016x}").into();
        }
        span
    };
    let large = json!([{"key": "input.value", "value": {"stringValue": "y".repeat(20_000)}}]);
    let mut spans = [
        span(1, None, 0, 900),
        span(2, Some(1), 10, 400),
        span(3, Some(1), 20, 500),
        span(4, Some(2), 30, 60),
    ];
    spans[3]["attributes"] = large;
    let request = json!({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]});
    call("ingest_traces", "/v1/traces").sending(request)
}

pub(super) const FORK: ForkKey<'static> = ForkKey {
    execution_id: "run-1",
    id: "fork-1",
    offset: 100,
};
