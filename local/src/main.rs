//! The program `flowtrail`.

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Parser;
use local::cli::{Cli, Command};
use local::terminal::Failure;
use local::{commands, serve};
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("warn,aws_config=error"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("The program cannot start: {error}.")),
    };
    let outcome = runtime.block_on(run(cli));
    // What still reads the embedded table is not waited for: its file is whole
    // at every moment.
    runtime.shutdown_background();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => fail(&failure.to_string()),
    }
}

async fn run(cli: Cli) -> Result<(), Failure> {
    match cli.command {
        None => serve::run(cli.serve).await,
        Some(Command::Serve(args)) => serve::run(args).await,
        Some(Command::Table(command)) => commands::run_table(command).await,
        Some(Command::Token(command)) => commands::run_token(command).await,
        Some(Command::Role(command)) => commands::run_role(command).await,
        Some(Command::Audit(args)) => commands::run_audit(&args).await,
        Some(Command::Counts(command)) => commands::run_counts(command).await,
        Some(Command::Export(args)) => commands::run_export(&args).await,
        Some(Command::Records(command)) => commands::run_records(command).await,
        Some(Command::Import(args)) => commands::run_import(&args).await,
    }
}

fn fail(sentence: &str) -> ExitCode {
    eprintln!("flowtrail: {sentence}");
    ExitCode::FAILURE
}
