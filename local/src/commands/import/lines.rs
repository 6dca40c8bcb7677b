//! Parses the lines of a file into records.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, BufRead};

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD as BASE64, URL_SAFE_NO_PAD};
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use shared::attributes::{BYTES, PARTITION_KEY, SORT_KEY, STATUS};
use shared::keys;
use shared::model::{Item, Status};
use shared::record::check::{faults_of, is_flowtrails_own};
use shared::record::native_of;

/// How many lines are held in memory, and written before the progress is saved. While they
/// are written, the next lines are read.
const MAX_CHUNK_LINES: usize = 2_000;

/// The most bytes of lines held in memory, not counting the last line.
const MAX_CHUNK_BYTES: u64 = 16 * 1024 * 1024;

/// The longest line, in bytes: an item has up to 400 KB, and its JSON may be longer.
const MAX_LINE_BYTES: u64 = 4 * 1024 * 1024;

/// The byte order mark that some editors write at the start of a file.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The keys of a record.
pub(super) type Key = (String, String);

/// A record, with its line number.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) record: Item,
    pub(super) number: u64,
}

/// The records of some lines.
pub(super) struct Chunk {
    pub(super) records: HashMap<Key, Line>,
    /// Faulty lines: their numbers, and what is wrong with each.
    pub(super) faults: Vec<(u64, Vec<String>)>,
    pub(super) skipped: u64,
    /// The position in the file after these lines.
    pub(super) bytes: u64,
    pub(super) lines: u64,
    pub(super) digest: String,
}

/// The lines of a file, and a digest of everything that was read.
pub(super) struct Lines {
    file: Box<dyn BufRead + Send>,
    hash: Sha256,
    bytes: u64,
    /// The number of the last line that was read.
    pub(super) number: u64,
}

impl Lines {
    pub(super) fn new(file: Box<dyn BufRead + Send>) -> Self {
        Self {
            file,
            hash: Sha256::new(),
            bytes: 0,
            number: 0,
        }
    }

