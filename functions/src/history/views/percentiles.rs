//! The percentiles of the durations of runs or steps.

use schemars::JsonSchema;
use serde::Serialize;

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "DurationPercentiles")]
pub(super) struct PercentilesView {
    p50_ms: Option<u64>,
    p95_ms: Option<u64>,
    p99_ms: Option<u64>,
}

impl PercentilesView {
    pub(super) fn new(quantile_ms: impl Fn(f64) -> Option<u64>) -> Self {
        Self {
            p50_ms: quantile_ms(0.5),
            p95_ms: quantile_ms(0.95),
            p99_ms: quantile_ms(0.99),
        }
    }
}
