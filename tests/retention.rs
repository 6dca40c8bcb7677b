//! Retention: what a team sets, what follows when a run ends, and what is shown of a run
//! whose time is over.

use axum::http::Method;
use serde_json::{Value, json};
use shared::auth::Role;
use shared::model::{Item, Timestamp};
use shared::reap::Reaper;
use shared::stream::Change;

use crate::support::faults::{Fault, Faulty};
use crate::support::records::{
    ForkKey, START, branch_step, branch_step_path, execution, payload, step, step_path, time,
};
use crate::support::{Answer, TestApp};

const PATH: &str = "/api/settings/retention";
const DAY: i64 = 24 * 3_600;
/// The second at which the tests' runs end.
const END: i64 = (START + 2_400) / 1_000;

const FORK: ForkKey<'static> = ForkKey {
    execution_id: "run-1",
    id: "fork",
    offset: 100,
};

async fn put(app: &TestApp, token: &str, rules: Value) -> Answer {
    let body = json!({"rules": rules}).to_string();
    app.call(Method::PUT, token, PATH, &body).await
}

/// An app whose team keeps its runs so.
async fn keeping(rules: Value) -> (TestApp, String) {
    let app = TestApp::new().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    put(&app, &admin, rules).await.ok();
    (app, admin)
}

/// Ten years less a day, so that what ended in the past is still there.
fn long() -> Value {
    json!([{"days": 3_649}])
}

fn long_expiry() -> Value {
    json!(END + 3_649 * DAY)
}

/// Each kind of record that lies beside a run.
fn children(attributes: &Value) -> Vec<Item> {
    let with = |own: Value| {
        let mut own = own;
        let more = attributes.as_object().expect("attributes").clone();
        own.as_object_mut().expect("attributes").extend(more);
        own
    };
    vec![
        step("run-1", "fork", 100, with(json!({}))),
        branch_step(&FORK, "branch", "inner", 110, with(json!({}))),
        payload("run-1", "context", 0, with(json!({"value": {"a": 5}}))),
        payload("run-1", "step:fork:output", 0, with(json!({"value": 6}))),
    ]
}

/// A run with its records.
fn run(attributes: Value) -> Vec<Item> {
    let mut items = vec![execution("run-1", attributes)];
    items.extend(children(&json!({})));
    items
}

/// The `expiresAt` of each record of the run, in the order of their keys.
async fn expiries(app: &TestApp) -> Vec<Value> {
    let mut expiries = Vec::new();
    for sk in app.records_of("run-1").await {
        let item = app.store.get_latest("EXEC#run-1", &sk).await;
        let item: Value =
            serde_dynamo::from_item(item.expect("read").expect("there")).expect("JSON");
        expiries.push(item["expiresAt"].clone());
    }
    expiries
}

#[tokio::test]
async fn a_teams_rules_are_kept_as_they_were_sent_and_are_its_own() {
    let app = TestApp::new().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let other = app.token("team-b", Role::Admin, None).await;
    let none = json!({"success": true, "rules": [], "updatedAt": null, "updatedBy": null});
    assert_eq!(app.get(&admin, PATH).await.ok(), none);
    let rules = json!([
        {"days": 90},
        {"status": "COMPLETED", "days": 7},
        {"flowId": "flow-1", "days": 3_650},
        {"flowId": "flow-1", "status": "FAILED", "days": null},
    ]);
    let answer = put(&app, &admin, rules.clone()).await.ok();
    assert_eq!(answer["rules"], rules);
    assert_eq!(app.get(&admin, PATH).await.ok(), answer);
    assert_eq!(app.get(&other, PATH).await.ok(), none);

    let at = |updated_at: &Value| json!({"rules": [], "updatedAt": updated_at}).to_string();
    let late = app.call(Method::PUT, &admin, PATH, &at(&Value::Null)).await;
    assert_eq!(late.problem(), (409, "CONFLICT".to_owned()));
    let same = app
        .call(Method::PUT, &admin, PATH, &at(&answer["updatedAt"]))
        .await;
    assert_eq!(same.ok()["rules"], json!([]));
}

