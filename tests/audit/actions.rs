//! The audited actions.

use axum::http::Method;
use serde_json::{Value, json};

use crate::support::records::step_path;

/// A request that is audited, and what its event contains.
pub(super) struct Audited {
    pub(super) action: &'static str,
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) body: Value,
    pub(super) target: String,
    pub(super) details: Value,
}

impl Audited {
    fn new(action: &'static str, method: Method, path: &str, target: &str) -> Self {
        Self {
            action,
            method,
            path: path.to_owned(),
            body: Value::Null,
            target: target.to_owned(),
            details: json!({}),
        }
    }

    fn with_body(self, body: Value) -> Self {
        Self { body, ..self }
    }

    fn with_details(self, details: Value) -> Self {
        Self { details, ..self }
    }
}

/// Every audited action, for the records of [`with_runs`](super::with_runs).
pub(super) fn everything(victim: &str) -> Vec<Audited> {
    let actions = [
        changes_of_runs(),
        reads_of_runs(),
        changes_of_tokens(victim),
    ];
    let more = [changes_of_settings(), changes_of_retention()];
    actions.into_iter().chain(more).flatten().collect()
}

fn changes_of_runs() -> Vec<Audited> {
    let reason = json!({"reason": "The order was withdrawn"});
    let cancel = "/api/executions/open/cancel";
    let flow = "/api/history/executions/flows/flow-2?cascade=true";
    vec![
        Audited::new("EXECUTION_CANCELLED", Method::POST, cancel, "open")
            .with_body(reason.clone())
            .with_details(reason),
        Audited::new(
            "EXECUTION_DELETED",
            Method::DELETE,
            "/api/history/executions/one",
            "one",
        )
        .with_details(json!({"flowId": "flow-1", "cascade": "false"})),
        Audited::new("FLOW_EXECUTIONS_DELETED", Method::DELETE, flow, "flow-2")
            .with_details(json!({"cascade": "true", "deletedCount": "3"})),
    ]
}

/// An export, and two reads that show a secret.
fn reads_of_runs() -> Vec<Audited> {
    let export = "/api/executions/team/team-a/export\
                  ?workflowId=flow-3&status=SUCCESS&from=2026-02-01";
    let step = step_path("secret", "login", 100);
    let reveal = |path: &str| Audited::new("EXECUTION_REVEALED", Method::GET, path, "secret");
    vec![
        Audited::new("EXECUTIONS_EXPORTED", Method::GET, export, "team-a").with_details(json!({
            "flowId": "flow-3", "status": "COMPLETED", "executions": "2",
            "from": "2026-02-01T00:00:00.000Z",
        })),
        reveal("/flow-executions/secret"),
        reveal(&step),
    ]
}

fn changes_of_tokens(victim: &str) -> Vec<Audited> {
    let victims = format!("/api/tokens/{victim}");
    vec![
        Audited::new("TOKEN_CREATED", Method::POST, "/api/tokens", "")
            .with_body(json!({"role": "viewer", "name": "CI", "flows": ["flow-1"]}))
            .with_details(json!({"role": "viewer", "name": "CI", "flows": "flow-1"})),
        Audited::new("TOKEN_REVOKED", Method::DELETE, &victims, victim)
            .with_details(json!({"role": "operator"})),
    ]
}

fn changes_of_settings() -> Vec<Audited> {
    let masking = "/api/settings/masking";
    vec![
        Audited::new("ROLES_CHANGED", Method::PUT, "/api/roles", "roles")
            .with_body(json!({"roles": [{"name": "auditor", "permissions": ["AUDIT_READ"]}]}))
            .with_details(json!({"gained": "AUDIT_READ", "changes": "auditor: +AUDIT_READ"})),
        Audited::new("MASKING_CHANGED", Method::PUT, masking, "masking")
            .with_body(json!({"keyNames": ["birthDate"], "allowedRules": ["ip-address"]}))
            .with_details(json!({
                "allowedRulesAdded": "ip-address", "keyNamesAdded": "birthDate",
            })),
    ]
}

/// Pins, the rules for retention and for stalled runs, and trace profiles.
fn changes_of_retention() -> Vec<Audited> {
    let pin = "/api/executions/secret/pin";
    let unpin = "/api/executions/pinned/pin";
    let retention = "/api/settings/retention";
    let stalled = "/api/settings/stalled";
    let profiles = "/api/settings/profiles";
    vec![
        Audited::new("EXECUTION_PINNED", Method::PUT, pin, "secret"),
        Audited::new("EXECUTION_UNPINNED", Method::DELETE, unpin, "pinned"),
        Audited::new("RETENTION_CHANGED", Method::PUT, retention, "retention")
            .with_body(json!({
                "rules": [{"days": 90}, {"flowId": "a", "status": "FAILED", "days": null}],
            }))
            .with_details(json!({
                "rulesAdded": "a, FAILED: forever; every flow, any end: 90 days",
            })),
        Audited::new("STALLED_CHANGED", Method::PUT, stalled, "stalled")
            .with_body(json!({"rules": [{"afterSeconds": 60, "closeAfterSeconds": 90}]}))
            .with_details(json!({
                "rulesAdded": "every flow: after 60 s, closed after 90 s",
            })),
        Audited::new("PROFILES_CHANGED", Method::PUT, profiles, "profiles")
            .with_body(json!({
                "profiles": [{"instrumentation": "acme", "scopes": ["acme.*"], "runs": ["run"]}],
            }))
            .with_details(json!({
                "profilesAdded":
                    r#"{"instrumentation":"acme","scopes":["acme.*"],"runs":["run"]}"#,
            })),
    ]
}
