//! What spans mean, by profiles: those of the caller's team, and the built-in ones. Each file in
//! `profiles` is the profile of one instrumentation, written after spans that it really sent.
//!
//! A span may match several profiles, such as the profile of a library and the one of the
//! conventions that the library follows. For each property, the first profile that knows it
//! decides, and inside a profile the first rule. A team's profiles are before the built-in ones.
//!
//! A team may send any profile and any span. So the time for a rule does not depend on the length
//! of a span's attributes, and a meaning has a limited size.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use format::model::StepStatus;
use format::record::shortened;
use serde_json::Value;
use team::profiles::{PayloadAttribute, Profile, Retries, SpanCondition, SpanRule};

use super::Span;

/// The most bytes of the value of a label.
pub(super) const MAX_LABEL_BYTES: usize = 256;

/// The most labels that are known of a span, the first ones by name. A run has no more.
const MAX_LABELS: usize = derived::labels::MAX_SEARCHED_LABELS;

/// The most ids of a run that are known of a span.
const MAX_RUNS: usize = 8;

/// The longest id of a run, in bytes. Other texts are no ids.
const MAX_RUN_BYTES: usize = 256;

/// The longest name of a model, in bytes.
const MAX_MODEL_BYTES: usize = 256;

/// The built-in profiles, in the order in which they decide: those of libraries before those of
/// conventions.
static PROFILES: LazyLock<Vec<Profile>> = LazyLock::new(|| {
    let parse = |(name, text): &(&str, &str)| match serde_json::from_str(text) {
        Ok(profile) => profile,
        // A test parses all of them.
        Err(error) => panic!("the profile {name} is not valid: {error}"),
    };
    FILES.iter().map(parse).collect()
});

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../profiles/", $name, ".json")))),*]
    };
}

const FILES: &[(&str, &str)] = files![
    "airflow",
    "celery",
    "dbos",
    "prefect",
    "temporal",
    "temporal-names",
    "ai-sdk",
    "pydantic-ai",
    "openinference",
    "gen-ai",
];

/// What the profiles know about a span.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Meaning {
    /// Whether the span is the run of its trace.
    pub(super) is_run: bool,
    /// Whether the span decides about the status of the run if it ends after the root.
    pub(super) decides: bool,
    /// The ids of its run that other traces of the run have as well.
    pub(super) runs: Vec<String>,
    pub(super) model: Option<String>,
    pub(super) input_tokens: Option<u64>,
    pub(super) output_tokens: Option<u64>,
    pub(super) flow_id: Option<String>,
    pub(super) flow_name: Option<String>,
    pub(super) step_id: Option<String>,
    pub(super) step_name: Option<String>,
    pub(super) step_type: Option<String>,
    pub(super) status: Option<StepStatus>,
    pub(super) error: Option<String>,
    pub(super) retry_count: Option<u64>,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) input: Option<PayloadAttribute>,
    pub(super) output: Option<PayloadAttribute>,
}

impl Meaning {
    /// Finds the meaning of a span by the profiles of its team and the built-in ones.
    pub(super) fn of_span(span: &Span, team: &[Profile]) -> Self {
        let mut meaning = Self::default();
        let profiles = team.iter().chain(PROFILES.iter());
        for profile in profiles.filter(|profile| is_for(profile, span)) {
            meaning.add(profile, span);
        }
        meaning
    }

    fn add(&mut self, profile: &Profile, span: &Span) {
        for rule in &profile.spans {
            if let Some(captured) = capture(&rule.when, span) {
                self.add_rule(rule, |placeholder| match placeholder {
                    "*" => Some(Cow::Borrowed(captured)),
                    name => span.scalar(name),
                });
            }
        }
        for (label, attributes) in &profile.labels {
            if let Some(value) = attributes.iter().find_map(|name| span.scalar(name)) {
                let value = || shortened(&value, MAX_LABEL_BYTES);
                self.labels.entry(label.clone()).or_insert_with(value);
            }
        }
        while self.labels.len() > MAX_LABELS {
            self.labels.pop_last();
        }
        let find = |attributes: &[PayloadAttribute]| {
            let mut attributes = attributes.iter();
            attributes.find(|it| span.has(&it.attribute)).cloned()
        };
        self.input = self.input.take().or_else(|| find(&profile.input));
        self.output = self.output.take().or_else(|| find(&profile.output));
        let error = || profile.errors.iter().find_map(|name| span.scalar(name));
        self.error = self.error.take().or_else(|| Some(error()?.into_owned()));
        let retries = || profile.retries.iter().find_map(|it| count(it, span));
        self.retry_count = self.retry_count.or_else(retries);
        for run in profile.runs.iter().filter_map(|it| span.own_scalar(it)) {
            let is_new = run.len() <= MAX_RUN_BYTES && !self.runs.iter().any(|it| *it == run);
            if is_new && self.runs.len() < MAX_RUNS {
                self.runs.push(run.into_owned());
            }
        }
        let text = |names: &[String]| names.iter().find_map(|name| span.own_scalar(name));
        let number = |names: &[String]| text(names)?.parse().ok();
        let usage = &profile.usage;
        let model = || Some(shortened(&text(&usage.model)?, MAX_MODEL_BYTES));
        self.model = self.model.take().or_else(model);
        self.input_tokens = self.input_tokens.or_else(|| number(&usage.input_tokens));
        self.output_tokens = self.output_tokens.or_else(|| number(&usage.output_tokens));
    }

