//! What the person at the terminal reads.

use std::fmt::Display;
use std::io::Write;

/// A sentence on what went wrong and what to do about it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Failure(pub String);

impl From<shared::Error> for Failure {
    fn from(error: shared::Error) -> Self {
        let causes = error.with_causes();
        Self(format!(
            "The table has failed: {}.",
            causes.trim_end_matches('.')
        ))
    }
}

/// Prints a line to standard output. Where nobody reads it any more, as behind
/// `| head`, there is nobody to tell, and no reason to end.
pub fn print(line: impl Display) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
