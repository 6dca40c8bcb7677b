//! The HTTP surfaces of Flowtrail, one module for each documented API, over the
//! operations of the crate `shared`.
//!
//! A handler is a library function with three steps: read the parameters, run
//! the operation, render the view. The Lambda binaries in `src/bin` and the
//! local server call that same function, through [`route::Route::answer`].

pub mod admin;
pub mod app;
pub mod authorizer;
pub mod client;
pub mod cors;
pub mod executions;
pub mod flow_executions;
pub mod history;
pub mod lambda;
pub mod log;
pub mod marks;
pub mod metrics;
pub mod openapi;
pub mod pages;
pub mod parameters;
pub mod problem;
pub mod reply;
pub mod route;
pub mod step_functions;
pub mod stream;
pub mod sweep;
pub mod traces;
pub mod xray;
