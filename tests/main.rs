//! The integration tests: one binary, which links once.
//!
//! Each test has its own new table on the embedded DynamoDB or, with
//! `FLOWTRAIL_TEST_ENDPOINT_URL`, on the DynamoDB at that address.

mod audit;
mod authority;
mod branch_steps;
mod cancel;
mod compression;
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
mod generated;
mod guards;
mod history;
mod hostile;
mod isolation;
mod jwts;
mod labels;
mod lambda;
mod large;
mod layers;
mod lists;
mod malformed;
mod masking;
mod nested;
mod numbered_pages;
mod odd_records;
mod openapi;
mod other_releases;
mod otlp;
mod page_bytes;
mod parameters;
mod payloads_on_demand;
mod records;
mod requirements;
mod retention;
mod serve;
mod sign_in;
mod step_functions;
mod step_statistics;
mod step_status;
mod stream;
mod support;
mod sweeper;
mod template;
mod tokens;
mod writer;
