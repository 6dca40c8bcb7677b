"""A TCP proxy in front of the table, which can simulate failures."""

from __future__ import annotations

import socket
import threading
from enum import Enum, auto
from urllib.parse import urlsplit


class Mode(Enum):
    PASS = auto()
    REFUSE = auto()
    """Connections are closed as soon as they are opened."""
    HANG = auto()
    """Requests are read, but neither forwarded nor answered."""
    LOSE_ANSWERS = auto()
    """Requests are forwarded, and the connection is closed instead of answering."""


class Proxy:
    def __init__(self, target: str) -> None:
        address = urlsplit(target)
        assert address.hostname is not None and address.port is not None
        self._target = (address.hostname, address.port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.met = threading.Semaphore(0)
        """Released for each connection, request or answer that was affected by the mode."""
        self._mode = Mode.PASS
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def mode(self) -> Mode:
        return self._mode

    @mode.setter
    def mode(self, mode: Mode) -> None:
        self._mode = mode
        self._close_all()

    def close(self) -> None:
        self._listener.close()
        self._close_all()

    def _close_all(self) -> None:
        for connection in list(self._open):
            close(connection)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._mode is Mode.REFUSE:
                close(client)
                self.met.release()
                continue
            server = socket.create_connection(self._target)
            self._open |= {client, server}
            for forward in (self._forward_requests, self._forward_answers):
                threading.Thread(target=forward, args=(client, server), daemon=True).start()

    def _forward_requests(self, client: socket.socket, server: socket.socket) -> None:
        while data := receive(client):
            if self._mode is Mode.HANG:
                self.met.release()
                continue
            send(server, data)
        close(client)
        close(server)

    def _forward_answers(self, client: socket.socket, server: socket.socket) -> None:
        while data := receive(server):
            if self._mode is Mode.LOSE_ANSWERS:
                self.met.release()
                break
            send(client, data)
        close(client)
        close(server)
        self._open -= {client, server}


def receive(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65_536)
    except OSError:
        return b""


def send(connection: socket.socket, data: bytes) -> None:
    try:
        connection.sendall(data)
    except OSError:
        close(connection)


def close(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    connection.close()
