//! Creates the records of one span: a step, and what it says about the run.

use std::collections::BTreeMap;
use std::io;
use std::ops::{AddAssign, SubAssign};

use aws_sdk_dynamodb::types::AttributeValue;
use format::attributes::{INPUT_TOKENS, MODEL, OUTPUT_TOKENS, SORT_KEY, number, text};
use format::model::{
    ExecutionId, Item, MAX_ID_LENGTH, Status, StepStatus, TeamId, Timestamp, is_id,
};
use format::payload::RunPayload;
use format::record::{ExecutionRecord, Payload, StepPosition, StepRecord, shortened};
use format::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use team::profiles::TeamProfiles;

use super::profile::Meaning;
use super::{Attributes, Span, SpanId, SpanKey};
use error::find_error;
use payloads::{OWN_INPUT, OWN_OUTPUT, PayloadSource, find_input, find_output, to_payload};

mod error;
mod payloads;

/// The attribute of a step that tells which version of its span it is, as [`SpanVersion`].
pub(super) const SPAN: &str = "span";

/// The most bytes of an execution's names. Every index contains the whole record, which
/// should stay below or around 1 KB.
const MAX_TEXT_BYTES: usize = 256;

/// The most labels of a run, which are the labels that can be searched for.
const MAX_LABELS: usize = derived::labels::MAX_SEARCHED_LABELS;

/// The most bytes of a text in attributes that each span of a resource or scope repeats.
const MAX_REPEATED_TEXT_BYTES: usize = 1_024;

/// The most bytes of these attributes in total.
const MAX_REPEATED_BYTES: usize = 8 * 1_024;

/// The service name of a program that does not name its service.
const UNKNOWN_SERVICE: &str = "unknown_service";

/// The texts that set a flag. Environment variables and the Collector's processors set texts.
const TRUE: [&str; 2] = ["true", "1"];

/// Which version of a span a stored step is, and what it has added to the sums of its trace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SpanVersion {
    pub(super) end_time_unix_nano: u64,
    /// The revision of the trace's state that includes it.
    pub(super) revision: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) usage: Option<Usage>,
}

/// What a call of a model has used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Usage {
    /// The model's name; empty if it is unknown.
    pub(super) model: String,
    pub(super) tokens: Tokens,
}

/// Numbers of tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Tokens {
    pub(super) input_tokens: u64,
    pub(super) output_tokens: u64,
}

impl Usage {
    /// The usage as a record contains it.
    pub(super) fn to_attribute(&self) -> AttributeValue {
        let mut members = Item::from([
            (INPUT_TOKENS.to_owned(), number(self.tokens.input_tokens)),
            (OUTPUT_TOKENS.to_owned(), number(self.tokens.output_tokens)),
        ]);
        if !self.model.is_empty() {
            members.insert(MODEL.to_owned(), text(&self.model));
        }
        AttributeValue::M(members)
    }
}

impl AddAssign for Tokens {
    fn add_assign(&mut self, more: Self) {
        self.input_tokens = self.input_tokens.saturating_add(more.input_tokens);
        self.output_tokens = self.output_tokens.saturating_add(more.output_tokens);
    }
}

impl SubAssign for Tokens {
    fn sub_assign(&mut self, less: Self) {
        self.input_tokens = self.input_tokens.saturating_sub(less.input_tokens);
        self.output_tokens = self.output_tokens.saturating_sub(less.output_tokens);
    }
}

/// What a span says about the run that it is, or belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RunFacts {
    pub(super) id: SpanId,
    pub(super) start_ns: u64,
    pub(super) end_ns: u64,
    flow_id: String,
    flow_name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    flow_version: Option<String>,
    trigger: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    device_id: Option<String>,
    labels: BTreeMap<String, String>,
}

