//! Runs that give no sign of life: after how long a team takes them for stalled, and has
//! them closed.
//!
//! Whether a run is stalled is in no record: it is said of an open run when it is shown,
//! by its `heartbeatAt` ([`mark`]). A run that has never given a sign of life is never
//! stalled. Only where its team says so does the sweeper ([`crate::sweep`]) close one.

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::audit::{Action, Entry};
use crate::auth::Caller;
use crate::deadlines::later;
use crate::error::{Error, Result};
use crate::keys;
#[cfg(feature = "schema")]
use crate::model::ID_PATTERN;
use crate::model::{Execution, FlowId, Status, TeamId, Timestamp};
use crate::settings::{self, Expected, MAX_RULES, TeamSettings, told};
use crate::store::Store;

/// The shortest limit, in seconds: clocks differ, and writes take their time.
const MIN_SECONDS: u32 = 10;

/// The longest limit, in seconds: thirty days.
const MAX_SECONDS: u32 = 30 * 24 * 3_600;

/// After how long without a sign of life the runs of a flow, or of every flow, are stalled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(extend("required" = ["afterSeconds"])))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StalledRule {
    /// The flow; every flow without a rule of its own where it is absent.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = ID_PATTERN)))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow_id: Option<String>,
    /// After how many seconds they are shown as stalled; `null` for never. It has to be
    /// said.
    #[cfg_attr(feature = "schema", schemars(range(min = MIN_SECONDS, max = MAX_SECONDS)))]
    #[serde(deserialize_with = "Option::deserialize")]
    pub after_seconds: Option<u32>,
    /// After how many seconds they are closed; never where it is absent.
    #[cfg_attr(feature = "schema", schemars(range(min = MIN_SECONDS, max = MAX_SECONDS)))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub close_after_seconds: Option<u32>,
}

impl StalledRule {
    fn line(&self) -> String {
        let flow_id = self.flow_id.as_deref().unwrap_or("every flow");
        let after = self
            .after_seconds
            .map(|seconds| format!("after {seconds} s"));
        let after = after.unwrap_or_else(|| "never".to_owned());
        match self.close_after_seconds {
            Some(seconds) => format!("{flow_id}: {after}, closed after {seconds} s"),
            None => format!("{flow_id}: {after}"),
        }
    }
}

/// A team's rules, and who made them.
pub type StalledSettings = TeamSettings<Vec<StalledRule>>;

/// Reads the rules of the caller's team.
///
/// # Errors
/// [`Error::Forbidden`] for a caller who is kept from some of the team's flows, and those
/// of the table.
pub async fn get_settings(store: &Store, caller: &Caller) -> Result<StalledSettings> {
    caller.require_whole_team("Settings")?;
    settings::read(store, &caller.team_id, keys::STALLED).await
}

/// Puts rules in the place of those of the caller's team.
///
/// # Errors
/// [`Error::InvalidMember`]; [`Error::Conflict`] when the rules are not those that are
/// expected; [`Error::Forbidden`] for a caller who is kept from some of the team's flows;
/// and those of the table.
pub async fn put_settings(
    store: &Store,
    caller: &Caller,
    rules: Vec<StalledRule>,
    expected: Expected,
) -> Result<StalledSettings> {
    caller.require_whole_team("Settings")?;
    check(&rules)?;
    let has = lines(&rules);
    let allow = |before: &Vec<StalledRule>| {
        let had = lines(before);
        let entry = Entry::new(caller, Action::StalledChanged, "stalled")?;
        let changes = [
            told("rulesAdded", &has, &had),
            told("rulesRemoved", &had, &has),
        ];
        let changes = changes.into_iter().flatten();
        Ok(changes.fold(entry, |entry, (name, rules)| entry.detail(name, rules)))
    };
    let kept = settings::replace(store, caller, keys::STALLED, rules, expected, allow).await?;
    let limits = Limits::of(&kept.settings);
    store.remembered().limits.remember(&caller.team_id, &limits);
    Ok(kept)
}

fn lines(rules: &[StalledRule]) -> Vec<String> {
    rules.iter().map(StalledRule::line).collect()
}

