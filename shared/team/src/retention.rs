//! A team's rules for how long runs are kept. The crate `history` applies them to runs that end.

use std::collections::HashMap;
use std::sync::Arc;

#[cfg(feature = "schema")]
use format::model::ID_PATTERN;
use format::model::{Status, TeamId};
use format::{Result, keys};
use serde::{Deserialize, Serialize};
use store::Store;

use crate::audit::Action;
use crate::auth::Caller;
use crate::settings::{
    self, Compile, Expected, InvalidRule, RuleChange, SettingsKind, TeamSettings, check_flow,
    check_rules,
};

/// The longest retention of a rule, in days: ten years.
pub const MAX_DAYS: u32 = 3_650;

/// How long runs are kept: all runs, the runs of a flow, the runs with a final status, or both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(extend("required" = ["days"])))]
#[cfg_attr(feature = "schema", schemars(deny_unknown_fields))]
#[serde(rename_all = "camelCase")]
pub struct RetentionRule {
    /// The flow; absent for every flow.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = ID_PATTERN)))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow_id: Option<String>,
    /// The final status of the runs; absent for any.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<format::schema::EndedStatus>")
    )]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// How many days runs are kept after their end; `null` for forever. It is required.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = MAX_DAYS)))]
    #[serde(deserialize_with = "Option::deserialize")]
    pub days: Option<u32>,
}

impl RetentionRule {
    fn describe(&self) -> String {
        let flow_id = self.flow_id.as_deref().unwrap_or("every flow");
        let status = self.status.map_or("any end", Status::as_str);
        match self.days {
            Some(days) => format!("{flow_id}, {status}: {days} days"),
            None => format!("{flow_id}, {status}: forever"),
        }
    }

    fn check(&self) -> std::result::Result<(), InvalidRule> {
        check_flow(self.flow_id.as_deref())?;
        if self.status.is_some_and(Status::is_open) {
            return Err(InvalidRule {
                member: ".status",
                reason: "Use a final status: COMPLETED, FAILED or CANCELLED.".to_owned(),
            });
        }
        match self.days {
            Some(days) if !(1..=MAX_DAYS).contains(&days) => Err(InvalidRule {
                member: ".days",
                reason: format!("Use a whole number from 1 to {MAX_DAYS}, or null."),
            }),
            _ => Ok(()),
        }
    }
}

impl SettingsKind for Vec<RetentionRule> {
    const SORT_KEY: &'static str = keys::RETENTION;
    const FALLBACK: &'static str = "no run of the team that ends gets an expiry time";

    fn check(&self) -> Result<()> {
        check_rules(self, RetentionRule::check, |rule| {
            (&rule.flow_id, rule.status)
        })
    }
}

/// A team's retention rules, and who set them.
pub type RetentionSettings = TeamSettings<Vec<RetentionRule>>;

/// Reads the rules of the caller's team.
///
/// # Errors
/// Returns [`format::Error::Forbidden`] if the caller is limited to some of the team's flows, and an error
/// if the table cannot be read.
pub async fn get_settings(store: &Store, caller: &Caller) -> Result<RetentionSettings> {
    caller.require_whole_team("Settings")?;
    settings::read(store, &caller.team_id).await
}

/// Replaces the rules of the caller's team. They apply to runs that end from now on.
///
/// # Errors
/// Returns [`format::Error::InvalidMember`]; [`format::Error::Conflict`] if the stored rules are not the expected
/// ones; [`format::Error::Forbidden`] if the caller is limited to some of the team's flows; and an error if
/// the table cannot be read or written.
pub async fn put_settings(
    store: &Store,
    caller: &Caller,
    rules: Vec<RetentionRule>,
    expected: Expected,
) -> Result<RetentionSettings> {
    let change = RuleChange::of_rules(Action::RetentionChanged, "retention");
    settings::replace_rules(
        store,
        caller,
        rules,
        expected,
        change,
        RetentionRule::describe,
    )
    .await
}

/// The runs of a rule: by flow, by status, by both, or all.
type Runs = (Option<String>, Option<Status>);

/// A team's rules, indexed by their runs.
#[derive(Debug, Clone, Default)]
pub struct Retention(Arc<HashMap<Runs, Option<u32>>>);

impl Compile for Vec<RetentionRule> {
    type Compiled = Retention;

    fn compile(&self) -> Retention {
        let rules = self.iter();
        let rules = rules.map(|rule| ((rule.flow_id.clone(), rule.status), rule.days));
        Retention(Arc::new(rules.collect()))
    }
}

impl Retention {
    /// How many days a run is kept, by the narrowest matching rule; `None` for forever. A rule for
    /// a flow is narrower than a rule for a status.
    pub fn days(&self, flow_id: Option<&str>, status: Status) -> Option<u32> {
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

/// Returns the rules of a team, at most [`SETTINGS_REMEMBERED`](settings::SETTINGS_REMEMBERED) old.
pub async fn retention_of(store: &Store, team_id: &TeamId) -> Result<Retention> {
    settings::read_compiled::<Vec<RetentionRule>>(store, team_id).await
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
    fn the_narrowest_rule_applies_and_the_default_is_forever() {
        let retention = Compile::compile(&vec![
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
