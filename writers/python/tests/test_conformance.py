"""The scenario that every writer must pass: `writers/conformance`."""

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


def test_the_scenario_gives_the_expected_records_and_answers(server: Server) -> None:
    client = server.client()
    performed = record_actions(client)
    Scenario(client).play(read("scenario.json"))
    assert performed == granted_actions(), "the policy for engines grants exactly these actions"
    records = [record for run in RUNS for record in joined(server.records(run))]
    records.sort(key=lambda record: (record["pk"], record["sk"]))
    answers = {path: answer(server, path) for path in read("answers.json")}
    if os.environ.get("FLOWTRAIL_WRITE_EXPECTED"):
        write("records.json", records)
        write("answers.json", answers)
    assert records == read("records.json")
    assert answers == read("answers.json")


def record_actions(client: Any) -> set[tuple[str, str]]:
    """Records the IAM actions of a client from now on, each with its kind of partition."""
    performed: set[tuple[str, str]] = set()

    def collect(params: dict[str, Any], model: Any, **_: Any) -> None:
        requests = params.get("RequestItems", {"": [params]}).values()
        for request in (request for some in requests for request in some):
            written = request.get("PutRequest", request)
            partition = written.get("Item", written.get("Key"))["pk"]["S"]
            performed.add((f"dynamodb:{model.name}", partition.partition("#")[0] + "#*"))

    client.meta.events.register("before-parameter-build.dynamodb", collect)
    return performed


def granted_actions() -> set[tuple[str, str]]:
    """The actions that the policy for engines in docs/writing.md grants."""
    document = (CONFORMANCE.parents[1] / "docs/writing.md").read_text(encoding="utf-8")
    policy = json.loads(document.partition("```json\n")[2].partition("```")[0])
    [statement] = policy["Statement"]
    kinds = statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
    return {(action, kind) for action in statement["Action"] for kind in kinds}


class Scenario:
    """Performs the operations, with a clock that the operations set."""

    def __init__(self, client: Any) -> None:
        self._now = 0
        self._writer = Writer("flowtrail", client, clock=lambda: self._now)
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
                assert is_expected(result, expected), (operation, result)
        self._writer.close()

    def _do(self, verb: str, given: dict[str, Any]) -> Any:
        if "timeout_at" in given:
            given["timeout_at"] = time_of(given["timeout_at"])
        if "parent" in given:
            given["parent"] = self._handles[given["parent"]]
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
        # `complete_step` and `complete_run` call `complete` on their target.
        return getattr(handle, verb.removesuffix("_step").removesuffix("_run"))(**given)


def is_expected(result: Ended | None, expected: Any) -> bool:
    if expected in ("alive", "written"):
        return result is None
    return result is not None and all(
        getattr(result, name) == value for name, value in expected.items()
    )


def time_of(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z")


def joined(records: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The records. The parts of a payload are joined into one record with its decoded JSON."""
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


# ---- The files. In them, `{"text_times": [2, "text"]}` means `"texttext"`


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
    """Rewrites an expected file. Check every changed line by hand."""
    text = json.dumps(value, indent=2, ensure_ascii=False, sort_keys=name == "records.json")
    long = "large " * 5000
    text = text.replace(json.dumps(long), '{"text_times": [5000, "large "]}')
    (CONFORMANCE / name).write_text(text + "\n")
