//! The paths with which every route is tested, and the expected answers.

use axum::http::Method;
use functions::route::Route;
use functions::routes::ROUTES;

use crate::support::samples::fill_path;

/// Paths that name a run of `team-a`, and the answers to other callers. Routes that are not listed
/// are called with the path alone.
const PATHS: &[(&str, &str, Expected)] = &[
    (
        "list_flow_executions",
        "/flow-executions?flowDefinitionId=flow-1",
        OWN,
    ),
    (
        "get_flow_execution_branch_steps",
        "/flow-executions/run-1/branch-steps?parentStepInstanceId=fork-1&parentStepStartTime=2026-02-17T10:30:00.100Z",
        NOT_FOUND,
    ),
    (
        "get_flow_execution_step",
        "/flow-executions/run-1/step?stepInstanceId=fork-1&startTime=2026-02-17T10:30:00.100Z",
        NOT_FOUND,
    ),
    (
        "list_team_executions",
        "/api/executions/team/team-a?workflowId=flow-1",
        FORBIDDEN,
    ),
    (
        "export_team_executions",
        "/api/executions/team/team-a/export?workflowId=flow-1&from=2026-02-01",
        FORBIDDEN,
    ),
    (
        "list_workflow_executions",
        "/api/executions?workflowId=flow-1",
        OWN,
    ),
    (
        "list_history_executions",
        "/api/history/executions?flowId=flow-1",
        OWN,
    ),
    (
        "get_history_statistics",
        "/api/history/execution-stats?flowId=flow-1",
        OWN,
    ),
    (
        "get_history_step_statistics",
        "/api/history/step-stats?flowId=flow-1",
        OWN,
    ),
    ("get_masking_settings", "/api/settings/masking", ANYONE),
    ("pin_execution", "/api/executions/ended/pin", NO_SUCH_RUN),
    ("unpin_execution", "/api/executions/ended/pin", NO_SUCH_RUN),
    ("revoke_token", "/api/tokens/{token_id}", NO_SUCH_TOKEN),
    ("get_caller", "/api/caller", ANYONE),
];

/// Each route with its path, which has the id of a token of `team-a`, and the expected answers.
pub fn paths(token_id: &str) -> Vec<(&'static str, String, Expected)> {
    let row = |route: &&Route| {
        let listed = PATHS.iter().find(|(name, ..)| *name == route.name);
        let (path, expected) = listed.map_or_else(
            || {
                (
                    fill_path(route.path, "run-1", "flow-1", "team-a"),
                    expected_of(route),
                )
            },
            |(_, path, expected)| (path.replace("{token_id}", token_id), *expected),
        );
        (route.name, path, expected)
    };
    ROUTES.iter().map(row).collect()
}

/// The answers of a route by what its path names.
fn expected_of(route: &Route) -> Expected {
    let names_run = ["{executionId}", "{flowExecutionId}", "{id}"]
        .iter()
        .any(|id| route.path.contains(id));
    match () {
        () if route.path.contains("{teamId}") => FORBIDDEN,
        () if names_run && route.method == Method::GET => NOT_FOUND,
        () if names_run => NO_SUCH_RUN,
        () => OWN,
    }
}

const fn expected(other_team: (u16, &'static str), other_flow: (u16, &'static str)) -> Expected {
    Expected {
        other_team,
        other_flow,
    }
}

/// Every caller may call the route.
const ANYONE: Expected = expected((200, ""), (200, ""));

/// Another team gets its own data. A token limited to flows cannot call the route.
const OWN: Expected = expected((200, ""), (403, "FORBIDDEN"));

/// The path names the team or the flow.
const FORBIDDEN: Expected = expected((403, "FORBIDDEN"), (403, "FORBIDDEN"));

/// Other callers must not learn that the run exists.
const NOT_FOUND: Expected = expected((404, "EXECUTION_NOT_FOUND"), (404, "EXECUTION_NOT_FOUND"));

/// Another team must not learn that the run exists. A token of the team limited to another
/// flow is refused.
const NO_SUCH_RUN: Expected = expected((404, "EXECUTION_NOT_FOUND"), (403, "FORBIDDEN"));

const NO_SUCH_TOKEN: Expected = expected((404, "NOT_FOUND"), (403, "FORBIDDEN"));

/// The status and the code with which a route answers an admin of another team, and an
/// admin of the team who is limited to another flow.
#[derive(Clone, Copy)]
pub struct Expected {
    pub other_team: (u16, &'static str),
    pub other_flow: (u16, &'static str),
}
