//! The commands other than `serve`.

use shared::auth::Caller;
use shared::config;
use shared::model::TeamId;
use shared::store::Store;
use shared::table;

use crate::cli::{TableArgs, TableCommand};
use crate::data_folder::{DataFolder, Holder};
use crate::embedded::Embedded;
use crate::requirements::create_table;
use crate::terminal::{self, Failure};

mod access;
mod counts;
mod export;
mod import;
mod records;
mod running_server;
mod sign_in;
mod traces;

pub use access::{run_audit, run_role, run_token};
pub use counts::run_counts;
pub use export::run_export;
pub use import::run_import;
pub use records::run_records;
pub use sign_in::run_sign_in;
pub use traces::run_traces;

/// Returns the caller of a command. The audit names the user of this machine, as reported
/// by the environment. This is not verified: a user with access to the table could write
/// any name.
fn operator(team_id: TeamId) -> Caller {
    let user = ["USER", "USERNAME"]
        .into_iter()
        .find_map(|variable| std::env::var(variable).ok())
        .filter(|user| !user.is_empty());
    let principal = user.map_or("cli".to_owned(), |user| format!("cli:{user}"));
    Caller::operator(team_id, &principal)
}

/// An open table, and the lock that keeps it open.
struct OpenTable {
    store: Store,
    /// The table's stream.
    streams: aws_sdk_dynamodbstreams::Client,
    /// Whether it is an embedded table, of this process or of a running server.
    is_flowtrails: bool,
    /// The lock on the folder and the database, if this process has opened the file itself.
    held: Option<(DataFolder, Embedded)>,
}

/// Runs `flowtrail table …`.
///
/// # Errors
/// The table cannot be reached or created.
pub async fn run_table(command: TableCommand) -> Result<(), Failure> {
    let TableCommand::Create(args) = command;
    let table = open(&args).await?;
    let client = table.store.client();
    if !table::exists(client, &args.table).await? {
        // This takes about ten seconds on AWS.
        eprintln!("Creating the table {} and its indexes …", args.table);
    }
    let created = create_table(&table.store, &table.streams).await?;
    if created {
        terminal::print(format_args!("Created the table {}.", args.table));
    } else {
        terminal::print(format_args!("The table {} already exists.", args.table));
    }
    Ok(())
}

async fn open(args: &TableArgs) -> Result<OpenTable, Failure> {
    let remote = async |url: &str| {
        let config = config::sdk_config(Some(url)).await;
        OpenTable {
            store: Store::new(aws_sdk_dynamodb::Client::new(&config), &args.table),
            streams: aws_sdk_dynamodbstreams::Client::new(&config),
            is_flowtrails: args.endpoint_url.is_none(),
            held: None,
        }
    };
    if let Some(url) = &args.endpoint_url {
        return Ok(remote(url).await);
    }
    match DataFolder::open(&args.data).await? {
        // A server has opened the file, so the command uses the server.
        Holder::Server(address) => Ok(remote(&address).await),
        Holder::Us(folder) => {
            let embedded = folder.open_database()?;
            Ok(OpenTable {
                store: Store::new(embedded.client(), &args.table),
                streams: embedded.streams_client(),
                is_flowtrails: true,
                held: Some((folder, embedded)),
            })
        }
    }
}

async fn open_existing(args: &TableArgs) -> Result<OpenTable, Failure> {
    // A command that only looks for a table must not create a folder.
    if args.endpoint_url.is_none() && !DataFolder::has_database(&args.data) {
        return Err(no_such_table(args));
    }
    let open = open(args).await?;
    if table::exists(open.store.client(), &args.table).await? {
        return Ok(open);
    }
    Err(no_such_table(args))
}

/// The error for a missing table, with the command that creates it.
pub fn no_such_table(args: &TableArgs) -> Failure {
    let place = match &args.endpoint_url {
        Some(url) => format!("--endpoint-url {url}"),
        None => format!("--data {}", args.data.display()),
    };
    let table = &args.table;
    Failure(format!(
        "The table {table} does not exist. Create it with: flowtrail table create {place} --table {table}"
    ))
}
