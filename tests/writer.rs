//! The writer crate: what it writes, what it costs, and what it survives.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use shared::keys;
use shared::payload::Payloads;
use shared::store::Range;
use writer::{Options, Writer};

use crate::support::TestApp;

mod batches;
mod conformance;
mod killed_engine;
mod outages;
mod runs;

/// A writer that sends only full batches, or when it is flushed.
fn batching_writer(client: &aws_sdk_dynamodb::Client, app: &TestApp) -> Writer {
    let mut options = Options::default();
    options.flush_after = Duration::from_secs(3_600);
    Writer::with(client.clone(), app.store.table(), options)
}

fn writer_of(app: &TestApp) -> Writer {
    Writer::new(app.store.client().clone(), app.store.table())
}

/// All records of some runs as plain JSON. The parts of a payload are one record.
async fn records(app: &TestApp, runs: &[&str]) -> Value {
    let mut records = Vec::new();
    for run in runs {
        let pk = format!("EXEC#{run}");
        let items = app
            .store
            .all(&Range::of_partition(pk.clone(), " ", None))
            .await
            .expect("read");
        let mut payloads: BTreeMap<String, Payloads> = BTreeMap::new();
        for item in items {
            let sk = keys::sort_key(&item).expect("a key").to_owned();
            match keys::payload_of(&sk) {
                Some(key) if item.contains_key("bytes") => {
                    payloads
                        .entry(key.name.to_owned())
                        .or_default()
                        .insert(item);
                }
                _ => records.push(serde_dynamo::from_item(item).expect("JSON")),
            }
        }
        for (name, mut payload) in payloads {
            let value = payload.take(&name).expect("readable").expect("there");
            records.push(json!({"pk": pk, "sk": format!("PAYLOAD#{name}"), "json": value}));
        }
    }
    records.sort_by_key(|record: &Value| {
        let key = |name: &str| record[name].as_str().unwrap_or_default().to_owned();
        (key("pk"), key("sk"))
    });
    Value::Array(records)
}
