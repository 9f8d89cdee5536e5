"""The link over a line that has rates, damages bytes, and goes away: each fault, seeded."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from edgesq.errors import BoardError
from edgesq.link import frame
from edgesq.link.client import Client, Inference
from edgesq.link.frame import Decoder, FrameType
from edgesq.link.transport import DEFAULT_BAUD, open_port
from support.boards import STUB_BYTES, compile_stub, stub_values
from support.wire_tool import KINDS, Faults, Wire

FAST = 921_600


@pytest.fixture(scope="module")
def firmware(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return [str(compile_stub("host", tmp_path_factory.mktemp("stub") / "board"))]


def images(count: int, seed: int = 0) -> list[bytes]:
    chance = random.Random(seed)
    return [chance.randbytes(STUB_BYTES) for _ in range(count)]


def check(client: Client, sent: Iterable[bytes]) -> list[Inference]:
    """Stream images; hold that each comes back once, in its place, right."""
    sent = list(sent)
    got = list(client.stream(sent))
    assert len(got) == len(sent)
    for image, inference in zip(sent, got, strict=True):
        assert all(map(np.array_equal, inference.outputs, stub_values(image)))
    return got


def resets(got: list[Inference]) -> int:
    return sum(inference.resets for inference in got)


def retries(got: list[Inference]) -> int:
    return sum(inference.retries for inference in got)


# --- bytes ---


@pytest.mark.parametrize("kind", KINDS)
def test_each_fault_alone(firmware: list[str], tmp_path: Path, kind: str) -> None:
    faults = Faults(seed=3, rate=1 / 1000, kinds=(kind,))
    with Wire(firmware, tmp_path, faults) as wire, open_port(wire.port) as transport:
        got = check(Client(transport), images(20))
        assert wire.to_board.faults > 20
        assert wire.to_host.faults > 20
    assert retries(got) > 10
    assert resets(got) == 0


def test_the_worst_mix(firmware: list[str], tmp_path: Path) -> None:
    faults = Faults(seed=5, rate=1 / 1000, delay=1 / 20_000)
    with Wire(firmware, tmp_path, faults) as wire, open_port(wire.port) as transport:
        for n_bytes in (40_000, 90_000):
            wire.at(n_bytes, wire.reset)
        wire.at(60_000, lambda: wire.vanish(0.2))
        got = check(Client(transport), images(30))
        assert (wire.resets, wire.returns) == (2, 1)
    assert resets(got) >= 3
    assert retries(got) > 100


def test_a_wrong_board_is_wrong_once(tmp_path: Path) -> None:
    program = compile_stub("host", tmp_path / "board", "-DESQ_STUB_WRONG=1")
    faults = Faults(seed=7, rate=1 / 1000)
    sent = images(40)
    wrong = [index for index, image in enumerate(sent) if stub_values(image)[0][0] % 8 == 0]
    assert len(wrong) > 2
    with Wire([str(program)], tmp_path, faults) as wire, open_port(wire.port) as transport:
        wire.at(50_000, wire.reset)
        got = list(Client(transport).stream(sent))
    assert len(got) == len(sent)
    found = []
    for index, (image, inference) in enumerate(zip(sent, got, strict=True)):
        output, logits = stub_values(image)
        assert np.array_equal(inference.outputs[1], logits)
        differing = np.flatnonzero(inference.outputs[0] != output).tolist()
        assert differing in ([], [3])
        found += [index] * len(differing)
    assert found == wrong


def test_delays(firmware: list[str], tmp_path: Path) -> None:
    faults = Faults(seed=1, delay=1 / 3000, delay_s=0.2)
    with Wire(firmware, tmp_path, faults) as wire, open_port(wire.port) as transport:
        got = check(Client(transport), images(20))
    assert (resets(got), retries(got)) == (0, 0)


def test_garbage_before_the_first_frame(firmware: list[str], tmp_path: Path) -> None:
    chance = random.Random(2)
    with Wire(firmware, tmp_path) as wire:
        for _ in range(3):
            wire.soon(lambda: wire.say_to_board(chance.randbytes(1500)))
            with open_port(wire.port) as transport:
                wire.soon(lambda: wire.say_to_host(chance.randbytes(3000)))
                check(Client(transport), images(2))


def test_replies_of_an_earlier_run(
    firmware: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even of one with the same tag: its images had other numbers."""
    old, new = images(2)
    said = bytearray()
    with Wire(firmware, tmp_path) as wire:
        with open_port(wire.port) as transport:
            read = transport.read

            def listen(timeout: float) -> bytes:
                data = read(timeout)
                said.extend(data)
                return data

            monkeypatch.setattr(transport, "read", listen)
            client = Client(transport)
            check(client, [old])
        tags = {got.tag for got in Decoder().feed(bytes(said))}
        assert len(tags) == 1
        numbers = iter([5, tags.pop()])
        monkeypatch.setattr("edgesq.link.client.secrets.randbelow", lambda _: next(numbers))
        with open_port(wire.port) as transport:
            client = Client(transport)
            client.hello()
            for n_bytes in range(0, 1500, 300):
                wire.at(wire.to_board.passed + n_bytes, lambda: wire.say_to_host(b"\0" + said))
            check(client, [new])


