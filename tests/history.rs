//! The history API: `/api/history`.

use serde_json::{Value, json};
use shared::operations::MAX_STEPS_OF_A_RUN;

use crate::support::TestApp;
use crate::support::records::{ForkKey, branch_step, execution, payload, step, time};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

#[tokio::test]
async fn a_list_shows_the_top_level_steps_of_each_run_unless_it_is_lite() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let fork = ForkKey {
        execution_id: "run-1",
        id: "step-1",
        offset: 50,
    };
    app.write([
        execution(
            "run-1",
            json!({"flowName": "Login Flow", "deviceId": "device-789"}),
        ),
        step(
            "run-1",
            "step-1",
            50,
            json!({"stepType": "launch_app", "durationMs": 2_000}),
        ),
        step(
            "run-1",
            "step-2",
            60,
            json!({"status": "FAILED", "sequenceNumber": 2}),
        ),
        branch_step(&fork, "branch", "hidden", 70, json!({})),
        execution(
            "run-0",
            json!({"createdAt": time(-1), "status": "RUNNING", "endTime": null}),
        ),
    ])
    .await;
    app.count().await;
    let answer = app.get(&token, "/api/history/executions").await;
    let body = answer.ok();
    assert_eq!(
        body["executions"],
        json!([
            {
                "id": "run-1", "flowId": "flow-1", "deviceId": "device-789", "status": "PASSED",
                "executionType": "PARENT", "startTime": time(50), "endTime": time(2_400),
                "durationMs": 2350, "durationFormatted": "2.35s",
                "stepSummary": {"total": 2, "passed": 1, "failed": 1},
                "steps": [
                    {"id": "step-1", "sequenceNumber": 1, "action": "launch_app",
                     "status": "PASSED", "durationMs": 2000},
                    {"id": "step-2", "sequenceNumber": 2, "action": "IF_ELSE",
                     "status": "FAILED", "durationMs": 5},
                ],
                "flow": {"name": "Login Flow"}, "createdAt": time(0),
            },
            {
                "id": "run-0", "flowId": "flow-1", "deviceId": null, "status": "RUNNING",
                "executionType": "PARENT", "startTime": time(50), "endTime": null,
                "durationMs": null, "durationFormatted": null,
                "stepSummary": {"total": 0, "passed": 0, "failed": 0},
                "steps": [], "flow": {"name": null}, "createdAt": time(-1),
            },
        ])
    );
    assert_eq!(
        answer.usage.requests, 4,
        "the counters, the page, and each run's steps"
    );
    let lite = app.get(&token, "/api/history/executions?lite=true").await;
    assert_eq!(lite.usage.requests, 2);
    let lite = lite.ok();
    assert_eq!(lite["executions"][0].get("steps"), None);
    assert_eq!(
        lite["executions"][0]["stepSummary"],
        Value::Null,
        "nobody has summed it up"
    );
    assert_eq!(lite["filters"]["lite"], true);
}

#[tokio::test]
async fn a_run_with_more_steps_than_a_list_shows_says_so() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let most = MAX_STEPS_OF_A_RUN as i64;
    app.write([
        execution("run-1", json!({})),
        execution("run-0", json!({"createdAt": time(-1)})),
    ])
    .await;
    app.write((0..=most).map(|n| step("run-1", &format!("step-{n:04}"), n, json!({}))))
        .await;
    app.write((0..most).map(|n| step("run-0", &format!("step-{n:04}"), n, json!({}))))
        .await;
    let body = app
        .get(&token, "/api/history/executions/flows/flow-1")
        .await
        .ok();
    let [full, complete] = [&body["executions"][0], &body["executions"][1]];
    for run in [full, complete] {
        assert_eq!(
            run["steps"].as_array().map(Vec::len),
            Some(MAX_STEPS_OF_A_RUN)
        );
    }
    for (status, runs) in [("PASSED", 2), ("FAILED", 0)] {
        let path = format!("/api/history/executions/flows/flow-1?status={status}");
        let listed = app.get(&token, &path).await.ok();
        assert_eq!(listed["executions"].as_array().map(Vec::len), Some(runs));
    }
    assert_eq!(full["stepsTruncated"], true);
    assert_eq!(complete.get("stepsTruncated"), None);
    let list = app.get(&token, "/api/history/executions").await.ok();
    assert_eq!(list["executions"][0]["stepSummary"], Value::Null);
    assert_eq!(list["executions"][1]["stepSummary"]["total"], most);
}

#[tokio::test]
async fn the_applied_filters_are_told_as_they_were_understood() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let path = "/api/history/executions?status=PASSED&flowId=f&deviceId=d&startDate=2026-02-17\
                &endDate=2026-02-18T01:00:00%2B01:00&executionType=SUBFLOW&limit=5&offset=2";
    let body = app.get(&token, path).await.ok();
    assert_eq!(
        body["filters"],
        json!({
            "status": "PASSED", "flowId": "f", "deviceId": "d",
            "startDate": "2026-02-17T00:00:00.000Z", "endDate": "2026-02-18T00:00:00.000Z",
            "executionType": "SUBFLOW", "lite": false,
        })
    );
    let dates = app
        .get(&token, "/api/history/executions?endDate=2026-02-17")
        .await
        .ok();
    assert_eq!(dates["filters"]["endDate"], "2026-02-17T23:59:59.999Z");
}

