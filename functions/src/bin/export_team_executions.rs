//! The Lambda function of the route `export_team_executions`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    functions::lambda::serve_route(&functions::routes::EXPORT_TEAM_EXECUTIONS).await
}
