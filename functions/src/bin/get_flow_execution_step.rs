//! The Lambda function of the route `get_flow_execution_step`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    functions::lambda::serve_route(&functions::routes::GET_FLOW_EXECUTION_STEP).await
}
