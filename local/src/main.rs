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
        Err(error) => return fail(&format!("The program could not start: {error}.")),
    };
    let outcome = runtime.block_on(run(cli));
    // Tasks that still read the embedded table are not waited for, because its file is
    // consistent at every moment.
    runtime.shutdown_background();
    match outcome {
        Ok(code) => code,
        Err(failure) => fail(&failure.to_string()),
    }
}

async fn run(cli: Cli) -> Result<ExitCode, Failure> {
    match cli.command {
        Some(Command::Counts(command)) => return commands::run_counts(command).await,
        None => serve::run(cli.serve).await,
        Some(Command::Serve(args)) => serve::run(args).await,
        Some(Command::SignIn(args)) => commands::run_sign_in(&args).await,
        Some(Command::Table(command)) => commands::run_table(command).await,
        Some(Command::Token(command)) => commands::run_token(command).await,
        Some(Command::Role(command)) => commands::run_role(command).await,
        Some(Command::Audit(args)) => commands::run_audit(&args).await,
        Some(Command::Export(args)) => commands::run_export(&args).await,
        Some(Command::Records(command)) => commands::run_records(command).await,
        Some(Command::Import(args)) => commands::run_import(&args).await,
        Some(Command::Traces(command)) => commands::run_traces(command).await,
    }?;
    Ok(ExitCode::SUCCESS)
}

fn fail(sentence: &str) -> ExitCode {
    eprintln!("flowtrail: {sentence}");
    ExitCode::FAILURE
}
