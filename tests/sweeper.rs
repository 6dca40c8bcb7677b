//! Runs whose time is over: which are looked at, shown as stalled, and closed.

use std::time::Instant;

use axum::http::Method;
use serde_json::{Value, json};
use shared::auth::Role;
use shared::deadlines;
use shared::model::{Item, Timestamp};
use shared::reap::Reaper;
use shared::store::Range;
use shared::stream::Change;
use shared::sweep::{Sweeper, Swept};

use crate::support::faults::{Fault, Faulty};
use crate::support::records::{execution, step, time};
use crate::support::{Answer, TestApp};

const STALLED: &str = "/api/settings/stalled";
const MINUTE: i64 = 60_000;

/// A time of the record format, so many milliseconds from now.
fn from_now(milliseconds: i64) -> String {
    let time = Timestamp::now().milliseconds() + milliseconds;
    Timestamp::from_milliseconds(time)
        .expect("in range")
        .to_string()
}

/// A run that is open.
fn open(id: &str, attributes: Value) -> Item {
    let mut own = json!({"status": "RUNNING", "endTime": null});
    let more = attributes.as_object().expect("attributes").clone();
    own.as_object_mut().expect("attributes").extend(more);
    execution(id, own)
}

/// The moments at which runs are looked at, as `<time>#<run>`.
async fn deadlines_of(app: &TestApp) -> Vec<String> {
    let mut deadlines = Vec::new();
    for shard in 0..shared::keys::DEADLINE_SHARDS {
        let range = Range::of_prefix(shared::keys::deadline_partition(shard), "");
        let entries = app.store.all(&range.latest()).await.expect("read");
        let entries = entries.iter().filter_map(shared::keys::sort_key);
        deadlines.extend(entries.map(str::to_owned));
    }
    deadlines.sort();
    deadlines
}

async fn put(app: &TestApp, token: &str, rules: Value) -> Answer {
    let body = json!({"rules": rules}).to_string();
    app.call(Method::PUT, token, STALLED, &body).await
}

fn change(number: u32, old: Option<&Item>, new: Option<&Item>) -> Change {
    Change {
        sequence_number: number.to_string(),
        old: old.cloned(),
        new: new.cloned(),
    }
}

#[tokio::test]
async fn a_run_past_its_timeout_is_cancelled_and_says_so_and_so_are_those_below_it() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let (past, future) = (time(10_000), from_now(10 * MINUTE));
    app.write([
        open("late", json!({"timeoutAt": past, "durationMs": 5})),
        step(
            "late",
            "a",
            100,
            json!({"status": "RUNNING", "endTime": null}),
        ),
        open(
            "asked",
            json!({"timeoutAt": past, "status": "PENDING", "startTime": null}),
        ),
        open(
            "below",
            json!({"executionType": "SUBFLOW", "parentExecutionId": "late"}),
        ),
        open("in-time", json!({"timeoutAt": future})),
        open("free", json!({})),
        open("malformed", json!({"timeoutAt": "soon"})),
        execution("ended", json!({"timeoutAt": past})),
    ])
    .await;
    app.reap().await;
    assert_eq!(
        deadlines_of(&app).await,
        [
            format!("{past}#asked"),
            format!("{past}#late"),
            format!("{future}#in-time"),
        ]
    );
    let before = Timestamp::now().to_string();
    let swept = app.sweep().await;
    let expected = Swept {
        looked_at: 2,
        timed_out: 2,
        ..Swept::default()
    };
    assert_eq!(swept, expected);
    for id in ["late", "asked"] {
        let run = app.item(id).await;
        assert_eq!(run["status"], "CANCELLED", "{id}");
        assert_eq!(run["cancelledBy"], "flowtrail sweep");
        let message = format!("The run timed out: it was to end by {past}.");
        assert_eq!(run["errorMessage"], message.as_str());
        let end = run["endTime"].as_str().expect("a time");
        assert!((before.as_str()..=Timestamp::now().to_string().as_str()).contains(&end));
        assert_eq!(
            run.get("durationMs"),
            None,
            "it is that from its start to its end"
        );
    }
    for (id, status) in [
        ("in-time", "RUNNING"),
        ("free", "RUNNING"),
        ("malformed", "RUNNING"),
        ("ended", "COMPLETED"),
    ] {
        assert_eq!(app.item(id).await["status"], status, "{id}");
    }
    app.reap().await;
    assert_eq!(app.item("below").await["status"], "CANCELLED");
    assert_eq!(deadlines_of(&app).await, [format!("{future}#in-time")]);
    let details = app.get(&token, "/flow-executions/late").await.ok();
    assert_eq!(details["data"]["steps"][0]["status"], "CANCELLED");
    assert!(details["data"]["metadata"]["durationMs"].as_i64() > Some(10_000));
    assert_eq!(app.sweep().await, Swept::default());
}

