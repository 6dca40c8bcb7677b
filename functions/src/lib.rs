//! The HTTP APIs of Flowtrail, with one module for each documented API. They call the operations
//! of the crate `shared`.
//!
//! A handler is a library function with three steps: read the parameters, run the operation,
//! render the view. The Lambda binaries in `src/bin` and the local server call the same functions,
//! through [`route::Route::answer`].

pub mod admin;
pub mod app;
pub mod authorizer;
pub mod bodies;
pub mod client;
pub mod compression;
mod console_config;
pub mod cors;
mod exchange;
pub mod executions;
pub mod flags;
pub mod flow_executions;
pub mod grant;
pub mod history;
pub mod lambda;
pub mod log;
pub mod metrics;
pub mod openapi;
pub mod pages;
pub mod parameters;
pub mod problem;
pub mod reply;
pub mod route;
pub mod routes;
pub mod step_functions;
pub mod stream;
pub mod sweep;
pub mod traces;
pub mod usage;
pub mod xray;
