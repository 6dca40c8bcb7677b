//! `flowtrail serve` in a process of its own, so that its memory and its time are its
//! own. It is asked over a socket, as any server is.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};

use local::cli::{Cli, Command as Subcommand, ServeArgs};
use local::terminal::Failure;

use crate::measure::{failure, memory_kb};
use crate::table::Table;

/// A server that ends with this.
pub struct Server {
    child: Child,
    /// Kept open, or the server could not print.
    _stdout: BufReader<ChildStdout>,
    /// The address of its API.
    pub url: String,
    /// The address of its table.
    pub table_url: String,
    /// Its admin token.
    pub token: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server's memory, in KB.
pub struct Memory {
    pub idle: u64,
    pub peak: u64,
}

impl Memory {
    /// How far the peak lies above, in MB.
    pub fn above_mb(&self) -> f64 {
        self.peak.saturating_sub(self.idle) as f64 / 1024.0
    }
}

/// Serves with the command line that follows `bench serve`.
///
/// # Errors
/// Those of `flowtrail serve`.
pub async fn serve(arguments: &[String]) -> Result<(), Failure> {
    use clap::Parser;
    let line = ["flowtrail", "serve"].map(str::to_owned);
    let line = line.iter().chain(arguments);
    match Cli::try_parse_from(line).map_err(failure)?.command {
        Some(Subcommand::Serve(args)) => serve_with(args).await,
        _ => Err(Failure("Nothing is to be served.".to_owned())),
    }
}

async fn serve_with(args: ServeArgs) -> Result<(), Failure> {
    local::serve::run(args).await
}

impl Server {
    /// Serves a table, once this process has closed it.
    ///
    /// # Errors
    /// It does not start.
    pub fn start(table: &Table) -> Result<Self, Failure> {
        let mut command = Command::new(std::env::current_exe().map_err(failure)?);
        command
            .args([
                "serve",
                "--",
                "--no-demo",
                "--port",
                "0",
                "--table-port",
                "0",
            ])
            .args(["--table", &table.name, "--data"])
            .arg(table.folder())
            .stdout(Stdio::piped());
        if let Some(url) = &table.endpoint_url {
            command.args(["--endpoint-url", url]);
        }
        let mut child = command.spawn().map_err(failure)?;
        let stdout = child.stdout.take();
        let stdout = stdout.ok_or(Failure("a server prints nothing".to_owned()))?;
        let mut stdout = BufReader::new(stdout);
        let mut greeting = String::new();
        // Three lines of curl end the greeting.
        while greeting.matches("curl ").count() < 3 {
            if stdout.read_line(&mut greeting).map_err(failure)? == 0 {
                return Err(Failure("a server has ended".to_owned()));
            }
        }
        let after = |name: &str| {
            let line = greeting
                .lines()
                .find_map(|line| line.trim().strip_prefix(name));
            let word = line.and_then(|line| line.split_whitespace().next());
            word.unwrap_or_default().to_owned()
        };
        Ok(Self {
            url: after("HTTP API"),
            table_url: after("Table"),
            token: after("Admin token"),
            _stdout: stdout,
            child,
        })
    }

    /// The number of its process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// What it has in memory now, in KB, where the system tells. The peak begins anew.
    pub fn idle_kb(&self) -> Option<u64> {
        let process = self.process();
        let idle = memory_kb(process, "VmRSS:");
        // Makes the peak so far what is resident now.
        let _ = std::fs::write(format!("/proc/{process}/clear_refs"), "5");
        idle
    }

    /// How far it has gone since it was idle.
    pub fn memory_since(&self, idle: Option<u64>) -> Option<Memory> {
        let peak = memory_kb(self.process(), "VmHWM:");
        idle.zip(peak).map(|(idle, peak)| Memory { idle, peak })
    }

    /// Asks for a path, and hands over the answer's body.
    ///
    /// # Errors
    /// It is refused, or the connection is cut.
    pub fn get(&self, path: &str, encoding: &str) -> Result<impl Read + use<>, Failure> {
        let answer = ureq::get(format!("{}{path}", self.url))
            .header("Authorization", format!("Bearer {}", self.token))
            .header("Accept-Encoding", encoding)
            .call();
        Ok(answer.map_err(failure)?.into_body().into_reader())
    }
}
