//! Declares every endpoint once. A declaration has the method, the path, the handler, the
//! parameters, the permission with the other options, and the grants of its function on the table.
//!
//! The Lambda binaries, their functions in `template.yaml`, the sample events, the router of
//! `cargo lambda watch` and the local server follow from these declarations.
//! `tests/generated.rs` writes the files, and fails if one of them is out of date.

use std::sync::LazyLock;

use http::Method;
use shared::auth::Permission::{
    AuditRead, ExecutionsCancel, ExecutionsDelete, ExecutionsExport, ExecutionsPin, ExecutionsRead,
    ExecutionsWrite, SettingsManage, TokensManage,
};
use shared::table::{
    BY_DEVICE, BY_FLOW, BY_FLOW_STATUS, BY_PARENT, BY_TEAM, BY_TEAM_STATUS, Index,
};

use crate::admin::{self, parameters as admin_api};
use crate::executions::{self, parameters as executions_api};
use crate::flow_executions::{self, parameters as flow_api};
use crate::grant::{
    AUDIT, BATCH_GET, BATCH_WRITE, COUNTS, DELETE, DELETIONS, DURATIONS, GET, Grant, LABELS, PUT,
    QUERY, RUN_IDS, RUNS, SETTINGS, TOKEN_LIST, TOKENS, UPDATE, batch_get, check, delete, each,
    get, put, query, query_indexes, update,
};
use crate::history::{self, parameters as history_api};
use crate::openapi::Describe;
use crate::openapi::parameter::ParameterDescription;
use crate::route::{Options, Route, anyone, current, remembered};
use crate::traces;

/// The indexes of all lists.
const ALL_INDEXES: &[&Index] = &[
    &BY_DEVICE,
    &BY_FLOW,
    &BY_FLOW_STATUS,
    &BY_PARENT,
    &BY_TEAM,
    &BY_TEAM_STATUS,
];

/// The indexes of the lists of a team.
const TEAM_INDEXES: &[&Index] = &[
    &BY_DEVICE,
    &BY_FLOW,
    &BY_FLOW_STATUS,
    &BY_TEAM,
    &BY_TEAM_STATUS,
];

/// The memory, in megabytes, of a function that shows one payload of a run and one of a step. Each
/// payload of up to 64 MiB is in memory as stored, decoded, and in the response.
const TWO_PAYLOADS_MB: u32 = 1024;
/// The memory, in megabytes, of a function that shows two payloads of a run (its input and its
/// output) and one of a step.
const THREE_PAYLOADS_MB: u32 = 1536;
/// The memory, in megabytes, of a function that shows the steps of 500 runs.
const STEPS_OF_RUNS_MB: u32 = 512;
/// The memory, in megabytes, of a function that holds 16 MB of spans, as sent and as records.
const SPANS_MB: u32 = 1024;
/// The memory, in megabytes, of an export. It needs a tenth of it, but Lambda scales the processor
/// with the memory.
const EXPORT_MB: u32 = 1024;
/// The time limit of an export, in seconds: Lambda's limit for a stream. The gateway's limit of 29
/// seconds does not apply to streams. A regional API ends a stream after 5 minutes without data.
const EXPORT_SECONDS: u32 = 900;

/// Allows showing the payloads of a run with the team's masking. Before secrets are revealed, the
/// caller's token is read again, and an audit event is written.
const DETAILS: &[Grant] = &[
    get(&[RUNS, SETTINGS]),
    query(&[RUNS]),
    put(&[AUDIT]),
    get(&[TOKENS]),
];

/// Allows the same, and reading the top-level steps of a run with nested steps by their keys.
const TOP_LEVEL_STEPS: &[Grant] = &[
    get(&[RUNS, SETTINGS]),
    query(&[RUNS]),
    batch_get(&[RUNS]),
    put(&[AUDIT]),
    get(&[TOKENS]),
];

/// Allows showing the payloads of the steps of branches, in the same way as [`TOP_LEVEL_STEPS`].
const BRANCHES: &[Grant] = &[
    get(&[SETTINGS]),
    query(&[RUNS]),
    batch_get(&[RUNS]),
    put(&[AUDIT]),
    get(&[TOKENS]),
];

const READ_SETTINGS: &[Grant] = &[get(&[SETTINGS])];

