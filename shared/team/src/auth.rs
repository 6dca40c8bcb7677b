//! Callers and their permissions.
//!
//! A caller sends an SDK token, which is stored in this table, or a JWT of the operator's identity
//! provider. [`Authenticator`] turns both into a [`Caller`]: on AWS in the authorizer function, on
//! a laptop in the server. A caller has permissions, and every operation itself checks that its
//! caller has the permission that it needs.

use std::collections::BTreeSet;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};

use format::model::{Execution, FlowId, TeamId};
use format::{Error, Result};
use store::Store;

mod authenticator;
mod jwks;
mod oidc;
mod roles;
mod sign_in;
mod tokens;

pub use authenticator::{Authenticator, bearer};
pub use oidc::{InvalidOidcSettings, OidcSettings};
pub use roles::{CustomRole, MAX_ROLES, Role, TeamRoles, get_roles, put_roles};
pub use sign_in::SignInSettings;
pub use tokens::{
    MAX_TOKEN_NAME_LENGTH, NewToken, REVOKED_KEPT_SECONDS, Secret, TokenId, TokenPage, TokenRecord,
    all_tokens, create_session, create_token, get_token, list_tokens, require_current,
    revoke_token,
};
pub(crate) use tokens::{require_valid, while_valid};

/// A permission of a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    /// Read executions: lists, details, steps and statistics.
    ExecutionsRead,
    /// See secret values in the payloads of executions.
    ExecutionsReveal,
    /// Export executions.
    ExecutionsExport,
    /// Write executions, as an exporter of traces does.
    ExecutionsWrite,
    /// Cancel executions.
    ExecutionsCancel,
    /// Pin executions so that they do not expire, and unpin them.
    ExecutionsPin,
    /// Delete executions.
    ExecutionsDelete,
    /// Create, list and revoke tokens, and define roles.
    TokensManage,
    /// Change the team's settings.
    SettingsManage,
    /// Read the team's audit.
    AuditRead,
}

impl Permission {
    /// Every permission.
    pub const ALL: [Self; 10] = [
        Self::ExecutionsRead,
        Self::ExecutionsReveal,
        Self::ExecutionsExport,
        Self::ExecutionsWrite,
        Self::ExecutionsCancel,
        Self::ExecutionsPin,
        Self::ExecutionsDelete,
        Self::TokensManage,
        Self::SettingsManage,
        Self::AuditRead,
    ];

    /// The permission's name in the API and the documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ExecutionsRead => "EXECUTIONS_READ",
            Self::ExecutionsReveal => "EXECUTIONS_REVEAL",
            Self::ExecutionsExport => "EXECUTIONS_EXPORT",
            Self::ExecutionsWrite => "EXECUTIONS_WRITE",
            Self::ExecutionsCancel => "EXECUTIONS_CANCEL",
            Self::ExecutionsPin => "EXECUTIONS_PIN",
            Self::ExecutionsDelete => "EXECUTIONS_DELETE",
            Self::TokensManage => "TOKENS_MANAGE",
            Self::SettingsManage => "SETTINGS_MANAGE",
            Self::AuditRead => "AUDIT_READ",
        }
    }
}

impl FromStr for Permission {
    type Err = ();

    fn from_str(name: &str) -> std::result::Result<Self, ()> {
        let is_named = |permission: &Self| permission.as_str() == name;
        Self::ALL.into_iter().find(is_named).ok_or(())
    }
}

/// The authenticated caller. Every operation takes one and returns only records that it may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The team whose records the caller sees.
    pub team_id: TeamId,
    /// The caller's name in the audit: `token:<id>` or `user:<name>`.
    pub principal: String,
    /// What the caller may do.
    pub permissions: BTreeSet<Permission>,
    /// The only flows that the caller may see; `None` for all flows.
    pub flows: Option<BTreeSet<FlowId>>,
    /// The request of this caller.
    pub origin: Origin,
}

