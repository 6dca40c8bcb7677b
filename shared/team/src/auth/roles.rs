//! Roles: named sets of permissions. Every team has four, and a team can define more.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
#[cfg(feature = "schema")]
use format::model::{ID_PATTERN, VISIBLE_PATTERN};
use format::model::{RoleName, TeamId, is_visible};
use format::{Error, Result, keys};
use serde::{Deserialize, Serialize};
use store::Store;

use super::{Caller, Permission, forget_callers};
use crate::audit::{Action, Entry};
use crate::settings::{self, Expected, SettingsKind, TeamSettings};

/// The most roles that a team can define.
pub const MAX_ROLES: usize = 100;

/// The longest description of a role, in characters.
const MAX_DESCRIPTION_LENGTH: usize = 256;

/// A role that every team has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// May read.
    Viewer,
    /// May read, export, cancel and pin.
    Operator,
    /// May write but not read: for a program that exports traces.
    Engine,
    /// May do everything.
    Admin,
}

impl Role {
    /// Every role that every team has.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Operator, Self::Engine, Self::Admin];

    /// The role's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Engine => "engine",
            Self::Admin => "admin",
        }
    }

    /// The role with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }

    /// The permissions of the role.
    pub fn permissions(self) -> BTreeSet<Permission> {
        match self {
            Self::Viewer => [Permission::ExecutionsRead].into(),
            Self::Operator => [
                Permission::ExecutionsRead,
                Permission::ExecutionsExport,
                Permission::ExecutionsCancel,
                Permission::ExecutionsPin,
            ]
            .into(),
            Self::Engine => [Permission::ExecutionsWrite].into(),
            Self::Admin => Permission::ALL.into(),
        }
    }

    /// Returns whether a team's own role with this name takes precedence. Teams could define a role
    /// `engine` before every team had one, and its tokens keep their permissions.
    fn yields_to_team_role(self) -> bool {
        self == Self::Engine
    }

    /// Why a team cannot define a role with this name.
    fn name_taken_reason(self) -> String {
        format!(
            "Every team has the role {}, which cannot be changed. Choose another name.",
            self.as_str()
        )
    }

    /// The built-in roles of a team with these own roles.
    pub fn built_in_of_team(own: &[CustomRole]) -> impl Iterator<Item = Self> {
        let is_left =
            |role: &Self| !role.yields_to_team_role() || find(own, role.as_str()).is_none();
        Self::ALL.into_iter().filter(is_left)
    }
}

impl From<Role> for RoleName {
    fn from(role: Role) -> Self {
        Self::known(role.as_str())
    }
}

/// A role that a team defines.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(deny_unknown_fields))]
#[serde(rename_all = "camelCase")]
pub struct CustomRole {
    /// The name: an id that no built-in role has.
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = ID_PATTERN)))]
    pub name: String,
    /// The purpose of the role, in up to 256 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(
        length(max = MAX_DESCRIPTION_LENGTH),
        regex(pattern = VISIBLE_PATTERN)
    ))]
    pub description: Option<String>,
    /// The names of its permissions, at least one.
    #[cfg_attr(feature = "schema", schemars(
        length(min = 1),
        extend("items" = {"type": "string", "enum": Permission::ALL.map(Permission::as_str)})
    ))]
    pub permissions: Vec<String>,
}

impl CustomRole {
    /// The permissions of the role. A permission that this release does not know is ignored.
    pub fn permissions(&self) -> BTreeSet<Permission> {
        let names = self.permissions.iter();
        names.filter_map(|name| name.parse().ok()).collect()
    }
}

/// The roles that a team defines, ordered by name.
pub type TeamRoles = TeamSettings<Vec<CustomRole>>;

impl SettingsKind for Vec<CustomRole> {
    const SORT_KEY: &'static str = keys::ROLES;
    const FALLBACK: &'static str = "the team's roles that cannot be read grant no permissions";

    /// Keeps the roles that can be read.
    fn salvage(stored: &AttributeValue) -> Self {
        let roles = stored.as_l().ok().into_iter().flatten();
        let read = |role: &AttributeValue| serde_dynamo::from_attribute_value(role.clone()).ok();
        roles.filter_map(read).collect()
    }
}

fn find<'a>(roles: &'a [CustomRole], name: &str) -> Option<&'a CustomRole> {
    roles.iter().find(|role| role.name == name)
}

