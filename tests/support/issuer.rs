//! An OpenID Connect issuer on this machine.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use shared::auth::OidcSettings;
use shared::model::Timestamp;

pub const AUDIENCE: &str = "flowtrail-test";

/// A key that signs.
pub struct SigningKey {
    pub id: &'static str,
    pub algorithm: Algorithm,
    pub key: EncodingKey,
}

impl SigningKey {
    pub fn es256(id: &'static str) -> Self {
        let random = SystemRandom::new();
        let pair = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random);
        Self {
            id,
            algorithm: Algorithm::ES256,
            key: EncodingKey::from_ec_der(pair.expect("a key").as_ref()),
        }
    }

    pub fn rsa(id: &'static str) -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).expect("a key");
        let der: Pkcs8V1Der<'_> = pair.as_der().expect("a key");
        // A PKCS #8 key contains the PKCS #1 key after this many bytes.
        const HEAD: usize = 26;
        Self {
            id,
            algorithm: Algorithm::RS256,
            key: EncodingKey::from_rsa_der(&der.as_ref()[HEAD..]),
        }
    }

    pub fn ed25519(id: &'static str) -> Self {
        let pair = Ed25519KeyPair::generate_pkcs8v1(&SystemRandom::new());
        Self {
            id,
            algorithm: Algorithm::EdDSA,
            key: EncodingKey::from_ed_der(pair.expect("a key").as_ref()),
        }
    }

    /// The published part of the key.
    pub fn jwk(&self) -> Value {
        let jwk = Jwk::from_encoding_key(&self.key, self.algorithm).expect("a JWK");
        let mut jwk = serde_json::to_value(jwk).expect("JSON");
        jwk["kid"] = self.id.into();
        jwk
    }

    /// A JWT with these claims, and with these members in its header. A null removes a member.
    pub fn sign_with(&self, header: Value, claims: &Value) -> String {
        let mut own = json!({"alg": self.algorithm, "typ": "JWT", "kid": self.id});
        let members = own.as_object_mut().expect("an object");
        members.extend(header.as_object().expect("an object").clone());
        members.retain(|_, value| !value.is_null());
        let part = |value: &Value| BASE64.encode(value.to_string());
        let message = format!("{}.{}", part(&own), part(claims));
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &self.key, self.algorithm);
        format!("{message}.{}", signature.expect("a signature"))
    }

    pub fn sign(&self, claims: &Value) -> String {
        let mut header = Header::new(self.algorithm);
        header.kid = Some(self.id.to_owned());
        encode(&header, claims, &self.key).expect("a JWT")
    }
}

/// An issuer that publishes keys.
pub struct Issuer {
    pub url: String,
    keys: Arc<Mutex<Value>>,
    fetches: Arc<AtomicUsize>,
    is_down: Arc<Mutex<bool>>,
}

impl Issuer {
    pub async fn new(keys: &[&SigningKey]) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let issuer = Self {
            url: url.clone(),
            keys: Arc::default(),
            fetches: Arc::default(),
            is_down: Arc::default(),
        };
        issuer.publish(keys);
        let discovery = json!({"issuer": url, "jwks_uri": format!("{url}/keys")}).to_string();
        let (keys, fetches) = (issuer.keys.clone(), issuer.fetches.clone());
        let is_down = issuer.is_down.clone();
        let published = move || {
            fetches.fetch_add(1, Ordering::SeqCst);
            let answer = match *is_down.lock().expect("a lock") {
                true => (StatusCode::SERVICE_UNAVAILABLE, String::new()),
                false => (StatusCode::OK, keys.lock().expect("a lock").to_string()),
            };
            async { answer }
        };
        let router = Router::new()
            .route(
                "/.well-known/openid-configuration",
                get(|| async { discovery }),
            )
            .route("/keys", get(published));
        tokio::spawn(async move { axum::serve(listener, router).await });
        issuer
    }

    /// Replaces the published keys.
    pub fn publish(&self, keys: &[&SigningKey]) {
        let keys: Vec<_> = keys.iter().map(|key| key.jwk()).collect();
        self.publish_as_they_are(&keys);
    }

    /// Replaces the published keys by any JSON.
    pub fn publish_as_they_are(&self, keys: &[Value]) {
        *self.keys.lock().expect("a lock") = json!({"keys": keys});
    }

    /// Answers requests for the keys with 503, or stops doing so.
    pub fn set_down(&self, is_down: bool) {
        *self.is_down.lock().expect("a lock") = is_down;
    }

    /// How often the keys were fetched.
    pub fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }

    pub fn settings(&self) -> OidcSettings {
        OidcSettings {
            issuer: self.url.clone(),
            audience: AUDIENCE.to_owned(),
            jwks_url: None,
            team_claim: "team".to_owned(),
            role_claim: "role".to_owned(),
            user_claim: "sub".to_owned(),
        }
    }

    /// The claims of a user of `team-a`, with `others` over the default ones. A null removes
    /// a claim.
    pub fn claims(&self, role: &str, others: Value) -> Value {
        let now = Timestamp::now().seconds();
        let mut claims = json!({
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": "anna",
            "exp": now + 600,
            "nbf": now,
            "team": "team-a",
            "role": role,
        });
        let members = claims.as_object_mut().expect("an object");
        members.extend(others.as_object().expect("an object").clone());
        members.retain(|_, value| !value.is_null());
        claims
    }
}

