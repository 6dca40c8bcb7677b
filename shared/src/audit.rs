//! The audit: who cancelled, deleted, exported or revealed, and who changed what
//! others may do. Each event is one line in the log and one item, kept for 90 days.
//!
//! Nothing happens unseen. What is one write is written together with its event, all
//! or nothing ([`Entry::record_with`]). What takes longer begins with its event, as
//! [`Outcome::Started`], and ends it ([`Entry::begin`]): whoever crashes in between
//! leaves one that says so. Where the event cannot be written, nothing is done.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::{TransactWriteItem, Update};
use serde::{Deserialize, Serialize};

use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::keys;
use crate::model::{Item, PageSize, TeamId, TimeRange, Timestamp, is_expired};
use crate::store::{Filter, Range, Replaced, Store, key};
use crate::table::text;

/// How long an event is kept, in seconds: 90 days.
pub const KEPT_SECONDS: i64 = 90 * 24 * 3_600;

/// The longest text of an event's details, in characters; what is longer is cut.
const MAX_DETAIL_LENGTH: usize = 4_096;

/// How long whoever ends something waits for its event to say so.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// What the audit tells of.
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
    /// The secrets in a run's payloads were shown.
    ExecutionRevealed,
    /// A token was made.
    TokenCreated,
    /// A token was revoked.
    TokenRevoked,
    /// The team's roles were changed.
    RolesChanged,
    /// The team's masking was changed.
    MaskingChanged,
    /// How long the team keeps its runs was changed.
    RetentionChanged,
    /// When the team's runs are stalled was changed.
    StalledChanged,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 13] = [
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
    ];

    /// The action's name, as callers and documents know it.
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
        }
    }

    /// The action of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == name)
    }
}

/// How far what an event tells of has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It has begun. Where this stays, nobody saw its end, or it goes on by itself.
    Started,
    /// It is done.
    Done,
    /// It has failed, or another was first.
    Failed,
}

impl Outcome {
    /// The outcome's name, as callers and documents know it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Started => "STARTED",
            Self::Done => "DONE",
            Self::Failed => "FAILED",
        }
    }
}

/// An event, as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditEvent {
    /// The id of the event, unique within its team.
    pub event_id: String,
    /// When it began.
    pub time: Timestamp,
    /// Who: `token:<id>`, `user:<name>`, or a program with access to the table.
    pub principal: String,
    /// What: the name of an [`Action`].
    pub action: String,
    /// To what: the id of a run, of a flow or of a token, or the name of a setting.
    pub target: String,
    /// How far it came: the name of an [`Outcome`].
    pub outcome: String,
    /// What else there is to tell of it, such as the reason of a cancel. Nothing is
    /// not kept as an empty map: DynamoDB Local hands that through its stream in a form
    /// that no SDK reads.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub details: BTreeMap<String, String>,
    /// The id under which the log has the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The address from which the request came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_ip: Option<String>,
    /// When the event is forgotten, in seconds since 1970 began.
    expires_at: i64,
}

impl AuditEvent {
    fn tell(&mut self, name: &str, value: &str) {
        let value = match value.char_indices().nth(MAX_DETAIL_LENGTH) {
            Some((end, _)) => format!("{}… ({} bytes in all)", &value[..end], value.len()),
            None => value.to_owned(),
        };
        self.details.insert(name.to_owned(), value);
    }
}

/// An event that is to be written.
#[derive(Debug)]
#[must_use = "an event that is not written was not seen"]
pub struct Entry {
    team_id: TeamId,
    event: AuditEvent,
}

impl Entry {
    /// That this caller does this to that.
    ///
    /// # Errors
    /// [`Error::Internal`] when the machine has no random numbers.
    pub fn new(caller: &Caller, action: Action, target: &str) -> Result<Self> {
        let time = Timestamp::now();
        let chance = getrandom::u64().map_err(Error::internal)?;
        Ok(Self {
            team_id: caller.team_id.clone(),
            event: AuditEvent {
                event_id: format!("{chance:016x}"),
                time,
                principal: caller.principal.clone(),
                action: action.as_str().to_owned(),
                target: target.to_owned(),
                outcome: Outcome::Started.as_str().to_owned(),
                details: BTreeMap::new(),
                request_id: caller.origin.request_id.clone(),
                source_ip: caller.origin.source_ip.clone(),
                expires_at: time.seconds() + KEPT_SECONDS,
            },
        })
    }

    /// Tells more of it, in up to 4,096 characters.
    pub fn detail(mut self, name: &str, value: impl ToString) -> Self {
        self.event.tell(name, &value.to_string());
        self
    }

