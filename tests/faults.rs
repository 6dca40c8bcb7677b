//! A table that fails: each request to it that an endpoint or a consumer makes meets each
//! fault, once and for good.
//!
//! What is asked is answered as ever, or with 503 and a time to wait; a file that has begun
//! is cut rather than ended early. Whatever was answered, the same request again and the
//! consumers of the stream lead to where they lead without faults: nothing happens twice,
//! and nothing is counted twice.
//!
//! Time is stopped, so that a table that never answers costs a moment.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use functions::route::{ANSWERED_WITHIN, ROUTES, Route};
use http_body_util::BodyExt;
use local::follow::Follower;
use local::terminal::Failure;
use regex::Regex;
use serde_json::{Value, json};
use shared::auth::Role;
use shared::store::Store;
use tokio::time::Instant;

use crate::support::actions::as_function;
use crate::support::faults::{Fault, Faulty, Strike};
use crate::support::records::{
    ForkKey, START, branch_step, execution, payload_parts, step, step_path, time,
};
use crate::support::{TestApp, is_embedded, token_id};

/// How long an answer may take as a whole where its body is a stream: some operations
/// on the table, each as long as the SDK tries.
const STREAMED_WITHIN: Duration = Duration::from_secs(80);

/// By when what a broken connection still carried has been written.
const LANDED: Duration = Duration::from_secs(10);

/// A request of an endpoint.
struct Call {
    name: &'static str,
    path: String,
    body: String,
}

fn call(name: &'static str, path: impl Into<String>) -> Call {
    Call {
        name,
        path: path.into(),
        body: String::new(),
    }
}

impl Call {
    fn sending(mut self, body: Value) -> Self {
        self.body = body.to_string();
        self
    }

    fn route(&self) -> &'static Route {
        let route = ROUTES.iter().find(|route| route.name == self.name);
        route.expect("a route")
    }

    /// Whether the same request again is done again: a token that was made unseen stays,
    /// as whoever lists the tokens sees.
    fn makes_another_each_time(&self) -> bool {
        self.name == "create_token"
    }
}

/// What only reads, but for the audit.
fn reads() -> Vec<Call> {
    let team = "/api/executions/team/team-a";
    let since = "startDate=2026-02-16";
    vec![
        call(
            "list_flow_executions",
            "/flow-executions?flowDefinitionId=flow-1&limit=2",
        ),
        call("get_flow_execution", "/flow-executions/run-1"),
        call("get_flow_execution_branch_steps", FORK.branch_steps_path()),
        call("get_flow_execution_step", step_path("run-1", "step-1", 10)),
        call("list_team_executions", team),
        call(
            "list_team_executions",
            format!("{team}?label=site%3Dberlin&from=2026-02-16"),
        ),
        call(
            "export_team_executions",
            format!("{team}/export?from=2026-02-16"),
        ),
        call(
            "export_team_executions",
            format!("{team}/export?from=2026-02-16&format=json"),
        ),
        call(
            "list_workflow_executions",
            "/api/executions?workflowId=flow-1&page=1&size=1",
        ),
        call("get_execution", "/api/executions/run-1"),
        call(
            "list_history_executions",
            "/api/history/executions?offset=1&limit=3",
        ),
        call(
            "list_history_flow_executions",
            "/api/history/executions/flows/flow-1",
        ),
        call("get_history_execution", "/api/history/executions/run-1"),
        call(
            "get_history_statistics",
            format!("/api/history/execution-stats?{since}"),
        ),
        call(
            "get_history_step_statistics",
            format!("/api/history/step-stats?flowId=flow-1&{since}"),
        ),
        call("get_masking_settings", "/api/settings/masking"),
        call("get_retention_settings", "/api/settings/retention"),
        call("get_stalled_settings", "/api/settings/stalled"),
        call("try_masking_settings", "/api/settings/masking/try")
            .sending(json!({"value": {"password": "x"}})),
        call("list_tokens", "/api/tokens"),
        call("get_roles", "/api/roles"),
        call("get_caller", "/api/caller"),
        call(
            "list_audit_events",
            "/api/audit?limit=1&action=MASKING_CHANGED",
        ),
    ]
}

