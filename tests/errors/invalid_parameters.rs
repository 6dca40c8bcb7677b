//! Invalid parameters are refused with a clear 4xx, never a 500.

use serde_json::json;

use crate::support::TestApp;
use crate::support::records::execution;

/// The parameters of a fork, for the placeholder `{fork}` below.
const FORK: &str = "parentStepInstanceId=fork-1&parentStepStartTime=2026-02-17T10:30:00.000Z";

/// The path of a step, for the placeholder `{step}` below.
const STEP: &str = "/flow-executions/a/step?stepInstanceId=x&startTime=2026-02-17T10:30:00Z";

/// Paths of the flow executions API, each with the parameter that is missing.
const MISSING: [(&str, &str); 9] = [
    ("/flow-executions", "flowDefinitionId"),
    ("/flow-executions?flowDefinitionId=", "flowDefinitionId"),
    ("/flow-executions/a/branch-steps", "parentStepInstanceId"),
    (
        "/flow-executions/a/branch-steps?parentStepInstanceId=x",
        "parentStepStartTime",
    ),
    ("/flow-executions/a/step", "stepInstanceId"),
    ("/flow-executions/a/step?stepInstanceId=x", "startTime"),
    ("{step}&branchExecutionId=b", "parentStepInstanceId"),
    (
        "{step}&branchExecutionId=b&parentStepInstanceId=f",
        "parentStepStartTime",
    ),
    ("{step}&{fork}", "branchExecutionId"),
];

