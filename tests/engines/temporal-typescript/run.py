"""Temporal's SDK for TypeScript, with a development server.

Usage: run.py <scenario> <truth file>

plugin       OpenTelemetryPlugin on client and worker
worker-only  OpenTelemetryPlugin on the worker; the client sends no trace
"""

import pathlib
import subprocess
import sys

import truth

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "temporal"))

import history  # noqa: E402
import server  # noqa: E402


def main():
    scenario, path = sys.argv[1:]
    with server.start() as (address, namespace):
        subprocess.run(["node", HERE / "main.mjs", scenario, address], check=True)
        runs = history.read(namespace, count=5)
    truth.write(path, "temporal-typescript", scenario, history.SOURCE, runs)


main()