/// Allows replacing settings together with their audit event, on the condition that the caller's
/// token is valid.
const CHANGE_SETTINGS: &[Grant] = &[
    get(&[SETTINGS, TOKENS]),
    put(&[SETTINGS, AUDIT]),
    check(&[TOKENS]),
];

/// Declares each endpoint as a separate static, and all of them as [`ROUTES`]. A Lambda binary
/// refers only to its own endpoint, so it does not link the handlers of the others.
///
/// An endpoint's description is the function with the handler's name in the module `description`
/// of its API, unless the line names another: `history::get_x described history::describe_x`.
macro_rules! routes {
    ($(
        $name:ident: $method:ident $path:literal
            $api:ident::$handler:ident $(described $description:path)?,
            [$($parameters:expr),*], $options:expr, $grants:expr;
    )*) => {
        $(
            #[doc = concat!("The endpoint `", stringify!($handler), "`.")]
            pub static $name: Route = {
                const OPTIONS: Options = $options;
                Route {
                    name: stringify!($handler),
                    method: Method::$method,
                    path: $path,
                    permission: OPTIONS.permission,
                    authority: OPTIONS.authority,
                    transfer: OPTIONS.transfer,
                    max_body_bytes: OPTIONS.max_body_bytes,
                    memory_mb: OPTIONS.memory_mb,
                    timeout_seconds: OPTIONS.timeout_seconds,
                    parameters: LazyLock::new(|| <[&[ParameterDescription]]>::concat(&[
                        $($parameters.descriptions()),*
                    ])),
                    handler: |store, caller, request| {
                        Box::pin($api::$handler(store, caller, request))
                    },
                    grants: $grants,
                }
            };
        )*
        /// Every endpoint.
        pub static ROUTES: &[&Route] = &[$(&$name),*];

        /// Every endpoint with the module of its API and its description.
        pub(crate) static OPERATIONS: &[(&Route, &str, Describe)] = &[$((
            &$name,
            stringify!($api),
            description!($api::$handler $($description)?),
        )),*];
    };
}

macro_rules! description {
    ($api:ident::$handler:ident) => {
        $api::description::$handler
    };
    ($api:ident::$handler:ident $description:path) => {
        $description
    };
}

