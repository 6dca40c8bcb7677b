//! The command line of `flowtrail`.

use std::path::PathBuf;

use axum::http::Uri;
use clap::{Args, Parser, Subcommand};
use functions::cors::{self, AllowedOrigins};
use functions::executions::export::{Format, status_named};
use functions::parameters::{DEFAULT_DAYS, MAX_DAYS};
use jiff::{Span, Timestamp as Moment};
use shared::audit::Action;
use shared::auth::{InvalidOidcSettings, OidcSettings, SignInSettings, TokenId};
use shared::config::{DEFAULT_TABLE, TABLE_VARIABLE};
use shared::labels::Label;
use shared::model::{
    DeviceId, ExecutionType, FlowId, InvalidId, RoleName, Status, TeamId, Timestamp,
};
use shared::record::RecordKind;

/// The execution history of any workflow engine, on one machine or on AWS.
#[derive(Debug, Parser)]
#[command(name = "flowtrail", version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// What to do; `serve` when nothing is named.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The options of `serve`, for when nothing is named.
    #[command(flatten)]
    pub serve: ServeArgs,
}

/// What `flowtrail` can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the HTTP API and, embedded, the table (the default)
    Serve(ServeArgs),
    /// Set up the table
    #[command(subcommand)]
    Table(TableCommand),
    /// Make, list and revoke the tokens that callers send
    #[command(subcommand)]
    Token(TokenCommand),
    /// List a team's roles, and define its own
    #[command(subcommand)]
    Role(RoleCommand),
    /// List who cancelled, deleted, exported, revealed, and changed what others may do
    Audit(Box<AuditArgs>),
    /// Check the kept counts against the runs, and mend them
    #[command(subcommand)]
    Counts(CountsCommand),
    /// Write a team's executions with their nodes into a file, or print them
    Export(Box<ExportArgs>),
    /// Check whether records keep the record format
    #[command(subcommand)]
    Records(RecordsCommand),
    /// Write the records of a JSON Lines file into the table
    Import(ImportArgs),
}

/// Which table.
#[derive(Debug, Clone, Args)]
pub struct TableArgs {
    /// The folder of the embedded table
    #[arg(long, value_name = "FOLDER", default_value = ".flowtrail")]
    pub data: PathBuf,
    /// Use the DynamoDB at this address (DynamoDB Local, AWS, ScyllaDB) in
    /// place of the embedded one
    #[arg(long, value_name = "URL", value_parser = endpoint_url)]
    pub endpoint_url: Option<String>,
    /// The table's name
    #[arg(long, value_name = "NAME", env = TABLE_VARIABLE, default_value = DEFAULT_TABLE)]
    pub table: String,
}

/// The options of `serve`.
#[derive(Debug, Clone, Args)]
pub struct ServeArgs {
    /// The port of the HTTP API, on 127.0.0.1; 0 takes any that is free
    #[arg(long, default_value_t = 3000)]
    pub port: u16,
    /// The port of the embedded table's DynamoDB endpoint, on 127.0.0.1; 0
    /// takes any that is free
    #[arg(long, default_value_t = 8000)]
    pub table_port: u16,
    /// Which table.
    #[command(flatten)]
    pub table: TableArgs,
    /// Leave a new table empty, without demo data
    #[arg(long)]
    pub no_demo: bool,
    /// Pages of which other origins may read the API's answers: `*`, or origins
    /// separated by commas, such as https://ops.example.com
    #[arg(long, value_name = "ORIGINS", env = cors::VARIABLE, default_value = "", hide_default_value = true)]
    pub allowed_origins: AllowedOrigins,
    /// Whose JWTs are taken as well.
    #[command(flatten)]
    pub oidc: OidcArgs,
}

