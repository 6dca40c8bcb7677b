//! What the admin endpoints are asked.

use lambda_http::Request;
use masking::InvalidSettings;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use shared::Error;
use shared::audit::{Action, AuditFilter};
use shared::auth::{CustomRole, NewToken, TokenId};
use shared::model::{InvalidId, Timestamp};
use shared::operations::PageSize;

use crate::parameters::{Parameters, invalid, json_body};
use crate::problem::Problem;

/// How many tokens or events a page holds where the caller names no number.
const DEFAULT_LIMIT: PageSize = PageSize::of::<50>();

/// The object in the body, which has to be there.
///
/// # Errors
/// [`Problem::MissingParameter`] with that message, and [`Problem::InvalidParameter`].
pub(super) fn body<T: DeserializeOwned>(request: &Request, message: &str) -> Result<T, Problem> {
    json_body(request)?.ok_or(Problem::MissingParameter {
        parameter: "body",
        message: message.to_owned(),
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewTokenBody {
    role: String,
    name: Option<String>,
    flows: Option<Vec<String>>,
    expires_at: Option<String>,
}

/// What a token is to be, as the body says.
///
/// # Errors
/// Those of [`body`], and [`Error::InvalidSettings`], naming the member.
pub(super) fn new_token(request: &Request) -> Result<NewToken, Problem> {
    let body: NewTokenBody = body(request, "Send JSON such as {\"role\": \"viewer\"}.")?;
    let flow = |(position, flow): (usize, String)| {
        let id = flow.parse();
        id.map_err(|error| invalid_id(format!("flows[{position}]"), &error))
    };
    let flows = body.flows.map(|flows| flows.into_iter().enumerate());
    let end = |text: String| {
        let form = "It is a date or a time of RFC 3339, such as 2027-01-31 or \
                    2027-01-31T18:00:00Z.";
        Timestamp::last_of(&text).ok_or_else(|| invalid_member("expiresAt".to_owned(), form))
    };
    Ok(NewToken {
        role: body
            .role
            .parse()
            .map_err(|error| invalid_id("role".to_owned(), &error))?,
        name: body.name,
        flows: flows.map(|flows| flows.map(flow).collect()).transpose()?,
        expires_at: body.expires_at.map(end).transpose()?,
    })
}

fn invalid_id(member: String, error: &InvalidId) -> Problem {
    invalid_member(member, &format!("It is an id: {error}."))
}

fn invalid_member(member: String, reason: &str) -> Problem {
    let (field, reason) = (member, reason.to_owned());
    Problem::Operation(Error::InvalidSettings(InvalidSettings { field, reason }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RolesBody {
    roles: Vec<CustomRole>,
}

/// The roles that a team is to have, as the body says.
///
/// # Errors
/// Those of [`body`].
pub(super) fn new_roles(request: &Request) -> Result<Vec<CustomRole>, Problem> {
    let message = "Send the roles as JSON: {\"roles\": []} for none.";
    let body: RolesBody = body(request, message)?;
    Ok(body.roles)
}

/// The token in the path.
///
/// # Errors
/// [`Problem::InvalidParameter`], which does not repeat the path: it may be a whole
/// token, with its secret.
pub(super) fn token_id(request: &Request) -> Result<TokenId, Problem> {
    let text = Parameters::of(request).path_text("tokenId");
    text.parse().map_err(|()| {
        let form = "It is the part of a token between sdk_ and the next _: 20 digits of 0-9 a-f.";
        invalid("tokenId", form)
    })
}

/// Which page of the tokens.
pub(super) struct TokenListParameters<'a> {
    pub(super) limit: PageSize,
    pub(super) next_token: Option<&'a str>,
}

impl<'a> TokenListParameters<'a> {
    /// # Errors
    /// [`Problem::InvalidParameter`].
    pub(super) fn of(request: &'a Request) -> Result<Self, Problem> {
        let parameters = Parameters::of(request);
        Ok(Self {
            limit: parameters.page_size("limit")?.unwrap_or(DEFAULT_LIMIT),
            next_token: parameters.text("nextToken")?,
        })
    }
}

/// Which page of which events.
pub(super) struct AuditParameters<'a> {
    pub(super) filter: AuditFilter,
    pub(super) limit: PageSize,
    pub(super) next_token: Option<&'a str>,
}

impl<'a> AuditParameters<'a> {
    /// # Errors
    /// [`Problem::InvalidParameter`].
    pub(super) fn of(request: &'a Request) -> Result<Self, Problem> {
        let parameters = Parameters::of(request);
        let actions = Action::ALL.map(|action| (action.as_str(), action));
        Ok(Self {
            filter: AuditFilter {
                time: parameters.time_range("from", "to")?,
                action: parameters.one_of("action", &actions)?,
                principal: parameters.short_text("principal")?.map(str::to_owned),
                target: parameters.short_text("target")?.map(str::to_owned),
            },
            limit: parameters.page_size("limit")?.unwrap_or(DEFAULT_LIMIT),
            next_token: parameters.text("nextToken")?,
        })
    }
}
