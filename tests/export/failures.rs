//! Exports whose table fails.

use std::io::Read;
use std::process::Command;
use std::sync::Arc;

use flate2::read::GzDecoder;
use functions::app::App;
use serde_json::{Value, json};
use shared::store::Store;

use super::{ALL, download, operator, request, with_runs};
use crate::support::TestApp;
use crate::support::faults::Faulty;

/// A server over a table whose connection breaks after this number of Queries.
async fn serve_breaking(app: &TestApp, queries: usize) -> String {
    let (faulty, client) = Faulty::client(app.store.client(), &[]);
    faulty.break_after_queries(queries);
    let store = Store::new(client, app.store.table());
    let router = local::server::router(Arc::new(App::new(store)));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_in_the_middle_cuts_the_file_off_visibly() {
    let app = with_runs().await;
    let token = operator(&app).await;
    for (format, encoding) in [("csv", ""), ("csv", "gzip"), ("json", ""), ("json", "gzip")] {
        let path = format!("{ALL}&format={format}");
        let whole = app.send(request(&token, &path, "")).await.body;
        let url = serve_breaking(&app, 60).await + &path;
        let token = token.clone();
        let download = tokio::task::spawn_blocking(move || download(&url, &token, encoding));
        let (status, bytes, is_complete) = download.await.expect("no panic");
        assert_eq!(status, 200);
        assert!(
            !is_complete,
            "{format} {encoding}: the client sees no failure"
        );
        let text = match encoding {
            "gzip" => {
                let mut text = Vec::new();
                let unpacked = GzDecoder::new(&bytes[..]).read_to_end(&mut text);
                assert!(unpacked.is_err(), "{format}: the trailer is missing");
                String::from_utf8(text).expect("UTF-8")
            }
            _ => String::from_utf8(bytes).expect("UTF-8"),
        };
        let text = match format {
            "csv" => text
                .strip_suffix("EXPORT CUT OFF: rows are missing\r\n")
                .unwrap_or_else(|| panic!("the last line is missing: {text:?}")),
            _ => &text,
        };
        assert!(!text.is_empty() && text.len() < whole.len());
        assert!(whole.starts_with(text), "{format} {encoding}");
        if format == "json" {
            assert!(serde_json::from_str::<Value>(text).is_err());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_reports_an_error_for_an_export_that_is_cut_off() {
    let app = with_runs().await;
    let token = operator(&app).await;
    let url = serve_breaking(&app, 60).await + ALL;
    let curl = tokio::task::spawn_blocking(move || {
        Command::new("curl")
            .args(["-sS", "-H", &format!("Authorization: Bearer {token}"), &url])
            .output()
    });
    let Ok(output) = curl.await.expect("no panic") else {
        eprintln!("not run: there is no curl");
        return;
    };
    assert_eq!(output.status.code(), Some(18), "{output:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_before_the_first_byte_is_a_problem_response() {
    let app = with_runs().await;
    let token = operator(&app).await;
    let url = serve_breaking(&app, 0).await + ALL;
    let download = tokio::task::spawn_blocking(move || download(&url, &token, "gzip"));
    let (status, bytes, is_complete) = download.await.expect("no panic");
    let problem: Value = serde_json::from_slice(&bytes).expect("JSON");
    assert_eq!((status, &problem["code"]), (503, &json!("UNAVAILABLE")));
    assert!(is_complete);
}