    /// Tells more of it, where there is something to tell.
    pub fn detail_if_any(self, name: &str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.detail(name, value),
            None => self,
        }
    }

    /// Writes that it is done.
    ///
    /// # Errors
    /// Those of the table. Nothing may be done then.
    pub async fn record(mut self, store: &Store) -> Result<()> {
        self.set_outcome(Outcome::Done);
        self.put(store).await?;
        self.log();
        Ok(())
    }

    /// Writes that it is done together with what does it, all or, where a condition
    /// of an action does not hold, nothing. Returns whether it is done.
    ///
    /// # Errors
    /// Those of the table.
    pub async fn record_with(
        mut self,
        store: &Store,
        mut actions: Vec<TransactWriteItem>,
    ) -> Result<bool> {
        self.set_outcome(Outcome::Done);
        actions.push(store.put_action(self.item()?, Replaced::Nothing)?);
        let is_done = store.write_together(actions).await?;
        if is_done {
            self.log();
        }
        Ok(is_done)
    }

    /// Writes that it begins.
    ///
    /// # Errors
    /// Those of the table. Nothing may be done then.
    pub async fn begin(self, store: &Store) -> Result<Begun> {
        self.put(store).await?;
        Ok(Begun {
            store: store.clone(),
            entry: self,
            has_ended: false,
        })
    }

    /// Writes the event, and never over one: where it is there, it was this very
    /// write, whose answer was lost.
    async fn put(&self, store: &Store) -> Result<()> {
        let item = self.item()?;
        store.put_if(item, Replaced::Nothing).await.map(|_| ())
    }

    fn set_outcome(&mut self, outcome: Outcome) {
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

/// An event of what is under way. One that is dropped before its end stays
/// [`Outcome::Started`].
#[derive(Debug)]
pub struct Begun {
    store: Store,
    entry: Entry,
    has_ended: bool,
}

impl Begun {
    /// Writes what there is to tell by now.
    pub async fn note(&mut self, name: &str, value: impl ToString) {
        self.tell(name, value);
        self.write().await;
    }

    /// What there is to tell by now, to be written with the next note or the end.
    pub fn tell(&mut self, name: &str, value: impl ToString) {
        self.entry.event.tell(name, &value.to_string());
    }

    /// Writes how it ended.
    pub async fn end(mut self, outcome: Outcome) {
        self.has_ended = true;
        self.entry.set_outcome(outcome);
        self.entry.log();
        self.write().await;
    }

    /// Writes that it ended with this error. Most errors do not say whether what was
    /// begun was done, or goes on by itself: then it stays [`Outcome::Started`].
    pub async fn end_with(mut self, error: &Error) {
        self.tell("error", error);
        let outcome = match error {
            Error::TooLarge(_) => Outcome::Failed,
            _ => Outcome::Started,
        };
        self.end(outcome).await;
    }

    /// What is done is done: a failure to write of it is logged, and nobody waits for
    /// it.
    async fn write(&self) {
        let event_id = &self.entry.event.event_id;
        match tokio::time::timeout(LAST_WORDS, self.write_end()).await {
            Ok(Ok(true)) => {}
            Ok(Ok(false)) => tracing::error!(event_id, "an event of the audit is gone"),
            Ok(Err(error)) => {
                let error = error.with_causes();
                tracing::error!(event_id, error, "an event of the audit is not up to date");
            }
            Err(_) => tracing::error!(event_id, "an event of the audit is not up to date"),
        }
    }

    async fn write_end(&self) -> Result<bool> {
        let event = &self.entry.event;
        let details = serde_dynamo::to_attribute_value(&event.details).map_err(Error::internal)?;
        let update = Update::builder()
            .table_name(self.store.table())
            .set_key(Some(self.entry.keys()))
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_names("#outcome", "outcome")
            .expression_attribute_values(":outcome", text(&event.outcome));
        let update = match event.details.is_empty() {
            true => update.update_expression("SET #outcome = :outcome"),
            false => update
                .update_expression("SET #outcome = :outcome, #details = :details")
                .expression_attribute_names("#details", "details")
                .expression_attribute_values(":details", details),
        };
        let update = update.build().map_err(Error::internal)?;
        self.store.update(update).await
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        if !self.has_ended {
            self.entry.log();
        }
    }
}

/// Which events are listed.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Those of this time.
    pub time: TimeRange,
    /// Those of this action.
    pub action: Option<Action>,
    /// Those of this principal.
    pub principal: Option<String>,
    /// Those that concern this.
    pub target: Option<String>,
}

/// A page of a team's audit, newest first.
#[derive(Debug)]
pub struct AuditPage {
    /// The events.
    pub events: Vec<AuditEvent>,
    /// The token of the next page; `None` on the last.
    pub next_token: Option<String>,
}

/// Lists the events of the caller's team, newest first.
///
/// No index answers a filter but the time: events of others are read and dropped, so
/// a page can be shorter than its size, with a token.
///
/// # Errors
/// [`Error::InvalidNextToken`]; [`Error::Forbidden`] for a caller who is kept from some
/// of the team's flows; and those of the table.
pub async fn list_events(
    store: &Store,
    caller: &Caller,
    filter: &AuditFilter,
    size: PageSize,
    next_token: Option<&str>,
) -> Result<AuditPage> {
    caller.require_whole_team("Events of the audit")?;
    let from = filter.time.from().map(|from| keys::audit_event(from, ""));
    let to = filter.time.to().map(|to| keys::audit_event(to, ""));
    let pk = keys::audit_partition(&caller.team_id);
    let to = format!("{}{}", to.unwrap_or_default(), keys::LAST);
    let from = from.unwrap_or_default();
    let mut range = Range::of_partition(pk, &from, Some(&to)).last_first();
    let conditions = [
        ("action", filter.action.map(|action| text(action.as_str()))),
        ("principal", filter.principal.as_ref().map(text)),
        ("target", filter.target.as_ref().map(text)),
    ];
    for (attribute, value) in conditions {
        if let Some(value) = value {
            range = range.filtered(Filter::any_of(attribute, vec![value]));
        }
    }
    let now = Timestamp::now();
    let keep = |item: &Item| !is_expired(item, now);
    let page = store.list(&range, next_token, size.get(), keep).await?;
    let read = |item| serde_dynamo::from_item(item).map_err(Error::internal);
    Ok(AuditPage {
        events: page.items.into_iter().map(read).collect::<Result<_>>()?,
        next_token: page.next_token,
    })
}
