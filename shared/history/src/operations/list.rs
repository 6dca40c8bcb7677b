//! Lists of executions.

use std::collections::BTreeMap;

use derived::counters::{self, Edge, Hour, SplitRange};
use derived::labels;
use format::attributes::{PARTITION_KEY, SORT_KEY};
use format::model::{Execution, Item, PageSize, Timestamp, is_expired};
use format::{Result, keys};
use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};
use store::cursor::StartKey;
use store::{Filter, MAX_ITEMS_A_QUERY, MAX_QUERIES_A_PAGE, Range, Store};
use team::auth::Caller;
use team::stalled;

use super::ExecutionFilter;

/// The most items that one Query reads and drops, about 100 KB, before a second Query costs
/// less.
const MAX_GAP: u64 = 200;

/// How many stretches of a page are read at a time.
const STRETCHES_AT_A_TIME: usize = 8;

/// How a caller requests a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window<'a> {
    /// The items after the last item of another page, which the token identifies; without a
    /// token the first page. The cost is the same at every depth, and no counters are
    /// needed.
    After(Option<&'a str>),
    /// The items after this number of items. The counters show where they are, and how many
    /// items there are in total.
    Offset(u64),
}

/// One page of a list of executions.
#[derive(Debug)]
pub struct ExecutionPage {
    /// The executions, newest first.
    pub executions: Vec<Execution>,
    /// For [`Window::After`]: the token of the next page; `None` on the last page.
    pub next_token: Option<String>,
    /// For [`Window::Offset`]: the number of executions in the list.
    pub total: Option<Total>,
}

/// How many executions a list has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Total {
    /// The number of executions that were counted.
    pub count: u64,
    /// Whether all executions were counted. A list without counters is counted by reading
    /// it, up to a limit.
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
/// By token: one Query if no item must be dropped; see [`Store::list`] for the limits
/// otherwise.
///
/// By offset, with counters: the filter's counters (one request for a few hundred days),
/// one Query to count the items before the page, starting at the hour in which the page
/// starts, and one Query to read the page. As long as nothing is written, each run is on
/// exactly one page. An expired run keeps its position until DynamoDB removes it, so a page
/// may have fewer items than its size.
///
/// By offset, with a label or a parent, for which there are no counters: the list is read
/// from its beginning, with up to [`MAX_QUERIES_A_PAGE`] Queries: 16 MB, or about 20,000
/// runs. Later runs are on no page, and [`Total::is_exact`] is `false`.
///
/// # Errors
/// - [`format::Error::Forbidden`]: the caller has no access to the flow or, for a list over
///   all flows, not to all flows.
/// - [`format::Error::InvalidNextToken`]: the token does not belong to this list.
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
    stalled::flag_stalled(store, &caller.team_id, &mut page.executions).await?;
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

/// Whether an item of an index is in the list. The index may contain records of other
/// kinds, if their writer gave them an execution's attributes.
pub(super) fn is_listed(item: &Item, now: Timestamp) -> bool {
    is_run(item) && !is_expired(item, now)
}

/// Whether an item is a run, or its entry under a label.
fn is_run(item: &Item) -> bool {
    keys::is_execution(item) || keys::run_of_label_entry(item).is_some()
}

/// Returns the runs of the items that lists show.
pub(super) fn executions(items: Vec<Item>) -> Vec<Execution> {
    let now = Timestamp::now();
    let listed = items.into_iter().filter(|item| is_listed(item, now));
    let runs = listed.map(labels::listed_run);
    runs.filter_map(Execution::from_item).collect()
}

