//! A team's masking: its settings in the table, and their application to the payloads that a caller
//! reads.
//!
//! The crate `masking` decides what is masked in a text, and which field names hold secrets.

use std::borrow::Cow;

use aws_sdk_dynamodb::types::AttributeValue;
use format::model::{Execution, ExecutionId, OmittedPayload, Step, TeamId, Value};
use format::{Error, Result, keys};
use masking::{InvalidSettings, Masker, Pattern, Settings, rules};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use store::Store;

use crate::audit::{Action, Entry};
use crate::auth::{self, Caller, Permission};
use crate::settings::{self, Expected, SettingsCache, SettingsKind, TeamSettings, added_entries};

mod payload;
mod workers;

pub use workers::on_a_worker;

/// The largest settings, in bytes of JSON. An item is limited to 400 KB.
const MAX_SETTINGS_BYTES: usize = 256 * 1024;

/// The rules and exceptions that a team has added to masking.
pub type MaskingSettings = TeamSettings<Settings>;

impl SettingsKind for Settings {
    const SORT_KEY: &'static str = keys::MASKING;
    const FALLBACK: &'static str = "the built-in rules and the team's readable rules apply, \
                                    without exceptions, and exports are refused";

    /// Keeps the rules that can be read and drops all exceptions, so that at least everything that
    /// the built-in rules find is masked.
    fn salvage(stored: &AttributeValue) -> Self {
        Self {
            patterns: read_entries(stored, "patterns"),
            key_names: read_entries(stored, "keyNames"),
            ..Self::default()
        }
    }
}

/// Reads the entries of a stored list that can be read.
fn read_entries<T: DeserializeOwned>(stored: &AttributeValue, list: &str) -> Vec<T> {
    let entries = stored.as_m().ok().and_then(|members| members.get(list));
    let entries = entries.and_then(|list| list.as_l().ok()).into_iter();
    let read = |entry: &AttributeValue| serde_dynamo::from_attribute_value(entry.clone()).ok();
    entries.flatten().filter_map(read).collect()
}

/// The masker of a team's payloads.
#[derive(Debug, Clone)]
pub(crate) struct TeamMasker {
    masker: Masker,
    /// Whether it has every rule of the team.
    is_complete: bool,
}

/// Reads the settings of the caller's team.
pub async fn get_settings(store: &Store, caller: &Caller) -> Result<MaskingSettings> {
    let mut stored: MaskingSettings = settings::read(store, &caller.team_id).await?;
    if stored.unreadable.is_none() {
        let compiled = compile(without_unknown_rules(stored.settings.clone())).await?;
        stored.unreadable = compiled.err().map(|invalid| invalid.to_string());
    }
    Ok(stored)
}

/// Replaces the settings of the caller's team. Only a caller that may see secrets can make more of
/// them visible.
///
/// # Errors
/// Returns [`Error::InvalidMember`]; [`Error::Forbidden`] if the caller is limited to some of the
/// team's flows, because the settings apply to all, or if it makes more visible without
/// [`Permission::ExecutionsReveal`]; and an error if the table cannot be read or written.
pub async fn put_settings(
    store: &Store,
    caller: &Caller,
    settings: Settings,
) -> Result<MaskingSettings> {
    caller.require_whole_team("Settings")?;
    let masker = compile_valid(&settings).await?;
    let after = settings.clone();
    let allow = |before: &MaskingSettings| {
        let change = Change::between(&before.settings, &after);
        // Settings that cannot be read may hide anything.
        if !change.shows.is_empty() || before.unreadable.is_some() {
            caller.require(Permission::ExecutionsReveal)?;
        }
        let entry = Entry::new(caller, Action::MaskingChanged, "masking")?;
        let lists = change.shows.into_iter().chain(change.hides);
        Ok(lists.fold(entry, |entry, (list, entries)| entry.detail(list, entries)))
    };
    let kept = settings::replace(store, caller, settings, Expected::Any, allow).await?;
    let masker = TeamMasker {
        masker,
        is_complete: true,
    };
    store
        .companion::<SettingsCache<TeamMasker>>()
        .insert(&caller.team_id, &masker);
    Ok(kept)
}

