//! The parameters and bodies of the admin endpoints.

use std::sync::LazyLock;

use lambda_http::Request;
use masking::Settings;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use shared::Error;
use shared::audit::{Action, AuditFilter};
use shared::auth::{CustomRole, MAX_ROLES, MAX_TOKEN_NAME_LENGTH, NewToken, TokenId};
use shared::model::{ID_PATTERN, InvalidId, PageSize, Timestamp, VISIBLE_PATTERN};
use shared::profiles::{MAX_PROFILES, Profile};
use shared::settings::Expected;
use shared::settings::MAX_RULES;

use crate::parameters::{
    Parameter, Parameters, group, next_token, one_of, page_size, path, short_text,
    strict_json_body, time_range,
};
use crate::problem::Problem;

/// The default page size of tokens and audit events.
const DEFAULT_LIMIT: PageSize = PageSize::constant::<50>();

/// Parses the required object in the body.
///
/// # Errors
/// [`Problem::MissingParameter`] with this message if the body is empty, and
/// [`Problem::InvalidParameter`] if it is not valid.
pub(super) fn body<T: DeserializeOwned>(request: &Request, message: &str) -> Result<T, Problem> {
    strict_json_body(request)?.ok_or(Problem::MissingParameter {
        parameter: "body",
        message: message.to_owned(),
    })
}

/// The body of `POST /api/settings/masking/try`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MaskingTrial {
    /// The value to mask. A text is masked like the texts of an export, any other value like a
    /// payload in details.
    #[schemars(with = "serde_json::Value")]
    pub(super) value: Box<RawValue>,
    /// The settings to try. Without it, the team's current settings are used.
    pub(super) settings: Option<Settings>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewTokenBody {
    /// A built-in role, or a role of the team.
    #[schemars(regex(pattern = ID_PATTERN))]
    role: String,
    /// The purpose of the token.
    #[schemars(length(min = 1, max = MAX_TOKEN_NAME_LENGTH), regex(pattern = VISIBLE_PATTERN))]
    name: Option<String>,
    /// The ids of the flows that the holder sees, with at most 4,096 characters together. Without
    /// it, the holder sees all flows.
    #[schemars(length(min = 1), inner(regex(pattern = ID_PATTERN)))]
    flows: Option<Vec<String>>,
    /// The end of the token: a date, or a time in RFC 3339, in the future. Without it, the token
    /// never expires.
    #[schemars(transform = |schema: &mut schemars::Schema| {
        schema.remove("type");
        schema.insert("anyOf".to_owned(), serde_json::json!([
            {"type": "string", "format": "date-time"},
            {"type": "string", "format": "date"},
            {"type": "null"},
        ]));
    })]
    expires_at: Option<String>,
}

