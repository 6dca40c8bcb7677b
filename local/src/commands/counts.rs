//! `flowtrail counts …`: compares the counters with the runs, and corrects them.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use indicatif::ProgressBar;
use shared::Error;
use shared::counters::recount::{
    Consumer, Difference, NoConsumer, Progress, RebuildReport, Recount, Report,
};
use shared::{deadlines, labels};
use tokio::sync::Mutex;

use super::{OpenTable, open_existing};
use crate::cli::{CountsArgs, CountsCommand};
use crate::follow::Follower;
use crate::terminal::{self, Failure};

/// The most differences that are printed.
const MAX_LINES: usize = 100;

/// The exit code if it cannot be decided yet whether the counters are right.
const UNDECIDED: u8 = 3;

/// How often to check whether the counters have caught up.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// How long the stream is read in one go, if it never ends.
const READ_TIME: Duration = Duration::from_secs(5);

/// Runs `flowtrail counts …`. Returns [`UNDECIDED`] if the counters are behind the runs, or
/// keep changing.
///
/// # Errors
/// The table cannot be reached or does not exist; or `verify` has found wrong counters.
pub async fn run_counts(command: CountsCommand) -> Result<ExitCode, Failure> {
    let (args, rebuilds) = match command {
        CountsCommand::Verify(args) => (args, false),
        CountsCommand::Rebuild(args) => (args, true),
    };
    let table = open_existing(&args.table).await?;
    let bar = terminal::spinner();
    let (recount, consumer) = prepare(&args, &table, &bar).await?;
    let sees_delay = consumer.is_some() || table.held.is_some();
    let consumer: &dyn Consumer = match &consumer {
        Some(consumer) => consumer,
        None => &NoConsumer,
    };
    let progress = |progress| show(&bar, progress);
    if !rebuilds {
        let found = recount.verify(&table.store, consumer, &progress).await?;
        bar.finish_and_clear();
        return report_differences(&found, sees_delay);
    }
    let rebuilt = recount.rebuild(&table.store, consumer, &progress).await?;
    bar.set_message("Correcting the entries of labels");
    let entered = labels::enter_all(&table.store, args.team.as_ref()).await?;
    bar.set_message("Correcting the entries of deadlines");
    deadlines::enter_all(&table.store, args.team.as_ref()).await?;
    bar.finish_and_clear();
    if entered > 0 {
        terminal::print(format_args!("Corrected {entered} entries of labels."));
    }
    report_rebuild(&rebuilt)
}

/// A table that this process has opened itself does not change once its stream is counted.
/// For any other table, returns a view of the stream's consumer, if the stream can be read.
async fn prepare(
    args: &CountsArgs,
    table: &OpenTable,
    bar: &ProgressBar,
) -> Result<(Recount, Option<Waiting>), Failure> {
    let mut recount = Recount {
        team_id: args.team.clone(),
        settle: Duration::from_secs(args.settle),
    };
    if let Some((_, embedded)) = &table.held {
        bar.set_message("Counting the changes that are not counted yet");
        let mut follower = Follower::counting(embedded.streams_client(), table.store.clone());
        follower.drain(|_| {}).await?;
        recount.settle = Duration::ZERO;
        return Ok((recount, None));
    }
    let follower = Follower::awaiting(table.streams.clone(), table.store.clone());
    let problem = match follower.has_stream().await {
        Ok(true) => {
            let waiting = Waiting {
                follower: Mutex::new(follower),
                wait: Duration::from_secs(args.wait),
                bar: bar.clone(),
            };
            return Ok((recount, Some(waiting)));
        }
        Ok(false) => "the table has no stream".to_owned(),
        Err(failure) => failure.to_string(),
    };
    bar.suspend(|| {
        eprintln!(
            "The delay of the counters cannot be measured: {problem}. The result may be premature."
        );
    });
    Ok((recount, None))
}

/// The consumer of the table's stream in another process, observed through its checkpoint.
struct Waiting {
    follower: Mutex<Follower>,
    wait: Duration,
    bar: ProgressBar,
}

impl Waiting {
    async fn until_counted(&self) -> shared::Result<u64> {
        let mut follower = self.follower.lock().await;
        let until = Instant::now() + self.wait;
        self.bar.set_message("Reading the table's stream");
        let mut is_at_end = false;
        while !is_at_end {
            let read = follower.drain_within(READ_TIME).await;
            is_at_end = read.map_err(|failure| Error::internal(failure.to_string()))?;
            // If runs are written all the time, the end of the stream keeps moving.
            if Instant::now() >= until {
                break;
            }
        }
        loop {
            // Only the changes that have been read so far, and none that come later.
            let left = follower.uncounted().await?;
            if left == 0 || Instant::now() >= until {
                return Ok(left as u64);
            }
            let message = format!("Waiting for the counters: {left} changes are not counted yet");
            self.bar.set_message(message);
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

impl Consumer for Waiting {
    fn wait(&self) -> BoxFuture<'_, shared::Result<u64>> {
        self.until_counted().boxed()
    }
}

fn report_differences(report: &Report, sees_delay: bool) -> Result<ExitCode, Failure> {
    if report.behind > 0 {
        return Ok(undecided(behind(report)));
    }
    let lines = difference_lines(report);
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
            terminal::print(format_args!("{counted}: all counters are right."));
            Ok(ExitCode::SUCCESS)
        }
        (0, moving) => Ok(undecided(format!(
            "{counted}: {moving} counters kept changing and could not be checked. Run the command \
             again when the table is less busy, or with a longer --settle."
        ))),
        (wrong, _) if sees_delay => Err(Failure(format!(
            "{counted}: {wrong} counters are wrong, and not because they are behind. Correct them \
             with: flowtrail counts rebuild"
        ))),
        (wrong, _) => Err(Failure(format!(
            "{counted}: {wrong} counters differ from the runs. The stream cannot be read, so they \
             may only be behind: make sure that the consumer of the stream has caught up (on AWS \
             see the metric IteratorAge of the function count), and run the command again."
        ))),
    }
}

/// Prints why the counters cannot be judged yet, and returns [`UNDECIDED`].
fn undecided(sentence: String) -> ExitCode {
    eprintln!("flowtrail: {sentence}");
    ExitCode::from(UNDECIDED)
}

fn behind(report: &Report) -> String {
    format!(
        "The counters are behind the runs: {} changes are not counted yet. No error was found so \
         far. Run the command again later, or with a longer --wait. If the number does not \
         decrease, check that the consumer of the stream is running: flowtrail serve, or on AWS \
         the function count.",
        report.behind
    )
}

fn report_rebuild(rebuilt: &RebuildReport) -> Result<ExitCode, Failure> {
    let RebuildReport { found, left } = rebuilt;
    if left.behind > 0 {
        return Ok(undecided(behind(left)));
    }
    let (wrong, still) = (difference_lines(found).len(), difference_lines(left).len());
    if still > 0 || left.moving > 0 {
        let still = still as u64 + left.moving;
        return Ok(undecided(format!(
            "{}: {still} counters are not right yet, because they keep changing. Run the command \
             again when the table is less busy.",
            counted(left)
        )));
    }
    terminal::print(match wrong {
        0 => format!("{}: all counters are right.", counted(found)),
        wrong => format!("{}: corrected {wrong} counters.", counted(found)),
    });
    Ok(ExitCode::SUCCESS)
}

fn difference_lines(report: &Report) -> Vec<String> {
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
