"""What records are made of: keys, ids, texts and times, checked, as DynamoDB has them."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from .errors import InvalidRecord

Attribute = dict[str, Any]
"""A value in DynamoDB's own JSON, such as `{"S": "text"}`."""
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
_LAST_SECOND = 253_402_300_799  # Of the year 9999.
_MAX_DIGITS = 38  # Of a DynamoDB number.


def partition_key(execution_id: str) -> str:
    return f"EXEC#{execution_id}"


def key_of(item: Item) -> Key:
    return item["pk"]["S"], item["sk"]["S"]


def text(value: str) -> Attribute:
    return {"S": value}


def number(value: int) -> Attribute:
    return {"N": str(value)}


def present(attributes: Mapping[str, Attribute | None]) -> Item:
    """The attributes that there are."""
    return {name: value for name, value in attributes.items() if value is not None}


def text_in(item: Item, name: str) -> str | None:
    value = item.get(name, {}).get("S")
    return value if isinstance(value, str) else None


# ---- What callers give


def checked_id(value: object, field: str) -> str:
    if isinstance(value, str) and _ID.fullmatch(value):
        return plain(value)
    raise InvalidRecord(field, "an id has 1 to 128 characters of A-Z a-z 0-9 . _ : @ / + = -")


def checked_text(value: object, field: str) -> str:
    if isinstance(value, str):
        return plain(value)
    raise InvalidRecord(field, f"a text is wanted, not {type(value).__name__}")


def checked_integer(value: object, field: str, least: int, most: int) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
        return int(value)
    raise InvalidRecord(field, f"a whole number from {least} to {most} is wanted")


def optional_id(value: object, field: str) -> Attribute | None:
    return None if value is None else text(checked_id(value, field))


def optional_text(value: object, field: str) -> Attribute | None:
    return None if value is None else text(checked_text(value, field))


def optional_count(value: object, field: str) -> Attribute | None:
    return None if value is None else number(checked_integer(value, field, 0, 2**53))


def optional_second(value: object, field: str) -> Attribute | None:
    """Seconds since 1970. The bound finds milliseconds, with which nothing would ever expire."""
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
        raise InvalidRecord(field, "a datetime with a time zone is wanted")
    try:
        since_1970 = value - _EPOCH
        return text(time_text(since_1970 // timedelta(milliseconds=1)))
    except OverflowError:
        raise InvalidRecord(field, "the time is out of range") from None


def optional_labels(value: object, field: str) -> Attribute | None:
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise InvalidRecord(field, f"a map of texts is wanted, not {type(value).__name__}")
    labels = {}
    for name, label in value.items():
        if checked_text(name, field) == "":
            raise InvalidRecord(field, "a label has a name")
        labels[plain(name)] = text(checked_text(label, f"{field}.{plain(name)}"))
    return {"M": labels} if labels else None


def plain(value: str) -> str:
    """The text as UTF-8 has it: without halves of surrogate pairs, and not an enumeration's."""
    value = str.__str__(value)
    try:
        value.encode()
        return value
    except UnicodeEncodeError:
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def cut(value: str, most: int) -> str:
    """The text, or as much of it as fits in so many bytes of UTF-8 before an ellipsis."""
    encoded = value.encode()
    if len(encoded) <= most:
        return value
    kept = encoded[: most - len(_ELLIPSIS.encode())]
    return kept.decode(errors="ignore") + _ELLIPSIS


# ---- Times


def time_text(milliseconds: int) -> str:
    """Milliseconds since 1970 as every record has them: `2026-02-17T10:30:00.000Z`."""
    moment = _EPOCH + timedelta(milliseconds=milliseconds)
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def milliseconds_of(value: str) -> int | None:
    """The milliseconds since 1970 of a time in a record, where it can be read."""
    try:
        moment = datetime.strptime(value, "%Y-%m-%dT%H:%M:%S.%f%z")
    except ValueError:
        return None
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def duration(begin: str, end: int) -> Attribute | None:
    """Milliseconds from a record's time to a moment; never negative, as clocks are set back."""
    began = milliseconds_of(begin)
    return None if began is None else number(max(0, end - began))
