//! The checks after a kill.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use shared::counters::recount::{Difference, NoConsumer, Recount};
use shared::keys;
use shared::label::Label;
use shared::model::Item;
use shared::store::{Range, Store};
use tokio::runtime::Runtime;

use super::run::{Fate, Run, is_cancelled};
use super::target::Target;
use super::worker::Worker;
use super::{MASKING, TEAM};
use crate::support::{http, token_id};

impl Worker {
    /// The differences between what was acknowledged in the last round and what is stored.
    pub(super) fn faults(&mut self, runtime: &Runtime, target: &Target<'_>) -> Vec<String> {
        let mut faults = Vec::new();
        for run in self.runs.iter_mut().filter(|run| run.round == self.round) {
            let range = Range::of_partition(format!("EXEC#{}", run.id), "", None).latest();
            let items = runtime.block_on(target.store.all(&range)).expect("read");
            let items = items.into_iter().map(|item| (sort_key(&item), item));
            faults.extend(run.faults(&items.collect()));
            // The runs of an earlier round are not written again.
            run.is_open = false;
        }
        faults.extend(self.token_faults(target));
        if self.number == 0 {
            faults.extend(self.settings_fault(target));
        }
        faults
    }

    /// The tokens that are lost, or that work after they were revoked.
    fn token_faults(&mut self, target: &Target<'_>) -> Vec<String> {
        let status = |token: &&String| {
            let url = format!("{}/api/caller", target.api);
            http::get(&url, token).status
        };
        let mut faults = Vec::new();
        let lost = self.tokens.iter().filter(|token| status(token) != 200);
        faults.extend(lost.map(|token| format!("the token {} is lost", token_id(token))));
        let again = self.revoked.iter().filter(|token| status(token) != 401);
        faults.extend(again.map(|token| format!("the token {} works again", token_id(token))));
        self.revoked.clear();
        faults
    }

    /// The settings, if they are not one of the possible values.
    fn settings_fault(&mut self, target: &Target<'_>) -> Option<String> {
        let answer = http::get(&format!("{}{MASKING}", target.api), &target.token);
        let names = answer.json()["settings"]["keyNames"].take();
        let is_possible = self.settings.contains(&names);
        let fault = (!is_possible).then(|| format!("{names} is not one of {:?}", self.settings));
        self.settings = vec![names];
        fault
    }

    /// The unfinished work of this worker's requests. Removes its partitions from the map.
    fn unfinished(&self, partitions: &mut Partitions) -> Vec<String> {
        let mut faults = Vec::new();
        // Whether the runs of an interrupted deletion are deleted: `true`, `false`, or both.
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
                "a flow of worker {} is partly deleted",
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

    /// The unfinished work on one run, according to the items of its partition.
    fn unfinished_of(&self, run: &Run, items: &BTreeMap<String, Item>) -> Vec<String> {
        let id = &run.id;
        let Some(execution) = items.get(keys::EXECUTION) else {
            let count = items.len();
            let orphans = (count > 0).then(|| format!("{id} has {count} items without a run"));
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

/// The items of the table, by partition and sort key.
type Partitions = BTreeMap<String, BTreeMap<String, Item>>;

pub(super) fn sort_key(item: &Item) -> String {
    keys::sort_key(item).expect("a sort key").to_owned()
}

fn partitions(runtime: &Runtime, store: &Store) -> Partitions {
    let mut partitions = Partitions::new();
    for item in runtime.block_on(store.scan().all()).expect("read") {
        let pk = item["pk"].as_s().expect("a text").clone();
        let items = partitions.entry(pk).or_default();
        items.insert(sort_key(&item), item);
    }
    partitions
}

/// The unfinished work: records of deleted runs, cancellations of the runs below a run,
/// entries of labels, and counts.
pub(super) fn unfinished(workers: &[Worker], runtime: &Runtime, store: &Store) -> Vec<String> {
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
            .map(|pk| format!("{pk} belongs to no run of a worker")),
    );
    let recount = Recount {
        team_id: None,
        settle: Duration::ZERO,
    };
    let report = runtime.block_on(recount.verify(store, &NoConsumer, &|_| {}));
    let differences = report.expect("counted").differences;
    faults.extend(differences.iter().flat_map(Difference::lines));
    faults
}

/// Entries of labels that are missing, have no run, or differ from their run.
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
                    "the entry {pk} {sk} belongs to a run with status {status:?}"
                ));
            }
        }
    }
    let missing = expected.into_keys();
    faults.extend(missing.map(|(pk, sk)| format!("{pk} has no entry {sk}")));
    faults
}
