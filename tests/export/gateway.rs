//! Exports of the Lambda function behind API Gateway.

use std::collections::HashMap;

use axum::http::{Request, header};
use functions::app::App;
use functions::problem::Problem;
use functions::route::{RequestId, Route};
use functions::routes::EXPORT_TEAM_EXECUTIONS;
use http_body_util::BodyExt;
use lambda_http::RequestExt;
use serde_json::json;
use shared::store::Store;

use super::{operator, rows, with_runs};
use crate::support::TestApp;
use crate::support::faults::Faulty;
use crate::support::log::Log;
use crate::support::records::{execution, step};

/// A request for the export, as API Gateway passes it to the function.
fn route_request(token: &str, query: &[(&str, &str)]) -> lambda_http::Request {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), vec![(*value).to_owned()]);
    let path: HashMap<_, _> = [owned(&("teamId", "team-a"))].into();
    let query: HashMap<_, _> = query.iter().map(owned).collect();
    let request = Request::get("/")
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .body(lambda_http::Body::Empty)
        .expect("a request");
    let request = request.with_path_parameters(path);
    let mut request = request.with_query_string_parameters(query);
    request
        .extensions_mut()
        .insert(RequestId("request-1".to_owned()));
    request
}

fn export_route() -> &'static Route {
    &EXPORT_TEAM_EXECUTIONS
}

#[tokio::test]
async fn the_end_of_each_export_is_logged_once_with_its_request_id() {
    let app = with_runs().await;
    let token = operator(&app).await;
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.subscriber());
    let request = route_request(&token, &[("from", "2026-02-01")]);
    let reply = export_route()
        .answer(&App::new(app.store.clone()), &request)
        .await;
    reply.into_body().collect().await.expect("a whole body");
    let (faulty, client) = Faulty::client(app.store.client(), &[]);
    faulty.break_after_queries(60);
    let broken = App::new(Store::new(client, app.store.table()));
    let reply = export_route().answer(&broken, &request).await;
    assert!(reply.into_body().collect().await.is_err());
    faulty.break_after_queries(60);
    let reply = export_route().answer(&broken, &request).await;
    let collected = functions::lambda::collect(reply).await;
    assert!(matches!(
        collected,
        Err(Problem::Operation(shared::Error::Unavailable(_)))
    ));
    let lines = log.lines();
    let ends: Vec<_> = lines
        .iter()
        .filter(|line| line["request_id"] == "request-1")
        .filter(|line| line["message"] != "answered" && line["message"] != "audit")
        .collect();
    let outline: Vec<_> = ends
        .iter()
        .map(|line| (line["level"].as_str(), line["message"].as_str()))
        .collect();
    let cut_off = (Some("ERROR"), Some("the export was cut off"));
    assert_eq!(
        outline,
        [(Some("INFO"), Some("exported")), cut_off, cut_off]
    );
    // One of the requests checks the caller's token.
    assert_eq!(ends[0]["table_requests"], 125);
    let cause = ends[1]["error"].as_str().expect("a text");
    assert!(cause.contains("the connection is broken"), "{cause}");
}

/// An app whose export is about 4 MB. The export of the flow `small` is small.
async fn with_large_export() -> (TestApp, String) {
    let app = TestApp::new().await;
    let token = operator(&app).await;
    let error = "x".repeat(120_000);
    for n in 0..35 {
        let id = format!("run-{n}");
        app.write([
            execution(&id, json!({})),
            step(&id, "step", 0, json!({"errorMessage": error})),
        ])
        .await;
    }
    app.write([execution("small", json!({"flowId": "small"}))])
        .await;
    (app, token)
}

#[tokio::test]
async fn a_gateway_that_buffers_gets_an_error_for_a_large_export() {
    let (app, token) = with_large_export().await;
    let app = App::new(app.store.clone());
    let reply = async |query: &[(&str, &str)]| {
        let request = route_request(&token, query);
        export_route().answer(&app, &request).await
    };
    let all = ("from", "2026-02-01");
    let large = functions::lambda::collect(reply(&[all]).await).await;
    assert!(matches!(large, Err(Problem::ExportTooLarge)));
    let small = reply(&[all, ("workflowId", "small")]).await;
    let small = functions::lambda::collect(small)
        .await
        .expect("small enough");
    let body = small
        .into_body()
        .collect()
        .await
        .expect("in hand")
        .to_bytes();
    assert_eq!(rows(std::str::from_utf8(&body).expect("UTF-8")).len(), 1);
}
