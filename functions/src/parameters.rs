//! The parameters of requests.
//!
//! A [`Parameter`] is one value that both reads a parameter and describes it in `/openapi.json`,
//! so that its name, limits and default are declared once. A [`Group`] combines parameters into
//! the [`Parameters`] of an endpoint. An invalid value is refused with the name of the parameter
//! and its valid values.

mod body;
mod kinds;
mod known;
mod parameter;
mod time;

use std::fmt::Display;

use shared::model::{ExecutionId, PageSize, TimeRange};
use shared::operations::ExecutionFilter;

use crate::problem::Problem;
pub(crate) use body::{json_body, strict_json_body};
pub(crate) use kinds::{
    execution_id, execution_type, flag, id, label, next_token, number, one_of, page_size, path,
    path_id, path_id_or, reveal, short_text, some_of, viewer, whole_number,
};
pub(crate) use known::{require_known, unknown};
pub(crate) use parameter::{Group, Parameter, Parameters, Reader, group};
pub use time::{DEFAULT_DAYS, MAX_DAYS, back};
pub(crate) use time::{DaysBack, days, time_range, timestamp};

/// The parameters of an execution's details.
pub(crate) struct DetailsParameters {
    pub(crate) execution_id: ExecutionId,
    /// The number of steps on a page. `None` for as many as fit.
    pub(crate) limit: Option<PageSize>,
    pub(crate) next_token: Option<String>,
    pub(crate) reveal: bool,
}

/// Declares the parameters of an execution's details. `id` is the execution's name in the path.
pub(crate) fn details(id: &'static str) -> Parameters<DetailsParameters> {
    group!(DetailsParameters {
        execution_id: execution_id(id),
        limit: steps_limit(),
        next_token: next_token(),
        reveal: reveal(),
    })
}

/// Declares the number of steps on a page.
pub(crate) fn steps_limit() -> Parameter<Option<PageSize>> {
    page_size("limit")
        .about("The number of steps on a page. Without it, a page has as many as fit.")
}

/// Combines the conditions of a list with the time range of its runs. The time range is read
/// first, and described last.
pub(crate) fn filter(
    conditions: Parameters<ExecutionFilter>,
    created: Parameters<TimeRange>,
) -> Parameters<ExecutionFilter> {
    let mut group = Group::default();
    let conditions = group.add(conditions);
    let created = group.add(created);
    group.reads(move |request| {
        Ok(ExecutionFilter {
            created: created(request)?,
            ..conditions(request)?
        })
    })
}

/// The problem of a parameter with an invalid value.
pub fn invalid(parameter: &'static str, reason: impl Display) -> Problem {
    Problem::InvalidParameter {
        parameter,
        reason: reason.to_string(),
    }
}
