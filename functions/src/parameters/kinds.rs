//! The kinds of parameters. Unless its comment says otherwise, a constructor declares a query
//! parameter that is `None` if it is absent.

use std::borrow::Cow;
use std::fmt::Display;
use std::str::FromStr;

use lambda_http::{Request, RequestExt};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use shared::auth::{Caller, Permission};
use shared::label::{Label, MAX_LABEL_LENGTH};
use shared::model::{
    ExecutionId, ExecutionType, ID_PATTERN, InvalidId, MAX_ID_LENGTH, NO_CONTROL_PATTERN, PageSize,
};

use super::{Parameter, invalid};
use crate::openapi::parameter::{Location, ParameterDescription};
use crate::problem::Problem;

/// The largest number of [`whole_number`]: larger than the number of items in any table, and
/// small enough that its product with a page size does not overflow.
const MAX_WHOLE_NUMBER: u64 = 1_000_000_000_000;

/// Declares a query parameter. If a text is not valid, `parse` returns the valid values as a
/// sentence.
pub(super) fn query<T: 'static>(
    name: &'static str,
    schema: Value,
    parse: impl Fn(&str) -> Result<T, String> + Send + Sync + 'static,
) -> Parameter<Option<T>> {
    let description = ParameterDescription::new(name, Location::Query, schema);
    Parameter::new(description, move |request| {
        let value = query_text(request, name)?.map(&parse).transpose();
        value.map_err(|reason| invalid(name, reason))
    })
}

/// Returns the text of a query parameter, which may be empty.
///
/// # Errors
/// [`Problem::InvalidParameter`] if it is sent more than once.
pub(super) fn query_text<'a>(
    request: &'a Request,
    name: &'static str,
) -> Result<Option<&'a str>, Problem> {
    let values = request
        .query_string_parameters_ref()
        .and_then(|query| query.all(name))
        .unwrap_or_default();
    match values[..] {
        [] => Ok(None),
        [value] => Ok(Some(value)),
        _ => Err(invalid(name, "Send it only once.")),
    }
}

/// Declares a part of the path. If a text is not valid, `parse` returns the valid values as a
/// sentence.
pub(crate) fn path<T: 'static>(
    name: &'static str,
    pattern: &str,
    parse: fn(&str) -> Result<T, String>,
) -> Parameter<T> {
    Parameter::new(path_description(name, pattern), move |request| {
        parse(&path_text(request, name)).map_err(|reason| invalid(name, reason))
    })
}

fn path_description(name: &'static str, pattern: &str) -> ParameterDescription {
    let schema = json!({"type": "string", "pattern": pattern});
    ParameterDescription::new(name, Location::Path, schema)
}

fn path_text<'a>(request: &'a Request, name: &str) -> Cow<'a, str> {
    let parameters = request.path_parameters_ref();
    let value = parameters.and_then(|parameters| parameters.first(name));
    // Only some gateways decode a path. No id has a percent sign, so decoding it twice has no
    // effect.
    percent_decode_str(value.unwrap_or_default()).decode_utf8_lossy()
}

/// Declares an id in the path.
pub(crate) fn path_id<T: FromStr<Err = InvalidId> + 'static>(name: &'static str) -> Parameter<T> {
    path(name, ID_PATTERN, parse_id)
}

/// Declares an id in the path. A blank id is reported by the problem `missing`.
pub(crate) fn path_id_or<T: FromStr<Err = InvalidId> + 'static>(
    name: &'static str,
    missing: fn() -> Problem,
) -> Parameter<T> {
    Parameter::new(
        path_description(name, ID_PATTERN),
        move |request| match path_text(request, name).trim() {
            "" => Err(missing()),
            value => parse_id(value).map_err(|reason| invalid(name, reason)),
        },
    )
}

/// Declares the id of an execution in the path.
pub(crate) fn execution_id(name: &'static str) -> Parameter<ExecutionId> {
    path_id(name)
        .about("The id of the execution.")
        .example("exec-123")
}

/// Declares an id.
pub(crate) fn id<T: FromStr<Err = InvalidId> + 'static>(
    name: &'static str,
) -> Parameter<Option<T>> {
    let schema = json!({"type": "string", "pattern": ID_PATTERN});
    query(name, schema, parse_id)
}

fn parse_id<T: FromStr<Err = InvalidId>>(value: &str) -> Result<T, String> {
    value
        .parse()
        .map_err(|error: InvalidId| error.to_sentence())
}

/// Declares a text of 1 to [`MAX_ID_LENGTH`] characters without control characters.
pub(crate) fn short_text(name: &'static str) -> Parameter<Option<String>> {
    let schema = json!({
        "type": "string",
        "minLength": 1,
        "maxLength": MAX_ID_LENGTH,
        "pattern": NO_CONTROL_PATTERN,
    });
    query(name, schema, |value| {
        let is_short = (1..=MAX_ID_LENGTH).contains(&value.chars().count());
        match is_short && !value.chars().any(char::is_control) {
            true => Ok(value.to_owned()),
            false => Err(format!(
                "Use 1 to {MAX_ID_LENGTH} characters, without control characters."
            )),
        }
    })
}

