//! `flowtrail serve`, killed at any moment of a mixed load, again and again on one file.
//!
//! Engines write to the table (puts, batches, transactions, updates) while callers
//! cancel, delete, send traces, make and revoke tokens, and change settings. Each notes
//! what was acknowledged, and what was under way at the kill. After each restart what was
//! acknowledged has to be there, by value; and of what was under way an item as a whole, a
//! transaction as a whole, or nothing. Once the consumers of the stream have come to rest,
//! everything that was begun has to have ended ([`unfinished`]).
//!
//! `FLOWTRAIL_TEST_KILLS=200` kills so often, `FLOWTRAIL_TEST_SEED=7` loads otherwise.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Region};
use aws_sdk_dynamodb::types::{PutRequest, WriteRequest};
use axum::http::Method;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use shared::counters::recount::{Difference, Recount};
use shared::keys;
use shared::labels::Label;
use shared::model::Item;
use shared::record::FORK;
use shared::store::{Range, Replaced, Store};
use shared::table::text;
use tokio::runtime::Runtime;

use crate::support::process::{DEADLINE, Server};
use crate::support::records::{ForkKey, START, branch_step, execution, payload, step, time};
use crate::support::{http, token_id};

/// How often the server is killed where nobody asks for more.
const KILLS: usize = 10;

/// After how many kills everything comes to rest. In between the consumers of the stream
/// are killed with what they have yet to do.
const REST_EVERY: usize = 5;

/// How many engines and callers work at a time.
const WORKERS: u64 = 6;

/// The most requests that are acknowledged before a kill.
const MOST_REQUESTS: usize = 250;

/// The longest time from the last of these to the kill.
const MOST_MICROSECONDS: u64 = 20_000;

const TABLE: &str = "flowtrail";
const TEAM: &str = "default";
const MASKING: &str = "/api/settings/masking";

/// What a worker asks, and what it tells the one who kills.
struct Target<'a> {
    store: Store,
    api: String,
    token: String,
    acknowledged: &'a AtomicUsize,
    is_killed: &'a AtomicBool,
}

impl<'a> Target<'a> {
    fn of(server: &Server, acknowledged: &'a AtomicUsize, is_killed: &'a AtomicBool) -> Self {
        let endpoint_url = format!("http://127.0.0.1:{}", server.table_port);
        // Nothing is tried again: an answer that does not come is what is asked for here.
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("local"))
            .credentials_provider(shared::config::local_credentials())
            .endpoint_url(endpoint_url)
            .retry_config(RetryConfig::disabled())
            .build();
        Self {
            store: Store::new(Client::from_conf(config), TABLE),
            api: format!("http://127.0.0.1:{}", server.port),
            token: server.token().to_owned(),
            acknowledged,
            is_killed,
        }
    }

    /// What a request came to: `None` where the server was killed before it answered.
    fn settle<T, E: Debug>(&self, result: Result<T, E>) -> Option<T> {
        match result {
            Ok(answer) => {
                self.acknowledged.fetch_add(1, Ordering::Relaxed);
                Some(answer)
            }
            Err(error) => {
                assert!(
                    self.is_killed.load(Ordering::SeqCst),
                    "not killed: {error:?}"
                );
                None
            }
        }
    }

    /// Asks the API for what has to be answered with one of these statuses.
    fn call(&self, method: Method, path: &str, body: &Value, statuses: &[u16]) -> Option<Value> {
        let url = format!("{}{path}", self.api);
        let answer = self.settle(http::call(method, &url, &self.token, body))?;
        let told = String::from_utf8_lossy(&answer.body);
        assert!(
            statuses.contains(&answer.status),
            "{path}: {}: {told}",
            answer.status
        );
        // To an exporter there is nothing to say.
        Some(serde_json::from_slice(&answer.body).unwrap_or_default())
    }
}

/// What has become of a run, by request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Kept,
    Cancelled,
    PerhapsCancelled,
    Deleted,
    PerhapsDeleted,
}

/// A run, as its engine knows it.
#[derive(Debug)]
struct Run {
    id: String,
    /// The number of the run that started this one, among those of its worker.
    parent: Option<usize>,
    round: usize,
    fate: Fate,
    is_open: bool,
    /// What each item may be, by its sort key: what was acknowledged last, and what was
    /// under way. `None` is no item.
    items: BTreeMap<String, Vec<Option<Item>>>,
    /// A transaction that was under way.
    together: Vec<Item>,
}

