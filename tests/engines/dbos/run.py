"""DBOS, with a database in a file.

Usage: run.py <scenario> <truth file>

legacy     the attributes' default names, such as operationUUID
semconv    otel_attribute_format="semconv", with names such as dbos.operation.workflow_id
endings    a workflow that is cancelled, and one that times out
recovered  a process dies in a workflow, and the next process continues it
"""

import os
import subprocess
import sys
import time

import shop
import truth
from dbos import DBOS, SetWorkflowID, SetWorkflowTimeout
from opentelemetry import trace

STATUSES = {
    "SUCCESS": "COMPLETED",
    "ERROR": "FAILED",
    "CANCELLED": "CANCELLED",
    "PENDING": "RUNNING",
    "ENQUEUED": "PENDING",
}


def launch(scenario):
    endpoint = os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"]
    DBOS(config={
        "name": "shop",
        "system_database_url": "sqlite:///shop.sqlite",
        "enable_otlp": True,
        "otlp_traces_endpoints": [f"{endpoint}/v1/traces"],
        "otel_attribute_format": "semconv" if scenario == "semconv" else "legacy",
        "run_admin_server": False,
        "executor_id": "executor-1",
        "application_version": "1.2.0",
    })  # fmt: skip
    DBOS.launch()
    DBOS.register_queue("shipments", polling_interval_sec=0.2)


def start_all():
    with SetWorkflowID("order-1"):
        shop.order("o-1", ["pen", "paper"])
    with SetWorkflowID("payment-1"):
        shop.payment(9.5)
    with SetWorkflowID("shipping-1"):
        handle = DBOS.start_workflow(shop.shipping, "Atlantis")
    try:
        handle.get_result()
    except ValueError:
        pass
    with SetWorkflowID("checkout-1"):
        shop.checkout("o-2")


def start_endings():
    with SetWorkflowID("cancelled-1"):
        cancelled = DBOS.start_workflow(shop.waiting, "pen")
    with SetWorkflowID("late-1"), SetWorkflowTimeout(1):
        late = DBOS.start_workflow(shop.waiting, "cup")
    time.sleep(1)
    DBOS.cancel_workflow("cancelled-1")
    for handle in (cancelled, late):
        try:
            handle.get_result()
        except Exception as error:
            print(repr(error))


def read_runs():
    runs = DBOS.list_workflows(load_input=True, load_output=True)
    return [read_run(run) for run in sorted(runs, key=lambda run: run.created_at)]


def read_run(run):
    return {
        "id": run.workflow_id,
        "flow": run.name,
        "status": STATUSES[run.status],
        "engineStatus": run.status,
        "created": truth.milliseconds(seconds(run.created_at)),
        "start": truth.milliseconds(seconds(run.dequeued_at or run.created_at)),
        "end": truth.milliseconds(seconds(run.completed_at)),
        "parent": run.parent_workflow_id,
        "queue": run.queue_name,
        "input": {"args": run.input["args"], "kwargs": run.input["kwargs"]},
        "output": run.output,
        "error": str(run.error) if run.error else None,
        "steps": [read_step(step) for step in DBOS.list_workflow_steps(run.workflow_id)],
    }


def read_step(step):
    failed = step["error"] is not None
    return {
        "id": step["function_id"],
        "name": step["function_name"],
        "status": "FAILED" if failed else "COMPLETED",
        "engineStatus": "ERROR" if failed else "SUCCESS",
        "start": truth.milliseconds(seconds(step.get("started_at_epoch_ms"))),
        "end": truth.milliseconds(seconds(step.get("completed_at_epoch_ms"))),
        "output": step["output"],
        "error": str(step["error"]) if failed else None,
        "subflow": step["child_workflow_id"],
    }


def seconds(milliseconds):
    return None if milliseconds is None else milliseconds / 1000


def main():
    scenario, path = sys.argv[1:3]
    if sys.argv[3:] == ["--die"]:
        launch(scenario)
        with SetWorkflowID("interrupted-1"):
            shop.interrupted("died")
    if scenario == "recovered":
        subprocess.run([sys.executable, __file__, scenario, path, "--die"])
    launch(scenario)
    if scenario == "recovered":
        # The start of DBOS recovers what was pending.
        DBOS.retrieve_workflow("interrupted-1").get_result()
    elif scenario == "endings":
        start_endings()
    else:
        start_all()
    # Workflows end in the database a little after their results are there.
    time.sleep(1)
    runs = read_runs()
    DBOS.destroy()
    trace.get_tracer_provider().shutdown()
    truth.write(path, "dbos", scenario, "DBOS: list_workflows and list_workflow_steps", runs)


main()
