"""Airflow, with a scheduler, a DAG processor and an API server.

Usage: run.py <scenario> <truth file>

default   one span for each run and for each try of a task
detailed  airflow/task_span_detail_level is 2 in the runs' configuration
"""

import os
import pathlib
import subprocess
import sys
from contextlib import ExitStack, contextmanager

import truth

DAGS = pathlib.Path(__file__).parent / "dags"
STATUSES = {
    "success": "COMPLETED",
    "failed": "FAILED",
    "upstream_failed": "SKIPPED",
    "skipped": "SKIPPED",
    "running": "RUNNING",
    "queued": "PENDING",
}
SECONDS_TO_START = 180
SECONDS_TO_RUN = 300
SECONDS_TO_STOP = 30


def environment(port):
    url = f"http://127.0.0.1:{port}"
    home = os.getcwd()
    return os.environ | {
        "AIRFLOW_HOME": home,
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API_AUTH__JWT_SECRET": "only-for-this-run-" * 4,
        "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
        "AIRFLOW__TRACES__OTEL_ON": "True",
        "OTEL_SERVICE_NAME": "airflow",
        "OTEL_TRACES_EXPORTER": "otlp_proto_http",
    }


@contextmanager
def service(variables, *command):
    log = pathlib.Path(f"{command[0]}.log")
    with log.open("w") as output, subprocess.Popen(
        ["airflow", *command], env=variables, stdout=output, stderr=subprocess.STDOUT
    ) as process:
        try:
            yield
        except Exception:
            print(log.read_text()[-3000:], file=sys.stderr)
            raise
        finally:
            stop(process)


def stop(process):
    process.terminate()
    try:
        process.wait(SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        # The scheduler sometimes waits for a worker that never ends.
        process.kill()


def run_dags(url, scenario):
    def started():
        # Without a password, because all are admins.
        return truth.get(f"{url}/auth/token")["access_token"]

    token = truth.wait_for("the API server", started, SECONDS_TO_START)
    dags = f"{url}/api/v2/dags"

    def parsed():
        return truth.get(dags, token)["total_entries"] == 2

    truth.wait_for("the DAGs", parsed, SECONDS_TO_START)
    configuration = {"orderId": "o-1"}
    if scenario == "detailed":
        configuration["airflow/task_span_detail_level"] = 2
    for dag in ["order", "shipping"]:
        truth.request("PATCH", f"{dags}/{dag}", {"is_paused": False}, token)
        trigger = {"dag_run_id": f"{dag}-1", "logical_date": None, "conf": configuration}
        truth.post(f"{dags}/{dag}/dagRuns", trigger, token)
    for dag in ["order", "shipping"]:
        run = f"{dags}/{dag}/dagRuns/{dag}-1"
        truth.wait_for(run, lambda: truth.get(run, token)["end_date"], SECONDS_TO_RUN)
    return [read_run(f"{dags}/{dag}/dagRuns/{dag}-1", token) for dag in ["order", "shipping"]]


def read_run(url, token):
    run = truth.get(url, token)
    tasks = truth.get(f"{url}/taskInstances?order_by=start_date", token)["task_instances"]
    return {
        "id": run["dag_run_id"],
        "flow": run["dag_id"],
        "status": STATUSES[run["state"]],
        "engineStatus": run["state"],
        "trigger": run["run_type"],
        "queued": truth.milliseconds(run["queued_at"]),
        "start": truth.milliseconds(run["start_date"]),
        "end": truth.milliseconds(run["end_date"]),
        "input": run["conf"],
        "steps": [read_task(url, task, token) for task in tasks],
    }


def read_task(run_url, task, token):
    url = f"{run_url}/taskInstances/{task['task_id']}"
    mapped = task["map_index"] >= 0
    tries = truth.get(f"{url}/{task['map_index']}/tries" if mapped else f"{url}/tries", token)
    values = truth.get(f"{url}/xcomEntries?xcom_key=return_value&map_index={task['map_index']}", token)
    output = None
    if values["total_entries"]:
        entry = f"{url}/xcomEntries/return_value?map_index={task['map_index']}"
        output = truth.get(entry, token)["value"]
    return {
        "id": task["id"],
        "name": task["task_id"],
        "mapIndex": task["map_index"] if mapped else None,
        "status": STATUSES[task["state"]],
        "engineStatus": task["state"],
        "start": truth.milliseconds(task["start_date"]),
        "end": truth.milliseconds(task["end_date"]),
        "attempts": task["try_number"],
        "output": output,
        "tries": [
            {
                "number": one["try_number"],
                "engineStatus": one["state"],
                "start": truth.milliseconds(one["start_date"]),
                "end": truth.milliseconds(one["end_date"]),
            }
            for one in tries["task_instances"]
        ],
    }


def main():
    scenario, path = sys.argv[1:]
    port = truth.free_port()
    variables = environment(port)
    subprocess.run(
        ["airflow", "db", "migrate"], env=variables, check=True, stdout=subprocess.DEVNULL
    )
    with ExitStack() as services:
        # They are stopped in the opposite order: the scheduler's workers need the API.
        for command in [
            ["api-server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"],
            ["dag-processor"],
            # Without the server for logs, which would listen on all interfaces.
            ["scheduler", "--skip-serve-logs"],
        ]:
            services.enter_context(service(variables, *command))
        runs = run_dags(f"http://127.0.0.1:{port}", scenario)
    truth.write(path, "airflow", scenario, "Airflow's REST API: runs, task instances, tries", runs)


main()
