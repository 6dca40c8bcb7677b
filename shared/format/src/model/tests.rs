use proptest::prelude::*;

use super::*;
use crate::attributes::{SORT_KEY, text};

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

/// Any attribute value, nested up to three levels.
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

const EXECUTION_ATTRIBUTES: [&str; 25] = [
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
    "usage",
    "droppedSteps",
    "spanId",
    "labels",
    "timeoutAt",
    "heartbeatAt",
    "cancelReason",
    "expiresAt",
];

proptest! {
    #[test]
    fn an_execution_is_parsed_with_any_attribute_value(
        values in proptest::collection::vec(any_value(), EXECUTION_ATTRIBUTES.len()),
    ) {
        let attributes: Vec<_> = EXECUTION_ATTRIBUTES.into_iter().zip(values).collect();
        let execution = execution(&attributes);
        prop_assert_eq!(execution.execution_id, "run-1");
    }

    #[test]
    fn a_bad_attribute_affects_only_itself(
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
    fn a_step_is_parsed_with_any_attribute_value(value in any_value(), name in "[a-zA-Z]{2,20}") {
        // The key of every item is a text.
        prop_assume!(name != "sk");
        let sk = text("STEP#2026-02-17T10:30:00.000Z#step-1");
        let step = Step::from_item(item(&[("sk", sk), (&name, value.clone()), ("input", value)]));
        prop_assert_eq!(step.expect("a step").id().is_some(), true);
    }

    #[test]
    fn every_native_value_serializes_as_json(value in any_value()) {
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
    fn an_id_matches_the_pattern_of_the_format(text in ".{0,140}") {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "._:@/+=-".contains(c);
        let expected = (1..=128).contains(&text.len()) && text.chars().all(allowed);
        prop_assert_eq!(text.parse::<ExecutionId>().is_ok(), expected);
    }
}

#[test]
fn an_item_with_other_keys_is_not_an_execution() {
    let step = item(&[
        ("pk", text("EXEC#run-1")),
        ("sk", text("STEP#2026-02-17T10:30:00.000Z#step-1")),
    ]);
    assert_eq!(Execution::from_item(step), None);
    let other = item(&[("pk", text("TOKEN#1")), ("sk", text("EXECUTION"))]);
    assert_eq!(Execution::from_item(other), None);
}

#[test]
fn a_duration_is_written_or_measured_or_unknown() {
    let start = ("startTime", text("2026-02-17T10:30:00.000Z"));
    let end = ("endTime", text("2026-02-17T10:30:02.350Z"));
    let both = [start.clone(), end.clone()];
    assert_eq!(execution(&both).duration_ms(), Some(2_350));
    let written = [start.clone(), end.clone(), ("durationMs", number("2300"))];
    assert_eq!(execution(&written).duration_ms(), Some(2_300));
    let unreadable = [start.clone(), end.clone(), ("durationMs", text("soon"))];
    assert_eq!(execution(&unreadable).duration_ms(), Some(2_350));
    assert_eq!(execution(std::slice::from_ref(&start)).duration_ms(), None);
    for incredible in [
        "-1",
        "1.5",
        "315619200001",
        "1771324200000",
        "18446744073709551616",
    ] {
        let durations = ("durationMs", number(incredible));
        let measured = execution(&[start.clone(), end.clone(), durations.clone()]);
        assert_eq!(measured.duration_ms(), Some(2_350), "{incredible}");
        assert_eq!(execution(&[durations]).duration_ms(), None, "{incredible}");
    }
    let longest = [("durationMs", number("315619200000"))];
    assert_eq!(execution(&longest).duration_ms(), Some(MAX_DURATION_MS));
    let backwards = [("startTime", end.1.clone()), ("endTime", start.1)];
    assert_eq!(execution(&backwards).duration_ms(), None);
    let since_1970 = [("startTime", text("1970-01-01T00:00:00.000Z")), end];
    assert_eq!(execution(&since_1970).duration_ms(), None);
}

/// A step with this status as it is shown in a run with that status.
fn shown_step(run: &[(&str, AttributeValue)], step: &[(&str, AttributeValue)]) -> Step {
    let mut attributes = item(&[("sk", text("STEP#2026-02-17T10:30:00.000Z#step-1"))]);
    attributes.extend(item(step));
    let mut step = Step::from_item(attributes).expect("a step");
    step.ended_with(&execution(run));
    step
}

#[test]
fn an_open_step_in_an_ended_run_is_shown_as_ended() {
    use StepStatus::{Cancelled, Completed, Failed, Pending, Running, Skipped};
    let unfinished = Some("The step did not finish: its run ended before it.");
    let end = ("endTime", text("2026-02-17T10:31:00.000Z"));
    for (run, step, shown, message) in [
        ("CANCELLED", "RUNNING", Cancelled, None),
        ("CANCELLED", "PENDING", Cancelled, None),
        ("FAILED", "RUNNING", Failed, unfinished),
        ("FAILED", "PENDING", Cancelled, None),
        ("COMPLETED", "RUNNING", Cancelled, unfinished),
        ("COMPLETED", "PENDING", Cancelled, None),
    ] {
        let run = [("status", text(run)), end.clone()];
        // A duration that was written while the step ran is not its final duration.
        let step = [("status", text(step)), ("durationMs", number("5"))];
        let step = shown_step(&run, &step);
        assert_eq!(step.status, Some(shown), "{run:?}");
        assert_eq!(step.error_message.as_deref(), message);
        assert_eq!(step.duration_ms(), Some(60_000));
    }
    for (run, step, shown) in [
        ("RUNNING", "RUNNING", Running),
        ("PENDING", "PENDING", Pending),
        ("FAILED", "COMPLETED", Completed),
        ("FAILED", "SKIPPED", Skipped),
        ("CANCELLED", "FAILED", Failed),
    ] {
        let step = shown_step(
            &[("status", text(run)), end.clone()],
            &[("status", text(step))],
        );
        assert_eq!((step.status, step.end_time), (Some(shown), None), "{run}");
    }
}

#[test]
fn an_unfinished_step_ends_when_its_run_ended() {
    let end_of = |run: &[(&str, AttributeValue)], step: &[(&str, AttributeValue)]| {
        let mut run = run.to_vec();
        run.push(("status", text("FAILED")));
        let mut step = step.to_vec();
        step.push(("status", text("RUNNING")));
        shown_step(&run, &step).end_time.map(|end| end.to_string())
    };
    let time = |second| text(format!("2026-02-17T10:30:{second:02}.000Z"));
    let at = |second| Some(format!("2026-02-17T10:30:{second:02}.000Z"));
    assert_eq!(end_of(&[("endTime", time(9))], &[]), at(9));
    assert_eq!(
        end_of(&[("endTime", time(9))], &[("endTime", time(3))]),
        at(3)
    );
    assert_eq!(
        end_of(&[("endTime", time(9))], &[("startTime", time(20))]),
        at(20)
    );
    let measured = [("startTime", time(1)), ("durationMs", number("4000"))];
    assert_eq!(end_of(&measured, &[]), at(5));
    assert_eq!(end_of(&[("heartbeatAt", time(7))], &[]), at(7));
    assert_eq!(end_of(&[], &[]), at(0));
    let own = [
        ("errorMessage", text("out of memory")),
        ("status", text("RUNNING")),
    ];
    let step = shown_step(&[("status", text("FAILED"))], &own);
    assert_eq!(step.error_message.as_deref(), Some("out of memory"));
}

#[test]
fn times_of_any_offset_and_precision_are_written_in_one_form() {
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
fn a_version_is_shown_as_written() {
    let version = |value| {
        let execution = execution(&[("flowVersion", value)]);
        serde_json::to_string(&execution.flow_version).expect("JSON")
    };
    assert_eq!(version(number("3")), "3");
    assert_eq!(version(text("3")), r#""3""#);
    assert_eq!(version(AttributeValue::Bool(true)), "null");
}

#[test]
fn a_version_may_be_read_as_a_whole_number() {
    let whole = |value| Value::Native(value).as_whole_number();
    for (value, number) in [
        (text("3"), Some(3)),
        (text("-3"), Some(-3)),
        (number("3"), Some(3)),
        (number("3.0"), Some(3)),
        (number("1E+2"), Some(100)),
        (number("2.1"), None),
        (text("2.1"), None),
        (text("3.0"), None),
        (text("03"), None),
        (text("+3"), None),
        (text(""), None),
        (text("9007199254740993"), None),
        (number("12345678901234567890123456789012345678"), None),
        (AttributeValue::Bool(true), None),
    ] {
        assert_eq!(whole(value.clone()), number, "{value:?}");
    }
}

#[test]
fn a_label_of_another_type_does_not_affect_other_labels() {
    let labels = item(&[
        ("orderId", text("42")),
        ("count", number("3")),
        ("urgent", AttributeValue::Bool(true)),
        ("lines", AttributeValue::L(vec![])),
        ("note", AttributeValue::Null(true)),
    ]);
    let labels = execution(&[("labels", AttributeValue::M(labels))]).labels;
    let labels: Vec<_> = labels
        .iter()
        .map(|(name, value)| (&**name, &**value))
        .collect();
    assert_eq!(
        labels,
        [("count", "3"), ("orderId", "42"), ("urgent", "true")]
    );
    assert!(execution(&[("labels", text("no map"))]).labels.is_empty());
}

#[test]
fn only_a_number_makes_a_record_expire() {
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
fn usage_has_the_models_and_numbers_that_can_be_read() {
    let model = |members: &[(&str, AttributeValue)]| AttributeValue::M(item(members));
    let usage = AttributeValue::L(vec![
        model(&[
            ("model", text("a")),
            ("inputTokens", number("12")),
            ("outputTokens", number("3")),
        ]),
        model(&[("inputTokens", number("4")), ("outputTokens", text("5"))]),
        model(&[("model", number("7")), ("outputTokens", number("6"))]),
        model(&[("model", text("b")), ("inputTokens", number("-1"))]),
        model(&[("model", text("c")), ("inputTokens", number("1.5"))]),
        text("d"),
    ]);
    let run = execution(&[("usage", usage), ("droppedSteps", number("8"))]);
    let expected = concat!(
        r#"[{"model":"a","inputTokens":12,"outputTokens":3},"#,
        r#"{"model":null,"inputTokens":4,"outputTokens":null},"#,
        r#"{"model":null,"inputTokens":null,"outputTokens":6}]"#,
    );
    assert_eq!(serde_json::to_string(&run.usage).expect("JSON"), expected);
    assert_eq!(ModelUsage::totals(&run.usage), (Some(16), Some(9)));
    assert_eq!(run.dropped_steps, Some(8));
    let odd = execution(&[("usage", text("many")), ("droppedSteps", number("-1"))]);
    assert_eq!((odd.usage, odd.dropped_steps), (vec![], None));
    assert_eq!(ModelUsage::totals(&[]), (None, None));
}

#[test]
fn a_time_bound_is_a_time_or_the_start_or_end_of_a_day() {
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
        // A fraction of a millisecond: a lower bound is rounded up, an upper bound down.
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

#[test]
fn a_nested_step_gets_its_branch_from_its_lane() {
    let nested = [
        (SORT_KEY, text("STEP#2026-02-17T10:30:00.000Z#step-2")),
        ("parentStepInstanceId", text("step-1")),
    ];
    let mut step = Step::from_item(item(&nested)).expect("a step");
    assert_eq!(step.nested_below(), Some("step-1"));
    assert_eq!((step.parent_id(), step.branch_execution_id()), (None, None));
    step.set_lane("step-1", 2);
    assert_eq!(step.parent_id(), Some("step-1"));
    assert_eq!(step.branch_execution_id(), Some("step-1.2"));
    assert_eq!(step.branch_id.as_deref(), Some("lane-2"));

    let in_branch = "BRANCH#2026-02-17T10:30:00.000Z#fork-1#b#2026-02-17T10:30:01.000Z#step-2";
    let in_branch = [
        (SORT_KEY, text(in_branch)),
        ("parentStepInstanceId", text("other")),
    ];
    let mut step = Step::from_item(item(&in_branch)).expect("a step");
    step.set_lane("step-1", 2);
    assert_eq!((step.nested_below(), step.lane()), (None, None));
    assert_eq!(step.parent_id(), Some("fork-1"));
    assert_eq!(step.branch_execution_id(), Some("b"));
}

#[test]
fn a_step_with_nested_steps_is_a_fork_unless_it_has_a_type() {
    for (recorded, shown) in [
        (None, "PARALLEL_FORK_MANAGER"),
        (Some("INTERNAL"), "PARALLEL_FORK_MANAGER"),
        (Some("UNSPECIFIED"), "PARALLEL_FORK_MANAGER"),
        (Some("PARALLEL_FORK_MANAGER"), "PARALLEL_FORK_MANAGER"),
        (Some("AGENT"), "AGENT"),
    ] {
        let mut attributes = vec![(SORT_KEY, text("STEP#2026-02-17T10:30:00.000Z#step-1"))];
        attributes.extend(recorded.map(|kind| ("stepType", text(kind))));
        let mut step = Step::from_item(item(&attributes)).expect("a step");
        assert_eq!(
            step.has_branches(),
            recorded == Some("PARALLEL_FORK_MANAGER")
        );
        step.set_has_nested_steps();
        assert_eq!(step.step_type.as_deref(), Some(shown));
        assert!(step.has_branches());
    }
}
