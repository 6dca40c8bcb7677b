//! Writes as values: the changes and their conditions.

use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Delete, Put, TransactWriteItem, Update as SdkUpdate,
};
use format::keys::key;
use format::model::Item;
use format::{Error, Result};

use crate::condition::Condition;
use crate::expression::{Path, Placeholders};

/// A change of some attributes of an item. Without a condition it creates an item that does not
/// exist.
#[derive(Debug, Clone, PartialEq)]
pub struct Update {
    key: Item,
    set: Vec<(Path, AttributeValue)>,
    removed: Vec<Path>,
    added: Vec<(Path, AttributeValue)>,
    condition: Option<Condition>,
}

impl Update {
    /// An empty change of the item with these keys.
    pub fn new(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self::with_key(key(pk, sk))
    }

    /// An empty change of the item with this key.
    pub fn with_key(key: Item) -> Self {
        Self {
            key,
            set: Vec::new(),
            removed: Vec::new(),
            added: Vec::new(),
            condition: None,
        }
    }

    /// Sets an attribute.
    pub fn set(mut self, attribute: impl Into<Path>, value: AttributeValue) -> Self {
        self.set.push((attribute.into(), value));
        self
    }

    /// Sets an attribute if there is a value.
    pub fn set_if_some(self, attribute: impl Into<Path>, value: Option<AttributeValue>) -> Self {
        match value {
            Some(value) => self.set(attribute, value),
            None => self,
        }
    }

    /// Removes an attribute.
    pub fn remove(mut self, attribute: impl Into<Path>) -> Self {
        self.removed.push(attribute.into());
        self
    }

    /// Adds to a number. An absent number counts as 0.
    pub fn add(mut self, attribute: impl Into<Path>, number: AttributeValue) -> Self {
        self.added.push((attribute.into(), number));
        self
    }

    /// Adds a condition. All conditions must hold.
    pub fn only_if(mut self, condition: Condition) -> Self {
        self.condition = Some(match self.condition {
            None => condition,
            Some(other) => other.and(condition),
        });
        self
    }

    /// The key of the changed item.
    pub fn key(&self) -> &Item {
        &self.key
    }

    pub(crate) fn build(self, table: &str) -> Result<SdkUpdate> {
        let mut placeholders = Placeholders::default();
        // No spaces between terms: DynamoDB limits the length of an expression, and a counter item
        // has many numbers.
        let mut clauses = Vec::new();
        for (word, terms) in [("SET", &self.set), ("ADD", &self.added)] {
            let sign = if word == "SET" { " = " } else { " " };
            let terms: Vec<_> = terms
                .iter()
                .map(|(path, value)| {
                    let path = placeholders.path(path);
                    format!("{path}{sign}{}", placeholders.value(value))
                })
                .collect();
            if !terms.is_empty() {
                clauses.push(format!("{word} {}", terms.join(",")));
            }
        }
        if !self.removed.is_empty() {
            let removed = self.removed.iter();
            let removed: Vec<_> = removed.map(|path| placeholders.path(path)).collect();
            clauses.push(format!("REMOVE {}", removed.join(",")));
        }
        let condition = self.condition.as_ref();
        let condition = condition.map(|condition| placeholders.condition(condition));
        SdkUpdate::builder()
            .table_name(table)
            .set_key(Some(self.key))
            .update_expression(clauses.join(" "))
            .set_condition_expression(condition)
            .set_expression_attribute_names(placeholders.names())
            .set_expression_attribute_values(placeholders.values())
            .build()
            .map_err(Error::internal)
    }
}

/// One write of a transaction.
#[derive(Debug, Clone, PartialEq)]
pub enum Write {
    /// Writes an item, replacing an existing one.
    Put(Item, Option<Condition>),
    /// Changes an item.
    Update(Update),
    /// Removes the item with this key.
    Delete(Item, Option<Condition>),
    /// Changes nothing. The transaction is only written if the condition holds for the item with
    /// this key.
    Check(Item, Condition),
}

impl Write {
    /// Writes an item unconditionally.
    pub fn put(item: Item) -> Self {
        Self::Put(item, None)
    }

    /// Writes an item if none with its keys exists.
    pub fn create(item: Item) -> Self {
        Self::Put(item, Some(Condition::absent()))
    }

    pub(crate) fn build(self, table: &str) -> Result<TransactWriteItem> {
        let action = TransactWriteItem::builder();
        let action = match self {
            Self::Put(item, condition) => action.put(put(table, item, condition)?),
            Self::Update(update) => action.update(update.build(table)?),
            Self::Delete(key, condition) => {
                let mut placeholders = Placeholders::default();
                let condition = condition.map(|condition| placeholders.condition(&condition));
                let delete = Delete::builder()
                    .table_name(table)
                    .set_key(Some(key))
                    .set_condition_expression(condition)
                    .set_expression_attribute_names(placeholders.names())
                    .set_expression_attribute_values(placeholders.values());
                action.delete(delete.build().map_err(Error::internal)?)
            }
            Self::Check(key, condition) => {
                let mut placeholders = Placeholders::default();
                let check = ConditionCheck::builder()
                    .table_name(table)
                    .set_key(Some(key))
                    .condition_expression(placeholders.condition(&condition))
                    .set_expression_attribute_names(placeholders.names())
                    .set_expression_attribute_values(placeholders.values());
                action.condition_check(check.build().map_err(Error::internal)?)
            }
        };
        Ok(action.build())
    }
}

impl From<Update> for Write {
    fn from(update: Update) -> Self {
        Self::Update(update)
    }
}

pub(crate) fn put(table: &str, item: Item, condition: Option<Condition>) -> Result<Put> {
    let mut placeholders = Placeholders::default();
    let condition = condition.map(|condition| placeholders.condition(&condition));
    Put::builder()
        .table_name(table)
        .set_item(Some(item))
        .set_condition_expression(condition)
        .set_expression_attribute_names(placeholders.names())
        .set_expression_attribute_values(placeholders.values())
        .build()
        .map_err(Error::internal)
}

/// The result of a conditional write.
#[derive(Debug, Clone, PartialEq)]
pub enum Attempt {
    /// The write was made.
    Written,
    /// The condition does not hold for this existing item; `None` if there is no item.
    Refused(Option<Item>),
}

/// The result of a conditional change, with the item.
#[derive(Debug, Clone, PartialEq)]
pub enum Changed {
    /// The item was changed to this one.
    Yes(Item),
    /// The condition does not hold for this existing item; `None` if there is no item.
    No(Option<Item>),
}
