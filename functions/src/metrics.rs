//! Metrics, in CloudWatch's embedded metric format: on Lambda a line in the log is all
//! it takes. Elsewhere there is nobody who would make a metric of it.

use serde_json::{Value, json};
use shared::Error;
use shared::auth::Caller;
use shared::model::Timestamp;

/// The namespace of the metrics.
const NAMESPACE: &str = "Flowtrail";

/// How many requests came with credentials that are not valid.
const AUTHENTICATION_FAILURES: &str = "AuthenticationFailures";

/// Counts a refusal of credentials that a caller has sent.
pub fn count_refusal(authorization: Option<&str>, authenticated: &shared::Result<Caller>) {
    if authorization.is_some() && matches!(authenticated, Err(Error::Unauthenticated(_))) {
        count(AUTHENTICATION_FAILURES);
    }
}

fn count(metric: &str) {
    if let Ok(function) = std::env::var("AWS_LAMBDA_FUNCTION_NAME") {
        println!("{}", line(metric, &function, Timestamp::now()));
    }
}

/// One occurrence of the metric in this function.
///
/// Lambda takes a line without a level for `INFO`, and drops it where the log begins at
/// a higher one.
fn line(metric: &str, function: &str, now: Timestamp) -> Value {
    json!({
        "_aws": {
            "Timestamp": now.milliseconds(),
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                "Dimensions": [["FunctionName"]],
                "Metrics": [{"Name": metric, "Unit": "Count"}],
            }],
        },
        "FunctionName": function,
        metric: 1,
        "timestamp": now,
        "level": "ERROR",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_is_a_line_of_the_embedded_metric_format() {
        let now = Timestamp::from_milliseconds(1_771_324_267_482).expect("a moment");
        let line = line(AUTHENTICATION_FAILURES, "authorize", now);
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(line["_aws"]["Timestamp"], 1_771_324_267_482_i64);
        assert_eq!(directive["Metrics"][0]["Name"], "AuthenticationFailures");
        assert_eq!(directive["Dimensions"], json!([["FunctionName"]]));
        assert_eq!(line["FunctionName"], "authorize");
        assert_eq!(line["AuthenticationFailures"], 1);
        assert_eq!(line["timestamp"], "2026-02-17T10:31:07.482Z");
        assert_eq!(line["level"], "ERROR", "logged at any level");
    }
}
