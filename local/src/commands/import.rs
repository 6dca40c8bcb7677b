//! `flowtrail import`: writes the records of a JSON Lines file into the table.
//!
//! A line is a record as plain JSON, with bytes in base64, or in the format of DynamoDB's
//! own export, `{"Item": {"pk": {"S": "…"}, …}}`. Lines are written in chunks of a few
//! thousand. After each chunk, a note in the table saves the progress, and an interrupted
//! import continues from there. Records that are already in the table are written again
//! unchanged, so importing a file twice changes nothing.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use indicatif::ProgressBar;
use lines::{Chunk, Lines};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use shared::attributes::{TIME_TO_LIVE, number};
use shared::keys;
use shared::model::{Item, Timestamp};
use shared::store::Store;
use tokio::task::JoinHandle;
use write::Writer;

use super::{OpenTable, open_existing};
use crate::cli::ImportArgs;
use crate::terminal::{self, Failure};

mod lines;
mod write;

/// The most faulty lines that are printed.
const MAX_FAULTS: u64 = 100;

/// How many bytes of a file's beginning identify it.
const IDENTIFYING_BYTES: u64 = 64 * 1024;

/// How long a note is kept, in seconds.
const NOTE_SECONDS: i64 = 30 * 24 * 3_600;

/// Runs `flowtrail import`.
///
/// # Errors
/// The table cannot be reached or does not exist, or the file cannot be read; or some of
/// its lines are not valid records: all other lines have then been written.
pub async fn run_import(args: &ImportArgs) -> Result<(), Failure> {
    let table = open_existing(&args.table).await?;
    let mut import = Import::begin(args, &table.store).await?;
    let imported = tokio::select! {
        imported = import.run(&table) => imported,
        _ = tokio::signal::ctrl_c() => Err(Failure("The import was interrupted.".to_owned())),
    };
    import.bar.finish_and_clear();
    match imported {
        Ok(()) => import.report(&table.store).await,
        Err(Failure(sentence)) if import.note.is_some() => Err(Failure(format!(
            "{sentence} {} lines are in the table; run the same command again to continue.",
            import.progress.lines
        ))),
        Err(failure) => Err(failure),
    }
}

/// The progress of an import, as saved in its note.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Progress {
    /// The number of bytes from the beginning of the file.
    bytes: u64,
    lines: u64,
    written: u64,
    /// Records that were not written because their runs had already ended differently.
    kept: u64,
    faulty: u64,
    /// Flowtrail's own items.
    #[serde(rename = "passedBy")]
    skipped: u64,
    /// The digest of the file up to this position, by which another file is recognized.
    digest: String,
}

/// A file that is being imported.
struct Import {
    /// `None` while another task reads the next lines.
    lines: Option<Lines>,
    /// Reads the next lines while others are written.
    reading: Option<JoinHandle<(Lines, io::Result<Option<Chunk>>)>>,
    name: String,
    /// The partition of its note; `None` for standard input.
    note: Option<String>,
    progress: Progress,
    bar: ProgressBar,
    reported_lines: u64,
}

impl Import {
    async fn begin(args: &ImportArgs, store: &Store) -> Result<Self, Failure> {
        if args.file == Path::new("-") {
            let lines = Lines::new(Box::new(BufReader::new(io::stdin())));
            let name = "standard input".to_owned();
            return Ok(Self::new(lines, name, terminal::spinner()));
        }
        let name = args.file.display().to_string();
        let failed = |error| Failure(format!("{name} cannot be read: {error}."));
        let mut file = File::open(&args.file).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if metadata.is_dir() {
            return Err(Failure(format!("{name} is a folder. Name a file.")));
        }
        let note = keys::import_partition(&identifying_digest(&mut file).map_err(failed)?);
        let saved = match args.restart {
            true => None,
            false => store.get_latest(&note, keys::IMPORT).await?,
        };
        let saved = saved.and_then(|note| serde_dynamo::from_item(note).ok());
        let (lines, progress) = continue_from(file, saved).map_err(failed)?;
        let bar = terminal::progress_bar("Importing", metadata.len(), "bytes");
        bar.set_position(progress.bytes);
        Ok(Self {
            note: Some(note),
            progress,
            ..Self::new(lines, name, bar)
        })
    }

    fn new(lines: Lines, name: String, bar: ProgressBar) -> Self {
        Self {
            lines: Some(lines),
            reading: None,
            name,
            note: None,
            progress: Progress::default(),
            bar,
            reported_lines: 0,
        }
    }

