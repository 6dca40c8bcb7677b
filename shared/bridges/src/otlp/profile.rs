//! Profiles: what the spans of a known instrumentation mean. Each file in `profiles` is the
//! profile of one instrumentation, written after spans that it really sent.
//!
//! A span may match several profiles, such as the profile of a library and the one of the
//! conventions that the library follows. For each property, the first profile that knows it
//! decides, and inside a profile the first rule.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use format::model::StepStatus;
use serde::Deserialize;
use serde_json::Value;

use super::Span;
use pattern::{Pattern, Template};

mod pattern;

/// The profiles, in the order in which they decide: those of libraries before those of
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

/// What the spans of one instrumentation mean.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Profile {
    /// The instrumentation's name for people.
    #[expect(dead_code, reason = "for the readers of the files")]
    instrumentation: String,
    /// The names of its instrumentation scopes.
    scopes: Vec<Pattern>,
    /// Attributes that only this instrumentation sets. A span with one of them matches,
    /// whatever its scope.
    attributes: Vec<String>,
    /// The names that only its spans have, whatever their scope.
    #[serde(default)]
    names: Vec<Pattern>,
    /// The labels of the run, each with the attributes that may contain its value.
    #[serde(default)]
    labels: BTreeMap<String, Vec<String>>,
    /// The attributes that may contain a step's input; the first one that exists is used.
    #[serde(default)]
    input: Vec<Source>,
    /// The attributes that may contain a step's output.
    #[serde(default)]
    output: Vec<Source>,
    /// The attributes that may contain the error of a span that has no exception.
    #[serde(default)]
    errors: Vec<String>,
    /// Where the number of earlier attempts is.
    #[serde(default)]
    retries: Vec<Retries>,
    /// The attributes with the engine's id of the run. Traces with the same id are one run.
    #[serde(default)]
    runs: Vec<String>,
    /// The attributes with what a model call has used.
    #[serde(default)]
    usage: Usage,
    /// What its kinds of spans mean.
    spans: Vec<Rule>,
}

/// An attribute that may contain a payload.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Source {
    /// The attribute's name.
    pub(super) attribute: String,
    /// The attribute that contains the payload's media type.
    #[serde(default)]
    pub(super) media_type: Option<String>,
    /// Whether a text that is a JSON object or array is meant as such.
    #[serde(default)]
    pub(super) is_json: bool,
}

/// The attributes with what a model call has used: for each, the first one that exists.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Usage {
    model: Vec<String>,
    input_tokens: Vec<String>,
    output_tokens: Vec<String>,
}

/// Where the number of earlier attempts of a step is.
#[derive(Debug, Deserialize)]
#[serde(untagged, rename_all_fields = "camelCase", deny_unknown_fields)]
enum Retries {
    /// An attribute numbers the attempts.
    Attribute {
        attribute: String,
        /// The number of the first attempt.
        first: u64,
    },
    /// An event is added for each failed attempt.
    Events {
        events: Pattern,
        /// Whether the last attempt of a failed step has an event too.
        #[serde(default)]
        has_last: bool,
    },
}

/// What some spans of an instrumentation mean.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Rule {
    when: Condition,
    #[serde(default)]
    is_run: bool,
    /// Whether the outcome of the last of these spans is the outcome of a run whose root has
    /// ended before.
    #[serde(default)]
    decides: bool,
    flow_id: Option<Template>,
    flow_name: Option<Template>,
    step_id: Option<Template>,
    step_name: Option<Template>,
    step_type: Option<Template>,
    status: Option<StepStatus>,
}

/// The spans that a rule is for: those that match everything in it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Condition {
    name: Option<Pattern>,
    #[serde(default)]
    attributes: BTreeMap<String, Pattern>,
}

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
    pub(super) input: Option<Source>,
    pub(super) output: Option<Source>,
}

impl Meaning {
    /// Finds the meaning of a span.
    pub(super) fn of_span(span: &Span) -> Self {
        let mut meaning = Self::default();
        for profile in PROFILES.iter().filter(|profile| profile.is_for(span)) {
            profile.add_to(&mut meaning, span);
        }
        meaning
    }

