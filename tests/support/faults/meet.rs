//! The effect of each fault on a request.

use std::time::Duration;

use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;

use super::responses::{bad_gateway, conflict, cut, error, half_taken, unprocessed};
use super::{Fault, Signals, broken};

/// Less than the timeout of an attempt of the SDK. Twice this time is more.
const SLOW: Duration = Duration::from_secs(3);

/// Sends a request that meets a fault.
pub(super) async fn meet(
    fault: Fault,
    inner: SharedHttpConnector,
    request: HttpRequest,
    operation: String,
    signals: Signals,
) -> Result<HttpResponse, ConnectorError> {
    match fault {
        Fault::None => inner.call(request).await,
        Fault::Unprocessed => Ok(unprocessed(&request)),
        Fault::HalfTaken => half_taken(&inner, request).await,
        Fault::Throttled => Ok(error(400, "ProvisionedThroughputExceededException")),
        Fault::LimitExceeded => Ok(error(400, "RequestLimitExceeded")),
        Fault::InternalError => Ok(error(500, "InternalServerError")),
        Fault::Expired => Ok(error(400, "ExpiredTokenException")),
        Fault::BadGateway => Ok(bad_gateway()),
        Fault::Conflict => Ok(conflict(&request, operation == "TransactWriteItems")),
        Fault::Cut => Ok(cut(inner.call(request).await?)),
        Fault::Unsent => broken(),
        Fault::Unanswered => {
            inner.call(request).await?;
            broken()
        }
        Fault::Delayed | Fault::Interrupted | Fault::CrashBefore | Fault::CrashAfter => {
            meet_signals(fault, inner, request, signals).await
        }
        Fault::Silent | Fault::Slow | Fault::TooSlow | Fault::Ghost => {
            meet_delay(fault, inner, request).await
        }
    }
}

/// Sends a request whose fault the test observes or ends.
async fn meet_signals(
    fault: Fault,
    inner: SharedHttpConnector,
    request: HttpRequest,
    signals: Signals,
) -> Result<HttpResponse, ConnectorError> {
    match fault {
        Fault::Delayed => {
            signals.crashed.notify_one();
            signals.continues.notified().await;
            inner.call(request).await
        }
        Fault::Interrupted => {
            let answer = inner.call(request).await;
            signals.crashed.notify_one();
            signals.continues.notified().await;
            answer
        }
        Fault::CrashAfter => {
            inner.call(request).await?;
            signals.crashed.notify_one();
            std::future::pending().await
        }
        _ => {
            signals.crashed.notify_one();
            std::future::pending().await
        }
    }
}

/// Sends a request whose answer, or whose effect, comes late or never.
async fn meet_delay(
    fault: Fault,
    inner: SharedHttpConnector,
    request: HttpRequest,
) -> Result<HttpResponse, ConnectorError> {
    match fault {
        Fault::Slow => {
            tokio::time::sleep(SLOW).await;
            inner.call(request).await
        }
        Fault::TooSlow => {
            let answer = inner.call(request).await;
            tokio::time::sleep(2 * SLOW).await;
            answer
        }
        Fault::Ghost => {
            tokio::spawn(async move {
                tokio::time::sleep(SLOW).await;
                let _ = inner.call(request).await;
            });
            broken()
        }
        _ => std::future::pending().await,
    }
}
