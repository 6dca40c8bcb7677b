//! The JWTs of an OpenID Connect issuer.

use std::time::Duration;

use jsonwebtoken::Algorithm;
use serde_json::{Value, json};
use shared::auth::{Authenticator, Caller, OidcSettings, Permission};
use shared::{Error, Result};

use crate::support::TestApp;
use crate::support::issuer::{Issuer, SigningKey, bad_jwts};
use crate::support::operator;

struct Jwts {
    app: TestApp,
    key: SigningKey,
    issuer: Issuer,
}

impl Jwts {
    async fn new() -> Self {
        let key = SigningKey::es256("one");
        Self {
            issuer: Issuer::new(&[&key]).await,
            app: TestApp::new().await,
            key,
        }
    }

    fn authenticator(&self) -> Authenticator {
        self.configured(|_| ())
    }

    fn configured(&self, change: impl FnOnce(&mut OidcSettings)) -> Authenticator {
        let mut settings = self.issuer.settings();
        change(&mut settings);
        Authenticator::new(self.app.store.clone()).with_jwts(settings)
    }

    fn sign(&self, others: Value) -> String {
        self.key.sign(&self.issuer.claims("viewer", others))
    }
}

async fn ask(authenticator: &Authenticator, jwt: &str) -> Result<Caller> {
    let header = format!("Bearer {jwt}");
    authenticator.authenticate(Some(&header)).await
}

fn is_refused(answer: &Result<Caller>) -> bool {
    matches!(answer, Err(Error::Unauthenticated(_)))
}

#[tokio::test]
async fn a_valid_jwt_identifies_its_caller() {
    let jwts = Jwts::new().await;
    let authenticator = jwts.authenticator();
    let caller = ask(&authenticator, &jwts.sign(json!({})))
        .await
        .expect("a caller");
    let expected = Caller {
        principal: "user:anna".to_owned(),
        permissions: [Permission::ExecutionsRead].into(),
        ..operator("team-a")
    };
    assert_eq!(caller, expected);
    // Clocks may differ by a minute, and a list may contain the expected value.
    let now = shared::model::Timestamp::now().seconds();
    for others in [
        json!({"exp": now - 30}),
        json!({"nbf": now + 30}),
        json!({"nbf": null}),
        json!({"aud": ["other", crate::support::issuer::AUDIENCE]}),
        json!({"team": ["team-a"]}),
        json!({"role": ["nobody", "viewer"]}),
    ] {
        let answer = ask(&authenticator, &jwts.sign(others.clone())).await;
        assert_eq!(answer.expect("a caller"), expected, "{others}");
    }
    let both = jwts.sign(json!({"role": ["viewer", "operator"]}));
    let caller = ask(&authenticator, &both).await.expect("a caller");
    assert_eq!(
        caller.permissions,
        shared::auth::Role::Operator.permissions()
    );
}

#[tokio::test]
async fn configured_claims_may_be_nested() {
    let jwts = Jwts::new().await;
    let authenticator = jwts.configured(|settings| {
        settings.team_claim = "https://flowtrail.example/team".to_owned();
        settings.role_claim = "realm_access.roles".to_owned();
        settings.user_claim = "email".to_owned();
    });
    let own = json!({
        "https://flowtrail.example/team": "team-b",
        "realm_access": {"roles": ["offline_access", "viewer"]},
        "email": "anna@example.com",
    });
    let caller = ask(&authenticator, &jwts.sign(own))
        .await
        .expect("a caller");
    assert_eq!(caller.team_id.as_str(), "team-b");
    assert_eq!(caller.principal, "user:anna@example.com");
    assert_eq!(caller.permissions, [Permission::ExecutionsRead].into());
    assert!(is_refused(
        &ask(&authenticator, &jwts.sign(json!({}))).await
    ));
}

