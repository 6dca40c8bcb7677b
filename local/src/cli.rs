//! The command line of `flowtrail`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use functions::cors::{self, AllowedOrigins};
use functions::executions::export::Format;
use functions::parameters::{DEFAULT_DAYS, MAX_DAYS};
use shared::audit::Action;
use shared::auth::TokenId;
use shared::config::{DEFAULT_TABLE, TABLE_VARIABLE};
use shared::label::Label;
use shared::model::{DeviceId, ExecutionType, FlowId, RoleName, Status, TeamId, Timestamp};
use shared::record::RecordKind;

use crate::hosts::{self, AllowedHosts};

mod oidc;
mod values;

use values::{
    action, endpoint_url, execution_type, first_moment, flow, last_moment, lifetime, record_kind,
    status, token_id,
};

pub use oidc::OidcArgs;
pub use values::Lifetime;

/// The folder of the embedded table if no folder is named.
pub const DEFAULT_DATA: &str = ".flowtrail";

/// The execution history of any workflow engine, on one machine or on AWS.
#[derive(Debug, Parser)]
#[command(name = "flowtrail", version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// What to do; `serve` if no command is named.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The options of `serve`, for when no command is named.
    #[command(flatten)]
    pub serve: ServeArgs,
}

/// The commands of `flowtrail`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the HTTP API and the embedded table (the default)
    Serve(ServeArgs),
    /// Print a link that signs in to the console of a running `serve`
    SignIn(ServerArgs),
    /// Set up the table
    #[command(subcommand)]
    Table(TableCommand),
    /// Create, list and revoke the tokens of API callers
    #[command(subcommand)]
    Token(TokenCommand),
    /// List, define and remove a team's roles
    #[command(subcommand)]
    Role(RoleCommand),
    /// List a team's audit events: cancels, deletions, exports, revealed secrets, changes
    /// of access
    Audit(Box<AuditArgs>),
    /// Compare the counters with the runs, and correct them
    #[command(subcommand)]
    Counts(CountsCommand),
    /// Export a team's executions with their nodes to a file or to standard output
    Export(Box<ExportArgs>),
    /// Check that records follow the record format
    #[command(subcommand)]
    Records(RecordsCommand),
    /// Write the records of a JSON Lines file into the table
    Import(ImportArgs),
    /// Show what arrived from the exporters of OpenTelemetry traces
    #[command(subcommand)]
    Traces(TracesCommand),
}

/// Selects the table.
#[derive(Debug, Clone, Args)]
pub struct TableArgs {
    /// The folder of the embedded table
    #[arg(long, value_name = "FOLDER", default_value = DEFAULT_DATA)]
    pub data: PathBuf,
    /// Use the DynamoDB at this address (AWS, or DynamoDB Local 3.3 or later) instead of
    /// the embedded one
    #[arg(long, value_name = "URL", value_parser = endpoint_url)]
    pub endpoint_url: Option<String>,
    /// The table's name
    #[arg(long, value_name = "NAME", env = TABLE_VARIABLE, default_value = DEFAULT_TABLE)]
    pub table: String,
}

/// The options of `serve`.
#[derive(Debug, Clone, Args)]
pub struct ServeArgs {
    /// The port of the HTTP API, on 127.0.0.1; 0 selects a free port
    #[arg(long, default_value_t = 3000)]
    pub port: u16,
    /// The port of the embedded table's DynamoDB endpoint, on 127.0.0.1; 0 selects a free
    /// port
    #[arg(long, default_value_t = 8000)]
    pub table_port: u16,
    /// The port for OpenTelemetry traces over gRPC, on 127.0.0.1; 0 selects a free port.
    /// Without this option it is 4317, unless another program uses that port
    #[arg(long)]
    pub grpc_port: Option<u16>,
    /// The table to serve.
    #[command(flatten)]
    pub table: TableArgs,
    /// Do not load demo data into a new table
    #[arg(long)]
    pub no_demo: bool,
    /// Other origins whose pages may read the API's answers: `*`, or origins separated by
    /// commas, such as https://ops.example.com
    #[arg(long, value_name = "ORIGINS", env = cors::VARIABLE, default_value = "", hide_default_value = true)]
    pub allowed_origins: AllowedOrigins,
    /// The host names of proxies in front of the API, separated by commas, such as
    /// runs.example.com; this machine's own names are always accepted
    #[arg(long, value_name = "HOSTS", env = hosts::VARIABLE, default_value = "", hide_default_value = true)]
    pub allowed_hosts: AllowedHosts,
    /// The issuer whose JWTs are accepted in addition to tokens.
    #[command(flatten)]
    pub oidc: OidcArgs,
}

