//! The JWTs of an OpenID Connect issuer, for people: RFC 7519, verified as RFC 8725 recommends.
//!
//! Only the asymmetric algorithms of the issuer's keys are accepted, no matter which algorithm a JWT
//! names. The keys are the published keys of the issuer, never a key inside the JWT.

use std::fmt::Debug;
use std::pin::Pin;
use std::str::FromStr;
use std::sync::Arc;

use format::Result;
use format::model::{TeamId, is_visible};
use http::Uri;
use jsonwebtoken::{Validation, decode, decode_header};
use serde_json::{Map, Value};

use super::jwks::Jwks;
use crate::loopback::is_loopback;

/// The largest accepted difference between the clocks of the issuer and of this machine, in
/// seconds.
const CLOCK_SKEW_SECONDS: u64 = 60;

/// The longest JWT, in bytes. API Gateway accepts 10,240 bytes of headers in total.
const MAX_JWT_BYTES: usize = 8_192;

/// The longest user name, in characters.
const MAX_USER_LENGTH: usize = 120;

/// The most roles that are read from one JWT.
const MAX_JWT_ROLES: usize = 200;

/// The issuer of JWTs, and the meaning of their claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OidcSettings {
    /// The issuer, exactly as in the claim `iss`. Its discovery document names its keys if
    /// `jwks_url` is `None`.
    pub issuer: String,
    /// The audience of the JWTs: a value of the claim `aud`.
    pub audience: String,
    /// The address of the issuer's keys. `None`: the address in the discovery document.
    pub jwks_url: Option<String>,
    /// The name of the claim with the id of the team.
    pub team_claim: String,
    /// The name of the claim with the names of roles.
    pub role_claim: String,
    /// The name of the claim with the name of the user.
    pub user_claim: String,
}

/// Why settings are not valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{variable} {reason}")]
pub struct InvalidOidcSettings {
    /// The environment variable.
    pub variable: &'static str,
    /// What is wrong with its value.
    pub reason: &'static str,
}

impl OidcSettings {
    /// The environment variable with the issuer. Without it JWTs are not accepted.
    pub const ISSUER_VARIABLE: &'static str = "FLOWTRAIL_OIDC_ISSUER";
    /// The environment variable with the audience.
    pub const AUDIENCE_VARIABLE: &'static str = "FLOWTRAIL_OIDC_AUDIENCE";
    /// The environment variable with the address of the keys.
    pub const JWKS_URL_VARIABLE: &'static str = "FLOWTRAIL_OIDC_JWKS_URL";
    /// The environment variable with the name of the team's claim.
    pub const TEAM_CLAIM_VARIABLE: &'static str = "FLOWTRAIL_OIDC_TEAM_CLAIM";
    /// The environment variable with the name of the roles' claim.
    pub const ROLE_CLAIM_VARIABLE: &'static str = "FLOWTRAIL_OIDC_ROLE_CLAIM";
    /// The environment variable with the name of the user's claim.
    pub const USER_CLAIM_VARIABLE: &'static str = "FLOWTRAIL_OIDC_USER_CLAIM";

    /// Reads the settings from the environment; `None` if it names no issuer. An empty variable
    /// counts as absent.
    ///
    /// # Errors
    /// Returns [`InvalidOidcSettings`] for a variable that is not valid.
    pub fn from_environment() -> std::result::Result<Option<Self>, InvalidOidcSettings> {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    /// Reads the settings from any source of variables, like [`Self::from_environment`].
    ///
    /// # Errors
    /// Returns [`InvalidOidcSettings`] for a variable that is not valid.
    pub fn from_variables(
        variable: impl Fn(&str) -> Option<String>,
    ) -> std::result::Result<Option<Self>, InvalidOidcSettings> {
        let value = |name| non_empty(&variable, name);
        let invalid = |variable, reason| Err(InvalidOidcSettings { variable, reason });
        let claim = |name, default: &str| value(name).unwrap_or_else(|| default.to_owned());
        let (issuer, audience) = (value(Self::ISSUER_VARIABLE), value(Self::AUDIENCE_VARIABLE));
        let (issuer, audience) = match (issuer, audience) {
            (Some(issuer), Some(audience)) => (issuer, audience),
            (Some(_), None) => return invalid(Self::AUDIENCE_VARIABLE, "must name the audience"),
            (None, Some(_)) => return invalid(Self::ISSUER_VARIABLE, "must name the issuer"),
            (None, None) => return Ok(None),
        };
        if !is_trustworthy(&issuer) {
            return invalid(Self::ISSUER_VARIABLE, "must be an https address");
        }
        let jwks_url = value(Self::JWKS_URL_VARIABLE);
        if !jwks_url.as_deref().is_none_or(is_trustworthy) {
            return invalid(Self::JWKS_URL_VARIABLE, "must be an https address");
        }
        Ok(Some(Self {
            issuer,
            audience,
            jwks_url,
            team_claim: claim(Self::TEAM_CLAIM_VARIABLE, "team"),
            role_claim: claim(Self::ROLE_CLAIM_VARIABLE, "role"),
            user_claim: claim(Self::USER_CLAIM_VARIABLE, "sub"),
        }))
    }
}

/// The value of a variable; `None` if it is absent or empty.
pub(super) fn non_empty(variable: impl Fn(&str) -> Option<String>, name: &str) -> Option<String> {
    variable(name).filter(|value| !value.trim().is_empty())
}

/// Returns whether a response from this URL can be trusted: over TLS, or from this machine.
pub(super) fn is_trustworthy(url: &str) -> bool {
    let uri = Uri::from_str(url).ok().filter(|uri| uri.host().is_some());
    match uri.as_ref().and_then(Uri::scheme_str) {
        Some("https") => true,
        Some("http") => is_loopback(url),
        _ => false,
    }
}

/// The user that a JWT identifies.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) team_id: TeamId,
    pub(super) user: String,
    /// The names of roles, including names that the team does not have.
    pub(super) roles: Vec<String>,
}

