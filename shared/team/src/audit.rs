//! The audit: who cancelled, deleted, exported or revealed something, and who changed permissions
//! or settings. Each event is one log line and one item, kept for 90 days.
//!
//! Every audited action has an event. An action that needs only one write is written together with
//! its event, all or nothing ([`Entry::record_with`]). A longer action first writes its event as
//! [`EventOutcome::Started`] and updates it at the end ([`Entry::begin`]), so after a crash in
//! between, the event still shows that the action started. If the event cannot be written, the
//! action is not carried out.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use format::attributes::text;
use format::keys::{self, key};
use format::model::{Item, PageSize, TeamId, TimeRange, Timestamp, Value, is_expired};
use format::{Error, Result};
use serde::Serialize;
use store::{Condition, Filter, Range, Store, Update, Write};

use crate::auth::Caller;
use crate::settings::Reports;

/// How long an event is kept, in seconds: 90 days.
pub const KEPT_SECONDS: i64 = 90 * 24 * 3_600;

/// The longest text in an event's details, in characters. A longer text is cut.
const MAX_DETAIL_LENGTH: usize = 4_096;

/// The longest time that an action waits for its event to be updated.
const WRITE_TIMEOUT: Duration = Duration::from_secs(2);

/// The audited actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// A run was cancelled.
    ExecutionCancelled,
    /// A run was pinned.
    ExecutionPinned,
    /// A run was unpinned.
    ExecutionUnpinned,
    /// A run was deleted.
    ExecutionDeleted,
    /// All runs of a flow were deleted.
    FlowExecutionsDeleted,
    /// Runs were exported.
    ExecutionsExported,
    /// The secrets in a run's payloads were shown to a caller.
    ExecutionRevealed,
    /// A token was created.
    TokenCreated,
    /// A token was revoked.
    TokenRevoked,
    /// The team's roles were changed.
    RolesChanged,
    /// The team's masking was changed.
    MaskingChanged,
    /// The rules for how long the team keeps its runs were changed.
    RetentionChanged,
    /// The rules for when the team's runs are stalled were changed.
    StalledChanged,
    /// The team's trace profiles were changed.
    ProfilesChanged,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 14] = [
        Self::ExecutionCancelled,
        Self::ExecutionPinned,
        Self::ExecutionUnpinned,
        Self::ExecutionDeleted,
        Self::FlowExecutionsDeleted,
        Self::ExecutionsExported,
        Self::ExecutionRevealed,
        Self::TokenCreated,
        Self::TokenRevoked,
        Self::RolesChanged,
        Self::MaskingChanged,
        Self::RetentionChanged,
        Self::StalledChanged,
        Self::ProfilesChanged,
    ];

    /// The action's name in the API and the documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ExecutionCancelled => "EXECUTION_CANCELLED",
            Self::ExecutionPinned => "EXECUTION_PINNED",
            Self::ExecutionUnpinned => "EXECUTION_UNPINNED",
            Self::ExecutionDeleted => "EXECUTION_DELETED",
            Self::FlowExecutionsDeleted => "FLOW_EXECUTIONS_DELETED",
            Self::ExecutionsExported => "EXECUTIONS_EXPORTED",
            Self::ExecutionRevealed => "EXECUTION_REVEALED",
            Self::TokenCreated => "TOKEN_CREATED",
            Self::TokenRevoked => "TOKEN_REVOKED",
            Self::RolesChanged => "ROLES_CHANGED",
            Self::MaskingChanged => "MASKING_CHANGED",
            Self::RetentionChanged => "RETENTION_CHANGED",
            Self::StalledChanged => "STALLED_CHANGED",
            Self::ProfilesChanged => "PROFILES_CHANGED",
        }
    }

    /// The action with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == name)
    }
}

/// How far an audited action has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventOutcome {
    /// The action has started. If the event keeps this outcome, the end of the action was not
    /// recorded, or the action continues in the background.
    Started,
    /// The action is done.
    Done,
    /// The action has failed, or another caller did it first.
    Failed,
}