/// The issuer whose JWTs are taken beside the table's own tokens.
#[derive(Debug, Clone, Args)]
#[command(
    next_help_heading = "JWTs of an OpenID Connect issuer (off unless --oidc-issuer is there)"
)]
pub struct OidcArgs {
    /// The issuer, to the letter as in the claim iss
    #[arg(long, value_name = "URL", env = OidcSettings::ISSUER_VARIABLE)]
    pub oidc_issuer: Option<String>,
    /// For whom the JWTs are made, as in the claim aud
    #[arg(long, value_name = "TEXT", env = OidcSettings::AUDIENCE_VARIABLE)]
    pub oidc_audience: Option<String>,
    /// Where the issuer's keys are, if not where its discovery document says
    #[arg(long, value_name = "URL", env = OidcSettings::JWKS_URL_VARIABLE)]
    pub oidc_jwks_url: Option<String>,
    /// The claim with the team's id
    #[arg(long, value_name = "CLAIM", env = OidcSettings::TEAM_CLAIM_VARIABLE)]
    pub oidc_team_claim: Option<String>,
    /// The claim with the names of roles, one or a list
    #[arg(long, value_name = "CLAIM", env = OidcSettings::ROLE_CLAIM_VARIABLE)]
    pub oidc_role_claim: Option<String>,
    /// The claim with the user's name, as the audit shows it
    #[arg(long, value_name = "CLAIM", env = OidcSettings::USER_CLAIM_VARIABLE)]
    pub oidc_user_claim: Option<String>,
    /// The id of the console at the issuer, so that people sign in there
    #[arg(long, value_name = "ID", env = SignInSettings::CLIENT_ID_VARIABLE)]
    pub oidc_console_client_id: Option<String>,
    /// What the console asks the issuer for, separated by spaces: openid and others
    #[arg(long, value_name = "SCOPES", env = SignInSettings::SCOPES_VARIABLE)]
    pub oidc_console_scopes: Option<String>,
    /// The issuer's token endpoint, if it is on another host than the issuer
    #[arg(long, value_name = "URL", env = SignInSettings::TOKEN_URL_VARIABLE)]
    pub oidc_console_token_url: Option<String>,
}

impl OidcArgs {
    /// Whose JWTs are taken; `None` where no issuer is named.
    ///
    /// # Errors
    /// What an option cannot be.
    pub fn settings(&self) -> Result<Option<OidcSettings>, InvalidOidcSettings> {
        OidcSettings::of(|variable| self.value(variable))
    }

    /// How people sign in to the console; `None` where it is no client of the issuer.
    ///
    /// # Errors
    /// What an option cannot be.
    pub fn sign_in(&self) -> Result<Option<SignInSettings>, InvalidOidcSettings> {
        SignInSettings::of(|variable| self.value(variable))
    }

    /// The option that stands for an environment variable.
    fn value(&self, variable: &str) -> Option<String> {
        match variable {
            OidcSettings::ISSUER_VARIABLE => self.oidc_issuer.clone(),
            OidcSettings::AUDIENCE_VARIABLE => self.oidc_audience.clone(),
            OidcSettings::JWKS_URL_VARIABLE => self.oidc_jwks_url.clone(),
            OidcSettings::TEAM_CLAIM_VARIABLE => self.oidc_team_claim.clone(),
            OidcSettings::ROLE_CLAIM_VARIABLE => self.oidc_role_claim.clone(),
            OidcSettings::USER_CLAIM_VARIABLE => self.oidc_user_claim.clone(),
            SignInSettings::CLIENT_ID_VARIABLE => self.oidc_console_client_id.clone(),
            SignInSettings::SCOPES_VARIABLE => self.oidc_console_scopes.clone(),
            SignInSettings::TOKEN_URL_VARIABLE => self.oidc_console_token_url.clone(),
            _ => None,
        }
    }
}

/// What can be done with the table.
#[derive(Debug, Subcommand)]
pub enum TableCommand {
    /// Create the table with its indexes, its stream and its time to live
    Create(TableArgs),
}

/// What can be done with tokens.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a token; it is shown once, alone on the last line
    Create(TokenCreateArgs),
    /// List the tokens, without their secrets
    List(TokenListArgs),
    /// Revoke a token; it stops working within a minute
    Revoke {
        /// The token's id: what stands between `sdk_` and the next `_`
        #[arg(value_name = "ID", value_parser = token_id)]
        token_id: TokenId,
        /// Which table.
        #[command(flatten)]
        table: TableArgs,
    },
}

/// Which tokens to list.
#[derive(Debug, Clone, Args)]
pub struct TokenListArgs {
    /// Only this team's
    #[arg(long, value_name = "TEAM")]
    pub team: Option<TeamId>,
    /// Which table.
    #[command(flatten)]
    pub table: TableArgs,
}

/// What can be done with roles.
#[derive(Debug, Subcommand)]
pub enum RoleCommand {
    /// List the roles of a team, and what each may do
    List(RoleArgs),
    /// Define a role, or change what it may do
    Set(RoleSetArgs),
    /// Remove a role; tokens that have it may do nothing any more
    Remove {
        /// The role's name
        #[arg(value_name = "NAME")]
        name: RoleName,
        /// Whose role.
        #[command(flatten)]
        role: RoleArgs,
    },
}

