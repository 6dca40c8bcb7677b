"""The writer of a process."""

from __future__ import annotations

import atexit
import logging
from collections.abc import Callable
from math import isfinite
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Any

from .buffer import Buffer
from .core import Core
from .errors import WriterError
from .options import RunOptions, checks_option_names
from .runs import Run, start_run
from .table import Table, default_client
from .values import Json

if TYPE_CHECKING:
    from typing_extensions import Unpack

MAX_INLINE_BYTES = 65_536  # Three payloads of this size fit into an item.

_log = logging.getLogger("flowtrail_writer")


class Writer:
    """Writes runs into Flowtrail's table. Use one writer for all threads of a process.

    It belongs to the process that first uses it; a process that is forked later needs its own.
    `close` or the exit of the process flushes all accepted records.
    """

    @checks_option_names
    def __init__(
        self,
        table: str,
        client: Any = None,
        *,
        flush_after: float = 0.2,
        max_buffered_bytes: int = 8 * 1024 * 1024,
        inline_payload_bytes: int = 8_192,
        write_timeout: float = 60.0,
        clock: Callable[[], int] | None = None,
    ) -> None:
        """`client` is a boto3 client for DynamoDB. The default is created from the environment.

        - `flush_after`: the longest time, in seconds, that a step's record waits to be sent.
        - `max_buffered_bytes`: how many bytes can wait to be sent; beyond it, callers wait.
        - `inline_payload_bytes`: the longest JSON of a payload inside a step's own record.
        - `write_timeout`: how many seconds starts, heartbeats, ends and flushes wait for a
          table that does not answer, before they raise `Unavailable`.
        - `clock`: a function that returns the milliseconds since 1970.
        """
        if not isinstance(table, str) or not table:
            raise ValueError("table: use the name of a table")
        if clock is not None and not callable(clock):
            raise ValueError("clock: use a function")
        _check_seconds(flush_after, "flush_after")
        _check_seconds(write_timeout, "write_timeout")
        _check_bytes(max_buffered_bytes, "max_buffered_bytes", 1, 2**40)
        _check_bytes(inline_payload_bytes, "inline_payload_bytes", 0, MAX_INLINE_BYTES)
        requests = Table(table, default_client() if client is None else client, write_timeout)
        buffer = Buffer(requests.put_batch, flush_after, max_buffered_bytes, write_timeout)
        self._core = Core(requests, buffer, clock, inline_payload_bytes)
        self._closing = Lock()
        atexit.register(self._close_at_exit)

    @checks_option_names
    def start_run(
        self,
        flow_id: str,
        *,
        team_id: str = "default",
        input: Json = None,
        **options: Unpack[RunOptions],
    ) -> Run:
        """Writes a run that starts now.

        If the id exists: an open run of the same team and flow is resumed. A run that has ended
        raises `RunEnded`, and a run of another team or flow raises `IdTaken`.
        """
        return start_run(self._core, flow_id, team_id, input, {}, options)

    def flush(self) -> None:
        """Returns when all records that were accepted before are in the table."""
        self._core.check()
        self._core.buffer.flush()

    def close(self) -> None:
        """Flushes, and accepts no more records. Closing again does nothing.

        Raises `Unavailable` and discards the rest if the table accepts nothing for the write
        timeout.
        """
        self._core.check_process()
        with self._closing:
            if self._core.is_closed:
                return
            self._core.is_closed = True
            atexit.unregister(self._close_at_exit)
            self._core.buffer.close()

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            self.close()
            return
        try:
            self.close()
        except WriterError as failure:
            _log.error("Could not close the writer: %r", failure)

    def _close_at_exit(self) -> None:
        if not self._core.belongs_to_this_process():
            return
        try:
            self.close()
        except WriterError as failure:
            _log.error("Not all records were written before the process ended: %r", failure)


def _check_seconds(value: object, name: str) -> None:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if isfinite(value) and value >= 0:
            return
    raise ValueError(f"{name}: use a number of seconds, 0 or more")


def _check_bytes(value: object, name: str, least: int, most: int) -> None:
    if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
        return
    raise ValueError(f"{name}: use a whole number from {least} to {most}")
