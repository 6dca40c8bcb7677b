//! A team's masking: its settings, which lie in the table, and what they do to the
//! payloads that a caller reads.
//!
//! What is found in a text, and which names of fields hold secrets, is the crate
//! `masking`'s to say.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use masking::{Masker, Settings};

use crate::audit::{Action, Entry};
use crate::auth::{Caller, Permission};
use crate::error::{Error, Result};
use crate::keys;
use crate::model::{ExecutionId, TeamId, Value};
use crate::settings::{self, Expected, TeamSettings};
use crate::store::Store;

mod payload;

/// How long a team's settings are remembered, and so how long a change takes to
/// reach every process.
pub const SETTINGS_REMEMBERED: Duration = Duration::from_secs(60);

/// The most teams whose settings are remembered at a time.
const MAX_REMEMBERED: usize = 1_000;

/// The largest settings, in bytes of JSON: an item ends at 400 KB.
const MAX_SETTINGS_BYTES: usize = 256 * 1024;

/// What a team has added to masking, and allowed.
pub type MaskingSettings = TeamSettings<Settings>;

/// Reads the settings of the caller's team.
///
/// # Errors
/// Those of the table.
pub async fn get_settings(store: &Store, caller: &Caller) -> Result<MaskingSettings> {
    settings::read(store, &caller.team_id, keys::MASKING).await
}

/// Puts settings in the place of those of the caller's team. Who lets more be seen has
/// to be one who may see it.
///
/// # Errors
/// [`Error::InvalidMember`]; [`Error::Forbidden`] for a caller who is kept from
/// some of the team's flows, whose masking these are, and for one who lets more be seen
/// without [`Permission::ExecutionsReveal`]; and those of the table.
pub async fn put_settings(
    store: &Store,
    caller: &Caller,
    settings: Settings,
) -> Result<MaskingSettings> {
    caller.require_whole_team("Settings")?;
    let bytes = serde_json::to_vec(&settings).map_err(Error::internal)?;
    if bytes.len() > MAX_SETTINGS_BYTES {
        let reason = format!("They are larger than {MAX_SETTINGS_BYTES} bytes together.");
        return Err(Error::invalid_member("settings", reason));
    }
    let masker = Masker::new(&settings)
        .map_err(|invalid| Error::invalid_member(invalid.field, invalid.reason))?;
    let after = settings.clone();
    let allow = |before: &Settings| {
        let change = Change::of(before, &after);
        if !change.shows.is_empty() {
            caller.require(Permission::ExecutionsReveal)?;
        }
        let entry = Entry::new(caller, Action::MaskingChanged, "masking")?;
        Ok(entry
            .detail("shows", change.shows.join("; "))
            .detail("hides", change.hides.join("; ")))
    };
    let kept =
        settings::replace(store, caller, keys::MASKING, settings, Expected::Any, allow).await?;
    store.maskers().remember(&caller.team_id, &masker);
    Ok(kept)
}

/// What a change of the settings lets be seen, and what it hides.
struct Change {
    shows: Vec<String>,
    hides: Vec<String>,
}

impl Change {
    fn of(before: &Settings, after: &Settings) -> Self {
        let (hidden, hiding) = (hiding(before), hiding(after));
        let (shown, showing) = (showing(before), showing(after));
        let added = |entry: &String| format!("+{entry}");
        let removed = |entry: &String| format!("-{entry}");
        let shows = showing.difference(&shown).map(added);
        let hides = hiding.difference(&hidden).map(added);
        Self {
            shows: shows
                .chain(hidden.difference(&hiding).map(removed))
                .collect(),
            hides: hides
                .chain(shown.difference(&showing).map(removed))
                .collect(),
        }
    }
}

/// The entries that hide something.
fn hiding(settings: &Settings) -> BTreeSet<String> {
    let patterns = settings.patterns.iter();
    let patterns = patterns.map(|pattern| format!("pattern {}: {}", pattern.name, pattern.pattern));
    let names = settings.key_names.iter();
    patterns
        .chain(names.map(|name| format!("key name {name}")))
        .collect()
}

/// The entries that let something be seen.
fn showing(settings: &Settings) -> BTreeSet<String> {
    let named = |kind: &'static str, entries: &[String]| -> Vec<String> {
        let entries = entries.iter();
        entries.map(|entry| format!("{kind} {entry}")).collect()
    };
    let names = named("allowed key name", &settings.allowed_key_names);
    let rules = named("allowed rule", &settings.allowed_rules);
    let patterns = named("allowed pattern", &settings.allowed_patterns);
    names.into_iter().chain(rules).chain(patterns).collect()
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
    let stored: MaskingSettings = settings::read(store, team_id, keys::MASKING).await?;
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
        let entry = Entry::new(caller, Action::ExecutionRevealed, execution_id.as_str())?;
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