/// Whose roles.
#[derive(Debug, Clone, Args)]
pub struct RoleArgs {
    /// The team whose roles these are
    #[arg(long, value_name = "TEAM")]
    pub team: TeamId,
    /// Which table.
    #[command(flatten)]
    pub table: TableArgs,
}

/// What a role is to be.
#[derive(Debug, Clone, Args)]
pub struct RoleSetArgs {
    /// The role's name
    #[arg(value_name = "NAME")]
    pub name: RoleName,
    /// What the role may do, separated by commas, such as
    /// EXECUTIONS_READ,EXECUTIONS_EXPORT
    #[arg(
        long,
        value_name = "PERMISSION,PERMISSION",
        value_delimiter = ',',
        required = true
    )]
    pub permissions: Vec<String>,
    /// What the role is for
    #[arg(long)]
    pub description: Option<String>,
    /// Whose role.
    #[command(flatten)]
    pub role: RoleArgs,
}

/// Which events of the audit.
#[derive(Debug, Clone, Args)]
pub struct AuditArgs {
    /// The team whose audit this is
    #[arg(long, value_name = "TEAM")]
    pub team: TeamId,
    /// Only events since then: a date, or a time of RFC 3339
    #[arg(long, value_name = "TIME", value_parser = first_moment)]
    pub from: Option<Timestamp>,
    /// Only events until then; of a date until its end
    #[arg(long, value_name = "TIME", value_parser = last_moment)]
    pub to: Option<Timestamp>,
    /// Only this action, such as EXECUTION_DELETED
    #[arg(long, value_parser = action)]
    pub action: Option<Action>,
    /// Only what this caller did, such as token:0123456789abcdef0123
    #[arg(long, value_name = "WHO")]
    pub principal: Option<String>,
    /// Only what concerns this run, flow or token
    #[arg(long, value_name = "ID")]
    pub target: Option<String>,
    /// The most events that are listed, newest first
    #[arg(long, default_value_t = 1_000,
          value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: u64,
    /// Which table.
    #[command(flatten)]
    pub table: TableArgs,
}

/// What can be done with the counts.
#[derive(Debug, Subcommand)]
pub enum CountsCommand {
    /// Count all runs again and list what differs; ends with 1 if anything does
    Verify(CountsArgs),
    /// Count all runs again and put right what differs, and what their labels find
    Rebuild(CountsArgs),
}

/// Which counts, and how patiently.
#[derive(Debug, Clone, Args)]
pub struct CountsArgs {
    /// Only this team's
    #[arg(long, value_name = "TEAM")]
    pub team: Option<TeamId>,
    /// How many seconds a difference has to stay, where the table is in use: the
    /// counts follow the runs a moment later
    #[arg(long, value_name = "SECONDS", default_value_t = 5,
          value_parser = clap::value_parser!(u64).range(0..=3_600))]
    pub settle: u64,
    /// Which table.
    #[command(flatten)]
    pub table: TableArgs,
}

/// What can be done with records.
#[derive(Debug, Subcommand)]
pub enum RecordsCommand {
    /// List the records that break the record format, and what to do about each; ends with 1
    /// if there are any
    Check(RecordsCheckArgs),
    /// Print the JSON Schema of a kind of record
    Schema {
        /// Of which kind
        #[arg(value_name = "execution|step|branch-step|payload", value_parser = record_kind)]
        kind: RecordKind,
    },
}

/// Which records to check.
#[derive(Debug, Clone, Args)]
pub struct RecordsCheckArgs {
    /// Check what was written in the last 24 hours as the table's stream has it, and then
    /// each record at the moment at which it is written, until Ctrl-C
    #[arg(long)]
    pub follow: bool,
    /// Print each fault as a line of JSON
    #[arg(long)]
    pub json: bool,
    /// The most faults that are printed
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: u64,
    /// Which table.
    #[command(flatten)]
    pub table: TableArgs,
}

/// Which records to import.
#[derive(Debug, Clone, Args)]
pub struct ImportArgs {
    /// The file, a record a line; - for standard input
    #[arg(value_name = "FILE|-")]
    pub file: PathBuf,
    /// Begin at the beginning, also where an import of this file was interrupted
    #[arg(long)]
    pub restart: bool,
    /// Which table.
    #[command(flatten)]
    pub table: TableArgs,
}

