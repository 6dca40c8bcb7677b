//! The server that the workers call.

use std::fmt::Debug;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Region};
use axum::http::Method;
use serde_json::Value;
use shared::store::Store;

use super::TABLE;
use crate::support::http;
use crate::support::process::Server;

/// The server of a worker, and what the worker shares with the test.
pub(super) struct Target<'a> {
    pub(super) store: Store,
    pub(super) api: String,
    pub(super) token: String,
    /// The number of acknowledged requests of all workers.
    acknowledged: &'a AtomicUsize,
    is_killed: &'a AtomicBool,
}

impl<'a> Target<'a> {
    pub(super) fn new(
        server: &Server,
        acknowledged: &'a AtomicUsize,
        is_killed: &'a AtomicBool,
    ) -> Self {
        let endpoint_url = format!("http://127.0.0.1:{}", server.table_port);
        // Without retries, because the test is about requests without an answer.
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("local"))
            .credentials_provider(shared::config::local_credentials())
            .endpoint_url(endpoint_url)
            .retry_config(RetryConfig::disabled())
            .build();
        Self {
            store: Store::new(Client::from_conf(config), TABLE),
            api: format!("http://127.0.0.1:{}", server.port),
            token: server.token().to_owned(),
            acknowledged,
            is_killed,
        }
    }

    /// The answer of a request; `None` if the server was killed before it answered.
    pub(super) fn settle<T, E: Debug>(&self, result: Result<T, E>) -> Option<T> {
        match result {
            Ok(answer) => {
                self.acknowledged.fetch_add(1, Ordering::Relaxed);
                Some(answer)
            }
            Err(error) => {
                assert!(
                    self.is_killed.load(Ordering::SeqCst),
                    "the server was not killed: {error:?}"
                );
                None
            }
        }
    }

    /// Calls the API, which must answer with one of these statuses.
    pub(super) fn call(
        &self,
        method: Method,
        path: &str,
        body: &Value,
        statuses: &[u16],
    ) -> Option<Value> {
        let url = format!("{}{path}", self.api);
        let answer = self.settle(http::call(method, &url, &self.token, body))?;
        let body = String::from_utf8_lossy(&answer.body);
        assert!(
            statuses.contains(&answer.status),
            "{path}: {}: {body}",
            answer.status
        );
        // The body for an exporter of traces is empty.
        Some(serde_json::from_slice(&answer.body).unwrap_or_default())
    }
}
