//! The JWTs of an OpenID Connect issuer, for people: RFC 7519, checked as RFC 8725
//! advises.
//!
//! The algorithms are the asymmetric ones of the issuer's keys, whatever a JWT names;
//! its keys are those that the issuer publishes, never one that a JWT brings along.

use std::fmt::Debug;
use std::pin::Pin;
use std::str::FromStr;
use std::sync::Arc;

use http::Uri;
use jsonwebtoken::{Validation, decode, decode_header};
use serde_json::{Map, Value};

use super::jwks::Jwks;
use crate::config::is_loopback;
use crate::error::Result;
use crate::model::TeamId;

/// How far the clocks of the issuer and of this machine may differ, in seconds.
const CLOCK_SKEW_SECONDS: u64 = 60;

/// The longest JWT, in bytes: API Gateway takes 10,240 bytes of headers together.
const MAX_JWT_BYTES: usize = 8_192;

/// The longest name of a user, in characters.
const MAX_USER_LENGTH: usize = 120;

/// The most roles that one JWT names.
const MAX_ROLES_OF_A_JWT: usize = 200;

/// Where JWTs come from, and which of their claims mean what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OidcSettings {
    /// The issuer: the claim `iss`, to the letter. Its discovery document names its
    /// keys where `jwks_url` does not.
    pub issuer: String,
    /// For whom the JWTs are made: a value of the claim `aud`.
    pub audience: String,
    /// Where the issuer's keys are. `None`: where its discovery document says.
    pub jwks_url: Option<String>,
    /// The claim with the id of the team.
    pub team_claim: String,
    /// The claim with the names of roles.
    pub role_claim: String,
    /// The claim with the name of the user.
    pub user_claim: String,
}

/// Why settings cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{variable} {reason}")]
pub struct InvalidOidcSettings {
    /// The environment variable.
    pub variable: &'static str,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl OidcSettings {
    /// The environment variable with the issuer. Without it no JWT is taken.
    pub const ISSUER_VARIABLE: &'static str = "FLOWTRAIL_OIDC_ISSUER";
    /// The environment variable with the audience.
    pub const AUDIENCE_VARIABLE: &'static str = "FLOWTRAIL_OIDC_AUDIENCE";
    /// The environment variable with the place of the keys.
    pub const JWKS_URL_VARIABLE: &'static str = "FLOWTRAIL_OIDC_JWKS_URL";
    /// The environment variable with the name of the team's claim.
    pub const TEAM_CLAIM_VARIABLE: &'static str = "FLOWTRAIL_OIDC_TEAM_CLAIM";
    /// The environment variable with the name of the roles' claim.
    pub const ROLE_CLAIM_VARIABLE: &'static str = "FLOWTRAIL_OIDC_ROLE_CLAIM";
    /// The environment variable with the name of the user's claim.
    pub const USER_CLAIM_VARIABLE: &'static str = "FLOWTRAIL_OIDC_USER_CLAIM";

    /// The settings that the environment has; `None` where it names no issuer. An
    /// empty variable is one that is not there.
    ///
    /// # Errors
    /// [`InvalidOidcSettings`].
    pub fn from_environment() -> std::result::Result<Option<Self>, InvalidOidcSettings> {
        Self::of(|name| std::env::var(name).ok())
    }

