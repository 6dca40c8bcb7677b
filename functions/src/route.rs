//! Every endpoint, once: what the Lambda binary, the local server, the check of
//! the template, the sample events and the tests of permissions all read.

use std::time::{Duration, Instant};

use http::header::AUTHORIZATION;
use http::{Method, StatusCode};
use lambda_http::request::RequestContext;
use lambda_http::{Request, RequestExt};
use shared::Error;
use shared::auth::{Caller, Origin, Permission};
use shared::store::{Store, Usage};
use shared::tick::wait_for_tick;
use tokio::time::timeout;

use crate::admin;
use crate::app::App;
use crate::authorizer;
use crate::executions;
use crate::flow_executions;
use crate::history;
use crate::metrics;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::traces;

/// What a handler returns, before it is awaited.
pub type Answering<'a> =
    std::pin::Pin<Box<dyn Future<Output = Result<Reply, Problem>> + Send + 'a>>;

/// Answers a request of a caller who has the route's permission.
pub type Handler = for<'a> fn(&'a Store, &'a Caller, &'a Request) -> Answering<'a>;

/// How a Lambda function hands its answer to API Gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transfer {
    /// Whole, and so of at most 6 MB: for answers that are bounded well below.
    Buffered,
    /// As a stream, and so of at most 200 MB.
    Streamed,
}

/// The largest body that an endpoint takes which says nothing else, in bytes.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;

/// An endpoint.
#[derive(Debug)]
pub struct Route {
    /// The name of the route, of its binary, of its sample event and, in camel
    /// case, of its function in `template.yaml`.
    pub name: &'static str,
    /// The HTTP method.
    pub method: Method,
    /// The path, with its parameters in braces, as API Gateway writes it.
    pub path: &'static str,
    /// What a caller must be allowed to do; `None` where it is enough to be one.
    pub permission: Option<Permission>,
    /// How the answer leaves a Lambda function.
    pub transfer: Transfer,
    /// The largest body that it takes, in bytes.
    pub max_body_bytes: usize,
    /// What answers.
    pub handler: Handler,
}

/// Makes a [`Handler`] of an async function.
macro_rules! handler {
    ($function:path) => {
        |store, caller, request| Box::pin($function(store, caller, request))
    };
}

/// Declares each endpoint as a static of its own, and all of them as [`ROUTES`]: a
/// Lambda binary names its one, and so does not link what serves the others.
macro_rules! routes {
    ($($name:ident { $($member:tt)* })*) => {
        $(
            #[doc = concat!("The endpoint `", stringify!($name), "`.")]
            pub static $name: Route = Route { $($member)* };
        )*
        /// Every endpoint.
        pub static ROUTES: &[&Route] = &[$(&$name),*];
    };
}

