//! A team's masking: its settings, which lie in the table, and what they do to the
//! payloads that a caller reads.
//!
//! What is found in a text, and which names of fields hold secrets, is the crate
//! `masking`'s to say.

use aws_sdk_dynamodb::types::AttributeValue;
use masking::{InvalidSettings, Masker, Settings};
use serde_json::value::RawValue;

use crate::audit::{Action, Entry};
use crate::auth::{Caller, Permission};
use crate::error::{Error, Result};
use crate::keys;
use crate::model::{ExecutionId, OmittedPayload, TeamId, Value};
use crate::settings::{self, Expected, TeamSettings, told};
use crate::store::Store;

mod payload;

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
    let masker = checked(&settings).await?;
    let after = settings.clone();
    let allow = |before: &Settings| {
        let change = Change::of(before, &after);
        if !change.shows.is_empty() {
            caller.require(Permission::ExecutionsReveal)?;
        }
        let entry = Entry::new(caller, Action::MaskingChanged, "masking")?;
        let told = change.shows.into_iter().chain(change.hides);
        Ok(told.fold(entry, |entry, (list, entries)| entry.detail(list, entries)))
    };
    let kept =
        settings::replace(store, caller, keys::MASKING, settings, Expected::Any, allow).await?;
    store
        .remembered()
        .maskers
        .remember(&caller.team_id, &masker);
    Ok(kept)
}

/// Masks a value as a caller without [`Permission::ExecutionsReveal`] would see it: a text
/// as the texts of an export, anything else as a payload in details. With these settings
/// or, without any, with those of the caller's team. Nothing is kept.
///
/// # Errors
/// Those of the settings, as of [`put_settings`]; and those of the table.
pub async fn try_settings(
    store: &Store,
    caller: &Caller,
    value: Box<RawValue>,
    settings: Option<Settings>,
) -> Result<Value> {
    caller.require_whole_team("Settings")?;
    let masker = match settings {
        Some(settings) => checked(&settings).await?,
        None => masker_of(store, &caller.team_id).await?,
    };
    if let Ok(text) = serde_json::from_str::<String>(value.get()) {
        let masked = masker.mask(&text).into_owned();
        return Ok(Value::Native(AttributeValue::S(masked)));
    }
    Ok(payload::mask(Value::Json(value), &masker))
}

/// The masker that settings make, if they can be.
async fn checked(settings: &Settings) -> Result<Masker> {
    let bytes = serde_json::to_vec(settings).map_err(Error::internal)?;
    if bytes.len() > MAX_SETTINGS_BYTES {
        let reason = format!("They are larger than {MAX_SETTINGS_BYTES} bytes together.");
        return Err(Error::invalid_member("settings", reason));
    }
    let compiled = compile(settings.clone()).await?;
    compiled.map_err(|invalid| Error::invalid_member(invalid.field, invalid.reason))
}

/// What a change of the settings lets be seen, and what it hides: of each list what is
/// added and what is removed, under a name for the audit.
#[derive(Default)]
struct Change {
    shows: Vec<(&'static str, String)>,
    hides: Vec<(&'static str, String)>,
}

impl Change {
    fn of(before: &Settings, after: &Settings) -> Self {
        let mut change = Self::default();
        let (had, has) = (patterns(before), patterns(after));
        change.hides.extend(told("patternsAdded", &has, &had));
        change.shows.extend(told("patternsRemoved", &had, &has));
        let (had, has) = (&before.key_names, &after.key_names);
        change.hides.extend(told("keyNamesAdded", has, had));
        change.shows.extend(told("keyNamesRemoved", had, has));
        let (had, has) = (&before.allowed_rules, &after.allowed_rules);
        change.shows.extend(told("allowedRulesAdded", has, had));
        change.hides.extend(told("allowedRulesRemoved", had, has));
        let (had, has) = (&before.allowed_key_names, &after.allowed_key_names);
        change.shows.extend(told("allowedKeyNamesAdded", has, had));
        change
            .hides
            .extend(told("allowedKeyNamesRemoved", had, has));
        let (had, has) = (&before.allowed_patterns, &after.allowed_patterns);
        change.shows.extend(told("allowedPatternsAdded", has, had));
        change
            .hides
            .extend(told("allowedPatternsRemoved", had, has));
        change
    }
}

/// The team's own rules, each as one text.
fn patterns(settings: &Settings) -> Vec<String> {
    let patterns = settings.patterns.iter();
    patterns
        .map(|pattern| format!("{}: {}", pattern.name, pattern.pattern))
        .collect()
}

/// Makes a masker. A hundred large patterns take seconds, during which others are
/// served: so on a thread of its own.
async fn compile(settings: Settings) -> Result<std::result::Result<Masker, InvalidSettings>> {
    if settings == Settings::default() {
        return Ok(Ok(Masker::builtin()));
    }
    let compiled = tokio::task::spawn_blocking(move || Masker::new(&settings));
    compiled.await.map_err(Error::internal)
}

/// The masker of a team, by its settings of at most
/// [`SETTINGS_REMEMBERED`](settings::SETTINGS_REMEMBERED) ago.
///
/// # Errors
/// Those of the table; and that the settings there are none. Nothing is shown
/// unmasked because of that.
pub async fn masker_of(store: &Store, team_id: &TeamId) -> Result<Masker> {
    if let Some(masker) = store.remembered().maskers.recall(team_id) {
        return Ok(masker);
    }
    let stored: MaskingSettings = settings::read(store, team_id, keys::MASKING).await?;
    let masker = compile(stored.settings).await?.map_err(Error::internal)?;
    store.remembered().maskers.remember(team_id, &masker);
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
        self.show_within(payload, None).unwrap_or_default()
    }

    /// A payload as it is shown, unless it is longer than `most` bytes then. What is left
    /// out reveals nothing, and its size not the length of a secret that is hidden.
    ///
    /// # Errors
    /// What is left out.
    pub(crate) fn show_within(
        &mut self,
        payload: Option<Value>,
        most: Option<usize>,
    ) -> std::result::Result<Option<Value>, OmittedPayload> {
        let Some(payload) = payload else {
            return Ok(None);
        };
        let shown = match self.reveals {
            true => payload,
            false => payload::mask(payload, &self.masker),
        };
        if let Some(most) = most {
            let bytes = shown.json_size();
            if bytes > most {
                return Err(OmittedPayload { bytes: Some(bytes) });
            }
        }
        self.has_revealed |= self.reveals && payload::holds_secret(&shown, &self.masker);
        Ok(Some(shown))
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
