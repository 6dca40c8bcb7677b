//! A table that fails. Each request of an endpoint or a consumer to the table meets each
//! fault, once and permanently.
//!
//! The answer is the same as without faults, or 503 with a time to wait. A file that has
//! begun is cut off, so that it does not look complete. After any answer, a repetition of
//! the request and the consumers of the stream lead to the same table as without faults:
//! nothing is done twice, and nothing is counted twice.
//!
//! Time is paused, so that a table that never answers takes no time in the test.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use functions::route::ANSWERED_WITHIN;
use functions::routes::ROUTES;

use self::calls::{Call, cancel, delete, delete_flow, ingest, pin, reads, settings, unpin};
use self::state::{State, events, items};
use self::strikes::{Tried, may_fail, strikes};
use self::world::{Outcome, World};
use crate::support::faults::{Fault, Strike};
use crate::support::is_embedded;

mod calls;
mod consumers;
mod state;
mod strikes;
mod world;

/// The maximum time of an answer whose body is a stream: several operations on the table,
/// each with all retries of the SDK.
const STREAMED_WITHIN: Duration = Duration::from_secs(80);

/// The time after which a write on a broken connection has reached the table.
const LANDED: Duration = Duration::from_secs(10);

/// Tries every fault with a call that changes nothing except the audit.
async fn try_reading(world: &World, call: &Call, tried: &mut Tried) {
    let (faulty, app) = world.faulty();
    faulty.strike(None);
    let events_before = events(&world.app.store).await;
    let (good, ..) = world.ask(&app, call).await;
    assert!(good.is_success(), "{}: {}", call.path, good.text());
    let requests = faulty.requests();
    assert!(!requests.is_empty(), "{}", call.path);
    let before = State::read(&world.app).await;
    let mut audit = events(&world.app.store).await;
    let is_audited = audit != events_before;
    for strike in strikes(&requests, 12) {
        let at = format!("{} {strike:?} {requests:?}", call.path);
        let (faulty, app) = world.faulty();
        faulty.strike(Some(strike));
        let (outcome, began, took) = world.ask(&app, call).await;
        check_answer(&outcome, &good, strike, &at, tried);
        assert_in_time(began, &at);
        assert!(took <= STREAMED_WITHIN, "{at}: {took:?}");
        wait_for_late_write(strike).await;
        // Each answer has one audit event.
        let audit_now = events(&world.app.store).await;
        let more: usize = audit_now.values().sum::<usize>() - audit.values().sum::<usize>();
        assert!(more <= usize::from(is_audited), "{at}: {audit_now:?}");
        assert!(
            !is_audited || more == 1 || !outcome.is_success(),
            "{at}: {audit_now:?}"
        );
        audit = audit_now;
    }
    State::read(&world.app).await.assert_is(&before, &call.path);
}

fn assert_in_time(began: Duration, at: &str) {
    let limit = ANSWERED_WITHIN + Duration::from_secs(1);
    assert!(began <= limit, "{at}: {began:?}");
}

/// Waits until a write on a broken connection has reached the table.
async fn wait_for_late_write(strike: Strike) {
    if strike.fault == Fault::Ghost {
        tokio::time::sleep(LANDED).await;
    }
}

/// Checks that an answer is the same as without faults, or asks for a retry.
fn check_answer(outcome: &Outcome, good: &Outcome, strike: Strike, at: &str, tried: &mut Tried) {
    tried.strikes += 1;
    if outcome.text() == good.text() {
        tried.unaffected += 1;
        return;
    }
    assert!(
        may_fail(strike),
        "{at}: {}\n{}",
        outcome.text(),
        good.text()
    );
    assert!(outcome.asks_for_retry(), "{at}: {}", outcome.text());
    tried.refused += 1;
}

/// The results of a call without faults.
struct Expected {
    good: Outcome,
    /// The names of its requests to the table.
    requests: Vec<String>,
    audit: BTreeMap<String, usize>,
    state: State,
}

impl Expected {
    async fn of(make: impl Fn(&World) -> Call) -> Self {
        let world = World::new().await;
        let call = make(&world);
        let (faulty, app) = world.faulty();
        faulty.strike(None);
        let (good, ..) = world.ask(&app, &call).await;
        assert!(good.is_success(), "{}: {}", call.path, good.text());
        let requests = faulty.requests();
        let audit = events(&world.app.store).await;
        let state = world.settle().await;
        assert!(state.is_counted);
        Self {
            good,
            requests,
            audit,
            state,
        }
    }

    /// Whether an audit has each event at most this number of times.
    fn is_within(&self, most: usize, audit: &BTreeMap<String, usize>) -> bool {
        let of = |event: &String| self.audit.get(event).copied().unwrap_or_default();
        audit
            .iter()
            .all(|(event, count)| *count <= most * of(event))
    }
}

