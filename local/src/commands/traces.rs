//! `flowtrail traces …`: what arrived from the exporters of OpenTelemetry traces.

use std::time::Duration;

use axum::http::Method;
use shared::model::Timestamp;

use super::running_server::RunningServer;
use crate::arrivals::{ArrivalView, ArrivalsView, ContentsView, MAX_PAGE, PATH, RunView};
use crate::cli::{TracesCheckArgs, TracesCommand};
use crate::terminal::{self, Failure};

/// How often new requests are read.
const POLLED_EVERY: Duration = Duration::from_millis(500);

/// How long the token is valid with which requests are read from a server on another table, in
/// milliseconds: a minute, and a working day for `--follow`.
const TOKEN_MS: i64 = 60_000;
const FOLLOW_TOKEN_MS: i64 = 12 * 3_600 * 1_000;

/// Runs `flowtrail traces …`.
///
/// # Errors
/// No server is running there, or the server refuses the request; or `check` has found nothing, or
/// a request with a problem.
pub async fn run_traces(command: TracesCommand) -> Result<(), Failure> {
    let TracesCommand::Check(args) = command;
    let token_ms = match args.follow {
        true => FOLLOW_TOKEN_MS,
        false => TOKEN_MS,
    };
    let name = "flowtrail traces check";
    let server = RunningServer::find(&args.server, name, token_ms).await?;
    let mut shown = Shown::default();
    if !args.follow {
        let page = read(&server, &format!("?limit={}", args.limit)).await?;
        shown.print(&args, &page);
        return shown.report();
    }
    eprintln!("Showing requests with traces as they arrive. Press Ctrl-C to stop.");
    tokio::select! {
        failure = follow(&args, &server, &mut shown) => failure?,
        interrupted = tokio::signal::ctrl_c() => {
            interrupted
                .map_err(|error| Failure(format!("Signals cannot be received: {error}.")))?;
        }
    }
    shown.report()
}

/// Prints the last requests, and then each further one.
async fn follow(
    args: &TracesCheckArgs,
    server: &RunningServer,
    shown: &mut Shown,
) -> Result<(), Failure> {
    let mut page = read(server, &format!("?limit={}", args.limit)).await?;
    let mut started_at = page.started_at;
    let mut last = 0;
    loop {
        // A server that was started again begins to count again.
        if page.started_at == started_at {
            shown.print(args, &page);
            last = page.requests.last().map_or(last, |request| request.number);
        } else {
            started_at = page.started_at;
            last = 0;
        }
        if page.requests.len() < MAX_PAGE {
            tokio::time::sleep(POLLED_EVERY).await;
        }
        page = read(server, &format!("?after={last}")).await?;
    }
}

/// The number of requests that were shown.
#[derive(Debug, Default)]
struct Shown {
    all: usize,
    with_problem: usize,
}

impl Shown {
    fn print(&mut self, args: &TracesCheckArgs, page: &ArrivalsView) {
        for request in &page.requests {
            self.all += 1;
            self.with_problem += usize::from(has_problem(request));
            match args.json {
                true => terminal::print(serde_json::json!(request)),
                false => terminal::print(to_text(request)),
            }
        }
    }

    /// Returns an error if nothing arrived, or with a problem.
    fn report(&self) -> Result<(), Failure> {
        let Self { all, with_problem } = self;
        match (all, with_problem) {
            (0, _) => Err(Failure(
                "No request with traces has arrived since the server was started. Check the \
                 endpoint of the exporter, and wait until it has sent its first spans."
                    .to_owned(),
            )),
            (_, 0) => Ok(()),
            _ => Err(Failure(format!(
                "{with_problem} of these {all} requests had problems."
            ))),
        }
    }
}

async fn read(server: &RunningServer, query: &str) -> Result<ArrivalsView, Failure> {
    let refused = "The server refused to list the requests with traces";
    server
        .request(Method::GET, &format!("{PATH}{query}"), refused)
        .await
}

fn has_problem(request: &ArrivalView) -> bool {
    request.problem.is_some() || !request.message.is_empty()
}

/// Formats a request for people. Texts of programs are escaped, because they may contain anything,
/// including characters that move a terminal's cursor.
fn to_text(request: &ArrivalView) -> String {
    let mut lines = vec![first_line(request)];
    let mut add = |name: &str, text: String| lines.push(format!("    {name:<9} {text}"));
    let message = request.message.escape_debug().to_string();
    if request.problem.is_some() {
        add("reason", message.clone());
    }
    if let Some(contents) = &request.contents {
        add("services", list(&contents.services));
        if !contents.scopes.is_empty() {
            add("scopes", list(&contents.scopes));
        }
        if let Some(dropped) = dropped(contents) {
            add("dropped", dropped);
        }
    }
    if request.problem.is_none() && !message.is_empty() {
        add("problem", message);
    }
    for run in request.contents.iter().flat_map(|contents| &contents.runs) {
        add("run", run_line(run));
        add("", run.url.escape_debug().to_string());
    }
    if request
        .contents
        .as_ref()
        .is_some_and(|contents| contents.has_more)
    {
        add("", "and more services, scopes or runs".to_owned());
    }
    lines.join("\n")
}

