//! The bridge from AWS Step Functions: executions become runs, and nothing of the state
//! machines has to be changed for it.
//!
//! EventBridge tells of each change of an execution's status ([`change`]), through a
//! queue. When one begins, its run is written; when one ends, its history is read and
//! made into steps ([`history`]), and then the run is ended. What is written follows from
//! the execution alone, so an event may come twice, late or before the one that it
//! follows. docs/step-functions.md says what becomes of what.

use std::time::{Duration, Instant};

use aws_sdk_sfn::Client;
use aws_sdk_sfn::error::SdkError;
use aws_sdk_sfn::operation::get_execution_history::GetExecutionHistoryError;
use aws_sdk_sfn::types::HistoryEvent;
use lambda_runtime::LambdaEvent;
use serde::Deserialize;
use serde_json::Value;
use shared::error::with_causes;
use shared::model::{Item, Status, TeamId};
use shared::payload::RunPayload;
use shared::record::Payload;
use shared::store::{Replaced, Store};

pub mod change;
pub mod history;
mod state;

use change::{NotAChange, StatusChange};
use history::{History, Told};

/// The environment variable with the team whose runs the executions become.
pub const TEAM_VARIABLE: &str = "FLOWTRAIL_STEP_FUNCTIONS_TEAM";

/// The most events that Step Functions hands out at once.
const EVENTS_A_PAGE: i32 = 1_000;

/// The most pages of a history: it ends at 25,000 events, and a page may be shorter than
/// asked for.
const MAX_PAGES: usize = 1_000;

/// How many batches are written at a time.
const BATCHES_AT_A_TIME: usize = 4;

/// How long to wait for a history that is behind its execution: what Step Functions
/// answers is eventually consistent. After the last the event is tried again.
const WAITS: [Duration; 3] = [
    Duration::from_millis(250),
    Duration::from_secs(1),
    Duration::from_secs(4),
];

/// Why something failed, in the words of Step Functions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Failure {
    /// Its name, such as `States.Timeout`.
    pub error: Option<String>,
    /// What there is to say of it: a sentence, or what a function has thrown, as JSON.
    pub cause: Option<String>,
}

impl Failure {
    /// What is known of a failure; `None` where that is nothing.
    pub fn of(error: Option<String>, cause: Option<String>) -> Option<Self> {
        let known = |text: &String| !text.is_empty();
        let (error, cause) = (error.filter(known), cause.filter(known));
        (error.is_some() || cause.is_some()).then_some(Self { error, cause })
    }

    /// The failure in one line. Of what a Lambda function has thrown its message, and
    /// not the stack.
    pub fn message(&self) -> Option<String> {
        let cause = self.cause.as_deref().map(|cause| {
            let thrown: Option<Value> = serde_json::from_str(cause).ok();
            let message = thrown
                .as_ref()
                .and_then(|thrown| thrown["errorMessage"].as_str());
            message.unwrap_or(cause).to_owned()
        });
        match (&self.error, cause) {
            (Some(error), Some(cause)) => Some(format!("{error}: {cause}")),
            (Some(error), None) => Some(error.clone()),
            (None, cause) => cause,
        }
    }
}

/// Why an event has not been followed.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It is not what the queue is for.
    #[error(transparent)]
    NotAChange(#[from] NotAChange),
    /// Step Functions has not told the history.
    #[error("the history cannot be read")]
    History(#[source] Box<SdkError<GetExecutionHistoryError>>),
    /// The history does not have the end of its execution yet.
    #[error("the history has not come to the end of its execution")]
    Unfinished,
    /// The table's, with its causes.
    #[error("{0}")]
    Table(String),
}

impl From<shared::Error> for ImportError {
    fn from(error: shared::Error) -> Self {
        Self::Table(error.with_causes())
    }
}

impl From<SdkError<GetExecutionHistoryError>> for ImportError {
    fn from(error: SdkError<GetExecutionHistoryError>) -> Self {
        Self::History(Box::new(error))
    }
}

/// What an event has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Imported {
    /// There was nothing to be written.
    Nothing,
    /// The run has begun or, with this many steps, ended.
    Written(usize),
    /// The run had ended before: its steps are written, and its end stays.
    EndedBefore,
}

