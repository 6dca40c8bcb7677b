//! Repeated, concurrent and crashed requests, and a table that throttles.

use futures_util::future::join_all;
use serde_json::json;

use super::{
    JSON, PROTOBUF, TRACE, attributes, end_lease, export, export_whole, in_trace, order, post,
    protobuf, records, request, span, trace_id, with_engine,
};
use crate::support::faults::{Fault, Faulty};

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_requests_lose_no_span() {
    let (app, token) = with_engine().await;
    let spans = order();
    export_whole(&app, &token, &spans).await;
    let expected = records(&app, TRACE).await;
    for number in 0..10 {
        let trace = trace_id(number + 1);
        let spans = in_trace(&spans, &trace);
        let requests = spans.chunks(1 + number as usize % 3);
        let exports = requests.map(|some| export(&app, &token, some));
        for answer in join_all(exports).await {
            // A request that meets too many others is asked to try again, and does.
            assert!(
                [200, 503].contains(&answer.status.as_u16()),
                "{}",
                answer.body
            );
            if answer.status == 503 {
                export_whole(&app, &token, &spans).await;
            }
        }
        assert_eq!(records(&app, &trace).await, expected);
    }
}

#[tokio::test]
async fn a_request_costs_what_its_spans_cost() {
    let (app, token) = with_engine().await;
    let first = export(&app, &token, &order()[..3]).await;
    assert_eq!(first.status, 200);
    // Reads of the token, the roles, the profiles and the run; writes of the lease, the payloads, the steps, the
    // run and the state.
    assert_eq!(first.usage.requests, 9);
    let before = records(&app, TRACE).await;
    let again = export(&app, &token, &order()[..3]).await;
    assert_eq!(again.ok(), json!({}));
    // The same without payloads and steps; the run is only compared.
    assert_eq!(again.usage.requests, 5);
    assert_eq!(records(&app, TRACE).await, before);
    let more = export(&app, &token, &order()[3..6]).await;
    assert_eq!(more.usage.requests, 6, "no payloads, and the run stays");
}

#[tokio::test]
async fn a_large_trace_costs_no_more_than_a_small_one() {
    let (app, token) = with_engine().await;
    let mut costs = Vec::new();
    for number in 0..8 {
        let numbers = number * 100 + 2..number * 100 + 102;
        let spans: Vec<_> = numbers
            .map(|it| span(it, Some(1), it as i64, it as i64 + 1, json!({})))
            .collect();
        let answer = export(&app, &token, &spans).await;
        assert_eq!(answer.status, 200);
        costs.push(answer.usage);
    }
    // From the second request on, the state does not list the spans any more, and their steps
    // are looked up: 100 of them in one request.
    let requests: Vec<_> = costs.iter().map(|usage| usage.requests).collect();
    // A table may accept a part of a batch only, and is then asked again.
    let is_flat = |it: &u64| it.abs_diff(requests[2]) <= 2;
    assert!(requests[2..].iter().all(is_flat), "{requests:?}");
    assert!(
        costs[7].capacity_units <= costs[2].capacity_units * 1.1,
        "{costs:?}"
    );
}

#[tokio::test]
async fn a_retry_completes_what_a_crash_interrupted() {
    const WRITES: &[&str] = &["BatchWriteItem", "PutItem", "DeleteItem", "UpdateItem"];
    let spans = order();
    // First a step below the fork with a payload, then all the others.
    let mut early = vec![spans[3].clone(), spans[6].clone()];
    early[0]["attributes"] = attributes(&[("input.value", &"y".repeat(20_000))]);
    let mut spans = spans;
    spans[3] = early[0].clone();
    let (app, token) = with_engine().await;
    export_whole(&app, &token, &spans).await;
    let expected = records(&app, TRACE).await;
    let mut crashes = 0;
    for fault in [Fault::CrashBefore, Fault::CrashAfter] {
        for position in 0.. {
            let trace = trace_id(crashes + 1);
            let (early, spans) = (in_trace(&early, &trace), in_trace(&spans, &trace));
            export_whole(&app, &token, &early).await;
            let (faulty, client) = Faulty::client(app.store.client(), WRITES);
            let broken = app.over(client);
            faulty.plan(std::iter::repeat_n(Fault::None, position).chain([fault]));
            let has_crashed = tokio::select! {
                answer = export(&broken, &token, &spans) => {
                    assert_eq!(answer.ok(), json!({}));
                    false
                }
                () = faulty.crash() => true,
            };
            if has_crashed {
                crashes += 1;
                end_lease(&app, &trace).await;
                export_whole(&app, &token, &spans).await;
            }
            assert_eq!(
                records(&app, &trace).await,
                expected,
                "{fault:?} at {position}"
            );
            if !has_crashed {
                break;
            }
        }
    }
    assert!(crashes >= 10, "{crashes}");
}

