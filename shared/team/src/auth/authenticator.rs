//! Turns an `Authorization` header into a [`Caller`].
//!
//! An SDK token has the form `sdk_<id>_<secret>`. Its id finds the token's item with one GetItem.
//! Only a SHA-256 of the secret is stored. A hash without salt or stretching is enough here,
//! because the secret has 256 random bits, which nobody can guess.

use std::time::{Duration, Instant};

use format::attributes::text;
use format::hash::sha256;
use format::model::{Item, Timestamp, is_expired};
use format::{Error, Result, keys};
use store::{Condition, Store, Update};
use subtle::ConstantTimeEq;
use tokio::time::timeout;

use super::oidc::{JwtVerifier, Oidc, OidcSettings, has_form_of_jwt};
use super::tokens::{SECRET_HASH, TokenText};
use super::{Caller, Origin, TokenId, TokenRecord, roles};
use crate::timing::wait_for_tick;

/// The shortest time between two updates of a token's last use, in seconds. It is coarse so that
/// not every read causes a write.
const LAST_USE_INTERVAL_SECONDS: i64 = 3_600;

/// The longest time that a caller waits for its token's last use to be written.
const LAST_USE_TIMEOUT: Duration = Duration::from_secs(1);

/// Refusals of a token are sent at multiples of this time. Finding an item takes a little longer
/// than not finding one, and the response time must not reveal whether an id exists.
const REFUSAL_TICK: Duration = Duration::from_millis(25);

/// The same message for every refusal, whether the token is unknown, wrong, expired or revoked, so
/// that an attacker learns nothing from it.
pub(super) const REFUSED: Error = Error::Unauthenticated("The token is not valid.");

/// Authenticates callers by their headers.
#[derive(Debug)]
pub struct Authenticator {
    store: Store,
    /// Verifies JWTs; `None` if JWTs are not accepted.
    jwts: Option<Box<dyn JwtVerifier>>,
}

impl Authenticator {
    /// Creates an authenticator of the table's SDK tokens.
    pub fn new(store: Store) -> Self {
        Self { store, jwts: None }
    }

    /// Accepts the JWTs of an issuer as well.
    pub fn with_jwts(self, settings: OidcSettings) -> Self {
        Self {
            jwts: Some(Box::new(Oidc::new(settings))),
            ..self
        }
    }

    /// The table that the callers read.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Authenticates the caller by the `Authorization` header.
    ///
    /// A malformed header costs no request to the table; any other refusal of an SDK token costs
    /// one. The log has the reason of a refusal, with the token's id if there is one and never with
    /// its secret.
    ///
    /// # Errors
    /// Returns [`Error::Unauthenticated`], [`Error::IssuerUnavailable`] if the keys of the JWTs'
    /// issuer cannot be fetched, and an error if the table cannot be read.
    pub async fn authenticate(&self, authorization: Option<&str>) -> Result<Caller> {
        let header = authorization.ok_or(Error::Unauthenticated(
            "Send a token in the header Authorization: Bearer sdk_….",
        ))?;
        let token = bearer(header);
        if let Some(token) = TokenText::parse(token) {
            return self.token_caller(&token).await;
        }
        match &self.jwts {
            Some(jwts) if has_form_of_jwt(token) => self.jwt_caller(&**jwts, token).await,
            _ => Err(Error::Unauthenticated(
                "The Authorization header must have the form: Bearer sdk_….",
            )),
        }
    }

    async fn token_caller(&self, token: &TokenText<'_>) -> Result<Caller> {
        let begin = Instant::now();
        let store = &self.store;
        // A consistent read: a stale one would prolong a revoked token.
        let item = store
            .get_latest(&keys::token_partition(token.id.as_str()), keys::TOKEN)
            .await?;
        let now = Timestamp::now();
        let (caller, role, last_used) = match check_token(token, item.as_ref(), now) {
            Ok(found) => found,
            Err(reason) => {
                tracing::warn!(token_id = %token.id, reason, "authentication refused");
                wait_for_tick(begin, REFUSAL_TICK).await;
                return Err(REFUSED);
            }
        };
        if last_used.is_none_or(|then| now.seconds() - then >= LAST_USE_INTERVAL_SECONDS) {
            record_use(store, &token.id, now).await;
        }
        let permissions = roles::read_permissions(store, &caller.team_id, [role.as_str()]).await?;
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
        let permissions = roles::read_permissions(&self.store, &identity.team_id, named).await?;
        Ok(Caller {
            principal: format!("user:{}", identity.user),
            team_id: identity.team_id,
            permissions,
            flows: None,
            origin: Origin::default(),
        })
    }
}

/// The token in an `Authorization` header; empty if the header has another form.
pub fn bearer(header: &str) -> &str {
    header
        .split_once(' ')
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map_or("", |(_, token)| token.trim())
}

/// Checks a token against its item. Returns the caller, still without permissions, the token's role
/// and the second of its last recorded use; or the reason of the refusal.
fn check_token(
    token: &TokenText<'_>,
    item: Option<&Item>,
    now: Timestamp,
) -> std::result::Result<(Caller, String, Option<i64>), &'static str> {
    // The hash is compared for an unknown id too, so that both take the same time.
    let stored = item
        .and_then(|item| item.get(SECRET_HASH))
        .and_then(|hash| hash.as_b().ok())
        .map_or(&[0; 32][..], AsRef::as_ref);
    let is_secret: bool = sha256(token.secret).ct_eq(stored).into();
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
    let record = TokenRecord::from_item(item).filter(|record| record.unreadable.is_none());
    let record = record.ok_or("unreadable token")?;
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

/// Records the time of a token's use. A failure does not refuse the caller.
async fn record_use(store: &Store, token_id: &TokenId, now: Timestamp) {
    let update = Update::with_key(token_id.key())
        .set("lastUsedAt", text(now.to_string()))
        .only_if(Condition::exists());
    let write = store.update(update);
    let error = match timeout(LAST_USE_TIMEOUT, write).await {
        Ok(Ok(_)) => return,
        Ok(Err(error)) => error.with_causes(),
        Err(elapsed) => elapsed.to_string(),
    };
    tracing::warn!(%token_id, error, "the last use of a token could not be recorded");
}
