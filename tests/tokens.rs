//! Tokens and roles: creation, lists, use and revocation.

use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::{Value, json};
use shared::Error;
use shared::auth::{self, Authenticator, REMEMBERED_SECONDS, Role};
use shared::hash::sha256;
use shared::model::Timestamp;

use crate::support::records::execution;
use crate::support::{Answer, TestApp, operator, token_id};

mod roles;

const TOKENS: &str = "/api/tokens";

const ROLES: &str = "/api/roles";

async fn create(app: &TestApp, token: &str, body: &Value) -> Answer {
    app.call(Method::POST, token, TOKENS, &body.to_string())
        .await
}

async fn put_roles(app: &TestApp, token: &str, roles: &Value) -> Answer {
    let body = json!({"roles": roles}).to_string();
    app.call(Method::PUT, token, ROLES, &body).await
}

/// The secret in the answer that created a token.
fn secret(answer: &Answer) -> String {
    assert_eq!(answer.status, 201, "{}", answer.body);
    let secret = answer.json()["secret"].as_str().map(str::to_owned);
    secret.expect("a secret")
}

fn principal(token: &str) -> String {
    format!("token:{}", token_id(token))
}

#[tokio::test]
async fn a_token_is_created_used_listed_and_revoked() {
    let app = TestApp::new().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    app.write([execution("run-1", json!({}))]).await;
    let end = Timestamp::from_milliseconds(Timestamp::now().milliseconds() + 3_600_000);
    let end = end.expect("a moment").to_string();
    let wanted = json!({
        "role": "operator", "name": "CI für Bestellungen", "flows": ["flow-1", "flow-2"],
        "expiresAt": end,
    });
    let answer = create(&app, &admin, &wanted).await;
    let made = secret(&answer);
    let body = answer.json();
    let id = body["token"]["id"].as_str().expect("an id");
    assert!(made.starts_with(&format!("sdk_{id}_")));
    assert_eq!(answer.headers["cache-control"], "no-store");
    let mut expected = json!({
        "id": id, "name": "CI für Bestellungen", "role": "operator",
        "flows": ["flow-1", "flow-2"], "createdAt": body["token"]["createdAt"],
        "createdBy": principal(&admin), "expiresAt": format!("{}.000Z", &end[..19]),
        "lastUsedAt": null, "revokedAt": null,
    });
    assert_eq!(body["token"], expected);

    app.get(&made, "/flow-executions/run-1").await.ok();
    let listed = app.get(&admin, TOKENS).await;
    assert!(
        !listed
            .body
            .contains(made.splitn(3, '_').nth(2).expect("a secret"))
    );
    let listed = listed.ok();
    let of_made = &listed["tokens"][0];
    assert!(
        of_made["lastUsedAt"]
            .as_str()
            .is_some_and(|time| time.ends_with('Z'))
    );
    expected["lastUsedAt"] = of_made["lastUsedAt"].clone();
    assert_eq!(*of_made, expected, "the newest is the first");
    assert_eq!(listed["tokens"][1]["id"], token_id(&admin));
    assert_eq!(listed["nextToken"], Value::Null);

    let path = format!("{TOKENS}/{id}");
    let revoked = app.delete(&admin, &path).await.ok();
    assert!(revoked["token"]["revokedAt"].is_string());
    assert_eq!(revoked["token"]["expiresAt"], Value::Null);
    assert_eq!(revoked["secret"], Value::Null);
    let again = app.delete(&admin, &path).await.ok();
    assert_eq!(again["token"]["revokedAt"], revoked["token"]["revokedAt"]);
    let refused = app.restarted().get(&made, "/flow-executions/run-1").await;
    assert_eq!(refused.problem(), (401, "UNAUTHENTICATED".to_owned()));
    let listed = app.get(&admin, TOKENS).await.ok();
    assert_eq!(
        listed["tokens"][0]["revokedAt"],
        revoked["token"]["revokedAt"]
    );
    const { assert!(REMEMBERED_SECONDS <= 60, "as docs/security.md says") };
}

