"""The serial port: bounded reads and writes, and errors a person can act on."""

import contextlib
import errno
import time
from dataclasses import dataclass
from types import TracebackType
from urllib.parse import urlsplit

import serial
from serial.tools import list_ports
from serial.tools.list_ports_common import ListPortInfo

from edgesq.errors import BoardError
from edgesq.limits import TIMEOUT_S
from edgesq.link.holders import holders, how_to_free
from edgesq.link.labgrid import Place, is_place

DEFAULT_BAUD = 115_200
"""Bits per second at which every board starts."""

_CHUNK = 4096
_TOUCH_BAUD = 1_200
_POLL_S = 0.05
_URL_POLL_S = 0.02
"""How long one read of a URL's port waits: another timeout would be negotiated with the far end."""
_RFC_2217, _RAW = "rfc2217://", "socket://"
_PTYS = "/dev/pts/"
_WENT, _WENT_HINT = "the board went away in the middle", "check the cable or emulator"
_REASONS = {
    errno.ENOENT: ("there is no such port", "plug the board in, or `edgesq flash` an emulated one"),
    errno.EACCES: ("no permission to open the port", "add yourself to the group dialout"),
    errno.EPERM: ("no permission to open the port", "add yourself to the group dialout"),
}
_BUSY = (errno.EBUSY, errno.EAGAIN)


class PortGoneError(BoardError):
    """The port went away while it was open."""


class Transport:
    """An open serial port.

    Args:
        port: device path, as /dev/ttyACM0, or URL.
        serial_port: the opened pyserial object.
        write_timeout: seconds that a write may take, as set there.
        place: whose serial line it is, released when the port is closed; None without labgrid.

    Attributes:
        port: where the device is now; it may come back under another name.
        baud: bits per second.
    """

    def __init__(
        self,
        port: str,
        serial_port: serial.Serial,
        write_timeout: float,
        place: Place | None = None,
    ) -> None:
        self.port = port
        self._place = place
        self.baud: int = serial_port.baudrate
        self._serial = serial_port
        self._write_timeout = write_timeout
        self._is_left = False
        self._usb = _usb_device(port)

    def leave(self) -> None:
        """Make every read and `reopen` after this moment raise, also in another thread."""
        self._is_left = True

    def read(self, timeout: float) -> bytes:
        """Return what came, waiting at most `timeout` seconds for the first byte; b"" if none.

        Raises:
            PortGoneError: the port is gone.
            BoardError: the port was left.
        """
        self._check_left()
        try:
            first = self._first(timeout)
            waiting = min(self._serial.in_waiting, _CHUNK) if first else 0
            return bytes(first + self._serial.read(waiting)) if waiting else bytes(first)
        except (OSError, TypeError) as error:  # TypeError: pyserial on a port closed under it
            raise self._gone() from error

    def _first(self, timeout: float) -> bytes:
        if not _is_url(self.port):
            if self._serial.timeout != timeout:
                self._serial.timeout = timeout
            return bytes(self._serial.read(1))
        deadline = time.monotonic() + timeout
        first = self._serial.read(1)
        while not first and time.monotonic() < deadline:
            first = self._serial.read(1)
        return bytes(first)

    def write(self, data: bytes) -> None:
        """Send all of `data`.

        Raises:
            PortGoneError: the port is gone.
            BoardError: it does not take the bytes in time.
        """
        try:
            self._serial.write(data)
        except serial.SerialTimeoutException as error:
            raise BoardError(
                "the board takes no more bytes", where=self.port, hint="reset it, then try again"
            ) from error
        except (OSError, TypeError) as error:
            raise self._gone() from error

    @property
    def has_fixed_rate(self) -> bool:
        """Whether the line's rate is the far end's affair."""
        return str(self._serial.port).startswith(_RAW)

    @property
    def is_paced(self) -> bool:
        """Whether bytes come no faster than a UART's; sockets and pseudoterminals may hurry."""
        return not str(self._serial.port).startswith((_RAW, _PTYS))

    def set_baud(self, baud: int) -> bool:
        """Run at `baud` from now on and forget what came; say whether this side can.

        Raises:
            PortGoneError: the port is gone.
        """
        if self.has_fixed_rate and baud != self.baud:
            return False
        try:
            self._serial.baudrate = baud
            self._serial.reset_input_buffer()
        except ValueError:
            return False
        except (OSError, TypeError) as error:
            if not self._is_there():
                raise self._gone() from error
            return False
        self.baud = baud
        return True

    def reopen(self, patience: float) -> None:
        """Wait for the port to come back, by its path or as the same USB device, and open it.

        Args:
            patience: seconds to wait.

        Raises:
            BoardError: it does not come, or is a pty.
        """
        self._close()
        if self.port.startswith(_PTYS):  # gone for good: whoever has its number next is a stranger
            raise BoardError(_WENT, where=self.port, hint=_WENT_HINT)
        deadline = time.monotonic() + patience
        while True:
            self._check_left()
            time.sleep(_POLL_S)
            with contextlib.suppress(BoardError):
                port = self._where_now()
                line = port if self._place is None else self._place.line()
                self._serial = _open(line, self._write_timeout)
                self.port, self.baud = port, DEFAULT_BAUD
                return
            if time.monotonic() > deadline:
                raise BoardError(_WENT, where=self.port, hint=_WENT_HINT)

    def close(self) -> None:
        """Close the port, and give its place back; errors no longer matter."""
        self._close()
        if self._place is not None:
            self._place.release()

    def _close(self) -> None:
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

    def _check_left(self) -> None:
        if self._is_left:
            raise BoardError("the port was left", where=self.port, hint="open it again")

    def _where_now(self) -> str:
        """Return the port's name now: a USB device may have another one.

        Raises:
            BoardError: the USB device is not there; its old name may be another's meanwhile.
        """
        if self._usb is None:
            return self.port
        now = _port_of(self._usb)
        if now is None:
            raise self._gone()
        return now

    def others(self) -> tuple[str, ...]:
        """Return which other programs have the port open, and may take what is meant for us."""
        return () if _is_url(self.port) else holders(self.port)

    def _is_there(self) -> bool:
        try:
            return bool(self._serial.in_waiting >= 0)
        except (OSError, TypeError):
            return False

    def _gone(self) -> PortGoneError:
        return PortGoneError(_WENT, where=self.port, hint=_WENT_HINT)