/// Masks a value as a caller without [`Permission::ExecutionsReveal`] would see it: a text like the
/// texts of an export, anything else like a payload in the details of a run. Uses these settings
/// or, without any, the settings of the caller's team. Stores nothing.
///
/// # Errors
/// Returns [`Error::InvalidMember`] for settings that are not valid, [`Error::Forbidden`] if the
/// caller is limited to some of the team's flows, and an error if the table cannot be read.
pub async fn try_settings(
    store: &Store,
    caller: &Caller,
    value: Box<RawValue>,
    settings: Option<Settings>,
) -> Result<Value> {
    caller.require_whole_team("Settings")?;
    let masker = match settings {
        Some(settings) => compile_valid(&settings).await?,
        None => masker_of(store, &caller.team_id).await?,
    };
    let mask = move || match serde_json::from_str::<String>(value.get()) {
        Ok(text) => Value::Native(AttributeValue::S(masker.mask_beginning(&text).into_owned())),
        Err(_) => payload::mask(Value::Json(value), &masker),
    };
    on_a_worker(&caller.team_id, mask).await
}

/// Compiles settings, and refuses settings that are not valid.
async fn compile_valid(settings: &Settings) -> Result<Masker> {
    let bytes = serde_json::to_vec(settings).map_err(Error::internal)?;
    if bytes.len() > MAX_SETTINGS_BYTES {
        let reason = format!("Send settings of at most {MAX_SETTINGS_BYTES} bytes of JSON.");
        return Err(Error::invalid_member("settings", reason));
    }
    let compiled = compile(settings.clone()).await?;
    compiled.map_err(|invalid| Error::invalid_member(invalid.field, invalid.reason))
}

