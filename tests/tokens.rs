//! Tokens and roles: made, listed, used, taken away.

use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::{Value, json};
use shared::Error;
use shared::auth::{self, Authenticator, REMEMBERED_SECONDS, Role};
use shared::model::Timestamp;

use crate::support::faults::{Fault, Faulty};
use crate::support::records::{execution, item};
use crate::support::{Answer, TestApp, operator, token_id};

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

/// The secret of an answer that made a token.
fn secret(answer: &Answer) -> String {
    assert_eq!(answer.status, 201, "{}", answer.body);
    let secret = answer.json()["secret"].as_str().map(str::to_owned);
    secret.expect("a secret")
}

fn principal(token: &str) -> String {
    format!("token:{}", token_id(token))
}

#[tokio::test]
async fn a_token_is_made_shown_once_used_listed_and_revoked() {
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
async fn a_token_that_cannot_be_is_refused_with_the_member_and_none_is_made() {
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
async fn an_id_that_is_none_is_refused_without_being_repeated() {
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
async fn a_list_of_tokens_is_walked_at_any_size_newest_first_and_is_the_teams_own() {
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
    // Ids of one millisecond are in no order of their own.
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
async fn a_role_of_the_teams_own_gives_what_it_names_and_follows_its_changes() {
    let app = TestApp::new().await;
    app.write([execution("run-1", json!({"status": "RUNNING"}))])
        .await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let other = app.token("team-b", Role::Admin, None).await;
    let before = app.get(&admin, ROLES).await.ok();
    assert_eq!(before["roles"], json!([]));
    assert_eq!(before["updatedAt"], Value::Null);
    let names = |roles: &Value| -> Vec<_> {
        let roles = roles.as_array().expect("roles").iter();
        roles
            .map(|role| role["name"].as_str().expect("a name").to_owned())
            .collect()
    };
    assert_eq!(
        names(&before["builtInRoles"]),
        ["viewer", "operator", "engine", "admin"]
    );
    assert_eq!(before["permissions"].as_array().map(Vec::len), Some(10));
    assert_eq!(
        create(&app, &admin, &json!({"role": "auditor"}))
            .await
            .problem()
            .0,
        400
    );

    let auditor = json!({
        "name": "auditor", "description": "Looks, and takes nothing along",
        "permissions": ["EXECUTIONS_READ", "AUDIT_READ"],
    });
    let put = put_roles(&app, &admin, &json!([auditor])).await.ok();
    assert_eq!(put["roles"], json!([auditor]));
    assert_eq!(put["updatedBy"], principal(&admin));
    assert_eq!(app.get(&admin, ROLES).await.ok(), put);
    assert_eq!(app.get(&other, ROLES).await.ok()["roles"], json!([]));
    assert_eq!(
        create(&app, &other, &json!({"role": "auditor"}))
            .await
            .problem()
            .0,
        400
    );

    let token = secret(&create(&app, &admin, &json!({"role": "auditor"})).await);
    app.get(&token, "/api/audit").await.ok();
    app.get(&token, "/flow-executions/run-1").await.ok();
    let cancel = "/api/executions/run-1/cancel";
    let answer = app.call(Method::POST, &token, cancel, "").await;
    assert_eq!(answer.problem(), (403, "FORBIDDEN".to_owned()));
    let message = answer.json()["message"].to_string();
    assert!(message.contains("EXECUTIONS_CANCEL"), "{message}");

    let mut changed = auditor;
    changed["permissions"] = json!(["EXECUTIONS_READ", "EXECUTIONS_CANCEL"]);
    put_roles(&app, &admin, &json!([changed])).await.ok();
    let later = app.restarted();
    assert_eq!(later.get(&token, "/api/audit").await.problem().0, 403);
    let answer = later.call(Method::POST, &token, cancel, "").await;
    assert_eq!(answer.status, 200, "{}", answer.body);

    put_roles(&app, &admin, &json!([])).await.ok();
    let later = app.restarted();
    assert_eq!(
        later
            .get(&token, "/flow-executions/run-1")
            .await
            .problem()
            .0,
        403
    );
}

#[tokio::test]
async fn a_role_called_engine_that_a_team_has_already_goes_before_that_of_every_team() {
    let app = TestApp::new().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let new = json!([{"name": "engine", "permissions": ["EXECUTIONS_READ"]}]);
    let refused = put_roles(&app, &admin, &new).await;
    assert_eq!(refused.problem().0, 400);
    assert_eq!(refused.json()["parameter"], "roles[0].name");
    let permissions = async |app: &TestApp, token: &str| {
        let caller = app.get(token, "/api/caller").await.ok();
        caller["caller"]["permissions"].clone()
    };
    let token = secret(&create(&app, &admin, &json!({"role": "engine"})).await);
    assert_eq!(permissions(&app, &token).await, json!(["EXECUTIONS_WRITE"]));

    // As a release before would have written it.
    app.write([item(json!({
        "pk": "SETTINGS#team-a", "sk": "ROLES", "settings": new,
        "updatedAt": "2026-02-17T10:31:00.000Z", "updatedBy": "test",
    }))])
    .await;
    let app = app.restarted();
    assert_eq!(permissions(&app, &token).await, json!(["EXECUTIONS_READ"]));
    let told = app.get(&admin, ROLES).await.ok();
    let built_in = told["builtInRoles"].as_array().expect("roles");
    assert!(built_in.iter().all(|role| role["name"] != "engine"));
    put_roles(&app, &admin, &new).await.ok();
    put_roles(&app, &admin, &json!([])).await.ok();
    let app = app.restarted();
    assert_eq!(permissions(&app, &token).await, json!(["EXECUTIONS_WRITE"]));
}

#[tokio::test]
async fn nobody_gives_what_he_does_not_have() {
    let app = TestApp::new().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let clerk = json!({"name": "clerk", "permissions": ["EXECUTIONS_READ", "TOKENS_MANAGE"]});
    let eraser = json!({"name": "eraser", "permissions": ["EXECUTIONS_DELETE"]});
    put_roles(&app, &admin, &json!([clerk, eraser])).await.ok();
    let clerks = secret(&create(&app, &admin, &json!({"role": "clerk"})).await);
    for role in ["admin", "operator", "eraser"] {
        let answer = create(&app, &clerks, &json!({"role": role})).await;
        assert_eq!(answer.problem(), (403, "FORBIDDEN".to_owned()), "{role}");
        let message = answer.json()["message"].to_string();
        assert!(
            message.contains("You cannot give the permission"),
            "{message}"
        );
    }
    secret(&create(&app, &clerks, &json!({"role": "clerk"})).await);
    secret(&create(&app, &clerks, &json!({"role": "viewer"})).await);
    let more = json!({"name": "clerk", "permissions": ["TOKENS_MANAGE", "AUDIT_READ"]});
    let new = json!({"name": "new", "permissions": ["EXECUTIONS_REVEAL"]});
    for roles in [json!([more, eraser]), json!([clerk, eraser, new])] {
        let answer = put_roles(&app, &clerks, &roles).await;
        assert_eq!(answer.problem(), (403, "FORBIDDEN".to_owned()), "{roles}");
    }
    assert_eq!(
        app.get(&admin, ROLES).await.ok()["roles"],
        json!([clerk, eraser])
    );
    // What a role has already, and what is taken away, is nobody's gift.
    let reader = json!({"name": "reader", "permissions": ["EXECUTIONS_READ"]});
    let roles = json!([clerk, eraser, reader]);
    assert_eq!(put_roles(&app, &clerks, &roles).await.ok()["roles"], roles);
    put_roles(&app, &clerks, &json!([clerk])).await.ok();
    let answer = put_roles(&app, &clerks, &json!([clerk, eraser])).await;
    assert_eq!(answer.problem().0, 403, "what is gone is new");
}

#[tokio::test]
async fn roles_that_cannot_be_are_refused_with_their_place_and_change_nothing() {
    let app = TestApp::new().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let kept = json!([{"name": "a", "permissions": ["AUDIT_READ"]}]);
    put_roles(&app, &admin, &kept).await.ok();
    for (roles, place) in [
        (
            json!([{"name": "admin", "permissions": ["AUDIT_READ"]}]),
            "roles[0].name",
        ),
        (
            json!([{"name": "b", "permissions": ["ALL"]}]),
            "roles[0].permissions",
        ),
        (
            json!([{"name": "b", "permissions": []}]),
            "roles[0].permissions",
        ),
        (
            json!([{"name": "b", "permissions": ["AUDIT_READ"], "x": 1}]),
            "body",
        ),
        (json!([{"name": "b"}]), "body"),
        (json!({}), "body"),
    ] {
        let answer = put_roles(&app, &admin, &roles).await;
        assert_eq!(
            answer.problem(),
            (400, "INVALID_PARAMETER".to_owned()),
            "{roles}"
        );
        assert_eq!(answer.json()["parameter"], place, "{roles}");
    }
    let answer = app.call(Method::PUT, &admin, ROLES, "").await;
    assert_eq!(answer.problem(), (400, "MISSING_PARAMETER".to_owned()));
    assert_eq!(app.get(&admin, ROLES).await.ok()["roles"], kept);
}

#[tokio::test]
async fn two_who_change_roles_at_a_time_do_not_undo_each_other_where_they_say_what_they_read() {
    let app = TestApp::new().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let put = async |roles: &Value, updated_at: &Value| {
        let body = json!({"roles": roles, "updatedAt": updated_at}).to_string();
        app.call(Method::PUT, &admin, ROLES, &body).await
    };
    let role = |name: &str| json!({"name": name, "permissions": ["AUDIT_READ"]});
    let read = app.get(&admin, ROLES).await.ok();
    assert_eq!(read["updatedAt"], Value::Null);
    let (one, other) = (json!([role("one")]), json!([role("other")]));
    let (first, second) = tokio::join!(put(&one, &Value::Null), put(&other, &Value::Null));
    let mut statuses = [first.status.as_u16(), second.status.as_u16()];
    statuses.sort();
    assert_eq!(statuses, [200, 409]);
    let (kept, lost) = match first.status.as_u16() {
        200 => (first.json(), second),
        _ => (second.json(), first),
    };
    assert_eq!(lost.problem(), (409, "CONFLICT".to_owned()));
    assert_eq!(app.get(&admin, ROLES).await.ok(), kept);
    let next = put(&json!([role("next")]), &kept["updatedAt"]).await.ok();
    assert!(next["updatedAt"].as_str() > kept["updatedAt"].as_str());
    let late = put(&json!([]), &kept["updatedAt"]).await;
    assert_eq!(late.problem().0, 409);
    assert_eq!(put(&json!([]), &json!("yesterday")).await.problem().0, 400);
    // Who says nothing means whatever there is.
    put_roles(&app, &admin, &json!([])).await.ok();
}

/// Between the reading and the write the role loses what it had, so that the write
/// would give it.
#[tokio::test]
async fn what_somebody_gives_is_measured_by_what_is_there_when_it_is_written() {
    let app = TestApp::new().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let clerk = json!({"name": "clerk", "permissions": ["TOKENS_MANAGE"]});
    let eraser = json!({"name": "eraser", "permissions": ["EXECUTIONS_DELETE"]});
    put_roles(&app, &admin, &json!([clerk, eraser])).await.ok();
    let clerks = secret(&create(&app, &admin, &json!({"role": "clerk"})).await);
    let (faults, client) = Faulty::client(app.store.client(), &["TransactWriteItems"]);
    let slow = app.over(client);
    slow.get(&clerks, ROLES).await.ok();
    faults.plan([Fault::Delayed]);
    let both = json!([clerk, eraser]);
    let (answer, _) = tokio::join!(put_roles(&slow, &clerks, &both), async {
        faults.crash().await;
        put_roles(&app, &admin, &json!([clerk])).await.ok();
        faults.go_on();
    });
    assert_eq!(answer.problem(), (403, "FORBIDDEN".to_owned()));
    assert_eq!(app.get(&admin, ROLES).await.ok()["roles"], json!([clerk]));
}

#[tokio::test]
async fn a_token_makes_nothing_that_outlives_it() {
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
    // A server that remembers who is revoked still lets nothing be made for good.
    let revoked = secret(&create(&app, &admin, &json!({"role": "admin"})).await);
    app.get(&revoked, ROLES).await.ok();
    let path = format!("{TOKENS}/{}", token_id(&revoked));
    app.restarted().delete(&admin, &path).await.ok();
    app.get(&revoked, ROLES).await.ok();
    let answer = create(&app, &revoked, &json!({"role": "admin"})).await;
    assert_eq!(answer.problem(), (403, "FORBIDDEN".to_owned()));
    let role = json!([{"name": "mine", "permissions": ["EXECUTIONS_DELETE"]}]);
    let answer = put_roles(&app, &revoked, &role).await;
    assert_eq!(answer.problem(), (401, "UNAUTHENTICATED".to_owned()));
    for (settings, body) in [
        ("/api/settings/masking", "{}"),
        ("/api/settings/retention", r#"{"rules": []}"#),
        ("/api/settings/stalled", r#"{"rules": []}"#),
    ] {
        let answer = app.call(Method::PUT, &revoked, settings, body).await;
        assert_eq!(answer.problem(), (401, "UNAUTHENTICATED".to_owned()));
    }
    assert_eq!(app.get(&admin, ROLES).await.ok()["roles"], json!([]));
}

#[tokio::test]
async fn a_token_that_fails_costs_one_request_and_its_owner_nothing() {
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
async fn one_token_in_many_spellings_is_remembered_once() {
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
    // Each list is one request of its own meter, and of this one none.
    assert_eq!(app.requests(), before);
}

#[tokio::test]
async fn the_table_never_holds_the_secret_of_a_token() {
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
        "the token, its entry in the register, its event"
    );
    assert!(!format!("{items:?}").contains(secret));
    let stored = items
        .iter()
        .find_map(|item| item.get("secretHash"))
        .expect("a hash");
    assert_eq!(stored.as_b().expect("bytes").as_ref(), auth::hash(secret));
}

#[tokio::test]
async fn tokens_are_listed_by_team_until_they_expire_and_revoked_ones_stay() {
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
async fn the_use_of_a_token_is_noted_to_the_hour() {
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
