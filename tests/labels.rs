//! Search by label: entries that follow the stream, and what is found by them.

use serde_json::{Value, json};
use shared::auth::Role;
use shared::labels;
use shared::store::Range;
use shared::stream::Change;

use crate::support::records::{execution, step, time};
use crate::support::{TestApp, is_embedded};

const MINUTE: i64 = 60_000;

fn ids(runs: &Value) -> Vec<&str> {
    let runs = runs.as_array().expect("runs");
    runs.iter().filter_map(|run| run["id"].as_str()).collect()
}

/// The ids of the runs that the history's list has for a label.
async fn found(app: &TestApp, token: &str, label: &str) -> Vec<String> {
    let path = format!("/api/history/executions?lite=true&label={label}");
    let body = app.get(token, &path).await.ok();
    let ids = ids(&body["executions"]);
    assert_eq!(body["pagination"]["total"], ids.len());
    ids.into_iter().map(str::to_owned).collect()
}

#[tokio::test]
async fn a_run_is_found_by_its_labels_as_they_are_now() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let open = json!({"status": "RUNNING", "labels": {"orderId": "42", "region": "eu"}});
    app.write([execution("run-1", open)]).await;
    app.count().await;
    let path = "/api/history/executions?lite=true&label=orderId=42";
    let body = app.get(&token, path).await.ok();
    assert_eq!(body["executions"][0]["status"], "RUNNING");

    let ended = json!({"status": "COMPLETED", "labels": {"orderId": "43", "region": "eu"}});
    app.write([execution("run-1", ended)]).await;
    app.count().await;
    assert_eq!(found(&app, &token, "orderId=42").await, [""; 0]);
    assert_eq!(found(&app, &token, "orderId=43").await, ["run-1"]);
    assert_eq!(found(&app, &token, "region=eu").await, ["run-1"]);
    let path = "/api/history/executions?lite=true&label=region=eu";
    let body = app.get(&token, path).await.ok();
    let row = &body["executions"][0];
    assert_eq!(row["status"], "PASSED");
    assert_eq!(row["createdAt"], time(0));
    assert_eq!(row["durationMs"], 2_350);
    assert_eq!(body["filters"]["label"], "region=eu");

    let expired = json!({"labels": {"region": "eu"}, "expiresAt": 1});
    app.write([execution("run-1", expired)]).await;
    app.count().await;
    let body = app.get(&token, path).await.ok();
    assert_eq!(body["executions"], json!([]), "as of every list");

    app.store
        .delete("EXEC#run-1", "EXECUTION")
        .await
        .expect("deleted");
    app.count().await;
    for label in ["orderId=42", "orderId=43", "region=eu"] {
        assert_eq!(found(&app, &token, label).await, [""; 0]);
        let entries = Range::of_partition(format!("LABEL#team-a#{label}"), "", None);
        let left = app.store.all(&entries).await.expect("read");
        assert_eq!(left, [], "of {label}");
    }
}

