"""The buffer: records that wait to be sent, and the thread that sends them.

One thread sends one batch at a time, the oldest records first. So a key is never on its way
twice, and an older record never lands after a newer one.
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
    """The table has left records for another time, as it is at its limit."""


@dataclass
class _Entry:
    """A record that waits or is on its way."""

    key: Key
    item: Item
    size: int
    since: int
    """The number of the oldest record that it stands for and that was not sent."""
    arrived: float
    """When that one came."""


class Buffer:
    """Records by key: a newer one replaces one that waits.

    The entries that wait are in the order of `since`, also when some of them are put back,
    so the first of them tells how far all is written.
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

        # Held while waiting for room, so that a large record is not overtaken by small ones
        # for ever.
        self._turn = Lock()
        # Guards all of the below, and tells that some of it has changed.
        self._changed = Condition()
        self._waiting: OrderedDict[Key, _Entry] = OrderedDict()
        self._on_the_way: list[_Entry] = []
        self._bytes = 0  # Of both.
        self._accepted = 0
        self._wanted = 0  # Records up to this number are not to wait for others.
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
        """Accepts a record. Waits while there is no room for it."""
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
        """Returns when all that was accepted before is in the table.

        Raises `Unavailable` when the table has taken nothing for the write time-out.
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
        """Flushes, and accepts no more. What the table does not take in time is given up."""
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
        try:
            self.flush()
        finally:
            with self._changed:
                self._is_stopped = True
                self._changed.notify_all()

    # ---- Under the lock

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
        return all(entry.since > last for entry in self._on_the_way)

    def _seconds_until_due(self) -> float | None:
        """How long the first batch has to wait; `None` when there is none."""
        first = next(iter(self._waiting.values()), None)
        if first is None:
            return None
        is_due = self._needs_room or self._is_full() or first.since <= self._wanted
        due = 0.0 if is_due else first.arrived + self._flush_after
        return max(due, self._not_before) - monotonic()

    def _is_full(self) -> bool:
        """Whether what waits fills a batch."""
        return len(self._waiting) >= MAX_BATCH_ITEMS or self._bytes >= MAX_BATCH_BYTES

    def _take_batch(self) -> None:
        size = 0
        while self._waiting and len(self._on_the_way) < MAX_BATCH_ITEMS:
            first = next(iter(self._waiting.values()))
            size += first.size
            if self._on_the_way and size > MAX_BATCH_BYTES:
                return
            del self._waiting[first.key]
            self._on_the_way.append(first)

    def _put_back(self, entries: list[_Entry]) -> None:
        """Puts entries before all others. One that was replaced meanwhile leaves its place
        to the newer one."""
        for entry in reversed(entries):
            newer = self._waiting.setdefault(entry.key, entry)
            if newer is not entry:
                newer.since, newer.arrived = entry.since, entry.arrived
                self._bytes -= entry.size
            self._waiting.move_to_end(entry.key, last=False)

    # ---- On the thread

    def _run(self) -> None:
        while self._wait_for_batch():
            try:
                self._send_batch()
            except Exception as error:
                self._settle([], self._on_the_way, error)

    def _wait_for_batch(self) -> bool:
        """Waits until a batch is due, and takes it. `False` when there will be none."""
        with self._changed:
            while not self._is_stopped:
                seconds = self._seconds_until_due()
                if seconds is not None and seconds <= 0:
                    self._take_batch()
                    return True
                self._changed.wait(seconds)
            return False

    def _send_batch(self) -> None:
        batch = self._on_the_way
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
        """Finds what the table refuses of a batch, drops it, and writes the others."""
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
        _log.error("The table refuses the record %s %s, which is dropped: %s", pk, sk, error)
        with self._changed:
            self._refusals.append(Refusal(pk, sk, str(error)))

    def _settle(self, done: list[_Entry], left: list[_Entry], failure: Exception | None) -> None:
        """Ends the way of entries, and has those that are left wait again, after a pause."""
        with self._changed:
            settled = {entry.key for entry in done + left}
            self._on_the_way = [each for each in self._on_the_way if each.key not in settled]
            self._bytes -= sum(entry.size for entry in done)
            if done:
                self._last_progress = monotonic()
            if failure is not None:
                self._put_back(left)
                self._not_before = monotonic() + next(self._pauses)
            else:
                self._pauses = pauses()
            self._tell_of(failure)
            self._failure = failure
            self._changed.notify_all()

    def _tell_of(self, failure: Exception | None) -> None:
        if failure is not None and self._failure is None:
            _log.warning("The table does not take all records; they are tried again: %r", failure)
        if failure is None and self._failure is not None:
            _log.info("The table takes all records again")


def _size_of(item: Item) -> int:
    """About how many bytes of JSON an item is in a request."""
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
