"""Payloads: JSON-like values as DynamoDB's own, or as one JSON text in items of their own."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact, Overflow, Subnormal
from json.encoder import encode_basestring
from math import isfinite
from typing import Any

import zstandard

from .errors import InvalidRecord, PayloadTooLarge
from .records import NULL, Attribute, Item, number, plain, text

Json = None | bool | int | float | Decimal | str | Sequence["Json"] | Mapping[str, "Json"]
"""What a payload can be. Not a number, and the infinities, become null."""

MAX_BYTES = 64 * 1024 * 1024  # No reader shows more.
PART_BYTES = 390_000  # An item holds 400 KB.
COMPRESSION_LEVEL = 3

# What a DynamoDB attribute can hold. It nests 32 levels, of which the record takes some.
MAX_LEVELS = 28
_NUMBERS = Context(prec=38, Emin=-130, Emax=125, traps=[Inexact, Overflow, Subnormal])


@dataclass(frozen=True)
class Value:
    """A payload, ready to be written."""

    json: bytes
    native: Attribute | None
    """The same as an attribute, where it is small and one can hold it."""


def encode(value: object, field: str, inline_bytes: int) -> Value:
    """Encodes a value, which `field` names in errors.

    The attribute is made of the JSON text, so that both always say the same.
    """
    pieces: list[str] = []
    try:
        _write(value, field, pieces)
    except RecursionError:
        raise InvalidRecord(field, "it is nested too deeply, or contains itself") from None
    encoded = plain("".join(pieces)).encode()
    if len(encoded) > MAX_BYTES:
        raise PayloadTooLarge(field, f"it has {len(encoded)} bytes of JSON, more than {MAX_BYTES}")
    native = None
    if len(encoded) <= inline_bytes:
        native = _attribute(json.loads(encoded, parse_int=Decimal, parse_float=Decimal), 0)
    return Value(encoded, native)


def payload_items(pk: str, name: str, value: Value) -> list[Item]:
    """The items of a payload of the run itself: its native value, or its JSON text."""
    if value.native is not None:
        return [_part(pk, name, 0) | {"value": value.native}]
    return payload_parts(pk, name, value)


def payload_parts(pk: str, name: str, value: Value) -> list[Item]:
    """The items of a payload whose JSON text they hold, compressed where that helps."""
    # A compressor is made each time, for it cannot be shared among threads.
    compressed = zstandard.ZstdCompressor(level=COMPRESSION_LEVEL).compress(value.json)
    is_smaller = len(compressed) < len(value.json)
    encoding, content = ("json+zstd", compressed) if is_smaller else ("json", value.json)
    parts = [content[begin : begin + PART_BYTES] for begin in range(0, len(content), PART_BYTES)]
    items = [_part(pk, name, index) | {"bytes": {"B": part}} for index, part in enumerate(parts)]
    items[0] |= {"encoding": text(encoding), "parts": number(len(parts))}
    return items


def _part(pk: str, name: str, index: int) -> Item:
    return {"pk": text(pk), "sk": text(f"PAYLOAD#{name}#{index:04}")}


def _write(value: object, path: str, pieces: list[str]) -> None:
    """Writes compact JSON. Python's own encoder knows no `Decimal`, and takes any key."""
    match value:
        case None:
            pieces.append("null")
        case bool():
            pieces.append("true" if value else "false")
        case str():
            pieces.append(encode_basestring(value))
        case int() | float() | Decimal():
            pieces.append(_number_text(value, path))
        case Mapping():
            _write_map(value, path, pieces)
        case Sequence() if not isinstance(value, (bytes, bytearray, memoryview)):
            _write_list(value, path, pieces)
        case _:
            raise InvalidRecord(path, f"JSON has no {type(value).__name__}")


def _number_text(value: int | float | Decimal, path: str) -> str:
    if isinstance(value, Decimal):
        return str(value) if value.is_finite() else "null"
    if isinstance(value, float):
        return float.__repr__(value) if isfinite(value) else "null"
    try:
        return int.__repr__(value)
    except ValueError as error:  # Python writes no number of thousands of digits.
        raise InvalidRecord(path, str(error)) from None


def _write_map(value: Mapping[object, object], path: str, pieces: list[str]) -> None:
    separator = "{"
    for key, member in value.items():
        if not isinstance(key, str):
            raise InvalidRecord(path, f"a key of JSON is a text, not {type(key).__name__}")
        pieces += separator, encode_basestring(key), ":"
        _write(member, path, pieces)
        separator = ","
    pieces.append("}" if separator == "," else "{}")


def _write_list(value: Sequence[object], path: str, pieces: list[str]) -> None:
    separator = "["
    for member in value:
        pieces.append(separator)
        _write(member, path, pieces)
        separator = ","
    pieces.append("]" if separator == "," else "[]")


def _attribute(value: Any, level: int) -> Attribute | None:
    """A decoded JSON value as an attribute; `None` when no attribute can hold it."""
    match value:
        case None:
            return NULL
        case bool():
            return {"BOOL": value}
        case str():
            return text(value)
        case Decimal():
            return _number(value)
    if level == MAX_LEVELS or (isinstance(value, dict) and "" in value):
        return None
    if isinstance(value, dict):
        members = {key: _attribute(member, level + 1) for key, member in value.items()}
        return None if None in members.values() else {"M": members}
    elements = [_attribute(element, level + 1) for element in value]
    return None if None in elements else {"L": elements}


def _number(value: Decimal) -> Attribute | None:
    if value.is_zero():
        return number(0)
    try:
        return {"N": str(_NUMBERS.create_decimal(value))}
    except ArithmeticError:
        return None
