//! Numbered pages and totals, compared with a plain filter of the same records.

use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::records::{execution, time};

mod filters;

const MINUTE: i64 = 60_000;

const HOUR: i64 = 60 * MINUTE;

/// A run of the data that these tests list.
#[derive(Debug, Clone)]
struct Run {
    id: String,
    flow: &'static str,
    device: Option<&'static str>,
    status: &'static str,
    kind: Option<&'static str>,
    tier: Option<&'static str>,
    parent: Option<&'static str>,
    /// Milliseconds after the start of the tests' data, which is at half past ten.
    created: i64,
}

/// 240 runs over three days, unevenly distributed. Five were created at the same time.
fn runs() -> Vec<Run> {
    let statuses = [
        "COMPLETED",
        "FAILED",
        "COMPLETED",
        "RUNNING",
        "CANCELLED",
        "PENDING",
        "DONE",
    ];
    (0..240_i64)
        .map(|n| Run {
            id: format!("run-{n:03}"),
            flow: ["flow-1", "flow-2", "flow-3"][(n % 3) as usize],
            device: [None, Some("device-1"), Some("device-2"), Some("device-1")][(n % 4) as usize],
            status: statuses[(n * 5 % 7) as usize],
            kind: [None, Some("SUBFLOW"), Some("PARENT"), None, Some("PARENT")][(n % 5) as usize],
            tier: [Some("gold"), None, Some("silver #2 = 50 %")][(n / 2 % 3) as usize],
            parent: [None, Some("parent-1"), Some("parent-2")][(n / 5 % 3) as usize],
            created: match n {
                0..5 => 90 * MINUTE,
                _ => (n * n * 7_919) % (72 * HOUR),
            },
        })
        .collect()
}

async fn write(app: &TestApp, runs: &[Run]) {
    let items = runs.iter().map(|run| {
        let attributes = json!({
            "flowId": run.flow,
            "deviceId": run.device,
            "status": run.status,
            "executionType": run.kind,
            "parentExecutionId": run.parent,
            "labels": run.tier.map(|tier| json!({"tier": tier, "id": run.id})),
            "createdAt": time(run.created),
        });
        execution(&run.id, attributes)
    });
    app.write(items).await;
    // A run of another team, and an item of another kind that is in the indexes.
    let others = json!({
        "deviceId": "device-1",
        "parentExecutionId": "parent-1",
        "labels": {"tier": "gold"},
    });
    let mut stray = execution("stray", others.clone());
    stray.insert("sk".to_owned(), shared::attributes::text("NOTE"));
    let mut other_team = execution("other-team", others);
    other_team.insert("teamId".to_owned(), shared::attributes::text("team-b"));
    app.write([other_team, stray]).await;
    app.count().await;
}

fn ids(items: &Value) -> Vec<String> {
    let items = items.as_array().expect("items");
    let id = |item: &Value| item["id"].as_str().expect("an id").to_owned();
    items.iter().map(id).collect()
}

#[tokio::test]
async fn pages_with_one_run_walk_the_whole_list() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let runs = runs();
    write(&app, &runs).await;
    for filter in [
        "",
        "&workflowId=flow-2",
        "&status=FAILED",
        "&status=SUCCESS&workflowId=flow-1",
    ] {
        let path = format!("/api/executions/team/team-a?size=1{filter}");
        let first = app.get(&token, &path).await.ok();
        let pages = first["totalPages"].as_u64().expect("a number");
        assert_eq!(first["totalElements"], pages);
        let mut walked = Vec::new();
        for page in 0..pages {
            let answer = app.get(&token, &format!("{path}&page={page}")).await.ok();
            assert_eq!(answer["number"], page);
            assert_eq!(answer["size"], 1);
            walked.extend(ids(&answer["content"]));
        }
        let beyond = app.get(&token, &format!("{path}&page={pages}")).await.ok();
        assert_eq!(beyond["content"], json!([]));
        assert_eq!(beyond["totalElements"], pages);
        let path = format!("/api/executions/team/team-a?size=500{filter}");
        let whole = app.get(&token, &path).await.ok();
        assert_eq!(walked, ids(&whole["content"]), "{filter}");
    }
    let path = "/api/executions?size=500&workflowId=flow-2&deviceId=device-1&executionType=PARENT";
    let of_workflow = app.get(&token, path).await.ok();
    let wanted = Filter {
        flow: Some("flow-2"),
        device: Some("device-1"),
        kind: Some("PARENT"),
        ..Filter::default()
    };
    let expected = runs.iter().filter(|run| wanted.keeps(run)).count();
    assert_eq!(of_workflow["totalElements"], expected);
    assert_eq!(ids(&of_workflow["content"]).len(), expected);
}

