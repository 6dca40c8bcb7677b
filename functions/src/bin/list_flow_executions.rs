//! The Lambda function of the route `list_flow_executions`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    functions::lambda::serve_route(&functions::routes::LIST_FLOW_EXECUTIONS).await
}
