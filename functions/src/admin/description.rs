//! The OpenAPI description of the admin endpoints.

use http::StatusCode;
use masking::Settings;
use schemars::SchemaGenerator;
use serde_json::{Value, json};
use shared::Error;
use shared::retention::RetentionRule;
use shared::stalled::StalledRule;

use super::parameters::{MaskingTrial, NewTokenBody, ProfilesBody, RolesBody, RulesBody};
use super::views::{
    AuditView, CallerAnswer, MaskedView, MaskingSettingsView, OneTokenView, ProfilesView,
    RolesView, RulesView, TokensView,
};
use crate::openapi::{Operation, example, problems};
use crate::problem::Problem;

/// The example of a token, with its secret.
fn new_token() -> Value {
    example(include_str!("examples/new_token.json"))
}

pub(crate) fn get_caller(schemas: &mut SchemaGenerator) -> Operation {
    let about = "Returns the caller: its team, its permissions, and the flows that it sees.";
    Operation::new("Get the caller", about).answer::<CallerAnswer<'_>>(
        schemas,
        StatusCode::OK,
        "The caller.",
        example(include_str!("examples/caller.json")),
    )
}

pub(crate) fn create_token(schemas: &mut SchemaGenerator) -> Operation {
    let body = json!({"role": "operator", "name": "Deployment", "flows": ["order-pipeline"]});
    let about = "Creates a token of the caller's team. Only this response contains the secret. \
                 Callers cannot grant more than they have. The response is 403 for a role with a \
                 permission that the caller lacks, and for a token that would expire later than \
                 the caller's own token.";
    Operation::new("Create a token", about)
        .body::<NewTokenBody>(body)
        .answer::<OneTokenView<'_>>(schemas, StatusCode::CREATED, "The new token.", new_token())
        .problems(schemas, [problems::missing("body")])
}

pub(crate) fn list_tokens(schemas: &mut SchemaGenerator) -> Operation {
    let page = json!({"success": true, "tokens": [new_token()["token"]]});
    let about = "Lists the team's tokens, newest first, without their secrets. Expired tokens \
                 are not listed; revoked tokens are listed for 90 days.";
    Operation::new("List tokens", about)
        .answer::<TokensView<'_>>(schemas, StatusCode::OK, "A page of tokens.", page)
        .problems(schemas, [problems::next_token()])
}

pub(crate) fn revoke_token(schemas: &mut SchemaGenerator) -> Operation {
    let mut token = new_token()["token"].take();
    token["revokedAt"] = json!("2026-02-18T08:00:00.000Z");
    token["expiresAt"] = Value::Null;
    let revoked = json!({"success": true, "token": token});
    let not_found = Error::TokenNotFound("019c6b4f2d1a5e0c9b37".to_owned());
    let about = "Revokes a token. From then on it cannot change or export anything, and after at \
                 most 60 seconds it cannot read anything. Revoking it again changes nothing.";
    Operation::new("Revoke a token", about)
        .answer::<OneTokenView<'_>>(schemas, StatusCode::OK, "The revoked token.", revoked)
        .problems(schemas, [not_found.into()])
}

pub(crate) fn get_roles(schemas: &mut SchemaGenerator) -> Operation {
    let about = "Returns the roles that the team has defined, and the built-in roles.";
    Operation::new("Get the roles", about).answer::<RolesView<'_>>(
        schemas,
        StatusCode::OK,
        "The roles.",
        example(include_str!("examples/roles.json")),
    )
}

pub(crate) fn update_roles(schemas: &mut SchemaGenerator) -> Operation {
    let body = json!({
        "roles": [{"name": "auditor", "permissions": ["EXECUTIONS_READ", "AUDIT_READ"]}],
    });
    let about = "Replaces the team's own roles. Send the `updatedAt` that you have read, even if \
                 it is `null`: if someone else has changed the roles since, the response is 409. \
                 Without `updatedAt` the last change wins. Names must be unique regardless of \
                 case, and must differ from the names of the built-in roles.";
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

pub(crate) fn get_masking_settings(schemas: &mut SchemaGenerator) -> Operation {
    let about = "Returns what the team has added to the masking, and what it has exempted from it.";
    Operation::new("Get the masking settings", about).answer::<MaskingSettingsView<'_>>(
        schemas,
        StatusCode::OK,
        "The settings.",
        example(include_str!("examples/masking.json")),
    )
}

pub(crate) fn update_masking_settings(schemas: &mut SchemaGenerator) -> Operation {
    let body = json!({"patterns": [{"name": "customer-number", "pattern": "KD-[0-9]{8}"}]});
    let about = "Replaces the team's masking settings. A member that is left out becomes empty. \
                 Patterns are regular expressions, and must not match an empty string. A change \
                 that masks less also requires `EXECUTIONS_REVEAL`.";
    Operation::new("Update the masking settings", about)
        .body::<Settings>(body)
        .answer::<MaskingSettingsView<'_>>(
            schemas,
            StatusCode::OK,
            "The settings.",
            example(include_str!("examples/masking.json")),
        )
        .problems(schemas, [problems::missing("body")])
}

pub(crate) fn try_masking_settings(schemas: &mut SchemaGenerator) -> Operation {
    let masked = json!({
        "success": true,
        "masked": {"orderId": 42, "password": "[REDACTED:secret]"},
    });
    let about = "Masks a value with the given settings, or with the team's current ones, and \
                 returns the result. The settings are not saved.";
    Operation::new("Try masking settings", about)
        .body::<MaskingTrial>(json!({"value": {"orderId": 42, "password": "hunter2"}}))
        .answer::<MaskedView<'_>>(schemas, StatusCode::OK, "The masked value.", masked)
        .problems(schemas, [problems::missing("body")])
}

