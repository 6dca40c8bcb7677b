//! The bridge from AWS Step Functions: executions become runs, without changes to the state
//! machines.
//!
//! EventBridge reports each change of an execution's status ([`change`]) through a queue.
//! When an execution starts, its run is written. When it ends, its history is read and
//! converted to steps ([`history`]), and then the run is ended. Everything that is written
//! depends only on the execution, so an event may arrive twice, late, or in the wrong
//! order. docs/step-functions.md describes the conversion.

use std::time::{Duration, Instant};

use aws_sdk_sfn::Client;
use aws_sdk_sfn::error::SdkError;
use aws_sdk_sfn::operation::get_execution_history::GetExecutionHistoryError;
use aws_sdk_sfn::types::HistoryEvent;
use format::attributes::{TEAM_ID, text};
use format::error::with_causes;
use format::keys;
use format::model::{ExecutionId, Item, Status, TeamId};
use format::payload::RunPayload;
use format::record::{ExecutionRecord, Payload};
use serde_json::Value;
use store::{Condition, Store, Usage};

pub mod change;
pub mod history;
mod state;

use change::{NotAChange, StatusChange};
use history::{FinishedHistory, History};

/// The most events that Step Functions returns in one page.
const EVENTS_A_PAGE: i32 = 1_000;

/// The most pages of a history. A history is limited to 25,000 events, and a page may be
/// shorter than requested.
const MAX_PAGES: usize = 1_000;

/// How many batches are written at a time.
const BATCHES_AT_A_TIME: usize = 4;

/// How long to wait for a history that does not contain the end of its execution yet,
/// because Step Functions is eventually consistent. After the last wait, the queue repeats
/// the event.
const WAITS: [Duration; 3] = [
    Duration::from_millis(250),
    Duration::from_secs(1),
    Duration::from_secs(4),
];

/// Why something failed, as reported by Step Functions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Failure {
    /// The error's name, such as `States.Timeout`.
    pub error: Option<String>,
    /// The error's cause: a sentence, or the exception of a function, as JSON.
    pub cause: Option<String>,
}

impl Failure {
    /// Creates a failure from the non-empty parts; `None` if both are missing or empty.
    pub fn new(error: Option<String>, cause: Option<String>) -> Option<Self> {
        let known = |text: &String| !text.is_empty();
        let (error, cause) = (error.filter(known), cause.filter(known));
        (error.is_some() || cause.is_some()).then_some(Self { error, cause })
    }

    /// Formats the failure in one line. For an exception of a Lambda function, this is its
    /// message without the stack trace.
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

/// Why an event could not be imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The message is not a status change.
    #[error(transparent)]
    NotAChange(#[from] NotAChange),
    /// Step Functions did not return the history.
    #[error("the history cannot be read")]
    History(#[source] Box<SdkError<GetExecutionHistoryError>>),
    /// The history does not contain the end of its execution yet.
    #[error("the history does not contain the end of its execution yet")]
    Unfinished,
    /// The run's id belongs to another team.
    #[error("the execution id {0} belongs to another team: its run was not changed")]
    OtherTeam(ExecutionId),
    /// An error of the table, with its causes.
    #[error("{0}")]
    Table(String),
}

impl From<format::Error> for ImportError {
    fn from(error: format::Error) -> Self {
        Self::Table(error.with_causes())
    }
}

impl From<SdkError<GetExecutionHistoryError>> for ImportError {
    fn from(error: SdkError<GetExecutionHistoryError>) -> Self {
        Self::History(Box::new(error))
    }
}

/// The result of importing an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Imported {
    /// Nothing had to be written.
    Nothing,
    /// The run was started, or was ended with this number of steps.
    Written(usize),
    /// The run had ended before. Its steps were written, and its end was not changed.
    EndedBefore,
}

/// Imports executions of Step Functions into a team's history.
#[derive(Debug, Clone)]
pub struct Importer {
    store: Store,
    step_functions: Client,
    team_id: TeamId,
}

impl Importer {
    /// Creates an importer of the executions that this client can read.
    pub fn new(store: Store, step_functions: Client, team_id: TeamId) -> Self {
        Self {
            store,
            step_functions,
            team_id,
        }
    }

    /// Imports an event of EventBridge, and logs a line with this request id. An event of another
    /// kind is logged and skipped.
    ///
    /// # Errors
    /// The event cannot be parsed, or an error of [`Self::follow`].
    pub async fn follow_event(&self, request_id: &str, event: &str) -> Result<(), ImportError> {
        let change = match StatusChange::parse(event) {
            Ok(change) => change,
            Err(NotAChange::Foreign(kind)) => {
                tracing::warn!(request_id, kind, "skipped an event of another kind");
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
                log_import(request_id, execution_arn, imported, start, &usage);
                Ok(())
            }
            Err(error) => {
                let causes = with_causes(&error);
                tracing::error!(request_id, execution_arn, error = causes, "not imported");
                Err(error)
            }
        }
    }

    /// Writes the records that a status change leads to.
    ///
    /// # Errors
    /// A request to the table or to Step Functions fails. If the same change is passed
    /// again, the missing records are written.
    pub async fn follow(&self, change: &StatusChange) -> Result<Imported, ImportError> {
        match change.status {
            Some(status) if status.is_terminal() => self.end(change, status).await,
            Some(status) => self.begin(change, status).await,
            None => Ok(Imported::Nothing),
        }
    }

