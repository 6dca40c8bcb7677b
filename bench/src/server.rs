//! `flowtrail serve` in a separate process, so that its memory and processor time can be
//! measured. Requests are sent over a socket.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};

use local::cli::{Cli, Command as Subcommand, ServeArgs};
use local::terminal::Failure;

use crate::measure::{failure, memory_kb};
use crate::table::Table;

/// A server that is killed when this value is dropped.
pub struct Server {
    child: Child,
    /// Kept open, because the server fails to print after it is closed.
    _stdout: BufReader<ChildStdout>,
    /// The address of its API.
    pub url: String,
    /// The address of its table.
    pub table_url: String,
    /// The token of an admin's session.
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
    /// The peak above idle, in MB.
    pub fn above_mb(&self) -> f64 {
        self.peak.saturating_sub(self.idle) as f64 / 1024.0
    }
}

/// Runs `flowtrail serve` with the arguments of `bench serve`.
///
/// # Errors
/// Returns the error of `flowtrail serve`.
pub async fn serve(arguments: &[String]) -> Result<(), Failure> {
    use clap::Parser;
    let line = ["flowtrail", "serve"].map(str::to_owned);
    let line = line.iter().chain(arguments);
    match Cli::try_parse_from(line).map_err(failure)?.command {
        Some(Subcommand::Serve(args)) => serve_with(args).await,
        _ => Err(Failure("the command line is not `serve`".to_owned())),
    }
}

async fn serve_with(args: ServeArgs) -> Result<(), Failure> {
    local::serve::run(args).await
}

/// Signs in with the link that a server has printed. Returns the token of the session.
fn sign_in(url: &str, link: &str) -> Result<String, Failure> {
    let code = link.split_once("?code=").map_or("", |(_, code)| code);
    let mut answer = ureq::post(format!("{url}/sign-in"))
        .header("Content-Type", "application/json")
        .send(format!("{{\"code\":\"{code}\"}}"))
        .map_err(failure)?;
    let body = answer.body_mut().read_to_string().map_err(failure)?;
    let body: serde_json::Value = serde_json::from_str(&body).map_err(failure)?;
    Ok(body["token"].as_str().unwrap_or_default().to_owned())
}

/// Reads the greeting, which ends with three lines of curl.
fn read_greeting(stdout: &mut impl BufRead) -> Result<String, Failure> {
    let mut greeting = String::new();
    while greeting.matches("curl ").count() < 3 {
        if stdout.read_line(&mut greeting).map_err(failure)? == 0 {
            return Err(Failure("the server ended during its start".to_owned()));
        }
    }
    Ok(greeting)
}

impl Server {
    /// Starts a server for a table, which this process must have closed.
    ///
    /// # Errors
    /// Returns an error if the server does not start.
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
                "--grpc-port",
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
        let stdout = stdout.ok_or(Failure("the output of the server is missing".to_owned()))?;
        let mut stdout = BufReader::new(stdout);
        let greeting = read_greeting(&mut stdout)?;
        let after = |name: &str| {
            let line = greeting
                .lines()
                .find_map(|line| line.trim().strip_prefix(name));
            let word = line.and_then(|line| line.split_whitespace().next());
            word.unwrap_or_default().to_owned()
        };
        let url = after("HTTP API");
        Ok(Self {
            token: sign_in(&url, &after("Console"))?,
            url,
            table_url: after("Table"),
            _stdout: stdout,
            child,
        })
    }

    /// The id of its process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// The resident memory, in KB, if the system reports it. Resets the peak.
    pub fn idle_kb(&self) -> Option<u64> {
        let process = self.process();
        let idle = memory_kb(process, "VmRSS:");
        // This resets the peak to the resident memory.
        let _ = std::fs::write(format!("/proc/{process}/clear_refs"), "5");
        idle
    }

    /// The memory at idle, and the peak since then.
    pub fn memory_since(&self, idle: Option<u64>) -> Option<Memory> {
        let peak = memory_kb(self.process(), "VmHWM:");
        idle.zip(peak).map(|(idle, peak)| Memory { idle, peak })
    }

    /// Requests a path. Returns the body of the answer.
    ///
    /// # Errors
    /// Returns an error if the request is refused or the connection fails.
    pub fn get(&self, path: &str, encoding: &str) -> Result<impl Read + use<>, Failure> {
        let answer = ureq::get(format!("{}{path}", self.url))
            .header("Authorization", format!("Bearer {}", self.token))
            .header("Accept-Encoding", encoding)
            .call();
        Ok(answer.map_err(failure)?.into_body().into_reader())
    }
}
