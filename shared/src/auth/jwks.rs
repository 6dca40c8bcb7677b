//! The public keys of an issuer, fetched when they are needed and kept.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

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
use crate::config::is_loopback;
use crate::error::{Cause, Error, Result};

/// How long keys are used before they are fetched again, so that one that the issuer
/// has withdrawn is forgotten.
const FRESH: Duration = Duration::from_secs(3_600);

/// How long keys are used that cannot be fetched again: an issuer's bad day is no
/// reason to shut everyone out.
const KEPT: Duration = Duration::from_secs(24 * 3_600);

/// The least time between two fetches, whatever keys are asked for.
const FETCHED_EVERY: Duration = Duration::from_secs(60);

/// The same while there are no keys at all: until then nobody gets in.
const TRIED_EVERY: Duration = Duration::from_secs(5);

/// How long a fetch may take.
const TIMEOUT: Duration = Duration::from_secs(3);

/// The largest document, in bytes.
const MAX_BYTES: usize = 256 * 1024;

type HttpClient = Client<HttpsConnector<HttpConnector>, Empty<bytes::Bytes>>;

/// A key, and the algorithms that it may have signed with.
#[derive(Debug)]
pub(super) struct Key {
    id: Option<String>,
    pub(super) algorithms: Vec<Algorithm>,
    pub(super) decoding: DecodingKey,
}

impl Key {
    /// A key that signs, of a kind that is asymmetric. `None` for any other: a
    /// published secret signs nothing here.
    fn of(jwk: &Jwk) -> Option<Self> {
        let verifies = |operations: &Vec<_>| operations.contains(&KeyOperations::Verify);
        let is_for_signatures = matches!(
            jwk.common.public_key_use,
            None | Some(PublicKeyUse::Signature)
        ) && jwk.common.key_operations.as_ref().is_none_or(verifies);
        // Where the key names its algorithm, it is that one alone.
        let is_its = |algorithm: &Algorithm| {
            let named = jwk.common.key_algorithm;
            named.is_none_or(|named| named == KeyAlgorithm::from(*algorithm))
        };
        let algorithms: Vec<_> = algorithms_of(&jwk.algorithm)
            .iter()
            .copied()
            .filter(is_its)
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

/// The algorithms of a kind of keys, of the asymmetric kinds.
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

/// A set of keys as it is published: RFC 7517, section 5.
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
    /// The key with this id that may have signed with this algorithm or, for a JWT
    /// that names no id, the only key.
    fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Option<Arc<Key>> {
        let is_its = |key: &&Arc<Key>| match id {
            None => self.keys.len() == 1,
            Some(id) => key.id.as_deref() == Some(id),
        };
        let mut keys = self.keys.iter().filter(is_its);
        keys.find(|key| key.algorithms.contains(&algorithm))
            .cloned()
    }
}

/// The keys of one issuer.
#[derive(Debug)]
pub(super) struct Jwks {
    issuer: String,
    url: Option<String>,
    client: OnceCell<HttpClient>,
    keys: RwLock<Option<Arc<Keys>>>,
    /// When they were last asked for. Locked by whoever asks: the others wait for
    /// what comes of it.
    asked: Mutex<Option<Instant>>,
}

impl Jwks {
    pub(super) fn of(settings: &OidcSettings) -> Arc<Self> {
        Arc::new(Self {
            issuer: settings.issuer.clone(),
            url: settings.jwks_url.clone(),
            client: OnceCell::new(),
            keys: RwLock::default(),
            asked: Mutex::default(),
        })
    }

    /// The key with this id that may have signed with this algorithm; `None` where the
    /// issuer has none.
    ///
    /// # Errors
    /// [`Error::IssuerUnavailable`] when the keys cannot be had.
    pub(super) async fn find(
        self: &Arc<Self>,
        id: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<Option<Arc<Key>>> {
        if let Some(keys) = self.known(FRESH)
            && let Some(key) = keys.find(id, algorithm)
        {
            return Ok(Some(key));
        }
        // A task of its own: who asks, and does not wait, must not end what all wait
        // for.
        let refreshed = tokio::spawn(self.clone().refresh());
        refreshed.await.map_err(Error::internal)?;
        match self.known(KEPT) {
            Some(keys) => Ok(keys.find(id, algorithm)),
            None => Err(Error::IssuerUnavailable),
        }
    }

    /// Fetches the keys, unless that was done lately.
    async fn refresh(self: Arc<Self>) {
        let mut asked = self.asked.lock().await;
        let every = match self.known(KEPT) {
            Some(_) => FETCHED_EVERY,
            None => TRIED_EVERY,
        };
        if asked.is_some_and(|asked| asked.elapsed() < every) {
            return;
        }
        let fetched = tokio::time::timeout(TIMEOUT, self.fetch()).await;
        *asked = Some(Instant::now());
        match fetched.unwrap_or_else(|elapsed| Err(elapsed.into())) {
            Ok(keys) => self.keep(keys),
            Err(error) => {
                let (issuer, error) = (&self.issuer, Error::internal(error).with_causes());
                tracing::warn!(issuer, error, "the issuer's keys could not be fetched");
            }
        }
    }

    /// The keys that were fetched, if not longer ago than that.
    fn known(&self, age: Duration) -> Option<Arc<Keys>> {
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
        // A key that cannot be read does not hide its neighbours. And a set without
        // any is one as well: the issuer has withdrawn them.
        let keys = set.keys.into_iter();
        let keys = keys.filter_map(|key| Key::of(&serde_json::from_value(key).ok()?));
        Ok(keys.map(Arc::new).collect())
    }

    /// Where the issuer says that its keys are: OpenID Connect Discovery 1.0,
    /// section 4.
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
            return Err("the discovery document is another issuer's".into());
        }
        // Only what is on this machine itself names others on it.
        let is_secure = discovered.jwks_uri.starts_with("https://") || is_loopback(&self.issuer);
        if !is_secure || !is_trustworthy(&discovered.jwks_uri) {
            return Err("the discovery document names keys without https".into());
        }
        Ok(discovered.jwks_uri)
    }

    async fn get<T: DeserializeOwned>(&self, url: &str) -> std::result::Result<T, Cause> {
        let request = Request::get(url).header("accept", "application/json");
        let client = self.client.get_or_try_init(async || http_client()).await?;
        let answer = client.request(request.body(Empty::new())?).await?;
        // A redirection is not followed: what is configured is where the keys are.
        if answer.status() != StatusCode::OK {
            return Err(format!("{url} answers {}", answer.status()).into());
        }
        let body = Limited::new(answer.into_body(), MAX_BYTES);
        Ok(serde_json::from_slice(&body.collect().await?.to_bytes())?)
    }
}

/// Over TLS, with the root certificates of this machine.
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
        Key::of(&jwk).map(|key| key.algorithms)
    }

    #[test]
    fn a_key_verifies_with_its_own_algorithms_and_a_secret_with_none() {
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
