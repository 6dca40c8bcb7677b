//! The records of one span: the step that it is, and the run that it may be.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::layout::Node;
use super::{Attributes, Span, SpanId};
use crate::error::{Error, Result};
use crate::model::{
    ExecutionId, FlowId, Item, MAX_ID_LENGTH, Status, StepStatus, TeamId, Timestamp, is_id,
};
use crate::payload::RunPayload;
use crate::record::{ExecutionRecord, Payload, Place, StepRecord, shortened};

/// The attribute of a step in which what its span says stands, as [`Facts`].
pub(super) const SPAN: &str = "span";

/// The longest text of an execution that names something: the record stands whole in
/// every index, and is to stay below 1 KB or little more.
const MAX_TEXT_BYTES: usize = 256;

/// The most labels of a run: those that it is found by.
const MAX_LABELS: usize = crate::labels::MAX_SEARCHED_LABELS;

/// The longest text among the attributes that each span of a resource, or of a scope,
/// repeats.
const MAX_REPEATED_TEXT_BYTES: usize = 1_024;

/// The most bytes of such attributes.
const MAX_REPEATED_BYTES: usize = 8 * 1_024;

/// What a span's program calls it where it says nothing.
const UNKNOWN_SERVICE: &str = "unknown_service";

/// The attributes by which a program says what a step was given, the first that is
/// there: our own, and that of OpenInference.
const INPUTS: [&str; 2] = ["flowtrail.input", "input.value"];
/// The same of what it gave back.
const OUTPUTS: [&str; 2] = ["flowtrail.output", "output.value"];

/// What a stored step keeps of its span, to be laid out again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Facts {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parent_span_id: Option<SpanId>,
    pub(super) start_time_unix_nano: u64,
    end_time_unix_nano: u64,
    /// The kind of step that it is where nothing stands below it.
    pub(super) step_type: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_run: bool,
    /// Whether a payload of it lies in items of its own.
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

    /// When the span began, to the millisecond.
    ///
    /// # Errors
    /// [`Error::Internal`] never in fact: the last nanosecond is one of the year 2554.
    pub(super) fn start_time(&self) -> Result<Timestamp> {
        moment(self.start_time_unix_nano)
    }
}

fn moment(ns: u64) -> Result<Timestamp> {
    const NS_A_MILLISECOND: u64 = 1_000_000;
    let milliseconds = i64::try_from(ns / NS_A_MILLISECOND).ok();
    milliseconds
        .and_then(Timestamp::from_milliseconds)
        .ok_or_else(|| Error::internal("a time beyond the calendar"))
}

/// A span that is to be written. Its records are made when they are: as such it is
/// several times as large.
#[derive(Debug)]
pub(super) struct SpanRecord {
    pub(super) facts: Facts,
    span: Span,
}

impl SpanRecord {
    /// What a span is to be written as.
    ///
    /// # Errors
    /// Those of [`Self::step`].
    pub(super) fn of(span: Span, execution_id: &ExecutionId) -> Result<Self> {
        let step = step_of(&span, execution_id)?;
        let facts = Facts {
            parent_span_id: span.parent_id,
            start_time_unix_nano: span.start_ns,
            end_time_unix_nano: span.end_ns,
            step_type: step_type_of(&span),
            is_run: span.attributes.get("flowtrail.run") == Some(&Value::Bool(true)),
            has_payload_items: step.payload_items().next().is_some(),
        };
        Ok(Self { facts, span })
    }

    /// The span's id.
    pub(super) fn id(&self) -> SpanId {
        self.span.id
    }

    /// The step's item, which stands nowhere yet, and the items of its payloads that are
    /// too large for it.
    ///
    /// # Errors
    /// [`Error::Internal`] never in fact: everything in a span can be a record.
    pub(super) fn step(&self, execution_id: &ExecutionId) -> Result<(Item, Vec<Item>)> {
        let step = step_of(&self.span, execution_id)?;
        let mut item = step.item()?;
        let facts = serde_dynamo::to_attribute_value(&self.facts).map_err(Error::internal)?;
        item.insert(SPAN.to_owned(), facts);
        Ok((item, step.payload_items().collect()))
    }

