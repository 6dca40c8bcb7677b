//! The audit: who did what, also where something breaks on the way.

use aws_sdk_dynamodb::types::AttributeValue;
use axum::http::{Method, Request};
use serde_json::{Value, json};
use shared::audit::KEPT_SECONDS;
use shared::auth::Role;
use shared::model::{Item, Timestamp};
use shared::store::Range;
use tracing::instrument::WithSubscriber;

use crate::support::faults::{Fault, Faulty};
use crate::support::log::Log;
use crate::support::records::{ForkKey, branch_step, execution, payload, step, step_path, time};
use crate::support::{Answer, TestApp, token_id};

const AUDIT: &str = "/api/audit";

/// What is audited: the request, and what the audit tells of it.
struct Audited {
    action: &'static str,
    method: Method,
    path: String,
    body: Value,
    target: String,
    details: Value,
}

/// Everything that is audited, on the records of [`with_runs`].
fn everything(victim: &str) -> Vec<Audited> {
    let audited = |action, method, path: &str, target: &str| Audited {
        action,
        method,
        path: path.to_owned(),
        body: Value::Null,
        target: target.to_owned(),
        details: json!({}),
    };
    vec![
        Audited {
            body: json!({"reason": "The order was withdrawn"}),
            details: json!({"reason": "The order was withdrawn"}),
            ..audited(
                "EXECUTION_CANCELLED",
                Method::POST,
                "/api/executions/open/cancel",
                "open",
            )
        },
        Audited {
            details: json!({"flowId": "flow-1", "cascade": "false"}),
            ..audited(
                "EXECUTION_DELETED",
                Method::DELETE,
                "/api/history/executions/one",
                "one",
            )
        },
        Audited {
            details: json!({"cascade": "true", "deletedCount": "3"}),
            ..audited(
                "FLOW_EXECUTIONS_DELETED",
                Method::DELETE,
                "/api/history/executions/flows/flow-2?cascade=true",
                "flow-2",
            )
        },
        Audited {
            details: json!({
                "flowId": "flow-3", "status": "COMPLETED", "executions": "2",
                "from": "2026-02-01T00:00:00.000Z",
            }),
            ..audited(
                "EXECUTIONS_EXPORTED",
                Method::GET,
                "/api/executions/team/team-a/export?workflowId=flow-3&status=SUCCESS&from=2026-02-01",
                "team-a",
            )
        },
        Audited {
            ..audited(
                "EXECUTION_REVEALED",
                Method::GET,
                "/flow-executions/secret",
                "secret",
            )
        },
        Audited {
            ..audited(
                "EXECUTION_REVEALED",
                Method::GET,
                &step_path("secret", "login", 100),
                "secret",
            )
        },
        Audited {
            body: json!({"role": "viewer", "name": "CI", "flows": ["flow-1"]}),
            details: json!({"role": "viewer", "name": "CI", "flows": "flow-1"}),
            ..audited("TOKEN_CREATED", Method::POST, "/api/tokens", "")
        },
        Audited {
            details: json!({"role": "operator"}),
            ..audited(
                "TOKEN_REVOKED",
                Method::DELETE,
                &format!("/api/tokens/{victim}"),
                victim,
            )
        },
        Audited {
            body: json!({"roles": [{"name": "auditor", "permissions": ["AUDIT_READ"]}]}),
            details: json!({"gained": "AUDIT_READ", "changes": "auditor: +AUDIT_READ"}),
            ..audited("ROLES_CHANGED", Method::PUT, "/api/roles", "roles")
        },
        Audited {
            body: json!({"keyNames": ["birthDate"], "allowedRules": ["ip-address"]}),
            details: json!({"allowedRulesAdded": "ip-address", "keyNamesAdded": "birthDate"}),
            ..audited(
                "MASKING_CHANGED",
                Method::PUT,
                "/api/settings/masking",
                "masking",
            )
        },
        audited(
            "EXECUTION_PINNED",
            Method::PUT,
            "/api/executions/secret/pin",
            "secret",
        ),
        audited(
            "EXECUTION_UNPINNED",
            Method::DELETE,
            "/api/executions/pinned/pin",
            "pinned",
        ),
        Audited {
            body: json!({"rules": [{"days": 90}, {"flowId": "a", "status": "FAILED", "days": null}]}),
            details: json!({"rulesAdded": "a, FAILED: for ever; every flow, any end: 90 days"}),
            ..audited(
                "RETENTION_CHANGED",
                Method::PUT,
                "/api/settings/retention",
                "retention",
            )
        },
        Audited {
            body: json!({"rules": [{"afterSeconds": 60, "closeAfterSeconds": 90}]}),
            details: json!({"rulesAdded": "every flow: after 60 s, closed after 90 s"}),
            ..audited(
                "STALLED_CHANGED",
                Method::PUT,
                "/api/settings/stalled",
                "stalled",
            )
        },
    ]
}

