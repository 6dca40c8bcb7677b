//! Reads ranges of the table and its indexes page by page.

use std::borrow::Cow;

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::operation::scan::builders::ScanFluentBuilder;
use aws_sdk_dynamodb::types::{ReturnConsumedCapacity, Select};
use format::model::{Item, TeamId};
use format::{Error, Result, keys};

use crate::cursor::{self, StartKey};
use crate::sdk_error::from_sdk;
use crate::table::BY_TEAM;
use crate::{Range, Store};

/// The most items that one Query evaluates. DynamoDB itself ends a page at 1 MB. The embedded
/// engine and DynamoDB Local also need a limit, because they would otherwise read the rest of a
/// partition for each page.
pub const MAX_ITEMS_A_QUERY: usize = 5_000;

/// The most Queries for one page of a list, which then reads at most 16 MB. A filter that matches
/// almost nothing therefore takes a limited time, and returns a short page with a token.
pub const MAX_QUERIES_A_PAGE: usize = 16;

/// The most items that one page of a list evaluates.
pub const MAX_ITEMS_A_PAGE: usize = 10_000;

/// One page of a range, as DynamoDB returned it.
#[derive(Debug, Default)]
pub struct Page {
    /// The items, in the range's order.
    pub items: Vec<Item>,
    /// The key after which the next page starts; `None` at the end of the range.
    pub last_key: Option<StartKey>,
    /// The number of items that DynamoDB read for this page, including items that a filter dropped.
    evaluated: usize,
}

/// A page of a list. It is shorter than requested if it is the last page, or if a read limit was
/// reached.
#[derive(Debug)]
pub struct Listing {
    /// The items, in the range's order.
    pub items: Vec<Item>,
    /// The token of the next page; `None` on the last page.
    pub next_token: Option<String>,
}

/// Pages of items that are read one after another. All loops over pages use it.
#[derive(Debug)]
pub struct Pages<'a> {
    store: Store,
    source: Source<'a>,
    rest: Rest,
    limit: usize,
}

