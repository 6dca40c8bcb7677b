//! Ends a run: successfully, with an error, or as cancelled.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use format::attributes::{
    CANCEL_REASON, CANCELLED_BY, DURATION_MS, END_TIME, ERROR_MESSAGE, STATUS, STEP_SUMMARY,
    number, text,
};
use format::model::{Status, StepSummary, Timestamp};
use format::record::{MAX_EXECUTION_ERROR_BYTES, shortened};
use store::Attempt;

use super::{Run, lock};
use crate::error::{Error, RefusedRecord, Result};
use crate::outcome::{Ended, Outcome};

/// The progress of ending a run.
#[derive(Debug, Default)]
pub(super) struct EndState {
    /// The status and time of the last attempt to end the run. They are kept to recognize an end
    /// whose response was lost.
    attempt: Option<(Status, Timestamp)>,
    /// The outcome of the first end.
    outcome: Option<Outcome>,
    /// The records that the table has refused and that were not reported yet.
    refused: Vec<RefusedRecord>,
}

impl Run {
    /// Ends the run successfully. When this returns, the table has everything that was written to
    /// the run before.
    ///
    /// # Errors
    /// Returns [`Error::OtherTeam`], [`Error::Unavailable`] and [`Error::Table`]. Returns
    /// [`Error::Refused`] if the table has refused records of this writer: the run has ended
    /// nevertheless, and repeating the call returns how.
    pub async fn complete(&self) -> Result<Outcome> {
        self.end(Status::Completed, HashMap::new()).await
    }

    /// Ends the run with an error. See [`Self::complete`].
    ///
    /// # Errors
    /// Returns the errors of [`Self::complete`].
    pub async fn fail(&self, error_message: impl AsRef<str>) -> Result<Outcome> {
        let error = shortened(error_message.as_ref(), MAX_EXECUTION_ERROR_BYTES);
        self.end(
            Status::Failed,
            HashMap::from([(ERROR_MESSAGE, text(error))]),
        )
        .await
    }

    /// Ends the run as cancelled through the engine, with the principal and the reason. See
    /// [`Self::complete`].
    ///
    /// # Errors
    /// Returns the errors of [`Self::complete`].
    pub async fn cancel(&self, by: Option<&str>, reason: Option<&str>) -> Result<Outcome> {
        let members = [(CANCELLED_BY, by), (CANCEL_REASON, reason)];
        let members = members.into_iter().filter_map(|(name, value)| {
            let value = shortened(value?, MAX_EXECUTION_ERROR_BYTES);
            Some((name, text(value)))
        });
        self.end(Status::Cancelled, members.collect()).await
    }

    async fn end(
        &self,
        status: Status,
        mut changes: HashMap<&'static str, AttributeValue>,
    ) -> Result<Outcome> {
        let mut end_state = self.0.end_state.lock().await;
        if let Some(outcome) = &end_state.outcome {
            return Ok(outcome.clone());
        }
        // Records that the table will never accept must not keep the run open.
        match self.0.writer.buffer.flush().await {
            Err(Error::Refused(refused)) => end_state.refused.extend(refused),
            flushed => flushed?,
        }
        let attempt = end_state.attempt.filter(|(earlier, _)| *earlier == status);
        // If the clock was set back, the run ends at its start.
        let now = || self.0.writer.now().max(self.0.start_time);
        let (_, end_time) = attempt.unwrap_or_else(|| (status, now()));
        end_state.attempt = Some((status, end_time));
        changes.extend(self.end_attributes(status, end_time));
        let outcome = match self.update_open(changes).await? {
            Attempt::Written => Outcome::Written,
            Attempt::Refused(item) => {
                let ended = Ended::from_item(item);
                // The response to an earlier attempt was lost.
                let is_ours = (ended.status, ended.end_time) == (Some(status), Some(end_time));
                match is_ours {
                    true => Outcome::Written,
                    false => self.ended_as(ended),
                }
            }
        };
        end_state.outcome = Some(outcome.clone());
        match std::mem::take(&mut end_state.refused) {
            refused if refused.is_empty() => Ok(outcome),
            refused => Err(Error::Refused(refused)),
        }
    }

    /// The attributes that every end of the run sets.
    fn end_attributes(
        &self,
        status: Status,
        end_time: Timestamp,
    ) -> impl Iterator<Item = (&'static str, AttributeValue)> {
        let duration_ms = end_time.milliseconds() - self.0.start_time.milliseconds();
        let attributes = [
            (STATUS, text(status.as_str())),
            (END_TIME, text(end_time.to_string())),
            (DURATION_MS, number(duration_ms.max(0))),
        ];
        let summary = self.step_summary().map(|summary| (STEP_SUMMARY, summary));
        attributes.into_iter().chain(summary)
    }

    fn step_summary(&self) -> Option<AttributeValue> {
        if self.0.is_resumed {
            return None;
        }
        let step_counts = lock(&self.0.step_counts);
        let summary = StepSummary {
            total: Some(step_counts.total),
            passed: Some(step_counts.passed),
            failed: Some(step_counts.failed),
        };
        serde_dynamo::to_attribute_value(summary).ok()
    }
}
