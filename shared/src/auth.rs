//! Who is asking, and what they may do.
//!
//! A caller sends an SDK token, which this table knows, or a JWT of the operator's
//! identity provider. [`Authenticator`] is the one way from either to a [`Caller`],
//! on AWS in the authorizer function and on a laptop in the server. A caller has
//! permissions; what it may do with them every operation asks of the caller itself.

use std::collections::BTreeSet;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::model::{Execution, FlowId, TeamId};

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
    MAX_TOKEN_NAME_LENGTH, NewToken, Secret, TokenId, TokenPage, TokenRecord, all_tokens,
    create_token, get_token, list_tokens, revoke_token,
};
pub(crate) use tokens::{require_good, while_good};

/// What a caller can be allowed to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    /// Read executions: lists, details, steps, statistics.
    ExecutionsRead,
    /// See what the payloads of executions hold under the names of secrets.
    ExecutionsReveal,
    /// Export executions.
    ExecutionsExport,
    /// Write executions: by an exporter of traces.
    ExecutionsWrite,
    /// Cancel executions.
    ExecutionsCancel,
    /// Pin executions against their retention, and unpin them.
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

    /// The permission's name, as callers and documents know it.
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

/// Who is asking. Every operation takes one, and none reaches past it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The team whose records the caller sees.
    pub team_id: TeamId,
    /// Who it is, for the audit: `token:<id>` or `user:<name>`.
    pub principal: String,
    /// What the caller may do.
    pub permissions: BTreeSet<Permission>,
    /// The only flows that the caller sees; `None` for all.
    pub flows: Option<BTreeSet<FlowId>>,
    /// By which request it asks.
    pub origin: Origin,
}

/// The request by which a caller asks, as the audit names it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// The id under which the log has the request.
    pub request_id: Option<String>,
    /// The address from which it came, where the gateway tells.
    pub source_ip: Option<String>,
}

impl Caller {
    /// Whoever works on the table itself, and so may do everything: the command
    /// line.
    pub fn operator(team_id: TeamId, principal: &str) -> Self {
        Self {
            team_id,
            principal: principal.to_owned(),
            permissions: Permission::ALL.into(),
            flows: None,
            origin: Origin::default(),
        }
    }

    /// The same caller without a permission.
    pub fn without(&self, permission: Permission) -> Self {
        let mut caller = self.clone();
        caller.permissions.remove(&permission);
        caller
    }

    /// Refuses a caller that lacks the permission.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub fn require(&self, permission: Permission) -> Result<()> {
        if self.permissions.contains(&permission) {
            return Ok(());
        }
        Err(Error::Forbidden(format!(
            "This needs the permission {}. Ask an admin of your team for a token with it.",
            permission.as_str()
        )))
    }

    /// Refuses a caller that is kept from the flow.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub fn require_flow(&self, flow_id: &FlowId) -> Result<()> {
        match &self.flows {
            Some(flows) if !flows.contains(flow_id) => Err(Error::Forbidden(format!(
                "The token is limited to other flows than {flow_id}."
            ))),
            _ => Ok(()),
        }
    }

    /// Refuses a caller that is kept from any flow.
    ///
    /// # Errors
    /// [`Error::Forbidden`], which says what to ask for instead.
    pub fn require_all_flows(&self) -> Result<()> {
        let Some(flows) = &self.flows else {
            return Ok(());
        };
        let flows: Vec<_> = flows.iter().map(FlowId::as_str).collect();
        Err(Error::Forbidden(format!(
            "The token is limited to flows. Ask for one of them: {}.",
            flows.join(", ")
        )))
    }

    /// Refuses a caller that is kept from any flow, where something concerns all.
    /// `what` begins a sentence, in the plural.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub fn require_whole_team(&self, what: &str) -> Result<()> {
        match self.flows {
            None => Ok(()),
            Some(_) => Err(Error::Forbidden(format!(
                "The token is limited to flows. {what} are those of the whole team."
            ))),
        }
    }

    /// Whether the execution is of the caller's team and of a flow that the
    /// caller is not kept from.
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

/// How long an authentication may be remembered, and so how long a token that was
/// revoked, or has ended, can still work, in seconds. API Gateway remembers the
/// authorizer's answer as long; `template.yaml` is tested to agree.
pub const REMEMBERED_SECONDS: u64 = 60;

/// The SHA-256 of a text.
pub fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text).into()
}
