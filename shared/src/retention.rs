//! How long runs are kept: a team's rules, and what follows from them.
//!
//! The consumer of the table's stream ([`crate::reap`]) sees each run that ends. Where a
//! rule limits it, the run is given its `expiresAt` ([`apply`]): from that second on it is
//! hidden, and DynamoDB removes it for nothing. That write is a change in the stream as
//! well, from which its steps and payloads are given theirs ([`settle_children`]). An
//! `expiresAt` that an engine has written stays; a pinned run has none. docs/adr/0009-retention-and-stuck-runs.md
//! says why it is made this way.

use std::collections::HashMap;
use std::sync::Arc;

use aws_sdk_dynamodb::types::{AttributeValue, Update};
use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};

use crate::audit::{Action, Entry};
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::keys;
#[cfg(feature = "schema")]
use crate::model::ID_PATTERN;
use crate::model::{Execution, FlowId, Item, Status, TeamId, Timestamp};
use crate::settings::{self, Expected, MAX_RULES, TeamSettings, told};
use crate::store::{MAX_ITEMS_A_QUERY, Range, Store, key};
use crate::table::{PINNED_AT, TIME_TO_LIVE, text};

/// The most days that a rule keeps a run: ten years.
const MAX_DAYS: u32 = 3_650;

const DAY_SECONDS: i64 = 24 * 3_600;

/// How many children of a run are written to at a time.
const WRITES_AT_A_TIME: usize = 16;

/// How long runs are kept: all, those of a flow, those that ended in a state, or both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(extend("required" = ["days"])))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RetentionRule {
    /// The flow; of every flow where it is absent.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = ID_PATTERN)))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow_id: Option<String>,
    /// The state in which the run has ended; in any where it is absent.
    #[cfg_attr(feature = "schema", schemars(extend("enum" = ended_or_none())))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// For how many days after its end; `null` for ever. It has to be said.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = MAX_DAYS)))]
    #[serde(deserialize_with = "Option::deserialize")]
    pub days: Option<u32>,
}

/// The states in which a run ends, and none.
#[cfg(feature = "schema")]
fn ended_or_none() -> Vec<Option<Status>> {
    let ended = Status::ALL.into_iter().filter(|status| !status.is_open());
    ended.map(Some).chain([None]).collect()
}

impl RetentionRule {
    fn line(&self) -> String {
        let flow_id = self.flow_id.as_deref().unwrap_or("every flow");
        let status = self.status.map_or("any end", Status::as_str);
        match self.days {
            Some(days) => format!("{flow_id}, {status}: {days} days"),
            None => format!("{flow_id}, {status}: for ever"),
        }
    }
}

/// A team's rules, and who made them.
pub type RetentionSettings = TeamSettings<Vec<RetentionRule>>;

/// Reads the rules of the caller's team.
///
/// # Errors
/// [`Error::Forbidden`] for a caller who is kept from some of the team's flows, and those
/// of the table.
pub async fn get_settings(store: &Store, caller: &Caller) -> Result<RetentionSettings> {
    caller.require_whole_team("Settings")?;
    settings::read(store, &caller.team_id, keys::RETENTION).await
}

/// Puts rules in the place of those of the caller's team. They hold for the runs that end
/// from now on.
///
/// # Errors
/// [`Error::InvalidMember`]; [`Error::Conflict`] when the rules are not those that are
/// expected; [`Error::Forbidden`] for a caller who is kept from some of the team's flows;
/// and those of the table.
pub async fn put_settings(
    store: &Store,
    caller: &Caller,
    rules: Vec<RetentionRule>,
    expected: Expected,
) -> Result<RetentionSettings> {
    caller.require_whole_team("Settings")?;
    check(&rules)?;
    let has = lines(&rules);
    let allow = |before: &Vec<RetentionRule>| {
        let had = lines(before);
        let entry = Entry::new(caller, Action::RetentionChanged, "retention")?;
        let changes = [
            told("rulesAdded", &has, &had),
            told("rulesRemoved", &had, &has),
        ];
        let changes = changes.into_iter().flatten();
        Ok(changes.fold(entry, |entry, (name, rules)| entry.detail(name, rules)))
    };
    let kept = settings::replace(store, caller, keys::RETENTION, rules, expected, allow).await?;
    let retention = Retention::of(&kept.settings);
    let remembered = &store.remembered().retentions;
    remembered.remember(&caller.team_id, &retention);
    Ok(kept)
}

fn lines(rules: &[RetentionRule]) -> Vec<String> {
    rules.iter().map(RetentionRule::line).collect()
}

