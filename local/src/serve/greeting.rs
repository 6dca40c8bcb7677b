//! The text that `serve` prints once it is ready.

use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use shared::keys;
use shared::model::{Execution, ExecutionId, Step, Timestamp, is_expired};
use shared::store::{Range, Store};
use shared::table::BY_FLOW_STATUS;

use crate::cli::DEFAULT_DATA;
use crate::demo::{self, FORKING_FLOW};
use crate::terminal::{self, Failure};

/// Escapes everything except the unreserved characters of a URL (RFC 3986, 2.3).
pub(crate) const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The addresses of the server.
pub(super) struct Addresses {
    /// The HTTP API.
    pub(super) api: String,
    /// The table, which engines write to.
    pub(super) table: String,
    /// The port for gRPC; `None` if another program uses it.
    pub(super) grpc: Option<String>,
}

/// The contents of the text.
pub(super) struct Greeting {
    pub(super) addresses: Addresses,
    /// The link that signs in to the console, with its code. The text contains no token.
    pub(super) link: String,
    /// The file with the admin token; `None` if the table is not embedded.
    pub(super) admin_token: Option<PathBuf>,
}

impl Greeting {
    /// Prints the addresses, the link, and three commands to try.
    pub(super) async fn print(&self, store: &Store) -> Result<(), Failure> {
        let name = store.table();
        let Addresses { api, table, grpc } = &self.addresses;
        let mut lines = vec![
            "Flowtrail is ready. Press Ctrl-C to stop it.".to_owned(),
            String::new(),
            format!("  Console       {}", self.link),
            format!(
                "                (works once, within ten minutes; for another link: {})",
                self.another_link(name)
            ),
            format!("  HTTP API      {api}"),
            format!("  Table         {table}  (DynamoDB, table {name})"),
        ];
        if let Some(grpc) = grpc {
            let line = format!("  gRPC          {grpc}  (OpenTelemetry traces)");
            lines.push(line);
        }
        lines.extend([
            format!("  Admin token   {}", self.token_source(name)),
            String::new(),
            "Try it:".to_owned(),
            String::new(),
        ]);
        let token = match &self.admin_token {
            Some(file) => format!("$(cat {})", quoted(file)),
            None => "$TOKEN".to_owned(),
        };
        for path in sample_paths(store).await? {
            lines.push(format!(
                "  curl -s -H \"Authorization: Bearer {token}\" '{api}{path}'"
            ));
        }
        lines.push(String::new());
        terminal::print(lines.join("\n"));
        Ok(())
    }

    /// Returns the command that prints another link.
    fn another_link(&self, table: &str) -> String {
        let command = "flowtrail sign-in";
        let Some(file) = &self.admin_token else {
            let port = self.addresses.api.rsplit(':').next().unwrap_or_default();
            let url = &self.addresses.table;
            return format!("{command} --port {port} --endpoint-url {url} --table {table}");
        };
        match file.parent() {
            Some(folder) if folder != Path::new(DEFAULT_DATA) => {
                format!("{command} --data {}", quoted(folder))
            }
            _ => command.to_owned(),
        }
    }

    fn token_source(&self, table: &str) -> String {
        match &self.admin_token {
            Some(file) => format!("in the file {}", file.display()),
            None => format!(
                "TOKEN=$(flowtrail token create --team {} --role admin --expires 12h \
                 --endpoint-url {} --table {table})",
                demo::team_id(),
                self.addresses.table
            ),
        }
    }
}

/// Quotes a path so that a shell reads it as one word.
fn quoted(path: &Path) -> String {
    let path = path.display().to_string();
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-+:@%".contains(letter);
    match !path.is_empty() && path.chars().all(is_plain) {
        true => path,
        false => format!("'{}'", path.replace('\'', r"'\''")),
    }
}

/// Returns the paths of a list, a run and the branches of a fork in it; without such a run,
/// three lists.
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

/// Escapes an id for a URL inside the quotes of a shell. The writer of the record chose the
/// id, so it may contain any character.
fn encoded(id: &str) -> String {
    utf8_percent_encode(id, ESCAPED).to_string()
}

/// Returns the newest completed run with a fork, and the fork's step.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_the_path_of_the_token_as_one_word() {
        for (path, expected) in [
            (".flowtrail/admin-token", ".flowtrail/admin-token"),
            ("my data/admin-token", "'my data/admin-token'"),
            ("it's $HOME", r"'it'\''s $HOME'"),
        ] {
            assert_eq!(quoted(Path::new(path)), expected);
        }
    }
}
