"""The state that all runs and steps of a writer share."""

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
    """The table, the buffer in front of it, and the clock."""

    table: Table
    buffer: Buffer
    clock: Callable[[], int] | None
    inline_bytes: int
    is_closed: bool = False
    _process: int | None = field(default=None, init=False)

    def check(self) -> None:
        """Raises an error if the writer is closed or belongs to another process."""
        self.check_process()
        if self.is_closed:
            raise WriterClosed("the writer is closed")

    def check_process(self) -> None:
        """Raises an error if the writer belongs to another process. Call it before taking a lock.

        A fork copies waiting records, held locks and connections, but not the sending thread.
        The copy would send records twice, and older versions last. So a writer belongs to the
        process that first uses it.
        """
        process = os.getpid()
        if self._process is None:
            self._process = process
        if self._process != process:
            raise ForkedProcess(
                "the writer belongs to another process: create a new writer after the fork"
            )

    def belongs_to_this_process(self) -> bool:
        return self._process == os.getpid()

    def now(self) -> int:
        """The current time in milliseconds since 1970."""
        return time.time_ns() // 1_000_000 if self.clock is None else self.clock()

    def encode(self, value: object, name: str) -> Value:
        return encode(value, name, self.inline_bytes)

    def encode_present(self, values: Mapping[str, object]) -> dict[str, Value]:
        """Encodes the payloads that are not `None`."""
        present = ((name, value) for name, value in values.items() if value is not None)
        return {name: self.encode(value, name) for name, value in present}