fn check(rules: &[RetentionRule]) -> Result<()> {
    if rules.len() > MAX_RULES {
        let reason = format!("There are more than {MAX_RULES}.");
        return Err(Error::invalid_member("rules", reason));
    }
    let mut seen = HashMap::new();
    for (position, rule) in rules.iter().enumerate() {
        let invalid = |member: &str, reason: String| {
            Err(Error::invalid_member(
                format!("rules[{position}]{member}"),
                reason,
            ))
        };
        if let Some(Err(error)) = rule.flow_id.as_deref().map(str::parse::<FlowId>) {
            return invalid(".flowId", format!("It is an id: {error}."));
        }
        if rule.status.is_some_and(Status::is_open) {
            let reason = "It is one in which a run ends: COMPLETED, FAILED or CANCELLED.";
            return invalid(".status", reason.to_owned());
        }
        if rule
            .days
            .is_some_and(|days| !(1..=MAX_DAYS).contains(&days))
        {
            let reason = format!("It is a whole number from 1 to {MAX_DAYS}, or null.");
            return invalid(".days", reason);
        }
        if let Some(other) = seen.insert((&rule.flow_id, rule.status), position) {
            let reason = format!("It is for the same runs as rules[{other}].");
            return invalid("", reason);
        }
    }
    Ok(())
}

/// What a rule is for: a flow, a state, both, or neither.
type Runs = (Option<String>, Option<Status>);

/// A team's rules, by what they are for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Retention(Arc<HashMap<Runs, Option<u32>>>);

impl Retention {
    fn of(rules: &[RetentionRule]) -> Self {
        let rules = rules.iter();
        let rules = rules.map(|rule| ((rule.flow_id.clone(), rule.status), rule.days));
        Self(Arc::new(rules.collect()))
    }

    /// For how many days such a run is kept, by the narrowest rule; `None` for ever. A flow
    /// is narrower than a state.
    fn days(&self, flow_id: Option<&str>, status: Status) -> Option<u32> {
        let flow_id = flow_id.map(str::to_owned);
        let narrowest_first = [
            (flow_id.clone(), Some(status)),
            (flow_id, None),
            (None, Some(status)),
            (None, None),
        ];
        let mut rules = narrowest_first.iter().filter_map(|runs| self.0.get(runs));
        rules.next().copied().flatten()
    }
}

/// The rules of a team, of at most
/// [`SETTINGS_REMEMBERED`](settings::SETTINGS_REMEMBERED) ago.
async fn retention_of(store: &Store, team_id: &TeamId) -> Result<Retention> {
    let remembered = &store.remembered().retentions;
    if let Some(retention) = remembered.recall(team_id) {
        return Ok(retention);
    }
    let stored: RetentionSettings = settings::read(store, team_id, keys::RETENTION).await?;
    let retention = Retention::of(&stored.settings);
    remembered.remember(team_id, &retention);
    Ok(retention)
}

/// Whether rules say for how long a run is kept that is as this item: it has ended, and
/// nothing else says so.
pub(crate) fn is_due(run: &Item) -> bool {
    has_ended(run) && !run.contains_key(TIME_TO_LIVE) && !is_pinned(run)
}

/// Whether a run is kept from expiring.
pub(crate) fn is_pinned(run: &Item) -> bool {
    run.contains_key(PINNED_AT)
}

/// Whether the children of a run have to follow a change of it.
pub(crate) fn concerns_children(old: &Item, new: &Item) -> bool {
    let is_another =
        old.get(TIME_TO_LIVE) != new.get(TIME_TO_LIVE) || is_pinned(old) != is_pinned(new);
    is_another && has_ended(old) && has_ended(new)
}

fn has_ended(run: &Item) -> bool {
    let status = run.get("status").and_then(|status| status.as_s().ok());
    let is_named = |named: &Status| status.is_some_and(|status| status == named.as_str());
    Status::ALL
        .iter()
        .find(|status| is_named(status))
        .is_some_and(|status| status.is_terminal())
}

/// Gives a run that has ended the `expiresAt` that the rules of its team say, unless it has
/// one by now. One that was pinned until now gets a day at least: who unpinned it by
/// mistake can pin it again. Returns whether it did.
///
/// # Errors
/// Those of the table.
pub(crate) async fn apply(store: &Store, run: &Item, was_pinned: bool) -> Result<bool> {
    let Some(execution) = Execution::from_item(run.clone()) else {
        return Ok(false);
    };
    let team_id = execution.team_id.as_deref().map(str::parse);
    let (Some(Ok(team_id)), Some(status)) = (team_id, execution.status) else {
        return Ok(false);
    };
    let retention = retention_of(store, &team_id).await?;
    let Some(days) = retention.days(execution.flow_id.as_deref(), status) else {
        return Ok(false);
    };
    let end = execution.end_time.unwrap_or_else(Timestamp::now);
    let by_rule = end.seconds() + i64::from(days) * DAY_SECONDS;
    let expiry = match was_pinned {
        true => by_rule.max(Timestamp::now().seconds() + DAY_SECONDS),
        false => by_rule,
    };
    let pk = keys::EXECUTION_PREFIX.to_owned() + &execution.execution_id;
    let update = Update::builder()
        .table_name(store.table())
        .set_key(Some(key(pk, keys::EXECUTION)))
        .update_expression("SET #expiry = :expiry")
        .condition_expression(
            "#status = :status AND attribute_not_exists(#expiry) AND attribute_not_exists(#pinned)",
        )
        .expression_attribute_names("#pinned", PINNED_AT)
        .expression_attribute_names("#expiry", TIME_TO_LIVE)
        .expression_attribute_names("#status", "status")
        .expression_attribute_values(":expiry", AttributeValue::N(expiry.to_string()))
        .expression_attribute_values(":status", text(status.as_str()))
        .build();
    match store.update(update.map_err(Error::internal)?).await {
        // It is kept, and does not keep its neighbours.
        Err(error @ Error::TooLarge(_)) => {
            let execution_id = execution.execution_id;
            let error = error.with_causes();
            tracing::error!(execution_id, error, "a run has no room for its expiresAt");
            Ok(false)
        }
        other => other,
    }
}