#[tokio::test]
async fn a_request_that_has_lost_its_lease_does_not_save_its_state() {
    let (app, token) = with_engine().await;
    let spans = order();
    export_whole(&app, &token, &spans).await;
    let expected = records(&app, TRACE).await;
    let trace = trace_id(1);
    let spans = in_trace(&spans, &trace);
    // One request is about to write its steps, and stops for longer than its lease.
    let (slow, client) = Faulty::client(app.store.client(), &["BatchWriteItem"]);
    let late = app.over(client);
    slow.plan([Fault::Delayed]);
    let late_export = export(&late, &token, &spans[4..]);
    let others = async {
        slow.crash().await;
        end_lease(&app, &trace).await;
        export_whole(&app, &token, &spans[..4]).await;
        slow.go_on();
    };
    let (answer, ()) = tokio::join!(late_export, others);
    assert_eq!(answer.problem().0, 503, "its exporter tries again");
    export_whole(&app, &token, &spans[4..]).await;
    assert_eq!(records(&app, &trace).await, expected);
}

#[tokio::test]
async fn exporters_are_asked_to_retry_when_the_table_throttles() {
    let (app, token) = with_engine().await;
    let (faulty, client) = Faulty::client(app.store.client(), &["UpdateItem"]);
    let throttled = app.over(client);
    for content_type in [JSON, PROTOBUF] {
        // One of these may be the time at which the token was used.
        faulty.plan([Fault::Throttled, Fault::Throttled]);
        let body = match content_type {
            PROTOBUF => protobuf(&request(&order())),
            _ => request(&order()).to_string().into_bytes(),
        };
        let exported = post(&throttled, &token, &[("content-type", content_type)], body).await;
        assert_eq!(exported.status, 503);
        assert_eq!(exported.headers["retry-after"], "2");
        assert_eq!(exported.headers["content-type"], content_type);
    }
    // A trace that fails does not stop the others.
    faulty.plan([Fault::Throttled]);
    let both = [
        in_trace(&order(), &trace_id(1)),
        in_trace(&order(), &trace_id(2)),
    ]
    .concat();
    assert_eq!(export(&throttled, &token, &both).await.problem().0, 503);
    let written = [
        records(&app, &trace_id(1)).await,
        records(&app, &trace_id(2)).await,
    ];
    assert_eq!(
        written
            .iter()
            .filter(|it| it.contains_key("EXECUTION"))
            .count(),
        1
    );
    export_whole(&throttled, &token, &both).await;
    assert_eq!(
        records(&app, &trace_id(1)).await,
        records(&app, &trace_id(2)).await
    );
}

#[tokio::test]
async fn a_stopped_request_is_repeated_after_others_have_written() {
    let (app, token) = with_engine().await;
    // More spans than the state lists, so that the steps themselves tell what is stored.
    let fillers: Vec<_> = (100..240)
        .map(|it| span(it, Some(1), it as i64, it as i64 + 1, json!({})))
        .collect();
    let usage = json!([
        {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
        {"key": "gen_ai.usage.input_tokens", "value": {"intValue": 7}},
    ]);
    let stopped = [
        span(1, None, 0, 1_000, json!({"name": "order"})),
        span(2, Some(1), 10, 20, json!({"attributes": usage})),
    ];
    let others = [span(3, Some(1), 30, 40, json!({}))];
    export_whole(&app, &token, &fillers).await;
    let (faulty, client) = Faulty::client(app.store.client(), &["PutItem", "UpdateItem"]);
    let broken = app.over(client);
    // It writes its steps, and stops before its run and its state.
    for position in 0..6 {
        faulty.plan(std::iter::repeat_n(Fault::None, position).chain([Fault::CrashBefore]));
        tokio::select! {
            _ = export(&broken, &token, &stopped) => break,
            () = faulty.crash() => end_lease(&app, TRACE).await,
        }
    }
    export_whole(&app, &token, &others).await;
    export_whole(&app, &token, &stopped).await;
    let run = app.item(&super::run_id(TRACE)).await;
    assert_eq!(
        (&run["flowName"], &run["status"]),
        (&json!("order"), &json!("COMPLETED"))
    );
    assert_eq!(run["usage"], json!([{"inputTokens": 7, "outputTokens": 0}]));
    assert_eq!(records(&app, TRACE).await["TRACE"]["state"]["spans"], 143);
}
