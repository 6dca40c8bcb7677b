//! Making, listing and revoking SDK tokens.
//!
//! A token is two items, written and changed together: the token itself under
//! its id, and an entry in the register, under which all tokens, or a team's,
//! are one range.

use std::fmt;
use std::str::FromStr;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, KeysAndAttributes, TransactWriteItem, Update,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde::{Deserialize, Serialize};

use super::authenticator::REFUSED;
use super::{Caller, hash, roles};
use crate::audit::{Action, Entry};
use crate::error::{Error, Result};
use crate::keys;
use crate::model::{FlowId, Item, PageSize, RoleName, TeamId, Timestamp, is_expired};
use crate::store::{Range, Replaced, Store, backoff, from_sdk, key};
use crate::table::{TIME_TO_LIVE, text};

/// How long a revoked token stays listed, in seconds: 90 days.
const REVOKED_KEPT_SECONDS: i64 = 90 * 24 * 3_600;

/// The most keys that DynamoDB takes in one BatchGetItem.
const KEYS_A_BATCH: usize = 100;

/// The longest name of a token, in characters.
pub const MAX_TOKEN_NAME_LENGTH: usize = 128;

/// The most that the ids of a token's flows take together, in bytes with a comma
/// after each: they travel in what API Gateway hands from the authorizer to each
/// function, for which AWS names no more than 8 KB.
const MAX_FLOWS_BYTES: usize = 4_096;

/// What stands before the id of a token that is named as a caller.
const PRINCIPAL: &str = "token:";

/// The attribute with the hash of a token's secret.
pub(super) const SECRET_HASH: &str = "secretHash";

/// The id of a token, which stands in its text. Its first half tells when it was
/// made, so the order of ids is that of their making.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenId(String);

impl TokenId {
    /// The number of its hexadecimal digits: twelve of milliseconds, eight random.
    const LENGTH: usize = 20;

    fn new(now: Timestamp) -> Result<Self> {
        let chance = u32::from_be_bytes(random()?);
        Ok(Self(format!("{:012x}{chance:08x}", now.milliseconds())))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The keys of the token's item.
    pub(super) fn key(&self) -> Item {
        key(keys::token_partition(&self.0), keys::TOKEN)
    }

    /// The token's holder as the audit names it.
    pub(super) fn principal(&self) -> String {
        format!("{PRINCIPAL}{self}")
    }
}

impl FromStr for TokenId {
    type Err = ();

    fn from_str(text: &str) -> std::result::Result<Self, ()> {
        let is_digit = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let is_id = text.len() == Self::LENGTH && text.bytes().all(is_digit);
        is_id.then(|| Self(text.to_owned())).ok_or(())
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What a token is to be.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// What its holder may do: one of the roles that its team has.
    pub role: RoleName,
    /// What it is for, for people: up to 128 characters, none a control character.
    pub name: Option<String>,
    /// The only flows that its holder sees, at least one; `None` for all.
    pub flows: Option<Vec<FlowId>>,
    /// When it ends, which lies ahead; `None` for never.
    pub expires_at: Option<Timestamp>,
}

/// A token as it is stored, without the hash of its secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenRecord {
    /// The id, which stands in the token's text.
    pub token_id: String,
    /// The team.
    pub team_id: String,
    /// The name of the role.
    pub role: String,
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
    /// When it ends, in seconds since 1970 began; of a revoked one, when the record
    /// is removed.
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
    fn new(caller: &Caller, token_id: &TokenId, new: &NewToken, now: Timestamp) -> Self {
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
        }
    }

    /// Reads a token's item.
    pub fn from_item(item: Item) -> Option<Self> {
        serde_dynamo::from_item(item).ok()
    }

    /// When the token ends, or has been ended by revoking it. `None` for never.
    pub fn until(&self) -> Option<Timestamp> {
        self.revoked_at.or_else(|| {
            let seconds = self.expires_at?;
            Timestamp::from_milliseconds(seconds.checked_mul(1_000)?)
        })
    }
}

/// A page of a team's tokens, newest first.
#[derive(Debug)]
pub struct TokenPage {
    /// The tokens.
    pub tokens: Vec<TokenRecord>,
    /// The token of the next page; `None` on the last.
    pub next_token: Option<String>,
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

/// The two parts of a token's text.
pub(super) struct TokenText<'a> {
    pub(super) id: TokenId,
    pub(super) secret: &'a str,
}

impl<'a> TokenText<'a> {
    const PREFIX: &'static str = "sdk_";
    /// 32 random bytes in base64url.
    const SECRET_LENGTH: usize = 43;

    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let (id, secret) = text.strip_prefix(Self::PREFIX)?.split_once('_')?;
        let is_secret = secret.len() == Self::SECRET_LENGTH
            && secret
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        is_secret.then_some(Self {
            id: id.parse().ok()?,
            secret,
        })
    }
}

