//! The rows of a JSON export: an array of runs, one on each line.

use schemars::JsonSchema;
use serde::Serialize;
use shared::model::{Execution, Step, Timestamp};
use shared::{Error, Result};

use super::CHUNK_BYTES;
use crate::executions::views::{NodeStatusWord, StatusWord, node_status_word, status_word};
use crate::usage::UsageView;

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ExportedExecution")]
struct ExecutionView<'a> {
    execution_id: &'a str,
    workflow_id: Option<&'a str>,
    workflow_name: Option<&'a str>,
    #[schemars(with = "Option<StatusWord>")]
    status: Option<&'static str>,
    trigger: Option<&'a str>,
    started_at: Option<Timestamp>,
    completed_at: Option<Timestamp>,
    duration_ms: Option<u64>,
    #[serde(flatten)]
    usage: UsageView<'a>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ExportedNode")]
struct NodeView<'a> {
    node_id: Option<&'a str>,
    node_type: Option<&'a str>,
    node_name: Option<&'a str>,
    #[schemars(with = "Option<NodeStatusWord>")]
    status: Option<&'static str>,
    started_at: Option<Timestamp>,
    completed_at: Option<Timestamp>,
    duration_ms: Option<u64>,
    error: Option<&'a str>,
}

// Only for the API description: the file itself is written in smaller pieces.
/// An execution with its nodes: a line of the file.
#[derive(JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ExportedExecutionWithNodes")]
pub(in crate::executions) struct ExportedLine<'a> {
    #[serde(flatten)]
    _execution: ExecutionView<'a>,
    #[serde(rename = "nodeExecutions")]
    _nodes: Vec<NodeView<'a>>,
}

/// The rendered rows that are not sent yet.
#[derive(Default)]
pub(super) struct JsonRows {
    out: Vec<u8>,
    /// The last piece that was written.
    last: Last,
}

/// The piece after which the next one is written.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Last {
    /// The beginning of the array.
    #[default]
    Nothing,
    /// A run, whose nodes may follow.
    Execution,
    /// A node, after which others may.
    Node,
}

impl JsonRows {
    pub(super) fn begin(&mut self) -> Result<()> {
        self.out.push(b'[');
        Ok(())
    }

    pub(super) fn execution(&mut self, execution: &Execution) -> Result<()> {
        let before: &[u8] = match self.last {
            Last::Nothing => b"\n",
            Last::Execution | Last::Node => b"]},\n",
        };
        self.out.extend(before);
        let view = ExecutionView {
            execution_id: &execution.execution_id,
            workflow_id: execution.flow_id.as_deref(),
            workflow_name: execution.flow_name.as_deref(),
            status: execution.status.map(status_word),
            trigger: execution.trigger.as_deref(),
            started_at: execution.start_time,
            completed_at: execution.end_time,
            duration_ms: execution.duration_ms(),
            usage: UsageView::from_execution(execution),
        };
        self.write(&view)?;
        // The object is left open, because its nodes follow.
        self.out.pop();
        self.out.extend(b",\"nodeExecutions\":[");
        self.last = Last::Execution;
        Ok(())
    }

    pub(super) fn step(&mut self, step: &Step) -> Result<()> {
        if self.last == Last::Node {
            self.out.push(b',');
        }
        let view = NodeView {
            node_id: step.step_id.as_deref(),
            node_type: step.step_type.as_deref(),
            node_name: step.step_name.as_deref(),
            status: step.status.map(node_status_word),
            started_at: step.start_time(),
            completed_at: step.end_time,
            duration_ms: step.duration_ms(),
            error: step.error_message.as_deref(),
        };
        self.write(&view)?;
        self.last = Last::Node;
        Ok(())
    }

    pub(super) fn end(&mut self) -> Result<()> {
        let end: &[u8] = match self.last {
            Last::Nothing => b"]\n",
            Last::Execution | Last::Node => b"]}\n]\n",
        };
        self.out.extend(end);
        Ok(())
    }

    fn write(&mut self, view: &impl Serialize) -> Result<()> {
        serde_json::to_writer(&mut self.out, view).map_err(Error::internal)
    }

    pub(super) fn len(&self) -> usize {
        self.out.len()
    }

    pub(super) fn take(&mut self) -> Vec<u8> {
        let empty = Vec::with_capacity(CHUNK_BYTES + CHUNK_BYTES / 4);
        std::mem::replace(&mut self.out, empty)
    }
}