/// The example of a response with some rules.
fn with_rules(rules: &Value) -> Value {
    json!({
        "success": true,
        "rules": rules,
        "updatedAt": "2026-02-17T10:31:00.000Z",
        "updatedBy": "token:0123456789abcdef0123",
    })
}

/// The problems of an update of rules.
fn update_problems() -> [Problem; 2] {
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

pub(crate) fn get_retention_settings(schemas: &mut SchemaGenerator) -> Operation {
    let about =
        "Returns the rules for how many days the team's runs are kept after they have ended.";
    let example = with_rules(&retention_rules());
    Operation::new("Get the retention rules", about).answer::<RulesView<'_, RetentionRule>>(
        schemas,
        StatusCode::OK,
        "The rules.",
        example,
    )
}

pub(crate) fn update_retention_settings(schemas: &mut SchemaGenerator) -> Operation {
    let about = "Replaces the team's retention rules. No two rules can have the same flow and \
                 status. The narrowest rule applies to a run: first a rule for its flow and \
                 status, then for its flow, then for its status, then for all runs. Send the \
                 `updatedAt` that you have read, even if it is `null`: if someone else has \
                 changed the rules since, the response is 409. Without `updatedAt` the last \
                 change wins.";
    let example = with_rules(&retention_rules());
    Operation::new("Update the retention rules", about)
        .body::<RulesBody<RetentionRule>>(json!({"rules": retention_rules()}))
        .answer::<RulesView<'_, RetentionRule>>(schemas, StatusCode::OK, "The rules.", example)
        .problems(schemas, update_problems())
}

fn stalled_rules() -> Value {
    json!([
        {"afterSeconds": 300},
        {"flowId": "order-pipeline", "afterSeconds": 60, "closeAfterSeconds": 3_600},
    ])
}

pub(crate) fn get_stalled_settings(schemas: &mut SchemaGenerator) -> Operation {
    let about = "Returns the rules for when an open run without a heartbeat is shown as stalled, \
                 and when it is closed.";
    let example = with_rules(&stalled_rules());
    Operation::new("Get the rules for stalled runs", about).answer::<RulesView<'_, StalledRule>>(
        schemas,
        StatusCode::OK,
        "The rules.",
        example,
    )
}

pub(crate) fn update_stalled_settings(schemas: &mut SchemaGenerator) -> Operation {
    let about = "Replaces the team's rules for stalled runs. No two rules can have the same \
                 flow. A rule for a flow takes precedence over the rule for all flows. A run \
                 cannot be closed before it is stalled. Send the `updatedAt` that you have read, \
                 even if it is `null`: if someone else has changed the rules since, the response \
                 is 409. Without `updatedAt` the last change wins.";
    let example = with_rules(&stalled_rules());
    Operation::new("Update the rules for stalled runs", about)
        .body::<RulesBody<StalledRule>>(json!({"rules": stalled_rules()}))
        .answer::<RulesView<'_, StalledRule>>(schemas, StatusCode::OK, "The rules.", example)
        .problems(schemas, update_problems())
}

/// The example of a team's profiles.
fn profiles() -> Value {
    example(include_str!("examples/profiles.json"))
}

pub(crate) fn get_profile_settings(schemas: &mut SchemaGenerator) -> Operation {
    let about = "Returns the team's own trace profiles: what the spans of its instrumentations \
                 mean. The built-in profiles are not listed.";
    Operation::new("Get the trace profiles", about).answer::<ProfilesView<'_>>(
        schemas,
        StatusCode::OK,
        "The profiles.",
        profile_settings(),
    )
}

fn profile_settings() -> Value {
    json!({
        "success": true,
        "profiles": profiles(),
        "updatedAt": "2026-02-17T10:31:00.000Z",
        "updatedBy": "token:0123456789abcdef0123",
    })
}

pub(crate) fn update_profile_settings(schemas: &mut SchemaGenerator) -> Operation {
    let about = "Replaces the team's trace profiles. They decide before the built-in ones, in \
                 their order, about spans that arrive from then on, in every process after at most \
                 60 seconds. The names of the instrumentations must be unique, and all profiles \
                 together are limited to 100,000 bytes of JSON and 1,000 entries in their lists. \
                 Send the `updatedAt` that you have read, even if it is `null`: if someone else \
                 has changed the profiles since, the response is 409. Without `updatedAt` the last \
                 change wins.";
    Operation::new("Update the trace profiles", about)
        .body::<ProfilesBody>(json!({"profiles": profiles()}))
        .answer::<ProfilesView<'_>>(schemas, StatusCode::OK, "The profiles.", profile_settings())
        .problems(
            schemas,
            [
                problems::missing("body"),
                Error::Conflict("The settings").into(),
            ],
        )
}

pub(crate) fn list_audit_events(schemas: &mut SchemaGenerator) -> Operation {
    let about = "Lists who did what in the team, newest first, for the last 90 days.";
    Operation::new("List audit events", about)
        .answer::<AuditView<'_>>(
            schemas,
            StatusCode::OK,
            "A page of events. With filters, a page can have fewer than `limit` events and still \
             have a `nextToken`.",
            example(include_str!("examples/audit.json")),
        )
        .problems(schemas, [problems::next_token()])
}
