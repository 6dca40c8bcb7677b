//! Access control and audit: tokens, roles, audit events.

use shared::Error;
use shared::audit::{self, AuditEvent, AuditFilter};
use shared::auth::{self, Caller, CustomRole, NewToken, Permission, Role, TokenRecord};
use shared::model::{PageSize, RoleName, TeamId, TimeRange, Timestamp};
use shared::settings::Expected;
use shared::store::Store;

use super::{open_existing, operator};
use crate::cli::{
    AuditArgs, RoleArgs, RoleCommand, RoleSetArgs, TokenCommand, TokenCreateArgs, TokenListArgs,
};
use crate::terminal::{self, Failure};

/// Runs `flowtrail token …`.
///
/// # Errors
/// The table cannot be reached or does not exist, no token has the id, or the definition of
/// the token is invalid.
pub async fn run_token(command: TokenCommand) -> Result<(), Failure> {
    match command {
        TokenCommand::Create(args) => create_token(args).await,
        TokenCommand::List(args) => list_tokens(&args).await,
        TokenCommand::Revoke { token_id, table } => {
            let table = open_existing(&table).await?;
            let found = auth::get_token(&table.store, &token_id).await;
            let found = found.map_err(|error| match error {
                Error::TokenNotFound(_) => {
                    Failure(format!("The token cannot be revoked: {error}."))
                }
                other => other.into(),
            })?;
            let caller = operator(parse_team(&found)?);
            let record = auth::revoke_token(&table.store, &caller, &token_id).await?;
            terminal::print(format_args!(
                "Revoked the token {} of team {}.",
                record.token_id, record.team_id
            ));
            Ok(())
        }
    }
}

fn parse_team(record: &TokenRecord) -> Result<TeamId, Failure> {
    let team_id = record.team_id.parse();
    team_id.map_err(|error| Failure(format!("The token's team cannot be read: {error}.")))
}

async fn create_token(args: TokenCreateArgs) -> Result<(), Failure> {
    let table = open_existing(&args.table).await?;
    let now = Timestamp::now();
    let expires_at = args
        .expires
        .and_then(|lifetime| Timestamp::from_milliseconds(now.milliseconds() + lifetime.0 * 1_000));
    let new = NewToken {
        role: args.role,
        name: args.name,
        flows: args.flows,
        expires_at,
    };
    let caller = operator(args.team);
    let (record, secret) = auth::create_token(&table.store, &caller, &new).await?;
    eprintln!(
        "Token {} of team {}, role {}{}. It is shown only once:",
        record.token_id,
        record.team_id,
        record.role,
        record
            .until()
            .map_or(String::new(), |end| format!(", valid until {end}")),
    );
    terminal::print(secret.reveal());
    Ok(())
}

async fn list_tokens(args: &TokenListArgs) -> Result<(), Failure> {
    let table = open_existing(&args.table).await?;
    let records = auth::all_tokens(&table.store, args.team.as_ref()).await?;
    terminal::print(format_args!(
        "{:20}  {:16}  {:8}  {:24}  {:24}  {:8}  NAME",
        "ID", "TEAM", "ROLE", "LAST USED", "UNTIL", "STATE"
    ));
    for record in &records {
        terminal::print(token_line(record));
    }
    Ok(())
}

fn token_line(record: &TokenRecord) -> String {
    let time = |time: Option<Timestamp>| time.map_or("never".to_owned(), |time| time.to_string());
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
        record.role,
        time(record.last_used_at),
        time(record.until()),
        // Escaped, so that a name cannot look like another line.
        record.name.as_deref().unwrap_or_default().escape_debug(),
    )
}

/// Runs `flowtrail role …`.
///
/// # Errors
/// The table cannot be reached or does not exist, or the definition of the role is invalid.
pub async fn run_role(command: RoleCommand) -> Result<(), Failure> {
    match command {
        RoleCommand::List(args) => list_roles(args).await,
        RoleCommand::Set(args) => set_role(args).await,
        RoleCommand::Remove { name, role } => remove_role(&name, role).await,
    }
}