impl Run {
    fn execution(&self) -> Item {
        let possible = self.items[keys::EXECUTION].first();
        possible
            .cloned()
            .flatten()
            .expect("an open run has an item")
    }

    /// Notes items as written or, where the answer did not come, as perhaps written.
    fn note(&mut self, items: Vec<Item>, is_acknowledged: bool) {
        for item in items {
            let possible = self
                .items
                .entry(sort_key(&item))
                .or_insert_with(|| vec![None]);
            if is_acknowledged {
                possible.clear();
            }
            possible.push(Some(item));
        }
    }

    /// What is wrong with the items that are there now, by their sort keys.
    fn faults(&self, now: &BTreeMap<String, Item>) -> Vec<String> {
        let is_there = now.contains_key(keys::EXECUTION);
        match (self.fate, is_there) {
            (Fate::Deleted, true) => return vec![format!("{} was deleted", self.id)],
            (Fate::Deleted | Fate::PerhapsDeleted, false) => return Vec::new(),
            _ => {}
        }
        let wrong = self.items.iter().filter(|(sk, possible)| {
            let found = now.get(*sk);
            !possible
                .iter()
                .any(|item| self.is_as_written(item.as_ref(), found))
        });
        let mut faults: Vec<_> = wrong
            .map(|(sk, possible)| {
                format!(
                    "{} {sk}: {:?} is none of {possible:?}",
                    self.id,
                    now.get(sk)
                )
            })
            .collect();
        let is_foreign = |sk: &&String| !self.items.contains_key(*sk) && !keys::is_own_of_run(sk);
        faults.extend(
            now.keys()
                .filter(is_foreign)
                .map(|sk| format!("{} {sk}: nobody wrote it", self.id)),
        );
        let written = |item: &&Item| now.get(&sort_key(item)) == Some(*item);
        let parts = self.together.iter().filter(written).count();
        if parts > 0 && parts < self.together.len() {
            faults.push(format!("{}: {parts} items of a transaction", self.id));
        }
        faults
    }

    /// Whether an item is as its engine wrote it or, of a run that was cancelled, with no
    /// more changed than a cancel does.
    fn is_as_written(&self, written: Option<&Item>, found: Option<&Item>) -> bool {
        let (Some(written), Some(found)) = (written, found) else {
            return written.is_none() && found.is_none();
        };
        if written == found {
            return true;
        }
        let may_be_cancelled = matches!(self.fate, Fate::Cancelled | Fate::PerhapsCancelled);
        may_be_cancelled
            && is_cancelled(found)
            && written
                .iter()
                .all(|(name, value)| name == "status" || found.get(name) == Some(value))
    }
}

fn is_cancelled(execution: &Item) -> bool {
    execution.get("status") == Some(&text("CANCELLED"))
}

/// An engine that is a caller as well, with runs of its own, and what it knows of them.
struct Worker {
    number: u64,
    rng: StdRng,
    round: usize,
    runs: Vec<Run>,
    /// A flow whose deletion was under way at a kill, by its round: it is asked for again.
    undeleted: Option<usize>,
    /// How many spans each trace has.
    traces: BTreeMap<String, usize>,
    /// A trace that was under way at a kill: its exporter sends it again.
    unsent: Option<String>,
    tokens: Vec<String>,
    revoked: Vec<String>,
    /// What the team's settings may be. They are the first worker's to change.
    settings: Vec<Value>,
}

/// The flow of a worker's runs of one round.
fn flow(worker: u64, round: usize) -> String {
    format!("flow-{worker}-{round}")
}

impl Worker {
    fn new(number: u64, seed: u64) -> Self {
        Self {
            number,
            rng: StdRng::seed_from_u64(seed * WORKERS + number),
            round: 0,
            runs: Vec::new(),
            undeleted: None,
            traces: BTreeMap::new(),
            unsent: None,
            tokens: Vec::new(),
            revoked: Vec::new(),
            settings: vec![json!([])],
        }
    }

