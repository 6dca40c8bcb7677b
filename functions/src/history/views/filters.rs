//! The filters of a request, which the response repeats.

use schemars::JsonSchema;
use serde::Serialize;
use shared::label::Label;
use shared::model::{ExecutionId, ExecutionType, FlowId, Timestamp};
use shared::operations::ExecutionFilter;

use super::states::{StatusWord, status_word};
use crate::history::parameters::{ListParameters, StatisticsParameters};

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListFilters<'a> {
    #[schemars(with = "Option<StatusWord>")]
    status: Option<&'static str>,
    flow_id: Option<&'a str>,
    device_id: Option<&'a str>,
    start_date: Option<Timestamp>,
    end_date: Option<Timestamp>,
    execution_type: Option<ExecutionType>,
    lite: bool,
    #[serde(flatten)]
    additional: AdditionalFilters<'a>,
}

impl<'a> ListFilters<'a> {
    pub(super) fn new(parameters: &'a ListParameters) -> Self {
        let ListParameters { filter, lite, .. } = parameters;
        Self {
            status: filter.status.map(status_word),
            flow_id: filter.flow_id.as_ref().map(FlowId::as_str),
            device_id: filter.device_id.as_ref().map(|device| device.as_str()),
            start_date: filter.created.from(),
            end_date: filter.created.to(),
            execution_type: filter.execution_type,
            lite: *lite,
            additional: AdditionalFilters::new(filter),
        }
    }
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct StatisticsFilters<'a> {
    flow_id: Option<&'a str>,
    device_id: Option<&'a str>,
    days: Option<u64>,
    start_date: Option<Timestamp>,
    end_date: Option<Timestamp>,
    execution_type: Option<ExecutionType>,
    #[schemars(with = "Option<StatusWord>")]
    status: Option<&'static str>,
    #[serde(flatten)]
    additional: AdditionalFilters<'a>,
}

impl<'a> StatisticsFilters<'a> {
    pub(super) fn new(parameters: &'a StatisticsParameters) -> Self {
        let StatisticsParameters {
            filter,
            days,
            named,
            ..
        } = parameters;
        Self {
            flow_id: filter.flow_id.as_ref().map(FlowId::as_str),
            device_id: filter.device_id.as_ref().map(|device| device.as_str()),
            days: *days,
            start_date: named.from(),
            end_date: named.to(),
            execution_type: filter.execution_type,
            status: filter.status.map(status_word),
            additional: AdditionalFilters::new(filter),
        }
    }
}

/// The filters that the API's document does not have, and that are therefore present only if
/// they are set.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct AdditionalFilters<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_execution_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
}

impl<'a> AdditionalFilters<'a> {
    fn new(filter: &'a ExecutionFilter) -> Self {
        let parent = filter.parent_execution_id.as_ref();
        Self {
            parent_execution_id: parent.map(ExecutionId::as_str),
            label: filter.label.as_ref().map(Label::to_string),
        }
    }
}
