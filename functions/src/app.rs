//! What every handler works with, made once for a process.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use shared::auth::{self, Authenticator, Caller, OidcSettings, REMEMBERED_SECONDS};
use shared::store::Store;

use crate::cors::AllowedOrigins;
use crate::metrics;

/// The most callers that are remembered at a time.
const MAX_REMEMBERED: usize = 10_000;

/// The table, who may ask for it, and the callers who were lately authenticated.
#[derive(Debug)]
pub struct App {
    store: Store,
    authenticator: Authenticator,
    allowed_origins: AllowedOrigins,
    /// By the hash of the token that they sent, so that no secret stays in memory.
    remembered: Mutex<HashMap<[u8; 32], (Caller, Instant)>>,
}

impl App {
    /// An app over a table, for the table's own tokens.
    pub fn new(store: Store) -> Self {
        let authenticator = Authenticator::new(store.clone());
        Self::of(store, authenticator)
    }

    /// The same, which takes the JWTs of an issuer as well.
    pub fn taking_jwts(store: Store, settings: OidcSettings) -> Self {
        let authenticator = Authenticator::new(store.clone()).taking_jwts(settings);
        Self::of(store, authenticator)
    }

    /// An app over a table whose callers are authenticated by another way to it.
    pub fn of(store: Store, authenticator: Authenticator) -> Self {
        Self {
            store,
            authenticator,
            allowed_origins: AllowedOrigins::default(),
            remembered: Mutex::default(),
        }
    }

    /// The same, whose answers pages of these origins may read.
    pub fn allowing(self, allowed_origins: AllowedOrigins) -> Self {
        Self {
            allowed_origins,
            ..self
        }
    }

    /// The table.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The origins whose pages may read the answers.
    pub fn allowed_origins(&self) -> &AllowedOrigins {
        &self.allowed_origins
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
        metrics::count_refusal(self.store.table(), authorization, &authenticated);
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