    pub(super) fn digest(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.hash.clone().finalize())
    }

    /// Skips this number of bytes, or as many as there are.
    pub(super) fn skip(&mut self, bytes: u64) -> io::Result<()> {
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

    /// Parses the next lines; `None` at the end of the file.
    pub(super) fn next(&mut self) -> io::Result<Option<Chunk>> {
        let begin = self.bytes;
        let mut chunk = Chunk {
            records: HashMap::new(),
            faults: Vec::new(),
            skipped: 0,
            bytes: 0,
            lines: 0,
            digest: String::new(),
        };
        for _ in 0..MAX_CHUNK_LINES {
            if self.bytes - begin >= MAX_CHUNK_BYTES {
                break;
            }
            let Some(line) = self.next_line()? else {
                break;
            };
            match line.as_deref().map(parse_line) {
                None => {
                    let reason = format!("the line is longer than {MAX_LINE_BYTES} bytes");
                    chunk.faults.push((self.number, vec![reason]));
                }
                Some(Ok(LineContent::Record(record))) => chunk.insert(record, self.number),
                Some(Ok(LineContent::Own)) => chunk.skipped += 1,
                Some(Ok(LineContent::Empty)) => {}
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

    /// Returns the next line with its line end, or `Some(None)` for a line that is too
    /// long.
    #[expect(
        clippy::option_option,
        reason = "the end of the file differs from a line that is too long"
    )]
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
    /// Adds a record. Of two records with the same keys, the later one wins, except that a
    /// run that has ended in the file is final.
    fn insert(&mut self, record: Item, number: u64) {
        let key = get_key(&record);
        let earlier = self.records.get(&key);
        let stays = earlier.is_some_and(|earlier| {
            keys::is_execution(&earlier.record) && has_ended(&earlier.record)
        });
        if !stays {
            self.records.insert(key, Line { record, number });
        }
    }
}

pub(super) fn get_key(record: &Item) -> Key {
    let text = |name: &str| {
        let value = record.get(name).and_then(|value| value.as_s().ok());
        value.cloned().unwrap_or_default()
    };
    (text(PARTITION_KEY), text(SORT_KEY))
}

pub(super) fn has_ended(execution: &Item) -> bool {
    let status = execution.get(STATUS).cloned();
    let status = status.and_then(|status| serde_dynamo::from_attribute_value(status).ok());
    status.is_some_and(Status::is_terminal)
}

// ---- From lines to records

/// The content of a line.
enum LineContent {
    Record(Item),
    /// One of Flowtrail's own items, as in the export of a table.
    Own,
    Empty,
}

/// Returns the content of a line, or what is wrong with it.
fn parse_line(line: &[u8]) -> Result<LineContent, Vec<String>> {
    if line.trim_ascii().is_empty() {
        return Ok(LineContent::Empty);
    }
    let members: BTreeMap<String, &RawValue> = serde_json::from_slice(line)
        .map_err(|error| vec![format!("the line is not a JSON object: {error}")])?;
    let mut item = parse_item(&members).map_err(|reason| vec![reason])?;
    let (pk, sk) = get_key(&item);
    if is_flowtrails_own(&pk, &sk) {
        return Ok(LineContent::Own);
    }
    // A null means the same as a missing attribute, and DynamoDB does not accept null in
    // the keys of its indexes. Payloads may be null.
    if keys::payload_of(&sk).is_none() {
        item.retain(|_, value| !value.is_null());
    }
    let faults = faults_of(&item);
    if faults.is_empty() {
        return Ok(LineContent::Record(item));
    }
    let reasons = faults.iter().map(|fault| {
        let (attribute, problem, remedy) = (&fault.attribute, &fault.problem, &fault.remedy);
        format!("{attribute}: {problem}. {remedy}.")
    });
    Err(reasons.collect())
}

fn parse_item(members: &BTreeMap<String, &RawValue>) -> Result<Item, String> {
    if members.len() == 1
        && let Some(item) = members.get("Item")
    {
        return parse_exported_item(item.get());
    }
    let is_payload = members.get(SORT_KEY).is_some_and(|sk| {
        let sk: Option<String> = serde_json::from_str(sk.get()).ok();
        sk.is_some_and(|sk| keys::payload_of(&sk).is_some())
    });
    let attribute = |(name, json): (&String, &&RawValue)| {
        let attribute = match is_payload && name == BYTES {
            true => {
                let bytes: Option<String> = serde_json::from_str(json.get()).ok();
                let bytes = bytes.and_then(|text| BASE64.decode(text).ok());
                let bytes = bytes.ok_or("bytes: the value is not base64. Write base64 text.")?;
                AttributeValue::B(Blob::new(bytes))
            }
            false => native_of(json.get()).ok_or_else(|| {
                format!(
                    "{name}: DynamoDB cannot store this value. Write numbers of at most 38 digits \
                     from 1E-130 to 9.99E+125, no empty member names, and at most 28 levels."
                )
            })?,
        };
        Ok((name.clone(), attribute))
    };
    members.iter().map(attribute).collect()
}

/// Parses an item in DynamoDB's own JSON.
fn parse_exported_item(json: &str) -> Result<Item, String> {
    let item: BTreeMap<String, Value> =
        serde_json::from_str(json).map_err(|_| "Item is not a JSON object".to_owned())?;
    let attribute = |(name, value): (String, Value)| {
        let attribute = parse_attribute(value);
        let attribute = attribute.ok_or(format!("{name} is not a DynamoDB attribute"))?;
        Ok((name, attribute))
    };
    item.into_iter().map(attribute).collect()
}

/// Parses an attribute in DynamoDB's own JSON, such as `{"S": "text"}`.
fn parse_attribute(value: Value) -> Option<AttributeValue> {
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
            let values = values.into_iter().map(parse_attribute);
            AttributeValue::L(values.collect::<Option<_>>()?)
        }
        ("M", Value::Object(members)) => {
            let members = members.into_iter();
            let members = members.map(|(name, value)| Some((name, parse_attribute(value)?)));
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
