//! `flowtrail import`: writes the records of a JSON Lines file into the table.
//!
//! A line is a record as plain JSON, with bytes in base64, or as DynamoDB's own export
//! writes it, `{"Item": {"pk": {"S": "…"}, …}}`. Lines are taken a thousand at a time; when
//! all of them are in the table, a note beside the file says so, and an interrupted import
//! goes on from there. What is there already is written again as it is, so to import a
//! file twice changes nothing.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use futures_util::{StreamExt, TryStreamExt, stream};
use indicatif::ProgressBar;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use shared::keys;
use shared::model::{Item, Status};
use shared::record::RecordKind;
use shared::record::check::faults_of;
use shared::store::{MAX_ITEMS_A_BATCH, Replaced, Store};
use shared::table::{PARTITION_KEY, SORT_KEY};

use super::open_existing;
use crate::cli::ImportArgs;
use crate::terminal::{self, Failure};

/// How many lines are in memory, and are written before it is noted.
const LINES_AT_ONCE: usize = 1_000;

/// The most bytes of lines that are in memory, but for the last of them.
const BYTES_AT_ONCE: usize = 16 * 1024 * 1024;

/// The longest line: an item has 400 KB, and its JSON can be longer.
const MAX_LINE_BYTES: u64 = 4 * 1024 * 1024;

/// The requests under way at a time.
const REQUESTS_AT_A_TIME: usize = 8;

/// The most lines with faults that are printed.
const MAX_FAULTS: u64 = 100;

/// How much of the file a note remembers at its beginning and before where it was.
const REMEMBERED_BYTES: u64 = 64 * 1024;