/// Reads a page of a list without counters, and counts as many of its runs as the limit on
/// Queries allows. An expired run keeps its position until DynamoDB removes it.
async fn uncounted_page(
    store: &Store,
    range: &Range,
    offset: u64,
    size: usize,
) -> Result<ExecutionPage> {
    let mut page = UncountedPage {
        store,
        range,
        offset,
        size,
        items: Vec::with_capacity(size),
        count: 0,
    };
    let (mut start, mut is_exact) = (None, false);
    for _ in 0..MAX_QUERIES_A_PAGE {
        start = match page.is_full() {
            true => page.count_more(start).await?,
            false => page.read_more(start).await?,
        };
        if start.is_none() {
            is_exact = true;
            break;
        }
    }
    Ok(ExecutionPage {
        executions: executions(page.items),
        next_token: None,
        total: Some(Total {
            count: page.count,
            is_exact,
        }),
    })
}

/// A page of a list without counters, as far as it has been read.
struct UncountedPage<'a> {
    store: &'a Store,
    range: &'a Range,
    offset: u64,
    size: usize,
    items: Vec<Item>,
    /// The number of runs so far, including the runs before the page.
    count: u64,
}

impl UncountedPage<'_> {
    fn is_full(&self) -> bool {
        self.items.len() == self.size
    }

    /// Counts runs after the page. Returns the key at which the Query stopped.
    async fn count_more(&mut self, start: Option<StartKey>) -> Result<Option<StartKey>> {
        let range = only_executions(self.range.clone());
        let (count, end) = self
            .store
            .count_items(&range, start, MAX_ITEMS_A_QUERY)
            .await?;
        self.count += count as u64;
        Ok(end)
    }

    /// Reads runs before and on the page. Returns the key at which the Query stopped.
    async fn read_more(&mut self, start: Option<StartKey>) -> Result<Option<StartKey>> {
        let missing = self.size - self.items.len();
        let left = self.offset.saturating_sub(self.count) + missing as u64;
        // With a filter, the number of items to read says little about the number of matches.
        let limit = match self.range.has_filters() {
            true => MAX_ITEMS_A_QUERY,
            false => usize::try_from(left).unwrap_or(MAX_ITEMS_A_QUERY),
        };
        let page = self.store.query(self.range, start, limit).await?;
        for run in page.items.into_iter().filter(is_run) {
            if self.count >= self.offset && !self.is_full() {
                self.items.push(run);
            }
            self.count += 1;
        }
        Ok(page.last_key)
    }
}

/// The number of items of one hour, or of the part of the hour that is in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct HourCount {
    hour: Hour,
    count: u64,
    /// How many other items the index has in the hours between this hour and the next newer
    /// hour of the list. `None` if the counters do not show it.
    gap: Option<u64>,
}

/// A stretch of hours that contains a page, or a part of it, with the number of its items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stretch {
    newest: Hour,
    oldest: Hour,
    count: u64,
}

/// A list with numbered pages.
struct NumberedList<'a> {
    store: &'a Store,
    caller: &'a Caller,
    filter: &'a ExecutionFilter,
    range: Range,
}