#[tokio::test]
async fn a_moment_moves_with_its_run_and_goes_with_it_whatever_is_repeated() {
    let app = TestApp::new().await;
    let (first, second) = (from_now(MINUTE), from_now(2 * MINUTE));
    let one = open("run-1", json!({"timeoutAt": first}));
    let other = open("run-1", json!({"timeoutAt": second}));
    let without = open("run-1", json!({}));
    let ended = execution("run-1", json!({"timeoutAt": second}));
    let reaper = Reaper::new(app.store.clone());
    let follow = async |changes: &[Change]| reaper.follow(changes).await.expect("followed");
    let begun = change(1, None, Some(&one));
    let moved = change(2, Some(&one), Some(&other));
    let entry = |time: &String| vec![format!("{time}#run-1")];
    follow(std::slice::from_ref(&begun)).await;
    assert_eq!(deadlines_of(&app).await, entry(&first));
    follow(&[begun.clone(), moved.clone()]).await;
    follow(std::slice::from_ref(&moved)).await;
    assert_eq!(deadlines_of(&app).await, entry(&second));
    for end in [
        change(3, Some(&other), Some(&ended)),
        change(3, Some(&other), Some(&without)),
        change(3, Some(&other), None),
    ] {
        follow(&[begun.clone(), moved.clone()]).await;
        follow(&[moved.clone(), end.clone()]).await;
        assert_eq!(deadlines_of(&app).await, [""; 0]);
        follow(&[begun.clone(), moved.clone(), end]).await;
        assert_eq!(deadlines_of(&app).await, [""; 0]);
    }
    let beat = |heartbeat: i64| open("run-1", json!({"heartbeatAt": from_now(heartbeat)}));
    follow(&[
        change(4, Some(&without), Some(&beat(0))),
        change(5, Some(&beat(0)), Some(&beat(5))),
    ])
    .await;
    assert_eq!(deadlines_of(&app).await, [""; 0], "no rule asks for it");
}

#[tokio::test]
async fn an_entry_too_many_closes_nothing_and_goes() {
    let app = TestApp::new().await;
    let (past, future) = (time(0), from_now(MINUTE));
    app.write([
        open("run-1", json!({"timeoutAt": past})),
        open("gone", json!({"timeoutAt": past})),
    ])
    .await;
    app.reap().await;
    // The engine has moved one, and removed the other, and the stream is behind.
    app.write([open("run-1", json!({"timeoutAt": future}))])
        .await;
    app.store
        .delete("EXEC#gone", "EXECUTION")
        .await
        .expect("removed");
    let swept = app.sweep().await;
    assert_eq!((swept.looked_at, swept.timed_out), (2, 0));
    assert_eq!(app.item("run-1").await["status"], "RUNNING");
    assert!(app.records_of("gone").await.is_empty());
    assert_eq!(deadlines_of(&app).await, [format!("{future}#run-1")]);
}

#[tokio::test]
async fn what_the_engine_writes_while_the_sweeper_looks_wins() {
    let future = from_now(MINUTE);
    for (written, status) in [
        (
            execution("run-1", json!({"timeoutAt": time(0)})),
            "COMPLETED",
        ),
        (open("run-1", json!({"timeoutAt": future})), "RUNNING"),
    ] {
        let app = TestApp::new().await;
        app.write([open("run-1", json!({"timeoutAt": time(0)}))])
            .await;
        app.reap().await;
        let (faulty, client) = Faulty::client(app.store.client(), &["UpdateItem"]);
        let slow = Sweeper::new(app.over(client).store_as_served());
        faulty.plan([Fault::Delayed]);
        let sweep = slow.sweep(Instant::now() + crate::support::process::DEADLINE);
        let engine = async {
            faulty.crash().await;
            app.write([written]).await;
            faulty.go_on();
        };
        let (swept, ()) = tokio::join!(sweep, engine);
        let swept = swept.expect("swept");
        assert_eq!((swept.looked_at, swept.timed_out), (1, 0));
        assert_eq!(app.item("run-1").await["status"], status);
        assert_eq!(app.item("run-1").await.get("cancelledBy"), None);
    }
}

