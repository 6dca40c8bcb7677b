"""What is checked before anything is written, and how texts and times are written."""

from __future__ import annotations

import enum
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from flowtrail_writer import InvalidRecord, StepEnded, Writer
from flowtrail_writer.records import cut, time_text
from server import Server

NO_IDS: list[Any] = ["", "a" * 129, "a#b", "a b", "ä", "a\n", 1, b"a", ["a"], "\ud800"]
NO_TEXTS: list[Any] = [1, b"a", ["a"], object()]
NO_COUNTS: list[Any] = [-1, 2**53 + 1, 1.0, True, "1", [1]]
NO_TIMES: list[Any] = [
    "2026-02-17T10:30:00.000Z",
    0,
    datetime(2026, 2, 17),
    datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=23))),
]

RUN_NONSENSE: dict[str, list[Any]] = {
    "execution_id": NO_IDS,
    "team_id": [*NO_IDS, None],
    "created_at": NO_TIMES,
    "flow_name": NO_TEXTS,
    "flow_version": [True, 1.5, b"1", 10**38, -(10**38)],
    "device_id": NO_IDS,
    "trigger": NO_TEXTS,
    "labels": [["a"], "a", {1: "a"}, {"a": 1}, {"a": None}, {"": "a"}],
    "timeout_at": NO_TIMES,
    "expires_at": [0, -1, True, 1.5, "1", 1_771_324_200_000, datetime.now(timezone.utc)],
    "input": [object(), {1: 2}],
}
STEP_NONSENSE: dict[str, list[Any]] = {
    "name": NO_TEXTS,
    "type": NO_TEXTS,
    "input": [object()],
    "id": NO_IDS,
    "retry_count": NO_COUNTS,
    "sequence_number": NO_COUNTS,
    "data": [object()],
}


def each(nonsense: dict[str, list[Any]]) -> pytest.MarkDecorator:
    cases = [(name, value) for name, values in nonsense.items() for value in values]
    return pytest.mark.parametrize(
        ("name", "value"), cases, ids=[f"{name}={value!a:.40}" for name, value in cases]
    )


@each(RUN_NONSENSE)
def test_a_run_is_refused_by_name(writer: Writer, name: str, value: object) -> None:
    with pytest.raises(InvalidRecord) as refused:
        writer.start_run("flow", **{name: value})  # type: ignore[arg-type]
    assert refused.value.field.split(".")[0] == name


@pytest.mark.parametrize("value", [*NO_IDS, None], ids=ascii)
def test_a_flow_is_refused_by_name(writer: Writer, value: Any) -> None:
    with pytest.raises(InvalidRecord, match="^flow_id: "):
        writer.start_run(value)


def test_an_option_that_is_not_known_is_refused(writer: Writer) -> None:
    with pytest.raises(TypeError, match="flow_nam"):
        writer.start_run("flow", flow_nam="a")  # type: ignore[call-arg]


def test_steps_forks_and_branches_are_refused_by_name_and_leave_nothing(
    server: Server, writer: Writer, id: str
) -> None:
    run = writer.start_run("flow", execution_id=id)
    for name, values in STEP_NONSENSE.items():
        for value in values:
            field = "executionData" if name == "data" else name
            with pytest.raises(InvalidRecord, match=f"^{field}: "):
                run.start_step("step", **{name: value})
            if name != "type":
                with pytest.raises(InvalidRecord, match=f"^{field}: "):
                    run.fork("fork", **{name: value})
    fork = run.fork("fork")
    for value in NO_IDS:
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


def test_ends_are_refused_by_name_and_can_be_done_again(
    server: Server, writer: Writer, id: str
) -> None:
    run = writer.start_run("flow", execution_id=id)
    step = run.start_step("step")
    for value in NO_TEXTS:
        with pytest.raises(InvalidRecord, match="^error_message: "):
            step.fail(value)
        with pytest.raises(InvalidRecord, match="^error_message: "):
            run.fail(value)
        with pytest.raises(InvalidRecord, match="^by: "):
            run.cancel(by=value)
        with pytest.raises(InvalidRecord, match="^reason: "):
            run.cancel(reason=value)
    nonsense: Any = object()
    for attempt in (step.complete, step.set_data, run.complete):
        with pytest.raises(InvalidRecord):
            attempt(nonsense)
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
def test_an_option_is_refused_by_name(server: Server, name: str, value: object) -> None:
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


def test_a_message_is_cut_between_characters() -> None:
    assert cut("ü" * 10, 20) == "ü" * 10
    assert cut("ü" * 11, 20) == "ü" * 8 + "…"
    assert cut("a" + "ü" * 11, 20) == "a" + "ü" * 8 + "…"


def test_messages_of_steps_and_runs_are_cut(server: Server, writer: Writer, id: str) -> None:
    run = writer.start_run("flow", execution_id=id)
    run.start_step("step").fail("a" + "ü" * 10_000)
    run.fail("a" + "ü" * 1_000)
    details = server.details(id)
    assert details["steps"][0]["errorMessage"] == "a" + "ü" * 8_190 + "…"
    assert details["metadata"]["errorMessage"] == "a" + "ü" * 510 + "…"


def test_times_have_three_digits() -> None:
    assert time_text(0) == "1970-01-01T00:00:00.000Z"
    assert time_text(1_771_324_200_999) == "2026-02-17T10:30:00.999Z"


def test_durations_are_not_negative_when_the_clock_is_set_back(
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


def test_a_step_ends_in_one_way(server: Server, writer: Writer, id: str) -> None:
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