/// Which executions to export, and where to.
#[derive(Debug, Clone, Args)]
pub struct ExportArgs {
    /// The team whose executions these are
    #[arg(long, value_name = "TEAM", default_value = "default")]
    pub team: TeamId,
    /// One row for each node, or an array of executions
    #[arg(long, value_name = "csv|json", default_value = "csv")]
    pub format: Format,
    /// How many days to look back, from now or from --to; not used with --from
    #[arg(long, default_value_t = DEFAULT_DAYS,
          value_parser = clap::value_parser!(u64).range(1..=MAX_DAYS))]
    pub days: u64,
    /// Only executions created since then: a date, or a time of RFC 3339
    #[arg(long, value_name = "TIME", value_parser = first_moment)]
    pub from: Option<Timestamp>,
    /// Only executions created until then; of a date until its end
    #[arg(long, value_name = "TIME", value_parser = last_moment)]
    pub to: Option<Timestamp>,
    /// Only executions in this state
    #[arg(long, value_name = "PENDING|RUNNING|SUCCESS|FAILED|CANCELLED", value_parser = status)]
    pub status: Option<Status>,
    /// Only executions of this flow
    #[arg(long, value_name = "FLOW")]
    pub flow: Option<FlowId>,
    /// Only executions that concern this device
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<DeviceId>,
    /// Only those that stand for themselves, or that another run has started
    #[arg(long = "type", value_name = "PARENT|SUBFLOW", value_parser = execution_type)]
    pub execution_type: Option<ExecutionType>,
    /// Only executions with this label
    #[arg(long, value_name = "NAME=VALUE")]
    pub label: Option<Label>,
    /// Pack it with gzip
    #[arg(long)]
    pub gzip: bool,
    /// Where to write it: a file, a folder for a file with a telling name, or -
    /// for standard output
    #[arg(long, short, value_name = "FILE|-", default_value = "-")]
    pub output: PathBuf,
    /// Write over a file that is there
    #[arg(long)]
    pub force: bool,
    /// Which table.
    #[command(flatten)]
    pub table: TableArgs,
}

fn first_moment(text: &str) -> Result<Timestamp, String> {
    Timestamp::first_of(text).ok_or_else(no_moment)
}

fn last_moment(text: &str) -> Result<Timestamp, String> {
    Timestamp::last_of(text).ok_or_else(no_moment)
}

fn no_moment() -> String {
    "it is a date or a time such as 2026-02-17 or 2026-02-17T10:30:00Z".to_owned()
}

fn status(word: &str) -> Result<Status, String> {
    let words = "it is one of PENDING, RUNNING, SUCCESS, FAILED and CANCELLED";
    status_named(word).ok_or_else(|| words.to_owned())
}

fn record_kind(name: &str) -> Result<RecordKind, String> {
    let mut kinds = RecordKind::ALL.into_iter();
    let found = kinds.find(|kind| kind.name() == name);
    found.ok_or_else(|| "it is one of execution, step, branch-step and payload".to_owned())
}

fn execution_type(word: &str) -> Result<ExecutionType, String> {
    let mut types = ExecutionType::ALL.into_iter();
    let found = types.find(|execution_type| execution_type.as_str() == word);
    found.ok_or_else(|| "it is one of PARENT and SUBFLOW".to_owned())
}

/// What a new token is to be.
#[derive(Debug, Clone, Args)]
pub struct TokenCreateArgs {
    /// The team whose executions the holder sees
    #[arg(long, value_name = "TEAM")]
    pub team: TeamId,
    /// What the holder may do: viewer (read), operator (read, export, cancel),
    /// admin (everything), or a role of the team's own
    #[arg(long, value_name = "viewer|operator|engine|admin|ROLE")]
    pub role: RoleName,
    /// What the token is for
    #[arg(long)]
    pub name: Option<String>,
    /// The only flows that the holder sees, separated by commas
    #[arg(long, value_name = "FLOW,FLOW", value_delimiter = ',', value_parser = flow)]
    pub flows: Option<Vec<FlowId>>,
    /// How long the token works: 30m, 12h, 90d, 4w, 1y
    #[arg(long, value_name = "TIME", value_parser = lifetime, allow_hyphen_values = true)]
    pub expires: Option<Lifetime>,
    /// Which table.
    #[command(flatten)]
    pub table: TableArgs,
}

/// How long a token works, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetime(pub i64);

