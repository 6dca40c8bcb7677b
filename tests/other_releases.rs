//! Items of every kind that another release wrote or that are unreadable. They affect only
//! their own team.
//!
//! The table at the top of `shared/format/src/keys.rs` lists the kinds.

use std::time::Duration;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use axum::http::Method;
use calls::CALLS;
use functions::route::Route;
use functions::routes::ROUTES;
use serde_json::{Value, json};
use shared::attributes::text;
use shared::auth::Role;
use shared::counters::Counter;
use shared::counters::recount::{NoConsumer, Recount};
use shared::keys::{self, key};
use shared::model::{Item, Timestamp};

use crate::support::records::{ForkKey, branch_step, execution, payload, step, time};
use crate::support::{Answer, TestApp, token_id};

mod calls;
mod kinds;
mod settings;
mod wrong_types;

const ODD: &str = "team-a";

const NEIGHBOUR: &str = "team-b";

/// The attribute and member that another release adds.
const FUTURE: &str = "fromAnotherRelease";

/// A team with the token of its admin, and an unused token.
struct Team {
    name: &'static str,
    admin: String,
    other_token: String,
}

impl Team {
    fn run(&self, name: &str) -> String {
        format!("{}-{name}", self.name)
    }

    /// Creates the tokens, roles and settings of a team.
    async fn of(app: &TestApp, name: &'static str) -> Self {
        let admin = app.token(name, Role::Admin, None).await;
        let made = app.call(
            Method::POST,
            &admin,
            "/api/tokens",
            r#"{"role": "viewer", "name": "spare", "flows": ["flow-1"], "expiresAt": "2099-01-01"}"#,
        );
        let made = made.await.json()["secret"].clone();
        let team = Self {
            name,
            admin,
            other_token: made.as_str().expect("a secret").to_owned(),
        };
        for (path, body) in [
            (
                "roles",
                r#"{"roles": [{"name": "clerk", "permissions": ["EXECUTIONS_READ"]}]}"#,
            ),
            (
                "settings/masking",
                r#"{"keyNames": ["birthDate"], "patterns": [{"name": "x", "pattern": "KD[0-9]+"}]}"#,
            ),
            (
                "settings/retention",
                r#"{"rules": [{"flowId": "flow-1", "status": "COMPLETED", "days": 3650}]}"#,
            ),
            (
                "settings/stalled",
                r#"{"rules": [{"flowId": "flow-1", "afterSeconds": 60, "closeAfterSeconds": 600}]}"#,
            ),
            (
                "settings/profiles",
                // Without the map `labels`, whose names belong to the team.
                r#"{"profiles": [{"instrumentation": "acme", "scopes": ["acme"], "usage": {"model": ["a"]}, "retries": [{"events": "retry"}]}]}"#,
            ),
        ] {
            let path = format!("/api/{path}");
            app.call(Method::PUT, &team.admin, &path, body).await.ok();
        }
        team
    }

    fn execution(&self, name: &str, attributes: Value) -> Item {
        let id = self.run(name);
        let mut item = execution(&id, attributes);
        item.insert("teamId".to_owned(), text(self.name));
        item
    }

    /// Records of every kind that an engine writes.
    async fn write_records(&self, app: &TestApp) {
        let run = self.run("run");
        let fork = ForkKey {
            execution_id: &run,
            id: "fork-1",
            offset: 100,
        };
        let now = Timestamp::now().to_string();
        let labels = json!({"orderId": "42"});
        app.write([
            self.execution("run", json!({"labels": labels, "deviceId": "device-1", "stepSummary": {"total": 2}})),
            step(&run, "step-1", 10, json!({"executionData": {"a": 1}})),
            step(&run, "fork-1", 100, json!({"stepType": "PARALLEL_FORK_MANAGER"})),
            branch_step(&fork, "branch", "b", 110, json!({})),
            payload(&run, "input", 0, json!({"value": {"birthDate": "1990"}})),
            self.execution("open", json!({"status": "RUNNING", "heartbeatAt": now, "timeoutAt": "2099-01-01T00:00:00.000Z", "endTime": null})),
            self.execution("deleted", json!({})),
            self.execution("gone", json!({"flowId": "flow-gone"})),
            self.execution("parent", json!({})),
            self.execution("child", json!({"executionType": "SUBFLOW", "parentExecutionId": self.run("parent")})),
        ])
        .await;
        let trace = format!("EXEC#{}:{TRACE}", self.name);
        let body = spans(self.name).to_string();
        app.call(Method::POST, &self.admin, "/v1/traces", &body)
            .await
            .ok();
        // A trace of more than 128 spans has such an item.
        let mut places = key(&trace, keys::places_of_span("0000000000000003"));
        places.insert("places".to_owned(), AttributeValue::B(Blob::new([0; 26])));
        places.insert("revision".to_owned(), AttributeValue::N("1".to_owned()));
        app.write([places]).await;
    }

