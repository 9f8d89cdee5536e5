"""Lay out libraries for tests, build them, and build users' projects around them."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesq.builds import VERIFY_IMAGES
from edgesq.builds.library import folder_of, write_library
from edgesq.calibrate import Preprocessing
from edgesq.codegen import generate
from edgesq.formats.tflite import read_graph
from edgesq.graph import Graph
from edgesq.link.transport import open_port
from edgesq.plan import PlanRequest, make_plan
from edgesq.project import Layout
from edgesq.reference import run_observed
from edgesq.resources import resource
from edgesq.targets import Target
from support.boards import running
from support.builds import done, light_build
from support.crun import run_command
from support.emulated_cases import all_streamed
from support.networks import images

STRICT = "-Wall -Wextra -Wconversion -Wpedantic -Werror"
PREPROCESSING = Preprocessing("bgr", (104.0, 117.0, 124.0), 1 / 128)


@dataclass(frozen=True)
class Library:
    """A library as exported, and the model in it."""

    folder: Path
    name: str
    graph: Graph


def library(
    build: Path,
    layout: Layout,
    content: bytes,
    name: str,
    kernels: str = "portable",
    coded: bool = False,
) -> Library:
    """Write BUILD/FORMAT for an int8 .tflite, its weights decoded on the board where `coded`."""
    graph = read_graph(content)
    streams = all_streamed(graph, kernels) if coded else frozenset[int]()
    plan = make_plan(graph, PlanRequest(kernels, coded=streams))
    files = generate(graph, plan, kernels, name, preprocessing=PREPROCESSING)
    write_library(build, layout, files, name, kernels)
    return Library(build / folder_of(layout), name, graph)


def texts_of(made: Library) -> dict[str, str]:
    """Return what a library's files hold, by place in its folder; an archive holds them again."""
    files = (path for path in made.folder.rglob("*") if path.is_file() and path.suffix != ".pack")
    return {path.relative_to(made.folder).as_posix(): path.read_text() for path in files}


def cmake(source: Path, build: Path, *options: str) -> None:
    """Configure and build a project; the compiler must not say a word of warning."""
    said = run_command("cmake", "-S", source, "-B", build, "-DCMAKE_BUILD_TYPE=Release", *options)
    assert b"Warning" not in said
    run_command("cmake", "--build", build, "--parallel", "2")


def toolchain(folder: Path, target: Target) -> Path:
    """Write a toolchain file, as a user has one."""
    path = folder / "toolchain.cmake"
    core = " ".join(target.compiler_flags)
    lines = [
        "set(CMAKE_SYSTEM_NAME Generic)",
        f"set(CMAKE_C_COMPILER {target.compiler})",
        "set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)",
        f'set(CMAKE_C_FLAGS_INIT "{core} {STRICT}")',
        f'set(CMAKE_ASM_FLAGS_INIT "{core}")',
        'set(CMAKE_C_FLAGS_RELEASE_INIT "-O2")',
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


def port_of(folder: Path, target: Target) -> Path:
    """Copy a board's port into one folder, as a user's own port is."""
    port = folder / "port"
    port.mkdir()
    for name in target.port_folders:
        for path in (resource("firmware") / "ports" / name).iterdir():
            (port / path.name).write_text(path.read_text())
    return port


def pixels_of(graph: Graph, count: int) -> NDArray[np.uint8]:
    """Return seeded raw images as a camera gives them, uint8 [n, H, W, C], RGB."""
    shape = (count, *graph.tensors[graph.input].hwc)
    return np.random.default_rng(11).integers(0, 256, shape, np.uint8)


def quantized(graph: Graph, pixels: NDArray[np.uint8]) -> NDArray[np.int8]:
    """Return the model's input for such images."""
    tensor = graph.tensors[graph.input]
    return PREPROCESSING.to_int8(pixels, tensor.scale, tensor.zero_point)


def classes_of(graph: Graph, pixels: NDArray[np.uint8]) -> list[int]:
    """Return the class of each image by the numpy reference: of the logits, the first of equals."""
    return list(map(int, run_observed(graph, quantized(graph, pixels))[-1].argmax(axis=1)))


def verify_build(folder: Path, content: bytes, target: str) -> Path:
    """Write a build folder that `edgesq verify` takes, with few images."""
    graph = read_graph(content)
    return light_build(folder, target, content, images(graph.tensors[graph.input].hwc))


def check_verifies(build: Path, command: Sequence[str], log: Path) -> dict[str, Any]:
    """Hold that `edgesq verify` finds a program equal, as a user runs it; return its `device`."""
    with running(command, log) as (_, port):
        said = done("verify", "--build", build, "--port", port, "--json", build / "out.json")
    with np.load(build / VERIFY_IMAGES) as archive:
        count = len(archive["input"])
    result = json.loads((build / "out.json").read_text())
    assert (result["run"]["images"], result["result"]["exact_images"]) == (count, count), said
    assert (result["result"]["differing_values"], result["link"]["retries"]) == (0, 0)
    device: dict[str, Any] = result["device"]
    assert f"{device['board'] or 'the board'} against" in said
    assert ("MHz" in said) == (device["core"] is not None and device["clock_hz"] > 0)
    return device


def damage(made: Library) -> None:
    """Flip a bit in a model's first stream of weights."""
    (path,) = made.folder.rglob(f"{made.name}_model.c")
    stream = re.compile(r"(uint8_t \w*content\w*\[\d+\] = \{\s*0x)(\w\w)")
    text, count = stream.subn(lambda at: f"{at[1]}{int(at[2], 16) ^ 4:02x}", path.read_text(), 1)
    assert count == 1
    path.write_text(text)


def pattern_class(made: Library) -> int:
    """Return what the classifying examples print for their image, byte i of row y: 8 y + i."""
    height, width, channels = made.graph.tensors[made.graph.input].hwc
    rows = 8 * np.arange(height)[:, np.newaxis] + np.arange(width * channels)
    pixels = rows.astype(np.uint8).reshape(1, height, width, channels)
    return classes_of(made.graph, pixels)[0]


def classified(command: Sequence[str], log: Path) -> bytes:
    """Return a line that a classifying example says, without its end.

    It speaks for ever, and from before the port is opened: the first line may be cut.
    """
    said = b""
    with running(command, log) as (_, port), open_port(port) as line:
        while said.count(b"\n") < 2:
            heard = line.read(5.0)
            assert heard, "silent"
            said += heard
    return said.split(b"\n")[1].rstrip(b"\r")
