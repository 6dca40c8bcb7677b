//! An ordered range of the table or of an index, with its filters.

use std::borrow::Cow;

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use format::attributes::{CREATED_AT, PARTITION_KEY, SORT_KEY, TIME_TO_LIVE, text};
use format::keys;
use format::model::ExecutionId;

use crate::table::Index;

/// A condition on an attribute that is not part of a key. DynamoDB reads the item and then drops
/// it.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    attribute: &'static str,
    test: Test,
    /// Items with this attribute pass as well.
    or_exists: Option<&'static str>,
}

#[derive(Debug, Clone, PartialEq)]
enum Test {
    AnyOf(Vec<AttributeValue>),
    Not(AttributeValue),
    BeginsWith(&'static str),
    IsText,
}

impl Filter {
    /// The attribute has one of these values, at least one.
    pub fn any_of(attribute: &'static str, values: Vec<AttributeValue>) -> Self {
        Self {
            attribute,
            test: Test::AnyOf(values),
            or_exists: None,
        }
    }

    /// The attribute has another value, or does not exist.
    pub fn not(attribute: &'static str, value: AttributeValue) -> Self {
        Self {
            attribute,
            test: Test::Not(value),
            or_exists: None,
        }
    }

    /// The attribute is a text with this prefix.
    pub fn begins_with(attribute: &'static str, prefix: &'static str) -> Self {
        Self {
            attribute,
            test: Test::BeginsWith(prefix),
            or_exists: None,
        }
    }

    /// The attribute is a text.
    pub fn is_text(attribute: &'static str) -> Self {
        Self {
            attribute,
            test: Test::IsText,
            or_exists: None,
        }
    }

    /// Lets items that have another attribute pass as well. The reader drops those that it does not
    /// return, so page tokens do not depend on it.
    pub fn or_exists(mut self, attribute: &'static str) -> Self {
        self.or_exists = Some(attribute);
        self
    }

    /// The values in the condition.
    fn values(&self) -> Vec<AttributeValue> {
        match &self.test {
            Test::AnyOf(values) => values.clone(),
            Test::Not(value) => vec![value.clone()],
            Test::BeginsWith(prefix) => vec![text(*prefix)],
            Test::IsText => vec![text("S")],
        }
    }

    /// The condition, with the placeholders of its attribute and its values.
    fn expression(&self, name: &str, values: &[String]) -> String {
        let values = values.join(", ");
        match &self.test {
            Test::AnyOf(_) => format!("{name} IN ({values})"),
            // This also holds for an absent attribute.
            Test::Not(_) => format!("NOT {name} = {values}"),
            Test::BeginsWith(_) => format!("begins_with({name}, {values})"),
            Test::IsText => format!("attribute_type({name}, {values})"),
        }
    }
}

/// A contiguous range of items with one partition key, in one order. A Query reads a range, and a
/// page token belongs to a range.
#[derive(Debug, Clone, PartialEq)]
pub struct Range {
    index: Option<&'static Index>,
    partition: Vec<(&'static str, String)>,
    from: Option<String>,
    to: Option<String>,
    is_descending: bool,
    /// Whether reads are consistent, and so include the most recent writes, at twice the price.
    consistent: bool,
    filters: Vec<Filter>,
    /// A remark that the page tokens of the range carry.
    note: Option<&'static str>,
    /// The only attributes that are fetched; all attributes if it is empty.
    only: &'static [&'static str],
}

impl<'a> From<&'a Range> for Cow<'a, Range> {
    fn from(range: &'a Range) -> Self {
        Self::Borrowed(range)
    }
}

impl From<Range> for Cow<'_, Range> {
    fn from(range: Range) -> Self {
        Self::Owned(range)
    }
}

impl Range {
    /// A whole partition of an index, newest first. `values` are the values of the index's
    /// partition attributes, in their order.
    pub fn index<const N: usize>(index: &'static Index, values: [String; N]) -> Self {
        debug_assert_eq!(
            index.partition.len(),
            N,
            "{} needs all its keys",
            index.name
        );
        Self {
            index: Some(index),
            partition: index.partition.iter().copied().zip(values).collect(),
            from: None,
            to: None,
            is_descending: true,
            consistent: false,
            filters: Vec::new(),
            note: None,
            only: &[],
        }
    }

