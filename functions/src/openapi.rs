//! The OpenAPI 3.1 description of the API (<https://spec.openapis.org/oas/v3.1.1.html>), served
//! as `/openapi.json`.
//!
//! Paths, methods, permissions and parameters come from the [routes](crate::route). Parameters
//! are described next to the code that reads them. Each API describes its operations in its
//! module `description`. `schemars` derives the schemas of the responses from the views. The
//! examples of problems are rendered from real [`Problem`]s.
//!
//! Routes do not refer to their descriptions. So only the Lambda function `console`, which
//! serves the document, links them.

mod operation;
pub(crate) mod parameter;
pub(crate) mod problems;
mod words;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use bytes::Bytes;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use serde::Serialize;
use serde_json::{Value, json};
use shared::Error;

use crate::problem::Problem;
use crate::route::Route;
use crate::routes;
use crate::{parameters, traces};
pub(crate) use operation::{Operation, example};
pub(crate) use words::words;

/// The path of the document.
pub const PATH: &str = "/openapi.json";

/// A function that describes an operation, and adds the schemas that it needs.
pub(crate) type Describe = fn(&mut SchemaGenerator) -> Operation;

/// A documented API.
struct Api {
    /// Its module in this crate, as [`routes::OPERATIONS`] names it.
    module: &'static str,
    name: &'static str,
    about: &'static str,
}

static APIS: &[Api] = &[
    Api {
        module: "flow_executions",
        name: "Flow executions",
        about: "List the runs of a flow and read their steps. Pages use `limit` and `nextToken`.",
    },
    Api {
        module: "executions",
        name: "Executions",
        about: "List the runs of workflows with numbered pages, read their nodes, and cancel, \
                pin and export runs.",
    },
    Api {
        module: "history",
        name: "Execution history",
        about: "List runs by `limit` and `offset`, read statistics, and delete runs.",
    },
    Api {
        module: "admin",
        name: "Administration",
        about: "Show the caller, and manage the team's tokens, roles and settings. List audit \
                events.",
    },
    Api {
        module: "traces",
        name: "Traces",
        about: "Ingest OpenTelemetry traces over HTTP.",
    },
];

/// The description of what all operations have in common.
const ABOUT: &str = "\
Send an SDK token, or a JWT of the operator's identity provider, with every request. Each belongs \
to one team, sees only the executions of that team, and has a role. The role must include the \
permission in the operation's `x-permission`.

- **Times** are in RFC 3339 with any offset. A date without a time is midnight in UTC; as the end \
of a range, it is the end of that day. Both bounds of a range are inclusive, and apply to \
`createdAt`. A range that starts after its end is 400.
- **Parameters** must not be repeated: a parameter that is sent twice is 400. A parameter that \
only other endpoints have is 400 as well, and so is a name that differs from a known one by one \
letter, by case or by separators. The error `UNKNOWN_PARAMETER` then names the right parameter. \
All other unknown parameters are ignored.
- **Page tokens** must be sent back unchanged, with the same parameters. Any other token is 400.
- **Unknown values** are `null`: the record has no such value, or the value cannot be read.
- **405** means that the path does not have this method. `Allow` lists the methods that it has. On \
AWS the status is 404.";

/// The document, as JSON.
pub fn document() -> Bytes {
    static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| {
        // Every part of the document can be serialized.
        serde_json::to_vec(&describe()).unwrap_or_default().into()
    });
    DOCUMENT.clone()
}

/// The whole document. It is not a [`Value`], because a [`Value`] sorts the media types of a
/// response by name, and generated clients use the first one.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    openapi: &'static str,
    info: Value,
    servers: Value,
    security: Value,
    tags: Vec<Value>,
    paths: Paths,
    components: Value,
}

/// The operations by path and method.
type Paths = BTreeMap<&'static str, BTreeMap<String, OperationEntry>>;

#[derive(Serialize)]
struct OperationEntry {
    #[serde(flatten)]
    operation: Operation,
    #[serde(rename = "operationId")]
    id: String,
    tags: Vec<&'static str>,
    #[serde(rename = "x-permission")]
    permission: Option<&'static str>,
}

fn describe() -> Document {
    let mut schemas = schema_generator();
    let paths = describe_paths(&mut schemas);
    let tags = APIS
        .iter()
        .map(|api| json!({"name": api.name, "description": api.about}))
        .collect();
    Document {
        openapi: "3.1.0",
        info: json!({
            "title": "Flowtrail",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        }),
        // Relative to this document, so that it is right under any stage and domain.
        servers: json!([{"url": "./"}]),
        security: json!([{"token": []}]),
        tags,
        paths,
        components: json!({
            "schemas": schemas.take_definitions(true),
            "securitySchemes": {"token": {
                "type": "http",
                "scheme": "bearer",
                "description": "An SDK token, `sdk_…`, or a JWT of the operator's identity \
                                provider.",
            }},
        }),
    }
}

/// The generator of the schemas that responses share.
fn schema_generator() -> SchemaGenerator {
    let mut settings = SchemaSettings::draft2020_12()
        .for_serialize()
        .with_transform(RecursiveTransform(words::list_constants));
    settings.definitions_path = "/components/schemas".into();
    settings.meta_schema = None;
    settings.into_generator()
}

/// Describes every operation, by its path and its method in lower case.
fn describe_paths(schemas: &mut SchemaGenerator) -> Paths {
    let mut paths = Paths::new();
    for (route, module, describe) in routes::OPERATIONS {
        let operation = describe(schemas).parameters(&route.parameters);
        let api = APIS.iter().find(|api| api.module == *module);
        let entry = OperationEntry {
            operation: with_common_problems(route, operation, schemas),
            id: camel_case(route.name),
            tags: api.iter().map(|api| api.name).collect(),
            permission: route.permission.map(|permission| permission.as_str()),
        };
        let method = route.method.as_str().to_ascii_lowercase();
        paths.entry(route.path).or_default().insert(method, entry);
    }
    paths
}

/// Adds the problems that every operation can have.
fn with_common_problems(
    route: &Route,
    operation: Operation,
    schemas: &mut SchemaGenerator,
) -> Operation {
    let mut problems = vec![
        parameters::unknown(&route.parameters, "flow_id"),
        Error::Unauthenticated("The token is not valid.").into(),
        Problem::BodyTooLarge {
            most: route.max_body_bytes,
        },
        Error::Internal("".into()).into(),
        Error::Throttled("".into()).into(),
        Error::Unavailable("".into()).into(),
    ];
    if let Some(permission) = route.permission {
        let message = format!(
            "This needs the permission {}. Ask an admin of your team for a token with it.",
            permission.as_str()
        );
        problems.push(Error::Forbidden(message).into());
    }
    if operation.has_input() {
        problems.push(Problem::InvalidParameter {
            parameter: "limit",
            reason: "Use a whole number from 1 to 500.".to_owned(),
        });
    }
    let operation = operation
        .problems(schemas, problems)
        .gateway_throttles(schemas);
    if route.name != routes::INGEST_TRACES.name {
        return operation;
    }
    let (media_type, media) = traces::description::problem();
    operation.problems_in(media_type, &media)
}

/// Converts a route's name to camel case: `list_flow_executions` to `listFlowExecutions`.
fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |id, word| {
        let (initial, rest) = word.split_at(word.len().min(1));
        id + &initial.to_ascii_uppercase() + rest
    })
}
