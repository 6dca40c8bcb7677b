//! Checks that no page token leads outside its query.
//!
//! The first four lines of the input are the team, the flow and the two bounds of the range.
//! The next three lines are the key of an item. The rest is a token, or the key inside a token.
#![no_main]

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use libfuzzer_sys::fuzz_target;
use shared::attributes::text;
use shared::cursor::{self, StartKey};
use shared::model::Item;
use shared::store::Range;
use shared::table::BY_FLOW;

/// The parameters of a range. The fields of `Range` itself are private.
struct Query<'i> {
    team: &'i str,
    flow: &'i str,
    from: &'i str,
    to: &'i str,
}

impl Query<'_> {
    fn range(&self) -> Range {
        let bound = |bound: &str| (!bound.is_empty()).then(|| bound.to_owned());
        let all = Range::index(&BY_FLOW, [self.team.to_owned(), self.flow.to_owned()]);
        all.between(bound(self.from), bound(self.to))
    }

    /// Reports whether a key is in the range.
    fn contains(&self, key: &BTreeMap<&str, &str>) -> bool {
        let names: Vec<_> = key.keys().copied().collect();
        names == ["createdAt", "flowId", "pk", "sk", "teamId"]
            && key.values().all(|value| !value.is_empty())
            && key["teamId"] == self.team
            && key["flowId"] == self.flow
            && self.from <= key["createdAt"]
            && (self.to.is_empty() || key["createdAt"] <= self.to)
    }
}

fn texts(key: &StartKey) -> BTreeMap<&str, &str> {
    let texts = key.iter().map(|(name, value)| {
        let value = value.as_s().expect("a key is made of texts");
        (name.as_str(), value.as_str())
    });
    texts.collect()
}

fuzz_target!(|input: &str| {
    let mut lines = input.splitn(8, '\n');
    let mut line = || lines.next().unwrap_or_default();
    let query = Query {
        team: line(),
        flow: line(),
        from: line(),
        to: line(),
    };
    let range = query.range();
    let key = [
        ("teamId", query.team),
        ("flowId", query.flow),
        ("pk", line()),
        ("sk", line()),
        ("createdAt", line()),
    ];
    let sent = line();

    // A fingerprint cannot be guessed, so the raw input is never a valid token.
    assert!(cursor::read(&range, sent).is_err(), "{sent}");

    let item: Item = key
        .map(|(name, value)| (name.to_owned(), text(value)))
        .into();
    let token = cursor::mint(&range, &item).expect("the item has all keys");
    let expected: BTreeMap<_, _> = key.into_iter().collect();
    match cursor::read(&range, &token) {
        Ok(read) => {
            assert!(
                query.contains(&expected),
                "outside of the query: {expected:?}"
            );
            assert_eq!(texts(&read), expected);
        }
        Err(_) => assert!(!query.contains(&expected) || token.len() > cursor::MAX_TOKEN_LENGTH),
    }

    let other = format!("{}x", query.team);
    let elsewhere = Query {
        team: &other,
        ..query
    };
    assert!(cursor::read(&elsewhere.range(), &token).is_err());

    // A token with a valid fingerprint and a forged key must stay inside the query.
    let json = BASE64.decode(&token).expect("base64url");
    let mut forged: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
    let Ok(key) = serde_json::from_str(sent) else {
        return;
    };
    forged["k"] = key;
    if let Ok(read) = cursor::read(&range, &BASE64.encode(forged.to_string())) {
        let read = texts(&read);
        assert!(query.contains(&read), "outside of the query: {read:?}");
    }
});
