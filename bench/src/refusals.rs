//! The cost of refusals, and whether their timing reveals anything about a token or a run.

use std::sync::Arc;
use std::time::Instant;

use aws_sdk_dynamodb::types::AttributeValue;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use functions::app::App;
use local::embedded::Embedded;
use local::terminal::Failure;
use shared::auth::{self, Authenticator, Role};
use shared::keys::key;
use shared::model::Item;
use shared::store::{Store, Usage};
use shared::{Error, table};
use tower::ServiceExt;

use crate::measure::{self, failure, new_token, operator};
use crate::report::{Figure, Times};
use crate::table::TABLE;

/// Measures refusals of several kinds of tokens, and requests of runs that the caller cannot
/// see, in turns.
///
/// # Errors
/// Returns an error if a request of the table fails, a token is accepted, or a run is found.
pub async fn run(rounds: u32) -> Result<(), Failure> {
    refuse_tokens(rounds).await?;
    println!();
    request_hidden_runs(rounds).await
}

async fn refuse_tokens(rounds: u32) -> Result<(), Failure> {
    let embedded = Embedded::in_memory().map_err(failure)?;
    table::create(&embedded.client(), TABLE).await?;
    let store = Store::new(embedded.client(), TABLE);
    let authenticator = Authenticator::new(store.clone());
    let kinds = create_tokens(&store).await?;
    let mut times = vec![Times::default(); kinds.len()];
    let mut requests = vec![0; kinds.len()];
    // In turns, so that other load on the machine affects all kinds.
    for _ in 0..rounds {
        for (kind, (name, token)) in kinds.iter().enumerate() {
            let header = format!("Bearer {token}");
            let before = store.usage().requests;
            let begin = Instant::now();
            let answer = authenticator.authenticate(Some(&header)).await;
            times[kind].push(begin.elapsed());
            requests[kind] = store.usage().requests - before;
            if !matches!(answer, Err(Error::Unauthenticated(_))) {
                return Err(Failure(format!("the token was accepted: {name}")));
            }
        }
    }
    let names: Vec<_> = kinds.iter().map(|(name, _)| *name).collect();
    print(&names, &times, &requests);
    Ok(())
}

/// Requests a run that does not exist, and a small and a large run of another team.
async fn request_hidden_runs(rounds: u32) -> Result<(), Failure> {
    let embedded = Embedded::in_memory().map_err(failure)?;
    table::create(&embedded.client(), TABLE).await?;
    let store = Store::new(embedded.client(), TABLE);
    write_runs_of_another_team(&store).await?;
    let token = measure::new_reading_token(&store).await?;
    let router = local::server::router(Arc::new(App::new(store)));
    let runs = [
        ("no run", "none"),
        ("another team's run", "small"),
        ("another team's run of 1 MB", "large"),
    ];
    let mut times = vec![Times::default(); runs.len()];
    let mut requests = vec![0; runs.len()];
    for _ in 0..rounds {
        for (kind, (name, id)) in runs.iter().enumerate() {
            let request = Request::get(format!("/flow-executions/{id}"))
                .header(header::AUTHORIZATION, format!("Bearer {token}"))
                .body(Body::empty())
                .map_err(failure)?;
            let begin = Instant::now();
            let answer = match router.clone().oneshot(request).await {
                Ok(answer) => answer,
                Err(never) => match never {},
            };
            times[kind].push(begin.elapsed());
            let usage: Option<&Usage> = answer.extensions().get();
            requests[kind] = usage.map_or(0, |usage| usage.requests);
            if answer.status() != StatusCode::NOT_FOUND {
                return Err(Failure(format!(
                    "expected 404 for {name}, got {}",
                    answer.status()
                )));
            }
        }
    }
    print(&runs.map(|(name, _)| name), &times, &requests);
    Ok(())
}

async fn write_runs_of_another_team(store: &Store) -> Result<(), Failure> {
    let text = |value: &str| AttributeValue::S(value.to_owned());
    let record = |id: &str, sk: String, more: [(&str, AttributeValue); 2]| -> Item {
        let mut item = key(format!("EXEC#{id}"), sk);
        item.extend(more.map(|(name, value)| (name.to_owned(), value)));
        item
    };
    for (id, steps) in [("small", 1), ("large", 10)] {
        let own = [("executionId", text(id)), ("teamId", text("another"))];
        store.put(record(id, "EXECUTION".to_owned(), own)).await?;
        for number in 0..steps {
            let sk = format!("STEP#2026-02-17T10:30:00.000Z#{number:03}");
            let output = text(&"x".repeat(100_000));
            let step = [("stepInstanceId", text("a")), ("output", output)];
            store.put(record(id, sk, step)).await?;
        }
    }
    Ok(())
}

/// Creates the tokens that are refused, with their names. The first three can be sent without
/// knowledge of a secret.
async fn create_tokens(store: &Store) -> Result<Vec<(&'static str, String)>, Failure> {
    let (known, _) = new_token(store, Role::Viewer).await?;
    let (revoked, secret) = new_token(store, Role::Viewer).await?;
    let id = revoked.token_id.parse();
    let id = id.map_err(|()| Failure("the id of a token cannot be parsed".to_owned()))?;
    auth::revoke_token(store, &operator()?, &id).await?;
    let wrong = "A".repeat(43);
    Ok(vec![
        ("unknown id", format!("sdk_{}_{wrong}", "0".repeat(20))),
        (
            "known id, wrong secret",
            format!("sdk_{}_{wrong}", known.token_id),
        ),
        ("revoked id, wrong secret", format!("sdk_{id}_{wrong}")),
        ("revoked id, right secret", secret.reveal().to_owned()),
        ("malformed", "sdk_nothing".to_owned()),
    ])
}

fn print(names: &[&str], times: &[Times], requests: &[u64]) {
    println!(
        "{:26} {:>9} {:>9} {:>9} {:>6}",
        "", "median", "ratio", "p95", "reads"
    );
    let first = times.first().map(Times::median).unwrap_or_default();
    for ((name, times), requests) in names.iter().zip(times).zip(requests) {
        let ratio = times.median().as_secs_f64() / first.as_secs_f64();
        let [median, p95] = [times.median(), times.quantile(0.95)].map(Figure::time);
        println!(
            "{name:26} {:>9} {ratio:>9.3} {:>9} {requests:>6}",
            median.to_string(),
            p95.to_string()
        );
    }
}
