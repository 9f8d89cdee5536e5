"""Both ends of the link for tests: who speaks frames as it likes, and who plays a board."""

import random
import struct
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edgesq.link import frame
from edgesq.link.client import Client
from edgesq.link.frame import Ack, Decoder, Frame, FrameType
from edgesq.link.transport import Transport
from support.boards import SANITIZERS, STUB_BYTES, compile_stub, running, stub_values


@pytest.fixture(scope="module")
def firmware(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_stub("host", tmp_path_factory.mktemp("stub") / "board", *SANITIZERS)


@pytest.fixture
def board(firmware: Path, tmp_path: Path) -> Iterator[tuple[int, str]]:
    log = tmp_path / "log"
    with running([str(firmware)], log) as started:
        yield started
    assert log.read_text() == ""  # the sanitizers have nothing to say


def check_images(client: Client, count: int, seed: int, n_bytes: int = STUB_BYTES) -> None:
    chance = random.Random(seed)
    for _ in range(count):
        image = chance.randbytes(n_bytes)
        got = client.infer(image).outputs
        assert all(map(np.array_equal, got, stub_values(image)))


class Raw:
    """Speaks frames without the client's care."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.decoder = Decoder()
        self.seq = 0

    def ask(self, type_: int, payload: bytes, tag: int = 5) -> Frame | None:
        body = struct.pack("<BBH", type_, self.seq, tag) + payload
        encoded = frame.cobs_encode(body + struct.pack("<I", zlib.crc32(body)))
        self.seq += 1
        return self.send(encoded + b"\0")

    def send(self, data: bytes) -> Frame | None:
        self.transport.write(data)
        deadline = time.monotonic() + 0.3
        while time.monotonic() < deadline:
            for got in self.decoder.feed(self.transport.read(0.05)):
                return got
        return None

    def ack(self, type_: int, payload: bytes) -> Ack | None:
        answer = self.ask(type_, payload)
        return None if answer is None else frame.unpack_ack(answer.payload)


class Actor(Transport):
    """Plays a board: answers every frame as `script` says."""

    is_paced = True

    def __init__(self, *script: tuple[FrameType, bytes]) -> None:
        self.port, self.baud = "actor", 115_200
        self._script = script
        self._pending = b""
        self._decoder = Decoder()

    def write(self, data: bytes) -> None:
        for got in self._decoder.feed(data):
            for type_, payload in self._script:
                self._pending += frame.encode(type_, got.seq, got.tag, payload)

    def set_baud(self, baud: int) -> bool:
        return baud == self.baud

    def read(self, timeout: float) -> bytes:
        if not self._pending:
            time.sleep(min(timeout, 0.01))
        data, self._pending = self._pending, b""
        return data


INFO = struct.pack(
    *("<BBHI32sHHHIIIHBBI", frame.PROTOCOL_VERSION, 1, 496, 1024, bytes(32), 2, 2, 3, 1, 1),
    *(0x411FC272, 7, 2, 1, 10),
)
INFO += b"\1k\1b\1g"
