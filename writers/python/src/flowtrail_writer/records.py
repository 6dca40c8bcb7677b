"""The parts of records: keys, ids, texts and times, checked and as DynamoDB attributes."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from .errors import InvalidRecord

Attribute = dict[str, Any]
"""A value in DynamoDB's JSON, such as `{"S": "text"}`."""
Item = dict[str, Attribute]
Key = tuple[str, str]

NULL: Attribute = {"NULL": True}

EXECUTION = "EXECUTION"
OPEN_STATUSES = ("PENDING", "RUNNING")

MAX_RUN_ERROR_BYTES = 1_024
MAX_STEP_ERROR_BYTES = 16_384

_ID = re.compile(r"[A-Za-z0-9._:@/+=-]{1,128}")
_ELLIPSIS = "…"
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_LAST_SECOND = 253_402_300_799  # The end of the year 9999.
_MAX_DIGITS = 38  # The precision of a DynamoDB number.


def partition_key(execution_id: str) -> str:
    return f"EXEC#{execution_id}"


def key_of(item: Item) -> Key:
    return item["pk"]["S"], item["sk"]["S"]


def text(value: str) -> Attribute:
    return {"S": value}


def number(value: int) -> Attribute:
    return {"N": str(value)}


def present(attributes: Mapping[str, Attribute | None]) -> Item:
    """The attributes that are not `None`."""
    return {name: value for name, value in attributes.items() if value is not None}


def text_in(item: Item, name: str) -> str | None:
    value = item.get(name, {}).get("S")
    return value if isinstance(value, str) else None


# ---- Checks of parameters


def checked_id(value: object, field: str) -> str:
    if isinstance(value, str) and _ID.fullmatch(value):
        return plain(value)
    raise InvalidRecord(field, "use 1 to 128 characters of A-Z a-z 0-9 . _ : @ / + = -")


def checked_text(value: object, field: str) -> str:
    if isinstance(value, str):
        return plain(value)
    raise InvalidRecord(field, f"use a str, not {type(value).__name__}")


def checked_integer(value: object, field: str, least: int, most: int) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
        return int(value)
    raise InvalidRecord(field, f"use a whole number from {least} to {most}")


def optional_id(value: object, field: str) -> Attribute | None:
    return None if value is None else text(checked_id(value, field))


def optional_text(value: object, field: str) -> Attribute | None:
    return None if value is None else text(checked_text(value, field))


def optional_count(value: object, field: str) -> Attribute | None:
    return None if value is None else number(checked_integer(value, field, 0, 2**53))


def optional_second(value: object, field: str) -> Attribute | None:
    """Seconds since 1970. The bound rejects milliseconds, with which nothing would ever expire."""
    return None if value is None else number(checked_integer(value, field, 1, _LAST_SECOND))


def optional_version(value: object, field: str) -> Attribute | None:
    if not isinstance(value, int):
        return optional_text(value, field)
    most = 10**_MAX_DIGITS - 1
    return number(checked_integer(value, field, -most, most))


def optional_time(value: object, field: str) -> Attribute | None:
    if value is None:
        return None
    if not isinstance(value, datetime) or value.utcoffset() is None:
        raise InvalidRecord(field, "use a datetime with a time zone")
    try:
        since_1970 = value - _EPOCH
        return text(time_text(since_1970 // timedelta(milliseconds=1)))
    except OverflowError:
        raise InvalidRecord(field, "use a time from the year 1 to the year 9999") from None


def optional_labels(value: object, field: str) -> Attribute | None:
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise InvalidRecord(field, f"use a mapping of str to str, not {type(value).__name__}")
    labels = {}
    for name, label in value.items():
        if checked_text(name, field) == "":
            raise InvalidRecord(field, "use a name for each label that is not empty")
        labels[plain(name)] = text(checked_text(label, f"{field}.{plain(name)}"))
    return {"M": labels} if labels else None


def plain(value: str) -> str:
    """The text as a plain `str` that UTF-8 can encode.

    Unpaired surrogates are replaced, and a member of a string enumeration becomes its value.
    """
    value = str.__str__(value)
    try:
        value.encode()
        return value
    except UnicodeEncodeError:
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def cut(value: str, most: int) -> str:
    """The text, cut to at most `most` bytes of UTF-8. A text that is cut ends with an ellipsis."""
    encoded = value.encode()
    if len(encoded) <= most:
        return value
    kept = encoded[: most - len(_ELLIPSIS.encode())]
    return kept.decode(errors="ignore") + _ELLIPSIS


# ---- Times


def time_text(milliseconds: int) -> str:
    """Milliseconds since 1970 in the format of all records: `2026-02-17T10:30:00.000Z`."""
    moment = _EPOCH + timedelta(milliseconds=milliseconds)
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def parse_time(value: str) -> int | None:
    """A time of a record in milliseconds since 1970, or `None` if it is not a valid time."""
    try:
        moment = datetime.strptime(value, "%Y-%m-%dT%H:%M:%S.%f%z")
    except ValueError:
        return None
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def duration(begin: str, end: int) -> Attribute | None:
    """Milliseconds from a record's time to `end`. Not negative, even if the clock was set back."""
    began = parse_time(begin)
    return None if began is None else number(max(0, end - began))