/// Paths of the flow executions API, each with its invalid parameter and a part of the
/// message. `{long}` is an id that is too long.
const INVALID: [(&str, &str, &str); 45] = [
    (
        "/flow-executions?flowDefinitionId=a%23b",
        "flowDefinitionId",
        "1 to 128",
    ),
    (
        "/flow-executions?flowDefinitionId={long}",
        "flowDefinitionId",
        "1 to 128",
    ),
    (
        "/flow-executions?flowDefinitionId=%D1%84",
        "flowDefinitionId",
        "1 to 128",
    ),
    (
        "/flow-executions?flowDefinitionId=%ff%fe",
        "flowDefinitionId",
        "1 to 128",
    ),
    (
        "/flow-executions?flowDefinitionId=f&flowDefinitionId=f",
        "flowDefinitionId",
        "once",
    ),
    (
        "/flow-executions?flowDefinitionId=f&limit=0",
        "limit",
        "from 1 to 500",
    ),
    (
        "/flow-executions?flowDefinitionId=f&limit=501",
        "limit",
        "from 1 to 500",
    ),
    (
        "/flow-executions?flowDefinitionId=f&limit=-1",
        "limit",
        "from 1 to 500",
    ),
    (
        "/flow-executions?flowDefinitionId=f&limit=ten",
        "limit",
        "from 1 to 500",
    ),
    (
        "/flow-executions?flowDefinitionId=f&limit=1.5",
        "limit",
        "from 1 to 500",
    ),
    (
        "/flow-executions?flowDefinitionId=f&limit=99999999999999999999999",
        "limit",
        "from 1 to 500",
    ),
    (
        "/flow-executions?flowDefinitionId=f&limit=1&limit=1",
        "limit",
        "once",
    ),
    (
        "/flow-executions?flowDefinitionId=f&status=DONE",
        "status",
        "PENDING, RUNNING, COMPLETED, FAILED, CANCELLED",
    ),
    (
        "/flow-executions?flowDefinitionId=f&status=SUCCESS",
        "status",
        "COMPLETED",
    ),
    (
        "/flow-executions?flowDefinitionId=f&status=completed",
        "status",
        "COMPLETED",
    ),
    (
        "/flow-executions?flowDefinitionId=f&flowVersion={long}",
        "flowVersion",
        "1 to 128",
    ),
    (
        "/flow-executions?flowDefinitionId=f&flowVersion=%00",
        "flowVersion",
        "control",
    ),
    ("/flow-executions/{long}", "flowExecutionId", "1 to 128"),
    ("/flow-executions/a%23b", "flowExecutionId", "1 to 128"),
    ("/flow-executions/a%20b", "flowExecutionId", "1 to 128"),
    ("/flow-executions/a%00", "flowExecutionId", "1 to 128"),
    ("/flow-executions/a?limit=0", "limit", "from 1 to 500"),
    (
        "/flow-executions/a/branch-steps?parentStepInstanceId=x&parentStepStartTime=noon",
        "parentStepStartTime",
        "RFC 3339",
    ),
    (
        "/flow-executions/a/branch-steps?parentStepInstanceId=x&parentStepStartTime=2026-02-30T00:00:00Z",
        "parentStepStartTime",
        "RFC 3339",
    ),
    (
        "/flow-executions/a/branch-steps?parentStepInstanceId=x%23&parentStepStartTime=2026-02-17T10:30:00Z",
        "parentStepInstanceId",
        "1 to 128",
    ),
    (
        "/flow-executions/a/branch-steps?{fork}&limit=0",
        "limit",
        "from 1 to 500",
    ),
    (
        "/flow-executions/a/branch-steps?{fork}&maxPayloadBytes=x",
        "maxPayloadBytes",
        "from 0 to 67108864",
    ),
    (
        "/flow-executions/a?maxPayloadBytes=-1",
        "maxPayloadBytes",
        "from 0 to 67108864",
    ),
    (
        "/flow-executions/a?maxPayloadBytes=67108865",
        "maxPayloadBytes",
        "from 0 to 67108864",
    ),
    (
        "/flow-executions/a?maxPayloadBytes=1.5",
        "maxPayloadBytes",
        "from 0 to 67108864",
    ),
    (
        "/flow-executions/a?maxPayloadBytes=",
        "maxPayloadBytes",
        "from 0 to 67108864",
    ),
    (
        "/flow-executions/a?maxPayloadBytes=1&maxPayloadBytes=1",
        "maxPayloadBytes",
        "once",
    ),
    (
        "/flow-executions/a?stepStatus=PASSED",
        "stepStatus",
        "PENDING, RUNNING, COMPLETED, FAILED, CANCELLED, SKIPPED",
    ),
    (
        "/flow-executions/a/branch-steps?{fork}&stepStatus=failed",
        "stepStatus",
        "FAILED",
    ),
    (
        "/flow-executions/a?runPayloads=context",
        "runPayloads",
        "input, output, executionData, resolvedFinalContextData",
    ),
    (
        "/flow-executions/a?runPayloads=input,,output",
        "runPayloads",
        "separated by commas",
    ),
    (
        "/flow-executions/a?runPayloads=input&runPayloads=output",
        "runPayloads",
        "once",
    ),
    (
        "/flow-executions/a/step?stepInstanceId=x%23&startTime=2026-02-17T10:30:00Z",
        "stepInstanceId",
        "1 to 128",
    ),
    (
        "/flow-executions/a/step?stepInstanceId=x&startTime=noon",
        "startTime",
        "RFC 3339",
    ),
    (
        "{step}&{fork}&branchExecutionId=%23",
        "branchExecutionId",
        "1 to 128",
    ),
    (
        "{step}&maxPayloadBytes=all",
        "maxPayloadBytes",
        "from 0 to 67108864",
    ),
    (
        "/flow-executions?flowDefinitionId=f&limit=",
        "limit",
        "is not valid",
    ),
    (
        "/flow-executions?flowDefinitionId=f&status=",
        "status",
        "is not valid",
    ),
    (
        "/flow-executions?flowDefinitionId=f&flowVersion=",
        "flowVersion",
        "is not valid",
    ),
    ("/flow-executions/a?limit=", "limit", "is not valid"),
];

