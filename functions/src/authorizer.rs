//! API Gateway's authorizer, and the way its answer reaches a handler.
//!
//! The authorizer's answer carries the caller as a map of texts. API Gateway
//! remembers it for the header's value, and hands the map to every function
//! that the caller then reaches.

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
    /// What is asked for: `arn:…:<api>/<stage>/<method>/<path>`.
    method_arn: String,
}

/// What API Gateway expects of an authorizer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthorizerAnswer {
    principal_id: String,
    policy_document: serde_json::Value,
    context: HashMap<&'static str, String>,
}

/// The text at which API Gateway answers 401 rather than 500.
const UNAUTHORIZED: &str = "Unauthorized";

/// How long an authentication may take: below the function's time, so that the gateway
/// answers 503 with Retry-After. A request waits for it, and then for its route.
pub const AUTHENTICATED_WITHIN: Duration = Duration::from_secs(8);

/// Authenticates the header. Whether the caller may use a route is checked by
/// the route itself: the answer is remembered for the header, not for a path,
/// so it allows the whole stage.
///
/// # Errors
/// The text `Unauthorized`, which API Gateway knows, for every refusal; another
/// text when the table does not answer, which becomes a 503.
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

/// `arn:…:<api>/<stage>/*` of a method's ARN.
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
        // No id has a comma.
        let flows: Vec<_> = flows.iter().map(|flow| flow.as_str()).collect();
        context.insert("flows", flows.join(","));
    }
    context
}

/// The caller that the authorizer has put into the request's context. `None`
/// where there was no authorizer, and where its map is not one of ours: then
/// the header has to prove itself again.
pub fn caller_of(request: &Request) -> Option<Caller> {
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
    fn the_policy_covers_the_stage_and_nothing_else() {
        assert_eq!(
            whole_stage(
                "arn:aws:execute-api:eu-west-1:123456789012:abc123/prod/GET/flow-executions/a"
            ),
            "arn:aws:execute-api:eu-west-1:123456789012:abc123/prod/*"
        );
    }

    #[test]
    fn a_caller_survives_the_context() {
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
            assert_eq!(caller_of(&request), Some(caller));
        }
    }
}
