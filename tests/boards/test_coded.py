"""Images whose rows go coded, over real frames: exact, shorter, and through all faults."""

import random
import re
import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edgesq.flash import qemu
from edgesq.link import frame, rows
from edgesq.link.client import Client, Inference
from edgesq.link.frame import AckStatus, FrameType
from edgesq.link.transport import open_port
from edgesq.targets import load_target
from support.boards import STUB_BYTES, STUB_SHAPE, compile_stub, running, stub_values
from support.link_partners import Raw
from support.photographs import PHOTOGRAPHS, photographs
from support.wire_tool import Faults, Wire

pytest_plugins = ("support.link_partners",)

DECODER_BYTES = 1024
ROW_HOLD = 1
"""The operator of the pretended engine that completes rows."""


def smooth(count: int, seed: int = 0) -> list[bytes]:
    """Return images whose codes are shorter than they are, of other sizes each."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(0, 1.5, (count, *STUB_SHAPE)).round()
    return [image.astype(np.int64).astype(np.int8).tobytes() for image in steps.cumsum(2)]


def check(client: Client, sent: Sequence[bytes]) -> list[Inference]:
    """Stream images; hold that each comes back once, in its place, right."""
    got = list(client.stream(sent))
    assert len(got) == len(sent)
    for image, inference in zip(sent, got, strict=True):
        assert all(map(np.array_equal, inference.outputs, stub_values(image)))
    return got


@pytest.mark.parametrize("kinds", [("flip",), ("drop",), ("double", "insert")])
def test_every_fault(firmware: Path, tmp_path: Path, kinds: tuple[str, ...]) -> None:
    faults = Faults(seed=3, rate=1 / 1000, kinds=kinds)
    with Wire([str(firmware)], tmp_path, faults) as wire, open_port(wire.port) as transport:
        got = check(Client(transport), smooth(30))
        assert wire.to_board.faults > 10
    assert sum(one.retries for one in got) > 5


def test_resets_and_a_port_that_goes(firmware: Path, tmp_path: Path) -> None:
    """Coded and plain images in turn; what was lost is sent again as it was."""
    plain = [random.Random(seed).randbytes(STUB_BYTES) for seed in range(20)]
    sent = [image for pair in zip(smooth(20), plain, strict=True) for image in pair]
    faults = Faults(seed=5, rate=1 / 2000)
    with Wire([str(firmware)], tmp_path, faults) as wire, open_port(wire.port) as transport:
        for n_bytes in (9_000, 21_000, 33_000):
            wire.at(n_bytes, wire.reset)
        wire.at(15_000, lambda: wire.vanish(0.2))
        got = check(Client(transport), sent)
        assert (wire.resets, wire.returns) == (3, 1)
    assert sum(one.resets for one in got) >= 4


def test_a_network_that_needs_no_last_rows(tmp_path: Path) -> None:
    program = compile_stub("host", tmp_path / "board", "-DESQ_STUB_ROWS=7")
    with running([str(program)], tmp_path / "log") as (_, port), open_port(port) as transport:
        client = Client(transport)
        for image in smooth(3):
            got = client.infer(image)
            assert all(map(np.array_equal, got.outputs, stub_values(image[: 7 * 75])))
            assert got.sent_bytes < STUB_BYTES


def test_an_image_that_is_held_while_its_rows_wait(board: tuple[int, str]) -> None:
    """One frame codes all rows: those behind the hold are decoded when it ends."""
    flat = rows.encode(np.zeros(STUB_SHAPE, np.int8))
    with open_port(board[1]) as transport:
        raw = Raw(transport)
        raw.ask(FrameType.HELLO, b"\1")
        raw.ask(FrameType.TRACE, struct.pack("<BH", 0, ROW_HOLD))
        ack = raw.ack(FrameType.CODED, frame.pack_data(1, 0, flat))
        hold = 0
        while ack is not None and ack.status == AckStatus.HELD:
            hold += 1
            if ack.next_offset < len(flat):
                content = flat[ack.next_offset :]
                again = raw.ack(FrameType.CODED, frame.pack_data(1, ack.next_offset, content))
                assert again == ack
            ack = raw.ack(FrameType.ROW_GET, struct.pack("<IBHIB", 1, 0, 0, hold, 1))
            if ack is not None and ack.status == AckStatus.GO:
                content = flat[ack.next_offset :]
                ack = raw.ack(FrameType.CODED, frame.pack_data(1, ack.next_offset, content))
        assert ack == frame.Ack(1, len(flat), AckStatus.DONE)
        assert hold == STUB_SHAPE[0]
        answer = raw.ask(FrameType.RESULT_GET, frame.pack_result_get(1, 0, 10))
    assert answer is not None
    result = frame.unpack_result(answer.payload)
    assert result is not None
    assert result.values == stub_values(bytes(STUB_BYTES))[0].tobytes()


def board_image(folder: Path) -> Path:
    return folder / "firmware" / "build" / "edgesq.elf"


@pytest.mark.emulated
@pytest.mark.parametrize("name", ["microbit", "mps2-an386", "mps2-an500", "stm32f405"])
def test_emulated_boards_decode_in_little_code(name: str, tmp_path: Path) -> None:
    image = compile_stub(name, board_image(tmp_path))
    command = qemu.command(tmp_path, load_target(name))
    with running(command, tmp_path / "log") as (_, port), open_port(port) as transport:
        got = check(Client(transport), smooth(6))
    assert sum(one.sent_bytes for one in got) < 6 * STUB_BYTES
    symbols = subprocess.run(
        ["arm-none-eabi-nm", "--print-size", image], capture_output=True, text=True, check=True
    ).stdout
    sizes = re.findall(r"^\w+ (\w+) [tT] (esq_rows_\w+|take_coded)", symbols, re.M)
    assert "esq_rows_take" in {symbol for _, symbol in sizes}
    assert sum(int(size, 16) for size, _ in sizes) < DECODER_BYTES


def sent_for(images: list[NDArray[np.int8]], folder: Path) -> int:
    """Return the bytes on the wire for images of 224x224, as a board takes them."""
    flags = ("-DESQ_MODEL_INPUT_HEIGHT=224", "-DESQ_MODEL_INPUT_WIDTH=224")
    program = compile_stub("host", folder / "board", *flags)
    with running([str(program)], folder / "log") as (_, port), open_port(port) as transport:
        return sum(
            one.sent_bytes for one in Client(transport).stream(map(np.ndarray.tobytes, images))
        )


@pytest.mark.skipif(not PHOTOGRAPHS.exists(), reason="no photographs beside the checkout")
def test_photographs_go_at_more_than_twice_the_rate_of_the_line(tmp_path: Path) -> None:
    """60 of 227x227, cut to 224x224: frames, CRCs, stuffing and requests for results counted."""
    images = list(photographs(60))
    assert sum(image.size for image in images) / sent_for(images, tmp_path) > 2.1


def test_noise_goes_at_the_rate_of_the_line(tmp_path: Path) -> None:
    images = [
        np.random.default_rng(seed).integers(-128, 128, (224, 224, 3)).astype(np.int8)
        for seed in range(3)
    ]
    assert 0.96 < sum(image.size for image in images) / sent_for(images, tmp_path) < 0.97
