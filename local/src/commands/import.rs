//! `flowtrail import`: writes the records of a JSON Lines file into the table.
//!
//! A line is a record as plain JSON, with bytes in base64, or as DynamoDB's own export
//! writes it, `{"Item": {"pk": {"S": "…"}, …}}`. Lines are taken a thousand at a time; when
//! all of them are in the table, a note in the table says so, and an interrupted import
//! goes on from there. What is there already is written again as it is, so to import a
//! file twice changes nothing.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD as BASE64, URL_SAFE_NO_PAD};
use futures_util::{StreamExt, TryStreamExt, stream};
use indicatif::ProgressBar;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use shared::keys;
use shared::model::{Item, Status, Timestamp, approximate_size};
use shared::record::check::{faults_of, is_flowtrails_own};
use shared::record::native_of;
use shared::store::{MAX_ITEMS_A_BATCH, Replaced, Store};
use shared::table::{PARTITION_KEY, SORT_KEY, TIME_TO_LIVE};

use super::open_existing;
use crate::cli::ImportArgs;
use crate::terminal::{self, Failure};

/// How many lines are in memory, and are written before it is noted.
const LINES_AT_ONCE: usize = 1_000;

/// The most bytes of lines that are in memory, but for the last of them.
const BYTES_AT_ONCE: u64 = 16 * 1024 * 1024;

/// The longest line: an item has 400 KB, and its JSON can be longer.
const MAX_LINE_BYTES: u64 = 4 * 1024 * 1024;

/// The requests under way at a time.
const REQUESTS_AT_A_TIME: usize = 8;

/// About the most bytes of one request: a slow line carries eight of them in time.
const BATCH_BYTES: usize = 256 * 1024;

/// The most lines with faults that are printed.
const MAX_FAULTS: u64 = 100;

/// How much of its beginning tells a file from others.
const NAMING_BYTES: u64 = 64 * 1024;

/// How long a note is kept, in seconds.
const NOTE_SECONDS: i64 = 30 * 24 * 3_600;

/// What some editors write before a text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Runs `flowtrail import`.
///
/// # Errors
/// The table cannot be reached or is not there, or the file cannot be read; or lines of
/// it hold no record of the format: all others are then written.
pub async fn run_import(args: &ImportArgs) -> Result<(), Failure> {
    let table = open_existing(&args.table).await?;
    let mut import = Import::begin(args, &table.store).await?;
    let imported = tokio::select! {
        imported = import.run(&table.store) => imported,
        _ = tokio::signal::ctrl_c() => Err(Failure("The import was interrupted.".to_owned())),
    };
    import.bar.finish_and_clear();
    match imported {
        Ok(()) => import.tell(&table.store).await,
        Err(Failure(sentence)) if import.note.is_some() => Err(Failure(format!(
            "{sentence} {} lines are in the table; the same command goes on from there.",
            import.done.lines
        ))),
        Err(failure) => Err(failure),
    }
}

/// How far an import is: what its note says.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Done {
    /// Of the file, from its beginning.
    bytes: u64,
    lines: u64,
    written: u64,
    /// Records of runs that had ended before in another way.
    kept: u64,
    faulty: u64,
    /// Items that Flowtrail keeps for itself.
    passed_by: u64,
    /// Of the file up to there, so that another one is not taken for it.
    digest: String,
}

/// The keys of a record.
type Key = (String, String);

/// A record, and the line that it stands on.
#[derive(Debug, Clone)]
struct Line {
    record: Item,
    number: u64,
}

/// A file on its way into the table.
struct Import {
    /// Elsewhere while lines are being read.
    lines: Option<Lines>,
    name: String,
    /// The partition of its note; `None` of standard input.
    note: Option<String>,
    done: Done,
    bar: ProgressBar,
    told: u64,
}

/// What some lines hold.
struct Chunk {
    records: HashMap<Key, Line>,
    /// What is wrong with others, by their numbers.
    faults: Vec<(u64, Vec<String>)>,
    passed_by: u64,
    /// Where the file is now.
    bytes: u64,
    lines: u64,
    digest: String,
}