async fn list_roles(args: RoleArgs) -> Result<(), Failure> {
    let table = open_existing(&args.table).await?;
    let own = auth::get_roles(&table.store, &operator(args.team)).await?;
    for role in Role::built_in_of_team(&own.settings) {
        let permissions = role.permissions().into_iter().map(Permission::as_str);
        let permissions: Vec<_> = permissions.collect();
        terminal::print(role_line(role.as_str(), &permissions.join(","), None));
    }
    for role in &own.settings {
        let description = role.description.as_deref();
        terminal::print(role_line(
            &role.name,
            &role.permissions.join(","),
            description,
        ));
    }
    Ok(())
}

fn role_line(name: &str, permissions: &str, description: Option<&str>) -> String {
    let description =
        description.map_or(String::new(), |text| format!("  ({})", text.escape_debug()));
    format!("{name:16}  {permissions}{description}")
}

async fn set_role(args: RoleSetArgs) -> Result<(), Failure> {
    let table = open_existing(&args.role.table).await?;
    let caller = operator(args.role.team);
    let role = CustomRole {
        name: args.name.to_string(),
        description: args.description,
        permissions: args.permissions,
    };
    change_roles(&table.store, &caller, |roles| {
        roles.retain(|other| other.name != role.name);
        roles.push(role.clone());
        Ok(())
    })
    .await?;
    let (name, team_id) = (args.name, caller.team_id);
    terminal::print(format_args!("Saved the role {name} of team {team_id}."));
    Ok(())
}

async fn remove_role(name: &RoleName, args: RoleArgs) -> Result<(), Failure> {
    let table = open_existing(&args.table).await?;
    let caller = operator(args.team);
    let team_id = &caller.team_id;
    change_roles(&table.store, &caller, |roles| {
        let before = roles.len();
        roles.retain(|role| role.name != name.as_str());
        match roles.len() < before {
            true => Ok(()),
            false => Err(Failure(format!(
                "Team {team_id} has no role {name} of its own."
            ))),
        }
    })
    .await?;
    terminal::print(format_args!(
        "Removed the role {name} of team {team_id}. Tokens with this role have no permissions now."
    ));
    Ok(())
}

/// Changes a team's roles. Tries again if another caller changes them at the same time.
async fn change_roles(
    store: &Store,
    caller: &Caller,
    change: impl Fn(&mut Vec<CustomRole>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    loop {
        let found = auth::get_roles(store, caller).await?;
        let mut roles = found.settings;
        change(&mut roles)?;
        let expected = Expected::UpdatedAt(found.updated_at);
        match auth::put_roles(store, caller, roles, expected).await {
            Ok(_) => return Ok(()),
            Err(Error::Conflict(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Runs `flowtrail audit`.
///
/// # Errors
/// The table cannot be reached or does not exist.
pub async fn run_audit(args: &AuditArgs) -> Result<(), Failure> {
    let table = open_existing(&args.table).await?;
    let caller = operator(args.team.clone());
    let time = TimeRange::new(args.from, args.to)
        .ok_or_else(|| Failure("--from is later than --to.".to_owned()))?;
    let filter = AuditFilter {
        time,
        action: args.action,
        principal: args.principal.clone(),
        target: args.target.clone(),
    };
    terminal::print(format_args!(
        "{:24}  {:32}  {:23}  {:7}  TARGET",
        "TIME", "WHO", "ACTION", "OUTCOME"
    ));
    let size = PageSize::constant::<{ PageSize::MAX }>();
    let (mut left, mut next_token) = (args.limit, None::<String>);
    loop {
        let next = next_token.as_deref();
        let page = audit::list_events(&table.store, &caller, &filter, size, next).await?;
        for event in &page.events {
            if left == 0 {
                eprintln!("There are more events. Use a larger --limit, or a shorter period.");
                return Ok(());
            }
            terminal::print(event_line(event));
            left -= 1;
        }
        next_token = page.next_token;
        if next_token.is_none() {
            return Ok(());
        }
    }
}

fn event_line(event: &AuditEvent) -> String {
    let details = event.details.iter();
    // Quoted as Rust string literals, so that a caller's text cannot look like another
    // line.
    let details = details.map(|(name, value)| format!("  {name}={value:?}"));
    format!(
        "{}  {:32}  {:23}  {:7}  {}{}",
        event.time,
        event.principal.escape_debug().to_string(),
        event.action,
        event.outcome,
        event.target.escape_debug(),
        details.collect::<String>()
    )
}
