//! The state that all handlers share, created once for each process.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use shared::auth::{self, Authenticator, Caller, OidcSettings, REMEMBERED_SECONDS};
use shared::hash::sha256;
use shared::store::Store;

use crate::cors::AllowedOrigins;
use crate::metrics;

/// The largest number of callers that are remembered at a time.
const MAX_REMEMBERED: usize = 10_000;

/// The table, the authenticator, the allowed origins, and the callers that were authenticated
/// recently.
#[derive(Debug)]
pub struct App {
    store: Store,
    authenticator: Authenticator,
    allowed_origins: AllowedOrigins,
    /// The callers by the hash of their token, so that no secret stays in memory.
    remembered: Mutex<HashMap<[u8; 32], RememberedCaller>>,
}

/// An authenticated caller.
#[derive(Debug)]
struct RememberedCaller {
    caller: Caller,
    until: Instant,
    /// The value of [`auth::caller_changes`] before the caller was authenticated.
    changes: u64,
}

impl App {
    /// Creates an app for a table. It accepts the table's own tokens.
    pub fn new(store: Store) -> Self {
        let authenticator = Authenticator::new(store.clone());
        Self::with_authenticator(store, authenticator)
    }

    /// Creates an app for a table. It also accepts the JWTs of an issuer.
    pub fn with_jwts(store: Store, settings: OidcSettings) -> Self {
        let authenticator = Authenticator::new(store.clone()).with_jwts(settings);
        Self::with_authenticator(store, authenticator)
    }

    /// Creates an app for a table with a given authenticator.
    pub fn with_authenticator(store: Store, authenticator: Authenticator) -> Self {
        Self {
            store,
            authenticator,
            allowed_origins: AllowedOrigins::default(),
            remembered: Mutex::default(),
        }
    }

    /// Sets the origins whose pages may read the responses.
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

    /// The origins whose pages may read the responses.
    pub fn allowed_origins(&self) -> &AllowedOrigins {
        &self.allowed_origins
    }

    /// Authenticates the caller with this `Authorization` header. The caller is remembered for
    /// [`REMEMBERED_SECONDS`], as API Gateway does with the authorizer's result, or until this
    /// process revokes a token or changes a role. A refusal is never remembered.
    ///
    /// # Errors
    /// The errors of [`Authenticator::authenticate`].
    pub async fn authenticate(&self, authorization: Option<&str>) -> shared::Result<Caller> {
        // The same token may be sent in different spellings of the header.
        let key = sha256(auth::bearer(authorization.unwrap_or_default()));
        let changes = auth::caller_changes(&self.store);
        if let Some(caller) = self.recall(&key, changes) {
            return Ok(caller);
        }
        let authenticated = self.authenticator.authenticate(authorization).await;
        metrics::count_refusal(self.store.table(), authorization, &authenticated);
        let caller = authenticated?;
        self.remember(key, &caller, changes);
        Ok(caller)
    }

    fn recall(&self, key: &[u8; 32], changes: u64) -> Option<Caller> {
        let remembered = self.remembered.lock().ok()?;
        let found = remembered.get(key)?;
        let is_fresh = Instant::now() < found.until && found.changes == changes;
        is_fresh.then(|| found.caller.clone())
    }

    fn remember(&self, key: [u8; 32], caller: &Caller, changes: u64) {
        let Ok(mut remembered) = self.remembered.lock() else {
            return;
        };
        let now = Instant::now();
        if remembered.len() >= MAX_REMEMBERED {
            remembered.retain(|_, found| now < found.until && found.changes == changes);
        }
        if remembered.len() < MAX_REMEMBERED {
            let found = RememberedCaller {
                caller: caller.clone(),
                until: now + Duration::from_secs(REMEMBERED_SECONDS),
                changes,
            };
            remembered.insert(key, found);
        }
    }
}
