//! The public keys of an issuer, which are fetched when needed and cached.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use format::error::Cause;
use format::{Error, Result};
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use jsonwebtoken::jwk::{
    AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse,
};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::{Mutex, OnceCell};
use tokio::time::Instant;

use super::oidc::{OidcSettings, is_trustworthy};
use crate::loopback::is_loopback;

/// The age at which keys are fetched again, so that a key that the issuer has withdrawn is not
/// accepted for longer.
const REFRESH_AGE: Duration = Duration::from_secs(3_600);

/// The longest time that keys are used if they cannot be fetched again. An outage of the issuer
/// should not lock everybody out.
const MAX_AGE: Duration = Duration::from_secs(24 * 3_600);

/// The shortest time between two fetches, even if an unknown key is requested.
const FETCH_INTERVAL: Duration = Duration::from_secs(60);

/// The shortest time between two fetches while there are no keys, because nobody can sign in until
/// then.
const RETRY_INTERVAL: Duration = Duration::from_secs(5);

/// The longest time of a fetch.
const TIMEOUT: Duration = Duration::from_secs(3);

/// The largest discovery document or set of keys, in bytes.
const MAX_BYTES: usize = 256 * 1024;

type HttpClient = Client<HttpsConnector<HttpConnector>, Empty<bytes::Bytes>>;

/// A key, and the algorithms that its signatures may use.
#[derive(Debug)]
pub(super) struct Key {
    id: Option<String>,
    pub(super) algorithms: Vec<Algorithm>,
    pub(super) decoding: DecodingKey,
}

impl Key {
    /// Converts a key of an asymmetric kind that is meant for signatures. Returns `None` for other
    /// keys: a published symmetric key cannot prove anything.
    fn from_jwk(jwk: &Jwk) -> Option<Self> {
        let verifies = |operations: &Vec<_>| operations.contains(&KeyOperations::Verify);
        let is_for_signatures = matches!(
            jwk.common.public_key_use,
            None | Some(PublicKeyUse::Signature)
        ) && jwk.common.key_operations.as_ref().is_none_or(verifies);
        // A key that names its algorithm allows only this one.
        let is_allowed = |algorithm: &Algorithm| {
            let named = jwk.common.key_algorithm;
            named.is_none_or(|named| named == KeyAlgorithm::from(*algorithm))
        };
        let algorithms: Vec<_> = algorithms_of(&jwk.algorithm)
            .iter()
            .copied()
            .filter(is_allowed)
            .collect();
        if algorithms.is_empty() || !is_for_signatures {
            return None;
        }
        Some(Self {
            id: jwk.common.key_id.clone(),
            algorithms,
            decoding: DecodingKey::from_jwk(jwk).ok()?,
        })
    }
}

/// The algorithms of a kind of keys; empty for symmetric kinds.
fn algorithms_of(kind: &AlgorithmParameters) -> &'static [Algorithm] {
    let curve = match kind {
        AlgorithmParameters::RSA(_) => {
            return &[
                Algorithm::RS256,
                Algorithm::RS384,
                Algorithm::RS512,
                Algorithm::PS256,
                Algorithm::PS384,
                Algorithm::PS512,
            ];
        }
        AlgorithmParameters::EllipticCurve(parameters) => &parameters.curve,
        AlgorithmParameters::OctetKeyPair(parameters) => &parameters.curve,
        _ => return &[],
    };
    match curve {
        EllipticCurve::P256 => &[Algorithm::ES256],
        EllipticCurve::P384 => &[Algorithm::ES384],
        EllipticCurve::Ed25519 => &[Algorithm::EdDSA],
        _ => &[],
    }
}

/// A published set of keys: RFC 7517, section 5.
#[derive(Deserialize)]
struct JwkSet {
    keys: Vec<serde_json::Value>,
}

#[derive(Debug)]
struct Keys {
    keys: Vec<Arc<Key>>,
    fetched: Instant,
}

impl Keys {
    /// Finds the key with this id and this algorithm. A JWT without a key id matches if there is
    /// only one key.
    fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Option<Arc<Key>> {
        let has_id = |key: &&Arc<Key>| match id {
            None => self.keys.len() == 1,
            Some(id) => key.id.as_deref() == Some(id),
        };
        let mut keys = self.keys.iter().filter(has_id);
        keys.find(|key| key.algorithms.contains(&algorithm))
            .cloned()
    }
}

/// The cached keys of one issuer.
#[derive(Debug)]
pub(super) struct Jwks {
    issuer: String,
    url: Option<String>,
    client: OnceCell<HttpClient>,
    keys: RwLock<Option<Arc<Keys>>>,
    /// When the keys were last requested. A task that fetches them holds the lock, and the others
    /// wait for its result.
    requested: Mutex<Option<Instant>>,
}

impl Jwks {
    pub(super) fn new(settings: &OidcSettings) -> Arc<Self> {
        Arc::new(Self {
            issuer: settings.issuer.clone(),
            url: settings.jwks_url.clone(),
            client: OnceCell::new(),
            keys: RwLock::default(),
            requested: Mutex::default(),
        })
    }

