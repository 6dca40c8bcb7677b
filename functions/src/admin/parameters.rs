//! What the admin endpoints are asked.

use lambda_http::Request;
use masking::Settings;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use shared::Error;
use shared::audit::{Action, AuditFilter};
use shared::auth::{CustomRole, MAX_ROLES, MAX_TOKEN_NAME_LENGTH, NewToken, TokenId};
use shared::model::{ID_PATTERN, InvalidId, NO_CONTROL_PATTERN, PageSize, Timestamp};
use shared::settings::Expected;
use shared::settings::MAX_RULES;

use crate::openapi::parameter::{self, Parameter};
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

/// Of `POST /api/settings/masking/try`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MaskingTrial {
    /// A text is masked as the texts of an export, any other value as a payload in details.
    #[schemars(with = "serde_json::Value")]
    pub(super) value: Box<RawValue>,
    /// Those of the team where they are left out.
    pub(super) settings: Option<Settings>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewTokenBody {
    /// A role that every team has, or one of the team's own.
    #[schemars(regex(pattern = ID_PATTERN))]
    role: String,
    /// What it is for.
    #[schemars(length(min = 1, max = MAX_TOKEN_NAME_LENGTH), regex(pattern = NO_CONTROL_PATTERN))]
    name: Option<String>,
    /// The flows that it is limited to, of at most 4,096 characters together; none but all
    /// where it is left out.
    #[schemars(length(min = 1), inner(regex(pattern = ID_PATTERN)))]
    flows: Option<Vec<String>>,
    /// A date, or a time of RFC 3339, that lies ahead; never where it is left out.
    #[schemars(extend("anyOf" = [{"format": "date-time"}, {"format": "date"}, {"type": "null"}]))]
    expires_at: Option<String>,
}

/// What a token is to be, as the body says.
///
/// # Errors
/// Those of [`body`], and [`Error::InvalidMember`], naming the member.
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
    Problem::Operation(Error::invalid_member(member, reason))
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RolesBody {
    /// All of the team's own.
    #[schemars(length(max = MAX_ROLES))]
    roles: Vec<CustomRole>,
    /// Absent, it is not the same as `null`.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<Timestamp>")]
    updated_at: Option<Option<String>>,
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// The roles that a team is to have, and which it is taken to have.
pub(super) struct NewRoles {
    pub(super) roles: Vec<CustomRole>,
    pub(super) expected: Expected,
}

impl NewRoles {
    /// As the body says.
    ///
    /// # Errors
    /// Those of [`body`], and [`Error::InvalidMember`], naming the member.
    pub(super) fn of(request: &Request) -> Result<Self, Problem> {
        let message = "Send the roles as JSON: {\"roles\": []} for none.";
        let body: RolesBody = body(request, message)?;
        Ok(Self {
            roles: body.roles,
            expected: expected(body.updated_at)?,
        })
    }
}

/// What the caller takes settings to be, which had this `updatedAt` when it read them.
fn expected(updated_at: Option<Option<String>>) -> Result<Expected, Problem> {
    let time = |text: String| {
        let form = "It is the updatedAt of what you have read.";
        text.parse()
            .map_err(|_| invalid_member("updatedAt".to_owned(), form))
    };
    Ok(match updated_at {
        None => Expected::Any,
        Some(updated_at) => Expected::Of(updated_at.map(time).transpose()?),
    })
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "{T}s")]
pub(super) struct RulesBody<T> {
    /// All of the team's.
    #[schemars(length(max = MAX_RULES))]
    rules: Vec<T>,
    /// Absent, it is not the same as `null`.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<Timestamp>")]
    updated_at: Option<Option<String>>,
}

/// The rules that a team is to have, and which it is taken to have.
pub(super) struct NewRules<T> {
    pub(super) rules: Vec<T>,
    pub(super) expected: Expected,
}

impl<T: DeserializeOwned> NewRules<T> {
    /// As the body says.
    ///
    /// # Errors
    /// Those of [`body`], and [`Error::InvalidMember`], naming the member.
    pub(super) fn of(request: &Request) -> Result<Self, Problem> {
        let message = "Send the rules as JSON: {\"rules\": []} for none.";
        let body: RulesBody<T> = body(request, message)?;
        Ok(Self {
            rules: body.rules,
            expected: expected(body.updated_at)?,
        })
    }
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

pub(super) fn described_token_id() -> Parameter {
    parameter::path_text("tokenId", "^[0-9a-f]{20}$")
        .about("The part of a token between `sdk_` and the next `_`.")
        .example("019c6b4f2d1a5e0c9b37")
}

/// Which page of the tokens.
pub(super) struct TokenListParameters<'a> {
    pub(super) limit: PageSize,
    pub(super) next_token: Option<&'a str>,
}

impl<'a> TokenListParameters<'a> {
    pub(super) fn described() -> Vec<Parameter> {
        vec![described_limit(), parameter::next_token()]
    }

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

fn described_limit() -> Parameter {
    parameter::page_size("limit")
        .default(DEFAULT_LIMIT.get())
        .about("How many a page has.")
}

/// Which page of which events.
pub(super) struct AuditParameters<'a> {
    pub(super) filter: AuditFilter,
    pub(super) limit: PageSize,
    pub(super) next_token: Option<&'a str>,
}

impl<'a> AuditParameters<'a> {
    pub(super) fn described() -> Vec<Parameter> {
        let [from, to] = parameter::time_range("from", "to");
        vec![
            from,
            to,
            parameter::one_of("action", Action::ALL.map(Action::as_str)).about("Only this."),
            parameter::short_text("principal")
                .about("Only what this caller did: `token:<id>`, `user:<name>`."),
            parameter::short_text("target").about("Only what concerns this run, flow or token."),
            described_limit(),
            parameter::next_token(),
        ]
    }

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
