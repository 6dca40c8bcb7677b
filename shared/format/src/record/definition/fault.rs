//! Checks values against their types, and describes faults and remedies.

use aws_sdk_dynamodb::types::AttributeValue;

use super::{LAST_SECOND, Type};
use crate::attributes::{INPUT_TOKENS, MODEL, OUTPUT_TOKENS};
use crate::model::{MAX_ID_LENGTH, Timestamp, is_id, label_text};
use crate::record::shortened;

impl Type {
    /// Checks a value. Returns what is wrong and what to do about it, or `None` if the value is
    /// valid.
    pub(crate) fn fault(self, value: &AttributeValue) -> Option<(String, String)> {
        let describe =
            |remedy: &str| Some((format!("{} {}", show(value), self.problem()), remedy.into()));
        let is_fine = match (self, value) {
            (Self::Any, _) => true,
            (Self::Key | Self::Text | Self::TextOrNumber, AttributeValue::S(_)) => true,
            (Self::TextOrNumber, AttributeValue::N(_)) | (Self::Bytes, AttributeValue::B(_)) => {
                true
            }
            (Self::Id, AttributeValue::S(text)) => is_id(text),
            (Self::OneOf(words), AttributeValue::S(text)) => words.contains(&text.as_str()),
            (Self::Time, AttributeValue::S(text)) => match text.parse::<Timestamp>() {
                Ok(time) if time.to_string() == *text => true,
                Ok(time) => return describe(&format!("Write {time}")),
                Err(_) => false,
            },
            (Self::Count, AttributeValue::N(digits)) => parse_whole(digits).is_some(),
            (Self::Parts, AttributeValue::N(digits)) => {
                parse_whole(digits).is_some_and(|parts| (1..=10_000).contains(&parts))
            }
            (Self::Seconds, AttributeValue::N(digits)) => digits
                .parse::<f64>()
                .is_ok_and(|seconds| (0.0..=LAST_SECOND).contains(&seconds)),
            (Self::Labels, AttributeValue::M(labels)) => {
                labels.values().all(|value| label_text(value).is_some())
            }
            (Self::Summary, AttributeValue::M(counts)) => {
                let counts = ["total", "passed", "failed"].map(|name| counts.get(name));
                let mut counts = counts.into_iter().flatten();
                counts.all(|count| {
                    count
                        .as_n()
                        .is_ok_and(|digits| parse_whole(digits).is_some())
                })
            }
            (Self::Usage, AttributeValue::L(models)) => models.iter().all(is_usage),
            _ => false,
        };
        match is_fine {
            true => None,
            false => describe(&self.remedy()),
        }
    }

    fn problem(self) -> String {
        match self {
            Self::Key | Self::Text => "is not a text".to_owned(),
            Self::Id => "is not a valid id".to_owned(),
            Self::Time => "is not a time of the record format".to_owned(),
            Self::OneOf(_) => "is not a valid value".to_owned(),
            Self::Count => "is not a whole number of at least 0".to_owned(),
            Self::Parts => "is not a valid number of parts".to_owned(),
            Self::Seconds => "is not a number of seconds since 1970-01-01".to_owned(),
            Self::TextOrNumber => "is neither a text nor a number".to_owned(),
            Self::Labels => "is not a map of texts, numbers and booleans".to_owned(),
            Self::Summary => "is not a map of counts".to_owned(),
            Self::Usage => "is not a list of models with their tokens".to_owned(),
            Self::Any => "is not valid".to_owned(),
            Self::Bytes => "is not a binary value".to_owned(),
        }
    }

    fn remedy(self) -> String {
        match self {
            Self::Key | Self::Text => "Write a text (S)".to_owned(),
            Self::Id => format!(
                "Write a text (S) of 1 to {MAX_ID_LENGTH} characters of A-Z a-z 0-9 . _ : @ / + = -"
            ),
            Self::Time => {
                "Write a text (S) such as 2026-02-17T10:30:00.000Z: UTC, with exactly three \
                 fractional digits"
                    .to_owned()
            }
            Self::OneOf(words) => format!("Write one of {}", words.join(", ")),
            Self::Count => "Write a whole number (N) of at least 0".to_owned(),
            Self::Parts => {
                "Write the number (N) of the payload's parts, from 1 to 10,000".to_owned()
            }
            Self::Seconds => {
                "Write seconds (N) since 1970-01-01, not milliseconds and not a text".to_owned()
            }
            Self::TextOrNumber => "Write a text (S) or a number (N)".to_owned(),
            Self::Labels => {
                "Write a map (M) in which each value is a text (S), a number (N) or a boolean (BOOL)"
                    .to_owned()
            }
            Self::Summary => {
                "Write a map (M) of total, passed and failed, each a whole number (N)".to_owned()
            }
            Self::Usage => {
                "Write a list (L) of maps (M) with inputTokens and outputTokens, each a whole \
                 number (N) of at least 0, and with the name of the model (S) if it is known"
                    .to_owned()
            }
            Self::Any => String::new(),
            Self::Bytes => "Write bytes (B)".to_owned(),
        }
    }
}

/// Returns whether an element of `usage` is valid.
fn is_usage(model: &AttributeValue) -> bool {
    let Ok(members) = model.as_m() else {
        return false;
    };
    let is_count = |name: &str| {
        let digits = members.get(name).and_then(|value| value.as_n().ok());
        digits.is_some_and(|digits| parse_whole(digits).is_some())
    };
    let has_name = members.get(MODEL).is_none_or(AttributeValue::is_s);
    has_name && is_count(INPUT_TOKENS) && is_count(OUTPUT_TOKENS)
}

/// Parses a whole number of at least 0.
pub(crate) fn parse_whole(digits: &str) -> Option<u64> {
    digits.parse().ok()
}

/// A short description of a value, which shows its type.
fn show(value: &AttributeValue) -> String {
    const MOST: usize = 60;
    match value {
        AttributeValue::S(text) => format!("{:?}", shortened(text, MOST)),
        AttributeValue::N(digits) => digits.clone(),
        AttributeValue::Bool(truth) => truth.to_string(),
        AttributeValue::Null(_) => "NULL".to_owned(),
        AttributeValue::M(members) => format!("a map of {}", members.len()),
        AttributeValue::L(values) => format!("a list of {}", values.len()),
        AttributeValue::B(_) => "a binary value".to_owned(),
        _ => "a set".to_owned(),
    }
}
