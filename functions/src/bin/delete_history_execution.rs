//! The Lambda function of the route `delete_history_execution`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    functions::lambda::serve_route(&functions::routes::DELETE_HISTORY_EXECUTION).await
}