    /// The run's item, and the items of its payloads.
    ///
    /// # Errors
    /// Those of [`Self::step`].
    pub(super) fn run(
        &self,
        team_id: &TeamId,
        execution_id: &ExecutionId,
    ) -> Result<(Item, Vec<Item>)> {
        let step = step_of(&self.span, execution_id)?;
        let run = run_of(&self.span, team_id, execution_id, &step)?;
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

fn step_of(span: &Span, execution_id: &ExecutionId) -> Result<StepRecord> {
    let status = match span.failure {
        None => StepStatus::Completed,
        Some(_) => StepStatus::Failed,
    };
    let id = span.id.to_string().parse().map_err(Error::internal)?;
    let start_time = moment(span.start_ns)?;
    // Where it stands is for the layout to say.
    let place = Place::TopLevel;
    let mut step = StepRecord::new(execution_id.clone(), place, id, start_time, status);
    step.step_id = Some(id_of(&span.name));
    step.step_name = Some(shortened(&span.name, MAX_TEXT_BYTES));
    step.end_time = Some(moment(span.end_ns)?);
    step.error_message = error_of(span);
    let payload = |names: [&str; 2]| {
        let value = names.iter().find_map(|name| span.attributes.get(*name));
        value.map(payload_of).transpose()
    };
    step.input = payload(INPUTS)?;
    step.output = payload(OUTPUTS)?;
    step.execution_data = Some(Payload::of(&data_of(span)).map_err(Error::internal)?);
    Ok(step)
}

fn run_of(
    span: &Span,
    team_id: &TeamId,
    execution_id: &ExecutionId,
    step: &StepRecord,
) -> Result<ExecutionRecord> {
    let status = match span.failure {
        None => Status::Completed,
        Some(_) => Status::Failed,
    };
    let mut run = ExecutionRecord::new(
        execution_id.clone(),
        team_id.clone(),
        flow_id_of(span)?,
        step.start_time,
        status,
    );
    let short = |name: &str| Some(shortened(&text_of(span, name)?, MAX_TEXT_BYTES));
    run.flow_name = step.step_name.clone();
    run.flow_version = short("service.version").map(Into::into);
    run.trigger = Some(short("flowtrail.trigger").unwrap_or_else(|| "OTEL".to_owned()));
    run.device_id = match text_of(span, "flowtrail.device.id") {
        Some(device) => Some(id_of(&device).parse().map_err(Error::internal)?),
        None => None,
    };
    run.start_time = Some(step.start_time);
    run.end_time = step.end_time;
    run.error_message = step.error_message.clone();
    run.labels = labels_of(span);
    Ok(run)
}

fn flow_id_of(span: &Span) -> Result<FlowId> {
    let named = text_of(span, "flowtrail.flow.id");
    let flow = named.unwrap_or_else(|| {
        let service = text_of(span, "service.name");
        let service = service.as_deref().unwrap_or(UNKNOWN_SERVICE);
        format!("{service}/{}", span.name)
    });
    id_of(&flow).parse().map_err(Error::internal)
}

/// The id of the record format that is most like a text.
fn id_of(text: &str) -> String {
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

fn step_type_of(span: &Span) -> String {
    let named = span.attributes.get("flowtrail.step.type");
    let named = named.and_then(Value::as_str).filter(|it| !it.is_empty());
    shortened(named.unwrap_or(span.kind), MAX_ID_LENGTH)
}

/// An attribute of the span itself or, where it has none of that name, of its resource,
/// as a text that is not empty.
fn text_of(span: &Span, name: &str) -> Option<String> {
    let attribute = span.attributes.get(name);
    let text = match attribute.or_else(|| span.resource.get(name))? {
        Value::String(text) => text.clone(),
        Value::Null => return None,
        other => other.to_string(),
    };
    (!text.is_empty()).then_some(text)
}

fn error_of(span: &Span) -> Option<String> {
    span.failure.clone().filter(|error| !error.is_empty())
}

/// The labels that attributes give, the first by name, and the trace's id.
fn labels_of(span: &Span) -> BTreeMap<String, String> {
    const PREFIX: &str = "flowtrail.label.";
    let names = span.resource.keys().chain(span.attributes.keys());
    let names = names.filter_map(|name| name.strip_prefix(PREFIX));
    let names = names.filter(|name| !name.is_empty() && name.len() <= MAX_ID_LENGTH);
    let label = |name: &str| {
        let value = text_of(span, &format!("{PREFIX}{name}"))?;
        Some((name.to_owned(), shortened(&value, MAX_TEXT_BYTES)))
    };
    let labels: BTreeMap<_, _> = names.filter_map(label).collect();
    let trace_id = ("traceId".to_owned(), span.trace_id.to_string());
    let labels = labels.into_iter().filter(|(name, _)| *name != trace_id.0);
    labels
        .take(MAX_LABELS - 1)
        .chain([trace_id.clone()])
        .collect()
}

/// An attribute as the payload that it is: a text that is JSON is what it says.
fn payload_of(value: &Value) -> Result<Payload> {
    let json = value
        .as_str()
        .and_then(|text| serde_json::from_str::<&RawValue>(text).ok());
    let payload = match json {
        Some(json) => Payload::of(json),
        None => Payload::of(value),
    };
    payload.map_err(Error::internal)
}

/// All else that there is to know of a span.
fn data_of(span: &Span) -> Value {
    let is_shown_elsewhere = |name: &str| INPUTS.contains(&name) || OUTPUTS.contains(&name);
    let attributes = span.attributes.iter();
    let attributes: Attributes = attributes
        .filter(|(name, _)| !is_shown_elsewhere(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let mut data = span.details.clone();
    data.insert("kind".to_owned(), json!(span.kind));
    if let Some(parent_id) = span.parent_id {
        data.insert("parentSpanId".to_owned(), json!(parent_id));
    }
    insert_if_any(&mut data, "attributes", attributes);
    insert_if_any(&mut data, "resource", repeated(&span.resource));
    insert_if_any(&mut data, "scope", repeated(&span.scope));
    Value::Object(data)
}

fn insert_if_any(data: &mut Map<String, Value>, name: &str, attributes: Attributes) {
    if !attributes.is_empty() {
        data.insert(name.to_owned(), Value::Object(attributes));
    }
}

/// The first of some attributes, as far as every span is to repeat them.
fn repeated(attributes: &Attributes) -> Attributes {
    let mut bytes = 0;
    let attributes = attributes.iter().map(|(name, value)| {
        let name = shortened(name, MAX_REPEATED_TEXT_BYTES);
        (name, with_short_texts(value))
    });
    let fits = |(name, value): &(String, Value)| {
        bytes += name.len() + value.to_string().len();
        bytes <= MAX_REPEATED_BYTES
    };
    attributes.take_while(fits).collect()
}

/// A value that is no longer than a text may be that each span repeats.
fn with_short_texts(value: &Value) -> Value {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Array(_) | Value::Object(_) => value.to_string(),
        short => return short.clone(),
    };
    match text.len() <= MAX_REPEATED_TEXT_BYTES {
        true => value.clone(),
        false => shortened(&text, MAX_REPEATED_TEXT_BYTES).into(),
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
        SpanRecord::of(span.clone(), &execution_id()).expect("a record")
    }

    /// The run that a span is.
    fn run(span: &Span) -> Value {
        let team = "team-a".parse().expect("an id");
        let run = record(span).run(&team, &execution_id());
        serde_dynamo::from_item(run.expect("records").0).expect("JSON")
    }

    #[test]
    fn a_root_span_is_the_run_that_its_attributes_describe() {
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
    fn a_run_that_says_nothing_of_itself_has_the_names_that_are_left() {
        let run = run(&span(json!({}), json!({})));
        assert_eq!(run["flowId"], "unknown_service/GET-/orders/-id-");
        assert_eq!(run["trigger"], "OTEL");
        assert_eq!(run.get("flowVersion"), None);
        assert_eq!(run.get("deviceId"), None);
        assert_eq!(id_of(""), "-");
        assert_eq!(id_of(&"ß".repeat(500)), "-".repeat(128));
    }

    #[test]
    fn a_run_stays_small_whatever_its_attributes_hold() {
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
    fn a_step_has_what_its_span_was_given_and_gave_back_and_the_rest_as_data() {
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
                "attributes": {"flowtrail.step.type": "HTTP", "http.method": "GET"},
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
    fn what_is_large_lies_beside_the_step() {
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
    fn what_every_span_repeats_is_bounded() {
        let many = (0..100).map(|n| (format!("{n:02}"), json!("x".repeat(500))));
        let kept = repeated(&many.collect());
        assert_eq!(kept.len(), 16);
        assert!(kept.contains_key("00") && !kept.contains_key("16"));
        let long = attributes(json!({"a": ["y".repeat(2_000)], "b": true, "c": [1]}));
        let mut kept = repeated(&long);
        let cut = kept.remove("a").expect("kept");
        assert_eq!(cut.as_str().map(str::len), Some(1_024));
        assert_eq!(kept, attributes(json!({"b": true, "c": [1]})));
    }
}
