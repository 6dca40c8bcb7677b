//! The Lambda function of the route `update_profile_settings`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    functions::lambda::serve_route(&functions::routes::UPDATE_PROFILE_SETTINGS).await
}
