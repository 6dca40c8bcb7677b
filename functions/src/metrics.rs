//! Metrics, in [CloudWatch's embedded metric format]: on Lambda a line of the log is
//! all it takes. Elsewhere there is nobody who would make a metric of it.
//!
//! They are few, as each costs by the month, and have the table as their dimension,
//! so that two deployments of one account are told apart. What AWS counts anyway
//! (requests, errors, throttles, invocations) is not counted here. The lines keep
//! route and team beside the figures, for questions to the log.
//!
//! [CloudWatch's embedded metric format]: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html

use serde_json::{Map, Value, json};
use shared::Error;
use shared::auth::Caller;
use shared::model::Timestamp;

/// The target of events whose figures are metrics.
pub const TARGET: &str = module_path!();

/// The namespace of the metrics.
const NAMESPACE: &str = "Flowtrail";

/// A metric: the member of the line that has its figure, and its unit.
pub type Metric = (&'static str, &'static str);

/// The figures of the line that each answer leaves.
pub const OF_AN_ANSWER: &[Metric] = &[
    ("duration_ms", "Milliseconds"),
    ("table_requests", "Count"),
    ("capacity_units", "Count"),
];

/// How many requests came with credentials that are not valid.
pub const AUTHENTICATION_FAILURES: Metric = ("authentication_failures", "Count");

/// The members that make metrics of a line's figures.
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

/// Counts a refusal of credentials that a caller has sent.
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

/// The line of one refusal. It has the level `ERROR`, as Lambda drops others where the
/// log begins there, and the alarm has to hold all the same.
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
    fn a_refusal_is_a_line_of_the_embedded_metric_format() {
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
        assert_eq!(line["level"], "ERROR", "logged at any level");
    }
}