impl RunFacts {
    /// Creates the record of a run that started with this span.
    ///
    /// # Errors
    /// [`Error::Internal`], but never in practice: the texts are ids, and the start is a time.
    pub(super) fn run(
        &self,
        team_id: &TeamId,
        execution_id: &ExecutionId,
        status: Status,
    ) -> Result<ExecutionRecord> {
        let start_time = to_timestamp(self.start_ns)?;
        let (execution_id, team_id) = (execution_id.clone(), team_id.clone());
        let flow_id = self.flow_id.parse().map_err(Error::internal)?;
        let mut run = ExecutionRecord::new(execution_id, team_id, flow_id, start_time, status);
        run.flow_name = Some(self.flow_name.clone());
        run.flow_version = self.flow_version.clone().map(Into::into);
        run.trigger = Some(self.trigger.clone());
        let device_id = self.device_id.as_ref().map(|id| id.parse());
        run.device_id = device_id.transpose().map_err(Error::internal)?;
        run.start_time = Some(start_time);
        run.labels.clone_from(&self.labels);
        Ok(run)
    }
}

/// Converts a time of a span to one of a record, which has milliseconds.
///
/// # Errors
/// [`Error::Internal`], but never in practice: the last nanosecond is in the year 2554.
pub(super) fn to_timestamp(ns: u64) -> Result<Timestamp> {
    const NS_A_MILLISECOND: u64 = 1_000_000;
    let milliseconds = i64::try_from(ns / NS_A_MILLISECOND).ok();
    milliseconds
        .and_then(Timestamp::from_milliseconds)
        .ok_or_else(|| Error::internal("the time is outside the supported range"))
}

/// A span that is to be written. Its records are only created for writing, because they are
/// several times as large.
#[derive(Debug)]
pub(super) struct SpanRecord {
    pub(super) span: Span,
    pub(super) start_time: Timestamp,
    status: StepStatus,
    /// The error of a failed span, on one line.
    pub(super) error: Option<String>,
    step_type: String,
    /// Whether the program, or the profile of its instrumentation, marks the span as the run.
    pub(super) is_run: bool,
    /// Whether the span decides about the status of the run if it ends after the root.
    pub(super) decides: bool,
    pub(super) usage: Option<Usage>,
    /// How many attempts were earlier, if a profile knows it.
    retry_count: Option<u64>,
    /// The engine's ids of the run. Traces with the same id are one run.
    pub(super) runs: Vec<String>,
    /// The profiles of the caller's team, which explain the rest of the span when it is written.
    profiles: TeamProfiles,
}

/// Where a span's record is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) sort_key: String,
    pub(super) step_id: String,
    /// The step below which it is.
    pub(super) parent: Option<String>,
}

impl SpanRecord {
    /// Prepares a span for writing.
    ///
    /// # Errors
    /// [`Error::Internal`], but never in practice: every start of a span is a time.
    pub(super) fn from_span(span: Span, profiles: &TeamProfiles) -> Result<Self> {
        let meaning = Meaning::of_span(&span, profiles);
        let status = meaning.status.unwrap_or(match span.failure {
            None => StepStatus::Completed,
            Some(_) => StepStatus::Failed,
        });
        let find_error = || find_error(&span).or_else(|| meaning.error.clone());
        let error = (status == StepStatus::Failed).then(find_error).flatten();
        let step_type = find_step_type(&span, &meaning);
        Ok(Self {
            start_time: to_timestamp(span.start_ns)?,
            status,
            error,
            is_run: is_run(&span, &meaning),
            decides: meaning.decides,
            usage: find_usage(&meaning, &step_type),
            step_type,
            retry_count: meaning.retry_count,
            runs: meaning.runs,
            profiles: TeamProfiles::clone(profiles),
            span,
        })
    }

    pub(super) fn key(&self) -> SpanKey {
        self.span.key()
    }

    pub(super) fn has_failed(&self) -> bool {
        self.status == StepStatus::Failed
    }

    /// Whether the same span may come again with another start: another attempt says so, or the
    /// other side of a call has the same id.
    pub(super) fn may_move(&self) -> bool {
        let kind = self.key().kind;
        self.retry_count.is_some() || kind.is_served() || kind.is_caller()
    }

    /// The order of the versions of a span.
    pub(super) fn version(&self) -> (u64, u64) {
        let attempt = self.retry_count.unwrap_or_default();
        (self.span.end_ns, attempt)
    }

    fn meaning(&self) -> Meaning {
        Meaning::of_span(&self.span, &self.profiles)
    }

