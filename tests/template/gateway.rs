//! Routes, authentication, time limits and headers of API Gateway, and the console.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use functions::authorizer::AUTHENTICATED_WITHIN;
use functions::compression::MIN_BYTES;
use functions::cors;
use functions::route::{ANSWERED_WITHIN, Transfer};
use functions::routes::{ROUTES, function_names};
use serde_json::{Value, json};
use shared::auth::{OidcSettings, REMEMBERED_SECONDS, SignInSettings};
use shared::config::TABLE_VARIABLE;

use super::{resource_name, template};

#[test]
fn every_route_has_its_function_path_and_transfer() {
    let template = template();
    for route in ROUTES {
        let function = &template["Resources"][resource_name(route.name)];
        assert_eq!(
            function["Metadata"]["BuildProperties"]["Binary"],
            route.name
        );
        let event = &function["Properties"]["Events"]["Route"];
        assert_eq!(event["Type"], "Api", "{}", route.name);
        assert_eq!(
            event["Properties"]["Method"],
            route.method.as_str(),
            "{}",
            route.name
        );
        assert_eq!(event["Properties"]["Path"], route.path, "{}", route.name);
        let transfer = match route.transfer {
            Transfer::Buffered => Value::Null,
            Transfer::Streamed => json!("RESPONSE_STREAM"),
        };
        assert_eq!(
            event["Properties"]["ResponseTransferMode"], transfer,
            "{}",
            route.name
        );
    }
}

#[test]
fn the_console_is_served_at_its_paths_without_sign_in() {
    let template = template();
    let function = &template["Resources"]["ConsoleFunction"];
    assert_eq!(function["Metadata"]["BuildProperties"]["Binary"], "console");
    let properties = &function["Properties"];
    assert!(
        properties["Policies"].is_null(),
        "it needs no access to the table"
    );
    let events = properties["Events"].as_object().expect("events");
    let mut paths = BTreeSet::new();
    for event in events.values() {
        let event = &event["Properties"];
        assert_eq!(event["Method"], "GET");
        assert_eq!(event["Auth"], json!({"Authorizer": "NONE"}));
        assert_eq!(event["ResponseTransferMode"], "RESPONSE_STREAM");
        paths.insert(event["Path"].as_str().expect("a path"));
    }
    assert_eq!(paths, functions::pages::paths().collect::<BTreeSet<_>>());
}

#[test]
fn only_the_console_has_the_client_of_the_issuer() {
    let template = template();
    let client = [
        (SignInSettings::CLIENT_ID_VARIABLE, "OidcConsoleClientId"),
        (SignInSettings::SCOPES_VARIABLE, "OidcConsoleScopes"),
        (SignInSettings::TOKEN_URL_VARIABLE, "OidcConsoleTokenUrl"),
    ];
    for name in function_names() {
        let function = &template["Resources"][resource_name(name)]["Properties"];
        let variables = &function["Environment"]["Variables"];
        for (variable, parameter) in client {
            let expected = match name {
                "console" => json!({"Ref": parameter}),
                _ => Value::Null,
            };
            assert_eq!(variables[variable], expected, "{name}");
            assert!(template["Parameters"][parameter].is_object(), "{parameter}");
        }
    }
    let function = &template["Resources"]["ConsoleFunction"]["Properties"];
    let variables = &function["Environment"]["Variables"];
    assert_eq!(
        variables[OidcSettings::ISSUER_VARIABLE],
        json!({"Ref": "OidcIssuer"})
    );
}

