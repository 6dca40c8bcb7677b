"""What a writer raises, and what it tells of a run that has ended."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Ended:
    """How a run has ended without this writer."""

    status: str | None
    """`COMPLETED`, `FAILED` or `CANCELLED`; `None` when the run was deleted."""
    cancelled_by: str | None = None
    cancel_reason: str | None = None
    end_time: str | None = None


@dataclass(frozen=True)
class Refusal:
    """A record that the table refused, and why."""

    pk: str
    sk: str
    message: str


class WriterError(Exception):
    """What every error of a writer is."""


class InvalidRecord(WriterError, ValueError):
    """A parameter that no record can have. Nothing was written."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field


class PayloadTooLarge(InvalidRecord):
    """A payload that no reader would show. Nothing was written."""


class IdTaken(WriterError):
    """The id is that of a run of another team or flow."""


class RunEnded(WriterError):
    """The run that was to be started has been, and has ended."""

    def __init__(self, execution_id: str, ended: Ended) -> None:
        super().__init__(f"the run {execution_id} has ended: {ended.status}")
        self.ended = ended


class StepEnded(WriterError):
    """The step has ended already, in another way."""


class RecordRefused(WriterError):
    """The table refused records for what is in them. They are dropped; all others are written."""

    def __init__(self, refusals: list[Refusal]) -> None:
        first, more = refusals[0], len(refusals) - 1
        text = f"{first.pk} {first.sk}: {first.message}"
        super().__init__(f"{text} (and {more} more)" if more else text)
        self.refusals = refusals


class Unavailable(WriterError):
    """The table did not answer in time. What is buffered is kept, and tried on."""


class WriterClosed(WriterError):
    """The writer was closed before."""


class ForkedProcess(WriterError):
    """The writer is that of the process from which this one was forked."""
