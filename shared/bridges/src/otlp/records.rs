//! Creates the records of one span: a step, and possibly the run.

use std::collections::BTreeMap;
use std::io;

use format::model::{
    ExecutionId, FlowId, Item, MAX_ID_LENGTH, Status, StepStatus, TeamId, Timestamp, is_id,
};
use format::payload::RunPayload;
use format::record::{ExecutionRecord, Payload, StepPosition, StepRecord, shortened};
use format::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::layout::Node;
use super::profile::Meaning;
use super::{Attributes, Span, SpanId};
use error::find_error;
use payloads::{OWN_INPUT, OWN_OUTPUT, PayloadSource, find_input, find_output, to_payload};

mod error;
mod payloads;

/// The attribute of a step that contains the span's data, as [`Facts`].
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

/// The data of a span that a stored step keeps for later layouts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Facts {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parent_span_id: Option<SpanId>,
    pub(super) start_time_unix_nano: u64,
    end_time_unix_nano: u64,
    /// The step's type, unless it is a fork.
    pub(super) step_type: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_run: bool,
    /// Whether it has payloads in separate items.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) has_payload_items: bool,
}

impl Facts {
    pub(super) fn node(&self) -> Node {
        Node {
            parent_id: self.parent_span_id,
            start_ns: self.start_time_unix_nano,
            end_ns: self.end_time_unix_nano,
            is_marked: self.is_run,
        }
    }

    /// Returns the start time of the span, in milliseconds.
    ///
    /// # Errors
    /// [`Error::Internal`], but never in practice: the last nanosecond is in the year 2554.
    pub(super) fn start_time(&self) -> Result<Timestamp> {
        to_timestamp(self.start_time_unix_nano)
    }
}

fn to_timestamp(ns: u64) -> Result<Timestamp> {
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
    pub(super) facts: Facts,
    span: Span,
    meaning: Meaning,
}

impl SpanRecord {
    /// Prepares a span for writing.
    ///
    /// # Errors
    /// The errors of [`Self::step`].
    pub(super) fn from_span(span: Span, execution_id: &ExecutionId) -> Result<Self> {
        let meaning = Meaning::of_span(&span);
        let step = to_step(&span, &meaning, execution_id)?;
        let facts = Facts {
            parent_span_id: span.parent_id,
            start_time_unix_nano: span.start_ns,
            end_time_unix_nano: span.end_ns,
            step_type: find_step_type(&span, &meaning),
            is_run: is_run(&span, &meaning),
            has_payload_items: step.payload_items().next().is_some(),
        };
        Ok(Self {
            facts,
            span,
            meaning,
        })
    }

    /// The span's id.
    pub(super) fn id(&self) -> SpanId {
        self.span.id
    }

    /// Creates the step's item, without a position, and the items of its large payloads.
    ///
    /// # Errors
    /// [`Error::Internal`], but never in practice: all data of a span fits the record
    /// format.
    pub(super) fn step(&self, execution_id: &ExecutionId) -> Result<(Item, Vec<Item>)> {
        let step = to_step(&self.span, &self.meaning, execution_id)?;
        let mut item = step.item()?;
        let facts = serde_dynamo::to_attribute_value(&self.facts).map_err(Error::internal)?;
        item.insert(SPAN.to_owned(), facts);
        Ok((item, step.payload_items().collect()))
    }

    /// Creates the run's item, and the items of its payloads.
    ///
    /// # Errors
    /// The errors of [`Self::step`].
    pub(super) fn run(
        &self,
        team_id: &TeamId,
        execution_id: &ExecutionId,
    ) -> Result<(Item, Vec<Item>)> {
        let step = to_step(&self.span, &self.meaning, execution_id)?;
        let run = self.to_run(team_id, execution_id, &step)?;
        let payloads = [
            (RunPayload::Input, &step.input),
            (RunPayload::Output, &step.output),
            (RunPayload::Data, &step.execution_data),
        ];
        let payloads = payloads.into_iter().flat_map(|(name, payload)| {
            let items = |it: &Payload| it.items(execution_id, name.name());
            payload.as_ref().map(items).unwrap_or_default()
        });
        Ok((run.item()?, payloads.collect()))
    }
}

fn to_step(span: &Span, meaning: &Meaning, execution_id: &ExecutionId) -> Result<StepRecord> {
    let status = meaning.status.unwrap_or(match span.failure {
        None => StepStatus::Completed,
        Some(_) => StepStatus::Failed,
    });
    let id = span.id.to_string().parse().map_err(Error::internal)?;
    let start_time = to_timestamp(span.start_ns)?;
    // The layout sets the position later.
    let position = StepPosition::TopLevel;
    let mut step = StepRecord::new(execution_id.clone(), position, id, start_time, status);
    let name = meaning.step_name.as_ref().unwrap_or(&span.name);
    step.step_id = Some(to_id(meaning.step_id.as_ref().unwrap_or(name)));
    step.step_name = Some(shortened(name, MAX_TEXT_BYTES));
    step.end_time = Some(to_timestamp(span.end_ns)?);
    step.retry_count = meaning.retry_count;
    if status == StepStatus::Failed {
        step.error_message = find_error(span).or_else(|| meaning.error.clone());
    }
    let (input, output) = (find_input(span, meaning), find_output(span, meaning));
    step.input = to_payload(input.as_ref())?;
    step.output = to_payload(output.as_ref())?;
    let data = collect_data(span, [input, output], step.error_message.as_deref());
    step.execution_data = Some(Payload::from_value(&data).map_err(Error::internal)?);
    Ok(step)
}