    /// Works until the server is killed.
    fn work(&mut self, round: usize, target: &Target<'_>) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let runtime = runtime.expect("a runtime");
        self.round = round;
        let mut alive = self.finish(target);
        while alive.is_some() {
            alive = match self.rng.random_range(0..100) {
                0..25 => self.start_run(&runtime, target),
                25..50 => self.write_steps(&runtime, target),
                50..65 => self.beat(&runtime, target),
                65..78 => self.end_run(&runtime, target),
                78..84 => self.cancel(target),
                84..90 => self.delete(target),
                90..94 => self.delete_oldest_flow(target),
                94..95 => self.send_trace(target),
                95..98 => self.make_or_revoke_token(target),
                _ => self.change_settings(target),
            };
        }
    }

    /// Asks again for what was cut off, as callers do.
    fn finish(&mut self, target: &Target<'_>) -> Option<()> {
        if let Some(round) = self.undeleted {
            self.delete_flow(round, target)?;
        }
        if let Some(trace) = self.unsent.clone() {
            self.export(trace, target)?;
        }
        Some(())
    }

    /// A run, and up to two that it starts.
    fn start_run(&mut self, runtime: &Runtime, target: &Target<'_>) -> Option<()> {
        let parent = self.runs.len();
        self.put_run(None, runtime, target)?;
        for _ in 0..self.rng.random_range(0..3) {
            self.put_run(Some(parent), runtime, target)?;
        }
        Some(())
    }

    fn put_run(
        &mut self,
        parent: Option<usize>,
        runtime: &Runtime,
        target: &Target<'_>,
    ) -> Option<()> {
        let number = self.runs.len();
        let id = format!("run-{}-{number}", self.number);
        let item = execution(
            &id,
            json!({
                "teamId": TEAM, "flowId": flow(self.number, self.round), "status": "RUNNING",
                "createdAt": time(number as i64 * 61_000), "endTime": null,
                "labels": {"order": (number % 7).to_string(), "run": id},
                "parentExecutionId": parent.map(|parent| self.runs[parent].id.clone()),
                "executionType": parent.map(|_| "SUBFLOW"),
            }),
        );
        let put = target.store.client().put_item().table_name(TABLE);
        let put = put.set_item(Some(item.clone()));
        let answer = target.settle(runtime.block_on(put.send()));
        let mut run = Run {
            id,
            parent,
            round: self.round,
            fate: Fate::Kept,
            is_open: answer.is_some(),
            items: BTreeMap::new(),
            together: Vec::new(),
        };
        run.note(vec![item], answer.is_some());
        self.runs.push(run);
        answer.map(|_| ())
    }

    /// The number of any of the numbers' runs.
    fn any_of(&mut self, numbers: &[usize]) -> Option<usize> {
        let places = numbers.len();
        (places > 0).then(|| numbers[self.rng.random_range(0..places)])
    }

    /// Any of the runs that are open, which are of this round.
    fn open_run(&mut self) -> Option<usize> {
        let open: Vec<_> = (0..self.runs.len())
            .filter(|number| self.runs[*number].is_open)
            .collect();
        self.any_of(&open)
    }

    /// Steps, a branch's steps and a payload, as one batch.
    fn write_steps(&mut self, runtime: &Runtime, target: &Target<'_>) -> Option<()> {
        let Some(number) = self.open_run() else {
            return Some(());
        };
        let offset = self.runs[number].items.len() as i64 * 1_000;
        let id = self.runs[number].id.clone();
        let name = format!("fork-{offset}");
        let fork = ForkKey {
            execution_id: &id,
            id: &name,
            offset,
        };
        let output = format!("step:{name}:output");
        let mut items = vec![
            step(&id, &name, offset, json!({"stepType": FORK})),
            payload(&id, &output, 0, json!({"value": offset})),
        ];
        for later in 1..self.rng.random_range(2..20) {
            let (name, at) = (format!("step-{offset}-{later}"), offset + later);
            items.push(match self.rng.random() {
                true => step(&id, &name, at, json!({})),
                false => branch_step(&fork, "branch", &name, at, json!({})),
            });
        }
        let request = |item: &Item| {
            let put = PutRequest::builder().set_item(Some(item.clone())).build();
            let put = put.expect("a put");
            WriteRequest::builder().put_request(put).build()
        };
        let batch = target.store.client().batch_write_item();
        let batch = batch.request_items(TABLE, items.iter().map(request).collect());
        let answer = target.settle(runtime.block_on(batch.send()));
        self.runs[number].note(items, answer.is_some());
        let left = answer?.unprocessed_items.unwrap_or_default();
        assert!(left.is_empty(), "the embedded table takes a batch whole");
        Some(())
    }

