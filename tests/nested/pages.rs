//! Pages of nested steps: their order, their tokens and their filters.

use serde_json::{Value, json};
use shared::model::Item;

use super::{below, nested, small_run, with_status};
use crate::support::TestApp;
use crate::support::records::{ForkKey, branch_step, execution, step};

/// The steps on one page: branch or lane, and id.
fn page(body: &Value) -> Vec<(String, String)> {
    let branches = body["data"].as_object().expect("a map").iter();
    let steps = branches.flat_map(|(branch, view)| {
        let steps = view["steps"].as_array().expect("steps").iter();
        steps.map(|step| {
            let id = step["stepInstanceId"].as_str().expect("an id");
            (branch.clone(), id.to_owned())
        })
    });
    steps.collect()
}

/// All steps below a step, page by page.
async fn walk(app: &TestApp, token: &str, path: &str) -> Vec<Vec<(String, String)>> {
    let (mut pages, mut next) = (Vec::new(), String::new());
    loop {
        let body = app.get(token, &format!("{path}{next}")).await.ok();
        pages.push(page(&body));
        match body["nextToken"].as_str() {
            Some(token) => next = format!("&nextToken={token}"),
            None => return pages,
        }
    }
}

/// Branches of `fork`, then 20 nested steps, of which each overlaps the next.
fn mixed_run() -> Vec<Item> {
    let fork = ForkKey {
        execution_id: "run-1",
        id: "fork",
        offset: 0,
    };
    let branches = (0..7).map(|n| {
        let branch = format!("branch-{}", n / 3);
        branch_step(&fork, &branch, &format!("in-{n}"), 10 + n, json!({}))
    });
    let nested = (0..20).map(|n| nested(&format!("n-{n:02}"), "fork", 5 + n * 10, 12));
    let own = [
        execution("run-1", json!({})),
        step(
            "run-1",
            "fork",
            0,
            json!({"stepType": "PARALLEL_FORK_MANAGER"}),
        ),
    ];
    own.into_iter().chain(branches).chain(nested).collect()
}

#[tokio::test]
async fn pages_of_any_size_have_all_branches_and_then_all_lanes() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    app.write(mixed_run()).await;
    let path = below("fork", 0);
    let whole = walk(&app, &token, &path).await.concat();
    assert_eq!(whole.len(), 27);
    assert_eq!(whole[6], ("branch-2".to_owned(), "in-6".to_owned()));
    let lane = |n: usize| format!("fork.{}", n % 2 + 1);
    let first: Vec<_> = (0..20)
        .step_by(2)
        .map(|n| (lane(n), format!("n-{n:02}")))
        .collect();
    assert_eq!(whole[7..17], first, "lane after lane");
    for limit in [1, 2, 6, 7, 8, 26, 27, 500] {
        let pages = walk(&app, &token, &format!("{path}&limit={limit}")).await;
        let last = pages.len() - 1;
        for (number, page) in pages.iter().enumerate() {
            assert!(number == last || page.len() == limit, "limit {limit}");
            assert!(!page.is_empty(), "limit {limit}");
        }
        let mut found = pages.concat();
        // Pages continue by time, so a lane is on several of them.
        found.sort();
        let mut expected = whole.clone();
        expected.sort();
        assert_eq!(found, expected, "limit {limit}");
    }
    let pages = walk(&app, &token, &format!("{path}&limit=9")).await;
    let ids = |page: &[(String, String)]| -> Vec<String> {
        page.iter().map(|(_, id)| id.clone()).collect()
    };
    let expected = [
        "n-02", "n-04", "n-06", "n-08", "n-10", "n-03", "n-05", "n-07", "n-09",
    ];
    assert_eq!(ids(&pages[1]), expected, "by time, grouped by lane");
}