/// Imports executions of Step Functions into a team's history.
#[derive(Debug, Clone)]
pub struct Importer {
    store: Store,
    step_functions: Client,
    team_id: TeamId,
}

/// What Lambda hands over of a queue. The type of the crate of Lambda's events would bring
/// twenty other crates with it.
#[derive(Debug, Deserialize)]
pub struct QueueEvent {
    #[serde(rename = "Records")]
    messages: Vec<Message>,
}

#[derive(Debug, Deserialize)]
struct Message {
    body: String,
}

/// Follows the changes of executions in the messages of a queue.
///
/// # Errors
/// Those of the table, of Step Functions, and of a message that cannot be read. The
/// queue then hands over the messages again and, in the end, puts them aside.
pub async fn import(
    importer: &Importer,
    event: LambdaEvent<QueueEvent>,
) -> Result<(), lambda_runtime::Error> {
    let request_id = event.context.request_id;
    for message in event.payload.messages {
        importer.follow_logged(&request_id, &message.body).await?;
    }
    Ok(())
}

impl Importer {
    /// An importer of executions that the client can ask for.
    pub fn new(store: Store, step_functions: Client, team_id: TeamId) -> Self {
        Self {
            store,
            step_functions,
            team_id,
        }
    }

    async fn follow_logged(&self, request_id: &str, event: &str) -> Result<(), ImportError> {
        let change = match StatusChange::of(event) {
            Ok(change) => change,
            Err(NotAChange::Foreign(kind)) => {
                tracing::warn!(request_id, kind, "an event of another kind");
                return Ok(());
            }
            Err(error) => {
                let causes = error.to_string();
                tracing::error!(request_id, error = causes, "not imported");
                return Err(error.into());
            }
        };
        let (start, before) = (Instant::now(), self.store.usage());
        let execution_arn = &change.execution_arn;
        match self.follow(&change).await {
            Ok(imported) => {
                let usage = self.store.usage().since(before);
                let steps = match imported {
                    Imported::Written(steps) => steps,
                    Imported::Nothing | Imported::EndedBefore => 0,
                };
                tracing::info!(
                    request_id,
                    execution_arn,
                    is_new = matches!(imported, Imported::Written(_)),
                    steps,
                    duration_ms = start.elapsed().as_secs_f64() * 1_000.0,
                    table_requests = usage.requests,
                    capacity_units = usage.capacity_units,
                    "imported"
                );
                Ok(())
            }
            Err(error) => {
                let causes = with_causes(&error);
                tracing::error!(request_id, execution_arn, error = causes, "not imported");
                Err(error)
            }
        }
    }

    /// Writes what follows from a change.
    ///
    /// # Errors
    /// Those of the table and of Step Functions. To follow the same change again then
    /// writes what is missing.
    pub async fn follow(&self, change: &StatusChange) -> Result<Imported, ImportError> {
        match change.status {
            Some(status) if status.is_terminal() => self.end(change, status).await,
            Some(status) => self.begin(change, status).await,
            None => Ok(Imported::Nothing),
        }
    }

    async fn begin(&self, change: &StatusChange, status: Status) -> Result<Imported, ImportError> {
        let input = match &change.input {
            Some(input) => Some(input.clone()),
            None => self.first_input(change).await?,
        };
        let record = change.record(&self.team_id, status, input.as_deref());
        self.write(payload_items(change, RunPayload::Input, input.as_deref()))
            .await?;
        // Where the end has come before, it stays.
        let is_new = self.store.put_if(record.item()?, Replaced::Nothing).await?;
        Ok(match is_new {
            true => Imported::Written(0),
            false => Imported::Nothing,
        })
    }

    /// What an execution was given, where that is too large for an event.
    async fn first_input(&self, change: &StatusChange) -> Result<Option<String>, ImportError> {
        let request = self.step_functions.get_execution_history();
        let request = request.execution_arn(&change.execution_arn).max_results(1);
        let first = request.send().await?.events.into_iter().next();
        let details = first.and_then(|event| event.execution_started_event_details);
        Ok(details.and_then(|details| details.input))
    }