    /// A sign of life.
    fn beat(&mut self, runtime: &Runtime, target: &Target<'_>) -> Option<()> {
        let Some(number) = self.open_run() else {
            return Some(());
        };
        let at = text(time(self.rng.random_range(0..1_000_000)));
        let run = &mut self.runs[number];
        let mut item = run.execution();
        item.insert("heartbeatAt".to_owned(), at.clone());
        let update = target.store.client().update_item().table_name(TABLE);
        let update = update
            .key("pk", item["pk"].clone())
            .key("sk", item["sk"].clone())
            .update_expression("SET heartbeatAt = :at")
            .expression_attribute_values(":at", at);
        let answer = target.settle(runtime.block_on(update.send()));
        run.note(vec![item], answer.is_some());
        answer.map(|_| ())
    }

    /// The end of a run with its last step and its output, as one transaction.
    fn end_run(&mut self, runtime: &Runtime, target: &Target<'_>) -> Option<()> {
        let Some(number) = self.open_run() else {
            return Some(());
        };
        let status = ["COMPLETED", "FAILED"][self.rng.random_range(0..2)];
        let run = &mut self.runs[number];
        let mut item = run.execution();
        item.insert("status".to_owned(), text(status));
        item.insert("endTime".to_owned(), text(time(2_400)));
        let items = vec![
            item,
            step(&run.id, "last", 500_000, json!({})),
            payload(&run.id, "output", 0, json!({"value": {"of": run.id}})),
        ];
        let put = |item: &Item| {
            let action = target.store.put_action(item.clone(), Replaced::Anything);
            action.expect("a put")
        };
        let transaction = target.store.client().transact_write_items();
        let puts = items.iter().map(put).collect();
        let transaction = transaction.set_transact_items(Some(puts)).send();
        let answer = target.settle(runtime.block_on(transaction));
        run.is_open = false;
        if answer.is_none() {
            run.together.clone_from(&items);
        }
        run.note(items, answer.is_some());
        answer.map(|_| ())
    }

    /// Any run of this round that no other has started, and those that it started.
    fn tree(&mut self, wants_open: bool) -> Vec<usize> {
        let fits = |number: &usize| {
            let run = &self.runs[*number];
            let is_own = run.round == self.round && run.fate == Fate::Kept;
            is_own && run.parent.is_none() && (run.is_open || !wants_open)
        };
        let roots: Vec<_> = (0..self.runs.len()).filter(fits).collect();
        let Some(root) = self.any_of(&roots) else {
            return Vec::new();
        };
        let is_of_tree =
            |number: &usize| *number == root || self.runs[*number].parent == Some(root);
        (root..self.runs.len()).filter(is_of_tree).collect()
    }

    /// Cancels a run, with those below it that are open.
    fn cancel(&mut self, target: &Target<'_>) -> Option<()> {
        let tree = self.tree(true);
        let Some(root) = tree.first() else {
            return Some(());
        };
        let path = format!("/api/executions/{}/cancel", self.runs[*root].id);
        let answer = target.call(Method::POST, &path, &json!({"reason": "a test"}), &[200]);
        for number in tree {
            let run = &mut self.runs[number];
            if run.is_open {
                run.fate = match answer {
                    Some(_) => Fate::Cancelled,
                    None => Fate::PerhapsCancelled,
                };
            }
            run.is_open = false;
        }
        answer.map(|_| ())
    }

    /// Deletes a run, with those below it.
    fn delete(&mut self, target: &Target<'_>) -> Option<()> {
        let tree = self.tree(false);
        let Some(root) = tree.first() else {
            return Some(());
        };
        let id = &self.runs[*root].id;
        let path = format!("/api/history/executions/{id}?cascade=true");
        let answer = target.call(Method::DELETE, &path, &Value::Null, &[200]);
        for number in tree {
            let run = &mut self.runs[number];
            run.is_open = false;
            run.fate = match answer {
                // Those below follow.
                Some(_) if run.parent.is_none() => Fate::Deleted,
                _ => Fate::PerhapsDeleted,
            };
        }
        answer.map(|_| ())
    }

    /// Deletes the runs of an earlier round.
    fn delete_oldest_flow(&mut self, target: &Target<'_>) -> Option<()> {
        let is_left = |run: &&Run| run.fate != Fate::Deleted && run.round < self.round;
        match self.runs.iter().find(is_left).map(|run| run.round) {
            Some(round) => self.delete_flow(round, target),
            None => Some(()),
        }
    }

