//! The commands besides `serve`.

use shared::auth::Caller;
use shared::config;
use shared::model::TeamId;
use shared::store::Store;
use shared::table;

use crate::cli::{TableArgs, TableCommand};
use crate::data_folder::{DataFolder, Holder};
use crate::embedded::Embedded;
use crate::terminal::{self, Failure};

mod access;
mod counts;
mod export;
mod import;
mod records;

pub use access::{run_audit, run_role, run_token};
pub use counts::run_counts;
pub use export::run_export;
pub use import::run_import;
pub use records::run_records;

/// Whoever works on the table with a command. The audit names the user of this machine,
/// as far as it is known: who has the table itself could say anything.
fn operator(team_id: TeamId) -> Caller {
    let user = ["USER", "USERNAME"]
        .into_iter()
        .find_map(|variable| std::env::var(variable).ok())
        .filter(|user| !user.is_empty());
    let principal = user.map_or("cli".to_owned(), |user| format!("cli:{user}"));
    Caller::operator(team_id, &principal)
}

/// A table to work on, and what keeps it open.
struct OpenTable {
    store: Store,
    /// The table's stream.
    streams: aws_sdk_dynamodbstreams::Client,
    /// Held while the table is in use: the file is this process's own.
    held: Option<(DataFolder, Embedded)>,
}

/// Runs `flowtrail table …`.
///
/// # Errors
/// The table cannot be reached or made.
pub async fn run_table(command: TableCommand) -> Result<(), Failure> {
    let TableCommand::Create(args) = command;
    let table = open(&args).await?;
    let client = table.store.client();
    if !table::exists(client, &args.table).await? {
        // On AWS it takes some ten seconds.
        eprintln!("Creating the table {} with its indexes …", args.table);
    }
    let created = table::create(client, &args.table).await?;
    if created {
        terminal::print(format_args!("Created the table {}.", args.table));
    } else {
        terminal::print(format_args!("The table {} is there already.", args.table));
    }
    Ok(())
}

async fn open(args: &TableArgs) -> Result<OpenTable, Failure> {
    let remote = async |url: &str| {
        let config = config::sdk_config(Some(url)).await;
        OpenTable {
            store: Store::new(aws_sdk_dynamodb::Client::new(&config), &args.table),
            streams: aws_sdk_dynamodbstreams::Client::new(&config),
            held: None,
        }
    };
    if let Some(url) = &args.endpoint_url {
        return Ok(remote(url).await);
    }
    match DataFolder::open(&args.data).await? {
        // A server has the file open: it does the work.
        Holder::Server(address) => Ok(remote(&address).await),
        Holder::Us(folder) => {
            let embedded = folder.open_database()?;
            Ok(OpenTable {
                store: Store::new(embedded.client(), &args.table),
                streams: embedded.streams_client(),
                held: Some((folder, embedded)),
            })
        }
    }
}

async fn open_existing(args: &TableArgs) -> Result<OpenTable, Failure> {
    // To look for a table must not make a folder.
    if args.endpoint_url.is_none() && !DataFolder::has_database(&args.data) {
        return Err(no_such_table(args));
    }
    let open = open(args).await?;
    if table::exists(open.store.client(), &args.table).await? {
        return Ok(open);
    }
    Err(no_such_table(args))
}

/// What to do about a table that is not there.
pub fn no_such_table(args: &TableArgs) -> Failure {
    let place = match &args.endpoint_url {
        Some(url) => format!("--endpoint-url {url}"),
        None => format!("--data {}", args.data.display()),
    };
    let table = &args.table;
    Failure(format!(
        "There is no table {table}. Make it with: flowtrail table create {place} --table {table}"
    ))
}