    /// Finds the key with this id and this algorithm; `None` if the issuer has no such key.
    ///
    /// # Errors
    /// Returns [`Error::IssuerUnavailable`] if the keys cannot be fetched.
    pub(super) async fn find(
        self: &Arc<Self>,
        id: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<Option<Arc<Key>>> {
        if let Some(keys) = self.cached(REFRESH_AGE)
            && let Some(key) = keys.find(id, algorithm)
        {
            return Ok(Some(key));
        }
        // A separate task, because all callers wait for this fetch: it must not end when the caller
        // that started it stops waiting.
        let refreshed = tokio::spawn(self.clone().refresh());
        refreshed.await.map_err(Error::internal)?;
        match self.cached(MAX_AGE) {
            Some(keys) => Ok(keys.find(id, algorithm)),
            None => Err(Error::IssuerUnavailable),
        }
    }

    /// Fetches the keys, unless they were requested recently.
    async fn refresh(self: Arc<Self>) {
        let mut requested = self.requested.lock().await;
        let interval = match self.cached(MAX_AGE) {
            Some(_) => FETCH_INTERVAL,
            None => RETRY_INTERVAL,
        };
        if requested.is_some_and(|requested| requested.elapsed() < interval) {
            return;
        }
        let fetched = tokio::time::timeout(TIMEOUT, self.fetch()).await;
        *requested = Some(Instant::now());
        match fetched.unwrap_or_else(|elapsed| Err(elapsed.into())) {
            Ok(keys) => self.keep(keys),
            Err(error) => {
                let (issuer, error) = (&self.issuer, Error::internal(error).with_causes());
                tracing::warn!(issuer, error, "the issuer's keys could not be fetched");
            }
        }
    }

    /// The cached keys, if they are younger than `age`.
    fn cached(&self, age: Duration) -> Option<Arc<Keys>> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.clone().filter(|keys| keys.fetched.elapsed() < age)
    }

    fn keep(&self, keys: Vec<Arc<Key>>) {
        let keys = Arc::new(Keys {
            keys,
            fetched: Instant::now(),
        });
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Some(keys);
    }

    async fn fetch(&self) -> std::result::Result<Vec<Arc<Key>>, Cause> {
        let url = match &self.url {
            Some(url) => url.clone(),
            None => self.discover().await?,
        };
        let set: JwkSet = self.get(&url).await?;
        // A key that cannot be read does not hide the others. A set without any key is valid too:
        // the issuer has withdrawn them.
        let keys = set.keys.into_iter();
        let keys = keys.filter_map(|key| Key::from_jwk(&serde_json::from_value(key).ok()?));
        Ok(keys.map(Arc::new).collect())
    }

    /// Reads the address of the keys from the issuer's discovery document: OpenID Connect Discovery
    /// 1.0, section 4.
    async fn discover(&self) -> std::result::Result<String, Cause> {
        #[derive(Deserialize)]
        struct Discovered {
            issuer: String,
            jwks_uri: String,
        }
        let issuer = self.issuer.trim_end_matches('/');
        let url = format!("{issuer}/.well-known/openid-configuration");
        let discovered: Discovered = self.get(&url).await?;
        if discovered.issuer != self.issuer {
            return Err("the discovery document belongs to another issuer".into());
        }
        // Only an issuer on this machine may name an address on this machine without TLS.
        let is_secure = discovered.jwks_uri.starts_with("https://") || is_loopback(&self.issuer);
        if !is_secure || !is_trustworthy(&discovered.jwks_uri) {
            return Err(
                "the address of the keys in the discovery document does not use https".into(),
            );
        }
        Ok(discovered.jwks_uri)
    }

    async fn get<T: DeserializeOwned>(&self, url: &str) -> std::result::Result<T, Cause> {
        let request = Request::get(url).header("accept", "application/json");
        let client = self.client.get_or_try_init(async || http_client()).await?;
        let answer = client.request(request.body(Empty::new())?).await?;
        // Redirects are not followed: the keys are only read from the configured address.
        if answer.status() != StatusCode::OK {
            return Err(format!("{url} answers {}", answer.status()).into());
        }
        let body = Limited::new(answer.into_body(), MAX_BYTES);
        Ok(serde_json::from_slice(&body.collect().await?.to_bytes())?)
    }
}

/// A client for TLS with the root certificates of this machine.
fn http_client() -> std::result::Result<HttpClient, Cause> {
    let connector = HttpsConnectorBuilder::new()
        .with_native_roots()?
        .https_or_http()
        .enable_http1()
        .build();
    Ok(Client::builder(TokioExecutor::new()).build(connector))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn algorithms(jwk: serde_json::Value) -> Option<Vec<Algorithm>> {
        let jwk: Jwk = serde_json::from_value(jwk).expect("a JWK");
        Key::from_jwk(&jwk).map(|key| key.algorithms)
    }

    #[test]
    fn a_key_allows_only_its_own_asymmetric_algorithms() {
        let (n, e) = ("AQAB", "AQAB");
        let rsa = algorithms(json!({"kty": "RSA", "n": n, "e": e})).expect("a key");
        assert_eq!(rsa.len(), 6);
        assert!(!rsa.contains(&Algorithm::HS256));
        let named = json!({"kty": "RSA", "n": n, "e": e, "alg": "PS384", "use": "sig"});
        assert_eq!(algorithms(named), Some(vec![Algorithm::PS384]));
        let ec = json!({"kty": "EC", "crv": "P-256", "x": n, "y": n});
        assert_eq!(algorithms(ec), Some(vec![Algorithm::ES256]));
        let ed = json!({"kty": "OKP", "crv": "Ed25519", "x": n});
        assert_eq!(algorithms(ed), Some(vec![Algorithm::EdDSA]));
        for none in [
            json!({"kty": "oct", "k": n}),
            json!({"kty": "oct", "k": n, "alg": "HS256"}),
            json!({"kty": "RSA", "n": n, "e": e, "use": "enc"}),
            json!({"kty": "RSA", "n": n, "e": e, "alg": "RSA-OAEP"}),
            json!({"kty": "RSA", "n": n, "e": e, "alg": "HS256"}),
            json!({"kty": "EC", "crv": "P-521", "x": n, "y": n}),
            json!({"kty": "EC", "crv": "P-256", "x": n, "y": n, "key_ops": ["sign"]}),
        ] {
            assert_eq!(algorithms(none.clone()), None, "{none}");
        }
    }
}
