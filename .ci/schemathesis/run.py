"""Tests a live server against its OpenAPI description.

Usage: run.py <flowtrail> [option of schemathesis]...

The server has a temporary table with the demo.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import urllib.request

HERE = pathlib.Path(__file__).parent


def main():
    program, *options = sys.argv[1:]
    with tempfile.TemporaryDirectory() as data:
        ports = ["--port", "0", "--table-port", "0", "--grpc-port", "0"]
        serve = [program, "serve", "--data", data, *ports]
        with subprocess.Popen(serve, stdout=subprocess.PIPE, text=True) as server:
            try:
                url = read_url(server.stdout)
                status = check(url, create_token(program, data), options)
            finally:
                server.terminate()
    sys.exit(status)


def read_url(lines):
    for line in lines:
        if found := re.match(r" +HTTP API +(\S+)", line):
            return found[1]
    sys.exit("the server ended before it printed its URL")


def create_token(program, data):
    create = [program, "token", "create", "--team", "default", "--role", "admin", "--data", data]
    return subprocess.run(
        create, check=True, stdout=subprocess.PIPE, text=True
    ).stdout.split()[-1]


def find_data(url, token):
    """Finds data for the requests: some runs, and a step and a fork with their runs."""

    def get(path):
        request = urllib.request.Request(url + path, headers={"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    found = {"runs": []}
    for item in get("/flow-executions?flowDefinitionId=order-pipeline&limit=100")["data"]["items"]:
        found["runs"].append(item["flowExecutionId"])
    for run in found["runs"]:
        for step in get(f"/flow-executions/{run}")["data"]["steps"]:
            kind = "fork" if step["stepType"] == "PARALLEL_FORK_MANAGER" else "step"
            named = [run, step["stepInstanceId"], step["startTime"]]
            found.setdefault(kind, named)
        if "fork" in found and "step" in found:
            return found
    sys.exit("the demo has no run with both a fork and a step")


def check(url, token, options):
    command = [
        pathlib.Path(sys.executable).with_name("schemathesis"),
        "run", f"{url}/openapi.json",
        "--url", url,
        "--header", f"Authorization: Bearer {token}",
        "--checks", "all",
        "--generation-deterministic",
        "--continue-on-failure",
        *options,
    ]
    environment = os.environ | {
        "SCHEMATHESIS_HOOKS": "hooks",
        "PYTHONPATH": str(HERE),
        "FLOWTRAIL_FOUND": json.dumps(find_data(url, token)),
    }
    return subprocess.run(command, env=environment).returncode


if __name__ == "__main__":
    main()