/// Makes a token of the caller's team. Its text is returned here, and can never be
/// read again.
///
/// # Errors
/// [`Error::InvalidMember`], also for a role that the team does not have;
/// [`Error::Forbidden`] for a role that may do more than the caller, for an end after that
/// of the caller's own token, and for a caller who is kept from some of the team's flows;
/// and those of the table.
pub async fn create_token(
    store: &Store,
    caller: &Caller,
    new: &NewToken,
) -> Result<(TokenRecord, Secret)> {
    require_whole_team(caller)?;
    let now = Timestamp::now();
    check(new, now)?;
    require_giveable(store, caller, &new.role).await?;
    let token_id = TokenId::new(now)?;
    let secret = BASE64.encode(random::<32>()?);
    let record = TokenRecord::new(caller, &token_id, new, now);
    let mut item: Item = serde_dynamo::to_item(&record).map_err(Error::internal)?;
    let hash = AttributeValue::B(Blob::new(hash(&secret)));
    item.insert(SECRET_HASH.to_owned(), hash);
    item.extend(token_id.key());
    let entry = Entry::new(caller, Action::TokenCreated, token_id.as_str())?
        .detail("role", &record.role)
        .detail_if_any("name", record.name.as_deref())
        .detail_if_any("flows", record.flows.as_ref().map(|flows| flows.join(",")))
        .detail_if_any("expiresAt", record.until());
    let mut actions = vec![
        store.put_action(item, Replaced::Nothing)?,
        put_register_entry(store, caller, &token_id, record.expires_at)?,
    ];
    actions.extend(while_good(store, caller, record.expires_at)?);
    if !entry.record_with(store, actions).await? {
        let message = "Your own token has ended, or ends before the one that it would make.";
        return Err(Error::Forbidden(message.to_owned()));
    }
    let text = format!("{}{token_id}_{secret}", TokenText::PREFIX);
    Ok((record, Secret(text)))
}

/// Refuses a role that the team does not have, or that may do more than the caller.
async fn require_giveable(store: &Store, caller: &Caller, role: &RoleName) -> Result<()> {
    let permissions = roles::permissions_of(store, &caller.team_id, role).await?;
    let permissions = permissions.ok_or_else(|| {
        let reason = "It is viewer, operator, engine, admin, or a role that the team has defined.";
        Error::invalid_member("role", reason)
    })?;
    roles::require_held(caller, &permissions)
}

/// An action of a transaction that has it written only while the caller's own token is
/// good, and lasts until a second, or for ever. `None` for a caller without one.
///
/// A caller is remembered for a while; what it changes for good must not outlive what
/// gave it the right to.
///
/// # Errors
/// [`Error::Internal`] when the action cannot be built.
pub(crate) fn while_good(
    store: &Store,
    caller: &Caller,
    until: Option<i64>,
) -> Result<Option<TransactWriteItem>> {
    let Some(token_id) = own_token(caller) else {
        return Ok(None);
    };
    let is_good = "attribute_exists(pk) AND attribute_not_exists(revokedAt)";
    let check = ConditionCheck::builder()
        .table_name(store.table())
        .set_key(Some(token_id.key()));
    let check = match until {
        None => {
            check.condition_expression(format!("{is_good} AND attribute_not_exists(expiresAt)"))
        }
        Some(second) => check
            .condition_expression(format!(
                "{is_good} AND (attribute_not_exists(expiresAt) OR expiresAt >= :until)"
            ))
            .expression_attribute_values(":until", AttributeValue::N(second.to_string())),
    };
    let check = check.build().map_err(Error::internal)?;
    let action = TransactWriteItem::builder().condition_check(check).build();
    Ok(Some(action))
}

/// Refuses a caller whose own token has ended, or was revoked, since it was
/// authenticated.
///
/// # Errors
/// [`Error::Unauthenticated`], and those of the table.
pub(crate) async fn require_good(store: &Store, caller: &Caller) -> Result<()> {
    let Some(token_id) = own_token(caller) else {
        return Ok(());
    };
    match get_token(store, &token_id).await {
        Ok(record) if record.revoked_at.is_none() => Ok(()),
        Ok(_) | Err(Error::TokenNotFound(_)) => Err(REFUSED),
        Err(error) => Err(error),
    }
}

/// The token that the caller has sent, if it was one of this table.
fn own_token(caller: &Caller) -> Option<TokenId> {
    caller.principal.strip_prefix(PRINCIPAL)?.parse().ok()
}

fn require_whole_team(caller: &Caller) -> Result<()> {
    caller.require_whole_team("Tokens")
}

