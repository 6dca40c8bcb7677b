"""The scenario that all writers are held to: `writers/conformance`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import zstandard

from flowtrail_writer import Ended, Writer
from server import Server

CONFORMANCE = Path(__file__).parents[2] / "conformance"
RUNS = ["conformance-run", "conformance-sub"]
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def test_the_scenario_makes_the_records_and_the_answers_of_every_writer(server: Server) -> None:
    Scenario(server).play(read("scenario.json"))
    records = [record for run in RUNS for record in joined(server.records(run))]
    records.sort(key=lambda record: (record["pk"], record["sk"]))
    answers = {path: answer(server, path) for path in read("answers.json")}
    if os.environ.get("FLOWTRAIL_WRITE_EXPECTED"):
        write("records.json", records)
        write("answers.json", answers)
    assert records == read("records.json")
    assert answers == read("answers.json")


class Scenario:
    """Interprets the operations, with a clock that is set by hand."""

    def __init__(self, server: Server) -> None:
        self._now = 0
        self._writer = Writer("flowtrail", server.client(), clock=lambda: self._now)
        self._handles: dict[str, Any] = {}

    def play(self, operations: list[dict[str, Any]]) -> None:
        for operation in operations:
            given = dict(operation)
            self._now = (time_of(given.pop("at")) - EPOCH) // timedelta(milliseconds=1)
            name, handle = given.pop("as", None), given.pop("do")
            expected = given.pop("expect", None)
            result = self._do(handle, given)
            if name is not None:
                self._handles[name] = result
            if expected is not None:
                assert outcome(result, expected), (operation, result)
        self._writer.close()

    def _do(self, verb: str, given: dict[str, Any]) -> Any:
        if "timeout_at" in given:
            given["timeout_at"] = time_of(given["timeout_at"])
        target = next((given.pop(name) for name in ("in", "on", "of") if name in given), None)
        handle: Any = self._writer if target is None else self._handles[target]
        if verb in ("start_step", "fork", "start_run"):
            return getattr(handle, verb)(
                given.pop("step_id", None) or given.pop("flow_id"), **given
            )
        if verb == "start_subflow":
            return handle.start_subflow(given.pop("flow_id"), **given)
        if verb == "branch":
            return handle.branch(given.pop("branch_id"), **given)
        if verb == "set_data":
            return handle.set_data(given["data"])
        # `complete_step` and `complete_run` are `complete` of what they are done to.
        return getattr(handle, verb.removesuffix("_step").removesuffix("_run"))(**given)


def outcome(result: Ended | None, expected: Any) -> bool:
    if expected in ("alive", "written"):
        return result is None
    return result is not None and all(
        getattr(result, name) == value for name, value in expected.items()
    )


def time_of(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z")


def joined(records: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The records, those of a payload in bytes as one with its decoded JSON."""
    parts: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for record in records:
        if "bytes" not in record:
            yield record
            continue
        name, number = record["sk"].rsplit("#", 1)
        of_payload = parts.setdefault((record["pk"], name), [])
        assert int(number) == len(of_payload)
        of_payload.append(record)
    for (pk, sk), of_payload in parts.items():
        assert of_payload[0]["parts"] == len(of_payload)
        content = b"".join(part["bytes"] for part in of_payload)
        if of_payload[0]["encoding"] == "json+zstd":
            content = zstandard.decompress(content)
        yield {"pk": pk, "sk": sk, "json": json.loads(content)}


def answer(server: Server, path: str) -> Any:
    body = server.request(path)
    return {name: value for name, value in body.items() if name not in ("requestId", "timestamp")}


# ---- The files, in which `{"text_times": [2, "text"]}` stands for `"texttext"`


def read(name: str) -> Any:
    return expanded(json.loads((CONFORMANCE / name).read_text()))


def expanded(value: Any) -> Any:
    if isinstance(value, list):
        return [expanded(element) for element in value]
    if not isinstance(value, dict):
        return value
    if list(value) == ["text_times"]:
        times, text = value["text_times"]
        return text * times
    return {name: expanded(member) for name, member in value.items()}


def write(name: str, value: Any) -> None:
    """Writes an expected file anew; every line of it is then to be checked by hand."""
    text = json.dumps(value, indent=2, ensure_ascii=False, sort_keys=name == "records.json")
    long = "large " * 5000
    text = text.replace(json.dumps(long), '{"text_times": [5000, "large "]}')
    (CONFORMANCE / name).write_text(text + "\n")