/// Selects a running server.
#[derive(Debug, Clone, Args)]
pub struct ServerArgs {
    /// The port of the server's HTTP API; only used with --endpoint-url
    #[arg(long, default_value_t = 3000)]
    pub port: u16,
    /// The table of the server.
    #[command(flatten)]
    pub table: TableArgs,
}

/// The subcommands of `table`.
#[derive(Debug, Subcommand)]
pub enum TableCommand {
    /// Create the table with its indexes, its stream and its time to live
    Create(TableArgs),
}

/// The subcommands of `token`.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Create a token; it is shown once, alone on the last line
    Create(TokenCreateArgs),
    /// List the tokens, without their secrets
    List(TokenListArgs),
    /// Revoke a token; changes are refused immediately, reads within a minute
    Revoke {
        /// The token's id: the part between `sdk_` and the next `_`
        #[arg(value_name = "ID", value_parser = token_id)]
        token_id: TokenId,
        /// The table of the token.
        #[command(flatten)]
        table: TableArgs,
    },
}

/// Selects the tokens to list.
#[derive(Debug, Clone, Args)]
pub struct TokenListArgs {
    /// Only tokens of this team
    #[arg(long, value_name = "TEAM")]
    pub team: Option<TeamId>,
    /// The table of the tokens.
    #[command(flatten)]
    pub table: TableArgs,
}

/// The subcommands of `role`.
#[derive(Debug, Subcommand)]
pub enum RoleCommand {
    /// List the roles of a team and their permissions
    List(RoleArgs),
    /// Define a role, or change its permissions
    Set(RoleSetArgs),
    /// Remove a role; tokens with this role lose all permissions
    Remove {
        /// The role's name
        #[arg(value_name = "NAME")]
        name: RoleName,
        /// The team of the role.
        #[command(flatten)]
        role: RoleArgs,
    },
}

/// Selects the roles of a team.
#[derive(Debug, Clone, Args)]
pub struct RoleArgs {
    /// The team that the roles belong to
    #[arg(long, value_name = "TEAM")]
    pub team: TeamId,
    /// The table of the team.
    #[command(flatten)]
    pub table: TableArgs,
}

/// The definition of a role.
#[derive(Debug, Clone, Args)]
pub struct RoleSetArgs {
    /// The role's name
    #[arg(value_name = "NAME")]
    pub name: RoleName,
    /// The permissions of the role, separated by commas, such as
    /// EXECUTIONS_READ,EXECUTIONS_EXPORT
    #[arg(
        long,
        value_name = "PERMISSION,PERMISSION",
        value_delimiter = ',',
        required = true
    )]
    pub permissions: Vec<String>,
    /// The purpose of the role
    #[arg(long)]
    pub description: Option<String>,
    /// The team of the role.
    #[command(flatten)]
    pub role: RoleArgs,
}

/// Selects audit events.
#[derive(Debug, Clone, Args)]
pub struct AuditArgs {
    /// The team whose events are listed
    #[arg(long, value_name = "TEAM")]
    pub team: TeamId,
    /// Only events since this time: a date, or an RFC 3339 time
    #[arg(long, value_name = "TIME", value_parser = first_moment)]
    pub from: Option<Timestamp>,
    /// Only events until this time; a date includes the whole day
    #[arg(long, value_name = "TIME", value_parser = last_moment)]
    pub to: Option<Timestamp>,
    /// Only this action, such as EXECUTION_DELETED
    #[arg(long, value_parser = action)]
    pub action: Option<Action>,
    /// Only events of this caller, such as token:0123456789abcdef0123
    #[arg(long, value_name = "WHO")]
    pub principal: Option<String>,
    /// Only events that concern this run, flow or token
    #[arg(long, value_name = "ID")]
    pub target: Option<String>,
    /// The maximum number of events, newest first
    #[arg(long, default_value_t = 1_000,
          value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: u64,
    /// The table of the events.
    #[command(flatten)]
    pub table: TableArgs,
}

