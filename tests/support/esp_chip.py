"""A chip of Espressif, pretended on a pty: its bootloader, and the loader that esptool puts there.

Source: esptool's documentation, "Serial Protocol".
"""

import contextlib
import hashlib
import os
import select
import struct
import threading
import zlib

from edgesq.flash.process import _make_raw
from edgesq.integers import round_up

ESP32_S3, ESP32_C3 = 9, 5
"""Chip ids, as in an image's header and in what GET_SECURITY_INFO answers."""

FLASH_BYTES = 8 << 20
_FLASH_ID = 0x1740EF  # 8 MB; read from W0 of the SPI peripheral after a command
_SPI_W0 = 0x60002058
_SYNC, _READ_REG, _MEM_END, _SECURITY_INFO, _MD5 = 0x08, 0x0A, 0x06, 0x14, 0x13
_BEGIN, _DATA, _DEFL_BEGIN, _DEFL_DATA = 0x02, 0x03, 0x10, 0x11
_POLL_S = 0.05


class Chip:
    """A chip in its bootloader; used in a `with` block.

    Args:
        chip_id: which it is.
        security: its flags.
        is_silent: whether nobody is there.
        spoil_at: a number of sums, and the byte of flash that changes after so many.

    Attributes:
        port: serial device.
        flash: all of it.
        is_written: whether anything was.
        commands: numbers of those that came.
        sums: of flash, that were asked for.
        failures: what went wrong here.
    """

    def __init__(
        self,
        chip_id: int = ESP32_S3,
        security: int = 0,
        is_silent: bool = False,
        spoil_at: tuple[int, int] = (0, 0),
    ) -> None:
        self._master, self._slave = os.openpty()
        _make_raw(self._slave)
        self.port = os.ttyname(self._slave)
        self.flash = bytearray(b"\xff" * FLASH_BYTES)
        self.is_written = False
        self.commands: list[int] = []
        self.sums = 0
        self.failures: list[Exception] = []
        self._chip_id, self._security, self._is_silent = chip_id, security, is_silent
        self._spoil_at = spoil_at
        self._is_stub = False
        self._place, self._inflate = 0, zlib.decompressobj()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> "Chip":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()
        os.close(self._master)
        os.close(self._slave)
        assert not self.failures, self.failures

    def _serve(self) -> None:
        heard = b""
        while not self._is_over.is_set():
            if not select.select([self._master], [], [], _POLL_S)[0]:
                continue
            heard += os.read(self._master, 65536)
            *packets, heard = heard.split(b"\xc0")
            for packet in packets:
                with contextlib.suppress(struct.error):
                    self._take(packet.replace(b"\xdb\xdc", b"\xc0").replace(b"\xdb\xdd", b"\xdb"))

    def _take(self, packet: bytes) -> None:
        if self._is_silent or len(packet) < 8 or packet[0] != 0:
            return
        code, data = packet[1], packet[8:]
        self.commands.append(code)
        try:
            value, answer = self._do(code, data)
        except (ValueError, zlib.error) as error:
            self.failures.append(error)
            return
        for _ in range(8 if code == _SYNC else 1):
            self._say(code, value, answer)
        if code == _MEM_END:
            self._is_stub = True
            self._send(b"OHAI")

    def _do(self, code: int, data: bytes) -> tuple[int, bytes]:
        """Return a command's value and data."""
        if code == _SYNC:
            return (0 if self._is_stub else 0x07122012), b""
        if code == _READ_REG:
            return (_FLASH_ID if struct.unpack("<I", data)[0] == _SPI_W0 else 0), b""
        if code == _SECURITY_INFO:
            return 0, struct.pack("<IB7xII", self._security, 0, self._chip_id, 0)
        if code in (_BEGIN, _DEFL_BEGIN):
            self._place, self._inflate = struct.unpack_from("<I", data, 12)[0], zlib.decompressobj()
        if code == _DATA:
            self._write(data[16:])
        if code == _DEFL_DATA:
            self._write(self._inflate.decompress(data[16:]))
        if code == _MD5:
            at, size = struct.unpack_from("<II", data)
            answer = hashlib.md5(self.flash[at : at + size])
            self.sums += 1
            if self.sums == self._spoil_at[0]:
                self.flash[self._spoil_at[1]] ^= 1
            return 0, answer.digest() if self._is_stub else answer.hexdigest().encode()
        return 0, b""

    def _write(self, data: bytes) -> None:
        if self._place + len(data) > FLASH_BYTES:
            raise ValueError(f"written behind the flash: {self._place:#x}")
        self.is_written = True
        self.flash[self._place : self._place + len(data)] = data
        self._place += len(data)

    def _say(self, code: int, value: int, data: bytes) -> None:
        body = data + bytes(2 if self._is_stub else 4)
        self._send(struct.pack("<BBHI", 1, code, len(body), value) + body)

    def _send(self, packet: bytes) -> None:
        packet = packet.replace(b"\xdb", b"\xdb\xdd").replace(b"\xc0", b"\xdb\xdc")
        os.write(self._master, b"\xc0" + packet + b"\xc0")


def image(chip_id: int, payload: bytes) -> bytes:
    """Return an application image of one segment, made for 2 MB of flash at 40 MHz.

    Source: esptool's documentation, "Firmware Image Format".
    """
    payload = payload.ljust(round_up(len(payload), 4), b"\0")
    head = struct.pack("<BBBBI", 0xE9, 1, 2, 0x10, 0x40370000)
    extended = struct.pack("<B3xHBHH4xB", 0xEE, chip_id, 0, 0, 65535, 0)
    body = head + extended + struct.pack("<II", 0x3FC88000, len(payload)) + payload
    checksum = 0xEF
    for byte in payload:
        checksum ^= byte
    return body + bytes(15 - len(body) % 16) + bytes([checksum])
