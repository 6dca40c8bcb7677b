//! `flowtrail records …`: checks that the records of engines follow the record format.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::json;
use shared::attributes::PARTITION_KEY;
use shared::keys;
use shared::model::Item;
use shared::record::check::{Fault, RunCheck, faults_of};
use tokio::sync::watch;

use super::{OpenTable, open_existing};
use crate::cli::{RecordsCheckArgs, RecordsCommand};
use crate::follow::Follower;
use crate::terminal::{self, Failure};

/// Runs `flowtrail records …`.
///
/// # Errors
/// The table cannot be reached or does not exist; or `check` has found records that violate
/// the format.
pub async fn run_records(command: RecordsCommand) -> Result<(), Failure> {
    match command {
        RecordsCommand::Schema { kind } => {
            terminal::print(format_args!("{:#}", kind.schema()));
            Ok(())
        }
        RecordsCommand::Check(args) => {
            let table = open_existing(&args.table).await?;
            let findings = match args.follow {
                true => follow(&args, table).await?,
                false => read(&args, &table).await?,
            };
            findings.report()
        }
    }
}

/// Checks all records of the table, each individually and together with the others of its
/// run.
async fn read(args: &RecordsCheckArgs, table: &OpenTable) -> Result<Findings, Failure> {
    let mut findings = Findings::new(args);
    let mut run: Option<RunCheck> = None;
    let mut pages = table.store.scan();
    let bar = terminal::spinner();
    while let Some(items) = pages.next().await? {
        for item in &items {
            let Some(pk) = findings.check(item) else {
                continue;
            };
            if run.as_ref().is_none_or(|run| run.pk() != pk) {
                findings.end(run.replace(RunCheck::new(pk)));
            }
            if let Some(run) = &mut run {
                run.insert(item);
            }
        }
        bar.set_message(format!("Checked {} records", findings.records));
    }
    findings.end(run);
    bar.finish_and_clear();
    Ok(findings)
}

/// Checks the records of the stream, until Ctrl-C.
async fn follow(args: &RecordsCheckArgs, table: OpenTable) -> Result<Findings, Failure> {
    let findings = Arc::new(Mutex::new(Findings::new(args)));
    let looking = findings.clone();
    let look = move |item: &Item| {
        looking
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .check(item);
    };
    let follower = Follower::looking(table.streams.clone(), table.store.clone(), look);
    let (caught_up, _) = watch::channel(false);
    let (stop, stopped) = watch::channel(false);
    eprintln!("Checking records as they are written. Press Ctrl-C to stop.");
    let following = tokio::spawn(follower.follow(caught_up, stopped));
    tokio::signal::ctrl_c()
        .await
        .map_err(|error| Failure(format!("Signals cannot be received: {error}.")))?;
    stop.send_replace(true);
    following
        .await
        .map_err(|error| Failure(format!("The check failed: {error}.")))??;
    let mut findings = findings.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(std::mem::replace(&mut *findings, Findings::new(args)))
}

/// The findings so far.
struct Findings {
    as_json: bool,
    /// How many more faults may be printed.
    lines_left: u64,
    records: u64,
    faulty_records: u64,
    runs: u64,
    faults: u64,
}

impl Findings {
    fn new(args: &RecordsCheckArgs) -> Self {
        Self {
            as_json: args.json,
            lines_left: args.limit,
            records: 0,
            faulty_records: 0,
            runs: 0,
            faults: 0,
        }
    }

    /// Checks a record individually. Returns its partition key if it belongs to a run.
    fn check<'a>(&mut self, item: &'a Item) -> Option<&'a str> {
        let pk = item.get(PARTITION_KEY).and_then(|pk| pk.as_s().ok())?;
        let sk = keys::sort_key(item)?;
        let is_of_run = keys::execution_id_of(pk).is_some();
        let faults = faults_of(item);
        if is_of_run || !faults.is_empty() {
            self.records += 1;
        }
        if !faults.is_empty() {
            self.faulty_records += 1;
        }
        faults.iter().for_each(|fault| self.print(pk, sk, fault));
        is_of_run.then_some(pk)
    }

    /// Adds the faults between the records of a run.
    fn end(&mut self, run: Option<RunCheck>) {
        let Some(run) = run else {
            return;
        };
        self.runs += 1;
        let pk = run.pk().to_owned();
        for (sk, fault) in run.end() {
            self.print(&pk, &sk, &fault);
        }
    }

    fn print(&mut self, pk: &str, sk: &str, fault: &Fault) {
        self.faults += 1;
        let Some(left) = self.lines_left.checked_sub(1) else {
            return;
        };
        self.lines_left = left;
        let Fault {
            attribute,
            problem,
            remedy,
        } = fault;
        if self.as_json {
            terminal::print(json!({
                "pk": pk, "sk": sk, "attribute": attribute, "problem": problem, "remedy": remedy,
            }));
        } else {
            // A key may contain anything, including characters that move a terminal's
            // cursor.
            let (pk, sk) = (pk.escape_debug(), sk.escape_debug());
            terminal::print(format_args!(
                "{pk} {sk}\n    {attribute}: {problem}. {remedy}."
            ));
        }
    }

    fn report(&self) -> Result<(), Failure> {
        let Self {
            records,
            runs,
            faults,
            faulty_records,
            ..
        } = self;
        let checked = match runs {
            0 => format!("Checked {records} records"),
            runs => format!("Checked {records} records of {runs} runs"),
        };
        if *faults == 0 {
            eprintln!("{checked}: all follow the record format.");
            return Ok(());
        }
        Err(Failure(format!(
            "{checked}: {faults} faults. {faulty_records} records violate the format individually."
        )))
    }
}