fn cancel() -> Call {
    call("cancel_execution", "/api/executions/run-1/cancel").sending(json!({"reason": "why"}))
}

fn pin() -> Call {
    call("pin_execution", "/api/executions/run-2/pin")
}

fn unpin() -> Call {
    call("unpin_execution", "/api/executions/pinned/pin")
}

fn delete(cascade: bool) -> Call {
    let path = format!("/api/history/executions/run-1?cascade={cascade}");
    call("delete_history_execution", path)
}

fn delete_flow() -> Call {
    let path = "/api/history/executions/flows/flow-1?cascade=true";
    call("delete_history_flow_executions", path)
}

/// What changes who may do what, and what is hidden.
fn settings(victim: &str) -> Vec<Call> {
    let role = json!({"name": "auditor", "permissions": ["AUDIT_READ"]});
    vec![
        call("update_masking_settings", "/api/settings/masking")
            .sending(json!({"keyNames": ["shoeSize"]})),
        call("update_roles", "/api/roles").sending(json!({"roles": [role]})),
        call("update_retention_settings", "/api/settings/retention")
            .sending(json!({"rules": [{"days": 90}]})),
        call("update_stalled_settings", "/api/settings/stalled")
            .sending(json!({"rules": [{"afterSeconds": 300}]})),
        call("create_token", "/api/tokens").sending(json!({"role": "viewer", "name": "new"})),
        call("revoke_token", format!("/api/tokens/{victim}")),
    ]
}

fn ingest() -> Call {
    let nanoseconds = |offset: i64| format!("{}000000", START + offset);
    let span = |number: u64, parent: Option<u64>, start: i64, end: i64| {
        let mut span = json!({
            "traceId": "5b8efff798038103d269b633813fc60c", "spanId": format!("{number:016x}"),
            "name": format!("span {number}"), "kind": 1,
            "startTimeUnixNano": nanoseconds(start), "endTimeUnixNano": nanoseconds(end),
        });
        if let Some(parent) = parent {
            span["parentSpanId"] = format!("{parent:016x}").into();
        }
        span
    };
    let large = json!([{"key": "input.value", "value": {"stringValue": "y".repeat(20_000)}}]);
    let mut spans = [
        span(1, None, 0, 900),
        span(2, Some(1), 10, 400),
        span(3, Some(1), 20, 500),
        span(4, Some(2), 30, 60),
    ];
    spans[3]["attributes"] = large;
    let request = json!({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]});
    call("ingest_traces", "/v1/traces").sending(request)
}

const FORK: ForkKey<'static> = ForkKey {
    execution_id: "run-1",
    id: "fork-1",
    offset: 100,
};

/// A table with some of everything, and who may do everything.
struct World {
    app: TestApp,
    admin: String,
    /// The id of a token that nobody uses.
    victim: String,
}

impl World {
    async fn new() -> Self {
        let app = TestApp::new().await;
        let admin = app.token("team-a", Role::Admin, None).await;
        let victim = app.viewer("team-a").await;
        let open = json!({
            "status": "RUNNING", "endTime": null, "deviceId": "device-1",
            "labels": {"site": "berlin"},
        });
        let below = |parent: &str| {
            json!({
                "status": "RUNNING", "endTime": null, "flowId": "flow-2",
                "executionType": "SUBFLOW", "parentExecutionId": parent,
            })
        };
        app.write([
            execution("run-1", open),
            step("run-1", "step-1", 10, json!({})),
            step("run-1", "fork-1", 100, json!({"output": null})),
            branch_step(&FORK, "branch", "inner", 110, json!({})),
            execution("below", below("run-1")),
            step("below", "step-1", 10, json!({})),
            execution("farther-below", below("below")),
        ])
        .await;
        app.write((2..6).map(|n| {
            let labels = json!({"site": "berlin"});
            let attributes = json!({"createdAt": time(n * 1_900_000), "labels": labels});
            execution(&format!("run-{n}"), attributes)
        }))
        .await;
        let pinned = json!({"pinnedAt": time(0), "pinnedBy": "token:1"});
        app.write([execution("pinned", pinned)]).await;
        let output = br#"{"password": "hunter2", "total": 3}"#;
        app.write(payload_parts(
            "run-1",
            "step:fork-1:output",
            output,
            "json",
            20,
        ))
        .await;
        app.count().await;
        let victim = token_id(&victim).to_owned();
        Self { app, admin, victim }
    }