#[tokio::test]
async fn details_hold_the_documented_fields_with_data_and_errors() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let failed =
        json!({"status": "FAILED", "errorMessage": "No such button", "endTime": time(15_050)});
    app.write([
        execution("run-1", failed),
        step(
            "run-1",
            "step-1",
            50,
            json!({"executionData": {"screen": 1}}),
        ),
        step(
            "run-1",
            "step-2",
            60,
            json!({"status": "FAILED", "errorMessage": "No such button"}),
        ),
        payload("run-1", "data", 0, json!({"value": {"app": "1.2"}})),
    ])
    .await;
    app.remember_masking("team-a").await;
    let answer = app.get(&token, "/api/history/executions/run-1").await;
    assert_eq!(answer.usage.requests, 1);
    let mut body = answer.ok();
    assert!(body["timestamp"].take().is_string());
    assert_eq!(
        body,
        json!({
            "success": true,
            "execution": {
                "id": "run-1", "flowId": "flow-1", "deviceId": null, "status": "FAILED",
                "executionType": "PARENT", "startTime": time(50), "endTime": time(15_050),
                "durationMs": 15000, "durationFormatted": "15.00s",
                "stepSummary": {"total": 2, "passed": 1, "failed": 1},
                "steps": [
                    {"id": "step-1", "sequenceNumber": 1, "action": "IF_ELSE", "status": "PASSED",
                     "durationMs": 5, "executionData": {"screen": 1}, "errorMessage": null},
                    {"id": "step-2", "sequenceNumber": 1, "action": "IF_ELSE", "status": "FAILED",
                     "durationMs": 5, "executionData": null, "errorMessage": "No such button"},
                ],
                "executionData": {"app": "1.2"}, "errorMessage": "No such button",
                "flow": {"name": null}, "createdAt": time(0), "updatedAt": time(15_050),
            },
            "message": "Flow execution details retrieved successfully",
            "timestamp": null,
        })
    );
    let missing = app.get(&token, "/api/history/executions/exec-123").await;
    assert_eq!(missing.problem(), (404, "EXECUTION_NOT_FOUND".to_owned()));
    let missing = missing.json();
    assert_eq!(missing["error"], "Flow execution not found");
    assert_eq!(
        missing["message"],
        "Flow execution with ID exec-123 not found"
    );
}

/// Runs that are easy to sum up: one each ten minutes for ten days, of which
/// every fourth failed, on one of two devices.
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
async fn statistics_are_those_of_exactly_the_runs_between_the_bounds() {
    let (app, token, runs) = with_ten_days().await;
    let stretches = [
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
    for (from, to) in stretches {
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
            let of = |status: &str| expected.iter().filter(|run| run.status == status).count();
            for (word, status) in [
                ("PASSED", "COMPLETED"),
                ("FAILED", "FAILED"),
                ("RUNNING", "RUNNING"),
                ("CANCELLED", "CANCELLED"),
            ] {
                let count = stats["statusBreakdown"][word].as_u64().unwrap_or_default();
                assert_eq!(count, of(status) as u64, "{path} {word}");
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
async fn an_extended_list_tells_what_else_the_record_says() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let more = json!({
        "flowVersion": 3, "trigger": "WEBHOOK", "parentExecutionId": "run-0",
        "labels": {"orderId": "42", "odd": 7}, "errorMessage": "no stock",
        "cancelledBy": "ann", "cancelReason": "by hand",
    });
    let bare = json!({"createdAt": time(-1)});
    app.write([execution("run-1", more), execution("run-2", bare)])
        .await;
    app.count().await;
    let path = "/api/history/executions?lite=true";
    let plain = app.get(&token, path).await.ok();
    let extended = app.get(&token, &format!("{path}&extended=true")).await.ok();
    let told = [
        json!({
            "flowVersion": 3, "trigger": "WEBHOOK", "parentExecutionId": "run-0",
            "labels": {"orderId": "42"}, "errorMessage": "no stock",
            "cancelledBy": "ann", "cancelReason": "by hand",
        }),
        json!({
            "flowVersion": null, "trigger": null, "parentExecutionId": null, "labels": {},
            "errorMessage": null, "cancelledBy": null, "cancelReason": null,
        }),
    ];
    for (row, told) in told.into_iter().enumerate() {
        let mut expected = plain["executions"][row].clone();
        let members = told.as_object().expect("an object").clone();
        expected.as_object_mut().expect("an object").extend(members);
        assert_eq!(extended["executions"][row], expected);
    }
    let wrong = app.get(&token, &format!("{path}&extended=yes")).await;
    assert_eq!(wrong.problem(), (400, "INVALID_PARAMETER".to_owned()));
}

#[tokio::test]
async fn a_series_has_every_hour_or_day_and_adds_up() {
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
async fn statistics_look_thirty_days_back_or_as_many_as_asked_for() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let now = shared::model::Timestamp::now().milliseconds();
    let ago = |ms: i64| {
        shared::model::Timestamp::from_milliseconds(now - ms)
            .expect("a time")
            .to_string()
    };
    let day = 24 * HOUR;
    // On either side of the bound, which is the beginning of an hour.
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
        "dates go before days"
    );
    let until = format!("?endDate={}&days=1", ago(day));
    assert_eq!(
        count(&until).await,
        (json!(1), json!(1)),
        "the day before that moment"
    );
}

#[tokio::test]
async fn statistics_of_thirty_days_read_one_item_a_day_and_a_few_more() {
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
    // From half past ten: an hour, three quarters of a day, 30 days.
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
