//! Roles: named sets of permissions, three that every team has, and those that it
//! defines.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use masking::InvalidSettings;
use serde::{Deserialize, Serialize};

use super::{Caller, Permission};
use crate::audit::{Action, Entry};
use crate::error::{Error, Result};
use crate::keys;
use crate::model::{Item, RoleName, TeamId, Timestamp};
use crate::store::{Replaced, Store, key};

/// The most roles that a team defines.
pub const MAX_ROLES: usize = 100;

/// The longest description of a role, in characters.
const MAX_DESCRIPTION_LENGTH: usize = 256;

/// How often the roles are read again that another changed meanwhile.
const MAX_ATTEMPTS: usize = 5;

/// A role that every team has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Reads.
    Viewer,
    /// Reads, exports, cancels.
    Operator,
    /// Everything.
    Admin,
}

impl Role {
    /// Every role that every team has.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Operator, Self::Admin];

    /// The role's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }

    /// The role of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }

    /// What the role may do.
    pub fn permissions(self) -> BTreeSet<Permission> {
        match self {
            Self::Viewer => [Permission::ExecutionsRead].into(),
            Self::Operator => [
                Permission::ExecutionsRead,
                Permission::ExecutionsExport,
                Permission::ExecutionsCancel,
            ]
            .into(),
            Self::Admin => Permission::ALL.into(),
        }
    }
}

impl From<Role> for RoleName {
    fn from(role: Role) -> Self {
        Self::known(role.as_str())
    }
}

/// A role that a team defines.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CustomRole {
    /// The role's name: an id, and not one of the [`Role`]s.
    pub name: String,
    /// What it is for, in up to 256 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The names of its permissions, at least one.
    pub permissions: Vec<String>,
}

impl CustomRole {
    /// What the role may do. A permission that this release does not know is none.
    pub fn permissions(&self) -> BTreeSet<Permission> {
        let names = self.permissions.iter();
        names.filter_map(|name| name.parse().ok()).collect()
    }
}

/// The roles that a team defines, and who changed them last.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TeamRoles {
    /// The roles, by name.
    pub roles: Vec<CustomRole>,
    /// When they were last changed.
    pub updated_at: Option<Timestamp>,
    /// By whom.
    pub updated_by: Option<String>,
    /// Grows with each change, so that two at a time do not undo each other.
    version: u64,
}

impl TeamRoles {
    fn named(&self, name: &str) -> Option<&CustomRole> {
        self.roles.iter().find(|role| role.name == name)
    }
}

/// Reads the roles that the caller's team defines.
///
/// # Errors
/// [`Error::Forbidden`] for a caller who is kept from some of the team's flows, and
/// those of the table.
pub async fn get_roles(store: &Store, caller: &Caller) -> Result<TeamRoles> {
    require_whole_team(caller)?;
    read(store, &caller.team_id).await
}

/// Puts roles in the place of those that the caller's team defines.
///
/// Nobody gives what he does not have: each permission that a role gains has to be
/// the caller's own. Tokens whose role is gone may do nothing.
///
/// # Errors
/// [`Error::InvalidSettings`]; [`Error::Forbidden`], also for a caller who is kept
/// from some of the team's flows; and those of the table.
pub async fn put_roles(
    store: &Store,
    caller: &Caller,
    roles: Vec<CustomRole>,
) -> Result<TeamRoles> {
    require_whole_team(caller)?;
    let roles = checked(roles)?;
    let pk = keys::settings_partition(&caller.team_id);
    for _ in 0..MAX_ATTEMPTS {
        let before = read(store, &caller.team_id).await?;
        require_gained(caller, &before, &roles)?;
        let stored = TeamRoles {
            roles: roles.clone(),
            updated_at: Some(Timestamp::now()),
            updated_by: Some(caller.principal.clone()),
            version: before.version + 1,
        };
        let mut item = key(&pk, keys::ROLES);
        let attributes: Item = serde_dynamo::to_item(&stored).map_err(Error::internal)?;
        item.extend(attributes);
        let version = AttributeValue::N(before.version.to_string());
        let entry = Entry::new(caller, Action::RolesChanged, "roles")
            .detail("before", names(&before.roles))
            .detail("after", names(&stored.roles));
        let replaced = match before.version {
            0 => Replaced::Nothing,
            _ => Replaced::With("version", version),
        };
        let put = store.put_action(item, replaced)?;
        if entry.record_with(store, vec![put]).await? {
            return Ok(stored);
        }
    }
    Err(Error::Unavailable("the roles keep changing".into()))
}

