//! The content of the table, for comparison.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::Value;
use shared::store::Store;

use super::world::steady;
use crate::support::TestApp;

/// The items of a table, without the items that only serve counts and continuation.
#[derive(Debug)]
pub(super) struct State {
    items: BTreeSet<String>,
    /// Whether the counters equal a recount.
    pub(super) is_counted: bool,
}

impl State {
    pub(super) async fn read(app: &TestApp) -> Self {
        const IGNORED: [&str; 6] = [
            "AUDIT#",
            "CHECKPOINT#",
            "COUNT#",
            "DELETION#",
            "DURATION#",
            "SCOPES",
        ];
        const RANDOM: [&str; 9] = [
            "attempts",
            "expiresAt",
            "lastUsedAt",
            "leasedUntil",
            "savedBy",
            "secretHash",
            "span",
            "traceRevision",
            "version",
        ];
        let items = items(&app.store).await;
        let items = items
            .into_iter()
            .filter(|(key, _)| !IGNORED.iter().any(|prefix| key.starts_with(prefix)));
        let text = |(_, mut item): (_, Value)| {
            let attributes = item.as_object_mut().expect("attributes");
            attributes.retain(|name, _| !RANDOM.contains(&name.as_str()));
            if let Some(state) = attributes.get_mut("state").and_then(Value::as_object_mut) {
                state.retain(|name, _| !["revision", "unsaved"].contains(&name.as_str()));
            }
            steady(&item.to_string())
        };
        Self {
            items: items.map(text).collect(),
            is_counted: app.verify().await.differences.is_empty(),
        }
    }

    /// Checks that both states have the same items.
    pub(super) fn assert_is(&self, expected: &Self, at: &str) {
        let differing: Vec<_> = self.items.symmetric_difference(&expected.items).collect();
        assert!(differing.is_empty(), "{at}: {differing:#?}");
        assert_eq!(self.is_counted, expected.is_counted, "{at}");
    }
}

/// Every item, by its keys.
pub(super) async fn items(store: &Store) -> BTreeMap<String, Value> {
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

/// A value as JSON. Bytes and sets become text.
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

/// The number of audit events, by action and target.
pub(super) async fn events(store: &Store) -> BTreeMap<String, usize> {
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
