//! The description of one parameter: the Parameter Object of OpenAPI.
//! [`crate::parameters`] creates one for each parameter that it reads.

use serde::Serialize;
use serde_json::Value;

/// The part of a request that holds a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Location {
    Path,
    Query,
    Header,
}

/// The description of a parameter.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ParameterDescription {
    pub(crate) name: &'static str,
    #[serde(rename = "in")]
    pub(crate) location: Location,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) required: bool,
    pub(crate) description: String,
    pub(crate) schema: Value,
    /// Whether each item of a list is a separate parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) explode: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) example: Option<Value>,
}

impl ParameterDescription {
    /// The description of a parameter that is required only in a path.
    pub(crate) fn new(name: &'static str, location: Location, schema: Value) -> Self {
        Self {
            name,
            location,
            required: location == Location::Path,
            description: String::new(),
            schema,
            explode: None,
            example: None,
        }
    }
}