fn check(new: &NewToken, now: Timestamp) -> Result<()> {
    let is_name = |name: &str| {
        (1..=MAX_TOKEN_NAME_LENGTH).contains(&name.chars().count())
            && !name.chars().any(char::is_control)
    };
    if !new.name.as_deref().is_none_or(is_name) {
        let reason =
            format!("It has 1 to {MAX_TOKEN_NAME_LENGTH} characters, and no control characters.");
        return Err(Error::invalid_member("name", reason));
    }
    if let Some(flows) = &new.flows {
        let bytes: usize = flows.iter().map(|flow| flow.as_str().len() + 1).sum();
        if flows.is_empty() {
            let reason = "Name at least one flow, or leave it out for all flows.";
            return Err(Error::invalid_member("flows", reason));
        }
        if bytes > MAX_FLOWS_BYTES {
            let reason = format!("The ids have at most {MAX_FLOWS_BYTES} characters together.");
            return Err(Error::invalid_member("flows", reason));
        }
    }
    match new.expires_at {
        Some(end) if end.seconds() <= now.seconds() => {
            Err(Error::invalid_member("expiresAt", "It has to lie ahead."))
        }
        _ => Ok(()),
    }
}

/// Lists the tokens of the caller's team, newest first. Expired ones are gone;
/// revoked ones stay listed for 90 days.
///
/// # Errors
/// [`Error::InvalidNextToken`]; [`Error::Forbidden`] for a caller who is kept from some
/// of the team's flows; and those of the table.
pub async fn list_tokens(
    store: &Store,
    caller: &Caller,
    size: PageSize,
    next_token: Option<&str>,
) -> Result<TokenPage> {
    require_whole_team(caller)?;
    let range = register(Some(&caller.team_id)).last_first();
    let now = Timestamp::now();
    let keep = |entry: &Item| !is_expired(entry, now);
    let page = store.list(&range, next_token, size.get(), keep).await?;
    Ok(TokenPage {
        tokens: get_tokens(store, &page.items).await?,
        next_token: page.next_token,
    })
}

/// All tokens of a team or, for the operator of the table, of all teams: by team,
/// and in the order in which they were made.
///
/// # Errors
/// Those of the table.
pub async fn all_tokens(store: &Store, team_id: Option<&TeamId>) -> Result<Vec<TokenRecord>> {
    let entries = store.all(&register(team_id)).await?;
    let mut records = get_tokens(store, &entries).await?;
    records.sort_by(|a, b| (&a.team_id, a.issued_at).cmp(&(&b.team_id, b.issued_at)));
    Ok(records)
}

/// Reads one token, of whatever team: for the operator of the table.
///
/// # Errors
/// [`Error::TokenNotFound`], and those of the table.
pub async fn get_token(store: &Store, token_id: &TokenId) -> Result<TokenRecord> {
    let pk = keys::token_partition(token_id.as_str());
    let item = store.get_latest(&pk, keys::TOKEN).await?;
    item.filter(|item| !is_expired(item, Timestamp::now()))
        .and_then(TokenRecord::from_item)
        .ok_or_else(|| Error::TokenNotFound(token_id.to_string()))
}

/// Revokes a token of the caller's team. It stops working within
/// [`REMEMBERED_SECONDS`](super::REMEMBERED_SECONDS). Revoking it again changes
/// nothing.
///
/// # Errors
/// [`Error::TokenNotFound`], also for another team's; [`Error::Forbidden`] for a caller
/// who is kept from some of the team's flows; and those of the table.
pub async fn revoke_token(
    store: &Store,
    caller: &Caller,
    token_id: &TokenId,
) -> Result<TokenRecord> {
    require_whole_team(caller)?;
    let not_found = || Error::TokenNotFound(token_id.to_string());
    let mut record = get_token(store, token_id).await?;
    if record.team_id != caller.team_id.as_str() {
        return Err(not_found());
    }
    if record.revoked_at.is_some() {
        return Ok(record);
    }
    let now = Timestamp::now();
    let kept_until = now.seconds() + REVOKED_KEPT_SECONDS;
    // An earlier end that the token has anyway stays.
    let kept_until = record
        .expires_at
        .map_or(kept_until, |end| end.min(kept_until));
    let entry = Entry::new(caller, Action::TokenRevoked, token_id.as_str())?
        .detail("role", &record.role)
        .detail_if_any("name", record.name.as_deref());
    let actions = vec![
        revocation(store, token_id, now, kept_until)?,
        put_register_entry(store, caller, token_id, Some(kept_until))?,
    ];
    if !entry.record_with(store, actions).await? {
        // Removed, or revoked by another, since it was read.
        return get_token(store, token_id).await;
    }
    record.revoked_at = Some(now);
    record.expires_at = Some(kept_until);
    Ok(record)
}

