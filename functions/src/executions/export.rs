//! Renders an export as a file: CSV with one row for each node, or JSON. The file is streamed
//! while the table is read.
//!
//! The endpoint and `flowtrail export` both use this module, so their rows and their masking are
//! the same.

use std::collections::VecDeque;
use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt, Stream, StreamExt};
use shared::masking::{ExportMasker, Unmasked, on_a_worker};
use shared::model::{Execution, Status, Step, TeamId, TimeRange, Timestamp};
use shared::operations::{Export, ExportPiece};
use shared::store::Store;
use shared::{Error, Result};
use tokio::time::{Instant, timeout_at};

use super::views::status_word;
use csv::CsvRows;
use json::JsonRows;

mod csv;
mod json;

pub(super) use json::ExportedLine;

/// The approximate size of a chunk, in bytes: large enough that neither a system call nor the
/// end of a gzip block costs much.
const CHUNK_BYTES: usize = 64 * 1024;

/// The number of runs and steps that are rendered at a time: enough for a chunk of rows of usual
/// length, and few enough that no team waits long for another team's export.
const MAX_WAITING: usize = 256;

/// How long rows wait for more rows before they are sent in a smaller chunk.
const MAX_WAIT: Duration = Duration::from_millis(500);

/// How long the server has to send the last rows before a failure closes the connection.
const FLUSH_TIME: Duration = Duration::from_millis(200);

/// The options of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileOptions {
    /// The format of the file.
    pub format: Format,
    /// Whether CSV begins with a byte order mark, by which spreadsheets recognize UTF-8.
    pub has_mark: bool,
}

/// The format of a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    /// One row for each node. A run without nodes has one row with empty node cells.
    #[default]
    Csv,
    /// An array of runs, each with its nodes.
    Json,
}

impl Format {
    /// Both formats.
    pub const ALL: [Self; 2] = [Self::Csv, Self::Json];

    /// The format's name, which is also the extension of its files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
        }
    }

    /// The media type.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Json => "application/json",
        }
    }
}

impl FromStr for Format {
    type Err = &'static str;

    fn from_str(name: &str) -> std::result::Result<Self, Self::Err> {
        let is_named = |format: &Self| format.as_str() == name;
        let format = Self::ALL.into_iter().find(is_named);
        format.ok_or("the format must be csv or json")
    }
}

/// The status with this word in the file.
pub fn status_named(word: &str) -> Option<Status> {
    let is_named = |status: &Status| status_word(*status) == word;
    Status::ALL.into_iter().find(is_named)
}

/// The name of the file, with the team and the days, such as
/// `flowtrail-default-2026-10-24-to-2026-11-23.csv`.
pub fn file_name(team_id: &TeamId, created: &TimeRange, format: Format) -> String {
    // An id may have characters that are not valid in file names.
    let is_safe = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    let team: String = team_id
        .as_str()
        .chars()
        .map(|letter| if is_safe(letter) { letter } else { '_' })
        .collect();
    let end = created.to().unwrap_or_else(Timestamp::now);
    let end = created.from().map_or(end, |begin| begin.max(end));
    let from = created.from().map(date);
    let from = from.map_or(String::new(), |from| format!("-{from}"));
    let to = date(end);
    format!("flowtrail-{team}{from}-to-{to}.{}", format.as_str())
}

/// The date of a time. The parameter `days` can reach back before the year 0. Those years are
/// written with a sign, so the file name has the year 0 instead.
fn date(moment: Timestamp) -> String {
    let text = moment.to_string();
    match text.starts_with('-') {
        true => "0000-01-01".to_owned(),
        false => text[..10].to_owned(),
    }
}

/// Renders an export as a stream of chunks. The first bytes are sent immediately. Then a chunk is
/// sent after about 64 KB, or after half a second with the rows that exist by then.
///
/// Rows are rendered and masked on a worker of their team, not on the threads that serve
/// requests.
///
/// The stream ends with the first error of the pieces. JSON then lacks its closing bracket. CSV
/// has no closing mark, so its last row says that the file was cut off, because not every gateway
/// passes on that a connection was closed early.
pub fn render(
    export: Export,
    team_id: TeamId,
    options: FileOptions,
) -> impl Stream<Item = Result<Bytes>> + Send + 'static {
    let packer = Packer {
        masker: export.masker,
        rows: match options.format {
            Format::Csv => Rows::Csv(Box::new(CsvRows::new(options.has_mark))),
            Format::Json => Rows::Json(JsonRows::default()),
        },
    };
    let file = File {
        pieces: Some(export.pieces),
        team_id,
        waiting: Waiting::default(),
        packer: Some(packer),
        is_started: false,
        failure: None,
    };
    stream::try_unfold(file, |mut file| {
        async move { Ok(file.next().await?.map(|chunk| (chunk, file))) }.boxed()
    })
}