async fn with_runs() -> TestApp {
    let app = TestApp::new().await;
    let of_flow = |id: &str, flow: &str| execution(id, json!({"flowId": flow}));
    app.write([
        execution("open", json!({"status": "RUNNING", "endTime": null})),
        execution("one", json!({})),
        of_flow("a", "flow-2"),
        of_flow("b", "flow-2"),
        of_flow("c", "flow-2"),
        of_flow("d", "flow-3"),
        of_flow("e", "flow-3"),
        execution("secret", json!({})),
        execution("pinned", json!({"pinnedAt": time(0)})),
        step(
            "secret",
            "login",
            100,
            json!({"input": {"password": "hunter2"}}),
        ),
        execution("plain", json!({})),
        step("plain", "sum", 100, json!({"input": {"total": 5}})),
    ])
    .await;
    app.remember_masking("team-a").await;
    app
}

async fn ask(app: &TestApp, token: &str, audited: &Audited) -> Answer {
    let body = match &audited.body {
        Value::Null => String::new(),
        body => body.to_string(),
    };
    app.call(audited.method.clone(), token, &audited.path, &body)
        .await
}

/// The events of what callers did, newest first; how they came by their tokens
/// aside.
async fn events(app: &TestApp, token: &str) -> Vec<Value> {
    let body = app.get(token, &format!("{AUDIT}?limit=500")).await.ok();
    let events = body["events"].as_array().expect("events").clone();
    let is_callers = |event: &Value| event["principal"] != "test";
    events.into_iter().filter(is_callers).collect()
}

#[tokio::test]
async fn everything_that_is_audited_is_told_with_who_what_and_how_it_ended() {
    let app = with_runs().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let victim = app.token("team-a", Role::Operator, None).await;
    let before = Timestamp::now().to_string();
    let all = everything(token_id(&victim));
    for audited in &all {
        let answer = ask(&app, &admin, audited).await;
        assert!(
            answer.status.is_success(),
            "{}: {}",
            audited.action,
            answer.body
        );
    }
    let events = events(&app, &admin).await;
    assert_eq!(events.len(), all.len(), "{events:#?}");
    for (event, audited) in events.iter().rev().zip(&all) {
        let what = audited.action;
        assert_eq!(event["action"], what);
        assert_eq!(event["outcome"], "DONE", "{what}");
        assert_eq!(event["principal"], format!("token:{}", token_id(&admin)));
        assert_eq!(event["details"], audited.details, "{what}");
        match what {
            "TOKEN_CREATED" => assert_eq!(event["target"].as_str().map(str::len), Some(20)),
            _ => assert_eq!(event["target"], audited.target, "{what}"),
        }
        let time = event["time"].as_str().expect("a time");
        assert!((before.as_str()..=Timestamp::now().to_string().as_str()).contains(&time));
        assert!(event["requestId"].as_str().is_some_and(|id| id.len() == 36));
    }
    // What was asked by who may not, or names nothing, is no event.
    let viewer = app.viewer("team-a").await;
    let other = app.token("team-b", Role::Admin, None).await;
    for audited in &all {
        ask(&app, &viewer, audited).await;
        ask(&app, &other, audited).await;
    }
    let those = |events: Vec<Value>| {
        let is_admins = |event: &Value| event["principal"] == format!("token:{}", token_id(&admin));
        events.into_iter().filter(is_admins).count()
    };
    let body = app.get(&admin, &format!("{AUDIT}?limit=500")).await.ok();
    let now = body["events"].as_array().expect("events").clone();
    assert_eq!(those(now.clone()), all.len());
    let viewers = format!("token:{}", token_id(&viewer));
    assert!(!now.iter().any(|event| event["principal"] == viewers));
}

