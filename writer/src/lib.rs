//! For flow engines in Rust: writes runs, steps, parallel branches and payloads into
//! Flowtrail's table, in the record format (docs/record-format.md).
//!
//! ```no_run
//! # async fn engine(client: aws_sdk_dynamodb::Client) -> Result<(), writer::Error> {
//! use writer::{NewRun, NewStep, Outcome, Writer};
//!
//! let writer = Writer::new(client, "flowtrail");
//! let run = writer
//!     .start(NewRun::new("order-pipeline").label("orderId", "42"))
//!     .await?;
//!
//! let mut step = run
//!     .start_step(NewStep::new("validate").input(&["A", "B"]))
//!     .await?;
//! step.complete_with(&"both are there").await?;
//!
//! let fork = run.fork(NewStep::new("each_item")).await?;
//! for item in ["A", "B"] {
//!     let branch = fork.branch("pack_item");
//!     let mut step = branch
//!         .start_step(NewStep::new("pack").input(item))
//!         .await?;
//!     step.complete().await?;
//! }
//! fork.join().await?;
//!
//! if let Outcome::Ended(ended) = run.complete().await? {
//!     // A cancel was faster.
//!     eprintln!("ended by {:?}", ended.cancelled_by);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! What is told as written is in the table, whatever happens to the process then: when
//! [`Writer::start`], [`Run::heartbeat`], [`Run::complete`] and its like,
//! [`Writer::flush`] and [`Writer::close`] return. Steps and payloads are sent in
//! batches, within [`Options::flush_after`]; a table that does not answer delays them and
//! loses none. Terminal is final: a run that has ended, by a cancel for one, comes back
//! as [`Outcome::Ended`].

mod buffer;
mod error;
mod outcome;
mod run;
mod step;
mod writer;

pub use error::{Error, RefusedRecord, Result};
pub use outcome::{Ended, Outcome};
pub use run::{NewRun, Run};
pub use step::{Branch, Fork, NewStep, Step};
pub use writer::{Clock, Options, Writer};

/// The types of the records' members that callers name.
pub use shared::model::{Status, Timestamp};
pub use shared::record::FlowVersion;
