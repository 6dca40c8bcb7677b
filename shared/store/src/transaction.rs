//! Writes several items together, all or none.

use std::time::Duration;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{CancellationReason, ReturnConsumedCapacity};
use format::model::{Item, TeamId};
use format::{Error, Result};

use crate::Store;
use crate::condition::Condition;
use crate::retry::backoff;
use crate::sdk_error::{from_sdk, is_validation};
use crate::write::Write;

/// Why a transaction was not written.
#[derive(Debug)]
pub enum NotWritten {
    /// Conditions do not hold. For each write, whether its own condition failed.
    ConditionFailed(Vec<bool>),
    /// Another write was changing the same items, or the table was throttled. The same transaction
    /// may succeed later.
    Busy(Error),
    /// The table refuses the writes at these positions because of the contents of their items. If
    /// it does not say which, all positions.
    Refused(Vec<usize>, Error),
    /// Any other error.
    Failed(Error),
}

impl NotWritten {
    fn from_sdk(error: SdkError<TransactWriteItemsError>, actions: usize) -> Self {
        const BUSY: [&str; 3] = [
            "TransactionConflict",
            "ThrottlingError",
            "ProvisionedThroughputExceeded",
        ];
        let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
            error.as_service_error()
        else {
            return match is_validation(&error) {
                true => Self::Refused((0..actions).collect(), from_sdk(error)),
                false => Self::Failed(from_sdk(error)),
            };
        };
        let reasons = cancelled.cancellation_reasons().iter();
        let codes: Vec<_> = reasons.map(CancellationReason::code).collect();
        let failed: Vec<_> = codes
            .iter()
            .map(|code| *code == Some("ConditionalCheckFailed"))
            .collect();
        if failed.contains(&true) {
            return Self::ConditionFailed(failed);
        }
        let is_busy = |code: &Option<&str>| code.is_some_and(|code| BUSY.contains(&code));
        if codes.is_empty() || codes.iter().any(is_busy) {
            return Self::Busy(Error::Throttled(error.into()));
        }
        let codes = codes.into_iter().enumerate();
        let refused: Vec<_> = codes
            .filter(|(_, code)| *code == Some("ValidationError"))
            .map(|(position, _)| position)
            .collect();
        match refused.is_empty() {
            true => Self::Failed(from_sdk(error)),
            // The expressions are ours, so an item is too large for its change, or has an attribute
            // of another type instead of a number.
            false => Self::Refused(refused, Error::TooLarge(error.into())),
        }
    }
}

impl Store {
    /// Removes up to [`MAX_ITEMS_A_BATCH`](crate::MAX_ITEMS_A_BATCH) executions of a team by their
    /// keys, each together with writing the other item of the pair, if there is one. All executions
    /// that exist and belong to the team are removed together, or none. For any other execution
    /// nothing is removed or written.
    ///
    /// # Errors
    /// Returns [`Error::Throttled`] if other callers keep writing to these items, and the errors of
    /// DynamoDB.
    pub async fn remove_own(
        &self,
        team_id: &TeamId,
        mut removed: Vec<(Item, Option<Item>)>,
    ) -> Result<()> {
        let mut waits = backoff();
        while !removed.is_empty() {
            let own = || Some(Condition::of_team(team_id));
            let removals = removed
                .iter()
                .map(|(key, _)| Write::Delete(key.clone(), own()));
            let written = removed.iter().filter_map(|(_, item)| item.clone());
            let actions = removals.chain(written.map(Write::put)).collect();
            let failed = match self.try_together(actions, &mut waits).await {
                Ok(failed) => failed,
                // DynamoDB says so if it accepts nothing for now.
                Err(Error::Throttled(cause)) => match waits.next() {
                    Some(wait) => {
                        tokio::time::sleep(wait).await;
                        continue;
                    }
                    None => return Err(Error::Throttled(cause)),
                },
                Err(error) => return Err(error),
            };
            if failed.is_empty() {
                return Ok(());
            }
            // The removals come first, and only they have a condition.
            let mut has_failed = failed.into_iter();
            removed.retain(|_| !has_failed.next().unwrap_or_default());
        }
        Ok(())
    }

    /// Writes all of these or, if a condition does not hold, none. Returns whether they were
    /// written.
    ///
    /// # Errors
    /// Returns [`Error::Throttled`] if other callers keep writing to these items, and the errors of
    /// DynamoDB.
    pub async fn write_together(&self, actions: Vec<Write>) -> Result<bool> {
        let failed = self.try_together(actions, &mut backoff()).await?;
        Ok(failed.is_empty())
    }

    /// Tries to write all of these, again after each of the waits. Returns for each write whether
    /// its condition failed; empty if all are written.
    async fn try_together(
        &self,
        actions: Vec<Write>,
        waits: &mut (impl Iterator<Item = Duration> + Send),
    ) -> Result<Vec<bool>> {
        loop {
            let Err(reason) = self.transact(actions.clone()).await else {
                return Ok(Vec::new());
            };
            match reason {
                NotWritten::ConditionFailed(failed) => return Ok(failed),
                NotWritten::Refused(_, error) | NotWritten::Failed(error) => return Err(error),
                NotWritten::Busy(_) => {}
            }
            let Some(wait) = waits.next() else {
                return Err(Error::Throttled(
                    "other callers keep writing to these items".into(),
                ));
            };
            tokio::time::sleep(wait).await;
        }
    }

    /// Writes all of these or none, in one attempt.
    ///
    /// # Errors
    /// Returns why they were not written.
    pub async fn transact(&self, actions: Vec<Write>) -> std::result::Result<(), NotWritten> {
        let count = actions.len();
        let actions = actions.into_iter().map(|action| action.build(self.table()));
        let actions: Vec<_> = actions.collect::<Result<_>>().map_err(NotWritten::Failed)?;
        let answer = self
            .client
            .transact_write_items()
            .set_transact_items(Some(actions))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|error| NotWritten::from_sdk(error, count))?;
        for table in answer.consumed_capacity() {
            self.count(Some(table), 0);
        }
        Ok(())
    }
}