routes! {
    LIST_FLOW_EXECUTIONS {
        name: "list_flow_executions",
        method: Method::GET,
        path: "/flow-executions",
        permission: Some(Permission::ExecutionsRead),
        transfer: Transfer::Buffered,
        max_body_bytes: MAX_BODY_BYTES,
        handler: handler!(flow_executions::list_flow_executions),
    }
    GET_FLOW_EXECUTION {
        name: "get_flow_execution",
        method: Method::GET,
        path: "/flow-executions/{flowExecutionId}",
        permission: Some(Permission::ExecutionsRead),
        transfer: Transfer::Streamed,
        max_body_bytes: MAX_BODY_BYTES,
        handler: handler!(flow_executions::get_flow_execution),
    }
    GET_FLOW_EXECUTION_BRANCH_STEPS {
        name: "get_flow_execution_branch_steps",
        method: Method::GET,
        path: "/flow-executions/{flowExecutionId}/branch-steps",
        permission: Some(Permission::ExecutionsRead),
        transfer: Transfer::Streamed,
        max_body_bytes: MAX_BODY_BYTES,
        handler: handler!(flow_executions::get_flow_execution_branch_steps),
    }
    GET_FLOW_EXECUTION_STEP {
        name: "get_flow_execution_step",
        method: Method::GET,
        path: "/flow-executions/{flowExecutionId}/step",
        permission: Some(Permission::ExecutionsRead),
        transfer: Transfer::Streamed,
        max_body_bytes: MAX_BODY_BYTES,
        handler: handler!(flow_executions::get_flow_execution_step),
    }
    LIST_TEAM_EXECUTIONS {
        name: "list_team_executions",
        method: Method::GET,
        path: "/api/executions/team/{teamId}",
        permission: Some(Permission::ExecutionsRead),
        transfer: Transfer::Buffered,
        max_body_bytes: MAX_BODY_BYTES,
        handler: handler!(executions::list_team_executions),
    }
    EXPORT_TEAM_EXECUTIONS {
        name: "export_team_executions",
        method: Method::GET,
        path: "/api/executions/team/{teamId}/export",
        permission: Some(Permission::ExecutionsExport),
        transfer: Transfer::Streamed,
        max_body_bytes: MAX_BODY_BYTES,
        handler: handler!(executions::export_team_executions),
    }
    LIST_WORKFLOW_EXECUTIONS {
        name: "list_workflow_executions",
        method: Method::GET,
        path: "/api/executions",
        permission: Some(Permission::ExecutionsRead),
        transfer: Transfer::Buffered,
        max_body_bytes: MAX_BODY_BYTES,
        handler: handler!(executions::list_workflow_executions),
    }
    GET_EXECUTION {
        name: "get_execution",
        method: Method::GET,
        path: "/api/executions/{id}",
        permission: Some(Permission::ExecutionsRead),
        transfer: Transfer::Streamed,
        max_body_bytes: MAX_BODY_BYTES,
        handler: handler!(executions::get_execution),
    }
    CANCEL_EXECUTION {
        name: "cancel_execution",
        method: Method::POST,
        path: "/api/executions/{id}/cancel",
        permission: Some(Permission::ExecutionsCancel),
        transfer: Transfer::Buffered,
        max_body_bytes: MAX_BODY_BYTES,
        handler: handler!(executions::cancel_execution),
    }
    PIN_EXECUTION {
        name: "pin_execution",
        method: Method::PUT,
        path: "/api/executions/{id}/pin",
        permission: Some(Permission::ExecutionsPin),
        transfer: Transfer::Buffered,
        max_body_bytes: MAX_BODY_BYTES,
        handler: handler!(executions::pin_execution),
    }
    UNPIN_EXECUTION {
        name: "unpin_execution",
        method: Method::DELETE,
        path: "/api/executions/{id}/pin",
        permission: Some(Permission::ExecutionsPin),
        transfer: Transfer::Buffered,
        max_body_bytes: MAX_BODY_BYTES,
        handler: handler!(executions::unpin_execution),
    }
    LIST_HISTORY_EXECUTIONS {
        name: "list_history_executions",
        method: Method::GET,
        path: "/api/history/executions",
        permission: Some(Permission::ExecutionsRead),
        transfer: Transfer::Streamed,
        max_body_bytes: MAX_BODY_BYTES,
        handler: handler!(history::list_history_executions),
    }
    LIST_HISTORY_FLOW_EXECUTIONS {
        name: "list_history_flow_executions",
        method: Method::GET,
        path: "/api/history/executions/flows/{flowId}",
        permission: Some(Permission::ExecutionsRead),
        transfer: Transfer::Streamed,
        max_body_bytes: MAX_BODY_BYTES,
        handler: handler!(history::list_history_flow_executions),
    }
    GET_HISTORY_EXECUTION {
        name: "get_history_execution",
        method: Method::GET,
        path: "/api/history/executions/{executionId}",
        permission: Some(Permission::ExecutionsRead),
        transfer: Transfer::Streamed,
        max_body_bytes: MAX_BODY_BYTES,
        handler: handler!(history::get_history_execution),
    }
    GET_HISTORY_STATISTICS {
        name: "get_history_statistics",
        method: Method::GET,
        path: "/api/history/execution-stats",
        permission: Some(Permission::ExecutionsRead),
        transfer: Transfer::Buffered,
        max_body_bytes: MAX_BODY_BYTES,
        handler: handler!(history::get_history_statistics),
    }
    GET_HISTORY_STEP_STATISTICS {
        name: "get_history_step_statistics",
        method: Method::GET,
        path: "/api/history/step-stats",
        permission: Some(Permission::ExecutionsRead),
        transfer: Transfer::Buffered,
        max_body_bytes: MAX_BODY_BYTES,
        handler: handler!(history::get_history_step_statistics),
    }
    DELETE_HISTORY_EXECUTION {
        name: "delete_history_execution",
        method: Method::DELETE,
        path: "/api/history/executions/{executionId}",
        permission: Some(Permission::ExecutionsDelete),
        transfer: Transfer::Buffered,
        max_body_bytes: MAX_BODY_BYTES,
        handler: handler!(history::delete_history_execution),
    }
    DELETE_HISTORY_FLOW_EXECUTIONS {
        name: "delete_history_flow_executions",
        method: Method::DELETE,
        path: "/api/history/executions/flows/{flowId}",
        permission: Some(Permission::ExecutionsDelete),
        transfer: Transfer::Buffered,
        max_body_bytes: MAX_BODY_BYTES,
        handler: handler!(history::delete_history_flow_executions),
    }
    GET_MASKING_SETTINGS {
        name: "get_masking_settings",
        method: Method::GET,
        path: "/api/settings/masking",
        permission: Some(Permission::SettingsManage),
        transfer: Transfer::Buffered,
        max_body_bytes: MAX_BODY_BYTES,
        handler: handler!(admin::get_masking_settings),
    }
    TRY_MASKING_SETTINGS {
        name: "try_masking_settings",
        method: Method::POST,
        path: "/api/settings/masking/try",
        permission: Some(Permission::SettingsManage),
        transfer: Transfer::Buffered,
        max_body_bytes: MAX_BODY_BYTES,
        handler: handler!(admin::try_masking_settings),
    }
    UPDATE_MASKING_SETTINGS {
        name: "update_masking_settings",
        method: Method::PUT,
        path: "/api/settings/masking",
        permission: Some(Permission::SettingsManage),
        transfer: Transfer::Buffered,
        max_body_bytes: MAX_BODY_BYTES,
        handler: handler!(admin::update_masking_settings),
    }
    GET_RETENTION_SETTINGS {
        name: "get_retention_settings",
        method: Method::GET,
        path: "/api/settings/retention",
        permission: Some(Permission::SettingsManage),
        transfer: Transfer::Buffered,
        max_body_bytes: MAX_BODY_BYTES,
        handler: handler!(admin::get_retention_settings),
    }
    UPDATE_RETENTION_SETTINGS {
        name: "update_retention_settings",
        method: Method::PUT,
        path: "/api/settings/retention",
        permission: Some(Permission::SettingsManage),
        transfer: Transfer::Buffered,
        max_body_bytes: MAX_BODY_BYTES,
        handler: handler!(admin::update_retention_settings),
    }
    GET_STALLED_SETTINGS {
        name: "get_stalled_settings",
        method: Method::GET,
        path: "/api/settings/stalled",
        permission: Some(Permission::SettingsManage),
        transfer: Transfer::Buffered,
        max_body_bytes: MAX_BODY_BYTES,
        handler: handler!(admin::get_stalled_settings),
    }
    UPDATE_STALLED_SETTINGS {
        name: "update_stalled_settings",
        method: Method::PUT,
        path: "/api/settings/stalled",
        permission: Some(Permission::SettingsManage),
        transfer: Transfer::Buffered,
        max_body_bytes: MAX_BODY_BYTES,
        handler: handler!(admin::update_stalled_settings),
    }
    CREATE_TOKEN {
        name: "create_token",
        method: Method::POST,
        path: "/api/tokens",
        permission: Some(Permission::TokensManage),
        transfer: Transfer::Buffered,
        max_body_bytes: MAX_BODY_BYTES,
        handler: handler!(admin::create_token),
    }
    LIST_TOKENS {
        name: "list_tokens",
        method: Method::GET,
        path: "/api/tokens",
        permission: Some(Permission::TokensManage),
        transfer: Transfer::Buffered,
        max_body_bytes: MAX_BODY_BYTES,
        handler: handler!(admin::list_tokens),
    }
    REVOKE_TOKEN {
        name: "revoke_token",
        method: Method::DELETE,
        path: "/api/tokens/{tokenId}",
        permission: Some(Permission::TokensManage),
        transfer: Transfer::Buffered,
        max_body_bytes: MAX_BODY_BYTES,
        handler: handler!(admin::revoke_token),
    }
    GET_ROLES {
        name: "get_roles",
        method: Method::GET,
        path: "/api/roles",
        permission: Some(Permission::TokensManage),
        transfer: Transfer::Buffered,
        max_body_bytes: MAX_BODY_BYTES,
        handler: handler!(admin::get_roles),
    }
    UPDATE_ROLES {
        name: "update_roles",
        method: Method::PUT,
        path: "/api/roles",
        permission: Some(Permission::TokensManage),
        transfer: Transfer::Buffered,
        max_body_bytes: MAX_BODY_BYTES,
        handler: handler!(admin::update_roles),
    }
    GET_CALLER {
        name: "get_caller",
        method: Method::GET,
        path: "/api/caller",
        permission: None,
        transfer: Transfer::Buffered,
        max_body_bytes: MAX_BODY_BYTES,
        handler: handler!(admin::get_caller),
    }
    LIST_AUDIT_EVENTS {
        name: "list_audit_events",
        method: Method::GET,
        path: "/api/audit",
        permission: Some(Permission::AuditRead),
        transfer: Transfer::Buffered,
        max_body_bytes: MAX_BODY_BYTES,
        handler: handler!(admin::list_audit_events),
    }
    INGEST_TRACES {
        name: "ingest_traces",
        method: Method::POST,
        path: "/v1/traces",
        permission: Some(Permission::ExecutionsWrite),
        // Where an answer is whole, a gateway gets protobuf as base64, and does not
        // unpack it for who accepts anything.
        transfer: Transfer::Streamed,
        max_body_bytes: traces::MAX_BODY_BYTES,
        handler: handler!(traces::ingest_traces),
    }
}

