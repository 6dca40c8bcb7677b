//! `GET /flow-executions`: order, pages, filters, cost.

use serde_json::{Value, json};

use crate::support::records::{execution, step, time};
use crate::support::{TestApp, read_units};

const LIST: &str = "/flow-executions?flowDefinitionId=flow-1";

fn ids(items: &[Value]) -> Vec<&str> {
    items
        .iter()
        .map(|item| item["flowExecutionId"].as_str().expect("an id"))
        .collect()
}

/// 130 runs, five at each of 26 times, with four statuses and three versions.
async fn write_many(app: &TestApp) {
    let statuses = ["COMPLETED", "FAILED", "RUNNING", "CANCELLED"];
    let versions = [json!(3), json!("3"), json!("beta")];
    let runs = (0..130_usize).map(|number| {
        let attributes = json!({
            "createdAt": time((number / 5) as i64 * 1_000),
            "status": statuses[number % 4],
            "flowVersion": versions[number % 3],
        });
        execution(&format!("run-{number:03}"), attributes)
    });
    app.write(runs).await;
    // Items that no list of flow-1 contains.
    app.write([
        execution("other-flow", json!({"flowId": "flow-2"})),
        execution("other-team", json!({"teamId": "team-b"})),
        step("run-001", "step-1", 10, json!({})),
    ])
    .await;
}

#[tokio::test]
async fn lists_contain_exactly_the_documented_fields() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    app.write([execution("run-1", json!({"errorMessage": "not in a list"}))])
        .await;
    let answer = app.get(&token, LIST).await;
    assert_eq!(
        answer.ok(),
        json!({
            "success": true,
            "data": {
                "items": [{
                    "flowExecutionId": "run-1",
                    "status": "COMPLETED",
                    "startTime": "2026-02-17T10:30:00.050Z",
                    "endTime": "2026-02-17T10:30:02.400Z",
                    "durationMs": 2350,
                }],
            },
        })
    );
    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(answer.headers["cache-control"], "no-store");
}

#[tokio::test]
async fn every_page_size_walks_the_same_list_newest_first() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    write_many(&app).await;
    let whole = app.walk(&token, LIST, 500).await;
    assert_eq!(whole.len(), 130);
    let moments: Vec<usize> = ids(&whole)
        .iter()
        .map(|id| id["run-".len()..].parse::<usize>().expect("a number") / 5)
        .collect();
    assert!(
        moments.is_sorted_by(|a, b| a >= b),
        "newest first: {moments:?}"
    );
    let mut unique = ids(&whole);
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), 130, "no run is listed twice");
    for limit in [1, 7, 50] {
        let walked = app.walk(&token, LIST, limit).await;
        assert_eq!(ids(&walked), ids(&whole), "at limit {limit}");
    }
}

#[tokio::test]
async fn every_page_size_walks_the_same_filtered_list() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    write_many(&app).await;
    let whole = app.walk(&token, LIST, 500).await;
    let number = |item: &Value| -> usize {
        let id = item["flowExecutionId"].as_str().expect("an id");
        id["run-".len()..].parse().expect("a number")
    };
    type Keep = fn(usize) -> bool;
    let filters: [(&str, Keep); 6] = [
        ("status=FAILED", |n| n % 4 == 1),
        ("status=PENDING", |_| false),
        // The number 3 and the text "3" are the same version to a caller.
        ("flowVersion=3", |n| n % 3 != 2),
        ("flowVersion=beta", |n| n % 3 == 2),
        ("flowVersion=4", |_| false),
        ("status=RUNNING&flowVersion=beta", |n| {
            n % 4 == 2 && n % 3 == 2
        }),
    ];
    for (filter, keep) in filters {
        // Another index may order runs of the same time differently.
        let mut expected: Vec<_> = whole
            .iter()
            .filter(|item| keep(number(item)))
            .map(number)
            .collect();
        expected.sort_unstable();
        let reference = app.walk(&token, &format!("{LIST}&{filter}"), 500).await;
        let mut found: Vec<_> = reference.iter().map(number).collect();
        found.sort_unstable();
        assert_eq!(found, expected, "{filter}");
        for limit in [1, 7, 50] {
            let walked = app.walk(&token, &format!("{LIST}&{filter}"), limit).await;
            assert_eq!(ids(&walked), ids(&reference), "{filter} at limit {limit}");
        }
    }
}

#[tokio::test]
async fn the_last_page_has_no_token() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    app.write((0..10).map(|n| execution(&format!("run-{n}"), json!({}))))
        .await;
    for (limit, has_next) in [(9, true), (10, false), (11, false)] {
        let body = app.get(&token, &format!("{LIST}&limit={limit}")).await.ok();
        assert_eq!(
            body["data"]["nextToken"].is_string(),
            has_next,
            "limit {limit}"
        );
    }
}