    /// The same table behind a server that knows nobody yet, over a connection that
    /// meets faults.
    fn faulty(&self) -> (Faulty, TestApp) {
        let (faulty, client) = Faulty::client(self.app.store.client(), &[]);
        (faulty, self.app.over(Faulty::patient(&client)))
    }

    /// Asks, and tells how long the answer took to begin and to end.
    async fn ask(&self, app: &TestApp, call: &Call) -> (Outcome, Duration, Duration) {
        let request = Request::builder()
            .method(call.route().method.clone())
            .uri(&call.path)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, format!("Bearer {}", self.admin));
        let request = request.body(Body::from(call.body.clone()));
        let begin = Instant::now();
        as_function(call.name, async {
            let (parts, body) = app.open(request.expect("a request")).await.into_parts();
            let began = begin.elapsed();
            let outcome = match body.collect().await {
                Ok(body) => Outcome::Whole {
                    status: parts.status,
                    headers: parts.headers,
                    body: String::from_utf8(body.to_bytes().into()).expect("UTF-8"),
                },
                Err(_) => Outcome::Cut,
            };
            (outcome, began, begin.elapsed())
        })
        .await
    }

    /// Lets the consumers of the stream do what is left to do, and looks at the table.
    async fn settle(&self) -> State {
        // What crashed holds a deletion for ten seconds.
        for pk in items(&self.app.store).await.keys() {
            if let Some(sk) = pk.strip_prefix("DELETION#team-a ") {
                let update = self.app.store.client().update_item();
                let update = update
                    .table_name(self.app.store.table())
                    .set_key(Some(shared::store::key("DELETION#team-a", sk)))
                    .update_expression("SET leasedUntil = :zero")
                    .expression_attribute_values(":zero", AttributeValue::N("0".to_owned()));
                update.send().await.expect("written");
            }
        }
        self.app.reap().await;
        self.app.count().await;
        State::of(&self.app).await
    }
}

/// What came of a request.
#[derive(Debug)]
enum Outcome {
    Whole {
        status: StatusCode,
        headers: HeaderMap,
        body: String,
    },
    /// The connection was cut on the way.
    Cut,
}

impl Outcome {
    /// The status and the body, without what differs each time.
    fn text(&self) -> String {
        match self {
            Self::Whole { status, body, .. } => format!("{status} {}", steady(body)),
            Self::Cut => "cut".to_owned(),
        }
    }

    fn is_success(&self) -> bool {
        matches!(self, Self::Whole { status, .. } if status.is_success())
    }

    /// Whether it tells to come again, as it should.
    fn is_to_be_repeated(&self) -> bool {
        let Self::Whole {
            status,
            headers,
            body,
        } = self
        else {
            return true;
        };
        let body: Value = serde_json::from_str(body).unwrap_or_default();
        *status == StatusCode::SERVICE_UNAVAILABLE
            && headers
                .get(header::RETRY_AFTER)
                .is_some_and(|wait| wait == "2")
            && body["success"] == false
            && ["THROTTLED", "UNAVAILABLE"]
                .map(Value::from)
                .contains(&body["code"])
    }
}