/// Marks a token that is not revoked yet.
fn revocation(
    store: &Store,
    token_id: &TokenId,
    now: Timestamp,
    kept_until: i64,
) -> Result<TransactWriteItem> {
    let update = Update::builder()
        .table_name(store.table())
        .set_key(Some(token_id.key()))
        .update_expression("SET revokedAt = :now, expiresAt = :end")
        .condition_expression("attribute_exists(pk) AND attribute_not_exists(revokedAt)")
        .expression_attribute_values(":now", text(now.to_string()))
        .expression_attribute_values(":end", AttributeValue::N(kept_until.to_string()))
        .build()
        .map_err(Error::internal)?;
    Ok(TransactWriteItem::builder().update(update).build())
}

/// The register of tokens: all, or a team's.
fn register(team_id: Option<&TeamId>) -> Range {
    let prefix = team_id.map(|team_id| keys::token_register_entry(team_id, ""));
    let prefix = prefix.unwrap_or_default();
    Range::of_prefix(keys::TOKEN_REGISTER.to_owned(), &prefix)
}

/// Writes a token's entry into the register, with the end that its item has.
fn put_register_entry(
    store: &Store,
    caller: &Caller,
    token_id: &TokenId,
    end: Option<i64>,
) -> Result<TransactWriteItem> {
    let sk = keys::token_register_entry(&caller.team_id, token_id.as_str());
    let mut entry = key(keys::TOKEN_REGISTER, sk);
    if let Some(seconds) = end {
        let seconds = AttributeValue::N(seconds.to_string());
        entry.insert(TIME_TO_LIVE.to_owned(), seconds);
    }
    store.put_action(entry, Replaced::Anything)
}

/// The tokens of entries in the register, in their order. An entry whose token is
/// gone has none.
async fn get_tokens(store: &Store, entries: &[Item]) -> Result<Vec<TokenRecord>> {
    let mut found = std::collections::HashMap::new();
    let ids = || {
        entries
            .iter()
            .filter_map(|entry| keys::token_id_of(keys::sort_key(entry)?))
    };
    let wanted: Vec<_> = ids()
        .map(|id| key(keys::token_partition(id), keys::TOKEN))
        .collect();
    for keys in wanted.chunks(KEYS_A_BATCH) {
        let now = Timestamp::now();
        let items = get_batch(store, keys.to_vec()).await?;
        let live = items.into_iter().filter(|item| !is_expired(item, now));
        let records = live.filter_map(TokenRecord::from_item);
        found.extend(records.map(|record| (record.token_id.clone(), record)));
    }
    Ok(ids().filter_map(|id| found.remove(id)).collect())
}

async fn get_batch(store: &Store, keys: Vec<Item>) -> Result<Vec<Item>> {
    let wanted = KeysAndAttributes::builder().set_keys(Some(keys)).build();
    let wanted = wanted.map_err(Error::internal)?;
    let mut request = [(store.table().to_owned(), wanted)].into();
    let mut items = Vec::new();
    for wait in backoff() {
        let answer = store
            .client()
            .batch_get_item()
            .set_request_items(Some(request))
            .send()
            .await
            .map_err(from_sdk)?;
        store.count(None, 0);
        items.extend(answer.responses.unwrap_or_default().into_values().flatten());
        request = answer.unprocessed_keys.unwrap_or_default();
        if request.is_empty() {
            return Ok(items);
        }
        tokio::time::sleep(wait).await;
    }
    Err(Error::Throttled("keys stay unprocessed".into()))
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(Error::internal)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exact_form_of_a_token_is_read() {
        let id = "0123456789abcdef0123";
        let secret = "A".repeat(43);
        assert!(TokenText::parse(&format!("sdk_{id}_{secret}")).is_some());
        for wrong in [
            String::new(),
            "sdk_".to_owned(),
            format!("sdk_{id}"),
            format!("SDK_{id}_{secret}"),
            format!("sdk_{id}_{secret}A"),
            format!("sdk_{}_{secret}", id.to_uppercase()),
            format!("sdk_{id}_{}", "#".repeat(43)),
            format!("sdk_{id}#x_{secret}"),
        ] {
            assert!(TokenText::parse(&wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn ids_are_in_the_order_of_their_making_and_never_alike() {
        let id = |ms| {
            let now = Timestamp::from_milliseconds(ms).expect("a moment");
            TokenId::new(now).expect("chance")
        };
        let (first, same, later) = (
            id(1_771_324_267_482),
            id(1_771_324_267_482),
            id(1_771_324_267_483),
        );
        assert!(first != same && first.as_str() < later.as_str() && same.as_str() < later.as_str());
        assert_eq!(first.as_str().parse(), Ok(first));
    }
}
