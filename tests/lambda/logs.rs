//! Logs, metrics and traces of the binaries.

use serde_json::{Value, json};

use super::{event, function, with_sample_run};
use crate::support::process::DEADLINE;
use crate::support::runtime::Function;

/// The document in a packet for the X-Ray daemon.
fn document_of(packet: &[u8]) -> Value {
    let text = str::from_utf8(packet).expect("a text");
    let (head, document) = text.split_once('\n').expect("two lines");
    assert_eq!(head, r#"{"format":"json","version":1}"#);
    serde_json::from_str(document).expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_is_one_line_of_the_log_with_metrics() {
    let app = with_sample_run().await;
    let function = function(&app, "get_flow_execution").await;
    let event = event("get_flow_execution");
    let (_, lines) = function.invoke_logged(&event).await;
    let [line] = &lines[..] else {
        panic!("one line for an answer: {lines:#?}");
    };
    assert_eq!(line["level"], "INFO");
    assert_eq!(line["message"], "answered");
    assert_eq!(line["route"], "get_flow_execution");
    assert_eq!(line["team_id"], "default");
    assert_eq!(line["request_id"], event["requestContext"]["requestId"]);
    assert_eq!(line["status"], 200);
    assert!(line["timestamp"].is_string(), "{line}");
    let requests = line["table_requests"].as_u64().expect("a number");
    assert!(requests >= 1);
    for figure in ["duration_ms", "capacity_units"] {
        assert!(
            line[figure].as_f64().is_some_and(|figure| figure > 0.0),
            "{line}"
        );
    }
    let directive = &line["_aws"]["CloudWatchMetrics"][0];
    assert_eq!(directive["Namespace"], "Flowtrail");
    assert_eq!(directive["Dimensions"], json!([["table"]]));
    assert_eq!(line["table"], app.store.table());
    for metric in directive["Metrics"].as_array().expect("metrics") {
        let name = metric["Name"].as_str().expect("a name");
        assert!(line[name].is_number(), "{name} in {line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sampled_requests_are_traced_with_x_ray() {
    let app = with_sample_run().await;
    let daemon = tokio::net::UdpSocket::bind("127.0.0.1:0").await;
    let daemon = daemon.expect("a port");
    let address = daemon.local_addr().expect("an address").to_string();
    let function = Function {
        variables: vec![("AWS_XRAY_DAEMON_ADDRESS", address)],
        ..function(&app, "get_flow_execution").await
    };
    function.invoke_logged(&event("get_flow_execution")).await;
    let mut packet = [0; 8_192];
    let received = tokio::time::timeout(DEADLINE, daemon.recv(&mut packet)).await;
    let length = received.expect("in time").expect("a packet");
    let document = document_of(&packet[..length]);
    assert_eq!(document["name"], "DynamoDB");
    assert_eq!(document["type"], "subsegment");
    assert_eq!(document["namespace"], "aws");
    assert_eq!(document["trace_id"], "1-5759e988-bd862e3fe1be46a994272793");
    assert_eq!(document["parent_id"], "53995c3f42cd8ad8");
    assert_eq!(document["id"].as_str().map(str::len), Some(16));
    assert_eq!(document["aws"]["table_name"], app.store.table());
    assert_eq!(document["aws"]["region"], "eu-west-1");
    let operation = document["aws"]["operation"].as_str().expect("a name");
    assert!(["Query", "GetItem"].contains(&operation), "{document}");
    assert_eq!(document["http"]["response"]["status"], 200);
    assert_eq!(
        (&document["error"], &document["fault"]),
        (&json!(false), &json!(false))
    );
    let times = ["start_time", "end_time"].map(|name| document[name].as_f64().expect("seconds"));
    assert!(times[0] <= times[1]);
}