    /// A successful request for each route. Requests that remove something come last.
    fn calls(&self) -> Vec<Call> {
        let call = |(name, path): &(&str, &str)| {
            let route = ROUTES.iter().find(|route| route.name == *name);
            let route = route.expect("a route");
            let path = path.replace("{team}", self.name);
            Call {
                route,
                path: path.replace("{token_id}", token_id(&self.other_token)),
                body: self.body(route),
            }
        };
        CALLS.iter().map(call).collect()
    }

    fn body(&self, route: &Route) -> String {
        match route.name {
            "try_masking_settings" => json!({"value": {"birthDate": "1990"}}).to_string(),
            "update_masking_settings" => "{}".to_owned(),
            "update_retention_settings" | "update_stalled_settings" => {
                json!({"rules": []}).to_string()
            }
            "update_profile_settings" => json!({"profiles": []}).to_string(),
            "update_roles" => json!({"roles": []}).to_string(),
            "create_token" => json!({"role": "viewer"}).to_string(),
            "ingest_traces" => spans(self.name).to_string(),
            _ => String::new(),
        }
    }
}

struct Call {
    route: &'static Route,
    path: String,
    body: String,
}

impl Call {
    /// Sends the request with the token of a team's admin.
    async fn send(&self, app: &TestApp, team: &Team) -> Answer {
        let method = self.route.method.clone();
        app.call(method, &team.admin, &self.path, &self.body).await
    }
}

const TRACE: &str = "5b8efff798038103d269b633813fc60c";

/// A trace of two spans, which are named after the team.
fn spans(team: &str) -> Value {
    let span = |id: &str, parent: &str| {
        json!({
            "traceId": TRACE, "spanId": id, "parentSpanId": parent,
            "attributes": [{"key": "temporalRunID", "value": {"stringValue": format!("run-of-{team}")}}],
            "name": team, "kind": 1, "startTimeUnixNano": "1771324200000000000",
            "endTimeUnixNano": "1771324201000000000",
        })
    };
    let spans = [
        span("0000000000000001", ""),
        span("0000000000000002", "0000000000000001"),
    ];
    json!({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]})
}

/// A table with items of every kind, of two teams.
struct World {
    app: TestApp,
    teams: [Team; 2],
}

impl World {
    async fn new() -> Self {
        let app = TestApp::new().await;
        let teams = [Team::of(&app, ODD).await, Team::of(&app, NEIGHBOUR).await];
        for team in &teams {
            team.write_records(&app).await;
        }
        app.count().await;
        app.reap().await;
        for team in &teams {
            let path = "/api/history/executions/flows/flow-gone";
            app.delete(&team.admin, path).await.ok();
            let path = format!(
                "/api/history/executions/{}?cascade=true",
                team.run("parent")
            );
            app.delete(&team.admin, &path).await.ok();
        }
        app.count().await;
        let counter = Counter::new(app.store.clone());
        counter.set_complete().await.expect("noted");
        let mut demo = key(keys::DEMO, keys::DEMO);
        demo.insert("state".to_owned(), text("declined"));
        let mut import = key(keys::import_partition("digest"), keys::IMPORT);
        import.insert("lines".to_owned(), AttributeValue::N("7".to_owned()));
        app.write([demo, import]).await;
        Self { app, teams }
    }

    async fn items(&self) -> Vec<Item> {
        self.app.store.scan().all().await.expect("read")
    }

    /// The items of the odd team and of no team, except for the token of its admin.
    async fn odd_items(&self) -> Vec<Item> {
        let admin = keys::token_partition(token_id(&self.teams[0].admin));
        let mut items = self.items().await;
        items.retain(|item| {
            let names =
                ["pk", "sk", "teamId"].map(|name| item.get(name).and_then(|it| it.as_s().ok()));
            let belongs_to = |team: &str| names.iter().flatten().any(|name| name.contains(team));
            !belongs_to(NEIGHBOUR) && item["pk"].as_s() != Ok(&admin)
        });
        items
    }

