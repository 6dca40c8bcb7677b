//! Nonsense in every parameter: a clear 4xx with a code, never a 500.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use functions::app::App;
use functions::cors::AllowedOrigins;
use serde_json::{Value, json};
use shared::auth::Role;
use tower::ServiceExt;

use crate::support::faults::Slow;
use crate::support::records::{ForkKey, branch_step, execution, step, time};
use crate::support::{TestApp, is_embedded};

#[tokio::test]
async fn a_body_that_breaks_off_is_no_body_that_is_too_large() {
    let app = TestApp::new().await;
    let token = app.token("team-a", Role::Admin, None).await;
    let pieces = [
        Ok(Bytes::from_static(b"{")),
        Err(std::io::Error::other("broken")),
    ];
    let body = Body::from_stream(futures_util::stream::iter(pieces));
    let request = Request::post("/api/tokens").header("authorization", format!("Bearer {token}"));
    let answer = app.send(request.body(body).expect("a request")).await;
    assert_eq!(answer.problem(), (400, "INVALID_PARAMETER".to_owned()));
    assert_eq!(answer.json()["parameter"], "body");
    let large = Body::from(vec![b' '; (1 << 20) + 1]);
    let request = Request::post("/api/tokens").header("authorization", format!("Bearer {token}"));
    let answer = app.send(request.body(large).expect("a request")).await;
    assert_eq!(answer.problem(), (413, "BODY_TOO_LARGE".to_owned()));
}

