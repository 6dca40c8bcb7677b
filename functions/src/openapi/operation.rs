//! One operation: its request and its responses.

use std::collections::BTreeMap;

use http::StatusCode;
use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, SchemaGenerator};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::parameter::ParameterDescription;
use super::words::{list_constants, refer_to_words};
use crate::problem::{Problem, ProblemView};

const JSON: &str = "application/json";

/// The request id in the examples of problems.
const REQUEST_ID: &str = "019aacfc-7f1e-7d0a-b1a5-3f0e9d2c4b61";

/// The description of an operation, in addition to its route.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Operation {
    summary: &'static str,
    description: String,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    parameters: &'static [ParameterDescription],
    #[serde(skip_serializing_if = "Option::is_none")]
    request_body: Option<RequestBody>,
    responses: BTreeMap<u16, Response>,
}

#[derive(Serialize)]
struct RequestBody {
    required: bool,
    content: Content,
}

#[derive(Default, Serialize)]
struct Response {
    description: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<&'static str, Value>,
    #[serde(skip_serializing_if = "Content::is_empty")]
    content: Content,
}

/// Bodies by media type. A generated client uses the first one that it can read.
#[derive(Default)]
struct Content(Vec<(&'static str, Value)>);

impl Content {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The body with this media type, which is added if it is missing.
    fn entry(&mut self, media_type: &'static str, media: impl FnOnce() -> Value) -> &mut Value {
        let known = self.0.iter().position(|(known, _)| *known == media_type);
        let position = known.unwrap_or_else(|| {
            self.0.push((media_type, media()));
            self.0.len() - 1
        });
        &mut self.0[position].1
    }

    fn insert(&mut self, media_type: &'static str, media: Value) {
        *self.entry(media_type, || Value::Null) = media;
    }
}

impl Serialize for Content {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(media_type, media)| (media_type, media)))
    }
}

/// Parses an example from a file. The tests check that each file is valid.
pub(crate) fn example(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

impl Operation {
    /// Creates an operation without parameters, body and responses.
    pub(crate) fn new(summary: &'static str, description: impl Into<String>) -> Self {
        Self {
            summary,
            description: description.into(),
            parameters: &[],
            request_body: None,
            responses: BTreeMap::new(),
        }
    }

    /// Sets the parameters in the path, the query and the headers.
    pub(crate) fn parameters(mut self, parameters: &'static [ParameterDescription]) -> Self {
        self.parameters = parameters;
        self
    }

    /// Sets a required JSON body.
    pub(crate) fn body<T: JsonSchema>(self, example: Value) -> Self {
        self.with_body::<T>(true, example)
    }

    /// Sets an optional JSON body.
    pub(crate) fn optional_body<T: JsonSchema>(self, example: Value) -> Self {
        self.with_body::<T>(false, example)
    }

    fn with_body<T: JsonSchema>(self, required: bool, example: Value) -> Self {
        // Requests and responses differ in their required members, so they cannot share
        // schemas.
        let settings = SchemaSettings::draft2020_12()
            .with(|settings| {
                settings.inline_subschemas = true;
                settings.meta_schema = None;
            })
            .with_transform(RecursiveTransform(list_constants))
            .with_transform(RecursiveTransform(refer_to_words));
        let schema = settings.into_generator().into_root_schema_for::<T>();
        self.content(
            required,
            JSON,
            json!({"schema": schema, "example": example}),
        )
    }

    /// Adds a body with this media type.
    pub(crate) fn content(
        mut self,
        required: bool,
        media_type: &'static str,
        media: Value,
    ) -> Self {
        let content = Content::default();
        let body = self
            .request_body
            .get_or_insert(RequestBody { required, content });
        body.content.insert(media_type, media);
        self
    }

    /// Adds a successful response with a view as its JSON.
    pub(crate) fn answer<T: JsonSchema>(
        self,
        schemas: &mut SchemaGenerator,
        status: StatusCode,
        description: &str,
        example: Value,
    ) -> Self {
        let schema = schemas.subschema_for::<T>();
        let media = json!({"schema": schema, "example": example});
        self.answer_of(status, description, JSON, media)
    }

    /// Adds a successful response with this media type.
    pub(crate) fn answer_of(
        mut self,
        status: StatusCode,
        description: &str,
        media_type: &'static str,
        media: Value,
    ) -> Self {
        let response = self.response(status, description);
        response.content.insert(media_type, media);
        self
    }

    /// Adds a successful response without a body.
    pub(crate) fn empty_answer(mut self, description: &str) -> Self {
        self.response(StatusCode::OK, description);
        self
    }

    /// Adds a header to the successful response.
    pub(crate) fn answer_header(mut self, name: &'static str, description: &str) -> Self {
        let header = json!({"description": description, "schema": {"type": "string"}});
        let response = self.response(StatusCode::OK, "");
        response.headers.insert(name, header);
        self
    }

    /// Adds error responses: each status, with an example of each code.
    pub(crate) fn problems(
        mut self,
        schemas: &mut SchemaGenerator,
        problems: impl IntoIterator<Item = Problem>,
    ) -> Self {
        for problem in problems {
            let view = json!(problem.view(REQUEST_ID));
            self.add_problem(schemas, problem.status(), &view);
        }
        self
    }

    /// Adds the response of the gateway to too many requests.
    pub(crate) fn gateway_throttles(mut self, schemas: &mut SchemaGenerator) -> Self {
        let view = json!({
            "success": false,
            "error": "Too many requests",
            "code": "THROTTLED",
            "message": "Retry after the number of seconds in the Retry-After header.",
            "requestId": REQUEST_ID,
        });
        self.add_problem(schemas, StatusCode::TOO_MANY_REQUESTS, &view);
        self
    }

    /// Adds another media type to the error responses: errors have the media type of the request.
    pub(crate) fn problems_in(mut self, media_type: &'static str, media: &Value) -> Self {
        let problems = self.responses.range_mut(400..);
        for (_, response) in problems {
            response.content.insert(media_type, media.clone());
        }
        self
    }

    /// Whether the request has any input that can be invalid.
    pub(crate) fn has_input(&self) -> bool {
        !self.parameters.is_empty() || self.request_body.is_some()
    }

    fn add_problem(&mut self, schemas: &mut SchemaGenerator, status: StatusCode, view: &Value) {
        let schema = schemas.subschema_for::<ProblemView<'_>>();
        let code = view["code"].as_str().unwrap_or_default();
        let response = self.responses.entry(status.as_u16()).or_default();
        let media = response
            .content
            .entry(JSON, || json!({"schema": schema, "examples": {}}));
        if !media["examples"][code].is_null() {
            return;
        }
        media["examples"][code] = json!({"summary": view["error"], "value": view});
        let codes = &mut response.description;
        if !codes.is_empty() {
            *codes += ", ";
        }
        *codes += &format!("`{code}`");
        let header = match status {
            StatusCode::UNAUTHORIZED => ("WWW-Authenticate", "The authentication scheme."),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => (
                "Retry-After",
                "The number of seconds to wait before retrying.",
            ),
            _ => return,
        };
        let (name, description) = header;
        let header = json!({"description": description, "schema": {"type": "string"}});
        response.headers.insert(name, header);
    }

    fn response(&mut self, status: StatusCode, description: &str) -> &mut Response {
        let response = self.responses.entry(status.as_u16()).or_default();
        if response.description.is_empty() {
            response.description = description.to_owned();
        }
        response
    }
}
