//! The commands besides `serve`.

use shared::auth::{self, NewToken, TokenRecord};
use shared::config;
use shared::model::Timestamp;
use shared::store::Store;
use shared::table;

use crate::cli::{TableArgs, TableCommand, TokenCommand, TokenCreateArgs};
use crate::data_folder::{DataFolder, Holder};
use crate::embedded::Embedded;
use crate::terminal::{self, Failure};

mod counts;
mod export;

pub use counts::run_counts;
pub use export::run_export;

/// Who made a token that was made here.
const CREATED_BY: &str = "command line";

/// A table to work on, and what keeps it open.
struct OpenTable {
    store: Store,
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

/// Runs `flowtrail token …`.
///
/// # Errors
/// The table cannot be reached or is not there, or no token has the id.
pub async fn run_token(command: TokenCommand) -> Result<(), Failure> {
    match command {
        TokenCommand::Create(args) => create_token(args).await,
        TokenCommand::List(args) => list_tokens(&args).await,
        TokenCommand::Revoke { token_id, table } => {
            let table = open_existing(&table).await?;
            // Whoever has the whole token at hand may give that; its secret is
            // not repeated.
            let token_id = match token_id.strip_prefix("sdk_") {
                Some(rest) => rest.split('_').next().unwrap_or_default(),
                None => &token_id,
            };
            match auth::revoke_token(&table.store, token_id).await {
                Ok(record) => {
                    terminal::print(format_args!(
                        "Revoked the token {} of team {}.",
                        record.token_id, record.team_id
                    ));
                    Ok(())
                }
                Err(error @ shared::Error::TokenNotFound(_)) => {
                    Err(Failure(format!("There is nothing to revoke: {error}.")))
                }
                Err(error) => Err(error.into()),
            }
        }
    }
}

async fn create_token(args: TokenCreateArgs) -> Result<(), Failure> {
    let table = open_existing(&args.table).await?;
    let now = Timestamp::now();
    let expires_at = args
        .expires
        .and_then(|lifetime| Timestamp::from_milliseconds(now.milliseconds() + lifetime.0 * 1_000));
    let new = NewToken {
        team_id: args.team,
        role: args.role,
        name: args.name,
        flows: args.flows,
        expires_at,
        created_by: CREATED_BY.to_owned(),
    };
    let (record, secret) = auth::create_token(&table.store, &new).await?;
    eprintln!(
        "Token {} for team {}, role {}{}. It is shown this once:",
        record.token_id,
        record.team_id,
        record.role.as_str(),
        expires_at.map_or(String::new(), |end| format!(", until {end}")),
    );
    terminal::print(secret.reveal());
    Ok(())
}

async fn list_tokens(args: &TableArgs) -> Result<(), Failure> {
    let table = open_existing(args).await?;
    let records = auth::list_tokens(&table.store, None).await?;
    terminal::print(format_args!(
        "{:20}  {:16}  {:8}  {:24}  {:24}  {:8}  NAME",
        "ID", "TEAM", "ROLE", "LAST USED", "UNTIL", "STATE"
    ));
    for record in &records {
        terminal::print(line_of(record));
    }
    Ok(())
}

fn line_of(record: &TokenRecord) -> String {
    let time = |time: Option<Timestamp>| time.map_or("never".to_owned(), |time| time.to_string());
    // A revoked token's record is kept for a while; the token has ended.
    let until = record.revoked_at.or_else(|| {
        let seconds = record.expires_at?;
        Timestamp::from_milliseconds(seconds.checked_mul(1_000)?)
    });
    let state = match record.revoked_at {
        Some(_) => "revoked",
        None => "active",
    };
    let flows = record.flows.as_ref().map_or(String::new(), |flows| {
        format!(" (only {})", flows.join(", "))
    });
    format!(
        "{:20}  {:16}  {:8}  {:24}  {:24}  {state:8}  {}{flows}",
        record.token_id,
        record.team_id,
        record.role.as_str(),
        time(record.last_used_at),
        time(until),
        record.name.as_deref().unwrap_or_default(),
    )
}

async fn open(args: &TableArgs) -> Result<OpenTable, Failure> {
    let remote = async |url: &str| OpenTable {
        store: Store::new(config::client(Some(url)).await, &args.table),
        held: None,
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
