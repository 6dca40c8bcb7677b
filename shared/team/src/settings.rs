//! A team's settings: one item for each kind, with the caller who set it. Two callers who change
//! settings at the same time do not overwrite each other's changes unnoticed.
//!
//! Requests with unknown members are refused when they are parsed. The table is read tolerantly:
//! another release may have written members that this one does not know, and they are ignored.
//! Settings that cannot be read at all affect only their own team: each kind defines a fallback
//! ([`SettingsKind::salvage`]), and an error is logged.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::AttributeValue;
use format::keys::{self, key};
use format::model::{FlowId, Item, TeamId, Timestamp};
use format::{Error, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use store::{Condition, Store};

use crate::audit::{Action, Entry};
use crate::auth::{self, Caller};

/// How many times settings are read again because another caller changed them.
const MAX_ATTEMPTS: usize = 5;

/// How long a team's settings are cached, and so how long a change takes to reach every process.
pub const SETTINGS_REMEMBERED: Duration = Duration::from_secs(60);

/// The most teams whose settings of one kind are cached.
const MAX_CACHED: usize = 1_000;

/// The most rules of a kind of settings. With the longest ids they stay below half the size of an
/// item.
pub const MAX_RULES: usize = 1_000;

/// The attribute with the time of the last change.
const UPDATED_AT: &str = "updatedAt";

/// A team's settings of one kind, and who set them.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TeamSettings<T> {
    /// The settings; empty if the team has set none. If the stored settings cannot be read, the
    /// fallback.
    pub settings: T,
    /// When they were last changed. No two changes have the same time.
    pub updated_at: Option<Timestamp>,
    /// The principal of the last change.
    pub updated_by: Option<String>,
    /// Why the stored settings cannot be read, if so.
    #[serde(skip)]
    pub unreadable: Option<String>,
}

/// A kind of settings.
pub(crate) trait SettingsKind: Clone + Default + Serialize + DeserializeOwned {
    /// The sort key of its item.
    const SORT_KEY: &'static str;

    /// For the log: what applies while settings of this kind cannot be read.
    const FALLBACK: &'static str;

    /// Refuses values that no release would have written, or that this release does not understand.
    ///
    /// # Errors
    /// Returns [`Error::InvalidMember`].
    fn check(&self) -> Result<()> {
        Ok(())
    }

    /// The fallback for settings that cannot be read as a whole: the safe choice for the team.
    fn salvage(_stored: &AttributeValue) -> Self {
        Self::default()
    }
}

/// A kind of settings with a compiled form, which is used often and therefore cached.
pub(crate) trait Compile: SettingsKind {
    /// The compiled form.
    type Compiled: Clone + Send + Sync + 'static;

    /// Compiles the settings.
    fn compile(&self) -> Self::Compiled;
}

/// Returns the compiled form of a team's settings, at most [`SETTINGS_REMEMBERED`] old.
pub(crate) async fn read_compiled<T: Compile>(
    store: &Store,
    team_id: &TeamId,
) -> Result<T::Compiled> {
    let cache = store.companion::<SettingsCache<T::Compiled>>();
    if let Some(compiled) = cache.get(team_id) {
        return Ok(compiled);
    }
    let compiled = read::<T>(store, team_id).await?.settings.compile();
    cache.insert(team_id, &compiled);
    Ok(compiled)
}

/// How a change of rules is audited.
#[derive(Clone, Copy)]
pub(crate) struct RuleChange {
    pub(crate) action: Action,
    /// The name of the settings.
    pub(crate) target: &'static str,
    /// The detail with the added rules.
    pub(crate) added: &'static str,
    /// The detail with the removed rules.
    pub(crate) removed: &'static str,
}

impl RuleChange {
    pub(crate) fn of_rules(action: Action, target: &'static str) -> Self {
        Self {
            action,
            target,
            added: "rulesAdded",
            removed: "rulesRemoved",
        }
    }
}

/// Replaces the rules of the caller's team like [`replace`], and caches their compiled form. The
/// audit lists each added and removed rule by its description.
///
/// # Errors
/// Returns [`Error::InvalidMember`], [`Error::Forbidden`] if the caller is limited to some of the
/// team's flows, and the errors of [`replace`].
pub(crate) async fn replace_rules<R>(
    store: &Store,
    caller: &Caller,
    rules: Vec<R>,
    expected: Expected,
    change: RuleChange,
    describe: fn(&R) -> String,
) -> Result<TeamSettings<Vec<R>>>
where
    Vec<R>: Compile,
{
    caller.require_whole_team("Settings")?;
    rules.check()?;
    let descriptions = |rules: &[R]| rules.iter().map(describe).collect::<Vec<_>>();
    let has = descriptions(&rules);
    let allow = |before: &TeamSettings<Vec<R>>| {
        let had = descriptions(&before.settings);
        let entry = Entry::new(caller, change.action, change.target)?;
        let changes = [
            added_entries(change.added, &has, &had),
            added_entries(change.removed, &had, &has),
        ];
        let changes = changes.into_iter().flatten();
        Ok(changes.fold(entry, |entry, (name, rules)| entry.detail(name, rules)))
    };
    let kept = replace(store, caller, rules, expected, allow).await?;
    let cache = store.companion::<SettingsCache<<Vec<R> as Compile>::Compiled>>();
    cache.insert(&caller.team_id, &kept.settings.compile());
    Ok(kept)
}

