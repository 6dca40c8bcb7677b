//! The JSON of the admin endpoints.

use std::collections::BTreeMap;

use masking::Settings;
use schemars::JsonSchema;
use serde::Serialize;
use shared::audit::{AuditEvent, AuditPage};
use shared::auth::{
    Caller, CustomRole, Permission, Role, Secret, TeamRoles, TokenPage, TokenRecord,
};
use shared::masking::MaskingSettings;
use shared::model::{FlowId, Timestamp, Value};
use shared::profiles::{Profile, ProfileSettings};
use shared::settings::TeamSettings;

fn is_false(value: &bool) -> bool {
    !value
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "CallerAnswer")]
pub(super) struct CallerAnswer<'a> {
    success: bool,
    caller: CallerView<'a>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Caller")]
struct CallerView<'a> {
    team_id: &'a str,
    principal: &'a str,
    permissions: Vec<&'static str>,
    flows: Option<Vec<&'a str>>,
}

/// The view of the caller.
pub(super) fn caller(caller: &Caller) -> CallerAnswer<'_> {
    let permissions = caller.permissions.iter();
    let flows = caller.flows.as_ref();
    CallerAnswer {
        success: true,
        caller: CallerView {
            team_id: caller.team_id.as_str(),
            principal: &caller.principal,
            permissions: permissions.map(|permission| permission.as_str()).collect(),
            flows: flows.map(|flows| flows.iter().map(FlowId::as_str).collect()),
        },
    }
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Token")]
struct TokenView<'a> {
    id: &'a str,
    name: Option<&'a str>,
    role: &'a str,
    flows: Option<&'a [String]>,
    created_at: Timestamp,
    created_by: Option<&'a str>,
    expires_at: Option<Timestamp>,
    last_used_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
    /// `true` if this release cannot read what the token permits. The token is then refused.
    #[serde(skip_serializing_if = "is_false")]
    unreadable: bool,
}

impl<'a> TokenView<'a> {
    fn new(token: &'a TokenRecord) -> Self {
        Self {
            id: &token.token_id,
            name: token.name.as_deref(),
            role: &token.role,
            flows: token.flows.as_deref(),
            created_at: token.issued_at,
            created_by: token.created_by.as_deref(),
            // The record of a revoked token has the time of its removal here.
            expires_at: token.until().filter(|_| token.revoked_at.is_none()),
            last_used_at: token.last_used_at,
            revoked_at: token.revoked_at,
            unreadable: token.unreadable.is_some(),
        }
    }
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "TokenAnswer")]
pub(super) struct OneTokenView<'a> {
    success: bool,
    token: TokenView<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<&'a str>,
}

pub(super) fn token(token: &TokenRecord) -> OneTokenView<'_> {
    OneTokenView {
        success: true,
        token: TokenView::new(token),
        secret: None,
    }
}

pub(super) fn new_token<'a>(token: &'a TokenRecord, secret: &'a Secret) -> OneTokenView<'a> {
    OneTokenView {
        success: true,
        token: TokenView::new(token),
        secret: Some(secret.reveal()),
    }
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "TokenList")]
pub(super) struct TokensView<'a> {
    success: bool,
    tokens: Vec<TokenView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<&'a str>,
}

pub(super) fn tokens(page: &TokenPage) -> TokensView<'_> {
    TokensView {
        success: true,
        tokens: page.tokens.iter().map(TokenView::new).collect(),
        next_token: page.next_token.as_deref(),
    }
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Roles")]
pub(super) struct RolesView<'a> {
    success: bool,
    roles: &'a [CustomRole],
    /// `true` if this release cannot read the stored settings. The response then shows what
    /// applies instead.
    #[serde(skip_serializing_if = "is_false")]
    unreadable: bool,
    built_in_roles: Vec<BuiltInRoleView>,
    // Not an enumeration, because later releases may add permissions.
    #[schemars(with = "Vec<&'static str>")]
    permissions: [&'static str; Permission::ALL.len()],
    updated_at: Option<Timestamp>,
    updated_by: Option<&'a str>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "BuiltInRole")]
struct BuiltInRoleView {
    name: &'static str,
    permissions: Vec<&'static str>,
}

pub(super) fn roles(stored: &TeamRoles) -> RolesView<'_> {
    RolesView {
        success: true,
        roles: &stored.settings,
        unreadable: stored.unreadable.is_some(),
        built_in_roles: Role::built_in_of_team(&stored.settings)
            .map(|role| BuiltInRoleView {
                name: role.as_str(),
                permissions: role
                    .permissions()
                    .into_iter()
                    .map(Permission::as_str)
                    .collect(),
            })
            .collect(),
        permissions: Permission::ALL.map(Permission::as_str),
        updated_at: stored.updated_at,
        updated_by: stored.updated_by.as_deref(),
    }
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "AuditEventList")]
pub(super) struct AuditView<'a> {
    success: bool,
    events: Vec<AuditEventView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<&'a str>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "AuditEvent")]
