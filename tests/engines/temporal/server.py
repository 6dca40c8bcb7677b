"""Temporal's development server."""

from contextlib import contextmanager
from subprocess import Popen

import truth


@contextmanager
def start():
    """Starts a server, and yields its gRPC address and the URL of its namespace in the HTTP API."""
    port, http_port = truth.free_port(), truth.free_port()
    command = [
        "temporal", "server", "start-dev", "--ip", "127.0.0.1", "--headless",
        "--port", str(port), "--http-port", str(http_port), "--log-level", "error",
    ]  # fmt: skip
    with Popen(command) as process:
        try:
            namespace = f"http://127.0.0.1:{http_port}/api/v1/namespaces/default"
            truth.wait_for("the server", lambda: truth.get(namespace))
            yield f"127.0.0.1:{port}", namespace
        finally:
            process.terminate()
