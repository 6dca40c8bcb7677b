//! Bodies of traces: in both encodings, each span is either read or counted as rejected, and no
//! span makes another one unreadable.
//!
//! The lines of the input are spans in JSON, and also encoded spans in protobuf. The whole input is
//! also a body.
#![no_main]

use bytes::Bytes;
use functions::traces::{Form, ReadSpans};
use libfuzzer_sys::fuzz_target;
use serde_json::value::RawValue;

/// A span that is valid.
const GOOD_JSON: &str = r#"{"traceId":"5b8efff798038103d269b633813fc60c",
    "spanId":"eee19b7ec3c1b174","startTimeUnixNano":"1771324200000000000"}"#;

/// The same span in protobuf: ids of 16 and 8 bytes, and a start.
const GOOD_PROTOBUF: &[u8] = b"\x0a\x10\x5b\x8e\xff\xf7\x98\x03\x81\x03\xd2\x69\xb6\x33\x81\x3f\
    \xc6\x0c\x12\x08\xee\xe1\x9b\x7e\xc3\xc1\xb1\x74\x39\x00\x00\x5a\x2f\x1d\x01\x95\x18";

/// The longest answer to an exporter, in bytes.
const MAX_MESSAGE: usize = 16 * 1024;

fuzz_target!(|input: &[u8]| {
    for form in [Form::Json, Form::Protobuf] {
        match form.read(Bytes::copy_from_slice(input)) {
            Ok(read) => assert!(read.message().len() <= MAX_MESSAGE),
            Err(problem) => assert_eq!(problem.status(), 400),
        }
    }
    read_json(input);
    read_protobuf(input);
});

/// Reads each line between two good spans.
fn read_json(input: &[u8]) {
    let lines = input.split(|byte| *byte == b'\n');
    let lines: Vec<_> = lines
        .filter_map(|line| serde_json::from_slice::<&RawValue>(line).ok())
        .collect();
    let mut spans = GOOD_JSON.to_owned();
    for line in &lines {
        spans += &format!(",{},{GOOD_JSON}", line.get());
    }
    let body = format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{spans}]}}]}}]}}"#);
    let read = Form::Json.read(body.into()).expect("good spans are read");
    check_counts(&read, lines.len());
}

/// Reads each line between two good spans.
fn read_protobuf(input: &[u8]) {
    let lines: Vec<_> = input.split(|byte| *byte == b'\n').collect();
    let mut spans = field(2, GOOD_PROTOBUF);
    for line in &lines {
        spans.extend(field(2, line));
        spans.extend(field(2, GOOD_PROTOBUF));
    }
    let body = field(1, &field(2, &spans));
    let read = Form::Protobuf.read(body.into());
    check_counts(&read.expect("good spans are read"), lines.len());
}

/// Checks that every span is counted once, and that the good ones are read.
fn check_counts(read: &ReadSpans, others: usize) {
    let sent = 2 * others + 1;
    let message = read.message();
    assert_eq!(
        read.spans.len() + read.rejections.spans(),
        sent,
        "{message}"
    );
    assert!(read.spans.len() > others, "{message}");
    assert!(message.len() <= MAX_MESSAGE, "{message}");
}

/// Encodes a field that contains bytes.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2];
    let mut length = content.len();
    while length > 0x7F {
        bytes.push(u8::try_from(length & 0x7F).expect("seven bits") | 0x80);
        length >>= 7;
    }
    bytes.push(u8::try_from(length).expect("seven bits"));
    bytes.extend_from_slice(content);
    bytes
}
