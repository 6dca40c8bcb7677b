//! The Lambda function of the route `update_retention_settings`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    functions::lambda::serve_route(&functions::routes::UPDATE_RETENTION_SETTINGS).await
}