/// The request of a caller, as the audit records it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// The id of the request in the log.
    pub request_id: Option<String>,
    /// The IP address that sent the request, if the gateway reports it.
    pub source_ip: Option<String>,
}

impl Caller {
    /// The caller of a program that works on the table itself, such as the command line. It has
    /// every permission.
    pub fn operator(team_id: TeamId, principal: &str) -> Self {
        Self {
            team_id,
            principal: principal.to_owned(),
            permissions: Permission::ALL.into(),
            flows: None,
            origin: Origin::default(),
        }
    }

    /// Returns the same caller without a permission.
    pub fn without(&self, permission: Permission) -> Self {
        let mut caller = self.clone();
        caller.permissions.remove(&permission);
        caller
    }

    /// Refuses a caller that lacks the permission.
    ///
    /// # Errors
    /// Returns [`Error::Forbidden`].
    pub fn require(&self, permission: Permission) -> Result<()> {
        if self.permissions.contains(&permission) {
            return Ok(());
        }
        Err(Error::Forbidden(format!(
            "This needs the permission {}. Ask an admin of your team for a token with it.",
            permission.as_str()
        )))
    }

    /// Refuses a caller that is limited to other flows.
    ///
    /// # Errors
    /// Returns [`Error::Forbidden`].
    pub fn require_flow(&self, flow_id: &FlowId) -> Result<()> {
        match &self.flows {
            Some(flows) if !flows.contains(flow_id) => Err(Error::Forbidden(format!(
                "The token is limited to flows other than {flow_id}."
            ))),
            _ => Ok(()),
        }
    }

    /// Refuses a caller that is limited to some flows.
    ///
    /// # Errors
    /// Returns [`Error::Forbidden`] with the flows that the caller may ask for instead.
    pub fn require_all_flows(&self) -> Result<()> {
        let Some(flows) = &self.flows else {
            return Ok(());
        };
        let flows: Vec<_> = flows.iter().map(FlowId::as_str).collect();
        Err(Error::Forbidden(format!(
            "The token is limited to some flows. Ask for one of them: {}.",
            flows.join(", ")
        )))
    }

    /// Refuses a caller that is limited to some flows, for something that concerns all flows.
    /// `what` names it in the plural, and begins a sentence.
    ///
    /// # Errors
    /// Returns [`Error::Forbidden`].
    pub fn require_whole_team(&self, what: &str) -> Result<()> {
        match self.flows {
            None => Ok(()),
            Some(_) => Err(Error::Forbidden(format!(
                "The token is limited to some flows. {what} belong to the whole team."
            ))),
        }
    }

    /// Returns whether the execution belongs to the caller's team and to a flow that the caller may
    /// see.
    pub fn may_see(&self, execution: &Execution) -> bool {
        let is_own = execution.team_id.as_deref() == Some(self.team_id.as_str());
        let flow_id = execution.flow_id.as_deref();
        is_own
            && self
                .flows
                .as_ref()
                .is_none_or(|flows| flows.iter().any(|flow| flow_id == Some(flow.as_str())))
    }
}

/// How long an authentication may be cached, in seconds. A token that has ended or was revoked can
/// still read for this long. API Gateway caches the authorizer's response equally long; a test
/// compares `template.yaml`.
pub const REMEMBERED_SECONDS: u64 = 60;

/// How many token revocations and role changes this process has seen.
#[derive(Debug, Default)]
struct CallerChanges(AtomicU64);

/// Makes this process authenticate every caller again, after a token was revoked or a role was
/// changed.
pub fn forget_callers(store: &Store) {
    store
        .companion::<CallerChanges>()
        .0
        .fetch_add(1, Ordering::AcqRel);
}

/// How often [`forget_callers`] was called. A caller that was authenticated at a different count
/// must be authenticated again.
pub fn caller_changes(store: &Store) -> u64 {
    store.companion::<CallerChanges>().0.load(Ordering::Acquire)
}
