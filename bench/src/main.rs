//! Measures what Flowtrail promises about speed, memory and size, each beside what it is
//! compared with, in turns on one machine; and ends with an error where a promise does not
//! hold. The commands measure what has no bar: what DynamoDB charges, what a refusal tells,
//! what the writer and each Lambda function take.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use functions::route::function_names;
use local::terminal::Failure;

mod callers;
mod consumer;
mod cost;
mod delete;
mod export;
mod lambda;
mod load;
mod measure;
mod node;
mod pages;
mod refusals;
mod report;
mod runtime_api;
mod server;
mod table;
mod writer;

use measure::failure;
use pages::Pages;
use report::Report;
use table::Place;

/// Measures what Flowtrail promises about speed, memory and size, and ends with an error
/// where a promise does not hold.
#[derive(Debug, Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    bars: BarArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
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
    /// Counts a table's stream: what the consumer is measured on, in a process of its own
    #[command(hide = true)]
    Consume {
        /// The table's address
        endpoint_url: String,
        /// The table's name
        table: String,
    },
    /// What exports, deletions and callers are measured on: `flowtrail serve`, in a
    /// process of its own
    #[command(hide = true)]
    Serve {
        /// Its arguments
        #[arg(last = true)]
        arguments: Vec<String>,
    },
}

/// How the bars are measured.
#[derive(Debug, Args)]
struct BarArgs {
    /// Measure small tables, few rounds and one Lambda function, in minutes
    #[arg(long)]
    quick: bool,
    /// Measure this bar alone; may be repeated
    #[arg(long, value_name = "NAME")]
    only: Vec<Bar>,
    /// The executions of the large table, over 30 days [default: 1000000; 100000 with
    /// --quick or --endpoint-url]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(10_000..=20_000_000))]
    executions: Option<u64>,
    /// How often each request is timed [default: 201; 51 with --quick]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(5..=10_000))]
    rounds: Option<u32>,
    /// Write the figures into this file as well, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Measure on tables of the DynamoDB at this address, which are made for it and removed
    /// afterwards, in place of the embedded one
    #[arg(long, value_name = "URL")]
    endpoint_url: Option<String>,
}

/// What is promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Bar {
    /// A flow's list, beside the bare Query, and at a hundred times the size
    List,
    /// A run's details beside the bare Query
    Details,
    /// The steps of a fork's branches
    BranchSteps,
    /// A page far behind the first
    MiddlePage,
    /// Statistics of 30 days
    Statistics,
    /// How fast the table's stream is counted
    Consumer,
    /// Exports: first byte and memory, and at ten times the size
    Export,
    /// The deletion of a flow
    Delete,
    /// The start of the Lambda functions, and their size
    Init,
    /// The functions beside a handler for Node.js; needs node and npm
    Node,
    /// Many callers at once, and beside bulk writing
    Callers,
}

impl Bar {
    /// Those of a small and of a large table.
    const OF_PAGES: [Self; 5] = [
        Self::List,
        Self::Details,
        Self::BranchSteps,
        Self::MiddlePage,
        Self::Statistics,
    ];
}

/// How large what is measured is.
struct Scale {
    executions: u64,
    rounds: u32,
    changes: u64,
    exported: u64,
    deleted: u64,
    asking: Duration,
    starts: u32,
}

impl BarArgs {
    fn measures(&self, bar: Bar) -> bool {
        self.only.is_empty() || self.only.contains(&bar)
    }

    fn scale(&self) -> Scale {
        let is_small = self.quick || self.endpoint_url.is_some();
        let executions = self.executions;
        Scale {
            executions: executions.unwrap_or(if is_small { 100_000 } else { 1_000_000 }),
            rounds: self.rounds.unwrap_or(if self.quick { 51 } else { 201 }),
            changes: if self.quick { 20_000 } else { 100_000 },
            exported: if is_small { 10_000 } else { 100_000 },
            deleted: 10_000,
            asking: Duration::from_secs(if self.quick { 3 } else { 10 }),
            starts: if self.quick { 11 } else { 21 },
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let measured = match &cli.command {
        None => run(&cli.bars).await,
        Some(Command::Refusals { rounds }) => refusals::run(*rounds).await,
        Some(Command::Cost) => cost::run().await,
        Some(Command::Writer { runs }) => writer::run(*runs).await,
        Some(Command::Lambda { emulator, rounds }) => lambda::run(emulator, *rounds).await,
        Some(Command::Consume {
            endpoint_url,
            table,
        }) => consumer::consume(endpoint_url, table).await,
        Some(Command::Serve { arguments }) => server::serve(arguments).await,
    };
    match measured {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("bench: {failure}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: &BarArgs) -> Result<(), Failure> {
    let folder = tempfile::tempdir().map_err(failure)?;
    let place = Place {
        folder: folder.path().to_owned(),
        endpoint_url: args.endpoint_url.clone(),
    };
    let scale = args.scale();
    let mut report = Report::begin(args.json.as_deref());
    if Bar::OF_PAGES.iter().any(|bar| args.measures(*bar)) {
        measure_pages(args, &scale, &place, &mut report).await?;
    }
    if args.measures(Bar::Consumer) {
        report.add(consumer::run(&place, scale.changes).await?)?;
    }
    if args.measures(Bar::Export) {
        report.add(export::run(&place, scale.exported).await?)?;
    }
    if args.measures(Bar::Delete) {
        report.add(delete::run(&place, scale.deleted).await?)?;
    }
    if args.measures(Bar::Callers) {
        report.add(callers::run(&place, scale.exported, scale.asking).await?)?;
    }
    if args.measures(Bar::Init) {
        let names: Vec<_> = match args.quick {
            true => vec!["list_flow_executions"],
            false => function_names().collect(),
        };
        report.add(lambda::bars(&names, scale.starts)?)?;
    }
    if args.measures(Bar::Node) {
        report.add(node::run(&place.embedded(), scale.rounds).await?)?;
    }
    report.end()
}

async fn measure_pages(
    args: &BarArgs,
    scale: &Scale,
    place: &Place,
    report: &mut Report,
) -> Result<(), Failure> {
    let pages = Pages::load(place, scale.executions, scale.rounds).await?;
    for bar in Bar::OF_PAGES {
        if !args.measures(bar) {
            continue;
        }
        report.add(match bar {
            Bar::List => pages.list().await?,
            Bar::Details => pages.details().await?,
            Bar::BranchSteps => pages.branch_steps().await?,
            Bar::MiddlePage => pages.middle_page().await?,
            _ => pages.statistics().await?,
        })?;
    }
    pages.remove().await
}
