//! Who is asking, and what they may do.
//!
//! An SDK token reads `sdk_<id>_<secret>`. The id finds the token's item with
//! one GetItem; of the secret only a SHA-256 is stored. A SHA-256 without salt
//! or stretching is right here, because the secret has 256 random bits, which
//! nobody guesses.
//!
//! [`authenticate`] is the one way from a header to a [`Caller`], on AWS in the
//! authorizer function and on a laptop in the server.

use std::collections::BTreeSet;
use std::str::FromStr;

use aws_sdk_dynamodb::types::AttributeValue;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::error::{Error, Result};
use crate::keys;
use crate::model::{Execution, FlowId, Item, TeamId, Timestamp, is_expired};
use crate::store::Store;
use crate::table::text;

mod tokens;

pub use tokens::{NewToken, Secret, TokenRecord, create_token, list_tokens, revoke_token};

/// What a caller can be allowed to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    /// Read executions: lists, details, steps, statistics.
    ExecutionsRead,
    /// See what the payloads of executions hold under the names of secrets.
    ExecutionsReveal,
    /// Export executions.
    ExecutionsExport,
    /// Cancel executions.
    ExecutionsCancel,
    /// Delete executions.
    ExecutionsDelete,
    /// Create, list and revoke tokens.
    TokensManage,
    /// Change the team's settings.
    SettingsManage,
}

impl Permission {
    /// Every permission.
    pub const ALL: [Self; 7] = [
        Self::ExecutionsRead,
        Self::ExecutionsReveal,
        Self::ExecutionsExport,
        Self::ExecutionsCancel,
        Self::ExecutionsDelete,
        Self::TokensManage,
        Self::SettingsManage,
    ];

    /// The permission's name, as callers and documents know it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ExecutionsRead => "EXECUTIONS_READ",
            Self::ExecutionsReveal => "EXECUTIONS_REVEAL",
            Self::ExecutionsExport => "EXECUTIONS_EXPORT",
            Self::ExecutionsCancel => "EXECUTIONS_CANCEL",
            Self::ExecutionsDelete => "EXECUTIONS_DELETE",
            Self::TokensManage => "TOKENS_MANAGE",
            Self::SettingsManage => "SETTINGS_MANAGE",
        }
    }
}

impl FromStr for Permission {
    type Err = ();

    fn from_str(name: &str) -> std::result::Result<Self, ()> {
        let is_named = |permission: &Self| permission.as_str() == name;
        Self::ALL.into_iter().find(is_named).ok_or(())
    }
}

/// A named set of permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads.
    Viewer,
    /// Reads, exports, cancels.
    Operator,
    /// Everything.
    Admin,
}

impl Role {
    /// The role's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }

    /// What the role may do.
    pub fn permissions(self) -> BTreeSet<Permission> {
        match self {
            Self::Viewer => [Permission::ExecutionsRead].into(),
            Self::Operator => [
                Permission::ExecutionsRead,
                Permission::ExecutionsExport,
                Permission::ExecutionsCancel,
            ]
            .into(),
            Self::Admin => Permission::ALL.into(),
        }
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(name: &str) -> std::result::Result<Self, String> {
        [Self::Viewer, Self::Operator, Self::Admin]
            .into_iter()
            .find(|role| role.as_str() == name)
            .ok_or_else(|| "a role is viewer, operator or admin".to_owned())
    }
}

/// Who is asking. Every operation takes one, and none reaches past it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The team whose records the caller sees.
    pub team_id: TeamId,
    /// Who it is, for logs: `token:<id>`.
    pub principal: String,
    /// What the caller may do.
    pub permissions: BTreeSet<Permission>,
    /// The only flows that the caller sees; `None` for all.
    pub flows: Option<BTreeSet<FlowId>>,
}