/// Tries every fault with a call that changes something, each on its own table. `make`
/// creates the call for a world.
async fn try_changing(
    make: impl Fn(&World) -> Call,
    is_tried: impl Fn(Strike) -> bool,
    tried: &mut Tried,
) {
    let expected = Expected::of(&make).await;
    for strike in strikes(&expected.requests, 8) {
        if is_tried(strike) {
            try_strike(&make, strike, &expected, tried).await;
        }
    }
}

/// Makes a call that meets a fault, and repeats it unless it succeeded.
async fn try_strike(
    make: impl Fn(&World) -> Call,
    strike: Strike,
    expected: &Expected,
    tried: &mut Tried,
) {
    let world = World::new().await;
    let call = make(&world);
    let at = format!("{} {strike:?} {:?}", call.path, expected.requests);
    let (faulty, app) = world.faulty();
    faulty.strike(Some(strike));
    let (outcome, began, _) = world.ask(&app, &call).await;
    check_answer(&outcome, &expected.good, strike, &at, tried);
    assert_in_time(began, &at);
    faulty.strike(None);
    wait_for_late_write(strike).await;
    let audit = events(&world.app.store).await;
    assert!(expected.is_within(1, &audit), "{at}: {audit:?}");
    let mut state = world.settle().await;
    if !outcome.is_success() {
        let (again, ..) = world.ask(&world.app, &call).await;
        // If the first call took effect, the second one may find nothing to do.
        let is_done = ["404", "409"]
            .iter()
            .any(|done| again.text().starts_with(done));
        assert!(is_done || again.is_success(), "{at}: {}", again.text());
        let audit = events(&world.app.store).await;
        assert!(expected.is_within(2, &audit), "{at}: {audit:?}");
        state = world.settle().await;
    }
    state.assert_is(&expected.state, &format!("{at}: {}", outcome.text()));
    let tokens = items(&world.app.store).await;
    let tokens = tokens
        .keys()
        .filter(|key| key.starts_with("TOKEN#"))
        .count();
    let most = 3 + usize::from(call.creates_another_each_time() && !outcome.is_success());
    assert!(tokens <= most, "{at}: {tokens} tokens");
}

#[tokio::test(start_paused = true)]
async fn a_read_is_complete_or_refused() {
    if !is_embedded() {
        return;
    }
    let world = World::new().await;
    for call in reads() {
        let mut tried = Tried::default();
        try_reading(&world, &call, &mut tried).await;
        tried.print(&call.path);
    }
}

/// Tries every fault with one call that changes something.
async fn assert_changes_once(what: &str, make: impl Fn(&World) -> Call) {
    if !is_embedded() {
        return;
    }
    let mut tried = Tried::default();
    try_changing(make, |_| true, &mut tried).await;
    tried.print(what);
}

#[tokio::test(start_paused = true)]
async fn a_cancel_is_done_once() {
    assert_changes_once("a cancel", |_| cancel()).await;
}

#[tokio::test(start_paused = true)]
async fn a_run_is_pinned_once() {
    assert_changes_once("a pin", |_| pin()).await;
    assert_changes_once("an unpin", |_| unpin()).await;
}

#[tokio::test(start_paused = true)]
async fn a_run_is_deleted_once() {
    assert_changes_once("a deletion", |_| delete(false)).await;
    assert_changes_once("a deletion with the runs below", |_| delete(true)).await;
}

/// The deletion of a flow reads the clock of the machine, so time is not paused and slow
/// faults are not tried.
#[tokio::test]
async fn a_flow_is_deleted_once() {
    if !is_embedded() {
        return;
    }
    let takes_long = [Fault::Silent, Fault::Slow, Fault::TooSlow, Fault::Ghost];
    let is_quick = |strike: Strike| !strike.lasts && !takes_long.contains(&strike.fault);
    let mut tried = Tried::default();
    try_changing(|_| delete_flow(), is_quick, &mut tried).await;
    tried.print("the deletion of a flow");
}

#[tokio::test(start_paused = true)]
async fn settings_are_changed_once() {
    for position in 0..settings("").len() {
        let name = settings("")[position].name;
        assert_changes_once(name, |world| settings(&world.victim).swap_remove(position)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn spans_are_ingested_once() {
    assert_changes_once("traces", |_| ingest()).await;
}

#[test]
fn every_endpoint_meets_faults() {
    let mut calls = reads();
    calls.extend([cancel(), pin(), unpin()]);
    calls.extend([delete(false), delete_flow(), ingest()]);
    calls.extend(settings(""));
    let tried: BTreeSet<_> = calls.iter().map(|call| call.name).collect();
    let routes: BTreeSet<_> = ROUTES.iter().map(|route| route.name).collect();
    assert_eq!(tried, routes, "a route is missing in this test");
}
