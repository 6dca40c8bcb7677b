"""Runs: how they start, tell that they live, and end."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from threading import Lock
from types import TracebackType
from typing import TypedDict

from .core import Core
from .errors import Ended, IdTaken, RecordRefused, RunEnded
from .records import (
    EXECUTION,
    MAX_RUN_ERROR_BYTES,
    OPEN_STATUSES,
    Item,
    checked_id,
    checked_text,
    cut,
    duration,
    milliseconds_of,
    optional_id,
    optional_labels,
    optional_second,
    optional_text,
    optional_time,
    optional_version,
    partition_key,
    present,
    text,
    text_in,
    time_text,
)
from .steps import Journal, Sequence, StepScope, Summary, leave
from .values import Json, Value, payload_items


class RunOptions(TypedDict, total=False):
    """What can be said of a run when it starts."""

    execution_id: str | None
    """The run's id; without one it gets a UUID."""
    created_at: datetime | None
    """When the run was asked for; now, if it is not said."""
    flow_name: str | None
    flow_version: str | int | None
    device_id: str | None
    trigger: str | None
    labels: Mapping[str, str] | None
    """Search keys, such as `orderId`."""
    timeout_at: datetime | None
    """When the run has timed out, if it is still open."""
    expires_at: int | None
    """The second since 1970 from which the run is gone."""


def start_run(
    core: Core, flow_id: str, team_id: str, input: Json, parent: Item, options: RunOptions
) -> Run:
    """Writes a new run, or resumes the one that has its id."""
    core.check()
    wanted = _new_execution(core.now(), flow_id, team_id, **options) | parent
    values = core.encode_given({"input": input})
    found = core.table.put_new(wanted)
    if found is None or found == wanted:
        # It is new, or this call's own, whose first answer was lost.
        run = Run(core, wanted, resumed=False)
        for name, value in values.items():
            run.put_payload(name, value)
        return run
    execution_id = wanted["executionId"]["S"]
    if any(found.get(name) != wanted[name] for name in ("teamId", "flowId")):
        raise IdTaken(f"the id {execution_id} is that of a run of another team or flow")
    if text_in(found, "status") not in OPEN_STATUSES:
        raise RunEnded(execution_id, _ended(found))
    return Run(core, found, resumed=True)


