//! The Lambda function of the route `get_profile_settings`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    functions::lambda::serve_route(&functions::routes::GET_PROFILE_SETTINGS).await
}