/// What some editors write before a text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Runs `flowtrail import`.
///
/// # Errors
/// The table cannot be reached or is not there, or the file cannot be read; or lines of
/// it hold no record of the format: all others are then written.
pub async fn run_import(args: &ImportArgs) -> Result<(), Failure> {
    let table = open_existing(&args.table).await?;
    let mut import = Import::begin(args)?;
    let bar = import.bar.clone();
    let imported = tokio::select! {
        imported = import.run(&table.store) => imported,
        _ = tokio::signal::ctrl_c() => Err(Failure("The import was interrupted.".to_owned())),
    };
    bar.finish_and_clear();
    match imported {
        Ok(()) => import.tell(),
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
    /// Executions that had ended in another way before.
    kept: u64,
    faulty: u64,
    /// Of the file up to there, so that another file is not taken for it.
    digest: String,
    /// Where to.
    table: String,
}

/// A file on its way into the table.
struct Import {
    file: Box<dyn BufRead + Send>,
    name: String,
    /// Where its progress is noted; `None` of standard input.
    note: Option<(PathBuf, PathBuf)>,
    done: Done,
    bar: ProgressBar,
    told: u64,
}

impl Import {
    fn begin(args: &ImportArgs) -> Result<Self, Failure> {
        let place = match &args.table.endpoint_url {
            Some(url) => url.clone(),
            None => args.table.data.display().to_string(),
        };
        let mut done = Done {
            table: format!("{place} {}", args.table.table),
            ..Done::default()
        };
        if args.file == Path::new("-") {
            return Ok(Self {
                file: Box::new(BufReader::new(std::io::stdin())),
                name: "standard input".to_owned(),
                note: None,
                done,
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
        let mut note = args.file.clone().into_os_string();
        note.push(".import");
        let note = PathBuf::from(note);
        if !args.restart
            && let Some(noted) = read_note(&note)
            && noted.table == done.table
            && digest(&mut file, noted.bytes).is_ok_and(|digest| digest == noted.digest)
        {
            eprintln!("Going on after line {}.", noted.lines);
            done = noted;
        }
        file.seek(SeekFrom::Start(done.bytes)).map_err(failed)?;
        let bar = terminal::progress_bar("Importing", metadata.len(), "bytes");
        bar.set_position(done.bytes);
        Ok(Self {
            file: Box::new(BufReader::new(file)),
            name,
            note: Some((args.file.clone(), note)),
            done,
            bar,
            told: 0,
        })
    }

    async fn run(&mut self, store: &Store) -> Result<(), Failure> {
        loop {
            let mut done = self.done.clone();
            let records = self.read(&mut done)?;
            if done.bytes == self.done.bytes {
                return Ok(());
            }
            let (executions, others): (Vec<_>, Vec<_>) =
                records.into_values().partition(keys::is_execution);
            done.written += (executions.len() + others.len()) as u64;
            // Steps first: whoever finds the run finds all of it.
            write_all(store, others).await?;
            let kept = write_executions(store, executions).await?;
            done.written -= kept;
            done.kept += kept;
            self.done = done;
            self.bar.set_position(self.done.bytes);
            self.write_note();
        }
    }

    /// The records of the next lines, by their keys: of two with the same the later.
    fn read(&mut self, done: &mut Done) -> Result<HashMap<(String, String), Item>, Failure> {
        let mut records = HashMap::new();
        let begin = done.bytes;
        for _ in 0..LINES_AT_ONCE {
            if done.bytes - begin >= BYTES_AT_ONCE as u64 {
                break;
            }
            let Some(line) = self.read_line(done)? else {
                break;
            };
            if line.trim_ascii().is_empty() {
                continue;
            }
            match record_of(&line) {
                Ok(record) => insert(&mut records, record),
                Err(reasons) => {
                    done.faulty += 1;
                    self.print_faults(done.lines, &reasons);
                }
            }
        }
        Ok(records)
    }

    /// The next line with what ends it; `None` at the end of the file.
    fn read_line(&mut self, done: &mut Done) -> Result<Option<Vec<u8>>, Failure> {
        let failed =
            |error: std::io::Error| Failure(format!("{} cannot be read: {error}.", self.name));
        let mut line = Vec::new();
        let mut limited = (&mut self.file).take(MAX_LINE_BYTES);
        let mut read = limited.read_until(b'\n', &mut line).map_err(failed)? as u64;
        if read == 0 {
            return Ok(None);
        }
        if read == MAX_LINE_BYTES && !line.ends_with(b"\n") {
            // Too long for a record; what follows is passed by, and the rest with it.
            line = b"too long".to_vec();
            read += skip_line(&mut self.file).map_err(failed)?;
        }
        if done.bytes == 0 && line.starts_with(BYTE_ORDER_MARK) {
            line.drain(..BYTE_ORDER_MARK.len());
        }
        done.bytes += read;
        done.lines += 1;
        Ok(Some(line))
    }

    fn print_faults(&mut self, line: u64, reasons: &[String]) {
        self.told += 1;
        if self.told <= MAX_FAULTS {
            self.bar.suspend(|| {
                for reason in reasons {
                    eprintln!("{}:{line}: {reason}", self.name);
                }
            });
        }
    }

    /// Notes how far the import is. Where that cannot be, it is done again from the
    /// beginning, which changes nothing.
    fn write_note(&mut self) {
        let Some((path, note)) = &self.note else {
            return;
        };
        let digest = File::open(path).and_then(|mut file| digest(&mut file, self.done.bytes));
        let written = digest.and_then(|digest| {
            self.done.digest = digest;
            let text = serde_json::to_vec(&self.done)?;
            let partial = note.with_extension("import.part");
            std::fs::write(&partial, text)?;
            std::fs::rename(&partial, note)
        });
        if let Err(error) = written {
            eprintln!(
                "{} cannot be written, so an interrupted import begins anew: {error}.",
                note.display()
            );
            self.note = None;
        }
    }

    fn tell(&self) -> Result<(), Failure> {
        if let Some((_, note)) = &self.note {
            // Nothing is left to go on with.
            let _ = std::fs::remove_file(note);
        }
        let Done {
            lines,
            written,
            kept,
            faulty,
            ..
        } = &self.done;
        let mut sentence = format!("Wrote {written} records of {lines} lines.");
        if *kept > 0 {
            sentence += &format!(
                " {kept} executions had ended in the table already, in another way: they stay as they are."
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

/// Skips the rest of a line, and returns its length.
fn skip_line(file: &mut impl BufRead) -> std::io::Result<u64> {
    let mut skipped = 0;
    loop {
        let buffer = file.fill_buf()?;
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let length = end.map_or(buffer.len(), |end| end + 1);
        file.consume(length);
        skipped += length as u64;
        if end.is_some() || length == 0 {
            return Ok(skipped);
        }
    }
}

fn read_note(note: &Path) -> Option<Done> {
    serde_json::from_slice(&std::fs::read(note).ok()?).ok()
}

/// A digest of the file's beginning and of what lies before `end`.
fn digest(file: &mut File, end: u64) -> std::io::Result<String> {
    let mut digest = Sha256::new();
    for begin in [0, end.saturating_sub(REMEMBERED_BYTES)] {
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(begin))?;
        let length = REMEMBERED_BYTES.min(end - begin);
        file.by_ref().take(length).read_to_end(&mut bytes)?;
        digest.update(&bytes);
    }
    digest.update(end.to_be_bytes());
    Ok(BASE64.encode(digest.finalize()))
}

/// Keeps a record for its keys. Terminal is final, also inside a file.
fn insert(records: &mut HashMap<(String, String), Item>, record: Item) {
    let text = |name: &str| {
        record
            .get(name)
            .and_then(|value| value.as_s().ok().cloned())
    };
    let key = (
        text("pk").unwrap_or_default(),
        text("sk").unwrap_or_default(),
    );
    let has_ended = |item: &Item| {
        let status = item.get("status").and_then(|status| status.as_s().ok());
        let mut ends = Status::ALL
            .into_iter()
            .filter(|status| status.is_terminal());
        status.is_some_and(|status| ends.any(|end| end.as_str() == status))
    };
    let earlier = records.get(&key);
    let stays = earlier.is_some_and(|earlier| {
        keys::is_execution(earlier) && has_ended(earlier) && !has_ended(&record)
    });
    if !stays {
        records.insert(key, record);
    }
}

/// The record of a line, or what is wrong with it.
fn record_of(line: &[u8]) -> Result<Item, Vec<String>> {
    let value: Value = serde_json::from_slice(line).map_err(|error| {
        let length = line.len();
        vec![match length as u64 >= MAX_LINE_BYTES {
            true => format!("the line has more than {MAX_LINE_BYTES} bytes"),
            false => format!("it is not JSON: {error}"),
        }]
    })?;
    let item = item_of(value).map_err(|reason| vec![reason])?;
    let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok());
    let kind = RecordKind::of(
        text("pk").map_or("", String::as_str),
        text("sk").map_or("", String::as_str),
    );
    let faults = faults_of(&item);
    let told = faults
        .iter()
        .map(|fault| format!("{}: {}. {}.", fault.attribute, fault.problem, fault.remedy));
    match (kind, faults.is_empty()) {
        (Some(_), true) => Ok(item),
        // What Flowtrail keeps for itself has no fault, and is made by Flowtrail alone.
        (None, true) => Err(vec!["its keys are those of no engine's record".to_owned()]),
        (_, false) => Err(told.collect()),
    }
}

fn item_of(value: Value) -> Result<Item, String> {
    let Value::Object(mut members) = value else {
        return Err("it is no JSON object".to_owned());
    };
    if let Some(item) = members.remove("Item")
        && members.is_empty()
    {
        let item: BTreeMap<String, Value> =
            serde_json::from_value(item).map_err(|_| "Item is no JSON object".to_owned())?;
        let attribute = |(name, value): (String, Value)| {
            let attribute =
                attribute_of(value).ok_or(format!("{name} is no attribute of DynamoDB"))?;
            Ok((name, attribute))
        };
        return item.into_iter().map(attribute).collect();
    }
    let is_payload = members
        .get("sk")
        .and_then(Value::as_str)
        .is_some_and(|sk| keys::payload_of(sk).is_some());
    let bytes = match is_payload {
        true => members.remove("bytes"),
        false => None,
    };
    let mut item: Item = serde_dynamo::to_item(members).map_err(|error| error.to_string())?;
    if let Some(bytes) = bytes {
        let bytes = bytes.as_str().and_then(|text| BASE64.decode(text).ok());
        let bytes = bytes.ok_or("bytes: they are not base64. Write base64 text.")?;
        item.insert("bytes".to_owned(), AttributeValue::B(Blob::new(bytes)));
    }
    Ok(item)
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
        ("L", Value::Array(values)) => AttributeValue::L(
            values
                .into_iter()
                .map(attribute_of)
                .collect::<Option<_>>()?,
        ),
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

async fn write_all(store: &Store, items: Vec<Item>) -> Result<(), Failure> {
    let batches: Vec<_> = items
        .chunks(MAX_ITEMS_A_BATCH)
        .map(<[Item]>::to_vec)
        .collect();
    stream::iter(batches)
        .map(|batch| store.put_all(batch))
        .buffer_unordered(REQUESTS_AT_A_TIME)
        .try_collect::<()>()
        .await
        .map_err(Failure::from)
}

/// Writes executions over those that are open. Returns how many have ended in another
/// way, and stay as they are.
async fn write_executions(store: &Store, executions: Vec<Item>) -> Result<u64, Failure> {
    let writes = executions.into_iter().map(|item| async move {
        if store.put_if(item.clone(), Replaced::Open).await? {
            return Ok(0);
        }
        let key = |name| item.get(name).and_then(|value| value.as_s().ok());
        let (Some(pk), Some(sk)) = (key(PARTITION_KEY), key(SORT_KEY)) else {
            return Ok(0);
        };
        let is_the_same = store.get_latest(pk, sk).await? == Some(item.clone());
        shared::Result::Ok(u64::from(!is_the_same))
    });
    let kept = stream::iter(writes).buffer_unordered(REQUESTS_AT_A_TIME);
    kept.try_fold(0, async |sum, kept| Ok(sum + kept))
        .await
        .map_err(Failure::from)
}
