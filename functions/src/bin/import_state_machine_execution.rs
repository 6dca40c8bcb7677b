//! The Lambda function that imports executions of AWS Step Functions.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    functions::lambda::serve_import_state_machine_execution().await
}