/// A text without moments of today, and without what is made of chance.
fn steady(text: &str) -> String {
    static CHANGING: LazyLock<Regex> = LazyLock::new(|| {
        let changing = r"(?x)
            \b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z
            | \bsdk_[0-9a-z]+_[\w-]+
            | \b[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f-]+
            | \b[0-9a-z]{20}\b | \b[0-9a-f]{16}\b";
        Regex::new(changing).expect("an expression")
    });
    let replaced = CHANGING.replace_all(text, |found: &regex::Captures<'_>| {
        let is_of_a_run = found[0].starts_with("2026-02-1");
        if is_of_a_run {
            found[0].to_owned()
        } else {
            "…".to_owned()
        }
    });
    replaced.into_owned()
}

/// What is in a table, but for what is only there to count and to go on.
#[derive(Debug)]
struct State {
    items: BTreeSet<String>,
    /// Whether the counters are those of a recount.
    is_counted: bool,
}

impl State {
    async fn of(app: &TestApp) -> Self {
        const ASIDE: [&str; 6] = [
            "AUDIT#",
            "CHECKPOINT#",
            "COUNT#",
            "DELETION#",
            "DURATION#",
            "SCOPES",
        ];
        const OF_CHANCE: [&str; 5] = ["expiresAt", "lastUsedAt", "round", "secretHash", "version"];
        let items = items(&app.store).await;
        let items = items
            .into_iter()
            .filter(|(key, _)| !ASIDE.iter().any(|aside| key.starts_with(aside)));
        let text = |(_, mut item): (_, Value)| {
            let attributes = item.as_object_mut().expect("attributes");
            attributes.retain(|name, _| !OF_CHANCE.contains(&name.as_str()));
            steady(&item.to_string())
        };
        Self {
            items: items.map(text).collect(),
            is_counted: app.verify().await.differences.is_empty(),
        }
    }
}

impl State {
    /// What is in one of two states alone.
    fn assert_is(&self, expected: &Self, at: &str) {
        let differing: Vec<_> = self.items.symmetric_difference(&expected.items).collect();
        assert!(differing.is_empty(), "{at}: {differing:#?}");
        assert_eq!(self.is_counted, expected.is_counted, "{at}");
    }
}

/// Every item, by its keys.
async fn items(store: &Store) -> BTreeMap<String, Value> {
    let scan = store.client().scan().table_name(store.table());
    let scan = scan.consistent_read(true).into_paginator().items().send();
    let items = scan.try_collect().await.expect("items");
    let keyed = |item: shared::model::Item| {
        let key = format!(
            "{} {}",
            item["pk"].as_s().expect("text"),
            item["sk"].as_s().expect("text")
        );
        (key, plain(AttributeValue::M(item)))
    };
    items.into_iter().map(keyed).collect()
}

/// A value as JSON, which has no bytes and no sets.
fn plain(value: AttributeValue) -> Value {
    match value {
        AttributeValue::M(entries) => {
            let entries = entries
                .into_iter()
                .map(|(name, value)| (name, plain(value)));
            Value::Object(entries.collect())
        }
        AttributeValue::L(values) => values.into_iter().map(plain).collect(),
        AttributeValue::S(text) => text.into(),
        other => format!("{other:?}").into(),
    }
}

/// The events of the audit: what was done to what.
async fn events(store: &Store) -> BTreeMap<String, usize> {
    let mut events = BTreeMap::new();
    let items = items(store).await;
    for (_, event) in items
        .into_iter()
        .filter(|(key, _)| key.starts_with("AUDIT#"))
    {
        let event = format!("{} {}", event["action"], event["target"]);
        *events.entry(steady(&event)).or_default() += 1;
    }
    events
}

/// What was tried of a call or a consumer, for the sum at a test's end.
#[derive(Debug, Default)]
struct Tried {
    strikes: usize,
    as_ever: usize,
    refused: usize,
}

impl Tried {
    fn tell(&self, what: &str) {
        let Self {
            strikes,
            as_ever,
            refused,
        } = self;
        eprintln!("{what}: {strikes} faults, {as_ever} answered as ever, {refused} with 503");
    }
}