#[tokio::test]
async fn only_who_reveals_something_is_audited() {
    let app = with_runs().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let operator = app.token("team-a", Role::Operator, None).await;
    app.write([payload("plain", "context", 0, json!({"value": {"a": [1]}}))])
        .await;
    let surfaces = [
        "/flow-executions",
        "/api/executions",
        "/api/history/executions",
    ];
    for surface in surfaces {
        app.get(&admin, &format!("{surface}/plain")).await.ok();
        let masked = app.get(&operator, &format!("{surface}/secret")).await;
        assert!(!masked.body.contains("hunter2"), "{surface}");
    }
    assert_eq!(events(&app, &admin).await, [Value::Null; 0]);
    let mut shown = 0;
    for surface in surfaces {
        let answer = app.get(&admin, &format!("{surface}/secret")).await;
        let shows = answer.body.contains("hunter2");
        // The history API shows no input of a step.
        assert_eq!(shows, surface != "/api/history/executions");
        shown += usize::from(shows);
        assert_eq!(events(&app, &admin).await.len(), shown, "{surface}");
    }
    // So are a later page, and the steps of a branch.
    let fork = ForkKey {
        execution_id: "secret",
        id: "fork",
        offset: 200,
    };
    let secret = json!({"output": {"apiKey": "hunter2"}});
    app.write([
        step("secret", "fork", 200, secret.clone()),
        branch_step(&fork, "branch", "b", 210, secret),
    ])
    .await;
    let first = app
        .get(&admin, "/flow-executions/secret?limit=1")
        .await
        .ok();
    let next = first["data"]["nextToken"].as_str().expect("a token");
    let next = format!("/flow-executions/secret?limit=1&nextToken={next}");
    let branches = fork.branch_steps_path();
    let looks = events(&app, &admin).await.len();
    let whole = "/flow-executions/secret".to_owned();
    for path in [
        whole,
        next.clone(),
        branches.clone(),
        "/api/executions/secret".to_owned(),
    ] {
        let joint = if path.contains('?') { '&' } else { '?' };
        let hidden = app.get(&admin, &format!("{path}{joint}reveal=false")).await;
        assert!(!hidden.body.contains("hunter2"), "{path}");
        let wrong = app.get(&admin, &format!("{path}{joint}reveal=maybe")).await;
        assert_eq!(
            wrong.problem(),
            (400, "INVALID_PARAMETER".to_owned()),
            "{path}"
        );
    }
    assert_eq!(events(&app, &admin).await.len(), looks, "nothing was shown");
    for path in [next, branches] {
        let before = events(&app, &admin).await.len();
        assert!(app.get(&admin, &path).await.body.contains("hunter2"));
        assert_eq!(events(&app, &admin).await.len(), before + 1, "{path}");
    }
    for event in events(&app, &admin).await {
        assert_eq!(event["action"], "EXECUTION_REVEALED");
        assert_eq!(event["target"], "secret");
    }
}

#[tokio::test]
async fn where_the_event_cannot_be_written_nothing_is_done_or_shown() {
    let app = with_runs().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let victim = app.token("team-a", Role::Operator, None).await;
    let operations = &["PutItem", "TransactWriteItems"];
    let (faults, client) = Faulty::client(app.store.client(), operations);
    let broken = app.over(client);
    // So that the token's use is noted, and the team's masking read, before.
    broken.get(&admin, "/flow-executions/plain").await.ok();
    let before = items(&app).await;
    for audited in everything(token_id(&victim)) {
        faults.plan([Fault::Unsent]);
        let answer = ask(&broken, &admin, &audited).await;
        let what = audited.action;
        assert_eq!(answer.problem(), (503, "UNAVAILABLE".to_owned()), "{what}");
        assert!(!answer.body.contains("hunter2"), "{what}");
        assert_eq!(items(&app).await, before, "{what}");
    }
}

/// The write by which an action is done, after its event.
fn own_write(action: &str) -> &'static [&'static str] {
    match action {
        "EXECUTION_CANCELLED" => &["UpdateItem"],
        "EXECUTION_DELETED" => &["BatchWriteItem"],
        _ => &["TransactWriteItems"],
    }
}