def open_port(port: str, timeout: float = TIMEOUT_S) -> Transport:
    """Open `port`, 8N1 at the default rate, for this program alone.

    DTR and RTS are not touched once it is open: a pty has none, and on many boards they reset.

    Args:
        port: device path, or a URL that pyserial knows, as rfc2217://host:port or socket://host:port;
            the rate of a socket is the far end's affair; or labgrid://place, which is acquired
            where nobody holds it.
        timeout: seconds that a write may take; RFC 2217 has 5.

    Raises:
        BoardError: it is not there, not ours, or not a serial port.
        ToolError: labgrid-client is not installed.
        EdgesqError: no place has such a URL.
    """
    if not is_place(port):
        return Transport(port, _open(port, timeout), timeout)
    place = Place(port)
    try:
        return Transport(port, _open(place.line(), timeout), timeout, place)
    except BaseException:
        place.release()
        raise


def _open(port: str, timeout: float) -> serial.Serial:
    try:
        opened = _open_url(port, timeout) if _is_url(port) else _open_device(port, timeout)
        opened.reset_input_buffer()
    except (OSError, ValueError) as error:
        number = getattr(error, "errno", None)
        if number in _BUSY:
            names = holders(port)
            said = f"another program uses the port{': ' if names else ''}{', '.join(names)}"
            raise BoardError(said, where=port, hint=how_to_free(names)) from error
        reason, hint = _REASONS.get(
            number if number is not None else 0, ("cannot be opened as a serial port", str(error))
        )
        raise BoardError(reason, where=port, hint=hint) from error
    return opened


def _open_device(port: str, timeout: float) -> serial.Serial:
    return serial.Serial(port, DEFAULT_BAUD, timeout=0, write_timeout=timeout, exclusive=True)


