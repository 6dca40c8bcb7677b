//! The Lambda function of API Gateway's authorizer.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    functions::lambda::serve_authorizer().await
}
