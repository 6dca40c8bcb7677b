//! Measures Flowtrail's speed, memory and size against their targets. Each measurement alternates
//! with its baseline on one machine, and the program fails if a target is missed. The commands
//! measure figures without a target: the cost of DynamoDB, the timing of refusals, the writer,
//! and each Lambda function.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use functions::routes::function_names;
use local::terminal::Failure;

mod callers;
mod consumer;
mod cost;
mod delete;
mod export;
mod import;
mod lag;
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
mod traces;
mod writer;

use measure::failure;
use pages::Pages;
use report::Report;
use table::TableLocation;

/// Measures Flowtrail's speed, memory and size, and fails if a target is missed.
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
    /// Measures the time to refuse each kind of invalid token, and to answer that a run does
    /// not exist
    Refusals {
        /// How often each kind is refused
        #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u32).range(5..=1_000_000))]
        rounds: u32,
    },
    /// Counts the capacity units of an execution and of an answer, and calculates their price
    Cost,
    /// Measures the requests, write units and time of a run with the writer crate, compared
    /// with the bare SDK
    Writer {
        /// How many runs are written in each of five rounds
        #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        runs: u32,
    },
    /// Builds every Lambda function for release, and measures its start, answers, memory and
    /// size under AWS's runtime interface emulator
    Lambda {
        /// The path of the emulator aws-lambda-rie, which is part of the SAM CLI
        #[arg(long, env = "FLOWTRAIL_EMULATOR")]
        emulator: PathBuf,
        /// How often each function is started and invoked
        #[arg(long, default_value_t = 21, value_parser = clap::value_parser!(u32).range(3..=1_000))]
        rounds: u32,
    },
    /// Counts a table's stream in a separate process, for the measurement of the consumer
    #[command(hide = true)]
    Consume {
        /// The table's address
        endpoint_url: String,
        /// The table's name
        table: String,
    },
    /// Writes large traces in a separate process, for the measurement of traces
    #[command(hide = true)]
    Ingest {
        /// The table's address
        endpoint_url: String,
        /// The table's name
        table: String,
        /// The number of traces
        traces: u64,
        /// The spans of each trace
        spans: u64,
    },
    /// Runs `flowtrail serve` in a separate process, for the measurements of the server
    #[command(hide = true)]
    Serve {
        /// The arguments of `flowtrail serve`
        #[arg(last = true)]
        arguments: Vec<String>,
    },
}

/// Options of the measurements with a target.
#[derive(Debug, Args)]
struct BarArgs {
    /// Measure small tables, few rounds and one Lambda function: takes minutes
    #[arg(long)]
    quick: bool,
    /// Measure only this bar; may be repeated
    #[arg(long, value_name = "NAME")]
    only: Vec<Bar>,
    /// The number of executions of the large table, over 30 days [default: 1000000; 100000 with
    /// --quick or --endpoint-url]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(10_000..=20_000_000))]
    executions: Option<u64>,
    /// How often each request is measured [default: 201; 51 with --quick]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(5..=10_000))]
    rounds: Option<u32>,
    /// Also write the figures into this file, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Use tables of the DynamoDB at this address instead of embedded ones; they are created
    /// for the measurement and removed afterwards
    #[arg(long, value_name = "URL")]
    endpoint_url: Option<String>,
}

/// A group of measurements with targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Bar {
    /// A flow's list, compared with the bare Query and with a table of a hundredth of the size
    List,
    /// A run's details, compared with the bare Query
    Details,
    /// The steps of a fork's branches
    BranchSteps,
    /// A page in the middle, compared with the first page
    MiddlePage,
    /// Statistics of 30 days
    Statistics,
    /// The speed of counting the table's stream
    Consumer,
    /// The speed of writing a large trace, and whether its last request takes longer
    Traces,
    /// The lag of totals and labels behind runs with ten labels each
    Lag,
    /// Exports: first byte and memory, also at ten times the size
    Export,
    /// The import of a file into an embedded table
    Import,
    /// The deletion of a flow
    Delete,
    /// The start time and the size of the Lambda functions
    Init,
    /// The functions, compared with a handler for Node.js; needs node and npm
    Node,
    /// Many concurrent callers, also during bulk writing
    Callers,
}

impl Bar {
    /// The bars that use a small and a large table.
    const PAGES: [Self; 5] = [
        Self::List,
        Self::Details,
        Self::BranchSteps,
        Self::MiddlePage,
        Self::Statistics,
    ];
}

/// The sizes and repetitions of the measurements.
struct Scale {
    executions: u64,
    rounds: u32,
    changes: u64,
    imported: u64,
    exported: u64,
    deleted: u64,
    labelled: u64,
    traces: u32,
    spans: u64,
    asking: Duration,
    starts: u32,
}

impl BarArgs {
    fn measures(&self, bar: Bar) -> bool {
        self.only.is_empty() || self.only.contains(&bar)
    }

    /// The names of the measured functions.
    fn functions(&self) -> Vec<&'static str> {
        match self.quick {
            true => vec!["list_flow_executions"],
            false => function_names().collect(),
        }
    }

    fn scale(&self) -> Scale {
        let is_small = self.quick || self.endpoint_url.is_some();
        let executions = self.executions;
        Scale {
            executions: executions.unwrap_or(if is_small { 100_000 } else { 1_000_000 }),
            rounds: self.rounds.unwrap_or(if self.quick { 51 } else { 201 }),
            changes: if self.quick { 20_000 } else { 100_000 },
            imported: if self.quick { 100_000 } else { 1_000_000 },
            exported: if is_small { 10_000 } else { 100_000 },
            deleted: 10_000,
            labelled: 3_000,
            traces: if self.quick { 2 } else { 5 },
            spans: if self.quick { 10_000 } else { 50_000 },
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
        Some(Command::Ingest {
            endpoint_url,
            table,
            traces,
            spans,
        }) => traces::ingest(endpoint_url, table, *traces, *spans).await,
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
    let place = TableLocation {
        folder: folder.path().to_owned(),
        endpoint_url: args.endpoint_url.clone(),
    };
    let scale = args.scale();
    let mut report = Report::begin(args.json.as_deref());
    if Bar::PAGES.iter().any(|bar| args.measures(*bar)) {
        measure_pages(args, &scale, &place, &mut report).await?;
    }
    if args.measures(Bar::Consumer) {
        report.add(consumer::run(&place, scale.changes).await?)?;
    }
    if args.measures(Bar::Traces) {
        report.add(traces::run(&place, scale.traces, scale.spans).await?)?;
    }
    if args.measures(Bar::Lag) {
        report.add(lag::run(&place, scale.labelled).await?)?;
    }
    if args.measures(Bar::Export) {
        report.add(export::run(&place, scale.exported).await?)?;
    }
    if args.measures(Bar::Import) {
        report.add(import::run(&place.embedded(), scale.imported).await?)?;
    }
    if args.measures(Bar::Delete) {
        report.add(delete::run(&place, scale.deleted).await?)?;
    }
    if args.measures(Bar::Callers) {
        report.add(callers::run(&place, scale.exported, scale.asking).await?)?;
    }
    if args.measures(Bar::Init) {
        report.add(lambda::bars(&args.functions(), scale.starts)?)?;
    }
    if args.measures(Bar::Node) {
        report.add(node::run(&place.embedded(), scale.rounds).await?)?;
    }
    report.end()
}

async fn measure_pages(
    args: &BarArgs,
    scale: &Scale,
    place: &TableLocation,
    report: &mut Report,
) -> Result<(), Failure> {
    let pages = Pages::load(place, scale.executions, scale.rounds).await?;
    for bar in Bar::PAGES {
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