/// A path with its placeholders filled in.
fn filled(path: &str) -> String {
    let path = path.replace("{step}", STEP).replace("{fork}", FORK);
    path.replace("{long}", &"x".repeat(129))
}

/// Checks that a request is refused before any read of the table, with the name of the
/// parameter and these words.
async fn assert_refused(
    app: &TestApp,
    token: &str,
    path: &str,
    code: &str,
    [name, words]: [&str; 2],
) {
    let answer = app.get(token, path).await;
    assert_eq!(answer.problem(), (400, code.to_owned()), "{path}");
    let body = answer.json();
    assert_eq!(body["parameter"], name, "{path}");
    let message = body["message"].as_str().expect("a text");
    assert!(message.contains(words), "{path}: {message}");
    assert_eq!(
        answer.usage.requests, 0,
        "{path} is refused before any read of the table"
    );
}

#[tokio::test]
async fn a_missing_parameter_is_named() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    for (path, name) in MISSING {
        assert_refused(
            &app,
            &token,
            &filled(path),
            "MISSING_PARAMETER",
            [name, name],
        )
        .await;
    }
}

#[tokio::test]
async fn an_invalid_parameter_is_named_with_its_allowed_values() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    for (path, name, words) in INVALID {
        assert_refused(
            &app,
            &token,
            &filled(path),
            "INVALID_PARAMETER",
            [name, words],
        )
        .await;
    }
}

const TEAM: &str = "/api/executions/team/team-a";
const HISTORY: &str = "/api/history/executions";
const STATS: &str = "/api/history/execution-stats";

/// Paths and queries of the APIs with numbered pages, each with its invalid parameter and a
/// part of the message.
const INVALID_IN_NUMBERED_LISTS: [(&str, &str, &str, &str); 43] = [
    (TEAM, "page=-1", "page", "from 0 to"),
    (TEAM, "page=1.5", "page", "from 0 to"),
    (TEAM, "page=%2B1", "page", "from 0 to"),
    (TEAM, "page=99999999999999999999", "page", "from 0 to"),
    (TEAM, "page=1000000000001", "page", "from 0 to"),
    (TEAM, "page=", "page", "from 0 to"),
    (TEAM, "page=0&page=1", "page", "once"),
    (TEAM, "size=0", "size", "from 1 to 500"),
    (TEAM, "size=501", "size", "from 1 to 500"),
    (
        TEAM,
        "status=COMPLETED",
        "status",
        "PENDING, RUNNING, SUCCESS, FAILED, CANCELLED",
    ),
    (TEAM, "status=PASSED", "status", "SUCCESS"),
    (TEAM, "workflowId=a%23b", "workflowId", "1 to 128"),
    (TEAM, "workflowId=", "workflowId", "1 to 128"),
    (TEAM, "from=yesterday", "from", "2026-02-17"),
    (TEAM, "from=2026-02-30", "from", "2026-02-17"),
    (TEAM, "from=2026-02", "from", "2026-02-17"),
    (TEAM, "from=2026-02-17T10:30", "from", "2026-02-17"),
    (TEAM, "from=-000001-01-01T00:00:00Z", "from", "2026-02-17"),
    (TEAM, "to=2026-02-17T25:00:00Z", "to", "2026-02-17"),
    (TEAM, "to=20260217", "to", "2026-02-17"),
    (
        TEAM,
        "from=2026-02-18&to=2026-02-17",
        "from",
        "must not be after the parameter to",
    ),
    (
        "/api/executions",
        "workflowId=f&size=x",
        "size",
        "from 1 to 500",
    ),
    ("/api/executions/run-1", "limit=0", "limit", "from 1 to 500"),
    ("/api/executions/a%23b", "", "id", "1 to 128"),
    ("/api/executions/team/a%23b", "", "teamId", "1 to 128"),
    (HISTORY, "offset=-1", "offset", "from 0 to"),
    (HISTORY, "offset=x", "offset", "from 0 to"),
    (HISTORY, "limit=501", "limit", "from 1 to 500"),
    (
        HISTORY,
        "status=SUCCESS",
        "status",
        "PENDING, RUNNING, PASSED, FAILED, CANCELLED",
    ),
    (
        HISTORY,
        "executionType=CHILD",
        "executionType",
        "PARENT, SUBFLOW",
    ),
    (HISTORY, "lite=yes", "lite", "true, false"),
    (HISTORY, "deviceId=a%00b", "deviceId", "1 to 128"),
    (HISTORY, "startDate=now", "startDate", "2026-02-17"),
    (
        HISTORY,
        "startDate=2026-02-18&endDate=2026-02-17",
        "startDate",
        "must not be after",
    ),
    (
        "/api/history/executions/flows/a%20b",
        "",
        "flowId",
        "1 to 128",
    ),
    (
        "/api/history/executions/flows/f",
        "limit=0",
        "limit",
        "from 1 to 500",
    ),
    (
        "/api/history/executions/a%20b",
        "",
        "executionId",
        "1 to 128",
    ),
    (STATS, "days=0", "days", "from 1 to 3660"),
    (STATS, "days=3661", "days", "from 1 to 3660"),
    (STATS, "days=thirty", "days", "from 1 to 3660"),
    (STATS, "interval=week", "interval", "hour, day"),
    (STATS, "interval=hour&days=200", "interval", "3700"),
    (
        STATS,
        "endDate=2026-02-17&startDate=2027-01-01",
        "startDate",
        "must not be after",
    ),
];

