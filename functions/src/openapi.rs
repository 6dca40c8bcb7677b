//! The description of the API, in the terms of OpenAPI 3.1
//! (<https://spec.openapis.org/oas/v3.1.1.html>), which is `/openapi.json`.
//!
//! Paths, methods and permissions are those of the [routes](crate::route). Each surface
//! describes its operations in its module `description`, its parameters beside the code that
//! reads them, and its answers by the schemas that `schemars` derives of the views. The
//! examples of problems are problems.
//!
//! No route names its description, so that a Lambda function links none but `console`, which
//! serves it.

mod operation;
pub(crate) mod parameter;
pub(crate) mod problems;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use bytes::Bytes;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde::Serialize;
use serde_json::{Value, json};
use shared::Error;

use crate::problem::Problem;
use crate::route::{self, Route};
use crate::{admin, executions, flow_executions, history, traces};
pub(crate) use operation::{Operation, example};
pub(crate) use parameter::Parameter;

/// Where the description is.
pub const PATH: &str = "/openapi.json";

/// Describes an operation, with the schemas that it needs.
pub(crate) type Describe = fn(&mut SchemaGenerator) -> Operation;

/// The operations of one documented API.
struct Surface {
    name: &'static str,
    about: &'static str,
    operations: &'static [(&'static Route, Describe)],
}

static SURFACES: &[Surface] = &[
    Surface {
        name: "Flow executions",
        about: "Runs of a flow and their steps, by `limit` and `nextToken`.",
        operations: flow_executions::description::OPERATIONS,
    },
    Surface {
        name: "Executions",
        about: "Runs of workflows and their nodes, by numbered pages; cancel and export.",
        operations: executions::description::OPERATIONS,
    },
    Surface {
        name: "Execution history",
        about: "Runs by `limit` and `offset`, statistics, and deletion.",
        operations: history::description::OPERATIONS,
    },
    Surface {
        name: "Administration",
        about: "Who the caller is; a team's tokens, roles, settings and audit.",
        operations: admin::description::OPERATIONS,
    },
    Surface {
        name: "Traces",
        about: "OpenTelemetry over HTTP.",
        operations: traces::description::OPERATIONS,
    },
];

/// What all operations have in common.
const ABOUT: &str = "\
Every request carries an SDK token or a JWT of the operator's identity provider. Either belongs \
to a team, sees that team's executions alone, and has a role. `x-permission` of an operation is \
what the role has to allow.

- **Times** are RFC 3339 with any offset, or a date, which is its midnight in UTC, and as an end \
the end of that day. Both bounds are inclusive, and are those of `createdAt`. A beginning after \
the end is 400.
- **Parameters** that are not known are ignored; one that is sent twice is 400.
- **Page tokens** are sent back exactly as they came, with the same parameters; any other is 400.
- **Unknown values** are `null`: what a record does not say, or says in a way that cannot be read.
- **405** is the answer to a method that a path does not have; `Allow` names those that it has. \
On AWS it is 404.";

/// The description, as JSON.
pub fn document() -> Bytes {
    static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| {
        // There is nothing in it that could not be written.
        serde_json::to_vec(&describe()).unwrap_or_default().into()
    });
    DOCUMENT.clone()
}

#[derive(Serialize)]
struct Described {
    #[serde(flatten)]
    operation: Operation,
    #[serde(rename = "operationId")]
    id: String,
    tags: [&'static str; 1],
    #[serde(rename = "x-permission")]
    permission: Option<&'static str>,
}

fn describe() -> Value {
    let mut settings = SchemaSettings::draft2020_12().for_serialize();
    settings.definitions_path = "/components/schemas".into();
    settings.meta_schema = None;
    let mut schemas = settings.into_generator();
    let mut paths: BTreeMap<&str, BTreeMap<String, Described>> = BTreeMap::new();
    for surface in SURFACES {
        for (route, describe) in surface.operations {
            let operation = with_common_problems(route, describe(&mut schemas), &mut schemas);
            let described = Described {
                operation,
                id: camel_case(route.name),
                tags: [surface.name],
                permission: route.permission.map(|permission| permission.as_str()),
            };
            let method = route.method.as_str().to_ascii_lowercase();
            paths
                .entry(route.path)
                .or_default()
                .insert(method, described);
        }
    }
    let tags: Vec<_> = SURFACES
        .iter()
        .map(|surface| json!({"name": surface.name, "description": surface.about}))
        .collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Flowtrail",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        // Beside this very document, under whatever stage or domain.
        "servers": [{"url": "./"}],
        "security": [{"token": []}],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schemas.take_definitions(true),
            "securitySchemes": {"token": {
                "type": "http",
                "scheme": "bearer",
                "description": "An SDK token, `sdk_…`, or a JWT of the operator's identity \
                                provider.",
            }},
        },
    })
}

/// The same with the problems that each operation can have.
fn with_common_problems(
    route: &Route,
    operation: Operation,
    schemas: &mut SchemaGenerator,
) -> Operation {
    let mut problems = vec![
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
            message: "The parameter limit is not valid. It is a whole number from 1 to 500."
                .to_owned(),
        });
    }
    let operation = operation
        .problems(schemas, problems)
        .gateway_throttles(schemas);
    if route.name != route::INGEST_TRACES.name {
        return operation;
    }
    let (media_type, media) = traces::description::problem();
    operation.problems_in(media_type, &media)
}

/// `list_flow_executions` is `listFlowExecutions`.
fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |id, word| {
        let (initial, rest) = word.split_at(word.len().min(1));
        id + &initial.to_ascii_uppercase() + rest
    })
}
