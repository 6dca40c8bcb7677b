//! Which executions a caller asks for.

use aws_sdk_dynamodb::types::AttributeValue;

use crate::audit::Entry;
use crate::auth::Caller;
use crate::counters::{self, Kind};
use crate::error::Result;
use crate::keys;
use crate::labels::Label;
use crate::model::{DeviceId, ExecutionId, ExecutionType, FlowId, Status, TimeRange};
use crate::store::{Filter, Range};
use crate::table::{BY_DEVICE, BY_FLOW, BY_FLOW_STATUS, BY_PARENT, BY_TEAM, BY_TEAM_STATUS, text};

/// Which executions of the caller's team: those that meet every condition that
/// is there.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ExecutionFilter {
    /// Runs of this flow.
    pub flow_id: Option<FlowId>,
    /// Of this version of it. Neither a key nor a counter answers this
    /// condition: runs of other versions are read, and dropped.
    pub flow_version: Option<String>,
    /// Runs that concern this device.
    pub device_id: Option<DeviceId>,
    /// In this state.
    pub status: Option<Status>,
    /// Started by another run, or standing for themselves.
    pub execution_type: Option<ExecutionType>,
    /// Started by this run.
    pub parent_execution_id: Option<ExecutionId>,
    /// With this label.
    pub label: Option<Label>,
    /// Created in this stretch of time.
    pub created: TimeRange,
}

impl ExecutionFilter {
    /// Refuses a caller who is limited to flows and asks for others.
    ///
    /// # Errors
    /// [`crate::Error::Forbidden`].
    pub(super) fn require(&self, caller: &Caller) -> Result<()> {
        match &self.flow_id {
            Some(flow_id) => caller.require_flow(flow_id),
            None => caller.require_all_flows(),
        }
    }

    /// Tells the audit the conditions.
    pub(super) fn describe(&self, entry: Entry) -> Entry {
        entry
            .detail_if_any("flowId", self.flow_id.as_ref())
            .detail_if_any("flowVersion", self.flow_version.as_ref())
            .detail_if_any("deviceId", self.device_id.as_ref())
            .detail_if_any("status", self.status.map(Status::as_str))
            .detail_if_any(
                "executionType",
                self.execution_type.map(ExecutionType::as_str),
            )
            .detail_if_any("parentExecutionId", self.parent_execution_id.as_ref())
            .detail_if_any("label", self.label.as_ref())
            .detail_if_any("from", self.created.from())
            .detail_if_any("to", self.created.to())
    }

    /// The range of an index, or of a label's entries, newest first, that holds these
    /// runs, with conditions on what its keys do not answer.
    pub(super) fn range(&self, caller: &Caller) -> Range {
        let team = caller.team_id.to_string();
        let flow = self.flow_id.as_ref().map(FlowId::to_string);
        let status = self.status.map(|status| status.as_str().to_owned());
        let device = self.device_id.as_ref().map(DeviceId::to_string);
        let parent = self.parent_execution_id.as_ref();
        let parent = parent.map(ExecutionId::to_string);
        let others = [
            ("flowId", flow.clone()),
            ("status", status.clone()),
            ("deviceId", device.clone()),
            ("parentExecutionId", parent.clone()),
        ];
        // The first that is there is the most selective.
        let (range, answered): (_, &[_]) = match (&self.label, parent, device, flow, status) {
            (Some(label), ..) => {
                let pk = keys::label_partition(&team, label);
                (Range::of_partition(pk, "", None).last_first(), &[])
            }
            (None, Some(parent), ..) => {
                let range = Range::index(&BY_PARENT, [team, parent]);
                (range, &["parentExecutionId"])
            }
            (None, None, Some(device), ..) => {
                (Range::index(&BY_DEVICE, [team, device]), &["deviceId"])
            }
            (None, None, None, Some(flow), Some(status)) => {
                let range = Range::index(&BY_FLOW_STATUS, [team, flow, status]);
                (range, &["flowId", "status"])
            }
            (None, None, None, Some(flow), None) => {
                (Range::index(&BY_FLOW, [team, flow]), &["flowId"])
            }
            (None, None, None, None, Some(status)) => {
                (Range::index(&BY_TEAM_STATUS, [team, status]), &["status"])
            }
            (None, None, None, None, None) => (Range::index(&BY_TEAM, [team]), &[]),
        };
        let others = others
            .into_iter()
            .filter(|(attribute, _)| !answered.contains(attribute));
        let mut conditions: Vec<_> = others
            .filter_map(|(attribute, value)| Some(Filter::any_of(attribute, vec![text(value?)])))
            .collect();
        let subflow = || text(ExecutionType::Subflow.as_str());
        conditions.extend(self.execution_type.map(|wanted| match wanted {
            ExecutionType::Subflow => Filter::any_of("executionType", vec![subflow()]),
            // A record without a type, or with another word, is a parent.
            ExecutionType::Parent => Filter::not("executionType", subflow()),
        }));
        if let Some(version) = &self.flow_version {
            conditions.push(Filter::any_of("flowVersion", versions(version)));
        }
        let (from, mut to) = counters::bounds(&self.created);
        if self.label.is_some() {
            // There the run's id follows the moment.
            to = to.map(|to| format!("{to}#{}", keys::LAST));
        }
        conditions
            .into_iter()
            .fold(range.between(from, to), Range::filtered)
    }

