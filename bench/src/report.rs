//! The measurements and their targets: one line each, printed as a table and stored as JSON.

use std::fmt::{self, Display};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use local::terminal::Failure;
use serde::Serialize;
use shared::store::Usage;

use crate::measure::failure;

/// The unit of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Unit {
    /// Milliseconds.
    Milliseconds,
    /// Million bytes.
    Megabytes,
    /// Events per second.
    PerSecond,
    /// Requests to DynamoDB.
    Requests,
    /// Items read by DynamoDB.
    Items,
    /// Read capacity units of DynamoDB.
    ReadUnits,
    /// Failed requests.
    Errors,
    /// Records that should be gone.
    Records,
    /// A multiple of another figure.
    Times,
}

/// A number with its unit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Figure {
    pub value: f64,
    pub unit: Unit,
}

impl Figure {
    /// Creates a figure with a unit.
    pub fn new(value: f64, unit: Unit) -> Self {
        Self { value, unit }
    }

    /// Creates a figure from a time.
    pub fn time(time: Duration) -> Self {
        Self::new(time.as_secs_f64() * 1e3, Unit::Milliseconds)
    }
}

impl Display for Figure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { value, unit } = *self;
        match unit {
            Unit::Milliseconds if value >= 100.0 => write!(formatter, "{value:.0} ms"),
            Unit::Milliseconds => write!(formatter, "{value:.2} ms"),
            Unit::Megabytes => write!(formatter, "{value:.1} MB"),
            Unit::PerSecond => write!(formatter, "{value:.0} a second"),
            Unit::Requests => write!(formatter, "{value} requests"),
            Unit::Items => write!(formatter, "{value} items"),
            Unit::ReadUnits => write!(formatter, "{value:.1} units"),
            Unit::Errors => write!(formatter, "{value} errors"),
            Unit::Records => write!(formatter, "{value} records"),
            Unit::Times => write!(formatter, "{value:.2} ×"),
        }
    }
}

/// The target of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Limit {
    AtMost(Figure),
    AtLeast(Figure),
}

impl Display for Limit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtMost(figure) => write!(formatter, "≤ {figure}"),
            Self::AtLeast(figure) => write!(formatter, "≥ {figure}"),
        }
    }
}

/// The measured times of a task.
#[derive(Debug, Clone, Default)]
pub struct Times(Vec<Duration>);

impl Times {
    /// Creates an empty list.
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// Adds a time.
    pub fn push(&mut self, time: Duration) {
        self.0.push(time);
    }

    /// Adds the times of another list.
    pub fn extend(&mut self, others: &Self) {
        self.0.extend(&others.0);
    }

    /// The number of times.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The median, or zero if the list is empty.
    pub fn median(&self) -> Duration {
        self.quantile(0.5)
    }

    /// The 99th percentile.
    pub fn p99(&self) -> Duration {
        self.quantile(0.99)
    }

    /// The quantile of `part`, from 0 to 1.
    pub fn quantile(&self, part: f64) -> Duration {
        let mut times = self.0.clone();
        times.sort_unstable();
        let place = (part * times.len() as f64) as usize;
        let last = times.len().saturating_sub(1);
        times.get(place.min(last)).copied().unwrap_or_default()
    }
}

/// A line of the table.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// The name of the bar, for `--only`.
    bar: &'static str,
    work: String,
    measured: Figure,
    #[serde(skip_serializing_if = "Option::is_none")]
    p99: Option<Figure>,
    /// The name and the figure of the baseline.
    #[serde(skip_serializing_if = "Option::is_none")]
    yardstick: Option<(String, Figure)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ratio: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    requests: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    read_units: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<Limit>,
    /// Whether the target is met; `None` without a target.
    #[serde(skip_serializing_if = "Option::is_none")]
    holds: Option<bool>,
}

impl Line {
    /// Creates a line without a baseline.
    pub fn new(bar: &'static str, work: impl Into<String>, measured: Figure) -> Self {
        Self {
            bar,
            work: work.into(),
            measured,
            p99: None,
            yardstick: None,
            ratio: None,
            requests: None,
            read_units: None,
            limit: None,
            holds: None,
        }
    }

    /// Creates a line with the median and the p99 of times.
    pub fn times(bar: &'static str, work: impl Into<String>, times: &Times) -> Self {
        Self {
            p99: Some(Figure::time(times.p99())),
            ..Self::new(bar, work, Figure::time(times.median()))
        }
    }

