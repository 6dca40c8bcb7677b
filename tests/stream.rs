//! The stream of the embedded table: its cost when idle, and the checkpoints of earlier
//! versions.

use std::time::Duration;

use local::embedded::Embedded;
use local::follow::Follower;
use serde_json::json;
use shared::keys;
use shared::store::Store;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::support::records::execution;
use crate::support::{TestApp, is_embedded};

const MINUTE: Duration = Duration::from_secs(60);

/// Followers of a table on disk, with the counters, labels and deadlines.
struct Followed {
    _folder: tempfile::TempDir,
    embedded: Embedded,
    store: Store,
    following: Vec<JoinHandle<()>>,
    caught_up: Vec<watch::Receiver<bool>>,
    stop: watch::Sender<bool>,
}

impl Followed {
    async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let embedded = Embedded::open(&folder.path().join("t.db")).expect("opens");
        let store = Store::new(embedded.client(), "history");
        let created = shared::table::create(store.client(), store.table()).await;
        assert!(created.expect("a table"));
        let (stop, stopped) = watch::channel(false);
        let (mut following, mut caught_up) = (Vec::new(), Vec::new());
        for follower in [Follower::counting, Follower::labelling, Follower::reaping] {
            let follower = follower(embedded.streams_client(), store.clone());
            let follower = follower.after_writes(embedded.writes());
            let (sender, receiver) = watch::channel(false);
            caught_up.push(receiver);
            let follow = follower.follow(sender, stopped.clone());
            following.push(tokio::spawn(async { follow.await.expect("followed") }));
        }
        Self {
            _folder: folder,
            embedded,
            store,
            following,
            caught_up,
            stop,
        }
    }

    async fn wait_until_caught_up(&mut self) {
        for receiver in &mut self.caught_up {
            let caught_up = receiver.wait_for(|caught_up| *caught_up).await;
            caught_up.expect("a follower");
        }
    }

    async fn stop(self) {
        self.stop.send_replace(true);
        for following in self.following {
            following.await.expect("no panic");
        }
    }
}

/// The clock is paused: a minute passes as soon as no task has anything to do.
#[tokio::test(start_paused = true)]
async fn followers_send_few_requests_in_an_idle_minute() {
    let mut followed = Followed::start().await;
    let runs = (0..100).map(|number| execution(&format!("run-{number}"), json!({})));
    followed.store.put_many(runs, 4).await.expect("written");
    followed.wait_until_caught_up().await;
    // The followers also follow their own writes.
    tokio::time::sleep(MINUTE).await;
    let before = followed.embedded.requests();
    tokio::time::sleep(MINUTE).await;
    let requests = followed.embedded.requests() - before;
    assert!(
        (1..=90).contains(&requests),
        "{requests} requests in an idle minute"
    );
    followed.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_write_is_followed_immediately_after_an_idle_minute() {
    let mut followed = Followed::start().await;
    let first = execution("run-first", json!({}));
    followed.store.put(first).await.expect("written");
    followed.wait_until_caught_up().await;
    tokio::time::sleep(MINUTE).await;
    let began = tokio::time::Instant::now();
    let run = execution("run-last", json!({"teamId": "team-last"}));
    followed.store.put(run).await.expect("written");
    let counted = async {
        let count = keys::count_partition(&"team-last".parse().expect("an id"), "*");
        while followed
            .store
            .get(&count, "2026-02-17")
            .await
            .expect("read")
            .is_none()
        {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let counted = tokio::time::timeout(MINUTE, counted).await;
    counted.expect("counted");
    assert!(
        began.elapsed() < Duration::from_secs(2),
        "{:?}",
        began.elapsed()
    );
    followed.stop().await;
}

#[tokio::test]
async fn a_follower_continues_at_an_earlier_versions_checkpoint() {
    let app = TestApp::new().await;
    if !is_embedded() {
        return;
    }
    app.write((0..50).map(|number| execution(&format!("run-{number}"), json!({}))))
        .await;
    app.count().await;
    app.reap().await;
    // The checkpoint is where earlier versions stored it, and nowhere else.
    let table = app.store.table();
    let pk = keys::checkpoint_partition(&format!("shardId-00000001-{table}"));
    for sk in [keys::CHECKPOINT, keys::REAP] {
        let there = app.store.get(&pk, sk).await.expect("read");
        assert!(there.is_some(), "{pk} {sk}");
    }
    let read = app.store.scan().all().await.expect("read");
    let checkpoints = read.iter().filter_map(|item| item["pk"].as_s().ok());
    let checkpoints = checkpoints.filter(|pk| pk.starts_with("CHECKPOINT#"));
    assert_eq!(checkpoints.filter(|found| **found != pk).count(), 0);
    // Nothing is counted twice or left out.
    app.write([execution("run-last", json!({}))]).await;
    app.count().await;
    assert_eq!(app.verify().await.differences, []);
}
