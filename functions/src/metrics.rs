//! Metrics in [CloudWatch's embedded metric format]. On Lambda, CloudWatch reads them from the
//! lines of the log. Outside of Lambda nothing reads them.
//!
//! There are only a few, because each metric costs money every month. Their dimension is the
//! table, which distinguishes two deployments in one account. AWS itself counts requests, errors,
//! throttles and invocations, so they are not counted here. The lines also have the route and the
//! team, for queries on the log.
//!
//! [CloudWatch's embedded metric format]: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html

use serde_json::{Map, Value, json};
use shared::Error;
use shared::auth::Caller;
use shared::model::Timestamp;

/// The target of log events that contain metrics.
pub const TARGET: &str = module_path!();

/// The namespace of the metrics.
const NAMESPACE: &str = "Flowtrail";

/// A metric: the member of the line with its value, and its unit.
pub type Metric = (&'static str, &'static str);

/// The metrics in the log line of each response.
pub const OF_AN_ANSWER: &[Metric] = &[
    ("duration_ms", "Milliseconds"),
    ("table_requests", "Count"),
    ("capacity_units", "Count"),
];

/// The number of requests with invalid credentials.
pub const AUTHENTICATION_FAILURES: Metric = ("authentication_failures", "Count");

/// The members of a line that turn its values into metrics.
pub fn directive(table: &str, metrics: &[Metric]) -> [(&'static str, Value); 2] {
    let metrics: Value = metrics
        .iter()
        .map(|(name, unit)| json!({"Name": name, "Unit": unit}))
        .collect();
    let aws = json!({
        "Timestamp": Timestamp::now().milliseconds(),
        "CloudWatchMetrics": [{
            "Namespace": NAMESPACE,
            "Dimensions": [["table"]],
            "Metrics": metrics,
        }],
    });
    [("table", json!(table)), ("_aws", aws)]
}

/// Counts a request whose credentials were refused. Requests without credentials do not count.
pub fn count_refusal(
    table: &str,
    authorization: Option<&str>,
    authenticated: &shared::Result<Caller>,
) {
    let is_refused = matches!(authenticated, Err(Error::Unauthenticated(_)));
    let is_lambda = std::env::var_os("AWS_LAMBDA_FUNCTION_NAME").is_some();
    if authorization.is_some() && is_refused && is_lambda {
        println!("{}", refusal(table));
    }
}

/// The log line of one refusal. Its level is `ERROR`, because Lambda may be configured to drop
/// all lower levels, and the alarm must work even then.
fn refusal(table: &str) -> Value {
    let mut line = Map::new();
    line.insert("timestamp".to_owned(), json!(Timestamp::now()));
    line.insert("level".to_owned(), json!("ERROR"));
    line.insert(AUTHENTICATION_FAILURES.0.to_owned(), json!(1));
    let directive = directive(table, &[AUTHENTICATION_FAILURES]);
    line.extend(directive.map(|(name, value)| (name.to_owned(), value)));
    Value::Object(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_logged_in_the_embedded_metric_format() {
        let line = refusal("history");
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        assert!(line["_aws"]["Timestamp"].is_i64());
        assert_eq!(directive["Namespace"], "Flowtrail");
        assert_eq!(
            directive["Metrics"],
            json!([{"Name": "authentication_failures", "Unit": "Count"}])
        );
        assert_eq!(directive["Dimensions"], json!([["table"]]));
        assert_eq!(line["table"], "history");
        assert_eq!(line["authentication_failures"], 1);
        assert_eq!(line["level"], "ERROR", "logged at every log level");
    }
}
