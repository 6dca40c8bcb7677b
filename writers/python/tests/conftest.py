from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from flowtrail_writer import Writer
from proxy import Proxy
from server import Server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    program = os.environ.get("FLOWTRAIL_PROGRAM")
    if not program:
        pytest.exit("Set FLOWTRAIL_PROGRAM to the path of the program `flowtrail`", returncode=2)
    started = Server(program, Path(tmp_path_factory.mktemp("data")))
    yield started
    started.stop()


@pytest.fixture
def id() -> str:
    """A run id that only this test uses."""
    return str(uuid.uuid4())


@pytest.fixture
def make_writer(server: Server) -> Iterator[Callable[..., Writer]]:
    """Creates writers, and closes them after the test."""
    made: list[Writer] = []

    def make(client: Any = None, **options: Any) -> Writer:
        writer = Writer("flowtrail", server.own_client if client is None else client, **options)
        made.append(writer)
        return writer

    yield make
    for writer in made:
        writer.close()


@pytest.fixture
def writer(make_writer: Callable[..., Writer]) -> Writer:
    return make_writer()


@pytest.fixture
def proxy(server: Server) -> Iterator[Proxy]:
    """A proxy in front of the table."""
    made = Proxy(server.table_url)
    yield made
    made.close()
