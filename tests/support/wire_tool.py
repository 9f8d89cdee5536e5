"""A serial line for tests: a board behind it, real rates, seeded faults, a port that goes.

The host's end is a symbolic link to a pty, so that the port can vanish and come back by its name.
Bytes take 10 bits each at the rate that the sender's termios has; where the receiver's has another,
they arrive as garbage.
"""

import heapq
import os
import random
import select
import termios
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgesq.flash.process import _make_raw, spawn, start_time, stop_process

KINDS = ("flip", "drop", "double", "insert")
_BITS_PER_BYTE = 10
_CHUNK = 4096
_TICK_S = 0.0005
_RATES = {
    getattr(termios, f"B{rate}"): rate
    for rate in (9600, 38400, 115200, 230400, 460800, 921600, 1000000, 1500000, 2000000, 3000000)
}


@dataclass(frozen=True)
class Faults:
    """How often a line does what, each way; all drawn from one seed.

    Attributes:
        seed: of everything.
        rate: of each kind in `kinds`, per byte.
        kinds: of KINDS.
        delay: of holding a direction back for up to `delay_s`, per byte.
        delay_s: seconds.
        broken_above: rates above this arrive as garbage, as on a line too long for them.
    """

    seed: int = 0
    rate: float = 0.0
    kinds: tuple[str, ...] = KINDS
    delay: float = 0.0
    delay_s: float = 0.1
    broken_above: int | None = None


class _Direction:
    """Bytes under way from one end to the other."""

    def __init__(self, faults: Faults, seed: int, has_rate: bool) -> None:
        self.passed = 0
        self.faults = 0
        self._plan = faults
        self._random = random.Random(seed)
        self._has_rate = has_rate
        self._free_at = 0.0  # when the line has sent all that it took
        self._under_way: deque[tuple[float, int, bytes]] = deque()  # due, rate sent at, bytes

    def take(self, data: bytes, rate: int) -> None:
        """Put bytes on the line."""
        now = time.monotonic()
        begins = max(now, self._free_at)
        if self._random.random() < self._plan.delay * len(data):
            begins += self._random.random() * self._plan.delay_s
        byte_s = _BITS_PER_BYTE / rate if self._has_rate else 0.0
        step = max(1, int(_TICK_S / byte_s)) if byte_s else len(data)
        for start in range(0, len(data), step):
            piece = data[start : start + step]
            begins += byte_s * len(piece)
            self._under_way.append((begins, rate, piece))
        self._free_at = begins

    def due_in(self) -> float | None:
        """Return seconds until something arrives, None where nothing is under way."""
        return self._under_way[0][0] - time.monotonic() if self._under_way else None

    def arrive(self, rate: int) -> bytes:
        """Return what a receiver at `rate` gets now."""
        now = time.monotonic()
        arrived = bytearray()
        while self._under_way and self._under_way[0][0] <= now:
            _, sent_at, piece = self._under_way.popleft()
            self.passed += len(piece)
            limit = self._plan.broken_above
            if rate != sent_at or (limit is not None and rate > limit):
                piece = self._random.randbytes(len(piece))
            arrived += self._damage(piece)
        return bytes(arrived)

    def forget(self) -> None:
        """Lose what is under way."""
        self._under_way.clear()

    def _damage(self, data: bytes) -> bytes:
        rate = self._plan.rate * len(self._plan.kinds)
        if rate == 0:
            return data
        damaged = bytearray()
        for byte in data:
            if self._random.random() >= rate:
                damaged.append(byte)
                continue
            self.faults += 1
            kind = self._random.choice(self._plan.kinds)
            damaged += {
                "flip": bytes([byte ^ (1 << self._random.randrange(8))]),
                "drop": b"",
                "double": bytes([byte, byte]),
                "insert": bytes([self._random.randrange(256), byte]),
            }[kind]
        return bytes(damaged)


