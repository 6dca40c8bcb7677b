//! Reports each operation on the table to AWS X-Ray.
//!
//! A trace that Lambda samples has the function as a segment. This module adds a subsegment for
//! each completed DynamoDB operation, including its retries, in the format of
//! <https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html>. It sends
//! the subsegment by UDP to the daemon that Lambda runs next to the function. Without sampling,
//! the cost is one look at an environment variable.

use std::net::{Ipv4Addr, UdpSocket};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_sdk_dynamodb::config::interceptors::{
    BeforeSerializationInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_types::config_bag::{Storable, StoreReplace};
use serde_json::{Value, json};
use shared::config::TABLE_VARIABLE;

/// The variable with the daemon's address: `host:port`, or `tcp:host:port udp:host:port`.
const DAEMON_VARIABLE: &str = "AWS_XRAY_DAEMON_ADDRESS";

/// The variable with the trace of the invocation. Lambda's runtime crate sets it for each
/// invocation.
const TRACE_VARIABLE: &str = "_X_AMZN_TRACE_ID";

/// The header of each document to the daemon.
const HEADER: &str = "{\"format\":\"json\",\"version\":1}\n";

/// Sends a subsegment for each operation of an SDK client.
#[derive(Debug)]
pub struct Xray {
    daemon: UdpSocket,
    table: Option<String>,
    region: Option<String>,
}

/// The start of an operation.
#[derive(Debug)]
struct Start(SystemTime);

impl Storable for Start {
    type Storer = StoreReplace<Self>;
}

/// The segment that an operation belongs to.
#[derive(Debug, PartialEq, Eq)]
struct Parent<'a> {
    trace_id: &'a str,
    segment_id: &'a str,
}

impl<'a> Parent<'a> {
    /// Parses the segment from a tracing header such as `Root=1-…;Parent=…;Sampled=1`. Returns
    /// `None` if the trace is not sampled.
    fn parse(header: &'a str) -> Option<Self> {
        let field = |name: &str| {
            let mut fields = header.split(';').filter_map(|field| field.split_once('='));
            fields.find_map(|(known, value)| (known.trim() == name).then_some(value))
        };
        (field("Sampled") == Some("1")).then_some(())?;
        Some(Self {
            trace_id: field("Root")?,
            segment_id: field("Parent")?,
        })
    }
}

impl Xray {
    /// Connects to the daemon. Returns `None` if the environment has no daemon.
    pub fn from_environment() -> Option<Self> {
        let address = std::env::var(DAEMON_VARIABLE).ok()?;
        let daemon = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
        daemon.connect(udp_address(&address)).ok()?;
        daemon.set_nonblocking(true).ok()?;
        Some(Self {
            daemon,
            table: std::env::var(TABLE_VARIABLE).ok(),
            region: std::env::var("AWS_REGION").ok(),
        })
    }

    /// Renders the subsegment of an operation that has ended now.
    fn document(
        &self,
        parent: &Parent<'_>,
        start: SystemTime,
        operation: Option<&str>,
        context: &FinalizerInterceptorContextRef<'_>,
    ) -> Result<Value, BoxError> {
        let response = context.response();
        let status = response.map(|response| response.status().as_u16());
        let has_failed = context
            .output_or_error()
            .is_none_or(|result| result.is_err());
        let is_refused = status.is_some_and(|status| (400..500).contains(&status));
        let http = status.map(|status| json!({"response": {"status": status}}));
        Ok(json!({
            "type": "subsegment",
            "name": "DynamoDB",
            "namespace": "aws",
            "id": format!("{:016x}", getrandom::u64()?),
            "trace_id": parent.trace_id,
            "parent_id": parent.segment_id,
            "start_time": seconds(start)?,
            "end_time": seconds(SystemTime::now())?,
            // An error is the client's fault, a fault is the server's.
            "error": has_failed && is_refused,
            "fault": has_failed && !is_refused,
            "aws": self.aws_members(operation, context),
            "http": http.unwrap_or(json!({})),
        }))
    }

    /// The member `aws` of a subsegment, without the values that are unknown.
    fn aws_members(
        &self,
        operation: Option<&str>,
        context: &FinalizerInterceptorContextRef<'_>,
    ) -> Value {
        let response = context.response();
        let request_id = response.and_then(|response| response.headers().get("x-amzn-requestid"));
        let members = [
            ("operation", operation),
            ("table_name", self.table.as_deref()),
            ("region", self.region.as_deref()),
            ("request_id", request_id),
        ];
        let members = members.into_iter();
        let known = members.filter_map(|(name, value)| Some((name, json!(value?))));
        known.collect()
    }
}

/// The seconds since 1970.
fn seconds(time: SystemTime) -> Result<f64, BoxError> {
    Ok(time.duration_since(UNIX_EPOCH)?.as_secs_f64())
}

impl Intercept for Xray {
    fn name(&self) -> &'static str {
        "Xray"
    }

    fn read_before_execution(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        config
            .interceptor_state()
            .store_put(Start(SystemTime::now()));
        Ok(())
    }

    fn read_after_execution(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let header = std::env::var(TRACE_VARIABLE).unwrap_or_default();
        let (Some(parent), Some(start)) = (Parent::parse(&header), config.load::<Start>()) else {
            return Ok(());
        };
        // An incomplete trace is not a reason to fail.
        let operation = config.load::<Metadata>().map(Metadata::name);
        if let Ok(document) = self.document(&parent, start.0, operation, context) {
            let _ = self.daemon.send(format!("{HEADER}{document}").as_bytes());
        }
        Ok(())
    }
}

/// The UDP address in `host:port`, or in `tcp:host:port udp:host:port`.
fn udp_address(addresses: &str) -> &str {
    let mut parts = addresses.split_whitespace();
    let udp = parts.find_map(|part| part.strip_prefix("udp:"));
    udp.unwrap_or(addresses)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sampled_traces_have_a_parent() {
        let header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=1:a:0";
        let parent = Parent {
            trace_id: "1-5759e988-bd862e3fe1be46a994272793",
            segment_id: "53995c3f42cd8ad8",
        };
        assert_eq!(Parent::parse(header), Some(parent));
        for other in ["", "Sampled=1", &header.replace("Sampled=1", "Sampled=0")] {
            assert_eq!(Parent::parse(other), None, "{other}");
        }
    }

    #[test]
    fn both_forms_of_the_daemons_address_are_read() {
        assert_eq!(udp_address("169.254.79.129:2000"), "169.254.79.129:2000");
        let both = "tcp:127.0.0.1:2000 udp:127.0.0.2:2001";
        assert_eq!(udp_address(both), "127.0.0.2:2001");
    }
}
