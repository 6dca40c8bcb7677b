//! One ordered range of the table or of an index, and what filters it.

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;

use crate::keys;
use crate::model::ExecutionId;
use crate::table::{CREATED_AT, Index, PARTITION_KEY, SORT_KEY, text};

/// A condition on one attribute that no key answers: DynamoDB reads the item,
/// and drops it.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    attribute: &'static str,
    any_of: Vec<AttributeValue>,
}

impl Filter {
    /// The attribute is one of these values, of which there is at least one.
    pub fn any_of(attribute: &'static str, values: Vec<AttributeValue>) -> Self {
        Self {
            attribute,
            any_of: values,
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
    filters: Vec<Filter>,
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
            filters: Vec::new(),
        }
    }

    /// The records of one run from one sort key to another, both inclusive, in
    /// their order.
    pub fn of_execution(execution_id: &ExecutionId, from: &str, to: Option<&str>) -> Self {
        Self::of_partition(keys::execution_partition(execution_id), from, to)
    }

    /// The records of one run whose sort keys begin with `prefix`.
    pub fn with_prefix(execution_id: &ExecutionId, prefix: &str) -> Self {
        let to = format!("{prefix}{}", keys::LAST);
        Self::of_execution(execution_id, prefix, Some(&to))
    }

    /// The items of any partition of the table from one sort key to another,
    /// both inclusive, in their order.
    pub fn of_partition(pk: String, from: &str, to: Option<&str>) -> Self {
        Self {
            index: None,
            partition: vec![(PARTITION_KEY, pk)],
            from: Some(from.to_owned()),
            to: to.map(str::to_owned),
            newest_first: false,
            filters: Vec::new(),
        }
    }

    /// The same range, less what the filter drops.
    pub fn filtered(mut self, filter: Filter) -> Self {
        self.filters.push(filter);
        self
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
            for value in &filter.any_of {
                part(format!("{value:?}").as_bytes());
            }
        }
    }

    /// Writes the range into a request.
    pub(crate) fn apply_to(&self, request: QueryFluentBuilder) -> QueryFluentBuilder {
        let mut conditions = Vec::new();
        let mut request = request
            .set_index_name(self.index.map(|index| index.name.to_owned()))
            .scan_index_forward(!self.newest_first);
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
        self.apply_filters_to(request.key_condition_expression(conditions.join(" AND ")))
    }

    fn apply_filters_to(&self, mut request: QueryFluentBuilder) -> QueryFluentBuilder {
        let mut conditions = Vec::new();
        for (number, filter) in self.filters.iter().enumerate() {
            let mut names = Vec::new();
            for (position, value) in filter.any_of.iter().enumerate() {
                let name = format!(":f{number}_{position}");
                request = request.expression_attribute_values(&name, value.clone());
                names.push(name);
            }
            request = request.expression_attribute_names(format!("#f{number}"), filter.attribute);
            conditions.push(format!("#f{number} IN ({})", names.join(", ")));
        }
        if conditions.is_empty() {
            return request;
        }
        request.filter_expression(conditions.join(" AND "))
    }
}
