//! The program `flowtrail`.

use std::process::ExitCode;

use clap::Parser;
use local::cli::{Cli, Command};
use local::{commands, serve};
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    let outcome = match cli.command {
        None => serve::run(cli.serve).await,
        Some(Command::Serve(args)) => serve::run(args).await,
        Some(Command::Table(command)) => commands::run_table(command).await,
        Some(Command::Token(command)) => commands::run_token(command).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("flowtrail: {failure}");
            ExitCode::FAILURE
        }
    }
}
