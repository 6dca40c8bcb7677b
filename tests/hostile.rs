//! Hostile requests and records: bombs, floods, manipulated paths and wrong values. Each gets
//! a clear refusal or an answer in bounded memory, while other requests are answered.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::support::process::{DEADLINE, Server};

mod bodies;
mod connections;
mod heads;
mod records;

/// The most memory, in bytes, that a server may need for any request. A server without
/// optimisations needs some 60 MB when idle.
const MAX_MEMORY: u64 = 500 << 20;

/// The peak memory of a process in bytes; `None` on systems that do not report it.
pub fn peak_memory(id: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024)
}

fn assert_modest(server: &Server) {
    if let Some(peak) = peak_memory(server.id()) {
        eprintln!("{} MB at most", peak >> 20);
        assert!(peak < MAX_MEMORY, "{peak} bytes");
    }
}

fn connect(port: u16) -> TcpStream {
    let socket = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port))).expect("connected");
    socket.set_read_timeout(Some(DEADLINE)).expect("a time");
    socket.set_write_timeout(Some(DEADLINE)).expect("a time");
    socket
}

/// Sends bytes unchanged, and returns the answer until the connection ends.
fn send(port: u16, bytes: &[u8]) -> String {
    let mut socket = connect(port);
    // The server may refuse before everything is sent.
    let _ = socket.write_all(bytes);
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// The status of an answer; 0 if it has none.
fn status(answer: &str) -> u16 {
    let status = answer.split_whitespace().nth(1);
    status
        .and_then(|status| status.parse().ok())
        .unwrap_or_default()
}

fn started() -> (tempfile::TempDir, Server) {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path(), &["--no-demo"]);
    (folder, server)
}
