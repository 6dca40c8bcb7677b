"""Writes the runs of a flow engine into Flowtrail's table."""

from .errors import (
    Ended,
    ForkedProcess,
    IdTaken,
    InvalidRecord,
    OtherTeam,
    PayloadTooLarge,
    RecordRefused,
    Refusal,
    RunEnded,
    StepEnded,
    Unavailable,
    WriterClosed,
    WriterError,
)
from .options import RunOptions
from .runs import Run
from .steps import Branch, Fork, Step
from .values import Json
from .writer import Writer

__all__ = [
    "Branch",
    "Ended",
    "Fork",
    "ForkedProcess",
    "IdTaken",
    "InvalidRecord",
    "Json",
    "OtherTeam",
    "PayloadTooLarge",
    "RecordRefused",
    "Refusal",
    "Run",
    "RunEnded",
    "RunOptions",
    "Step",
    "StepEnded",
    "Unavailable",
    "Writer",
    "WriterClosed",
    "WriterError",
]