/// What a change of the settings makes visible and what it hides: the added and removed entries of
/// each list, with their names in the audit.
#[derive(Default)]
struct Change {
    shows: Vec<(&'static str, String)>,
    hides: Vec<(&'static str, String)>,
}

impl Change {
    fn between(before: &Settings, after: &Settings) -> Self {
        let mut change = Self::default();
        let (had, has) = (patterns(before), patterns(after));
        change
            .hides
            .extend(added_entries("patternsAdded", &has, &had));
        change
            .shows
            .extend(added_entries("patternsRemoved", &had, &has));
        let (had, has) = (&before.key_names, &after.key_names);
        change
            .hides
            .extend(added_entries("keyNamesAdded", has, had));
        change
            .shows
            .extend(added_entries("keyNamesRemoved", had, has));
        let (had, has) = (&before.allowed_rules, &after.allowed_rules);
        change
            .shows
            .extend(added_entries("allowedRulesAdded", has, had));
        change
            .hides
            .extend(added_entries("allowedRulesRemoved", had, has));
        let (had, has) = (&before.allowed_key_names, &after.allowed_key_names);
        change
            .shows
            .extend(added_entries("allowedKeyNamesAdded", has, had));
        change
            .hides
            .extend(added_entries("allowedKeyNamesRemoved", had, has));
        let (had, has) = (&before.allowed_patterns, &after.allowed_patterns);
        change
            .shows
            .extend(added_entries("allowedPatternsAdded", has, had));
        change
            .hides
            .extend(added_entries("allowedPatternsRemoved", had, has));
        change
    }
}

/// The team's own patterns as texts.
fn patterns(settings: &Settings) -> Vec<String> {
    let patterns = settings.patterns.iter();
    patterns
        .map(|pattern| format!("{}: {}", pattern.name, pattern.pattern))
        .collect()
}

/// Compiles a masker on a separate thread: a hundred large patterns take seconds, during which
/// other requests must be served.
async fn compile(settings: Settings) -> Result<std::result::Result<Masker, InvalidSettings>> {
    if settings == Settings::default() {
        return Ok(Ok(Masker::builtin()));
    }
    let compiled = tokio::task::spawn_blocking(move || Masker::new(&settings));
    compiled.await.map_err(Error::internal)
}

/// Removes exceptions that only another release knows: a rule that does not exist here cannot be
/// switched off.
fn without_unknown_rules(mut settings: Settings) -> Settings {
    let is_known = |name: &String| rules().any(|rule| rule.name == name);
    settings.allowed_rules.retain(is_known);
    settings
}

/// Compiles the rules that are valid, each checked separately. Exceptions are dropped, so a rule is
/// never switched off by settings that are not valid.
fn compile_readable(settings: &Settings) -> TeamMasker {
    let is_valid = |part: Settings| Masker::new(&part).is_ok();
    let is_pattern = |pattern: &&Pattern| {
        is_valid(Settings {
            patterns: vec![(*pattern).clone()],
            ..Settings::default()
        })
    };
    let is_name = |name: &&String| {
        is_valid(Settings {
            key_names: vec![(*name).clone()],
            ..Settings::default()
        })
    };
    let patterns: Vec<_> = settings
        .patterns
        .iter()
        .filter(is_pattern)
        .cloned()
        .collect();
    let key_names: Vec<_> = settings.key_names.iter().filter(is_name).cloned().collect();
    let is_complete =
        patterns.len() == settings.patterns.len() && key_names.len() == settings.key_names.len();
    let readable = Settings {
        patterns,
        key_names,
        ..Settings::default()
    };
    // There may be more rules than this release accepts.
    let compiled = Masker::new(&readable);
    TeamMasker {
        is_complete: is_complete && compiled.is_ok(),
        masker: compiled.unwrap_or_else(|_| Masker::builtin()),
    }
}

/// Returns the masker of a team, by settings that are at most
/// [`SETTINGS_REMEMBERED`](settings::SETTINGS_REMEMBERED) old. If the settings cannot be read, it
/// has the built-in rules and the team's rules that can be read.
pub async fn masker_of(store: &Store, team_id: &TeamId) -> Result<Masker> {
    Ok(team_masker(store, team_id).await?.masker)
}

async fn team_masker(store: &Store, team_id: &TeamId) -> Result<TeamMasker> {
    let cache = store.companion::<SettingsCache<TeamMasker>>();
    if let Some(masker) = cache.get(team_id) {
        return Ok(masker);
    }
    let stored: MaskingSettings = settings::read(store, team_id).await?;
    let settings = without_unknown_rules(stored.settings);
    let mut found = match compile(settings.clone()).await? {
        Ok(masker) => TeamMasker {
            masker,
            is_complete: true,
        },
        Err(invalid) => {
            settings::report_unreadable::<Settings>(store, team_id, &invalid.to_string());
            let compiled = tokio::task::spawn_blocking(move || compile_readable(&settings));
            compiled.await.map_err(Error::internal)?
        }
    };
    found.is_complete &= stored.unreadable.is_none();
    cache.insert(team_id, &found);
    Ok(found)
}

/// The longest payload, in bytes, that is masked on a thread that serves requests. Passing it to
/// another thread would take as long.
const MAX_INLINE_BYTES: usize = 16 * 1024;

/// Prepares a payload for its caller. Returns it with whether it reveals a secret, or how long it
/// is if it is left out.
fn show_payload(
    payload: Value,
    masker: &Masker,
    reveals: bool,
    max_bytes: Option<usize>,
) -> std::result::Result<(Value, bool), OmittedPayload> {
    let shown = match reveals {
        true => payload,
        false => payload::mask(payload, masker),
    };
    if let Some(max_bytes) = max_bytes {
        let bytes = shown.json_size();
        if bytes > max_bytes {
            return Err(OmittedPayload { bytes: Some(bytes) });
        }
    }
    let holds_secret = reveals && payload::holds_secret(&shown, masker);
    Ok((shown, holds_secret))
}

/// Masks exported records. It exists only while every rule of its team can be read, because an
/// export cannot be taken back.
#[derive(Debug, Clone)]
pub struct ExportMasker(Masker);

impl ExportMasker {
    /// Creates the masker of a team's exports.
    ///
    /// # Errors
    /// Returns [`Error::UnreadableSettings`] while a rule of the team cannot be read, and an error
    /// if the table cannot be read.
    pub async fn of_team(store: &Store, team_id: &TeamId) -> Result<Self> {
        let found = team_masker(store, team_id).await?;
        match found.is_complete {
            true => Ok(Self(found.masker)),
            false => Err(Error::UnreadableSettings("masking")),
        }
    }
}

/// A record for an export. It can only be read after it is masked.
pub struct Unmasked<T>(T);

impl<T: FreeTexts> Unmasked<T> {
    /// Wraps a record as it is stored.
    pub fn new(record: T) -> Self {
        Self(record)
    }

    /// Returns the record with its texts masked, each up to [`masking::MAX_TEXT_BYTES`].
    pub fn mask(mut self, masker: &ExportMasker) -> T {
        for text in self.0.free_texts() {
            if let Cow::Owned(masked) = masker.0.mask_beginning(text) {
                *text = masked;
            }
        }
        self.0
    }
}

/// A record with texts that may contain anything.
pub trait FreeTexts {
    /// The texts that an export shows.
    fn free_texts(&mut self) -> impl Iterator<Item = &mut String>;
}

impl FreeTexts for Execution {
    fn free_texts(&mut self) -> impl Iterator<Item = &mut String> {
        let models = self.usage.iter_mut().map(|used| &mut used.model);
        [&mut self.flow_name, &mut self.trigger]
            .into_iter()
            .chain(models)
            .flatten()
    }
}

impl FreeTexts for Step {
    fn free_texts(&mut self) -> impl Iterator<Item = &mut String> {
        [
            &mut self.step_type,
            &mut self.step_name,
            &mut self.error_message,
        ]
        .into_iter()
        .flatten()
    }
}

/// Builds a response with payloads of a run. If it reveals secrets, it is only returned after the
/// audit has recorded this: a [`Disclosure`] is created nowhere else.
///
/// # Errors
/// Returns the errors of `build` and [`masker_of`]. If secrets are revealed, also the errors of
/// [`auth::require_current`] and an error if the audit event cannot be written.
pub async fn reveal<T>(
    store: &Store,
    caller: &Caller,
    execution_id: &ExecutionId,
    build: impl AsyncFnOnce(&mut Disclosure) -> Result<T>,
) -> Result<T> {
    let mut disclosure = Disclosure {
        team_id: caller.team_id.clone(),
        masker: masker_of(store, &caller.team_id).await?,
        reveals: caller.permissions.contains(&Permission::ExecutionsReveal),
        has_revealed: false,
    };
    let answer = build(&mut disclosure).await?;
    if disclosure.has_revealed {
        auth::require_current(store, caller, Permission::ExecutionsReveal).await?;
        let entry = Entry::new(caller, Action::ExecutionRevealed, execution_id.as_str())?;
        entry.record(store).await?;
    }
    Ok(answer)
}

/// Shows the payloads of a run to a caller: masked or, if the caller may see secrets, unchanged.
pub struct Disclosure {
    team_id: TeamId,
    masker: Masker,
    reveals: bool,
    has_revealed: bool,
}

impl Disclosure {
    /// Returns a payload as the caller may see it.
    ///
    /// # Errors
    /// Returns [`Error::Internal`] if masking panics.
    pub async fn show(&mut self, payload: Option<Value>) -> Result<Option<Value>> {
        let shown = self.show_within(payload, None).await?;
        Ok(shown.unwrap_or_default())
    }

    /// Returns a payload as the caller may see it, unless its shown form is longer than
    /// `max_bytes`. A payload that is left out reveals nothing, and the reported size does not
    /// reveal the length of a hidden secret.
    ///
    /// # Errors
    /// Returns [`Error::Internal`] if masking panics. The inner error is the payload that is left
    /// out.
    pub async fn show_within(
        &mut self,
        payload: Option<Value>,
        max_bytes: Option<usize>,
    ) -> Result<std::result::Result<Option<Value>, OmittedPayload>> {
        let Some(payload) = payload else {
            return Ok(Ok(None));
        };
        let (masker, reveals) = (self.masker.clone(), self.reveals);
        let is_long = payload.approximate_size() > MAX_INLINE_BYTES;
        let show = move || show_payload(payload, &masker, reveals, max_bytes);
        let shown = match is_long {
            true => on_a_worker(&self.team_id, show).await?,
            false => show(),
        };
        Ok(shown.map(|(shown, holds_secret)| {
            self.has_revealed |= holds_secret;
            Some(shown)
        }))
    }
}