/// The source of the pages.
#[derive(Debug)]
enum Source<'a> {
    Range(Cow<'a, Range>),
    /// The executions of a team or of all teams, with only these attributes.
    Runs(Option<&'a TeamId>, &'static [&'static str]),
    Table,
}

/// The part of a range that has not been read.
#[derive(Debug, Clone)]
pub enum Rest {
    /// All of it.
    Everything,
    /// The items after this key.
    After(StartKey),
    /// None of it.
    Nothing,
}

impl Rest {
    /// The rest after a Query that stopped at this key, or at the end of its range if it is `None`.
    pub fn after(last_key: Option<StartKey>) -> Self {
        last_key.map_or(Self::Nothing, Self::After)
    }

    /// The rest of the sort keys with this prefix, after a Query over a larger range that stopped
    /// at this key, or at the end of its range if it is `None`.
    pub fn of_prefix(prefix: &str, last_key: Option<&StartKey>) -> Self {
        match last_key.and_then(keys::sort_key) {
            Some(stopped_at) if stopped_at.starts_with(prefix) => Self::after(last_key.cloned()),
            Some(stopped_at) if stopped_at < prefix => Self::Everything,
            _ => Self::Nothing,
        }
    }
}

impl Pages<'_> {
    /// Limits each page to this number of items, up to [`MAX_ITEMS_A_QUERY`].
    pub fn limited_to(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// Starts after this key.
    pub fn after(self, start: StartKey) -> Self {
        self.starting(Rest::After(start))
    }

    /// Reads this rest of the range.
    pub fn starting(mut self, rest: Rest) -> Self {
        self.rest = rest;
        self
    }

    /// Reads the next page, of at most 1 MB. Returns `None` after the last page. A page may be
    /// empty if the range has filters.
    pub async fn next(&mut self) -> Result<Option<Vec<Item>>> {
        let start = match std::mem::replace(&mut self.rest, Rest::Nothing) {
            Rest::Everything => None,
            Rest::After(key) => Some(key),
            Rest::Nothing => return Ok(None),
        };
        let page = match &self.source {
            Source::Range(range) => self.store.query(range, start, self.limit).await?,
            Source::Runs(team_id, only) => self.store.runs_page(*team_id, only, start).await?,
            Source::Table => {
                self.store
                    .scan_page(self.store.client.scan(), start)
                    .await?
            }
        };
        self.rest = Rest::after(page.last_key);
        Ok(Some(page.items))
    }

    /// Reads the next page, with at most this number of items.
    pub async fn next_of(&mut self, limit: usize) -> Result<Option<Vec<Item>>> {
        self.limit = limit;
        self.next().await
    }

    /// Reads all items of all pages. Use it only for ranges that are known to be short.
    pub async fn all(mut self) -> Result<Vec<Item>> {
        let mut items = Vec::new();
        while let Some(page) = self.next().await? {
            items.extend(page);
        }
        Ok(items)
    }

    /// Returns whether all pages have been read.
    pub fn is_at_end(&self) -> bool {
        matches!(self.rest, Rest::Nothing)
    }

    /// What has not been read.
    pub fn rest(&self) -> Rest {
        self.rest.clone()
    }

    /// The key up to which items have been read; `None` at the beginning and at the end.
    pub fn reached(&self) -> Option<&StartKey> {
        match &self.rest {
            Rest::After(key) => Some(key),
            Rest::Everything | Rest::Nothing => None,
        }
    }
}

impl Store {
    /// The pages of a range. The range is borrowed, or owned for a reader that outlives its caller.
    pub fn pages<'a>(&self, range: impl Into<Cow<'a, Range>>) -> Pages<'a> {
        self.pages_from(Source::Range(range.into()))
    }

    /// The executions of a team, newest first, or of all teams, in any order. Only these attributes
    /// are read.
    pub fn runs<'a>(
        &self,
        team_id: Option<&'a TeamId>,
        only: &'static [&'static str],
    ) -> Pages<'a> {
        self.pages_from(Source::Runs(team_id, only))
    }

    /// The whole table. The items of a partition are consecutive and ordered by sort key.
    pub fn scan(&self) -> Pages<'static> {
        self.pages_from(Source::Table)
    }

    fn pages_from<'a>(&self, source: Source<'a>) -> Pages<'a> {
        Pages {
            store: self.clone(),
            source,
            rest: Rest::Everything,
            limit: MAX_ITEMS_A_QUERY,
        }
    }

    /// Reads one page of a range: at most `limit` items and at most 1 MB.
    ///
    /// # Errors
    /// Returns [`Error::InvalidNextToken`] if DynamoDB refuses `start`, and the errors of DynamoDB.
    pub async fn query(
        &self,
        range: &Range,
        start: Option<StartKey>,
        limit: usize,
    ) -> Result<Page> {
        let has_start = start.is_some();
        let answer = self
            .query_request(range, start, limit)
            .send()
            .await
            .map_err(|error| match error.code() {
                // The rest of the query is always valid, so DynamoDB refuses the start key.
                Some("ValidationException") if has_start => {
                    Error::InvalidNextToken("The token belongs to another query.")
                }
                _ => from_sdk(error),
            })?;
        let evaluated = usize::try_from(answer.scanned_count).unwrap_or_default();
        self.count(answer.consumed_capacity(), evaluated);
        Ok(Page {
            evaluated,
            items: answer.items.unwrap_or_default(),
            last_key: answer.last_evaluated_key.filter(|key| !key.is_empty()),
        })
    }

    fn query_request(
        &self,
        range: &Range,
        start: Option<StartKey>,
        limit: usize,
    ) -> QueryFluentBuilder {
        range
            .apply_to(self.client.query())
            .table_name(self.table())
            .set_exclusive_start_key(start)
            .limit(i32::try_from(limit.clamp(1, MAX_ITEMS_A_QUERY)).unwrap_or(1))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
    }

    /// Reads a page of a list: `size` items that `keep` accepts, or all that are left. If a read
    /// limit ([`MAX_QUERIES_A_PAGE`], [`MAX_ITEMS_A_PAGE`]) is reached first, the page is shorter
    /// and has a token.
    ///
    /// # Errors
    /// Returns [`Error::InvalidNextToken`] for a token that does not belong to this range, and the
    /// errors of DynamoDB.
    pub async fn list(
        &self,
        range: &Range,
        token: Option<&str>,
        size: usize,
        keep: impl Fn(&Item) -> bool,
    ) -> Result<Listing> {
        // One extra item shows whether there is a next page: DynamoDB itself returns a key even
        // after a full last page.
        let wanted = size + 1;
        let mut start = token.map(|token| cursor::read(range, token)).transpose()?;
        let mut items = Vec::with_capacity(wanted);
        let (mut evaluated, mut limit) = (0, wanted);
        for _ in 0..MAX_QUERIES_A_PAGE {
            let page = self.query(range, start, limit).await?;
            evaluated += page.evaluated;
            let had = items.len();
            items.extend(page.items.into_iter().filter(&keep));
            let dropped_any = items.len() - had < page.evaluated;
            if items.len() > size {
                return full_page(range, items, size);
            }
            start = page.last_key;
            if start.is_none() || evaluated >= MAX_ITEMS_A_PAGE {
                break;
            }
            // Items are dropped, by a filter or because they have expired. There may be many more,
            // so read in larger steps.
            limit = match dropped_any {
                true => (limit * 4).min(MAX_ITEMS_A_PAGE / 4),
                false => wanted - items.len(),
            };
        }
        // All items up to the last key were returned or dropped, so the list continues after it if
        // a read limit cut the page short.
        let next_token = start.map(|key| cursor::mint(range, &key)).transpose()?;
        Ok(Listing { items, next_token })
    }

    /// Reads `enough` items of a range that `keep` accepts, after the first `skip` of them, or all
    /// that are left. The number of requests is not limited, so use it only for ranges whose bounds
    /// keep them short.
    pub async fn take(
        &self,
        range: &Range,
        start: Option<StartKey>,
        mut skip: usize,
        enough: usize,
        keep: impl Fn(&Item) -> bool,
    ) -> Result<Vec<Item>> {
        let (mut items, mut pages) = (Vec::new(), self.pages(range));
        if let Some(start) = start {
            pages = pages.after(start);
        }
        while items.len() < enough {
            // With a filter, the number of items to read does not predict how many are left after
            // it.
            let limit = match range.has_filters() {
                true => MAX_ITEMS_A_QUERY,
                false => skip + enough - items.len(),
            };
            let Some(page) = pages.next_of(limit).await? else {
                break;
            };
            let mut kept: Vec<_> = page.into_iter().filter(&keep).collect();
            let skipped = skip.min(kept.len());
            skip -= skipped;
            items.extend(kept.drain(skipped..));
        }
        items.truncate(enough);
        Ok(items)
    }

    /// Reads all items of a range that is known to be short.
    pub async fn all(&self, range: &Range) -> Result<Vec<Item>> {
        self.pages(range).all().await
    }

    /// Calls `look` with each item of a range, with one page in memory at a time.
    pub async fn for_each(&self, range: &Range, mut look: impl FnMut(Item)) -> Result<()> {
        let mut pages = self.pages(range);
        while let Some(items) = pages.next().await? {
            items.into_iter().for_each(&mut look);
        }
        Ok(())
    }

    async fn runs_page(
        &self,
        team_id: Option<&TeamId>,
        only: &'static [&'static str],
        start: Option<StartKey>,
    ) -> Result<Page> {
        if let Some(team_id) = team_id {
            let range = Range::index(&BY_TEAM, [team_id.to_string()]).only(only);
            return self.query(&range, start, MAX_ITEMS_A_QUERY).await;
        }
        let mut request = self.client.scan().index_name(BY_TEAM.name);
        let names: Vec<_> = (0..only.len())
            .map(|position| format!("#a{position}"))
            .collect();
        for (name, attribute) in names.iter().zip(only) {
            request = request.expression_attribute_names(name, *attribute);
        }
        let request = request.projection_expression(names.join(", "));
        self.scan_page(request, start).await
    }

    async fn scan_page(&self, request: ScanFluentBuilder, start: Option<StartKey>) -> Result<Page> {
        let answer = request
            .table_name(self.table())
            .set_exclusive_start_key(start)
            .limit(i32::try_from(MAX_ITEMS_A_QUERY).unwrap_or(i32::MAX))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(from_sdk)?;
        let evaluated = usize::try_from(answer.scanned_count).unwrap_or_default();
        self.count(answer.consumed_capacity(), evaluated);
        Ok(Page {
            evaluated,
            items: answer.items.unwrap_or_default(),
            last_key: answer.last_evaluated_key.filter(|key| !key.is_empty()),
        })
    }

    /// Counts the items of a range that pass its filters, without fetching them. Evaluates at most
    /// `most` items. Also returns the key at which the counting stopped; `None` at the end of the
    /// range.
    pub async fn count_items(
        &self,
        range: &Range,
        start: Option<StartKey>,
        most: usize,
    ) -> Result<(usize, Option<StartKey>)> {
        let answer = self
            .query_request(range, start, most)
            .select(Select::Count)
            .send()
            .await
            .map_err(from_sdk)?;
        let evaluated = usize::try_from(answer.scanned_count).unwrap_or_default();
        self.count(answer.consumed_capacity(), evaluated);
        let count = usize::try_from(answer.count).unwrap_or_default();
        Ok((
            count,
            answer.last_evaluated_key.filter(|key| !key.is_empty()),
        ))
    }
}

/// A full page of `size` items with the token of the next page.
fn full_page(range: &Range, mut items: Vec<Item>, size: usize) -> Result<Listing> {
    items.truncate(size);
    let next_token = items.last().map(|item| cursor::mint(range, item));
    Ok(Listing {
        next_token: next_token.transpose()?,
        items,
    })
}
