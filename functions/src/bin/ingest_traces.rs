//! The Lambda function of the route `ingest_traces`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    functions::lambda::serve_route(&functions::routes::INGEST_TRACES).await
}
