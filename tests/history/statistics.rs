//! Statistics: `/api/history/execution-stats`.

use serde_json::{Value, json};

use super::{HOUR, MINUTE};
use crate::support::TestApp;
use crate::support::records::{execution, time};

/// Ten days with a run every ten minutes, whose status, device, flow, type and duration
/// follow from its number.
async fn with_ten_days() -> (TestApp, String, Vec<Run>) {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let runs: Vec<_> = (0..1_440_i64)
        .map(|n| Run {
            created: n * 10 * MINUTE,
            status: ["COMPLETED", "COMPLETED", "RUNNING", "FAILED", "CANCELLED"][(n % 5) as usize],
            device: if n % 2 == 0 { "device-1" } else { "device-2" },
            flow: if n % 3 == 0 { "flow-1" } else { "flow-2" },
            kind: if n % 7 == 0 { "SUBFLOW" } else { "PARENT" },
            duration: (n as u64 * 37) % 20_000,
        })
        .collect();
    app.write(runs.iter().enumerate().map(|(n, run)| {
        let attributes = json!({
            "createdAt": time(run.created), "status": run.status, "deviceId": run.device,
            "flowId": run.flow, "executionType": run.kind, "durationMs": run.duration,
        });
        execution(&format!("run-{n}"), attributes)
    }))
    .await;
    app.count().await;
    (app, token, runs)
}

struct Run {
    created: i64,
    status: &'static str,
    device: &'static str,
    flow: &'static str,
    kind: &'static str,
    duration: u64,
}

#[tokio::test]
async fn statistics_cover_exactly_the_runs_between_the_bounds() {
    let (app, token, runs) = with_ten_days().await;
    let ranges = [
        (0, 240 * HOUR),
        (17 * MINUTE, 100 * HOUR + 3 * MINUTE),
        (30 * MINUTE, 90 * MINUTE - 1),
        (31 * MINUTE, 31 * MINUTE),
        (30 * MINUTE, 30 * MINUTE),
        (5 * HOUR + MINUTE, 5 * HOUR + 25 * MINUTE),
        (13 * HOUR + 30 * MINUTE, 37 * HOUR + 30 * MINUTE - 1),
        (-100 * HOUR, -HOUR),
    ];
    type Keep = fn(&Run) -> bool;
    let filters: [(&str, Keep); 7] = [
        ("", |_| true),
        ("&flowId=flow-1", |run| run.flow == "flow-1"),
        ("&deviceId=device-2", |run| run.device == "device-2"),
        ("&flowId=flow-2&deviceId=device-1", |run| {
            run.flow == "flow-2" && run.device == "device-1"
        }),
        ("&executionType=SUBFLOW", |run| run.kind == "SUBFLOW"),
        ("&status=PASSED", |run| run.status == "COMPLETED"),
        ("&status=FAILED&executionType=PARENT&flowId=flow-2", |run| {
            run.status == "FAILED" && run.kind == "PARENT" && run.flow == "flow-2"
        }),
    ];
    for (from, to) in ranges {
        for (filter, keep) in &filters {
            let within = |run: &&Run| (from..=to).contains(&run.created) && keep(run);
            let expected: Vec<_> = runs.iter().filter(within).collect();
            let path = format!(
                "/api/history/execution-stats?startDate={}&endDate={}{filter}",
                time(from),
                time(to)
            );
            let stats = app.get(&token, &path).await.ok()["stats"].take();
            assert_eq!(stats["totalExecutions"], expected.len(), "{path}");
            let with = |status: &str| expected.iter().filter(|run| run.status == status).count();
            for (word, status) in [
                ("PASSED", "COMPLETED"),
                ("FAILED", "FAILED"),
                ("RUNNING", "RUNNING"),
                ("CANCELLED", "CANCELLED"),
            ] {
                let count = stats["statusBreakdown"][word].as_u64().unwrap_or_default();
                assert_eq!(count, with(status) as u64, "{path} {word}");
            }
            let durations = durations_of(expected.iter().copied());
            assert_eq!(stats["completedCount"], durations.len(), "{path}");
            let (sum, count) = (durations.iter().sum::<u64>(), durations.len() as u64);
            let mean = (sum + count / 2).checked_div(count).unwrap_or_default();
            assert_eq!(stats["averageExecutionTimeMs"], mean, "{path}");
            assert_percentiles(&stats["durationPercentiles"], &durations, &path);
        }
    }
}

/// The durations of the runs that completed or failed, in order.
fn durations_of<'a>(runs: impl Iterator<Item = &'a Run>) -> Vec<u64> {
    let ended = runs.filter(|run| ["COMPLETED", "FAILED"].contains(&run.status));
    let mut durations: Vec<_> = ended.map(|run| run.duration).collect();
    durations.sort_unstable();
    durations
}

