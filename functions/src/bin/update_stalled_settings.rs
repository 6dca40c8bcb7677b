//! The Lambda function of the route `update_stalled_settings`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    functions::lambda::serve_route(&functions::routes::UPDATE_STALLED_SETTINGS).await
}
