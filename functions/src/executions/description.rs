//! The executions API in OpenAPI.

use http::StatusCode;
use schemars::SchemaGenerator;
use serde_json::json;

use super::export::{ExportedLine, Format};
use super::parameters::{CancelBody, ExportParameters, ListParameters, described_team};
use super::views::{DetailsView, ListView, PinView};
use crate::openapi::{Describe, Operation, Parameter, example, parameter, problems};
use crate::problem::Problem;
use crate::route::{self, Route};

/// Every operation of this surface, with its route.
pub(crate) const OPERATIONS: &[(&Route, Describe)] = &[
    (&route::LIST_TEAM_EXECUTIONS, list_team_executions),
    (&route::LIST_WORKFLOW_EXECUTIONS, list_workflow_executions),
    (&route::GET_EXECUTION, get_execution),
    (&route::EXPORT_TEAM_EXECUTIONS, export_team_executions),
    (&route::CANCEL_EXECUTION, cancel_execution),
    (&route::PIN_EXECUTION, pin_execution),
    (&route::UNPIN_EXECUTION, unpin_execution),
];

/// The first rows of a file.
const CSV: &str = "\
execution_id,workflow_id,workflow_name,status,trigger,started_at,completed_at,duration_ms,node_id,\
node_type,node_name,node_status,node_started_at,node_completed_at,node_duration_ms,node_error\r\n\
ad2a1e7f,order-pipeline,Order Processing,SUCCESS,WEBHOOK,2026-02-17T10:30:00.000Z,\
2026-02-17T10:30:02.350Z,2350,validate,IF_ELSE,Validate Order,SUCCESS,2026-02-17T10:30:00.050Z,\
2026-02-17T10:30:00.120Z,70,\r\n";

fn list_team_executions(schemas: &mut SchemaGenerator) -> Operation {
    let about = "A team's executions, newest first.";
    Operation::new("List executions", about)
        .parameters([described_team()])
        .parameters(ListParameters::described())
        .answer::<ListView<'_>>(
            schemas,
            StatusCode::OK,
            "A page, with the total. `totalIsExact` is `false` where not all were counted.",
            example(include_str!("examples/list.json")),
        )
}

fn list_workflow_executions(schemas: &mut SchemaGenerator) -> Operation {
    let parameters = ListParameters::described().into_iter();
    let parameters = parameters.map(|parameter| parameter.required_if("workflowId"));
    let about = "A workflow's executions, newest first.";
    Operation::new("List executions by workflow", about)
        .parameters(parameters)
        .answer::<ListView<'_>>(
            schemas,
            StatusCode::OK,
            "A page, with the total. `totalIsExact` is `false` where not all were counted.",
            example(include_str!("examples/list.json")),
        )
        .problems(schemas, [problems::missing("workflowId")])
}

fn get_execution(schemas: &mut SchemaGenerator) -> Operation {
    let about = "An execution with all of its nodes, those inside parallel branches among them, in \
                 order of time. The answer is streamed.";
    Operation::new("Get an execution with its nodes", about)
        .parameters(parameter::details("id"))
        .answer::<DetailsView<'_>>(
            schemas,
            StatusCode::OK,
            "The execution, with a page of its nodes.",
            example(include_str!("examples/details.json")),
        )
        .problems(schemas, [problems::not_found(), problems::next_token()])
}

fn export_team_executions(schemas: &mut SchemaGenerator) -> Operation {
    let csv = json!({"schema": {"type": "string"}, "example": CSV});
    let lines = json!({
        "schema": schemas.subschema_for::<Vec<ExportedLine<'_>>>(),
        "example": example(include_str!("examples/export.json")),
    });
    let file = "The file: a row for each node, or an execution with its nodes on each line.";
    let about = "The executions of a team with their nodes as a file, newest first, with personal data \
                 and credentials masked. The answer is streamed, and packed with gzip where \
                 `Accept-Encoding` takes it. Where something fails on the way, the connection is cut, \
                 so that a part is never taken for the whole.";
    Operation::new("Export executions", about)
        .parameters([described_team()])
        .parameters(ExportParameters::described())
        .answer_of(StatusCode::OK, file, Format::Csv.content_type(), csv)
        .answer_of(StatusCode::OK, file, Format::Json.content_type(), lines)
        .answer_header("Content-Disposition", "A name for the file.")
        .problems(schemas, [Problem::ExportTooLarge])
}

fn cancel_execution(schemas: &mut SchemaGenerator) -> Operation {
    let too_late = Problem::NotCancellable {
        execution_id: problems::execution_id(),
        status: "SUCCESS",
    };
    let about = "Cancels an execution that is pending or running, and the open ones below it. Of a \
                 cancel and the end that the engine writes one wins, for good.";
    Operation::new("Cancel an execution", about)
        .parameters([described_id()])
        .body_if_any::<CancelBody>(json!({"reason": "The order was withdrawn."}))
        .empty_answer("It is cancelled.")
        .problems(schemas, [problems::not_found(), too_late])
}

fn pin_execution(schemas: &mut SchemaGenerator) -> Operation {
    let pin = json!({
        "id": "exec-123",
        "pinned": true,
        "pinnedAt": "2026-02-17T10:31:00.000Z",
        "pinnedBy": "token:0123456789abcdef0123",
    });
    let too_early = Problem::NotEnded {
        execution_id: problems::execution_id(),
        status: "RUNNING",
    };
    let about = "Keeps an execution that has ended from expiring. Again, it changes nothing.";
    Operation::new("Pin an execution", about)
        .parameters([described_id()])
        .answer::<PinView<'_>>(schemas, StatusCode::OK, "It is pinned.", pin)
        .problems(schemas, [problems::not_found(), too_early])
}

fn unpin_execution(schemas: &mut SchemaGenerator) -> Operation {
    let pin = json!({"id": "exec-123", "pinned": false, "pinnedAt": null, "pinnedBy": null});
    let about = "Lets an execution expire again. Again, it changes nothing.";
    Operation::new("Unpin an execution", about)
        .parameters([described_id()])
        .answer::<PinView<'_>>(schemas, StatusCode::OK, "It is not pinned.", pin)
        .problems(schemas, [problems::not_found()])
}

fn described_id() -> Parameter {
    parameter::path_id("id")
        .about("The execution.")
        .example("exec-123")
}
