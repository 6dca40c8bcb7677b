//! The log of the Lambda functions: one line of JSON for each event.

use std::fmt;
use std::io::stdout;

use serde::Serializer;
use serde::ser::SerializeMap;
use shared::model::Timestamp;
use tracing::{Event, Level, Subscriber};
use tracing_serde::{AsSerde, SerdeMapVisitor};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, MakeWriter};
use tracing_subscriber::registry::LookupSpan;

use crate::metrics;

/// Starts logging to standard output, from the level in Lambda's configuration.
pub fn begin(table: &str) {
    let level = std::env::var("AWS_LAMBDA_LOG_LEVEL");
    let level = level.ok().and_then(|level| level.parse().ok());
    let subscriber = subscriber(table, level.unwrap_or(Level::INFO), stdout);
    // A subscriber exists already only if a program has two main functions.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// The subscriber that writes the log lines of a function for this table.
pub fn subscriber<W>(table: &str, level: Level, writer: W) -> impl Subscriber + use<W>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(writer)
        .event_format(LineFormat {
            table: table.to_owned(),
        })
        .finish()
}

/// Formats an event as one line: its time, its level and its fields. A line with metrics also
/// has the directive by which CloudWatch counts them.
///
/// Lambda treats a line without a time as `INFO`, and would drop an error if its log level is
/// higher. The runtime crate's own subscriber omits the time.
struct LineFormat {
    table: String,
}

impl LineFormat {
    fn line(&self, event: &Event<'_>) -> serde_json::Result<Vec<u8>> {
        let mut line = Vec::with_capacity(512);
        let mut serializer = serde_json::Serializer::new(&mut line);
        let mut members = serializer.serialize_map(None)?;
        members.serialize_entry("timestamp", &Timestamp::now())?;
        members.serialize_entry("level", &event.metadata().level().as_serde())?;
        let mut fields = SerdeMapVisitor::new(members);
        event.record(&mut fields);
        let mut members = fields.take_serializer()?;
        if event.metadata().target() == metrics::TARGET {
            for (name, value) in metrics::directive(&self.table, metrics::OF_AN_ANSWER) {
                members.serialize_entry(name, &value)?;
            }
        }
        members.end()?;
        Ok(line)
    }
}

impl<S, N> FormatEvent<S, N> for LineFormat
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let line = self.line(event).map_err(|_| fmt::Error)?;
        let line = str::from_utf8(&line).map_err(|_| fmt::Error)?;
        writeln!(writer, "{line}")
    }
}