/// Parses the body of a new token.
///
/// # Errors
/// [`Error::InvalidMember`] if a member is not valid, and the errors of [`body`].
pub(super) fn new_token(request: &Request) -> Result<NewToken, Problem> {
    let body: NewTokenBody = body(request, "Send JSON such as {\"role\": \"viewer\"}.")?;
    let flow = |(position, flow): (usize, String)| {
        let id = flow.parse();
        id.map_err(|error| invalid_id(format!("flows[{position}]"), &error))
    };
    let flows = body.flows.map(|flows| flows.into_iter().enumerate());
    let end = |text: String| {
        let form = "Use a date or a time in RFC 3339, such as 2027-01-31 or \
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
    invalid_member(member, &error.to_sentence())
}

fn invalid_member(member: String, reason: &str) -> Problem {
    Problem::Operation(Error::invalid_member(member, reason))
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RolesBody {
    /// All roles of the team. They replace the current ones.
    #[schemars(length(max = MAX_ROLES))]
    roles: Vec<CustomRole>,
    /// The `updatedAt` that you have read, which may be `null`. Without it, the last change wins.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<Timestamp>")]
    updated_at: Option<Option<String>>,
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// The new roles of a team, and the version that they replace.
pub(super) struct NewRoles {
    pub(super) roles: Vec<CustomRole>,
    pub(super) expected: Expected,
}

impl NewRoles {
    /// Parses the body.
    ///
    /// # Errors
    /// [`Error::InvalidMember`] if `updatedAt` is not valid, and the errors of [`body`].
    pub(super) fn parse(request: &Request) -> Result<Self, Problem> {
        let message = "Send the roles as JSON: {\"roles\": []} for none.";
        let body: RolesBody = body(request, message)?;
        Ok(Self {
            roles: body.roles,
            expected: expected(body.updated_at)?,
        })
    }
}

/// The version of the settings that the caller expects, by the `updatedAt` that it has read.
fn expected(updated_at: Option<Option<String>>) -> Result<Expected, Problem> {
    let time = |text: String| {
        let form = "Send the updatedAt that you have read.";
        text.parse()
            .map_err(|_| invalid_member("updatedAt".to_owned(), form))
    };
    Ok(match updated_at {
        None => Expected::Any,
        Some(updated_at) => Expected::UpdatedAt(updated_at.map(time).transpose()?),
    })
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "{T}s")]
pub(super) struct RulesBody<T> {
    /// All rules of the team. They replace the current ones.
    #[schemars(length(max = MAX_RULES))]
    rules: Vec<T>,
    /// The `updatedAt` that you have read, which may be `null`. Without it, the last change wins.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<Timestamp>")]
    updated_at: Option<Option<String>>,
}

/// The new rules of a team, and the version that they replace.
pub(super) struct NewRules<T> {
    pub(super) rules: Vec<T>,
    pub(super) expected: Expected,
}

impl<T: DeserializeOwned> NewRules<T> {
    /// Parses the body.
    ///
    /// # Errors
    /// [`Error::InvalidMember`] if `updatedAt` is not valid, and the errors of [`body`].
    pub(super) fn parse(request: &Request) -> Result<Self, Problem> {
        let message = "Send the rules as JSON: {\"rules\": []} for none.";
        let body: RulesBody<T> = body(request, message)?;
        Ok(Self {
            rules: body.rules,
            expected: expected(body.updated_at)?,
        })
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Profiles")]
pub(super) struct ProfilesBody {
    /// All profiles of the team, in the order in which they decide. They replace the current ones.
    #[schemars(length(max = MAX_PROFILES))]
    profiles: Vec<Profile>,
    /// The `updatedAt` that you have read, which may be `null`. Without it, the last change wins.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<Timestamp>")]
    updated_at: Option<Option<String>>,
}

/// The new profiles of a team, and the version that they replace.
pub(super) struct NewProfiles {
    pub(super) profiles: Vec<Profile>,
    pub(super) expected: Expected,
}

impl NewProfiles {
    /// Parses the body.
    ///
    /// # Errors
    /// [`Error::InvalidMember`] if `updatedAt` is not valid, and the errors of [`body`].
    pub(super) fn parse(request: &Request) -> Result<Self, Problem> {
        let message = "Send the profiles as JSON: {\"profiles\": []} for none.";
        let body: ProfilesBody = body(request, message)?;
        Ok(Self {
            profiles: body.profiles,
            expected: expected(body.updated_at)?,
        })
    }
}

/// The token in the path. The problem does not repeat the path, because it may be a whole token
/// with its secret.
pub(crate) static TOKEN_ID: LazyLock<Parameters<TokenId>> = LazyLock::new(|| {
    path("tokenId", "^[0-9a-f]{20}$", |value| {
        value.parse().map_err(|()| {
            "Use the part of the token between sdk_ and the next _: 20 characters of 0-9 and a-f."
                .to_owned()
        })
    })
    .about("The id of the token: the part of its text between `sdk_` and the next `_`.")
    .example("019c6b4f2d1a5e0c9b37")
    .into()
});

/// The parameters of `GET /api/tokens`.
pub(crate) struct TokenListParameters {
    pub(super) limit: PageSize,
    pub(super) next_token: Option<String>,
}

pub(crate) static TOKEN_LIST: LazyLock<Parameters<TokenListParameters>> = LazyLock::new(|| {
    group!(TokenListParameters {
        limit: limit(),
        next_token: next_token(),
    })
});

fn limit() -> Parameter<PageSize> {
    page_size("limit")
        .default(DEFAULT_LIMIT)
        .about("The number of entries on a page.")
}

/// The parameters of `GET /api/audit`.
pub(crate) struct AuditParameters {
    pub(super) filter: AuditFilter,
    pub(super) limit: PageSize,
    pub(super) next_token: Option<String>,
}

pub(crate) static AUDIT: LazyLock<Parameters<AuditParameters>> = LazyLock::new(|| {
    let actions = Action::ALL.map(|action| (action.as_str(), action));
    group!(AuditParameters {
        filter: group!(AuditFilter {
            time: time_range("from", "to"),
            action: one_of("action", actions).about("Returns only events of this action."),
            principal: short_text("principal")
                .about("Returns only events of this caller: `token:<id>` or `user:<name>`."),
            target: short_text("target")
                .about("Returns only events about this execution, flow or token."),
        }),
        limit: limit(),
        next_token: next_token(),
    })
});
