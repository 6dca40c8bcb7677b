//! The export as a file: CSV with one row a node, or JSON, made while it is read.
//!
//! The endpoint and `flowtrail export` make it here, so that both give the same
//! rows and mask the same.

use std::io::Write;
use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt, Stream, StreamExt};
use masking::Masker;
use shared::model::{Execution, Status, Step, TeamId, TimeRange, Timestamp};
use shared::operations::ExportPiece;
use shared::store::Store;
use shared::{Error, Result};
use tokio::time::{Instant, timeout_at};

use super::views::status_word;
use csv::CsvRows;
use json::JsonRows;

mod csv;
mod json;

pub(super) use json::ExportedLine;

/// About how much leaves at a time: enough that neither a system call nor the end
/// of a block of gzip costs much.
const CHUNK_BYTES: usize = 64 * 1024;

/// How long rows wait for company.
const MAX_WAIT: Duration = Duration::from_millis(500);

/// How long the last rows before a failure have to leave.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// What kind of file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    /// One row a node; a run without nodes has a row with empty cells for one.
    #[default]
    Csv,
    /// An array of runs, each with its nodes.
    Json,
}

impl Format {
    /// Both formats.
    pub const ALL: [Self; 2] = [Self::Csv, Self::Json];

    /// The format's name, which is that of its files as well.
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
        format.ok_or("a format is csv or json")
    }
}

/// The state that a file means by a word.
pub fn status_named(word: &str) -> Option<Status> {
    let is_named = |status: &Status| status_word(*status) == word;
    Status::ALL.into_iter().find(is_named)
}

/// How the file is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// As it is.
    Identity,
    /// With gzip, whose every chunk can be unpacked when it arrives.
    Gzip,
}

/// A name that says whose file it is, and from when to when, such as
/// `flowtrail-default-2026-10-24-to-2026-11-23.csv`.
pub fn file_name(team_id: &TeamId, created: &TimeRange, format: Format) -> String {
    // An id can have characters that are none of a file's name.
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

/// The day of a moment. `days` can lead to before the year 0, which is written with
/// a sign.
fn date(moment: Timestamp) -> String {
    let text = moment.to_string();
    match text.starts_with('-') {
        true => "0000-01-01".to_owned(),
        false => text[..10].to_owned(),
    }
}

/// Makes the file of the pieces of an export, chunk by chunk: at once its first
/// bytes, then some 64 KB at a time, or what there is after half a second.
///
/// It ends with the first error of the pieces, and then without what ends a whole
/// file: the closing bracket of JSON, the trailer of gzip. CSV has no such end, so
/// its last row says that it was cut off, for whoever does not see the connection
/// break: not every gateway hands that on.
pub fn render(
    pieces: BoxStream<'static, Result<ExportPiece>>,
    masker: Masker,
    format: Format,
    encoding: Encoding,
) -> impl Stream<Item = Result<Bytes>> + Send + 'static {
    let file = File {
        pieces: Some(pieces),
        steps: Vec::new().into_iter(),
        rows: match format {
            Format::Csv => Rows::Csv(Box::new(CsvRows::new(masker))),
            Format::Json => Rows::Json(JsonRows::new(masker)),
        },
        // The fastest: an export is as fast as its slowest part, and CSV, which
        // repeats a run in each of its rows, shrinks to a tenth even so.
        gzip: (encoding == Encoding::Gzip).then(|| GzEncoder::new(Vec::new(), Compression::fast())),
        has_begun: false,
        failure: None,
    };
    stream::try_unfold(file, |mut file| {
        async move { Ok(file.next().await?.map(|chunk| (chunk, file))) }.boxed()
    })
}

/// A file in the making.
struct File {
    /// `None` once all were rendered.
    pieces: Option<BoxStream<'static, Result<ExportPiece>>>,
    /// The steps of the latest piece that are not rendered yet.
    steps: std::vec::IntoIter<Step>,
    rows: Rows,
    gzip: Option<GzEncoder<Vec<u8>>>,
    has_begun: bool,
    /// What ends the file, once it has said so.
    failure: Option<Error>,
}

impl File {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        if !self.has_begun {
            self.has_begun = true;
            self.rows.begin()?;
            return Ok(Some(self.chunk()?));
        }
        // A server sends what it has once its task has nothing to do, and a table
        // near by can keep it busy for a while: here it gets to send each chunk.
        tokio::task::yield_now().await;
        if let Some(failure) = self.failure.take() {
            // Whoever is told of a failure drops what has not been sent.
            tokio::time::sleep(LAST_WORDS).await;
            return Err(failure);
        }
        let mut deadline = Instant::now() + MAX_WAIT;
        while let Some(pieces) = &mut self.pieces {
            for step in self.steps.by_ref() {
                self.rows.step(&step)?;
                if self.rows.len() >= CHUNK_BYTES {
                    return Ok(Some(self.chunk()?));
                }
            }
            if self.rows.len() >= CHUNK_BYTES {
                return Ok(Some(self.chunk()?));
            }
            match timeout_at(deadline, pieces.next()).await {
                Ok(Some(Ok(ExportPiece::Execution(execution)))) => {
                    self.rows.execution(&execution)?;
                }
                Ok(Some(Ok(ExportPiece::Steps(steps)))) => self.steps = steps.into_iter(),
                Ok(Some(Err(error))) => {
                    self.pieces = None;
                    self.failure = Some(error);
                    self.rows.cut_off()?;
                    return self.chunk().map(Some);
                }
                Ok(None) => {
                    self.pieces = None;
                    return self.last_chunk().map(Some);
                }
                Err(_elapsed) => {
                    let chunk = self.chunk()?;
                    if !chunk.is_empty() {
                        return Ok(Some(chunk));
                    }
                    deadline = Instant::now() + MAX_WAIT;
                }
            }
        }
        Ok(None)
    }

    /// What was rendered since the last chunk.
    fn chunk(&mut self) -> Result<Bytes> {
        let rendered = self.rows.take()?;
        let Some(gzip) = &mut self.gzip else {
            return Ok(rendered.into());
        };
        if !rendered.is_empty() {
            gzip.write_all(&rendered).map_err(Error::internal)?;
            gzip.flush().map_err(Error::internal)?;
        }
        Ok(std::mem::take(gzip.get_mut()).into())
    }

    fn last_chunk(&mut self) -> Result<Bytes> {
        self.rows.end()?;
        let chunk = self.chunk()?;
        let Some(gzip) = self.gzip.take() else {
            return Ok(chunk);
        };
        let trailer = gzip.finish().map_err(Error::internal)?;
        Ok([chunk.as_ref(), &trailer].concat().into())
    }
}

/// The rows of either format, as far as they wait to leave.
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

    /// About how many bytes wait.
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

/// The same chunks, of which the log has the end: the failure that has cut them
/// off, or what they have cost. The line of the request itself is written before
/// the first of them.
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
    fn a_files_name_tells_whose_it_is_and_from_when() {
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