#[tokio::test]
async fn a_page_at_any_depth_reads_only_its_hour() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    // 3,000 runs in 100 hours.
    let runs = (0..3_000).map(|n| {
        let created_at = time(n * 2 * MINUTE);
        execution(&format!("run-{n}"), json!({"createdAt": created_at}))
    });
    app.write(runs).await;
    app.count().await;
    let path = "/api/executions/team/team-a?size=50";
    let counters = 5;
    for page in [0, 1, 30, 59] {
        let answer = app.get(&token, &format!("{path}&page={page}")).await;
        let body = answer.ok();
        assert_eq!(body["totalElements"], 3_000);
        let expected: Vec<_> = (0..50)
            .map(|n| format!("run-{}", 2_999 - page * 50 - n))
            .collect();
        assert_eq!(ids(&body["content"]), expected, "page {page}");
        // The counters, the part of the hour before the page, and the page. The nodes of
        // each run are counted, as the runs have no stored summary.
        let nodes = 2 * 50;
        assert!(answer.usage.requests <= 3 + nodes, "{:?}", answer.usage);
        let most = counters + 30 + 51;
        assert!(
            answer.usage.items_read <= most,
            "{:?} on page {page}",
            answer.usage
        );
    }
}

#[tokio::test]
async fn a_new_run_is_on_the_first_page_before_it_is_counted() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    app.write((0..60).map(|n| execution(&format!("run-{n:02}"), json!({"createdAt": time(n)}))))
        .await;
    let path = "/api/history/executions?lite=true";
    let page = app.get(&token, path).await.ok();
    assert_eq!(page["executions"][0]["id"], "run-59");
    assert_eq!(
        page["pagination"]["total"], 51,
        "at least the runs that were listed"
    );
    let filtered = format!("{path}&executionType=PARENT");
    app.count().await;
    app.write([execution("run-60", json!({"createdAt": time(10 * HOUR)}))])
        .await;
    for path in [path, &filtered] {
        let page = app.get(&token, path).await.ok();
        assert_eq!(page["executions"][0]["id"], "run-60", "{path}");
        assert_eq!(page["pagination"]["total"], 60);
    }
    app.count().await;
    assert_eq!(app.get(&token, path).await.ok()["pagination"]["total"], 61);
}

#[tokio::test]
async fn an_expired_run_does_not_move_other_runs_to_other_pages() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let runs = (0..30).map(|n| {
        let expires_at = if n % 10 == 3 { json!(1) } else { Value::Null };
        let attributes = json!({"createdAt": time(n * MINUTE), "expiresAt": expires_at});
        execution(&format!("run-{n:02}"), attributes)
    });
    app.write(runs).await;
    app.count().await;
    let expected: Vec<_> = (0..30)
        .rev()
        .filter(|n| n % 10 != 3)
        .map(|n| format!("run-{n:02}"))
        .collect();
    for limit in [1, 4, 10, 30] {
        let mut walked = Vec::new();
        for offset in (0..30).step_by(limit) {
            let path = format!("/api/history/executions?lite=true&limit={limit}&offset={offset}");
            walked.extend(ids(&app.get(&token, &path).await.ok()["executions"]));
        }
        assert_eq!(walked, expected, "limit {limit}");
    }
}

