"""Runs: their start, heartbeats and end."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from threading import Lock
from types import TracebackType

from .core import Core
from .errors import Ended, IdTaken, OtherTeam, RecordRefused, RunEnded
from .options import RunOptions, checks_option_names
from .records import (
    EXECUTION,
    MAX_RUN_ERROR_BYTES,
    OPEN_STATUSES,
    Item,
    checked_id,
    checked_text,
    cut,
    duration,
    optional_id,
    optional_labels,
    optional_second,
    optional_text,
    optional_time,
    optional_version,
    parse_time,
    partition_key,
    present,
    text,
    text_in,
    time_text,
)
from .steps import Journal, Place, Sequence, StepScope, Summary, leave
from .values import Json, Value, payload_items


def start_run(
    core: Core, flow_id: str, team_id: str, input: Json, parent: Item, options: RunOptions
) -> Run:
    """Writes a new run, or resumes the existing run with its id."""
    core.check()
    wanted = _new_execution(core.now(), flow_id, team_id, **options) | parent
    values = core.encode_present({"input": input})
    found = core.table.put_new(wanted)
    if found is None or found == wanted:
        # The run is new, or this call wrote it before and the answer was lost.
        run = Run(core, wanted, resumed=False)
        for name, value in values.items():
            run.put_payload(name, value)
        return run
    execution_id = wanted["executionId"]["S"]
    if found.get("teamId") != wanted["teamId"]:
        raise OtherTeam(execution_id)
    if found.get("flowId") != wanted["flowId"]:
        raise IdTaken(f"a run of another flow has the id {execution_id}: use another id")
    if text_in(found, "status") not in OPEN_STATUSES:
        raise RunEnded(execution_id, _ended(found))
    return Run(core, found, resumed=True)


class Run(StepScope):
    """A run that this process executes.

    As a context manager it completes the run, or fails it if the block raises an exception,
    unless the block has ended the run.
    """

    def __init__(self, core: Core, execution: Item, *, resumed: bool) -> None:
        self.execution_id: str = execution["pk"]["S"].removeprefix("EXEC#")
        self.team_id: str = execution["teamId"]["S"]
        self.flow_id: str = execution["flowId"]["S"]
        self.created_at = text_in(execution, "createdAt")
        self.start_time = text_in(execution, "startTime")
        self.resumed = resumed
        """Whether the run existed before and is continued."""
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
        # The number of steps of a resumed run is unknown.
        super().__init__(journal, Place("STEP", {}, Sequence(None if resumed else 1)))

    def heartbeat(self) -> Ended | None:
        """Writes a heartbeat. Returns how the run ended, if another process has ended it.

        A deleted run has the status `None`. Raises `OtherTeam` if another team has reused the
        run's id.
        """
        self._core.check()
        now = text(time_text(self._core.now()))
        found = self._update_open({"heartbeatAt": now})
        if found is None:
            return None
        self._ended = _ended(found)
        return self._ended

    def ended(self) -> Ended | None:
        """How another process ended the run, as far as this object knows. Sends no request."""
        return self._ended

    @checks_option_names
    def complete(self, output: Json = None, context: Json = None) -> Ended | None:
        """Completes the run, after all records that were accepted before are written.

        Returns `None` if this call has ended the run, or how another process ended it before.
        The same applies to `fail` and `cancel`. A second call returns the first call's result.
        """
        return self._finish("COMPLETED", {}, {"output": output, "context": context})

    @checks_option_names
    def fail(self, error_message: str, output: Json = None, context: Json = None) -> Ended | None:
        """Ends the run as failed, with an error message."""
        message = cut(checked_text(error_message, "error_message"), MAX_RUN_ERROR_BYTES)
        payloads = {"output": output, "context": context}
        return self._finish("FAILED", {"errorMessage": text(message)}, payloads)

    @checks_option_names
    def cancel(self, by: str | None = None, reason: str | None = None) -> Ended | None:
        """Ends the run as cancelled, with the canceller and the reason."""
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
            for name, value in self._core.encode_present(payloads).items():
                self.put_payload(name, value)
            # A call without an answer may have been written after all. The end time identifies
            # it when the end is written again.
            if self._end is None:
                # If the clock was set back, the end is still not before the start.
                self._end = max(self._core.now(), parse_time(self.start_time or "") or 0)
            self._refused = self._flush() or self._refused
            self._outcome = self._write_end(status, attributes, self._end)
            self._is_finished = True
            if self._refused is not None:
                raise self._refused
            return self._outcome

    def _flush(self) -> RecordRefused | None:
        """Flushes. Refused records must not leave the run open, so they are raised later."""
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
        found = self._update_open(present(ending) | attributes)
        if found is None or all(found.get(name) == ending[name] for name in ("status", "endTime")):
            return None
        self._ended = _ended(found)
        return self._ended

    def _update_open(self, attributes: Item) -> Item | None:
        """Sets attributes of the run, if it is open. Otherwise returns the existing item, or an
        empty item if none exists."""
        team_id = text(self.team_id)
        found = self._core.table.update_open(self._pk, team_id, attributes)
        if found and found.get("teamId") != team_id:
            raise OtherTeam(self.execution_id)
        return found

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
