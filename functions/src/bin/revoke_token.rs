//! The Lambda function of the route `revoke_token`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    functions::lambda::serve_route(&functions::routes::REVOKE_TOKEN).await
}
