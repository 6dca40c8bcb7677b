"""Payloads: inside the record or separate, and values that an attribute cannot hold."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import zstandard

from flowtrail_writer import InvalidRecord, Json, PayloadTooLarge, Writer
from flowtrail_writer.values import MAX_BYTES, PART_BYTES, encode, payload_parts
from server import Server


def nested(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels - 1):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        ({"ü": [1, 2.5, None], "b": {}}, '{"ü":[1,2.5,null],"b":{}}'),
        ((), "[]"),
        (("a", 'quote " and \n'), '["a","quote \\" and \\n"]'),
        (Decimal("1.10"), "1.10"),
        (1e300, "1e+300"),
        (float("nan"), "null"),
        (
            [float("inf"), -float("inf"), Decimal("NaN"), Decimal("Infinity")],
            "[null,null,null,null]",
        ),
        ("half a pair \ud83d", '"half a pair \ufffd"'),
        ("a whole pair \ud83d\ude00", '"a whole pair \U0001f600"'),
    ],
)
def test_a_value_is_encoded_as_this_json(value: object, text: str) -> None:
    assert encode(value, "input", 1_000).json.decode() == text


@pytest.mark.parametrize(
    ("value", "native"),
    [
        ("text", {"S": "text"}),
        (float("nan"), {"NULL": True}),
        (-0.0, {"N": "0"}),
        (0.1, {"N": "0.1"}),
        (10**38 - 1, {"N": "9" * 38}),
        (Decimal("9.99E+125"), {"N": "9.99E+125"}),
        (Decimal("1E-130"), {"N": "1E-130"}),
        ({"a": [False, {}]}, {"M": {"a": {"L": [{"BOOL": False}, {"M": {}}]}}}),
    ],
)
def test_a_small_value_is_encoded_as_this_attribute(value: object, native: object) -> None:
    assert encode(value, "input", 1_000).native == native


@pytest.mark.parametrize(
    "value",
    [
        10**38 + 1,
        1e300,
        5e-324,
        Decimal("1E+126"),
        Decimal("1E-131"),
        Decimal("1." + "1" * 38),
        {"": 1},
        [{"a": {"": 1}}],
        nested(29),
    ],
)
def test_a_value_outside_the_limits_has_no_attribute(value: object) -> None:
    assert encode(value, "input", 1_000).native is None


def test_trailing_zeros_do_not_count_as_digits() -> None:
    native = encode(10**100, "input", 1_000).native
    assert native is not None
    assert Decimal(native["N"]) == 10**100


def test_an_attribute_has_up_to_28_levels() -> None:
    assert encode(nested(28), "input", 1_000).native is not None


def test_the_inline_limit_counts_bytes_of_utf8() -> None:
    assert encode("ü" * 10, "input", 22).native is not None
    assert encode("ü" * 10, "input", 21).native is None


@pytest.mark.parametrize(
    "value",
    [b"bytes", {1, 2}, object(), {1: "a"}, {None: 1}, 10**5_000, nested(100_000), [1, [2, print]]],
    ids=lambda value: type(value).__name__,
)
def test_a_value_that_json_lacks_is_refused_by_name(value: object) -> None:
    with pytest.raises(InvalidRecord, match="^input: ") as refused:
        encode(value, "input", 1_000)
    assert refused.value.field == "input"


def test_a_value_that_contains_itself_is_refused() -> None:
    value: list[object] = []
    value.append({"again": value})
    with pytest.raises(InvalidRecord, match="^output: "):
        encode(value, "output", 1_000)


def test_a_payload_has_at_most_64_mib() -> None:
    assert len(encode("x" * (MAX_BYTES - 2), "input", 0).json) == MAX_BYTES
    with pytest.raises(PayloadTooLarge, match="^input: "):
        encode("x" * (MAX_BYTES - 1), "input", 0)


def test_parts_are_compressed_if_that_is_smaller() -> None:
    [part] = payload_parts("EXEC#1", "input", encode("long " * 100_000, "input", 0))
    assert part["encoding"] == {"S": "json+zstd"}
    assert zstandard.decompress(part["bytes"]["B"]) == json.dumps("long " * 100_000).encode()
    [part] = payload_parts("EXEC#1", "input", encode(1e300, "input", 0))
    assert part["encoding"] == {"S": "json"}
    assert part["bytes"] == {"B": b"1e+300"}


def test_parts_have_390000_bytes() -> None:
    incompressible = noise(600_000)
    parts = payload_parts("EXEC#1", "step:a:input", encode(incompressible, "input", 0))
    assert [part["sk"]["S"] for part in parts] == [
        "PAYLOAD#step:a:input#0000",
        "PAYLOAD#step:a:input#0001",
    ]
    assert len(parts[0]["bytes"]["B"]) == PART_BYTES
    assert parts[0]["parts"] == {"N": "2"}
    assert "parts" not in parts[1] and "encoding" not in parts[1]


def noise(length: int) -> str:
    """Random text, which compression hardly makes smaller."""
    import random

    return "".join(map(chr, random.Random(1).choices(range(0x80, 0x7FF), k=length // 2)))


def test_the_api_returns_every_value_unchanged(
    server: Server, make_writer: Callable[..., Writer], id: str
) -> None:
    values: dict[str, Json] = {
        "small": {"a": [1, 2.5, None, True, "ü"], "empty": {}},
        "nothing": float("nan"),
        "empty-key": {"": 1},
        "deep": nested(100),
        "huge": {"number": 1e300, "tiny": 5e-324, "digits": 10**40 + 1},
        "trailing-zeros": 10**100,
        "negative-exponent": 1e-7,
        "large": "large " * 5_000,
        "parts": noise(900_000),
    }
    writer = make_writer()
    run = writer.start_run("values", execution_id=id, input=values["large"])
    for name, value in values.items():
        step = run.start_step(name, input=value, data=value)
        step.complete(value)
    run.complete(output=values["huge"], context=values["parts"])
    details = server.details(id)
    assert "warnings" not in details
    expected = values | {"nothing": None}
    for step in details["steps"]:
        for field in ("input", "output", "executionData"):
            assert step[field] == expected[step["stepId"]], (step["stepId"], field)
    assert details["resolvedFinalContextData"] == values["parts"]
    run_payloads = server.request(f"/api/executions/{id}")
    assert run_payloads["inputData"] == values["large"]
    assert run_payloads["outputData"] == values["huge"]


def test_a_payload_that_is_too_large_writes_nothing(
    server: Server, make_writer: Callable[..., Writer], id: str
) -> None:
    large = "x" * (66 * 1024 * 1024)
    writer = make_writer()
    with pytest.raises(PayloadTooLarge):
        writer.start_run("values", execution_id=id, input=large)
    assert server.records(id) == []
    run = writer.start_run("values", execution_id=id)
    with pytest.raises(PayloadTooLarge):
        run.start_step("large", input=large)
    step = run.start_step("small")
    with pytest.raises(PayloadTooLarge):
        step.complete(large)
    with pytest.raises(PayloadTooLarge):
        run.complete(context=large)
    step.complete("small")
    assert run.complete() is None
    [shown] = server.details(id)["steps"]
    assert (shown["status"], shown["output"], shown["sequenceNumber"]) == ("COMPLETED", "small", 1)


def test_new_data_replaces_old_data_of_any_size(
    server: Server, make_writer: Callable[..., Writer], id: str
) -> None:
    writer = make_writer()
    step = writer.start_run("values", execution_id=id).start_step("step", data=noise(900_000))
    for value in ("small", noise(500_000), noise(10_000), None):
        step.set_data(value)
        writer.flush()
        [shown] = server.details(id)["steps"]
        assert shown["executionData"] == value
