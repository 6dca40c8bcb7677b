//! A table that is slow, missing or unreachable.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, header};
use functions::app::App;
use serde_json::json;
use shared::auth::Role;
use shared::model::Item;
use tower::ServiceExt;

use crate::support::faults::Slow;
use crate::support::records::execution;
use crate::support::{TestApp, is_embedded};

/// Twelve open runs, each below the one before.
fn chain_of_runs() -> Vec<Item> {
    let open = |id: &str, parent: Option<String>| {
        let own = json!({"status": "RUNNING", "endTime": null, "parentExecutionId": parent});
        execution(id, own)
    };
    let below = |n: usize| open(&format!("run-{n}"), Some(format!("run-{}", n - 1)));
    [open("run-0", None)]
        .into_iter()
        .chain((1..12).map(below))
        .collect()
}

/// A Lambda function times out after 25 seconds, and API Gateway after 29 seconds.
#[tokio::test(start_paused = true)]
async fn a_slow_table_is_reported_before_the_gateway_times_out() {
    if !is_embedded() {
        eprintln!("not run: time is paused only in this process");
        return;
    }
    let app = TestApp::new().await;
    let token = app.token("team-a", Role::Operator, None).await;
    app.write(chain_of_runs()).await;
    let (slow, client) = Slow::client(app.store.client());
    let app = app.over(client);
    let ask = async |method: Method, path: &str| {
        let begin = tokio::time::Instant::now();
        let answer = app.call(method, &token, path, "").await;
        (answer, begin.elapsed())
    };

    // The table does not answer at all: first the authenticator, then the route.
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

    // The table answers every request slowly, and the cancel has many.
    slow.take(Some(Duration::from_secs(4)));
    let (answer, took) = ask(Method::POST, "/api/executions/run-0/cancel").await;
    assert_eq!(answer.problem(), (503, "UNAVAILABLE".to_owned()));
    assert_eq!(answer.headers["retry-after"], "2");
    assert!(took < Duration::from_secs(24), "{took:?}");

    // A second cancel finishes the first one.
    slow.take(Some(Duration::ZERO));
    let (answer, _) = ask(Method::POST, "/api/executions/run-0/cancel").await;
    assert_eq!(
        answer.problem().0,
        409,
        "it is already cancelled, and now the runs below are too"
    );
    for n in 0..12 {
        assert_eq!(app.item(&format!("run-{n}")).await["status"], "CANCELLED");
    }
}

#[tokio::test]
async fn a_missing_table_is_a_500_without_details() {
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
async fn an_unreachable_table_is_a_503_with_a_time_to_wait() {
    // No server listens on the port of a closed listener.
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
