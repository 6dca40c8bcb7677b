//! What every handler works with, made once for a process.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use shared::auth::{self, Authenticator, Caller, OidcSettings, REMEMBERED_SECONDS};
use shared::store::Store;

use crate::metrics;

/// The most callers that are remembered at a time.
const MAX_REMEMBERED: usize = 10_000;

/// The table, and the callers who were lately authenticated.
#[derive(Debug)]
pub struct App {
    authenticator: Authenticator,
    /// By the hash of the token that they sent, so that no secret stays in memory.
    remembered: Mutex<HashMap<[u8; 32], (Caller, Instant)>>,
}

impl App {
    /// An app over a table, for the table's own tokens.
    pub fn new(store: Store) -> Self {
        Self::taking_jwts(store, None)
    }

    /// The same, which takes the JWTs of an issuer as well, where one is configured.
    pub fn taking_jwts(store: Store, oidc: Option<OidcSettings>) -> Self {
        Self {
            authenticator: Authenticator::new(store, oidc),
            remembered: Mutex::default(),
        }
    }

    /// The table.
    pub fn store(&self) -> &Store {
        self.authenticator.store()
    }

    /// The caller with this `Authorization` header, remembered for
    /// [`REMEMBERED_SECONDS`] as API Gateway remembers the authorizer's answer.
    /// A refusal is never remembered.
    ///
    /// # Errors
    /// Those of [`Authenticator::authenticate`].
    pub async fn authenticate(&self, authorization: Option<&str>) -> shared::Result<Caller> {
        // One token can be sent in many spellings of the header.
        let key = auth::hash(auth::bearer(authorization.unwrap_or_default()));
        if let Some(caller) = self.recall(&key) {
            return Ok(caller);
        }
        let authenticated = self.authenticator.authenticate(authorization).await;
        metrics::count_refusal(authorization, &authenticated);
        let caller = authenticated?;
        self.remember(key, &caller);
        Ok(caller)
    }

    fn recall(&self, key: &[u8; 32]) -> Option<Caller> {
        let remembered = self.remembered.lock().ok()?;
        let (caller, until) = remembered.get(key)?;
        (Instant::now() < *until).then(|| caller.clone())
    }

    fn remember(&self, key: [u8; 32], caller: &Caller) {
        let Ok(mut remembered) = self.remembered.lock() else {
            return;
        };
        let now = Instant::now();
        if remembered.len() >= MAX_REMEMBERED {
            remembered.retain(|_, (_, until)| now < *until);
        }
        if remembered.len() < MAX_REMEMBERED {
            let until = now + Duration::from_secs(REMEMBERED_SECONDS);
            remembered.insert(key, (caller.clone(), until));
        }
    }
}
