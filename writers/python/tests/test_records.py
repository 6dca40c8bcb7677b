"""The checks before a write, and the format of texts and times."""

from __future__ import annotations

import enum
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from flowtrail_writer import InvalidRecord, StepEnded, Writer
from flowtrail_writer.records import cut, time_text
from server import Server

INVALID_IDS: list[Any] = ["", "a" * 129, "a#b", "a b", "ä", "a\n", 1, b"a", ["a"], "\ud800"]
INVALID_TEXTS: list[Any] = [1, b"a", ["a"], object()]
INVALID_COUNTS: list[Any] = [-1, 2**53 + 1, 1.0, True, "1", [1]]
INVALID_TIMES: list[Any] = [
    "2026-02-17T10:30:00.000Z",
    0,
    datetime(2026, 2, 17),
    datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=23))),
]

INVALID_RUN_OPTIONS: dict[str, list[Any]] = {
    "execution_id": INVALID_IDS,
    "team_id": [*INVALID_IDS, None],
    "created_at": INVALID_TIMES,
    "flow_name": INVALID_TEXTS,
    "flow_version": [True, 1.5, b"1", 10**38, -(10**38)],
    "device_id": INVALID_IDS,
    "trigger": INVALID_TEXTS,
    "labels": [["a"], "a", {1: "a"}, {"a": 1}, {"a": None}, {"": "a"}],
    "timeout_at": INVALID_TIMES,
    "expires_at": [0, -1, True, 1.5, "1", 1_771_324_200_000, datetime.now(timezone.utc)],
    "input": [object(), {1: 2}],
}
INVALID_STEP_OPTIONS: dict[str, list[Any]] = {
    "name": INVALID_TEXTS,
    "type": INVALID_TEXTS,
    "input": [object()],
    "parent": INVALID_IDS,
    "id": INVALID_IDS,
    "retry_count": INVALID_COUNTS,
    "sequence_number": INVALID_COUNTS,
    "data": [object()],
}


def each(invalid: dict[str, list[Any]]) -> pytest.MarkDecorator:
    cases = [(name, value) for name, values in invalid.items() for value in values]
    return pytest.mark.parametrize(
        ("name", "value"), cases, ids=[f"{name}={value!a:.40}" for name, value in cases]
    )


@each(INVALID_RUN_OPTIONS)
def test_an_invalid_run_option_is_refused_by_name(writer: Writer, name: str, value: object) -> None:
    with pytest.raises(InvalidRecord) as refused:
        writer.start_run("flow", **{name: value})  # type: ignore[arg-type]
    assert refused.value.field.split(".")[0] == name


