//! The JSON of the history API.

mod deletion;
mod details;
mod execution;
mod filters;
mod flow_list;
mod list;
mod percentiles;
mod states;
mod statistics;
mod step_statistics;

pub(super) use deletion::{DeletedView, FlowDeletedView, deleted, flow_deleted};
pub(super) use details::{DetailsView, details};
pub(super) use flow_list::{FlowListView, flow_list};
pub(super) use list::{ListView, list};
pub(super) use states::status_word;
pub(super) use statistics::{StatisticsView, statistics};
pub(super) use step_statistics::{StepStatisticsView, step_statistics};
