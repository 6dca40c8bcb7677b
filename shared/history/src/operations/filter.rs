//! The conditions that select executions for a caller.

use aws_sdk_dynamodb::types::AttributeValue;
use derived::counters::{self, Kind};
use format::attributes::{
    DEVICE_ID, EXECUTION_TYPE, FLOW_ID, FLOW_VERSION, PARENT_EXECUTION_ID, STATUS, text,
};
use format::label::Label;
use format::model::{DeviceId, ExecutionId, ExecutionType, FlowId, Status, TimeRange};
use format::{Result, keys};
use store::table::{BY_DEVICE, BY_FLOW, BY_FLOW_STATUS, BY_PARENT, BY_TEAM, BY_TEAM_STATUS};
use store::{Filter, Range};
use team::audit::Entry;
use team::auth::Caller;

/// Selects the executions of the caller's team that meet every condition that is set.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ExecutionFilter {
    /// Runs of this flow.
    pub flow_id: Option<FlowId>,
    /// Runs of this version of the flow. No key or counter covers this condition: runs of
    /// other versions are read and dropped.
    pub flow_version: Option<String>,
    /// Runs of this device.
    pub device_id: Option<DeviceId>,
    /// Runs in this state.
    pub status: Option<Status>,
    /// Sub-flows (runs that another run started), or the other runs.
    pub execution_type: Option<ExecutionType>,
    /// Runs that this run started.
    pub parent_execution_id: Option<ExecutionId>,
    /// Runs with this label.
    pub label: Option<Label>,
    /// Runs that were created in this period.
    pub created: TimeRange,
}

impl ExecutionFilter {
    /// Checks that the caller has access to the flow that the filter selects, or to all
    /// flows if it selects none.
    ///
    /// # Errors
    /// [`format::Error::Forbidden`] if the caller lacks that access.
    pub(super) fn require(&self, caller: &Caller) -> Result<()> {
        match &self.flow_id {
            Some(flow_id) => caller.require_flow(flow_id),
            None => caller.require_all_flows(),
        }
    }

    /// Adds the conditions to an audit entry.
    pub(super) fn describe(&self, entry: Entry) -> Entry {
        entry
            .detail_if_any(FLOW_ID, self.flow_id.as_ref())
            .detail_if_any(FLOW_VERSION, self.flow_version.as_ref())
            .detail_if_any(DEVICE_ID, self.device_id.as_ref())
            .detail_if_any(STATUS, self.status.map(Status::as_str))
            .detail_if_any(
                EXECUTION_TYPE,
                self.execution_type.map(ExecutionType::as_str),
            )
            .detail_if_any(PARENT_EXECUTION_ID, self.parent_execution_id.as_ref())
            .detail_if_any("label", self.label.as_ref())
            .detail_if_any("from", self.created.from())
            .detail_if_any("to", self.created.to())
    }

    /// Returns the range that contains these runs, newest first: a range of an index, or of a
    /// label's entries. Conditions that its keys do not cover become filters.
    pub(super) fn range(&self, caller: &Caller) -> Range {
        let (range, covered) = self.most_selective_range(caller);
        let (from, mut to) = counters::bounds(&self.created);
        if self.label.is_some() {
            // In a label's entries the run's id follows the time of creation.
            to = to.map(|to| format!("{to}#{}", keys::LAST));
        }
        self.filters_except(covered)
            .into_iter()
            .fold(range.between(from, to), Range::filtered)
    }

