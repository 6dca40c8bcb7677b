//! DynamoDB's expressions, with their names and values.
//!
//! Each name and value has a placeholder, because attribute names may be reserved words of
//! DynamoDB, and values may be anything.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use format::attributes::PARTITION_KEY;

use crate::condition::Condition;

/// The path of a value inside an item: an attribute, and below it members of maps and positions in
/// lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path(pub(crate) Vec<PathStep>);

/// One step of a [`Path`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PathStep {
    /// An attribute of the item, or a member of a map.
    Member(String),
    /// A position in a list, counted from 0.
    Index(usize),
}

impl From<&str> for Path {
    fn from(attribute: &str) -> Self {
        attribute.to_owned().into()
    }
}

impl From<String> for Path {
    fn from(attribute: String) -> Self {
        Self(vec![PathStep::Member(attribute)])
    }
}

/// The placeholders of one request.
#[derive(Debug, Default)]
pub(crate) struct Placeholders {
    names: HashMap<String, String>,
    values: HashMap<String, AttributeValue>,
    /// The placeholder of each name, so that a name that is used several times is sent once.
    by_name: HashMap<String, String>,
}

impl Placeholders {
    /// The names for the SDK: `None` instead of an empty map, which DynamoDB refuses.
    pub(crate) fn names(&self) -> Option<HashMap<String, String>> {
        (!self.names.is_empty()).then(|| self.names.clone())
    }

    /// The values for the SDK: `None` instead of an empty map.
    pub(crate) fn values(&self) -> Option<HashMap<String, AttributeValue>> {
        (!self.values.is_empty()).then(|| self.values.clone())
    }

    pub(crate) fn path(&mut self, path: &Path) -> String {
        let mut expression = String::new();
        for (number, step) in path.0.iter().enumerate() {
            match step {
                PathStep::Member(name) => {
                    if number > 0 {
                        expression.push('.');
                    }
                    expression.push_str(&self.name(name));
                }
                PathStep::Index(index) => expression.push_str(&format!("[{index}]")),
            }
        }
        expression
    }

    pub(crate) fn name(&mut self, name: &str) -> String {
        // It is not a reserved word, and the conditions in the documentation use it without a
        // placeholder.
        if name == PARTITION_KEY {
            return name.to_owned();
        }
        if let Some(placeholder) = self.by_name.get(name) {
            return placeholder.clone();
        }
        let placeholder = format!("#{}", self.names.len());
        self.names.insert(placeholder.clone(), name.to_owned());
        self.by_name.insert(name.to_owned(), placeholder.clone());
        placeholder
    }

    pub(crate) fn value(&mut self, value: &AttributeValue) -> String {
        let placeholder = format!(":{}", self.values.len());
        self.values.insert(placeholder.clone(), value.clone());
        placeholder
    }

    pub(crate) fn condition(&mut self, condition: &Condition) -> String {
        match condition {
            Condition::Is(path, value) => self.comparison(path, "=", value),
            Condition::AtMost(path, value) => self.comparison(path, "<=", value),
            Condition::AtLeast(path, value) => self.comparison(path, ">=", value),
            Condition::AnyOf(path, values) => {
                let path = self.path(path);
                let values: Vec<_> = values.iter().map(|value| self.value(value)).collect();
                format!("{path} IN ({})", values.join(", "))
            }
            Condition::Has(path) => format!("attribute_exists({})", self.path(path)),
            Condition::Not(condition) => match condition.as_ref() {
                Condition::Has(path) => format!("attribute_not_exists({})", self.path(path)),
                other => format!("NOT ({})", self.condition(other)),
            },
            Condition::All(all) => self.join(all, " AND "),
            Condition::Any(any) => self.join(any, " OR "),
        }
    }

    fn comparison(&mut self, path: &Path, operator: &str, value: &AttributeValue) -> String {
        let path = self.path(path);
        format!("{path} {operator} {}", self.value(value))
    }

    fn join(&mut self, conditions: &[Condition], operator: &str) -> String {
        let parts = conditions.iter().map(|condition| {
            let part = self.condition(condition);
            match condition {
                Condition::All(_) | Condition::Any(_) => format!("({part})"),
                _ => part,
            }
        });
        parts.collect::<Vec<_>>().join(operator)
    }
}

#[cfg(test)]
mod tests {
    use format::attributes::text;

    use super::*;

    #[test]
    fn the_condition_of_the_record_format_is_as_documented() {
        let team = "team-a".parse().expect("an id");
        let mut placeholders = Placeholders::default();
        let expression = placeholders.condition(&Condition::absent_or_open(&team));
        assert_eq!(
            expression,
            "attribute_not_exists(pk) OR (#0 = :0 AND #1 IN (:1, :2))"
        );
        let names = placeholders.names().expect("names");
        assert_eq!(
            (names["#0"].as_str(), names["#1"].as_str()),
            ("teamId", "status")
        );
        let values = placeholders.values().expect("values");
        let value = |name: &str| values[name].as_s().expect("a text").clone();
        assert_eq!(
            [value(":0"), value(":1"), value(":2")],
            ["team-a", "PENDING", "RUNNING"]
        );
    }

    #[test]
    fn a_name_has_one_placeholder() {
        let mut placeholders = Placeholders::default();
        let condition = Condition::has("a").and(!Condition::is("a", text("x")));
        let expression = placeholders.condition(&condition);
        assert_eq!(expression, "attribute_exists(#0) AND NOT (#0 = :0)");
        assert_eq!(placeholders.names().expect("names").len(), 1);
    }

    #[test]
    fn a_path_names_each_member() {
        let path = Path(vec![
            PathStep::Member("data".to_owned()),
            PathStep::Index(3),
            PathStep::Member("a.b".to_owned()),
        ]);
        let mut placeholders = Placeholders::default();
        assert_eq!(placeholders.path(&path), "#0[3].#1");
        assert_eq!(placeholders.names().expect("names")["#1"], "a.b");
    }
}
