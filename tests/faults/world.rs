//! The table that each test starts with, and the outcome of a request to it.

use std::sync::LazyLock;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt;
use regex::Regex;
use serde_json::{Value, json};
use shared::auth::Role;
use tokio::time::Instant;

use super::calls::{Call, FORK};
use super::state::{State, items};
use crate::support::actions::as_function;
use crate::support::faults::Faulty;
use crate::support::records::{branch_step, execution, payload_parts, step, time};
use crate::support::{TestApp, token_id};

/// A table with records of every kind, and an admin's token.
pub(super) struct World {
    pub(super) app: TestApp,
    admin: String,
    /// The id of an unused token.
    pub(super) victim: String,
}

impl World {
    pub(super) async fn new() -> Self {
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

    /// The same table behind a server that has cached no caller, over a connection that
    /// meets faults.
    pub(super) fn faulty(&self) -> (Faulty, TestApp) {
        let (faulty, client) = Faulty::client(self.app.store.client(), &[]);
        (faulty, self.app.over(Faulty::patient(&client)))
    }

    /// Sends a request. Returns the outcome, and the times until the answer began and ended.
    pub(super) async fn ask(&self, app: &TestApp, call: &Call) -> (Outcome, Duration, Duration) {
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

    /// Runs the consumers of the stream to their end, and reads the table.
    pub(super) async fn settle(&self) -> State {
        // A process that crashed holds its deletion, or its trace, for ten seconds. This ends the
        // lease.
        for key in items(&self.app.store).await.keys() {
            let (pk, sk) = key.split_once(' ').expect("a key");
            if pk == "DELETION#team-a" || sk == "TRACE" {
                let update = self.app.store.client().update_item();
                let update = update
                    .table_name(self.app.store.table())
                    .set_key(Some(shared::keys::key(pk, sk)))
                    .update_expression("SET leasedUntil = :zero")
                    .expression_attribute_values(":zero", AttributeValue::N("0".to_owned()));
                update.send().await.expect("written");
            }
        }
        self.app.reap().await;
        self.app.count().await;
        State::read(&self.app).await
    }
}

/// The outcome of a request.
#[derive(Debug)]
pub(super) enum Outcome {
    Whole {
        status: StatusCode,
        headers: HeaderMap,
        body: String,
    },
    /// The connection was cut off during the body.
    Cut,
}

impl Outcome {
    /// The status and the body, without what differs in each run.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Whole { status, body, .. } => format!("{status} {}", steady(body)),
            Self::Cut => "cut".to_owned(),
        }
    }

    pub(super) fn is_success(&self) -> bool {
        matches!(self, Self::Whole { status, .. } if status.is_success())
    }

    /// Whether the answer asks the caller to retry, in the documented form.
    pub(super) fn asks_for_retry(&self) -> bool {
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

/// A text without current times and without random ids.
pub(super) fn steady(text: &str) -> String {
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
