//! `flowtrail import` of a file with executions and their steps, into the table of a folder and
//! into the table of a running server.

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Parser;
use local::cli::{Cli, Command, ImportArgs};
use local::commands::run_import;
use local::terminal::Failure;
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::Value;
use shared::model::Timestamp;

use crate::load::{self, MONTH, STEPS};
use crate::measure::failure;
use crate::report::{Figure, Line, Unit};
use crate::server::Server;
use crate::table::{Table, TableLocation};

const NAME: &str = "import";

/// The target for the number of records per second.
const RECORDS_PER_SECOND: f64 = 20_000.0;

/// The interval between checks whether all runs are counted.
const CHECK_INTERVAL: Duration = Duration::from_millis(100);

/// How long the counting may take.
const DEADLINE: Duration = Duration::from_secs(600);

/// Imports a file with a number of records, of executions with [`STEPS`] steps each.
///
/// # Errors
/// Returns an error if the file, the table or the server fails.
pub async fn run(place: &TableLocation, records: u64) -> Result<Vec<Line>, Failure> {
    let executions = records / (STEPS + 1);
    let records = executions * (STEPS + 1);
    let mut lines = Vec::new();
    for (purpose, is_served) in [("import", false), ("import-served", true)] {
        let table = place.create(purpose).await?;
        let file = place.folder.join(format!("{purpose}.jsonl"));
        write_file(&file, executions).map_err(failure)?;
        let mut server = is_served.then(|| Server::start(&table)).transpose()?;
        let begin = Instant::now();
        run_import(&parse_arguments(&file, &table)?).await?;
        let rate = records as f64 / begin.elapsed().as_secs_f64();
        let imported = Instant::now();
        if server.is_none() {
            server = Some(Server::start(&table)?);
        }
        if let Some(server) = &server {
            wait_until_counted(server, executions, imported).await?;
        }
        let counted = imported.elapsed();
        let condition = if is_served {
            ", with a running server"
        } else {
            ""
        };
        let rate = Figure::new(rate, Unit::PerSecond);
        let line = Line::new(NAME, format!("{records} records{condition}"), rate);
        lines.push(match is_served {
            false => line.at_least(RECORDS_PER_SECOND),
            true => line,
        });
        let work = format!("{executions} runs counted, after the import{condition}");
        lines.push(Line::new(NAME, work, Figure::time(counted)));
    }
    Ok(lines)
}

fn write_file(path: &Path, executions: u64) -> std::io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    let mut random = StdRng::seed_from_u64(executions);
    let time = load::Time::until_now(MONTH);
    for number in 0..executions {
        let execution = load::execution(&mut random, number, time.at(number, executions));
        for step in 0..STEPS {
            writeln!(file, "{}", load::step_of(&execution, step))?;
        }
        writeln!(file, "{execution}")?;
    }
    file.flush()
}

fn parse_arguments(file: &Path, table: &Table) -> Result<ImportArgs, Failure> {
    let words = ["flowtrail", "import"].map(PathBuf::from);
    let options = ["--table", &table.name, "--data"].map(PathBuf::from);
    let words = words.into_iter().chain([file.to_owned()]).chain(options);
    let words = words.chain([table.folder().to_owned()]);
    match Cli::try_parse_from(words).map_err(failure)?.command {
        Some(Command::Import(arguments)) => Ok(arguments),
        _ => Err(Failure("the command line is not an import".to_owned())),
    }
}

/// Waits until the statistics of the server contain all runs.
async fn wait_until_counted(
    server: &Server,
    executions: u64,
    since: Instant,
) -> Result<(), Failure> {
    let now = Timestamp::now();
    let begin = now.milliseconds() - MONTH.as_millis() as i64 - 86_400_000;
    let begin = Timestamp::from_milliseconds(begin).unwrap_or(now);
    let path = format!("/api/history/execution-stats?startDate={begin}&endDate={now}");
    loop {
        let mut text = String::new();
        let mut answer = server.get(&path, "identity")?;
        answer.read_to_string(&mut text).map_err(failure)?;
        let answer: Value = serde_json::from_str(&text).map_err(failure)?;
        if answer["stats"]["totalExecutions"].as_u64() == Some(executions) {
            return Ok(());
        }
        if since.elapsed() > DEADLINE {
            return Err(Failure(format!("not all runs were counted: {answer}")));
        }
        tokio::time::sleep(CHECK_INTERVAL).await;
    }
}