/// The variable with which each fault meets each request: `all`.
const FAULTS_VARIABLE: &str = "FLOWTRAIL_TEST_FAULTS";

/// Faults for the requests of a run without faults, once and for good: one in so many,
/// beginning with another each time, unless all are asked for.
fn strikes(requests: &[String], one_in: usize) -> Vec<Strike> {
    // What lasts and is like another that lasts is tried once.
    const LASTING: [Fault; 7] = [
        Fault::Throttled,
        Fault::InternalError,
        Fault::Unanswered,
        Fault::Silent,
        Fault::Cut,
        Fault::Expired,
        Fault::Conflict,
    ];
    static FIRST: AtomicUsize = AtomicUsize::new(0);
    let mut strikes = Vec::new();
    for (after, operation) in requests.iter().enumerate() {
        for fault in Fault::all_of(operation) {
            for lasts in [false, true] {
                if !lasts || LASTING.contains(&fault) {
                    strikes.push(Strike {
                        after,
                        lasts,
                        fault,
                    });
                }
            }
        }
    }
    if std::env::var(FAULTS_VARIABLE).is_ok_and(|faults| faults == "all") {
        return strikes;
    }
    let first = FIRST.fetch_add(1, Ordering::Relaxed) % one_in;
    strikes.into_iter().skip(first).step_by(one_in).collect()
}

/// Whether a strike may leave a mark on an answer.
fn may_fail(strike: Strike) -> bool {
    strike.lasts || !strike.fault.passes_with_a_retry()
}

/// Tries everything with a call that changes nothing but the audit.
async fn try_reading(world: &World, call: &Call, tried: &mut Tried) {
    let (faulty, app) = world.faulty();
    faulty.strike(None);
    let told_before = events(&world.app.store).await;
    let (good, ..) = world.ask(&app, call).await;
    assert!(good.is_success(), "{}: {}", call.path, good.text());
    let requests = faulty.requests();
    assert!(!requests.is_empty(), "{}", call.path);
    let before = State::of(&world.app).await;
    let mut told = events(&world.app.store).await;
    let tells = told != told_before;
    for strike in strikes(&requests, 12) {
        let at = format!("{} {strike:?} {requests:?}", call.path);
        let (faulty, app) = world.faulty();
        faulty.strike(Some(strike));
        let (outcome, began, took) = world.ask(&app, call).await;
        check_answer(&outcome, &good, strike, &at, tried);
        assert!(
            began <= ANSWERED_WITHIN + Duration::from_secs(1),
            "{at}: {began:?}"
        );
        assert!(took <= STREAMED_WITHIN, "{at}: {took:?}");
        if strike.fault == Fault::Ghost {
            tokio::time::sleep(LANDED).await;
        }
        // Whoever is answered stands in the audit, once.
        let told_now = events(&world.app.store).await;
        let more: usize = told_now.values().sum::<usize>() - told.values().sum::<usize>();
        assert!(more <= usize::from(tells), "{at}: {told_now:?}");
        assert!(
            !tells || more == 1 || !outcome.is_success(),
            "{at}: {told_now:?}"
        );
        told = told_now;
    }
    State::of(&world.app).await.assert_is(&before, &call.path);
}

fn check_answer(outcome: &Outcome, good: &Outcome, strike: Strike, at: &str, tried: &mut Tried) {
    tried.strikes += 1;
    if outcome.text() == good.text() {
        tried.as_ever += 1;
        return;
    }
    assert!(
        may_fail(strike),
        "{at}: {}\n{}",
        outcome.text(),
        good.text()
    );
    assert!(outcome.is_to_be_repeated(), "{at}: {}", outcome.text());
    tried.refused += 1;
}