    /// Creates the step's items at a place, as a part of this revision of the trace.
    ///
    /// # Errors
    /// [`Error::Internal`] if a payload exceeds the limit of the record format.
    pub(super) fn step(
        &self,
        execution_id: &ExecutionId,
        place: &Place,
        revision: u64,
    ) -> Result<StepItems> {
        let step = self.to_step(execution_id, place)?;
        let mut item = step.item()?;
        item.insert(SORT_KEY.to_owned(), text(&place.sort_key));
        let version = SpanVersion {
            end_time_unix_nano: self.span.end_ns,
            revision,
            usage: self.usage.clone(),
        };
        let version = serde_dynamo::to_attribute_value(version).map_err(Error::internal)?;
        item.insert(SPAN.to_owned(), version);
        Ok(StepItems { item, step })
    }

    fn to_step(&self, execution_id: &ExecutionId, place: &Place) -> Result<StepRecord> {
        let (span, meaning) = (&self.span, &self.meaning());
        let id = place.step_id.parse().map_err(Error::internal)?;
        let position = match &place.parent {
            None => StepPosition::TopLevel,
            Some(parent) => StepPosition::Below(parent.parse().map_err(Error::internal)?),
        };
        let (execution_id, start_time) = (execution_id.clone(), self.start_time);
        let mut step = StepRecord::new(execution_id, position, id, start_time, self.status);
        let name = meaning.step_name.as_ref().unwrap_or(&span.name);
        step.step_id = Some(to_id(meaning.step_id.as_ref().unwrap_or(name)));
        step.step_name = Some(shortened(name, MAX_TEXT_BYTES));
        step.step_type = Some(self.step_type.clone());
        step.end_time = Some(to_timestamp(span.end_ns)?);
        step.retry_count = self.retry_count.filter(|count| *count > 0);
        step.error_message.clone_from(&self.error);
        let (input, output) = (find_input(span, meaning), find_output(span, meaning));
        step.input = to_payload(input.as_ref())?;
        step.output = to_payload(output.as_ref())?;
        let data = collect_data(span, [input, output], self.error.as_deref());
        step.execution_data = Some(Payload::from_value(&data).map_err(Error::internal)?);
        Ok(step)
    }

    /// The status of the run if the span is the run.
    pub(super) fn run_status(&self) -> Status {
        match self.status {
            StepStatus::Failed => Status::Failed,
            StepStatus::Cancelled => Status::Cancelled,
            _ => Status::Completed,
        }
    }

    /// What the span says about the run.
    pub(super) fn run_facts(&self) -> RunFacts {
        let (span, meaning) = (&self.span, &self.meaning());
        let short = |name: &str| Some(shortened(&span.text(name)?, MAX_TEXT_BYTES));
        let device = span.text("flowtrail.device.id");
        let name = meaning.flow_name.as_ref().unwrap_or(&span.name);
        RunFacts {
            id: span.id,
            start_ns: span.start_ns,
            end_ns: span.end_ns,
            flow_id: to_flow_id(span, meaning),
            flow_name: shortened(name, MAX_TEXT_BYTES),
            flow_version: short("service.version"),
            trigger: short("flowtrail.trigger").unwrap_or_else(|| "OTEL".to_owned()),
            device_id: device.map(|it| to_id(&it)),
            labels: collect_labels(span, meaning),
        }
    }
}

/// The items of a step.
pub(super) struct StepItems {
    pub(super) item: Item,
    step: StepRecord,
}

impl StepItems {
    /// The items of its large payloads.
    pub(super) fn payloads(&self) -> impl Iterator<Item = Item> {
        self.step.payload_items()
    }

    /// The items of the run's payloads, if the span is the run.
    pub(super) fn run_payloads(&self, execution_id: &ExecutionId) -> Vec<Item> {
        let payloads = [
            (RunPayload::Input, &self.step.input),
            (RunPayload::Output, &self.step.output),
            (RunPayload::Data, &self.step.execution_data),
        ];
        let items = |(name, payload): (RunPayload, &Option<Payload>)| {
            let items = |it: &Payload| it.items(execution_id, name.name());
            payload.as_ref().map(items).unwrap_or_default()
        };
        payloads.into_iter().flat_map(items).collect()
    }
}

