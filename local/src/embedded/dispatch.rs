//! Runs one DynamoDB request on the engine: from the operation's name and a JSON body to a
//! status and a JSON body, as on the wire.

use dynoxide::{Database, DynoxideError};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{batch, streams};

/// An answer of the engine.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: String,
}

impl Answer {
    /// Converts a body or an error to an answer.
    pub(super) fn from_result(answer: Result<String, DynoxideError>) -> Self {
        match answer {
            Ok(body) => Self { status: 200, body },
            Err(error) => Self {
                status: error.status_code(),
                body: error.to_json(),
            },
        }
    }
}

/// Runs the operation that an `x-amz-target` header names. Blocks.
pub(super) fn dispatch(database: &Database, target: &str, body: &[u8]) -> Answer {
    let operation = parse_operation(target).unwrap_or_default();
    match run(database, operation, body) {
        Some(answer) => Answer::from_result(answer),
        None => Answer {
            status: 400,
            body: r#"{"__type":"com.amazon.coral.service#UnknownOperationException"}"#.to_owned(),
        },
    }
}

/// Returns the operation that an `x-amz-target` header names.
pub(super) fn parse_operation(target: &str) -> Option<&str> {
    target
        .strip_prefix("DynamoDB_20120810.")
        .or_else(|| target.strip_prefix("DynamoDBStreams_20120810."))
}

/// Returns `None` for an operation that the engine does not support.
fn run(db: &Database, operation: &str, body: &[u8]) -> Option<Result<String, DynoxideError>> {
    let answer = match operation {
        "BatchGetItem" => call(body, |request| db.batch_get_item(request)),
        "BatchExecuteStatement" => call(body, |request| db.batch_execute_statement(request)),
        "BatchWriteItem" => call(body, |request| batch::write(db, request)),
        "CreateTable" => call(body, |request| db.create_table(request)),
        "DeleteItem" => call(body, |request| db.delete_item(request)),
        "DeleteTable" => call(body, |request| db.delete_table(request)),
        "DescribeStream" => call(body, |request| streams::describe(db, &request)),
        "DescribeTable" => call(body, |request| db.describe_table(request)),
        "DescribeTimeToLive" => call(body, |request| db.describe_time_to_live(request)),
        "ExecuteStatement" => call(body, |request| db.execute_statement(request)),
        "ExecuteTransaction" => call(body, |request| db.execute_transaction(request)),
        "GetItem" => call(body, |request| db.get_item(request)),
        "GetRecords" => call(body, |request| db.get_records(request)),
        "GetShardIterator" => call(body, |request| streams::shard_iterator(db, request)),
        "ListStreams" => call(body, |request| db.list_streams(request)),
        "ListTables" => call(body, |request| db.list_tables(request)),
        "ListTagsOfResource" => call(body, |request| db.list_tags_of_resource(request)),
        "PutItem" => call(body, |request| db.put_item(request)),
        "Query" => call(body, |request| db.query(request)),
        "Scan" => call(body, |request| db.scan(request)),
        "TagResource" => call(body, |request| db.tag_resource(request)),
        "TransactGetItems" => call(body, |request| db.transact_get_items(request)),
        "TransactWriteItems" => call(body, |request| db.transact_write_items(request)),
        "UntagResource" => call(body, |request| db.untag_resource(request)),
        "UpdateItem" => call(body, |request| db.update_item(request)),
        "UpdateTable" => call(body, |request| db.update_table(request)),
        "UpdateTimeToLive" => call(body, |request| db.update_time_to_live(request)),
        _ => return None,
    };
    Some(answer)
}

fn call<Request, Response>(
    body: &[u8],
    operation: impl FnOnce(Request) -> Result<Response, DynoxideError>,
) -> Result<String, DynoxideError>
where
    Request: DeserializeOwned,
    Response: Serialize,
{
    let response = operation(read(body)?)?;
    serde_json::to_string(&response)
        .map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}

/// Parses a request.
pub(super) fn read<Request: DeserializeOwned>(body: &[u8]) -> Result<Request, DynoxideError> {
    serde_json::from_slice(body).map_err(|error| refusal(&error.to_string()))
}

/// Converts a parse error. The engine's request types put the class of an error at the
/// beginning of serde's message. The message ends with a position, which DynamoDB does not
/// report.
fn refusal(message: &str) -> DynoxideError {
    let text = message
        .rsplit_once(" at line ")
        .map_or(message, |(text, _)| text);
    let marked = |marks: &[&str]| marks.iter().find_map(|mark| text.strip_prefix(mark));
    if let Some(text) = marked(&["SERIALIZATION:", "SERIALIZATION_AS_READ:"]) {
        return DynoxideError::SerializationException(text.to_owned());
    }
    let marks = ["VALIDATION:", "VALIDATION_REQUEST:", "VALIDATION_AS_READ:"];
    if let Some(text) = marked(&marks) {
        return DynoxideError::ValidationException(text.to_owned());
    }
    let is_validation = [
        "missing field",
        "unknown variant",
        "invalid type: null",
        "AttributeValue",
    ]
    .iter()
    .any(|sign| text.contains(sign));
    if is_validation {
        DynoxideError::ValidationException(text.to_owned())
    } else {
        DynoxideError::SerializationException(text.to_owned())
    }
}
