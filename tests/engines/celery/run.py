"""Celery, with a worker of two processes and a broker in the file system.

Usage: run.py <scenario> <truth file>

default      producer and worker are instrumented
span-links   the same with use_span_links=True
worker-only  only the worker is instrumented
endings      as default, with tasks that are revoked, killed or too slow
"""

import json
import os
import pathlib
import subprocess
import sys
import time
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


def start_endings():
    """Starts tasks that end in other ways than the tasks of `start`."""
    from shop import app, hurry, rush, wait

    killed = wait.delay(30)
    time.sleep(3)
    app.control.revoke(killed.id, terminate=True)
    yield "killed", killed
    # It waits in the worker when it is revoked.
    revoked = wait.apply_async((1,), countdown=3)
    time.sleep(1)
    app.control.revoke(revoked.id)
    yield "revoked", revoked
    yield "soft time limit", hurry.delay(5)
    yield "time limit", rush.delay(5)


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
        bad = [step for step in steps if step["status"] != "COMPLETED"]
        runs.append({
            "id": steps[0]["id"],
            "flow": steps[0]["name"],
            "canvas": name,
            "status": bad[0]["status"] if bad else "COMPLETED",
            "error": bad[0]["error"] if bad else None,
            "end": steps[-1]["end"],
            "steps": steps,
        })  # fmt: skip
    return runs


def read_task(task):
    succeeded = task["status"] == "SUCCESS"
    return {
        "id": task["task_id"],
        "name": task.get("name"),
        "status": STATUSES[task["status"]],
        "engineStatus": task["status"],
        "end": truth.milliseconds(task["date_done"]),
        "attempts": task.get("retries", 0) + 1,
        "input": {"args": task.get("args"), "kwargs": task.get("kwargs")},
        "output": task["result"] if succeeded else None,
        "error": None if succeeded else " ".join(map(str, task["result"]["exc_message"])),
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
        for name, result in (start_endings if scenario == "endings" else start)():
            truth.wait_for("the result", result.ready)
            results[name] = ids(result)
        if provider:
            provider.shutdown()
    truth.write(path, "celery", scenario, "Celery's result backend", read_runs(results))


main()