    /// Replaces an item. Returns whether the table accepts it: the keys of an index must be
    /// texts.
    async fn replace(&self, item: Item) -> bool {
        match self.app.store.put(item).await {
            Ok(()) => true,
            Err(shared::Error::Refused(_)) => false,
            Err(error) => panic!("{}", error.with_causes()),
        }
    }

    /// Writes new runs of both teams, which every consumer follows.
    async fn continue_with_new_runs(&self, app: &TestApp) {
        for team in &self.teams {
            let late = json!({"status": "RUNNING", "timeoutAt": time(0), "endTime": null});
            let labels = json!({"labels": {"orderId": "43"}});
            app.write([
                team.execution("late", late),
                team.execution("new", labels.clone()),
                team.execution("removed", labels),
            ])
            .await;
            let removed = keys::execution_partition(&team.run("removed").parse().expect("an id"));
            let deleted = app.store.delete(&removed, keys::EXECUTION).await;
            deleted.expect("deleted");
        }
        app.count().await;
        app.reap().await;
        app.sweep().await;
        app.reap().await;
        app.count().await;
    }

    /// Every consumer has followed the new runs of a team.
    async fn assert_followed(&self, app: &TestApp, team: &Team, at: &str) {
        let new = app.item(&team.run("new")).await;
        assert!(new["expiresAt"].is_number(), "{at}: no retention: {new}");
        let late = app.item(&team.run("late")).await;
        assert_eq!(late["status"], "CANCELLED", "{at}: not swept");
        let path = "/api/history/executions?lite=true&label=orderId=43";
        let found = app.get(&team.admin, path).await.ok();
        assert_eq!(found["pagination"]["total"], 1, "{at}: not labelled");
        assert_eq!(found["executions"][0]["id"], team.run("new"), "{at}");
        assert_eq!(
            app.records_of(&team.run("child")).await,
            [""; 0],
            "{at}: not cascaded"
        );
        self.assert_counted(team, at).await;
    }

    async fn assert_counted(&self, team: &Team, at: &str) {
        let recount = Recount {
            team_id: Some(team.name.parse().expect("a team")),
            settle: Duration::ZERO,
        };
        let report = recount.verify(&self.app.store, &NoConsumer, &|_| {}).await;
        let differences = report.expect("counted").differences;
        assert_eq!(differences, [], "{at}: not counted");
    }
}

/// An item as another release writes it: with one more attribute, and one more member in
/// each of its maps.
fn as_another_release_writes_it(mut item: Item) -> Item {
    for (name, value) in &mut item {
        // These values belong to the engine.
        if !["input", "output", "value"].contains(&name.as_str()) {
            add_members(value);
        }
    }
    let more = AttributeValue::M([("a".to_owned(), text("b"))].into());
    item.insert(FUTURE.to_owned(), more);
    item
}

fn add_members(value: &mut AttributeValue) {
    match value {
        AttributeValue::M(members) => {
            members.values_mut().for_each(add_members);
            members.insert(FUTURE.to_owned(), AttributeValue::N("1".to_owned()));
        }
        AttributeValue::L(list) => list.iter_mut().for_each(add_members),
        _ => {}
    }
}

#[tokio::test]
async fn additions_of_another_release_change_nothing() {
    let world = World::new().await;
    for item in world.odd_items().await {
        assert!(
            world.replace(as_another_release_writes_it(item)).await,
            "refused"
        );
    }
    let app = world.app.restarted();
    world.continue_with_new_runs(&app).await;
    for team in &world.teams {
        world.assert_followed(&app, team, team.name).await;
        for call in team.calls() {
            let answer = call.send(&app, team).await;
            let (name, path) = (team.name, &call.path);
            assert!(answer.status.is_success(), "{name} {path}: {}", answer.body);
            assert!(
                !answer.body.contains("unreadable"),
                "{name} {path}: {}",
                answer.body
            );
            // The team's own masking rules still apply.
            if path.contains("masking/try") {
                assert_eq!(answer.json()["masked"]["birthDate"], "[REDACTED:secret]");
            }
        }
    }
}
