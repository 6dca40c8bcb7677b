//! The expiry that a consumer gives to ended runs and their records.

use serde_json::{Value, json};
use shared::change::Change;
use shared::model::Timestamp;
use shared::run_changes::Reaper;

use super::{DAY, END, children, expiries, run, ten_year_expiry, ten_years, with_rules};
use crate::support::TestApp;
use crate::support::faults::{Fault, Faulty};
use crate::support::records::{execution, step, time};

#[tokio::test]
async fn ended_runs_expire_by_the_most_specific_rule() {
    let (app, _) = with_rules(json!([
        {"days": 3_000},
        {"status": "FAILED", "days": 3_100},
        {"flowId": "flow-1", "days": 3_200},
        {"flowId": "flow-1", "status": "CANCELLED", "days": null},
    ]))
    .await;
    let of = |id: &str, flow: &str, status: &str| {
        execution(id, json!({"flowId": flow, "status": status}))
    };
    app.write(run(json!({}))).await;
    app.write([
        of("failed", "flow-2", "FAILED"),
        of("completed", "flow-2", "COMPLETED"),
        of("cancelled", "flow-1", "CANCELLED"),
        of("open", "flow-2", "RUNNING"),
        execution("engine", json!({"expiresAt": END + 4_000 * DAY})),
        execution("other", json!({"teamId": "team-b"})),
    ])
    .await;
    assert_eq!(app.reap().await.limited, 3);
    let expiry = |days: i64| json!(END + days * DAY);
    assert_eq!(expiries(&app).await, vec![expiry(3_200); 5]);
    for (id, expected) in [
        ("failed", expiry(3_100)),
        ("completed", expiry(3_000)),
        ("cancelled", Value::Null),
        ("open", Value::Null),
        ("engine", expiry(4_000)),
        ("other", Value::Null),
    ] {
        assert_eq!(app.item(id).await["expiresAt"], expected, "{id}");
    }
    // The open run ends later, and gets an expiry once.
    app.write([of("open", "flow-2", "FAILED")]).await;
    assert_eq!(app.reap().await.limited, 1);
    assert_eq!(app.item("open").await["expiresAt"], expiry(3_100));
}

#[tokio::test]
async fn an_earlier_expiry_of_a_record_is_kept() {
    let (app, _) = with_rules(ten_years()).await;
    let own = END + 3_000 * DAY;
    app.write([execution("run-1", json!({}))]).await;
    app.write(children(&json!({"expiresAt": own}))).await;
    app.reap().await;
    let mut expected = vec![json!(own); 5];
    expected[1] = ten_year_expiry();
    assert_eq!(expiries(&app).await, expected);
}

/// The two changes that the consumer follows: the end of the run, and its new expiry.
fn changes() -> [Change; 2] {
    let change = |number: &str, old, new| Change::new(number, Some(old), Some(new));
    let open = execution("run-1", json!({"status": "RUNNING", "endTime": null}));
    let ended = execution("run-1", json!({}));
    let limited = execution("run-1", json!({"expiresAt": END + 3_649 * DAY}));
    [
        change("1", open, ended.clone()),
        change("2", ended, limited),
    ]
}

#[tokio::test]
async fn a_restarted_consumer_completes_what_a_crash_interrupted() {
    // A crash at the run and at each of its four records.
    for crash_at in 0..5 {
        for fault in [Fault::CrashBefore, Fault::CrashAfter] {
            let (app, _) = with_rules(ten_years()).await;
            app.write(run(json!({}))).await;
            let (faulty, client) = Faulty::client(app.store.client(), &["UpdateItem"]);
            let broken = Reaper::new(app.over(client).store_as_served());
            faulty.plan([Fault::None; 5].into_iter().take(crash_at).chain([fault]));
            let follow = async {
                for change in changes() {
                    broken.follow(&[change]).await.expect("followed");
                }
            };
            tokio::select! {
                () = follow => panic!("the consumer must crash"),
                () = faulty.crash() => {}
            }
            // The batch is delivered again, first whole, then split and repeated.
            let reaper = Reaper::new(app.store.clone());
            for batch in [
                &changes()[..],
                &changes()[..1],
                &changes()[1..],
                &changes()[1..],
            ] {
                reaper.follow(batch).await.expect("followed");
            }
            assert_eq!(
                expiries(&app).await,
                vec![ten_year_expiry(); 5],
                "{crash_at} {fault:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_removed_run_is_not_written_again() {
    let (app, _) = with_rules(ten_years()).await;
    let reaper = Reaper::new(app.store.clone());
    reaper.follow(&changes()).await.expect("followed");
    assert!(app.records_of("run-1").await.is_empty());
}

#[tokio::test]
async fn expired_records_are_left_to_time_to_live() {
    let app = TestApp::new().await;
    let past = json!({"expiresAt": Timestamp::now().seconds() - 10});
    app.write([execution("run-1", past.clone())]).await;
    app.write(children(&past)).await;
    app.write([step("run-1", "late", 200, json!({}))]).await;
    app.store
        .delete("EXEC#run-1", "EXECUTION")
        .await
        .expect("removed");
    assert_eq!(app.reap().await.removed, 1);
    let left = app.records_of("run-1").await;
    assert_eq!(left.len(), 4, "{left:?}");
    assert!(
        !left.iter().any(|sk| sk.ends_with("#late")),
        "a record without an expiry would stay forever"
    );
}

#[tokio::test]
async fn an_old_imported_run_is_hidden_immediately() {
    let (app, admin) = with_rules(json!([{"days": 1}])).await;
    app.write(run(json!({"endTime": time(0)}))).await;
    app.reap().await;
    assert_eq!(
        app.get(&admin, "/flow-executions/run-1").await.problem().0,
        404
    );
}