# --- boards and ports that go ---


def test_a_board_reset_in_the_middle_of_images(firmware: list[str], tmp_path: Path) -> None:
    with Wire(firmware, tmp_path) as wire, open_port(wire.port) as transport:
        for n_bytes in range(4_000, 40_000, 5_300):
            wire.at(n_bytes, wire.reset)
        got = check(Client(transport), images(20))
        assert wire.resets == resets(got) == 7


def test_a_board_that_resets_in_every_image(firmware: list[str], tmp_path: Path) -> None:
    with Wire(firmware, tmp_path) as wire, open_port(wire.port) as transport:
        client = Client(transport)
        client.hello()
        for n_bytes in range(1_000, 100_000, 1_000):
            wire.at(n_bytes, wire.reset)
        with pytest.raises(BoardError, match="broke 20 times in one image"):
            check(client, images(1))


def test_a_port_that_comes_back(firmware: list[str], tmp_path: Path) -> None:
    with Wire(firmware, tmp_path) as wire, open_port(wire.port) as transport:
        for n_bytes in (5_000, 20_000, 30_000):
            wire.at(n_bytes, lambda: wire.vanish(0.2))
        got = check(Client(transport), images(20))
        assert wire.returns == resets(got) == 3


def test_a_port_that_does_not_come_back(firmware: list[str], tmp_path: Path) -> None:
    with Wire(firmware, tmp_path) as wire, open_port(wire.port) as transport:
        wire.at(5_000, lambda: wire.vanish(60))
        client = Client(transport, timeout=0.7)
        begun = time.monotonic()
        with pytest.raises(BoardError, match="went away in the middle"):
            check(client, images(20))
        assert 0.6 < time.monotonic() - begun < 3


def test_another_board_comes_back(firmware: list[str], tmp_path: Path) -> None:
    other = compile_stub("host", tmp_path / "other", "-DESQ_MODEL_INPUT_HEIGHT=21")
    with Wire(firmware, tmp_path) as wire, open_port(wire.port) as transport:
        wire.at(5_000, lambda: wire.reset([str(other)]))
        with pytest.raises(BoardError, match="another board came back, with model 0001"):
            check(Client(transport), images(20))


HOST = """
import sys
from edgesq.link.client import Client
from edgesq.link.transport import open_port

with open_port(sys.argv[1]) as transport:
    client = Client(transport)
    client.set_baud(int(sys.argv[2]))
    for _ in client.stream(bytes(1500) for _ in range(10**6)):
        print(client.baud, flush=True)
"""


