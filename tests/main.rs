//! The integration tests: one binary, which links once.
//!
//! Each test has a fresh table of its own on the embedded DynamoDB or, with
//! `FLOWTRAIL_TEST_ENDPOINT_URL`, on the one at that address.

mod audit;
mod branch_steps;
mod cancel;
mod console;
mod counters;
mod crash;
mod delete;
mod details;
mod documents;
mod errors;
mod executions;
mod export;
mod faults;
mod history;
mod hostile;
mod isolation;
mod jwts;
mod labels;
mod lambda;
mod large;
mod lists;
mod malformed;
mod masking;
mod numbered_pages;
mod openapi;
mod otlp;
mod payloads_on_demand;
mod records;
mod retention;
mod serve;
mod step_functions;
mod step_statistics;
mod support;
mod sweeper;
mod template;
mod tokens;
mod writer;