/// Reads the roles that the caller's team defines.
///
/// # Errors
/// Returns [`Error::Forbidden`] if the caller is limited to some of the team's flows, and an error
/// if the table cannot be read.
pub async fn get_roles(store: &Store, caller: &Caller) -> Result<TeamRoles> {
    require_whole_team(caller)?;
    settings::read(store, &caller.team_id).await
}

/// Replaces the roles that the caller's team defines.
///
/// Callers can only grant permissions that they have: each permission that a role gains must be the
/// caller's own. A token whose role was removed has no permissions.
///
/// # Errors
/// Returns [`Error::InvalidMember`]; [`Error::Conflict`] if the stored roles are not the expected
/// ones; [`Error::Forbidden`] for a permission that the caller lacks, or if the caller is limited
/// to some of the team's flows; and an error if the table cannot be read or written.
pub async fn put_roles(
    store: &Store,
    caller: &Caller,
    roles: Vec<CustomRole>,
    expected: Expected,
) -> Result<TeamRoles> {
    require_whole_team(caller)?;
    let sent = roles.clone();
    let roles = normalize(roles)?;
    let after = roles.clone();
    let allow = |before: &TeamRoles| {
        refuse_taken_names(&before.settings, &sent)?;
        let change = Change::between(&before.settings, &after);
        require_held(caller, &change.gained)?;
        let gained: Vec<_> = change.gained.iter().map(|it| it.as_str()).collect();
        let entry = Entry::new(caller, Action::RolesChanged, "roles")?;
        Ok(entry
            .detail("gained", gained.join(" "))
            .detail("changes", change.lines.join("; ")))
    };
    let kept = settings::replace(store, caller, roles, expected, allow).await;
    forget_callers(store);
    kept
}

fn require_whole_team(caller: &Caller) -> Result<()> {
    caller.require_whole_team("Roles")
}

/// Refuses a new role with the name of a [`Role`]. A role that was defined before its name was
/// reserved stays.
fn refuse_taken_names(before: &[CustomRole], sent: &[CustomRole]) -> Result<()> {
    for (position, role) in sent.iter().enumerate() {
        let taken = Role::from_name(&role.name.to_ascii_lowercase());
        if let Some(taken) = taken
            && find(before, &role.name).is_none()
        {
            let member = format!("roles[{position}].name");
            return Err(Error::invalid_member(member, taken.name_taken_reason()));
        }
    }
    Ok(())
}

/// The differences between a team's old and new roles.
struct Change {
    /// Every permission that some role gains.
    gained: BTreeSet<Permission>,
    /// One line for each changed role, first the roles that gain permissions.
    lines: Vec<String>,
}

impl Change {
    fn between(before: &[CustomRole], after: &[CustomRole]) -> Self {
        let mut change = Self {
            gained: BTreeSet::new(),
            lines: Vec::new(),
        };
        let mut others = Vec::new();
        for role in after {
            let old = find(before, &role.name);
            let had = old.map(CustomRole::permissions).unwrap_or_default();
            let has = role.permissions();
            let gained: Vec<_> = has.difference(&had).copied().collect();
            let lost: Vec<_> = had.difference(&has).copied().collect();
            let (plus, minus) = (format_signed('+', &gained), format_signed('-', &lost));
            let line = format!("{}:{plus}{minus}", role.name);
            match gained.is_empty() {
                false => change.lines.push(line),
                true if old != Some(role) => others.push(line),
                true => {}
            }
            change.gained.extend(gained);
        }
        let is_gone = |role: &&CustomRole| find(after, &role.name).is_none();
        let gone = before.iter().filter(is_gone);
        others.extend(gone.map(|role| format!("{}: removed", role.name)));
        change.lines.append(&mut others);
        change
    }
}

/// The names of permissions, each after a space and a sign.
fn format_signed(sign: char, permissions: &[Permission]) -> String {
    let names = permissions.iter();
    names.map(|it| format!(" {sign}{}", it.as_str())).collect()
}

