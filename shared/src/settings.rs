//! What a team sets for itself: one item for each kind of settings, with who made
//! them. Two who change them at a time do not undo each other unseen.

use std::collections::HashMap;
use std::fmt;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::audit::Entry;
use crate::auth::{self, Caller};
use crate::error::{Error, Result};
use crate::keys;
use crate::model::{Item, TeamId, Timestamp};
use crate::store::{Replaced, Store, key};
use crate::table::text;

/// How often settings are read again that another changed meanwhile.
const MAX_ATTEMPTS: usize = 5;

/// How long a team's settings are remembered, and so how long a change takes to
/// reach every process.
pub const SETTINGS_REMEMBERED: Duration = Duration::from_secs(60);

/// The most teams whose settings of one kind are remembered at a time.
const MAX_REMEMBERED: usize = 1_000;

/// The most rules of a kind of settings: with the longest ids they stay below half of an
/// item.
pub const MAX_RULES: usize = 1_000;

/// A team's settings of one kind, and who made them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TeamSettings<T> {
    /// The settings; those of a team that has made none are empty.
    pub settings: T,
    /// When they were last changed. No two changes have the same time.
    pub updated_at: Option<Timestamp>,
    /// By whom.
    pub updated_by: Option<String>,
}

/// What the caller takes the settings to be that it changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Whatever they are.
    Any,
    /// Those of this time; `None` for none.
    Of(Option<Timestamp>),
}

/// Reads a team's settings of one kind, as they are now.
///
/// # Errors
/// Those of the table; and that what is there cannot be read.
pub(crate) async fn read<T: Default + DeserializeOwned>(
    store: &Store,
    team_id: &TeamId,
    kind: &str,
) -> Result<TeamSettings<T>> {
    let pk = keys::settings_partition(team_id);
    match store.get_latest(&pk, kind).await? {
        Some(item) => serde_dynamo::from_item(item).map_err(Error::internal),
        None => Ok(TeamSettings::default()),
    }
}

/// Puts settings in the place of those of the caller's team. `allow` is shown what they
/// were, refuses what the caller may not change, and tells the audit the rest.
///
/// # Errors
/// Those of `allow`; [`Error::Conflict`] when they are not those that are expected, or
/// keep changing;
/// [`Error::Unauthenticated`] for a token that has ended meanwhile; and those of the
/// table.
pub(crate) async fn replace<T: Clone + Default + Serialize + DeserializeOwned>(
    store: &Store,
    caller: &Caller,
    kind: &'static str,
    settings: T,
    expected: Expected,
    allow: impl Fn(&T) -> Result<Entry>,
) -> Result<TeamSettings<T>> {
    for _ in 0..MAX_ATTEMPTS {
        let before: TeamSettings<T> = read(store, &caller.team_id, kind).await?;
        if let Expected::Of(time) = expected
            && time != before.updated_at
        {
            return Err(Error::Conflict("The settings"));
        }
        let entry = allow(&before.settings)?;
        let after = TeamSettings {
            settings: settings.clone(),
            updated_at: Some(later_than(before.updated_at)),
            updated_by: Some(caller.principal.clone()),
        };
        let mut item = key(keys::settings_partition(&caller.team_id), kind);
        let attributes: Item = serde_dynamo::to_item(&after).map_err(Error::internal)?;
        item.extend(attributes);
        let replaced = match before.updated_at {
            None => Replaced::Nothing,
            Some(time) => Replaced::With("updatedAt", text(time.to_string())),
        };
        let mut actions = vec![store.put_action(item, replaced)?];
        let now = Some(Timestamp::now().seconds());
        actions.extend(auth::while_good(store, caller, now)?);
        if entry.record_with(store, actions).await? {
            return Ok(after);
        }
        auth::require_good(store, caller).await?;
    }
    Err(Error::Conflict("The settings"))
}

/// Now, or a moment later than that.
fn later_than(time: Option<Timestamp>) -> Timestamp {
    let now = Timestamp::now();
    let next = time.and_then(|time| Timestamp::from_milliseconds(time.milliseconds() + 1));
    next.map_or(now, |next| next.max(now))
}

/// What of one list is not in the other, under a name for the audit. The shortest first:
/// where there is more than the audit takes, nothing is hidden behind what is long.
pub(crate) fn told(
    name: &'static str,
    list: &[String],
    other: &[String],
) -> Option<(&'static str, String)> {
    let is_new = |entry: &&String| !other.contains(entry);
    let mut entries: Vec<_> = list.iter().filter(is_new).map(String::as_str).collect();
    entries.sort_by_key(|entry| entry.len());
    (!entries.is_empty()).then(|| (name, entries.join("; ")))
}

/// What was made of the settings of the teams that were asked for lately.
pub(crate) struct Remembered<T>(Mutex<HashMap<TeamId, (T, Instant)>>);

impl<T> Default for Remembered<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> fmt::Debug for Remembered<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Remembered").finish_non_exhaustive()
    }
}

impl<T: Clone> Remembered<T> {
    pub(crate) fn recall(&self, team_id: &TeamId) -> Option<T> {
        let remembered = self.0.lock().ok()?;
        let (made, until) = remembered.get(team_id)?;
        (Instant::now() < *until).then(|| made.clone())
    }

    pub(crate) fn remember(&self, team_id: &TeamId, made: &T) {
        let Ok(mut remembered) = self.0.lock() else {
            return;
        };
        let now = Instant::now();
        if remembered.len() >= MAX_REMEMBERED {
            remembered.retain(|_, (_, until)| now < *until);
        }
        if remembered.len() < MAX_REMEMBERED || remembered.contains_key(team_id) {
            let until = now + SETTINGS_REMEMBERED;
            remembered.insert(team_id.clone(), (made.clone(), until));
        }
    }
}