fn check(rules: &[StalledRule]) -> Result<()> {
    if rules.len() > MAX_RULES {
        let reason = format!("There are more than {MAX_RULES}.");
        return Err(Error::invalid_member("rules", reason));
    }
    let mut seen = HashMap::new();
    for (position, rule) in rules.iter().enumerate() {
        let invalid = |member: &str, reason: String| {
            let member = format!("rules[{position}]{member}");
            Err(Error::invalid_member(member, reason))
        };
        if let Some(Err(error)) = rule.flow_id.as_deref().map(str::parse::<FlowId>) {
            return invalid(".flowId", format!("It is an id: {error}."));
        }
        let is_limit = |seconds: u32| (MIN_SECONDS..=MAX_SECONDS).contains(&seconds);
        if !rule.after_seconds.is_none_or(is_limit) {
            let reason =
                format!("It is a whole number from {MIN_SECONDS} to {MAX_SECONDS}, or null.");
            return invalid(".afterSeconds", reason);
        }
        let least = rule.after_seconds.unwrap_or(MAX_SECONDS + 1);
        if !rule
            .close_after_seconds
            .is_none_or(|seconds| (least..=MAX_SECONDS).contains(&seconds))
        {
            let reason = format!("It is a whole number from afterSeconds to {MAX_SECONDS}.");
            return invalid(".closeAfterSeconds", reason);
        }
        if let Some(other) = seen.insert(&rule.flow_id, position) {
            return invalid("", format!("It is for the same runs as rules[{other}]."));
        }
    }
    Ok(())
}

/// A team's rules, by their flows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Limits(Arc<HashMap<Option<String>, StalledRule>>);

impl Limits {
    fn of(rules: &[StalledRule]) -> Self {
        let rules = rules.iter().cloned();
        Self(Arc::new(
            rules.map(|rule| (rule.flow_id.clone(), rule)).collect(),
        ))
    }

    fn of_flow(&self, flow_id: Option<&str>) -> Option<&StalledRule> {
        let own = flow_id.and_then(|flow_id| self.0.get(&Some(flow_id.to_owned())));
        own.or_else(|| self.0.get(&None))
    }

    /// After how many seconds without a sign of life a flow's runs are closed, if they are.
    pub(crate) fn close_after(&self, flow_id: Option<&str>) -> Option<u32> {
        self.of_flow(flow_id)?.close_after_seconds
    }
}

/// The rules of a team, of at most
/// [`SETTINGS_REMEMBERED`](settings::SETTINGS_REMEMBERED) ago.
///
/// # Errors
/// Those of the table.
pub(crate) async fn limits_of(store: &Store, team_id: &TeamId) -> Result<Limits> {
    if let Some(limits) = store.remembered().limits.recall(team_id) {
        return Ok(limits);
    }
    let stored: StalledSettings = settings::read(store, team_id, keys::STALLED).await?;
    let limits = Limits::of(&stored.settings);
    store.remembered().limits.remember(team_id, &limits);
    Ok(limits)
}

/// Says of each of a team's runs whether it is stalled. The rules are read where a run is
/// open, and has given a sign of life.
///
/// # Errors
/// Those of the table.
pub(crate) async fn mark(
    store: &Store,
    team_id: &TeamId,
    executions: &mut [Execution],
) -> Result<()> {
    let now = Timestamp::now();
    let mut limits = None;
    for execution in executions {
        let is_open = execution.status.is_some_and(Status::is_open);
        let Some(heartbeat_at) = execution.heartbeat_at.filter(|_| is_open) else {
            continue;
        };
        if limits.is_none() {
            limits = Some(limits_of(store, team_id).await?);
        }
        let rule = limits
            .as_ref()
            .and_then(|it| it.of_flow(execution.flow_id.as_deref()));
        let seconds = rule.and_then(|rule| rule.after_seconds);
        let stalls_at = seconds.and_then(|seconds| later(heartbeat_at, seconds));
        execution.is_stalled = stalls_at.is_some_and(|stalls_at| stalls_at <= now);
    }
    Ok(())
}
