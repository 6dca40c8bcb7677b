//! Flowtrail on one machine: the embedded DynamoDB, the HTTP server over the
//! very handlers that the Lambda functions run, and the demo data.

pub mod cli;
pub mod commands;
pub mod connections;
pub mod data_folder;
pub mod demo;
pub mod embedded;
pub mod follow;
pub mod serve;
pub mod server;
pub mod terminal;