    fn add_rule<'t>(&mut self, rule: &SpanRule, text_of: impl Fn(&str) -> Option<Cow<'t, str>>) {
        self.is_run |= rule.is_run;
        self.decides |= rule.decides;
        self.status = self.status.or(rule.status);
        for (known, template) in [
            (&mut self.flow_id, &rule.flow_id),
            (&mut self.flow_name, &rule.flow_name),
            (&mut self.step_id, &rule.step_id),
            (&mut self.step_name, &rule.step_name),
            (&mut self.step_type, &rule.step_type),
        ] {
            if let (None, Some(template)) = (&known, template) {
                *known = template.fill(&text_of);
            }
        }
    }
}

/// Whether a profile is for a span.
fn is_for(profile: &Profile, span: &Span) -> bool {
    let scope = span.scope.get("name").and_then(Value::as_str);
    let is_scope = |scope| profile.scopes.iter().any(|pattern| pattern.matches(scope));
    let has = |name: &String| span.attributes.contains_key(name);
    scope.is_some_and(is_scope)
        || profile.attributes.iter().any(has)
        || profile.names.iter().any(|it| it.matches(&span.name))
}

/// The number of earlier attempts; `None` if the span does not say so.
fn count(retries: &Retries, span: &Span) -> Option<u64> {
    if let (Some(attribute), Some(first)) = (&retries.attribute, retries.first) {
        let number: u64 = span.scalar(attribute)?.parse().ok()?;
        return Some(number.saturating_sub(first));
    }
    let events = retries.events.as_ref()?;
    let names = span
        .events()
        .filter_map(|event| event.get("name")?.as_str());
    let count = names.filter(|name| events.matches(name)).count() as u64;
    let is_last = retries.has_last && span.failure.is_some();
    let count = count.saturating_sub(u64::from(is_last));
    Some(count).filter(|count| *count > 0)
}

