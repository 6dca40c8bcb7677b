"""The engines, their scenarios, and how they are installed and run."""

import functools
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target"))

# Where the engines from PyPI are installed, unless a caller chooses another folder. Those from
# npm are in node_modules beside their programs.
FOLDER = TARGET / "ci" / "engines"

# The scenarios of each engine. Its folder has the same name.
ENGINES = {
    "temporal": [
        "plugin",
        "plugin-own-spans",
        "plugin-replayed",
        "interceptor",
        "interceptor-worker-only",
        "interceptor-always",
        "interceptor-replayed",
        "plugin-endings",
        "interceptor-endings",
    ],
    "temporal-typescript": ["plugin", "worker-only"],
    "celery": ["default", "span-links", "worker-only", "endings"],
    "prefect": ["own-sdk", "plugin", "endings"],
    "dbos": ["legacy", "semconv", "recovered", "endings"],
    "dagster": ["multiprocess", "in-process"],
    "pydantic-ai": ["default", "version-2", "no-content"],
    "langgraph": ["default", "hide-input"],
    "openllmetry": ["default", "no-content"],
    "openai": ["default", "content"],
    "openai-v2": ["default", "experimental"],
    "vercel-ai": ["protobuf", "json"],
    "vercel-ai-7": ["default", "legacy"],
    "bullmq": ["default"],
    "sqs": ["default"],
    "airflow": ["default", "detailed"],
}

# A real exporter sends every five seconds. With a shorter interval, a run of a few seconds
# arrives in several requests, like a run of a few minutes.
EXPORT_INTERVAL_MS = "500"
SECONDS_TO_RUN = 600


def select(names):
    """Returns the engine and scenario of each name, such as `celery` or `temporal/plugin`."""
    chosen = []
    for name in names or ENGINES:
        engine, _, scenario = name.partition("/")
        if engine not in ENGINES or (scenario and scenario not in ENGINES[engine]):
            sys.exit(f"{name} is not an engine or a scenario; choose from {ENGINES}")
        chosen += [(engine, one) for one in ([scenario] if scenario else ENGINES[engine])]
    return chosen


@functools.cache
def install(engine, folder):
    """Installs what the engine needs, unless it is installed, and returns its command."""
    here = HERE / engine
    if (here / "package.json").exists():
        subprocess.run(["npm", "ci", "--silent", "--prefix", here], check=True)
    if (here / "requirements.txt").exists():
        return [install_from_pypi(here / "requirements.txt", folder / engine), here / "run.py"]
    return ["node", here / "run.mjs"]


def install_from_pypi(requirements, environment):
    """Installs the requirements into a virtual environment, and returns its Python."""
    installed = environment / "requirements.txt"
    python = environment / "bin" / "python"
    if not installed.exists() or installed.read_bytes() != requirements.read_bytes():
        shutil.rmtree(environment, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", environment], check=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--requirement", requirements], check=True)
        # Last, so that an incomplete environment is created again.
        shutil.copy(requirements, installed)
    return python


def run(command, scenario, endpoint, truth, headers, log):
    """Runs a scenario, which exports its spans to the endpoint and writes the truth.

    The engine keeps its files in a temporary folder, which is its home and its working
    folder. Its output is written to the log.
    """
    with tempfile.TemporaryDirectory(prefix="engine-") as home, open(log, "w") as output:
        environment = {
            "PATH": f"{pathlib.Path(command[0]).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": home,
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(HERE),
            "PYTHONDONTWRITEBYTECODE": "1",
            "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            "OTEL_EXPORTER_OTLP_HEADERS": headers,
            "OTEL_BSP_SCHEDULE_DELAY": EXPORT_INTERVAL_MS,
            "OTEL_METRICS_EXPORTER": "none",
            "OTEL_LOGS_EXPORTER": "none",
        }
        # In a session of its own, so that nothing outlives it: engines start servers and workers.
        with subprocess.Popen(
            [*command, scenario, truth],
            cwd=home, env=environment, start_new_session=True,
            stdout=output, stderr=subprocess.STDOUT,
        ) as process:  # fmt: skip
            try:
                status = process.wait(SECONDS_TO_RUN)
            finally:
                stop_group(process.pid)
        if status != 0:
            raise subprocess.CalledProcessError(status, [*command, scenario])


def stop_group(group):
    """Stops what is left of a group of processes."""
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        pass
