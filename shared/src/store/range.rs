//! One ordered range of the table or of an index, and what filters it.

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;

use crate::keys;
use crate::model::ExecutionId;
use crate::table::{CREATED_AT, Index, PARTITION_KEY, SORT_KEY, TIME_TO_LIVE, text};

/// A condition on one attribute that no key answers: DynamoDB reads the item,
/// and drops it.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    attribute: &'static str,
    test: Test,
}

#[derive(Debug, Clone, PartialEq)]
enum Test {
    AnyOf(Vec<AttributeValue>),
    Not(AttributeValue),
    BeginsWith(&'static str),
}

impl Filter {
    /// The attribute is one of these values, of which there is at least one.
    pub fn any_of(attribute: &'static str, values: Vec<AttributeValue>) -> Self {
        Self {
            attribute,
            test: Test::AnyOf(values),
        }
    }

    /// The attribute is another value than this, or is not there.
    pub fn not(attribute: &'static str, value: AttributeValue) -> Self {
        Self {
            attribute,
            test: Test::Not(value),
        }
    }

    /// The attribute is a text that begins with this.
    pub fn begins_with(attribute: &'static str, prefix: &'static str) -> Self {
        Self {
            attribute,
            test: Test::BeginsWith(prefix),
        }
    }

    /// The values that the condition names.
    fn values(&self) -> Vec<AttributeValue> {
        match &self.test {
            Test::AnyOf(values) => values.clone(),
            Test::Not(value) => vec![value.clone()],
            Test::BeginsWith(prefix) => vec![text(*prefix)],
        }
    }

