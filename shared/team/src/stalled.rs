//! A team's rules for runs without a heartbeat: when they are stalled, and when they are closed.
//!
//! No record stores whether a run is stalled. It is computed from the `heartbeatAt` of an open run
//! when the run is shown ([`flag_stalled`]). A run that has never sent a heartbeat is never
//! stalled. The sweeper (`history::sweep`) closes a run only if a rule of its team says so.

use std::collections::HashMap;
use std::sync::Arc;

#[cfg(feature = "schema")]
use format::model::ID_PATTERN;
use format::model::{Execution, Status, TeamId, Timestamp};
use format::{Result, keys};
use serde::{Deserialize, Serialize};
use store::Store;

use crate::audit::Action;
use crate::auth::Caller;
use crate::settings::{
    self, Compile, Expected, InvalidRule, RuleChange, SettingsKind, TeamSettings, check_flow,
    check_rules,
};

/// The shortest limit, in seconds: clocks differ, and writes take time.
pub const MIN_SECONDS: u32 = 10;

/// The longest limit, in seconds: thirty days.
pub const MAX_SECONDS: u32 = 30 * 24 * 3_600;

/// How long the runs of a flow, or of every flow, may be without a heartbeat before they are
/// stalled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(extend("required" = ["afterSeconds"])))]
#[cfg_attr(feature = "schema", schemars(deny_unknown_fields))]
#[serde(rename_all = "camelCase")]
pub struct StalledRule {
    /// The flow; absent for every flow without its own rule.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = ID_PATTERN)))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow_id: Option<String>,
    /// After how many seconds without a heartbeat runs are shown as stalled; `null` for never. It
    /// is required.
    #[cfg_attr(feature = "schema", schemars(range(min = MIN_SECONDS, max = MAX_SECONDS)))]
    #[serde(deserialize_with = "Option::deserialize")]
    pub after_seconds: Option<u32>,
    /// After how many seconds without a heartbeat runs are closed; absent for never.
    #[cfg_attr(feature = "schema", schemars(range(min = MIN_SECONDS, max = MAX_SECONDS)))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub close_after_seconds: Option<u32>,
}

impl StalledRule {
    fn describe(&self) -> String {
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

    fn check(&self) -> std::result::Result<(), InvalidRule> {
        check_flow(self.flow_id.as_deref())?;
        let is_limit = |seconds: u32| (MIN_SECONDS..=MAX_SECONDS).contains(&seconds);
        if !self.after_seconds.is_none_or(is_limit) {
            return Err(InvalidRule {
                member: ".afterSeconds",
                reason: format!("Use a whole number from {MIN_SECONDS} to {MAX_SECONDS}, or null."),
            });
        }
        let least = self.after_seconds.unwrap_or(MAX_SECONDS + 1);
        let is_close = |seconds: u32| (least..=MAX_SECONDS).contains(&seconds);
        if !self.close_after_seconds.is_none_or(is_close) {
            return Err(InvalidRule {
                member: ".closeAfterSeconds",
                reason: format!("Use a whole number from afterSeconds to {MAX_SECONDS}."),
            });
        }
        Ok(())
    }
}

impl SettingsKind for Vec<StalledRule> {
    const SORT_KEY: &'static str = keys::STALLED;
    const FALLBACK: &'static str = "no run of the team is stalled, and none is closed as stalled";

    fn check(&self) -> Result<()> {
        check_rules(self, StalledRule::check, |rule| &rule.flow_id)
    }
}

/// A team's rules for stalled runs, and who set them.
pub type StalledSettings = TeamSettings<Vec<StalledRule>>;

/// Reads the rules of the caller's team.
///
/// # Errors
/// Returns [`format::Error::Forbidden`] if the caller is limited to some of the team's flows, and an error
/// if the table cannot be read.
pub async fn get_settings(store: &Store, caller: &Caller) -> Result<StalledSettings> {
    caller.require_whole_team("Settings")?;
    settings::read(store, &caller.team_id).await
}

/// Replaces the rules of the caller's team.
///
/// # Errors
/// Returns [`format::Error::InvalidMember`]; [`format::Error::Conflict`] if the stored rules are not the expected
/// ones; [`format::Error::Forbidden`] if the caller is limited to some of the team's flows; and an error if
/// the table cannot be read or written.
pub async fn put_settings(
    store: &Store,
    caller: &Caller,
    rules: Vec<StalledRule>,
    expected: Expected,
) -> Result<StalledSettings> {
    let change = RuleChange::of_rules(Action::StalledChanged, "stalled");
    settings::replace_rules(
        store,
        caller,
        rules,
        expected,
        change,
        StalledRule::describe,
    )
    .await
}

/// A team's rules, indexed by their flows.
#[derive(Debug, Clone, Default)]
pub struct Limits(Arc<HashMap<Option<String>, StalledRule>>);

impl Compile for Vec<StalledRule> {
    type Compiled = Limits;

    fn compile(&self) -> Limits {
        let rules = self.iter().cloned();
        Limits(Arc::new(
            rules.map(|rule| (rule.flow_id.clone(), rule)).collect(),
        ))
    }
}

impl Limits {
    fn rule_for(&self, flow_id: Option<&str>) -> Option<&StalledRule> {
        let own = flow_id.and_then(|flow_id| self.0.get(&Some(flow_id.to_owned())));
        own.or_else(|| self.0.get(&None))
    }

    /// After how many seconds without a heartbeat a flow's runs are closed; `None` for never.
    pub fn close_after(&self, flow_id: Option<&str>) -> Option<u32> {
        self.rule_for(flow_id)?.close_after_seconds
    }
}

/// Returns the rules of a team, at most [`SETTINGS_REMEMBERED`](settings::SETTINGS_REMEMBERED) old.
pub async fn limits_of(store: &Store, team_id: &TeamId) -> Result<Limits> {
    settings::read_compiled::<Vec<StalledRule>>(store, team_id).await
}

/// Sets for each of a team's runs whether it is stalled. The rules are only read if a run is open
/// and has sent a heartbeat.
pub async fn flag_stalled(
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
            .and_then(|it| it.rule_for(execution.flow_id.as_deref()));
        let seconds = rule.and_then(|rule| rule.after_seconds);
        let stalls_at = seconds.and_then(|seconds| heartbeat_at.plus_seconds(seconds));
        execution.is_stalled = stalls_at.is_some_and(|stalls_at| stalls_at <= now);
    }
    Ok(())
}