impl EventOutcome {
    /// The outcome's name in the API and the documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Started => "STARTED",
            Self::Done => "DONE",
            Self::Failed => "FAILED",
        }
    }
}

/// Replaces a text of an event that cannot be read.
const UNKNOWN: &str = "UNKNOWN";

/// An event as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditEvent {
    /// The id of the event, unique within its team.
    pub event_id: String,
    /// When the action started.
    pub time: Timestamp,
    /// The caller: `token:<id>`, `user:<name>`, or the name of a program with access to the table.
    pub principal: String,
    /// The name of an [`Action`].
    pub action: String,
    /// What the action changed or showed: the id of a run, a flow or a token, or the name of a
    /// setting.
    pub target: String,
    /// The name of an [`EventOutcome`].
    pub outcome: String,
    /// More about the action, such as the reason for a cancellation. Empty details are left out,
    /// because DynamoDB Local puts an empty map into its stream in a form that no SDK can read.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub details: BTreeMap<String, String>,
    /// The id of the request in the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The IP address that sent the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_ip: Option<String>,
    /// When the event expires, in seconds since 1970-01-01.
    expires_at: i64,
}

impl AuditEvent {
    /// Parses the item of an event as far as possible. A text that cannot be read becomes
    /// [`UNKNOWN`]; the id and the time come from the item's key. Returns `None` if the key does
    /// not belong to an event.
    fn from_item(item: &Item) -> Option<Self> {
        let (time, event_id) = keys::sort_key(item)?.split_once('#')?;
        let text = |name: &str| item.get(name)?.as_s().ok().cloned();
        let or_unknown = |name: &str| text(name).unwrap_or_else(|| UNKNOWN.to_owned());
        let details = item.get("details").and_then(|details| details.as_m().ok());
        let details = details.into_iter().flatten();
        let expires_at = item.get("expiresAt").and_then(|end| end.as_n().ok());
        Some(Self {
            event_id: event_id.to_owned(),
            time: time.parse().ok()?,
            principal: or_unknown("principal"),
            action: or_unknown("action"),
            target: or_unknown("target"),
            outcome: or_unknown("outcome"),
            details: details
                .map(|(name, value)| (name.clone(), detail_text(value)))
                .collect(),
            request_id: text("requestId"),
            source_ip: text("sourceIp"),
            expires_at: expires_at
                .and_then(|end| end.parse().ok())
                .unwrap_or_default(),
        })
    }

    fn set_detail(&mut self, name: &str, value: &str) {
        let value = match value.char_indices().nth(MAX_DETAIL_LENGTH) {
            Some((end, _)) => format!("{}… ({} bytes in all)", &value[..end], value.len()),
            None => value.to_owned(),
        };
        self.details.insert(name.to_owned(), value);
    }
}

/// Converts a detail to text. Another release may have stored other types.
fn detail_text(value: &AttributeValue) -> String {
    match value {
        AttributeValue::S(text) => text.clone(),
        other => serde_json::to_string(&Value::Native(other.clone())).unwrap_or_default(),
    }
}

/// An event that is not written yet.
#[derive(Debug)]
#[must_use = "an event must be written"]
pub struct Entry {
    team_id: TeamId,
    event: AuditEvent,
}

impl Entry {
    /// Creates the event of an action by this caller.
    ///
    /// # Errors
    /// Returns [`Error::Internal`] if the system provides no random numbers.
    pub fn new(caller: &Caller, action: Action, target: &str) -> Result<Self> {
        let time = Timestamp::now();
        let random = getrandom::u64().map_err(Error::internal)?;
        Ok(Self {
            team_id: caller.team_id.clone(),
            event: AuditEvent {
                event_id: format!("{random:016x}"),
                time,
                principal: caller.principal.clone(),
                action: action.as_str().to_owned(),
                target: target.to_owned(),
                outcome: EventOutcome::Started.as_str().to_owned(),
                details: BTreeMap::new(),
                request_id: caller.origin.request_id.clone(),
                source_ip: caller.origin.source_ip.clone(),
                expires_at: time.seconds() + KEPT_SECONDS,
            },
        })
    }