class Wire:
    """Runs a board behind a line; a context manager that yields itself.

    Args:
        command: the board's program, its line on stdin and stdout.
        folder: for the board's log and the port.
        faults: of the line.
        has_rate: pass bytes no faster than the rate that the sender's end is set to.

    Attributes:
        port: what the host opens.
        resets: boards started again so far.
        returns: how often the port went away and came back.
    """

    def __init__(
        self,
        command: Sequence[str],
        folder: Path,
        faults: Faults | None = None,
        *,
        has_rate: bool = False,
    ) -> None:
        faults = faults or Faults()
        self.port = str(folder / "ttyBOARD")
        self.resets = self.returns = 0
        self._command, self._log = command, folder / "board.log"
        self.to_board = _Direction(faults, 2 * faults.seed, has_rate)
        self.to_host = _Direction(faults, 2 * faults.seed + 1, has_rate)
        self._events: list[tuple[int, int, Callable[[], None]]] = []  # at bytes to the board
        self._asked: deque[Callable[[], None]] = deque()
        self._is_over = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._back_at: float | None = None
        self._host = self._slave = self._board = -1
        self._pid = 0
        self._started: int | None = None

    def __enter__(self) -> "Wire":
        self._start_board()
        self._open_port()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over = True
        self._thread.join()
        self._stop_board()
        self._close_port()

    def at(self, n_bytes: int, event: Callable[[], None]) -> None:
        """Do `event` in the line's thread when so many bytes have passed to the board."""
        heapq.heappush(self._events, (n_bytes, len(self._events), event))

    def soon(self, event: Callable[[], None]) -> None:
        """Do `event` in the line's thread."""
        self._asked.append(event)

    # --- events ---

    def reset(self, command: Sequence[str] | None = None) -> None:
        """Start the board anew, as its reset button would; what is under way to it is lost.

        Args:
            command: another board's program instead.
        """
        self._stop_board()
        self.to_board.forget()
        self._command = command or self._command
        self._start_board()
        self.resets += 1

    def vanish(self, seconds: float) -> None:
        """Take the host's port away, and bring it back later."""
        if self._back_at is None:
            self._close_port()
            self.to_host.forget()
            self._back_at = time.monotonic() + seconds

    def say_to_host(self, data: bytes) -> None:
        """Have the host receive bytes that the board never sent."""
        self._give(self._host, data)

    def say_to_board(self, data: bytes) -> None:
        """Have the board receive bytes that the host never sent."""
        self._give(self._board, data)

    # --- the line's thread ---

    def _run(self) -> None:
        while not self._is_over:
            self._wait()
            self._pass(self._host, self.to_board)
            self._pass(self._board, self.to_host)
            self._give(self._board, self.to_board.arrive(_rate_of(self._board)))
            self._give(self._host, self.to_host.arrive(_rate_of(self._host)))
            while self._asked:
                self._asked.popleft()()
            while self._events and self._events[0][0] <= self.to_board.passed:
                heapq.heappop(self._events)[2]()
            if self._back_at is not None and time.monotonic() >= self._back_at:
                self._back_at = None
                self._open_port()
                self.returns += 1

    def _wait(self) -> None:
        due = [line.due_in() for line in (self.to_board, self.to_host)]
        waits = [0.02, *(seconds for seconds in due if seconds is not None)]
        ends = [end for end in (self._host, self._board) if end >= 0]
        select.select(ends, [], [], max(_TICK_S, min(waits)) if min(waits) > 0 else 0)

    def _pass(self, end: int, line: _Direction) -> None:
        if end >= 0 and select.select([end], [], [], 0)[0]:
            try:
                data = os.read(end, _CHUNK)
            except OSError:
                return  # nobody has the other side open
            if data:
                line.take(data, _rate_of(end))

    def _give(self, end: int, data: bytes) -> None:
        if end >= 0 and data:
            try:
                os.write(end, data)  # a full pty drops the rest, as a UART does
            except OSError:
                return

    def _start_board(self) -> None:
        self._pid, port = spawn(self._command, self._log)
        self._started = start_time(self._pid)
        self._board = os.open(port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)

    def _stop_board(self) -> None:
        os.close(self._board)
        if self._started is not None:
            stop_process(self._pid, self._started)

    def _open_port(self) -> None:
        self._host, self._slave = os.openpty()
        _make_raw(self._slave)  # kept open: the line does not hang up when the host closes it
        os.set_blocking(self._host, False)
        draft = Path(self.port + ".new")
        draft.symlink_to(os.ttyname(self._slave))
        draft.replace(self.port)

    def _close_port(self) -> None:
        if self._host >= 0:
            Path(self.port).unlink(missing_ok=True)
            os.close(self._slave)
            os.close(self._host)
            self._host = self._slave = -1


def _rate_of(end: int) -> int:
    if end < 0:
        return 0
    return _RATES[termios.tcgetattr(end)[4]]