/// A member of a rule that is not valid, or the rule itself if `member` is empty.
pub(crate) struct InvalidRule {
    pub(crate) member: &'static str,
    pub(crate) reason: String,
}

/// Checks the rules of a team: their number, each rule with `check`, and that no two rules are for
/// the same runs.
///
/// # Errors
/// Returns [`Error::InvalidMember`] with the position of the first invalid rule.
pub(crate) fn check_rules<'a, R, Runs: Eq + Hash>(
    rules: &'a [R],
    check: impl Fn(&R) -> std::result::Result<(), InvalidRule>,
    runs: impl Fn(&'a R) -> Runs,
) -> Result<()> {
    if rules.len() > MAX_RULES {
        let reason = format!("Define at most {MAX_RULES} rules.");
        return Err(Error::invalid_member("rules", reason));
    }
    let mut seen = HashMap::new();
    for (position, rule) in rules.iter().enumerate() {
        let is_new = match seen.insert(runs(rule), position) {
            None => Ok(()),
            Some(other) => Err(InvalidRule {
                member: "",
                reason: format!("Remove this rule: rules[{other}] is for the same runs."),
            }),
        };
        check(rule).and(is_new).map_err(|invalid| {
            let member = format!("rules[{position}]{}", invalid.member);
            Error::invalid_member(member, invalid.reason)
        })?;
    }
    Ok(())
}

/// Checks the flow of a rule, if it has one.
pub(crate) fn check_flow(flow_id: Option<&str>) -> std::result::Result<(), InvalidRule> {
    match flow_id.map(str::parse::<FlowId>) {
        Some(Err(error)) => Err(InvalidRule {
            member: ".flowId",
            reason: error.to_sentence(),
        }),
        _ => Ok(()),
    }
}

/// Parses the item of settings.
fn from_item<T: SettingsKind>(item: &Item) -> TeamSettings<T> {
    let text = |name: &str| item.get(name)?.as_s().ok().cloned();
    let (settings, unreadable) = match item.get("settings") {
        None => (T::default(), Some("the item has no settings".to_owned())),
        Some(stored) => {
            let read = serde_dynamo::from_attribute_value::<_, T>(stored.clone());
            let read = read.map_err(|error| error.to_string()).and_then(|read| {
                let check = read.check();
                check.map(|()| read).map_err(|error| error.with_causes())
            });
            match read {
                Ok(read) => (read, None),
                Err(reason) => (T::salvage(stored), Some(reason)),
            }
        }
    };
    TeamSettings {
        settings,
        updated_at: text(UPDATED_AT).and_then(|time| time.parse().ok()),
        updated_by: text("updatedBy"),
        unreadable,
    }
}

/// The version of the settings that the caller wants to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Any version.
    Any,
    /// The version of this time; `None` if there are none yet.
    UpdatedAt(Option<Timestamp>),
}

/// Reads a team's settings of one kind. The read is consistent. Settings that cannot be understood
/// are logged and are not an error.
pub(crate) async fn read<T: SettingsKind>(
    store: &Store,
    team_id: &TeamId,
) -> Result<TeamSettings<T>> {
    Ok(read_with_item(store, team_id).await?.0)
}

async fn read_with_item<T: SettingsKind>(
    store: &Store,
    team_id: &TeamId,
) -> Result<(TeamSettings<T>, Option<Item>)> {
    let pk = keys::settings_partition(team_id);
    let item = store.get_latest(&pk, T::SORT_KEY).await?;
    let settings = item.as_ref().map(from_item);
    let settings: TeamSettings<T> = settings.unwrap_or_default();
    if let Some(reason) = &settings.unreadable {
        report_unreadable::<T>(store, team_id, reason);
    }
    Ok((settings, item))
}

/// Logs that a team's settings cannot be read, at most once in [`SETTINGS_REMEMBERED`].
pub(crate) fn report_unreadable<T: SettingsKind>(store: &Store, team_id: &TeamId, reason: &str) {
    let kind = T::SORT_KEY;
    if store.companion::<Reports>().is_due(team_id.as_str(), kind) {
        let until_then = T::FALLBACK;
        tracing::error!(%team_id, kind, reason, until_then, "a team's settings cannot be read");
    }
}

