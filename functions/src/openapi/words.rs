//! Schemas in the form that client generators need.
//!
//! A generator creates a named type for each named schema, and an enumeration if the words are in
//! `enum`. From `oneOf` with `const`, and from an `enum` that contains `null`, it creates a union
//! of unnamed types.

use schemars::{Schema, json_schema};
use serde_json::{Value, json};

/// Declares a named schema for a text that is one of some words. The type has no values; a
/// field refers to it by `#[schemars(with = "Option<…>")]`.
macro_rules! words {
    ($visibility:vis $type:ident, $name:literal, $about:literal, $words:expr) => {
        #[doc = concat!("The schema `", $name, "`.")]
        $visibility enum $type {}

        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "string",
                    "description": $about,
                    "enum": $words,
                })
            }
        }
    };
}

pub(crate) use words;

/// Replaces an enumeration in a request body, whose schemas are inlined, by a reference to the
/// named schema: its title.
pub(super) fn refer_to_words(schema: &mut Schema) {
    let text = |name: &str| Some(schema.get(name)?.as_str()?.to_owned());
    let (Some(title), Some(Value::Array(words))) = (text("title"), schema.get("enum")) else {
        return;
    };
    let reference = json!({"$ref": format!("#/components/schemas/{title}")});
    let referring = match words.contains(&Value::Null) {
        true => json_schema!({"anyOf": [reference, {"type": "null"}]}),
        false => json_schema!({"allOf": [reference]}),
    };
    let description = text("description");
    *schema = referring;
    if let Some(description) = description {
        schema.insert("description".to_owned(), json!(description));
    }
}

/// Turns a `oneOf` whose alternatives are constants into an `enum`. `schemars` writes this
/// `oneOf` for an enumeration whose words have descriptions. They become part of the
/// enumeration's own description.
pub(super) fn list_constants(schema: &mut Schema) {
    let Some(Value::Array(alternatives)) = schema.get("oneOf") else {
        return;
    };
    let word = |alternative: &Value| alternative.get("const").cloned();
    let Some(words) = alternatives.iter().map(word).collect::<Option<Vec<_>>>() else {
        return;
    };
    let about = |alternative: &Value| {
        let about = alternative["description"].as_str()?;
        Some(format!("\n- `{}`: {about}", alternative["const"].as_str()?))
    };
    let about: String = alternatives.iter().filter_map(about).collect();
    let own = schema.get("description").and_then(Value::as_str);
    let description = format!("{}\n{about}", own.unwrap_or_default());
    let description = description.trim().to_owned();
    schema.remove("oneOf");
    schema.insert("type".to_owned(), json!("string"));
    schema.insert("enum".to_owned(), json!(words));
    if !description.is_empty() {
        schema.insert("description".to_owned(), json!(description));
    }
}
