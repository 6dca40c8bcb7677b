//! A successful request for every route.

/// A route, and a path of a request that succeeds.
pub const CALLS: &[(&str, &str)] = &[
    ("get_caller", "/api/caller"),
    ("list_tokens", "/api/tokens"),
    ("get_roles", "/api/roles"),
    ("get_masking_settings", "/api/settings/masking"),
    ("get_retention_settings", "/api/settings/retention"),
    ("get_stalled_settings", "/api/settings/stalled"),
    ("get_profile_settings", "/api/settings/profiles"),
    ("try_masking_settings", "/api/settings/masking/try"),
    ("list_audit_events", "/api/audit"),
    (
        "list_flow_executions",
        "/flow-executions?flowDefinitionId=flow-1&label=orderId=42",
    ),
    ("get_flow_execution", "/flow-executions/{team}-run"),
    (
        "get_flow_execution_branch_steps",
        "/flow-executions/{team}-run/branch-steps?parentStepInstanceId=fork-1&parentStepStartTime=2026-02-17T10:30:00.100Z",
    ),
    (
        "get_flow_execution_step",
        "/flow-executions/{team}-run/step?stepInstanceId=step-1&startTime=2026-02-17T10:30:00.010Z",
    ),
    (
        "list_team_executions",
        "/api/executions/team/{team}?page=1&size=1",
    ),
    (
        "export_team_executions",
        "/api/executions/team/{team}/export?from=2026-02-01",
    ),
    (
        "list_workflow_executions",
        "/api/executions?workflowId=flow-1",
    ),
    ("get_execution", "/api/executions/{team}-run"),
    (
        "list_history_executions",
        "/api/history/executions?label=orderId=42",
    ),
    (
        "list_history_flow_executions",
        "/api/history/executions/flows/flow-1",
    ),
    (
        "get_history_execution",
        "/api/history/executions/{team}-run",
    ),
    (
        "get_history_statistics",
        "/api/history/execution-stats?startDate=2026-02-01",
    ),
    (
        "get_history_step_statistics",
        "/api/history/step-stats?flowId=flow-1&startDate=2026-02-01",
    ),
    ("ingest_traces", "/v1/traces"),
    ("create_token", "/api/tokens"),
    ("revoke_token", "/api/tokens/{token_id}"),
    ("pin_execution", "/api/executions/{team}-run/pin"),
    ("unpin_execution", "/api/executions/{team}-run/pin"),
    ("cancel_execution", "/api/executions/{team}-open/cancel"),
    (
        "delete_history_execution",
        "/api/history/executions/{team}-deleted",
    ),
    (
        "delete_history_flow_executions",
        "/api/history/executions/flows/flow-gone",
    ),
    ("update_roles", "/api/roles"),
    ("update_masking_settings", "/api/settings/masking"),
    ("update_retention_settings", "/api/settings/retention"),
    ("update_stalled_settings", "/api/settings/stalled"),
    ("update_profile_settings", "/api/settings/profiles"),
];
