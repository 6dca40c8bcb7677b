"""A server for the tests: the program from this checkout, on free ports."""

from __future__ import annotations

import json
import re
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import boto3
from botocore.config import Config

DEADLINE = 60.0

_WANTED = {"HTTP API": "url", "Table": "table_url"}
_Found = TypeVar("_Found")


class Server:
    """A process `flowtrail serve` with its data in a folder."""

    def __init__(self, program: str, folder: Path) -> None:
        arguments = [
            "serve",
            "--no-demo",
            "--data",
            str(folder),
            "--port",
            "0",
            "--table-port",
            "0",
            "--grpc-port",
            "0",
        ]
        self._process = subprocess.Popen(
            [program, *arguments], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
        )
        timer = threading.Timer(DEADLINE, self._process.kill)
        timer.start()
        try:
            found = self._read_urls()
        finally:
            timer.cancel()
        self.url, self.table_url = found["url"], found["table_url"]
        self.token = (folder / "admin-token").read_text()
        # Shared by all tests that do not change it, because creating a client is slow.
        self.own_client = self.client()
        # The rest of the output is read and dropped, so that it does not fill the pipe.
        threading.Thread(target=self._process.communicate, daemon=True).start()

    def _read_urls(self) -> dict[str, str]:
        found: dict[str, str] = {}
        assert self._process.stdout is not None
        for line in self._process.stdout:
            for label, name in _WANTED.items():
                if match := re.match(rf"^ +{label} +(\S+)", line):
                    found[name] = match[1]
            if len(found) == len(_WANTED):
                return found
        raise RuntimeError("the server ended before it printed its URLs")

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()

    def client(self, url: str | None = None, **config: Any) -> Any:
        """A client for the table, by default without retries."""
        return boto3.client(
            "dynamodb",
            endpoint_url=url or self.table_url,
            region_name="local",
            aws_access_key_id="any",
            aws_secret_access_key="any",
            config=Config(**({"retries": {"total_max_attempts": 1}} | config)),
        )

    def request(self, path: str, method: str = "GET", body: object = None) -> Any:
        """Sends a request to the HTTP API and returns the decoded answer."""
        request = urllib.request.Request(
            self.url + path,
            method=method,
            headers={"Authorization": f"Bearer {self.token}"},
            data=None if body is None else json.dumps(body).encode(),
        )
        try:
            with urllib.request.urlopen(request, timeout=DEADLINE) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            with error:
                raise AssertionError(f"{error.code}: {error.read().decode()}") from None
        return json.loads(text) if text else None

    def details(self, execution_id: str) -> Any:
        return self.request(f"/flow-executions/{execution_id}")["data"]

    def records(self, execution_id: str) -> list[dict[str, Any]]:
        """The records in the partition of a run, as plain values."""
        pages = self.own_client.get_paginator("query").paginate(
            TableName="flowtrail",
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": f"EXEC#{execution_id}"}},
            ConsistentRead=True,
        )
        items = [item for page in pages for item in page["Items"]]
        return [{name: plain(value) for name, value in item.items()} for item in items]


def plain(attribute: dict[str, Any]) -> Any:
    """The plain value of an attribute."""
    [(kind, value)] = attribute.items()
    match kind:
        case "M":
            return {name: plain(member) for name, member in value.items()}
        case "L":
            return [plain(element) for element in value]
        case "N":
            number = Decimal(value)
            return int(number) if number == int(number) else float(number)
        case "NULL":
            return None
        case _:
            return value


def eventually(ask: Callable[[], _Found | None], what: str) -> _Found:
    """Calls `ask` until it returns a value that is not `None`."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        if (found := ask()) is not None:
            return found
        time.sleep(0.005)
    raise AssertionError(f"not within {DEADLINE} s: {what}")
