//! What `serve` prints once it is ready.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use shared::keys;
use shared::model::{Execution, ExecutionId, Step, Timestamp, is_expired};
use shared::store::{Range, Store};
use shared::table::BY_FLOW_STATUS;

use crate::demo::{self, FORKING_FLOW};
use crate::terminal::{self, Failure};

/// All but what stands for itself in every part of a URL (RFC 3986, 2.3).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Prints the addresses, the token, and three lines to paste.
pub(super) async fn print(
    store: &Store,
    api: &str,
    table: &str,
    token: &str,
) -> Result<(), Failure> {
    let name = store.table();
    let mut lines = vec![
        "Flowtrail is ready. Ctrl-C ends it.".to_owned(),
        String::new(),
        // What stands behind the # stays in the browser.
        format!("  Console       {api}/#/sign-in?token={token}"),
        format!("  HTTP API      {api}"),
        format!("  Table         {table}  (DynamoDB, table {name})"),
        format!("  Admin token   {token}"),
        String::new(),
        "Try it:".to_owned(),
        String::new(),
    ];
    for path in sample_paths(store).await? {
        lines.push(format!(
            "  curl -s -H 'Authorization: Bearer {token}' '{api}{path}'"
        ));
    }
    lines.push(String::new());
    terminal::print(lines.join("\n"));
    Ok(())
}

/// A list, a run and the branches of a fork in it; without such a run, three
/// lists.
async fn sample_paths(store: &Store) -> Result<[String; 3], Failure> {
    let list = format!("/flow-executions?flowDefinitionId={FORKING_FLOW}&limit=5");
    let Some((execution, fork)) = sample_run(store).await? else {
        return Ok([
            list.clone(),
            format!("{list}&status=FAILED"),
            format!("{list}&status=RUNNING"),
        ]);
    };
    let id = encoded(&execution.execution_id);
    let fork_id = encoded(fork.id().unwrap_or_default());
    let fork_time = fork.start_time().map(|time| time.to_string());
    let branches = format!(
        "/flow-executions/{id}/branch-steps?parentStepInstanceId={fork_id}&parentStepStartTime={}",
        fork_time.unwrap_or_default()
    );
    Ok([list, format!("/flow-executions/{id}"), branches])
}

/// An id as it stands in a URL and between the quotes of a shell. Whoever wrote
/// the record chose it.
fn encoded(id: &str) -> String {
    utf8_percent_encode(id, ESCAPED).to_string()
}

/// The newest completed run with a fork, and the fork's step.
async fn sample_run(store: &Store) -> Result<Option<(Execution, Step)>, Failure> {
    let team = demo::team_id().to_string();
    let partition = [team, FORKING_FLOW.to_owned(), "COMPLETED".to_owned()];
    let completed = Range::index(&BY_FLOW_STATUS, partition);
    let mut page = store.query(&completed, None, 1).await?;
    let newest = page
        .items
        .pop()
        .filter(|item| !is_expired(item, Timestamp::now()));
    let Some(execution) = newest.and_then(Execution::from_item) else {
        return Ok(None);
    };
    let Ok(id) = execution.execution_id.parse::<ExecutionId>() else {
        return Ok(None);
    };
    let steps = Range::with_prefix(&id, keys::STEPS);
    let steps = store.query(&steps, None, 100).await?;
    let fork = steps
        .items
        .into_iter()
        .filter_map(Step::from_item)
        .find(|step| step.step_type.as_deref() == Some("PARALLEL_FORK_MANAGER"));
    Ok(fork.map(|fork| (execution, fork)))
}