impl NumberedList<'_> {
    async fn page(&self, offset: u64, size: usize) -> Result<ExecutionPage> {
        // The first page is the start of the list, regardless of the counters.
        if offset == 0 && !self.range.has_filters() {
            return self.first_page(size).await;
        }
        let hours = self.hours().await?;
        let total = hours.iter().map(|hour| hour.count).sum();
        let items = self.items(&hours, offset, size).await?;
        Ok(self.numbered_page(items, offset, total))
    }

    /// Reads one item more than requested, to find out whether the list ends there. A short
    /// list then does not depend on the counters, which lag behind the records for a
    /// moment.
    async fn first_page(&self, size: usize) -> Result<ExecutionPage> {
        let first = self
            .store
            .take(&self.range, None, 0, size + 1, keys::is_execution);
        let (hours, mut items) = tokio::try_join!(self.hours(), first)?;
        if items.len() <= size {
            let mut page = self.numbered_page(items, 0, 0);
            page.total = Some(Total::exactly(page.executions.len() as u64));
            return Ok(page);
        }
        items.truncate(size);
        let total: u64 = hours.iter().map(|hour| hour.count).sum();
        Ok(self.numbered_page(items, 0, total.max(size as u64 + 1)))
    }

    fn numbered_page(&self, items: Vec<Item>, offset: u64, total: u64) -> ExecutionPage {
        // The items that were read exist, even if the counters lag behind.
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

    /// Returns the hours that contain the list's items, newest first. Full hours come from
    /// the counters; hours of which only a part is in the list are counted in the table.
    async fn hours(&self) -> Result<Vec<HourCount>> {
        let SplitRange { full, edges } = SplitRange::new(&self.filter.created);
        let counted = async {
            let Some(full) = full else {
                return Ok(Default::default());
            };
            let scope = self.filter.scope();
            counters::read_counts(self.store, &self.caller.team_id, &scope, full).await
        };
        let edges = edges.into_iter().map(|edge| self.count_edge(edge));
        let edges = futures_util::future::try_join_all(edges);
        let (counts, edges) = tokio::try_join!(counted, edges)?;
        // For each hour, the number of the list's items, and of the index's other items.
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
            let gap = self.filter.covers_whole_index().then_some(gap);
            hours.push(HourCount { hour, count, gap });
        }
        Ok(hours)
    }

    async fn count_edge(&self, edge: Edge) -> Result<(Hour, u64)> {
        let range = only_executions(self.range.clone()).between(edge.from, edge.to);
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

    /// Returns the items of a page. `hours` are all hours of the list.
    async fn items(&self, hours: &[HourCount], offset: u64, size: usize) -> Result<Vec<Item>> {
        let Some((stretches, skip)) = stretches(hours, offset, size, !self.range.has_filters())
        else {
            return Ok(Vec::new());
        };
        let is_first = offset == 0;
        let mut parts = Vec::with_capacity(stretches.len());
        for (position, stretch) in stretches.iter().enumerate() {
            // The only items above the list's first stretch are items that the counters do not
            // include yet.
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

    /// Returns `enough` items of a range after the first `skip`.
    async fn part(&self, range: Range, mut skip: usize, enough: usize) -> Result<Vec<Item>> {
        if range.has_filters() {
            let take = self
                .store
                .take(&range, None, skip, enough, keys::is_execution);
            return take.await;
        }
        let mut start = None;
        let skipped = only_executions(range.clone());
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

/// Excludes the items of a range that are not executions and are not counted. This is
/// [`keys::is_execution`] as a DynamoDB filter. The entries of a label are all executions.
fn only_executions(range: Range) -> Range {
    if !range.is_of_index() {
        return range;
    }
    range
        .filtered(Filter::any_of(
            SORT_KEY,
            vec![format::attributes::text(keys::EXECUTION)],
        ))
        .filtered(Filter::begins_with(PARTITION_KEY, keys::EXECUTION_PREFIX))
}

/// Returns the stretches of hours that contain a page, and how many items of the first stretch
/// precede the page. `None` for a page beyond the end.
///
/// If the index contains only the list's items, hours without items cost nothing to read, and
/// the page is one stretch. Otherwise a new stretch starts after each gap that is long enough
/// to justify another request.
fn stretches(
    hours: &[HourCount],
    offset: u64,
    size: usize,
    is_exact: bool,
) -> Option<(Vec<Stretch>, usize)> {
    let (first, before) = find_first_hour(hours, offset)?;
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

/// Returns the position of the hour that contains the item at this offset, and how many items
/// of the hour precede it.
fn find_first_hour(hours: &[HourCount], offset: u64) -> Option<(usize, u64)> {
    let mut before = offset;
    let contains_offset = |hour: &HourCount| match before.checked_sub(hour.count) {
        Some(rest) => {
            before = rest;
            false
        }
        None => true,
    };
    let first = hours.iter().position(contains_offset)?;
    Some((first, before))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(counts: &[(&str, u64)]) -> Vec<HourCount> {
        counts
            .iter()
            .map(|(hour, count)| HourCount {
                hour: Hour::from_created_at(hour),
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
    fn a_page_starts_in_the_hour_of_its_offset() {
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
    fn a_filter_skips_hours_without_matches() {
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
        // A short gap does not start a new stretch.
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
