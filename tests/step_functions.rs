//! The bridge from AWS Step Functions: histories and events in the form of AWS become runs
//! (tests/samples/step-functions).

use std::collections::BTreeMap;
use std::path::Path;

use aws_sdk_dynamodb::Client;
use serde_json::Value;
use shared::auth::Role;
use shared::keys;
use shared::model::{Item, Timestamp};
use shared::step_functions::change::StatusChange;
use shared::step_functions::{ImportError, Imported, Importer};
use shared::store::{Range, Store};

use crate::support::TestApp;
use crate::support::actions::Recorder;
use crate::support::records::START;
use crate::support::step_functions::StepFunctions;

mod events;
mod history;
mod samples;

const FUNCTION: &str = "import_state_machine_execution";

/// An execution with its history, and the events that EventBridge sends.
struct Sample {
    arn: String,
    history: Vec<Value>,
    events: Vec<Value>,
}

impl Sample {
    fn of(name: &str) -> Self {
        let read = |kind: &str| -> Value {
            let path = format!("../tests/samples/step-functions/{name}.{kind}.json");
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
            let text = std::fs::read_to_string(&path).expect("a sample");
            serde_json::from_str(&text).expect("JSON")
        };
        let list = |value: &Value| value.as_array().expect("a list").clone();
        let events = list(&read("events"));
        let arn = events[0]["detail"]["executionArn"].as_str();
        Self {
            arn: arn.expect("an ARN").to_owned(),
            history: list(&read("history")["events"]),
            events,
        }
    }

    fn last(&self) -> &Value {
        self.events.last().expect("an event")
    }
}

/// Flowtrail and a Step Functions endpoint.
struct Bridge {
    app: TestApp,
    step_functions: StepFunctions,
    token: String,
}

impl Bridge {
    async fn new() -> Self {
        let app = TestApp::new().await;
        Self {
            token: app.token("team-a", Role::Admin, None).await,
            step_functions: StepFunctions::serve().await,
            app,
        }
    }

    /// A bridge that has imported the events of a sample.
    async fn with(name: &str) -> (Self, Sample) {
        let (bridge, sample) = (Self::new().await, Sample::of(name));
        bridge.set_history(&sample);
        for event in &sample.events {
            bridge.follow(event).await.expect("imported");
        }
        (bridge, sample)
    }

    /// Serves the history of a sample.
    fn set_history(&self, sample: &Sample) {
        self.step_functions
            .set_history(&sample.arn, sample.history.clone());
    }

    fn importer(&self) -> Importer {
        self.importer_over(self.app.store.client())
    }

    fn importer_over(&self, client: &Client) -> Importer {
        let store = Store::new(Recorder::of(FUNCTION, client), self.app.store.table());
        let team = "team-a".parse().expect("a team");
        Importer::new(store, self.step_functions.client(), team)
    }

    async fn follow(&self, event: &Value) -> Result<Imported, ImportError> {
        let change = StatusChange::parse(&event.to_string())?;
        self.importer().follow(&change).await
    }

    async fn get(&self, path: &str) -> Value {
        self.app.get(&self.token, path).await.ok()
    }

    async fn details(&self, id: &str) -> Value {
        self.get(&format!("/flow-executions/{id}")).await["data"].take()
    }

    /// All items of a run, by their sort keys.
    async fn items(&self, id: &str) -> BTreeMap<String, Item> {
        let range = Range::of_partition(format!("EXEC#{id}"), "A", None).latest();
        let items = self.app.store.all(&range).await.expect("read");
        let keyed = |item: Item| (keys::sort_key(&item).expect("a key").to_owned(), item);
        items.into_iter().map(keyed).collect()
    }

    /// The steps of a run, one per line. Steps of branches follow their fork.
    async fn outline(&self, id: &str) -> Vec<String> {
        let steps = self.details(id).await["steps"].take();
        let mut lines = Vec::new();
        self.outline_of(id, "", steps, &mut lines).await;
        lines
    }

    async fn outline_of(&self, id: &str, place: &str, steps: Value, lines: &mut Vec<String>) {
        for step in steps.as_array().expect("steps") {
            let text = |name: &str| step[name].as_str().unwrap_or_default();
            lines.push(format!("{place}{}", line_of(step)));
            if text("stepType") != "PARALLEL_FORK_MANAGER" {
                continue;
            }
            let path = format!(
                "/flow-executions/{id}/branch-steps?parentStepInstanceId={}&parentStepStartTime={}",
                text("stepInstanceId"),
                text("startTime"),
            );
            let branches = self.get(&path).await["data"].take();
            for branch in branches.as_object().expect("branches").values() {
                let name = branch["branchId"].as_str().expect("a name");
                let place = format!("{place}{}[{name}] ", text("stepName"));
                Box::pin(self.outline_of(id, &place, branch["steps"].clone(), lines)).await;
            }
        }
    }
}

/// A step's type, name, status, first and last millisecond, retries and error.
fn line_of(step: &Value) -> String {
    let text = |name: &str| step[name].as_str().unwrap_or_default();
    let offset = |name: &str| {
        let moment: Option<Timestamp> = text(name).parse().ok();
        moment.map_or("-".to_owned(), |moment| {
            (moment.milliseconds() - START).to_string()
        })
    };
    let mut line = format!(
        "{} {} {} {}..{}",
        text("stepType"),
        text("stepName"),
        text("status"),
        offset("startTime"),
        offset("endTime"),
    );
    if step["retryCount"] != 0 {
        line.push_str(&format!(" retries={}", step["retryCount"]));
    }
    if let Some(error) = step["errorMessage"].as_str() {
        line.push_str(&format!(" error={error}"));
    }
    line
}