/// Replaces the settings of the caller's team, even if the stored settings cannot be read. `allow`
/// gets the old settings, refuses changes that the caller must not make, and returns the audit
/// event.
///
/// # Errors
/// Returns the errors of `allow`; [`Error::Conflict`] if the stored settings are not the expected
/// ones or keep changing; [`Error::Unauthenticated`] if the caller's token has ended since it was
/// authenticated; and an error if the table cannot be read or written.
pub(crate) async fn replace<T: SettingsKind>(
    store: &Store,
    caller: &Caller,
    settings: T,
    expected: Expected,
    allow: impl Fn(&TeamSettings<T>) -> Result<Entry>,
) -> Result<TeamSettings<T>> {
    for _ in 0..MAX_ATTEMPTS {
        let (before, stored) = read_with_item::<T>(store, &caller.team_id).await?;
        if let Expected::UpdatedAt(time) = expected
            && time != before.updated_at
        {
            return Err(Error::Conflict("The settings"));
        }
        let mut entry = allow(&before)?;
        if before.unreadable.is_some() {
            entry = entry.detail("replaced", "settings that this release cannot read");
        }
        let after = TeamSettings {
            settings: settings.clone(),
            updated_at: Some(later_than(before.updated_at)),
            updated_by: Some(caller.principal.clone()),
            unreadable: None,
        };
        let mut item = key(keys::settings_partition(&caller.team_id), T::SORT_KEY);
        let attributes: Item = serde_dynamo::to_item(&after).map_err(Error::internal)?;
        item.extend(attributes);
        let unchanged = Condition::unchanged(stored.as_ref(), UPDATED_AT);
        let mut actions = vec![store::Write::Put(item, Some(unchanged))];
        let now = Some(Timestamp::now().seconds());
        actions.extend(auth::while_valid(caller, now));
        if entry.record_with(store, actions).await? {
            return Ok(after);
        }
        auth::require_valid(store, caller).await?;
    }
    Err(Error::Conflict("The settings"))
}

/// The current time, and at least one millisecond after `time`.
fn later_than(time: Option<Timestamp>) -> Timestamp {
    let now = Timestamp::now();
    let next = time.and_then(|time| Timestamp::from_milliseconds(time.milliseconds() + 1));
    next.map_or(now, |next| next.max(now))
}

/// The entries of `list` that are not in `other`, with a name for the audit. The shortest entries
/// come first, so that a long entry cannot push others beyond the audit's length limit.
pub(crate) fn added_entries(
    name: &'static str,
    list: &[String],
    other: &[String],
) -> Option<(&'static str, String)> {
    let is_new = |entry: &&String| !other.contains(entry);
    let mut entries: Vec<_> = list.iter().filter(is_new).map(String::as_str).collect();
    entries.sort_by_key(|entry| entry.len());
    (!entries.is_empty()).then(|| (name, entries.join("; ")))
}

/// A cache of what was compiled from the settings of recently used teams.
pub(crate) struct SettingsCache<T>(Mutex<HashMap<TeamId, (T, Instant)>>);

impl<T> Default for SettingsCache<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> fmt::Debug for SettingsCache<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("SettingsCache")
            .finish_non_exhaustive()
    }
}

impl<T: Clone> SettingsCache<T> {
    pub(crate) fn get(&self, team_id: &TeamId) -> Option<T> {
        let cached = self.0.lock().ok()?;
        let (compiled, until) = cached.get(team_id)?;
        (Instant::now() < *until).then(|| compiled.clone())
    }

    pub(crate) fn insert(&self, team_id: &TeamId, compiled: &T) {
        let Ok(mut cached) = self.0.lock() else {
            return;
        };
        let now = Instant::now();
        if cached.len() >= MAX_CACHED {
            cached.retain(|_, (_, until)| now < *until);
        }
        if cached.len() < MAX_CACHED || cached.contains_key(team_id) {
            let until = now + SETTINGS_REMEMBERED;
            cached.insert(team_id.clone(), (compiled.clone(), until));
        }
    }
}

/// What was recently reported as unreadable, so that it is logged once in [`SETTINGS_REMEMBERED`].
#[derive(Debug, Default)]
pub struct Reports(Mutex<HashMap<(String, &'static str), Instant>>);

impl Reports {
    /// Returns whether to log now that something of this owner and kind cannot be read.
    pub fn is_due(&self, owner: &str, kind: &'static str) -> bool {
        let Ok(mut reported) = self.0.lock() else {
            return true;
        };
        let now = Instant::now();
        let is_recent = |until: &Instant| now < *until;
        if reported
            .get(&(owner.to_owned(), kind))
            .is_some_and(is_recent)
        {
            return false;
        }
        if reported.len() >= MAX_CACHED {
            reported.retain(|_, until| is_recent(until));
        }
        // With more entries than this, not logging is better than a line for each request.
        let is_room = reported.len() < MAX_CACHED;
        if is_room {
            reported.insert((owner.to_owned(), kind), now + SETTINGS_REMEMBERED);
        }
        is_room
    }
}
