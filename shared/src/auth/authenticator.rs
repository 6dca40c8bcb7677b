//! From an `Authorization` header to a [`Caller`].
//!
//! An SDK token reads `sdk_<id>_<secret>`. The id finds the token's item with
//! one GetItem; of the secret only a SHA-256 is stored. A SHA-256 without salt
//! or stretching is right here, because the secret has 256 random bits, which
//! nobody guesses.

use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::Update;
use subtle::ConstantTimeEq;
use tokio::time::timeout;

use super::oidc::{JwtVerifier, Oidc, OidcSettings, has_form_of_jwt};
use super::tokens::{SECRET_HASH, TokenText};
use super::{Caller, Origin, TokenId, TokenRecord, hash, roles};
use crate::error::{Error, Result};
use crate::keys;
use crate::model::{Item, Timestamp, is_expired};
use crate::store::Store;
use crate::table::text;
use crate::tick::wait_for_tick;

/// The least time between two notes of a token's last use, in seconds: the
/// figure is coarse so that reading does not become writing.
const LAST_USED_EVERY_SECONDS: i64 = 3_600;

/// How long a caller waits for the note of its token's use.
const NOTED_WITHIN: Duration = Duration::from_secs(1);

/// At which multiples of a time a token is refused. To find an item takes a little longer
/// than to find none, and nobody is to learn from it whether an id exists.
const REFUSED_EVERY: Duration = Duration::from_millis(25);

/// The words for every refusal, whether the token is unknown, wrong, expired or
/// revoked: an attacker learns nothing from them.
pub(super) const REFUSED: Error = Error::Unauthenticated("The token is not valid.");

/// Makes callers of headers.
#[derive(Debug)]
pub struct Authenticator {
    store: Store,
    /// Who says whose a JWT is; `None` where none is taken.
    jwts: Option<Box<dyn JwtVerifier>>,
}

impl Authenticator {
    /// An authenticator over the table's SDK tokens.
    pub fn new(store: Store) -> Self {
        Self { store, jwts: None }
    }

    /// The same, which takes an issuer's JWTs as well.
    pub fn taking_jwts(self, settings: OidcSettings) -> Self {
        Self {
            jwts: Some(Box::new(Oidc::new(settings))),
            ..self
        }
    }

    /// The table that the callers ask for.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Makes a caller of the `Authorization` header.
    ///
    /// A malformed header costs no request, any other refusal of an SDK token one.
    /// The reason of a refusal is logged, with the token's id where there is one,
    /// never with its secret.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`]; those of the table; and
    /// [`Error::IssuerUnavailable`] when the keys of the JWTs' issuer cannot be had.
    pub async fn authenticate(&self, authorization: Option<&str>) -> Result<Caller> {
        let header = authorization.ok_or(Error::Unauthenticated(
            "Send a token: Authorization: Bearer sdk_….",
        ))?;
        let token = bearer(header);
        if let Some(token) = TokenText::parse(token) {
            return self.token_caller(&token).await;
        }
        match &self.jwts {
            Some(jwts) if has_form_of_jwt(token) => self.jwt_caller(&**jwts, token).await,
            _ => Err(Error::Unauthenticated(
                "The Authorization header is not of the form: Bearer sdk_….",
            )),
        }
    }

    async fn token_caller(&self, token: &TokenText<'_>) -> Result<Caller> {
        let begin = Instant::now();
        let store = &self.store;
        // As it is now: a read that lags behind would prolong what was revoked.
        let item = store
            .get_latest(&keys::token_partition(token.id.as_str()), keys::TOKEN)
            .await?;
        let now = Timestamp::now();
        let (caller, role, last_used) = match caller_of(token, item.as_ref(), now) {
            Ok(found) => found,
            Err(reason) => {
                tracing::warn!(token_id = %token.id, reason, "authentication refused");
                wait_for_tick(begin, REFUSED_EVERY).await;
                return Err(REFUSED);
            }
        };
        if last_used.is_none_or(|then| now.seconds() - then >= LAST_USED_EVERY_SECONDS) {
            note_use(store, &token.id, now).await;
        }
        let permissions = roles::permissions(store, &caller.team_id, [role.as_str()]).await?;
        Ok(Caller {
            permissions,
            ..caller
        })
    }

    async fn jwt_caller(&self, jwts: &dyn JwtVerifier, token: &str) -> Result<Caller> {
        let identity = match jwts.verify(token).await? {
            Ok(identity) => identity,
            Err(refused) => {
                let (kid, reason) = (refused.key_id, refused.reason);
                tracing::warn!(kid, reason, "authentication refused: a JWT");
                return Err(REFUSED);
            }
        };
        let named = identity.roles.iter().map(String::as_str);
        let permissions = roles::permissions(&self.store, &identity.team_id, named).await?;
        Ok(Caller {
            principal: format!("user:{}", identity.user),
            team_id: identity.team_id,
            permissions,
            flows: None,
            origin: Origin::default(),
        })
    }
}

/// The token in an `Authorization` header, and nothing where it has another form.
pub fn bearer(header: &str) -> &str {
    header
        .split_once(' ')
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map_or("", |(_, token)| token.trim())
}

/// The caller that a token makes, as yet without permissions, its role, and the
/// second of its last noted use; or why it makes none.
fn caller_of(
    token: &TokenText<'_>,
    item: Option<&Item>,
    now: Timestamp,
) -> std::result::Result<(Caller, String, Option<i64>), &'static str> {
    // An unknown id is compared as well, so that it takes the same time.
    let stored = item
        .and_then(|item| item.get(SECRET_HASH))
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
    let caller = Caller {
        team_id: record.team_id.parse().map_err(|_| "unreadable team")?,
        principal: token.id.principal(),
        permissions: Default::default(),
        flows: record
            .flows
            .map(|flows| flows.iter().map(|flow| flow.parse()).collect())
            .transpose()
            .map_err(|_| "unreadable flows")?,
        origin: Origin::default(),
    };
    let last_used = record.last_used_at.map(Timestamp::seconds);
    Ok((caller, record.role, last_used))
}

/// Notes when a token was used. A failure is no reason to refuse the caller.
async fn note_use(store: &Store, token_id: &TokenId, now: Timestamp) {
    let update = Update::builder()
        .table_name(store.table())
        .set_key(Some(token_id.key()))
        .update_expression("SET lastUsedAt = :now")
        .condition_expression("attribute_exists(pk)")
        .expression_attribute_values(":now", text(now.to_string()))
        .build();
    let noted = async {
        let update = update.map_err(Error::internal)?;
        store.update(update).await
    };
    let error = match timeout(NOTED_WITHIN, noted).await {
        Ok(Ok(_)) => return,
        Ok(Err(error)) => error.with_causes(),
        Err(elapsed) => elapsed.to_string(),
    };
    tracing::warn!(%token_id, error, "the last use of a token could not be noted");
}