const BEGUN_AND_ENDED: [&str; 3] = [
    "EXECUTION_CANCELLED",
    "EXECUTION_DELETED",
    "FLOW_EXECUTIONS_DELETED",
];

/// Does this with a fault at its own write. Returns the answer, if the process lives to
/// give one, and the event.
async fn broken_at_its_write(action: &str, fault: Fault) -> (Option<Answer>, Value) {
    let app = with_runs().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let (faults, client) = Faulty::client(app.store.client(), own_write(action));
    let broken = app.over(client);
    broken.get(&admin, "/flow-executions/plain").await.ok();
    faults.plan([fault]);
    let all = everything("0");
    let audited = all.iter().find(|audited| audited.action == action);
    let answer = tokio::select! {
        answer = ask(&broken, &admin, audited.expect("audited")) => Some(answer),
        () = faults.crash() => None,
    };
    let events = events(&app, &admin).await;
    assert_eq!(events.len(), 1, "{action}");
    (answer, events[0].clone())
}

/// Nobody can say whether a write was done whose answer is lost: so the event does not.
#[tokio::test]
async fn what_breaks_after_its_event_says_so_and_not_that_nothing_was_done() {
    for action in BEGUN_AND_ENDED {
        for fault in [Fault::Unsent, Fault::Unanswered] {
            let (answer, event) = broken_at_its_write(action, fault).await;
            let problem = answer.expect("an answer").problem();
            assert_eq!(problem, (503, "UNAVAILABLE".to_owned()), "{action}");
            assert_eq!(event["outcome"], "STARTED", "{action}");
            assert_eq!(event["details"]["error"], "the table cannot be reached");
        }
    }
}

#[tokio::test]
async fn a_crash_in_the_middle_leaves_an_event_that_has_begun() {
    for action in BEGUN_AND_ENDED {
        for fault in [Fault::CrashBefore, Fault::CrashAfter] {
            let (answer, event) = broken_at_its_write(action, fault).await;
            assert!(answer.is_none(), "{action}");
            assert_eq!(event["outcome"], "STARTED", "{action}");
        }
    }
}

#[tokio::test]
async fn an_export_that_is_cut_off_says_so_and_one_that_fails_does_too() {
    let app = with_runs().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let (faults, client) = Faulty::client(app.store.client(), &[]);
    let broken = app.over(client);
    broken.get(&admin, "/api/roles").await.ok();
    // The runs are read, and not their steps.
    faults.break_after_queries(1);
    let path = "/api/executions/team/team-a/export?from=2026-02-01";
    let request = Request::get(path)
        .header("authorization", format!("Bearer {admin}"))
        .body(axum::body::Body::empty());
    let answer = broken.open(request.expect("a request")).await;
    let body = http_body_util::BodyExt::collect(answer.into_body()).await;
    assert!(body.is_err(), "cut off");
    let events = events(&app, &admin).await;
    assert_eq!(events[0]["action"], "EXECUTIONS_EXPORTED");
    assert_eq!(events[0]["outcome"], "STARTED");
    assert_eq!(events[0]["details"]["error"], "the table cannot be reached");
    // Whoever goes away before its end leaves it begun.
    let request = Request::get(path)
        .header("authorization", format!("Bearer {admin}"))
        .body(axum::body::Body::empty());
    drop(app.open(request.expect("a request")).await);
    let body = app.get(&admin, &format!("{AUDIT}?limit=1")).await.ok();
    assert_eq!(body["events"][0]["action"], "EXECUTIONS_EXPORTED");
    assert_eq!(body["events"][0]["outcome"], "STARTED");
}

