//! One operation: what it is asked, and what it answers.

use std::collections::BTreeMap;

use http::StatusCode;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;
use serde_json::{Value, json};

use super::parameter::Parameter;
use crate::problem::{Problem, ProblemView};

const JSON: &str = "application/json";

/// The id of a request in the examples of problems.
const REQUEST_ID: &str = "019aacfc-7f1e-7d0a-b1a5-3f0e9d2c4b61";

/// What is told of an operation beside its route.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Operation {
    summary: &'static str,
    description: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parameters: Vec<Parameter>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_body: Option<RequestBody>,
    responses: BTreeMap<u16, Response>,
}

#[derive(Serialize)]
struct RequestBody {
    required: bool,
    content: BTreeMap<&'static str, Value>,
}

#[derive(Default, Serialize)]
struct Response {
    description: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<&'static str, Value>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    content: BTreeMap<&'static str, Value>,
}

/// An example that stands in a file; the tests see that it is one.
pub(crate) fn example(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

impl Operation {
    /// An operation that is asked nothing, and answers nothing yet.
    pub(crate) fn new(summary: &'static str, description: impl Into<String>) -> Self {
        Self {
            summary,
            description: description.into(),
            parameters: Vec::new(),
            request_body: None,
            responses: BTreeMap::new(),
        }
    }

    /// What its path, query and headers have.
    pub(crate) fn parameters(mut self, parameters: impl IntoIterator<Item = Parameter>) -> Self {
        self.parameters.extend(parameters);
        self
    }

    /// A body of JSON that has to be there.
    pub(crate) fn body<T: JsonSchema>(self, example: Value) -> Self {
        self.with_body::<T>(true, example)
    }

    /// A body of JSON that may be left out.
    pub(crate) fn body_if_any<T: JsonSchema>(self, example: Value) -> Self {
        self.with_body::<T>(false, example)
    }

    fn with_body<T: JsonSchema>(self, required: bool, example: Value) -> Self {
        // What is read and what is written differ in what has to be there, so that the two
        // have no schemas in common.
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.inline_subschemas = true;
            settings.meta_schema = None;
        });
        let schema = settings.into_generator().into_root_schema_for::<T>();
        self.content(
            required,
            JSON,
            json!({"schema": schema, "example": example}),
        )
    }

    /// A body of some media type.
    pub(crate) fn content(
        mut self,
        required: bool,
        media_type: &'static str,
        media: Value,
    ) -> Self {
        let content = BTreeMap::new();
        let body = self
            .request_body
            .get_or_insert(RequestBody { required, content });
        body.content.insert(media_type, media);
        self
    }

    /// A success with a view as its JSON.
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

    /// A success of some media type.
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

    /// A success with nothing to say.
    pub(crate) fn empty_answer(mut self, description: &str) -> Self {
        self.response(StatusCode::OK, description);
        self
    }

    /// A header of a success.
    pub(crate) fn answer_header(mut self, name: &'static str, description: &str) -> Self {
        let header = json!({"description": description, "schema": {"type": "string"}});
        let response = self.response(StatusCode::OK, "");
        response.headers.insert(name, header);
        self
    }

    /// Answers that tell of problems: each status with an example of each code.
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

    /// The answer of a gateway that is asked too often.
    pub(crate) fn gateway_throttles(mut self, schemas: &mut SchemaGenerator) -> Self {
        let view = json!({
            "success": false,
            "error": "Too many requests",
            "code": "THROTTLED",
            "message": "Try again after the seconds that the Retry-After header names.",
            "requestId": REQUEST_ID,
        });
        self.add_problem(schemas, StatusCode::TOO_MANY_REQUESTS, &view);
        self
    }

    /// That a problem is told in the form of the request, which can be protobuf.
    pub(crate) fn problems_in(mut self, media_type: &'static str, media: &Value) -> Self {
        let problems = self.responses.range_mut(400..);
        for (_, response) in problems {
            response.content.insert(media_type, media.clone());
        }
        self
    }

    /// Whether anything in a request could be wrong.
    pub(crate) fn has_input(&self) -> bool {
        !self.parameters.is_empty() || self.request_body.is_some()
    }

    fn add_problem(&mut self, schemas: &mut SchemaGenerator, status: StatusCode, view: &Value) {
        let schema = schemas.subschema_for::<ProblemView<'_>>();
        let code = view["code"].as_str().unwrap_or_default();
        let response = self.responses.entry(status.as_u16()).or_default();
        let media = response
            .content
            .entry(JSON)
            .or_insert_with(|| json!({"schema": schema, "examples": {}}));
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
            StatusCode::UNAUTHORIZED => ("WWW-Authenticate", "How to authenticate."),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                ("Retry-After", "After how many seconds to try again.")
            }
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