impl SpanRecord {
    fn to_run(
        &self,
        team_id: &TeamId,
        execution_id: &ExecutionId,
        step: &StepRecord,
    ) -> Result<ExecutionRecord> {
        let (span, meaning) = (&self.span, &self.meaning);
        let status = match step.status {
            StepStatus::Failed => Status::Failed,
            StepStatus::Cancelled => Status::Cancelled,
            _ => Status::Completed,
        };
        let mut run = ExecutionRecord::new(
            execution_id.clone(),
            team_id.clone(),
            to_flow_id(span, meaning)?,
            step.start_time,
            status,
        );
        let short = |name: &str| Some(shortened(&span.text(name)?, MAX_TEXT_BYTES));
        let name = meaning.flow_name.as_ref().unwrap_or(&span.name);
        run.flow_name = Some(shortened(name, MAX_TEXT_BYTES));
        run.flow_version = short("service.version").map(Into::into);
        run.trigger = Some(short("flowtrail.trigger").unwrap_or_else(|| "OTEL".to_owned()));
        run.device_id = match span.text("flowtrail.device.id") {
            Some(device) => Some(to_id(&device).parse().map_err(Error::internal)?),
            None => None,
        };
        run.start_time = Some(step.start_time);
        run.end_time = step.end_time;
        run.error_message = step.error_message.clone();
        run.labels = collect_labels(span, meaning);
        Ok(run)
    }
}

/// Whether the program, or the profile of its instrumentation, marks the span as the run.
fn is_run(span: &Span, meaning: &Meaning) -> bool {
    match span.attributes.get("flowtrail.run") {
        Some(Value::Bool(is_run)) => *is_run,
        Some(Value::String(text)) => TRUE.iter().any(|it| it.eq_ignore_ascii_case(text)),
        _ => meaning.is_run,
    }
}

fn to_flow_id(span: &Span, meaning: &Meaning) -> Result<FlowId> {
    let named = span.text("flowtrail.flow.id");
    let flow = named.or_else(|| meaning.flow_id.clone());
    let flow = flow.unwrap_or_else(|| {
        let service = span.text("service.name");
        let service = service.as_deref().unwrap_or(UNKNOWN_SERVICE);
        format!("{service}/{}", span.name)
    });
    to_id(&flow).parse().map_err(Error::internal)
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
    let known = known.map(|(name, value)| (name.clone(), shortened(value, MAX_TEXT_BYTES)));
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
        SpanRecord::from_span(span.clone(), &execution_id()).expect("a record")
    }

    /// Returns the run of a span.
    fn run(span: &Span) -> Value {
        let team = "team-a".parse().expect("an id");
        let run = record(span).run(&team, &execution_id());
        serde_dynamo::from_item(run.expect("records").0).expect("JSON")
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
                "endTime": "2026-02-17T10:30:01.500Z", "durationMs": 1500,
                "errorMessage": "boom", "trigger": "SCHEDULE", "deviceId": "device-7",
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
        let record = record(&span);
        let (step, payloads) = record.step(&execution_id()).expect("records");
        let step: Value = serde_dynamo::from_item(step).expect("JSON");
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
        assert_eq!(
            step["span"],
            json!({
                "parentSpanId": "00f067aa0ba902b7", "stepType": "HTTP",
                "startTimeUnixNano": 1_771_324_200_000_999_999_u64,
                "endTimeUnixNano": 1_771_324_201_500_000_000_u64,
            })
        );
        assert_eq!(payloads, []);
    }

    #[test]
    fn large_payloads_are_separate_items() {
        let own = json!({"input.value": "x".repeat(900_000), "noise": "y".repeat(20_000)});
        let record = record(&span(own, json!({})));
        assert!(record.facts.has_payload_items);
        let (step, payloads) = record.step(&execution_id()).expect("records");
        assert!(!step.contains_key("input") && !step.contains_key("executionData"));
        assert_eq!(payloads.len(), 2);
        let team = "team-a".parse().expect("an id");
        let (_, payloads) = record.run(&team, &execution_id()).expect("records");
        assert_eq!(payloads.len(), 2);
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
        let input = |own: Value| {
            let (step, _) = record(&span(own, json!({})))
                .step(&execution_id())
                .expect("records");
            let step: Value = serde_dynamo::from_item(step).expect("JSON");
            step["input"].clone()
        };
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
        assert_eq!(run(&span)["errorMessage"], "RuntimeError: 429 rate limit");
        let (step, _) = record(&span).step(&execution_id()).expect("records");
        let step: Value = serde_dynamo::from_item(step).expect("JSON");
        assert_eq!(step["executionData"]["statusMessage"], trace);
        span.details = Map::new();
        assert_eq!(run(&span)["errorMessage"], "RuntimeError('429')");
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
            assert_eq!(record(&span).facts.is_run, is_run, "{value}");
        }
    }
}