/// What a call of a model has used. The span around several calls often repeats their sum, so only
/// the calls themselves count.
fn find_usage(meaning: &Meaning, step_type: &str) -> Option<Usage> {
    const CALLS: [&str; 2] = ["LLM", "EMBEDDING"];
    if !CALLS.contains(&step_type) {
        return None;
    }
    let (input, output) = (meaning.input_tokens, meaning.output_tokens);
    input.or(output)?;
    let model = meaning.model.as_deref().unwrap_or_default();
    Some(Usage {
        model: shortened(model, MAX_ID_LENGTH),
        tokens: Tokens {
            input_tokens: input.unwrap_or_default(),
            output_tokens: output.unwrap_or_default(),
        },
    })
}

/// Whether the program, or the profile of its instrumentation, marks the span as the run.
fn is_run(span: &Span, meaning: &Meaning) -> bool {
    match span.attributes.get("flowtrail.run") {
        Some(Value::Bool(is_run)) => *is_run,
        Some(Value::String(text)) => TRUE.iter().any(|it| it.eq_ignore_ascii_case(text)),
        _ => meaning.is_run,
    }
}

fn to_flow_id(span: &Span, meaning: &Meaning) -> String {
    let named = span.text("flowtrail.flow.id");
    let flow = named.or_else(|| meaning.flow_id.clone());
    let flow = flow.unwrap_or_else(|| {
        let service = span.text("service.name");
        let service = service.as_deref().unwrap_or(UNKNOWN_SERVICE);
        format!("{service}/{}", span.name)
    });
    to_id(&flow)
}

/// Converts a text to the most similar id of the record format.
fn to_id(text: &str) -> String {
    let allowed = |character: char| match is_id(character.encode_utf8(&mut [0; 4])) {
        true => character,
        false => '-',
    };
    let id: String = text.chars().take(MAX_ID_LENGTH).map(allowed).collect();
    match id.is_empty() {
        true => "-".to_owned(),
        false => id,
    }
}

fn find_step_type(span: &Span, meaning: &Meaning) -> String {
    let named = span.attributes.get("flowtrail.step.type");
    let named = named.and_then(Value::as_str).filter(|it| !it.is_empty());
    let known = named.or(meaning.step_type.as_deref());
    shortened(known.unwrap_or(span.kind), MAX_ID_LENGTH)
}

/// Returns the labels in the attributes, then those of the profiles, the first ones by name, and
/// the trace's id.
fn collect_labels(span: &Span, meaning: &Meaning) -> BTreeMap<String, String> {
    const PREFIX: &str = "flowtrail.label.";
    const TRACE_ID: &str = "traceId";
    let names = span.resource.keys().chain(span.attributes.keys());
    let names = names.filter_map(|name| name.strip_prefix(PREFIX));
    let names = names.filter(|name| !name.is_empty() && name.len() <= MAX_ID_LENGTH);
    let label = |name: &str| {
        let value = span.text(&format!("{PREFIX}{name}"))?;
        Some((name.to_owned(), shortened(&value, MAX_TEXT_BYTES)))
    };
    let own: BTreeMap<_, _> = names.filter_map(label).collect();
    let known = meaning.labels.iter();
    let known = known.filter(|(name, _)| !own.contains_key(*name));
    let known = known.map(|(name, value)| (name.clone(), value.clone()));
    let known: Vec<_> = known.collect();
    let labels = own.into_iter().chain(known);
    let labels = labels.filter(|(name, _)| name != TRACE_ID);
    let trace_id = (TRACE_ID.to_owned(), span.trace_id.to_string());
    labels.take(MAX_LABELS - 1).chain([trace_id]).collect()
}