    /// The records of a run between two sort keys, both inclusive, in ascending order.
    pub fn of_execution(execution_id: &ExecutionId, from: &str, to: Option<&str>) -> Self {
        Self::of_partition(keys::execution_partition(execution_id), from, to)
    }

    /// The records of a run whose sort keys have this prefix.
    pub fn with_prefix(execution_id: &ExecutionId, prefix: &str) -> Self {
        Self::of_prefix(keys::execution_partition(execution_id), prefix)
    }

    /// The items of a partition of the table whose sort keys have this prefix, which may be empty,
    /// in ascending order.
    pub fn of_prefix(pk: String, prefix: &str) -> Self {
        let to = format!("{prefix}{}", keys::LAST);
        Self::of_partition(pk, prefix, Some(&to))
    }

    /// The items of a partition of the table between two sort keys, both inclusive, in ascending
    /// order. An empty `from` is the beginning of the partition.
    pub fn of_partition(pk: String, from: &str, to: Option<&str>) -> Self {
        Self {
            index: None,
            partition: vec![(PARTITION_KEY, pk)],
            // DynamoDB refuses an empty key.
            from: (!from.is_empty()).then(|| from.to_owned()),
            to: to.map(str::to_owned),
            is_descending: false,
            consistent: false,
            filters: Vec::new(),
            note: None,
            only: &[],
        }
    }

    /// Adds a filter to the range.
    pub fn filtered(mut self, filter: Filter) -> Self {
        self.filters.push(filter);
        self
    }

    /// Adds a remark that the range's page tokens carry, such as a fact that was found out for the
    /// first page. A token is read only with the remark with which it was created.
    pub fn noted(mut self, note: &'static str) -> Self {
        self.note = Some(note);
        self
    }

    /// Narrows the range to these bounds, both inclusive.
    pub fn between(mut self, from: Option<String>, to: Option<String>) -> Self {
        // `None` is less than every lower bound, so `max` returns the stricter one.
        self.from = self.from.max(from);
        self.to = match (self.to, to) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        self
    }

