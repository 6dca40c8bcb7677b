//! Signing in to the console with a link.
//!
//! The link's fragment contains a code; fragments are not sent to servers and do not appear
//! in logs. The console exchanges the code for a session, which is a separate token that
//! expires automatically. Therefore no long-lived token is ever part of an address, or of a
//! browser's history. The codes are only in the server's memory.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, ORIGIN};
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use functions::app::App;
use functions::bodies::BodyBudget;
use functions::parameters::invalid;
use functions::problem::Problem;
use functions::reply;
use serde::{Deserialize, Serialize};
use shared::Error;
use shared::auth::{self, Caller, Permission};
use shared::hash::sha256;
use shared::model::Timestamp;
use subtle::ConstantTimeEq;

use crate::connections::read_body;
use crate::demo;
use crate::server::{new_request_id, refuse, to_response, unreadable};

/// The path at which the console exchanges a code for a session. The console contains the
/// same path.
pub const PATH: &str = "/sign-in";

/// The path at which `flowtrail sign-in` requests a link.
pub const LINKS_PATH: &str = "/sign-in/links";

/// The name of the caller that creates sessions, in the audit and in the list of tokens.
const SERVE: &str = "flowtrail serve";

/// The name of a session's token.
const SESSION: &str = "console";

/// How long a code is valid.
pub const CODE_TIME: Duration = Duration::from_secs(600);

/// How long a session lasts, in milliseconds: a working day.
const SESSION_MS: i64 = 12 * 3_600 * 1_000;

/// The most codes that are valid at a time. A further code replaces the oldest one.
const MAX_CODES: usize = 16;

/// The most wrong codes within [`WRONG_WITHIN`]. Codes of 256 bits cannot be guessed; this
/// limits the cost of attempts.
const MAX_WRONG: usize = 10;
const WRONG_WITHIN: Duration = Duration::from_secs(60);

/// The maximum size of a body, in bytes. A code takes less than a hundred.
const MAX_BODY_BYTES: usize = 1_024;

/// Creates links, and exchanges their codes for sessions.
#[derive(Debug)]
pub struct SignIn {
    app: Arc<App>,
    /// The address of the console, without a trailing slash.
    address: String,
    codes: Mutex<Codes>,
}

#[derive(Debug, Default)]
struct Codes {
    /// The hashes of the codes, with their expiry times.
    waiting: VecDeque<([u8; 32], Instant)>,
    /// The times of recent wrong codes.
    wrong: VecDeque<Instant>,
}

impl Codes {
    fn add(&mut self, code: &str, now: Instant) {
        self.waiting.retain(|(_, until)| now < *until);
        if self.waiting.len() == MAX_CODES {
            self.waiting.pop_front();
        }
        self.waiting.push_back((sha256(code), now + CODE_TIME));
    }

    /// Uses up a code.
    ///
    /// # Errors
    /// - [`Problem::SignInLinkEnded`]: the code is wrong, expired or used.
    /// - [`Problem::TooManySignIns`]: there were too many wrong codes.
    fn take(&mut self, code: &str, now: Instant) -> Result<(), Problem> {
        while self
            .wrong
            .front()
            .is_some_and(|at| now >= *at + WRONG_WITHIN)
        {
            self.wrong.pop_front();
        }
        if self.wrong.len() >= MAX_WRONG {
            return Err(Problem::TooManySignIns);
        }
        let asked = sha256(code);
        // All codes are compared, each in constant time, so that the duration does not
        // reveal the position of a match.
        let mut found = None;
        for (position, (known, until)) in self.waiting.iter().enumerate() {
            let is_it: bool = known.ct_eq(&asked).into();
            if is_it && now < *until {
                found = Some(position);
            }
        }
        match found.and_then(|position| self.waiting.remove(position)) {
            Some(_) => Ok(()),
            None => {
                self.wrong.push_back(now);
                Err(Problem::SignInLinkEnded)
            }
        }
    }
}

/// The request of the console.
#[derive(Deserialize)]
struct Exchange {
    code: String,
}

