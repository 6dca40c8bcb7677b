//! Converts items of the engine from and to items of the SDK and JSON, without the text of
//! a request.

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue as Attribute;
use dynoxide::{AttributeValue, Item};
use serde_json::Value;
use shared::model::Item as Record;

/// Converts a JSON object to an item. `None` for any other value.
pub(super) fn from_json(value: Value) -> Option<Item> {
    let Value::Object(members) = value else {
        return None;
    };
    let members = members.into_iter();
    let attributes = members.map(|(name, value)| (name, to_attribute(value)));
    Some(attributes.collect())
}

fn to_attribute(value: Value) -> AttributeValue {
    match value {
        Value::Null => AttributeValue::NULL(true),
        Value::Bool(truth) => AttributeValue::BOOL(truth),
        Value::Number(number) => AttributeValue::N(number.to_string()),
        Value::String(text) => AttributeValue::S(text),
        Value::Array(elements) => {
            AttributeValue::L(elements.into_iter().map(to_attribute).collect())
        }
        Value::Object(members) => {
            let members = members.into_iter();
            AttributeValue::M(
                members
                    .map(|(name, value)| (name, to_attribute(value)))
                    .collect(),
            )
        }
    }
}

/// Converts a record to an item of the engine.
pub(super) fn from_record(record: Record) -> Item {
    let attributes = record.into_iter();
    attributes
        .map(|(name, value)| (name, from_sdk(value)))
        .collect()
}

fn from_sdk(value: Attribute) -> AttributeValue {
    match value {
        Attribute::S(text) => AttributeValue::S(text),
        Attribute::N(digits) => AttributeValue::N(digits),
        Attribute::Bool(truth) => AttributeValue::BOOL(truth),
        Attribute::B(bytes) => AttributeValue::B(bytes.into_inner()),
        Attribute::L(values) => AttributeValue::L(values.into_iter().map(from_sdk).collect()),
        Attribute::M(members) => AttributeValue::M(from_record(members)),
        Attribute::Ss(texts) => AttributeValue::SS(texts),
        Attribute::Ns(digits) => AttributeValue::NS(digits),
        Attribute::Bs(bytes) => {
            AttributeValue::BS(bytes.into_iter().map(Blob::into_inner).collect())
        }
        // The SDK has no other kind of value.
        _ => AttributeValue::NULL(true),
    }
}

/// Converts an item of the engine to a record.
pub(super) fn to_record(item: Item) -> Record {
    let attributes = item.into_iter();
    attributes
        .map(|(name, value)| (name, to_sdk(value)))
        .collect()
}

fn to_sdk(value: AttributeValue) -> Attribute {
    match value {
        AttributeValue::S(text) => Attribute::S(text),
        AttributeValue::N(digits) => Attribute::N(digits),
        AttributeValue::BOOL(truth) => Attribute::Bool(truth),
        AttributeValue::NULL(is_null) => Attribute::Null(is_null),
        AttributeValue::B(bytes) => Attribute::B(Blob::new(bytes)),
        AttributeValue::L(values) => Attribute::L(values.into_iter().map(to_sdk).collect()),
        AttributeValue::M(members) => Attribute::M(to_record(members)),
        AttributeValue::SS(texts) => Attribute::Ss(texts),
        AttributeValue::NS(digits) => Attribute::Ns(digits),
        AttributeValue::BS(bytes) => Attribute::Bs(bytes.into_iter().map(Blob::new).collect()),
    }
}
