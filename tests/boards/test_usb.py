"""A Pico's own USB: enumerated, opened and verified over it, by a host that holds it to the rules.

rp2040py runs the chip's true boot ROM and our firmware; the host is support.rp2040_usb. RP2350
has the same controller at the same addresses, and no emulator: its port is compiled, not run.
"""

from pathlib import Path

import numpy as np
import pytest

from edgesq.codegen import generate
from edgesq.formats.tflite import read_graph
from edgesq.link import frame
from edgesq.link.client import Client
from edgesq.plan import plan_for
from edgesq.project import compile_firmware, firmware_path, lay_out
from edgesq.reference import run_observed
from edgesq.targets import load_target
from support.boards import STUB_BYTES, compile_stub, stub_values
from support.cases import NETWORKS

pytest.importorskip("rp2040py", reason="it runs the RP2040")
from support.pico import Line, Pico
from support.usb import Request

INTERRUPT_BYTES = 192
"""Of stack, at most, that an interrupt of USB takes wherever the program stands: -fstack-usage."""

IN, INTERFACE_IN, CLASS, CLASS_IN, ENDPOINT = 0x80, 0x81, 0x21, 0xA1, 0x02
DESCRIPTOR, LINE_CODING, GET_LINE_CODING, LINES = 6, 0x20, 0x21, 0x22


@pytest.fixture(scope="module")
def elf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_stub("pico", tmp_path_factory.mktemp("pico") / "board.elf")


@pytest.fixture
def pico(elf: Path) -> Pico:
    """A Pico whose serial line is open."""
    board = Pico(elf)
    assert board.run_until(lambda: board.host.is_open)
    return board


def check_image(client: Client, seed: int) -> None:
    image = np.random.default_rng(seed).integers(0, 256, STUB_BYTES, np.uint8).tobytes()
    assert all(map(np.array_equal, client.infer(image).outputs, stub_values(image)))


def frames(line: Line) -> list[frame.Frame]:
    return list(frame.Decoder().feed(bytes(line.received)))


def test_it_says_what_it_is(pico: Pico) -> None:
    assert pico.host.device.usb_id == load_target("pico").own_usb_ids[0]
    assert pico.host.device.strings == ("edgesq", "edgesq on pico", "")
    pico.chip.watchdog.scratch_data[:2] = 0xE6605838, 0x8312342A  # the flash's id, by boot2
    (text,) = pico.ask(Request(IN, DESCRIPTOR, 0x303, n_bytes=255))
    assert text is not None
    assert text[2:].decode("utf-16-le") == "E66058388312342A"


def test_images_over_usb_and_over_the_uart(pico: Pico) -> None:
    """Each is answered where it came from."""
    over_usb = Client(pico.transport(pico.usb))
    assert over_usb.hello().board == "pico"
    for seed in range(2):
        check_image(over_usb, seed)
    assert not pico.uart.received
    over_uart = Client(pico.transport(pico.uart))
    check_image(over_uart, 2)
    assert not pico.usb.received
    check_image(over_usb, 3)


def test_a_network_over_usb(tmp_path: Path) -> None:
    """All kernels of the board's family, from flash: what the reference says, to the last bit."""
    target = load_target("pico")
    graph = read_graph(NETWORKS["every_operator"]())
    plan = plan_for(graph, target).plan
    lay_out(tmp_path, target, generate(graph, plan, target.kernels))
    compile_firmware(tmp_path, target)
    pico = Pico(firmware_path(tmp_path, target))
    assert pico.run_until(lambda: pico.host.is_open)
    client = Client(pico.transport(pico.usb), timeout=60.0)
    image = np.random.default_rng(3).integers(-128, 128, graph.tensors[graph.input].hwc, np.int8)
    inference = client.infer(image.tobytes())
    expected = run_observed(graph, image[np.newaxis])
    assert [
        int((a != b.ravel()).sum()) for a, b in zip(inference.outputs, expected, strict=True)
    ] == [0] * len(expected)
    assert inference.retries == 0
    assert 0 < inference.stack_bytes + INTERRUPT_BYTES <= target.stack_bytes


