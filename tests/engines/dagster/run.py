"""Dagster, with jobs started by its command line.

Usage: run.py <scenario> <truth file>

multiprocess  each op runs in a process of its own, which is Dagster's default
in-process    all ops of a run share a process
"""

import os
import pathlib
import subprocess
import sys

import truth
from dagster import DagsterInstance

SHOP = pathlib.Path(__file__).parent / "shop.py"
STATUSES = {"SUCCESS": "COMPLETED", "FAILURE": "FAILED", "CANCELED": "CANCELLED", "SKIPPED": "SKIPPED"}


def read_runs():
    with DagsterInstance.get() as instance:
        records = sorted(instance.get_run_records(), key=lambda record: record.create_timestamp)
        return [read_run(instance, record) for record in records]


def read_run(instance, record):
    run = record.dagster_run
    status = run.status.value
    statistics = instance.get_run_step_stats(run.run_id)
    failures = [
        root_message(entry.dagster_event.event_specific_data.error)
        for entry in instance.all_logs(run.run_id)
        if entry.dagster_event and entry.dagster_event.is_step_failure
    ]
    return {
        "id": run.run_id,
        "flow": run.job_name,
        "status": STATUSES[status],
        "engineStatus": status,
        "start": truth.milliseconds(record.start_time),
        "end": truth.milliseconds(record.end_time),
        "error": failures[0] if failures else None,
        "steps": [
            {
                "name": step.step_key,
                "status": STATUSES[step.status.value],
                "engineStatus": step.status.value,
                "start": truth.milliseconds(step.start_time),
                "end": truth.milliseconds(step.end_time),
                "attempts": max(1, step.attempts),
            }
            for step in sorted(statistics, key=lambda step: step.start_time)
        ],
    }


def root_message(error):
    """Returns the message of the op's own exception, which Dagster wraps."""
    while error.cause:
        error = error.cause
    return error.message.strip()


def main():
    scenario, path = sys.argv[1:]
    os.environ["DAGSTER_HOME"] = os.getcwd()
    # Without telemetry to the makers of Dagster.
    pathlib.Path("dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    jobs = ["order", "shipping"] if scenario == "multiprocess" else ["order_in_process"]
    for job in jobs:
        # A failed job is a failed command.
        subprocess.run(["dagster", "job", "execute", "--python-file", SHOP, "--job", job])
    truth.write(path, "dagster", scenario, "Dagster's instance: runs and step statistics", read_runs())


main()
