//! The SDK client: the address of DynamoDB, and timeouts.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{Credentials, Region};
use team::loopback::is_loopback;

/// The environment variable with the table's name.
pub const TABLE_VARIABLE: &str = "FLOWTRAIL_TABLE";

/// The default name of the table.
pub const DEFAULT_TABLE: &str = "flowtrail";

/// Creates a client for the DynamoDB at `endpoint_url` or, without one, for the one that the
/// environment configures: region, credentials and `AWS_ENDPOINT_URL_DYNAMODB`, as in every AWS
/// SDK.
///
/// An endpoint on this machine needs neither region nor credentials: DynamoDB Local accepts any.
pub async fn client(endpoint_url: Option<&str>) -> Client {
    Client::new(&sdk_config(endpoint_url).await)
}

/// The configuration of this client, for SDK clients of other services at the same address.
pub async fn sdk_config(endpoint_url: Option<&str>) -> SdkConfig {
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .timeout_config(timeouts())
        .retry_config(retries());
    if let Some(url) = endpoint_url {
        loader = loader.endpoint_url(url);
        let is_unset = |names: &[&str]| names.iter().all(|name| std::env::var_os(name).is_none());
        if is_loopback(url) && is_unset(&["AWS_ACCESS_KEY_ID"]) {
            loader = loader.credentials_provider(local_credentials());
        }
        if is_loopback(url) && is_unset(&["AWS_REGION", "AWS_DEFAULT_REGION"]) {
            loader = loader.region(Region::from_static("local"));
        }
    }
    loader.load().await
}

/// Credentials for an endpoint that does not check them.
pub fn local_credentials() -> Credentials {
    Credentials::new(
        "local",
        "local",
        None,
        None,
        "an endpoint that does not check them",
    )
}

/// The timeouts. They are short enough to report a failure of the table (503) before API Gateway's
/// limit of 29 seconds, including the SDK's retries.
pub fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1))
        .operation_attempt_timeout(Duration::from_secs(5))
        .operation_timeout(Duration::from_secs(15))
        .build()
}

/// Three attempts with jitter in between, in the SDK's standard mode.
pub fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(3)
}
