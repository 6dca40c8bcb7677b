"""Payloads: JSON-like values, stored as DynamoDB attributes or as JSON text in separate items."""

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
"""The type of payloads. NaN and infinity become null."""

MAX_BYTES = 64 * 1024 * 1024  # Readers refuse larger payloads.
PART_BYTES = 390_000  # The limit of an item is 400 KB.
COMPRESSION_LEVEL = 3

# The limits of a DynamoDB attribute. It has up to 32 levels, and the record uses some of them.
MAX_LEVELS = 28
_NUMBERS = Context(prec=38, Emin=-130, Emax=125, traps=[Inexact, Overflow, Subnormal])


@dataclass(frozen=True)
class Value:
    """A payload, ready to be written."""

    json: bytes
    native: Attribute | None
    """The same value as an attribute, if it is small and an attribute can hold it."""


def encode(value: object, field: str, inline_bytes: int) -> Value:
    """Encodes a value. Errors name it by `field`.

    The attribute is decoded from the JSON text, so both always have the same content.
    """
    pieces: list[str] = []
    try:
        _write(value, field, pieces)
    except RecursionError:
        raise InvalidRecord(field, "the value is nested too deeply, or contains itself") from None
    encoded = plain("".join(pieces)).encode()
    if len(encoded) > MAX_BYTES:
        reason = f"the value has {len(encoded)} bytes of JSON; the limit is {MAX_BYTES}"
        raise PayloadTooLarge(field, reason)
    native = None
    if len(encoded) <= inline_bytes:
        native = _attribute(json.loads(encoded, parse_int=Decimal, parse_float=Decimal), 0)
    return Value(encoded, native)


def payload_items(pk: str, name: str, value: Value) -> list[Item]:
    """The items of a payload of the run, with its native value or its JSON text."""
    if value.native is not None:
        return [_part(pk, name, 0) | {"value": value.native}]
    return payload_parts(pk, name, value)


def payload_parts(pk: str, name: str, value: Value) -> list[Item]:
    """The items with the JSON text of a payload, compressed if that makes it smaller."""
    # A compressor cannot be shared between threads, so each call creates one.
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
    """Writes compact JSON. Python's encoder cannot write `Decimal`, and accepts any key."""
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
            raise InvalidRecord(path, f"JSON cannot represent {type(value).__name__}")


def _number_text(value: int | float | Decimal, path: str) -> str:
    if isinstance(value, Decimal):
        return str(value) if value.is_finite() else "null"
    if isinstance(value, float):
        return float.__repr__(value) if isfinite(value) else "null"
    try:
        return int.__repr__(value)
    except ValueError as error:  # Python does not format integers of more than 4,300 digits.
        raise InvalidRecord(path, str(error)) from None


def _write_map(value: Mapping[object, object], path: str, pieces: list[str]) -> None:
    separator = "{"
    for key, member in value.items():
        if not isinstance(key, str):
            raise InvalidRecord(path, f"use str as keys, not {type(key).__name__}")
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
    """A decoded JSON value as an attribute; `None` if an attribute cannot hold it."""
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