/// Reads the combined permissions of a team's roles with these names. A name without a role grants
/// nothing. The team's own roles are only read if a name may be one of them.
pub(super) async fn read_permissions<'a>(
    store: &Store,
    team_id: &TeamId,
    names: impl IntoIterator<Item = &'a str>,
) -> Result<BTreeSet<Permission>> {
    let mut permissions = BTreeSet::new();
    let mut others = Vec::new();
    for name in names {
        match Role::from_name(name) {
            Some(role) if !role.yields_to_team_role() => permissions.extend(role.permissions()),
            _ => others.push(name),
        }
    }
    if !others.is_empty() {
        let roles: TeamRoles = settings::read(store, team_id).await?;
        let others = others.into_iter();
        let others = others.filter_map(|name| find_permissions(&roles, name));
        permissions.extend(others.flatten());
    }
    Ok(permissions)
}

/// Reads the permissions of a role for a new token. Returns `None` if the team has no such role.
pub(super) async fn read_role_permissions(
    store: &Store,
    team_id: &TeamId,
    name: &RoleName,
) -> Result<Option<BTreeSet<Permission>>> {
    if let Some(role) = Role::from_name(name.as_str())
        && !role.yields_to_team_role()
    {
        return Ok(Some(role.permissions()));
    }
    let roles: TeamRoles = settings::read(store, team_id).await?;
    Ok(find_permissions(&roles, name.as_str()))
}

/// The permissions of the role with this name in a team with these own roles.
fn find_permissions(own: &TeamRoles, name: &str) -> Option<BTreeSet<Permission>> {
    // One of the roles that cannot be read may have this name and fewer permissions.
    let is_certain = own.unreadable.is_none();
    let built_in = || {
        Role::from_name(name)
            .filter(|_| is_certain)
            .map(Role::permissions)
    };
    find(&own.settings, name)
        .map(CustomRole::permissions)
        .or_else(built_in)
}

/// Refuses a caller that would grant a permission that it lacks.
///
/// # Errors
/// Returns [`Error::Forbidden`].
pub(super) fn require_held<'a>(
    caller: &Caller,
    given: impl IntoIterator<Item = &'a Permission>,
) -> Result<()> {
    for permission in given {
        if !caller.permissions.contains(permission) {
            return Err(Error::Forbidden(format!(
                "You cannot grant the permission {}, because you do not have it.",
                permission.as_str()
            )));
        }
    }
    Ok(())
}

/// Checks roles and returns them ordered by name, with each permission once.
fn normalize(mut roles: Vec<CustomRole>) -> Result<Vec<CustomRole>> {
    if roles.len() > MAX_ROLES {
        let reason = format!("Define at most {MAX_ROLES} roles.");
        return Err(Error::invalid_member("roles", reason));
    }
    let mut seen = BTreeSet::new();
    for (position, role) in roles.iter_mut().enumerate() {
        let check = check(role).and_then(|()| {
            // People do not distinguish names that differ only in case.
            match seen.insert(role.name.to_ascii_lowercase()) {
                true => Ok(()),
                false => Err((
                    "name",
                    "Choose another name: another role has this one.".to_owned(),
                )),
            }
        });
        check.map_err(|(member, reason)| {
            Error::invalid_member(format!("roles[{position}].{member}"), reason)
        })?;
        let permissions = role.permissions().into_iter();
        role.permissions = permissions.map(|it| it.as_str().to_owned()).collect();
    }
    roles.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(roles)
}

/// Checks a role. Returns the first member that is not valid, and why.
fn check(role: &CustomRole) -> std::result::Result<(), (&'static str, String)> {
    if let Err(error) = role.name.parse::<RoleName>() {
        return Err(("name", format!("Use {error}.")));
    }
    if let Some(taken) = Role::from_name(&role.name.to_ascii_lowercase())
        && !taken.yields_to_team_role()
    {
        return Err(("name", taken.name_taken_reason()));
    }
    if !role.description.as_deref().is_none_or(is_description) {
        let reason = format!(
            "Use up to {MAX_DESCRIPTION_LENGTH} characters. Invisible characters and \
             characters that change the direction of text are not allowed."
        );
        return Err(("description", reason));
    }
    let is_known = |name: &String| name.parse::<Permission>().is_ok();
    if role.permissions.is_empty() || !role.permissions.iter().all(is_known) {
        let known = Permission::ALL.map(Permission::as_str).join(", ");
        return Err(("permissions", format!("Use at least one of: {known}.")));
    }
    Ok(())
}