/// JWTs that must be refused, each with the reason. `key` is published, and the claims of
/// the issuer's admin are valid.
pub fn bad_jwts(issuer: &Issuer, key: &SigningKey) -> Vec<(&'static str, String)> {
    let mut bad = badly_signed_jwts(issuer, key);
    bad.extend(bad_claims(issuer).into_iter().map(|(reason, others)| {
        let claims = issuer.claims("admin", others);
        (reason, key.sign(&claims))
    }));
    bad.push(("claims that are not an object", key.sign(&json!("admin"))));
    bad
}

/// JWTs whose header or signature is wrong.
fn badly_signed_jwts(issuer: &Issuer, key: &SigningKey) -> Vec<(&'static str, String)> {
    let claims = issuer.claims("admin", json!({}));
    let good = key.sign(&claims);
    let parts: Vec<_> = good.split('.').collect();
    let part = |value: Value| BASE64.encode(value.to_string());
    let unsigned = |algorithm: &str| part(json!({"alg": algorithm, "kid": key.id}));
    let stolen = SigningKey::es256(key.id);
    let own = SigningKey::es256("mine");
    let public = key.jwk()["x"].as_str().expect("a key").to_owned();
    let secret = EncodingKey::from_secret(public.as_bytes());
    let mut symmetric = Header::new(Algorithm::HS256);
    symmetric.kid = Some(key.id.to_owned());
    let tampered = part(issuer.claims("admin", json!({"team": "team-b"})));
    vec![
        ("another key's signature", stolen.sign(&claims)),
        ("an unknown key", own.sign(&claims)),
        (
            "a key in the header",
            own.sign_with(json!({"jwk": own.jwk()}), &claims),
        ),
        (
            "no key id with several keys",
            key.sign_with(json!({"kid": null}), &claims),
        ),
        (
            "a critical header",
            key.sign_with(json!({"crit": ["b64"], "b64": false}), &claims),
        ),
        (
            "no algorithm",
            format!("{}.{}.AA", unsigned("none"), parts[1]),
        ),
        (
            "a symmetric algorithm",
            encode(&symmetric, &claims, &secret).expect("a JWT"),
        ),
        (
            "another algorithm",
            format!("{}.{}.{}", unsigned("ES384"), parts[1], parts[2]),
        ),
        (
            "other claims",
            format!("{}.{tampered}.{}", parts[0], parts[2]),
        ),
        ("no signature", format!("{}.{}.AA", parts[0], parts[1])),
    ]
}

/// Claims that make a JWT invalid.
fn bad_claims(issuer: &Issuer) -> Vec<(&'static str, Value)> {
    let now = Timestamp::now().seconds();
    vec![
        ("expired", json!({"exp": now - 61})),
        ("never expiring", json!({"exp": null})),
        ("an expiry in words", json!({"exp": "never"})),
        ("not yet valid", json!({"nbf": now + 3_600})),
        ("a start in words", json!({"nbf": "soon"})),
        ("another issuer", json!({"iss": "https://id.example.com"})),
        ("no issuer", json!({"iss": null})),
        (
            "two issuers",
            json!({"iss": [issuer.url, "https://id.example.com"]}),
        ),
        ("another audience", json!({"aud": "other"})),
        ("no audience", json!({"aud": null})),
        ("no team", json!({"team": null})),
        ("two teams", json!({"team": ["team-a", "team-b"]})),
        ("an invalid team id", json!({"team": "team-a#F"})),
        ("no user", json!({"sub": null})),
        ("a user with two lines", json!({"sub": "anna\nadmin"})),
    ]
}