/// Returns all data of a span that is not shown as its input, its output or its error.
fn collect_data(span: &Span, shown: [Option<PayloadSource<'_>>; 2], error: Option<&str>) -> Value {
    let shown = shown.iter().flatten().map(|source| source.attribute);
    let shown: Vec<_> = shown.chain([OWN_INPUT, OWN_OUTPUT]).collect();
    let attributes = span.attributes.iter();
    let attributes: Attributes = attributes
        .filter(|(name, _)| !shown.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let mut data = span.details.clone();
    data.insert("kind".to_owned(), json!(span.kind));
    if let Some(parent_id) = span.parent_id {
        data.insert("parentSpanId".to_owned(), json!(parent_id));
    }
    // The error of the step has one line, and may be another one.
    let message = span.failure.as_ref().filter(|it| !it.is_empty());
    if let Some(failure) = message.filter(|it| error != Some(it.as_str())) {
        data.insert("statusMessage".to_owned(), json!(failure));
    }
    insert_if_any(&mut data, "attributes", attributes);
    insert_if_any(&mut data, "resource", limit_repeated(&span.resource));
    insert_if_any(&mut data, "scope", limit_repeated(&span.scope));
    Value::Object(data)
}

fn insert_if_any(data: &mut Map<String, Value>, name: &str, attributes: Attributes) {
    if !attributes.is_empty() {
        data.insert(name.to_owned(), Value::Object(attributes));
    }
}

/// Returns the first of some attributes, up to the limits for attributes that every span
/// repeats.
fn limit_repeated(attributes: &Attributes) -> Attributes {
    let mut bytes = 0;
    let attributes = attributes.iter().map(|(name, value)| {
        let name = shortened(name, MAX_REPEATED_TEXT_BYTES);
        (name, shorten_value(value))
    });
    let fits = |(name, value): &(String, Value)| {
        bytes += name.len() + value.to_string().len();
        bytes <= MAX_REPEATED_BYTES
    };
    attributes.take_while(fits).collect()
}

/// Shortens a value to the limit for texts that each span repeats. Its time does not depend on the
/// length of the value.
fn shorten_value(value: &Value) -> Value {
    match value {
        Value::String(text) => shortened(text, MAX_REPEATED_TEXT_BYTES).into(),
        Value::Array(_) | Value::Object(_) => {
            let mut start = TextStart::default();
            match serde_json::to_writer(&mut start, value) {
                Ok(()) => value.clone(),
                Err(_) => start.text().into(),
            }
        }
        short => short.clone(),
    }
}

/// The start of a JSON text, up to one byte more than the limit. Further writes fail.
#[derive(Default)]
struct TextStart(Vec<u8>);

impl TextStart {
    fn text(&self) -> String {
        shortened(&String::from_utf8_lossy(&self.0), MAX_REPEATED_TEXT_BYTES)
    }
}

impl io::Write for TextStart {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = MAX_REPEATED_TEXT_BYTES + 1 - self.0.len();
        let written = bytes.len().min(room);
        self.0.extend_from_slice(&bytes[..written]);
        match self.0.len() > MAX_REPEATED_TEXT_BYTES {
            true => Err(io::ErrorKind::WriteZero.into()),
            false => Ok(written),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn attributes(value: Value) -> Attributes {
        serde_json::from_value(value).expect("an object")
    }

    fn span(own: Value, resource: Value) -> Span {
        Span {
            trace_id: "0af7651916cd43dd8448eb211c80319c".parse().expect("an id"),
            id: "b7ad6b7169203331".parse().expect("an id"),
            parent_id: None,
            name: "GET /orders/{id}".to_owned(),
            kind: "SERVER",
            start_ns: 1_771_324_200_000_999_999,
            end_ns: 1_771_324_201_500_000_000,
            failure: None,
            attributes: attributes(own),
            resource: Arc::new(attributes(resource)),
            scope: Arc::default(),
            details: Map::new(),
        }
    }

    fn execution_id() -> ExecutionId {
        "run-1".parse().expect("an id")
    }

    fn record(span: &Span) -> SpanRecord {
        SpanRecord::from_span(span.clone(), &TeamProfiles::default()).expect("a record")
    }

    /// Returns the items of a span's step.
    fn step_items(span: &Span) -> StepItems {
        let record = record(span);
        let step_id = span.id.to_string();
        let place = Place {
            sort_key: format_key(record.start_time, &step_id),
            step_id,
            parent: span.parent_id.map(|parent| parent.to_string()),
        };
        record.step(&execution_id(), &place, 3).expect("records")
    }

    fn format_key(start_time: Timestamp, step_id: &str) -> String {
        format::keys::step(start_time, step_id)
    }

    /// Returns the step of a span.
    fn step(span: &Span) -> Value {
        serde_dynamo::from_item(step_items(span).item).expect("JSON")
    }

    /// Returns the run of a span.
    fn run(span: &Span) -> Value {
        let team = "team-a".parse().expect("an id");
        let record = record(span);
        let run = record.run_facts();
        let run = run.run(&team, &execution_id(), record.run_status());
        let run = run.expect("a run").item().expect("an item");
        serde_dynamo::from_item(run).expect("JSON")
    }

    #[test]
    fn a_root_span_describes_the_run() {
        let own = json!({
            "flowtrail.trigger": "SCHEDULE", "flowtrail.device.id": "device 7",
            "flowtrail.label.orderId": 42, "service.version": "own",
        });
        let resource = json!({
            "service.name": "shop api", "service.version": "2.1",
            "flowtrail.label.region": "eu", "flowtrail.label.orderId": "resource",
        });
        let mut span = span(own, resource);
        span.failure = Some("boom".to_owned());
        assert_eq!(
            run(&span),
            json!({
                "pk": "EXEC#run-1", "sk": "EXECUTION", "executionId": "run-1",
                "teamId": "team-a", "flowId": "shop-api/GET-/orders/-id-",
                "flowName": "GET /orders/{id}", "flowVersion": "own", "status": "FAILED",
                "createdAt": "2026-02-17T10:30:00.000Z",
                "startTime": "2026-02-17T10:30:00.000Z",
                "trigger": "SCHEDULE", "deviceId": "device-7",
                "labels": {
                    "orderId": "42", "region": "eu",
                    "traceId": "0af7651916cd43dd8448eb211c80319c",
                },
            })
        );
    }

    #[test]
    fn a_run_without_attributes_gets_default_names() {
        let run = run(&span(json!({}), json!({})));
        assert_eq!(run["flowId"], "unknown_service/GET-/orders/-id-");
        assert_eq!(run["trigger"], "OTEL");
        assert_eq!(run.get("flowVersion"), None);
        assert_eq!(run.get("deviceId"), None);
        assert_eq!(to_id(""), "-");
        assert_eq!(to_id(&"ß".repeat(500)), "-".repeat(128));
    }

    #[test]
    fn a_run_stays_small_regardless_of_its_attributes() {
        let long = "x".repeat(100_000);
        let labels = (0..50).map(|n| (format!("flowtrail.label.{n:02}"), json!(long)));
        let mut own: Attributes = labels.collect();
        for name in ["flow.id", "trigger", "device.id"] {
            own.insert(format!("flowtrail.{name}"), json!(long));
        }
        own.insert(format!("flowtrail.label.{long}"), json!("a"));
        own.insert("flowtrail.label.traceId".to_owned(), json!("forged"));
        let resource = json!({"service.version": long});
        let run = run(&span(Value::Object(own), resource));
        assert!(run.to_string().len() < 5_000, "{run}");
        let labels = run["labels"].as_object().expect("labels");
        assert_eq!(labels.len(), 10);
        assert_eq!(labels["traceId"], "0af7651916cd43dd8448eb211c80319c");
    }

    #[test]
    fn a_step_has_input_output_and_the_other_data_of_its_span() {
        let own = json!({
            "flowtrail.input": "{\"a\": [1, 2.50]}", "input.value": "another",
            "output.value": "no JSON {", "flowtrail.step.type": "HTTP", "http.method": "GET",
        });
        let mut span = span(
            own,
            json!({"service.name": "shop", "host": "y".repeat(2_000)}),
        );
        span.parent_id = Some("00f067aa0ba902b7".parse().expect("an id"));
        let step = step(&span);
        assert_eq!(step["input"], json!({"a": [1, 2.5]}));
        assert_eq!(step["output"], "no JSON {");
        assert_eq!(step["stepId"], "GET-/orders/-id-");
        assert_eq!(step["stepName"], "GET /orders/{id}");
        assert_eq!(step["status"], "COMPLETED");
        let mut data = step["executionData"].clone();
        let host = data["resource"]["host"].take();
        assert_eq!(host.as_str().map(str::len), Some(1_024));
        assert_eq!(
            data,
            json!({
                "attributes": {
                    "flowtrail.step.type": "HTTP", "http.method": "GET",
                    "input.value": "another",
                },
                "resource": {"service.name": "shop", "host": null},
                "kind": "SERVER", "parentSpanId": "00f067aa0ba902b7",
            })
        );
        assert_eq!(step["stepType"], "HTTP");
        assert_eq!(step["parentStepInstanceId"], "00f067aa0ba902b7");
        let version = json!({"endTimeUnixNano": 1_771_324_201_500_000_000_u64, "revision": 3});
        assert_eq!(step["span"], version);
    }

    #[test]
    fn a_call_of_a_model_has_its_usage() {
        let own = json!({
            "gen_ai.operation.name": "chat", "gen_ai.request.model": "m-1",
            "gen_ai.usage.input_tokens": 12, "gen_ai.usage.output_tokens": "3",
        });
        let usage = json!({"model": "m-1", "tokens": {"inputTokens": 12, "outputTokens": 3}});
        assert_eq!(step(&span(own, json!({})))["span"]["usage"], usage);
        let agent = json!({
            "gen_ai.operation.name": "invoke_agent", "gen_ai.usage.input_tokens": 12,
        });
        assert_eq!(
            record(&span(agent, json!({}))).usage,
            None,
            "it repeats those below"
        );
    }

    #[test]
    fn large_payloads_are_separate_items() {
        let own = json!({"input.value": "x".repeat(900_000), "noise": "y".repeat(20_000)});
        let items = step_items(&span(own, json!({})));
        assert!(!items.item.contains_key("input") && !items.item.contains_key("executionData"));
        assert_eq!(items.payloads().count(), 2);
        assert_eq!(items.run_payloads(&execution_id()).len(), 2);
    }

    #[test]
    fn repeated_attributes_are_limited() {
        let many = (0..100).map(|n| (format!("{n:02}"), json!("x".repeat(500))));
        let kept = limit_repeated(&many.collect());
        assert_eq!(kept.len(), 16);
        assert!(kept.contains_key("00") && !kept.contains_key("16"));
        let long = attributes(json!({"a": ["y".repeat(2_000)], "b": true, "c": [1]}));
        let mut kept = limit_repeated(&long);
        let cut = kept.remove("a").expect("kept");
        assert_eq!(cut.as_str().map(str::len), Some(1_024));
        assert_eq!(kept, attributes(json!({"b": true, "c": [1]})));
    }

    #[test]
    fn a_text_is_json_only_if_its_media_type_says_so() {
        let input = |own: Value| step(&span(own, json!({})))["input"].clone();
        for text in ["42", "12345678901234567890123", "1e5", "null", "{\"a\": 1}"] {
            assert_eq!(input(json!({"input.value": text})), text);
            let typed = json!({"input.value": text, "input.mime_type": "text/plain"});
            assert_eq!(input(typed), text);
        }
        let typed = json!({"input.value": "42", "input.mime_type": "application/json"});
        assert_eq!(input(typed), json!(42));
        let messages = json!({"gen_ai.input.messages": "[{\"role\": \"user\"}]"});
        assert_eq!(input(messages), json!([{"role": "user"}]));
        assert_eq!(input(json!({"gen_ai.input.messages": "42"})), "42");
    }

    #[test]
    fn an_error_has_one_line_and_loses_nothing() {
        let mut span = span(json!({}), json!({}));
        let trace = "RuntimeError('429')Traceback (most recent call last):\n  File";
        span.failure = Some(trace.to_owned());
        span.details = attributes(json!({"events": [{"name": "exception", "attributes": {
            "exception.type": "RuntimeError", "exception.message": "429 rate limit\nof the model",
        }}]}));
        assert_eq!(step(&span)["errorMessage"], "RuntimeError: 429 rate limit");
        assert_eq!(step(&span)["executionData"]["statusMessage"], trace);
        span.details = Map::new();
        assert_eq!(step(&span)["errorMessage"], "RuntimeError('429')");
    }

    #[test]
    fn a_text_marks_the_run_too() {
        for (value, is_run) in [
            (json!(true), true),
            (json!("true"), true),
            (json!("True"), true),
            (json!("1"), true),
            (json!("false"), false),
            (json!(1), false),
        ] {
            let span = span(json!({"flowtrail.run": value}), json!({}));
            assert_eq!(record(&span).is_run, is_run, "{value}");
        }
    }
}