/// Returns what the pattern of the name captures in a span that matches.
fn capture<'s>(when: &SpanCondition, span: &'s Span) -> Option<&'s str> {
    let captured = match &when.name {
        Some(name) => name.capture(&span.name)?,
        None => &span.name,
    };
    let is_met = |(name, pattern): (&String, &team::profiles::Pattern)| {
        span.scalar(name).is_some_and(|text| pattern.matches(&text))
    };
    when.attributes.iter().all(is_met).then_some(captured)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Map, json};

    use super::*;
    use crate::otlp::Attributes;

    fn attributes(value: Value) -> Attributes {
        serde_json::from_value(value).expect("an object")
    }

    fn span(scope: &str, name: &str, own: Value) -> Span {
        Span {
            trace_id: "0af7651916cd43dd8448eb211c80319c".parse().expect("an id"),
            id: "b7ad6b7169203331".parse().expect("an id"),
            parent_id: None,
            name: name.to_owned(),
            kind: "INTERNAL",
            start_ns: 1,
            end_ns: 2,
            failure: None,
            attributes: attributes(own),
            resource: Arc::new(attributes(json!({"service.name": "shop"}))),
            scope: Arc::new(attributes(json!({"name": scope}))),
            details: Map::new(),
        }
    }

    fn meaning(scope: &str, name: &str, own: Value) -> Meaning {
        Meaning::of_span(&span(scope, name, own), &[])
    }

    fn text(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn all_profiles_are_valid() {
        assert_eq!(PROFILES.len(), FILES.len());
        for ((name, text), profile) in FILES.iter().zip(PROFILES.iter()) {
            let file: Value = serde_json::from_str(text).expect("JSON");
            let parsed = serde_json::to_value(profile).expect("JSON");
            assert_eq!(
                file, parsed,
                "{name} has a member that is unknown or without effect"
            );
        }
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/profiles");
        let files = std::fs::read_dir(folder).expect("a folder");
        assert_eq!(files.count(), FILES.len(), "a profile is not listed");
    }

    #[test]
    fn an_unknown_span_has_no_meaning() {
        let meaning = meaning("shop.orders", "Run:Order", json!({"a": 1}));
        assert_eq!(meaning, Meaning::default());
    }

    #[test]
    fn a_workflow_of_temporal_is_the_run() {
        let own = json!({"temporalWorkflowID": "order-1", "temporalRunID": "r"});
        let scope = "temporalio.contrib.opentelemetry._interceptor";
        let workflow = meaning(scope, "RunWorkflow:Order", own);
        assert!(workflow.is_run);
        assert_eq!(workflow.flow_id, text("Order"));
        assert_eq!(workflow.step_type, text("WORKFLOW"));
        let labels = [("runId", "r"), ("workflowId", "order-1")];
        let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(workflow.labels, BTreeMap::from(labels));
        let own_tracer = meaning("other", "RunWorkflow:Order", json!({}));
        assert!(own_tracer.is_run);
        assert_eq!(own_tracer.flow_name, None);
        let activity = meaning("other", "RunActivity:pay", json!({"temporalRunID": "r"}));
        assert_eq!(activity.step_type, text("ACTIVITY"));
        assert_eq!(activity.step_id, text("pay"));
        assert!(!activity.is_run);
    }

    #[test]
    fn attempts_come_from_attributes_or_events() {
        let airflow = |number: i64, state: &str| {
            let own = json!({
                "airflow.dag_id": "order", "airflow.task_id": "pay",
                "airflow.task_instance.try_number": number,
                "airflow.task_instance.state": state,
            });
            meaning("airflow.models.dagrun", "task_run.pay[0]", own)
        };
        assert_eq!(airflow(1, "success").retry_count, Some(0));
        assert_eq!(airflow(3, "success").retry_count, Some(2));
        assert_eq!(airflow(1, "skipped").status, Some(StepStatus::Skipped));
        assert_eq!(airflow(1, "success").step_name, text("pay[0]"));
        assert_eq!(airflow(1, "success").flow_id, text("order"));
        let mut step = span("dbos-tracer", "charge", json!({}));
        let failed = |attempt: u8| json!({"name": format!("Step attempt {attempt} failed")});
        let events = json!({"events": [failed(0), {"name": "other"}, failed(1)]});
        step.details = attributes(events);
        assert_eq!(Meaning::of_span(&step, &[]).retry_count, Some(2));
        step.failure = Some("failed".to_owned());
        assert_eq!(Meaning::of_span(&step, &[]).retry_count, Some(1));
    }

    #[test]
    fn runs_of_a_prefect_flow_have_one_flow() {
        let run = |name| {
            let own = json!({"prefect.run.type": "flow", "prefect.flow.id": "f"});
            meaning("prefect", name, own)
        };
        assert_eq!(run("festive-bumblebee").flow_id, text("f"));
        assert_eq!(run("origami-bittern").flow_id, text("f"));
        let task = meaning("prefect", "charge-f9c", json!({"prefect.run.type": "task"}));
        assert_eq!(task.step_id, text("charge"));
    }

    #[test]
    fn agents_have_step_types_of_their_own() {
        let step_type = |own: Value| meaning("x", "span", own).step_type;
        for (own, expected) in [
            (json!({"openinference.span.kind": "RETRIEVER"}), "RETRIEVER"),
            (json!({"gen_ai.operation.name": "chat"}), "LLM"),
            (json!({"gen_ai.operation.name": "execute_tool"}), "TOOL"),
            (json!({"gen_ai.operation.name": "invoke_agent"}), "AGENT"),
            (json!({"ai.operationId": "ai.generateText"}), "AGENT"),
            (
                json!({"ai.operationId": "ai.generateText.doGenerate"}),
                "LLM",
            ),
            (json!({"ai.operationId": "ai.toolCall"}), "TOOL"),
        ] {
            assert_eq!(step_type(own.clone()), text(expected), "{own}");
        }
    }

    #[test]
    fn the_profile_of_a_library_decides_before_the_conventions() {
        let own = json!({"gen_ai.output.messages": "[]", "final_result": "done"});
        let meaning = meaning("pydantic-ai", "invoke_agent support", own);
        assert_eq!(meaning.output.expect("an output").attribute, "final_result");
    }

    #[test]
    fn a_failed_attempt_of_celery_has_its_reason() {
        let own = json!({
            "celery.task_name": "shop.charge", "celery.state": "RETRY",
            "celery.retry.reason": "Retry in 0.5s", "celery.retries": "1",
        });
        let scope = "opentelemetry.instrumentation.celery";
        let attempt = meaning(scope, "run/shop.charge", own);
        assert_eq!(attempt.status, Some(StepStatus::Failed));
        assert_eq!(attempt.error, text("Retry in 0.5s"));
        assert_eq!(attempt.retry_count, Some(1));
    }

    fn team(profiles: Value) -> Vec<Profile> {
        serde_json::from_value(profiles).expect("profiles")
    }

    #[test]
    fn the_profiles_of_a_team_decide_first_and_in_order() {
        let rule =
            |step_type: &str| json!({"when": {"name": "RunWorkflow:*"}, "stepType": step_type});
        let profiles = team(json!([
            {"instrumentation": "other", "scopes": ["other"], "spans": [rule("NEVER")]},
            {"instrumentation": "first", "names": ["Run*"], "spans": [rule("FIRST")]},
            {"instrumentation": "second", "names": ["Run*"], "labels": {"a": ["a"]}, "spans": [rule("SECOND")]},
        ]));
        let span = span(
            "temporalio.contrib.opentelemetry",
            "RunWorkflow:Order",
            json!({"a": 1}),
        );
        let meaning = Meaning::of_span(&span, &profiles);
        assert_eq!(meaning.step_type, text("FIRST"));
        assert_eq!(
            meaning.labels,
            BTreeMap::from([("a".to_owned(), "1".to_owned())])
        );
        // What they do not know, the built-in profile does.
        assert_eq!(meaning.flow_id, text("Order"));
    }

    #[test]
    fn a_list_is_no_text() {
        let profiles = team(json!([{
            "instrumentation": "acme", "scopes": ["acme"], "labels": {"a": ["a"], "b": ["a", "b"]},
            "runs": ["a", "b"],
            "spans": [
                {"when": {"attributes": {"a": "*"}}, "stepType": "LIST"},
                {"when": {"attributes": {"b": "2"}}, "stepName": "{a}", "stepId": "{b}"},
            ],
        }]));
        let span = span("acme", "x", json!({"a": [1], "b": 2}));
        let meaning = Meaning::of_span(&span, &profiles);
        assert_eq!((meaning.step_type, meaning.step_name), (None, None));
        assert_eq!(meaning.step_id, text("2"));
        assert_eq!(
            meaning.labels,
            BTreeMap::from([("b".to_owned(), "2".to_owned())])
        );
        assert_eq!(meaning.runs, ["2"]);
    }

    #[test]
    fn hostile_profiles_make_no_span_slow_or_its_meaning_large() {
        let long = "a".repeat(200);
        let list: Vec<_> = (0..20).map(|it| format!("{it}")).collect();
        let labels: BTreeMap<_, _> = (0..20)
            .map(|it| (format!("{it}"), ["large", "list"]))
            .collect();
        let never = json!({"when": {"name": "*", "attributes": {"large": format!("{long}*b"), "list": "*b"}}});
        let filled = "{large}{large}{list}";
        let always = json!({"when": {"name": "*a", "attributes": {"large": "*a"}}, "flowName": "{large}{large}", "flowId": "{*}{*}", "stepName": filled});
        let rules = [vec![never; 25], vec![always; 25]].concat();
        let profiles: Vec<_> = (0..50)
            .map(|number| {
                json!({
                    "instrumentation": format!("{number}"), "scopes": ["*"], "labels": labels,
                    "errors": ["list"], "runs": list, "usage": {"model": ["list", "large"]},
                    "spans": rules,
                })
            })
            .collect();
        let profiles = team(json!(profiles));
        let large = "a".repeat(4 * 1024 * 1024);
        let own = json!({"large": large, "list": vec!["a"; 100_000]});
        let span = span("hostile", &large, own);
        let started = std::time::Instant::now();
        let meaning = Meaning::of_span(&span, &profiles);
        // Copying the attribute for each rule would take 10 GB.
        assert!(started.elapsed().as_secs() < 2, "{:?}", started.elapsed());
        assert_eq!(meaning.flow_name.expect("a name").len(), 512);
        assert_eq!(meaning.flow_id.expect("an id").len(), 512);
        assert_eq!(meaning.step_name, None);
        assert_eq!(meaning.labels.len(), MAX_LABELS);
        assert!(
            meaning
                .labels
                .values()
                .all(|value| value.len() <= MAX_LABEL_BYTES)
        );
        assert_eq!(meaning.model.expect("a model").len(), MAX_MODEL_BYTES);
        assert_eq!(meaning.runs, [""; 0]);
    }
}