def test_requests(pico: Pico) -> None:
    coding = bytes.fromhex("00 C2 01 00 01 02 07")
    answers = pico.ask(
        Request(CLASS, LINE_CODING, data=coding),
        Request(CLASS_IN, GET_LINE_CODING, n_bytes=7),
        Request(IN, 0, n_bytes=2),
        Request(IN, 8, n_bytes=1),
        Request(INTERFACE_IN, 10, n_bytes=1),
        Request(IN, DESCRIPTOR, 0x600, n_bytes=10),  # of high speed, which it has not
        Request(0xC0, 0x33, n_bytes=64),  # a maker's own
        Request(0, 9, 2),  # a configuration that it has not
        Request(IN, DESCRIPTOR, 0x200, n_bytes=9),
    )
    assert answers[:5] == [b"", coding, bytes(2), b"\1", b"\0"]
    assert answers[5:8] == [None, None, None]
    assert answers[8] == pico.host.device.configuration[:9]
    check_image(Client(pico.transport(pico.usb)), 0)


def test_a_full_ring_holds_the_host_back(pico: Pico) -> None:
    """What is sent ahead of all windows comes to the last byte, while answers wait as well."""
    for number in range(200):
        pico.host.send(frame.encode(frame.FrameType.HELLO, number, number, frame.pack_hello(0)))
    assert pico.run_until(lambda: bool(pico.usb.received) and pico.host.is_idle)
    pico.run_ms(20)
    assert [one.tag for one in frames(pico.usb)] == list(range(200))


def test_every_length_of_answer_ends(pico: Pico) -> None:
    """A last packet of 64 bytes is followed by one without, for which operating systems wait."""
    pico.host.send(frame.encode(frame.FrameType.HELLO, 0, 7, frame.pack_hello(0)))
    pico.run_ms(5)
    for room in range(40, 130):
        pico.usb.received.clear()
        pico.host.send(
            frame.encode(frame.FrameType.BAUD, 1, 7, frame.pack_baud(0, bytes([1]) * room))
        )
        pico.run_ms(2)
        (answer,) = frames(pico.usb)
        assert (answer.type, len(answer.payload)) == (frame.FrameType.BAUD_SET, room + 4)
        assert not pico.host.is_cut, room


def test_the_host_begins_anew(pico: Pico) -> None:
    check_image(Client(pico.transport(pico.usb)), 0)
    pico.host.send(b"cut")
    pico.host.replug()
    assert pico.run_until(lambda: pico.host.is_open)
    check_image(Client(pico.transport(pico.usb)), 1)


def test_halted_endpoints_begin_with_data0(pico: Pico) -> None:
    check_image(Client(pico.transport(pico.usb)), 0)
    pico.ask(Request(ENDPOINT, 1, index=0x82))
    pico.host.expect_data0()
    check_image(Client(pico.transport(pico.usb)), 1)


def test_nobody_fetches_the_answers(pico: Pico) -> None:
    """The board gives up after a second and hears again."""
    pico.host.is_open = False
    for number in range(4):
        pico.host.send(frame.encode(frame.FrameType.HELLO, number, 5, frame.pack_hello(0)))
    pico.host.is_open = True
    pico.run_ms(1)
    pico.host.is_open = False
    pico.run_ms(1500)
    pico.host.is_open = True
    check_image(Client(pico.transport(pico.usb)), 1)


def test_a_touch_brings_the_bootloader(pico: Pico) -> None:
    """Only 1,200 baud and then DTR taken back: not either alone."""
    slow = (1200).to_bytes(4, "little") + bytes([0, 0, 8])
    pico.ask(
        Request(CLASS, LINES, 0), Request(CLASS, LINES, 3), Request(CLASS, LINE_CODING, data=slow)
    )
    check_image(Client(pico.transport(pico.usb)), 0)
    pico.ask(Request(CLASS, LINES, 0))
    wanted = load_target("pico").flash["bootloader_usb_ids"][0]
    assert pico.run_until(lambda: pico.host.device.usb_id == wanted)
    assert pico.host.device.strings[1] == "RP2 Boot"