struct AuditEventView<'a> {
    id: &'a str,
    time: Timestamp,
    principal: &'a str,
    action: &'a str,
    target: &'a str,
    outcome: &'a str,
    details: &'a BTreeMap<String, String>,
    request_id: Option<&'a str>,
    source_ip: Option<&'a str>,
}

impl<'a> AuditEventView<'a> {
    fn new(event: &'a AuditEvent) -> Self {
        Self {
            id: &event.event_id,
            time: event.time,
            principal: &event.principal,
            action: &event.action,
            target: &event.target,
            outcome: &event.outcome,
            details: &event.details,
            request_id: event.request_id.as_deref(),
            source_ip: event.source_ip.as_deref(),
        }
    }
}

pub(super) fn audit(page: &AuditPage) -> AuditView<'_> {
    AuditView {
        success: true,
        events: page.events.iter().map(AuditEventView::new).collect(),
        next_token: page.next_token.as_deref(),
    }
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "MaskingSettings")]
pub(super) struct MaskingSettingsView<'a> {
    success: bool,
    settings: &'a Settings,
    /// `true` if this release cannot read the stored settings. The response then shows what
    /// applies instead.
    #[serde(skip_serializing_if = "is_false")]
    unreadable: bool,
    updated_at: Option<Timestamp>,
    updated_by: Option<&'a str>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Masked")]
pub(super) struct MaskedView<'a> {
    success: bool,
    masked: &'a Value,
}

pub(super) fn masked(masked: &Value) -> MaskedView<'_> {
    MaskedView {
        success: true,
        masked,
    }
}

pub(super) fn masking_settings(stored: &MaskingSettings) -> MaskingSettingsView<'_> {
    MaskingSettingsView {
        success: true,
        settings: &stored.settings,
        unreadable: stored.unreadable.is_some(),
        updated_at: stored.updated_at,
        updated_by: stored.updated_by.as_deref(),
    }
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "{T}Settings")]
pub(super) struct RulesView<'a, T> {
    success: bool,
    rules: &'a [T],
    /// `true` if this release cannot read the stored settings. The response then shows what
    /// applies instead.
    #[serde(skip_serializing_if = "is_false")]
    unreadable: bool,
    updated_at: Option<Timestamp>,
    updated_by: Option<&'a str>,
}

pub(super) fn rules<T>(stored: &TeamSettings<Vec<T>>) -> RulesView<'_, T> {
    RulesView {
        success: true,
        rules: &stored.settings,
        unreadable: stored.unreadable.is_some(),
        updated_at: stored.updated_at,
        updated_by: stored.updated_by.as_deref(),
    }
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ProfileSettings")]
pub(super) struct ProfilesView<'a> {
    success: bool,
    /// The team's own profiles. The built-in ones are not listed.
    profiles: &'a [Profile],
    /// `true` if this release cannot read the stored settings. The response then shows what
    /// applies instead.
    #[serde(skip_serializing_if = "is_false")]
    unreadable: bool,
    updated_at: Option<Timestamp>,
    updated_by: Option<&'a str>,
}

pub(super) fn profiles(stored: &ProfileSettings) -> ProfilesView<'_> {
    ProfilesView {
        success: true,
        profiles: &stored.settings,
        unreadable: stored.unreadable.is_some(),
        updated_at: stored.updated_at,
        updated_by: stored.updated_by.as_deref(),
    }
}
