//! Flowtrail on one machine: the embedded DynamoDB, an HTTP server with the same handlers
//! as the Lambda functions, and the demo data.

pub mod arrivals;
pub mod cli;
pub mod commands;
pub mod connections;
pub mod data_folder;
pub mod demo;
pub mod embedded;
pub mod follow;
pub mod grpc;
pub mod hosts;
pub mod mistakes;
pub mod requirements;
pub mod serve;
pub mod server;
pub mod sign_in;
pub mod terminal;
