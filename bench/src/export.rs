//! Exports: the time until their first byte, their speed, and their memory, which must be the
//! same at ten times the size.

use std::io::Read;
use std::time::{Duration, Instant};

use local::terminal::Failure;
use shared::counters::Counter;

use crate::load::{self, STEPS, TEAM};
use crate::measure::failure;
use crate::report::{Figure, Line, Unit};
use crate::server::{Memory, Server};
use crate::table::{Table, TableLocation};

const NAME: &str = "export";

/// The target for the time until the first byte, in milliseconds.
const FIRST_BYTE_MS: f64 = 200.0;

/// The target for the server's memory above idle during an export, in MB.
const MEMORY_MB: f64 = 64.0;

/// The measured exports: name, query and content encoding.
const WORKS: &[(&str, &str, &str)] = &[
    ("CSV", "format=csv", "identity"),
    ("CSV, gzip", "format=csv", "gzip"),
    ("JSON", "format=json", "identity"),
];

/// The measurements of an export.
struct Measured {
    first_byte: Duration,
    whole: Duration,
    bytes: usize,
    /// `None` if the system does not report it.
    memory: Option<Memory>,
}

/// Measures exports of a number of executions, and of ten times as many.
///
/// # Errors
/// Returns an error if a request of a table or a server fails.
pub async fn run(place: &TableLocation, executions: u64) -> Result<Vec<Line>, Failure> {
    let mut lines = Vec::new();
    for executions in [executions, executions * 10] {
        let table = place.create(&format!("export-{executions}")).await?;
        let open = table.open().await?;
        load::load_with_steps(&open, executions, None).await?;
        // Exports need no totals. Without this flag, the first server would count the runs
        // before it serves, and all servers would follow the resulting changes while they
        // export.
        Counter::new(open.store()).set_complete().await?;
        drop(open);
        for (name, query, encoding) in WORKS {
            // Each export has a new server. Otherwise, the second export would start with
            // the memory of the first.
            let measured = export(&table, query, encoding)?;
            lines.extend(lines_of(name, executions, &measured));
        }
        table.remove().await?;
    }
    Ok(lines)
}

fn export(table: &Table, query: &str, encoding: &str) -> Result<Measured, Failure> {
    let server = Server::start(table)?;
    let path = |query: &str| format!("/api/executions/team/{TEAM}{query}");
    // The first request opens connections that stay open.
    read(server.get(&path("?size=1"), "identity")?)?;
    let idle = server.idle_kb();
    let begin = Instant::now();
    let query = format!("/export?days=60&{query}");
    let mut body = server.get(&path(&query), encoding)?;
    let mut first = [0];
    body.read_exact(&mut first).map_err(failure)?;
    let first_byte = begin.elapsed();
    let bytes = read(body)? + 1;
    Ok(Measured {
        first_byte,
        whole: begin.elapsed(),
        bytes,
        memory: server.memory_since(idle),
    })
}

/// Reads a body to its end. Returns the number of bytes.
fn read(mut body: impl Read) -> Result<usize, Failure> {
    let mut buffer = vec![0; 64 * 1024];
    let mut bytes = 0;
    loop {
        match body.read(&mut buffer).map_err(failure)? {
            0 => return Ok(bytes),
            more => bytes += more,
        }
    }
}

fn lines_of(name: &str, executions: u64, measured: &Measured) -> Vec<Line> {
    let megabytes = measured.bytes as f64 / 1e6;
    let work = |of: &str| format!("{name}, {executions} runs, {megabytes:.0} MB: {of}");
    let rows = (executions * STEPS) as f64 / measured.whole.as_secs_f64();
    let mut lines = vec![
        Line::new(NAME, work("first byte"), Figure::time(measured.first_byte))
            .at_most(FIRST_BYTE_MS),
        Line::new(NAME, work("rows"), Figure::new(rows, Unit::PerSecond)),
    ];
    if let Some(memory) = &measured.memory {
        let above = Figure::new(memory.above_mb(), Unit::Megabytes);
        lines.push(Line::new(NAME, work("memory above idle"), above).at_most(MEMORY_MB));
    }
    lines
}