#[test]
fn every_function_and_sample_event_belongs_to_a_route() {
    let template = template();
    let resources = template["Resources"].as_object().expect("resources");
    let found: BTreeSet<_> = resources
        .iter()
        .filter(|(_, resource)| resource["Type"] == "AWS::Serverless::Function")
        .map(|(name, _)| name.clone())
        .collect();
    let names: BTreeSet<_> = function_names().collect();
    assert_eq!(
        found,
        names.iter().map(|name| resource_name(name)).collect()
    );
    let events = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events");
    let events: BTreeSet<_> = std::fs::read_dir(events)
        .expect("events")
        .map(|entry| entry.expect("an entry").path())
        .map(|path| {
            path.file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    assert_eq!(
        events,
        names.iter().map(|name| (*name).to_owned()).collect()
    );
}

#[test]
fn cargo_lambda_watch_has_the_routes_of_the_gateway() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
    let manifest = std::fs::read_to_string(path).expect("Cargo.toml");
    let manifest: toml::Value = toml::from_str(&manifest).expect("TOML");
    let router = &manifest["workspace"]["metadata"]["lambda"]["watch"]["router"];
    let mut found = BTreeSet::new();
    for (path, routes) in router.as_table().expect("a table") {
        for route in routes.as_array().expect("a list") {
            let [method, function] = ["method", "function"].map(|name| route[name].as_str());
            found.insert((
                method.expect("a text"),
                path.as_str(),
                function.expect("a text"),
            ));
        }
    }
    let routes = ROUTES
        .iter()
        .map(|route| (route.method.as_str(), route.path, route.name));
    assert_eq!(found, routes.collect());
}

#[test]
fn the_gateway_caches_callers_as_long_as_the_local_server() {
    let auth = &template()["Resources"]["Api"]["Properties"]["Auth"];
    let authorizer = auth["DefaultAuthorizer"].as_str().expect("a name");
    let identity = &auth["Authorizers"][authorizer]["Identity"];
    assert_eq!(identity["ReauthorizeEvery"], REMEMBERED_SECONDS);
}

#[test]
fn every_function_has_the_name_of_the_table() {
    let variables = &template()["Globals"]["Function"]["Environment"]["Variables"];
    assert_eq!(variables[TABLE_VARIABLE], json!({"Ref": "Table"}));
}

#[test]
fn the_authorizer_has_the_settings_of_the_issuer() {
    let template = template();
    let function = &template["Resources"]["AuthorizeFunction"]["Properties"];
    let variables = function["Environment"]["Variables"].as_object();
    for (variable, parameter) in [
        (OidcSettings::ISSUER_VARIABLE, "OidcIssuer"),
        (OidcSettings::AUDIENCE_VARIABLE, "OidcAudience"),
        (OidcSettings::JWKS_URL_VARIABLE, "OidcJwksUrl"),
        (OidcSettings::TEAM_CLAIM_VARIABLE, "OidcTeamClaim"),
        (OidcSettings::ROLE_CLAIM_VARIABLE, "OidcRoleClaim"),
        (OidcSettings::USER_CLAIM_VARIABLE, "OidcUserClaim"),
    ] {
        let variables = variables.expect("variables");
        assert_eq!(variables[variable], json!({"Ref": parameter}));
        assert!(template["Parameters"][parameter].is_object(), "{parameter}");
    }
}

#[test]
fn the_gateway_accepts_the_form_of_tokens_and_jwts_only() {
    let auth = &template()["Resources"]["Api"]["Properties"]["Auth"]["Authorizers"];
    let identity = &auth["TokenAuthorizer"]["Identity"];
    let expression = identity["ValidationExpression"].as_str();
    let expression = regex::Regex::new(expression.expect("a text")).expect("a pattern");
    let token = format!("sdk_{}_{}", "0a".repeat(10), "A-_".repeat(14) + "z");
    for header in [
        format!("Bearer {token}"),
        format!("bearer   {token} "),
        "BEARER eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln-_".to_owned(),
    ] {
        assert!(expression.is_match(&header), "{header}");
    }
    for header in [
        token.clone(),
        format!("Basic {token}"),
        format!("Bearer {token}x"),
        format!("Bearer {token}, Bearer {token}"),
        "Bearer a.b".to_owned(),
        "Bearer a.b.c.d".to_owned(),
        "Bearer ".to_owned(),
    ] {
        assert!(!expression.is_match(&header), "{header}");
    }
}

#[test]
fn answers_of_the_gateway_have_the_security_headers() {
    let template = template();
    let responses = &template["Resources"]["Api"]["Properties"]["GatewayResponses"];
    let responses = responses.as_object().expect("responses");
    assert!(responses.len() > 10, "{}", responses.len());
    for (name, response) in responses {
        let headers = &response["ResponseParameters"]["Headers"];
        assert_eq!(headers["X-Content-Type-Options"], "'nosniff'", "{name}");
        let policy = &headers["Cross-Origin-Resource-Policy"];
        assert_eq!(*policy, "'same-origin'", "{name}");
    }
}

/// The seconds after which API Gateway stops waiting for an answer.
const GATEWAY_SECONDS: u64 = 29;

#[test]
fn functions_time_out_before_the_gateway() {
    let template = template();
    let function = &template["Globals"]["Function"];
    let has_time = |timeout: &Value, within: Duration| {
        let timeout = timeout.as_u64().expect("seconds");
        within < Duration::from_secs(timeout) && timeout < GATEWAY_SECONDS
    };
    assert!(has_time(&function["Timeout"], ANSWERED_WITHIN));
    let authorizer = &template["Resources"]["AuthorizeFunction"]["Properties"];
    assert!(has_time(&authorizer["Timeout"], AUTHENTICATED_WITHIN));
    for route in ROUTES {
        let own = &template["Resources"][resource_name(route.name)]["Properties"]["Timeout"];
        let is_streamed = route.transfer == Transfer::Streamed;
        assert!(own.is_null() || is_streamed, "{}", route.name);
    }
}

#[test]
fn functions_and_gateway_have_the_cors_settings_of_the_code() {
    let template = template();
    let variables = &template["Globals"]["Function"]["Environment"]["Variables"];
    assert_eq!(variables[cors::VARIABLE], json!({"Ref": "AllowedOrigins"}));
    let cors = &template["Resources"]["Api"]["Properties"]["Cors"];
    assert_eq!(cors["AllowHeaders"], format!("'{}'", cors::ALLOWED_HEADERS));
    assert_eq!(cors["MaxAge"], format!("'{}'", cors::MAX_AGE_SECONDS));
}

#[test]
fn the_gateway_compresses_answers_of_the_same_size() {
    let api = &template()["Resources"]["Api"]["Properties"];
    assert_eq!(api["MinimumCompressionSize"], MIN_BYTES);
}