#[tokio::test]
async fn an_invalid_parameter_of_a_numbered_list_is_named() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    for (path, query, name, words) in INVALID_IN_NUMBERED_LISTS {
        let path = format!("{path}?{query}");
        assert_refused(&app, &token, &path, "INVALID_PARAMETER", [name, words]).await;
    }
    for path in ["/api/executions", "/api/executions?workflowId="] {
        let answer = app.get(&token, path).await;
        assert_eq!(answer.problem(), (400, "MISSING_PARAMETER".to_owned()));
        assert_eq!(answer.json()["parameter"], "workflowId");
    }
}

#[tokio::test]
async fn pages_and_times_at_the_limits_are_empty_lists() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    app.write([execution("run-1", json!({}))]).await;
    app.count().await;
    for path in [
        "/api/executions/team/team-a?page=1000000000000&size=500",
        "/api/executions/team/team-a?from=0000-01-01&to=0000-01-02",
        "/api/executions/team/team-a?from=9999-12-30T21:59:00Z",
        "/api/executions/team/team-a?from=9999-12-30&page=3",
        "/api/executions/team/team-a?from=9999-12-31&to=9999-12-31",
    ] {
        let body = app.get(&token, path).await.ok();
        assert_eq!(body["content"], json!([]), "{path}");
    }
    for path in [
        "/api/history/executions?offset=1000000000000",
        "/api/history/executions?endDate=0000-01-01&offset=1",
    ] {
        assert_eq!(
            app.get(&token, path).await.ok()["executions"],
            json!([]),
            "{path}"
        );
    }
    for (path, total) in [
        (
            "/api/history/execution-stats?startDate=0000-01-01&endDate=9999-12-30T21:59:59.999Z",
            1,
        ),
        (
            "/api/history/execution-stats?startDate=2026-02-17&interval=day",
            1,
        ),
        (
            "/api/history/execution-stats?endDate=0000-01-01&days=3660",
            0,
        ),
    ] {
        let stats = app.get(&token, path).await.ok();
        assert_eq!(stats["stats"]["totalExecutions"], total, "{path}");
    }
}

#[tokio::test]
async fn unknown_parameters_are_ignored() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    app.write([execution("run-1", json!({}))]).await;
    let path = "/flow-executions?flowDefinitionId=flow-1&colour=red&colour=blue&%ff=%00";
    assert_eq!(
        app.get(&token, path).await.ok()["data"]["items"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
}
