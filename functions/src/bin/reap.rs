//! The Lambda function that follows what is removed and cancelled.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    functions::lambda::serve_reap().await
}
