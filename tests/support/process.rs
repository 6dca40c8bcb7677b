//! The program `flowtrail` as a person starts it.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// How long a test waits for anything.
pub const DEADLINE: Duration = Duration::from_secs(120);

/// A running `flowtrail serve`, ended with the test.
pub struct Server {
    child: Child,
    pub port: u16,
    pub table_port: u16,
    /// What it has printed once it was ready.
    pub greeting: String,
}

/// The program, in a folder.
pub fn flowtrail(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flowtrail"));
    command
        .current_dir(folder)
        .env_remove("FLOWTRAIL_TABLE")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs the program to its end, which comes soon.
pub fn run(folder: &Path, arguments: &[&str]) -> Output {
    let child = flowtrail(folder).args(arguments).spawn().expect("started");
    let id = child.id();
    let (ended, end) = mpsc::channel();
    std::thread::spawn(move || ended.send(child.wait_with_output()));
    match end.recv_timeout(DEADLINE) {
        Ok(output) => output.expect("read"),
        Err(_) => {
            send_signal(id, "-KILL");
            panic!("flowtrail {} does not end", arguments.join(" "));
        }
    }
}

/// Sends a signal by its name.
fn send_signal(id: u32, signal: &str) {
    // The shell's own kill is there where the program of that name is not.
    let line = format!("kill {signal} {id}");
    let sent = Command::new("sh").args(["-c", &line]).status();
    assert!(sent.expect("sh runs").success());
}

/// A port that nobody had a moment ago.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

impl Server {
    /// Starts a server in a folder, and waits until it is ready.
    pub fn start(folder: &Path, arguments: &[&str]) -> Self {
        // Port 0 is any that is free, so that no other test can be faster.
        let mut child = flowtrail(folder)
            .args(["serve", "--port", "0", "--table-port", "0"])
            .args(arguments)
            .spawn()
            .expect("started");
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        let mut greeting = String::new();
        // The three curl lines end the greeting.
        while greeting.matches("curl ").count() < 3 {
            if stdout.read_line(&mut greeting).expect("UTF-8") == 0 {
                let mut errors = String::new();
                let stderr = child.stderr.as_mut().expect("piped");
                stderr.read_to_string(&mut errors).expect("UTF-8");
                panic!("the server has ended: {errors}");
            }
        }
        let port = |name: &str| {
            let line = greeting.lines().find(|line| line.contains(name));
            let address = line.and_then(|line| {
                line.split_whitespace()
                    .find(|word| word.starts_with("http"))
            });
            let port = address.and_then(|address| address.rsplit(':').next());
            port.and_then(|port| port.parse().ok()).expect("a port")
        };
        Self {
            child,
            port: port("HTTP API"),
            table_port: port("Table "),
            greeting,
        }
    }

    /// The printed lines with curl.
    pub fn curl_lines(&self) -> Vec<&str> {
        self.greeting
            .lines()
            .map(str::trim)
            .filter(|line| line.starts_with("curl "))
            .collect()
    }

    pub fn token(&self) -> &str {
        let line = self
            .greeting
            .lines()
            .find(|line| line.contains("Admin token"));
        line.and_then(|line| line.split_whitespace().last())
            .expect("a token")
    }

    /// The address of a path of the API.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// The id of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends the server at once, as a crash does.
    pub fn kill(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("ended");
    }

    /// Sends a signal by its name, and waits for the end.
    pub fn end_with(mut self, signal: &str) -> std::process::ExitStatus {
        send_signal(self.child.id(), signal);
        let deadline = Instant::now() + DEADLINE;
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status;
            }
            assert!(Instant::now() < deadline, "the server does not end");
            std::thread::yield_now();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The Python that the tests use, if it has boto3.
pub fn python() -> Option<String> {
    python_with("boto3", "boto3")
}

/// The Python that the tests use, if it has a module, of this package. Without it a test
/// says so and is not run, unless `FLOWTRAIL_TEST_REQUIRE_ALL` is set, as in CI.
pub fn python_with(module: &str, package: &str) -> Option<String> {
    let python = std::env::var("FLOWTRAIL_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let has_module = Command::new(&python)
        .args(["-c", &format!("import {module}")])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if has_module {
        return Some(python);
    }
    let must = std::env::var_os("FLOWTRAIL_TEST_REQUIRE_ALL").is_some();
    assert!(
        !must,
        "{python} has no {package}, and every test is required"
    );
    eprintln!("not run: {python} has no {module} (pip install {package})");
    None
}