#[tokio::test]
async fn lists_with_page_tokens_accept_the_same_times() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let runs = runs();
    write(&app, &runs).await;
    let (from, to) = (20 * HOUR + 13 * MINUTE, 50 * HOUR + 7 * MINUTE);
    let filter = Filter {
        flow: Some("flow-1"),
        from: Some(from),
        to: Some(to),
        ..Filter::default()
    };
    let mut expected: Vec<_> = runs
        .iter()
        .filter(|run| filter.keeps(run))
        .map(|run| run.id.clone())
        .collect();
    expected.sort();
    assert!(!expected.is_empty());
    let path = format!(
        "/flow-executions?flowDefinitionId=flow-1&startDate={}&endDate={}",
        time(from),
        time(to)
    );
    for limit in [1, 7, 500] {
        let mut walked: Vec<_> = app.walk(&token, &path, limit).await;
        let mut walked: Vec<_> = walked
            .drain(..)
            .map(|item| item["flowExecutionId"].as_str().expect("an id").to_owned())
            .collect();
        walked.sort();
        assert_eq!(walked, expected, "limit {limit}");
    }
    // A token is valid only with its times.
    let page = app.get(&token, &format!("{path}&limit=1")).await.ok();
    let next = page["data"]["nextToken"].as_str().expect("a token");
    let other = "/flow-executions?flowDefinitionId=flow-1&limit=1";
    let answer = app.get(&token, &format!("{other}&nextToken={next}")).await;
    assert_eq!(answer.problem(), (400, "INVALID_NEXT_TOKEN".to_owned()));
}

#[tokio::test]
async fn runs_with_an_invalid_creation_time_are_listed_and_counted() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let odd = [
        "1700000000123",
        "2026-02-17",
        "2026-02-17T10:30:00Z",
        "yesterday",
        "2026-02-17T99",
    ];
    let runs = odd
        .iter()
        .enumerate()
        .map(|(n, created_at)| execution(&format!("odd-{n}"), json!({"createdAt": created_at})));
    app.write(runs).await;
    app.write(
        (0..20).map(|n| execution(&format!("run-{n:02}"), json!({"createdAt": time(n * HOUR)}))),
    )
    .await;
    app.count().await;
    let path = "/api/history/executions?lite=true";
    let whole = ids(&app.get(&token, &format!("{path}&limit=500")).await.ok()["executions"]);
    assert_eq!(whole.len(), 25);
    for limit in [1, 4] {
        let mut walked = Vec::new();
        for offset in (0..25).step_by(limit) {
            let page = app
                .get(&token, &format!("{path}&limit={limit}&offset={offset}"))
                .await
                .ok();
            assert_eq!(page["pagination"]["total"], 25);
            walked.extend(ids(&page["executions"]));
        }
        assert_eq!(walked, whole, "limit {limit}");
    }
}

/// The filter of a request.
#[derive(Debug, Clone, Copy, Default)]
struct Filter {
    flow: Option<&'static str>,
    device: Option<&'static str>,
    status: Option<&'static str>,
    kind: Option<&'static str>,
    tier: Option<&'static str>,
    parent: Option<&'static str>,
    from: Option<i64>,
    to: Option<i64>,
}

impl Filter {
    fn keeps(&self, run: &Run) -> bool {
        self.flow.is_none_or(|flow| run.flow == flow)
            && self.device.is_none_or(|device| run.device == Some(device))
            && self.status.is_none_or(|status| run.status == status)
            && self
                .kind
                .is_none_or(|kind| run.kind.unwrap_or("PARENT") == kind)
            && self.tier.is_none_or(|tier| run.tier == Some(tier))
            && self.parent.is_none_or(|parent| run.parent == Some(parent))
            && self.from.is_none_or(|from| from <= run.created)
            && self.to.is_none_or(|to| run.created <= to)
    }

    /// The list of the history API with this filter.
    fn history_path(&self) -> String {
        let status = self.status.map(|status| match status {
            "COMPLETED" => "PASSED",
            other => other,
        });
        let parameters = [
            ("flowId", self.flow.map(str::to_owned)),
            ("deviceId", self.device.map(str::to_owned)),
            ("status", status.map(str::to_owned)),
            ("executionType", self.kind.map(str::to_owned)),
            ("label", self.tier.map(label)),
            ("parentExecutionId", self.parent.map(str::to_owned)),
            ("startDate", self.from.map(time)),
            ("endDate", self.to.map(time)),
        ];
        format!("/api/history/executions?lite=true{}", query(&parameters))
    }
}

/// A label in a query.
fn label(tier: &str) -> String {
    let percent = |text: &str| {
        text.replace('%', "%25")
            .replace('#', "%23")
            .replace(' ', "%20")
    };
    format!("tier={}", percent(tier))
}

fn query(parameters: &[(&str, Option<String>)]) -> String {
    let given = parameters
        .iter()
        .filter_map(|(name, value)| value.as_ref().map(|value| format!("&{name}={value}")));
    given.collect()
}
