"""The buffer, with a table that does what the test says."""

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
    """Keeps what it is sent. A gate that is closed holds requests up, and `failures` are what
    the next ones come to."""

    def __init__(self) -> None:
        self.stored: dict[str, int] = {}
        self.batches: list[list[str]] = []
        self.on_the_way: set[str] = set()
        self.failures: list[Exception | set[str]] = []
        self.refused: set[str] = set()
        self.gate = threading.Event()
        self.gate.set()

    def send(self, items: list[Item]) -> set[Key]:
        names = [item["sk"]["S"] for item in items]
        assert len(set(names)) == len(names) and not self.on_the_way & set(names)
        self.batches.append(names)
        self.on_the_way |= set(names)
        assert self.gate.wait(DEADLINE)
        self.on_the_way -= set(names)
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


def waits(done: Future[Any]) -> bool:
    """Whether a call has not returned; short, as it proves nothing by itself."""
    try:
        done.exception(timeout=0.05)
    except NoAnswer:
        return True
    return False


def test_a_newer_record_replaces_one_that_waits() -> None:
    table = FakeTable()
    buffer = buffer_of(table)
    for version in (1, 2, 3):
        buffer.put(record("a", version))
    buffer.put(record("b"))
    buffer.flush()
    assert table.stored == {"a": 3, "b": 1}
    assert table.batches == [["a", "b"]]


def test_a_full_batch_does_not_wait() -> None:
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
    eventually(lambda: table.on_the_way or None, "a batch that is full by its size")
    table.gate.set()
    buffer.flush()
    assert table.batches == [["a", "b"], ["c"], ["d"], ["e"]]


def test_the_oldest_record_waits_as_long_as_was_said() -> None:
    table = FakeTable()
    buffer = buffer_of(table, flush_after=0.02)
    buffer.put(record("a"))
    eventually(lambda: table.stored or None, "what nobody flushes")


def test_a_key_on_its_way_is_not_sent_again_before_the_answer() -> None:
    table = FakeTable()
    buffer = buffer_of(table)
    table.gate.clear()
    buffer.put(record("a", 1))
    first = in_background(buffer.flush)
    eventually(lambda: table.on_the_way or None, "the first record on its way")
    buffer.put(record("a", 2))
    second = in_background(buffer.flush)
    assert waits(first) and waits(second)
    assert table.batches == [["a"]]
    table.gate.set()
    first.result(DEADLINE)
    second.result(DEADLINE)
    assert table.stored == {"a": 2}
    assert table.batches == [["a"], ["a"]]


def test_a_newer_record_outlives_an_older_one_that_comes_back() -> None:
    table = FakeTable()
    buffer = buffer_of(table)
    table.gate.clear()
    table.failures = [OSError("no answer")]
    buffer.put(record("a", 1))
    buffer.put(record("b", 1))
    first = in_background(buffer.flush)
    eventually(lambda: table.on_the_way or None, "the first records on their way")
    buffer.put(record("a", 2))
    table.gate.set()
    # The flush was promised the first record, for which the second one stands now.
    first.result(DEADLINE)
    assert table.stored == {"a": 2, "b": 1}
    assert table.batches == [["a", "b"], ["a", "b"]]
    assert buffer._bytes == 0


def test_a_flush_waits_for_what_came_before_and_for_nothing_else() -> None:
    table = FakeTable()
    buffer = buffer_of(table)
    table.gate.clear()
    buffer.put(record("a"))
    flushed = in_background(buffer.flush)
    eventually(lambda: table.on_the_way or None, "the record on its way")
    buffer.put(record("b"))
    table.gate.set()
    flushed.result(DEADLINE)
    assert table.stored == {"a": 1}


