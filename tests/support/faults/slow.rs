//! A connection that is slow or silent.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

/// A connection on which every request takes the same time, or is never answered.
#[derive(Debug, Clone)]
pub struct Slow {
    inner: SharedHttpClient,
    /// `None` for no answer at all.
    delay: Arc<Mutex<Option<Duration>>>,
}

impl Slow {
    /// A copy of a client over a slow connection, at first without a delay.
    pub fn client(client: &Client) -> (Self, Client) {
        let default = || aws_smithy_http_client::Builder::new().build_http();
        let slow = Self {
            inner: client.config().http_client().unwrap_or_else(default),
            delay: Arc::new(Mutex::new(Some(Duration::ZERO))),
        };
        let config = client.config().to_builder().http_client(slow.clone());
        (slow, Client::from_conf(config.build()))
    }

    /// Sets the delay of each later request; `None`: no answer at all.
    pub fn take(&self, delay: Option<Duration>) {
        *self.delay.lock().expect("a lock") = delay;
    }
}

#[derive(Debug)]
struct SlowConnector {
    inner: SharedHttpConnector,
    slow: Slow,
}

impl HttpClient for Slow {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(SlowConnector {
            inner: self.inner.http_connector(settings, components),
            slow: self.clone(),
        })
    }
}

impl HttpConnector for SlowConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let delay = *self.slow.delay.lock().expect("a lock");
        let inner = self.inner.clone();
        HttpConnectorFuture::new(async move {
            match delay {
                None => std::future::pending().await,
                Some(delay) => tokio::time::sleep(delay).await,
            }
            inner.call(request).await
        })
    }
}