/// Lets the steps and payloads of a run go or stay with it: those without an `expiresAt` get
/// the run's; of a pinned run none has one.
///
/// It ends only when the run is as it was found at the beginning. So of two who do this at
/// a time, the last to write has seen what the run is now.
///
/// # Errors
/// Those of the table. What was done is not done again by the next.
pub(crate) async fn settle_children(store: &Store, pk: &str) -> Result<()> {
    let mut fate = Fate::of(store, pk).await?;
    while let Some(meant) = fate {
        meant.reach_children(store, pk).await?;
        let now = Fate::of(store, pk).await?;
        if now.as_ref() == Some(&meant) {
            return Ok(());
        }
        fate = now;
    }
    Ok(())
}

/// What becomes of a run that has ended.
#[derive(Debug, Clone, PartialEq)]
enum Fate {
    /// It expires, at that second.
    Expires(AttributeValue),
    /// It is pinned, and so stays whole.
    Pinned,
    /// Nothing is said of it.
    Stays,
}

impl Fate {
    /// `None` of a run that is gone, and takes its children with it.
    async fn of(store: &Store, pk: &str) -> Result<Option<Self>> {
        let run = store.get_latest(pk, keys::EXECUTION).await?;
        Ok(run.map(|mut run| match run.remove(TIME_TO_LIVE) {
            _ if is_pinned(&run) => Self::Pinned,
            Some(second) => Self::Expires(second),
            None => Self::Stays,
        }))
    }

    /// How a child is changed; `None` where it is as it should.
    fn change_of(&self, store: &Store, pk: &str, child: &Item) -> Result<Option<Update>> {
        let Some(sk) = keys::sort_key(child) else {
            return Ok(None);
        };
        let update = Update::builder()
            .table_name(store.table())
            .set_key(Some(key(pk, sk)))
            .expression_attribute_names("#expiry", TIME_TO_LIVE);
        let update = match self {
            Self::Expires(second) if !child.contains_key(TIME_TO_LIVE) => update
                .update_expression("SET #expiry = :second")
                // What is gone is not made anew.
                .condition_expression("attribute_exists(pk) AND attribute_not_exists(#expiry)")
                .expression_attribute_values(":second", second.clone()),
            Self::Pinned if child.contains_key(TIME_TO_LIVE) => update
                .update_expression("REMOVE #expiry")
                .condition_expression("attribute_exists(pk)"),
            Self::Expires(_) | Self::Pinned | Self::Stays => return Ok(None),
        };
        update.build().map(Some).map_err(Error::internal)
    }

    async fn reach_children(&self, store: &Store, pk: &str) -> Result<()> {
        let range = Range::expiries_of_run(pk);
        let is_child = |item: &&Item| {
            keys::sort_key(item).is_some_and(|sk| ![keys::EXECUTION, keys::CASCADE].contains(&sk))
        };
        let mut start = None;
        loop {
            let page = store.query(&range, start, MAX_ITEMS_A_QUERY).await?;
            let children = page.items.iter().filter(is_child);
            let changes = children.map(|child| self.change_of(store, pk, child));
            let changes: Vec<_> = changes
                .filter_map(Result::transpose)
                .collect::<Result<_>>()?;
            let changes = changes
                .into_iter()
                .map(|change| store.update(change).boxed());
            stream::iter(changes.collect::<Vec<_>>())
                .buffer_unordered(WRITES_AT_A_TIME)
                .try_for_each(|_| async { Ok(()) })
                .await?;
            start = page.last_key;
            if start.is_none() {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(flow_id: Option<&str>, status: Option<Status>, days: Option<u32>) -> RetentionRule {
        RetentionRule {
            flow_id: flow_id.map(str::to_owned),
            status,
            days,
        }
    }

    #[test]
    fn the_narrowest_rule_holds_and_without_one_a_run_is_kept_for_ever() {
        let retention = Retention::of(&[
            rule(None, None, Some(90)),
            rule(None, Some(Status::Completed), Some(7)),
            rule(Some("orders"), None, Some(365)),
            rule(Some("orders"), Some(Status::Failed), None),
        ]);
        for (flow_id, status, days) in [
            (Some("orders"), Status::Failed, None),
            (Some("orders"), Status::Completed, Some(365)),
            (Some("other"), Status::Completed, Some(7)),
            (Some("other"), Status::Failed, Some(90)),
            (None, Status::Cancelled, Some(90)),
        ] {
            assert_eq!(retention.days(flow_id, status), days, "{flow_id:?}");
        }
        assert_eq!(Retention::default().days(Some("a"), Status::Failed), None);
    }
}