def _open_url(url: str, timeout: float) -> serial.Serial:
    limit: float | None = timeout
    if url.startswith((_RAW, _RFC_2217)):
        _check_address(url)
    if url.startswith(_RFC_2217):
        limit = None  # pyserial refuses one
        # Servers are silent on DTR and RTS where the line has none.
        url += f"{'&' if '?' in url else '?'}ign_set_control"
    return serial.serial_for_url(url, DEFAULT_BAUD, timeout=_URL_POLL_S, write_timeout=limit)


def _check_address(url: str) -> None:
    """Hold that a URL names a computer and a port: pyserial's own errors of it say nothing.

    Raises:
        ValueError: it does not.
    """
    parts = urlsplit(url)
    if not parts.hostname or not parts.port:  # which raises where it is no number up to 65,535
        raise ValueError(f"{parts.scheme}://HOST:PORT is needed")


def _is_url(port: str) -> bool:
    return "://" in port


@dataclass(frozen=True)
class _UsbLine:
    """A serial line of a USB device.

    Attributes:
        ids: vendor, product, serial number (None where it has none) and the interface's name.
        socket: where the device is plugged in, as "1-4.2".
        number: of the interface on the device, as "1.2"; empty where it has but one.
    """

    ids: tuple[int, int, str | None, str | None]
    socket: str
    number: str

    @classmethod
    def of(cls, port: ListPortInfo) -> "_UsbLine | None":
        """Return the line at a port, None where that is not of a USB device."""
        if port.vid is None:
            return None
        socket, _, number = (port.location or "").partition(":")
        ids = (port.vid, port.pid, port.serial_number or None, port.interface or None)
        return cls(ids, socket, number)

    def is_moved(self, other: "_UsbLine") -> bool:
        """Say whether `other` is this line with the device in another socket."""
        return self.ids[2] is not None and (self.ids, self.number) == (other.ids, other.number)


def _usb_device(port: str) -> _UsbLine | None:
    """Return the USB line at `port`, None where it is not one."""
    found = (one for one in list_ports.comports() if one.device == port)
    return next(map(_UsbLine.of, found), None)


def _port_of(line: _UsbLine) -> str | None:
    """Return where a USB line is now: in its socket, or where its serial number alone is."""
    lines = {str(port.device): _UsbLine.of(port) for port in list_ports.comports()}
    there = [port for port, one in lines.items() if one == line]
    moved = [port for port, one in lines.items() if one is not None and line.is_moved(one)]
    found = there or moved
    return found[0] if len(found) == 1 else None


def find_ports(usb_ids: tuple[str, ...], serial_number: str | None = None) -> list[str]:
    """Return the serial ports whose USB device is one of `usb_ids` ("vid:pid" in hex), sorted.

    Args:
        usb_ids: which devices.
        serial_number: of the one device wanted; None for all.
    """
    return sorted(
        str(port.device)
        for port in list_ports.comports()
        if port.vid is not None
        and f"{port.vid:04x}:{port.pid:04x}" in usb_ids
        and serial_number in (None, port.serial_number)
    )


def is_listed(port: str) -> bool:
    """Say whether the system has such a serial device now."""
    return port in (str(one.device) for one in list_ports.comports())


def ids_there(*groups: tuple[str, ...]) -> tuple[str, ...]:
    """Return the first of several groups of USB ids of which a serial port is there; else the last.

    Args:
        groups: as `find_ports` takes them, best first.
    """
    return next((ids for ids in groups if ids and find_ports(ids)), groups[-1])


def touch_port(port: str) -> None:
    """Open a port at 1,200 baud and close it: that sends some boards into their bootloader.

    Raises:
        BoardError: it cannot be opened.
    """
    try:
        with serial.Serial(port, _TOUCH_BAUD, exclusive=True) as line, contextlib.suppress(OSError):
            line.dtr = False
    except (OSError, ValueError) as error:
        raise BoardError(
            "cannot be opened as a serial port", where=port, hint=str(error)
        ) from error


def find_serial_numbers(usb_ids: tuple[str, ...]) -> list[str]:
    """Return the serial numbers of the USB devices with a serial port that are one of `usb_ids`."""
    found = {
        str(port.serial_number)
        for port in list_ports.comports()
        if port.vid is not None and f"{port.vid:04x}:{port.pid:04x}" in usb_ids
    }
    return sorted(found)
