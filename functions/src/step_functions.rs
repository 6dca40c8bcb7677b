//! The Lambda function that imports changes of Step Functions executions from a queue.

use lambda_runtime::LambdaEvent;
use serde::Deserialize;
use shared::step_functions::Importer;

/// The environment variable with the team that owns the imported runs.
pub const TEAM_VARIABLE: &str = "FLOWTRAIL_STEP_FUNCTIONS_TEAM";

/// A batch of messages from a queue. The type in the crate of Lambda's events would add twenty
/// more crates.
#[derive(Debug, Deserialize)]
pub struct QueueEvent {
    #[serde(rename = "Records")]
    messages: Vec<Message>,
}

#[derive(Debug, Deserialize)]
struct Message {
    body: String,
}

/// Imports the changes of executions from the messages of a queue.
///
/// # Errors
/// Returns an error if the table or Step Functions fails, or if a message cannot be read. The queue
/// then delivers the messages again and, after too many attempts, moves them to the dead-letter
/// queue.
pub async fn import(
    importer: &Importer,
    event: LambdaEvent<QueueEvent>,
) -> Result<(), lambda_runtime::Error> {
    let request_id = event.context.request_id;
    for message in event.payload.messages {
        importer.follow_event(&request_id, &message.body).await?;
    }
    Ok(())
}
