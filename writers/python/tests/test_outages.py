"""Tables that throttle, refuse connections, or do not answer."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from flowtrail_writer import Run, Unavailable, Writer
from proxy import Mode, Proxy
from server import DEADLINE, Server, eventually


class Raw:
    """The body of a simulated answer."""

    def __init__(self, body: object) -> None:
        self._body = json.dumps(body).encode()

    def stream(self, **_: Any) -> Any:
        yield self._body


def answering(client: Any, operation: str, times: int, status: int, body: object) -> Any:
    """Answers the first requests of a client with a simulated answer."""
    left = [None] * times

    def answer(request: Any, **_: Any) -> Any:
        if not left:
            return None
        left.pop()
        headers = {"Content-Type": "application/x-amz-json-1.0"}
        return AWSResponse(request.url, status, headers, Raw(body))

    client.meta.events.register(f"before-send.dynamodb.{operation}", answer)
    return left


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "ProvisionedThroughputExceededException"),
        (400, "ThrottlingException"),
        (400, "RequestLimitExceeded"),
        (500, "InternalServerError"),
        (503, "ServiceUnavailable"),
    ],
)
def test_throttled_requests_are_retried(
    server: Server, make_writer: Callable[..., Writer], id: str, status: int, code: str
) -> None:
    client = server.client()
    body = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "slow down"}
    left = [
        answering(client, operation, 2, status, body)
        for operation in ("PutItem", "BatchWriteItem", "UpdateItem")
    ]
    run = make_writer(client).start_run("flow", execution_id=id)
    run.start_step("step").complete()
    assert run.complete() is None
    assert left == [[], [], []]
    details = server.details(id)
    assert (details["metadata"]["status"], len(details["steps"])) == ("COMPLETED", 1)


class Halving:
    """A client whose table accepts only half of each batch."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.left = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def batch_write_item(self, RequestItems: dict[str, list[Any]]) -> Any:
        [(table, puts)] = RequestItems.items()
        taken, left = puts[len(puts) // 2 :], puts[: len(puts) // 2]
        self._client.batch_write_item(RequestItems={table: taken})
        self.left += len(left)
        return {"UnprocessedItems": {table: left} if left else {}}


def test_unprocessed_items_are_sent_again(
    server: Server, make_writer: Callable[..., Writer], id: str
) -> None:
    client = Halving(server.client())
    run = make_writer(client, flush_after=60).start_run("flow", execution_id=id)
    for number in range(20):
        run.start_step(f"step-{number}").complete("large " * 2_000 if number == 7 else number)
    assert run.complete() is None
    assert client.left > 0
    assert len(server.details(id)["steps"]) == 20


@pytest.mark.parametrize("mode", [Mode.REFUSE, Mode.HANG])
def test_an_outage_delays_writes_and_loses_no_record(
    server: Server, proxy: Proxy, make_writer: Callable[..., Writer], id: str, mode: Mode
) -> None:
    client = server.client(proxy.url, read_timeout=0.2, connect_timeout=0.2)
    writer = make_writer(client, flush_after=0.01)
    threads = 3
    before, after = threading.Barrier(threads + 1), threading.Event()

    def work(number: int) -> None:
        run = writer.start_run("flow", execution_id=f"{id}-{number}")
        for step in range(60):
            if step == 20:
                before.wait(DEADLINE)
            with run.start_step(f"{number}-{step:02}") as started:
                started.complete("large " * 2_000)
            if step % 15 == 10:
                writer.flush()
                # The flush has reported the records as written, so they are in the table.
                assert completed(server, f"{id}-{number}") == step + 1
            if step > 50:
                after.wait(DEADLINE)
        assert run.heartbeat() is None
        assert run.complete() is None

    workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    before.wait(DEADLINE)
    proxy.mode = mode
    for _ in range(5):
        assert proxy.met.acquire(timeout=DEADLINE)
    proxy.mode = Mode.PASS
    after.set()
    for worker in workers:
        worker.join(DEADLINE)
        assert not worker.is_alive()
    for number in range(threads):
        details = server.details(f"{id}-{number}")
        assert details["metadata"]["status"] == "COMPLETED"
        assert details["metadata"]["stepSummary"] == {"total": 60, "passed": 60, "failed": 0}
        steps = {step["stepId"]: step["output"] for step in details["steps"]}
        assert steps == {f"{number}-{step:02}": "large " * 2_000 for step in range(60)}
        assert "warnings" not in details


def completed(server: Server, execution_id: str) -> int:
    return sum(
        record["status"] == "COMPLETED"
        for record in server.records(execution_id)
        if record["sk"].startswith("STEP#")
    )


@pytest.mark.parametrize("mode", [Mode.REFUSE, Mode.HANG])
def test_calls_time_out_and_buffered_records_are_kept(
    server: Server, proxy: Proxy, id: str, mode: Mode
) -> None:
    # The client's own timeouts are much longer.
    writer = Writer("flowtrail", server.client(proxy.url), write_timeout=1.0)
    run = writer.start_run("flow", execution_id=id)
    proxy.mode = mode
    step = run.start_step("step")
    attempts: list[Callable[[], object]] = [
        lambda: writer.start_run("flow"),
        run.heartbeat,
        writer.flush,
        run.complete,
    ]
    for attempt in attempts:
        began = time.monotonic()
        with pytest.raises(Unavailable):
            attempt()
        assert time.monotonic() - began < 10
    step.complete()
    proxy.mode = Mode.PASS
    eventually(lambda: finished(run), "the end of the run, when the table is back")
    writer.close()
    details = server.details(id)
    assert details["metadata"]["status"] == "COMPLETED"
    assert details["steps"][0]["status"] == "COMPLETED"


def finished(run: Run) -> bool | None:
    try:
        return run.complete() is None or None
    except Unavailable:
        return None


def test_an_end_with_a_lost_answer_is_recognized(
    server: Server, proxy: Proxy, id: str
) -> None:
    now = [1_771_324_200_000]
    writer = Writer("flowtrail", server.client(proxy.url), write_timeout=1.0, clock=lambda: now[0])
    run = writer.start_run("flow", execution_id=id)
    proxy.mode = Mode.LOSE_ANSWERS
    with pytest.raises(Unavailable):
        run.complete()
    proxy.mode = Mode.PASS
    assert server.details(id)["metadata"]["status"] == "COMPLETED"
    now[0] += 60_000
    assert run.complete() is None
    assert server.details(id)["metadata"]["endTime"] == "2026-02-17T10:30:00.000Z"
    writer.close()


def test_a_close_times_out(server: Server, proxy: Proxy, id: str) -> None:
    writer = Writer("flowtrail", server.client(proxy.url), write_timeout=1.0)
    run = writer.start_run("flow", execution_id=id)
    proxy.mode = Mode.HANG
    run.start_step("step")
    with pytest.raises(Unavailable):
        writer.close()
    writer.close()
    assert len(server.records(id)) == 1


def test_an_outage_does_not_hide_an_exception_of_the_flow(
    server: Server, proxy: Proxy, id: str
) -> None:
    with pytest.raises(LookupError, match="of the flow"):
        with Writer("flowtrail", server.client(proxy.url), write_timeout=1.0) as writer:
            with writer.start_run("flow", execution_id=id) as run:
                with run.start_step("step"):
                    proxy.mode = Mode.REFUSE
                    raise LookupError("of the flow")
