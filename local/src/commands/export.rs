//! `flowtrail export`: the file of the export's endpoint, without a server.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};

use functions::executions::export::{self, Encoding};
use functions::parameters::back;
use futures_util::{StreamExt, TryStreamExt};
use indicatif::ProgressBar;
use shared::auth::Caller;
use shared::masking::masker_of;
use shared::model::{PageSize, TimeRange};
use shared::operations::{
    ExecutionFilter, ExportPiece, Window, export_executions, list_executions,
};
use shared::store::Store;

use super::{open_existing, operator};
use crate::cli::ExportArgs;
use crate::terminal::{self, Failure};

/// Runs `flowtrail export`.
///
/// # Errors
/// The table cannot be reached or is not there, or fails on the way; the file is
/// there already, or cannot be written. What was written of it is then removed.
pub async fn run_export(args: &ExportArgs) -> Result<(), Failure> {
    let filter = filter(args)?;
    let table = open_existing(&args.table).await?;
    let mut target = Target::of(args, &filter)?;
    let written = tokio::select! {
        written = write(&table.store, args, &filter, &mut target) => written,
        _ = tokio::signal::ctrl_c() => Err(Failure("The export was interrupted.".to_owned())),
    };
    match written {
        Ok(Some(executions)) => target.keep(executions),
        // Nobody reads on, as behind `| head`.
        Ok(None) => Ok(()),
        Err(failure) => {
            target.discard();
            Err(failure)
        }
    }
}

fn filter(args: &ExportArgs) -> Result<ExecutionFilter, Failure> {
    let created = match args.from {
        None => back(args.days, args.to),
        from => TimeRange::new(from, args.to)
            .ok_or_else(|| Failure("--from lies after --to.".to_owned()))?,
    };
    Ok(ExecutionFilter {
        flow_id: args.flow.clone(),
        status: args.status,
        device_id: args.device.clone(),
        execution_type: args.execution_type,
        label: args.label.clone(),
        created,
        ..ExecutionFilter::default()
    })
}

/// Writes the export, and returns how many executions it has; `None` where
/// nobody reads it any more.
async fn write(
    store: &Store,
    args: &ExportArgs,
    filter: &ExecutionFilter,
    target: &mut Target,
) -> Result<Option<u64>, Failure> {
    let caller = operator(args.team.clone());
    let bar = progress_bar(store, &caller, filter, target).await?;
    let masker = masker_of(store, &args.team).await?;
    let pieces = export_executions(store, &caller, filter).await?;
    let progress = bar.clone();
    let pieces = pieces.inspect_ok(move |piece| {
        if let ExportPiece::Execution(_) = piece {
            progress.inc(1);
        }
    });
    let encoding = match args.gzip {
        true => Encoding::Gzip,
        false => Encoding::Identity,
    };
    let mut chunks = Box::pin(export::render(
        pieces.boxed(),
        masker,
        args.format,
        encoding,
    ));
    while let Some(chunk) = chunks.try_next().await? {
        match target.write(&chunk) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(None),
            written => written.map_err(|error| target.failure(&error))?,
        }
    }
    let executions = bar.position();
    bar.finish_and_clear();
    Ok(Some(executions))
}

/// A bar with the number of executions from the kept counts.
async fn progress_bar(
    store: &Store,
    caller: &Caller,
    filter: &ExecutionFilter,
    target: &Target,
) -> Result<ProgressBar, Failure> {
    // It would stand between the rows.
    if matches!(target, Target::Stdout) && io::stdout().is_terminal() {
        return Ok(ProgressBar::hidden());
    }
    let window = Window::Offset(0);
    let first = list_executions(store, caller, filter, PageSize::of::<1>(), window).await?;
    let total = first.total.unwrap_or_default();
    Ok(terminal::progress_bar(
        "Exporting",
        total.count,
        "executions",
    ))
}

/// Where the export goes.
enum Target {
    Stdout,
    /// A file, under another name until it is whole.
    File {
        path: PathBuf,
        partial: PathBuf,
        file: File,
        may_replace: bool,
    },
}

impl Target {
    fn of(args: &ExportArgs, filter: &ExecutionFilter) -> Result<Self, Failure> {
        if args.output == Path::new("-") {
            return Ok(Self::Stdout);
        }
        let mut path = args.output.clone();
        if path.is_dir() {
            let name = export::file_name(&args.team, &filter.created, args.format);
            path.push(if args.gzip { name + ".gz" } else { name });
        }
        refuse_existing(&path, args.force)?;
        let mut partial = path.clone().into_os_string();
        partial.push(format!(".{}.partial", std::process::id()));
        let partial = PathBuf::from(partial);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&partial)
            .map_err(|error| unwritable(&path, &error))?;
        Ok(Self::File {
            path,
            partial,
            file,
            may_replace: args.force,
        })
    }

    fn write(&mut self, chunk: &[u8]) -> io::Result<()> {
        match self {
            Self::Stdout => {
                let mut stdout = io::stdout().lock();
                stdout.write_all(chunk)?;
                stdout.flush()
            }
            Self::File { file, .. } => file.write_all(chunk),
        }
    }

    fn failure(&self, error: &io::Error) -> Failure {
        match self {
            Self::Stdout => Failure(format!("Standard output cannot be written: {error}.")),
            Self::File { path, .. } => unwritable(path, error),
        }
    }

    /// Gives the whole file its name.
    fn keep(self, executions: u64) -> Result<(), Failure> {
        let Self::File {
            path,
            partial,
            file,
            may_replace,
        } = self
        else {
            return Ok(());
        };
        let kept = file
            .sync_all()
            .map_err(|error| unwritable(&path, &error))
            .and_then(|()| refuse_existing(&path, may_replace))
            .and_then(|()| {
                std::fs::rename(&partial, &path).map_err(|error| unwritable(&path, &error))
            });
        if let Err(failure) = kept {
            let _ = std::fs::remove_file(&partial);
            return Err(failure);
        }
        eprintln!("Exported {executions} executions to {}.", path.display());
        Ok(())
    }

    /// Removes what was written of a file.
    fn discard(self) {
        if let Self::File { partial, .. } = self {
            let _ = std::fs::remove_file(partial);
        }
    }
}

fn refuse_existing(path: &Path, may_replace: bool) -> Result<(), Failure> {
    if may_replace || !path.exists() {
        return Ok(());
    }
    let path = path.display();
    Err(Failure(format!(
        "The file {path} is there already. Name another, or write over it with --force."
    )))
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    let path = path.display();
    Failure(format!("The file {path} cannot be written: {error}."))
}
