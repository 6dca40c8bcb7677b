"""The errors of a writer, and the end of a run that another process ended."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Ended:
    """How a run ended that another process ended."""

    status: str | None
    """`COMPLETED`, `FAILED` or `CANCELLED`; `None` if the run was deleted."""
    cancelled_by: str | None = None
    cancel_reason: str | None = None
    end_time: str | None = None


@dataclass(frozen=True)
class Refusal:
    """A record that the table refused, and the reason."""

    pk: str
    sk: str
    message: str


class WriterError(Exception):
    """The base class of all errors of a writer."""


class InvalidRecord(WriterError, ValueError):
    """A parameter has a value that a record cannot have. Nothing was written."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field


class PayloadTooLarge(InvalidRecord):
    """A payload is larger than readers accept. Nothing was written."""


class IdTaken(WriterError):
    """The id belongs to a run of another flow. For a run of another team, it is an `OtherTeam`."""


class OtherTeam(IdTaken):
    """The execution id belongs to another team: ids are unique across all teams of a table.

    That team's run was not changed. Use another id. If a heartbeat or an end raises this error,
    the run was deleted and another team has reused its id: stop the run.
    """

    def __init__(self, execution_id: str) -> None:
        super().__init__(
            f"the execution id {execution_id} belongs to another team: use another id"
        )
        self.execution_id = execution_id


class RunEnded(WriterError):
    """The run exists already, and has ended."""

    def __init__(self, execution_id: str, ended: Ended) -> None:
        super().__init__(f"the run {execution_id} has ended: {ended.status}")
        self.ended = ended


class StepEnded(WriterError):
    """The step has already ended with another status."""


class RecordRefused(WriterError):
    """The table refused records because of their content. They are dropped, all others written."""

    def __init__(self, refusals: list[Refusal]) -> None:
        first, more = refusals[0], len(refusals) - 1
        text = f"{first.pk} {first.sk}: {first.message}"
        super().__init__(f"{text} (and {more} more)" if more else text)
        self.refusals = refusals


class Unavailable(WriterError):
    """The table did not answer in time. Buffered records are kept and retried."""


class WriterClosed(WriterError):
    """The writer is closed."""


class ForkedProcess(WriterError):
    """The writer belongs to the process from which this process was forked."""