/// Tries everything with a call that changes something, each on a table of its own.
/// `call` makes it of the world.
async fn try_changing(
    make: impl Fn(&World) -> Call,
    is_tried: impl Fn(Strike) -> bool,
    tried: &mut Tried,
) {
    let world = World::new().await;
    let call = make(&world);
    let (faulty, app) = world.faulty();
    faulty.strike(None);
    let (good, ..) = world.ask(&app, &call).await;
    assert!(good.is_success(), "{}: {}", call.path, good.text());
    let requests = faulty.requests();
    let told = events(&world.app.store).await;
    let after = world.settle().await;
    assert!(after.is_counted);
    for strike in strikes(&requests, 8)
        .into_iter()
        .filter(|strike| is_tried(*strike))
    {
        let world = World::new().await;
        let call = make(&world);
        let at = format!("{} {strike:?} {requests:?}", call.path);
        let (faulty, app) = world.faulty();
        faulty.strike(Some(strike));
        let (outcome, began, _) = world.ask(&app, &call).await;
        check_answer(&outcome, &good, strike, &at, tried);
        assert!(
            began <= ANSWERED_WITHIN + Duration::from_secs(1),
            "{at}: {began:?}"
        );
        faulty.strike(None);
        if strike.fault == Fault::Ghost {
            tokio::time::sleep(LANDED).await;
        }
        let told_once = events(&world.app.store).await;
        let is_within = |most: usize, told_now: &BTreeMap<String, usize>| {
            let of = |event: &String| told.get(event).copied().unwrap_or_default();
            told_now
                .iter()
                .all(|(event, times)| *times <= most * of(event))
        };
        assert!(is_within(1, &told_once), "{at}: {told_once:?}");
        let mut state = world.settle().await;
        if !outcome.is_success() {
            let (again, ..) = world.ask(&world.app, &call).await;
            // Done is done: the second one may find that nothing is left to do.
            let is_done = ["404", "409"]
                .iter()
                .any(|done| again.text().starts_with(done));
            assert!(is_done || again.is_success(), "{at}: {}", again.text());
            let told_twice = events(&world.app.store).await;
            assert!(is_within(2, &told_twice), "{at}: {told_twice:?}");
            state = world.settle().await;
        }
        state.assert_is(&after, &format!("{at}: {}", outcome.text()));
        let tokens = items(&world.app.store).await;
        let tokens = tokens
            .keys()
            .filter(|key| key.starts_with("TOKEN#"))
            .count();
        let most = 3 + usize::from(call.makes_another_each_time() && !outcome.is_success());
        assert!(tokens <= most, "{at}: {tokens} tokens");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_read_is_whole_or_refused() {
    if !is_embedded() {
        return;
    }
    let world = World::new().await;
    for call in reads() {
        let mut tried = Tried::default();
        try_reading(&world, &call, &mut tried).await;
        tried.tell(&call.path);
    }
}

/// A test of one call that changes something.
async fn changing(what: &str, make: impl Fn(&World) -> Call) {
    if !is_embedded() {
        return;
    }
    let mut tried = Tried::default();
    try_changing(make, |_| true, &mut tried).await;
    tried.tell(what);
}

#[tokio::test(start_paused = true)]
async fn a_cancel_is_done_once() {
    changing("a cancel", |_| cancel()).await;
}

#[tokio::test(start_paused = true)]
async fn a_run_is_pinned_once() {
    changing("a pin", |_| pin()).await;
    changing("the end of a pin", |_| unpin()).await;
}

#[tokio::test(start_paused = true)]
async fn a_run_is_deleted_once() {
    changing("a deletion", |_| delete(false)).await;
    changing("a deletion with what is below", |_| delete(true)).await;
}

/// Its deletion looks at the clock of the machine, so time goes on, and what takes long is
/// not tried.
#[tokio::test]
async fn a_flow_is_deleted_once() {
    if !is_embedded() {
        return;
    }
    let takes_long = [Fault::Silent, Fault::Slow, Fault::TooSlow, Fault::Ghost];
    let is_quick = |strike: Strike| !strike.lasts && !takes_long.contains(&strike.fault);
    let mut tried = Tried::default();
    try_changing(|_| delete_flow(), is_quick, &mut tried).await;
    tried.tell("the deletion of a flow");
}

#[tokio::test(start_paused = true)]
async fn settings_are_changed_once() {
    for position in 0..settings("").len() {
        let name = settings("")[position].name;
        changing(name, |world| settings(&world.victim).swap_remove(position)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn spans_are_taken_in_once() {
    changing("traces", |_| ingest()).await;
}

#[test]
fn every_endpoint_meets_faults() {
    let mut calls = reads();
    calls.extend([cancel(), pin(), unpin()]);
    calls.extend([delete(false), delete_flow(), ingest()]);
    calls.extend(settings(""));
    let tried: BTreeSet<_> = calls.iter().map(|call| call.name).collect();
    let routes: BTreeSet<_> = ROUTES.iter().map(|route| route.name).collect();
    assert_eq!(tried, routes, "a route is missing in this test");
}

/// Which consumer of the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Consumer {
    Count,
    Reap,
}

impl Consumer {
    /// Follows the stream to its end over this connection.
    async fn drain(self, world: &World, faulty: &Faulty) -> Result<(), Failure> {
        let streams = faulty.streams(&world.app.streams);
        let client = Faulty::patient(&faulty.over(world.app.store.client()));
        let store = Store::new(client, world.app.store.table());
        let mut follower = match self {
            Self::Count => Follower::counting(streams, store),
            Self::Reap => Follower::reaping(streams, store),
        };
        let name = match self {
            Self::Count => "count",
            Self::Reap => "reap",
        };
        as_function(name, follower.drain(|_| {})).await
    }
}

/// A world in which something has happened that consumers have not seen.
async fn happened(call: &Call) -> World {
    let world = World::new().await;
    let (outcome, ..) = world.ask(&world.app, call).await;
    assert!(outcome.is_success(), "{}", outcome.text());
    world
}

/// Tries everything with a consumer of what follows from a call.
async fn try_consuming(consumer: Consumer, call: &Call) {
    if !is_embedded() {
        return;
    }
    let world = happened(call).await;
    let (faulty, _) = world.faulty();
    faulty.strike(None);
    consumer.drain(&world, &faulty).await.expect("drained");
    let requests = faulty.requests();
    let after = world.settle().await;
    assert!(after.is_counted);
    let mut tried = Tried::default();
    for strike in strikes(&requests, 12) {
        let at = format!("{consumer:?} {strike:?} {requests:?}");
        let world = happened(call).await;
        let (faulty, _) = world.faulty();
        faulty.strike(Some(strike));
        let begin = Instant::now();
        // A process that fails is handed the same records again, as Lambda does.
        let mut drained = consumer.drain(&world, &faulty).await;
        tried.strikes += 1;
        match &drained {
            Ok(()) => tried.as_ever += 1,
            Err(_) => tried.refused += 1,
        }
        assert!(drained.is_ok() || may_fail(strike), "{at}: {drained:?}");
        assert!(
            begin.elapsed() < CONSUMED_WITHIN,
            "{at}: {:?}",
            begin.elapsed()
        );
        faulty.strike(None);
        tokio::time::sleep(LANDED).await;
        for _ in 0..2 {
            drained = consumer.drain(&world, &faulty).await;
            drained.expect(&at);
        }
        world.settle().await.assert_is(&after, &at);
    }
    tried.tell(&format!("{consumer:?} after {}", call.path));
}

/// How long a batch of a consumer may take that meets nothing but faults.
const CONSUMED_WITHIN: Duration = Duration::from_secs(120);

#[tokio::test(start_paused = true)]
async fn what_is_counted_is_counted_once() {
    try_consuming(Consumer::Count, &delete(true)).await;
}

#[tokio::test(start_paused = true)]
async fn what_follows_from_a_deletion_and_a_cancel_follows_once() {
    try_consuming(Consumer::Reap, &delete(true)).await;
    try_consuming(Consumer::Reap, &cancel()).await;
}