impl Import {
    async fn begin(args: &ImportArgs, store: &Store) -> Result<Self, Failure> {
        if args.file == Path::new("-") {
            return Ok(Self {
                lines: Some(Lines::new(Box::new(BufReader::new(io::stdin())))),
                name: "standard input".to_owned(),
                note: None,
                done: Done::default(),
                bar: terminal::spinner(),
                told: 0,
            });
        }
        let name = args.file.display().to_string();
        let failed = |error| Failure(format!("{name} cannot be read: {error}."));
        let mut file = File::open(&args.file).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if metadata.is_dir() {
            return Err(Failure(format!("{name} is a folder.")));
        }
        let note = keys::import_partition(&naming_digest(&mut file).map_err(failed)?);
        let noted = match args.restart {
            true => None,
            false => store.get_latest(&note, keys::IMPORT).await?,
        };
        let noted: Option<Done> = noted.and_then(|note| serde_dynamo::from_item(note).ok());
        let mut lines = Lines::new(Box::new(BufReader::new(file.try_clone().map_err(failed)?)));
        let mut done = Done::default();
        if let Some(noted) = noted {
            lines.pass(noted.bytes).map_err(failed)?;
            if lines.digest() == noted.digest {
                eprintln!("Going on after line {}.", noted.lines);
                lines.number = noted.lines;
                done = noted;
            } else {
                file.seek(SeekFrom::Start(0)).map_err(failed)?;
                lines = Lines::new(Box::new(BufReader::new(file)));
            }
        }
        let bar = terminal::progress_bar("Importing", metadata.len(), "bytes");
        bar.set_position(done.bytes);
        Ok(Self {
            lines: Some(lines),
            name,
            note: Some(note),
            done,
            bar,
            told: 0,
        })
    }

    async fn run(&mut self, store: &Store) -> Result<(), Failure> {
        while let Some(chunk) = self.read().await? {
            for (number, reasons) in &chunk.faults {
                self.tell_of(*number, reasons);
            }
            let all = chunk.records.len() as u64;
            let written = write(store, chunk.records).await?;
            for (number, reason) in &written.refused {
                self.tell_of(*number, std::slice::from_ref(reason));
            }
            let refused = written.refused.len() as u64;
            self.done.written += all - refused - written.kept;
            self.done.kept += written.kept;
            self.done.faulty += chunk.faults.len() as u64 + refused;
            self.done.passed_by += chunk.passed_by;
            self.done.bytes = chunk.bytes;
            self.done.lines = chunk.lines;
            self.done.digest = chunk.digest;
            self.bar.set_position(self.done.bytes);
            self.write_note(store).await?;
        }
        Ok(())
    }

    /// The next lines; `None` at the end. Read beside everything else: standard input can
    /// take its time.
    async fn read(&mut self) -> Result<Option<Chunk>, Failure> {
        let Some(mut lines) = self.lines.take() else {
            return Ok(None);
        };
        let read = tokio::task::spawn_blocking(move || {
            let chunk = lines.next();
            (lines, chunk)
        });
        let failed = |error: &dyn std::fmt::Display| {
            Failure(format!("{} cannot be read: {error}.", self.name))
        };
        let (lines, chunk) = read.await.map_err(|error| failed(&error))?;
        let chunk = chunk.map_err(|error| failed(&error))?;
        self.lines = Some(lines);
        Ok(chunk)
    }

    fn tell_of(&mut self, line: u64, reasons: &[String]) {
        self.told += 1;
        if self.told <= MAX_FAULTS {
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
        let failed = |error: serde_dynamo::Error| Failure(format!("No note can be made: {error}."));
        let mut item: Item = serde_dynamo::to_item(&self.done).map_err(failed)?;
        let expiry = Timestamp::now().seconds() + NOTE_SECONDS;
        let expiry = AttributeValue::N(expiry.to_string());
        item.insert(TIME_TO_LIVE.to_owned(), expiry);
        item.extend(shared::store::key(note, keys::IMPORT));
        store.put(item).await.map_err(Failure::from)
    }

    async fn tell(&self, store: &Store) -> Result<(), Failure> {
        if let Some(note) = &self.note {
            // Nothing is left to go on with.
            store.delete(note, keys::IMPORT).await?;
        }
        let Done {
            lines,
            written,
            kept,
            faulty,
            passed_by,
            ..
        } = &self.done;
        let mut sentence = format!("Wrote {written} records of {lines} lines.");
        if *passed_by > 0 {
            sentence += &format!(" Passed by {passed_by} items that Flowtrail keeps for itself.");
        }
        if *kept > 0 {
            sentence += &format!(
                " {kept} records are of runs that had ended in the table already: those stay as \
                 they are."
            );
        }
        if *faulty == 0 {
            terminal::print(sentence);
            return Ok(());
        }
        Err(Failure(format!(
            "{sentence} {faulty} lines hold no record of the format and were left out."
        )))
    }
}

/// A digest of a file's beginning. Leaves the file at its beginning.
fn naming_digest(file: &mut File) -> io::Result<String> {
    let mut bytes = Vec::new();
    file.by_ref().take(NAMING_BYTES).read_to_end(&mut bytes)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(URL_SAFE_NO_PAD.encode(Sha256::digest(&bytes)))
}

/// The lines of a file, and a digest of all that was read of it.
struct Lines {
    file: Box<dyn BufRead + Send>,
    hash: Sha256,
    bytes: u64,
    number: u64,
}

impl Lines {
    fn new(file: Box<dyn BufRead + Send>) -> Self {
        Self {
            file,
            hash: Sha256::new(),
            bytes: 0,
            number: 0,
        }
    }

