//! The response of an export: its format, encoding and chunks, and refused requests.

use std::io::Read;

use axum::body::{Body, Bytes};
use axum::http::{Request, header};
use flate2::read::GzDecoder;
use futures_util::TryStreamExt;
use serde_json::json;
use shared::auth::Role;

use super::{ALL, COLUMNS, operator, request, rows, vary, with_runs};
use crate::support::TestApp;
use crate::support::records::{execution, step, time};

#[tokio::test]
async fn bom_true_puts_a_byte_order_mark_at_the_start() {
    let app = TestApp::new().await;
    let token = operator(&app).await;
    let name = json!({"flowName": "Prüfung €"});
    app.write([
        execution("run-1", name),
        step("run-1", "step", 0, json!({})),
    ])
    .await;
    let plain = app.get(&token, ALL).await.body;
    assert!(plain.starts_with("execution_id,") && plain.contains("Prüfung €"));
    for (query, expected) in [
        ("&bom=true", format!("\u{FEFF}{plain}")),
        ("&bom=false", plain.clone()),
        ("&format=csv&bom=true", format!("\u{FEFF}{plain}")),
    ] {
        let file = app.get(&token, &format!("{ALL}{query}")).await;
        assert_eq!(file.body, expected, "{query}");
        let media_type = &file.headers[header::CONTENT_TYPE];
        assert_eq!(media_type, "text/csv; charset=utf-8; header=present");
    }
}

#[tokio::test]
async fn accept_json_alone_selects_json_unless_format_is_given() {
    let app = TestApp::new().await;
    let token = operator(&app).await;
    app.write([execution("run-1", json!({}))]).await;
    let csv = "text/csv; charset=utf-8; header=present";
    let json = "application/json";
    for (accept, query, expected) in [
        (json, "", json),
        ("Application/JSON; q=0.9, text/plain", "", json),
        ("application/json, */*;q=0.1", "", csv),
        ("application/json, text/csv", "", csv),
        ("*/*", "", csv),
        ("text/html", "", csv),
        (json, "&format=csv", csv),
        ("text/csv", "&format=json", json),
    ] {
        let request = Request::get(format!("{ALL}{query}"))
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header(header::ACCEPT, accept)
            .body(Body::empty())
            .expect("a request");
        let answer = app.send(request).await;
        assert_eq!(
            answer.headers[header::CONTENT_TYPE],
            expected,
            "{accept} {query}"
        );
        assert_eq!(answer.status, 200);
    }
}

/// The chunks of a body as they are sent.
async fn chunks(body: Body) -> Vec<Bytes> {
    body.into_data_stream().try_collect().await.expect("a body")
}

#[tokio::test]
async fn gzip_is_used_on_request_and_is_readable_from_the_start() {
    let app = with_runs().await;
    let token = operator(&app).await;
    for format in ["csv", "json"] {
        let path = format!("{ALL}&format={format}");
        let plain = app.send(request(&token, &path, "gzip;q=0")).await;
        assert_eq!(plain.headers.get("content-encoding"), None);
        let answer = app.open(request(&token, &path, "br, gzip")).await;
        assert_eq!(answer.headers()["content-encoding"], "gzip");
        assert_eq!(vary(answer.headers()), ["accept", "accept-encoding"]);
        let chunks = chunks(answer.into_body()).await;
        let mut text = String::new();
        GzDecoder::new(&chunks.concat()[..])
            .read_to_string(&mut text)
            .expect("gzip");
        assert_eq!(text, plain.body);
        // The first chunk is readable without the others.
        let mut first = [0; 13];
        let begin = if format == "csv" { 13 } else { 1 };
        GzDecoder::new(&chunks[0][..])
            .read_exact(&mut first[..begin])
            .expect("a readable first chunk");
        assert!(plain.body.as_bytes().starts_with(&first[..begin]));
    }
}

#[tokio::test]
async fn an_export_is_sent_in_chunks_after_the_header() {
    let app = TestApp::new().await;
    let token = operator(&app).await;
    let error = "x".repeat(5_000);
    app.write((0..100).map(|n| execution(&format!("run-{n}"), json!({"createdAt": time(n)}))))
        .await;
    app.write((0..100).map(|n| {
        step(
            &format!("run-{n}"),
            "step",
            0,
            json!({"errorMessage": error}),
        )
    }))
    .await;
    let answer = app.open(request(&token, ALL, "")).await;
    let chunks = chunks(answer.into_body()).await;
    let sizes: Vec<_> = chunks.iter().map(Bytes::len).collect();
    assert_eq!(sizes[0], COLUMNS.join(",").len() + 2);
    let (_, full) = sizes[1..].split_last().expect("chunks");
    assert!(full.len() > 4, "{sizes:?}");
    let bounds = 48 * 1024..=96 * 1024;
    assert!(full.iter().all(|size| bounds.contains(size)), "{sizes:?}");
}

/// A query that is refused, and the parameter that the problem names.
const INVALID_QUERIES: [(&str, &str); 18] = [
    ("format=xml", "format"),
    ("format=CSV", "format"),
    ("format=csv&format=json", "format"),
    ("bom=yes", "bom"),
    ("bom=true&format=json", "bom"),
    ("days=0", "days"),
    ("days=3661", "days"),
    ("days=-1", "days"),
    ("days=ten", "days"),
    ("days=", "days"),
    ("status=COMPLETED", "status"),
    ("status=", "status"),
    ("workflowId=a%23b", "workflowId"),
    ("workflowId=", "workflowId"),
    ("from=yesterday", "from"),
    ("to=2026-13-01", "to"),
    ("from=2026-02-18&to=2026-02-17", "from"),
    ("from=2026-02-17&days=0", "days"),
];

#[tokio::test]
async fn invalid_parameters_are_refused() {
    let app = with_runs().await;
    let token = operator(&app).await;
    for (query, parameter) in INVALID_QUERIES {
        let path = format!("/api/executions/team/team-a/export?{query}");
        let answer = app.get(&token, &path).await;
        assert_eq!(
            answer.problem(),
            (400, "INVALID_PARAMETER".to_owned()),
            "{query}"
        );
        assert_eq!(answer.json()["parameter"], parameter, "{query}");
        // The one request checks the caller's token.
        assert_eq!(answer.usage.requests, 1, "{query}");
    }
}

#[tokio::test]
async fn an_export_needs_the_permission_the_team_and_the_flow() {
    let app = with_runs().await;
    let viewer = app.viewer("team-a").await;
    let limited = app.token("team-a", Role::Admin, Some(&["flow-1"])).await;
    let other = app.token("team-b", Role::Admin, None).await;
    // The one request reads the token. The viewer's permissions are already known.
    for (token, requests) in [(&viewer, 0), (&limited, 1), (&other, 1)] {
        let answer = app.get(token, ALL).await;
        assert_eq!(answer.problem(), (403, "FORBIDDEN".to_owned()));
        assert_eq!(answer.usage.requests, requests);
    }
    let own = app.get(&limited, &format!("{ALL}&workflowId=flow-1")).await;
    assert!(rows(&own.body).iter().all(|row| row[1] == "flow-1"));
}