#[tokio::test]
async fn each_wrong_parameter_is_named_with_what_it_could_be() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let fork = "parentStepInstanceId=fork-1&parentStepStartTime=2026-02-17T10:30:00.000Z";
    let step = "/flow-executions/a/step?stepInstanceId=x&startTime=2026-02-17T10:30:00Z";
    let long = "x".repeat(129);
    let cases: Vec<(String, &str, &str, &str)> = vec![
        ("/flow-executions".into(), "MISSING_PARAMETER", "flowDefinitionId", "flowDefinitionId"),
        ("/flow-executions?flowDefinitionId=".into(), "MISSING_PARAMETER", "flowDefinitionId", "flowDefinitionId"),
        ("/flow-executions?flowDefinitionId=a%23b".into(), "INVALID_PARAMETER", "flowDefinitionId", "1 to 128"),
        (format!("/flow-executions?flowDefinitionId={long}"), "INVALID_PARAMETER", "flowDefinitionId", "1 to 128"),
        ("/flow-executions?flowDefinitionId=%D1%84".into(), "INVALID_PARAMETER", "flowDefinitionId", "1 to 128"),
        ("/flow-executions?flowDefinitionId=%ff%fe".into(), "INVALID_PARAMETER", "flowDefinitionId", "1 to 128"),
        ("/flow-executions?flowDefinitionId=f&flowDefinitionId=f".into(), "INVALID_PARAMETER", "flowDefinitionId", "once"),
        ("/flow-executions?flowDefinitionId=f&limit=0".into(), "INVALID_PARAMETER", "limit", "from 1 to 500"),
        ("/flow-executions?flowDefinitionId=f&limit=501".into(), "INVALID_PARAMETER", "limit", "from 1 to 500"),
        ("/flow-executions?flowDefinitionId=f&limit=-1".into(), "INVALID_PARAMETER", "limit", "from 1 to 500"),
        ("/flow-executions?flowDefinitionId=f&limit=ten".into(), "INVALID_PARAMETER", "limit", "from 1 to 500"),
        ("/flow-executions?flowDefinitionId=f&limit=1.5".into(), "INVALID_PARAMETER", "limit", "from 1 to 500"),
        ("/flow-executions?flowDefinitionId=f&limit=99999999999999999999999".into(), "INVALID_PARAMETER", "limit", "from 1 to 500"),
        ("/flow-executions?flowDefinitionId=f&limit=1&limit=1".into(), "INVALID_PARAMETER", "limit", "once"),
        ("/flow-executions?flowDefinitionId=f&status=DONE".into(), "INVALID_PARAMETER", "status", "PENDING, RUNNING, COMPLETED, FAILED, CANCELLED"),
        ("/flow-executions?flowDefinitionId=f&status=SUCCESS".into(), "INVALID_PARAMETER", "status", "COMPLETED"),
        ("/flow-executions?flowDefinitionId=f&status=completed".into(), "INVALID_PARAMETER", "status", "COMPLETED"),
        (format!("/flow-executions?flowDefinitionId=f&flowVersion={long}"), "INVALID_PARAMETER", "flowVersion", "1 to 128"),
        ("/flow-executions?flowDefinitionId=f&flowVersion=%00".into(), "INVALID_PARAMETER", "flowVersion", "control"),
        (format!("/flow-executions/{long}"), "INVALID_PARAMETER", "flowExecutionId", "1 to 128"),
        ("/flow-executions/a%23b".into(), "INVALID_PARAMETER", "flowExecutionId", "1 to 128"),
        ("/flow-executions/a%20b".into(), "INVALID_PARAMETER", "flowExecutionId", "1 to 128"),
        ("/flow-executions/a%00".into(), "INVALID_PARAMETER", "flowExecutionId", "1 to 128"),
        ("/flow-executions/a?limit=0".into(), "INVALID_PARAMETER", "limit", "from 1 to 500"),
        ("/flow-executions/a/branch-steps".into(), "MISSING_PARAMETER", "parentStepInstanceId", "parentStepInstanceId"),
        ("/flow-executions/a/branch-steps?parentStepInstanceId=x".into(), "MISSING_PARAMETER", "parentStepStartTime", "parentStepStartTime"),
        ("/flow-executions/a/branch-steps?parentStepInstanceId=x&parentStepStartTime=noon".into(), "INVALID_PARAMETER", "parentStepStartTime", "RFC 3339"),
        ("/flow-executions/a/branch-steps?parentStepInstanceId=x&parentStepStartTime=2026-02-30T00:00:00Z".into(), "INVALID_PARAMETER", "parentStepStartTime", "RFC 3339"),
        ("/flow-executions/a/branch-steps?parentStepInstanceId=x%23&parentStepStartTime=2026-02-17T10:30:00Z".into(), "INVALID_PARAMETER", "parentStepInstanceId", "1 to 128"),
        (format!("/flow-executions/a/branch-steps?{fork}&limit=0"), "INVALID_PARAMETER", "limit", "from 1 to 500"),
        (format!("/flow-executions/a/branch-steps?{fork}&maxPayloadBytes=x"), "INVALID_PARAMETER", "maxPayloadBytes", "from 0 to 67108864"),
        ("/flow-executions/a?maxPayloadBytes=-1".into(), "INVALID_PARAMETER", "maxPayloadBytes", "from 0 to 67108864"),
        ("/flow-executions/a?maxPayloadBytes=67108865".into(), "INVALID_PARAMETER", "maxPayloadBytes", "from 0 to 67108864"),
        ("/flow-executions/a?maxPayloadBytes=1.5".into(), "INVALID_PARAMETER", "maxPayloadBytes", "from 0 to 67108864"),
        ("/flow-executions/a?maxPayloadBytes=".into(), "INVALID_PARAMETER", "maxPayloadBytes", "from 0 to 67108864"),
        ("/flow-executions/a?maxPayloadBytes=1&maxPayloadBytes=1".into(), "INVALID_PARAMETER", "maxPayloadBytes", "once"),
        ("/flow-executions/a/step".into(), "MISSING_PARAMETER", "stepInstanceId", "stepInstanceId"),
        ("/flow-executions/a/step?stepInstanceId=x".into(), "MISSING_PARAMETER", "startTime", "startTime"),
        ("/flow-executions/a/step?stepInstanceId=x%23&startTime=2026-02-17T10:30:00Z".into(), "INVALID_PARAMETER", "stepInstanceId", "1 to 128"),
        ("/flow-executions/a/step?stepInstanceId=x&startTime=noon".into(), "INVALID_PARAMETER", "startTime", "RFC 3339"),
        (format!("{step}&branchExecutionId=b"), "MISSING_PARAMETER", "parentStepInstanceId", "parentStepInstanceId"),
        (format!("{step}&branchExecutionId=b&parentStepInstanceId=f"), "MISSING_PARAMETER", "parentStepStartTime", "parentStepStartTime"),
        (format!("{step}&{fork}"), "MISSING_PARAMETER", "branchExecutionId", "branchExecutionId"),
        (format!("{step}&{fork}&branchExecutionId=%23"), "INVALID_PARAMETER", "branchExecutionId", "1 to 128"),
        (format!("{step}&maxPayloadBytes=all"), "INVALID_PARAMETER", "maxPayloadBytes", "from 0 to 67108864"),
    ];
    let empty = [
        ("/flow-executions?flowDefinitionId=f&limit=", "limit"),
        ("/flow-executions?flowDefinitionId=f&status=", "status"),
        (
            "/flow-executions?flowDefinitionId=f&flowVersion=",
            "flowVersion",
        ),
        ("/flow-executions/a?limit=", "limit"),
    ];
    let empty =
        empty.map(|(path, name)| (path.to_owned(), "INVALID_PARAMETER", name, "is not valid"));
    for (path, code, parameter, words) in cases.into_iter().chain(empty) {
        let answer = app.get(&token, &path).await;
        assert_eq!(answer.problem(), (400, code.to_owned()), "{path}");
        let body = answer.json();
        assert_eq!(body["parameter"], parameter, "{path}");
        assert!(
            body["message"]
                .as_str()
                .is_some_and(|text| text.contains(words)),
            "{path}: {body}"
        );
        assert_eq!(
            answer.usage.requests, 0,
            "{path} is refused before the table is asked"
        );
    }
}

