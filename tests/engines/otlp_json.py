"""Converts OTLP requests for traces from protobuf to OTLP/JSON.

Field names and numbers are those of opentelemetry-proto 1.x. As OTLP/JSON demands, ids are
hexadecimal, enums are numbers, and integers of 64 bits are decimal strings. An unknown field
is an error, so that a recording never lacks what an exporter has sent.
"""

import base64
import struct

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5


def text(value):
    return value.decode(errors="replace")


def decimal(value):
    return str(value)


def signed_decimal(value):
    return str(value - 2**64 if value >= 2**63 else value)


def number(value):
    return value


def double(value):
    return struct.unpack("<d", value.to_bytes(8, "little"))[0]


def encoded(value):
    return base64.b64encode(value).decode()


# Each message maps a field's number to the name in JSON and the type: a function, the name of
# a message, or a list of one of them for a repeated field.
MESSAGES = {
    "Request": {1: ("resourceSpans", ["ResourceSpans"])},
    "ResourceSpans": {
        1: ("resource", "Resource"),
        2: ("scopeSpans", ["ScopeSpans"]),
        3: ("schemaUrl", text),
    },
    "Resource": {
        1: ("attributes", ["KeyValue"]),
        2: ("droppedAttributesCount", number),
    },
    "ScopeSpans": {
        1: ("scope", "Scope"),
        2: ("spans", ["Span"]),
        3: ("schemaUrl", text),
    },
    "Scope": {
        1: ("name", text),
        2: ("version", text),
        3: ("attributes", ["KeyValue"]),
        4: ("droppedAttributesCount", number),
    },
    "Span": {
        1: ("traceId", bytes.hex),
        2: ("spanId", bytes.hex),
        3: ("traceState", text),
        4: ("parentSpanId", bytes.hex),
        5: ("name", text),
        6: ("kind", number),
        7: ("startTimeUnixNano", decimal),
        8: ("endTimeUnixNano", decimal),
        9: ("attributes", ["KeyValue"]),
        10: ("droppedAttributesCount", number),
        11: ("events", ["Event"]),
        12: ("droppedEventsCount", number),
        13: ("links", ["Link"]),
        14: ("droppedLinksCount", number),
        15: ("status", "Status"),
        16: ("flags", number),
    },
    "Event": {
        1: ("timeUnixNano", decimal),
        2: ("name", text),
        3: ("attributes", ["KeyValue"]),
        4: ("droppedAttributesCount", number),
    },
    "Link": {
        1: ("traceId", bytes.hex),
        2: ("spanId", bytes.hex),
        3: ("traceState", text),
        4: ("attributes", ["KeyValue"]),
        5: ("droppedAttributesCount", number),
        6: ("flags", number),
    },
    "Status": {2: ("message", text), 3: ("code", number)},
    "KeyValue": {1: ("key", text), 2: ("value", "Value")},
    "Value": {
        1: ("stringValue", text),
        2: ("boolValue", bool),
        3: ("intValue", signed_decimal),
        4: ("doubleValue", double),
        5: ("arrayValue", "Values"),
        6: ("kvlistValue", "KeyValues"),
        7: ("bytesValue", encoded),
    },
    "Values": {1: ("values", ["Value"])},
    "KeyValues": {1: ("values", ["KeyValue"])},
}


def decode_request(body):
    """Returns the request as the value of its OTLP/JSON."""
    return decode("Request", body)


def decode(message, body):
    fields = MESSAGES[message]
    decoded = {}
    for field, value in read_fields(body):
        if field not in fields:
            raise ValueError(f"{message} has the unknown field {field}")
        name, kind = fields[field]
        if isinstance(kind, list):
            decoded.setdefault(name, []).append(convert(kind[0], value))
        else:
            decoded[name] = convert(kind, value)
    return decoded


def convert(kind, value):
    return decode(kind, value) if isinstance(kind, str) else kind(value)


def read_fields(body):
    """Yields the number and the value of each field: an integer, or bytes."""
    at = 0
    while at < len(body):
        tag, at = read_varint(body, at)
        wire_type = tag & 7
        if wire_type == VARINT:
            value, at = read_varint(body, at)
        elif wire_type == LENGTH:
            length, at = read_varint(body, at)
            value, at = body[at : at + length], at + length
        elif wire_type in (FIXED64, FIXED32):
            length = 8 if wire_type == FIXED64 else 4
            value, at = int.from_bytes(body[at : at + length], "little"), at + length
        else:
            raise ValueError(f"wire type {wire_type}")
        yield tag >> 3, value


def read_varint(body, at):
    value = shift = 0
    while True:
        byte = body[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
