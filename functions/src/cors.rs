//! Lets pages of other origins read the responses, by the [CORS protocol].
//!
//! It does not restrict callers that have a token. It tells browsers which pages may use one.
//!
//! [CORS protocol]: https://fetch.spec.whatwg.org/#http-cors-protocol

use std::str::FromStr;

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Uri};

/// The environment variable with the origins.
pub const VARIABLE: &str = "FLOWTRAIL_ALLOWED_ORIGINS";

/// The response headers that a page may read.
pub const EXPOSED_HEADERS: &str = "Content-Disposition,Retry-After,X-Request-Id";

/// The request headers that a page may send.
pub const ALLOWED_HEADERS: &str = "Authorization,Content-Type";

/// How long a browser may cache the response to a preflight request, in seconds: two hours, the
/// maximum in Chromium.
pub const MAX_AGE_SECONDS: &str = "7200";

/// The origins whose pages may read responses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum AllowedOrigins {
    /// Only pages of the API's own origin.
    #[default]
    Own,
    /// Pages of any origin.
    Any,
    /// Pages of these origins, such as `https://ops.example.com`.
    Listed(Vec<HeaderValue>),
}

impl AllowedOrigins {
    /// Parses the origins in the environment.
    ///
    /// # Errors
    /// A sentence that names the invalid origin.
    pub fn from_environment() -> Result<Self, String> {
        std::env::var(VARIABLE).unwrap_or_default().parse()
    }

    /// Adds the headers by which a browser lets the page read the response.
    pub fn answer(&self, request: &HeaderMap, answer: &mut HeaderMap) {
        let allowed = request.get(ORIGIN).and_then(|origin| self.allowed(origin));
        if let Some(allowed) = allowed {
            answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
            let exposed = HeaderValue::from_static(EXPOSED_HEADERS);
            answer.insert(ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
        }
        self.add_vary(answer);
    }

    /// Adds the headers of the response to a preflight request, by which a browser sends the
    /// page's request. `methods` are the methods of the path, separated by commas.
    pub fn preflight(&self, request: &HeaderMap, methods: &HeaderValue, answer: &mut HeaderMap) {
        let allowed = request.get(ORIGIN).and_then(|origin| self.allowed(origin));
        if let Some(allowed) = allowed {
            answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
            answer.insert(ACCESS_CONTROL_ALLOW_METHODS, methods.clone());
            let headers = HeaderValue::from_static(ALLOWED_HEADERS);
            answer.insert(ACCESS_CONTROL_ALLOW_HEADERS, headers);
            let max_age = HeaderValue::from_static(MAX_AGE_SECONDS);
            answer.insert(ACCESS_CONTROL_MAX_AGE, max_age);
        }
        self.add_vary(answer);
    }

    fn allowed(&self, origin: &HeaderValue) -> Option<HeaderValue> {
        match self {
            Self::Own => None,
            Self::Any => Some(HeaderValue::from_static("*")),
            Self::Listed(listed) => listed.contains(origin).then(|| origin.clone()),
        }
    }

    /// Tells caches not to use a response to one origin for another origin.
    fn add_vary(&self, answer: &mut HeaderMap) {
        if matches!(self, Self::Listed(_)) {
            answer.append(VARY, HeaderValue::from_static("Origin"));
        }
    }
}

impl FromStr for AllowedOrigins {
    type Err = String;

    /// Parses `*`, or origins separated by commas. An empty text is [`Self::Own`].
    fn from_str(text: &str) -> Result<Self, String> {
        let origins = text.split(',').map(str::trim);
        let origins: Vec<_> = origins.filter(|part| !part.is_empty()).collect();
        match origins[..] {
            [] => Ok(Self::Own),
            ["*"] => Ok(Self::Any),
            _ => {
                let listed = origins.into_iter().map(parse_origin);
                listed.collect::<Result<_, _>>().map(Self::Listed)
            }
        }
    }
}

/// Parses an origin in the form that browsers send: the scheme, the host, and the port if it is
/// not the scheme's default, without a path.
fn parse_origin(text: &str) -> Result<HeaderValue, String> {
    let uri: Option<Uri> = text.parse().ok();
    let written = uri.as_ref().and_then(|uri| {
        let authority = uri.authority()?.as_str();
        Some(format!("{}://{authority}", uri.scheme_str()?))
    });
    let is_origin = written.is_some_and(|written| written == text)
        && !text.contains(['@', '*'])
        && text == text.to_ascii_lowercase();
    let value = HeaderValue::from_str(text).ok().filter(|_| is_origin);
    value.ok_or_else(|| {
        format!("{text:?} is not an origin. Write it as https://ops.example.com, or * for all.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(origins: &str, origin: Option<&'static str>) -> HeaderMap {
        let origins: AllowedOrigins = origins.parse().expect("origins");
        let mut request = HeaderMap::new();
        if let Some(origin) = origin {
            request.insert(ORIGIN, HeaderValue::from_static(origin));
        }
        let mut answer = HeaderMap::new();
        origins.answer(&request, &mut answer);
        answer
    }

    #[test]
    fn only_pages_of_allowed_origins_may_read_responses() {
        let listed = "https://ops.example.com, http://localhost:5173";
        for (origins, origin, allowed) in [
            ("", "https://ops.example.com", None),
            ("*", "https://ops.example.com", Some("*")),
            (
                listed,
                "http://localhost:5173",
                Some("http://localhost:5173"),
            ),
            (listed, "http://localhost:5174", None),
            (listed, "https://ops.example.com.evil.example", None),
            (listed, "null", None),
        ] {
            let answer = answered(origins, Some(origin));
            let found = answer.get(ACCESS_CONTROL_ALLOW_ORIGIN);
            assert_eq!(
                found.map(HeaderValue::as_bytes),
                allowed.map(str::as_bytes),
                "{origin}"
            );
            assert_eq!(answer.contains_key(VARY), origins == listed);
            let exposed = answer.get(ACCESS_CONTROL_EXPOSE_HEADERS);
            assert_eq!(exposed.is_some(), allowed.is_some());
        }
        assert!(
            answered(listed, None).contains_key(VARY),
            "caches distinguish the origins"
        );
        assert!(answered("*", None).is_empty());
    }

    #[test]
    fn only_origins_in_the_form_of_browsers_are_accepted() {
        for text in [
            "ops.example.com",
            "https://ops.example.com/",
            "https://ops.example.com/console",
            "https://*.example.com",
            "https://user@ops.example.com",
            "https://OPS.example.com",
            "*, https://ops.example.com",
            "null",
        ] {
            let refused = text.parse::<AllowedOrigins>();
            assert!(refused.is_err(), "{text}: {refused:?}");
        }
        assert_eq!(" , ".parse(), Ok(AllowedOrigins::Own));
    }
}