/// Why a JWT is refused, for the log.
#[derive(Debug)]
pub(super) struct RefusedJwt {
    pub(super) reason: &'static str,
    /// The id of its key, shortened.
    pub(super) key_id: Option<String>,
}

/// The future of [`JwtVerifier::verify`].
pub(super) type VerifyFuture<'a> =
    Pin<Box<dyn Future<Output = Result<std::result::Result<Identity, RefusedJwt>>> + Send + 'a>>;

/// Verifies JWTs.
///
/// Callers use this trait only, so that a Lambda function behind the authorizer, which never
/// creates an [`Oidc`], does not link the cryptography.
pub(super) trait JwtVerifier: Debug + Send + Sync {
    /// Returns the user of the JWT, or why the JWT is refused.
    ///
    /// # Errors
    /// Returns [`format::Error::IssuerUnavailable`] if the issuer's keys cannot be fetched.
    fn verify<'a>(&'a self, jwt: &'a str) -> VerifyFuture<'a>;
}

impl JwtVerifier for Oidc {
    fn verify<'a>(&'a self, jwt: &'a str) -> VerifyFuture<'a> {
        Box::pin(async move {
            let identity = self.identify(jwt).await?;
            Ok(identity.map_err(|reason| RefusedJwt {
                reason,
                key_id: key_id(jwt),
            }))
        })
    }
}

/// Returns whether a text has the form of a JWT: three parts of base64url, none empty.
pub(super) fn has_form_of_jwt(text: &str) -> bool {
    let is_base64url = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let is_part = |part: &str| !part.is_empty() && part.bytes().all(is_base64url);
    text.len() <= MAX_JWT_BYTES && text.split('.').count() == 3 && text.split('.').all(is_part)
}

/// The verifier of an issuer's JWTs.
#[derive(Debug)]
pub(super) struct Oidc {
    settings: OidcSettings,
    jwks: Arc<Jwks>,
}

impl Oidc {
    pub(super) fn new(settings: OidcSettings) -> Self {
        Self {
            jwks: Jwks::new(&settings),
            settings,
        }
    }

    async fn identify(&self, jwt: &str) -> Result<std::result::Result<Identity, &'static str>> {
        let Ok(header) = decode_header(jwt) else {
            return Ok(Err("unreadable header"));
        };
        // RFC 7515, section 4.1.11: a recipient that does not understand a critical header must
        // refuse it.
        if header.crit.is_some() {
            return Ok(Err("unknown critical header"));
        }
        let key = self.jwks.find(header.kid.as_deref(), header.alg).await?;
        let Some(key) = key else {
            return Ok(Err("unknown key"));
        };
        let mut validation = Validation::new(header.alg);
        validation.leeway = CLOCK_SKEW_SECONDS;
        validation.validate_nbf = true;
        validation.set_issuer(&[&self.settings.issuer]);
        validation.set_audience(&[&self.settings.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        match decode::<Map<String, Value>>(jwt, &key.decoding, &validation) {
            Ok(data) => Ok(self.read_identity(&data.claims)),
            Err(error) => Ok(Err(refusal_reason(&error))),
        }
    }

    fn read_identity(
        &self,
        claims: &Map<String, Value>,
    ) -> std::result::Result<Identity, &'static str> {
        // The crate also accepts a list of issuers, which RFC 7519 does not allow.
        if !claims.get("iss").is_some_and(Value::is_string) {
            return Err("wrong issuer");
        }
        let team = texts(find_claim(claims, &self.settings.team_claim));
        // A user of several teams would have to name one in each request.
        let [team] = team[..] else {
            return Err("the JWT must name exactly one team");
        };
        let user = find_claim(claims, &self.settings.user_claim).and_then(Value::as_str);
        let is_user =
            |user: &&str| (1..=MAX_USER_LENGTH).contains(&user.chars().count()) && is_visible(user);
        let roles = texts(find_claim(claims, &self.settings.role_claim));
        Ok(Identity {
            team_id: team.parse().map_err(|_| "the team is not a valid id")?,
            user: user.filter(is_user).ok_or("no valid user name")?.to_owned(),
            roles: roles
                .into_iter()
                .take(MAX_JWT_ROLES)
                .map(str::to_owned)
                .collect(),
        })
    }
}