routes! {
    LIST_FLOW_EXECUTIONS: GET "/flow-executions" flow_executions::list_flow_executions,
        [flow_api::LIST],
        remembered(ExecutionsRead), &[
            query_indexes(&[&BY_FLOW, &BY_FLOW_STATUS]), query(&[LABELS]), get(&[SETTINGS]),
        ];
    GET_FLOW_EXECUTION: GET "/flow-executions/{flowExecutionId}" flow_executions::get_flow_execution,
        [flow_api::DETAILS],
        remembered(ExecutionsRead).streamed().memory(TWO_PAYLOADS_MB), TOP_LEVEL_STEPS;
    GET_FLOW_EXECUTION_BRANCH_STEPS: GET "/flow-executions/{flowExecutionId}/branch-steps" flow_executions::get_flow_execution_branch_steps,
        [flow_api::BRANCH_STEPS],
        remembered(ExecutionsRead).streamed().memory(TWO_PAYLOADS_MB), BRANCHES;
    GET_FLOW_EXECUTION_STEP: GET "/flow-executions/{flowExecutionId}/step" flow_executions::get_flow_execution_step,
        [flow_api::STEP],
        remembered(ExecutionsRead).streamed().memory(TWO_PAYLOADS_MB), DETAILS;
    LIST_TEAM_EXECUTIONS: GET "/api/executions/team/{teamId}" executions::list_team_executions,
        [executions_api::TEAM, executions_api::TEAM_LIST],
        remembered(ExecutionsRead), &[
            query(&[COUNTS, LABELS, RUNS]), query_indexes(TEAM_INDEXES), get(&[SETTINGS]),
        ];
    EXPORT_TEAM_EXECUTIONS: GET "/api/executions/team/{teamId}/export" executions::export_team_executions,
        [executions_api::TEAM, executions_api::EXPORT],
        current(ExecutionsExport).streamed().memory(EXPORT_MB).timeout(EXPORT_SECONDS), &[
            get(&[SETTINGS]), query(&[RUNS, LABELS]), query_indexes(TEAM_INDEXES),
            each(&[PUT, UPDATE], &[AUDIT]), get(&[TOKENS]),
        ];
    LIST_WORKFLOW_EXECUTIONS: GET "/api/executions" executions::list_workflow_executions,
        [executions_api::WORKFLOW_LIST],
        remembered(ExecutionsRead), &[
            query(&[COUNTS, LABELS, RUNS]),
            query_indexes(&[&BY_DEVICE, &BY_FLOW, &BY_FLOW_STATUS]), get(&[SETTINGS]),
        ];
    GET_EXECUTION: GET "/api/executions/{id}" executions::get_execution,
        [executions_api::DETAILS],
        remembered(ExecutionsRead).streamed().memory(THREE_PAYLOADS_MB), DETAILS;
    CANCEL_EXECUTION: POST "/api/executions/{id}/cancel" executions::cancel_execution,
        [executions_api::EXECUTION_ID],
        current(ExecutionsCancel), &[
            get(&[RUNS]), put(&[AUDIT]), update(&[RUNS, AUDIT]), query_indexes(&[&BY_PARENT]),
            get(&[SETTINGS, TOKENS]),
        ];
    PIN_EXECUTION: PUT "/api/executions/{id}/pin" executions::pin_execution,
        [executions_api::EXECUTION_ID],
        current(ExecutionsPin), &[
            each(&[GET, QUERY, UPDATE], &[RUNS]), put(&[AUDIT]), get(&[SETTINGS, TOKENS]),
        ];
    UNPIN_EXECUTION: DELETE "/api/executions/{id}/pin" executions::unpin_execution,
        [executions_api::EXECUTION_ID],
        current(ExecutionsPin), &[
            each(&[GET, UPDATE], &[RUNS]), put(&[AUDIT]), get(&[SETTINGS, TOKENS]),
        ];
    LIST_HISTORY_EXECUTIONS: GET "/api/history/executions" history::list_history_executions,
        [history_api::LIST],
        remembered(ExecutionsRead).streamed().memory(STEPS_OF_RUNS_MB), &[
            query(&[COUNTS, LABELS, RUNS]), query_indexes(ALL_INDEXES), get(&[SETTINGS]),
        ];
    LIST_HISTORY_FLOW_EXECUTIONS: GET "/api/history/executions/flows/{flowId}" history::list_history_flow_executions,
        [history_api::FLOW_LIST],
        remembered(ExecutionsRead).streamed().memory(STEPS_OF_RUNS_MB), &[
            query(&[LABELS, RUNS]), query_indexes(&[&BY_FLOW, &BY_FLOW_STATUS]),
            get(&[SETTINGS]),
        ];
    GET_HISTORY_EXECUTION: GET "/api/history/executions/{executionId}" history::get_history_execution,
        [history_api::DETAILS],
        remembered(ExecutionsRead).streamed().memory(TWO_PAYLOADS_MB), TOP_LEVEL_STEPS;
    GET_HISTORY_STATISTICS: GET "/api/history/execution-stats" history::get_history_statistics,
        [history_api::STATISTICS],
        remembered(ExecutionsRead), &[
            query(&[COUNTS, DURATIONS, LABELS]), query_indexes(ALL_INDEXES),
        ];
    GET_HISTORY_STEP_STATISTICS: GET "/api/history/step-stats" history::get_history_step_statistics,
        [history_api::STEP_STATISTICS],
        remembered(ExecutionsRead), &[
            query(&[LABELS, RUNS]),
            query_indexes(&[&BY_DEVICE, &BY_FLOW, &BY_FLOW_STATUS, &BY_PARENT]),
        ];
    DELETE_HISTORY_EXECUTION: DELETE "/api/history/executions/{executionId}" history::delete_history_execution,
        [history_api::DELETE],
        current(ExecutionsDelete), &[
            each(&[DELETE, GET], &[RUNS]), put(&[RUNS, AUDIT]), update(&[AUDIT]),
            get(&[SETTINGS, TOKENS]),
        ];
    DELETE_HISTORY_FLOW_EXECUTIONS: DELETE "/api/history/executions/flows/{flowId}" history::delete_history_flow_executions,
        [history_api::FLOW_DELETE],
        current(ExecutionsDelete), &[
            delete(&[RUNS]), get(&[DELETIONS]), put(&[DELETIONS, RUNS, AUDIT]), update(&[AUDIT]),
            query_indexes(&[&BY_FLOW]), get(&[SETTINGS, TOKENS]),
        ];
    GET_MASKING_SETTINGS: GET "/api/settings/masking" admin::get_masking_settings, [],
        remembered(SettingsManage), READ_SETTINGS;
    TRY_MASKING_SETTINGS: POST "/api/settings/masking/try" admin::try_masking_settings, [],
        remembered(SettingsManage), READ_SETTINGS;
    UPDATE_MASKING_SETTINGS: PUT "/api/settings/masking" admin::update_masking_settings, [],
        current(SettingsManage), CHANGE_SETTINGS;
    GET_RETENTION_SETTINGS: GET "/api/settings/retention" admin::get_retention_settings, [],
        remembered(SettingsManage), READ_SETTINGS;
    UPDATE_RETENTION_SETTINGS: PUT "/api/settings/retention" admin::update_retention_settings, [],
        current(SettingsManage), CHANGE_SETTINGS;
    GET_STALLED_SETTINGS: GET "/api/settings/stalled" admin::get_stalled_settings, [],
        remembered(SettingsManage), READ_SETTINGS;
    UPDATE_STALLED_SETTINGS: PUT "/api/settings/stalled" admin::update_stalled_settings, [],
        current(SettingsManage), CHANGE_SETTINGS;
    GET_PROFILE_SETTINGS: GET "/api/settings/profiles" admin::get_profile_settings, [],
        remembered(SettingsManage), READ_SETTINGS;
    UPDATE_PROFILE_SETTINGS: PUT "/api/settings/profiles" admin::update_profile_settings, [],
        current(SettingsManage), CHANGE_SETTINGS;
    CREATE_TOKEN: POST "/api/tokens" admin::create_token, [],
        current(TokensManage), &[
            get(&[SETTINGS]), put(&[TOKENS, TOKEN_LIST, AUDIT]), check(&[TOKENS]),
            get(&[TOKENS]),
        ];
    LIST_TOKENS: GET "/api/tokens" admin::list_tokens, [admin_api::TOKEN_LIST],
        remembered(TokensManage), &[query(&[TOKEN_LIST]), batch_get(&[TOKENS])];
    REVOKE_TOKEN: DELETE "/api/tokens/{tokenId}" admin::revoke_token, [admin_api::TOKEN_ID],
        current(TokensManage), &[
            each(&[GET, UPDATE], &[TOKENS]), put(&[TOKEN_LIST, AUDIT]), get(&[SETTINGS]),
        ];
    GET_ROLES: GET "/api/roles" admin::get_roles, [],
        remembered(TokensManage), READ_SETTINGS;
    UPDATE_ROLES: PUT "/api/roles" admin::update_roles, [],
        current(TokensManage), CHANGE_SETTINGS;
    GET_CALLER: GET "/api/caller" admin::get_caller, [],
        anyone(), &[];
    LIST_AUDIT_EVENTS: GET "/api/audit" admin::list_audit_events,
        [admin_api::AUDIT],
        remembered(AuditRead), &[query(&[AUDIT])];
    INGEST_TRACES: POST "/v1/traces" traces::ingest_traces, [traces::PARAMETERS],
        // A gateway gets a buffered protobuf response as base64, and does not decode it for a
        // client that accepts any type. So the response is streamed.
        current(ExecutionsWrite).streamed().body_up_to(traces::MAX_BODY_BYTES).memory(SPANS_MB), &[
            each(&[BATCH_GET, BATCH_WRITE, DELETE, GET, PUT, QUERY, UPDATE], &[RUNS]),
            check(&[RUNS]),
            get(&[SETTINGS, TOKENS]),
            put(&[RUN_IDS]),
        ];
}

/// The functions of the application that do not serve a route of the API.
pub const OTHER_FUNCTIONS: [&str; 6] = [
    "authorize",
    "console",
    "count",
    "import_state_machine_execution",
    "reap",
    "sweep",
];

/// The names of all functions of the application.
pub fn function_names() -> impl Iterator<Item = &'static str> {
    let routes = ROUTES.iter().map(|route| route.name);
    routes.chain(OTHER_FUNCTIONS)
}