    fn digest(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.hash.clone().finalize())
    }

    /// Passes so many bytes by, or as many as there are.
    fn pass(&mut self, bytes: u64) -> io::Result<()> {
        while self.bytes < bytes {
            let buffer = self.file.fill_buf()?;
            let left = usize::try_from(bytes - self.bytes).unwrap_or(usize::MAX);
            let length = buffer.len().min(left);
            if length == 0 {
                break;
            }
            self.hash.update(&buffer[..length]);
            self.file.consume(length);
            self.bytes += length as u64;
        }
        Ok(())
    }

    /// What the next lines hold; `None` at the end of the file.
    fn next(&mut self) -> io::Result<Option<Chunk>> {
        let begin = self.bytes;
        let mut chunk = Chunk {
            records: HashMap::new(),
            faults: Vec::new(),
            passed_by: 0,
            bytes: 0,
            lines: 0,
            digest: String::new(),
        };
        for _ in 0..LINES_AT_ONCE {
            if self.bytes - begin >= BYTES_AT_ONCE {
                break;
            }
            let Some(line) = self.next_line()? else {
                break;
            };
            match line.as_deref().map(record_of) {
                None => {
                    let reason = format!("the line has more than {MAX_LINE_BYTES} bytes");
                    chunk.faults.push((self.number, vec![reason]));
                }
                Some(Ok(Found::Record(record))) => chunk.insert(record, self.number),
                Some(Ok(Found::Own)) => chunk.passed_by += 1,
                Some(Ok(Found::Nothing)) => {}
                Some(Err(reasons)) => chunk.faults.push((self.number, reasons)),
            }
        }
        if self.bytes == begin {
            return Ok(None);
        }
        chunk.bytes = self.bytes;
        chunk.lines = self.number;
        chunk.digest = self.digest();
        Ok(Some(chunk))
    }

    /// The next line with what ends it, or none of one that is too long.
    #[expect(clippy::option_option, reason = "the end of a file is not a long line")]
    fn next_line(&mut self) -> io::Result<Option<Option<Vec<u8>>>> {
        let mut line = Vec::new();
        let mut is_too_long = false;
        loop {
            let buffer = self.file.fill_buf()?;
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let length = end.map_or(buffer.len(), |end| end + 1);
            if length == 0 {
                break;
            }
            self.hash.update(&buffer[..length]);
            is_too_long |= (line.len() + length) as u64 > MAX_LINE_BYTES;
            if !is_too_long {
                line.extend_from_slice(&buffer[..length]);
            }
            self.file.consume(length);
            self.bytes += length as u64;
            if end.is_some() {
                break;
            }
        }
        if line.is_empty() && !is_too_long {
            return Ok(None);
        }
        if self.number == 0 && line.starts_with(BYTE_ORDER_MARK) {
            line.drain(..BYTE_ORDER_MARK.len());
        }
        self.number += 1;
        Ok(Some((!is_too_long).then_some(line)))
    }
}

impl Chunk {
    /// Keeps a record for its keys: of two with the same the later. Terminal is final,
    /// also inside a file.
    fn insert(&mut self, record: Item, number: u64) {
        let key = key_of(&record);
        let earlier = self.records.get(&key);
        let stays = earlier.is_some_and(|earlier| {
            keys::is_execution(&earlier.record) && has_ended(&earlier.record)
        });
        if !stays {
            self.records.insert(key, Line { record, number });
        }
    }
}