impl Caller {
    /// Refuses a caller that lacks the permission.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub fn require(&self, permission: Permission) -> Result<()> {
        if self.permissions.contains(&permission) {
            return Ok(());
        }
        Err(Error::Forbidden(format!(
            "This needs the permission {}. Ask an admin of your team for a token with it.",
            permission.as_str()
        )))
    }

    /// Refuses a caller that is kept from the flow.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub fn require_flow(&self, flow_id: &FlowId) -> Result<()> {
        match &self.flows {
            Some(flows) if !flows.contains(flow_id) => Err(Error::Forbidden(format!(
                "The token is limited to other flows than {flow_id}."
            ))),
            _ => Ok(()),
        }
    }

    /// Refuses a caller that is kept from any flow.
    ///
    /// # Errors
    /// [`Error::Forbidden`], which says what to ask for instead.
    pub fn require_all_flows(&self) -> Result<()> {
        let Some(flows) = &self.flows else {
            return Ok(());
        };
        let flows: Vec<_> = flows.iter().map(FlowId::as_str).collect();
        Err(Error::Forbidden(format!(
            "The token is limited to flows. Ask for one of them: {}.",
            flows.join(", ")
        )))
    }

    /// Whether the execution is of the caller's team and of a flow that the
    /// caller is not kept from.
    pub fn may_see(&self, execution: &Execution) -> bool {
        let is_own = execution.team_id.as_deref() == Some(self.team_id.as_str());
        let flow_id = execution.flow_id.as_deref();
        is_own
            && self
                .flows
                .as_ref()
                .is_none_or(|flows| flows.iter().any(|flow| flow_id == Some(flow.as_str())))
    }
}

/// How long an authentication may be remembered, and so how long a revoked
/// token can still work, in seconds. API Gateway remembers the authorizer's
/// answer as long; `template.yaml` is tested to agree.
pub const REMEMBERED_SECONDS: u64 = 60;

/// The least time between two notes of a token's last use, in seconds: the
/// figure is coarse so that reading does not become writing.
const LAST_USED_EVERY_SECONDS: i64 = 3_600;

/// The words for every refusal, whether the token is unknown, wrong, expired or
/// revoked: an attacker learns nothing from them.
const REFUSED: Error = Error::Unauthenticated("The token is not valid.");

/// Makes a caller of the `Authorization` header.
///
/// A malformed header costs no request, any other refusal one. The reason of a
/// refusal is logged with the token's id, never with its secret.
///
/// # Errors
/// [`Error::Unauthenticated`], and those of the table.
pub async fn authenticate(store: &Store, authorization: Option<&str>) -> Result<Caller> {
    let header = authorization.ok_or(Error::Unauthenticated(
        "Send a token: Authorization: Bearer sdk_….",
    ))?;
    let token = header
        .split_once(' ')
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .and_then(|(_, token)| TokenText::parse(token.trim()))
        .ok_or(Error::Unauthenticated(
            "The Authorization header is not of the form: Bearer sdk_….",
        ))?;
    let item = store
        .get(&keys::token_partition(token.id), keys::TOKEN)
        .await?;
    let now = Timestamp::now();
    match caller_of(&token, item.as_ref(), now) {
        Ok((caller, last_used)) => {
            if last_used.is_none_or(|then| now.seconds() - then >= LAST_USED_EVERY_SECONDS) {
                note_use(store, token.id, now).await;
            }
            Ok(caller)
        }
        Err(reason) => {
            tracing::warn!(token_id = token.id, reason, "authentication refused");
            Err(REFUSED)
        }
    }
}