#[tokio::test]
async fn invalid_jwts_are_refused() {
    let jwts = Jwts::new().await;
    let second = SigningKey::ed25519("two");
    jwts.issuer.publish(&[&jwts.key, &second]);
    let authenticator = jwts.authenticator();
    let bad = bad_jwts(&jwts.issuer, &jwts.key);
    assert!(bad.len() >= 20);
    for (what, jwt) in bad {
        assert!(is_refused(&ask(&authenticator, &jwt).await), "{what}");
    }
    ask(&authenticator, &jwts.sign(json!({})))
        .await
        .expect("a caller");
}

#[tokio::test]
async fn jwts_are_refused_without_any_request_if_no_issuer_is_set() {
    let jwts = Jwts::new().await;
    let authenticator = Authenticator::new(jwts.app.store.clone());
    assert!(is_refused(
        &ask(&authenticator, &jwts.sign(json!({}))).await
    ));
    assert_eq!(jwts.issuer.fetches(), 0);
    assert_eq!(jwts.app.store.usage().requests, 0);
}

#[tokio::test]
async fn unknown_keys_do_not_cause_repeated_fetches() {
    let jwts = Jwts::new().await;
    let authenticator = jwts.authenticator();
    for _ in 0..5 {
        ask(&authenticator, &jwts.sign(json!({})))
            .await
            .expect("a caller");
    }
    assert_eq!(jwts.issuer.fetches(), 1);
    let unknown = SigningKey::es256("another");
    let jwt = unknown.sign(&jwts.issuer.claims("admin", json!({})));
    let asked = (0..20).map(|_| ask(&authenticator, &jwt));
    let answers = futures_util::future::join_all(asked).await;
    assert!(answers.iter().all(is_refused));
    assert_eq!(jwts.issuer.fetches(), 1, "at most once a minute");
    ask(&authenticator, &jwts.sign(json!({})))
        .await
        .expect("a caller");
}

#[tokio::test]
async fn an_unavailable_issuer_is_reported_and_retried_soon() {
    let jwts = Jwts::new().await;
    jwts.issuer.set_down(true);
    let authenticator = jwts.authenticator();
    for _ in 0..3 {
        let answer = ask(&authenticator, &jwts.sign(json!({}))).await;
        assert!(
            matches!(answer, Err(Error::IssuerUnavailable)),
            "{answer:?}"
        );
    }
    assert_eq!(jwts.issuer.fetches(), 1);
    jwts.issuer.set_down(false);
    pass(Duration::from_secs(6)).await;
    ask(&authenticator, &jwts.sign(json!({})))
        .await
        .expect("a caller");
    assert_eq!(jwts.issuer.fetches(), 2);
    jwts.issuer.set_down(true);
    let app = jwts.app.with_jwts(jwts.issuer.settings());
    let path = "/flow-executions?flowDefinitionId=flow-1";
    let answer = app.get(&jwts.sign(json!({})), path).await;
    assert_eq!(answer.problem(), (503, "UNAVAILABLE".to_owned()));
    assert_eq!(
        answer.json()["error"],
        "The identity provider does not respond"
    );
    assert!(answer.headers.contains_key("retry-after"));
    // The table's own tokens need no issuer.
    app.get(&app.viewer("team-a").await, path).await.ok();
}

#[tokio::test]
async fn a_discovery_document_of_another_issuer_is_refused() {
    let jwts = Jwts::new().await;
    let authenticator = jwts.configured(|settings| settings.issuer.push('/'));
    let claims = jwts
        .issuer
        .claims("viewer", json!({"iss": format!("{}/", jwts.issuer.url)}));
    let answer = ask(&authenticator, &jwts.key.sign(&claims)).await;
    assert!(
        matches!(answer, Err(Error::IssuerUnavailable)),
        "{answer:?}"
    );
    assert_eq!(jwts.issuer.fetches(), 0);
    // With the address of the keys, no discovery is needed.
    let authenticator = jwts.configured(|settings| {
        settings.issuer.push('/');
        settings.jwks_url = Some(format!("{}/keys", jwts.issuer.url));
    });
    ask(&authenticator, &jwts.key.sign(&claims))
        .await
        .expect("a caller");
}

