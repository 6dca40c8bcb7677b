//! The options of an OpenID Connect issuer.

use clap::Args;
use shared::auth::{InvalidOidcSettings, OidcSettings, SignInSettings};

/// The issuer whose JWTs are accepted in addition to the table's own tokens.
#[derive(Debug, Clone, Args)]
#[command(
    next_help_heading = "JWTs of an OpenID Connect issuer (disabled unless --oidc-issuer is set)"
)]
pub struct OidcArgs {
    /// The issuer, exactly as in the claim iss
    #[arg(long, value_name = "URL", env = OidcSettings::ISSUER_VARIABLE)]
    pub oidc_issuer: Option<String>,
    /// The expected audience, as in the claim aud
    #[arg(long, value_name = "TEXT", env = OidcSettings::AUDIENCE_VARIABLE)]
    pub oidc_audience: Option<String>,
    /// The URL of the issuer's keys, if it differs from the discovery document's
    #[arg(long, value_name = "URL", env = OidcSettings::JWKS_URL_VARIABLE)]
    pub oidc_jwks_url: Option<String>,
    /// The claim that contains the team's id
    #[arg(long, value_name = "CLAIM", env = OidcSettings::TEAM_CLAIM_VARIABLE)]
    pub oidc_team_claim: Option<String>,
    /// The claim that contains the names of roles, one or a list
    #[arg(long, value_name = "CLAIM", env = OidcSettings::ROLE_CLAIM_VARIABLE)]
    pub oidc_role_claim: Option<String>,
    /// The claim that contains the user's name for the audit
    #[arg(long, value_name = "CLAIM", env = OidcSettings::USER_CLAIM_VARIABLE)]
    pub oidc_user_claim: Option<String>,
    /// The console's client id at the issuer, which enables signing in to the console there
    #[arg(long, value_name = "ID", env = SignInSettings::CLIENT_ID_VARIABLE)]
    pub oidc_console_client_id: Option<String>,
    /// The scopes that the console requests, separated by spaces: openid and others
    #[arg(long, value_name = "SCOPES", env = SignInSettings::SCOPES_VARIABLE)]
    pub oidc_console_scopes: Option<String>,
    /// The issuer's token endpoint, if it is not on the issuer's host
    #[arg(long, value_name = "URL", env = SignInSettings::TOKEN_URL_VARIABLE)]
    pub oidc_console_token_url: Option<String>,
}

impl OidcArgs {
    /// Returns the issuer's settings; `None` if no issuer is named.
    ///
    /// # Errors
    /// An option has an invalid value, or a required option is missing.
    pub fn settings(&self) -> Result<Option<OidcSettings>, InvalidOidcSettings> {
        OidcSettings::from_variables(|variable| self.value(variable))
    }

    /// Returns the settings for signing in to the console; `None` if the console is not a
    /// client of the issuer.
    ///
    /// # Errors
    /// An option has an invalid value, or a required option is missing.
    pub fn sign_in(&self) -> Result<Option<SignInSettings>, InvalidOidcSettings> {
        SignInSettings::from_variables(|variable| self.value(variable))
    }

    /// Returns the value of the option that corresponds to an environment variable.
    fn value(&self, variable: &str) -> Option<String> {
        match variable {
            OidcSettings::ISSUER_VARIABLE => self.oidc_issuer.clone(),
            OidcSettings::AUDIENCE_VARIABLE => self.oidc_audience.clone(),
            OidcSettings::JWKS_URL_VARIABLE => self.oidc_jwks_url.clone(),
            OidcSettings::TEAM_CLAIM_VARIABLE => self.oidc_team_claim.clone(),
            OidcSettings::ROLE_CLAIM_VARIABLE => self.oidc_role_claim.clone(),
            OidcSettings::USER_CLAIM_VARIABLE => self.oidc_user_claim.clone(),
            SignInSettings::CLIENT_ID_VARIABLE => self.oidc_console_client_id.clone(),
            SignInSettings::SCOPES_VARIABLE => self.oidc_console_scopes.clone(),
            SignInSettings::TOKEN_URL_VARIABLE => self.oidc_console_token_url.clone(),
            _ => None,
        }
    }
}