fn key_of(record: &Item) -> Key {
    let text = |name: &str| {
        let value = record.get(name).and_then(|value| value.as_s().ok());
        value.cloned().unwrap_or_default()
    };
    (text(PARTITION_KEY), text(SORT_KEY))
}

fn has_ended(execution: &Item) -> bool {
    let status = execution.get("status").cloned();
    let status = status.and_then(|status| serde_dynamo::from_attribute_value(status).ok());
    status.is_some_and(Status::is_terminal)
}

// ---- From lines to records

/// What a line holds.
enum Found {
    Record(Item),
    /// An item that Flowtrail keeps for itself, as in the export of a table.
    Own,
    Nothing,
}

/// What a line holds, or what is wrong with it.
fn record_of(line: &[u8]) -> Result<Found, Vec<String>> {
    if line.trim_ascii().is_empty() {
        return Ok(Found::Nothing);
    }
    let members: BTreeMap<String, &RawValue> = serde_json::from_slice(line)
        .map_err(|error| vec![format!("it is no JSON object: {error}")])?;
    let item = item_of(&members).map_err(|reason| vec![reason])?;
    let (pk, sk) = key_of(&item);
    if is_flowtrails_own(&pk, &sk) {
        return Ok(Found::Own);
    }
    let faults = faults_of(&item);
    if faults.is_empty() {
        return Ok(Found::Record(item));
    }
    let told = faults.iter().map(|fault| {
        let (attribute, problem, remedy) = (&fault.attribute, &fault.problem, &fault.remedy);
        format!("{attribute}: {problem}. {remedy}.")
    });
    Err(told.collect())
}

fn item_of(members: &BTreeMap<String, &RawValue>) -> Result<Item, String> {
    if members.len() == 1
        && let Some(item) = members.get("Item")
    {
        return exported_item(item.get());
    }
    let is_payload = members.get(SORT_KEY).is_some_and(|sk| {
        let sk: Option<String> = serde_json::from_str(sk.get()).ok();
        sk.is_some_and(|sk| keys::payload_of(&sk).is_some())
    });
    let attribute = |(name, json): (&String, &&RawValue)| {
        let attribute = match is_payload && name == "bytes" {
            true => {
                let bytes: Option<String> = serde_json::from_str(json.get()).ok();
                let bytes = bytes.and_then(|text| BASE64.decode(text).ok());
                let bytes = bytes.ok_or("bytes: they are not base64. Write base64 text.")?;
                AttributeValue::B(Blob::new(bytes))
            }
            false => native_of(json.get()).ok_or_else(|| {
                format!(
                    "{name}: DynamoDB cannot hold it as it is. Write numbers of at most 38 digits \
                     from 1E-130 to 9.99E+125, no nameless members, and at most 28 levels."
                )
            })?,
        };
        Ok((name.clone(), attribute))
    };
    members.iter().map(attribute).collect()
}

/// An item in DynamoDB's own JSON.
fn exported_item(json: &str) -> Result<Item, String> {
    let item: BTreeMap<String, Value> =
        serde_json::from_str(json).map_err(|_| "Item is no JSON object".to_owned())?;
    let attribute = |(name, value): (String, Value)| {
        let attribute = attribute_of(value);
        let attribute = attribute.ok_or(format!("{name} is no attribute of DynamoDB"))?;
        Ok((name, attribute))
    };
    item.into_iter().map(attribute).collect()
}

