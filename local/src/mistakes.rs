//! Clients that use the wrong protocol for a port, such as an exporter for gRPC on the port of
//! the HTTP API. Their libraries report little more than a broken connection. So the server
//! answers in the client's own protocol if it can, and logs a line.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use functions::problem::Problem;
use functions::traces::grpc::Code;

use crate::arrivals::{self, Arrivals};
use crate::grpc;
use crate::server::{guarded, new_request_id, refuse};

/// How often a mistake is logged. Exporters repeat it every few seconds.
const LOGGED_EVERY: Duration = Duration::from_secs(60);

/// A client that uses the wrong protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mistake {
    /// gRPC on the port of the HTTP API.
    Grpc,
    /// Something else than gRPC on the port for gRPC.
    NoGrpc,
    /// TLS, which neither port has.
    Tls,
}

/// Explains mistakes, and logs them.
#[derive(Debug)]
pub struct Mistakes {
    api_address: String,
    /// `None` if the server accepts no gRPC.
    grpc_address: Option<String>,
    /// Where the router's requests, and connections with TLS, are kept.
    arrivals: Arc<Arrivals>,
    /// When each mistake was logged.
    logged_at: [Mutex<Option<Instant>>; 3],
}

impl Mistakes {
    /// Explains mistakes to clients of a server with these addresses.
    pub fn new(api_address: String, grpc_address: Option<String>, arrivals: Arc<Arrivals>) -> Self {
        Self {
            api_address,
            grpc_address,
            arrivals,
            logged_at: Default::default(),
        }
    }

    /// What to do instead.
    pub fn message(&self, mistake: Mistake) -> String {
        let Self { api_address, .. } = self;
        match (mistake, &self.grpc_address) {
            (Mistake::Grpc, Some(grpc_address)) => format!(
                "The port of the HTTP API does not accept gRPC. Send OTLP over gRPC to \
                 {grpc_address}."
            ),
            (Mistake::Grpc, None) => "The port of the HTTP API does not accept gRPC. Send OTLP \
                                      over HTTP, with OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf, \
                                      or start the server with --grpc-port."
                .to_owned(),
            (Mistake::NoGrpc, _) => format!(
                "This port accepts only OTLP over gRPC. Send OTLP over HTTP to \
                 {api_address}/v1/traces, and other requests to {api_address}."
            ),
            (Mistake::Tls, _) => "The server does not accept TLS. Use http:// instead of https:// \
                                  in the address, and OTEL_EXPORTER_OTLP_INSECURE=true for gRPC."
                .to_owned(),
        }
    }

    /// Logs a mistake, unless it was logged a short time ago.
    pub fn log(&self, mistake: Mistake) {
        if !self.is_due(mistake, Instant::now()) {
            return;
        }
        let message = self.message(mistake);
        tracing::warn!("a client uses the wrong protocol: {message}");
        // The others are requests, which are kept with their answers.
        if mistake == Mistake::Tls {
            self.arrivals.add_refused("TLS", &message);
        }
    }

    /// Where requests are kept.
    pub(crate) fn arrivals(&self) -> Arc<Arrivals> {
        self.arrivals.clone()
    }

    fn is_due(&self, mistake: Mistake, now: Instant) -> bool {
        let logged_at = &self.logged_at[mistake as usize];
        let mut logged_at = logged_at.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = logged_at.is_none_or(|at| now >= at + LOGGED_EVERY);
        if is_due {
            *logged_at = Some(now);
        }
        is_due
    }
}

/// Answers requests over HTTP/2 on the port of the HTTP API.
pub fn router(mistakes: Arc<Mistakes>) -> Router {
    let arrivals = mistakes.arrivals();
    let router = Router::new().fallback(answer).with_state(mistakes);
    arrivals::recorded(guarded(router), arrivals)
}

async fn answer(State(mistakes): State<Arc<Mistakes>>, request: Request) -> Response {
    let request_id = new_request_id();
    if grpc::is_call(&request) {
        mistakes.log(Mistake::Grpc);
        let message = mistakes.message(Mistake::Grpc);
        return grpc::end(Code::Unimplemented, &message, &request_id);
    }
    let message = "This port accepts HTTP/1.1, and not HTTP/2.".to_owned();
    refuse(&Problem::WrongPort { message }, &request_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    const API: &str = "http://127.0.0.1:3000";

    #[test]
    fn each_mistake_is_logged_once_a_minute() {
        let mistakes = Mistakes::new(API.to_owned(), None, Arrivals::new());
        let now = Instant::now();
        assert!(mistakes.is_due(Mistake::Grpc, now));
        assert!(!mistakes.is_due(Mistake::Grpc, now + LOGGED_EVERY / 2));
        assert!(mistakes.is_due(Mistake::Tls, now));
        assert!(mistakes.is_due(Mistake::Grpc, now + LOGGED_EVERY));
        assert!(!mistakes.is_due(Mistake::Grpc, now + LOGGED_EVERY));
    }

    #[test]
    fn an_explanation_names_the_right_port() {
        let grpc = "http://127.0.0.1:4317".to_owned();
        let mistakes = Mistakes::new(API.to_owned(), Some(grpc), Arrivals::new());
        let message = mistakes.message(Mistake::Grpc);
        assert!(message.contains("http://127.0.0.1:4317"), "{message}");
        let message = mistakes.message(Mistake::NoGrpc);
        assert!(
            message.contains("http://127.0.0.1:3000/v1/traces"),
            "{message}"
        );
        let mistakes = Mistakes::new(API.to_owned(), None, Arrivals::new());
        let message = mistakes.message(Mistake::Grpc);
        assert!(message.contains("--grpc-port"), "{message}");
    }
}