#[tokio::test]
async fn rules_that_cannot_be_are_refused_with_their_place() {
    let (app, admin) = keeping(json!([{"days": 5}])).await;
    let too_many: Vec<_> = (0..1_001)
        .map(|n| json!({"flowId": format!("f{n}"), "days": 1}))
        .collect();
    for (rules, parameter) in [
        (json!([{"days": 0}]), "rules[0].days"),
        (
            json!([{"days": 1}, {"flowId": "a", "days": 3_651}]),
            "rules[1].days",
        ),
        (json!([{"flowId": "a#b", "days": 1}]), "rules[0].flowId"),
        (json!([{"status": "RUNNING", "days": 1}]), "rules[0].status"),
        (json!([{"days": 1}, {"days": null}]), "rules[1]"),
        (json!([{"flowId": "a"}]), "body"),
        (json!([{"days": 1, "flow": "a"}]), "body"),
        (json!([{"status": "SUCCESS", "days": 1}]), "body"),
        (json!(too_many), "rules"),
    ] {
        let answer = put(&app, &admin, rules.clone()).await;
        assert_eq!(
            answer.problem(),
            (400, "INVALID_PARAMETER".to_owned()),
            "{rules}"
        );
        assert_eq!(answer.json()["parameter"], parameter, "{rules}");
    }
    assert_eq!(
        app.get(&admin, PATH).await.ok()["rules"],
        json!([{"days": 5}])
    );
}

#[tokio::test]
async fn a_run_that_ends_is_given_its_time_by_the_narrowest_rule_and_its_records_with_it() {
    let (app, _) = keeping(json!([
        {"days": 3_000},
        {"status": "FAILED", "days": 3_100},
        {"flowId": "flow-1", "days": 3_200},
        {"flowId": "flow-1", "status": "CANCELLED", "days": null},
    ]))
    .await;
    let of = |id: &str, flow: &str, status: &str| {
        execution(id, json!({"flowId": flow, "status": status}))
    };
    app.write(run(json!({}))).await;
    app.write([
        of("failed", "flow-2", "FAILED"),
        of("completed", "flow-2", "COMPLETED"),
        of("cancelled", "flow-1", "CANCELLED"),
        of("open", "flow-2", "RUNNING"),
        execution("engine", json!({"expiresAt": END + 4_000 * DAY})),
        execution("other", json!({"teamId": "team-b"})),
    ])
    .await;
    assert_eq!(app.reap().await.limited, 3);
    let expiry = |days: i64| json!(END + days * DAY);
    assert_eq!(expiries(&app).await, vec![expiry(3_200); 5]);
    for (id, expected) in [
        ("failed", expiry(3_100)),
        ("completed", expiry(3_000)),
        ("cancelled", Value::Null),
        ("open", Value::Null),
        ("engine", expiry(4_000)),
        ("other", Value::Null),
    ] {
        assert_eq!(app.item(id).await["expiresAt"], expected, "{id}");
    }
    // It ends later, and once.
    app.write([of("open", "flow-2", "FAILED")]).await;
    assert_eq!(app.reap().await.limited, 1);
    assert_eq!(app.item("open").await["expiresAt"], expiry(3_100));
}

#[tokio::test]
async fn a_records_own_earlier_time_stays() {
    let (app, _) = keeping(long()).await;
    let own = END + 3_000 * DAY;
    app.write([execution("run-1", json!({}))]).await;
    app.write(children(&json!({"expiresAt": own}))).await;
    app.reap().await;
    let mut expected = vec![json!(own); 5];
    expected[1] = long_expiry();
    assert_eq!(expiries(&app).await, expected);
}

/// The two changes from which everything follows: the end, and the time.
fn changes() -> [Change; 2] {
    let change = |number: &str, old, new| Change {
        sequence_number: number.to_owned(),
        old: Some(old),
        new: Some(new),
    };
    let open = execution("run-1", json!({"status": "RUNNING", "endTime": null}));
    let ended = execution("run-1", json!({}));
    let limited = execution("run-1", json!({"expiresAt": END + 3_649 * DAY}));
    [
        change("1", open, ended.clone()),
        change("2", ended, limited),
    ]
}

