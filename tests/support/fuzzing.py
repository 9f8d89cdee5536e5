"""Build the board's fuzz harness, feed it, and keep its corpus; tests/fuzz has the C side."""

import random
import re
import shutil
import struct
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from edgesq.codegen import generate
from edgesq.compress import PADDING, encode
from edgesq.formats.tflite import read_graph
from edgesq.link import frame, rows
from edgesq.link.frame import FrameType
from edgesq.plan import make_plan
from edgesq.project.build import STRICT_FLAGS
from edgesq.resources import resource
from support.networks import Network
from support.paths import FUZZ

APP = resource("firmware") / "app"
CORPUS = FUZZ / "corpus.txt"
HARNESS = ("link.c", "board.c", "rules.c", "wire.c", "must.c")
REPLAY = (FUZZ / "replay.c",)
SANITIZERS = ("-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
FUZZED = ("-fsanitize=fuzzer-no-link", "-fno-sanitize=pointer-overflow")
"""Flags of clang for the code that is fuzzed.

Checks of pointers for overflow are left to the replay: the fuzzer would look at each of their
comparisons, a fifth of its time.
"""
INPUT_SHAPE = (4, 4, 1)
UNCOVERED = ("frame.c", "crc32.c")
"""Of the firmware's app: they run byte by byte, and every branch of theirs runs in every input."""
TAG, BROKEN, CUT, SEQ, PASS, LINE = (bytes([number]) for number in range(0xF0, 0xF6))
"""Commands of an input. Mirror: tests/fuzz/link.c."""


def network() -> bytes:
    """Return a .tflite with every way to read rows, small enough for millions of images."""
    net = Network(INPUT_SHAPE, seed=1)
    squeezed = net.max_pool(net.conv(net.input, 2, (3, 3)), (2, 2), (1, 1))
    both = net.concat([net.conv(squeezed, 2), net.conv(squeezed, 2, (3, 3))])
    total = net.add(net.conv(both, 4), both)
    return net.build(net.softmax(net.mean(net.conv(total, 3))))


def build(
    folder: Path,
    compiler: str,
    main: Sequence[str | Path],
    covered: Sequence[str] = (),
    harness: Sequence[str] = SANITIZERS,
) -> Path:
    """Compile the harness around the firmware's link.

    Args:
        folder: to work in.
        compiler: gcc or clang.
        main: where main() comes from: a source, or flags.
        covered: flags for the firmware's code that reads what comes.
        harness: flags for the harness; without sanitizers it is a third faster.
    """
    shutil.copytree(APP, folder / "app", ignore=shutil.ignore_patterns("main.c", "serve.c"))
    graph = read_graph(network())
    for name, text in generate(graph, make_plan(graph), "portable").items():
        (folder / name).write_text(text)
    kernels = [*sorted((resource("firmware") / "src").rglob("*.c")), *folder.glob("*_model.c")]
    _compile(folder, compiler, SANITIZERS, kernels)
    _compile(folder, compiler, harness, [FUZZ / name for name in HARNESS])
    return _build_app(folder, compiler, main, covered)


def _build_app(
    folder: Path, compiler: str, main: Sequence[str | Path], covered: Sequence[str] = ()
) -> Path:
    """Compile the app in `folder` and link it to what is compiled there."""
    app = folder / "app"
    others = {app / name for name in UNCOVERED}
    _compile(app, compiler, [*SANITIZERS, *covered], sorted(set(app.glob("*.c")) - others))
    _compile(app, compiler, SANITIZERS, sorted(others))
    program = folder / "fuzz_link"
    objects = sorted(folder.rglob("*.o"))
    _run([compiler, *SANITIZERS, *covered, *objects, *main, "-o", program], folder)
    return program


def build_streams(
    folder: Path,
    compiler: str,
    main: Sequence[str | Path],
    covered: Sequence[str] = (),
    text: str = "",
    instead: str = "",
) -> Path:
    """Compile the harness around the decoder of streams, which says `instead` of `text`.

    Other arguments as for `build`.
    """
    source = folder / "esq_stream.c"
    source.write_text((resource("firmware") / "src" / source.name).read_text())
    if text:
        assert source.read_text().count(text) == 1, text
        source.write_text(source.read_text().replace(text, instead))
    _compile(folder, compiler, [*SANITIZERS, *covered], [source])
    _compile(folder, compiler, SANITIZERS, [FUZZ / "streams.c", FUZZ / "must.c"])
    program = folder / "fuzz_streams"
    objects = sorted(folder.glob("*.o"))
    _run([compiler, *SANITIZERS, *covered, *objects, *main, "-o", program], folder)
    return program


def _compile(folder: Path, compiler: str, flags: Sequence[str], sources: Sequence[Path]) -> None:
    """Compile `sources` into `folder`."""
    firmware, top = resource("firmware"), folder if folder.name != "app" else folder.parent
    includes = [firmware / "include", firmware / "src", top / "app", top, FUZZ]
    options = [*STRICT_FLAGS, "-O2", *flags, *(f"-I{path}" for path in includes)]
    _run([compiler, *options, "-c", *sources], folder)


def _run(command: Sequence[str | Path], folder: Path) -> bytes:
    done = subprocess.run([str(word) for word in command], cwd=folder, capture_output=True)
    assert done.returncode == 0, done.stderr.decode(errors="replace")[-4000:]
    return done.stdout


def build_replay(folder: Path, *covered: str) -> Path:
    """Compile the harness with a main() that reads inputs in hex, one a line."""
    return build(folder, "gcc", REPLAY, covered)


def build_changed(replay: Path, folder: Path, name: str, text: str, instead: str) -> Path:
    """Return a copy of the program `replay` whose file `name` says `instead` of `text`."""
    copy = shutil.copytree(replay.parent, folder / "copy")
    source = copy / "app" / name
    assert source.read_text().count(text) == 1, f"{name}: {text}"
    source.write_text(source.read_text().replace(text, instead))
    return _build_app(copy, "gcc", REPLAY)


def build_fuzzer(folder: Path) -> Path:
    """Compile the harness with libFuzzer's main(); clang is needed."""
    return build(folder, "clang", ["-fsanitize=fuzzer"], FUZZED, ["-g"])


def lines_reached(folder: Path) -> dict[str, tuple[int, int]]:
    """Return, for each file of the firmware's app, lines that the corpus runs, and all lines."""
    program = build_replay(folder, "--coverage")
    replay(program, corpus())
    notes = sorted((folder / "app").glob("*.gcda"))
    told = _run(["gcov", "-n", *notes], folder / "app").decode()
    found = re.findall(r"app/(\w+\.c)'\nLines executed:([\d.]+)% of (\d+)", told)
    return {name: (round(float(part) * int(of) / 100), int(of)) for name, part, of in found}


def unpack(folder: Path, inputs: Iterable[bytes]) -> None:
    """Write `inputs` as files, as libFuzzer wants them."""
    folder.mkdir()
    for number, one in enumerate(inputs):
        (folder / str(number)).write_bytes(one)


def corpus() -> list[bytes]:
    """Return the inputs that are kept."""
    return [bytes.fromhex(line) for line in CORPUS.read_text().split()]


def write_corpus(inputs: Iterable[bytes]) -> None:
    """Keep `inputs`, one a line in hex, short ones first."""
    ordered = sorted(set(inputs), key=lambda one: (len(one), one))
    CORPUS.write_text("".join(one.hex() + "\n" for one in ordered))


def replay(program: Path, inputs: Sequence[bytes]) -> None:
    """Hold that no input of `inputs` breaks the board."""
    lines = "".join(one.hex() + "\n" for one in inputs)
    done = subprocess.run([program], input=lines.encode(), capture_output=True, timeout=300)
    number = int(done.stdout.split()[-1]) if done.stdout else 0
    said = done.stderr.decode(errors="replace")[-4000:]
    assert done.returncode == 0, f"input {inputs[number - 1].hex()}:\n{said}"
    assert number == len(inputs)


def mutated(inputs: Sequence[bytes], count: int, seed: int) -> list[bytes]:
    """Return `count` inputs, each made of pieces of two and a few wrong bytes."""
    chance = random.Random(seed)
    made = []
    for _ in range(count):
        one, two = chance.choice(inputs), chance.choice(inputs)
        new = bytearray(one[: chance.randint(0, len(one))] + two[chance.randint(0, len(two)) :])
        for _ in range(chance.choice((0, 1, 1, 2, 8))):
            if new:
                new[chance.randrange(len(new))] = chance.choice(
                    (0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256))
                )
        made.append(bytes(new[:4096]))
    return made


