//! `flowtrail counts …`: are the kept counts right?

use std::time::Duration;

use indicatif::ProgressBar;
use shared::counters::recount::{Difference, Progress, Rebuilt, Recount, Report};
use shared::{deadlines, labels};

use super::{OpenTable, open_existing};
use crate::cli::{CountsArgs, CountsCommand};
use crate::follow::Follower;
use crate::terminal::{self, Failure};

/// The most differences that are printed.
const MAX_LINES: usize = 100;

/// Runs `flowtrail counts …`.
///
/// # Errors
/// The table cannot be reached or is not there; or, of `verify`, the counts are
/// not right.
pub async fn run_counts(command: CountsCommand) -> Result<(), Failure> {
    let (args, mends) = match command {
        CountsCommand::Verify(args) => (args, false),
        CountsCommand::Rebuild(args) => (args, true),
    };
    let table = open_existing(&args.table).await?;
    let recount = prepare(&args, &table).await?;
    let bar = terminal::spinner();
    let progress = |progress| show(&bar, progress);
    if mends {
        let rebuilt = recount.rebuild(&table.store, &progress).await?;
        bar.set_message("Entering labels");
        let entered = labels::enter_all(&table.store, args.team.as_ref()).await?;
        bar.set_message("Entering deadlines");
        deadlines::enter_all(&table.store, args.team.as_ref()).await?;
        bar.finish_and_clear();
        if entered > 0 {
            terminal::print(format_args!("Put {entered} entries of labels right."));
        }
        return tell_mended(&rebuilt);
    }
    let found = recount.verify(&table.store, &progress).await?;
    bar.finish_and_clear();
    tell_found(&found)
}

/// A table that is this process's own is quiet, once its stream is counted.
async fn prepare(args: &CountsArgs, table: &OpenTable) -> Result<Recount, Failure> {
    let mut settle = Duration::from_secs(args.settle);
    if let Some((_, embedded)) = &table.held {
        let mut follower = Follower::counting(embedded.streams_client(), table.store.clone());
        follower.drain(|_| {}).await?;
        settle = Duration::ZERO;
    }
    Ok(Recount {
        team_id: args.team.clone(),
        settle,
    })
}

fn tell_found(report: &Report) -> Result<(), Failure> {
    let lines = lines_of(report);
    for line in lines.iter().take(MAX_LINES) {
        terminal::print(line);
    }
    let more = lines.len().saturating_sub(MAX_LINES);
    if more > 0 {
        terminal::print(format_args!("… and {more} more"));
    }
    let counted = counted(report);
    match (lines.len(), report.moving) {
        (0, 0) => {
            terminal::print(format_args!("{counted}: every number is right."));
            Ok(())
        }
        (0, moving) => Err(Failure(format!(
            "{counted}: {moving} numbers kept changing and could not be judged. Run it again when \
             the table is quieter, or with a longer --settle."
        ))),
        (wrong, _) => Err(Failure(format!(
            "{counted}: {wrong} numbers are wrong. Mend them with: flowtrail counts rebuild"
        ))),
    }
}

fn tell_mended(rebuilt: &Rebuilt) -> Result<(), Failure> {
    let Rebuilt { found, left } = rebuilt;
    let (wrong, still) = (lines_of(found).len(), lines_of(left).len());
    if still > 0 || left.moving > 0 {
        let still = still as u64 + left.moving;
        return Err(Failure(format!(
            "{}: {still} numbers are not right yet, as they keep changing. Run it again when the \
             table is quieter.",
            counted(left)
        )));
    }
    terminal::print(match wrong {
        0 => format!("{}: every number is right.", counted(found)),
        wrong => format!("{}: put {wrong} numbers right.", counted(found)),
    });
    Ok(())
}

fn lines_of(report: &Report) -> Vec<String> {
    let lines = report.differences.iter().flat_map(Difference::lines);
    lines.collect()
}

fn counted(report: &Report) -> String {
    let (executions, scopes) = (report.executions, report.scopes);
    format!("Counted {executions} executions in {scopes} scopes")
}

fn show(bar: &ProgressBar, progress: Progress) {
    match progress {
        Progress::Counted { executions } => {
            bar.set_message(format!("Counted {executions} executions"));
        }
        Progress::Compared { scopes, of } => {
            if bar.length().is_none() {
                terminal::measure(bar, "Comparing", of, "scopes");
            }
            bar.set_position(scopes);
        }
    }
}
