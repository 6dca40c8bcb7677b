"""Writes the runs of a flow engine into Flowtrail's table."""

from .errors import (
    Ended,
    ForkedProcess,
    IdTaken,
    InvalidRecord,
    PayloadTooLarge,
    RecordRefused,
    Refusal,
    RunEnded,
    StepEnded,
    Unavailable,
    WriterClosed,
    WriterError,
)
from .runs import Run, RunOptions
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
