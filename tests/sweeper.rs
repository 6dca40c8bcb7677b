//! Runs past their timeout and stalled runs: their deadlines, how they are shown, and the
//! sweeper that closes them.

use serde_json::{Value, json};
use shared::change::Change;
use shared::deadlines;
use shared::model::{Item, Timestamp};
use shared::run_changes::Reaper;
use shared::store::Range;

use crate::support::TestApp;
use crate::support::records::{execution, time};

mod stalled;
mod timeouts;

const MINUTE: i64 = 60_000;

/// A time of the record format, `milliseconds` from now.
fn from_now(milliseconds: i64) -> String {
    let time = Timestamp::now().milliseconds() + milliseconds;
    Timestamp::from_milliseconds(time)
        .expect("in range")
        .to_string()
}

/// An open run.
fn open(id: &str, attributes: Value) -> Item {
    let mut own = json!({"status": "RUNNING", "endTime": null});
    let more = attributes.as_object().expect("attributes").clone();
    own.as_object_mut().expect("attributes").extend(more);
    execution(id, own)
}

/// The deadlines at which runs are checked, as `<time>#<run>`.
async fn deadlines_of(app: &TestApp) -> Vec<String> {
    let mut deadlines = Vec::new();
    for shard in 0..shared::keys::DEADLINE_SHARDS {
        let range = Range::of_prefix(shared::keys::deadline_partition(shard), "");
        let entries = app.store.all(&range.latest()).await.expect("read");
        let entries = entries.iter().filter_map(shared::keys::sort_key);
        deadlines.extend(entries.map(str::to_owned));
    }
    deadlines.sort();
    deadlines
}

fn change(number: u32, old: Option<&Item>, new: Option<&Item>) -> Change {
    Change::new(number.to_string(), old.cloned(), new.cloned())
}

#[tokio::test]
async fn deadlines_follow_their_run_even_if_changes_repeat() {
    let app = TestApp::new().await;
    let (first, second) = (from_now(MINUTE), from_now(2 * MINUTE));
    let one = open("run-1", json!({"timeoutAt": first}));
    let other = open("run-1", json!({"timeoutAt": second}));
    let without = open("run-1", json!({}));
    let ended = execution("run-1", json!({"timeoutAt": second}));
    let reaper = Reaper::new(app.store.clone());
    let follow = async |changes: &[Change]| reaper.follow(changes).await.expect("followed");
    let begun = change(1, None, Some(&one));
    let moved = change(2, Some(&one), Some(&other));
    let entry = |time: &String| vec![format!("{time}#run-1")];
    follow(std::slice::from_ref(&begun)).await;
    assert_eq!(deadlines_of(&app).await, entry(&first));
    follow(&[begun.clone(), moved.clone()]).await;
    follow(std::slice::from_ref(&moved)).await;
    assert_eq!(deadlines_of(&app).await, entry(&second));
    for end in [
        change(3, Some(&other), Some(&ended)),
        change(3, Some(&other), Some(&without)),
        change(3, Some(&other), None),
    ] {
        follow(&[begun.clone(), moved.clone()]).await;
        follow(&[moved.clone(), end.clone()]).await;
        assert_eq!(deadlines_of(&app).await, [""; 0]);
        follow(&[begun.clone(), moved.clone(), end]).await;
        assert_eq!(deadlines_of(&app).await, [""; 0]);
    }
    let beat = |heartbeat: i64| open("run-1", json!({"heartbeatAt": from_now(heartbeat)}));
    follow(&[
        change(4, Some(&without), Some(&beat(0))),
        change(5, Some(&beat(0)), Some(&beat(5))),
    ])
    .await;
    assert_eq!(
        deadlines_of(&app).await,
        [""; 0],
        "without a rule, heartbeats set no deadline"
    );
}

#[tokio::test]
async fn a_rebuild_enters_the_deadlines_of_older_runs() {
    let app = TestApp::new().await;
    app.write([
        open("run-1", json!({"timeoutAt": time(0)})),
        open("theirs", json!({"timeoutAt": time(0), "teamId": "team-b"})),
        execution("ended", json!({"timeoutAt": time(0)})),
    ])
    .await;
    let team = "team-b".parse().expect("a team");
    for _ in 0..2 {
        deadlines::enter_all(&app.store, Some(&team))
            .await
            .expect("entered");
        assert_eq!(deadlines_of(&app).await, [format!("{}#theirs", time(0))]);
    }
    assert_eq!(
        deadlines::enter_all(&app.store, None)
            .await
            .expect("entered"),
        2
    );
    assert_eq!(app.sweep().await.timed_out, 2);
}
