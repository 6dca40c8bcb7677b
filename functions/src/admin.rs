//! The admin endpoints: the caller, and a team's tokens, roles, settings and audit events.

pub(crate) mod description;
pub(crate) mod parameters;
mod views;

use lambda_http::Request;
use shared::auth::{self, Caller};
use shared::store::Store;
use shared::{audit, masking, profiles, retention, stalled};

use crate::problem::Problem;
use crate::reply::{self, Reply};
use parameters::{
    AuditParameters, MaskingTrial, NewProfiles, NewRoles, NewRules, TokenListParameters, body,
    new_token,
};

/// `GET /api/caller`: returns the caller and its permissions.
///
/// # Errors
/// Returns an error only if the response cannot be written as JSON.
pub async fn get_caller(
    _store: &Store,
    caller: &Caller,
    _request: &Request,
) -> Result<Reply, Problem> {
    reply::json(&views::caller(caller))
}

/// `POST /api/tokens`: creates a token. Only this response contains its secret.
///
/// # Errors
/// Returns an error if the body is not valid, and the errors of [`auth::create_token`].
pub async fn create_token(
    store: &Store,
    caller: &Caller,
    request: &Request,
) -> Result<Reply, Problem> {
    let new = new_token(request)?;
    let (token, secret) = auth::create_token(store, caller, &new).await?;
    reply::created(&views::new_token(&token, &secret))
}

/// `GET /api/tokens`: lists the team's tokens, newest first.
///
/// # Errors
/// Returns an error if a parameter is not valid, and the errors of [`auth::list_tokens`].
pub async fn list_tokens(
    store: &Store,
    caller: &Caller,
    request: &Request,
) -> Result<Reply, Problem> {
    let TokenListParameters { limit, next_token } = parameters::TOKEN_LIST.read(request)?;
    let page = auth::list_tokens(store, caller, limit, next_token.as_deref()).await?;
    reply::json(&views::tokens(&page))
}

/// `DELETE /api/tokens/{tokenId}`: revokes a token.
///
/// # Errors
/// Returns an error if the id in the path is not valid, and the errors of [`auth::revoke_token`].
pub async fn revoke_token(
    store: &Store,
    caller: &Caller,
    request: &Request,
) -> Result<Reply, Problem> {
    let token_id = parameters::TOKEN_ID.read(request)?;
    let token = auth::revoke_token(store, caller, &token_id).await?;
    reply::json(&views::token(&token))
}

/// `GET /api/roles`: returns the roles that the team has defined, and the built-in roles.
///
/// # Errors
/// Returns the errors of [`auth::get_roles`].
pub async fn get_roles(
    store: &Store,
    caller: &Caller,
    _request: &Request,
) -> Result<Reply, Problem> {
    let roles = auth::get_roles(store, caller).await?;
    reply::json(&views::roles(&roles))
}

/// `PUT /api/roles`: replaces the roles that the team has defined.
///
/// # Errors
/// Returns an error if the body is not valid, and the errors of [`auth::put_roles`].
pub async fn update_roles(
    store: &Store,
    caller: &Caller,
    request: &Request,
) -> Result<Reply, Problem> {
    let NewRoles { roles, expected } = NewRoles::parse(request)?;
    let roles = auth::put_roles(store, caller, roles, expected).await?;
    reply::json(&views::roles(&roles))
}

/// `GET /api/audit`: lists who did what, newest first.
///
/// # Errors
/// Returns an error if a parameter is not valid, and the errors of [`audit::list_events`].
pub async fn list_audit_events(
    store: &Store,
    caller: &Caller,
    request: &Request,
) -> Result<Reply, Problem> {
    let AuditParameters {
        filter,
        limit,
        next_token,
    } = parameters::AUDIT.read(request)?;
    let page = audit::list_events(store, caller, &filter, limit, next_token.as_deref()).await?;
    reply::json(&views::audit(&page))
}

