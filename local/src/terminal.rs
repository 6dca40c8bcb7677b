//! What the person at the terminal reads.

use std::fmt::Display;
use std::io::Write;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

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

/// A sign on standard error that work goes on, for as long as nobody knows how
/// much there is. Where that is no terminal, nothing is shown.
pub fn spinner() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// A bar on standard error that says how much of so many is done.
pub fn progress_bar(what: &str, length: u64, unit: &str) -> ProgressBar {
    let bar = spinner();
    measure(&bar, what, length, unit);
    bar
}

/// Makes a bar of a spinner, once it is known how much there is.
pub fn measure(bar: &ProgressBar, what: &str, length: u64, unit: &str) {
    let template = format!("{what} {{wide_bar}} {{pos}}/{{len}} {unit} {{eta}}");
    if let Ok(style) = ProgressStyle::with_template(&template) {
        bar.set_style(style);
    }
    bar.set_length(length);
}