fn is_description(text: &str) -> bool {
    text.chars().count() <= MAX_DESCRIPTION_LENGTH && is_visible(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_roles_have_the_documented_permissions() {
        let names = |role: Role| -> Vec<_> {
            let permissions = role.permissions().into_iter();
            permissions.map(Permission::as_str).collect()
        };
        assert_eq!(names(Role::Viewer), ["EXECUTIONS_READ"]);
        assert_eq!(
            names(Role::Operator),
            [
                "EXECUTIONS_READ",
                "EXECUTIONS_EXPORT",
                "EXECUTIONS_CANCEL",
                "EXECUTIONS_PIN"
            ]
        );
        assert_eq!(names(Role::Engine), ["EXECUTIONS_WRITE"]);
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
    fn an_invalid_role_is_refused_with_its_position() {
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
            (vec![role("a", &["ALL"])], "roles[0].permissions"),
            (vec![described(&long)], "roles[0].description"),
            (vec![described("a\nb")], "roles[0].description"),
            (vec![described("\u{202e}live")], "roles[0].description"),
            (
                ["a", "A"].map(|name| role(name, &["AUDIT_READ"])).into(),
                "roles[1].name",
            ),
            (vec![role("a", &["AUDIT_READ"]); 101], "roles"),
        ] {
            let refused = normalize(roles);
            let Err(Error::InvalidMember(invalid)) = refused else {
                panic!("expected a refusal, got {refused:?}");
            };
            assert_eq!(invalid.member, place);
        }
    }

    #[test]
    fn a_team_role_keeps_a_name_that_was_reserved_later() {
        let own = [role("engine", &["EXECUTIONS_READ"])];
        assert!(normalize(own.to_vec()).is_ok());
        assert!(refuse_taken_names(&own, &own).is_ok());
        for name in ["engine", "Engine"] {
            let sent = [role("a", &["AUDIT_READ"]), role(name, &["AUDIT_READ"])];
            let refused = refuse_taken_names(&[], &sent);
            let Err(Error::InvalidMember(invalid)) = refused else {
                panic!("expected a refusal, got {refused:?}");
            };
            assert_eq!(invalid.member, "roles[1].name");
        }
        let read = Some([Permission::ExecutionsRead].into());
        let defined = TeamRoles {
            settings: own.to_vec(),
            ..TeamRoles::default()
        };
        assert_eq!(find_permissions(&defined, "engine"), read);
        let none = TeamRoles::default();
        let built_in = Some(Role::Engine.permissions());
        assert_eq!(find_permissions(&none, "engine"), built_in);
        assert_eq!(find_permissions(&defined, "nobody"), None);
        let unreadable = TeamRoles {
            unreadable: Some("a role is a number".to_owned()),
            ..TeamRoles::default()
        };
        assert_eq!(find_permissions(&unreadable, "engine"), None);
        let names: Vec<_> = Role::built_in_of_team(&own).map(Role::as_str).collect();
        assert_eq!(names, ["viewer", "operator", "admin"]);
    }

    #[test]
    fn a_change_lists_gained_permissions_first() {
        let many = (0..100).map(|number| role(&format!("a-{number}"), &["AUDIT_READ"]));
        let before: Vec<_> = many.collect();
        let mut after = before.clone();
        after.pop();
        after[0].description = Some("Described".to_owned());
        after[1].permissions = vec!["EXECUTIONS_READ".to_owned()];
        after.push(role("zzz", &["TOKENS_MANAGE", "EXECUTIONS_REVEAL"]));
        let change = Change::between(&before, &after);
        assert_eq!(
            change.lines,
            [
                "a-1: +EXECUTIONS_READ -AUDIT_READ",
                "zzz: +EXECUTIONS_REVEAL +TOKENS_MANAGE",
                "a-0:",
                "a-99: removed",
            ]
        );
        let gained: Vec<_> = change.gained.into_iter().map(Permission::as_str).collect();
        assert_eq!(
            gained,
            ["EXECUTIONS_READ", "EXECUTIONS_REVEAL", "TOKENS_MANAGE"]
        );
    }

    #[test]
    fn roles_are_ordered_by_name_with_each_permission_once() {
        let kept = normalize(vec![
            role("b", &["AUDIT_READ"]),
            role("a", &["AUDIT_READ", "EXECUTIONS_READ", "AUDIT_READ"]),
        ]);
        let expected = [
            role("a", &["EXECUTIONS_READ", "AUDIT_READ"]),
            role("b", &["AUDIT_READ"]),
        ];
        assert_eq!(kept.expect("valid roles"), expected);
    }
}
