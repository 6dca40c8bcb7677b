//! Lists of executions.

use std::collections::BTreeMap;

use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};

use super::ExecutionFilter;
use crate::auth::Caller;
use crate::counters::{self, Cut, Edge, Hour};
use crate::error::Result;
use crate::keys;
use crate::labels;
use crate::model::{Execution, Item, PageSize, Timestamp, is_expired};
use crate::stalled;
use crate::store::{Filter, MAX_ITEMS_A_QUERY, MAX_QUERIES_A_PAGE, Range, Store};

/// The most items that are read and dropped rather than asking twice: some 100 KB.
const MAX_GAP: u64 = 200;

/// How many parts of a page are read at a time.
const STRETCHES_AT_A_TIME: usize = 8;

/// How a caller asks for a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window<'a> {
    /// What follows the last item of another page, by its token; the first page
    /// without one. Costs the same at every depth, and needs no counters.
    After(Option<&'a str>),
    /// What follows so many items. The counters tell where that is, and how
    /// many items there are.
    Offset(u64),
}

/// One page of a list of executions.
#[derive(Debug)]
pub struct ExecutionPage {
    /// The executions, newest first.
    pub executions: Vec<Execution>,
    /// Of a page asked for by [`Window::After`]: the token of the next; `None`
    /// on the last.
    pub next_token: Option<String>,
    /// Of a page asked for by [`Window::Offset`]: how many executions there are.
    pub total: Option<Total>,
}

/// How many executions a list has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Total {
    /// As many as were counted.
    pub count: u64,
    /// Whether these are all. A list that no counter tells of is counted by reading,
    /// up to a bound.
    pub is_exact: bool,
}

impl Default for Total {
    fn default() -> Self {
        Self::exactly(0)
    }
}

impl Total {
    fn exactly(count: u64) -> Self {
        Self {
            count,
            is_exact: true,
        }
    }
}

/// Lists executions, newest first.
///
/// By token: one Query where nothing has to be dropped; see [`Store::list`] for
/// what bounds the others.
///
/// By offset, where there are counters: those of the filter's scope (one request for some hundred
/// days), and from the hour in which the page begins one Query to count off what
/// lies before it and one to read it. A run is on exactly one page of a list
/// that nobody writes to. One that has expired keeps its place until DynamoDB
/// removes it, so a page can have fewer items than its size.
///
/// By offset, with a label or a parent, which no counter knows: from the beginning, up
/// to [`MAX_QUERIES_A_PAGE`] Queries, and so 16 MB, or some 20,000 runs. What lies
/// behind them is on no page, and [`Total::is_exact`] says so.
///
/// # Errors
/// [`crate::Error::Forbidden`] for a flow that the caller is kept from, or a
/// list over all flows where it is kept from any;
/// [`crate::Error::InvalidNextToken`]; and those of the table.
pub async fn list_executions(
    store: &Store,
    caller: &Caller,
    filter: &ExecutionFilter,
    size: PageSize,
    window: Window<'_>,
) -> Result<ExecutionPage> {
    filter.require(caller)?;
    let range = filter.range(caller);
    let mut page = match window {
        Window::After(token) => after(store, &range, size, token).await?,
        Window::Offset(offset) if !filter.is_counted() => {
            uncounted_page(store, &range, offset, size.get()).await?
        }
        Window::Offset(offset) => {
            let list = NumberedList {
                store,
                caller,
                filter,
                range,
            };
            list.page(offset, size.get()).await?
        }
    };
    stalled::mark(store, &caller.team_id, &mut page.executions).await?;
    Ok(page)
}

async fn after(
    store: &Store,
    range: &Range,
    size: PageSize,
    token: Option<&str>,
) -> Result<ExecutionPage> {
    let now = Timestamp::now();
    let listing = store
        .list(range, token, size.get(), |item| is_listed(item, now))
        .await?;
    Ok(ExecutionPage {
        executions: executions(listing.items),
        next_token: listing.next_token,
        total: None,
    })
}

/// Whether an item of an index is in the list. One of another kind can be in the
/// index, if its writer gave it an execution's attributes.
pub(super) fn is_listed(item: &Item, now: Timestamp) -> bool {
    is_run(item) && !is_expired(item, now)
}

