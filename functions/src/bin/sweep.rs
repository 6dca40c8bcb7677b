//! The Lambda function that closes runs whose time is over.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    functions::lambda::serve_sweep().await
}
