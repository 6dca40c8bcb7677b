//! The settings for signing in to the console at the issuer. The console is a public client of the
//! issuer: it has an id and no secret.

use http::Uri;

use super::oidc::{InvalidOidcSettings, OidcSettings, is_trustworthy, non_empty};

/// The default scopes: an ID token.
const DEFAULT_SCOPES: &str = "openid";

/// The console as a client of the issuer. All settings are public.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInSettings {
    /// The issuer, as in [`OidcSettings`].
    pub issuer: String,
    /// The id of the console at the issuer.
    pub client_id: String,
    /// The requested scopes, separated by spaces. They include `openid`.
    pub scopes: String,
    /// The issuer's token endpoint. `None` if it has the same origin as the issuer.
    pub token_url: Option<String>,
}

impl SignInSettings {
    /// The environment variable with the console's client id. Without it people can only sign in
    /// with tokens.
    pub const CLIENT_ID_VARIABLE: &'static str = "FLOWTRAIL_OIDC_CONSOLE_CLIENT_ID";
    /// The environment variable with the scopes.
    pub const SCOPES_VARIABLE: &'static str = "FLOWTRAIL_OIDC_CONSOLE_SCOPES";
    /// The environment variable with the token endpoint.
    pub const TOKEN_URL_VARIABLE: &'static str = "FLOWTRAIL_OIDC_CONSOLE_TOKEN_URL";

    /// Reads the settings from the environment; `None` if it names no client id.
    ///
    /// # Errors
    /// Returns [`InvalidOidcSettings`] for a variable that is not valid.
    pub fn from_environment() -> Result<Option<Self>, InvalidOidcSettings> {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    /// Reads the settings from any source of variables, like [`Self::from_environment`].
    ///
    /// # Errors
    /// Returns [`InvalidOidcSettings`] for a variable that is not valid.
    pub fn from_variables(
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, InvalidOidcSettings> {
        let invalid = |variable, reason| Err(InvalidOidcSettings { variable, reason });
        let Some(client_id) = non_empty(&variable, Self::CLIENT_ID_VARIABLE) else {
            return Ok(None);
        };
        let Some(issuer) = non_empty(&variable, OidcSettings::ISSUER_VARIABLE) else {
            return invalid(OidcSettings::ISSUER_VARIABLE, "must name the issuer");
        };
        if !can_be_allowed(&issuer) {
            return invalid(OidcSettings::ISSUER_VARIABLE, "must be an https address");
        }
        let token_url = non_empty(&variable, Self::TOKEN_URL_VARIABLE);
        if !token_url.as_deref().is_none_or(can_be_allowed) {
            return invalid(Self::TOKEN_URL_VARIABLE, "must be an https address");
        }
        let scopes = non_empty(&variable, Self::SCOPES_VARIABLE);
        let scopes = scopes.unwrap_or_else(|| DEFAULT_SCOPES.to_owned());
        // Without this scope an issuer returns no ID token.
        if !scopes.split(' ').any(|scope| scope == "openid") {
            return invalid(Self::SCOPES_VARIABLE, "must include the scope openid");
        }
        Ok(Some(Self {
            issuer,
            client_id,
            scopes,
            token_url,
        }))
    }

    /// The origins that the console sends requests to: the issuer's, and the token endpoint's if it
    /// is different.
    pub fn origins(&self) -> Vec<String> {
        let urls = [Some(&self.issuer), self.token_url.as_ref()];
        let mut origins: Vec<_> = urls
            .into_iter()
            .flatten()
            .filter_map(|url| origin(url))
            .collect();
        origins.dedup();
        origins
    }
}

/// Returns whether a content security policy can allow this URL and nothing else.
fn can_be_allowed(url: &str) -> bool {
    is_trustworthy(url) && origin(url).is_some()
}

/// The scheme, host and port of a URL. `None` if the host has characters with another meaning in a
/// content security policy.
fn origin(url: &str) -> Option<String> {
    let uri: Uri = url.parse().ok()?;
    let (scheme, host) = (uri.scheme_str()?, uri.host()?);
    let is_host_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"-.:[]".contains(&byte);
    if !host.bytes().all(is_host_byte) {
        return None;
    }
    let port = uri
        .port()
        .map(|port| format!(":{port}"))
        .unwrap_or_default();
    Some(format!("{scheme}://{host}{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUER: (&str, &str) = ("FLOWTRAIL_OIDC_ISSUER", "https://id.example.com/realms/a");
    const CLIENT: (&str, &str) = ("FLOWTRAIL_OIDC_CONSOLE_CLIENT_ID", "flowtrail");
    const SCOPES: &str = "FLOWTRAIL_OIDC_CONSOLE_SCOPES";
    const TOKEN_URL: &str = "FLOWTRAIL_OIDC_CONSOLE_TOKEN_URL";

    fn settings_of(
        variables: &[(&str, &str)],
    ) -> Result<Option<SignInSettings>, InvalidOidcSettings> {
        SignInSettings::from_variables(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn sign_in_is_on_if_the_console_has_a_client_id() {
        assert_eq!(settings_of(&[]), Ok(None));
        assert_eq!(settings_of(&[ISSUER]), Ok(None));
        let settings = settings_of(&[ISSUER, CLIENT]).expect("valid settings");
        let settings = settings.expect("on");
        assert_eq!(settings.issuer, ISSUER.1);
        assert_eq!(settings.client_id, CLIENT.1);
        assert_eq!(settings.scopes, "openid");
        assert_eq!(settings.token_url, None);
    }

    #[test]
    fn invalid_sign_in_settings_are_refused() {
        for (variables, variable) in [
            (&[CLIENT][..], ISSUER.0),
            (&[CLIENT, (ISSUER.0, "http://id.example.com")], ISSUER.0),
            (
                &[CLIENT, (ISSUER.0, "https://id.example.com;script-src")],
                ISSUER.0,
            ),
            (&[CLIENT, (ISSUER.0, "https://*.example.com")], ISSUER.0),
            (&[CLIENT, ISSUER, (TOKEN_URL, "/token")], TOKEN_URL),
            (&[CLIENT, ISSUER, (TOKEN_URL, "https://a,b")], TOKEN_URL),
            (&[CLIENT, ISSUER, (SCOPES, "profile email")], SCOPES),
        ] {
            let refused = settings_of(variables).expect_err("refused");
            assert_eq!(refused.variable, variable);
        }
    }

    #[test]
    fn each_origin_of_the_issuer_and_token_endpoint_is_listed_once() {
        for (issuer, token_url, origins) in [
            (ISSUER.1, None, &["https://id.example.com"][..]),
            (
                ISSUER.1,
                Some("https://id.example.com/token"),
                &["https://id.example.com"],
            ),
            (
                "http://127.0.0.1:8080/",
                Some("https://user@tokens.example.com:8443/oauth2/token?a=b"),
                &["http://127.0.0.1:8080", "https://tokens.example.com:8443"],
            ),
        ] {
            let mut variables = vec![CLIENT, (ISSUER.0, issuer)];
            variables.extend(token_url.map(|url| (TOKEN_URL, url)));
            let settings = settings_of(&variables)
                .expect("valid settings")
                .expect("on");
            assert_eq!(settings.origins(), origins);
        }
    }
}
