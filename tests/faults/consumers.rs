//! The consumers of the stream.

use std::time::Duration;

use local::follow::Follower;
use local::terminal::Failure;
use shared::store::Store;
use tokio::time::Instant;

use super::LANDED;
use super::calls::{Call, cancel, delete};
use super::strikes::{Tried, may_fail, strikes};
use super::world::World;
use crate::support::actions::as_function;
use crate::support::faults::Faulty;
use crate::support::is_embedded;

/// The maximum time of a batch whose requests all meet faults.
const CONSUMED_WITHIN: Duration = Duration::from_secs(120);

/// A consumer of the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Consumer {
    Count,
    Label,
    Reap,
}

impl Consumer {
    /// Reads the stream to its end over this connection.
    async fn drain(self, world: &World, faulty: &Faulty) -> Result<(), Failure> {
        let streams = faulty.streams(&world.app.streams);
        let client = Faulty::patient(&faulty.over(world.app.store.client()));
        let store = Store::new(client, world.app.store.table());
        let mut follower = match self {
            Self::Count => Follower::counting(streams, store),
            Self::Label => Follower::labelling(streams, store),
            Self::Reap => Follower::reaping(streams, store),
        };
        let name = match self {
            Self::Count | Self::Label => "count",
            Self::Reap => "reap",
        };
        as_function(name, follower.drain(|_| {})).await
    }
}

/// A world with a change that the consumers have not read.
async fn world_after(call: &Call) -> World {
    let world = World::new().await;
    let (outcome, ..) = world.ask(&world.app, call).await;
    assert!(outcome.is_success(), "{}", outcome.text());
    world
}

/// Tries every fault with a consumer of the changes of a call.
async fn try_consuming(consumer: Consumer, call: &Call) {
    if !is_embedded() {
        return;
    }
    let world = world_after(call).await;
    let (faulty, _) = world.faulty();
    faulty.strike(None);
    consumer.drain(&world, &faulty).await.expect("drained");
    let requests = faulty.requests();
    let after = world.settle().await;
    assert!(after.is_counted);
    let mut tried = Tried::default();
    for strike in strikes(&requests, 12) {
        let at = format!("{consumer:?} {strike:?} {requests:?}");
        let world = world_after(call).await;
        let (faulty, _) = world.faulty();
        faulty.strike(Some(strike));
        let begin = Instant::now();
        // After a failure the same records are read again, as by Lambda.
        let mut drained = consumer.drain(&world, &faulty).await;
        tried.strikes += 1;
        match &drained {
            Ok(()) => tried.unaffected += 1,
            Err(_) => tried.refused += 1,
        }
        assert!(drained.is_ok() || may_fail(strike), "{at}: {drained:?}");
        assert!(
            begin.elapsed() < CONSUMED_WITHIN,
            "{at}: {:?}",
            begin.elapsed()
        );
        faulty.strike(None);
        tokio::time::sleep(LANDED).await;
        for _ in 0..2 {
            drained = consumer.drain(&world, &faulty).await;
            drained.expect(&at);
        }
        world.settle().await.assert_is(&after, &at);
    }
    tried.print(&format!("{consumer:?} after {}", call.path));
}

#[tokio::test(start_paused = true)]
async fn changes_are_counted_once() {
    try_consuming(Consumer::Count, &delete(true)).await;
}

#[tokio::test(start_paused = true)]
async fn entries_of_labels_equal_their_runs() {
    try_consuming(Consumer::Label, &delete(true)).await;
}

#[tokio::test(start_paused = true)]
async fn a_deletion_and_a_cancel_take_effect_once() {
    try_consuming(Consumer::Reap, &delete(true)).await;
    try_consuming(Consumer::Reap, &cancel()).await;
}
