//! The Lambda authorizer.

use serde_json::{Value, json};
use shared::auth::{OidcSettings, Role};

use super::{event, function};
use crate::support::issuer::{AUDIENCE, Issuer, SigningKey};
use crate::support::runtime::Function;
use crate::support::{TestApp, token_id};

#[tokio::test(flavor = "multi_thread")]
async fn the_authorizer_returns_the_caller_of_a_token() {
    let app = TestApp::new().await;
    let flows = ["order-pipeline", "other"];
    let token = app.token("default", Role::Operator, Some(&flows)).await;
    let function = function(&app, "authorize").await;
    let mut event = event("authorize");
    let method_arn = event["methodArn"].as_str().expect("an ARN").to_owned();
    event["authorizationToken"] = json!(format!("Bearer {token}"));
    let answer: Value = serde_json::from_slice(&function.invoke(&event).await).expect("JSON");
    let principal = format!("token:{}", token_id(&token));
    assert_eq!(answer["principalId"], principal);
    assert_eq!(
        answer["context"],
        json!({
            "teamId": "default",
            "principal": principal,
            "permissions": "EXECUTIONS_READ,EXECUTIONS_EXPORT,EXECUTIONS_CANCEL,EXECUTIONS_PIN",
            "flows": "order-pipeline,other",
        })
    );
    let statement = &answer["policyDocument"]["Statement"][0];
    assert_eq!(statement["Effect"], "Allow");
    let stage: Vec<_> = method_arn.split('/').take(2).collect();
    assert_eq!(statement["Resource"], format!("{}/*", stage.join("/")));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_authorizer_returns_the_caller_of_a_jwt() {
    let app = TestApp::new().await;
    let key = SigningKey::es256("one");
    let issuer = Issuer::new(&[&key]).await;
    let function = Function {
        variables: vec![
            (OidcSettings::ISSUER_VARIABLE, issuer.url.clone()),
            (OidcSettings::AUDIENCE_VARIABLE, AUDIENCE.to_owned()),
        ],
        ..function(&app, "authorize").await
    };
    let jwt = key.sign(&issuer.claims("viewer", json!({})));
    let mut event = event("authorize");
    event["authorizationToken"] = json!(format!("Bearer {jwt}"));
    let answer: Value = serde_json::from_slice(&function.invoke(&event).await).expect("JSON");
    assert_eq!(answer["principalId"], "user:anna");
    assert_eq!(
        answer["context"],
        json!({"teamId": "team-a", "principal": "user:anna", "permissions": "EXECUTIONS_READ"})
    );

    event["authorizationToken"] = json!("Bearer sdk_nothing");
    let refused = function.invoke(&event).await;
    let refused = String::from_utf8_lossy(&refused);
    // API Gateway answers 401 only to exactly this word.
    assert!(
        refused.contains(r#""errorMessage":"Unauthorized""#),
        "{refused}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_authorizer_counts_refusals_and_logs_no_secret() {
    let app = TestApp::new().await;
    let token = app.viewer("default").await;
    let wrong = format!("sdk_{}_{}", token_id(&token), "A".repeat(43));
    let function = function(&app, "authorize").await;
    let mut event = event("authorize");
    event["authorizationToken"] = json!(format!("Bearer {wrong}"));
    let (answer, lines) = function.invoke_logged(&event).await;
    assert!(String::from_utf8_lossy(&answer).contains("Unauthorized"));
    let refused: Vec<_> = lines
        .iter()
        .filter(|line| line["level"] == "WARN")
        .collect();
    assert_eq!(refused.len(), 1, "{lines:#?}");
    assert_eq!(refused[0]["reason"], "wrong secret");
    let counted = lines.iter().filter(|line| line.get("_aws").is_some());
    let counted: Vec<_> = counted.collect();
    assert_eq!(counted.len(), 1, "{lines:#?}");
    assert_eq!(counted[0]["authentication_failures"], 1);
    assert_eq!(counted[0]["table"], app.store.table());
    assert!(!format!("{lines:?}").contains(&"A".repeat(43)));
}