    /// Checks that the run does not belong to another team, before anything is written
    /// below that run, because everyone with access to the run would see these records.
    async fn require_own(&self, change: &StatusChange) -> Result<(), ImportError> {
        let execution_id = change.execution_id();
        let pk = keys::execution_partition(&execution_id);
        let run = self.store.get_latest(&pk, keys::EXECUTION).await?;
        let is_own = |run: &Item| run.get(TEAM_ID) == Some(&text(self.team_id.as_str()));
        match run.is_none_or(|run| is_own(&run)) {
            true => Ok(()),
            false => Err(ImportError::OtherTeam(execution_id)),
        }
    }

    async fn begin(&self, change: &StatusChange, status: Status) -> Result<Imported, ImportError> {
        self.require_own(change).await?;
        let input = match &change.input {
            Some(input) => Some(input.clone()),
            None => self.read_input(change).await?,
        };
        let record = change.record(&self.team_id, status, input.as_deref());
        self.write(payload_items(change, RunPayload::Input, input.as_deref()))
            .await?;
        // If the run has already ended, its end stays.
        let is_new = self
            .store
            .put_if(record.item()?, Condition::absent())
            .await?;
        Ok(match is_new {
            true => Imported::Written(0),
            false => Imported::Nothing,
        })
    }

    /// Reads the input of an execution, if it is too large for an event.
    async fn read_input(&self, change: &StatusChange) -> Result<Option<String>, ImportError> {
        let request = self.step_functions.get_execution_history();
        let request = request.execution_arn(&change.execution_arn).max_results(1);
        let first = request.send().await?.events.into_iter().next();
        let details = first.and_then(|event| event.execution_started_event_details);
        Ok(details.and_then(|details| details.input))
    }

    async fn end(&self, change: &StatusChange, status: Status) -> Result<Imported, ImportError> {
        self.require_own(change).await?;
        let history = match self.read(change).await {
            Ok(history) => history,
            // The state machine, and with it the history, was deleted immediately.
            Err(ImportError::History(error)) if is_gone(&error) => FinishedHistory {
                failure: change.failure.clone(),
                input: change.input.clone(),
                output: change.output.clone(),
                ..FinishedHistory::default()
            },
            Err(error) => return Err(error),
        };
        self.write_history(change, &history).await?;
        // The run is written last, so that an ended run has all its steps.
        let steps = history.steps.len();
        let item = self.ended_run(change, status, history).item()?;
        let condition = Condition::of_execution(&item)?;
        let is_open = self.store.put_if(item, condition).await?;
        Ok(match is_open {
            true => Imported::Written(steps),
            false => Imported::EndedBefore,
        })
    }

    /// Writes the steps, and the payloads of the steps and the run.
    async fn write_history(
        &self,
        change: &StatusChange,
        history: &FinishedHistory,
    ) -> Result<(), ImportError> {
        let steps = history.steps.iter().map(|step| step.item());
        let items: Vec<Item> = steps.collect::<Result<_, _>>()?;
        let payloads = history.steps.iter().flat_map(|step| step.payload_items());
        let (input, output) = (history.input.as_deref(), history.output.as_deref());
        let own = [(RunPayload::Input, input), (RunPayload::Output, output)]
            .into_iter()
            .flat_map(|(payload, text)| payload_items(change, payload, text));
        self.write(items.into_iter().chain(payloads).chain(own))
            .await
    }

    fn ended_run(
        &self,
        change: &StatusChange,
        status: Status,
        history: FinishedHistory,
    ) -> ExecutionRecord {
        let mut record = change.record(&self.team_id, status, history.input.as_deref());
        record.end_time = record.end_time.or(history.ended_at);
        let failure = change.failure.clone().or(history.failure);
        let message = failure.and_then(|failure| failure.message());
        match status {
            Status::Cancelled => record.cancel_reason = message,
            _ => record.error_message = message,
        }
        record.step_summary = history.summary;
        record
    }

    /// Reads the history of an execution that has ended, and waits until it contains the end.
    async fn read(&self, change: &StatusChange) -> Result<FinishedHistory, ImportError> {
        let mut waits = WAITS.into_iter();
        loop {
            let history = self.read_current(change).await?;
            if let Some(finished) = history.finish() {
                return Ok(finished);
            }
            let wait = waits.next().ok_or(ImportError::Unfinished)?;
            tokio::time::sleep(wait).await;
        }
    }

    /// Reads a history page by page, and writes the large payloads of each page, so that
    /// only the texts of one page are in memory.
    async fn read_current(&self, change: &StatusChange) -> Result<History, ImportError> {
        let mut history = History::new(change);
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
                .for_each(|event: HistoryEvent| history.add(event));
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

/// Returns the items of a run's input or output.
fn payload_items(change: &StatusChange, payload: RunPayload, text: Option<&str>) -> Vec<Item> {
    let value = text.and_then(|text| state::to_payload(text, format::record::INLINE_BYTES));
    let items = |value: Payload| value.items(&change.execution_id(), payload.name());
    value.map(items).unwrap_or_default()
}

fn log_import(
    request_id: &str,
    execution_arn: &str,
    imported: Imported,
    start: Instant,
    usage: &Usage,
) {
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
}

fn is_gone(error: &SdkError<GetExecutionHistoryError>) -> bool {
    let error = error.as_service_error();
    error.is_some_and(GetExecutionHistoryError::is_execution_does_not_exist)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_formatted_in_one_line() {
        let message = |error: Option<&str>, cause: Option<&str>| {
            let text = |text: Option<&str>| text.map(str::to_owned);
            Failure::new(text(error), text(cause)).and_then(|failure| failure.message())
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