/// `GET /api/settings/masking`: returns what the team has added to the masking, and exempted.
///
/// # Errors
/// Returns the errors of [`masking::get_settings`].
pub async fn get_masking_settings(
    store: &Store,
    caller: &Caller,
    _request: &Request,
) -> Result<Reply, Problem> {
    let settings = masking::get_settings(store, caller).await?;
    reply::json(&views::masking_settings(&settings))
}

/// `POST /api/settings/masking/try`: returns what settings would mask, without saving them.
///
/// # Errors
/// Returns an error if the body is not valid, and the errors of [`masking::try_settings`].
pub async fn try_masking_settings(
    store: &Store,
    caller: &Caller,
    request: &Request,
) -> Result<Reply, Problem> {
    let MaskingTrial { value, settings } = body(request, "Send {\"value\": …}.")?;
    let masked = masking::try_settings(store, caller, value, settings).await?;
    reply::json(&views::masked(&masked))
}

/// `PUT /api/settings/masking`: replaces the team's masking settings.
///
/// # Errors
/// Returns an error if the body is not valid, and the errors of [`masking::put_settings`].
pub async fn update_masking_settings(
    store: &Store,
    caller: &Caller,
    request: &Request,
) -> Result<Reply, Problem> {
    let settings = body(request, "Send the settings as JSON: {} for none.")?;
    let settings = masking::put_settings(store, caller, settings).await?;
    reply::json(&views::masking_settings(&settings))
}

/// `GET /api/settings/retention`: returns how long the team keeps its runs.
///
/// # Errors
/// Returns the errors of [`retention::get_settings`].
pub async fn get_retention_settings(
    store: &Store,
    caller: &Caller,
    _request: &Request,
) -> Result<Reply, Problem> {
    let settings = retention::get_settings(store, caller).await?;
    reply::json(&views::rules(&settings))
}

/// `PUT /api/settings/retention`: replaces the team's retention rules.
///
/// # Errors
/// Returns an error if the body is not valid, and the errors of [`retention::put_settings`].
pub async fn update_retention_settings(
    store: &Store,
    caller: &Caller,
    request: &Request,
) -> Result<Reply, Problem> {
    let NewRules { rules, expected } = NewRules::parse(request)?;
    let settings = retention::put_settings(store, caller, rules, expected).await?;
    reply::json(&views::rules(&settings))
}

/// `GET /api/settings/stalled`: returns how long after their last heartbeat the team's runs are
/// stalled.
///
/// # Errors
/// Returns the errors of [`stalled::get_settings`].
pub async fn get_stalled_settings(
    store: &Store,
    caller: &Caller,
    _request: &Request,
) -> Result<Reply, Problem> {
    let settings = stalled::get_settings(store, caller).await?;
    reply::json(&views::rules(&settings))
}

/// `PUT /api/settings/stalled`: replaces the team's rules for stalled runs.
///
/// # Errors
/// Returns an error if the body is not valid, and the errors of [`stalled::put_settings`].
pub async fn update_stalled_settings(
    store: &Store,
    caller: &Caller,
    request: &Request,
) -> Result<Reply, Problem> {
    let NewRules { rules, expected } = NewRules::parse(request)?;
    let settings = stalled::put_settings(store, caller, rules, expected).await?;
    reply::json(&views::rules(&settings))
}

/// `GET /api/settings/profiles`: returns what the spans of the team's instrumentations mean.
///
/// # Errors
/// Returns the errors of [`profiles::get_settings`].
pub async fn get_profile_settings(
    store: &Store,
    caller: &Caller,
    _request: &Request,
) -> Result<Reply, Problem> {
    let settings = profiles::get_settings(store, caller).await?;
    reply::json(&views::profiles(&settings))
}

/// `PUT /api/settings/profiles`: replaces the team's trace profiles.
///
/// # Errors
/// Returns an error if the body is not valid, and the errors of [`profiles::put_settings`].
pub async fn update_profile_settings(
    store: &Store,
    caller: &Caller,
    request: &Request,
) -> Result<Reply, Problem> {
    let NewProfiles { profiles, expected } = NewProfiles::parse(request)?;
    let settings = profiles::put_settings(store, caller, profiles, expected).await?;
    reply::json(&views::profiles(&settings))
}