    /// The same of any variables.
    ///
    /// # Errors
    /// [`InvalidOidcSettings`].
    pub fn of(
        variable: impl Fn(&str) -> Option<String>,
    ) -> std::result::Result<Option<Self>, InvalidOidcSettings> {
        let value = |name| given(&variable, name);
        let invalid = |variable, reason| Err(InvalidOidcSettings { variable, reason });
        let claim = |name, default: &str| value(name).unwrap_or_else(|| default.to_owned());
        let (issuer, audience) = (value(Self::ISSUER_VARIABLE), value(Self::AUDIENCE_VARIABLE));
        let (issuer, audience) = match (issuer, audience) {
            (Some(issuer), Some(audience)) => (issuer, audience),
            (Some(_), None) => return invalid(Self::AUDIENCE_VARIABLE, "has to name the audience"),
            (None, Some(_)) => return invalid(Self::ISSUER_VARIABLE, "has to name the issuer"),
            (None, None) => return Ok(None),
        };
        if !is_trustworthy(&issuer) {
            return invalid(Self::ISSUER_VARIABLE, "has to be an https address");
        }
        let jwks_url = value(Self::JWKS_URL_VARIABLE);
        if !jwks_url.as_deref().is_none_or(is_trustworthy) {
            return invalid(Self::JWKS_URL_VARIABLE, "has to be an https address");
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

/// The value of a variable; `None` where it is not there or empty.
pub(super) fn given(variable: impl Fn(&str) -> Option<String>, name: &str) -> Option<String> {
    variable(name).filter(|value| !value.trim().is_empty())
}

/// Whether what is read from there can be trusted: over TLS, or on this machine.
pub(super) fn is_trustworthy(url: &str) -> bool {
    let uri = Uri::from_str(url).ok().filter(|uri| uri.host().is_some());
    match uri.as_ref().and_then(Uri::scheme_str) {
        Some("https") => true,
        Some("http") => is_loopback(url),
        _ => false,
    }
}

/// Who a JWT says that its holder is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) team_id: TeamId,
    pub(super) user: String,
    /// The names of roles, whether the team has them or not.
    pub(super) roles: Vec<String>,
}

/// Why a JWT is not taken, for the log.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) reason: &'static str,
    /// The beginning of the name that it gives its key.
    pub(super) key_id: Option<String>,
}

/// Whose a JWT is, before it is awaited.
pub(super) type Verifying<'a> =
    Pin<Box<dyn Future<Output = Result<std::result::Result<Identity, Refused>>> + Send + 'a>>;

/// What says whose a JWT is.
///
/// It is asked through this trait alone, so that a Lambda function behind the
/// authorizer, which never makes an [`Oidc`], does not link its cryptography.
pub(super) trait JwtVerifier: Debug + Send + Sync {
    /// Whose the JWT is; or why it is not taken.
    ///
    /// # Errors
    /// [`crate::Error::IssuerUnavailable`] when the issuer's keys cannot be had.
    fn verify<'a>(&'a self, jwt: &'a str) -> Verifying<'a>;
}

impl JwtVerifier for Oidc {
    fn verify<'a>(&'a self, jwt: &'a str) -> Verifying<'a> {
        Box::pin(async move {
            let identity = self.identify(jwt).await?;
            Ok(identity.map_err(|reason| Refused {
                reason,
                key_id: key_id(jwt),
            }))
        })
    }
}

/// Whether a text reads like a JWT: three parts of base64url, none empty.
pub(super) fn has_form_of_jwt(text: &str) -> bool {
    let is_base64url = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let is_part = |part: &str| !part.is_empty() && part.bytes().all(is_base64url);
    text.len() <= MAX_JWT_BYTES && text.split('.').count() == 3 && text.split('.').all(is_part)
}

/// The check of an issuer's JWTs.
#[derive(Debug)]
pub(super) struct Oidc {
    settings: OidcSettings,
    jwks: Arc<Jwks>,
}

impl Oidc {
    pub(super) fn new(settings: OidcSettings) -> Self {
        Self {
            jwks: Jwks::of(&settings),
            settings,
        }
    }