/// A file that is being rendered.
struct File {
    /// `None` once all pieces have been read.
    pieces: Option<BoxStream<'static, Result<ExportPiece>>>,
    team_id: TeamId,
    waiting: Waiting,
    /// `None` while a worker has it.
    packer: Option<Packer>,
    is_started: bool,
    /// The error that ends the stream, after the file itself says that it was cut off.
    failure: Option<Error>,
}

/// The pieces that are read but not yet rendered.
#[derive(Default)]
struct Waiting {
    pieces: VecDeque<ExportPiece>,
    /// The remaining steps of the piece that is being rendered.
    steps: std::vec::IntoIter<Unmasked<Step>>,
    /// The end of the pieces, once it is reached. The waiting pieces come before it.
    end: Option<Result<()>>,
}

impl File {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        if !self.is_started {
            self.is_started = true;
            return self.pack(Packer::begin).await.map(Some);
        }
        // A server sends its data when its task has nothing else to do, and a fast table can
        // keep the task busy for a while. This lets the server send each chunk.
        tokio::task::yield_now().await;
        if let Some(failure) = self.failure.take() {
            // After an error the server drops all data that it has not sent yet.
            tokio::time::sleep(FLUSH_TIME).await;
            return Err(failure);
        }
        let mut deadline = Instant::now() + MAX_WAIT;
        while self.pieces.is_some() {
            let is_late = timeout_at(deadline, self.wait_for_pieces()).await.is_err();
            if is_late {
                deadline = Instant::now() + MAX_WAIT;
            }
            let is_empty = self.waiting.is_empty();
            if let Some(end) = self.waiting.end.take_if(|_| is_empty) {
                return self.finish(end).await.map(Some);
            }
            let fill =
                move |packer: &mut Packer, waiting: &mut Waiting| packer.fill(waiting, is_late);
            let chunk = self.pack(fill).await?;
            if !chunk.is_empty() {
                return Ok(Some(chunk));
            }
        }
        Ok(None)
    }

    /// Renders the last chunk. After an error it says that the file was cut off, and the error
    /// itself follows.
    async fn finish(&mut self, end: Result<()>) -> Result<Bytes> {
        self.pieces = None;
        match end {
            Ok(()) => self.pack(Packer::end).await,
            Err(error) => {
                self.failure = Some(error);
                self.pack(Packer::cut_off).await
            }
        }
    }

    /// Waits for a piece to render, and takes all others that are available then.
    async fn wait_for_pieces(&mut self) {
        let Some(pieces) = &mut self.pieces else {
            return;
        };
        while self.waiting.len() < MAX_WAITING && self.waiting.end.is_none() {
            let next = match self.waiting.is_empty() {
                true => pieces.next().await,
                false => match pieces.next().now_or_never() {
                    None => return,
                    Some(next) => next,
                },
            };
            match next {
                Some(Ok(piece)) => self.waiting.pieces.push_back(piece),
                Some(Err(error)) => self.waiting.end = Some(Err(error)),
                None => self.waiting.end = Some(Ok(())),
            }
        }
    }

    /// Runs a part of the work on a worker of the team.
    async fn pack(
        &mut self,
        work: impl FnOnce(&mut Packer, &mut Waiting) -> Result<Bytes> + Send + 'static,
    ) -> Result<Bytes> {
        // The packer is missing only after a worker has panicked, which ends the file.
        let Some(mut packer) = self.packer.take() else {
            return Err(Error::internal(
                "the worker that renders the file has panicked",
            ));
        };
        let mut waiting = std::mem::take(&mut self.waiting);
        let done = on_a_worker(&self.team_id, move || {
            let chunk = work(&mut packer, &mut waiting);
            (chunk, packer, waiting)
        });
        let (chunk, packer, waiting) = done.await?;
        self.packer = Some(packer);
        self.waiting = waiting;
        chunk
    }
}

impl Waiting {
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of waiting runs and steps.
    fn len(&self) -> usize {
        let pieces = self.pieces.iter().map(|piece| match piece {
            ExportPiece::Execution(_) => 1,
            ExportPiece::Steps(steps) => steps.len(),
        });
        self.steps.len() + pieces.sum::<usize>()
    }
}

/// Renders pieces as chunks.
struct Packer {
    masker: ExportMasker,
    rows: Rows,
}

impl Packer {
    fn begin(&mut self, _: &mut Waiting) -> Result<Bytes> {
        self.rows.begin()?;
        self.chunk()
    }