fn require_whole_team(caller: &Caller) -> Result<()> {
    caller.require_whole_team("Roles")
}

/// Each role with its permissions, for the audit.
fn names(roles: &[CustomRole]) -> String {
    let each = roles.iter();
    let each: Vec<_> = each
        .map(|role| format!("{}: {}", role.name, role.permissions.join(" ")))
        .collect();
    each.join("; ")
}

async fn read(store: &Store, team_id: &TeamId) -> Result<TeamRoles> {
    let pk = keys::settings_partition(team_id);
    match store.get_latest(&pk, keys::ROLES).await? {
        Some(item) => serde_dynamo::from_item(item).map_err(Error::internal),
        None => Ok(TeamRoles::default()),
    }
}

/// What the roles of these names may do in a team, together. A name that is none
/// gives nothing. The team's own roles are read only where one is named.
///
/// # Errors
/// Those of the table.
pub(super) async fn permissions<'a>(
    store: &Store,
    team_id: &TeamId,
    names: impl IntoIterator<Item = &'a str>,
) -> Result<BTreeSet<Permission>> {
    let mut permissions = BTreeSet::new();
    let mut own = Vec::new();
    for name in names {
        match Role::named(name) {
            Some(role) => permissions.extend(role.permissions()),
            None => own.push(name),
        }
    }
    if !own.is_empty() {
        let roles = read(store, team_id).await?;
        let named = own.into_iter().filter_map(|name| roles.named(name));
        permissions.extend(named.flat_map(CustomRole::permissions));
    }
    Ok(permissions)
}

/// What a role may do that a token is to have. `None` where the team has no such
/// role.
///
/// # Errors
/// Those of the table.
pub(super) async fn permissions_of(
    store: &Store,
    team_id: &TeamId,
    name: &RoleName,
) -> Result<Option<BTreeSet<Permission>>> {
    if let Some(role) = Role::named(name.as_str()) {
        return Ok(Some(role.permissions()));
    }
    let roles = read(store, team_id).await?;
    Ok(roles.named(name.as_str()).map(CustomRole::permissions))
}

/// Refuses a caller that would give what it does not have.
fn require_gained(caller: &Caller, before: &TeamRoles, after: &[CustomRole]) -> Result<()> {
    for role in after {
        let had = before.named(&role.name).map(CustomRole::permissions);
        let had = had.unwrap_or_default();
        let gained = role.permissions();
        require_held(caller, gained.difference(&had))?;
    }
    Ok(())
}

/// Refuses a caller that lacks one of these permissions, and would give it.
///
/// # Errors
/// [`Error::Forbidden`].
pub(super) fn require_held<'a>(
    caller: &Caller,
    given: impl IntoIterator<Item = &'a Permission>,
) -> Result<()> {
    for permission in given {
        if !caller.permissions.contains(permission) {
            return Err(Error::Forbidden(format!(
                "You cannot give the permission {}, as you do not have it.",
                permission.as_str()
            )));
        }
    }
    Ok(())
}

