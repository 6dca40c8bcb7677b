//! Runs that are deleted, written by their engine, or of another team; tokens of engines.

use axum::http::Method;
use serde_json::{Value, json};
use shared::attributes::{TIME_TO_LIVE, number};
use shared::auth::Role;
use shared::keys;
use shared::model::Timestamp;
use shared::store::Update;

use super::{
    PROTOBUF, TRACE, export, export_whole, in_trace, order, post, protobuf, records, request,
    run_id, trace_id, with_engine,
};
use crate::support::TestApp;
use crate::support::faults::{Fault, Faulty};
use crate::support::records::{execution, step};

/// The spans of a deleted run are rejected.
async fn assert_stays_deleted(app: &TestApp, token: &str, spans: &[Value]) {
    let late = export(app, token, spans).await.ok();
    let count = spans.len();
    let message = format!("{count} spans: the run was deleted");
    let partial = json!({"rejectedSpans": count.to_string(), "errorMessage": message});
    assert_eq!(late, json!({"partialSuccess": partial}));
}

#[tokio::test]
async fn a_deleted_run_stays_deleted_for_a_week() {
    let (app, token) = with_engine().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let spans = order();
    export_whole(&app, &token, &spans[..3]).await;
    let path = format!("/api/history/executions/{}", run_id(TRACE));
    app.delete(&admin, &path).await.ok();
    // The rest of the run is not removed yet.
    assert_stays_deleted(&app, &token, &spans).await;
    app.reap().await;
    assert_eq!(app.records_of(&run_id(TRACE)).await, ["TRACE"]);
    assert_stays_deleted(&app, &token, &spans).await;
    assert_eq!(app.records_of(&run_id(TRACE)).await, ["TRACE"]);
    let pk = format!("EXEC#{}", run_id(TRACE));
    let item = app
        .store
        .get(&pk, keys::TRACE)
        .await
        .expect("read")
        .expect("an item");
    let week = Timestamp::now().seconds() + 7 * 24 * 3_600;
    let until: i64 = item["expiresAt"]
        .as_n()
        .expect("a number")
        .parse()
        .expect("one");
    assert!((week - 100..=week).contains(&until), "{until}");
    // After the week, the trace is a new one.
    let over = Update::new(pk, keys::TRACE).set(TIME_TO_LIVE, number(1));
    app.store.update(over).await.expect("updated");
    export_whole(&app, &token, &spans).await;
    app.get(&admin, &format!("/flow-executions/{}", run_id(TRACE)))
        .await
        .ok();
    assert_eq!(records(&app, TRACE).await["TRACE"].get("expiresAt"), None);
    app.count().await;
    assert_eq!(app.verify().await.differences, []);
}

#[tokio::test]
async fn spans_written_during_a_removal_are_removed_too() {
    let (app, token) = with_engine().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    for is_reaped in [true, false] {
        let trace = trace_id(1 + u64::from(is_reaped));
        let spans = in_trace(&order(), &trace);
        export_whole(&app, &token, &spans[..3]).await;
        let (faulty, client) = Faulty::client(app.store.client(), &["BatchWriteItem"]);
        let slow = app.over(client);
        faulty.plan([Fault::Delayed]);
        let removal = async {
            faulty.crash().await;
            let path = format!("/api/history/executions/{}", run_id(&trace));
            app.delete(&admin, &path).await.ok();
            if is_reaped {
                app.reap().await;
            }
            faulty.go_on();
        };
        let (answer, ()) = tokio::join!(export(&slow, &token, &spans[3..]), removal);
        assert_eq!(answer.status, 200);
        app.reap().await;
        assert_eq!(
            app.records_of(&run_id(&trace)).await,
            ["TRACE"],
            "{is_reaped}"
        );
        assert_stays_deleted(&app, &token, &spans).await;
    }
}

#[tokio::test]
async fn a_run_written_by_its_engine_is_not_changed() {
    let (app, token) = with_engine().await;
    let operator = app.token("team-a", Role::Operator, None).await;
    let run = run_id(TRACE);
    app.write([
        execution(&run, json!({"status": "RUNNING", "endTime": null})),
        step(&run, "own", 20, json!({})),
    ])
    .await;
    let cancel = format!("/api/executions/{run}/cancel");
    let answer = app.call(Method::POST, &operator, &cancel, "").await;
    assert_eq!(answer.status, 200);
    let cancelled = app.item(&run).await;
    export_whole(&app, &token, &order()).await;
    assert_eq!(app.item(&run).await, cancelled);
    let data = app
        .get(&operator, &format!("/flow-executions/{run}"))
        .await
        .ok()["data"]
        .take();
    let steps = data["steps"].as_array().map(Vec::len);
    assert_eq!(steps, Some(4), "the engine's step and three spans");
    // An engine with access to the table can write another team's run under that id.
    let other = trace_id(7);
    app.write([execution(&run_id(&other), json!({"teamId": "team-b"}))])
        .await;
    let refused = export(&app, &token, &in_trace(&order(), &other)).await.ok();
    let message = "8 spans: the run's id is taken";
    assert_eq!(refused["partialSuccess"]["errorMessage"], message);
    assert_eq!(app.records_of(&run_id(&other)).await, ["EXECUTION"]);
}

#[tokio::test]
async fn a_trace_of_two_teams_becomes_a_run_in_each() {
    let (app, token) = with_engine().await;
    let other = app.token("team-b", Role::Engine, None).await;
    export_whole(&app, &token, &order()).await;
    let before = records(&app, TRACE).await;
    export_whole(&app, &other, &order()[..2]).await;
    assert_eq!(records(&app, TRACE).await, before);
    let viewer = app.viewer("team-b").await;
    let path = |team: &str| format!("/flow-executions/{team}:{TRACE}");
    assert_eq!(app.get(&viewer, &path("team-a")).await.status, 404);
    let steps = app.get(&viewer, &path("team-b")).await.ok()["data"]["steps"].take();
    assert_eq!(steps.as_array().map(Vec::len), Some(1));
    let long = "t".repeat(96);
    let token = app.token(&long, Role::Engine, None).await;
    let refused = export(&app, &token, &order()).await;
    assert_eq!(refused.problem(), (400, "INVALID_PARAMETER".to_owned()));
    let token = app.token(&long[..95], Role::Engine, None).await;
    export_whole(&app, &token, &order()).await;
}

#[tokio::test]
async fn an_engine_token_writes_traces_and_reads_nothing() {
    let (app, token) = with_engine().await;
    export_whole(&app, &token, &order()).await;
    for path in [
        format!("/flow-executions/{}", run_id(TRACE)),
        "/api/executions/team/team-a".to_owned(),
        "/api/tokens".to_owned(),
    ] {
        assert_eq!(app.get(&token, &path).await.problem().0, 403, "{path}");
    }
    for role in [Role::Viewer, Role::Operator] {
        let token = app.token("team-a", role, None).await;
        assert_eq!(export(&app, &token, &order()).await.problem().0, 403);
    }
    let limited = app
        .token("team-a", Role::Admin, Some(&["shop/order"]))
        .await;
    let refused = export(&app, &limited, &order()).await;
    assert_eq!(refused.problem(), (403, "FORBIDDEN".to_owned()));
    // The refusal of a protobuf request is protobuf.
    let body = protobuf(&request(&order()));
    let refused = post(&app, &limited, &[("content-type", PROTOBUF)], body).await;
    assert_eq!(refused.status, 403);
    assert_eq!(refused.headers["content-type"], PROTOBUF);
    assert_eq!(refused.body[..2], [0x08, 7], "the code PERMISSION_DENIED");
}
