//! The Lambda function of the route `create_token`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    functions::lambda::serve_route(&functions::routes::CREATE_TOKEN).await
}