/// The subcommands of `counts`.
#[derive(Debug, Subcommand)]
pub enum CountsCommand {
    /// Recount all runs and list the differences; exits with 1 if a counter is wrong, with
    /// 3 if this cannot be decided yet
    Verify(CountsArgs),
    /// Recount all runs, and correct the counters and the entries of labels
    Rebuild(CountsArgs),
}

/// Selects the counters, and how long to wait for them.
#[derive(Debug, Clone, Args)]
pub struct CountsArgs {
    /// Only the counters of this team
    #[arg(long, value_name = "TEAM")]
    pub team: Option<TeamId>,
    /// How many seconds a difference must persist if the table is in use, because the
    /// counters follow the runs with a short delay
    #[arg(long, value_name = "SECONDS", default_value_t = 5,
          value_parser = clap::value_parser!(u64).range(0..=3_600))]
    pub settle: u64,
    /// How many seconds to wait for the counters to catch up with the runs if the table is
    /// in use
    #[arg(long, value_name = "SECONDS", default_value_t = 120,
          value_parser = clap::value_parser!(u64).range(0..=86_400))]
    pub wait: u64,
    /// The table of the counters.
    #[command(flatten)]
    pub table: TableArgs,
}

/// The subcommands of `records`.
#[derive(Debug, Subcommand)]
pub enum RecordsCommand {
    /// List the records that violate the record format, and how to correct each; exits with
    /// 1 if there are any
    Check(RecordsCheckArgs),
    /// Print the JSON Schema of a kind of record
    Schema {
        /// The kind of record
        #[arg(value_name = "execution|step|branch-step|payload", value_parser = record_kind)]
        kind: RecordKind,
    },
}

/// Selects the records to check.
#[derive(Debug, Clone, Args)]
pub struct RecordsCheckArgs {
    /// Check the changes of the last 24 hours from the table's stream, and then each record
    /// as it is written, until Ctrl-C
    #[arg(long)]
    pub follow: bool,
    /// Print each fault as one line of JSON
    #[arg(long)]
    pub json: bool,
    /// The maximum number of faults that are printed
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: u64,
    /// The table of the records.
    #[command(flatten)]
    pub table: TableArgs,
}

/// The subcommands of `traces`.
#[derive(Debug, Subcommand)]
pub enum TracesCommand {
    /// Show the last requests with traces at a running `serve`: services, scopes, runs, and what
    /// was refused or rejected and why; exits with 1 if nothing arrived, or with a problem
    Check(TracesCheckArgs),
}

/// Selects the requests with traces to show.
#[derive(Debug, Clone, Args)]
pub struct TracesCheckArgs {
    /// Show further requests as they arrive, until Ctrl-C
    #[arg(long)]
    pub follow: bool,
    /// Print each request as one line of JSON
    #[arg(long)]
    pub json: bool,
    /// The maximum number of requests, the last ones; of further ones, --follow shows all
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=100))]
    pub limit: u64,
    /// The server.
    #[command(flatten)]
    pub server: ServerArgs,
}

/// Selects the records to import.
#[derive(Debug, Clone, Args)]
pub struct ImportArgs {
    /// The file, with one record per line; - for standard input
    #[arg(value_name = "FILE|-")]
    pub file: PathBuf,
    /// Start at the beginning, even if an import of this file was interrupted
    #[arg(long)]
    pub restart: bool,
    /// The table to write to.
    #[command(flatten)]
    pub table: TableArgs,
}

