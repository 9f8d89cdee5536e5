"""The serial line of a board emulated by Python: the process' stdin and stdout, or a TCP port."""

import contextlib
import os
import select
import socket
import threading
from collections import deque
from collections.abc import Callable
from typing import Protocol

_CHUNK = 4096
_WRITE_S = 1.0
"""As long as the ports of boards wait for a line that takes nothing; then bytes are lost."""
_WATCH_S = 0.1
_FIFO_BYTES = 256
"""Handed to the UART at once, where the firmware waits: its ring, then empty, holds them."""


class Stream(Protocol):
    """Where bytes come from and go to."""

    def read(self) -> bytes:
        """Wait for bytes; b"" where nobody is there now."""

    def write(self, data: bytes) -> None:
        """Send bytes; they are lost where nobody takes them."""


class Terminal:
    """Descriptors 0 and 1 of this process, a pty's."""

    def __init__(self) -> None:
        os.set_blocking(0, False)
        os.set_blocking(1, False)

    def read(self) -> bytes:
        """Wait for bytes; for ever where stdin is closed."""
        select.select([0], [], [])
        data = os.read(0, _CHUNK)
        if not data:
            threading.Event().wait()
        return data

    def write(self, data: bytes) -> None:
        """Send bytes."""
        while data and select.select([], [1], [], _WRITE_S)[1]:
            data = data[os.write(1, data) :]


class Listener:
    """A TCP port of this computer, for one connection after the other.

    Args:
        port: its number.
    """

    def __init__(self, port: int) -> None:
        self._server = socket.create_server(("127.0.0.1", port), backlog=1)
        self._connection: socket.socket | None = None

    def read(self) -> bytes:
        """Wait for a connection, then for bytes."""
        if self._connection is None:
            self._connection, _ = self._server.accept()
            self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        data = b""
        with contextlib.suppress(OSError):
            select.select([self._connection], [], [])
            data = self._connection.recv(_CHUNK)
        if not data:
            gone, self._connection = self._connection, None
            gone.close()
        return data

    def write(self, data: bytes) -> None:
        """Send bytes."""
        connection = self._connection
        with contextlib.suppress(OSError, ValueError):
            if connection is not None and select.select([], [connection], [], _WRITE_S)[1]:
                connection.sendall(data)


class Line:
    """A serial line between a stream and an emulated UART.

    Args:
        stream: the far end.
        watch: is called again and again, in another thread, while bytes wait to be taken.
    """

    def __init__(self, stream: Stream, watch: Callable[[], None]) -> None:
        self._stream = stream
        self._watch = watch
        self._waiting = deque[int]()
        self._changed = threading.Condition()
        self._to_send = bytearray()
        self._in_fifo = 0

    def start(self) -> None:
        """Begin to read the stream, as long as this process lives."""
        threading.Thread(target=self._read, daemon=True).start()

    def fill(self) -> None:
        """Hand the UART what came, as much as it holds."""
        self._in_fifo = min(len(self._waiting), _FIFO_BYTES)

    @property
    def has_byte(self) -> bool:
        """Whether the UART has a byte to be taken."""
        return self._in_fifo > 0

    def take(self) -> int:
        """Return the next byte of the UART; 0 where there is none."""
        if not self._in_fifo:
            return 0
        self._in_fifo -= 1
        byte = self._waiting.popleft()
        if not self._waiting:
            with self._changed:
                self._changed.notify_all()
        return byte

    def wait(self, timeout: float | None) -> None:
        """Wait until a byte is there, at most `timeout` seconds; for ever where that is None."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting, timeout)

    def send(self, byte: int) -> None:
        """Keep a byte to be sent by `flush`."""
        self._to_send.append(byte & 0xFF)
        if len(self._to_send) >= _CHUNK:
            self.flush()

    def flush(self) -> None:
        """Send what is kept."""
        if self._to_send:
            data = bytes(self._to_send)
            self._to_send.clear()
            self._stream.write(data)

    def _read(self) -> None:
        while True:
            data = self._stream.read()
            with self._changed:
                self._waiting.extend(data)
                self._changed.notify_all()
                while not self._changed.wait_for(lambda: not self._waiting, _WATCH_S):
                    self._watch()