    /// Whether counters tell how many these runs are. None is kept for a label, nor for
    /// what a run has started.
    pub(super) fn is_counted(&self) -> bool {
        self.label.is_none() && self.parent_execution_id.is_none()
    }

    /// The scope whose counters count these runs, if they are counted.
    pub(super) fn scope(&self) -> String {
        keys::scope(self.flow_id.as_ref(), self.device_id.as_ref())
    }

    /// Whether runs of that kind are among them, as far as their kind tells.
    pub(super) fn matches(&self, kind: Kind) -> bool {
        self.status.is_none_or(|status| kind.status == Some(status))
            && self
                .execution_type
                .is_none_or(|wanted| kind.execution_type == wanted)
    }

    /// Whether the index has runs of that kind, which are then read, and dropped
    /// if they are not among these.
    pub(super) fn is_read(&self, kind: Kind) -> bool {
        self.device_id.is_some() || self.status.is_none_or(|status| kind.status == Some(status))
    }

    /// Whether the scope's counters count all that the index has. A device's
    /// index has the runs of all its flows.
    pub(super) fn is_told_by_counters(&self) -> bool {
        self.device_id.is_none() || self.flow_id.is_none()
    }
}

/// A version as engines may have written it: as text and, where it reads as a
/// number, as that.
fn versions(version: &str) -> Vec<AttributeValue> {
    // DynamoDB keeps 38 digits. No leading zero: the text "007" is not 7.
    let digits = version.strip_prefix('-').unwrap_or(version);
    let is_number = digits.len() <= 38
        && digits.starts_with(|first: char| first.is_ascii_digit())
        && !digits.ends_with('.')
        && (!digits.starts_with('0') || digits == "0" || digits.starts_with("0."))
        && digits.bytes().filter(|byte| *byte == b'.').count() <= 1
        && digits
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
    let mut values = vec![text(version)];
    if is_number {
        values.push(AttributeValue::N(version.to_owned()));
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_that_reads_as_a_number_is_looked_for_as_both() {
        for version in ["3", "0", "0.5", "-1", "10.25"] {
            assert_eq!(
                versions(version),
                [text(version), AttributeValue::N(version.to_owned())]
            );
        }
    }

    #[test]
    fn a_version_that_is_no_number_is_looked_for_as_text_alone() {
        let long = "1".repeat(39);
        for version in ["v3", "1.2.3", "007", "1.", ".5", "1e3", "-", "", "٣", &long] {
            assert_eq!(versions(version), [text(version)]);
        }
    }
}