    /// Returns the most selective range for the conditions that are set, over all time, and
    /// the attributes whose conditions its keys cover.
    fn most_selective_range(&self, caller: &Caller) -> (Range, &'static [&'static str]) {
        let team = caller.team_id.to_string();
        let flow = self.flow_id.as_ref().map(FlowId::to_string);
        let status = self.status.map(|status| status.as_str().to_owned());
        let device = self.device_id.as_ref().map(DeviceId::to_string);
        let parent = self.parent_execution_id.as_ref();
        let parent = parent.map(ExecutionId::to_string);
        match (&self.label, parent, device, flow, status) {
            (Some(label), ..) => {
                let pk = keys::label_partition(&team, label);
                (Range::of_partition(pk, "", None).last_first(), &[])
            }
            (None, Some(parent), ..) => {
                let range = Range::index(&BY_PARENT, [team, parent]);
                (range, &[PARENT_EXECUTION_ID])
            }
            (None, None, Some(device), ..) => {
                (Range::index(&BY_DEVICE, [team, device]), &[DEVICE_ID])
            }
            (None, None, None, Some(flow), Some(status)) => {
                let range = Range::index(&BY_FLOW_STATUS, [team, flow, status]);
                (range, &[FLOW_ID, STATUS])
            }
            (None, None, None, Some(flow), None) => {
                (Range::index(&BY_FLOW, [team, flow]), &[FLOW_ID])
            }
            (None, None, None, None, Some(status)) => {
                (Range::index(&BY_TEAM_STATUS, [team, status]), &[STATUS])
            }
            (None, None, None, None, None) => (Range::index(&BY_TEAM, [team]), &[]),
        }
    }

    /// Returns filters for the conditions on all attributes but these.
    fn filters_except(&self, covered: &[&str]) -> Vec<Filter> {
        let flow = self.flow_id.as_ref().map(FlowId::to_string);
        let status = self.status.map(|status| status.as_str().to_owned());
        let device = self.device_id.as_ref().map(DeviceId::to_string);
        let parent = self.parent_execution_id.as_ref();
        let parent = parent.map(ExecutionId::to_string);
        let wanted = [
            (FLOW_ID, flow),
            (STATUS, status),
            (DEVICE_ID, device),
            (PARENT_EXECUTION_ID, parent),
        ];
        let mut filters: Vec<_> = wanted
            .into_iter()
            .filter(|(attribute, _)| !covered.contains(attribute))
            .filter_map(|(attribute, value)| Some(Filter::any_of(attribute, vec![text(value?)])))
            .collect();
        let subflow = || text(ExecutionType::Subflow.as_str());
        filters.extend(self.execution_type.map(|wanted| match wanted {
            ExecutionType::Subflow => Filter::any_of(EXECUTION_TYPE, vec![subflow()]),
            // A record without a type, or with an unknown type, counts as a parent.
            ExecutionType::Parent => Filter::not(EXECUTION_TYPE, subflow()),
        }));
        if let Some(version) = &self.flow_version {
            filters.push(Filter::any_of(FLOW_VERSION, versions(version)));
        }
        filters
    }

    /// Whether counters exist for these runs. There are none for labels or for the children
    /// of a run.
    pub(super) fn is_counted(&self) -> bool {
        self.label.is_none() && self.parent_execution_id.is_none()
    }

    /// Returns the scope whose counters count these runs, if they are counted.
    pub(super) fn scope(&self) -> String {
        keys::scope(self.flow_id.as_ref(), self.device_id.as_ref())
    }

    /// Whether the filter selects runs of this kind. Checks only the conditions on the status and
    /// the execution type.
    pub(super) fn matches(&self, kind: Kind) -> bool {
        self.status.is_none_or(|status| kind.status == Some(status))
            && self
                .execution_type
                .is_none_or(|wanted| kind.execution_type == wanted)
    }

    /// Whether the index contains runs of this kind. Such runs are read, and dropped if the
    /// filter does not select them.
    pub(super) fn is_read(&self, kind: Kind) -> bool {
        self.device_id.is_some() || self.status.is_none_or(|status| kind.status == Some(status))
    }

    /// Whether the scope's counters count every run in the index. A device's index contains
    /// the runs of all its flows.
    pub(super) fn covers_whole_index(&self) -> bool {
        self.device_id.is_none() || self.flow_id.is_none()
    }
}

/// Returns the forms in which an engine may have written a version: as text and, if it
/// reads as a number, as a number.
fn versions(version: &str) -> Vec<AttributeValue> {
    // DynamoDB keeps 38 digits. A leading zero makes a text: "007" is not the number 7.
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
    fn numeric_versions_match_text_and_number() {
        for version in ["3", "0", "0.5", "-1", "10.25"] {
            assert_eq!(
                versions(version),
                [text(version), AttributeValue::N(version.to_owned())]
            );
        }
    }

    #[test]
    fn other_versions_match_only_text() {
        let long = "1".repeat(39);
        for version in ["v3", "1.2.3", "007", "1.", ".5", "1e3", "-", "", "٣", &long] {
            assert_eq!(versions(version), [text(version)]);
        }
    }
}