@pytest.mark.parametrize("value", [*INVALID_IDS, None], ids=ascii)
def test_an_invalid_flow_id_is_refused_by_name(writer: Writer, value: Any) -> None:
    with pytest.raises(InvalidRecord, match="^flow_id: "):
        writer.start_run(value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"flowid": "a"}, "unknown option 'flowid'; did you mean 'flow_id'?"),
        ({"flow_id": "a", "flow_nam": "a"}, "unknown option 'flow_nam'; did you mean 'flow_name'?"),
        ({"flow_id": "a", "teamId": "a"}, "unknown option 'teamId'; did you mean 'team_id'?"),
        ({"flow_id": "a", "lables": {}}, "unknown option 'lables'; did you mean 'labels'?"),
        (
            {"flow_id": "a", "zzz": 1},
            "unknown option 'zzz'; the options are flow_id, team_id, input, execution_id, "
            "created_at, flow_name, flow_version, device_id, trigger, labels, timeout_at, "
            "expires_at",
        ),
    ],
)
def test_an_unknown_run_option_is_refused_with_a_suggestion(
    writer: Writer, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(TypeError) as raised:
        writer.start_run(**options)
    assert str(raised.value) == message


def test_every_method_suggests_the_name_of_an_option(
    server: Server, writer: Writer, id: str
) -> None:
    run = writer.start_run("flow", execution_id=id)
    step = run.start_step("step")
    fork = run.fork("fork")
    before = server.records(id)
    writer_class: Any = Writer
    attempts: list[tuple[Callable[..., Any], str, str]] = [
        (writer_class, "flush_after_ms", "flush_after"),
        (run.start_step, "stepid", "step_id"),
        (run.fork, "retrycount", "retry_count"),
        (fork.branch, "branch", "branch_id"),
        (fork.branch("branch").start_step, "startTime", "start_time"),
        (step.start_subflow, "executionId", "execution_id"),
        (step.complete, "outputs", "output"),
        (step.fail, "errormessage", "error_message"),
        (fork.fail, "message", "error_message"),
        (run.complete, "contexts", "context"),
        (run.fail, "errorMessage", "error_message"),
        (run.cancel, "reasons", "reason"),
    ]
    for call, name, suggested in attempts:
        with pytest.raises(TypeError) as raised:
            call(**{name: "a"})
        assert str(raised.value) == f"unknown option '{name}'; did you mean '{suggested}'?"
    # A sub-flow has the team of its parent.
    with pytest.raises(TypeError, match="^unknown option 'team_id'; "):
        step.start_subflow("flow", team_id="a")  # type: ignore[call-arg]
    assert server.records(id) == before


def test_invalid_step_options_are_refused_by_name(
    server: Server, writer: Writer, id: str
) -> None:
    run = writer.start_run("flow", execution_id=id)
    for name, values in INVALID_STEP_OPTIONS.items():
        for value in values:
            field = "executionData" if name == "data" else name
            with pytest.raises(InvalidRecord, match=f"^{field}: "):
                run.start_step("step", **{name: value})
            if name != "type":
                with pytest.raises(InvalidRecord, match=f"^{field}: "):
                    run.fork("fork", **{name: value})
    fork = run.fork("fork")
    for value in INVALID_IDS:
        with pytest.raises(InvalidRecord, match="^step_id: "):
            run.start_step(value)
        with pytest.raises(InvalidRecord, match="^branch_id: "):
            fork.branch(value)
        with pytest.raises(InvalidRecord, match="^id: "):
            fork.branch("branch", id=value)
    fork.join()
    assert run.complete() is None
    [shown] = server.details(id)["steps"]
    assert shown["sequenceNumber"] == 1


def test_a_refused_end_can_be_repeated(
    server: Server, writer: Writer, id: str
) -> None:
    run = writer.start_run("flow", execution_id=id)
    step = run.start_step("step")
    for value in INVALID_TEXTS:
        with pytest.raises(InvalidRecord, match="^error_message: "):
            step.fail(value)
        with pytest.raises(InvalidRecord, match="^error_message: "):
            run.fail(value)
        with pytest.raises(InvalidRecord, match="^by: "):
            run.cancel(by=value)
        with pytest.raises(InvalidRecord, match="^reason: "):
            run.cancel(reason=value)
    invalid: Any = object()
    for attempt in (step.complete, step.set_data, run.complete):
        with pytest.raises(InvalidRecord):
            attempt(invalid)
    with pytest.raises(InvalidRecord, match="^flow_id: "):
        step.start_subflow("#")
    step.complete()
    assert run.complete() is None
    assert server.details(id)["steps"][0]["status"] == "COMPLETED"


@each(
    {
        "table": ["", None, 1],
        "flush_after": [-1, "1", None, True, float("nan"), float("inf")],
        "write_timeout": [-1, "1", None, True, float("nan"), float("inf")],
        "max_buffered_bytes": [0, -1, 1.5, "1", None, True],
        "inline_payload_bytes": [-1, 65_537, 1.5, "1", None, True],
        "clock": [1, "now"],
    }
)
def test_an_invalid_writer_option_is_refused_by_name(
    server: Server, name: str, value: object
) -> None:
    options: dict[str, Any] = {"table": "flowtrail", "client": server.client(), name: value}
    with pytest.raises(ValueError, match=f"^{name}: "):
        Writer(**options)


def test_every_field_of_a_run_is_written(server: Server, writer: Writer, id: str) -> None:
    class Kind(str, enum.Enum):
        NIGHTLY = "nightly"
        ID = id

    east = timezone(timedelta(hours=2))
    writer.start_run(
        Kind.NIGHTLY,
        team_id="team",
        execution_id=Kind.ID,
        created_at=datetime(2026, 2, 17, 12, 30, 0, 1_999, east),
        flow_name="Name \ud800",
        flow_version="1.2",
        device_id="d/1",
        trigger="",
        labels={"a": "", "ü": "2"},
        timeout_at=datetime(9999, 12, 31, 23, 59, 59, 999_999, timezone.utc),
        expires_at=4_000_000_000,
    )
    [record] = server.records(id)
    del record["startTime"]
    assert record == {
        "pk": f"EXEC#{id}",
        "sk": "EXECUTION",
        "executionId": id,
        "teamId": "team",
        "flowId": "nightly",
        "createdAt": "2026-02-17T10:30:00.001Z",
        "status": "RUNNING",
        "flowName": "Name \ufffd",
        "flowVersion": "1.2",
        "deviceId": "d/1",
        "trigger": "",
        "labels": {"a": "", "ü": "2"},
        "timeoutAt": "9999-12-31T23:59:59.999Z",
        "expiresAt": 4_000_000_000,
    }


def test_a_long_message_is_cut_between_characters() -> None:
    assert cut("ü" * 10, 20) == "ü" * 10
    assert cut("ü" * 11, 20) == "ü" * 8 + "…"
    assert cut("a" + "ü" * 11, 20) == "a" + "ü" * 8 + "…"


def test_error_messages_of_steps_and_runs_are_cut(server: Server, writer: Writer, id: str) -> None:
    run = writer.start_run("flow", execution_id=id)
    run.start_step("step").fail("a" + "ü" * 10_000)
    run.fail("a" + "ü" * 1_000)
    details = server.details(id)
    assert details["steps"][0]["errorMessage"] == "a" + "ü" * 8_190 + "…"
    assert details["metadata"]["errorMessage"] == "a" + "ü" * 510 + "…"


def test_times_have_milliseconds() -> None:
    assert time_text(0) == "1970-01-01T00:00:00.000Z"
    assert time_text(1_771_324_200_999) == "2026-02-17T10:30:00.999Z"


def test_durations_are_not_negative_after_a_clock_change(
    server: Server, make_writer: Callable[..., Writer], id: str
) -> None:
    times = iter([5_000, 5_000, 3_000, 2_000])
    run = make_writer(clock=lambda: next(times)).start_run("flow", execution_id=id)
    run.start_step("step").complete()
    run.complete()
    details = server.details(id)
    assert details["steps"][0]["durationMs"] == 0
    assert details["steps"][0]["endTime"] == "1970-01-01T00:00:05.000Z"
    assert details["metadata"]["durationMs"] == 0


def test_a_step_has_one_end(server: Server, writer: Writer, id: str) -> None:
    run = writer.start_run("flow", execution_id=id)
    ways: dict[str, Callable[[Any], None]] = {
        "COMPLETED": lambda step: step.complete(),
        "FAILED": lambda step: step.fail("why"),
        "SKIPPED": lambda step: step.skip(),
        "CANCELLED": lambda step: step.cancel(),
    }
    for status, end in ways.items():
        step = run.start_step(status)
        end(step)
        for other, again in ways.items():
            if other == status:
                again(step)
                continue
            with pytest.raises(StepEnded):
                again(step)
        with pytest.raises(StepEnded):
            step.set_data(1)
        with pytest.raises(StepEnded):
            step.start_subflow("flow")
    run.complete()
    details = server.details(id)
    assert {step["stepId"]: step["status"] for step in details["steps"]} == {
        status: status for status in ways
    }
    assert details["metadata"]["stepSummary"] == {"total": 4, "passed": 1, "failed": 1}