    /// Renders waiting pieces as the next chunk. Returns an empty one if they do not fill a
    /// chunk, unless the last chunk was sent too long ago.
    fn fill(&mut self, waiting: &mut Waiting, is_late: bool) -> Result<Bytes> {
        while self.rows.len() < CHUNK_BYTES {
            if let Some(step) = waiting.steps.next() {
                self.rows.step(&step.mask(&self.masker))?;
                continue;
            }
            match waiting.pieces.pop_front() {
                Some(ExportPiece::Execution(execution)) => {
                    self.rows.execution(&execution.mask(&self.masker))?;
                }
                Some(ExportPiece::Steps(steps)) => waiting.steps = steps.into_iter(),
                None if is_late => break,
                None => return Ok(Bytes::new()),
            }
        }
        self.chunk()
    }

    /// Takes the rows that were rendered since the last chunk.
    fn chunk(&mut self) -> Result<Bytes> {
        Ok(self.rows.take()?.into())
    }

    fn end(&mut self, _: &mut Waiting) -> Result<Bytes> {
        self.rows.end()?;
        self.chunk()
    }

    fn cut_off(&mut self, _: &mut Waiting) -> Result<Bytes> {
        self.rows.cut_off()?;
        self.chunk()
    }
}

/// The rendered rows that are not sent yet, in either format.
enum Rows {
    Csv(Box<CsvRows>),
    Json(JsonRows),
}

impl Rows {
    fn begin(&mut self) -> Result<()> {
        match self {
            Self::Csv(rows) => rows.begin(),
            Self::Json(rows) => rows.begin(),
        }
    }

    fn execution(&mut self, execution: &Execution) -> Result<()> {
        match self {
            Self::Csv(rows) => rows.execution(execution),
            Self::Json(rows) => rows.execution(execution),
        }
    }

    fn step(&mut self, step: &Step) -> Result<()> {
        match self {
            Self::Csv(rows) => rows.step(step),
            Self::Json(rows) => rows.step(step),
        }
    }

    fn end(&mut self) -> Result<()> {
        match self {
            Self::Csv(rows) => rows.end(),
            Self::Json(rows) => rows.end(),
        }
    }

    fn cut_off(&mut self) -> Result<()> {
        match self {
            Self::Csv(rows) => rows.cut_off(),
            Self::Json(_) => Ok(()),
        }
    }

    /// The approximate size of the rows, in bytes.
    fn len(&self) -> usize {
        match self {
            Self::Csv(rows) => rows.len(),
            Self::Json(rows) => rows.len(),
        }
    }

    fn take(&mut self) -> Result<Vec<u8>> {
        match self {
            Self::Csv(rows) => rows.take(),
            Self::Json(rows) => Ok(rows.take()),
        }
    }
}

/// Logs the end of a stream of chunks: the error that cut it off, and its cost. The log line of the
/// request itself is written before the first chunk.
pub fn logged(
    chunks: impl Stream<Item = Result<Bytes>> + Send + 'static,
    store: Store,
    request_id: String,
) -> impl Stream<Item = Result<Bytes>> + Send + 'static {
    let start = Instant::now();
    let id = request_id.clone();
    let end = stream::once(async move {
        let usage = store.usage();
        tracing::info!(
            request_id = id,
            duration_ms = start.elapsed().as_secs_f64() * 1_000.0,
            table_requests = usage.requests,
            capacity_units = usage.capacity_units,
            "exported"
        );
    });
    chunks
        .inspect(move |chunk| {
            if let Err(error) = chunk {
                let error = error.with_causes();
                tracing::error!(request_id, error, "the export was cut off");
            }
        })
        .chain(end.filter_map(async |()| None).boxed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_have_the_team_and_the_days() {
        let team_id = "a/b:c@d=e.f-1".parse().expect("an id");
        let moment = |text| Timestamp::first_of(text).expect("a moment");
        let created = TimeRange::new(Some(moment("2026-10-24")), Some(moment("2026-11-23")));
        let name = file_name(&team_id, &created.expect("a range"), Format::Csv);
        assert_eq!(name, "flowtrail-a_b_c_d_e.f-1-2026-10-24-to-2026-11-23.csv");
        let before = Timestamp::from_milliseconds(-70_000_000_000_000);
        for (from, to, days) in [
            (
                before,
                Some(moment("0002-01-01")),
                "0000-01-01-to-0002-01-01",
            ),
            (Some(moment("9990-12-31")), None, "9990-12-31-to-9990-12-31"),
        ] {
            let created = TimeRange::new(from, to).expect("a range");
            let name = file_name(&team_id, &created, Format::Csv);
            assert_eq!(name, format!("flowtrail-a_b_c_d_e.f-1-{days}.csv"));
        }
        let created = TimeRange::new(Some(moment("2026-10-24")), None).expect("a range");
        let name = file_name(&team_id, &created, Format::Json);
        let today = &Timestamp::now().to_string()[..10];
        assert!(
            name.ends_with(&format!("-2026-10-24-to-{today}.json")),
            "{name}"
        );
    }
}