/// The session, as returned to the console.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SessionView<'a> {
    success: bool,
    token: &'a str,
    expires_at: Option<Timestamp>,
}

/// A link, as returned to `flowtrail sign-in`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LinkView {
    success: bool,
    /// The link, including its code.
    pub url: String,
}

impl SignIn {
    /// Creates links to a console at this address, such as `http://127.0.0.1:3000`.
    pub fn new(app: Arc<App>, address: String) -> Self {
        Self {
            app,
            address,
            codes: Mutex::default(),
        }
    }

    /// Creates a link with which one person can sign in once, within [`CODE_TIME`].
    ///
    /// # Errors
    /// The system provides no random numbers.
    pub fn link(&self) -> shared::Result<String> {
        let mut code = [0; 32];
        getrandom::fill(&mut code).map_err(Error::internal)?;
        let code = BASE64.encode(code);
        self.codes().add(&code, Instant::now());
        // The part after the # stays in the browser.
        Ok(format!("{}/#/sign-in?code={code}", self.address))
    }

    fn codes(&self) -> std::sync::MutexGuard<'_, Codes> {
        self.codes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Exchanges a code for a session.
    async fn exchange(
        &self,
        headers: &HeaderMap,
        body: &mut Body,
    ) -> Result<reply::Reply, Problem> {
        require_own_page(headers)?;
        let budget = BodyBudget::new(MAX_BODY_BYTES);
        let read = read_body(body, MAX_BODY_BYTES, &budget).await;
        let (body, _) = read.map_err(|unread| unreadable(unread, MAX_BODY_BYTES))?;
        let Exchange { code } = serde_json::from_slice(&body)
            .map_err(|_| invalid("body", "Send JSON such as {\"code\": \"…\"}."))?;
        self.codes().take(&code, Instant::now())?;
        let expires_at = Timestamp::now().milliseconds() + SESSION_MS;
        let expires_at = Timestamp::from_milliseconds(expires_at).unwrap_or_else(Timestamp::now);
        let caller = Caller::operator(demo::team_id(), SERVE);
        let session = auth::create_session(self.app.store(), &caller, SESSION, expires_at);
        let (session, secret) = session.await?;
        reply::json(&SessionView {
            success: true,
            token: secret.reveal(),
            expires_at: session.until(),
        })
    }

    /// Creates a link for a caller who has all permissions of the session.
    async fn new_link(&self, headers: &HeaderMap) -> Result<reply::Reply, Problem> {
        require_own_page(headers)?;
        require_operator(&self.app, headers, "create a sign-in link").await?;
        reply::json(&LinkView {
            success: true,
            url: self.link()?,
        })
    }
}

/// Refuses callers other than an admin of the team that the data folder's token belongs to, who
/// has all permissions now. `action` is what only this caller can do.
pub(crate) async fn require_operator(
    app: &App,
    headers: &HeaderMap,
    action: &str,
) -> Result<(), Problem> {
    let authorization = headers.get(AUTHORIZATION).map(|value| value.to_str());
    let caller = app.authenticate(authorization.and_then(Result::ok)).await?;
    for permission in Permission::ALL {
        caller.require(permission)?;
    }
    caller.require_all_flows()?;
    let team_id = demo::team_id();
    if caller.team_id != team_id {
        let message = format!("Only an admin of the team {team_id} can {action}.");
        return Err(Error::Forbidden(message).into());
    }
    auth::require_current(app.store(), &caller, Permission::TokensManage).await?;
    Ok(())
}

/// Refuses requests that a page of another origin could send. Without a JSON content type,
/// the browser would send no preflight request; with it, the preflight request fails.
fn require_own_page(headers: &HeaderMap) -> Result<(), Problem> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let content_type = text(CONTENT_TYPE.as_str()).unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("application/json") {
        return Err(Problem::UnsupportedMediaType {
            message: "Send JSON, with the header Content-Type: application/json.",
        });
    }
    let is_own = match (text("sec-fetch-site"), text(ORIGIN.as_str())) {
        (Some(site), _) => site == "same-origin",
        // Programs send neither header.
        (None, None) => true,
        (None, Some(origin)) => {
            let origin: Option<Uri> = origin.parse().ok();
            let authority = origin.as_ref().and_then(|origin| origin.authority());
            authority.is_some_and(|authority| Some(authority.as_str()) == text(HOST.as_str()))
        }
    };
    match is_own {
        true => Ok(()),
        false => {
            let message =
                "Sign in with the console of this server. Other pages cannot use this address.";
            Err(Error::Forbidden(message.to_owned()).into())
        }
    }
}