/// Roles that can be: by name, each permission once.
fn checked(mut roles: Vec<CustomRole>) -> Result<Vec<CustomRole>> {
    let invalid = |field: String, reason: String| {
        Err(Error::InvalidSettings(InvalidSettings { field, reason }))
    };
    if roles.len() > MAX_ROLES {
        let reason = format!("A team has at most {MAX_ROLES} roles of its own.");
        return invalid("roles".to_owned(), reason);
    }
    let mut seen = BTreeSet::new();
    for (position, role) in roles.iter_mut().enumerate() {
        let field = |name: &str| format!("roles[{position}].{name}");
        if let Err(error) = role.name.parse::<RoleName>() {
            return invalid(field("name"), format!("It is an id: {error}."));
        }
        // Names that differ in case alone are one to people.
        let name = role.name.to_ascii_lowercase();
        if Role::named(&name).is_some() {
            let reason = format!("Every team has the role {name}, which stays as it is.");
            return invalid(field("name"), reason);
        }
        if !seen.insert(name) {
            return invalid(field("name"), "Another role has this name.".to_owned());
        }
        if !role.description.as_deref().is_none_or(is_description) {
            let reason = format!(
                "It has up to {MAX_DESCRIPTION_LENGTH} characters, and no control characters."
            );
            return invalid(field("description"), reason);
        }
        for (place, name) in role.permissions.iter().enumerate() {
            if name.parse::<Permission>().is_err() {
                let known = Permission::ALL.map(Permission::as_str).join(", ");
                let field = format!("roles[{position}].permissions[{place}]");
                return invalid(field, format!("It is one of: {known}."));
            }
        }
        let permissions = role.permissions().into_iter();
        role.permissions = permissions.map(|it| it.as_str().to_owned()).collect();
        if role.permissions.is_empty() {
            let reason = "A role has at least one permission.".to_owned();
            return invalid(field("permissions"), reason);
        }
    }
    roles.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(roles)
}

fn is_description(text: &str) -> bool {
    text.chars().count() <= MAX_DESCRIPTION_LENGTH && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_holds_what_the_documents_say() {
        let names = |role: Role| -> Vec<_> {
            let permissions = role.permissions().into_iter();
            permissions.map(Permission::as_str).collect()
        };
        assert_eq!(names(Role::Viewer), ["EXECUTIONS_READ"]);
        assert_eq!(
            names(Role::Operator),
            ["EXECUTIONS_READ", "EXECUTIONS_EXPORT", "EXECUTIONS_CANCEL"]
        );
        assert_eq!(names(Role::Admin).len(), Permission::ALL.len());
        for permission in Permission::ALL {
            assert_eq!(permission.as_str().parse(), Ok(permission));
        }
    }

    fn role(name: &str, permissions: &[&str]) -> CustomRole {
        CustomRole {
            name: name.to_owned(),
            description: None,
            permissions: permissions.iter().map(|&name| name.to_owned()).collect(),
        }
    }

    #[test]
    fn roles_that_cannot_be_are_refused_with_their_place() {
        let long = "x".repeat(257);
        let described = |text: &str| CustomRole {
            description: Some(text.to_owned()),
            ..role("a", &["EXECUTIONS_READ"])
        };
        for (roles, place) in [
            (vec![role("", &["EXECUTIONS_READ"])], "roles[0].name"),
            (vec![role("a b", &["EXECUTIONS_READ"])], "roles[0].name"),
            (vec![role("аdmin", &["EXECUTIONS_READ"])], "roles[0].name"),
            (vec![role("Admin", &["EXECUTIONS_READ"])], "roles[0].name"),
            (vec![role("a", &[])], "roles[0].permissions"),
            (vec![role("a", &["ALL"])], "roles[0].permissions[0]"),
            (vec![described(&long)], "roles[0].description"),
            (vec![described("a\nb")], "roles[0].description"),
            (
                ["a", "A"].map(|name| role(name, &["AUDIT_READ"])).into(),
                "roles[1].name",
            ),
            (vec![role("a", &["AUDIT_READ"]); 101], "roles"),
        ] {
            let refused = checked(roles);
            let Err(Error::InvalidSettings(invalid)) = refused else {
                panic!("expected a refusal, got {refused:?}");
            };
            assert_eq!(invalid.field, place);
        }
    }

    #[test]
    fn roles_are_kept_by_name_with_each_permission_once() {
        let kept = checked(vec![
            role("b", &["AUDIT_READ"]),
            role("a", &["AUDIT_READ", "EXECUTIONS_READ", "AUDIT_READ"]),
        ]);
        let expected = [
            role("a", &["EXECUTIONS_READ", "AUDIT_READ"]),
            role("b", &["AUDIT_READ"]),
        ];
        assert_eq!(kept.expect("can be"), expected);
    }
}
