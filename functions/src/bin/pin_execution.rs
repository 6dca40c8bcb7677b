//! The Lambda function of the route `pin_execution`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    functions::lambda::serve_route(&functions::routes::PIN_EXECUTION).await
}
