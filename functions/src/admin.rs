//! The admin endpoints: who the caller is, a team's tokens and roles, its settings, and
//! its audit.

pub(crate) mod description;
mod parameters;
mod views;

use lambda_http::Request;
use shared::auth::{self, Caller};
use shared::store::Store;
use shared::{audit, masking, retention, stalled};

use crate::problem::Problem;
use crate::reply::{self, Reply};
use parameters::{
    AuditParameters, MaskingTrial, NewRoles, NewRules, TokenListParameters, body, new_token,
    token_id,
};

/// `GET /api/caller`: who the caller is, and may do.
///
/// # Errors
/// None but that the view cannot be written.
pub async fn get_caller(
    _store: &Store,
    caller: &Caller,
    _request: &Request,
) -> Result<Reply, Problem> {
    reply::json(&views::caller(caller))
}

/// `POST /api/tokens`: makes a token, and shows it this once.
///
/// # Errors
/// Those of the body and of [`auth::create_token`].
pub async fn create_token(
    store: &Store,
    caller: &Caller,
    request: &Request,
) -> Result<Reply, Problem> {
    let new = new_token(request)?;
    let (token, secret) = auth::create_token(store, caller, &new).await?;
    reply::created(&views::new_token(&token, &secret))
}

/// `GET /api/tokens`: the team's tokens, newest first.
///
/// # Errors
/// Those of the parameters and of [`auth::list_tokens`].
pub async fn list_tokens(
    store: &Store,
    caller: &Caller,
    request: &Request,
) -> Result<Reply, Problem> {
    let TokenListParameters { limit, next_token } = TokenListParameters::of(request)?;
    let page = auth::list_tokens(store, caller, limit, next_token).await?;
    reply::json(&views::tokens(&page))
}

/// `DELETE /api/tokens/{tokenId}`: revokes a token.
///
/// # Errors
/// Those of the path and of [`auth::revoke_token`].
pub async fn revoke_token(
    store: &Store,
    caller: &Caller,
    request: &Request,
) -> Result<Reply, Problem> {
    let token = auth::revoke_token(store, caller, &token_id(request)?).await?;
    reply::json(&views::token(&token))
}

/// `GET /api/roles`: the roles that the team defines, and those that every team has.
///
/// # Errors
/// Those of [`auth::get_roles`].
pub async fn get_roles(
    store: &Store,
    caller: &Caller,
    _request: &Request,
) -> Result<Reply, Problem> {
    let roles = auth::get_roles(store, caller).await?;
    reply::json(&views::roles(&roles))
}

/// `PUT /api/roles`: puts roles in the place of those that the team defines.
///
/// # Errors
/// Those of the body and of [`auth::put_roles`].
pub async fn update_roles(
    store: &Store,
    caller: &Caller,
    request: &Request,
) -> Result<Reply, Problem> {
    let NewRoles { roles, expected } = NewRoles::of(request)?;
    let roles = auth::put_roles(store, caller, roles, expected).await?;
    reply::json(&views::roles(&roles))
}

/// `GET /api/audit`: who did what, newest first.
///
/// # Errors
/// Those of the parameters and of [`audit::list_events`].
pub async fn list_audit_events(
    store: &Store,
    caller: &Caller,
    request: &Request,
) -> Result<Reply, Problem> {
    let AuditParameters {
        filter,
        limit,
        next_token,
    } = AuditParameters::of(request)?;
    let page = audit::list_events(store, caller, &filter, limit, next_token).await?;
    reply::json(&views::audit(&page))
}

/// `GET /api/settings/masking`: what the team has added to masking, and allowed.
///
/// # Errors
/// Those of [`masking::get_settings`].
pub async fn get_masking_settings(
    store: &Store,
    caller: &Caller,
    _request: &Request,
) -> Result<Reply, Problem> {
    let settings = masking::get_settings(store, caller).await?;
    reply::json(&views::masking_settings(&settings))
}

/// `POST /api/settings/masking/try`: shows what settings would mask, and keeps nothing.
///
/// # Errors
/// Those of the body and of [`masking::try_settings`].
pub async fn try_masking_settings(
    store: &Store,
    caller: &Caller,
    request: &Request,
) -> Result<Reply, Problem> {
    let MaskingTrial { value, settings } = body(request, "Send {\"value\": …}.")?;
    let masked = masking::try_settings(store, caller, value, settings).await?;
    reply::json(&views::masked(&masked))
}

/// `PUT /api/settings/masking`: puts other settings in their place.
///
/// # Errors
/// Those of the body and of [`masking::put_settings`].
pub async fn update_masking_settings(
    store: &Store,
    caller: &Caller,
    request: &Request,
) -> Result<Reply, Problem> {
    let settings = body(request, "Send the settings as JSON: {} for none.")?;
    let settings = masking::put_settings(store, caller, settings).await?;
    reply::json(&views::masking_settings(&settings))
}

/// `GET /api/settings/retention`: how long the team keeps its runs.
///
/// # Errors
/// Those of [`retention::get_settings`].
pub async fn get_retention_settings(
    store: &Store,
    caller: &Caller,
    _request: &Request,
) -> Result<Reply, Problem> {
    let settings = retention::get_settings(store, caller).await?;
    reply::json(&views::rules(&settings))
}

/// `PUT /api/settings/retention`: puts other rules in the place of the team's.
///
/// # Errors
/// Those of the body and of [`retention::put_settings`].
pub async fn update_retention_settings(
    store: &Store,
    caller: &Caller,
    request: &Request,
) -> Result<Reply, Problem> {
    let NewRules { rules, expected } = NewRules::of(request)?;
    let settings = retention::put_settings(store, caller, rules, expected).await?;
    reply::json(&views::rules(&settings))
}

/// `GET /api/settings/stalled`: after how long without a sign of life the team's runs are
/// stalled.
///
/// # Errors
/// Those of [`stalled::get_settings`].
pub async fn get_stalled_settings(
    store: &Store,
    caller: &Caller,
    _request: &Request,
) -> Result<Reply, Problem> {
    let settings = stalled::get_settings(store, caller).await?;
    reply::json(&views::rules(&settings))
}

/// `PUT /api/settings/stalled`: puts other rules in the place of the team's.
///
/// # Errors
/// Those of the body and of [`stalled::put_settings`].
pub async fn update_stalled_settings(
    store: &Store,
    caller: &Caller,
    request: &Request,
) -> Result<Reply, Problem> {
    let NewRules { rules, expected } = NewRules::of(request)?;
    let settings = stalled::put_settings(store, caller, rules, expected).await?;
    reply::json(&views::rules(&settings))
}