#[tokio::test]
async fn two_sweepers_and_one_that_crashes_anywhere_close_each_run_once() {
    let operations = &["UpdateItem", "BatchWriteItem"];
    for fault in [Fault::CrashBefore, Fault::CrashAfter] {
        for crash_at in 0..3 {
            let app = TestApp::new().await;
            let runs = ["a", "b"].map(|id| open(id, json!({"timeoutAt": time(0)})));
            app.write(runs).await;
            app.reap().await;
            let (faulty, client) = Faulty::client(app.store.client(), operations);
            let broken = Sweeper::new(app.over(client).store_as_served());
            faulty.plan([Fault::None; 3].into_iter().take(crash_at).chain([fault]));
            tokio::select! {
                _ = broken.sweep(Instant::now() + crate::support::process::DEADLINE) => {
                    panic!("it crashes")
                }
                () = faulty.crash() => {}
            }
            let closed = async |id| app.item(id).await["endTime"].clone();
            let before = [closed("a").await, closed("b").await];
            let (one, other) = tokio::join!(app.sweep(), app.sweep());
            assert!(one.timed_out + other.timed_out <= 2);
            for (id, before) in ["a", "b"].into_iter().zip(before) {
                assert_eq!(
                    app.item(id).await["status"],
                    "CANCELLED",
                    "{crash_at} {fault:?}"
                );
                let end = closed(id).await;
                assert!(before.is_null() || before == end, "it is closed once");
            }
            assert_eq!(deadlines_of(&app).await, [""; 0]);
        }
    }
}

#[tokio::test]
async fn a_sweep_ends_at_its_time_and_the_next_goes_on() {
    let app = TestApp::new().await;
    let runs = (0..40).map(|n| open(&format!("run-{n}"), json!({"timeoutAt": time(n)})));
    app.write(runs).await;
    app.reap().await;
    let sweeper = Sweeper::new(app.store.clone());
    let swept = sweeper.sweep(Instant::now()).await.expect("swept");
    assert_eq!(
        swept,
        Swept {
            is_cut_short: true,
            ..Swept::default()
        }
    );
    let swept = app.sweep().await;
    assert_eq!((swept.timed_out, swept.is_cut_short), (40, false));
    assert_eq!(app.sweep().await.looked_at, 0);
}

#[tokio::test]
async fn runs_from_before_the_stream_was_followed_are_entered_by_a_rebuild() {
    let app = TestApp::new().await;
    app.write([
        open("run-1", json!({"timeoutAt": time(0)})),
        open("theirs", json!({"timeoutAt": time(0), "teamId": "team-b"})),
        execution("ended", json!({"timeoutAt": time(0)})),
    ])
    .await;
    let team = "team-b".parse().expect("a team");
    for _ in 0..2 {
        deadlines::enter_all(&app.store, Some(&team))
            .await
            .expect("entered");
        assert_eq!(deadlines_of(&app).await, [format!("{}#theirs", time(0))]);
    }
    assert_eq!(
        deadlines::enter_all(&app.store, None)
            .await
            .expect("entered"),
        2
    );
    assert_eq!(app.sweep().await.timed_out, 2);
}

#[tokio::test]
async fn a_run_without_a_sign_of_life_is_shown_as_stalled_and_closed_only_where_that_is_asked_for()
{
    let app = TestApp::new().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let silent = from_now(-10 * MINUTE);
    let of = |id: &str, flow: &str| {
        open(
            id,
            json!({"flowId": flow, "heartbeatAt": silent, "createdAt": from_now(-20 * MINUTE)}),
        )
    };
    put(
        &app,
        &admin,
        json!([
            {"afterSeconds": 300},
            {"flowId": "patient", "afterSeconds": 3_600},
            {"flowId": "never", "afterSeconds": null},
            {"flowId": "closing", "afterSeconds": 60, "closeAfterSeconds": 500},
        ]),
    )
    .await
    .ok();
    app.write([
        of("quiet", "flow-1"),
        of("patient", "patient"),
        of("never", "never"),
        of("closing", "closing"),
        open("lively", json!({"heartbeatAt": from_now(0)})),
        open("mute", json!({})),
        execution("ended", json!({"heartbeatAt": silent})),
    ])
    .await;
    let is_stalled = async |id: &str| {
        let details = app
            .get(&admin, &format!("/flow-executions/{id}"))
            .await
            .ok();
        details["data"]["metadata"].get("stalled").cloned()
    };
    for (id, stalled) in [
        ("quiet", true),
        ("patient", false),
        ("never", false),
        ("closing", true),
        ("lively", false),
        ("mute", false),
        ("ended", false),
    ] {
        assert_eq!(is_stalled(id).await, stalled.then_some(json!(true)), "{id}");
    }
    for (path, place) in [
        ("/flow-executions?flowDefinitionId=closing", "/data/items/0"),
        ("/api/executions/closing", ""),
        (
            "/api/executions/team/team-a?workflowId=closing",
            "/content/0",
        ),
        ("/api/executions?workflowId=closing", "/content/0"),
        ("/api/history/executions/closing", "/execution"),
        ("/api/history/executions?flowId=closing", "/executions/0"),
        ("/api/history/executions/flows/closing", "/executions/0"),
    ] {
        // As a server that has yet to read the rules.
        let body = app.restarted().get(&admin, path).await.ok();
        assert_eq!(
            body.pointer(place).expect("a view")["stalled"],
            true,
            "{path}"
        );
    }

    app.reap().await;
    assert_eq!(
        deadlines_of(&app).await.len(),
        1,
        "one flow closes its runs"
    );
    let swept = app.sweep().await;
    assert_eq!((swept.looked_at, swept.stalled), (1, 1));
    let run = app.item("closing").await;
    assert_eq!(run["status"], "CANCELLED");
    let message = format!("The run stalled: there was no heartbeat since {silent}.");
    assert_eq!(run["errorMessage"], message.as_str());
    for id in ["quiet", "patient", "never", "lively", "mute"] {
        assert_eq!(app.item(id).await["status"], "RUNNING", "{id}");
    }
    assert_eq!(is_stalled("closing").await, None);
}

