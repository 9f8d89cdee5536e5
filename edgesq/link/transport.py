"""The serial port: bounded reads and writes, and errors a person can act on."""

import contextlib
import errno
from types import TracebackType

import serial
from serial.tools import list_ports

from edgesq.errors import BoardError

_CHUNK = 4096
_REASONS = {
    errno.ENOENT: ("there is no such port", "plug the board in, or `edgesq flash` an emulated one"),
    errno.EACCES: ("no permission to open the port", "add yourself to the group dialout"),
    errno.EPERM: ("no permission to open the port", "add yourself to the group dialout"),
    errno.EBUSY: ("another program uses the port", "close it"),
    errno.EAGAIN: ("another program uses the port", "close it"),
}


class Transport:
    """An open serial port.

    Args:
        port: device path, as /dev/ttyACM0.
        serial_port: the opened pyserial object.
    """

    def __init__(self, port: str, serial_port: serial.Serial) -> None:
        self.port = port
        self._serial = serial_port

    def read(self, timeout: float) -> bytes:
        """Return what came, waiting at most `timeout` seconds for the first byte; b"" if none.

        Raises:
            BoardError: the port is gone.
        """
        try:
            if self._serial.timeout != timeout:
                self._serial.timeout = timeout
            first = self._serial.read(1)
            waiting = min(self._serial.in_waiting, _CHUNK) if first else 0
            return bytes(first + self._serial.read(waiting)) if waiting else bytes(first)
        except (OSError, TypeError) as error:  # TypeError: pyserial on a port closed under it
            raise self._gone() from error

    def write(self, data: bytes) -> None:
        """Send all of `data`.

        Raises:
            BoardError: the port is gone, or does not take the bytes in time.
        """
        try:
            self._serial.write(data)
        except serial.SerialTimeoutException as error:
            raise BoardError(
                "the board takes no more bytes", where=self.port, hint="reset it, then try again"
            ) from error
        except (OSError, TypeError) as error:
            raise self._gone() from error

    def close(self) -> None:
        """Close the port; errors no longer matter."""
        with contextlib.suppress(OSError):
            self._serial.close()

    def __enter__(self) -> "Transport":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _gone(self) -> BoardError:
        return BoardError(
            "the board went away in the middle", where=self.port, hint="check the cable or emulator"
        )


def open_port(port: str, baud: int = 115_200, timeout: float = 5.0) -> Transport:
    """Open `port`, 8N1, for this program alone.

    DTR and RTS are not touched once it is open: a pty has none, and on many boards they reset.

    Args:
        port: device path.
        baud: bits per second; a pty ignores it.
        timeout: seconds that a write may take.

    Raises:
        BoardError: it is not there, not ours, or not a serial port.
    """
    try:
        opened = serial.Serial(port, baud, timeout=0, write_timeout=timeout, exclusive=True)
        opened.reset_input_buffer()
    except (OSError, ValueError) as error:
        number = getattr(error, "errno", None)
        reason, hint = _REASONS.get(
            number if number is not None else 0, ("cannot be opened as a serial port", str(error))
        )
        raise BoardError(reason, where=port, hint=hint) from error
    return Transport(port, opened)


def find_ports(usb_ids: tuple[str, ...]) -> list[str]:
    """Return the serial ports whose USB device is one of `usb_ids` ("vid:pid" in hex), sorted."""
    return sorted(
        str(port.device)
        for port in list_ports.comports()
        if port.vid is not None and f"{port.vid:04x}:{port.pid:04x}" in usb_ids
    )
