//! Messages and progress on the terminal.

use std::fmt::Display;
use std::io::Write;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle, WeakProgressBar};

/// How often progress is printed if standard error is not a terminal.
const LINE_EVERY: Duration = Duration::from_secs(2);

/// A sentence that states what went wrong and what to do next.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Failure(pub String);

impl From<shared::Error> for Failure {
    fn from(error: shared::Error) -> Self {
        let causes = error.with_causes();
        Self(format!(
            "A request to the table failed: {}.",
            causes.trim_end_matches('.')
        ))
    }
}

/// Prints a line to standard output. If nothing reads the output any more, for example
/// behind `| head`, the error is ignored.
pub fn print(line: impl Display) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// A spinner on standard error, for work of unknown size. If standard error is not a
/// terminal, nothing is shown.
pub fn spinner() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// A progress bar on standard error: `position/length unit`.
pub fn progress_bar(task: &str, length: u64, unit: &str) -> ProgressBar {
    let bar = spinner();
    measure(&bar, task, length, unit);
    bar
}

/// Turns a spinner into a bar, once the total is known. If standard error is not a
/// terminal, a line is printed every [`LINE_EVERY`] until the work is done.
pub fn measure(bar: &ProgressBar, task: &str, length: u64, unit: &str) {
    let template = format!("{task} {{wide_bar}} {{pos}}/{{len}} {unit} {{eta}}");
    if let Ok(style) = ProgressStyle::with_template(&template) {
        bar.set_style(style);
    }
    bar.set_length(length);
    if bar.is_hidden() {
        let (bar, task, unit) = (bar.downgrade(), task.to_owned(), unit.to_owned());
        let print = |line| eprintln!("{line}");
        std::thread::spawn(move || report(&bar, &task, &unit, LINE_EVERY, print));
    }
}

/// Reports the progress until the bar is finished or dropped.
fn report(
    bar: &WeakProgressBar,
    task: &str,
    unit: &str,
    every: Duration,
    mut print: impl FnMut(String),
) {
    loop {
        std::thread::sleep(every);
        let Some(bar) = bar.upgrade().filter(|bar| !bar.is_finished()) else {
            return;
        };
        let (done, all) = (bar.position(), bar.length().unwrap_or_default());
        print(format!("{task}: {done} of {all} {unit}"));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn progress_is_reported_until_the_bar_is_finished() {
        let bar = ProgressBar::hidden();
        bar.set_length(10);
        bar.inc(3);
        let (lines, reported) = mpsc::channel();
        let weak = bar.downgrade();
        let reporter = std::thread::spawn(move || {
            let print = |line| lines.send(line).unwrap_or_default();
            report(
                &weak,
                "Importing",
                "records",
                Duration::from_millis(1),
                print,
            );
        });
        let line = reported.recv_timeout(Duration::from_secs(60));
        assert_eq!(line.expect("a line"), "Importing: 3 of 10 records");
        bar.finish_and_clear();
        reporter.join().expect("the reporter has ended");
    }
}
