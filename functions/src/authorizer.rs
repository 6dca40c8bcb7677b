//! API Gateway's authorizer, and how its result reaches a handler.
//!
//! The authorizer returns the caller as a map of texts. API Gateway caches the map by the value
//! of the header, and passes it to every function that the caller invokes.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use lambda_http::aws_lambda_events::apigw::ApiGatewayRequestAuthorizer;
use lambda_http::request::RequestContext;
use lambda_http::{Request, RequestExt};
use lambda_runtime::LambdaEvent;
use serde::{Deserialize, Serialize};
use shared::Error;
use shared::auth::{Authenticator, Caller, Origin};
use tokio::time::timeout;

use crate::metrics;

/// The event of a `TOKEN` authorizer.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthorizerEvent {
    /// The `Authorization` header.
    authorization_token: Option<String>,
    /// The requested method and path: `arn:…:<api>/<stage>/<method>/<path>`.
    method_arn: String,
}

/// The response of an authorizer, in API Gateway's format.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthorizerAnswer {
    principal_id: String,
    policy_document: serde_json::Value,
    context: HashMap<&'static str, String>,
}

/// The error text for which API Gateway returns 401 instead of 500.
const UNAUTHORIZED: &str = "Unauthorized";

/// The time limit of an authentication. It is below the function's timeout, so that the gateway
/// returns 503 with Retry-After. A request waits for its authentication first, and then for its
/// route.
pub const AUTHENTICATED_WITHIN: Duration = Duration::from_secs(8);

/// Authenticates the header. The result allows the whole stage, because API Gateway caches it by
/// the header and not by the path. Each route checks the permissions of the caller itself.
///
/// # Errors
/// The text `Unauthorized`, which API Gateway turns into a 401, if the credentials are refused.
/// Another text, which becomes a 503, if the table does not respond.
pub async fn authorize(
    authenticator: &Authenticator,
    event: LambdaEvent<AuthorizerEvent>,
) -> Result<AuthorizerAnswer, String> {
    let event = event.payload;
    let authorization = event.authorization_token.as_deref();
    let authenticated = timeout(
        AUTHENTICATED_WITHIN,
        authenticator.authenticate(authorization),
    )
    .await
    .unwrap_or_else(|elapsed| Err(Error::Unavailable(elapsed.into())));
    let table = authenticator.store().table();
    metrics::count_refusal(table, authorization, &authenticated);
    let caller = authenticated.map_err(|error| match error {
        Error::Unauthenticated(_) => UNAUTHORIZED.to_owned(),
        other => {
            tracing::error!(error = other.with_causes(), "authentication failed");
            other.to_string()
        }
    })?;
    Ok(AuthorizerAnswer {
        principal_id: caller.principal.clone(),
        policy_document: serde_json::json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Action": "execute-api:Invoke",
                "Effect": "Allow",
                "Resource": whole_stage(&event.method_arn),
            }],
        }),
        context: to_context(&caller),
    })
}

/// The ARN of the whole stage, `arn:…:<api>/<stage>/*`, from a method's ARN.
fn whole_stage(method_arn: &str) -> String {
    let mut parts = method_arn.split('/');
    let (api, stage) = (parts.next().unwrap_or("*"), parts.next().unwrap_or("*"));
    format!("{api}/{stage}/*")
}

fn to_context(caller: &Caller) -> HashMap<&'static str, String> {
    let permissions: Vec<_> = caller
        .permissions
        .iter()
        .map(|permission| permission.as_str())
        .collect();
    let mut context = HashMap::from([
        ("teamId", caller.team_id.to_string()),
        ("principal", caller.principal.clone()),
        ("permissions", permissions.join(",")),
    ]);
    if let Some(flows) = &caller.flows {
        // Ids have no commas.
        let flows: Vec<_> = flows.iter().map(|flow| flow.as_str()).collect();
        context.insert("flows", flows.join(","));
    }
    context
}

/// The caller in the request's context, where the authorizer has put it. Returns `None` if there
/// was no authorizer, or if its map is not in this module's format. The header must then be
/// authenticated again.
pub fn caller_from_context(request: &Request) -> Option<Caller> {
    let authorizer: &ApiGatewayRequestAuthorizer = match request.request_context_ref()? {
        RequestContext::ApiGatewayV1(context) => &context.authorizer,
        RequestContext::ApiGatewayV2(context) => context.authorizer.as_ref()?,
        _ => return None,
    };
    let text = |name: &str| authorizer.fields.get(name)?.as_str();
    let permissions = text("permissions")
        .unwrap_or_default()
        .split(',')
        .filter_map(|name| name.parse().ok())
        .collect();
    let flows = text("flows").map(|flows| {
        let ids = flows.split(',').filter_map(|flow| flow.parse().ok());
        ids.collect::<BTreeSet<_>>()
    });
    Some(Caller {
        team_id: text("teamId")?.parse().ok()?,
        principal: text("principal")?.to_owned(),
        permissions,
        flows,
        origin: Origin::default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_covers_exactly_the_stage() {
        assert_eq!(
            whole_stage(
                "arn:aws:execute-api:eu-west-1:123456789012:abc123/prod/GET/flow-executions/a"
            ),
            "arn:aws:execute-api:eu-west-1:123456789012:abc123/prod/*"
        );
    }

    #[test]
    fn callers_survive_the_round_trip_through_the_context() {
        let caller = Caller {
            team_id: "team-a".parse().expect("an id"),
            principal: "token:1".to_owned(),
            permissions: shared::auth::Role::Operator.permissions(),
            flows: Some(["a", "b:c"].map(|flow| flow.parse().expect("an id")).into()),
            origin: Origin::default(),
        };
        for caller in [
            Caller {
                flows: None,
                ..caller.clone()
            },
            Caller {
                permissions: BTreeSet::new(),
                ..caller.clone()
            },
            caller,
        ] {
            let event = serde_json::json!({
                "httpMethod": "GET",
                "path": "/flow-executions",
                "headers": {},
                "multiValueHeaders": {},
                "requestContext": {"httpMethod": "GET", "authorizer": to_context(&caller)},
            });
            let request = lambda_http::request::from_str(&event.to_string()).expect("an event");
            assert_eq!(caller_from_context(&request), Some(caller));
        }
    }
}