    fn delete_flow(&mut self, round: usize, target: &Target<'_>) -> Option<()> {
        self.undeleted = Some(round);
        let path = format!("/api/history/executions/flows/{}", flow(self.number, round));
        target.call(Method::DELETE, &path, &Value::Null, &[200, 202])?;
        self.undeleted = None;
        for run in self.runs.iter_mut().filter(|run| run.round == round) {
            run.fate = Fate::Deleted;
        }
        Some(())
    }

    fn send_trace(&mut self, target: &Target<'_>) -> Option<()> {
        let trace = format!("{:08x}{:024x}", self.number + 1, self.traces.len() + 1);
        let spans = self.rng.random_range(1..6);
        self.traces.insert(trace.clone(), spans);
        self.export(trace, target)
    }

    fn export(&mut self, trace: String, target: &Target<'_>) -> Option<()> {
        let span = |number: usize| {
            let parent = if number == 0 { "" } else { "0000000000000001" };
            json!({
                "traceId": trace, "spanId": format!("{:016x}", number + 1), "name": "work",
                "parentSpanId": parent, "kind": 1,
                "startTimeUnixNano": format!("{}000000", START + number as i64),
                "endTimeUnixNano": format!("{}000000", START + 100),
            })
        };
        let spans: Vec<_> = (0..=self.traces[&trace]).map(span).collect();
        let body = json!({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]});
        self.unsent = Some(trace);
        target.call(Method::POST, "/v1/traces", &body, &[200])?;
        self.unsent = None;
        Some(())
    }

    fn make_or_revoke_token(&mut self, target: &Target<'_>) -> Option<()> {
        let Some(token) = self.tokens.pop() else {
            let body = json!({"role": "viewer"});
            let made = target.call(Method::POST, "/api/tokens", &body, &[201])?;
            let secret = made["secret"].as_str().expect("a secret");
            self.tokens.push(secret.to_owned());
            return Some(());
        };
        let path = format!("/api/tokens/{}", token_id(&token));
        target.call(Method::DELETE, &path, &Value::Null, &[200])?;
        self.revoked.push(token);
        Some(())
    }

    /// The settings are the team's, and so the first worker's alone to change.
    fn change_settings(&mut self, target: &Target<'_>) -> Option<()> {
        if self.number > 0 {
            return Some(());
        }
        let names = json!([format!("name{}", self.rng.random_range(0..1_000))]);
        self.settings.push(names.clone());
        let body = json!({"keyNames": names});
        target.call(Method::PUT, MASKING, &body, &[200])?;
        self.settings = vec![names];
        Some(())
    }

    /// What was acknowledged to this worker in the last round, and is not as it was.
    fn faults(&mut self, runtime: &Runtime, target: &Target<'_>) -> Vec<String> {
        let mut faults = Vec::new();
        for run in self.runs.iter_mut().filter(|run| run.round == self.round) {
            let range = Range::of_partition(format!("EXEC#{}", run.id), "", None).latest();
            let items = runtime.block_on(target.store.all(&range)).expect("read");
            let items = items.into_iter().map(|item| (sort_key(&item), item));
            faults.extend(run.faults(&items.collect()));
            // Nobody writes to the runs of an earlier round.
            run.is_open = false;
        }
        let status = |token: &&String| {
            let url = format!("{}/api/caller", target.api);
            http::get(&url, token).status
        };
        let lost = self.tokens.iter().filter(|token| status(token) != 200);
        faults.extend(lost.map(|token| format!("the token {} is lost", token_id(token))));
        let again = self.revoked.iter().filter(|token| status(token) != 401);
        faults.extend(again.map(|token| format!("the token {} works again", token_id(token))));
        self.revoked.clear();
        if self.number == 0 {
            let answer = http::get(&format!("{}{MASKING}", target.api), &target.token);
            let names = answer.json()["settings"]["keyNames"].take();
            if !self.settings.contains(&names) {
                faults.push(format!("{names} is none of {:?}", self.settings));
            }
            self.settings = vec![names];
        }
        faults
    }

    /// What has yet to follow from this worker's requests, or never will. Takes its
    /// partitions out of those that there are.
    fn unfinished(&self, partitions: &mut Partitions) -> Vec<String> {
        let mut faults = Vec::new();
        // Of a deletion that was under way, whether runs are there, and whether some are gone.
        let mut of_undeleted = BTreeSet::new();
        for run in &self.runs {
            let items = partitions
                .remove(&format!("EXEC#{}", run.id))
                .unwrap_or_default();
            faults.extend(self.unfinished_of(run, &items));
            let stays = !matches!(run.fate, Fate::Deleted | Fate::PerhapsDeleted);
            if stays && !run.items[keys::EXECUTION].contains(&None) {
                if self.undeleted == Some(run.round) {
                    of_undeleted.insert(items.is_empty());
                } else if items.is_empty() {
                    faults.push(format!("{} is lost", run.id));
                }
            }
        }
        if of_undeleted.len() == 2 {
            faults.push(format!(
                "a flow of worker {} is deleted in part",
                self.number
            ));
        }
        for (trace, spans) in &self.traces {
            let items = partitions.remove(&format!("EXEC#{TEAM}:{trace}"));
            let items = items.unwrap_or_default();
            let steps = items
                .keys()
                .filter(|sk| sk.starts_with(keys::STEPS))
                .count();
            let is_sent = self.unsent.as_ref() != Some(trace);
            if is_sent && (steps != *spans || !items.contains_key(keys::EXECUTION)) {
                faults.push(format!("the trace {trace} has {steps} of {spans} steps"));
            }
        }
        faults
    }

    fn unfinished_of(&self, run: &Run, items: &BTreeMap<String, Item>) -> Vec<String> {
        let id = &run.id;
        let Some(execution) = items.get(keys::EXECUTION) else {
            let count = items.len();
            let orphans = (count > 0).then(|| format!("{id} has {count} items and no run"));
            return orphans.into_iter().collect();
        };
        let mut faults = run.faults(items);
        let parent = run.parent.map(|parent| &self.runs[parent]);
        if run.fate == Fate::Cancelled && !is_cancelled(execution) {
            faults.push(format!("{id} is not cancelled"));
        }
        if run.fate == Fate::PerhapsDeleted && parent.is_some_and(|run| run.fate == Fate::Deleted) {
            faults.push(format!("{id} is below a run that was deleted"));
        }
        faults
    }
}

