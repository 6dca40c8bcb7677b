//! Creating tokens: which tokens are valid, and who may create them.

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use format::hash::sha256;
use format::model::{FlowId, Item, RoleName, Timestamp, is_visible};
use format::{Error, Result};
use store::{Store, Write};

use super::text::{Secret, TokenId, TokenText, random};
use super::{SECRET_HASH, TokenRecord, put_index_entry, require_whole_team, while_valid};
use crate::audit::{Action, Entry};
use crate::auth::{Caller, Role, roles};

/// The longest name of a token, in characters.
pub const MAX_TOKEN_NAME_LENGTH: usize = 128;

/// The most bytes that the ids of a token's flows may have together, with a comma after each. API
/// Gateway passes them from the authorizer to each function in a context for which AWS documents at
/// most 8 KB.
const MAX_FLOWS_BYTES: usize = 4_096;

/// The properties of a new token.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// The role: one of the team's roles.
    pub role: RoleName,
    /// Its purpose, for people: up to 128 characters, all of them visible ([`is_visible`]).
    pub name: Option<String>,
    /// The only flows that the token may see, at least one; `None` for all flows.
    pub flows: Option<Vec<FlowId>>,
    /// When it ends, in the future; `None` for never.
    pub expires_at: Option<Timestamp>,
}

/// Creates a token of the caller's team. Its text is only returned here and cannot be read again.
///
/// # Errors
/// Returns [`Error::InvalidMember`], also for a role that the team does not have;
/// [`Error::Forbidden`] if the role has more permissions than the caller, if the token would end
/// after the caller's own token, or if the caller is limited to some of the team's flows; and an
/// error if the table cannot be read or written.
pub async fn create_token(
    store: &Store,
    caller: &Caller,
    new: &NewToken,
) -> Result<(TokenRecord, Secret)> {
    require_whole_team(caller)?;
    let now = Timestamp::now();
    check(new, now)?;
    require_grantable(store, caller, &new.role).await?;
    write_token(store, caller, new, now, false).await
}

/// Creates the token of a person's session in the console, which has the role admin in the caller's
/// team until `expires_at`. Unlike other tokens it can create tokens that last longer than itself,
/// as a person with a JWT can.
///
/// # Errors
/// Returns the errors of [`create_token`].
pub async fn create_session(
    store: &Store,
    caller: &Caller,
    name: &str,
    expires_at: Timestamp,
) -> Result<(TokenRecord, Secret)> {
    require_whole_team(caller)?;
    let now = Timestamp::now();
    let new = NewToken {
        role: Role::Admin.into(),
        name: Some(name.to_owned()),
        flows: None,
        expires_at: Some(expires_at),
    };
    check(&new, now)?;
    require_grantable(store, caller, &new.role).await?;
    write_token(store, caller, &new, now, true).await
}

/// Writes a token that has passed all checks.
async fn write_token(
    store: &Store,
    caller: &Caller,
    new: &NewToken,
    now: Timestamp,
    is_session: bool,
) -> Result<(TokenRecord, Secret)> {
    let token_id = TokenId::new(now)?;
    let secret = BASE64.encode(random::<32>()?);
    let record = TokenRecord {
        is_session,
        ..TokenRecord::new(caller, &token_id, new, now)
    };
    let mut item: Item = serde_dynamo::to_item(&record).map_err(Error::internal)?;
    let hash = AttributeValue::B(Blob::new(sha256(&secret)));
    item.insert(SECRET_HASH.to_owned(), hash);
    item.extend(token_id.key());
    let entry = Entry::new(caller, Action::TokenCreated, token_id.as_str())?
        .detail("role", &record.role)
        .detail_if_any("name", record.name.as_deref())
        .detail_if_any("flows", record.flows.as_ref().map(|flows| flows.join(",")))
        .detail_if_any("expiresAt", record.until());
    let mut writes = vec![
        Write::create(item),
        put_index_entry(caller, &token_id, record.expires_at),
    ];
    writes.extend(while_valid(caller, record.expires_at));
    if !entry.record_with(store, writes).await? {
        let message =
            "Your own token has ended, or ends before the new one. Choose an earlier end.";
        return Err(Error::Forbidden(message.to_owned()));
    }
    let text = format!("{}{token_id}_{secret}", TokenText::PREFIX);
    Ok((record, Secret(text)))
}

/// Refuses a role that the team does not have, or that has more permissions than the caller.
async fn require_grantable(store: &Store, caller: &Caller, role: &RoleName) -> Result<()> {
    let permissions = roles::read_role_permissions(store, &caller.team_id, role).await?;
    let permissions = permissions.ok_or_else(|| {
        let reason = "Use viewer, operator, engine, admin, or a role that the team has defined.";
        Error::invalid_member("role", reason)
    })?;
    roles::require_held(caller, &permissions)
}

fn check(new: &NewToken, now: Timestamp) -> Result<()> {
    let is_name = |name: &str| {
        (1..=MAX_TOKEN_NAME_LENGTH).contains(&name.chars().count()) && is_visible(name)
    };
    if !new.name.as_deref().is_none_or(is_name) {
        let reason = format!(
            "Use 1 to {MAX_TOKEN_NAME_LENGTH} characters. Invisible characters and characters \
             that change the direction of text are not allowed."
        );
        return Err(Error::invalid_member("name", reason));
    }
    if let Some(flows) = &new.flows {
        let bytes: usize = flows.iter().map(|flow| flow.as_str().len() + 1).sum();
        if flows.is_empty() {
            let reason = "Name at least one flow, or leave it out for all flows.";
            return Err(Error::invalid_member("flows", reason));
        }
        if bytes > MAX_FLOWS_BYTES {
            let reason = format!(
                "Name fewer flows: their ids can have at most {MAX_FLOWS_BYTES} characters in total."
            );
            return Err(Error::invalid_member("flows", reason));
        }
    }
    match new.expires_at {
        Some(end) if end.seconds() <= now.seconds() => Err(Error::invalid_member(
            "expiresAt",
            "Choose a time in the future.",
        )),
        _ => Ok(()),
    }
}