/// Selects the executions to export, and the file to write.
#[derive(Debug, Clone, Args)]
pub struct ExportArgs {
    /// The team whose executions are exported
    #[arg(long, value_name = "TEAM", default_value = "default")]
    pub team: TeamId,
    /// csv: one row for each node; json: an array of executions
    #[arg(long, value_name = "csv|json", default_value = "csv")]
    pub format: Format,
    /// How many days to look back from now or from --to; ignored with --from
    #[arg(long, default_value_t = DEFAULT_DAYS,
          value_parser = clap::value_parser!(u64).range(1..=MAX_DAYS))]
    pub days: u64,
    /// Only executions created since this time: a date, or an RFC 3339 time
    #[arg(long, value_name = "TIME", value_parser = first_moment)]
    pub from: Option<Timestamp>,
    /// Only executions created until this time; a date includes the whole day
    #[arg(long, value_name = "TIME", value_parser = last_moment)]
    pub to: Option<Timestamp>,
    /// Only executions in this state
    #[arg(long, value_name = "PENDING|RUNNING|SUCCESS|FAILED|CANCELLED", value_parser = status)]
    pub status: Option<Status>,
    /// Only executions of this flow
    #[arg(long, value_name = "FLOW")]
    pub flow: Option<FlowId>,
    /// Only executions of this device
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<DeviceId>,
    /// Only executions that no other run started (PARENT), or that another run started
    /// (SUBFLOW)
    #[arg(long = "type", value_name = "PARENT|SUBFLOW", value_parser = execution_type)]
    pub execution_type: Option<ExecutionType>,
    /// Only executions with this label
    #[arg(long, value_name = "NAME=VALUE")]
    pub label: Option<Label>,
    /// Start the CSV file with a byte order mark, so that Excel reads it as UTF-8
    #[arg(long)]
    pub bom: bool,
    /// Compress the export with gzip
    #[arg(long)]
    pub gzip: bool,
    /// The file to write; a folder, in which the file gets a descriptive name; or - for
    /// standard output
    #[arg(long, short, value_name = "FILE|-", default_value = "-")]
    pub output: PathBuf,
    /// Overwrite an existing file
    #[arg(long)]
    pub force: bool,
    /// The table of the executions.
    #[command(flatten)]
    pub table: TableArgs,
}

/// The definition of a new token.
#[derive(Debug, Clone, Args)]
pub struct TokenCreateArgs {
    /// The team whose executions the holder sees
    #[arg(long, value_name = "TEAM")]
    pub team: TeamId,
    /// The permissions of the holder: viewer (read), operator (read, export, cancel, pin),
    /// engine (write runs as traces), admin (everything), or a role that the team has
    /// defined
    #[arg(long, value_name = "viewer|operator|engine|admin|ROLE")]
    pub role: RoleName,
    /// The purpose of the token
    #[arg(long)]
    pub name: Option<String>,
    /// The only flows that the holder sees, separated by commas
    #[arg(long, value_name = "FLOW,FLOW", value_delimiter = ',', value_parser = flow)]
    pub flows: Option<Vec<FlowId>>,
    /// How long the token is valid: 30m, 12h, 90d, 4w, 1y
    #[arg(long, value_name = "TIME", value_parser = lifetime, allow_hyphen_values = true)]
    pub expires: Option<Lifetime>,
    /// The table of the token.
    #[command(flatten)]
    pub table: TableArgs,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse_serve(arguments: &[&str]) -> ServeArgs {
        let cli = Cli::try_parse_from([&["flowtrail"], arguments].concat()).expect("accepted");
        match cli.command {
            Some(Command::Serve(serve)) => serve,
            None => cli.serve,
            other => panic!("expected serve, got {other:?}"),
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn serve_is_the_default_command_with_documented_defaults() {
        for arguments in [&[][..], &["serve"]] {
            let serve = parse_serve(arguments);
            assert_eq!((serve.port, serve.table_port), (3000, 8000));
            assert_eq!(serve.grpc_port, None);
            assert_eq!(serve.table.data, PathBuf::from(".flowtrail"));
            assert_eq!(serve.table.table, "flowtrail");
            assert_eq!(serve.table.endpoint_url, None);
            assert!(!serve.no_demo);
        }
        assert_eq!(parse_serve(&["--port", "1"]).port, 1);
        assert_eq!(parse_serve(&["serve", "--port", "1"]).port, 1);
    }

    #[test]
    fn an_export_defaults_to_30_days_of_csv_on_stdout() {
        let cli = Cli::try_parse_from(["flowtrail", "export"]).expect("accepted");
        let Some(Command::Export(args)) = cli.command else {
            panic!("expected export");
        };
        assert_eq!(args.team.as_str(), "default");
        assert_eq!((args.format, args.days), (Format::Csv, 30));
        assert_eq!(args.output, PathBuf::from("-"));
        assert!(!args.gzip && !args.force && !args.bom);
        for wrong in [
            ["--days", "0"],
            ["--days", "3661"],
            ["--format", "xml"],
            ["--status", "COMPLETED"],
            ["--from", "yesterday"],
            ["--to", "2026-02-30"],
            ["--flow", "a#b"],
        ] {
            let arguments = ["flowtrail", "export", wrong[0], wrong[1]];
            assert!(Cli::try_parse_from(arguments).is_err(), "{wrong:?}");
        }
    }
}