#[tokio::test]
async fn wherever_the_consumer_crashes_the_same_is_reached_when_it_begins_again() {
    // The run, and each of its four records.
    for crash_at in 0..5 {
        for fault in [Fault::CrashBefore, Fault::CrashAfter] {
            let (app, _) = keeping(long()).await;
            app.write(run(json!({}))).await;
            let (faulty, client) = Faulty::client(app.store.client(), &["UpdateItem"]);
            let broken = Reaper::new(app.over(client).store_as_served());
            faulty.plan([Fault::None; 5].into_iter().take(crash_at).chain([fault]));
            let follow = async {
                for change in changes() {
                    broken.follow(&[change]).await.expect("followed");
                }
            };
            tokio::select! {
                () = follow => panic!("it crashes"),
                () = faulty.crash() => {}
            }
            // The batch is handed over again, whole, and then split and repeated.
            let reaper = Reaper::new(app.store.clone());
            for batch in [
                &changes()[..],
                &changes()[..1],
                &changes()[1..],
                &changes()[1..],
            ] {
                reaper.follow(batch).await.expect("followed");
            }
            assert_eq!(
                expiries(&app).await,
                vec![long_expiry(); 5],
                "{crash_at} {fault:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_run_that_is_gone_before_its_end_is_followed_is_not_made_anew() {
    let (app, _) = keeping(long()).await;
    let reaper = Reaper::new(app.store.clone());
    reaper.follow(&changes()).await.expect("followed");
    assert!(app.records_of("run-1").await.is_empty());
}

#[tokio::test]
async fn what_has_expired_with_its_run_is_left_to_the_tables_own_time_to_live() {
    let app = TestApp::new().await;
    let past = json!({"expiresAt": Timestamp::now().seconds() - 10});
    app.write([execution("run-1", past.clone())]).await;
    app.write(children(&past)).await;
    app.write([step("run-1", "late", 200, json!({}))]).await;
    app.store
        .delete("EXEC#run-1", "EXECUTION")
        .await
        .expect("removed");
    assert_eq!(app.reap().await.removed, 1);
    let left = app.records_of("run-1").await;
    assert_eq!(left.len(), 4, "{left:?}");
    assert!(
        !left.iter().any(|sk| sk.ends_with("#late")),
        "it would stay"
    );
}

#[tokio::test]
async fn nothing_is_shown_of_an_expired_run_by_any_endpoint_also_while_its_records_are_there() {
    // The steps have no time of their own yet: the run's hides them.
    for expires_at in [Timestamp::now().seconds() - 1, 1] {
        let app = TestApp::new().await;
        let admin = app.token("team-a", Role::Admin, None).await;
        let attributes = json!({
            "errorMessage": "SECRET", "labels": {"orderId": "42"}, "deviceId": "device-1",
            "status": "FAILED",
        });
        app.write(run(attributes.clone())).await;
        app.write([execution(
            "sub",
            json!({
                "executionType": "SUBFLOW", "parentExecutionId": "run-1", "errorMessage": "SECRET",
                "expiresAt": expires_at,
            }),
        )])
        .await;
        app.count().await;
        let details = [
            "/flow-executions/run-1".to_owned(),
            FORK.branch_steps_path(),
            step_path("run-1", "fork", 100),
            branch_step_path(&FORK, "branch", "inner", 110),
            "/api/executions/run-1".to_owned(),
            "/api/history/executions/run-1".to_owned(),
        ];
        for path in &details {
            app.get(&admin, path).await.ok();
        }
        let from = "from=2026-02-01";
        let lists = [
            "/flow-executions?flowDefinitionId=flow-1".to_owned(),
            "/flow-executions?flowDefinitionId=flow-1&status=FAILED".to_owned(),
            "/flow-executions?flowDefinitionId=flow-1&label=orderId=42".to_owned(),
            "/api/executions/team/team-a".to_owned(),
            "/api/executions?workflowId=flow-1".to_owned(),
            format!("/api/executions/team/team-a/export?{from}&format=json"),
            format!("/api/executions/team/team-a/export?{from}&format=csv"),
            "/api/history/executions?includeSteps=true".to_owned(),
            "/api/history/executions?deviceId=device-1".to_owned(),
            "/api/history/executions/flows/flow-1".to_owned(),
        ];
        for path in &lists {
            let answer = app.get(&admin, path).await;
            assert!(
                answer.status == 200 && answer.body.contains("run-1"),
                "{path}: {}",
                answer.body
            );
        }

        let mut expired = attributes;
        expired["expiresAt"] = json!(expires_at);
        app.write([execution("run-1", expired)]).await;
        app.count().await;
        for path in &details {
            let answer = app.get(&admin, path).await;
            assert_eq!(
                answer.problem(),
                (404, "EXECUTION_NOT_FOUND".to_owned()),
                "{path}"
            );
        }
        for path in &lists {
            let answer = app.get(&admin, path).await;
            assert_eq!(answer.status, 200, "{path}");
            for word in ["run-1", "SECRET", "inner"] {
                assert!(!answer.body.contains(word), "{path}: {}", answer.body);
            }
        }
        let cancel = app
            .call(Method::POST, &admin, "/api/executions/run-1/cancel", "")
            .await;
        assert_eq!(cancel.problem().0, 404);
    }
}

#[tokio::test]
async fn an_imported_run_that_ended_before_its_time_began_is_hidden_at_once() {
    let (app, admin) = keeping(json!([{"days": 1}])).await;
    app.write(run(json!({"endTime": time(0)}))).await;
    app.reap().await;
    assert_eq!(
        app.get(&admin, "/flow-executions/run-1").await.problem().0,
        404
    );
}

/// What the change of an item is to the consumer.
fn change(number: usize, old: &Item, new: &Item) -> Change {
    Change {
        sequence_number: number.to_string(),
        old: Some(old.clone()),
        new: Some(new.clone()),
    }
}

async fn pin(app: &TestApp, token: &str, method: Method, id: &str) -> Answer {
    app.call(method, token, &format!("/api/executions/{id}/pin"), "")
        .await
}

#[tokio::test]
async fn a_pinned_run_stays_whole_is_shown_so_and_expires_again_when_it_is_unpinned() {
    let (app, admin) = keeping(long()).await;
    let operator = app.token("team-a", Role::Operator, None).await;
    app.write(run(json!({"labels": {"orderId": "42"}}))).await;
    app.reap().await;
    assert_eq!(expiries(&app).await, vec![long_expiry(); 5]);

    let answer = pin(&app, &operator, Method::PUT, "run-1").await.ok();
    assert_eq!(
        (&answer["id"], &answer["pinned"]),
        (&json!("run-1"), &json!(true))
    );
    // At once, without the stream; and what follows from it changes nothing.
    assert_eq!(expiries(&app).await, vec![Value::Null; 5]);
    let again = pin(&app, &admin, Method::PUT, "run-1").await.ok();
    assert_eq!(again, answer, "the first pin stays");
    app.reap().await;
    app.count().await;
    assert_eq!(expiries(&app).await, vec![Value::Null; 5]);
    let details = app.get(&admin, "/flow-executions/run-1").await.ok();
    let metadata = &details["data"]["metadata"];
    assert_eq!(metadata["pinnedAt"], answer["pinnedAt"]);
    assert_eq!(metadata["pinnedBy"], answer["pinnedBy"]);
    let views = [
        ("/flow-executions/run-1", "/data/metadata"),
        ("/flow-executions?flowDefinitionId=flow-1", "/data/items/0"),
        (
            "/flow-executions?flowDefinitionId=flow-1&label=orderId=42",
            "/data/items/0",
        ),
        ("/api/executions/run-1", ""),
        ("/api/executions/team/team-a", "/content/0"),
        ("/api/history/executions/run-1", "/execution"),
        ("/api/history/executions", "/executions/0"),
        ("/api/history/executions/flows/flow-1", "/executions/0"),
    ];
    for (path, place) in views {
        let body = app.get(&admin, path).await.ok();
        let view = body.pointer(place).expect("a view");
        assert_eq!(view["pinned"], true, "{path}");
    }

    let answer = pin(&app, &operator, Method::DELETE, "run-1").await.ok();
    assert_eq!(
        answer,
        json!({"id": "run-1", "pinned": false, "pinnedAt": null, "pinnedBy": null})
    );
    app.reap().await;
    app.count().await;
    assert_eq!(expiries(&app).await, vec![long_expiry(); 5]);
    for (path, place) in views {
        let body = app.get(&admin, path).await.ok();
        let view = body.pointer(place).expect("a view");
        assert_eq!(view.get("pinned"), None, "{path}");
    }
    let again = pin(&app, &operator, Method::DELETE, "run-1").await.ok();
    assert_eq!(again, answer);
    let audit = app.get(&admin, "/api/audit?target=run-1").await.ok();
    let events = audit["events"].as_array().expect("events").iter();
    let actions: Vec<_> = events.map(|event| &event["action"]).collect();
    assert_eq!(actions, ["EXECUTION_UNPINNED", "EXECUTION_PINNED"]);
}

#[tokio::test]
async fn who_unpins_a_run_whose_time_is_over_has_a_day_to_think_again() {
    let (app, admin) = keeping(json!([{"days": 1}])).await;
    app.write(run(json!({"pinnedAt": time(0), "pinnedBy": "user:anna"})))
        .await;
    app.reap().await;
    assert_eq!(expiries(&app).await, vec![Value::Null; 5]);
    let before = Timestamp::now().seconds();
    pin(&app, &admin, Method::DELETE, "run-1").await.ok();
    app.reap().await;
    let expiries = expiries(&app).await;
    let expiry = expiries[0].as_i64().expect("a second");
    assert!(
        (before + DAY..before + DAY + 120).contains(&expiry),
        "{expiry}"
    );
    assert_eq!(expiries, vec![json!(expiry); 5]);
    app.get(&admin, "/flow-executions/run-1").await.ok();
    pin(&app, &admin, Method::PUT, "run-1").await.ok();
}

#[tokio::test]
async fn what_cannot_be_pinned_is_not() {
    let app = TestApp::new().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let viewer = app.viewer("team-a").await;
    let past = Timestamp::now().seconds() - 1;
    app.write([
        execution("open", json!({"status": "RUNNING"})),
        execution("odd", json!({"status": "DONE"})),
        execution("expired", json!({"expiresAt": past})),
        execution("theirs", json!({"teamId": "team-b"})),
        execution("mine", json!({"expiresAt": "soon"})),
    ])
    .await;
    for (token, id, status, code) in [
        (&admin, "open", 409, "EXECUTION_NOT_ENDED"),
        (&admin, "odd", 409, "EXECUTION_NOT_ENDED"),
        (&admin, "expired", 404, "EXECUTION_NOT_FOUND"),
        (&admin, "theirs", 404, "EXECUTION_NOT_FOUND"),
        (&admin, "none", 404, "EXECUTION_NOT_FOUND"),
        (&viewer, "mine", 403, "FORBIDDEN"),
    ] {
        let answer = pin(&app, token, Method::PUT, id).await;
        assert_eq!(answer.problem(), (status, code.to_owned()), "{id}");
    }
    // What is no second expires nothing, and so keeps nobody from it.
    pin(&app, &admin, Method::PUT, "mine").await.ok();
    assert_eq!(app.item("mine").await.get("expiresAt"), None);
}

#[tokio::test]
async fn a_pin_that_overtakes_the_stamping_of_records_wins_wherever_that_is_by_then() {
    for stamped in 0..4 {
        let (app, admin) = keeping(long()).await;
        let mut limited = run(json!({"expiresAt": END + 3_649 * DAY}));
        app.write(limited.clone()).await;
        let (faulty, client) = Faulty::client(app.store.client(), &["UpdateItem"]);
        let slow = Reaper::new(app.over(client).store_as_served());
        // One of its writes is held back until the run is pinned.
        let before = std::iter::repeat_n(Fault::None, stamped);
        faulty.plan(before.chain([Fault::Delayed]));
        let ended = execution("run-1", json!({}));
        let changes = [change(1, &ended, &limited.swap_remove(0))];
        let follow = slow.follow(&changes);
        let pinned = async {
            faulty.crash().await;
            pin(&app, &admin, Method::PUT, "run-1").await.ok();
            faulty.go_on();
        };
        let (followed, ()) = tokio::join!(follow, pinned);
        followed.expect("followed");
        assert_eq!(expiries(&app).await, vec![Value::Null; 5], "{stamped}");
        app.reap().await;
        assert_eq!(expiries(&app).await, vec![Value::Null; 5], "{stamped}");
    }
}
