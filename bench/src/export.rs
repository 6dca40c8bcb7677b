//! Exports: how soon they begin, how fast they are, and that they take the same
//! memory at ten times the size.
//!
//! The server is a process of its own, so that its memory is its own; it is asked
//! over a socket, as any server is.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use functions::app::App;
use local::embedded::Embedded;
use local::terminal::Failure;
use shared::store::Store;

use crate::load::{self, STEPS, TABLE};
use crate::measure::{self, failure, memory_kb};

/// What is exported, and how it is packed.
const WORKS: &[(&str, &str, &str)] = &[
    ("CSV", "format=csv", "identity"),
    ("CSV, gzip", "format=csv", "gzip"),
    ("JSON", "format=json", "identity"),
];

/// What an export was seen to take.
struct Measured {
    first_byte: Duration,
    whole: Duration,
    bytes: usize,
    /// In KB, where the system tells.
    memory: Option<Memory>,
}

struct Memory {
    idle: u64,
    peak: u64,
}

/// A server that ends with this.
struct Server {
    child: Child,
    url: String,
    token: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Serves the table of a file, and prints where, and a token.
pub async fn serve(file: &Path) -> Result<(), Failure> {
    let embedded = Embedded::open(file).map_err(failure)?;
    let store = Store::new(embedded.client(), TABLE);
    let token = measure::token(&store).await?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .map_err(failure)?;
    let address = listener.local_addr().map_err(failure)?;
    println!("http://{address} {token}");
    let router = local::server::router(Arc::new(App::new(store)));
    axum::serve(listener, router).await.map_err(failure)
}

/// Measures exports of so many executions, and of ten times as many.
pub async fn run(executions: u64) -> Result<(), Failure> {
    let folder = tempfile::tempdir().map_err(failure)?;
    println!(
        "{:12} {:>12} {:>14} {:>12} {:>10} {:>10} {:>14}",
        "", "executions", "first byte ms", "rows/second", "MB", "idle MB", "peak above MB"
    );
    for executions in [executions, executions * 10] {
        let file = folder.path().join(format!("{executions}.db"));
        let embedded = Embedded::open(&file).map_err(failure)?;
        load::load_with_steps(&embedded, executions).await?;
        drop(embedded);
        for (name, query, encoding) in WORKS {
            // A server for each, or the second would begin with the memory of
            // the first.
            let server = start(&file)?;
            let measured = export(&server, query, encoding)?;
            print_line(name, executions, &measured);
        }
    }
    Ok(())
}

fn start(file: &Path) -> Result<Server, Failure> {
    let mut child = Command::new(std::env::current_exe().map_err(failure)?)
        .arg("serve")
        .arg(file)
        .stdout(Stdio::piped())
        .spawn()
        .map_err(failure)?;
    let stdout = child.stdout.take();
    let mut line = String::new();
    if let Some(stdout) = stdout {
        BufReader::new(stdout)
            .read_line(&mut line)
            .map_err(failure)?;
    }
    let (url, token) = line.trim().split_once(' ').unwrap_or_default();
    Ok(Server {
        url: url.to_owned(),
        token: token.to_owned(),
        child,
    })
}

fn export(server: &Server, query: &str, encoding: &str) -> Result<Measured, Failure> {
    // The first request of all opens what stays open.
    read(server, "?size=1", "identity")?;
    let process = server.child.id();
    let idle = memory_kb(process, "VmRSS:");
    // Makes the peak so far what is resident now.
    let _ = std::fs::write(format!("/proc/{process}/clear_refs"), "5");
    let (first_byte, whole, bytes) = read(server, &format!("/export?days=60&{query}"), encoding)?;
    let peak = memory_kb(process, "VmHWM:");
    Ok(Measured {
        first_byte,
        whole,
        bytes,
        memory: idle.zip(peak).map(|(idle, peak)| Memory { idle, peak }),
    })
}

/// Asks for a path below that of the team's list: when the first byte came, when
/// the last, and how many there were.
fn read(
    server: &Server,
    path: &str,
    encoding: &str,
) -> Result<(Duration, Duration, usize), Failure> {
    let url = format!("{}/api/executions/team/{}{path}", server.url, load::TEAM);
    let begin = Instant::now();
    let answer = ureq::get(&url)
        .header("Authorization", format!("Bearer {}", server.token))
        .header("Accept-Encoding", encoding)
        .call();
    let mut answer = answer.map_err(failure)?;
    let mut body = answer.body_mut().as_reader();
    let mut buffer = vec![0; 64 * 1024];
    let mut bytes = body.read(&mut buffer).map_err(failure)?;
    let first_byte = begin.elapsed();
    loop {
        match body.read(&mut buffer).map_err(failure)? {
            0 => return Ok((first_byte, begin.elapsed(), bytes)),
            more => bytes += more,
        }
    }
}

fn print_line(name: &str, executions: u64, measured: &Measured) {
    let mb = |kb: u64| format!("{:.1}", kb as f64 / 1024.0);
    let memory = measured.memory.as_ref();
    let unknown = || "?".to_owned();
    println!(
        "{name:12} {executions:>12} {:>14.1} {:>12.0} {:>10.1} {:>10} {:>14}",
        measured.first_byte.as_secs_f64() * 1_000.0,
        (executions * STEPS) as f64 / measured.whole.as_secs_f64(),
        measured.bytes as f64 / (1024.0 * 1024.0),
        memory.map_or_else(unknown, |memory| mb(memory.idle)),
        memory.map_or_else(unknown, |memory| mb(memory
            .peak
            .saturating_sub(memory.idle))),
    );
}
