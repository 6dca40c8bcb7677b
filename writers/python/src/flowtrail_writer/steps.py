"""Steps, forks and branches, which a run writes through the buffer."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING

from .core import Core
from .errors import InvalidRecord, StepEnded
from .options import RunOptions, checks_option_names
from .records import (
    MAX_STEP_ERROR_BYTES,
    NULL,
    Item,
    checked_id,
    checked_integer,
    checked_text,
    cut,
    duration,
    number,
    optional_count,
    optional_text,
    optional_time,
    parse_time,
    present,
    text,
    time_text,
)
from .values import Json, Value, payload_parts

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .runs import Run

FORK_TYPE = "PARALLEL_FORK_MANAGER"

_log = logging.getLogger("flowtrail_writer")


@dataclass
class Summary:
    """The number of steps of a run by their end, as far as its `Run` object has written them."""

    total: int = 0
    passed: int = 0
    failed: int = 0
    _lock: Lock = field(default_factory=Lock)

    def count_start(self) -> None:
        with self._lock:
            self.total += 1

    def count_end(self, status: str) -> None:
        with self._lock:
            self.passed += status == "COMPLETED"
            self.failed += status == "FAILED"

    def attribute(self) -> Item:
        with self._lock:
            return {
                "total": number(self.total),
                "passed": number(self.passed),
                "failed": number(self.failed),
            }


@dataclass
class Journal:
    """The state that all steps of a run share."""

    core: Core
    pk: str
    execution_id: str
    team_id: str
    summary: Summary


class Sequence:
    """The sequence numbers of the steps of a run or branch. It starts with `first`, or with the
    first number that a caller passes."""

    def __init__(self, first: int | None) -> None:
        self._next = first
        self._lock = Lock()

    def take(self, given: int | None) -> int | None:
        with self._lock:
            taken = self._next if given is None else given
            if taken is not None:
                self._next = max(self._next or 0, taken + 1)
            return taken


@dataclass
class Place:
    """A place of steps: a run, a branch, or below another step."""

    sk_prefix: str
    own: Item
    """The attributes of the place in the record of each step."""
    sequence: Sequence


def nested_place(parent_id: str, sequence: Sequence) -> Place:
    """The place of the steps below the step with this id. Their keys are those of any step."""
    return Place("STEP", {"parentStepInstanceId": text(parent_id)}, sequence)


class StepScope:
    """A run or a branch of a fork: both contain steps."""

    def __init__(self, journal: Journal, place: Place) -> None:
        self._journal = journal
        self._place = place

    @checks_option_names
    def start_step(
        self,
        step_id: str,
        *,
        name: str | None = None,
        type: str | None = None,
        input: Json = None,
        parent: Step | Fork | str | None = None,
        id: str | None = None,
        retry_count: int | None = None,
        sequence_number: int | None = None,
        start_time: datetime | None = None,
        data: Json = None,
    ) -> Step:
        """Starts a step. As a context manager it completes, or fails if the block raises.

        The `id` and the `start_time` identify a step: a step with the same two replaces it.
        With a `parent`, a step of the same run or its id, the step is below that step, and in no
        branch.
        """
        core = self._journal.core
        core.check()
        instance_id = str(uuid.uuid4()) if id is None else checked_id(id, "id")
        given = optional_time(start_time, "start_time")
        began = time_text(core.now()) if given is None else given["S"]
        place = self._place if parent is None else self._below(parent)
        record = {
            "pk": text(self._journal.pk),
            "sk": text(f"{place.sk_prefix}#{began}#{instance_id}"),
            **place.own,
            "stepInstanceId": text(instance_id),
            "stepId": text(checked_id(step_id, "step_id")),
            "status": text("RUNNING"),
            "startTime": text(began),
        } | present(
            {
                "stepName": optional_text(name, "name"),
                "stepType": optional_text(type, "type"),
                "retryCount": optional_count(retry_count, "retry_count"),
            }
        )
        values = core.encode_present({"input": input, "executionData": data})
        if sequence_number is not None:
            checked_integer(sequence_number, "sequence_number", 0, 2**53)
        sequence = place.sequence.take(sequence_number)
        if sequence is not None:
            record["sequenceNumber"] = number(sequence)
        return Step(self._journal, record, values)

    def _below(self, parent: Step | Fork | str) -> Place:
        """The place of the steps below a step of this run."""
        if isinstance(parent, Fork):
            parent = parent._step
        if not isinstance(parent, Step):
            # The writer does not know how many steps are below a step of which it has only the id.
            return nested_place(checked_id(parent, "parent"), Sequence(None))
        if parent._journal.pk != self._journal.pk:
            raise InvalidRecord("parent", "use a step of the same run")
        return parent._place_below

    @checks_option_names
    def fork(
        self,
        step_id: str,
        *,
        name: str | None = None,
        input: Json = None,
        parent: Step | Fork | str | None = None,
        id: str | None = None,
        retry_count: int | None = None,
        sequence_number: int | None = None,
        start_time: datetime | None = None,
        data: Json = None,
    ) -> Fork:
        """Starts a step whose branches run in parallel. As a context manager it joins them, or
        fails if the block raises an exception."""
        step = self.start_step(
            step_id,
            name=name,
            type=FORK_TYPE,
            input=input,
            parent=parent,
            id=id,
            retry_count=retry_count,
            sequence_number=sequence_number,
            start_time=start_time,
            data=data,
        )
        return Fork(self._journal, step)


class Step:
    """A running step, until one of four methods ends it.

    Ending it again with the same status does nothing; another status raises `StepEnded`.
    """

    def __init__(self, journal: Journal, record: Item, values: dict[str, Value]) -> None:
        self._journal = journal
        self._record = record
        self._separate: set[str] = set()  # Payloads that were written as separate items.
        self._lock = Lock()  # Keeps the order in which the step's records are buffered.
        self.id: str = record["stepInstanceId"]["S"]
        self.start_time: str = record["startTime"]["S"]
        self._place_below = nested_place(self.id, Sequence(1))
        journal.summary.count_start()
        self._write({}, values)

    @checks_option_names
    def complete(self, output: Json = None) -> None:
        self._end("COMPLETED", {}, output)

    @checks_option_names
    def fail(self, error_message: str, output: Json = None) -> None:
        message = cut(checked_text(error_message, "error_message"), MAX_STEP_ERROR_BYTES)
        self._end("FAILED", {"errorMessage": text(message)}, output)

    def skip(self) -> None:
        self._end("SKIPPED", {}, None)

    def cancel(self) -> None:
        self._end("CANCELLED", {}, None)

    def set_data(self, value: Json) -> None:
        """Sets other data about the step, while it runs."""
        self._journal.core.check()
        values = {"executionData": self._journal.core.encode(value, "executionData")}
        with self._lock:
            self._check_open("given data")
            self._write({}, values)

    @checks_option_names
    def start_subflow(
        self, flow_id: str, *, input: Json = None, **options: Unpack[RunOptions]
    ) -> Run:
        """Starts a run as a part of this step, like `Writer.start_run`."""
        from .runs import start_run  # The modules import each other.

        self._journal.core.check()
        with self._lock:
            self._check_open("given a sub-flow")
        parent = {
            "executionType": text("SUBFLOW"),
            "parentExecutionId": text(self._journal.execution_id),
            "parentStepInstanceId": text(self.id),
        }
        run = start_run(self._journal.core, flow_id, self._journal.team_id, input, parent, options)
        with self._lock:
            self._write({"subflowExecutionId": text(run.execution_id)}, {})
        return run

    def __enter__(self) -> Step:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._is_open():
            leave(self, f"step {self.id}", error)

    def _is_open(self) -> bool:
        return self._status() == "RUNNING"

    def _status(self) -> str:
        status: str = self._record["status"]["S"]
        return status

    def _check_open(self, done: str) -> None:
        if not self._is_open():
            raise StepEnded(f"the step {self.id} is {self._status()}; it cannot be {done}")

    def _end(self, status: str, attributes: Item, output: Json) -> None:
        core = self._journal.core
        core.check()
        values = core.encode_present({"output": output})
        with self._lock:
            if self._status() == status:
                return
            self._check_open(status)
            # If the clock was set back, the end is still not before the start.
            now = max(core.now(), parse_time(self.start_time) or 0)
            ending = {
                "status": text(status),
                "endTime": text(time_text(now)),
                "durationMs": duration(self.start_time, now),
            }
            self._write(attributes | present(ending), values)
            self._journal.summary.count_end(status)

    def _write(self, attributes: Item, values: Mapping[str, Value]) -> None:
        """Buffers the record again, after the payloads that do not fit into it."""
        buffer = self._journal.core.buffer
        inline: Item = {}
        for name, value in values.items():
            # Readers skip a null in the record, and would show the older, separate payload.
            hides_nothing = value.native == NULL and name in self._separate
            if value.native is not None and not hides_nothing:
                inline[name] = value.native
                continue
            self._separate.add(name)
            for part in payload_parts(self._journal.pk, f"step:{self.id}:{name}", value):
                buffer.put(part)
        kept = {name: value for name, value in self._record.items() if name not in values}
        record = kept | attributes | inline
        buffer.put(record)
        self._record = record


class Fork:
    """A step whose branches run in parallel."""

    def __init__(self, journal: Journal, step: Step) -> None:
        self._journal = journal
        self._step = step
        self.id = step.id
        self.start_time = step.start_time

    @checks_option_names
    def branch(self, branch_id: str, *, id: str | None = None) -> Branch:
        """Returns a branch. Only its steps write records."""
        execution_id = str(uuid.uuid4()) if id is None else checked_id(id, "id")
        own = {
            "branchExecutionId": text(execution_id),
            "branchId": text(checked_id(branch_id, "branch_id")),
            "parentStepInstanceId": text(self.id),
            "parentStepStartTime": text(self.start_time),
        }
        prefix = f"BRANCH#{self.start_time}#{self.id}#{execution_id}"
        return Branch(self._journal, Place(prefix, own, Sequence(1)))

    def join(self) -> None:
        """Completes the fork. Call it when its branches have ended."""
        self._step.complete()

    @checks_option_names
    def fail(self, error_message: str) -> None:
        self._step.fail(error_message)

    def __enter__(self) -> Fork:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._step.__exit__(kind, error, traceback)


class Branch(StepScope):
    """A branch of a fork."""

    @property
    def id(self) -> str:
        execution_id: str = self._place.own["branchExecutionId"]["S"]
        return execution_id


def leave(left: Run | Step, name: str, error: BaseException | None) -> None:
    """Ends the run or step of a `with` block with the result of the block.

    If the failure cannot be written, the caller still sees the exception of the block.
    """
    if error is None:
        left.complete()
        return
    try:
        left.fail(str(error) or type(error).__name__)
    except Exception as failure:
        _log.error("Could not write the failure of the %s: %r", name, failure)
