//! `flowtrail export`: writes the same file as the export endpoint, without a server.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};

use functions::compression::gzip;
use functions::executions::export::{self, FileOptions, Format};
use functions::parameters::back;
use futures_util::{StreamExt, TryStreamExt};
use indicatif::ProgressBar;
use shared::auth::Caller;
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
/// The table cannot be reached or does not exist, or a request to it fails; the file exists
/// already, or cannot be written. The incomplete file is then removed.
pub async fn run_export(args: &ExportArgs) -> Result<(), Failure> {
    if args.bom && args.format == Format::Json {
        return Err(Failure("--bom requires --format csv.".to_owned()));
    }
    let filter = filter(args)?;
    let table = open_existing(&args.table).await?;
    let mut target = Target::choose(args, &filter)?;
    let written = tokio::select! {
        written = write(&table.store, args, &filter, &mut target) => written,
        _ = tokio::signal::ctrl_c() => Err(Failure("The export was interrupted.".to_owned())),
    };
    match written {
        Ok(Some(executions)) => target.keep(executions),
        // Nothing reads the output any more, for example behind `| head`.
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
            .ok_or_else(|| Failure("--from is later than --to.".to_owned()))?,
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

/// Writes the export. Returns the number of exported executions; `None` if nothing reads
/// the output any more.
async fn write(
    store: &Store,
    args: &ExportArgs,
    filter: &ExecutionFilter,
    target: &mut Target,
) -> Result<Option<u64>, Failure> {
    let caller = operator(args.team.clone());
    let bar = progress_bar(store, &caller, filter, target).await?;
    let mut export = export_executions(store, &caller, filter).await?;
    let progress = bar.clone();
    let counted = export.pieces.inspect_ok(move |piece| {
        if let ExportPiece::Execution(_) = piece {
            progress.inc(1);
        }
    });
    export.pieces = counted.boxed();
    let options = FileOptions {
        format: args.format,
        has_mark: args.bom,
    };
    let file = export::render(export, args.team.clone(), options).boxed();
    let mut chunks = match args.gzip {
        true => gzip(file).boxed(),
        false => file,
    };
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

/// A progress bar whose length is the number of executions, taken from the counters.
async fn progress_bar(
    store: &Store,
    caller: &Caller,
    filter: &ExecutionFilter,
    target: &Target,
) -> Result<ProgressBar, Failure> {
    // The bar would be mixed with the rows.
    if matches!(target, Target::Stdout) && io::stdout().is_terminal() {
        return Ok(ProgressBar::hidden());
    }
    let window = Window::Offset(0);
    let first = list_executions(store, caller, filter, PageSize::constant::<1>(), window).await?;
    let total = first.total.unwrap_or_default();
    Ok(terminal::progress_bar(
        "Exporting",
        total.count,
        "executions",
    ))
}

/// The destination of the export.
enum Target {
    Stdout,
    /// A file. It has a temporary name until it is complete.
    File {
        path: PathBuf,
        partial: PathBuf,
        file: File,
        may_replace: bool,
    },
}

impl Target {
    fn choose(args: &ExportArgs, filter: &ExecutionFilter) -> Result<Self, Failure> {
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

    /// Gives the complete file its final name.
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

    /// Removes an incomplete file.
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
        "The file {path} already exists. Choose another name, or overwrite it with --force."
    )))
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    let path = path.display();
    Failure(format!("The file {path} cannot be written: {error}."))
}