@pytest.mark.parametrize("baud", [DEFAULT_BAUD, FAST])
def test_a_host_that_was_killed(firmware: list[str], tmp_path: Path, baud: int) -> None:
    with Wire(firmware, tmp_path, has_rate=True) as wire:
        command = [sys.executable, "-c", HOST, wire.port, str(baud)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as host:
            assert host.stdout is not None
            assert [host.stdout.readline() for _ in range(2)] == [f"{baud}\n"] * 2
            os.kill(host.pid, signal.SIGKILL)
        with open_port(wire.port) as transport:
            begun = time.monotonic()
            check(Client(transport), images(2))
            assert time.monotonic() - begun < 5


# --- what the consumer of a stream may do ---


def test_images_are_taken_when_they_are_needed(firmware: list[str], tmp_path: Path) -> None:
    taken = 0

    def source() -> Iterable[bytes]:
        nonlocal taken
        for image in images(10):
            taken += 1
            yield image

    with Wire(firmware, tmp_path) as wire, open_port(wire.port) as transport:
        for done, _ in enumerate(Client(transport).stream(source()), 1):
            assert taken <= done + 1


def test_a_source_that_fails(firmware: list[str], tmp_path: Path) -> None:
    def source() -> Iterable[bytes]:
        yield from images(3)
        raise LookupError("no more")

    with Wire(firmware, tmp_path) as wire, open_port(wire.port) as transport:
        client = Client(transport)
        with pytest.raises(LookupError):
            list(client.stream(source()))
        check(client, images(3, seed=1))


def test_a_stream_that_is_left(firmware: list[str], tmp_path: Path) -> None:
    with Wire(firmware, tmp_path) as wire, open_port(wire.port) as transport:
        client = Client(transport)
        stream = client.stream(images(5))
        next(stream)
        stream.close()
        check(client, images(3, seed=1))


def test_nothing_is_sent_ahead_where_it_must_not(firmware: list[str], tmp_path: Path) -> None:
    sent: list[int] = []
    with Wire(firmware, tmp_path) as wire, open_port(wire.port) as transport:
        write, read = transport.write, transport.read

        def count(data: bytes) -> None:
            sent.append(len(data))
            write(data)

        def check_answered(timeout: float) -> bytes:
            assert len(sent) <= 1
            data = read(timeout)
            if data.endswith(b"\0"):
                sent.clear()
            return data

        transport.write, transport.read = count, check_answered  # type: ignore[method-assign]
        client = Client(transport)
        for image, inference in zip(images(3), client.stream(images(3), ahead=False), strict=True):
            assert all(map(np.array_equal, inference.outputs, stub_values(image)))


# --- rates ---


@pytest.mark.parametrize(
    ("wanted", "holds_to", "expected"),
    [
        (FAST, None, FAST),
        (None, None, 3_000_000),
        (None, FAST, FAST),
        (FAST, 200_000, DEFAULT_BAUD),
        (DEFAULT_BAUD, None, DEFAULT_BAUD),
        (123_456, None, DEFAULT_BAUD),
    ],
)
def test_the_rate_that_both_sides_hold(
    firmware: list[str], tmp_path: Path, wanted: int | None, holds_to: int | None, expected: int
) -> None:
    faults = Faults(broken_above=holds_to)
    with Wire(firmware, tmp_path, faults, has_rate=True) as wire:
        with open_port(wire.port) as transport:
            client = Client(transport)
            assert client.set_baud(wanted) == expected
            got = check(client, images(3))
            assert (resets(got), client.baud) == (0, expected)
            client.close()
        with open_port(wire.port) as transport:  # at the default rate again
            begun = time.monotonic()
            check(Client(transport), images(1))
            assert time.monotonic() - begun < 1


def test_a_reset_at_a_negotiated_rate(firmware: list[str], tmp_path: Path) -> None:
    with Wire(firmware, tmp_path, has_rate=True) as wire, open_port(wire.port) as transport:
        client = Client(transport)
        client.set_baud(FAST)
        wire.at(wire.to_board.passed + 10_000, wire.reset)
        got = check(client, images(10))
        assert (resets(got), client.baud) == (1, FAST)


def test_a_pause_at_a_negotiated_rate(firmware: list[str], tmp_path: Path) -> None:
    with Wire(firmware, tmp_path, has_rate=True) as wire, open_port(wire.port) as transport:
        client = Client(transport)
        client.set_baud(FAST)
        sent = images(2)
        stream = client.stream(sent)
        first = next(stream)
        time.sleep(1.2)
        for image, inference in zip(sent, [first, *stream], strict=True):
            assert all(map(np.array_equal, inference.outputs, stub_values(image)))
        assert client.baud == FAST


def test_a_refused_rate_changes_nothing(firmware: list[str], tmp_path: Path) -> None:
    with Wire(firmware, tmp_path, has_rate=True) as wire, open_port(wire.port) as transport:
        client = Client(transport)
        session, _ = client.session()
        session.send(FrameType.BAUD, frame.pack_baud(7, b"echo"))
        answer = session.receive(1.0)
        assert answer is not None
        assert (answer.type, answer.payload) == (FrameType.BAUD_SET, frame.pack_baud(0, b"echo"))
        check(client, images(1))
