//! The Lambda function of the route `get_masking_settings`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    functions::lambda::serve_route(&functions::routes::GET_MASKING_SETTINGS).await
}