#[tokio::test]
async fn a_cancel_that_loses_is_told_as_failed_with_what_won() {
    let app = with_runs().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let (faults, client) = Faulty::client(app.store.client(), &["PutItem"]);
    let broken = app.over(client);
    broken.get(&admin, "/api/roles").await.ok();
    let all = everything("0");
    // The engine is first, between the reading and the write.
    let ended = execution("open", json!({"status": "FAILED"}));
    faults.plan([Fault::Interrupted]);
    let (answer, ()) = tokio::join!(ask(&broken, &admin, &all[0]), async {
        faults.crash().await;
        app.write([ended]).await;
        faults.go_on();
    });
    assert_eq!(
        answer.problem(),
        (409, "EXECUTION_NOT_CANCELLABLE".to_owned())
    );
    // Who comes too late from the beginning has done nothing.
    let answer = ask(&app, &admin, &all[0]).await;
    assert_eq!(answer.problem().0, 409);
    let events = events(&app, &admin).await;
    assert_eq!(events.len(), 1, "{events:#?}");
    assert_eq!(events[0]["outcome"], "FAILED");
    assert_eq!(events[0]["details"]["status"], "FAILED");
}

#[tokio::test]
async fn who_cancels_what_is_below_a_cancelled_run_is_told_and_stands_in_it() {
    let app = with_runs().await;
    let first = app.token("team-a", Role::Admin, None).await;
    let second = app.token("team-a", Role::Operator, None).await;
    let all = everything("0");
    ask(&app, &first, &all[0]).await;
    let below = json!({"status": "RUNNING", "endTime": null, "parentExecutionId": "open"});
    app.write([execution("below", below)]).await;
    let answer = ask(&app, &second, &all[0]).await;
    assert_eq!(answer.problem().0, 409);
    let by = format!("token:{}", token_id(&second));
    assert_eq!(app.item("below").await["cancelledBy"], by);
    let events = events(&app, &first).await;
    assert_eq!(events.len(), 2);
    assert_eq!(events[0]["principal"], by);
    assert_eq!(events[0]["outcome"], "FAILED");
    assert_eq!(events[0]["details"]["status"], "CANCELLED");
}

#[tokio::test]
async fn the_audit_is_walked_by_any_filter_at_any_size_and_is_the_teams_own() {
    let app = TestApp::new().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let other = app.token("team-b", Role::Admin, None).await;
    for number in 0..60 {
        let role = if number % 3 == 0 {
            "viewer"
        } else {
            "operator"
        };
        let body = json!({"role": role}).to_string();
        let made = app.call(Method::POST, &admin, "/api/tokens", &body).await;
        let id = made.json()["token"]["id"]
            .as_str()
            .expect("an id")
            .to_owned();
        if number % 4 == 0 {
            app.delete(&admin, &format!("/api/tokens/{id}")).await.ok();
        }
    }
    let whole = app.get(&admin, &format!("{AUDIT}?limit=500")).await.ok();
    let whole = whole["events"].as_array().expect("events").clone();
    assert_eq!(whole.len(), 1 + 60 + 15);
    let times: Vec<_> = whole.iter().map(|event| event["time"].as_str()).collect();
    assert!(times.is_sorted_by(|a, b| a >= b), "newest first");
    let middle = whole[30]["time"].as_str().expect("a time").to_owned();
    let target = whole[7]["target"].as_str().expect("an id").to_owned();
    let principal = format!("token:{}", token_id(&admin));
    type Keep<'a> = Box<dyn Fn(&Value) -> bool + 'a>;
    let filters: Vec<(String, Keep<'_>)> = vec![
        (String::new(), Box::new(|_| true)),
        (
            "&action=TOKEN_REVOKED".to_owned(),
            Box::new(|event| event["action"] == "TOKEN_REVOKED"),
        ),
        (
            format!("&principal={principal}&action=TOKEN_CREATED"),
            Box::new(|event| event["principal"] == principal && event["action"] == "TOKEN_CREATED"),
        ),
        (
            format!("&target={target}"),
            Box::new(|event| event["target"] == target),
        ),
        (
            format!("&from={middle}"),
            Box::new(|event| event["time"].as_str() >= Some(&middle)),
        ),
        (
            format!("&to={middle}"),
            Box::new(|event| event["time"].as_str() <= Some(&middle)),
        ),
    ];
    for (query, keep) in &filters {
        let expected: Vec<_> = whole.iter().filter(|event| keep(event)).collect();
        assert!(!expected.is_empty(), "{query}");
        for limit in [1, 7, 500] {
            let (mut found, mut next) = (Vec::new(), String::new());
            loop {
                let path = format!("{AUDIT}?limit={limit}{query}{next}");
                let page = app.get(&admin, &path).await.ok();
                let events = page["events"].as_array().expect("events").clone();
                found.extend(events);
                let Some(token) = page["nextToken"].as_str() else {
                    break;
                };
                next = format!("&nextToken={token}");
            }
            assert_eq!(
                found.iter().collect::<Vec<_>>(),
                expected,
                "{query} {limit}"
            );
        }
    }
    let others = app.get(&other, AUDIT).await.ok();
    let others = others["events"].as_array().expect("events").clone();
    assert_eq!(others.len(), 1);
    assert_eq!(others[0]["target"], token_id(&other));
    for wrong in [
        "action=DELETED",
        "from=2026-03-01&to=2026-02-01",
        "limit=0",
        "principal=",
    ] {
        let answer = app.get(&admin, &format!("{AUDIT}?{wrong}")).await;
        assert_eq!(
            answer.problem(),
            (400, "INVALID_PARAMETER".to_owned()),
            "{wrong}"
        );
    }
}

