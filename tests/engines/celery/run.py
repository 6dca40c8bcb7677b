"""Celery, with a worker of two processes and a broker in the file system.

Usage: run.py <scenario> <truth file>

default      producer and worker are instrumented
span-links   the same with use_span_links=True
worker-only  only the worker is instrumented
"""

import json
import os
import pathlib
import subprocess
import sys
from contextlib import contextmanager

import truth

HERE = pathlib.Path(__file__).parent
STATUSES = {"SUCCESS": "COMPLETED", "FAILURE": "FAILED", "REVOKED": "CANCELLED"}


@contextmanager
def worker():
    command = [
        "celery", "--app", "shop", "worker", "--loglevel", "ERROR", "--concurrency", "2",
        "--without-gossip", "--without-mingle", "--without-heartbeat",
    ]  # fmt: skip
    # Celery warns root; there is no other user on many build machines.
    environment = os.environ | {"C_FORCE_ROOT": "1"}
    environment["PYTHONPATH"] += f":{HERE}"
    with subprocess.Popen(command, env=environment) as process:
        try:
            yield
        finally:
            process.terminate()


def start():
    from celery import chain, chord, group
    from shop import charge, label, notify, pack, reserve, send, ship

    yield "reserve", reserve.delay("pen")
    yield "charge", charge.delay(9.5)
    yield "notify", notify.delay("Ada")
    yield "ship", ship.delay("Atlantis")
    yield "chain", chain(reserve.s("pen"), pack.s("paper"), label.s())()
    yield "group", group(reserve.s("ink"), reserve.s("nib")).apply_async()
    yield "chord", chord([reserve.s("cup"), reserve.s("mug")], send.s())()


def wait(result):
    truth.wait_for("the result", result.ready)


def read_runs(results):
    """Returns one run for each task that the program has sent, with its tasks as steps."""
    tasks = []
    for path in pathlib.Path("results").iterdir():
        if path.name.startswith("celery-task-meta-"):
            tasks.append(json.loads(path.read_text()))
    tasks.sort(key=lambda task: task["date_done"])
    runs = []
    for name, root in results.items():
        steps = [read_task(task) for task in tasks if task["task_id"] in root]
        failed = [step for step in steps if step["status"] == "FAILED"]
        runs.append({
            "id": steps[0]["id"],
            "flow": steps[0]["name"],
            "canvas": name,
            "status": "FAILED" if failed else "COMPLETED",
            "error": failed[0]["error"] if failed else None,
            "end": steps[-1]["end"],
            "steps": steps,
        })  # fmt: skip
    return runs


def read_task(task):
    failed = task["status"] == "FAILURE"
    return {
        "id": task["task_id"],
        "name": task["name"],
        "status": STATUSES[task["status"]],
        "engineStatus": task["status"],
        "end": truth.milliseconds(task["date_done"]),
        "attempts": task["retries"] + 1,
        "input": {"args": task["args"], "kwargs": task["kwargs"]},
        "output": None if failed else task["result"],
        "error": " ".join(task["result"]["exc_message"]) if failed else None,
        "parent": task.get("parent_id"),
        "worker": "worker-1",
    }


def ids(result):
    """Returns the ids of all tasks of a result: of a chain, a group or a chord too."""
    found = set()
    while result is not None:
        if hasattr(result, "children") and result.children and hasattr(result, "results"):
            found |= {child.id for child in result.results}
        else:
            found.add(result.id)
        result = result.parent
    return found


def main():
    scenario, path = sys.argv[1:]
    if scenario == "span-links":
        os.environ["SHOP_SPAN_LINKS"] = "1"
    sys.path.insert(0, str(HERE))
    from shop import start_tracing

    provider = None if scenario == "worker-only" else start_tracing()
    with worker():
        results = {}
        for name, result in start():
            wait(result)
            results[name] = ids(result)
        if provider:
            provider.shutdown()
    truth.write(path, "celery", scenario, "Celery's result backend", read_runs(results))


main()