/// An attribute in DynamoDB's own JSON, as `{"S": "text"}`.
fn attribute_of(value: Value) -> Option<AttributeValue> {
    let Value::Object(members) = value else {
        return None;
    };
    let mut members = members.into_iter();
    let (kind, value) = members.next()?;
    if members.next().is_some() {
        return None;
    }
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let bytes = |value: &Value| BASE64.decode(value.as_str()?).ok().map(Blob::new);
    Some(match (kind.as_str(), value) {
        ("S", value) => AttributeValue::S(text(&value)?),
        ("N", value) => AttributeValue::N(text(&value)?),
        ("B", value) => AttributeValue::B(bytes(&value)?),
        ("BOOL", Value::Bool(truth)) => AttributeValue::Bool(truth),
        ("NULL", Value::Bool(is_null)) => AttributeValue::Null(is_null),
        ("L", Value::Array(values)) => {
            let values = values.into_iter().map(attribute_of);
            AttributeValue::L(values.collect::<Option<_>>()?)
        }
        ("M", Value::Object(members)) => {
            let members = members.into_iter();
            let members = members.map(|(name, value)| Some((name, attribute_of(value)?)));
            AttributeValue::M(members.collect::<Option<_>>()?)
        }
        ("SS", Value::Array(values)) => {
            AttributeValue::Ss(values.iter().map(text).collect::<Option<_>>()?)
        }
        ("NS", Value::Array(values)) => {
            AttributeValue::Ns(values.iter().map(text).collect::<Option<_>>()?)
        }
        ("BS", Value::Array(values)) => {
            AttributeValue::Bs(values.iter().map(bytes).collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

// ---- From records to the table

/// What became of some records.
#[derive(Debug, Default)]
struct Written {
    /// Records of runs that had ended before, in another way than they say.
    kept: u64,
    /// What the table does not take for what it is, by its line.
    refused: Vec<(u64, String)>,
}

impl Written {
    fn and(mut self, other: Self) -> Self {
        self.kept += other.kept;
        self.refused.extend(other.refused);
        self
    }
}

/// Writes records. Of a run that has ended in the table nothing is replaced: what it lacks
/// is added.
async fn write(store: &Store, records: HashMap<Key, Line>) -> Result<Written, Failure> {
    let (executions, others): (Vec<_>, Vec<_>) = records
        .into_values()
        .partition(|line| keys::is_execution(&line.record));
    let runs: HashSet<String> = others.iter().map(|line| key_of(&line.record).0).collect();
    let looks = runs.into_iter().map(|pk| async move {
        let run = store.get_latest(&pk, keys::EXECUTION).await?;
        shared::Result::Ok(run.is_some_and(|run| has_ended(&run)).then_some(pk))
    });
    let ended = stream::iter(looks).buffer_unordered(REQUESTS_AT_A_TIME);
    let ended: Vec<_> = ended.try_collect().await?;
    let ended: HashSet<_> = ended.into_iter().flatten().collect();
    let (careful, others): (Vec<_>, Vec<_>) = others
        .into_iter()
        .partition(|line| ended.contains(&key_of(&line.record).0));
    // The executions last: whoever finds the run finds all of it.
    let written = write_batches(store, others).await?;
    let written = written.and(write_each(store, careful, &Replaced::Nothing).await?);
    Ok(written.and(write_each(store, executions, &Replaced::Open).await?))
}

/// Writes records in batches, and those of one that is refused one by one.
async fn write_batches(store: &Store, lines: Vec<Line>) -> Result<Written, Failure> {
    let mut batches: Vec<Vec<Line>> = Vec::new();
    let mut bytes = 0;
    for line in lines {
        let size: usize = line.record.values().map(approximate_size).sum();
        bytes += size;
        match batches.last_mut() {
            Some(batch) if batch.len() < MAX_ITEMS_A_BATCH && bytes <= BATCH_BYTES => {
                batch.push(line);
            }
            _ => {
                bytes = size;
                batches.push(vec![line]);
            }
        }
    }
    let writes = batches.into_iter().map(|batch| async move {
        let items = batch.iter().map(|line| line.record.clone()).collect();
        match store.put_all(items).await {
            Ok(()) => Ok(Written::default()),
            Err(shared::Error::Refused(_)) => write_each(store, batch, &Replaced::Anything).await,
            Err(error) => Err(error.into()),
        }
    });
    stream::iter(writes)
        .buffer_unordered(REQUESTS_AT_A_TIME)
        .try_fold(Written::default(), async |all, some| Ok(all.and(some)))
        .await
}

async fn write_each(
    store: &Store,
    lines: Vec<Line>,
    replaced: &Replaced<'_>,
) -> Result<Written, Failure> {
    let writes = lines.into_iter().map(|line| async move {
        let mut written = Written::default();
        match store.put_if(line.record.clone(), replaced.clone()).await {
            Ok(true) => {}
            Ok(false) => {
                let (pk, sk) = key_of(&line.record);
                let there = store.get_latest(&pk, &sk).await?;
                written.kept += u64::from(there != Some(line.record));
            }
            Err(error @ shared::Error::Refused(_)) => {
                written.refused.push((line.number, error.with_causes()));
            }
            Err(error) => return Err(error.into()),
        }
        Ok(written)
    });
    stream::iter(writes)
        .buffer_unordered(REQUESTS_AT_A_TIME)
        .try_fold(Written::default(), async |all, some| Ok(all.and(some)))
        .await
}