#[tokio::test]
async fn each_wrong_parameter_of_a_numbered_list_is_named_with_what_it_could_be() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    const TEAM: &str = "/api/executions/team/team-a";
    const HISTORY: &str = "/api/history/executions";
    const STATS: &str = "/api/history/execution-stats";
    let cases = [
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
            "lies after the parameter to",
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
            "lies after",
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
            "lies after",
        ),
    ];
    for (path, query, parameter, words) in cases {
        let path = format!("{path}?{query}");
        let answer = app.get(&token, &path).await;
        assert_eq!(
            answer.problem(),
            (400, "INVALID_PARAMETER".to_owned()),
            "{path}"
        );
        let body = answer.json();
        assert_eq!(body["parameter"], parameter, "{path}");
        let message = body["message"].as_str().expect("a text");
        assert!(message.contains(words), "{path}: {message}");
        assert_eq!(
            answer.usage.requests, 0,
            "{path} is refused before the table is asked"
        );
    }
    for path in ["/api/executions", "/api/executions?workflowId="] {
        let answer = app.get(&token, path).await;
        assert_eq!(answer.problem(), (400, "MISSING_PARAMETER".to_owned()));
        assert_eq!(answer.json()["parameter"], "workflowId");
    }
}

#[tokio::test]
async fn the_farthest_pages_and_times_are_empty_and_no_fault() {
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

/// A Lambda function's time is 25 seconds, and API Gateway's 29.
#[tokio::test(start_paused = true)]
async fn a_table_that_struggles_is_told_of_before_the_gateway_gives_up() {
    if !is_embedded() {
        eprintln!("not run: time is only stopped for what runs in this process");
        return;
    }
    let app = TestApp::new().await;
    let token = app.token("team-a", Role::Operator, None).await;
    let open = |id: &str, parent: Option<String>| {
        let own = json!({"status": "RUNNING", "endTime": null, "parentExecutionId": parent});
        execution(id, own)
    };
    let below = |n: usize| open(&format!("run-{n}"), Some(format!("run-{}", n - 1)));
    app.write([open("run-0", None)].into_iter().chain((1..12).map(below)))
        .await;
    let (slow, client) = Slow::client(app.store.client());
    let app = app.over(client);
    let ask = async |method: Method, path: &str| {
        let begin = tokio::time::Instant::now();
        let answer = app.call(method, &token, path, "").await;
        (answer, begin.elapsed())
    };

    // It does not answer at all, first the authenticator, then the route.
    slow.take(None);
    for _ in 0..2 {
        let (answer, took) = ask(Method::GET, "/flow-executions/run-0").await;
        assert_eq!(answer.problem(), (503, "UNAVAILABLE".to_owned()));
        assert_eq!(answer.headers["retry-after"], "2");
        assert!(took < Duration::from_secs(16), "{took:?}");
        slow.take(Some(Duration::ZERO));
        ask(Method::GET, "/flow-executions/run-0").await.0.ok();
        slow.take(None);
    }

    // It answers each of many requests, none of them quickly.
    slow.take(Some(Duration::from_secs(4)));
    let (answer, took) = ask(Method::POST, "/api/executions/run-0/cancel").await;
    assert_eq!(answer.problem(), (503, "UNAVAILABLE".to_owned()));
    assert_eq!(answer.headers["retry-after"], "2");
    assert!(took < Duration::from_secs(24), "{took:?}");

    // What was left in the middle is there to be done again.
    slow.take(Some(Duration::ZERO));
    let (answer, _) = ask(Method::POST, "/api/executions/run-0/cancel").await;
    assert_eq!(
        answer.problem().0,
        409,
        "it is cancelled, and what is below it now is"
    );
    for n in 0..12 {
        assert_eq!(app.item(&format!("run-{n}")).await["status"], "CANCELLED");
    }
}

#[tokio::test]
async fn a_page_of_an_allowed_origin_may_ask_and_read() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let origins = "https://ops.example.com,http://localhost:5173";
    let origins: AllowedOrigins = origins.parse().expect("origins");
    let served = App::new(app.store.clone()).allowing(origins);
    let router = local::server::router(Arc::new(served));
    let send = async |method: Method, origin: &str| {
        let request = Request::builder().method(method).uri("/api/roles");
        let request = request
            .header(header::ORIGIN, origin)
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .body(Body::empty());
        let answer = router.clone().oneshot(request.expect("a request"));
        answer.await.expect("infallible")
    };
    let before = send(Method::OPTIONS, "http://localhost:5173").await;
    assert_eq!(before.status(), 204);
    let headers = before.headers();
    assert_eq!(
        headers["access-control-allow-origin"],
        "http://localhost:5173"
    );
    assert_eq!(headers["access-control-allow-methods"], "GET, PUT");
    assert_eq!(
        headers["access-control-allow-headers"],
        "Authorization,Content-Type"
    );
    assert_eq!(headers["vary"], "Origin");
    // What is refused is told to the page as well.
    let answer = send(Method::GET, "http://localhost:5173").await;
    assert_eq!(answer.status(), 403);
    let headers = answer.headers();
    assert_eq!(
        headers["access-control-allow-origin"],
        "http://localhost:5173"
    );
    for method in [Method::OPTIONS, Method::GET] {
        let other = send(method, "https://evil.example.com").await;
        let headers = other.headers();
        assert!(!headers.contains_key("access-control-allow-origin"));
        assert_eq!(headers["vary"], "Origin");
    }
}