def stream_seeds() -> list[bytes]:
    """Return streams of both codes, with few and many zeros. Mirror: tests/fuzz/streams.c."""
    chance = np.random.default_rng(1)
    made = []
    for number in range(48):
        count = 4 * int(chance.integers(1, 100))
        levels = np.round(chance.normal(0, 10 ** chance.uniform(-1, 2), count)).clip(-128, 127)
        levels[chance.random(count) < (0, 0.5, 0.9)[number % 3]] = 0
        masks = bool(number & 1)
        content = encode(levels.astype(np.int8), masks=masks).content[:-PADDING]
        way = number // 2 % 5 | (number // 4 & 1) << 3 | masks << 4
        made.append(struct.pack("<BBH", way, number % 7, count // 4) + content)
    return made


def command(type_: int, payload: bytes, fill: int = 0) -> bytes:
    """Return the command that sends a frame with `payload` and 2 * `fill` more bytes."""
    return bytes([type_, len(payload), fill]) + payload


def _coded_seeds(image: bytes) -> list[bytes]:
    """Return inputs that send coded images: whole, in pieces, mixed, cut, too long, held, noise."""

    def part(content: bytes, offset: int = 0, number: int = 1) -> bytes:
        return command(FrameType.CODED, frame.pack_data(number, offset, content))

    chance = random.Random(1)
    content = rows.encode(np.frombuffer(image, np.int8).reshape(INPUT_SHAPE))
    flat = rows.encode(np.zeros(INPUT_SHAPE, np.int8))
    plain = command(FrameType.DATA, frame.pack_data(1, 4, image[4:]))
    long = b"\5" + b"\xff" * 60  # 5 low bits, then nothing but ones
    held = command(FrameType.TRACE, b"\0\1\0") + part(flat)
    for hold in range(1, 9):
        held += command(FrameType.ROW_GET, struct.pack("<IBHIB", 1, 0, 0, hold, 1))
    return [
        part(content) + part(flat, number=2),
        b"".join(part(content[at : at + 1], at) for at in range(len(content))),
        part(content[:4]) + plain + part(content[4:], 4),
        part(content[:-1]) + part(b"\0\0\0\0\0\0", len(content) - 1),
        part(flat + b"\0"),
        part(flat + bytes(9)),
        part(long) + part(b"", len(long)),
        part(b"\6" + bytes(range(20))),
        held,
        *(part(chance.randbytes(50)) for _ in range(8)),
    ]


def seeds() -> list[bytes]:
    """Return inputs that go through every frame type: what a fuzzer begins with."""
    size = INPUT_SHAPE[0] * INPUT_SHAPE[1] * INPUT_SHAPE[2]
    image = bytes(range(size))
    whole = command(FrameType.DATA, frame.pack_data(1, 0, image))
    second = command(FrameType.DATA, frame.pack_data(2, 0, image))
    result = command(FrameType.RESULT_GET, frame.pack_result_get(1, 0, 500))
    rows = b"".join(
        command(FrameType.DATA, frame.pack_data(1, at, image[at : at + 4]))
        for at in range(0, size, 4)
    )
    coded = _coded_seeds(image)
    hello = frame.encode(FrameType.HELLO, 0, 5, frame.pack_hello(0))
    data = frame.encode(FrameType.DATA, 1, 5, frame.pack_data(1, 0, image))
    traced = command(FrameType.TRACE, b"\1\xff\xff") + whole
    for first in (0, 3, 99):
        traced += command(FrameType.OPS_GET, struct.pack("<IH", 1, first))
    held = command(FrameType.TRACE, b"\0\1\0") + whole
    for hold, which, row in ((1, 0, 0), (2, 1, 1), (3, 2, 1), (4, 1, 9)):
        held += command(FrameType.ROW_GET, struct.pack("<IBHIB", 1, which, row, 0, 0))
        held += command(FrameType.ROW_GET, struct.pack("<IBHIB", 1, 0, 0, hold, 1))
    rates = b"".join(
        command(FrameType.BAUD, frame.pack_baud(rate, b"echo")) for rate in (230_400, 1, 115_200)
    )
    structured = [
        whole + result,
        rows + result + second + result,
        BROKEN + b"\7" + whole + whole + TAG + b"\1" + result + result,
        CUT + b"\5" + whole + LINE + b"\3\0\1\0" + whole + PASS + b"\xff" + result,
        SEQ + b"\xfe" + command(FrameType.DATA, frame.pack_data(1, 0, b""), 240),
        command(FrameType.DATA, frame.pack_data(1, 0, b""), 255),
        traced,
        *coded,
        held + rows + result,
        rates + PASS + b"\xff" + rates[: len(rates) // 3] + PASS + b"\xff" + whole,
    ]
    raw = [hello + data, hello[:-1], b"\xff" * 600 + b"\0" + hello]
    return (
        [b"\0" + one for one in structured] + [b"\xfe" + structured[0]] + [b"\1" + r for r in raw]
    )