/// The caller that a token makes, and the second of its last noted use; or why
/// it makes none.
fn caller_of(
    token: &TokenText<'_>,
    item: Option<&Item>,
    now: Timestamp,
) -> std::result::Result<(Caller, Option<i64>), &'static str> {
    // An unknown id is compared as well, so that it takes the same time.
    let stored = item
        .and_then(|item| item.get("secretHash"))
        .and_then(|hash| hash.as_b().ok())
        .map_or(&[0; 32][..], AsRef::as_ref);
    let is_secret: bool = hash(token.secret).ct_eq(stored).into();
    let item = item.ok_or("unknown token")?;
    if !is_secret {
        return Err("wrong secret");
    }
    if item.contains_key("revokedAt") {
        return Err("revoked token");
    }
    if is_expired(item, now) {
        return Err("expired token");
    }
    let record = TokenRecord::from_item(item.clone()).ok_or("unreadable token")?;
    Ok((
        Caller {
            team_id: record.team_id.parse().map_err(|_| "unreadable team")?,
            principal: format!("token:{}", token.id),
            permissions: record.role.permissions(),
            flows: record
                .flows
                .map(|flows| flows.iter().map(|flow| flow.parse()).collect())
                .transpose()
                .map_err(|_| "unreadable flows")?,
        },
        record.last_used_at.map(Timestamp::seconds),
    ))
}

/// Notes when a token was used. A failure is no reason to refuse the caller.
async fn note_use(store: &Store, token_id: &str, now: Timestamp) {
    let update = store
        .client()
        .update_item()
        .table_name(store.table())
        .set_key(Some(crate::store::key(
            keys::token_partition(token_id),
            keys::TOKEN,
        )))
        .update_expression("SET lastUsedAt = :now")
        .condition_expression("attribute_exists(pk)")
        .expression_attribute_values(":now", text(now.to_string()));
    if let Err(error) = update.send().await {
        tracing::warn!(token_id, error = %error, "the last use of a token could not be noted");
    }
}

/// The two parts of a token's text.
struct TokenText<'a> {
    id: &'a str,
    secret: &'a str,
}

impl<'a> TokenText<'a> {
    const PREFIX: &'static str = "sdk_";
    /// Ten random bytes in hexadecimal digits.
    const ID_LENGTH: usize = 20;
    /// 32 random bytes in base64url.
    const SECRET_LENGTH: usize = 43;

    fn parse(text: &'a str) -> Option<Self> {
        let (id, secret) = text.strip_prefix(Self::PREFIX)?.split_once('_')?;
        let is_id = id.len() == Self::ID_LENGTH
            && id
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let is_secret = secret.len() == Self::SECRET_LENGTH
            && secret
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        (is_id && is_secret).then_some(Self { id, secret })
    }
}

/// The SHA-256 of a text.
pub fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text).into()
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(Error::internal)?;
    Ok(bytes)
}

fn blob(bytes: &[u8]) -> AttributeValue {
    AttributeValue::B(aws_sdk_dynamodb::primitives::Blob::new(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_holds_what_the_documents_say() {
        let names = |role: Role| -> Vec<_> {
            role.permissions()
                .into_iter()
                .map(Permission::as_str)
                .collect()
        };
        assert_eq!(names(Role::Viewer), ["EXECUTIONS_READ"]);
        assert_eq!(
            names(Role::Operator),
            ["EXECUTIONS_READ", "EXECUTIONS_EXPORT", "EXECUTIONS_CANCEL"]
        );
        assert_eq!(names(Role::Admin).len(), Permission::ALL.len());
        for permission in Permission::ALL {
            assert_eq!(permission.as_str().parse(), Ok(permission));
        }
    }

    #[test]
    fn only_the_exact_form_of_a_token_is_read() {
        let id = "0123456789abcdef0123";
        let secret = "A".repeat(43);
        assert!(TokenText::parse(&format!("sdk_{id}_{secret}")).is_some());
        for wrong in [
            String::new(),
            "sdk_".to_owned(),
            format!("sdk_{id}"),
            format!("SDK_{id}_{secret}"),
            format!("sdk_{id}_{secret}A"),
            format!("sdk_{}_{secret}", id.to_uppercase()),
            format!("sdk_{id}_{}", "#".repeat(43)),
            format!("sdk_{id}#x_{secret}"),
        ] {
            assert!(TokenText::parse(&wrong).is_none(), "{wrong}");
        }
    }
}