#[tokio::test]
async fn every_surface_finds_the_same_runs() {
    let app = TestApp::new().await;
    let token = app.token("team-a", Role::Operator, None).await;
    let runs = (0..23).map(|n| {
        let tier = if n % 2 == 0 { "gold" } else { "silver" };
        let flow = if n % 3 == 0 { "flow-1" } else { "flow-2" };
        let attributes = json!({
            "createdAt": time(n * 3 * MINUTE), "labels": {"tier": tier}, "flowId": flow,
            "status": if n % 5 == 0 { "FAILED" } else { "COMPLETED" },
            "flowVersion": n % 4,
        });
        execution(&format!("run-{n:02}"), attributes)
    });
    app.write(runs).await;
    app.write([step("run-04", "s", 1_000, json!({}))]).await;
    app.count().await;
    let gold: Vec<_> = (0..23).rev().filter(|n| n % 2 == 0).collect();
    let id = |n: &i64| format!("run-{n:02}");
    let wanted: Vec<_> = gold.iter().map(id).collect();
    assert_eq!(found(&app, &token, "tier=gold").await, wanted);

    for size in [1, 5, 500] {
        let mut walked = Vec::new();
        let path = format!("/api/executions/team/team-a?label=tier=gold&size={size}");
        for page in 0..wanted.len().div_ceil(size) {
            let body = app.get(&token, &format!("{path}&page={page}")).await.ok();
            assert_eq!(body["totalElements"], wanted.len());
            assert_eq!(body["totalPages"], wanted.len().div_ceil(size));
            assert_eq!(body.get("totalIsExact"), None);
            walked.extend(ids(&body["content"]).into_iter().map(str::to_owned));
        }
        assert_eq!(walked, wanted, "at size {size}");
    }

    let path = "/api/executions?workflowId=flow-2&label=tier=gold&status=SUCCESS";
    let body = app.get(&token, path).await.ok();
    let of_workflow = gold.iter().filter(|n| *n % 3 != 0 && *n % 5 != 0).map(id);
    assert!(ids(&body["content"]).into_iter().eq(of_workflow));

    let path = "/api/history/executions/flows/flow-2?label=tier=gold&status=PASSED";
    let body = app.get(&token, path).await.ok();
    let of_workflow = gold.iter().filter(|n| *n % 3 != 0 && *n % 5 != 0).map(id);
    assert!(ids(&body["executions"]).into_iter().eq(of_workflow));

    let of_flow: Vec<_> = gold.iter().filter(|n| *n % 3 == 0).map(id).collect();
    let path = "/flow-executions?flowDefinitionId=flow-1&label=tier=gold";
    for limit in [1, 2, 50] {
        let items = app.walk(&token, path, limit).await;
        let walked = items
            .iter()
            .filter_map(|item| item["flowExecutionId"].as_str());
        assert_eq!(walked.collect::<Vec<_>>(), of_flow, "at limit {limit}");
    }
    let of_version = gold.iter().filter(|n| *n % 3 == 0 && *n % 4 == 2).map(id);
    let items = app.walk(&token, &format!("{path}&flowVersion=2"), 1).await;
    let walked = items
        .iter()
        .filter_map(|item| item["flowExecutionId"].as_str());
    assert!(walked.eq(of_version));

    let path = "/api/executions/team/team-a/export?format=json&from=2026-02-17&label=tier=gold";
    let file = app.get(&token, path).await.ok();
    let exported: Vec<_> = file.as_array().expect("an array").iter().collect();
    let exported_ids = exported
        .iter()
        .filter_map(|run| run["executionId"].as_str());
    assert_eq!(exported_ids.collect::<Vec<_>>(), wanted);
    let with_step = exported.iter().find(|run| run["executionId"] == "run-04");
    assert_eq!(
        with_step.expect("run-04")["nodeExecutions"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );

    let path = "/api/history/execution-stats?startDate=2026-02-17&endDate=2026-02-17&label=tier=gold&interval=hour";
    let stats = app.get(&token, path).await.ok()["stats"].take();
    let failed = gold.iter().filter(|n| *n % 5 == 0).count();
    assert_eq!(
        stats["statusBreakdown"],
        json!({"PASSED": gold.len() - failed, "FAILED": failed})
    );
    assert_eq!(stats["averageExecutionTimeMs"], 2_350);
    assert_eq!(stats["series"][10]["totalExecutions"], 5, "until eleven");
    assert_eq!(stats["series"][11]["totalExecutions"], wanted.len() - 5);
}

#[tokio::test]
async fn what_a_run_has_started_is_found_and_summed_up() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let started = |id: &str, parent: &str, status: &str| {
        let attributes = json!({
            "executionType": "SUBFLOW", "parentExecutionId": parent, "status": status,
        });
        execution(id, attributes)
    };
    app.write([
        execution("run-1", json!({})),
        started("run-1a", "run-1", "COMPLETED"),
        started("run-1b", "run-1", "FAILED"),
        started("run-2a", "run-2", "FAILED"),
    ])
    .await;
    let path = "/api/history/executions?lite=true&parentExecutionId=run-1";
    let body = app.get(&token, path).await.ok();
    assert_eq!(ids(&body["executions"]), ["run-1b", "run-1a"]);
    assert_eq!(body["pagination"]["total"], 2);
    assert_eq!(body["filters"]["parentExecutionId"], "run-1");
    let path = "/api/history/execution-stats?startDate=2026-02-17&parentExecutionId=run-1";
    let stats = app.get(&token, path).await.ok()["stats"].take();
    assert_eq!(stats["statusBreakdown"], json!({"PASSED": 1, "FAILED": 1}));
    let wrong = "/api/history/executions?parentExecutionId=a%23b";
    assert_eq!(
        app.get(&token, wrong).await.json()["parameter"],
        "parentExecutionId"
    );
}