/// The router of the two sign-in paths.
pub fn router(sign_in: Arc<SignIn>) -> Router {
    let refused = async || {
        let allow = "POST".to_owned();
        refuse(&Problem::MethodNotAllowed { allow }, &new_request_id())
    };
    Router::new()
        .route(PATH, post(exchange).fallback(refused))
        .route(LINKS_PATH, post(new_link).fallback(refused))
        .with_state(sign_in)
}

async fn exchange(State(sign_in): State<Arc<SignIn>>, request: Request) -> Response {
    let (parts, mut body) = request.into_parts();
    to_response(sign_in.exchange(&parts.headers, &mut body).await)
}

async fn new_link(State(sign_in): State<Arc<SignIn>>, headers: HeaderMap) -> Response {
    to_response(sign_in.new_link(&headers).await)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderName;

    use super::*;

    const ENDED: u16 = 410;

    fn status(taken: Result<(), Problem>) -> u16 {
        taken.map_or_else(|problem| problem.status().as_u16(), |()| 200)
    }

    #[test]
    fn a_code_is_valid_once_and_for_ten_minutes() {
        let mut codes = Codes::default();
        let now = Instant::now();
        codes.add("first", now);
        codes.add("second", now);
        assert_eq!(status(codes.take("first", now)), 200);
        assert_eq!(status(codes.take("first", now)), ENDED);
        let late = now + CODE_TIME;
        assert_eq!(status(codes.take("second", late)), ENDED);
        let just = late - Duration::from_millis(1);
        assert_eq!(status(codes.take("second", just)), 200);
        assert_eq!(status(codes.take("", now)), ENDED);
    }

    #[test]
    fn a_further_code_replaces_the_oldest_one() {
        let mut codes = Codes::default();
        let now = Instant::now();
        for number in 0..=MAX_CODES {
            codes.add(&number.to_string(), now);
        }
        assert_eq!(status(codes.take("0", now)), ENDED);
        assert_eq!(status(codes.take("1", now)), 200);
        assert_eq!(codes.waiting.len(), MAX_CODES - 1);
    }

    #[test]
    fn too_many_wrong_codes_block_signing_in_for_a_minute() {
        let mut codes = Codes::default();
        let now = Instant::now();
        codes.add("good", now);
        for _ in 0..MAX_WRONG {
            assert_eq!(status(codes.take("wrong", now)), ENDED);
        }
        assert_eq!(status(codes.take("good", now)), 429);
        assert_eq!(status(codes.take("good", now + WRONG_WITHIN)), 200);
    }

    #[test]
    fn only_programs_and_pages_of_this_server_are_accepted() {
        let json = ("content-type", "application/json; charset=utf-8");
        let host = ("host", "127.0.0.1:3000");
        for (headers, expected) in [
            (&[json, host][..], 200),
            (&[json, host, ("origin", "http://127.0.0.1:3000")], 200),
            (&[json, host, ("origin", "http://127.0.0.1:3001")], 403),
            (&[json, host, ("origin", "null")], 403),
            (&[json, host, ("sec-fetch-site", "same-origin")], 200),
            (&[json, host, ("sec-fetch-site", "same-site")], 403),
            (&[json, host, ("sec-fetch-site", "cross-site")], 403),
            (&[host, ("content-type", "text/plain")], 415),
            (&[host], 415),
        ] {
            let headers = headers.iter().map(|(name, value)| {
                let name: HeaderName = name.parse().expect("a name");
                (name, value.parse().expect("a value"))
            });
            assert_eq!(status(require_own_page(&headers.collect())), expected);
        }
    }
}