#[tokio::test]
async fn a_jwt_without_a_key_id_uses_the_only_key() {
    let jwts = Jwts::new().await;
    let claims = jwts.issuer.claims("viewer", json!({}));
    let jwt = jwts.key.sign_with(json!({"kid": null}), &claims);
    ask(&jwts.authenticator(), &jwt).await.expect("a caller");
}

/// Advances the clock of tokio.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

#[tokio::test]
async fn new_keys_are_found_and_withdrawn_keys_are_forgotten() {
    let jwts = Jwts::new().await;
    let authenticator = jwts.authenticator();
    let old = jwts.sign(json!({"exp": 4_102_444_800_i64}));
    ask(&authenticator, &old).await.expect("a caller");
    let next = SigningKey::es256("next");
    jwts.issuer.publish(&[&next]);
    let jwt = next.sign(&jwts.issuer.claims("viewer", json!({})));
    assert!(is_refused(&ask(&authenticator, &jwt).await));
    pass(Duration::from_secs(61)).await;
    ask(&authenticator, &jwt).await.expect("a caller");
    assert!(is_refused(&ask(&authenticator, &old).await));
    assert_eq!(jwts.issuer.fetches(), 2);
    // The withdrawn key is forgotten without a request for an unknown one.
    jwts.issuer.publish(&[&jwts.key]);
    pass(Duration::from_secs(3_590)).await;
    ask(&authenticator, &jwt).await.expect("a caller");
    pass(Duration::from_secs(20)).await;
    assert!(is_refused(&ask(&authenticator, &jwt).await));
}

#[tokio::test]
async fn keys_are_kept_for_a_day_while_the_issuer_is_down() {
    let jwts = Jwts::new().await;
    let authenticator = jwts.authenticator();
    let jwt = jwts.sign(json!({"exp": 4_102_444_800_i64}));
    ask(&authenticator, &jwt).await.expect("a caller");
    jwts.issuer.set_down(true);
    pass(Duration::from_secs(23 * 3_600)).await;
    ask(&authenticator, &jwt).await.expect("a caller");
    assert_eq!(jwts.issuer.fetches(), 2);
    pass(Duration::from_secs(2 * 3_600)).await;
    let answer = ask(&authenticator, &jwt).await;
    assert!(
        matches!(answer, Err(Error::IssuerUnavailable)),
        "{answer:?}"
    );
}

#[tokio::test]
async fn an_empty_key_set_withdraws_all_keys() {
    let jwts = Jwts::new().await;
    let authenticator = jwts.authenticator();
    let jwt = jwts.sign(json!({"exp": 4_102_444_800_i64}));
    ask(&authenticator, &jwt).await.expect("a caller");
    jwts.issuer.publish(&[]);
    pass(Duration::from_secs(3_601)).await;
    assert!(is_refused(&ask(&authenticator, &jwt).await));
}

#[tokio::test]
async fn unreadable_keys_are_skipped_and_algorithms_must_match() {
    let jwts = Jwts::new().await;
    let rsa = SigningKey::rsa("rsa");
    let namesake = SigningKey::ed25519(jwts.key.id);
    let malformed = json!({"kty": "EC", "kid": 5});
    let published = [malformed, rsa.jwk(), namesake.jwk(), jwts.key.jwk()];
    jwts.issuer.publish_as_they_are(&published);
    let authenticator = jwts.authenticator();
    let claims = jwts.issuer.claims("viewer", json!({}));
    for key in [&jwts.key, &rsa, &namesake] {
        ask(&authenticator, &key.sign(&claims))
            .await
            .expect("a caller");
    }
    // The published key is for RS256, and must not verify another algorithm.
    let other = SigningKey {
        algorithm: Algorithm::PS256,
        ..rsa
    };
    assert!(is_refused(&ask(&authenticator, &other.sign(&claims)).await));
}
