"""The GDB remote serial protocol, as far as loading a program into a stopped board needs it.

Source: "Debugging with GDB", appendix "GDB Remote Serial Protocol".
"""

import re
import socket

from edgesq.errors import BoardError

_TIMEOUT_S = 10.0
_CHUNK = 65_536
_DESCRIPTION = "qXfer:features:read:target.xml"


class RemoteTarget:
    """A board behind a GDB server.

    Args:
        connection: a stream to the server.
        name: what errors call it.
    """

    WRITE_BYTES = 1984
    """QEMU takes packets of 4,096 characters: two for each byte, and an address."""

    def __init__(self, connection: socket.socket, name: str) -> None:
        self._connection = connection
        self._connection.settimeout(_TIMEOUT_S)
        self._name = name
        self._received = b""

    def write(self, address: int, data: bytes) -> None:
        """Write memory, flash too where the server lets a debugger.

        Raises:
            BoardError: the server refuses, or does not answer.
        """
        for at in range(0, len(data), self.WRITE_BYTES):
            piece = data[at : at + self.WRITE_BYTES]
            self._ok(f"M{address + at:x},{len(piece):x}:{piece.hex()}")

    def read(self, address: int, count: int) -> bytes:
        """Return `count` bytes of memory.

        Raises:
            BoardError: the server refuses, or does not answer.
        """
        parts = []
        for at in range(0, count, self.WRITE_BYTES):
            size = min(self.WRITE_BYTES, count - at)
            answer = self._ask(f"m{address + at:x},{size:x}")
            try:
                part = bytes.fromhex(answer.decode("ascii"))
            except ValueError:
                part = b""
            if len(part) != size:
                raise self._error(f"does not read {size} bytes at {address + at:#x}")
            parts.append(part)
        return b"".join(parts)

    def reset(self) -> None:
        """Reset the board; it stays stopped.

        Raises:
            BoardError: the server refuses, or does not answer.
        """
        self._ok("qRcmd," + b"system_reset".hex())

    def set_register(self, number: int, value: int) -> None:
        """Set a register of the core, by its number in the protocol.

        Raises:
            BoardError: the server refuses, or does not answer.
        """
        self._ask(f"{_DESCRIPTION}:0,40")  # QEMU knows numbers only after that
        self._ok(f"P{number:x}={value.to_bytes(4, 'little').hex()}")

    def architecture(self) -> str:
        """Return what the server calls the core's architecture; "" where it does not say.

        Raises:
            BoardError: the server does not answer.
        """
        found = re.search(rb"<architecture>([^<]*)<", self._ask(f"{_DESCRIPTION}:0,{_CHUNK:x}"))
        return found[1].decode(errors="replace") if found else ""

    def detach(self) -> None:
        """Let the board run, and leave it alone.

        Raises:
            BoardError: the server refuses, or does not answer.
        """
        self._ok("D")

    def _ok(self, packet: str) -> None:
        answer = self._ask(packet)
        if answer != b"OK":
            raise self._error(f"refuses {packet[:24]!r}: {answer[:40]!r}")

    def _ask(self, packet: str) -> bytes:
        body = packet.encode("ascii")
        try:
            self._connection.sendall(b"$%s#%02x" % (body, sum(body) & 0xFF))
            self._until(b"$")
            answer = self._until(b"#")
            while len(self._received) < 2:
                self._fill()
        except OSError as error:
            raise self._error(f"does not answer {packet[:24]!r}") from error
        checksum, self._received = self._received[:2], self._received[2:]
        if int(checksum, 16) != sum(answer) & 0xFF:
            raise self._error("sends damaged packets")
        self._connection.sendall(b"+")
        return answer

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._received:
            self._fill()
        before, _, self._received = self._received.partition(mark)
        return before

    def _fill(self) -> None:
        data = self._connection.recv(_CHUNK)
        if not data:
            raise ConnectionResetError
        self._received += data

    def _error(self, what: str) -> BoardError:
        hint = "see BUILD/board.log, or use --runner qemu"
        return BoardError(f"the GDB server {what}", where=self._name, hint=hint)
