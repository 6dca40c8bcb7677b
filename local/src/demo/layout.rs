//! Lays out runs of the demo's flows in time.

use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::{Map, Value, json};
use uuid::Builder;

use super::flows::{BranchPlan, Flow, Hours, Node, Version};
use super::plan::{Ending, Plan, PlannedPosition, PlannedStep, object};

const HOUR_MS: i64 = 3_600_000;

impl Flow {
    /// Returns a random time of day at which the flow starts, in milliseconds after
    /// midnight.
    pub(super) fn time_of_day(&self, random: &mut StdRng) -> i64 {
        let any_time = |random: &mut StdRng| random.random_range(0..24 * HOUR_MS);
        match self.hours {
            Hours::Always => any_time(random),
            Hours::At(hour) => hour * HOUR_MS + random.random_range(0..60_000),
            // The mean of three random times is usually near the middle.
            Hours::Office => (any_time(random) + any_time(random) + any_time(random)) / 3 + HOUR_MS,
        }
    }

    /// Lays out a run that is requested at `at`, and the runs that it starts.
    pub(super) fn plan(&self, random: &mut StdRng, at: i64) -> Vec<Plan> {
        let subject = subject(self.id, random);
        self.plan_about(subject, random, at)
    }

    fn plan_about(&self, subject: Value, random: &mut StdRng, at: i64) -> Vec<Plan> {
        let mut layout = Layout {
            random,
            steps: Vec::new(),
            started: Vec::new(),
            subject: &subject,
        };
        let execution_id = layout.id();
        let created = at;
        let start = created + layout.random.random_range(20..400);
        let (mut end, failure) =
            layout.nodes(self.nodes, start, &PlannedPosition::Top, &execution_id);
        let mut outcome = failure.map_or(Ending::Completed, Ending::Failed);
        let is_cancelled = layout.random.random_range(0..100) < self.cancelled_percent;
        if is_cancelled && outcome == Ending::Completed {
            end = start + (end - start) / 2;
            outcome = Ending::Cancelled;
            layout.cut_off(end);
        }
        let Layout { steps, started, .. } = layout;
        let own = Plan {
            execution_id,
            attributes: self.attributes(&subject),
            created,
            start,
            end,
            outcome,
            steps,
            input: subject,
        };
        [vec![own], started].concat()
    }

    /// Returns the attributes of a run that do not change.
    fn attributes(&self, subject: &Value) -> Map<String, Value> {
        let mut attributes = object(json!({
            "teamId": "default",
            "flowId": self.id,
            "flowName": self.name,
            "flowVersion": match self.version {
                Version::Number(number) => json!(number),
                Version::Text(text) => json!(text),
            },
            "executionType": "PARENT",
            "trigger": self.trigger,
            // By this label the engine recognizes the runs that an ended server left open.
            "labels": {"source": "demo"},
        }));
        if let Some(order) = subject.get("orderId") {
            attributes["labels"]["orderId"] = order.to_string().into();
        }
        if let Some(device) = subject.get("deviceId") {
            attributes.insert("deviceId".to_owned(), device.clone());
        }
        attributes
    }
}

/// Returns a random subject of a run, which is also its input.
fn subject(flow_id: &str, random: &mut StdRng) -> Value {
    const CUSTOMERS: [&str; 5] = ["Acme Corp", "Globex", "Initech", "Hooli", "Müller & Söhne"];
    const DEVICES: [&str; 6] = [
        "pixel-9",
        "pixel-7a",
        "iphone-16",
        "iphone-13-mini",
        "galaxy-s25",
        "fairphone-5",
    ];
    let mut pick = |limit: usize| random.random_range(0..limit);
    match flow_id {
        "order-pipeline" => json!({
            "orderId": 100_000 + pick(900_000),
            "customer": CUSTOMERS[pick(CUSTOMERS.len())],
            "total": (pick(50_000) as f64) / 100.0,
            "currency": "EUR",
            "lines": [{"sku": format!("SKU-{}", 1_000 + pick(9_000)), "quantity": 1 + pick(5)}],
        }),
        "device-smoke-test" => json!({
            "deviceId": DEVICES[pick(DEVICES.len())],
            "build": format!("7.{}.{}", pick(9), pick(40)),
            "expectedTotal": format!("{}.{:02}", 10 + pick(190), pick(100)),
        }),
        "invoice-import" => json!({
            "supplier": 88_000 + pick(400),
            "file": format!("invoices-{:05}.csv", pick(100_000)),
        }),
        "video-archive" => json!({
            "file": format!("tape-{:04}.mov", pick(10_000)),
            "minutes": 20 + pick(100),
        }),
        _ => json!({"regions": ["EMEA", "APAC", "AMER"]}),
    }
}