class Run(StepScope):
    """A run that this process executes.

    As a context manager it completes, or fails with an exception, unless it was ended before.
    """

    def __init__(self, core: Core, execution: Item, *, resumed: bool) -> None:
        self.execution_id: str = execution["pk"]["S"].removeprefix("EXEC#")
        self.team_id: str = execution["teamId"]["S"]
        self.flow_id: str = execution["flowId"]["S"]
        self.created_at = text_in(execution, "createdAt")
        self.start_time = text_in(execution, "startTime")
        self.resumed = resumed
        """Whether the run was there before, so that it goes on."""
        self._core = core
        self._pk = partition_key(self.execution_id)
        self._summary = Summary()
        self._ended: Ended | None = None
        self._ending = Lock()
        self._end: int | None = None
        self._refused: RecordRefused | None = None
        self._is_finished = False
        self._outcome: Ended | None = None
        journal = Journal(core, self._pk, self.execution_id, self.team_id, self._summary)
        # How many steps a resumed run has is not known.
        super().__init__(journal, "STEP", {}, Sequence(None if resumed else 1))

    def heartbeat(self) -> Ended | None:
        """Writes a sign of life. Returns how the run has ended, if others have ended it."""
        self._core.check()
        now = text(time_text(self._core.now()))
        found = self._core.table.update_open(self._pk, {"heartbeatAt": now})
        if found is None:
            return None
        self._ended = _ended(found)
        return self._ended

    def ended(self) -> Ended | None:
        """How others have ended the run, as far as this handle has seen. It asks nobody."""
        return self._ended

    def complete(self, output: Json = None, context: Json = None) -> Ended | None:
        """Ends the run, after all that was accepted before is written.

        Returns `None` when that is how the run has ended, else who was earlier. The same
        holds of `fail` and `cancel`; to end again returns what the first call returned.
        """
        return self._finish("COMPLETED", {}, {"output": output, "context": context})

    def fail(self, error_message: str, output: Json = None, context: Json = None) -> Ended | None:
        """Ends the run, and says why it failed."""
        message = cut(checked_text(error_message, "error_message"), MAX_RUN_ERROR_BYTES)
        payloads = {"output": output, "context": context}
        return self._finish("FAILED", {"errorMessage": text(message)}, payloads)

    def cancel(self, by: str | None = None, reason: str | None = None) -> Ended | None:
        """Ends the run, and says who wanted that, and why."""
        who = {
            "cancelledBy": optional_text(by, "by"),
            "cancelReason": optional_text(reason, "reason"),
        }
        return self._finish("CANCELLED", present(who), {})

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._is_finished:
            leave(self, f"run {self.execution_id}", error)

    def _finish(self, status: str, attributes: Item, payloads: Mapping[str, Json]) -> Ended | None:
        self._core.check_process()
        with self._ending:
            if self._is_finished:
                return self._outcome
            self._core.check()
            for name, value in self._core.encode_given(payloads).items():
                self.put_payload(name, value)
            # A call that was not answered in time may have been written after all, and is
            # known again by its time.
            if self._end is None:
                # A clock that was set back ends nothing before it began.
                self._end = max(self._core.now(), milliseconds_of(self.start_time or "") or 0)
            self._refused = self._flush() or self._refused
            self._outcome = self._write_end(status, attributes, self._end)
            self._is_finished = True
            if self._refused is not None:
                raise self._refused
            return self._outcome

    def _flush(self) -> RecordRefused | None:
        """Flushes. What was refused is no reason to leave the run open: it is told later."""
        try:
            self._core.buffer.flush()
            return None
        except RecordRefused as refused:
            return refused

    def _write_end(self, status: str, attributes: Item, end: int) -> Ended | None:
        ending = {
            "status": text(status),
            "endTime": text(time_text(end)),
            "durationMs": None if self.start_time is None else duration(self.start_time, end),
            "stepSummary": None if self.resumed else {"M": self._summary.attribute()},
        }
        found = self._core.table.update_open(self._pk, present(ending) | attributes)
        if found is None or all(found.get(name) == ending[name] for name in ("status", "endTime")):
            return None
        self._ended = _ended(found)
        return self._ended

    def put_payload(self, name: str, value: Value) -> None:
        for item in payload_items(self._pk, name, value):
            self._core.buffer.put(item)


def _new_execution(
    now: int,
    flow_id: str,
    team_id: str,
    *,
    execution_id: str | None = None,
    created_at: datetime | None = None,
    flow_name: str | None = None,
    flow_version: str | int | None = None,
    device_id: str | None = None,
    trigger: str | None = None,
    labels: Mapping[str, str] | None = None,
    timeout_at: datetime | None = None,
    expires_at: int | None = None,
) -> Item:
    start = text(time_text(now))
    id = str(uuid.uuid4()) if execution_id is None else checked_id(execution_id, "execution_id")
    required = {
        "pk": text(partition_key(id)),
        "sk": text(EXECUTION),
        "executionId": text(id),
        "teamId": text(checked_id(team_id, "team_id")),
        "flowId": text(checked_id(flow_id, "flow_id")),
        "createdAt": optional_time(created_at, "created_at") or start,
        "status": text("RUNNING"),
        "startTime": start,
    }
    return required | present(
        {
            "flowName": optional_text(flow_name, "flow_name"),
            "flowVersion": optional_version(flow_version, "flow_version"),
            "deviceId": optional_id(device_id, "device_id"),
            "trigger": optional_text(trigger, "trigger"),
            "labels": optional_labels(labels, "labels"),
            "timeoutAt": optional_time(timeout_at, "timeout_at"),
            "expiresAt": optional_second(expires_at, "expires_at"),
        }
    )


def _ended(execution: Item) -> Ended:
    return Ended(
        text_in(execution, "status"),
        text_in(execution, "cancelledBy"),
        text_in(execution, "cancelReason"),
        text_in(execution, "endTime"),
    )
