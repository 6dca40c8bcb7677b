//! HTTP over a socket, for servers that run as processes.

use std::path::Path;
use std::process::{Command, Stdio};

use axum::http::{Method, Request, Response};
use serde_json::Value;

use super::process::admin_token;

/// An answer over a socket.
pub struct SocketAnswer {
    pub status: u16,
    pub body: Vec<u8>,
}

impl SocketAnswer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }
}

fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder().http_status_as_error(false);
    config.build().into()
}

fn answer(response: Result<Response<ureq::Body>, ureq::Error>) -> SocketAnswer {
    let mut response = response.expect("an answer");
    let body = response
        .body_mut()
        .with_config()
        .limit(1 << 30)
        .read_to_vec();
    SocketAnswer {
        status: response.status().as_u16(),
        body: body.expect("a body"),
    }
}

/// Sends a GET with a token.
pub fn get(url: &str, token: &str) -> SocketAnswer {
    let request = agent()
        .get(url)
        .header("Authorization", format!("Bearer {token}"));
    answer(request.call())
}

/// Sends a DELETE with a token. Returns an error if the connection breaks.
pub fn delete(url: &str, token: &str) -> Result<u16, ureq::Error> {
    let request = agent()
        .delete(url)
        .header("Authorization", format!("Bearer {token}"));
    Ok(request.call()?.status().as_u16())
}

/// Sends a request with a token, and with a body for methods that have one. Returns an error
/// if the connection breaks.
pub fn call(
    method: Method,
    url: &str,
    token: &str,
    body: &Value,
) -> Result<SocketAnswer, ureq::Error> {
    let request = Request::builder()
        .method(&method)
        .uri(url)
        .header("Authorization", format!("Bearer {token}"))
        .header("Content-Type", "application/json");
    let mut response = match method {
        Method::POST | Method::PUT => {
            agent().run(request.body(body.to_string()).expect("a request"))
        }
        _ => agent().run(request.body(()).expect("a request")),
    }?;
    Ok(SocketAnswer {
        status: response.status().as_u16(),
        body: response.body_mut().read_to_vec()?,
    })
}

/// Sends a POST.
pub fn post(url: &str, headers: &[(&str, &str)], body: &str) -> SocketAnswer {
    let mut request = agent().post(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    answer(request.send(body))
}

/// Runs a printed line with curl in the server's folder, as a person does. Without curl, it
/// sends a GET to the address in the line.
pub fn paste(folder: &Path, line: &str) -> Value {
    let curl = Command::new("curl")
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    if curl.is_ok_and(|status| status.success()) {
        let output = Command::new("sh")
            .args(["-c", line])
            .current_dir(folder)
            .output()
            .expect("sh runs");
        return serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {line}: {output:?}"));
    }
    let url = line.split('\'').nth(1).expect("an address");
    get(url, &admin_token(folder)).json()
}
