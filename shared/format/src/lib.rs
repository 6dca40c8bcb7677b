//! What is stored: the record format and its keys.
//!
//! This crate sends no requests. It uses only the SDK's type of attribute values, so engines that
//! link it (through the crate `writer`) get no HTTP client from it.

pub mod attributes;
pub mod change;
pub mod cycles;
pub mod error;
pub mod hash;
pub mod keys;
pub mod label;
pub mod model;
pub mod payload;
pub mod record;
#[cfg(feature = "schema")]
pub mod schema;

pub use error::{Error, InvalidMember, Result};