fn assert_percentiles(percentiles: &Value, durations: &[u64], context: &str) {
    assert_eq!(percentiles.is_null(), durations.is_empty(), "{context}");
    for (name, part) in [("p50Ms", 0.5), ("p95Ms", 0.95), ("p99Ms", 0.99)] {
        if durations.is_empty() {
            continue;
        }
        let rank = (part * durations.len() as f64).ceil() as usize - 1;
        let exact = durations[rank] as f64;
        let estimate = percentiles[name].as_f64().expect("a number");
        assert!(
            (estimate - exact).abs() <= exact / 16.0 + 1.0,
            "{context}: {estimate} {exact}"
        );
    }
}

#[tokio::test]
async fn series_have_every_hour_or_day_and_add_up() {
    let (app, token, runs) = with_ten_days().await;
    let (from, to) = (17 * MINUTE, 60 * HOUR);
    let within: Vec<_> = runs
        .iter()
        .filter(|run| (from..=to).contains(&run.created))
        .collect();
    for (interval, length, periods) in [("hour", HOUR, 61), ("day", 24 * HOUR, 3)] {
        let path = format!(
            "/api/history/execution-stats?startDate={}&endDate={}&interval={interval}",
            time(from),
            time(to)
        );
        let stats = app.get(&token, &path).await.ok()["stats"].take();
        let series = stats["series"].as_array().expect("a series");
        assert_eq!(series.len(), periods, "{interval}");
        let mut total = 0;
        for period in series {
            let start: shared::model::Timestamp = period["start"]
                .as_str()
                .expect("a time")
                .parse()
                .expect("a time");
            let begin = start.milliseconds() - crate::support::records::START;
            let runs = within
                .iter()
                .filter(|run| (begin..begin + length).contains(&run.created));
            let (all, failed) = (
                runs.clone().count(),
                runs.clone().filter(|run| run.status == "FAILED").count(),
            );
            assert_eq!(period["totalExecutions"], all, "{period}");
            assert_eq!(
                period["statusBreakdown"]["FAILED"]
                    .as_u64()
                    .unwrap_or_default(),
                failed as u64
            );
            let durations = durations_of(runs.copied());
            let percentiles = &period["durationPercentiles"];
            assert_percentiles(percentiles, &durations, &period.to_string());
            total += all;
        }
        assert_eq!(stats["totalExecutions"], total);
    }
    let plain = app.get(&token, "/api/history/execution-stats").await.ok();
    assert_eq!(plain["stats"].get("series"), None);
}

#[tokio::test]
async fn statistics_cover_30_days_or_the_requested_number() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let now = shared::model::Timestamp::now().milliseconds();
    let ago = |ms: i64| {
        shared::model::Timestamp::from_milliseconds(now - ms)
            .expect("a time")
            .to_string()
    };
    let day = 24 * HOUR;
    // On both sides of the bound, which is the start of an hour.
    let moments = [
        MINUTE,
        day - MINUTE,
        day + HOUR,
        30 * day - MINUTE,
        30 * day + HOUR,
    ];
    app.write(
        moments
            .iter()
            .enumerate()
            .map(|(n, moment)| execution(&format!("run-{n}"), json!({"createdAt": ago(*moment)}))),
    )
    .await;
    app.count().await;
    let count = async |query: &str| {
        let path = format!("/api/history/execution-stats{query}");
        let body = app.get(&token, &path).await.ok();
        (
            body["stats"]["totalExecutions"].clone(),
            body["filters"]["days"].clone(),
        )
    };
    assert_eq!(count("").await, (json!(4), json!(30)));
    assert_eq!(count("?days=1").await, (json!(2), json!(1)));
    assert_eq!(count("?days=31").await, (json!(5), json!(31)));
    let since = format!("?startDate={}&days=1", ago(40 * day));
    assert_eq!(
        count(&since).await,
        (json!(5), Value::Null),
        "dates override days"
    );
    let until = format!("?endDate={}&days=1", ago(day));
    assert_eq!(
        count(&until).await,
        (json!(1), json!(1)),
        "the day that ends at that moment"
    );
}

#[tokio::test]
async fn statistics_of_30_days_read_about_one_item_per_day() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    app.write((0..3_000).map(|n| {
        execution(
            &format!("run-{n}"),
            json!({"createdAt": time(n * 15 * MINUTE)}),
        )
    }))
    .await;
    app.count().await;
    // Half an hour, the rest of the first day, and 30 days.
    let path = format!(
        "/api/history/execution-stats?startDate={}&endDate={}",
        time(0),
        time(30 * 24 * HOUR + 13 * HOUR + 30 * MINUTE - 1)
    );
    let answer = app.get(&token, &path).await;
    assert_eq!(answer.ok()["stats"]["totalExecutions"], 2_934);
    // The counters, the blocks of the first day, and the first half hour.
    assert_eq!(answer.usage.requests, 3);
    let runs_of_the_half_hour = 2;
    assert!(
        answer.usage.items_read <= 35 + runs_of_the_half_hour,
        "{:?}",
        answer.usage
    );
}
