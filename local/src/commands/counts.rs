//! `flowtrail counts …`: are the kept counts right?

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use shared::counters::recount::{Difference, Progress, Recount, Report};

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
    let bar = progress_bar();
    let progress = |progress| show(&bar, progress);
    let report = match mends {
        false => recount.verify(&table.store, &progress).await,
        true => recount.rebuild(&table.store, &progress).await,
    };
    bar.finish_and_clear();
    tell(&report?, mends)
}

/// A table that is this process's own is quiet, once its stream is counted.
async fn prepare(args: &CountsArgs, table: &OpenTable) -> Result<Recount, Failure> {
    let mut settle = Duration::from_secs(args.settle);
    if let Some((_, embedded)) = &table.held {
        let mut follower = Follower::new(embedded.streams_client(), table.store.clone());
        follower.drain(|_| {}).await?;
        settle = Duration::ZERO;
    }
    Ok(Recount {
        team_id: args.team.clone(),
        settle,
    })
}

fn tell(report: &Report, mends: bool) -> Result<(), Failure> {
    let lines: Vec<_> = report
        .differences
        .iter()
        .flat_map(Difference::lines)
        .collect();
    for line in lines.iter().take(MAX_LINES) {
        terminal::print(line);
    }
    let more = lines.len().saturating_sub(MAX_LINES);
    if more > 0 {
        terminal::print(format_args!("… and {more} more"));
    }
    if report.moving > 0 {
        terminal::print(format_args!(
            "{} numbers kept changing and were left out. Run it again when the table is quieter.",
            report.moving
        ));
    }
    let (executions, scopes) = (report.executions, report.scopes);
    let counted = format!("Counted {executions} executions in {scopes} scopes");
    match (lines.len(), mends) {
        (0, _) => terminal::print(format_args!("{counted}: every number is right.")),
        (wrong, true) => terminal::print(format_args!("{counted}: put {wrong} numbers right.")),
        (wrong, false) => {
            return Err(Failure(format!(
                "{counted}: {wrong} numbers are wrong. Mend them with: flowtrail counts rebuild"
            )));
        }
    }
    Ok(())
}

fn progress_bar() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

fn show(bar: &ProgressBar, progress: Progress) {
    match progress {
        Progress::Counted { executions } => {
            bar.set_message(format!("Counted {executions} executions"));
        }
        Progress::Compared { scopes, of } => {
            if bar.length().is_none() {
                if let Ok(style) =
                    ProgressStyle::with_template("Comparing {wide_bar} {pos}/{len} scopes")
                {
                    bar.set_style(style);
                }
                bar.set_length(of);
            }
            bar.set_position(scopes);
        }
    }
}
