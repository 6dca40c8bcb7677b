//! Creating, listing and revoking SDK tokens.
//!
//! A token consists of two items, which are written and changed together: the token under its id,
//! and an entry in the token index. In the index all tokens, or the tokens of a team, are one
//! range.

use format::attributes::{TIME_TO_LIVE, number, text};
use format::keys::{self, key};
use format::model::{Item, PageSize, TeamId, Timestamp, is_expired};
use format::{Error, Result};
use store::{Condition, Range, Store, Update, Write};

use super::{Caller, forget_callers};
use crate::audit::{Action, Entry};

mod create;
mod own;
mod record;
mod text;

pub use create::{MAX_TOKEN_NAME_LENGTH, NewToken, create_session, create_token};
pub use own::require_current;
pub(crate) use own::{require_valid, while_valid};
pub use record::TokenRecord;
pub(super) use text::TokenText;
pub use text::{Secret, TokenId};

/// The attribute with the time of revocation.
const REVOKED_AT: &str = "revokedAt";

/// How long a revoked token stays listed, in seconds: 90 days.
pub const REVOKED_KEPT_SECONDS: i64 = 90 * 24 * 3_600;

/// The attribute with the hash of a token's secret.
pub(super) const SECRET_HASH: &str = "secretHash";

/// A page of a team's tokens, newest first.
#[derive(Debug)]
pub struct TokenPage {
    /// The tokens.
    pub tokens: Vec<TokenRecord>,
    /// The token of the next page; `None` on the last page.
    pub next_token: Option<String>,
}

fn require_whole_team(caller: &Caller) -> Result<()> {
    caller.require_whole_team("Tokens")
}

/// Lists the tokens of the caller's team, newest first. Expired tokens are not listed; revoked
/// tokens are listed for 90 days.
///
/// # Errors
/// Returns [`Error::InvalidNextToken`], [`Error::Forbidden`] if the caller is limited to some of
/// the team's flows, and an error if the table cannot be read.
pub async fn list_tokens(
    store: &Store,
    caller: &Caller,
    size: PageSize,
    next_token: Option<&str>,
) -> Result<TokenPage> {
    require_whole_team(caller)?;
    let range = index_range(Some(&caller.team_id)).last_first();
    let now = Timestamp::now();
    let keep = |entry: &Item| !is_expired(entry, now);
    let page = store.list(&range, next_token, size.get(), keep).await?;
    Ok(TokenPage {
        tokens: get_tokens(store, &page.items).await?,
        next_token: page.next_token,
    })
}

/// Reads all tokens of a team or, for the operator of the table, of all teams. They are ordered by
/// team and time of creation.
pub async fn all_tokens(store: &Store, team_id: Option<&TeamId>) -> Result<Vec<TokenRecord>> {
    let entries = store.all(&index_range(team_id)).await?;
    let mut records = get_tokens(store, &entries).await?;
    records.sort_by(|a, b| (&a.team_id, a.issued_at).cmp(&(&b.team_id, b.issued_at)));
    Ok(records)
}

/// Reads a token of any team, for the operator of the table.
///
/// # Errors
/// Returns [`Error::TokenNotFound`], and an error if the table cannot be read.
pub async fn get_token(store: &Store, token_id: &TokenId) -> Result<TokenRecord> {
    let pk = keys::token_partition(token_id.as_str());
    let item = store.get_latest(&pk, keys::TOKEN).await?;
    item.filter(|item| !is_expired(item, Timestamp::now()))
        .and_then(|item| TokenRecord::from_item(&item))
        .ok_or_else(|| Error::TokenNotFound(token_id.to_string()))
}

/// Revokes a token of the caller's team. This process refuses it immediately; other processes
/// accept it for reading for up to [`REMEMBERED_SECONDS`](super::REMEMBERED_SECONDS). Revoking it
/// again changes nothing.
///
/// # Errors
/// Returns [`Error::TokenNotFound`], also for another team's token; [`Error::Forbidden`] if the
/// caller is limited to some of the team's flows; and an error if the table cannot be read or
/// written.
pub async fn revoke_token(
    store: &Store,
    caller: &Caller,
    token_id: &TokenId,
) -> Result<TokenRecord> {
    require_whole_team(caller)?;
    let mut record = get_token(store, token_id).await?;
    if record.team_id != caller.team_id.as_str() {
        return Err(Error::TokenNotFound(token_id.to_string()));
    }
    if record.revoked_at.is_some() {
        return Ok(record);
    }
    let now = Timestamp::now();
    let kept_until = now.seconds() + REVOKED_KEPT_SECONDS;
    // A token that ends earlier keeps its end.
    let kept_until = record
        .expires_at
        .map_or(kept_until, |end| end.min(kept_until));
    let entry = Entry::new(caller, Action::TokenRevoked, token_id.as_str())?
        .detail("role", &record.role)
        .detail_if_any("name", record.name.as_deref());
    let actions = vec![
        revocation(token_id, now, kept_until),
        put_index_entry(caller, token_id, Some(kept_until)),
    ];
    let is_done = entry.record_with(store, actions).await?;
    forget_callers(store);
    if !is_done {
        // It was removed or revoked by another caller after it was read.
        return get_token(store, token_id).await;
    }
    record.revoked_at = Some(now);
    record.expires_at = Some(kept_until);
    Ok(record)
}

/// Revokes a token that is not revoked yet.
fn revocation(token_id: &TokenId, now: Timestamp, kept_until: i64) -> Write {
    let update = Update::with_key(token_id.key())
        .set(REVOKED_AT, text(now.to_string()))
        .set(TIME_TO_LIVE, number(kept_until))
        .only_if(Condition::exists())
        .only_if(!Condition::has(REVOKED_AT));
    update.into()
}

/// The range of the token index: all tokens, or a team's.
fn index_range(team_id: Option<&TeamId>) -> Range {
    let prefix = team_id.map(|team_id| keys::token_index_entry(team_id, ""));
    let prefix = prefix.unwrap_or_default();
    Range::of_prefix(keys::TOKEN_INDEX.to_owned(), &prefix)
}

/// Writes a token's index entry, which expires together with its item.
fn put_index_entry(caller: &Caller, token_id: &TokenId, end: Option<i64>) -> Write {
    let sk = keys::token_index_entry(&caller.team_id, token_id.as_str());
    let mut entry = key(keys::TOKEN_INDEX, sk);
    if let Some(seconds) = end {
        entry.insert(TIME_TO_LIVE.to_owned(), number(seconds));
    }
    Write::put(entry)
}

/// Reads the tokens of index entries, in the same order. An entry without a token is skipped.
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
    let now = Timestamp::now();
    let items = store.get_all(&wanted).await?;
    let live = items.iter().filter(|item| !is_expired(item, now));
    let records = live.filter_map(TokenRecord::from_item);
    found.extend(records.map(|record| (record.token_id.clone(), record)));
    Ok(ids().filter_map(|id| found.remove(id)).collect())
}
