//! A team's masking: its settings, which lie in the table, and what they do to the
//! payloads that a caller reads.
//!
//! What is found in a text, and which names of fields hold secrets, is the crate
//! `masking`'s to say.

use std::collections::HashMap;
use std::fmt;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use masking::{InvalidSettings, Masker, Settings};
use serde::{Deserialize, Serialize};

use crate::audit::{Action, Entry};
use crate::auth::{Caller, Permission};
use crate::error::{Error, Result};
use crate::keys;
use crate::model::{ExecutionId, Item, TeamId, Timestamp, Value};
use crate::store::{Replaced, Store, key};

mod payload;

/// How long a team's settings are remembered, and so how long a change takes to
/// reach every process.
pub const SETTINGS_REMEMBERED: Duration = Duration::from_secs(60);

/// The most teams whose settings are remembered at a time.
const MAX_REMEMBERED: usize = 1_000;

/// The largest settings, in bytes of JSON: an item ends at 400 KB.
const MAX_SETTINGS_BYTES: usize = 256 * 1024;

/// A team's settings, and who made them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MaskingSettings {
    /// The settings; those of a team that has made none are empty.
    pub settings: Settings,
    /// When they were last changed.
    pub updated_at: Option<Timestamp>,
    /// By whom.
    pub updated_by: Option<String>,
}

/// Reads the settings of the caller's team.
///
/// # Errors
/// Those of the table.
pub async fn get_settings(store: &Store, caller: &Caller) -> Result<MaskingSettings> {
    read(store, &caller.team_id).await
}

/// Puts settings in the place of those of the caller's team.
///
/// # Errors
/// [`Error::InvalidSettings`]; [`Error::Forbidden`] for a caller who is kept from
/// some of the team's flows, whose masking these are; and those of the table.
pub async fn put_settings(
    store: &Store,
    caller: &Caller,
    settings: Settings,
) -> Result<MaskingSettings> {
    caller.require_whole_team("Settings")?;
    let bytes = serde_json::to_vec(&settings).map_err(Error::internal)?;
    if bytes.len() > MAX_SETTINGS_BYTES {
        return Err(Error::InvalidSettings(InvalidSettings {
            field: "settings".to_owned(),
            reason: format!("The settings are larger than {MAX_SETTINGS_BYTES} bytes."),
        }));
    }
    let masker = Masker::new(&settings).map_err(Error::InvalidSettings)?;
    let stored = MaskingSettings {
        settings,
        updated_at: Some(Timestamp::now()),
        updated_by: Some(caller.principal.clone()),
    };
    let before = read(store, &caller.team_id).await?;
    let mut item = key(keys::settings_partition(&caller.team_id), keys::MASKING);
    let attributes: Item = serde_dynamo::to_item(&stored).map_err(Error::internal)?;
    item.extend(attributes);
    let put = store.put_action(item, Replaced::Anything)?;
    Entry::new(caller, Action::MaskingChanged, "masking")
        .detail("before", json(&before.settings)?)
        .detail("after", json(&stored.settings)?)
        .record_with(store, vec![put])
        .await?;
    store.maskers().remember(&caller.team_id, &masker);
    Ok(stored)
}

fn json(settings: &Settings) -> Result<String> {
    serde_json::to_string(settings).map_err(Error::internal)
}

async fn read(store: &Store, team_id: &TeamId) -> Result<MaskingSettings> {
    let pk = keys::settings_partition(team_id);
    match store.get(&pk, keys::MASKING).await? {
        Some(item) => serde_dynamo::from_item(item).map_err(Error::internal),
        None => Ok(MaskingSettings::default()),
    }
}

/// The masker of a team, by its settings of at most [`SETTINGS_REMEMBERED`] ago.
///
/// # Errors
/// Those of the table; and that the settings there are none. Nothing is shown
/// unmasked because of that.
pub async fn masker_of(store: &Store, team_id: &TeamId) -> Result<Masker> {
    if let Some(masker) = store.maskers().recall(team_id) {
        return Ok(masker);
    }
    let stored = read(store, team_id).await?;
    let masker = Masker::new(&stored.settings).map_err(Error::internal)?;
    store.maskers().remember(team_id, &masker);
    Ok(masker)
}

/// How the payloads of a run are shown to a caller: without secrets or, to one who
/// may see them, with them, of which the audit is told.
pub(crate) struct Disclosure {
    masker: Masker,
    reveals: bool,
    has_revealed: bool,
}

impl Disclosure {
    /// As this caller may see payloads.
    ///
    /// # Errors
    /// Those of [`masker_of`].
    pub(crate) async fn to(store: &Store, caller: &Caller) -> Result<Self> {
        Ok(Self {
            masker: masker_of(store, &caller.team_id).await?,
            reveals: caller.permissions.contains(&Permission::ExecutionsReveal),
            has_revealed: false,
        })
    }

    /// A payload as it is shown.
    pub(crate) fn show(&mut self, payload: Option<Value>) -> Option<Value> {
        let payload = payload?;
        if !self.reveals {
            return Some(payload::mask(payload, &self.masker));
        }
        self.has_revealed |= payload::holds_secret(&payload, &self.masker);
        Some(payload)
    }

    /// Tells the audit, where secrets of this run were shown. They must not leave
    /// before.
    ///
    /// # Errors
    /// Those of the table.
    pub(crate) async fn record(
        self,
        store: &Store,
        caller: &Caller,
        execution_id: &ExecutionId,
    ) -> Result<()> {
        if !self.has_revealed {
            return Ok(());
        }
        let entry = Entry::new(caller, Action::ExecutionRevealed, execution_id.as_str());
        entry.record(store).await
    }
}

/// The maskers of the teams that were asked for lately.
#[derive(Default)]
pub(crate) struct Maskers(Mutex<HashMap<TeamId, (Masker, Instant)>>);

impl fmt::Debug for Maskers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Maskers").finish_non_exhaustive()
    }
}

impl Maskers {
    fn recall(&self, team_id: &TeamId) -> Option<Masker> {
        let remembered = self.0.lock().ok()?;
        let (masker, until) = remembered.get(team_id)?;
        (Instant::now() < *until).then(|| masker.clone())
    }

    fn remember(&self, team_id: &TeamId, masker: &Masker) {
        let Ok(mut remembered) = self.0.lock() else {
            return;
        };
        let now = Instant::now();
        if remembered.len() >= MAX_REMEMBERED {
            remembered.retain(|_, (_, until)| now < *until);
        }
        if remembered.len() < MAX_REMEMBERED || remembered.contains_key(team_id) {
            let until = now + SETTINGS_REMEMBERED;
            remembered.insert(team_id.clone(), (masker.clone(), until));
        }
    }
}