#[tokio::test]
async fn a_list_by_label_is_one_request() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let runs = (0..300).map(|n| {
        let labels = json!({"tier": "gold", "number": n.to_string()});
        execution(&format!("run-{n}"), json!({"labels": labels}))
    });
    app.write(runs).await;
    app.count().await;
    for (label, requests, items) in [("number=7", 1, 1), ("tier=gold", 2, 300)] {
        let path = format!("/api/history/executions?lite=true&label={label}");
        let answer = app.get(&token, &path).await;
        assert_eq!(answer.ok()["pagination"]["total"], items);
        assert_eq!(
            answer.usage.requests, requests,
            "{label}: the page, and the rest counted"
        );
        assert_eq!(answer.usage.items_read, items, "{label}");
    }
}

#[tokio::test]
async fn changes_that_come_again_change_nothing_and_missing_entries_can_be_entered() {
    let app = TestApp::new().await;
    let labelled = |status: &str, labels: Value| {
        execution("run-1", json!({"status": status, "labels": labels}))
    };
    let images = [
        None,
        Some(labelled("PENDING", json!({"a": "1", "b": "2"}))),
        Some(labelled("RUNNING", json!({"a": "1", "c": "3"}))),
        Some(labelled("COMPLETED", json!({"a": "1", "c": "3"}))),
    ];
    let changes: Vec<_> = images
        .windows(2)
        .enumerate()
        .map(|(position, pair)| Change {
            sequence_number: (position + 1).to_string(),
            old: pair[0].clone(),
            new: pair[1].clone(),
        })
        .collect();
    // Cut off behind each change, and handed over again from the beginning.
    for end in 1..=changes.len() {
        labels::follow(&app.store, &changes[..end])
            .await
            .expect("followed");
    }
    assert_eq!(
        labels::follow(&app.store, &changes)
            .await
            .expect("followed"),
        3
    );
    let entry = async |label: &str| {
        let pk = format!("LABEL#team-a#{label}");
        let sk = format!("{}#run-1", time(0));
        app.store.get_latest(&pk, &sk).await.expect("read")
    };
    for label in ["a=1", "c=3"] {
        let entry = entry(label).await.expect("an entry");
        assert_eq!(entry["status"], shared::table::text("COMPLETED"), "{label}");
    }
    assert_eq!(entry("b=2").await, None);
    // A sign of life is no write.
    let mut alive = changes[2].clone();
    alive.old = alive.new.clone();
    let beat = shared::table::text(time(1));
    alive
        .new
        .as_mut()
        .expect("an image")
        .insert("heartbeatAt".to_owned(), beat);
    assert_eq!(
        labels::follow(&app.store, &[alive])
            .await
            .expect("followed"),
        0
    );

    // Runs from before the stream was followed.
    app.write([
        labelled("COMPLETED", json!({"a": "1", "c": "3"})),
        execution("run-2", json!({"labels": {"a": "1"}, "teamId": "team-b"})),
        execution("run-3", json!({"labels": {"a": "1"}})),
    ])
    .await;
    let team = "team-a".parse().expect("a team");
    let enter = async |team| labels::enter_all(&app.store, team).await.expect("entered");
    assert_eq!(enter(Some(&team)).await, 1);
    assert_eq!(enter(None).await, 1);
    assert_eq!(enter(None).await, 0);
    // A run whose end was in a batch that was given up.
    let open = execution("run-4", json!({"status": "RUNNING", "labels": {"a": "1"}}));
    let begun = Change {
        sequence_number: "9".to_owned(),
        old: None,
        new: Some(open),
    };
    let ended = execution("run-4", json!({"labels": {"a": "1"}, "createdAt": time(0)}));
    app.write([ended]).await;
    labels::follow(&app.store, &[begun])
        .await
        .expect("followed");
    assert_eq!(enter(None).await, 1);
    let path = "/api/history/executions?lite=true&label=a=1&status=PASSED";
    let token = app.viewer("team-a").await;
    let body = app.get(&token, path).await.ok();
    assert_eq!(ids(&body["executions"]), ["run-4", "run-3", "run-1"]);
}

