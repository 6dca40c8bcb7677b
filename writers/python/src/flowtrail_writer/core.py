"""What the runs and steps of one writer share."""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from .buffer import Buffer
from .errors import ForkedProcess, WriterClosed
from .table import Table
from .values import Value, encode


@dataclass
class Core:
    """The table, the buffer before it, and the clock."""

    table: Table
    buffer: Buffer
    clock: Callable[[], int] | None
    inline_bytes: int
    is_closed: bool = False
    _process: int | None = field(default=None, init=False)

    def check(self) -> None:
        """Refuses a writer that is closed, or that another process uses."""
        self.check_process()
        if self.is_closed:
            raise WriterClosed("the writer is closed")

    def check_process(self) -> None:
        """Refuses a writer that another process uses. Comes before every lock.

        A fork copies what waits, locks that are held and connections, but not the thread. The
        copy would send records twice, the older ones last. So a writer belongs to the process
        that first uses it.
        """
        process = os.getpid()
        if self._process is None:
            self._process = process
        if self._process != process:
            raise ForkedProcess("the writer is of another process: make one after the fork")

    def is_of_this_process(self) -> bool:
        return self._process == os.getpid()

    def now(self) -> int:
        """Milliseconds since 1970."""
        return time.time_ns() // 1_000_000 if self.clock is None else self.clock()

    def encode(self, value: object, name: str) -> Value:
        return encode(value, name, self.inline_bytes)

    def encode_given(self, values: Mapping[str, object]) -> dict[str, Value]:
        """The payloads that were given."""
        given = ((name, value) for name, value in values.items() if value is not None)
        return {name: self.encode(value, name) for name, value in given}
