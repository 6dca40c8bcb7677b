"""The options of a run, and the check of the names of options."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import wraps
from typing import ParamSpec, TypedDict, TypeVar

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")


class RunOptions(TypedDict, total=False):
    """The optional properties of a new run."""

    execution_id: str | None
    """The run's id, unique across all flows and teams of the table. The default is a UUID."""
    created_at: datetime | None
    """When the run was requested. The default is the current time."""
    flow_name: str | None
    flow_version: str | int | None
    device_id: str | None
    trigger: str | None
    labels: Mapping[str, str] | None
    """Search keys, such as `orderId`."""
    timeout_at: datetime | None
    """When the run times out, if it is still open."""
    expires_at: int | None
    """The second since 1970 from which the run is hidden."""


def checks_option_names(
    function: Callable[_Parameters, _Result],
) -> Callable[_Parameters, _Result]:
    """Makes a method raise a `TypeError` that names an unknown option and suggests a known one.

    Python raises a `TypeError` too, but suggests a name only from version 3.13 on. If a required
    parameter is misspelled, it only reports the missing one.
    """
    known = _names(function)

    @wraps(function)
    def checked(*args: _Parameters.args, **kwargs: _Parameters.kwargs) -> _Result:
        for name in kwargs:
            if name not in known:
                raise TypeError(f"unknown option '{name}'; {_suggestion(name, known)}")
        return function(*args, **kwargs)

    return checked


def _names(function: Callable[..., object]) -> list[str]:
    """The names that a method accepts: a method with variable options accepts `RunOptions`."""
    names: list[str] = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.VAR_KEYWORD:
            names += RunOptions.__annotations__
        elif parameter.name != "self":
            names.append(parameter.name)
    return names


def _suggestion(name: str, known: list[str]) -> str:
    matches = difflib.get_close_matches(name.lower(), known, n=1)
    return f"did you mean '{matches[0]}'?" if matches else f"the options are {', '.join(known)}"
