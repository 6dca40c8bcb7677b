//! Looks up which spans of a request are stored already.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use format::Result;
use format::attributes::{PARTITION_KEY, SORT_KEY, number};
use format::keys::{self, key};
use format::model::Item;
use store::Store;

use super::index::{Entry, Index};
use super::state::TraceState;
use crate::otlp::records::{SPAN, SpanRecord, SpanVersion, Usage};
use crate::otlp::{SpanId, SpanKey};

/// The attribute with the places of the spans with an id.
const PLACES: &str = "places";
/// The attribute with the revision of the state that includes these places.
pub(super) const REVISION: &str = "revision";

/// The attributes that are read.
const READ: &[&str] = &[PARTITION_KEY, SORT_KEY, SPAN, PLACES, REVISION];

/// A stored span.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct StoredSpan {
    pub(super) entry: Entry,
    /// Whether the state of the trace includes it. A request that stopped before it saved the
    /// state has left spans that it does not include.
    pub(super) is_counted: bool,
    /// What it has added to the usage of its run.
    pub(super) usage: Option<Usage>,
}

/// The stored spans that have the ids of a request's spans.
#[derive(Debug, Default)]
pub(super) struct KnownSpans(HashMap<SpanId, Vec<StoredSpan>>);

impl KnownSpans {
    /// Looks up the spans of a request: without a read if the state lists all spans of the trace.
    /// Otherwise a span that may have another start than before, or share its id, has an item of
    /// its own, and the others are found by the keys of their steps.
    pub(super) async fn look_up(
        store: &Store,
        pk: &str,
        state: &TraceState,
        records: &[SpanRecord],
    ) -> Result<Self> {
        let mut known = Self::default();
        let mut wanted: HashMap<String, &SpanRecord> = HashMap::new();
        for record in records {
            let id = record.span.id;
            let is_listed = state.index.of_id(id).next().is_some();
            let root = state.root.as_ref().filter(|root| root.key == record.key());
            let listed = state.index.of_id(id).find(|it| it.key == record.key());
            let sort_key = if let Some(entry) = listed {
                // Only a version that is replaced is read.
                let is_replaced = entry.end_ns < record.span.end_ns;
                is_replaced
                    .then(|| entry.sort_key(root.is_some()))
                    .transpose()?
            } else if is_listed || !state.index.is_full() {
                None
            } else if record.may_move() {
                Some(keys::places_of_span(&id.to_string()))
            } else {
                let is_root = root.is_some();
                Some(Entry::of_record(record, false).sort_key(is_root)?)
            };
            for entry in state.index.of_id(id) {
                known.add(*entry, true);
            }
            wanted.extend(sort_key.map(|sk| (sk, record)));
        }
        let keys: Vec<_> = wanted.keys().map(|sk| key(pk, sk.as_str())).collect();
        for item in store.get_all_latest(&keys, READ).await? {
            let sk = keys::sort_key(&item).unwrap_or_default();
            if let Some(record) = wanted.get(sk) {
                known.add_item(&item, record, state);
            }
        }
        Ok(known)
    }

    fn add(&mut self, entry: Entry, is_counted: bool) -> &mut StoredSpan {
        let spans = self.0.entry(entry.key.id).or_default();
        let position = spans.iter().position(|it| it.entry.key == entry.key);
        let position = position.unwrap_or_else(|| {
            spans.push(StoredSpan {
                entry,
                is_counted,
                usage: None,
            });
            spans.len() - 1
        });
        &mut spans[position]
    }

    fn add_item(&mut self, item: &Item, record: &SpanRecord, state: &TraceState) {
        let read = |name: &str| item.get(name).cloned();
        if let Some(entries) = read(PLACES) {
            let entries: Index = serde_dynamo::from_attribute_value(entries).unwrap_or_default();
            let saved: Option<u64> = read(REVISION).and_then(|it| it.as_n().ok()?.parse().ok());
            for entry in entries.iter() {
                self.add(*entry, saved.is_some_and(|saved| state.includes(saved)));
            }
            return;
        }
        let version = read(SPAN).and_then(|it| serde_dynamo::from_attribute_value(it).ok());
        let version: Option<SpanVersion> = version;
        if let Some(version) = version {
            let mut entry = Entry::of_record(record, false);
            entry.end_ns = version.end_time_unix_nano;
            let stored = self.add(entry, state.includes(version.revision));
            stored.usage = version.usage;
        }
    }

    /// The stored version of a span.
    pub(super) fn get(&self, key: SpanKey) -> Option<&StoredSpan> {
        self.of_id(key.id).iter().find(|it| it.entry.key == key)
    }

    /// The stored spans with this id.
    pub(super) fn of_id(&self, id: SpanId) -> &[StoredSpan] {
        self.0.get(&id).map_or(&[], Vec::as_slice)
    }
}

/// Creates the item with the places of the spans with an id.
pub(super) fn places_item(pk: &str, id: SpanId, entries: &Index, revision: u64) -> Result<Item> {
    let mut item = key(pk, keys::places_of_span(&id.to_string()));
    let entries: AttributeValue =
        serde_dynamo::to_attribute_value(entries).map_err(format::Error::internal)?;
    item.insert(PLACES.to_owned(), entries);
    item.insert(REVISION.to_owned(), number(revision));
    Ok(item)
}
