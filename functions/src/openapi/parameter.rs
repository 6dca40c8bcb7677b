//! Parameters, as [`crate::parameters`] reads them: a function for each function there,
//! with the same bounds.

use std::fmt::Display;

use serde::Serialize;
use serde_json::{Value, json};
use shared::labels::MAX_LABEL_LENGTH;
use shared::model::{ExecutionType, ID_PATTERN, MAX_ID_LENGTH, NO_CONTROL_PATTERN, PageSize};

use crate::parameters::{DEFAULT_DAYS, MAX_DAYS, MAX_WHOLE_NUMBER};

/// A parameter of an operation.
#[derive(Serialize)]
pub(crate) struct Parameter {
    name: &'static str,
    #[serde(rename = "in")]
    place: &'static str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    required: bool,
    description: String,
    schema: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    example: Option<Value>,
}

impl Parameter {
    fn of(name: &'static str, schema: Value) -> Self {
        Self {
            name,
            place: "query",
            required: false,
            description: String::new(),
            schema,
            example: None,
        }
    }

    /// What it does.
    pub(crate) fn about(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// What is meant where it is absent.
    pub(crate) fn default(mut self, default: impl Into<Value>) -> Self {
        self.schema["default"] = default.into();
        self
    }

    /// A value that it can have.
    pub(crate) fn example(mut self, example: impl Into<Value>) -> Self {
        self.example = Some(example.into());
        self
    }

    /// That it has to be there.
    pub(crate) fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// That it has to be there if it has this name.
    pub(crate) fn required_if(mut self, name: &str) -> Self {
        self.required |= self.name == name;
        self
    }

    /// That it stands in a header.
    pub(crate) fn in_header(mut self) -> Self {
        self.place = "header";
        self
    }
}

/// An id in the path.
pub(crate) fn path_id(name: &'static str) -> Parameter {
    Parameter {
        place: "path",
        required: true,
        ..id(name)
    }
}

/// A text of a known form in the path.
pub(crate) fn path_text(name: &'static str, pattern: &str) -> Parameter {
    Parameter {
        place: "path",
        required: true,
        ..Parameter::of(name, json!({"type": "string", "pattern": pattern}))
    }
}

/// An id.
pub(crate) fn id(name: &'static str) -> Parameter {
    Parameter::of(name, json!({"type": "string", "pattern": ID_PATTERN}))
}

/// A short text.
pub(crate) fn short_text(name: &'static str) -> Parameter {
    let schema = json!({
        "type": "string",
        "minLength": 1,
        "maxLength": MAX_ID_LENGTH,
        "pattern": NO_CONTROL_PATTERN,
    });
    Parameter::of(name, schema)
}

/// One of a set of words.
pub(crate) fn one_of(
    name: &'static str,
    words: impl IntoIterator<Item = &'static str>,
) -> Parameter {
    let words: Vec<_> = words.into_iter().collect();
    Parameter::of(name, json!({"type": "string", "enum": words}))
}

/// `true` or `false`.
pub(crate) fn flag(name: &'static str, default: bool) -> Parameter {
    Parameter::of(name, json!({"type": "boolean"})).default(default)
}

/// A page's size.
pub(crate) fn page_size(name: &'static str) -> Parameter {
    number(name, PageSize::MIN, PageSize::MAX)
}

/// A whole number up to the largest.
pub(crate) fn whole_number(name: &'static str) -> Parameter {
    number(name, 0_u64, MAX_WHOLE_NUMBER).default(0)
}

/// A whole number within bounds.
pub(crate) fn number<T: Into<Value>>(name: &'static str, min: T, max: T) -> Parameter {
    let (min, max): (Value, Value) = (min.into(), max.into());
    Parameter::of(
        name,
        json!({"type": "integer", "minimum": min, "maximum": max}),
    )
}

/// The type of an execution.
pub(crate) fn execution_type() -> Parameter {
    one_of(
        "executionType",
        ExecutionType::ALL.map(ExecutionType::as_str),
    )
    .about("Only runs that stand for themselves, or that another has started.")
}

/// A label.
pub(crate) fn label() -> Parameter {
    let schema = json!({"type": "string", "pattern": r"^[^=]+=[\s\S]+$"});
    Parameter::of("label", schema)
        .about(format!(
            "Only runs with this label: its name, `=` and its value, of at most \
             {MAX_LABEL_LENGTH} bytes together."
        ))
        .example("orderId=42")
}

/// The bounds of a stretch of time.
pub(crate) fn time_range(from: &'static str, to: &'static str) -> [Parameter; 2] {
    let form = json!({
        "type": "string",
        "anyOf": [{"format": "date-time"}, {"format": "date"}],
    });
    [
        Parameter::of(from, form.clone())
            .about("Only what is not older.")
            .example("2024-01-01"),
        Parameter::of(to, form)
            .about(format!("Only what is not newer; not before `{from}`."))
            .example("2026-02-17T10:30:00.000Z"),
    ]
}

/// How many days back, beside the bounds of a stretch of time.
pub(crate) fn days(from: impl Display) -> Parameter {
    number("days", 1, MAX_DAYS)
        .default(DEFAULT_DAYS)
        .about(format!(
            "How many days to look back, from now or from the end. With `{from}` it is left aside."
        ))
}

/// A moment.
pub(crate) fn timestamp(name: &'static str) -> Parameter {
    Parameter::of(name, json!({"type": "string", "format": "date-time"}))
        .example("2026-02-17T10:30:00.050Z")
}

/// The token of a page.
pub(crate) fn next_token() -> Parameter {
    Parameter::of(
        "nextToken",
        json!({"type": "string", "contentEncoding": "base64url"}),
    )
    .about("The `nextToken` of the page before. Absent for the first page.")
}

/// Whether secrets are shown to who may see them.
pub(crate) fn reveal() -> Parameter {
    flag("reveal", true).about(
        "`false` masks secrets also for a role with `EXECUTIONS_REVEAL`, and tells the audit \
         nothing.",
    )
}

/// Those of one execution's details, with its id in the path under that name.
pub(crate) fn details(id: &'static str) -> Vec<Parameter> {
    vec![
        path_id(id).about("The execution.").example("exec-123"),
        page_size("limit").about("How many steps a page has; all that fit where it is absent."),
        next_token(),
        reveal(),
    ]
}
