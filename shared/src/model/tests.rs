use proptest::prelude::*;

use super::*;
use crate::table::text;

fn item(attributes: &[(&str, AttributeValue)]) -> Item {
    attributes
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect()
}

fn number(digits: &str) -> AttributeValue {
    AttributeValue::N(digits.to_owned())
}

fn execution(attributes: &[(&str, AttributeValue)]) -> Execution {
    let mut all = item(&[("pk", text("EXEC#run-1")), ("sk", text("EXECUTION"))]);
    all.extend(item(attributes));
    Execution::from_item(all).expect("an execution")
}

/// Any attribute value, three levels deep.
fn any_value() -> impl Strategy<Value = AttributeValue> {
    let leaf = prop_oneof![
        ".{0,12}".prop_map(AttributeValue::S),
        any::<i64>().prop_map(|value| AttributeValue::N(value.to_string())),
        any::<bool>().prop_map(AttributeValue::Bool),
        Just(AttributeValue::Null(true)),
        proptest::collection::vec(any::<u8>(), 0..8)
            .prop_map(|bytes| AttributeValue::B(bytes.into())),
        proptest::collection::vec(".{1,5}", 1..3).prop_map(AttributeValue::Ss),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(AttributeValue::L),
            proptest::collection::hash_map(".{0,6}", inner, 0..4).prop_map(AttributeValue::M),
        ]
    })
}

const EXECUTION_ATTRIBUTES: [&str; 22] = [
    "executionId",
    "teamId",
    "flowId",
    "createdAt",
    "status",
    "flowName",
    "flowVersion",
    "executionType",
    "parentExecutionId",
    "parentStepInstanceId",
    "deviceId",
    "trigger",
    "startTime",
    "endTime",
    "durationMs",
    "errorMessage",
    "stepSummary",
    "labels",
    "timeoutAt",
    "heartbeatAt",
    "cancelReason",
    "expiresAt",
];

proptest! {
    #[test]
    fn an_execution_is_read_whatever_its_attributes_hold(
        values in proptest::collection::vec(any_value(), EXECUTION_ATTRIBUTES.len()),
    ) {
        let attributes: Vec<_> = EXECUTION_ATTRIBUTES.into_iter().zip(values).collect();
        let execution = execution(&attributes);
        prop_assert_eq!(execution.execution_id, "run-1");
    }

    #[test]
    fn one_bad_attribute_costs_only_itself(
        bad in prop::sample::select(EXECUTION_ATTRIBUTES.to_vec()),
        value in any_value(),
    ) {
        let mut attributes = vec![
            ("teamId", text("team-a")),
            ("flowId", text("flow-1")),
            ("status", text("COMPLETED")),
            ("startTime", text("2026-02-17T10:30:00.000Z")),
        ];
        attributes.retain(|(name, _)| *name != bad);
        let kept = attributes.clone();
        attributes.push((bad, value));
        let execution = execution(&attributes);
        for (name, _) in kept {
            prop_assert!(match name {
                "teamId" => execution.team_id.as_deref() == Some("team-a"),
                "flowId" => execution.flow_id.as_deref() == Some("flow-1"),
                "status" => execution.status == Some(Status::Completed),
                _ => execution.start_time.is_some(),
            }, "{} was lost with {}", name, bad);
        }
    }

    #[test]
    fn a_step_is_read_whatever_its_attributes_hold(value in any_value(), name in "[a-zA-Z]{2,20}") {
        // A step's key is text, as of every item.
        prop_assume!(name != "sk");
        let sk = text("STEP#2026-02-17T10:30:00.000Z#step-1");
        let step = Step::from_item(item(&[("sk", sk), (&name, value.clone()), ("input", value)]));
        prop_assert_eq!(step.expect("a step").id().is_some(), true);
    }

    #[test]
    fn every_native_value_is_json(value in any_value()) {
        let value = Value::Native(value);
        let json = serde_json::to_string(&value).expect("JSON");
        prop_assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok());
    }

    #[test]
    fn a_timestamp_survives_its_text(milliseconds in 0_i64..253_402_300_800_000) {
        let timestamp = Timestamp::from_milliseconds(milliseconds).expect("in range");
        let text = timestamp.to_string();
        prop_assert_eq!(text.len(), 24);
        prop_assert_eq!(text.parse::<Timestamp>().expect("a time"), timestamp);
    }

    #[test]
    fn an_id_is_exactly_what_the_format_says(text in ".{0,140}") {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "._:@/+=-".contains(c);
        let expected = (1..=128).contains(&text.len()) && text.chars().all(allowed);
        prop_assert_eq!(text.parse::<ExecutionId>().is_ok(), expected);
    }
}

#[test]
fn an_item_with_other_keys_is_no_execution() {
    let step = item(&[
        ("pk", text("EXEC#run-1")),
        ("sk", text("STEP#2026-02-17T10:30:00.000Z#step-1")),
    ]);
    assert_eq!(Execution::from_item(step), None);
    let other = item(&[("pk", text("TOKEN#1")), ("sk", text("EXECUTION"))]);
    assert_eq!(Execution::from_item(other), None);
}

