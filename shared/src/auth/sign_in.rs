//! How people sign in to the console at the issuer: as a public client of it, which has
//! an id and no secret.

use http::Uri;

use super::oidc::{InvalidOidcSettings, OidcSettings, given, is_trustworthy};

/// What the console asks an issuer for where nothing else is configured: an ID token.
const DEFAULT_SCOPES: &str = "openid";

/// The client that the console is at the issuer. All of it is public.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInSettings {
    /// The issuer, as in [`OidcSettings`].
    pub issuer: String,
    /// The id that the issuer has given the console.
    pub client_id: String,
    /// What the console asks for, separated by spaces; `openid` is among it.
    pub scopes: String,
    /// The issuer's token endpoint. `None` where it has the issuer's own origin.
    pub token_url: Option<String>,
}

impl SignInSettings {
    /// The environment variable with the console's id. Without it people sign in with
    /// tokens alone.
    pub const CLIENT_ID_VARIABLE: &'static str = "FLOWTRAIL_OIDC_CONSOLE_CLIENT_ID";
    /// The environment variable with the scopes.
    pub const SCOPES_VARIABLE: &'static str = "FLOWTRAIL_OIDC_CONSOLE_SCOPES";
    /// The environment variable with the token endpoint.
    pub const TOKEN_URL_VARIABLE: &'static str = "FLOWTRAIL_OIDC_CONSOLE_TOKEN_URL";

    /// The settings that the environment has; `None` where it names no client.
    ///
    /// # Errors
    /// [`InvalidOidcSettings`].
    pub fn from_environment() -> Result<Option<Self>, InvalidOidcSettings> {
        Self::of(|name| std::env::var(name).ok())
    }

    /// The same of any variables.
    ///
    /// # Errors
    /// [`InvalidOidcSettings`].
    pub fn of(
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, InvalidOidcSettings> {
        let invalid = |variable, reason| Err(InvalidOidcSettings { variable, reason });
        let Some(client_id) = given(&variable, Self::CLIENT_ID_VARIABLE) else {
            return Ok(None);
        };
        let Some(issuer) = given(&variable, OidcSettings::ISSUER_VARIABLE) else {
            return invalid(OidcSettings::ISSUER_VARIABLE, "has to name the issuer");
        };
        if !can_be_asked(&issuer) {
            return invalid(OidcSettings::ISSUER_VARIABLE, "has to be an https address");
        }
        let token_url = given(&variable, Self::TOKEN_URL_VARIABLE);
        if !token_url.as_deref().is_none_or(can_be_asked) {
            return invalid(Self::TOKEN_URL_VARIABLE, "has to be an https address");
        }
        let scopes = given(&variable, Self::SCOPES_VARIABLE);
        let scopes = scopes.unwrap_or_else(|| DEFAULT_SCOPES.to_owned());
        // Without it an issuer gives no ID token.
        if !scopes.split(' ').any(|scope| scope == "openid") {
            return invalid(Self::SCOPES_VARIABLE, "has to have openid among the scopes");
        }
        Ok(Some(Self {
            issuer,
            client_id,
            scopes,
            token_url,
        }))
    }

    /// The origins that the console asks: of the issuer, and of its token endpoint where
    /// that is another.
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

/// Whether a page can be told to ask there, and nowhere else.
fn can_be_asked(url: &str) -> bool {
    is_trustworthy(url) && origin(url).is_some()
}

/// Scheme, host and port of an address. `None` where the host has characters that would
/// mean something else in a content security policy.
fn origin(url: &str) -> Option<String> {
    let uri: Uri = url.parse().ok()?;
    let (scheme, host) = (uri.scheme_str()?, uri.host()?);
    let is_of_a_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-.:[]".contains(&byte);
    if !host.bytes().all(is_of_a_name) {
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
        SignInSettings::of(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn people_sign_in_at_the_issuer_where_the_console_is_its_client() {
        assert_eq!(settings_of(&[]), Ok(None));
        assert_eq!(settings_of(&[ISSUER]), Ok(None));
        let settings = settings_of(&[ISSUER, CLIENT]).expect("can be");
        let settings = settings.expect("on");
        assert_eq!(settings.issuer, ISSUER.1);
        assert_eq!(settings.client_id, CLIENT.1);
        assert_eq!(settings.scopes, "openid");
        assert_eq!(settings.token_url, None);
    }

    #[test]
    fn what_cannot_be_asked_is_refused() {
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
    fn the_origins_are_those_of_the_issuer_and_of_its_tokens_once_each() {
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
            let settings = settings_of(&variables).expect("can be").expect("on");
            assert_eq!(settings.origins(), origins);
        }
    }
}