    async fn run(&mut self, table: &OpenTable) -> Result<(), Failure> {
        let writer = Writer::new(table);
        while let Some(chunk) = self.read().await? {
            for (number, reasons) in &chunk.faults {
                self.report_line(*number, reasons);
            }
            let all = chunk.records.len() as u64;
            let written = writer.write(chunk.records).await?;
            for (number, reason) in &written.refused {
                self.report_line(*number, std::slice::from_ref(reason));
            }
            let refused = written.refused.len() as u64;
            self.progress.written += all - refused - written.kept;
            self.progress.kept += written.kept;
            self.progress.faulty += chunk.faults.len() as u64 + refused;
            self.progress.skipped += chunk.skipped;
            self.progress.bytes = chunk.bytes;
            self.progress.lines = chunk.lines;
            self.progress.digest = chunk.digest;
            self.bar.set_position(self.progress.bytes);
            self.write_note(&table.store).await?;
        }
        Ok(())
    }

    /// Returns the next lines; `None` at the end. They are read in a separate task, because
    /// standard input may be slow.
    async fn read(&mut self) -> Result<Option<Chunk>, Failure> {
        self.start_reading();
        let Some(reading) = self.reading.as_mut() else {
            return Ok(None);
        };
        let read = reading.await;
        self.reading = None;
        let failed = |error: &dyn std::fmt::Display| {
            Failure(format!("{} cannot be read: {error}.", self.name))
        };
        let (lines, chunk) = read.map_err(|error| failed(&error))?;
        let chunk = chunk.map_err(|error| failed(&error))?;
        if chunk.is_some() {
            self.lines = Some(lines);
            self.start_reading();
        }
        Ok(chunk)
    }

    /// Starts to read the next lines, unless they are already being read.
    fn start_reading(&mut self) {
        if let Some(mut lines) = self.lines.take() {
            self.reading = Some(tokio::task::spawn_blocking(move || {
                let chunk = lines.next();
                (lines, chunk)
            }));
        }
    }

    fn report_line(&mut self, line: u64, reasons: &[String]) {
        self.reported_lines += 1;
        if self.reported_lines <= MAX_FAULTS {
            self.bar.suspend(|| {
                for reason in reasons {
                    eprintln!("{}:{line}: {reason}", self.name);
                }
            });
        }
    }

    async fn write_note(&self, store: &Store) -> Result<(), Failure> {
        let Some(note) = &self.note else {
            return Ok(());
        };
        let failed =
            |error: serde_dynamo::Error| Failure(format!("The progress cannot be saved: {error}."));
        let mut item: Item = serde_dynamo::to_item(&self.progress).map_err(failed)?;
        let expiry = Timestamp::now().seconds() + NOTE_SECONDS;
        let expiry = number(expiry);
        item.insert(TIME_TO_LIVE.to_owned(), expiry);
        item.extend(keys::key(note, keys::IMPORT));
        store.put(item).await.map_err(Failure::from)
    }

    async fn report(&self, store: &Store) -> Result<(), Failure> {
        if let Some(note) = &self.note {
            // The import is complete, so there is nothing to continue.
            store.delete(note, keys::IMPORT).await?;
        }
        let Progress {
            lines,
            written,
            kept,
            faulty,
            skipped,
            ..
        } = &self.progress;
        let mut sentence = format!("Wrote {written} records from {lines} lines.");
        if *skipped > 0 {
            sentence += &format!(" Skipped {skipped} of Flowtrail's own items.");
        }
        if *kept > 0 {
            sentence += &format!(
                " {kept} records belong to runs that have already ended in the table, and were not \
                 written."
            );
        }
        if *faulty == 0 {
            terminal::print(sentence);
            return Ok(());
        }
        Err(Failure(format!(
            "{sentence} {faulty} lines are not valid records and were skipped."
        )))
    }
}

/// Returns the lines of a file after the saved progress, or from the beginning if there is no
/// progress or it belongs to another file.
fn continue_from(mut file: File, saved: Option<Progress>) -> io::Result<(Lines, Progress)> {
    if let Some(saved) = saved {
        let mut lines = Lines::new(Box::new(BufReader::new(file.try_clone()?)));
        lines.skip(saved.bytes)?;
        if lines.digest() == saved.digest {
            eprintln!("Continuing after line {}.", saved.lines);
            lines.number = saved.lines;
            return Ok((lines, saved));
        }
        file.seek(SeekFrom::Start(0))?;
    }
    let lines = Lines::new(Box::new(BufReader::new(file)));
    Ok((lines, Progress::default()))
}

/// Returns the digest of a file's beginning. Leaves the file position at the beginning.
fn identifying_digest(file: &mut File) -> io::Result<String> {
    let mut bytes = Vec::new();
    file.by_ref()
        .take(IDENTIFYING_BYTES)
        .read_to_end(&mut bytes)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(URL_SAFE_NO_PAD.encode(Sha256::digest(&bytes)))
}