    async fn end(&self, change: &StatusChange, status: Status) -> Result<Imported, ImportError> {
        let told = match self.read(change).await {
            Ok(told) => told,
            // Its state machine was deleted at once, and its history with it.
            Err(ImportError::History(error)) if is_gone(&error) => Told {
                failure: change.failure.clone(),
                input: change.input.clone(),
                output: change.output.clone(),
                ..Told::default()
            },
            Err(error) => return Err(error),
        };
        let steps = told.steps.iter().map(|step| step.item());
        let items: Vec<Item> = steps.collect::<Result<_, _>>()?;
        let payloads = told.steps.iter().flat_map(|step| step.payload_items());
        let (input, output) = (told.input.as_deref(), told.output.as_deref());
        let own = [(RunPayload::Input, input), (RunPayload::Output, output)]
            .into_iter()
            .flat_map(|(payload, text)| payload_items(change, payload, text));
        self.write(items.into_iter().chain(payloads).chain(own))
            .await?;

        let mut record = change.record(&self.team_id, status, input);
        record.end_time = record.end_time.or(told.ended);
        let failure = change.failure.clone().or(told.failure);
        let message = failure.and_then(|failure| failure.message());
        match status {
            Status::Cancelled => record.cancel_reason = message,
            _ => record.error_message = message,
        }
        record.step_summary = told.summary;
        // Last, so that a run that has ended has all its steps.
        let is_open = self.store.put_if(record.item()?, Replaced::Open).await?;
        Ok(match is_open {
            true => Imported::Written(told.steps.len()),
            false => Imported::EndedBefore,
        })
    }

    /// Reads the history of an execution that has ended, once it has its end.
    async fn read(&self, change: &StatusChange) -> Result<Told, ImportError> {
        let mut waits = WAITS.into_iter();
        loop {
            let history = self.read_as_it_is(change).await?;
            if let Some(told) = history.told() {
                return Ok(told);
            }
            let wait = waits.next().ok_or(ImportError::Unfinished)?;
            tokio::time::sleep(wait).await;
        }
    }

    /// Reads a history a page at a time, and writes what is large in each, so that the
    /// texts of one page are in memory and not those of all.
    async fn read_as_it_is(&self, change: &StatusChange) -> Result<History, ImportError> {
        let mut history = History::of(change);
        let mut token = None;
        for _ in 0..MAX_PAGES {
            let request = self.step_functions.get_execution_history();
            let request = request
                .execution_arn(&change.execution_arn)
                .max_results(EVENTS_A_PAGE)
                .set_next_token(token);
            let page = request.send().await?;
            page.events
                .into_iter()
                .for_each(|event: HistoryEvent| history.take(event));
            self.write(history.large_payloads()).await?;
            token = page.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                break;
            }
        }
        Ok(history)
    }

    async fn write(&self, items: impl IntoIterator<Item = Item>) -> Result<(), ImportError> {
        Ok(self.store.put_many(items, BATCHES_AT_A_TIME).await?)
    }
}

/// The items of what a run was given or gave back.
fn payload_items(change: &StatusChange, payload: RunPayload, text: Option<&str>) -> Vec<Item> {
    let value = text.and_then(|text| state::payload_of(text, shared::record::INLINE_BYTES));
    let items = |value: Payload| value.items(&change.execution_id(), payload.name());
    value.map(items).unwrap_or_default()
}

fn is_gone(error: &SdkError<GetExecutionHistoryError>) -> bool {
    let error = error.as_service_error();
    error.is_some_and(GetExecutionHistoryError::is_execution_does_not_exist)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told_in_one_line() {
        let message = |error: Option<&str>, cause: Option<&str>| {
            let text = |text: Option<&str>| text.map(str::to_owned);
            Failure::of(text(error), text(cause)).and_then(|failure| failure.message())
        };
        let thrown = r#"{"errorMessage":"no stock","errorType":"Error","trace":["at x"]}"#;
        for (error, cause, expected) in [
            (Some("E"), Some("why"), Some("E: why")),
            (Some("E"), Some(thrown), Some("E: no stock")),
            (Some("E"), Some("{}"), Some("E: {}")),
            (Some("E"), None, Some("E")),
            (None, Some("why"), Some("why")),
            (Some(""), None, None),
        ] {
            assert_eq!(message(error, cause).as_deref(), expected);
        }
    }
}