    /// The condition, over the names of its attribute and of its values.
    fn expression(&self, name: &str, values: &[String]) -> String {
        let values = values.join(", ");
        match &self.test {
            Test::AnyOf(_) => format!("{name} IN ({values})"),
            // Holds as well where the attribute is not there.
            Test::Not(_) => format!("NOT {name} = {values}"),
            Test::BeginsWith(_) => format!("begins_with({name}, {values})"),
        }
    }
}

/// A contiguous range of items under one partition key, in one order. It is
/// what a Query reads, and what a page token belongs to.
#[derive(Debug, Clone, PartialEq)]
pub struct Range {
    index: Option<&'static Index>,
    partition: Vec<(&'static str, String)>,
    from: Option<String>,
    to: Option<String>,
    newest_first: bool,
    /// Whether what was written a moment ago is certain to be there, at twice the
    /// price.
    consistent: bool,
    filters: Vec<Filter>,
    /// The only attributes that are fetched; all where it is empty.
    only: &'static [&'static str],
}

impl Range {
    /// All of one partition of an index, newest first. `values` are those of
    /// the index's partition attributes, in their order.
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
            newest_first: true,
            consistent: false,
            filters: Vec::new(),
            only: &[],
        }
    }

    /// The records of one run from one sort key to another, both inclusive, in
    /// their order.
    pub fn of_execution(execution_id: &ExecutionId, from: &str, to: Option<&str>) -> Self {
        Self::of_partition(keys::execution_partition(execution_id), from, to)
    }

    /// The records of one run whose sort keys begin with `prefix`.
    pub fn with_prefix(execution_id: &ExecutionId, prefix: &str) -> Self {
        Self::of_prefix(keys::execution_partition(execution_id), prefix)
    }

    /// The items of any partition of the table whose sort keys begin with `prefix`, be
    /// it empty, in their order.
    pub fn of_prefix(pk: String, prefix: &str) -> Self {
        let to = format!("{prefix}{}", keys::LAST);
        Self::of_partition(pk, prefix, Some(&to))
    }

    /// The items of any partition of the table from one sort key to another,
    /// both inclusive, in their order. An empty `from` is the partition's beginning.
    pub fn of_partition(pk: String, from: &str, to: Option<&str>) -> Self {
        Self {
            index: None,
            partition: vec![(PARTITION_KEY, pk)],
            // DynamoDB takes no empty key.
            from: (!from.is_empty()).then(|| from.to_owned()),
            to: to.map(str::to_owned),
            newest_first: false,
            consistent: false,
            filters: Vec::new(),
            only: &[],
        }
    }

    /// The same range, less what the filter drops.
    pub fn filtered(mut self, filter: Filter) -> Self {
        self.filters.push(filter);
        self
    }

    /// The part of the range that lies within these bounds as well, both inclusive.
    pub fn between(mut self, from: Option<String>, to: Option<String>) -> Self {
        // Of two lower bounds the higher holds, and none is below all.
        self.from = self.from.max(from);
        self.to = match (self.to, to) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        self
    }

    /// The same range, of whose items no other attributes are fetched.
    pub fn only(mut self, attributes: &'static [&'static str]) -> Self {
        self.only = attributes;
        self
    }

    /// All records of one run as they are now, and of each its keys alone: for who
    /// removes them.
    pub fn keys_of_run(pk: &str) -> Self {
        let all = Self::of_partition(pk.to_owned(), "", None);
        all.latest().only(&[PARTITION_KEY, SORT_KEY])
    }

    /// The same, and of each record when it expires as well.
    pub fn expiries_of_run(pk: &str) -> Self {
        Self::keys_of_run(pk).only(&[PARTITION_KEY, SORT_KEY, TIME_TO_LIVE])
    }

    /// The same range of the table, with what was written a moment ago, at twice the
    /// price. An index has no such reads.
    pub fn latest(mut self) -> Self {
        debug_assert!(self.index.is_none(), "an index is read as it is");
        self.consistent = true;
        self
    }

    /// The same range from its last item to its first.
    pub fn last_first(mut self) -> Self {
        self.newest_first = true;
        self
    }

    /// Whether the range is one of an index, in which items of other kinds can be.
    pub fn is_of_index(&self) -> bool {
        self.index.is_some()
    }

    /// Whether items of the range are read and dropped.
    pub fn has_filters(&self) -> bool {
        !self.filters.is_empty()
    }

    /// The attributes and values of the partition key.
    pub(crate) fn partition(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.partition
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
    }

    /// The attribute that the range is ordered by.
    pub(crate) fn sort_attribute(&self) -> &'static str {
        if self.index.is_some() {
            CREATED_AT
        } else {
            SORT_KEY
        }
    }

    /// Every attribute of a `LastEvaluatedKey`: the table's own keys and, of
    /// an index, all of its.
    pub(crate) fn key_attributes(&self) -> impl Iterator<Item = &'static str> {
        let of_index = self
            .index
            .iter()
            .flat_map(|index| index.partition.iter().copied().chain([CREATED_AT]));
        [PARTITION_KEY, SORT_KEY].into_iter().chain(of_index)
    }

    /// Whether a sort key lies between the range's bounds.
    pub(crate) fn contains(&self, sort: &str) -> bool {
        self.from.as_deref().is_none_or(|from| from <= sort)
            && self.to.as_deref().is_none_or(|to| sort <= to)
    }

    /// Hands out everything by which this range differs from another, piece by
    /// piece, always in the same order.
    pub(crate) fn describe(&self, part: &mut dyn FnMut(&[u8])) {
        part(self.index.map_or("", |index| index.name).as_bytes());
        for (name, value) in &self.partition {
            part(name.as_bytes());
            part(value.as_bytes());
        }
        for bound in [&self.from, &self.to] {
            part(bound.as_deref().unwrap_or_default().as_bytes());
        }
        part(&[u8::from(self.newest_first)]);
        for filter in &self.filters {
            part(filter.attribute.as_bytes());
            part(filter.expression("", &[]).as_bytes());
            for value in filter.values() {
                part(format!("{value:?}").as_bytes());
            }
        }
    }

    /// Writes the range into a request.
    pub(crate) fn apply_to(&self, request: QueryFluentBuilder) -> QueryFluentBuilder {
        let mut conditions = Vec::new();
        let mut request = request
            .set_index_name(self.index.map(|index| index.name.to_owned()))
            .scan_index_forward(!self.newest_first)
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
            conditions.push(filter.expression(&name, &names));
            request = request.expression_attribute_names(name, filter.attribute);
        }
        if conditions.is_empty() {
            return request;
        }
        request.filter_expression(conditions.join(" AND "))
    }
}