/// The names of all functions of the application: those of the routes, and those that
/// answer no route of the API.
pub fn function_names() -> impl Iterator<Item = &'static str> {
    let routes = ROUTES.iter().map(|route| route.name);
    routes.chain([
        "authorize",
        "console",
        "count",
        "import_state_machine_execution",
        "reap",
        "sweep",
    ])
}

impl Route {
    /// Answers a request, whatever becomes of it, and logs one line.
    ///
    /// The caller is the one that API Gateway's authorizer made or, where no
    /// authorizer has been (on a laptop, under `cargo lambda`), the one that
    /// the same authentication makes here. Either way the permission is checked
    /// here.
    pub async fn answer(&self, app: &App, request: &Request) -> Reply {
        let start = Instant::now();
        let request_id = request_id(request);
        let store = app.store().metered();
        let mut team_id = None;
        let answer = async {
            let mut caller = caller(app, request).await?;
            caller.origin = Origin {
                request_id: Some(request_id.clone()),
                source_ip: source_ip(request),
            };
            team_id = Some(caller.team_id.to_string());
            if let Some(permission) = self.permission {
                caller.require(permission)?;
            }
            (self.handler)(&store, &caller, request).await
        };
        let answer = timeout(ANSWERED_WITHIN, answer).await;
        let answer =
            answer.unwrap_or_else(|elapsed| Err(Error::Unavailable(elapsed.into()).into()));
        let mut reply = match answer {
            Ok(reply) => reply,
            Err(problem) => {
                if problem.status() == StatusCode::NOT_FOUND {
                    wait_for_tick(start, NOT_FOUND_EVERY).await;
                }
                traces::problem_for(request.headers(), &problem, &request_id)
            }
        };
        let usage = store.usage();
        let allowed_origins = app.allowed_origins();
        allowed_origins.answer(request.headers(), reply.headers_mut());
        tracing::info!(
            target: metrics::TARGET,
            request_id,
            route = self.name,
            team_id,
            status = reply.status().as_u16(),
            duration_ms = start.elapsed().as_secs_f64() * 1_000.0,
            table_requests = usage.requests,
            capacity_units = usage.capacity_units,
            "answered"
        );
        reply.extensions_mut().insert::<Usage>(usage);
        reply
    }
}