/// Replaces each `{name}` in the message with the subject's member of that name.
fn fill(message: &str, subject: &Value) -> String {
    let mut filled = String::new();
    let mut rest = message;
    while let Some((before, after)) = rest.split_once('{')
        && let Some((name, after)) = after.split_once('}')
    {
        filled += before;
        match member(subject, name) {
            Some(Value::String(text)) => filled += text,
            Some(value) => filled += &value.to_string(),
            None => {}
        }
        rest = after;
    }
    filled + rest
}

/// Returns the first member of that name, at any depth.
fn member<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    match value {
        Value::Object(members) => members
            .get(name)
            .or_else(|| members.values().find_map(|value| member(value, name))),
        Value::Array(elements) => elements.iter().find_map(|value| member(value, name)),
        _ => None,
    }
}

/// A run that is being laid out.
struct Layout<'a> {
    random: &'a mut StdRng,
    steps: Vec<PlannedStep>,
    started: Vec<Plan>,
    subject: &'a Value,
}

impl Layout<'_> {
    /// Lays out nodes one after another, up to the first failure. Returns when the last of
    /// them ends, and its failure.
    fn nodes(
        &mut self,
        nodes: &'static [Node],
        start: i64,
        position: &PlannedPosition,
        execution_id: &str,
    ) -> (i64, Option<String>) {
        let mut clock = start;
        for (index, node) in nodes.iter().enumerate() {
            let (end, failure) = self.node(node, clock, position, execution_id);
            if failure.is_some() {
                self.skip(&nodes[index + 1..], end, position);
                return (end, failure);
            }
            clock = end + self.random.random_range(2..40);
        }
        (clock, None)
    }

    fn node(
        &mut self,
        node: &'static Node,
        start: i64,
        position: &PlannedPosition,
        execution_id: &str,
    ) -> (i64, Option<String>) {
        match node {
            Node::Step { .. } => self.step(node, start, position),
            Node::Fork { branches, .. } => self.fork(node, branches, start, position, execution_id),
            Node::Subflow { flow, region, .. } => {
                let subject = json!({"region": region});
                self.subflow(node, flow, subject, start, position, execution_id)
            }
        }
    }

    fn step(
        &mut self,
        node: &'static Node,
        start: i64,
        position: &PlannedPosition,
    ) -> (i64, Option<String>) {
        let mut step = self.successful_step(node, start, position);
        if let Node::Step {
            mean_ms,
            fails,
            kind,
            ..
        } = node
        {
            let (percent, words) = fails;
            step.end = start + self.random.random_range(mean_ms / 2..mean_ms * 2).max(1);
            if self.random.random_range(0..100) < *percent {
                let words = words[self.random.random_range(0..words.len())];
                step.outcome = Ending::Failed(fill(words, self.subject));
                step.retry_count = 2;
            } else if *kind == "HTTP_REQUEST" {
                step.retry_count = u32::from(self.random.random_range(0..20) == 0);
            }
        }
        self.finish(step)
    }

    fn fork(
        &mut self,
        node: &'static Node,
        branches: &'static [BranchPlan],
        start: i64,
        position: &PlannedPosition,
        execution_id: &str,
    ) -> (i64, Option<String>) {
        let mut fork = self.successful_step(node, start, position);
        let position = self.steps.len();
        let mut failure = None;
        self.steps.push(fork.clone());
        for branch in branches {
            let position = PlannedPosition::Branch {
                fork_id: fork.step_instance_id.clone(),
                fork_start: start,
                branch_execution_id: self.id(),
                branch_id: branch.id,
            };
            let (end, branch_failure) =
                self.nodes(branch.nodes, start + 5, &position, execution_id);
            fork.end = fork.end.max(end);
            failure = failure.or(branch_failure);
        }
        fork.output = json!({"branches": branches.len()});
        if let Some(failure) = &failure {
            fork.outcome = Ending::Failed(format!("A branch has failed. {failure}"));
        }
        let end = fork.end;
        self.steps[position] = fork;
        (end, failure)
    }

    fn subflow(
        &mut self,
        node: &'static Node,
        flow: &'static Flow,
        subject: Value,
        start: i64,
        position: &PlannedPosition,
        execution_id: &str,
    ) -> (i64, Option<String>) {
        let mut step = self.successful_step(node, start, position);
        step.input = subject.clone();
        let mut plans = flow.plan_about(subject, self.random, start + 10);
        if let Some(plan) = plans.first_mut() {
            plan.attributes.extend(object(json!({
                "executionType": "SUBFLOW",
                "parentExecutionId": execution_id,
                "parentStepInstanceId": step.step_instance_id,
            })));
            step.end = plan.end + 15;
            step.outcome = plan.outcome.clone();
            step.subflow_execution_id = Some(plan.execution_id.clone());
        }
        self.started.append(&mut plans);
        self.finish(step)
    }

    /// Creates a step that completes at the time at which it starts.
    fn successful_step(
        &mut self,
        node: &'static Node,
        start: i64,
        position: &PlannedPosition,
    ) -> PlannedStep {
        let (step_id, name, kind) = match *node {
            Node::Step { id, name, kind, .. } => (id, name, kind),
            Node::Fork { id, name, .. } => (id, name, "PARALLEL_FORK_MANAGER"),
            Node::Subflow { id, name, .. } => (id, name, "SUBFLOW"),
        };
        PlannedStep {
            position: position.clone(),
            step_instance_id: self.id(),
            step_id,
            name,
            kind,
            start,
            end: start,
            outcome: Ending::Completed,
            retry_count: 0,
            input: self.subject.clone(),
            output: json!({"ok": true, "by": step_id}),
            subflow_execution_id: None,
        }
    }

    /// Adds a step. Returns when it ends, and its failure.
    fn finish(&mut self, step: PlannedStep) -> (i64, Option<String>) {
        let failure = match &step.outcome {
            Ending::Failed(words) => Some(format!("{}: {words}", step.name)),
            _ => None,
        };
        let end = step.end;
        self.steps.push(step);
        (end, failure)
    }

    /// Adds the steps that are skipped after a failure.
    fn skip(&mut self, nodes: &'static [Node], at: i64, position: &PlannedPosition) {
        for node in nodes {
            let mut step = self.successful_step(node, at, position);
            step.outcome = Ending::Skipped;
            (step.input, step.output) = (Value::Null, Value::Null);
            self.steps.push(step);
        }
    }

    /// Ends every step at `end` at the latest, as a cancellation does.
    fn cut_off(&mut self, end: i64) {
        self.steps.retain(|step| step.start < end);
        for step in self.steps.iter_mut().filter(|step| step.end > end) {
            step.end = end;
            step.outcome = Ending::Cancelled;
        }
    }

    fn id(&mut self) -> String {
        Builder::from_random_bytes(self.random.random())
            .into_uuid()
            .to_string()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rand::SeedableRng;

    use super::super::flows;
    use super::*;

    fn plans() -> Vec<Plan> {
        let mut random = StdRng::seed_from_u64(1);
        let flows = flows::ALL.iter().cycle().take(2_000);
        flows.flat_map(|flow| flow.plan(&mut random, 0)).collect()
    }

    /// Returns the words that name a thing: articles, files, amounts, numbers of orders and
    /// suppliers.
    fn things(message: &str) -> Vec<String> {
        let words =
            message.split(|letter: char| letter.is_whitespace() || ",:\"()".contains(letter));
        let words = words.map(|word| {
            word.trim_start_matches("sftp-")
                .trim_end_matches(".example")
        });
        let is_thing = |word: &&str| {
            word.contains("SKU-")
                || word.contains(".csv")
                || word.contains(".mov")
                || (word.len() >= 5 && word.bytes().all(|byte| byte.is_ascii_digit()))
        };
        words.filter(is_thing).map(str::to_owned).collect()
    }

    #[test]
    fn error_messages_name_values_of_the_input() {
        let mut named = BTreeSet::new();
        for plan in plans() {
            let Ending::Failed(message) = &plan.outcome else {
                continue;
            };
            assert!(!message.contains(['{', '}']), "{message}");
            let input = plan.input.to_string();
            // The frame number at which the encoder stopped is not part of the input.
            for thing in things(message).iter().filter(|thing| *thing != "40211") {
                assert!(input.contains(thing.as_str()), "{message}: {input}");
                named.insert(plan.attributes["flowId"].to_string());
            }
        }
        assert_eq!(named.len(), 3, "{named:?}");
    }

    #[test]
    fn each_sub_flow_has_its_own_region() {
        for plan in plans() {
            if plan.attributes["flowId"] != "nightly-report" {
                continue;
            }
            let inputs: BTreeSet<_> = plan
                .steps
                .iter()
                .filter(|step| step.subflow_execution_id.is_some())
                .map(|step| (step.step_id, step.input.to_string()))
                .collect();
            for (step_id, input) in &inputs {
                assert_eq!(
                    input.to_lowercase(),
                    format!("{{\"region\":\"{step_id}\"}}")
                );
            }
        }
    }
}
