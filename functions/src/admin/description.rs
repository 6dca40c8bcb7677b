//! The admin endpoints in OpenAPI.

use http::StatusCode;
use masking::Settings;
use schemars::SchemaGenerator;
use serde_json::{Value, json};
use shared::Error;
use shared::retention::RetentionRule;
use shared::stalled::StalledRule;

use super::parameters::{
    AuditParameters, MaskingTrial, NewTokenBody, RolesBody, RulesBody, TokenListParameters,
    described_token_id,
};
use super::views::{
    AuditView, CallerAnswer, MaskedView, MaskingSettingsView, OneTokenView, RolesView, RulesView,
    TokensView,
};
use crate::openapi::{Describe, Operation, example, problems};
use crate::problem::Problem;
use crate::route::{self, Route};

/// Every operation of this surface, with its route.
pub(crate) const OPERATIONS: &[(&Route, Describe)] = &[
    (&route::GET_CALLER, get_caller),
    (&route::CREATE_TOKEN, create_token),
    (&route::LIST_TOKENS, list_tokens),
    (&route::REVOKE_TOKEN, revoke_token),
    (&route::GET_ROLES, get_roles),
    (&route::UPDATE_ROLES, update_roles),
    (&route::GET_MASKING_SETTINGS, get_masking_settings),
    (&route::UPDATE_MASKING_SETTINGS, update_masking_settings),
    (&route::TRY_MASKING_SETTINGS, try_masking_settings),
    (&route::GET_RETENTION_SETTINGS, get_retention_settings),
    (&route::UPDATE_RETENTION_SETTINGS, update_retention_settings),
    (&route::GET_STALLED_SETTINGS, get_stalled_settings),
    (&route::UPDATE_STALLED_SETTINGS, update_stalled_settings),
    (&route::LIST_AUDIT_EVENTS, list_audit_events),
];

/// A token, with its secret.
fn new_token() -> Value {
    example(include_str!("examples/new_token.json"))
}

fn get_caller(schemas: &mut SchemaGenerator) -> Operation {
    let about = "Who the caller is, and may do.";
    Operation::new("Get the caller", about).answer::<CallerAnswer<'_>>(
        schemas,
        StatusCode::OK,
        "The caller.",
        example(include_str!("examples/caller.json")),
    )
}

fn create_token(schemas: &mut SchemaGenerator) -> Operation {
    let body = json!({"role": "operator", "name": "Deployment", "flows": ["order-pipeline"]});
    let about = "Makes a token, and shows it this once. A role with a permission that the caller lacks \
                 is 403, and so is an end after that of the caller's own token.";
    Operation::new("Create a token", about)
        .body::<NewTokenBody>(body)
        .answer::<OneTokenView<'_>>(schemas, StatusCode::CREATED, "The token.", new_token())
        .problems(schemas, [problems::missing("body")])
}

fn list_tokens(schemas: &mut SchemaGenerator) -> Operation {
    let page = json!({"success": true, "tokens": [new_token()["token"]]});
    let about = "The team's tokens, newest first, without secrets. Revoked ones stay for 90 days.";
    Operation::new("List tokens", about)
        .parameters(TokenListParameters::described())
        .answer::<TokensView<'_>>(schemas, StatusCode::OK, "A page.", page)
        .problems(schemas, [problems::next_token()])
}

fn revoke_token(schemas: &mut SchemaGenerator) -> Operation {
    let mut token = new_token()["token"].take();
    token["revokedAt"] = json!("2026-02-18T08:00:00.000Z");
    token["expiresAt"] = Value::Null;
    let revoked = json!({"success": true, "token": token});
    let not_found = Error::TokenNotFound("019c6b4f2d1a5e0c9b37".to_owned());
    let about = "It stops working within 60 seconds. Again, it changes nothing.";
    Operation::new("Revoke a token", about)
        .parameters([described_token_id()])
        .answer::<OneTokenView<'_>>(schemas, StatusCode::OK, "It is revoked.", revoked)
        .problems(schemas, [not_found.into()])
}

fn get_roles(schemas: &mut SchemaGenerator) -> Operation {
    let about = "The roles that the team defines, and those that every team has.";
    Operation::new("Get the roles", about).answer::<RolesView<'_>>(
        schemas,
        StatusCode::OK,
        "The roles.",
        example(include_str!("examples/roles.json")),
    )
}

fn update_roles(schemas: &mut SchemaGenerator) -> Operation {
    let body = json!({
        "roles": [{"name": "auditor", "permissions": ["EXECUTIONS_READ", "AUDIT_READ"]}],
    });
    let about = "Puts other roles in the place of the team's own. Send the `updatedAt` that you have \
                 read, be it `null`, and a change that another made meanwhile is 409; without it the \
                 last one wins. Names are unique in any case of letters, and none of those that every \
                 team has.";
    Operation::new("Update the roles", about)
        .body::<RolesBody>(body)
        .answer::<RolesView<'_>>(
            schemas,
            StatusCode::OK,
            "The roles.",
            example(include_str!("examples/roles.json")),
        )
        .problems(
            schemas,
            [
                problems::missing("body"),
                Error::Conflict("The roles").into(),
            ],
        )
}

