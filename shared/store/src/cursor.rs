//! Page tokens.
//!
//! A token is the base64url of a small JSON object with three members: `v`, the version; `q`, a
//! fingerprint of the query (range, filters, order); `k`, the DynamoDB `LastEvaluatedKey` of the
//! last item *returned*, not of the last one read, so that no item is skipped or repeated.
//!
//! A token grants no rights. It is refused unless its key is within the query that the caller is
//! allowed to make anyway, so a forged token gives access to nothing else.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use format::attributes::text;
use format::model::Item;
use format::{Error, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::Range;

const VERSION: u32 = 1;

/// The longest accepted token, in characters. A key of the record format makes a token of at most
/// about 2,400 characters, and API Gateway refuses a URL of more than 8 KB.
pub const MAX_TOKEN_LENGTH: usize = 6_000;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Token {
    #[serde(rename = "v")]
    version: u32,
    #[serde(rename = "q")]
    query: String,
    #[serde(rename = "k")]
    key: BTreeMap<String, String>,
}

/// The key attributes of an item, in the form of `ExclusiveStartKey`.
pub type StartKey = HashMap<String, AttributeValue>;

/// Creates the token with which `range` continues after `item`.
///
/// # Errors
/// Returns [`Error::Internal`] if the item lacks a key attribute, which every item of the range
/// has.
pub fn mint(range: &Range, item: &Item) -> Result<String> {
    let key = range
        .key_attributes()
        .map(|name| {
            let value = item.get(name).and_then(|value| value.as_s().ok());
            let value = value.ok_or_else(|| Error::internal(format!("an item has no {name}")))?;
            Ok((name.to_owned(), value.clone()))
        })
        .collect::<Result<_>>()?;
    let token = Token {
        version: VERSION,
        query: fingerprint(range),
        key,
    };
    let json = serde_json::to_vec(&token).map_err(Error::internal)?;
    Ok(BASE64.encode(json))
}

/// Decodes a token that [`mint`] created for the same range.
///
/// # Errors
/// Returns [`Error::InvalidNextToken`] if the token is malformed, is too long, has an unknown
/// version or belongs to another query.
pub fn read(range: &Range, token: &str) -> Result<StartKey> {
    if token.len() > MAX_TOKEN_LENGTH {
        return Err(Error::InvalidNextToken("The token is too long."));
    }
    let token = BASE64
        .decode(token.trim_end_matches('='))
        .ok()
        .and_then(|json| serde_json::from_slice::<Token>(&json).ok())
        .ok_or(Error::InvalidNextToken("The token is malformed."))?;
    if token.version != VERSION {
        return Err(Error::InvalidNextToken("The token has an unknown version."));
    }
    if token.query != fingerprint(range) || !is_within(range, &token.key) {
        return Err(Error::InvalidNextToken(
            "The token belongs to another query.",
        ));
    }
    Ok(token
        .key
        .into_iter()
        .map(|(name, value)| (name, text(value)))
        .collect())
}

/// Returns whether `key` has exactly the attributes of the range's key, none of them empty, in the
/// range's partition and between its bounds.
fn is_within(range: &Range, key: &BTreeMap<String, String>) -> bool {
    let names_match = range.key_attributes().count() == key.len()
        && range
            .key_attributes()
            .all(|name| key.get(name).is_some_and(|value| !value.is_empty()));
    let partition_matches = range
        .partition()
        .all(|(name, value)| key.get(name).is_some_and(|given| given == value));
    let sort = key.get(range.sort_attribute()).map(String::as_str);
    names_match && partition_matches && sort.is_some_and(|sort| range.contains(sort))
}

/// A short text that is different for each query.
fn fingerprint(range: &Range) -> String {
    let mut hash = Sha256::new();
    range.describe(&mut |part| {
        // The length prefix makes sequences of parts unambiguous.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    });
    BASE64.encode(&hash.finalize()[..12])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Filter;
    use crate::table::{BY_FLOW, BY_FLOW_STATUS};

    fn of_flow(team: &str, flow: &str) -> Range {
        Range::index(&BY_FLOW, [team.to_owned(), flow.to_owned()])
    }

    fn item() -> Item {
        [
            ("pk", "EXEC#run-1"),
            ("sk", "EXECUTION"),
            ("teamId", "team-a"),
            ("flowId", "flow-1"),
            ("createdAt", "2026-02-17T10:30:00.000Z"),
            ("status", "FAILED"),
            ("errorMessage", "not in the token"),
        ]
        .map(|(name, value)| (name.to_owned(), text(value)))
        .into()
    }

    fn token() -> String {
        mint(&of_flow("team-a", "flow-1"), &item()).expect("a token")
    }

    fn refusal(range: &Range, token: &str) -> &'static str {
        match read(range, token) {
            Err(Error::InvalidNextToken(reason)) => reason,
            other => panic!("expected a refusal, got {other:?}"),
        }
    }

    fn forge(change: impl FnOnce(&mut serde_json::Value)) -> String {
        let json = BASE64.decode(token()).expect("base64url");
        let mut value = serde_json::from_slice(&json).expect("JSON");
        change(&mut value);
        BASE64.encode(value.to_string())
    }

    #[test]
    fn a_token_has_only_the_key_of_the_last_item() {
        let key = read(&of_flow("team-a", "flow-1"), &token()).expect("accepted");
        let mut names: Vec<_> = key.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["createdAt", "flowId", "pk", "sk", "teamId"]);
        assert!(token().starts_with("ey"), "the base64 of a JSON object");
    }

    #[test]
    fn a_token_is_refused_by_every_other_query() {
        let other = "The token belongs to another query.";
        assert_eq!(refusal(&of_flow("team-b", "flow-1"), &token()), other);
        assert_eq!(refusal(&of_flow("team-a", "flow-2"), &token()), other);
        let by_status = ["team-a", "flow-1", "FAILED"].map(str::to_owned);
        assert_eq!(
            refusal(&Range::index(&BY_FLOW_STATUS, by_status), &token()),
            other
        );
        let filter = Filter::any_of("flowVersion", vec![text("3")]);
        assert_eq!(
            refusal(&of_flow("team-a", "flow-1").filtered(filter), &token()),
            other
        );
    }

    #[test]
    fn a_token_with_a_remark_is_read_only_with_the_remark() {
        let range = || of_flow("team-a", "flow-1");
        let noted = mint(&range().noted("x"), &item()).expect("a token");
        assert!(read(&range().noted("x"), &noted).is_ok());
        let other = "The token belongs to another query.";
        assert_eq!(refusal(&range(), &noted), other);
        assert_eq!(refusal(&range().noted("y"), &noted), other);
        assert_eq!(refusal(&range().noted("x"), &token()), other);
    }

    #[test]
    fn a_forged_key_with_the_right_fingerprint_is_refused() {
        let range = of_flow("team-a", "flow-1");
        let other = "The token belongs to another query.";
        assert!(read(&range, &forge(|_| ())).is_ok());
        let forgeries = [
            forge(|token| token["k"]["teamId"] = "team-b".into()),
            forge(|token| token["k"]["flowId"] = "flow-2".into()),
            forge(|token| token["k"]["createdAt"] = "".into()),
            forge(|token| token["k"]["extra"] = "x".into()),
            forge(|token| {
                token["k"].as_object_mut().expect("an object").remove("sk");
            }),
        ];
        for forgery in forgeries {
            assert_eq!(refusal(&range, &forgery), other);
        }
        let version = forge(|token| token["v"] = 2.into());
        assert_eq!(
            refusal(&range, &version),
            "The token has an unknown version."
        );
        let shape = forge(|token| token["k"]["pk"] = 7.into());
        assert_eq!(refusal(&range, &shape), "The token is malformed.");
        let long = "e".repeat(MAX_TOKEN_LENGTH + 1);
        assert_eq!(refusal(&range, &long), "The token is too long.");
    }

    proptest! {
        #[test]
        fn a_random_text_is_refused_without_a_panic(token in ".{0,200}") {
            prop_assert!(read(&of_flow("team-a", "flow-1"), &token).is_err());
        }

        #[test]
        fn a_changed_token_never_leaves_its_partition(
            position in 0_usize..200, replacement in "[A-Za-z0-9_-]",
        ) {
            let mut changed = token();
            let position = position % changed.len();
            changed.replace_range(position..=position, &replacement);
            if let Ok(key) = read(&of_flow("team-a", "flow-1"), &changed) {
                prop_assert_eq!(key.get("teamId"), Some(&text("team-a")));
                prop_assert_eq!(key.get("flowId"), Some(&text("flow-1")));
            }
        }
    }
}
