//! The OpenAPI description of the executions API.

use http::StatusCode;
use schemars::SchemaGenerator;
use serde_json::json;

use super::export::{ExportedLine, Format};
use super::parameters::CancelBody;
use super::views::{DetailsView, ListView, PinView};
use crate::openapi::{Operation, example, problems};
use crate::problem::Problem;

/// The first rows of an exported file, as the example.
const CSV: &str = "\
execution_id,workflow_id,workflow_name,status,trigger,started_at,completed_at,duration_ms,node_id,\
node_type,node_name,node_status,node_started_at,node_completed_at,node_duration_ms,node_error,\
input_tokens,output_tokens,dropped_steps\r\n\
ad2a1e7f,order-pipeline,Order Processing,SUCCESS,WEBHOOK,2026-02-17T10:30:00.000Z,\
2026-02-17T10:30:02.350Z,2350,validate,IF_ELSE,Validate Order,SUCCESS,2026-02-17T10:30:00.050Z,\
2026-02-17T10:30:00.120Z,70,,,,\r\n";

pub(crate) fn list_team_executions(schemas: &mut SchemaGenerator) -> Operation {
    let about = "Lists a team's executions, newest first. Long texts are shortened, so that a \
                 page of any size fits into one response.";
    Operation::new("List a team's executions", about).answer::<ListView<'_>>(
        schemas,
        StatusCode::OK,
        "A page of executions, and the total. `totalIsExact` is `false` if the total is a lower \
         bound.",
        example(include_str!("examples/list.json")),
    )
}

pub(crate) fn list_workflow_executions(schemas: &mut SchemaGenerator) -> Operation {
    let about = "Lists a workflow's executions, newest first. Long texts are shortened, so that \
                 a page of any size fits into one response.";
    Operation::new("List a workflow's executions", about)
        .answer::<ListView<'_>>(
            schemas,
            StatusCode::OK,
            "A page of executions, and the total. `totalIsExact` is `false` if the total is a \
             lower bound.",
            example(include_str!("examples/list.json")),
        )
        .problems(schemas, [problems::missing("workflowId")])
}

pub(crate) fn get_execution(schemas: &mut SchemaGenerator) -> Operation {
    let about = "Returns an execution with all of its nodes in order of time, including the \
                 nodes of parallel branches and nested nodes. Overlapping nodes of a trace's root \
                 are below a fork that has no record. The response is streamed.";
    Operation::new("Get an execution with its nodes", about)
        .answer::<DetailsView<'_>>(
            schemas,
            StatusCode::OK,
            "The execution, with a page of its nodes.",
            example(include_str!("examples/details.json")),
        )
        .problems(schemas, [problems::not_found(), problems::next_token()])
}

pub(crate) fn export_team_executions(schemas: &mut SchemaGenerator) -> Operation {
    let csv = json!({"schema": {"type": "string"}, "example": CSV});
    let lines = json!({
        "schema": schemas.subschema_for::<Vec<ExportedLine<'_>>>(),
        "example": example(include_str!("examples/export.json")),
    });
    let file = "The file. CSV has one row for each node. Its last columns have the tokens and \
                dropped steps of the execution, and are empty if the record has none. JSON has \
                one execution, with its nodes, on each line.";
    let about = "Exports a team's executions with their nodes as a file, newest first. Personal \
                 data and credentials are masked. A text longer than 128 KiB is cut there, and a \
                 mark such as `[REDACTED:1234-more-bytes]` replaces the rest. The response is \
                 streamed, and compressed if `Accept-Encoding` allows gzip. If an error occurs \
                 during the export, the server closes the connection before the end of the file, \
                 so that an incomplete file is recognizable. This description lists CSV first, so \
                 that generated clients return either format as text.";
    Operation::new("Export executions", about)
        .answer_of(StatusCode::OK, file, Format::Csv.content_type(), csv)
        .answer_of(StatusCode::OK, file, Format::Json.content_type(), lines)
        .answer_header("Content-Disposition", "The suggested file name.")
        .problems(schemas, [Problem::ExportTooLarge])
}

pub(crate) fn cancel_execution(schemas: &mut SchemaGenerator) -> Operation {
    let too_late = Problem::NotCancellable {
        execution_id: problems::execution_id(),
        status: "SUCCESS",
    };
    let about = "Cancels an execution that is pending or running, and all open executions below \
                 it. If the engine ends the execution at the same time, only one of the two takes \
                 effect, and the result is final.";
    Operation::new("Cancel an execution", about)
        .optional_body::<CancelBody>(json!({"reason": "The order was withdrawn."}))
        .empty_answer("The execution is cancelled.")
        .problems(schemas, [problems::not_found(), too_late])
}

pub(crate) fn pin_execution(schemas: &mut SchemaGenerator) -> Operation {
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
    let about = "Pins an execution that has ended, so that it does not expire. Pinning it again \
                 changes nothing.";
    Operation::new("Pin an execution", about)
        .answer::<PinView<'_>>(schemas, StatusCode::OK, "The execution is pinned.", pin)
        .problems(schemas, [problems::not_found(), too_early])
}

pub(crate) fn unpin_execution(schemas: &mut SchemaGenerator) -> Operation {
    let pin = json!({"id": "exec-123", "pinned": false, "pinnedAt": null, "pinnedBy": null});
    let about = "Unpins an execution, so that it expires by the team's retention rules again. \
                 Unpinning it again changes nothing.";
    Operation::new("Unpin an execution", about)
        .answer::<PinView<'_>>(schemas, StatusCode::OK, "The execution is not pinned.", pin)
        .problems(schemas, [problems::not_found()])
}
