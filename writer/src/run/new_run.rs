//! The run to start, and its first record.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use format::attributes::{DEVICE_ID, EXECUTION_ID, FLOW_ID, LABELS, TEAM_ID};
use format::model::{Status, Timestamp};
use format::record::{ExecutionRecord, FlowVersion};
use serde::Serialize;

use super::{Json, SubflowParent, id, json, new_id};
use crate::error::{Error, Result};

/// The team of runs without a team.
const DEFAULT_TEAM: &str = "default";

/// The run to start. It has its id from the beginning, and its start time from the first attempt
/// on, so that the same value can be started again after an [`Error::Unavailable`].
#[derive(Debug)]
pub struct NewRun {
    flow_id: String,
    team_id: String,
    execution_id: String,
    created_at: Option<Timestamp>,
    flow_name: Option<String>,
    flow_version: Option<FlowVersion>,
    device_id: Option<String>,
    trigger: Option<String>,
    labels: BTreeMap<String, String>,
    timeout_at: Option<Timestamp>,
    expires_at: Option<i64>,
    pub(super) input: Option<Json>,
    /// The time of the first attempt.
    pub(super) started: OnceLock<Timestamp>,
}

impl NewRun {
    /// Creates a run of a flow in the team `default`, with a new id.
    pub fn new(flow_id: impl Into<String>) -> Self {
        Self {
            flow_id: flow_id.into(),
            team_id: DEFAULT_TEAM.to_owned(),
            execution_id: new_id(),
            created_at: None,
            flow_name: None,
            flow_version: None,
            device_id: None,
            trigger: None,
            labels: BTreeMap::new(),
            timeout_at: None,
            expires_at: None,
            input: None,
            started: OnceLock::new(),
        }
    }

    /// Sets the run's id, which must be unique across all flows and teams of the table. An engine
    /// that restarts its runs after a crash sets it, and so continues the run that it had started.
    /// If two teams may use the same ids, prefix them with the team.
    pub fn execution_id(mut self, execution_id: impl Into<String>) -> Self {
        self.execution_id = execution_id.into();
        self
    }

    /// Sets the team of the run.
    pub fn team_id(mut self, team_id: impl Into<String>) -> Self {
        self.team_id = team_id.into();
        self
    }

    /// Sets when the run was created, if not now.
    pub fn created_at(mut self, created_at: Timestamp) -> Self {
        self.created_at = Some(created_at);
        self
    }

    /// Sets the flow's name for people.
    pub fn flow_name(mut self, flow_name: impl Into<String>) -> Self {
        self.flow_name = Some(flow_name.into());
        self
    }

    /// Sets the flow's version, a number or a text.
    pub fn flow_version(mut self, flow_version: impl Into<FlowVersion>) -> Self {
        self.flow_version = Some(flow_version.into());
        self
    }

    /// Sets the device of the run.
    pub fn device_id(mut self, device_id: impl Into<String>) -> Self {
        self.device_id = Some(device_id.into());
        self
    }

    /// Sets what started the run: `WEBHOOK`, `SCHEDULE`, `MANUAL`, `API`, ….
    pub fn trigger(mut self, trigger: impl Into<String>) -> Self {
        self.trigger = Some(trigger.into());
        self
    }

    /// Adds a search key, such as `orderId`. A run can be found by its first ten labels, ordered by
    /// name.
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.insert(name.into(), value.into());
        self
    }

    /// Sets when the run times out if it is still open.
    pub fn timeout_at(mut self, timeout_at: Timestamp) -> Self {
        self.timeout_at = Some(timeout_at);
        self
    }

    /// Sets when the run's record expires, in seconds since 1970-01-01.
    pub fn expires_at(mut self, seconds: i64) -> Self {
        self.expires_at = Some(seconds);
        self
    }

    /// Sets the run's input.
    pub fn input(mut self, input: &(impl Serialize + ?Sized)) -> Self {
        self.input = Some(json(input));
        self
    }

    /// Creates the record of the run, as a sub-flow if it has a parent.
    pub(super) fn record(
        &self,
        now: Timestamp,
        parent: Option<&SubflowParent>,
    ) -> Result<ExecutionRecord> {
        if self.labels.contains_key("") {
            return Err(Error::invalid(LABELS, "a label must have a name"));
        }
        let team_id = match parent {
            Some(parent) => parent.team_id.clone(),
            None => id(TEAM_ID, &self.team_id)?,
        };
        let device_id = self.device_id.as_deref();
        let device_id = device_id.map(|device_id| id(DEVICE_ID, device_id));
        Ok(ExecutionRecord {
            flow_name: self.flow_name.clone(),
            flow_version: self.flow_version.clone(),
            parent: parent.map(|it| it.parent.clone()),
            device_id: device_id.transpose()?,
            trigger: self.trigger.clone(),
            start_time: Some(now),
            labels: self.labels.clone(),
            timeout_at: self.timeout_at,
            expires_at: self.expires_at,
            ..ExecutionRecord::new(
                id(EXECUTION_ID, &self.execution_id)?,
                team_id,
                id(FLOW_ID, &self.flow_id)?,
                self.created_at.unwrap_or(now),
                Status::Running,
            )
        })
    }
}