#[tokio::test]
async fn a_run_that_goes_on_living_is_looked_at_again_when_its_last_sign_is_old() {
    let app = TestApp::new().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    put(
        &app,
        &admin,
        json!([{"afterSeconds": 60, "closeAfterSeconds": 60}]),
    )
    .await
    .ok();
    let beat = |at: &str| open("run-1", json!({"heartbeatAt": at}));
    app.write([beat(&from_now(-10 * MINUTE))]).await;
    app.reap().await;
    let alive = from_now(-MINUTE / 2);
    app.write([beat(&alive)]).await;
    app.reap().await;
    assert_eq!(
        deadlines_of(&app).await.len(),
        1,
        "no sign of life is a write"
    );
    let swept = app.sweep().await;
    assert_eq!((swept.looked_at, swept.stalled), (1, 0));
    let next: Timestamp = alive.parse().expect("a time");
    let next = Timestamp::from_milliseconds(next.milliseconds() + MINUTE).expect("in range");
    assert_eq!(deadlines_of(&app).await, [format!("{next}#run-1")]);
    assert_eq!(app.item("run-1").await["status"], "RUNNING");
    // A team that closes none any more has none closed.
    put(&app, &admin, json!([{"afterSeconds": 60}])).await.ok();
    app.write([beat(&from_now(-10 * MINUTE))]).await;
    deadlines::enter_all(&app.store, None)
        .await
        .expect("entered");
    assert_eq!(app.sweep().await.stalled, 0);
    assert_eq!(app.item("run-1").await["status"], "RUNNING");
}

#[tokio::test]
async fn rules_of_stalled_runs_that_cannot_be_are_refused_with_their_place() {
    let app = TestApp::new().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    for (rules, parameter) in [
        (json!([{"afterSeconds": 9}]), "rules[0].afterSeconds"),
        (
            json!([{"afterSeconds": 60}, {"flowId": "a", "afterSeconds": 2_592_001}]),
            "rules[1].afterSeconds",
        ),
        (
            json!([{"flowId": "a#b", "afterSeconds": 60}]),
            "rules[0].flowId",
        ),
        (
            json!([{"afterSeconds": 60, "closeAfterSeconds": 59}]),
            "rules[0].closeAfterSeconds",
        ),
        (
            json!([{"afterSeconds": null, "closeAfterSeconds": 60}]),
            "rules[0].closeAfterSeconds",
        ),
        (
            json!([{"flowId": "a", "afterSeconds": 60}, {"flowId": "a", "afterSeconds": 70}]),
            "rules[1]",
        ),
        (json!([{"flowId": "a"}]), "body"),
    ] {
        let answer = put(&app, &admin, rules.clone()).await;
        assert_eq!(
            answer.problem(),
            (400, "INVALID_PARAMETER".to_owned()),
            "{rules}"
        );
        assert_eq!(answer.json()["parameter"], parameter, "{rules}");
    }
    let rules =
        json!([{"afterSeconds": 60}, {"flowId": "a", "afterSeconds": 70, "closeAfterSeconds": 80}]);
    assert_eq!(put(&app, &admin, rules.clone()).await.ok()["rules"], rules);
    assert_eq!(app.get(&admin, STALLED).await.ok()["rules"], rules);
}