/// Declares a parameter with a set of words. Each word has a meaning.
pub(crate) fn one_of<T: Copy + Send + Sync + 'static, const N: usize>(
    name: &'static str,
    words: [(&'static str, T); N],
) -> Parameter<Option<T>> {
    word(
        name,
        json!({"type": "string", "enum": names(&words)}),
        words,
    )
}

fn word<T: Copy + Send + Sync + 'static, const N: usize>(
    name: &'static str,
    schema: Value,
    words: [(&'static str, T); N],
) -> Parameter<Option<T>> {
    query(name, schema, move |value| {
        meaning(&words, value).ok_or_else(|| format!("Use one of: {}.", names(&words).join(", ")))
    })
}

fn names<T: Copy>(words: &[(&'static str, T)]) -> Vec<&'static str> {
    words.iter().map(|(word, _)| *word).collect()
}

fn meaning<T: Copy>(words: &[(&'static str, T)], value: &str) -> Option<T> {
    let found = words.iter().find(|(word, _)| *word == value);
    found.map(|(_, meaning)| *meaning)
}

/// Declares a parameter with one or more words of a set, separated by commas. A repeated word
/// counts once.
pub(crate) fn some_of<T: Copy + PartialEq + Send + Sync + 'static, const N: usize>(
    name: &'static str,
    words: [(&'static str, T); N],
) -> Parameter<Option<Vec<T>>> {
    let item = json!({"type": "string", "enum": names(&words)});
    let schema = json!({"type": "array", "items": item, "minItems": 1});
    let parse = move |value: &str| {
        let mut meanings = Vec::new();
        for given in value.split(',') {
            let meaning = meaning(&words, given).ok_or_else(|| {
                let names = names(&words).join(", ");
                format!("Use one or more of these, separated by commas: {names}.")
            })?;
            if !meanings.contains(&meaning) {
                meanings.push(meaning);
            }
        }
        Ok(meanings)
    };
    query(name, schema, parse).with_commas()
}

/// Declares a parameter that is `true` or `false`, with a default.
pub(crate) fn flag(name: &'static str, default: bool) -> Parameter<bool> {
    let words = [("true", true), ("false", false)];
    word(name, json!({"type": "boolean"}), words).or(default, default)
}

/// Declares the size of a page.
pub(crate) fn page_size(name: &'static str) -> Parameter<Option<PageSize>> {
    let (min, max) = (PageSize::MIN, PageSize::MAX);
    query(name, number_schema(min, max), move |value| {
        value.parse().map_err(|()| outside(min, max))
    })
}

/// Declares a whole number from 0 to [`MAX_WHOLE_NUMBER`], such as the number of a page. It is 0 if
/// it is absent.
pub(crate) fn whole_number(name: &'static str) -> Parameter<u64> {
    number(name, 0, MAX_WHOLE_NUMBER).or(0, 0)
}

/// Declares a whole number within limits.
pub(crate) fn number<T>(name: &'static str, min: T, max: T) -> Parameter<Option<T>>
where
    T: FromStr + PartialOrd + Display + Into<Value> + Copy + Send + Sync + 'static,
{
    query(name, number_schema(min, max), move |value| {
        // Digits only: Rust would parse "+1".
        let is_digits = value.bytes().all(|byte| byte.is_ascii_digit());
        let number: Option<T> = value.parse().ok().filter(|_| is_digits);
        number
            .filter(|number| (min..=max).contains(number))
            .ok_or_else(|| outside(min, max))
    })
}

fn number_schema(min: impl Into<Value>, max: impl Into<Value>) -> Value {
    let (min, max): (Value, Value) = (min.into(), max.into());
    json!({"type": "integer", "minimum": min, "maximum": max})
}

fn outside(min: impl Display, max: impl Display) -> String {
    format!("Use a whole number from {min} to {max}.")
}

/// Declares `executionType`.
pub(crate) fn execution_type() -> Parameter<Option<ExecutionType>> {
    one_of(
        "executionType",
        ExecutionType::ALL.map(|kind| (kind.as_str(), kind)),
    )
    .about(
        "Returns only executions that were started on their own (`PARENT`), or by another \
         execution (`SUBFLOW`).",
    )
}

/// Declares `label`, such as `label=orderId=42`.
pub(crate) fn label() -> Parameter<Option<Label>> {
    let schema = json!({"type": "string", "pattern": r"^[^=]+=[\s\S]+$"});
    let parse = |value: &str| {
        value.parse().map_err(|_| {
            format!(
                "Use the label's name, \"=\" and its value, such as orderId=42, with at most \
                 {MAX_LABEL_LENGTH} bytes together."
            )
        })
    };
    query("label", schema, parse)
        .about(format!(
            "Returns only executions with this label: its name, `=` and its value, with at most \
             {MAX_LABEL_LENGTH} bytes together."
        ))
        .example("orderId=42")
}

/// Declares `nextToken`. The operation checks it.
pub(crate) fn next_token() -> Parameter<Option<String>> {
    let schema = json!({"type": "string", "contentEncoding": "base64url"});
    query("nextToken", schema, |value| Ok(value.to_owned()))
        .about("The `nextToken` of the previous page. Leave it out for the first page.")
}

/// Declares `reveal`: whether a caller with the permission sees secrets. [`viewer`] applies it.
pub(crate) fn reveal() -> Parameter<bool> {
    flag("reveal", true).about(
        "`false` masks secrets even if the caller has `EXECUTIONS_REVEAL`, and causes no audit \
         event.",
    )
}

/// The caller to whom payloads are shown. If `reveal` is `false`, it is a caller without the
/// permission to see secrets, so nothing is revealed and nothing is audited.
pub(crate) fn viewer(caller: &Caller, reveal: bool) -> Cow<'_, Caller> {
    match reveal {
        true => Cow::Borrowed(caller),
        false => Cow::Owned(caller.without(Permission::ExecutionsReveal)),
    }
}
