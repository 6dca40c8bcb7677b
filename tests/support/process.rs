//! The program `flowtrail`, started as a process.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::http;

/// The longest time that a test waits for something.
pub const DEADLINE: Duration = Duration::from_secs(120);

/// A running `flowtrail serve`, which ends with the test.
pub struct Server {
    child: Child,
    pub port: u16,
    pub table_port: u16,
    pub grpc_port: u16,
    /// The lines that it printed until it was ready.
    pub greeting: String,
    /// The token of an admin, from the data folder or, without one, of a session.
    token: String,
}

/// The command that runs the program in a folder.
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

/// The admin token of a folder in which a server was started.
pub fn admin_token(folder: &Path) -> String {
    let file = folder.join(".flowtrail/admin-token");
    std::fs::read_to_string(file).expect("a token")
}

/// Runs the program until it ends.
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

/// Sends a signal to a process.
fn send_signal(id: u32, signal: &str) {
    // The shell always has kill, also without the program of this name.
    let line = format!("kill {signal} {id}");
    let sent = Command::new("sh").args(["-c", &line]).status();
    assert!(sent.expect("sh runs").success());
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

impl Server {
    /// Starts a server in a folder, and waits until it is ready.
    pub fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut server = Self::start_with(flowtrail(folder), arguments);
        server.token = match arguments.contains(&"--endpoint-url") {
            true => server.exchange(server.code()).json()["token"]
                .as_str()
                .expect("a token")
                .to_owned(),
            false => admin_token(folder),
        };
        server
    }

    /// Starts a server with a command of [`flowtrail`], and waits until it is ready. It has no
    /// token.
    pub fn start_with(mut command: Command, arguments: &[&str]) -> Self {
        // With port 0, the server takes a free port, so that no other test can take it first.
        let mut child = command
            .args(["serve", "--port", "0", "--table-port", "0"])
            .args(["--grpc-port", "0"])
            .args(arguments)
            .spawn()
            .expect("started");
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        let mut greeting = String::new();
        // The three curl lines end the greeting.
        while greeting.matches("curl ").count() < 3 {
            if stdout.read_line(&mut greeting).expect("UTF-8") == 0 {
                let mut errors = String::new();
                if let Some(stderr) = &mut child.stderr {
                    stderr.read_to_string(&mut errors).expect("UTF-8");
                }
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
            grpc_port: port("gRPC "),
            greeting,
            token: String::new(),
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
        &self.token
    }

    /// The code of the printed sign-in link.
    pub fn code(&self) -> &str {
        let code = self.greeting.split("/#/sign-in?code=").nth(1);
        code.and_then(|rest| rest.split_whitespace().next())
            .expect("a code")
    }

    /// Exchanges the code of a sign-in link, as the console does.
    pub fn exchange(&self, code: &str) -> http::SocketAnswer {
        let body = serde_json::json!({ "code": code }).to_string();
        let headers = [("Content-Type", "application/json")];
        http::post(&self.url("/sign-in"), &headers, &body)
    }

    /// The address of a path of the API.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// The id of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Kills the server, like a crash.
    pub fn kill(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("ended");
    }

    /// Kills the server, and returns what it has written to standard error.
    pub fn kill_for_errors(mut self) -> String {
        self.child.kill().expect("killed");
        let mut errors = String::new();
        let stderr = self.child.stderr.as_mut().expect("piped");
        stderr.read_to_string(&mut errors).expect("UTF-8");
        errors
    }

    /// Sends a signal, and waits until the server has ended.
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

/// The Python that the tests use, if it has a module, which `package` contains. Without the
/// module, the test is skipped with a message. If `FLOWTRAIL_TEST_REQUIRE_ALL` is set, as in
/// CI, it fails.
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