/// Whether an item is a run, or its entry under a label.
fn is_run(item: &Item) -> bool {
    keys::is_execution(item) || keys::run_of_label_entry(item).is_some()
}

/// The runs that are listed of some items.
pub(super) fn executions(items: Vec<Item>) -> Vec<Execution> {
    let now = Timestamp::now();
    let listed = items.into_iter().filter(|item| is_listed(item, now));
    let runs = listed.map(labels::listed_run);
    runs.filter_map(Execution::from_item).collect()
}

/// A page of a list that no counter tells of, with as many of its runs counted as the
/// budget allows. One that has expired keeps its place until DynamoDB removes it.
async fn uncounted_page(
    store: &Store,
    range: &Range,
    offset: u64,
    size: usize,
) -> Result<ExecutionPage> {
    let mut items = Vec::with_capacity(size);
    let mut total = Total {
        count: 0,
        is_exact: false,
    };
    let mut start = None;
    for _ in 0..MAX_QUERIES_A_PAGE {
        let missing = size - items.len();
        if missing == 0 {
            let rest = counted_alone(range.clone());
            let (count, end) = store.count_items(&rest, start, MAX_ITEMS_A_QUERY).await?;
            total.count += count as u64;
            start = end;
        } else {
            // With a filter, the number of items to read says little about how many
            // come of it.
            let left = offset.saturating_sub(total.count) + missing as u64;
            let limit = match range.has_filters() {
                true => MAX_ITEMS_A_QUERY,
                false => usize::try_from(left).unwrap_or(MAX_ITEMS_A_QUERY),
            };
            let page = store.query(range, start, limit).await?;
            let runs = page.items.into_iter().filter(is_run);
            for run in runs {
                if total.count >= offset && items.len() < size {
                    items.push(run);
                }
                total.count += 1;
            }
            start = page.last_key;
        }
        if start.is_none() {
            total.is_exact = true;
            break;
        }
    }
    Ok(ExecutionPage {
        executions: executions(items),
        next_token: None,
        total: Some(total),
    })
}

/// The items of one hour, or of the part of it that is in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct HourCount {
    hour: Hour,
    count: u64,
    /// How many other items the index has in the hours between this one and the
    /// next newer of the list. `None` where the counters do not tell.
    gap: Option<u64>,
}

/// A stretch of hours that a page lies in, from the newest to the oldest, with
/// the number of items in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stretch {
    newest: Hour,
    oldest: Hour,
    count: u64,
}

/// A list whose pages have numbers.
struct NumberedList<'a> {
    store: &'a Store,
    caller: &'a Caller,
    filter: &'a ExecutionFilter,
    range: Range,
}

