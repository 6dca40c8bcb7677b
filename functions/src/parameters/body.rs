//! JSON in the body of a request.

use lambda_http::Request;
use serde::de::DeserializeOwned;

use super::invalid;
use crate::problem::Problem;

/// Parses the JSON object in the body of a request. Returns `None` for an empty body. Unknown
/// members are ignored.
///
/// # Errors
/// [`Problem::InvalidParameter`] for `body`, with the position in it.
pub fn json_body<T: DeserializeOwned>(request: &Request) -> Result<Option<T>, Problem> {
    json_body_with(request, |_| {})
}

/// Parses the JSON object in the body of a request. Unknown members are refused at any depth. The
/// types of settings do not refuse them, because the table may have members from another release.
///
/// # Errors
/// [`Problem::InvalidParameter`] for `body`, with the position in it.
pub fn strict_json_body<T: DeserializeOwned>(request: &Request) -> Result<Option<T>, Problem> {
    let mut unknown = None;
    let body = json_body_with(request, |member| {
        unknown.get_or_insert(member);
    });
    match unknown {
        Some(member) if body.is_ok() => Err(invalid(
            "body",
            format!("The member {member} is unknown. Check its name, or leave it out."),
        )),
        _ => body,
    }
}

fn json_body_with<T: DeserializeOwned>(
    request: &Request,
    mut ignored: impl FnMut(String),
) -> Result<Option<T>, Problem> {
    let body: &[u8] = request.body();
    if body.trim_ascii().is_empty() {
        return Ok(None);
    }
    // Serde would read an array as the members of an object, in their order.
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(invalid("body", "Send a JSON object."));
    }
    // Serde does not check the members that it skips.
    let text = str::from_utf8(body)
        .map_err(|error| invalid("body", format!("Send the body in UTF-8: {error}.")))?;
    let mut json = serde_json::Deserializer::from_str(text);
    let value = serde_ignored::deserialize(&mut json, |path| ignored(path.to_string()));
    let value = value.and_then(|value| json.end().map(|()| value));
    value.map(Some).map_err(|error| {
        // For a body that is not JSON, and for JSON of another shape.
        invalid("body", format!("Send valid JSON: {error}."))
    })
}