    fn add_rule(&mut self, rule: &Rule, text_of: impl Fn(&str) -> Option<String>) {
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

impl Profile {
    fn is_for(&self, span: &Span) -> bool {
        let scope = span.scope.get("name").and_then(Value::as_str);
        let is_scope = |scope| self.scopes.iter().any(|pattern| pattern.matches(scope));
        let has = |name: &String| span.attributes.contains_key(name);
        let is_name = |pattern: &Pattern| pattern.matches(&span.name);
        scope.is_some_and(is_scope)
            || self.attributes.iter().any(has)
            || self.names.iter().any(is_name)
    }

    fn add_to(&self, meaning: &mut Meaning, span: &Span) {
        for rule in &self.spans {
            if let Some(captured) = rule.when.capture(span) {
                meaning.add_rule(rule, |placeholder| match placeholder {
                    "*" => Some(captured.to_owned()),
                    name => span.text(name),
                });
            }
        }
        for (label, attributes) in &self.labels {
            if let Some(value) = attributes.iter().find_map(|name| span.text(name)) {
                meaning.labels.entry(label.clone()).or_insert(value);
            }
        }
        let find = |sources: &[Source]| {
            let mut sources = sources.iter();
            sources.find(|it| span.has(&it.attribute)).cloned()
        };
        meaning.input = meaning.input.take().or_else(|| find(&self.input));
        meaning.output = meaning.output.take().or_else(|| find(&self.output));
        let error = || self.errors.iter().find_map(|name| span.text(name));
        meaning.error = meaning.error.take().or_else(error);
        let retries = || self.retries.iter().find_map(|retries| retries.count(span));
        meaning.retry_count = meaning.retry_count.or_else(retries);
        meaning
            .runs
            .extend(self.runs.iter().filter_map(|name| span.own_text(name)));
        let text = |names: &[String]| names.iter().find_map(|name| span.own_text(name));
        let number = |names: &[String]| text(names)?.parse().ok();
        let usage = &self.usage;
        meaning.model = meaning.model.take().or_else(|| text(&usage.model));
        meaning.input_tokens = meaning.input_tokens.or_else(|| number(&usage.input_tokens));
        meaning.output_tokens = meaning
            .output_tokens
            .or_else(|| number(&usage.output_tokens));
    }
}

impl Retries {
    /// The number of earlier attempts; `None` if the span does not say so.
    fn count(&self, span: &Span) -> Option<u64> {
        let count = match self {
            Self::Attribute { attribute, first } => {
                let number: u64 = span.text(attribute)?.parse().ok()?;
                number.saturating_sub(*first)
            }
            Self::Events { events, has_last } => {
                let names = span
                    .events()
                    .filter_map(|event| event.get("name")?.as_str());
                let count = names.filter(|name| events.matches(name)).count() as u64;
                let is_last = *has_last && span.failure.is_some();
                let count = count.saturating_sub(u64::from(is_last));
                return Some(count).filter(|count| *count > 0);
            }
        };
        Some(count)
    }
}

impl Condition {
    /// Returns what the pattern of the name captures in a span that matches.
    fn capture<'s>(&self, span: &'s Span) -> Option<&'s str> {
        let captured = match &self.name {
            Some(name) => name.capture(&span.name)?,
            None => &span.name,
        };
        let is_met = |(name, pattern): (&String, &Pattern)| {
            span.text(name).is_some_and(|text| pattern.matches(&text))
        };
        self.attributes.iter().all(is_met).then_some(captured)
    }
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
        Meaning::of_span(&span(scope, name, own))
    }

    fn text(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn all_profiles_are_valid() {
        assert_eq!(PROFILES.len(), FILES.len());
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
        assert_eq!(Meaning::of_span(&step).retry_count, Some(2));
        step.failure = Some("failed".to_owned());
        assert_eq!(Meaning::of_span(&step).retry_count, Some(1));
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
}