impl NumberedList<'_> {
    async fn page(&self, offset: u64, size: usize) -> Result<ExecutionPage> {
        // The first page begins where the list does, whatever the counters say.
        if offset == 0 && !self.range.has_filters() {
            return self.first_page(size).await;
        }
        let hours = self.hours().await?;
        let total = hours.iter().map(|hour| hour.count).sum();
        let items = self.items(&hours, offset, size).await?;
        Ok(self.shown(items, offset, total))
    }

    /// One more than asked for tells whether this is all there is. A short list
    /// then needs no counters, which are right a moment later than the records.
    async fn first_page(&self, size: usize) -> Result<ExecutionPage> {
        let first = self
            .store
            .take(&self.range, None, 0, size + 1, keys::is_execution);
        let (hours, mut items) = tokio::try_join!(self.hours(), first)?;
        if items.len() <= size {
            let mut page = self.shown(items, 0, 0);
            page.total = Some(Total::exactly(page.executions.len() as u64));
            return Ok(page);
        }
        items.truncate(size);
        let total: u64 = hours.iter().map(|hour| hour.count).sum();
        Ok(self.shown(items, 0, total.max(size as u64 + 1)))
    }

    fn shown(&self, items: Vec<Item>, offset: u64, total: u64) -> ExecutionPage {
        // What is in hand is there, also where the counters are a moment late.
        let least = if items.is_empty() {
            0
        } else {
            offset + items.len() as u64
        };
        ExecutionPage {
            executions: executions(items),
            next_token: None,
            total: Some(Total::exactly(total.max(least))),
        }
    }

    /// The hours that hold the list's items, newest first: from the counters
    /// and, where the list begins or ends within an hour, counted.
    async fn hours(&self) -> Result<Vec<HourCount>> {
        let Cut { full, edges } = Cut::of(&self.filter.created);
        let counted = async {
            let Some(full) = full else {
                return Ok(Default::default());
            };
            let scope = self.filter.scope();
            counters::counts(self.store, &self.caller.team_id, &scope, full).await
        };
        let edges = edges.into_iter().map(|edge| self.count_edge(edge));
        let edges = futures_util::future::try_join_all(edges);
        let (counts, edges) = tokio::try_join!(counted, edges)?;
        // Of each hour the list's items, and the others of the index.
        let mut by_hour: BTreeMap<Hour, (u64, u64)> = edges
            .into_iter()
            .map(|(hour, count)| (hour, (count, 0)))
            .collect();
        for ((hour, kind), count) in counts {
            let (listed, others) = by_hour.entry(hour).or_default();
            match self.filter.matches(kind) {
                true => *listed += count,
                false if self.filter.is_read(kind) => *others += count,
                false => {}
            }
        }
        let mut gap = 0;
        let mut hours = Vec::new();
        for (hour, (count, others)) in by_hour.into_iter().rev() {
            if count == 0 {
                gap += others;
                continue;
            }
            let gap = std::mem::take(&mut gap);
            let gap = self.filter.is_told_by_counters().then_some(gap);
            hours.push(HourCount { hour, count, gap });
        }
        Ok(hours)
    }

    async fn count_edge(&self, edge: Edge) -> Result<(Hour, u64)> {
        let range = counted_alone(self.range.clone()).between(edge.from, edge.to);
        let (mut count, mut start) = (0, None);
        loop {
            let (more, end) = self
                .store
                .count_items(&range, start, MAX_ITEMS_A_QUERY)
                .await?;
            count += more as u64;
            start = end;
            if start.is_none() {
                return Ok((edge.hour, count));
            }
        }
    }

    /// The items of a page, whose hours the counters name.
    async fn items(&self, hours: &[HourCount], offset: u64, size: usize) -> Result<Vec<Item>> {
        let Some((stretches, skip)) = stretches(hours, offset, size, !self.range.has_filters())
        else {
            return Ok(Vec::new());
        };
        let is_first = offset == 0;
        let mut parts = Vec::with_capacity(stretches.len());
        for (position, stretch) in stretches.iter().enumerate() {
            // Nothing lies above the list's first stretch but what the counters
            // do not know yet.
            let top = match is_first && position == 0 {
                true => None,
                false => stretch.newest.highest(),
            };
            let range = self.range.clone().between(stretch.oldest.lowest(), top);
            let skip = if position == 0 { skip } else { 0 };
            let enough = (stretch.count as usize).saturating_sub(skip);
            parts.push(self.part(range, skip, enough).boxed());
        }
        let parts: Vec<_> = stream::iter(parts)
            .buffered(STRETCHES_AT_A_TIME)
            .try_collect()
            .await?;
        let mut items: Vec<Item> = parts.into_iter().flatten().collect();
        items.truncate(size);
        Ok(items)
    }

    /// `enough` items of a range after the first `skip`.
    async fn part(&self, range: Range, mut skip: usize, enough: usize) -> Result<Vec<Item>> {
        if range.has_filters() {
            let take = self
                .store
                .take(&range, None, skip, enough, keys::is_execution);
            return take.await;
        }
        let mut start = None;
        let skipped = counted_alone(range.clone());
        while skip > 0 {
            let (count, end) = self.store.count_items(&skipped, start, skip).await?;
            skip -= count.min(skip);
            start = end;
            if start.is_none() {
                return Ok(Vec::new());
            }
        }
        self.store
            .take(&range, start, 0, enough, keys::is_execution)
            .await
    }
}