/// The items of the table by their sort keys, by their partitions.
type Partitions = BTreeMap<String, BTreeMap<String, Item>>;

fn sort_key(item: &Item) -> String {
    keys::sort_key(item).expect("a sort key").to_owned()
}

fn partitions(runtime: &Runtime, store: &Store) -> Partitions {
    let (mut partitions, mut start) = (Partitions::new(), None);
    loop {
        let page = runtime.block_on(store.scan(start)).expect("read");
        for item in page.items {
            let pk = item["pk"].as_s().expect("a text").clone();
            let items = partitions.entry(pk).or_default();
            items.insert(sort_key(&item), item);
        }
        start = page.last_key;
        if start.is_none() {
            return partitions;
        }
    }
}

/// What has yet to be done, or never will be: what lies in the partitions of deleted
/// runs, cancels of the runs below, entries of labels, and counts.
fn unfinished(workers: &[Worker], runtime: &Runtime, store: &Store) -> Vec<String> {
    let mut runs = partitions(runtime, store);
    let mut labels = runs.clone();
    runs.retain(|pk, _| pk.starts_with(keys::EXECUTION_PREFIX));
    labels.retain(|pk, _| pk.starts_with("LABEL#"));
    let mut faults = wrong_entries(&runs, &labels);
    for worker in workers {
        faults.extend(worker.unfinished(&mut runs));
    }
    faults.extend(
        runs.keys()
            .map(|pk| format!("{pk} is of no run that anybody wrote")),
    );
    let recount = Recount {
        team_id: None,
        settle: Duration::ZERO,
    };
    let report = runtime.block_on(recount.verify(store, &|_| {}));
    let differences = report.expect("counted").differences;
    faults.extend(differences.iter().flat_map(Difference::lines));
    faults
}