fn lifetime(text: &str) -> Result<Lifetime, String> {
    let span: Span = text
        .parse()
        .map_err(|_| "it is a length of time such as 90d, 12h or 4w".to_owned())?;
    let now = Moment::now().to_zoned(jiff::tz::TimeZone::UTC);
    let end = now
        .checked_add(span)
        .map_err(|_| "it is longer than time is counted here".to_owned())?;
    let seconds = end.timestamp().as_second() - now.timestamp().as_second();
    if seconds < 1 {
        return Err("it has to lie in the future".to_owned());
    }
    Ok(Lifetime(seconds))
}

fn flow(text: &str) -> Result<FlowId, InvalidId> {
    text.trim().parse()
}

/// Whoever has the whole token at hand may give that; its secret is not repeated.
fn token_id(text: &str) -> Result<TokenId, String> {
    let id = match text.strip_prefix("sdk_") {
        Some(rest) => rest.split('_').next().unwrap_or_default(),
        None => text,
    };
    let form = "it is the part of a token between sdk_ and the next _: 20 digits of 0-9 a-f";
    id.parse().map_err(|()| form.to_owned())
}

fn action(word: &str) -> Result<Action, String> {
    let words = Action::ALL.map(Action::as_str).join(", ");
    Action::named(word).ok_or_else(|| format!("it is one of {words}"))
}

fn endpoint_url(text: &str) -> Result<String, String> {
    let url: Option<Uri> = text.parse().ok();
    let is_http = |url: &Uri| matches!(url.scheme_str(), Some("http" | "https"));
    match url.is_some_and(|url| is_http(&url) && url.host().is_some()) {
        true => Ok(text.to_owned()),
        false => Err("it is an address such as http://127.0.0.1:8000".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn serve_of(arguments: &[&str]) -> ServeArgs {
        let cli = Cli::try_parse_from([&["flowtrail"], arguments].concat()).expect("accepted");
        match cli.command {
            Some(Command::Serve(serve)) => serve,
            None => cli.serve,
            other => panic!("expected serve, got {other:?}"),
        }
    }

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn serve_is_the_default_and_has_the_documented_defaults() {
        for arguments in [&[][..], &["serve"]] {
            let serve = serve_of(arguments);
            assert_eq!((serve.port, serve.table_port), (3000, 8000));
            assert_eq!(serve.table.data, PathBuf::from(".flowtrail"));
            assert_eq!(serve.table.table, "flowtrail");
            assert_eq!(serve.table.endpoint_url, None);
            assert!(!serve.no_demo);
        }
        assert_eq!(serve_of(&["--port", "1"]).port, 1);
        assert_eq!(serve_of(&["serve", "--port", "1"]).port, 1);
    }

    #[test]
    fn a_value_that_cannot_be_is_refused_where_it_is_read() {
        for url in ["nonsense", "ftp://a", "127.0.0.1:8000", "http://", ""] {
            assert!(endpoint_url(url).is_err(), "{url}");
        }
        assert!(endpoint_url("https://dynamodb.eu-west-1.amazonaws.com").is_ok());
        let id = "0123456789abcdef0123";
        assert_eq!(token_id(id), id.parse().map_err(|()| String::new()));
        assert_eq!(token_id(&format!("sdk_{id}_secret")), token_id(id));
        let refused = token_id("sdk_0123_secret").expect_err("refused");
        assert!(!refused.contains("secret"), "{refused}");
        assert_eq!(flow(" flow-1"), "flow-1".parse());
    }

    #[test]
    fn an_export_is_of_30_days_as_csv_to_standard_output_where_nothing_is_said() {
        let cli = Cli::try_parse_from(["flowtrail", "export"]).expect("accepted");
        let Some(Command::Export(args)) = cli.command else {
            panic!("expected export");
        };
        assert_eq!(args.team.as_str(), "default");
        assert_eq!((args.format, args.days), (Format::Csv, 30));
        assert_eq!(args.output, PathBuf::from("-"));
        assert!(!args.gzip && !args.force);
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

    #[test]
    fn a_lifetime_has_a_unit_and_lies_ahead() {
        assert_eq!(lifetime("90d"), Ok(Lifetime(90 * 86_400)));
        assert_eq!(lifetime("12h"), Ok(Lifetime(43_200)));
        assert_eq!(lifetime("2w"), Ok(Lifetime(14 * 86_400)));
        for wrong in ["", "90", "d", "-1d", "0d", "soon", "99999999y"] {
            assert!(lifetime(wrong).is_err(), "{wrong}");
        }
    }
}
