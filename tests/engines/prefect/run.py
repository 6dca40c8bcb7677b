"""Prefect, with a server and flows that run in a process of their own.

Usage: run.py <scenario> <truth file>

own-sdk  the program sets up the OpenTelemetry SDK
endings  as own-sdk, with flows that are cancelled, time out, …
plugin   the package prefect-otel sets it up, as a plugin of Prefect
"""

import os
import pathlib
import subprocess
import sys
from contextlib import contextmanager

import truth

FLOWS = pathlib.Path(__file__).parent / "flows.py"
STATUSES = {
    "COMPLETED": "COMPLETED",
    "FAILED": "FAILED",
    "CRASHED": "FAILED",
    "CANCELLED": "CANCELLED",
    "RUNNING": "RUNNING",
}


@contextmanager
def server():
    port = truth.free_port()
    url = f"http://127.0.0.1:{port}/api"
    # Without these variables, the server exports no spans of its own.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("OTEL_")}
    command = ["prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port), "--no-ui"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            truth.wait_for("the server", lambda: truth.get(f"{url}/health"), seconds=120)
            yield url
        finally:
            process.terminate()


def read_runs(url):
    flows = {one["id"]: one["name"] for one in truth.post(f"{url}/flows/filter", {})}
    runs = truth.post(f"{url}/flow_runs/filter", {"sort": "START_TIME_ASC"})
    tasks = truth.post(f"{url}/task_runs/filter", {})
    tasks.sort(key=lambda one: one["start_time"])
    of_task = {one["id"]: one["flow_run_id"] for one in tasks}
    return [
        {
            **read_run(url, run, "flow_runs"),
            "flow": flows[run["flow_id"]],
            "parent": of_task.get(run["parent_task_run_id"]),
            "parentStep": run["parent_task_run_id"],
            "steps": [
                read_run(url, task, "task_runs") | {"subflow": task["state"]["state_details"]["child_flow_run_id"]}
                for task in tasks
                if task["flow_run_id"] == run["id"]
            ],
        }
        for run in runs
    ]


def read_run(url, run, kind):
    status = run["state_type"]
    states = truth.get(f"{url}/{kind.removesuffix('s')}_states/?{kind.removesuffix('s')}_id={run['id']}")
    states.sort(key=lambda state: state["timestamp"])
    return {
        "id": run["id"],
        "name": run["name"],
        "status": STATUSES[status],
        "engineStatus": run["state_name"],
        "start": truth.milliseconds(run["start_time"]),
        "end": truth.milliseconds(run["end_time"]),
        "attempts": run["run_count"],
        "input": run.get("parameters") or None,
        "error": run["state"]["message"] if STATUSES[status] == "FAILED" else None,
        "states": [
            {"name": state["name"], "time": truth.milliseconds(state["timestamp"]), "message": state["message"]}
            for state in states
        ],
    }


def main():
    scenario, path = sys.argv[1:]
    with server() as url:
        environment = os.environ | {"PREFECT_API_URL": url, "OTEL_SERVICE_NAME": "shop"}
        command = ["python", FLOWS]
        if scenario == "plugin":
            environment |= {"PREFECT_PLUGINS_ENABLED": "1", "OTEL_TRACES_EXPORTER": "otlp"}
        else:
            command.append("--own-sdk")
        if scenario == "endings":
            command.append("--endings")
        subprocess.run(command, check=True, env=environment)

        def all_ended():
            # Task runs reach the server as events, a little later than flow runs.
            tasks = truth.post(f"{url}/task_runs/filter", {})
            return len(tasks) >= (3 if scenario == "endings" else 7) and all(task["end_time"] for task in tasks)

        truth.wait_for("the end of all task runs", all_ended)
        runs = read_runs(url)
    truth.write(path, "prefect", scenario, "Prefect's API: flow runs, task runs and their states", runs)


main()
