//! The keys of names and values, and the words of reports.

use crate::lists::{Edges, WordSet};

/// Keys of the sibling that holds the value.
#[rustfmt::skip]
pub(super) static VALUE_KEYS: WordSet = WordSet::new(&[
    "value", "val", "v", "data", "content", "default", "defaultvalue", "default_value", "currentvalue", "current_value", "stringvalue", "string_value", "plaintext", "plain", "secretstring", "secretvalue",
    "values", "vals", "rejected",
    "parametervalue", "settingvalue", "optionvalue", "propertyvalue", "answer", "input", "input_value", "received", "rejectedvalue", "rejected_value", "actual", "given", "got", "invalidvalue", "invalid_value", "attemptedvalue", "newvalue", "new_value", "oldvalue", "old_value", "new", "old", "before", "after", "to", "from", "text", "string", "field_value", "env_value", "variable_value", "header_value", "actual_value", "initialvalue", "secret", "valuestring", "body", "payload", "str", "provided",
]);

/// Keys whose value is a name.
#[rustfmt::skip]
pub(super) static NAME_KEYS: WordSet = WordSet::new(&[
    "name", "key", "k", "id", "field", "variable", "var", "param", "parameter", "header", "label", "option", "env", "attribute", "property", "prop", "n", "parameterkey", "parametername", "settingname",
    "path", "column", "type", "loc", "title", "fieldname", "field_name", "property_name", "propertyname", "propertypath", "varname", "keyname", "setting", "item", "attr", "argument", "arg", "question", "element", "config", "config_key", "env_name", "identifier", "placeholder", "autocomplete", "for", "kind", "code", "parametersname", "varkey", "optionname", "target",
]);

/// Words directly before a name in quotes: `variable "db_password" {`.
#[rustfmt::skip]
pub(super) const BLOCKS: &[&str] = &[
    "variable", "output", "secret", "parameter", "field", "argument", "option", "property",
];

/// Words before the name of a field in a report.
#[rustfmt::skip]
pub(super) static FIELDS: Edges = Edges::new(&[
    "field", "option", "path", "argument", "parameter", "property", "key", "Key", "column", "attribute", "setting", "Path", "Found key", "variable", "for", "validation",
]);

/// Words before the value in a report about a field.
#[rustfmt::skip]
pub(super) const REPORTED: &[&str] = &[
    "input_value", "rejected value", "Duplicate entry", "int value", "value", "found", "given", "got", "received", "\"data\"", "\"input\"", "\"value\"", "actual", "input", "but was", "convert the", "convert value",
];