    /// Adds a detail of up to 4,096 characters.
    pub fn detail(mut self, name: &str, value: impl ToString) -> Self {
        self.event.set_detail(name, &value.to_string());
        self
    }

    /// Adds a detail if there is a value.
    pub fn detail_if_any(self, name: &str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.detail(name, value),
            None => self,
        }
    }

    /// Writes the event of an action that is done.
    ///
    /// # Errors
    /// Returns an error if the event cannot be written. The caller must not carry out the action
    /// then.
    pub async fn record(mut self, store: &Store) -> Result<()> {
        self.set_outcome(EventOutcome::Done);
        self.put(store).await?;
        self.log();
        Ok(())
    }

    /// Writes the event and the action's own writes together: all of them or, if a condition of a
    /// write does not hold, none. Returns whether they were written.
    pub async fn record_with(mut self, store: &Store, mut writes: Vec<Write>) -> Result<bool> {
        self.set_outcome(EventOutcome::Done);
        writes.push(Write::create(self.item()?));
        let is_done = store.write_together(writes).await?;
        if is_done {
            self.log();
        }
        Ok(is_done)
    }

    /// Writes the event of an action that starts now.
    ///
    /// # Errors
    /// Returns an error if the event cannot be written. The caller must not carry out the action
    /// then.
    pub async fn begin(self, store: &Store) -> Result<StartedEntry> {
        self.put(store).await?;
        Ok(StartedEntry {
            store: store.clone(),
            entry: self,
            has_ended: false,
        })
    }

    /// Writes the event, and never overwrites one: if the item exists, an earlier attempt of this
    /// same write stored it, and its response was lost.
    async fn put(&self, store: &Store) -> Result<()> {
        let item = self.item()?;
        store.put_if(item, Condition::absent()).await.map(|_| ())
    }

    fn set_outcome(&mut self, outcome: EventOutcome) {
        self.event.outcome = outcome.as_str().to_owned();
    }

    fn keys(&self) -> Item {
        let event = keys::audit_event(self.event.time, &self.event.event_id);
        key(keys::audit_partition(&self.team_id), event)
    }

    fn item(&self) -> Result<Item> {
        let mut item: Item = serde_dynamo::to_item(&self.event).map_err(Error::internal)?;
        item.extend(self.keys());
        Ok(item)
    }

    fn log(&self) {
        let event = &self.event;
        let details = serde_json::to_string(&event.details).unwrap_or_default();
        tracing::info!(
            team_id = %self.team_id,
            principal = event.principal,
            action = event.action,
            target = event.target,
            outcome = event.outcome,
            details,
            request_id = event.request_id,
            source_ip = event.source_ip,
            event_id = event.event_id,
            "audit"
        );
    }
}

/// The event of an action that has started. If it is dropped before [`StartedEntry::end`], the
/// event stays [`EventOutcome::Started`].
#[derive(Debug)]
pub struct StartedEntry {
    store: Store,
    entry: Entry,
    has_ended: bool,
}

impl StartedEntry {
    /// Adds a detail and writes the event.
    pub async fn record_detail(&mut self, name: &str, value: impl ToString) {
        self.set_detail(name, value);
        self.write().await;
    }

    /// Adds a detail, which is written with the next [`Self::record_detail`] or at the end.
    pub fn set_detail(&mut self, name: &str, value: impl ToString) {
        self.entry.event.set_detail(name, &value.to_string());
    }

    /// Writes how the action ended.
    pub async fn end(mut self, outcome: EventOutcome) {
        self.has_ended = true;
        self.entry.set_outcome(outcome);
        self.entry.log();
        self.write().await;
    }

    /// Writes that the action ended with this error. Most errors do not show whether the action was
    /// done or continues in the background; the event then stays [`EventOutcome::Started`].
    pub async fn end_with(mut self, error: &Error) {
        self.set_detail("error", error);
        let outcome = match error {
            Error::TooLarge(_) => EventOutcome::Failed,
            _ => EventOutcome::Started,
        };
        self.end(outcome).await;
    }