def test_a_flush_waits_for_every_record_that_is_left_unprocessed() -> None:
    table = FakeTable()
    buffer = buffer_of(table)
    table.failures = [{"b", "c"}, {"c"}]
    for name in "abc":
        buffer.put(record(name))
    buffer.flush()
    assert table.stored == {"a": 1, "b": 1, "c": 1}
    assert table.batches == [["a", "b", "c"], ["b", "c"], ["c"]]
    assert buffer._bytes == 0


def test_what_is_refused_is_told_once_and_costs_only_itself() -> None:
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


def test_what_fails_between_refusals_is_tried_again_in_its_order() -> None:
    table = FakeTable()
    buffer = buffer_of(table)
    table.refused = {"a"}
    # Of the batch, of "a" alone, and of the others: "b" is left, and the rest not tried.
    table.failures = [refusal(), refusal(), {"b"}, OSError("no answer")]
    for name in "abc":
        buffer.put(record(name))
    with pytest.raises(RecordRefused):
        buffer.flush()
    assert table.stored == {"b": 1, "c": 1}
    assert table.batches == [["a", "b", "c"], ["a"], ["b"], ["b", "c"], ["b", "c"]]


def test_who_writes_waits_while_there_is_no_room() -> None:
    table = FakeTable()
    buffer = buffer_of(table, max_bytes=10_000)
    table.gate.clear()
    buffer.put(record("a", size=8_000))
    large = in_background(lambda: buffer.put(record("large", size=8_000)))
    eventually(lambda: table.on_the_way or None, "a batch that makes room, unasked")
    # It would fit, but not before the one that waits.
    small = in_background(lambda: buffer.put(record("small")))
    assert waits(large) and waits(small)
    table.gate.set()
    large.result(DEADLINE)
    small.result(DEADLINE)
    buffer.flush()
    assert set(table.stored) == {"a", "large", "small"}


def test_a_record_larger_than_all_room_is_let_in_alone() -> None:
    table = FakeTable()
    buffer = buffer_of(table, max_bytes=1)
    for name in "abc":
        buffer.put(record(name, size=1_000))
    buffer.flush()
    assert table.batches == [["a"], ["b"], ["c"]]


def test_a_record_that_replaces_another_takes_only_its_room() -> None:
    table = FakeTable()
    buffer = buffer_of(table, max_bytes=10_000)
    for version in range(1, 10):
        buffer.put(record("a", version, size=8_000))
    buffer.flush()
    assert table.batches == [["a"]]


def test_a_flush_gives_up_on_a_table_that_does_not_answer_and_keeps_all() -> None:
    table = FakeTable()
    buffer = buffer_of(table, write_timeout=0.05)
    table.gate.clear()
    buffer.put(record("a"))
    with pytest.raises(Unavailable):
        buffer.flush()
    table.gate.set()
    eventually(lambda: table.stored or None, "what was kept")
    buffer.flush()


def test_a_flush_says_what_is_wrong() -> None:
    table = FakeTable()
    buffer = buffer_of(table, write_timeout=0.2)
    table.failures = [OSError("no route")] * 1_000
    buffer.put(record("a"))
    with pytest.raises(Unavailable) as raised:
        buffer.flush()
    assert isinstance(raised.value.__cause__, OSError)


def test_a_flush_does_not_give_up_on_a_table_that_is_slow() -> None:
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


def test_a_close_writes_all_and_lets_nothing_more_in() -> None:
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


def test_a_close_frees_who_waits_for_room_and_gives_up_in_time() -> None:
    table = FakeTable()
    buffer = buffer_of(table, max_bytes=1, write_timeout=0.1)
    table.failures = [OSError("no answer")] * 1_000
    buffer.put(record("a"))
    blocked = in_background(lambda: buffer.put(record("b")))
    assert waits(blocked)
    with pytest.raises(Unavailable):
        buffer.close()
    with pytest.raises(WriterClosed):
        blocked.result(DEADLINE)
    assert buffer._thread is not None
    buffer._thread.join(DEADLINE)
    assert not buffer._thread.is_alive()


def test_many_threads_lose_and_reorder_nothing() -> None:
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
