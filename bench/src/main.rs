//! Measures what must not grow with the number of executions: the first page of
//! a list, a page in its middle, and statistics of 30 days, on two embedded
//! tables side by side, a small one and a large one. `export` does the same with
//! the export, `refusals` tells whether the time of a refusal tells anything, `lambda`
//! what each Lambda function takes, and `cost` what DynamoDB charges.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Args, Parser, Subcommand};
use local::embedded::Embedded;
use local::terminal::Failure;

mod cost;
mod export;
mod lambda;
mod load;
mod measure;
mod refusals;
mod writer;

use measure::{Measured, Table, failure};

/// Measures Flowtrail on a small and on a large table, side by side.
#[derive(Debug, Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    pages: PageArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measures exports: first byte, rows a second and memory, and the same at ten
    /// times the size
    Export(ExportArgs),
    /// Measures what it takes to refuse a token that is not valid, of each kind, and to
    /// find no run, of each kind
    Refusals {
        /// How often each is refused
        #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u32).range(5..=1_000_000))]
        rounds: u32,
    },
    /// Counts the capacity units that an execution and an answer take, and prices them
    Cost,
    /// Measures what the writer crate takes for a run: requests, write units and time,
    /// beside the bare SDK
    Writer {
        /// How many runs are written in each of five rounds
        #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        runs: u32,
    },
    /// Builds every Lambda function as it is shipped, and measures its start, its
    /// answers, its memory and its size, under AWS's runtime interface emulator
    Lambda {
        /// The emulator: aws-lambda-rie, which comes with the SAM CLI
        #[arg(long, env = "FLOWTRAIL_EMULATOR")]
        emulator: PathBuf,
        /// How often each is started, and asked
        #[arg(long, default_value_t = 21, value_parser = clap::value_parser!(u32).range(3..=1_000))]
        rounds: u32,
    },
    /// What the export is measured on: a server in a process of its own
    #[command(hide = true)]
    Serve {
        /// The table's file
        file: PathBuf,
    },
}

/// How exports are measured.
#[derive(Debug, Args)]
struct ExportArgs {
    /// The executions of the small table, each with 8 steps; the large one has ten
    /// times as many
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(100..=2_000_000))]
    executions: u64,
}

/// How pages and statistics are measured.
#[derive(Debug, Args)]
struct PageArgs {
    /// The executions of the large table, over 30 days
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(10_000..=20_000_000))]
    executions: u64,
    /// How often each request is timed
    #[arg(long, default_value_t = 51, value_parser = clap::value_parser!(u32).range(5..=10_000))]
    rounds: u32,
}

/// The executions of the small table.
const SMALL: u64 = 10_000;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let measured = match &cli.command {
        None => run(&cli.pages).await,
        Some(Command::Export(args)) => export::run(args.executions).await,
        Some(Command::Refusals { rounds }) => refusals::run(*rounds).await,
        Some(Command::Cost) => cost::run().await,
        Some(Command::Writer { runs }) => writer::run(*runs).await,
        Some(Command::Lambda { emulator, rounds }) => lambda::run(emulator, *rounds).await,
        Some(Command::Serve { file }) => export::serve(file).await,
    };
    match measured {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("bench: {failure}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: &PageArgs) -> Result<(), Failure> {
    let folder = tempfile::tempdir().map_err(failure)?;
    let mut tables = Vec::new();
    for executions in [SMALL, args.executions] {
        let path = folder.path().join(format!("{executions}.db"));
        let embedded = Embedded::open(&path).map_err(failure)?;
        let loaded = load::load(&embedded, executions).await?;
        println!(
            "{executions} executions: loaded in {:.0} s, {} changes counted in {:.0} s ({:.0} a second, {} transactions)",
            loaded.loading.as_secs_f64(),
            loaded.counted,
            loaded.counting.as_secs_f64(),
            loaded.counted as f64 / loaded.counting.as_secs_f64(),
            loaded.transactions,
        );
        tables.push(Table::new(&embedded, executions).await?);
    }
    let [small, large] = &tables[..] else {
        return Err(Failure("two tables are compared".to_owned()));
    };
    print_heading(args.executions);
    for work in measure::WORKS {
        let mut times = [Vec::new(), Vec::new()];
        let mut last = [None, None];
        // Interleaved, so that what else the machine does falls on both.
        for _ in 0..args.rounds {
            for (side, table) in [small, large].into_iter().enumerate() {
                let begin = Instant::now();
                let measured = table.ask(work).await?;
                times[side].push(begin.elapsed());
                last[side] = Some(measured);
            }
        }
        if let [Some(one), Some(other)] = last {
            let [times_one, times_other] = &mut times;
            print_line(
                work.name,
                [(median(times_one), one), (median(times_other), other)],
            );
        }
    }
    Ok(())
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn print_heading(executions: u64) {
    println!(
        "\n{:34} {:>26}   {:>26}   {:>5}",
        "",
        format!("{SMALL} executions"),
        format!("{executions} executions"),
        "ratio"
    );
    let columns = format!("{:>8} {:>4} {:>5} {:>6}", "ms", "req", "items", "units");
    println!("{:34} {columns}   {columns}", "median of each");
}

fn print_line(name: &str, sides: [(Duration, Measured); 2]) {
    let [one, other] = sides.map(|(time, measured)| (time.as_secs_f64() * 1_000.0, measured));
    let side = |(ms, measured): &(f64, Measured)| {
        let usage = measured.usage;
        format!(
            "{ms:>8.2} {:>4} {:>5} {:>6.1}",
            usage.requests, usage.items_read, usage.capacity_units
        )
    };
    println!(
        "{name:34} {}   {}   {:>5.2}",
        side(&one),
        side(&other),
        other.0 / one.0
    );
}