#[test]
fn a_duration_is_as_written_else_from_start_to_end_else_unknown() {
    let start = ("startTime", text("2026-02-17T10:30:00.000Z"));
    let end = ("endTime", text("2026-02-17T10:30:02.350Z"));
    let both = [start.clone(), end.clone()];
    assert_eq!(execution(&both).duration_ms(), Some(2_350));
    let written = [start.clone(), end.clone(), ("durationMs", number("2300"))];
    assert_eq!(execution(&written).duration_ms(), Some(2_300));
    let unreadable = [start.clone(), end.clone(), ("durationMs", text("soon"))];
    assert_eq!(execution(&unreadable).duration_ms(), Some(2_350));
    assert_eq!(execution(std::slice::from_ref(&start)).duration_ms(), None);
    let backwards = [("startTime", end.1), ("endTime", start.1)];
    assert_eq!(execution(&backwards).duration_ms(), None);
}

#[test]
fn a_time_with_another_offset_or_precision_is_shown_in_one_form() {
    for text in [
        "2026-02-17T10:30:00Z",
        "2026-02-17T11:30:00.0004+01:00",
        "2026-02-17T10:30:00.000999Z",
    ] {
        let timestamp: Timestamp = text.parse().expect("RFC 3339");
        assert_eq!(timestamp.to_string(), "2026-02-17T10:30:00.000Z");
    }
}

#[test]
fn a_version_is_shown_as_it_was_written() {
    let version = |value| {
        let execution = execution(&[("flowVersion", value)]);
        serde_json::to_string(&execution.flow_version).expect("JSON")
    };
    assert_eq!(version(number("3")), "3");
    assert_eq!(version(text("3")), r#""3""#);
    assert_eq!(version(AttributeValue::Bool(true)), "null");
}

#[test]
fn labels_that_are_text_survive_those_that_are_not() {
    let labels = item(&[("orderId", text("42")), ("count", number("3"))]);
    let execution = execution(&[("labels", AttributeValue::M(labels))]);
    assert_eq!(
        execution.labels.into_iter().collect::<Vec<_>>(),
        [("orderId".to_owned(), "42".to_owned())]
    );
}

#[test]
fn a_record_expires_at_its_second_and_only_by_a_number() {
    let now: Timestamp = "2026-02-17T10:30:00.500Z".parse().expect("a time");
    let expired = |value| is_expired(&item(&[("expiresAt", value)]), now);
    assert!(expired(number(&now.seconds().to_string())));
    assert!(!expired(number(&(now.seconds() + 1).to_string())));
    assert!(!expired(text("0")));
    assert!(!is_expired(&Item::new(), now));
}

#[test]
fn a_number_keeps_its_38_digits() {
    let digits = "12345678901234567890123456789012345678";
    let value = Value::Native(number(digits));
    assert_eq!(serde_json::to_string(&value).expect("JSON"), digits);
}

#[test]
fn a_summary_shows_the_counts_that_can_be_read() {
    let summary = item(&[("total", text("5")), ("passed", number("4"))]);
    let execution = execution(&[("stepSummary", AttributeValue::M(summary))]);
    assert_eq!(
        serde_json::to_string(&execution.step_summary).expect("JSON"),
        r#"{"total":null,"passed":4,"failed":null}"#
    );
}

#[test]
fn a_bound_of_time_is_a_moment_or_the_beginning_or_end_of_a_day() {
    let bounds = |text: &str| {
        let text_of = |moment: Option<Timestamp>| moment.map(|moment| moment.to_string());
        (
            text_of(Timestamp::first_of(text)),
            text_of(Timestamp::last_of(text)),
        )
    };
    let both = |first: &str, last: &str| (Some(first.to_owned()), Some(last.to_owned()));
    for (text, expected) in [
        (
            "2026-02-17",
            both("2026-02-17T00:00:00.000Z", "2026-02-17T23:59:59.999Z"),
        ),
        (
            "2026-02-17T10:30:00+01:00",
            both("2026-02-17T09:30:00.000Z", "2026-02-17T09:30:00.000Z"),
        ),
        // A part of a millisecond: the first moment not before it, the last not after.
        (
            "2026-02-17T10:30:00.0005Z",
            both("2026-02-17T10:30:00.001Z", "2026-02-17T10:30:00.000Z"),
        ),
        (
            "0000-01-01",
            both("0000-01-01T00:00:00.000Z", "0000-01-01T23:59:59.999Z"),
        ),
        (
            "9999-12-31",
            both("9999-12-30T21:59:59.999Z", "9999-12-30T21:59:59.999Z"),
        ),
    ] {
        assert_eq!(bounds(text), expected, "{text}");
    }
    for text in [
        "",
        "2026-02",
        "20260217",
        "2026-02-30",
        "-000001-01-01T00:00:00Z",
        "noon",
    ] {
        assert_eq!(bounds(text), (None, None), "{text}");
    }
}
