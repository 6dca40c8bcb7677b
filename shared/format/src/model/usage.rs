//! The tokens of language models that a run used.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;

use super::Item;
use crate::attributes::{INPUT_TOKENS, MODEL, OUTPUT_TOKENS};

/// The tokens of one language model that a run used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ModelUsage {
    /// The name of the model. `None` if it is unknown.
    pub model: Option<String>,
    /// The tokens that the model read.
    pub input_tokens: Option<u64>,
    /// The tokens that it wrote.
    pub output_tokens: Option<u64>,
}

impl ModelUsage {
    /// The input and output tokens of all models together. `None` if no number is known.
    pub fn totals(usage: &[Self]) -> (Option<u64>, Option<u64>) {
        let sum = |tokens: fn(&Self) -> Option<u64>| {
            let known = usage.iter().filter_map(tokens);
            known.reduce(u64::saturating_add)
        };
        (
            sum(|used| used.input_tokens),
            sum(|used| used.output_tokens),
        )
    }

    /// Reads the attribute `usage`. Models without a number that can be read are left out.
    pub(super) fn parse(usage: AttributeValue) -> Vec<Self> {
        let AttributeValue::L(models) = usage else {
            return Vec::new();
        };
        models.into_iter().filter_map(Self::parse_model).collect()
    }

    fn parse_model(model: AttributeValue) -> Option<Self> {
        let AttributeValue::M(mut members) = model else {
            return None;
        };
        let tokens = |members: &Item, name: &str| members.get(name)?.as_n().ok()?.parse().ok();
        let (input_tokens, output_tokens) = (
            tokens(&members, INPUT_TOKENS),
            tokens(&members, OUTPUT_TOKENS),
        );
        let model = match members.remove(MODEL) {
            Some(AttributeValue::S(name)) => Some(name),
            _ => None,
        };
        (input_tokens.is_some() || output_tokens.is_some()).then_some(Self {
            model,
            input_tokens,
            output_tokens,
        })
    }
}
