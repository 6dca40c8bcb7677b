//! Writes the planned changes of a round: the steps and their payloads, the run, and the
//! state.

use format::attributes::{PARTITION_KEY, PINNED_AT, PINNED_BY, SORT_KEY, TIME_TO_LIVE, text};
use format::keys::{self, key};
use format::model::{Item, Timestamp};
use format::payload::RunPayload;
use format::{Error, Result};
use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};
use history::operations::delete_items;
use store::{Condition, Range, Update};

use super::attributes::{get_text, with_expiry, with_text};
use super::plan::{Move, Plan, Source};
use super::stored::{Copy, StoredTrace};
use super::{ROUND, SPAN_ID, Trace};
use crate::otlp::records::SpanRecord;

/// How many batches, or single items, of a trace are written at a time.
const WRITES_AT_A_TIME: usize = 8;

/// How many complete steps are held in memory while they are moved.
const MOVES_AT_A_TIME: usize = 250;

/// How long steps wait for their run before they expire, in seconds.
const WAITING_SECONDS: i64 = 7 * 24 * 3_600;

impl Trace<'_> {
    /// Writes the planned changes. Returns `false` if another request has written in the
    /// meantime, and a new plan is needed.
    pub(super) async fn execute(&self, stored: &StoredTrace, plan: &Plan<'_>) -> Result<bool> {
        let round = new_round()?;
        let expiry = Timestamp::now().seconds() + WAITING_SECONDS;
        let expiry = (!plan.is_listed).then_some(expiry);
        if plan.keeps_payloads {
            self.keep_payloads().await?;
        }
        for moves in plan.moves.chunks(MOVES_AT_A_TIME) {
            let Some(moved) = self.build_items(moves, &round, expiry).await? else {
                return Ok(false);
            };
            let (steps, payloads): (Vec<_>, Vec<_>) = moved.into_iter().unzip();
            // The payloads are written first, so that a visible step is complete.
            let payloads = payloads.into_iter().flatten();
            self.store.put_many(payloads, WRITES_AT_A_TIME).await?;
            self.store.put_many(steps, WRITES_AT_A_TIME).await?;
        }
        if let Some(record) = plan.run
            && !self.put_run(stored, record).await?
        {
            return Ok(false);
        }
        self.remove(&plan.stale).await?;
        self.put_state(stored, plan, &round, expiry).await
    }

    /// Builds the items of the steps at their new positions, each with its new payloads.
    /// `None` if a step no longer exists.
    async fn build_items(
        &self,
        moves: &[Move<'_>],
        round: &str,
        expiry: Option<i64>,
    ) -> Result<Option<Vec<(Item, Vec<Item>)>>> {
        let moves = moves.iter().map(|step| {
            async move {
                let records = match &step.source {
                    Source::New(record) => Some(record.step(&self.execution_id)?),
                    Source::Stored(copies) => {
                        let stored = self.read_step(copies).await?;
                        stored.map(|item| (item, Vec::new()))
                    }
                };
                let placed = |(item, payloads): (Item, Vec<Item>)| {
                    let item = with_expiry(step.place.apply_to(item), expiry);
                    let payloads = payloads.into_iter();
                    let payloads = payloads.map(|item| with_expiry(item, expiry));
                    (with_text(item, ROUND, round), payloads.collect())
                };
                Ok(records.map(placed))
            }
            .boxed()
        });
        let moves: Vec<_> = moves.collect();
        let items: Result<Vec<_>> = stream::iter(moves)
            .buffer_unordered(WRITES_AT_A_TIME)
            .try_collect()
            .await;
        Ok(items?.into_iter().collect())
    }

    /// Reads a stored step completely, from the first of its copies that exists.
    async fn read_step(&self, copies: &[Copy]) -> Result<Option<Item>> {
        for copy in copies {
            let item = self.store.get_latest(&self.pk, &copy.sk).await?;
            if item.is_some() {
                return Ok(item);
            }
        }
        Ok(None)
    }

    /// Removes the expiry of payloads whose steps have waited for their run.
    async fn keep_payloads(&self) -> Result<()> {
        const WAITING: &[&str] = &[PARTITION_KEY, SORT_KEY, TIME_TO_LIVE];
        let range = Range::with_prefix(&self.execution_id, keys::STEP_PAYLOADS);
        let items = self.store.all(&range.latest().only(WAITING)).await?;
        let waiting = items.iter().filter(|item| item.contains_key(TIME_TO_LIVE));
        let updates: Vec<_> = waiting
            .filter_map(keys::sort_key)
            .map(|sk| self.keep_payload(sk).boxed())
            .collect();
        stream::iter(updates)
            .buffer_unordered(WRITES_AT_A_TIME)
            .try_collect()
            .await
    }

    async fn keep_payload(&self, sk: &str) -> Result<()> {
        let update = Update::new(&self.pk, sk)
            .remove(TIME_TO_LIVE)
            // The condition keeps this write from creating a payload that has been removed.
            .only_if(Condition::exists());
        self.store.update(update).await?;
        Ok(())
    }

    /// Writes the run, and replaces the run that was read. Returns `false` if that run has
    /// changed.
    async fn put_run(&self, stored: &StoredTrace, record: &SpanRecord) -> Result<bool> {
        let replaced = stored.run.as_ref().and_then(|run| get_text(run, SPAN_ID));
        if replaced.is_some() {
            self.remove_run_payloads().await?;
        }
        let (run, payloads) = record.run(self.team_id, &self.execution_id)?;
        self.store.put_many(payloads, WRITES_AT_A_TIME).await?;
        let mut run = with_text(run, SPAN_ID, &record.id().to_string());
        // Pins are set by users, not by spans, so they are kept.
        let kept = |name: &str| Some((name.to_owned(), stored.run.as_ref()?.get(name)?.clone()));
        run.extend([PINNED_AT, PINNED_BY].into_iter().filter_map(kept));
        let is_as_read = match replaced {
            None => Condition::absent(),
            Some(span_id) => {
                Condition::of_team(self.team_id).and(Condition::is(SPAN_ID, text(span_id)))
            }
        };
        self.store.put_if(run, is_as_read).await
    }

    /// Removes the payloads that another span has written for the run, because the new
    /// payloads may have fewer parts.
    async fn remove_run_payloads(&self) -> Result<()> {
        const KEYS: &[&str] = &[PARTITION_KEY, SORT_KEY];
        for payload in [RunPayload::Input, RunPayload::Output, RunPayload::Data] {
            let prefix = keys::payload_parts(payload.name());
            let range = Range::with_prefix(&self.execution_id, &prefix);
            let items = self.store.all(&range.latest().only(KEYS)).await?;
            delete_items(self.store, &items).await?;
        }
        Ok(())
    }

    async fn remove(&self, stale: &[Copy]) -> Result<()> {
        let removals: Vec<_> = stale
            .iter()
            .map(|copy| {
                let is_stale = Condition::is(ROUND, text(&copy.round));
                self.store.delete_if(&self.pk, &copy.sk, is_stale).boxed()
            })
            .collect();
        stream::iter(removals)
            .buffer_unordered(WRITES_AT_A_TIME)
            .try_collect()
            .await
    }

    /// Records in the state that this round wrote last. Returns `false` if another round
    /// has written since the trace was read.
    async fn put_state(
        &self,
        stored: &StoredTrace,
        plan: &Plan<'_>,
        round: &str,
        expiry: Option<i64>,
    ) -> Result<bool> {
        let mut state = with_expiry(key(&self.pk, keys::TRACE), expiry);
        let run = plan.run.map(|record| record.id().to_string());
        let stored_run = stored.run.as_ref().and_then(|run| get_text(run, SPAN_ID));
        if let Some(run) = run.as_deref().or(stored_run) {
            state = with_text(state, SPAN_ID, run);
        }
        let read = Some(&stored.state).filter(|state| !state.is_empty());
        let unchanged = Condition::unchanged(read, ROUND);
        let state = with_text(state, ROUND, round);
        self.store.put_if(state, unchanged).await
    }
}

/// Returns a name that no other round has.
fn new_round() -> Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(Error::internal)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