#[tokio::test]
async fn a_label_has_a_name_and_a_value() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let long = format!("a={}", "b".repeat(512));
    for label in ["", "orderId", "=42", "orderId=", &long] {
        for path in [
            "/api/history/executions?",
            "/api/history/execution-stats?",
            "/api/executions/team/team-a?",
            "/flow-executions?flowDefinitionId=flow-1&",
        ] {
            let answer = app.get(&token, &format!("{path}label={label}")).await;
            assert_eq!(
                answer.problem(),
                (400, "INVALID_PARAMETER".to_owned()),
                "{path}{label}"
            );
            assert_eq!(answer.json()["parameter"], "label");
        }
    }
    let twice = "/api/history/executions?label=a=1&label=b=2";
    assert_eq!(app.get(&token, twice).await.status, 400);
    // Nobody has these.
    for label in ["a==", "%23=%23", "a%20b=c%0Ad", "\u{1F600}=\u{FFFF}"] {
        assert_eq!(
            found(&app, &token, &percent(label)).await,
            [""; 0],
            "{label}"
        );
    }
}

/// What is not ASCII, percent-encoded.
fn percent(text: &str) -> String {
    let encode = |byte: u8| match byte.is_ascii() {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

#[tokio::test]
async fn nobody_finds_what_he_may_not_see() {
    let app = TestApp::new().await;
    let labels = json!({"labels": {"orderId": "42"}});
    let mut other = execution("run-b", labels.clone());
    other.insert("teamId".to_owned(), shared::table::text("team-b"));
    let mut hidden = execution("run-2", labels.clone());
    hidden.insert("flowId".to_owned(), shared::table::text("flow-2"));
    app.write([execution("run-1", labels), hidden, other]).await;
    app.count().await;
    let limited = app.token("team-a", Role::Viewer, Some(&["flow-1"])).await;
    let path = "/api/history/executions?lite=true&label=orderId=42";
    assert_eq!(app.get(&limited, path).await.status, 403);
    let body = app
        .get(&limited, &format!("{path}&flowId=flow-1"))
        .await
        .ok();
    assert_eq!(ids(&body["executions"]), ["run-1"]);
    let stranger = app.viewer("team-c").await;
    assert_eq!(found(&app, &stranger, "orderId=42").await, [""; 0]);
    assert_eq!(
        found(&app, &stranger, "team-a%23orderId=42").await,
        [""; 0],
        "a key cannot be built of a label"
    );
}

#[tokio::test]
async fn what_is_not_counted_to_the_end_says_so() {
    // Elsewhere it would be minutes.
    if !is_embedded() {
        return;
    }
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    // 24 MB of entries; 16 of them are read.
    let message = "x".repeat(300_000);
    for n in 0..80 {
        let attributes = json!({
            "createdAt": time(n), "labels": {"tier": "gold"}, "errorMessage": message,
        });
        app.write([execution(&format!("run-{n}"), attributes)])
            .await;
    }
    app.count().await;
    let path = "/api/history/executions?lite=true&limit=2&label=tier=gold";
    let body = app.get(&token, path).await.ok();
    let pagination = &body["pagination"];
    assert_eq!(pagination["totalIsExact"], false);
    assert_eq!(pagination["hasMore"], true);
    let total = pagination["total"].as_u64().expect("a number");
    assert!((40..80).contains(&total), "{total}");
    assert_eq!(ids(&body["executions"]), ["run-79", "run-78"]);
    let path = "/api/history/execution-stats?startDate=2026-02-17&label=tier=gold";
    let stats = app.get(&token, path).await.ok()["stats"].take();
    assert_eq!(stats["totalIsExact"], false);
    let total = stats["totalExecutions"].as_u64().expect("a number");
    assert!((40..80).contains(&total), "{total}");
}
