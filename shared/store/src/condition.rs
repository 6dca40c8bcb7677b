//! Conditions on an item that a write requires.

use std::ops::Not;

use aws_sdk_dynamodb::types::AttributeValue;
use format::attributes::{PARTITION_KEY, STATUS, TEAM_ID, text};
use format::model::{Item, Status, TeamId};
use format::{Error, Result};

use crate::expression::Path;

/// A condition on the item that a write changes, replaces or removes.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// The attribute has this value, including its type.
    Is(Path, AttributeValue),
    /// The attribute has one of these values, at least one.
    AnyOf(Path, Vec<AttributeValue>),
    /// The attribute exists, with any value.
    Has(Path),
    /// The attribute's value is at most this one. False without the attribute, and for a value of
    /// another type.
    AtMost(Path, AttributeValue),
    /// The attribute's value is at least this one. False without the attribute, and for a value of
    /// another type.
    AtLeast(Path, AttributeValue),
    /// The condition does not hold.
    Not(Box<Self>),
    /// All of these hold.
    All(Vec<Self>),
    /// At least one of these holds.
    Any(Vec<Self>),
}

impl Condition {
    /// An item with these keys exists.
    pub fn exists() -> Self {
        Self::has(PARTITION_KEY)
    }

    /// No item with these keys exists.
    pub fn absent() -> Self {
        !Self::exists()
    }

    /// Always holds.
    pub fn anything() -> Self {
        Self::exists().or(Self::absent())
    }

    /// The attribute exists.
    pub fn has(attribute: impl Into<Path>) -> Self {
        Self::Has(attribute.into())
    }

    /// The attribute has this value.
    pub fn is(attribute: impl Into<Path>, value: AttributeValue) -> Self {
        Self::Is(attribute.into(), value)
    }

    /// The item's attribute has not changed since the item was read: it has the same value, is
    /// still missing from an existing item, or there is still no item. It works for an attribute of
    /// any type, so that an item that cannot be understood can be replaced too.
    pub fn unchanged(read: Option<&Item>, attribute: &str) -> Self {
        match read.map(|item| item.get(attribute)) {
            None => Self::absent(),
            Some(Some(value)) => Self::is(attribute, value.clone()),
            Some(None) => Self::exists().and(!Self::has(attribute)),
        }
    }

    /// The item is an execution of this team. Execution ids are unique across all teams of a table,
    /// so a write without this condition could overwrite another team's run.
    pub fn of_team(team_id: &TeamId) -> Self {
        Self::is(TEAM_ID, text(team_id.as_str()))
    }

    /// The item is an execution of this team that has not ended. A terminal status is final.
    pub fn open(team_id: &TeamId) -> Self {
        let open = Status::ALL.into_iter().filter(|status| status.is_open());
        let open = open.map(|status| text(status.as_str())).collect();
        Self::of_team(team_id).and(Self::AnyOf(STATUS.into(), open))
    }

    /// There is no item, or it is [`Self::open`]: the condition that the record format requires for
    /// a write of an execution.
    pub fn absent_or_open(team_id: &TeamId) -> Self {
        Self::absent().or(Self::open(team_id))
    }

    /// The condition that the record format requires for a write of this execution, for the team in
    /// the execution.
    ///
    /// # Errors
    /// Returns [`Error::Internal`] if the execution has no valid team.
    pub fn of_execution(item: &Item) -> Result<Self> {
        let team_id = item.get(TEAM_ID).and_then(|team_id| team_id.as_s().ok());
        let team_id = team_id.and_then(|team_id| team_id.parse().ok());
        let team_id = team_id.ok_or_else(|| Error::internal("an execution has no teamId"))?;
        Ok(Self::absent_or_open(&team_id))
    }

    /// Both hold.
    pub fn and(self, other: Self) -> Self {
        match self {
            Self::All(mut all) => {
                all.push(other);
                Self::All(all)
            }
            one => Self::All(vec![one, other]),
        }
    }

    /// At least one holds.
    pub fn or(self, other: Self) -> Self {
        match self {
            Self::Any(mut any) => {
                any.push(other);
                Self::Any(any)
            }
            one => Self::Any(vec![one, other]),
        }
    }
}

impl Not for Condition {
    type Output = Self;

    fn not(self) -> Self {
        Self::Not(Box::new(self))
    }
}