    /// Updates the stored event. The action is done already, so a failure is only logged, and the
    /// caller waits no longer than [`WRITE_TIMEOUT`].
    async fn write(&self) {
        let event_id = &self.entry.event.event_id;
        match tokio::time::timeout(WRITE_TIMEOUT, self.write_end()).await {
            Ok(Ok(true)) => {}
            Ok(Ok(false)) => tracing::error!(
                event_id,
                "an audit event was not updated: its item no longer exists"
            ),
            Ok(Err(error)) => {
                let error = error.with_causes();
                tracing::error!(event_id, error, "an audit event could not be updated");
            }
            Err(_) => tracing::error!(event_id, "an audit event could not be updated in time"),
        }
    }

    async fn write_end(&self) -> Result<bool> {
        let event = &self.entry.event;
        let details = serde_dynamo::to_attribute_value(&event.details).map_err(Error::internal)?;
        let details = (!event.details.is_empty()).then_some(details);
        let update = Update::with_key(self.entry.keys())
            .set("outcome", text(&event.outcome))
            .set_if_some("details", details)
            .only_if(Condition::exists());
        self.store.update(update).await
    }
}

impl Drop for StartedEntry {
    fn drop(&mut self) {
        if !self.has_ended {
            self.entry.log();
        }
    }
}

/// A filter of listed events. A field that is set must match.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// The time of the event.
    pub time: TimeRange,
    /// The action.
    pub action: Option<Action>,
    /// The principal.
    pub principal: Option<String>,
    /// The target.
    pub target: Option<String>,
}

/// A page of a team's audit, newest first.
#[derive(Debug)]
pub struct AuditPage {
    /// The events.
    pub events: Vec<AuditEvent>,
    /// The token of the next page; `None` on the last page.
    pub next_token: Option<String>,
}

/// Lists the events of the caller's team, newest first.
///
/// Only the time limits what is read. Events that do not match the other filters are read and
/// dropped, so a page with a next token may be shorter than its size.
///
/// # Errors
/// Returns [`Error::InvalidNextToken`], [`Error::Forbidden`] if the caller is limited to some of
/// the team's flows, and an error if the table cannot be read.
pub async fn list_events(
    store: &Store,
    caller: &Caller,
    filter: &AuditFilter,
    size: PageSize,
    next_token: Option<&str>,
) -> Result<AuditPage> {
    caller.require_whole_team("Audit events")?;
    let range = matching_events(&caller.team_id, filter);
    let now = Timestamp::now();
    let keep = |item: &Item| !is_expired(item, now);
    let page = store.list(&range, next_token, size.get(), keep).await?;
    let events: Vec<_> = page
        .items
        .iter()
        .filter_map(AuditEvent::from_item)
        .collect();
    let team_id = caller.team_id.as_str();
    if events.len() < page.items.len() && store.companion::<Reports>().is_due(team_id, "AUDIT") {
        tracing::error!(
            team_id,
            "an audit item is not shown: its key is not the key of an event"
        );
    }
    Ok(AuditPage {
        events,
        next_token: page.next_token,
    })
}

/// The range of a team's events that match the filter, newest first.
fn matching_events(team_id: &TeamId, filter: &AuditFilter) -> Range {
    let from = filter.time.from().map(|from| keys::audit_event(from, ""));
    let to = filter.time.to().map(|to| keys::audit_event(to, ""));
    let pk = keys::audit_partition(team_id);
    let to = format!("{}{}", to.unwrap_or_default(), keys::LAST);
    let from = from.unwrap_or_default();
    let range = Range::of_partition(pk, &from, Some(&to)).last_first();
    let conditions = [
        ("action", filter.action.map(|action| text(action.as_str()))),
        ("principal", filter.principal.as_ref().map(text)),
        ("target", filter.target.as_ref().map(text)),
    ];
    let conditions = conditions.into_iter();
    conditions.fold(range, |range, (attribute, value)| match value {
        Some(value) => range.filtered(Filter::any_of(attribute, vec![value])),
        None => range,
    })
}