#[tokio::test]
async fn details_of_any_page_size_have_all_top_level_steps() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let mut run = vec![execution("run-1", json!({}))];
    for n in 0..12 {
        let (id, at) = (format!("top-{n:02}"), n * 100);
        run.push(step("run-1", &id, at, json!({})));
        run.extend((0..n).map(|m| nested(&format!("{id}-{m}"), &id, at + 1 + m, 1)));
    }
    app.write(run).await;
    for limit in [1, 5, 12, 500] {
        let path = format!("/flow-executions/run-1?limit={limit}");
        let steps = app.walk_steps(&token, &path, |_, answer| {
            let steps = answer.ok()["data"]["steps"].as_array().map(Vec::len);
            assert!(steps.is_some_and(|steps| (1..=limit).contains(&steps)));
        });
        let steps = steps.await;
        let ids: Vec<_> = steps
            .iter()
            .map(|it| it["stepInstanceId"].as_str())
            .collect();
        let expected: Vec<_> = (0..12).map(|n| format!("top-{n:02}")).collect();
        let expected: Vec<_> = expected.iter().map(|id| Some(id.as_str())).collect();
        assert_eq!(ids, expected, "limit {limit}");
        for (number, step) in steps.iter().enumerate() {
            assert_eq!(step["hasBranches"], number > 0, "limit {limit}");
        }
    }
}

#[tokio::test]
async fn a_page_token_belongs_to_one_parent_and_one_filter() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    app.write(mixed_run()).await;
    let path = below("fork", 0);
    let mut tokens = Vec::new();
    for limit in [3, 10] {
        let body = app.get(&token, &format!("{path}&limit={limit}")).await.ok();
        tokens.push(body["nextToken"].as_str().expect("a token").to_owned());
    }
    for next in &tokens {
        let answer = app.get(&token, &format!("{path}&nextToken={next}")).await;
        assert!(!page(&answer.ok()).is_empty());
        for other in [
            format!("{}&nextToken={next}", below("n-01", 15)),
            format!("{path}&stepStatus=FAILED&nextToken={next}"),
            format!("/flow-executions/run-1?nextToken={next}"),
        ] {
            let problem = app.get(&token, &other).await.problem();
            assert_eq!(problem, (400, "INVALID_NEXT_TOKEN".to_owned()), "{other}");
        }
    }
}

#[tokio::test]
async fn a_status_filter_selects_at_every_level() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let mut run = small_run();
    run.push(with_status(
        step("run-1", "failed", 70, json!({})),
        "FAILED",
    ));
    run.push(with_status(nested("d", "top", 80, 5), "FAILED"));
    run.push(with_status(nested("e", "a", 81, 5), "FAILED"));
    app.write(run).await;
    let path = "/flow-executions/run-1?stepStatus=FAILED";
    let body = app.get(&token, path).await.ok();
    let steps = &body["data"]["steps"];
    assert_eq!(super::outline(steps, "stepInstanceId"), ["failed"]);
    let body = app
        .get(
            &token,
            "/flow-executions/run-1?stepStatus=COMPLETED&limit=1",
        )
        .await
        .ok();
    let steps = &body["data"]["steps"];
    assert_eq!(super::outline(steps, "stepInstanceId"), ["top+"]);
    let path = format!("{}&stepStatus=FAILED", below("top", 0));
    let body = app.get(&token, &path).await.ok();
    let expected = [super::lane("top.1", "lane-1", &["d"])];
    assert_eq!(super::lanes(&body), expected);
}

#[tokio::test]
async fn later_pages_of_a_flat_run_cost_no_more_requests() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    // About 2.5 MB, so that no Query reads all of it.
    let text = json!({"output": "x".repeat(1_000)});
    app.write([execution("run-1", json!({}))]).await;
    app.write((0..1_800).map(|n| step("run-1", &format!("s-{n:04}"), n, text.clone())))
        .await;
    app.remember_masking("team-a").await;
    let mut requests = Vec::new();
    let path = "/flow-executions/run-1?limit=50&maxPayloadBytes=0";
    let steps = app.walk_steps(&token, path, |_, answer| {
        requests.push(answer.usage.requests);
    });
    assert_eq!(steps.await.len(), 1_800);
    // The run and its first steps, the payloads of steps, and the search for nested steps.
    assert!(requests[0] <= 5, "{requests:?}");
    // The run, its payloads, and one Query for the page.
    assert!(
        requests[1..].iter().all(|requests| *requests <= 3),
        "{requests:?}"
    );
}