/// All items of the table but the executions' counts, by their keys.
async fn items(app: &TestApp) -> Vec<String> {
    let scan = app.store.client().scan().table_name(app.store.table());
    let items = scan.send().await.expect("a scan").items.unwrap_or_default();
    let text = |item: Item| {
        let mut members: Vec<_> = item.into_iter().collect();
        members.sort_by(|(a, _), (b, _)| a.cmp(b));
        format!("{members:?}")
    };
    let mut items: Vec<_> = items.into_iter().map(text).collect();
    items.sort();
    items
}

#[tokio::test]
async fn an_event_is_kept_for_90_days() {
    let app = with_runs().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let range = Range::of_partition("AUDIT#team-a".to_owned(), " ", None);
    let events = app.store.all(&range).await.expect("events");
    let [event] = &events[..] else {
        panic!("expected one event, got {events:?}");
    };
    let end = event["expiresAt"].as_n().expect("a number").parse::<i64>();
    let in_90_days = Timestamp::now().seconds() + KEPT_SECONDS;
    assert_eq!(KEPT_SECONDS, 90 * 86_400);
    assert!((in_90_days - 60..=in_90_days).contains(&end.expect("a number")));
    // One that has expired is not shown even before it is removed.
    let mut expired = event.clone();
    let past = Timestamp::now().seconds() - 1;
    expired.insert("expiresAt".to_owned(), AttributeValue::N(past.to_string()));
    app.write([expired]).await;
    let body = app.get(&admin, AUDIT).await.ok();
    assert_eq!(body["events"], json!([]));
}

#[tokio::test]
async fn each_event_is_one_line_of_the_log_and_a_failing_token_is_told_without_its_secret() {
    let app = with_runs().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let victim = app.token("team-a", Role::Operator, None).await;
    let log = Log::default();
    let all = everything(token_id(&victim));
    let work = async {
        for audited in &all {
            ask(&app, &admin, audited).await;
        }
        let wrong = format!("sdk_{}_{}", token_id(&victim), "S".repeat(43));
        assert_eq!(app.get(&wrong, "/api/roles").await.problem().0, 401);
    };
    work.with_subscriber(log.subscriber()).await;
    let lines = log.lines();
    let told: Vec<_> = lines
        .iter()
        .filter(|line| line["message"] == "audit")
        .collect();
    let actions: Vec<_> = told.iter().map(|line| line["action"].clone()).collect();
    let expected: Vec<_> = all.iter().map(|audited| json!(audited.action)).collect();
    assert_eq!(actions, expected);
    for line in &told {
        assert_eq!(line["outcome"], "DONE");
        assert_eq!(line["team_id"], "team-a");
        assert_eq!(line["principal"], format!("token:{}", token_id(&admin)));
        assert!(line["request_id"].is_string() && line["event_id"].is_string());
    }
    let refused: Vec<_> = lines
        .iter()
        .filter(|line| line["message"] == "authentication refused")
        .collect();
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0]["token_id"], token_id(&victim));
    assert_eq!(refused[0]["reason"], "wrong secret");
    let text = format!("{lines:?}");
    for token in [&admin, &victim] {
        let secret = token.splitn(3, '_').nth(2).expect("a secret");
        assert!(!text.contains(secret));
    }
    assert!(!text.contains("SSSS") && !text.contains("hunter2"));
}
