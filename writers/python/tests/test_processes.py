"""Records when a process ends, is killed or is forked."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator

import pytest

from server import DEADLINE, Server

HEADER = """
import os, sys, time
from flowtrail_writer import ForkedProcess, Writer
id = sys.argv[1]
"""


@pytest.fixture
def environment(server: Server) -> Iterator[dict[str, str]]:
    yield os.environ | {
        "AWS_ENDPOINT_URL_DYNAMODB": server.table_url,
        "AWS_REGION": "local",
        "AWS_DEFAULT_REGION": "local",
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "any",
    }


def program(body: str, id: str) -> list[str]:
    return [sys.executable, "-c", HEADER + textwrap.dedent(body), id]


def test_the_run_of_a_killed_process_is_readable(
    server: Server, environment: dict[str, str], id: str
) -> None:
    body = """
        writer = Writer("flowtrail", flush_after=0.01)
        run = writer.start_run("flow", execution_id=id)
        number = 0
        while True:
            with run.start_step(f"{number:06}", input="large " * 2_000):
                pass
            if number % 50 == 0:
                writer.flush()
                print(f"{number:06}", flush=True)
            number += 1
    """
    child = subprocess.Popen(program(body, id), env=environment, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    flushed = [child.stdout.readline().strip() for _ in range(4)]
    child.send_signal(signal.SIGKILL)
    flushed += child.stdout.read().split()
    child.stdout.close()
    child.wait(DEADLINE)
    details = server.details(id)
    assert "warnings" not in details
    assert details["metadata"]["status"] == "RUNNING"
    steps = {step["stepId"]: step for step in details["steps"]}
    last = int(flushed[-1])
    assert last >= 150
    for number in range(last + 1):
        step = steps[f"{number:06}"]
        assert step["status"] == "COMPLETED"
        assert step["input"] == "large " * 2_000


@pytest.mark.parametrize("end", ["pass", "sys.exit(3)", "raise SystemError"])
def test_accepted_records_are_written_at_exit(
    server: Server, environment: dict[str, str], id: str, end: str
) -> None:
    body = f"""
        run = Writer("flowtrail", flush_after=3600).start_run("flow", execution_id=id)
        run.start_step("step").complete()
        {end}
    """
    subprocess.run(program(body, id), env=environment, timeout=DEADLINE, stderr=subprocess.DEVNULL)
    [step] = server.details(id)["steps"]
    assert step["status"] == "COMPLETED"


def test_an_outage_does_not_keep_a_process_from_ending(
    environment: dict[str, str], id: str
) -> None:
    body = """
        writer = Writer("flowtrail", flush_after=0, write_timeout=1.0)
        run = writer.start_run("flow", execution_id=id)
        run._core.table._name = "away"
        run.start_step("step")
    """
    ended = subprocess.run(
        program(body, id), env=environment, timeout=DEADLINE, capture_output=True, text=True
    )
    assert ended.returncode == 0
    assert "Not all records were written" in ended.stderr


def test_a_forked_process_needs_its_own_writer(
    server: Server, environment: dict[str, str], id: str
) -> None:
    body = """
        used = Writer("flowtrail", flush_after=3600)
        unused = Writer("flowtrail", flush_after=3600)
        run = used.start_run("flow", execution_id=id)
        step = run.start_step("parent")
        # Simulates another thread that holds all locks during the fork.
        used._core.buffer._changed.acquire()
        used._core.buffer._turn.acquire()
        step._lock.acquire()
        run._ending.acquire()
        child = os.fork()
        if child == 0:
            attempts = [
                used.flush, used.close, run.heartbeat, run.complete, step.complete,
                lambda: run.start_step("child"), lambda: step.start_subflow("flow"),
                lambda: step.set_data(1), lambda: used.start_run("flow"),
            ]
            for attempt in attempts:
                try:
                    attempt()
                    sys.exit(1)
                except ForkedProcess:
                    pass
            unused.start_run("flow", execution_id=id + "-child").start_step("child").complete()
            sys.exit(0)
        used._core.buffer._changed.release()
        used._core.buffer._turn.release()
        step._lock.release()
        run._ending.release()
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        step.complete()
        unused.start_run("flow", execution_id=id + "-parent").complete()
    """
    subprocess.run(program(body, id), env=environment, timeout=DEADLINE, check=True)
    assert [step["stepId"] for step in server.details(id)["steps"]] == ["parent"]
    assert [step["stepId"] for step in server.details(f"{id}-child")["steps"]] == ["child"]
    assert server.details(f"{id}-parent")["metadata"]["status"] == "COMPLETED"