/// The id of the JWT's key for the log, shortened.
fn key_id(jwt: &str) -> Option<String> {
    const SHOWN_CHARACTERS: usize = 64;
    let id = decode_header(jwt).ok()?.kid?;
    Some(id.chars().take(SHOWN_CHARACTERS).collect())
}

/// Finds a claim by its name or, if there is none, by its path, such as `realm_access.roles`.
fn find_claim<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    if let Some(value) = claims.get(name) {
        return Some(value);
    }
    let (first, rest) = name.split_once('.')?;
    rest.split('.')
        .try_fold(claims.get(first)?, |value, name| value.get(name))
}

/// The texts of a claim, which is one text or a list.
fn texts(claim: Option<&Value>) -> Vec<&str> {
    match claim {
        Some(Value::String(text)) => vec![text],
        Some(Value::Array(values)) => values.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn refusal_reason(error: &jsonwebtoken::errors::Error) -> &'static str {
    use jsonwebtoken::errors::ErrorKind;

    match error.kind() {
        ErrorKind::ExpiredSignature => "expired",
        ErrorKind::ImmatureSignature => "not yet valid",
        ErrorKind::InvalidIssuer => "wrong issuer",
        ErrorKind::InvalidAudience => "wrong audience",
        ErrorKind::InvalidSignature => "wrong signature",
        ErrorKind::MissingRequiredClaim(_) => "a required claim is missing",
        ErrorKind::InvalidClaimFormat(_) => "a claim is malformed",
        _ => "unreadable",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn settings_of(
        variables: &[(&str, &str)],
    ) -> std::result::Result<Option<OidcSettings>, InvalidOidcSettings> {
        OidcSettings::from_variables(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    const ISSUER: (&str, &str) = ("FLOWTRAIL_OIDC_ISSUER", "https://id.example.com/");
    const AUDIENCE: (&str, &str) = ("FLOWTRAIL_OIDC_AUDIENCE", "flowtrail");

    #[test]
    fn an_issuer_needs_an_audience_and_without_both_jwts_are_off() {
        assert_eq!(settings_of(&[]), Ok(None));
        assert_eq!(settings_of(&[("FLOWTRAIL_OIDC_ISSUER", " ")]), Ok(None));
        let settings = settings_of(&[ISSUER, AUDIENCE])
            .expect("valid settings")
            .expect("on");
        assert_eq!(settings.issuer, ISSUER.1);
        assert_eq!(settings.jwks_url, None);
        let claims = [
            settings.team_claim,
            settings.role_claim,
            settings.user_claim,
        ];
        assert_eq!(claims, ["team", "role", "sub"]);
        for (variables, variable) in [
            (&[ISSUER][..], "FLOWTRAIL_OIDC_AUDIENCE"),
            (&[AUDIENCE], "FLOWTRAIL_OIDC_ISSUER"),
            (
                &[AUDIENCE, ("FLOWTRAIL_OIDC_ISSUER", "http://id.example.com")],
                "FLOWTRAIL_OIDC_ISSUER",
            ),
            (
                &[ISSUER, AUDIENCE, ("FLOWTRAIL_OIDC_JWKS_URL", "keys.json")],
                "FLOWTRAIL_OIDC_JWKS_URL",
            ),
        ] {
            let refused = settings_of(variables).expect_err("refused");
            assert_eq!(refused.variable, variable);
        }
    }

    #[test]
    fn only_https_and_this_machine_are_trusted() {
        for url in [
            "https://id.example.com/keys",
            "http://127.0.0.1:9/keys",
            "http://localhost",
        ] {
            assert!(is_trustworthy(url), "{url}");
        }
        for url in [
            "http://id.example.com",
            "http://localhost:x@id.example.com/keys",
            "http://[::1]@id.example.com/keys",
            "http://127.0.0.1@id.example.com",
            "ftp://localhost",
            "https://",
            "//localhost",
        ] {
            assert!(!is_trustworthy(url), "{url}");
        }
    }

    #[test]
    fn a_claim_is_found_by_its_name_or_its_path() {
        let claims = json!({
            "https://example.com/team": "a",
            "realm_access": {"roles": ["viewer", 7, "auditor"]},
            "a.b": "whole",
            "a": {"b": "inner"},
        });
        let claims = claims.as_object().expect("an object");
        let found = |name| texts(find_claim(claims, name));
        assert_eq!(found("https://example.com/team"), ["a"]);
        assert_eq!(found("realm_access.roles"), ["viewer", "auditor"]);
        assert_eq!(found("a.b"), ["whole"]);
        for absent in ["", ".", "realm_access", "realm_access.", "a.b.c", "b"] {
            assert!(found(absent).is_empty(), "{absent}");
        }
    }

    #[test]
    fn a_jwt_has_exactly_three_parts_of_base64url() {
        assert!(has_form_of_jwt("eyJh.eyJi.c-_1"));
        let long = format!("{}.b.c", "a".repeat(8_192));
        for other in ["", "..", "a.b", "a.b.", "a.b.c.d", "a.b.c=", "a.b.ü", &long] {
            assert!(!has_form_of_jwt(other), "{other:.20}");
        }
    }
}