fn first_line(request: &ArrivalView) -> String {
    let ArrivalView { time, protocol, .. } = request;
    let time: &Timestamp = time;
    let path = request.path.as_ref();
    let path = path.map_or(String::new(), |path| format!(" to {}", path.escape_debug()));
    let result = match (&request.problem, &request.contents) {
        (Some(problem), _) => format!("refused: {}", problem.escape_debug()),
        (None, Some(contents)) => accepted(contents),
        (None, None) => "answered".to_owned(),
    };
    format!("{time}  {}{path}  {result}", protocol.escape_debug())
}

fn accepted(contents: &ContentsView) -> String {
    let accepted = format!("{} accepted", count(contents.spans as u64, "span"));
    match contents.rejected_spans {
        0 => accepted,
        rejected => format!("{accepted}, {rejected} rejected"),
    }
}

/// What the spans lack; `None` for nothing.
fn dropped(contents: &ContentsView) -> Option<String> {
    let counts = [
        (contents.dropped_attributes, "attribute"),
        (contents.dropped_events, "event"),
        (contents.dropped_links, "link"),
    ];
    let counts = counts.into_iter().filter(|(number, _)| *number > 0);
    let counts: Vec<_> = counts.map(|(number, noun)| count(number, noun)).collect();
    (!counts.is_empty()).then(|| counts.join(", "))
}

fn count(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

fn run_line(run: &RunView) -> String {
    let id = run.execution_id.escape_debug();
    match (&run.flow_id, run.status) {
        (Some(flow_id), Some(status)) => {
            let flow = run.flow_name.as_ref().unwrap_or(flow_id).escape_debug();
            format!(
                "{id}  {flow} ({}), {}",
                flow_id.escape_debug(),
                status.as_str()
            )
        }
        _ => format!("{id}  not listed: its root span has not arrived, or the run was deleted"),
    }
}

fn list(values: &[String]) -> String {
    let values = values.iter().map(|value| value.escape_debug().to_string());
    values.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn text_of(request: Value) -> String {
        to_text(&serde_json::from_value(request).expect("a request"))
    }

    fn request(members: Value) -> Value {
        let mut request = json!({
            "number": 1, "time": "2026-02-17T10:30:00.000Z", "protocol": "gRPC",
            "services": ["shop"], "scopes": ["shop.orders 1.0", "http"], "spans": 5,
            "rejectedSpans": 0, "droppedAttributes": 0, "droppedEvents": 0, "droppedLinks": 0,
            "hasMore": false, "runs": [],
        });
        for (name, value) in members.as_object().expect("members") {
            request[name] = value.clone();
        }
        request
    }

    #[test]
    fn an_accepted_request_shows_its_runs() {
        let url = "http://127.0.0.1:3000/#/runs/default%3A1";
        let runs = json!([
            {"executionId": "default:1", "url": url, "flowId": "shop/order", "flowName": "order",
             "status": "COMPLETED"},
            {"executionId": "default:2", "url": "http://127.0.0.1:3000/#/runs/default%3A2",
             "flowId": null, "flowName": null, "status": null},
        ]);
        assert_eq!(
            text_of(request(json!({"runs": runs}))),
            "2026-02-17T10:30:00.000Z  gRPC  5 spans accepted\n    \
             services  shop\n    \
             scopes    shop.orders 1.0, http\n    \
             run       default:1  order (shop/order), COMPLETED\n              \
             http://127.0.0.1:3000/#/runs/default%3A1\n    \
             run       default:2  not listed: its root span has not arrived, or the run was \
             deleted\n              \
             http://127.0.0.1:3000/#/runs/default%3A2"
        );
    }

    #[test]
    fn rejected_and_dropped_parts_have_their_reasons() {
        let members = json!({
            "spans": 1, "rejectedSpans": 2, "message": "2 spans: the start time is missing",
            "droppedAttributes": 1, "droppedLinks": 3, "hasMore": true, "scopes": [],
        });
        assert_eq!(
            text_of(request(members)),
            "2026-02-17T10:30:00.000Z  gRPC  1 span accepted, 2 rejected\n    \
             services  shop\n    \
             dropped   1 attribute, 3 links\n    \
             problem   2 spans: the start time is missing\n              \
             and more services, scopes or runs"
        );
    }

    #[test]
    fn a_refused_request_has_its_reason_and_no_control_characters() {
        let refused = json!({
            "number": 2, "time": "2026-02-17T10:30:00.000Z", "protocol": "HTTP JSON",
            "path": "/v1/\u{1b}[2J", "problem": "NOT_FOUND", "message": "Check the path.",
        });
        assert_eq!(
            text_of(refused),
            "2026-02-17T10:30:00.000Z  HTTP JSON to /v1/\\u{1b}[2J  refused: NOT_FOUND\n    \
             reason    Check the path."
        );
    }
}
