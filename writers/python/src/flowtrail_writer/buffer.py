"""The buffer: records that wait to be sent, and the thread that sends them.

One thread sends one batch at a time, the oldest records first. So two versions of a record are
never in flight together, and an older version never overwrites a newer one.
"""

import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Condition, Lock, Thread
from time import monotonic

from .errors import RecordRefused, Refusal, Unavailable, WriterClosed
from .records import Attribute, Item, Key, key_of
from .table import is_refusal, pauses

MAX_BATCH_ITEMS = 25
MAX_BATCH_BYTES = 12_000_000

_log = logging.getLogger("flowtrail_writer")


class _Unprocessed(Exception):
    """The table is at its limit and has left some records of a batch unwritten."""


@dataclass
class _Entry:
    """A record that is waiting or in flight."""

    key: Key
    item: Item
    size: int
    since: int
    """The number of the oldest unsent record that this one replaced, or its own number."""
    arrived: float
    """When that oldest record was accepted, on the monotonic clock."""


class Buffer:
    """Records by key: a newer record replaces a waiting record with the same key.

    The waiting entries are ordered by `since`, even after some of them were put back. So the
    first of them shows up to which number all records are written.
    """

    def __init__(
        self,
        send: Callable[[list[Item]], set[Key]],
        flush_after: float,
        max_bytes: int,
        write_timeout: float,
    ) -> None:
        self._send = send
        self._flush_after = flush_after
        self._max_bytes = max_bytes
        self._write_timeout = write_timeout

        # Held while waiting for room: otherwise, small records could overtake a large one
        # forever.
        self._turn = Lock()
        # Guards all fields below, and is notified when one of them changes.
        self._changed = Condition()
        self._waiting: OrderedDict[Key, _Entry] = OrderedDict()
        self._in_flight: list[_Entry] = []
        self._bytes = 0  # The size of all waiting and in-flight records.
        self._accepted = 0
        self._wanted = 0  # Records up to this number are sent immediately.
        self._needs_room = False
        self._refusals: list[Refusal] = []
        self._failure: Exception | None = None
        self._last_progress = monotonic()
        self._pauses = pauses()
        self._not_before = 0.0
        self._thread: Thread | None = None
        self._is_closing = False
        self._is_stopped = False

    def put(self, item: Item) -> None:
        """Accepts a record. Waits while the buffer has no room for it."""
        key, size = key_of(item), _size_of(item)
        with self._turn, self._changed:
            self._wait_for_room(key, size)
            self._start()
            self._accepted += 1
            older = self._waiting.get(key)
            if older is not None:
                self._bytes += size - older.size
                older.item, older.size = item, size
            else:
                self._bytes += size
                self._waiting[key] = _Entry(key, item, size, self._accepted, monotonic())
            if len(self._waiting) == 1 or self._is_full():
                self._changed.notify_all()

    def flush(self) -> None:
        """Returns when all records that were accepted before are in the table.

        Raises `Unavailable` if the table has accepted nothing for the write timeout.
        """
        with self._changed:
            last = self._accepted
            self._wanted = max(self._wanted, last)
            self._changed.notify_all()
            began = monotonic()
            while not self._is_written(last):
                deadline = max(began, self._last_progress) + self._write_timeout
                if self._is_stopped or monotonic() >= deadline:
                    raise Unavailable("the table does not answer") from self._failure
                self._changed.wait(deadline - monotonic())
            if self._refusals:
                refusals, self._refusals = self._refusals, []
                raise RecordRefused(refusals)

    def close(self) -> None:
        """Flushes, and accepts no more records. Discards what the table does not accept in time."""
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
        try:
            self.flush()
        finally:
            with self._changed:
                self._is_stopped = True
                self._changed.notify_all()

    # ---- Called with the lock held

    def _wait_for_room(self, key: Key, size: int) -> None:
        while not self._is_closing:
            older = self._waiting.get(key)
            others = self._bytes - (older.size if older is not None else 0)
            if others == 0 or others + size <= self._max_bytes:
                return
            self._needs_room = True
            self._changed.notify_all()
            try:
                self._changed.wait()
            finally:
                self._needs_room = False
        raise WriterClosed("the writer is closed")

    def _start(self) -> None:
        if self._thread is None:
            thread = Thread(target=self._run, name="flowtrail-writer", daemon=True)
            thread.start()
            self._thread = thread

    def _is_written(self, last: int) -> bool:
        first = next(iter(self._waiting.values()), None)
        if first is not None and first.since <= last:
            return False
        return all(entry.since > last for entry in self._in_flight)

    def _seconds_until_due(self) -> float | None:
        """How long the first batch must still wait; `None` if nothing waits."""
        first = next(iter(self._waiting.values()), None)
        if first is None:
            return None
        is_due = self._needs_room or self._is_full() or first.since <= self._wanted
        due = 0.0 if is_due else first.arrived + self._flush_after
        return max(due, self._not_before) - monotonic()

    def _is_full(self) -> bool:
        """Whether the waiting records fill a batch."""
        return len(self._waiting) >= MAX_BATCH_ITEMS or self._bytes >= MAX_BATCH_BYTES

    def _take_batch(self) -> None:
        size = 0
        while self._waiting and len(self._in_flight) < MAX_BATCH_ITEMS:
            first = next(iter(self._waiting.values()))
            size += first.size
            if self._in_flight and size > MAX_BATCH_BYTES:
                return
            del self._waiting[first.key]
            self._in_flight.append(first)

    def _put_back(self, entries: list[_Entry]) -> None:
        """Puts entries back in front of all others. If a newer record has replaced an entry since,
        the newer record takes its place."""
        for entry in reversed(entries):
            newer = self._waiting.setdefault(entry.key, entry)
            if newer is not entry:
                newer.since, newer.arrived = entry.since, entry.arrived
                self._bytes -= entry.size
            self._waiting.move_to_end(entry.key, last=False)

    # ---- Called on the sending thread

    def _run(self) -> None:
        while self._wait_for_batch():
            try:
                self._send_batch()
            except Exception as error:
                self._settle([], self._in_flight, error)

    def _wait_for_batch(self) -> bool:
        """Waits for the next batch and takes it. Returns `False` when the buffer has stopped."""
        with self._changed:
            while not self._is_stopped:
                seconds = self._seconds_until_due()
                if seconds is not None and seconds <= 0:
                    self._take_batch()
                    return True
                self._changed.wait(seconds)
            return False

    def _send_batch(self) -> None:
        batch = self._in_flight
        try:
            left = self._send([entry.item for entry in batch])
        except Exception as error:
            if not is_refusal(error):
                raise
            self._send_one_by_one(batch)
            return
        self._settle(
            [entry for entry in batch if entry.key not in left],
            [entry for entry in batch if entry.key in left],
            _Unprocessed() if left else None,
        )

    def _send_one_by_one(self, batch: list[_Entry]) -> None:
        """Writes the records of a refused batch one by one, and drops those that are refused."""
        for entry in batch:
            try:
                if self._send([entry.item]):
                    raise _Unprocessed
            except Exception as error:
                if not is_refusal(error):
                    raise
                self._refuse(entry, error)
            self._settle([entry], [], None)

    def _refuse(self, entry: _Entry, error: Exception) -> None:
        pk, sk = entry.key
        _log.error("The table refused the record %s %s, and it was dropped: %s", pk, sk, error)
        with self._changed:
            self._refusals.append(Refusal(pk, sk, str(error)))

    def _settle(self, done: list[_Entry], left: list[_Entry], failure: Exception | None) -> None:
        """Removes written entries, and makes the entries that are left wait again after a pause."""
        with self._changed:
            settled = {entry.key for entry in done + left}
            self._in_flight = [each for each in self._in_flight if each.key not in settled]
            self._bytes -= sum(entry.size for entry in done)
            if done:
                self._last_progress = monotonic()
            if failure is not None:
                self._put_back(left)
                self._not_before = monotonic() + next(self._pauses)
            else:
                self._pauses = pauses()
            self._log_change(failure)
            self._failure = failure
            self._changed.notify_all()

    def _log_change(self, failure: Exception | None) -> None:
        """Logs the first failure of an outage, and its end."""
        if failure is not None and self._failure is None:
            _log.warning("The table does not accept all records; retrying: %r", failure)
        if failure is None and self._failure is not None:
            _log.info("The table accepts all records again")


def _size_of(item: Item) -> int:
    """The approximate size of an item in a request, in bytes of JSON."""
    return sum(len(name) + _attribute_size(value) + 4 for name, value in item.items())


def _attribute_size(attribute: Attribute) -> int:
    [(kind, value)] = attribute.items()
    if kind == "M":
        return 8 + _size_of(value)
    if kind == "L":
        return 8 + sum(_attribute_size(element) + 1 for element in value)
    if kind == "B":
        return 8 + len(value) * 4 // 3
    return 8 + len(value) if isinstance(value, str) else 12