fn get_masking_settings(schemas: &mut SchemaGenerator) -> Operation {
    let about = "What the team has added to masking, and what it allows.";
    Operation::new("Get the masking", about).answer::<MaskingSettingsView<'_>>(
        schemas,
        StatusCode::OK,
        "The settings.",
        example(include_str!("examples/masking.json")),
    )
}

fn update_masking_settings(schemas: &mut SchemaGenerator) -> Operation {
    let body = json!({"patterns": [{"name": "customer-number", "pattern": "KD-[0-9]{8}"}]});
    let about = "Puts other settings in their place; what is left out is empty. Patterns are regular \
                 expressions that match no empty text. To let more be seen takes `EXECUTIONS_REVEAL` \
                 as well.";
    Operation::new("Update the masking", about)
        .body::<Settings>(body)
        .answer::<MaskingSettingsView<'_>>(
            schemas,
            StatusCode::OK,
            "The settings.",
            example(include_str!("examples/masking.json")),
        )
        .problems(schemas, [problems::missing("body")])
}

fn try_masking_settings(schemas: &mut SchemaGenerator) -> Operation {
    let masked = json!({
        "success": true,
        "masked": {"orderId": 42, "password": "[REDACTED:secret]"},
    });
    let about = "What settings would hide, without keeping them.";
    Operation::new("Try the masking", about)
        .body::<MaskingTrial>(json!({"value": {"orderId": 42, "password": "hunter2"}}))
        .answer::<MaskedView<'_>>(schemas, StatusCode::OK, "The masked value.", masked)
        .problems(schemas, [problems::missing("body")])
}

/// The answer with some rules.
fn with_rules(rules: &Value) -> Value {
    json!({
        "success": true,
        "rules": rules,
        "updatedAt": "2026-02-17T10:31:00.000Z",
        "updatedBy": "token:0123456789abcdef0123",
    })
}

/// What a change of rules meets.
fn problems_of_rules() -> [Problem; 2] {
    [
        problems::missing("body"),
        Error::Conflict("The rules").into(),
    ]
}

fn retention_rules() -> Value {
    json!([
        {"days": 90},
        {"flowId": "order-pipeline", "status": "FAILED", "days": null},
    ])
}

fn get_retention_settings(schemas: &mut SchemaGenerator) -> Operation {
    let about = "For how many days after their end the team's runs are kept.";
    let example = with_rules(&retention_rules());
    Operation::new("Get the retention", about).answer::<RulesView<'_, RetentionRule>>(
        schemas,
        StatusCode::OK,
        "The rules.",
        example,
    )
}

fn update_retention_settings(schemas: &mut SchemaGenerator) -> Operation {
    let about = "Puts other rules in the place of the team's, at most one for the same runs. The most \
                 particular counts: flow and state, flow, state, none. Send the `updatedAt` that you \
                 have read, be it `null`, and a change that another made meanwhile is 409; without \
                 it the last one wins.";
    let example = with_rules(&retention_rules());
    Operation::new("Update the retention", about)
        .body::<RulesBody<RetentionRule>>(json!({"rules": retention_rules()}))
        .answer::<RulesView<'_, RetentionRule>>(schemas, StatusCode::OK, "The rules.", example)
        .problems(schemas, problems_of_rules())
}

fn stalled_rules() -> Value {
    json!([
        {"afterSeconds": 300},
        {"flowId": "order-pipeline", "afterSeconds": 60, "closeAfterSeconds": 3_600},
    ])
}

fn get_stalled_settings(schemas: &mut SchemaGenerator) -> Operation {
    let about = "After how long without a sign of life the team's runs are stalled, and closed.";
    let example = with_rules(&stalled_rules());
    Operation::new("Get the limits of stalled runs", about).answer::<RulesView<'_, StalledRule>>(
        schemas,
        StatusCode::OK,
        "The rules.",
        example,
    )
}

fn update_stalled_settings(schemas: &mut SchemaGenerator) -> Operation {
    let about = "Puts other rules in the place of the team's, at most one for the same runs. A flow's \
                 own rule counts before that for every flow, and no run is closed before it is \
                 stalled. Send the `updatedAt` that you have read, be it `null`, and a change that \
                 another made meanwhile is 409; without it the last one wins.";
    let example = with_rules(&stalled_rules());
    Operation::new("Update the limits of stalled runs", about)
        .body::<RulesBody<StalledRule>>(json!({"rules": stalled_rules()}))
        .answer::<RulesView<'_, StalledRule>>(schemas, StatusCode::OK, "The rules.", example)
        .problems(schemas, problems_of_rules())
}

fn list_audit_events(schemas: &mut SchemaGenerator) -> Operation {
    let about = "Who did what in the team, newest first, for 90 days.";
    Operation::new("List audit events", about)
        .parameters(AuditParameters::described())
        .answer::<AuditView<'_>>(
            schemas,
            StatusCode::OK,
            "A page. One with filters can be shorter than `limit` and still not be the last.",
            example(include_str!("examples/audit.json")),
        )
        .problems(schemas, [problems::next_token()])
}
