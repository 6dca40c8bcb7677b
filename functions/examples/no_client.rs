//! A function that asks nobody: what a start takes without a client of AWS, for
//! `cargo run --release -p bench -- lambda`.

use std::convert::Infallible;

use lambda_http::{Body, Request, Response, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    functions::log::begin("none");
    let answer = |_: Request| async { Ok::<_, Infallible>(Response::new(Body::Empty)) };
    lambda_http::run(service_fn(answer)).await
}
