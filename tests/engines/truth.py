"""The common form of what an engine itself reports about its runs.

A file contains `{"engine", "scenario", "source", "runs": [run]}`. A run has `flow`, `status` and
`steps`; a step has `name` and `status`. `status` is a status of Flowtrail. Everything else is
present if the engine reports it: `id`, `engineStatus` (the engine's own word), `start`, `end`,
`parent`, `attempts`, `input`, `output`, `error`, and what only some engines have. Times are
RFC 3339 in UTC with milliseconds.
"""

import json
import pathlib
import socket
import time
import urllib.error
import urllib.request
from datetime import datetime, timezone


def write(path, engine, scenario, source, runs):
    """Writes the runs to a file. `source` says in a few words where they come from."""
    document = {"engine": engine, "scenario": scenario, "source": source, "runs": runs}
    text = json.dumps(without_none(document), indent=1, ensure_ascii=False, default=str)
    pathlib.Path(path).write_text(text + "\n")


def without_none(value):
    if isinstance(value, dict):
        return {key: without_none(part) for key, part in value.items() if part is not None}
    if isinstance(value, list):
        return [without_none(part) for part in value]
    return value


def milliseconds(moment):
    """Formats a time: epoch seconds, RFC 3339 with any precision, or a datetime. None stays."""
    if moment is None:
        return None
    if isinstance(moment, (int, float)):
        moment = datetime.fromtimestamp(moment, timezone.utc)
    if isinstance(moment, str):
        moment = parse_time(moment)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    moment = moment.astimezone(timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def parse_time(text):
    text = text.replace("Z", "+00:00")
    if "." in text:
        # `fromisoformat` refuses more than six digits of a second.
        head, tail = text.split(".", 1)
        digits = len(tail) - len(tail.lstrip("0123456789"))
        text = f"{head}.{tail[:digits][:6].ljust(6, '0')}{tail[digits:]}"
    return datetime.fromisoformat(text)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def get(url, token=None):
    """Returns the JSON at a URL."""
    return request("GET", url, None, token)


def post(url, body, token=None):
    """Sends JSON to a URL, and returns the JSON of the answer."""
    return request("POST", url, body, token)


def request(method, url, body, token=None):
    """Sends a request, with JSON unless the body is None, and returns the JSON of the answer."""
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    outgoing = urllib.request.Request(url, data, headers, method=method)
    with urllib.request.urlopen(outgoing, timeout=30) as answer:
        return json.load(answer)


def wait_for(what, condition, seconds=60):
    """Returns the first true value of the condition. A refused connection counts as false."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if value := condition():
                return value
        except (urllib.error.URLError, ConnectionError):
            pass
        time.sleep(0.2)
    raise TimeoutError(f"{what} was not there after {seconds} s")