    /// Adds a baseline. The target then applies to the ratio.
    pub fn compared_with(mut self, name: impl Into<String>, figure: Figure) -> Self {
        self.ratio = Some(self.measured.value / figure.value);
        self.yardstick = Some((name.into(), figure));
        self
    }

    /// Adds the median of times as the baseline.
    pub fn compared_with_times(self, name: impl Into<String>, times: &Times) -> Self {
        self.compared_with(name, Figure::time(times.median()))
    }

    /// Adds the usage of DynamoDB.
    pub fn using(mut self, usage: Usage) -> Self {
        self.requests = Some(usage.requests);
        self.read_units = Some(usage.capacity_units);
        self
    }

    /// Sets the target to at most a value: a multiple of the baseline, or in the figure's unit.
    pub fn at_most(self, value: f64) -> Self {
        let holds = self.target_figure().value <= value;
        let limit = Limit::AtMost(Figure::new(value, self.target_figure().unit));
        self.with_limit(limit, holds)
    }

    /// Sets the target to at least a value, in the same unit as [`Self::at_most`].
    pub fn at_least(self, value: f64) -> Self {
        let holds = self.target_figure().value >= value;
        let limit = Limit::AtLeast(Figure::new(value, self.target_figure().unit));
        self.with_limit(limit, holds)
    }

    fn with_limit(mut self, limit: Limit, holds: bool) -> Self {
        self.limit = Some(limit);
        self.holds = Some(holds);
        self
    }

    /// The figure to which the target applies.
    fn target_figure(&self) -> Figure {
        match self.ratio {
            Some(ratio) => Figure::new(ratio, Unit::Times),
            None => self.measured,
        }
    }
}

/// A table that is printed while the measurements run.
#[derive(Debug)]
pub struct Report {
    lines: Vec<Line>,
    /// The JSON file.
    file: Option<PathBuf>,
}

impl Report {
    /// Prints the heading. Lines that are added later are also written into the file, as a
    /// JSON array.
    pub fn begin(file: Option<&Path>) -> Self {
        println!(
            "| bar | work | measured | p99 | compared with | ratio | requests | read units | \
             target | met |"
        );
        println!("| --- | --- | ---: | ---: | --- | ---: | ---: | ---: | ---: | --- |");
        Self {
            lines: Vec::new(),
            file: file.map(Path::to_owned),
        }
    }

    /// Adds lines, and prints them.
    ///
    /// # Errors
    /// Returns an error if the file cannot be written.
    pub fn add(&mut self, lines: Vec<Line>) -> Result<(), Failure> {
        for line in &lines {
            print(line);
        }
        self.lines.extend(lines);
        // The file is rewritten each time, so an interrupted program leaves its figures.
        let Some(file) = &self.file else {
            return Ok(());
        };
        let file = File::create(file).map_err(failure)?;
        serde_json::to_writer_pretty(file, &self.lines).map_err(failure)
    }

    /// Prints whether all targets are met.
    ///
    /// # Errors
    /// Returns an error that lists the missed targets.
    pub fn end(&self) -> Result<(), Failure> {
        let missed: Vec<_> = self
            .lines
            .iter()
            .filter(|line| line.holds == Some(false))
            .map(|line| format!("{}: {}", line.bar, line.work))
            .collect();
        let bars = self.lines.iter().filter(|line| line.holds.is_some());
        let bars = bars.count();
        match missed.len() {
            0 => {
                println!("\nAll {bars} targets are met.");
                Ok(())
            }
            count => Err(Failure(format!(
                "{count} of {bars} targets are missed: {}",
                missed.join("; ")
            ))),
        }
    }
}

fn print(line: &Line) {
    let or_nothing = |text: Option<String>| text.unwrap_or_default();
    let yardstick = line.yardstick.as_ref();
    println!(
        "| `{}` | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
        line.bar,
        line.work,
        line.measured,
        or_nothing(line.p99.map(|p99| p99.to_string())),
        or_nothing(yardstick.map(|(name, figure)| format!("{name}: {figure}"))),
        or_nothing(line.ratio.map(|ratio| format!("{ratio:.2}"))),
        or_nothing(line.requests.map(|requests| requests.to_string())),
        or_nothing(line.read_units.map(|units| format!("{units:.1}"))),
        or_nothing(line.limit.map(|limit| limit.to_string())),
        match line.holds {
            Some(true) => "yes",
            Some(false) => "**no**",
            None => "",
        },
    );
}