#[tokio::test]
async fn a_tampered_page_token_is_refused_everywhere() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    app.write((0..5).map(|n| execution(&format!("run-{n}"), json!({"createdAt": time(n)}))))
        .await;
    app.write((0..5).map(|n| step("run-0", &format!("step-{n}"), n, json!({}))))
        .await;
    let fork = ForkKey {
        execution_id: "run-0",
        id: "fork-1",
        offset: 100,
    };
    app.write((0..5).map(|n| branch_step(&fork, "b", &format!("b-{n}"), 110 + n, json!({}))))
        .await;
    let paths = [
        "/flow-executions?flowDefinitionId=flow-1&limit=2".to_owned(),
        "/flow-executions/run-0?limit=2".to_owned(),
        format!("{}&limit=2", fork.branch_steps_path()),
        "/api/executions/run-0?limit=2".to_owned(),
        "/api/history/executions/run-0?limit=2".to_owned(),
    ];
    for path in &paths {
        let body = app.get(&token, path).await.ok();
        let good = [&body["data"]["nextToken"], &body["nextToken"]];
        let good = good.iter().find_map(|token| token.as_str());
        let good = good.expect("a token").to_owned();
        let json = URL_SAFE_NO_PAD.decode(&good).expect("base64url");
        let json: Value = serde_json::from_slice(&json).expect("JSON");
        let forged = |change: fn(&mut Value)| {
            let mut changed = json.clone();
            change(&mut changed);
            URL_SAFE_NO_PAD.encode(changed.to_string())
        };
        let tampered = [
            String::new(),
            "x".to_owned(),
            "%00".to_owned(),
            "e30".to_owned(),
            "bnVsbA".to_owned(),
            "[]".to_owned(),
            good[..good.len() - 4].to_owned(),
            format!("{good}AAAA"),
            "A".repeat(20_000),
            forged(|token| token["v"] = json!(2)),
            forged(|token| token["v"] = json!("1")),
            forged(|token| token["q"] = json!("")),
            forged(|token| token["k"] = json!({})),
            forged(|token| token["k"]["pk"] = json!("")),
            forged(|token| token["k"]["pk"] = json!({"S": "x"})),
            forged(|token| token["k"]["sk"] = json!("")),
            forged(|token| token["k"]["more"] = json!("x")),
            forged(|token| token["more"] = json!("x")),
        ];
        for next_token in tampered {
            let answer = app
                .get(&token, &format!("{path}&nextToken={next_token}"))
                .await;
            let case = format!("{path} {next_token:.60}");
            assert_eq!(
                answer.problem(),
                (400, "INVALID_NEXT_TOKEN".to_owned()),
                "{case}"
            );
            assert_eq!(answer.json()["parameter"], "nextToken", "{case}");
        }
        // The standard's padding does no harm.
        app.get(&token, &format!("{path}&nextToken={good}=="))
            .await
            .ok();
    }
}