    /// Fetches only these attributes.
    pub fn only(mut self, attributes: &'static [&'static str]) -> Self {
        self.only = attributes;
        self
    }

    /// All records of a run with only their keys, read consistently. Use it to remove them.
    pub fn keys_of_run(pk: &str) -> Self {
        let all = Self::of_partition(pk.to_owned(), "", None);
        all.latest().only(&[PARTITION_KEY, SORT_KEY])
    }

    /// All records of a run with only their keys and expiry times, read consistently.
    pub fn expiries_of_run(pk: &str) -> Self {
        Self::keys_of_run(pk).only(&[PARTITION_KEY, SORT_KEY, TIME_TO_LIVE])
    }

    /// Reads the range consistently, and so with the most recent writes, at twice the price. An
    /// index does not support it.
    pub fn latest(mut self) -> Self {
        debug_assert!(self.index.is_none(), "an index has no consistent reads");
        self.consistent = true;
        self
    }

    /// Reads the range in descending order.
    pub fn last_first(mut self) -> Self {
        self.is_descending = true;
        self
    }

    /// Returns whether the range is in an index, which may also contain items of other kinds.
    pub fn is_of_index(&self) -> bool {
        self.index.is_some()
    }

    /// Returns whether the range has filters, so that items may be read and then dropped.
    pub fn has_filters(&self) -> bool {
        !self.filters.is_empty()
    }

    /// The attributes and values of the partition key.
    pub(crate) fn partition(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.partition
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
    }

    /// The attribute that orders the range.
    pub(crate) fn sort_attribute(&self) -> &'static str {
        if self.index.is_some() {
            CREATED_AT
        } else {
            SORT_KEY
        }
    }

    /// Every attribute of a `LastEvaluatedKey`: the table's own keys and, for an index, its keys.
    pub(crate) fn key_attributes(&self) -> impl Iterator<Item = &'static str> {
        let index_keys = self
            .index
            .iter()
            .flat_map(|index| index.partition.iter().copied().chain([CREATED_AT]));
        [PARTITION_KEY, SORT_KEY].into_iter().chain(index_keys)
    }

    /// Returns whether a sort key is between the range's bounds.
    pub(crate) fn contains(&self, sort: &str) -> bool {
        self.from.as_deref().is_none_or(|from| from <= sort)
            && self.to.as_deref().is_none_or(|to| sort <= to)
    }

    /// Passes each property that distinguishes this range from others to `part`, always in the same
    /// order.
    pub(crate) fn describe(&self, part: &mut dyn FnMut(&[u8])) {
        part(self.index.map_or("", |index| index.name).as_bytes());
        for (name, value) in &self.partition {
            part(name.as_bytes());
            part(value.as_bytes());
        }
        for bound in [&self.from, &self.to] {
            part(bound.as_deref().unwrap_or_default().as_bytes());
        }
        part(&[u8::from(self.is_descending)]);
        for filter in &self.filters {
            part(filter.attribute.as_bytes());
            part(filter.expression("", &[]).as_bytes());
            for value in filter.values() {
                part(format!("{value:?}").as_bytes());
            }
        }
        if let Some(note) = self.note {
            part(note.as_bytes());
        }
    }

    /// Adds the range to a request.
    pub(crate) fn apply_to(&self, request: QueryFluentBuilder) -> QueryFluentBuilder {
        let mut conditions = Vec::new();
        let mut request = request
            .set_index_name(self.index.map(|index| index.name.to_owned()))
            .scan_index_forward(!self.is_descending)
            .set_consistent_read(self.consistent.then_some(true));
        for (position, (name, value)) in self.partition.iter().enumerate() {
            conditions.push(format!("#p{position} = :p{position}"));
            request = request
                .expression_attribute_names(format!("#p{position}"), *name)
                .expression_attribute_values(format!(":p{position}"), text(value));
        }
        let bounds = [(":from", &self.from), (":to", &self.to)];
        for (name, bound) in bounds {
            if let Some(bound) = bound {
                request = request.expression_attribute_values(name, text(bound));
            }
        }
        conditions.extend(match (&self.from, &self.to) {
            (Some(_), Some(_)) => Some("#sort BETWEEN :from AND :to".to_owned()),
            (Some(_), None) => Some("#sort >= :from".to_owned()),
            (None, Some(_)) => Some("#sort <= :to".to_owned()),
            (None, None) => None,
        });
        if self.from.is_some() || self.to.is_some() {
            request = request.expression_attribute_names("#sort", self.sort_attribute());
        }
        if !self.only.is_empty() {
            let mut names = Vec::new();
            for (position, attribute) in self.only.iter().enumerate() {
                let name = format!("#a{position}");
                request = request.expression_attribute_names(&name, *attribute);
                names.push(name);
            }
            request = request.projection_expression(names.join(", "));
        }
        self.apply_filters_to(request.key_condition_expression(conditions.join(" AND ")))
    }

    fn apply_filters_to(&self, mut request: QueryFluentBuilder) -> QueryFluentBuilder {
        let mut conditions = Vec::new();
        for (number, filter) in self.filters.iter().enumerate() {
            let mut names = Vec::new();
            for (position, value) in filter.values().into_iter().enumerate() {
                let name = format!(":f{number}_{position}");
                request = request.expression_attribute_values(&name, value);
                names.push(name);
            }
            let name = format!("#f{number}");
            let mut condition = filter.expression(&name, &names);
            request = request.expression_attribute_names(name, filter.attribute);
            if let Some(other) = filter.or_exists {
                condition = format!("({condition} OR attribute_exists(#o{number}))");
                request = request.expression_attribute_names(format!("#o{number}"), other);
            }
            conditions.push(condition);
        }
        if conditions.is_empty() {
            return request;
        }
        request.filter_expression(conditions.join(" AND "))
    }
}