#[tokio::test]
async fn invalid_tokens_are_refused_and_not_created() {
    let app = TestApp::new().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let flows: Vec<_> = (0..40).map(|number| format!("{number:0>128}")).collect();
    for (body, member) in [
        (json!({"role": "root"}), "role"),
        (json!({"role": "Admin"}), "role"),
        (json!({"role": "аdmin"}), "role"),
        (json!({"role": ""}), "role"),
        (json!({"role": "viewer", "name": ""}), "name"),
        (json!({"role": "viewer", "name": "a\nb"}), "name"),
        (json!({"role": "viewer", "name": "x".repeat(129)}), "name"),
        (json!({"role": "viewer", "flows": []}), "flows"),
        (json!({"role": "viewer", "flows": flows}), "flows"),
        (json!({"role": "viewer", "flows": ["a", "b#c"]}), "flows[1]"),
        (json!({"role": "viewer", "expiresAt": "soon"}), "expiresAt"),
        (
            json!({"role": "viewer", "expiresAt": "2020-01-01"}),
            "expiresAt",
        ),
        (
            json!({"role": "viewer", "expiresAt": "2020-01-01T00:00:00Z"}),
            "expiresAt",
        ),
        (json!({}), "body"),
        (json!({"role": 7}), "body"),
        (json!({"role": "viewer", "teamId": "team-b"}), "body"),
        (json!({"role": "viewer", "flows": "flow-1"}), "body"),
        (json!(["viewer"]), "body"),
    ] {
        let answer = create(&app, &admin, &body).await;
        assert_eq!(
            answer.problem(),
            (400, "INVALID_PARAMETER".to_owned()),
            "{body}"
        );
        assert_eq!(answer.json()["parameter"], member, "{body}");
    }
    for text in ["", "  ", "{", "null"] {
        let answer = app.call(Method::POST, &admin, TOKENS, text).await;
        assert_eq!(answer.problem().0, 400, "{text}");
    }
    let listed = app.get(&admin, TOKENS).await.ok();
    assert_eq!(listed["tokens"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn invalid_ids_are_refused_without_repeating_them() {
    let app = TestApp::new().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let other = app.token("team-b", Role::Admin, None).await;
    let unknown = "0".repeat(20);
    for (id, status, code) in [
        (admin.as_str(), 400, "INVALID_PARAMETER"),
        ("%20", 400, "INVALID_PARAMETER"),
        ("", 400, "INVALID_PARAMETER"),
        ("..%2F..", 400, "INVALID_PARAMETER"),
        (&unknown, 404, "NOT_FOUND"),
        (token_id(&other), 404, "NOT_FOUND"),
    ] {
        let answer = app.delete(&admin, &format!("{TOKENS}/{id}")).await;
        assert_eq!(answer.problem(), (status, code.to_owned()), "{id}");
        assert!(!answer.body.contains("sdk_0"), "{}", answer.body);
        let secret = admin.splitn(3, '_').nth(2).expect("a secret");
        assert!(!answer.body.contains(secret), "{}", answer.body);
    }
    app.get(&other, TOKENS).await.ok();
}

#[tokio::test]
async fn every_page_size_walks_the_tokens_of_the_team() {
    let app = TestApp::new().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let mut expected = vec![token_id(&admin).to_owned()];
    for number in 0..130 {
        if number % 10 == 0 {
            app.viewer("team-aa").await;
            app.viewer("team-b").await;
        }
        expected.push(token_id(&app.viewer("team-a").await).to_owned());
    }
    // Ids of the same millisecond are not in the order of creation.
    expected.sort();
    expected.reverse();
    for limit in [1, 7, 100, 500] {
        let (mut ids, mut next) = (Vec::new(), String::new());
        loop {
            let path = format!("{TOKENS}?limit={limit}{next}");
            let page = app.get(&admin, &path).await.ok();
            let tokens = page["tokens"].as_array().expect("tokens");
            let id = |token: &Value| token["id"].as_str().expect("an id").to_owned();
            ids.extend(tokens.iter().map(id));
            let Some(token) = page["nextToken"].as_str() else {
                break;
            };
            assert_eq!(tokens.len(), limit);
            next = format!("&nextToken={token}");
        }
        assert_eq!(ids, expected, "limit {limit}");
    }
    let page = app.get(&admin, "/api/tokens?limit=1").await.ok();
    let next = page["nextToken"].as_str().expect("a token");
    let other = app.token("team-b", Role::Admin, None).await;
    for (token, path) in [
        (&other, format!("{TOKENS}?limit=1&nextToken={next}")),
        (&admin, format!("/api/audit?limit=1&nextToken={next}")),
        (&admin, format!("{TOKENS}?nextToken=x")),
    ] {
        let answer = app.get(token, &path).await;
        assert_eq!(answer.problem(), (400, "INVALID_NEXT_TOKEN".to_owned()));
    }
}

#[tokio::test]
async fn a_token_creates_nothing_that_outlives_it() {
    let app = TestApp::new().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let hours = |hours: i64| {
        let time = Timestamp::now().milliseconds() + hours * 3_600_000;
        Timestamp::from_milliseconds(time)
            .expect("a moment")
            .to_string()
    };
    let ends = hours(2);
    let ending = json!({"role": "admin", "expiresAt": ends});
    let ending = secret(&create(&app, &admin, &ending).await);
    for (body, status) in [
        (json!({"role": "viewer"}), 403),
        (json!({"role": "viewer", "expiresAt": hours(3)}), 403),
        (json!({"role": "viewer", "expiresAt": ends}), 201),
        (json!({"role": "viewer", "expiresAt": hours(1)}), 201),
    ] {
        let answer = create(&app, &ending, &body).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.body);
    }
    // A server may still remember a revoked token. It must not write anything permanent.
    let revoked = secret(&create(&app, &admin, &json!({"role": "admin"})).await);
    app.get(&revoked, ROLES).await.ok();
    let path = format!("{TOKENS}/{}", token_id(&revoked));
    app.restarted().delete(&admin, &path).await.ok();
    app.get(&revoked, ROLES).await.ok();
    let answer = create(&app, &revoked, &json!({"role": "admin"})).await;
    assert_eq!(answer.problem(), (401, "UNAUTHENTICATED".to_owned()));
    let role = json!([{"name": "mine", "permissions": ["EXECUTIONS_DELETE"]}]);
    let answer = put_roles(&app, &revoked, &role).await;
    assert_eq!(answer.problem(), (401, "UNAUTHENTICATED".to_owned()));
    for (settings, body) in [
        ("/api/settings/masking", "{}"),
        ("/api/settings/retention", r#"{"rules": []}"#),
        ("/api/settings/stalled", r#"{"rules": []}"#),
        ("/api/settings/profiles", r#"{"profiles": []}"#),
    ] {
        let answer = app.call(Method::PUT, &revoked, settings, body).await;
        assert_eq!(answer.problem(), (401, "UNAUTHENTICATED".to_owned()));
    }
    assert_eq!(app.get(&admin, ROLES).await.ok()["roles"], json!([]));
}

#[tokio::test]
async fn an_invalid_token_costs_one_request_and_blocks_nobody() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let path = "/flow-executions?flowDefinitionId=flow-1";
    let wrong = |number: usize| format!("sdk_{}_{number:A>43}", token_id(&token));
    let unknown = format!("sdk_{}_{}", "0".repeat(20), "A".repeat(43));
    for failing in (0..50).map(wrong).chain([unknown]) {
        let before = app.requests();
        let answer = app.get(&failing, path).await;
        assert_eq!(answer.problem(), (401, "UNAUTHENTICATED".to_owned()));
        assert_eq!(app.requests() - before, 1);
    }
    app.get(&token, path).await.ok();
}

#[tokio::test]
async fn the_spelling_of_bearer_does_not_affect_the_cache() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let path = "/flow-executions?flowDefinitionId=flow-1";
    app.get(&token, path).await.ok();
    let before = app.requests();
    for spelled in ["bearer ", "BEARER    ", "bEaReR \t"] {
        let request = Request::get(path)
            .header("authorization", format!("{spelled}{token}"))
            .body(Body::empty());
        app.send(request.expect("a request")).await.ok();
    }
    // Requests of the lists themselves are counted by their own meter.
    assert_eq!(app.requests(), before);
}

#[tokio::test]
async fn the_table_never_contains_the_secret_of_a_token() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let secret = token.splitn(3, '_').nth(2).expect("a secret");
    let all = app
        .store
        .client()
        .scan()
        .table_name(app.store.table())
        .limit(1_000)
        .send()
        .await;
    let items = all.expect("a scan").items.unwrap_or_default();
    assert_eq!(
        items.len(),
        3,
        "the token, its entry in the index, and its audit event"
    );
    assert!(!format!("{items:?}").contains(secret));
    let stored = items
        .iter()
        .find_map(|item| item.get("secretHash"))
        .expect("a hash");
    assert_eq!(stored.as_b().expect("bytes").as_ref(), sha256(secret));
}

#[tokio::test]
async fn lists_contain_revoked_tokens_and_no_expired_ones() {
    let app = TestApp::new().await;
    let a = app.viewer("team-a").await;
    app.token("team-b", Role::Operator, Some(&["flow-1"])).await;
    app.expired_token("team-a").await;
    let id = token_id(&a).parse().expect("an id");
    for team in ["team-b", "team-a", "team-a"] {
        let revoked = auth::revoke_token(&app.store, &operator(team), &id).await;
        match team {
            "team-a" => assert!(revoked.expect("revoked").revoked_at.is_some()),
            _ => assert!(matches!(revoked, Err(Error::TokenNotFound(_)))),
        }
    }
    let all = auth::all_tokens(&app.store, None).await.expect("a list");
    let teams: Vec<_> = all.iter().map(|token| token.team_id.as_str()).collect();
    assert_eq!(teams, ["team-a", "team-b"]);
    assert!(all[0].revoked_at.is_some());
    assert_eq!(all[1].flows.as_deref(), Some(&["flow-1".to_owned()][..]));
    let team_b = "team-b".parse().expect("an id");
    let of_b = auth::all_tokens(&app.store, Some(&team_b)).await;
    assert_eq!(of_b.expect("a list"), all[1..]);
}

#[tokio::test]
async fn the_last_use_of_a_token_is_stored_once_an_hour() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let last_used = async || {
        let records = auth::all_tokens(&app.store, None).await.expect("a list");
        records[0].last_used_at
    };
    assert_eq!(last_used().await, None);
    app.get(&token, "/flow-executions?flowDefinitionId=a")
        .await
        .ok();
    let first = last_used().await;
    assert!(first.is_some());
    let authenticator = Authenticator::new(app.store.clone());
    let header = format!("Bearer {token}");
    authenticator
        .authenticate(Some(&header))
        .await
        .expect("a caller");
    assert_eq!(
        last_used().await,
        first,
        "not written again within the hour"
    );
}
