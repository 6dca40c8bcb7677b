"""The examples of the README, run against a server."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from server import DEADLINE, Server

README = Path(__file__).parents[1] / "README.md"


def test_the_examples_of_the_readme_work(server: Server) -> None:
    first, cancels = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    example = first.replace("http://127.0.0.1:8000", server.table_url)
    assert example != first
    # The second example must run before the run of the first one has ended.
    example = example.replace(
        "        with run.fork(", indented(cancels) + "        with run.fork("
    )
    assert cancels.splitlines()[0].strip() in example
    ran = subprocess.run(
        [sys.executable, "-c", example],
        timeout=DEADLINE,
        check=True,
        capture_output=True,
        text=True,
    )
    *packed, execution_id = ran.stdout.splitlines()
    assert packed == ["packing A", "packing B"]
    details = server.details(execution_id)
    assert details["metadata"]["status"] == "COMPLETED"
    assert details["metadata"]["heartbeatAt"] is not None
    assert details["metadata"]["stepSummary"] == {"total": 4, "passed": 4, "failed": 0}


def indented(text: str) -> str:
    return "".join(f"        {line}\n" for line in text.splitlines())
