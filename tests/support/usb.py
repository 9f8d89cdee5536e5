"""What a USB host asks a device, and what a device says of itself.

Sources: USB 2.0 chapter 9, CDC PSTN 1.2.
"""

import struct
from collections.abc import Generator
from dataclasses import dataclass, field

from edgesq.errors import BoardError

PACKET_BYTES = 64
TO_DEVICE, TO_HOST, CLASS_INTERFACE = 0x00, 0x80, 0x21
"""bmRequestType."""
DEVICE, CONFIGURATION, STRING = 1, 2, 3
"""Descriptors."""
SET_ADDRESS, GET_DESCRIPTOR, SET_CONFIGURATION = 5, 6, 9
SET_LINE_CODING, SET_CONTROL_LINES = 0x20, 0x22
DATA1 = 1 << 13
"""In the chip's buffer controls; DATA0 is 0."""

_INTERFACE, _ENDPOINT = 4, 5
_BULK, _DATA_CLASS = 2, 10

Answer = bytes | None
"""What the device said to a request; None where it refused it (STALL)."""
Script = Generator["Request", Answer, None]


@dataclass
class Request:
    """A control transfer.

    Attributes:
        kind: bmRequestType.
        request: bRequest.
        value: wValue.
        index: wIndex.
        n_bytes: wLength, where the device answers.
        data: bytes for the device.
    """

    kind: int
    request: int
    value: int = 0
    index: int = 0
    n_bytes: int = 0
    data: bytes = b""
    answer: bytearray = field(default_factory=bytearray)
    data1: int = DATA1
    is_asked: bool = False
    is_in_status: bool = False

    @property
    def is_to_host(self) -> bool:
        """Whether the device sends the data."""
        return bool(self.kind & TO_HOST)

    @property
    def wants_in(self) -> bool:
        """Whether the host fetches next."""
        if self.is_to_host:
            return not self.is_in_status
        return self.is_in_status or not self.data

    @property
    def setup(self) -> bytes:
        """The eight bytes of its SETUP packet."""
        length = self.n_bytes if self.is_to_host else len(self.data)
        return struct.pack("<BBHHH", self.kind, self.request, self.value, self.index, length)


@dataclass
class Device:
    """What a device said of itself.

    Attributes:
        usb_id: "vid:pid" in lower-case hex.
        strings: maker, product and serial number; "" for one it has not.
        configuration: its configuration descriptor, with all that belongs to it.
    """

    usb_id: str = ""
    strings: tuple[str, str, str] = ("", "", "")
    configuration: bytes = b""

    def bulk(self) -> tuple[int, int]:
        """Return the numbers of the line's endpoints, to the host and to the device.

        Raises:
            BoardError: it has no serial line.
        """
        found = {}
        is_data, rest = False, self.configuration
        while len(rest) >= 2 and rest[0] >= 2:
            if rest[1] == _INTERFACE:
                is_data = rest[5] == _DATA_CLASS
            if rest[1] == _ENDPOINT and is_data and rest[3] == _BULK:
                found[rest[2] >> 7] = rest[2] & 0xF
            rest = rest[rest[0] :]
        if rest or set(found) != {0, 1}:
            raise broken("its configuration descriptor has no serial line")
        return found[1], found[0]


def broken(what: str) -> BoardError:
    """Return the error that a device breaks a rule of USB."""
    return BoardError(f"the emulated board breaks a rule of USB: {what}", hint="mend its driver")


def descriptor(kind: int, n_bytes: int, index: int = 0) -> Request:
    """Return what asks for a descriptor."""
    return Request(TO_HOST, GET_DESCRIPTOR, kind << 8 | index, n_bytes=n_bytes)


def line_opened(baud: int) -> Script:
    """Open a serial line, as an operating system does."""
    yield Request(CLASS_INTERFACE, SET_LINE_CODING, data=struct.pack("<IBBB", baud, 0, 0, 8))
    yield Request(CLASS_INTERFACE, SET_CONTROL_LINES, 3)
