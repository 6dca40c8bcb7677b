//! The stored form of a token, and reading it as far as possible.

use format::attributes::{PARTITION_KEY, TEAM_ID, TIME_TO_LIVE};
use format::keys;
use format::model::{FlowId, Item, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{NewToken, TokenId};
use crate::auth::Caller;

/// Replaces a role that cannot be read.
const UNKNOWN: &str = "unknown";

/// A token as it is stored, without the hash of its secret.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenRecord {
    /// The id, which is a part of the token's text.
    pub token_id: String,
    /// The team.
    pub team_id: String,
    /// The name of the role.
    pub role: String,
    /// The purpose of the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The only flows that the token may see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flows: Option<Vec<String>>,
    /// When it was created. The attribute is not called `createdAt`, because that would put it into
    /// an index of executions.
    pub issued_at: Timestamp,
    /// The principal that created it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// When it ends, in seconds since 1970-01-01. For a revoked token, when the record is removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
    /// When it was last used, with a precision of one hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
    /// The first attribute about the token's permissions or its end that cannot be read. The token
    /// is refused then.
    #[serde(skip)]
    pub unreadable: Option<&'static str>,
    /// Whether it is the session of a person in the console. Tokens that this person creates may
    /// last longer than the session.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_session: bool,
}

fn is_false(value: &bool) -> bool {
    !value
}

impl TokenRecord {
    pub(super) fn new(caller: &Caller, token_id: &TokenId, new: &NewToken, now: Timestamp) -> Self {
        let flows = new.flows.as_ref();
        Self {
            token_id: token_id.to_string(),
            team_id: caller.team_id.to_string(),
            role: new.role.to_string(),
            name: new.name.clone(),
            flows: flows.map(|flows| flows.iter().map(FlowId::to_string).collect()),
            issued_at: now,
            created_by: Some(caller.principal.clone()),
            expires_at: new.expires_at.map(Timestamp::seconds),
            last_used_at: None,
            revoked_at: None,
            unreadable: None,
            is_session: false,
        }
    }

    /// Parses a token's item as far as possible, so that it can be listed and revoked. Returns
    /// `None` if the key does not belong to a token.
    ///
    /// An attribute that cannot be read grants nothing: no role, and no flow.
    pub fn from_item(item: &Item) -> Option<Self> {
        let pk = item.get(PARTITION_KEY)?.as_s().ok()?;
        let token_id: TokenId = keys::token_id_of_partition(pk)?.parse().ok()?;
        let made_at = token_id.made_at()?;
        let mut attributes = Attributes {
            item,
            unreadable: None,
        };
        let team_id = attributes.required(TEAM_ID).unwrap_or_default();
        let role = attributes.required("role").unwrap_or(UNKNOWN.to_owned());
        let flows = attributes.limiting("flows", Some(Vec::new()));
        let expires_at = attributes.limiting(TIME_TO_LIVE, None);
        // A revocation time that cannot be read still revokes the token.
        let revoked_at = attributes.limiting("revokedAt", Some(made_at));
        Some(Self {
            token_id: token_id.0,
            team_id,
            role,
            name: attributes.optional("name"),
            flows,
            issued_at: attributes.optional("issuedAt").unwrap_or(made_at),
            created_by: attributes.optional("createdBy"),
            expires_at,
            last_used_at: attributes.optional("lastUsedAt"),
            revoked_at,
            is_session: attributes.optional("isSession").unwrap_or_default(),
            unreadable: attributes.unreadable,
        })
    }

    /// When the token ends or was revoked; `None` for never.
    pub fn until(&self) -> Option<Timestamp> {
        self.revoked_at.or_else(|| {
            let seconds = self.expires_at?;
            Timestamp::from_milliseconds(seconds.checked_mul(1_000)?)
        })
    }
}

/// The attributes of a token's item.
struct Attributes<'a> {
    item: &'a Item,
    /// The first attribute that cannot be read and affects the token's permissions.
    unreadable: Option<&'static str>,
}

impl Attributes<'_> {
    /// Reads an attribute that does not affect the token's permissions.
    fn optional<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        serde_dynamo::from_attribute_value(self.item.get(name)?.clone()).ok()
    }

    /// Reads a required attribute.
    fn required<T: DeserializeOwned>(&mut self, name: &'static str) -> Option<T> {
        let read = self.optional(name);
        if read.is_none() {
            self.unreadable.get_or_insert(name);
        }
        read
    }

    /// Reads an attribute that limits the token if it exists. Returns `unread` if it cannot be
    /// read.
    fn limiting<T: DeserializeOwned>(
        &mut self,
        name: &'static str,
        unread: Option<T>,
    ) -> Option<T> {
        self.item.get(name)?;
        self.required(name).or(unread)
    }
}
