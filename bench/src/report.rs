//! What was measured, beside what it has to be: a line for each, printed as a table
//! and kept as JSON.

use std::fmt::{self, Display};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use local::terminal::Failure;
use serde::Serialize;
use shared::store::Usage;

use crate::measure::failure;

/// What a figure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Unit {
    /// Milliseconds.
    Milliseconds,
    /// Million bytes.
    Megabytes,
    /// Each second.
    PerSecond,
    /// Requests to DynamoDB.
    Requests,
    /// Items that DynamoDB has read.
    Items,
    /// Read units of DynamoDB.
    ReadUnits,
    /// What failed.
    Errors,
    /// What is left of what should be gone.
    Records,
    /// How many times another figure.
    Times,
}

/// A number with its unit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Figure {
    pub value: f64,
    pub unit: Unit,
}

impl Figure {
    /// A number of some unit.
    pub fn new(value: f64, unit: Unit) -> Self {
        Self { value, unit }
    }

    /// A time.
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

/// What a figure has to be.
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

/// The times that a piece of work has taken.
#[derive(Debug, Clone, Default)]
pub struct Times(Vec<Duration>);

impl Times {
    /// None as yet.
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// Adds one.
    pub fn push(&mut self, time: Duration) {
        self.0.push(time);
    }

    /// Adds those of another.
    pub fn extend(&mut self, others: &Self) {
        self.0.extend(&others.0);
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The time that half of them do not exceed; nothing where there are none.
    pub fn median(&self) -> Duration {
        self.quantile(0.5)
    }

    /// The time that all but one of a hundred do not exceed.
    pub fn p99(&self) -> Duration {
        self.quantile(0.99)
    }

    /// The time that so many of one do not exceed.
    pub fn quantile(&self, part: f64) -> Duration {
        let mut times = self.0.clone();
        times.sort_unstable();
        let place = (part * times.len() as f64) as usize;
        let last = times.len().saturating_sub(1);
        times.get(place.min(last)).copied().unwrap_or_default()
    }
}

/// One line of the table.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// What `--only` names.
    bar: &'static str,
    work: String,
    measured: Figure,
    #[serde(skip_serializing_if = "Option::is_none")]
    p99: Option<Figure>,
    /// What it is compared with, and the figure of that.
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
    /// `None` of what has no bar.
    #[serde(skip_serializing_if = "Option::is_none")]
    holds: Option<bool>,
}

impl Line {
    /// A figure that stands for itself.
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

    /// The median of some times, with their p99.
    pub fn times(bar: &'static str, work: impl Into<String>, times: &Times) -> Self {
        Self {
            p99: Some(Figure::time(times.p99())),
            ..Self::new(bar, work, Figure::time(times.median()))
        }
    }

    /// With what it is compared with. What has to hold is then the ratio of both.
    pub fn beside(mut self, name: impl Into<String>, figure: Figure) -> Self {
        self.ratio = Some(self.measured.value / figure.value);
        self.yardstick = Some((name.into(), figure));
        self
    }

    /// Compared with the median of some times.
    pub fn beside_times(self, name: impl Into<String>, times: &Times) -> Self {
        self.beside(name, Figure::time(times.median()))
    }

    /// With what DynamoDB was asked for it.
    pub fn using(mut self, usage: Usage) -> Self {
        self.requests = Some(usage.requests);
        self.read_units = Some(usage.capacity_units);
        self
    }

    /// With the most that it may be: times the yardstick, or of its own unit.
    pub fn at_most(self, value: f64) -> Self {
        let holds = self.compared().value <= value;
        let limit = Limit::AtMost(Figure::new(value, self.compared().unit));
        self.limited(limit, holds)
    }

    /// With the least that it has to be, likewise.
    pub fn at_least(self, value: f64) -> Self {
        let holds = self.compared().value >= value;
        let limit = Limit::AtLeast(Figure::new(value, self.compared().unit));
        self.limited(limit, holds)
    }

    fn limited(mut self, limit: Limit, holds: bool) -> Self {
        self.limit = Some(limit);
        self.holds = Some(holds);
        self
    }

    /// What the bar is about.
    fn compared(&self) -> Figure {
        match self.ratio {
            Some(ratio) => Figure::new(ratio, Unit::Times),
            None => self.measured,
        }
    }
}

/// A table that is printed while it comes about.
#[derive(Debug)]
pub struct Report {
    lines: Vec<Line>,
    /// Where they are kept as well.
    file: Option<PathBuf>,
}

impl Report {
    /// Prints the heading. What is added is written into the file as well, as a JSON
    /// array.
    pub fn begin(file: Option<&Path>) -> Self {
        println!(
            "| bar | work | measured | p99 | compared with | ratio | requests | read units | \
             has to be | holds |"
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
    /// The file cannot be written.
    pub fn add(&mut self, lines: Vec<Line>) -> Result<(), Failure> {
        for line in &lines {
            print(line);
        }
        self.lines.extend(lines);
        // Anew each time: what is interrupted has written what it has measured.
        let Some(file) = &self.file else {
            return Ok(());
        };
        let file = File::create(file).map_err(failure)?;
        serde_json::to_writer_pretty(file, &self.lines).map_err(failure)
    }

    /// Tells whether all bars hold.
    ///
    /// # Errors
    /// Those that do not.
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
                println!("\nAll {bars} bars hold.");
                Ok(())
            }
            count => Err(Failure(format!(
                "{count} of {bars} bars do not hold: {}",
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
