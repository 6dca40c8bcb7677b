//! Checks of the caller's own token: whether it is still valid, and how long it lasts.

use aws_sdk_dynamodb::types::AttributeValue;
use format::attributes::{TIME_TO_LIVE, number};
use format::model::Timestamp;
use format::{Error, Result};
use store::{Condition, Store, Write};

use super::text::PRINCIPAL;
use super::{REVOKED_AT, TokenId, TokenRecord, get_token};
use crate::auth::authenticator::REFUSED;
use crate::auth::{Caller, Permission, roles};

/// The attribute that is true for the token of a person's session in the console.
const IS_SESSION: &str = "isSession";

/// A check in a transaction: the transaction is only written if the caller's own token is valid and
/// lasts at least until the second `until`, or forever if that is `None`. Returns `None` for a
/// caller without a token.
///
/// A caller's authentication is cached for a while, and its permanent changes must not outlive its
/// own right to make them.
pub(crate) fn while_valid(caller: &Caller, until: Option<i64>) -> Option<Write> {
    let token_id = own_token(caller)?;
    // A session ends with the working day. Tokens that its person creates may last longer.
    let lasts_as_session = Condition::is(IS_SESSION, AttributeValue::Bool(true)).and(
        // The session must last beyond the current second.
        Condition::AtLeast(TIME_TO_LIVE.into(), number(Timestamp::now().seconds() + 1)),
    );
    let lasts = (!Condition::has(TIME_TO_LIVE)).or(lasts_as_session);
    let lasts = match until {
        None => lasts,
        Some(second) => lasts.or(Condition::AtLeast(TIME_TO_LIVE.into(), number(second))),
    };
    let is_valid = Condition::exists()
        .and(!Condition::has(REVOKED_AT))
        .and(lasts);
    Some(Write::Check(token_id.key(), is_valid))
}

/// Refuses a caller that has lost a permission since it was authenticated: its token was revoked or
/// has ended, or its role has lost the permission.
///
/// An authentication is cached for up to [`REMEMBERED_SECONDS`](crate::auth::REMEMBERED_SECONDS),
/// which is too long for an action that cannot be undone. A caller with a JWT has nothing in the
/// table that could have changed.
///
/// # Errors
/// Returns [`Error::Unauthenticated`], [`Error::Forbidden`], and an error if the table cannot be
/// read.
pub async fn require_current(store: &Store, caller: &Caller, permission: Permission) -> Result<()> {
    let Some(record) = require_valid(store, caller).await? else {
        return Ok(());
    };
    let permissions =
        roles::read_permissions(store, &caller.team_id, [record.role.as_str()]).await?;
    Caller {
        permissions,
        ..caller.clone()
    }
    .require(permission)
}

/// Refuses a caller whose own token has ended or was revoked since it was authenticated. Returns
/// the token; `None` for a caller without one.
///
/// # Errors
/// Returns [`Error::Unauthenticated`], and an error if the table cannot be read.
pub(crate) async fn require_valid(store: &Store, caller: &Caller) -> Result<Option<TokenRecord>> {
    let Some(token_id) = own_token(caller) else {
        return Ok(None);
    };
    match get_token(store, &token_id).await {
        Ok(record) if record.revoked_at.is_none() => Ok(Some(record)),
        Ok(_) | Err(Error::TokenNotFound(_)) => Err(REFUSED),
        Err(error) => Err(error),
    }
}

/// The id of the caller's own token, if it authenticated with an SDK token.
fn own_token(caller: &Caller) -> Option<TokenId> {
    caller.principal.strip_prefix(PRINCIPAL)?.parse().ok()
}
