//! What a refusal costs, and whether its time tells anything of a token.

use std::time::{Duration, Instant};

use local::embedded::Embedded;
use local::terminal::Failure;
use shared::Error;
use shared::auth::{self, Authenticator, Caller, NewToken, Role};
use shared::store::Store;
use shared::table;

use crate::load::{TABLE, TEAM};
use crate::median;

/// Refuses tokens of several kinds, so often each, one after another.
///
/// # Errors
/// The table cannot be made, or a token is taken.
pub async fn run(rounds: u32) -> Result<(), Failure> {
    let embedded = Embedded::in_memory().map_err(|error| Failure(error.to_string()))?;
    table::create(&embedded.client(), TABLE).await?;
    let store = Store::new(embedded.client(), TABLE);
    let authenticator = Authenticator::new(store.clone(), None);
    let kinds = kinds(&store).await?;
    let mut times = vec![Vec::new(); kinds.len()];
    let mut requests = vec![0; kinds.len()];
    // Interleaved, so that what else the machine does falls on all.
    for _ in 0..rounds {
        for (kind, (name, token)) in kinds.iter().enumerate() {
            let header = format!("Bearer {token}");
            let before = store.usage().requests;
            let begin = Instant::now();
            let answer = authenticator.authenticate(Some(&header)).await;
            times[kind].push(begin.elapsed());
            requests[kind] = store.usage().requests - before;
            if !matches!(answer, Err(Error::Unauthenticated(_))) {
                return Err(Failure(format!("{name} is not refused")));
            }
        }
    }
    print(&kinds, &mut times, &requests);
    Ok(())
}

/// What is refused, each with its name. Who does not know a secret can send the first
/// three.
async fn kinds(store: &Store) -> Result<Vec<(&'static str, String)>, Failure> {
    let team_id = TEAM.parse().map_err(|error| Failure(format!("{error}")))?;
    let caller = Caller::operator(team_id, "bench");
    let new = NewToken {
        role: Role::Viewer.into(),
        name: None,
        flows: None,
        expires_at: None,
    };
    let (known, _) = auth::create_token(store, &caller, &new).await?;
    let (revoked, secret) = auth::create_token(store, &caller, &new).await?;
    let id = revoked.token_id.parse();
    let id = id.map_err(|()| Failure("a token has no id".to_owned()))?;
    auth::revoke_token(store, &caller, &id).await?;
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

fn print(kinds: &[(&str, String)], times: &mut [Vec<Duration>], requests: &[u64]) {
    println!(
        "{:26} {:>9} {:>9} {:>9} {:>6}",
        "", "median", "ratio", "p95", "reads"
    );
    let first = times.first_mut().map(|times| median(times));
    for (((name, _), times), requests) in kinds.iter().zip(times).zip(requests) {
        let middle = median(times);
        let p95 = times[times.len() * 95 / 100];
        let ratio = first.map_or(1.0, |first| middle.as_secs_f64() / first.as_secs_f64());
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        println!(
            "{name:26} {:>6.2} ms {ratio:>9.3} {:>6.2} ms {requests:>6}",
            ms(middle),
            ms(p95)
        );
    }
}
