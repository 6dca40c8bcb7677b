//! Roles: named sets of permissions, four that every team has, and those that it
//! defines.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Caller, Permission};
use crate::audit::{Action, Entry};
use crate::error::{Error, Result};
use crate::keys;
#[cfg(feature = "schema")]
use crate::model::{ID_PATTERN, NO_CONTROL_PATTERN};
use crate::model::{RoleName, TeamId};
use crate::settings::{self, Expected, TeamSettings};
use crate::store::Store;

/// The most roles that a team defines.
pub const MAX_ROLES: usize = 100;

/// The longest description of a role, in characters.
const MAX_DESCRIPTION_LENGTH: usize = 256;

/// A role that every team has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Reads.
    Viewer,
    /// Reads, exports, cancels, pins.
    Operator,
    /// Writes, and reads nothing: a program that exports traces.
    Engine,
    /// Everything.
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
                Permission::ExecutionsPin,
            ]
            .into(),
            Self::Engine => [Permission::ExecutionsWrite].into(),
            Self::Admin => Permission::ALL.into(),
        }
    }

    /// Whether a team's own role of this name goes before it. Roles called `engine`
    /// were defined before every team had one, and their tokens keep what they may do.
    fn yields_to_own(self) -> bool {
        self == Self::Engine
    }

    /// Why no role can be given this one's name.
    fn is_taken(self) -> String {
        format!(
            "Every team has the role {}, which stays as it is.",
            self.as_str()
        )
    }

    /// Those of these roles that a team has which defines these.
    pub fn beside(own: &[CustomRole]) -> impl Iterator<Item = Self> {
        let is_left = |role: &Self| !role.yields_to_own() || named(own, role.as_str()).is_none();
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
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CustomRole {
    /// The name: an id, and not that of a role that is there for every team.
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = ID_PATTERN)))]
    pub name: String,
    /// What it is for, in up to 256 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(
        length(max = MAX_DESCRIPTION_LENGTH),
        regex(pattern = NO_CONTROL_PATTERN)
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
    /// What the role may do. A permission that this release does not know is none.
    pub fn permissions(&self) -> BTreeSet<Permission> {
        let names = self.permissions.iter();
        names.filter_map(|name| name.parse().ok()).collect()
    }
}

/// The roles that a team defines, by name.
pub type TeamRoles = TeamSettings<Vec<CustomRole>>;

fn named<'a>(roles: &'a [CustomRole], name: &str) -> Option<&'a CustomRole> {
    roles.iter().find(|role| role.name == name)
}

/// Reads the roles that the caller's team defines.
///
/// # Errors
/// [`Error::Forbidden`] for a caller who is kept from some of the team's flows, and
/// those of the table.
pub async fn get_roles(store: &Store, caller: &Caller) -> Result<TeamRoles> {
    require_whole_team(caller)?;
    settings::read(store, &caller.team_id, keys::ROLES).await
}

/// Puts roles in the place of those that the caller's team defines.
///
/// Nobody gives what he does not have: each permission that a role gains has to be
/// the caller's own. Tokens whose role is gone may do nothing.
///
/// # Errors
/// [`Error::InvalidMember`]; [`Error::Conflict`] when the roles are not those that are
/// expected; [`Error::Forbidden`], also for a caller who is kept from some of the team's
/// flows; and those of the table.
pub async fn put_roles(
    store: &Store,
    caller: &Caller,
    roles: Vec<CustomRole>,
    expected: Expected,
) -> Result<TeamRoles> {
    require_whole_team(caller)?;
    let sent = roles.clone();
    let roles = checked(roles)?;
    let after = roles.clone();
    let allow = |before: &Vec<CustomRole>| {
        refuse_taken_names(before, &sent)?;
        let change = Change::of(before, &after);
        require_held(caller, &change.gained)?;
        let gained: Vec<_> = change.gained.iter().map(|it| it.as_str()).collect();
        let entry = Entry::new(caller, Action::RolesChanged, "roles")?;
        Ok(entry
            .detail("gained", gained.join(" "))
            .detail("changes", change.lines.join("; ")))
    };
    settings::replace(store, caller, keys::ROLES, roles, expected, allow).await
}

fn require_whole_team(caller: &Caller) -> Result<()> {
    caller.require_whole_team("Roles")
}

/// Refuses a new role with the name of a [`Role`]. One that was there before its name
/// was taken stays.
fn refuse_taken_names(before: &[CustomRole], sent: &[CustomRole]) -> Result<()> {
    for (position, role) in sent.iter().enumerate() {
        let taken = Role::named(&role.name.to_ascii_lowercase());
        if let Some(taken) = taken
            && named(before, &role.name).is_none()
        {
            let member = format!("roles[{position}].name");
            return Err(Error::invalid_member(member, taken.is_taken()));
        }
    }
    Ok(())
}

/// How roles differ from what they were.
struct Change {
    /// Every permission that some role has now, and had not.
    gained: BTreeSet<Permission>,
    /// What became of each role, those first that have gained something.
    lines: Vec<String>,
}

impl Change {
    fn of(before: &[CustomRole], after: &[CustomRole]) -> Self {
        let mut change = Self {
            gained: BTreeSet::new(),
            lines: Vec::new(),
        };
        let mut others = Vec::new();
        for role in after {
            let old = named(before, &role.name);
            let had = old.map(CustomRole::permissions).unwrap_or_default();
            let has = role.permissions();
            let gained: Vec<_> = has.difference(&had).copied().collect();
            let lost: Vec<_> = had.difference(&has).copied().collect();
            let line = format!(
                "{}:{}{}",
                role.name,
                signed('+', &gained),
                signed('-', &lost)
            );
            match gained.is_empty() {
                false => change.lines.push(line),
                true if old != Some(role) => others.push(line),
                true => {}
            }
            change.gained.extend(gained);
        }
        let is_gone = |role: &&CustomRole| named(after, &role.name).is_none();
        let gone = before.iter().filter(is_gone);
        others.extend(gone.map(|role| format!("{}: removed", role.name)));
        change.lines.append(&mut others);
        change
    }
}