    async fn identify(&self, jwt: &str) -> Result<std::result::Result<Identity, &'static str>> {
        let Ok(header) = decode_header(jwt) else {
            return Ok(Err("unreadable header"));
        };
        // RFC 7515, section 4.1.11: who does not know what is critical refuses it.
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
            Ok(data) => Ok(self.identity(&data.claims)),
            Err(error) => Ok(Err(reason(&error))),
        }
    }

    fn identity(&self, claims: &Map<String, Value>) -> std::result::Result<Identity, &'static str> {
        // The crate takes a list of issuers as well, which RFC 7519 does not know.
        if !claims.get("iss").is_some_and(Value::is_string) {
            return Err("wrong issuer");
        }
        let team = texts(claim(claims, &self.settings.team_claim));
        // A holder of many teams would have to say for which it asks.
        let [team] = team[..] else {
            return Err("not one team");
        };
        let user = claim(claims, &self.settings.user_claim).and_then(Value::as_str);
        let is_user = |user: &&str| {
            (1..=MAX_USER_LENGTH).contains(&user.chars().count())
                && !user.chars().any(char::is_control)
        };
        let roles = texts(claim(claims, &self.settings.role_claim));
        Ok(Identity {
            team_id: team.parse().map_err(|_| "team that is no id")?,
            user: user.filter(is_user).ok_or("no user")?.to_owned(),
            roles: roles
                .into_iter()
                .take(MAX_ROLES_OF_A_JWT)
                .map(str::to_owned)
                .collect(),
        })
    }
}

/// The id of the key that a JWT names, for the log: at most its beginning.
fn key_id(jwt: &str) -> Option<String> {
    const SHOWN_CHARACTERS: usize = 64;
    let id = decode_header(jwt).ok()?.kid?;
    Some(id.chars().take(SHOWN_CHARACTERS).collect())
}

/// A claim by its name or, where none has it, by the way to it:
/// `realm_access.roles`.
fn claim<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    if let Some(value) = claims.get(name) {
        return Some(value);
    }
    let (first, rest) = name.split_once('.')?;
    rest.split('.')
        .try_fold(claims.get(first)?, |value, name| value.get(name))
}

/// The texts of a claim: of one, or of a list.
fn texts(claim: Option<&Value>) -> Vec<&str> {
    match claim {
        Some(Value::String(text)) => vec![text],
        Some(Value::Array(values)) => values.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn reason(error: &jsonwebtoken::errors::Error) -> &'static str {
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
        OidcSettings::of(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    const ISSUER: (&str, &str) = ("FLOWTRAIL_OIDC_ISSUER", "https://id.example.com/");
    const AUDIENCE: (&str, &str) = ("FLOWTRAIL_OIDC_AUDIENCE", "flowtrail");

    #[test]
    fn nothing_is_taken_unless_an_issuer_is_named_and_then_its_audience_has_to_be() {
        assert_eq!(settings_of(&[]), Ok(None));
        assert_eq!(settings_of(&[("FLOWTRAIL_OIDC_ISSUER", " ")]), Ok(None));
        let settings = settings_of(&[ISSUER, AUDIENCE])
            .expect("can be")
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
    fn only_https_and_this_machine_are_trusted_whatever_stands_before_the_host() {
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
    fn a_claim_is_found_by_its_name_or_by_the_way_to_it() {
        let claims = json!({
            "https://example.com/team": "a",
            "realm_access": {"roles": ["viewer", 7, "auditor"]},
            "a.b": "whole",
            "a": {"b": "inner"},
        });
        let claims = claims.as_object().expect("an object");
        let found = |name| texts(claim(claims, name));
        assert_eq!(found("https://example.com/team"), ["a"]);
        assert_eq!(found("realm_access.roles"), ["viewer", "auditor"]);
        assert_eq!(found("a.b"), ["whole"]);
        for absent in ["", ".", "realm_access", "realm_access.", "a.b.c", "b"] {
            assert!(found(absent).is_empty(), "{absent}");
        }
    }

    #[test]
    fn only_three_parts_of_base64url_read_like_a_jwt() {
        assert!(has_form_of_jwt("eyJh.eyJi.c-_1"));
        let long = format!("{}.b.c", "a".repeat(8_192));
        for other in ["", "..", "a.b", "a.b.", "a.b.c.d", "a.b.c=", "a.b.ü", &long] {
            assert!(!has_form_of_jwt(other), "{other:.20}");
        }
    }
}