/// How long an answer may take to begin: below a function's 25 seconds, and those below
/// the 29 at which API Gateway gives up, so that a table that does not answer is told
/// of, with 503. A request that is left in the middle is one that crashed there.
pub const ANSWERED_WITHIN: Duration = Duration::from_secs(22);

/// At which multiples of a time something is not found. To see that a run is another
/// team's takes longer than to see that there is none, the longer the larger it is, up
/// to 1 MB; and nobody is to learn from that that it exists.
const NOT_FOUND_EVERY: Duration = Duration::from_millis(100);

async fn caller(app: &App, request: &Request) -> Result<Caller, Problem> {
    if let Some(caller) = authorizer::caller_of(request) {
        return Ok(caller);
    }
    let mut headers = request.headers().get_all(AUTHORIZATION).iter();
    let header = headers.next();
    // Events carry each header twice, under `headers` and `multiValueHeaders`;
    // two that differ are an attempt at being two callers.
    if headers.any(|other| Some(other) != header) {
        return Err(Error::Unauthenticated("Send one Authorization header.").into());
    }
    let header = header.and_then(|header| header.to_str().ok());
    Ok(app.authenticate(header).await?)
}

/// The address of the caller, as the gateway saw it: no header can tell another.
fn source_ip(request: &Request) -> Option<String> {
    match request.request_context_ref()? {
        RequestContext::ApiGatewayV1(context) => context.identity.source_ip.clone(),
        RequestContext::ApiGatewayV2(context) => context.http.source_ip.clone(),
        _ => None,
    }
}

/// The id of a request that came in without one from Lambda or API Gateway.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

/// The id under which the log has this request: API Gateway's, which its access
/// log shows too, else Lambda's, else the local server's.
pub fn request_id(request: &Request) -> String {
    let gateway = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV1(context)) => context.request_id.clone(),
        Some(RequestContext::ApiGatewayV2(context)) => context.request_id.clone(),
        _ => None,
    };
    let local = || request.extensions().get().map(|RequestId(id)| id.clone());
    let lambda = || {
        request
            .lambda_context_ref()
            .map(|context| context.request_id.clone())
    };
    gateway
        .filter(|id| !id.is_empty())
        .or_else(local)
        .or_else(lambda)
        .unwrap_or_default()
}
