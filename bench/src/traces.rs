//! The ingestion of a large trace, in bodies of 512 spans as exporters send them. It runs in its
//! own process, so that the work of DynamoDB is not included in its processor time.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use functions::traces::Form;
use local::terminal::Failure;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use shared::config;
use shared::otlp::write_spans;
use shared::store::Store;

use crate::measure::{failure, operator, processor_time};
use crate::report::{Figure, Line, Times, Unit};
use crate::table::{TableLocation, serve_wire};

const NAME: &str = "traces";

/// The spans of a body: the default of the SDKs.
const SPANS_A_BODY: u64 = 512;

/// Which spans of a trace are measured: their requests are compared with the first one.
const MEASURED: [u64; 3] = [1_000, 10_000, 50_000];

/// Starts of spans, in Unix nanoseconds.
const START_NS: u64 = 1_771_324_200_000_000_000;

fn text(key: &str, value: &str) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue {
            value: Some(Value::StringValue(value.to_owned())),
        }),
        ..KeyValue::default()
    }
}

/// A span of a program: a step below one of the last ones, with some attributes.
fn span(trace: u64, number: u64) -> Span {
    let start = START_NS + number * 1_000_000;
    Span {
        trace_id: u128::from(trace).to_be_bytes().to_vec(),
        span_id: number.to_be_bytes().to_vec(),
        parent_span_id: (1 + number / 8).to_be_bytes().to_vec(),
        name: format!("step {}", number % 20),
        kind: 1,
        start_time_unix_nano: start,
        end_time_unix_nano: start + 5_000_000,
        attributes: vec![
            text("order.id", &format!("order-{number}")),
            text("code.function.name", "shop.orders.charge"),
            text("thread.name", "worker-1"),
        ],
        ..Span::default()
    }
}

/// The body with these spans of a trace.
fn body(trace: u64, numbers: std::ops::Range<u64>) -> Vec<u8> {
    let resource = Resource {
        attributes: vec![text("service.name", "shop"), text("host.name", "shop-1")],
        ..Resource::default()
    };
    let scope = InstrumentationScope {
        name: "shop.orders".to_owned(),
        ..InstrumentationScope::default()
    };
    let spans = ScopeSpans {
        scope: Some(scope),
        spans: numbers.map(|number| span(trace, number)).collect(),
        ..ScopeSpans::default()
    };
    let request = ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(resource),
            scope_spans: vec![spans],
            ..ResourceSpans::default()
        }],
    };
    request.encode_to_vec()
}

/// Sends traces of this number of spans to another process's table. Prints the times of the
/// measured requests in microseconds, one line for each trace, and then the number of spans and
/// the processor time in milliseconds.
///
/// # Errors
/// Returns an error if a request of the table fails.
pub async fn ingest(
    endpoint_url: &str,
    table: &str,
    traces: u64,
    spans: u64,
) -> Result<(), Failure> {
    let config = config::sdk_config(Some(endpoint_url)).await;
    let store = Store::new(aws_sdk_dynamodb::Client::new(&config), table);
    let caller = operator()?;
    let send = async |body: Vec<u8>| {
        let read = Form::Protobuf.read(body.into());
        let read = read.map_err(|_| Failure("a body cannot be read".to_owned()))?;
        let begin = Instant::now();
        let written = write_spans(&store, &caller, read.spans)
            .await
            .map_err(failure)?;
        match written.rejections.spans() {
            0 => Ok(begin.elapsed()),
            rejected => Err(Failure(format!("{rejected} spans were rejected"))),
        }
    };
    // The first requests open connections.
    for trace in 1..=5 {
        send(body(trace, 2..2 + SPANS_A_BODY)).await?;
    }
    let processor = || processor_time(std::process::id()).unwrap_or_default();
    let (mut busy, mut count) = (Duration::ZERO, 0);
    for trace in 0..traces {
        let mut times = Vec::new();
        for first in (0..spans).step_by(SPANS_A_BODY as usize) {
            let last = (first + SPANS_A_BODY).min(spans);
            let body = body(100 + trace, first + 2..last + 2);
            let before = processor();
            let time = send(body).await?;
            busy += processor() - before;
            count += last - first;
            let is_measured = |span: &u64| (first + 1..=last).contains(span);
            if first == 0 || MEASURED.iter().any(is_measured) {
                times.push(time.as_micros().to_string());
            }
        }
        println!("{}", times.join(" "));
    }
    println!("{count} {}", busy.as_millis());
    Ok(())
}

/// Measures traces of this number of spans.
///
/// # Errors
/// Returns an error if a request of the table, or the other process, fails.
pub async fn run(place: &TableLocation, traces: u32, spans: u64) -> Result<Vec<Line>, Failure> {
    let table = place.create(NAME).await?;
    let open = table.open().await?;
    let url = match (open.embedded(), &table.endpoint_url) {
        (Some(embedded), _) => serve_wire(embedded.clone()).await?,
        (None, Some(url)) => url.clone(),
        (None, None) => return Err(Failure("the table has no address".to_owned())),
    };
    let (traces, spans) = (traces.to_string(), spans.to_string());
    let mut ingestion = Command::new(std::env::current_exe().map_err(failure)?);
    ingestion
        .args(["ingest", &url, &table.name, &traces, &spans])
        .stderr(Stdio::inherit());
    let output = tokio::task::spawn_blocking(move || ingestion.output()).await;
    let output = output.map_err(failure)?.map_err(failure)?;
    let output = String::from_utf8_lossy(&output.stdout).into_owned();
    drop(open);
    table.remove().await?;
    let lines = lines(&output).ok_or(Failure("the ingestion failed".to_owned()))?;
    Ok(lines)
}

fn lines(output: &str) -> Option<Vec<Line>> {
    let (traces, total) = output.trim().rsplit_once('\n')?;
    let (count, busy) = total.split_once(' ')?;
    let (count, busy): (f64, f64) = (count.parse().ok()?, busy.parse().ok()?);
    let rate = Figure::new(count / (busy / 1e3), Unit::PerSecond);
    let work = format!("{count} spans in bodies of {SPANS_A_BODY}, by one processor");
    let mut lines = vec![Line::new(NAME, work, rate).at_least(20_000.0)];
    let mut times: Vec<Times> = Vec::new();
    for trace in traces.lines() {
        for (position, time) in trace.split(' ').enumerate() {
            if times.len() == position {
                times.push(Times::default());
            }
            times[position].push(Duration::from_micros(time.parse().ok()?));
        }
    }
    let (first, later) = times.split_first()?;
    for (span, times) in MEASURED.iter().zip(later) {
        let work = format!("the request with the {span}th span of a trace");
        let line = Line::times(NAME, work, times).compared_with_times("the first request", first);
        lines.push(line.at_most(1.5));
    }
    Some(lines)
}
