//! For flow engines in Rust: writes runs, steps, parallel branches and payloads to Flowtrail's
//! table, in the record format (docs/record-format.md).
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
//!     // A cancel came first.
//!     eprintln!("ended by {:?}", ended.cancelled_by);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! When [`Writer::start`], [`Run::heartbeat`], [`Run::complete`] and similar methods,
//! [`Writer::flush`] or [`Writer::close`] return, the table has what they report as written,
//! even if the process crashes afterwards. Steps and payloads are sent in batches, within
//! [`Options::flush_after`]; a table that does not respond delays them and loses none. A terminal
//! status is final: for a run that has ended, such as by a cancellation, the methods return
//! [`Outcome::Ended`].

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

/// Types in the signatures of this crate.
pub use format::model::{Status, Timestamp};
pub use format::record::FlowVersion;
