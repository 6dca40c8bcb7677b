//! Making, listing and revoking SDK tokens.
//!
//! A token is two items, written and changed together: the token itself under
//! its id, and an entry in the register, under which all tokens, or a team's,
//! are one range.

use std::fmt;
use std::time::Duration;

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, KeysAndAttributes, Put, TransactWriteItem, Update,
};
use serde::{Deserialize, Serialize};

use super::{BASE64, Role, TokenText, blob, hash, random};
use crate::error::{Error, Result};
use crate::keys;
use crate::model::{FlowId, Item, TeamId, Timestamp, is_expired};
use crate::store::{MAX_ITEMS_A_QUERY, Range, Store, from_sdk, key};
use crate::table::{TIME_TO_LIVE, text};
use base64::Engine as _;

/// How long a revoked token stays listed, in seconds: 90 days.
const REVOKED_KEPT_SECONDS: i64 = 90 * 24 * 3_600;

/// How often what a batch left unread is asked for.
const ATTEMPTS_A_BATCH: u32 = 6;

/// The most keys that DynamoDB takes in one BatchGetItem.
const KEYS_A_BATCH: usize = 100;

/// What a token is to be.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// The team whose records its holder sees.
    pub team_id: TeamId,
    /// What its holder may do.
    pub role: Role,
    /// What it is for, for people.
    pub name: Option<String>,
    /// The only flows that its holder sees; `None` for all.
    pub flows: Option<Vec<FlowId>>,
    /// When it ends; `None` for never.
    pub expires_at: Option<Timestamp>,
    /// Who made it.
    pub created_by: String,
}

/// A token as it is stored, without the hash of its secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenRecord {
    /// The id, which stands in the token's text.
    pub token_id: String,
    /// The team.
    pub team_id: String,
    /// The role.
    pub role: Role,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The only flows that its holder sees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flows: Option<Vec<String>>,
    /// When it was made. Not `createdAt`: that would put it into an index of
    /// executions.
    pub issued_at: Timestamp,
    /// Who made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// When it ends, in seconds since 1970 began; when the record is removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
    /// When it was last used, to the hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
}

impl TokenRecord {
    /// Reads a token's item.
    pub fn from_item(item: Item) -> Option<Self> {
        serde_dynamo::from_item(item).ok()
    }
}

/// A token's text, to be shown once.
pub struct Secret(String);

