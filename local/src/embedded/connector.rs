//! The SDK's HTTP connector for the embedded engine in this process.

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;

use super::Embedded;

/// Passes requests of the SDK to the engine.
#[derive(Debug, Clone)]
pub(super) struct Connector {
    embedded: Embedded,
}

impl Connector {
    pub(super) fn new(embedded: Embedded) -> Self {
        Self { embedded }
    }

    async fn call(self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let target = target.to_owned();
        // The SDK never sends streams to DynamoDB.
        let body = request.into_body().bytes().unwrap_or_default().to_vec();
        let answer = self
            .embedded
            .request(target, body)
            .await
            .map_err(|failed| ConnectorError::other(failed.into(), None))?;
        http::Response::builder()
            .status(answer.status)
            .body(SdkBody::from(answer.body))
            .map_err(|error| ConnectorError::other(error.into(), None))?
            .try_into()
            .map_err(|error| ConnectorError::other(Box::new(error), None))
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::new(self.clone().call(request))
    }
}

impl HttpClient for Connector {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}
