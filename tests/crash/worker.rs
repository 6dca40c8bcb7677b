//! The workers, and what they write as engines.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{PutRequest, WriteRequest};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use shared::attributes::text;
use shared::model::Item;
use shared::record::FORK;
use shared::store::Write;
use tokio::runtime::Runtime;

use super::run::{Fate, Run};
use super::target::Target;
use super::{TABLE, TEAM, WORKERS};
use crate::support::records::{ForkKey, branch_step, execution, payload, step, time};

/// An engine and caller with its own runs, and what it knows about them.
pub(super) struct Worker {
    pub(super) number: u64,
    pub(super) rng: StdRng,
    pub(super) round: usize,
    pub(super) runs: Vec<Run>,
    /// The round of a flow whose deletion a kill interrupted. It is requested again.
    pub(super) undeleted: Option<usize>,
    /// The number of spans of each trace.
    pub(super) traces: BTreeMap<String, usize>,
    /// A trace whose export a kill interrupted. It is sent again.
    pub(super) unsent: Option<String>,
    pub(super) tokens: Vec<String>,
    pub(super) revoked: Vec<String>,
    /// The possible settings of the team. Only the first worker changes them.
    pub(super) settings: Vec<Value>,
}

/// The flow of a worker's runs in one round.
pub(super) fn flow(worker: u64, round: usize) -> String {
    format!("flow-{worker}-{round}")
}

impl Worker {
    pub(super) fn new(number: u64, seed: u64) -> Self {
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
    pub(super) fn work(&mut self, round: usize, target: &Target<'_>) {
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
                50..65 => self.write_heartbeat(&runtime, target),
                65..78 => self.end_run(&runtime, target),
                78..84 => self.cancel(target),
                84..90 => self.delete(target),
                90..94 => self.delete_oldest_flow(target),
                94..95 => self.send_trace(target),
                95..98 => self.create_or_revoke_token(target),
                _ => self.change_settings(target),
            };
        }
    }

    /// Repeats the requests that a kill interrupted, as callers do.
    fn finish(&mut self, target: &Target<'_>) -> Option<()> {
        if let Some(round) = self.undeleted {
            self.delete_flow(round, target)?;
        }
        if let Some(trace) = self.unsent.clone() {
            self.export(trace, target)?;
        }
        Some(())
    }

    /// Writes a run, and up to two that it starts.
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

    /// One of the numbers, at random.
    pub(super) fn any_of(&mut self, numbers: &[usize]) -> Option<usize> {
        let places = numbers.len();
        (places > 0).then(|| numbers[self.rng.random_range(0..places)])
    }

    /// The number of an open run, at random. Open runs are of this round.
    fn open_run(&mut self) -> Option<usize> {
        let open: Vec<_> = (0..self.runs.len())
            .filter(|number| self.runs[*number].is_open)
            .collect();
        self.any_of(&open)
    }

    /// Writes steps, the steps of a branch, and a payload in one batch.
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
        assert!(left.is_empty(), "the embedded table writes whole batches");
        Some(())
    }

    /// Writes a heartbeat.
    fn write_heartbeat(&mut self, runtime: &Runtime, target: &Target<'_>) -> Option<()> {
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

    /// Ends a run with its last step and its output in one transaction.
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
        let puts = items.iter().cloned().map(Write::put).collect();
        let transaction = target.store.transact(puts);
        let answer = target.settle(runtime.block_on(transaction));
        run.is_open = false;
        if answer.is_none() {
            run.together.clone_from(&items);
        }
        run.note(items, answer.is_some());
        answer.map(|_| ())
    }
}