impl Secret {
    /// The text, which is what its holder sends.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

/// Makes a token. Its text is returned here, and can never be read again.
///
/// # Errors
/// Those of the table.
pub async fn create_token(store: &Store, new: &NewToken) -> Result<(TokenRecord, Secret)> {
    let token_id: String = random::<{ TokenText::ID_LENGTH / 2 }>()?
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let secret = BASE64.encode(random::<32>()?);
    let record = TokenRecord {
        team_id: new.team_id.to_string(),
        role: new.role,
        name: new.name.clone(),
        flows: new
            .flows
            .as_ref()
            .map(|flows| flows.iter().map(FlowId::to_string).collect()),
        issued_at: Timestamp::now(),
        created_by: Some(new.created_by.clone()),
        expires_at: new.expires_at.map(Timestamp::seconds),
        last_used_at: None,
        revoked_at: None,
        token_id,
    };
    let mut item: Item = serde_dynamo::to_item(&record).map_err(Error::internal)?;
    item.insert("secretHash".to_owned(), blob(&hash(&secret)));
    item.extend(key(keys::token_partition(&record.token_id), keys::TOKEN));
    let mut entry = register_key(&new.team_id, &record.token_id);
    if let Some(seconds) = record.expires_at {
        entry.insert(
            TIME_TO_LIVE.to_owned(),
            AttributeValue::N(seconds.to_string()),
        );
    }
    let text = format!("{}{}_{secret}", TokenText::PREFIX, record.token_id);
    transact(store, [put(store, item)?, put(store, entry)?]).await?;
    Ok((record, Secret(text)))
}

/// Lists tokens, by team and id: a team's or, for the operator of the table,
/// all. Expired ones are gone; revoked ones stay listed for 90 days.
///
/// # Errors
/// Those of the table.
pub async fn list_tokens(store: &Store, team_id: Option<&TeamId>) -> Result<Vec<TokenRecord>> {
    let from = team_id.map_or(String::new(), |team_id| {
        keys::token_register_entry(team_id, "")
    });
    let to = format!("{from}{}", keys::LAST);
    // DynamoDB takes no empty key: the least one is below every entry.
    let from = if from.is_empty() { " " } else { &from };
    let range = Range::of_partition(keys::TOKEN_REGISTER.to_owned(), from, Some(&to));
    let mut records = Vec::new();
    let mut start = None;
    loop {
        let page = store.query(&range, start, MAX_ITEMS_A_QUERY).await?;
        let ids: Vec<_> = page
            .items
            .iter()
            .filter_map(|item| keys::token_id_of(keys::sort_key(item)?))
            .collect();
        for ids in ids.chunks(KEYS_A_BATCH) {
            records.extend(get_tokens(store, ids).await?);
        }
        start = page.last_key;
        if start.is_none() {
            break;
        }
    }
    records.sort_by(|a, b| (&a.team_id, a.issued_at).cmp(&(&b.team_id, b.issued_at)));
    Ok(records)
}

/// Revokes a token. It stops working within
/// [`REMEMBERED_SECONDS`](super::REMEMBERED_SECONDS). Revoking it again changes
/// nothing.
///
/// # Errors
/// [`Error::TokenNotFound`], and those of the table.
pub async fn revoke_token(store: &Store, token_id: &str) -> Result<TokenRecord> {
    let not_found = || Error::TokenNotFound(token_id.to_owned());
    let pk = keys::token_partition(token_id);
    let item = store.get(&pk, keys::TOKEN).await?.ok_or_else(not_found)?;
    if is_expired(&item, Timestamp::now()) {
        return Err(not_found());
    }
    let mut record = TokenRecord::from_item(item).ok_or_else(not_found)?;
    if record.revoked_at.is_some() {
        return Ok(record);
    }
    let now = Timestamp::now();
    let kept_until = now.seconds() + REVOKED_KEPT_SECONDS;
    // An earlier end that the token has anyway stays.
    let kept_until = record
        .expires_at
        .map_or(kept_until, |end| end.min(kept_until));
    let update = Update::builder()
        .table_name(store.table())
        .set_key(Some(key(pk, keys::TOKEN)))
        .update_expression("SET revokedAt = :now, expiresAt = :end")
        .condition_expression("attribute_exists(pk)")
        .expression_attribute_values(":now", text(now.to_string()))
        .expression_attribute_values(":end", AttributeValue::N(kept_until.to_string()))
        .build()
        .map_err(Error::internal)?;
    let team_id: TeamId = record.team_id.parse().map_err(Error::internal)?;
    let mut entry = register_key(&team_id, token_id);
    entry.insert(
        TIME_TO_LIVE.to_owned(),
        AttributeValue::N(kept_until.to_string()),
    );
    let update = TransactWriteItem::builder().update(update).build();
    let held = transact(store, [update, put(store, entry)?]).await?;
    if !held {
        // Removed since it was read.
        return Err(not_found());
    }
    record.revoked_at = Some(now);
    record.expires_at = Some(kept_until);
    Ok(record)
}

async fn get_tokens(store: &Store, ids: &[&str]) -> Result<Vec<TokenRecord>> {
    let now = Timestamp::now();
    let mut wanted = KeysAndAttributes::builder();
    for id in ids {
        wanted = wanted.keys(key(keys::token_partition(id), keys::TOKEN));
    }
    let mut request = Some(
        [(
            store.table().to_owned(),
            wanted.build().map_err(Error::internal)?,
        )]
        .into(),
    );
    let mut records = Vec::new();
    for attempt in 0..ATTEMPTS_A_BATCH {
        let Some(wanted) = request.take() else {
            return Ok(records);
        };
        if attempt > 0 {
            tokio::time::sleep(Duration::from_millis(50) * 2_u32.pow(attempt)).await;
        }
        let answer = store
            .client()
            .batch_get_item()
            .set_request_items(Some(wanted))
            .send()
            .await
            .map_err(from_sdk)?;
        store.count(None, 0);
        let items = answer.responses.unwrap_or_default().into_values().flatten();
        records.extend(
            items
                .filter(|item| !is_expired(item, now))
                .filter_map(TokenRecord::from_item),
        );
        request = answer.unprocessed_keys.filter(|keys| !keys.is_empty());
    }
    match request {
        None => Ok(records),
        Some(_) => Err(Error::Throttled("keys stay unprocessed".into())),
    }
}

fn register_key(team_id: &TeamId, token_id: &str) -> Item {
    key(
        keys::TOKEN_REGISTER,
        keys::token_register_entry(team_id, token_id),
    )
}

fn put(store: &Store, item: Item) -> Result<TransactWriteItem> {
    let put = Put::builder()
        .table_name(store.table())
        .set_item(Some(item))
        .build()
        .map_err(Error::internal)?;
    Ok(TransactWriteItem::builder().put(put).build())
}

/// Writes all of it or nothing. `false` when a condition did not hold.
async fn transact<const N: usize>(store: &Store, actions: [TransactWriteItem; N]) -> Result<bool> {
    let answer = store
        .client()
        .transact_write_items()
        .set_transact_items(Some(actions.into()))
        .send()
        .await;
    store.count(None, 0);
    let Err(error) = answer else {
        return Ok(true);
    };
    if let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
        error.as_service_error()
    {
        let failed = |reason: &CancellationReason| reason.code() == Some("ConditionalCheckFailed");
        if cancelled.cancellation_reasons().iter().any(failed) {
            return Ok(false);
        }
        // Another transaction was at the same items. Nothing is written.
        return Err(Error::Unavailable(error.into()));
    }
    Err(from_sdk(error))
}