/// A range less the items that are no executions, and so are not counted: what
/// [`keys::is_execution`] says, for DynamoDB to see. Among the entries of a label
/// there are no others.
fn counted_alone(range: Range) -> Range {
    if !range.is_of_index() {
        return range;
    }
    range
        .filtered(Filter::any_of(
            "sk",
            vec![crate::table::text(keys::EXECUTION)],
        ))
        .filtered(Filter::begins_with("pk", keys::EXECUTION_PREFIX))
}

/// The stretches of hours that a page lies in, and how many items of the first
/// lie before it. `None` for a page beyond the end.
///
/// Where an index holds the list's items alone, hours without any cost nothing
/// to read over, and the page is one stretch. Elsewhere it is as many as there
/// are gaps worth a request of their own.
fn stretches(
    hours: &[HourCount],
    offset: u64,
    size: usize,
    is_exact: bool,
) -> Option<(Vec<Stretch>, usize)> {
    let mut before = offset;
    let first = hours
        .iter()
        .position(|hour| match before.checked_sub(hour.count) {
            Some(rest) => {
                before = rest;
                false
            }
            None => true,
        })?;
    let wanted = before + size as u64;
    let mut stretches: Vec<Stretch> = Vec::new();
    let mut found = 0;
    for HourCount { hour, count, gap } in &hours[first..] {
        if found >= wanted {
            break;
        }
        found += count;
        let is_near = gap.is_some_and(|gap| gap <= MAX_GAP);
        match stretches.last_mut() {
            Some(last) if is_exact || is_near || hour.next() == Some(last.oldest) => {
                last.oldest = *hour;
                last.count += count;
            }
            _ => stretches.push(Stretch {
                newest: *hour,
                oldest: *hour,
                count: *count,
            }),
        }
    }
    if let Some(last) = stretches.last_mut() {
        last.count -= found.saturating_sub(wanted);
    }
    Some((stretches, before as usize))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(counts: &[(&str, u64)]) -> Vec<HourCount> {
        counts
            .iter()
            .map(|(hour, count)| HourCount {
                hour: Hour::of(hour),
                count: *count,
                gap: None,
            })
            .collect()
    }

    fn outline(stretches: &[Stretch]) -> Vec<(String, String, u64)> {
        stretches
            .iter()
            .map(|stretch| (stretch.newest.text(), stretch.oldest.text(), stretch.count))
            .collect()
    }

    #[test]
    fn a_page_begins_in_the_hour_that_its_offset_lies_in() {
        let hours = hours(&[
            ("2026-02-17T10", 5),
            ("2026-02-17T09", 5),
            ("2026-02-16T09", 5),
        ]);
        let (found, skip) = stretches(&hours, 7, 3, true).expect("a page");
        let nine = "2026-02-17T09".to_owned();
        assert_eq!(outline(&found), [(nine.clone(), nine.clone(), 5)]);
        assert_eq!(skip, 2);
        let (found, skip) = stretches(&hours, 9, 3, true).expect("a page");
        assert_eq!(
            outline(&found),
            [(nine.clone(), "2026-02-16T09".to_owned(), 7)]
        );
        assert_eq!(skip, 4);
        assert_eq!(stretches(&hours, 15, 3, true), None);
        assert_eq!(stretches(&[], 0, 3, true), None);
    }

    #[test]
    fn hours_without_a_match_are_not_read_where_a_filter_drops_their_items() {
        let hours = hours(&[
            ("2026-02-17T10", 2),
            ("2026-02-17T09", 1),
            ("2026-02-16T09", 5),
        ]);
        let (found, skip) = stretches(&hours, 0, 4, false).expect("a page");
        let text = str::to_owned;
        assert_eq!(
            outline(&found),
            [
                (text("2026-02-17T10"), text("2026-02-17T09"), 3),
                (text("2026-02-16T09"), text("2026-02-16T09"), 1),
            ]
        );
        assert_eq!(skip, 0);
        // A short gap is read over.
        let near: Vec<_> = hours
            .iter()
            .map(|hour| HourCount {
                gap: Some(MAX_GAP),
                ..*hour
            })
            .collect();
        let (found, _) = stretches(&near, 0, 4, false).expect("a page");
        assert_eq!(
            outline(&found),
            [(text("2026-02-17T10"), text("2026-02-16T09"), 4)]
        );
    }
}