/// The names of permissions, each behind a blank and a sign.
fn signed(sign: char, permissions: &[Permission]) -> String {
    let names = permissions.iter();
    names.map(|it| format!(" {sign}{}", it.as_str())).collect()
}

/// What the roles of these names may do in a team, together. A name that is none
/// gives nothing. The team's own roles are read only where one may be named.
///
/// # Errors
/// Those of the table.
pub(super) async fn permissions<'a>(
    store: &Store,
    team_id: &TeamId,
    names: impl IntoIterator<Item = &'a str>,
) -> Result<BTreeSet<Permission>> {
    let mut permissions = BTreeSet::new();
    let mut others = Vec::new();
    for name in names {
        match Role::named(name) {
            Some(role) if !role.yields_to_own() => permissions.extend(role.permissions()),
            _ => others.push(name),
        }
    }
    if !others.is_empty() {
        let roles: TeamRoles = settings::read(store, team_id, keys::ROLES).await?;
        let others = others.into_iter();
        let others = others.filter_map(|name| permissions_in(&roles.settings, name));
        permissions.extend(others.flatten());
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
    if let Some(role) = Role::named(name.as_str())
        && !role.yields_to_own()
    {
        return Ok(Some(role.permissions()));
    }
    let roles: TeamRoles = settings::read(store, team_id, keys::ROLES).await?;
    Ok(permissions_in(&roles.settings, name.as_str()))
}

/// What the role of that name may do in a team that defines these.
fn permissions_in(own: &[CustomRole], name: &str) -> Option<BTreeSet<Permission>> {
    let of_every_team = || Role::named(name).map(Role::permissions);
    named(own, name)
        .map(CustomRole::permissions)
        .or_else(of_every_team)
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
    if roles.len() > MAX_ROLES {
        let reason = format!("A team has at most {MAX_ROLES} roles of its own.");
        return Err(Error::invalid_member("roles", reason));
    }
    let mut seen = BTreeSet::new();
    for (position, role) in roles.iter_mut().enumerate() {
        let check = check(role).and_then(|()| {
            // Names that differ in case alone are one to people.
            match seen.insert(role.name.to_ascii_lowercase()) {
                true => Ok(()),
                false => Err(("name", "Another role has this name.".to_owned())),
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

/// Which member of a role cannot be, and why.
fn check(role: &CustomRole) -> std::result::Result<(), (&'static str, String)> {
    if let Err(error) = role.name.parse::<RoleName>() {
        return Err(("name", format!("It is an id: {error}.")));
    }
    if let Some(taken) = Role::named(&role.name.to_ascii_lowercase())
        && !taken.yields_to_own()
    {
        return Err(("name", taken.is_taken()));
    }
    if !role.description.as_deref().is_none_or(is_description) {
        let reason =
            format!("It has up to {MAX_DESCRIPTION_LENGTH} characters, and no control characters.");
        return Err(("description", reason));
    }
    let is_known = |name: &String| name.parse::<Permission>().is_ok();
    if role.permissions.is_empty() || !role.permissions.iter().all(is_known) {
        let known = Permission::ALL.map(Permission::as_str).join(", ");
        return Err(("permissions", format!("It has at least one of: {known}.")));
    }
    Ok(())
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
            (vec![role("a", &["ALL"])], "roles[0].permissions"),
            (vec![described(&long)], "roles[0].description"),
            (vec![described("a\nb")], "roles[0].description"),
            (
                ["a", "A"].map(|name| role(name, &["AUDIT_READ"])).into(),
                "roles[1].name",
            ),
            (vec![role("a", &["AUDIT_READ"]); 101], "roles"),
        ] {
            let refused = checked(roles);
            let Err(Error::InvalidMember(invalid)) = refused else {
                panic!("expected a refusal, got {refused:?}");
            };
            assert_eq!(invalid.member, place);
        }
    }

    #[test]
    fn a_role_keeps_a_name_that_every_teams_role_took_later_and_no_new_one_gets_it() {
        let own = [role("engine", &["EXECUTIONS_READ"])];
        assert!(checked(own.to_vec()).is_ok());
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
        assert_eq!(permissions_in(&own, "engine"), read);
        assert_eq!(
            permissions_in(&[], "engine"),
            Some(Role::Engine.permissions())
        );
        assert_eq!(permissions_in(&own, "nobody"), None);
        let names: Vec<_> = Role::beside(&own).map(Role::as_str).collect();
        assert_eq!(names, ["viewer", "operator", "admin"]);
    }

    #[test]
    fn a_change_tells_first_what_was_gained_and_by_whom() {
        let many = (0..100).map(|number| role(&format!("a-{number}"), &["AUDIT_READ"]));
        let before: Vec<_> = many.collect();
        let mut after = before.clone();
        after.pop();
        after[0].description = Some("Described".to_owned());
        after[1].permissions = vec!["EXECUTIONS_READ".to_owned()];
        after.push(role("zzz", &["TOKENS_MANAGE", "EXECUTIONS_REVEAL"]));
        let change = Change::of(&before, &after);
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
