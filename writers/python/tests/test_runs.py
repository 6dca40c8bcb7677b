"""Runs: their team, their end, and the answers to an engine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from flowtrail_writer import (
    Ended,
    IdTaken,
    InvalidRecord,
    OtherTeam,
    RecordRefused,
    RunEnded,
    Writer,
    WriterClosed,
)
from proxy import Mode, Proxy
from server import DEADLINE, Server, eventually


def count_requests(client: Any) -> Counter[str]:
    """Counts the requests of a client from now on, by operation."""
    requests: Counter[str] = Counter()

    def count(event_name: str, **_: Any) -> None:
        requests[event_name.rsplit(".", 1)[1]] += 1

    client.meta.events.register("before-send.dynamodb", count)
    return requests


def test_a_run_of_eight_steps_needs_three_requests(
    server: Server, make_writer: Callable[..., Writer], id: str
) -> None:
    client = server.client()
    requests = count_requests(client)
    run = make_writer(client, flush_after=60).start_run("flow", execution_id=id, input={"a": 1})
    for number in range(8):
        with run.start_step(f"step-{number}", input=number) as step:
            step.complete(number)
    assert run.complete(context={"b": 2}) is None
    assert requests == {"PutItem": 1, "BatchWriteItem": 1, "UpdateItem": 1}
    assert len(server.details(id)["steps"]) == 8


def test_records_are_sent_without_a_flush(
    server: Server, make_writer: Callable[..., Writer], id: str
) -> None:
    run = make_writer(flush_after=0.01).start_run("flow", execution_id=id)
    step = run.start_step("step")
    eventually(lambda: server.details(id)["steps"] or None, "the running step")
    step.complete()
    eventually(lambda: server.details(id)["steps"][0]["status"] == "COMPLETED" or None, "its end")


def test_a_step_is_identified_by_its_id_and_start(
    server: Server, make_writer: Callable[..., Writer], id: str
) -> None:
    began = datetime(2026, 2, 17, 11, 30, tzinfo=timezone(timedelta(hours=1)))
    for _ in range(2):
        run = make_writer().start_run("flow", execution_id=id)
        run.start_step("step", id="step", start_time=began).complete()
        run.fork("fork", id="fork", start_time=began).join()
    run.complete()
    steps = server.details(id)["steps"]
    assert [(step["stepInstanceId"], step["startTime"]) for step in steps] == [
        ("fork", "2026-02-17T10:30:00.000Z"),
        ("step", "2026-02-17T10:30:00.000Z"),
    ]
    assert all(step["durationMs"] > 0 for step in steps)


def test_an_open_run_is_resumed_without_changes(server: Server, writer: Writer, id: str) -> None:
    first = writer.start_run("flow", execution_id=id, flow_name="First", input=1)
    first.start_step("step").complete()
    writer.flush()
    before = server.records(id)
    again = writer.start_run("flow", execution_id=id, flow_name="Second", input=2)
    writer.flush()
    assert (first.resumed, again.resumed) == (False, True)
    assert again.created_at == first.created_at
    assert again.start_time == first.start_time
    assert server.records(id) == before

    again.start_step("unnumbered")
    again.start_step("numbered", sequence_number=5)
    again.start_step("next")
    branch = again.fork("fork").branch("branch")
    branch.start_step("in-a-branch")
    assert again.complete() is None
    numbers = {
        record["stepId"]: record.get("sequenceNumber")
        for record in server.records(id)
        if "stepId" in record
    }
    assert numbers == {
        "step": 1,
        "unnumbered": None,
        "numbered": 5,
        "next": 6,
        "fork": 7,
        "in-a-branch": 1,
    }
    metadata = server.details(id)["metadata"]
    assert metadata["stepSummary"] is None
    assert metadata["durationMs"] is not None


def test_an_ended_run_is_not_started_again(server: Server, writer: Writer, id: str) -> None:
    writer.start_run("flow", execution_id=id).cancel(by="me", reason="no need")
    with pytest.raises(RunEnded, match="CANCELLED") as raised:
        writer.start_run("flow", execution_id=id)
    end_time = server.details(id)["metadata"]["endTime"]
    assert raised.value.ended == Ended("CANCELLED", "me", "no need", end_time)


@pytest.mark.parametrize("is_open", [True, False])
def test_the_id_of_another_flow_is_taken(writer: Writer, id: str, is_open: bool) -> None:
    run = writer.start_run("flow", execution_id=id)
    if not is_open:
        run.complete()
    with pytest.raises(IdTaken, match="another flow") as raised:
        writer.start_run("other", execution_id=id)
    assert not isinstance(raised.value, OtherTeam)


@pytest.mark.parametrize("is_open", [True, False])
def test_a_team_cannot_take_over_a_run_of_another(
    server: Server, writer: Writer, id: str, is_open: bool
) -> None:
    victim = writer.start_run("flow", execution_id=id, team_id="victim", input={"secret": 1})
    if not is_open:
        victim.complete()
    writer.flush()
    before = server.records(id)
    with pytest.raises(OtherTeam, match=f"{id} belongs to another team") as raised:
        writer.start_run("flow", execution_id=id, team_id="thief", input={"mine": 2})
    assert isinstance(raised.value, IdTaken)
    parent = writer.start_run("flow", team_id="thief")
    with pytest.raises(OtherTeam):
        parent.start_step("step").start_subflow("flow", execution_id=id)
    writer.flush()
    assert server.records(id) == before


@pytest.mark.parametrize("write", ["heartbeat", "complete", "fail", "cancel"])
def test_an_id_that_another_team_reused_is_not_written(
    server: Server, writer: Writer, id: str, write: str
) -> None:
    run = writer.start_run("flow", execution_id=id, team_id="first")
    assert run.heartbeat() is None
    key = {"pk": {"S": f"EXEC#{id}"}, "sk": {"S": "EXECUTION"}}
    server.own_client.delete_item(TableName="flowtrail", Key=key)
    assert run.heartbeat() == Ended(None)
    writer.start_run("flow", execution_id=id, team_id="second")
    before = server.records(id)
    for _ in range(2):
        with pytest.raises(OtherTeam):
            run.fail("late") if write == "fail" else getattr(run, write)()
    assert server.records(id) == before


@pytest.mark.parametrize("finish", ["complete", "fail", "cancel", "heartbeat"])
def test_a_cancel_through_the_api_is_reported(
    server: Server, writer: Writer, id: str, finish: str
) -> None:
    run = writer.start_run("flow", execution_id=id)
    assert run.heartbeat() is None
    assert run.ended() is None
    assert server.details(id)["metadata"]["heartbeatAt"] is not None
    server.request(f"/api/executions/{id}/cancel", "POST", {"reason": "withdrawn"})
    before = server.records(id)
    ended = run.fail("why") if finish == "fail" else getattr(run, finish)()
    assert ended is not None
    assert (ended.status, ended.cancel_reason) == ("CANCELLED", "withdrawn")
    assert ended.cancelled_by is not None and ended.cancelled_by.startswith("token:")
    assert ended.end_time == server.details(id)["metadata"]["endTime"]
    assert run.ended() == ended
    assert server.records(id) == before


def test_a_deleted_run_is_not_written_again(server: Server, writer: Writer, id: str) -> None:
    run = writer.start_run("flow", execution_id=id)
    server.client().delete_item(
        TableName="flowtrail", Key={"pk": {"S": f"EXEC#{id}"}, "sk": {"S": "EXECUTION"}}
    )
    assert run.heartbeat() == Ended(None)
    assert run.complete() == Ended(None)
    assert server.records(id) == []


def test_a_second_end_of_a_run_changes_nothing(server: Server, writer: Writer, id: str) -> None:
    run = writer.start_run("flow", execution_id=id)
    assert run.complete(output="first") is None
    before = server.records(id)
    assert run.fail("second", output="second") is None
    assert run.cancel() is None
    assert server.records(id) == before
    ended = run.heartbeat()
    assert ended is not None and ended.status == "COMPLETED"


def test_the_first_of_two_ends_counts(writer: Writer, id: str) -> None:
    run = writer.start_run("flow", execution_id=id)
    other = writer.start_run("flow", execution_id=id)
    assert other.cancel(by="other") is None
    for _ in range(2):
        ended = run.complete()
        assert ended is not None
        assert (ended.status, ended.cancelled_by) == ("CANCELLED", "other")


def test_writes_with_lost_answers_are_recognized(
    server: Server, proxy: Proxy, make_writer: Callable[..., Writer], id: str
) -> None:
    # Only the answer to the write itself is lost; later answers arrive.
    def lose_one() -> None:
        proxy.mode = Mode.LOSE_ANSWERS

        def recover(**_: Any) -> None:
            proxy.mode = Mode.PASS

        client.meta.events.register_first("needs-retry.dynamodb", recover, unique_id="recover")

    client = server.client(proxy.url)
    # boto3's own retries are off, so only the writer retries.
    writer = make_writer(client)
    lose_one()
    run = writer.start_run("flow", execution_id=id, flow_version=3, labels={"a": "b"})
    assert proxy.met.acquire(timeout=DEADLINE)
    assert not run.resumed
    step = run.start_step("step")
    lose_one()
    writer.flush()
    assert proxy.met.acquire(timeout=DEADLINE)
    lose_one()
    assert run.heartbeat() is None
    assert proxy.met.acquire(timeout=DEADLINE)
    step.complete()
    writer.flush()
    lose_one()
    assert run.fail("why") is None
    assert proxy.met.acquire(timeout=DEADLINE)
    assert run.ended() is None
    details = server.details(id)
    assert details["metadata"]["status"] == "FAILED"
    assert details["metadata"]["stepSummary"] == {"total": 1, "passed": 1, "failed": 0}
    assert details["steps"][0]["status"] == "COMPLETED"


def test_a_sub_flow_belongs_to_its_step(server: Server, writer: Writer, id: str) -> None:
    run = writer.start_run("flow", execution_id=id, team_id="team")
    with run.start_step("step") as step:
        with step.start_subflow("below", execution_id=f"{id}-sub", input=1) as sub:
            sub.start_step("inner").complete()
        assert sub.team_id == "team"
    run.complete()
    [execution, payload, _] = server.records(f"{id}-sub")
    assert execution["executionType"] == "SUBFLOW"
    assert execution["parentExecutionId"] == id
    assert execution["parentStepInstanceId"] == step.id
    assert payload["value"] == 1
    assert execution["stepSummary"] == {"total": 1, "passed": 1, "failed": 0}
    [execution, record] = server.records(id)
    assert record["subflowExecutionId"] == f"{id}-sub"
    assert execution["stepSummary"] == {"total": 1, "passed": 1, "failed": 0}


def test_a_step_below_another_one_names_only_its_parent(
    server: Server, writer: Writer, id: str
) -> None:
    run = writer.start_run("flow", execution_id=id)
    fork = run.fork("fork", id="fork")
    with run.start_step("top", id="top") as top:
        run.start_step("below", id="n-1", parent=top).complete()
        fork.branch("branch").start_step("below", id="n-2", parent=top).complete()
        run.start_step("below", id="n-3", parent="unknown").complete()
        run.fork("below", id="n-4", parent=fork).join()
    run.complete()
    below = [record for record in server.records(id) if record.get("stepId") == "below"]
    assert all(record["sk"].startswith("STEP#") for record in below)
    assert not any("branchExecutionId" in record for record in below)
    places = {
        record["stepInstanceId"]: (record["parentStepInstanceId"], record.get("sequenceNumber"))
        for record in below
    }
    expected = {"n-1": ("top", 1), "n-2": ("top", 2), "n-3": ("unknown", None), "n-4": ("fork", 1)}
    assert places == expected
    with pytest.raises(InvalidRecord, match="^parent: use a step of the same run$"):
        writer.start_run("flow").start_step("other", parent=top)


def test_an_exception_fails_the_runs_and_steps_it_leaves(
    server: Server, writer: Writer, id: str
) -> None:
    class Silent(Exception):
        pass

    with pytest.raises(LookupError, match="no such order"):
        with writer.start_run("flow", execution_id=id) as run:
            with pytest.raises(Silent):
                with run.start_step("step"):
                    raise Silent
            with run.start_step("ended-before") as step:
                step.skip()
            with run.fork("fork") as fork:
                with fork.branch("branch").start_step("inner"):
                    raise LookupError("no such order")
    details = server.details(id)
    assert details["metadata"]["errorMessage"] == "no such order"
    assert {step["stepId"]: step["errorMessage"] for step in details["steps"]} == {
        "step": "Silent",
        "ended-before": None,
        "fork": "no such order",
    }
    assert details["metadata"]["stepSummary"] == {"total": 4, "passed": 0, "failed": 3}


def test_a_normal_end_of_a_block_completes_it(server: Server, writer: Writer, id: str) -> None:
    with writer.start_run("flow", execution_id=id) as run:
        with run.fork("fork") as fork:
            with fork.branch("branch").start_step("inner"):
                pass
    details = server.details(id)
    assert details["metadata"]["status"] == "COMPLETED"
    assert details["steps"][0]["status"] == "COMPLETED"
    assert details["metadata"]["stepSummary"] == {"total": 2, "passed": 2, "failed": 0}


def test_a_refused_record_does_not_affect_the_others(
    server: Server, writer: Writer, id: str
) -> None:
    run = writer.start_run("flow", execution_id=id)
    run.start_step("good").complete()
    refused = run.start_step("bad", name="x" * 500_000)
    run.start_step("good-too").complete()
    with pytest.raises(RecordRefused, match="400|size") as raised:
        run.complete()
    [refusal] = raised.value.refusals
    assert refusal.pk == f"EXEC#{id}"
    assert refusal.sk.endswith(refused.id)
    details = server.details(id)
    assert details["metadata"]["status"] == "COMPLETED"
    # The refusal is reported only once.
    assert run.complete() is None
    writer.flush()
    assert {step["stepId"] for step in details["steps"]} == {"good", "good-too"}


def test_a_refused_run_is_not_started(writer: Writer, id: str) -> None:
    with pytest.raises(RecordRefused):
        writer.start_run("flow", execution_id=id, flow_name="x" * 500_000)


def test_a_missing_table_is_reported_without_retries(server: Server) -> None:
    client = server.client()
    with Writer("no-such-table", client) as writer:
        with pytest.raises(client.exceptions.ResourceNotFoundException):
            writer.start_run("flow")


def test_a_closed_writer_writes_nothing(server: Server, id: str) -> None:
    with Writer("flowtrail", server.client()) as writer:
        run = writer.start_run("flow", execution_id=id)
        step = run.start_step("step")
    writer.close()
    before = server.records(id)
    assert len(before) == 2
    for attempt in (
        writer.flush,
        run.heartbeat,
        run.complete,
        step.complete,
        lambda: step.set_data(1),
        lambda: run.start_step("step"),
        lambda: run.fork("fork"),
        lambda: step.start_subflow("flow"),
        lambda: writer.start_run("flow"),
    ):
        with pytest.raises(WriterClosed):
            attempt()
    assert server.records(id) == before