#[tokio::test]
async fn no_character_of_a_token_can_be_changed_into_a_fault() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    app.write((0..5).map(|n| execution(&format!("run-{n}"), json!({"createdAt": time(n)}))))
        .await;
    let path = "/flow-executions?flowDefinitionId=flow-1&limit=2";
    let body = app.get(&token, path).await.ok();
    let good = body["data"]["nextToken"]
        .as_str()
        .expect("a token")
        .to_owned();
    for position in 0..good.len() {
        let mut changed = good.clone();
        let other = if changed.as_bytes()[position] == b'A' {
            "B"
        } else {
            "A"
        };
        changed.replace_range(position..=position, other);
        let answer = app
            .get(&token, &format!("{path}&nextToken={changed}"))
            .await;
        let status = answer.status.as_u16();
        // A changed run or moment within the own list is a place in it.
        assert!(
            status == 200 || answer.problem().1 == "INVALID_NEXT_TOKEN",
            "{}",
            answer.body
        );
    }
}

#[tokio::test]
async fn an_unknown_path_or_method_is_told_apart() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    for path in [
        "/nothing",
        "/flow-executions/",
        "/flow-executions/a/b",
        "/flow-executions/%ff/x",
        "//",
    ] {
        let answer = app.get(&token, path).await;
        assert_eq!(answer.problem(), (404, "NOT_FOUND".to_owned()), "{path}");
    }
    for method in [
        Method::POST,
        Method::DELETE,
        Method::PUT,
        Method::PATCH,
        Method::OPTIONS,
    ] {
        let request = Request::builder()
            .method(method.clone())
            .uri("/flow-executions/a");
        let request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        let answer = app
            .send(request.body(Body::empty()).expect("a request"))
            .await;
        assert_eq!(
            answer.problem(),
            (405, "METHOD_NOT_ALLOWED".to_owned()),
            "{method}"
        );
        assert_eq!(answer.headers["allow"], "GET");
    }
}

#[tokio::test]
async fn a_path_that_is_not_utf8_or_a_body_too_large_is_refused() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let answer = app.get(&token, "/flow-executions/%ff%fe").await;
    assert_eq!(answer.problem(), (404, "NOT_FOUND".to_owned()));
    let request = Request::get("/flow-executions/a")
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .body(Body::from(vec![b'x'; 2 << 20]));
    let answer = app.send(request.expect("a request")).await;
    assert_eq!(answer.problem(), (413, "BODY_TOO_LARGE".to_owned()));
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

#[tokio::test]
async fn a_table_that_is_not_there_is_a_fault_that_tells_nothing() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    app.get(&token, "/flow-executions/run-1").await;
    let client = app.store.client();
    let table = app.store.table();
    let unlock = client
        .update_table()
        .table_name(table)
        .deletion_protection_enabled(false);
    unlock.send().await.expect("unlocked");
    client
        .delete_table()
        .table_name(table)
        .send()
        .await
        .expect("deleted");
    let answer = app.get(&token, "/flow-executions/run-1").await;
    assert_eq!(answer.problem(), (500, "INTERNAL".to_owned()));
    let body = answer.json();
    let request_id = body["requestId"].as_str().expect("an id");
    assert_eq!(answer.headers["x-request-id"], request_id);
    assert!(
        body["message"]
            .as_str()
            .is_some_and(|text| text.contains(request_id))
    );
    assert!(!answer.body.contains(table), "{}", answer.body);
}

#[tokio::test]
async fn a_table_that_does_not_answer_is_503_with_a_time_to_wait() {
    // Nobody listens on the port of a listener that has gone.
    let port = crate::support::process::free_port();
    let client = shared::config::client(Some(&format!("http://127.0.0.1:{port}"))).await;
    let store = shared::store::Store::new(client, "flowtrail");
    let app = Arc::new(App::new(store));
    let router = local::server::router(app);
    let token = format!("sdk_{}_{}", "0".repeat(20), "A".repeat(43));
    let request = Request::get("/flow-executions/run-1")
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .body(Body::empty())
        .expect("a request");
    let response = router.oneshot(request).await.expect("infallible");
    assert_eq!(response.status().as_u16(), 503);
    assert_eq!(response.headers()["retry-after"], "2");
}
