//! The SDK client: where DynamoDB is, and how long to wait for it.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{Credentials, Region};
use http::Uri;
use http::uri::Authority;

/// The environment variable with the table's name.
pub const TABLE_VARIABLE: &str = "FLOWTRAIL_TABLE";

/// The table's name where nothing names it.
pub const DEFAULT_TABLE: &str = "flowtrail";

/// A client for the DynamoDB at `endpoint_url`, or for the one that the
/// environment names: region, credentials and `AWS_ENDPOINT_URL_DYNAMODB` as
/// every AWS SDK reads them.
///
/// For an endpoint on this machine, region and credentials need not be set:
/// DynamoDB Local takes any.
pub async fn client(endpoint_url: Option<&str>) -> Client {
    Client::new(&sdk_config(endpoint_url).await)
}

/// The configuration of such a client, for the SDK's clients of other services
/// at the same place.
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

/// Credentials for an endpoint that checks none.
pub fn local_credentials() -> Credentials {
    Credentials::new("local", "local", None, None, "an endpoint that checks none")
}

/// Whether a URL's host is this machine.
pub fn is_loopback(url: &str) -> bool {
    let uri: Option<Uri> = url.parse().ok();
    let authority = uri.as_ref().and_then(Uri::authority);
    authority.is_some_and(|authority| is_loopback_authority(authority.as_str()))
}

/// Whether a `Host` header, or the `host:port` of a URL, names this machine.
pub fn is_loopback_authority(authority: &str) -> bool {
    let Ok(authority) = authority.parse::<Authority>() else {
        return false;
    };
    let host = authority.host();
    // Behind the host stands a port or nothing; before it, nobody's name.
    let is_whole = authority.as_str() == host
        || authority
            .port_u16()
            .is_some_and(|port| authority.as_str() == format!("{host}:{port}"));
    let host = host.trim_start_matches('[').trim_end_matches(']');
    is_whole && is_loopback_host(host)
}

fn is_loopback_host(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// Short enough that the table's trouble is told (503) before API Gateway's 29
/// seconds end, with room for the SDK's retries.
pub fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1))
        .operation_attempt_timeout(Duration::from_secs(5))
        .operation_timeout(Duration::from_secs(15))
        .build()
}

/// Three attempts with jitter between them, as the SDK's standard mode has it.
pub fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_looks_like_this_machine_is_not() {
        for authority in [
            "localhost",
            "localhost:8000",
            "127.0.0.1:80",
            "[::1]:8000",
            "[::1]",
        ] {
            assert!(is_loopback_authority(authority), "{authority}");
        }
        for authority in [
            "",
            "localhost:example.com",
            "127.0.0.1:80:example",
            "[::1].example.com",
            "localhost@example.com",
            "localhost:1@example.com",
            "localhost.",
        ] {
            assert!(!is_loopback_authority(authority), "{authority}");
        }
    }

    #[test]
    fn loopback_is_known_by_name_and_by_address() {
        for url in [
            "http://127.0.0.1:8000",
            "http://localhost:8000/",
            "http://[::1]:8000",
            "https://LOCALHOST",
        ] {
            assert!(is_loopback(url), "{url}");
        }
        for url in [
            "https://dynamodb.eu-west-1.amazonaws.com",
            "http://127.0.0.1.example.com:8000",
            "http://localhost.example.com",
            "http://[::1",
            "http://localhost:x@example.com",
            "http://[::1]@example.com",
            "localhost:8000/",
        ] {
            assert!(!is_loopback(url), "{url}");
        }
    }
}
