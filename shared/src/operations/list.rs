//! Lists of executions.

use aws_sdk_dynamodb::types::AttributeValue;

use super::PageSize;
use crate::auth::Caller;
use crate::error::Result;
use crate::keys;
use crate::model::{Execution, FlowId, Status, Timestamp, is_expired};
use crate::store::{Filter, Range, Store};
use crate::table::{BY_FLOW, BY_FLOW_STATUS, text};

/// Which executions a list holds.
#[derive(Debug, Clone, PartialEq)]
pub struct ExecutionFilter {
    /// Runs of this flow.
    pub flow_id: FlowId,
    /// Of this version of it. No key answers this filter: runs of other
    /// versions are read, and dropped.
    pub flow_version: Option<String>,
    /// In this state.
    pub status: Option<Status>,
}

/// One page of a list of executions.
#[derive(Debug)]
pub struct ExecutionPage {
    /// The executions, newest first.
    pub executions: Vec<Execution>,
    /// The token of the next page; `None` on the last.
    pub next_token: Option<String>,
}

/// Lists a flow's executions, newest first. One Query where nothing has to be
/// dropped; see [`Store::list`] for what bounds the others.
///
/// # Errors
/// [`crate::Error::Forbidden`] for a flow that the caller is kept from,
/// [`crate::Error::InvalidNextToken`], and those of the table.
pub async fn list_executions(
    store: &Store,
    caller: &Caller,
    filter: &ExecutionFilter,
    size: PageSize,
    next_token: Option<&str>,
) -> Result<ExecutionPage> {
    caller.require_flow(&filter.flow_id)?;
    let range = range(caller, filter);
    let now = Timestamp::now();
    let listing = store
        .list(&range, next_token, size.get(), |item| {
            // An item of another kind can be in the index, if its writer gave
            // it an execution's attributes. It is not in the list.
            keys::is_execution(item) && !is_expired(item, now)
        })
        .await?;
    Ok(ExecutionPage {
        executions: listing
            .items
            .into_iter()
            .filter_map(Execution::from_item)
            .collect(),
        next_token: listing.next_token,
    })
}

fn range(caller: &Caller, filter: &ExecutionFilter) -> Range {
    let team = caller.team_id.to_string();
    let flow = filter.flow_id.to_string();
    let range = match filter.status {
        None => Range::index(&BY_FLOW, [team, flow]),
        Some(status) => Range::index(&BY_FLOW_STATUS, [team, flow, status.as_str().to_owned()]),
    };
    match &filter.flow_version {
        None => range,
        Some(version) => range.filtered(Filter::any_of("flowVersion", versions(version))),
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
