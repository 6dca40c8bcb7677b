"""The buffer, with a fake table that each test controls."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NoAnswer
from typing import Any

import pytest
from botocore.exceptions import ClientError

from flowtrail_writer import RecordRefused, Unavailable, WriterClosed
from flowtrail_writer.buffer import Buffer
from flowtrail_writer.records import Item, Key, key_of
from server import DEADLINE, eventually

NEVER = 3_600.0


class FakeTable:
    """Stores the records that it receives.

    A closed gate blocks requests. `failures` are the results of the next requests: an error, or
    the names of the records that stay unprocessed.
    """

    def __init__(self) -> None:
        self.stored: dict[str, int] = {}
        self.batches: list[list[str]] = []
        self.in_flight: set[str] = set()
        self.failures: list[Exception | set[str]] = []
        self.refused: set[str] = set()
        self.gate = threading.Event()
        self.gate.set()

    def send(self, items: list[Item]) -> set[Key]:
        names = [item["sk"]["S"] for item in items]
        assert len(set(names)) == len(names) and not self.in_flight & set(names)
        self.batches.append(names)
        self.in_flight |= set(names)
        assert self.gate.wait(DEADLINE)
        self.in_flight -= set(names)
        left: set[str] = set()
        if self.failures:
            failure = self.failures.pop(0)
            if isinstance(failure, Exception):
                raise failure
            left = failure
        if self.refused & set(names):
            raise refusal()
        for item in items:
            if item["sk"]["S"] not in left:
                assert self.stored.get(item["sk"]["S"], 0) < int(item["version"]["N"])
                self.stored[item["sk"]["S"]] = int(item["version"]["N"])
        return {key_of(item) for item in items if item["sk"]["S"] in left}


def refusal() -> Exception:
    error: Exception = ClientError(
        {"Error": {"Code": "ValidationException", "Message": "too large"}}, "BatchWriteItem"
    )
    return error


def record(name: str, version: int = 1, size: int = 0) -> Item:
    return {
        "pk": {"S": "EXEC#1"},
        "sk": {"S": name},
        "version": {"N": str(version)},
        "filler": {"S": "x" * size},
    }


def buffer_of(table: FakeTable, **options: Any) -> Buffer:
    defaults = {"flush_after": NEVER, "max_bytes": 1_000_000, "write_timeout": DEADLINE}
    return Buffer(table.send, **(defaults | options))


def in_background(call: Callable[[], Any]) -> Future[Any]:
    done: Future[Any] = Future()

    def perform() -> None:
        try:
            done.set_result(call())
        except Exception as error:
            done.set_exception(error)

    threading.Thread(target=perform, daemon=True).start()
    return done


def is_blocked(done: Future[Any]) -> bool:
    """Whether a call is still blocked. It waits briefly, so `True` alone is not a proof."""
    try:
        done.exception(timeout=0.05)
    except NoAnswer:
        return True
    return False


def test_a_newer_record_replaces_a_waiting_one() -> None:
    table = FakeTable()
    buffer = buffer_of(table)
    for version in (1, 2, 3):
        buffer.put(record("a", version))
    buffer.put(record("b"))
    buffer.flush()
    assert table.stored == {"a": 3, "b": 1}
    assert table.batches == [["a", "b"]]


def test_a_full_batch_is_sent_immediately() -> None:
    table = FakeTable()
    buffer = buffer_of(table)
    for number in range(26):
        buffer.put(record(f"{number:02}"))
    eventually(lambda: len(table.stored) == 25 or None, "a batch of 25")
    assert len(table.batches) == 1
    buffer.flush()
    assert len(table.stored) == 26


def test_a_batch_has_at_most_12_mb() -> None:
    table = FakeTable()
    buffer = buffer_of(table, max_bytes=100_000_000)
    table.gate.clear()
    for name, size in {"a": 5, "b": 5, "c": 5, "d": 13, "e": 5}.items():
        buffer.put(record(name, size=size * 1_000_000))
    eventually(lambda: table.in_flight or None, "a batch that is full by its size")
    table.gate.set()
    buffer.flush()
    assert table.batches == [["a", "b"], ["c"], ["d"], ["e"]]


def test_a_record_is_sent_after_flush_after() -> None:
    table = FakeTable()
    buffer = buffer_of(table, flush_after=0.02)
    buffer.put(record("a"))
    eventually(lambda: table.stored or None, "a record without a flush")


def test_a_key_in_flight_is_not_sent_again() -> None:
    table = FakeTable()
    buffer = buffer_of(table)
    table.gate.clear()
    buffer.put(record("a", 1))
    first = in_background(buffer.flush)
    eventually(lambda: table.in_flight or None, "the first record in flight")
    buffer.put(record("a", 2))
    second = in_background(buffer.flush)
    assert is_blocked(first) and is_blocked(second)
    assert table.batches == [["a"]]
    table.gate.set()
    first.result(DEADLINE)
    second.result(DEADLINE)
    assert table.stored == {"a": 2}
    assert table.batches == [["a"], ["a"]]


def test_a_newer_record_replaces_an_older_one_that_failed() -> None:
    table = FakeTable()
    buffer = buffer_of(table)
    table.gate.clear()
    table.failures = [OSError("no answer")]
    buffer.put(record("a", 1))
    buffer.put(record("b", 1))
    first = in_background(buffer.flush)
    eventually(lambda: table.in_flight or None, "the first records in flight")
    buffer.put(record("a", 2))
    table.gate.set()
    # The flush waits for the first record, which the second one has replaced.
    first.result(DEADLINE)
    assert table.stored == {"a": 2, "b": 1}
    assert table.batches == [["a", "b"], ["a", "b"]]
    assert buffer._bytes == 0


def test_a_flush_waits_only_for_earlier_records() -> None:
    table = FakeTable()
    buffer = buffer_of(table)
    table.gate.clear()
    buffer.put(record("a"))
    flushed = in_background(buffer.flush)
    eventually(lambda: table.in_flight or None, "the record in flight")
    buffer.put(record("b"))
    table.gate.set()
    flushed.result(DEADLINE)
    assert table.stored == {"a": 1}


def test_a_flush_waits_for_unprocessed_records() -> None:
    table = FakeTable()
    buffer = buffer_of(table)
    table.failures = [{"b", "c"}, {"c"}]
    for name in "abc":
        buffer.put(record(name))
    buffer.flush()
    assert table.stored == {"a": 1, "b": 1, "c": 1}
    assert table.batches == [["a", "b", "c"], ["b", "c"], ["c"]]
    assert buffer._bytes == 0


def test_refused_records_are_reported_once_and_dropped() -> None:
    table = FakeTable()
    buffer = buffer_of(table)
    table.refused = {"b", "d"}
    for name in "abcde":
        buffer.put(record(name))
    with pytest.raises(RecordRefused, match="too large.*and 1 more") as raised:
        buffer.flush()
    assert [(refusal.pk, refusal.sk) for refusal in raised.value.refusals] == [
        ("EXEC#1", "b"),
        ("EXEC#1", "d"),
    ]
    assert table.stored == {"a": 1, "c": 1, "e": 1}
    buffer.flush()


def test_failures_between_refusals_are_retried_in_order() -> None:
    table = FakeTable()
    buffer = buffer_of(table)
    table.refused = {"a"}
    # The results of the batch, of "a" alone, of "b" alone, and of the next batch.
    table.failures = [refusal(), refusal(), {"b"}, OSError("no answer")]
    for name in "abc":
        buffer.put(record(name))
    with pytest.raises(RecordRefused):
        buffer.flush()
    assert table.stored == {"b": 1, "c": 1}
    assert table.batches == [["a", "b", "c"], ["a"], ["b"], ["b", "c"], ["b", "c"]]


def test_callers_wait_while_the_buffer_is_full() -> None:
    table = FakeTable()
    buffer = buffer_of(table, max_bytes=10_000)
    table.gate.clear()
    buffer.put(record("a", size=8_000))
    large = in_background(lambda: buffer.put(record("large", size=8_000)))
    eventually(lambda: table.in_flight or None, "a batch that is sent to make room")
    # The small record would fit, but must not overtake the large one.
    small = in_background(lambda: buffer.put(record("small")))
    assert is_blocked(large) and is_blocked(small)
    table.gate.set()
    large.result(DEADLINE)
    small.result(DEADLINE)
    buffer.flush()
    assert set(table.stored) == {"a", "large", "small"}


def test_a_record_larger_than_the_buffer_is_accepted_alone() -> None:
    table = FakeTable()
    buffer = buffer_of(table, max_bytes=1)
    for name in "abc":
        buffer.put(record(name, size=1_000))
    buffer.flush()
    assert table.batches == [["a"], ["b"], ["c"]]


def test_a_replaced_record_frees_its_room() -> None:
    table = FakeTable()
    buffer = buffer_of(table, max_bytes=10_000)
    for version in range(1, 10):
        buffer.put(record("a", version, size=8_000))
    buffer.flush()
    assert table.batches == [["a"]]


def test_a_flush_times_out_and_keeps_the_records() -> None:
    table = FakeTable()
    buffer = buffer_of(table, write_timeout=0.05)
    table.gate.clear()
    buffer.put(record("a"))
    with pytest.raises(Unavailable):
        buffer.flush()
    table.gate.set()
    eventually(lambda: table.stored or None, "the record that was kept")
    buffer.flush()


def test_a_flush_that_times_out_has_the_cause() -> None:
    table = FakeTable()
    buffer = buffer_of(table, write_timeout=0.2)
    table.failures = [OSError("no route")] * 1_000
    buffer.put(record("a"))
    with pytest.raises(Unavailable) as raised:
        buffer.flush()
    assert isinstance(raised.value.__cause__, OSError)


def test_a_flush_does_not_time_out_while_it_makes_progress() -> None:
    table = FakeTable()
    buffer = buffer_of(table, write_timeout=1.0)
    steps = 30
    real_send = table.send

    def slow(items: list[Item]) -> set[Key]:
        threading.Event().wait(0.05)
        return real_send(items[:1]) | {key_of(item) for item in items[1:]}

    buffer._send = slow
    buffer._pauses = iter([0.0] * steps)
    for number in range(steps):
        buffer.put(record(f"{number:02}"))
    buffer.flush()
    assert len(table.stored) == steps


def test_a_close_writes_all_records_and_accepts_no_more() -> None:
    table = FakeTable()
    buffer = buffer_of(table)
    buffer.put(record("a"))
    buffer.close()
    assert table.stored == {"a": 1}
    with pytest.raises(WriterClosed):
        buffer.put(record("b"))
    assert buffer._thread is not None
    buffer._thread.join(DEADLINE)
    assert not buffer._thread.is_alive()


def test_a_close_unblocks_callers_and_times_out() -> None:
    table = FakeTable()
    buffer = buffer_of(table, max_bytes=1, write_timeout=0.1)
    table.failures = [OSError("no answer")] * 1_000
    buffer.put(record("a"))
    blocked = in_background(lambda: buffer.put(record("b")))
    assert is_blocked(blocked)
    with pytest.raises(Unavailable):
        buffer.close()
    with pytest.raises(WriterClosed):
        blocked.result(DEADLINE)
    assert buffer._thread is not None
    buffer._thread.join(DEADLINE)
    assert not buffer._thread.is_alive()


def test_many_threads_lose_and_reorder_no_record() -> None:
    table = FakeTable()
    buffer = buffer_of(table, flush_after=0.001, max_bytes=3_000)
    table.failures = [OSError("no answer") if number % 3 else set() for number in range(9)]
    versions = 30

    def write(name: str) -> None:
        for version in range(1, versions + 1):
            buffer.put(record(name, version, size=100))
            if version % 10 == 0:
                buffer.flush()
                assert table.stored[name] >= version

    names = [f"key-{number}" for number in range(8)]
    for done in [in_background(lambda name=name: write(name)) for name in names]:  # type: ignore[misc]
        done.result(DEADLINE)
    assert table.stored == {name: versions for name in names}
    assert buffer._bytes == 0
