//! The only crate that sends requests for records to DynamoDB.
//!
//! There is one [`Store`], over the real SDK client. On a laptop, in the tests and on AWS only the
//! client's endpoint differs. Writes are values ([`Update`], [`Write`], [`Condition`]); the SDK's
//! builders and DynamoDB's expressions are only used in this crate.

mod batch;
mod condition;
pub mod cursor;
mod expression;
mod meter;
mod pages;
mod range;
mod retry;
mod room;
mod sdk_error;
mod store;
pub mod table;
mod transaction;
mod write;

pub use batch::{MAX_BATCH_KEYS, MAX_ITEMS_A_BATCH, Writes};
pub use condition::Condition;
pub use expression::Path;
pub use meter::Usage;
pub use pages::{
    Listing, MAX_ITEMS_A_PAGE, MAX_ITEMS_A_QUERY, MAX_QUERIES_A_PAGE, Page, Pages, Rest,
};
pub use range::{Filter, Range};
pub use retry::backoff;
pub use sdk_error::from_sdk;
pub use store::Store;
pub use transaction::NotWritten;
pub use write::{Attempt, Changed, Update, Write};
