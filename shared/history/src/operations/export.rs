//! Streams all executions that match a filter, with their steps. The stream can only be
//! read masked.

use format::Result;
use format::model::{Execution, Step};
use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt, StreamExt, TryStreamExt};
use store::Store;
use team::audit::{Action, Entry, EventOutcome, StartedEntry};
use team::auth::Caller;
use team::masking::{ExportMasker, Unmasked};

use super::ExecutionFilter;
use super::list::executions;
use super::run_stream::{RunPiece, with_steps};

/// How many runs one Query reads: few enough that the response starts immediately.
const RUNS_A_PAGE: usize = 500;

/// After how many runs the audit event is updated. A caller who disconnects before the end
/// has still received about this many.
const RUNS_PER_AUDIT_UPDATE: u64 = 1_000;

/// An export that has started.
pub struct Export {
    /// Masks the texts of the pieces, as the team's settings define.
    pub masker: ExportMasker,
    /// The runs, each followed by its steps.
    pub pieces: BoxStream<'static, Result<ExportPiece>>,
}

/// A piece of an export. The steps of a run follow it, up to the next run.
pub enum ExportPiece {
    /// The start of a run.
    Execution(Box<Unmasked<Execution>>),
    /// Some or all steps of the run.
    Steps(Vec<Unmasked<Step>>),
}

impl From<RunPiece> for ExportPiece {
    fn from(piece: RunPiece) -> Self {
        match piece {
            RunPiece::Execution(execution) => Self::Execution(Box::new(Unmasked::new(*execution))),
            RunPiece::Steps(steps) => Self::Steps(steps.into_iter().map(Unmasked::new).collect()),
        }
    }
}

/// Streams the executions that a list with this filter contains, newest first, with the
/// steps of all of their branches. The first executions are read before this function
/// returns, so that errors up to there are its own errors.
///
/// The steps of a usual run are in order of time, across all branches. A run of more than
/// 10,000 steps, or of more than 8 MB of steps, is not sorted in memory. Its steps are in
/// the table's order: first the top-level steps in order of time, then the branches, fork
/// by fork. An export of any size therefore takes the same memory.
///
/// Many runs are read at a time. Each takes one Query, or several if it does not fit into
/// one; these skip the payloads between branches and steps.
///
/// # Errors
/// Returns [`format::Error::Forbidden`] as a list does, and the errors of
/// [`ExportMasker::of_team`]. The stream ends with its first error.
pub async fn export_executions(
    store: &Store,
    caller: &Caller,
    filter: &ExecutionFilter,
) -> Result<Export> {
    filter.require(caller)?;
    let masker = ExportMasker::of_team(store, &caller.team_id).await?;
    let mut pages = store.pages(filter.range(caller)).limited_to(RUNS_A_PAGE);
    let first = stream::iter([Ok(pages.next().await?.unwrap_or_default())]);
    let event = Entry::new(caller, Action::ExecutionsExported, caller.team_id.as_str())?;
    let event = filter.describe(event).begin(store).await?;
    let others = stream::try_unfold(pages, |mut pages| {
        async move { Ok(pages.next().await?.map(|page| (page, pages))) }.boxed()
    });
    let runs = first
        .chain(others)
        .map_ok(|page| stream::iter(executions(page).into_iter().map(Ok)))
        .try_flatten();
    let pieces = with_steps(store.clone(), runs.boxed());
    let pieces = audited(pieces, event).map_ok(ExportPiece::from).boxed();
    Ok(Export { masker, pieces })
}

/// Passes the pieces on, updates the audit event with the number of exported runs, and ends
/// the event with the stream.
fn audited(
    pieces: BoxStream<'static, Result<RunPiece>>,
    event: StartedEntry,
) -> BoxStream<'static, Result<RunPiece>> {
    let state = (pieces, Some(event), 0_u64);
    let audited = stream::unfold(state, |(mut pieces, event, mut executions)| async move {
        let piece = pieces.next().await;
        let mut event = event?;
        match &piece {
            Some(Ok(RunPiece::Execution(_))) => {
                executions += 1;
                match executions.is_multiple_of(RUNS_PER_AUDIT_UPDATE) {
                    true => event.record_detail("executions", executions).await,
                    false => event.set_detail("executions", executions),
                }
                return Some((piece?, (pieces, Some(event), executions)));
            }
            Some(Ok(RunPiece::Steps(_))) => {
                return Some((piece?, (pieces, Some(event), executions)));
            }
            Some(Err(error)) => event.end_with(error).await,
            None => event.end(EventOutcome::Done).await,
        }
        Some((piece?, (pieces, None, executions)))
    });
    audited.boxed()
}
