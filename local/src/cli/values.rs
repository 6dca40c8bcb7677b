//! Parses the values of options, with instructions for invalid values.

use axum::http::Uri;
use functions::executions::export::status_named;
use jiff::{Span, Timestamp as Moment};
use shared::audit::Action;
use shared::auth::TokenId;
use shared::model::{ExecutionType, FlowId, InvalidId, Status, Timestamp};
use shared::record::RecordKind;

/// How long a token is valid, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetime(pub i64);

pub(super) fn lifetime(text: &str) -> Result<Lifetime, String> {
    let span: Span = text
        .parse()
        .map_err(|_| "write a duration such as 90d, 12h or 4w".to_owned())?;
    let now = Moment::now().to_zoned(jiff::tz::TimeZone::UTC);
    let end = now
        .checked_add(span)
        .map_err(|_| "write a shorter duration".to_owned())?;
    let seconds = end.timestamp().as_second() - now.timestamp().as_second();
    if seconds < 1 {
        return Err("write a duration of at least one second".to_owned());
    }
    Ok(Lifetime(seconds))
}

pub(super) fn first_moment(text: &str) -> Result<Timestamp, String> {
    Timestamp::first_of(text).ok_or_else(invalid_time)
}

pub(super) fn last_moment(text: &str) -> Result<Timestamp, String> {
    Timestamp::last_of(text).ok_or_else(invalid_time)
}

fn invalid_time() -> String {
    "write a date or a time such as 2026-02-17 or 2026-02-17T10:30:00Z".to_owned()
}

pub(super) fn status(word: &str) -> Result<Status, String> {
    let words = "use one of PENDING, RUNNING, SUCCESS, FAILED or CANCELLED";
    status_named(word).ok_or_else(|| words.to_owned())
}

pub(super) fn execution_type(word: &str) -> Result<ExecutionType, String> {
    let mut types = ExecutionType::ALL.into_iter();
    let found = types.find(|execution_type| execution_type.as_str() == word);
    found.ok_or_else(|| "use PARENT or SUBFLOW".to_owned())
}

pub(super) fn record_kind(name: &str) -> Result<RecordKind, String> {
    let mut kinds = RecordKind::ALL.into_iter();
    let found = kinds.find(|kind| kind.name() == name);
    found.ok_or_else(|| "use execution, step, branch-step or payload".to_owned())
}

pub(super) fn flow(text: &str) -> Result<FlowId, InvalidId> {
    text.trim().parse()
}

/// Also accepts a whole token, and does not repeat its secret in the error.
pub(super) fn token_id(text: &str) -> Result<TokenId, String> {
    let id = match text.strip_prefix("sdk_") {
        Some(rest) => rest.split('_').next().unwrap_or_default(),
        None => text,
    };
    let form = "use the part of the token between sdk_ and the next _: 20 digits of 0-9 a-f";
    id.parse().map_err(|()| form.to_owned())
}

pub(super) fn action(word: &str) -> Result<Action, String> {
    let words = Action::ALL.map(Action::as_str).join(", ");
    Action::from_name(word).ok_or_else(|| format!("use one of {words}"))
}

pub(super) fn endpoint_url(text: &str) -> Result<String, String> {
    let url: Option<Uri> = text.parse().ok();
    let is_http = |url: &Uri| matches!(url.scheme_str(), Some("http" | "https"));
    match url.is_some_and(|url| is_http(&url) && url.host().is_some()) {
        true => Ok(text.to_owned()),
        false => Err("write an address such as http://127.0.0.1:8000".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_values_are_refused() {
        for url in ["nonsense", "ftp://a", "127.0.0.1:8000", "http://", ""] {
            assert!(endpoint_url(url).is_err(), "{url}");
        }
        assert!(endpoint_url("https://dynamodb.eu-west-1.amazonaws.com").is_ok());
        let id = "0123456789abcdef0123";
        assert_eq!(token_id(id), id.parse().map_err(|()| String::new()));
        assert_eq!(token_id(&format!("sdk_{id}_secret")), token_id(id));
        let refused = token_id("sdk_0123_secret").expect_err("refused");
        assert!(!refused.contains("secret"), "{refused}");
        assert_eq!(flow(" flow-1"), "flow-1".parse());
    }

    #[test]
    fn a_lifetime_has_a_unit_and_is_positive() {
        assert_eq!(lifetime("90d"), Ok(Lifetime(90 * 86_400)));
        assert_eq!(lifetime("12h"), Ok(Lifetime(43_200)));
        assert_eq!(lifetime("2w"), Ok(Lifetime(14 * 86_400)));
        for wrong in ["", "90", "d", "-1d", "0d", "soon", "99999999y"] {
            assert!(lifetime(wrong).is_err(), "{wrong}");
        }
    }
}
