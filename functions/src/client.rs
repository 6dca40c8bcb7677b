//! The AWS SDK clients of a Lambda function.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{
    BehaviorVersion, Region, SharedCredentialsProvider, SharedHttpClient,
};
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use shared::config::{retries, timeouts};

use crate::xray::Xray;

/// Creates the DynamoDB client of a function. It starts fast, because callers wait for the start.
///
/// Region and credentials come from the environment, where Lambda puts them. The SDK's other
/// sources (profiles, containers, other roles) are not linked: they would be a tenth of a binary.
///
/// The client trusts only [`AMAZON_TRUST_SERVICES`], because reading the system's more than 140
/// certificates takes half of the start. If the environment names an endpoint or certificates, or
/// if the AWS partition uses other certificates, the client trusts the system's certificates, as
/// every AWS SDK does.
///
/// If X-Ray traces the invocation, each operation is reported to it ([`Xray`]).
pub fn client() -> Client {
    let config = sdk_config("AWS_ENDPOINT_URL_DYNAMODB", timeouts(), retries());
    let mut config = aws_sdk_dynamodb::config::Builder::from(&config);
    if let Some(xray) = Xray::from_environment() {
        config = config.interceptor(xray);
    }
    Client::from_conf(config.build())
}

/// Creates the client for AWS Step Functions: like [`client`], but with longer timeouts and more
/// retries, because no caller waits for it. A page of a history may be large, and Step Functions
/// throttles the requests if many executions end at the same time.
pub fn step_functions() -> aws_sdk_sfn::Client {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(2))
        .operation_attempt_timeout(Duration::from_secs(30))
        .operation_timeout(Duration::from_secs(90))
        .build();
    let retries = RetryConfig::standard().with_max_attempts(6);
    let config = sdk_config("AWS_ENDPOINT_URL_SFN", timeouts, retries);
    aws_sdk_sfn::Client::new(&config)
}

/// The configuration that the clients share. `endpoint_variable` is the environment variable with
/// the endpoint of the service.
fn sdk_config(endpoint_variable: &str, timeouts: TimeoutConfig, retries: RetryConfig) -> SdkConfig {
    let variable = |name: &str| std::env::var(name).ok();
    let first = |names: [&str; 2]| names.into_iter().find_map(variable);
    let is_on = |name| Some(variable(name)?.eq_ignore_ascii_case("true"));
    let region = first(["AWS_REGION", "AWS_DEFAULT_REGION"]);
    let credentials = EnvironmentVariableCredentialsProvider::new();
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(region.map(Region::new))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .timeout_config(timeouts)
        .retry_config(retries);
    config.set_endpoint_url(first([endpoint_variable, "AWS_ENDPOINT_URL"]));
    config.set_use_fips(is_on("AWS_USE_FIPS_ENDPOINT"));
    config.set_use_dual_stack(is_on("AWS_USE_DUALSTACK_ENDPOINT"));
    if uses_only_amazon(endpoint_variable, variable) {
        config = config.http_client(amazon_http_client());
    }
    config.build()
}

/// The root certificates of AWS's endpoints, from
/// <https://www.amazontrust.com/repository/>.
const AMAZON_TRUST_SERVICES: &[u8] = include_bytes!("../certificates/amazon-trust-services.pem");

/// Whether the client connects only to AWS's own endpoints, with certificates that are built in.
fn uses_only_amazon(endpoint_variable: &str, variable: impl Fn(&str) -> Option<String>) -> bool {
    let names_its_own = [
        "AWS_ENDPOINT_URL",
        endpoint_variable,
        "SSL_CERT_DIR",
        "SSL_CERT_FILE",
    ]
    .iter()
    .any(|name| variable(name).is_some());
    // China, the European Sovereign Cloud, and the isolated regions.
    let is_elsewhere = variable("AWS_REGION").is_some_and(|region| {
        region.starts_with("cn-") || region.starts_with("eusc-") || region.contains("-iso")
    });
    !names_its_own && !is_elsewhere
}

/// An HTTP client that trusts only [`AMAZON_TRUST_SERVICES`].
fn amazon_http_client() -> SharedHttpClient {
    let trusted = TrustStore::empty().with_pem_certificate(AMAZON_TRUST_SERVICES);
    let mut builder =
        aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc));
    // The builder returns a `Result`, but does not fail with these settings.
    if let Ok(context) = TlsContext::builder().with_trust_store(trusted).build() {
        builder = builder.tls_context(context);
    }
    builder.build_https()
}

#[cfg(test)]
mod tests {
    use base64::prelude::{BASE64_STANDARD, Engine};
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn the_certificates_match_the_published_fingerprints() {
        let published = [
            "8ecde6884f3d87b1125ba31ac3fcb13d7016de7f57cc904fe1cb97c6ae98196e",
            "1ba5b2aa8c65401a82960118f80bec4f62304d83cec4713a19c39c011ea46db4",
            "18ce6cfe7bf14e60b2e347b8dfe868cb31d02ebb3ada271569f50343b46db3a4",
            "e35d28419ed02025cfa69038cd623962458da5c695fbdea3c22b0bfb25897092",
            "568d6905a2c88708a4b3025190edcfedb1974a606a13c6e5290fcb2ae63edab5",
        ];
        let text = str::from_utf8(AMAZON_TRUST_SERVICES).expect("a text");
        let fingerprint = |certificate: &str| {
            let (body, _) = certificate.split_once("-----END").expect("an end");
            let der = BASE64_STANDARD
                .decode(body.replace('\n', ""))
                .expect("base64");
            let hash = Sha256::digest(der);
            hash.iter().map(|byte| format!("{byte:02x}")).collect()
        };
        let certificates = text.split("-----BEGIN CERTIFICATE-----").skip(1);
        let found: Vec<String> = certificates.map(fingerprint).collect();
        assert_eq!(found, published);
    }

    #[test]
    fn own_endpoints_or_certificates_use_the_system_trust_store() {
        let is_only_amazon = |variables: &[(&str, &str)]| {
            uses_only_amazon("AWS_ENDPOINT_URL_DYNAMODB", |name| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            })
        };
        assert!(is_only_amazon(&[]));
        assert!(is_only_amazon(&[("AWS_REGION", "eu-west-1")]));
        for variable in [
            ("AWS_REGION", "cn-north-1"),
            ("AWS_REGION", "eusc-de-east-1"),
            ("AWS_REGION", "us-isob-east-1"),
            ("AWS_ENDPOINT_URL", "https://table.example.com"),
            ("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:8000"),
            ("SSL_CERT_FILE", "/etc/ssl/own.pem"),
            ("SSL_CERT_DIR", "/etc/ssl/own"),
        ] {
            assert!(!is_only_amazon(&[variable]), "{variable:?}");
        }
    }
}
