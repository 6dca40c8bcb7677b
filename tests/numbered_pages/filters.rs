//! Every combination of filters, compared with a plain filter.

use serde_json::json;

use super::{Filter, HOUR, MINUTE, Run, ids, runs, write};
use crate::support::TestApp;

/// Every combination of some values of each condition. The times begin and end inside an
/// hour, at its bounds, and around no run.
fn filters() -> Vec<Filter> {
    let mut filters = Vec::new();
    let times = [
        (None, None),
        (Some(13 * MINUTE), None),
        (None, Some(50 * HOUR + 17 * MINUTE)),
        (
            Some(20 * HOUR - 30 * MINUTE),
            Some(44 * HOUR + 30 * MINUTE - 1),
        ),
        (Some(85 * MINUTE), Some(95 * MINUTE)),
        // A moment at which runs were created.
        (Some(90 * MINUTE), Some(90 * MINUTE)),
        (Some(-10 * HOUR), Some(-9 * HOUR)),
    ];
    for (from, to) in times {
        for flow in [None, Some("flow-1"), Some("flow-9")] {
            for device in [None, Some("device-1")] {
                for status in [None, Some("COMPLETED"), Some("PENDING")] {
                    for kind in [None, Some("PARENT"), Some("SUBFLOW")] {
                        filters.push(Filter {
                            flow,
                            device,
                            status,
                            kind,
                            from,
                            to,
                            ..Filter::default()
                        });
                    }
                }
            }
        }
        filters.extend(uncounted_filters(from, to));
    }
    filters
}

/// Filters that no counter covers.
fn uncounted_filters(from: Option<i64>, to: Option<i64>) -> Vec<Filter> {
    let mut filters = Vec::new();
    for (tier, parent) in [
        (Some("gold"), None),
        (Some("silver #2 = 50 %"), None),
        (Some("bronze"), None),
        (None, Some("parent-2")),
        (Some("gold"), Some("parent-1")),
    ] {
        let alone = Filter {
            tier,
            parent,
            from,
            to,
            ..Filter::default()
        };
        filters.extend([
            alone,
            Filter {
                flow: Some("flow-1"),
                ..alone
            },
            Filter {
                device: Some("device-1"),
                kind: Some("PARENT"),
                ..alone
            },
            Filter {
                flow: Some("flow-2"),
                status: Some("COMPLETED"),
                ..alone
            },
        ]);
    }
    filters
}

#[tokio::test]
async fn filters_list_and_count_the_same_runs_as_a_plain_filter() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let runs = runs();
    write(&app, &runs).await;
    // DynamoDB Local takes ten times as long, and tries every seventh filter.
    let stride = if app.embedded.is_some() { 1 } else { 7 };
    for filter in filters().into_iter().step_by(stride) {
        let all = assert_whole_list(&app, &token, &filter, &runs).await;
        for limit in [7, 50] {
            assert_pages(&app, &token, &filter, &all, limit).await;
        }
    }
}

/// One page lists exactly the runs that a filter keeps, newest first. Returns their ids.
async fn assert_whole_list(
    app: &TestApp,
    token: &str,
    filter: &Filter,
    runs: &[Run],
) -> Vec<String> {
    let mut expected: Vec<_> = runs.iter().filter(|run| filter.keeps(run)).collect();
    expected.sort_by_key(|run| std::cmp::Reverse(run.created));
    let path = format!("{}&limit=500", filter.history_path());
    let whole = app.get(token, &path).await.ok();
    assert_eq!(whole["pagination"]["total"], expected.len(), "{filter:?}");
    assert_eq!(whole["pagination"]["hasMore"], false, "{filter:?}");
    // The index orders runs that were created at the same time.
    let created = |id: &String| runs.iter().find(|run| run.id == *id).map(|run| run.created);
    let all = ids(&whole["executions"]);
    assert!(
        all.iter()
            .map(created)
            .eq(expected.iter().map(|run| Some(run.created))),
        "{filter:?}: {all:?}"
    );
    let mut sorted = all.clone();
    sorted.sort();
    let mut wanted: Vec<_> = expected.iter().map(|run| run.id.clone()).collect();
    wanted.sort();
    assert_eq!(sorted, wanted, "{filter:?}");
    all
}

/// Pages of a size list the same runs, with their exact total.
async fn assert_pages(app: &TestApp, token: &str, filter: &Filter, all: &[String], limit: usize) {
    let path = format!("{}&limit={limit}", filter.history_path());
    let mut walked = Vec::new();
    for offset in (0..all.len() + limit).step_by(limit) {
        let page = app
            .get(token, &format!("{path}&offset={offset}"))
            .await
            .ok();
        let page_ids = ids(&page["executions"]);
        assert_eq!(
            page["pagination"],
            json!({
                "limit": limit, "offset": offset, "total": all.len(),
                "hasMore": offset + limit < all.len(),
            }),
            "{filter:?}"
        );
        let left = all.len().saturating_sub(offset);
        assert_eq!(page_ids.len(), left.min(limit), "{filter:?} at {offset}");
        walked.extend(page_ids);
    }
    assert_eq!(walked, all, "{filter:?} at limit {limit}");
}
