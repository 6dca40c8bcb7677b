//! The SDK clients of a Lambda function.

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

/// A client for a function, for whose start somebody waits.
///
/// Region and credentials are those that Lambda puts into the environment. The SDK's
/// other sources of them (profiles, containers, other roles) are not asked, and so
/// not linked: they are a tenth of a binary.
///
/// It trusts [`AMAZON_TRUST_SERVICES`] alone: to read the some hundred and forty
/// certificates of the system takes half of the start. Where somebody names an
/// endpoint or certificates of his own, and in those partitions of AWS that have other
/// ones, it trusts the system's as every AWS SDK does.
///
/// Where X-Ray traces an invocation, it is told of each operation ([`Xray`]).
pub fn client() -> Client {
    let config = sdk_config("AWS_ENDPOINT_URL_DYNAMODB", timeouts(), retries());
    let mut config = aws_sdk_dynamodb::config::Builder::from(&config);
    if let Some(xray) = Xray::from_environment() {
        config = config.interceptor(xray);
    }
    Client::from_conf(config.build())
}

/// A client for AWS Step Functions, for which nobody waits: made like [`client`], and
/// patient. A page of a history can be large, and many executions that end at once are
/// more than Step Functions tells of at once.
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

/// What the clients have in common. The variable names the endpoint of one service.
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
    if asks_amazon_alone(endpoint_variable, variable) {
        config = config.http_client(client_of_amazon());
    }
    config.build()
}

/// The certificates under which AWS's endpoints have theirs, as
/// <https://www.amazontrust.com/repository/> lists them.
const AMAZON_TRUST_SERVICES: &[u8] = include_bytes!("../certificates/amazon-trust-services.pem");

/// Whether nothing but AWS's own endpoints is asked, by certificates that are known.
fn asks_amazon_alone(endpoint_variable: &str, variable: impl Fn(&str) -> Option<String>) -> bool {
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

fn client_of_amazon() -> SharedHttpClient {
    let trusted = TrustStore::empty().with_pem_certificate(AMAZON_TRUST_SERVICES);
    let mut builder =
        aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc));
    // That it cannot be built is a signature of the builder's; it always can.
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
    fn the_certificates_are_those_that_amazon_publishes() {
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
    fn who_names_an_endpoint_or_certificates_is_asked_as_the_system_trusts() {
        let asks = |variables: &[(&str, &str)]| {
            asks_amazon_alone("AWS_ENDPOINT_URL_DYNAMODB", |name| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            })
        };
        assert!(asks(&[]));
        assert!(asks(&[("AWS_REGION", "eu-west-1")]));
        for variable in [
            ("AWS_REGION", "cn-north-1"),
            ("AWS_REGION", "eusc-de-east-1"),
            ("AWS_REGION", "us-isob-east-1"),
            ("AWS_ENDPOINT_URL", "https://table.example.com"),
            ("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:8000"),
            ("SSL_CERT_FILE", "/etc/ssl/own.pem"),
            ("SSL_CERT_DIR", "/etc/ssl/own"),
        ] {
            assert!(!asks(&[variable]), "{variable:?}");
        }
    }
}