/// Entries of labels that are missing, of no run, or not as their runs are.
fn wrong_entries(runs: &Partitions, entries: &Partitions) -> Vec<String> {
    let mut expected = BTreeMap::new();
    for execution in runs.values().filter_map(|items| items.get(keys::EXECUTION)) {
        let attribute = |name: &str| execution[name].as_s().expect("a text");
        let sk = keys::label_entry(attribute("createdAt"), attribute("executionId"));
        let labels = execution
            .get("labels")
            .and_then(|labels| labels.as_m().ok());
        for (name, value) in labels.into_iter().flatten() {
            let label = Label::new(name, value.as_s().expect("a text")).expect("a label");
            let pk = keys::label_partition(TEAM, &label);
            expected.insert((pk, sk.clone()), &execution["status"]);
        }
    }
    let mut faults = Vec::new();
    for (pk, items) in entries {
        for (sk, entry) in items {
            let status = expected.remove(&(pk.clone(), sk.clone()));
            if status != entry.get("status") {
                faults.push(format!(
                    "the entry {pk} {sk} is of a run that is {status:?}"
                ));
            }
        }
    }
    let missing = expected.into_keys();
    faults.extend(missing.map(|(pk, sk)| format!("{pk} has no entry {sk}")));
    faults
}

/// Puts a load on a server, and kills it in the middle. Returns how many requests it has
/// acknowledged.
fn load_and_kill(server: Server, workers: &mut [Worker], round: usize, rng: &mut StdRng) -> usize {
    let acknowledged = AtomicUsize::new(0);
    let is_killed = AtomicBool::new(false);
    let wanted = rng.random_range(0..MOST_REQUESTS);
    let later = Duration::from_micros(rng.random_range(0..MOST_MICROSECONDS));
    std::thread::scope(|scope| {
        for worker in workers {
            let target = Target::of(&server, &acknowledged, &is_killed);
            scope.spawn(move || worker.work(round, &target));
        }
        let deadline = Instant::now() + DEADLINE;
        while acknowledged.load(Ordering::Relaxed) < wanted {
            assert!(Instant::now() < deadline, "nothing is acknowledged");
            std::thread::yield_now();
        }
        // Not a wait for anything: every moment is one to be killed at.
        std::thread::sleep(later);
        is_killed.store(true, Ordering::SeqCst);
        server.kill();
    });
    acknowledged.into_inner()
}

/// Waits until nothing is unfinished.
fn rest(workers: &[Worker], runtime: &Runtime, store: &Store) {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let unfinished = unfinished(workers, runtime, store);
        if unfinished.is_empty() {
            return;
        }
        let told = unfinished.iter().take(20).map(String::as_str);
        let told: Vec<_> = told.collect();
        assert!(Instant::now() < deadline, "it never ends: {told:#?}");
    }
}

/// A number from the environment.
fn asked_for(variable: &str) -> Option<usize> {
    let number = std::env::var(variable).ok()?;
    Some(number.parse().expect("a number"))
}

#[test]
fn killed_at_any_moment_it_loses_nothing_and_ends_what_it_began() {
    let kills = asked_for("FLOWTRAIL_TEST_KILLS").unwrap_or(KILLS);
    let seed = asked_for("FLOWTRAIL_TEST_SEED").unwrap_or(1) as u64;
    let began = Instant::now();
    let folder = tempfile::tempdir().expect("a folder");
    let runtime = Runtime::new().expect("a runtime");
    let mut rng = StdRng::seed_from_u64(seed);
    let mut workers: Vec<_> = (0..WORKERS)
        .map(|number| Worker::new(number, seed))
        .collect();
    let mut acknowledged = 0;
    let mut server = Server::start(folder.path(), &["--no-demo"]);
    for kill in 1..=kills {
        acknowledged += load_and_kill(server, &mut workers, kill, &mut rng);
        server = Server::start(folder.path(), &["--no-demo"]);
        let quiet = (AtomicUsize::new(0), AtomicBool::new(false));
        let target = Target::of(&server, &quiet.0, &quiet.1);
        for worker in &mut workers {
            let faults = worker.faults(&runtime, &target);
            assert_eq!(faults, [""; 0], "after {kill} kills");
        }
        if kill % REST_EVERY == 0 || kill == kills {
            rest(&workers, &runtime, &target.store);
        }
    }
    server.kill();
    let file = folder.path().join(".flowtrail/flowtrail.db");
    let connection = rusqlite::Connection::open(file).expect("a database");
    let integrity = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0));
    assert_eq!(integrity, Ok("ok".to_owned()));
    let runs: usize = workers.iter().map(|worker| worker.runs.len()).sum();
    eprintln!(
        "{acknowledged} acknowledged requests, {runs} runs, {kills} kills in {} s",
        began.elapsed().as_secs()
    );
}