#[tokio::test]
async fn the_default_limit_is_fifty_runs() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    app.write((0..60).map(|n| execution(&format!("run-{n}"), json!({}))))
        .await;
    let body = app.get(&token, LIST).await.ok();
    assert_eq!(body["data"]["items"].as_array().map(Vec::len), Some(50));
}

#[tokio::test]
async fn a_list_of_fifty_takes_one_request_and_costs_its_bytes() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let padding = "x".repeat(700);
    let runs = (0..200).map(|n| {
        let created_at = time(n * 1_000);
        execution(
            &format!("run-{n}"),
            json!({"createdAt": created_at, "errorMessage": padding}),
        )
    });
    let runs: Vec<_> = runs.collect();
    let item_bytes: usize = runs[0]
        .iter()
        .map(|(name, value)| name.len() + value.as_s().map_or(0, String::len))
        .sum();
    app.write(runs).await;
    let answer = app.get(&token, &format!("{LIST}&limit=50")).await;
    assert_eq!(
        answer.ok()["data"]["items"].as_array().map(Vec::len),
        Some(50)
    );
    assert_eq!(answer.usage.requests, 1);
    let bytes_cost = read_units(50 * item_bytes);
    assert!(
        answer.usage.capacity_units <= bytes_cost * 1.1,
        "{} units for {bytes_cost}",
        answer.usage.capacity_units
    );
}

#[tokio::test]
async fn a_rare_match_is_found_over_several_pages() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    // More items than a page reads come before the only match.
    let count = shared::store::MAX_ITEMS_A_PAGE as i64 + 2_000;
    let runs = (0..count).map(|n| {
        let version = if n == 0 { "wanted" } else { "other" };
        let created_at = time(n);
        execution(
            &format!("run-{n}"),
            json!({"createdAt": created_at, "flowVersion": version}),
        )
    });
    app.write(runs).await;
    let path = format!("{LIST}&flowVersion=wanted&limit=10");
    let first = app.get(&token, &path).await;
    let body = first.ok();
    assert_eq!(
        body["data"]["items"],
        json!([]),
        "the page found no match within its limit"
    );
    assert!(first.usage.requests <= shared::store::MAX_QUERIES_A_PAGE as u64);
    let next_token = body["data"]["nextToken"]
        .as_str()
        .expect("a token for the next page");
    let second = app
        .get(&token, &format!("{path}&nextToken={next_token}"))
        .await
        .ok();
    assert_eq!(second["data"]["items"][0]["flowExecutionId"], "run-0");
    assert_eq!(second["data"]["nextToken"], Value::Null);
}

#[tokio::test]
async fn expired_runs_leave_no_gap_in_a_page() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let runs = (0..20).map(|n| {
        // Every second run has expired.
        let expires_at = if n % 2 == 0 {
            json!(1)
        } else {
            json!(4_102_444_800_i64)
        };
        execution(
            &format!("run-{n}"),
            json!({"createdAt": time(n), "expiresAt": expires_at}),
        )
    });
    app.write(runs).await;
    for limit in [1, 3, 10] {
        let walked = app.walk(&token, LIST, limit).await;
        let expected: Vec<_> = (0..20)
            .rev()
            .filter(|n| n % 2 == 1)
            .map(|n| format!("run-{n}"))
            .collect();
        assert_eq!(ids(&walked), expected, "limit {limit}");
    }
}

#[tokio::test]
async fn hundreds_of_expired_runs_cause_no_empty_page() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    // Fifty visible runs between ranges of expired ones.
    let expired = json!({"expiresAt": 1});
    let runs = (0..950).map(|n| {
        let attributes = if n % 19 == 0 {
            json!({})
        } else {
            expired.clone()
        };
        let mut run = execution(&format!("run-{n:03}"), attributes);
        // The oldest 300 are all expired.
        if n < 300 {
            run.extend(crate::support::records::item(expired.clone()));
        }
        run.extend(crate::support::records::item(json!({"createdAt": time(n)})));
        run
    });
    app.write(runs).await;
    let expected: Vec<_> = (300..950)
        .rev()
        .filter(|n| n % 19 == 0)
        .map(|n| format!("run-{n:03}"))
        .collect();
    for limit in [1, 7, 50] {
        let walked = app.walk(&token, LIST, limit).await;
        assert_eq!(ids(&walked), expected, "limit {limit}");
    }
}
